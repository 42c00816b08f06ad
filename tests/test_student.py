"""What checks share: a measurement that is done once for an exercise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from coursekit import CheckFailed, StudentError

from autograder.course import Cell
from autograder.student import InProcess, Student

CODE = """\
times = []
def train(x):
    times.append(x)
    if x > 2:
        raise ValueError
    return len(times)
"""


def _trained(student: Any, draw: np.random.Generator) -> int:
    return student.train(1)


def _useless(student: Any, draw: np.random.Generator) -> int:
    student.train(2)
    raise CheckFailed("value", "is useless")


def _broken(student: Any, draw: np.random.Generator) -> int:
    return student.train(3)


@pytest.fixture
def student() -> Student:
    made = Student(InProcess([Cell("the cell of train", CODE)]))
    made.begin("train", 1)
    return made


def test_a_measurement_is_done_once_for_the_checks_of_an_exercise(student: Student) -> None:
    draw = np.random.default_rng(1)
    assert student.once(_trained, draw) == 1
    told = student.calls, student.requests
    student.begin("train", 2)
    assert student.once(_trained, draw) == 1
    assert (student.calls, student.requests) == told
    student.begin("another", 3)
    assert student.once(_trained, draw) == 2


def test_a_failure_is_told_to_each_check_with_the_call(student: Student) -> None:
    for seed in (1, 2):
        student.begin("train", seed)
        with pytest.raises(CheckFailed, match="is useless"):
            student.once(_useless, np.random.default_rng(1))
        assert [call.returned for call in student.calls] == [1]


def test_what_stopped_is_tried_again(student: Student) -> None:
    for _ in range(2):
        with pytest.raises(StudentError, match="stopped with ValueError"):
            student.once(_broken, np.random.default_rng(1))
    assert student.train(1) == 3
