"""Marks where they belong: a table for people, for Canvas and Moodle, files for Gradescope.

Marks come from nbgrader's gradebook, so that points given by hand and late penalties count;
Gradescope's files come from the results, which hold the messages.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import plain, write_atomically
from autograder.records.gradebook import Mark, Recorder
from autograder.results import Store

from .gradescope import gradescope

Table = Literal["csv", "canvas", "moodle"]
Row = list[Any]


def table(course_dir: Path, assignment: Assignment, kind: Table) -> tuple[str, list[str]]:
    """The class's marks as CSV text; and who has no mark, because the grader failed: an empty
    field, not a zero."""
    marks = Recorder(course_dir, [assignment]).marks(assignment)
    if not marks:
        raise CourseError(f"nothing of {assignment.name} has been graded in {course_dir}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in _TABLES[kind](assignment, marks):
        writer.writerow([_harmless(cell) for cell in row])
    return text.getvalue(), [mark.student for mark in marks if mark.total is None]


def _plain_table(assignment: Assignment, marks: list[Mark]) -> Iterable[Row]:
    exercises = [exercise.name for exercise in assignment.exercises]
    yield [
        *("student", "last_name", "first_name", "email"),
        *exercises,
        *("points", "late_penalty", "total", "max_points"),
    ]
    for mark in marks:
        points = [mark.exercises.get(name, "") for name in exercises]
        who = [mark.student, mark.last_name, mark.first_name, mark.email]
        yield [*who, *points, mark.points, mark.penalty, mark.total, mark.max_points]


def _canvas(assignment: Assignment, marks: list[Mark]) -> Iterable[Row]:
    """What Canvas' gradebook imports: students are known by their Canvas or their login name."""
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment.title]
    yield ["    Points Possible", "", "", "", "", assignment.points]
    for mark in marks:
        name = ", ".join(filter(None, (mark.last_name, mark.first_name))) or mark.student
        yield [name, mark.lms_id, "", mark.student, "", mark.total]


def _moodle(assignment: Assignment, marks: list[Mark]) -> Iterable[Row]:
    """What Moodle's grade import reads; choose there which column names the student."""
    yield ["Username", "ID number", "Email address", "First name", "Last name", assignment.title]
    for mark in marks:
        who = [mark.student, mark.lms_id, mark.email, mark.first_name, mark.last_name]
        yield [*who, mark.total]


_TABLES: dict[str, Callable[[Assignment, list[Mark]], Iterable[Row]]] = {
    "csv": _plain_table,
    "canvas": _canvas,
    "moodle": _moodle,
}


def _harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula becomes text again."""
    if not isinstance(cell, str):
        return cell
    text = plain(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def gradescope_files(
    course_dir: Path, assignment: Assignment, folder: Path
) -> tuple[list[Path], list[str]]:
    """A `results.json` of Gradescope's autograder format for every result, by student; and who
    has none, because the grader failed."""
    results = Store(course_dir).all(assignment.name)
    if not results:
        raise CourseError(f"nothing of {assignment.name} has been graded in {course_dir}")
    paths = []
    for result in results:
        if result.status == "grader_error":
            continue
        path = folder / f"{result.student}.json"
        write_atomically(path, msgspec.json.format(msgspec.json.encode(gradescope(result))))
        paths.append(path)
    return paths, [result.student for result in results if result.status == "grader_error"]
