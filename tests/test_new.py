"""A new assignment, made in a copy of the repository as a contributor makes one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import ROOT


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of the repository that hold a course."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("assignments", "autograder", "reference_impl"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(copy), f"{copy}/assignments"])}
    command = [sys.executable, "-m", "autograder", *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_a_new_assignment_is_right_and_can_be_built(copy: Path) -> None:
    made = run(copy, "new", "waves", "--title", "Waves on a string")
    assert made.returncode == 0, made.stderr
    assert made.stdout.count(str(copy)) == 8
    shutil.copy(ROOT / "pyproject.toml", copy)  # whose exceptions are paths below its folder
    ruff = [sys.executable, "-m", "ruff", "check", *made.stdout.split()[:7]]
    linted = subprocess.run(ruff, cwd=copy, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout
    verified = run(copy, "verify", "waves")
    assert "3 mistakes caught" in verified.stdout, verified
    assert ", 0 holes" in verified.stdout.replace("\n", ""), verified
    built = run(copy, "build", "waves")
    assert built.returncode == 0, built.stderr
    released = (copy / "release" / "waves" / "waves.ipynb").read_text()
    assert "0.5 * mass" not in released
    cells = [cell["id"] for cell in json.loads(released)["cells"]]
    assert "kinetic_energy" in cells
    answer = copy / "answer.py"
    answer.write_text(
        "def kinetic_energy(mass, velocity):\n    return mass * float(sum(velocity**2))"
    )
    tried = run(copy, "try", "waves", "kinetic_energy", str(answer))
    assert tried.returncode == 1
    assert "the factor ½ is missing" in tried.stdout
    answer.write_bytes(b"\xff")
    assert "is not UTF-8" in run(copy, "try", "waves", "kinetic_energy", str(answer)).stderr
    again = run(copy, "new", "waves")
    assert again.returncode == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize("name", ["two words", "Waves", "class", "../x", "1d", "übung"])
def test_a_name_that_cannot_be_is_refused(copy: Path, name: str) -> None:
    refused = run(copy, "new", name)
    assert refused.returncode == 2
    assert "cannot name an assignment" in refused.stderr


def test_a_title_that_cannot_be_is_refused(copy: Path) -> None:
    refused = run(copy, "new", "betas", "--title", r"Why \alpha?")
    assert refused.returncode == 2
    assert "without double quotes and backslashes" in refused.stderr


CHECKS = "autograder/checks/test_backprop.py"
MISTAKES = "autograder/mistakes/backprop.py"
REFERENCE = "reference_impl/backprop.py"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (CHECKS, "", "def test_mse_loss__(:\n"),
        (CHECKS, "", "unheard_of\n"),
        (CHECKS, "def test_mse_loss__", "def test_mse_los__"),
        (MISTAKES, "", "unheard_of\n"),
        (REFERENCE, "", "def mse_loss(:\n"),
        (REFERENCE, "", "unheard_of\n"),
        (MISTAKES, '    "mse_loss",', '    "mse_los",'),
    ],
)
def test_a_check_that_was_spoilt_stops_the_grader_and_takes_no_mark(
    copy: Path, tmp_path: Path, file: str, old: str, new: str
) -> None:
    """It was a traceback, or the whole class's own grader error, for which `--force` gave away the
    marks: "88 before, 0 now"."""
    for step in ("source", "release"):
        shutil.copytree(ROOT / step / "backprop", copy / step / "backprop", dirs_exist_ok=True)
    place = tmp_path / "submitted" / "ada" / "backprop"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "release" / "backprop" / "backprop.ipynb", place)
    kept = (copy / file).read_text()
    try:
        (copy / file).write_text(kept.replace(old, new, 1) if old else kept + new)
        graded = run(copy, "grade", "backprop", "--course", str(tmp_path), "--force")
    finally:
        (copy / file).write_text(kept)
    assert graded.returncode == 2, graded
    assert graded.stderr.count(f"autograder: {file}") == 1, graded.stderr
    assert "Traceback" not in graded.stderr
    assert not (tmp_path / "results" / "backprop" / "ada.json").exists()
