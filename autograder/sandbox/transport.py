"""A submission in the cage, as the judge's `Student` talks to it.

Every exercise fails alone: when a worker ends, the next check gets a new one in which the
student's cells are run again, without a cell that ended a worker before. Time is counted per
exercise, over all its checks; starting workers and running cells is not charged to it. It is CPU
time, and there is more of it where a second is worth less: on a slow machine, or one that is
crowded.

The pace is measured when a submission's turn begins, and a machine can become crowded after that.
So `late` tells which exercises ran out of time while the worker had to share its core, or a
second was worth much less than at first. The judge tries these once more, on a new worker and
with a budget at the pace of that moment, and only then is a time-out final. A time-out on a
quiet machine is final at once: there a second try would only make endless loops cost double. It
does not wait for a quiet machine either: while a class is graded there may be none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from coursekit import StudentError

from autograder.course import Assignment, Cell
from autograder.errors import WorkerEnded

from . import protocol
from .cage import Cage, Worker
from .inside.wire import encode
from .protocol import CellFailure, lines_of, run_cell

ALL_CELLS_SECONDS = 60.0
"""After which each statement has one second, and twice of which ends all but definitions."""
LATE_SECONDS = 1.0
MUCH_SLOWER = 1.5
_USED_UP = (
    "was not run, nor what follows but definitions: the notebook had used up its time, or ended "
    "Python too often"
)
MAX_DEATHS = 4
MAX_DEADLY = 20
_LOOPS, _QUIET_SECONDS = 50_000, 0.0035
"""An empty Python loop, and what it takes on a quiet machine of 2025."""


class Caged:
    """The transport that carries a check's requests into the cage."""

    def __init__(self, cage: Cage, assignment: Assignment, cells: Sequence[Cell]) -> None:
        self.cage = cage
        self.assignment = assignment
        self.cells = cells
        self.failures: list[CellFailure] = []
        self.lines = lines_of(cells)
        self.skipped: list[str] = []
        self.deadly: list[dict[int, str]] = [{} for _ in cells]
        """Per cell, statements that ended a worker, and how."""
        self.worker: Worker | None = None
        self.exercise = ""
        self.seconds_left = 0.0
        self.deaths = 0
        self.cell_seconds = 0.0
        self.pace = machine_pace()
        self.seed: int | None = None
        self.late: set[str] = set()
        """Exercises whose time ran out while the machine was crowded."""
        self.late_cells = False

    def begin(self, exercise: str, seed: int) -> None:
        """A worker ready for a check of the exercise; StudentError if it may have none."""
        if exercise != self.exercise:
            self.exercise, self.deaths = exercise, 0
            self.seconds_left = self.pace * self.assignment.exercise(exercise).seconds
        if self.seconds_left <= 0:
            raise StudentError("time", "had no computing time left: earlier checks used it up")
        if self.deaths >= MAX_DEATHS:
            raise StudentError(
                "died", f"was not tried again after ending Python {MAX_DEATHS} times"
            )
        if self.worker is None or not self.worker.alive:
            self._start()
        self.seed = seed  # goes with the check's first request: a quarter of all ways there

    def ask(self, request: bytes) -> bytes:
        if self.worker is None or not self.worker.alive:
            raise StudentError("died", "ended the Python process instead of returning")
        if self.seed is not None:
            request = encode({"op": "begin", "seed": self.seed, "then": request})
            self.seed = None
        try:
            answer = self.worker.ask(request, self.seconds_left)
        except WorkerEnded as ended:
            self.deaths += 1
            if ended.kind == "time":
                self._run_out(ended.crowded)
                allowed = self.assignment.exercise(self.exercise).seconds
                ended.text += f" (all checks of {self.exercise} may use {allowed:g} s)"
            raise StudentError(ended.kind, ended.text) from None
        self.seconds_left -= self.worker.used
        if self.seconds_left <= 0:
            self._run_out()
        return answer

    def _run_out(self, crowded: bool = False) -> None:
        """The exercise has no time left, in a request or at the end of one."""
        self.seconds_left = 0.0
        if crowded or self._slower():
            self.late.add(self.exercise)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.kill()

    def _start(self) -> None:
        """A new worker with the student's cells run; what ends it is left out the next time."""
        while not self._cells_run():
            pass

    def _cells_run(self) -> bool:
        self.worker = self.cage.worker()
        self.failures, self.skipped = [], []
        for cell, deadly in zip(self.cells, self.deadly, strict=True):
            deaths = sum(map(len, self.deadly))
            spent = self.cell_seconds > 2 * ALL_CELLS_SECONDS * self.pace
            if deaths > 2 * MAX_DEADLY:
                why = "was not run: cells before it ended Python too often"
                self.failures.append(CellFailure(cell, why))
                continue
            try:
                run = run_cell(
                    self._ask_cell,
                    cell,
                    deadly,
                    plain_only=_USED_UP if spent or deaths > MAX_DEADLY else "",
                )
            except StudentError:
                self.worker.kill()  # it may live on where its answer cannot be read
                return False
            self.failures += run.failures
            self.skipped += run.skipped
        return True

    def _share(self) -> float:
        """The CPU seconds that a statement has."""
        late = self.cell_seconds > ALL_CELLS_SECONDS * self.pace
        return (LATE_SECONDS if late else protocol.CELL_SECONDS) * self.pace

    def _ask_cell(self, request: bytes) -> bytes:
        assert self.worker is not None
        share = self._share()
        try:
            answer = self.worker.ask(request, share)
        except WorkerEnded as ended:
            if ended.kind == "time":
                self.cell_seconds += share
                self.late_cells |= ended.crowded or self._slower()
            raise StudentError(ended.kind, ended.text) from None
        self.cell_seconds += self.worker.used
        return answer

    def _slower(self) -> bool:
        return machine_pace() > MUCH_SLOWER * self.pace


def machine_pace() -> float:
    """How many CPU seconds this machine needs at the moment for one of a quiet one: 1 to 10."""
    started = time.process_time()
    for _ in range(_LOOPS):
        pass
    return min(10.0, max(1.0, (time.process_time() - started) / _QUIET_SECONDS))
