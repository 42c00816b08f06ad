"""How far right and wrong answers are from the thresholds of train's checks.

Right are the reference and every alternative, plain Adam among them; wrong are some of the
mistakes. Each has 20 seeds of its data and its first weights. The last epoch of plain Adam
scatters widely, and the limit has to lie far above its worst. What the thresholds cannot see,
exact steps must: a network whose last layer alone is trained can learn a sine.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_training.py

Takes two minutes of computing time, shared by two cores.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from autograder.checks import test_training as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("training")
SEEDS = 20
WRONG = [
    "gradients_never_cleared",
    "batches_made_once",
    "no_step",
    "stops_too_soon",
    "mean_absolute_error",
    "output_layer_only",
]
LIMITS = {
    "all data at once: unseen points": checks.UNSEEN_LIMIT,
    "all data at once: best of the last 100 losses": checks.LOSS_LIMIT,
    "mini-batches: unseen points": checks.UNSEEN_LIMIT,
}


class Row(NamedTuple):
    answer: str
    values: dict[str, list[float]]
    seconds: float


def measured(answer: Answer | None) -> Row:
    """One answer, all seeds; CPU seconds of a training with all data at once."""
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    values: dict[str, list[float]] = {words: [] for words in LIMITS}
    seconds = 0.0
    for seed in range(SEEDS):
        student.begin("train", seed)
        before = time.process_time()
        losses, error = checks.trained(student, np.random.default_rng(seed), checks.EPOCHS, None)
        seconds += (time.process_time() - before) / SEEDS
        rng = np.random.default_rng(seed)
        _, batch_error = checks.trained(student, rng, checks.BATCH_EPOCHS, checks.BATCH_SIZE)
        found = (error, min(losses[-100:]), batch_error)
        for words, value in zip(LIMITS, found, strict=True):
            values[words].append(value)
    right = "wrong" if isinstance(answer, Mistake) else "right"
    return Row(f"{right} {answer.name if answer else 'the reference'}", values, seconds)


def answers() -> Iterator[Answer | None]:
    yield None
    yield from (one for one in alternatives(FOUND) if one.exercise == "train")
    yield from (one for one in mistakes(FOUND) if one.exercise == "train" and one.name in WRONG)


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        rows = list(pool.map(measured, answers()))
    for words, limit in LIMITS.items():
        print(f"\n{words}, below {limit:g} passes")
        print(f"{'':40} {'least':>9} {'median':>9} {'most':>9}   passes   CPU s")
        for row in rows:
            values = row.values[words]
            passed = sum(value < limit for value in values)
            numbers = [min(values), float(np.median(values)), max(values)]
            print(
                f"{row.answer:40}",
                *(f"{number:9.1e}" for number in numbers),
                f"{passed:5} of {SEEDS} {row.seconds:6.2f}",
            )


if __name__ == "__main__":
    main()
