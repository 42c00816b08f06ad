"""The limits of a submission, looked at by a clock of their own.

A `Watch` is a thread beside the one that talks to the worker. It looks at all processes of the
submission twenty times a second, whether or not an answer is awaited or arrives in small pieces,
and ends what goes beyond a limit: the worker is killed and its line closed, so that whoever waits
at it wakes up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass

from autograder.errors import CageError, WorkerEnded

from . import alive, clock
from .groups import Group
from .inside.protocol import LIMITS
from .process import Sight, Tree, bytes_left, kernel_kills, kernels_own

EVERY, SELDOM = 0.05, 0.5
"""Seconds between two looks: more of them where a look takes long, that it does not take a core."""
STALL_SECONDS = 10.0
IDLE_SECONDS = 30.0
_TRIES = 5
"""Of one look, where something ended before it was counted and may have left its memory to a
process that was not seen. Where that is so each time and the kernel does not count (`groups`),
what the machine has less than before the worker was there is taken for the worker's; others may
have it, so that it is tried again alone."""
_LONG = 2.0
"""Seconds, after which a look is not tried again: meanwhile nobody looks at the time."""
_HIDDEN = 10
"""Looks in a row, after which it is: who starts many processes is missed now and then."""
KILLED = "crashed Python (it was killed, as where memory runs out)"
USED_UP = "used up its computing time"
_DYING = 5.0
"""Seconds after the kernel ended somebody, in which a process that goes may be that one."""
OWN_CORE = 0.9
"""The least share of a core that a worker gets where it need not share one."""
_PROGRESS = 0.001  # CPU seconds between two looks; less is a clock that wakes somebody up


@dataclass
class Budget:
    """Seconds that are left for a part of a submission, in several requests together."""

    cpu: float
    idle: float = IDLE_SECONDS
    """In which nothing of the submission computes or waits for a core."""
    wall: float = float("inf")

    @classmethod
    def of(cls, seconds: float, pace: float) -> Budget:
        """So many seconds of a quiet machine, on one whose seconds are worth less."""
        cpu = pace * seconds
        return cls(cpu, IDLE_SECONDS * pace, 60 * pace + 10 * cpu)


class Watch:
    """Watches one worker until it is stopped."""

    def __init__(
        self, pid: int, line: socket.socket, above: int = 0, group: Group | None = None
    ) -> None:
        self.tree = Tree(pid, above)
        self.line = line
        self.group = group
        self._left, self._kernels = bytes_left(), kernels_own()
        self.verdict: WorkerEnded | CageError | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._budget: Budget | None = None
        self._charged = self._seen = self.tree.cpu
        self._begun = self._looked = self._moved = clock.now()
        self._idle = self._served = 0.0
        """Seconds of a request without a core asked for; and of these, in the kernel, for a disk
        say, which may be slow or others'."""
        self._suspect = 0
        """Looks in a row that saw too much memory, or that it may be hidden."""
        self._there: set[int] = set()
        self.struck = False
        """Whether the kernel may have ended a part of it for want of memory that others had; where
        it has a group that is certain, and the end of it all."""
        self._kills, self._killed = kernel_kills(), -_DYING

    def start(self) -> None:
        watching = threading.Thread(target=self._run, name="watch", daemon=True)
        watching.start()
        if sys.platform == "linux" and watching.native_id:
            # Sixty processes that compute leave a look little of each core.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, watching.native_id, -20)

    def stop(self) -> None:
        """No look and no kill from here on: the number may soon be another process's."""
        with self._lock:
            self._over.set()

    def begin(self, budget: Budget) -> None:
        """A request is made; from now on its budget counts."""
        with self._lock:
            self._begun = self._looked = self._moved = clock.now()
            self._idle, self._served, self._seen = 0.0, 0.0, max(self._seen, self.tree.cpu)
            self._budget = budget

    def finish(self) -> None:
        """The request is over, and its budget less by what it took.

        CPU seconds of threads and children that ran on after the request before are among it, and
        those of children since the last look are left for the next request.
        """
        with self._lock:
            budget, self._budget = self._budget, None
            assert budget is not None
            now = clock.now()
            used = self._used(now)
            self._charged += used
            budget.cpu -= used
            budget.idle -= self._idle
            budget.wall -= now - self._begun

    def _used(self, now: float) -> float:
        if sys.platform != "linux":
            return now - self._begun
        return max(0.0, self._seen - self._charged, self.tree.cpu - self._charged)

    def _run(self) -> None:
        wait = EVERY
        while not self._over.wait(wait):
            started = time.monotonic()
            with self._lock:
                try:
                    if not self._over.is_set():
                        self.look(clock.now())
                except WorkerEnded as ended:
                    return self._end(ended)
                except Exception as error:  # nobody may wait at the line for ever
                    return self._end(CageError(f"a worker cannot be watched: {error}"))
            took = time.monotonic() - started
            wait = EVERY if self._suspect else min(SELDOM, max(EVERY, 10 * took))

    def _end(self, verdict: WorkerEnded | CageError) -> None:
        self.verdict = verdict
        if str(verdict) and sys.platform == "linux":  # without words it has ended by itself
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.tree.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)

    def look(self, now: float) -> None:
        """One look; WorkerEnded where a limit is passed or the worker is gone."""
        if self.group is not None and self.group.killed():
            own = self.group.overrun()
            raise out_of_memory() if own else WorkerEnded("died", KILLED, killed=True)
        enough = time.monotonic() + _LONG
        for _ in range(_TRIES):
            sight = self.tree.look()
            if not sight.alive:
                raise WorkerEnded("died", "")
            seen = self.tree.holds_more_than(LIMITS["memory"], sight.processes)
            self._look_for_kills(now, self.tree.lost)
            if seen or not self.tree.missed or time.monotonic() > enough:
                break
        # A program that is being started shares its parent's memory for a moment; and where many
        # that share much end one after another, each next one has a larger part when it is read.
        stays = self._there.issubset(sight.processes)
        looks = _HIDDEN if not seen else 2 if stays else 4
        limit, hidden = LIMITS["memory"], False
        if self.group is None and limit < self._left - bytes_left() < float("inf"):
            hidden = self.tree.missed or kernels_own() - self._kernels > limit
        self._suspect = self._suspect + 1 if seen or hidden else 0
        if self._suspect >= looks:
            raise out_of_memory(killed=not seen or self.tree.hurried)
        self._there = set(sight.processes)
        if self._budget is not None:
            self._spend(self._budget, sight, now)
            alive.goes_on()
        self._looked, self._seen = now, max(self._seen, self.tree.cpu)

    def was_struck(self) -> bool:
        """Whether the worker's own end may be one of these; nobody may have looked since."""
        with self._lock:
            self._look_for_kills(clock.now(), lost=True)
        return self.struck

    def _look_for_kills(self, now: float, lost: bool) -> None:
        if self.group is None and not self.struck:
            if (kills := kernel_kills()) > self._kills:
                self._kills, self._killed = kills, now
            self.struck = lost and now - self._killed < _DYING

    def _spend(self, budget: Budget, sight: Sight, now: float) -> None:
        progress = max(0.0, self.tree.cpu - self._seen)
        # To wait for a core is not its fault; all other waiting is, that in the kernel too,
        # where a vfork without an end keeps it.
        if not sight.wants_core:
            idle = max(0.0, now - self._looked - progress)
            self._idle += idle
            self._served += idle if sight.in_kernel else 0.0
        if progress > _PROGRESS or sight.wants_core or sight.in_kernel:
            self._moved = now
        used, wall = self._used(now), now - self._begun
        crowded = used < OWN_CORE * (wall - self._idle)
        if used > budget.cpu:
            raise WorkerEnded("time", USED_UP, crowded)
        if now - self._moved > STALL_SECONDS:
            raise WorkerEnded("time", f"did nothing for {STALL_SECONDS:g} s and gave no answer")
        if self._idle > budget.idle:
            slow_disk = 2 * self._served > self._idle
            raise WorkerEnded("time", "spent its time waiting instead of computing", slow_disk)
        if wall > budget.wall:
            raise WorkerEnded("time", "took too long by the clock on the wall", crowded)


def out_of_memory(killed: bool = False) -> WorkerEnded:
    text = f"used more than {LIMITS['memory'] / 2**30:g} GB of memory"
    return WorkerEnded("memory", text, killed=killed)
