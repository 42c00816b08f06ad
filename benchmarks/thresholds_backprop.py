"""How far right and wrong answers are from the threshold of train's check learns_a_sine.

A right answer has to stay well below the limit for every seed. The table also shows what the
check cannot see and other checks of train must (descends, several_outputs).

    OMP_NUM_THREADS=1 python benchmarks/thresholds_backprop.py
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np

from autograder.checks.test_backprop import SINE_LIMIT, sine_error
from autograder.course import load_assignment
from autograder.judging.answers import mistakes, reference_code
from reference_impl import backprop as reference

RIGHT, WRONG = 100, 20
"""Seeds for the reference and for each mistake."""

SHOWN = [
    ("train", "trains_a_copy"),
    ("train", "output_layer_only"),
    ("train", "biases_stay"),
    ("backward", "no_activation_slope"),
    ("backward", "two_forgotten"),
]


def with_mistake(exercise: str, name: str) -> SimpleNamespace:
    """`train` of a notebook in which one exercise is exchanged for a known mistake."""
    found = load_assignment("backprop")
    (wrong,) = (one for one in mistakes(found) if (one.exercise, one.name) == (exercise, name))
    names = vars(reference).copy()
    if exercise != "train":  # run anew, so that it finds the exchanged function
        exec(reference_code(found, "train"), names)
    exec(wrong.code, names)
    return SimpleNamespace(train=names["train"])


def row(name: str, answers: object, seeds: int) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong answers may overflow
        draws = map(np.random.default_rng, range(seeds))
        errors = [float(sine_error(answers, draw)) for draw in draws]
    under = sum(error < SINE_LIMIT for error in errors)
    numbers = f"{min(errors):9.4f} {np.median(errors):9.4f} {max(errors):9.4f}"
    return f"{name:32} {numbers}   {under:3} of {seeds}"


def main() -> None:
    print(
        f"{'mean squared error, unseen points':32} {'least':>8} {'median':>9} {'most':>9}   ",
        end="",
    )
    print(f"below {SINE_LIMIT}")
    print(row("right", reference, RIGHT))
    for exercise, name in SHOWN:
        print(row(f"wrong: {name}", with_mistake(exercise, name), WRONG))


if __name__ == "__main__":
    main()
