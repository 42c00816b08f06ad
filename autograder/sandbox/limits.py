"""How long a submission may take, and how slow this machine is at the moment.

Apart from what enforces it: who only waits for judges needs no torch.
"""

from __future__ import annotations

import time

from autograder.course import Assignment

ALL_CELLS_SECONDS = 60.0
"""CPU seconds of a quiet machine for all cells of one run; then each statement has one second,
and after twice as many only definitions are run."""
SLOWEST = 10.0
_LOOPS, _QUIET_SECONDS = 50_000, 0.0035
"""An empty Python loop, and what it takes on a quiet machine of 2025."""


def cpu_seconds(assignment: Assignment) -> float:
    """Of a quiet machine: all that the assignment's exercises and the cells may use together."""
    return ALL_CELLS_SECONDS + sum(exercise.seconds for exercise in assignment.exercises)


def wall_seconds(assignment: Assignment) -> float:
    """Of a quiet machine: how long one submission may take by the clock on the wall."""
    return 300.0 + 5.0 * cpu_seconds(assignment)


def machine_pace() -> float:
    """How many CPU seconds this machine needs at the moment for one of a quiet one: 1 to 10."""
    started = time.process_time()
    for _ in range(_LOOPS):
        pass
    return min(SLOWEST, max(1.0, (time.process_time() - started) / _QUIET_SECONDS))
