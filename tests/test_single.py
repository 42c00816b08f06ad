"""Notebooks that carry their helpers: they work alone, and are graded as the others are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import toy_course
from coursekit.ipynb import kit_in, read_cells
from nbclient import NotebookClient
from test_check_submission import SCRIPT
from toy_course import RIGHT

from autograder.authoring import demo
from autograder.course import Assignment, course, load_assignment
from autograder.exchange.bundle import single_notebooks, student_folder
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.judging.submission import read_submission
from autograder.sandbox.protocol import InProcess

Notebook = dict[str, Any]


@pytest.fixture
def alone(springs: Assignment, tmp_path: Path) -> Path:
    """Its notebook with right answers, which carries its helpers, in a folder with nothing else."""
    single_notebooks([springs], tmp_path / "given")
    path = tmp_path / "empty" / "springs.ipynb"
    path.parent.mkdir()
    given = json.loads((tmp_path / "given" / "springs.ipynb").read_text("utf-8"))
    path.write_text(json.dumps(demo.filled(given, RIGHT)), encoding="utf-8")
    return path


def kit_of(notebook: Notebook) -> Notebook:
    return next(cell for cell in notebook["cells"] if kit_in("".join(cell["source"])))


HOME = "import coursekit, figures\nprint(coursekit.__file__, figures.__file__, sep='\\n')"


def ran(path: Path) -> dict[str, Any]:
    """The notebook's cells by id after a real kernel ran them where the notebook lies."""
    notebook = nbformat.read(path, as_version=4)
    new = nbformat.v4.new_code_cell
    notebook.cells = [new(toy_course.ALONE), *notebook.cells, new(HOME, id="home")]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        skip_cells_with_tag="",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return {cell.id: cell for cell in notebook.cells}


@pytest.mark.slow
def test_in_an_empty_folder_it_works_and_leaves_nothing(alone: Path) -> None:
    cells = ran(alone)
    assert "6 of 6 public checks passed" in toy_course.said(cells["demo_summary"])
    assert "image/png" in cells["demo_force_line"].outputs[0].data
    homes = [Path(line) for line in toy_course.said(cells["home"]).split()]
    assert all(home.parts[-3:-1] != alone.parent.parts[-1:] for home in homes)
    assert not [home for home in homes if "assignments" in home.parts], "the repository's own"
    assert os.listdir(alone.parent) == ["springs.ipynb"]


def brought(kit: str, folder: Path) -> str:
    """Where the helpers come from after a kit's cell ran in a folder."""
    found = "from importlib.util import find_spec\nprint(find_spec('public_checks').origin)"
    return said(f"{kit}\n{found}", folder)


def said(code: str, folder: Path) -> str:
    """What Python says to this, on its standard input."""
    done = subprocess.run(
        [sys.executable, "-P", "-"],
        cwd=folder,
        input=code,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_folder_s_own_files_win_if_they_are_this_notebook_s(
    alone: Path, springs: Assignment
) -> None:
    kit = "".join(kit_of(json.loads(alone.read_text("utf-8")))["source"])
    home = springs.release.parent
    assert Path(home, brought(kit, home)) == home / "public_checks.py"
    unpacked = Path(brought(kit, alone.parent))
    assert unpacked.is_absolute()
    assert not unpacked.exists(), "what was unpacked goes when Python ends"
    other = alone.parent.parent / "other"
    toy_course.fill(home, other, {})
    (other / "public_checks.py").write_text("def test_waves__height(student):\n    pass\n")
    assert other not in Path(other, brought(kit, other)).parents
    (other / "expected.json").unlink()
    assert other not in Path(other, brought(kit, other)).parents


def as_it_is(cell: Notebook) -> Notebook:
    return cell


def by_colab(cell: Notebook) -> Notebook:
    """Ids go into the metadata, forms and outputs get fields of Colab's."""
    extra = {"id": "aB3-x", "colab": {"base_uri": "https://localhost:8080/"}, "cellView": "form"}
    metadata = {**cell["metadata"], **extra}
    return {**{k: v for k, v in cell.items() if k != "id"}, "metadata": metadata}


def by_vs_code(cell: Notebook) -> Notebook:
    """One line of text a line, blanks at ends of lines gone, a language for each cell."""
    lines = "\n".join(line.rstrip() for line in "".join(cell["source"]).split("\n"))
    metadata = {**cell["metadata"], "vscode": {"languageId": "python"}}
    return {**cell, "source": lines.splitlines(keepends=True), "metadata": metadata}


def without_metadata(cell: Notebook) -> Notebook:
    return {key: value for key, value in cell.items() if key != "id"} | {"metadata": {}}


def with_windows_lines(cell: Notebook) -> Notebook:
    return {**cell, "source": "".join(cell["source"]).replace("\n", "\r\n") + "\r\n"}


@pytest.mark.parametrize(
    "saved", [as_it_is, by_colab, by_vs_code, without_metadata, with_windows_lines]
)
def test_it_is_graded_as_the_plain_one(
    saved: Callable[[Notebook], Notebook], alone: Path, springs: Assignment
) -> None:
    plain = demo.filled(json.loads(springs.release.read_text("utf-8")), RIGHT)
    single = json.loads(alone.read_text("utf-8"))
    read = {}
    for name, notebook in (("plain", plain), ("single", single)):
        notebook["cells"] = [saved(cell) for cell in notebook["cells"]]
        read[name] = read_submission(json.dumps(notebook).encode(), springs)
    sources = {name: [cell.source for cell in found.cells] for name, found in read.items()}
    assert sources["single"] == sources["plain"]
    assert read["single"].notes == read["plain"].notes == []
    texts = {name: [cell.source for cell in found.notebook] for name, found in read.items()}
    assert texts["single"] == texts["plain"], "feedback pages have no use for it"
    marks = [
        {result.name: result.points for result in Judge(springs).judge(student, "salt")}
        for student in (Student(InProcess(found.cells)) for found in read.values())
    ]
    assert (
        marks[0] == marks[1] == {exercise.name: exercise.points for exercise in springs.exercises}
    )


def test_cells_are_counted_as_their_student_does(alone: Path) -> None:
    notebook = json.loads(alone.read_text("utf-8"))
    place = notebook["cells"].index(kit_of(notebook)) + 1
    numbers = [cell.number for cell in read_cells(json.dumps(notebook).encode())[0]]
    assert numbers == [n for n in range(1, len(notebook["cells"]) + 1) if n != place]


@pytest.mark.parametrize("where", ["before", "after", "within"])
def test_an_answer_in_the_helpers_cell_counts(where: str, alone: Path, springs: Assignment) -> None:
    notebook = json.loads(alone.read_text("utf-8"))
    kit, answer = kit_of(notebook), RIGHT["spring_force"]
    text = "".join(kit["source"])
    kit["source"] = {
        "before": f"{answer}\n\n{text}",
        "after": f"{text}\n\n{answer}",
        "within": text.replace("\n\n\n_unpack(", f"\n\n\n{answer}\n\n\n_unpack("),
    }[where]
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != "spring_force"]
    found = read_submission(json.dumps(notebook).encode(), springs)
    assert any(answer in cell.source for cell in found.cells)


@pytest.mark.slow
def test_check_submission_finds_the_helpers_in_the_notebook(alone: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), alone.name],
        cwd=alone.parent,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert "6 of 6 public checks passed; hidden checks run at grading" in done.stdout
    assert "Would cost marks" not in done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Ready to hand in.")


def test_without_its_files_a_notebook_says_how_to_get_them(
    springs: Assignment, tmp_path: Path
) -> None:
    notebook = json.loads(springs.release.read_text("utf-8"))
    helpers = next("".join(c["source"]) for c in notebook["cells"] if c["id"] == "demo_helpers")
    away = "import sys\nsys.modules['coursekit'] = None\n"
    script = f"{away}try:\n    exec({helpers!r})\nexcept ImportError as error:\n    print(error)\n"
    told = said(f"{script}check('spring_force')", tmp_path)
    words = "This notebook's files are not here. Open it in the folder in which the course gave it"
    assert told.count(words) == 2, "by the cell itself, and by check"


@pytest.mark.parametrize("name", course())
def test_every_notebook_carries_what_lies_beside_it_and_no_more(name: str, tmp_path: Path) -> None:
    found = load_assignment(name)
    single_notebooks([found], tmp_path / "one")
    notebook = json.loads((tmp_path / "one" / f"{name}.ipynb").read_text("utf-8"))
    nbformat.validate(nbformat.from_dict(notebook))
    kit = kit_of(notebook)
    assert kit["metadata"]["jupyter"] == {"source_hidden": True}
    notebook["cells"].remove(kit)
    assert notebook["cells"] == json.loads(found.release.read_text("utf-8"))["cells"]
    place = brought("".join(kit["source"]).replace("atexit.register", "print"), tmp_path)
    home = Path(place.splitlines()[-1]).parent
    kept = {p.relative_to(home): p.read_bytes() for p in home.rglob("*") if p.is_file()}
    student_folder([found], tmp_path / "whole")
    whole = tmp_path / "whole" / name
    beside = {p.relative_to(whole): p.read_bytes() for p in whole.rglob("*") if p.is_file()}
    kept = {path: data for path, data in kept.items() if "__pycache__" not in path.parts}
    assert kept == {path: data for path, data in beside.items() if path.suffix != ".ipynb"}
