"""Runs an assignment's checks on one submission and says what it earned.

The checks are pytest tests named `test_<exercise>__<what holds>`; those of
`assignments/<name>/public_checks.py` are public, those of `autograder/checks/` hidden. A
pytest session collects them once; inside it, `Judge.judge` runs them on one student after
another. Points come from the hidden checks. A check marked `guard` (no overflow, arguments
unchanged, invariance, …) holds for trivial answers too: it weighs a third of another check, and
counts only where some unmarked check of its exercise passes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from coursekit import CheckFailed
from coursekit.messages import describe

from .cage import CageError
from .course import ROOT, Assignment, CourseError, Exercise
from .results import CheckResult, ExerciseResult
from .student import Student

# What a check may stumble over when a student's value is of the wrong kind. Right answers
# pass every check (`verify`), so such a stumble is the value's doing, not the check's.
_STUMBLES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)


class Check:
    """One collected check."""

    def __init__(self, item: pytest.Function, hidden: bool) -> None:
        self.item = item
        self.hidden = hidden
        self.exercise, _, self.name = item.originalname.removeprefix("test_").partition("__")
        self.title = (item.function.__doc__ or self.name.replace("_", " ")).strip().split("\n")[0]
        self.guard = item.get_closest_marker("guard") is not None
        self.wants = item._fixtureinfo.argnames
        # With these fixtures alone, pytest's setup and teardown would do nothing but cost more
        # than most checks do.
        self.plain = set(item._fixtureinfo.name2fixturedefs) <= {"student", "draw"}


class Judge:
    """The pytest plugin that holds the collected checks and the student under test."""

    def __init__(self, assignment: Assignment, body: Callable[[Judge], None]) -> None:
        self.assignment = assignment
        self.body = body
        self.checks: list[Check] = []
        self.trouble: list[str] = []
        self.current: Student | None = None
        self.seed = 0

    # pytest's side --------------------------------------------------------------------------

    @pytest.fixture(name="student")
    def _student(self) -> Student | None:
        return self.current

    @pytest.fixture(name="draw")
    def _draw(self) -> np.random.Generator:
        """Random numbers of this check: the same for the same course and salt."""
        return np.random.default_rng(self.seed)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "guard: counts only beside a check of values")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.trouble.append(str(report.longrepr))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        order = {exercise.name: n for n, exercise in enumerate(self.assignment.exercises)}
        for item in session.items:
            if not isinstance(item, pytest.Function):
                continue
            check = Check(item, hidden=item.path == self.assignment.hidden_checks)
            if check.exercise not in order or not check.name:
                self.trouble.append(f"{item.nodeid} should be named test_<exercise>__<what holds>")
            else:
                self.checks.append(check)
        self.checks.sort(key=lambda check: (order[check.exercise], check.hidden))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self.trouble:
            raise CourseError("the checks cannot be collected:\n" + "\n".join(self.trouble))
        self.body(self)
        return True

    # the judge's side -----------------------------------------------------------------------

    def of(self, exercise: Exercise) -> list[Check]:
        return [check for check in self.checks if check.exercise == exercise.name]

    def run(
        self, check: Check, student: Student, salt: str, following: Check | None = None
    ) -> CheckResult:
        """One check on one student; `following` is the next to run, whose module stays set up."""
        started = time.perf_counter()
        self.seed = seed_of(salt, self.assignment.name, check.exercise, check.name)
        self.current = student
        outcome, message, kind = "passed", "", ""
        try:
            # Another seed for the student's process: from this one it could redraw the inputs.
            seed = seed_of(str(self.seed), "student")
            if check.plain:
                student.begin(check.exercise, seed)
                given = {"student": student, "draw": np.random.default_rng(self.seed)}
                check.item.obj(**{name: given[name] for name in check.wants})
            else:
                _run_item(
                    check.item,
                    following.item if following and not following.plain else None,
                    lambda: student.begin(check.exercise, seed),
                )
        except CageError:
            raise  # says nothing about the answer; another judge may have a cage
        except BaseException as raised:
            if not isinstance(raised, (Exception, pytest.skip.Exception)):
                raise
            outcome, message, kind = self._verdict(check, student, raised)
        return CheckResult(
            name=check.name,
            title=check.title,
            outcome=outcome,  # type: ignore[arg-type]
            hidden=check.hidden,
            seconds=round(time.perf_counter() - started, 4),
            message=message,
            kind=kind,
        )

    def _verdict(
        self, check: Check, student: Student, raised: BaseException
    ) -> tuple[str, str, str]:
        if not isinstance(raised, CheckFailed):
            if not (isinstance(raised, _STUMBLES) and student.calls):
                fault = f"the check itself stopped with {type(raised).__name__}: {raised}"
                return "error", fault, "error"
            raised = CheckFailed("type", "returned something that this check cannot use")
        call = student.calls[-1] if student.calls else None
        message = describe(check.exercise, check.title, raised, call, public=not check.hidden)
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
            for check, following in zip(mine, [*mine[1:], None], strict=True):
                checks.append(self.run(check, student, salt, following))
                if checks[-1].outcome == "failed":
                    transcripts[check.name] = student.requests
            result = summarise(exercise, checks, {check.name for check in mine if check.guard})
            if after is not None:
                after(result, transcripts)
            results.append(result)
        return results


def _run_item(
    item: pytest.Function, following: pytest.Item | None, begin: Callable[[], None]
) -> None:
    """The test with its fixtures, as pytest's `runtestprotocol` runs it, without the reports
    that nobody reads: they cost as much as the checks. What the item before left set up is
    taken down in any case, also when `begin` finds no worker."""
    state = item.session._setupstate
    item._initrequest()
    try:
        begin()
        state.setup(item)
        item.runtest()
    finally:
        state.teardown_exact(following)
        item.funcargs = {}


def summarise(exercise: Exercise, checks: list[CheckResult], guards: set[str]) -> ExerciseResult:
    """Points and words of one exercise from its checks."""
    hidden = [check for check in checks if check.hidden]
    if not any(check.outcome == "passed" and check.name not in guards for check in hidden):
        for check in hidden:
            if check.outcome == "passed":
                check.outcome = "not_counted"
                check.message = "holds, but counts only beside a right value"
    passed = sum(_weight(check, guards) for check in hidden if check.outcome == "passed")
    total = sum(_weight(check, guards) for check in hidden)
    points = round(exercise.points * passed / total, 2) if total else 0.0
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
        points=points,
        max_points=exercise.points,
        status=status,  # type: ignore[arg-type]
        message=failed[0].message if failed else "",
        checks=checks,
    )


def _weight(check: CheckResult, guards: set[str]) -> int:
    return 1 if check.name in guards else 3


def judging(assignment: Assignment, body: Callable[[Judge], None]) -> None:
    """Collects the assignment's checks with pytest and calls `body` with the judge."""
    for path in (assignment.public_checks, assignment.hidden_checks):
        if not path.is_file():
            raise CourseError(f"{assignment.name} has no {path.relative_to(ROOT)}")
    arguments = [
        *(str(path) for path in (assignment.public_checks, assignment.hidden_checks)),
        *("--rootdir", str(ROOT), "-c", os.devnull, "--noconftest", "--import-mode=importlib"),
        *("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:capture"),
        *("-p", "no:faulthandler", "-p", "no:unraisableexception", "-p", "no:threadexception"),
        *("-p", "no:randomly", "-p", "no:xdist", "-p", "no:junitxml", "-p", "no:tmpdir"),
    ]
    judge = Judge(assignment, body)
    failure: list[BaseException] = []

    def guarded(judge: Judge) -> None:
        try:
            body(judge)
        except BaseException as error:  # pytest would print it and go on
            failure.append(error)

    judge.body = guarded
    with _pytest_alone():
        status = pytest.main(arguments, plugins=[judge])
    if failure:
        raise failure[0]
    if judge.trouble or status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CourseError(
            f"the checks of {assignment.name} cannot be collected:\n" + "\n".join(judge.trouble)
        )


@contextlib.contextmanager
def _pytest_alone() -> Iterator[None]:
    """pytest without the plugins and options that whoever grades may have set for their own."""
    names = [name for name in os.environ if name.startswith("PYTEST_")]
    kept = {name: os.environ.pop(name) for name in names}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)


def seed_of(*parts: str) -> int:
    """A 63-bit seed from words, the same on every machine."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
