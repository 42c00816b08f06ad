"""The checks are right themselves: no hole in the truth table, and holes would be seen."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import scipy
import torch

from autograder.authoring import forgetful, merit, trivial, verify
from autograder.course import ROOT, Assignment, course, load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells
from autograder.judging.diagnosis import Observer
from autograder.judging.digest import digests
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
    known, now = f"tables/{name}/{exercise}", fingerprint(found, exercise)
    cache = None if "CI" in os.environ else getattr(pytestconfig, "cache", None)
    if cache is not None and cache.get(known, "") == now:
        pytest.skip("known to have no hole, and nothing that decides it has changed")
    rows = verify.tried(found, found.exercise(exercise))
    assert verify.holes_in(rows) == []
    # Not every exercise is used by another, and no training is tried with a forgotten argument.
    kinds = {row.kind for row in rows} - {"others", "forgetful"}
    assert kinds == {"reference", "nothing", "trivial", "alternative", "mistake"}
    if cache is not None:
        cache.set(known, now)


def fingerprint(found: Assignment, exercise: str) -> str:
    """A hash of all that decides the exercise's truth table: what decides its marks, the
    alternatives, `verify` and what stands beside it, and the libraries' versions."""
    alternatives = ROOT / "autograder" / "alternatives" / f"{found.name}.py"
    files = [alternatives, *(Path(one.__file__) for one in (verify, trivial, forgetful, merit))]
    parts = [digests(found)[exercise].encode(), *(path.read_bytes() for path in files)]
    parts += [module.__version__.encode() for module in (np, scipy, torch)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@pytest.mark.parametrize(
    ("name", "exercise", "check", "mix"),
    [
        # leaky_relu's slope at 0 is free to choose; one of the checks stood upon it.
        (
            "backprop",
            "deep_backward",
            "depth",
            {"number_by_number_again", "from_the_end_by_recursion"},
        ),
        # One training in four of this network never left the mean of the hidden checks' energies.
        (
            "lennard_jones",
            "train_potential",
            "knows_unseen_energies",
            {"first_weights_next_to_nothing", "plain_adam"},
        ),
    ],
)
def test_right_answers_are_right_together(
    name: str, exercise: str, check: str, mix: set[str]
) -> None:
    """`salts.py --mixes` tries others."""
    found = load_assignment(name)
    code = cells(found, *(one for one in alternatives(found) if one.name in mix))
    student, wanted = Student(InProcess(code)), [found.exercise(exercise)]
    results = Judge(found).judge(student, "salt 200012", wanted, chosen=lambda c: c.name == check)
    assert [one.outcome for one in results[0].checks if one.outcome != "passed"] == []


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


def test_an_argument_that_no_check_varies_is_a_hole() -> None:
    found = load_assignment("backprop")
    judge, one = Judge(found), found.exercise("activations")
    judge.checks = [check for check in judge.checks if check.name != "slope"]
    trials = verify.Trials(judge, one)
    answers = [Answer("backprop", one.name, *made) for made in forgetful.answers(judge, one)]
    holes = [row.name for row in map(trials.forgetful, answers) if row.hole]
    assert holes == [f"leaky_relu.slope: the {way}" for way in forgetful.WAYS]


def test_a_forgetful_function_has_another_value_at_its_first_call_only() -> None:
    def power(x: np.ndarray, n: int = 2) -> np.ndarray:
        return x**n

    two, three = np.full(2, 3.0), np.full(3, 3.0)
    first = forgetful.forgetting(power, "", "x", "first")
    assert [first(two).tolist(), first(three, n=1).tolist()] == [[9, 9], [3, 3]]
    shape = forgetful.forgetting(power, "", "x", "first of its shape")
    assert [shape(x)[0] for x in (two, three, 2 * two, 2 * three)] == [9, 9, 9, 9]
    default = forgetful.forgetting(power, "", "n", "default")
    assert default(two, 3).tolist() == [9, 9]


def test_a_forgetful_method_is_the_class_s_own() -> None:
    class Line:
        def __init__(self, slope: float) -> None:
            self.slope = slope

        def at(self, x: float) -> float:
            return self.slope * x

    forgetful.forgetting(Line, "__init__", "slope", "first")
    assert [Line(2.0).at(3.0), Line(5.0).at(4.0)] == [6.0, 8.0]


def test_a_known_answer_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "CALL_SECONDS", 0.2)
    found = load_assignment("backprop")
    code = "def mse_loss(y_pred, y_true):\n    while True:\n        pass\n"
    wrong = Mistake("backprop", "mse_loss", "planted", code, "one_output", "a hint")
    (row,) = verify.Trials(Judge(found), found.exercise("mse_loss")).mistakes([wrong])
    assert (row.points, row.hole) == (0.0, "")


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


def test_a_long_check_is_left_out_only_where_nothing_depends_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if all checks were long: no hole more or less, every check still needed, and no answer
    keeps more than its row says."""
    found = load_assignment("backprop")
    judge, one = Judge(found), found.exercise("mse_loss")
    whole = list(verify._exercise_rows(judge, one, verify.SALT))
    monkeypatch.setattr(verify, "LONG", 0.0)
    part = list(verify._exercise_rows(judge, one, verify.SALT))
    assert verify.holes_in(part) == verify.holes_in(whole) == []
    for less, all_of_it in zip(part, whole, strict=True):
        assert (less.kind, less.name) == (all_of_it.kind, all_of_it.name)
        assert {*less.failed} <= {*all_of_it.failed}
        assert less.points >= all_of_it.points
    assert sum(len(row.failed) for row in part) < sum(len(row.failed) for row in whole)


def test_a_mistake_that_only_a_long_check_can_bring_down_is_brought_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may keep less than the check that it names takes: so the others are asked."""
    monkeypatch.setattr(verify, "LONG", 0.0)
    found = load_assignment("backprop")
    one = found.exercise("mse_loss")
    code = "def mse_loss(y_pred, y_true):\n    return 2.5\n"
    wrong = Mistake("backprop", "mse_loss", "planted", code, "one_output", "a hint", keeps=0.1)
    trials = verify.Trials(Judge(found), one)
    trials.whole("reference", None)
    (row,) = trials.mistakes([wrong])
    assert row.hole == ""
    assert row.points <= 0.1 * one.points
