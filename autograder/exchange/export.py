"""Marks where they belong: a table for people, for Canvas and Moodle, files for Gradescope.

Marks come from nbgrader's gradebook, so that points given by hand and late penalties count;
Gradescope's files take the messages from the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import as_csv, write_atomically
from autograder.judging.submission import outline_of
from autograder.records.collected import Numbers, Origin, collected, numbers
from autograder.records.gradebook import Mark, Recorder, has_gradebook
from autograder.records.gradebook.students import Person
from autograder.records.history import sha256
from autograder.results import Store, dropped, handed_in

from . import Table
from .gradescope import gradescope

Row = list[Any]


class _Class(NamedTuple):
    """An assignment's marks, and where its submissions came from."""

    assignment: Assignment
    marks: list[Mark]
    absent: list[Person]
    """Who is on the roster and has handed in nothing."""
    origins: dict[str, Origin]
    canvas: Numbers
    column: str
    """What the platform calls the assignment."""

    @property
    def most(self) -> float:
        """What can be earned, by checks and in words."""
        return self.assignment.points + sum(outline_of(self.assignment).answers.values())

    def participant(self, mark: Mark) -> str:
        """A student's number in Moodle's worksheet; "" if there is none."""
        origin = self.origins.get(mark.student)
        return origin.lms_id if origin is not None and origin.system == "Moodle" else ""


def table(
    course_dir: Path, assignment: Assignment, kind: Table, column: str = ""
) -> tuple[str, list[str], list[str]]:
    """The class's marks as CSV text; who has no mark, because the grader failed (an empty field,
    not a zero), or the gradebook is older than the result (no row); and whom Moodle's worksheet
    leaves out, because they did not hand in there. `column` is the platform's own title of the
    assignment."""
    recorder = recorder_of(course_dir, assignment)
    marks = _marks(course_dir, assignment, recorder)
    absent = recorder.absent(assignment.name, marks)
    origins = collected(course_dir, assignment.name).students
    canvas = numbers(course_dir, "Canvas", assignment.name)
    of = _Class(assignment, marks, absent, origins, canvas, column or assignment.title)
    text = as_csv(_TABLES[kind](of))
    known = {mark.student for mark in marks if mark.total is not None}
    graded = {*Store(course_dir).students(assignment.name), *(mark.student for mark in marks)}
    elsewhere = [mark.student for mark in marks if not of.participant(mark)]
    worksheet = kind == "moodle" and len(elsewhere) < len(marks)
    return text, sorted(graded - known), elsewhere if worksheet else []


def recorder_of(course_dir: Path, assignment: Assignment) -> Recorder:
    """Of a course that has a gradebook: an export makes none."""
    if not has_gradebook(course_dir):
        grade = f"`autograder grade {assignment.name} --course {course_dir}`"
        raise CourseError(f"there is no gradebook in {course_dir}; {grade} writes it")
    return Recorder(course_dir, [assignment])


def _marks(course_dir: Path, assignment: Assignment, recorder: Recorder) -> list[Mark]:
    marks = recorder.marks(assignment)
    if not marks:
        raise CourseError(f"nothing of {assignment.name} has been graded in {course_dir}")
    return marks


def _plain_table(of: _Class) -> Iterable[Row]:
    exercises = [exercise.name for exercise in of.assignment.exercises]
    words = [name.removeprefix("answer_") for name in outline_of(of.assignment).answers]
    yield [
        *("student", "last_name", "first_name", "email"),
        *exercises,
        *words,
        *("points", "late_penalty", "total", "max_points"),
    ]
    for mark in of.marks:
        points = [mark.exercises.get(name, "") for name in exercises]
        points += [mark.in_words[name].points if name in mark.in_words else "" for name in words]
        yield [*_named(mark.who), *points, mark.points, mark.penalty, mark.total, mark.max_points]
    for who in of.absent:  # an empty field is no zero: what it means is the course's to say
        yield [*_named(who), *("" for _ in (*exercises, *words)), "", "", "", of.most]


def _named(who: Person) -> Row:
    return [who.student, who.last_name, who.first_name, who.email]


def _canvas(of: _Class) -> Iterable[Row]:
    """What Canvas' gradebook imports: students are known by their Canvas or their login name."""
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", of.column]
    yield ["    Points Possible", "", "", "", "", of.most]
    for mark in of.marks:
        name = ", ".join(filter(None, (mark.who.last_name, mark.who.first_name))) or mark.student
        origin = of.origins.get(mark.student)
        here = origin is not None and origin.system == "Canvas"
        number = of.canvas.of(mark.student, mark.who.lms_id)
        # An id that `collect` made of a file's name is no login.
        yield [name, number, "", "" if here else mark.student, "", mark.total]


def _moodle(of: _Class) -> Iterable[Row]:
    """Moodle's grading worksheet, which it imports as it is; where no student has the number of
    a worksheet, a table for its grade import, with the columns that may name a student."""
    identified = [(mark, number) for mark in of.marks if (number := of.participant(mark))]
    if identified:
        yield [
            *("Identifier", "Full name", "Email address", "Grade", "Maximum Grade"),
            "Last modified (grade)",
        ]
        for mark, number in identified:
            who = [f"Participant {number}", mark.who.name or mark.student, mark.who.email]
            yield [*who, mark.total, of.most, "-"]
        return
    yield ["Username", "ID number", "Email address", "First name", "Last name", of.column]
    for mark in of.marks:
        student, first_name, last_name, email, lms_id = mark.who
        yield [student, lms_id, email, first_name, last_name, mark.total]


def not_graded(course_dir: Path, assignment: Assignment) -> list[str]:
    """Who handed in and has no result, so that no export has them."""
    graded = Store(course_dir).students(assignment.name)
    return sorted(handed_in(course_dir, assignment.name).difference(graded))


def outdated(course_dir: Path, assignment: Assignment) -> list[str]:
    """Whose notebook is another one by now than the one that their mark is for."""
    name, left = assignment.name, dropped(course_dir)
    return [
        result.student
        for result in Store(course_dir).all(name)
        if result.student not in left
        and sha256(course_dir / "submitted" / result.student / name, name)
        not in ("", result.submission_sha256)
    ]


_TABLES: dict[str, Callable[[_Class], Iterable[Row]]] = {
    "csv": _plain_table,
    "canvas": _canvas,
    "moodle": _moodle,
}


def gradescope_files(
    course_dir: Path, assignment: Assignment, folder: Path
) -> tuple[list[Path], list[str]]:
    """A `results.json` of Gradescope's autograder format for every result, by student; and who
    has none, because the grader failed or the result is damaged."""
    store = Store(course_dir)
    students = store.students(assignment.name)
    if not students:
        raise CourseError(f"nothing of {assignment.name} has been graded in {course_dir}")
    recorder = recorder_of(course_dir, assignment)
    marks = {mark.student: mark for mark in _marks(course_dir, assignment, recorder)}
    paths, without = [], []
    for student in students:
        result, mark = store.load(assignment.name, student), marks.get(student)
        if result is None or mark is None or mark.total is None:
            without.append(student)
            continue
        path = folder / f"{student}.json"
        write_atomically(path, msgspec.json.format(msgspec.json.encode(gradescope(result, mark))))
        paths.append(path)
    for student in (*without, *dropped(course_dir)):  # of an export before
        (folder / f"{student}.json").unlink(missing_ok=True)
    return paths, without
