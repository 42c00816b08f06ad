"""Where results go: nbgrader's gradebook, autograded notebooks, feedback, nbgrader's commands."""

from __future__ import annotations

import contextlib
import copy
import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import nbformat
import pytest
import toy_course
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Base, Grade, Gradebook
from sqlalchemy import event
from test_collect import archive
from test_shared_course import as_user, let_all_in
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
from typer.testing import CliRunner

from autograder import course
from autograder.authoring.build import build
from autograder.cli import app
from autograder.cli.exchange import drop
from autograder.cli.grading import _print_absent, _print_changes, _print_class
from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.exchange.collect import collect
from autograder.exchange.export import gradescope_files, table
from autograder.exchange.returning import feedback_archive
from autograder.files import in_turn, remove_unfinished
from autograder.grading import executors
from autograder.grading.folder import only_grader, students
from autograder.grading.job import Job
from autograder.grading.run import Change
from autograder.judging.answers import reference_code
from autograder.judging.judge import Judge
from autograder.judging.outline import answer_cells, outline_of
from autograder.judging.student import Student
from autograder.judging.submission import read_submission
from autograder.records.collected import Collected, save
from autograder.records.feedback import Pages, page_of
from autograder.records.gradebook import GradebookError, Recorder, givers, notebooks
from autograder.records.gradebook.marks import ByHand, InWords, of_checks
from autograder.records.gradebook.notebooks import autograded_notebook
from autograder.records.gradebook.students import Known
from autograder.records.gradebook.times import submission_time
from autograder.records.history import save_policy
from autograder.records.overview import write_overview
from autograder.records.report import read_report, render, write_report
from autograder.results import CheckResult, ExerciseResult, Result, Store, dropped, save_dropped
from autograder.sandbox.protocol import InProcess

Notebook = dict[str, Any]
CONFIG = toy_course.REPOSITORY / "nbgrader_config.py"
ANSWERS = toy_course.RIGHT | {"oscillator": "class Oscillator(nn.Module):\n    pass\n"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \x1b[31m\u202e\x00 {{ 7 * 7 }}"


def judged_here(
    assignment: Assignment,
    student: str,
    notebook: bytes | None,
    salt: str = "",
    *,
    problem: str = "",
    weakest: str = "full",
) -> Result:
    """Like a warm judge, in this process: real marks for a made-up course."""
    sha256 = hashlib.sha256(notebook or problem.encode()).hexdigest()
    result = Result(
        assignment=assignment.name,
        student=student,
        points=0.0,
        max_points=assignment.points,
        isolation="none",
        submission_sha256=sha256,
        checks_sha256="",
        seconds=0.0,
        status="unreadable",
        message=problem,
    )
    if notebook is None:
        return result
    try:
        submission = read_submission(notebook, assignment)
    except SubmissionError as error:
        result.message = str(error)
        return result
    student_ = Student(InProcess(submission.cells))
    result.exercises = Judge(assignment).judge(student_, salt)
    result.points = sum(exercise.points for exercise in result.exercises)
    result.status, result.notes = "graded", submission.notes
    return result


class JudgesHere:
    """In place of `executors.judges`."""

    def __init__(self, weakest: str) -> None:
        pass

    def grade(self, job: Job) -> Result:
        found = course.load_assignment(job.assignment)
        result = judged_here(found, job.student, job.notebook, job.salt, problem=job.problem)
        result.notes = [*job.notes, *result.notes]
        return result


# ------------------------------------------------------------------------ the made-up course


def filled(assignment: Assignment, answers: dict[str, str]) -> Notebook:
    notebook: Notebook = json.loads(assignment.release.read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return notebook


def right(found: Assignment) -> dict[str, str]:
    """The reference's answers."""
    return {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}


NO_LATE_POINTS = "c.LateSubmissionPlugin.penalty_method = 'zero'"


def configured(course_dir: Path, setting: str) -> None:
    (course_dir / "nbgrader_config.py").write_text(f"c = get_config()\n{setting}\n")


def hand_in(
    course_dir: Path,
    student: str,
    notebook: Notebook | bytes | None,
    *,
    name: str = "springs",
    file: str = "springs.ipynb",
    stamp: str | bytes = "2026-11-20 18:00:00 UTC",
) -> str:
    """Writes a submission; the hash of the notebook's bytes."""
    folder = course_dir / "submitted" / student / name
    folder.mkdir(parents=True, exist_ok=True)
    if stamp:
        (folder / "timestamp.txt").write_bytes(
            stamp if isinstance(stamp, bytes) else stamp.encode()
        )
    if notebook is None:
        return ""
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    (folder / file).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def result(
    springs: Assignment,
    student: str = "ada",
    points: tuple[float, ...] = (6, 2, 0),
    sha256: str = "",
    **fields: Any,
) -> Result:
    """A made-up result; exercises short of full marks have a message and a hint."""
    exercises = []
    for exercise, earned in zip(springs.exercises, points, strict=True):
        right = earned == exercise.points
        exercises.append(
            ExerciseResult(
                name=exercise.name,
                points=earned,
                max_points=exercise.points,
                status="right" if right else "partly" if earned else "wrong",
                message="" if right else f"{exercise.name}  ✗ is so\n   problem   is not so",
                hint="" if right else f"Look at {exercise.name} again.",
                checks=[
                    CheckResult(name="a", title="is so", outcome="failed", hidden=False, seconds=0),
                    CheckResult(
                        name="b",
                        title="is a secret property",
                        outcome="passed" if right else "failed",
                        hidden=True,
                        seconds=0,
                        message="" if right else "expected 1234.5",
                    ),
                ],
            )
        )
    values: dict[str, Any] = {
        "assignment": "springs",
        "student": student,
        "points": sum(points),
        "max_points": springs.points,
        "isolation": "full",
        "submission_sha256": sha256,
        "checks_sha256": "",
        "seconds": 0.1,
        "status": "graded",
        "exercises": exercises,
    }
    return Result(**(values | fields))


def unreadable(springs: Assignment, student: str = "ada") -> Result:
    made = result(springs, student, (0, 0, 0), status="unreadable", message="the file is empty")
    for exercise in made.exercises:
        exercise.status, exercise.message, exercise.hint, exercise.checks = (
            "missing",
            made.message,
            "",
            [],
        )
    return made


def rows(course_dir: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(course_dir / "gradebook.db")) as database:
        return database.execute(query).fetchall()


def change(course_dir: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(course_dir / "gradebook.db")) as database:
        database.execute(statement)
        database.commit()


def give(course_dir: Path, points: float) -> None:
    """By hand, for the oscillator."""
    cell = "(select id from base_cell where name = 'check_oscillator')"
    change(course_dir, f"update grade set manual_score = {points} where cell_id = {cell}")


GRADES = """\
select submitted_assignment.student_id, base_cell.name, auto_score, manual_score, extra_credit,
       needs_manual_grade
from grade join base_cell on base_cell.id = cell_id
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
order by 1, 2"""
COMMENTS = """\
select base_cell.name, auto_comment, manual_comment
from comment join base_cell on base_cell.id = cell_id order by 1"""
SCORES = """\
select student_id, sum(auto_score) from grade
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
group by student_id"""
CELLS = """\
select name, cell_type, locked, source, checksum from source_cell order by name;
select name, type, max_score from base_cell left join grade_cells using (id) order by 1, 2;
select notebook.name, assignment.name from notebook join assignment
  on assignment.id = assignment_id"""


def grades(course_dir: Path) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(rest) for _, name, *rest in rows(course_dir, GRADES)}


def generate_assignment(course_dir: Path, assignment: Assignment) -> dict[str, Any]:
    """nbgrader's own, in a course directory with this source."""
    from nbgrader.apps import NbGraderAPI

    if not (course_dir / "source").exists():
        shutil.copytree(assignment.source.parent, course_dir / "source" / assignment.name)
    config = configuration(course_dir)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, Any] = NbGraderAPI(config=config).generate_assignment(assignment.name)
    return found


def configuration(course_dir: Path) -> Config:
    config = PyFileConfigLoader(CONFIG.name, path=str(CONFIG.parent)).load_config()
    config.CourseDirectory.root = str(course_dir)
    return config


# ------------------------------------------------------------------------ the gradebook


def test_the_cells_are_those_that_nbgrader_saves(springs: Assignment, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    Recorder(ours, [springs])
    assert generate_assignment(theirs, springs)["success"]
    for query in CELLS.split(";"):
        assert rows(ours, query) == rows(theirs, query) != []
    released = (theirs / "release" / "springs" / "springs.ipynb").read_text(encoding="utf-8")
    ids = [cell["source"] for cell in json.loads(released)["cells"]]
    assert ids == [cell["source"] for cell in json.loads(springs.release.read_bytes())["cells"]]


def test_a_result_is_what_nbgraders_own_interface_reads(
    springs: Assignment, tmp_path: Path
) -> None:
    ada_recorded(springs, tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        submission = book.find_submission("springs", "ada")
        assert (submission.score, submission.max_score) == (8.0, 15.0)
        assert submission.timestamp == datetime(2026, 11, 20, 18)
        assert not submission.needs_manual_grade
        notebook = book.find_submission_notebook("springs", "springs", "ada")
        assert notebook.failed_tests
        for name, points in (("spring_force", 6), ("energies", 2), ("oscillator", 0)):
            grade = book.find_grade(f"check_{name}", "springs", "springs", "ada")
            assert (grade.auto_score, grade.needs_manual_grade) == (points, False)
        said = {
            c.name: book.find_comment(c.name, "springs", "springs", "ada").comment
            for c in notebook.comments
        }
    assert said == {
        "spring_force": None,
        "energies": "Look at energies again.\n\n    energies  ✗ is so\n       problem   is not so",
        "oscillator": (
            "Look at oscillator again.\n\n    oscillator  ✗ is so\n       problem   is not so"
        ),
    }


def test_recording_twice_changes_nothing(springs: Assignment, tmp_path: Path) -> None:
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))

    def everything() -> list[str]:
        with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
            return list(database.iterdump())

    recorder = Recorder(tmp_path, [springs])
    recorder.record(result(springs))
    first, path = everything(), recorder.autograded(result(springs))
    notebook = path.read_bytes()
    recorder.record(result(springs))
    Recorder(tmp_path, [springs]).record(result(springs))
    assert everything() == first
    assert path.read_bytes() == notebook


def test_what_was_given_by_hand_stays(springs: Assignment, tmp_path: Path) -> None:
    ada_recorded(springs, tmp_path)
    cell = "(select id from base_cell where name = '{}' and type = '{}')"
    force, energies = (cell.format(f"check_{n}", "GradeCell") for n in ("spring_force", "energies"))
    change(tmp_path, f"update grade set manual_score = 5.5 where cell_id = {force}")
    change(tmp_path, f"update grade set extra_credit = 1 where cell_id = {energies}")
    solution = cell.format("energies", "SolutionCell")
    change(tmp_path, f"update comment set manual_comment = 'Nice' where cell_id = {solution}")
    Recorder(tmp_path, [springs]).record(result(springs, points=(3, 4, 0)))
    assert grades(tmp_path) == {
        "check_energies": (4.0, None, 1.0, 0),
        "check_oscillator": (0.0, None, None, 0),
        "check_spring_force": (3.0, 5.5, None, 1),
    }
    assert ("energies", None, "Nice") in rows(tmp_path, COMMENTS)


def test_a_graders_error_is_never_a_zero(springs: Assignment, tmp_path: Path) -> None:
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    recorder = Recorder(tmp_path, [springs])
    recorder.record(result(springs, points=(6, 4, 5)))
    failed = result(springs, points=(6, 1, 0), status="grader_error", message="it broke")
    failed.exercises[1].status = "error"
    recorder.record(failed)
    assert grades(tmp_path) == {
        "check_energies": (None, None, None, 1),
        "check_oscillator": (0.0, None, None, 1),
        "check_spring_force": (6.0, None, None, 1),
    }
    lost = result(springs, status="grader_error", message="it broke", exercises=[])
    recorder.record(lost)
    assert set(grades(tmp_path).values()) == {(None, None, None, 1)}


def test_an_unreadable_submission_is_zero_with_its_cause(
    springs: Assignment, tmp_path: Path
) -> None:
    hand_in(tmp_path, "ada", b"")
    Recorder(tmp_path, [springs]).record(unreadable(springs))
    assert set(grades(tmp_path).values()) == {(0.0, None, None, 0)}
    assert {said for _, said, _ in rows(tmp_path, COMMENTS)} == {"    the file is empty"}


def test_nbgraders_generate_assignment_still_works_and_keeps_marks(
    springs: Assignment, tmp_path: Path
) -> None:
    ada_recorded(springs, tmp_path)
    before = rows(tmp_path, GRADES)
    assert generate_assignment(tmp_path, springs)["success"]
    assert rows(tmp_path, GRADES) == before


def test_a_gradebook_follows_a_changed_course(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada_recorded(springs, tmp_path)
    cell = "(select id from base_cell where name = 'check_energies')"
    change(tmp_path, f"update grade set manual_score = 3 where cell_id = {cell}")

    # Another course: worth 60 points, without its last two exercises.
    root = tmp_path / "changed"
    for kind in ("source", "release"):
        path = root / kind / "springs" / "springs.ipynb"
        path.parent.mkdir(parents=True)
        notebook = json.loads(getattr(springs, kind).read_bytes())
        gone = ("energies", "check_energies", "oscillator", "check_oscillator")
        notebook["cells"] = [c for c in notebook["cells"] if c["id"] not in gone]
        for c in notebook["cells"]:
            if c["id"] == "check_spring_force":
                c["metadata"]["nbgrader"]["points"] = 60
        path.write_text(json.dumps(notebook), encoding="utf-8")
    (root / "reference_impl").symlink_to(course.ROOT / "reference_impl")
    monkeypatch.setattr(course, "ROOT", root)
    fewer = msgspec.structs.replace(springs, exercises=springs.exercises[:1])
    changed = result(springs, points=(6, 0, 0))
    changed.exercises = changed.exercises[:1]
    Recorder(tmp_path, [fewer]).record(changed)
    Recorder(tmp_path, [fewer])  # the first one found ada's old marks on the cells that are gone
    assert rows(
        tmp_path,
        "select name, type, max_score from base_cell left join grade_cells using (id)"
        " order by 1, 2",
    ) == [
        ("check_energies", "GradeCell", 0.0),  # marked by hand: stays
        ("check_spring_force", "GradeCell", 60.0),
        ("spring_force", "SolutionCell", None),
    ]
    assert grades(tmp_path) == {
        "check_energies": (None, 3.0, None, 0),
        "check_spring_force": (6.0, None, None, 0),
    }

    # And back again.
    monkeypatch.setattr(course, "ROOT", springs.source.parents[2])
    monkeypatch.undo()
    Recorder(tmp_path, [springs]).record(result(springs, points=(6, 4, 5)))
    assert grades(tmp_path)["check_energies"] == (4.0, 3.0, None, 1)
    assert grades(tmp_path)["check_oscillator"] == (5.0, None, None, 0)


def test_a_locked_gradebook_is_waited_for_and_then_named(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.records.gradebook.recorder.PATIENCE", 0.3)
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    recorder = Recorder(tmp_path, [springs])
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as other:
        other.execute("begin exclusive")
        started = time.monotonic()
        with pytest.raises(GradebookError, match="locked by another program") as raised:
            recorder.record(result(springs))
        assert 0.25 < time.monotonic() - started < 10
        assert str(tmp_path / "gradebook.db") in str(raised.value)
        assert str(tmp_path / "results") in str(raised.value)
        with pytest.raises(GradebookError, match="locked"):
            Recorder(tmp_path, [springs])
        other.rollback()
    recorder.record(result(springs))
    assert grades(tmp_path)["check_spring_force"][0] == 6.0


def test_a_disk_that_is_full_before_the_source_is_there_says_so_and_holds_no_part_of_it(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter(range(3))

    def written(descriptor: int) -> None:
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", written)
    with pytest.raises(OSError, match="No space left") as raised:
        Recorder(tmp_path, [springs])
    assert raised.value.errno == errno.ENOSPC  # of which the command makes one sentence
    assert not list((tmp_path / "source").iterdir())
    monkeypatch.undo()
    Recorder(tmp_path, [springs])
    (folder,) = (tmp_path / "source").iterdir()
    assert (folder / "springs.ipynb").read_bytes() == springs.source.read_bytes()
    assert (folder / "coursekit").is_dir()
    assert not list(folder.rglob(".*"))


def test_a_gradebook_that_cannot_be_used_is_named(springs: Assignment, tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"this is no database, but something else" * 100)
    with pytest.raises(GradebookError, match=r"gradebook\.db cannot be used: .*not a database"):
        Recorder(tmp_path, [springs])
    with pytest.raises(GradebookError, match="cannot be used: unable to open"):
        Recorder(tmp_path, [springs], db_url=f"sqlite:///{tmp_path}/no/such/folder.db")
    assert issubclass(GradebookError, CourseError), "the command line prints it as a sentence"


def test_a_new_gradebook_holds_what_was_recorded_before(
    springs: Assignment, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path, [springs])
    for student in ("ada", "ben"):
        hand_in(tmp_path, student, filled(springs, ANSWERS))
        Store(tmp_path).save(result(springs, student))
        recorder.record(result(springs, student))
    before = rows(tmp_path, GRADES)
    (tmp_path / "gradebook.db").unlink()
    recorder.record(result(springs, "ben"))
    assert rows(tmp_path, GRADES) == before


def test_tables_are_made_at_one_blow(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grader that ends while it makes them leaves a database that the next can use."""

    def end(connection: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Base.metadata, "create_all", end)
        with pytest.raises(KeyboardInterrupt):
            Recorder(tmp_path, [springs])
    ada_recorded(springs, tmp_path)
    assert grades(tmp_path)["check_spring_force"][0] == 6.0


def test_a_new_gradebook_is_made_as_nbgrader_makes_it(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    Gradebook(f"sqlite:///{theirs}/gradebook.db").close()
    monkeypatch.setenv("PATH", "/nowhere")  # an environment that is not activated
    Recorder(ours, [springs])
    for query in (
        "select type, name, tbl_name, sql from sqlite_master where name != 'alembic_version'"
        " order by 1, 2",
        "select version_num from alembic_version",
        "select id from course",
    ):
        assert rows(ours, query) == rows(theirs, query) != []


# ------------------------------------------------------------------------ times and penalties


DAYS = ("13.02.2026", "Feb 13 2026", "2026/02/13", "2026-2-13")
HALVES = ("12", "18:00", "2026", "November 2026", "Friday 18:00 UTC")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20 18:00:00 UTC", datetime(2026, 11, 20, 18)),
        ("2026-11-20 18:00:00.25 Europe/Berlin\n", datetime(2026, 11, 20, 17, 0, 0, 250000)),
        ("2026-11-20T18:00:00+0200", datetime(2026, 11, 20, 16)),
        *((day, datetime(2026, 2, 13)) for day in DAYS),
        *((half, None) for half in HALVES),
        ("", None),
        ("yesterday", None),
        ("<script>", None),
        ("99999-01-01 00:00:00 UTC", None),
        ("0001-01-01 00:00:00 +1400", None),
        (b"\xff\xfe\x00", None),
        (b"9" * 5000, None),
    ],
)
def test_a_time_is_read_or_ignored(tmp_path: Path, text: str | bytes, moment: Any) -> None:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "timestamp.txt").write_bytes(data)
    found, kept, notes = submission_time(tmp_path)
    assert found == moment
    if moment is None:
        assert (kept, notes) == ("", ["timestamp.txt is no time and was ignored"])
    else:
        assert (kept.encode(), notes) == (data, [])


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9:+. UTCZ-]{1,40}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,5}([-/. T])11\1(?:20) .{0,12} -?[0-9]{1,9}", fullmatch=True)
)
def test_any_text_is_a_time_or_ignored(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "timestamp.txt").write_text(text, "utf-8", "replace")
        moment, kept, notes = submission_time(Path(folder))
    assert (moment is None) == bool(notes) == (not kept)


def test_what_is_no_time_is_said_once_in_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "timestamp.txt").write_text("tomorrow")
    for _ in range(3):
        assert submission_time(tmp_path)[2]
    assert caplog.text.count("is no time and is ignored") == 1


def test_a_pipe_or_a_link_is_no_time(tmp_path: Path) -> None:
    assert submission_time(tmp_path) == (None, "", [])
    os.mkfifo(tmp_path / "timestamp.txt")
    assert submission_time(tmp_path)[2]
    (tmp_path / "timestamp.txt").unlink()
    (tmp_path / "time").write_text("2026-11-20 18:00:00 UTC")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "time")
    assert submission_time(tmp_path)[0] is None


PENALTY = "select late_submission_penalty from submitted_notebook"
PLUGIN = """\
from nbgrader.plugins import BasePlugin
class TwoPerHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 2 * total_seconds_late / 3600
"""


def late(course_dir: Path, hours: float) -> None:
    due = datetime(2026, 11, 20, 18) - timedelta(hours=hours)
    change(course_dir, f"update assignment set duedate = '{due:%Y-%m-%d %H:%M:%S.000000}'")


def ada_recorded(springs: Assignment, course_dir: Path, hours: float | None = None) -> Recorder:
    """Who recorded ada's submission, which may have come so many hours late."""
    hand_in(course_dir, "ada", filled(springs, ANSWERS))
    recorder = Recorder(course_dir, [springs])
    if hours is not None:
        late(course_dir, hours)
    recorder.record(result(springs))
    return recorder


@pytest.mark.parametrize(
    ("setting", "hours", "penalty"),
    [
        ("", 5, None),
        (NO_LATE_POINTS, 5, 8.0),
        (NO_LATE_POINTS, -1, None),
        (PLUGIN + "c.AssignLatePenalties.plugin_class = TwoPerHour", 1.5, 3.0),
        (PLUGIN + "c.AssignLatePenalties.plugin_class = TwoPerHour", 50, 8.0),
    ],
)
def test_late_penalties_are_nbgraders(
    springs: Assignment, tmp_path: Path, setting: str, hours: float, penalty: float | None
) -> None:
    configured(tmp_path, setting)
    ada_recorded(springs, tmp_path, hours)
    assert rows(tmp_path, PENALTY) == [(penalty,)]


@pytest.mark.parametrize("gives", ["'5'", "[1]", "float('nan')", "1 / 0", "float('inf')", "None"])
def test_whatever_a_courses_own_penalty_gives_stops_nobody(
    springs: Assignment, tmp_path: Path, gives: str
) -> None:
    plugin = PLUGIN.replace("2 * total_seconds_late / 3600", gives)
    configured(tmp_path, f"{plugin}c.AssignLatePenalties.plugin_class = TwoPerHour")
    recorder = ada_recorded(springs, tmp_path, 5)
    (mark,) = recorder.marks(springs)
    assert mark.total == {"'5'": 3.0, "float('inf')": 0.0}.get(gives, 8.0)


@pytest.mark.parametrize(
    "setting",
    [
        "c.AssignLatePenalties.plugin_class = 'late_here.Half'",
        "from late_here import Half\nc.AssignLatePenalties.plugin_class = Half",
    ],
)
def test_a_penalty_may_be_a_module_beside_the_configuration(
    springs: Assignment, tmp_path: Path, setting: str
) -> None:
    """As in nbgrader's documentation; wherever the command is given."""
    (tmp_path / "late_here.py").write_text(
        "from nbgrader.plugins import BasePlugin\n\n\nclass Half(BasePlugin):\n"
        "    def late_submission_penalty(self, student, score, seconds):\n"
        "        return score / 2\n"
    )
    configured(tmp_path, setting)
    recorder = ada_recorded(springs, tmp_path, 5)
    assert [mark.total for mark in recorder.marks(springs)] == [4]
    assert str(tmp_path) not in sys.path
    sys.modules.pop("late_here")


@pytest.mark.parametrize(
    "setting",
    [
        "c.LateSubmissionPlugin.penalty_method = 'cube'",
        "c.AssignLatePenalties.plugin_class = 'no.such.Plugin'",
        "c.CourseDirectory.db_url = 'gradebook.db'",
        "c.CourseDirectory.db_url = 3",
        "c.CourseDirectory.db_url =",
    ],
)
def test_a_slip_in_a_courses_configuration_is_one_sentence(
    springs: Assignment, tmp_path: Path, setting: str
) -> None:
    configured(tmp_path, setting)
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"):
        Recorder(tmp_path, [springs])


def test_a_database_without_its_driver_is_one_sentence(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(GradebookError, match="pymysql"):
        Recorder(tmp_path, [springs], db_url="mysql+pymysql://nobody/nothing")


def test_two_courses_do_not_share_a_gradebook(springs: Assignment, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/all.db"
    for name in ("mechanics", "optics"):
        (tmp_path / name).mkdir()
        config = f"c.CourseDirectory.db_url = {url!r}\nc.CourseDirectory.course_id = {name!r}\n"
        (tmp_path / name / "nbgrader_config.py").write_text(config)
    Recorder(tmp_path / "mechanics", [springs]).record(result(springs))
    with pytest.raises(GradebookError, match="holds the course mechanics, and this is optics"):
        Recorder(tmp_path / "optics", [springs])
    assert len(Recorder(tmp_path / "mechanics", [springs]).marks(springs)) == 1


def test_a_database_named_without_a_folder_lies_in_the_courses(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is given: nbgrader's own are given there."""
    course_dir, elsewhere = tmp_path / "course", tmp_path / "elsewhere"
    for folder in (course_dir, elsewhere):
        folder.mkdir()
    config = "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///marks.db'\n"
    (course_dir / "nbgrader_config.py").write_text(config)
    monkeypatch.chdir(elsewhere)
    Recorder(course_dir, [springs])
    assert (course_dir / "marks.db").is_file()
    assert not any(elsewhere.iterdir())


@pytest.mark.parametrize("url", ["sqlite:///marks.db", "sqlite:///file:{}/marks.db?uri=true"])
def test_a_gradebook_is_read_wherever_the_configuration_names_it(
    url: str, springs: Assignment, tmp_path: Path
) -> None:
    configured(tmp_path, f"c.CourseDirectory.db_url = {url.format(tmp_path)!r}")
    Store(tmp_path).save(result(springs))
    Recorder(tmp_path, [springs]).record(result(springs))
    assert not (tmp_path / "gradebook.db").exists()
    with sqlite3.connect(tmp_path / "marks.db") as database:
        database.execute("update grade set manual_score = 1 where auto_score = 6")
    (submission,) = read_report("springs", tmp_path).submissions
    assert submission.mark.total == 3
    assert float(as_csv(tmp_path, springs, "csv")[1][-2]) == 3


def test_a_second_notebook_in_the_gradebook_is_nobodys_mark(
    springs: Assignment, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path, [springs])
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.update_or_create_notebook("extra", "springs")
        book.update_or_create_grade_cell("more", "extra", "springs", max_score=3, cell_type="code")
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    recorder.record(result(springs))
    assert [mark.total for mark in recorder.marks(springs)] == [8]


def test_a_penalty_counts_what_was_given_by_hand(springs: Assignment, tmp_path: Path) -> None:
    configured(tmp_path, NO_LATE_POINTS)
    recorder = ada_recorded(springs, tmp_path, 5)
    cell = "(select id from base_cell where name = 'check_oscillator')"
    change(
        tmp_path, f"update grade set manual_score = 3, extra_credit = 0.5 where cell_id = {cell}"
    )
    (mark,) = recorder.marks(springs)  # as for an export: nothing was graded since
    assert (mark.points, mark.total) == (11.5, 0.0)
    assert rows(tmp_path, PENALTY) == [(11.5,)]
    recorder.record(result(springs))
    assert rows(tmp_path, "select sum(coalesce(manual_score, auto_score)) from grade") == [(11.0,)]
    assert rows(tmp_path, PENALTY) == [(11.5,)]


def test_a_gradebook_that_may_only_be_read_stops_no_export(
    springs: Assignment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a backup; what being late costs by now is told, and not written."""
    configured(tmp_path, NO_LATE_POINTS)
    recorder = ada_recorded(springs, tmp_path, 5)
    give(tmp_path, 3)
    url = f"sqlite:///file:{tmp_path}/gradebook.db?mode=ro&uri=true"
    (mark,) = Recorder(tmp_path, [springs], db_url=url).marks(springs)
    assert (mark.points, mark.total) == (11.0, 0.0)
    assert "late costs by now was not written" in caplog.text
    assert rows(tmp_path, PENALTY) == [(8.0,)]
    recorder.marks(springs)
    assert rows(tmp_path, PENALTY) == [(11.0,)]


def test_an_extension_counts(springs: Assignment, tmp_path: Path) -> None:
    configured(tmp_path, NO_LATE_POINTS)
    recorder = ada_recorded(springs, tmp_path, 5)
    assert rows(tmp_path, PENALTY) == [(8.0,)]
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.grant_extension("springs", "ada", hours=6)
    (mark,) = recorder.marks(springs)
    assert (mark.total, mark.story) == (8.0, [])
    assert rows(tmp_path, PENALTY) == [(None,)]
    recorder.record(result(springs))
    assert rows(tmp_path, PENALTY) == [(None,)]


def test_the_courses_own_configuration_names_the_database(
    springs: Assignment, tmp_path: Path
) -> None:
    config = tmp_path / "nbgrader_config.py"
    config.write_text(
        f"c = get_config()\nc.CourseDirectory.db_url = 'sqlite:///{tmp_path}/other.db'\n"
    )
    ada_recorded(springs, tmp_path)
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "gradebook.db").exists()
    config.write_text("1 / 0")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py stopped with ZeroDivisionError"):
        Recorder(tmp_path, [springs])


# ------------------------------------------------------------------------ autograded notebooks


def autograded(
    springs: Assignment, notebook: Notebook | None, made: Result | None = None
) -> dict[str, Notebook]:
    """The autograded notebook's cells by their ids, after a look at the whole of it."""
    submission = None
    if notebook is not None:
        submission = read_submission(json.dumps(notebook).encode(), springs)
    found = autograded_notebook(springs, made or result(springs), submission)
    nbformat.validate(nbformat.from_dict(found))
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    released = json.loads(springs.release.read_bytes())["cells"]
    assert [i for i in ids if not i.startswith(("student-", "grader-"))] == [
        cell["id"] for cell in released
    ]
    by_id = {cell["id"]: cell for cell in found["cells"]}
    for cell in released:  # never a student's word on points, locks and locked text
        assert by_id[cell["id"]]["metadata"] == cell["metadata"]
        if cell["metadata"].get("nbgrader", {}).get("locked"):
            assert by_id[cell["id"]]["source"] == cell["source"]
    return by_id


def test_an_autograded_notebook_shows_answers_and_verdicts(springs: Assignment) -> None:
    cells = autograded(springs, filled(springs, ANSWERS))
    assert {name: cells[name]["source"] for name in ANSWERS} == ANSWERS
    assert "grader-remarks" not in cells
    (output,) = cells["check_energies"]["outputs"]
    assert output["data"]["text/plain"] == (
        "energies: the checks give 2 of 4 points\n\nenergies  ✗ is so\n   problem   is not so\n\n"
        "hint: Look at energies again.\n\n✗ is so\n✗ is a secret property (hidden)"
    )
    assert "<li>✗ is a secret property (hidden)</li>" in output["data"]["text/html"]
    (output,) = cells["check_spring_force"]["outputs"]
    assert output["data"]["text/plain"].startswith(
        "spring_force: the checks give 6 of 6 points\n\n✗ is so\n✓ is a"
    )
    everything = json.dumps(cells)
    assert "1234.5" not in everything, "a hidden check appears by its title only"
    assert "HIDDEN TESTS" not in everything


def test_tampering_with_structure_does_not_show(springs: Assignment) -> None:
    notebook = filled(springs, ANSWERS)
    for cell in notebook["cells"]:
        if cell["id"].startswith("check_"):
            cell["source"] = "print('passed')"
            cell["metadata"]["nbgrader"]["points"] = 1000
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": HOSTILE}]
    notebook["cells"].reverse()
    notebook["metadata"] = {"kernelspec": {"name": "evil"}}
    cells = autograded(springs, notebook)
    assert "alert" not in json.dumps(cells)
    assert cells["spring_force"]["source"] == ANSWERS["spring_force"]


def test_all_that_ran_is_there_to_be_read(springs: Assignment) -> None:
    """Whoever changes Python in a cell that seems to be the course's own is to be seen there."""
    notebook = filled(springs, ANSWERS)
    new = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    written = []
    for cell in list(notebook["cells"]):
        if cell["cell_type"] == "code":
            copies = [cell | {"source": f"mine_{len(written) + n} = 1"} for n in (0, 1)]
            written += [copy["source"] for copy in copies]
            notebook["cells"] += copies
    notebook["cells"].append(new | {"id": "z", "source": "added = 1"})
    submission = read_submission(json.dumps(notebook).encode(), springs)
    ran = [cell for cell in submission.notebook if cell.number in submission.ran]
    assert {"the setup cell", "the changed setup cell"} <= {cell.label for cell in submission.cells}
    found = autograded_notebook(springs, result(springs), submission)["cells"]
    shown = "\n".join("".join(cell["source"]) for cell in found if cell["cell_type"] == "code")
    assert [cell.source for cell in ran if cell.source not in shown] == []


def test_what_a_student_added_stays_where_it_stood(springs: Assignment) -> None:
    notebook = filled(springs, ANSWERS)
    at = [cell["id"] for cell in notebook["cells"]].index("spring_force")
    new = {"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "execution_count": None}
    prose = {"cell_type": "markdown", "id": "y", "metadata": {}, "source": HOSTILE}
    notebook["cells"][at:at] = [prose, new | {"source": "k = 3"}]
    notebook["cells"].insert(0, new | {"id": "z", "source": "import math"})
    cells = autograded(springs, notebook)
    ids = list(cells)
    assert ids[0] == "student-1"
    assert cells["student-1"]["source"] == "import math"
    place = ids.index("spring_force")
    assert ids[place - 2 : place] == [f"student-{at + 2}", f"student-{at + 3}"]
    shown = cells[f"student-{at + 2}"]["source"]
    assert shown.startswith("    <script>"), "shown as typed, in a block, and never rendered"
    assert not set("\x1b\u202e\x00") & set(shown)


def test_answers_without_metadata_are_found_by_what_they_define(springs: Assignment) -> None:
    notebook = filled(springs, ANSWERS)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    cells = autograded(springs, notebook | {"nbformat_minor": 4})
    assert {name: cells[name]["source"] for name in ANSWERS} == ANSWERS
    assert not any(name.startswith("student-") for name in cells)


def test_of_two_cells_for_one_exercise_the_one_that_counts_is_shown(springs: Assignment) -> None:
    notebook = filled(springs, ANSWERS)
    twin = copy.deepcopy(next(c for c in notebook["cells"] if c["id"] == "spring_force"))
    twin |= {"id": "twin", "source": "def spring_force(x, k):\n    return 0\n"}
    notebook["cells"].append(twin)
    cells = autograded(springs, notebook)
    assert cells["spring_force"]["source"] == twin["source"]
    assert ANSWERS["spring_force"] in [c["source"] for n, c in cells.items() if "student" in n]


def test_edited_prose_and_parameters_are_shown(springs: Assignment) -> None:
    notebook = filled(springs, ANSWERS | {"parameters": "fast = True", "text_title_1": "# <b>Mine"})
    cells = autograded(springs, notebook)
    assert cells["parameters"]["source"] == "fast = True"
    assert cells["text_title_1"]["source"] == "    # <b>Mine"
    assert not any(name.startswith("student-") for name in cells)


def test_what_is_missing_or_unreadable_is_said(springs: Assignment) -> None:
    made = unreadable(springs)
    made.notes = [HOSTILE]
    cells = autograded(springs, None, made)
    remarks = cells["grader-remarks"]["source"]
    assert remarks.startswith("**Remarks of the grader**\n\n    the file is empty\n    <script>")
    assert cells["energies"]["source"] == "# nothing was handed in for this exercise"
    (output,) = cells["check_energies"]["outputs"]
    assert (
        output["data"]["text/plain"]
        == "energies: the checks give 0 of 4 points\n\nthe file is empty"
    )
    failed = result(springs, status="grader_error", message="it broke", exercises=[])
    (output,) = autograded(springs, None, failed)["check_energies"]["outputs"]
    assert output["data"]["text/plain"].startswith("energies: no mark")


def test_no_word_of_a_hint_is_markup_on_nbgraders_own_page(springs: Assignment) -> None:
    """Formgrader shows that page where scripts can do all that the instructor can."""
    from nbconvert.filters import markdown2html

    from autograder.records.gradebook.rows import comment

    made = result(springs, points=(0, 0, 0))
    for words in (HOSTILE, f"\\{HOSTILE}", "[a](javascript:alert(1)) ![a](javascript:alert(1))"):
        made.exercises[0].message = made.exercises[0].hint = made.exercises[0].note = words
        tags = Tags(markdown2html(comment(made, made.exercises[0])))
        assert {name for name, _ in tags.found} <= {"p", "pre", "code"}, words
    for words in ("- a", "1. a", "> a", "a\n===", "``` a", "$$ a", f"http://a.b|{HOSTILE}"):
        made.exercises[0].hint, made.exercises[0].message = words, f"$$\n{HOSTILE}"
        tags = Tags(markdown2html(comment(made, made.exercises[0])))
        assert {name for name, _ in tags.found} <= {"p", "pre", "code"}, words
    made.exercises[0].hint = words = "`params[k] = …` changes it where F < 0, in [0, 1]."
    told = comment(made, made.exercises[0])
    assert told is not None
    assert told.startswith(words), "formgrader shows what stands there"


def test_messages_cannot_break_out_of_an_output(springs: Assignment) -> None:
    made = result(springs, points=(0, 0, 0))
    made.exercises[0].message = made.exercises[0].hint = HOSTILE
    made.exercises[0].checks[0].title = HOSTILE
    (output,) = autograded(springs, None, made)["check_spring_force"]["outputs"]
    tags = Tags(output["data"]["text/html"])
    assert {name for name, _ in tags.found} == {"p", "strong", "pre", "ul", "li"}
    assert not set("\x1b\u202e\x00") & set(json.dumps(output, ensure_ascii=False))


def test_a_submission_changed_after_grading_is_remarked(
    springs: Assignment, tmp_path: Path
) -> None:
    sha256 = hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    recorder = Recorder(tmp_path, [springs])
    for digest, remarked in ((sha256, False), ("another", True)):
        made = result(springs, sha256=digest)
        recorder.record(made)
        text = recorder.autograded(made).read_text(encoding="utf-8")
        assert ("changed after it was graded" in text) == remarked


def test_the_time_goes_with_the_autograded_notebook(springs: Assignment, tmp_path: Path) -> None:
    made = result(springs)
    recorder = Recorder(tmp_path, [springs])
    stamp = recorder.autograded(made).with_name("timestamp.txt")
    for given_, kept in (("2026-11-20 18:00:00 Europe/Berlin\n", True), ("soon", False)):
        hand_in(tmp_path, "ada", filled(springs, ANSWERS), stamp=given_)
        recorder.record(made)
        assert stamp.exists() == kept
        assert not kept or stamp.read_text() == given_
    assert "timestamp.txt is no time" in recorder.autograded(made).read_text(encoding="utf-8")


def test_what_was_written_by_a_wrong_clock_does_not_stay(
    springs: Assignment, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path, [springs])
    sha256 = hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    for points in ((6, 2, 0), (0, 2, 0)):
        made = result(springs, points=points, sha256=sha256)
        Store(tmp_path).save(made)
        recorder.record(made)
        path = recorder.autograded(made)
        assert f"the checks give {points[0]} of 6" in path.read_text()
        os.utime(path, (2**32, 2**32))


def test_what_is_recorded_already_is_not_written_again(springs: Assignment, tmp_path: Path) -> None:
    """And what was lost or changed since is."""
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    made = result(springs)
    Store(tmp_path).save(made)
    recorder = Recorder(tmp_path, [springs])
    pages = Pages(recorder)
    notebook, page = recorder.autograded(made), pages.path(made)
    stamp, submitted = (
        notebook.with_name("timestamp.txt"),
        tmp_path / "submitted" / "ada" / "springs",
    )

    def recorded() -> set[Path]:
        """What recording wrote; the marks are always those of the result."""
        before = {path: path.stat().st_mtime_ns for path in (notebook, page) if path.exists()}
        recorder.record(made)
        pages.record(made)
        assert grades(tmp_path)["check_spring_force"][0] == 6.0
        return {path for path in (notebook, page) if path.stat().st_mtime_ns != before.get(path)}

    assert recorded() == {notebook, page}
    database = tmp_path / "gradebook.db"
    written = database.stat().st_mtime_ns
    assert recorded() == set()
    assert database.stat().st_mtime_ns == written
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE grade SET auto_score = 0")
    assert recorded() == set()
    notebook.unlink()
    assert recorded() == {notebook}
    page.unlink()
    assert recorded() == {page}
    (submitted / "timestamp.txt").unlink()
    assert recorded() == {notebook, page}
    assert not stamp.exists()
    Store(tmp_path).save(made)
    assert recorded() == {notebook}, "the same result: the page shows it already"
    give(tmp_path, 1)
    assert page in recorded(), "another mark: another page"


# ------------------------------------------------------------------------ feedback pages


class Tags(HTMLParser):
    """The tags of a page, each checked to be closed, and its text."""

    VOID = ("meta", "br", "wbr", "img", "link", "input")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] != ["style"] else ""


def checks_page(found: Assignment, made: Result, written: dict[str, str] | None = None) -> str:
    """The page where the gradebook holds nothing."""
    return page_of(found, made, of_checks(found, made), written or {})


def test_a_page_says_what_was_earned_and_what_to_look_at(springs: Assignment) -> None:
    made = result(springs, notes=["a note"])
    made.exercises[1].checks[0].message = "energies  ✗ another public message"
    text = " ".join(Tags(checks_page(springs, made)).text.split())
    for words in (
        "A weight on a spring",
        "ada",
        "8 of 15 points",
        "6 of 6 points",
        "2 of 4 points",
        "partly right",
        "Hint. Look at energies again.",
        "energies ✗ is so problem is not so",
        "another public message",
        "failed: is a secret property hidden",
        "passed: is a secret property hidden",
        "0 of 2 checks passed",
        "a note",
    ):
        assert words in text, words
    assert "1234.5" not in text


def test_a_page_is_safe_against_what_students_write(springs: Assignment) -> None:
    made = result(springs, student=HOSTILE, points=(0, 0, 0), message=HOSTILE, notes=[HOSTILE])
    for exercise in made.exercises:
        exercise.message = exercise.hint = HOSTILE
        for check in exercise.checks:
            check.title = check.message = HOSTILE
    for status in ("graded", "unreadable", "grader_error"):
        made.status = status  # type: ignore[assignment]
        page = checks_page(springs, made)
        tags = Tags(page)
        assert not {"script", "img"} & {name for name, _ in tags.found}
        assert not any(key.startswith("on") for _, keys in tags.found for key in keys)
        assert not set("\x1b\u202e\x00") & set(page)
        assert "{{ 7 * 7 }}" in page
        assert "<script>alert(1)</script>" in tags.text
        policy = [keys["content"] for name, keys in tags.found if "http-equiv" in keys]
        assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_a_page_can_be_read_by_machines_and_keyboards(springs: Assignment) -> None:
    tags = Tags(checks_page(springs, result(springs)))
    names = [name for name, _ in tags.found]
    assert dict(tags.found)["html"] == {"lang": "en-GB"}
    assert names.count("h1") == names.count("main") == 1
    ids = [keys["id"] for _, keys in tags.found if "id" in keys]
    assert len(ids) == len(set(ids)) > 0
    for name, keys in tags.found:
        if name == "a":
            assert (keys["href"] or "")[1:] in ids
        if "aria-labelledby" in keys:
            assert keys["aria-labelledby"] in ids
    assert not any("src" in keys or name == "link" for name, keys in tags.found), "one file"


def test_pages_for_what_was_not_graded(springs: Assignment) -> None:
    text = Tags(checks_page(springs, unreadable(springs))).text
    assert "Your notebook could not be read." in text
    assert "The file is empty." in text
    assert "energies" not in text
    failed = result(springs, points=(6, 0, 5), status="grader_error", message="traceback")
    failed.exercises[1].status, failed.exercises[1].message = "error", "traceback"
    text = " ".join(Tags(checks_page(springs, failed)).text.split())
    assert "no mark was given for what it could not grade" in text
    assert "not graded" in text
    assert "11 of 15" not in text, "no total"
    assert "traceback" not in text


def test_nbgraders_pages_stay_until_there_is_a_new_result(
    springs: Assignment, tmp_path: Path
) -> None:
    pages, made, store = Pages(Recorder(tmp_path, [springs])), result(springs), Store(tmp_path)
    store.save(made)
    pages.record(made)
    path = tmp_path / "feedback" / "ada" / "springs" / "springs.html"
    assert path.read_text(encoding="utf-8") == checks_page(springs, made)
    assert "by hand" not in path.read_text(encoding="utf-8")
    path.write_text(f"nbgrader's page (Score: {of_checks(springs, made).total} / 15.0)")
    stored, now = store.path("springs", "ada"), time.time()
    os.utime(stored, (now - 20, now - 20))
    os.utime(path, (now - 10, now - 10))
    pages.record(made)
    pages.remove(made)
    assert path.read_text().startswith("nbgrader's page")
    os.utime(stored, (now, now))
    pages.record(made)
    assert path.read_text(encoding="utf-8") == checks_page(springs, made)
    pages.remove(made)
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["feedback.html.j2", "feedback.py", "pages.py", "words.py"])
def test_pages_are_made_anew_where_what_makes_them_is_another(
    name: str, springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, read = result(springs), Path.read_bytes
    pages = Pages(Recorder(tmp_path, [springs]))
    pages.record(made)
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + b" " * (self.name == name))
    before = pages.path(made).stat().st_mtime_ns
    pages.record(made)
    assert pages.path(made).stat().st_mtime_ns != before


# ------------------------------------------------------------------------ nbgrader's commands


def a_class(springs: Assignment, course_dir: Path) -> dict[str, float]:
    """A class with everything that stops a stock nbgrader; what each deserves."""
    good = filled(springs, right(springs))
    data = json.dumps(good).encode()
    twins = copy.deepcopy(good)
    twins["cells"] += copy.deepcopy([c for c in twins["cells"] if c["id"] == "spring_force"])
    twins["cells"][-1]["id"] = "again"
    strange = copy.deepcopy(good)
    strange["cells"][0]["metadata"]["nbgrader"] = {}
    strange["cells"][1]["metadata"]["nbgrader"]["schema_version"] = 99
    strange["cells"][-1]["source"] = HOSTILE
    prose = {"cell_type": "markdown", "id": "p", "metadata": {}, "source": HOSTILE}
    strange["cells"].append(
        prose | {"source": "[x](javascript:alert(1)) $\\href{javascript:1}{y}$"}
    )
    hand_in(course_dir, "ada", good)
    hand_in(course_dir, "ben", filled(springs, right(springs) | {"energies": "1 / 0"}))
    hand_in(course_dir, "cut", data[: len(data) // 2])
    hand_in(course_dir, "empty", None)
    hand_in(course_dir, "renamed", good, file="my solution.ipynb")
    hand_in(course_dir, "strange", strange)
    hand_in(course_dir, "timeless", good, stamp="next Tuesday, I promise")
    hand_in(course_dir, "twins", twins)
    hand_in(course_dir, "untouched", filled(springs, {}))
    full = dict.fromkeys(["ada", "renamed", "strange", "timeless", "twins"], 15.0)
    return full | {"ben": 11.0, "cut": 0.0, "empty": 0.0, "untouched": 0.0}


def nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of nbgrader's commands, run in `folder`, untouched by the user's own configuration."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(folder / "none")},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr[-2000:]}"
    return done


def nbgrader_api(course_dir: Path) -> Any:
    from nbgrader.apps import NbGraderAPI

    return NbGraderAPI(config=configuration(course_dir))


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoes, after the test, what loading the configuration does to nbgrader's classes; and is
    silent about its warnings, of its own code."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.server_extensions.formgrader import formgrader

    for kind, name in (
        (formgrader, "Environment"),
        (CourseDirectory, "get_existing_timestamp"),
        (NbGraderAPI, "get_submitted_timestamp"),
    ):
        monkeypatch.setattr(kind, name, getattr(kind, name))
    warnings.simplefilter("ignore")


@pytest.mark.usefixtures("mended")
def test_formgrader_takes_no_name_for_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Students choose theirs on some platforms, and numbers that become ids; what runs on these
    pages can do all that the instructor can."""
    from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
    from tornado.web import Application

    configured(tmp_path, f"load_subconfig({str(CONFIG)!r})")
    monkeypatch.chdir(tmp_path)
    formgrader, server = FormgradeExtension(), Application()
    formgrader.root_dir = str(tmp_path)
    formgrader.initialize([])
    formgrader.init_tornado_settings(server)
    name = '"><img src=x onerror=alert(1)>'
    given = {"student": name, "last_name": name, "first_name": name, "notebook_path": name}
    page, _ = server.settings["nbgrader_exporter"].from_notebook_node(
        nbformat.v4.new_notebook(),
        resources={"assignment_id": "springs", "index": 0, "total": 1, "base_url": "", **given},
    )
    pages = [page]
    for kind in ("assignments", "notebook_submissions"):
        template = server.settings["nbgrader_jinja2_env"].get_template(
            f"manage_students_{kind}.tpl"
        )
        pages.append(template.render(student_id=name, assignment_id="springs", base_url=""))
    for page in pages:
        assert "&lt;img src=x" in page
        assert "<img" not in page
    obrien = template.render(student_id="sean_o'brien&co-7", assignment_id="springs", base_url="")
    assert """var student_id = "sean_o'brien&co-7";""" in obrien, "that is whom its script asks for"


@pytest.mark.slow
@pytest.mark.usefixtures("mended")
def test_nbgraders_commands_run_on_a_difficult_class(toy: Path, tmp_path: Path) -> None:
    """A course directory of its own, taken through nbgrader's commands and formgrader's lists."""
    with toy_course.activated(toy):
        deserved = a_class(course.load_assignment("springs"), tmp_path)
    here = str(Path(__file__).parent)
    (tmp_path / "nbgrader_config.py").write_text(
        "import sys\nif 'autograde' in sys.argv:\n"  # the others judge nobody
        f"    sys.path.append({here!r})\n    from pathlib import Path\n"
        "    import test_gradebook, toy_course\n"
        f"    toy_course.activate(Path({str(toy)!r}))\n"
        "    import autograder.grading.executors\n"
        "    autograder.grading.executors.judges = test_gradebook.JudgesHere\n"
        f"c = get_config()\nload_subconfig({str(CONFIG)!r})\n"
    )
    # A page of ours that is out of date once nbgrader has graded.
    page = tmp_path / "feedback" / "ben" / "springs" / "springs.html"
    page.parent.mkdir(parents=True)
    page.write_text('<meta name="generator" content="autograder">')
    for command in ("autograde springs", "generate_feedback springs", "export"):
        done = nbgrader(tmp_path, *command.split())
        assert "Traceback" not in done.stderr
        assert "SAWarning" not in done.stderr
    exported(tmp_path, deserved)
    fed_back(tmp_path, deserved)
    listed(tmp_path, deserved)


def exported(course_dir: Path, deserved: dict[str, float]) -> None:
    """nbgrader exports the marks that are deserved, and so does the store."""
    with (course_dir / "grades.csv").open(newline="") as file:
        table = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {student: float(row["score"]) for student, row in table.items()} == deserved
    assert {row["max_score"] for row in table.values()} == {"15.0"}
    assert table["timeless"]["timestamp"] == ""
    assert table["ada"]["timestamp"] == "2026-11-20 18:00:00"
    assert {r.student: r.points for r in Store(course_dir).all("springs")} == deserved


def fed_back(course_dir: Path, deserved: dict[str, float]) -> None:
    """nbgrader's pages show marks and messages, and run nothing that a student wrote."""
    for student, points in deserved.items():
        page = (course_dir / "feedback" / student / "springs" / "springs.html").read_text("utf-8")
        assert f"springs (Score: {points} / 15.0)" in page
        assert "HIDDEN TESTS" not in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
    page = (course_dir / "feedback" / "ben" / "springs" / "springs.html").read_text("utf-8")
    assert "kinetic is not defined" in page
    page = (course_dir / "feedback" / "cut" / "springs" / "springs.html").read_text("utf-8")
    assert "the file is cut off in line 1" in page


def listed(course_dir: Path, deserved: dict[str, float]) -> None:
    """formgrader lists every submission."""
    api = nbgrader_api(course_dir)
    submissions = {row["student"]: row for row in api.get_submissions("springs")}
    notebooks = api.get_notebook_submissions("springs", "springs")
    assert {student: row["score"] for student, row in submissions.items()} == deserved
    assert all(row["autograded"] and row["submitted"] for row in submissions.values())
    assert not any(row["needs_manual_grade"] for row in submissions.values())
    assert {row["student"]: row["score"] for row in notebooks} == deserved
    failed = {row["student"] for row in notebooks if row["failed_tests"]}
    assert failed == {student for student, points in deserved.items() if points < 15}


@pytest.mark.usefixtures("mended")
def test_formgraders_button_grades_with_the_engine(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "judges", JudgesHere)
    hand_in(
        tmp_path, "ada", filled(springs, {"spring_force": reference_code(springs, "spring_force")})
    )
    hand_in(tmp_path, "twin", filled(springs, {}))
    (tmp_path / "submitted" / "twin" / "springs" / "springs.ipynb").unlink()
    api = nbgrader_api(tmp_path)
    for student, points in (("ada", 6.0), ("ada", 6.0)):
        done = api.autograde("springs", student)
        assert done["success"], done
        submission = api.get_submission("springs", student)
        assert (submission["score"], submission["autograded"]) == (points, True)
    notebook = nbformat.read(tmp_path / "autograded/ada/springs/springs.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == "check_spring_force")
    assert (
        cell.outputs[0].data["text/plain"].startswith("spring_force: the checks give 6 of 6 points")
    )
    with only_grader(tmp_path):
        done = api.autograde("springs", "ada")
    assert not done["success"]
    assert "ada was not recorded: another grader is at work on" in done["log"]


@pytest.mark.usefixtures("mended")
def test_of_several_attempts_nbgraders_command_too_takes_the_one_that_counts(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "judges", JudgesHere)
    save_policy(tmp_path, "springs", "best")
    api = nbgrader_api(tmp_path)
    for answers, points, story in (
        (ANSWERS, 10.0, ""),
        ({}, 10.0, "attempt 1 of 2 counts; 2 had 0"),
        (right(springs), 15.0, "attempt 3 of 3 counts; 1 had 10, 2 had 0"),
    ):
        hand_in(tmp_path, "ada", filled(springs, answers))
        assert api.autograde("springs", "ada", force=True)["success"]
        assert api.get_submission("springs", "ada")["score"] == points
        (mark,) = Recorder(tmp_path, [springs]).marks(springs)
        assert mark.story == [story] * bool(story)
        shown = (tmp_path / "autograded/ada/springs/springs.ipynb").read_text(encoding="utf-8")
        assert "0.5 * mass * speed**2" in shown
        assert not (tmp_path / "feedback/ada/springs").exists(), "generate_feedback would skip it"


@pytest.mark.usefixtures("mended")
def test_nbgraders_page_goes_where_a_cells_score_alone_is_the_total(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, with nothing left, and one exercise wrong: its "Score: 0.0" passed for the total, and
    the page that said 6 stayed, and was given back."""
    monkeypatch.setattr(executors, "judges", JudgesHere)
    hand_in(
        tmp_path, "ada", filled(springs, {"spring_force": reference_code(springs, "spring_force")})
    )
    api = nbgrader_api(tmp_path)
    assert api.autograde("springs", "ada")["success"]
    assert api.generate_feedback("springs", "ada")["success"]
    path = tmp_path / "feedback" / "ada" / "springs" / "springs.html"
    pages = Pages(Recorder(tmp_path, [springs]))
    (mark,) = pages.recorder.marks(springs)
    pages.renew(springs, ["ada"], {"ada": mark})
    assert "(Score: 6.0 / 15.0)" in path.read_text(encoding="utf-8"), "it shows the total"
    pages.renew(springs, ["ada"], {"ada": mark._replace(penalty=6.0)})
    assert "(Score: 6.0 / 15.0)" not in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("mended")
def test_late_penalties_stay_with_nbgraders_command(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.apps import NbGraderAPI

    monkeypatch.setattr(executors, "judges", JudgesHere)
    hand_in(
        tmp_path, "ada", filled(springs, {"spring_force": reference_code(springs, "spring_force")})
    )
    Recorder(tmp_path, [springs])
    late(tmp_path, 2)
    config = configuration(tmp_path)
    config.LateSubmissionPlugin.penalty_method = "zero"
    assert NbGraderAPI(config=config).autograde("springs", "ada")["success"]
    assert rows(tmp_path, PENALTY) == [(6.0,)]
    (mark,) = Recorder(tmp_path, [springs]).marks(springs)
    assert mark.total == 0.0, "it stays though the course's own folder does not tell it"


@pytest.mark.usefixtures("mended")
def test_nbgrader_without_the_configuration_runs_no_notebook(
    springs: Assignment, tmp_path: Path
) -> None:
    """A path that is not there any more, as in a course that was moved, it passes over in silence:
    it would run students' code as the instructor's."""
    from nbgrader.apps import NbGraderAPI

    code = f"open({str(tmp_path / 'ran')!r}, 'w')"
    hand_in(tmp_path, "ada", filled(springs, {"spring_force": code}))
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    shutil.copytree(springs.source.parent, tmp_path / "source" / springs.name)
    Recorder(tmp_path, [springs])
    done = NbGraderAPI(config=config).autograde("springs", "ada")
    assert not done["success"]
    assert "see-the-first-lines-of-nbgrader_config.py" in done["log"]
    assert not (tmp_path / "ran").exists()


def test_a_configuration_that_is_not_there_is_named(springs: Assignment, tmp_path: Path) -> None:
    configured(tmp_path, 'load_subconfig("/elsewhere/nbgrader_config.py")')
    with pytest.raises(CourseError, match="load_subconfig names /elsewhere/"):
        Recorder(tmp_path, [springs])


@pytest.mark.usefixtures("mended")
def test_an_assignment_of_somebody_else_is_refused(springs: Assignment, tmp_path: Path) -> None:
    hand_in(tmp_path, "ada", filled(springs, {}), name="quiz", file="quiz.ipynb")
    done = nbgrader_api(tmp_path).autograde("quiz", "ada")
    assert not done["success"]
    assert "there is no assignment 'quiz'" in done["log"]


def test_the_configuration_has_the_builders_stub(springs: Assignment) -> None:
    stub = configuration(CONFIG.parent).ClearSolutions.code_stub["python"]
    source = json.loads(springs.release.read_bytes())["cells"]
    (cell,) = (cell for cell in source if cell["id"] == "spring_force")
    lines = "".join(cell["source"]).splitlines()
    assert [line.strip() for line in lines[-2:]] == stub.splitlines()


@pytest.mark.slow
def test_nbgrader_grades_in_the_cage(tmp_path: Path) -> None:
    """A real assignment, the reference's answers, the real engine, a course directory elsewhere."""
    built = [found for found in course.course().values() if found.release.exists()]
    if not built:
        pytest.skip("no assignment of the real course is built yet")
    found = built[0]
    ada, ben = right(found), right(found) | {found.exercises[0].name: "x = 1 / 0"}
    for student, answers in (("ada", ada), ("ben", ben)):
        notebook = filled(found, answers)
        hand_in(tmp_path, student, notebook, name=found.name, file=f"{found.name}.ipynb")
    (tmp_path / "cwd").mkdir()
    done = nbgrader(
        tmp_path / "cwd",
        *("autograde", found.name, "--course-dir", str(tmp_path)),
        f"--JupyterApp.config_file={CONFIG}",
    )
    assert "Traceback" not in done.stderr
    marks = {student: score for student, score in rows(tmp_path, SCORES)}
    for student in ("ada", "ben"):
        stored = Store(tmp_path).load(found.name, student)
        assert stored is not None
        assert stored.isolation == "full"
        assert marks[student] == pytest.approx(stored.points)
    # What builds on ben's first exercise keeps its own marks.
    assert (marks["ada"], marks["ben"]) == (found.points, found.points - found.exercises[0].points)


# -------------------------------------------------------------------------- marks for others


@pytest.fixture
def graded(springs: Assignment, tmp_path: Path) -> Path:
    """Ada, late, with points by hand; and a student whose name is a formula."""
    configured(tmp_path, NO_LATE_POINTS)
    recorder = Recorder(tmp_path, [springs])
    for student in ("ada", "=1+1"):
        sha256 = hand_in(tmp_path, student, filled(springs, ANSWERS))
        made = result(springs, student, sha256=sha256)
        recorder.record(made)
        Store(tmp_path).save(made)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.update_or_create_student(
            "ada", first_name="Ada", last_name="Lovelace", email="ada@example.org", lms_user_id="7"
        )
    give(tmp_path, 3)
    return tmp_path


def as_csv(course_dir: Path, springs: Assignment, kind: Any) -> list[list[str]]:
    text, without, _ = table(course_dir, springs, kind)
    assert not without
    return list(csv.reader(io.StringIO(text)))


def test_marks_as_csv_hold_every_exercise_and_what_was_given_by_hand(
    graded: Path, springs: Assignment
) -> None:
    header, formula, ada = as_csv(graded, springs, "csv")
    row = dict(zip(header, ada, strict=True))
    assert header[4:-4] == [exercise.name for exercise in springs.exercises]
    assert row["student"], row["email"] == ("ada", "ada@example.org")
    assert float(row["oscillator"]) == 3
    assert float(row["points"]) == sum(float(row[e.name]) for e in springs.exercises)
    assert formula[0] == "'=1+1", "a spreadsheet shows it and does not run it"


def test_whom_the_grader_failed_has_no_mark_and_no_zero(
    graded: Path, springs: Assignment, tmp_path: Path
) -> None:
    failed = result(springs, status="grader_error", message="it broke", exercises=[])
    Store(graded).save(failed)
    Recorder(graded, [springs]).record(failed)
    for kind in ("csv", "canvas", "moodle"):
        text, without, _ = table(graded, springs, kind)
        (ada,) = (row for row in csv.reader(io.StringIO(text)) if "ada" in row)
        assert without == ["ada"]
        assert ada[-2 if kind == "csv" else -1] == "", "an empty field, not a zero"
    paths, without = gradescope_files(graded, springs, tmp_path / "out")
    assert ([path.stem for path in paths], without) == (["=1+1"], ["ada"])


def test_whom_a_gradebook_that_is_older_does_not_have_is_named(
    graded: Path, springs: Assignment
) -> None:
    Store(graded).save(result(springs, "zed"))
    for kind in ("csv", "canvas", "moodle"):
        assert table(graded, springs, kind)[1] == ["zed"]


def test_who_is_not_graded_yet_is_named_by_every_export(graded: Path, springs: Assignment) -> None:
    hand_in(graded, "zed", filled(springs, ANSWERS))
    hand_in(graded, "two\nlines", filled(springs, ANSWERS))
    for kind in ("csv", "canvas", "moodle", "gradescope", "feedback"):
        words = ["export", "springs", "--course", str(graded), "--to", kind]
        done = CliRunner().invoke(app, [*words, "--output", str(graded / "out" / kind)])
        assert "left out: zed handed in and is not graded yet" in done.output
        assert "left out: two\ufffdlines handed in and is not graded yet" in done.output
        assert "another file" not in done.output


def test_half_a_hundredth_goes_up_everywhere_as_in_formgrader(
    springs: Assignment, tmp_path: Path
) -> None:
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    made = result(springs)
    Store(tmp_path).save(made)
    Recorder(tmp_path, [springs]).record(made)
    cell = "(select id from base_cell where name = 'check_spring_force' and type = 'GradeCell')"
    change(tmp_path, f"update grade set manual_score = 3.125 where cell_id = {cell}")
    (mark,) = Recorder(tmp_path, [springs]).marks(springs)
    assert (mark.points, mark.total) == (5.125, 5.13)
    assert "3.13 by hand" in mark.story[0]
    row = next(csv.DictReader(io.StringIO(table(tmp_path, springs, "csv")[0])))
    assert (row["spring_force"], row["points"], row["total"]) == ("3.13", "5.13", "5.13")
    (path,), _ = gradescope_files(tmp_path, springs, tmp_path / "gradescope")
    told = json.loads(path.read_bytes())
    assert (told["score"], told["tests"][0]["score"]) == (5.13, 3.13)
    change(tmp_path, "update submitted_notebook set late_submission_penalty = 1.0 / 3")
    row = next(csv.DictReader(io.StringIO(table(tmp_path, springs, "csv")[0])))
    assert (row["points"], row["total"]) == ("5.13", "4.79"), "what is left is rounded once"


def test_whose_file_is_newer_than_the_mark_is_named_by_every_export(
    graded: Path, springs: Assignment
) -> None:
    hand_in(graded, "ada", filled(springs, {}))
    for kind in ("csv", "feedback"):
        words = ["export", "springs", "--course", str(graded), "--to", kind]
        done = CliRunner().invoke(app, [*words, "--output", str(graded / "out" / kind)])
        assert "ada handed in another file, which is not graded yet; the mark is" in done.output


@pytest.mark.parametrize("kind", ["feedback", "gradescope"])
def test_whose_result_is_damaged_is_named_by_what_is_made_of_results(
    graded: Path, springs: Assignment, kind: str
) -> None:
    path = Store(graded).path("springs", "ada")
    path.write_bytes(path.read_bytes()[:100])
    words = ["export", "springs", "--course", str(graded), "--to", kind]
    done = CliRunner().invoke(app, [*words, "--output", str(graded / "out")])
    assert done.output.startswith("1 ")
    assert re.search(r"damaged.*ada|ada.*damaged", done.output)


def test_late_penalties_are_taken_off(graded: Path, springs: Assignment) -> None:
    late(graded, 5)
    Recorder(graded, [springs]).record(result(springs))
    rows = as_csv(graded, springs, "csv")
    (ada,) = (dict(zip(rows[0], row, strict=True)) for row in rows if row[0] == "ada")
    assert float(ada["late_penalty"]) == float(ada["points"]) > 0
    assert float(ada["total"]) == 0


def test_canvas_and_moodle_get_their_columns(graded: Path, springs: Assignment) -> None:
    header, possible, _, ada = as_csv(graded, springs, "canvas")
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", springs.title]
    assert float(possible[-1]) == springs.points
    assert ada[:4] == ["Lovelace, Ada", "7", "", "ada"]
    header, _, ada = as_csv(graded, springs, "moodle")
    assert header[:3] == ["Username", "ID number", "Email address"]
    assert ada[:5] == ["ada", "7", "ada@example.org", "Ada", "Lovelace"]


def test_gradescope_reads_the_messages_and_no_hidden_check(
    graded: Path, springs: Assignment, tmp_path: Path
) -> None:
    paths, _ = gradescope_files(graded, springs, tmp_path / "out")
    assert sorted(path.name for path in paths) == ["=1+1.json", "ada.json"]
    ada = json.loads((tmp_path / "out" / "ada.json").read_bytes())
    assert [test["name"] for test in ada["tests"]] == [e.name for e in springs.exercises]
    assert ada["score"] == sum(test["score"] for test in ada["tests"])
    known = Store(graded).load("springs", "ada")
    assert known is not None
    hidden = {check.name for e in known.exercises for check in e.checks if check.hidden}
    assert not hidden.intersection(re.split(r"\W+", json.dumps(ada)))


def test_nothing_graded_is_said(springs: Assignment, tmp_path: Path) -> None:
    Recorder(tmp_path, [springs])
    with pytest.raises(CourseError, match="nothing of springs has been graded"):
        as_csv(tmp_path, springs, "csv")


def test_an_export_makes_no_gradebook(graded: Path, springs: Assignment, tmp_path: Path) -> None:
    from autograder.exchange.export import gradescope_files
    from autograder.exchange.returning import feedback_archive

    (graded / "gradebook.db").unlink()
    for export in (
        lambda: as_csv(graded, springs, "csv"),
        lambda: gradescope_files(graded, springs, tmp_path / "out"),
        lambda: feedback_archive(graded, springs, "feedback", tmp_path / "back.zip"),
    ):
        with pytest.raises(CourseError, match=r"no gradebook in .*`autograder grade springs"):
            export()
    assert not (graded / "gradebook.db").exists()


# ------------------------------------------------------------------------ one student's files


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((f"2026-11-20 18:00:00 {zone}", f"time zone {zone}") for zone in ("PST", "EST", "IST")),
        ("2026-11-20 18:00:00 Mars/Olympus_Mons", "time zone Mars/Olympus_Mons"),
        *((day, "two days") for day in ("01.02.2026 10:00", "1/2/2026", "26-02-01 10:00")),
        ("01/02/03 10:00 UTC", "two days"),
    ],
)
def test_a_zone_or_a_day_that_is_not_certain_is_refused_and_not_guessed(
    text: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "timestamp.txt").write_text(text)
    moment, kept, (note,) = submission_time(tmp_path)
    assert (moment, kept) == (None, ""), f"{text!r} was read as {moment}"
    assert why in note


def test_whatever_a_notebook_holds_is_its_students_matter(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(data: bytes, assignment: Assignment) -> Any:
        raise RecursionError("too deep [red]for me[/red]")

    monkeypatch.setattr(notebooks, "read_submission", broken)
    sha256 = hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    record = Recorder(tmp_path, [springs])
    made = result(springs, sha256=sha256)
    record.record(made)
    text = record.autograded(made).read_text(encoding="utf-8")
    assert "cannot be shown (RecursionError: too deep [red]for me[/red])" in text
    assert grades(tmp_path)["check_spring_force"][0] == 6


@pytest.mark.parametrize("student", [".x.part", ".x.1234.part", "[bold]", "a[/b]", "-rf"])
def test_a_folder_with_an_odd_name_is_graded_like_any(
    student: str, springs: Assignment, tmp_path: Path
) -> None:
    hand_in(tmp_path, student, filled(springs, ANSWERS))
    Recorder(tmp_path, [springs]).record(result(springs, student))
    left = tmp_path / "autograded" / student / "springs" / ".springs.ipynb.77.part"
    left.write_bytes(b"half a file")
    remove_unfinished(tmp_path / "autograded")
    assert not left.exists()
    assert (left.parent / "springs.ipynb").is_file()


@pytest.mark.usefixtures("mended")
def test_nbgraders_path_leaves_nothing_that_looks_done_before_it_is(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose run was killed is graded by the next one: it passes over whom it finds there."""
    there: list[bool] = []

    class Judges(JudgesHere):
        def grade(self, job: Job) -> Result:
            there.append((tmp_path / "autograded" / job.student / "springs").exists())
            return super().grade(job)

    monkeypatch.setattr(executors, "judges", Judges)
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    for force in (False, True):
        assert nbgrader_api(tmp_path).autograde("springs", "ada", force=force)["success"]
    assert there == [False, False]
    assert (tmp_path / "autograded" / "ada" / "springs" / "springs.ipynb").is_file()
    assert Store(tmp_path).load("springs", "ada") is not None


@pytest.mark.usefixtures("mended")
def test_nbgraders_path_takes_nothing_along_but_the_notebook(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "judges", JudgesHere)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "answers.py").write_text("the answers")
    hand_in(tmp_path, "mallory", filled(springs, ANSWERS))
    folder = tmp_path / "submitted" / "mallory" / "springs"
    (folder / "notes.txt").symlink_to(secret / "answers.py")
    (folder / ".hidden").symlink_to(secret / "answers.py")
    (folder / "folder").symlink_to(secret)
    (folder / "dangling").symlink_to(tmp_path / "nowhere")
    (folder / "own").mkdir()
    (folder / "own" / "data.csv").write_text("1,2")
    os.mkfifo(folder / "pipe")
    for student in ("fifo", "dangling"):
        hand_in(tmp_path, student, None)
    os.mkfifo(tmp_path / "submitted" / "fifo" / "springs" / "springs.ipynb")
    (tmp_path / "submitted/dangling/springs/springs.ipynb").symlink_to(tmp_path / "nowhere")
    api = nbgrader_api(tmp_path)
    for student in ("mallory", "fifo", "dangling"):
        assert api.autograde("springs", student)["success"], student
    assert api.generate_feedback("springs", "mallory")["success"]
    ours = {"springs.ipynb", "springs.html", "timestamp.txt", "submission_secret.txt"}
    for made in ("autograded", "feedback"):
        files = {p.name for p in (tmp_path / made / "mallory").rglob("*") if not p.is_dir()}
        assert files <= ours, files
    assert "submission_secret.txt" in files, "release_feedback stops without it"
    results = {r.student: (r.status, r.message) for r in Store(tmp_path).all("springs")}
    assert results["mallory"][0] == "graded"
    assert results["fifo"] == ("unreadable", "springs.ipynb is no regular file")
    assert results["dangling"] == ("unreadable", "springs.ipynb is a link and no file")


@pytest.mark.usefixtures("mended")
def test_formgrader_lists_the_assignment_after_the_first_grade_of_a_new_course(
    springs: Assignment, tmp_path: Path
) -> None:
    ada_recorded(springs, tmp_path)
    (row,) = nbgrader_api(tmp_path).get_assignments()
    assert (row["name"], row["num_submissions"], row["max_score"]) == ("springs", 1, 15.0)
    mine = tmp_path / "source" / "springs" / "springs.ipynb"
    mine.write_text("{}")
    Recorder(tmp_path, [springs])
    assert mine.read_text() == "{}", "what an instructor changed there was overwritten"


# ------------------------------------------------------------------------ there and back


def there_and_back(
    folder: Path, springs: Assignment, names: list[str], **beside: bytes
) -> list[str]:
    """Collects and records everyone of an archive; their ids."""
    data = json.dumps(filled(springs, ANSWERS)).encode()
    handed_in = archive(folder, dict.fromkeys(names, data) | beside)
    students = collect(handed_in, springs, folder).written
    for student in students:
        made = result(springs, student, (6, 2, 1 / 3))
        Store(folder).save(made)
        for sink in (Recorder(folder, [springs]), Pages(Recorder(folder, [springs]))):
            sink.record(made)
    return students


def test_canvas_gets_its_own_ids_and_its_own_column(springs: Assignment, tmp_path: Path) -> None:
    there_and_back(tmp_path, springs, ["lovelaceada_55_777_springs.ipynb", "b_LATE_56_8_s.ipynb"])
    text, *_ = table(tmp_path, springs, "canvas", "A weight on a spring (4711)")
    header, possible, *people = csv.reader(io.StringIO(text))
    assert (header[-1], possible[0]) == ("A weight on a spring (4711)", "    Points Possible")
    assert {row[1]: row[3:] for row in people} == {
        "55": ["", "", "8.33"],
        "56": ["", "", "8.33"],
    }


def test_moodle_gets_its_worksheet(springs: Assignment, tmp_path: Path) -> None:
    name = "Ada Lovelace_1234567_assignsubmission_file_/springs.ipynb"
    there_and_back(tmp_path, springs, [name])
    hand_in(tmp_path, "ben", filled(springs, ANSWERS))
    Recorder(tmp_path, [springs]).record(result(springs, "ben"))
    text, _, elsewhere = table(tmp_path, springs, "moodle")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Identifier"], row["Full name"], row["Grade"]) for row in rows] == [
        ("Participant 1234567", "Ada Lovelace", "8.33")
    ]
    assert "Maximum Grade" in rows[0]
    assert rows[0]["Last modified (grade)"] == "-", "as Moodle has it, and no formula"
    assert elsewhere == ["ben"]
    # The number is that of this assignment's worksheet, and nobody's anywhere else.
    (tmp_path / "collected" / "springs.json").unlink()
    assert "1234567" not in table(tmp_path, springs, "moodle")[0].replace("-1234567", "")


def test_two_who_begin_a_gradebook_at_once_both_have_it(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another `collect` makes the tables after this one has looked for them, and then a student."""
    import sqlalchemy
    from nbgrader.api import Student

    look, looked = sqlalchemy.inspect, list[Any]()

    def too_early(engine: Any) -> Any:
        looked.append(look(engine))
        if len(looked) > 1:
            return looked[-1]
        Recorder(tmp_path, [springs])
        return SimpleNamespace(get_table_names=list)

    monkeypatch.setattr(sqlalchemy, "inspect", too_early)
    recorder = Recorder(tmp_path, [springs])

    def write(session: Any) -> None:
        if session.get(Student, "ada") is None:
            change(tmp_path, "insert into student (id) values ('ada')")
            session.add(Student(id="ada"))

    recorder._written(write)
    assert list(recorder.everyone()) == ["ada"]


def test_canvas_gets_no_number_that_is_anothers_there(springs: Assignment, tmp_path: Path) -> None:
    told = "submission_1: {':submitters': [{':name': Ada, ':sid': '55', ':email': a@x.org}]}"
    beside = {"submission_metadata.yml": told.encode()}
    there_and_back(tmp_path, springs, ["submission_1/springs.ipynb"], **beside)
    *_, ada = csv.reader(io.StringIO(table(tmp_path, springs, "canvas")[0]))
    assert ada == ["Ada", "", "", "55", "", "8.33"]


@pytest.mark.parametrize(
    ("kind", "handed_in", "back"),
    [
        (
            "moodle-feedback",
            "Ada L_12_assignsubmission_file_/a.ipynb",
            "Ada L_12_assignsubmission_file_/springs.html",
        ),
        (
            "moodle-feedback",
            "Ada L_12_assignsubmission_file_a_b_c.ipynb",
            "Ada L_12_assignsubmission_file_/springs.html",
        ),
        (
            "moodle-feedback",
            "van_Ada L_12_assignsubmission_file_/a.ipynb",
            "van_Ada L_12_assignsubmission_file_/springs.html",
        ),
        ("canvas-feedback", "van_ada_LATE_55_777_a.ipynb", "van_ada_LATE_55_777_springs.html"),
        (
            "brightspace-feedback",
            "7-1 - Ada L - Nov 20, 2026 1159 PM/a.ipynb",
            "7-1 - Ada L - Nov 20, 2026 1159 PM/springs.html",
        ),
        ("feedback", "Ada L_12_assignsubmission_file_/a.ipynb", "ada_l-12/springs.html"),
    ],
)
def test_feedback_finds_its_way_back(
    kind: Any, handed_in: str, back: str, springs: Assignment, tmp_path: Path
) -> None:
    (student,) = there_and_back(tmp_path, springs, [handed_in])
    pages, left_out = feedback_archive(tmp_path, springs, kind, tmp_path / "back.zip")
    assert (pages, left_out) == (1, [])
    with zipfile.ZipFile(tmp_path / "back.zip") as zipped:
        page = zipped.read(back).decode()
        others = set(zipped.namelist()) - {back}
    assert page == (tmp_path / "feedback" / student / "springs" / "springs.html").read_text()
    assert others == ({"recipients.csv"} if kind == "feedback" else set())


def test_who_came_from_another_platform_is_told_on_one_line(
    springs: Assignment, tmp_path: Path
) -> None:
    there_and_back(tmp_path, springs, [f"s{n:02}/springs/springs.ipynb" for n in range(12)])
    pages, left_out = feedback_archive(tmp_path, springs, "moodle-feedback", tmp_path / "b.zip")
    first = ", ".join(f"s{n:02}" for n in range(10))
    assert (pages, left_out) == (
        0,
        [f"{first} and 2 more: not collected from an archive of Moodle"],
    )


@pytest.mark.parametrize("moment", [0, 2**33])
def test_a_clock_that_was_wrong_does_not_keep_feedback_back(
    graded: Path, springs: Assignment, moment: int
) -> None:
    feedback_archive(graded, springs, "feedback", graded / "a.zip")
    for page in graded.glob("feedback/*/springs/springs.html"):
        os.utime(page, (moment, moment))
    assert feedback_archive(graded, springs, "feedback", graded / "b.zip") == (2, [])


def test_a_grader_that_begins_takes_nothing_from_who_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`report` and `export` write pages without being the grader."""
    from autograder import files

    page, begun = tmp_path / "feedback" / "ada" / "page.html", []

    def begins(file: int) -> None:
        if not begun:
            begun.append(file)
            with only_grader(tmp_path):
                pass

    monkeypatch.setattr(files.os, "fsync", begins)
    files.write_atomically(page, b"whole")
    assert page.read_bytes() == b"whole"
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    "text", ["＝1+1", "＠SUM(1)", "＋1", "－1", " =1", "=1", "\u00a0=1", "\u200c=1"]
)
def test_no_spelling_of_a_formula_is_one(text: str, springs: Assignment, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, [springs])
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    recorder.record(result(springs))
    recorder.know([Known("ada", f"{text} {text}", text, text)])
    for kind in ("csv", "canvas", "moodle"):
        cells = [cell for row in as_csv(tmp_path, springs, kind) for cell in row]
        assert any(cell.startswith("'") for cell in cells)
        assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+-@＝＋－＠")]


def test_gradescope_gets_the_gradebooks_mark_and_how_it_came_about(
    graded: Path, springs: Assignment, tmp_path: Path
) -> None:
    gradescope_files(graded, springs, tmp_path / "out")
    ada = json.loads((tmp_path / "out" / "ada.json").read_bytes())
    assert ada["score"] == 11.0
    assert "oscillator: 3 by hand, the checks gave 0" in ada["output"]
    late(graded, 5)
    Recorder(graded, [springs]).record(result(springs))
    gradescope_files(graded, springs, tmp_path / "out")
    ada = json.loads((tmp_path / "out" / "ada.json").read_bytes())
    assert ada["score"] == 0.0
    assert (
        "handed in late (2026-11-20 18:00 UTC, due 2026-11-20 13:00 UTC): 11 less 11"
        in (ada["output"])
    )
    late(graded, 0)
    stamp = graded / "submitted" / "ada" / "springs" / "timestamp.txt"
    stamp.write_text("2026-11-20 18:00:01 UTC", encoding="utf-8")
    Recorder(graded, [springs]).record(result(springs))
    (mark, *_) = (m for m in Recorder(graded, [springs]).marks(springs) if m.student == "ada")
    assert "handed in late (18:00:01 UTC, due 18:00:00 UTC): 11 less 11" in mark.story


def test_a_late_submission_out_of_an_archive_is_late(springs: Assignment, tmp_path: Path) -> None:
    configured(tmp_path, NO_LATE_POINTS)
    Recorder(tmp_path, [springs])
    late(tmp_path, 2)  # due at 16:00 on the 20th
    names = [
        "7-1 - Ada L - Nov 20, 2026 1159 PM/a.ipynb",
        "8-1 - Ben B - Nov 20, 2026 900 AM/a.ipynb",
    ]
    there_and_back(tmp_path, springs, names)
    totals = {m.student: m.total for m in Recorder(tmp_path, [springs]).marks(springs)}
    assert totals == {"ada_l-7": 0.0, "ben_b-8": 8.33}


@pytest.mark.filterwarnings(  # files that nbgrader leaves open
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_released_feedback_reaches_its_student_through_an_exchange(
    springs: Assignment, tmp_path: Path
) -> None:
    """Submitted, collected, graded, released and fetched by nbgrader's own exchange; where this
    test is root's, the student is another user."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import (
        ExchangeCollect,
        ExchangeFetchFeedback,
        ExchangeReleaseFeedback,
        ExchangeSubmit,
    )

    place, course_dir, home = (tmp_path / name for name in ("exchange", "course", "home"))
    for folder in (place / "phys" / "inbound", course_dir, home / "springs"):
        folder.mkdir(parents=True)
    place.chmod(0o777)
    (place / "phys" / "inbound").chmod(0o733)
    config = Config()
    config.Exchange.root = str(place)
    config.CourseDirectory.course_id = "phys"
    config.CourseDirectory.assignment_id = "springs"
    release = place / "phys" / "outbound" / "springs"
    shutil.copytree(springs.release.parent, release)
    (home / "springs" / "springs.ipynb").write_text(json.dumps(filled(springs, ANSWERS)))

    def run(kind: Any, root: Path, **fields: Any) -> None:
        mine = copy.deepcopy(config)
        mine.Exchange.cache = str(root / "cache")
        mine.CourseDirectory.root = str(root)
        course_directory = CourseDirectory(config=mine)
        authenticator = Authenticator(config=mine)
        kind(coursedir=course_directory, authenticator=authenticator, config=mine, **fields).start()

    def as_student(kind: Any) -> None:
        def theirs() -> None:
            os.environ["LOGNAME"] = "daemon"
            with contextlib.chdir(home):
                run(kind, home)

        assert as_user(1, 1, theirs) == ""

    if os.geteuid() == 0:
        let_all_in(place)
        for path in (home, *home.rglob("*")):
            os.chown(path, 1, 1)
    as_student(ExchangeSubmit)
    run(ExchangeCollect, course_dir)
    (student,) = (path.name for path in (course_dir / "submitted").iterdir())
    hand_in(course_dir, "by_mail", filled(springs, ANSWERS), stamp="")
    for who in (student, "by_mail"):
        made = result(springs, who)
        Store(course_dir).save(made)
        recorder = Recorder(course_dir, [springs])
        for sink in (recorder, Pages(recorder)):
            sink.record(made)
    run(ExchangeReleaseFeedback, course_dir)
    as_student(ExchangeFetchFeedback)
    (page,) = (home / "springs" / "feedback").rglob("*.html")
    mine = course_dir / "feedback" / student / "springs" / "springs.html"
    assert page.read_bytes() == mine.read_bytes()
    # nbgrader's own generate_feedback takes along what lies beside the autograded notebook.
    handed_in = course_dir / "submitted" / student / "springs" / "submission_secret.txt"
    for who in (student, "by_mail"):
        Pages(Recorder(course_dir, [springs])).remove(result(springs, who))
        autograded = course_dir / "autograded" / who / "springs" / "submission_secret.txt"
        assert len(autograded.read_bytes()) > 30
        assert who != student or autograded.read_bytes() == handed_in.read_bytes()
        assert not (course_dir / "feedback" / who / "springs" / autograded.name).exists()


def test_the_report_and_the_terminal_have_the_gradebooks_mark(
    graded: Path, springs: Assignment, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = "(select id from base_cell where name = 'oscillator')"
    change(graded, f"update comment set manual_comment = 'Nearly [right].' where cell_id = {cell}")
    recorder = Recorder(graded, [springs])
    recorder.know([Known("zoe", "Zoe Late")])
    save(graded, "springs", Collected(left_out={"Cy_3": "there is no notebook among essay.pdf"}))
    marks = {mark.student: mark for mark in recorder.marks(springs)}
    assert marks["ada"].story == ["oscillator: 3 by hand, the checks gave 0: Nearly [right]."]
    report = read_report("springs", graded)
    assert {s.name: s.points for s in report.submissions} == {"ada": 11.0, "=1+1": 11.0}
    assert report.absent == ["Zoe Late (zoe)"]
    page = render(report, datetime(2026, 12, 1))
    for words in ("oscillator: 3 by hand", "Nearly [right].", "handed in nothing", "essay.pdf"):
        assert words in page, f"the report does not say: {words}"
    _print_class("Springs", [submission.result for submission in report.submissions], marks)
    said = " ".join(capsys.readouterr().out.split())
    assert "11 of 15" in said
    assert "8 of 15" not in said
    assert "Nearly [right]." in said


# ------------------------------------------------------------------------ one truth


def test_a_mark_is_what_nbgraders_own_objects_say(graded: Path, springs: Assignment) -> None:
    late(graded, 2)
    recorder = Recorder(graded, [springs])
    recorder.record(result(springs))
    change(graded, "update grade set extra_credit = 0.5 where manual_score is not null")
    marks = {mark.student: mark for mark in recorder.marks(springs)}
    with Gradebook(f"sqlite:///{graded}/gradebook.db") as book:
        for submission in book.assignment_submissions("springs"):
            mark = marks[submission.student.id]
            penalty = submission.late_submission_penalty or 0.0
            assert (mark.points, mark.penalty) == (submission.score, penalty)
            assert mark.max_points == submission.max_score
            for grade in submission.notebooks[0].grades:
                assert mark.exercises[grade.name.removeprefix("check_")] == grade.score
    assert marks["ada"] == recorder.mark(result(springs))


def shown_page(course_dir: Path, student: str = "ada") -> str:
    path = course_dir / "feedback" / student / "springs" / "springs.html"
    return " ".join(Tags(path.read_text(encoding="utf-8")).text.split())


def test_the_page_has_the_gradebooks_mark_and_how_it_came_about(
    graded: Path, springs: Assignment
) -> None:
    cell = "(select id from base_cell where name = 'oscillator')"
    change(graded, f"update comment set manual_comment = 'Nearly <right>.' where cell_id = {cell}")
    cell = "(select id from base_cell where name = 'energies')"
    change(graded, f"update comment set manual_comment = 'Read § 3.' where cell_id = {cell}")
    made = Store(graded).load("springs", "ada")
    assert made is not None
    pages = Pages(Recorder(graded, [springs]))
    pages.record(made)
    text = shown_page(graded)
    for words in (
        "Ada Lovelace · ada",
        "handed in 2026-11-20 18:00 UTC",
        "11 of 15 points",
        "The checks gave 8. oscillator: 3 by hand, the checks gave 0: Nearly <right>.",
        "marked by hand 3 of 5 points",
        "Comment. Read § 3.",
        "Your code class Oscillator(nn.Module): pass",
    ):
        assert words in text, f"the page does not say: {words}"
    assert "def spring_force" not in text, "what is right needs no code"
    late(graded, 5)
    Recorder(graded, [springs]).record(made)
    assert "11 of 15 points" in shown_page(graded)
    write_report(read_report("springs", graded), graded)
    assert "0 of 15 points" in shown_page(graded)
    assert "18:00 UTC, due 2026-11-20 13:00 UTC): 11 less 11" in shown_page(graded)


def test_pages_of_a_class_need_no_query_for_each_student(
    graded: Path, springs: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `grade` writes those of submissions of which nothing changed."""
    recorder = Recorder(graded, [springs])
    pages = Pages(recorder)
    write_report(read_report("springs", graded), graded)
    before = shown_page(graded)
    late(graded, 5)
    for made in Store(graded).all("springs"):
        recorder.record(made)
    marks = {mark.student: mark for mark in recorder.marks(springs)}
    assert marks["ada"].penalty
    monkeypatch.delattr(Recorder, "mark")
    pages.renew(springs, ["ada", "nobody"], marks)
    assert shown_page(graded) != before
    assert f"{marks['ada'].total:g} of 15 points" in shown_page(graded)


def test_code_is_shown_only_where_it_is_what_was_graded(graded: Path, springs: Assignment) -> None:
    made = Store(graded).load("springs", "ada")
    assert made is not None
    hand_in(graded, "ada", filled(springs, ANSWERS | {"energies": "# another try"}))
    Pages(Recorder(graded, [springs])).record(made)
    assert "Your code" not in shown_page(graded)


def test_a_page_says_what_each_check_is_worth_and_where_to_begin(springs: Assignment) -> None:
    made = result(springs, points=(0, 2, 0))
    _, energies, oscillator = made.exercises
    energies.rests_on = ["spring_force"]
    oscillator.rests_on = ["spring_force", "energies"]
    oscillator.note = "judged with a right `spring_force` in the place of yours, which has a slip"
    energies.checks = [
        CheckResult(
            name="a", title="a", hidden=True, seconds=0, outcome="passed", worth=3.0, point=False
        ),
        CheckResult(
            name="b", title="b", hidden=True, seconds=0, outcome="failed", worth=1.0, point=True
        ),
        CheckResult(
            name="c",
            title="c",
            hidden=False,
            seconds=0,
            outcome="failed",
            kind="needs",
            message="c",
        ),
    ]
    energies.message = "energies stopped in line 2 of the cell of energies"
    stub = outline_of(springs).stubs["oscillator"]
    code = {
        "energies": "def kinetic(m, v):\n    return <m>",
        "oscillator": f"# mine\n{stub}",
    }
    page = checks_page(springs, made, code)
    text = " ".join(Tags(page).text.split())
    for words in (
        "Where to begin. spring_force: energies, oscillator build on it.",
        "a hidden 3 of 3",
        "b hidden – what the exercise is about 0 of 1",
        "c – follows from another exercise",
        "The checks passed make 3.00 of 4 points. The one that the exercise is about failed: "
        "then an answer keeps at most half, so 2.00.",
        "It builds on spring_force, where something is to be mended first.",
        "Judged with a right spring_force in the place of yours",
    ):
        assert words in text, f"the page does not say: {words}"
    assert "<mark>    return &lt;m&gt;</mark>" in page, "the line that a message speaks of"
    assert "# mine" in page


@pytest.mark.parametrize(
    ("worth", "points", "said"),
    [
        (0.0, 0.0, ""),
        (2.0, 2.0, "The checks passed make 2.00 of 4 points."),
        (
            3.0,
            2.0,
            "The checks passed make 3.00 of 4 points. The one that the exercise is about failed:"
            " then an answer keeps at most half, so 2.00.",
        ),
    ],
)
def test_a_page_speaks_of_the_half_only_where_it_took_something(
    springs: Assignment, worth: float, points: float, said: str
) -> None:
    made = result(springs, points=(0, points, 0))
    made.exercises[1].checks = [
        CheckResult(name=name, title=name, hidden=True, seconds=0, outcome=outcome, worth=part)
        for name, outcome, part in (("a", "passed", worth), ("b", "failed", 4 - worth))
    ]
    made.exercises[1].checks[1].point = True
    page = checks_page(springs, made)
    told = [" ".join(line.split()) for line in Tags(page).text.splitlines()]
    assert [line for line in told if line.startswith("The checks passed")] == [said] * bool(said)


def test_checks_say_what_they_are_worth(springs: Assignment) -> None:
    made = judged_here(springs, "ada", json.dumps(filled(springs, ANSWERS)).encode())
    for exercise in made.exercises:
        worth = sum(check.worth for check in exercise.checks)
        assert worth == pytest.approx(exercise.max_points, abs=1e-3)
        assert not any(check.worth for check in exercise.checks if not check.hidden)
        earned = sum(check.worth for check in exercise.checks if check.outcome == "passed")
        assert earned == pytest.approx(exercise.points, abs=1e-3)


def test_a_page_of_nbgraders_gives_way_where_its_mark_is_not_the_gradebooks(
    graded: Path, springs: Assignment
) -> None:
    made = Store(graded).load("springs", "ada")
    assert made is not None
    pages = Pages(Recorder(graded, [springs]))
    path = pages.path(made)
    path.parent.mkdir(parents=True)
    for total, stays in (("11.0", True), ("8.0", False)):
        path.write_text(f"<h4>springs (Score: {total} / 15.0)</h4>")
        pages.record(made)
        assert path.read_text(encoding="utf-8").startswith("<h4>") == stays
    give(graded, 3.125)  # 11.13 elsewhere: a page of nbgrader's has Python's halves
    path.write_text("<h4>springs (Score: 11.12 / 15.0)</h4>")
    pages.record(made)
    assert path.read_text(encoding="utf-8").startswith("<h4>")


def test_who_gave_points_is_noted_where_they_are_given(
    graded: Path, springs: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "kim")
    givers.watch()
    try:
        with Gradebook(f"sqlite:///{graded}/gradebook.db") as book:
            grade = book.find_grade("check_energies", "springs", "springs", "ada")
            grade.manual_score = 3.5
            book.db.commit()
            grade.needs_manual_grade = False
            book.db.commit()
    finally:
        for moment in ("after_insert", "after_update"):
            event.remove(Grade, moment, givers._note)
    (ada,) = (m for m in Recorder(graded, [springs]).marks(springs) if m.student == "ada")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert ada.by_hand["energies"].giver == f"kim, {today}"
    assert ada.by_hand["oscillator"].giver == "", "nobody knows who wrote into the database"
    assert f"energies: 3.5 by hand (kim, {today}), the checks gave 2" in ada.story


def test_what_could_not_be_read_has_the_gradebooks_mark_everywhere(
    graded: Path, springs: Assignment, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = unreadable(springs, "ben")
    Store(graded).save(made)
    recorder = Recorder(graded, [springs])
    recorder.record(made)
    said = {}
    for kind in ("csv", "canvas", "moodle"):
        (row,) = (r for r in csv.reader(io.StringIO(table(graded, springs, kind)[0])) if "ben" in r)
        said[kind] = row[-2 if kind == "csv" else -1]
    gradescope_files(graded, springs, tmp_path / "out")
    said["gradescope"] = str(json.loads((tmp_path / "out" / "ben.json").read_bytes())["score"])
    Pages(Recorder(graded, [springs])).record(made)
    said["page"] = re.findall(r"([\d.]+) of 15 points", shown_page(graded, "ben"))[0]
    report = read_report("springs", graded)
    text = " ".join(Tags(render(report, datetime.now())).text.split())
    said["report"] = re.findall(r"ben ?([\d.]+) of 15 could not be read", text)[0]
    page, students, *_ = write_overview([report], graded)
    text = " ".join(Tags(page.read_text()).text.split())
    said["course"] = re.findall(r"ben ?([\d.]+) not read", text)[0]
    (row,) = (r for r in csv.DictReader(students.read_text().splitlines()) if r["student"] == "ben")
    said["course as CSV"] = row["springs"]
    assert row["mean_of_handed_in"] == "", "it is compared with nobody's"
    assert row["behind"] == "could not be read: springs"
    text = Tags((graded / "report" / "students" / "ben.html").read_text()).text
    said["the student's"] = re.findall(r"spring ([\d.]+) ?15", " ".join(text.split()))[0]
    _print_class("Springs", [made], {mark.student: mark for mark in recorder.marks(springs)})
    said["terminal"] = re.findall(r"ben +([\d.]+) of 15", capsys.readouterr().out)[0]
    assert {float(mark) for mark in said.values()} == {0.0}, f"not everywhere the same: {said}"


def test_a_mark_by_hand_counts_also_where_the_grader_failed(
    graded: Path, springs: Assignment, tmp_path: Path
) -> None:
    failed = result(springs, points=(6, 2, 0), status="grader_error", message="it broke")
    failed.exercises[2].status = "error"
    Store(graded).save(failed)
    Recorder(graded, [springs]).record(failed)
    _, without = gradescope_files(graded, springs, tmp_path / "out")
    assert without == []
    assert json.loads((tmp_path / "out" / "ada.json").read_bytes())["score"] == 11.0
    assert {s.name: s.total for s in read_report("springs", graded).submissions}["ada"] == 11.0
    Pages(Recorder(graded, [springs])).record(failed)
    assert "11 of 15 points" in shown_page(graded)


# ------------------------------------------------------------------------ a course that changed


def test_a_recorded_mark_is_moved_by_nobody_but_who_judges_anew(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exercise is renamed, and its points are others: marks stay, until a result is new."""
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    old = result(springs, points=(6, 4, 5))
    recorder = Recorder(tmp_path, [springs])
    Store(tmp_path).save(old)
    recorder.record(old)
    root = tmp_path / "changed"
    for kind in ("source", "release"):
        path = root / kind / "springs" / "springs.ipynb"
        path.parent.mkdir(parents=True)
        text = getattr(springs, kind).read_text(encoding="utf-8").replace("oscillator", "swing")
        path.write_text(text.replace('"points": 6', '"points": 9'), encoding="utf-8")
    (root / "reference_impl").symlink_to(course.ROOT / "reference_impl")
    monkeypatch.setattr(course, "ROOT", root)
    replaced = msgspec.structs.replace
    force, energies, swing = springs.exercises
    other = replaced(
        springs, exercises=(replaced(force, points=9.0), energies, replaced(swing, name="swing"))
    )
    for _ in range(2):
        recorder = Recorder(tmp_path, [other])
        recorder.record(old)
        (mark,) = recorder.marks(other)
        assert (mark.total, mark.max_points) == (15.0, 15.0)
    new = result(other, points=(9, 0, 0))
    preview = recorder.preview(new)
    assert preview is not None
    assert preview.total == 9.0
    assert recorder.marks(other) == [mark], "a preview records nothing"
    recorder.record(new)
    Store(tmp_path).save(new)
    (mark,) = Recorder(tmp_path, [other]).marks(other)
    assert mark.total == 9.0
    assert set(mark.exercises) == {"spring_force", "energies", "swing"}


def test_a_regrade_counts_totals(
    springs: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result(springs, points=(6, 4, 5))
    after = result(springs, points=(6, 4, 0), max_points=10)
    del after.exercises[2]
    _print_changes([Change(before, after)], {"ada": (15.0, 10.0)})
    said = " ".join(capsys.readouterr().out.split())
    assert "oscillator 5 → 0" in said
    assert "0 gain, 1 lose" in said
    _print_changes([Change(before, after)], {"ada": (12.0, 12.0)})  # by hand
    said = " ".join(capsys.readouterr().out.split())
    assert "the checks give 15 → 10, the rest is by hand or late" in said
    assert "0 gain, 0 lose" in said


def test_who_left_is_nowhere_and_comes_back_with_everything(
    graded: Path, springs: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Recorder(graded, [springs]).know([Known("zoe", "Zoe Late")])
    assert len(gradescope_files(graded, springs, tmp_path / "out")[0]) == 2
    with pytest.raises(CourseError, match="knows nobody called mallory"):
        drop(["ada", "mallory"], graded)
    drop(["ada"], graded)
    recorder = Recorder(graded, [springs])
    assert students(graded, springs) == ["=1+1"]
    assert [mark.student for mark in recorder.marks(springs)] == ["=1+1"]
    assert [found.student for found in Store(graded).all("springs")] == ["=1+1"], "no regrade"
    for kind in ("csv", "canvas", "moodle"):
        assert "ada" not in table(graded, springs, kind)[0].lower()
    rows = list(csv.DictReader(io.StringIO(table(graded, springs, "csv")[0])))
    assert [(row["student"], row["total"]) for row in rows] == [("'=1+1", "11.0"), ("zoe", "")]
    (left,) = gradescope_files(graded, springs, tmp_path / "out")[0]
    assert [left] == [*(tmp_path / "out").iterdir()], "nothing of an export before"
    assert left.stem == "=1+1"
    assert feedback_archive(graded, springs, "feedback", tmp_path / "back.zip")[0] == 1
    report = read_report("springs", graded)
    assert [s.name for s in report.submissions] == ["=1+1"]
    assert (report.absent, report.ungraded) == (["Zoe Late (zoe)"], [])
    assert report.dropped == [f"ada, {datetime.now():%Y-%m-%d}"]
    assert "left the course" in render(report, datetime(2026, 12, 1))
    _print_absent(recorder.absent("springs", recorder.marks(springs)), 1)
    said = capsys.readouterr().out
    assert "handed in nothing: Zoe Late (zoe)" in said
    drop(["ada"], graded, back=True)
    assert {m.student: m.total for m in recorder.marks(springs)} == {"ada": 11.0, "=1+1": 11.0}


def test_two_who_drop_at_once_lose_nobody(graded: Path) -> None:
    second = threading.Thread(target=drop, args=(["ada"], graded))
    with in_turn(graded):
        second.start()
        second.join(0.3)
        save_dropped(graded, dropped(graded) | {"=1+1": "2026-12-01"})
    second.join()
    assert dropped(graded).keys() == {"ada", "=1+1"}


# ------------------------------------------------------------------------ answers in words


@pytest.fixture(scope="module")
def wordy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up course with a question that is answered in words, for 4 points."""
    root = toy_course.write(tmp_path_factory.mktemp("wordy"))
    text = root / "assignments" / "springs" / "notebook.py"
    cell = '\n# %% [markdown] answer="why" points=4\n# Why does it swing?\n'
    text.write_text(text.read_text(encoding="utf-8") + cell, encoding="utf-8")
    guide = root / "reference_impl" / "guides" / "springs.md"
    guide.parent.mkdir()
    guide.write_text("# why\n\nA secret guide: energy goes to and fro.\n", encoding="utf-8")
    with toy_course.activated(root):
        build(course.load_assignment("springs"))
    return root


@pytest.fixture
def wordy(wordy_root: Path) -> Iterator[Assignment]:
    with toy_course.activated(wordy_root):
        yield course.load_assignment("springs")


def test_a_marking_guide_stays_private_and_is_asked_for(
    wordy: Assignment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    release, source = (path.read_text(encoding="utf-8") for path in (wordy.release, wordy.source))
    assert "secret guide" in source
    assert "secret guide" not in release
    assert "Why does it swing?" in release
    assert "YOUR ANSWER HERE" in release
    wordy.marking_guide.rename(wordy.marking_guide.with_suffix(".away"))
    try:
        with pytest.raises(CourseError, match=r"guides/springs.md has no part `# why`"):
            build(wordy)
    finally:
        wordy.marking_guide.with_suffix(".away").rename(wordy.marking_guide)


def in_words(wordy: Assignment, student: str, course_dir: Path, words: str) -> Result:
    """Handed in and recorded, as a judge would say it."""
    sha256 = hand_in(course_dir, student, filled(wordy, {**ANSWERS, **{"answer_why": words}}))
    data = (course_dir / "submitted" / student / "springs" / "springs.ipynb").read_bytes()
    submission = read_submission(data, wordy)
    words_ = list(answer_cells(submission.notebook, outline_of(wordy)))
    made = result(wordy, student, sha256=sha256, in_words=words_)
    Store(course_dir).save(made)
    Recorder(course_dir, [wordy]).record(made)
    return made


def test_answers_in_words_reach_formgrader_and_every_page(
    wordy: Assignment, tmp_path: Path
) -> None:
    blank = "Why does it swing?\n\nYOUR ANSWER HERE"
    in_words(wordy, "ben", tmp_path, blank)
    made = in_words(wordy, "ada", tmp_path, "Because <b>energy</b> moves.")
    assert made.in_words == ["answer_why"]
    marks = {mark.student: mark for mark in Recorder(tmp_path, [wordy]).marks(wordy)}
    assert {who: (m.total, m.max_points) for who, m in marks.items()} == dict.fromkeys(
        ("ada", "ben"), (8.0, 19.0)
    )
    assert marks["ada"].story == ["why: answered in words, still to be marked by hand"]
    assert [e.submission.name for e in read_report("springs", tmp_path).to_mark] == ["ada"]
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        waiting = {
            s.student.id for s in book.assignment_submissions("springs") if s.needs_manual_grade
        }
        assert waiting == {"ada"}
        grade = book.find_grade("answer_why", "springs", "springs", "ada")
        assert grade.max_score == 4
        grade.manual_score, grade.needs_manual_grade = 3, False
        comment = book.find_comment("answer_why", "springs", "springs", "ada")
        comment.manual_comment = "And friction?"
        book.db.commit()
    Recorder(tmp_path, [wordy]).record(made)
    ada = next(m for m in Recorder(tmp_path, [wordy]).marks(wordy) if m.student == "ada")
    assert ada.total == 11.0
    # Who gave it is noted where formgrader runs, and in a process that has been one.
    assert re.fullmatch(r"why: 3 by hand( \(.+\))?: And friction\?", *ada.story)
    assert not read_report("springs", tmp_path).to_mark
    (row, other) = csv.DictReader(io.StringIO(table(tmp_path, wordy, "csv")[0]))
    assert (row["why"], row["total"], row["max_points"]) == ("3.0", "11.0", "19.0")
    assert (other["why"], other["total"]) == ("0.0", "8.0")
    gradescope_files(tmp_path, wordy, tmp_path / "out")
    data = json.loads((tmp_path / "out" / "ada.json").read_bytes())
    assert data["score"] == 11.0
    assert "And friction?" in data["output"]
    Pages(Recorder(tmp_path, [wordy])).record(made)
    text = shown_page(tmp_path)
    for words in ("11 of 19 points", "Because <b>energy</b> moves.", "Comment. And friction?"):
        assert words in text, f"the page does not say: {words}"
    notebook = json.loads(Recorder(tmp_path, [wordy]).autograded(made).read_bytes())
    (cell,) = (cell for cell in notebook["cells"] if cell["id"] == "answer_why")
    assert cell["source"] == "    Because <b>energy</b> moves.", "as typed, never rendered"
    assert cell["metadata"]["nbgrader"]["grade"]


def test_a_question_without_points_says_nothing_of_the_mark(
    wordy: Assignment, tmp_path: Path
) -> None:
    made = in_words(wordy, "ada", tmp_path, "Because.")
    (mark,) = Recorder(tmp_path, [wordy]).marks(wordy)
    assert mark.in_words == {"why": (None, 4.0)}
    assert mark.story
    mark = mark._replace(in_words={"why": InWords(None, 0.0)})
    assert mark.story == []
    text = " ".join(Tags(page_of(wordy, made, mark, {"answer_why": "Because."})).text.split())
    assert "Because." in text
    assert "still to be marked" not in text
    extra = {"why": ByHand(None, 2.0, giver="kim")}
    mark = mark._replace(in_words={"why": InWords(2.0, 0.0)}, by_hand=extra, points=10.0)
    assert mark.story == ["why: 2 by hand (kim)"], "what counts is told"
    assert "2 of 0 points" in " ".join(Tags(page_of(wordy, made, mark, {})).text.split())
