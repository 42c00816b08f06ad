"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference and every alternative, wrong some of the mistakes, each with 20 seeds of
its data and its first weights. A right answer has to stay well on the right side for every seed.
What a threshold cannot see, another one must: two softmaxes in a row tell phases as well as one,
but cannot bring the loss down.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_ising.py

Takes about five minutes on one core.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograder.checks import test_ising as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("ising")
SEEDS = 20
WRONG = ["gradients_add_up", "two_softmaxes", "classes_exchanged", "pairs_torn_apart", "no_steps"]


class Measure(NamedTuple):
    words: str
    passes: str
    value: Callable[[Any], float]
    right: Callable[[float], bool]


TRAININGS: dict[Callable[..., Any], list[Measure]] = {
    checks.far: [
        Measure(
            "share told right, 16×16, far from T_c",
            f"above {checks.FAR_LIMIT:g}",
            lambda found: found.share,
            lambda value: value > checks.FAR_LIMIT,
        ),
        Measure(
            "lowest share of up, down and disordered",
            f"above {checks.SIDE_LIMIT:g}",
            lambda found: found.worst_side,
            lambda value: value > checks.SIDE_LIMIT,
        ),
        Measure(
            "loss of the last epoch",
            f"below {checks.LOSS_LIMIT:g}",
            lambda found: found.history[-1],
            lambda value: value < checks.LOSS_LIMIT,
        ),
    ],
    checks.near_share: [
        Measure(
            "share told right, 8×8, near T_c included",
            f"above {checks.NEAR_LIMIT:g}",
            float,
            lambda value: value > checks.NEAR_LIMIT,
        )
    ],
}
"""What is done, and what is measured of it."""


def main() -> None:
    own = [one for one in alternatives(FOUND) if one.exercise == "train_classifier"]
    wrong = [one for one in mistakes(FOUND) if one.exercise == "train_classifier"]
    answers = [None, *own, *(one for one in wrong if one.name in WRONG)]
    students = [Student(InProcess(cells(FOUND, *filter(None, [one])))) for one in answers]
    for training, measures in TRAININGS.items():
        found: list[list[Any]] = [[] for _ in answers]
        seconds = np.zeros(len(answers))
        for seed in range(SEEDS):  # outside: all answers share a seed's configurations
            for k, student in enumerate(students):
                before = time.process_time()
                student.begin("train_classifier", seed)
                found[k].append(training(student, np.random.default_rng(seed)))
                seconds[k] += (time.process_time() - before) / SEEDS
        for measure in measures:
            show(measure, answers, [list(map(measure.value, row)) for row in found], seconds)


def show(
    measure: Measure, answers: list[Answer | None], found: list[list[float]], seconds: np.ndarray
) -> None:
    print(f"\n{measure.words}, {measure.passes} passes")
    print(f"{'':40} {'least':>7} {'median':>7} {'most':>7}   passes   CPU s")
    for answer, row, second in zip(answers, found, seconds, strict=True):
        kind = "wrong" if isinstance(answer, Mistake) else "right"
        name = answer.name if answer else "the reference"
        passed = sum(measure.right(value) for value in row)
        print(
            f"{kind} {name:34}",
            *(f"{number:7.3f}" for number in (min(row), np.median(row), max(row))),
            f"{passed:5} of {SEEDS} {second:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
