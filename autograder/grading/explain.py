"""One submission judged again, with everything told: for an instructor, never for a student.

The same file under the same salt meets the same hidden inputs. Each check is also asked of the
reference, so that beside what came back there is what a right answer gives for the same call.
"""

from __future__ import annotations

import contextlib
import resource
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path

from coursekit.compare import short
from coursekit.written import Call

from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.judging.answers import cells
from autograder.judging.digest import digests, salted, together
from autograder.judging.follow_through import judged
from autograder.judging.judge import Check, Judge
from autograder.judging.patience import at_most
from autograder.judging.retry import InCage
from autograder.judging.student import Student
from autograder.judging.submission import attempt_salt
from autograder.results import CheckResult, ExerciseResult
from autograder.sandbox.cage import strongest
from autograder.sandbox.inside.lockdown import limit_memory
from autograder.sandbox.levels import Level
from autograder.sandbox.protocol import InProcess

from .explained import Asked, Explained, Explanation
from .folder import course_salt, read_job
from .job import submission_sha256
from .judge_process import MEMORY, SECONDS, read

_MOST_CALLS = 6
_MOST_TEXT = 400


def explain(
    assignment: Assignment,
    course_dir: Path,
    student: str,
    exercise: str = "",
    weakest: Level = "full",
) -> Explanation:
    """Judges a student's submission, or one exercise of it, again; CourseError where there is
    nothing to judge. Nothing is recorded."""
    wanted = [assignment.exercise(exercise)] if exercise else list(assignment.exercises)
    job = read_job(course_dir, assignment, student, course_salt(course_dir))
    if job.notebook is None:
        raise CourseError(f"{student} has nothing of {assignment.name} to explain: {job.problem}")
    try:
        submission = read(job, assignment)
    except SubmissionError as error:
        raise CourseError(f"{student}'s notebook cannot be read: {error}") from None
    salt = attempt_salt(job.salt, submission, assignment)
    judge = _Telling(assignment)
    cage = strongest(weakest)
    try:
        with no_more_than(MEMORY):  # as where it was graded
            attempt = InCage(judge, cage, salt)
            tries = judged(judge, submission.cells, wanted, lambda *_: None, attempt)
    finally:
        cage.close()
    right = Student(InProcess(cells(assignment)))
    return Explanation(
        assignment,
        student,
        [(one, judge.told(one, right, salt)) for one in tries.exercises.values()],
        [*job.notes, *submission.notes, *tries.notes],
        submission_sha256(job),
        together(salted(digests(assignment), job.salt)),
    )


@contextlib.contextmanager
def no_more_than(size: int) -> Iterator[None]:
    """MemoryError for whatever takes more than so many bytes of addresses beyond those that this
    process has, in it and in what it starts meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit_memory(size, for_good=False)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


class _Telling(Judge):
    """A judge that keeps the calls of each check, and hides nothing."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.seconds, self.tells_all = SECONDS, True
        self.kept: dict[tuple[Check, bool], list[tuple[str, str]]] = {}

    def run(self, check: Check, student: Student, salt: str) -> CheckResult:
        result = super().run(check, student, salt)
        written: list[tuple[str, str]] = []
        with contextlib.suppress(Exception), at_most(SECONDS):
            written = _written(student.calls)
        self.kept[check, student.aided] = written
        return result

    def told(self, result: ExerciseResult, right: Student, salt: str) -> list[Explained]:
        aided, exercise = bool(result.note), self.assignment.exercise(result.name)
        found = {(one.name, one.hidden): one for one in result.checks}
        return [
            self._explained(check, found[check.key], aided, right, salt)
            for check in self.of(exercise)
            if check.key in found
        ]

    def _explained(
        self, check: Check, result: CheckResult, aided: bool, right: Student, salt: str
    ) -> Explained:
        theirs = self.kept.get((check, aided)) or self.kept.get((check, False), [])
        with contextlib.suppress(Exception):  # then the verdict says so
            self.call(check, right, salt)
        calls = _side_by_side(theirs, _written(right.calls))
        return Explained(
            result, check.weight, calls[:_MOST_CALLS], max(0, len(calls) - _MOST_CALLS)
        )


def _written(calls: list[Call]) -> list[tuple[str, str]]:
    return [(str(call), _came_back(call)) for call in calls[: 4 * _MOST_CALLS]]


def _side_by_side(theirs: list[tuple[str, str]], ours: list[tuple[str, str]]) -> list[Asked]:
    """Each call with what the reference returns for it: the first of equal calls for the first,
    and so on, because a call may change what the next one meets."""
    right: dict[str, deque[str]] = defaultdict(deque)
    for called, came in ours:
        right[called].append(came)
    return [
        Asked(_short(called), came, right[called].popleft() if right[called] else "")
        for called, came in theirs
    ]


def _came_back(call: Call) -> str:
    if call.error is not None:
        return _short(f"nothing: it {call.error or type(call.error).__name__}")
    return _short(short(call.returned))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} …"
