"""The reference of lennard_jones against oracles that know nothing of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.lj import LennardJones
from draws import seeded
from scipy.integrate import solve_ivp
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation
from scipy.stats import kstest
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from autograder.checks import test_lennard_jones as checks
from reference_impl import lennard_jones as lj

R_MIN = 2 ** (1 / 6)


def cluster(rng: np.random.Generator, n_atoms: int) -> np.ndarray:
    return lj.sample_clusters(1, n_atoms, 0.9, rng, scale=1.0)[0]


def ase(positions: np.ndarray, epsilon: float, sigma: float) -> tuple[float, np.ndarray]:
    """Without ASE's default cut-off, which truncates the potential and shifts it."""
    atoms = Atoms(f"Ar{len(positions)}", positions=positions)
    atoms.calc = LennardJones(epsilon=epsilon, sigma=sigma, rc=1e6)
    return atoms.get_potential_energy(), atoms.get_forces()


# ---------------------------------------------------------------------------- two atoms


@pytest.mark.parametrize(("epsilon", "sigma"), [(1.0, 1.0), (0.0104, 3.4), (7.0, 0.3)])
def test_the_potential_has_the_textbook_s_features(epsilon: float, sigma: float) -> None:
    assert lj.lj_potential(R_MIN * sigma, epsilon, sigma) == pytest.approx(-epsilon)
    assert lj.lj_potential(sigma, epsilon, sigma) == 0
    assert lj.lj_force(R_MIN * sigma, epsilon, sigma) == pytest.approx(0, abs=1e-12 / sigma)
    strongest = (26 / 7) ** (1 / 6) * sigma
    near = lj.lj_force(strongest * np.array([0.999, 1.0, 1.001]), epsilon, sigma)
    assert near[1] < near[0]
    assert near[1] < near[2]


def test_the_force_is_minus_the_slope(rng: np.random.Generator) -> None:
    r, h = rng.uniform(0.8, 3.5, 100), 1e-5
    for epsilon, sigma in ((1.0, 1.0), (2.0, 1.1)):
        up, down = (lj.lj_potential(r + way * h, epsilon, sigma) for way in (1, -1))
        slope = (up - down) / (2 * h)
        np.testing.assert_allclose(lj.lj_force(r, epsilon, sigma), -slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [lj.lj_potential, lj.lj_force])
def test_a_number_gives_a_number_and_an_array_its_shape(function) -> None:
    assert isinstance(function(1.3), float)
    for shape in ((), (0,), (4,), (2, 3), (2, 1, 3)):
        assert np.shape(function(np.full(shape, 1.3))) == shape


# ----------------------------------------------------------------------------- clusters


@pytest.mark.parametrize("n_atoms", [2, 3, 5, 13])
@pytest.mark.parametrize(("epsilon", "sigma"), [(1.0, 1.0), (2.5, 1.2)])
def test_energy_and_forces_are_ase_s(
    n_atoms: int, epsilon: float, sigma: float, rng: np.random.Generator
) -> None:
    positions = lj.sample_clusters(1, n_atoms, 0.8, rng, scale=1.5)[0] * sigma
    energy, forces = ase(positions, epsilon, sigma)
    assert lj.cluster_energy(positions, epsilon, sigma) == pytest.approx(energy, rel=1e-12)
    ours = lj.cluster_forces(positions, epsilon, sigma)
    np.testing.assert_allclose(ours, forces, rtol=1e-9, atol=1e-10 * np.abs(forces).max())


# The Cambridge Cluster Database.
MINIMA = {2: -1.0, 3: -3.0, 4: -6.0, 5: -9.103852, 6: -12.712062, 7: -16.505384}


@pytest.mark.parametrize("n_atoms", MINIMA)
def test_minimising_the_energy_with_the_forces_finds_the_known_minimum(
    n_atoms: int, rng: np.random.Generator
) -> None:
    starts = list(lj.sample_clusters(12, n_atoms, 0.8, rng, scale=0.9))
    if n_atoms == 6:  # the octahedron is rarely found from random starts
        starts = [np.vstack([np.eye(3), -np.eye(3)]) + rng.normal(0, 0.05, (6, 3))]
    found = []
    for start in starts:
        result = minimize(
            lambda x: lj.cluster_energy(x.reshape(-1, 3)),
            start.ravel(),
            jac=lambda x: -lj.cluster_forces(x.reshape(-1, 3)).ravel(),
            method="BFGS",
        )
        found.append(result.fun)
    assert min(found) == pytest.approx(MINIMA[n_atoms], abs=2e-6)


def test_thirteen_atoms_are_an_icosahedron() -> None:
    golden = (1 + 5**0.5) / 2
    edge = [(0, a, b * golden) for a in (1, -1) for b in (1, -1)]
    shape = np.array([(0, 0, 0), *(np.roll(x, turn) for x in edge for turn in range(3))])
    best = minimize(lambda scale: lj.cluster_energy(scale[0] * shape), [0.6], tol=1e-12)
    positions = best.x[0] * shape
    assert lj.cluster_energy(positions) == pytest.approx(-44.326801, abs=1e-6)
    np.testing.assert_allclose(lj.cluster_forces(positions), 0, atol=1e-4)
    assert ase(positions, 1.0, 1.0)[0] == pytest.approx(-44.326801, abs=1e-6)


def test_forces_are_minus_the_gradient(rng: np.random.Generator) -> None:
    positions, h = cluster(rng, 5), 1e-5
    numerical = np.zeros((5, 3))
    for index in np.ndindex(5, 3):
        step = np.zeros((5, 3))
        step[index] = h
        difference = lj.cluster_energy(positions + step) - lj.cluster_energy(positions - step)
        numerical[index] = -difference / (2 * h)
    np.testing.assert_allclose(lj.cluster_forces(positions), numerical, rtol=1e-6, atol=1e-6)


def test_a_turn_a_shift_and_new_numbers_change_what_they_should(rng: np.random.Generator) -> None:
    positions = cluster(rng, 6)
    turn = Rotation.random(random_state=3).as_matrix()
    order = rng.permutation(6)
    moved = (positions @ turn.T + rng.normal(size=3))[order]
    np.testing.assert_allclose(lj.pairwise_distances(moved), lj.pairwise_distances(positions))
    assert lj.cluster_energy(moved) == pytest.approx(lj.cluster_energy(positions))
    forces = lj.cluster_forces(positions)
    np.testing.assert_allclose(lj.cluster_forces(moved), (forces @ turn.T)[order], atol=1e-9)
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(np.cross(positions, forces).sum(axis=0), 0, atol=1e-10)


def test_distances_are_scipy_s_sorted(rng: np.random.Generator) -> None:
    for n_atoms in (2, 3, 9):
        positions = rng.normal(size=(n_atoms, 3))
        np.testing.assert_allclose(lj.pairwise_distances(positions), np.sort(pdist(positions)))


def test_one_atom_has_no_pairs() -> None:
    alone = np.ones((1, 3))
    assert lj.pairwise_distances(alone).shape == (0,)
    assert lj.cluster_energy(alone) == 0
    np.testing.assert_array_equal(lj.cluster_forces(alone), np.zeros((1, 3)))


# --------------------------------------------------------------------------------- data


def test_clusters_are_normal_where_nothing_is_rejected() -> None:
    clusters = lj.sample_clusters(700, 3, 0.0, np.random.default_rng(5), scale=1.3)
    assert clusters.shape == (700, 3, 3)
    assert kstest(clusters.ravel() / 1.3, "norm").pvalue > 1e-3  # this seed gives 0.15


def test_rejected_clusters_are_those_of_one_large_sample(rng: np.random.Generator) -> None:
    ours = lj.sample_clusters(1500, 4, 0.9, rng)
    drawn = rng.normal(0, 0.8, (8000, 4, 3))
    kept = np.array([x for x in drawn if pdist(x).min() >= 0.9])
    for feature in (lambda x: pdist(x).max(), lambda x: np.linalg.norm(x[0])):
        one, other = ([feature(x) for x in clusters] for clusters in (ours, kept))
        error = np.hypot(np.std(one) / len(one) ** 0.5, np.std(other) / len(other) ** 0.5)
        assert abs(np.mean(one) - np.mean(other)) < 5 * error
    assert min(pdist(x).min() for x in ours) >= 0.9


def test_no_cluster_is_an_array_too(rng: np.random.Generator) -> None:
    assert lj.sample_clusters(0, 4, 0.9, rng).shape == (0, 4, 3)


def test_standardise_is_scikit_learn_s(rng: np.random.Generator) -> None:
    train, test = rng.normal(5, 3, (30, 4)), rng.normal(5, 3, (10, 4))
    train[:, 2] = test[:, 2] = 0.1  # its rounded mean is not 0.1, its deviation not quite zero
    scaler = StandardScaler().fit(train)
    train_n, test_n, mean, std = lj.standardise(train, test)
    np.testing.assert_allclose(train_n, scaler.transform(train), atol=1e-12)
    np.testing.assert_allclose(test_n, scaler.transform(test), atol=1e-12)
    np.testing.assert_allclose(mean, scaler.mean_)
    np.testing.assert_allclose(std, scaler.scale_)


# ----------------------------------------------------------------------------- networks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("double", [False, True])
def test_the_network_takes_and_gives_either_precision(dtype: torch.dtype, double: bool) -> None:
    model = lj.NNPotential(8).double() if double else lj.NNPotential(8)
    V, F = lj.energy_and_force(model, torch.full((3, 1), 1.5, dtype=dtype))
    assert (V.dtype, F.dtype, V.shape, F.shape) == (dtype, dtype, (3, 1), (3, 1))


def test_the_force_and_its_gradient_are_finite_differences_of_the_energy() -> None:
    torch.manual_seed(0)
    model = lj.NNPotential(16).double()
    r, h = torch.linspace(0.9, 3.5, 20, dtype=torch.float64)[:, None], 1e-5

    def force(x: torch.Tensor) -> torch.Tensor:
        return lj.energy_and_force(model, x)[1]

    with torch.no_grad():
        slope = (model(r + h) - model(r - h)) / (2 * h)
    torch.testing.assert_close(force(r).detach(), -slope, rtol=1e-7, atol=1e-8)
    weights = model.hidden[0].weight
    (gradient,) = torch.autograd.grad((force(r) ** 2).sum(), weights)
    for index in range(3):
        values = []
        for way in (1, -1):
            with torch.no_grad():
                weights[index, 0] += way * h
            values.append(float((force(r).detach() ** 2).sum()))
            with torch.no_grad():
                weights[index, 0] -= way * h
        assert float(gradient[index, 0]) == pytest.approx((values[0] - values[1]) / (2 * h), 1e-5)


def test_energy_and_force_touches_nothing() -> None:
    model, r = lj.NNPotential(8), torch.rand(5, 1) + 1
    lj.energy_and_force(model, r)
    assert not r.requires_grad
    assert r.grad is None
    assert all(weights.grad is None for weights in model.parameters())
    leaf = r.clone().requires_grad_()
    lj.energy_and_force(model, leaf)
    assert leaf.grad is None


def test_the_loss_is_torch_s(rng: np.random.Generator) -> None:
    V, Vt, F, Ft = (torch.tensor(rng.normal(size=(9, 1))) for _ in range(4))
    mse = torch.nn.functional.mse_loss
    for weight in (0.0, 0.3, 1.0):
        expected = mse(V, Vt) + weight * mse(F, Ft)
        torch.testing.assert_close(lj.force_matching_loss(V, Vt, F, Ft, weight), expected)


# ----------------------------------------------------------------------------- training


def pair_data(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inner = np.random.default_rng(seed).uniform(0.95, 3.5, count - 2)
    r = np.concatenate([[0.95, 3.5], inner])[:, None]
    return r, lj.lj_potential(r), lj.lj_force(r)


@pytest.mark.parametrize("seed", range(4))
def test_the_potential_reaches_the_target(seed: int) -> None:
    model = lj.train_potential(*pair_data(seed, 200), epochs=300, generator=seeded(seed))
    r = torch.linspace(0.95, 3.5, 1001, dtype=torch.float64)[:, None]
    V, F = lj.energy_and_force(model, r)
    assert float(torch.mean((V.detach() - lj.lj_potential(r)) ** 2)) < 1e-12
    assert float(torch.mean((F.detach() - lj.lj_force(r)) ** 2)) < 1e-10
    assert not model.training


def cluster_data(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    clusters = lj.sample_clusters(count, 4, 0.8, np.random.default_rng(seed))
    distances = np.array([lj.pairwise_distances(x) for x in clusters])
    return distances, np.array([lj.cluster_energy(x) for x in clusters])


@pytest.mark.parametrize("seed", range(3))
def test_the_cluster_model_reaches_the_target_on_bound_clusters_too(seed: int) -> None:
    distances, energies = cluster_data(seed, 1600)
    predict = lj.train_cluster_model(
        distances[:800], energies[:800], epochs=500, generator=seeded(seed)
    )
    exact, predicted = energies[800:], predict(distances[800:])
    for some in (np.full(len(exact), True), exact < 0):
        assert r2_score(exact[some], predicted[some]) > 0.9998


def test_training_takes_arrays_and_tensors_and_leaves_them_alone() -> None:
    r, V, F = pair_data(0, 20)
    distances, energies = cluster_data(0, 30)
    columns, rows = [r, V, F], [distances, energies]
    before = [x.copy() for x in columns + rows]
    at = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    curves, predictions = [], []
    for convert in (np.asarray, torch.from_numpy):
        model = lj.train_potential(*map(convert, columns), epochs=9, generator=seeded(1))
        curves.append(model(at).detach().numpy())
        predict = lj.train_cluster_model(*map(convert, rows), epochs=9, generator=seeded(1))
        predictions.append(predict(convert(distances[:4])))
    np.testing.assert_array_equal(*curves)
    np.testing.assert_array_equal(*predictions)
    for now, then in zip(columns + rows, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_training_depends_on_the_generator_alone() -> None:
    columns, rows = pair_data(0, 20), cluster_data(0, 30)
    at = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    found = []
    for state, seed in ((1, 5), (2, 5), (2, 6)):
        torch.manual_seed(state)
        curve = lj.train_potential(*columns, epochs=3, generator=seeded(seed))(at)
        torch.manual_seed(state)
        predict = lj.train_cluster_model(*rows, epochs=3, generator=seeded(seed))
        found.append([*curve.detach().ravel().tolist(), *predict(rows[0][:3]).tolist()])
    assert found[0] == found[1]
    assert found[0] != found[2]


# ------------------------------------------------------------------------------- motion


def verlet(
    x: np.ndarray,
    acceleration: Callable[[np.ndarray], np.ndarray],
    energy: Callable[[np.ndarray, np.ndarray], float],
    dt: float,
    steps: int,
) -> tuple[np.ndarray, float]:
    """Where velocity Verlet leads from rest, and how far the energy strays on the way."""
    v, a = np.zeros_like(x), acceleration(x)
    energies = [energy(x, v)]
    for _ in range(steps):
        x = x + v * dt + a * dt**2 / 2
        before, a = a, acceleration(x)
        v = v + (before + a) * dt / 2
        energies.append(energy(x, v))
    return x, float(np.ptp(energies))


def solved(x: np.ndarray, acceleration: Callable[[np.ndarray], np.ndarray], t: float) -> np.ndarray:
    def flow(_: float, state: np.ndarray) -> np.ndarray:
        position, velocity = state.reshape(2, *x.shape)
        return np.concatenate([velocity.ravel(), acceleration(position).ravel()])

    start = np.concatenate([x.ravel(), np.zeros(x.size)])
    return solve_ivp(flow, (0, t), start, rtol=1e-10, atol=1e-12).y[: x.size, -1].reshape(x.shape)


def test_a_cluster_let_go_keeps_its_energy() -> None:
    corners = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    start = 1.2 / 8**0.5 * corners + np.array([[0.05, 0, 0], [0] * 3, [0] * 3, [0] * 3])
    strays = []
    for steps in (200, 400):
        end, stray = verlet(
            start,
            lj.cluster_forces,
            lambda x, v: float(np.sum(v**2) / 2) + lj.cluster_energy(x),
            2.0 / steps,
            steps,
        )
        strays.append(stray)
    assert strays[1] < 2e-3
    assert strays[0] / strays[1] == pytest.approx(4, rel=0.1)  # second order in the time step
    np.testing.assert_allclose(end, solved(start, lj.cluster_forces, 2.0), atol=1e-3)


def test_learned_forces_keep_the_learned_energy_and_lead_the_same_way() -> None:
    model = lj.train_potential(*pair_data(0, 200), epochs=300, generator=seeded(0))

    def learned(r: np.ndarray) -> list[np.ndarray]:
        return [x.detach().numpy() for x in lj.energy_and_force(model, torch.from_numpy(r))]

    start = np.array([[1.4]])  # two atoms of mass 1: their distance has the mass 1/2
    end, stray = verlet(
        start,
        lambda r: 2 * learned(r)[1],
        lambda r, v: float((v**2 / 4 + learned(r)[0]).item()),
        0.005,
        800,
    )
    assert stray < 2e-3
    exact = solved(start, lambda r: 2 * lj.lj_force(r), 4.0)
    np.testing.assert_allclose(end, exact, atol=2e-3)


# --------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    assert lj.lj_force(1.0) == 24
    three = np.array([[0.0, 0, 0], [0, 4, 0], [3, 0, 0]])
    np.testing.assert_allclose(lj.pairwise_distances(three), [3, 4, 5])
    forces = lj.cluster_forces(np.array([[0.0, 0, 0], [1, 0, 0]]))
    np.testing.assert_allclose(forces, [[-24, 0, 0], [24, 0, 0]])
    scaled = lj.standardise(np.array([[1.0], [3.0]]), np.array([[5.0]]))
    for value, expected in zip(scaled, ([[-1], [1]], [[3]], [2], [1]), strict=True):
        np.testing.assert_allclose(value, expected)
    V, F = lj.energy_and_force(lambda r: r**2, torch.tensor([[3.0]]))
    assert (V.item(), F.item()) == (9, -6)
    zero, one, two = torch.zeros(4, 1), torch.ones(4, 1), 2 * torch.ones(4, 1)
    assert lj.force_matching_loss(zero, one, zero, two, 0.5).item() == 3


def test_the_docstrings_name_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    text = inspect.getdoc(lj.train_potential)
    assert text is not None
    for said in (
        f"epochs = {limits['EPOCHS_POTENTIAL']}.",
        f"below {limits['ENERGY_LIMIT']} ε²",
        f"{limits['FORCE_LIMIT']} (ε/σ)²",
        f"to {100 * limits['SLOPE_LIMIT']:.0f} %",
    ):
        assert said in " ".join(text.split())
    text = inspect.getdoc(lj.train_cluster_model)
    assert text is not None
    assert f"epochs = {limits['EPOCHS_CLUSTERS']};" in text
    assert f"R² has to be above {limits['R2_LIMIT']}" in " ".join(text.split())
    r = np.linspace(0.95, 3.5, 401)
    for seed in range(50):
        law = checks._Law(np.random.default_rng(seed), 0.95)
        assert limits["FORCE_LIMIT"] < np.mean(law.force(r) ** 2) / 8  # "at most an eighth"
