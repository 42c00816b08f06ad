"""The warm judge's process: it grades one submission after another.

`python -m autograder.grading.judge_process` imports and collects the checks once, keeps a cage
with a warm parent, and judges each submission in a fork of its own, so that nothing of one
submission is there for the next. `judge_client` starts it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from autograder.course import Assignment, load_assignment
from autograder.errors import CageError, CourseError, SubmissionError
from autograder.judging.diagnosis import Observer
from autograder.judging.digest import digests, resting_on, salted
from autograder.judging.follow_through import judged
from autograder.judging.judge import Judge
from autograder.judging.outline import answer_cells, outline_of
from autograder.judging.patience import TookTooLong, at_most
from autograder.judging.replay import prepare
from autograder.judging.retry import InCage
from autograder.judging.submission import Submission, attempt_salt, read_submission
from autograder.results import ExerciseResult, Result
from autograder.sandbox import alive, groups
from autograder.sandbox.cage import Cage, out_of_reach, strongest
from autograder.sandbox.inside.lockdown import die_with_parent, leave_no_core, limit_memory
from autograder.sandbox.inside.parent import settle, warm_up
from autograder.sandbox.levels import Level

from .job import Job, filled, outcome, unreadable
from .judge_client import ALIVE

MEMORY = 3 * 2**30
"""Beyond what it has, of the fork that judges one submission: a student's value may be a size."""
SECONDS = 60.0
"""Of the judge's own CPU time, for a check or to read a notebook."""
_SOON = alive.SILENT_SECONDS / 5
"""In which a cage that ends while it starts has ended."""
HINT_SECONDS = 15.0
"""For all hints of an exercise: twice and more of what `diagnosis` allows itself."""


def read(job: Job, found: Assignment) -> Submission:
    """What was handed in; SubmissionError where it cannot be read, or not in time."""
    if job.notebook is None:
        raise SubmissionError(job.problem)
    try:
        with at_most(SECONDS):
            return read_submission(job.notebook, found)
    except (TookTooLong, MemoryError):
        raise SubmissionError("the notebook takes too much time or memory to read") from None


class _Server:
    def __init__(self, found: Assignment, weakest: Level, line: Connection) -> None:
        self.found = found
        self.weakest = weakest
        self.line = line
        self.digests = digests(found)  # of the files that this process has read
        self.cage = self._cage()

    def _cage(self) -> Cage:
        """The strongest, asked for twice: one that was killed while it started tells nothing of the
        machine. Not where the first was waited for: a judge that is silent is taken for lost, and
        nobody would hear why."""
        began = time.monotonic()
        try:
            return strongest(self.weakest)
        except CageError:
            if time.monotonic() - began > _SOON:
                raise
            return strongest(self.weakest)

    def serve(self, judge: Judge) -> None:
        """Grades jobs until the other side hangs up."""
        settle()
        while True:
            try:
                job = msgspec.msgpack.decode(self.line.recv_bytes(), type=Job)
            except (EOFError, OSError):
                self.cage.close()
                return
            try:
                if not self.cage.alive():
                    self.cage.close()
                    self.cage = self._cage()
                data = self._in_a_fork(judge, job)
            except CageError as error:
                data = b"!" + str(error).encode()
            except Exception as error:  # who asked waits for an answer, and asks another judge
                data = b"?" + f"{type(error).__name__}: {error}".encode()
            with contextlib.suppress(OSError):  # nobody is there any more, as the next read says
                self.line.send_bytes(data)

    def _in_a_fork(self, judge: Judge, job: Job) -> bytes:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                die_with_parent()
                limit_memory(MEMORY)
                alive.tell(lambda: os.write(writing, ALIVE))
                result = self._judge(judge, job)
                data = b"=" + msgspec.msgpack.encode(result)
            except BaseException as error:  # a cage that broke, too: another judge may have one
                data = b"?" + f"{type(error).__name__}: {error}".encode()
            finally:
                alive.tell(None)
                with contextlib.suppress(BaseException), os.fdopen(writing, "wb") as pipe:
                    pipe.write(data)
                os._exit(0)
        os.close(writing)
        data = self._heard(reading, pid)
        os.close(reading)
        os.waitpid(pid, 0)
        with contextlib.suppress(CageError):
            self.cage.reap()
        groups.remove_left()  # the fork's, if it was killed
        return data or b"?the judge's fork ended without a result"

    def _heard(self, reading: int, pid: int) -> bytes:
        """What a fork says at last; its signs of life are passed on."""
        said = b""
        while self.line not in wait([reading, self.line]):
            part = os.read(reading, 2**20)
            said = (said + part).lstrip(ALIVE)
            if not part:
                return said
            if not said:
                with contextlib.suppress(OSError):
                    self.line.send_bytes(ALIVE)
        os.kill(pid, signal.SIGKILL)  # nothing is sent during a job: hung up
        return b""

    def _judge(self, judge: Judge, job: Job) -> Result:
        started = time.perf_counter()
        isolation, checks = self.cage.level, salted(self.digests, job.salt)
        try:
            submission = read(job, self.found)
        except SubmissionError as error:
            return unreadable(job, self.found, isolation, checks, str(error))
        phases = {"read": time.perf_counter() - started}
        observer = Observer(judge, job.salt, submission.cells)

        def after(result: ExerciseResult, transcripts: Any) -> None:
            # A hint is more than is owed: what it stumbles over costs nothing else.
            with contextlib.suppress(Exception), at_most(HINT_SECONDS):
                observer(result, transcripts)

        wanted = [self.found.exercise(name) for name in job.exercises or checks]
        salt = attempt_salt(job.salt, submission, self.found)
        attempt = InCage(judge, self.cage, salt)
        tries = judged(judge, submission.cells, wanted, after, attempt)
        for name, exercise in tries.exercises.items():
            exercise.checks_sha256 = resting_on(checks, name, exercise.rests_on)
        total = time.perf_counter() - started
        phases |= {"cells": attempt.cell_seconds, "diagnosis": observer.spent}
        phases["checks"] = total - sum(phases.values())
        notes = [*job.notes, *submission.notes, *tries.notes]
        if lacks := out_of_reach(isolation):  # a right answer may have lost points by it
            notes.append(f"{lacks}; see `autograder doctor`")
        found = outcome(
            job,
            self.found,
            isolation,
            checks,
            seconds=round(total, 3),
            again_seconds=round(tries.again_seconds, 3),
            notes=notes,
            in_words=list(answer_cells(submission.notebook, outline_of(self.found))),
            phases={name: round(value, 4) for name, value in phases.items()},
        )
        return filled(found, list(tries.exercises.values()))


def main() -> None:
    name, weakest, descriptor = sys.argv[1:]
    leave_no_core()
    line = Connection(int(descriptor))
    os.set_inheritable(int(descriptor), False)
    found = load_assignment(name)
    try:
        server = _Server(found, weakest, line)  # type: ignore[arg-type]
        warm_up()
        gc.freeze()  # each look through it for garbage would take a tenth of a second
        prepare(found)
        outline_of(found)  # so that no fork reads it
        judge = Judge(found)
        judge.seconds = SECONDS
        server.serve(judge)
    except Exception as error:
        with contextlib.suppress(OSError, EOFError):
            line.recv_bytes()
            line.send_bytes(_why_it_does_not_start(found, error))


def _why_it_does_not_start(found: Assignment, error: Exception) -> bytes:
    """What the course's own files say wrong is so for everybody: no other judge need be asked. That
    there was no memory for them is no slip of theirs."""
    if isinstance(error.__cause__, MemoryError):
        error = error.__cause__
    if isinstance(error, (CageError, OSError, MemoryError, RuntimeError)):
        return (b"!" if isinstance(error, CageError) else b"?") + str(error).encode()
    if isinstance(error, CourseError):
        return b"#" + str(error).encode()
    return b"#" + f"{found.name}: {type(error).__name__}: {error}".encode()


if __name__ == "__main__":
    main()
