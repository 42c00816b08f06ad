"""The checks are right themselves: no hole in the truth table, and holes would be seen."""

from __future__ import annotations

import os

import pytest

from autograder import verify
from autograder.answers import Mistake, cells
from autograder.course import assignment, course
from autograder.diagnosis import diagnose
from autograder.judge import Judge, judging
from autograder.results import ExerciseResult
from autograder.student import InProcess, Student


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "exercise"),
    [(name, exercise.name) for name in course() for exercise in assignment(name).exercises],
)
def test_the_truth_table_has_no_hole(name: str, exercise: str) -> None:
    found = assignment(name)
    rows = verify.tried(found, found.exercise(exercise))
    assert verify.holes_in(rows) == []
    assert {row.kind for row in rows} == {"reference", "nothing", "alternative", "mistake"}


@pytest.mark.parametrize(
    ("code", "caught_by", "words"),
    [
        ("def mse_loss(y_pred, y_true):\n    return 1.0\n", "no_such_check", "does not exist"),
        (
            "def mse_loss(y_pred, y_true):\n    return float(np.mean((y_pred - y_true) ** 2))\n",
            "is_a_number",
            "is not caught",
        ),
    ],
)
def test_a_mistake_that_is_not_caught_is_a_hole(code: str, caught_by: str, words: str) -> None:
    found = assignment("backprop")
    wrong = Mistake("backprop", "mse_loss", "planted", code, caught_by, "a hint")
    rows = []

    def body(judge: Judge) -> None:
        rows.append(verify._mistake_row(judge, found.exercise("mse_loss"), wrong))

    judging(found, body)
    assert words in rows[0].hole


def test_a_user_s_own_settings_of_pytest_are_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--durations=3 --no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    seen = []
    judging(assignment("backprop"), lambda judge: seen.extend(judge.checks))
    assert seen
    assert os.environ["PYTEST_ADDOPTS"] == "--durations=3 --no-such-option"


def test_an_answer_like_no_known_mistake_gets_no_hint() -> None:
    found = assignment("backprop")
    strange = Mistake(
        "backprop",
        "mse_loss",
        "strange",
        "def mse_loss(y_pred, y_true):\n    return float(np.mean(np.cosh(y_pred - y_true)))\n",
        "perfect",
        "",
    )
    hints = []

    def after(result: ExerciseResult, transcripts: dict) -> None:
        hints.append(diagnose(found, "mse_loss", transcripts))
        assert transcripts, "the answer is wrong, so some check failed"

    def body(judge: Judge) -> None:
        student = Student(InProcess(cells(found, strange)))
        judge.judge(student, "salt", [found.exercise("mse_loss")], after=after)

    judging(found, body)
    assert hints == [None]
