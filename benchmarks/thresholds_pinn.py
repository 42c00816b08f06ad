"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference and every alternative, wrong some of the mistakes, each with 20 seeds of
its first weights and points. A right answer has to stay well on the right side for every seed.
What a threshold cannot see, another one must: a rod that cools as it should may still be wrong
at its ends, and a model that is zero obeys every equation.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_pinn.py [exercise …]

Takes about ten minutes on two cores.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from autograder.checks import test_pinn as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("pinn")
SEEDS = 20
MEASURES = {
    "train_decay": (
        checks.decay,
        {
            "largest error": checks.DECAY_LIMIT,
            "largest residual": checks.DECAY_RESIDUAL_LIMIT,
        },
    ),
    "train_oscillator": (
        checks.oscillator,
        {
            "largest error": checks.OSCILLATOR_LIMIT,
            "x(0) from 1": checks.START_LIMIT,
            "x′(0) from 0": checks.SPEED_LIMIT,
        },
    ),
    "train_heat": (
        checks.heat,
        {"largest error": checks.HEAT_LIMIT, "error at the edges": checks.EDGE_LIMIT},
    ),
}
WRONG = {
    "train_decay": ["no_condition", "growth", "stops_too_soon"],
    "train_oscillator": ["no_conditions", "at_rest_forgotten", "stops_too_soon"],
    "train_heat": ["ends_forgotten", "alpha_of_1", "points_of_the_first_moment"],
}


class Row(NamedTuple):
    exercise: str
    answer: str
    right: bool
    values: np.ndarray
    seconds: float


def measured(job: tuple[str, Answer | None]) -> Row:
    """One answer, all seeds; CPU seconds of a single training and its judgement."""
    name, answer = job
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    errors, _ = MEASURES[name]
    values = []
    before = time.process_time()
    for seed in range(SEEDS):
        student.begin(name, seed)
        values.append(errors(student, np.random.default_rng(seed)).errors)
    seconds = (time.process_time() - before) / SEEDS
    right = not isinstance(answer, Mistake)
    words = answer.name if answer else "the reference"
    return Row(name, words, right, np.array(values), seconds)


def jobs(names: list[str]) -> Iterator[tuple[str, Answer | None]]:
    for name in names:
        yield name, None
        for answer in alternatives(FOUND):
            if answer.exercise == name:
                yield name, answer
        for wrong in mistakes(FOUND):
            if wrong.exercise == name and wrong.name in WRONG[name]:
                yield name, wrong


def main() -> None:
    shown = ""
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(measured, jobs(sys.argv[1:] or list(MEASURES))):
            _, limits = MEASURES[row.exercise]
            if row.exercise != shown:
                shown = row.exercise
                print(f"\n{shown}: least, median and most of {SEEDS} seeds, and how many pass")
            print(f"{'right' if row.right else 'wrong'} {row.answer} ({row.seconds:.2f} CPU s)")
            for column, (words, limit) in zip(row.values.T, limits.items(), strict=True):
                least, most, median = column.min(), column.max(), float(np.median(column))
                passed = int(np.sum(column < limit))
                print(
                    f"    {words:20} {least:8.1e} {median:8.1e} {most:8.1e}"
                    f"   {passed:2} below {limit:g}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
