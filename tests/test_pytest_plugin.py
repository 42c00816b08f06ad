"""The checks as ordinary pytest tests: the reference passes, a submission reads its messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from autograder.course import ROOT, load_assignment


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_reference_passes_hidden_and_public_checks() -> None:
    backprop = load_assignment("backprop")
    done = run(backprop.hidden_checks, backprop.public_checks, "-k", "mse_loss or forward")
    assert done.returncode == 0, done.stdout


def test_a_submission_fails_with_the_student_s_message_and_no_traceback(tmp_path: Path) -> None:
    backprop = load_assignment("backprop")
    notebook = tmp_path / "handed_in.ipynb"
    notebook.write_bytes(backprop.release.read_bytes())
    done = run(backprop.hidden_checks, "--notebook", notebook, "-k", "mse_loss__perfect")
    assert done.returncode == 1, done.stdout
    assert "mse_loss  ✗" in done.stdout
    assert "still to be written" in done.stdout
    assert "student.mse_loss(" not in done.stdout, "a check's own code is in the message"
