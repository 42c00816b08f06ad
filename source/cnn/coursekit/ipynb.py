"""A notebook's bytes as its cells, or a clear error.

A notebook is JSON and is read as such: nbformat would take a second to import and refuses what
students really hand in. The grader and the student's own `check_submission.py` read with this file.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 64 * 2**20
"""With its pictures; they are left out first."""
MAX_CODE = 2 * 2**20
"""Letters in all code cells."""
MAX_WORDS = 4 * 2**20
"""Letters in all other cells that are looked at, and of each line of them no more than `MAX_LINE`,
as a picture may stand in one."""
MAX_LINE = 10_000
MAX_CELLS = 2000
MAX_BRACKETS = 2_000_000
"""Opening brackets: 20 MB of `[],[],…` would become half a gigabyte of lists."""
MAX_COMMAS = 8_000_000
MAX_NAMES = 1000
LIGHT_BYTES = 2**20
"""A larger file goes on without its outputs."""

_DEFINES = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)
_BINDS = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)"
    r"|^([*(]*\w+(?:[ \t)]*,[ \t(*]*\w+)*[ \t,)]*)(?::[^=\n]*)?=(?!=)"
    r"|^(?:async[ \t]+)?for[ \t]+(\S[^\n]*?)[ \t]in\b",
    re.MULTILINE,
)
_PYTHON_S = frozenset(name for name in dir(builtins) if name.isalpha() and name.islower())
"""`sum`, `max`, `list` and so on: names that a cell can take away from all others."""
_SAID = re.compile(r'"""[\s\S]*?"""|#.*')
"""Docstrings and comments, where a name is a word."""
_USES = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(_PYTHON_S))})\b(?!\s*=(?!=))")
_LONG_LINE = re.compile(rf"^(.{{{MAX_LINE}}}).+", re.MULTILINE)
_BROKEN_OFF = re.compile(r"nu?l?|tr?u?|fa?l?s?|[-+.eE]*")
"""What can be left of `null`, `true`, `false` or a number at the end of half a file."""
_STUB = re.compile(r"# YOUR CODE HERE\s+raise NotImplementedError")
_KIT = re.compile(
    r"(?:#[^\n]*\n)*def _unpack\([^\n]*\n(?:(?:[ \t#][^\n]*)?\n)*"
    r"_unpack\(\s*\"\"\"([\w+/=\s]*)\"\"\"\s*\)",
    re.ASCII,
)
"""The cell in which a notebook carries its helpers; nothing else stands in it."""
CONFLICT = re.compile(r"^<<<<<<<( |\r?$)", re.MULTILINE)


class NotebookError(ValueError):
    """Nothing can be read; the message says why, in words for the student."""


@dataclass(frozen=True)
class NotebookCell:
    """One cell as handed in; `number` counts from 1 as a student does."""

    number: int
    kind: str
    source: str
    grade_id: str = ""
    cell_id: str = ""

    @functools.cached_property
    def defines(self) -> frozenset[str]:
        """The names that the cell's text defines at its top level."""
        if self.kind != "code":
            return frozenset()
        return frozenset(itertools.islice(defined_in(self.source), MAX_NAMES))

    @functools.cached_property
    def binds(self) -> frozenset[str]:
        """The names that the cell's text gives another value at its top level."""
        if self.kind != "code":
            return frozenset()
        found = itertools.islice(_BINDS.finditer(self.source), MAX_NAMES)
        return frozenset(itertools.chain(*(re.findall(r"\w+", match[0]) for match in found)))

    @functools.cached_property
    def uses(self) -> frozenset[str]:
        """The names of Python's own that the cell's text uses."""
        return frozenset(_USES.findall(_SAID.sub("", self.source)) if self.kind == "code" else ())

    @property
    def is_unwritten(self) -> bool:
        """Whether a function in it still raises what was given out, whatever else was written."""
        return _STUB.search(self.source) is not None

    @property
    def takes(self) -> frozenset[str]:
        """The names of Python's own that the cell gives another value."""
        return self.binds & _PYTHON_S

    @functools.cached_property
    def text(self) -> str:
        return same_text(self.source)


def defined_in(text: str) -> Iterator[str]:
    """The names that a text, perhaps no Python, seems to define at its left edge."""
    return (match[1] or match[2] for match in _DEFINES.finditer(text))


def taken(cells: list[NotebookCell], users: list[NotebookCell]) -> list[tuple[NotebookCell, str]]:
    """Each cell that gives a name of Python's own another value, which a user needs as it was."""
    used = frozenset().union(*(cell.uses for cell in users))
    return [(cell, name) for cell in cells for name in sorted(cell.takes & used)]


def same_text(source: str) -> str:
    """`source` without the differences that editors make: line ends and trailing blanks."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


def kit_in(source: str) -> str:
    """The helpers that a notebook carries in a cell, packed; "" if the cell is another one."""
    found = _KIT.fullmatch(same_text(source)) if "def _unpack(" in source[:1000] else None
    return found[1] if found else ""


def read_cells(data: bytes) -> tuple[list[NotebookCell], list[str]]:
    """Every cell of a notebook in nbformat 3, 4 or 5 but the one with its helpers, and what was
    noticed."""
    found, notes = _loaded(data)
    raw = _raw_cells(found)
    if len(raw) > MAX_CELLS:
        raise NotebookError(f"the notebook has {len(raw)} cells; at most {MAX_CELLS} are read")
    cells: list[NotebookCell] = []
    code, left = 0, MAX_WORDS
    for number, entry in enumerate(raw, 1):
        if not isinstance(entry, dict):
            notes.append(f"cell {number} is damaged and was left out")
            continue
        source = _source(entry)
        if source is None:
            notes.append(f"cell {number} has no readable text and was left out")
            continue
        kind, cell_id = _text(entry, "cell_type"), _text(entry, "id")
        if kind == "code":
            code += len(source)
        else:
            words = _LONG_LINE.sub(r"\1…", source)
            source = words[:left]
            if left and len(source) < len(words):
                notes.append(f"cell {number}: of so much text the rest is left out, from here on")
            left -= len(source)
        grade_id = _text(entry, "metadata", "nbgrader", "grade_id")
        cells.append(NotebookCell(number, kind, source, grade_id, cell_id))
    if code > MAX_CODE:
        raise NotebookError(
            f"the code cells hold {code / 2**20:.0f} MB of text; at most {MAX_CODE >> 20} MB are "
            "read. Take long lists of numbers out of them"
        )
    # Not before: to look for the helpers takes hundreds of bytes for each line.
    return [cell for cell in cells if cell.kind != "code" or not kit_in(cell.source)], notes


def without_outputs(data: bytes) -> bytes:
    """The notebook without what its cells put out, if the file is large; else, and where it is
    none, or would be larger so, the same bytes."""
    if not LIGHT_BYTES < len(data) <= MAX_BYTES:
        return data
    try:
        found, _ = _loaded(data)
        for cell in _raw_cells(found):
            if isinstance(cell, dict):
                cell.pop("outputs", None)
                cell.pop("attachments", None)
        return min(json.dumps(found, ensure_ascii=True).encode(), data, key=len)
    except (NotebookError, ValueError, RecursionError):
        return data


def _loaded(data: bytes) -> tuple[dict[str, Any], list[str]]:
    if len(data) > MAX_BYTES:
        raise NotebookError(too_large(len(data)))
    text, notes = _decode(data)
    if text.count("[") + text.count("{") > MAX_BRACKETS or text.count(",") > MAX_COMMAS:
        raise NotebookError("the file holds far more data than a notebook; clear its outputs")
    try:
        found = json.loads(text)
    except RecursionError:
        raise NotebookError("the file is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise NotebookError(_explain(text, error)) from None
    if not isinstance(found, dict):
        raise NotebookError("the file is JSON, but no notebook")
    return found, notes


def _raw_cells(notebook: dict[str, Any]) -> list[Any]:
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list):
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    raise NotebookError("the file is JSON, but no notebook: it has no list of cells")


def _source(cell: dict[str, Any]) -> str | None:
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # JSON can hold halves of a UTF-16 pair, which no file, pipe or database takes.
    return source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


def _text(entry: Any, *keys: str) -> str:
    """A text deep in what may be anything; "" where there is none."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry if isinstance(entry, str) else ""


def _decode(data: bytes) -> tuple[str, list[str]]:
    if not data.strip():
        raise NotebookError("the file is empty")
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff"), []
    except UnicodeDecodeError:
        note = f"the file is not valid {encoding.upper()}; accents in it may be wrong"
        return data.decode("latin-1"), [note]


def _explain(text: str, error: ValueError) -> str:
    conflict = CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        return (
            f"the file holds the markers of a merge conflict (<<<<<<<, line {line}); "
            "resolve the conflict and hand the notebook in again"
        )
    start = text.lstrip()[:100]
    for beginning, kind in (("%PDF", "a PDF"), ("PK", "an archive"), ("<", "a web page")):
        if start.startswith(beginning):
            return f"the file is {kind}, no notebook; hand in the .ipynb file itself"
    if not start.startswith("{"):
        return "the file is no notebook; hand in the .ipynb file as Jupyter saves it"
    if not isinstance(error, json.JSONDecodeError):
        return "the file holds a number too large for a notebook"
    rest = text.rstrip()[error.pos :]
    if (
        error.msg.startswith("Unterminated")
        or (len(rest) < 7 and "escape" in error.msg)
        or _BROKEN_OFF.fullmatch(rest)
    ):
        return f"the file is cut off in line {error.lineno}; hand the whole notebook in again"
    return f"the file is damaged in line {error.lineno}: it is not JSON from there on"


def too_large(size: int) -> str:
    return (
        f"the file has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. "
        "Clear the outputs of the notebook and hand it in again"
    )
