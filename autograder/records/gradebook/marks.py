"""What the gradebook says of submissions: the one source of every mark that is shown anywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from autograder.course import Assignment
from autograder.files import plain

from .givers import givers


class ByHand(NamedTuple):
    """What somebody changed in formgrader of an exercise's points."""

    checks: float | None
    """What the checks gave."""
    points: float
    """What counts instead, extra credit included."""
    comment: str = ""
    giver: str = ""
    """Who gave it and when, as far as that is known (`givers`)."""

    @property
    def told(self) -> str:
        giver = f" ({plain(self.giver)})" if self.giver else ""
        return f"{round(self.points, 2):g} by hand{giver}"

    @property
    def why(self) -> str:
        return f": {_line(self.comment)}" if self.comment else ""


class InWords(NamedTuple):
    """A question that is answered in words and marked by hand."""

    points: float | None
    """None where something was written that nobody has marked."""
    most: float

    @property
    def to_mark(self) -> bool:
        """Whether points wait for somebody; a question without any may be read or not."""
        return self.points is None and self.most > 0


class Mark(NamedTuple):
    """What the gradebook says of one submission, points by hand and penalties included."""

    student: str
    first_name: str
    last_name: str
    email: str
    lms_id: str
    exercises: dict[str, float | None]
    """None where the grader failed and nobody has given points by hand."""
    points: float
    penalty: float
    max_points: float
    by_hand: dict[str, ByHand]
    """The exercises whose points are not those of the checks."""
    comments: dict[str, str]
    """What people wrote about cells, by exercise."""
    handed_in: datetime | None
    """In UTC, like `due`."""
    due: datetime | None
    """With the student's extension."""
    in_words: dict[str, InWords]
    """What was asked in words, by question."""
    attempts: tuple[str, ...] = ()
    """Of several attempts: which one this is, and what stays with another."""

    @property
    def name(self) -> str:
        """The name on the roster; "" if there is none."""
        return plain(f"{self.first_name} {self.last_name}".strip())

    @property
    def total(self) -> float | None:
        """None while an exercise has no points: it is no zero."""
        if None in self.exercises.values():
            return None
        return round(max(0.0, self.points - self.penalty), 2)

    @property
    def story(self) -> list[str]:
        """How the total came about, where it is not what the checks gave."""
        told = list(self.attempts)
        for exercise, change in self.by_hand.items():
            if exercise in self.in_words:
                continue
            was = "no mark" if change.checks is None else f"{round(change.checks, 2):g}"
            told.append(f"{exercise}: {change.told}, the checks gave {was}{change.why}")
        for name, (points, most) in self.in_words.items():
            if not most and not points:
                continue
            if points is None:
                told.append(f"{name}: answered in words, still to be marked by hand")
            elif (hand := self.by_hand.get(name)) is not None:
                told.append(f"{name}: {hand.told}{hand.why}")
        if self.penalty:
            told.append(
                f"handed in late{self._late}: {round(self.points, 2):g} less "
                f"{round(self.penalty, 2):g}"
            )
        return told

    @property
    def _late(self) -> str:
        if self.handed_in is None or self.due is None:
            return ""
        handed_in, due = minute(self.handed_in), minute(self.due)
        if handed_in == due:
            handed_in, due = (f"{moment:%H:%M:%S} UTC" for moment in (self.handed_in, self.due))
        return f" ({handed_in}, due {due})"


def _line(text: str) -> str:
    return " ".join(plain(text).split())


def minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def read_marks(
    session: Any, assignment: Assignment, known: dict[str, float], student: str = ""
) -> list[Mark]:
    """An assignment's marks, by student; or that one student's. `known`: the points that results
    are out of.

    nbgrader's own objects ask the database anew for every grade; a test holds what is read here
    against them.
    """
    from nbgrader import api

    submitted = _submitted(session, assignment.name, student)
    books = [one.book for one in submitted] if student else None
    grades = rows_by_book(session, api.Grade, ("auto_score", "manual_score", "extra_credit"), books)
    comments = rows_by_book(session, api.Comment, ("manual_comment",), books)
    who = givers(session)
    cells = {exercise.check_cell: exercise.name for exercise in assignment.exercises}
    marks = []
    for one in submitted:
        written = [row for row in comments.get(one.book, []) if row.manual_comment]
        said = {shown(row.name): row.manual_comment for row in written}
        rows = {row.name: row for row in grades.get(one.book, [])}
        order = [*(cell for cell in cells if cell in rows), *sorted(rows.keys() - cells.keys())]
        due = one.duedate
        marks.append(
            Mark(
                student=one.student,
                first_name=one.first_name or "",
                last_name=one.last_name or "",
                email=one.email or "",
                lms_id=one.lms_user_id or "",
                exercises={cells[cell]: given(rows[cell]) for cell in order if cell in cells},
                points=float(sum(given(row) or 0.0 for row in rows.values())),
                penalty=float(one.penalty or 0.0),
                max_points=_worth(one.student, known, rows),
                by_hand={
                    shown(cell): ByHand(
                        rows[cell].auto_score,
                        given(rows[cell]) or 0.0,
                        said.get(shown(cell), ""),
                        who.get(rows[cell].id, ""),
                    )
                    for cell in order
                    if rows[cell].manual_score is not None or rows[cell].extra_credit
                },
                comments={
                    name: said[name] for name in (*cells.values(), *sorted(said)) if name in said
                },
                handed_in=one.timestamp,
                due=due + one.extension if due and one.extension else due,
                in_words={
                    shown(cell): InWords(given(rows[cell]), float(rows[cell].max_score))
                    for cell in order
                    if cell.startswith("answer_")
                },
            )
        )
    return sorted(marks, key=lambda mark: mark.student)


def _submitted(session: Any, name: str, student: str) -> list[Any]:
    """A row for each submission of an assignment, or that student's: when, due when, by whom."""
    from nbgrader import api
    from sqlalchemy import select

    handed, book = api.SubmittedAssignment, api.SubmittedNotebook
    query = (
        select(
            handed.timestamp,
            handed.extension,
            api.Assignment.duedate,
            book.late_submission_penalty.label("penalty"),
            book.id.label("book"),
            api.Student.id.label("student"),
            api.Student.first_name,
            api.Student.last_name,
            api.Student.email,
            api.Student.lms_user_id,
        )
        .join(api.Assignment, api.Assignment.id == handed.assignment_id)
        .join(api.Student, api.Student.id == handed.student_id)
        .join(book, book.assignment_id == handed.id)
        .join(api.Notebook, api.Notebook.id == book.notebook_id)
        .where(api.Assignment.name == name, api.Notebook.name == name)
    )
    if student:
        query = query.where(handed.student_id == student)
    found: list[Any] = session.execute(query).all()
    return found


def _worth(student: str, known: dict[str, float], rows: dict[str, Any]) -> float:
    """What could be earned: by the checks as the result has it, which other checks may have made
    than those of today, and by hand."""
    checked = [row.max_score for cell, row in rows.items() if cell.startswith("check_")]
    by_hand = [row.max_score for cell, row in rows.items() if not cell.startswith("check_")]
    return float(known.get(student, sum(checked)) + sum(by_hand))


def shown(cell: str) -> str:
    """What a graded cell is called in a mark: the exercise whose check it is."""
    return cell.removeprefix("check_").removeprefix("answer_")


def rows_by_book(
    session: Any, table: Any, columns: tuple[str, ...], books: list[str] | None
) -> dict[str, list[Any]]:
    """The rows of a table by submitted notebook, with the names of their cells."""
    from nbgrader import api
    from sqlalchemy import func, select

    grade, task = api.GradeCell.__table__, api.TaskCell.__table__
    query = (
        select(
            table.id,
            table.notebook_id,
            api.BaseCell.name,
            func.coalesce(grade.c.max_score, task.c.max_score, 0.0).label("max_score"),
            *(getattr(table, column) for column in columns),
        )
        .join(api.BaseCell.__table__, api.BaseCell.__table__.c.id == table.cell_id)
        .outerjoin(grade, grade.c.id == table.cell_id)
        .outerjoin(task, task.c.id == table.cell_id)
    )
    if books is not None:
        query = query.where(table.notebook_id.in_(books))
    found: dict[str, list[Any]] = {}
    for row in session.execute(query).all():
        found.setdefault(row.notebook_id, []).append(row)
    return found


def given(grade: Any) -> float | None:
    """A cell's points. nbgrader itself calls it zero where there are none."""
    if grade.auto_score is None and grade.manual_score is None:
        return None
    points = grade.auto_score if grade.manual_score is None else grade.manual_score
    return float(points) + float(grade.extra_credit or 0.0)
