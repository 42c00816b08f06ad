"""Runs an assignment's checks on one submission and says what it earned.

The checks are functions named `test_<exercise>__<what holds>`, ordinary pytest tests; those of
`assignments/<name>/public_checks.py` are public, those of `autograder/checks/` hidden. A `Judge`
loads them once and runs them on one student after another (`pytest_plugin` runs the same functions
under pytest). Points come from the hidden checks. A check marked `guard` (no overflow, arguments
unchanged, invariance, …) holds for trivial answers too: it weighs a third of another check, and
counts only where some unmarked check of its exercise passes. A check marked `point` is what the
exercise is about: an answer that fails it keeps at most half of the points.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from coursekit import CheckFailed
from coursekit.compare import stumbled
from coursekit.messages import describe

from autograder.course import ROOT, Assignment, Exercise
from autograder.errors import CageError, CourseError
from autograder.results import CheckResult, ExerciseResult

from .student import Student

# What a check may stumble over when a student's value is of the wrong kind. Right answers
# pass every check (`verify`), so such a stumble is the value's doing, not the check's.
_STUMBLES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)


AT_MOST_WITHOUT_THE_POINT = 0.5

FIXTURES = ("student", "draw")
"""What a check may ask for: the student's functions, and random numbers of its own."""


class Check:
    """One check: a function, and what its name and marks say about it."""

    def __init__(self, function: Callable[..., None], hidden: bool) -> None:
        self.function = function
        self.hidden = hidden
        self.exercise, _, self.name = function.__name__.removeprefix("test_").partition("__")
        self.title = (function.__doc__ or self.name.replace("_", " ")).strip().split("\n")[0]
        marks = getattr(function, "pytestmark", [])
        self.guard = any(mark.name == "guard" for mark in marks)
        self.point = any(mark.name == "point" for mark in marks)
        self.weight = 1 if self.guard else 3
        self.wants = tuple(inspect.signature(function).parameters)


class Judge:
    """An assignment's checks, and what they say of a student."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        order = {exercise.name: n for n, exercise in enumerate(assignment.exercises)}
        self.checks = [*_load(assignment.public_checks, hidden=False)]
        self.checks += _load(assignment.hidden_checks, hidden=True)
        for check in self.checks:
            where = f"{assignment.name}: {check.function.__name__}"
            if check.exercise not in order or not check.name:
                raise CourseError(f"{where} should be named test_<exercise>__<what holds>")
            if not set(check.wants) <= set(FIXTURES):
                raise CourseError(f"{where} may ask for {' and '.join(FIXTURES)} only")
        self.checks.sort(key=lambda check: (order[check.exercise], check.hidden))

    def of(self, exercise: Exercise) -> list[Check]:
        return [check for check in self.checks if check.exercise == exercise.name]

    def run(self, check: Check, student: Student, salt: str) -> CheckResult:
        """One check on one student."""
        started = time.perf_counter()
        outcome, message, kind = "passed", "", ""
        try:
            self.call(check, student, salt)
        except CageError:
            raise  # says nothing about the answer; another judge may have a cage
        except Exception as raised:
            outcome, message, kind = self.verdict(check, student, raised)
        return CheckResult(
            name=check.name,
            title=check.title,
            outcome=outcome,  # type: ignore[arg-type]
            hidden=check.hidden,
            seconds=round(time.perf_counter() - started, 4),
            message=message,
            kind=kind,
        )

    def call(self, check: Check, student: Student, salt: str) -> None:
        """The check itself; what does not hold is an exception."""
        seed = seed_of(salt, self.assignment.name, check.exercise, check.name)
        # Another seed for the student's process: from this one it could redraw the inputs.
        student.begin(check.exercise, seed_of(str(seed), "student"))
        given = {"student": student, "draw": np.random.default_rng(seed)}
        check.function(**{name: given[name] for name in check.wants})

    def verdict(self, check: Check, student: Student, raised: Exception) -> tuple[str, str, str]:
        if not isinstance(raised, CheckFailed):
            if not (isinstance(raised, _STUMBLES) and student.calls):
                fault = f"the check itself stopped with {type(raised).__name__}: {raised}"
                return "error", fault, "error"
            raised = stumbled(raised, student.calls)
        public = not check.hidden
        message = describe(check.exercise, check.title, raised, student.calls, public=public)
        return "failed", message, raised.kind

    def judge(
        self,
        student: Student,
        salt: str,
        exercises: Iterable[Exercise] | None = None,
        after: Callable[[ExerciseResult, dict[str, list[Any]]], None] | None = None,
        chosen: Callable[[Check], bool] = lambda check: True,
    ) -> list[ExerciseResult]:
        """The chosen checks of the exercises on one student, in the course's order.

        `after` is called with each exercise's result and, per failed check, the recorded
        requests and answers.
        """
        results = []
        for exercise in exercises or self.assignment.exercises:
            transcripts = {}
            checks = []
            mine = [check for check in self.of(exercise) if chosen(check)]
            for check in mine:
                checks.append(self.run(check, student, salt))
                if checks[-1].outcome == "failed":
                    transcripts[check.name] = student.requests
            result = summarise(
                exercise,
                checks,
                guards={check.name for check in mine if check.guard},
                points={check.name for check in mine if check.point},
            )
            if after is not None:
                after(result, transcripts)
            results.append(result)
        return results


def summarise(
    exercise: Exercise, checks: list[CheckResult], guards: set[str], points: set[str]
) -> ExerciseResult:
    """Points and words of one exercise from its checks; those named in `guards` and in `points`
    are marked so."""
    hidden = [check for check in checks if check.hidden]
    if not any(check.outcome == "passed" and check.name not in guards for check in hidden):
        for check in hidden:
            if check.outcome == "passed":
                check.outcome = "not_counted"
                check.message = "holds, but counts only beside a right value"
    passed = sum(_weight(check, guards) for check in hidden if check.outcome == "passed")
    total = sum(_weight(check, guards) for check in hidden)
    share = passed / total if total else 0.0
    missed = [check for check in hidden if check.outcome == "failed" and check.name in points]
    if missed:
        share = min(share, AT_MOST_WITHOUT_THE_POINT)
        for check in missed:
            check.message += (
                "\n   points    this is what the exercise is about: at most half of them"
            )
    failed = [check for check in checks if check.outcome == "failed"]
    kinds = {check.kind for check in failed}
    if any(check.outcome == "error" for check in checks):
        status = "error"
    elif not failed:
        status = "right"
    elif passed:
        status = "partly"
    elif kinds <= {"unwritten", "missing"}:
        status = "missing" if kinds == {"missing"} else "unwritten"
    else:
        status = "wrong"
    return ExerciseResult(
        name=exercise.name,
        points=round(exercise.points * share, 2),
        max_points=exercise.points,
        status=status,  # type: ignore[arg-type]
        message=failed[0].message if failed else "",
        checks=checks,
    )


def _weight(check: CheckResult, guards: set[str]) -> int:
    return 1 if check.name in guards else 3


def _load(path: Path, hidden: bool) -> Iterator[Check]:
    """The checks of one file, in the file's order; CourseError if it cannot be imported."""
    where = path.relative_to(ROOT)
    if not path.is_file():
        raise CourseError(f"there is no {where}")
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CourseError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    for name, function in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(function):
            yield Check(function, hidden)


def seed_of(*parts: str) -> int:
    """A 63-bit seed from words, the same on every machine."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
