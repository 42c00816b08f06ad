"""The better recipes keep their targets; the recipes as taught fail for the reasons given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from coursekit.ising_data import ising_configurations

from reference_impl import ising, lennard_jones, recipes


@pytest.mark.parametrize(
    ("recipe", "target"),
    [
        (recipes.sine_by_hand_better, 3e-3),
        (recipes.sine_in_torch_better, 1e-5),
        (recipes.potential_better, 1e-10),
        (recipes.clusters_better, 2e-4),
        (recipes.decay_better, 1e-9),
        (recipes.oscillator_better, 1e-8),
        (recipes.twenty_periods_better, 1e-9),
        (recipes.heat_better, 1e-12),
        (recipes.heat_by_training, 5e-5),
        (recipes.diffusivity_better, 1e-3),
        (recipes.reordering_better, 1e-6),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_better_recipe_keeps_its_target(recipe: Callable[[int], float], target: float) -> None:
    assert recipe(3) <= target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "target"),
    [
        (recipes.phases_by_mlp_better, 0.03),
        (recipes.phases_by_cnn_better, 0.01),
        (recipes.autoencoder_better, 0.485),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_better_recipe_keeps_its_target_on_lattices(
    recipe: Callable[[int], float], target: float
) -> None:
    assert recipe(3) <= target


def test_learnt_forces_keep_the_true_energy() -> None:
    assert recipes.drift_better(3, steps=3000) < 1e-6
    assert recipes.drift_as_taught(3, epochs=100, steps=3000) > 1e-4


def test_a_network_in_numpy_is_the_same_network() -> None:
    model = recipes._potential_better(0)
    r = np.linspace(0.9, 3.5, 50)
    by_torch = lennard_jones.energy_and_force(model, torch.tensor(r)[:, None])
    for one, other in zip(recipes.in_numpy(model)(r), by_torch, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy()[:, 0], rtol=1e-9, atol=1e-9)


def test_no_estimate_of_the_diffusivity_scatters_less_than_the_bound() -> None:
    """Within five standard errors, of which the network's difference adds little."""
    ratio, error = recipes.variance_of_alpha(networks=4, sets=300)
    assert abs(ratio - 1) < 5 * error < 0.75


def test_overfitting_shows_once_the_input_is_standardised() -> None:
    assert recipes.overfitting_better(3) > 1.2


def test_the_oscillator_as_taught_fails_for_want_of_a_centre() -> None:
    """Not for want of points: a tenth of the epochs shows which one learns."""
    assert recipes.oscillator_as_taught(0, epochs=500) > 0.5
    assert recipes.oscillator_better(0) < 1e-8


def test_chains_one_after_another_resemble_each_other_and_chains_of_their_own_do_not() -> None:
    """Correlation of the energies of neighbouring configurations, at T = 2.5 and ten sweeps."""

    def memory(spins: np.ndarray) -> float:
        energies = np.array([ising.energy(one) for one in spins])
        return float(np.corrcoef(energies[:-1], energies[1:])[0, 1])

    rng = np.random.default_rng(1)
    spins, chain = ising_configurations(16, np.array([2.5]), rng)[0], []
    for _ in range(120):
        for _ in range(10):
            ising.metropolis_sweep(spins, 2.5, rng)
        chain.append(spins.copy())
    apart = ising_configurations(16, np.full(2000, 2.5), rng)
    assert memory(np.array(chain)) > 0.2
    assert abs(memory(apart)) < 5 / np.sqrt(2000)


def test_one_number_tells_the_phases_far_from_the_critical_temperature() -> None:
    """|m| with one threshold: what a network has to beat there, and what it cannot be proud of."""
    temperatures = np.repeat(recipes.COLD_AND_HOT, 100)
    spins = ising_configurations(16, temperatures, np.random.default_rng(2))
    order = np.abs(spins.mean((1, 2)))
    hot = temperatures > recipes.CRITICAL
    best = max(float(((order < limit) == hot).mean()) for limit in np.linspace(0.2, 0.9, 71))
    assert best > 0.98


@pytest.mark.slow
def test_the_crossings_of_several_sizes_end_at_the_critical_temperature() -> None:
    torch.set_num_threads(1)
    found, error = recipes.critical_temperature_better(1, {4: 2, 8: 2})
    assert abs(found - recipes.CRITICAL) < 0.06
    assert 0 < error < 0.1
