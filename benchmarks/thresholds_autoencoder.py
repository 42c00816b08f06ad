"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference and every alternative, wrong some of the mistakes, each with 20 seeds of
its data and its first weights. A right answer has to stay well on the right side for every seed.
No threshold sees every fault: one that spoils the reconstruction may leave z alone.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_autoencoder.py [unseen_error …]

Takes some ten minutes on two cores.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import itertools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from autograder.checks import test_autoencoder as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("autoencoder")
EXERCISE = "train_autoencoder"
SEEDS = 20
WRONG = ["gradients_never_cleared", "z_detached", "stops_too_soon"]


class Measure(NamedTuple):
    words: str
    above: bool
    limit: float


TRAININGS: dict[str, dict[str, Measure]] = {
    "unseen_error": {"": Measure("unseen configurations, error", False, checks.ERROR_LIMIT)},
    "smaller": {
        "error": Measure("unseen 12 × 12 ones, error", False, checks.ERROR_LIMIT),
        "disordered": Measure("disordered ones, error", False, checks.DISORDERED_LIMIT),
        "ordered": Measure("ordered ones of the worse sign, error", False, checks.ORDERED_LIMIT),
        "magnetisation": Measure("R² of the magnetisation on z", True, checks.R2_LIMIT),
    },
}
"""Per training, what is measured: the value itself, or its attributes."""


class Row(NamedTuple):
    training: str
    answer: str
    right: bool
    found: list[Any]
    seconds: float


def measured(job: tuple[str, Answer | None]) -> Row:
    """One answer, one training, all seeds; CPU seconds of a single training and its judgement."""
    name, answer = job
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    found = []
    before = time.process_time()
    for seed in range(SEEDS):
        student.begin(EXERCISE, seed)
        found.append(getattr(checks, name)(student, np.random.default_rng(seed)))
    seconds = (time.process_time() - before) / SEEDS
    right = not isinstance(answer, Mistake)
    return Row(name, answer.name if answer else "the reference", right, found, seconds)


def jobs(names: list[str]) -> Iterator[tuple[str, Answer | None]]:
    for name in names:
        yield name, None
        for answer in alternatives(FOUND):
            if answer.exercise == EXERCISE:
                yield name, answer
        for wrong in mistakes(FOUND):
            if wrong.exercise == EXERCISE and wrong.name in WRONG:
                yield name, wrong


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        rows = pool.map(measured, jobs(sys.argv[1:] or list(TRAININGS)))
        for training, group in itertools.groupby(rows, lambda row: row.training):
            done = []
            for row in group:
                done.append(row)
                print(f"{training}, {row.answer}: {row.seconds:.2f} CPU s", flush=True)
            for field, measure in TRAININGS[training].items():
                show(field, measure, done)


def show(field: str, measure: Measure, rows: list[Row]) -> None:
    side = "above" if measure.above else "below"
    print(f"\n{measure.words}, {side} {measure.limit:g} passes")
    print(f"{'':40} {'least':>9} {'median':>9} {'most':>9}   passes")
    for row in rows:
        values = [getattr(found, field) if field else found for found in row.found]
        passed = sum((value > measure.limit) == measure.above for value in values)
        print(
            f"{'right' if row.right else 'wrong'} {row.answer:34}",
            *(f"{value:9.4f}" for value in (min(values), float(np.median(values)), max(values))),
            f"{passed:5} of {SEEDS}",
            flush=True,
        )
    print(flush=True)


if __name__ == "__main__":
    main()
