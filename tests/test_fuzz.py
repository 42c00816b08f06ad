"""A short, repeatable run of the coverage-guided fuzzer on what reads a student's bytes."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import ROOT


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris has no build for this Python or machine; hypothesis tests read the same bytes",
)
@pytest.mark.parametrize("target", ["wire", "notebook"])
def test_no_bytes_crash_hang_or_fill_a_reader(target: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "fuzz.py"), target]
    done = subprocess.run(
        [*command, "-runs=2000", "-seed=1"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs, done.stderr[-3000:]
    assert int(runs[1]) >= 2000  # it may do a few more
