"""The instructors' notebook, cell by cell: the order and words of `notebook.py`, signatures,
docstrings and answers of the reference.

Locked cells have these nbgrader ids: `setup`; `check_<exercise>`; and `demo_…` for whatever is
for the student's eyes only and is skipped at grading (helpers, plots, training shows, summary).
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

from autograder import course
from autograder.course import Assignment, Exercise, notebook_cell
from autograder.errors import CourseError
from autograder.judging.answers import definition, setup_code

_ROLES = ("setup", "parameters", "exercise", "demo", "summary")
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

Cell = dict[str, Any]


def notebook_cells(assignment: Assignment, text: str, names: dict[str, Any]) -> list[Cell]:
    """The cells that `notebook.py`'s text asks for; its expressions are evaluated with `names`."""
    import jupytext

    where = str(assignment.text.relative_to(course.ROOT))
    cells: list[Cell] = []
    last, prose = "title", 0
    for found in jupytext.reads(text, fmt="py:percent").cells:
        if found.cell_type == "markdown" and "answer" not in found.metadata:
            prose += 1
            words = _evaluated(found.source, names, where)
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
        try:
            exercise = assignment.exercise(str(value))
        except CourseError as error:
            raise CourseError(f"{where}: {error}") from None
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


def _cell(kind: str, name: str, source: str, **metadata: Any) -> Cell:
    """A cell whose id says what it is, so that a rebuild gives the same one."""
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise CourseError(f"{name!r} cannot be a cell's id: letters, digits, - and _, at most 64")
    return notebook_cell(kind, name, source, **metadata)


def _graded(cell: Cell, **keys: Any) -> Cell:
    """The cell as one of nbgrader's, schema 3."""
    known = {"grade": False, "locked": False, "solution": False, "task": False}
    cell["metadata"]["nbgrader"] = known | {"grade_id": cell["id"], "schema_version": 3} | keys
    return cell


def _locked(name: str, source: str, **metadata: Any) -> Cell:
    return _graded(_cell("code", name, source, **metadata), locked=True)


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


# ------------------------------------------------------------------ solutions


def _solution_cell(assignment: Assignment, exercise: Exercise) -> Cell:
    parts = [
        woven(definition(assignment, name)[0], f"{assignment.name}.{name}")
        for name in exercise.defines
    ]
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


# ------------------------------------------------------------------ prose


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
