"""Who grades: warm judges in this process's threads, or on the workers of a Dask cluster.

A job and its result cross as bytes, so that a worker needs no file of the course's folder. What
it needs is this project at the same version: a worker with other checks refuses.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import msgspec

from autograder.course import load_assignment
from autograder.errors import CourseError, JudgeLost
from autograder.judging.digest import digests, salted, together
from autograder.results import Result
from autograder.sandbox import groups
from autograder.sandbox.inside.lockdown import threads_of_this_user
from autograder.sandbox.inside.protocol import LIMITS
from autograder.sandbox.levels import Level
from autograder.sandbox.process import bytes_left

from .job import Job, outcome
from .judge_client import JudgeClient

T = TypeVar("T")

_NEEDED = LIMITS["memory"] + 2**29
"""By a submission, its judge and their cage."""
_PROCESSES = LIMITS["processes"] + 16
"""Of the same, threads included."""


class Hands(NamedTuple):
    """Where to hand in jobs."""

    submit: Callable[[Job], Future[bytes]]
    """The result as bytes. The future fails with CourseError or CageError, or is cancelled, where
    grading cannot go on at all, and fails with anything else where this job alone is lost."""
    ahead: Callable[[], int]
    """How many jobs keep everybody at work at the moment."""


@contextlib.contextmanager
def here(jobs: int, weakest: Level) -> Iterator[Hands]:
    """`jobs` judges on this machine; as many as it has room for if 0."""
    jobs, own = jobs or room(), Judges(weakest)
    with contextlib.closing(own), ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            yield Hands(lambda job: pool.submit(own.grade_bytes, job), lambda: jobs + 2)
        except BaseException:
            own.stop()  # what is being judged is dropped, else this would wait for its end
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def room() -> int:
    """How many submissions this machine can judge at a time: one a core, and no more than may
    all use the memory, and start the processes, that a submission may."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, int(min(cores, _memory() / _NEEDED, _processes() / _PROCESSES)))


def scarce() -> list[str]:
    """Of what even one submission, with its judge, may need more than there is."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    lacks = {
        "memory": _memory() < _NEEDED,
        "processes": _processes() < _PROCESSES,
        "open files": files != resource.RLIM_INFINITY and files < LIMITS["files"],
    }
    return [name for name, lacking in lacks.items() if lacking]


def _processes() -> float:
    """How many more may be started, in its control groups and, but by root, by its user."""
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    alone = os.geteuid() == 0 or most == resource.RLIM_INFINITY
    own = float("inf") if alone else most - threads_of_this_user()
    return min([own, *(group.processes_left() for group in groups.own("pids"))])


def _memory() -> float:
    """Bytes that are free, on the machine and in its control groups; without end where nobody
    tells."""
    return min([bytes_left(), *(group.left() for group in groups.own())])


@contextlib.contextmanager
def cluster(scheduler: str, weakest: Level) -> Iterator[Hands]:
    """The workers of the Dask scheduler at this address, also those that come later.

    Dask gives the job of a worker that is lost to another one, and gives up a job that lost
    several.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import resolve_address
    except ImportError:
        raise CourseError(
            "--scheduler needs Dask: pip install --editable '.[cluster]' in this project's folder"
        ) from None
    try:
        resolve_address(scheduler)  # of one that is none a client makes a traceback, much later
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    gone = CourseError(
        f"the scheduler at {scheduler} was lost. What was graded so far is kept; run the command "
        "again"
    )

    def asked(question: Callable[[], T]) -> T:
        """What the scheduler answers. Dask has an error of its own for each moment of a loss."""
        try:
            return question()
        except Exception as error:
            if client.status == "running" and not isinstance(error, OSError):
                raise
            raise gone from None

    with client:
        if not asked(client.nthreads):
            raise CourseError(
                f"the scheduler at {scheduler} has no workers yet; on each machine that is to "
                f"grade: dask worker {scheduler} --nthreads 1"
            )
        executor = client.get_executor(pure=False)

        def submit(job: Job) -> Future[bytes]:
            words = msgspec.msgpack.encode(job), weakest, together(checks_of(job))
            return asked(lambda: executor.submit(grade_there, *words))

        try:
            yield Hands(submit, lambda: 2 * sum(asked(client.nthreads).values()) + 2)
        except CancelledError:
            raise gone from None
        finally:
            with contextlib.suppress(CourseError):  # what was not finished is forgotten
                asked(lambda: executor.shutdown(wait=False))


def grade_there(data: bytes, weakest: Level, checks: str) -> bytes:
    """A job on a cluster's worker; CourseError if its checks have another hash than `checks`."""
    job = msgspec.msgpack.decode(data, type=Job)
    refusal = CourseError(
        f"{socket.gethostname()} has other checks for {job.assignment} than the machine that "
        "asks: install the same version of the course on both, and start the worker again. "
        "What was graded so far is kept"
    )
    if together(checks_of(job)) != checks:
        raise refusal
    result = judges(weakest).grade(job)
    if result.checks_sha256 != checks:
        raise refusal  # the files changed after this worker had started
    return msgspec.msgpack.encode(result)


@functools.cache
def _digests(name: str) -> dict[str, str]:
    """Of the files as this process found them."""
    return digests(load_assignment(name))


def checks_of(job: Job) -> dict[str, str]:
    """Per exercise, the hash of what decides its marks."""
    return salted(_digests(job.assignment), job.salt)


def lost(job: Job, why: str) -> Result:
    """The grader's own failure: no mark, and the reason."""
    return outcome(
        job,
        load_assignment(job.assignment),
        "none",
        checks_of(job),
        status="grader_error",
        message=f"the grader failed on this submission ({why}); no mark was given",
    )


class Judges:
    """One warm judge per thread and assignment."""

    def __init__(self, weakest: Level) -> None:
        self.weakest = weakest
        self.all: list[JudgeClient] = []
        self.own = threading.local()
        self.stopped = False

    def grade(self, job: Job) -> Result:
        """The job's result. A judge that is lost is replaced and the job tried once more; one that
        was not waited for (Ctrl-C) is ended, since its answer would be taken for the next one's."""
        if job.fault:
            return lost(job, job.problem)
        reason = ""
        for _ in range(2):
            if self.stopped:
                raise CancelledError
            judge = self._judge(job.assignment)
            try:
                return judge.grade(job)
            except BaseException as error:
                judge.close()
                del self.own.judges[job.assignment]
                if not isinstance(error, JudgeLost):
                    raise
                reason = str(error)
        return lost(job, f"twice: {reason}")

    def grade_bytes(self, job: Job) -> bytes:
        return msgspec.msgpack.encode(self.grade(job))

    def _judge(self, name: str) -> JudgeClient:
        known: dict[str, JudgeClient] = self.own.__dict__.setdefault("judges", {})
        if name not in known:
            known[name] = JudgeClient(name, self.weakest)
            self.all.append(known[name])
        return known[name]

    def stop(self) -> None:
        """From another thread: what is being judged ends without a result."""
        self.stopped = True
        for judge in self.all:
            judge.hang_up()

    def close(self) -> None:
        for judge in self.all:
            judge.close()


@functools.cache
def judges(weakest: Level) -> Judges:
    """This process's own judges, which stay warm until it ends."""
    own = Judges(weakest)
    atexit.register(own.close)
    return own
