"""assignments + reference → source → release.

`assignments/<name>/notebook.py` gives the order and the words, `reference_impl/<name>.py` the
signatures, docstrings and answers. Out of them comes the instructors' notebook, and nbgrader's
own `generate_assignment` makes the students' notebook from that. Beside each lies what the
notebook needs to run alone. Everything is the same, byte for byte, whenever and wherever it is
built; a file that somebody changed by hand is noticed before it is overwritten.
"""

from __future__ import annotations

import ast
import hashlib
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from coursekit import slips
from coursekit.pages import UNWRITTEN
from coursekit.student import module_at

from autograder import course
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import write_atomically

from .cells import notebook_cells
from .slips import SHARED, known_slips

_STAMP = ".build.json"
_IGNORED = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
_STUB = f'# YOUR CODE HERE\nraise NotImplementedError("{UNWRITTEN}")'
_SIGNIFICANT = 6
_NOISE = 1e-9
"""Numbers this far below the largest of their list are rounding, and stored as zero."""

Files = dict[str, bytes]


# ------------------------------------------------------------------------------- building


def built_files(assignment: Assignment) -> Files:
    """Every file of `source/<name>` and `release/<name>`, by its path in the repository."""
    reference = _module(assignment.reference, f"_reference_{assignment.name}")
    cells = notebook_cells(assignment, _read(assignment.text).decode(), vars(reference))
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


# ------------------------------------------------------------------------------- data


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
            kept = [(c["cell_type"], "".join(c["source"]), _ours(c["metadata"])) for c in cells]
            data = json.dumps(kept, sort_keys=True).encode()
        except (ValueError, LookupError, TypeError):
            pass  # no notebook any more: its bytes speak for themselves
    return hashlib.sha256(data).hexdigest()


def _ours(metadata: dict[str, Any]) -> dict[str, Any]:
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
