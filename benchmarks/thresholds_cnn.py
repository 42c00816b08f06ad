"""How far right and wrong answers are from the thresholds of train_cnn.

Right are the reference and every alternative, wrong some of the mistakes, each with 20 seeds of
its data, first weights and batches. A right answer has to stay well on the right side for every
seed. What one threshold cannot see, another check must: a softmax before the loss hardly costs
accuracy, and shows in the loss; data that are not shuffled may be learnt all the same, and show
when the generator makes no difference.

    OMP_NUM_THREADS=1 python benchmarks/thresholds_cnn.py

Takes five minutes of one core.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import time

import numpy as np

from autograder.checks import test_cnn as checks
from autograder.course import load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess

FOUND = load_assignment("cnn")
SEEDS = 20
WRONG = (
    "not_shuffled",
    "labels_not_shuffled",
    "gradients_never_cleared",
    "softmax_before_the_loss",
    "logarithm_missing",
)


def measured(answer: Answer | None) -> tuple[np.ndarray, float]:
    """For each seed: accuracy and last loss on 16 × 16 spins, accuracy on 8 × 8; CPU seconds."""
    student = Student(InProcess(cells(FOUND, *([] if answer is None else [answer]))))
    rows = []
    before = time.process_time()
    for seed in range(SEEDS):
        student.begin("train_cnn", seed)
        draw = np.random.default_rng(seed)
        large, history = checks.trained(student, draw)
        small, _ = checks.trained(student, draw, side=8)
        rows.append([large, float(history[-1]), small])
    return np.array(rows), (time.process_time() - before) / SEEDS


def main() -> None:
    print(f"accuracy above {checks.ACCURACY_LIMIT:g}, last loss in [0, {checks.LOSS_LIMIT:g})")
    groups = ("accuracy 16 × 16", "last loss", "accuracy 8 × 8")
    print(f"{'':37}" + "".join(f"{group:^29}" for group in groups) + "  CPU s")
    numbers = f"{'least':>7}{'median':>7}{'most':>7} {'passes':>7}"
    print(f"{'':37}" + numbers * 3)
    own: list[Answer | None] = [None]
    own += [answer for answer in alternatives(FOUND) if answer.exercise == "train_cnn"]
    own += [answer for answer in mistakes(FOUND) if answer.name in WRONG]
    for answer in own:
        values, seconds = measured(answer)
        passed = values > checks.ACCURACY_LIMIT
        passed[:, 1] = (values[:, 1] >= 0) & (values[:, 1] < checks.LOSS_LIMIT)
        side = "wrong" if isinstance(answer, Mistake) else "right"
        line = f"{side} {answer.name if answer else 'the reference':31}"
        for column in range(3):
            one = values[:, column]
            line += f"{one.min():7.3f}{np.median(one):7.3f}{one.max():7.3f} "
            line += f"{passed[:, column].sum():4}/{SEEDS}"
        print(f"{line} {seconds:6.2f}", flush=True)


if __name__ == "__main__":
    main()
