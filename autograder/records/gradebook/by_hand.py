"""What somebody gave for one submission in formgrader, to be kept with that attempt."""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import update

from .givers import giver_rows, save_givers
from .rows import rows_by_book, submissions, update_rows


class Given(msgspec.Struct, kw_only=True):
    """What one cell was given."""

    cell: str
    points: float | None = None
    extra: float | None = None
    comment: str | None = None
    giver: str = ""
    moment: str = ""


def read_given(session: Any, name: str, student: str) -> list[Given]:
    """What was given by hand for the submission that the gradebook holds."""
    grades, comments = _rows(session, name, student)
    who = giver_rows(session)
    found = [
        Given(
            cell=row.name,
            points=row.manual_score,
            extra=row.extra_credit,
            giver=who[row.id].giver if row.id in who else "",
            moment=who[row.id].moment if row.id in who else "",
        )
        for row in grades
        if row.manual_score is not None or row.extra_credit
    ]
    found += [Given(cell=row.name, comment=row.manual_comment) for row in comments]
    return [one for one in found if one.comment or one.points is not None or one.extra]


def replace_given(session: Any, name: str, student: str, given: list[Given]) -> None:
    """Puts this in the place of what was given by hand for another attempt."""
    from nbgrader import api

    grades, comments = _rows(session, name, student)
    points = {one.cell: one for one in given if one.comment is None}
    said = {one.cell: one.comment for one in given if one.comment is not None}
    nothing = Given(cell="")
    changes = []
    for row in grades:
        one = points.get(row.name, nothing)
        changes.append((row, {"manual_score": one.points, "extra_credit": one.extra}))
    update_rows(session, api.Grade, changes)
    words = [(row, {"manual_comment": said.get(row.name)}) for row in comments]
    update_rows(session, api.Comment, words)
    ids = {row.name: row.id for row in grades}
    who = {ids[cell]: (one.giver, one.moment) for cell, one in points.items() if cell in ids}
    save_givers(session, list(ids.values()), who)


def part(session: Any, name: str, student: str) -> None:
    """Gives these rows other ids, so that no page of formgrader that shows this attempt writes to
    the next one's."""
    from nbgrader import api

    who = giver_rows(session)
    for table, rows in zip((api.Grade, api.Comment), _rows(session, name, student), strict=True):
        column = table.__table__.c.id
        for row in rows:
            new = api.new_uuid()
            session.execute(update(table.__table__).where(column == row.id).values(id=new))
            if row.id in who and table is api.Grade:
                one = who[row.id]
                save_givers(session, [row.id], {new: (one.giver, one.moment)})


def _rows(session: Any, name: str, student: str) -> tuple[list[Any], list[Any]]:
    from nbgrader import api

    books = [row.id for row in submissions(session, name, student)]
    grades = rows_by_book(session, api.Grade, ("manual_score", "extra_credit"), books)
    comments = rows_by_book(session, api.Comment, ("manual_comment",), books)
    return [*chain(*grades.values())], [*chain(*comments.values())]
