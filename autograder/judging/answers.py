"""Known answers to the exercises: the reference, mistakes and alternatives, as code cells.

An answer is text that a student could have written in an exercise's cell. `mistake` and
`alternative` turn a function whose body holds definitions into such text; a `Bank` makes mistakes
from a right answer by exchanging a few characters, which is how most slips come about.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import textwrap
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.course import ROOT, Assignment, Cell, cell_of, load_assignment
from autograder.errors import CourseError
from autograder.sandbox.inside.cells import first_line

SETUP = "the setup cell"
FILES = "the notebook's files"
GIVEN = (FILES, SETUP)
"""Labels of the cells that are everyone's."""
KEEPS = 0.99
"""Where a mistake says nothing of it; a guard of a large exercise weighs little more."""


@dataclass(frozen=True)
class Answer:
    """A right answer, written another way."""

    assignment: str
    exercise: str
    name: str
    code: str


@dataclass(frozen=True)
class Mistake(Answer):
    """A known wrong answer, the check that must catch it, the hint that it deserves, and the most
    that it may keep, as a part of the points."""

    caught_by: str
    hint: str
    keeps: float = KEEPS


def mistake(
    exercise: str, *, caught_by: str, hint: str, keeps: float = KEEPS
) -> Callable[[Callable[[], None]], Mistake]:
    """Decorator: the function's body is the wrong answer's code, its name the mistake's."""

    def wrap(function: Callable[[], None]) -> Mistake:
        return Mistake(*_written(exercise, function), caught_by, hint, keeps)

    return wrap


def alternative(exercise: str) -> Callable[[Callable[[], None]], Answer]:
    """Decorator: the function's body is the code of another right answer."""

    def wrap(function: Callable[[], None]) -> Answer:
        return Answer(*_written(exercise, function))

    return wrap


class Bank:
    """Slips of a few characters: the known mistakes of the file that it stands in.

    `points` holds, by exercise, the checks of what it is about: who fails one keeps at most half.
    """

    def __init__(self, module: str, points: Mapping[str, Collection[str]] | None = None) -> None:
        self.assignment = _assignment(module)
        self.points = points or {}

    def slip(
        self,
        exercise: str,
        name: str,
        old: str,
        new: str,
        caught_by: str,
        hint: str,
        keeps: float | None = None,
    ) -> Mistake:
        """The reference's answer with `old`, which stands in it exactly once, made `new`."""
        code = reference_code(load_assignment(self.assignment), exercise)
        return self.variant(exercise, code, name, old, new, caught_by, hint, keeps)

    def variant(
        self,
        exercise: str,
        code: str,
        name: str,
        old: str,
        new: str,
        caught_by: str,
        hint: str,
        keeps: float | None = None,
    ) -> Mistake:
        """The same slip in another right answer, such as a student would write."""
        if code.count(old) != 1:
            times = code.count(old)
            raise CourseError(f"mistake {name}: {old!r} stands {times} times in {exercise}")
        if keeps is None:
            keeps = 0.5 if caught_by in self.points.get(exercise, ()) else KEEPS
        code = code.replace(old, new)
        return Mistake(self.assignment, exercise, name, code, caught_by, hint, keeps)


def _assignment(module: str) -> str:
    return module.rpartition(".")[2]


def _written(exercise: str, function: Callable[[], None]) -> tuple[str, str, str, str]:
    """The assignment, the exercise, the answer's name, and its code: the function's body."""
    text = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    start = first_line(definition.body[0])
    code = textwrap.dedent("\n".join(text.splitlines()[start - 1 :])) + "\n"
    return _assignment(function.__module__), exercise, function.__name__, code


def mistakes(assignment: Assignment, exercise: str = "") -> list[Mistake]:
    """All that are known, or those of one exercise."""
    known = _declared(assignment, "mistakes", Mistake)
    return [one for one in known if exercise in ("", one.exercise)]


def alternatives(assignment: Assignment, exercise: str = "") -> list[Answer]:
    """All that are known, or those of one exercise."""
    known = _declared(assignment, "alternatives", Answer)
    return [one for one in known if exercise in ("", one.exercise)]


@functools.cache
def _declared(assignment: Assignment, package: str, kind: type[Answer]) -> list[Any]:
    where = f"autograder/{package}/{assignment.name}.py"
    try:
        module: ModuleType = importlib.import_module(f"autograder.{package}.{assignment.name}")
    except Exception as error:
        raise not_imported(where, error) from error
    known: dict[tuple[str, str], Answer] = {}
    for value in vars(module).values():
        found = value if isinstance(value, list) else [value]
        for answer in found:
            if type(answer) is kind:
                key = (answer.exercise, answer.name)
                try:
                    assignment.exercise(answer.exercise)
                except CourseError as error:
                    raise CourseError(f"{where}: {error}") from None
                if key in known:
                    raise CourseError(f"{where}: two answers are called {key}")
                known[key] = answer
    return [*known.values()]


def not_imported(where: str, error: Exception) -> CourseError:
    """Says that a file cannot be imported, or the reference that it asks for."""
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    for place in map(Path, [*places, str(getattr(error, "filename", ""))]):
        if place.parent.name == "reference_impl":
            where = f"reference_impl/{place.name}"
    return CourseError(f"{where} cannot be imported: {type(error).__name__}: {error}")


# ------------------------------------------------------------------------- the reference


@functools.cache
def _reference(assignment: Assignment) -> tuple[str, ast.Module]:
    text = assignment.reference.read_text(encoding="utf-8")
    return text, ast.parse(text)


@functools.cache
def definition(assignment: Assignment, name: str) -> tuple[str, ast.FunctionDef | ast.ClassDef]:
    """The reference's source text of one function or class, and its syntax tree."""
    text, tree = _reference(assignment)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            segment = ast.get_source_segment(text, node)
            assert segment is not None
            return segment, node
    where = assignment.reference.relative_to(ROOT)
    raise CourseError(f"{where} does not define {name}, which course.toml lists")


def reference_code(assignment: Assignment, exercise: str) -> str:
    """The reference's answer to one exercise, as a cell's text."""
    names = assignment.exercise(exercise).defines
    return "\n\n\n".join(definition(assignment, name)[0] for name in names) + "\n"


@functools.cache
def setup_code(assignment: Assignment) -> str:
    """The imports at the top of the reference: what the notebook's first cell offers too."""
    text, tree = _reference(assignment)
    imports = [
        ast.get_source_segment(text, node)
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    ]
    return "\n".join(segment for segment in imports if segment) + "\n"


_BESIDE = re.compile(r"\b(figures|coursekit|expected\.json)\b")
_FILES_CELL = """\
def _put_beside(files):
    import atexit, pathlib, shutil, sys, tempfile, types
    folder = pathlib.Path.cwd()
    if folder != pathlib.Path(tempfile.gettempdir()):  # not in a cage: the folder is somebody's
        folder = pathlib.Path(tempfile.mkdtemp(prefix="notebook-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    sys.path.append(str(folder))
    module = types.ModuleType("figures")
    module.__file__ = str(folder / "figures.py")
    sys.modules["figures"] = module
    exec(compile(files["figures.py"], module.__file__, "exec", dont_inherit=True), vars(module))
    return module


figures = _put_beside({files!r})
del _put_beside
"""


def beside(assignment: Assignment, sources: Iterable[str]) -> list[Cell]:
    """What the released notebook's locked cells import and its folder holds, as a cell that puts it
    there: where the student's own cells use it. The files are public."""
    folder = assignment.release.parent
    if not (folder / "figures.py").is_file() or not any(map(_BESIDE.search, sources)):
        return []
    paths = [folder / "figures.py", folder / "expected.json", *folder.glob("coursekit/*.py")]
    files = {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(paths)}
    return [Cell(FILES, _FILES_CELL.replace("{files!r}", repr(files)))]


def cells(assignment: Assignment, *answers: Answer) -> list[Cell]:
    """A whole submission's code: the reference's answers, with `answers` in their places."""
    replaced = {answer.exercise: answer.code for answer in answers}
    found = [
        *beside(assignment, replaced.values()),
        Cell(SETUP, setup_code(assignment)),
    ]
    for exercise in assignment.exercises:
        code = replaced.get(exercise.name)
        if code is None:
            code = reference_code(assignment, exercise.name)
        found.append(Cell(cell_of(exercise.name), code))
    return found
