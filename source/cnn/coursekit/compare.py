"""Comparisons that explain themselves.

A check calls the student's function and hands what came back to one of these. They look at
it in a fixed order – type, shape, finite, value – and the first thing wrong is raised as a
`CheckFailed` that says what came back and what was expected. They accept NumPy arrays, torch
tensors and plain numbers, and hand back plain values to go on with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


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


@dataclass
class Call:
    """One call of the student's code, as a check made it."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    returned: Any = None
    error: StudentError | None = None
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [short(value) for value in self.args]
        parts += [f"{name}={short(value)}" for name, value in self.kwargs.items()]
        return f"{self.function}({', '.join(parts)})"


class CheckFailed(AssertionError):
    """A check's verdict: `kind` says which step failed, `text` says it in words.

    `returned` and `expected` are shown for public checks only; so is `detail`.
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
    ) -> None:
        super().__init__(text or kind)
        self.kind = kind
        self.text = text
        self.returned = returned
        self.expected = expected
        self.detail = detail
        self.hint = hint


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
        hint: str = "",
    ) -> None:
        super().__init__(kind, text, detail=detail, hint=hint)
        self.name = name
        self.bases = tuple(bases)


# ---------------------------------------------------------------- type, shape, finite, value


def array(
    returned: Any, shape: Sequence[int | None] | None = None, *, finite: bool = True
) -> np.ndarray:
    """`returned` as a float or integer array of `shape` (None: any extent); NumPy only."""
    if not isinstance(returned, (np.ndarray, np.generic)) or returned.dtype == bool:
        raise CheckFailed("type", f"should be a NumPy array, is {kind_of(returned)}")
    return _array(np.asarray(returned), shape, finite)


def tensor(
    returned: Any, shape: Sequence[int | None] | None = None, *, finite: bool = True
) -> np.ndarray:
    """The values of a torch tensor of `shape` (None: any extent) as a NumPy array."""
    if not _is_tensor(returned):
        raise CheckFailed("type", f"should be a torch tensor, is {kind_of(returned)}")
    return _array(returned.detach().cpu().numpy(), shape, finite)


def number(returned: Any, *, finite: bool = True) -> float:
    """`returned` as a float; NumPy and torch scalars count, arrays with an axis do not."""
    value = returned.detach().cpu().numpy() if _is_tensor(returned) else returned
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.ndarray):
        axes = "1 axis" if value.ndim == 1 else f"{value.ndim} axes"
        text = f"should be a single number, is an array with {axes}"
        raise CheckFailed("shape", text, detail=f"its shape is {value.shape}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CheckFailed("type", f"should be a number, is {kind_of(returned)}")
    _array(np.asarray(value, dtype=float), None, finite)
    return float(value)


def integer(returned: Any) -> int:
    """`returned` as an int; NumPy and torch integers count, floats do not."""
    value = number(returned)
    dtype = getattr(returned, "dtype", None)
    whole = isinstance(returned, int) if dtype is None else "int" in str(dtype)
    if not whole:
        raise CheckFailed("type", f"should be an int, is {kind_of(returned)}", returned=returned)
    return int(value)


def close(returned: Any, expected: Any, tolerance: Tolerance = EXACT) -> None:
    """The same kind, shape and values as `expected`, within `tolerance`."""
    if isinstance(expected, (tuple, list)):
        if not isinstance(returned, (tuple, list)) or len(returned) != len(expected):
            text = f"should be a tuple of {len(expected)} values, is {kind_of(returned)}"
            raise CheckFailed("type", text)
        for place, (one, other) in enumerate(zip(returned, expected, strict=True), start=1):
            try:
                close(one, other, tolerance)
            except CheckFailed as failed:
                where = f"value {place} of {len(expected)}"
                failed.detail = f"{where}, {failed.detail}" if failed.detail else where
                raise
        return
    if isinstance(expected, (int, float)):
        values, wanted = np.asarray(number(returned)), np.asarray(float(expected))
    elif _is_tensor(expected):
        wanted = expected.detach().cpu().numpy()
        values = tensor(returned, wanted.shape)
    else:
        wanted = np.asarray(expected)
        values = array(returned, wanted.shape)
    values, wanted = values.astype(float), wanted.astype(float)
    wrong = np.abs(values - wanted) > tolerance.allowed(wanted)
    if wrong.any():
        share = f", {wrong.sum()} of {wrong.size} entries differ" if wrong.size > 1 else ""
        raise CheckFailed(
            "value",
            "returned another value" if wrong.size == 1 else "returned other values",
            returned=returned,
            expected=expected,
            detail=f"{tolerance}{share}",
            hint=slip(values, wanted, tolerance),
        )


def within(value: float, expected: float, error: float, k: float = 5.0) -> None:
    """|value − expected| ≤ k standard errors. k = 5 fails a right answer once in 1.7 million."""
    if not abs(number(value) - expected) <= k * error:
        raise CheckFailed(
            "value",
            f"is more than {k:g} standard errors away",
            returned=value,
            expected=expected,
            detail=f"± {error:.2g}",
        )


def below(value: float, limit: float, what: str) -> None:
    """A trained result under its threshold; `what` names it: 'mean squared error on …'."""
    if not number(value) < limit:
        raise CheckFailed("value", f"{what} is {number(value):.3g}; it should be below {limit:g}")


def holds(condition: bool, text: str, *, hint: str = "") -> None:
    """A property: `text` says what should hold, in the student's words."""
    if not condition:
        raise CheckFailed("property", text, hint=hint)


def refuses(call: Callable[[], Any], error: str = "ValueError") -> None:
    """`call` raises the exception that the docstring promises."""
    try:
        returned = call()
    except StudentError as raised:
        if error in (raised.name, *raised.bases):
            return
        raise
    raise CheckFailed("property", f"should raise {error} here", returned=returned)


def quiet(call: Call) -> None:
    """The call gave no RuntimeWarning (overflow, division by zero, …)."""
    if "RuntimeWarning" in call.warnings:
        raise CheckFailed(
            "property", "gives the right value, but with an overflow or invalid-value warning"
        )


def attribute(thing: Any, name: str) -> Any:
    """An attribute's value, of an object here or of one that lives in the worker."""
    fetch = getattr(type(thing), "fetch_attribute", None)
    return fetch(thing, name) if fetch else getattr(thing, name)


# ------------------------------------------------------------------------------------ words


def slip(values: np.ndarray, wanted: np.ndarray, tolerance: Tolerance) -> str:
    """The plain slip that turns `wanted` into `values`, or ''."""

    def same(other: np.ndarray) -> bool:
        return other.shape == values.shape and bool(
            (np.abs(values - other) <= tolerance.allowed(other)).all()
        )

    if not np.any(wanted) or not np.any(values):
        return ""
    if same(-wanted):
        return "same size, opposite sign"
    if values.ndim == 2 and same(np.swapaxes(wanted, 0, 1)):
        return "the right numbers, transposed"
    largest = np.abs(wanted).argmax()
    ratio = float(values.flat[largest] / wanted.flat[largest])
    if ratio and same(wanted * ratio):
        for factor, words in ((2, "twice"), (0.5, "half"), (3, "three times"), (4, "four times")):
            if abs(abs(ratio) - factor) < 1e-6 * factor:
                sign = ", and the opposite sign" if ratio < 0 else ""
                return f"{words} the expected size{sign}"
        return f"every entry is {ratio:.4g} times what it should be" if values.size > 1 else ""
    offset = float(values.flat[0] - wanted.flat[0])
    if values.size > 1 and same(wanted + offset):
        return f"every entry is off by {offset:.4g}"
    if values.ndim == 1 and same(wanted[::-1]):
        return "the right numbers, in reversed order"
    return ""


def shape_of(shape: Sequence[int], expected: Sequence[int | None]) -> str:
    """A shape in words: of its sizes those up to 1 and those that were expected.

    A hidden check's message is read by the student, whose code chose the shape and knows what it
    was called with: other sizes could carry that. In public checks the detail has them.
    """
    if len(shape) > 4:
        return f"{len(shape)} axes"
    return _listed([str(size) if size in (0, 1, *expected) else "other" for size in shape])


def _listed(sizes: Sequence[str]) -> str:
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def kind_of(value: Any) -> str:
    """A few words for what `value` is, for messages; as little of its sizes as in `shape_of`."""
    if value is None:
        return "None (is a return missing?)"
    if _is_tensor(value):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value) if len(value) < 10 else 'many'}"
    name = getattr(value, "type_name", type(value).__name__)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def short(value: Any) -> str:
    """`value` in at most a line."""
    if _is_tensor(value):
        inner = short(value.detach().cpu().numpy())
        return inner if value.ndim == 0 else f"tensor({inner})"
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size <= 6:
            return np.array2string(value, precision=5, separator=", ").replace("\n", "")
        return f"array {value.shape}"
    if isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    ):
        return f"{float(value):.6g}"
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, (list, tuple)) and len(value) <= 6:
        inner = ", ".join(short(item) for item in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, (int, str, bool, np.generic, type(None))):
        return repr(value)[:60] if isinstance(value, str) else str(value)
    if type(value).__name__ == "Generator":
        return "generator"
    return getattr(value, "type_name", type(value).__name__)


def _array(values: np.ndarray, shape: Sequence[int | None] | None, finite: bool) -> np.ndarray:
    if values.dtype.kind not in "fiu":
        raise CheckFailed("type", f"should hold real numbers, holds {values.dtype}")
    if shape is not None:
        same_axes = values.ndim == len(shape)
        extents = zip(values.shape, shape, strict=False)
        if not same_axes or any(want not in (None, have) for have, want in extents):
            wanted = _listed(["any" if want is None else str(want) for want in shape])
            has = shape_of(values.shape, shape)
            raise CheckFailed(
                "shape",
                f"should have shape {wanted}, has {has}",
                detail="" if has == str(values.shape) else f"its shape is {values.shape}",
                hint="" if same_axes else "an axis too many or too few (keepdims, reshape)",
            )
    if finite and not np.isfinite(values).all():
        bad = "nan" if np.isnan(values).any() else "inf"
        text = f"holds {bad} where finite numbers are expected"
        raise CheckFailed("finite", text, returned=values)
    return values


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.startswith("torch") and hasattr(value, "detach")
