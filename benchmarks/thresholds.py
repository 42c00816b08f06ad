"""How far right and wrong answers are from the thresholds of the trained checks.

Right are the reference and every alternative, wrong some of the mistakes, each with the same seeds
of its data and its first weights. A right answer has to stay well on the right side for every
seed. No threshold sees every fault: what one cannot see, another one or an exact step must.

    OMP_NUM_THREADS=1 python benchmarks/thresholds.py ASSIGNMENT [--seeds 20] [--answer WORD]

Takes between one minute (backprop) and ten (pinn) on two cores. With a word, only the answers whose
names contain it are tried.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import argparse
import functools
import importlib
import math
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import numpy as np

from autograder.course import load_assignment
from autograder.judging.answers import Answer, alternatives, cells, mistakes
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess


class Measure(NamedTuple):
    """A number that passes between its limits."""

    words: str
    value: Callable[[Any], float]
    above: float = -math.inf
    below: float = math.inf

    def passes(self, number: float) -> bool:
        return self.above < number < self.below


class Training(NamedTuple):
    """What a check has done, and what is measured of it."""

    exercise: str
    train: Callable[[Student, np.random.Generator], Any]
    measures: list[Measure]
    wrong: list[str]
    """Mistakes by name, those of another exercise as exercise.name."""


def backprop(checks: Any) -> list[Training]:
    """What this check cannot see, descends and several_outputs must."""
    words = "mean squared error, unseen points"
    wrong = ["trains_a_copy", "output_layer_only", "biases_stay"]
    wrong += ["backward.no_activation_slope", "backward.two_forgotten"]
    measures = [Measure(words, float, below=checks.SINE_LIMIT)]
    return [Training("train", checks.sine_error, measures, wrong)]


def training(checks: Any) -> list[Training]:
    """A network whose last layer alone is trained can learn a sine: exact steps must see it."""
    wrong = ["gradients_never_cleared", "batches_made_once", "no_step", "stops_too_soon"]
    wrong += ["mean_absolute_error", "output_layer_only"]

    def whole(student: Student, draw: np.random.Generator) -> Any:
        return checks.trained(student, draw, checks.PERIODS, checks.EPOCHS, None)

    def batches(student: Student, draw: np.random.Generator) -> Any:
        return checks.trained(student, draw, 1.0, checks.BATCH_EPOCHS, checks.BATCH_SIZE)

    unseen, best = itemgetter(1), "all data at once: best of the last 100 losses"
    at_once = [
        Measure("all data at once: unseen points", unseen, below=checks.UNSEEN_LIMIT),
        Measure(best, lambda found: min(found[0][-100:]), below=checks.LOSS_LIMIT),
    ]
    in_batches = [Measure("mini-batches: unseen points", unseen, below=checks.UNSEEN_LIMIT)]
    return [Training("train", whole, at_once, wrong), Training("train", batches, in_batches, wrong)]


def lennard_jones(checks: Any) -> list[Training]:
    """Energies alone can pass as a force between the data; forces alone know no energy's zero."""
    potential = ["energies_alone", "forces_alone", "sign_of_the_force", "stops_too_soon"]
    clusters = ["energies_left_standardised", "column_minus_row", "no_activation"]

    def explained(samples: int, atoms: int) -> Callable[[Student, np.random.Generator], float]:
        return lambda student, draw: checks.explained(
            *checks.unseen_clusters(student, draw, samples, atoms)
        )

    energy = Measure("energy, mean squared error", attrgetter("energy"), below=checks.ENERGY_LIMIT)
    force = Measure("force, mean squared error", attrgetter("force"), below=checks.FORCE_LIMIT)
    slope = Measure("force at six distances, relative", float, below=checks.SLOPE_LIMIT)
    return [
        Training("train_potential", checks.missed, [energy, force], potential),
        Training("train_potential", checks.slope_error, [slope], potential),
    ] + [
        Training(
            "train_cluster_model",
            explained(samples, atoms),
            [Measure(f"R², {words} atoms", float, above=checks.R2_LIMIT)],
            clusters,
        )
        for words, samples, atoms in (("four", 800, 4), ("three", 400, 3))
    ]


def ising(checks: Any) -> list[Training]:
    """Two softmaxes in a row tell phases as well as one, but cannot bring the loss down."""
    wrong = ["gradients_add_up", "two_softmaxes", "classes_exchanged", "pairs_torn_apart"]
    wrong += ["no_steps"]
    share, side = "share told right, 16×16, far from T_c", "lowest share of up, down and disordered"
    near = "share told right, 8×8, near T_c included"
    far = [
        Measure(share, attrgetter("share"), above=checks.FAR_LIMIT),
        Measure(side, attrgetter("worst_side"), above=checks.SIDE_LIMIT),
        Measure("loss of the last epoch", lambda found: found.history[-1], below=checks.LOSS_LIMIT),
    ]
    close = [Measure(near, float, above=checks.NEAR_LIMIT)]
    return [
        Training("train_classifier", checks.far, far, wrong),
        Training("train_classifier", checks.near_share, close, wrong),
    ]


def cnn(checks: Any) -> list[Training]:
    """A softmax before the loss hardly costs accuracy, and shows in the loss; data that are not
    shuffled may be learnt all the same, and show when the generator makes no difference."""
    wrong = ["not_shuffled", "labels_not_shuffled", "gradients_never_cleared"]
    wrong += ["softmax_before_the_loss", "logarithm_missing"]

    def both(student: Student, draw: np.random.Generator) -> tuple[float, float, float]:
        large, history = checks.trained(student, draw)
        small, _ = checks.trained(student, draw, side=8)
        return large, float(history[-1]), small

    measures = [
        Measure("accuracy, 16 × 16", itemgetter(0), above=checks.ACCURACY_LIMIT),
        Measure("last loss", itemgetter(1), above=0.0, below=checks.LOSS_LIMIT),
        Measure("accuracy, 8 × 8", itemgetter(2), above=checks.ACCURACY_LIMIT),
    ]
    return [Training("train_cnn", both, measures, wrong)]


def autoencoder(checks: Any) -> list[Training]:
    """What spoils the reconstruction may leave z alone."""
    wrong = ["gradients_never_cleared", "z_detached", "stops_too_soon"]
    disordered, ordered = "disordered ones, error", "ordered ones of the worse sign, error"
    magnetisation = "R² of the magnetisation on z"
    smaller = [
        Measure("unseen 12 × 12 ones, error", attrgetter("error"), below=checks.ERROR_LIMIT),
        Measure(disordered, attrgetter("disordered"), below=checks.DISORDERED_LIMIT),
        Measure(ordered, attrgetter("ordered"), below=checks.ORDERED_LIMIT),
        Measure(magnetisation, attrgetter("magnetisation"), above=checks.R2_LIMIT),
    ]
    unseen = [Measure("unseen configurations, error", float, below=checks.ERROR_LIMIT)]
    return [
        Training("train_autoencoder", checks.unseen_error, unseen, wrong),
        Training("train_autoencoder", checks.smaller, smaller, wrong),
    ]


def pinn(checks: Any) -> list[Training]:
    """A rod that cools as it should may still be wrong at its ends; a model that is zero obeys
    every equation."""

    def error(number: int) -> Callable[[Any], float]:
        return lambda found: float(found.errors[number])

    def measures(*limits: tuple[str, float]) -> list[Measure]:
        return [
            Measure(words, error(number), below=limit)
            for number, (words, limit) in enumerate(limits)
        ]

    decay = measures(
        ("decay: largest error", checks.DECAY_LIMIT),
        ("decay: largest residual", checks.DECAY_RESIDUAL_LIMIT),
    )
    oscillator = measures(
        ("oscillator: largest error", checks.OSCILLATOR_LIMIT),
        ("oscillator: x(0) from 1", checks.START_LIMIT),
        ("oscillator: x′(0) from 0", checks.SPEED_LIMIT),
    )
    heat = measures(
        ("heat: largest error", checks.HEAT_LIMIT),
        ("heat: error at the edges", checks.EDGE_LIMIT),
    )
    growing = ["no_condition", "growth", "stops_too_soon"]
    resting = ["no_conditions", "at_rest_forgotten", "stops_too_soon"]
    cooling = ["ends_forgotten", "alpha_of_1", "points_of_the_first_moment"]
    return [
        Training("train_decay", checks.decay, decay, growing),
        Training("train_oscillator", checks.oscillator, oscillator, resting),
        Training("train_heat", checks.heat, heat, cooling),
    ]


def symmetry(checks: Any) -> list[Training]:
    """What cannot be told on four atoms alone shows on three."""
    wrong = ["row_minus_column", "energies_left_standardised", "energies_not_shuffled_along"]

    def three(found: Any) -> float:
        return float(checks.explained_up_to_a_constant(*found.three))

    measures = [
        Measure("R², four atoms", lambda found: checks.explained(*found.four), checks.R2_LIMIT),
        Measure("R², three atoms", three, checks.OTHER_SIZE_LIMIT),
    ]
    return [Training("train_energy_model", checks.predictions, measures, wrong)]


def inverse_pinn(checks: Any) -> list[Training]:
    """One training gives the distances of α from the truth, from least squares on the same data,
    and from the end of its own history. Wrong answers are tried on the noisier data alone."""
    wrong = ["equation_forgotten", "data_forgotten", "far_too_much_weight_for_the_data"]
    wrong += ["stops_too_soon", "learning_rate_too_small"]

    def recovered(case: Any) -> Callable[[Student, np.random.Generator], list[float]]:
        def train(student: Student, draw: np.random.Generator) -> list[float]:
            truth, fit, alpha, history = checks.recovered(student, draw, case)
            end = checks.history_end(history)
            return [abs(alpha / truth - 1), abs(alpha / fit - 1), abs(end / alpha - 1)]

        return train

    limits = [
        ("truth", checks.TRUTH_LIMIT),
        ("least squares", checks.FIT_LIMIT),
        ("the history's end", checks.HISTORY_LIMIT),
    ]
    found = []
    for case, names in ((checks.NOISY, wrong), (checks.PRECISE, [])):
        low, high, noise = case
        words = f"α from {low} to {high}, noise {noise}: distance from"
        measures = [
            Measure(f"{words} {other}", itemgetter(number), below=limit)
            for number, (other, limit) in enumerate(limits)
        ]
        found.append(Training("recover_alpha", recovered(case), measures, names))
    return found


TABLES = {
    table.__name__: table
    for table in (
        *(backprop, training, lennard_jones, ising, cnn),
        *(autoencoder, pinn, symmetry, inverse_pinn),
    )
}


@functools.cache
def trainings(assignment: str) -> list[Training]:
    return TABLES[assignment](importlib.import_module(f"autograder.checks.test_{assignment}"))


def answers(assignment: str, one: Training, word: str) -> list[tuple[str, list[Answer]]]:
    """What is tried: how it is called, and what stands in for the reference's answers."""
    found = load_assignment(assignment)
    own = {other.name: other for other in alternatives(found) if other.exercise == one.exercise}
    wrong = {f"{other.exercise}.{other.name}": other for other in mistakes(found)}
    rows: list[tuple[str, list[Answer]]] = [("right the reference", [])]
    rows += [(f"right {name}", [answer]) for name, answer in own.items()]
    for name in one.wrong:
        key = name if "." in name else f"{one.exercise}.{name}"
        rows.append((f"wrong {name}", [wrong[key]]))
    return [row for row in rows if word in row[0].partition(" ")[2]]


@functools.cache
def students(assignment: str, number: int, word: str) -> list[Student]:
    found, one = load_assignment(assignment), trainings(assignment)[number]
    rows = answers(assignment, one, word)
    return [Student(InProcess(cells(found, *stand_ins))) for _, stand_ins in rows]


def measured(job: tuple[str, int, str, int]) -> list[tuple[list[float], float]]:
    """Of each answer, with one seed: its numbers, and the CPU seconds of training and judgement.
    The answers share the seed's data."""
    assignment, number, word, seed = job
    one, rows = trainings(assignment)[number], []
    for student in students(assignment, number, word):
        before = time.process_time()
        student.begin(one.exercise, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wrong answers may overflow
            found = one.train(student, np.random.default_rng(seed))
        numbers = [float(measure.value(found)) for measure in one.measures]
        rows.append((numbers, time.process_time() - before))
    return rows


def show(measure: Measure, names: list[str], numbers: np.ndarray, seconds: np.ndarray) -> None:
    """Numbers by seed and answer."""
    limits = f"above {measure.above:g}" if measure.above > -math.inf else ""
    limits += " and " * (limits != "" and measure.below < math.inf)
    limits += f"below {measure.below:g}" if measure.below < math.inf else ""
    print(f"\n{measure.words}, {limits} passes")
    print(f"{'':52} {'least':>10} {'median':>10} {'most':>10}    passes   CPU s")
    for name, column, cost in zip(names, numbers.T, seconds.mean(axis=0), strict=True):
        three = (column.min(), float(np.median(column)), column.max())
        passed = sum(measure.passes(number) for number in column)
        print(
            f"{name:52}",
            *(f"{number:10.4g}" for number in three),
            f"{passed:3} of {len(column)} {cost:7.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How far answers are from the thresholds.")
    parser.add_argument("assignment", choices=list(TABLES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--answer", default="", help="only those whose names contain it")
    asked = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        for number, one in enumerate(trainings(asked.assignment)):
            names = [name for name, _ in answers(asked.assignment, one, asked.answer)]
            if not names:
                continue
            jobs = [(asked.assignment, number, asked.answer, seed) for seed in range(asked.seeds)]
            rows = list(pool.map(measured, jobs))
            numbers = np.array([[found for found, _ in row] for row in rows])
            seconds = np.array([[cost for _, cost in row] for row in rows])
            for column, measure in enumerate(one.measures):
                show(measure, names, numbers[:, :, column], seconds)


if __name__ == "__main__":
    main()
