"""Typed results of one submission, and the folder that keeps them."""

from __future__ import annotations

import contextlib
import unicodedata
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from .errors import CourseError
from .files import write_atomically

T = TypeVar("T")
Outcome = Literal["passed", "failed", "not_counted", "error"]
Status = Literal["right", "partly", "wrong", "unwritten", "missing", "error"]


class CheckResult(msgspec.Struct, kw_only=True):
    """One check. `not_counted`: a guard that held for an answer with no right value."""

    name: str
    outcome: Outcome
    hidden: bool
    seconds: float
    title: str = ""
    message: str = ""
    kind: str = ""
    worth: float = 0.0
    """The points that it brings where it passes; rounding aside, all of an exercise's make its
    own. 0 for public checks, and in results from before this was kept."""
    point: bool = False
    """Whether an answer that fails it keeps at most half of the exercise's points."""


class ExerciseResult(msgspec.Struct, kw_only=True):
    """One exercise: its points, and what its student should read."""

    name: str
    points: float
    max_points: float
    status: Status
    message: str = ""
    hint: str = ""
    mistake: str = ""
    note: str = ""
    """How it was judged, where that was not as it stands in the notebook."""
    replaced: list[str] = []
    """Other exercises in whose places right answers stood when it was judged."""
    rests_on: list[str] = []
    """Other exercises whose standing decided how it was judged."""
    checks: list[CheckResult] = []
    checks_sha256: str = ""
    """Of all that decides this exercise's marks, see `digest`."""

    @property
    def remark(self) -> str:
        """The note as a sentence."""
        return f"{self.note[:1].upper()}{self.note[1:]}." if self.note else ""


class Result(msgspec.Struct, kw_only=True):
    """One submission. `message` says what happened where `status` is not "graded"."""

    assignment: str
    student: str
    points: float
    max_points: float
    isolation: str
    submission_sha256: str
    checks_sha256: str
    seconds: float
    status: Literal["graded", "unreadable", "grader_error"]
    message: str = ""
    notes: list[str] = []
    exercises: list[ExerciseResult] = []
    in_words: list[str] = []
    """Questions that were answered in words and are to be marked by hand."""
    phases: dict[str, float] = {}
    repeated: bool = False
    """Whether a `grader_error` met this submission twice; then it is not tried again by itself."""
    again_seconds: float = 0.0
    """Of the seconds, those in which exercises were judged with right answers to others."""


class _Worth(msgspec.Struct):
    max_points: float


def read_json(path: Path, kind: type[T], nothing: T, holds: str) -> T:
    """What the course keeps in a file; `nothing` where there is none. CourseError where it cannot
    be read: what it `holds` must not be forgotten in silence."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return nothing
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read ({error}): it holds {holds}") from None


def write_json(path: Path, value: Any) -> None:
    write_atomically(path, msgspec.json.format(msgspec.json.encode(value), indent=1))


def dropped(course_dir: Path) -> dict[str, str]:
    """Who has left the course, and when: `DIR/dropped.json`. What they handed in and earned is kept
    and shown nowhere."""
    path = course_dir / "dropped.json"
    return read_json(path, dict[str, str], {}, "who has left the course. Mend it")


def save_dropped(course_dir: Path, students: dict[str, str]) -> None:
    write_json(course_dir / "dropped.json", dict(sorted(students.items())))


def submitted(course_dir: Path, student: str, assignment: str) -> Path:
    """The folder with what counts of what a student handed in."""
    return course_dir / "submitted" / student / assignment


def handed_in(course_dir: Path, assignment: str) -> set[str]:
    """Who has such a folder, and has not left."""
    folders = (course_dir / "submitted").glob(f"*/{assignment}")
    return {path.parent.name for path in folders} - dropped(course_dir).keys()


class Store:
    """`DIR/results/<assignment>/<student>.json`, one file a submission, written atomically."""

    def __init__(self, course_dir: Path) -> None:
        self.course_dir = course_dir
        self.root = course_dir / "results"

    def path(self, assignment: str, student: str) -> Path:
        return self.root / assignment / f"{student}.json"

    def load(self, assignment: str, student: str) -> Result | None:
        """The stored result; None where there is none, or one that is damaged or another's, as
        after a copy by hand. CourseError where the file cannot be read: what it holds must not be
        judged anew and overwritten."""
        path = self.path(assignment, student)
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Result)
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise CourseError(f"{path} cannot be read ({error.strerror})") from None
        # Some file systems spell an accent in two letters.
        named = unicodedata.normalize("NFC", found.student)
        own = named == unicodedata.normalize("NFC", student) and found.assignment == assignment
        return found if own else None

    def save(self, result: Result) -> None:
        write_json(self.path(result.assignment, result.student), result)

    def max_points(self, assignment: str) -> dict[str, float]:
        """What each readable result is out of, by student."""
        found = {}
        for path in (self.root / assignment).glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                found[path.stem] = msgspec.json.decode(path.read_bytes(), type=_Worth).max_points
        return found

    def students(self, assignment: str) -> list[str]:
        """Who has a result and has not left the course."""
        found = {path.stem for path in (self.root / assignment).glob("*.json")}
        return sorted(found - dropped(self.course_dir).keys())

    def all(self, assignment: str) -> list[Result]:
        """The readable results of an assignment, by student."""
        results = [self.load(assignment, student) for student in self.students(assignment)]
        return [result for result in results if result is not None]
