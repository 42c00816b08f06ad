"""A judge that stays warm, as the grading side sees it: one process per slot.

Jobs and results cross as bytes; the process (`judge_process`) can sit anywhere.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

import msgspec

from autograder.errors import CageError, CourseError, JudgeLost
from autograder.results import Result
from autograder.sandbox.alive import SILENT_SECONDS
from autograder.sandbox.levels import Level

from .job import Job

ALIVE = b"."
"""What a judge says before its answer, more than once: its work goes on."""
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",  # of a student's values, which no terminal needs to hear about
}
PROGRAM = ("-P", "-m", "autograder.grading.judge_process")
"""`-P`: without the folder in which it is started, where files of a student may lie."""


class JudgeClient:
    """A judge process for one assignment."""

    def __init__(self, name: str, weakest: Level) -> None:
        ours, theirs = socket.socketpair()
        self._line = Connection(ours.detach())
        self._process = subprocess.Popen(
            [sys.executable, *PROGRAM, name, weakest, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | _ENVIRONMENT,
            start_new_session=True,
        )
        theirs.close()

    def grade(self, job: Job) -> Result:
        """The job's result; JudgeLost if the process does not give one, CageError if it has
        no cage of the level asked for, CourseError if the course's files are such that there is
        no judge."""
        try:
            self._line.send_bytes(msgspec.msgpack.encode(job))
            data = ALIVE
            while data == ALIVE:
                if not self._line.poll(SILENT_SECONDS):
                    raise JudgeLost("the judge gave no sign of life")
                data = self._line.recv_bytes()
        except (OSError, EOFError):
            raise JudgeLost("the judge's process ended") from None
        if data[:1] == b"!":
            raise CageError(data[1:].decode())
        if data[:1] == b"#":
            raise CourseError(data[1:].decode())
        if data[:1] == b"?":
            raise JudgeLost(data[1:].decode())
        return msgspec.msgpack.decode(data[1:], type=Result)

    def hang_up(self) -> None:
        """Ends the process, also while another thread waits for its answer."""
        with (
            contextlib.suppress(OSError),
            socket.socket(fileno=os.dup(self._line.fileno())) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._line.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
