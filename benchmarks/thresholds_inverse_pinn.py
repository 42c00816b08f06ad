"""How far right and wrong answers are from the thresholds of recover_alpha's checks.

Right are the reference and every alternative, wrong some of the mistakes (on the noisier data
alone), each with 20 seeds of its data and its first weights. One training gives all three
numbers: the distance of α from the truth, from least squares on the same data, and from the end
of its own history.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_inverse_pinn.py

Takes several minutes on two cores. A word after the command picks the answers whose names
contain it.
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

from autograder.checks import test_inverse_pinn as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("inverse_pinn")
SEEDS = 20
CASES = {"noisy": checks.NOISY, "precise": checks.PRECISE}
WRONG = [
    "equation_forgotten",
    "data_forgotten",
    "far_too_much_weight_for_the_data",
    "stops_too_soon",
    "learning_rate_too_small",
]


class Row(NamedTuple):
    case: str
    answer: str
    right: bool
    errors: np.ndarray
    """Relative distances from truth, least squares and history, (SEEDS, 3)."""
    seconds: float


def measured(job: tuple[str, Answer | None]) -> Row:
    """One answer and one kind of data, all seeds; CPU seconds of a single training."""
    case, answer = job
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    errors = []
    before = time.process_time()
    for seed in range(SEEDS):
        student.begin("recover_alpha", seed)
        draw = np.random.default_rng(seed)
        truth, fit, alpha, history = checks.recovered(student, draw, CASES[case])
        end = checks.history_end(history)
        errors.append([abs(alpha / truth - 1), abs(alpha / fit - 1), abs(end / alpha - 1)])
    seconds = (time.process_time() - before) / SEEDS
    name = answer.name if answer else "the reference"
    return Row(case, name, not isinstance(answer, Mistake), np.array(errors), seconds)


def jobs(word: str) -> Iterator[tuple[str, Answer | None]]:
    known = [answer for answer in alternatives(FOUND) if answer.exercise == "recover_alpha"]
    wrong = [answer for answer in mistakes(FOUND) if answer.name in WRONG]
    for case in CASES:
        if word in "the reference":
            yield case, None
        for answer in known + (wrong if case == "noisy" else []):
            if word in answer.name:
                yield case, answer


def main() -> None:
    limits = np.array([checks.TRUTH_LIMIT, checks.FIT_LIMIT, checks.HISTORY_LIMIT])
    shown = ""
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(measured, jobs("".join(sys.argv[1:]))):
            if row.case != shown:
                shown = row.case
                low, high, noise = CASES[shown]
                print(f"\nα from {low} to {high}, noise {noise}; median and worst distance / %")
                print(
                    f"{'':44} {'truth':>14} {'least squares':>15} {'history':>15}"
                    f"   passes (< {', '.join(f'{100 * limit:g}' for limit in limits)})  CPU s"
                )
            numbers = " ".join(
                f"{np.median(column):7.2f} {column.max():7.2f}" for column in 100 * row.errors.T
            )
            passed = " ".join(f"{count:2}" for count in (row.errors < limits).sum(axis=0))
            print(
                f"{'right' if row.right else 'wrong'} {row.answer:38} {numbers}"
                f"   {passed} of {SEEDS} {row.seconds:14.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
