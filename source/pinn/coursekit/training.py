"""What a training did, from the notes of a witness (`witness.py`).

`watched` lets a student's training function train a witness; each method of `Watched` is a fact
about it, and raises a CheckFailed that says what is wrong. Rows are told by value: which sample
a row is does not depend on what a training does to the order.

A worker in hostile hands could forge notes. So the facts only take marks: `learns` comes with
each of them, and what the training of a real network is good for is another check's business.

A fact is wrong about a right answer only where two random orders agree by chance. With 100
samples or more that does not happen (1 in 100! for orders, below 10⁻²⁰ for ways to make batches).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .compare import CheckFailed, attribute, holds, kind_of, measured, number

SAMPLES = 523
"""More than a batch has, and a prime: with batches of any size the last one is smaller (11 rows
where the others have 16, 32, 64, 128 or 256), so that a mean over batches is not the mean over
samples."""

_TOLERANCE = 1e-4  # float32, summed in any order

Loss = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Of (inputs, outputs, numbers of the samples), the loss of each row."""


@dataclass(frozen=True)
class Pass:
    """One forward pass: which samples (−1: none of them), the loss of each, what was noted."""

    rows: np.ndarray
    losses: np.ndarray
    training: bool
    learnt: bool
    moved: float
    cleared: bool | None
    of: Callable[[np.ndarray], np.ndarray]
    """What the losses would be if these outputs were compared with what belongs to others of the
    samples."""
    strays: Callable[[], float]
    """By how much the gradient that came back to the outputs has another direction than the
    loss's, 0 if by nothing."""


@dataclass(frozen=True)
class Watched:
    """A training as its witness saw it."""

    samples: int
    told: int
    """How many epochs it was to make at most."""
    cut: bool
    """Whether the notes end before the training does: what is beyond them is not asked for."""
    history: list[float]
    without_history: str
    """What to say where it is empty."""
    passes: list[Pass]
    ends_random: bool
    moved: float
    """Parameters, from the last pass to the end."""
    still: bool
    """Some weights or biases end as they began."""
    before: float
    after: float
    """The loss on the data in evaluation mode, without any training and with it."""

    # ------------------------------------------------------------------------- what it did

    @property
    def steps(self) -> list[Pass]:
        """The passes that something was learnt from."""
        return [one for one in self.passes if one.learnt]

    @property
    def epochs(self) -> list[list[Pass]]:
        """The steps, cut where each sample has had its turn (or, where the data were enlarged by
        copies of a kind that counts as the same, as many turns as there are copies). Those beyond
        what it was told are left out, and one that the notes tell half of."""
        order, count = self.order, len(self.used)
        fits = [n for n in range(1, 65) if _as_often(order[: n * count], self.used)]
        even = not self.cut and self.history and len(self.steps) % len(self.history) == 0
        if not fits and even:
            size = len(self.steps) // len(self.history)
            return [self.steps[k : k + size] for k in range(0, len(self.steps), size)]
        claimed = len(order) / count / max(len(self.history), 1)
        turns = claimed if claimed in fits else min(fits, default=1)
        done, found = 0, []  # type: int, list[list[Pass]]
        for step in self.steps:
            if done >= len(found) * turns * count:
                found.append([])
            found[-1].append(step)
            done += len(step.rows)
        return found[: len(found) - self.cut][: self.told]

    @property
    def whole(self) -> bool:
        """Each step was made with all samples at once."""
        return all(_as_often(step.rows, self.used) for step in self.steps)

    @property
    def used(self) -> np.ndarray:
        """The samples that something was learnt from; others may be kept back to look at."""
        return np.unique(self.order)

    @property
    def order(self) -> np.ndarray:
        """The samples in the order in which something was learnt from them."""
        return np.concatenate([step.rows for step in self.steps] or [np.empty(0, int)])

    # ----------------------------------------------------------------------------- facts

    def learns(self) -> None:
        """The network that was handed over has learnt, from the weights that it had: it gets
        better, or at least its steps point downhill. With some wrong losses the first is chance
        (of logits without their logarithm, say, which then only grow), the second never is."""
        words = "learns nothing: is it a copy?"
        if self.moved > 0:
            words = "gets weights that another one has learnt, a copy of it maybe: train it itself"
        holds(bool(self.steps), f"the model that was handed over {words}")
        moved = self.moved + sum(one.moved for one in self.passes[1:])
        holds(moved > 0, "the model that was handed over keeps its weights")
        holds(self.passes[0].moved == 0, "the model gets other weights before it is trained")
        downhill = 2 * sum(step.strays() < 1 for step in self.steps) > len(self.steps)
        better = self.after < self.before or downhill
        holds(better, "the model that was handed over does not get better")

    def moves_every_layer(self) -> None:
        """No weights and no biases are left out: each has a part in the output."""
        self.learns()
        holds(not self.still, "some layers keep the weights or biases with which they began")

    def sees_the_data(self) -> None:
        """Every row that was shown is one of the data."""
        self.learns()
        holds(bool((self.order >= 0).all()), "the model is trained on other inputs than the data")

    def shows_each_sample_once(self) -> None:
        """In every epoch each sample has its turn, as often as any other. A part of the data, up
        to three tenths, may be kept back to be looked at."""
        self.sees_the_data()
        looked = [one.rows for one in self.passes if not one.learnt]
        seen = np.unique(np.concatenate([self.used, *looked]))
        holds(
            len(self.used) >= 0.7 * self.samples and len(seen) == self.samples,
            "some samples are never shown",
        )
        if self.whole:
            return
        alike = (
            all(_as_often(np.concatenate([step.rows for step in e]), self.used) for e in one.epochs)
            for one in (self, self._batch_by_batch())
        )
        holds(any(alike), "in an epoch some samples are shown more often than others, or never")

    def makes_new_batches(self) -> None:
        """The data come in batches, others in every epoch."""
        self.sees_the_data()
        holds(not self.whole, "every step is made with all data at once, not with a batch")
        self.shuffles_again()

    def shuffles_again(self) -> None:
        """No epoch has the batches of the one before, unless its only batch is all there is."""
        self.sees_the_data()
        if self.whole:
            return
        epochs = self._batch_by_batch().epochs
        parts = [frozenset(frozenset(step.rows.tolist()) for step in e) for e in epochs]
        holds(
            all(one != other or len(one) == 1 for one, other in itertools.pairwise(parts)),
            "the batches of an epoch are those of the epoch before; they should be drawn anew",
        )

    def follows_the_loss(self, name: str) -> None:
        """Each step has the gradient of this loss, or some part of it. Labels that are smoothed by
        a tenth turn it by 0.09 at most, probabilities for logits by 0.3 or more."""
        self.sees_the_data()
        holds(
            all(step.strays() < 0.12 for step in self.steps),
            f"the model is trained on something else than the {name}",
        )

    def is_ordered_like(self, again: Watched) -> None:
        """Another run with the same seed: the global random state has no say."""
        self.sees_the_data()
        holds(
            self._is_like(again),
            "the same generator gives another order: it does not come from the generator alone",
        )

    def is_not_ordered_like(self, other: Watched) -> None:
        """Another run with another seed."""
        self.sees_the_data()
        holds(
            not self._is_like(other),
            "generators with other seeds give the same order: it does not come from the generator",
        )

    def _is_like(self, other: Watched) -> bool:
        """How often a line search tries a batch may depend on a dropout."""
        one, two = self._batch_by_batch().order, other._batch_by_batch().order
        shorter = min(len(one), len(two)) if self.cut or other.cut else None
        return np.array_equal(one[:shorter], two[:shorter])

    def trains_in_training_mode(self) -> None:
        """From the first step to the last."""
        self.learns()
        modes = [step.training for step in self.steps]
        holds(any(modes), "the model is never in training mode while it learns")
        holds(modes[0], "the model is not in training mode when the training begins")
        holds(all(modes), "the model does not stay in training mode: later steps are made without")

    def steps_once_a_batch(self) -> None:
        """The parameters move with each batch; a schedule may begin or end at zero. Where all data
        come at once a pass need not be a step: a line search makes several."""
        self.learns()
        if self.whole:
            return
        first = {id(one) for one in self._batch_by_batch().steps}
        moves: list[float] = []  # after each batch, until the next
        for one in self.passes:
            if moves:
                moves[-1] += one.moved
            if id(one) in first:
                moves.append(0.0)
        moves[-1] += self.moved
        still = sum(move == 0 for move in moves)
        holds(2 * still < len(moves), "the parameters do not move with every batch")

    def shows_most_of_the_data(self) -> None:
        """The batches of all epochs, or of as many as the history tells of, are not a few."""
        self.learns()
        asked = self.samples * min(self.told, len(self.history) or self.told)
        most = self.cut or 2 * len(self.order) > asked
        holds(most, "an epoch ends long before all data have been shown")

    def clears_gradients(self) -> None:
        """No step is made with what earlier steps left."""
        self.learns()
        kept = [step.cleared is False for step in self.steps]
        holds(not any(kept), "gradients of earlier batches are added to those of the present one")

    def ends_in_evaluation_mode(self) -> None:
        """Two calls agree, whatever flag says so."""
        self.learns()
        holds(not self.ends_random, "the model is left in training mode: two calls differ")

    def reports_the_mean_loss(self, *, afterwards: bool = True, any_loss: bool = False) -> None:
        """The history is the mean over an epoch's samples, each with the weights of its turn; or,
        where `afterwards` allows it, of the data looked through at the end of the epoch.

        With `any_loss` another loss, or another unit, may be what is brought down: then only what
        is known to be no mean of the loss is wrong.
        """
        self.sees_the_data()
        if not self.history:
            raise CheckFailed("type", self.without_history)
        count, tries = len(self.history), 2 if any_loss else 1  # of a line search
        words = f"told {self.told} epochs, it returns {measured(count)} losses"
        holds(count <= tries * self.told, words)
        if any_loss and any(_as_often(step.rows, self.used) for step in self.steps):
            return  # of a line search's tries nobody knows which belong to an epoch
        if self.whole:
            seen = iter([_mean([one]) for one in self.passes])
            fits = all(any(_near(loss, one) for one in seen) for loss in self.history)
            holds(fits or self.cut, "the history is not the loss on the data")
            return
        wrong = self._misreported(afterwards, any_loss)
        if wrong and not self._batch_by_batch()._misreported(afterwards, any_loss):
            wrong = ""
        holds(not wrong, wrong)

    def _batch_by_batch(self) -> Watched:
        """Of a batch that is shown several times in a row, turned over say or by a line search,
        the first time alone."""
        kept, before = [], np.empty(0, int)
        for one in self.passes:
            rows = np.sort(one.rows) if one.learnt else before
            if not one.learnt or not np.array_equal(rows, before):
                kept.append(one)
            before = rows
        return dataclasses.replace(self, passes=kept)

    def _misreported(self, afterwards: bool, any_loss: bool) -> str:
        """What is wrong with the history of a training in batches."""
        epochs = self.epochs
        more = len(self.history) - len(epochs)
        if more < 0 or (more and not self.cut):
            return "the history should hold one loss for each epoch"
        for epoch, claimed in zip(epochs, self.history, strict=False):
            losses = [step.losses for step in epoch]
            if _near(claimed, _mean(epoch)):
                continue
            if afterwards and self._looked_through(epoch[-1], claimed):
                continue
            if _near(claimed, float(losses[-1].mean())):
                return "the history holds the loss of each epoch's last batch, not the mean"
            if _near(claimed, float(np.mean([one.mean() for one in losses]))):
                return "the history is a mean over batches: a smaller batch weighs as much"
            if _near(claimed, float(sum(one.mean() for one in losses))):
                return "the history is a sum over batches, not the mean over samples"
            if _near(claimed, float(np.concatenate(losses).sum())):
                return "the history is a sum over samples, not the mean"
            if said := self._always_compared_wrongly or self._carried_on:
                return said
            if not any_loss:
                words = "the history is not the mean loss over the samples of each epoch"
                return f"{words}{self._factor}"
        return ""

    @functools.cached_property
    def _always_compared_wrongly(self) -> str:
        """What holds in every epoch: in one it may be chance."""
        told = {*map(self._compared_wrongly, self.epochs, self.history)}
        return told.pop() if len(told) == 1 else ""

    def _compared_wrongly(self, epoch: list[Pass], claimed: float) -> str:
        """Each output was compared with what belongs to another sample, or with all there is."""
        before = np.cumsum([0, *(len(step.rows) for step in epoch)])
        places = [np.arange(one, other) for one, other in itertools.pairwise(before)]
        if before[-1] <= self.samples:  # else there are no such places
            others = [step.of(rows) for step, rows in zip(epoch, places, strict=True)]
            if _near(claimed, float(np.concatenate(others).mean())):
                return (
                    "the history compares each output with the target of another sample: the "
                    "inputs are shuffled and the targets are not"
                )
        turned = [[np.roll(step.rows, shift) for shift in range(len(step.rows))] for step in epoch]
        tables = [
            float(np.mean([step.of(rows).mean() for rows in turns]))
            for step, turns in zip(epoch, turned, strict=True)
        ]
        weights = [len(step.rows) for step in epoch]
        if _near(claimed, float(np.average(tables, weights=weights))):
            return (
                "the history compares every output with every target: (n, 1) and (n,) make a "
                "table (n, n)"
            )
        return ""

    @functools.cached_property
    def _means(self) -> np.ndarray:
        """Each epoch's mean loss over the samples, as the history should hold it."""
        return np.array([_mean(epoch) for epoch in self.epochs])

    @functools.cached_property
    def _carried_on(self) -> str:
        """The first epoch's loss is its own, and in all others those before have a part: two of
        them at least, as one number fits one."""
        means = self._means
        history = np.array(self.history[: len(means)])
        if len(means) < 3 or history.shape != means.shape or not _near(history[0], means[0]):
            return ""
        before, own = history[:-1] - means[1:], history[1:] - means[1:]
        share = np.clip(before @ own / max(before @ before, 1e-300), 0, 1)
        again = _near(float(share), 1.0)
        kept = "the first epoch's loss again" if again else "a running mean over epochs"
        for carried, words in (
            (np.cumsum(means) / np.arange(1, len(means) + 1), "the mean over all epochs so far"),
            (np.append(means[0], means[1:] + share * before), kept),
        ):
            if np.allclose(history, carried, rtol=_TOLERANCE, atol=0):
                return f"the history holds {words}, not the mean loss of each epoch"
        return ""

    @property
    def _factor(self) -> str:
        """How the history differs, where that is the same in every epoch."""
        means = self._means
        history = np.array(self.history[: len(means)])
        if np.ptp(means) <= 10 * _TOLERANCE * np.abs(means).max() or not (means > 0).all():
            return ""
        ratios = history / means
        same = _near(float(ratios.min()), float(ratios.max()))
        if same and 0 < ratios.mean() < 1e4 and abs(ratios.mean() - 1) > 0.005:
            return f": it is {measured(ratios.mean())} times that"
        if np.allclose(history**2, means, rtol=_TOLERANCE):
            return ": it is the square root of that"
        return ""

    def _looked_through(self, step: Pass, claimed: float) -> bool:
        """Was `claimed` the mean over all samples between this last step of an epoch and the next
        one's first?"""
        (at,) = [number for number, one in enumerate(self.passes) if one is step]
        seen = list(itertools.takewhile(lambda one: not one.learnt, self.passes[at + 1 :]))
        rows = np.concatenate([one.rows for one in seen]) if seen else np.empty(0, int)
        every = np.arange(self.samples)
        return any(_as_often(rows, some) for some in (every, self.used)) and _near(
            claimed, _mean(seen)
        )


def watched(
    witness: Any,
    X: np.ndarray,
    train: Callable[[Any, int], Any],
    name: Callable[[np.ndarray], Sequence[bytes]],
    loss: Loss,
    epochs: int,
    *,
    mode: bool = False,
) -> Watched:
    """What a witness noted of `train(witness, epochs)`, which returns the history.

    It is handed over in evaluation mode, or in training mode if `mode` says so. X: the samples.
    name: gives rows their names, the same for rows that a training may show in each other's place
    (flipped, say). loss: of each row.
    """
    numbers = {one: n for n, one in enumerate(name(X))}
    shown = torch.tensor(X, dtype=torch.float32)
    witness.eval()
    witness(shown)
    witness.train(mode)
    returned = train(witness, epochs)
    try:
        history, problem = losses(returned), "should return a loss for each epoch"
    except CheckFailed as failed:  # which is the history's fault alone
        history, problem = [], failed.text
    ending = attribute(witness, "ending")
    witness.eval()
    witness(shown)
    try:
        notes = attribute(witness, "notes")
        first, *passes, last = [_pass(note, numbers, name, loss) for note in notes]
        return Watched(
            samples=len(numbers),
            told=epochs,
            cut=ending["cut"] is True,
            history=history,
            without_history=problem,
            passes=passes,
            ends_random=not ending["agree"],
            moved=number(ending["moved"]),
            still=ending["still"] is True,
            before=_mean([first]),
            after=_mean([last]),
        )
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise CheckFailed("type", "left notes that cannot be read", detail=str(error)) from None


def _pass(
    note: dict[str, Any],
    numbers: dict[bytes, int],
    name: Callable[[np.ndarray], Sequence[bytes]],
    loss: Loss,
) -> Pass:
    x = np.asarray(note["x"].numpy(), dtype=float)
    output = np.asarray(note["output"].numpy(), dtype=float)
    rows = np.array([numbers.get(one, -1) for one in name(x)], dtype=int)
    learnt = note["gradient"] is not None
    gradient = note["gradient"].double().numpy() if learnt else np.zeros_like(output)
    if output.ndim != 2 or gradient.shape != output.shape:
        raise ValueError("a gradient of another shape than the outputs")
    return Pass(
        rows,
        loss(x, output, rows),
        note["training"] is True,
        learnt,
        number(note["moved"]),
        note["cleared"],
        functools.partial(loss, x, output),
        functools.partial(_strays, gradient, x, output, rows, loss),
    )


def _strays(
    gradient: np.ndarray, x: np.ndarray, output: np.ndarray, rows: np.ndarray, loss: Loss
) -> float:
    """The sine of the angle between this gradient and that of the loss, 1 beyond a right angle."""
    step = 1e-5 * np.eye(output.shape[1])
    slope = [loss(x, output + one, rows) - loss(x, output - one, rows) for one in step]
    found, wanted = gradient.ravel(), np.array(slope).T.ravel()
    size = float(np.linalg.norm(wanted) * np.linalg.norm(found))
    if size == 0:  # nothing is asked of such a step, or nothing was learnt from it
        return 0.0
    along = float(found @ wanted) / size
    return math.sqrt(max(0.0, 1 - along**2)) if along > 0 else 1.0


def keeps_to_its_epochs(counter: Any, epochs: int, steps: int = 1) -> None:
    """At least one optimiser has made no more than `steps` iterations for each of so many epochs,
    and eighty, for they may come in blocks."""
    made = number(counter.idlest())
    words = f"told {epochs} epochs, every optimiser makes {measured(made)} iterations"
    holds(made <= epochs * steps + 80, words)


def losses(history: Any) -> list[float]:
    """A history as floats; arrays, tensors and one-element losses will do."""
    if hasattr(history, "tolist") and getattr(history, "ndim", 0) == 1:
        history = history.tolist()
    if not isinstance(history, (list, tuple)):
        raise CheckFailed("type", f"should return a list of losses, returns {kind_of(history)}")
    return [number(_single(one)) for one in history]


def went(history: Any) -> str:
    """What the losses tell of a training that is not good enough, "" if nothing."""
    values = _positive(history)
    if values and min(values) > 0.9 * values[0]:
        return "the losses hardly fall on the way"
    return "the losses are still falling at the end" if values and _moves(values) < -0.05 else ""


def unsettled(history: Any) -> bool:
    """Do the values of what is looked for still move when the training ends?"""
    values = _positive(history)
    return bool(values) and abs(_moves(values)) > 0.05


def _positive(history: Any) -> list[float]:
    """A history of more than a few positive numbers, or none."""
    try:
        values = losses(history)
    except CheckFailed:
        return []
    return values if len(values) >= 5 and min(values) > 0 else []


def _moves(values: list[float]) -> float:
    """By what part the last tenth of them is larger in the mean than the tenth before."""
    tenth = max(1, len(values) // 10)
    return sum(values[-tenth:]) / sum(values[-2 * tenth : -tenth]) - 1


def _single(value: Any) -> Any:
    if getattr(value, "ndim", 0) and getattr(value, "shape", None) in ((1,), (1, 1)):
        return value.reshape(())
    return value


# ------------------------------------------------------------------------------ rows and losses


def by_value(rows: np.ndarray) -> list[bytes]:
    """Names of rows that are shown as they are: their values, to float32's digits."""
    flat = np.round(rows.reshape(len(rows), -1), 4) + 0.0  # no −0
    return [row.tobytes() for row in flat]


def up_to_symmetry(rows: np.ndarray) -> list[bytes]:
    """Names of lattices of ±1, the same for those that a flip of all spins, a translation, a
    rotation or a reflection makes of each other."""
    flat = rows.reshape(len(rows), -1)
    if not (np.abs(flat) == 1).all():
        return [b""] * len(flat)
    codes = (flat > 0).astype(float) @ _bits(math.isqrt(flat.shape[1]))
    codes = np.minimum(codes, 2.0 ** flat.shape[1] - 1 - codes)  # all spins flipped
    return [code.tobytes() for code in codes.min(axis=1)]


@functools.cache
def _bits(side: int) -> np.ndarray:
    """The bit for which a site stands, (sites, symmetries of the lattice); up to 7 × 7 sites, so
    that a float holds them all."""
    assert side <= 7
    bits = 2.0 ** np.arange(side * side).reshape(side, side)
    turned = [np.rot90(one, k) for one in (bits, bits.T) for k in range(4)]
    shifts = itertools.product(range(side), range(side))
    return np.array([np.roll(one, shift, (0, 1)).ravel() for shift in shifts for one in turned]).T


def up_to_motion(rows: np.ndarray) -> list[bytes]:
    """Names of clusters on a grid of `GRID`, the same for those that a shift, a turn, a mirror or
    another numbering makes of each other: their squared distances are whole numbers."""
    places = rows.reshape(len(rows), -1, 3) / GRID
    first, second = np.triu_indices(places.shape[1], 1)
    squares = ((places[:, first] - places[:, second]) ** 2).sum(axis=2)
    return [row.tobytes() for row in np.sort(np.rint(squares).astype(int), axis=1)]


GRID = 0.125


def clusters(draw: np.random.Generator, samples: int = SAMPLES) -> np.ndarray:
    """Clusters (samples, 4, 3) on a grid, of which no motion makes one another."""
    places = GRID * draw.integers(-12, 13, (2 * samples, 4, 3))
    found = dict(zip(up_to_motion(places), places, strict=True))
    return np.array(list(found.values())[:samples])


def lattices(draw: np.random.Generator, samples: int = SAMPLES) -> np.ndarray:
    """5 × 5 lattices (samples, 25) of ±1 of which no symmetry makes one another."""
    spins = draw.choice([-1.0, 1.0], size=(2 * samples, 25))
    found = dict(zip(up_to_symmetry(spins), spins, strict=True))
    return np.array(list(found.values())[:samples])


def cross_entropy(labels: np.ndarray) -> Loss:
    """The loss of logits (N, classes), the samples' classes known."""

    def loss(x: np.ndarray, output: np.ndarray, rows: np.ndarray) -> np.ndarray:
        top = output.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(output - top).sum(axis=1))
        return total - output[np.arange(len(rows)), labels[rows]]

    return loss


def squared_error(targets: np.ndarray) -> Loss:
    """The mean squared error of each row, the samples' targets known."""

    def loss(x: np.ndarray, output: np.ndarray, rows: np.ndarray) -> np.ndarray:
        wanted = targets.reshape(len(targets), -1)[rows]
        return ((output.reshape(len(rows), -1) - wanted) ** 2).mean(axis=1)

    return loss


def reconstruction(x: np.ndarray, output: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The mean squared difference of each row and what an autoencoder makes of it."""
    return ((output.reshape(len(rows), -1) - x.reshape(len(rows), -1)) ** 2).mean(axis=1)


def _mean(passes: Sequence[Pass]) -> float:
    """The mean loss over the samples of some passes."""
    return float(np.concatenate([one.losses for one in passes]).mean())


def _as_often(rows: np.ndarray, among: np.ndarray) -> bool:
    """Each of these samples as often as any other, at least once, and nothing else."""
    if len(rows) == 0 or (rows < 0).any():
        return False
    shown, counts = np.unique(rows, return_counts=True)
    return np.array_equal(shown, among) and bool((counts == counts[0]).all())


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * (abs(other) + _TOLERANCE)
