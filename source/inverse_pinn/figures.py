"""Plots of this notebook: the student's result in colour, the expected one in grey behind it."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from coursekit.look import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm import tqdm

ALPHA, NOISE = 0.1, 0.02
TIMES = (0.0, 0.2, 0.5, 1.0, 2.0)

Observations = tuple[np.ndarray, np.ndarray, np.ndarray]


def expected(answers: Any) -> dict[str, list]:
    """Profiles of the rod, and what one measurement in its middle tells about α."""
    x, t = np.linspace(0, 1, 61), np.linspace(0.1, 4.0, 118)
    scaled = np.linspace(0, 0.8, 41)
    data = {"x": x, "t": t, "alpha t": scaled, "middle": answers.exact_heat(0.5, scaled, 1.0)}
    for time in TIMES:
        data[f"u at {time}"] = answers.exact_heat(x, time, ALPHA)
    middle = np.full((1, 1), 0.5)
    data["error"] = [
        answers.alpha_uncertainty((middle, np.full((1, 1), time), middle), NOISE, ALPHA)
        for time in t
    ]
    observations = answers.observe(100, ALPHA, NOISE, np.random.default_rng(4))
    data["error of all"] = [answers.alpha_uncertainty(observations, NOISE, ALPHA)]
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


def known_error() -> float:
    """The standard error of α that the notebook's hundred measurements allow."""
    return float(_expected()["error of all"][0])


def columns(observations: Any) -> tuple[Any, ...]:
    """x, t and u as float32 columns, whatever shape they came in."""
    import torch

    return tuple(torch.as_tensor(y, dtype=torch.float32).reshape(-1, 1) for y in observations)


def least_squares(observations: Observations) -> float:
    """The α whose exact temperatures are nearest to the data."""
    from scipy.optimize import minimize_scalar

    x, t, u = observations

    def misfit(log_alpha: float) -> float:
        return float(np.sum((_exact(x, t, math.exp(log_alpha)) - u) ** 2))

    return math.exp(minimize_scalar(misfit, bounds=(-6, 2), options={"xatol": 1e-9}).x)


def _exact(x: Any, t: Any, alpha: Any) -> Any:
    return np.sin(np.pi * x) * np.exp(-alpha * np.pi**2 * t)


# ------------------------------------------------------------------------------- the data


def goal() -> Figure:
    """A hundred noisy temperatures, and where the way to their α begins and should end."""
    rng = np.random.default_rng(3)
    x, t = rng.uniform(0.1, 0.9, 100), rng.uniform(0.05, 0.8, 100)
    u = _exact(x, t, ALPHA) + NOISE * rng.normal(size=100)
    figure, (left, right) = canvas(1, 2)
    _measured(figure, left, x, t, u)
    right.axhline(ALPHA, color=PALE, lw=6, zorder=1)
    right.plot(0, 1, "o", color=BLUE, ms=8)
    right.text(0.03, 0.93, "first guess, α = 1", color=BLUE, transform=right.transAxes)
    right.text(0.03, 0.06, "truth, α = 0.1", color=GREY, transform=right.transAxes)
    right.text(0.5, 0.5, "?", color=BLUE, transform=right.transAxes)
    dress(right, "iteration", "α", "what α did they come from?")
    right.texts[-1].set_fontsize(26)
    right.set_yscale("log")
    right.set_ylim(0.06, 1.7)
    right.set_xlim(-4, 150)
    return figure


def profiles(exact_heat: Callable[..., Any]) -> Figure:
    """The rod at five times, and the middle's temperature for three diffusivities."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2)
    for time, colour in zip(TIMES, _sequence(len(TIMES)), strict=True):
        expected_line(left, data["x"], data[f"u at {time}"])
        left.plot(data["x"], exact_heat(data["x"], time, ALPHA), color=colour, lw=1.8)
        left.text(0.5, data[f"u at {time}"].max() + 0.015, f"t = {time:g}", color=colour)
    dress(left, "place x", "temperature u", "yours at five times, α = 0.1")
    for text in left.texts:
        text.set_ha("center")
    left.set_ylim(-0.03, 1.12)
    for alpha, colour in zip((0.05, 0.1, 0.2), (GREEN, BLUE, ORANGE), strict=True):
        expected_line(right, data["alpha t"] / alpha, data["middle"])
        t = np.linspace(0, 4, 81)
        right.semilogy(t, exact_heat(0.5, t, alpha), color=colour, lw=1.8, label=f"α = {alpha:g}")
    right.axvspan(0.05, 0.8, color=LIGHT, lw=0, zorder=0)
    right.text(0.1, 0.0035, "measured", color=GREY, rotation=90)
    dress(right, "time t", "u in the middle", "and its decay")
    right.set_xlim(0, 4)
    right.set_ylim(2e-3, 1.3)
    legend(right, loc="lower left", anchor=(0.2, 0.0))
    return figure


def measurements(observations: Observations, exact_heat: Callable[..., Any]) -> Figure:
    """Where and what was measured, and how the errors are distributed."""
    x, t, u = (np.ravel(values) for values in observations)
    figure, (left, right) = canvas(1, 2)
    _measured(figure, left, x, t, u)
    error = (u - exact_heat(x, t, ALPHA)) / NOISE
    z = np.linspace(-4, 4, 161)
    expected_line(right, z, np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi), "normal, width 0.02")
    bins = np.linspace(-4, 4, 17)
    right.hist(error, bins, density=True, color=BLUE, alpha=0.75, label="yours", rwidth=0.9)
    dress(right, "(u − exact) / 0.02", "density", f"errors of {len(u)} measurements")
    right.set_xlim(-4, 4)
    right.set_ylim(0, 1.35 * right.get_ylim()[1])
    legend(right, loc="upper left")
    return figure


def _measured(figure: Figure, axes: Axes, x: Any, t: Any, u: Any) -> None:
    axes.add_patch(
        plt.Rectangle((0.1, 0.05), 0.8, 0.75, fill=False, ec=GREY, lw=1.0, ls=(0, (4, 3)))
    )
    dots = axes.scatter(x, t, c=u, cmap="cividis", s=26, vmin=0, vmax=1, lw=0)
    bar = figure.colorbar(dots, ax=axes, pad=0.02)
    bar.set_label("measured u", color=INK, fontsize=10)
    bar.ax.tick_params(color=PALE, labelcolor=INK, labelsize=9)
    bar.outline.set_visible(False)
    dress(axes, "place x", "time t", "where, when and what was measured")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


# ------------------------------------------------------------------------- model and loss


def untrained(InversePINN: Callable[..., Any]) -> Figure:
    """An untrained network with its curvature, and how its α follows log_alpha."""
    import torch

    torch.manual_seed(3)
    model = InversePINN(hidden=64)
    x = torch.linspace(0, 1, 201).reshape(-1, 1).requires_grad_()
    u = model(x, torch.full_like(x, 0.5))
    (u_x,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    u_xx = torch.zeros_like(x)
    if u_x.requires_grad:
        (u_xx,) = torch.autograd.grad(u_x.sum(), x)
    figure, (left, right) = canvas(1, 2)
    place = _numpy(x).ravel()
    left.plot(place, _numpy(u), color=BLUE, lw=1.8, label="u")
    left.plot(place, _numpy(u_xx), color=ORANGE, lw=1.8, label="u$_{xx}$")
    left.axhline(0, color=GREY, lw=0.8)
    dress(left, "place x", "u and u$_{xx}$", "an untrained network at t = 0.5")
    left.set_xlim(0, 1)
    left.margins(y=0.25)
    legend(left)
    log_alpha = np.linspace(-4, 1, 51)
    found = []
    for value in log_alpha:
        with torch.no_grad():
            model.log_alpha.fill_(value)
        found.append(model.alpha.item())
    expected_line(right, log_alpha, np.exp(log_alpha), "exp(log_alpha)")
    right.plot(log_alpha, found, color=BLUE, lw=1.8, label="yours")
    right.plot(0, 1, "o", color=BLUE, ms=7, mec="white")
    right.plot(math.log(ALPHA), ALPHA, "o", color=ORANGE, ms=7, mec="white")
    right.text(-0.15, 1.1, "start", color=BLUE, ha="right")
    right.text(math.log(ALPHA), 0.2, "truth", color=ORANGE, ha="center")
    dress(right, "log_alpha", "alpha", "α never leaves the positive numbers")
    right.set_xlim(-4, 1)
    right.set_ylim(0, 2.7)
    legend(right, loc="upper left")
    return figure


def parabola(inverse_loss: Callable[..., Any]) -> Figure:
    """The residual's loss of the exact temperatures over α, with the slopes that train it."""
    import torch

    class Known(torch.nn.Module):
        """The exact temperatures for α = 0.1, with an α of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.log_alpha = torch.nn.Parameter(torch.tensor(0.0, dtype=torch.float64))

        @property
        def alpha(self) -> torch.Tensor:
            return torch.exp(self.log_alpha)

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return torch.sin(torch.pi * x) * torch.exp(-ALPHA * torch.pi**2 * t)

    middles = (torch.arange(12, dtype=torch.float64) + 0.5) / 12
    points = torch.cartesian_prod(middles, middles)
    x, t = points[:, :1].requires_grad_(), points[:, 1:].requires_grad_()
    model = Known()
    seen = (x.detach(), t.detach(), model(x, t).detach())
    scale = math.pi**4 * float(torch.mean(seen[2] ** 2))
    figure, panels = canvas(1, 2)
    curve = np.linspace(-4, 0.3, 200)
    for axes, to in ((panels[0], np.exp), (panels[1], np.asarray)):
        expected_line(axes, to(curve), scale * (np.exp(curve) - ALPHA) ** 2)
    for number, log_alpha in enumerate((-3.7, -3.0, math.log(ALPHA), -1.5, -0.9, -0.4, 0.0)):
        with torch.no_grad():
            model.log_alpha.fill_(log_alpha)
        loss = inverse_loss(model, (x, t), seen, (1.0, 0.0, 0.0, 0.0))
        (slope,) = torch.autograd.grad(loss, model.log_alpha)
        for axes, to, rate in (
            (panels[0], math.exp, float(slope) / math.exp(log_alpha)),
            (panels[1], float, float(slope)),
        ):
            reach = np.array([-1, 1]) * (0.08 if axes is panels[0] else 0.28)
            label = "your loss and its gradient" if number == 0 else None
            axes.plot(to(log_alpha) + reach, loss.item() + rate * reach, color=BLUE, lw=1.6)
            axes.plot(to(log_alpha), loss.item(), "o", color=BLUE, ms=5, label=label)
    dress(panels[0], "α", "mean (u$_t$ − α u$_{xx}$)²", "a parabola in α")
    dress(panels[1], "log α", "", "the same over log α")
    for axes, truth in zip(panels, (ALPHA, math.log(ALPHA)), strict=True):
        axes.axvline(truth, color=ORANGE, lw=1.2, ls=(0, (4, 3)))
        axes.set_ylim(-0.08 * scale * 0.81, 1.15 * scale * 0.81)
    panels[0].set_xlim(0, 1.1)
    panels[1].set_xlim(-4, 0.3)
    panels[0].text(ALPHA + 0.02, 0.9 * scale * 0.81, "truth", color=ORANGE, fontsize=9)
    legend(panels[0], loc="upper center")
    return figure


# ------------------------------------------------------------------------------- training


def usual_recipe(
    InversePINN: Callable[..., Any],
    inverse_loss: Callable[..., Any],
    observations: Any,
    epochs: int,
) -> list[float]:
    """α in every epoch of Adam with a learning rate of 0.001 and 100 times weight for the data."""
    import torch

    torch.set_num_threads(1)  # for networks this small, and trainings after it, two are slower
    torch.manual_seed(0)
    model, seen = InversePINN(hidden=64), columns(observations)
    x, t = (torch.rand(200, 1).requires_grad_() for _ in range(2))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    for _ in tqdm(range(epochs), desc="Adam, the usual recipe", file=sys.stdout):
        optimiser.zero_grad()
        inverse_loss(model, (x, t), seen, (1.0, 100.0, 10.0, 10.0)).backward()
        optimiser.step()
        history.append(model.alpha.item())
    return history


def data_weights(
    InversePINN: Callable[..., Any],
    inverse_loss: Callable[..., Any],
    observations: Any,
    weights: Iterable[float],
    iterations: int,
) -> list[tuple[float, float, float, float]]:
    """(weight of the data, α, root mean square of the residual and of the misfit), each trained."""
    import torch

    seen, rows = columns(observations), []
    for weight in tqdm(list(weights), desc="weights", file=sys.stdout):
        torch.manual_seed(0)
        model = InversePINN(hidden=32)
        x, t = (torch.rand(200, 1).requires_grad_() for _ in range(2))
        loss = functools.partial(inverse_loss, model, (x, t), seen)
        optimiser = torch.optim.LBFGS(
            model.parameters(),
            max_iter=iterations,
            history_size=50,
            tolerance_change=1e-12,
            line_search_fn="strong_wolfe",
        )
        optimiser.step(functools.partial(_closure, optimiser, loss, (1.0, weight, 10.0, 10.0)))
        residual, misfit = (
            math.sqrt(loss(alone).item()) for alone in ((1.0, 0, 0, 0), (0, 1.0, 0, 0))
        )
        rows.append((weight, model.alpha.item(), residual, misfit))
    return rows


def _closure(optimiser: Any, loss: Callable[..., Any], weights: tuple[float, ...]) -> Any:
    optimiser.zero_grad()
    value = loss(weights)
    value.backward()
    return value


def histories(yours: Any, usual: list[float], fit: float, error: float) -> Figure:
    """The way of α in both trainings, and the end of yours with the data's own error bar."""
    yours = np.array([float(value) for value in yours])
    figure, (left, right) = canvas(1, 2)
    left.axhline(fit, color=PALE, lw=6, zorder=1, label="least squares")
    left.plot(np.arange(1, len(usual) + 1), usual, color=ORANGE, lw=1.8, label="usual recipe")
    left.plot(np.arange(1, len(yours) + 1), yours, color=BLUE, lw=1.8, label="yours")
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_ylim(min(0.015, 0.8 * yours.min()), max(1.7, 1.2 * yours.max()))
    dress(left, "iteration", "α", "the way of α")
    legend(left, loc="lower left")
    percent = 100 * (yours / fit - 1)
    right.axhspan(-100 * error / fit, 100 * error / fit, color=LIGHT, lw=0, zorder=0)
    right.axhline(0, color=PALE, lw=6, zorder=1)
    right.plot(np.arange(1, len(yours) + 1), percent, color=BLUE, lw=1.8)
    dress(right, "iteration", "α against least squares / %", "the end of yours")
    right.set_ylim(-5, 5)
    right.set_xlim(0, len(yours))
    words = f"error bar of the data: ±{100 * error / fit:.1f} %"
    right.text(0.98, 0.05, words, color=GREY, ha="right", fontsize=9, transform=right.transAxes)
    return figure


def weights_and_alpha(
    rows: list[tuple[float, float, float, float]], fit: float, error: float
) -> Figure:
    """What the weight of the data does to α, to the equation and to the misfit."""
    weight, alpha, residual, misfit = np.array(rows).T
    figure, (left, middle, right) = canvas(1, 3, width=10.0)
    band = {"color": PALE, "lw": 0, "zorder": 1}
    left.axhspan(fit - error, fit + error, label="least squares ± its error", **band)
    left.semilogx(weight, alpha, "o-", color=BLUE, lw=1.5, ms=6, label="α from the network")
    dress(left, "weight of the data", "α", "what comes out")
    reach = 1.3 * max(np.abs(alpha - fit).max(), 3 * error)
    left.set_ylim(fit - reach, fit + reach)
    legend(left, loc="lower left")
    middle.semilogx(weight, misfit / NOISE, "o-", color=BLUE, lw=1.5, ms=5)
    middle.axhline(1, color=PALE, lw=6, zorder=1)
    middle.text(weight.max(), 1.005, "the noise", color=GREY, ha="right")
    dress(middle, "weight of the data", "misfit / noise", "misfit of the data")
    right.loglog(weight, residual, "s-", color=ORANGE, lw=1.5, ms=5)
    dress(right, "weight of the data", "root mean square", "residual of the equation")
    told(
        f"from weight {weight[0]:g} to {weight[-1]:g} the misfit goes from "
        f"{misfit[0] / NOISE:.2f} to {misfit[-1] / NOISE:.2f} of the noise, the residual from "
        f"{residual[0]:.1g} to {residual[-1]:.1g}, and α from {alpha[0]:.4f} to {alpha[-1]:.4f}; "
        f"least squares say {fit:.4f} ± {error:.4f}."
    )
    return figure


# ------------------------------------------------------------------------------ error bar


def error_bars(alpha_uncertainty: Callable[..., Any], observations: Any, repeats: int) -> Figure:
    """Scatter of α over repeated experiments, and what one measurement tells at which time."""
    x, t, _ = (np.asarray(values, dtype=float).reshape(-1, 1) for values in observations)
    rng = np.random.default_rng(8)
    u = _exact(x, t, ALPHA) + NOISE * rng.normal(size=(len(x), repeats))
    found = np.full(repeats, ALPHA)
    for _ in range(5):  # Gauss–Newton, every experiment in its column
        now = _exact(x, t, found)
        slope = -(np.pi**2) * t * now
        found = found + np.sum(slope * (u - now), axis=0) / np.sum(slope**2, axis=0)
    error = float(alpha_uncertainty((x, t, u[:, :1]), NOISE, ALPHA))
    figure, (left, right) = canvas(1, 2)
    bins = ALPHA + error * np.linspace(-4, 4, 17)
    left.hist(found, bins, density=True, color=PALE, label=f"{repeats} experiments")
    z = np.linspace(-4, 4, 161)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / error
    left.plot(ALPHA + error * z, density, color=BLUE, lw=1.8, label="normal, your width")
    dress(left, "α by least squares", "density", "how far α scatters")
    low, high = found.min(), found.max()
    left.set_xlim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    left.set_ylim(0, 1.35 * left.get_ylim()[1])
    legend(left, loc="upper left")
    told(f"α scatters by {found.std():.2e}; your error bar is {error:.2e}.")
    data, middle = _expected(), np.full((1, 1), 0.5)
    expected_line(right, data["t"], data["error"])
    yours = [
        alpha_uncertainty((middle, np.full((1, 1), time), middle), NOISE, ALPHA)
        for time in data["t"]
    ]
    right.plot(data["t"], yours, color=BLUE, lw=1.8, label="yours")
    best = 1 / (ALPHA * math.pi**2)
    right.axvline(best, color=ORANGE, lw=1.2, ls=(0, (4, 3)))
    right.text(best + 0.08, 0.019, "t = 1/(α π²)", color=ORANGE)
    right.axvspan(0.05, 0.8, color=LIGHT, lw=0, zorder=0)
    right.text(0.6, 0.0009, "our data", color=GREY, rotation=90, ha="center")
    dress(right, "time t", "error of α", "from one measurement at x = ½")
    right.set_xlim(0, 4)
    right.set_ylim(0, 0.0225)
    legend(right, loc="lower right")
    return figure


def _numpy(values: Any) -> np.ndarray:
    return np.asarray(values.detach(), dtype=float)


# -------------------------------------------------------------------------------- the look


def _sequence(count: int) -> list[Any]:
    """Colours from early to late, told apart without hue."""
    return [plt.get_cmap("cividis")(part) for part in np.linspace(0.75, 0.0, count)]
