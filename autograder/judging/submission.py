"""A submitted notebook's bytes as the code cells to run, or a clear error.

Points, order and locked cells come from the released notebook; from the submission comes nothing
but the text of cells.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coursekit.ipynb import CONFLICT, NotebookCell, NotebookError, read_cells, taken

from autograder.course import Assignment, Cell, cell_of, course
from autograder.errors import SubmissionError
from autograder.files import shown

from .answers import SETUP, beside, setup_code
from .outline import Outline, locked_id, outline_of

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
                        f"cell {cell.number} is marked as the locked cell {shown(locked)}, but "
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


def _is_untouched(cell: NotebookCell, outline: Outline) -> bool:
    """A solution cell as it was given out, also with a remark in it."""
    stub = outline.stubs.get(cell.grade_id)
    return stub is not None and (cell.text == stub or cell.is_unwritten)


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
            if before and before[0] != cell.grade_id:
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
