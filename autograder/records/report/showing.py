"""Shows: the figures as one HTML page.

Everything on the page comes from the stored results and the submissions, so names, messages and
code are hostile: each expression is cleaned of control characters and escaped on its way out, and
the page may load or run nothing but itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from autograder.files import write_atomically
from autograder.records import similar
from autograder.records.feedback import Pages
from autograder.records.gradebook import Recorder, has_gradebook
from autograder.records.pages import page
from autograder.records.words import STATUS

from .counting import Entry, Report, Submission, grouped
from .remarks import remarks


def render(report: Report, now: datetime) -> str:
    """The page."""
    return page(
        "report/page.html.j2",
        report=report,
        words=STATUS,
        now=now,
        remarks=remarks(report),
        together=together,
        least=similar.LEAST,
        heavy=similar.WRONG,
        length=similar.LENGTH,
    )


def write_report(report: Report, course_dir: Path) -> Path:
    """Writes `DIR/report/<name>.html` and returns its path."""
    if has_gradebook(course_dir):  # the pages that this one leads to have the same marks
        found, marks = report.assignment, {one.name: one.mark for one in report.submissions}
        Pages(Recorder(course_dir, [found])).renew(found, marks, marks)
    path = course_dir / "report" / f"{report.assignment.name}.html"
    write_atomically(path, render(report, datetime.now()).encode())
    return path


def together(entries: Iterable[Entry]) -> list[tuple[str, list[Submission]]]:
    """Entries with the same note as one, in their first one's place."""
    return list(grouped((entry.note, entry.submission) for entry in entries).items())
