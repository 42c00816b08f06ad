"""A submission in the cage, as the judge's `Student` talks to it.

Every exercise fails alone: when a worker ends, the next check gets a new one in which the
student's cells are run again, without a cell that ended a worker before. Time is counted per
exercise, over all its checks; starting workers and running cells is not charged to it. It is CPU
time, and there is more of it where a second is worth less: on a slow machine, or one that is
crowded. Beside it stand two limits that an honest answer does not come near (`watch.Budget`), a
time on the wall for the whole submission, twice that for all that is asked of it again, and one
for cells that run again because an exercise ended the worker: per exercise and for all of them.

The pace is measured when a submission's turn begins, and a machine can become crowded after that.
So `late` tells which exercises ran out of time, their own or the whole notebook's, while the worker
had to share its core, or a second was worth much less than at first; and which waited in the
kernel, for a disk say. The judge tries these once more, on a new worker and with a budget at the
pace of that moment, and only then is a time-out final. Another one on a quiet machine is final at
once: there a second try would only make endless loops cost double. `killed` tells which exercises
ended by a kill that was not the grader's, as where the machine's memory ends, or because the
machine had less of it and nobody was seen who took it; they are tried once more too, while no
other submission runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coursekit import StudentError

from autograder.course import Assignment, Cell
from autograder.errors import WorkerEnded

from . import clock, protocol
from .cage import Cage, Worker
from .inside.wire import encode
from .limits import ALL_CELLS_SECONDS, SLOWEST, cpu_seconds, machine_pace, wall_seconds
from .process import Traces
from .protocol import CellFailure, lines_of, run_cell
from .watch import OWN_CORE, Budget

LATE_SECONDS = 1.0
MUCH_SLOWER = 1.5
_USED_UP = (
    "was not run, nor what follows but definitions: the notebook had used up its time, or ended "
    "Python too often"
)
_TOGETHER = 2**20  # bytes that go with a request
CELLS = ""
"""In place of an exercise's name."""
MAX_DEATHS = 4
MAX_DEADLY = 20
MAX_STATEMENTS = 5_000
"""Of all cells that run alone; of later cells, all statements run as one."""
ALL_REPEATS_SECONDS = 120.0
"""For cells that run again, in all exercises that ended a worker together."""
MAX_IN_VAIN = 300.0  # CPU seconds of cells that ran before one that ended the worker


@dataclass
class Allowance:
    """What one exercise may still use, over all its checks."""

    budget: Budget
    repeats: float
    """Seconds, computed or idled away, for cells that run again after it ended a worker."""
    deaths: int = 0


class Caged:
    """The transport that carries a check's requests into the cage."""

    def __init__(
        self, cage: Cage, assignment: Assignment, cells: Sequence[Cell], spent: float = 0.0
    ) -> None:
        """`spent`: the submission's seconds on the wall before, where it was asked before."""
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
        self.allowances: dict[str, Allowance] = {}
        self.cell_seconds = self.cell_idle = self.in_vain = self.timed_out = 0.0
        self.left = Budget(0.0)
        self.pace = machine_pace()
        self.repeats = ALL_REPEATS_SECONDS * self.pace
        self.asked = 0
        """Requests to the cells of this worker."""
        self.traces = Traces(set(), [], [])
        """What its cells have left to the exercises."""
        self.served: set[str] = set()
        """The exercises that have asked it something."""
        self.before = Allowance(Budget(0.0), 0.0)
        """What the exercise could still use when its check began."""
        self.used = 0.0
        self.ended_by = ""
        """The exercise in which the last worker ended, if none was started since."""
        whole = self.pace * wall_seconds(assignment)
        self.until = clock.now() + min(whole, 2 * whole - spent)
        self.computed = self.wanted = 0.0
        """Seconds that all requests had of a core, and in which they could have had one."""
        self.first: list[bytes] = []
        """What goes with the next request."""
        self.ran = False
        """Whether the cells have run to their end."""
        self.late: set[str] = set()
        """Whose time ran out, an exercise's or the cells', while the machine was crowded, or a disk
        slow."""
        self.killed: set[str] = set()
        """Whose worker was ended for want of memory that others may have had."""

    def begin(self, exercise: str, seed: int) -> None:
        """A worker ready for a check of the exercise; StudentError if it may have none.

        Where another exercise left a thread or a process behind, changed the conditions under which
        it works, or took much of the room that is everybody's, it is a new one.
        """
        self.exercise = exercise
        budget = Budget.of(self.assignment.exercise(exercise).seconds, self.pace)
        allowed = Allowance(budget, ALL_CELLS_SECONDS * self.pace)
        mine = self.allowances.setdefault(exercise, allowed)
        self.before = replace(mine, budget=replace(mine.budget))
        again = self.ended_by == exercise
        self._refuse_who_has_had_enough(mine, again)
        worker = self.worker
        others = bool(self.served) and exercise not in self.served
        if others and worker and worker.alive and worker.traces().cost_something(self.traces):
            self.renew()
        if worker is None or not worker.alive:
            before = self.cell_seconds + self.cell_idle
            self._start()
            self.ended_by = ""
            if again:
                again_seconds = self.cell_seconds + self.cell_idle - before
                mine.repeats -= again_seconds
                self.repeats -= again_seconds
        self.served.add(exercise)
        self.first = [encode({"op": "begin", "seed": seed})]

    def _refuse_who_has_had_enough(self, mine: Allowance, again: bool) -> None:
        if mine.budget.cpu <= 0:
            raise StudentError("time", "had no computing time left: earlier checks used it up")
        if clock.now() > self.until:
            if self.computed < OWN_CORE * self.wanted:
                self.late.add(self.exercise)
            minutes = self.pace * wall_seconds(self.assignment) / 60
            text = f"was not run: the whole notebook had taken {minutes:.0f} minutes"
            raise StudentError("time", text)
        if mine.deaths >= MAX_DEATHS or (again and min(mine.repeats, self.repeats) <= 0):
            times = "once" if mine.deaths == 1 else f"{mine.deaths} times"
            raise StudentError("died", f"was not tried again after ending Python {times}")

    def again(self) -> bool:
        """Whether the exercise has a worker that others had before, who may be why it ended; not
        where something else than the grader ended it. Then it gets a new one, and back what it had
        before the check."""
        others = self.exercise in self.served and len(self.served) > 1
        if not others or self.exercise in self.killed:
            return False
        self.renew()
        self.allowances[self.exercise] = self.before
        return True

    def tell(self, request: bytes) -> None:
        """It goes with the next request, as a third of all do, unless both would be too long."""
        if sum(map(len, self.first)) + len(request) > _TOGETHER:
            self.ask(request)
        else:
            self.first.append(request)

    def ask(self, request: bytes) -> bytes:
        if self.worker is None or not self.worker.alive:
            raise StudentError("died", "ended the Python process instead of returning")
        if self.first:
            request = encode({"op": "after", "first": self.first, "then": request})
            self.first = []
        mine = self.allowances[self.exercise]
        before = mine.budget.cpu
        try:
            answer = self._answer(request, mine.budget, self.exercise)
        except WorkerEnded as ended:
            mine.deaths += 1
            self.ended_by = self.exercise
            if ended.kind == "time":
                mine.budget.cpu = 0.0
                allowed = self.assignment.exercise(self.exercise).seconds
                ended.text += f" (all checks of {self.exercise} may use {allowed:g} s)"
            raise StudentError(ended.kind, ended.text) from None
        self.used += (before - mine.budget.cpu) / self.pace
        if mine.budget.cpu <= 0 and self._slower():
            self.late.add(self.exercise)
        return answer

    def _answer(self, request: bytes, budget: Budget, of: str) -> bytes:
        """To a request of an exercise or the cells; where the machine may be to blame is noted."""
        assert self.worker is not None
        computing, working = budget.cpu, budget.wall - budget.idle
        try:
            return self.worker.ask(request, budget)
        except WorkerEnded as ended:
            if ended.killed:
                self.killed.add(of)
            if ended.kind == "time" and (ended.crowded or self._slower()):
                self.late.add(of)
            raise
        finally:
            if self.worker.struck:
                self.killed.add(of)
            self.computed += computing - budget.cpu
            self.wanted += working - (budget.wall - budget.idle)

    def renew(self) -> None:
        """Ends the worker; the next check has one that knows nothing of this one's."""
        self.close()
        self.ended_by = ""

    def close(self) -> None:
        if self.worker is not None:
            self.worker.kill()

    def _start(self) -> None:
        """A new worker with the student's cells run; what ends it is left out the next time.

        What is told of the cells is what their first run came to: a later one may have heard of
        what a check asked, by ways that the machine has.
        """
        told, ran, self.ran = (self.failures, self.skipped), self.ran, True
        try:
            while not self._cells_run():
                pass
        finally:  # also where what they say takes the judge too long
            if ran:
                self.failures, self.skipped = told
        assert self.worker is not None
        self.traces, self.served = self.worker.traces(), set()

    def _cells_run(self) -> bool:
        self.worker = self.cage.worker(SLOWEST * cpu_seconds(self.assignment))
        self.failures, self.skipped, self.asked = [], [], 0
        before, whole = self.cell_seconds, ALL_CELLS_SECONDS * self.pace
        self.left = Budget.of(ALL_CELLS_SECONDS, self.pace)
        self.left.cpu -= self.timed_out
        for cell, deadly in zip(self.cells, self.deadly, strict=True):
            deaths = sum(map(len, self.deadly))
            spent = self.left.cpu < -whole or min(self.left.idle, self.left.wall) <= 0
            if deaths > 2 * MAX_DEADLY or self.in_vain > MAX_IN_VAIN * self.pace:
                why = "was not run: cells before it ended Python too often"
                self.failures.append(CellFailure(cell, why))
                continue
            try:
                run = run_cell(
                    self._ask_cell,
                    cell,
                    deadly,
                    plain_only=_USED_UP if spent or deaths > MAX_DEADLY else "",
                    whole=self.asked > MAX_STATEMENTS,
                )
            except StudentError:
                self.worker.kill()  # it may live on where its answer cannot be read
                self.in_vain += self.cell_seconds - before
                return False
            self.failures += run.failures
            self.skipped += run.skipped
        return True

    def _ask_cell(self, request: bytes) -> bytes:
        self.asked += 1
        late = self.left.cpu <= 0
        share = (LATE_SECONDS if late else protocol.CELL_SECONDS) * self.pace
        own = replace(self.left, cpu=share)
        try:
            return self._answer(request, own, CELLS)
        except WorkerEnded as ended:
            self.timed_out += share if ended.kind == "time" else 0.0
            raise StudentError(ended.kind, ended.text) from None
        finally:
            used = share - own.cpu
            self.cell_seconds += used
            self.cell_idle += self.left.idle - own.idle
            self.left = replace(own, cpu=self.left.cpu - used)

    def _slower(self) -> bool:
        return machine_pace() > MUCH_SLOWER * self.pace
