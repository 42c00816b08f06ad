"""The reference of symmetry against oracles that know nothing of it."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.lj import LennardJones
from draws import seeded
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation
from scipy.stats import kstest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from autograder.checks import test_symmetry as checks
from autograder.course import load_assignment
from reference_impl import lennard_jones as lj
from reference_impl import symmetry

KINDS = ("sum", "mean", "max")


def clusters(seed: int, count: int, n_atoms: int) -> tuple[torch.Tensor, torch.Tensor]:
    positions = lj.sample_clusters(count, n_atoms, 0.9, np.random.default_rng(seed))
    energies = [lj.cluster_energy(one) for one in positions]
    return torch.tensor(positions), torch.tensor(energies, dtype=torch.float64)


# --------------------------------------------------------------------------------- pool


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pool_is_numpy_s_masked_reduction(
    kind: str, dtype: torch.dtype, rng: np.random.Generator
) -> None:
    x = rng.normal(-3, 2, (9, 5, 4))
    mask = np.arange(5) < rng.integers(1, 6, (9, 1))
    hidden = np.ma.array(x, mask=np.repeat(~mask[..., None], 4, axis=2))
    pooled = symmetry.pool(torch.tensor(x).to(dtype), torch.tensor(mask), kind)
    assert pooled.dtype == dtype
    np.testing.assert_allclose(pooled, getattr(hidden, kind)(axis=1).data, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [9e9, -9e9, math.inf, math.nan])
def test_padding_has_no_influence_on_values_or_gradients(
    kind: str, padding: float, rng: np.random.Generator
) -> None:
    x = torch.tensor(rng.normal(size=(2, 3, 2)))
    filled = torch.cat([x, torch.full((2, 2, 2), padding, dtype=x.dtype)], dim=1).requires_grad_()
    mask = torch.arange(5).expand(2, 5) < 3
    pooled = symmetry.pool(filled, mask, kind)
    torch.testing.assert_close(pooled, symmetry.pool(x, kind=kind))
    (gradient,) = torch.autograd.grad(pooled.sum(), filled)
    assert torch.isfinite(gradient).all()
    assert not gradient[:, 3:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_empty_set_pools_to_zeros(kind: str) -> None:
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    pooled = symmetry.pool(torch.full((2, 3, 4), 7.0), nothing, kind)
    torch.testing.assert_close(pooled, torch.zeros(2, 4))
    torch.testing.assert_close(symmetry.pool(torch.ones(2, 0, 4), kind=kind), torch.zeros(2, 4))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="median"):
        symmetry.pool(torch.ones(1, 2, 3), kind="median")


# ------------------------------------------------------------------------------ networks


@pytest.mark.parametrize("pooling", KINDS)
def test_deep_sets_are_invariant_to_a_millionth_in_single_precision(pooling: str) -> None:
    torch.manual_seed(0)
    model = symmetry.DeepSets(2, 32, 3, pooling)
    x = 3 * torch.randn(20, 9, 2)
    before = model(x)
    for seed in range(50):
        after = model(x[:, torch.randperm(9, generator=seeded(seed))])
        assert (after - before).abs().max() <= 1e-6 * before.abs().max()


def test_deep_sets_are_not_invariant_bit_by_bit() -> None:
    """A sum in another order is rounded in another way; only most of the digits are the same."""
    torch.manual_seed(0)
    model, x = symmetry.DeepSets(), torch.rand(1, 12) * 2 + 1
    errors = []
    for seed in range(300):
        order = torch.randperm(12, generator=seeded(seed))
        errors.append(symmetry.invariance_error(model, x, lambda y, order=order: y[:, order]))
    assert 0 < np.mean(np.array(errors) > 0) < 1
    assert max(errors) < 1e-6


def test_a_sum_counts_and_a_mean_does_not() -> None:
    torch.manual_seed(0)
    once, twice = torch.tensor([[1.0]]), torch.tensor([[1.0, 1.0]])
    for pooling, differs in (("sum", True), ("mean", False), ("max", False)):
        model = symmetry.DeepSets(pooling=pooling)
        assert torch.allclose(model(once), model(twice)) is not differs


def test_the_naive_network_depends_on_the_order() -> None:
    torch.manual_seed(0)
    model = symmetry.NaiveMLP()
    assert sum(weights.numel() for weights in model.parameters()) == 161
    outputs = {
        round(model(torch.tensor([order])).item(), 5)
        for order in itertools.permutations((1.0, 1.5, 2.0))
    }
    assert len(outputs) == 6


# -------------------------------------------------------------------------------- errors


def test_the_errors_of_known_functions() -> None:
    x = torch.tensor([[3.0, -1.0]], requires_grad=True)
    assert symmetry.invariance_error(lambda y: y**2, x, torch.neg) == 0
    assert symmetry.invariance_error(lambda y: y, x, torch.neg) == 6
    assert symmetry.invariance_error(lambda y: y, x, lambda y: y - 5) == 5
    assert symmetry.invariance_error(lambda y: y.sort().values, x, lambda y: y.flip(1)) == 0
    x = torch.tensor([2.0, 1.0])
    assert symmetry.equivariance_error(lambda y: y**3, x, torch.neg, torch.neg) == 0
    assert symmetry.equivariance_error(lambda y: y**3, x, torch.neg, lambda y: y) == 16
    assert isinstance(symmetry.equivariance_error(torch.sin, x, torch.neg, torch.neg), float)


def test_forces_are_equivariant_and_do_not_notice_a_shift(rng: np.random.Generator) -> None:
    """Under a shift forces are invariant; only positions and their centre go along with it."""
    torch.manual_seed(0)
    model, (x, _) = symmetry.ClusterEnergyModel().double(), clusters(0, 5, 4)
    R, order = torch.tensor(symmetry.random_rotation(rng)), [2, 0, 3, 1]

    def force(y: torch.Tensor) -> torch.Tensor:
        return symmetry.forces(model, y)

    assert force(x).abs().max() > 0.01
    cases: list[tuple[Callable, Callable]] = [
        (lambda y: y @ R.T, lambda y: y @ R.T),
        (torch.neg, torch.neg),
        (lambda y: y[:, order], lambda y: y[:, order]),
        (lambda y: y + 2, lambda y: y),
    ]
    for moved, out in cases:
        assert symmetry.equivariance_error(force, x, moved, out) < 1e-13
        assert symmetry.invariance_error(model, x, moved) < 1e-13
    assert symmetry.equivariance_error(force, x, lambda y: y + 2, lambda y: y + 2) > 1


# ----------------------------------------------------------------------------- rotations


def rotations(count: int) -> np.ndarray:
    rng = np.random.default_rng(8)
    return np.array([symmetry.random_rotation(rng) for _ in range(count)])


def test_rotations_are_orthogonal_and_no_mirrors() -> None:
    found = rotations(200)
    unit = np.broadcast_to(np.eye(3), (200, 3, 3))
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), unit, atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(found), 1)


def test_every_entry_is_uniform_and_the_angle_follows_haar_s_law() -> None:
    """A coordinate of a uniform point on the sphere is uniform: Archimedes' hat box."""
    found = rotations(2000)
    for entry in found.reshape(-1, 9).T:
        assert kstest(entry, "uniform", (-1, 2)).pvalue > 1e-4
    angles = Rotation.from_matrix(found).magnitude()
    assert kstest(angles, lambda t: (t - np.sin(t)) / np.pi).pvalue > 1e-4
    scipy_s = Rotation.random(2000, random_state=1).magnitude()
    assert kstest(angles, scipy_s).pvalue > 1e-4


def test_a_product_with_a_fixed_rotation_has_the_same_distribution() -> None:
    found, S = rotations(2000), Rotation.from_euler("xyz", [0.3, 1.1, -2.0]).as_matrix()
    for turned in (S @ found, found @ S):
        for entry in turned.reshape(-1, 9).T:
            assert kstest(entry, "uniform", (-1, 2)).pvalue > 1e-4


def test_qr_as_it_comes_prefers_a_direction() -> None:
    """Why the reference turns signs: LAPACK's Q has a first entry of one sign only."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(500, 3, 3)))[0]
    assert (Q[:, 0, 0] < 0).all()
    assert kstest(rotations(500)[:, 0, 0], "uniform", (-1, 2)).pvalue > 1e-4


# ------------------------------------------------------------------------------- energies


def ase_forces(positions: np.ndarray) -> np.ndarray:
    atoms = Atoms(f"Ar{len(positions)}", positions=positions)
    atoms.calc = LennardJones(epsilon=1.0, sigma=1.0, rc=1e6)
    return atoms.get_forces()


def pair_sum(x: torch.Tensor) -> torch.Tensor:
    i, j = torch.triu_indices(x.shape[1], x.shape[1], offset=1)
    squared = (x[:, i] - x[:, j]).square().sum(-1)
    return 4 * (squared**-6 - squared**-3).sum(-1)


def test_forces_of_a_lennard_jones_energy_are_ase_s() -> None:
    positions, _ = clusters(3, 4, 5)
    expected = np.array([ase_forces(one) for one in positions.numpy()])
    np.testing.assert_allclose(symmetry.forces(pair_sum, positions), expected, rtol=1e-9, atol=1e-9)


def test_forces_are_central_differences_of_the_model() -> None:
    torch.manual_seed(0)
    model, (x, _) = symmetry.ClusterEnergyModel(16).double(), clusters(1, 2, 4)
    forces, h = symmetry.forces(model, x), 1e-5
    for b, n, k in itertools.product(range(2), range(4), range(3)):
        step = torch.zeros_like(x)
        step[b, n, k] = h
        with torch.no_grad():
            slope = ((model(x + step) - model(x - step)) / (2 * h))[b]
        assert float(forces[b, n, k]) == pytest.approx(-float(slope), abs=1e-8)


def test_forces_touch_nothing() -> None:
    model, (x, _) = symmetry.ClusterEnergyModel().double(), clusters(1, 2, 4)
    x.requires_grad_()
    assert not symmetry.forces(model, x).requires_grad
    assert x.grad is None
    assert all(weights.grad is None for weights in model.parameters())


def test_energies_add_up_over_pairs() -> None:
    torch.manual_seed(0)
    model = symmetry.ClusterEnergyModel().double()
    corners = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).double()
    pair, triangle, tetrahedron = (model(corners[None, :n]).item() for n in (2, 3, 4))
    assert (triangle / pair, tetrahedron / pair) == pytest.approx((3, 6))
    alone = torch.ones(2, 1, 3, dtype=torch.float64)
    assert model(alone).tolist() == [0, 0]
    assert not symmetry.forces(model, alone).any()


def tetrahedra(distances: np.ndarray) -> torch.Tensor:
    """Every tetrahedron whose six edges are these distances in some order, (720, 4, 3)."""
    found = []
    for order in itertools.permutations(distances):
        squared = np.zeros((4, 4))
        squared[np.triu_indices(4, k=1)] = np.square(order)
        squared += squared.T
        centring = np.eye(4) - 0.25
        values, vectors = np.linalg.eigh(-0.5 * centring @ squared @ centring)
        assert values[1] > 0
        found.append(vectors[:, 1:] * np.sqrt(values[1:]))
    return torch.tensor(np.array(found))


def test_distances_without_their_places_do_not_make_a_tetrahedron() -> None:
    """30 shapes of different volume share one list; a sum over pairs cannot tell them apart."""
    torch.manual_seed(0)
    shapes = tetrahedra(np.array([1.0, 1.04, 1.09, 1.15, 1.22, 1.3]))
    volumes = torch.linalg.det(shapes[:, 1:] - shapes[:, :1]).abs() / 6
    assert len(set(volumes.numpy().round(9))) == 30
    energies = symmetry.ClusterEnergyModel().double()(shapes)
    assert energies.max() - energies.min() < 1e-12
    assert (pair_sum(shapes).max() - pair_sum(shapes).min()) < 1e-9


# ------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def trained() -> symmetry.ClusterEnergyModel:
    torch.manual_seed(0)
    model = symmetry.ClusterEnergyModel()
    symmetry.train_energy_model(model, *clusters(0, 600, 4), epochs=1000, generator=seeded(0))
    return model


@pytest.mark.parametrize("n_atoms", [3, 4, 5])
def test_training_reaches_the_target_on_every_size_and_on_bound_clusters(
    trained: symmetry.ClusterEnergyModel, n_atoms: int
) -> None:
    positions, exact = (values.float() for values in clusters(1 + n_atoms, 400, n_atoms))
    predicted = trained(positions).detach()
    for some in (torch.full_like(exact, True, dtype=torch.bool), exact < 0):
        assert r2_score(exact[some], predicted[some]) > 0.9998


def test_r2_is_about_the_repulsive_tail_and_two_sums_explain_everything() -> None:
    positions, energies = clusters(0, 800, 4)
    exact = energies.numpy()
    loose, spread = exact > 0, (exact - exact.mean()) ** 2
    assert loose.mean() < 0.25
    assert spread[loose].sum() > 0.6 * spread.sum()
    distances = np.array([pdist(one) for one in positions.numpy()])
    sums = np.stack([(distances**-12).sum(1), (distances**-6).sum(1)], axis=1)
    control = LinearRegression().fit(sums[:400], exact[:400])
    np.testing.assert_allclose(control.coef_, [4, -4], rtol=1e-9)
    assert r2_score(exact[400:], control.predict(sums[400:])) == pytest.approx(1, abs=1e-12)


def test_a_mean_over_pairs_is_wrong_for_other_sizes() -> None:
    """It fits four atoms all the same: only another size shows the fault."""
    torch.manual_seed(0)
    model, (three, exact) = symmetry.ClusterEnergyModel().double(), clusters(7, 300, 3)

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sum = model

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            n_atoms = x.shape[1]
            return self.sum(x) / (n_atoms * (n_atoms - 1) / 2)

    mean = Mean()
    known = clusters(8, 200, 4)
    symmetry.train_energy_model(mean, *known, epochs=60, generator=seeded(0))
    assert r2_score(known[1], mean(known[0]).detach()) > 0.97
    assert r2_score(exact, mean(three).detach()) < 0.5


def test_training_leaves_the_model_ready_and_its_data_alone() -> None:
    positions, energies = clusters(0, 30, 4)
    before = positions.clone(), energies.clone()
    found = []
    for convert in (torch.clone, torch.Tensor.numpy):
        torch.manual_seed(3)
        model = symmetry.ClusterEnergyModel()
        history = symmetry.train_energy_model(
            model, convert(positions), convert(energies), epochs=12, generator=seeded(0)
        )
        assert len(history) == 12
        assert all(isinstance(loss, float) for loss in history)
        assert history[-1] < 0.5 * history[0]
        assert not model.training
        assert {weights.dtype for weights in model.parameters()} == {torch.float32}
        found.append(model(positions.float()).tolist())
    assert found[0] == found[1]
    assert torch.equal(positions, before[0])
    assert torch.equal(energies, before[1])


# ------------------------------------------------------------------------------ docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    one = torch.tensor([[[1.0], [2.0], [6.0]]])
    mask = torch.tensor([[True, True, False]])
    assert [symmetry.pool(one, mask, kind).item() for kind in KINDS] == [3, 1.5, 2]
    assert symmetry.DeepSets(in_dim=3, hidden=32, out_dim=2)(torch.ones(5, 7, 3)).shape == (5, 2)
    assert symmetry.ClusterEnergyModel()(torch.rand(5, 4, 3)).shape == (5,)
    atom = torch.tensor([[[1.0, 0.0, 2.0]]])
    forces = symmetry.forces(lambda x: x.square().sum(dim=(1, 2)), atom)
    assert forces.tolist() == [[[-2, 0, -4]]]


def test_the_docstring_names_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    text = " ".join((inspect.getdoc(symmetry.train_energy_model) or "").split())
    for said in (
        f"{limits['CLUSTERS']} clusters of four atoms",
        f"epochs = {limits['EPOCHS']}.",
        f"R² has to be above {limits['R2_LIMIT']}.",
        f"{load_assignment('symmetry').exercise('train_energy_model').seconds:g} s",
    ):
        assert said in text
    assert f"{limits['DEPTH']:g} ε deep" in text
    assert limits["OTHER_SIZE_LIMIT"] == 0.5  # "below half of the energies' variance"
