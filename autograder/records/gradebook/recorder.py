"""The one who writes: results into nbgrader's gradebook, and autograded notebooks."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import plain, write_atomically
from autograder.judging.outline import outline_of
from autograder.records.history import told
from autograder.results import Result, Store, dropped, handed_in, submitted

from .by_hand import Given, part, read_given, replace_given
from .configuration import Penalties, configuration
from .marks import Mark, of_checks, read_marks
from .notebooks import write_autograded
from .rows import (
    comment,
    given,
    in_conflict,
    make_tables,
    row_of,
    save_cells,
    scored,
    submission_row,
    submissions,
    submitted_notebook,
    update_rows,
)
from .students import Known, Person, person, save_students, student_columns
from .times import submission_time

log = logging.getLogger(__name__)

COURSE_ID = "default_course"
"""nbgrader's own default; PostgreSQL insists that the course is named."""
_ATTEMPTS = 10
PATIENCE = 30.0
"""Seconds to wait for a locked database."""


class GradebookError(CourseError):
    """The gradebook cannot be read or written; the message names it and says what to do."""


class _Conflict(GradebookError):
    """Another grader has written the same rows at the same moment."""


class Recorder:
    """Records results of some assignments in one course's gradebook.

    Where `course_dir` has an `nbgrader_config.py`, its database, its course and its late
    penalties are used.
    """

    def __init__(
        self, course_dir: Path, assignments: Iterable[Assignment], *, db_url: str = ""
    ) -> None:
        self.course_dir = course_dir.resolve()
        self.assignments = {assignment.name: assignment for assignment in assignments}
        config = configuration(self.course_dir)
        self._penalties = Penalties(config, self.course_dir)
        self._course_id = config.CourseDirectory.get("course_id", "") or COURSE_ID
        self._url, self._file = _database(self.course_dir, config, db_url)
        if self._url.get_backend_name() == "sqlite":
            self._url = self._url.update_query_dict({"timeout": str(PATIENCE)})
        self._opened: tuple[int, int] | None = None
        self._prepare()

    def record(self, result: Result) -> None:
        """The result in the gradebook, and the submission's autograded notebook."""
        assignment = self.assignments[result.assignment]
        write_autograded(self.course_dir, self.autograded(result), assignment, result)
        if self._opened != self._identity:
            self._prepare()  # somebody removed or replaced the database, and the marks in it
            for name in self.assignments:
                for known in Store(self.course_dir).all(name):
                    self._mark(known)
        self._mark(result)

    def autograded(self, result: Result) -> Path:
        """Where a submission's autograded notebook is written."""
        folder = self.course_dir / "autograded" / result.student / result.assignment
        return folder / f"{result.assignment}.ipynb"

    def _mark(self, result: Result) -> None:
        self._written(lambda session: self._record(session, result, self._came_in(result)))

    def _came_in(self, result: Result) -> datetime | None:
        folder = submitted(self.course_dir, result.student, result.assignment)
        return submission_time(folder).moment

    def know(self, people: Iterable[Known]) -> None:
        """Keeps names, addresses and ids; what the gradebook has of a student stays."""
        people = list(people)
        self._written(lambda session: save_students(session, people))

    def preview(
        self, result: Result, folder: Path | None = None, given: list[Given] | None = None
    ) -> Mark:
        """What the gradebook would hold if the result were recorded; nothing is. `folder` tells
        when it came in, and `given` what it has by hand, where it is of another attempt."""
        assignment = self.assignments[result.assignment]
        time = submission_time(folder).moment if folder else self._came_in(result)
        with self._session() as session:
            self._record(session, result, time)
            if given is not None:
                replace_given(session, result.assignment, result.student, given)
                self._record(session, result, time)
            session.flush()
            known = {result.student: result.max_points}
            (mark,) = read_marks(session, assignment, known, result.student)
            session.rollback()
        return mark

    def given(self, name: str, student: str) -> list[Given]:
        """What somebody gave by hand for the attempt that counts."""
        with self._session() as session:
            return read_given(session, name, student)

    def give(self, name: str, student: str, given: list[Given]) -> None:
        """Puts this in the place of what was given by hand."""
        self._written(lambda session: replace_given(session, name, student, given))

    def part(self, name: str, student: str) -> None:
        """Before what was given by hand is set aside: whoever has its page open gives no more."""
        self._written(lambda session: part(session, name, student))

    def roster(self) -> dict[str, Person]:
        """Everyone whom the gradebook knows and who has not left, by id."""
        left = dropped(self.course_dir)
        return {who: one for who, one in self.everyone().items() if who not in left}

    def everyone(self) -> dict[str, Person]:
        """The same with those who have left."""
        with self._session() as session:
            people = [person(row) for row in session.execute(select(*student_columns())).all()]
        return {one.student: one for one in people}

    def marks(self, assignment: Assignment) -> list[Mark]:
        """What the gradebook holds of an assignment, by student; without those who have left."""
        known, left = Store(self.course_dir).max_points(assignment.name), dropped(self.course_dir)
        with self._session() as session:
            held = read_marks(session, assignment, known)
        found = [self._penalties.renewed(mark) for mark in held]
        changed = [now for now, was in zip(found, held, strict=True) if now != was]
        self._save_penalties(assignment.name, {m.student: m.penalty or None for m in changed})
        return [self._with_attempts(assignment, mark) for mark in found if mark.student not in left]

    def _save_penalties(self, name: str, penalties: dict[str, float | None]) -> None:
        """So that the gradebook says the same; one that may only be read stops no report."""
        from nbgrader.api import SubmittedNotebook

        def save(session: Any) -> None:
            rows = [row for row in submissions(session, name) if row.student in penalties]
            late = "late_submission_penalty"
            changes = [(row, {late: penalties[row.student]}) for row in rows]
            update_rows(session, SubmittedNotebook, changes)

        if penalties:
            try:
                self._written(save)
            except GradebookError as error:
                log.warning("what being late costs by now was not written: %s", plain(str(error)))

    def _with_attempts(self, assignment: Assignment, mark: Mark) -> Mark:
        return mark._replace(attempts=told(self.course_dir, assignment.name, mark.student))

    def absent(self, name: str, marks: Iterable[Mark]) -> list[Person]:
        """Who is on the roster and has handed in nothing; `marks` are the assignment's."""
        there = handed_in(self.course_dir, name) | {mark.student for mark in marks}
        return [one for who, one in sorted(self.roster().items()) if who not in there]

    def mark(self, result: Result) -> Mark:
        """What the gradebook holds of the submission that a result is of; what the checks gave
        where it holds nothing, or is another file than this recorder has prepared."""
        assignment, found = self.assignments[result.assignment], list[Mark]()
        if self._opened == self._identity:
            known = {result.student: result.max_points}
            with self._session() as session:
                found = read_marks(session, assignment, known, result.student)
        return self._with_attempts(assignment, *(found or [of_checks(assignment, result)]))

    # the database -------------------------------------------------------------------------

    def _written(self, write: Callable[[Any], None]) -> None:
        """`write` in one transaction. Where another grader was first to make a row, the
        database refuses to double it, and the transaction is tried again on what is there."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                with self._session() as session:
                    write(session)
                return
            except _Conflict:
                if not left:
                    raise

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        """One transaction; any trouble becomes a GradebookError."""
        from nbgrader.api import InvalidEntry

        try:
            gradebook = self._gradebook
            try:
                yield gradebook.db
                gradebook.db.commit()
            finally:
                # The file is closed after each submission, so that a replaced one is noticed.
                gradebook.close()
        except (SQLAlchemyError, InvalidEntry, OSError, ImportError) as error:
            kind = _Conflict if in_conflict(error) else GradebookError
            raise kind(self._explained(error)) from None

    @functools.cached_property
    def _gradebook(self) -> Any:
        from nbgrader.api import Gradebook

        make_tables(self._url)
        return Gradebook(self._url, self._course_id)

    @property
    def _identity(self) -> tuple[int, int] | None:
        """Of the database's file, where it is one."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                status = self._file.stat()
                return status.st_dev, status.st_ino
        return None

    @property
    def _where(self) -> str:
        return str(self._file or self._url.render_as_string(hide_password=True))

    def _explained(self, error: Exception) -> str:
        where = self._where
        text = str(getattr(error, "orig", None) or error).split("\n")[0]
        results = self.course_dir / "results"
        if "locked" in text:
            return (
                f"the gradebook {where} is locked by another program (formgrader, another "
                f"nbgrader, a file synchroniser); waited {PATIENCE:g} s. Nothing is lost: "
                f"the results are in {results}; end that program and run the command again"
            )
        if re.search("no such column|(column|relation) .* does not exist", text):
            text += "; if an older nbgrader made it, run `nbgrader db upgrade`"
        return f"the gradebook {where} cannot be used: {text}. The results are in {results}"

    def _prepare(self) -> None:
        """Tables, assignments and their cells, as `generate_assignment` would leave them."""
        self.__dict__.pop("_gradebook", None)

        def save(session: Any) -> None:
            self._refuse_another_course(session)
            for assignment in self.assignments.values():
                save_cells(session, assignment, self._course_id)

        self._written(save)
        self._opened = self._identity
        for assignment in self.assignments.values():
            _put_source(assignment, self.course_dir)

    def _refuse_another_course(self, session: Any) -> None:
        """An assignment's name is unique in nbgrader's database: two courses would share marks."""
        from nbgrader.api import Assignment

        held = {row.course_id for row in session.execute(select(Assignment.course_id)).all()}
        others = sorted(held - {COURSE_ID, self._course_id})
        if others and self._course_id != COURSE_ID:
            raise GradebookError(
                f"the gradebook {self._where} holds the course {others[0]}, and this is "
                f"{self._course_id}: it keeps one course alone. Name another database for this one "
                f"in {self.course_dir / 'nbgrader_config.py'}"
            )

    def _record(self, session: Any, result: Result, time: datetime | None) -> None:
        from nbgrader import api

        assignment = self.assignments[result.assignment]
        row_of(session, api.Student, {"id": result.student})
        submission_id, due = submission_row(session, assignment.name, result.student, time)
        book = submitted_notebook(session, assignment.name, submission_id)
        outline = outline_of(assignment)
        exercises = {exercise.name: exercise for exercise in result.exercises}
        checks = {exercise.check_cell: exercise.name for exercise in assignment.exercises}
        scores, total = [], 0.0
        for grade in book.grades:
            change = scored(book.cells[grade.cell_id], grade, result, checks, outline)
            scores.append((grade, change))
            total += given(grade, change.get("auto_score", grade.auto_score)) or 0.0
        said = [
            (row, {"auto_comment": comment(result, exercises.get(name))})
            for row in book.comments
            if (name := book.cells[row.cell_id]) in checks.values()
        ]
        late = self._penalties.of(result.student, total, time, due)
        update_rows(session, api.Grade, scores)
        update_rows(session, api.Comment, said)
        update_rows(session, api.SubmittedNotebook, [(book.row, {"late_submission_penalty": late})])


def _database(course_dir: Path, config: Any, chosen: str = "") -> tuple[Any, Path | None]:
    """The address of the one that is named, else of the course's own; its file, where one is
    named by its path."""
    try:
        url = make_url(
            chosen
            or config.CourseDirectory.get("db_url", "")
            or URL.create("sqlite", database="gradebook.db")
        )
    except ArgumentError as error:
        raise CourseError(f"nbgrader_config.py: db_url: {error}") from None
    named = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or named.startswith((":", "file:")):
        return url, None
    file = course_dir / named  # as from the folder
    return url.set(database=str(file)), file


def has_gradebook(course_dir: Path) -> bool:
    """Whether there is one to read; of one that no path names, as a server's, it is not asked."""
    if not any((course_dir / name).is_file() for name in ("gradebook.db", "nbgrader_config.py")):
        return False
    _, file = _database(course_dir, configuration(course_dir))
    return file is None or file.is_file()


def in_gradebook(
    course_dir: Path, assignment: Assignment
) -> tuple[dict[str, Mark], dict[str, Person]]:
    """An assignment's marks by student, and the course's roster; both empty without a gradebook."""
    if not has_gradebook(course_dir):
        return {}, {}
    recorder = Recorder(course_dir, [assignment])
    return {mark.student: mark for mark in recorder.marks(assignment)}, recorder.roster()


def _put_source(assignment: Assignment, course_dir: Path) -> None:
    """The instructor's notebook where formgrader looks for the course's assignments."""
    place = course_dir / "source" / assignment.name
    if os.path.lexists(place) or not assignment.source.is_file():
        return
    unfinished = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        for path in sorted(assignment.source.parent.rglob("*")):
            name = path.relative_to(assignment.source.parent)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                write_atomically(unfinished / name, path.read_bytes())
        with contextlib.suppress(OSError):  # another grader was first
            unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
