"""Atoms in motion, for notebooks whose networks give forces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def verlet(
    x: np.ndarray,
    v: np.ndarray,
    forces: Callable[[np.ndarray], np.ndarray],
    dt: float,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and velocities of atoms of mass one, at the start and after each step.

    Velocity Verlet: half a step of velocity by the old forces, a step of position, half a step of
    velocity by the new ones. Its error falls as the square of the step, and it runs backwards as
    it ran forwards, so that the energy of smooth forces sways a little and does not run away.

    x, v: arrays of one shape, unchanged. forces: takes positions, gives an array like them.
    Returns two arrays (steps + 1, *x.shape).
    """
    xs, vs = np.empty((2, steps + 1, *x.shape))
    xs[0], vs[0], force = x, v, forces(np.array(x, dtype=float))
    for step in range(steps):
        half = vs[step] + force * dt / 2
        xs[step + 1] = xs[step] + half * dt
        force = forces(xs[step + 1])
        vs[step + 1] = half + force * dt / 2
    return xs, vs
