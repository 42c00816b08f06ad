"""assignments + reference → source → release.

`assignments/<name>/notebook.py` gives the order and the words, `reference_impl/<name>.py` the
signatures, docstrings and answers. Out of them comes the instructors' notebook, and nbgrader's
own `generate_assignment` makes the students' notebook from that. Beside each lies what the
notebook needs to run alone. Everything is the same, byte for byte, whenever and wherever it is
built; a file that somebody changed by hand is noticed before it is overwritten.

Locked cells have these nbgrader ids: `setup`; `check_<exercise>`; and `demo_…` for whatever is
for the student's eyes only and is skipped at grading (helpers, plots, training shows, summary).
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import tempfile
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from coursekit import slips
from coursekit.notebook import UNWRITTEN
from coursekit.student import module_at

from autograder import course
from autograder.course import Assignment, Exercise
from autograder.errors import CourseError
from autograder.files import write_atomically
from autograder.judging.answers import definition, setup_code

from .slips import SHARED, known_slips

_STAMP = ".build.json"
_IGNORED = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
_ROLES = ("setup", "parameters", "exercise", "demo", "summary")
_STUB = f'# YOUR CODE HERE\nraise NotImplementedError("{UNWRITTEN}")'
_HELPERS = """\
# coursekit, figures.py, public_checks.py and expected.json lie in this notebook's folder.
try:
    from coursekit.notebook import check, demo, summary

    import figures
except ModuleNotFoundError as error:
    if str(error.name).split(".")[0] not in ("coursekit", "figures"):
        raise

    lacking = (
        "This notebook's files are not here. Open it in the folder in which the course gave it "
        "out\\n(in Colab, %cd to that folder first), or take the notebook that carries its files "
        "with it.\\nThen run this cell again."
    )

    def check(exercise):
        print(lacking)

    raise ModuleNotFoundError(lacking) from None"""
_SIGNIFICANT = 6
_NOISE = 1e-9
"""Numbers this far below the largest of their list are rounding, and stored as zero."""

Cell = dict[str, Any]
Files = dict[str, bytes]


# ------------------------------------------------------------------------------- building


def built_files(assignment: Assignment) -> Files:
    """Every file of `source/<name>` and `release/<name>`, by its path in the repository."""
    reference = _module(assignment.reference, f"_reference_{assignment.name}")
    cells = _cells(assignment, reference)
    inside = course.ROOT / "autograder" / "sandbox" / "inside"
    source = {
        f"{assignment.name}.ipynb": _notebook_bytes({"cells": cells, **_NOTEBOOK}),
        "public_checks.py": _public_checks(assignment),
        slips.FILE: known_slips(assignment),
        "figures.py": _read(assignment.folder / "figures.py"),
        "expected.json": _expected(assignment, reference),
        # The grader's own, so that the student's check goes by the same rules.
        **{f"coursekit/{name}.py": _read(inside / f"{name}.py") for name in SHARED},
    }
    for path in sorted((course.ROOT / "assignments" / "coursekit").glob("*.py")):
        source[f"coursekit/{path.name}"] = _read(path)
    files = {f"source/{assignment.name}/{name}": data for name, data in source.items()}
    for name, data in _released(assignment.name, source).items():
        files[f"release/{assignment.name}/{name}"] = data
    return dict(sorted(files.items()))


_NOTEBOOK = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def _cells(assignment: Assignment, reference: ModuleType) -> list[Cell]:
    """The instructors' notebook, cell by cell."""
    import jupytext

    where = str(assignment.text.relative_to(course.ROOT))
    text = jupytext.reads(_read(assignment.text).decode(), fmt="py:percent")
    cells: list[Cell] = []
    last, prose = "title", 0
    for found in text.cells:
        if found.cell_type == "markdown" and "answer" not in found.metadata:
            prose += 1
            words = _evaluated(found.source, vars(reference), where)
            cells.append(_cell("markdown", f"text_{last}_{prose}", words))
        else:
            cells += _made(assignment, found, where)
            last, prose = cells[-1]["id"], 0
    ids = [cell["id"] for cell in cells]
    wanted = [exercise.name for exercise in assignment.exercises]
    if (exercises := [one for one in ids if one in wanted]) != wanted:
        raise CourseError(
            f"{where} has the exercises {', '.join(exercises)}; "
            f"course.toml has {', '.join(wanted)}, in this order"
        )
    if twice := {one for one in ids if one.startswith("answer_") and ids.count(one) > 1}:
        raise CourseError(f"{where} has more than one cell {', '.join(sorted(twice))}")
    for name in ("setup", "parameters", "demo_summary"):
        if ids.count(name) != 1:
            raise CourseError(f"{where} has {ids.count(name)} cells {name!r}; it needs one")
    return cells


def _made(assignment: Assignment, found: Any, where: str) -> list[Cell]:
    """What becomes of a cell that is more than prose."""
    if found.cell_type == "markdown":
        return [_answer_cell(assignment, found, where)]
    role, value = _role(found, where)
    if role == "setup":
        code = setup_code(assignment).strip()
        return [_locked("setup", code), _locked("demo_helpers", _HELPERS)]
    if role == "parameters":
        return [_cell("code", "parameters", found.source, tags=["parameters"])]
    if role == "exercise":
        exercise = assignment.exercise(str(value))
        return [_solution_cell(assignment, exercise), _check_cell(assignment, exercise)]
    if role == "demo":
        return [_demo_cell(str(value), found.source, where)]
    return [_locked("demo_summary", "summary()", tags=["skip-execution"])]


def _role(found: Any, where: str) -> tuple[str, Any]:
    roles = [(role, found.metadata[role]) for role in _ROLES if role in found.metadata]
    first = (found.source.strip().splitlines() or ["(empty)"])[0]
    if len(roles) != 1:
        raise CourseError(f"{where}: a code cell needs one of {', '.join(_ROLES)}: {first}")
    role, value = roles[0]
    if role in ("setup", "exercise", "summary") and found.source.strip():
        raise CourseError(
            f"{where}: the builder fills the {role} cell; it should be empty: {first}"
        )
    return role, value


def _cell(kind: str, name: str, source: str, tags: list[str] | None = None) -> Cell:
    """A cell whose id says what it is, so that a rebuild gives the same one."""
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise CourseError(f"{name!r} cannot be a cell's id: letters, digits, - and _, at most 64")
    cell: Cell = {"cell_type": kind, "id": name, "metadata": {}, "source": source}
    if tags:
        cell["metadata"]["tags"] = tags
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _graded(cell: Cell, **keys: Any) -> Cell:
    """The cell as one of nbgrader's, schema 3."""
    known = {"grade": False, "locked": False, "solution": False, "task": False}
    cell["metadata"]["nbgrader"] = known | {"grade_id": cell["id"], "schema_version": 3} | keys
    return cell


def _locked(name: str, source: str, tags: list[str] | None = None) -> Cell:
    return _graded(_cell("code", name, source, tags), locked=True)


def _check_cell(assignment: Assignment, exercise: Exercise) -> Cell:
    lines = [
        f'check("{exercise.name}")',
        "### BEGIN HIDDEN TESTS",
        "from autograder.authoring.stock_nbgrader import score",
        "",
        f'score("{assignment.name}", "{exercise.name}", globals())',
        "### END HIDDEN TESTS",
    ]
    points = int(exercise.points) if exercise.points.is_integer() else exercise.points
    cell = _cell("code", exercise.check_cell, "\n".join(lines))
    return _graded(cell, grade=True, locked=True, points=points)


def _answer_cell(assignment: Assignment, found: Any, where: str) -> Cell:
    """A question that is answered in words and marked by hand; its guide is for markers alone."""
    name, points = str(found.metadata["answer"]), found.metadata.get("points", 0)
    if type(points) not in (int, float) or not 0 <= points < float("inf"):
        raise CourseError(f"{where}: the answer {name} has points = {points!r}; 0 or more")
    guide = _guides(assignment).get(name, "")
    if not guide:
        path = assignment.marking_guide.relative_to(course.ROOT)
        raise CourseError(f"{where}: {path} has no part `# {name}` that says how to mark it")
    text = f"{found.source.rstrip()}\n\n### BEGIN SOLUTION\n{guide}\n### END SOLUTION"
    cell = _cell("markdown", f"answer_{name}", text)
    return _graded(cell, grade=True, solution=True, points=points)


def _guides(assignment: Assignment) -> dict[str, str]:
    """The text below each `# name` of the marking guide."""
    path = assignment.marking_guide
    if not path.is_file():
        return {}
    parts = re.split(r"^# (\w+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _demo_cell(name: str, source: str, where: str) -> Cell:
    """A demonstration: says so in a line when its exercise is not yet written.

    The tag makes nbclient, and with it a stock nbgrader, leave the cell out.
    """
    wrapped = "with demo():\n" + textwrap.indent(source.strip("\n"), "    ")
    try:
        body, block = ast.parse(source).body, ast.parse(wrapped).body[0]
    except SyntaxError as error:
        raise CourseError(f"{where}: demo {name} is not plain Python: {error}") from None
    assert isinstance(block, ast.With)
    if [ast.dump(one) for one in block.body] != [ast.dump(one) for one in body]:
        raise CourseError(
            f"{where}: demo {name} has a string over several lines; join shorter ones"
        )
    if isinstance(body[-1], ast.Expr) and not isinstance(body[-1].value, ast.Call):
        raise CourseError(f"{where}: demo {name} ends in a value, which is not shown; print it")
    return _locked(f"demo_{name}", wrapped, tags=["skip-execution"])


# ------------------------------------------------------------------------------- solutions


def _solution_cell(assignment: Assignment, exercise: Exercise) -> Cell:
    parts = []
    for name in exercise.defines:
        segment, _ = definition(assignment, name)
        parts.append(woven(segment, f"{assignment.name}.{name}"))
    return _graded(_cell("code", exercise.name, "\n\n\n".join(parts)), solution=True)


def woven(segment: str, where: str) -> str:
    """A function's or class's text with each body below its docstring as a solution region."""
    lines = segment.splitlines()
    node = ast.parse(segment).body[0]
    if isinstance(node, ast.ClassDef):
        bodies = []
        for number, member in enumerate(node.body):
            if isinstance(member, ast.FunctionDef):
                bodies.append(member)
            elif number or ast.get_docstring(node) is None:
                raise CourseError(f"{where}: a class here has a docstring, methods and no more")
    else:
        assert isinstance(node, ast.FunctionDef)
        bodies = [node]
    if ast.get_docstring(node) is None:
        raise CourseError(f"{where} has no docstring; it is what the student reads")
    for function in reversed(bodies):
        first = function.body[0]
        documented = ast.get_docstring(function) is not None
        start = int(first.end_lineno or 0) if documented else _signature_end(function, lines)
        stop = int(function.end_lineno or 0)
        if start >= stop:
            raise CourseError(f"{where}: {function.name} has no body below its docstring")
        indent = " " * first.col_offset
        region = [indent + "### BEGIN SOLUTION", *lines[start:stop], indent + "### END SOLUTION"]
        lines[start:stop] = region
    return "\n".join(lines)


def _signature_end(function: ast.FunctionDef, lines: list[str]) -> int:
    """The number of the line after which the body begins, comments above it included."""
    start = function.body[0].lineno - 1
    while lines[start - 1].strip().startswith("#"):
        start -= 1
    return start


# ------------------------------------------------------------------------------- prose, data


def _evaluated(text: str, names: dict[str, Any], where: str) -> str:
    """The prose with every {{expression}} replaced by its value."""
    parts, rest = [], text
    while "{{" in rest:
        before, rest = rest.split("{{", 1)
        parts.append(before)
        for end in re.finditer(r"\}\}(?!\})", rest):
            try:
                code = compile(rest[: end.start()].strip(), where, "eval")
            except SyntaxError:
                continue  # these braces belong to the expression
            break
        else:
            raise CourseError(f"{where}: no expression in {{{{{rest.splitlines()[0]}")
        try:
            parts.append(str(eval(code, dict(names))))
        except Exception as error:
            shown = rest[: end.start()]
            raise CourseError(
                f"{where}: {{{{{shown}}}}} gives {type(error).__name__}: {error}"
            ) from error
        rest = rest[end.end() :]
    return "".join([*parts, rest])


def _public_checks(assignment: Assignment) -> bytes:
    """The public checks; every exercise has one, because the notebook's summary lists them."""
    data = _read(assignment.public_checks)
    functions = [n.name for n in ast.parse(data).body if isinstance(n, ast.FunctionDef)]
    for exercise in assignment.exercises:
        if not any(name.startswith(f"test_{exercise.name}__") for name in functions):
            raise CourseError(f"{exercise.name} has no public check in {assignment.public_checks}")
    return data


def _expected(assignment: Assignment, reference: ModuleType) -> bytes:
    """What the figures show as right, from the reference, the same on every machine."""
    path = assignment.folder / "figures.py"
    figures = _module(path, f"_figures_{assignment.name}")
    if not hasattr(figures, "expected"):
        raise CourseError(f"{path.relative_to(course.ROOT)} has no expected(answers)")
    rows = []
    for key, value in sorted(figures.expected(reference).items()):
        try:
            rows.append(f"{json.dumps(key)}: {json.dumps(_rounded(value), allow_nan=False)}")
        except (TypeError, ValueError) as error:
            where = f"{path.relative_to(course.ROOT)}: expected(answers)[{key!r}]"
            raise CourseError(f"{where} cannot be stored: {error}") from None
    return ("{\n" + ",\n".join(rows) + "\n}\n").encode()


def _rounded(value: Any) -> Any:
    """Numbers to six digits, and rounding noise to zero: both differ between machines."""
    array = np.asarray(value)
    if array.dtype.kind in "biuSU":
        return array.tolist()
    array = array.astype(float)
    largest = np.abs(array).max(initial=0.0)
    array[np.abs(array) <= _NOISE * largest] = 0.0
    return _digits(array.tolist())


def _digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits(item) for item in value]
    return float(f"{value:.{_SIGNIFICANT}g}")


def _module(path: Path, name: str) -> ModuleType:
    if not path.is_file():
        raise CourseError(f"{path.relative_to(course.ROOT)} does not exist")
    return module_at(path, name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CourseError(f"{path.relative_to(course.ROOT)} does not exist") from None


# ------------------------------------------------------------------------------- nbgrader


def _released(name: str, source: Files) -> Files:
    """What nbgrader makes of the source folder, in a course directory of its own."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    config.ClearSolutions.code_stub = {"python": _STUB}
    # As `nbgrader generate_assignment --no-db`: no gradebook takes part in a build.
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    with tempfile.TemporaryDirectory() as folder:
        config.CourseDirectory.root = folder
        for path, data in source.items():
            write_atomically(Path(folder, "source", name, path), data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's code, of other people's code
            api = NbGraderAPI(config=config)
            result = api.generate_assignment(name)
        if not result["success"]:
            raise CourseError(f"nbgrader cannot release {name}:\n{result.get('log', result)}")
        release = Path(folder, "release", name)
        paths = sorted(path for path in release.rglob("*") if path.is_file())
        files = {path.relative_to(release).as_posix(): path.read_bytes() for path in paths}
    notebook = f"{name}.ipynb"
    files[notebook] = _notebook_bytes(json.loads(files[notebook]))
    return files


def _notebook_bytes(notebook: dict[str, Any]) -> bytes:
    """The notebook as Jupyter itself writes it: one line of text a line, keys sorted."""
    import nbformat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
        text = nbformat.writes(node)  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode()


# ------------------------------------------------------------------------------- on disk


@dataclass(frozen=True)
class Built:
    """What a build did: how many files there are, which it wrote, which it does not know."""

    files: int
    written: list[str]
    strays: list[str]


def build(assignment: Assignment, *, force: bool = False) -> Built:
    """Brings `source/<name>` and `release/<name>` up to date.

    CourseError if a file there was changed since it was built: it may be somebody's work.
    """
    files = _stamped(assignment)
    stamp = _read_stamp(assignment)
    edited = [
        path
        for path in sorted({*files, *stamp})
        if (data := _on_disk(path)) not in (None, files.get(path))
        and path != _stamp_path(assignment)
        and stamp.get(path) != _fingerprint(path, data or b"")
    ]
    if edited and not force:
        lines = [f"{path} was changed since it was built: {_origin(path)}" for path in edited]
        lines.append("Carry over what you want to keep, then build with --force to overwrite.")
        raise CourseError("\n".join(lines))
    for path in stamp.keys() & _present(assignment) - files.keys():
        (course.ROOT / path).unlink()
    written = [path for path, data in files.items() if _on_disk(path) != data]
    for path in written:
        write_atomically(course.ROOT / path, files[path])
    return Built(len(files), written, sorted(_present(assignment) - files.keys()))


def differences(assignment: Assignment) -> list[str]:
    """What a build would change, a sentence for each file; nothing is written."""
    files = _stamped(assignment)
    present = _present(assignment)
    found = [f"{path} is missing" for path in sorted(files.keys() - present)]
    found += [f"{path} is not the builder's" for path in sorted(present - files.keys())]
    both = sorted(files.keys() & present)
    return found + [f"{path} differs" for path in both if _on_disk(path) != files[path]]


def released(assignment: Assignment) -> Files:
    """The files of `release/<name>` by their names in it, as they were built and nothing beside
    them; CourseError where one was changed since: somebody may have tried an answer there."""
    folder = f"release/{assignment.name}/"
    stamp = {path: was for path, was in _read_stamp(assignment).items() if path.startswith(folder)}
    files = {path: data for path in stamp if (data := _on_disk(path)) is not None}
    if not files or files.keys() != stamp.keys():
        raise CourseError(f"{assignment.name} is not built: run `autograder build` first")
    for path, data in files.items():
        if _fingerprint(path, data) != stamp[path]:
            raise CourseError(
                f"{path} was changed since it was built, and is not given away so: keep what you "
                f"want of it, and run `autograder build {assignment.name} --force`"
            )
    return {path.removeprefix(folder): data for path, data in files.items()}


def _stamped(assignment: Assignment) -> Files:
    """The built files and the stamp, which says what each is now that it is built."""
    files = built_files(assignment)
    prints = {path: _fingerprint(path, data) for path, data in files.items()}
    stamp = json.dumps(prints, indent=1, sort_keys=True) + "\n"
    return files | {_stamp_path(assignment): stamp.encode()}


def _stamp_path(assignment: Assignment) -> str:
    return f"source/{assignment.name}/{_STAMP}"


def _read_stamp(assignment: Assignment) -> dict[str, str]:
    try:
        stamp = json.loads(_on_disk(_stamp_path(assignment)) or b"{}")
    except ValueError:
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _fingerprint(path: str, data: bytes) -> str:
    """SHA-256 of what a hand can change; running a notebook changes only its outputs."""
    if path.endswith(".ipynb"):
        try:
            cells = json.loads(data)["cells"]
            kept = [(c["cell_type"], "".join(c["source"]), _own(c["metadata"])) for c in cells]
            data = json.dumps(kept, sort_keys=True).encode()
        except (ValueError, LookupError, TypeError):
            pass  # no notebook any more: its bytes speak for themselves
    return hashlib.sha256(data).hexdigest()


def _own(metadata: Cell) -> Cell:
    return {key: metadata[key] for key in ("nbgrader", "tags") if key in metadata}


def _on_disk(path: str) -> bytes | None:
    try:
        return (course.ROOT / path).read_bytes()
    except FileNotFoundError:
        return None


def _present(assignment: Assignment) -> set[str]:
    folders = (assignment.source.parent, assignment.release.parent)
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    places = (path.relative_to(course.ROOT) for path in files)
    return {place.as_posix() for place in places if _IGNORED.isdisjoint(place.parts)}


def _origin(path: str) -> str:
    """Where a change to a built file belongs."""
    _, name, rest = path.split("/", 2)
    if rest == f"{name}.ipynb":
        return (
            f"words and plots belong in assignments/{name}/notebook.py, signatures, docstrings "
            f"and answers in reference_impl/{name}.py"
        )
    if rest == "expected.json":
        return f"it comes from expected() in assignments/{name}/figures.py"
    if rest == slips.FILE:
        return f"it comes from autograder/mistakes/{name}.py"
    if rest.removeprefix("coursekit/").removesuffix(".py") in SHARED:
        return f"it is a copy of autograder/sandbox/inside/{rest.removeprefix('coursekit/')}"
    return f"it is a copy of assignments/{rest if '/' in rest else f'{name}/{rest}'}"
