"""The instructor's report: its figures, its links, and what a hostile submission can do to it.

Classes are made here, in two ways: `give` makes one result with stated exercises, so that
figures can be worked out by hand, and `plausible_class` makes many with their usual variety.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from autograder.course import Cell, course, load_assignment
from autograder.errors import CourseError
from autograder.records import report, words
from autograder.records.collected import Collected, Origin, save
from autograder.records.gradebook import Recorder
from autograder.results import CheckResult, ExerciseResult, Result, Store
from autograder.sandbox.protocol import CellFailure

NAME = "lennard_jones"
EXERCISES = len(load_assignment(NAME).exercises)
SHA = "ab" * 32
HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)' x='",
    "{{ 7 * 7 }}{% raw %}",
    "</title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "\x1b[31mred\x1b[0m",
    "right\u202etfel",
    "zero\u200bwidth\ufeff",
    "bell\x07 nul\x00 c1\x9b",
)


# ------------------------------------------------------------------------------------ classes


def check(name: str, outcome: str = "passed", *, hidden: bool = True, kind: str = "value") -> Any:
    failed = outcome in ("failed", "error")
    return CheckResult(
        name=name,
        title=name.replace("_", " "),
        outcome=outcome,  # type: ignore[arg-type]
        hidden=hidden,
        seconds=0.01,
        message=f"f  ✗ {name}\n   problem   said of {name}" if failed else "",
        kind=kind if failed else "",
    )


def exercise(name: str, status: str, share: float | None = None, **fields: Any) -> ExerciseResult:
    """One exercise of `NAME`, with two hidden checks and a public one that fit its status."""
    worth = load_assignment(NAME).exercise(name).points
    share = {"right": 1.0, "partly": 0.5}.get(status, 0.0) if share is None else share
    outcomes = {"right": ["passed"] * 3, "partly": ["passed", "passed", "failed"]}
    outcomes["error"] = ["passed", "error", "error"]
    kind = {"missing": "missing", "unwritten": "unwritten"}.get(status, "value")
    checks = [
        check(f"check_{n}", outcome, hidden=n > 0, kind=kind)
        for n, outcome in enumerate(outcomes.get(status, ["failed"] * 3))
    ]
    values: dict[str, Any] = {
        "name": name,
        "points": share * worth,
        "max_points": worth,
        "status": status,
        "checks": checks,
        "message": next((c.message for c in checks if c.message), ""),
    }
    return ExerciseResult(**(values | fields))


def give(
    course_dir: Path, student: str, exercises: Iterable[ExerciseResult] = (), **fields: Any
) -> Result:
    """Stores a result; its points are those of its exercises."""
    exercises = list(exercises)
    values: dict[str, Any] = {
        "assignment": NAME,
        "student": student,
        "points": sum(e.points for e in exercises),
        "max_points": sum(e.max_points for e in exercises) or 100.0,
        "isolation": "full",
        "submission_sha256": hashlib.sha256(student.encode(errors="replace")).hexdigest(),
        "checks_sha256": SHA,
        "seconds": 2.0,
        "status": "graded",
        "exercises": exercises,
        "phases": {"read": 0.1, "cells": 0.6, "checks": 1.2, "diagnosis": 0.1},
    }
    result = Result(**(values | fields))
    Store(course_dir).save(result)
    return result


def all_of(status: str) -> list[ExerciseResult]:
    return [exercise(e.name, status) for e in load_assignment(NAME).exercises]


def plausible_class(course_dir: Path, size: int, seed: int = 1) -> None:
    """Students of different strength; exercises of different difficulty."""
    draw = random.Random(seed)
    hardness = {e.name: draw.uniform(0.1, 0.75) for e in load_assignment(NAME).exercises}
    for n in range(size):
        strength = draw.uniform(0.2, 1.1)
        exercises = []
        for name, hard in hardness.items():
            luck = strength - hard + draw.gauss(0, 0.2)
            status = "right" if luck > 0.2 else "partly" if luck > 0 else "wrong"
            hint = {"mistake": "sign_lost", "hint": "The sign."} if draw.random() < 0.3 else {}
            exercises.append(exercise(name, status, **({} if status == "right" else hint)))
        give(course_dir, f"student{n:03}", exercises, seconds=draw.uniform(1, 4))


# ------------------------------------------------------------------------------- reading pages


class Page(HTMLParser):
    """A page's elements, ids, links and visible text."""

    void = frozenset({"meta", "input", "br", "hr", "img", "link"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []
        self.inline: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.inline[self.open[-1]] = self.inline.get(self.open[-1], "") + data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.elements if name in attrs]

    def names(self) -> set[str]:
        return {name for _, attrs in self.elements for name in attrs}


def written(course_dir: Path, name: str = NAME) -> tuple[str, Page]:
    path = report.write_report(report.read_report(name, course_dir), course_dir)
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def headline(page_text: str) -> str:
    found = re.search(r'<p class="headline">(.*?)</p>', page_text, re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", found[1])).strip()


def assert_sound(text: str, page: Page) -> None:
    """What holds for every page: balanced, self-contained, no dead link within it."""
    assert page.unbalanced == []
    assert page.open == []
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    for href in page.attributes("href"):
        if href.startswith("#"):
            assert href[1:] in ids
        else:
            assert re.fullmatch(r"\.\./feedback/[^/]+/lennard_jones/lennard_jones\.html", href)
    assert not page.names() & {"src", "srcset", "action", "style", "data", "xlink:href", "poster"}
    assert not [name for name in page.names() if name.startswith("on")]
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == tags.count("style") == 1
    assert not {"img", "iframe", "object", "link", "base", "form", "image", "use"} & set(tags)
    assert "url(" not in page.inline["style"]
    assert "@import" not in page.inline["style"]
    for label in page.attributes("aria-labelledby"):
        assert label in ids


# ------------------------------------------------------------------------------------ figures


def test_the_headline_says_what_a_professor_asks_first(tmp_path: Path) -> None:
    slip = {"mistake": "sign_lost", "hint": "The force is minus the slope."}
    for n in range(3):
        give(
            tmp_path,
            f"s{n}",
            [
                exercise("lj_potential", "right"),
                exercise("lj_force", "wrong" if n else "right", **(slip if n else {})),
            ],
        )
    give(tmp_path, "unreadable", status="unreadable", message="the notebook is not JSON")
    text, page = written(tmp_path)
    # 17, 7 and 7 of 17 points make 100, 41.2 and 41.2 of the assignment's 100
    assert headline(text) == (
        "4 submissions, median 41.2 of 100. 1 could not be read. "
        "Hardest exercise: lj_force (33 % right). "
        "Most common slip: lj_force, 2 students – The force is minus the slope."
    )
    assert "the notebook is not JSON" in page.text
    assert_sound(text, page)


def test_marks(tmp_path: Path) -> None:
    for n, points in enumerate([0, 9.5, 10, 55, 90, 100, 100]):
        give(tmp_path, f"s{n}", points=points, max_points=100)
    give(tmp_path, "unreadable", points=0, status="unreadable")
    give(tmp_path, "ours", points=0, status="grader_error", message="the judge was lost")
    found = report.read_report(NAME, tmp_path)
    assert found.marks == [0, 9.5, 10, 55, 90, 100, 100]
    assert found.quartiles == (9.75, 55, 95)
    assert found.mean == pytest.approx(364.5 / 7)
    assert [len(b.people) for b in found.bins] == [2, 1, 0, 0, 0, 1, 0, 0, 0, 3]
    assert [s.name for s in found.full] == ["s5", "s6"]
    assert [s.name for s in found.zero] == ["s0"]


def test_extra_credit_is_in_the_figures_and_nothing_is_drawn_beyond_the_picture(
    tmp_path: Path,
) -> None:
    for student, points in {"ada": 102, "ben": 104, "cy": 106, "zoe": 10}.items():
        give(tmp_path, student, points=points, max_points=100)
    found = report.read_report(NAME, tmp_path)
    assert (found.marks, found.mean) == ([10, 102, 104, 106], 80.5)
    assert [len(b.people) for b in found.bins] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 3]
    assert [s.name for s in found.full] == ["ada", "ben", "cy"]
    page = report.render(found, datetime(2026, 11, 30))
    ends = [float(x) for x in re.findall(r' x\d?="([\d.]+)"', page.partition("hist")[2])]
    assert max(ends) <= 480


def test_extra_credit_alone_is_no_mark_where_the_grader_failed(tmp_path: Path) -> None:
    give(tmp_path, "ada", [exercise("lj_force", "error")], status="grader_error", message="ours")
    Recorder(tmp_path, [load_assignment(NAME)]).record(Store(tmp_path).all(NAME)[0])
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as book, book:
        book.execute("update grade set extra_credit = 1")
    found = report.read_report(NAME, tmp_path)
    assert found.submissions[0].total is None
    assert "no mark" in report.render(found, datetime(2026, 11, 30))


@pytest.mark.parametrize("bound", range(11))
def test_a_mark_on_a_bins_edge_belongs_to_the_bin_that_it_begins(
    tmp_path: Path, bound: int
) -> None:
    give(tmp_path, "s", points=round(bound * 0.3, 2), max_points=3)
    bins = report.read_report(NAME, tmp_path).bins
    assert [len(b.people) for b in bins].index(1) == min(bound, 9)


def test_rates_of_exercises_and_checks(tmp_path: Path) -> None:
    for student, status in {"a": "right", "b": "right", "c": "partly", "d": "unwritten"}.items():
        give(tmp_path, student, [exercise("lj_force", status)])
    give(tmp_path, "e", [exercise("lj_force", "error")], status="grader_error", message="ours")
    give(tmp_path, "f", [exercise("lj_force", "missing")], status="unreadable")
    found = report.read_report(NAME, tmp_path)
    row = next(row for row in found.exercises if row.name == "lj_force")
    assert [(s.status, len(s.people)) for s in row.slices] == [
        ("right", 2),
        ("partly", 1),
        ("unwritten", 1),
        ("error", 1),
    ]
    assert (row.judged, row.rate, row.mean) == (4, 0.5, 0.625)
    assert sum(s.width for s in row.slices) == pytest.approx(100)
    rates = {c.name: (len(c.passed), c.judged, len(c.errors)) for c in row.checks}
    assert rates == {"check_0": (4, 5, 0), "check_1": (3, 4, 1), "check_2": (2, 4, 1)}
    assert [c.hidden for c in row.checks] == [False, True, True]


def test_a_guard_that_is_not_counted_is_no_pass(tmp_path: Path) -> None:
    checks = [check("values", "failed"), check("unchanged", "not_counted")]
    give(tmp_path, "a", [exercise("lj_force", "wrong", checks=checks)])
    row = next(r for r in report.read_report(NAME, tmp_path).exercises if r.name == "lj_force")
    assert {c.name: (len(c.passed), c.judged) for c in row.checks} == {
        "values": (0, 1),
        "unchanged": (0, 1),
    }
    text, _ = written(tmp_path)
    assert "Held, not counted" in text


def test_slips_are_counted_by_student(tmp_path: Path) -> None:
    made = {"a": "sign_lost", "b": "sign_lost", "c": "no_r", "d": ""}
    for student, mistake in made.items():
        hint = f"about {mistake}" if mistake else ""
        give(tmp_path, student, [exercise("lj_force", "wrong", mistake=mistake, hint=hint)])
    found = report.read_report(NAME, tmp_path)
    assert [(s.mistake, s.hint, [p.name for p in s.people]) for s in found.slips] == [
        ("sign_lost", "about sign_lost", ["a", "b"]),
        ("no_r", "about no_r", ["c"]),
    ]
    assert (found.explained, len(found.imperfect)) == (3, 4)
    assert "3 of 4 wrong or partly right answers match a known slip" in written(tmp_path)[1].text


def test_a_slip_without_a_hint_is_called_by_its_name(tmp_path: Path) -> None:
    give(tmp_path, "a", [exercise("lj_force", "wrong", mistake="sign_lost")])
    text, _ = written(tmp_path)
    assert headline(text).endswith("Known slip: lj_force, 1 student – sign lost")


def test_causes_say_what_happened_and_to_whom(tmp_path: Path) -> None:
    for kind in ("time", "memory", "died", "error", "signature", "missing", "shape", "brand_new"):
        checks = [check("one", "failed", kind=kind), check("two", "failed", kind=kind)]
        exercises = [exercise(e, "wrong", checks=checks) for e in ("lj_force", "standardise")]
        give(tmp_path, f"{kind}_student", exercises)
    found = report.read_report(NAME, tmp_path)
    assert [c.words for c in found.broke] == [
        "ran out of computing time",
        "ran out of memory",
        "ended or crashed Python",
        "stopped with an exception",
        "name not defined",
        "cannot be called as asked",
    ]
    assert {c.words for c in found.answered} == {"wrong shape", "brand_new"}
    for cause in found.broke + found.answered:
        assert cause.students == 1
        assert [e.note for e in cause.entries] == [
            "lj_force: said of one",
            "standardise: said of one",
        ]
    assert found.broke[0].entries[0].submission.name == "time_student"


def test_grader_errors_come_first_and_are_nobodys_zero(tmp_path: Path) -> None:
    give(tmp_path, "good", all_of("right"))
    give(tmp_path, "lost", status="grader_error", message="the grader failed twice")
    half = [exercise("lj_potential", "right"), exercise("lj_force", "error")]
    give(tmp_path, "half", half, status="grader_error", message="the checks failed in lj_force")
    found = report.read_report(NAME, tmp_path)
    assert found.marks == [100]
    assert [e.submission.name for e in found.grader_errors] == ["half", "lost"]
    text, page = written(tmp_path)
    assert "The grader itself failed on 2 submissions." in headline(text)
    sections = [attrs.get("id") for tag, attrs in page.elements if tag == "section"]
    assert sections[0] == "grader"
    alarm = text[text.index('id="grader"') : text.index('id="marks"')]
    for said in ("the grader failed twice", "the checks failed in lj_force", "said of check_1"):
        assert said in alarm
    assert [s.name for s in found.by_mark] == ["half", "lost", "good"]


def test_an_answer_that_the_grader_failed_to_judge_counts_nowhere(tmp_path: Path) -> None:
    failed = [check("values", "failed", kind="time"), check("other", "error")]
    half = exercise("lj_force", "error", checks=failed, mistake="sign_lost", hint="The sign.")
    give(tmp_path, "a", [exercise("standardise", "right"), half], status="grader_error")
    found = report.read_report(NAME, tmp_path)
    assert [e.name for e in found.judged] == ["standardise"]
    assert (found.slips, found.broke, found.answered, found.imperfect) == ([], [], [], [])


def test_one_fault_of_the_grader_is_told_once_with_everyone_it_hit(tmp_path: Path) -> None:
    for n in range(5):
        give(tmp_path, f"s{n}", status="grader_error", message="the oracle is broken")
    text, _ = written(tmp_path)
    alarm = text[text.index('id="grader"') : text.index('id="marks"')]
    assert alarm.count("the oracle is broken") == 1
    assert [n for n in range(5) if f"../feedback/s{n}/" in alarm] == [0, 1, 2, 3, 4]


def test_a_check_in_error_is_named_even_where_the_submission_counts_as_graded(
    tmp_path: Path,
) -> None:
    give(tmp_path, "a", [exercise("lj_force", "error")])
    assert len(report.read_report(NAME, tmp_path).grader_errors) == 1


def test_weak_cages_old_checks_and_ungraded_work_are_told(tmp_path: Path) -> None:
    give(tmp_path, "a", all_of("right"))
    give(tmp_path, "b", all_of("right"), isolation="landlock", checks_sha256="cd" * 32)
    for student in ("a", "b", "late <b>"):
        (tmp_path / "submitted" / student / NAME).mkdir(parents=True)
    (tmp_path / "submitted" / "elsewhere" / "backprop").mkdir(parents=True)
    found = report.read_report(NAME, tmp_path)
    assert [e.submission.name for e in found.weakly_caged] == ["b"]
    assert found.ungraded == ["late <b>"]
    text, page = written(tmp_path)
    assert "1 submission graded in a cage weaker than full" in page.text
    assert "2 versions of the checks" in page.text
    assert "1 submission has no result yet" in page.text
    assert_sound(text, page)


def test_a_sound_class_gets_no_warning(tmp_path: Path) -> None:
    give(tmp_path, "a", all_of("right"))
    text, _ = written(tmp_path)
    assert '<section class="alarm"' not in text
    assert '<section class="care"' not in text


def test_time(tmp_path: Path) -> None:
    for n in range(9):
        give(tmp_path, f"s{n}", all_of("right"), seconds=40.0 if n == 4 else 2.0)
    found = report.read_report(NAME, tmp_path)
    assert found.seconds == 56
    assert found.slowest[0].name == "s4"
    assert dict(found.phases)["running the checks"] == pytest.approx(9 * 1.2)
    assert {
        e.submission.name for r in report.remarks(found) for e in r.entries if "slower" in r.words
    } == {"s4"}


# ----------------------------------------------------------------------------------- outliers


def remarked(course_dir: Path) -> dict[str, list[str]]:
    found = report.remarks(report.read_report(NAME, course_dir))
    return {
        r.words: [e.submission.name for e in r.entries] + [said for _, said in r.checks]
        for r in found
    }


def test_an_ordinary_class_has_no_outlier(tmp_path: Path) -> None:
    for n in range(10):
        give(tmp_path, f"s{n}", points=60 + 3 * n, max_points=100)
    assert remarked(tmp_path) == {}


def test_cells_that_stopped_are_worth_a_look(tmp_path: Path) -> None:
    why = "stopped with ValueError in line 2"
    cells = [Cell("the cell of lj_force", "a = 1\nfloat('x')"), Cell("cell 7", "float('x')")]
    notes = [CellFailure(cells[0], why, 2, 2).sentence, CellFailure(cells[1], why).sentence]
    give(tmp_path, "ada", all_of("right"), notes=[*notes, "2 cells of the release are missing"])
    give(tmp_path, "ben", all_of("right"), notes=["cell 3, an untouched cell, was left out"])
    remarks = report.remarks(report.read_report(NAME, tmp_path))
    (remark,) = (one for one in remarks if one.words == "Cells that stopped")
    assert [(entry.submission.name, entry.note) for entry in remark.entries] == [
        ("ada", note) for note in notes
    ]


def test_marks_far_from_the_rest(tmp_path: Path) -> None:
    for n in range(10):
        give(tmp_path, f"s{n}", points=80 + n if n != 3 else 4, max_points=100)
    assert remarked(tmp_path) == {"Marks far from the rest": ["s3"]}


def test_one_exercise_lost_and_all_others_right(tmp_path: Path) -> None:
    rest = all_of("right")[1:]
    give(tmp_path, "a", [exercise("lj_potential", "wrong"), *rest])
    give(tmp_path, "b", [exercise("lj_potential", "partly"), *rest])
    assert remarked(tmp_path) == {"All right but one": ["a"]}


def test_right_on_the_public_checks_only(tmp_path: Path) -> None:
    checks = [check("shown", hidden=False), check("values", "failed")]
    give(tmp_path, "keyed", [exercise("lj_force", "wrong", checks=checks)])
    give(tmp_path, "honest", [exercise("lj_force", "partly")])
    assert remarked(tmp_path) == {"Right on the public checks only": ["keyed"]}


def test_identical_notebooks_but_not_the_untouched_release(tmp_path: Path) -> None:
    for student in ("a", "b"):
        give(tmp_path, student, all_of("right"), submission_sha256="11" * 32)
    for student in ("c", "d"):
        give(tmp_path, student, all_of("unwritten"), submission_sha256="22" * 32)
    assert remarked(tmp_path) == {"Identical notebooks": ["a", "b"]}


def test_a_group_that_handed_in_together_is_no_resemblance(tmp_path: Path) -> None:
    for student in ("a", "b", "c"):
        give(tmp_path, student, all_of("right"), submission_sha256="11" * 32)
    pair = Origin(system="Gradescope", label="submission_1", group=["a", "b"])
    save(tmp_path, NAME, Collected(students={"a": pair, "b": pair}))
    assert remarked(tmp_path) == {"Identical notebooks": ["a", "c"]}
    (tmp_path / "results" / NAME / "c.json").unlink()
    assert remarked(tmp_path) == {}
    give(tmp_path, "b", all_of("right"), submission_sha256="22" * 32)
    give(tmp_path, "c", all_of("right"), submission_sha256="22" * 32)
    assert remarked(tmp_path) == {"Identical notebooks": ["b", "c"]}, "one of them went on alone"


def test_a_check_that_nobody_passes(tmp_path: Path) -> None:
    for n in range(8):
        give(tmp_path, f"s{n}", [exercise("lj_force", "partly"), exercise("standardise", "wrong")])
    assert remarked(tmp_path) == {"Checks that nobody passed": ["check 2"]}


def test_a_check_that_points_the_wrong_way(tmp_path: Path) -> None:
    for n in range(16):
        strong = n >= 8
        odd = check("odd", "failed" if strong else "passed")
        force = exercise("lj_force", "partly", checks=[check("sound"), odd])
        rest = [exercise("lj_potential", "right" if strong else "wrong")]
        give(tmp_path, f"s{n:02}", [force, *rest])
    assert remarked(tmp_path) == {
        "Checks that point the wrong way": [
            "odd: 0 of the stronger half and 8 of the weaker passed"
        ]
    }


# ------------------------------------------------------------------------- classes of all sizes


def test_no_results_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no result to report.*autograder grade lennard_jones"):
        report.read_report(NAME, tmp_path)


def test_only_broken_results_are_named_in_the_error(tmp_path: Path) -> None:
    folder = tmp_path / "results" / NAME
    folder.mkdir(parents=True)
    (folder / "ada.json").write_text("{")
    with pytest.raises(CourseError, match=r"ada\.json is damaged, or holds"):
        report.read_report(NAME, tmp_path)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'{"assignment": 3}', b"[" * 100_000],
    ids=["empty", "cut", "not text", "a list", "null", "wrong type", "deep"],
)
def test_a_broken_result_is_named_and_not_fatal(tmp_path: Path, damage: bytes) -> None:
    give(tmp_path, "ada", all_of("right"))
    Store(tmp_path).path(NAME, "b<o>b").write_bytes(damage)
    text, page = written(tmp_path)
    assert "b<o>b.json is damaged, or holds somebody else's result" in page.text
    assert "<o>" not in text
    assert headline(text).startswith("1 submission, 100 of 100.")
    assert_sound(text, page)


def test_a_result_under_anothers_name_is_not_shown_as_his(tmp_path: Path) -> None:
    give(tmp_path, "ada", all_of("right"))
    store = Store(tmp_path)
    store.path(NAME, "bob").write_bytes(store.path(NAME, "ada").read_bytes())
    text, page = written(tmp_path)
    assert "bob.json is damaged, or holds somebody else's result" in page.text
    assert headline(text).startswith("1 submission,")


@pytest.mark.parametrize(
    ("size", "status", "said"),
    [
        (1, "right", f"1 submission, 100 of 100. {EXERCISES} of {EXERCISES} exercises right."),
        (1, "unwritten", f"1 submission, 0 of 100. 0 of {EXERCISES} exercises right."),
        (12, "right", "12 submissions, all 12 with full marks."),
        (12, "unwritten", "12 submissions, none with a point."),
        (12, "missing", "12 submissions, none with a point."),
    ],
)
def test_classes_at_the_edges(tmp_path: Path, size: int, status: str, said: str) -> None:
    for n in range(size):
        give(tmp_path, f"s{n}", all_of(status))
    text, page = written(tmp_path)
    assert headline(text).startswith(said)
    assert ("ardest" in headline(text)) is (size > 1 and status != "right")
    assert "nan" not in re.sub(r"<style>.*?</style>|<script>.*?</script>", "", text, flags=re.S)
    assert_sound(text, page)


def test_a_class_that_nobody_could_read(tmp_path: Path) -> None:
    for n in range(3):
        give(tmp_path, f"s{n}", all_of("missing"), status="unreadable", message="empty file")
    text, page = written(tmp_path)
    assert headline(text) == "3 submissions, none with a mark. 3 could not be read."
    assert_sound(text, page)


def test_three_hundred_students(tmp_path: Path) -> None:
    plausible_class(tmp_path, 300)
    text, page = written(tmp_path)
    assert_sound(text, page)
    assert headline(text).startswith("300 submissions, median ")
    rows = [
        attrs for tag, attrs in page.elements if tag == "details" and attrs.get("class") == "card"
    ]
    assert len(rows) == 300
    assert len(text) < 8_000_000


def test_every_assignment_of_the_course(tmp_path: Path) -> None:
    for name, found in course().items():
        exercises = [
            ExerciseResult(name=e.name, points=e.points, max_points=e.points, status="right")
            for e in found.exercises
        ]
        give(tmp_path, "ada", exercises, assignment=name)
        _, page = written(tmp_path, name)
        assert found.title in page.text
        assert f"../feedback/ada/{name}/{name}.html" in page.attributes("href")


def test_results_of_an_older_course_are_shown_too(tmp_path: Path) -> None:
    old = ExerciseResult(name="dropped", points=1, max_points=0, status="right")
    give(tmp_path, "ada", [old], points=1, max_points=0, phases={"new_phase": 1.0}, isolation="odd")
    text, page = written(tmp_path)
    assert "dropped" in page.text
    assert "new_phase" in page.text
    assert_sound(text, page)


# ------------------------------------------------------------------------------- hostile input


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_in_a_result_reaches_the_page_as_markup(tmp_path: Path, evil: str) -> None:
    give(tmp_path, "honest", all_of("right"))
    _, clean = written(tmp_path)
    checks = [
        CheckResult(name=evil, title=evil, outcome=o, hidden=h, seconds=0, message=evil, kind=k)
        for o, h, k in (
            ("failed", True, "time"),
            ("failed", True, evil),
            ("error", True, evil),
            ("not_counted", True, ""),
            ("passed", False, ""),
        )
    ]
    statuses = ("partly", "wrong", "error", "unwritten")
    words = {"message": evil, "hint": evil, "mistake": evil, "checks": checks}
    exercises = [
        ExerciseResult(name=f"{evil}{s}", points=0, max_points=1, status=s, **words)
        for s in statuses
    ]
    common = {"message": evil, "notes": [evil], "phases": {evil: 1.0}, "isolation": evil}
    for status in ("graded", "unreadable", "grader_error"):
        give(tmp_path, f"s{status}", exercises, status=status, checks_sha256=evil, **common)
    text, page = written(tmp_path)
    assert_sound(text, page)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in clean.elements} | {
        *("blockquote", "pre", "q", "h3", "table", "ul", "li", "strong", "div", "td", "tr", "th"),
        *("caption", "thead", "tbody"),
    }
    for character in evil:
        if not character.isprintable():
            assert character not in text
    if evil.isprintable():
        assert evil in " ".join(page.words)
    else:
        assert "\ufffd" in text


@pytest.mark.parametrize(
    "student", ["<b>bold", "a b&c%41?x#y", "Ödön", "\u202eevil", 'it\'s "x"', "..."]
)
def test_hostile_names_and_their_links(tmp_path: Path, student: str) -> None:
    give(tmp_path, student, all_of("wrong"))
    feedback = tmp_path / "feedback" / student / NAME / f"{NAME}.html"
    feedback.parent.mkdir(parents=True)
    feedback.write_text("feedback")
    text, page = written(tmp_path)
    assert_sound(text, page)
    links = {href for href in page.attributes("href") if not href.startswith("#")}
    assert len(links) == 1
    assert (tmp_path / "report" / unquote(links.pop())).read_text() == "feedback"
    assert "\u202e" not in text
    assert "not written yet" not in text


def test_an_endless_name_or_message_is_cut(tmp_path: Path) -> None:
    give(tmp_path, "n" * 220, [exercise("lj_force", "wrong", message="m" * 1_000_000)])
    text, page = written(tmp_path)
    assert "n" * 199 + "…" in page.text
    assert len(text) < 200_000


def test_missing_feedback_pages_are_told(tmp_path: Path) -> None:
    give(tmp_path, "ada", all_of("right"))
    assert "1 feedback page is not written yet" in written(tmp_path)[1].text


# ------------------------------------------------------------------------------- the page itself


def test_the_page_may_run_its_own_script_and_nothing_else(tmp_path: Path) -> None:
    give(tmp_path, "ada", all_of("right"))
    _, page = written(tmp_path)
    policy = next(
        attrs["content"] or ""
        for tag, attrs in page.elements
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.inline[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    plausible_class(tmp_path, 12)
    text, _ = written(tmp_path)
    assert "http:" not in text
    assert "https:" not in text
    assert "src=" not in text


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_in_light_and_dark(tmp_path: Path, theme: int) -> None:
    give(tmp_path, "ada", all_of("right"))
    _, page = written(tmp_path)
    blocks = re.findall(r":root \{(.*?)\}", page.inline["style"], re.DOTALL)
    assert len(blocks) == 2
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[theme]))
    pairs = [(f"{status}-ink", status) for status in words.STATUS]
    pairs += [
        (ink, ground) for ink in ("ink", "soft", "link") for ground in ("page", "card", "shade")
    ]
    pairs += [("ink", "alarm"), ("alarm-line", "alarm"), ("link", "alarm"), ("ink", "care")]
    for ink, ground in pairs:
        low, high = sorted((luminance(colour[ink]), luminance(colour[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_every_plot_has_words(tmp_path: Path) -> None:
    plausible_class(tmp_path, 12)
    _, page = written(tmp_path)
    plots = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert len(plots) > 20
    for attrs in plots:
        assert attrs.get("aria-hidden") == "true" or attrs.get("aria-label")


def test_every_submission_is_reachable_from_the_numbers(tmp_path: Path) -> None:
    give(tmp_path, "ada", all_of("right"))
    give(tmp_path, "bob", [*all_of("right")[:-1], exercise("train_cluster_model", "wrong")])
    text, _ = written(tmp_path)
    parts = dict(re.findall(r'<section[^>]*id="(\w+)"(.*?)</section>', text, re.DOTALL))
    for part in ("marks", "exercises", "class", "students", "grading"):
        for student in ("ada", "bob"):
            assert f"../feedback/{student}/" in parts[part]
    assert "../feedback/ada/" not in parts["failures"]
    assert "../feedback/bob/" in parts["failures"]


def test_the_same_results_make_the_same_page(tmp_path: Path) -> None:
    plausible_class(tmp_path, 12)
    now = datetime(2026, 11, 21, 9)
    pages = {report.render(report.read_report(NAME, tmp_path), now) for _ in range(2)}
    assert len(pages) == 1


# -------------------------------------------------------------------------------- the command


def autograder(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from autograder.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [(NAME, "there is no result to report"), ("nonsense", "there is no assignment")],
)
def test_the_command_says_what_is_wrong_and_exits_2(tmp_path: Path, name: str, said: str) -> None:
    done = autograder("report", name, "--course", str(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
