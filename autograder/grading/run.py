"""Grades a class: every submission once, several at a time, resumable.

Results go to the store as they come; the gradebook, the autograded notebook and the feedback
page of a submission are written right after it, all by this one process. A finished
submission is judged again where its bytes changed, or it was judged in a weaker cage than is
asked for. Where the checks changed, `grade` leaves its mark, and `regrade` judges those exercises
again whose checks they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from autograder.course import Assignment
from autograder.errors import CageError, CourseError
from autograder.judging.digest import resting_on, together
from autograder.results import Result, Store
from autograder.sandbox.levels import LEVELS, Level

from .executors import Hands, checks_of, cluster, here, lost
from .folder import course_salt, read_job
from .job import Job, filled, submission_sha256


class Sink(Protocol):
    """Something that a result is recorded in."""

    def record(self, result: Result) -> None: ...


class Graders(NamedTuple):
    """Who judges: `jobs` judges on this machine (as many as it has room for if 0), or the Dask
    cluster whose `scheduler` is named; in no weaker cage than `weakest`."""

    jobs: int = 0
    scheduler: str = ""
    weakest: Level = "full"

    def at_work(self) -> contextlib.AbstractContextManager[Hands]:
        if self.scheduler:
            return cluster(self.scheduler, self.weakest)
        return here(self.jobs, self.weakest)


class Step(NamedTuple):
    """What was on record of a student, and what holds now: the same object where that stays."""

    before: Result | None
    now: Result
    gone: str = ""
    """Why what is on record cannot be judged any more."""
    outdated: bool = False
    """Whether it stays although other checks, other points or another salt would move it."""

    @property
    def stays(self) -> bool:
        return self.now is self.before


Asked = TypeVar("Asked", bound=Job | Step)


def grade_class(
    assignment: Assignment,
    course_dir: Path,
    chosen: Iterable[str],
    sinks: Iterable[Sink],
    graders: Graders,
    *,
    force: bool = False,
    renew: Callable[[Result], None] | None = None,
) -> Iterator[Step]:
    """Every chosen student's result as it comes, recorded in the store and the sinks by then.

    Whose submission was graded and is not there any more keeps the record. So does a recorded
    result of the same file, whatever became of the checks, the points or the salt since. `renew` is
    called with a result before one of another file takes its place.
    """
    sinks = list(sinks)
    for step in _steps(assignment, course_dir, chosen, graders, force=force, leave_outdated=True):
        before, now = step.before, step.now
        if step.stays:
            for sink in sinks:
                sink.record(now)
        else:
            if renew is not None and before is not None and not of_one_file(before, now):
                renew(before)
            record(course_dir, [now], sinks)
        yield step


def moved(before: Result, after: Result) -> str:
    """How the same file's mark has changed; nothing if it has not."""
    told = [
        "no mark" if result.status == "grader_error" else f"{result.points:g}"
        for result in (before, after)
    ]
    if told[0] in ("no mark", told[1]) or not of_one_file(before, after):
        return ""
    return f"{told[0]} before, {told[1]} now (the same file)"


def of_one_file(before: Result, after: Result) -> bool:
    return before.submission_sha256 == after.submission_sha256


class Change(NamedTuple):
    """What a new judgement would change for one student."""

    before: Result
    after: Result

    @property
    def exercises(self) -> list[tuple[str, float, float]]:
        """Exercises whose points differ: name, points before, points after."""
        before, after = (
            {exercise.name: exercise.points for exercise in result.exercises} for result in self
        )
        return [
            (name, before.get(name, 0.0), after.get(name, 0.0))
            for name in dict.fromkeys((*after, *before))  # also those that are no more
            if before.get(name, 0.0) != after.get(name, 0.0)
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
    assignment: Assignment, course_dir: Path, graders: Graders, missing: list[str]
) -> Iterator[Change]:
    """Every recorded submission under the present checks, as it comes; nothing is written.

    Submissions whose bytes and checks are those of their record are not judged again. Nor are
    those that are not there any more, and another file is left to `grade`, which lets what was
    given by hand stay with the one before: both are told in `missing`, with the reason.
    """
    store, name = Store(course_dir), assignment.name
    recorded = [student for student in store.students(name) if store.load(name, student)]
    for step in _steps(assignment, course_dir, recorded, graders):
        before, now = step.before, step.now
        if step.gone:
            missing.append(f"{now.student}: {step.gone}")
        elif before is not None and not step.stays:
            if of_one_file(before, now):
                yield Change(before, now)
            else:
                missing.append(
                    f"{now.student}: another file was handed in since, for `grade` to take"
                )


def judged(asked: Iterable[Asked], graders: Graders) -> Iterator[tuple[Asked, Result]]:
    """Each job and its result as it comes, and a step that is settled in its turn; nothing is
    written."""
    waiting: dict[Future[bytes], Any] = {}

    def finished() -> Iterator[tuple[Asked, Result]]:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            job = waiting.pop(future)
            yield job, _result(job, future)

    with graders.at_work() as hands:
        for one in asked:
            if isinstance(one, Step):
                yield one, one.now
                continue
            waiting[hands.submit(one)] = one
            if len(waiting) >= hands.ahead():
                yield from finished()
        while waiting:
            yield from finished()


def record(course_dir: Path, results: Iterable[Result], sinks: Iterable[Sink]) -> None:
    """Writes results where `grade_class` writes its own."""
    store, sinks = Store(course_dir), list(sinks)
    for result in results:
        store.save(result)
        for sink in sinks:
            sink.record(result)


def _steps(
    assignment: Assignment,
    course_dir: Path,
    chosen: Iterable[str],
    graders: Graders,
    *,
    force: bool = False,
    leave_outdated: bool = False,
) -> Iterator[Step]:
    """What becomes of each student; `leave_outdated`: a mark that only other checks could move
    stays.

    Notebooks are read shortly before their turn, so that a large class needs no more memory
    than a small one.
    """
    store, salt, weakest = Store(course_dir), course_salt(course_dir), graders.weakest
    known: dict[str, Result | None] = {}  # of those that are being judged

    def asked() -> Iterator[Job | Step]:
        for student in chosen:
            recorded = store.load(assignment.name, student)
            job = read_job(course_dir, assignment, student, salt)
            if job.notebook is None and recorded is not None and recorded.status == "graded":
                yield Step(recorded, recorded, gone=job.problem)
                continue
            before = None if force else recorded
            job.exercises = _stale(before, job, weakest)
            if before is not None and not job.exercises:
                yield Step(before, before)
            elif before is not None and leave_outdated and _marked(before, job, weakest):
                yield Step(before, before, outdated=True)
            else:
                known[student] = recorded
                yield job

    for one, result in judged(asked(), graders):
        if isinstance(one, Step):
            yield one
        else:
            recorded = known.pop(one.student)
            before = None if force else recorded
            yield Step(recorded, _final(before, _merged(before, result, assignment)))


def _stale(known: Result | None, job: Job, weakest: Level) -> list[str]:
    """The exercises that have to be judged: those whose checks changed, or all of them."""
    checks = checks_of(job)
    if known is None or not _rests(known, job, weakest):
        return list(checks)
    if known.checks_sha256 == together(checks):
        return []
    held = {exercise.name: exercise for exercise in known.exercises}
    stale = [
        name
        for name in checks
        if name not in held
        or held[name].checks_sha256 != resting_on(checks, name, held[name].rests_on)
    ]
    return stale or list(checks)


def _rests(known: Result, job: Job, weakest: Level) -> bool:
    """Whether nothing but other checks could move this mark."""
    again = known.status == "grader_error" and not known.repeated
    same = known.submission_sha256 == submission_sha256(job)
    return same and not again and known.isolation not in LEVELS[LEVELS.index(weakest) + 1 :]


def _marked(known: Result, job: Job, weakest: Level) -> bool:
    """Whether a mark was recorded that nothing but other checks could move."""
    return known.status != "grader_error" and _rests(known, job, weakest)


def _merged(known: Result | None, new: Result, assignment: Assignment) -> Result:
    """The new result, with what is known of the exercises that were not judged again."""
    judged = {exercise.name: exercise for exercise in new.exercises}
    names = [exercise.name for exercise in assignment.exercises]
    if known is None or not judged or len(judged) == len(names):
        return new
    held = {exercise.name: exercise for exercise in known.exercises}
    merged = filled(new, [judged.get(name) or held[name] for name in names])
    merged.isolation = max(known.isolation, new.isolation, key=[*LEVELS, "none"].index)
    return merged


def _final(known: Result | None, new: Result) -> Result:
    """The new result; a fault of the grader's that was there before is not tried again."""
    new.repeated = (
        new.status == "grader_error"
        and known is not None
        and known.status == "grader_error"
        and known.submission_sha256 == new.submission_sha256
        and known.checks_sha256 == new.checks_sha256
    )
    if new.repeated:
        new.message += (
            ". It happened twice, so this is not tried again by itself: mend the check if one is "
            "at fault, which `autograder verify` shows, or grade this student with --force"
        )
    return new


def _result(job: Job, future: Future[bytes]) -> Result:
    """What came back; if nothing did, a result that says why and gives no mark."""
    try:
        return msgspec.msgpack.decode(future.result(), type=Result)
    except (CageError, CourseError, CancelledError):
        raise
    except Exception as error:
        return lost(job, str(error))
