"""`assignments/course.toml` as typed values, and where everything of an assignment lies."""

from __future__ import annotations

import functools
import math
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .errors import CourseError

ROOT = Path(__file__).resolve().parent.parent
TOTAL = 100.0  # points of every assignment
SECONDS = 20.0  # of CPU time that an exercise has if `course.toml` names none


class Cell(NamedTuple):
    """A code cell to run, with the words that messages use for it."""

    label: str
    source: str


def notebook_cell(kind: str, name: str, source: str | list[str], **metadata: Any) -> dict[str, Any]:
    """A cell as a notebook has it; one of code has not run."""
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def cell_of(exercise: str) -> str:
    """The label of an exercise's own cell."""
    return f"the cell of {exercise}"


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One graded function or family of functions."""

    name: str
    defines: tuple[str, ...] = ()
    points: float
    minutes: int
    seconds: float = SECONDS
    """CPU time that all checks of the exercise may use together."""

    @property
    def check_cell(self) -> str:
        return f"check_{self.name}"


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One notebook."""

    name: str
    title: str
    exercises: tuple[Exercise, ...] = msgspec.field(name="exercise")
    variants: bool = False
    """Whether each student's hidden inputs are drawn for that student alone."""
    same_inputs: bool = False
    """Whether an attempt that differs from the last one meets the same hidden inputs."""

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
    def marking_guide(self) -> Path:
        """How to mark what is answered in words: private, like the reference."""
        return ROOT / "reference_impl" / "guides" / f"{self.name}.md"

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
    return {name: _checked(name, entry, path) for name, entry in table.items()}


def _checked(name: str, entry: Any, path: Path) -> Assignment:
    """The entry as a typed value; CourseError says in one sentence what is wrong with it."""
    try:
        assignment = msgspec.convert({"name": name, **entry}, Assignment)
    except (TypeError, msgspec.ValidationError) as error:
        raise CourseError(f"{path}: {name}: {_place(error, entry)}") from None
    names = [exercise.name for exercise in assignment.exercises]
    for exercise in assignment.exercises:
        for word in ("points", "minutes", "seconds"):
            value = getattr(exercise, word)
            if not (0 < value < math.inf):
                raise CourseError(
                    f"{path}: {name}: {exercise.name} has {word} = {value:g}; it should be above 0"
                )
        if names.count(exercise.name) > 1:
            raise CourseError(f"{path}: {name} lists the exercise {exercise.name} twice")
    if not math.isclose(assignment.points, TOTAL):
        raise CourseError(
            f"{path}: the exercises of {name} have {assignment.points:g} points together; "
            f"they should have {TOTAL:g}"
        )
    exercises = tuple(
        msgspec.structs.replace(exercise, defines=exercise.defines or (exercise.name,))
        for exercise in assignment.exercises
    )
    return msgspec.structs.replace(assignment, exercises=exercises)


def _place(error: Exception, entry: Any) -> str:
    """msgspec's words, with the exercise's name in the place of its number."""
    words, _, where = str(error).partition(" - at `$")
    number = re.search(r"exercise\[(\d+)\]", where)
    if number is None:
        return words
    row = entry["exercise"][int(number[1])]
    which = row.get("name") if isinstance(row, dict) else None
    return f"exercise {which or int(number[1]) + 1}: {words}"


def load_assignment(name: str) -> Assignment:
    """The assignment called `name`; CourseError names the known ones."""
    if name not in course():
        known = ", ".join(course())
        raise CourseError(f"there is no assignment {name!r}; the course has {known}")
    return course()[name]
