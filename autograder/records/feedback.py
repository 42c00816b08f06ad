"""One page for each student: what was earned, what went wrong, and what to look at.

A page is one file without scripts or outside parts. Everything in it that a student could have
written is escaped and freed of control characters, and the page forbids scripts by itself.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.files import newer, plain, write_atomically
from autograder.results import ExerciseResult, Result, Store

_TEMPLATE = Path(__file__).parent / "templates" / "feedback.html.j2"
_GENERATOR = b'<meta name="generator" content="autograder">'
_STATUS = {
    "right": "right",
    "partly": "partly right",
    "wrong": "not right yet",
    "unwritten": "not written yet",
    "missing": "not found",
    "error": "not graded",
}
_OUTCOMES = {
    "passed": ("✓", "passed"),
    "failed": ("✗", "failed"),
    "not_counted": ("–", "not counted"),
    "error": ("!", "not run"),
}


class Pages:
    """Writes `feedback/<student>/<name>/<name>.html` for each result."""

    def __init__(self, course_dir: Path, assignments: Iterable[Assignment]) -> None:
        self.root = course_dir / "feedback"
        self.store = Store(course_dir)
        self.assignments = {assignment.name: assignment for assignment in assignments}

    def path(self, result: Result) -> Path:
        folder = self.root / result.student / result.assignment
        return folder / f"{result.assignment}.html"

    def record(self, result: Result) -> None:
        """Where the page was not made since the result was: by this class, or by nbgrader, whose
        page has what was marked by hand."""
        path = self.path(result)
        if newer(path, self.store.path(result.assignment, result.student), _TEMPLATE):
            return
        page = page_of(self.assignments[result.assignment], result)
        write_atomically(path, page.encode())

    def remove(self, result: Result) -> None:
        """Makes room for `nbgrader generate_feedback`, which skips a folder that exists."""
        path = self.path(result)
        if _ours(path):
            path.unlink()
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def _ours(path: Path) -> bool:
    try:
        return _GENERATOR in path.read_bytes()[:1000]
    except OSError:
        return False


def page_of(assignment: Assignment, result: Result) -> str:
    """The page as HTML."""
    return str(_template().render(assignment=assignment, result=result))


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def finalize(value: object) -> object:
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": "{:g}".format,
        "other_messages": _other_messages,
        "coded": lambda text: Markup(re.sub(r"`(\w+)`", r"<code>\1</code>", str(escape(text)))),
    }
    environment.globals |= {"STATUS": _STATUS, "OUTCOMES": _OUTCOMES}
    return environment.get_template(_TEMPLATE.name)


def _other_messages(exercise: ExerciseResult) -> list[str]:
    """What failed public checks say beyond the exercise's own message.

    A hidden check's message stays out: the page names it by its title. Where the function is
    not there, one message says it all.
    """
    if exercise.status in ("unwritten", "missing"):
        return []
    messages = [check.message for check in exercise.checks if not check.hidden]
    return [text for text in dict.fromkeys(messages) if text and text != exercise.message]
