"""Can this notebook be handed in? Runs it as the grader does and says what would cost marks.

    python check_submission.py backprop/backprop.ipynb

It needs the packages of requirements.txt and changes nothing. It ends with 0 if the notebook can
be handed in, also where exercises are still to be written, and with 1 if not.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

MAX_BYTES = 20 * 2**20  # as the grader's
SECONDS = 300  # for one cell

Standing = dict[str, Any]


class NotReady(Exception):
    """What is wrong with the notebook as a whole; nothing else can be said about it."""


class Findings:
    """What would cost marks, and what is good to know."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.remarks: list[str] = []


def main() -> int:
    """0 if the notebook can be handed in, else 1; prints what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("notebook", type=Path, help="for example backprop/backprop.ipynb")
    path = parser.parse_args().notebook.resolve()
    if path.is_dir():
        path = path / f"{path.name}.ipynb"
    with contextlib.suppress(AttributeError):  # in a notebook's cell there is nothing to set
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    found = Findings()
    try:
        notebook = read(path)
        exercises = exercises_beside(path)
        saved = time.strftime("%Y-%m-%d at %H:%M", time.localtime(path.stat().st_mtime))
        print(f"{path.name}, saved {saved}, runs from top to bottom in a fresh kernel,")
        print("without the demonstrations, as at grading.\n")
        standing = run(notebook, path.parent, exercises)
    except NotReady as error:
        print(f"{error}.\n\nNot ready to hand in.")
        return 1
    if path.stem != path.parent.name:
        found.problems.append(
            f"the file is called {path.name}; hand it in as {path.parent.name}.ipynb"
        )
    for name in exercises:
        look_at_exercise(name, standing[name], found)
    look_at_cells(notebook, exercises, found)
    left = [name for name in exercises if standing[name]["state"] in ("unwritten", "begun")]
    if len(left) == len(exercises) and not any(row["passed"] for row in standing.values()):
        found.problems.append(
            "no exercise is written: is this the file that you worked in, and is it saved?"
        )
    elif left:
        found.remarks.append(
            f"still to be written, and worth nothing until then: {', '.join(left)}"
        )
    for title, sentences in (("Would cost marks", found.problems), ("To know", found.remarks)):
        if sentences:
            print(f"\n{title}:", *sentences, sep="\n  - ")
    rows = standing.values()
    print(
        f"\n{sum(row['state'] == 'written' for row in rows)} of {len(rows)} exercises written; "
        f"{sum(row['passed'] for row in rows)} of {sum(row['checks'] for row in rows)} "
        "public checks passed; hidden checks run at grading."
    )
    print("Not ready to hand in." if found.problems else "Ready to hand in.")
    return 1 if found.problems else 0


# ------------------------------------------------------------------------------- the file


def read(path: Path) -> Any:
    """The notebook; NotReady where the grader could read none."""
    if not path.is_file():
        raise NotReady(f"There is no file {path}")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise NotReady(
            f"{path.name} has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. "
            "Clear the outputs of all cells, save, and try again"
        )
    try:
        import nbformat
    except ImportError as error:
        raise NotReady(lacking(error)) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids, from older editors
            return nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # whatever a damaged file makes of the reader
        why = str(error).strip().split("\n")[0][:100]
        raise NotReady(
            f"{path.name} is no notebook that can be read ({why}). Open it in Jupyter and save it "
            "again, or go back to a copy that can be opened"
        ) from None


def exercises_beside(path: Path) -> list[str]:
    """The exercises' names, from the public checks: every exercise has one."""
    checks = path.with_name("public_checks.py")
    if not (checks.is_file() and path.with_name("coursekit").is_dir()):
        raise NotReady(
            f"public_checks.py and coursekit do not lie beside {path.name}: "
            "keep it in the folder in which it came"
        )
    text = checks.read_text(encoding="utf-8")
    return list(dict.fromkeys(re.findall(r"^def test_(\w+?)__", text, re.MULTILINE)))


def lacking(error: ImportError) -> str:
    return (
        f"{error.name} cannot be imported. In this script's folder: "
        f"{sys.executable} -m pip install -r requirements.txt"
    )


# ----------------------------------------------------------------------------- the kernel


def run(notebook: Any, folder: Path, exercises: list[str]) -> dict[str, Standing]:
    """How far each exercise is after a run; the cells' outputs are then those of this run."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from nbformat.v4 import new_code_cell
    except ImportError as error:
        raise NotReady(lacking(error)) from None
    own = len(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            if is_left_out(cell):
                cell.metadata["tags"] = ["skip-execution"]
    for name in exercises:
        ask = f"print(); print(json.dumps(standing({name!r})))"
        notebook.cells.append(
            new_code_cell(f"import json\nfrom coursekit.notebook import standing\n{ask}")  # type: ignore[no-untyped-call]
        )
    at = "the start"

    def progress(cell: Any, cell_index: int) -> None:
        nonlocal at
        checked = cell_index >= own
        at = f"the checks of {exercises[cell_index - own]}" if checked else place(cell, cell_index)
        if sys.stdout.isatty():
            print(f"\r{at:<60}", end="", flush=True)

    client = NotebookClient(
        notebook,
        kernel_name="python3",  # of this Python, whatever the notebook ran with before
        timeout=SECONDS,
        allow_errors=True,
        on_cell_start=progress,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about event loops, on Windows
            client.execute(stderr=subprocess.DEVNULL)  # Jupyter's own warnings
    except CellTimeoutError:
        raise NotReady(
            f"After {SECONDS // 60} minutes this still ran: {at}. Look for a loop without an end"
        ) from None
    except DeadKernelError:
        raise NotReady(f"Python itself ended in {at}; it may need too much memory") from None
    finally:
        if sys.stdout.isatty():
            print(f"\r{'':<60}\r", end="")
    answers = notebook.cells[own:]
    del notebook.cells[own:]
    return {name: answer(cell) for name, cell in zip(exercises, answers, strict=True)}


def answer(cell: Any) -> Standing:
    """What `standing` printed last; a student's own prints may stand before it."""
    printed = [one.text for one in cell.outputs if one.get("name") == "stdout"]
    if printed:
        return json.loads("".join(printed).splitlines()[-1])
    raise NotReady(
        "The public checks do not run here. Run check_environment.py, and see that the folder's "
        "files are as they came"
    )


def is_left_out(cell: Any) -> bool:
    """Demonstrations, as at grading; and the public checks, which are asked at the end."""
    name = grade_id(cell)
    return name.startswith(("demo_", "check_")) and name != "demo_helpers"


def grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def place(cell: Any, index: int) -> str:
    """The words for a cell; cells are counted from 1, texts too."""
    name = grade_id(cell)
    return f"cell {index + 1} (the cell of {name})" if name else f"cell {index + 1}"


# ----------------------------------------------------------------------------- what it says


def look_at_exercise(name: str, row: Standing, found: Findings) -> None:
    """Prints an exercise's line and notes what it would cost."""
    state, passed, checks = row["state"], row["passed"], row["checks"]
    good = state == "written" and not row["waits"]
    mark = "✗" if row["failed"] or state == "missing" else "✓" if good else "·"
    words = {"unwritten": "still to be written", "begun": "written in part", "missing": "not there"}
    counts = f"public checks: {passed} of {checks}" if state in ("written", "begun") else ""
    print(f" {mark} {name:<24} {words.get(state, state):<20} {counts}".rstrip())
    if row["waits"]:
        found.remarks.append(f"{name} could not be tried in full: {row['waits']}")
    if row["failed"]:
        found.problems.append(f"{name} fails a public check: run the cell below it, it says why")
    if state == "missing":
        found.problems.append(
            f"{name} is not defined: mend its cell, or take it from a fresh copy of the notebook"
        )


def look_at_cells(notebook: Any, exercises: list[str], found: Findings) -> None:
    """Cells that stopped, that are there twice, and that are gone."""
    ids = [grade_id(cell) for cell in notebook.cells]
    for name in exercises:
        if ids.count(name) > 1:
            found.remarks.append(f"{name} has {ids.count(name)} cells; the last one counts")
        elif name not in ids:
            found.remarks.append(f"the cell of {name} is gone; what other cells define counts")
    shown_only = names_of_demonstrations(notebook)
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type != "error":
                continue
            why = str(output.evalue).split("\n")[0][:200]
            line = line_of(output.traceback, cell)
            sentence = f"{place(cell, index)} stops{line} with {output.ename}: {why}"
            missing = re.match(r"name '(\w+)' is not defined", why)
            if missing and missing[1] in shown_only and grade_id(cell) not in exercises:
                found.remarks.append(
                    f"{place(cell, index)} uses {missing[1]} from a demonstration, which does "
                    "not run at grading: no exercise may need this cell"
                )
            else:
                found.problems.append(sentence)


def names_of_demonstrations(notebook: Any) -> set[str]:
    """The variables that the demonstrations make."""
    names = set()
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_left_out(cell):
            with contextlib.suppress(SyntaxError):
                names |= {
                    node.id
                    for node in ast.walk(ast.parse(cell.source))
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
    return names


def line_of(trace: list[str], cell: Any) -> str:
    """ " in line 3": the last line of this very cell that the error came through."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(trace))
    lines = re.findall(rf"Cell In\[{cell.execution_count}\], line (\d+)", plain)
    return f" in line {lines[-1]}" if lines else ""


if __name__ == "__main__":
    sys.exit(main())
