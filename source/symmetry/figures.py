"""Plots of this notebook: the student's result in colour, the expected one in grey behind it.

Also the clusters that the networks learn from: `known_clusters`.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from coursekit.look import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PALE,
    PURPLE,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from coursekit.motion import verlet
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import nn

CLUSTER = np.array(
    [[-0.90, -0.35, 0.10], [0.25, -0.60, -0.40], [0.70, 0.45, 0.35], [-0.30, 0.75, -0.2]]
)
"""Four atoms of no particular shape, none very close to another; in σ."""

SETS = [[2.0], [1.0, 3.0], [-1.0, -2.0, -1.5], [2.0, 2.0, 2.0, 2.0], []]
"""Sets of different sizes, the last of them empty."""


def expected(answers: Any) -> dict[str, list]:
    """What the plots show as right."""
    angle = np.linspace(0, math.pi, 91)
    features, mask = padded_sets()
    data: dict[str, Any] = {"angle": angle, "density": (1 - np.cos(angle)) / math.pi}
    for kind in ("sum", "mean", "max"):
        data[kind] = answers.pool(features, mask, kind)[:, 0].numpy()
    data["energy"] = [lennard_jones(CLUSTER)]
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


# ------------------------------------------------------------------------------------ data


def padded_sets() -> tuple[torch.Tensor, torch.Tensor]:
    """SETS in one tensor (5, 4, 1), the gaps filled with 9, and the mask (5, 4)."""
    width = max(map(len, SETS))
    rows = [[*elements, *[9.0] * (width - len(elements))] for elements in SETS]
    mask = [[place < len(elements) for place in range(width)] for elements in SETS]
    return torch.tensor(rows).unsqueeze(-1), torch.tensor(mask)


def lennard_jones(positions: np.ndarray) -> Any:
    """Σ 4 (r⁻¹² − r⁻⁶) over all pairs, in ε, for (…, N, 3)."""
    squared = _distances(positions) ** 2
    return np.sum(4 * (squared**-6 - squared**-3), axis=-1)


def known_clusters(
    count: int, n_atoms: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random clusters (count, n_atoms, 3), no two atoms closer than 0.9 σ, and energies (count,).

    Coordinates are normal with a deviation of 0.8 σ; clusters with a closer pair are left out.
    """
    kept = np.empty((0, n_atoms, 3))
    while len(kept) < count:
        drawn = rng.normal(0.0, 0.8, (2 * count, n_atoms, 3))
        kept = np.concatenate([kept, drawn[_distances(drawn).min(axis=-1) >= 0.9]])
    kept = kept[:count]
    return torch.tensor(kept).float(), torch.tensor(lennard_jones(kept)).float()


def dense(n_inputs: int) -> nn.Module:
    """Two hidden layers of 32 units with a smooth activation."""
    return nn.Sequential(
        nn.Linear(n_inputs, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1)
    )


def taught(model: nn.Module, x: torch.Tensor, E: torch.Tensor, iterations: int) -> float:
    """Trains a model by L-BFGS in float64, for all networks alike; its error on what it learnt."""
    model.double()
    x, E = x.double(), E.double()
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=iterations,
        max_eval=25 * iterations,
        history_size=50,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.mean((model(x) - E) ** 2)
        loss.backward()
        return loss

    optimiser.step(closure)
    return math.sqrt(closure().item())


def triangles(positions: torch.Tensor) -> torch.Tensor:
    """4/r − 2 of the sides of all triangles, the longest first: (B, N, 3) to (B, triples, 3)."""
    corners = torch.combinations(torch.arange(positions.shape[1]), 3)
    at = positions[:, corners]
    sides = (at - at.roll(1, dims=2)).norm(dim=-1)
    return (4 / sides - 2).sort(dim=-1)[0]


def _distances(positions: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(positions.shape[-2], k=1)
    return np.linalg.norm(positions[..., first, :] - positions[..., second, :], axis=-1)


def _about_z(angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


# ------------------------------------------------------------------------------------ goal


def goal() -> Figure:
    """The notebook's last picture without the networks' curves."""
    figure, (left, right) = canvas(1, 2, height=3.2, width_ratios=(1, 1.35))
    for place, angle in enumerate((0.0, 60.0, 120.0, 180.0)):
        turned = CLUSTER @ _about_z(math.radians(angle)).T
        x, y = 2.7 * (place % 2), -2.9 * (place // 2)
        _atoms(left, turned[:, :2] + [x, y])
        left.text(x, y - 1.5, f"{angle:.0f}°", color=GREY, ha="center", fontsize=9)
    left.set_aspect("equal")
    left.set_xlim(-1.4, 4.1)
    left.set_ylim(-4.7, 1.3)
    left.axis("off")
    left.set_title("a cluster is turned …", color=INK, fontsize=10.5)
    _turning_axes(right, "… and its energy stays the same")
    legend(right, "upper right")
    return figure


def _turning_axes(axes: Axes, title: str) -> None:
    exact = float(_expected()["energy"][0])
    axes.axhline(exact, color=PALE, lw=6, zorder=1, label="exact")
    dress(axes, "turned by / degrees", "energy / ε", title)
    axes.set_xlim(0, 360)
    axes.set_xticks(range(0, 361, 60))
    axes.set_ylim(exact - 3.0, exact + 3.0)


# ------------------------------------------------------------------------------------ sets


def pooled(pool: Callable[..., Any]) -> Figure:
    """Sum, mean and maximum of padded sets."""
    data, (figure, panels) = _expected(), canvas(1, 3, height=2.9, sharey=True)
    features, mask = padded_sets()
    labels = ["{" + ", ".join(f"{x:g}" for x in elements) + "}" for elements in SETS]
    place = np.arange(len(SETS))
    for axes, kind in zip(panels, ("sum", "mean", "max"), strict=True):
        axes.bar(place, data[kind], width=0.66, color=PALE, label="expected")
        axes.plot(place, _numpy(pool(features, mask, kind)).ravel(), "o", color=BLUE, label="yours")
        axes.axhline(0, color=GREY, lw=0.8)
        dress(axes, "", "pooled feature" if kind == "sum" else "", kind)
        axes.set_xticks(place, labels, rotation=40, ha="right", rotation_mode="anchor")
    legend(panels[1], "upper left")
    return figure


def orders(naive: Callable[..., Any], sets: Callable[..., Any]) -> Figure:
    """Two untrained networks on the six orders of three distances."""
    all_orders = list(itertools.permutations((1.0, 1.5, 2.0)))
    figure, panels = canvas(1, 2, height=3.0, sharey=True)
    names = ("NaiveMLP", "DeepSets")
    for axes, network, colour, name in zip(
        panels, (naive, sets), (ORANGE, BLUE), names, strict=True
    ):
        values = _applied(network, torch.tensor(all_orders)).ravel()
        values = values - values.mean()
        if network is sets:
            axes.axhline(0, color=PALE, lw=6, zorder=1, label="expected: no difference")
        axes.plot(range(6), values, "o", color=colour, ms=7, label="yours")
        labels = [", ".join(f"{x:g}" for x in order) for order in all_orders]
        axes.set_xticks(range(6), labels, rotation=40, ha="right", rotation_mode="anchor")
        dress(axes, "", "output − its mean" if network is naive else "", name)
        axes.margins(y=0.3)
        legend(axes, "upper left")
    return figure


def rounding(errors: dict[str, Any]) -> Figure:
    """Invariance errors over many permutations, on a logarithmic axis; zeros by themselves."""
    figure, axes = canvas(1, 1, width=7.4, height=3.2)
    edges = np.logspace(-17, 1, 73)
    for (name, values), colour in zip(errors.items(), (ORANGE, BLUE, GREEN), strict=True):
        values = np.asarray(values)
        same = np.mean(values == 0)
        label = f"{name}: {same:.0%} exactly zero"
        axes.hist(values[values > 0], edges, color=colour, alpha=0.8, label=label)
    for digits, name in ((np.finfo(np.float32).eps, "float32"), (np.finfo(float).eps, "float64")):
        axes.axvline(digits, ymax=0.9, color=GREY, lw=1.0, ls=(0, (4, 3)))
        words = f"last digit of {name}"
        axes.text(1.4 * digits, 0.85, words, color=GREY, transform=axes.get_xaxis_transform())
    axes.set_xscale("log")
    dress(axes, "invariance error", "permutations")
    axes.set_xlim(1e-17, 10)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    legend(axes, (0.17, 0.45))
    return figure


# -------------------------------------------------------------------------------- symmetry


def how_quantities_behave(
    quantities: dict[str, tuple[str, Callable[..., Any]]],
    symmetries: dict[str, tuple[Any, Any, Any]],
    invariance_error: Callable[..., Any],
    equivariance_error: Callable[..., Any],
    positions: torch.Tensor,
    right: list[str],
) -> Figure:
    """A table: is each quantity invariant, equivariant or neither under each symmetry?

    A quantity is a "number", a "vector" or "vectors", and a function; a symmetry is what happens
    to positions, to a vector and to a list of vectors. `right` has a letter for every field.
    """
    words = {"i": "invariant", "e": "equivariant", "n": "neither"}
    table, wrong = np.zeros((len(quantities), len(symmetries)), dtype=int), []
    figure, axes = canvas(1, 1, width=7.6, height=0.42 * len(quantities) + 0.7)
    for row, (kind, f) in enumerate(quantities.values()):
        for column, (moved, vector, vectors) in enumerate(symmetries.values()):
            out = {"number": lambda y: y, "vector": vector, "vectors": vectors}[kind]
            found = "n"
            if invariance_error(f, positions, moved) < 1e-9:
                found = "i"
            elif equivariance_error(f, positions, moved, out) < 1e-9:
                found = "e"
            table[row, column] = "ien".index(found)
            if found != right[row][column]:
                wrong.append((row, column))
            colour = "white" if found == "i" else INK
            axes.text(column, row, words[found], color=colour, ha="center", va="center", fontsize=9)
    axes.imshow(table, cmap=ListedColormap([BLUE, GREEN, LIGHT]), vmin=0, vmax=2, aspect="auto")
    for row, column in wrong:
        axes.plot(column, row, "x", color=ORANGE, ms=26, mew=2.5)
    axes.set_xticks(range(len(symmetries)), list(symmetries))
    axes.set_yticks(range(len(quantities)), list(quantities))
    axes.set_xticks(np.arange(0.5, len(symmetries) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(quantities) - 1), minor=True)
    axes.grid(which="minor", color="white", lw=3)
    axes.tick_params(which="both", length=0, labelcolor=INK, labelsize=9.5)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if wrong:
        axes.set_xlabel("crossed out: not as expected", color=ORANGE, fontsize=10)
    return figure


def rotations(matrices: Any, euler: Any) -> Figure:
    """Where rotations take the z axis, on a map that keeps areas, and by which angle they turn."""
    data = _expected()
    figure, panels = canvas(1, 3, height=3.0, width_ratios=(1, 1, 1.15))
    for axes, some, colour, title in (
        (panels[0], matrices, BLUE, "yours"),
        (panels[1], euler, ORANGE, "three uniform Euler angles"),
    ):
        x, y, z = np.asarray(some)[:, :, 2].T
        axes.plot(np.degrees(np.arctan2(y, x)), z, ".", color=colour, ms=2.2, alpha=0.6)
        dress(axes, "longitude / degrees", "cos(polar angle)" if axes is panels[0] else "", title)
        axes.set_xlim(-180, 180)
        axes.set_xticks((-90, 0, 90))
        axes.set_ylim(-1, 1)
        axes.grid(False)
    panels[1].set_yticklabels([])
    for some, colour, label in ((euler, ORANGE, "Euler angles"), (matrices, BLUE, "yours")):
        trace = np.trace(np.asarray(some), axis1=1, axis2=2)
        angles = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
        counts, edges = np.histogram(angles, np.linspace(0, 180, 25), density=True)
        panels[2].stairs(counts, edges, baseline=None, color=colour, lw=1.8, label=label)
    density = data["density"] * math.pi / 180
    expected_line(panels[2], np.degrees(data["angle"]), density)
    dress(panels[2], "angle of the turn / degrees", "density / (1/degree)", "how far they turn")
    panels[2].set_xlim(0, 180)
    panels[2].set_xticks(range(0, 181, 60))
    panels[2].set_ylim(0, 0.0165)
    legend(panels[2], "upper left")
    return figure


# -------------------------------------------------------------------------------- energies


def turned_forces(model: Any, forces: Callable[..., Any]) -> Figure:
    """Forces of an untrained model on a cluster and on its turned copy."""
    figure, axes = canvas(1, 1, width=7.0, height=3.4)
    angle, away = math.radians(65), np.array([3.4, 0.15, 0.0])
    R = _about_z(angle)
    before, after = CLUSTER, CLUSTER @ R.T
    found = [_forces(model, forces, x) for x in (before, after)]
    scale = 0.75 / max(np.linalg.norm(found[0], axis=1).max(), 1e-12)
    _arrows(axes, before[:, :2], scale * found[0][:, :2], BLUE, "forces of your model")
    rotated = scale * (found[0] @ R.T)[:, :2]
    for number, (atom, arrow) in enumerate(zip((after + away)[:, :2], rotated, strict=True)):
        label = "the forces on the left, turned" if number == 0 else None
        tip = np.array([atom, atom + arrow])
        axes.plot(*tip.T, color=PALE, lw=9, solid_capstyle="round", zorder=2, label=label)
    _arrows(axes, (after + away)[:, :2], scale * found[1][:, :2], BLUE, None)
    _atoms(axes, before[:, :2])
    _atoms(axes, (after + away)[:, :2])
    axes.annotate("", (2.2, 1.0), (1.2, 1.0), arrowprops={"arrowstyle": "->", "color": GREY})
    axes.text(1.7, 1.12, f"turned by {math.degrees(angle):.0f}°", color=GREY, ha="center")
    dress(axes, "x / σ", "y / σ")
    axes.set_aspect("equal")
    axes.set_xlim(-1.9, 5.2)
    axes.set_ylim(-1.6, 1.75)
    legend(axes, "lower center")
    return figure


def learning_curves(sizes: Any, errors: dict[str, Any], spread: float) -> Figure:
    """Error on unseen clusters over the number of clusters learnt from."""
    figure, axes = canvas(1, 1, width=7.4, height=4.2)
    axes.axhline(spread, color=PALE, lw=4, zorder=1)
    axes.text(sizes[0], spread / 1.12, "always saying the mean", color=GREY, va="top")
    styles = zip(
        (PURPLE, PURPLE, ORANGE, ORANGE, GREEN, GREEN, BLUE),
        ("s", "D", "s", "D", "s", "D", "o"),
        ("-", "--", "-", "--", "-", "--", "-"),
        strict=True,
    )
    placed: list[float] = []
    for (name, values), (colour, marker, line) in zip(errors.items(), styles, strict=True):
        axes.loglog(sizes, values, marker + line, color=colour, lw=1.6, ms=6)
        place = math.log10(values[-1])
        while any(abs(place - other) < 0.17 for other in placed):
            place -= 0.02
        placed.append(place)
        axes.text(1.1 * sizes[-1], 10**place, name, color=colour, va="center")
    dress(axes, "clusters to learn from", "error on unseen clusters / ε")
    axes.set_xticks(sizes, [f"{size}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlim(right=2.2 * sizes[-1])
    told(
        f"with {sizes[-1]} clusters the errors are "
        + ", ".join(f"{values[-1]:.2g} ε ({name})" for name, values in errors.items())
        + f"; always saying the mean would be {spread:.2g} ε off."
    )
    return figure


def parity(results: dict[str, tuple[Any, Any]]) -> Figure:
    """Predicted over exact energies for clusters of several sizes, all and bound ones."""
    figure, panels = canvas(1, 2, width=8.6, height=4.3)
    colours = dict(zip(results, (GREEN, BLUE, ORANGE), strict=False))
    exact_all = np.concatenate([_numpy(exact).ravel() for exact, _ in results.values()])
    for axes, title, bound in (
        (panels[0], "all clusters", False),
        (panels[1], "bound, E < 0", True),
    ):
        low, high = (
            (exact_all.min() - 0.4, 0.4) if bound else (exact_all.min() - 1, exact_all.max() + 1)
        )
        axes.plot([low, high], [low, high], color=PALE, lw=4, zorder=1)
        for line, (name, (exact, predicted)) in enumerate(results.items()):
            exact, predicted = _numpy(exact).ravel(), _numpy(predicted).ravel()
            kept = exact < (0 if bound else np.inf)
            axes.plot(
                exact[kept], predicted[kept], "o", color=colours[name], ms=3.5, alpha=0.5, mew=0
            )
            error = predicted[kept] - exact[kept]
            score = 1 - np.mean(error**2) / np.var(exact[kept])
            words = (
                f"{name}: R² = {_score(score)}, typical error {math.sqrt(np.mean(error**2)):.2g} ε"
            )
            axes.text(
                0.03, 0.97 - 0.07 * line, words, color=colours[name], va="top", fontsize=8.5,
                transform=axes.transAxes,
            )  # fmt: skip
        dress(axes, "exact energy / ε", "predicted energy / ε" if axes is panels[0] else "", title)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high + 0.25 * (high - low))
    return figure


def turning(models: dict[str, Any], forces: Callable[..., Any]) -> Figure:
    """The energy that networks give a turned cluster; how it moves when it is let go at rest."""
    figure, (left, middle, right) = canvas(1, 3, width=10.4, height=3.4)
    _turning_axes(left, "turned about the z axis")
    angles = np.arange(0, 361, 3)
    turned = np.array([CLUSTER @ _about_z(math.radians(angle)).T for angle in angles])
    words = []
    for (name, model), colour in zip(models.items(), (ORANGE, GREEN, BLUE), strict=True):
        values = _applied(model, torch.tensor(turned)).ravel()
        time, energy, spin = _let_go(model, forces)
        left.plot(angles, values, color=colour, lw=1.8, label=name)
        middle.semilogy(time, np.maximum(np.abs(energy - energy[0]), 1e-16), color=colour, lw=1.4)
        right.semilogy(time, np.maximum(spin, 1e-16), color=colour, lw=1.8)
        words.append(
            f"{name}: the energy of the turned cluster spans {np.ptp(values):.1g} ε, its spin in "
            f"the motion reaches {spin.max():.1g}, its energy is kept to "
            f"{np.abs(energy - energy[0]).max():.1g} ε"
        )
    low, high = left.get_ylim()
    shown = np.concatenate([line.get_ydata() for line in left.lines])
    left.set_ylim(min(low, shown.min() - 0.5), max(high, shown.max() + 2.5))
    legend(left, "upper left")
    dress(middle, "time", "|change of the energy| / ε", "let go: energy")
    dress(right, "time", "|angular momentum|", "let go: spin")
    for axes in (middle, right):
        axes.set_ylim(1e-17, 1e2)
    told("; ".join(words) + ".")
    return figure


def _let_go(
    model: Any, forces: Callable[..., Any], steps: int = 300, dt: float = 0.002
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let go from rest, masses one: times, energies, sizes of the angular momentum."""
    xs, vs = verlet(CLUSTER, 0 * CLUSTER, lambda x: _forces(model, forces, x), dt, steps)
    energy = _applied(model, torch.tensor(xs)).ravel() + np.sum(vs**2, axis=(1, 2)) / 2
    spin = np.cross(xs - xs.mean(axis=1, keepdims=True), vs).sum(axis=1)
    return dt * np.arange(steps + 1), energy, np.linalg.norm(spin, axis=1)


def twins() -> torch.Tensor:
    """Two tetrahedra (2, 4, 3) whose six distances are the same, joined in different ways.

    In one the two long edges meet in an atom, in the other they lie opposite each other.
    """
    long, short = 1.5, 1.1
    meeting = {(0, 1): long, (0, 2): long}
    opposite = {(0, 1): long, (2, 3): long}
    return torch.tensor(
        np.array([_from_distances(edges, short) for edges in (meeting, opposite)])
    ).float()


def _from_distances(edges: dict[tuple[int, int], float], other: float) -> np.ndarray:
    """Four points with these distances and `other` for the rest, by classical scaling."""
    squared = np.full((4, 4), other**2) - other**2 * np.eye(4)
    for (i, j), length in edges.items():
        squared[i, j] = squared[j, i] = length**2
    centring = np.eye(4) - 0.25
    values, vectors = np.linalg.eigh(-0.5 * centring @ squared @ centring)
    return vectors[:, 1:] * np.sqrt(values[1:])


def axilrod_teller(positions: Any) -> np.ndarray:
    """Σ over triples of (1 + 3 cos α cos β cos γ) / (r₁₂ r₂₃ r₃₁)³, for (B, N, 3)."""
    x = _numpy(positions)
    total = np.zeros(len(x))
    for i, j, k in itertools.combinations(range(x.shape[1]), 3):
        a, b, c = (np.linalg.norm(x[:, p] - x[:, q], axis=-1) for p, q in ((j, k), (k, i), (i, j)))
        cosines = (b**2 + c**2 - a**2) * (c**2 + a**2 - b**2) * (a**2 + b**2 - c**2)
        total += (1 + 3 * cosines / (8 * (a * b * c) ** 2)) / (a * b * c) ** 3
    return total


# ---------------------------------------------------------------------------------- models


def _applied(network: Any, x: torch.Tensor) -> np.ndarray:
    """The network's output on x, handed over in the dtype of its weights."""
    return _numpy(network(x.to(_dtype(network))))


def _forces(model: Any, forces: Callable[..., Any], positions: np.ndarray) -> np.ndarray:
    x = torch.tensor(positions[None]).to(_dtype(model))
    return _numpy(forces(model, x))[0]


def _dtype(network: Any) -> torch.dtype:
    own = [weights.dtype for weights in getattr(network, "parameters", list)()]
    return (own or [torch.float32])[0]


def _numpy(values: Any) -> np.ndarray:
    values = values.detach() if hasattr(values, "detach") else values
    return np.asarray(values, dtype=float)


def _score(value: float) -> str:
    """R² without rounding an imperfect one up to 1."""
    return f"{math.floor(value * 1e4) / 1e4:.4f}"


# -------------------------------------------------------------------------------- the look


def _atoms(axes: Axes, places: np.ndarray) -> None:
    """Atoms as numbered dots, so that one can see which went where, and lines between them."""
    for one, other in itertools.combinations(places, 2):
        axes.plot(*np.array([one, other]).T, color=LIGHT, lw=1.2, zorder=1)
    axes.plot(*places.T, "o", color=INK, ms=11, zorder=4)
    for number, (x, y) in enumerate(places, start=1):
        axes.text(
            x,
            y,
            str(number),
            color="white",
            ha="center",
            va="center_baseline",
            fontsize=7.5,
            zorder=5,
        )


def _arrows(
    axes: Axes, feet: np.ndarray, arrows: np.ndarray, colour: str, label: str | None
) -> None:
    axes.quiver(
        *feet.T,
        *arrows.T,
        angles="xy",
        scale_units="xy",
        scale=1,
        color=colour,
        width=0.006,
        zorder=3,
        label=label,
    )
