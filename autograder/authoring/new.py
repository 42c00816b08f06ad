"""The files of a new assignment, with one exercise that passes `verify` at once."""

from __future__ import annotations

import keyword
from pathlib import Path

from autograder import course
from autograder.errors import CourseError
from autograder.files import write_atomically

_TEMPLATES = Path(__file__).resolve().parent / "templates" / "new"
_PLACES = {
    "reference.py.txt": "reference_impl/{name}.py",
    "notebook.py.txt": "assignments/{name}/notebook.py",
    "figures.py.txt": "assignments/{name}/figures.py",
    "public_checks.py.txt": "assignments/{name}/public_checks.py",
    "checks.py.txt": "autograder/checks/test_{name}.py",
    "mistakes.py.txt": "autograder/mistakes/{name}.py",
    "alternatives.py.txt": "autograder/alternatives/{name}.py",
}
_SECTION = """
[{name}]
title = "{title}"
exercise = [
  {{ name = "kinetic_energy", points = 100, minutes = 5 }},
]
"""


def write_files(name: str, title: str) -> list[Path]:
    """Writes them and the section in course.toml; refuses a name that is taken or cannot be."""
    plain = name.isascii() and name.isidentifier() and name.islower()  # also a key of course.toml
    if not plain or keyword.iskeyword(name):
        raise CourseError(f"{name!r} cannot name an assignment: use a to z, digits and _")
    root = course.ROOT
    toml = root / "assignments" / "course.toml"
    paths = {root / place.format(name=name): file for file, place in _PLACES.items()}
    taken = [str(path.relative_to(root)) for path in paths if path.exists()]
    if name in course.course() or taken:
        raise CourseError(f"{name} is there already: {', '.join(taken) or toml.name}")
    if '"' in title or "\\" in title or not title.isprintable():
        raise CourseError("the title must be one line without double quotes and backslashes")
    for path, file in paths.items():
        text = (_TEMPLATES / file).read_text(encoding="utf-8")
        text = text.replace("NAME", name).replace("TITLE", title)
        write_atomically(path, text.encode())
    section = _SECTION.format(name=name, title=title)
    write_atomically(toml, (toml.read_text(encoding="utf-8").rstrip() + "\n" + section).encode())
    return [*paths, toml]
