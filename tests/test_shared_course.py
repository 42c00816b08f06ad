"""A course in a folder that several people grade in, that is moved, copied or half lost.

Missing is not empty: what cannot be read, or is gone, is said, and no mark changes.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import fcntl
import multiprocessing
import os
import select
import signal
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import load_assignment
from autograder.errors import CourseError
from autograder.files import share, write_atomically
from autograder.grading import folder
from autograder.grading.executors import Judges, checks_of
from autograder.grading.folder import SALT, course_salt, only_grader, read_job
from autograder.grading.run import Graders, grade_class, judged_again
from autograder.results import Result, Store

FOUND = load_assignment("backprop")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other users")


def result(student: str = "ada", **changes: object) -> Result:
    values: dict[str, object] = {
        **{"assignment": "backprop", "student": student, "points": 100.0, "max_points": 100.0},
        **{"isolation": "full", "submission_sha256": "its bytes", "checks_sha256": "checks"},
        **{"seconds": 1.0, "status": "graded"},
    }
    return Result(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A course with a result."""
    (tmp_path / "submitted").mkdir()
    course_salt(tmp_path)
    Store(tmp_path).save(result())
    return tmp_path


def let_all_in(folder: Path) -> None:
    """pytest's folders are root's alone."""
    for parent in [folder, *folder.parents]:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(0o755)


# ------------------------------------------------------------------------------ the salt


def test_a_new_course_gets_a_salt_of_its_own(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    salts = {course_salt(first), course_salt(second), course_salt(first)}
    assert len(salts) == 2
    assert (first / SALT).stat().st_mode & 0o077 == 0


def test_who_begins_a_course_at_the_same_moment_has_one_salt(tmp_path: Path) -> None:
    """Otherwise a mark stands that was given under a salt which is there no more."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for course in (tmp_path / "a", tmp_path / "b", tmp_path / "c"):
            (course / "submitted").mkdir(parents=True)
            salts = set(pool.map(course_salt, [course] * 4, chunksize=1))
            assert salts == {course_salt(course)}


def test_the_salt_goes_where_the_results_go(graded: Path) -> None:
    salt = course_salt(graded)
    (graded / SALT).unlink()  # as `cp course/* elsewhere` leaves it
    assert course_salt(graded) == salt
    assert (graded / SALT).read_text().strip() == salt


@pytest.mark.parametrize("left", ["results", "autograded", "gradebook.db"])
def test_a_course_whose_salt_is_gone_says_so(graded: Path, left: str) -> None:
    (graded / SALT).unlink()
    (graded / "results" / SALT).unlink()
    if left != "results":
        (graded / "results" / "backprop" / "ada.json").unlink()
    if left == "autograded":  # of a course with another database
        notebook = graded / "autograded" / "ada" / "backprop" / "backprop.ipynb"
        notebook.parent.mkdir(parents=True)
        notebook.touch()
    if left == "gradebook.db":
        with contextlib.closing(sqlite3.connect(graded / left)) as database:
            database.execute("CREATE TABLE grade (auto_score FLOAT)")
            course_salt(graded)  # a roster alone is no mark
            (graded / SALT).unlink()
            (graded / "results" / SALT).unlink()
            database.execute("INSERT INTO grade VALUES (3.0)")
            database.commit()
    with pytest.raises(CourseError, match=rf"is gone, and {left} holds marks"):
        course_salt(graded)
    assert not (graded / SALT).exists()


@pytest.mark.parametrize("text", ["", "not a salt", "ä"])
def test_a_damaged_salt_is_not_replaced(graded: Path, text: str) -> None:
    (graded / SALT).write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="is damaged: it should hold 32"):
        course_salt(graded)
    assert (graded / SALT).read_text(encoding="utf-8") == text


def test_two_salts_are_not_mixed(graded: Path) -> None:
    (graded / SALT).write_text("0" * 32)
    with pytest.raises(CourseError, match="differ: the results were given under another salt"):
        course_salt(graded)


@AS_ROOT
def test_a_salt_of_another_user_is_not_replaced(graded: Path) -> None:
    salt = course_salt(graded)
    let_all_in(graded)
    said = as_user(4001, 4001, lambda: course_salt(graded))
    assert "CourseError" in said
    assert "cannot be read (Permission denied); it belongs to root" in said
    assert course_salt(graded) == salt


# ------------------------------------------------------------------------- several people


def as_user(uid: int, gid: int, work: Callable[[], object]) -> str:
    """What went wrong while another user did it; "" if nothing did. Who is not root stays who they
    are, in a process of its own."""
    codecs.lookup("ascii")  # another user may be unable to read the interpreter's files
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = ""
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
            os.umask(0o022)
            work()
        except BaseException:
            text = traceback.format_exc()
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        if not select.select([pipe], [], [], 300.0)[0]:  # a fork may wait for a lost thread's lock
            os.kill(pid, signal.SIGKILL)
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"it ended with {status} and said nothing"
    return said


@AS_ROOT
@pytest.mark.parametrize("own_group", [False, True], ids=["same group", "group of the folder"])
def test_two_assistants_share_a_folder(tmp_path: Path, own_group: bool) -> None:
    let_all_in(tmp_path)
    course = tmp_path / "course"
    course.mkdir()
    os.chown(course, 4001, 4000)
    course.chmod(0o2770 if own_group else 0o770)
    (course / "submitted").mkdir()

    def work(points: float) -> Callable[[], None]:
        def graded() -> None:
            with only_grader(course):
                course_salt(course)
                Store(course).save(result(points=points))
                write_atomically(course / "autograded" / "ada" / "backprop" / "x.ipynb", b"{}")
                (course / "gradebook.db").open("ab").close()

        return graded

    assert as_user(4001, 4000, work(1.0)) == ""
    salt = (course / SALT).read_text()
    assert as_user(4002, 4000, work(2.0)) == ""
    assert as_user(4001, 4000, work(3.0)) == ""
    assert (course / SALT).read_text() == salt
    assert (course / SALT).stat().st_mode & 0o007 == 0, "the salt is nobody else's to read"
    found = Store(course).load("backprop", "ada")
    assert found is not None
    assert found.points == 3.0


def test_where_the_folder_is_one_s_own_nothing_is_shared(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    write_atomically(tmp_path / "new" / "file", b"")
    assert (tmp_path / "new").stat().st_mode & 0o020 == 0
    share(tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").stat().st_mode & 0o020 == 0


@AS_ROOT
def test_a_result_that_may_not_be_read_is_not_judged_anew(graded: Path) -> None:
    let_all_in(graded)
    Store(graded).path("backprop", "ada").chmod(0o600)
    said = as_user(4001, 4001, lambda: Store(graded).load("backprop", "ada"))
    assert "ada.json cannot be read (Permission denied)" in said


@AS_ROOT
@pytest.mark.parametrize("shut", ["backprop/backprop.ipynb", "backprop", "."])
def test_a_notebook_that_may_not_be_read_is_no_zero(graded: Path, shut: str) -> None:
    folder = graded / "submitted" / "ada" / "backprop"
    folder.mkdir(parents=True)
    (folder / "backprop.ipynb").write_bytes(b"{}")
    let_all_in(graded)
    job = read_job(graded, FOUND, "ada", "")
    assert job.notebook
    assert checks_of(job)
    (graded / "submitted" / "ada" / shut).chmod(0o600)

    def judged() -> None:
        job = read_job(graded, FOUND, "ada", "")
        result = Judges("full").grade(job)
        assert (result.status, result.exercises) == ("grader_error", [])
        assert "cannot be read (Permission denied)" in result.message

    assert as_user(4001, 4001, judged) == ""


# ------------------------------------------------------------------------------ the lock


def test_another_grader_is_at_work_only_where_the_lock_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        only_grader(tmp_path),
        pytest.raises(CourseError, match="another grader is at work"),
        only_grader(tmp_path),
    ):
        pass

    def without(*args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", without)
    with (
        pytest.raises(CourseError, match=r"No locks available.*of the kind \w+, mounted at /"),
        only_grader(tmp_path),
    ):
        pass


@AS_ROOT
def test_a_lock_that_may_not_be_opened_is_said_as_that(tmp_path: Path) -> None:
    let_all_in(tmp_path)

    def work() -> None:
        with only_grader(tmp_path):
            pass

    said = as_user(4001, 4001, work)
    assert ".autograder_lock cannot be opened (Permission denied)" in said
    assert "another grader" not in said


# ------------------------------------------------------------------- missing submissions


@pytest.mark.parametrize("what", ["no folder", "empty folder"])
def test_a_submission_that_is_gone_keeps_its_mark_and_is_named(graded: Path, what: str) -> None:
    if what == "empty folder":
        (graded / "submitted" / "ada" / "backprop").mkdir(parents=True)
    missing: list[str] = []
    assert list(judged_again(FOUND, graded, Graders(1), missing)) == []
    assert [sentence.split(":")[0] for sentence in missing] == ["ada"]
    assert "there is no" in missing[0]
    for force in (False, True):
        (step,) = grade_class(FOUND, graded, ["ada"], [], Graders(1), force=force)
        assert step.stays
        assert step.now == result()
        assert "there is no" in step.gone
    assert Store(graded).load("backprop", "ada") == result()


def test_the_file_system_is_named(tmp_path: Path) -> None:
    assert "mounted at /" in folder._file_system(tmp_path)
