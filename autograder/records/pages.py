"""How every page is made: escaped, strict about names, and clean of what a terminal or a browser
would not show as text."""

from __future__ import annotations

import base64
import bisect
import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.files import nearest, plain

from .words import OUTCOMES, duration, minute, number, percent, points

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> str:
    """One of the templates, filled in."""
    return str(_environment().get_template(template).render(**values))


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = (points, number, percent, duration, minute, signed, shade)
    texts = (clip, label, coded, foldable, csp_hash)
    made.filters |= {one.__name__: one for one in (*figures, *texts)}
    made.globals |= {"OUTCOMES": OUTCOMES}
    return made


def _clean(value: object) -> object:
    """The last gate: no control, ANSI or bidirectional character goes out."""
    if isinstance(value, str) and not hasattr(value, "__html__") and not value.isprintable():
        return plain(value)
    return value


def signed(value: float) -> str:
    return f"{nearest(value):+g}".replace("-", "−")


def shade(share: float) -> str:
    """The class of a table's cell: the more of the points, the greener."""
    return f"s{bisect.bisect((0.25, 0.5, 0.7, 0.85), share)}"


def clip(text: str, length: int) -> str:
    """`text`, cut where it is longer than anything honest."""
    return text if len(text) <= length else text[: length - 1] + "…"


def label(who: str) -> str:
    """Who somebody is, cut above what the longest name and id take together."""
    return clip(who, 200)


def coded(text: str) -> Markup:
    """Text in which names between backticks are code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`(\w+)`", r"<code>\1</code>", str(escape(plain(text)))))


def foldable(line: str) -> Markup:
    """A line of a check's message, which stays beside its label where it is folded."""
    from markupsafe import Markup, escape

    text = str(escape(plain(line)))
    label = text[:13].replace(" ", "\N{NO-BREAK SPACE}")
    return Markup(label + text[13:].replace("(", "(<wbr>"))


def csp_hash(text: str) -> str:
    """By which a page's policy knows its own script and style."""
    digest = hashlib.sha256(str(text).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
