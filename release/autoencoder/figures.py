"""Plots of this notebook: the student's result in colour, the expected one in grey behind it."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from coursekit.look import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE,
    SIGNS,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SPINS, WARMTH = SIGNS, "cividis"

T_C = 2 / math.log(1 + math.sqrt(2))


def expected(answers: Any) -> dict[str, list]:
    """The exact magnetisation of the infinite lattice, and the parameters of each layer."""
    temperatures = np.concatenate(
        [np.linspace(0.9, T_C - 1e-3, 120), T_C - np.logspace(-3, -9, 25), [T_C, 4.1]]
    )
    order = np.maximum(1 - np.sinh(2 / temperatures) ** -4.0, 0) ** 0.125
    order[-2:] = 0
    sizes = [weights.numel() for weights in answers.IsingAutoencoder(256).parameters()]
    data = {"T": temperatures, "m": order, "layers": np.reshape(sizes, (-1, 2)).sum(axis=1)}
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


# ------------------------------------------------------------------------------------ data


def goal(lattices: Any) -> Figure:
    """Three configurations, and the notebook's last curve without the network's part of it."""
    figure, panels = canvas(1, 4, height=2.9, width_ratios=(1, 1, 1, 2.6))
    for axes, lattice, title in zip(
        panels, lattices, ("T = 1.6", "T = 2.3", "T = 3.6"), strict=False
    ):
        _lattice(axes, lattice, title)
    right = panels[3]
    _exact(right, label="exact |m|, infinite lattice")
    right.text(2.36, 0.55, "what would a network\ncall order?", color=BLUE, va="center")
    _temperature_axes(right, "order parameter")
    right.set_ylim(0, 1.05)
    legend(right, loc=(0.5, 0.86))
    return figure


def magnetisations(temperatures: Any, m: Any) -> Figure:
    """The magnetisation of every configuration over its temperature."""
    figure, (left, right) = canvas(1, 2, height=3.1, width_ratios=(1.7, 1), sharey=True)
    temperatures, m = np.asarray(temperatures), np.asarray(m)
    for sign in (1, -1):
        _exact(left, sign, label="exact ±|m|, infinite lattice" if sign == 1 else None)
    shift = np.random.default_rng(0).uniform(-0.04, 0.04, len(m))
    left.plot(temperatures + shift, m, "o", color=BLUE, ms=2.2, alpha=0.45, mew=0)
    _temperature_axes(left, "magnetisation m", "each dot a configuration")
    left.set_ylim(-1.08, 1.08)
    legend(left, loc=(0.52, 0.86))
    bins = np.linspace(-1.02, 1.02, 52)
    for some, colour, words, place in (
        (temperatures < T_C, BLUE, r"$T < T_\mathrm{c}$", 0.75),
        (temperatures > T_C, ORANGE, r"$T > T_\mathrm{c}$", 0.22),
    ):
        right.hist(m[some], bins, orientation="horizontal", color=colour, alpha=0.75)
        right.text(190, place, words, color=colour, ha="right", va="center")
    dress(right, "configurations", "", "all of them")
    return figure


def components(ratio: Any, by_sklearn: Any, m: Any, errors: Any) -> Figure:
    """How much variance each direction carries, and what the first one leaves of each row."""
    figure, (left, right) = canvas(1, 2)
    number = np.arange(1, len(ratio) + 1)
    left.bar(number, by_sklearn, width=0.75, color=PALE, label="expected (scikit-learn)")
    left.plot(number, ratio, "o", color=BLUE, ms=6, label="yours")
    left.set_yscale("log")
    left.set_xticks(number)
    for first, last, words in ((1, 1, "uniform"), (2, 5, "longest waves")):
        height = 1.35 * float(np.max(by_sklearn[first - 1 : last]))
        left.plot([first - 0.35, last + 0.35], [height, height], color=ORANGE, lw=1.4)
        left.text((first + last) / 2, 1.12 * height, words, color=ORANGE, ha="center")
    dress(left, "direction", "part of the variance", "principal components")
    left.set_ylim(4e-3, 1.5)
    left.set_xlim(0, len(ratio) + 1)
    legend(left)
    curve = np.linspace(-1, 1, 101)
    expected_line(right, curve, 1 - curve**2, label="1 − m²")
    right.plot(
        m, errors, "o", color=BLUE, ms=2.5, alpha=0.5, mew=0, label="each row, from one number"
    )
    dress(right, "magnetisation m", "mean squared error", "one component")
    right.set_ylim(-0.03, 1.2)
    right.set_xticks([-1, -0.5, 0, 0.5, 1])
    legend(right, loc="lower center")
    return figure


# -------------------------------------------------------------------------------- networks


def untrained(model: Any, configuration: Any) -> Figure:
    """A configuration, what an untrained network makes of it, and where its parameters are."""
    import torch

    figure, (left, middle, right) = canvas(1, 3, height=2.9, width_ratios=(1, 1, 2))
    x = torch.tensor(np.asarray(configuration, dtype=np.float32))[None]
    with torch.no_grad():
        x_hat = model(x)[0]
    error = float(((x - x_hat) ** 2).mean())
    _lattice(left, x[0].reshape(16, 16), "x")
    _lattice(middle, x_hat[0].reshape(16, 16), f"x̂, error {error:.2f}")
    sizes = [weights.numel() for weights in model.parameters()]
    layers = _expected()["layers"]
    names = ["256 → 128", "128 → 32", "32 → 2", "2 → 32", "32 → 128", "128 → 256"]
    place = np.arange(len(layers))[::-1]
    right.barh(place, layers, height=0.8, color=PALE, label="expected")
    if len(sizes) == 2 * len(layers):
        yours = np.reshape(sizes, (-1, 2)).sum(axis=1)
        right.barh(place, yours, height=0.35, color=BLUE, label="yours")
    right.set_yticks(place, names)
    for y, size in zip(place, layers, strict=True):
        right.text(size + 500, y, str(size), color=INK, va="center")
    dress(right, "parameters", "", f"layer by layer, {sum(sizes)} in all")
    right.set_xlim(0, 41000)
    right.set_xticks([0, 10000, 20000, 30000, 40000])
    right.grid(False, axis="y")
    legend(right, loc="center right")
    return figure


def best_grey(reconstruction_loss: Callable[..., Any], configurations: list[Any]) -> Figure:
    """The loss of a uniform reconstruction, for three configurations."""
    import torch

    figure, (left, right) = canvas(1, 2, height=3.4, width_ratios=(1, 2.4))
    left.remove()
    small = figure.add_gridspec(1, 2, width_ratios=(1, 2.4))[0].subgridspec(3, 1)
    grey = np.linspace(-1, 1, 81)
    for row, (x, colour) in enumerate(zip(configurations, (BLUE, GREEN, ORANGE), strict=True)):
        x = torch.tensor(np.asarray(x, dtype=np.float32))
        m = float(x.mean())
        axes = figure.add_subplot(small[row])
        _lattice(axes, x.reshape(16, 16), f"m = {m:.2f}".replace("-", "−"), frame=colour)
        expected_line(
            right, grey, 1 - 2 * grey * m + grey**2, label="1 − 2cm + c²" if row == 0 else None
        )
        yours = [float(reconstruction_loss(x, torch.full_like(x, float(c)))) for c in grey]
        right.plot(grey, yours, color=colour, lw=1.8, label="yours" if row == 0 else None)
        right.plot(m, 1 - m**2, "o", color=colour, ms=7, mec="white", zorder=5)
    right.text(0.02, 0.97, "dots: c = m", color=INK, va="top", transform=right.transAxes)
    dress(right, "grey c of the reconstruction", "loss", "one grey for all sites")
    right.set_ylim(0, 4.1)
    legend(right, loc="upper center")
    return figure


def training(
    plain_seen: list[float],
    plain_unseen: list[float],
    losses: Any,
    final: float,
    magnetisation: float,
) -> Figure:
    """Errors over epochs, on the data and on unseen configurations, of both trainings."""
    figure, (left, right) = canvas(1, 2, sharey=True)
    epoch = np.arange(1, len(plain_seen) + 1)
    left.plot(epoch, plain_seen, color=ORANGE, lw=1.5, ls=(0, (4, 2)), label="on its own data")
    left.plot(epoch, plain_unseen, color=ORANGE, lw=2, label="on unseen configurations")
    best = int(np.argmin(plain_unseen))
    left.plot(epoch[best], plain_unseen[best], "o", color=ORANGE, ms=7, mec="white")
    losses = np.array([float(loss) for loss in losses])
    right.plot(
        np.arange(1, len(losses) + 1), losses, color=BLUE, lw=1.5, ls=(0, (4, 2)),
        label="losses of the epochs",
    )  # fmt: skip
    right.plot(len(losses), final, "o", color=BLUE, ms=7, mec="white", label="unseen, at the end")
    for axes in (left, right):
        axes.axhline(magnetisation, color=GREY, lw=1.2)
        axes.axhspan(0, 0.47, color=LIGHT, lw=0, zorder=0)
    last = len(losses)
    right.text(last, magnetisation + 0.002, "m alone", color=GREY, ha="right", va="bottom")
    right.text(last, 0.468, "down here: memory", color=GREY, ha="right", va="top")
    dress(left, "epoch", "mean squared error", "the usual loop")
    dress(right, "epoch", "", "yours")
    left.set_ylim(0.43, 0.565)
    legend(left, loc="upper right")
    legend(right, loc="upper right")
    return figure


def by_temperature(temperatures: Any, unseen: Any, rebuilt: dict[str, Any]) -> Figure:
    """The error at each temperature, and what each method gains over the magnetisation."""
    temperatures, unseen = np.asarray(temperatures), np.asarray(unseen)
    figure, (left, right) = canvas(1, 2, height=3.2)
    known = np.unique(temperatures)

    def at_each(values: np.ndarray) -> np.ndarray:
        return np.array([values[temperatures == T].mean() for T in known])

    alone = at_each(1 - unseen.mean(axis=1) ** 2)
    expected_line(left, known, alone, label="m alone")
    right.axhline(0, color=PALE, lw=6)
    for (name, x_hat), colour in zip(rebuilt.items(), (GREEN, ORANGE, BLUE), strict=True):
        errors = at_each(np.mean((np.asarray(x_hat) - unseen) ** 2, axis=1))
        left.plot(known, errors, "o-", color=colour, ms=4, lw=1.3, label=name)
        right.plot(known, errors - alone, "o-", color=colour, ms=4, lw=1.3, label=name)
    left.axhline(1, color=GREY, lw=0.8)
    left.text(1.0, 1.015, "always zero", color=GREY, va="bottom")
    dress(left, "temperature T", "mean squared error", "unseen configurations")
    dress(right, "temperature T", "error − error of m alone", "the difference")
    _t_c(left)
    _t_c(right)
    left.set_ylim(0, 1.2)
    legend(left, loc="lower right")
    return figure


def reconstructions(temperatures: Any, unseen: Any, rebuilt: dict[str, Any]) -> Figure:
    """Unseen configurations from cold to hot, and what each method makes of them."""
    temperatures, unseen = np.asarray(temperatures), np.asarray(unseen)
    shown = [
        int(np.flatnonzero(temperatures > T - 1e-9)[20]) for T in (1.0, 1.8, 2.0, 2.5, 2.8, 4.0)
    ]
    rows = {"spins": unseen, **rebuilt}
    figure, panels = canvas(len(rows), len(shown), width=7.2, height=4.9)
    for line, (name, values) in enumerate(rows.items()):
        for column, row in enumerate(shown):
            title = f"T = {temperatures[row]:.1f}" if line == 0 else ""
            _lattice(panels[line, column], np.asarray(values)[row].reshape(16, 16), title)
        panels[line, 0].set_ylabel(name, color=INK, fontsize=9)
    return figure


# ---------------------------------------------------------------------------------- latent


def latent_plane(z: Any, temperatures: Any, m: Any) -> Figure:
    """The two latent numbers, coloured by temperature and by magnetisation."""
    z = np.asarray(z)
    figure, panels = canvas(1, 2, height=3.5, sharex=True, sharey=True)
    for axes, colour, scale, limits, words in (
        (panels[0], temperatures, WARMTH, (1, 4), "temperature T"),
        (panels[1], m, SPINS, (-1, 1), "magnetisation m"),
    ):
        dots = axes.scatter(
            z[:, 0], z[:, 1], c=colour, cmap=scale, vmin=limits[0], vmax=limits[1], s=11,
            edgecolors=GREY, linewidths=0.2,
        )  # fmt: skip
        bar = figure.colorbar(dots, ax=axes, aspect=30, pad=0.02)
        bar.set_label(words, color=INK, fontsize=9)
        bar.ax.tick_params(color=PALE, labelcolor=INK, labelsize=8)
        bar.outline.set_visible(False)
        dress(axes, "z₁", "z₂" if axes is panels[0] else "", f"coloured by {words.split()[0]}")
    return figure


def what_is_known(
    yours: dict[str, float], expected: dict[str, float], m: Any, fitted: Any
) -> Figure:
    """R² of three quantities, and the best line for the magnetisation."""
    figure, (left, right) = canvas(1, 2, height=3.4, width_ratios=(1, 1.2))
    place = np.arange(len(yours))
    left.bar(
        place, list(expected.values()), width=0.75, color=PALE, label="expected (scikit-learn)"
    )
    left.plot(place, list(yours.values()), "o", color=BLUE, ms=8, label="yours")
    left.set_xticks(place, list(yours))
    dress(left, "", "R² on z", "how well a line in z tells it")
    left.set_ylim(0, 1.25)
    left.grid(False, axis="x")
    legend(left, loc="upper right")
    right.plot([-1, 1], [-1, 1], color=PALE, lw=4)
    right.plot(m, fitted, "o", color=BLUE, ms=3, alpha=0.5, mew=0)
    dress(right, "magnetisation m", "best line in z", "the magnetisation")
    right.set_xlim(-1.1, 1.1)
    right.set_ylim(-1.25, 1.25)
    return figure


def one_number(temperatures: Any, order: Any, m: Any) -> Figure:
    """A single latent number against the magnetisation and over the temperature."""
    temperatures, order, m = (np.asarray(values) for values in (temperatures, order, m))
    known = np.unique(temperatures)
    sign = 1 if np.sum(order * m) > 0 else -1
    order = sign * order / np.abs(order[temperatures == known[0]]).mean()

    def typical(values: np.ndarray) -> np.ndarray:
        return np.array([np.abs(values[temperatures == T]).mean() for T in known])

    figure, (left, right) = canvas(1, 2, height=3.6, width_ratios=(1, 1.5))
    left.plot([-1, 1], [-1, 1], color=PALE, lw=4)
    left.scatter(m, order, c=temperatures, cmap=WARMTH, s=7, linewidths=0, zorder=3)
    dress(left, "magnetisation m", "order o found by the network", "every configuration")
    left.text(0.04, 0.96, "dark: cold, bright: hot", color=GREY, transform=left.transAxes, va="top")
    _exact(right, label="exact |m|, infinite lattice")
    right.plot(known, typical(m), color=ORANGE, lw=1.6, label="|m| of these configurations")
    right.plot(known, typical(order), "o", color=BLUE, ms=5, label="|o| of the network")
    # What the network has learnt from lies on either side of this gap.
    right.axvspan(2.0, 2.5, color=LIGHT, lw=0, zorder=0)
    right.text(1.96, 0.04, "shaded: no\ntraining data", color=GREY, ha="right", va="bottom")
    _temperature_axes(right, "order parameter", "mean at each temperature")
    right.set_ylim(0, 1.15)
    legend(right, loc="upper right")
    slope, offset = np.polyfit(m, order, 1)
    off = np.std(order - slope * m - offset) / np.std(order)
    half = {name: known[typical(one) > 0.5].max() for name, one in (("o", order), ("m", m))}
    told(
        f"o is {slope:.2f} m, and {off:.0%} of its spread is something else;",
        f"|o| is above one half up to T = {half['o']:.1f}, |m| up to T = {half['m']:.1f}.",
    )
    return figure


# -------------------------------------------------------------------------------- the look


def _lattice(axes: Axes, spins: Any, title: str, frame: str = PALE) -> None:
    """Spins, or numbers between −1 and 1: orange is up, blue is down, white is zero."""
    axes.imshow(np.asarray(spins), cmap=SPINS, vmin=-1.2, vmax=1.2, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, color=INK, fontsize=9.5, loc="left")
    for spine in axes.spines.values():
        spine.set_color(frame)
        spine.set_linewidth(0.8 if frame == PALE else 2)


def _temperature_axes(axes: Axes, y: str, title: str = "") -> None:
    dress(axes, "temperature T", y, title)
    axes.set_xlim(0.9, 4.1)
    _t_c(axes)


def _t_c(axes: Axes) -> None:
    axes.axvline(T_C, color=GREY, lw=1, ls=(0, (4, 3)))
    place = {"ha": "right", "va": "top", "transform": axes.get_xaxis_transform()}
    axes.text(T_C - 0.04, 0.98, r"$T_\mathrm{c}$", color=GREY, fontsize=9, **place)


def _exact(axes: Axes, sign: int = 1, label: str | None = None) -> None:
    data = _expected()
    expected_line(axes, data["T"], sign * data["m"], label=label)
