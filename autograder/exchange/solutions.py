"""After the deadline: an assignment's notebook with its answers, and other right ones beside each.

Nothing of the hidden checks is in it, nor of the guide for whoever marks answers in words.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from pathlib import Path
from typing import Any

from autograder.authoring.build import released
from autograder.course import Assignment, Exercise, notebook_cell
from autograder.errors import CourseError
from autograder.judging.answers import Answer, alternatives, reference_code

from .bundle import write_all

_BESIDE = 2
_LINES = 25
"""Of an alternative that is shown, or twice as many as the course's own answer has."""
_HIDDEN = re.compile(r"\n?[ \t]*### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS[^\n]*", re.DOTALL)
_GUIDE = re.compile(r"\n*[ \t]*### BEGIN SOLUTION\n.*?### END SOLUTION[^\n]*", re.DOTALL)
_MARKER = re.compile(r"[ \t]*### (?:BEGIN|END) SOLUTION[^\n]*\n?")


def solutions_folder(assignment: Assignment, folder: Path) -> list[Path]:
    """Writes the notebook with answers, and what it needs beside it as in the release."""
    if not assignment.source.is_file():
        raise CourseError(f"{assignment.name} is not built: run `autograder build` first")
    files = released(assignment)
    del files[f"{assignment.name}.ipynb"]
    text = json.dumps(_notebook(assignment), indent=1, ensure_ascii=False) + "\n"
    files[f"{assignment.name}_solutions.ipynb"] = text.encode()
    return write_all(files, folder)


def _notebook(assignment: Assignment) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(assignment.source.read_bytes())
    exercises = {exercise.name: exercise for exercise in assignment.exercises}
    cells = []
    for cell in notebook["cells"]:
        name = cell["metadata"].pop("nbgrader", {}).get("grade_id", "")
        source = _HIDDEN.sub("", "".join(cell["source"]))
        if cell["cell_type"] == "markdown":
            source = _GUIDE.sub("", source)
        cells.append(cell | {"source": _MARKER.sub("", source)})
        if name in exercises and (others := instructive(assignment, exercises[name])):
            cells.append(_beside(name, others))
    return notebook | {"cells": cells}


def _beside(name: str, others: list[Answer]) -> dict[str, Any]:
    told = ["**Also right.** Written otherwise, and worth all the points:"]
    told += [
        f"*{one.name.replace('_', ' ')}*\n\n```python\n{one.code.rstrip()}\n```" for one in others
    ]
    return notebook_cell("markdown", f"also_{name}", "\n\n".join(told))


def instructive(assignment: Assignment, exercise: Exercise) -> list[Answer]:
    """The two known right answers that are least like the course's own and each other; those that
    are much longer leave the reader behind."""
    own = reference_code(assignment, exercise.name)
    most = max(_LINES, 2 * len(_bare(own).splitlines()))
    left = {
        one: _bare(one.code)
        for one in alternatives(assignment, exercise.name)
        if len(one.code.splitlines()) <= most
    }
    chosen: list[Answer] = []
    shown = [_bare(own)]
    while left and len(chosen) < _BESIDE:
        best = max(left, key=lambda one: min(_distance(left[one], text) for text in shown))
        shown.append(left.pop(best))
        chosen.append(best)
    return chosen


def _bare(code: str) -> str:
    """The code without comments, documentation and layout."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _distance(one: str, other: str) -> float:
    words, others = (re.findall(r"\w+|[^\w\s]", text) for text in (one, other))
    return 1 - difflib.SequenceMatcher[str](None, words, others, autojunk=False).ratio()
