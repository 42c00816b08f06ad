"""Who gave points by hand, and when: a table of its own beside nbgrader's, which does not keep it.

It is filled where nbgrader's formgrader runs with this project's configuration (`watch`), in the
transaction that changes the points, so that it is where the points are.
"""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, MetaData, String, Table, event, inspect, select

_GIVEN = Table(
    "autograder_given",
    MetaData(),
    Column("grade_id", String(32), primary_key=True),
    Column("giver", String(128)),
    Column("moment", String(16)),
)


def watch() -> None:
    """From now on, whoever changes points by hand in this process is noted."""
    from nbgrader.api import Grade

    for moment in ("after_insert", "after_update"):
        if not event.contains(Grade, moment, _note):
            event.listen(Grade, moment, _note)


def _note(mapper: Any, connection: Any, grade: Any) -> None:
    attributes = inspect(grade).attrs
    changed = [attributes[name].history for name in ("manual_score", "extra_credit")]
    if not any(history.has_changes() and (history.added or history.deleted) for history in changed):
        return
    _GIVEN.create(connection, checkfirst=True)
    connection.execute(_GIVEN.delete().where(_GIVEN.c.grade_id == grade.id))
    if grade.manual_score is None and not grade.extra_credit:
        return
    moment = f"{datetime.now(UTC):%Y-%m-%d}"
    row = {"grade_id": grade.id, "giver": _me()[:128], "moment": moment}
    connection.execute(_GIVEN.insert(), [row])


def _me() -> str:
    """The user of the hub, else of the machine; "" where nobody can be told."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (OSError, KeyError):
        return ""


def givers(session: Any) -> dict[str, str]:
    """ "kim, 2026-11-28" by the id of the grade."""
    rows = giver_rows(session).values()
    return {row.grade_id: ", ".join(filter(None, (row.giver, row.moment))) for row in rows}


def giver_rows(session: Any) -> dict[str, Any]:
    """Giver and moment by the id of the grade."""
    if not inspect(session.connection()).has_table(_GIVEN.name):
        return {}
    return {row.grade_id: row for row in session.execute(select(_GIVEN)).all()}


def save_givers(session: Any, grades: list[str], who: dict[str, tuple[str, str]]) -> None:
    """Whoever gave what these grades have by hand, in the place of who is noted."""
    if not who and not inspect(session.connection()).has_table(_GIVEN.name):
        return
    _GIVEN.create(session.connection(), checkfirst=True)
    session.execute(_GIVEN.delete().where(_GIVEN.c.grade_id.in_(grades)))
    if who:
        rows = [{"grade_id": one, "giver": g, "moment": m} for one, (g, m) in who.items()]
        session.execute(_GIVEN.insert(), rows)
