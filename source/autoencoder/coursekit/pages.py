"""What `check` and `summary` show: a small table in Jupyter, elsewhere the same as text."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from .written import Call

UNWRITTEN = "still to be written"
"""What a stub's NotImplementedError says; the builder writes the stubs."""
ABOVE = "its line raise NotImplementedError stands above your code; take it out"
_ENDING = "hidden checks run at grading"
BUT = ", but "
"""Between a name that is missing and the one that is there instead."""
_EARLIER = "what is checked here comes from an earlier run"
_STATES = {
    "written": "written",
    "begun": "begun",
    "unwritten": UNWRITTEN,
    "missing": "not defined: run its cell",
}


@dataclass
class Found:
    """What one public check found."""

    title: str
    name: str
    kind: str = ""
    sentence: str = ""
    parts: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.kind

    @property
    def unwritten(self) -> bool:
        return self.kind in ("unwritten", "missing")

    @property
    def waits(self) -> bool:
        """It can be said only when another exercise is written."""
        return self.kind == "needs"

    @property
    def failed(self) -> bool:
        return not (self.passed or self.unwritten or self.waits)


@dataclass
class Standing:
    """How far one exercise is, and its checks; those of what is not written have not failed, nor
    those that wait for another exercise."""

    state: str
    passed: int
    failed: int
    checks: int
    waits: str = ""
    """What another exercise lacks, if a check waits for it."""
    why: str = ""
    """What the first failed check says."""


@dataclass
class Page:
    """The same words twice: as text and as HTML."""

    text: str
    html: str


_GREEN, _RED, _GREY = "#2e8b57", "#cf4a3c", "#8a8a8a"  # readable on white and on black
_MARKS = {"passed": ("✓", _GREEN), "failed": ("✗", _RED), "open": ("·", _GREY)}
_PALE = "opacity:0.7;"  # of whatever colour the theme writes in
_CELL = (
    "padding:2px 12px 2px 0; text-align:left; vertical-align:baseline; background:none; border:0;"
)


def show(page: Page, *, failed: bool = False) -> None:
    if failed and os.environ.get("NBGRADER_VALIDATING"):
        # nbgrader's Validate counts a cell as failed by what it writes here, and quotes it.
        print(page.text, file=sys.stderr)
        return
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        shell = None
    else:
        shell = get_ipython()
    if shell is None:
        print(page.text)
    else:
        both = {"text/plain": page.text, "text/html": page.html}
        display(both, raw=True)  # type: ignore[no-untyped-call]


def plain_page(sentence: str) -> Page:
    return Page(sentence, _frame(_GREY, f"<div>{html.escape(sentence)}</div>"))


def exercise_page(
    exercise: str, found: list[Found], first: Sequence[str], hint: str, stale: str
) -> Page:
    if stale and not any(one.passed or one.failed for one in found):
        return plain_page(stale)
    if all(one.kind == "unwritten" for one in found):
        more = (one.sentence for one in found if one.sentence.endswith(ABOVE))
        return plain_page(next(more, f"{exercise} is {UNWRITTEN}"))
    if all(one.kind == "missing" for one in found):
        alike = next((one.sentence for one in found if BUT in one.sentence), "")
        mend = f"{alike}: mend the name, or" if alike else f"{exercise} is not defined:"
        return plain_page(f"{mend} run its cell first, then this one again")
    passed = sum(one.passed for one in found)
    ending = f"{passed} of {len(found)} public checks passed; {_ENDING}"
    lines, rows = [exercise], []
    above = _title(exercise)
    if first:
        below = " and ".join(first)
        lines.append(f"It builds on {below}, where public checks fail: mend that first")
    if stale:
        lines.append(f"{stale}; {_EARLIER}")
    above += "".join(f"<div>{html.escape(line)}</div>" for line in lines[1:])
    for one in found:
        is_open = one.unwritten or one.waits
        mark, colour = _MARKS["open" if is_open else "passed" if one.passed else "failed"]
        lines.append(f" {mark} {one.title}")
        inner = html.escape(one.title)
        parts = [("", one.sentence)] if is_open else one.parts
        lines += [f"   {word:<9} {text}" if word else f"   {text}" for word, text in parts]
        if parts:
            told = [_row(_word(word), _text(word, text)) for word, text in parts]
            inner += _table(told, margin="2px 0 6px 0")
        rows.append(_row(_mark(mark, colour), inner))
    told = [_hint(hint)] if hint else []
    lines += [f"hint: {hint}"] if hint else []
    lines.append(ending)
    colour = _RED if passed < len(found) else _GREY if stale else _GREEN
    page = _frame(colour, above, _table(rows), *told, _note(ending))
    return Page("\n".join(lines), page)


def summary_page(rows: dict[str, Standing]) -> Page:
    lines, table = [], []
    width = max((len(name) for name in rows), default=0)
    for name, row in rows.items():
        written = row.state == "written"
        good = written and not row.waits
        mark, colour = _MARKS["failed" if row.failed else "passed" if good else "open"]
        begun = written or row.state == "begun"
        count = f"public checks: {row.passed} of {row.checks}" if begun else ""
        lines.append(f" {mark} {name:<{width}}  {_STATES[row.state]:<19} {count}".rstrip())
        shown = _code(name, "white-space:nowrap;")
        table.append(_row(_mark(mark, colour), shown, _STATES[row.state], count))
    ending = (
        f"{sum(row.state == 'written' for row in rows.values())} of {len(rows)} exercises written; "
        f"{sum(row.passed for row in rows.values())} of "
        f"{sum(row.checks for row in rows.values())} public checks passed; {_ENDING}"
    )
    page = _frame(_GREY, _title("Where this notebook stands"), _table(table), _note(ending))
    return Page("\n".join([*lines, ending]), page)


def _frame(colour: str, *inner: str) -> str:
    style = (
        f"border-left:3px solid {colour}; padding:4px 0 4px 12px; margin:4px 0; max-width:60em; "
        "font-size:13px; line-height:1.5;"
    )
    return f"<div style='{style}'>{''.join(inner)}</div>"


def _title(text: str) -> str:
    return f"<div style='font-weight:600; margin-bottom:2px;'>{html.escape(text)}</div>"


def _hint(text: str) -> str:
    return f"<div style='margin-top:2px;'><b>hint</b> {html.escape(text)}</div>"


def _note(text: str) -> str:
    return f"<div style='{_PALE} margin-top:2px;'>{html.escape(text)}</div>"


def _mark(mark: str, colour: str) -> str:
    return f"<span style='color:{colour}; font-weight:700;'>{mark}</span>"


def _word(word: str) -> str:
    style = f"{_PALE} display:inline-block; min-width:{4.5 if word else 0}em;"
    return f"<span style='{style}'>{html.escape(word)}</span>"


def _text(word: str, text: str) -> str:
    if word in ("called", "returned", "measured", "expected", "line"):
        return _code(text)
    return f"<span style='white-space:pre-wrap;'>{html.escape(text)}</span>"


def _code(text: str, wrap: str = "white-space:pre-wrap; overflow-wrap:anywhere;") -> str:
    style = f"background:none; color:inherit; padding:0; font-size:inherit; {wrap}"
    return f"<code style='{style}'>{html.escape(text)}</code>"


def _table(rows: list[str], margin: str = "0") -> str:
    style = f"border-collapse:collapse; margin:{margin}; border:0; font-size:inherit;"
    return f"<table style='{style}'>{''.join(rows)}</table>"


def _row(*cells: str) -> str:
    inner = "".join(f"<td style='{_CELL}'>{cell}</td>" for cell in cells)
    return (
        f"<tr style='background:none;'>{inner}</tr>"  # Jupyter stripes rows; here it means nothing
    )
