"""How every page is made: escaped, strict about names, and clean of what a terminal or a browser
would not show as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.files import plain

TEMPLATES = Path(__file__).parent / "templates"


def environment(folder: Path = TEMPLATES) -> Any:
    """Jinja's, for the templates of a folder."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def clean(value: object) -> object:
        """The last gate: no control, ANSI or bidirectional character goes out."""
        if isinstance(value, str) and not isinstance(value, Markup) and not value.isprintable():
            return plain(value)
        return value

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
