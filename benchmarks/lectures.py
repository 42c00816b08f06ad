"""The lectures' experiments as taught and as they can be done: errors and times side by side.

Every recipe of `reference_impl/recipes.py`, in one run on one thread. Shown are the worst error
of all seeds, the CPU seconds of one run, and whether the better recipe keeps its target with
every seed.

    python benchmarks/lectures.py [--seeds 5] [--taught 1] [--fast] [--only decay] [--json]
                                  [--picture FILE]

Nearly all the time goes into the recipes as taught, minutes each, so that one seed of them is
taken unless `--taught` names more; `--fast` shortens them to a tenth of their epochs.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import argparse
import inspect
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from reference_impl import recipes


class Experiment(NamedTuple):
    """What is compared; the better recipe's worst error is to stay below `target`."""

    name: str
    error: str
    target: float
    taught: Callable[..., float]
    better: Callable[[int], float]


def _above(recipe: Callable[..., float]) -> Callable[..., float]:
    """For ratios that should be large."""

    def run(*args: Any, **options: Any) -> float:
        return 1 / recipe(*args, **options)

    run.__signature__ = inspect.signature(recipe)  # type: ignore[attr-defined]
    return run


EXPERIMENTS = [
    Experiment(
        "sine, by hand",
        "MSE at unseen points",
        3e-3,
        recipes.sine_by_hand_as_taught,
        recipes.sine_by_hand_better,
    ),
    Experiment(
        "sine, torch",
        "MSE at unseen points",
        1e-5,
        recipes.sine_in_torch_as_taught,
        recipes.sine_in_torch_better,
    ),
    Experiment(
        "overfitting",
        "best by last validation loss",
        1 / 1.2,
        _above(recipes.overfitting_as_taught),
        _above(recipes.overfitting_better),
    ),
    Experiment(
        "potential",
        "force, mean squared error",
        1e-10,
        recipes.potential_as_taught,
        recipes.potential_better,
    ),
    Experiment(
        "drift of atoms",
        "true energy / ε, per atom",
        1e-4,
        recipes.drift_as_taught,
        recipes.drift_better,
    ),
    Experiment(
        "clusters", "1 − R² unseen", 2e-4, recipes.clusters_as_taught, recipes.clusters_better
    ),
    Experiment(
        "phases, MLP",
        "share wrong",
        0.03,
        recipes.phases_by_mlp_as_taught,
        recipes.phases_by_mlp_better,
    ),
    Experiment(
        "phases, CNN",
        "share wrong",
        0.01,
        recipes.phases_by_cnn_as_taught,
        recipes.phases_by_cnn_better,
    ),
    Experiment(
        "autoencoder",
        "held-out error",
        0.485,
        recipes.autoencoder_as_taught,
        recipes.autoencoder_better,
    ),
    Experiment("decay", "largest error", 1e-9, recipes.decay_as_taught, recipes.decay_better),
    Experiment(
        "oscillator", "largest error", 1e-8, recipes.oscillator_as_taught, recipes.oscillator_better
    ),
    Experiment(
        "20 periods",
        "largest error",
        1e-9,
        recipes.twenty_periods_as_taught,
        recipes.twenty_periods_better,
    ),
    Experiment("heat", "largest error", 1e-12, recipes.heat_as_taught, recipes.heat_better),
    Experiment(
        "diffusivity",
        "off least squares, relative",
        1e-3,
        recipes.diffusivity_as_taught,
        recipes.diffusivity_better,
    ),
    Experiment(
        "reordering",
        "relative change",
        1e-6,
        recipes.reordering_as_taught,
        recipes.reordering_better,
    ),
]


class Row(NamedTuple):
    """One experiment's outcome: worst errors, CPU seconds of one run (median)."""

    name: str
    error: str
    target: float
    taught: list[float]
    better: list[float]
    taught_seconds: float
    better_seconds: float


def measured(experiment: Experiment, seeds: int, taught_seeds: int, fast: bool) -> Row:
    options: dict[str, int] = {}
    if fast:
        parameters = inspect.signature(experiment.taught).parameters
        options = {
            name: max(1, parameters[name].default // 10)
            for name in ("epochs", "each")
            if name in parameters
        }
    taught = [_timed(experiment.taught, seed, **options) for seed in range(taught_seeds)]
    better = [_timed(experiment.better, seed) for seed in range(seeds)]
    return Row(
        experiment.name,
        experiment.error,
        experiment.target,
        [error for error, _ in taught],
        [error for error, _ in better],
        float(np.median([seconds for _, seconds in taught])),
        float(np.median([seconds for _, seconds in better])),
    )


def _timed(recipe: Callable[..., float], seed: int, **options: int) -> tuple[float, float]:
    before = time.process_time()
    error = recipe(seed, **options)
    return float(error), time.process_time() - before


def sampling(fast: bool) -> str:
    """Seconds a configuration, one site at a time in Python and all chains at once."""
    sweeps = 20 if fast else 100
    before = time.process_time()
    recipes.lattice_as_taught(0, equilibration=sweeps, count=0)
    taught = 20 * (time.process_time() - before) / sweeps  # 2000 sweeps for 100 configurations
    before = time.process_time()
    chains = len(recipes.lattices_better(0))
    ours = (time.process_time() - before) / chains
    alike = 1 + 2 * 26 / 10
    return (
        f"Ising data at T = 2.5: {1000 * taught:.1f} ms a configuration as taught, "
        f"{1000 * ours:.2f} ms now: {taught / ours:.0f} times faster at equal counts\n"
        f"(target 200). As taught, configurations ten sweeps apart are alike (τ ≈ 26 sweeps), and "
        f"it takes {alike:.1f} of them\nto tell as much as one of ours: "
        f"{alike * taught / ours:.0f} times faster at equal statistics (target 1000)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--taught", type=int, default=1)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    chosen = [one for one in EXPERIMENTS if options.only in one.name]
    rows = []
    if not options.json:
        short = ", those as taught shortened to a tenth" if options.fast else ""
        print(f"worst of {options.seeds} seeds ({options.taught} as taught){short}")
        print(f"{'':15}{'':30}{'as taught':>11}{'CPU s':>8}{'better':>10}{'CPU s':>8}", end="")
        print(f"{'target':>10}")
    for experiment in chosen:
        row = measured(experiment, options.seeds, options.taught, options.fast)
        rows.append(row)
        if not options.json:
            kept = "kept" if max(row.better) <= row.target else "MISSED"
            print(
                f"{row.name:15}{row.error:30}{max(row.taught):11.1e}{row.taught_seconds:8.2f}"
                f"{max(row.better):10.1e}{row.better_seconds:8.2f}{row.target:10.1e} {kept}",
                flush=True,
            )
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    elif not options.only:
        print(sampling(options.fast))
        found, error = recipes.critical_temperature_better(0)
        print(
            f"critical temperature from classifiers: {found:.4f} ± {error:.4f}, "
            f"exact {recipes.CRITICAL:.4f} (target ± 0.004)"
        )
        ratio, error = recipes.variance_of_alpha()
        print(f"variance of α over its bound: {ratio:.2f} ± {error:.2f} (target 1.00 ± 0.05)")
    if options.picture:
        draw(rows, options.picture)
    sys.exit(any(max(row.better) > row.target for row in rows))


def draw(rows: list[Row], path: Path) -> None:
    """Errors as taught and better, every seed, on one logarithmic axis."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.45 * len(rows) + 1.2), layout="constrained")
    for height, row in enumerate(reversed(rows)):
        axes.plot([max(row.taught), max(row.better)], [height, height], color="0.8", zorder=0)
        for errors, colour, label in (
            (row.taught, "#d55e00", "as taught"),
            (row.better, "#0072b2", "better"),
        ):
            here = [height] * len(errors)
            axes.plot(errors, here, "o", color=colour, label="" if height else label)
        axes.plot(row.target, height, "|", color="k", ms=14, label="" if height else "target")
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [f"{row.name}\n{row.error}" for row in reversed(rows)])
    axes.tick_params(axis="y", labelsize=8)
    axes.set_xlabel("error, each seed")
    axes.legend(loc="lower left")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
