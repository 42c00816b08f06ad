"""Runs an assignment's checks on one submission and says what it earned.

All public checks run before the first hidden one, and in another worker: what a message of a public
check shows can know nothing of what hidden ones ask.

The checks are functions named `test_<exercise>__<what holds>`, ordinary pytest tests; those of
`assignments/<name>/public_checks.py` are public, those of `autograder/checks/` hidden. A `Judge`
loads them once and runs them on one student after another (`pytest_plugin` runs the same functions
under pytest). Points come from the hidden checks. A check marked `guard` (no overflow, arguments
unchanged, invariance, …) holds for trivial answers too: it weighs a third of another check, and
counts only where some unmarked check of its exercise passes. A check marked `point` is what the
exercise is about: an answer that fails it keeps at most half of the points.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from coursekit import CheckFailed, StudentError
from coursekit.compare import stumbled
from coursekit.messages import describe
from coursekit.student import module_at, title_of

from autograder.course import ROOT, Assignment, Exercise
from autograder.errors import CageError, CourseError
from autograder.files import plain
from autograder.results import CheckResult, ExerciseResult, Outcome, Status
from autograder.sandbox import alive
from autograder.sandbox.protocol import InProcess

from .answers import cells, not_imported
from .patience import TookTooLong, at_most
from .student import MAX_RECEIVED, Exchange, Student

AT_MOST_WITHOUT_THE_POINT = 0.5

_WITHOUT_VALUES = {
    "type": "gives something of another kind than is expected",
    "shape": "gives another shape than is expected",
    "finite": "gives nan or inf where finite numbers are expected",
    "value": "gives other values than are expected",
    "property": "what this check is called does not hold",
    "missing": "is not there",
    "needs": "needs something that is not there",
    "unwritten": "is still to be written",
    "signature": "cannot be called like this",
    "error": "stopped with an error",
    "time": "used up its computing time",
    "memory": "used too much memory",
    "died": "ended Python",
}
"""Verdicts in words that nothing has a part in which came from the student's process: a number, a
shape, the name of a type, the text of a cell that stopped would be room for a right answer that
stood beside the student's code."""

_LACKS = ("start new thread", "allocate memory", "not enough memory", "temporarily unavailable")
"""What errors say, of threads or of torch, where there is no room; all others are slips."""

FIXTURES = ("student", "draw")
"""What a check may ask for: the student's functions, and random numbers of its own."""


Key = tuple[str, bool]
"""A check's name, and whether it is hidden."""
Transcripts = dict[Key, list[Exchange]]
"""What each check of an exercise asked, and what was answered."""


class Check:
    """One check: a function, and what its name and marks say about it."""

    def __init__(self, function: Callable[..., None], hidden: bool) -> None:
        self.function = function
        self.hidden = hidden
        self.exercise, _, self.name = function.__name__.removeprefix("test_").partition("__")
        self.title = title_of(function)
        marks = getattr(function, "pytestmark", [])
        self.guard = any(mark.name == "guard" for mark in marks)
        self.point = any(mark.name == "point" for mark in marks)
        self.weight = _weight(self.guard)
        self.wants = tuple(inspect.signature(function).parameters)

    @property
    def key(self) -> Key:
        """A public check and a hidden one may have the same name."""
        return self.name, self.hidden


class Judge:
    """An assignment's checks, and what they say of a student."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.tells_all = False
        """Whether messages hide nothing: for an instructor's eyes (`grading.explain`)."""
        self.seconds = 0.0
        """CPU seconds that the judge's own process may spend on a check; 0 for no such limit."""
        order = {exercise.name: n for n, exercise in enumerate(assignment.exercises)}
        self.checks = [*_load(assignment.public_checks, hidden=False)]
        self.checks += _load(assignment.hidden_checks, hidden=True)
        for check in self.checks:
            file = assignment.hidden_checks if check.hidden else assignment.public_checks
            where = f"{file.relative_to(ROOT)}: {check.function.__name__}"
            if check.exercise not in order or not check.name:
                raise CourseError(f"{where} should be named test_<exercise>__<what holds>")
            if not set(check.wants) <= set(FIXTURES):
                raise CourseError(f"{where} may ask for {' and '.join(FIXTURES)} only")
        self.checks.sort(key=lambda check: (order[check.exercise], check.hidden))
        self.owner = {name: one.name for one in assignment.exercises for name in one.defines}
        self._reference: tuple[str, Student] | None = None
        self._faults: dict[tuple[Check, str], Exception | None] = {}
        self.calls = {exercise.name: self._calls(exercise) for exercise in assignment.exercises}
        """The other exercises that an exercise's checks call."""

    def of(self, exercise: Exercise) -> list[Check]:
        return [check for check in self.checks if check.exercise == exercise.name]

    def _calls(self, exercise: Exercise) -> set[str]:
        found: set[str] = set()
        for check in self.of(exercise):
            found |= _asked_of_student(check.function)
        return {self.owner[name] for name in found if name in self.owner} - {exercise.name}

    def run(self, check: Check, student: Student, salt: str) -> CheckResult:
        """One check on one student."""
        alive.goes_on()
        started = time.perf_counter()
        raised = self._raised(check, student, salt)
        if _ran_out(raised) and student.again():
            raised = self._raised(check, student, salt)
        outcome, message, kind = self.verdict(check, student, raised, salt)
        return CheckResult(
            name=check.name,
            title=check.title,
            outcome=outcome,
            hidden=check.hidden,
            seconds=round(time.perf_counter() - started, 4),
            message=message,
            kind=kind,
            point=check.point,
        )

    def _raised(self, check: Check, student: Student, salt: str) -> Exception | None:
        try:
            with at_most(self.seconds):
                self.call(check, student, salt)
        except CageError:
            raise  # says nothing about the answer; another judge may have a cage
        except Exception as raised:
            return raised
        return None

    def call(self, check: Check, student: Student, salt: str) -> None:
        """The check itself; what does not hold is an exception."""
        self.begin(check, student, salt)
        given = {"student": student, "draw": self.draw(check, salt)}
        check.function(**{name: given[name] for name in check.wants})

    def begin(self, check: Check, student: Student, salt: str) -> None:
        """Makes the student ready for the check."""
        # Another seed for the student's process: from the check's own it could redraw the inputs.
        seed = seed_of(str(self._seed(check, salt)), "student")
        hidden = check.hidden and not self.tells_all
        student.begin(check.exercise, seed, self.owner, hidden)

    def draw(self, check: Check, salt: str) -> np.random.Generator:
        """The check's own random numbers."""
        return np.random.default_rng(self._seed(check, salt))

    def _seed(self, check: Check, salt: str) -> int:
        return seed_of(salt, self.assignment.name, check.exercise, check.name)

    def verdict(
        self, check: Check, student: Student, raised: Exception | None, salt: str
    ) -> tuple[Outcome, str, str]:
        """Outcome, message and kind of a check that ended with this exception, if it did.

        Any but the check's own may come of a value that the check cannot use, whatever its class.
        It is the grader's fault where a right answer meets it too, so the reference is asked.
        """
        if raised is None:
            return "passed", "", ""
        if isinstance(raised, (TookTooLong, MemoryError)):  # a right answer is far from it
            raised = CheckFailed("value", "returned something that takes too much to look at")
        if not isinstance(raised, CheckFailed):
            fault = self._of_the_reference(check, salt)
            if fault is not None:
                name = type(fault).__name__
                return "error", f"the check stops for the reference too: {name}: {fault}", "error"
            raised = self._stumbled(raised, student)
        tells_nothing = student.aided and not self.tells_all
        if tells_nothing:
            raised = CheckFailed(raised.kind, _WITHOUT_VALUES.get(raised.kind, "gives no value"))
        message = self._words(check, raised, student)
        if tells_nothing and not check.hidden:
            message = message.split("\n")[0]  # its words may hold values
        return "failed", message, raised.kind

    def _stumbled(self, raised: Exception, student: Student) -> CheckFailed:
        """What a check came upon; also where that cannot be read, or not in time."""
        if student.calls:
            with contextlib.suppress(Exception), at_most(self.seconds):
                return stumbled(raised, student.calls)
        return CheckFailed("type", "gave something that this check cannot use")

    def _words(self, check: Check, raised: CheckFailed, student: Student) -> str:
        """The message; also of values that nobody can write down, or not in time."""
        public = not check.hidden or self.tells_all
        try:
            with at_most(self.seconds):
                words = describe(check.exercise, check.title, raised, student.calls, public=public)
                return plain(words)  # for whatever terminal or page
        except Exception:
            plainly = CheckFailed(raised.kind, "gave something that cannot be put into words")
            return describe(check.exercise, check.title, plainly, [], public=public)

    def _of_the_reference(self, check: Check, salt: str) -> Exception | None:
        """What keeps the reference from passing the check; it is asked once with each salt.

        One student for all checks of a salt: what several ask of a training is trained once.
        """
        if (check, salt) not in self._faults:
            fault = None
            try:
                if self._reference is None or self._reference[0] != salt:
                    self._reference = salt, Student(InProcess(cells(self.assignment)))
                self.call(check, self._reference[1], salt)
            except Exception as raised:
                fault = None if _wants_room(raised) else raised.with_traceback(None)
            self._faults[check, salt] = fault
        return self._faults[check, salt]

    def judge(
        self,
        student: Student,
        salt: str,
        exercises: Iterable[Exercise] | None = None,
        after: Callable[[ExerciseResult, Transcripts], object] | None = None,
        chosen: Callable[[Check], bool] = lambda check: True,
    ) -> list[ExerciseResult]:
        """The chosen checks of the exercises on one student, in the course's order.

        `after` is called with each exercise's result and, by the checks' keys, the recorded
        requests and answers.
        """
        exercises = list(exercises or self.assignment.exercises)
        checks: dict[str, list[CheckResult]] = {one.name: [] for one in exercises}
        transcripts: dict[str, Transcripts] = {one.name: {} for one in exercises}
        room = MAX_RECEIVED  # for the transcripts of public checks, which wait for the hidden ones

        def run(exercise: Exercise, hidden: bool) -> None:
            nonlocal room
            for check in self.of(exercise):
                if check.hidden == hidden and chosen(check):
                    checks[exercise.name].append(self.run(check, student, salt))
                    size = 0 if hidden else sum(len(one.answer) for one in student.requests)
                    if size <= room:
                        room -= size
                        transcripts[exercise.name][check.key] = student.requests

        for exercise in exercises:
            run(exercise, hidden=False)
        student.renew()
        results = []
        for exercise in exercises:
            run(exercise, hidden=True)
            guards = {check.name for check in self.of(exercise) if check.guard}
            results.append(summarise(exercise, checks[exercise.name], guards))
            if after is not None:
                after(results[-1], transcripts[exercise.name])
            del transcripts[exercise.name]
        return results


def _ran_out(raised: Exception | None) -> bool:
    """Whether it is an end, or may be a want of memory, files, threads or processes, that what
    another exercise left behind has brought about."""
    if not isinstance(raised, StudentError):
        return False
    return raised.kind in ("died", "memory") or "OSError" in raised.bases or _wants_room(raised)


def _wants_room(raised: Exception) -> bool:
    """Whether no memory was left, or no thread. Of the reference it says nothing of the check: what
    a student gave back may be so much."""
    bases = getattr(raised, "bases", ())
    lacks = any(words in f"{raised} {getattr(raised, 'detail', '')}" for words in _LACKS)
    return isinstance(raised, MemoryError) or "MemoryError" in bases or lacks


def summarise(exercise: Exercise, checks: list[CheckResult], guards: set[str]) -> ExerciseResult:
    """Points and words of one exercise from its checks; those named in `guards` are such."""
    hidden = [check for check in checks if check.hidden]
    if not any(check.outcome == "passed" and check.name not in guards for check in hidden):
        for check in hidden:
            if check.outcome == "passed":
                check.outcome = "not_counted"
                check.message = "holds, but counts only beside a right value"
    weights = {check.name: _weight(check.name in guards) for check in hidden}
    passed = sum(weights[check.name] for check in hidden if check.outcome == "passed")
    total = sum(weights.values())
    share = passed / total if total else 0.0
    for check in hidden:
        check.worth = round(exercise.points * weights[check.name] / total, 4)
    missed = [check for check in hidden if check.outcome == "failed" and check.point]
    if missed:
        share = min(share, AT_MOST_WITHOUT_THE_POINT)
        for check in missed:
            check.message += (
                "\n   points    this is what the exercise is about: at most half of them"
            )
    status = _status(checks, passed, total)
    failed = [check for check in checks if check.outcome == "failed"]
    return ExerciseResult(
        name=exercise.name,
        points=round(exercise.points * share, 2),
        max_points=exercise.points,
        status=status,
        message=failed[0].message if failed and status != "right" else "",
        checks=checks,
    )


def _status(checks: list[CheckResult], passed: int, total: int) -> Status:
    """`passed` and `total` are weights."""
    kinds = {check.kind for check in checks if check.outcome == "failed"}
    if any(check.outcome == "error" for check in checks):
        return "error"
    if passed == total:
        return "right"
    if passed:
        return "partly"
    if kinds <= {"unwritten", "missing"}:
        return "missing" if kinds == {"missing"} else "unwritten"
    return "wrong"


def _weight(guard: bool) -> int:
    return 1 if guard else 3


def _asked_of_student(function: Callable[..., Any]) -> set[str]:
    """The names in `student.forward(…)` and `student.keeping("forward", …)`, also in the helpers
    of its file that a check uses."""
    found: set[str] = set()
    done: set[Any] = set()
    queue = [function]
    while queue:
        one = queue.pop()
        if one in done:
            continue
        done.add(one)
        code = one.__code__
        for node in ast.walk(_functions_in(code.co_filename)[code.co_name]):
            if isinstance(node, ast.Attribute) and _is_student(node.value):
                found.add(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if _is_student(node.func.value):
                    found |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
            elif isinstance(node, ast.Name):
                other = one.__globals__.get(node.id)
                if inspect.isfunction(other) and other.__globals__ is function.__globals__:
                    queue.append(other)
    return found


@functools.cache
def _functions_in(path: str) -> dict[str, ast.stmt]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _is_student(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "student"


def _load(path: Path, hidden: bool) -> Iterator[Check]:
    """The checks of one file, in the file's order; CourseError if it cannot be imported."""
    where = path.relative_to(ROOT)
    if not path.is_file():
        raise CourseError(f"there is no {where}")
    try:
        module = module_at(path, f"{path.parent.name}_{path.stem}")
    except Exception as error:
        raise not_imported(str(where), error) from error
    for name, function in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(function):
            yield Check(function, hidden)


def seed_of(*parts: str) -> int:
    """A 63-bit seed from words, the same on every machine."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
