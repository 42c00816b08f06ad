"""`check_submission.py` of the students' folder, run as students run it, with real kernels."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import toy_course
from coursekit.ipynb import MAX_BYTES
from leftovers import adopting
from toy_course import RIGHT

from autograder.course import ROOT

SCRIPT = ROOT / "autograder" / "exchange" / "templates" / "bundle" / "check_submission.py"
READY = "Ready to hand in."
NOT_READY = "Not ready to hand in."
Change = Callable[[list[Any]], object]


@pytest.fixture
def notebook(toy: Path, tmp_path: Path) -> Path:
    """The made-up notebook with right answers."""
    return toy_course.fill(toy / "release" / "springs", tmp_path / "springs", RIGHT)


def checked(path: Path, script: Path = SCRIPT) -> tuple[int, str]:
    """The exit code, and what was printed, in a shell that knows few letters."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, str(script), path.name],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def changed(path: Path, change: Change) -> Path:
    found = nbformat.read(path, as_version=4)
    change(found.cells)
    nbformat.write(found, path)
    return path


def at(cells: list[Any], name: str) -> int:
    return next(number for number, cell in enumerate(cells) if cell.id == name)


def add(source: str, before: str) -> Change:
    """A cell of the student's own."""
    new = nbformat.v4.new_code_cell(source)
    return lambda cells: cells.insert(at(cells, before), new)


def test_a_kit_that_is_older_than_the_script_will_do() -> None:
    """A notebook keeps the kit that it came with, and the script may be of a later week: it stopped
    with an AttributeError where it asked a cell for what was new."""
    asked = re.findall(r"\b(?:cell|ipynb)\.(\w+)", SCRIPT.read_text(encoding="utf-8"))
    of_cells = {"number", "kind", "source", "grade_id", "text", "defines", "binds"}
    of_files = {"MAX_BYTES", "NotebookError", "read_cells", "too_large", "without_outputs"}
    assert {*asked} == of_cells | of_files, "see that older kits have it"


@pytest.mark.slow
def test_a_right_notebook_is_ready(notebook: Path) -> None:
    before = changed(notebook, add("print(model.frequency)", "demo_again")).read_bytes()
    code, said = checked(notebook)
    assert "6 of 6 public checks passed; hidden checks run at grading" in said
    assert "uses model from a demonstration, which does not run at grading" in said
    assert (code, said.splitlines()[-1]) == (0, READY)
    assert "Would cost marks" not in said
    assert notebook.read_bytes() == before


@pytest.mark.slow
def test_an_untouched_notebook_is_not(toy: Path, tmp_path: Path) -> None:
    code, said = checked(toy_course.fill(toy / "release" / "springs", tmp_path / "springs", {}))
    assert "no exercise is written: is this the file that you worked in" in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_what_is_left_is_said_and_may_be_handed_in(toy: Path, tmp_path: Path) -> None:
    answers = {"spring_force": RIGHT["spring_force"]}
    copy = toy_course.fill(toy / "release" / "springs", tmp_path / "springs", answers)
    code, said = checked(copy)
    assert "still to be written, and worth nothing until then: energies, oscillator" in said
    assert "1 of 3 exercises written; 3 of 6 public checks passed" in said
    assert (code, said.splitlines()[-1]) == (0, READY)


@pytest.mark.slow
def test_what_would_cost_marks_is_named(notebook: Path) -> None:
    def spoil(cells: list[Any]) -> None:
        add("print(strength)\nstrength = 3", "spring_force")(cells)
        cells[
            at(cells, "spring_force")
        ].source = (
            "def spring_force(x, stiffness=1.0):\n    return -helper(float(x))\nagain = 1 / 0"
        )
        add("float = 3", "demo_again")(cells)
        cells[at(cells, "energies")].source = f"<<<<<<< mine\n{RIGHT['energies']}"
        second = nbformat.from_dict({**cells[at(cells, "spring_force")], "id": "second"})
        cells.append(second)
        cells.pop(at(cells, "oscillator"))

    renamed = changed(notebook, spoil).rename(notebook.with_name("springs (1).ipynb"))
    code, said = checked(renamed)
    for words in (
        "To know:\n  - the file is called springs (1).ipynb, its folder springs: hand it in",
        "stops in line 1 with NameError: name 'strength' is not defined",
        "(the cell of spring_force) stops in line 3 with ZeroDivisionError: division by zero",
        "spring_force fails a public check: run the cell below it",
        "spring_force has 2 cells; the better one counts",
        "gives float, a name of Python's own, a new value, for all cells",
        "(the cell of energies) stops in line 1 with SyntaxError",
        "energies is not defined: mend its cell, or take it from a fresh copy",
        "the cell of oscillator is gone; what other cells define counts",
        "oscillator is not defined",
        "1 of 3 exercises written",
    ):
        assert words in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_what_fails_by_a_wrong_one_that_it_uses_is_mended_there(notebook: Path) -> None:
    def spoil(cells: list[Any]) -> None:
        force, energies = at(cells, "spring_force"), at(cells, "energies")
        cells[force].source = "def spring_force(x, stiffness=1.0):\n    return stiffness * x"
        right = "return mass * height"
        cells[energies].source = RIGHT["energies"].replace(
            right, "return -spring_force(height, mass)"
        )
        add("print(model)", "spring_force")(cells)
        add("model = 3", "energies")(cells)

    code, said = checked(changed(notebook, spoil))
    loses, _, remarks = said.partition("To know:")
    fails = "spring_force fails a public check: run the cell below it, it says why"
    assert f"{fails}; here spring_force returned another value\n" in loses
    assert "energies" not in loses.partition("Would cost marks:")[2]
    assert "energies fails a public check; it uses spring_force, to be mended first" in remarks
    assert "stops in line 1 with NameError: name 'model' is not defined" in remarks
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_a_wrong_exercise_is_not_put_down_to_one_that_is_still_to_be_written(
    toy: Path, tmp_path: Path
) -> None:
    """What needs that one could not be tried; what could be tried fails by itself."""
    wrong = RIGHT["energies"].replace(
        "0.5 * mass * speed**2", "-spring_force(speed, mass) * speed / 2"
    )
    answers = {"energies": wrong.replace("return mass * height", "return 2 * mass * height")}
    code, said = checked(
        toy_course.fill(toy / "release" / "springs", tmp_path / "springs", answers)
    )
    assert "energies could not be tried in full" in said
    assert "energies fails a public check: run the cell below it, it says why" in said
    assert "to be mended first" not in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_what_does_not_run_at_grading_is_said(notebook: Path) -> None:
    """On the desk the cell below says that all is well."""

    def spoil(cells: list[Any]) -> None:
        add("!echo 3 > scale.txt\n%matplotlib inline", "spring_force")(cells)
        add("import nothing_of_mine, math", "spring_force")(cells)
        force, energies = cells[at(cells, "spring_force")], cells[at(cells, "energies")]
        force.source = (
            "def spring_force(x, stiffness=1.0):\n"
            "    !echo once more\n"
            "    return -stiffness * x * float(open('scale.txt').read()) / math.sqrt(9)"
        )
        energies.source = f"    {energies.source}("

    code, said = checked(changed(notebook, spoil))
    loses, _, remarks = said.partition("To know:")
    assert re.search("spring_force fails .*; here spring_force.* FileNotFoundError", loses)
    assert "(the cell of energies) stops in line 1 with IndentationError" in loses
    assert ": !echo 3 > scale.txt does not run at grading" in remarks
    assert ": %matplotlib inline does not run at grading" in remarks
    assert "once more" not in said
    lacking = "imports nothing_of_mine, which is not there at grading: the course's packages are"
    assert f"{lacking} those of requirements.txt; no exercise needs" in remarks
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_the_better_of_two_cells_counts(notebook: Path) -> None:
    def spoil(cells: list[Any]) -> None:
        second = nbformat.from_dict({**cells[at(cells, "spring_force")], "id": "second"})
        second.source = "def spring_force(x, stiffness=1.0):\n    return 0 * x"
        cells.append(second)

    code, said = checked(changed(notebook, spoil))
    assert "6 of 6 public checks passed" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said


@pytest.mark.slow
def test_what_ends_python_or_never_ends_is_left_out_as_at_grading(
    notebook: Path, tmp_path: Path
) -> None:
    script = tmp_path / "check_submission.py"
    text = SCRIPT.read_text(encoding="utf-8")
    text = text.replace("LONG_PATIENCE = 60.0,", "LONG_PATIENCE = 15.0,")
    script.write_text(text, encoding="utf-8")
    before = notebook.read_bytes()
    tries = "import os, time\nos._exit(0)\nlate = 1\nwhile True:\n    time.sleep(9)"
    code, said = checked(changed(notebook, add(tries, "energies")), script)
    assert ", line 2, ended Python itself (it may need too much memory) and is left out" in said
    assert ", line 4, took more than 10 s; at grading it is not finished; no exercise needs" in said
    assert "6 of 6 public checks passed" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said
    notebook.write_bytes(before)
    needed = "import os\ndef spring_force(x, stiffness=1.0):\n    return -stiffness * x\n"
    needed += "spring_force = os._exit(1) or spring_force"
    code, said = checked(changed(notebook, add(needed, "energies")), script)
    assert ", line 4, ended Python itself" in said, said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY), "an exercise is given anew there"


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["", "\nos._exit(0)"])
def test_what_a_cell_starts_and_leaves_keeps_nobody_waiting(notebook: Path, ends: str) -> None:
    """A process that it forked has its line; workers of a pool wait for ever."""
    leaves = "import os, time\nif os.fork() == 0:\n    time.sleep(10_000)\n    os._exit(0)"
    with adopting() as all_ended:
        code, said = checked(changed(notebook, add(leaves + ends, "energies")))
        all_ended()
    assert "6 of 6 public checks passed" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_who_closes_the_terminal_leaves_no_cell_running(
    notebook: Path, tmp_path: Path, number: int
) -> None:
    began = tmp_path / "began"
    runs = f"import time\nopen({str(began)!r}, 'w').close()\ntime.sleep(10_000)"
    path = changed(notebook, add(runs, "energies"))
    with adopting() as all_ended:
        script = subprocess.Popen(
            [sys.executable, str(SCRIPT), path],
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # tests may run under nohup
        )
        try:
            deadline = time.monotonic() + 120
            while not began.exists():
                assert time.monotonic() < deadline, "the cell has not begun"
                time.sleep(0.05)
            script.send_signal(number)
            assert script.wait(120) == 1
        finally:
            script.kill()
        all_ended()


def test_what_a_later_cell_changes_is_asked_for_before_it(notebook: Path) -> None:
    """As in the notebook, where the check stands below the cell; so does the grader."""

    def change(cells: list[Any]) -> None:
        for cell in cells:
            if cell["id"] == "spring_force":
                cell["source"] = "def own(x):\n    return x\n\n" + "".join(cell["source"])
                cell["source"] = cell["source"].replace("stiffness * x", "stiffness * own(x)")
            if cell["id"] == "energies":
                cell["source"] = "def own(x):\n    return 0\n\n" + "".join(cell["source"])

    changed(notebook, change)
    code, text = checked(notebook)
    assert (code, READY in text) == (0, True), text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"cells": [', "springs.ipynb is no notebook that can be read"),
        (b"", "springs.ipynb is no notebook that can be read"),
        (b"[]", "springs.ipynb is no notebook that can be read"),
        (b" " * (MAX_BYTES + 1), "at most 64 MB are read. Clear the outputs"),
    ],
    ids=["cut off", "empty", "no notebook", "large"],
)
def test_a_file_that_cannot_be_read_is_refused(notebook: Path, data: bytes, words: str) -> None:
    notebook.write_bytes(data)
    code, said = checked(notebook)
    assert words in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


def test_the_largest_file_that_the_grader_takes_is_taken(notebook: Path) -> None:
    notebook.write_bytes(b" " * MAX_BYTES)
    assert "is no notebook that can be read" in checked(notebook)[1]


def test_a_notebook_away_from_its_folder_is_sent_back(notebook: Path, tmp_path: Path) -> None:
    alone = notebook.rename(tmp_path / notebook.name)
    code, said = checked(alone)
    assert "keep it in the folder in which it came" in said
    assert code == 1
    assert "There is no file" in checked(notebook)[1]


# ------------------------------------------------------------------- by the grader's rules


@pytest.mark.slow
def test_what_lies_beside_the_notebook_is_said_not_to_be_there(notebook: Path) -> None:
    folder = notebook.parent
    (folder / "my_helpers.py").write_text("def twice(x):\n    return 2 * x\n", encoding="utf-8")
    (folder / "mine.csv").write_text("1,2\n", encoding="utf-8")

    def spoil(cells: list[Any]) -> None:
        add("from my_helpers import twice", "spring_force")(cells)
        add("import numpy as np\ntable = np.loadtxt('mine.csv', delimiter=',')", "energies")(cells)
        add("import of_a_package_i_have\nimport public_checks\n", "energies")(cells)
        add("import __main__\nfrom typing_extensions import Self\n", "energies")(cells)
        cells[at(cells, "energies")].source += "\nopen('mine.csv').close()"

    code, said = checked(changed(notebook, spoil))
    assert "my_helpers.py lies beside the notebook and will not be there at grading" in said
    assert "mine.csv lies beside the notebook and will not be there at grading" in said
    assert "imports of_a_package_i_have, which is not there at grading" in said
    assert "imports public_checks, which is not there at grading" in said
    assert "imports __main__" not in said
    assert "imports typing_extensions" not in said
    assert "3 of 3 exercises written; 6 of 6 public checks passed" in said, "each for itself"
    assert (code, said.splitlines()[-1]) == (0, READY)
    chain = "first = float(open('mine.csv').read(1))\nscale = 2 * first\n"
    chain += "def mine(x):\n    return scale * x\nspring = spring_force\n"
    chain += "def spring_force(x, stiffness=1.0):\n    return spring(x, stiffness) or mine(x)"
    code, said = checked(changed(notebook, add(chain, "energies")))
    assert (code, said.splitlines()[-1]) == (1, NOT_READY), "an exercise needs what is read"


@pytest.mark.slow
def test_what_only_ipython_reads_and_what_is_slow_may_be_handed_in(
    notebook: Path, tmp_path: Path
) -> None:
    script = tmp_path / "check_submission.py"
    text = SCRIPT.read_text(encoding="utf-8").replace("SECONDS = 10.0", "SECONDS = 0.2")
    script.write_text(text, encoding="utf-8")
    python = "# graded with Python 3.9\n"
    (tmp_path / "requirements.txt").write_text(python, encoding="utf-8")

    def decorate(cells: list[Any]) -> None:
        for name, answer in RIGHT.items():
            cell = cells[at(cells, name)]
            cell.source = f"%%time\n{answer}\n%matplotlib inline\n!ls \\\n  -l\nt = %time 1"
            cell.metadata = {"nbgrader": cell.metadata["nbgrader"]} if name != "energies" else {}
        add("import time\nend = time.process_time() + 0.4", "energies")(cells)
        add("while time.process_time() < end:\n    pass", "energies")(cells)

    changed(notebook, decorate)
    found = json.loads(notebook.read_text(encoding="utf-8"))
    found |= {"metadata": None, "nbformat": 5}
    for cell in found["cells"]:
        if not cell["metadata"]:
            cell["metadata"] = None
    notebook.write_text(json.dumps(found), encoding="utf-8")
    code, said = checked(notebook, script)
    assert "line 1, took more than 0.2 s; at grading it is not finished; no exercise needs" in said
    assert "6 of 6 public checks passed" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said


@pytest.mark.slow
def test_a_try_out_that_stops_may_be_handed_in_unless_a_function_needs_it(notebook: Path) -> None:
    """As at grading, where it costs itself alone."""
    alone = "import a_package_i_have as mine\nx = [one / 0 for one in (1, 2)]\nmine.plot(x)"
    copy = changed(notebook, add(alone, "energies"))
    code, said = checked(copy)
    assert "ZeroDivisionError: division by zero; no exercise needs what it should give" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said
    plots = "table = 1 / 0\ndef plots():\n    return table\nkinetic(2.0\n"
    code, said = checked(changed(copy, add(plots, "oscillator")))
    assert "SyntaxError: '(' was never closed; no exercise needs" in said
    assert (code, said.splitlines()[-1]) == (0, READY), "only what is no exercise stood on it"
    needed = (
        "FACTORS = {}\nFACTORS['one'] = 1 / 0\n"
        "def helper(x):\n    return FACTORS.get('one', 1) * x\n"
        "def spring_force(x, stiffness=1.0):\n    return -helper(stiffness * x)"
    )
    code, said = checked(changed(copy, add(needed, "check_spring_force")))
    assert "6 of 6 public checks passed" in said
    assert "division by zero; an exercise needs what it should give" in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)


@pytest.mark.slow
def test_a_try_out_with_a_helper_s_name_costs_nothing_where_the_helper_comes_later(
    notebook: Path,
) -> None:
    """At grading its name has the later value, below every exercise and at the end."""
    early = "plot = 1 / 0\nstiff = plot\nshow = print\nshow(stiff)"
    late = "def stiff(x):\n    return 2 * x\n"
    late += "def spring_force(x, stiffness=1.0):\n    return -stiff(stiffness * x) / 2"
    copy = changed(notebook, add(late, "check_spring_force"))
    code, said = checked(changed(copy, add(early, "spring_force")))
    assert "division by zero; no exercise needs what it should give" in said
    assert (code, said.splitlines()[-1]) == (0, READY), said
    between = "stiff = 1 / 0\ntable = [stiff(2.0)]\nstiff = print"
    used = late.replace("/ 2", "* table[0] / 8")
    code, said = checked(changed(notebook, add(f"{late}\n{between}\n{used}", "oscillator")))
    assert (code, said.splitlines()[-1]) == (1, NOT_READY), said


@pytest.mark.slow
def test_newer_syntax_than_the_grader_s_is_named(notebook: Path, tmp_path: Path) -> None:
    script = tmp_path / "check_submission.py"
    script.write_bytes(SCRIPT.read_bytes())
    (tmp_path / "requirements.txt").write_text("# graded with Python 3.9\n", encoding="utf-8")
    newer = "x = 1\nmatch x:\n    case 1:\n        y = 2"
    code, said = checked(changed(notebook, add(newer, "energies")), script)
    assert "line 2, needs a newer Python than the grader's 3.9; no exercise needs" in said
    assert code == 0
    newer += f"\n{RIGHT['spring_force']}"
    code, said = checked(changed(notebook, add(newer, "energies")), script)
    assert "line 2, needs a newer Python than the grader's 3.9; an exercise needs" in said
    assert code == 1


@pytest.mark.slow
def test_what_is_taken_from_the_home_folder_or_the_network_is_said(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that is complete is found here, and not at grading."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "mine.csv").write_text("1", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    reads = f"import socket\nopen({str(home / 'mine.csv')!r}).close()\n"
    reads += "socket.getaddrinfo('nowhere.invalid', 80)"
    code, said = checked(changed(notebook, add(reads, "energies")))
    assert "mine.csv will not be there at grading" in said
    assert "asks for the network, which is not there at grading; no exercise needs" in said
    assert (code, said.splitlines()[-1]) == (0, READY)


def test_python_that_does_not_start_is_a_sentence(notebook: Path) -> None:
    (notebook.parent / "coursekit" / "cells.py").write_text("1 / 0\n", encoding="utf-8")
    code, said = checked(notebook)
    assert "does not start here (ZeroDivisionError: division by zero)" in said
    assert (code, said.splitlines()[-1]) == (1, NOT_READY)
