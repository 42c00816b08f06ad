"""What is given away, used as its receivers use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder import demo
from autograder.answers import reference_code
from autograder.bundle import gradescope_archive, student_folder
from autograder.course import ROOT, assignment, course


def test_the_students_folder_holds_what_is_needed_and_nothing_private(tmp_path: Path) -> None:
    paths = student_folder(list(course().values()), tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in paths}
    assert {"README.md", "requirements.txt", "check_environment.py"} < names
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    for found in course().values():
        assert f"{found.name}/{found.name}.ipynb" in names
        assert f"`{found.name}/{found.name}.ipynb`" in text
    for private in ("BEGIN SOLUTION", "HIDDEN TESTS", "reference_impl", "autograder.checks"):
        assert private not in text
    assert "torch==" in (tmp_path / "requirements.txt").read_text()


def test_the_self_test_says_what_is_missing(tmp_path: Path) -> None:
    student_folder([assignment("backprop")], tmp_path)
    check = [sys.executable, "check_environment.py"]
    ready = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert (ready.returncode, ready.stdout.splitlines()[-1]) == (0, "Ready.")
    (tmp_path / "tqdm.py").write_text("raise ImportError('no tqdm here')")
    missing = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert missing.returncode == 1
    assert "tqdm cannot be imported: no tqdm here" in missing.stdout


@pytest.mark.slow
def test_gradescopes_archive_grades_in_folders_like_gradescopes(tmp_path: Path) -> None:
    found = assignment("backprop")
    home = tmp_path / "autograder"
    archive = gradescope_archive(found, tmp_path / "autograder.zip")
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(home / "source")
        modes = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
    assert modes["run_autograder"] & 0o111
    script = (home / "source" / "run_autograder").read_text()
    assert "bundle run backprop" in script
    release = json.loads(found.release.read_text(encoding="utf-8"))
    code = {e.name: reference_code(found, e.name) for e in found.exercises}
    code["mse_loss"] = "def mse_loss(y_pred, y_true):\n    return np.sum((y_pred - y_true) ** 2)\n"
    (home / "submission").mkdir()
    notebook = json.dumps(demo.filled(release, code))
    (home / "submission" / "backprop (1).ipynb").write_text(notebook)
    source = home / "source"
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "bundle", "run", "backprop", "--home", str(home)],
        cwd=source,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(source), f"{source}/assignments"])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((home / "results" / "results.json").read_text())
    scores = {test["name"]: test["score"] for test in results["tests"]}
    assert results["score"] == pytest.approx(sum(scores.values()))
    assert scores["mse_loss"] < found.exercise("mse_loss").points
    assert scores["activations"] == found.exercise("activations").points
    assert str(ROOT) not in json.dumps(results)
