"""What is said to the worker and read of its answers, whoever carries it.

A `Transport` carries requests to a student's code: `transport.Caged` into the cage, `InProcess`
to trusted code in this very process (the reference, mistakes, alternatives). Both go through the
same encoding, so that a check sees the same values from both.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from coursekit import StudentError

from autograder.course import Cell

from .inside.session import Session
from .inside.wire import WireError, decode, encode


class CellFailure(NamedTuple):
    """A cell that did not run to its end, and why: "stopped with ValueError in line 3"."""

    cell: Cell
    why: str


class Transport(Protocol):
    """Carries requests to the code; raises StudentError when there is no answer."""

    cells: Sequence[Cell]
    failures: list[CellFailure]
    lines: dict[str, int]
    """How many lines each cell has, by its label."""

    def begin(self, exercise: str, seed: int) -> None: ...

    def ask(self, request: bytes) -> bytes: ...


class InProcess:
    """Trusted code in this very process."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells: Sequence[Cell] = list(cells)
        self.session = Session()
        self.failures: list[CellFailure] = []
        self.lines = lines_of(self.cells)
        for cell in self.cells:
            why, _ = run_cell(self.ask, cell)
            if why:
                self.failures.append(CellFailure(cell, why))

    def begin(self, exercise: str, seed: int) -> None:
        self.ask(encode({"op": "begin", "seed": seed}))

    def ask(self, request: bytes) -> bytes:
        return self.session.answer(request)


def lines_of(cells: Iterable[Cell]) -> dict[str, int]:
    return {cell.label: len(cell.source.splitlines()) for cell in cells}


def run_cell(ask: Callable[[bytes], bytes], cell: Cell) -> tuple[str, list[str]]:
    """Runs one cell: why it stopped ("" if it did not), and the IPython lines left out."""
    request = {"op": "run", "source": cell.source, "label": cell.label}
    reply = read_reply(ask(encode(request)))
    if reply["ok"]:
        skipped = reply.get("skipped", [])
        return "", [str(line)[:80] for line in skipped[:5]] if isinstance(skipped, list) else []
    line = reply.get("line")
    where = f" in line {line}" if type(line) is int else ""
    return f"stopped with {exception_name(reply)}{where}", []


def read_reply(data: bytes, resolve: Any = None) -> dict[str, Any]:
    """A reply as a dict with a bool "ok"; StudentError for bytes that are none."""
    try:
        reply = decode(data, resolve)
        if type(reply) is not dict or type(reply.get("ok")) is not bool:
            raise WireError("not a reply")
    except WireError:
        raise StudentError("died", "gave an answer that cannot be read") from None
    return reply


def exception_name(reply: dict[str, Any]) -> str:
    """The exception's class if it is Python's own, else the nearest such base.

    A student may call an exception what they like, so other names never reach a message.
    """
    names = [reply.get("type")]
    bases = reply.get("builtin")
    if isinstance(bases, list):
        names += bases
    for name in names:
        known = getattr(builtins, name, None) if isinstance(name, str) else None
        if isinstance(known, type) and issubclass(known, BaseException):
            return str(name)
    return "an error"
