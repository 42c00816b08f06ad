"""What the gradebook says of submissions: the one source of every mark that is shown anywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from autograder.course import Assignment
from autograder.files import nearest, plain
from autograder.records.words import minute, points
from autograder.results import ExerciseResult, Result

from .givers import givers
from .rows import auto_score, given, rows_by_book, submissions, with_extension
from .students import Person, person


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
        return f"{points(self.points)} by hand{giver}"

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

    who: Person
    exercises: dict[str, float | None]
    """None where the grader failed and nobody has given points by hand."""
    points: float
    max_points: float
    by_hand: dict[str, ByHand]
    """The exercises whose points are not those of the checks."""
    comments: dict[str, str]
    """What people wrote about cells, by exercise."""
    in_words: dict[str, InWords]
    """What was asked in words, by question."""
    penalty: float = 0.0
    handed_in: datetime | None = None
    """In UTC, like `due`."""
    due: datetime | None = None
    """With the student's extension."""
    attempts: tuple[str, ...] = ()
    """Of several attempts: which one this is, and what stays with another."""

    @property
    def student(self) -> str:
        return self.who.student

    @property
    def total(self) -> float | None:
        """None while an exercise has no points: it is no zero."""
        if None in self.exercises.values():
            return None
        return nearest(max(0.0, self.points - self.penalty))

    def given(self, exercise: ExerciseResult) -> float | None:
        """An exercise's points; those of the checks, where it is none of today's."""
        points = self.exercises.get(exercise.name)
        return exercise.points if points is None and exercise.status != "error" else points

    @property
    def story(self) -> list[str]:
        """How the total came about, where it is not what the checks gave."""
        told = list(self.attempts)
        for exercise, change in self.by_hand.items():
            if exercise in self.in_words:
                continue
            was = points(change.checks)
            told.append(f"{exercise}: {change.told}, the checks gave {was}{change.why}")
        for name, (earned, most) in self.in_words.items():
            if not most and not earned:
                continue
            if earned is None:
                told.append(f"{name}: answered in words, still to be marked by hand")
            elif (hand := self.by_hand.get(name)) is not None:
                told.append(f"{name}: {hand.told}{hand.why}")
        if self.penalty:
            less = f"{points(self.points)} less {points(self.penalty)}"
            told.append(f"handed in late{self._late}: {less}")
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


def of_checks(assignment: Assignment, result: Result) -> Mark:
    """What the checks gave, where the gradebook holds nothing of a submission."""
    judged = {exercise.name: exercise for exercise in result.exercises}
    return Mark(
        who=Person(result.student),
        exercises={e.name: auto_score(result, judged.get(e.name)) for e in assignment.exercises},
        points=result.points,
        max_points=result.max_points,
        by_hand={},
        comments={},
        in_words={},
    )


def read_marks(
    session: Any, assignment: Assignment, known: dict[str, float], student: str = ""
) -> list[Mark]:
    """An assignment's marks, by student; or that one student's. `known`: the points that results
    are out of.

    nbgrader's own objects ask the database anew for every grade; a test holds what is read here
    against them.
    """
    from nbgrader import api

    submitted = submissions(session, assignment.name, student)
    books = [one.id for one in submitted] if student else None
    grades = rows_by_book(session, api.Grade, ("auto_score", "manual_score", "extra_credit"), books)
    comments = rows_by_book(session, api.Comment, ("manual_comment",), books)
    who = givers(session)
    marks = [
        _mark(assignment, one, grades.get(one.id, []), comments.get(one.id, []), who, known)
        for one in submitted
    ]
    return sorted(marks, key=lambda mark: mark.student)


def _mark(
    assignment: Assignment,
    submitted: Any,
    grades: list[Any],
    comments: list[Any],
    who: dict[str, str],
    known: dict[str, float],
) -> Mark:
    said = {shown(row.name): row.manual_comment for row in comments if row.manual_comment}
    rows = {row.name: row for row in grades}
    earned = {row.name: given(row, row.auto_score) for row in grades}
    cells = {exercise.check_cell: exercise.name for exercise in assignment.exercises}
    order = [*(cell for cell in cells if cell in rows), *sorted(rows.keys() - cells.keys())]
    # Checks are worth what the result has, which other ones than today's may have judged.
    checked = sum(row.max_score for row in grades if row.name.startswith("check_"))
    others = sum(row.max_score for row in grades if not row.name.startswith("check_"))
    return Mark(
        who=person(submitted[-len(Person._fields) :]),
        exercises={cells[cell]: earned[cell] for cell in order if cell in cells},
        points=float(sum(points or 0.0 for points in earned.values())),
        penalty=float(submitted.late_submission_penalty or 0.0),
        max_points=float(known.get(submitted.student, checked) + others),
        by_hand={
            shown(cell): ByHand(
                rows[cell].auto_score,
                earned[cell] or 0.0,
                said.get(shown(cell), ""),
                who.get(rows[cell].id, ""),
            )
            for cell in order
            if rows[cell].manual_score is not None or rows[cell].extra_credit
        },
        comments={name: said[name] for name in (*cells.values(), *sorted(said)) if name in said},
        handed_in=submitted.timestamp,
        due=with_extension(submitted.duedate, submitted.extension),
        in_words={
            shown(cell): InWords(earned[cell], float(rows[cell].max_score))
            for cell in order
            if cell.startswith("answer_")
        },
    )


def shown(cell: str) -> str:
    """What a graded cell is called in a mark: the exercise whose check it is."""
    return cell.removeprefix("check_").removeprefix("answer_")
