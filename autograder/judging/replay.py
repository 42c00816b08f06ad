"""What known answers say when they are asked what a student was asked."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from coursekit import StudentError

from autograder.course import Assignment
from autograder.results import ExerciseResult
from autograder.sandbox.inside.wire import Handle, WireError, decode
from autograder.sandbox.protocol import InProcess, read_reply

from .answers import Answer, alternatives, cells, mistakes
from .judge import Key, Transcripts
from .relations import Pair, plain
from .student import Exchange

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
ASKS = ("call", "attribute", "gradients")
"""Requests that ask the student's code for something; the others prepare it."""
MAX_SAID = 2**29
"""Bytes of answers that are remembered: some are as large as what a student gave back."""
_DECIDE = (Handle, np.random.Generator, torch.Generator)
"""What a call may be given that makes more than one answer right: random numbers, a network."""


class Known(dict["Answer | None", "Replayed"]):
    """What the known answers to an assignment's exercises, or for None the reference, do under one
    salt."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__()
        self.assignment = assignment
        self._room = [MAX_SAID]

    def __missing__(self, answer: Answer | None) -> Replayed:
        session = functools.partial(_session, self.assignment, answer)
        self[answer] = Replayed(session, self._room)
        return self[answer]

    def judged(
        self, answer: Answer | None, result: ExerciseResult, transcripts: Transcripts
    ) -> None:
        """Remembers what came of a known answer's own checks, so that it is not tried again."""
        replayed = self[answer]
        for check in result.checks:
            held = check.outcome in ("passed", "not_counted")
            replayed.passes[check.name, check.hidden] = held
        for calls in transcripts.values():
            replayed.heard(calls)


@functools.cache
def _session(assignment: Assignment, answer: Answer | None) -> InProcess:
    """The reference's notebook with one answer exchanged, its cells run."""
    return InProcess(cells(assignment, *([] if answer is None else [answer])))


def prepare(assignment: Assignment) -> None:
    """Runs every known answer's cells, so that forks of this process find them ready."""
    for answer in (None, *mistakes(assignment), *alternatives(assignment)):
        _session(assignment, answer)


class Replayed:
    """A known answer that nothing is asked twice: what it said when it was asked the same from a
    check's beginning is remembered, and so is which checks it passes."""

    def __init__(self, session: Callable[[], InProcess], room: list[int] | None = None) -> None:
        self.session = session
        self.room = [MAX_SAID] if room is None else room
        """Bytes that may still be remembered; it may be one for several."""
        self.said: dict[bytes, tuple[bytes, float]] = {}
        """Answers, and the CPU seconds that each took."""
        self.passes: dict[Key, bool] = {}

    def answers(self, requests: Sequence[bytes]) -> Iterator[bytes]:
        return (answer for answer, _ in self._asked(requests))

    def seconds(self, requests: Sequence[bytes], enough: float) -> float:
        """What it takes to answer these; not to the end where it is more than enough."""
        taken = 0.0
        for _, seconds in self._asked(requests):
            taken += seconds
            if taken > enough:
                break
        return taken

    def _asked(self, requests: Sequence[bytes]) -> Iterator[tuple[bytes, float]]:
        so_far, asked = b"", 0
        for number, request in enumerate(requests):
            so_far = _after(so_far, request)
            found = self.said.get(so_far)
            if found is None:
                session = self.session()  # the first time, its cells run
                for missing in requests[asked:number]:
                    session.ask(missing)
                started = time.process_time()
                answer = session.ask(request)
                found = answer, time.process_time() - started
                asked = number + 1
                if len(answer) <= self.room[0]:
                    self.room[0] -= len(answer)
                    self.said[so_far] = found
            yield found

    def replayed(self, calls: Sequence[Exchange]) -> Iterator[tuple[Exchange, bytes]]:
        """Each exchange, and what this code says to the same."""
        return zip(calls, self.answers([one.request for one in calls]), strict=True)

    def agrees(self, calls: Sequence[Exchange], *, in_words: bool, by_kind: bool) -> bool:
        """Does this code give the recorded answers? `in_words`: the same exceptions to the word;
        `by_kind`: values of the same kinds, too."""
        for exchange, said in self.replayed(calls):
            if said == exchange.answer:
                continue
            mine, theirs = Said(said), Said(exchange.answer)
            if mine.ok != theirs.ok:
                return False
            if not mine.ok:
                keys = ("kind", "type", *["text"] * in_words)
                if any(mine.reply.get(key) != theirs.reply.get(key) for key in keys):
                    return False
            elif (
                not _same(mine.value, theirs.value)
                or mine.warned != theirs.warned
                or (by_kind and _kinds(mine.value) != _kinds(theirs.value))
            ):
                return False
        return True

    def pairs(self, calls: Sequence[Exchange]) -> Iterator[Pair]:
        """What came back and what this code gives, call by call; with what the call was given."""
        for exchange, said in self.replayed(calls):
            request = _request(exchange)
            if request.get("op") not in ASKS:
                continue
            right, theirs = Said(said), Said(exchange.answer)
            if not (right.ok and theirs.ok):
                return
            mine, wanted = theirs.value, right.value
            same, sure = _same(mine, wanted), isinstance(request.get("target"), str)
            args = request.get("args", ())
            given = (*args, *request.get("kwargs", {}).values())
            sure &= not any(isinstance(one, _DECIDE) for one in given)
            yield Pair(mine, wanted, args, same, sure)

    def heard(self, calls: Sequence[Exchange]) -> None:
        so_far = b""
        for exchange in calls:
            so_far = _after(so_far, exchange.request)
            self.said[so_far] = exchange.answer, exchange.seconds


def _after(so_far: bytes, request: bytes) -> bytes:
    return hashlib.sha256(so_far + request).digest()


class Said:
    """What code said to a request: a value, or why there is none."""

    def __init__(self, answer: bytes) -> None:
        try:
            self.reply = read_reply(answer)
        except StudentError:
            self.reply = {"ok": False, "kind": "died"}
        self.ok: bool = self.reply["ok"]

    @functools.cached_property
    def value(self) -> Any:
        encoded = self.reply.get("encoded")
        if not isinstance(encoded, bytes):
            return None
        try:
            return decode(encoded)
        except WireError:
            return Handle(0)  # equal to nothing that a known answer gives by value

    @property
    def words(self) -> str:
        """The text of an exception."""
        text = self.reply.get("text")
        return text if isinstance(text, str) and self.reply.get("kind") == "error" else ""

    @property
    def warned(self) -> bool:
        names = self.reply.get("warnings")
        return isinstance(names, list) and "RuntimeWarning" in names


def came_back(calls: Sequence[Exchange]) -> Iterator[tuple[Any, Said]]:
    """What kind of request it was, and what was said to it."""
    return ((_request(exchange).get("op"), Said(exchange.answer)) for exchange in calls)


def _request(exchange: Exchange) -> dict[str, Any]:
    try:
        return dict(decode(exchange.request, generators=True))
    except WireError:
        return {}


def _kinds(value: Any) -> Any:
    """What a value's numbers are kept in."""
    if isinstance(value, (list, tuple)):
        return type(value), [_kinds(item) for item in value]
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, torch.Tensor):
        return "tensor", value.dtype, value.requires_grad
    array = np.asarray(value)
    return ("array", array.dtype) if array.ndim else ("number", array.dtype.kind)


_KEPT = {
    "NoneType": "nothing",
    "Tensor": "a tensor",
    "Parameter": "a tensor",
    "ndarray": "an array",
    **dict.fromkeys(("int", "float", "int64", "float32", "float64"), "a number"),
}
"""What stayed in the worker, by its class; of any other it is an object."""


def _same(one: Any, other: Any) -> bool:
    """Equal up to rounding, with the same structure; handles equal handles of the same kind."""
    if isinstance(one, Handle) and isinstance(other, Handle):
        return _KEPT.get(one.type_name) == _KEPT.get(other.type_name)
    if isinstance(one, Handle) or isinstance(other, Handle):
        return False
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (str, bytes, type(None))) or isinstance(other, (str, bytes, type(None))):
        return type(one) is type(other) and bool(one == other)
    a, b = plain(one), plain(other)
    if a is None or b is None or a.shape != b.shape:
        return False
    scale = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    return bool(np.allclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE * (1 + scale), equal_nan=True))
