"""The truth table: are the checks themselves right?

For every assignment: the reference and every alternative earn everything; the untouched
release and do-nothing answers earn nothing; every mistake fails the check that it names;
every check is failed by some mistake; public checks pass for right answers; a mistake's hint
is found for itself and for no right answer. Whatever does not hold is a hole.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import time
from collections.abc import Callable, Iterator

import msgspec

from . import diagnosis
from .answers import Answer, Mistake, alternatives, cells, definition, mistakes
from .course import Assignment, Exercise, assignment
from .judge import Judge, judging
from .results import ExerciseResult
from .student import Cell, InProcess, Student

SALT = "verify"


class Row(msgspec.Struct, kw_only=True):
    """One answer, what it should earn and what it earned."""

    kind: str
    exercise: str
    name: str
    points: float
    max_points: float
    failed: list[str]
    seconds: float
    hole: str = ""


class Table(msgspec.Struct, kw_only=True):
    """All rows of one assignment; `holes` in words."""

    assignment: str
    rows: list[Row]
    holes: list[str]


def verify(names: list[str], progress: Callable[[str, Row], None] | None = None) -> list[Table]:
    """The truth tables of the named assignments, several at once."""
    context = multiprocessing.get_context("spawn")
    if len(names) == 1:
        return [_table(names[0], progress)]
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(_table, names))


def _table(name: str, progress: Callable[[str, Row], None] | None = None) -> Table:
    import torch

    torch.set_num_threads(1)
    found = assignment(name)
    rows: list[Row] = []

    def body(judge: Judge) -> None:
        for row in _rows(judge):
            rows.append(row)
            if progress is not None:
                progress(name, row)

    judging(found, body)
    holes = [f"{row.kind} {row.exercise} {row.name}: {row.hole}" for row in rows if row.hole]
    holes += _unneeded_checks(found, rows)
    return Table(assignment=name, rows=rows, holes=holes)


def _rows(judge: Judge) -> Iterator[Row]:
    found = judge.assignment
    for exercise in found.exercises:
        yield from _exercise_rows(judge, exercise)


def _exercise_rows(judge: Judge, exercise: Exercise) -> Iterator[Row]:
    found = judge.assignment
    reference, row = _try(judge, exercise, "reference", "", cells(found))
    row.hole = _must_be_right(reference)
    yield row
    if not any(check.hidden and check.name for check in reference.checks):
        row.hole = "has no hidden check"
    for name, code in _nothings(found, exercise):
        _, row = _try(judge, exercise, "nothing", name, _with(found, exercise, code))
        row.hole = f"earned {row.points:g} points" if row.points else ""
        yield row
    for answer in alternatives(found):
        if answer.exercise == exercise.name:
            result, row = _try(judge, exercise, "alternative", answer.name, cells(found, answer))
            row.hole = _must_be_right(result)
            yield row
    for wrong in mistakes(found):
        if wrong.exercise == exercise.name:
            yield _mistake_row(judge, exercise, wrong)


def _mistake_row(judge: Judge, exercise: Exercise, wrong: Mistake) -> Row:
    result, row = _try(judge, exercise, "mistake", wrong.name, cells(judge.assignment, wrong))
    if wrong.caught_by not in {check.name for check in result.checks}:
        row.hole = f"names the check {wrong.caught_by}, which does not exist"
    elif wrong.caught_by not in row.failed:
        row.hole = f"is not caught by {wrong.caught_by}, which it names"
    elif row.points >= row.max_points:
        row.hole = "earned everything"
    elif result.mistake and result.hint != wrong.hint:
        row.hole = f"is taken for {result.mistake}"
    return row


def _try(
    judge: Judge, exercise: Exercise, kind: str, name: str, code: list[Cell]
) -> tuple[ExerciseResult, Row]:
    started = time.perf_counter()
    student = Student(InProcess(code))
    seen = diagnosis.Observer(judge.assignment) if kind == "mistake" else None
    (result,) = judge.judge(student, SALT, [exercise], after=seen)
    failed = [check.name for check in result.checks if check.outcome in ("failed", "error")]
    row = Row(
        kind=kind,
        exercise=exercise.name,
        name=name,
        points=result.points,
        max_points=result.max_points,
        failed=failed,
        seconds=round(time.perf_counter() - started, 3),
    )
    errors = [check for check in result.checks if check.outcome == "error"]
    if errors:
        row.hole = f"{errors[0].name}: {errors[0].message}"
    return result, row


def _must_be_right(result: ExerciseResult) -> str:
    wrong = [check for check in result.checks if check.outcome != "passed"]
    if wrong:
        return f"fails {', '.join(check.name for check in wrong)}: {wrong[0].message}"
    return "" if result.points == result.max_points else f"earned {result.points:g} points"


def _with(found: Assignment, exercise: Exercise, code: str) -> list[Cell]:
    return cells(found, Answer(found.name, exercise.name, "nothing", code))


def _nothings(found: Assignment, exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Answers with nothing in them: the stub, and functions that return without working."""
    yield "untouched", _family(found, exercise, "raise NotImplementedError()")
    yield "empty", "# nothing here"
    yield "returns None", _family(found, exercise, "return None")
    yield "returns 0", _family(found, exercise, "return 0.0")
    yield "returns its argument", _family(found, exercise, "return args[0] if args else None")
    yield (
        "returns zeros",
        _family(found, exercise, "return args[0] * 0 if args else 0.0"),
    )


def _family(found: Assignment, exercise: Exercise, body: str) -> str:
    names = [definition(found, name)[1].name for name in exercise.defines]
    return "\n".join(f"def {name}(*args, **kwargs):\n    {body}\n" for name in names)


def _unneeded_checks(found: Assignment, rows: list[Row]) -> Iterator[str]:
    failed: dict[str, set[str]] = {}
    existing: dict[str, set[str]] = {}
    for row in rows:
        if row.kind == "mistake":
            failed.setdefault(row.exercise, set()).update(row.failed)

    def collect(judge: Judge) -> None:
        for check in judge.checks:
            existing.setdefault(check.exercise, set()).add(check.name)

    judging(found, collect)
    for exercise in found.exercises:
        for name in sorted(existing.get(exercise.name, set()) - failed.get(exercise.name, set())):
            yield f"check {exercise.name} {name}: no mistake fails it; is it needed?"
        own = [row for row in rows if row.exercise == exercise.name]
        if sum(row.kind == "mistake" for row in own) < 3:
            yield f"exercise {exercise.name}: fewer than three mistakes"
        if sum(row.kind == "alternative" for row in own) < 2:
            yield f"exercise {exercise.name}: fewer than two alternatives"
