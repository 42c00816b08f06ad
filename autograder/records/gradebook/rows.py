"""The gradebook's rows: tables, an assignment's cells, a submission's scores and comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import plain
from autograder.judging.outline import Outline, outline_of
from autograder.results import ExerciseResult, Result

from .students import student_columns

MAX_COMMENT = 2000
_CONFLICTS = ("23505", "40P01", "40001", "42P07", "42710")
"""PostgreSQL's codes: a row, a table or its type that is there already; deadlock; not
serialisable."""
_NO_KERNEL = dict.fromkeys(("name", "display_name"), "see-the-first-lines-of-nbgrader_config.py")
"""nbgrader without this project's configuration would run notebooks outside the cage, in the kernel
that the gradebook names: there is none of this name, and it stops."""


def make_tables(url: Any) -> None:
    """An empty database's tables, as nbgrader's Gradebook makes them.

    nbgrader would run the command `alembic` to learn a number: it takes seconds, and is not
    found where the environment is not activated.
    """
    from alembic.script import ScriptDirectory
    from nbgrader.api import Base
    from nbgrader.dbutil import ALEMBIC_DIR

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


def in_conflict(error: Exception) -> bool:
    """Whether another one was first to make a table or a row, also where nbgrader calls it an entry
    that is invalid."""
    for one in (error, error.__context__):
        cause = getattr(one, "orig", None)
        if isinstance(one, IntegrityError) or getattr(cause, "pgcode", None) in _CONFLICTS:
            return True
        if str(cause).endswith(" already exists"):  # SQLite's, of a table
            return True
    return False


def save_cells(session: Any, assignment: Assignment, course_id: str) -> None:
    """The assignment, its notebook and its cells; what exists is kept and brought up to date."""
    from nbgrader import api

    named = {"name": assignment.name}
    found = row_of(session, api.Assignment, named, course_id=course_id)
    notebook = row_of(session, api.Notebook, named | {"assignment_id": found.id})
    update_rows(session, api.Notebook, [(notebook, {"kernelspec": json.dumps(_NO_KERNEL)})])
    for table, wanted in _nbgrader_cells(assignment).items():
        rows = {row.name: row for row in session.query(table).filter_by(notebook_id=notebook.id)}
        for name, columns in wanted.items():
            if name not in rows:
                rows[name] = table(name=name, notebook_id=notebook.id)
                session.add(rows[name])
            for column, value in columns.items():
                setattr(rows[name], column, value)
        for name in rows.keys() - wanted.keys():
            _forget(session, rows[name])


def row_of(session: Any, table: Any, key: dict[str, Any], **new: Any) -> Any:
    """The row with this key, made if there is none."""
    from nbgrader.api import new_uuid

    rows = select(table.__table__).filter_by(**key)
    if (row := session.execute(rows).first()) is None:
        session.execute(insert(table), [{"id": new_uuid(), **key, **new}])
        row = session.execute(rows).one()
    return row


def _forget(session: Any, row: Any) -> None:
    """Drops a cell that the notebook no longer has, unless a mark or a comment hangs on it."""
    from nbgrader import api

    if isinstance(row, api.GradeCell):
        grades = session.query(api.Grade).filter_by(cell_id=row.id).all()
        if any(grade.auto_score is not None for grade in grades):
            return  # marks that were recorded stay until they are judged anew
        by_hand = [g for g in grades if g.manual_score is not None or g.extra_credit is not None]
        row.max_score = 0.0
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


def _nbgrader_cells(assignment: Assignment) -> dict[Any, dict[str, dict[str, Any]]]:
    """The rows that nbgrader's SaveCells would make, hidden tests included: by table, by name."""
    import nbformat
    from nbgrader import api
    from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task

    released = {
        cell.grade_id: cell.source for cell in outline_of(assignment).cells if cell.grade_id
    }
    grades: dict[str, dict[str, Any]] = {}
    solutions: dict[str, dict[str, Any]] = {}
    sources: dict[str, dict[str, Any]] = {}
    for raw in built_notebook(assignment.source)["cells"]:
        raw = raw | {"source": "".join(raw["source"])}
        cell = nbformat.from_dict(raw)  # type: ignore[no-untyped-call]
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)):
            continue
        name, kind = cell.metadata.nbgrader.grade_id, {"cell_type": cell.cell_type}
        if is_grade(cell):
            grades[name] = kind | {"max_score": float(cell.metadata.nbgrader.get("points", 0))}
        if is_solution(cell):
            solutions[name] = {}
            cell.source = released[name]  # without its solution, as students get it
        sources[name] = kind | {
            "locked": is_locked(cell),
            "source": cell.source,
            "checksum": compute_checksum(cell),
        }
    return {api.GradeCell: grades, api.SolutionCell: solutions, api.SourceCell: sources}


def submission_row(
    session: Any, name: str, student: str, time: datetime | None
) -> tuple[str, datetime | None]:
    """The submission's id, and when it is due with the student's extension; made if it is new, its
    time brought up to date."""
    from nbgrader import api

    known = select(api.Assignment.id, api.Assignment.duedate).where(api.Assignment.name == name)
    assignment = session.execute(known).one()
    key = {"assignment_id": assignment.id, "student_id": student}
    row = row_of(session, api.SubmittedAssignment, key, timestamp=time)
    update_rows(session, api.SubmittedAssignment, [(row, {"timestamp": time})])
    return row.id, with_extension(assignment.duedate, row.extension)


def with_extension(due: datetime | None, extension: timedelta | None) -> datetime | None:
    return due + extension if due and extension else due


class Submitted(NamedTuple):
    """A submitted notebook's rows."""

    row: Any
    cells: dict[str, str]
    """The names of its cells by their ids."""
    grades: list[Any]
    comments: list[Any]


def submitted_notebook(session: Any, name: str, submission_id: str) -> Submitted:
    """Of a submission; it, every grade and every comment gets its row."""
    from nbgrader import api

    cell = api.BaseCell
    notebook_id = session.execute(
        select(api.Notebook.id)
        .join(api.Assignment, api.Assignment.id == api.Notebook.assignment_id)
        .where(api.Assignment.name == name, api.Notebook.name == name)
    ).scalar_one()
    key = {"assignment_id": submission_id, "notebook_id": notebook_id}
    row = row_of(session, api.SubmittedNotebook, key)
    cells = session.execute(
        select(cell.id, cell.name, cell.type).where(cell.notebook_id == notebook_id)
    ).all()
    return Submitted(
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


def update_rows(session: Any, table: Any, changes: Iterable[tuple[Any, dict[str, Any]]]) -> None:
    """Writes those rows of a table that differ from what they should hold."""
    changed = [
        {"id": row.id, **wanted}
        for row, wanted in changes
        if any(getattr(row, column) != value for column, value in wanted.items())
    ]
    if changed:
        session.execute(update(table), changed)


def submissions(session: Any, name: str, student: str = "") -> list[Any]:
    """A row for each submission of an assignment, or that student's: when, due when, by whom; `id`
    and penalty are those of its notebook."""
    from nbgrader import api

    handed, book = api.SubmittedAssignment, api.SubmittedNotebook
    query = (
        select(
            handed.timestamp,
            handed.extension,
            api.Assignment.duedate,
            book.late_submission_penalty,
            book.id,
            *student_columns(),
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


def rows_by_book(
    session: Any, table: Any, columns: tuple[str, ...], books: list[str] | None
) -> dict[str, list[Any]]:
    """The rows of a table by submitted notebook, with the names of their cells."""
    from nbgrader import api

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


def given(grade: Any, auto_score: float | None) -> float | None:
    """A cell's points, with those that the checks give. nbgrader itself calls it zero where there
    are none."""
    points = auto_score if grade.manual_score is None else grade.manual_score
    return None if points is None else float(points) + float(grade.extra_credit or 0.0)


def scored(
    cell: str, grade: Any, result: Result, checks: dict[str, str], outline: Outline
) -> dict[str, Any]:
    """What a graded cell's row is to hold by a result; nothing where it stays as it is. `checks`:
    exercises by their check cells."""
    exercises = {exercise.name: exercise for exercise in result.exercises}
    if cell in checks:
        score = auto_score(result, exercises.get(checks[cell]))
        manual = grade.manual_score is not None or result.status == "grader_error"
        return {"auto_score": score, "needs_manual_grade": manual}
    if cell in outline.answers:
        score = None if cell in result.in_words else 0.0
        manual = score is None and grade.manual_score is None
        return {"auto_score": score, "needs_manual_grade": manual}
    removed = cell.startswith("check_") and cell.removeprefix("check_") not in exercises
    if removed and result.status == "graded":  # since renamed or removed, and judged without it
        return {"auto_score": None, "needs_manual_grade": False}
    return {}


def auto_score(result: Result, exercise: ExerciseResult | None) -> float | None:
    """An exercise's points; None, never zero, where the grader itself failed."""
    if result.status == "grader_error" and (exercise is None or exercise.status == "error"):
        return None
    return exercise.points if exercise is not None else 0.0


def comment(result: Result, exercise: ExerciseResult | None) -> str | None:
    """nbgrader's comment on an answer: the hint, and what happened.

    Feedback pages render it as Markdown; an indented block keeps its text as it is, and the words
    above it begin no tag and no link.
    """
    if result.status == "unreadable":
        return indented(result.message)
    if exercise is None or exercise.status == "error":
        return "The grader itself failed here; no mark was given." if exercise else None
    parts = [_unmarked(plain(one)) for one in (exercise.hint, exercise.remark)]
    parts.append(indented(exercise.message[:MAX_COMMENT]))
    return "\n\n".join(part for part in parts if part) or None


def _unmarked(words: str) -> str:
    """Words that begin no tag, link, formula or list stay as they are: formgrader shows them so,
    and backquotes. A list would take the block below for a part of it."""
    return _SIGN.sub(lambda sign: f"&#{ord(sign[0])};", words) if _MARKUP.search(words) else words


_MARKUP = re.compile(r"<[A-Za-z/!?]|\][(\[:]|://|\$\$|```|^\s*(?:[-+*>#=~|]|\d+[.)])", re.MULTILINE)
_SIGN = re.compile(r"[^\w\s]")


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in plain(text).splitlines())


def built_notebook(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CourseError(f"{path} does not exist; run `autograder build` first") from None
    return found
