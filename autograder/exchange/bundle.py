"""What is given away: the students' folder, notebooks as single files, and the site. All hold what
is released and nothing private."""

from __future__ import annotations

import base64
import io
import json
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from autograder.authoring.build import released
from autograder.course import ROOT, Assignment, course, notebook_cell
from autograder.files import write_atomically

_TEMPLATES = Path(__file__).resolve().parent / "templates" / "bundle"
_SITE = _TEMPLATES.with_name("site")
_CONTENTS = """\
format: jb-book
root: index
parts:
- caption: Handouts
  chapters:
  - file: guide
  - file: checks
- caption: Notebooks
  chapters:
"""
_CLOSED: dict[str, Any] = {
    "jupyter": {"source_hidden": True},  # JupyterLab, VS Code
    "cellView": "form",  # Colab
    "_kg_hide-input": True,  # Kaggle
    "editable": False,
    "deletable": False,
    "tags": ["hide-input"],
}
_STUDENT_PACKAGES = ("numpy", "torch", "scipy", "scikit-learn", "matplotlib", "tqdm", "jupyterlab")


def student_folder(assignments: list[Assignment], folder: Path) -> list[Path]:
    """Writes the notebooks of these assignments, a guide, requirements and a self-test."""
    files: dict[str, bytes] = {}
    for assignment in assignments:
        for name, data in released(assignment).items():
            files[f"{assignment.name}/{name}"] = data
    files["README.md"] = _guide(assignments)
    files[".github/workflows/classroom.yml"] = (_TEMPLATES / "classroom.yml").read_bytes()
    return _written(files, folder)


def single_notebooks(assignments: list[Assignment], folder: Path) -> list[Path]:
    """Writes each notebook as one file that carries its helpers, with a guide, requirements and
    the self-tests beside them."""
    files = {f"{found.name}.ipynb": _with_its_kit(found) for found in assignments}
    files["README.md"] = _guide(assignments, single=True)
    return _written(files, folder)


def _written(files: dict[str, bytes], folder: Path) -> list[Path]:
    """These files, and what every student needs beside them."""
    files["requirements.txt"] = _requirements().encode()
    for script in ("check_environment.py", "check_submission.py"):
        files[script] = (_TEMPLATES / script).read_bytes()
    return write_all(files, folder)


def write_all(files: dict[str, bytes], folder: Path) -> list[Path]:
    for name, data in files.items():
        write_atomically(folder / name, data)
    return [folder / name for name in files]


def _with_its_kit(assignment: Assignment) -> bytes:
    """The released notebook with one more cell, which unpacks what lies beside it."""
    files = released(assignment)
    notebook = json.loads(files.pop(f"{assignment.name}.ipynb"))
    text = Template((_TEMPLATES / "kit.py").read_text(encoding="utf-8"))
    lines = textwrap.wrap(base64.b64encode(_zipped(files)).decode(), 96)
    source = text.substitute(packed="\n".join(lines)).strip().splitlines(keepends=True)
    cell = notebook_cell("code", "kit", source, **_CLOSED)
    ids = [one["id"] for one in notebook["cells"]]
    notebook["cells"].insert(ids.index("demo_helpers"), cell)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _guide(assignments: list[Assignment], single: bool = False) -> bytes:
    path = _TEMPLATES / ("single.md" if single else "README.md")
    place = "{0}.ipynb" if single else "{0}/{0}.ipynb"
    rows = (f"| `{place.format(a.name)}` | {a.title} |" for a in assignments)
    guide = Template(path.read_text(encoding="utf-8"))
    return guide.substitute(notebooks="\n".join(rows)).encode()


def site_folder(assignments: list[Assignment], folder: Path) -> list[Path]:
    """Writes what a Jupyter Book of the handouts is built from; `make site` builds it.

    Of the course it takes the released folders and the students' guide, nothing else. Each folder
    is offered whole: a notebook alone could not run its checks.
    """
    files = {str(path.relative_to(_SITE)): path.read_bytes() for path in files_of(_SITE)}
    files["guide.md"] = _guide(assignments)
    for assignment in assignments:
        given = released(assignment)
        files[f"{assignment.name}.ipynb"] = given[f"{assignment.name}.ipynb"]
        files[f"{assignment.name}.zip"] = _zipped(
            {f"{assignment.name}/{name}": data for name, data in given.items()}
        )
    rows = [
        f"| [{a.title}]({a.name}.ipynb) | {len(a.exercises)} "
        f"| {sum(exercise.minutes for exercise in a.exercises)} "
        f"| {{download}}`{a.name}.zip <{a.name}.zip>` |"
        for a in assignments
    ]
    files["index.md"] = files["index.md"].replace(b"$notebooks", "\n".join(rows).encode())
    chapters = "".join(f"  - file: {a.name}\n" for a in assignments)
    files["_toc.yml"] = f"{_CONTENTS}{chapters}".encode()
    for name in course():  # of a release that went further
        for path in folder.glob(f"{name}.*"):
            if path.name not in files:
                path.unlink()
    return write_all(files, folder)


def _zipped(files: dict[str, bytes]) -> bytes:
    """An archive; the same files make the same bytes, as ZipInfo's time is always the same."""
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w") as zipped:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o644 << 16
            zipped.writestr(info, data, zipfile.ZIP_DEFLATED)
    return text.getvalue()


def _requirements() -> str:
    """The course's versions of what a student needs."""
    pins = dict(
        line.split("==")
        for line in (ROOT / ".constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    python = f"# graded with Python {sys.version_info.major}.{sys.version_info.minor}\n"
    return python + "".join(f"{name}=={pins[name]}\n" for name in _STUDENT_PACKAGES)


def files_of(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
