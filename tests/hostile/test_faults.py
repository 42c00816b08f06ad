"""Faults around the grader: killed at any moment, and what it writes to locked, removed, read-only.

A class of twelve is graded by a command that is killed again and again; what is left of it is then
recorded once more under each other fault. The marks are always those of a run without the fault.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from leftovers import adopting, temporary

from autograder.authoring import demo
from autograder.course import load_assignment
from autograder.grading.executors import Judges
from autograder.grading.folder import SALT, students
from autograder.grading.job import Job
from autograder.grading.judge_client import JudgeClient
from autograder.grading.run import Graders, grade_class
from autograder.judging.answers import reference_code
from autograder.records.feedback import Pages
from autograder.records.gradebook import GradebookError, Recorder
from autograder.results import Result, Store

FOUND = load_assignment("backprop")
KILLS = int(os.environ.get("HOSTILE_KILLS", "3"))
ANSWERED = ((), ("mse_loss",), ("activations",), ("mse_loss", "activations"))
"""What students answer, one after another: four marks, none of which takes long."""
MARKS = {
    f"s{number:02}": sum(FOUND.exercise(name).points for name in ANSWERED[number % 4])
    for number in range(12)
}


def write_class(course: Path) -> None:
    release = json.loads(FOUND.release.read_bytes())
    for number, student in enumerate(MARKS):
        code = {name: reference_code(FOUND, name) for name in ANSWERED[number % 4]}
        folder = course / "submitted" / student / "backprop"
        folder.mkdir(parents=True)
        (folder / "backprop.ipynb").write_text(json.dumps(demo.filled(release, code)))
        (folder / "timestamp.txt").write_text("2026-11-20 18:00:00 UTC")


def started(course: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "autograder", "grade", "backprop", "--course", str(course)]
    return subprocess.Popen(
        [*command, "--jobs", str(jobs)],
        env=os.environ | {"TMPDIR": str(course.parent / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stored(course: Path) -> int:
    return len(list((course / "results" / "backprop").glob("*.json")))


def moments(draw: random.Random, course: Path) -> Iterator[Callable[[], bool]]:
    """When to kill: the gradebook is being made, right after a result was written and is being
    recorded, any time during the class; then all over again."""
    while True:
        yield (course / "gradebook.db").exists
        before, more = stored(course), draw.randint(1, 3)
        yield lambda before=before, more=more: stored(course) >= before + more  # type: ignore[misc]
        begun, wait = time.monotonic(), draw.uniform(0, 10)
        yield lambda begun=begun, wait=wait: time.monotonic() > begun + wait  # type: ignore[misc]


def grade_with_kills(course: Path, kills: int) -> None:
    draw, written = random.Random(20261121), dict[Path, int]()
    (course.parent / "tmp").mkdir()
    with adopting() as all_ended:
        for number, reached in zip(range(kills), moments(draw, course), strict=False):
            grader = started(course, jobs=1 + number % 2)
            while not reached() and grader.poll() is None:
                time.sleep(0.002)
            time.sleep(draw.choice([0, 0.01, 0.05, 0.3]) * draw.random())
            grader.kill()
            grader.wait()
            all_ended()
            for path in (course / "results" / "backprop").glob("*.json"):
                assert json.loads(path.read_bytes())["points"] == MARKS[path.stem]
                assert written.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
        assert started(course, jobs=1).wait() == 0
        all_ended()
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())
    assert temporary(course.parent / "tmp") == []


@pytest.fixture(scope="session")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The class whose grader was killed; both workers of pytest share the folder."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    course = shared / "killed" / "course"
    with (shared / "killed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not course.exists():
            write_class(course)
            grade_with_kills(course, KILLS)
    return course


@pytest.fixture
def course(survivor: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(survivor, tmp_path / "course")


def again(course: Path, after: Callable[[Result], None] = lambda result: None) -> None:
    """The grader once more: everything is graded, and recorded again where it is not there."""
    sinks = [Recorder(course, [FOUND]), Pages(Recorder(course, [FOUND]))]
    steps = []
    for step in grade_class(FOUND, course, students(course, FOUND), sinks, Graders(1)):
        steps.append(step)
        after(step.now)
    assert [step.stays for step in steps] == [True] * len(MARKS)


def assert_all_is_there(course: Path) -> None:
    """Each submission once and whole: result, row in the gradebook, notebook, page."""
    results = {result.student: result for result in Store(course).all("backprop")}
    assert {student: result.points for student, result in results.items()} == MARKS
    assert {result.status for result in results.values()} == {"graded"}
    assert recorded(course) == MARKS
    for student in MARKS:
        place = Path(student, "backprop")
        json.loads((course / "autograded" / place / "backprop.ipynb").read_bytes())
        page = (course / "feedback" / place / "backprop.html").read_text("utf-8")
        assert page.rstrip().endswith("</html>")
    for folder in ("results", "autograded", "feedback"):
        found = {path.name for path in (course / folder).rglob("*")}
        assert not {name for name in found - {SALT} if name.startswith(".")}, "unfinished files"
    assert not list(course.glob("gradebook.db?*"))


def recorded(course: Path) -> dict[str, float]:
    query = """
        select student_id, sum(auto_score), count(*), count(distinct cell_id) from grade
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        join base_cell on base_cell.id = cell_id where base_cell.name like 'check_%'
        group by student_id"""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows = database.execute(query).fetchall()
        (whole,) = database.execute("pragma integrity_check").fetchone()
    assert whole == "ok"
    assert all(grades == cells == len(FOUND.exercises) for _, _, grades, cells in rows)
    return {student: score for student, score, _, _ in rows}


@pytest.mark.slow
def test_a_grader_killed_again_and_again_loses_and_doubles_nothing(survivor: Path) -> None:
    assert_all_is_there(survivor)


@pytest.mark.slow
def test_a_judge_whose_grader_is_gone_ends_with_the_submission_it_has() -> None:
    """This one would sleep, and wake up now and then, for minutes."""
    waits = "def mse_loss(y_pred, y_true):\n    import time\n    while True:\n"
    waits += "        time.sleep(0.3)\n        sum(range(10**5))\n"
    release = json.loads(FOUND.release.read_bytes())
    content = json.dumps(demo.filled(release, {"mse_loss": waits})).encode()
    job = Job(assignment="backprop", student="x", notebook=content, exercises=["mse_loss"])
    with adopting() as all_ended:
        judge = JudgeClient("backprop", "full")
        judge._line.send_bytes(msgspec.msgpack.encode(job))
        children = Path(f"/proc/{judge._process.pid}/task/{judge._process.pid}/children")
        while len(children.read_text().split()) < 2:  # the cage, and the fork that judges
            assert judge._process.poll() is None
            time.sleep(0.05)
        judge._line.close()
        judge._process.wait(100)
        all_ended()


@pytest.mark.slow
def test_a_gradebook_that_is_locked_for_a_while_is_waited_for(course: Path) -> None:
    other = sqlite3.connect(course / "gradebook.db", check_same_thread=False)
    released = threading.Timer(1.0, lambda: (other.rollback(), other.close()))

    def lock(result: Result) -> None:
        if result.student == "s05":
            other.execute("begin exclusive")
            released.start()

    again(course, lock)
    released.join()
    assert_all_is_there(course)


@pytest.mark.slow
@pytest.mark.parametrize("student", ["s00", "s05", "s10"])
def test_a_gradebook_removed_during_a_run_is_whole_at_its_end(course: Path, student: str) -> None:
    def remove(result: Result) -> None:
        if result.student == student:
            (course / "gradebook.db").unlink()

    again(course, remove)
    assert_all_is_there(course)


@pytest.mark.slow
def test_a_gradebook_that_cannot_be_written_is_one_sentence_and_a_repeat(course: Path) -> None:
    database = course / "gradebook.db"
    read_only = f"sqlite:///file:{database}?mode=ro&uri=true"
    before = database.read_bytes()
    other = Store(course).all("backprop")[0]
    other.exercises[0].points += 0.5
    with pytest.raises(GradebookError, match=r"cannot be used: .*readonly") as raised:
        Recorder(course, [FOUND], db_url=read_only).record(other)
    assert str(course / "results") in str(raised.value)
    assert database.read_bytes() == before
    again(course)
    assert_all_is_there(course)


@pytest.mark.slow
def test_folders_removed_during_a_run_are_whole_after_the_next(course: Path) -> None:
    kept = shutil.copytree(course / "results", course / "kept")

    def remove(result: Result) -> None:
        if result.student == "s05":
            for folder in ("results", "autograded", "feedback"):
                shutil.rmtree(course / folder)
            shutil.copytree(kept, course / "results")

    again(course, remove)
    assert recorded(course) == MARKS
    again(course)
    assert_all_is_there(course)


@pytest.mark.slow
def test_a_cage_that_is_killed_costs_no_mark() -> None:
    slow = "import time\ndef mse_loss(y_pred, y_true):\n    time.sleep(1)\n    return 0.0"
    code = {name: reference_code(FOUND, name) for name in ("activations", "he_initialise")}
    release = json.loads(FOUND.release.read_bytes())
    notebook = json.dumps(demo.filled(release, code | {"mse_loss": slow})).encode()
    job = Job(assignment=FOUND.name, student="ada", notebook=notebook)
    with contextlib.closing(Judges("full")) as judges:
        before = judges.grade(job)
        (judge,) = judges.all
        (cage,) = psutil.Process(judge._process.pid).children()
        threading.Timer(2.0, cage.kill).start()
        after = judges.grade(job)
        assert len(judges.all) == 2, "the first judge is replaced"
    assert (after.status, after.points) == ("graded", before.points)


@pytest.mark.slow
def test_a_clock_that_was_set_back_changes_nothing(course: Path) -> None:
    """Every file is from the future, and so are the times of submission."""
    later = time.time() + 10 * 365 * 86400
    for path in course.rglob("*"):
        os.utime(path, (later, later))
    for path in (course / "submitted").glob("*/backprop/timestamp.txt"):
        path.write_text("2099-01-01 00:00:00 UTC")
    again(course)
    assert_all_is_there(course)
