"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference, every other way of training, and other models in the hands of the
reference and of plain Adam; wrong are some of the mistakes. Each has 20 seeds of its data and its
first weights, and is judged on four atoms, which it has seen, and on three, which it has not. A
right answer has to stay well above the limit for every seed. What the limit on four atoms cannot
see, a mean for a sum, the one on three atoms does.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_symmetry.py

Takes about five minutes of CPU.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import time
from collections.abc import Iterator

import numpy as np

from autograder.checks import test_symmetry as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("symmetry")
SEEDS = 20
OTHER_MODELS = ["deep_sets_of_distances", "squared_distances_in_double_precision"]
WRONG = [
    "mean_over_the_pairs",
    "row_minus_column",
    "energies_left_standardised",
    "energies_not_shuffled_along",
]


def answers() -> Iterator[tuple[str, list[Answer]]]:
    """What to measure: a name, and the answers that stand in for the reference's."""
    yield "the reference", []
    ways = [a for a in alternatives(FOUND) if a.exercise == "train_energy_model"]
    for way in ways:
        yield way.name, [way]
    adam = next(way for way in ways if way.name == "fast_adam_with_decay")
    for model in alternatives(FOUND):
        if model.name in OTHER_MODELS:
            yield f"{model.name}, Adam", [model, adam]
    for wrong in mistakes(FOUND):
        if wrong.name in WRONG:
            yield wrong.name, [wrong]


def scores(student: Student, seed: int) -> tuple[float, float]:
    """R² on unseen clusters of four atoms, and on three atoms up to a constant."""
    student.begin("train_energy_model", seed)
    found = checks.predictions(student, np.random.default_rng(seed))
    return checks.explained(*found.four), checks.explained_up_to_a_constant(*found.three)


def main() -> None:
    limits = checks.R2_LIMIT, checks.OTHER_SIZE_LIMIT
    print(f"{'':52} four atoms, above {limits[0]:g}     three atoms, above {limits[1]:g}")
    print(f"{'':52} {'least':>8} {'median':>8} passes {'least':>8} {'median':>8} passes   CPU s")
    for name, stand_ins in answers():
        student = Student(InProcess(cells(FOUND, *stand_ins)))
        before = time.process_time()
        found = np.array([scores(student, seed) for seed in range(SEEDS)])
        seconds = (time.process_time() - before) / SEEDS
        right = not any(isinstance(answer, Mistake) for answer in stand_ins)
        columns = [
            f"{column.min():8.4f} {np.median(column):8.4f} {np.sum(column > limit):3} of {SEEDS}"
            for column, limit in zip(found.T, limits, strict=True)
        ]
        print(f"{'right' if right else 'wrong'} {name:46}", *columns, f"{seconds:6.2f}", flush=True)


if __name__ == "__main__":
    main()
