"""Comparisons that explain themselves.

A check calls the student's function and hands what came back to one of these. They look at
it in a fixed order – type, shape, finite, value – and the first thing wrong is raised as a
`CheckFailed` that says what came back and what was expected. They accept NumPy arrays, torch
tensors and plain numbers, and hand back plain values to go on with.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .relations import relation
from .written import Call, Thing, code, is_tensor, with_article


@dataclass(frozen=True)
class Tolerance:
    """|returned − expected| ≤ relative · |expected| + floor · max |expected| + tiny."""

    name: str
    relative: float
    floor: float
    tiny: float

    def allowed(self, expected: np.ndarray) -> np.ndarray:
        size = np.abs(expected)
        return self.relative * size + self.floor * size.max(initial=0.0) + self.tiny

    def __str__(self) -> str:
        return f"relative tolerance {self.relative:.0e}".replace("e-0", "e-")


# The same formula in float64, summed in another order: rounding is 1e-16 per step, and a
# thousand steps with cancellation stay far below 1e-7 of the largest entry.
EXACT = Tolerance("exact algebra in float64", 1e-7, 1e-10, 1e-12)
# Central differences with a step scaled to x: truncation and rounding balance near 1e-10.
DIFFERENCE = Tolerance("finite differences", 1e-5, 1e-6, 1e-8)
# float32 has 1.2e-7; a network's sums lose one or two digits.
SINGLE = Tolerance("float32", 1e-4, 1e-5, 1e-6)
# The other two classes have functions: `within` (stochastic: k standard errors, and the
# check states its false-fail rate) and `below` (trained: a threshold measured over seeds).


class CheckFailed(AssertionError):
    """A check's verdict: `kind` says which step failed, `text` says it in words.

    `text` continues a sentence that begins with the name of what was called, unless it is
    `whole`, as a property is if nothing else is said. `returned` and `expected` are shown for
    public checks only; so are `detail` and `exact`, which is `text` with what a hidden check's
    message leaves out. `subject` is what was looked at, and tells which call is meant.
    """

    def __init__(
        self,
        kind: str,
        text: str = "",
        *,
        returned: Any = None,
        expected: Any = None,
        detail: str = "",
        hint: str = "",
        exact: str = "",
        subject: Any = None,
        whole: bool | None = None,
    ) -> None:
        super().__init__(text or kind)
        self.kind = kind
        self.text = text
        self.returned = returned
        self.expected = expected
        self.detail = detail
        self.hint = hint
        self.exact = exact or text
        self.subject = returned if subject is None else subject
        self.whole = kind == "property" if whole is None else whole


class StudentError(CheckFailed):
    """The student's code could not be called, or raised; `name` is the exception's class."""

    def __init__(
        self,
        kind: str,
        text: str,
        *,
        name: str = "",
        bases: Sequence[str] = (),
        detail: str = "",
    ) -> None:
        super().__init__(kind, text, detail=detail)
        self.name = name
        self.bases = tuple(bases)


# ---------------------------------------------------------------- type, shape, finite, value


def array(returned: Any, shape: Sequence[int | None] | None = None) -> np.ndarray:
    """`returned` as a float or integer array of `shape` (None: any extent); NumPy only."""
    if not isinstance(returned, (np.ndarray, np.generic)):
        raise _of_type("a NumPy array", returned)
    if returned.dtype == bool:
        raise CheckFailed("type", "should hold numbers, holds True and False", subject=returned)
    return _array(np.asarray(returned), shape, returned)


def tensor(returned: Any, shape: Sequence[int | None] | None = None) -> np.ndarray:
    """The values of a torch tensor of `shape` (None: any extent) as a NumPy array."""
    if not is_tensor(returned):
        raise _of_type("a torch tensor", returned)
    return _array(returned.detach().cpu().numpy(), shape, returned)


def number(returned: Any) -> float:
    """`returned` as a float; NumPy and torch scalars count, and arrays with a single element."""
    value = returned.detach().cpu().numpy() if is_tensor(returned) else returned
    if isinstance(value, (np.ndarray, np.generic)) and value.size == 1:
        value = value.item()
    if isinstance(value, np.ndarray):
        axes = "1 axis" if value.ndim == 1 else f"{value.ndim} axes"
        what = "a tensor" if is_tensor(returned) else "an array"
        text = f"should be a single number, is {what} with {axes}"
        detail = f"its shape is {value.shape}"
        raise CheckFailed("shape", text, detail=detail, subject=returned)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _of_type("a number", returned)
    _array(np.asarray(value, dtype=float), None, returned)
    return float(value)


def _of_type(wanted: str, returned: Any) -> CheckFailed:
    return CheckFailed("type", f"should be {wanted}, is {kind_of(returned)}", subject=returned)


def integer(returned: Any) -> int:
    """`returned` as an int; NumPy and torch integers count, floats do not."""
    value = number(returned)
    dtype = getattr(returned, "dtype", None)
    whole = isinstance(returned, int) if dtype is None else "int" in str(dtype)
    if not whole:
        text = f"should be an int, is {kind_of(returned)}"
        raise CheckFailed("type", text, returned=returned)
    return int(value)


def close(returned: Any, expected: Any, tolerance: Tolerance = EXACT) -> None:
    """The same kind, shape and values as `expected`, within `tolerance`."""
    if isinstance(expected, (tuple, list)):
        _several(returned, expected)
        for one, other in zip(returned, expected, strict=True):
            close(one, other, tolerance)
        return
    if isinstance(expected, (int, float)):
        values, wanted = np.asarray(number(returned)), np.asarray(float(expected))
    elif is_tensor(expected):
        wanted = expected.detach().cpu().numpy()
        values = tensor(returned, wanted.shape)
    else:
        wanted = np.asarray(expected)
        values = array(returned, wanted.shape)
    values, wanted = values.astype(float), wanted.astype(float)
    # What is not finite was made of what came back, and would allow everything.
    wrong = ~np.isfinite(wanted) | (np.abs(values - wanted) > tolerance.allowed(wanted))
    if wrong.any():
        share = f", {wrong.sum()} of {wrong.size} entries differ" if wrong.size > 1 else ""

        def same(other: np.ndarray) -> bool:
            return bool((np.abs(values - other) <= tolerance.allowed(other)).all())

        raise CheckFailed(
            "value",
            "returned another value" if wrong.size == 1 else "returned other values",
            returned=returned,
            expected=expected,
            detail=f"{tolerance}{share}",
            hint=relation(values, wanted, same),
        )


def _several(returned: Any, expected: Sequence[Any]) -> None:
    """As many values as expected, in a tuple or a list."""
    if not isinstance(returned, (tuple, list)):
        raise _of_type(f"{_kind_and_number(expected)} values", returned)
    if len(returned) != len(expected):
        text = f"should hold {len(expected)} values, is {kind_of(returned)}"
        raise CheckFailed("type", text, subject=returned)


def _kind_and_number(values: Sequence[Any]) -> str:
    return f"a {type(values).__name__} of {len(values) if len(values) < 10 else 'many'}"


def within(value: float, expected: float, error: float, k: float = 5.0, what: str = "") -> None:
    """|value − expected| ≤ k standard errors. k = 5 fails a right answer once in 1.7 million.

    `what` says what was measured, for a public check's message.
    """
    if not abs(number(value) - expected) <= k * error:
        raise CheckFailed(
            "value",
            f"is more than {k:g} standard errors away",
            returned=value,
            expected=expected,
            detail=f"{what}{', ' if what else ''}± {error:.2g}",
        )


def below(value: float, limit: float, what: str, seen: str = "") -> None:
    """A trained result under its threshold; `what` names it: 'mean squared error on …'. `seen`:
    what else is known of a result that is above."""
    if not number(value) < limit:
        text = f"{what} is {measured(number(value))}; it should be below {limit:g}"
        text += f": {seen}" if seen else ""
        raise CheckFailed("value", text, whole=True)


def measured(value: float) -> str:
    """A number that decides a check, for its text: with three digits, and of some size.

    A hidden check's message is read by the student, whose code had a part in the number: in all
    its digits it could carry what the check asked.
    """
    if abs(value) >= 1e6:
        return f"{'more' if value > 0 else 'less'} than {math.copysign(1e6, value):g}"
    return f"{float(f'{value:.3g}'):g}" if not abs(value) < 1e-6 else "0"


def holds(condition: bool, text: str, *, of: Any = None) -> None:
    """A property: `text` says what should hold, in the student's words.

    `of`: what it should hold of, where that is not what came back from the last call.
    """
    if not condition:
        raise CheckFailed("property", text, subject=of)


def unchanged(now: Any, before: Any, what: str, tolerance: Tolerance = EXACT) -> None:
    """An argument after a call is what it was before; `what` names it."""
    try:
        close(now, before, tolerance)
    except CheckFailed:
        text = f"the call changes its argument {what}, which should stay unchanged"
        raise CheckFailed("property", text) from None


def refuses(call: Callable[[], Any], error: str = "ValueError") -> None:
    """`call` raises the exception that the docstring promises."""
    try:
        returned = call()
    except StudentError as raised:
        if error in (raised.name, *raised.bases):
            return
        raise
    text = f"should raise {'an error' if error == 'Exception' else error} here"
    raise CheckFailed("property", text, returned=returned, whole=False)


def quiet(call: Call) -> None:
    """The call gave no RuntimeWarning (overflow, division by zero, …)."""
    if "RuntimeWarning" in call.warnings:
        text = "gives the right value, but with an overflow or invalid-value warning"
        raise CheckFailed("property", text, whole=False)


def attribute(thing: Any, name: str) -> Any:
    """An attribute's value, of an object here or of one that lives in the worker."""
    fetch = getattr(type(thing), "fetch_attribute", None)
    return fetch(thing, name) if fetch else getattr(thing, name)


def wanted_instead(stumble: Exception, key: bool) -> str:
    """What a check tried to do with a value that stopped it, as what was wanted of the value.

    `key`: whether the key that was not there is named. Who gave names to a model's weights may have
    chosen it, and a hidden check's message would hold whatever it says.
    """
    text = str(stumble)
    if isinstance(stumble, KeyError):
        if not re.fullmatch(r"'[a-z]\w*'", text):
            return "an array or tensor"
        return f"something with {text} in it" if key else "something with other keys"
    # At its beginning: further on, a text that could not be made a number may say anything.
    if expected := re.match(r"[a-z ]+ values? to unpack \(expected (?:at least )?(\d+)", text):
        return "1 value" if expected[1] == "1" else f"{expected[1]} values"
    for wanted, words in _WANTED.items():
        if re.search(words, text):
            return wanted
    if isinstance(stumble, (StopIteration, IndexError)):
        return "more values"
    missing = stumble.name if isinstance(stumble, AttributeError) else None
    for wanted, names in _ATTRIBUTES.items():
        if missing in names.split():
            return wanted
    return f"an object with {missing}" if missing else "something else"


_OTHER_SHAPE = "broadcast|same shape|must match|did not match|cannot reshape"
_TAKEN_APART = r"cannot unpack|not iterable|subscriptable|len\(\)"
_WANTED = {
    "True or False": "truth value|more than one value is ambiguous",
    "a function or a model, to be called,": "not callable",
    "several values": _TAKEN_APART,
    "an array or tensor of another shape": _OTHER_SHAPE,
    "an array or tensor with more entries": "out of bounds|zero-size",
    "an array or tensor with more axes": "invalid index to scalar|too many indices|0-d",
    "a value without a graph (item() or detach() gives one)": "requires? grad",
    "a number, an array or a tensor": "unsupported operand|a real number",
    "a NumPy array": "unexpected keyword argument '(?:axis|dtype|out|keepdims)'",
    "integer values": "must be of integer",
    "rows of equal length": "inhomogeneous",
    "more values": "at least one|empty sequence|is empty",
    "fewer or more values": r"^zip\(\) argument",
}
"""What was wanted, by words of Python's, NumPy's or torch's error; the first counts."""
_ATTRIBUTES = {
    "a torch tensor": "requires_grad detach grad numel backward",
    "an array or tensor": "shape dtype ndim astype reshape sum mean copy T",
    "a model (an nn.Module)": "parameters eval train training state_dict named_parameters",
}
"""Attributes that a check may ask for, by what has them."""


def not_callable(kept: Any) -> StudentError:
    """Where a check calls what came back."""
    text = f"returned {kind_of(kept)} where a function or a model, to be called, is expected"
    return StudentError("type", text)


def no_parameters() -> CheckFailed:
    """The verdict on a model that should be differentiated with respect to its parameters."""
    return CheckFailed(
        "property",
        "the model has no parameters: layers in a plain list, for one, are not found",
    )


def in_other_words(text: str) -> str:
    """What an error of NumPy's or torch's means, where its words say so only to who knows them."""
    return next((f": {words}" for part, words in _MEANT.items() if part in text), "")


_MEANT = {
    "backward through the graph a second time": (
        "the graph was freed; create_graph=True keeps it for the next derivative"
    ),
    "does not require grad and does not have a grad_fn": (
        "a derivative was taken of something without a graph; create_graph=True gives a derivative "
        "one, and detach, item, numpy, data and no_grad end it"
    ),
    "can be converted to Python scalars": (
        "an array or tensor stands where a single number is needed; functions of math take no "
        "arrays, those of NumPy and torch do"
    ),
    "leaf Variable that requires grad": (
        "a tensor that requires gradients is changed in place (by +=, by what is written into a "
        "part of it, or by a name that ends in _)"
    ),
    "have the same dtype": "numbers of two kinds meet, float32 and float64 for one",
    "is ambiguous": "yes or no is asked of an array, and each of its entries has its own answer",
}
"""By words of the error; hidden checks say nothing else of it."""


def stumbled(stumble: Exception, calls: Sequence[Call]) -> CheckFailed:
    """The verdict where a value stopped the check that wanted to use it."""
    returned = calls[-1].returned
    shown, hidden = (wanted_instead(stumble, key) for key in (True, False))
    if _of_an_entry(stumble, returned):
        words = "in which an entry should be {}"
    elif _of_either(stumble, returned):
        words = "where it, or an entry of it, should be {}"
    else:
        words = f"where {{}} {'are' if shown.endswith('values') else 'is'} expected"
    what = f"returned {kind_of(returned)}"
    text, exact = (f"{what} {words.format(wanted)}" for wanted in (hidden, shown))
    return CheckFailed("type", text, exact=exact, subject=returned)


def _of_an_entry(stumble: Exception, returned: Any) -> bool:
    """Whether it was not the whole that could not be taken apart, since it can."""
    if (
        not isinstance(returned, (list, tuple, np.ndarray))
        or getattr(returned, "shape", None) == ()
    ):
        return False
    text = str(stumble)
    if counted := re.search(r"to unpack \(expected (?:at least )?(\d+)(?:, got (\d+))?", text):
        return counted[2] != str(len(returned)) if counted[2] else len(returned) <= int(counted[1])
    if any(hasattr(one, "reshape") for one in returned) and not hasattr(returned, "reshape"):
        return re.search(f"{_TAKEN_APART}|{_OTHER_SHAPE}", text) is not None
    return re.search(_TAKEN_APART, text) is not None


def _of_either(stumble: Exception, returned: Any) -> bool:
    """Whether an entry holds as many values as the whole, and as the error says: [(1,)]."""
    counted = re.search(r"to unpack \(expected .*got (\d+)", str(stumble))
    if counted is None or not isinstance(returned, (list, tuple)):
        return False
    sizes = {len(one) for one in returned if isinstance(one, (list, tuple))}
    return int(counted[1]) == len(returned) and len(returned) in sizes


# ------------------------------------------------------------------------------------ words


def misfit(shape: Sequence[int], expected: Sequence[int | None]) -> str:
    """How a shape differs from the one expected, without sizes that only its owner knows.

    A hidden check's message is read by the student, whose code chose the shape and knows what it
    was called with: sizes other than the expected ones could carry that.
    """
    if all(size in (0, 1, *expected) for size in shape) and len(shape) <= 4:
        return f"has {_listed([str(size) for size in shape])}"
    if len(shape) != len(expected):
        axes = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
        return f"has {axes}" if len(shape) <= 4 else "has many axes"
    pairs = zip(shape, expected, strict=True)
    other = [str(axis) for axis, (have, want) in enumerate(pairs) if want not in (None, have)]
    return f"has another length along {'axis' if len(other) == 1 else 'axes'} {' and '.join(other)}"


def _listed(sizes: Sequence[str]) -> str:
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def kind_of(value: Any) -> str:
    """A few words for what `value` is, for messages; as little of its sizes as in `misfit`."""
    if value is None:
        return "None (is a return missing?)"
    if is_tensor(value):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return f"an {'' if value.size else 'empty '}array of {value.dtype}"
    if isinstance(value, np.generic):
        return f"a NumPy {value.dtype}"
    if isinstance(value, (tuple, list)):
        return _kind_and_number(value)
    return with_article(getattr(value, "type_name", type(value).__name__))


def short(value: Any) -> str:
    """`value` in at most a line: as code where it is short, else in words."""
    if isinstance(value, (float, np.floating)) and not isinstance(value, Thing):
        return f"{float(value):.6g}"
    if is_tensor(value) and value.ndim == 0:
        return short(value.item())
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return short(value[()])
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = _rounded(value)
    elif is_tensor(value) and value.is_floating_point():
        import torch

        value = torch.as_tensor(_rounded(value.detach().cpu().numpy()))
    elif isinstance(value, list):
        return f"[{', '.join(map(short, value))}]" if len(value) <= 6 else kind_of(value)
    elif isinstance(value, tuple):
        inner = ", ".join(map(short, value))
        return f"({inner}{',' * (len(value) == 1)})" if len(value) <= 6 else kind_of(value)
    return code(value)


def _rounded(values: np.ndarray) -> np.ndarray:
    """To six digits of the largest: to be read, not computed with."""
    size = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    digits = min(5 - int(np.floor(np.log10(size))), 308) if size else 0  # 10**309 is no float
    return (np.round(values.astype(np.float64), digits) + 0.0).astype(values.dtype)  # no −0


def _array(values: np.ndarray, shape: Sequence[int | None] | None, subject: Any) -> np.ndarray:
    if values.dtype.kind not in "fiu":
        text = f"should hold real numbers, holds {values.dtype}"
        raise CheckFailed("type", text, subject=subject)
    if shape is not None and not _fits_in(values.shape, shape):
        wanted = _listed(["any" if want is None else str(want) for want in shape])
        same_axes = values.ndim == len(shape)
        only_axes = not same_axes and _long_axes(values.shape) == _long_axes(shape)
        raise CheckFailed(
            "shape",
            f"should have shape {wanted}, {misfit(values.shape, shape)}",
            exact=f"should have shape {wanted}, has {values.shape}",
            hint="an axis of length 1 too many or too few (keepdims, reshape)" * only_axes,
            subject=subject,
        )
    if not np.isfinite(values).all():
        bad = "nan" if np.isnan(values).any() else "inf"
        text = f"holds {bad} where finite numbers are expected"
        raise CheckFailed("finite", text, returned=values, subject=subject)
    return values


def _fits_in(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(want in (None, have) for have, want in pairs)


def _long_axes(shape: Sequence[int | None]) -> list[int | None]:
    return [size for size in shape if size != 1]
