"""Several attempts: each keeps its result, page and points by hand; the last or the best counts."""

from __future__ import annotations

import itertools
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_gradebook import (
    ANSWERS,
    GRADES,
    NO_LATE_POINTS,
    change,
    configured,
    filled,
    give,
    hand_in,
    right,
    rows,
)
from test_semester import command, judging

from autograder import results
from autograder.course import Assignment
from autograder.grading import folder as of_grading
from autograder.grading import run
from autograder.records import attempts, feedback, history, receipts
from autograder.records.gradebook import Recorder, notebooks, recorder
from autograder.records.gradebook.by_hand import Given
from autograder.results import Store

EMPTY = dict.fromkeys(ANSWERS, "pass\n")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    who: list[str] = []
    monkeypatch.setattr(run, "here", judging(who))
    return who


def again(springs: Assignment, course_dir: Path, answers: dict[str, str], *more: str) -> str:
    """Another file in the same place, as nbgrader's own `collect` leaves it, and graded."""
    hand_in(course_dir, "ada", filled(springs, answers))
    return command("grade", "springs", "--course", course_dir, *more)


def totals(course_dir: Path) -> list[tuple[int, float | None, bool]]:
    found = history.history(course_dir, "springs", "ada")
    return [(one.number, one.total, one.counts) for one in found]


def mark(springs: Assignment, course_dir: Path) -> float | None:
    (found,) = Recorder(course_dir, [springs]).marks(springs)
    return found.total


def test_each_attempt_keeps_notebook_result_and_page(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    again(springs, tmp_path, ANSWERS)
    assert totals(tmp_path) == [], "one attempt alone is no history"
    again(springs, tmp_path, right(springs))
    again(springs, tmp_path, EMPTY)
    assert totals(tmp_path) == [(1, 10, False), (2, 15, False), (3, 0, True)]
    assert mark(springs, tmp_path) == 0, "the last one counts"
    first, second, _ = history.folders(tmp_path, "springs", "ada")
    page = (first / "springs.html").read_text(encoding="utf-8")
    assert "<strong>10</strong>" in page
    assert json.loads((second / "result.json").read_bytes())["points"] == 15
    assert json.loads((first / "springs.ipynb").read_bytes()) == filled(springs, ANSWERS)
    assert len(judged) == 3


def test_points_by_hand_stay_with_their_attempt_and_come_back_with_it(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    command_ = ("--policy", "best")
    again(springs, tmp_path, ANSWERS)
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    give(tmp_path, 4.5)
    assert mark(springs, tmp_path) == 14.5
    archive = tmp_path / "second.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("ada/springs.ipynb", json.dumps(filled(springs, EMPTY)))
    command("collect", "springs", archive, "--course", tmp_path, "--replace")
    said = command("grade", "springs", "--course", tmp_path)
    assert "ada: what was given by hand (oscillator) stays with attempt 1" in said
    assert mark(springs, tmp_path) == 0
    page = (tmp_path / "feedback/ada/springs/springs.html").read_text(encoding="utf-8")
    assert "what was given by hand for attempt 1 (oscillator) stays with it" in page
    command("report", "springs", "--course", tmp_path)
    report = (tmp_path / "report/springs.html").read_text(encoding="utf-8")
    assert "stays with it" in report

    said = command("grade", "springs", "--course", tmp_path, *command_)
    assert "ada: attempt 1 counts, the best one (1: 14.5, 2: 0)" in said
    assert mark(springs, tmp_path) == 14.5
    assert totals(tmp_path) == [(1, 14.5, True), (2, 0, False)]
    assert "attempt 1 counts" not in command("grade", "springs", "--course", tmp_path)
    assert len(judged) == 2, "nothing was judged twice"
    result = Store(tmp_path).load("springs", "ada")
    assert result is not None
    assert result.points == 10

    said = command("grade", "springs", "--course", tmp_path, "--policy", "last")
    assert "ada: attempt 2 counts, the last one (1: 14.5, 2: 0)" in said
    assert mark(springs, tmp_path) == 0

    for words, counts in (((), 2), (command_, 1), (("--policy", "last"), 2), ((), 2)):
        command("grade", "springs", "--course", tmp_path, *words)
        known = [(1, 14.5, counts == 1), (2, 0, counts == 2)]
        assert totals(tmp_path) == known, "which one counts is chosen anew, and nothing comes in"


def test_a_page_that_was_open_when_another_attempt_came_gives_that_one_nothing(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    """Formgrader saves by the ids that its page had: what was seen there is no mark of what was
    not."""
    again(springs, tmp_path, ANSWERS)
    give(tmp_path, 4.5)
    pages = {table: rows(tmp_path, f"select id from {table}") for table in ("grade", "comment")}
    again(springs, tmp_path, right(springs))
    assert mark(springs, tmp_path) == 15
    for table, shown in pages.items():
        assert shown
        assert {*rows(tmp_path, f"select id from {table}")}.isdisjoint(shown)
        assert len(rows(tmp_path, f"select id from {table}")) == len(shown)
    command("grade", "springs", "--course", tmp_path)
    ids = rows(tmp_path, "select id from grade")
    command("grade", "springs", "--course", tmp_path, "--force")
    assert rows(tmp_path, "select id from grade") == ids, "the same attempt keeps them"


def test_points_by_hand_stay_with_the_first_of_two_attempts_that_are_one_file(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    again(springs, tmp_path, ANSWERS)
    give(tmp_path, 4.5)
    again(springs, tmp_path, EMPTY)
    again(springs, tmp_path, ANSWERS)
    for policy, counts in (("last", 3), ("best", 1), ("best", 1), ("last", 3), ("last", 3)):
        command("grade", "springs", "--course", tmp_path, "--policy", policy)
        known = [(1, 14.5, counts == 1), (2, 0, False), (3, 10, counts == 3)]
        assert totals(tmp_path) == known
        assert mark(springs, tmp_path) == (14.5 if counts == 1 else 10)


def test_a_better_attempt_that_came_late_may_be_worth_less(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    configured(tmp_path, NO_LATE_POINTS)
    hand_in(tmp_path, "ada", filled(springs, ANSWERS))
    command("grade", "springs", "--course", tmp_path, "--policy", "best")
    change(tmp_path, "update assignment set duedate = '2026-11-21 00:00:00.000000'")
    hand_in(tmp_path, "ada", filled(springs, right(springs)), stamp="2026-11-22 10:00:00 UTC")
    said = command("grade", "springs", "--course", tmp_path)
    assert "ada: attempt 1 counts, the best one (1: 10, 2: 0)" in said
    assert mark(springs, tmp_path) == 10
    assert "handed in late" not in command("grade", "springs", "--course", tmp_path)


def test_an_attempt_that_was_never_graded_is_judged(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    data = json.dumps(filled(springs, right(springs))).encode()
    history.add(tmp_path, "springs", "ada", data, "2026-11-20 10:00:00 UTC")
    last = json.dumps(filled(springs, ANSWERS)).encode()
    history.add(tmp_path, "springs", "ada", last, "")
    again(springs, tmp_path, ANSWERS, "--policy", "best")
    assert totals(tmp_path) == [(1, 15, True), (2, 10, False)]
    told = rows(tmp_path, "select timestamp from submitted_assignment")
    assert told[0][0].startswith("2026-11-20 10:00:00"), "its own time came with it"


def test_an_attempt_whose_file_is_gone_stops_nobody_and_counts_for_nothing(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    """nbgrader's own `autograde` keeps no copy of what it grades."""
    again(springs, tmp_path, right(springs))
    again(springs, tmp_path, EMPTY)
    first, _ = history.folders(tmp_path, "springs", "ada")
    (first / "springs.ipynb").unlink()
    hand_in(tmp_path, "ben", filled(springs, ANSWERS))
    command("grade", "springs", "--course", tmp_path, "--policy", "best")
    assert totals(tmp_path) == [(1, 15, False), (2, 0, True)]
    assert {one.student for one in Store(tmp_path).all("springs")} == {"ada", "ben"}


def test_points_by_hand_that_cannot_be_read_are_named_and_not_forgotten(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    again(springs, tmp_path, right(springs))
    again(springs, tmp_path, EMPTY)
    first, _ = history.folders(tmp_path, "springs", "ada")
    (first / "by_hand.json").write_text("[{]")
    for answers in (right(springs), EMPTY):
        hand_in(tmp_path, "ben", filled(springs, answers))
        command("grade", "springs", "--course", tmp_path)
    said = command("grade", "springs", "--course", tmp_path, "--policy", "best")
    assert re.search(r"ada: \S+by_hand\.json cannot be read .* given by hand", said)
    assert "ben: attempt 1 counts" in said, "the damage is ada's alone"
    assert (first / "by_hand.json").read_text() == "[{]"


@pytest.mark.parametrize("name", ["mine.ipynb", "springs.ipynb", "timestamp.txt"])
def test_a_folder_among_a_students_files_stops_nobodys_attempts(
    springs: Assignment, tmp_path: Path, judged: list[str], name: str
) -> None:
    again(springs, tmp_path, right(springs))
    again(springs, tmp_path, EMPTY)
    folder = tmp_path / "submitted" / "ada" / "springs"
    (folder / name).unlink(missing_ok=True)
    (folder / name / "within").mkdir(parents=True)
    for answers in (right(springs), EMPTY):
        hand_in(tmp_path, "ben", filled(springs, answers))
        command("grade", "springs", "--course", tmp_path, "--student", "ben")
    said = command("grade", "springs", "--course", tmp_path, "--policy", "best")
    assert "ben: attempt 1 counts" in said, "what lies there is ada's matter alone"
    assert "ada: attempt 1 counts" in said or re.search(r"ada: .*Is a directory", said)
    assert (folder / name / "within").is_dir()


class Stopped(BaseException):
    pass


class Steps:
    """Counts files and transactions that are to be written; `stop` is the one that is not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken, self.stop = 0, -1
        modules = (attempts, feedback, history, notebooks, of_grading, receipts, recorder, results)
        for module in modules:
            write = self._counted(module.write_atomically)
            monkeypatch.setattr(module, "write_atomically", write)
        monkeypatch.setattr(Recorder, "_written", self._counted(Recorder._written))

    def _counted(self, write: Any) -> Any:
        def counted(*args: Any, **options: Any) -> None:
            if self.taken == self.stop:
                raise Stopped
            self.taken += 1
            write(*args, **options)

        return counted


@pytest.mark.slow
def test_a_run_that_was_stopped_anywhere_is_whole_after_the_next(
    springs: Assignment, tmp_path: Path, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a file or a transaction was to be written: ada's second attempt is the worse one and
    points were given for her first, ben's is his first."""

    def begun(course_dir: Path) -> None:
        again(springs, course_dir, ANSWERS)
        give(course_dir, 4.5)
        hand_in(course_dir, "ada", filled(springs, EMPTY), stamp="2026-11-22 10:00:00 UTC")
        hand_in(course_dir, "ben", filled(springs, right(springs)))

    def state(course_dir: Path) -> dict[str, Any]:
        parts = [course_dir / part for part in ("attempts", "submitted", "autograded", "feedback")]
        paths = sorted(path for part in parts for path in part.rglob("*") if path.is_file())
        found: dict[str, Any] = {str(path.relative_to(course_dir)): None for path in paths}
        found |= {str(path): (course_dir / path).read_bytes() for path in found if "ted/" in path}
        return found | {"rows": rows(course_dir, GRADES), "attempts": totals(course_dir)}

    begun(tmp_path / "whole")
    steps = Steps(monkeypatch)
    best = ("grade", "springs", "--policy", "best", "--course")
    command(*best, tmp_path / "whole")
    last, wanted = steps.taken, state(tmp_path / "whole")
    assert wanted["attempts"] == [(1, 14.5, True), (2, 0.0, False)]
    for number in range(last):
        course_dir, steps.stop = tmp_path / str(number), -1
        begun(course_dir)
        steps.taken, steps.stop = 0, number
        with pytest.raises(Stopped):
            command(*best, course_dir)
        steps.stop = -1
        command(*best, course_dir)
        assert state(course_dir) == wanted, f"stopped at step {number} of {last}"


@pytest.mark.slow
def test_the_last_attempt_counts_again_after_a_run_that_was_stopped_anywhere(
    springs: Assignment, tmp_path: Path, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the best one, which counted before, is no new attempt."""
    steps = Steps(monkeypatch)
    for number in itertools.count():
        course_dir, steps.stop = tmp_path / str(number), -1
        again(springs, course_dir, ANSWERS)
        again(springs, course_dir, EMPTY, "--policy", "best")
        assert totals(course_dir) == [(1, 10, True), (2, 0, False)]
        steps.taken, steps.stop = 0, number
        try:
            command("grade", "springs", "--course", course_dir, "--policy", "last")
            break
        except Stopped:
            steps.stop = -1
            history.save_policy(course_dir, "springs", "last")
            command("grade", "springs", "--course", course_dir)
        assert totals(course_dir) == [(1, 10, False), (2, 0, True)], f"stopped at step {number}"
        assert mark(springs, course_dir) == 0
    assert number > 5


@pytest.mark.slow
def test_of_older_attempts_another_counts_after_a_run_that_was_stopped_anywhere(
    springs: Assignment, tmp_path: Path, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither comes in again."""
    steps = Steps(monkeypatch)
    for number in itertools.count():
        course_dir, steps.stop = tmp_path / str(number), -1
        again(springs, course_dir, ANSWERS)
        again(springs, course_dir, ANSWERS | {"energies": "pass\n"}, "--policy", "best")
        again(springs, course_dir, EMPTY)
        second = course_dir / "attempts" / "springs" / "ada" / "2"
        by_hand = [Given(cell="check_oscillator", points=5.0)]
        (second / "by_hand.json").write_bytes(msgspec.json.encode(by_hand))
        steps.taken, steps.stop = 0, number
        try:
            command("grade", "springs", "--course", course_dir)
            break
        except Stopped:
            steps.stop = -1
            command("grade", "springs", "--course", course_dir)
        wanted = [(1, 10, False), (2, 11, True), (3, 0, False)]
        assert totals(course_dir) == wanted, f"stopped at step {number}"
        assert mark(springs, course_dir) == 11
    assert number > 8


def test_a_regrade_that_was_stopped_is_ended_by_the_next(
    springs: Assignment, tmp_path: Path, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again(springs, tmp_path, right(springs))
    store, steps = Store(tmp_path), Steps(monkeypatch)
    known = store.load("springs", "ada")
    assert known is not None
    regrade = ("regrade", "springs", "--yes", "--course", tmp_path)
    for number in itertools.count():
        steps.stop = -1
        wrong = [msgspec.structs.replace(one, points=0.0) for one in known.exercises]
        fields = {"points": 0.0, "checks_sha256": "others", "exercises": wrong}
        store.save(msgspec.structs.replace(known, **fields))
        command("grade", "springs", "--course", tmp_path)
        assert mark(springs, tmp_path) == 0
        steps.taken, steps.stop = 0, number
        try:
            command(*regrade)
            break
        except Stopped:
            steps.stop = -1
            command(*regrade)
            assert mark(springs, tmp_path) == 15, f"stopped at step {number}"
    assert number > 3


@pytest.mark.parametrize("now", ["late", "gone"])
def test_without_a_yes_a_regrade_moves_no_mark_of_another_file(
    springs: Assignment, tmp_path: Path, judged: list[str], now: str
) -> None:
    """One that was collected and not graded yet, or is not there any more: the mark that is
    recorded stays with the time at which its own file came in."""
    configured(tmp_path, NO_LATE_POINTS)
    if now == "late":
        again(springs, tmp_path, right(springs))
        change(tmp_path, "update assignment set duedate = '2026-11-21 00:00:00.000000'")
        late = "2026-11-22 10:00:00 UTC"
        hand_in(tmp_path, "ada", filled(springs, EMPTY), stamp=late)
    else:
        again(springs, tmp_path, right(springs))
        change(tmp_path, "update assignment set duedate = '2026-11-20 00:00:00.000000'")
        command("grade", "springs", "--course", tmp_path)
        for path in (tmp_path / "submitted/ada/springs").iterdir():
            path.unlink()
    before = mark(springs, tmp_path)
    assert before == {"late": 15, "gone": 0}[now]
    command("regrade", "springs", "--course", tmp_path)
    assert mark(springs, tmp_path) == before


def test_a_regrade_leaves_another_file_to_grade_and_points_by_hand_with_the_first(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    again(springs, tmp_path, ANSWERS)
    give(tmp_path, 4.5)
    hand_in(tmp_path, "ada", filled(springs, EMPTY))
    said = command("regrade", "springs", "--yes", "--course", tmp_path)
    assert "ada: another file was handed in since" in said
    assert mark(springs, tmp_path) == 14.5
    command("grade", "springs", "--course", tmp_path)
    assert totals(tmp_path) == [(1, 14.5, False), (2, 0, True)]


def test_who_has_a_mark_and_whose_folder_is_gone_is_told(
    springs: Assignment, tmp_path: Path, judged: list[str]
) -> None:
    again(springs, tmp_path, ANSWERS)
    (tmp_path / "submitted/ada").rename(tmp_path / "submitted/ada_l")
    said = command("grade", "springs", "--course", tmp_path)
    assert "ada: there is nothing in submitted; the recorded mark stays" in said
