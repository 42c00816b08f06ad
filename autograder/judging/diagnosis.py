"""Which known mistake did the student make?

The calls of a failed check are repeated on every known mistake of the exercise and on its
right answers. A mistake is named only when each of its answers is the student's, and some
right answer differs. If several mistakes answer alike, all calls of the exercise's failed
checks decide; if they still agree and their hints differ, nothing is said. A wrong hint is
worse than none. Checks that train take too long to be repeated on every known answer.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograder.course import Assignment
from autograder.results import ExerciseResult
from autograder.sandbox.inside.wire import Handle, WireError, decode
from autograder.sandbox.protocol import InProcess, read_reply

from .answers import Answer, Mistake, alternatives, cells, mistakes

Exchange = tuple[bytes, bytes]
_SECONDS = 3.0
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9


class Observer:
    """Adds the hint to an exercise's result; made to be `Judge.judge`'s `after`."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment

    def __call__(self, result: ExerciseResult, transcripts: dict[str, list[Exchange]]) -> None:
        slow = {check.name for check in result.checks if check.seconds > _SECONDS / 3}
        quick = {name: calls for name, calls in transcripts.items() if name not in slow}
        found = diagnose(self.assignment, result.name, quick)
        if found is not None:
            result.mistake, result.hint = found.name, found.hint


def diagnose(
    assignment: Assignment, exercise: str, transcripts: dict[str, list[Exchange]]
) -> Mistake | None:
    """The one mistake whose answers are all the student's, or None."""
    deadline = time.process_time() + _SECONDS
    known = [wrong for wrong in mistakes(assignment) if wrong.exercise == exercise]
    right = [None, *(a for a in alternatives(assignment) if a.exercise == exercise)]
    telling = [calls for calls in transcripts.values() if _says_something(calls)]

    def agree(answer: Answer | None, calls: list[Exchange]) -> bool:
        return _answers(_session(assignment, answer), calls, deadline)

    for calls in telling:
        candidates = [wrong for wrong in known if agree(wrong, calls)]
        if not candidates or any(agree(answer, calls) for answer in right):
            continue
        candidates = [wrong for wrong in candidates if all(agree(wrong, c) for c in telling)]
        if time.process_time() < deadline and len({wrong.hint for wrong in candidates}) == 1:
            return candidates[0]
    return None


@functools.cache
def _session(assignment: Assignment, answer: Answer | None) -> InProcess:
    """The reference's notebook with one answer exchanged, its cells run."""
    return InProcess(cells(assignment, *([] if answer is None else [answer])))


def prepare(assignment: Assignment) -> None:
    """Runs every known answer's cells, so that forks of this process find them ready."""
    for answer in (None, *mistakes(assignment), *alternatives(assignment)):
        _session(assignment, answer)


def _says_something(calls: list[Exchange]) -> bool:
    """A value came back at least once; silence and exceptions fit any mistake that raises."""
    return any(
        _decode(request).get("op") == "call" and _value(_reply(reply)) is not None
        for request, reply in calls
    )


def _answers(session: InProcess, calls: Iterable[Exchange], deadline: float) -> bool:
    """Does this code give the recorded answers?"""
    session.begin("", 0)
    for request, recorded in calls:
        if time.process_time() > deadline:
            return False
        mine, theirs = _reply(session.ask(request)), _reply(recorded)
        if mine.get("ok") != theirs.get("ok"):
            return False
        if not mine.get("ok"):
            if mine.get("kind") != theirs.get("kind") or mine.get("type") != theirs.get("type"):
                return False
        elif not _same(_value(mine), _value(theirs)):
            return False
    return True


def _decode(data: bytes) -> dict[str, Any]:
    try:
        message = decode(data, generators=True)
    except WireError:
        return {}
    return message if isinstance(message, dict) else {}


def _reply(data: bytes) -> dict[str, Any]:
    try:
        return read_reply(data)
    except AssertionError:
        return {"ok": False, "kind": "died"}


def _value(reply: dict[str, Any]) -> Any:
    encoded = reply.get("encoded")
    if not isinstance(encoded, bytes):
        return None
    try:
        return decode(encoded)
    except WireError:
        return Handle(0)  # equal to nothing that a known answer gives by value


def _same(one: Any, other: Any) -> bool:
    """Equal up to rounding, with the same structure; handles equal handles."""
    if isinstance(one, Handle) or isinstance(other, Handle):
        return isinstance(one, Handle) and isinstance(other, Handle)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (str, bytes, type(None))) or isinstance(other, (str, bytes, type(None))):
        return type(one) is type(other) and bool(one == other)
    a, b = _plain(one), _plain(other)
    if a is None or b is None or a.shape != b.shape:
        return False
    scale = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    return bool(np.allclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE * (1 + scale), equal_nan=True))


def _plain(value: Any) -> np.ndarray | None:
    if isinstance(value, (list, tuple, dict)):
        return None
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    array = np.asarray(value)
    return (
        array.astype(complex if array.dtype.kind == "c" else float)
        if array.dtype.kind in "biufc"
        else None
    )
