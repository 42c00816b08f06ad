"""Plots of this notebook: the student's result in colour, the expected one in grey behind it."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from coursekit.ising_data import ising_configurations
from coursekit.look import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE,
    PURPLE,
    SIGNS,
    across,
    canvas,
    dress,
    legend,
    told,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm import tqdm

"""Blue below zero, orange above; white is zero."""

T_C = 2 / math.log(1 + math.sqrt(2))
E_C = -math.sqrt(2)
"""Onsager's critical temperature and energy per spin of the infinite lattice."""

KNOWN_COLD, KNOWN_HOT = (1.0, 2.0), (2.5, 4.0)
"""Temperatures between which the networks have data."""

_SIGNAL, _KERNEL = np.array([1, 0, -1, 1, -1, 0, 1, -1]), np.array([1, 0, -1])
_CHAIN = np.where((np.arange(24) >= 5) & (np.arange(24) < 12), -1, 1)
_CORNER = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
_NAMES = ("horizontal", "vertical", "blur", "laplacian")


def _island() -> np.ndarray:
    """One round domain of spins +1 among −1, beside the middle of a 16 × 16 lattice."""
    x = np.arange(16)
    return np.where((x - 6.5) ** 2 + (x[:, None] - 8.5) ** 2 < 25, 1, -1)


def _waves() -> np.ndarray:
    """A smooth map with hills and valleys, 8 × 8."""
    x = np.arange(8)
    return np.round(np.sin(1.1 * x + 0.4) + np.cos(0.9 * x[:, None] - 0.6), 2)


def expected(answers: Any) -> dict[str, Any]:
    """What the figures show as right."""
    spot = np.zeros((7, 7))
    spot[3, 3] = 1
    data: dict[str, Any] = {
        "slid": answers.correlate1d(_SIGNAL, _KERNEL),
        "chain": answers.correlate1d(_CHAIN, _KERNEL),
        "stamped": answers.convolve2d_periodic(spot, _CORNER),
        "pooled": answers.max_pool2d(_waves(), 2),
        "first": answers.count_conv_parameters(1, 16, 3),
        "second": answers.count_conv_parameters(16, 32, 3),
    }
    for name in _NAMES:
        data[name] = answers.convolve2d_periodic(_island(), answers.kernel(name))
    return data


@functools.cache
def _expected() -> dict[str, Any]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


# ------------------------------------------------------------------------- the picture


def goal() -> Figure:
    """Lattices from cold to hot, and the notebook's last picture without the network's curves."""
    temperatures = (1.5, 2.1, T_C, 2.5, 4.0)
    figure = plt.figure(figsize=(8.6, 4.6), dpi=110, layout="constrained")
    grid = figure.add_gridspec(2, 5, height_ratios=(1, 1.35))
    lattices = ising_configurations(32, np.array(temperatures), np.random.default_rng(8), 1000)
    for column, (temperature, spins) in enumerate(zip(temperatures, lattices, strict=True)):
        axes = figure.add_subplot(grid[0, column])
        name = "T_c" if temperature == T_C else f"{temperature:.1f}"
        _lattice(axes, spins, f"T = {name}".replace("T_c", "$T_c$"))
    axes = figure.add_subplot(grid[1, :])
    cold, hot = np.linspace(*KNOWN_COLD, 6), np.linspace(*KNOWN_HOT, 6)
    axes.plot([*cold, *hot], [0] * 6 + [1] * 6, "o", color=INK, ms=6, label="known to the network")
    _temperature_axes(axes, "probability of disorder")
    axes.set_xlim(0.9, 4.1)
    axes.set_ylim(-0.08, 1.08)
    legend(axes, loc="center right")
    return figure


# ---------------------------------------------------------------------------- sliding


def sliding(correlate1d: Callable[..., Any]) -> Figure:
    """A short signal, and a chain of spins with two walls, here and five sites further."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2, height=3.2)
    places = np.arange(len(data["slid"]))
    left.bar(np.arange(8) - 0.0, _SIGNAL, width=0.25, color=GREY, label="signal")
    left.bar(places, data["slid"], width=0.7, color=PALE, zorder=0, label="expected")
    left.plot(places, correlate1d(_SIGNAL, _KERNEL), "o", color=BLUE, ms=7, label="yours")
    dress(left, "place i", "signal, result", "kernel [1, 0, −1] on the signal of the example")
    left.set_ylim(-2.6, 3.4)
    left.legend(loc="upper right", frameon=False, fontsize=9, labelcolor=INK, ncols=3)
    walls = np.arange(len(data["chain"]))
    right.bar(walls, data["chain"], width=0.7, color=PALE, label="expected")
    for move, colour, style in ((0, BLUE, "o"), (5, ORANGE, "o")):
        response = correlate1d(np.roll(_CHAIN, move), _KERNEL)
        label = "yours" if move == 0 else "yours, the chain moved by 5 sites"
        hollow = {"mfc": "none", "mew": 1.5, "ms": 8} if move else {"ms": 5}
        right.plot(walls, response, style, color=colour, label=label, **hollow)
    dress(right, "place i", "result", "a domain of 7 spins −1 in a chain of spins +1")
    right.set_ylim(-2.6, 4.6)
    legend(right, loc="upper left")
    return figure


def stamp(convolve2d_periodic: Callable[..., Any]) -> Figure:
    """A single bright site, convolved: the expected stamp, yours, and what Conv2d makes of it."""
    import torch

    spot = np.zeros((7, 7))
    spot[3, 3] = 1
    weights = torch.tensor(_CORNER, dtype=torch.float32)[None, None]
    image = torch.tensor(spot, dtype=torch.float32)[None, None]
    theirs = torch.nn.functional.conv2d(image, weights, padding=1)[0, 0].numpy()
    figure, panels = canvas(1, 5, height=2.3, width_ratios=(3, 7, 7, 7, 7))
    shown = (
        (_CORNER, "kernel"),
        (spot, "image"),
        (_expected()["stamped"], "expected"),
        (convolve2d_periodic(spot, _CORNER), "yours"),
        (theirs, "torch's Conv2d"),
    )
    for axes, (values, title) in zip(panels, shown, strict=True):
        _map(axes, values, title, 1)
    return figure


def filters(convolve2d_periodic: Callable[..., Any], kernel: Callable[..., Any]) -> Figure:
    """Four kernels on a lattice with one round domain."""
    data, spins = _expected(), _island()
    figure, panels = canvas(2, 5, height=3.9)
    _lattice(panels[0, 0], spins, "spins")
    panels[1, 0].axis("off")
    panels[1, 0].text(1, 0.5, "expected ", color=GREY, ha="right", fontsize=10.5)
    for column, name in enumerate(_NAMES, start=1):
        limit = np.abs(data[name]).max()
        _map(panels[0, column], convolve2d_periodic(spins, kernel(name)), name, limit)
        _map(panels[1, column], data[name], "", limit)
    panels[0, 1].set_ylabel("yours", color=BLUE, fontsize=10.5)
    return figure


def walls(energies: Any, from_laplacian: Any) -> Figure:
    """The energy from a convolution over the energy from the sum over bonds."""
    figure, axes = canvas(1, 1, width=4.6, height=3.6)
    axes.plot([-2.05, 0.05], [-2.05, 0.05], color=PALE, lw=6, label="expected: equal")
    axes.plot(energies, from_laplacian, "o", color=BLUE, ms=4, alpha=0.6, mew=0, label="yours")
    dress(axes, "energy per spin from the bonds / J", "from the Laplacian / J")
    axes.set_aspect("equal")
    legend(axes)
    return figure


# ------------------------------------------------------------------- pooling and counting


def pooled(max_pool2d: Callable[..., Any]) -> Figure:
    """A map, pooled, and the same map moved by one site, pooled."""
    waves = _waves()
    figure, panels = canvas(1, 4, height=2.6)
    shown = (
        (waves, "a map, 8 × 8"),
        (_expected()["pooled"], "pooled, expected"),
        (max_pool2d(waves, 2), "pooled, yours"),
        (max_pool2d(np.roll(waves, 1, axis=1), 2), "moved by one site,\nthen pooled"),
    )
    for axes, (values, title) in zip(panels, shown, strict=True):
        values = np.asarray(values)
        _map(axes, values, title, 2)
        if len(values) <= 4:
            for (row, column), value in np.ndenumerate(values):
                axes.text(column, row, _tenths(value), ha="center", va="center", fontsize=8)
    for edge in np.arange(1.5, 7, 2):
        panels[0].axhline(edge, color=INK, lw=0.6)
        panels[0].axvline(edge, color=INK, lw=0.6)
    return figure


def parameters(count_conv_parameters: Callable[..., Any]) -> Figure:
    """How many numbers the layers of IsingCNN learn, and some dense layers beside them."""
    data, (figure, axes) = _expected(), canvas(1, 1, height=3.4)
    dense = 512 * 64 + 64 + 64 * 2 + 2
    rows: list[tuple[str, float, float | None]] = [
        ("first convolution", float(data["first"]), count_conv_parameters(1, 16, 3)),
        ("second convolution", float(data["second"]), count_conv_parameters(16, 32, 3)),
        ("two dense layers behind them", dense, None),
        ("IsingCNN, all together", float(data["first"] + data["second"]) + dense, None),
        ("dense network 256–64–32–2", 256 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2, None),
        ("dense, in place of the first convolution", 256 * 4096 + 4096, None),
    ]
    for place, (_, right, yours) in enumerate(rows):
        axes.barh(place, right, height=0.72, color=PALE, label="expected" if place == 0 else None)
        if yours is not None:
            label = "yours" if place == 0 else None
            axes.barh(place, yours, height=0.28, color=BLUE, label=label)
        axes.text(right * 1.15, place, f"{right:,.0f}".replace(",", " "), color=INK, va="center")
    axes.set_xscale("log")
    axes.set_xlim(50, 6e6)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.invert_yaxis()
    dress(axes, "numbers to learn", "")
    legend(axes, loc="upper right")
    return figure


# ------------------------------------------------------------------------------ networks


def edges(model: Any) -> Figure:
    """What padding does to a lattice without any edge, and to the logits of shifted lattices."""
    import torch

    uniform = torch.ones(1, 1, 16, 16)
    maps = {}
    for mode in ("zeros", "circular"):
        torch.manual_seed(4)
        layer = torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode)
        maps[mode] = layer(uniform).detach()[0, 0].numpy()
    stripes = np.where(np.arange(16)[:, None] + np.zeros(16) < 8, 1.0, -1.0)
    moved = np.array([np.roll(stripes, shift, axis=0) for shift in range(16)])
    difference = disorder(model, moved)
    figure, (left, middle, right) = canvas(1, 3, height=2.9, width_ratios=(1, 1, 1.5))
    limit = max(np.abs(values).max() for values in maps.values())
    _map(left, maps["zeros"], "zeros beyond the edge", limit)
    _map(middle, maps["circular"], "periodic", limit)
    shifts = np.arange(16)
    flat = np.full(16, difference.mean())
    right.plot(shifts, flat, color=PALE, lw=6, label="blind to shifts")
    right.plot(shifts, difference, "o-", color=BLUE, ms=4, lw=1.2, label="yours, untrained")
    dress(right, "shift / sites", "logit 1 − logit 0", "two domains, moved down")
    right.set_xticks(range(0, 16, 3))
    span = np.ptp(difference) or 1.0
    right.set_ylim(difference.min() - 0.15 * span, difference.max() + 0.5 * span)
    legend(right, loc="upper right")
    return figure


def memory(chains: dict[float, tuple[Any, Any]]) -> Figure:
    """Magnetisations of a chain, now and ten sweeps later, and of two different chains."""
    pairs = ("two chains", "one chain, ten sweeps later")
    figure, panels = canvas(1, len(chains), width=7.0, height=3.9, sharey=True)
    for axes, (temperature, (now, later)) in zip(panels, chains.items(), strict=True):
        axes.plot(now, np.roll(now, 1), "o", color=GREEN, ms=4, alpha=0.45, mew=0, label=pairs[0])
        axes.plot(now, later, "o", color=ORANGE, ms=4, alpha=0.45, mew=0, label=pairs[1])
        dress(axes, "m of a configuration", "", f"T = {temperature:.1f}")
        axes.set_xlim(-1.05, 1.05)
        axes.set_ylim(-1.05, 1.05)
        axes.set_aspect("equal")
    panels[0].set_ylabel("m of the other one", color=INK, fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    place = "outside upper center"
    figure.legend(handles, labels, loc=place, ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def learning(
    shuffled: Sequence[Any], sorted_: Sequence[Any], accuracies: dict[str, Any], temperatures: Any
) -> Figure:
    """The loss of each epoch, and the share of unseen configurations told right."""
    figure, (left, right) = canvas(1, 2, height=3.5)
    left.axhline(math.log(2), color=PALE, lw=6, zorder=0)
    left.text(len(sorted_), 0.9, "guessing: ln 2", color=GREY, ha="right", va="bottom")
    for losses, colour, label in (
        (sorted_, ORANGE, "cold first, then hot"),
        (shuffled, BLUE, "shuffled, yours"),
    ):
        epochs = np.arange(1, len(losses) + 1)
        left.semilogy(epochs, [float(loss) for loss in losses], "o-", color=colour, label=label)
    dress(left, "epoch", "mean cross-entropy")
    left.set_ylim(1e-3, 4)
    left.xaxis.get_major_locator().set_params(integer=True)
    legend(left, loc="lower left")
    colours = {"yours": BLUE}
    for name, values in accuracies.items():
        style = "o-" if name in colours else "s--"
        right.plot(temperatures, values, style, color=colours.get(name, ORANGE), ms=4, label=name)
    _temperature_axes(right, "told right")
    right.set_xlim(0.9, 4.1)
    right.set_ylim(0, 1.05)
    legend(right, loc="lower right")
    return figure


def shift_maps(models: dict[str, Any]) -> Figure:
    """How the difference of the logits changes when one configuration is shifted by (i, j)."""
    spins = ising_configurations(16, np.array([2.25]), np.random.default_rng(11))[0]
    shifts = [(i, j) for i in range(16) for j in range(16)]
    moved = np.array([np.roll(spins, shift, axis=(0, 1)) for shift in shifts])
    figure, panels = canvas(1, 1 + len(models), height=3.0)
    _lattice(panels[0], spins, "the configuration, T = 2.25")
    found = {name: disorder(model, moved).reshape(16, 16) for name, model in models.items()}
    limit = max(np.abs(values - values.mean()).max() for values in found.values())
    for axes, (name, values) in zip(panels[1:], found.items(), strict=True):
        image = _map(axes, values - values.mean(), f"{name}\nspread {_power(values.std())}", limit)
        axes.set_xlabel("shift to the right", color=INK, fontsize=9)
    panels[1].set_ylabel("shift down", color=INK, fontsize=9)
    bar = figure.colorbar(image, ax=panels[1:], shrink=0.8)
    bar.set_label("logit 1 − logit 0, minus its mean", color=INK, fontsize=9)
    bar.ax.tick_params(labelsize=8, color=PALE, labelcolor=INK)
    bar.outline.set_visible(False)
    return figure


def crossing(model: Any, temperatures: Any, lattices: dict[int, Any]) -> Figure:
    """The probability of disorder over the temperature for lattices of several sizes."""
    figure, (left, right) = canvas(1, 2, height=4.0, width_ratios=(1.3, 1))
    colours = dict(zip(lattices, (GREEN, BLUE, ORANGE, PURPLE), strict=False))
    for side, groups in lattices.items():
        spins = np.concatenate(groups)
        energies = energy_per_spin(spins)
        above = (energies > E_C).reshape(len(temperatures), -1).mean(axis=1)
        logits = disorder(model, spins)
        chances = 1 / (1 + np.exp(-logits.clip(-50, 50)))
        means = chances.reshape(len(temperatures), -1).mean(axis=1)
        label = f"{side} × {side}" + (" (it learnt these)" if side == 16 else "")
        left.plot(temperatures, above, color=colours[side], lw=5, alpha=0.22, zorder=1)
        style = dict(zip(lattices, ("s-", "o-", "D-", "^-"), strict=False))[side]
        left.plot(temperatures, means, style, color=colours[side], ms=4.5, lw=1.4, label=label)
        passed = temperatures[np.argmax(means > 0.5)]
        told(f"{side} × {side}: disorder is first thought likelier than order at T = {passed:.2f}.")
        right.plot(energies, logits, "o", color=colours[side], ms=3, alpha=0.35, mew=0)
    left.plot([], [], color=PALE, lw=5, label="share with e > −√2 J")
    left.axhline(0.5, color=GREY, lw=0.8)
    _temperature_axes(left, "probability of disorder", place=0.9)
    left.set_xlim(min(temperatures) - 0.05, max(temperatures) + 0.05)
    left.set_ylim(-0.05, 1.05)
    legend(left, loc="lower right")
    right.axvline(E_C, color=INK, lw=1.2, ls=(0, (4, 3)))
    right.axhline(0, color=GREY, lw=0.8)
    right.text(E_C - 0.03, 0.97, "−√2 J", ha="right", va="top", transform=across(right))
    dress(right, "energy per spin / J", "logit 1 − logit 0", "every configuration")
    return figure


def trained_in_order(model: Any, X: Any, y: Any, epochs: int) -> list[float]:
    """Trains without shuffling, cold first, then hot; the mean loss of every epoch."""
    import torch

    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    for _ in tqdm(range(epochs), desc="cold first, then hot", file=sys.stdout):
        losses = []
        for rows in torch.arange(len(X)).split(32):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            optimiser.step()
            losses.append(loss.item() * len(rows))
        history.append(sum(losses) / len(X))
    return history


def kernels_before_and_after(before: Any, after: Any) -> Figure:
    """The kernels of the first convolution, untrained and trained."""
    import torch

    pairs = []
    for model in (before, after):
        first = next(m for m in model.modules() if isinstance(m, torch.nn.Conv2d))
        pairs.append(first.weight.detach().double().numpy()[:, 0])
    limit = max(np.abs(kernels).max() for kernels in pairs)
    figure, panels = canvas(4, 9, width=7.6, height=3.6, width_ratios=(1, 1, 1, 1, 0.5, 1, 1, 1, 1))
    for axes in panels.ravel():
        axes.axis("off")
    for side, (kernels, title) in enumerate(zip(pairs, ("untrained", "trained"), strict=True)):
        for number, kernel in enumerate(kernels[:16]):
            axes = panels[number // 4, 5 * side + number % 4]
            axes.imshow(kernel, cmap=SIGNS, vmin=-limit, vmax=limit)
        panels[0, 5 * side].set_title(title, color=INK, fontsize=10.5, loc="left")
    flat = [kernels.reshape(len(kernels), -1) for kernels in pairs]
    lengths = np.linalg.norm(flat[0], axis=1) * np.linalg.norm(flat[1], axis=1)
    alike = np.sum(flat[0] * flat[1], axis=1) / lengths
    told(
        f"the cosine between a kernel before and after the training is {alike.min():.2f} to "
        f"{alike.max():.2f}, {np.median(alike):.2f} for the median."
    )
    return figure


# --------------------------------------------------------------------------------- numbers


def disorder(model: Any, spins: Any) -> np.ndarray:
    """logit 1 − logit 0 of each lattice, in evaluation mode."""
    import torch

    model.eval()
    x = torch.tensor(np.asarray(spins), dtype=torch.float32)[:, None]
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(64)]).double().numpy()
    return logits[:, 1] - logits[:, 0]


def energy_per_spin(spins: Any) -> np.ndarray:
    """Each bond once, periodic, in units of J."""
    spins = np.asarray(spins, dtype=float)
    bonds = spins * (np.roll(spins, 1, axis=1) + np.roll(spins, 1, axis=2))
    return -bonds.mean(axis=(1, 2))


def _tenths(value: float) -> str:
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _power(value: float) -> str:
    digit, power = f"{value:.0e}".split("e")
    return f"{value:.2g}" if value >= 1e-3 else rf"${digit}\times10^{{{int(power)}}}$"


# -------------------------------------------------------------------------------- the look


def _temperature_axes(axes: Axes, y: str, place: float = 0.03) -> None:
    """Temperature below, with the critical one, and the gap without training data shaded."""
    gap = (KNOWN_COLD[1], KNOWN_HOT[0])
    axes.axvspan(*gap, color=LIGHT, lw=0, zorder=0)
    axes.axvline(T_C, color=INK, lw=1.2, ls=(0, (4, 3)), zorder=1)
    axes.text(T_C + 0.015, place, "$T_c$", color=INK, transform=across(axes))
    dress(axes, "temperature / (J/$k_B$)", y)
    axes.text(gap[0], 1.01, "no training data", color=GREY, fontsize=9, transform=across(axes))


def _map(axes: Axes, values: Any, title: str, limit: float) -> Any:
    """Numbers as colours, the same distance from white for +limit and −limit."""
    image = axes.imshow(np.asarray(values, dtype=float), cmap=SIGNS, vmin=-limit, vmax=limit)
    _bare(axes, title)
    return image


def _lattice(axes: Axes, spins: Any, title: str) -> None:
    axes.imshow(np.asarray(spins), cmap=SIGNS, vmin=-1.3, vmax=1.3)
    _bare(axes, title)


def _bare(axes: Axes, title: str) -> None:
    axes.set_title(title, color=INK, fontsize=9.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(PALE)
