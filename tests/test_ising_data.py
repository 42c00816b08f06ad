"""The configurations that notebooks learn from, against sums over every state of a lattice."""

from __future__ import annotations

import numpy as np
import pytest
from coursekit.ising_data import ising_configurations


def _energies(spins: np.ndarray) -> np.ndarray:
    """Per site; each bond once."""
    spins = spins.astype(int)
    return -(spins * np.roll(spins, 1, 1) + spins * np.roll(spins, 1, 2)).mean((1, 2))


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.269, 2.7, 5.0])
def test_energy_and_magnetisation_are_those_of_all_65536_states(temperature: float) -> None:
    """Independent chains: 5 standard errors, so it fails once in 1.7 million runs."""
    states = ((np.arange(2**16)[:, None] >> np.arange(16)) & 1).reshape(-1, 4, 4) * 2 - 1
    energies, orders = _energies(states), np.abs(states.mean((1, 2)))
    weights = np.exp(-16 * (energies + 2) / temperature)
    drawn = ising_configurations(4, np.full(8000, temperature), np.random.default_rng(7), 100)
    for exact, sample in (
        (energies, _energies(drawn)),
        (orders, np.abs(drawn.mean((1, 2)))),
    ):
        expected = np.average(exact, weights=weights)
        assert abs(sample.mean() - expected) < 5 * sample.std() / np.sqrt(8000)


def test_each_chain_has_its_own_temperature_and_both_signs_occur() -> None:
    spins = ising_configurations(16, np.repeat([1.0, 5.0], 200), np.random.default_rng(3), 100)
    assert spins.shape == (400, 16, 16)
    assert spins.dtype == np.int8
    assert set(np.unique(spins)) == {-1, 1}
    order = spins.mean((1, 2))
    assert (np.abs(order[:200]) > 0.95).all()
    assert 60 < (order[:200] > 0).sum() < 140  # 6 standard deviations
    assert np.abs(order[200:]).mean() < 0.1


@pytest.mark.parametrize(("size", "temperature"), [(5, 1.0), (2, 1.0), (16, 0.0), (16, -1.0)])
def test_what_cannot_be_sampled_is_refused(size: int, temperature: float) -> None:
    with pytest.raises(ValueError, match="even"):
        ising_configurations(size, np.array([temperature]), np.random.default_rng(0))
