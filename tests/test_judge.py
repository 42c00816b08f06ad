"""What an exercise's points come to: guards, its point, and what a mistake may keep."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import numpy as np
import pytest

from autograder.authoring import trivial, verify
from autograder.course import ROOT, Exercise, load_assignment
from autograder.judging.answers import Answer, Mistake, cells
from autograder.judging.judge import Check, Judge, summarise
from autograder.judging.kit import jumps
from autograder.judging.student import Student
from autograder.results import CheckResult, ExerciseResult
from autograder.sandbox.protocol import InProcess

EXERCISE = load_assignment("backprop").exercise("mse_loss")


def _summary(outcomes: dict[str, str], points: set[str]) -> ExerciseResult:
    checks = [
        CheckResult(name=name, outcome=outcome, hidden=True, seconds=0.0, point=name in points)
        for name, outcome in outcomes.items()
    ]
    return summarise(EXERCISE, checks, guards={"guard"})


def test_marks_stand_on_checks_alone() -> None:
    """A helper that is written between a mark and its check takes the mark away."""
    paths = [*ROOT.glob("autograder/checks/*.py"), *ROOT.glob("assignments/*/*.py")]
    functions = {
        f"{path.stem}: {node.name}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_")
        if any(ast.unparse(one).startswith("pytest.mark") for one in node.decorator_list)
    }
    assert not functions


def test_without_the_point_of_an_exercise_half_is_left_at_most() -> None:
    outcomes = {"main": "failed", "a": "passed", "b": "passed", "c": "passed", "guard": "passed"}
    assert _summary(outcomes, set()).points == round(EXERCISE.points * 10 / 13, 2)
    result = _summary(outcomes, {"main"})
    assert result.points == EXERCISE.points / 2
    assert "at most half" in result.checks[0].message


def test_the_point_takes_no_more_than_its_weight_where_less_is_left() -> None:
    outcomes = {"main": "failed", "a": "passed", "b": "failed", "c": "failed"}
    assert _summary(outcomes, {"main"}).points == EXERCISE.points / 4


def test_a_slip_elsewhere_does_not_take_the_point() -> None:
    outcomes = {"main": "passed", "a": "failed", "b": "passed"}
    assert _summary(outcomes, {"main"}).points == round(EXERCISE.points * 2 / 3, 2)


class _Shared(InProcess):
    """A worker that other exercises had before, which counts how often another one is asked for."""

    asked_again = 0

    def again(self) -> bool:
        self.asked_again += 1
        return True


@pytest.mark.parametrize(
    ("stops", "again"),
    [
        ("raise ValueError('a slip')", False),
        ("import torch\n    torch.ones(2, 3) @ torch.ones(2, 3)", False),
        ("return mse_loss(y_pred, y_true)", False),
        ('raise RuntimeError("can\'t start new thread")', True),
        ("raise MemoryError", True),
    ],
)
def test_what_stops_is_asked_once_more_only_where_something_was_wanting(
    stops: str, again: bool
) -> None:
    """Every other worker runs the notebook's cells anew: a usual slip must not cost that."""
    judge = Judge(load_assignment("backprop"))
    code = f"def mse_loss(y_pred, y_true):\n    {stops}\n"
    worker = _Shared(cells(judge.assignment, Answer("backprop", "mse_loss", "stops", code)))
    judge.judge(Student(worker), "a salt", [EXERCISE])
    assert bool(worker.asked_again) == again


def test_what_came_back_does_not_count_twice_where_a_check_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autograder.judging.student.MAX_RECEIVED", 36_000)
    code = (
        "calls = []\ndef mse_loss(y_pred, y_true):\n    calls.append(1)\n"
        "    if len(calls) == 3:\n        raise MemoryError\n    return np.zeros(1000)\n"
    )
    assignment = load_assignment("backprop")
    worker = _Shared(cells(assignment, Answer("backprop", "mse_loss", "wants memory once", code)))

    def test_mse_loss__three_times(student: Any) -> None:
        """is asked for 8 kB three times"""
        for _ in range(3):
            student.mse_loss(np.zeros(2), np.zeros(2))

    check = Check(test_mse_loss__three_times, hidden=True)
    assert Judge(assignment).run(check, Student(worker), "a salt").outcome == "passed"
    assert worker.asked_again == 1


def test_what_a_check_came_upon_is_put_into_words_whatever_it_says() -> None:
    """The name of a weight is the student's choice, and stands in the exception of a check."""
    code = (
        "class MLP(nn.Module):\n    def __init__(self, input_dim, hidden, output_dim):\n"
        "        super().__init__()\n        self.a = nn.Linear(input_dim, output_dim)\n"
        "    def forward(self, x):\n        return self.a(x)\n"
        "    def named_parameters(self, *args, **kwargs):\n"
        "        return [('to unpack (expected ' + '9' * 5000, torch.ones(2))]\n"
        "    def state_dict(self, *args, **kwargs):\n"
        "        return [('a', torch.ones(2))]\n"
    )
    judge = Judge(load_assignment("training"))
    student = Student(InProcess(cells(judge.assignment, Answer("training", "mlp", "odd", code))))
    (result,) = judge.judge(student, "a salt", [judge.assignment.exercise("mlp")])
    assert result.status in ("partly", "wrong")


def test_a_mistake_that_keeps_more_than_it_may_is_a_hole() -> None:
    judge = Judge(load_assignment("backprop"))
    code = "def mse_loss(y_pred, y_true):\n    return np.mean((y_pred - y_true) ** 2, axis=0)\n"
    check = next(c for c in judge.of(EXERCISE) if c.name == "is_a_number")
    wrong = Mistake("backprop", "mse_loss", "planted", code, check.name, "a hint", keeps=1.0)
    (row,) = verify.Trials(judge, EXERCISE).mistakes([wrong])
    share = row.points / EXERCISE.points
    assert 0 < share < 1
    strict = dataclasses.replace(wrong, keeps=share / 2)
    (row,) = verify.Trials(judge, EXERCISE).mistakes([strict])
    assert row.hole == f"keeps {share:.0%}, and may keep {share / 2:.0%}"


@pytest.mark.parametrize("exercise", load_assignment("backprop").exercises[:3])
def test_trivial_answers_are_callable_and_wrong(exercise: Exercise) -> None:
    judge = Judge(load_assignment("backprop"))
    found = dict(trivial.answers(judge, exercise))
    assert "zeros of the right kind" in found
    assert "the public checks by heart" in found
    for name, code in found.items():
        answer = Answer("backprop", exercise.name, name, code)
        student = Student(InProcess(cells(judge.assignment, answer)))
        (result,) = judge.judge(student, "salt", [exercise])
        assert student.transport.failures == []
        failed = [check for check in result.checks if check.outcome == "failed" and check.hidden]
        assert failed
        assert not any(check.kind == "missing" for check in failed)


@pytest.mark.parametrize("height", [1e-3, 0.0])
def test_a_jump_is_told_from_the_digits_of_single_precision(height: float) -> None:
    """A network with small weights is nearly a line: its slope goes up by the last digit."""

    def slope(x: np.ndarray) -> np.ndarray:
        return (1 + 1e-5 * x + height * (x > 0.4)).astype(np.float32).astype(float)

    assert jumps(slope, 0.0, 1.0) == bool(height)
