"""The reference of ising against oracles that know nothing of it, and the faults it avoids."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
import torch
from coursekit.ising_data import ising_configurations
from scipy.optimize import brentq
from scipy.signal import convolve2d
from scipy.special import ellipk
from scipy.stats import chisquare

from autograder.checks import test_ising as checks
from autograder.course import load_assignment
from reference_impl import ising

T_C = 2 / np.log(1 + np.sqrt(2))
CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def random_spins(rng: np.random.Generator, L: int, dtype: type = np.int8) -> np.ndarray:
    return rng.choice([-1, 1], size=(L, L)).astype(dtype)


def neighbours(spins: np.ndarray) -> np.ndarray:
    return convolve2d(spins.astype(int), CROSS, mode="same", boundary="wrap")


def energies(spins: np.ndarray) -> np.ndarray:
    """Of many lattices."""
    spins = spins.astype(int)
    return -(spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2))).sum((1, 2))


class States(NamedTuple):
    """All states of a small lattice."""

    spins: np.ndarray
    energy: np.ndarray
    order: np.ndarray

    def probability(self, T: float) -> np.ndarray:
        weights = np.exp(-(self.energy - self.energy.min()) / T)
        return weights / weights.sum()

    def moments(self, T: float, values: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation."""
        mean = float(np.average(values, weights=self.probability(T)))
        return mean, float(np.average((values - mean) ** 2, weights=self.probability(T)) ** 0.5)


@functools.cache
def states(L: int) -> States:
    bits = (np.arange(2 ** (L * L))[:, None] >> np.arange(L * L)) & 1
    spins = (2 * bits - 1).reshape(-1, L, L).astype(np.int8)
    return States(spins, energies(spins), np.abs(spins.mean((1, 2))))


def kaufman(L: int, T: float) -> tuple[float, float]:
    """Mean and standard deviation of the energy of a periodic L×L lattice (Kaufman 1949)."""

    def log_partition(K: float) -> float:
        angle = np.pi * np.arange(2 * L) / L
        gamma = np.arccosh(np.cosh(2 * K) / np.tanh(2 * K) - np.cos(angle))
        gamma[0] = 2 * K + np.log(np.tanh(K))
        odd, even = gamma[1::2] * L / 2, gamma[::2] * L / 2
        growth = np.sum(np.logaddexp(odd, -odd))
        ratio = np.exp(np.sum(np.logaddexp(even, -even)) - growth)
        four = 1 + np.prod(np.tanh(odd)) + ratio * (1 + np.prod(np.tanh(even)))
        return L * L / 2 * np.log(2 * np.sinh(2 * K)) + growth + np.log(four / 2)

    h = 1e-3
    below, here, above = (log_partition(1 / T + step) for step in (-h, 0, h))
    return -(above - below) / (2 * h), ((above - 2 * here + below) / h**2) ** 0.5


def onsager(T: float) -> float:
    """The energy per spin of the infinite lattice."""
    K = 1 / T
    k = 2 * np.sinh(2 * K) / np.cosh(2 * K) ** 2
    return float(-(1 + 2 / np.pi * (2 * np.tanh(2 * K) ** 2 - 1) * ellipk(k**2)) / np.tanh(2 * K))


def yang(T: float) -> float:
    return float((1 - np.sinh(2 / T) ** -4) ** 0.125) if T < T_C else 0.0


# ------------------------------------------------------------------------------ energies


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("L", [2, 3, 8, 16, 33])
def test_energies_are_those_of_scipy_s_convolution(
    L: int, dtype: type, rng: np.random.Generator
) -> None:
    for spins in (random_spins(rng, L, dtype), np.ones((L, L), dtype=dtype)):
        before = spins.copy()
        assert ising.energy(spins) == -0.5 * np.sum(spins.astype(int) * neighbours(spins))
        assert ising.magnetisation(spins) == pytest.approx(spins.astype(float).mean())
        for i, j in rng.integers(L, size=(6, 2)):
            cost = 2 * int(spins[i, j]) * neighbours(spins)[i, j]
            assert ising.energy_change(spins, i, j) == cost
        np.testing.assert_array_equal(spins, before)


def test_every_flip_of_every_3_by_3_state_costs_the_difference() -> None:
    for bits in itertools.product((-1, 1), repeat=9):
        spins = np.array(bits).reshape(3, 3)
        before = ising.energy(spins)
        for i, j in np.ndindex(3, 3):
            flipped = spins.copy()
            flipped[i, j] *= -1
            assert ising.energy_change(spins, i, j) == ising.energy(flipped) - before


# ---------------------------------------------------------------------------- Metropolis


def test_acceptance_is_the_minimum_and_never_overflows() -> None:
    delta_e = np.array([[-1e6, -8, -1e-9, 0.0], [1e-9, 4, 8, 1e6]])
    p = ising.acceptance_probability(delta_e, 0.5)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(p, np.minimum(1, np.exp(-delta_e / 0.5)))
    assert float(ising.acceptance_probability(-(10**6), 0.01)) == 1
    assert ising.acceptance_probability(np.ones((3, 1)), np.ones(4)).shape == (3, 4)


def test_random_sites_keep_the_boltzmann_distribution_exactly() -> None:
    """The whole transition matrix of a 3×3 lattice: π P = π, with a single unit eigenvalue."""
    T, found = 2.1, states(3)
    P = np.zeros((512, 512))
    for a, (i, j) in itertools.product(range(512), np.ndindex(3, 3)):
        b = a ^ (1 << (3 * i + j))
        spins = found.spins[a].copy()
        p = float(ising.acceptance_probability(ising.energy_change(spins, i, j), T))
        P[a, b] = p / 9
        u = p - 1e-9
        assert ising.metropolis_step(spins, i, j, T, u)
        np.testing.assert_array_equal(spins, found.spins[b])
        if p < 1:
            spins = found.spins[a].copy()
            assert not ising.metropolis_step(spins, i, j, T, p + 1e-9)
            np.testing.assert_array_equal(spins, found.spins[a])
    P[np.diag_indices(512)] = 1 - P.sum(axis=1)
    boltzmann = found.probability(T)
    np.testing.assert_allclose(boltzmann @ P, boltzmann, atol=1e-15)
    sizes = np.sort(np.abs(np.linalg.eigvals(P)))
    assert sizes[-1] == pytest.approx(1)
    assert sizes[-2] < 0.999


def test_a_step_returns_a_bool_and_works_in_place() -> None:
    spins = np.ones((4, 4), dtype=np.int8)
    assert ising.metropolis_step(spins, 3, 0, 4.0, 0.1) is True
    assert spins[3, 0] == -1
    assert ising.metropolis_step(np.ones((4, 4)), 3, 0, 4.0, 0.2) is False


@pytest.mark.parametrize("L", [3, 4])
def test_sweeps_visit_energies_as_often_as_boltzmann_says(L: int, rng: np.random.Generator) -> None:
    """Every twelfth sweep is as good as independent; the seed is fixed."""
    T, found = 2.8, states(L)
    spins, seen = random_spins(rng, L), []
    for _ in range(600):
        for _ in range(12):
            accepted = ising.metropolis_sweep(spins, T, rng)
        seen.append(ising.energy(spins))
    assert isinstance(accepted, int)
    levels, weights = np.unique(found.energy), found.probability(T)
    expected = 600 * np.array([weights[found.energy == level].sum() for level in levels])
    counts = np.array([np.sum(np.array(seen) == level) for level in levels], dtype=float)
    rare = expected < 10
    expected = np.append(expected[~rare], expected[rare].sum())
    counts = np.append(counts[~rare], counts[rare].sum())
    assert chisquare(counts, expected).pvalue > 1e-3


# ------------------------------------------------------------------------------- oracles


@pytest.mark.parametrize("T", [1.2, 1.7, 2.0, T_C + 1e-3, 2.5, 3.0, 7.0])
def test_kaufman_s_formula_is_the_sum_over_all_states(T: float) -> None:
    for L in (3, 4):
        moments = states(L).moments(T, states(L).energy)
        assert kaufman(L, T) == pytest.approx(moments, rel=1e-3)


def test_the_hidden_checks_oracles_are_these() -> None:
    """In a process of its own: the checks use marks that are not this suite's."""
    code = (
        "import json; from autograder.checks.test_ising import exact, kaufman; "
        "print(json.dumps([kaufman(7, 2.3), kaufman(8, 2.0), exact(4, 2.5, 'energy'),"
        " exact(4, 2.5, 'order'), exact(3, 2.0, 'energy')]))"
    )
    command = [sys.executable, "-c", code]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    four, three = states(4), states(3)
    for values, expected in zip(
        found,
        (
            kaufman(7, 2.3),
            kaufman(8, 2.0),
            four.moments(2.5, four.energy),
            four.moments(2.5, four.order),
            three.moments(2.0, three.energy),
        ),
        strict=True,
    ):
        assert values == pytest.approx(expected, rel=1e-3)


def test_kaufman_approaches_onsager_and_is_far_from_it_at_16() -> None:
    for T in (1.5, 2.0, 2.7, 4.0):
        assert kaufman(32, T)[0] / 32**2 == pytest.approx(onsager(T), abs=1e-4)
    # A perfect sampler of 16×16 spins would fail against the infinite lattice.
    assert kaufman(16, 2.5)[0] / 256 < onsager(2.5) - 0.015


@pytest.mark.parametrize(
    ("T", "limit"),
    [(2.0, 0.01), (2.5, 0.02), (3.0, 0.01)],
)
def test_sampled_energies_are_kaufman_s(T: float, limit: float, rng: np.random.Generator) -> None:
    spins = ising.sample_configurations(16, T, 64 * 12, rng, 200, 30)
    mean, spread = kaufman(16, T)
    found = energies(spins)
    assert abs(found.mean() - mean) / 256 < limit
    assert abs(found.mean() - mean) < 5 * spread / np.sqrt(64 * 8)
    assert found.std() == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("L", [5, 7])
def test_odd_lattices_are_sampled_too(L: int, rng: np.random.Generator) -> None:
    for T in (1.8, 3.2):
        found = energies(ising.sample_configurations(L, T, 64 * 40, rng, 100, 15))
        mean, spread = kaufman(L, T)
        assert abs(found.mean() - mean) < 5 * spread / np.sqrt(64 * 40)


@pytest.mark.parametrize("L", [3, 4])
@pytest.mark.parametrize("T", [1.5, 2.269, 3.5])
def test_energy_and_order_of_small_lattices_are_exact(
    L: int, T: float, rng: np.random.Generator
) -> None:
    spins = ising.sample_configurations(L, T, 64 * 80, rng, 60, 15)
    orders = np.abs(spins.astype(int).mean((1, 2)))
    for values, exact in ((energies(spins), states(L).energy), (orders, states(L).order)):
        mean, spread = states(L).moments(T, exact)
        assert abs(values.mean() - mean) < 5 * spread / np.sqrt(64 * 80)


# -------------------------------------------------------------------------------- faults


def test_the_cold_does_not_freeze_in_stripes(rng: np.random.Generator) -> None:
    """A random start may stay in stripes for long; order of a random sign is right at once."""
    T = 1.2
    spins = ising.sample_configurations(32, T, 60, rng, 100, 10).astype(int)
    order = spins.mean((1, 2))
    assert np.abs(order).min() > 0.97
    assert np.abs(order).mean() == pytest.approx(yang(T), abs=1e-3)
    assert 10 < (order > 0).sum() < 50

    frozen = 0
    for _ in range(5):
        quenched = random_spins(rng, 24)
        for _ in range(100):
            ising.metropolis_sweep(quenched, 0.8, rng)
        frozen += abs(ising.magnetisation(quenched)) < 0.9
    assert frozen > 0


def test_samples_are_copies_of_chains_that_follow_one_another(rng: np.random.Generator) -> None:
    spins = ising.sample_configurations(8, 1.5, 640, rng, 50, 5)
    signs = np.sign(spins.astype(int).sum((1, 2))).reshape(64, 10)
    assert (signs == signs[:, :1]).all()  # ten samples of each chain, then the next chain
    assert len(np.unique(spins.reshape(640, -1), axis=0)) > 100
    assert spins.dtype == np.int8
    assert ising.sample_configurations(6, 3.0, 5, rng, 2, 1).shape == (5, 6, 6)


def test_random_numbers_come_from_rng_alone() -> None:
    found = []
    for state, seed in ((1, 5), (2, 5), (2, 6)):
        np.random.seed(state)  # noqa: NPY002 – what must not matter
        own = np.random.default_rng(seed)
        spins = ising.sample_configurations(6, 2.5, 3, own, 5, 2)
        swept = np.ones((6, 6))
        ising.metropolis_sweep(swept, 3.0, own)
        found.append((spins.tolist(), swept.tolist()))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1] != found[2][1]


def labelled(
    L: int, samples: int, seed: int, near: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Independent configurations as rows, their classes and temperatures."""
    rng = np.random.default_rng(seed)
    if near:
        T = rng.uniform(1.2, 3.4, samples)
    else:
        cold = rng.random(samples) < 0.5
        T = np.where(cold, rng.uniform(1, 2, samples), rng.uniform(2.5, 4, samples))
    return ising_configurations(L, T, rng, 200).reshape(samples, -1), (T > T_C).astype(int), T


def trained(X: np.ndarray, y: np.ndarray, seed: int, epochs: int = 20) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = ising.IsingClassifier(X.shape[1])
    generator = torch.Generator().manual_seed(seed)
    ising.train_classifier(model, X, y, epochs=epochs, generator=generator)
    return model


def logits(model: torch.nn.Module, X: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor(X, dtype=torch.float32)).numpy()


def share(model: torch.nn.Module, X: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(logits(model, X).argmax(axis=1) == y))


def test_far_from_t_c_a_threshold_is_enough_and_near_it_is_not() -> None:
    """The honest control: far from T_c one number does what a network does."""
    for near, low, high in ((False, 0.99, 1.0), (True, 0.92, 0.97)):
        X, y, _ = labelled(16, 3000, 1, near)
        order = np.abs(X.mean(axis=1))
        best = max(np.mean((order < cut) == y) for cut in np.linspace(0.3, 0.9, 61))
        assert low < best <= high
        assert 0.4 < (X.mean(axis=1) > 0)[y == 0].mean() < 0.6  # both signs


def test_a_test_part_of_the_same_chains_flatters() -> None:
    """One chain at each temperature: twins in the test part, and new chains are harder."""
    rng, chains = np.random.default_rng(0), []
    temperatures = np.concatenate([np.linspace(1, 2, 6), np.linspace(2.5, 4, 6)])
    for T in temperatures:
        spins = np.full((16, 16), rng.choice([-1, 1]), dtype=np.int8)
        for sweep in range(130):
            ising.metropolis_sweep(spins, T, rng)
            if sweep >= 70 and sweep % 2 == 0:
                chains.append(spins.ravel().copy())
    X, T = np.array(chains), np.repeat(temperatures, 30)
    order = rng.permutation(len(X))
    train, own = order[:250], order[250:]
    known = {row.tobytes() for row in X[train]}
    assert np.mean([row.tobytes() in known for row in X[own]]) > 0.05
    model = trained(X[train], (T[train] > T_C).astype(int), 0)
    fresh_T = np.repeat(temperatures, 100)
    fresh = ising_configurations(16, fresh_T, rng).reshape(-1, 256)
    flattered = share(model, X[own], (T[own] > T_C).astype(int))
    assert flattered > share(model, fresh, (fresh_T > T_C).astype(int)) + 0.01


# ------------------------------------------------------------------------------- network


def test_the_classifier_has_its_layers_and_returns_logits() -> None:
    torch.manual_seed(0)
    model = ising.IsingClassifier(256)
    shapes = [tuple(weights.shape) for weights in model.parameters()]
    assert shapes == [(64, 256), (64,), (32, 64), (32,), (2, 32), (2,)]
    assert sum(weights.numel() for weights in model.parameters()) == 18594
    x = torch.randn(50, 256)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))
    assert (model(100 * x) < 0).any()
    assert (model(100 * x) > 1).any()
    assert model(x[:1]).shape == (1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_training_reaches_its_target_on_independent_chains(seed: int) -> None:
    X, y, _ = labelled(16, 1000, 10 + seed)
    unseen, classes, _ = labelled(16, 2000, 50 + seed)
    model = trained(X, y, seed)
    assert share(model, unseen, classes) > 0.97
    assert not model.training


def test_the_network_hardly_tells_up_from_down() -> None:
    X, y, _ = labelled(12, 1500, 3, near=True)
    model = trained(X, y, 3)
    unseen, _, _ = labelled(12, 500, 4, near=True)
    agree = logits(model, unseen).argmax(axis=1) == logits(model, -unseen).argmax(axis=1)
    assert agree.mean() > 0.93


def test_training_takes_arrays_and_tensors_and_depends_on_its_seeds() -> None:
    X, y, _ = labelled(6, 100, 5)
    found = []
    for data, seed in (
        ((X, y), 1),
        ((torch.tensor(X), torch.tensor(y)), 1),
        ((X.astype(np.float64), y.astype(np.int32)), 1),
        ((X, y), 2),
    ):
        before = [torch.as_tensor(one).clone() for one in data]
        torch.manual_seed(7)
        model = ising.IsingClassifier(36)
        generator = torch.Generator().manual_seed(seed)
        history = ising.train_classifier(model, *data, epochs=3, generator=generator)
        assert all(type(loss) is float for loss in history)
        for one, kept in zip(data, before, strict=True):
            assert torch.equal(torch.as_tensor(one), kept)
        found.append((history, logits(model, X[:5]).tolist()))
    assert found[0] == found[1] == found[2]
    assert found[0] != found[3]


# ------------------------------------------------------------------ critical temperature


def test_the_crossing_is_numpy_s_and_scipy_s(rng: np.random.Generator) -> None:
    for _ in range(20):
        T, p = np.sort(rng.uniform(1, 4, 9)), np.sort(rng.uniform(0, 1, 9))
        if not p[0] < 0.5 < p[-1]:
            continue
        found = ising.critical_temperature(T, p)
        assert found == pytest.approx(np.interp(0.5, p, T))
        assert found == pytest.approx(brentq(lambda t, T=T, p=p: np.interp(t, T, p) - 0.5, 1, 4))


def test_exactly_one_half_counts_and_no_crossing_is_an_error() -> None:
    T = np.array([2.0, 2.1, 2.2])
    assert ising.critical_temperature(T, np.array([0.1, 0.5, 0.9])) == 2.1
    assert ising.critical_temperature(T, np.array([0.5, 0.8, 0.9])) == 2.0
    assert ising.critical_temperature(list(T), [0.1, 0.2, 0.5]) == 2.2
    for p in ([0.1, 0.2, 0.3], [0.6, 0.7, 0.8], [0.4, 0.6, 0.4]):
        with pytest.raises(ValueError, match="crosses"):
            ising.critical_temperature(T, np.array(p))


# --------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold(rng: np.random.Generator) -> None:
    assert ising.magnetisation(np.array([[1, 1], [1, -1]])) == 0.5
    up = np.ones((4, 4), dtype=int)
    assert ising.energy(up) == -32
    assert {ising.energy_change(up, i, j) for i, j in np.ndindex(4, 4)} == {8}
    assert ising.acceptance_probability(4, 2.0) == pytest.approx(0.1353, abs=5e-5)
    assert ising.acceptance_probability(-4, 2.0) == 1
    assert ising.acceptance_probability(8, 4.0) == pytest.approx(0.1353, abs=5e-5)
    assert ising.metropolis_sweep(np.ones((5, 5)), 1e9, rng) == 25
    cold = ising.sample_configurations(8, 1.0, 100, rng)
    assert np.abs(cold.astype(int).mean((1, 2))).mean() == pytest.approx(0.999, abs=2e-3)
    crossing = ising.critical_temperature(np.array([2.0, 2.2, 2.4]), np.array([0.1, 0.4, 0.8]))
    assert crossing == pytest.approx(2.25)


def test_the_docstrings_name_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    text = " ".join((inspect.getdoc(ising.train_classifier) or "").split())
    for said in (
        f"hand over {limits['SAMPLES']} configurations",
        f"epochs = {limits['EPOCHS']}.",
        f"above {limits['FAR_LIMIT']} for 16×16",
        f"above {limits['SIDE_LIMIT']} of those up",
        f"above {limits['NEAR_LIMIT']} at temperatures from 1.2 to 3.4",
        f"below {limits['LOSS_LIMIT']}.",
    ):
        assert said in text
    for name, seconds in (("train_classifier", 90), ("sample_configurations", 120)):
        assert load_assignment("ising").exercise(name).seconds == seconds
        assert f"{seconds} s" in (inspect.getdoc(getattr(ising, name)) or "")
