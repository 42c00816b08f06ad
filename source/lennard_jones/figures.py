"""Plots of this notebook: the student's result in colour, the expected one in grey behind it."""

from __future__ import annotations

import functools
import itertools
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
    across,
    canvas,
    dress,
    expected_line,
    legend,
    told,
)
from coursekit.motion import verlet
from matplotlib.axes import Axes
from matplotlib.figure import Figure

R_MIN = 2 ** (1 / 6)
PAIR_RANGE = (0.95, 3.5)
"""Distances, in σ, between which the network for two atoms has data."""

_TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / math.sqrt(8)
_SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
_CHAIN = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]], dtype=float)
SHAPES = {"chain": _CHAIN, "square": _SQUARE, "tetrahedron": _TETRAHEDRON}
"""Four atoms, neighbours at distance 1."""

_COMPACT = {"pair": _TETRAHEDRON[:2], "triangle": _TETRAHEDRON[:3], "tetrahedron": _TETRAHEDRON}
"""Every atom at distance 1 from every other."""

_FIVE = np.array([[-1.0, -0.5], [0.15, -0.75], [1.35, -0.35], [-0.5, 0.55], [0.6, 0.68]])
"""Five atoms in a plane; two are so close that they repel."""


def expected(answers: Any) -> dict[str, list]:
    """The curves and energies that the plots show as right, in ε and σ."""
    r = np.linspace(0.94, 5.0, 407)
    edge = np.linspace(0.96, 2.2, 125)
    data = {"r": r, "V": answers.lj_potential(r), "F": answers.lj_force(r), "edge": edge}
    for name, atoms in _COMPACT.items():
        data[f"energy of a {name}"] = [answers.cluster_energy(a * atoms) for a in edge]
    return {name: np.asarray(values).tolist() for name, values in data.items()}


@functools.cache
def _expected() -> dict[str, np.ndarray]:
    data = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
    return {name: np.array(values) for name, values in data.items()}


# ------------------------------------------------------------------------------- two atoms


def goal() -> Figure:
    """The notebook's last picture of two atoms without the network's curves."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2)
    for axes, name in ((left, "V"), (right, "F")):
        known = (data["r"] >= PAIR_RANGE[0]) & (data["r"] <= PAIR_RANGE[1])
        r, values = data["r"][known][::4], data[name][known][::4]
        axes.plot(r, values, "o", color=INK, ms=3, label="known to the network")
        expected_line(axes, data["r"], data[name], label="argon")
        _beyond(axes, PAIR_RANGE)
    _potential_axes(left, right, upto=4.4)
    left.set_ylim(-1.5, 2.6)
    right.set_ylim(-5, 13)
    legend(left, loc=(0.2, 0.7))
    return figure


def potential_and_force(lj_potential: Callable[..., Any], lj_force: Callable[..., Any]) -> Figure:
    """V(r) and F(r) with the minimum, where the force changes its sign."""
    data, (figure, (left, right)) = _expected(), canvas(1, 2)
    r = data["r"]
    for axes, name, values in ((left, "V", lj_potential(r)), (right, "F", lj_force(r))):
        expected_line(axes, r, data[name])
        axes.plot(r, values, color=BLUE, lw=1.8, label="yours")
        axes.axvline(R_MIN, color=ORANGE, lw=1.2, ls=(0, (4, 3)))
        axes.axhline(0, color=GREY, lw=0.8)
    _potential_axes(left, right, upto=3.0)
    left.plot(R_MIN, -1, "o", color=ORANGE, ms=7, mec="white")
    right.plot(R_MIN, 0, "o", color=ORANGE, ms=7, mec="white")
    left.annotate(
        r"$r_{\min} = 2^{1/6}\,\sigma$", (R_MIN, -1), (1.42, -1.22), color=ORANGE, va="center"
    )
    right.axhspan(0, 20, color=LIGHT, alpha=0.5, lw=0)
    right.text(2.95, 4.4, "F > 0: the atoms repel", color=GREY, ha="right", va="top")
    right.text(2.95, -3.6, "F < 0: they attract", color=GREY, ha="right", va="bottom")
    left.set_ylim(-1.2, 1.6)
    right.set_ylim(-4, 5)
    legend(left)
    return figure


# -------------------------------------------------------------------------------- clusters


def distance_lists(pairwise_distances: Callable[..., Any]) -> Figure:
    """The distances of three shapes, and of the same shapes turned and renumbered."""
    figure, panels = canvas(1, 3, height=2.7, sharey=True)
    rng = np.random.default_rng(4)
    for axes, (name, atoms) in zip(panels, SHAPES.items(), strict=True):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turned = (atoms @ turn + rng.normal(size=3))[rng.permutation(len(atoms))]
        number = np.arange(1, 7)
        first, second = np.triu_indices(4, k=1)
        right = np.sort(np.linalg.norm(atoms[first] - atoms[second], axis=1))
        axes.bar(number, right, width=0.62, color=PALE, label="expected")
        axes.plot(number, pairwise_distances(atoms), "o", color=BLUE, ms=6, label="yours")
        again = pairwise_distances(turned)
        label = "yours, turned and renumbered"
        axes.plot(number, again, "o", color=ORANGE, ms=11, mfc="none", mew=1.4, label=label)
        dress(axes, "place in the list", "distance / σ" if axes is panels[0] else "", name)
        axes.set_xticks(number)
        axes.set_ylim(0, 3.4)
    legend(panels[2], loc="upper right")
    return figure


def compact_clusters(cluster_energy: Callable[..., Any]) -> Figure:
    """The energy of a pair, a triangle and a tetrahedron as they grow."""
    data, (figure, axes) = _expected(), canvas(1, 1, width=6.6, height=3.6)
    edge = data["edge"]
    for (name, atoms), colour in zip(_COMPACT.items(), (BLUE, GREEN, ORANGE), strict=True):
        right = data[f"energy of a {name}"]
        expected_line(axes, edge, right, label="expected" if name == "pair" else None)
        yours = [cluster_energy(a * atoms) for a in edge]
        axes.plot(edge, yours, color=colour, lw=1.8, label=name)
        bonds = len(atoms) * (len(atoms) - 1) // 2
        axes.plot(R_MIN, -bonds, "o", color=colour, ms=6, mec="white")
        axes.text(R_MIN, -bonds - 0.28, f"−{bonds} ε", color=colour, ha="center", va="top")
    axes.axhline(0, color=GREY, lw=0.8)
    dress(axes, "distance of every two atoms / σ", "cluster energy / ε")
    axes.set_xlim(0.96, 2.2)
    axes.set_ylim(-7, 3)
    legend(axes, loc="lower right")
    return figure


def force_arrows(cluster_energy: Callable[..., Any], cluster_forces: Callable[..., Any]) -> Figure:
    """Forces as arrows over minus the energy's slope, and how that slope depends on its step."""
    atoms = np.column_stack([_FIVE, np.zeros(len(_FIVE))])
    forces = np.asarray(cluster_forces(atoms))
    slopes = _slopes(cluster_energy, atoms, 1e-4)
    figure, (left, right) = canvas(1, 2, height=3.6, width_ratios=(1.25, 1))
    left.plot(*_FIVE.T, "o", color=INK, ms=9, zorder=4)
    scale = 0.8 / np.linalg.norm(slopes, axis=1).max()
    for number, (atom, slope) in enumerate(zip(_FIVE, scale * slopes[:, :2], strict=True)):
        label = "minus the slope of your energy" if number == 0 else None
        tip = np.array([atom, atom + slope])
        left.plot(*tip.T, color=PALE, lw=9, solid_capstyle="round", zorder=2, label=label)
    left.quiver(
        *_FIVE.T,
        *(scale * forces[:, :2].T),
        angles="xy",
        scale_units="xy",
        scale=1,
        color=BLUE,
        width=0.009,
        zorder=3,
        label="your forces",
    )
    dress(left, "x / σ", "y / σ")
    left.set_aspect("equal")
    left.set_xlim(-1.6, 1.9)
    left.set_ylim(-1.2, 1.6)
    legend(left, loc="upper left")
    steps = np.logspace(-7, -1, 25)
    errors = [np.abs(_slopes(cluster_energy, atoms, h) - forces).max() for h in steps]
    right.loglog(steps, errors, "o-", color=BLUE, ms=4, lw=1.2)
    guide = steps[steps > 3e-5]
    parallel = errors[-7] * (guide / steps[-7]) ** 2
    right.loglog(guide, parallel, color=PALE, lw=5, zorder=1)
    right.text(guide[9], 8 * parallel[9], "∝ step²", color=GREY, ha="right")
    dress(right, "step of the central difference / σ", "largest difference / (ε/σ)")
    return figure


def _slopes(energy: Callable[..., Any], atoms: np.ndarray, step: float) -> np.ndarray:
    """Minus the energy's gradient by central differences."""
    result = np.zeros(atoms.shape)
    for index in np.ndindex(*atoms.shape):
        shift = np.zeros(atoms.shape)
        shift[index] = step
        result[index] = -(energy(atoms + shift) - energy(atoms - shift)) / (2 * step)
    return result


def samples(
    pairs: Any, energies: Any, min_distance: float, scale: float, pairwise_distances: Any
) -> Figure:
    """Distances of sampled pairs against the exact density; energies of sampled clusters."""
    figure, (left, right) = canvas(1, 2)
    distances = np.concatenate([pairwise_distances(pair) for pair in pairs])
    bins = np.linspace(0, 4, 41)
    left.hist(distances, bins, density=True, color=BLUE, alpha=0.75, label="yours")
    r = np.linspace(min_distance, 4, 300)
    # The separation of two atoms is normal with variance 2 scale² in each direction.
    x = min_distance / (2 * scale)
    kept = math.erfc(x) + 2 * x * math.exp(-(x**2)) / math.sqrt(math.pi)
    density = r**2 * np.exp(-((r / (2 * scale)) ** 2)) / (2 * math.sqrt(math.pi) * scale**3)
    left.plot(r, density / kept, color=INK, lw=1.8, label="expected")
    left.axvline(min_distance, color=ORANGE, lw=1.4, ls=(0, (4, 3)), label="smallest allowed")
    dress(left, "distance of two atoms / σ", "density / (1/σ)", "two atoms")
    left.set_xlim(0, 4)
    legend(left)
    energies = np.asarray(energies)
    high = min(max(math.ceil(energies.max()), 6), 40)
    edges = np.arange(-6, high + 0.5, 0.5)
    bound = energies[energies < 0]
    right.hist(bound, edges, color=GREEN, alpha=0.85)
    right.hist(energies[energies >= 0], edges, color=ORANGE, alpha=0.85)
    right.axvline(-6, color=INK, lw=1.4)
    top, share = right.get_ylim()[1], len(bound) / len(energies)
    right.text(-5.8, 0.5 * top, "tetrahedron, −6 ε", color=INK, rotation=90, va="center")
    right.text(high, 0.95 * top, f"{share:.0%} are bound (E < 0)", color=GREEN, ha="right")
    rest = f"{1 - share:.0%} are not, up to {energies.max():.1f} ε"
    right.text(high, 0.87 * top, rest, color=ORANGE, ha="right")
    dress(right, "cluster energy / ε", "clusters", "four atoms")
    right.set_xlim(-6.5, high + 0.5)
    return figure


def columns(train: Any, test: Any, train_n: Any, test_n: Any) -> Figure:
    """The six distances of the clusters before and after they are standardised."""
    figure, panels = canvas(1, 2, height=2.9)
    for axes, first, second in ((panels[0], train, test), (panels[1], train_n, test_n)):
        for values, colour, shift in ((first, BLUE, -0.17), (second, ORANGE, 0.17)):
            values = np.asarray(values)
            axes.boxplot(
                list(values.T),
                positions=np.arange(1, values.shape[1] + 1) + shift,
                widths=0.26,
                sym="",
                patch_artist=True,
                boxprops={"facecolor": colour, "edgecolor": colour, "alpha": 0.75},
                medianprops={"color": "white", "lw": 1.5},
                whiskerprops={"color": colour},
                capprops={"color": colour},
            )
        axes.set_xticks(range(1, 7), range(1, 7))
    dress(panels[0], "place in the list", "distance / σ", "as they are")
    dress(panels[1], "place in the list", "standard deviations", "standardised")
    panels[1].axhline(0, color=GREY, lw=0.8)
    panels[0].text(0.03, 0.95, "train", color=BLUE, transform=panels[0].transAxes, va="top")
    panels[0].text(0.03, 0.85, "test", color=ORANGE, transform=panels[0].transAxes, va="top")
    return figure


# -------------------------------------------------------------------------------- networks


def untrained(model: Callable[..., Any], energy_and_force: Callable[..., Any]) -> Figure:
    """The force from autograd over minus the slope of the energy that a network draws."""
    r = np.linspace(0.95, 3.5, 201)
    V, F = _predicted(model, energy_and_force, r)
    step = r[1] - r[0]
    slope = -(V[2:] - V[:-2]) / (2 * step)
    figure, (left, right) = canvas(1, 2, height=2.9)
    left.plot(r, V, color=BLUE, lw=1.8)
    right.plot(r[1:-1], slope, color=PALE, lw=6, label="minus the slope, by differences")
    right.plot(r, F, color=BLUE, lw=1.8, label="your force")
    dress(left, "r / σ", "V / ε", "what the untrained network says")
    dress(right, "r / σ", "F / (ε/σ)", "and its force")
    span = max(np.ptp(slope), 1e-3)
    right.set_ylim(slope.min() - 0.3 * span, slope.max() + 0.6 * span)
    legend(right)
    return figure


def ripple(lj_potential: Any, lj_force: Any, amplitude: float, number: float) -> Figure:
    """An energy with a small ripple, and what the ripple does to the force."""
    r = np.linspace(*PAIR_RANGE, 800)
    figure, (left, right) = canvas(1, 2, height=2.9)
    V, F = lj_potential(r), lj_force(r)
    expected_line(left, r, V, label="exact")
    expected_line(right, r, F, label="exact")
    left.plot(r, V + amplitude * np.sin(number * r), color=ORANGE, lw=1.3, label="with a ripple")
    right.plot(r, F - amplitude * number * np.cos(number * r), color=ORANGE, lw=1.3)
    _potential_axes(left, right, upto=3.5)
    left.set_ylim(-1.5, 2)
    right.set_ylim(-5, 8)
    legend(left)
    return figure


def learnt_potential(
    model: Callable[..., Any],
    energies_only: Callable[..., Any],
    energy_and_force: Callable[..., Any],
    lj_potential: Callable[..., Any],
    lj_force: Callable[..., Any],
    r_train: Any,
) -> Figure:
    """Energy and force of the trained networks over the exact ones, and their errors."""
    data = _expected()
    # Stored data have six digits; an error needs more.
    exact = {"V": lj_potential(data["r"]), "F": lj_force(data["r"])}
    figure, panels = canvas(2, 2, height=5.6, sharex="col", height_ratios=(1.25, 1))
    both = _predicted(model, energy_and_force, data["r"])
    alone = _predicted(energies_only, energy_and_force, data["r"])
    for column, name in enumerate(("V", "F")):
        top, bottom = panels[:, column]
        expected_line(top, data["r"], data[name], label="exact")
        for values, colour, label in (
            (alone, ORANGE, "energies alone"),
            (both, BLUE, "yours"),
        ):
            top.plot(data["r"], values[column], color=colour, lw=1.6, label=label)
            error = np.abs(values[column] - exact[name])
            bottom.semilogy(data["r"], np.maximum(error, 1e-12), color=colour, lw=1.3)
        for axes in (top, bottom):
            _beyond(axes, PAIR_RANGE, words=axes is top)
    r_train = _numpy(r_train).ravel()
    panels[0, 0].plot(r_train, np.full(len(r_train), -1.42), "|", color=INK, ms=5, mew=0.6)
    panels[0, 0].text(3.45, -1.33, "training data", color=INK, ha="right", va="bottom")
    dress(panels[0, 0], "", "V / ε", "energy")
    dress(panels[0, 1], "", "F / (ε/σ)", "force")
    dress(panels[1, 0], "r / σ", "|error of V| / ε")
    dress(panels[1, 1], "r / σ", "|error of F| / (ε/σ)")
    panels[0, 0].set_ylim(-1.5, 2.6)
    panels[0, 1].set_ylim(-5, 13)
    for axes in panels.ravel():
        axes.set_xlim(0.9, 4.4)
    for axes in panels[1]:
        axes.set_ylim(max(axes.get_ylim()[0], 1e-10), 30)
    legend(panels[0, 0], loc=(0.3, 0.62))
    return figure


def wall(
    model: Callable[..., Any],
    energies_only: Callable[..., Any],
    energy_and_force: Callable[..., Any],
    lj_potential: Callable[..., Any],
    lj_force: Callable[..., Any],
) -> Figure:
    """The same networks where they have seen nothing: closer than their closest pair."""
    r = np.linspace(0.75, 1.1, 141)
    both = _predicted(model, energy_and_force, r)
    alone = _predicted(energies_only, energy_and_force, r)
    figure, (left, right) = canvas(1, 2, height=3.0)
    for column, exact in enumerate((lj_potential(r), lj_force(r))):
        axes = (left, right)[column]
        expected_line(axes, r, exact, label="exact")
        axes.plot(r, alone[column], color=ORANGE, lw=1.8, label="energies alone")
        axes.plot(r, both[column], color=BLUE, lw=1.8, label="yours")
        axes.axhline(0, color=GREY, lw=0.8)
        _beyond(axes, PAIR_RANGE, words=False)
        axes.set_xlim(0.75, 1.1)
    dress(left, "r / σ", "V / ε", "energy")
    dress(right, "r / σ", "F / (ε/σ)", "force")
    left.set_ylim(-40, 110)
    right.set_ylim(-700, 1900)
    place = {"ha": "right", "fontsize": 9, "transform": across(left)}
    left.text(0.94, 0.92, "no data here", color=GREY, **place)
    legend(right, loc="upper right")
    return figure


def lectures_network(distances: Any, energies: Any, epochs: int) -> Callable[..., Any]:
    """6-128-128-64-1 with ReLU on standardised sorted distances, Adam at 0.002, batches of 64."""
    import torch
    from torch import nn

    x, y = np.asarray(distances, dtype=float), np.asarray(energies, dtype=float)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    torch.manual_seed(0)
    sizes = (6, 128, 128, 64)
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(64, 1))
    inputs = torch.tensor((x - centre) / spread, dtype=torch.float32)
    targets = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).reshape(-1, 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.002)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            torch.mean((network(inputs[rows]) - targets[rows]) ** 2).backward()
            optimiser.step()

    def predict(distances: Any) -> np.ndarray:
        scaled = torch.tensor((np.asarray(distances) - centre) / spread, dtype=torch.float32)
        with torch.no_grad():
            return network(scaled)[:, 0].double().numpy() * y.std() + y.mean()

    return predict


def motion(
    models: list[Any], energy_and_force: Callable[..., Any], steps: int, dt: float = 0.004
) -> Figure:
    """Four atoms after a gentle and after a hard kick, by the first network's and by exact forces;
    the others, from other starts, are asked for the forces on the way."""
    figure, panels = canvas(3, 2, width=9.0, height=6.2, sharex=True)
    first, second = np.triu_indices(4, k=1)
    kick = np.array([[0.3, -0.2, 0.1], [-0.1, 0.4, -0.3], [-0.4, 0.1, 0.2], [0.2, -0.3, 0.0]])
    known = disagreement(models, energy_and_force, np.linspace(*PAIR_RANGE, 400)).max()
    time = dt * np.arange(steps + 1)

    def exact(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 4 * (r**-12 - r**-6), 24 * (2 * r**-13 - r**-7)

    def learnt(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _predicted(models[0], energy_and_force, r)

    def moved(law: Callable[..., Any], strength: float) -> tuple[np.ndarray, np.ndarray]:
        """All distances, and how far the energy is from where it began, at every time."""

        def forces(x: np.ndarray) -> np.ndarray:
            apart, total = x[first] - x[second], np.zeros_like(x)
            r = np.linalg.norm(apart, axis=1)
            along = (law(r)[1] / r)[:, None] * apart
            np.add.at(total, first, along)
            np.add.at(total, second, -along)
            return total

        start = R_MIN * _TETRAHEDRON, strength * (kick - kick.mean(axis=0))
        xs, vs = verlet(*start, forces, dt, steps)
        r = np.linalg.norm(xs[:, first] - xs[:, second], axis=2)
        energy = law(r.ravel())[0].reshape(r.shape).sum(axis=1) + np.sum(vs**2, axis=(1, 2)) / 2
        return r, np.abs(energy - energy[0])

    for column, (title, strength) in enumerate((("gentle", 0.5), ("hard", 6.0))):
        right, by_exact = moved(exact, strength)
        r, drift = moved(learnt, strength)
        apart = disagreement(models, energy_and_force, r.ravel()).reshape(r.shape).max(axis=1)
        outside = (r.min(axis=1) < PAIR_RANGE[0]) | (r.max(axis=1) > PAIR_RANGE[1])
        top, middle, bottom = panels[:, column]
        expected_line(top, time, right.max(axis=1), label="exact forces")
        top.plot(time, r.max(axis=1), color=BLUE, lw=1.3, label="your network")
        middle.semilogy(time, np.maximum(by_exact, 1e-9), color=PALE, lw=4)
        middle.semilogy(time, np.maximum(drift, 1e-9), color=BLUE, lw=1.2)
        bottom.semilogy(time, apart, color=BLUE, lw=1.2)
        bottom.axhline(known, color=GREY, lw=1.2)
        bottom.text(time[-1], known * 1.3, "most inside the data", color=GREY, ha="right")
        words = ["it stays inside its data"]
        if outside.any():
            left = time[outside.argmax()]
            words = [f"it leaves its data at t = {left:.2f}"]
            for axes in (top, middle, bottom):
                axes.axvline(left, color=ORANGE, lw=1.4, ls=(0, (4, 3)))
        words.append(
            f"its energy drifts by at most {drift.max():.1g} ε, that of the exact forces by "
            f"{by_exact.max():.1g} ε"
        )
        told_apart = apart > 3 * known
        if told_apart.any():
            when = time[told_apart.argmax()]
            words.append(
                f"the networks disagree more than three times as much as anywhere "
                f"inside the data from t = {when:.2f} on"
            )
        else:
            words.append("the networks agree about as well as inside the data")
        dress(top, "", "longest distance / σ" if column == 0 else "", f"a {title} kick")
        dress(middle, "", "|drift of the energy| / ε" if column == 0 else "")
        dress(bottom, "time", "disagreement / (ε/σ)" if column == 0 else "")
        middle.set_ylim(1e-7, 1e2)
        bottom.set_ylim(1e-8, 1e5)
        if column:  # the waves on the left leave no room
            legend(top, loc="upper left")
        told(f"{title} kick: " + "; ".join(words) + ".")
    return figure


def disagreement(
    models: list[Any], energy_and_force: Callable[..., Any], r: np.ndarray
) -> np.ndarray:
    """How far the networks' forces are spread at each distance, as a standard deviation."""
    return np.std([_predicted(model, energy_and_force, r)[1] for model in models], axis=0)


def parity(exact: Any, network: Any, linear: Any, usual: Any) -> Figure:
    """Predicted over exact cluster energies, for all clusters and for the bound ones."""
    exact, network, linear, usual = (
        _numpy(values).ravel() for values in (exact, network, linear, usual)
    )
    figure, panels = canvas(1, 2, width=8.6, height=4.2)
    bound = exact < 0
    low = float(min(exact.min(), network[bound].min())) - 0.2
    for axes, kept, title in (
        (panels[0], np.full(len(exact), True), "all clusters"),
        (panels[1], bound, "bound clusters, E < 0"),
    ):
        high = float(exact.max()) * 1.05 if axes is panels[0] else 0.3
        axes.plot([low, high], [low, high], color=PALE, lw=4, zorder=1)
        axes.plot(exact[kept], usual[kept], "s", color=GREEN, ms=3, alpha=0.5, mew=0)
        axes.plot(exact[kept], network[kept], "o", color=BLUE, ms=3.5, alpha=0.55, mew=0)
        shown = np.argsort(exact[kept])[:: max(1, kept.sum() // 30)]
        axes.plot(exact[kept][shown], linear[kept][shown], "x", color=ORANGE, ms=5, mew=1.2)
        dress(axes, "exact energy / ε", "predicted energy / ε" if axes is panels[0] else "", title)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        for line, (name, values, colour) in enumerate(
            (
                ("your network", network, BLUE),
                ("straight line on two sums", linear, ORANGE),
                ("the usual network", usual, GREEN),
            )
        ):
            error = values[kept] - exact[kept]
            spread = np.sum((exact[kept] - exact[kept].mean()) ** 2)
            score, typical = 1 - np.sum(error**2) / spread, math.sqrt(np.mean(error**2))
            words = f"{name}\nR² = {_score(score)}, typical error {_size(typical)} ε"
            place = 0.97 - 0.14 * line
            paper = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
            where = {"va": "top", "transform": axes.transAxes, "bbox": paper}
            axes.text(0.03, place, words, color=colour, **where)
            told(f"{title}: " + words.replace("\n", ", ") + ".")
    return figure


def _score(value: float) -> str:
    """R² without rounding an imperfect one up to 1."""
    return "1" if value > 1 - 1e-9 else f"{math.floor(value * 1e5) / 1e5:.5f}"


def _size(value: float) -> str:
    """One digit, and a power of ten where there would be many zeros."""
    digit, power = f"{value:.0e}".split("e")
    return f"{value:.1g}" if value >= 1e-3 else rf"${digit}\times10^{{{int(power)}}}$"


def _predicted(
    model: Callable[..., Any], energy_and_force: Callable[..., Any], r: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    own = [weights.dtype for weights in getattr(model, "parameters", list)()]
    V, F = energy_and_force(model, torch.tensor(r[:, None], dtype=(own or [torch.float32])[0]))
    return _numpy(V).ravel(), _numpy(F).ravel()


def _numpy(values: Any) -> np.ndarray:
    values = values.detach() if hasattr(values, "detach") else values
    return np.asarray(values, dtype=float)


# -------------------------------------------------------------------------------- the look


def _potential_axes(left: Axes, right: Axes, upto: float) -> None:
    dress(left, "r / σ", "V / ε", "energy")
    dress(right, "r / σ", "F / (ε/σ)", "force")
    for axes in (left, right):
        axes.set_xlim(0.9, upto)


def _beyond(axes: Axes, known: tuple[float, float], words: bool = True) -> None:
    """Shades the distances of which the network has no data."""
    axes.axvspan(0, known[0], color=LIGHT, lw=0, zorder=0)
    axes.axvspan(known[1], 9, color=LIGHT, lw=0, zorder=0)
    if words:
        x = known[1] + 0.05
        axes.text(x, 0.96, "no data", color=GREY, va="top", fontsize=9, transform=across(axes))
