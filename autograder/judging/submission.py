"""A submitted notebook's bytes as the code cells to run, or a clear error.

Points, order and locked cells come from the released notebook; from the submission comes nothing
but the text of cells.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursekit.ipynb import (
    CONFLICT,
    MAX_BYTES,
    NotebookCell,
    NotebookError,
    read_cells,
    taken,
    too_large,
    without_outputs,
)

from autograder.course import Assignment, Cell, cell_of, course
from autograder.errors import SubmissionError, Unreachable

from .answers import SETUP, beside, setup_code

MAX_NOTES = 20


@dataclass(frozen=True)
class Submission:
    """The cells to run in order, what was noticed, and the whole notebook as handed in.

    `ran` holds the numbers of those of its cells that are among `cells`.
    """

    cells: list[Cell]
    notes: list[str]
    notebook: list[NotebookCell]
    ran: frozenset[int]


@dataclass(frozen=True)
class Outline:
    """What the released notebook says about its cells."""

    cells: tuple[NotebookCell, ...]
    locked: dict[str, str]
    """Locked code cells: `grade_id` to text ("" where nothing is released yet)."""
    stubs: dict[str, str]
    """Solution cells as students got them."""
    answers: dict[str, float]
    """Those that are answered in words and marked by hand, with their points."""

    @functools.cached_property
    def locked_texts(self) -> dict[str, str]:
        return {text: grade_id for grade_id, text in self.locked.items() if text}


@functools.lru_cache(1)  # who records a result reads it for the notebook, and for the page
def read_submission(data: bytes, assignment: Assignment) -> Submission:
    """The cells of a submitted notebook; SubmissionError for what is none."""
    try:
        notebook, notes = read_cells(data)
    except NotebookError as error:
        raise SubmissionError(str(error)) from None
    to_run = [*_to_run(notebook, assignment, notes)]
    ran = [cell for cell, _ in to_run]
    setup = Cell(SETUP, setup_code(assignment))
    cells = [setup, *(Cell(label, cell.source) for cell, label in to_run)]
    notes += _taken(ran, assignment)
    notes += _foreign(notebook, assignment)
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES} more remarks like these"]
    files = beside(assignment, (cell.source for cell in cells))
    return Submission([*files, *cells], notes, notebook, frozenset(cell.number for cell in ran))


def _to_run(
    notebook: list[NotebookCell], assignment: Assignment, notes: list[str]
) -> Iterator[tuple[NotebookCell, str]]:
    """The code cells that run, with their labels; what is noticed goes to the notes."""
    outline = outline_of(assignment)
    exercises = {exercise.name for exercise in assignment.exercises}
    answered = _answered_elsewhere(notebook, assignment, outline)
    seen: dict[str, int] = {}
    bound: dict[str, tuple[str, int]] = {}
    for cell in notebook:
        exercise = cell.grade_id if cell.grade_id in exercises else ""
        if CONFLICT.search(cell.source):
            notes.append(f"cell {cell.number} holds the markers of a merge conflict (<<<<<<<)")
        if cell.kind != "code":
            if exercise and cell.text:
                notes.append(
                    f"cell {cell.number}, the cell of {exercise}, is no code cell any more; "
                    "it was not run"
                )
            continue
        locked = "" if exercise else locked_id(cell, outline)
        if locked:
            if outline.cells and cell.text not in ("", outline.locked.get(locked)):
                if locked == "setup":  # an import more, say, in an editor that knows no locks
                    notes.append("the setup cell was changed; it ran after the original")
                    yield cell, "the changed setup cell"
                else:
                    known = locked in outline.locked  # else of an exercise that was withdrawn, say
                    why = "its text is not the original's" if known else "there is no such cell now"
                    notes.append(
                        f"cell {cell.number} is marked as the locked cell {_shown(locked)}, but "
                        f"{why}; it was not run"
                    )
            continue
        if not cell.text:
            continue
        if exercise in answered and _is_untouched(cell, outline):
            notes.append(f"cell {cell.number}, an untouched cell of {exercise}, was left out")
            continue
        label = f"cell {cell.number}"
        if exercise and exercise not in seen:
            label, seen[exercise] = cell_of(exercise), cell.number
        elif exercise:
            notes.append(
                f"{exercise} has more than one cell (cells {seen[exercise]} and "
                f"{cell.number}); they ran in order, and the better one counts"
            )
        notes += _bound_again(cell, assignment, bound)
        yield cell, label


def attempt_salt(salt: str, submission: Submission, assignment: Assignment) -> str:
    """The salt from which the hidden inputs of this attempt are drawn.

    It follows from all that the code can know of itself, to the last blank: what a student learns
    of one attempt's inputs is worth nothing in the next. Equal code meets equal inputs and so earns
    equal marks, also in a notebook that was only saved again. `same_inputs = true` in course.toml
    gives all attempts the same.
    """
    if assignment.same_inputs:
        return salt
    # as a list, so that it is told where a cell ends, whatever its text holds
    return hashlib.sha256(json.dumps([salt, *submission.cells]).encode()).hexdigest()


def locked_id(cell: NotebookCell, outline: Outline) -> str:
    """The `grade_id` of the locked cell that this one is, or is a copy of; else ""."""
    # An older release may hold checks and demonstrations that the present one does not know.
    if cell.grade_id in outline.locked or cell.grade_id.startswith(("check_", "demo_")):
        return cell.grade_id
    return outline.locked_texts.get(cell.text, "")


def outline_of(assignment: Assignment) -> Outline:
    """The released notebook's outline; without one, the course's names."""
    try:
        data = assignment.release.read_bytes()
    except OSError:
        data = b""
    return _outline(assignment, data)


@functools.lru_cache(maxsize=32)
def _outline(assignment: Assignment, data: bytes) -> Outline:
    locked = {"setup": ""}
    stubs: dict[str, str] = {}
    answers: dict[str, float] = {}
    cells: list[NotebookCell] = []
    if data:
        released = json.loads(data)["cells"]
        for cell, raw in zip(read_cells(data)[0], released, strict=True):
            cells.append(cell)
            metadata = raw["metadata"].get("nbgrader", {})
            if metadata.get("solution"):
                stubs[cell.grade_id] = cell.text
                if metadata.get("grade"):
                    answers[cell.grade_id] = float(metadata.get("points", 0))
            elif cell.kind == "code" and (metadata.get("locked") or metadata.get("grade")):
                locked[cell.grade_id] = cell.text
    return Outline(tuple(cells), locked, stubs, answers)


def answer_cells(notebook: list[NotebookCell], outline: Outline) -> dict[str, NotebookCell]:
    """The cells that hold a student's own words, by the question that they answer."""
    found = {}
    for cell in notebook:
        name = cell.grade_id or cell.cell_id
        if name in outline.answers and cell.text not in ("", outline.stubs[name]):
            found[name] = cell
    return found


_STUB = re.compile(r"# YOUR CODE HERE\s+raise NotImplementedError")


def _is_untouched(cell: NotebookCell, outline: Outline) -> bool:
    """A solution cell as it was given out, also with a remark in it; `check_submission.py` goes by
    the same rule."""
    stub = outline.stubs.get(cell.grade_id)
    return stub is not None and (cell.text == stub or _STUB.search(cell.source) is not None)


def _answered_elsewhere(
    notebook: list[NotebookCell], assignment: Assignment, outline: Outline
) -> set[str]:
    """Exercises that are answered in a cell other than their own, untouched one.

    The stub must not run after the answer and overwrite it.
    """
    stubs = set(outline.stubs.values())
    defined: set[str] = set()
    for cell in notebook:
        untouched = cell.text in stubs or _is_untouched(cell, outline)
        if not untouched and not locked_id(cell, outline):
            defined |= cell.defines
    return {
        exercise.name
        for exercise in assignment.exercises
        if exercise.name in outline.stubs and defined.issuperset(exercise.defines)
    }


def _bound_again(
    cell: NotebookCell, assignment: Assignment, bound: dict[str, tuple[str, int]]
) -> Iterator[str]:
    """What the cell gives another value that an earlier one defined; `bound` is brought up to
    date."""
    for exercise in assignment.exercises:
        for name in sorted(cell.binds.intersection(exercise.defines)):
            before = bound.get(name)
            if before and before != (cell.grade_id, cell.number) and before[0] != cell.grade_id:
                line = _line_of(name, cell.source)
                yield (
                    f"cell {cell.number}, line {line}, gives {name} a new value, after cell "
                    f"{before[1]} defined it; the better one counts"
                )
            bound[name] = cell.grade_id, cell.number


def _taken(run: list[NotebookCell], assignment: Assignment) -> Iterator[str]:
    """What a cell gives another value although Python itself defines it and an exercise uses it."""
    exercises = {exercise.name for exercise in assignment.exercises}
    for cell, name in taken(run, [one for one in run if one.grade_id in exercises]):
        yield (
            f"cell {cell.number}, line {_line_of(name, cell.source)}, gives {name}, a name of "
            "Python's own, a new value, for all cells"
        )


def _line_of(name: str, source: str) -> int:
    """Where a name stands first in a line that may bind it."""
    match = re.search(rf"^[^#\n]*?\b{name}\b", source, re.MULTILINE)
    return source.count("\n", 0, match.start()) + 1 if match else 1


def _foreign(notebook: list[NotebookCell], assignment: Assignment) -> Iterator[str]:
    ids = {cell.grade_id for cell in notebook}
    names = {name for cell in notebook for name in cell.defines}
    if _belongs(ids, names, assignment):
        return
    others = [other.title for other in course().values() if _belongs(ids, names, other)]
    guess = f"; it looks like the notebook of “{others[0]}”" if others else ""
    yield f"nothing of this assignment was found in the notebook{guess}"


def _belongs(ids: set[str], names: set[str], assignment: Assignment) -> bool:
    return any(
        exercise.name in ids or exercise.check_cell in ids or names.intersection(exercise.defines)
        for exercise in assignment.exercises
    )


# ---------------------------------------------------------------------------- files to bytes


def find_notebook(folder: Path, name: str) -> tuple[bytes, list[str]]:
    """The bytes of `<name>.ipynb`, or of the one other notebook that lies in its place."""
    wanted = f"{name}.ipynb"
    with _opened(folder) as directory:
        try:
            held = sorted(os.listdir(directory))
        except OSError as error:
            raise _refusal(error, "the folder") from None
        others = [n for n in held if n.lower().endswith(".ipynb") and not n.startswith(".")]
        if wanted in held:
            return without_outputs(_read(directory, wanted)), []
        if len(others) != 1:
            raise SubmissionError(_missing(wanted, held, others))
        note = f"{_shown(others[0])} was taken for {wanted}"
        return without_outputs(_read(directory, others[0])), [note]


def read_file(folder: Path, name: str) -> bytes:
    """One file of a submission, read with the same care."""
    with _opened(folder) as directory:
        return _read(directory, name)


_CAREFUL = all(hasattr(os, name) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"))
"""Not on Windows, where nothing is graded, but reports and exports are made."""


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | Path]:
    missing = SubmissionError(f"there is no folder {_shown(folder.name)} to read")
    if not _CAREFUL:
        if not folder.is_dir() or folder.is_symlink():
            raise missing
        yield folder
        return
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise missing from None
        raise _refusal(error, f"the folder {_shown(folder.name)}") from None
    try:
        yield directory
    finally:
        os.close(directory)


def _missing(wanted: str, held: list[str], others: list[str]) -> str:
    if not held:
        return f"there is no {wanted}; the folder is empty"
    shown = ", ".join(map(_shown, (others or held)[:8]))
    more = ", …" if len(others or held) > 8 else ""
    if others:
        return f"there is no {wanted}, and it is not clear which one is meant of {shown}{more}"
    return f"there is no {wanted}; the folder holds {shown}{more}"


_NOT_THERE = (errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_NO_FILE = (*_NOT_THERE, errno.EISDIR, errno.ENXIO, errno.ENODEV)


def _refusal(error: OSError, what: str) -> SubmissionError:
    kind = SubmissionError if error.errno in _NO_FILE else Unreachable
    return kind(f"{what} cannot be read ({error.strerror})")


def _shown(name: str) -> str:
    """A name that a student chose, of a file or of a cell, fit for a message."""
    name = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return name if len(name) <= 60 else f"{name[:57]}…"


def _read(directory: int | Path, name: str) -> bytes:
    """A regular file's bytes: never through a link, never from a pipe or device."""
    try:
        if isinstance(directory, Path):
            if (directory / name).is_symlink():
                raise OSError(errno.ELOOP, "")
            file = os.open(directory / name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        else:  # O_NONBLOCK: opening a named pipe must not wait for a writer
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SubmissionError(f"{_shown(name)} is a link and no file") from None
        raise _refusal(error, _shown(name)) from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"{_shown(name)} is no regular file")
        if status.st_size > MAX_BYTES:
            raise SubmissionError(too_large(status.st_size))
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(error, _shown(name)) from None
    finally:
        os.close(file)
    if len(data) > MAX_BYTES:
        raise SubmissionError(too_large(len(data)))
    return data
