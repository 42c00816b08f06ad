"""What `collect` knew of each submission, `DIR/collected/<name>.json`: for export and report."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from autograder.course import course
from autograder.errors import CourseError
from autograder.files import write_atomically

T = TypeVar("T")


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
    """What is known of an assignment; nothing where nothing was collected. CourseError where it
    cannot be read: the ways back to the platform would be forgotten with the next archive."""
    path = _path(course_dir, name)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Collected)
    except FileNotFoundError:
        return Collected()
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}): it holds what the platforms call everybody. Mend "
            "it, or remove it and collect again"
        ) from None


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


def save(course_dir: Path, name: str, before: Collected, after: Collected) -> None:
    """Writes what has become of `before`, beside what somebody else collected meanwhile."""
    now = collected(course_dir, name)
    made = Collected(
        students=_changed(now.students, before.students, after.students),
        left_out=_changed(now.left_out, before.left_out, after.left_out),
    )
    if made != now:
        data = msgspec.json.format(msgspec.json.encode(made))
        write_atomically(_path(course_dir, name), data)


def _changed(now: dict[str, T], before: dict[str, T], after: dict[str, T]) -> dict[str, T]:
    gone = before.keys() - after.keys()
    kept = {key: value for key, value in now.items() if key not in gone}
    return kept | {key: value for key, value in after.items() if before.get(key) != value}


def _path(course_dir: Path, name: str) -> Path:
    return course_dir / "collected" / f"{name}.json"
