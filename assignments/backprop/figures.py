"""The figures of this notebook: your result, thin and dark, over the expected one, wide and pale.

Nothing here is graded, and nothing here is needed by an exercise.
"""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from coursekit.look import BLUE, GREEN, INK, ORANGE, PALES, STYLE
from matplotlib.axes import Axes
from tqdm import tqdm

_CORNERS = 12
_NAMES = ("sigmoid", "tanh", "relu", "leaky_relu")

Array = np.ndarray


def expected(answers: ModuleType) -> dict[str, Any]:
    """What the figures show as right, for the builder to store: closed forms, nothing trained."""
    # An even number of points: none of them is z = 0, where the ReLUs have a corner.
    z = np.linspace(-4.0, 4.0, 80)
    x = np.linspace(-np.pi, np.pi, 181)
    corners = np.linspace(-np.pi, np.pi, _CORNERS)
    curves = {name: getattr(answers, name)(z) for name in _NAMES}
    slopes = {f"{name}_gradient": getattr(answers, f"{name}_gradient")(z) for name in _NAMES}
    return {
        "z": z,
        **curves,
        **slopes,
        "x": x,
        "sine": np.sin(x),
        "corners": corners,
        "heights": np.sin(corners),
        "counts": [8, 16, 32, 64, 128, 256],  # of intervals
        # Mean squares of sin x about zero and about the straight line 3x/π², which fits it best.
        "loss_of_zero": 1 / 2,
        "loss_of_line": 1 / 2 - 3 / np.pi**2,
        # By how much a layer of mean weights √(2/n) can shrink the gradient at most, or keeps it.
        "sigmoid_factor": np.sqrt(2) / 4,
        "relu_factor": 1.0,
    }


def progress(steps: Iterable[Any], what: str) -> Iterable[Any]:
    """The steps one by one, with a bar that says how long the rest takes."""
    return tqdm(steps, desc=what, file=sys.stdout)


# --------------------------------------------------------------------------------- figures


def goal() -> None:
    """Where the notebook leads: a hundred points of a sine, and the polygon of a few neurons."""
    known = _known()
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(10, 3.3))
        axes.plot(known["x"], known["sine"], color=PALES[BLUE], linewidth=6, label="sin x")
        x = np.linspace(-np.pi, np.pi, 100)
        axes.plot(x, np.sin(x), ".", color=BLUE, ms=4, label="the 100 points to learn from")
        corners, heights = known["corners"], known["heights"]
        label = f"a polygon with {_CORNERS} corners"
        axes.plot(corners, heights, "-o", color=ORANGE, ms=4, lw=1.2, label=label)
        _over_a_period(axes)
        axes.set_ylabel("y")
        axes.legend(loc="upper left")
        plt.show()


def activations(*functions: Callable[[Array], Array]) -> None:
    """The four activation functions, in the order of their cell."""
    _small_multiples(functions, "", "φ(z)")


def activation_gradients(*functions: Callable[[Array], Array]) -> None:
    """The four derivatives, in the order of their cell."""
    _small_multiples(functions, "_gradient", "dφ/dz")


def signal(he_initialise: Callable[..., Any], relu: Callable[[Array], Array]) -> None:
    """How the size of a signal changes from layer to layer, for three sizes of weights."""
    depth, width = 20, 200
    layers = np.arange(depth + 1)
    parameters = he_initialise([width] * (depth + 1), np.random.default_rng(3))
    start = np.random.default_rng(4).normal(size=(50, width))
    rows = [(ORANGE, 2.0, "twice too wide"), (BLUE, 1.0, "yours"), (GREEN, 0.5, "half as wide")]
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(9, 3.6))
        for colour, factor, label in rows:
            a, sizes = start, [_rms(start)]
            for W, _ in parameters:
                a = relu(a @ (factor * W))
                sizes.append(_rms(a))
            axes.semilogy(layers, factor**layers, color=PALES[colour], linewidth=6)
            axes.semilogy(layers, sizes, "o-", color=colour, markersize=3.5)
            axes.text(depth + 0.4, sizes[-1], label, color=colour, va="center")
        axes.set(xlabel="layer", ylabel="root mean square of a")
        axes.set(xlim=(0, depth), xticks=layers[::5])
        plt.show()


def polygon(interpolating_network: Callable[..., Any], forward: Callable[..., Any]) -> None:
    """A network with weights by hand that joins points of a sine, and its error for finer knots."""
    known = _known()
    corners, heights, counts = known["corners"], known["heights"], known["counts"].astype(int)
    x = known["x"].reshape(-1, 1)
    parameters = [np.asarray(one) for one in interpolating_network(corners, heights)]
    _, a1, z2 = forward(x, *parameters)
    errors = []
    for count in counts:
        knots = np.linspace(-np.pi, np.pi, count + 1)
        between = np.linspace(-np.pi, np.pi, 20 * count + 1).reshape(-1, 1)
        found = np.asarray(forward(between, *interpolating_network(knots, np.sin(knots)))[2])
        errors.append(np.abs(found - np.sin(between)).max())
    with plt.rc_context(STYLE):
        _, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.3))
        added = np.asarray(a1) * parameters[2].ravel()
        left.plot(x, added, color=GREEN, linewidth=1.1)
        left.set_title(f"what each of your {added.shape[1]} hidden neurons adds")
        left.set_ylabel("a₁ times its weight in W₂")
        middle.plot(corners, heights, color=PALES[BLUE], linewidth=6, label="expected")
        middle.plot(x, z2, color=BLUE, label="your network")
        middle.plot(x, known["sine"], ":", color=INK, linewidth=1.2, label="sin x")
        middle.set_title("their sum")
        middle.set_ylabel("z₂")
        middle.legend(loc="upper left")
        for axes in (left, middle):
            _over_a_period(axes)
        spacing = 2 * np.pi / counts
        right.loglog(spacing, spacing**2 / 8, color=PALES[BLUE], linewidth=6, label="h²/8")
        right.loglog(spacing, errors, "o-", color=BLUE, markersize=4, label="yours")
        right.set(xlabel="spacing h of the knots", ylabel="largest error")
        right.minorticks_off()
        right.set_xticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
        right.set_title("finer knots")
        right.legend(loc="upper left")
        plt.show()


def gradient_check(
    backward: Callable[..., Any], forward: Callable[..., Any], mse_loss: Callable[..., Any]
) -> None:
    """The chain rule against differences of the loss, number by number and step by step."""
    draw = np.random.default_rng(5)
    shapes = [(2, 6), (1, 6), (6, 3), (1, 3)]
    parameters = [draw.normal(size=shape) for shape in shapes]
    x, y = draw.normal(size=(10, 2)), draw.normal(size=(10, 3))

    def loss(flat: Array) -> float:
        parts = np.split(flat, np.cumsum([W.size for W in parameters])[:-1])
        shaped = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return float(mse_loss(forward(x, *shaped)[2], y))

    centre = np.concatenate([W.ravel() for W in parameters])
    found = [np.asarray(dW, dtype=float).ravel() for dW in backward(x, y, *parameters)]
    yours = np.concatenate(found)
    units = np.eye(centre.size)

    def central(h: float) -> Array:
        return np.array([loss(centre + h * e) - loss(centre - h * e) for e in units]) / (2 * h)

    def one_sided(h: float) -> Array:
        return np.array([loss(centre + h * e) - loss(centre) for e in units]) / h

    def error(differences: Array) -> float:
        return float(np.linalg.norm(yours - differences) / np.linalg.norm(differences))

    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9))
        differences = central(1e-5)
        limits = np.array([-1.15, 1.15]) * np.abs([*differences, *yours]).max()
        left.plot(limits, limits, color=PALES[INK], linewidth=6, label="expected", zorder=1)
        start = 0
        blocks = zip(("dW₁", "db₁", "dW₂", "db₂"), (BLUE, GREEN, ORANGE, INK), "osD^", strict=True)
        for part, (label, colour, marker) in zip(found, blocks, strict=True):
            at = differences[start : start + part.size]
            left.plot(at, part, marker, color=colour, markersize=5, label=label)
            start += part.size
        left.set(xlim=limits, ylim=limits, aspect="equal")
        left.set(xlabel="central difference of the loss", ylabel="your backward")
        left.set_title(f"all {centre.size} derivatives, step h = 10⁻⁵")
        left.legend(loc="upper left")

        steps = np.logspace(-12, 0, 25)
        for method, colour, label in (
            (one_sided, ORANGE, "one-sided"),
            (central, BLUE, "central"),
        ):
            sizes = [error(method(h)) for h in steps]
            right.loglog(steps, sizes, "o-", color=colour, markersize=3.5, label=label)
        # The same limits always: a wrong gradient shows by lying far up.
        right.set(xlim=(5e-13, 2), ylim=(1e-15, 1e2))
        right.set(xlabel="step h", ylabel="relative difference to your backward")
        right.set_title("which step is a good one?")
        right.legend(loc="upper center")
        plt.show()


def learned(
    runs: dict[float, Any], forward: Callable[..., Any], mean: float, deviation: float
) -> None:
    """Training curves for each learning rate; the fit, its error and its corners for the last."""
    known = _known()
    x, sine = known["x"], known["sine"]
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(10, 4.4))
        grid = figure.add_gridspec(2, 2, height_ratios=(2, 1))
        left, top = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
        bottom = figure.add_subplot(grid[1, 1], sharex=top)
        for (rate, (_, losses)), colour in zip(runs.items(), (GREEN, ORANGE, BLUE), strict=True):
            # Epoch 0 has no place on a logarithmic axis: the epochs are counted from one.
            epochs = np.arange(1, len(losses) + 1)
            left.loglog(epochs, losses, color=colour, label=f"learning rate {rate}")
        for key, text in (("loss_of_zero", "always 0"), ("loss_of_line", "best straight line")):
            left.axhline(known[key], color=PALES[INK], linewidth=4, zorder=1)
            left.text(len(losses), 1.12 * known[key], text, fontsize=9, ha="right")
        left.set(xlabel="epoch, counted from one", ylabel="mean squared error")
        left.legend(loc="lower left")

        rate, (parameters, _) = list(runs.items())[-1]
        y = np.asarray(forward((x.reshape(-1, 1) - mean) / deviation, *parameters)[2]).ravel()
        top.plot(x, sine, color=PALES[BLUE], linewidth=6, label="expected: sin x")
        top.plot(x, y, color=BLUE, label="your network")
        W1, b1 = np.asarray(parameters[0]).ravel(), np.asarray(parameters[1]).ravel()
        alive = W1 != 0
        corners = mean - deviation * b1[alive] / W1[alive]
        corners = corners[np.abs(corners) <= np.pi]
        top.plot(
            corners,
            np.full(corners.size, -1.35),
            "|",
            color=ORANGE,
            ms=9,
            mew=1.3,
            label="its corners",
        )
        top.set(ylabel="y", ylim=(-1.5, 1.3))
        top.set_title(f"learning rate {rate}, after {len(losses)} epochs")
        top.legend(loc="upper left")
        top.tick_params(labelbottom=False)
        bottom.axhline(0, color=PALES[BLUE], linewidth=4)
        bottom.plot(x, y - sine, color=BLUE)
        bottom.set_ylabel("y − sin x")
        _over_a_period(bottom)
        plt.show()


def gradient_sizes(he_initialise: Callable[..., Any], deep_backward: Callable[..., Any]) -> None:
    """The size of the gradient in each layer of deep networks, before any training."""
    known = _known()
    depth, width, networks = 10, 32, 20
    layers = np.arange(1, depth + 1)
    x = np.linspace(-np.pi, np.pi, 100).reshape(-1, 1)
    y = np.sin(x)
    rows = (("relu", BLUE), ("tanh", ORANGE), ("sigmoid", GREEN))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(10, 4.2))
        for name, colour in rows:
            if f"{name}_factor" in known:
                line = known[f"{name}_factor"] ** (depth - layers)
                axes.semilogy(layers, line, color=PALES[colour], linewidth=6)
            curves = []
            for seed in range(networks):
                sizes = [1, *[width] * depth, 1]
                parameters = he_initialise(sizes, np.random.default_rng(seed))
                gradients = deep_backward(x / x.std(), y, parameters, name)
                # The output layer has a shape of its own; the hidden ones can be compared.
                curve = np.array([_rms(dW) for dW, _ in gradients[:depth]])
                curves.append(curve / curve[-1])
                axes.semilogy(layers, curves[-1], color=colour, linewidth=0.6, alpha=0.25)
            middle = np.median(curves, axis=0)
            axes.semilogy(layers, middle, "o-", color=colour, markersize=4, label=name)
        axes.set(xlabel="hidden layer (1: next to the input)", xticks=layers)
        axes.set_ylabel("size of dW, relative to layer 10")
        axes.legend(loc="lower right", title=f"median of {networks} networks")
        plt.show()


# --------------------------------------------------------------------------------- helpers


def _known() -> dict[str, Any]:
    """The expected numbers, stored beside this file."""
    text = Path(__file__).with_name("expected.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    return {
        key: np.array(value) if isinstance(value, list) else value for key, value in stored.items()
    }


def _small_multiples(
    functions: Iterable[Callable[[Array], Array]], ending: str, ylabel: str
) -> None:
    known = _known()
    z = known["z"]
    with plt.rc_context(STYLE):
        size = (10, 2.9)
        figure, row = plt.subplots(1, len(_NAMES), figsize=size, sharey=bool(ending))
        for axes, name, function in zip(row, _NAMES, functions, strict=True):
            # A jump at zero is a gap between two halves, not a steep line.
            jumps = ending and name.endswith("relu")
            for part in (z < 0, z > 0) if jumps else (z != 0,):
                right = known[name + ending][part]
                axes.plot(z[part], right, color=PALES[BLUE], linewidth=6, label="expected")
                axes.plot(z[part], function(z[part]), color=BLUE, label="yours")
            axes.set(title=name + ending, xlabel="z", xticks=(-4, -2, 0, 2, 4))
        row[0].set_ylabel(ylabel)
        handles, labels = row[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
        plt.show()


def _over_a_period(axes: Axes) -> None:
    axes.set_xlim(-1.03 * np.pi, 1.03 * np.pi)
    axes.set_xticks(np.pi * np.array([-1, -0.5, 0, 0.5, 1]), ["−π", "−π/2", "0", "π/2", "π"])
    axes.set_xlabel("x / rad")


def _rms(a: Array) -> float:
    return float(np.sqrt(np.mean(np.square(a))))
