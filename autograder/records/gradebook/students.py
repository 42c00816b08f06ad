"""What is known of students: names, addresses and the platform's ids, for the gradebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from autograder.files import LONGEST, joined, plain
from autograder.records.words import named


class Known(NamedTuple):
    """One student, as somebody else knows them, a platform say."""

    student: str
    """The id in the course; "" where nobody tells one."""
    name: str = ""
    email: str = ""
    lms_id: str = ""
    joined: str = ""
    """The name in one word, family name first, where that is all that is told."""

    @property
    def told(self) -> bool:
        return bool(self.name or self.email or self.lms_id)


class Person(NamedTuple):
    """One student on the roster."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def joined(self) -> str:
        """As Canvas writes it."""
        return joined(self.last_name, self.first_name)

    @property
    def shown(self) -> str:
        return named(plain(self.name), self.student)


def student_columns() -> tuple[Any, ...]:
    """Of nbgrader's table, for a `person`."""
    from nbgrader.api import Student

    who = Student.id.label("student")
    return who, Student.first_name, Student.last_name, Student.email, Student.lms_user_id


def person(row: Iterable[str | None]) -> Person:
    return Person(*(value or "" for value in row))


def save_students(session: Any, people: Iterable[Known]) -> None:
    """Makes the students, or fills in what is not known of them; nothing known is changed."""
    from nbgrader.api import Student

    for known in people:
        row = session.get(Student, known.student)
        if row is None:
            row = Student(id=known.student)
            session.add(row)
        if known.name and not (row.first_name or row.last_name):
            first, _, last = plain(known.name).rpartition(" ")
            row.first_name, row.last_name = first[:LONGEST], last[:LONGEST]
        row.email = row.email or _whole(known.email)
        row.lms_user_id = row.lms_user_id or _whole(known.lms_id)


def _whole(text: str) -> str | None:
    """What leads to somebody, if it has room: half an address is another's."""
    return plain(text) if 0 < len(text) <= LONGEST else None
