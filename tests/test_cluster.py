"""A class on a real Dask cluster: the same marks as here, also when a worker is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring import demo
from autograder.course import ROOT, load_assignment
from autograder.errors import CourseError
from autograder.grading import executors
from autograder.grading.job import Job

NAME = "backprop"
STUDENTS = ("ada", "chloe", "dmitri", "ines", "kim", "nils", "sami")
"""Right answers twice, a known mistake, a syntax error, a death of Python, a broken file, and right
answers above one that is not written."""


class Cluster:
    """A scheduler and workers, each a process tree of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        words = ("--port", "0", "--scheduler-file", str(file))
        scheduler = self._start("scheduler", *words)
        until(lambda: ended(scheduler) or file.is_file(), "the scheduler has started")
        self.address = str(json.loads(file.read_text())["address"])

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """A worker that the scheduler knows."""
        log = self.folder / f"{len(self.processes)}.log"
        process = self._start("worker", self.address, "--nthreads", "1", **environment)
        until(
            lambda: ended(process) or b"Registered to" in log.read_bytes(),
            "the worker has registered",
        )
        return process

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        scratch = {"DASK_TEMPORARY_DIRECTORY": str(self.folder)}
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"],
                cwd=self.folder,
                env=os.environ | scratch | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            lose(process)


def lose(process: subprocess.Popen[bytes]) -> None:
    """What a machine looks like from afar when its plug is pulled."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ended(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it ended at once; its log tells why"
    return False


def until(holds: Callable[[], bool], what: str, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:g} s, and not yet: {what}"
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = Cluster(folder)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def members() -> list[demo.Submission]:
    return [member for member in demo.class_of(load_assignment(NAME)) if member.student in STUDENTS]


@pytest.fixture
def a_course(tmp_path: Path, members: list[demo.Submission]) -> Path:
    demo.write(tmp_path / "course", load_assignment(NAME), members)
    return tmp_path / "course"


def grading(course: Path, scheduler: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(course)]
    return subprocess.Popen(
        [*command, "--scheduler", scheduler, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def judges_of(cluster: Cluster) -> int:
    """How many judges its workers have started and have not ended; other tests have theirs."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            judge = b"autograder.grading.judge_process" in (entry / "cmdline").read_bytes()
            found += judge and bytes(cluster.folder) in (entry / "environ").read_bytes()
    return found


@pytest.mark.slow
def test_a_lost_worker_costs_a_repeat_and_nothing_else(
    cluster: Cluster, a_course: Path, members: list[demo.Submission]
) -> None:
    first, _ = cluster.worker(), cluster.worker()
    process = grading(a_course, cluster.address)
    results = a_course / "results" / NAME
    until(lambda: any(results.glob("*.json")) or process.poll() is not None, "a result is there")
    assert judges_of(cluster) > 0
    lose(first)
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err
    given: list[dict[str, Any]] = json.loads(out)
    deserved = {member.student: (member.points, member.status) for member in members}
    assert {r["student"]: (r["points"], r["status"]) for r in given} == deserved
    assert {path.stem for path in results.glob("*.json")} == set(STUDENTS)
    assert {r["isolation"] for r in given} == {"full"}
    cluster.stop()
    until(lambda: not judges_of(cluster), "the judges of lost workers have gone")


@pytest.mark.slow
def test_a_lost_scheduler_is_one_sentence(cluster: Cluster, a_course: Path) -> None:
    cluster.worker()
    process = grading(a_course, cluster.address)
    results = a_course / "results" / NAME
    until(lambda: any(results.glob("*.json")) or process.poll() is not None, "a result is there")
    cluster.stop()
    _, err = process.communicate(timeout=600)
    assert process.returncode == 2, err
    assert "was lost. What was graded so far is kept" in err
    assert "Traceback" not in err
    assert {json.loads(path.read_bytes())["status"] for path in results.glob("*.json")} <= {
        "graded",
        "unreadable",
    }


@pytest.mark.slow
def test_a_scheduler_that_is_lost_is_named_by_every_question_from_then_on(cluster: Cluster) -> None:
    cluster.worker()
    job = Job(assignment=NAME, student="ada", notebook=b"{}")
    with executors.cluster(cluster.address, "none") as hands:
        cluster.stop()
        with pytest.raises(CourseError, match="was lost"):  # Dask tries to connect
            hands.ahead()
        with pytest.raises(CourseError, match="was lost"):  # it has given up
            until(lambda: not hands.submit(job), "a job is refused")
        with pytest.raises(CourseError, match="was lost"):
            hands.ahead()


@pytest.mark.slow
def test_a_worker_with_other_checks_refuses(
    cluster: Cluster, a_course: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for part in ("assignments", "autograder", "reference_impl"):
        shutil.copytree(ROOT / part, other / part)
    check = other / "autograder" / "checks" / f"test_{NAME}.py"
    check.write_text(check.read_text() + "\nNEVER = 'here'\n")
    cluster.worker(PYTHONPATH=os.pathsep.join([str(other), str(other / "assignments")]))
    process = grading(a_course, cluster.address)
    _, err = process.communicate(timeout=1200)
    assert process.returncode == 2
    assert f"has other checks for {NAME}" in err
    assert "same version" in err
    assert not list(a_course.glob(f"results/{NAME}/*.json"))


def test_a_cluster_without_workers_is_named(cluster: Cluster, a_course: Path) -> None:
    process = grading(a_course, cluster.address)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "has no workers yet" in err


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1", "tpc://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there_is_named(a_course: Path, address: str) -> None:
    process = grading(a_course, address)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert f"no Dask scheduler answers at {address}" in err
    assert "Traceback" not in err
