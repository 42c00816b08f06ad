"""What checks ask of a student's code: measurements, bounds, and words that carry nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from coursekit import CheckFailed, StudentError, array, close

from autograder.course import Cell, load_assignment
from autograder.judging import student as module
from autograder.judging.answers import Answer, cells
from autograder.judging.student import Student
from autograder.sandbox.inside.session import Session
from autograder.sandbox.inside.wire import ITEM_BYTES, Handle, decode, encode
from autograder.sandbox.process import Traces
from autograder.sandbox.protocol import InProcess
from autograder.sandbox.transport import Caged
from autograder.sandbox.watch import Budget

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


class Uncaged:
    """A cage without walls, and a worker in it; what is asked of it is noted."""

    alive, struck = True, False

    def __init__(self) -> None:
        self.session, self.asked = Session(), list[bytes]()

    def worker(self, cpu: float) -> Uncaged:
        return self

    def traces(self) -> Traces:
        return Traces(set(), [], [])

    def ask(self, request: bytes, budget: Budget) -> bytes:
        self.asked.append(request)
        return self.session.answer(request)


def test_what_asks_for_nothing_back_goes_with_the_next_request() -> None:
    cage, found = Uncaged(), load_assignment("backprop")
    code = Cell("a", "def mse_loss(a, b):\n    a += 1\n    b.append(a[0])")
    student = Student(Caged(cage, found, [code]))  # type: ignore[arg-type]
    for seed in (1, 2):
        student.begin("mse_loss", seed)
        before = len(cage.asked)
        kept = [student.keep(np.zeros(2)), student.keep([0.0])]
        student.mse_loss(*kept)
        first, second = student.value(kept)
        assert (list(first), second) == ([1.0, 1.0], [0.0, 1.0])
        assert len(cage.asked) - before == 2  # the call and the values
        told = [decode(one.request)["op"] for one in student.requests]
        assert told == ["begin", "keep", "keep", "call", "value"]
        large = student.keep(np.zeros(2**17))
        assert student.value(large).shape == (2**17,)


def test_what_cannot_be_made_is_the_answer_to_what_needs_it() -> None:
    begin, keep, value = (
        encode({"op": "begin", "seed": 1}),
        encode({"op": "keep", "number": 1, "value": Handle(7)}, lambda held: held),
        encode({"op": "value", "target": 1}),
    )
    session = Session()
    answer = session.answer(encode({"op": "after", "first": [begin, keep], "then": value}))
    assert decode(answer)["type"] == "KeyError"
    answer = session.answer(encode({"op": "after", "first": [begin], "then": value}))
    assert decode(decode(answer)["encoded"]) == 1


class Answers:
    """A worker in the hands of an attacker: its answer is always the same bytes."""

    failures: list[Any]
    lines: dict[str, int]
    cells: list[Any]
    used: float

    def __init__(self, answer: bytes) -> None:
        self.answer, self.failures, self.lines, self.cells = answer, [], {}, []
        self.used = 0.0

    def begin(self, exercise: str, seed: int) -> None:
        pass

    def tell(self, request: bytes) -> None:
        pass

    def ask(self, request: bytes) -> bytes:
        return self.answer


def test_a_module_s_function_is_called_by_its_name(student: Student) -> None:
    """As checks make torch's own layers: `nn`, "Linear"."""
    made = Student(InProcess([Cell("", "import math")]))
    made.begin("train", 1)
    assert made.call("math", "sqrt", (4.0,), {}) == 2.0


def test_what_a_forged_answer_says_is_for_public_checks_alone() -> None:
    forged = encode(np.ones(2)).replace(b"float64", b"x = 1.5")
    student = Student(Answers(encode({"ok": True, "encoded": forged})))
    with pytest.raises(CheckFailed, match="returned something that cannot be read") as failed:
        student.f()
    assert "1.5" not in failed.value.text
    assert "1.5" in failed.value.detail


@pytest.mark.parametrize("shape", [(8314, 2), (0, 8314), (1, 2, 8, 3, 1, 4)])
def test_a_shape_carries_no_number_of_the_student_s(shape: tuple[int, ...]) -> None:
    with pytest.raises(CheckFailed, match="should have shape") as failed:
        array(np.empty(shape), (5, 2))
    assert not {"8", "4"}.intersection(failed.value.text)
    assert str(shape) in failed.value.exact


def test_a_shape_is_told_where_its_sizes_were_expected() -> None:
    with pytest.raises(CheckFailed, match=r"should have shape \(5, 2\), has \(2, 5\)$"):
        array(np.ones((2, 5)), (5, 2))
    with pytest.raises(CheckFailed, match=r"should have shape \(5,\), has \(5, 1\)$"):
        array(np.ones((5, 1)), (5,))
    with pytest.raises(CheckFailed, match=r"shape \(any, 2\), has another length along axis 1$"):
        array(np.ones((7, 3)), (None, 2))
    with pytest.raises(CheckFailed, match=r"should have shape \(3,\), has 2 axes$"):
        array(np.ones((7, 9)), (3,))


def test_of_several_values_the_wrong_one_is_named() -> None:
    with pytest.raises(CheckFailed, match="another value") as failed:
        close((1.0, 2.0), (1.0, 3.0))
    assert (failed.value.returned, failed.value.expected) == (2.0, 3.0)
    with pytest.raises(CheckFailed, match="should be a tuple of 2 values, is an array of float64"):
        close(np.ones(2), (1.0, 3.0))


def test_an_empty_answer_is_not_the_reference_s() -> None:
    found = load_assignment("backprop")
    code = {cell.label: cell.source for cell in cells(found, Answer("", "mse_loss", "", ""))}
    assert code["the cell of mse_loss"] == ""


def test_what_comes_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = encode({"ok": True, "encoded": encode(np.zeros(1000))})
    student = Student(Answers(answer))
    monkeypatch.setattr(module, "MAX_RECEIVED", 10 * (len(answer) + ITEM_BYTES))
    student.begin("one", 1)
    for _ in range(10):
        student.f()
    student.begin("one", 2)  # another check of the same exercise
    with pytest.raises(StudentError, match="gave back more than"):
        student.f()
    assert len(student.requests) == 1, "only how it began"
    student.begin("another", 1)
    student.f()
