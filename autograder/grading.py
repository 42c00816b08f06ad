"""Grades a class: every submission once, several at a time, resumable.

Results go to the store as they come; the gradebook, the autograded notebook and the feedback
page of a submission are written right after it, all by this one process. A finished
submission is graded again only if its bytes or the checks changed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from .cage import Level
from .course import Assignment, CourseError
from .judge import checks_sha256
from .results import Result, Store, write_atomically
from .submission import SubmissionError, find_notebook
from .warm import Job, JudgeLost, WarmJudge, outcome, submission_sha256

Event = Literal["graded", "kept"]


class Sink(Protocol):
    """Something that a result is recorded in."""

    def record(self, result: Result) -> None: ...


def students(course_dir: Path, assignment: Assignment) -> list[str]:
    """Who handed in: the folders `submitted/<student>/<assignment>`."""
    submitted = course_dir / "submitted"
    if not submitted.is_dir():
        raise CourseError(
            f"{submitted} does not exist; submissions belong in "
            f"{submitted}/<student>/{assignment.name}/{assignment.name}.ipynb"
        )
    names = sorted(path.parent.name for path in submitted.glob(f"*/{assignment.name}"))
    return [name for name in names if usable_id(name)]


def unusable_folders(course_dir: Path, assignment: Assignment) -> list[str]:
    """Folders that hold a submission and whose name is no student's id, as they can be shown."""
    names = sorted(path.parent.name for path in course_dir.glob(f"submitted/*/{assignment.name}"))
    return [ascii(name) for name in names if not usable_id(name)]


def usable_id(name: str) -> bool:
    """A folder's and a file's name, also with an ending added, that can be shown as it is."""
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        return False
    try:
        return len(name.encode()) <= 200 and name.isprintable()
    except UnicodeEncodeError:
        return False


def read_job(course_dir: Path, assignment: Assignment, student: str, salt: str) -> Job:
    """What a student handed in, as a job; a missing notebook is a job with a problem."""
    job = Job(assignment=assignment.name, student=student, notebook=None, salt=salt)
    try:
        folder = course_dir / "submitted" / student / assignment.name
        job.notebook, job.notes = find_notebook(folder, assignment.name)
    except SubmissionError as error:
        job.problem = str(error)
    return job


def grade_one(
    assignment: Assignment,
    student: str,
    notebook: bytes | None,
    salt: str = "",
    *,
    problem: str = "",
    weakest: Level = "full",
) -> Result:
    """The result of one submission; the judge stays warm in this thread for the next."""
    job = Job(
        assignment=assignment.name, student=student, notebook=notebook, problem=problem, salt=salt
    )
    return _slots(weakest).grade(job, assignment)


@functools.cache
def _slots(weakest: Level) -> _Slots:
    slots = _Slots(weakest)
    atexit.register(slots.close)
    return slots


def grade_class(
    assignment: Assignment,
    course_dir: Path,
    chosen: Iterable[str],
    sinks: Iterable[Sink],
    *,
    jobs: int,
    weakest: Level = "full",
    force: bool = False,
    progress: Callable[[Event, Result], None] = lambda event, result: None,
) -> list[Result]:
    """Every chosen student's result, recorded in the store and the sinks as they come."""
    store, salt = Store(course_dir), course_salt(course_dir)
    checks = checks_sha256(assignment, salt)
    results: dict[str, Result] = {}
    todo: list[Job] = []
    sinks = list(sinks)
    for student in chosen:
        job = read_job(course_dir, assignment, student, salt)
        known = None if force else store.load(assignment.name, student)
        if known is not None and _still_holds(known, job, checks, weakest):
            results[student] = known
            for sink in sinks:
                sink.record(known)
            progress("kept", known)
        else:
            todo.append(job)
    for result in _all_graded(todo, assignment, jobs, weakest):
        record(course_dir, [result], sinks)
        results[result.student] = result
        progress("graded", result)
    return [results[student] for student in sorted(results)]


class Change(NamedTuple):
    """What a new judgement would change for one student."""

    before: Result
    after: Result

    @property
    def exercises(self) -> list[tuple[str, float, float]]:
        """Exercises whose points differ: name, points before, points after."""
        known = {exercise.name: exercise.points for exercise in self.before.exercises}
        return [
            (exercise.name, known.get(exercise.name, 0.0), exercise.points)
            for exercise in self.after.exercises
            if exercise.points != known.get(exercise.name, 0.0)
        ]

    @property
    def checks(self) -> list[tuple[str, str]]:
        """Checks that end otherwise than before: exercise and check, and how they end now."""
        before, after = (
            {(e.name, c.name, c.hidden): c.outcome for e in result.exercises for c in e.checks}
            for result in self
        )
        return [
            (f"{exercise} {check}", outcome)
            for (exercise, check, hidden), outcome in after.items()
            if outcome != before.get((exercise, check, hidden), "") and hidden
        ]


def judged_again(
    assignment: Assignment,
    course_dir: Path,
    *,
    jobs: int,
    weakest: Level = "full",
    progress: Callable[[Event, Result], None] = lambda event, result: None,
) -> list[Change]:
    """Every recorded submission under the present checks; nothing is written.

    Submissions whose bytes and checks are those of their record are not judged again.
    """
    store, salt = Store(course_dir), course_salt(course_dir)
    checks = checks_sha256(assignment, salt)
    known = {result.student: result for result in store.all(assignment.name)}
    todo = []
    for student, before in known.items():
        job = read_job(course_dir, assignment, student, salt)
        if not _still_holds(before, job, checks, weakest):
            todo.append(job)
    changes = []
    for after in _all_graded(todo, assignment, jobs, weakest):
        progress("graded", after)
        changes.append(Change(known[after.student], after))
    return sorted(changes, key=lambda change: change.after.student)


def record(course_dir: Path, results: Iterable[Result], sinks: Iterable[Sink]) -> None:
    """Writes results where `grade_class` writes its own."""
    store, sinks = Store(course_dir), list(sinks)
    for result in results:
        store.save(result)
        for sink in sinks:
            sink.record(result)


def _all_graded(
    todo: list[Job], assignment: Assignment, jobs: int, weakest: Level
) -> Iterator[Result]:
    """Results as they come, from `jobs` warm judges."""
    slots = _Slots(weakest)
    with contextlib.closing(slots), ThreadPoolExecutor(max(1, min(jobs, len(todo)))) as pool:
        yield from _as_graded(pool, slots, todo, assignment)


def _still_holds(known: Result, job: Job, checks: str, weakest: Level) -> bool:
    return (
        known.status != "grader_error"
        and known.submission_sha256 == submission_sha256(job)
        and known.checks_sha256 == checks
        and (known.isolation == "full" or weakest != "full")
    )


def _as_graded(
    pool: Executor, slots: _Slots, todo: list[Job], assignment: Assignment
) -> Iterator[Result]:
    futures: list[Future[Result]] = [pool.submit(slots.grade, job, assignment) for job in todo]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


class _Slots:
    """One warm judge per thread and assignment."""

    def __init__(self, weakest: Level) -> None:
        self.weakest = weakest
        self.judges: list[WarmJudge] = []
        self.own = threading.local()

    def grade(self, job: Job, assignment: Assignment) -> Result:
        """The job's result. A judge that is lost is replaced and the job tried once more."""
        reason = ""
        for _ in range(2):
            judge = self._judge(assignment)
            try:
                return judge.grade(job)
            except JudgeLost as error:
                reason = str(error)
                judge.close()
                del self.own.judges[assignment.name]
        return outcome(
            job,
            assignment,
            "none",
            checks_sha256(assignment, job.salt),
            status="grader_error",
            message=f"the grader failed twice on this submission ({reason}); no mark was given",
        )

    def _judge(self, assignment: Assignment) -> WarmJudge:
        known: dict[str, WarmJudge] = self.own.__dict__.setdefault("judges", {})
        if assignment.name not in known:
            known[assignment.name] = WarmJudge(assignment.name, self.weakest)
            self.judges.append(known[assignment.name])
        return known[assignment.name]

    def close(self) -> None:
        for judge in self.judges:
            judge.close()


def course_salt(course_dir: Path) -> str:
    """The course's own secret, from which hidden inputs are drawn; made at first use."""
    path = course_dir / ".autograder_salt"
    with contextlib.suppress(OSError):
        salt = path.read_text(encoding="ascii").strip()
        if re.fullmatch(r"[0-9a-f]{32}", salt):
            return salt
    salt = secrets.token_hex(16)
    write_atomically(path, salt.encode() + b"\n")
    path.chmod(0o600)
    return salt


@contextlib.contextmanager
def only_grader(course_dir: Path) -> Iterator[None]:
    """Keeps a second grader off the same course while this one writes."""
    path = course_dir / ".autograder_lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
                f"another grader is at work on {course_dir}; wait for it, or end it"
            ) from None
        yield
