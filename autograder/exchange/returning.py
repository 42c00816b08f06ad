"""Feedback on its way back: zips of pages, named so that each platform finds its student."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.files import as_csv, several, write_atomically
from autograder.records.feedback import Pages

from . import Feedback
from .export import Graded


def feedback_archive(
    course_dir: Path, assignment: Assignment, kind: Feedback, archive: Path
) -> tuple[int, list[str]]:
    """Writes the feedback pages into one zip; how many, and who is left out, why.

    `feedback` has a folder for each student and a list of addresses, to send mail from. The
    others are what the platform takes back, and hold whoever handed in there.
    """
    of, name = Graded(course_dir, assignment), assignment.name
    Pages(of.recorder).renew(assignment, of.students, of.marks)
    pages: dict[str, Path] = {}
    left_out, elsewhere = [], list[str]()
    for student in of.students:
        page = course_dir / "feedback" / student / name / f"{name}.html"
        place = _place(of, kind, student)
        if of.store.load(name, student) is None:
            left_out.append(f"{student}: the result is damaged or gone; grade again")
        elif not page.is_file():
            left_out.append(f"{student}: there is no feedback page; grade again")
        elif not place:
            elsewhere.append(student)
        else:
            pages[place] = page
    if elsewhere:
        left_out.append(f"{several(elsewhere)}: not collected from an archive of {_WAYS[kind][0]}")
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as zipped:
        for place, page in sorted(pages.items()):
            zipped.write(page, place)
        if kind == "feedback":
            zipped.writestr("recipients.csv", as_csv(_recipients(of, pages)))
    write_atomically(archive, text.getvalue())
    return len(pages), left_out


def _place(of: Graded, kind: Feedback, student: str) -> str:
    """A page's in the archive; "" where the platform would not know whose it is."""
    if kind == "feedback":
        return f"{student}/{of.assignment.name}.html"
    system, named = _WAYS[kind]
    origin = of.came_from(system, student)
    return named(origin.label, of.assignment.name) if origin is not None else ""


def _moodle(label: str, name: str) -> str:
    """Moodle reads name, number and plugin between underscores."""
    return f"{label.split('_assignsubmission_')[0]}_assignsubmission_file_/{name}.html"


def _canvas(label: str, name: str) -> str:
    """Canvas reads the two numbers: the student's, and the file's that this one answers."""
    begins = re.match(r".+?_\d+_\d+_|(?:LATE_)?anon_[^_]+_\d+_", label)
    return f"{begins[0] if begins else label}{name}.html"


def _brightspace(label: str, name: str) -> str:
    return f"{label}/{name}.html"


_WAYS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "moodle-feedback": ("Moodle", _moodle),
    "canvas-feedback": ("Canvas", _canvas),
    "brightspace-feedback": ("Brightspace", _brightspace),
}


def _recipients(of: Graded, pages: Container[str]) -> Iterator[list[Any]]:
    """Who gets which page, with the address, for a mail merge."""
    yield ["student", "name", "email", "total", "file"]
    for mark in of.marks.values():
        place = _place(of, "feedback", mark.student)
        if place in pages:
            yield [mark.student, mark.who.name, mark.who.email, mark.total, place]
