"""The figures of this notebook: your result, thin and dark, over the expected one, wide and pale.

Nothing here is graded, and nothing here is needed by an exercise.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from coursekit.look import BLUE, GREEN, INK, ORANGE, PALES, PURPLE, STYLE, told
from matplotlib.axes import Axes
from torch import nn
from tqdm import tqdm

NOISE = 0.3
"""Standard deviation of a reading, in units of the amplitude."""

EDGE = math.sqrt(3)
"""The standardised time goes from −√3 to √3: mean 0 and standard deviation 1."""

_CURVATURE = (0.25, 25.0)
_START = (-2.0, 1.2)
_BOTTOM = (1.5, 0.0)
_STEPS = 80
_PATIENCE = (3, 8, 20)

Array = np.ndarray


def expected(answers: ModuleType) -> dict[str, Any]:
    """What the figures show as right, for the builder to store: closed forms, nothing trained."""
    x = np.linspace(-3.0, 3.0, 121)
    time = np.linspace(-EDGE, EDGE, 241)
    z = np.linspace(-120.0, 120.0, 241)
    paths = _paths(answers.sgd_step, answers.momentum_step, answers.adam_step, answers.adamw_step)
    losses = _validation_curve()
    stops = [_stop(answers.EarlyStopping, patience, losses) for patience in _PATIENCE]
    return {
        "x": x,
        "slope": 3 * x**2 + 2,
        "time": time,
        "sine": np.sin(math.pi / EDGE * time),
        "z": z,
        "bce": np.logaddexp(0.0, z),
        "stops": np.array(stops),
        **{f"path of {name}": path for name, path in paths.items()},
    }


def progress(steps: Iterable[Any], what: str) -> Iterable[Any]:
    """The steps one by one, with a bar that says how long the rest takes."""
    return tqdm(steps, desc=what, file=sys.stdout)


def readings(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns (count, 1): standardised times within one period, and noisy displacements."""
    rng = np.random.default_rng(seed)
    time = rng.uniform(-EDGE, EDGE, (count, 1))
    displacement = np.sin(math.pi / EDGE * time) + rng.normal(0, NOISE, (count, 1))
    return tuple(torch.tensor(values, dtype=torch.float32) for values in (time, displacement))


def distance(model: nn.Module) -> float:
    """The mean squared distance of a network's curve from the true one."""
    time = torch.linspace(-EDGE, EDGE, 401)[:, None]
    with torch.no_grad():
        return float(torch.mean((model(time) - torch.sin(math.pi / EDGE * time)) ** 2))


# --------------------------------------------------------------------------------- figures


def goal(x: torch.Tensor, y: torch.Tensor) -> None:
    """Where the notebook leads: noisy readings, and the curve that no reading shows."""
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(10, 3.3))
        _truth(axes)
        axes.errorbar(
            x.ravel(),
            y.ravel(),
            NOISE,
            fmt="o",
            color=INK,
            ms=4.5,
            elinewidth=0.8,
            label=f"{len(x)} readings, ± {NOISE} each",
        )
        axes.legend(loc="upper left")
        plt.show()


def slopes(derivative: Callable[..., Any]) -> None:
    """The slope of x³ + 2x from autograd, and what differences in float32 make of it."""
    known = _known()

    def cubic(x: torch.Tensor) -> torch.Tensor:
        return x**3 + 2 * x

    x = torch.tensor(known["x"], dtype=torch.float32)
    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
        left.plot(known["x"], known["slope"], color=PALES[BLUE], linewidth=6, label="3x² + 2")
        left.plot(known["x"], _numpy(derivative(cubic, x)), color=BLUE, label="your derivative")
        left.plot(3, 29, "o", color=ORANGE, ms=7, mec="white")
        left.text(2.75, 29, "29 at x = 3", color=ORANGE, ha="right", va="center", fontsize=9)
        left.set(xlabel="x", ylabel="df/dx", title="f(x) = x³ + 2x")
        left.legend(loc="upper left", bbox_to_anchor=(0.18, 0.8))

        places = torch.linspace(1, 3, 200)
        exact = 3 * places.double() ** 2 + 2
        steps = np.logspace(-6, -0.5, 23)
        for kind, colour, name in (
            (torch.float32, ORANGE, "differences, float32"),
            (torch.float64, GREEN, "differences, float64"),
        ):
            at = places.to(kind)
            errors = [
                _relative((cubic(at + h) - cubic(at - h)) / (2 * h), exact) for h in steps.tolist()
            ]
            right.loglog(steps, errors, "o-", color=colour, ms=3.5, label=name)
        for kind, style in ((torch.float32, "--"), (torch.float64, "-")):
            yours = max(_relative(derivative(cubic, places.to(kind)), exact), 1e-17)
            name = str(kind).removeprefix("torch.")
            right.axhline(yours, color=BLUE, ls=style, label=f"your derivative, {name}")
            told(f"the relative error of your derivative in {name} is {yours:.0e}.")
        right.set(xlabel="step h", ylabel="typical relative error", ylim=(1e-18, 1e6))
        right.set_title("what a step costs")
        right.legend(loc="upper center", ncols=2)
        plt.show()


def pieces(MLP: Callable[..., nn.Module], derivative: Callable[..., Any]) -> None:
    """Untrained networks are polygons: their slopes are staircases."""
    x = torch.linspace(-EDGE, EDGE, 1201)[:, None]
    with plt.rc_context(STYLE):
        size = (10, 4.5)
        _, panels = plt.subplots(2, 3, figsize=size, sharex=True, height_ratios=(1.4, 1))
        for (top, bottom), hidden in zip(panels.T, ([], [8], [64, 64]), strict=True):
            torch.manual_seed(5)
            model = MLP(1, hidden, 1)
            y, slope = _numpy(model(x)).ravel(), _numpy(derivative(model, x)).ravel()
            numbers = sum(p.numel() for p in model.parameters())
            top.plot(x.ravel(), y, color=BLUE)
            bottom.plot(x.ravel(), slope, color=BLUE, lw=1.3)
            shown = ", ".join(str(width) for width in hidden) or "none"
            top.set_title(f"hidden layers: {shown}\n{numbers} parameters")
            bottom.set_xlabel("x")
        panels[0, 0].set_ylabel("your MLP")
        panels[1, 0].set_ylabel("its slope")
        plt.show()


def losses(
    mae_loss: Callable[..., Any],
    bce_with_logits: Callable[..., Any],
    cross_entropy: Callable[..., Any],
) -> None:
    """An outlier under two losses; binary cross-entropy far out, twice."""
    known = _known()
    heights = torch.tensor([[0.8], [0.9], [1.0], [1.1], [1.3], [1.5], [4.0]])
    guesses = np.linspace(0.4, 2.6, 221)
    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.7), width_ratios=(1, 1))
        for loss, colour, name, best in (
            (mae_loss, BLUE, "your mae_loss", float(heights.median())),
            (nn.functional.mse_loss, ORANGE, "mean square", float(heights.mean())),
        ):
            guess = [torch.full_like(heights, float(c)) for c in guesses]
            left.plot(guesses, [float(loss(c, heights)) for c in guess], color=colour, label=name)
            left.axvline(best, color=PALES[colour], linewidth=6, zorder=1)
        flat = heights.numpy()
        right_one = np.abs(guesses - flat).mean(axis=0)
        left.plot(guesses, right_one, color=PALES[BLUE], linewidth=6, zorder=1.5)
        left.plot(heights.ravel(), np.zeros(len(heights)), "|", color=INK, ms=12, mew=1.5)
        left.annotate("", (2.6, 0.25), (2.35, 0.25), arrowprops={"arrowstyle": "->"})
        left.text(2.32, 0.25, "one reading at 4", ha="right", va="center", fontsize=9)
        left.text(float(heights.median()), 2.25, "median", color=BLUE, ha="center", fontsize=9)
        left.text(float(heights.mean()), 2.25, "mean", color=ORANGE, ha="center", fontsize=9)
        left.set(xlim=(0.4, 2.6), ylim=(-0.1, 2.5), xlabel="one guess for all readings")
        left.set(ylabel="loss", title="seven readings, the last one far off")
        left.legend(loc="lower right", bbox_to_anchor=(1, 0.14))

        z = torch.tensor(known["z"], dtype=torch.float32)
        no, rows = torch.zeros(1), torch.stack([torch.zeros_like(z), z], dim=1)[:, None]
        right.plot(known["z"], known["bce"], color=PALES[BLUE], linewidth=6, label="ln(1 + e^z)")
        binary = [float(bce_with_logits(one[None], no)) for one in z]
        right.plot(known["z"], binary, color=BLUE, label="your bce_with_logits, target 0")
        several = [float(cross_entropy(row, torch.tensor([0]))) for row in rows[::12]]
        right.plot(
            known["z"][::12],
            several,
            "o",
            color=PURPLE,
            ms=4.5,
            label="your cross_entropy, (0, z)",
        )
        naive = -torch.log(1 - torch.sigmoid(z))
        finite = torch.isfinite(naive)
        right.plot(z[finite], naive[finite], color=ORANGE, lw=1.3, label="−ln(1 − σ(z)) as it is")
        last = int(finite.nonzero().max())
        right.plot(z[last], naive[last], "x", color=ORANGE, ms=9, mew=2)
        right.text(z[last] + 5, naive[last], "infinite from here", color=ORANGE, fontsize=9)
        right.set(xlabel="logit z", ylabel="loss of a wrong answer", xlim=(-60, 120))
        right.set_title("cross-entropy far out, in float32")
        right.legend(loc="upper left")
        plt.show()


def valley(*steps: Callable[..., Any]) -> None:
    """The four optimisers in a long valley: their paths, and how the loss falls."""
    known, paths = _known(), _paths(*steps)
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(10, 4.6))
        grid = figure.add_gridspec(2, 3, width_ratios=(1, 1, 1.1))
        end = figure.add_subplot(grid[:, 2])
        a, b = np.meshgrid(np.linspace(-2.4, 3.2, 200), np.linspace(-1.5, 1.5, 160))
        height = _height(np.stack([a, b], axis=-1))
        colours = (GREEN, BLUE, ORANGE, PURPLE)
        for number, ((name, path), colour) in enumerate(zip(paths.items(), colours, strict=True)):
            axes = figure.add_subplot(grid[divmod(number, 2)])
            right = known[f"path of {name}"]
            axes.contour(a, b, height, np.logspace(-1.5, 1.5, 9), colors="#C9CFD8", linewidths=0.8)
            axes.plot(*right.T, color=PALES[colour], linewidth=6, solid_joinstyle="round")
            axes.plot(*path.T, "o-", color=colour, ms=2, lw=1)
            axes.plot(*_BOTTOM, "+", color=INK, ms=10, mew=1.5)
            axes.set(title=name, xlim=(-2.4, 3.2), ylim=(-1.5, 1.5))
            axes.grid(False)
            axes.set(xlabel="along" if number > 1 else "", ylabel="" if number % 2 else "across")
            end.semilogy(_height(right), color=PALES[colour], linewidth=6, zorder=1)
            end.semilogy(_height(path), color=colour, label=name)
        end.set(xlabel="step", ylabel="height above the bottom", title="how fast?", ylim=(1e-6, 60))
        end.legend(loc="lower left")
        plt.show()


def batch_noise(minibatches: Callable[..., Any]) -> None:
    """How far the mean of a batch is from that of all data, for batches of all sizes."""
    count = 256
    values = torch.tensor(np.random.default_rng(8).normal(size=count))[:, None]
    sizes = 2 ** np.arange(9)
    generator = torch.Generator().manual_seed(3)
    scatter = []
    for size in sizes.tolist():
        means = [
            float(x_b.mean())
            for _ in range(size + 4)
            for x_b, _ in minibatches(values, values, size, generator)
        ]
        scatter.append(np.sqrt(np.mean((np.array(means) - float(values.mean())) ** 2)))
    spread = float(values.std(correction=0))
    law = spread * np.sqrt((count - sizes) / (sizes * (count - 1)))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(7.5, 3.9))
        shown = law > 0
        axes.loglog(sizes[shown], law[shown], color=PALES[BLUE], linewidth=6, label="expected")
        guide = spread / np.sqrt(sizes)
        axes.loglog(sizes, guide, ":", color=INK, lw=1.3, label="drawn with replacement: ∝ 1/√B")
        axes.loglog(sizes[shown], np.array(scatter)[shown], "o-", color=BLUE, label="your batches")
        axes.set(xlabel="batch size B", ylabel="typical distance from the mean of all")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.legend(loc="lower left")
        axes.text(256, guide[0], f"all {count} in one batch: exactly 0", ha="right", fontsize=9)
        plt.show()


def dropout_noise(dropout: Callable[..., Any]) -> None:
    """What a neuron receives from 100 others through many masks of dropout."""
    rng = np.random.default_rng(6)
    a, w = rng.uniform(0, 1, 100), rng.normal(0, 0.3, 100)
    masks, centre = 4000, float(a @ w)
    generator = torch.Generator().manual_seed(1)
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(7.5, 3.6))
        for p, colour in ((0.5, ORANGE), (0.2, BLUE)):
            rows = torch.tensor(a, dtype=torch.float64).expand(masks, 100).clone()
            received = _numpy(dropout(rows, p, True, generator)) @ w
            width = math.sqrt(p / (1 - p) * np.sum((a * w) ** 2))
            z = np.linspace(centre - 6, centre + 6, 400)
            law = np.exp(-(((z - centre) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
            axes.plot(z, law, color=PALES[colour], linewidth=6)
            counts, edges = np.histogram(received, 60, density=True)
            axes.stairs(counts, edges, color=colour, lw=1.4, zorder=3, label=f"p = {p}")
        axes.axvline(centre, color=INK, ls=(0, (4, 3)), lw=1.4, label="in evaluation")
        axes.set(xlim=(centre - 5, centre + 5), xlabel="sum that the neuron receives")
        axes.set_ylabel(f"density over {masks} masks")
        axes.legend(loc="upper right")
        plt.show()


def shrink(l2_penalty: Callable[..., Any], MLP: Callable[..., nn.Module]) -> None:
    """Gradient descent on the penalty alone: the weights shrink, the biases stay."""
    torch.manual_seed(2)
    model, rate, steps = MLP(2, [20, 20], 1), 0.02, 80
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    squares: dict[str, list[float]] = {"weights": [], "biases": []}
    for _ in range(steps):
        for name, group in (("weights", weights), ("biases", biases)):
            squares[name].append(sum(float((p.detach() ** 2).sum()) for p in group))
        penalty = l2_penalty(model)
        model.zero_grad()
        penalty.backward()
        with torch.no_grad():
            for p in model.parameters():
                if p.grad is not None:
                    p -= rate * p.grad
    law = (1 - 2 * rate) ** (2 * np.arange(steps))
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(7.5, 3.2))
        for (name, values), colour, factor in (
            (("weights", squares["weights"]), BLUE, law),
            (("biases", squares["biases"]), GREEN, np.ones(steps)),
        ):
            axes.semilogy(values[0] * factor, color=PALES[colour], linewidth=6)
            axes.semilogy(values, color=colour, label=f"Σ of squared {name}")
        axes.set(xlabel="step of gradient descent on your penalty", ylabel="sum of squares")
        axes.legend(loc="lower left")
        plt.show()


def stopping(EarlyStopping: Callable[..., Any]) -> None:
    """Where three degrees of patience stop, and which epoch they bring back."""
    curve, known = _validation_curve(), _known()
    with plt.rc_context(STYLE):
        _, axes = plt.subplots(figsize=(10, 3.7))
        axes.plot(curve, ".-", color=INK, lw=0.9, ms=4, label="validation loss, made up")
        for patience, colour, right in zip(
            _PATIENCE, (GREEN, BLUE, ORANGE), known["stops"], strict=True
        ):
            stop, best = _stop(EarlyStopping, patience, curve)
            for epoch, marker, size in ((int(right[0]), "s", 15), (int(right[1]), "o", 15)):
                axes.plot(epoch, curve[epoch], marker, color=PALES[colour], ms=size, zorder=1)
            axes.plot(stop, curve[stop], "s", color=colour, ms=7, label=f"patience {patience}")
            axes.plot(best, curve[best], "o", color=colour, ms=7)
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend(loc="upper right", title="circle: brought back, square: stopped")
        plt.show()


def copies(augment: Callable[..., Any], x: torch.Tensor, y: torch.Tensor) -> None:
    """The readings with their noisy copies, and the noise against a normal distribution."""
    std, count = 0.2, 40
    more, values = augment(x, y, count, std, torch.Generator().manual_seed(1))
    more, values = _numpy(more).ravel(), _numpy(values).ravel()
    n = len(x)
    noise = more[n:] - np.tile(_numpy(x).ravel(), count)
    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1.6, 1))
        _truth(left)
        left.plot(more[n:], values[n:], ".", color=BLUE, ms=3, alpha=0.3, label="your copies")
        left.plot(x.ravel(), y.ravel(), "o", color=INK, ms=4.5, label="readings")
        left.set_xlim(-2.4, 2.4)
        left.legend(loc="upper left")
        counts, edges = np.histogram(noise, np.linspace(-4 * std, 4 * std, 33), density=True)
        z = np.linspace(-4 * std, 4 * std, 200)
        law = np.exp(-((z / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))
        right.plot(z, law, color=PALES[BLUE], linewidth=6, label="expected")
        right.stairs(counts, edges, color=BLUE, lw=1.4, zorder=3, label="yours")
        right.set(xlabel="shift of the time", ylabel="density", title=f"noise_std = {std}")
        right.legend(loc="upper left")
        plt.show()


def raw_and_standardised(runs: dict[str, tuple[nn.Module, torch.Tensor, Sequence[float]]]) -> None:
    """The same training on a raw and on a standardised variable: histories and errors."""
    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
        for (name, (model, x, history)), colour in zip(runs.items(), (ORANGE, BLUE), strict=True):
            left.loglog(np.arange(1, len(history) + 1), history, color=colour, label=name, lw=1.3)
            with torch.no_grad():
                error = _numpy(model(x)).ravel()
            phase = np.linspace(0, 2 * math.pi, len(x))
            right.plot(phase, error - np.sin(phase), color=colour, label=name)
        left.set(xlabel="epoch, counted from one", ylabel="mean squared error")
        left.legend(loc="lower left")
        right.axhline(0, color=PALES[INK], linewidth=6, zorder=1)
        right.set_xticks(math.pi * np.array([0, 0.5, 1, 1.5, 2]), ["0", "π/2", "π", "3π/2", "2π"])
        right.set(xlabel="x / rad", ylabel="network − sin x")
        plt.show()


def lottery(plain: Sequence[Sequence[float]], yours: Sequence[Sequence[float]]) -> None:
    """The last part of several trainings, at a constant learning rate and as you train."""
    with plt.rc_context(STYLE):
        _, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
        for axes, histories, colour, title in (
            (panels[0], plain, ORANGE, "Adam, constant learning rate"),
            (panels[1], yours, BLUE, "your train"),
        ):
            for history in histories:
                last = len(history) // 4
                epochs = np.arange(len(history) - last, len(history))
                axes.semilogy(epochs, history[-last:], color=colour, lw=0.8, alpha=0.75)
                axes.plot(epochs[-1], history[-1], "o", color=INK, ms=5, zorder=4)
            axes.set(xlabel="epoch", title=title)
        panels[0].set_ylabel("mean squared error")
        panels[1].plot([], [], "o", color=INK, ms=5, label="where the training stops")
        panels[1].legend(loc="upper right")
        plt.show()


def overfitting(
    x: torch.Tensor,
    y: torch.Tensor,
    seen: Sequence[float],
    unseen: Sequence[float],
    models: dict[str, nn.Module],
) -> None:
    """Training and validation loss of one network, and the curve it ends with."""
    best = int(np.argmin(unseen))
    with plt.rc_context(STYLE):
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
        epochs = np.arange(1, len(seen) + 1)
        left.loglog(epochs, seen, color=BLUE, label="20 readings, learnt")
        left.loglog(epochs, unseen, color=ORANGE, label="200 readings, unseen")
        left.axhline(NOISE**2, color=PALES[INK], linewidth=5, zorder=1)
        left.text(1, 1.1 * NOISE**2, "noise", fontsize=9, va="bottom")
        left.plot(best + 1, unseen[best], "o", color=ORANGE, ms=7, mec="white")
        left.annotate(
            f"best, then {unseen[-1] / unseen[best]:.2f} times that",
            (best + 1, unseen[best]),
            (best + 1, 2.6 * unseen[best]),
            color=ORANGE,
            ha="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": ORANGE, "lw": 0.8},
        )
        left.set(xlabel="epoch, counted from one", ylabel="mean squared error")
        ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
        left.set_yticks(ticks, [str(tick) for tick in ticks])
        left.yaxis.minorticks_off()
        left.set_ylim(bottom=min(0.009, 0.8 * min(seen)))
        left.legend(loc="lower left")
        _truth(right)
        _readings(right, x, y)
        for (name, model), colour in zip(models.items(), (GREEN, BLUE), strict=False):
            _curve(right, model, colour, name)
        right.legend(loc="upper left")
        plt.show()


def remedies(
    x: torch.Tensor, y: torch.Tensor, models: dict[str, nn.Module], plain: nn.Module
) -> None:
    """The curves with each remedy, over the one without any."""
    with plt.rc_context(STYLE):
        size = (10, 5.8)
        _, panels = plt.subplots(2, 2, figsize=size, sharex=True, sharey=True)
        for axes, (name, model) in zip(panels.ravel(), models.items(), strict=True):
            _truth(axes)
            _readings(axes, x, y)
            _curve(axes, plain, "#9AA3AF", f"none: {distance(plain):.3f}", lw=1.1)
            _curve(axes, model, BLUE, f"{name}: {distance(model):.3f}")
            axes.set(xlabel="", ylabel="", ylim=(-2.1, 2.1))
            axes.legend(loc="upper left", title="mean squared distance to the truth")
        for axes in panels[:, 0]:
            axes.set_ylabel("displacement / amplitude")
        for axes in panels[1]:
            axes.set_xlabel("standardised time")
        plt.show()


# --------------------------------------------------------------------------------- helpers


def _known() -> dict[str, Any]:
    """The expected numbers, stored beside this file."""
    text = Path(__file__).with_name("expected.json").read_text(encoding="utf-8")
    return {key: np.array(value) for key, value in json.loads(text).items()}


def _numpy(values: Any) -> Array:
    return values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _relative(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.detach().double() / exact - 1).square().mean().sqrt())


def _height(places: Array) -> Array:
    """The valley: a parabola that is much steeper in one direction."""
    return np.sum(np.array(_CURVATURE) * (places - np.array(_BOTTOM)) ** 2, axis=-1) / 2


def _paths(*steps: Callable[..., Any]) -> dict[str, Array]:
    """Where sgd, momentum, Adam and AdamW go in the valley."""
    curvature = torch.tensor(_CURVATURE, dtype=torch.float64)
    bottom = torch.tensor(_BOTTOM, dtype=torch.float64)
    names = ("sgd, lr 0.06", "momentum, lr 0.03", "Adam, lr 0.2", "AdamW, lr 0.2, decay 0.3")
    rates, paths = (0.06, 0.03, 0.2, 0.2), {}
    for number, (name, step, rate) in enumerate(zip(names, steps, rates, strict=True)):
        params, state = [torch.tensor(_START, dtype=torch.float64)], None
        path = [params[0].numpy()]
        for _ in range(_STEPS):
            grads = [curvature * (params[0] - bottom)]
            if number == 0:
                params = step(params, grads, rate)
            elif number == 3:
                params, state = step(params, grads, state, rate, weight_decay=0.3)
            else:
                params, state = step(params, grads, state, rate)
            path.append(_numpy(params[0]))
        paths[name] = np.array(path)
    return paths


def _validation_curve() -> Array:
    """A loss that falls, rests on a step for a while, falls again and rises; with ripples."""
    epoch = np.arange(75)
    fall = 0.9 * np.exp(-epoch / 4) + 0.25 / (1 + np.exp((epoch - 26) / 1.5))
    ripple = 0.03 * np.sin(0.9 * epoch) + 0.01 * np.sin(2.6 * epoch)
    return 0.3 + fall + 0.005 * np.maximum(epoch - 30, 0) - 0.002 * epoch + ripple


def _stop(EarlyStopping: Callable[..., Any], patience: int, losses: Array) -> tuple[int, int]:
    """The epoch where a training with this patience stops, and its best one."""
    model, stopper = nn.Linear(1, 1), EarlyStopping(patience)
    said = (stopper.step(loss, model) for loss in losses.tolist())
    stop = next((epoch for epoch, stopped in enumerate(said) if stopped), len(losses) - 1)
    return stop, int(stopper.best_epoch)


def _truth(axes: Axes) -> None:
    known = _known()
    axes.plot(known["time"], known["sine"], color=PALES[BLUE], linewidth=6, label="the truth")
    axes.set(xlabel="standardised time", ylabel="displacement / amplitude")


def _readings(axes: Axes, x: torch.Tensor, y: torch.Tensor) -> None:
    axes.plot(x.ravel(), y.ravel(), "o", color=INK, ms=4.5, zorder=4)


def _curve(axes: Axes, model: nn.Module, colour: str, name: str, lw: float = 1.7) -> None:
    time = torch.linspace(-EDGE, EDGE, 601)[:, None]
    with torch.no_grad():
        axes.plot(time.ravel(), _numpy(model(time)).ravel(), color=colour, label=name, lw=lw)
