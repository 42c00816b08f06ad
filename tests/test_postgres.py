"""nbgrader's gradebook in a real PostgreSQL, where SQLite is outgrown: two graders at once."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader import api
from sqlalchemy import Engine, create_engine, event, text

from autograder.course import load_assignment
from autograder.files import usable_id
from autograder.records.gradebook import GradebookError, Recorder
from autograder.records.gradebook.students import Known
from autograder.results import Result

NAME = "backprop"
STUDENTS = 25

RECORDS = """
    # One grader: records a class, in an order of its own, twice.
    import sys
    import time
    from pathlib import Path
    from autograder.course import load_assignment
    from autograder.records.gradebook import Recorder
    from autograder.results import ExerciseResult, Result

    folder, first, step, start = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    found = load_assignment("backprop")
    while not Path(start).exists():
        time.sleep(0.001)
    recorder = Recorder(folder, [found])
    for number in 2 * list(range({students}))[first::step]:
        exercises = [
            ExerciseResult(
                name=e.name, points=number % e.points, max_points=e.points, status="partly"
            )
            for e in found.exercises
        ]
        recorder.record(
            Result(
                assignment=found.name,
                student=f"s{{number:02}}",
                points=sum(e.points for e in exercises),
                max_points=found.points,
                isolation="full",
                submission_sha256="",
                checks_sha256="",
                seconds=0.0,
                status="graded",
                exercises=exercises,
            )
        )
"""


def installed() -> Path:
    """The folder of PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of our own, reached through a socket in its folder; the URL but for the name."""
    programs = installed()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    shutil.chown(folder, user)

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [programs / program, *words], user=user, cwd=folder, check=True, capture_output=True
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "grader", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg2://grader@/{{}}?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """An empty database for one test."""
    name = f"t{abs(hash(request.node.name))}"
    admin = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.format(name)


def a_course(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(
        f"c.CourseDirectory.db_url = {url!r}\nc.CourseDirectory.course_id = 'physics'\n"
    )
    return folder


def graders(folders: list[tuple[Path, int, int]], start: Path) -> list[subprocess.Popen[str]]:
    script = textwrap.dedent(RECORDS.format(students=STUDENTS))
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(first), str(step), str(start)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder, first, step in folders
    ]


@pytest.mark.slow
def test_two_graders_at_once_lose_and_double_nothing(url: str, tmp_path: Path) -> None:
    one, two = a_course(tmp_path / "one", url), a_course(tmp_path / "two", url)
    start = tmp_path / "start"
    both = graders([(one, 0, 1), (two, STUDENTS - 1, -1)], start)
    time.sleep(3)  # both have imported what they need, and meet at the empty database
    start.touch()
    for process in both:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    found = load_assignment(NAME)
    marks = Recorder(one, [found]).marks(found)
    assert [mark.student for mark in marks] == [f"s{number:02}" for number in range(STUDENTS)]
    for number, mark in enumerate(marks):
        assert mark.exercises == {e.name: number % e.points for e in found.exercises}
    engine = create_engine(url)
    with engine.connect() as connection:
        by_checks = "grade JOIN base_cell ON base_cell.id = cell_id WHERE name LIKE 'check_%'"
        for table, expected in (
            ("assignment", 1),
            ("notebook", 1),
            ("student", STUDENTS),
            ("submitted_assignment", STUDENTS),
            ("submitted_notebook", STUDENTS),
            (by_checks, STUDENTS * len(found.exercises)),
        ):
            count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            assert (table, count) == (table, expected)
    engine.dispose()


@pytest.mark.parametrize("table", [api.Course, api.Assignment])
def test_who_comes_second_takes_what_the_first_has_made(
    url: str, tmp_path: Path, table: Any
) -> None:
    """Another grader makes a row after this one has looked for it, and before it makes its own."""
    folder, found = a_course(tmp_path / "course", url), load_assignment(NAME)
    others: list[Recorder] = []
    not_yet = iter([True])

    def first(_: object, __: object, statement: str, *___: object) -> None:
        makes = statement.startswith(f"INSERT INTO {table.__tablename__} ")
        if makes and next(not_yet, False):  # the other's own rows come here, too
            others.append(Recorder(folder, [found]))

    event.listen(Engine, "before_cursor_execute", first)
    try:
        one = Recorder(folder, [found])
    finally:
        event.remove(Engine, "before_cursor_execute", first)
    assert others[0].marks(found) == one.marks(found) == []


@pytest.mark.slow
def test_nbgrader_reads_what_was_recorded(url: str, tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course", url)
    start = tmp_path / "start"
    start.touch()
    (process,) = graders([(folder, 0, 1)], start)
    assert process.communicate(timeout=600)[1] == ""
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", "--to", "marks.csv"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=600,
    )
    lines = (folder / "marks.csv").read_text().splitlines()
    assert len(lines) == 1 + STUDENTS


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course", f"postgresql+psycopg2://x@/x?host={tmp_path}")
    with contextlib.chdir(folder), pytest.raises(GradebookError, match="cannot be used"):
        Recorder(folder, [load_assignment(NAME)])


def test_a_database_that_is_not_there_is_not_taken_for_an_older_one(
    server: str, tmp_path: Path
) -> None:
    folder = a_course(tmp_path / "course", server.format("nobodys"))
    with contextlib.chdir(folder), pytest.raises(GradebookError) as told:
        Recorder(folder, [load_assignment(NAME)])
    assert '"nobodys" does not exist. The results' in str(told.value)


def test_no_name_is_too_long_or_too_odd_for_a_server(url: str, tmp_path: Path) -> None:
    """SQLite takes any; a platform's users choose theirs."""
    folder, found = a_course(tmp_path / "course", url), load_assignment(NAME)
    recorder = Recorder(folder, [found])
    long = "é" * 300
    recorder.know([Known("ada", f"{long} {long}", f"{long}@example.org", long)])
    recorder.know([Known("ben", "Ben", "ben@example.org", "7"), Known("cy", "C\0y", "\0@x", "\0")])
    ada, ben, cy = recorder.roster().values()
    assert "\0" not in f"{cy}"
    assert (ada.email, ada.lms_id) == ("", ""), "half an address is somebody else's"
    assert ada.first_name == long[:128]
    assert ben.email == "ben@example.org"
    longest = max("a" * n for n in range(300) if usable_id("a" * n))
    nothing = Result(
        assignment=NAME,
        student=longest,
        points=0.0,
        max_points=found.points,
        isolation="none",
        submission_sha256="",
        checks_sha256="",
        seconds=0.0,
        status="unreadable",
    )
    recorder.record(nothing)
    assert [mark.student for mark in recorder.marks(found)] == [longest]
