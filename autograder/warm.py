"""A judge that stays warm: one process per slot, which grades one submission after another.

`WarmJudge` is the grading side. Behind it runs `python -m autograder.warm`: it imports and
collects the checks once, keeps a cage with a warm parent, and judges each submission in a
fork of its own, so that nothing of one submission is there for the next. Jobs and results
cross as bytes; the process can sit anywhere.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from .cage import Cage, CageError, Level, strongest
from .course import Assignment, Cell, Exercise, assignment
from .digest import Digests, digests, salted, together
from .results import ExerciseResult, Result

if TYPE_CHECKING:  # it imports pytest, which the side that asks does not need
    from .judge import Judge


class Job(msgspec.Struct, kw_only=True):
    """One submission to grade: bytes in, `Result` out."""

    assignment: str
    student: str
    notebook: bytes | None
    problem: str = ""
    """Why there is no notebook, where there is none."""
    notes: list[str] = []
    salt: str = ""
    exercises: list[str] = []
    """Those to judge; all if none is named."""


class JudgeLost(Exception):
    """The judge's process ended or fell silent."""


class WarmJudge:
    """A judge process for one assignment."""

    def __init__(self, name: str, weakest: Level) -> None:
        ours, theirs = socket.socketpair()
        self._line = Connection(ours.detach())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograder.warm", name, weakest, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        theirs.close()
        self._patience = 600.0 + 40 * sum(e.seconds for e in assignment(name).exercises)

    def grade(self, job: Job) -> Result:
        """The job's result; JudgeLost if the process does not give one, CageError if it has
        no cage of the level asked for."""
        try:
            self._line.send_bytes(msgspec.msgpack.encode(job))
            if not self._line.poll(self._patience):
                raise JudgeLost("the judge gives no answer")
            data = self._line.recv_bytes()
        except (OSError, EOFError):
            raise JudgeLost("the judge's process ended") from None
        if data[:1] == b"!":
            raise CageError(data[1:].decode())
        if data[:1] == b"?":
            raise JudgeLost(data[1:].decode())
        return msgspec.msgpack.decode(data[1:], type=Result)

    def close(self) -> None:
        self._line.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def outcome(job: Job, found: Assignment, isolation: str, checks: Digests, **fields: Any) -> Result:
    """A result for the job with nothing earned, to be filled in; `checks` are salted."""
    values: dict[str, Any] = {
        "assignment": job.assignment,
        "student": job.student,
        "points": 0.0,
        "max_points": found.points,
        "isolation": isolation,
        "submission_sha256": submission_sha256(job),
        "checks_sha256": together(checks),
        "seconds": 0.0,
        "status": "graded",
        "notes": list(job.notes),
    }
    return Result(**(values | fields))


def submission_sha256(job: Job) -> str:
    return hashlib.sha256(
        job.problem.encode() if job.notebook is None else job.notebook
    ).hexdigest()


def filled(result: Result, exercises: list[ExerciseResult]) -> Result:
    """The result with these exercises, and with what follows from them."""
    faulty = [exercise.name for exercise in exercises if exercise.status == "error"]
    return msgspec.structs.replace(
        result,
        exercises=exercises,
        points=round(sum(exercise.points for exercise in exercises), 2),
        status="grader_error" if faulty else "graded",
        message=f"the grader's own checks failed in {', '.join(faulty)}" if faulty else "",
    )


def unreadable(job: Job, found: Assignment, isolation: str, checks: Digests, why: str) -> Result:
    """Nothing could be read: no points anywhere, and the cause."""
    exercises = [
        ExerciseResult(
            name=e.name,
            points=0.0,
            max_points=e.points,
            status="missing",
            message=why,
            checks_sha256=checks[e.name],
        )
        for e in found.exercises
    ]
    return outcome(
        job, found, isolation, checks, status="unreadable", message=why, exercises=exercises
    )


# ---------------------------------------------------------------------------- in the process


class _Server:
    def __init__(self, found: Assignment, weakest: Level, line: Connection) -> None:
        self.found = found
        self.weakest = weakest
        self.line = line
        self.digests = digests(found)  # of the files that this process has read
        self.cage = strongest(weakest)

    def serve(self, judge: Any) -> None:
        """Grades jobs until the other side hangs up."""
        gc.collect()
        gc.freeze()  # forks share these pages for longer
        while True:
            try:
                job = msgspec.msgpack.decode(self.line.recv_bytes(), type=Job)
            except (EOFError, OSError):
                self.cage.close()
                return
            try:
                if not self.cage.alive():
                    self.cage.close()
                    self.cage = strongest(self.weakest)
                data = self._in_a_fork(judge, job)
            except CageError as error:
                data = b"!" + str(error).encode()
            except Exception as error:  # who asked waits for an answer, and asks another judge
                data = b"?" + f"{type(error).__name__}: {error}".encode()
            with contextlib.suppress(OSError):  # nobody is there any more, as the next read says
                self.line.send_bytes(data)

    def _in_a_fork(self, judge: Any, job: Job) -> bytes:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                result = self._judge(judge, job)
                data = b"=" + msgspec.msgpack.encode(result)
            except BaseException as error:  # a cage that broke, too: another judge may have one
                data = b"?" + f"{type(error).__name__}: {error}".encode()
            finally:
                with contextlib.suppress(BaseException), os.fdopen(writing, "wb") as pipe:
                    pipe.write(data)
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            if self.line in wait([reading, self.line]):  # nothing is sent during a job: hung up
                os.kill(pid, signal.SIGKILL)
            data = pipe.read()
        os.waitpid(pid, 0)
        with contextlib.suppress(CageError):
            self.cage.reap()
        return data or b"?the judge's fork ended without a result"

    def _judge(self, judge: Any, job: Job) -> Result:
        from .diagnosis import Observer
        from .submission import SubmissionError, read_submission

        started = time.perf_counter()
        isolation, checks = self.cage.level, salted(self.digests, job.salt)
        if job.notebook is None:
            return unreadable(job, self.found, isolation, checks, job.problem)
        try:
            submission = read_submission(job.notebook, self.found)
        except SubmissionError as error:
            return unreadable(job, self.found, isolation, checks, str(error))
        phases = {"read": time.perf_counter() - started}
        diagnosed = 0.0
        observer = Observer(self.found)

        def after(result: ExerciseResult, transcripts: Any) -> None:
            nonlocal diagnosed
            begun = time.perf_counter()
            observer(result, transcripts)
            diagnosed += time.perf_counter() - begun

        wanted = [self.found.exercise(name) for name in job.exercises or checks]
        tries = tried(judge, self.cage, submission.cells, job.salt, wanted, after)
        for name, exercise in tries.exercises.items():
            exercise.checks_sha256 = checks[name]
        total = time.perf_counter() - started
        phases |= {"cells": tries.cell_seconds, "diagnosis": diagnosed}
        phases["checks"] = total - sum(phases.values())
        notes = [*job.notes, *submission.notes, *tries.notes]
        found = outcome(
            job,
            self.found,
            isolation,
            checks,
            seconds=round(total, 3),
            notes=notes,
            phases={name: round(value, 4) for name, value in phases.items()},
        )
        return filled(found, list(tries.exercises.values()))


class Tries(NamedTuple):
    """What a submission's code came to in the cage."""

    exercises: dict[str, ExerciseResult]
    notes: list[str]
    cell_seconds: float


def tried(
    judge: Judge, cage: Cage, cells: Sequence[Cell], salt: str, wanted: list[Exercise], after: Any
) -> Tries:
    """The exercises' results; those that a crowded machine may have cost points are tried twice
    (`caged` says why), and the better result counts."""
    from .caged import Caged
    from .student import Student

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
    return [f"{failure.cell.label} {failure.why}" for failure in caged.failures[:10]]


def main() -> None:
    name, weakest, descriptor = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line = Connection(int(descriptor))
    os.set_inheritable(int(descriptor), False)
    found = assignment(name)
    try:
        server = _Server(found, weakest, line)  # type: ignore[arg-type]
        from .diagnosis import prepare
        from .judge import judging
        from .worker.parent import warm_up

        warm_up()
        prepare(found)
        judging(found, server.serve)
    except Exception as error:
        with contextlib.suppress(OSError, EOFError):
            line.recv_bytes()
            line.send_bytes((b"!" if isinstance(error, CageError) else b"?") + str(error).encode())


if __name__ == "__main__":
    main()
