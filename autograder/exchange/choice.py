"""Which of somebody's files is the notebook: by what is in it, never by the alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from coursekit.ipynb import MAX_BYTES, NotebookCell, NotebookError, read_cells

from autograder.course import Assignment, course
from autograder.errors import CourseError
from autograder.judging.outline import outline_of

from .archive import File

MOST = 20
"""Notebooks of one person that are looked into."""
MOST_BYTES = 100 * 2**20
"""What they may have together, from which no more are."""
_NOTEBOOK = re.compile(r".*\.ipynb(?:[ _-]?\(?\d*\)?)?(?:\.(?:txt|json|download))?", re.IGNORECASE)
_PERHAPS = re.compile(r".*\.(?:json|txt)", re.IGNORECASE)


class Chosen(NamedTuple):
    """The notebook, or why there is none."""

    data: bytes | None
    shown: str = ""
    why: str = ""
    beside: tuple[str, ...] = ()
    """Others, that were not taken."""


class _Candidate(NamedTuple):
    file: File
    data: bytes
    written: int
    known: int
    foreign: str

    def rank(self, name: str) -> tuple[int, int, bool, bool]:
        called = self.file.name.lower()
        return self.written, self.known, called == f"{name}.ipynb", name in called


def choose(files: Iterable[File], assignment: Assignment) -> Chosen:
    """The notebook of this assignment among one person's files."""
    files = list(files)
    notebooks = [file for file in files if _NOTEBOOK.fullmatch(file.name)]
    perhaps = [file for file in files if _PERHAPS.fullmatch(file.name)]
    found, trouble = _read(notebooks, assignment)
    if not found:
        found = [c for c in _read(perhaps, assignment)[0] if c.known and not c.foreign]
    own = [candidate for candidate in found if not candidate.foreign]
    if not own:
        return Chosen(None, why=_nothing(files, found, trouble))
    best = max(candidate.rank(assignment.name) for candidate in own)
    first = [candidate for candidate in own if candidate.rank(assignment.name) == best]
    first = _newest(first)
    if len({candidate.data for candidate in first}) > 1:
        names = " and ".join(sorted(candidate.file.shown for candidate in first)[:3])
        return Chosen(None, why=f"it cannot be told which one is meant of {names}")
    taken = first[0]
    beside = tuple(c.file.shown for c in found if c.data != taken.data)
    return Chosen(taken.data, taken.file.shown, beside=beside)


def _newest(candidates: list[_Candidate]) -> list[_Candidate]:
    """Those last changed, where all tell a time, with its zone or without."""
    times = [c.file.time.replace(tzinfo=None) for c in candidates if c.file.time is not None]
    if len(times) < len(candidates):
        return candidates
    newest = max(times)
    return [c for c, time in zip(candidates, times, strict=True) if time == newest]


def _read(files: list[File], assignment: Assignment) -> tuple[list[_Candidate], list[str]]:
    files = sorted(files, key=lambda file: (assignment.name not in file.name.lower(), file.path))
    found: list[_Candidate] = []
    trouble: list[str] = []
    for file in files[:MOST]:
        if sum(len(candidate.data) for candidate in found) > MOST_BYTES:
            break
        if file.link:
            trouble.append(f"{file.shown}: a link, not a file")
            continue
        try:
            data = file.read(MAX_BYTES)
        except CourseError as error:
            trouble.append(f"{file.shown}: {error}")
            continue
        found.append(_candidate(file, data, assignment))
    if len(files) > MOST:
        trouble.append(f"of {len(files)} notebooks {MOST} were looked into")
    return found, trouble


def _candidate(file: File, data: bytes, assignment: Assignment) -> _Candidate:
    try:
        cells, _ = read_cells(data)
    except NotebookError:
        return _Candidate(file, data, 0, 0, "")  # the grader will say what is wrong with it
    known = _known(assignment, cells)
    others = {name: _known(other, cells) for name, other in course().items()}
    foreign = max(others, key=lambda name: others[name])
    if others[foreign] <= known:
        foreign = ""
    return _Candidate(file, data, _written(assignment, cells), known, foreign)


def _known(assignment: Assignment, cells: list[NotebookCell]) -> int:
    """How many of an assignment's exercises have a cell here."""
    names = {name for cell in cells for name in (cell.grade_id, *cell.defines)}
    return sum(not names.isdisjoint((e.name, *e.defines)) for e in assignment.exercises)


def _written(assignment: Assignment, cells: list[NotebookCell]) -> int:
    """How many of its exercises have a cell that is not as it was given out."""
    stubs = outline_of(assignment).stubs
    done = 0
    for exercise in assignment.exercises:
        given = ("", stubs.get(exercise.name))
        done += any(
            cell.kind == "code"
            and cell.text not in given
            and (cell.grade_id == exercise.name or cell.defines & set(exercise.defines))
            for cell in cells
        )
    return done


def _nothing(files: list[File], found: list[_Candidate], trouble: list[str]) -> str:
    if found:
        return f"{found[0].file.shown} is the notebook of {found[0].foreign}"
    if trouble:
        return "; ".join(trouble[:3])
    if not files:
        return "nothing was handed in"
    names = ", ".join(sorted(file.shown for file in files)[:4])
    more = ", …" if len(files) > 4 else ""
    return f"there is no notebook among {names}{more}"
