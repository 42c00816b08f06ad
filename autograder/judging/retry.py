"""A submission's exercises in the cage, with the second try that a crowded machine owes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograder.course import Cell, Exercise
from autograder.results import ExerciseResult
from autograder.sandbox.cage import Cage
from autograder.sandbox.transport import Caged

from .judge import Judge
from .student import Student


class Tries(NamedTuple):
    """What a submission's code came to in the cage."""

    exercises: dict[str, ExerciseResult]
    notes: list[str]
    cell_seconds: float


def with_retry(
    judge: Judge, cage: Cage, cells: Sequence[Cell], salt: str, wanted: list[Exercise], after: Any
) -> Tries:
    """The exercises' results; those that a crowded machine may have cost points are tried twice
    (`transport` says why), and the better result counts."""
    notes: list[str] = []
    best: dict[str, ExerciseResult] = {}
    in_cells = 0.0
    for last in (False, True):
        caged = Caged(cage, judge.assignment, cells)
        try:
            results = judge.judge(Student(caged), salt, wanted, after=after)
        finally:
            caged.close()
        in_cells += caged.cell_seconds
        for result in results:
            if result.name not in best or result.points > best[result.name].points:
                best[result.name] = result
        late = [
            result.name
            for result in results
            if result.points < result.max_points and caged.late_cells | (result.name in caged.late)
        ]
        if last or not late:
            break
        notes.append(f"tried again, as time ran out on a crowded machine: {', '.join(late)}")
        wanted = [judge.assignment.exercise(name) for name in late]
    return Tries(best, [*_skipped(caged.skipped), *_failures(caged), *notes], in_cells)


def _skipped(lines: list[str]) -> list[str]:
    return [f"not run at grading: {line}" for line in lines[:5]]


def _failures(caged: Any) -> list[str]:
    return [failure.sentence for failure in caged.failures[:10]]
