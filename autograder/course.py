"""`assignments/course.toml` as typed values, and where everything of an assignment lies."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .errors import CourseError

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 20.0  # of CPU time that an exercise has if `course.toml` names none


class Cell(NamedTuple):
    """A code cell to run, with the words that messages use for it."""

    label: str
    source: str


@dataclass(frozen=True)
class Exercise:
    """One graded function or family of functions."""

    name: str
    defines: tuple[str, ...]
    points: float
    minutes: int
    seconds: float
    """CPU time that all checks of the exercise may use together."""

    @property
    def check_cell(self) -> str:
        return f"check_{self.name}"


@dataclass(frozen=True)
class Assignment:
    """One notebook."""

    name: str
    title: str
    exercises: tuple[Exercise, ...]
    variants: bool = False
    """Whether each student's hidden inputs are drawn for that student alone."""

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    @property
    def folder(self) -> Path:
        return ROOT / "assignments" / self.name

    @property
    def text(self) -> Path:
        return self.folder / "notebook.py"

    @property
    def public_checks(self) -> Path:
        return self.folder / "public_checks.py"

    @property
    def hidden_checks(self) -> Path:
        return ROOT / "autograder" / "checks" / f"test_{self.name}.py"

    @property
    def known_mistakes(self) -> Path:
        return ROOT / "autograder" / "mistakes" / f"{self.name}.py"

    @property
    def reference(self) -> Path:
        return ROOT / "reference_impl" / f"{self.name}.py"

    @property
    def source(self) -> Path:
        return ROOT / "source" / self.name / f"{self.name}.ipynb"

    @property
    def release(self) -> Path:
        return ROOT / "release" / self.name / f"{self.name}.ipynb"

    def exercise(self, name: str) -> Exercise:
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        known = ", ".join(exercise.name for exercise in self.exercises)
        raise CourseError(f"{self.name} has no exercise {name!r}; it has {known}")


@functools.cache
def course() -> dict[str, Assignment]:
    """The assignments by name, in the course's order; CourseError if the file is not right."""
    path = ROOT / "assignments" / "course.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    assignments = {}
    for name, entry in table.items():
        try:
            assignments[name] = _assignment(name, entry)
        except KeyError as error:
            raise CourseError(f"{path}: {name} or one of its exercises lacks {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise CourseError(f"{path}: {name}: {error}") from None
    return assignments


def _assignment(name: str, entry: dict[str, Any]) -> Assignment:
    exercises = tuple(
        Exercise(
            name=row["name"],
            defines=tuple(row.get("defines", [row["name"]])),
            points=float(row["points"]),
            minutes=int(row["minutes"]),
            seconds=float(row.get("seconds", SECONDS)),
        )
        for row in entry["exercise"]
    )
    names = [exercise.name for exercise in exercises]
    if len(set(names)) != len(names):
        raise ValueError("lists an exercise twice")
    return Assignment(name, entry["title"], exercises, bool(entry.get("variants", False)))


def load_assignment(name: str) -> Assignment:
    """The assignment called `name`; CourseError names the known ones."""
    if name not in course():
        known = ", ".join(course())
        raise CourseError(f"there is no assignment {name!r}; the course has {known}")
    return course()[name]
