"""A submission's exercises in the cage, with the second try that a crowded machine owes it."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from autograder.course import Cell, Exercise
from autograder.results import ExerciseResult
from autograder.sandbox import alive, clock
from autograder.sandbox.cage import Cage
from autograder.sandbox.transport import CELLS, Caged

from .follow_through import After, Tries
from .judge import Judge
from .student import Student

PATIENCE = alive.SILENT_SECONDS + 300.0
"""Seconds for which a submission waits until it may be alone, or until who is alone has ended:
longer than a judge that fell silent keeps its turn."""
# Files that every judge of this installation has anyway: nothing is left behind.
_LOCKED = (Path(__file__), Path(__file__).with_name("judge.py"))


class InCage:
    """An attempt at a submission's exercises (`follow_through`), for each of its passes.

    Exercises that a crowded machine, or one without memory left, may have cost points are tried
    twice (`transport` says why), and the better result counts. The second time nothing is told of
    what the code says: its first worker met the hidden checks, and the machine has ways to hear of
    that.
    """

    def __init__(self, judge: Judge, cage: Cage, salt: str) -> None:
        self.judge, self.cage, self.salt = judge, cage, salt
        self.spent = 0.0
        """Seconds on the wall that all passes have had together; that it waited for others is no
        part of them."""
        self.cell_seconds = 0.0
        """What all runs of the cells took."""

    def __call__(
        self, cells: Sequence[Cell], wanted: list[Exercise], after: After, aided: bool = False
    ) -> Tries:
        caged, results = self._asked(cells, wanted, after, aided)
        best = {result.name: result for result in results}
        notes = [f"not run at grading: {line}" for line in caged.skipped[:5]]
        notes += [failure.sentence for failure in caged.failures[:10]]
        if again := _owed(caged, results):
            alone = bool(caged.killed)
            crowded = "as time ran out on a crowded machine, or at a slow disk"
            why = "alone, as memory may have run out" if alone else crowded
            notes.append(f"tried again, {why}: {', '.join(again)}")
            wanted = [self.judge.assignment.exercise(name) for name in again]
            caged, results = self._asked(cells, wanted, after, True, alone)
            for result in results:
                if result.points > best[result.name].points:
                    best[result.name] = result
        ended = {why for cell in caged.deadly for why in cell.values()}
        deadly = [failure for failure in caged.failures if failure.why in ended]
        return Tries(best, notes, deadly)

    def _asked(
        self,
        cells: Sequence[Cell],
        wanted: list[Exercise],
        after: After,
        aided: bool,
        alone: bool = False,
    ) -> tuple[Caged, list[ExerciseResult]]:
        with _turn(alone):
            began = clock.now()
            caged = Caged(self.cage, self.judge.assignment, cells, self.spent)
            try:
                student = Student(caged, aided)
                return caged, self.judge.judge(student, self.salt, wanted, after=after)
            finally:
                caged.close()
                self.spent += clock.now() - began
                self.cell_seconds += caged.cell_seconds


def _owed(caged: Caged, results: list[ExerciseResult]) -> list[str]:
    """The exercises that may have lost points by the machine."""
    hit = caged.late | caged.killed
    lost = [result.name for result in results if result.points < result.max_points]
    return [name for name in lost if hit & {name, CELLS}]


@contextlib.contextmanager
def _turn(alone: bool) -> Iterator[None]:
    """Other submissions of this machine's graders run at the same time, or none does.

    Whoever wants to be alone waits at the door, and nobody passes it before. Where the folder's
    file system has no locks, everybody runs with the others; so does who has waited too long, since
    somebody who hangs must not stop a class.
    """
    until = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            door, room = (stack.enter_context(open(name, "rb")) for name in _LOCKED)
            if _locked(door, fcntl.LOCK_EX, until):
                _locked(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, until)
            fcntl.flock(door, fcntl.LOCK_UN)
        yield


def _locked(file: IO[bytes], kind: int, until: float) -> bool:
    """Whether the lock was had in time."""
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            alive.goes_on()
            time.sleep(0.02)
        else:
            return True
