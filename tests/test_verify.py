"""The checks are right themselves: no hole in the truth table, and holes would be seen."""

from __future__ import annotations

import os

import pytest

from autograder.authoring import verify
from autograder.course import course, load_assignment
from autograder.judging.answers import Mistake, cells
from autograder.judging.diagnosis import Observer
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "exercise"),
    [(name, exercise.name) for name in course() for exercise in load_assignment(name).exercises],
)
def test_the_truth_table_has_no_hole(name: str, exercise: str, pytestconfig: pytest.Config) -> None:
    """Minutes of computing; on a developer's machine not again where nothing changed."""
    found = load_assignment(name)
    known, now = f"tables/{name}/{exercise}", verify.fingerprint(found, exercise)
    cache = None if "CI" in os.environ else getattr(pytestconfig, "cache", None)
    if cache is not None and cache.get(known, "") == now:
        pytest.skip("known to have no hole, and nothing that decides it has changed")
    rows = verify.tried(found, found.exercise(exercise))
    assert verify.holes_in(rows) == []
    kinds = {row.kind for row in rows} - {"others"}  # not every exercise is used by another
    assert kinds == {"reference", "nothing", "trivial", "alternative", "mistake"}
    if cache is not None:
        cache.set(known, now)


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
    found = load_assignment("backprop")
    wrong = Mistake("backprop", "mse_loss", "planted", code, caught_by, "a hint")
    (row,) = verify.Trials(Judge(found), found.exercise("mse_loss")).mistakes([wrong])
    assert words in row.hole


def test_an_answer_like_no_known_mistake_gets_no_hint() -> None:
    found = load_assignment("backprop")
    strange = Mistake(
        "backprop",
        "mse_loss",
        "strange",
        "def mse_loss(y_pred, y_true):\n    return float(np.mean(np.cosh(y_pred - y_true)))\n",
        "perfect",
        "",
    )
    judge, code = Judge(found), cells(found, strange)
    student = Student(InProcess(code))
    wanted = [found.exercise("mse_loss")]
    (result,) = judge.judge(student, "salt", wanted, after=Observer(judge, "salt", code))
    assert (result.status, result.mistake, result.hint) == ("wrong", "", "")
