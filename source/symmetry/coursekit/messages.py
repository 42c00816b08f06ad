"""The message of a failed check: what was called, what came back, what to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .compare import CheckFailed, StudentError, short
from .written import MAX_TEXT, OWN, Call, is_tensor

_LONG = 6
"""Of arrays with more entries than this a message shows the first that differs."""

_VERBS = ("should ", "cannot ")
"""A property that begins with its verb is one of the function called."""


def describe(
    exercise: str, title: str, failure: CheckFailed, calls: Sequence[Call], *, public: bool
) -> str:
    """A few lines, ready to print.

    A hidden check's message names the property that failed; inputs, values and a student's
    own exception text stay out of it.
    """
    parts = details(exercise, failure, calls, public=public)
    lines = (f"   {word:<9} {_BELOW.join(text.splitlines())}" for word, text in parts)
    return "\n".join([f"{exercise}  ✗ {title}", *lines])


_BELOW = "\n" + 13 * " "
"""Begins each further line of a text, which may be a student's: none stands where the words of the
check do."""


def details(
    exercise: str, failure: CheckFailed, calls: Sequence[Call], *, public: bool
) -> list[tuple[str, str]]:
    """The message's lines below its title, each a word and its text, in their fixed order."""
    call, place = responsible(failure, calls)
    parts = [("called", call.brief if public and call is not None else "")]
    name = subject(exercise, failure, call)
    problem = _sentence(f"{place} from {name}" if place and public else name, failure, public)
    if problem.startswith(_VERBS):
        problem = f"{call.function if call is not None else exercise} {problem}"
    parts += [("problem", problem)]
    if public:
        parts += _values(failure, came_back=call if place is not None else None)
        place = "" if problem and not failure.whole else place
        parts += [("detail", ", ".join(part for part in (place, failure.detail) if part))]
    parts += [("hint", failure.hint if public or failure.kind == "shape" else "")]
    return [(word, _cut(text)) for word, text in parts if text]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 2]} …"


def sentence(exercise: str, failure: CheckFailed, call: Call | None) -> str:
    """What is wrong, without values."""
    if failure.whole and not failure.text.startswith(_VERBS):
        return failure.text
    return f"{subject(exercise, failure, call)} {failure.text}"


def subject(exercise: str, failure: CheckFailed, call: Call | None) -> str:
    """What a message's sentence is about: what came back, or what stopped before anything did."""
    if call is None:
        return exercise
    stopped = isinstance(failure, StudentError) and call.target is not None and not call.method
    return call.name.removeprefix("the output of ") if stopped else call.name


def responsible(failure: CheckFailed, calls: Sequence[Call]) -> tuple[Call | None, str | None]:
    """The call that a failure is about, and which of the values it returned was looked at.

    "" stands for all that came back, None for something that the check made of it. What the
    check does with a model or a value of its own is no call of the student's code.
    """
    theirs = (call for call in calls if not call.function.startswith(OWN))
    calls = [call for call in theirs if call.function not in ("nn", "torch")] or calls
    for call in reversed(calls):
        if call.error is failure:
            return call, None
    for alike in (_same, _equal) if failure.subject is not None else ():
        for call in reversed(calls):
            place = _place(call.returned, failure.subject, alike)
            if place is not None:
                return call, place
    return (calls[-1] if calls else None), None


def _place(returned: Any, subject: Any, alike: Callable[[Any, Any], bool]) -> str | None:
    """Where `subject` is in what came back; None if it is not in it."""
    if alike(returned, subject):
        return ""
    if isinstance(returned, (tuple, list)):
        for number, item in enumerate(returned, start=1):
            inner = _place(item, subject, alike)
            if inner is not None:
                return f"{inner}{' in ' * bool(inner)}value {number} of {len(returned)}"
    return None


def _same(one: Any, other: Any) -> bool:
    return one is other


def _equal(one: Any, other: Any) -> bool:
    """The same numbers, whatever they are kept in."""
    a, b = _numbers(one), _numbers(other)
    if a is None or b is None or a.size != b.size:
        return False
    return bool(np.array_equal(a.ravel(), b.ravel(), equal_nan=True))


def _as_it_came(value: Any, returned: Any) -> Any:
    """An array, or a tensor of another kind, as a tensor like the one that came back."""
    like = isinstance(value, np.ndarray) or hasattr(value, "detach")
    if not (hasattr(returned, "detach") and like):
        return value
    import torch

    # A copy: torch makes none of an array that is seen from behind, and warns of a constant one.
    found = torch.as_tensor(value.copy() if isinstance(value, np.ndarray) else value)
    return found.to(returned.dtype) if returned.is_floating_point() else found


def _numbers(value: Any) -> np.ndarray | None:
    if is_tensor(value):
        value = value.detach().cpu().numpy()
    if not isinstance(value, (bool, int, float, np.ndarray, np.generic)):
        return None
    found = np.asarray(value)
    return found.astype(float) if found.dtype.kind in "biuf" else None


def _sentence(name: str, failure: CheckFailed, public: bool) -> str:
    text = failure.exact if public else failure.text
    if failure.whole:
        return text
    if failure.kind == "value" and failure.expected is not None:
        return ""
    return f"{name} {text}"


def _values(failure: CheckFailed, came_back: Call | None) -> list[tuple[str, str]]:
    """What came back from a call, or what the check measured on it, and what was expected."""
    returned, expected = failure.returned, failure.expected
    if came_back is not None:
        returned, expected = (_as_it_came(one, came_back.returned) for one in (returned, expected))
    word = "returned" if came_back is not None else "measured"
    a, b = _numbers(returned), _numbers(expected)
    if a is not None and b is not None and a.shape == b.shape and a.size > _LONG:
        allowed = 1e-3 * np.abs(b) + 1e-6 * np.abs(b).max(initial=0.0)
        off = np.abs(a - b)
        wrong = off > (allowed if (off > allowed).any() else 0)
        place = np.unravel_index(int(np.argmax(wrong)), a.shape)
        where = f"  at [{', '.join(map(str, place))}]"
        return [(word, short(a[place]) + where), ("expected", short(b[place]) + where)]
    shown = [(word, "" if returned is None else short(returned))]
    return [*shown, ("expected", "" if expected is None else short(expected))]
