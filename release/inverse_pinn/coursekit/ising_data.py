"""Configurations of the two-dimensional Ising model, for notebooks that learn from them.

Metropolis on a checkerboard: the sites of one colour have no bond among themselves, so all of
them are tried at once, in all chains at once.
"""

from __future__ import annotations

import numpy as np


def ising_configurations(
    size: int, temperatures: np.ndarray, rng: np.random.Generator, sweeps: int = 400
) -> np.ndarray:
    """One independent configuration for every entry of `temperatures`.

    Square periodic lattice of even side `size`, J = k_B = 1. Chains start ordered, with a random
    sign, below T = 2.6, since a random start may freeze in stripes there, and at random above;
    each makes `sweeps` sweeps. Returns int8 of shape (len(temperatures), size, size).
    """
    temperatures = np.asarray(temperatures, dtype=float)
    if size < 4 or size % 2 or temperatures.ndim != 1 or (temperatures <= 0).any():
        raise ValueError("size must be even and at least 4, temperatures positive, in a list")
    # Chains lie along the last axis. Colour c holds the sites with (i + j) % 2 == c, two
    # columns of the lattice in one.
    chains = len(temperatures)
    sites = (2, size, size // 2, chains)
    ordered = np.where(rng.random(chains) < 0.5, 1, -1)
    disordered = np.where(rng.random(sites) < 0.5, 1, -1)
    colours = np.where(temperatures < 2.6, ordered, disordered).astype(np.int8)
    limits = [
        (np.exp(-change / temperatures) * (2**32 - 1)).astype(np.uint32) for change in (4.0, 8.0)
    ]
    for _ in range(sweeps):
        for colour in (0, 1):
            own, other = colours[colour], colours[1 - colour]
            around = other + np.roll(other, 1, axis=0) + np.roll(other, -1, axis=0)
            first = (colour + 1) % 2  # rows whose second horizontal neighbour lies to the left
            around[first::2] += np.roll(other[first::2], -1, axis=1)
            around[1 - first :: 2] += np.roll(other[1 - first :: 2], 1, axis=1)
            cost = own * around  # half the energy change of a flip
            draws = rng.integers(2**32, size=own.shape, dtype=np.uint32)
            flips = (cost <= 0) | ((draws < limits[0]) & (cost == 2)) | (draws < limits[1])
            own *= 1 - 2 * flips.astype(np.int8)
    lattice = np.empty((chains, size, size), dtype=np.int8)
    rows = np.arange(size)[:, None]
    for colour in (0, 1):
        columns = 2 * np.arange(size // 2) + (rows + colour) % 2
        lattice[:, rows, columns] = colours[colour].transpose(2, 0, 1)
    return lattice
