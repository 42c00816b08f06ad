"""Plots of this notebook: the student's result in colour, the expected one in grey behind it."""

from __future__ import annotations

import functools
import json
import math
import sys
import time
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
    PURPLE,
    across,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm import tqdm

HEAT = "cividis"

OMEGA, ALPHA = 2.0, 0.1
DECAY_END, OSCILLATOR_END = 5.0, 4 * math.pi / OMEGA
TIMES = (0.0, 0.25, 0.5, 1.0)
"""Moments at which profiles of the rod are drawn."""


def expected(answers: Any) -> dict[str, list]:
    """The exact motions that the plots show as right."""
    t, s, x = np.linspace(0, DECAY_END, 201), np.linspace(0, OSCILLATOR_END, 401), _line(101)
    data = {"decay t": t, "decay": np.exp(-t), "oscillator t": s, "oscillator": np.cos(OMEGA * s)}
    for moment in TIMES:
        data[f"rod at {moment}"] = _rod(x, moment)
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


def _line(n: int) -> np.ndarray:
    return np.linspace(0, 1, n)


def _rod(x: Any, t: Any) -> Any:
    """The exact temperature: one sine that cools at the rate α π²."""
    return np.sin(math.pi * np.asarray(x)) * np.exp(-ALPHA * math.pi**2 * np.asarray(t))


def goal() -> Figure:
    """The exact motion and the exact rod, and the little that the networks are told of them."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2, width_ratios=(1.25, 1))
    expected_line(left, data["oscillator t"], data["oscillator"], label="exact, never shown")
    points = np.linspace(0, OSCILLATOR_END, 60)
    label = "here the equation is asked for"
    left.plot(points, np.full(60, -1.45), "|", color=INK, ms=5, mew=0.7, label=label)
    left.annotate("", (1.1, 1), (0, 1), arrowprops={"arrowstyle": "->", "color": ORANGE, "lw": 1.8})
    left.plot(0, 1, "o", color=ORANGE, ms=8, mec="white", label="start: x = 1, at rest")
    dress(left, "t", "x", "an oscillator")
    left.set_ylim(-1.65, 2.7)
    left.set_yticks([-1, 0, 1])
    legend(left, loc="upper right")
    x, t = np.meshgrid(_line(81), _line(81))
    _map(figure, right, _rod(x, t), "u")
    rng = np.random.default_rng(0)
    right.plot(*rng.uniform(0.02, 0.98, (2, 60)), ".", color="white", ms=2.5, alpha=0.9)
    for edge in (((0, 1), (0, 0)), ((0, 0), (0, 1)), ((1, 1), (0, 1))):
        right.plot(*edge, color=ORANGE, lw=4, solid_capstyle="butt", clip_on=False)
    dress(right, "x", "t", "a cooling rod: only the edges are known")
    right.grid(False)
    return figure


# ------------------------------------------------------------------- slopes and residuals


def slopes(derivative: Callable[..., Any]) -> Figure:
    """sin 2x with its first and second derivative, the student's over the exact ones."""
    import torch

    x = np.linspace(0, math.pi, 201)
    column = _column(x, grad=True)
    u = torch.sin(2 * column)
    figure, axes = canvas(1, 1, width=6.6, height=3.4)
    exact = (np.sin(2 * x), 2 * np.cos(2 * x), -4 * np.sin(2 * x))
    names = ("u = sin 2x", "u′", "u″")
    for order, (right, name, colour) in enumerate(
        zip(exact, names, (GREEN, BLUE, ORANGE), strict=True)
    ):
        expected_line(axes, x, right, label="expected" if order == 0 else None)
        yours = derivative(u, column, order) if order else u
        axes.plot(x, _numpy(yours), color=colour, lw=1.8, label=name)
    axes.axhline(0, color=GREY, lw=0.8)
    dress(axes, "x", "u and its derivatives")
    axes.set_xlim(0, math.pi)
    axes.set_ylim(-4.4, 5.6)
    axes.legend(loc="upper center", ncols=4, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def decay_candidates(decay_residual: Callable[..., Any]) -> Figure:
    """Three guesses at a decay, and the residual of each."""
    import torch

    guesses = (
        ("exp(−t)", BLUE, lambda t: torch.exp(-t), lambda t: 0 * t),
        ("2 exp(−t)", GREEN, lambda t: 2 * torch.exp(-t), lambda t: 0 * t),
        ("1 − t/3", ORANGE, lambda t: 1 - t / 3, lambda t: 2 / 3 - t / 3),
    )
    t = np.linspace(0, 3, 121)
    figure, (left, right) = canvas(1, 2, height=2.9)
    for name, colour, guess, exact in guesses:
        left.plot(t, _numpy(guess(_column(t))), color=colour, lw=1.8)
        expected_line(right, t, exact(t), label="expected" if colour == ORANGE else None)
        residual = _numpy(decay_residual(guess, _column(t, grad=True)))
        width, style = (2.6, "-") if colour == BLUE else (1.8, (0, (3, 3)))
        style = "-" if colour == ORANGE else style
        right.plot(t, residual, color=colour, lw=width, ls=style, label=name)
    dress(left, "t", "u", "three guesses")
    dress(right, "t", "u′ + u", "and their residuals")
    right.set_ylim(-0.5, 1.15)
    legend(right, loc="upper right")
    return figure


def wrong_guesses(
    decay_residual: Callable[..., Any],
    oscillator_residual: Callable[..., Any],
    heat_residual: Callable[..., Any],
) -> Figure:
    """The size of each residual for a family of guesses, over the number that is guessed."""
    import torch

    figure, panels = canvas(1, 3, height=2.9)
    t = _column(np.linspace(0, 3, 60), grad=True)
    rng = np.random.default_rng(1)
    x, s = (_column(values, grad=True) for values in rng.uniform(0, 1, (2, 200)))
    k = np.linspace(0.2, 1.8, 33)

    def size(values: Any) -> float:
        return float(np.sqrt(np.mean(_numpy(values) ** 2)))

    cases = (
        (
            "decay: u = exp(−kt)",
            k,
            1.0,
            lambda k: size(decay_residual(lambda t: torch.exp(-k * t), t)),
            lambda k: (1 - k) * torch.exp(-k * t),
        ),
        (
            "oscillator: x = cos kt",
            OMEGA * k,
            OMEGA,
            lambda k: size(oscillator_residual(lambda t: torch.cos(k * t), t, OMEGA)),
            lambda k: (OMEGA**2 - k**2) * torch.cos(k * t),
        ),
        (
            "rod: u = sin(πx) exp(−kt)",
            ALPHA * math.pi**2 * k,
            ALPHA * math.pi**2,
            lambda k: size(
                heat_residual(lambda x, t: torch.sin(math.pi * x) * torch.exp(-k * t), x, s, ALPHA)
            ),
            lambda k: (ALPHA * math.pi**2 - k) * torch.sin(math.pi * x) * torch.exp(-k * s),
        ),
    )
    names = ("rate 1", "ω = 2", "α π² ≈ 0.99")
    for axes, (title, guesses, right, yours, exact), name in zip(panels, cases, names, strict=True):
        expected_line(axes, guesses, [size(exact(float(k))) for k in guesses])
        axes.plot(guesses, [yours(float(k)) for k in guesses], color=BLUE, lw=1.8, label="yours")
        axes.axvline(right, color=ORANGE, lw=1.2, ls=(0, (4, 3)))
        axes.text(
            right, 0.97, f"{name} ", color=ORANGE, ha="right", va="top", transform=across(axes)
        )
        dress(axes, "guess k", "size of the residual" if axes is panels[0] else "", title)
        axes.set_ylim(bottom=0)
    legend(panels[1], loc=(0.04, 0.66))
    return figure


def landscapes(
    total_loss: Callable[..., Any],
    decay_residual: Callable[..., Any],
    decay_condition_loss: Callable[..., Any],
) -> Figure:
    """The loss of u = C exp(−kt) over C and k, without and with the condition u(0) = 1."""
    import torch

    figure, panels = canvas(1, 2, width=8.6, height=3.5, sharey=True)
    heights, rates = np.linspace(-0.5, 2, 41), np.linspace(0, 2, 41)
    t = _column(np.linspace(0, 3, 40), grad=True)
    levels = np.linspace(-4, 1, 11)
    for axes, weighted, title in (
        (panels[0], False, "the residual alone"),
        (panels[1], True, "with the condition u(0) = 1"),
    ):
        loss = np.zeros((len(rates), len(heights)))
        for index in np.ndindex(*loss.shape):
            k, C = float(rates[index[0]]), float(heights[index[1]])

            def guess(t: Any, C: float = C, k: float = k) -> Any:
                return C * torch.exp(-k * t)

            conditions = [decay_condition_loss(guess)] if weighted else []
            residual = decay_residual(guess, t)
            loss[index] = float(total_loss(residual, conditions, [1.0] * weighted).detach())
        shown = np.clip(np.log10(loss + 1e-12), levels[0], levels[-1])
        drawn = axes.contourf(heights, rates, shown, levels, cmap=HEAT)
        if weighted:
            axes.plot(1, 1, "o", color=ORANGE, ms=8, mec="white")
        else:
            axes.axhline(1, color=ORANGE, lw=1.6, ls=(0, (4, 3)))
            axes.axvline(0, color=ORANGE, lw=1.6, ls=(0, (4, 3)))
        dress(axes, "height C", "rate k" if axes is panels[0] else "", title)
        axes.grid(False)
    bar = figure.colorbar(drawn, ax=panels, ticks=[-4, -2, 0], pad=0.02)
    bar.ax.set_yticklabels(["$\\leq 10^{-4}$", "$10^{-2}$", "1"], color=INK, fontsize=9)
    bar.set_label("loss", color=INK, fontsize=10)
    bar.outline.set_visible(False)
    return figure


# --------------------------------------------------------------------- points and networks


def points(drawn: Any) -> Figure:
    """Points in the box [0, 1] × [0, 2], and how many lie in each tenth of both intervals."""
    drawn = _numpy(drawn, flat=False)
    n = len(drawn)
    figure, (left, right) = canvas(1, 2, height=3.1, width_ratios=(1, 1.3))
    left.plot(*drawn.T, "o", color=BLUE, ms=3, alpha=0.7, mew=0)
    left.plot([0, 1, 1, 0, 0], [0, 0, 2, 2, 0], color=ORANGE, lw=1.4)
    dress(left, "x", "t", f"your {n} points")
    left.set_xlim(-0.05, 1.05)
    left.set_ylim(-0.1, 2.1)
    part, width = np.arange(10), 0.4
    spread = math.sqrt(n * 0.1 * 0.9)
    right.axhspan(n / 10 - 2 * spread, n / 10 + 2 * spread, color=LIGHT, lw=0)
    right.axhline(n / 10, color=PALE, lw=5)
    for column, high, colour, name, shift in (
        (drawn[:, 0], 1, BLUE, "x", -width / 2),
        (drawn[:, 1], 2, GREEN, "t", width / 2),
    ):
        counts = np.histogram(column / high, np.linspace(0, 1, 11))[0]
        right.bar(part + shift, counts, width, color=colour, alpha=0.85, label=name)
    words = "expected ± 2 standard deviations"
    right.text(9.45, n / 10 + 2.1 * spread, words, color=GREY, ha="right", va="bottom", fontsize=9)
    dress(right, "tenth of the interval", "points")
    right.set_xticks(part, part + 1)
    right.set_ylim(0, n / 10 + 4.5 * spread)
    legend(right, loc="upper left")
    return figure


def bending(Centred: Callable[..., Any]) -> Figure:
    """Untrained networks of time as it is and of centred time: where can they bend?"""
    import torch
    from torch import nn

    t = np.linspace(0, OSCILLATOR_END, 241)
    figure, panels = canvas(1, 3, height=2.9, width_ratios=(1, 1, 1.15))
    step, networks = t[1] - t[0], 60
    kinds = (
        ("time as it is", ORANGE, (-1.0, 1.0)),
        ("centred time", BLUE, (0.0, OSCILLATOR_END)),
    )
    for axes, (title, colour, bounds) in zip(panels, kinds, strict=False):
        torch.manual_seed(2)
        total = np.zeros(len(t) - 2)
        for number in range(networks):
            network = nn.Sequential(
                nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
            ).double()
            with torch.no_grad():
                values = _numpy(Centred(network, [bounds])(_column(t)))
            values = (values - values.mean()) / values.std()
            total += np.abs(np.diff(values, 2)) / step**2
            if number < 6:
                axes.plot(t, values, color=colour, lw=1.2, alpha=0.8)
        panels[2].plot(t[1:-1], total / total.sum() / step, color=colour, lw=2, label=title)
        dress(axes, "t", "output, standardised" if axes is panels[0] else "", title)
    dress(panels[2], "t", "share of |curvature| / (1/t)", f"where {networks} of them bend")
    panels[2].set_ylim(bottom=0)
    legend(panels[2], loc="upper right")
    return figure


def plain_decay(
    total_loss: Callable[..., Any],
    decay_residual: Callable[..., Any],
    decay_condition_loss: Callable[..., Any],
    iterations: int,
) -> tuple[Any, float]:
    """A decay by the plain recipe, time as it is, all in the loss, Adam; and its last loss."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    t = torch.linspace(0, 5, 100).reshape(-1, 1).requires_grad_()
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    for _ in tqdm(range(iterations), desc="plain recipe", file=sys.stdout):
        optimiser.zero_grad()
        loss = total_loss(decay_residual(plain, t), [decay_condition_loss(plain)], [10.0])
        loss.backward()
        optimiser.step()
    return plain, loss.item()


def learnt_decay(model: Callable[..., Any], soft: Callable[..., Any]) -> Figure:
    """The student's decay and that of the plain recipe over the exact one, and their errors."""
    data = _expected()
    t, u = data["decay t"], np.exp(-data["decay t"])
    figure, (left, right) = canvas(1, 2)
    expected_line(left, t, data["decay"], label="exp(−t)")
    for one, colour, label in ((soft, ORANGE, "plain recipe"), (model, BLUE, "yours")):
        values = _predicted(one, t)
        left.plot(t, values, color=colour, lw=1.6, label=label)
        right.semilogy(t, np.maximum(np.abs(values - u), 1e-16), color=colour, lw=1.3)
    dress(left, "t", "u")
    dress(right, "t", "|error|")
    legend(left)
    return figure


def constrained(HardConstraint: Callable[..., Any]) -> Figure:
    """Ten untrained networks as they are, and the same ones inside HardConstraint."""
    import torch
    from torch import nn

    t = np.linspace(0, 3, 151)
    figure, (left, right) = canvas(1, 2, height=2.9)
    torch.manual_seed(1)
    for _ in range(10):
        network = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1)).double()
        with torch.no_grad():
            network[0].weight *= 3
            network[2].weight *= 2
        for axes, model in ((left, network), (right, HardConstraint(network))):
            axes.plot(t, _predicted(model, t), color=BLUE, lw=1.2, alpha=0.8)
    for axes in (left, right):
        axes.plot([0, 0.55], [1, 1], color=ORANGE, lw=2)
        axes.plot(0, 1, "o", color=ORANGE, ms=7, mec="white", zorder=4)
        axes.set_xlim(-0.06, 3)
    left.text(0.1, 3.3, "wanted: x(0) = 1, at rest", color=ORANGE, va="center")
    dress(left, "t", "x", "ten untrained networks")
    dress(right, "t", "x", "the same ten in HardConstraint")
    left.set_ylim(-3, 4)
    right.set_ylim(-3, 5)
    return figure


def learnt_oscillator(models: dict[str, Callable[..., Any]]) -> Figure:
    """Trained oscillators over the exact one, and their errors."""
    data = _expected()
    t, exact = data["oscillator t"], np.cos(OMEGA * data["oscillator t"])
    figure, (left, right) = canvas(1, 2, width=8.6, height=3.0)
    expected_line(left, t, data["oscillator"], label="exact")
    for (name, model), colour in zip(models.items(), (BLUE, ORANGE), strict=False):
        values = _predicted(model, t)
        error = np.abs(values - exact)
        left.plot(t, values, color=colour, lw=1.6, label=f"{name}, error {_size(error.max())}")
        right.semilogy(t, np.maximum(error, 1e-16), color=colour, lw=1.3)
        told(f"{name}: the largest error is {error.max():.1g}, at t = {t[error.argmax()]:.1f}.")
    dress(left, "t", "x")
    dress(right, "t", "|error|")
    left.set_ylim(-1.3, 2.2)
    left.set_yticks([-1, 0, 1])
    legend(left, loc="upper center")
    return figure


class _Oscillators:
    """Networks 1-32-32-1 of several first weights, all at once, with two derivatives.

    The derivatives are carried forwards through the layers beside the values: faster than
    autograd, and the same numbers.
    """

    def __init__(self, seeds: list[int], centred: bool, hard: bool, dtype: Any) -> None:
        import torch

        self.centred, self.hard = centred, hard
        shapes = (((1, 32), 1), ((1, 32), 1), ((32, 32), 32), ((1, 32), 32), ((32, 1), 32))
        drawn = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            drawn.append(
                [
                    (2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1)
                    / math.sqrt(n_in)
                    for shape, n_in in (*shapes, ((1, 1), 32))
                ]
            )
        layers = [torch.stack(same).to(dtype) for same in zip(*drawn, strict=True)]
        self.parameters = [layer.requires_grad_() for layer in layers]

    def hidden(self, t: Any) -> tuple[Any, Any, Any]:
        """The last hidden layer with its first and second derivatives."""
        import torch

        W1, b1, W2, b2 = self.parameters[:4]
        scale, shift = (2 / OSCILLATOR_END, -1.0) if self.centred else (1.0, 0.0)
        now = (scale * t + shift) * W1 + b1, scale * W1 + 0 * t, 0 * t * W1
        first = self._bent(torch.tanh(now[0]), *now[1:])
        return self._bent(torch.tanh(first[0] @ W2 + b2), first[1] @ W2, first[2] @ W2)

    @staticmethod
    def _bent(h: Any, slope: Any, curvature: Any) -> tuple[Any, Any, Any]:
        own = 1 - h**2
        return h, own * slope, own * curvature - 2 * h * own * slope**2

    def __call__(self, t: Any) -> tuple[Any, Any, Any]:
        w, b = self.parameters[4:]
        N, slope, curvature = (each @ w for each in self.hidden(t))
        N = N + b
        if not self.hard:
            return N, slope, curvature
        curvature = 2 * N + 4 * t * slope + t**2 * curvature
        return 1 + t**2 * N, 2 * t * N + t**2 * slope, curvature

    def loss(self, t: Any) -> Any:
        x, _, curvature = self(t)
        loss = ((curvature + OMEGA**2 * x) ** 2).mean((1, 2))
        if not self.hard:
            start, speed, _ = self(0 * t[:1])
            loss = loss + 10 * ((start - 1) ** 2 + speed**2).mean((1, 2))
        return loss.sum()

    def motions(self, t: np.ndarray) -> np.ndarray:
        import torch

        with torch.no_grad():
            return self(_column(t).to(self.parameters[0].dtype))[0][:, :, 0].numpy()


def ladder(
    last_layer: Callable[..., Any], starts: int, iterations: int
) -> dict[str, tuple[np.ndarray, float]]:
    """The same oscillator by better and better recipes: motions (starts, t), and seconds."""
    import torch

    t = _expected()["oscillator t"]
    seeds = list(range(starts))
    found: dict[str, tuple[np.ndarray, float]] = {}
    for name, n, centred, hard in (
        ("plain", 100, False, False),
        ("four times\nthe points", 400, False, False),
        ("centred", 100, True, False),
        ("hard", 100, True, True),
    ):
        begun = time.perf_counter()
        networks = _Oscillators(seeds, centred, hard, torch.float32)
        points = torch.linspace(0, OSCILLATOR_END, n).reshape(-1, 1)
        adam = torch.optim.Adam(networks.parameters, lr=5e-3)
        words = name.replace("\n", " ")
        for _ in tqdm(range(iterations), desc=f"{words}, {starts} starts", file=sys.stdout):
            adam.zero_grad()
            networks.loss(points).backward()
            adam.step()
        found[name] = networks.motions(t), time.perf_counter() - begun
    points = torch.linspace(0, OSCILLATOR_END, 100, dtype=torch.float64).reshape(-1, 1)
    descended, solved, seconds = [], [], [0.0, 0.0]
    for seed in tqdm(seeds, desc="L-BFGS and last layer", file=sys.stdout):
        begun = time.perf_counter()
        one = _Oscillators([seed], True, True, torch.float64)
        optimiser = torch.optim.LBFGS(
            one.parameters,
            max_iter=max(iterations // 7, 50),
            history_size=50,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

        def closure(optimiser: Any = optimiser, one: _Oscillators = one) -> Any:
            optimiser.zero_grad()
            loss = one.loss(points)
            loss.backward()
            return loss

        optimiser.step(closure)
        descended.append(one.motions(t)[0])
        seconds[0] += time.perf_counter() - begun
        begun = time.perf_counter()

        def features(t: Any, one: _Oscillators = one) -> Any:
            return torch.cat([one.hidden(t)[0][0], torch.ones_like(t)], dim=1)

        start = [(0.0, 0, 1.0), (0.0, 1, 0.0)]
        w = last_layer(features, points, (OMEGA**2, 0.0, 1.0), start, 1e4)
        solved.append(_numpy(features(_column(t)) @ w))
        seconds[1] += time.perf_counter() - begun
    found["L-BFGS"] = np.array(descended), seconds[0]
    found["last layer"] = np.array(solved), seconds[1]
    return found


def climbed(rungs: dict[str, tuple[np.ndarray, float]]) -> Figure:
    """Motions of the first recipe, and the largest error of every recipe and start."""
    data = _expected()
    t, exact = data["oscillator t"], np.cos(OMEGA * data["oscillator t"])
    figure, (left, right) = canvas(1, 2, width=9.6, height=3.5, width_ratios=(1, 1.5))
    expected_line(left, t, data["oscillator"], label="exact")
    for number, motion in enumerate(rungs["plain"][0]):
        label = "plain" if number == 0 else None
        left.plot(t, motion, color=ORANGE, lw=1.1, label=label)
    dress(left, "t", "x", "plain, every start")
    left.set_ylim(-1.4, 2.0)
    legend(left, loc="upper center")
    words = []
    for place, (name, (motions, seconds)) in enumerate(rungs.items()):
        errors = np.abs(motions - exact).max(axis=1)
        colour = BLUE if name == "last layer" else ORANGE
        right.semilogy(np.full(len(errors), place), errors, "o", color=colour, ms=5, alpha=0.8)
        right.text(place + 0.13, np.median(errors), f"{_size(np.median(errors))}", va="center")
        words.append(f"{name} {errors.min():.1g} to {errors.max():.1g} in {seconds:.1f} s")
    dress(right, "", "largest error", "every recipe and start; the median in figures")
    right.set_xticks(range(len(rungs)), list(rungs))
    right.set_xlim(-0.4, len(rungs) - 0.3)
    right.set_ylim(1e-11, 20)
    told("errors of all starts: " + "; ".join(words).replace("\n", " ") + ".")
    return figure


def many_periods(x: Callable[..., Any], end: float) -> Figure:
    """The error of a motion over many periods."""
    t = np.linspace(0, end, 4001)
    values = _numpy(x(_column(t)))
    error = np.abs(values - np.cos(OMEGA * t))
    figure, (top, bottom) = canvas(2, 1, width=8.6, height=3.8, sharex=True)
    expected_line(top, t, np.cos(OMEGA * t), label=None)
    top.plot(t, values, color=BLUE, lw=1.2)
    bottom.semilogy(t, np.maximum(error, 1e-17), color=BLUE, lw=0.9)
    dress(top, "", "x")
    dress(bottom, "t", "|error|")
    told(f"over {end * OMEGA / (2 * math.pi):.0f} periods the error is at most {error.max():.1g}.")
    return figure


def _size(value: float) -> str:
    """One digit, and a power of ten where there would be many zeros."""
    digit, power = f"{value:.0e}".split("e")
    return f"{value:.1g}" if value >= 1e-2 else rf"${digit}\times10^{{{int(power)}}}$"


# --------------------------------------------------------------------------------- the rod


def grid_steps(ftcs: Callable[..., Any]) -> Figure:
    """Profiles from the grid, the error over dx, and what a step that is too long does."""
    figure, (left, middle, right) = canvas(1, 3, height=3.1)
    cells, spacings, errors = 20, [], []
    u = _on_a_grid(ftcs, cells)

    def yours(moment: float) -> tuple[np.ndarray, np.ndarray]:
        return _line(cells + 1), u[round(moment * (len(u) - 1))]

    _profiles(left, yours, ".-")
    dress(left, "x", "u", f"yours with {cells} cells")
    for number in (8, 16, 32, 64):
        spacings.append(1 / number)
        errors.append(np.abs(_on_a_grid(ftcs, number)[-1] - _rod(_line(number + 1), 1.0)).max())
    guide = np.array([spacings[-1], spacings[0]])
    middle.loglog(guide, errors[-1] * (guide / guide[0]) ** 2, color=PALE, lw=6, label="∝ dx²")
    middle.loglog(spacings, errors, "o-", color=BLUE, ms=5, lw=1.4, label="yours")
    dress(middle, "dx", "largest error at t = 1")
    middle.set_xticks(spacings, [f"1/{round(1 / spacing)}" for spacing in spacings])
    middle.set_xticks([], minor=True)
    legend(middle, loc="upper left")
    rippled = _rod(_line(cells + 1), 0.0)
    rippled[1:-1] += 1e-3 * (-1.0) ** np.arange(1, cells)
    colours = {0: ORANGE, 30: GREEN, 44: BLUE}
    for number in range(45):
        if number in colours:
            colour, name = colours[number], f"step {number}"
            right.plot(_line(cells + 1), rippled, ".-", color=colour, lw=1.2, ms=4, label=name)
        rippled[1:-1] += 0.54 * (rippled[:-2] - 2 * rippled[1:-1] + rippled[2:])
    dress(right, "x", "u", "unstable: α dt/dx² = 0.54")
    right.set_ylim(-0.5, 2.6)
    legend(right, loc="upper right")
    return figure


def _profiles(
    axes: Axes, yours: Callable[[float], tuple[np.ndarray, np.ndarray]], style: str
) -> None:
    """The rod at four moments over the exact one, from warm to cold."""
    for moment, colour in zip(TIMES, (PURPLE, ORANGE, GREEN, BLUE), strict=True):
        expected_line(axes, _line(101), _expected()[f"rod at {moment}"], label=None)
        axes.plot(*yours(moment), style, color=colour, lw=1.4, ms=5)
        place = {"ha": "center", "va": "top", "fontsize": 9}
        axes.text(0.5, _rod(0.5, moment) - 0.06, f"t = {moment:g}", color=colour, **place)


def _on_a_grid(ftcs: Callable[..., Any], cells: int) -> np.ndarray:
    """Every step of the rod up to t = 1, with α dt/dx² = 0.4."""
    import torch

    steps = round(ALPHA * cells**2 / 0.4)
    u0 = torch.tensor(_rod(_line(cells + 1), 0.0))
    return _numpy(ftcs(u0, ALPHA, 1 / cells, 1 / steps, steps), flat=False)


def learnt_rod(model: Callable[..., Any]) -> Figure:
    """The student's rod: temperature, error and profiles."""
    figure, panels = canvas(1, 3, width=9.6, height=3.2)
    x, t = np.meshgrid(_line(61), _line(61))
    u = _predicted(model, x.ravel(), t.ravel()).reshape(x.shape)
    _map(figure, panels[0], u, "u")
    dress(panels[0], "x", "t", "your network")
    error = np.abs(u - _rod(x, t))
    shown = np.log10(np.maximum(error, 1e-12))
    top = math.ceil(shown.max())
    _map(figure, panels[1], shown, "log₁₀ |error|", top - 4, top)
    dress(panels[1], "x", "t", "its error")
    for axes in panels[:2]:
        axes.grid(False)

    def yours(moment: float) -> tuple[np.ndarray, np.ndarray]:
        return _line(101), _predicted(model, _line(101), np.full(101, moment))

    _profiles(panels[2], yours, "-")
    dress(panels[2], "x", "u", "profiles")
    edges = max(error[0].max(), error[:, 0].max(), error[:, -1].max())
    told(f"your largest error is {error.max():.1g}, on the three known edges {edges:.1g}.")
    return figure


def error_and_time(ftcs: Callable[..., Any], model: Callable[..., Any], seconds: float) -> Figure:
    """Largest error over time of computing: grids, the student's network, random features."""
    x, t = np.meshgrid(_line(41), _line(41))
    figure, axes = canvas(1, 1, width=7.0, height=3.8)
    grids, fixed = [], []
    for cells in (10, 20, 40, 80):
        begun = time.process_time()
        grid = _on_a_grid(ftcs, cells)
        took = time.process_time() - begun
        exact = _rod(_line(cells + 1)[None], np.linspace(0, 1, len(grid))[:, None])
        grids.append((took, np.abs(grid - exact).max(), f"{cells} cells"))
    for count in (25, 50, 100, 200, 400):
        begun = time.process_time()
        u = rod_of_random_features(count, seed=0)
        took = time.process_time() - begun
        fixed.append((took, np.abs(u(x, t) - _rod(x, t)).max(), f"{count} features"))
    error = np.abs(_predicted(model, x.ravel(), t.ravel()) - _rod(x, t).ravel()).max()
    for name, rows, style, colour in (
        ("grid", grids, "s-", ORANGE),
        ("random features, least squares", fixed, "D-", GREEN),
        ("your network", [(seconds, error, "")], "o", BLUE),
    ):
        times, errors, _ = zip(*rows, strict=True)
        axes.loglog(times, errors, style, color=colour, ms=6, lw=1.4, label=name)
        for took, size, label in rows[:: len(rows) - 1 or 1]:
            axes.annotate(label, (took, size), (6, 4), textcoords="offset points", color=colour)
        told(f"{name}: " + ", ".join(f"{e:.0e} in {s:.3f} CPU s" for s, e, _ in rows) + ".")
    dress(axes, "CPU time / s", "largest error", "the rod, by three methods")
    legend(axes, loc="lower left")
    return figure


def rod_of_random_features(count: int, seed: int) -> Callable[..., np.ndarray]:
    """sin πx + t x (1 − x) Σ w_j tanh(a_j x + b_j t + c_j); only the w_j are looked for."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(-1, 1, (3, 1, count))
    points = (1 - np.cos(np.pi * (np.arange(24) + 0.5) / 24)) / 2
    x, t = (grid.reshape(-1, 1) for grid in np.meshgrid(points, points))
    h = np.tanh(a * (2 * x - 1) + b * (2 * t - 1) + c)
    h_x, h_t, h_xx = 2 * a * (1 - h**2), 2 * b * (1 - h**2), -8 * a**2 * h * (1 - h**2)
    g, g_t, g_x, g_xx = t * x * (1 - x), x * (1 - x), t * (1 - 2 * x), -2 * t
    equation = g_t * h + g * h_t - ALPHA * (g_xx * h + 2 * g_x * h_x + g * h_xx)
    start = -ALPHA * np.pi**2 * np.sin(np.pi * x)  # what the residual of sin πx lacks
    w = np.linalg.lstsq(equation, start, rcond=1e-15)[0].ravel()

    def u(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        x, t = np.asarray(x)[..., None], np.asarray(t)[..., None]
        N = np.tanh(a[0] * (2 * x - 1) + b[0] * (2 * t - 1) + c[0]) @ w
        return np.sin(np.pi * x[..., 0]) + (t * x * (1 - x))[..., 0] * N

    return u


def _map(
    figure: Figure,
    axes: Axes,
    values: np.ndarray,
    words: str,
    low: float = 0.0,
    high: float = 1.0,
) -> None:
    drawn = axes.imshow(
        values, origin="lower", extent=(0, 1, 0, 1), aspect="auto", cmap=HEAT, vmin=low, vmax=high
    )
    bar = figure.colorbar(drawn, ax=axes, pad=0.03)
    bar.set_label(words, color=INK, fontsize=9)
    bar.ax.tick_params(color=PALE, labelcolor=INK, labelsize=8)
    bar.outline.set_visible(False)


# ------------------------------------------------------------------------------ the tensors


def _column(values: Any, grad: bool = False) -> Any:
    import torch

    return torch.tensor(np.asarray(values, dtype=float).reshape(-1, 1), requires_grad=grad)


def _predicted(model: Callable[..., Any], *columns: Any) -> np.ndarray:
    """A trained model's values, in its own precision."""
    import torch

    own = [weights.dtype for weights in getattr(model, "parameters", list)()]
    dtype = (own or [torch.float32])[0]
    with torch.no_grad():
        return _numpy(model(*[_column(column).to(dtype) for column in columns]))


def _numpy(values: Any, flat: bool = True) -> np.ndarray:
    values = values.detach() if hasattr(values, "detach") else values
    values = np.asarray(values, dtype=float)
    return values.ravel() if flat else values
