"""Shows: the figures as one HTML page.

Everything on the page comes from the stored results and the submissions, so names, messages and
code are hostile: each expression is cleaned of control characters and escaped on its way out, and
the page may load or run nothing but itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from autograder.files import write_atomically
from autograder.records import similar
from autograder.records.feedback import Pages
from autograder.records.gradebook import has_gradebook
from autograder.records.pages import TEMPLATES, environment

from .counting import (
    STATUS_WORDS,
    Entry,
    Report,
    Submission,
    duration,
    grouped,
    number,
    percent,
    problem,
    read_report,
)


def render(report: Report, now: datetime) -> str:
    """The page."""
    pages = environment(TEMPLATES / "report")
    pages.filters |= {
        "number": number,
        "mark": lambda value: f"{round(value, 2):g}",
        "signed": lambda value: f"{round(value, 2):+g}".replace("-", "−"),
        "percent": percent,
        "duration": duration,
        "clip": clip,
        "together": together,
        "csp_hash": _csp_hash,
    }
    template = pages.get_template("page.html.j2")
    return template.render(
        report=report,
        words=STATUS_WORDS,
        now=now,
        problem=problem,
        least=similar.LEAST,
        heavy=similar.WRONG,
        length=similar.LENGTH,
    )


def write_report(name: str, course_dir: Path) -> Path:
    """Writes `DIR/report/<name>.html` and returns its path."""
    report = read_report(name, course_dir)
    if has_gradebook(course_dir):  # the pages that this one leads to have the same marks
        Pages(course_dir, [report.assignment]).refresh(report.assignment)
    page = render(report, datetime.now())
    path = course_dir / "report" / f"{name}.html"
    write_atomically(path, page.encode())
    return path


def together(entries: Iterable[Entry]) -> list[tuple[str, list[Submission]]]:
    """Entries with the same note as one, in their first one's place."""
    return list(grouped((entry.note, entry.submission) for entry in entries).items())


def clip(text: str, length: int) -> str:
    """`text`, cut where it is longer than anything honest."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _csp_hash(text: str) -> str:
    digest = hashlib.sha256(str(text).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
