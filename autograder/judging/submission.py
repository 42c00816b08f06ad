"""A submitted notebook's bytes as the code cells to run, or a clear error.

A notebook is JSON and is read as such: nbformat would take a second to import and refuses
what students really hand in. Points, order and locked cells come from the released notebook;
from the submission comes nothing but the text of cells.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Assignment, Cell, course
from autograder.errors import SubmissionError

from .answers import setup_code

MAX_BYTES = 20 * 2**20
MAX_CELLS = 2000
MAX_BRACKETS = 2_000_000
"""Opening brackets: 20 MB of `[],[],…` would become half a gigabyte of lists."""
MAX_NAMES = 1000
MAX_NOTES = 20

_DEFINES = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)
_BROKEN_OFF = re.compile(r"nu?l?|tr?u?|fa?l?s?|[-+.eE]*")
"""What can be left of `null`, `true`, `false` or a number at the end of half a file."""
_CONFLICT = re.compile(r"^<<<<<<<( |\r?$)", re.MULTILINE)


@dataclass(frozen=True)
class NotebookCell:
    """One cell as handed in; `number` counts from 1 as a student does."""

    number: int
    kind: str
    source: str
    grade_id: str = ""
    cell_id: str = ""

    @functools.cached_property
    def defines(self) -> frozenset[str]:
        """The names that the cell's text defines at its top level."""
        if self.kind != "code":
            return frozenset()
        found = itertools.islice(_DEFINES.finditer(self.source), MAX_NAMES)
        return frozenset(match[1] or match[2] for match in found)

    @functools.cached_property
    def text(self) -> str:
        return same_text(self.source)


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

    @functools.cached_property
    def locked_texts(self) -> dict[str, str]:
        return {text: grade_id for grade_id, text in self.locked.items() if text}


def read_submission(data: bytes, assignment: Assignment) -> Submission:
    """The cells of a submitted notebook; SubmissionError for what is none."""
    notebook, notes = read_cells(data)
    outline = outline_of(assignment)
    exercises = {exercise.name: exercise for exercise in assignment.exercises}
    answered = _answered_elsewhere(notebook, assignment, outline)
    run = [Cell("the setup cell", setup_code(assignment))]
    ran: set[int] = set()
    seen: dict[str, int] = {}
    for cell in notebook:
        exercise = exercises.get(cell.grade_id)
        if _CONFLICT.search(cell.source):
            notes.append(f"cell {cell.number} holds the markers of a merge conflict (<<<<<<<)")
        if cell.kind != "code":
            if exercise is not None and cell.text:
                notes.append(
                    f"cell {cell.number}, the cell of {exercise.name}, is no code cell any more; "
                    "it was not run"
                )
            continue
        locked = "" if exercise else locked_id(cell, outline)
        if locked:
            if outline.cells and cell.text not in ("", outline.locked.get(locked)):
                if locked == "setup":  # an import more, say, in an editor that knows no locks
                    run.append(Cell("the changed setup cell", cell.source))
                    ran.add(cell.number)
                    notes.append("the setup cell was changed; it ran after the original")
                    continue
                notes.append(
                    f"cell {cell.number} is marked as the locked cell {_shown(locked)}, but "
                    "its text is not the original's; it was not run"
                )
            continue
        if not cell.text:
            continue
        if cell.grade_id in answered and cell.text == outline.stubs[cell.grade_id]:
            notes.append(f"cell {cell.number}, an untouched cell of {cell.grade_id}, was left out")
            continue
        label = f"cell {cell.number}"
        if exercise is not None and exercise.name not in seen:
            label, seen[exercise.name] = f"the cell of {exercise.name}", cell.number
        elif exercise is not None:
            notes.append(
                f"{exercise.name} has more than one cell (cells {seen[exercise.name]} and "
                f"{cell.number}); they ran in order, so the last definition counts"
            )
        run.append(Cell(label, cell.source))
        ran.add(cell.number)
    notes += _foreign(notebook, assignment)
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES} more remarks like these"]
    return Submission(run, notes, notebook, frozenset(ran))


def locked_id(cell: NotebookCell, outline: Outline) -> str:
    """The `grade_id` of the locked cell that this one is, or is a copy of; else ""."""
    # An older release may hold checks and demonstrations that the present one does not know.
    if cell.grade_id in outline.locked or cell.grade_id.startswith(("check_", "demo_")):
        return cell.grade_id
    return outline.locked_texts.get(cell.text, "")


def same_text(source: str) -> str:
    """`source` without the differences that editors make: line ends and trailing blanks."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


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
    cells: list[NotebookCell] = []
    if data:
        released = json.loads(data)["cells"]
        for cell, raw in zip(read_cells(data)[0], released, strict=True):
            cells.append(cell)
            metadata = raw["metadata"].get("nbgrader", {})
            if metadata.get("solution"):
                stubs[cell.grade_id] = cell.text
            elif cell.kind == "code" and (metadata.get("locked") or metadata.get("grade")):
                locked[cell.grade_id] = cell.text
    return Outline(tuple(cells), locked, stubs)


def _answered_elsewhere(
    notebook: list[NotebookCell], assignment: Assignment, outline: Outline
) -> set[str]:
    """Exercises that are answered in a cell other than their own, untouched one.

    The stub must not run after the answer and overwrite it.
    """
    stubs = set(outline.stubs.values())
    defined: set[str] = set()
    for cell in notebook:
        if cell.text not in stubs and not locked_id(cell, outline):
            defined |= cell.defines
    return {
        exercise.name
        for exercise in assignment.exercises
        if exercise.name in outline.stubs and defined.issuperset(exercise.defines)
    }


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


# --------------------------------------------------------------------------- bytes to cells


def read_cells(data: bytes) -> tuple[list[NotebookCell], list[str]]:
    """Every cell of a notebook in nbformat 3, 4 or 5, and what was noticed."""
    if len(data) > MAX_BYTES:
        raise SubmissionError(_too_large(len(data)))
    text, notes = _decode(data)
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise SubmissionError("the file holds far more data than a notebook; clear its outputs")
    try:
        found = json.loads(text)
    except RecursionError:
        raise SubmissionError("the file is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise SubmissionError(_explain(text, error)) from None
    if not isinstance(found, dict):
        raise SubmissionError("the file is JSON, but no notebook")
    raw = _raw_cells(found)
    if len(raw) > MAX_CELLS:
        raise SubmissionError(f"the notebook has {len(raw)} cells; at most {MAX_CELLS} are read")
    cells = []
    for number, entry in enumerate(raw, 1):
        if not isinstance(entry, dict):
            notes.append(f"cell {number} is damaged and was left out")
            continue
        source = _source(entry)
        if source is None:
            notes.append(f"cell {number} has no readable text and was left out")
            continue
        kind, cell_id = _text(entry, "cell_type"), _text(entry, "id")
        grade_id = _text(entry, "metadata", "nbgrader", "grade_id")
        cells.append(NotebookCell(number, kind, source, grade_id, cell_id))
    return cells, notes


def _raw_cells(notebook: dict[str, Any]) -> list[Any]:
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list):
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    raise SubmissionError("the file is JSON, but no notebook: it has no list of cells")


def _source(cell: dict[str, Any]) -> str | None:
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # JSON can hold halves of a UTF-16 pair, which no file, pipe or database takes.
    return source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def _text(entry: Any, *keys: str) -> str:
    """A text deep in what may be anything; "" where there is none."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry if isinstance(entry, str) else ""


def _decode(data: bytes) -> tuple[str, list[str]]:
    if not data.strip():
        raise SubmissionError("the file is empty")
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff"), []
    except UnicodeDecodeError:
        note = f"the file is not valid {encoding.upper()}; accents in it may be wrong"
        return data.decode("latin-1"), [note]


def _explain(text: str, error: ValueError) -> str:
    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        return (
            f"the file holds the markers of a merge conflict (<<<<<<<, line {line}); "
            "resolve the conflict and hand the notebook in again"
        )
    start = text.lstrip()[:100]
    for beginning, kind in (("%PDF", "a PDF"), ("PK", "an archive"), ("<", "a web page")):
        if start.startswith(beginning):
            return f"the file is {kind}, no notebook; hand in the .ipynb file itself"
    if not start.startswith("{"):
        return "the file is no notebook; hand in the .ipynb file as Jupyter saves it"
    if not isinstance(error, json.JSONDecodeError):
        return "the file holds a number too large for a notebook"
    rest = text.rstrip()[error.pos :]
    if (
        error.msg.startswith("Unterminated")
        or (len(rest) < 7 and "escape" in error.msg)
        or _BROKEN_OFF.fullmatch(rest)
    ):
        return f"the file is cut off in line {error.lineno}; hand the whole notebook in again"
    return f"the file is damaged in line {error.lineno}: it is not JSON from there on"


def _too_large(size: int) -> str:
    return (
        f"the file has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. "
        "Clear the outputs of the notebook and hand it in again"
    )


# ---------------------------------------------------------------------------- files to bytes


def find_notebook(folder: Path, name: str) -> tuple[bytes, list[str]]:
    """The bytes of `<name>.ipynb`, or of the one other notebook that lies in its place."""
    with _opened(folder) as directory:
        try:
            held = sorted(os.listdir(directory))
        except OSError as error:
            raise SubmissionError(f"the folder cannot be read ({error.strerror})") from None
        wanted = f"{name}.ipynb"
        if wanted in held:
            return _read(directory, wanted), []
        others = [n for n in held if n.lower().endswith(".ipynb") and not n.startswith(".")]
        if len(others) == 1:
            note = f"{_shown(others[0])} was taken for {wanted}"
            return _read(directory, others[0]), [note]
        raise SubmissionError(_missing(wanted, held, others))


def read_file(folder: Path, name: str) -> bytes:
    """One file of a submission, read with the same care."""
    with _opened(folder) as directory:
        return _read(directory, name)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise SubmissionError(f"there is no folder {_shown(folder.name)} to read") from None
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


def _shown(name: str) -> str:
    """A name that a student chose, of a file or of a cell, fit for a message."""
    name = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return name if len(name) <= 60 else f"{name[:57]}…"


def _read(directory: int, name: str) -> bytes:
    """A regular file's bytes: never through a link, never from a pipe or device."""
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError as error:
        link = error.errno == errno.ELOOP
        why = "is a link and no file" if link else f"cannot be read ({error.strerror})"
        raise SubmissionError(f"{_shown(name)} {why}") from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"{_shown(name)} is no regular file")
        if status.st_size > MAX_BYTES:
            raise SubmissionError(_too_large(status.st_size))
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise SubmissionError(f"{_shown(name)} cannot be read ({error.strerror})") from None
    finally:
        os.close(file)
    if len(data) > MAX_BYTES:
        raise SubmissionError(_too_large(len(data)))
    return data
