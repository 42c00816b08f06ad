"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference and every alternative, wrong some of the mistakes, each with 20 seeds
of its data and its first weights. A right answer has to stay well on the right side for every
seed. What a threshold cannot see, another one must: energies alone can pass as a force between
the data, and forces alone know nothing of the energy's zero.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_lennard_jones.py

Takes a few minutes on two cores.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from autograder.checks import test_lennard_jones as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("lennard_jones")
SEEDS = 20
WRONG = {
    "train_potential": ["energies_alone", "forces_alone", "sign_of_the_force", "stops_too_soon"],
    "train_cluster_model": ["energies_left_standardised", "column_minus_row", "no_activation"],
}


class Measure(NamedTuple):
    exercise: str
    words: str
    above: bool
    limit: float


MEASURES = {
    "energy_error": Measure(
        "train_potential", "energy, mean squared error", False, checks.ENERGY_LIMIT
    ),
    "force_error": Measure(
        "train_potential", "force, mean squared error", False, checks.FORCE_LIMIT
    ),
    "slope_error": Measure(
        "train_potential", "force at six distances, relative", False, checks.SLOPE_LIMIT
    ),
    "four_atoms": Measure("train_cluster_model", "R², four atoms", True, checks.R2_LIMIT),
    "three_atoms": Measure("train_cluster_model", "R², three atoms", True, checks.R2_LIMIT),
}


class Row(NamedTuple):
    measure: str
    answer: str
    right: bool
    values: list[float]
    seconds: float


def measured(job: tuple[str, Answer | None]) -> Row:
    """One answer, one measure, all seeds; CPU seconds of a single training and its judgement."""
    name, answer = job
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    values = []
    before = time.process_time()
    for seed in range(SEEDS):
        student.begin(MEASURES[name].exercise, seed)
        draw = np.random.default_rng(seed)
        if name == "four_atoms":
            values.append(checks.explained(*checks.unseen_clusters(student, draw, 800, 4)))
        elif name == "three_atoms":
            values.append(checks.explained(*checks.unseen_clusters(student, draw, 400, 3)))
        else:
            values.append(getattr(checks, name)(student, draw))
    seconds = (time.process_time() - before) / SEEDS
    right = not isinstance(answer, Mistake)
    return Row(name, answer.name if answer else "the reference", right, values, seconds)


def jobs() -> Iterator[tuple[str, Answer | None]]:
    for name, measure in MEASURES.items():
        yield name, None
        for answer in alternatives(FOUND):
            if answer.exercise == measure.exercise:
                yield name, answer
        for wrong in mistakes(FOUND):
            if wrong.exercise == measure.exercise and wrong.name in WRONG[wrong.exercise]:
                yield name, wrong


def main() -> None:
    shown = ""
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(measured, jobs()):
            measure = MEASURES[row.measure]
            if row.measure != shown:
                shown = row.measure
                side = "above" if measure.above else "below"
                print(f"\n{measure.words}, {side} {measure.limit:g} passes")
                print(f"{'':40} {'least':>9} {'median':>9} {'most':>9}   passes   CPU s")
            passed = sum((value > measure.limit) == measure.above for value in row.values)
            numbers = [min(row.values), float(np.median(row.values)), max(row.values)]
            shape = "9.4f" if measure.above else "9.1e"
            print(
                f"{'right' if row.right else 'wrong'} {row.answer:34}",
                *(f"{number:{shape}}" for number in numbers),
                f"{passed:5} of {SEEDS} {row.seconds:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
