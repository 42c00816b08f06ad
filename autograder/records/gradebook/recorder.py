"""The one who writes: results into nbgrader's gradebook, and autograded notebooks."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.files import newer, plain, write_atomically
from autograder.judging.submission import find_notebook, outline_of, read_submission
from autograder.records.history import told
from autograder.results import Result, Store, dropped, handed_in

from .by_hand import Given, read_given, replace_given
from .marks import Mark, read_marks
from .notebooks import autograded_notebook, notebook_bytes
from .rows import (
    auto_score,
    comment,
    in_conflict,
    make_tables,
    save_cells,
    save_penalties,
    submission_row,
    submitted_notebooks,
    update_rows,
)
from .students import Known, Person, save_students
from .times import submission_time

log = logging.getLogger(__name__)

COURSE_ID = "default_course"
"""nbgrader's own default; PostgreSQL insists that the course is named."""


class GradebookError(CourseError):
    """The gradebook cannot be read or written; the message names it and says what to do."""


class _Conflict(GradebookError):
    """Another grader has written the same rows at the same moment."""


_ATTEMPTS = 10
_ROUNDING = 1e-6


class Recorder:
    """Records results of some assignments in one course's gradebook.

    Where `course_dir` has an `nbgrader_config.py`, its database, its course and its late
    penalties are used. `patience` is how many seconds to wait for a locked database.
    """

    def __init__(
        self,
        course_dir: Path,
        assignments: Iterable[Assignment],
        *,
        db_url: str = "",
        patience: float = 30.0,
    ) -> None:
        from sqlalchemy import URL, make_url
        from sqlalchemy.exc import ArgumentError

        self.course_dir = course_dir.resolve()
        self.assignments = {assignment.name: assignment for assignment in assignments}
        self.patience = patience
        config = configuration(self.course_dir)
        chosen = db_url or config.CourseDirectory.get("db_url", "")
        database = str(self.course_dir / "gradebook.db")
        try:
            url = make_url(chosen) if chosen else URL.create("sqlite", database=database)
        except ArgumentError as error:
            raise CourseError(f"nbgrader_config.py: db_url: {error}") from None
        if url.get_backend_name() == "sqlite":
            if url.database and not url.database.startswith((":", "file:")):
                url = url.set(database=str(self.course_dir / url.database))  # as from the folder
            url = url.update_query_dict({"timeout": str(patience)})
        self._url = url
        self._course_id = config.CourseDirectory.get("course_id", "") or COURSE_ID
        self._penalties = _late_penalties(config, self.course_dir)
        self._file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        self._opened: tuple[int, int] | None = None
        self._prepare()

    def record(self, result: Result) -> None:
        """The result in the gradebook, and the submission's autograded notebook."""
        assignment = self.assignments[result.assignment]
        folder = self._submitted(result)
        timestamp, text, notes = submission_time(folder)
        self._write_autograded(assignment, result, folder, text, notes)
        if self._opened != self._identity:
            self._prepare()  # somebody removed or replaced the database, and the marks in it
            for name in self.assignments:
                for known in Store(self.course_dir).all(name):
                    self._mark(known, submission_time(self._submitted(known))[0])
        self._mark(result, timestamp)

    def _submitted(self, result: Result) -> Path:
        return self.course_dir / "submitted" / result.student / result.assignment

    def _mark(self, result: Result, timestamp: datetime | None) -> None:
        self._written(lambda session: self._record(session, result, timestamp))

    def know(self, people: Iterable[Known]) -> None:
        """Keeps names, addresses and ids; what the gradebook has of a student stays."""
        people = list(people)
        self._written(lambda session: save_students(session, people))

    def preview(
        self, result: Result, folder: Path | None = None, given: list[Given] | None = None
    ) -> Mark | None:
        """What the gradebook would hold if the result were recorded; nothing is. `folder` tells
        when it came in, and `given` what it has by hand, where it is of another attempt."""
        assignment = self.assignments[result.assignment]
        timestamp, _, _ = submission_time(folder or self._submitted(result))
        with self._session() as session:
            self._record(session, result, timestamp)
            if given is not None:
                replace_given(session, result.assignment, result.student, given)
                self._record(session, result, timestamp)
            session.flush()
            known = {result.student: result.max_points}
            found = read_marks(session, assignment, known, result.student)
            session.rollback()
        return found[0] if found else None

    def given(self, name: str, student: str) -> list[Given]:
        """What somebody gave by hand for the attempt that counts."""
        with self._session() as session:
            return read_given(session, name, student)

    def give(self, name: str, student: str, given: list[Given]) -> None:
        """Puts this in the place of what was given by hand."""
        self._written(lambda session: replace_given(session, name, student, given))

    def roster(self) -> dict[str, Person]:
        """Everyone whom the gradebook knows and who has not left, by id."""
        left = dropped(self.course_dir)
        return {who: person for who, person in self.everyone().items() if who not in left}

    def everyone(self) -> dict[str, Person]:
        """The same with those who have left."""
        from nbgrader.api import Student
        from sqlalchemy import select

        columns = (Student.id, Student.first_name, Student.last_name, Student.email)
        with self._session() as session:
            rows = session.execute(select(*columns, Student.lms_user_id)).all()
        people = [Person(*(value or "" for value in row)) for row in rows]
        return {person.student: person for person in people}

    def marks(self, assignment: Assignment) -> list[Mark]:
        """What the gradebook holds of an assignment, by student; without those who have left."""
        known, left = Store(self.course_dir).max_points(assignment.name), dropped(self.course_dir)
        name = assignment.name
        with self._session() as session:
            held = read_marks(session, assignment, known)
        found = [self._renewed(mark) for mark in held]
        self._save_penalties(
            name, (now for now, was in zip(found, held, strict=True) if now != was)
        )
        several = {path.name for path in (self.course_dir / "attempts" / name).glob("*")}
        return [
            mark._replace(attempts=told(self.course_dir, name, mark.student))
            if mark.student in several
            else mark
            for mark in found
            if mark.student not in left
        ]

    def _renewed(self, mark: Mark) -> Mark:
        """With what being late costs by now: since it was graded somebody may have given points by
        hand, more time or another due date."""
        if mark.handed_in is None or mark.due is None:
            return mark
        penalty = self._penalty(mark.student, mark.points, mark.handed_in, mark.due, None)
        if penalty is None and mark.handed_in > mark.due:
            return mark  # nbgrader's own command may know of a penalty that the course does not
        if abs((penalty or 0.0) - mark.penalty) < _ROUNDING:
            return mark
        return mark._replace(penalty=penalty or 0.0)

    def _save_penalties(self, name: str, marks: Iterable[Mark]) -> None:
        """So that the gradebook says the same; one that may only be read stops no report."""
        penalties = {mark.student: mark.penalty or None for mark in marks}
        if penalties:
            try:
                self._written(lambda session: save_penalties(session, name, penalties))
            except GradebookError as error:
                log.warning("what being late costs by now was not written: %s", plain(str(error)))

    def absent(self, assignment: Assignment) -> list[Person]:
        """Who is on the roster and has handed in nothing."""
        there = handed_in(self.course_dir, assignment.name)
        there |= {mark.student for mark in self.marks(assignment)}
        return [person for who, person in sorted(self.roster().items()) if who not in there]

    def mark(self, result: Result) -> Mark | None:
        """What the gradebook holds of the submission that a result is of; nothing where the file
        is another one than this recorder has prepared."""
        if self._opened != self._identity:
            return None
        assignment = self.assignments[result.assignment]
        with self._session() as session:
            found = read_marks(
                session, assignment, {result.student: result.max_points}, result.student
            )
        attempts = told(self.course_dir, result.assignment, result.student)
        return found[0]._replace(attempts=attempts) if found else None

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
        from sqlalchemy.exc import SQLAlchemyError

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
                f"nbgrader, a file synchroniser); waited {self.patience:g} s. Nothing is lost: "
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
        from sqlalchemy import select

        held = {row.course_id for row in session.execute(select(Assignment.course_id)).all()}
        others = sorted(held - {COURSE_ID, self._course_id})
        if others and self._course_id != COURSE_ID:
            raise GradebookError(
                f"the gradebook {self._where} holds the course {others[0]}, and this is "
                f"{self._course_id}: it keeps one course alone. Name another database for this one "
                f"in {self.course_dir / 'nbgrader_config.py'}"
            )

    def _record(self, session: Any, result: Result, timestamp: datetime | None) -> None:
        from nbgrader import api
        from sqlalchemy import insert, select

        assignment_id, duedate = session.execute(
            select(api.Assignment.id, api.Assignment.duedate).where(
                api.Assignment.name == result.assignment
            )
        ).one()
        known = select(api.Student.id).where(api.Student.id == result.student)
        if session.execute(known).first() is None:
            session.execute(insert(api.Student), [{"id": result.student}])
        submission_id, extension = submission_row(session, assignment_id, result.student, timestamp)
        notebooks = submitted_notebooks(session, assignment_id, submission_id)
        submitted, cells, grades, comments = notebooks[result.assignment]
        exercises = {exercise.name: exercise for exercise in result.exercises}
        checks = {
            exercise.check_cell: exercise.name
            for exercise in self.assignments[result.assignment].exercises
        }
        outline = outline_of(self.assignments[result.assignment])
        total, scores = 0.0, []
        for grade in grades:
            cell = cells[grade.cell_id]
            name, score = checks.get(cell), grade.auto_score
            if name is not None:
                score = auto_score(result, exercises.get(name))
                manual = grade.manual_score is not None or result.status == "grader_error"
                scores.append((grade, {"auto_score": score, "needs_manual_grade": manual}))
            elif cell in outline.answers:
                score = None if cell in result.in_words else 0.0
                manual = score is None and grade.manual_score is None
                scores.append((grade, {"auto_score": score, "needs_manual_grade": manual}))
            elif cell.startswith("check_") and result.status == "graded":
                gone = cell.removeprefix("check_") not in exercises
                if gone:  # an exercise that was renamed or removed before this was judged
                    score = None
                    scores.append((grade, {"auto_score": None, "needs_manual_grade": False}))
            given = score if grade.manual_score is None else grade.manual_score
            if given is not None:
                total += given + (grade.extra_credit or 0.0)
        said = [
            (row, {"auto_comment": comment(result, exercises.get(cells[row.cell_id]))})
            for row in comments
            if cells[row.cell_id] in checks.values()
        ]
        penalty = self._penalty(result.student, total, timestamp, duedate, extension)
        update_rows(session, api.Grade, scores)
        update_rows(session, api.Comment, said)
        late = {"late_submission_penalty": penalty}
        update_rows(session, api.SubmittedNotebook, [(submitted, late)])

    def _penalty(
        self,
        student: str,
        score: float,
        timestamp: datetime | None,
        duedate: datetime | None,
        extension: Any,
    ) -> float | None:
        """As nbgrader's AssignLatePenalties has it: between nothing and the whole score."""
        if timestamp is None or duedate is None:
            return None
        late = (
            timestamp - duedate - extension if extension else timestamp - duedate
        ).total_seconds()
        if late <= 0:
            return None
        try:
            penalty = self._penalties.late_submission_penalty(student, score, late)
            if penalty is None:
                return None
            penalty = float(penalty)
            if math.isnan(penalty):
                raise ValueError("it gave no number")
        except Exception as error:  # the course's own plugin; one student must not stop the class
            log.error("%s has no late penalty: its plugin stopped with %r", plain(student), error)
            return None
        return min(max(penalty, 0.0), score)

    # the autograded notebook --------------------------------------------------------------

    def _write_autograded(
        self, assignment: Assignment, result: Result, folder: Path, time: str, notes: list[str]
    ) -> None:
        path = self.autograded(result)
        stored = Store(self.course_dir).path(result.assignment, result.student)
        if newer(path, stored, assignment.release, folder, *folder.glob("*")):
            return
        try:
            notebook = self._shown(assignment, result, folder, notes)
        except Exception as error:  # whatever a student's files hold is that student's matter alone
            what = f"the notebook handed in cannot be shown ({type(error).__name__}: {error})"
            log.warning("%s: %s", plain(str(folder)), plain(what))
            notebook = autograded_notebook(assignment, result, None, [*notes, what[:1000]])
        if time:
            write_atomically(path.with_name("timestamp.txt"), time.encode())
        else:
            path.with_name("timestamp.txt").unlink(missing_ok=True)
        write_atomically(path, notebook_bytes(notebook))  # last: see the condition above

    def _shown(
        self, assignment: Assignment, result: Result, folder: Path, notes: list[str]
    ) -> dict[str, Any]:
        submission = None
        try:
            data, _ = find_notebook(folder, assignment.name)
            submission = read_submission(data, assignment)
            if hashlib.sha256(data).hexdigest() != result.submission_sha256:
                notes = [*notes, "the file was changed after it was graded"]
        except SubmissionError:
            pass  # the result says why, and the notebook shows it
        return autograded_notebook(assignment, result, submission, notes)

    def autograded(self, result: Result) -> Path:
        """Where a submission's autograded notebook is written."""
        folder = self.course_dir / "autograded" / result.student / result.assignment
        return folder / f"{result.assignment}.ipynb"


def has_gradebook(course_dir: Path) -> bool:
    return any((course_dir / name).is_file() for name in ("gradebook.db", "nbgrader_config.py"))


def in_gradebook(
    course_dir: Path, assignment: Assignment
) -> tuple[dict[str, Mark], dict[str, Person]]:
    """An assignment's marks by student, and the course's roster; both empty without a gradebook."""
    if not has_gradebook(course_dir):
        return {}, {}
    recorder = Recorder(course_dir, [assignment])
    return {mark.student: mark for mark in recorder.marks(assignment)}, recorder.roster()


def configuration(course_dir: Path) -> Any:
    """What the course's own `nbgrader_config.py` says."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    path = course_dir / "nbgrader_config.py"
    if not path.is_file():
        return Config()
    try:
        with _importable(course_dir):
            return PyFileConfigLoader(path.name, path=str(course_dir)).load_config()
    except Exception as error:
        raise CourseError(f"{path} stopped with {type(error).__name__}: {error}") from None


@contextlib.contextmanager
def _importable(course_dir: Path) -> Iterator[None]:
    """A module beside the configuration, as where nbgrader is started in that folder."""
    folder = str(course_dir.resolve())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _late_penalties(configuration: Any, course_dir: Path) -> Any:
    from nbgrader.preprocessors import AssignLatePenalties

    try:
        with _importable(course_dir):
            assigning = AssignLatePenalties(config=configuration)
            assigning.init_plugin()
    except Exception as error:
        raise CourseError(f"nbgrader_config.py: late penalties: {error}") from None
    return assigning.plugin_inst


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
