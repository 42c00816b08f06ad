"""The course at a glance: every figure, and the two tables."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from msgspec.structs import replace
from test_report import HOSTILE, Page, exercise, plausible_class

from autograder.cli.exchange import export, report
from autograder.course import load_assignment
from autograder.errors import CourseError
from autograder.files import LONGEST, nearest
from autograder.records import overview
from autograder.records.gradebook import Recorder
from autograder.records.gradebook.students import Known
from autograder.records.report import read_report, write_report
from autograder.records.report.counting import Report
from autograder.records.words import number, percent
from autograder.results import Result, Store, save_dropped


def results(name: str, shares: dict[str, float], course_dir: Path) -> None:
    """Everybody's result of an assignment, each exercise with the same share of its points."""
    found = load_assignment(name)
    store = Store(course_dir)
    recorder = Recorder(course_dir, [found])
    for student, share in shares.items():
        exercises = [
            exercise("lj_force", "right" if share == 1 else "partly", share)
            for _ in found.exercises
        ]
        for made, one in zip(exercises, found.exercises, strict=True):
            made.name, made.max_points, made.points = one.name, one.points, share * one.points
            if share < 1:
                made.hint = "The sign is lost."
        made_ = Result(
            assignment=name,
            student=student,
            points=100 * share,
            max_points=100,
            isolation="full",
            submission_sha256="",
            checks_sha256="",
            seconds=1,
            status="graded",
            exercises=exercises,
        )
        store.save(made_)
        recorder.record(made_)


@pytest.fixture(scope="module")
def course_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    results("backprop", {"ada": 1, "ben": 0.9, "cy": 0.3, "dan": 0.5, "eve": 0.9}, folder)
    results("training", {"ada": 0.95, "ben": 0.5, "cy": 0.35, "eve": 0.8}, folder)
    people = [Known("ada", "Ada Lovelace"), Known("fay", f"Fay {HOSTILE[0]}")]
    Recorder(folder, []).know(people)
    save_dropped(folder, {"eve": "2026-11-20"})
    return folder


def reports(course_dir: Path) -> list[Report]:
    return [read_report(one.name, course_dir) for one in overview.graded_assignments(course_dir)]


def test_who_falls_behind_and_why(course_dir: Path) -> None:
    view = overview.overview_of(reports(course_dir))
    assert [one.name for one in view.assignments] == ["backprop", "training"]
    rows = {row.student: row for row in view.rows}
    assert rows.keys() == {"ada", "ben", "cy", "dan", "fay"}, "who left is not counted"
    assert rows["ada"].totals == {"backprop": 100, "training": 95}
    assert {student: row.behind for student, row in rows.items()} == {
        "ada": [],
        "ben": ["50 % in the last one, 90 % before"],
        "cy": ["33 % on average"],
        "dan": [],
        "fay": ["handed in nothing for backprop, training"],
    }
    assert {name: [r.student for r in rows] for name, rows in view.missing.items()} == {
        "backprop": ["fay"],
        "training": ["dan", "fay"],
    }
    assert view.median("training") == 50
    assert view.slips[0].hint == "The sign is lost."
    assert view.slips[0].students == 4
    assert view.dropped == ["eve, 2026-11-20"]


def test_exercises_by_difficulty_and_how_well_they_tell_apart(tmp_path: Path) -> None:
    plausible_class(tmp_path, 40)
    view = overview.overview_of(reports(tmp_path))
    exercises = view.assignments[0].exercises
    assert [hard.name for hard in view.exercises] == [one.name for one in exercises]
    for hard in view.exercises:
        assert 0 <= hard.rate <= hard.mean <= 1
        assert hard.apart is None or -1 <= hard.apart <= 1
    assert any(hard.apart is not None for hard in view.exercises)


def test_page_and_tables(course_dir: Path) -> None:
    page, students, exercises, answers = overview.write_overview(reports(course_dir), course_dir)
    text = page.read_text(encoding="utf-8")
    shown = " ".join(Page(text).text.split())
    for words in ("Ada Lovelace (ada)", "50 % in the last one", "left the course", "33 %"):
        assert words.lower() in shown.lower(), f"the page does not say: {words}"
    assert "<script" not in text
    with students.open(encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (rows["ada"]["backprop"], rows["ada"]["training"]) == ("100", "95")
    assert (rows["dan"]["training"], rows["dan"]["missing"]) == ("", "training")
    with exercises.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == sum(
            len(load_assignment(name).exercises) for name in ("backprop", "training")
        )
    with answers.open(encoding="utf-8") as file:
        told = [row for row in csv.DictReader(file) if row["student"] == "cy"]
    assert len(told) == sum(len(load_assignment(n).exercises) for n in ("backprop", "training"))
    assert {(row["status"], row["hint"]) for row in told} == {("partly", "The sign is lost.")}


def test_a_page_for_each_student(course_dir: Path) -> None:
    (course_dir / "report" / "students").mkdir(parents=True, exist_ok=True)
    (course_dir / "report" / "students" / "eve.html").write_text("who left")
    page, *_ = overview.write_overview(reports(course_dir), course_dir)
    pages = {path.stem: path for path in (page.parent / "students").iterdir()}
    assert pages.keys() == {"ada", "ben", "cy", "dan", "fay"}
    course = Page(page.read_text(encoding="utf-8"))
    linked = {href for href in course.attributes("href") if href.startswith("students/")}
    assert linked == {f"students/{student}.html" for student in pages}

    def shown(student: str) -> str:
        found = Page(pages[student].read_text(encoding="utf-8"))
        assert found.unbalanced == []
        assert "script" not in {tag for tag, _ in found.elements}
        return " ".join(found.text.split())

    assert "2 of 2 assignments handed in, 98 % on average" in shown("ada")
    cy = shown("cy")
    assert "33 % on average" in cy
    assert "made again, in backprop activations" in cy, "a slip that returns is said once"
    assert "handed in nothing for backprop, training" in shown("fay")
    assert "handed in nothing for training" in shown("dan")


def test_a_page_says_that_nothing_is_wrong_or_could_not_be_judged(tmp_path: Path) -> None:
    results("backprop", {"ada": 1}, tmp_path)
    made = Store(tmp_path).load("backprop", "ada")
    assert made is not None
    Store(tmp_path).save(replace(made, student="ben", status="unreadable", exercises=[], points=0))
    page, *_ = overview.write_overview(reports(tmp_path), tmp_path)

    def wrong(student: str) -> str:
        text = (page.parent / "students" / f"{student}.html").read_text(encoding="utf-8")
        return " ".join(Page(text).text.split()).partition("that are not right ")[2]

    assert wrong("ada").startswith("None. ")
    assert wrong("ben").startswith("None of those that could be judged. ")


def test_names_stand_in_their_order_whatever_their_accents(tmp_path: Path) -> None:
    results("backprop", {"s1": 1}, tmp_path)
    names = ["Cy Z", "Łukasz A", "dan B", "Zoé C", "Đorđe A", "Émile D", "Øystein E", "𝐄va D"]
    Recorder(tmp_path, []).know([Known(f"s{n}", name) for n, name in enumerate(names, 1)])
    view = overview.overview_of(reports(tmp_path))
    wanted = ["Cy Z", "dan B", "Đorđe A", "Émile D", "𝐄va D", "Łukasz A", "Øystein E", "Zoé C"]
    assert [row.name for row in view.rows] == wanted


def test_beside_a_name_of_any_length_the_id_is_whole(tmp_path: Path) -> None:
    longest = "s" * LONGEST
    names = {"s014": f"Ole {'x' * 90}", "s015": "x" * 90, longest: "x" * 90}
    Recorder(tmp_path, []).know([Known(*one) for one in names.items()])
    results("backprop", {"s014": 1, longest: 1}, tmp_path)
    page, *_ = overview.write_overview(reports(tmp_path), tmp_path)
    for path in (page, write_report(read_report("backprop", tmp_path), tmp_path)):
        text = path.read_text(encoding="utf-8")
        assert "x… (s014)" in text, path
        assert "x… (s015)" in text, path
        assert f"x… ({longest})" in text, path


def test_the_class_has_the_points_that_pages_have(tmp_path: Path) -> None:
    results("backprop", {"ada": 0.281}, tmp_path)
    text = write_report(read_report("backprop", tmp_path), tmp_path).read_text(encoding="utf-8")
    _, _, cells = text.partition('class="heat"')
    assert re.search(r'<td class="c-partly" data-v="2\.81\d*">2\.81 <', cells)


def test_halves_go_up() -> None:
    shares = [0, 0.001, 0.005, 0.015, 0.285, 0.625, 0.635, 0.994, 0.999, 1]
    assert [percent(one) for one in shares] == [
        *("0 %", "1 %", "1 %", "2 %", "29 %", "63 %", "64 %", "99 %", "99 %", "100 %")
    ], "none and all are kept for none and all"
    assert [number(one) for one in (0.25, 56.25, 56.35, 2.5, 3.0)] == [
        *("0.3", "56.3", "56.4", "2.5", "3")
    ]
    assert nearest(1e307) == 1e307


def test_an_id_on_the_roster_that_is_no_files_name_has_its_page(tmp_path: Path) -> None:
    results("backprop", {"ada": 1}, tmp_path)
    Recorder(tmp_path, []).know([Known("../17", "Fay F"), Known("x" * 300, "Gus G")])
    page, *_ = overview.write_overview(reports(tmp_path), tmp_path)
    found = Page(page.read_text(encoding="utf-8")).attributes("href")
    linked = {page.parent / unquote(href) for href in found if href.startswith("students/")}
    assert len(linked) == 3
    assert set(tmp_path.rglob("*.html")) == {page, *linked}


def test_a_course_without_a_result_is_said(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nothing has been graded"):
        overview.graded_assignments(tmp_path)


def test_the_command_takes_several_names_or_none(
    course_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(course_dir, ["backprop"])
    assert [Path(line).name for line in capsys.readouterr().out.split()] == ["backprop.html"]
    report(course_dir)
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [
        *("backprop.html", "training.html"),
        *("course.html", "course_students.csv", "course_exercises.csv", "course_answers.csv"),
    ]
    export(course_dir, to="canvas")
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [
        "backprop_canvas.csv",
        "training_canvas.csv",
    ]
