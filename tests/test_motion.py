"""Velocity Verlet against what is known of it and of an oscillator."""

from __future__ import annotations

import numpy as np
import pytest
from coursekit.motion import verlet

from reference_impl import lennard_jones as lj

PUSHED = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.41
SPEEDS = np.array([[0.3, -0.2, 0.1], [-0.1, 0.4, -0.3], [-0.4, 0.1, 0.2], [0.2, -0.3, 0.0]])


def energies(xs: np.ndarray, vs: np.ndarray) -> np.ndarray:
    return np.array([lj.cluster_energy(x) for x in xs]) + np.sum(vs**2, axis=(1, 2)) / 2


def test_an_oscillator_is_met_to_second_order() -> None:
    errors = []
    for steps in (100, 200, 400):
        xs, vs = verlet(np.ones(1), np.zeros(1), lambda x: -4 * x, 5 / steps, steps)
        t = np.linspace(0, 5, steps + 1)
        off = xs[:, 0] - np.cos(2 * t), vs[:, 0] / 2 + np.sin(2 * t)
        errors.append(float(np.abs(off).max()))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


def test_an_oscillator_keeps_the_energy_that_verlet_keeps() -> None:
    """ω² (1 − ω² dt² / 4) x² + v² is exactly conserved, which no other order of half steps does."""
    dt = 0.3
    xs, vs = verlet(np.ones(1), np.zeros(1), lambda x: -4 * x, dt, 5000)
    kept = 4 * (1 - dt**2) * xs**2 + vs**2
    np.testing.assert_allclose(kept, np.full_like(kept, kept[0, 0]), rtol=1e-12)


def test_atoms_run_back_the_way_they_came() -> None:
    xs, vs = verlet(PUSHED, SPEEDS, lj.cluster_forces, 0.004, 300)
    back, speeds = verlet(xs[-1], -vs[-1], lj.cluster_forces, 0.004, 300)
    np.testing.assert_allclose(back, xs[::-1], atol=1e-9)
    np.testing.assert_allclose(-speeds, vs[::-1], atol=1e-9)


def test_the_energy_of_a_cluster_sways_with_the_square_of_the_step() -> None:
    sways = [
        np.ptp(energies(*verlet(PUSHED, SPEEDS, lj.cluster_forces, 2 / steps, steps)))
        for steps in (300, 600)
    ]
    assert sways[0] / sways[1] == pytest.approx(4, rel=0.1)


def test_what_is_handed_over_stays_and_the_start_is_told() -> None:
    x, v = PUSHED.copy(), SPEEDS.copy()
    xs, vs = verlet(x, v, lj.cluster_forces, 0.01, 3)
    assert xs.shape == vs.shape == (4, 4, 3)
    for now, then in ((x, PUSHED), (v, SPEEDS), (xs[0], PUSHED), (vs[0], SPEEDS)):
        np.testing.assert_array_equal(now, then)
