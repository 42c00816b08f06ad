"""What `collect` knew of each submission, `DIR/collected/<name>.json`: for export and report."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from autograder.course import course
from autograder.results import read_json, write_json


class Origin(msgspec.Struct, kw_only=True):
    """Where a student's submission came from."""

    system: str
    """The platform whose archive it was, "folders" or "nbgrader"."""
    label: str
    """Its outermost name there, by which feedback finds its way back."""
    lms_id: str = ""
    numbers: dict[str, str] = {}
    """By platform, the numbers from archives before this one."""
    group: list[str] = []
    """All its members, where several handed in together."""


class Collected(msgspec.Struct, kw_only=True):
    """Of one assignment: by student, and whoever was in an archive and could not be read."""

    students: dict[str, Origin] = {}
    left_out: dict[str, str] = {}
    """The reason by the archive's own name."""


def collected(course_dir: Path, name: str) -> Collected:
    """What is known of an assignment; nothing where nothing was collected."""
    holds = "what the platforms call everybody. Mend it, or remove it and collect again"
    return read_json(_path(course_dir, name), Collected, Collected(), holds)


class Numbers(NamedTuple):
    """What is known of one platform's numbers for students."""

    here: dict[str, str]
    """By student."""
    elsewhere: set[tuple[str, str]]
    """Students with the numbers that other platforms alone have for them."""

    def of(self, student: str, on_roster: str) -> str:
        """What an archive said; else the roster's, unless it is another platform's and here
        somebody else's, perhaps."""
        foreign = (student, on_roster) in self.elsewhere
        return self.here.get(student) or ("" if foreign else on_roster)


def numbers(course_dir: Path, system: str, assignment: str) -> Numbers:
    """Of `system`, from all its archives; of Moodle's the assignment's, as it numbers anew."""
    here: dict[str, str] = {}
    elsewhere: set[tuple[str, str]] = set()
    for name in course():
        for student, origin in collected(course_dir, name).students.items():
            for where, number in numbered(origin).items():
                if where != system:
                    elsewhere.add((student, number))
                elif system != "Moodle" or name == assignment:
                    here[student] = number
    return Numbers(here, elsewhere - here.items())


def numbered(origin: Origin) -> dict[str, str]:
    """By platform, the student's numbers."""
    return origin.numbers | ({origin.system: origin.lms_id} if origin.lms_id else {})


def save(course_dir: Path, name: str, told: Collected, settled: Collection[str] = ()) -> None:
    """Adds what an archive told to what is known by now; who is `settled` is left out no more."""
    now = collected(course_dir, name)
    left_out = {who: why for who, why in now.left_out.items() if who not in settled}
    made = Collected(students=now.students | told.students, left_out=left_out | told.left_out)
    if made != now:
        write_json(_path(course_dir, name), made)


def _path(course_dir: Path, name: str) -> Path:
    return course_dir / "collected" / f"{name}.json"
