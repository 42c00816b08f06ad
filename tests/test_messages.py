"""What messages say: code that runs, the call that is meant, the numbers that were compared."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from coursekit import (
    CheckFailed,
    StudentError,
    array,
    attribute,
    below,
    close,
    holds,
    number,
    quiet,
    refuses,
    tensor,
    unchanged,
    within,
)
from coursekit.compare import in_other_words, short, stumbled
from coursekit.messages import describe, sentence
from coursekit.notebook import NotebookStudent
from coursekit.relations import relation
from coursekit.student import title_of
from coursekit.written import Call, Origin, Thing, code

from autograder.course import ROOT, Cell, load_assignment
from autograder.grading.explained import Explained
from autograder.judging.answers import Answer, cells, mistakes, reference_code
from autograder.judging.judge import Check, Judge
from autograder.judging.student import Student
from autograder.results import CheckResult
from autograder.sandbox.inside.fields import FIELDS
from autograder.sandbox.protocol import InProcess

VALUES = [
    np.array([[1.0, 2.0]]),
    np.arange(3, dtype=np.int8),
    np.array([np.nan, np.inf, 1 / 3, 1e-9]),
    np.zeros((0, 3)),
    np.zeros((5, 8)),
    np.full((5, 8), 2.5, dtype=np.float32),
    torch.full((4, 9), -7.0, requires_grad=True),
    np.array([True, False]),
    np.float32(0.1),
    -np.inf,
    [1, (2.5,), {"a": None}, "b"],
    torch.tensor([[3.0], [0.1]]),
    torch.tensor([1.0], dtype=torch.float64, requires_grad=True),
    torch.linspace(0.95, 3.5, 40).reshape(-1, 1),
]


@pytest.mark.parametrize("value", VALUES, ids=code)
def test_a_value_s_code_gives_the_value(value: Any) -> None:
    again = eval(code(value), {"np": np, "torch": torch})
    if isinstance(value, torch.Tensor):
        assert (again.dtype, again.requires_grad) == (value.dtype, value.requires_grad)
        assert torch.equal(again, value)
    else:
        assert code(again) == code(value)


def test_generators_are_code_as_long_as_nothing_was_drawn() -> None:
    rng, generator = np.random.default_rng(3), torch.Generator().manual_seed(4)
    assert eval(code(rng), {"np": np}).normal() == rng.normal()
    assert torch.rand(2, generator=eval(code(generator), {"torch": torch})).equal(
        torch.rand(2, generator=generator)
    )
    assert code(rng) == "a NumPy generator"
    assert code(generator) == "a torch generator"


@pytest.mark.parametrize(
    ("name", "params", "columns"),
    [
        ("polynomial", {"coefficients": [0.0, 2.0, 0.0, -1.5]}, 1),
        ("polynomial", {"coefficients": [3.0]}, 1),
        ("surface", {"coefficients": np.array([[1.0, 2.0], [0.0, -3.0]])}, 2),
        ("sine", {"amplitude": 2.0, "frequency": 3.0, "phase": 1.0}, 1),
        ("exponential", {"amplitude": 5.0, "rate": -1.0}, 1),
        ("mode", {"wavenumber": 2.0, "rate": 0.4}, 2),
        ("affine", {"matrix": np.array([[2.0]]), "shift": np.array([1.0])}, 1),
    ],
)
def test_a_field_s_code_is_the_field(name: str, params: Any, columns: int) -> None:
    thing = Thing()
    thing.origin = Origin(field=name, params=params)
    points = [torch.tensor([[0.3], [-1.2]]) for _ in range(columns)]
    again = eval(code(thing), {"torch": torch})(*points)
    assert torch.allclose(again, FIELDS[name](**params)(*points).detach().float())


CODE = """\
import numpy as np, torch
class Net(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.linear = torch.nn.Linear(n, 2)
    def forward(self, x):
        return self.linear(x)
    @property
    def alpha(self):
        return 1.0
def encode(model, x):
    return model(x)
def nothing(x):
    return []
def row_of_one(x):
    return [(x,)]
def one_row(x):
    return [(x, x, x)]
def table(x):
    return {}
def pair(x):
    return x, -x
def pairs(x):
    return [(x, x), (x, -x)]
def at_once(x):
    x *= 2
    return x
def overflow(x):
    return np.exp(x)
def slope(u, x):
    return torch.autograd.grad(u.sum(), x)[0]
def square(x):
    return x**2
def predictor(n):
    return Net(n)
"""


def test_the_smallest_numbers_are_not_said_to_be_nan() -> None:
    """As the slope of sigmoid far from zero."""
    assert short(np.array([3e-320, 0.0])) == "np.array([0., 0.])"


def said(check: Callable[[Any], None]) -> str:
    """The message of a public check of this code."""
    student = Student(InProcess([Cell("the cell of encode", CODE)]))
    student.begin("encode", 1)
    with pytest.raises(CheckFailed) as failed:
        check(student)
    return describe("encode", "is right", failed.value, student.calls, public=True)


def pasted(message: str) -> Any:
    """What the line after "called" gives in the student's notebook."""
    namespace: dict[str, Any] = {}
    exec(CODE, namespace)
    (line,) = (line for line in message.splitlines() if line.startswith("   called"))
    *statements, expression = line.removeprefix("   called").strip().split("; ")
    exec("\n".join(statements), namespace)
    return eval(expression, namespace)


def test_what_was_called_can_be_pasted_objects_included() -> None:
    message = said(lambda s: tensor(s.Net(2)(torch.ones(3, 2)), (3, 1)))
    assert pasted(message).shape == (3, 2)
    assert "the output of Net should have shape (3, 1), has (3, 2)" in message

    def of_a_field(student: Any) -> None:
        x = student.keep(torch.tensor([[1.0], [2.0]], requires_grad=True))
        u = student.keeping(student.field("polynomial", coefficients=[0.0, 0.0, 1.0]), x)
        close(student.slope(u, x), torch.zeros(2, 1))

    message = said(of_a_field)
    assert "x**2" in message
    assert pasted(message).tolist() == [[2.0], [4.0]]


def test_a_long_call_is_not_cut_in_the_middle() -> None:
    column = torch.linspace(-1, 1, 20)[:, None]
    scattered = torch.sin(torch.arange(24.0))
    message = said(lambda s: tensor(s.Net(1)(column, scattered, scattered, epochs=3), (3, 1)))
    called = next(line for line in message.splitlines() if "called" in line)
    assert "torch.linspace(-1., 1., 20).reshape(20, 1)" in called, called
    some = "a tensor (24,) of float32"
    assert called.endswith(f", x, y, epochs=3)  # x: {some}, y: {some}"), called


def test_the_call_that_is_wrong_is_the_one_named() -> None:
    def another_is_called_last(student: Any) -> None:
        model = student.Net(2)
        first = student.encode(model, torch.ones(1, 2))
        model(torch.ones(1, 2))  # gives the same numbers
        array(first)

    message = said(another_is_called_last)
    assert "encode should be a NumPy array, is a torch tensor" in message
    assert "called    encode(Net(2), torch.tensor([[1., 1.]]))" in message
    message = said(lambda s: tensor(attribute(s.Net(2), "alpha")))
    assert "Net.alpha should be a torch tensor, is a float" in message


def test_an_item_is_told_by_its_place() -> None:
    message = said(lambda s: close(s.pair(1.5), (1.5, 1.5)))
    assert "returned  -1.5" in message
    assert "value 2 of 2" in message
    message = said(lambda s: close(s.square(2), [1.0, 2.0]))
    assert "square should be a list of 2 values, is an int" in message
    message = said(lambda s: array(s.pair(np.ones(2))[1], (3,)))
    assert "problem   value 2 of 2 from pair should have shape (3,), has (2,)" in message
    assert "detail" not in message
    message = said(lambda s: close(s.pairs(1.5), [(1.5, 1.5), (1.5, 1.5)]))
    assert "detail    value 2 of 2 in value 2 of 2, " in message


def test_what_stopped_is_not_said_to_be_an_output() -> None:
    message = said(lambda s: s.Net(2)(torch.ones(3)).sum(1, 2, 3))
    assert "problem   Net stopped with RuntimeError" in message
    assert "the output of" not in message
    message = said(lambda s: s.predictor(2)(np.ones(2)))
    assert "problem   what predictor returned stopped with TypeError" in message


def test_no_line_of_a_student_s_text_stands_where_a_check_s_own_words_do() -> None:
    text = "x\u2028forward  ✓ passed\n   points    all\x85   hint      none\r\x0b\x1c   called    f"
    failure = StudentError("error", "stopped with ValueError", name="ValueError", detail=text)
    lines = describe("forward", "has a title", failure, [], public=True).splitlines()
    words = [line[:13].strip() for line in lines[1:]]
    assert words[:2] == ["problem", "detail"]
    assert set(words[2:]) == {""}
    check = CheckResult(
        name="a", outcome="failed", hidden=False, seconds=0, message="\n".join(lines)
    )
    explained = Explained(check, 1, [], 0)
    assert [line[:10].strip() for line in explained.verdict] == words


def test_what_the_check_does_itself_is_not_what_was_called() -> None:
    def by_its_parameters(student: Any) -> None:
        model = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
        first = student.encode(model, torch.tensor([[2.0]]))
        student.gradients(first, first)
        close(model.gradient(), np.ones(3))

    message = said(by_its_parameters)
    assert "called    encode(lambda x: x**2, torch.tensor([[2.]]))" in message
    assert "returned" not in message

    def of_an_earlier_call(student: Any) -> None:
        slopes = student.pair(1.0)
        student.square(3.0)
        holds(False, "the slopes do not fit", of=slopes)

    assert "called    pair(1.0)" in said(of_an_earlier_call)


def test_a_sentence_has_a_subject() -> None:
    message = said(lambda s: refuses(lambda: s.square(2.0)))
    assert "problem   square should raise ValueError here" in message

    def far_out(student: Any) -> None:
        student.overflow(np.array([1e4]))
        quiet(student.calls[-1])

    assert "problem   overflow gives the right value, but with an overflow" in said(far_out)
    message = said(lambda s: array(s.square(np.array([True])) > 0))
    assert "should hold numbers, holds True and False" in message
    message = said(lambda s: within(s.square(3.0), 1.0, 0.1, what="the mean of the squares"))
    assert "the mean of the squares, ± 0.1" in message


def test_a_property_that_begins_with_its_verb_is_one_of_the_function() -> None:
    message = said(lambda s: holds(s.square(3.0) is None, "should return two things: (x, y)"))
    assert "problem   square should return two things: (x, y)" in message

    def has_too_few(student: Any) -> None:
        student.Net(3)(torch.ones(1, 3))
        holds(False, "should have two layers")

    assert "problem   Net should have two layers" in said(has_too_few)


def test_no_sentence_of_a_check_is_without_a_subject() -> None:
    """All that `holds` and `CheckFailed` say in the course's checks: they begin with what they
    are about, or with a verb that gets the function's name (`should`, `cannot`)."""
    verb = re.compile(r"(must|is|are|has|have|does|do|gives?|returns?|needs?|raises?)\b")
    files = [*ROOT.glob("assignments/*/public_checks.py"), *ROOT.glob("autograder/checks/*.py")]
    calls = [
        (path, node)
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("holds", "CheckFailed")
    ]
    assert len(calls) > 500
    for path, call in calls:
        for one in call.args[1:]:
            text = one.values[0] if isinstance(one, ast.JoinedStr) else one
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                where = f"{path.relative_to(ROOT)}:{call.lineno}: {text.value}"
                assert not verb.match(text.value), where


def test_a_title_is_a_whole_sentence() -> None:
    def test_one__two() -> None:
        """is 2.2 where p is ½ there, and looks for the
        crossing

        What a right answer may do.
        """

    assert title_of(test_one__two) == "is 2.2 where p is ½ there, and looks for the crossing"


def test_a_sentence_has_one_subject() -> None:
    """As `check_submission.py` and a check that waits say it, without the values."""
    call = Call("train")
    falls = CheckFailed("property", "the loss hardly falls")
    assert sentence("train", falls, call) == "the loss hardly falls"
    refuses_nothing = CheckFailed("property", "should raise an error here")
    assert sentence("train", refuses_nothing, call) == "train should raise an error here"
    other = CheckFailed("value", "returned another value")
    assert sentence("train", other, call) == "train returned another value"


def test_a_changed_argument_is_said_to_be_changed() -> None:
    def in_place(student: Any) -> None:
        kept = student.keep(np.ones(3))
        student.at_once(kept)
        unchanged(student.value(kept), np.ones(3), "x")

    message = said(in_place)
    assert "problem   the call changes its argument x, which should stay unchanged" in message
    assert "measured" not in message


def test_what_was_measured_is_not_said_to_have_come_back() -> None:
    message = said(lambda s: close(s.square(3.0) + 1, 1.0))
    assert "returned" not in message
    assert "measured  10" in message
    message = said(lambda s: below(number(s.square(3.0)), 1.0, "the error"))
    assert "problem   the error is 9; it should be below 1" in message


def test_of_large_arrays_the_first_wrong_entry_is_shown() -> None:
    expected = np.arange(20.0) ** 2
    expected[3] = 5.0
    message = said(lambda s: close(s.square(np.arange(20.0)), expected))
    assert "returned  9  at [3]" in message
    assert "expected  5  at [3]" in message
    assert "1 of 20 entries differ" in message


def related(values: Any, wanted: Any) -> str:
    values, wanted = np.asarray(values, dtype=float), np.asarray(wanted, dtype=float)
    return relation(values, wanted, lambda other: np.allclose(values, other, atol=1e-9))


def test_a_relation_is_told_where_it_cannot_be_chance() -> None:
    right = np.array([1.7, -0.4, 3.1, 2.2])
    assert related(-right, right) == "the sizes are right and every sign turned over"
    assert related(2 * right, right) == "every entry is twice what it should be"
    assert "opposite sign" in related(-right / 2, right)
    assert related(right + 0.3, right) == "every entry is 0.3 too high"
    assert related(right[::-1], right) == "the right numbers, in reversed order"
    assert related(np.roll(right, 1), right) == "the right numbers, one place later"
    assert related(right**2, right) == "every entry is the square of what it should be"
    square = np.arange(9.0).reshape(3, 3) ** 1.5
    assert related(square.T, square) == "the right numbers, transposed"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1.0, 5.0], [4.0, 8.0]),  # off by −3
        ([-4.0, 4.0], [0.1, -3.0]),
        ([0.8808, 0.8808, 0.8808], [1.0, 1.0, 1.0]),
        ([3.0], [1.5]),
        ([-1.0], [1.0]),
        ([2.0, 2.0, 4.0], [1.0, 1.0, 2.0]),
    ],
)
def test_coincidences_are_no_causes(values: Any, wanted: Any) -> None:
    assert related(values, wanted) == ""


def test_a_stumble_says_what_it_was_and_what_was_wanted() -> None:

    def told(use: Callable[[Any], Any], check: Callable[[Any], Any]) -> str:
        student: Any = Student(InProcess([Cell("the cell of encode", CODE)]))
        student.begin("encode", 1)
        try:
            use(check(student))
        except (TypeError, ValueError, AttributeError, LookupError, StopIteration) as stumble:
            return stumbled(stumble, student.calls).text
        raise AssertionError("the check went on")

    def three(value: Any) -> None:
        _, _, _ = value

    assert told(three, lambda s: s.pair(1.0)) == (
        "returned a tuple of 2 where 3 values are expected"
    )
    assert told(three, lambda s: s.square(1.0)) == (
        "returned a float where several values are expected"
    )
    assert told(lambda v: v(1), lambda s: s.pair(1.0)) == (
        "returned a tuple of 2 where a function or a model, to be called, is expected"
    )
    assert told(lambda v: v + np.ones(3), lambda s: s.square(np.ones(2))) == (
        "returned an array of float64 where an array or tensor of another shape is expected"
    )
    assert told(lambda v: v.requires_grad, lambda s: s.square(1.0)) == (
        "returned a float where a torch tensor is expected"
    )
    assert told(lambda v: v.step(1.0), lambda s: s.square(1.0)) == (
        "returned a float where an object with step is expected"
    )

    def twos(value: Any) -> None:
        for _, _ in value:
            pass

    entries = "returned a tuple of 2 in which an entry should be "
    assert told(twos, lambda s: s.pair(np.ones(3))) == entries + "2 values"
    assert told(twos, lambda s: s.pair(np.ones(1))) == entries + "2 values"
    assert told(twos, lambda s: s.pair(1.0)) == entries + "several values"
    assert told(lambda v: v[0][0], lambda s: s.pair(1.0)) == entries + "several values"
    assert told(lambda v: len(v[1]), lambda s: s.pair(1.0)) == entries + "several values"
    assert told(twos, lambda s: s.one_row(1.0)) == (
        "returned a list of 1 in which an entry should be 2 values"
    )

    either = "returned a list of 1 where it, or an entry of it, should be 2 values"
    assert told(twos, lambda s: s.row_of_one(1.0)) == either

    def one(value: Any) -> None:
        _, *_ = value

    nothing = "returned a list of 0 where more values are expected"
    assert told(lambda v: v[0], lambda s: s.nothing(1.0)) == nothing
    assert told(lambda v: next(iter(v)), lambda s: s.nothing(1.0)) == nothing
    assert told(max, lambda s: s.nothing(1.0)) == nothing
    assert told(lambda v: np.arange(3)[v], lambda s: s.square(np.array([0.5]))) == (
        "returned an array of float64 where integer values are expected"
    )
    assert told(lambda v: v[0, 1], lambda s: s.table(1.0)) == (
        "returned a dict where an array or tensor is expected"
    )
    assert told(one, lambda s: s.nothing(1.0)) == "returned a list of 0 where 1 value is expected"


@pytest.mark.parametrize(
    ("gives", "what"),
    [("'square'", "a str"), ("{0: 1.0}", "a dict"), ("object()", "an object")],
)
@pytest.mark.parametrize("in_notebook", [True, False])
def test_what_cannot_be_called_is_what_came_back(gives: str, what: str, in_notebook: bool) -> None:
    """The function is one, and a text that came back is not the name of another."""
    code = f"def square(x):\n    return x**2\ndef train(x):\n    return {gives}\n"
    if in_notebook:
        namespace: dict[str, Any] = {}
        exec(code, namespace)
        student: Any = NotebookStudent(namespace, "train", ["train"])
        student.begin(1)
    else:
        student = Student(InProcess([Cell("the cell of train", code)]))
        student.begin("train", 1)
    model = student.keep(student.train(1.0)) if what == "a str" else student.train(1.0)
    with pytest.raises(StudentError) as raised:
        model(2.0)
    assert raised.value.kind == "type"
    expected = f"returned {what} where a function or a model, to be called, is expected"
    assert raised.value.text == expected


def test_a_generator_that_comes_back_is_told_in_words() -> None:
    code = "import numpy as np\ndef train(x):\n    return x, np.random.default_rng(0)\n"
    student: Any = Student(InProcess([Cell("the cell of train", code)]))
    student.begin("train", 1)
    with pytest.raises(CheckFailed) as raised:
        student.train(1.0)
    assert raised.value.detail == "a generator of random numbers"


def test_a_pair_is_no_model() -> None:
    message = said(lambda s: s.keeping(s.pair(1.0), 1.0))
    assert "pair should return a function or a model, returned a tuple of 2" in message


def test_a_layer_that_a_check_makes_to_hand_over_is_not_blamed() -> None:
    def trains(student: Any) -> None:
        student.encode(student.keep(torch.ones(2)), torch.ones(2))

    code = CODE.replace(
        "def encode(model, x):\n    return model(x)", "def encode(m, x):\n    return x"
    )
    student = Student(InProcess([Cell("the cell of encode", f"from torch import nn\n{code}")]))
    student.begin("encode", 1)
    trains(student)
    student.call("nn", "ReLU", (), {}, keep=True)
    failure = CheckFailed("property", "should give one loss for each epoch", whole=False)
    message = describe("encode", "is right", failure, student.calls, public=False)
    assert "encode should give one loss" in message


@pytest.mark.parametrize(
    "stumble",
    [
        lambda: {}["secret"],
        lambda: float("no attribute 'secret'"),
        lambda: float("values to unpack (expected 1234567, got 2)"),
    ],
)
def test_a_hidden_check_names_nothing_that_came_back(stumble: Callable[[], Any]) -> None:
    with pytest.raises((KeyError, ValueError)) as caught:
        stumble()
    failure = stumbled(caught.value, [Call("f", returned={})])
    assert not re.search("secret|1234567", describe("f", "holds", failure, [], public=False))


def test_a_public_check_names_the_key_that_is_not_there() -> None:
    failure = stumbled(KeyError("weight"), [Call("f", returned={})])
    assert "something with 'weight' in it" in describe("f", "holds", failure, [], public=True)


@pytest.mark.parametrize(
    ("stumble", "words"),
    [
        (lambda x: x[5], "where an array or tensor with more entries is expected"),
        (lambda x: x[0][0], "where an array or tensor with more axes is expected"),
        (lambda x: x[:0].max(), "where an array or tensor with more entries is expected"),
    ],
)
def test_what_stops_a_check_is_told_as_what_was_wanted(
    stumble: Callable[[Any], Any], words: str
) -> None:
    values = np.ones(3)
    with pytest.raises((IndexError, ValueError)) as caught:
        stumble(values)
    assert words in stumbled(caught.value, [Call("f", returned=values)]).text


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_a_tensor_came_back_tensors_are_shown(dtype: torch.dtype) -> None:
    """Though the check compared arrays."""
    call = Call("slope", returned=torch.tensor([[18.0]], dtype=dtype))
    with pytest.raises(CheckFailed) as failed:
        close(tensor(call.returned, (1, 1)), np.array([[6.0]]))
    message = describe("slope", "is 6", failed.value, [call], public=True)
    with pytest.raises(CheckFailed) as failed:
        close(call.returned, torch.tensor([[6.0]], dtype=torch.float64))
    assert describe("slope", "is 6", failed.value, [call], public=True) == message
    assert f"returned  {code(torch.tensor([[18.0]], dtype=dtype))}\n" in message
    assert f"expected  {code(torch.tensor([[6.0]], dtype=dtype))}\n" in message


@pytest.mark.parametrize(
    "expected",
    [np.array([6.0, 7.0])[::-1], np.broadcast_to(6.0, 2)],
    ids=["from-behind", "one-number-again"],
)
@pytest.mark.filterwarnings("error")
def test_an_array_of_which_torch_makes_no_tensor_is_shown_all_the_same(expected: Any) -> None:
    call = Call("slope", returned=torch.tensor([18.0, 2.0]))
    with pytest.raises(CheckFailed) as failed:
        close(tensor(call.returned, (2,)), expected)
    message = describe("slope", "is 6", failed.value, [call], public=True)
    assert f"expected  {code(torch.tensor(expected.tolist()))}\n" in message


def test_a_number_in_an_array_without_axes_is_shown_as_a_number() -> None:
    with pytest.raises(CheckFailed) as failed:
        close(np.array(3.0), np.array(29.0))
    message = describe("slope", "is 29", failed.value, [Call("slope")], public=True)
    assert "expected  29\n" in message


@pytest.mark.parametrize(
    ("stops", "words"),
    [
        (lambda: math.sin(np.ones(2)), "functions of math take no arrays"),
        (lambda: float(torch.ones(2)), "a single number is needed"),
        (lambda: torch.ones(2, requires_grad=True).add_(1), "changed in place"),
        (lambda: torch.ones(1, 2) @ torch.ones(2, 1).double(), "float32 and float64"),
        (lambda: torch.nn.Linear(2, 1)(torch.ones(1, 2).double()), "float32 and float64"),
        (lambda: bool(np.ones(2) > 0), "each of its entries"),
        (lambda: torch.ones(2) or 1, "yes or no"),
        (lambda: bool(torch.ones(2) > 0), "each of its entries"),
        (lambda: torch.ones(2).sum().backward(), "something without a graph"),
        (lambda: 1 / 0, ""),
    ],
)
def test_what_numpy_and_torch_say_is_said_in_other_words(
    stops: Callable[[], Any], words: str
) -> None:
    """A hidden check says nothing else of an error."""
    with pytest.raises(Exception, match=r".") as raised:
        stops()
    said = in_other_words(str(raised.value))
    assert words in said
    assert bool(words) == bool(said)


UNTRUE = [
    ("backprop", "mse_loss", "half", "keeps_its_digits", "is lost"),
    ("backprop", "train", "one_step_short", "descends", "uphill"),
    ("backprop", "deep_backward", "activation_at_the_output", "is_exact", "nearly right"),
    ("lennard_jones", "lj_force", "division_by_r_lost", "is_exact", "nearly right|digits only"),
    ("lennard_jones", "cluster_forces", "twice_everything", "are_exact", "nearly right|digits"),
    ("lennard_jones", "standardise", "variance", "treats_test_as_it_treats_train", "its own scale"),
    ("cnn", "max_pool2d", "smallest", "keeps_every_digit_of_an_integer", "rounded"),
    ("training", "early_stopping", "epochs_from_1", "keeps_its_memory_to_itself", "has left"),
    ("training", "minibatches", "number_of_batches", "shuffles_rows_not_blocks", "should be full"),
    ("training", "l2_penalty", "biases_only", "has_the_gradient_2_w", "lost its graph"),
    ("inverse_pinn", "observe", "variance_for_deviation", "has_normal_noise_of_its_own_on_each",
     "is not normal\n"),
    ("inverse_pinn", "observe", "seed_of_its_own", "has_errors_that_know_nothing_of_each_other",
     "the same way|cancel"),
    ("inverse_pinn", "inverse_loss", "alpha_detached", "takes_a_real_network", "the network"),
    ("ising", "metropolis_sweep", "normal_numbers", "attempts_every_flip", "L comes back"),
    ("symmetry", "deep_sets", "hidden_ignored", "looks_at_every_element_by_itself", "of its set\n"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "exercise", "mistake", "check", "words"), UNTRUE)
def test_no_known_mistake_hears_what_is_not_true_of_it(
    name: str, exercise: str, mistake: str, check: str, words: str
) -> None:
    judge = Judge(load_assignment(name))
    (wrong,) = (
        m for m in mistakes(judge.assignment) if (m.exercise, m.name) == (exercise, mistake)
    )
    student = Student(InProcess(cells(judge.assignment, wrong)))
    result = judge.run(hidden(judge, exercise, check), student, "salt")
    assert not re.search(words, result.message + "\n")


def hidden(judge: Judge, exercise: str, name: str) -> Check:
    checks = judge.of(judge.assignment.exercise(exercise))
    (found,) = (check for check in checks if check.hidden and check.name == name)
    return found


def outcomes(
    name: str, exercise: str, check: str, changes: dict[str, str], salts: Iterable[str] = ("salt",)
) -> set[str]:
    """What a hidden check says of the reference with these changes, under some salts."""
    judge = Judge(load_assignment(name))
    code = reference_code(judge.assignment, exercise)
    for old, new in changes.items():
        assert old in code
        code = code.replace(old, new)
    student = Student(InProcess(cells(judge.assignment, Answer(name, exercise, "changed", code))))
    asked = hidden(judge, exercise, check)
    return {judge.run(asked, student, salt).outcome for salt in salts}


def test_two_clusters_with_one_coordinate_in_common_are_not_the_same() -> None:
    """Where the first atom is always at the origin, say."""
    centred = {"append(positions)": "append(positions - positions[0])"}
    asked = "lennard_jones", "sample_clusters", "repeats_no_cluster"
    assert outcomes(*asked, centred) == {"passed"}


def test_a_factor_that_is_small_is_not_taken_for_bounds() -> None:
    """Under any salt."""
    in_tens = {"t**2": "(t / 10) ** 2"}
    asked = "pinn", "hard_constraint", "is_both_at_once"
    assert outcomes(*asked, in_tens, map(str, range(30))) == {"passed"}


def test_a_network_with_dropout_is_not_said_to_mix_the_elements() -> None:
    """Nor one whose units are dead until its weights are drawn."""
    dropping = {
        "hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()": (
            "hidden), nn.Dropout(0.1), nn.ReLU(), nn.Linear(hidden, hidden)"
        ),
        "nn.SiLU(), nn.Linear(hidden, out_dim)": "nn.ReLU(), nn.Linear(hidden, out_dim)",
    }
    asked = "symmetry", "deep_sets", "looks_at_every_element_by_itself"
    assert outcomes(*asked, dropping, map(str, range(8))) == {"passed"}


def test_epochs_that_two_share_are_seen_where_both_have_the_same_best_one() -> None:
    """Both are the class's."""
    shared = {
        "self.epoch": "EarlyStopping.epoch",
        "self.best_loss, self.best_epoch, EarlyStopping.epoch = np.inf, -1, -1": (
            "self.best_loss, self.start = np.inf, EarlyStopping.epoch"
        ),
        "self.best_loss, self.best_epoch =": "self.best_loss, EarlyStopping.best_epoch =",
        "    def __init__": "    epoch = best_epoch = -1\n\n    def __init__",
    }
    asked = "training", "early_stopping", "keeps_its_memory_to_itself"
    assert outcomes(*asked, shared) == {"failed"}
