"""What the notebooks claim in prose, computed: a row for each sentence.

Demonstrations end in a claim, and it has to hold for every right student. Claims about what the
course itself runs are computed with the course's own figures, smaller where they may be; claims
about a student's functions with the reference and with a plain right answer beside it.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autograder.course import ROOT
from reference_impl import ising, pinn, recipes, symmetry, training

CLAIMS: list[tuple[str, str, Callable[[], None]]] = []


def claim(assignment: str, sentence: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Adds a row: where the sentence stands, a part of it, and what it says, as assertions."""

    def add(computed: Callable[[], None]) -> Callable[[], None]:
        CLAIMS.append((assignment, sentence, computed))
        return computed

    return add


@functools.cache
def figures(assignment: str) -> ModuleType:
    """The notebook's figures, with the expected data beside them."""
    path = ROOT / "source" / assignment / "figures.py"
    specification = importlib.util.spec_from_file_location(f"figures_of_{assignment}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@functools.cache
def prose(assignment: str) -> str:
    """The notebook's text in one line."""
    text = (ROOT / "assignments" / assignment / "notebook.py").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"\n# ?", " ", text))


# ------------------------------------------------------------------------------- symmetry


def scaled(x: torch.Tensor) -> torch.Tensor:
    i, j = torch.triu_indices(4, 4, offset=1)
    return 4 / (x[:, i] - x[:, j]).norm(dim=-1) - 2


class Reading(nn.Module):
    def __init__(self, read: Callable[..., Any], network: nn.Module) -> None:
        super().__init__()
        self.read, self.network = read, network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(self.read(x)).squeeze(-1)


class PlainEnergy(nn.Module):
    """A plain right ClusterEnergyModel: one hidden layer on 1/r, pair after pair."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        energy = torch.zeros(len(positions), dtype=positions.dtype)
        for i in range(positions.shape[1]):
            for j in range(i):
                r = (positions[:, i] - positions[:, j]).norm(dim=-1, keepdim=True)
                energy = energy + self.net(1 / r)[:, 0]
        return energy


@functools.cache
def learning() -> dict[str, tuple[float, float]]:
    """(error on unseen clusters, on those learnt) with a hundred clusters, as the notebook does."""
    of = figures("symmetry")
    rng = np.random.default_rng(8)
    known, energies = of.known_clusters(400, 4, rng)
    unseen, exact = of.known_clusters(1000, 4, rng)
    found = {"spread": (exact.std().item(), 0.0)}
    for name, build in {
        "places": lambda: Reading(lambda x: x.flatten(1), of.dense(12)),
        "scaled": lambda: Reading(scaled, of.dense(6)),
        "sorted": lambda: Reading(lambda x: scaled(x).sort(1, descending=True)[0], of.dense(6)),
        "yours": symmetry.ClusterEnergyModel,
        "plain": PlainEnergy,
    }.items():
        torch.manual_seed(0)
        model: Any = build()
        learnt = of.taught(model, known[:100], energies[:100], 150)
        error = model(unseen.double()).detach() - exact
        found[name] = (error**2).mean().sqrt().item(), learnt
    return found


@claim("symmetry", "from 4 to 5, makes the error three to ten times smaller")
def _() -> None:
    assert 3 <= learning()["scaled"][0] / learning()["sorted"][0] <= 10


@claim("symmetry", "make it ten to two hundred times smaller again")
def _() -> None:
    for model in ("yours", "plain"):
        assert 10 <= learning()["sorted"][0] / learning()[model][0] <= 200, model


@claim("symmetry", "The network of places does worse than always saying the mean")
def _() -> None:
    assert learning()["places"][0] > learning()["spread"][0]


@claim("symmetry", "The error on what it has learnt is as large as on what it has not")
def _() -> None:
    for model in ("yours", "plain"):
        unseen, learnt = learning()[model]
        assert 0.5 <= unseen / learnt <= 2, model


@claim("symmetry", "Forces that are the gradient of *some* energy conserve that energy")
def _() -> None:
    of = figures("symmetry")
    torch.manual_seed(0)
    crooked = Reading(lambda x: x.flatten(1), of.dense(12)).double()
    for model, spins in ((crooked, True), (symmetry.ClusterEnergyModel().double(), False)):
        _, energy, spin = of._let_go(model, symmetry.forces)
        assert np.abs(energy - energy[0]).max() < 1e-5
        assert (spin.max() > 1e-4) == spins
        assert spin.max() < 1e-12 or spins


@claim("symmetry", "tells the two apart before it has learnt anything")
def _() -> None:
    of = figures("symmetry")
    torch.manual_seed(0)
    triples = Reading(of.triangles, symmetry.DeepSets(in_dim=3)).double()
    one, other = triples(of.twins().double()).tolist()
    assert abs(one - other) > 1e-4
    pairs = symmetry.ClusterEnergyModel().double()(of.twins().double()).tolist()
    assert math.isclose(*pairs, abs_tol=1e-6)


# ---------------------------------------------------------------------------------- ising


def swept(spins: np.ndarray, temperature: float, rng: np.random.Generator, rows: bool) -> None:
    """A sweep of many lattices, site after site: in a row, or at random."""
    chains, side, _ = spins.shape
    each = np.arange(chains)
    for site, numbers in enumerate(rng.random((side**2, chains))):
        i, j = divmod(site, side) if rows else rng.integers(side, size=(2, chains))
        around = (
            spins[each, (i + 1) % side, j]
            + spins[each, i - 1, j]
            + spins[each, i, (j + 1) % side]
            + spins[each, i, j - 1]
        )
        cost = np.maximum(2 * spins[each, i, j] * around, 0)
        spins[each, i, j] *= np.where(numbers < np.exp(-cost / temperature), -1, 1)


@claim("ising", "about one in three with sites at random, and one in five row by row")
def _() -> None:
    for rows, share in ((False, 1 / 3), (True, 1 / 5)):
        rng = np.random.default_rng(1)
        spins = rng.choice([-1, 1], (120, 24, 24))
        for _ in range(100):
            swept(spins, 1.0, rng, rows)
        striped = np.mean(np.abs(spins.mean(axis=(1, 2))) < 0.9)
        assert abs(striped - share) < 0.12, (rows, striped)


@claim("ising", "if the sites come at random, about a dozen if they come row by row")
def _() -> None:
    for rows, low, high in ((False, 25, 60), (True, 8, 20)):
        rng = np.random.default_rng(2)
        spins, sizes = np.ones((120, 16, 16), dtype=int), []
        for sweep in range(140):
            swept(spins, 2.3, rng, rows)
            if sweep >= 60:
                sizes.append(np.abs(spins.mean(axis=(1, 2))))
        off = np.array(sizes) - np.mean(sizes)
        alike = [np.mean(off[: 80 - lag] * off[lag:]) / np.mean(off**2) for lag in range(70)]
        forgotten = next((lag for lag, one in enumerate(alike) if one < math.exp(-1)), 70)
        assert low <= forgotten <= high, (rows, forgotten)


@claim("ising", "about one in four chains of 16×16 spins changes it within 1500 sweeps")
def _() -> None:
    rng, spins = np.random.default_rng(4), np.ones((100, 16, 16), dtype=int)
    changed = np.zeros(100, dtype=bool)
    for _ in range(1500):
        swept(spins, 2.2, rng, False)
        changed |= spins.mean(axis=(1, 2)) < 0
    assert 0.15 < changed.mean() < 0.38, changed.mean()


@claim("ising", "and more than half do if they come in a fixed order")
def _() -> None:
    of, rng = figures("ising"), np.random.default_rng(3)
    signs = np.sign(of.chains(np.full(60, 2.2), rng, 0, 10, 150).mean(axis=(2, 3)))
    changed = np.mean((signs == -signs[:, :1]).any(axis=1))
    assert 0.5 < changed < 0.95, changed


class OtherClassifier(nn.Module):
    """A plain right IsingClassifier, other than the reference's."""

    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(input_dim, 64), nn.Linear(64, 32), nn.Linear(32, 2)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(torch.relu(self.b(self.drop(torch.relu(self.a(x))))))


@claim("ising", "It tells more than a fifth of the new chains wrong, and its own test part")
def _() -> None:
    for classifier in (ising.IsingClassifier, OtherClassifier):
        found = [figures("ising").asked_twice(classifier, seed, True) for seed in range(8)]
        own, new, by_hand = np.array(found).T
        assert np.any((new > 0.2) & (own < 0.05)), classifier
        assert np.any(own > new), "nowhere does the test part say too many"
        assert by_hand.mean() < np.median(new), classifier


# ------------------------------------------------------------------------------- training


@claim("training", "The true sine would score about that, 0.088 on just these two hundred readings")
def _() -> None:
    x, y = figures("training").readings(200, seed=102)
    truth = torch.sin(x * math.pi / math.sqrt(3))
    score = min(float(torch.mean((sign * truth - y) ** 2)) for sign in (1, -1))
    assert f"{score:.3f}" == "0.088"


@claim("training", "half of all corners start at negative $x$")
def _() -> None:
    torch.manual_seed(1)
    first = next(m for m in training.MLP(1, [20_000], 1).modules() if isinstance(m, nn.Linear))
    corners = (-first.bias / first.weight[:, 0]).detach()
    assert abs((corners < 0).double().mean() - 0.5) < 0.02
    assert abs(((corners > 0) & (corners < 1)).double().mean() - 0.25) < 0.02


@claim("training", "keeps all digits of either")
def _() -> None:
    for kind in (torch.float32, torch.float64):
        x = torch.linspace(1, 3, 200, dtype=kind)
        exact = 3 * x.double() ** 2 + 2
        error = (training.derivative(lambda x: x**3 + 2 * x, x) - exact).abs() / exact
        assert error.max() < 3 * torch.finfo(kind).eps


# ----------------------------------------------------------------------------------- pinn


@claim("pinn", "to $10^{-11}$")
def _() -> None:
    assert recipes.twenty_periods_better(0) < 1e-11


@claim("pinn", "random features with one least squares win as soon as many digits are wanted")
def _() -> None:
    of = figures("pinn")
    u = of.rod_of_random_features(400, seed=0)
    x, t = np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21))
    assert np.abs(u(x, t) - of._rod(x, t)).max() < 1e-12


@claim("pinn", "three quarters of the bending that the networks can offer")
def _() -> None:
    torch.manual_seed(2)
    t, bending = torch.linspace(0, 2 * math.pi, 241).double()[:, None], []
    for _ in range(60):
        layers = nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        with torch.no_grad():
            values = nn.Sequential(*layers).double()(t)[:, 0].numpy()
        bending.append(np.abs(np.diff(values / values.std(), 2)))
    total = np.sum(bending, axis=0)
    assert 0.7 < total[:80].sum() / total.sum() < 0.8


@claim("pinn", "*The last layer* gains")
def _() -> None:
    of = figures("pinn")
    t = of._expected()["oscillator t"]
    found = of.ladder(pinn.last_layer, 2, 100)
    errors = {name: np.abs(x - np.cos(2 * t)).max(axis=1) for name, (x, _) in found.items()}
    assert np.all(errors["last layer"] < 1e-6 * errors["L-BFGS"])


@claim("pinn", "and gets one of them there")
def _() -> None:
    of = figures("pinn")
    t = of._expected()["oscillator t"]
    network = of._Oscillators([1], True, False, torch.float32)
    adam = torch.optim.Adam(network.parameters, lr=5e-3)
    points = torch.linspace(0, of.OSCILLATOR_END, 100).reshape(-1, 1)
    for _ in range(2000):
        adam.zero_grad()
        network.loss(points).backward()
        adam.step()
    assert np.abs(network.motions(t) - np.cos(2 * t)).max() < 0.1


@pytest.mark.parametrize(
    ("assignment", "sentence", "computed"),
    CLAIMS,
    ids=[f"{assignment}: {sentence[:40]}" for assignment, sentence, _ in CLAIMS],
)
def test_what_is_claimed_is_true(
    assignment: str, sentence: str, computed: Callable[[], None]
) -> None:
    words = re.sub(r"\s+", " ", sentence)
    assert words in prose(assignment), f"{assignment} no longer says: {sentence}"
    computed()
