"""A submission's exercises in the cage, with the second try that a crowded machine owes it."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from autograder.course import Cell, Exercise
from autograder.results import ExerciseResult
from autograder.sandbox import alive, clock
from autograder.sandbox.cage import Cage
from autograder.sandbox.transport import Caged

from .follow_through import Tries
from .judge import Judge
from .student import Student

PATIENCE = alive.SILENT_SECONDS + 300.0
"""Seconds for which a submission waits until it may be alone, or until who is alone has ended:
longer than a judge that fell silent keeps its turn."""
# Files that every judge of this installation has anyway: nothing is left behind.
_LOCKED = (Path(__file__), Path(__file__).with_name("judge.py"))


@dataclass
class Spent:
    """What all passes of a submission have had together, on the wall; that it waited for others is
    no part of it."""

    seconds: float = 0.0


def with_retry(
    judge: Judge,
    cage: Cage,
    salt: str,
    cells: Sequence[Cell],
    wanted: list[Exercise],
    after: Any,
    aided: bool = False,
    spent: Spent | None = None,
) -> Tries:
    """The exercises' results; those that a crowded machine, or one without memory left,
    may have cost points are tried twice (`transport` says why), and the better result counts.

    The second time nothing is told of what the code says: its first worker met the hidden checks,
    and the machine has ways to hear of that. `spent`: of the submission, before and after.
    """
    spent = spent or Spent()
    notes: list[str] = []
    best: dict[str, ExerciseResult] = {}
    in_cells = 0.0
    alone = False
    for last in (False, True):
        with _turn(alone):
            began = clock.now()
            caged = Caged(cage, judge.assignment, cells, spent.seconds)
            try:
                results = judge.judge(Student(caged, aided or last), salt, wanted, after=after)
            finally:
                caged.close()
                spent.seconds += clock.now() - began
        in_cells += caged.cell_seconds
        for result in results:
            if result.name not in best or result.points > best[result.name].points:
                best[result.name] = result
        cells_again = caged.late_cells or caged.killed_cells
        again = [
            result.name
            for result in results
            if result.points < result.max_points
            and (cells_again or result.name in caged.late | caged.killed)
        ]
        if not last:
            notes = [*_skipped(caged.skipped), *_failures(caged)]
        if last or not again:
            break
        alone = bool(caged.killed or caged.killed_cells)
        why = (
            "alone, as memory may have run out" if alone else "as time ran out on a crowded machine"
        )
        notes.append(f"tried again, {why}: {', '.join(again)}")
        wanted = [judge.assignment.exercise(name) for name in again]
    ended = {why for cell in caged.deadly for why in cell.values()}
    deadly = [failure for failure in caged.failures if failure.why in ended]
    return Tries(best, notes, in_cells, caged.failures, deadly)


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


def _skipped(lines: list[str]) -> list[str]:
    return [f"not run at grading: {line}" for line in lines[:5]]


def _failures(caged: Any) -> list[str]:
    return [failure.sentence for failure in caged.failures[:10]]
