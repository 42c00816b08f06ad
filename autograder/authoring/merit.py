"""Does a wrong exercise cost its own points only? The truth table of follow-through.

In an otherwise right notebook an exercise that others use is left as its stub, damaged, or answered
with a known mistake; every exercise that uses it must keep all its points.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from coursekit import StudentError
from coursekit.pages import UNWRITTEN

from autograder.course import SECONDS, Assignment, Cell, Exercise
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.follow_through import in_process, judged
from autograder.judging.judge import Judge
from autograder.judging.patience import TookTooLong, at_most
from autograder.judging.uses import closure, uses
from autograder.sandbox.protocol import InProcess

CALL_SECONDS = 20.0


class Outcome(NamedTuple):
    """What the right exercises that use a wrong one lost, by name."""

    kept: list[str]
    lost: dict[str, str]
    seconds: float


def dependents(judge: Judge, quick: bool = False) -> dict[str, list[Exercise]]:
    """Which exercises use each one, in the reference or by their checks; `quick`: of these only
    such as have the usual time, which leaves out most that train."""
    found = judge.assignment
    used = uses(found, cells(found), judge.calls)
    table: dict[str, list[Exercise]] = {}
    for number, exercise in enumerate(found.exercises):
        for other in found.exercises[number + 1 :]:
            wanted = not quick or other.seconds <= SECONDS
            if wanted and exercise.name in closure(used, [other.name]):
                table.setdefault(exercise.name, []).append(other)
    return table


def family(exercise: Exercise, body: str) -> str:
    """All that an exercise defines, as functions of this body."""
    names = exercise.defines
    return "\n".join(f"def {name}(*args, **kwargs):\n    {body}\n" for name in names)


def damages(found: Assignment, exercise: Exercise) -> Iterator[Answer]:
    """The untouched stub, and a syntax error."""
    stub = family(exercise, f"raise NotImplementedError({UNWRITTEN!r})")
    yield Answer(found.name, exercise.name, "its stub", stub)
    broken = reference_code(found, exercise.name) + "\ndef broken(:\n"
    yield Answer(found.name, exercise.name, "a syntax error", broken)


class Patient(InProcess):
    """Ends a call after some CPU seconds, and gives its exercise no more: a mistake below can make
    a right answer search for ever, and a known mistake may do so by itself."""

    def __init__(self, cells: Iterable[Cell], seconds: float = CALL_SECONDS) -> None:
        self.seconds = seconds
        self.exercise = ""
        self.spent: set[str] = set()
        super().__init__(cells)

    def begin(self, exercise: str, seed: int) -> None:
        self.exercise = exercise
        if exercise in self.spent:
            raise StudentError("time", "had no computing time left: earlier checks used it up")
        super().begin(exercise, seed)

    def ask(self, request: bytes) -> bytes:
        with contextlib.suppress(TookTooLong), at_most(self.seconds) as rung:
            answer = super().ask(request)
        if rung:  # also where what was called has caught it
            self.spent.add(self.exercise)
            raise StudentError("time", "used up its computing time")
        return answer


def tried(judge: Judge, wrong: Answer, others: list[Exercise], salt: str = "merit") -> Outcome:
    """What the others come to beside this answer to one exercise."""
    code = cells(judge.assignment, wrong)
    attempt = in_process(judge, salt, Patient)
    started = time.perf_counter()
    results = judged(judge, code, others, lambda *_: None, attempt).exercises
    lost = {
        name: f"{result.points:g} of {result.max_points:g}: {result.message}"
        for name, result in results.items()
        if result.points < result.max_points
    }
    kept = [name for name in results if name not in lost]
    return Outcome(kept, lost, time.perf_counter() - started)
