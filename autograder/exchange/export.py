"""Marks where they belong: a table for people, for Canvas and Moodle, files for Gradescope.

Marks come from nbgrader's gradebook, so that points given by hand and late penalties count;
Gradescope's files take the messages from the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import as_csv
from autograder.judging.outline import outline_of
from autograder.records.collected import Origin, collected, numbers
from autograder.records.gradebook import Recorder, has_gradebook
from autograder.records.gradebook.students import Person
from autograder.records.history import sha256
from autograder.results import Store, dropped, handed_in, submitted, write_json

from . import Table
from .gradescope import gradescope

Row = list[Any]


class Graded:
    """An assignment's class, as an export needs it; CourseError where nothing was graded."""

    def __init__(self, course_dir: Path, assignment: Assignment) -> None:
        name = assignment.name
        if not has_gradebook(course_dir):  # an export makes none
            grade = f"`autograder grade {name} --course {course_dir}`"
            raise CourseError(f"there is no gradebook in {course_dir}; {grade} writes it")
        self.course_dir, self.assignment = course_dir, assignment
        self.recorder, self.store = Recorder(course_dir, [assignment]), Store(course_dir)
        self.marks = {mark.student: mark for mark in self.recorder.marks(assignment)}
        self.students = sorted({*self.store.students(name), *self.marks})
        """Who has a result or a mark."""
        if not self.students:
            raise CourseError(f"nothing of {name} has been graded in {course_dir}")
        self.origins = collected(course_dir, name).students
        """Where their submissions came from."""

    @property
    def most(self) -> float:
        """What can be earned, by checks and in words."""
        return self.assignment.points + sum(outline_of(self.assignment).answers.values())

    def came_from(self, system: str, student: str) -> Origin | None:
        """Where a submission came from, if that was this platform."""
        origin = self.origins.get(student)
        return origin if origin is not None and origin.system == system else None

    def participant(self, student: str) -> str:
        """The number in Moodle's worksheet; "" if there is none."""
        origin = self.came_from("Moodle", student)
        return origin.lms_id if origin is not None else ""


def table(
    course_dir: Path, assignment: Assignment, kind: Table, column: str = ""
) -> tuple[str, list[str], list[str]]:
    """The class's marks as CSV text; who has no mark, because the grader failed (an empty field,
    not a zero), or the gradebook is older than the result (no row); and whom Moodle's worksheet
    leaves out, because they did not hand in there. `column` is the platform's own title of the
    assignment."""
    of = Graded(course_dir, assignment)
    text = as_csv(_TABLES[kind](of, column or assignment.title))
    known = {student for student, mark in of.marks.items() if mark.total is not None}
    elsewhere = [student for student in of.marks if not of.participant(student)]
    worksheet = kind == "moodle" and len(elsewhere) < len(of.marks)
    return text, sorted({*of.students} - known), elsewhere if worksheet else []


def _plain_table(of: Graded, column: str) -> Iterable[Row]:
    exercises = [exercise.name for exercise in of.assignment.exercises]
    words = [name.removeprefix("answer_") for name in outline_of(of.assignment).answers]
    yield [
        *("student", "last_name", "first_name", "email"),
        *exercises,
        *words,
        *("points", "late_penalty", "total", "max_points"),
    ]
    for mark in of.marks.values():
        points = [mark.exercises.get(name, "") for name in exercises]
        points += [mark.in_words[name].points if name in mark.in_words else "" for name in words]
        yield [*_named(mark.who), *points, mark.points, mark.penalty, mark.total, mark.max_points]
    for who in of.recorder.absent(of.assignment.name, of.marks.values()):
        # An empty field is no zero: what it means is the course's to say.
        yield [*_named(who), *("" for _ in (*exercises, *words)), "", "", "", of.most]


def _named(who: Person) -> Row:
    return [who.student, who.last_name, who.first_name, who.email]


def _canvas(of: Graded, column: str) -> Iterable[Row]:
    """What Canvas' gradebook imports: students are known by their Canvas or their login name."""
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    yield ["    Points Possible", "", "", "", "", of.most]
    canvas_s = numbers(of.course_dir, "Canvas", of.assignment.name)
    for student, mark in of.marks.items():
        name = ", ".join(filter(None, (mark.who.last_name, mark.who.first_name))) or student
        # An id that `collect` made of a file's name is no login.
        login = "" if of.came_from("Canvas", student) else student
        yield [name, canvas_s.of(student, mark.who.lms_id), "", login, "", mark.total]


def _moodle(of: Graded, column: str) -> Iterable[Row]:
    """Moodle's grading worksheet, which it imports as it is; where no student has the number of
    a worksheet, a table for its grade import, with the columns that may name a student."""
    identified = {student: one for student in of.marks if (one := of.participant(student))}
    if identified:
        yield [
            *("Identifier", "Full name", "Email address", "Grade", "Maximum Grade"),
            "Last modified (grade)",
        ]
        for student, number in identified.items():
            mark = of.marks[student]
            who = [f"Participant {number}", mark.who.name or student, mark.who.email]
            yield [*who, mark.total, of.most, "-"]
        return
    yield ["Username", "ID number", "Email address", "First name", "Last name", column]
    for mark in of.marks.values():
        student, first_name, last_name, email, lms_id = mark.who
        yield [student, lms_id, email, first_name, last_name, mark.total]


def not_graded(course_dir: Path, assignment: Assignment) -> list[str]:
    """Who handed in and has no result, so that no export has them."""
    graded = Store(course_dir).students(assignment.name)
    return sorted(handed_in(course_dir, assignment.name).difference(graded))


def outdated(course_dir: Path, assignment: Assignment) -> list[str]:
    """Whose notebook is another one by now than the one that their mark is for."""
    name = assignment.name
    return [
        result.student
        for result in Store(course_dir).all(name)
        if sha256(submitted(course_dir, result.student, name), name)
        not in ("", result.submission_sha256)
    ]


_TABLES: dict[str, Callable[[Graded, str], Iterable[Row]]] = {
    "csv": _plain_table,
    "canvas": _canvas,
    "moodle": _moodle,
}


def gradescope_files(
    course_dir: Path, assignment: Assignment, folder: Path
) -> tuple[list[Path], list[str]]:
    """A `results.json` of Gradescope's autograder format for every result, by student; and who
    has none, because the grader failed or the result is damaged."""
    of = Graded(course_dir, assignment)
    paths, without = [], []
    for student in of.students:
        result, mark = of.store.load(assignment.name, student), of.marks.get(student)
        if result is None or mark is None or mark.total is None:
            without.append(student)
            continue
        path = folder / f"{student}.json"
        write_json(path, gradescope(result, mark))
        paths.append(path)
    for student in (*without, *dropped(course_dir)):  # of an export before
        (folder / f"{student}.json").unlink(missing_ok=True)
    return paths, without
