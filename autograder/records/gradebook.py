"""nbgrader's gradebook and its autograded notebooks, written from typed results.

`Recorder` fills the tables that formgrader, `nbgrader export` and `generate_feedback` read, one
transaction a submission, and writes `autograded/<student>/<name>/<name>.ipynb`. What an
instructor gave by hand – scores, extra credit, comments – is never touched.

nbgrader's own functions commit once per row and load each grade with five subqueries, so the
rows are written with SQL here; a test holds them against what nbgrader itself would write.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from autograder.course import Assignment, Exercise
from autograder.errors import CourseError, SubmissionError
from autograder.files import newer, plain, write_atomically
from autograder.judging.submission import (
    NotebookCell,
    Outline,
    Submission,
    find_notebook,
    locked_id,
    outline_of,
    read_file,
    read_submission,
)
from autograder.results import ExerciseResult, Result, Store

log = logging.getLogger(__name__)

COURSE_ID = "default_course"
"""nbgrader's own default; PostgreSQL insists that the course is named."""
MAX_COMMENT = 2000
MARKS = {"passed": "✓", "failed": "✗", "not_counted": "–", "error": "!"}


class GradebookError(CourseError):
    """The gradebook cannot be read or written; the message names it and says what to do."""


class _Conflict(GradebookError):
    """Another grader has written the same rows at the same moment."""


_ATTEMPTS = 10
_CONFLICTS = ("23505", "40P01", "40001", "42P07")
"""PostgreSQL's codes: a row, or a table, that is there already; deadlock; not serialisable."""


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

    @property
    def total(self) -> float | None:
        """None while an exercise has no points: it is no zero."""
        if None in self.exercises.values():
            return None
        return round(max(0.0, self.points - self.penalty), 2)


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

        self.course_dir = course_dir.resolve()
        self.assignments = {assignment.name: assignment for assignment in assignments}
        self.patience = patience
        configuration = _configuration(self.course_dir)
        chosen = db_url or configuration.CourseDirectory.get("db_url", "")
        database = str(self.course_dir / "gradebook.db")
        url = make_url(chosen) if chosen else URL.create("sqlite", database=database)
        if url.get_backend_name() == "sqlite":
            url = url.update_query_dict({"timeout": str(patience)})
        self._url = url
        self._course_id = configuration.CourseDirectory.get("course_id", "") or COURSE_ID
        self._penalties = _late_penalties(configuration)
        self._file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        self._opened: Any = None
        self._prepare()

    def record(self, result: Result) -> None:
        """The result in the gradebook, and the submission's autograded notebook."""
        assignment = self.assignments[result.assignment]
        folder = self._submitted(result)
        timestamp, text, notes = submission_time(folder)
        self._write_autograded(assignment, result, folder, text, notes)
        if self._file is not None and self._opened != _identity(self._file):
            self._prepare()  # somebody removed or replaced the database, and the marks in it
            for name in self.assignments:
                for known in Store(self.course_dir).all(name):
                    self._mark(known, submission_time(self._submitted(known))[0])
        self._mark(result, timestamp)

    def _submitted(self, result: Result) -> Path:
        return self.course_dir / "submitted" / result.student / result.assignment

    def _mark(self, result: Result, timestamp: datetime | None) -> None:
        self._written(lambda session: self._record(session, result, timestamp))

    def marks(self, assignment: Assignment) -> list[Mark]:
        """What the gradebook holds of an assignment, by student."""
        cells = {exercise.check_cell: exercise.name for exercise in assignment.exercises}
        found = []
        with self._session():
            for submission in self._gradebook.assignment_submissions(assignment.name):
                student = submission.student
                grades = [grade for book in submission.notebooks for grade in book.grades]
                found.append(
                    Mark(
                        student=student.id,
                        first_name=student.first_name or "",
                        last_name=student.last_name or "",
                        email=student.email or "",
                        lms_id=student.lms_user_id or "",
                        exercises={
                            cells[grade.name]: _given(grade)
                            for grade in grades
                            if grade.name in cells
                        },
                        points=float(submission.score),
                        penalty=float(submission.late_submission_penalty or 0.0),
                        max_points=float(submission.max_score),
                    )
                )
        return sorted(found)

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
        except (SQLAlchemyError, InvalidEntry, OSError) as error:
            kind = _Conflict if _in_conflict(error) else GradebookError
            raise kind(self._explained(error)) from None

    @functools.cached_property
    def _gradebook(self) -> Any:
        from nbgrader.api import Gradebook

        _make_tables(self._url)
        return Gradebook(self._url, self._course_id)

    def _explained(self, error: Exception) -> str:
        where = self._file or self._url.render_as_string(hide_password=True)
        text = str(getattr(error, "orig", None) or error).split("\n")[0]
        results = self.course_dir / "results"
        if "locked" in text:
            return (
                f"the gradebook {where} is locked by another program (formgrader, another "
                f"nbgrader, a file synchroniser); waited {self.patience:g} s. Nothing is lost: "
                f"the results are in {results}; end that program and run the command again"
            )
        if "no such column" in text or "does not exist" in text:
            text += "; if an older nbgrader made it, run `nbgrader db upgrade`"
        return f"the gradebook {where} cannot be used: {text}. The results are in {results}"

    def _prepare(self) -> None:
        """Tables, assignments and their cells, as `generate_assignment` would leave them."""
        self.__dict__.pop("_gradebook", None)

        def save(session: Any) -> None:
            for assignment in self.assignments.values():
                _save_cells(session, assignment, self._course_id)

        self._written(save)
        self._opened = _identity(self._file) if self._file is not None else None

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
        submission_id, extension = _submission_row(
            session, assignment_id, result.student, timestamp
        )
        notebooks = _submitted_notebooks(session, assignment_id, submission_id)
        submitted, cells, grades, comments = notebooks[result.assignment]
        exercises = {exercise.name: exercise for exercise in result.exercises}
        checks = {
            exercise.check_cell: exercise.name
            for exercise in self.assignments[result.assignment].exercises
        }
        total, scores = 0.0, []
        for grade in grades:
            name, score = checks.get(cells[grade.cell_id]), grade.auto_score
            if name is not None:  # else a cell that is marked by hand
                score = _auto_score(result, exercises.get(name))
                manual = grade.manual_score is not None or result.status == "grader_error"
                scores.append((grade, {"auto_score": score, "needs_manual_grade": manual}))
            given = score if grade.manual_score is None else grade.manual_score
            if given is not None:
                total += given + (grade.extra_credit or 0.0)
        said = [
            (row, {"auto_comment": comment(result, exercises.get(cells[row.cell_id]))})
            for row in comments
            if cells[row.cell_id] in checks.values()
        ]
        penalty = self._penalty(result.student, total, timestamp, duedate, extension)
        _update(session, api.Grade, scores)
        _update(session, api.Comment, said)
        late = {"late_submission_penalty": penalty}
        _update(session, api.SubmittedNotebook, [(submitted, late)])

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
        penalty = self._penalties.late_submission_penalty(student, score, late)
        return None if penalty is None else min(max(penalty, 0.0), score)

    # the autograded notebook --------------------------------------------------------------

    def _write_autograded(
        self, assignment: Assignment, result: Result, folder: Path, time: str, notes: list[str]
    ) -> None:
        path = self.autograded(result)
        stored = Store(self.course_dir).path(result.assignment, result.student)
        if newer(path, stored, assignment.release, folder, *folder.glob("*")):
            return
        submission = None
        try:
            data, _ = find_notebook(folder, assignment.name)
            submission = read_submission(data, assignment)
            if hashlib.sha256(data).hexdigest() != result.submission_sha256:
                notes = [*notes, "the file was changed after it was graded"]
        except SubmissionError:
            pass  # the result says why, and the notebook shows it
        notebook = autograded_notebook(assignment, result, submission, notes)
        if time:
            write_atomically(path.with_name("timestamp.txt"), time.encode())
        else:
            path.with_name("timestamp.txt").unlink(missing_ok=True)
        write_atomically(path, notebook_bytes(notebook))  # last: see the condition above

    def autograded(self, result: Result) -> Path:
        """Where a submission's autograded notebook is written."""
        folder = self.course_dir / "autograded" / result.student / result.assignment
        return folder / f"{result.assignment}.ipynb"


def submission_time(folder: Path) -> tuple[datetime | None, str, list[str]]:
    """When a submission came in by its `timestamp.txt`, that file's text, and what is wrong."""
    from nbgrader.utils import parse_utc

    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None, "", []
    try:
        text = read_file(folder, path.name)[:1000].decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dateutil, about time zones it does not know
            moment = parse_utc(text.strip())
        if isinstance(moment, datetime):
            return moment, text, []
    except (SubmissionError, ValueError, OverflowError, TypeError, AttributeError):
        pass
    log.warning("%s is no time and is ignored", plain(str(path)))
    return None, "", ["timestamp.txt is no time and was ignored"]


def _in_conflict(error: Exception) -> bool:
    return getattr(getattr(error, "orig", None), "pgcode", None) in _CONFLICTS


# ------------------------------------------------------------------------ the gradebook's rows


def _save_cells(session: Any, assignment: Assignment, course_id: str) -> None:
    """The assignment, its notebook and its cells; what exists is kept and brought up to date."""
    from nbgrader import api

    source = _nbgrader_cells(assignment)
    found = session.query(api.Assignment).filter_by(name=assignment.name).one_or_none()
    if found is None:
        found = api.Assignment(name=assignment.name, course_id=course_id)
        session.add(found)
        session.flush()
    notebook = (
        session.query(api.Notebook)
        .filter_by(name=assignment.name, assignment_id=found.id)
        .one_or_none()
    )
    if notebook is None:
        notebook = api.Notebook(name=assignment.name, assignment_id=found.id)
        session.add(notebook)
        session.flush()
    notebook.kernelspec = json.dumps(_json(assignment.release)["metadata"].get("kernelspec", {}))
    kinds = {
        api.GradeCell: ("grade", ("max_score", "cell_type")),
        api.SolutionCell: ("solution", ()),
        api.SourceCell: ("source_cell", ("cell_type", "locked", "source", "checksum")),
    }
    for kind, (role, columns) in kinds.items():
        rows = {row.name: row for row in session.query(kind).filter_by(notebook_id=notebook.id)}
        wanted = {cell["name"]: cell for cell in source if cell[role]}
        for name, cell in wanted.items():
            if name not in rows:
                rows[name] = kind(name=name, notebook_id=notebook.id)
                session.add(rows[name])
            for column in columns:
                setattr(rows[name], column, cell[column])
        for name in rows.keys() - wanted.keys():
            _forget(session, rows[name])


def _forget(session: Any, row: Any) -> None:
    """Drops a cell that the notebook no longer has, unless an instructor's work hangs on it."""
    from nbgrader import api

    if isinstance(row, api.GradeCell):
        grades = session.query(api.Grade).filter_by(cell_id=row.id).all()
        by_hand = [g for g in grades if g.manual_score is not None or g.extra_credit is not None]
        row.max_score = 0.0
        for grade in grades:
            grade.auto_score = None
    elif isinstance(row, api.SolutionCell):
        grades = session.query(api.Comment).filter_by(cell_id=row.id).all()
        by_hand = [comment for comment in grades if comment.manual_comment is not None]
    else:
        grades, by_hand = [], []
    if not by_hand:
        for grade in grades:
            session.delete(grade)
        session.flush()
        session.delete(row)


def _nbgrader_cells(assignment: Assignment) -> list[dict[str, Any]]:
    """The cells that nbgrader's SaveCells would save, hidden tests included."""
    import nbformat
    from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task

    released = {
        cell.grade_id: cell.source for cell in outline_of(assignment).cells if cell.grade_id
    }
    cells = []
    for raw in _json(assignment.source)["cells"]:
        raw = raw | {"source": "".join(raw["source"])}
        cell = nbformat.from_dict(raw)  # type: ignore[no-untyped-call]
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)):
            continue
        name = cell.metadata.nbgrader.grade_id
        if is_solution(cell):  # without its solution, as students get it
            cell.source = released[name]
        cells.append(
            {
                "name": name,
                "grade": is_grade(cell),
                "solution": is_solution(cell),
                "source_cell": True,
                "max_score": float(cell.metadata.nbgrader.get("points", 0)),
                "cell_type": cell.cell_type,
                "locked": is_locked(cell),
                "source": cell.source,
                "checksum": compute_checksum(cell),
            }
        )
    return cells


def _submission_row(
    session: Any, assignment_id: str, student: str, timestamp: datetime | None
) -> tuple[str, Any]:
    """The submission's id and its extension, made if it is new; its time brought up to date."""
    from nbgrader import api
    from sqlalchemy import insert, select

    table = api.SubmittedAssignment
    row = session.execute(
        select(table.id, table.extension, table.timestamp).where(
            table.assignment_id == assignment_id, table.student_id == student
        )
    ).first()
    if row is not None:
        _update(session, table, [(row, {"timestamp": timestamp})])
        return row.id, row.extension
    new = {"id": api.new_uuid(), "assignment_id": assignment_id, "student_id": student}
    session.execute(insert(table), [new | {"timestamp": timestamp}])
    return new["id"], None


class _Submitted(NamedTuple):
    """A submitted notebook's rows."""

    row: Any
    cells: dict[str, str]
    """The names of its cells by their ids."""
    grades: list[Any]
    comments: list[Any]


def _submitted_notebooks(
    session: Any, assignment_id: str, submission_id: str
) -> dict[str, _Submitted]:
    """The notebooks of a submission by name; every one, grade and comment gets its row."""
    from nbgrader.api import Notebook
    from sqlalchemy import select

    notebooks = select(Notebook.name, Notebook.id).where(Notebook.assignment_id == assignment_id)
    return {
        name: _submitted_notebook(session, submission_id, notebook_id)
        for name, notebook_id in session.execute(notebooks).all()
    }


def _submitted_notebook(session: Any, submission_id: str, notebook_id: str) -> _Submitted:
    from nbgrader import api
    from sqlalchemy import insert, select

    table, cell = api.SubmittedNotebook, api.BaseCell
    key = {"assignment_id": submission_id, "notebook_id": notebook_id}
    found = select(table.id, table.late_submission_penalty).filter_by(**key)
    row = session.execute(found).first()
    if row is None:
        session.execute(insert(table), [{"id": api.new_uuid(), **key}])
        row = session.execute(found).one()
    cells = session.execute(
        select(cell.id, cell.name, cell.type).where(cell.notebook_id == notebook_id)
    ).all()
    return _Submitted(
        row,
        {one.id: one.name for one in cells},
        _rows_of(session, api.Grade, ("GradeCell", "TaskCell"), row.id, cells),
        _rows_of(session, api.Comment, ("SolutionCell", "TaskCell"), row.id, cells),
    )


def _rows_of(
    session: Any, table: Any, kinds: tuple[str, ...], submitted: str, cells: list[Any]
) -> list[Any]:
    """A submitted notebook's rows in a table that has one for each cell of some kinds."""
    from nbgrader.api import new_uuid
    from sqlalchemy import insert, select

    rows = select(table.__table__).where(table.notebook_id == submitted)
    found: list[Any] = session.execute(rows).all()
    known = {row.cell_id for row in found}
    new = [
        {"id": new_uuid(), "cell_id": cell.id, "notebook_id": submitted}
        for cell in cells
        if cell.type in kinds and cell.id not in known
    ]
    if new:
        session.execute(insert(table), new)
        found = session.execute(rows).all()
    return found


def _update(session: Any, table: Any, changes: Iterable[tuple[Any, dict[str, Any]]]) -> None:
    """Writes those rows of a table that differ from what they should hold."""
    from sqlalchemy import update

    changed = [
        {"id": row.id, **wanted}
        for row, wanted in changes
        if any(getattr(row, column) != value for column, value in wanted.items())
    ]
    if changed:
        session.execute(update(table), changed)


def _given(grade: Any) -> float | None:
    """An exercise's points. nbgrader itself calls it zero where there are none."""
    ungraded = grade.auto_score is None and grade.manual_score is None
    return None if ungraded else float(grade.score)


def _auto_score(result: Result, exercise: ExerciseResult | None) -> float | None:
    """An exercise's points; None, never zero, where the grader itself failed."""
    if result.status == "grader_error" and (exercise is None or exercise.status == "error"):
        return None
    return exercise.points if exercise is not None else 0.0


def comment(result: Result, exercise: ExerciseResult | None) -> str | None:
    """nbgrader's comment on an answer: the hint, and what happened.

    Feedback pages render it as Markdown; an indented block keeps its text as it is.
    """
    if result.status == "unreadable":
        return _indented(result.message)
    if exercise is None or exercise.status == "error":
        return "The grader itself failed here; no mark was given." if exercise else None
    parts = [plain(exercise.hint), plain(exercise.remark)]
    parts.append(_indented(exercise.message[:MAX_COMMENT]))
    return "\n\n".join(part for part in parts if part) or None


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in plain(text).splitlines())


# ------------------------------------------------------------------------- nbgrader's surroundings


def _configuration(course_dir: Path) -> Any:
    """What the course's own `nbgrader_config.py` says."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    path = course_dir / "nbgrader_config.py"
    if not path.is_file():
        return Config()
    try:
        return PyFileConfigLoader(path.name, path=str(course_dir)).load_config()
    except Exception as error:
        raise CourseError(f"{path} stopped with {type(error).__name__}: {error}") from None


def _late_penalties(configuration: Any) -> Any:
    from nbgrader.preprocessors import AssignLatePenalties

    assigning = AssignLatePenalties(config=configuration)
    assigning.init_plugin()
    return assigning.plugin_inst


def _make_tables(url: Any) -> None:
    """An empty database's tables, as nbgrader's Gradebook makes them.

    nbgrader would run the command `alembic` to learn a number: it takes seconds, and is not
    found where the environment is not activated.
    """
    from alembic.script import ScriptDirectory
    from nbgrader.api import Base
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            return
        version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
        with engine.begin() as connection:
            if engine.name == "sqlite":  # which takes the first CREATE for a transaction of its own
                connection.exec_driver_sql("BEGIN")
            connection.execute(
                text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
            connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
            Base.metadata.create_all(connection)
    finally:
        engine.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CourseError(f"{path} does not exist; run `autograder build` first") from None
    return found


# ------------------------------------------------------------------------ the autograded notebook


def autograded_notebook(
    assignment: Assignment,
    result: Result,
    submission: Submission | None,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """The released notebook with the student's cells in it and the verdicts below the checks.

    Order, points and locked cells are the release's. What the student added stands where it
    stood, as far as that can be said: after the last cell before it that the release knows.
    """
    notebook = _json(assignment.release)
    outline = outline_of(assignment)
    answers, extras = _placed(submission, assignment, outline)
    checks = {exercise.check_cell: exercise for exercise in assignment.exercises}
    verdicts = {verdict.name: verdict for verdict in result.exercises}
    cells = [*_remarks([*result.notes, *notes], result), *extras.get(-1, [])]
    for number, (cell, known) in enumerate(zip(notebook["cells"], outline.cells, strict=True)):
        if number in answers:
            cell["source"] = _shown(known.kind, answers[number])
        elif known.grade_id in outline.stubs:
            cell["source"] = "# nothing was handed in for this exercise"
        if known.kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        if known.grade_id in checks:
            exercise = checks[known.grade_id]
            cell["outputs"] = [_verdict(exercise, verdicts.get(exercise.name), result)]
        cells += [cell, *extras.get(number, [])]
    if notebook["nbformat_minor"] < 5:
        for cell in cells:
            cell.pop("id", None)
    return notebook | {"cells": cells}


def notebook_bytes(notebook: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(notebook), indent=1) + b"\n"


def _placed(
    submission: Submission | None, assignment: Assignment, outline: Outline
) -> tuple[dict[int, str], dict[int, list[dict[str, Any]]]]:
    """The student's text by the number of the released cell that it belongs to, and the cells
    that belong to none by the number of the one that they stand after."""
    answers: dict[int, str] = {}
    extras: dict[int, list[dict[str, Any]]] = {}
    if submission is None:
        return answers, extras
    released = list(enumerate(outline.cells))
    by_id = {cell.grade_id: n for n, cell in released if cell.grade_id}
    by_text = {(cell.kind, cell.text): n for n, cell in released}
    # Prose and parameters belong to nobody; where a student edited them, the edit is shown.
    free = {(cell.kind, cell.cell_id): n for n, cell in released if not cell.grade_id}
    slots = _slots(submission, assignment, outline)
    last = -1
    for cell in submission.notebook:
        locked = locked_id(cell, outline) if cell.kind == "code" else ""
        if cell.number in slots:
            last = by_id[slots[cell.number]]
            answers[last] = cell.source
        elif locked:
            last = by_id.get(locked, last)
        elif (cell.kind, cell.text) in by_text:
            last = by_text[cell.kind, cell.text]
        elif cell.cell_id and (cell.kind, cell.cell_id) in free:
            last = free[cell.kind, cell.cell_id]
            answers[last] = cell.source
        elif cell.text:
            extras.setdefault(last, []).append(_extra(cell))
    return answers, extras


def _slots(submission: Submission, assignment: Assignment, outline: Outline) -> dict[int, str]:
    """Which of the student's cells stands for which solution cell: number to `grade_id`."""
    exercises = {exercise.name: exercise for exercise in assignment.exercises}
    slots: dict[int, str] = {}
    for grade_id in outline.stubs:
        exercise = exercises.get(grade_id)
        cells = submission.notebook
        if exercise is not None:
            cells = [cell for cell in cells if cell.number in submission.ran]
        own = [cell.number for cell in cells if cell.grade_id == grade_id and cell.text]
        if own:
            slots[own[-1]] = grade_id  # the last definition is the one that counts
        elif exercise is not None:
            names = set(exercise.defines)
            others = [
                (len(cell.defines & names), cell.number)
                for cell in cells
                if cell.grade_id not in outline.stubs and cell.defines & names
            ]
            if others:
                slots[max(others)[1]] = grade_id
    return slots


def _extra(cell: NotebookCell) -> dict[str, Any]:
    kind = "code" if cell.kind == "code" else "markdown"
    made = _cell(kind, f"student-{cell.number}", _shown(kind, cell.source))
    return made | {"execution_count": None, "outputs": []} if kind == "code" else made


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    return {"cell_type": kind, "id": name, "metadata": {}, "source": source}


def _shown(kind: str, source: str) -> str:
    """A student's text for an instructor's browser.

    Prose is shown as it was typed, not rendered: formgrader would run scripts that stand in
    tags, links and formulas.
    """
    return source if kind == "code" else _indented(source.strip("\n"))


def _remarks(notes: list[str], result: Result) -> list[dict[str, Any]]:
    """What an instructor should know first, as a cell of its own at the top."""
    lines = [result.message] if result.message else []
    lines += notes
    if not lines:
        return []
    text = "\n".join(_indented(line) for line in lines)
    return [_cell("markdown", "grader-remarks", f"**Remarks of the grader**\n\n{text}")]


def _verdict(exercise: Exercise, verdict: ExerciseResult | None, result: Result) -> dict[str, Any]:
    """A check cell's output: what passed and what to look at; hidden checks by title only."""
    score = _auto_score(result, verdict)
    earned = "no mark" if score is None else f"{score:g} of {exercise.points:g} points"
    text, markup = [f"{exercise.name}: {earned}"], []
    markup.append(f"<p><strong>{text[0]}</strong></p>")
    message = verdict.message if verdict is not None else result.message
    if verdict is not None and verdict.status == "error":
        message = "the grader itself failed here; no mark was given"
    if message:
        message = plain(message)
        text += ["", message]
        markup.append(f"<pre>{html.escape(message)}</pre>")
    if verdict is not None and verdict.remark:
        text += ["", plain(verdict.remark)]
        markup.append(f"<p>{html.escape(plain(verdict.remark))}</p>")
    if verdict is not None and verdict.hint:
        text += ["", f"hint: {plain(verdict.hint)}"]
        markup.append(f"<p><strong>Hint:</strong> {html.escape(plain(verdict.hint))}</p>")
    checks = verdict.checks if verdict is not None and result.status != "unreadable" else []
    lines = [
        f"{MARKS[check.outcome]} {plain(check.title or check.name)}"
        + (" (hidden)" if check.hidden else "")
        for check in checks
    ]
    if lines:
        text += ["", *lines]
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        markup.append(f'<ul style="list-style: none; padding-left: 0">{items}</ul>')
    data = {"text/html": "\n".join(markup), "text/plain": "\n".join(text)}
    return {"output_type": "display_data", "metadata": {}, "data": data}
