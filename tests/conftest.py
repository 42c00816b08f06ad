"""What several test modules share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Before torch is imported, here and in every process that a test starts: tests share the cores.
os.environ["OMP_NUM_THREADS"] = "1"
# nbgrader runs `alembic` by name, so that it works only in an environment that is activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

import hypothesis
import IPython
import numpy as np
import pytest
import torch
import toy_course
import warm_kernels

from autograder.authoring import build, slips
from autograder.course import Assignment, load_assignment
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside import state

slips.share()
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
torch.set_num_threads(1)
_GET_IPYTHON = IPython.get_ipython


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20261121)


@pytest.fixture(scope="session")
def cage() -> Iterator[Cage]:
    """One full cage for the session; each test takes workers from it."""
    cage = Cage("full")
    yield cage
    cage.close()


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up course, built; who changes it takes a copy."""
    with toy_course.activated(toy_course.write(tmp_path_factory.mktemp("course"))) as root:
        build.build(load_assignment("springs"))
    return root


@pytest.fixture
def springs(toy: Path) -> Iterator[Assignment]:
    """Its one assignment, with the made-up course in the place of this one."""
    with toy_course.activated(toy):
        yield load_assignment("springs")


@pytest.fixture(scope="session")
def _kernels() -> Iterator[str]:
    with warm_kernels.started() as place:
        yield place


@pytest.fixture
def warm(_kernels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that the test starts are forks of one that has imported what notebooks import."""
    monkeypatch.setenv("JUPYTER_PATH", _kernels)


@pytest.fixture(autouse=True)
def _as_at_the_beginning() -> None:
    """A session that ran in this process, for a fixture say, has put itself in IPython's place and
    may have set what torch and NumPy go by, which a judge in this process computes with."""
    IPython.get_ipython = _GET_IPYTHON
    state.restore(state.expected())


@pytest.fixture
def apart() -> Iterator[None]:
    """What a notebook sets in this very process does not outlive the test, and neither does what it
    entered and never left: torch's modes come back to what they were where the last object is gone
    that holds them, in whatever test that happens."""
    with state.undisturbed():
        yield
        gc.collect()
