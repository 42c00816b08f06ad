"""How long a whole notebook takes: the reference's answers, every cell, default settings.

Each notebook is one of those that carry their helpers (`autograder bundle student --single`), alone
in an empty folder, run by a real kernel from the first cell to the last. Printed are the kernel's
CPU seconds, which a busy machine raises too, the seconds on the wall, and the demonstration that
takes longest. With `--keep` the notebooks stay, with every figure, to be read and looked at.

    python benchmarks/notebooks.py [backprop …] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import nbformat
import psutil
from nbclient import NotebookClient

from autograder.course import Assignment, course, load_assignment
from autograder.exchange.bundle import single_notebooks
from autograder.judging.answers import reference_code


def run(assignment: Assignment, folder: Path) -> tuple[float, float, str, float]:
    """CPU and wall seconds of all, the longest demonstration's name and its CPU seconds."""
    single_notebooks([assignment], folder)
    path = folder / f"{assignment.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    answers = {e.name: reference_code(assignment, e.name) for e in assignment.exercises}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    used: dict[str, float] = {}
    client: Any = NotebookClient(
        notebook,
        timeout=None,
        skip_cells_with_tag="",
        resources={"metadata": {"path": str(folder)}},
    )

    def cpu() -> float:
        kernel = psutil.Process(client.km.provisioner.pid)
        return sum(sum(p.cpu_times()[:2]) for p in [kernel, *kernel.children(recursive=True)])

    def started(cell: Any, **_: Any) -> None:
        used[cell.id] = -cpu()

    def ended(cell: Any, **_: Any) -> None:
        used[cell.id] += cpu()

    client.on_cell_execute, client.on_cell_executed = started, ended
    before = time.monotonic()
    client.execute()
    wall = time.monotonic() - before
    path.write_text(json.dumps(notebook), encoding="utf-8")
    demos = {key: value for key, value in used.items() if key.startswith("demo")}
    longest = max(demos, key=demos.__getitem__)
    return sum(used.values()), wall, longest.removeprefix("demo_"), demos[longest]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(course()))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(f"{'':14}{'CPU s':>7}{'wall s':>8}   longest demonstration, CPU s")
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.names:
            folder = (options.keep or Path(scratch)) / name
            folder.mkdir(parents=True, exist_ok=True)
            cpu, wall, longest, most = run(load_assignment(name), folder)
            print(f"{name:14}{cpu:7.0f}{wall:8.0f}   {longest}, {most:.0f}", flush=True)


if __name__ == "__main__":
    main()
