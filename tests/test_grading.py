"""A whole class in the cage: everyone gets exactly what they deserve, whatever the others do."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from autograder.authoring import demo
from autograder.cli import app
from autograder.course import ROOT, load_assignment
from autograder.grading import executors, judge_client, judge_process, run
from autograder.grading.executors import Hands, Judges, checks_of
from autograder.grading.folder import not_looked_at, read_job, students
from autograder.grading.job import Job
from autograder.grading.run import Graders, grade_class, judged_again, moved
from autograder.judging.answers import not_imported, reference_code
from autograder.results import ExerciseResult, Result, Store, save_dropped

TRAIN = {"ada", "dmitri", "emma", "kim", "rosa", "sami", "uma", "vera", "viktor", "walter", "yuri"}
"""Of the class whose notebooks train networks: its endless loop and its slow alternatives take
longer than all of these, and who is not here shows nothing that depends on the assignment."""


class Graded:
    """The demonstration class of one assignment, graded once for all tests."""

    def __init__(self, name: str, folder: Path) -> None:
        self.found = load_assignment(name)
        self.folder = folder
        self.members = {
            member.student: member
            for member in demo.class_of(self.found)
            if name == "backprop" or member.student in TRAIN
        }
        demo.write(folder, self.found, list(self.members.values()))
        chosen = students(folder, self.found)
        with pytest.MonkeyPatch.context() as patch:
            hasty = Path(__file__).with_name("hasty_judge.py")
            patch.setattr(judge_client, "PROGRAM", (str(hasty),))
            # One: a judge costs seconds to start, and beside a second one an endless loop has no
            # core of its own, is late and gets its computing time once more.
            graded = list(grade_class(self.found, folder, chosen, [], Graders(1)))
        self.results = {step.now.student: step.now for step in graded}


def _graded(name: str, factory: pytest.TempPathFactory) -> Graded:
    """Both workers of pytest share the folder: whoever comes second finds everybody graded."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Graded(name, shared / name)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Everybody, of an assignment that is quickly judged."""
    return _graded("backprop", tmp_path_factory)


@pytest.fixture(scope="session", params=demo.QUICK)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    if request.param == "backprop":
        return request.getfixturevalue("whole")
    return _graded(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def hands() -> Iterator[Hands]:
    """One judge, which takes seconds to start."""
    with contextlib.closing(Judges("full")) as judges, ThreadPoolExecutor(1) as pool:
        yield Hands(lambda job: pool.submit(judges.grade_bytes, job), lambda: 3)


@pytest.fixture
def _warm(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests to which it does not matter who judges."""
    monkeypatch.setattr(run, "here", lambda jobs, weakest: contextlib.nullcontext(hands))


@pytest.fixture
def own_copy(whole: Graded, tmp_path: Path) -> Path:
    """The graded class in a folder that a test may change."""
    return shutil.copytree(whole.folder, tmp_path / "class")


@pytest.mark.slow
def test_everyone_gets_exactly_what_they_deserve(graded: Graded) -> None:
    given = {name: (r.points, r.status) for name, r in graded.results.items()}
    deserved = {name: (m.points, m.status) for name, m in graded.members.items()}
    assert given == deserved


@pytest.mark.slow
def test_every_result_is_complete_and_says_at_which_level(graded: Graded) -> None:
    for result in graded.results.values():
        assert result.isolation == "full"
        assert len(result.submission_sha256) == len(result.checks_sha256) == 64
        assert [e.name for e in result.exercises] == [e.name for e in graded.found.exercises]
        assert result.points == pytest.approx(sum(e.points for e in result.exercises))
        assert result.max_points == graded.found.points
        if result.status == "graded":
            assert all(exercise.checks for exercise in result.exercises)


CAUSES = {
    "ines": "SyntaxError",
    "jonas": "computing time",
    "kim": "ended the Python process",
    "lena": "MemoryError",
    "sami": "still to be written",
    "uma": "ended the Python process",
    "viktor": "SyntaxError",
}


@pytest.mark.slow
def test_the_cause_stands_in_the_exercise_that_failed(graded: Graded) -> None:
    for student in CAUSES.keys() & graded.results.keys():
        wrong = [e for e in graded.results[student].exercises if e.points < e.max_points]
        assert len(wrong) == 1, f"{student}: every other exercise keeps its marks"
        assert CAUSES[student] in wrong[0].message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("student", "words"), [("nils", "cut off"), ("olga", "empty"), ("quinn", "readme.txt")]
)
def test_what_cannot_be_read_says_why(whole: Graded, student: str, words: str) -> None:
    result = whole.results[student]
    assert result.status == "unreadable"
    assert words in result.message


@pytest.mark.slow
def test_known_mistakes_get_their_hint(graded: Graded) -> None:
    slip = graded.found.exercises[1].name
    (found,) = [e for e in graded.results["dmitri"].exercises if e.name == slip]
    assert found.mistake
    assert found.hint


@pytest.mark.slow
def test_right_answers_get_no_hint(graded: Graded) -> None:
    for student in {"ada", "ben", "chloe", "milo", "rosa"} & graded.results.keys():
        assert not [e.name for e in graded.results[student].exercises if e.hint or e.message]


@pytest.mark.slow
def test_hidden_checks_show_no_values_and_no_words_of_the_student(graded: Graded) -> None:
    for result in graded.results.values():
        for exercise in result.exercises:
            for check in exercise.checks:
                if check.hidden:
                    for word in ("called ", "returned  ", "expected  "):
                        assert word not in check.message


@pytest.mark.slow
def test_no_process_is_left_behind(graded: Graded) -> None:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        assert not (b"worker.parent" in command and parent == "1"), "an orphaned worker"


@pytest.mark.slow
def test_grading_again_changes_and_repeats_nothing(graded: Graded) -> None:
    again = list(grade_class(graded.found, graded.folder, list(graded.members), [], Graders(2)))
    assert all(step.stays for step in again)
    assert {step.now.student: step.now for step in again} == graded.results


@pytest.mark.slow
@pytest.mark.usefixtures("_warm")
def test_only_a_changed_submission_is_graded_again(whole: Graded, own_copy: Path) -> None:
    path = own_copy / "submitted" / "hugo" / "backprop" / "backprop.ipynb"
    path.write_bytes(path.read_bytes() + b"\n")
    done = grade_class(whole.found, own_copy, ["ada", "hugo"], [], Graders(1))
    assert {step.now.student: step.stays for step in done} == {"ada": True, "hugo": False}


def _grade(course: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """`autograder grade backprop` on a course, as an instructor runs it."""
    command = [*before, sys.executable, "-m", "autograder", "grade", "backprop", "--jobs", "1"]
    return subprocess.run(
        [*command, "--course", str(course)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.usefixtures("_warm")
def test_a_regrade_shows_the_difference_and_records_it_only_after_a_yes(tmp_path: Path) -> None:
    """Of a student whose `backward` is right and stands on an unwritten exercise."""
    found = load_assignment("backprop")
    members = [m for m in demo.class_of(found) if m.student in ("sami", "hugo")]
    demo.write(tmp_path, found, members)
    place = ["backprop", "--course", str(tmp_path)]
    assert CliRunner().invoke(app, ["grade", *place]).exit_code == 0
    store = Store(tmp_path)
    right = store.load("backprop", "sami")
    assert right is not None
    lost = found.exercise("backward").points
    older = msgspec.structs.replace(right, points=right.points - lost, checks_sha256="older checks")
    exercises = [
        msgspec.structs.replace(exercise, points=0.0) if exercise.name == "backward" else exercise
        for exercise in older.exercises
    ]
    older = msgspec.structs.replace(older, exercises=exercises)
    store.save(older)
    shown = CliRunner().invoke(app, ["regrade", *place])
    assert shown.exit_code == 0
    assert "sami" in shown.stdout
    assert f"backward 0 → {lost:g}" in shown.stdout
    assert "hugo" not in shown.stdout
    assert "1 judged again: 1 gain, 0 lose" in shown.stdout
    assert "nothing was recorded" in shown.stderr
    assert store.load("backprop", "sami") == older
    assert CliRunner().invoke(app, ["regrade", *place, "--yes"]).exit_code == 0
    again = store.load("backprop", "sami")
    assert again is not None
    assert (again.points, again.exercises) == (right.points, _untimed(again, right))
    (backward,) = (one for one in again.exercises if one.name == "backward")
    assert "activations" in backward.replaced


@pytest.mark.slow
@pytest.mark.usefixtures("_warm")
def test_where_one_exercise_s_checks_changed_only_it_is_judged_again(
    whole: Graded, own_copy: Path
) -> None:
    right = whole.results["dmitri"]
    changed = right.exercises[1].name
    outdated = [
        msgspec.structs.replace(e, points=0.0, checks_sha256="older", checks=[])
        if e.name == changed
        else e
        for e in right.exercises
    ]
    before = msgspec.structs.replace(right, exercises=outdated, points=0, checks_sha256="older")
    Store(own_copy).save(before)
    (step,) = grade_class(whole.found, own_copy, ["dmitri"], [], Graders(1))
    assert step == (before, before, "", True), "`grade` moves no recorded mark"
    others = set(whole.results) - {"dmitri"}
    for student in others:
        Store(own_copy).path(whole.found.name, student).unlink()
    ((known, again),) = judged_again(whole.found, own_copy, Graders(1), [])
    assert known == before
    assert (again.points, again.status) == (right.points, "graded")
    assert again.checks_sha256 == right.checks_sha256
    for was, after in zip(right.exercises, again.exercises, strict=True):
        judged = after.checks != was.checks  # with other seconds at least
        assert judged == (was.name == changed), was.name
    assert again.exercises == _untimed(again, right)


def _untimed(one: Result, other: Result) -> list[ExerciseResult]:
    """The other's exercises with this one's seconds, which differ from run to run."""
    return [
        msgspec.structs.replace(
            b,
            checks=[
                msgspec.structs.replace(d, seconds=c.seconds)
                for c, d in zip(a.checks, b.checks, strict=True)
            ],
        )
        for a, b in zip(one.exercises, other.exercises, strict=True)
    ]


@pytest.mark.slow
def test_a_folder_that_is_no_name_is_said_and_the_class_goes_on(tmp_path: Path) -> None:
    submitted = os.fsencode(tmp_path / "submitted")
    good = ["zoë o'neil", "=1+1", "..x", "n" * 128, "é" * 100]
    for name in [b"x" * 255, b"\xff\xfe", b"a\nb", "\u202eevil".encode(), *map(str.encode, good)]:
        os.makedirs(os.path.join(submitted, name, b"backprop"))
        with open(os.path.join(submitted, name, b"backprop", b"backprop.ipynb"), "wb") as file:
            file.write(b"{}")
    ended = _grade(tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.count("is no student's id") == 4
    assert "\u202e" not in ended.stderr + ended.stdout
    assert sorted(r.student for r in Store(tmp_path).all("backprop")) == sorted(good)


def test_a_folder_that_may_not_be_looked_into_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another assistant's, say; root may look everywhere, so the system is asked for another."""
    found = load_assignment("backprop")
    for student in ("ada", "ben"):
        (tmp_path / "submitted" / student / "backprop").mkdir(parents=True)
    assert not_looked_at(tmp_path, found) == []
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "ada")
    assert not_looked_at(tmp_path, found) == ["'ada': this user may not look into it"]
    save_dropped(tmp_path, {"ada": "2026-11-20"})
    assert not_looked_at(tmp_path, found) == [], "who has left is not graded anyhow"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    grade = '"$0" -m autograder grade backprop --jobs 1 --course disk'
    script = (
        f"mount -t tmpfs -o size=2m none disk && cp -r submitted disk && {grade}; status=$?; "
        f"mount -o remount,size=64m disk && {grade} >/dev/null 2>&1 && "
        "cp -r disk/results disk/gradebook.db . && exit $status"
    )
    for number in range(24):
        folder = tmp_path / "submitted" / f"s{number:02}" / "backprop"
        folder.mkdir(parents=True)
        (folder / "backprop.ipynb").write_bytes(load_assignment("backprop").release.read_bytes())
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "No space left" in ended.stderr or "disk" in ended.stderr
    # and with more room, the command once more leaves nobody out
    results = Store(tmp_path).all("backprop")
    assert [(r.student, r.points, r.status) for r in results] == [
        (f"s{number:02}", 0.0, "graded") for number in range(24)
    ]


def test_with_variants_each_student_has_a_salt_that_stays(tmp_path: Path) -> None:
    alike = load_assignment("backprop")
    own = msgspec.structs.replace(alike, variants=True)
    assert {read_job(tmp_path, alike, name, "salt").salt for name in "ab"} == {"salt"}
    first, second = (read_job(tmp_path, own, name, "salt") for name in "ab")
    assert len({"salt", first.salt, second.salt}) == 3
    assert read_job(tmp_path, own, "a", "salt").salt == first.salt
    assert read_job(tmp_path, own, "a", "other").salt != first.salt
    # A record made before variants were asked for, or of somebody else, does not hold.
    before, after = checks_of(read_job(tmp_path, alike, "a", "salt")), checks_of(first)
    assert not any(after[name] in (before[name], checks_of(second)[name]) for name in after)


@pytest.mark.slow
@pytest.mark.usefixtures("_warm")
def test_right_answers_earn_everything_in_every_variant(tmp_path: Path) -> None:
    found = msgspec.structs.replace(load_assignment("backprop"), variants=True)
    release = json.loads(found.release.read_text(encoding="utf-8"))
    code = {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}
    for name in ("ada", "emmy"):
        folder = tmp_path / "submitted" / name / found.name
        folder.mkdir(parents=True)
        (folder / "backprop.ipynb").write_text(json.dumps(demo.filled(release, code)))
    graded = list(grade_class(found, tmp_path, ["ada", "emmy"], [], Graders(1)))
    assert not any(step.stays for step in graded)
    one, other = (step.now for step in graded)
    assert one.points == other.points == found.points
    assert one.checks_sha256 != other.checks_sha256
    again = list(grade_class(found, tmp_path, [one.student, other.student], [], Graders(1)))
    assert again == [(one, one, "", False), (other, other, "", False)]


@pytest.mark.slow
def test_the_same_submission_and_salt_give_the_same_result(hands: Hands) -> None:
    found = load_assignment("backprop")
    release = json.loads(found.release.read_text(encoding="utf-8"))
    notebook = json.dumps(demo.filled(release, {"mse_loss": "def mse_loss(a, b): return 1.0"}))

    def outcomes(result: Result) -> list[tuple[str, str, str]]:
        return [(c.name, c.outcome, c.message) for e in result.exercises for c in e.checks]

    asked = [
        Job(assignment=found.name, student=who, notebook=notebook.encode(), salt="salt")
        for who in "xy"
    ]
    one, two = (msgspec.msgpack.decode(hands.submit(job).result(), type=Result) for job in asked)
    assert outcomes(one) == outcomes(two)


def test_a_judge_without_memory_for_the_checks_stops_no_class() -> None:
    found = load_assignment("backprop")
    for cause, mark in ((MemoryError(), b"?"), (NameError("x"), b"#")):
        error = not_imported("checks", cause)
        error.__cause__ = cause
        assert judge_process._why_it_does_not_start(found, error)[:1] == mark


def test_a_mark_that_the_grader_lost_is_told_as_none() -> None:
    """It was "88 before, 0 now", which is a zero for the grader's own fault."""
    before = executors.lost(Job(assignment="backprop", student="ada", notebook=b""), "why")
    after = msgspec.structs.replace(before, points=88.0, status="graded")
    assert moved(after, before) == "88 before, no mark now (the same file)"
    assert moved(before, after) == moved(after, after) == ""
