"""What is said to the worker and read of its answers, whoever carries it.

A `Transport` carries requests to a student's code: `transport.Caged` into the cage, `InProcess`
to trusted code in this very process (the reference, mistakes, alternatives). Both go through the
same encoding, so that a check sees the same values from both.
"""

from __future__ import annotations

import builtins
import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from coursekit import StudentError

from autograder.course import Cell
from autograder.files import plain

from .inside.cells import MAX_STATEMENTS
from .inside.session import Session
from .inside.wire import WireError, decode, encode

CELL_SECONDS = 10.0
"""What one statement of a cell may take, of a quiet machine's CPU time."""
MAX_NOTED = 160
NOT_DEFINED = re.compile(r"name '(\w+)' is not defined")
_WHOLE, _START = -1, -2
"""In place of a statement's number: the cell as one, or all of its statements in one request."""
_ASKS = re.compile(r"\b(?:input|getpass)\(")
_NAME_IN = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+", re.MULTILINE)


class CellFailure(NamedTuple):
    """A statement of a cell that did not run to its end, and why: "stopped with ValueError in
    line 3". Where the cell is no Python, or was not run, it is the whole cell."""

    cell: Cell
    why: str
    first: int = 0
    """The statement's lines, from 1; none where it is the whole cell."""
    last: int = 0
    line: int = 0
    """Where it was left, if `why` does not say it."""

    @property
    def sentence(self) -> str:
        if not self.first:
            return f"{self.cell.label} {self.why}"
        place = f"{self.cell.label}: line {self.line}" if self.line else self.cell.label
        above = _NAME_IN.search(self._lines(1, self.first - 1))
        counts = "the function above it counts" if above else "the rest of the cell counts"
        return f"{place} {self.why}; {counts}"

    @property
    def text(self) -> str:
        """What did not run to its end."""
        return self._lines(self.first, self.last or len(self.cell.source))

    def _lines(self, first: int, last: int) -> str:
        return "\n".join(self.cell.source.split("\n")[max(0, first - 1) : last])


class Transport(Protocol):
    """Carries requests to the code; raises StudentError when there is no answer."""

    cells: Sequence[Cell]
    failures: list[CellFailure]
    lines: dict[str, int]
    """How many lines each cell has, by its label."""
    used: float
    """CPU seconds that the code has taken for its answers so far."""

    def begin(self, exercise: str, seed: int) -> None: ...

    def tell(self, request: bytes) -> None:
        """A request that asks for nothing back; it may go with the next one."""

    def ask(self, request: bytes) -> bytes: ...

    def renew(self) -> None: ...

    def again(self) -> bool:
        """Whether another exercise may be why a check ended as it did: what it took is forgotten
        then, and it may be asked once more."""
        ...


class InProcess:
    """Trusted code in this very process."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells: Sequence[Cell] = list(cells)
        self.session = Session()
        self.used = 0.0
        self.failures: list[CellFailure] = []
        self.lines = lines_of(self.cells)
        for cell in self.cells:
            self.failures += run_cell(self.ask, cell).failures

    def begin(self, exercise: str, seed: int) -> None:
        self.ask(encode({"op": "begin", "seed": seed}))

    def tell(self, request: bytes) -> None:
        self.ask(request)

    def ask(self, request: bytes) -> bytes:
        started = time.process_time()
        answer = self.session.answer(request)
        self.used += time.process_time() - started
        return answer

    def renew(self) -> None:
        """Trusted code carries nothing from one check to another."""

    def again(self) -> bool:
        return False

    def with_cell(self, source: str) -> InProcess:
        """The same names with one more cell, which this one does not see."""
        other = InProcess(())
        other.session.namespace.update(self.session.namespace)
        other.failures = run_cell(other.ask, Cell("another cell", source)).failures
        return other


def lines_of(cells: Iterable[Cell]) -> dict[str, int]:
    return {cell.label: cell.source.count("\n") + 1 for cell in cells}


class CellRun(NamedTuple):
    """What one cell came to."""

    failures: list[CellFailure]
    skipped: list[str]
    """The IPython lines that were left out."""


def run_cell(
    ask: Callable[[bytes], bytes],
    cell: Cell,
    deadly: dict[int, str] | None = None,
    *,
    plain_only: str = "",
    whole: bool = False,
) -> CellRun:
    """Runs one cell, each statement at its top level for itself, or with `whole` as one.

    A StudentError of `ask` (the worker is gone) is noted in `deadly`, by the statement's number,
    and raised again; what is noted there is left out the next time. Where nothing but definitions
    is there, one request has them run; if that ends the worker, there is one for each the next
    time. `plain_only` is why no statements may run but those that define or import, if it is so.
    """
    deadly = {} if deadly is None else deadly
    if _WHOLE in deadly:
        return CellRun([CellFailure(cell, deadly[_WHOLE])], [])
    if whole and plain_only:
        return CellRun([CellFailure(cell, plain_only)], [])
    start = not whole and _START not in deadly

    def answer(**request: Any) -> dict[str, Any]:
        return read_reply(ask(encode({**request, "label": cell.label})))

    with _noted(deadly, _START if start else _WHOLE):
        how = {"op": "run"} if whole else {"op": "read", "start": start}
        reply = answer(**how, source=cell.source)
        if whole or not reply["ok"]:
            return CellRun([] if reply["ok"] else [CellFailure(cell, _stopped(cell, reply))], [])
        statements = _statements(cell, reply)
    if type(stopped := reply.get("stopped")) is dict:
        failures = (
            CellFailure(cell, _stopped(cell, failure), first, last)
            for number, (first, last, _) in enumerate(statements)
            if type(failure := stopped.get(str(number))) is dict
        )
        return CellRun([*failures], [])
    return _one_by_one(answer, cell, statements, deadly, plain_only)


def _one_by_one(
    answer: Callable[..., dict[str, Any]],
    cell: Cell,
    statements: list[tuple[int, int, bool]],
    deadly: dict[int, str],
    plain_only: str,
) -> CellRun:
    run, left = CellRun([], []), 0
    for number, (first, last, only_defines) in enumerate(statements):
        if number in deadly:
            run.failures.append(CellFailure(cell, deadly[number], first, last, first))
            continue
        if plain_only and not only_defines:
            left = left or first
            continue
        with _noted(deadly, number):
            reply = answer(op="run", statement=number)
        if not reply["ok"]:
            run.failures.append(CellFailure(cell, _stopped(cell, reply), first, last))
        skipped = reply.get("skipped", [])
        if isinstance(skipped, list):
            run.skipped.extend(_short(str(line)) for line in skipped[:5])
    if left:
        run.failures.append(CellFailure(cell, plain_only, left, left, left))
    return run


@contextlib.contextmanager
def _noted(deadly: dict[int, str], number: int) -> Iterator[None]:
    try:
        yield
    except StudentError as error:
        out_of_time = error.kind == "time" and error.text.startswith("used up")
        late = f"took more than {CELL_SECONDS:g} s and was not finished"
        deadly[number] = late if out_of_time else error.text
        raise


def _statements(cell: Cell, reply: dict[str, Any]) -> list[tuple[int, int, bool]]:
    """First line, last line and whether it is plain, of each; StudentError for anything else."""
    found, lines = reply.get("statements"), cell.source.count("\n") + 1

    def is_one(it: Any) -> bool:
        types = [type(part) for part in it] if type(it) is tuple else []
        return types == [int, int, bool] and 0 < it[0] <= it[1] <= lines + 1

    if type(found) is list and len(found) <= MAX_STATEMENTS + 1 and all(map(is_one, found)):
        return found
    raise StudentError("died", "gave an answer that cannot be read")


def _stopped(cell: Cell, reply: dict[str, Any]) -> str:
    """Why a statement stopped, in words that only name what stands in the cell itself."""
    name, line = exception_name(reply), reply.get("line")
    text, wanted = (_short(str(reply.get(key, ""))) for key in ("text", "wanted"))
    where = f" in line {line}" if type(line) is int else ""
    if reply.get("kind") == "device":
        return f"asks for a GPU{where}, and the grader has none"
    if name == "ModuleNotFoundError" and _imports(cell.source, wanted):
        return f"imports {wanted}{where}, which is not there at grading"
    if name == "FileNotFoundError" and reply.get("kind") == "program":
        return f"starts another program{where}, which is not there at grading"
    if name == "FileNotFoundError" and wanted and wanted in cell.source:
        return f"reads {wanted}{where}; files beside the notebook are not there at grading"
    if name == "EOFError" and _ASKS.search(cell.source):
        return f"asks for input{where}, and at grading nobody answers"
    absent = NOT_DEFINED.match(text) if name == "NameError" else None
    if absent and absent[1] in cell.source:
        return f"stopped with NameError{where}: {absent[1]} is not defined"
    if name in ("SyntaxError", "IndentationError", "TabError"):
        newer = newer_python(cell.source, text, line if type(line) is int else 0)
        if newer > sys.version_info[:2]:
            needs, mine = (".".join(map(str, one)) for one in (newer, sys.version_info[:2]))
            return f"needs Python {needs}{where}, and the grader runs Python {mine}"
        return f"stopped with {name}{where}: {text}" if text else f"stopped with {name}"
    return f"stopped with {name}{where}"


def _short(text: str) -> str:
    """A worker's words in one line, however long they are."""
    return plain(text[:MAX_NOTED].replace("\n", " "))


def _imports(source: str, module: str) -> bool:
    top = module.partition(".")[0]
    pattern = rf"^[ \t]*(?:import|from)\b.*\b{re.escape(top)}\b"
    return top.isidentifier() and re.search(pattern, source, re.MULTILINE) is not None


def newer_python(source: str, text: str, line: int) -> tuple[int, int]:
    """The Python that first knew the syntax at which the compiler stopped; (3, 0) if none did."""
    lines = source.split("\n")
    there = lines[line - 1][:_LONG_LINE] if 0 < line <= len(lines) else ""
    for pattern, version in _NEWER:
        if pattern.search(there):
            return version
    return (3, 12) if text.startswith("f-string") else (3, 0)


_LONG_LINE = 160  # the patterns take time with the third power of it
_NEWER = (
    (re.compile(r"^\s*(def|class|type)\b[^(]*\[.*\w+\s*=.*\]"), (3, 13)),
    (re.compile(r"^\s*(async\s+)?(def|class)\s+\w+\s*\["), (3, 12)),
    (re.compile(r"^\s*type\s+\w+\s*(\[.*\])?\s*="), (3, 12)),
    (re.compile(r"^\s*except\s+[\w.]+\s*,\s*[\w., ]+:"), (3, 14)),
    (re.compile(r"\bt[rR]?[\"']"), (3, 14)),
)


def read_reply(data: bytes) -> dict[str, Any]:
    """A reply as a dict with a bool "ok"; StudentError for bytes that are none."""
    try:
        reply = decode(data)
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
