"""A semester, step by step as in docs/semester.md: three assignments, 28 students, two graders,
three platforms; late work, an extension, groups, points by hand, further attempts, somebody who
leaves, a check that changes, a move.

At its end every surface has the marks of one table.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import toy_course
from nbgrader.api import Gradebook
from test_gradebook import ANSWERS, Tags, filled, judged_here
from test_shared_course import as_user, let_all_in
from typer.testing import CliRunner

from autograder import course
from autograder.authoring.build import build
from autograder.cli import app
from autograder.course import load_assignment
from autograder.grading import run
from autograder.grading.executors import Hands, checks_of
from autograder.grading.job import Job
from autograder.judging.answers import reference_code
from autograder.judging.digest import together
from autograder.records.gradebook import givers
from autograder.results import Store

NAMES = ("springs", "pendulum", "waves")
FIRST = "Ada Ben Cy Dora Emmy Fay Gus Hedy Ida Joe Kit Lise Max Nora Otto Pia Quin Rosa Sam Tess"
LAST = (
    "Abel Bohr Curie Dirac Euler Fermi Gauss Hertz Ising Joule Kepler Lagrange Mach Noether Ohm "
    "Pauli Quetelet Raman Stokes Tesla Uhlenbeck Volta Weyl Xavier Yukawa Zeeman Ampere Born"
)
PEOPLE = {
    f"s{n:02}": f"{first} {last}"
    for n, (first, last) in enumerate(zip(2 * FIRST.split(), LAST.split(), strict=False), 1)
}
GOOD = {student for student in PEOPLE if int(student[1:]) % 3 == 0}
"""Who writes right answers; the others lack the oscillator, which is worth 5 of 15."""
WEAK = {student for student in PEOPLE if int(student[1:]) % 7 == 1}
"""Who has nothing but the force, 6 points."""
LATE, EXTENDED, LEFT, IDLE = "s10", "s11", "s07", "s13"
GROUPS = (("s09", "s17"), ("s20", "s23", "s26"))
"""They hand in the third together, what the first one wrote."""
APPEAL, AGAIN, WORSE = "s14", "s16", "s21"
"""Points by hand; points by hand, then another attempt; a worse one where the best counts."""


def written(student: str) -> float:
    """What a student's notebook is worth."""
    return 6.0 if student in WEAK else 15.0 if student in GOOD else 10.0


def table() -> dict[str, dict[str, float | None]]:
    """What everybody has at the end; None where nothing was handed in."""
    marks: dict[str, dict[str, float | None]] = {}
    for student in PEOPLE.keys() - {LEFT}:
        marks[student] = dict.fromkeys(NAMES, written(student))
    marks[LATE]["pendulum"] = 0.0  # the course takes all from late work
    marks[IDLE] |= {"pendulum": None, "waves": None}
    marks[APPEAL]["springs"] = 12.33  # two points and a third for the oscillator, by hand
    for group in GROUPS:
        for student in group:
            marks[student]["waves"] = written(group[0])
    return marks


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up course three times, under three names."""
    root = toy_course.write(tmp_path_factory.mktemp("semester"))
    for name in NAMES[1:]:
        for path, text in toy_course.FILES.items():
            if "springs" in path:
                copied = root / path.replace("springs", name)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_text(text.replace("springs", name), encoding="utf-8")
    toml = root / "assignments" / "course.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text("\n".join(text.replace("[springs]", f"[{name}]") for name in NAMES))
    with toy_course.activated(root):
        for name in NAMES:
            build(load_assignment(name))
    return root


def judging(judged: list[str]) -> Callable[[int, str], AbstractContextManager[Hands]]:
    """In the place of `run.here`: a judge in this process, which notes whom it has judged."""

    @contextlib.contextmanager
    def here(jobs: int, weakest: str) -> Iterator[Hands]:
        def submit(job: Job) -> Future[bytes]:
            found = load_assignment(job.assignment)
            result = judged_here(found, job.student, job.notebook, job.salt, problem=job.problem)
            checks = checks_of(job)
            result.checks_sha256 = together(checks)
            for exercise in result.exercises:
                exercise.checks_sha256 = checks[exercise.name]
            judged.append(f"{job.assignment} {job.student}")
            done: Future[bytes] = Future()
            done.set_result(msgspec.msgpack.encode(result))
            return done

        yield Hands(submit, lambda: 4)

    return here


@pytest.fixture
def semester(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, list[str]]]:
    """The course's folder; and whom the judge, which stands in this process, has judged."""
    judged: list[str] = []
    monkeypatch.setattr(run, "here", judging(judged))
    with toy_course.activated(root):
        yield tmp_path / "course", judged


def command(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert outcome.exit_code == code, f"{words}: {outcome.output}"
    return " ".join(outcome.output.split())


def notebook(name: str, student: str) -> bytes:
    found = load_assignment(name)
    answers = ANSWERS
    if student in WEAK:
        answers = {"spring_force": ANSWERS["spring_force"]}
    elif student in GOOD:
        answers = {e.name: reference_code(found, e.name) for e in found.exercises}
    return json.dumps(filled(found, answers)).encode()


def moodle(name: str, who: list[str]) -> dict[str, bytes]:
    numbers = enumerate(who, 700)
    return {
        f"{PEOPLE[student]}_{number}_assignsubmission_file_/{name}.ipynb": notebook(name, student)
        for number, student in numbers
    }


def canvas(name: str, who: list[str]) -> dict[str, bytes]:
    files = {}
    for n, student in enumerate(who, 50):
        label = f"{PEOPLE[student].split()[1].lower()}_{9000 + int(student[1:])}_{n}"
        files[f"{label}_{name}.ipynb"] = notebook(name, student)
    return files


def gradescope(name: str, groups: list[tuple[str, ...]]) -> dict[str, bytes]:
    files, lines = {}, []
    for n, group in enumerate(groups, 1):
        files[f"export/submission_{n}/mine.ipynb"] = notebook(name, group[0])
        lines += [f"submission_{n}:", "  :submitters:"]
        lines += [
            f'  - {{":name": {PEOPLE[s]}, ":sid": "77{s[1:]}", ":email": {s}@example.org}}'
            for s in group
        ]
        lines.append("  :created_at: 2026-11-20 10:00:00 Z")
    return files | {"export/submission_metadata.yml": "\n".join(lines).encode()}


def archive(folder: Path, files: dict[str, bytes], late: tuple[str, ...] = ()) -> Path:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w") as made:
        for n, (name, data) in enumerate(files.items()):
            day = 21 if name.startswith(late or ("?",)) else 10 + n % 9
            made.writestr(zipfile.ZipInfo(name, (2026, 11, day, 9, n % 60, 0)), data)
    return path


def by_hand(course_dir: Path, student: str, points: float, said: str) -> None:
    """For the oscillator of the first assignment, in formgrader."""
    givers.watch()
    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        grade = book.find_grade("check_oscillator", "springs", "springs", student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment("oscillator", "springs", "springs", student).manual_comment = said
        book.db.commit()


def by_assistant(name: str, course_dir: Path, work: Callable[[], object]) -> None:
    """In a process of another user's, where this one may do that."""

    def theirs() -> None:
        os.environ["JUPYTERHUB_USER"] = name
        work()

    for folder in (course_dir, course.ROOT / "source"):
        let_all_in(folder)
    assert as_user({"kim": 4001, "lee": 4002}[name], 4000, theirs) == ""


def told(course_dir: Path) -> dict[str, dict[str, dict[str, float | None]]]:
    """The marks by surface, student and assignment, as each surface has them."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}

    def note(surface: str, student: str, name: str, mark: str) -> None:
        row = found.setdefault(surface, {}).setdefault(student, dict.fromkeys(NAMES))
        row[name] = float(mark) if mark else None

    ids = {name: student for student, name in PEOPLE.items()}
    for name in NAMES:
        for row in csv.DictReader(io.StringIO(_exported(course_dir, name, "csv"))):
            note("csv", row["student"], name, row["total"])
        for row in list(csv.DictReader(io.StringIO(_exported(course_dir, name, "canvas"))))[1:]:
            last, first = row["Student"].split(", ")
            note("canvas", ids[f"{first} {last}"], name, list(row.values())[-1])
        for row in csv.DictReader(io.StringIO(_exported(course_dir, name, "moodle"))):
            who = row.get("Full name") or f"{row['First name']} {row['Last name']}"
            note("moodle", ids[who], name, row.get("Grade") or list(row.values())[-1])
        out = course_dir / "out"
        command("export", name, "--course", course_dir, "--to", "gradescope", "--output", out)
        for path in out.iterdir():
            note("gradescope", path.stem, name, str(json.loads(path.read_bytes())["score"]))
        shutil.rmtree(out)
        command("export", name, "--course", course_dir, "--to", "feedback")
        with zipfile.ZipFile(course_dir / f"feedback_{name}.zip") as zipped:
            for path_ in zipped.namelist():
                if path_.endswith(".html"):
                    text = " ".join(Tags(zipped.read(path_).decode()).text.split())
                    mark = re.findall(r"([\d.]+) of 15 points", text)[0]
                    note("page", path_.split("/")[0], name, mark)
            recipients = csv.DictReader(io.StringIO(zipped.read("recipients.csv").decode()))
            for row in recipients:
                note("mail", row["student"], name, row["total"])
        with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:  # what formgrader shows
            for one in book.assignment_submissions(name):
                if one.student.id != LEFT:  # nothing is deleted
                    left = max(
                        0.0, one.score - sum(n.late_submission_penalty or 0 for n in one.notebooks)
                    )
                    note("formgrader", one.student.id, name, str(round(left, 2)))
        said = command("grade", name, "--course", course_dir)
        for student, mark in re.findall(r"(s\d\d) [A-Z][\w ]+? ([\d.]+) of 15", said):
            note("terminal", student, name, mark)
    command("report", "--course", course_dir)
    for name in NAMES:
        text = (course_dir / "report" / f"{name}.html").read_text(encoding="utf-8")
        shown = " ".join(re.sub("<[^>]+>", " ", text).split())
        for student, mark in re.findall(r"\((s\d\d)\) ([\d.]+) of 15", shown):
            note("report", student, name, mark)
    with (course_dir / "report" / "course_students.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name in NAMES:
                note("overview", row["student"], name, row[name])
    for path in (course_dir / "report" / "students").iterdir():
        rows = r'<td class="n(?: s\d| none)">([\d.]+|–)</td><td class="n">15</td>'
        shown_ = re.findall(rows, path.read_text(encoding="utf-8"))
        for name, mark in zip(NAMES, shown_, strict=True):
            note("student's page", path.stem, name, mark.replace("–", ""))
    return found


def _exported(course_dir: Path, name: str, to: str) -> str:
    path = course_dir / "marks.csv"
    command("export", name, "--course", course_dir, "--to", to, "--output", path)
    return path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_semester_ends_with_one_table(
    semester: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course_dir, judged = semester
    # Week 0: a folder that a group may write in, what late work costs, the roster, the due dates.
    course_dir.mkdir()
    if os.geteuid() == 0:
        os.chown(course_dir, -1, 4000)
    course_dir.chmod(0o2775)
    (course_dir / "nbgrader_config.py").write_text(
        "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        for student, name in PEOPLE.items():
            first, last = name.split()
            book.update_or_create_student(
                student,
                first_name=first,
                last_name=last,
                email=f"{student}@example.org",
                lms_user_id=str(9000 + int(student[1:])),
            )
        for name in NAMES:
            book.update_or_create_assignment(name, duedate=datetime(2026, 11, 20, 12))
    everybody = list(PEOPLE)

    # The first assignment, through Moodle; somebody leaves, somebody's zip holds no notebook.
    files = moodle("springs", everybody) | {"Zoe Nobody_1_assignsubmission_file_/essay.pdf": b"%"}
    said = command("collect", "springs", archive(tmp_path, files), "--course", course_dir, code=1)
    assert f"{len(PEOPLE)} submissions written" in said
    assert {path.name for path in (course_dir / "submitted").iterdir()} == set(PEOPLE)
    command("grade", "springs", "--course", course_dir)
    command("drop", LEFT, "--course", course_dir)
    secret = course_dir / "feedback" / LEFT / "springs" / "submission_secret.txt"
    secret.unlink()  # as `nbgrader autograde` does, and `release_feedback` stops without it

    # Two appeals, to two assistants: points by hand, with a comment, and who gave them.
    by_assistant("kim", course_dir, lambda: by_hand(course_dir, APPEAL, 7 / 3, "Half."))
    by_assistant("lee", course_dir, lambda: by_hand(course_dir, AGAIN, 4.0, "Nearly."))
    said = command("grade", "springs", "--course", course_dir)
    assert secret.is_file()
    assert "oscillator: 2.33 by hand (kim, " in said
    assert "oscillator: 4 by hand (lee, " in said

    # Another attempt of one with points by hand: they stay with the first, and the grader says so.
    files = {f"{AGAIN}/springs.ipynb": notebook("springs", AGAIN) + b"\n"}
    again = archive(tmp_path, files)
    command("collect", "springs", again, "--course", course_dir, "--replace")
    said = command("grade", "springs", "--course", course_dir)
    assert f"{AGAIN}: what was given by hand (oscillator) stays with attempt 1" in said

    # The second, through Canvas, two of them late, one with an extension.
    active = [student for student in everybody if student not in (LEFT, IDLE)]
    files = canvas("pendulum", active)
    late = tuple(PEOPLE[student].split()[1].lower() for student in (LATE, EXTENDED))
    command("collect", "pendulum", archive(tmp_path, files, late), "--course", course_dir)
    said = command("grade", "pendulum", "--course", course_dir)
    with Gradebook(f"sqlite:///{course_dir}/gradebook.db") as book:
        book.find_submission("pendulum", EXTENDED).extension = timedelta(days=2)
        book.db.commit()

    # The third, through Gradescope, with groups; then a worse attempt, where the best one counts.
    joint = {student for group in GROUPS for student in group}
    lone = [(student,) for student in active if student not in joint]
    files = gradescope("waves", [*lone, *GROUPS])
    command("collect", "waves", archive(tmp_path, files), "--course", course_dir)
    said = command("grade", "waves", "--course", course_dir, "--policy", "best")
    assert f"handed in nothing: {PEOPLE[IDLE]} ({IDLE})" in said
    files = {f"{WORSE}/waves.ipynb": notebook("waves", "s01")}
    command("collect", "waves", archive(tmp_path, files), "--course", course_dir, "--replace")
    said = command("grade", "pendulum", "waves", "--course", course_dir)
    assert f"{WORSE}: attempt 1 counts, the best one (1: 15, 2: 6)" in said

    count = len(PEOPLE) + 1 + 2 * (len(PEOPLE) - 2) + 1
    assert len(judged) == count
    surfaces = told(course_dir)
    assert len(surfaces) == 11
    assert {surface: rows for surface, rows in surfaces.items() if rows != table()} == {}
    assert len(judged) == count, "nothing was judged again"
    if os.geteuid() == 0:
        folders = [path for path in course_dir.rglob("*") if path.is_dir()]
        shut = [path for path in folders if path.stat().st_mode & 0o2070 != 0o2070]
        assert shut == [], "an assistant cannot write there"

    # The course moves, and goes on; then its salt is lost, and nothing is judged anew.
    moved = tmp_path / "elsewhere" / "course"
    shutil.copytree(course_dir, moved)
    for salt in (moved / ".autograder_salt", moved / "results" / ".autograder_salt"):
        salt.unlink()
    with pytest.raises(course.CourseError, match="is gone, and results holds marks"):
        command("grade", "springs", "--course", moved)

    # Another salt is another course: `grade` leaves every mark, and says so; `regrade` compares.
    (moved / ".autograder_salt").write_text("0" * 32)
    said = command("grade", "springs", "--course", moved)
    kept = len(PEOPLE) - 1
    words = f"{kept} recorded marks of springs rest on other checks, other points or another salt"
    assert words in said
    assert len(judged) == count
    said = command("regrade", "springs", "--course", moved)
    assert f"{kept} judged again: 0 gain, 0 lose" in said
    assert Store(moved).all("springs") == Store(course_dir).all("springs"), "nothing was recorded"
    assert told(moved) == surfaces
