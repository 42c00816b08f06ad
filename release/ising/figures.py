"""Plots of this notebook: the student's result in colour, the expected one pale behind it.

Nothing here is graded, and nothing here is needed by an exercise.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coursekit.ising_data import ising_configurations
from coursekit.look import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from tqdm import tqdm

T_C = 2 / np.log(1 + np.sqrt(2))
COLD, HEAT = (1.0, 2.0), (2.5, 4.0)
"""Temperatures far from T_c, on either side."""

_SPINS = ListedColormap(["#f2efe6", "#35506e"])  # down light, up dark
_HISTOGRAM_T = 2.5
_COSTS = np.array([-8, -4, 0, 4, 8])
_THREE = (1.0, T_C, 4.0)  # temperatures of the acceptance curves


def _patterns() -> dict[str, np.ndarray]:
    """Four lattices of 12×12 spins."""
    board = np.where(np.add.outer(np.arange(12), np.arange(12)) % 2, -1, 1)
    island = np.ones((12, 12), dtype=int)
    island[3:8, 4:9] = -1
    random = np.where(np.random.default_rng(4).random((12, 12)) < 0.5, -1, 1)
    return {
        "all up": np.ones_like(board),
        "an island": island,
        "random": random,
        "chessboard": board,
    }


def expected(answers: Any) -> dict[str, list]:
    """What the plots show as right: sums over all states of 4×4 spins, and Onsager's results."""
    from scipy.special import ellipk

    T = np.linspace(1.0, 4.0, 121)
    K = 1 / T
    modulus = 2 * np.sinh(2 * K) / np.cosh(2 * K) ** 2
    # Onsager's energy per spin; the bracket vanishes at T_c faster than the integral diverges.
    bracket = 2 * np.tanh(2 * K) ** 2 - 1
    onsager = -(1 + 2 / np.pi * bracket * ellipk(modulus**2)) / np.tanh(2 * K)
    yang = np.where(T < T_C, np.maximum(1 - np.sinh(2 * K) ** -4, 0) ** 0.125, 0.0)

    bits = (np.arange(2**16)[:, None] >> np.arange(16)) & 1
    spins = (2 * bits - 1).reshape(-1, 4, 4)
    energy = -(spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2))).sum((1, 2))
    order = np.abs(spins.mean((1, 2)))
    weights = np.exp(-(energy + 32) / T[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    levels = np.unique(energy)
    at_one = np.exp(-(energy + 32) / _HISTOGRAM_T)
    chances = [at_one[energy == level].sum() / at_one.sum() for level in levels]

    costs = np.linspace(-10, 10, 201)
    patterns = _patterns()
    data = {
        "T": T,
        "onsager": onsager,
        "yang": yang,
        "energy of 4×4": weights @ energy / 16,
        "order of 4×4": weights @ order,
        "levels": levels,
        "chances": chances,
        "costs": costs,
        **{f"acceptance at {t:.2f}": answers.acceptance_probability(costs, t) for t in _THREE},
        "m": [answers.magnetisation(spins) for spins in patterns.values()],
        "E": [answers.energy(spins) for spins in patterns.values()],
    }
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


def progress(steps: Iterable[Any], what: str) -> Iterable[Any]:
    """The steps one by one, with a bar that says how long the rest takes."""
    return tqdm(steps, desc=what, file=sys.stdout)


# ------------------------------------------------------------------------------- one lattice


def goal() -> Figure:
    """Three lattices, and the curve of which a network will have to find the middle."""
    data = _expected()
    figure, panels = canvas(1, 4, height=2.5, width_ratios=(1, 1, 1, 1.75))
    figure.get_layout_engine().set(wspace=0.06)
    temperatures = (1.8, 2.3, 3.5)
    drawn = ising_configurations(64, np.array(temperatures), np.random.default_rng(11), 600)
    for axes, spins, T in zip(panels, drawn, temperatures, strict=False):
        _lattice(axes, spins, f"T = {T}")
    axes = panels[3]
    expected_line(axes, data["T"], data["yang"], label="|m|, infinite lattice")
    axes.axvline(T_C, color=GREY, lw=1.2, ls=(0, (4, 3)))
    axes.text(T_C - 0.08, 0.1, "ordered", ha="right", color=GREY)
    axes.text(T_C + 0.08, 0.1, "disordered", ha="left", color=GREY)
    axes.text(T_C + 0.06, 0.72, "your network's\nverdict?", color=BLUE)
    axes.set_xlim(1, 4)
    axes.set_ylim(0, 1.05)
    dress(axes, "T", "|m|")
    return figure


def patterns(function: Callable[..., Any], name: str) -> Figure:
    """m or E of four lattices, beside the expected value."""
    figure, panels = canvas(1, 4, height=2.6)
    for axes, (label, spins), right in zip(
        panels, _patterns().items(), _expected()[name], strict=True
    ):
        _lattice(axes, spins, label)
        words = f"{name} = {float(function(spins)):.3g}".replace("-", "−")
        axes.text(0, -0.06, words, color=BLUE, va="top", transform=axes.transAxes)
        words = f"expected {right:.3g}".replace("-", "−")
        axes.text(0, -0.18, words, color=GREY, va="top", transform=axes.transAxes)
    return figure


def flip_costs(energy_change: Callable[..., Any], energy: Callable[..., Any]) -> Figure:
    """What flipping each spin of a lattice would cost, and how often each cost occurs."""
    spins = ising_configurations(16, np.array([2.4]), np.random.default_rng(7))[0].astype(int)
    yours, right, before = np.zeros((16, 16)), np.zeros((16, 16)), float(energy(spins))
    for i, j in np.ndindex(16, 16):
        yours[i, j] = energy_change(spins, i, j)
        flipped = spins.copy()
        flipped[i, j] *= -1
        right[i, j] = float(energy(flipped)) - before
    figure, (left, middle, axes) = canvas(1, 3, height=2.9, width_ratios=(1, 1.2, 1.5))
    _lattice(left, spins, "a lattice at T = 2.4")
    colours = ListedColormap(["#1f5fa8", "#8fb3d9", "#f4f4f2", "#e9b48a", "#c25a12"])
    shown = middle.imshow(yours, cmap=colours, vmin=-10, vmax=10)
    _bare(middle, "your ΔE for each spin")
    figure.colorbar(shown, ax=middle, ticks=_COSTS, shrink=0.85)
    for values, width, colour, label in (
        (right, 3.0, PALE, "difference of your energies"),
        (yours, 1.4, BLUE, "your energy_change"),
    ):
        counts = [int((values == cost).sum()) for cost in _COSTS]
        axes.bar(_COSTS, counts, width=width, color=colour, label=label)
    axes.set_xticks(_COSTS)
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
    dress(axes, "ΔE", "spins")
    legend(axes, loc="upper left")
    return figure


# -------------------------------------------------------------------------------- Metropolis


def acceptance(acceptance_probability: Callable[..., Any]) -> Figure:
    """The probability to accept a flip, at three temperatures."""
    data, (figure, axes) = _expected(), canvas(1, 1, width=6.6, height=3.2)
    for T, colour in zip(_THREE, (BLUE, GREEN, ORANGE), strict=True):
        label = "expected" if colour == BLUE else None
        expected_line(axes, data["costs"], data[f"acceptance at {T:.2f}"], label=label)
        yours = acceptance_probability(data["costs"], T)
        axes.plot(data["costs"], yours, color=colour, lw=1.8, label=f"T = {T:.2f}")
        axes.plot(_COSTS, acceptance_probability(_COSTS, T), "o", color=colour, ms=5, mec="white")
    axes.set_xticks(_COSTS)
    axes.set_xlim(-10, 10)
    dress(axes, "ΔE", "probability to accept")
    legend(axes, loc="lower left")
    return figure


def acceptance_rates(metropolis_step: Callable[..., Any]) -> Figure:
    """How often steps accept, for each cost, over the probability that they should have."""
    tries, T = 2000, 3.0
    numbers = np.random.default_rng(3).random((len(_COSTS), tries))
    yours = []
    for against, row in zip((4, 3, 2, 1, 0), numbers, strict=True):
        count = 0
        for u in row:
            spins = np.ones((5, 5), dtype=int)
            for site in ((1, 2), (3, 2), (2, 1), (2, 3))[:against]:
                spins[site] = -1
            metropolis_step(spins, 2, 2, T, float(u))
            count += int(spins[2, 2] == -1)
        yours.append(count / tries)
    right = np.exp(-np.maximum(_COSTS, 0) / T)
    error = np.sqrt(right * (1 - right) / tries)
    figure, axes = canvas(1, 1, width=6.6, height=3.0)
    axes.bar(
        _COSTS, right, width=2.6, color=PALE, label=f"expected: min(1, e$^{{-ΔE/T}}$), T = {T:g}"
    )
    style = {"fmt": "o", "color": BLUE, "ms": 5, "capsize": 3}
    axes.errorbar(_COSTS, yours, error, label=f"accepted of {tries} tries", **style)
    axes.set_xticks(_COSTS)
    axes.set_ylim(0, 1.3)
    dress(axes, "ΔE", "share accepted")
    legend(axes, loc="upper right")
    return figure


def equilibrium(metropolis_sweep: Callable[..., Any], energy: Callable[..., Any]) -> Figure:
    """Two starts that forget where they came from; the energies of one long chain."""
    data, L, T = _expected(), 16, 2.0
    figure, (left, right) = canvas(1, 2, height=3.2)
    target = float(np.interp(T, data["T"], data["onsager"]))
    left.axhline(target, color=PALE, lw=6, label="Onsager, L = ∞")
    rng = np.random.default_rng(8)
    starts = (
        ("from order", BLUE, np.ones((L, L), dtype=np.int8)),
        ("at random", ORANGE, rng.choice([-1, 1], size=(L, L)).astype(np.int8)),
    )
    for label, colour, spins in starts:
        track = [float(energy(spins)) / L**2]
        for _ in range(80):
            metropolis_sweep(spins, T, rng)
            track.append(float(energy(spins)) / L**2)
        left.plot(track, color=colour, lw=1.5, label=label)
    dress(left, "sweep", "energy per spin", f"L = {L}, T = {T:g}")
    legend(left)

    spins, found = np.ones((4, 4), dtype=np.int8), []
    for sweep in range(3020):
        metropolis_sweep(spins, _HISTOGRAM_T, rng)
        if sweep >= 20:
            found.append(float(energy(spins)))
    shares = [np.mean(np.array(found) == level) for level in data["levels"]]
    right.bar(data["levels"], data["chances"], width=3.0, color=PALE, label="all 65 536 states")
    right.bar(data["levels"], shares, width=1.3, color=BLUE, label="3000 of your sweeps")
    right.set_xlim(-35, 15)
    dress(right, "E", "probability", f"L = 4, T = {_HISTOGRAM_T:g}")
    legend(right)
    return figure


def frozen(lattices: Sequence[Any], temperature: float) -> Figure:
    """Lattices after a quench from random starts."""
    figure, panels = canvas(1, len(lattices), height=1.9, squeeze=False)
    for axes, spins in zip(panels[0], lattices, strict=True):
        spins = np.asarray(spins)
        _lattice(axes, spins, f"|m| = {abs(spins.mean()):.2f}")
    figure.suptitle(
        f"random starts, T = {temperature:g}: should be |m| = "
        f"{(1 - np.sinh(2 / temperature) ** -4) ** 0.125:.3f}",
        color=INK,
        fontsize=10.5,
        x=0.01,
        ha="left",
    )
    return figure


def thermodynamics(runs: dict[int, dict[float, Any]]) -> Figure:
    """Energy and |m| of sampled configurations, for each L and temperature."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2, height=3.5)
    for axes, infinite, exact in (
        (left, "onsager", "energy of 4×4"),
        (right, "yang", "order of 4×4"),
    ):
        expected_line(axes, data["T"], data[exact], label="expected, L = 4")
        axes.plot(data["T"], data[infinite], ":", color=INK, lw=1.3, label="L = ∞")
        axes.axvline(T_C, color=GREY, lw=1, ls=(0, (4, 3)))
        axes.set_xlim(1, 4)
    for (L, found), colour in zip(runs.items(), (BLUE, ORANGE), strict=True):
        for T, returned in found.items():
            spins = np.asarray(returned).astype(int)
            bonds = spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2))
            for axes, values in (
                (left, -bonds.mean((1, 2))),
                (right, np.abs(spins.mean((1, 2)))),
            ):
                label = f"yours, L = {L}" if min(found) == T else None
                error = values.std() / np.sqrt(len(values))
                style = {"fmt": "o", "color": colour, "ms": 4.5, "capsize": 2, "lw": 1.2}
                axes.errorbar(T, values.mean(), error, label=label, **style)
    dress(left, "T", "energy per spin")
    dress(right, "T", "⟨|m|⟩")
    legend(left, loc="upper left")
    return figure


# ---------------------------------------------------------------------------------- networks


def dropout(model: Any) -> Figure:
    """What an untrained network says of one configuration: in training mode, and when asked."""
    import torch

    spins = ising_configurations(16, np.array([2.0]), np.random.default_rng(2)).reshape(1, -1)
    x = torch.tensor(spins, dtype=torch.float32)
    with torch.no_grad():
        model.train()
        many = torch.softmax(model(x.expand(2000, -1)), dim=1)[:, 1].numpy()
        model.eval()
        one = float(torch.softmax(model(x), dim=1)[0, 1])
    figure, axes = canvas(1, 1, width=6.6, height=2.8)
    axes.hist(many, 50, color=PALE, label="training mode: 2000 calls")
    axes.axvline(one, color=BLUE, lw=2, label="evaluation mode: every call")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
    dress(axes, "probability of the disordered phase", "calls", "one configuration, untrained")
    legend(axes, loc="upper left")
    return figure


def chains(
    temperatures: Any, rng: np.random.Generator, skipped: int, interval: int, count: int
) -> np.ndarray:
    """One ordered start for each temperature, and `count` configurations of each, 16×16 spins.

    All chains side by side on a chessboard; int8 of shape (temperatures, count, 16, 16).
    """
    T = np.asarray(temperatures)[:, None, None]
    spins = rng.choice(np.array([-1, 1], np.int8), (len(T), 1, 1)) * np.ones((1, 16, 16), np.int8)
    board, kept = np.add.outer(np.arange(16), np.arange(16)) % 2, []
    for sweep in range(1, skipped + interval * count + 1):
        for colour in (0, 1):
            around = sum(np.roll(spins, step, axis) for step in (1, -1) for axis in (1, 2))
            accepted = rng.random(spins.shape) < np.exp(-np.maximum(2 * spins * around, 0) / T)
            spins = np.where(accepted & (board == colour), -spins, spins)
        if sweep > skipped and (sweep - skipped) % interval == 0:
            kept.append(spins)
    return np.array(kept).swapaxes(0, 1)


def asked_twice(
    IsingClassifier: Callable[..., Any], seed: int, usual: bool
) -> tuple[float, float, float]:
    """Shares told wrong: of the test part of the chains learnt from, and of new chains; and of new
    chains by a threshold on |m|. Plain training: Adam, batches of 32."""
    import torch
    from torch import nn

    rng = np.random.default_rng(seed)
    T = np.concatenate([np.linspace(*COLD, 6), np.linspace(*HEAT, 6)])
    interval, count, epochs = 3, 50, 20
    if not usual:
        T, interval, count, epochs = np.linspace(1.7, 2.9, 12), 1, 100, 40
    spins = chains(T, rng, 150, interval, count).reshape(-1, 256)
    y = np.repeat(T > T_C, count).astype(int)
    shuffled = rng.permutation(len(y))
    known, own = np.split(shuffled, [int(0.7 * len(y))])
    new = ising_configurations(16, np.repeat(T, 60), rng, 200).reshape(-1, 256)
    y_new = np.repeat(T > T_C, 60).astype(int)

    torch.manual_seed(seed)
    model, generator = IsingClassifier(256), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    X, classes = torch.tensor(spins[known], dtype=torch.float32), torch.tensor(y[known])
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(X), generator=generator).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(X[batch]), classes[batch]).backward()
            optimiser.step()
    model.eval()

    def wrong(spins: np.ndarray, y: np.ndarray) -> float:
        with torch.no_grad():
            told = model(torch.tensor(spins, dtype=torch.float32)).argmax(dim=1).numpy()
        return float(np.mean(told != y))

    order, order_new = (np.abs(some.mean(axis=1)) for some in (spins[known], new))
    cut = max(np.linspace(0.2, 0.9, 71), key=lambda cut: np.mean((order < cut) == y[known]))
    by_hand = float(np.mean((order_new < cut) != y_new))
    return wrong(spins[own], y[own]), wrong(new, y_new), by_hand


def leak(rows: dict[str, list[tuple[float, float, float]]]) -> Figure:
    """Shares told wrong, for several sets of chains: their own test part, new chains, |m|."""
    figure, panels = canvas(1, len(rows), height=3.3, squeeze=False)
    names = ("their own\ntest part", "new\nchains", "new chains,\nby |m| alone")
    for axes, (title, found) in zip(panels[0], rows.items(), strict=True):
        percent = 100 * np.array(found)
        axes.plot([0, 1], percent[:, :2].T, color=PALE, lw=1, zorder=1)
        means = percent.mean(axis=0)
        errors = percent.std(axis=0, ddof=1) / np.sqrt(len(percent))
        for place, colour in enumerate((ORANGE, BLUE, GREEN)):
            axes.bar(place, means[place], 0.55, color=colour, alpha=0.3)
            axes.plot(np.full(len(percent), place), percent[:, place], "o", color=colour, ms=4)
            bar = {"fmt": "_", "color": INK, "ms": 16, "capsize": 4, "lw": 1.6}
            axes.errorbar(place, means[place], errors[place], **bar)
        axes.set_xticks(range(3), names)
        dress(axes, "", "told wrong / %", title)
        axes.set_ylim(bottom=0)
        scatter = percent.std(axis=0, ddof=1)
        words = title.replace("$T_c$", "T_c")
        told(
            f"{words}: {means[0]:.1f} ± {errors[0]:.1f} % of their own test part are told wrong, "
            f"{means[1]:.1f} ± {errors[1]:.1f} % of new chains, {means[2]:.1f} ± {errors[2]:.1f} % "
            f"by |m| alone; single runs scatter by {scatter[0]:.1f} and {scatter[1]:.1f} %."
        )
    return figure


def confusion(supposed: Any, share: Sequence[float], plainest: Sequence[float]) -> Figure:
    """How well labels by a supposed boundary can be learnt, over where it is supposed to be."""
    figure, axes = canvas(1, 1, width=6.6, height=3.4)
    axes.plot(supposed, plainest, color=PALE, lw=5, label="always the more frequent class")
    axes.plot(supposed, share, "o-", color=BLUE, ms=5, lw=1.5, label="your network")
    axes.axvline(T_C, color=GREY, lw=1, ls=(0, (4, 3)))
    axes.text(T_C, 0.53, "  $T_c$", color=GREY)
    dress(axes, "supposed boundary $T'$", "share told right", "labels by confusion, 16×16 spins")
    axes.set_ylim(0.5, 1.0)
    legend(axes, loc="lower right")
    inside = slice(2, len(share) - 2)
    best = int(np.argmax(np.asarray(share)[inside])) + 2
    told(f"between the ends the labels are learnt best for T' = {supposed[best]:.1f}.")
    return figure


def near_the_transition(T: Any, network: Any, threshold: Any, history: Sequence[float]) -> Figure:
    """The loss; the share told right by temperature, of a network and of a threshold on |m|."""
    figure, (left, right) = canvas(1, 2, height=3.3, width_ratios=(1, 1.5))
    left.plot(np.arange(1, len(history) + 1), history, "o-", color=BLUE, ms=3.5, lw=1.4)
    left.axhline(np.log(2), color=PALE, lw=5, zorder=1)
    left.text(len(history), np.log(2) - 0.025, "ln 2: a coin", color=GREY, ha="right", va="top")
    left.set_ylim(0, 0.75)
    dress(left, "epoch", "mean cross-entropy", "training")
    edges = np.linspace(np.min(T), np.max(T), 17)
    middle = (edges[1:] + edges[:-1]) / 2
    place = np.clip(np.digitize(T, edges) - 1, 0, 15)
    style = {"ms": 4.5, "lw": 1.5}
    for verdict, colour, marker, label in (
        (threshold, GREEN, "s", "threshold on |m|"),
        (network, BLUE, "o", "your network"),
    ):
        verdict = np.asarray(verdict)
        shares = [verdict[place == k].mean() for k in range(16)]
        label = f"{label}: {verdict.mean():.1%} in all"
        right.plot(middle, shares, marker + "-", color=colour, label=label, **style)
    right.axvline(T_C, color=GREY, lw=1, ls=(0, (4, 3)))
    right.text(T_C, 0.4, "  $T_c$", color=GREY)
    right.set_ylim(0.35, 1.02)
    dress(right, "T", "share told right", "independent configurations")
    legend(right, loc="lower left")
    return figure


def crossing(critical_temperature: Callable[..., Any]) -> Figure:
    """A curve known at a few temperatures, and where it crosses one half."""
    T = np.array([1.9, 2.05, 2.15, 2.3, 2.5, 2.6, 2.8])
    p = np.array([0.06, 0.05, 0.22, 0.38, 0.74, 0.71, 0.92])
    right = T[3] + (0.5 - p[3]) / (p[4] - p[3]) * (T[4] - T[3])
    figure, axes = canvas(1, 1, width=6.2, height=2.9)
    axes.axhline(0.5, color=GREY, lw=1)
    axes.axvline(right, color=PALE, lw=6, label="expected")
    axes.plot(T, p, "o-", color=INK, ms=5, lw=1.2)
    yours = float(critical_temperature(T, p))
    axes.axvline(yours, color=BLUE, lw=1.8, label=f"yours: {yours:.4f}")
    axes.set_ylim(0, 1)
    dress(axes, "T", "probability of disorder")
    legend(axes, loc="upper left")
    return figure


def line_through(crossings: dict[int, Any]) -> tuple[np.ndarray, float]:
    """T* = T(∞) + a/L by least squares: (T(∞), a), and the standard error of T(∞).

    Every L has some crossings of independent networks; their scatter is taken to be the same for
    every L, because it is poorly known from a few.
    """
    x = np.concatenate([np.full(len(found), 1 / L) for L, found in crossings.items()])
    y = np.concatenate([np.asarray(found, dtype=float) for found in crossings.values()])
    design = np.column_stack([np.ones_like(x), x])
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    scatter = np.sum([np.sum((np.asarray(v) - np.mean(v)) ** 2) for v in crossings.values()])
    variance = scatter / max(len(x) - len(crossings), 1)
    return solution, float(np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0]))


def critical_point(
    temperatures: Any,
    curves: dict[int, Any],
    near: dict[int, Any],
    far: dict[int, Any],
) -> Figure:
    """The networks' verdicts for each L, and their crossings over 1/L."""
    figure, (left, right) = canvas(1, 2, height=3.7)
    left.axhline(0.5, color=GREY, lw=1)
    for (L, p), colour in zip(curves.items(), (GREEN, ORANGE, BLUE), strict=False):
        p = np.asarray(p)
        error = p.std(axis=0) / np.sqrt(len(p))
        style = {"fmt": "o-", "color": colour, "ms": 4, "capsize": 2, "lw": 1.4}
        left.errorbar(temperatures, p.mean(axis=0), error, label=f"L = {L}", **style)
    left.axvline(T_C, color=PALE, lw=6, zorder=0)
    left.set_ylim(0, 1)
    dress(left, "T", "probability of disorder", "trained up to $T_c$")
    legend(left, loc="upper left")

    right.axhline(T_C, color=PALE, lw=6, label="Onsager")
    for crossings, colour, label in (
        (far, ORANGE, "trained far from $T_c$ only"),
        (near, BLUE, "trained up to $T_c$"),
    ):
        crossings = {L: found for L, found in crossings.items() if found}
        means = [np.mean(found) for found in crossings.values()]
        errors = [np.std(found) / np.sqrt(max(len(found) - 1, 1)) for found in crossings.values()]
        inverse = [1 / L for L in crossings]
        style = {"fmt": "o", "color": colour, "ms": 5, "capsize": 3}
        right.errorbar(inverse, means, errors, label=label, **style)
        if label == "trained up to $T_c$":
            (limit, slope), error = line_through(crossings)
            x = np.array([0, 1.1 * max(inverse)])
            right.plot(x, limit + slope * x, color=colour, lw=1.2)
            right.errorbar([0], [limit], [error], **{**style, "mfc": "white"})
            words = f"{limit:.3f} ± {error:.3f}"
            right.annotate(words, (0.003, limit - error - 0.008), color=colour, va="top")
    right.set_xlim(-0.004, 1.1 / min(near))
    low, high = right.get_ylim()
    right.set_ylim(min(low, T_C - 0.08), max(high, T_C + 0.16))
    dress(right, "1 / L", "temperature of the crossing")
    legend(right, loc="upper left")
    return figure


# -------------------------------------------------------------------------------- the look


def _bare(axes: Axes, title: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    for spine in axes.spines.values():
        spine.set_color(PALE)


def _lattice(axes: Axes, spins: Any, title: str) -> None:
    axes.imshow(spins, cmap=_SPINS, vmin=-1, vmax=1, interpolation="nearest")
    _bare(axes, title)
