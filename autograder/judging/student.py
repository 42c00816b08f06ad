"""What a check talks to: `student.lj_force(r)` calls the student's function, wherever it runs.

`Student` speaks the worker's requests over a `Transport` (`sandbox.protocol`).
"""

from __future__ import annotations

import builtins
import difflib
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import coursekit.student
import numpy as np
import torch
from coursekit import Call, CheckFailed, StudentError
from coursekit.compare import in_other_words, no_parameters, not_callable
from coursekit.student import Kept

from autograder.course import cell_of
from autograder.sandbox.inside.cells import BODY_RUNS
from autograder.sandbox.inside.protocol import MAX_BYTES
from autograder.sandbox.inside.session import DONE
from autograder.sandbox.inside.wire import Handle, WireError, encode, weighed
from autograder.sandbox.protocol import (
    NOT_DEFINED,
    CellFailure,
    Transport,
    exception_name,
    read_reply,
)

from .uses import binds

_MADE = 2**32
"""Objects that checks have made in the worker are numbered from here on."""
MAX_RECEIVED = 8 * MAX_BYTES  # in all checks of an exercise: they stay until the diagnosis
_OTHER_TYPES = ("Tensor", "function", "generator", "module", "method", "dict_values", "dict_keys")
# What a hidden check's message may name: more names, and lines, would be room for its inputs.
_TOLD_TYPES = (*_OTHER_TYPES, "list", "tuple", "dict", "set", "str", "NoneType", "Linear")
_TOLD_ERRORS = (
    *("TypeError", "ValueError", "IndexError", "KeyError", "NameError", "AttributeError"),
    *("RuntimeError", "ZeroDivisionError", "AssertionError", "RecursionError"),
)
_TOLD_LINES = 200
_MOST_STRINGS = 100


class Exchange(NamedTuple):
    """What was asked of the student's code, what it answered, and the CPU seconds it took."""

    request: bytes
    answer: bytes
    seconds: float = 0.0


class _Measured(NamedTuple):
    """What a measurement came to, and what was asked and answered for it."""

    value: Any
    failure: CheckFailed | None
    calls: list[Call]
    requests: list[Exchange]


T = TypeVar("T")


class Student(coursekit.student.Student):
    """The student's functions as attributes, and the transcript of a check's calls.

    `aided`: right answers to other exercises stand beside the student's code (`follow_through`), so
    that the judge tells nothing of what it says.
    """

    def __init__(self, transport: Transport, aided: bool = False) -> None:
        super().__init__()
        self.transport = transport
        self.aided = aided
        self.exercise = ""
        self.hidden = False
        self.owner: dict[str, str] = {}
        self._line: tuple[str, int] | None = None
        self.requests: list[Exchange] = []
        self._number = _MADE
        self.received = self._before = 0
        self._measured: dict[Callable[..., Any], _Measured] = {}

    def renew(self) -> None:
        """Whatever the code was made to do is forgotten: it is run anew for the next check."""
        self.exercise = ""
        self.transport.renew()

    def begin(
        self, exercise: str, seed: int, owner: dict[str, str] | None = None, hidden: bool = False
    ) -> None:
        """Known random state, empty transcript; called before every check.

        `owner`: which exercise defines a name; `hidden`: whether the check is.
        """
        if exercise != self.exercise:
            self._measured, self.received, self._line = {}, 0, None
        self.owner, self.hidden, self._before = owner or {}, hidden, self.received
        self.exercise, self.calls, self._number = exercise, [], _MADE
        # First in the transcript, so that it can be repeated with the same random numbers.
        self.requests = [Exchange(encode({"op": "begin", "seed": seed}), DONE)]
        self.transport.begin(exercise, seed)

    def again(self) -> bool:
        """Whether the check may be asked once more; what came back in it is forgotten then."""
        if not self.transport.again():
            return False
        self.received = self._before
        return True

    def once(self, measure: Callable[[Student, np.random.Generator], T], draw: Any) -> T:
        """`measure(self, draw)`, done by the first check of an exercise that asks for it.

        For what takes long, a training, and tells several checks something. The others get its
        value or its CheckFailed with the calls and requests that led there. A StudentError is not
        kept: the next check has a worker again. The value must be plain; objects in the worker
        do not outlive a check.
        """
        if measure not in self._measured:
            value, failure = None, None
            try:
                value = measure(self, draw)
            except StudentError:
                raise
            except CheckFailed as raised:
                failure = raised
            self._measured[measure] = _Measured(value, failure, self.calls, self.requests)
        value, failure, self.calls, self.requests = self._measured[measure]
        if failure is not None:
            raise failure
        return value

    def _call(self, call: Call, keep: bool) -> Any:
        # A function by its name, an object by its handle.
        target = call.function if call.target is None else call.target
        message = {"op": "call", "target": target, "args": call.args}
        more = {"kwargs": call.kwargs, "method": call.method, "keep": keep}
        return self.request(message | {word: said for word, said in more.items() if said}, call)

    def _attribute(self, target: Kept, name: str, keep: bool) -> Any:
        message = {"op": "attribute", "target": target, "name": name}
        return self.request(message | ({"keep": True} if keep else {}), self.calls[-1])

    def _make(self, kind: str, **given: Any) -> Kept:
        self._number += 1
        name = type(given["value"]).__name__ if kind == "keep" else "object"
        handle = Handle(self._number, name)
        data = encode({"op": kind, "number": handle.number, **given}, _handle_of)
        self.requests.append(Exchange(data, DONE))
        self.transport.tell(data)
        return Kept(self, handle)

    def gradients(self, of: Kept, wrt: Kept) -> list[Any]:
        try:
            found = self.request({"op": "gradients", "of": of, "wrt": wrt})
        except StudentError as error:
            if "non-empty inputs" in error.detail:  # torch's words where there is nothing to move
                raise no_parameters() from None
            raise
        return found if isinstance(found, list) else [found]

    def value(self, kept: Kept | list[Kept]) -> Any:
        """Those of several are asked for together."""
        return self.request({"op": "value", "target": kept})

    def reseed(self, seed: int) -> None:
        self.request({"op": "reseed", "seed": seed})

    def _type_name(self, held: Any) -> str:
        """The type's name if it is a well-known one. A student may call a class what they like, so
        other names never reach a message."""
        name: str = held.type_name
        if self.hidden:
            return name if name in _TOLD_TYPES else "object"
        known = isinstance(getattr(builtins, name, None), type) or hasattr(torch.nn, name)
        return name if known or name in _OTHER_TYPES else "object"

    def request(self, message: dict[str, Any], call: Call | None = None) -> Any:
        data = encode(message, _handle_of)
        before = self.transport.used
        answer = self.transport.ask(data)
        self._receive(len(answer))
        self.requests.append(Exchange(data, answer, self.transport.used - before))
        reply = read_reply(answer)
        if not reply["ok"]:
            raise self._error(reply)
        if call is not None:
            call.warnings = _strings(reply.get("warnings"))
        encoded = reply.get("encoded")
        if type(encoded) is not bytes:
            return None
        try:
            value, weight = weighed(encoded, lambda handle: Kept(self, handle))
        except WireError as error:
            text = "returned something that cannot be read"
            raise CheckFailed("type", text, detail=str(error)) from None  # may quote its bytes
        self._receive(weight)
        return value

    def _receive(self, size: int) -> None:
        self.received += size
        if self.received > MAX_RECEIVED:
            raise StudentError("memory", f"gave back more than {MAX_RECEIVED >> 20} MB in all")

    def _error(self, reply: dict[str, Any]) -> CheckFailed:
        kind, text = str(reply.get("kind")), str(reply.get("text", ""))
        name, line = exception_name(reply), reply.get("line")
        if kind == "missing":
            call = self.calls[-1] if self.calls else None
            if call and call.target is not None and call.method is None:
                return not_callable(call.target)
            asked = call.function if call else ""
            if self._of_another(asked):
                return StudentError("needs", "is not defined")
            return StudentError("missing", self._missing(asked, text))
        if kind == "signature":
            return StudentError("signature", "cannot be called like this", detail=text, name=name)
        if kind == "type":
            return CheckFailed("type", "returned something that cannot be compared", detail=text)
        if kind != "device" and (needs := self._needs(reply, name, text)):
            return needs
        where = self._where(reply.get("cell"), line)
        why = f"stopped with {self._told(name)}{where}{in_other_words(text)}"
        if kind == "device":
            why = f"asks for a GPU{where}, and the grader has none: keep to the arguments' device"
        return StudentError(
            "error",
            why,
            name=name,
            bases=_strings(reply.get("builtin")),
            detail=text,
        )

    def _needs(self, reply: dict[str, Any], name: str, text: str) -> StudentError | None:
        """What is said where the code came upon something that is still to be written, or is not
        there: of this exercise, or of another one that it uses."""
        stub = reply.get("unwritten")
        if type(stub) is str:
            called = self.calls[-1].function if self.calls else ""
            if called in (stub, "") or self.owner.get(stub) == self.exercise:
                kind = "needs" if self._of_another(called) else "unwritten"
                return StudentError(kind, "is still to be written", name=name)
            if stub in self.owner:
                return StudentError(
                    "needs", f"needs {stub}, which is still to be written", name=name
                )
        absent = NOT_DEFINED.match(text) if name == "NameError" else None
        if absent and self._of_another(absent[1]):
            return StudentError("needs", f"needs {absent[1]}, which is not defined", name=name)
        return None

    def _of_another(self, name: str) -> bool:
        return self.owner.get(name, self.exercise) != self.exercise

    def _told(self, name: str) -> str:
        return name if not self.hidden or name in _TOLD_ERRORS else "an error"

    def _where(self, cell: Any, line: Any) -> str:
        """ " in line 3 of the cell of forward", where that is a line. With hidden checks it is told
        of one line in an exercise: numbers could carry what such a check asked."""
        lines = self.transport.lines.get(str(cell), 0)
        if type(line) is not int or not 0 < line <= lines:
            return ""
        if self.hidden:
            known = {*map(cell_of, self.owner.values())}
            if self._line not in (None, (cell, line)) or cell not in known or lines > _TOLD_LINES:
                return ""
            self._line = cell, line
        return f" in line {line} of {cell}"

    def _missing(self, name: str, text: str) -> str:
        """Why a name is not there, and what the exercise's cell defines instead.

        Names are read in the notebook, not told by what runs: they carry nothing of a check.
        """
        if text.endswith("is not a function or class"):
            return "is not a function or class"
        if not text.endswith("is not defined"):
            return "is not there"
        own = cell_of(self.exercise)
        beside, failures = "", self.transport.failures
        for number, failure in enumerate(failures, 1):
            mine = failure.cell.label == own
            if (mine and not failure.first) or binds(failure.text, [name]):
                return f"is not defined, because {_first_of_all(failures[:number])}"
            if mine:
                beside = beside or f"; {_told(failure)}"
        source = "".join(cell.source for cell in self.transport.cells if cell.label == own)
        magic = re.match(r"\s*%%(\w{1,20})\b", source)
        if magic and magic[1] not in BODY_RUNS:
            head = f"{own} begins with %%{magic[1]}"
            return f"is not defined: {head}, which does not run it as Python"
        defined = re.findall(r"^(?:def|class)[ \t]+(\w{1,60})\b", source, re.MULTILINE)
        near = difflib.get_close_matches(name, {*defined} - {name}, n=1)
        return f"is not defined, but {near[0]} is{beside}" if near else f"is not defined{beside}"


def _told(failure: CellFailure) -> str:
    place = f"line {failure.line} of " if failure.line else ""
    return f"{place}{failure.cell.label} {failure.why}"


def _first_of_all(failures: list[CellFailure]) -> str:
    """What stopped last, or what stopped before and left it without a name that it needs."""
    *before, failure = failures
    needed = re.search(r": (\w+) is not defined$", failure.why)
    for number, earlier in enumerate(before, 1):
        if needed and binds(earlier.text, [needed[1]]):
            return _first_of_all(before[:number])
    return _told(failure)


def _strings(values: Any) -> list[str]:
    """The texts of a list that has some; a worker may send a million."""
    few = values[:_MOST_STRINGS] if isinstance(values, list) else []
    return [value[:_MOST_STRINGS] for value in few if isinstance(value, str)]


def _handle_of(value: Any) -> Handle:
    if isinstance(value, Kept):
        return value._held
    raise WireError(f"a check passed a {type(value).__name__}, which cannot cross")
