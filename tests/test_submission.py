"""Whatever is handed in is read as its student meant it, or refused in a sentence."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import toy_course
from coursekit import ipynb
from coursekit.ipynb import (
    LIGHT_BYTES,
    MAX_BRACKETS,
    MAX_BYTES,
    MAX_CELLS,
    MAX_CODE,
    MAX_WORDS,
    without_outputs,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder import course
from autograder.course import Assignment
from autograder.errors import SubmissionError
from autograder.judging.notebook_file import find_notebook
from autograder.judging.student import Student
from autograder.judging.submission import MAX_NOTES, Submission, attempt_salt, read_submission
from autograder.sandbox.protocol import InProcess

Notebook = dict[str, Any]
FORCE = "def spring_force(x, stiffness=1.0):\n    return -stiffness * x\n"
KINETIC = "def kinetic(mass, speed):\n    return 0.5 * mass * speed**2\n"
POTENTIAL = "def potential(mass, height):\n    return mass * height\n"
OSCILLATOR = "class Oscillator(nn.Module):\n    pass\n"
ANSWERS = {"spring_force": FORCE, "energies": KINETIC + POTENTIAL, "oscillator": OSCILLATOR}
STUBS = {name: f"# {name}\nraise NotImplementedError" for name in ANSWERS}
STUBS["spring_force"] = "def spring_force(x, stiffness=1.0):\n    raise NotImplementedError"


def code(source: str, grade_id: str = "", **keys: Any) -> Notebook:
    cell: Notebook = {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}
    if grade_id:
        cell["metadata"]["nbgrader"] = {"grade_id": grade_id, "schema_version": 3, **keys}
    return cell


def released() -> Notebook:
    """A release as nbgrader makes it."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# A weight on a spring"},
        code("import numpy as np", "setup", locked=True),
        code("from coursekit.notebook import check", "demo_helpers", locked=True),
        code("fast = False"),
    ]
    for name, stub in STUBS.items():
        cells.append(code(stub, name, solution=True))
        cells.append(code(f'check("{name}")', f"check_{name}", grade=True, locked=True))
    cells.append(code("with demo():\n    plot(spring_force)", "demo_plot", locked=True))
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def filled(**answers: str) -> Notebook:
    """The release with these answers written into it."""
    notebook = released()
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        cell["source"] = answers.get(name, cell["source"])
    return notebook


@pytest.fixture(scope="module", autouse=True)
def springs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assignment]:
    """The toy course's assignment, with the release above."""
    root = tmp_path_factory.mktemp("springs")
    for name in ("assignments/course.toml", "reference_impl/springs.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(toy_course.FILES[name], encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "ROOT", root)
        patch.setattr(course, "TOTAL", 15.0)
        course.course.cache_clear()
        found = course.load_assignment("springs")
        found.release.parent.mkdir(parents=True)
        found.release.write_text(json.dumps(released()), encoding="utf-8")
        yield found
    course.course.cache_clear()


def read(notebook: Notebook) -> Submission:
    return read_submission(json.dumps(notebook).encode(), course.load_assignment("springs"))


def run(submission: Submission) -> dict[str, str]:
    return {cell.label: cell.source for cell in submission.cells}


def refusal(data: bytes) -> str:
    with pytest.raises(SubmissionError) as raised:
        read_submission(data, course.load_assignment("springs"))
    return str(raised.value)


# ------------------------------------------------------------------------ what runs


def test_pictures_never_make_a_notebook_too_large(tmp_path: Path) -> None:
    notebook = filled(**ANSWERS)
    picture = {"output_type": "display_data", "data": {"image/png": "A" * (6 * 2**20)}}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [picture]
    (tmp_path / "springs.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert (tmp_path / "springs.ipynb").stat().st_size > 50 * 2**20
    data, notes = find_notebook(tmp_path, "springs")
    assert (len(data) < 20_000, notes) == (True, [])
    found = read_submission(data, course.load_assignment("springs"))
    assert run(found)["the cell of spring_force"] == FORCE


def test_what_is_no_notebook_stays_as_it_is(tmp_path: Path) -> None:
    rubbish = b'{"cells": [' + b'{"outputs": "' + b"x" * 2**21
    (tmp_path / "springs.ipynb").write_bytes(rubbish)
    assert find_notebook(tmp_path, "springs")[0] == rubbish


def test_there_is_a_bound_on_code() -> None:
    words = refusal(json.dumps(filled(energies="x = 1\n" * (MAX_CODE // 6 + 1))).encode())
    assert "at most 2 MB are read. Take long lists of numbers out of them" in words


def test_no_cell_is_looked_through_for_helpers_before_there_is_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That takes 200 bytes for each line: 30 MB of empty ones became 3 GB, and a grader's fault."""
    looked_at: list[str] = []
    monkeypatch.setattr(ipynb, "kit_in", looked_at.append)
    lines = "def _unpack(\n" + "\n" * MAX_CODE + '_unpack("""""")'
    words = refusal(json.dumps(filled(energies=lines)).encode())
    assert ("at most 2 MB are read" in words, looked_at) == (True, [])


def test_there_is_a_bound_on_words_and_what_stands_behind_it_costs_nothing() -> None:
    """60 MB of them were 124 MB for formgrader, and 2.4 GB in the grader's own process."""
    notebook = filled(**ANSWERS)
    picture = "![](data:image/png;base64," + "A" * MAX_WORDS + ")\nbehind it"
    long = {"cell_type": "markdown", "source": "ab\n" * MAX_WORDS, "metadata": {}}
    notebook["cells"][:0] = [long | {"source": picture}, long, long]
    found = read(notebook)
    first, second, third = (cell.source for cell in found.notebook[:3])
    assert first.endswith("A…\nbehind it")
    assert (len(first) + len(second), third) == (MAX_WORDS, "")
    assert [note[:6] for note in found.notes if "of so much text" in note] == ["cell 2"]
    assert run(found)["the cell of spring_force"] == FORCE


@pytest.mark.parametrize("text", ["ä" * 2**20, [1] * 2**20])
def test_without_its_outputs_no_file_is_larger(text: Any) -> None:
    """Letters of other scripts take six bytes then: of 59 MB it was said that the file has 118."""
    notebook = filled(**ANSWERS) | {"metadata": {"x": text}}
    data = json.dumps(notebook, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(data) > LIGHT_BYTES
    assert len(without_outputs(data)) <= len(data)


@pytest.mark.parametrize(
    ("again", "line"),
    [
        ("# another try\ndef spring_force(x):\n    return 0", 2),
        ("x = 1\nspring_force = spring_force(0.5)", 2),
        ("value, spring_force = 1, 2", 1),
        ("for n, spring_force in enumerate([1, 2]):\n    pass", 1),
    ],
)
def test_an_exercise_that_a_later_cell_defines_again_is_named(again: str, line: int) -> None:
    notebook = filled(**ANSWERS)
    notebook["cells"].append(code(again))
    assert read(notebook).notes == [
        f"cell 12, line {line}, gives spring_force a new value, after cell 5 defined it; the "
        "better one counts"
    ]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("sum = 0\nfor k in range(3):\n    sum += k", ["sum"]),
        ("for max, x in [(1, 2)]:\n    pass", ["max"]),
        ("x = sum([1, 2])", []),
        ("def f():\n    sum = 3", []),
        ("min = 3", []),  # nothing needs it
    ],
)
def test_a_name_of_python_s_own_that_an_exercise_needs_and_a_cell_takes_is_named(
    cell: str, told: list[str]
) -> None:
    answer = (
        'def energies(x):\n    """The min of all."""\n'
        "    return sum(x) + max(x) + x.min(all=1)  # not min(x)\n"
    )
    notebook = filled(**(ANSWERS | {"energies": answer}))
    notebook["cells"].append(code(cell))
    assert read(notebook).notes == [
        f"cell 12, line 1, gives {name}, a name of Python's own, a new value, for all cells"
        for name in told
    ]


@pytest.mark.parametrize(
    "later",
    [
        "print(spring_force(1))",
        "y = spring_force(1) == 3",
        "def tried():\n    spring_force = 3",
        "fit(spring_force=2)",
        "table[spring_force] = 2",
    ],
)
def test_an_exercise_that_is_only_used_is_not_named(later: str) -> None:
    notebook = filled(**ANSWERS)
    notebook["cells"].append(code(later))
    assert read(notebook).notes == []


def test_what_the_locked_cells_import_is_there_where_it_is_used(springs: Assignment) -> None:
    folder = springs.release.parent
    (folder / "coursekit").mkdir(exist_ok=True)
    (folder / "coursekit" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "expected.json").write_text('{"x": [1]}', encoding="utf-8")
    (folder / "figures.py").write_text(
        "from pathlib import Path\nSTIFFNESS = 3.0\n"
        "TEXT = Path(__file__).with_name('expected.json').read_text()\n",
        encoding="utf-8",
    )
    uses = "def spring_force(x, k=None):\n    return -figures.STIFFNESS * x\nt = figures.TEXT"
    submission = read(filled(**(ANSWERS | {"spring_force": uses})))
    assert [cell.label for cell in submission.cells][:2] == [
        "the notebook's files",
        "the setup cell",
    ]
    student = Student(InProcess(submission.cells))
    student.begin("spring_force", 0)
    assert student.spring_force(2.0) == -6.0
    assert read(filled(**ANSWERS)).cells[0].label == "the setup cell", "where nobody asks for them"
    (folder / "figures.py").unlink()


def test_an_attempt_meets_inputs_of_its_own(springs: Assignment) -> None:
    first, same, other = filled(**ANSWERS), filled(**ANSWERS), filled(**ANSWERS)
    same["cells"][4]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "3"}]
    same["cells"][0]["source"] = "# Notes of my own"
    other["cells"][4]["source"] = FORCE + "# once more"
    salts = [attempt_salt("salt", read(one), springs) for one in (first, same, other)]
    assert salts[0] == salts[1], "no code changed"
    assert salts[2] != salts[0] != "salt"
    fixed = msgspec.structs.replace(springs, same_inputs=True)
    assert attempt_salt("salt", read(first), fixed) == "salt"


def test_a_plain_submission_runs_setup_then_the_students_cells_in_order() -> None:
    submission = read(filled(**ANSWERS))
    assert list(run(submission)) == [
        "the setup cell",
        "cell 4",
        "the cell of spring_force",
        "the cell of energies",
        "the cell of oscillator",
    ]
    assert run(submission)["the cell of spring_force"] == FORCE
    assert "import torch" in run(submission)["the setup cell"], "the reference's imports"
    assert submission.notes == []
    student = Student(InProcess(submission.cells))
    student.begin("spring_force", 0)
    assert student.spring_force(0.5, 3.0) == -1.5


def test_an_untouched_release_runs_its_stubs_and_has_no_notes() -> None:
    submission = read(released())
    assert run(submission)["the cell of spring_force"] == STUBS["spring_force"]
    assert submission.notes == []


def test_locked_checks_and_demos_never_run_whatever_their_text_is_now() -> None:
    notebook = filled(**ANSWERS)
    for number, text in ((2, "check = print"), (5, FORCE), (10, "1 / 0")):
        notebook["cells"][number]["source"] = text
    submission = read(notebook)
    assert len(submission.cells) == 5
    assert not any("print" in cell.source for cell in submission.cells)
    assert [note.split(",")[0] for note in submission.notes] == [
        "cell 3 is marked as the locked cell demo_helpers",
        "cell 6 is marked as the locked cell check_spring_force",
        "cell 11 is marked as the locked cell demo_plot",
    ]


def test_a_check_of_an_exercise_that_was_withdrawn_is_not_called_changed() -> None:
    notebook = filled(**ANSWERS)
    cell = notebook["cells"][5]
    cell["metadata"]["nbgrader"]["grade_id"] = cell["id"] = "check_pendulum"
    cell["source"] = 'check("pendulum")'
    assert read(notebook).notes == [
        "cell 6 is marked as the locked cell check_pendulum, but there is no such cell now; it was "
        "not run"
    ]


def test_a_changed_setup_cell_runs_after_the_original() -> None:
    notebook = filled(**ANSWERS)
    notebook["cells"][1]["source"] = "import math"
    submission = read(notebook)
    assert list(run(submission))[:2] == ["the setup cell", "the changed setup cell"]
    assert "import torch" in run(submission)["the setup cell"]
    assert run(submission)["the changed setup cell"] == "import math"
    assert submission.notes == ["the setup cell was changed; it ran after the original"]


def test_a_copy_of_a_locked_cell_without_metadata_does_not_run() -> None:
    notebook = filled(**ANSWERS)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    notebook["cells"].append(code("with demo():  \r\n    plot(spring_force)\n\n"))
    submission = read(notebook)
    labels = ["the setup cell", "cell 4", "cell 5", "cell 7", "cell 9"]
    assert list(run(submission)) == labels
    assert submission.notes == []


def test_locked_cells_of_an_older_release_do_not_run() -> None:
    notebook = filled(**ANSWERS)
    notebook["cells"].append(code("train_for_an_hour()", "demo_gone", locked=True))
    submission = read(notebook)
    assert len(submission.cells) == 5
    assert "demo_gone" in submission.notes[0]


def test_empty_raw_and_markdown_cells_do_not_run_and_tags_do_not_matter() -> None:
    notebook = filled(**ANSWERS)
    tagged = code("y = 1")
    tagged["metadata"]["tags"] = ["skip-execution"]
    raw = {"cell_type": "raw", "metadata": {}, "source": "x = 1"}
    notebook["cells"] += [tagged, raw, code(" \n"), {**raw, "cell_type": "markdown"}]
    assert list(run(read(notebook)))[5:] == ["cell 12"]


@pytest.mark.parametrize("where", [0, -1])
def test_moved_and_added_cells_run_where_they_stand(where: int) -> None:
    notebook = filled(**ANSWERS)
    cells = notebook["cells"]
    cells.insert(0 if where == 0 else len(cells), cells.pop(4))
    assert list(run(read(notebook))).index("the cell of spring_force") == (1 if where == 0 else 4)


def test_a_duplicated_solution_cell_runs_twice_and_is_noted() -> None:
    notebook = filled(**ANSWERS)
    twin = copy.deepcopy(notebook["cells"][4])
    twin["source"] = FORCE.replace("-", "- 1 *")
    notebook["cells"].append(twin)
    submission = read(notebook)
    assert run(submission)["cell 12"] == twin["source"]
    assert submission.notes == [
        "spring_force has more than one cell (cells 5 and 12); they ran in order, and the better "
        "one counts"
    ]


def test_an_untouched_stub_does_not_overwrite_an_answer_in_another_cell() -> None:
    notebook = released()
    notebook["cells"].insert(4, code(FORCE))
    notebook["cells"].insert(4, code(KINETIC))
    submission = read(notebook)
    assert run(submission)["cell 6"] == FORCE
    assert "the cell of spring_force" not in run(submission)
    assert "the cell of energies" in run(submission), "only one of its two functions is there"
    assert submission.notes == ["cell 7, an untouched cell of spring_force, was left out"]


def test_a_stub_with_a_remark_in_it_does_not_overwrite_the_answer_either() -> None:
    notebook = released()
    stub = next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "spring_force"
    )
    stub["source"] = (
        "# mine stands above\ndef spring_force(x, stiffness=1.0):\n"
        "    # YOUR CODE HERE\n    raise NotImplementedError('still to be written')"
    )
    notebook["cells"].insert(4, code(FORCE))
    assert "the cell of spring_force" not in run(read(notebook))


def test_a_solution_cell_that_is_no_code_cell_any_more_is_noted() -> None:
    notebook = filled(**ANSWERS)
    notebook["cells"][4]["cell_type"] = "markdown"
    submission = read(notebook)
    assert "the cell of spring_force" not in run(submission)
    assert "cell 5, the cell of spring_force, is no code cell any more" in submission.notes[0]


def test_a_foreign_notebook_is_read_and_noted() -> None:
    submission = read({"cells": [code("x = 1")]})
    assert list(run(submission)) == ["the setup cell", "cell 1"]
    assert submission.notes == ["nothing of this assignment was found in the notebook"]


def test_another_assignments_notebook_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    swing = course.Exercise(name="swing", defines=("swing",), points=1, minutes=1, seconds=1)
    other = course.Assignment(name="pendulum", title="A pendulum", exercises=(swing,))
    monkeypatch.setattr("autograder.judging.submission.course", lambda: {"pendulum": other})
    (note,) = read({"cells": [code("def swing(): ...", "swing")]}).notes
    assert note.endswith("; it looks like the notebook of “A pendulum”")


def test_names_in_other_forms_count_as_this_assignments() -> None:
    for source in (
        "spring_force = lambda x, k: -k * x",
        "kinetic: object = max",
        "async def potential(): 1",
    ):
        assert read({"cells": [code(source)]}).notes == []
    assert read({"cells": [code("if spring_force == 1: pass\nspring_force(1)")]}).notes != []


def test_without_a_release_names_still_say_what_is_locked(springs: Assignment) -> None:
    away = springs.release.rename(springs.release.with_suffix(".away"))
    try:
        submission = read(filled(**ANSWERS))
    finally:
        away.rename(springs.release)
    assert len(submission.cells) == 5
    assert submission.notes == []


def test_notes_are_capped() -> None:
    twins = [code(FORCE, "spring_force") for _ in range(300)]
    notes = read({"cells": twins}).notes
    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == f"and {299 - MAX_NOTES} more remarks like these"


# ------------------------------------------------------------------------ forms of a notebook


def test_sources_may_be_lists_and_metadata_rubbish() -> None:
    notebook = filled(**ANSWERS)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    rubbish: list[Any] = [None, 7, [], "x", {"nbgrader": None}, {"nbgrader": {"grade_id": []}}]
    for thing in rubbish:
        notebook["cells"].append({"cell_type": "code", "source": "z = 1", "metadata": thing})
    notebook["cells"].append({"cell_type": "code", "source": "z = 1"})
    notebook["metadata"] = None
    submission = read(notebook)
    assert len(submission.cells) == 5 + len(rubbish) + 1
    assert submission.notes == []


def test_damaged_cells_are_left_out_and_noted() -> None:
    notebook = filled(**ANSWERS)
    damaged: list[Any] = [None, [], {"cell_type": "code"}, {"cell_type": "code", "source": [1]}]
    notebook["cells"] = [*damaged, *notebook["cells"]]
    submission = read(notebook)
    assert submission.notes == [
        "cell 1 is damaged and was left out",
        "cell 2 is damaged and was left out",
        "cell 3 has no readable text and was left out",
        "cell 4 has no readable text and was left out",
    ]
    assert "the cell of oscillator" in run(submission)


@pytest.mark.parametrize("version", [3, 5, None])
def test_other_versions_of_the_format(version: int | None) -> None:
    notebook = filled(**ANSWERS)
    if version == 3:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["input"] = cell.pop("source").splitlines(keepends=True)
        notebook["worksheets"] = [
            {"cells": notebook["cells"][:5]},
            "rubbish",
            {"cells": notebook.pop("cells")[5:]},
        ]
    notebook["nbformat"] = version
    assert len(read(notebook).cells) == 5


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\\n", "\\r\\n").encode(),
        lambda text: b"\n\n" + text.encode() + b"\n",
    ],
)
def test_encodings_and_line_ends(encode: Callable[[str], bytes]) -> None:
    notebook = filled(**(ANSWERS | {"energies": "# ħω\n" + KINETIC + POTENTIAL}))
    text = json.dumps(notebook, ensure_ascii=False, indent=1)
    submission = read_submission(encode(text), course.load_assignment("springs"))
    assert run(submission)["the cell of energies"].startswith("# ħω\ndef kinetic")
    assert submission.notes == []


def test_a_file_in_another_encoding_is_read_and_noted() -> None:
    text = json.dumps(filled(spring_force="# Kraft für\n" + FORCE), ensure_ascii=False)
    submission = read_submission(text.encode("latin-1"), course.load_assignment("springs"))
    assert run(submission)["the cell of spring_force"] == "# Kraft für\n" + FORCE
    assert submission.notes == ["the file is not valid UTF-8; accents in it may be wrong"]


def test_halves_of_surrogate_pairs_become_encodable() -> None:
    notebook = filled(spring_force="x = '\ud800'\n" + FORCE)
    source = run(read(notebook))["the cell of spring_force"]
    assert source.encode().startswith(b"x = '?'")


# ------------------------------------------------------------------------ what cannot be read


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\n ", "is empty"),
        (b"{}", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"worksheets": 3}', "no list of cells"),
        (b"[1, 2]", "is JSON, but no notebook"),
        (b"print(1)\n", "the file is no notebook"),
        (b"\x00" * 100, "the file is no notebook"),
        (b"%PDF-1.7 \xff\xfe", "is a PDF"),
        (b"PK\x03\x04\x14\x00\x00\x08", "is an archive"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b'{"cells": [{"cell_type": "co', "is cut off in line 1"),
        (b'{"cells": [\n', "is cut off in line"),
        (b'{"cells": [],\n "x": oops}', "is damaged in line 2"),
        (b'{"cells": [], "x": ' + b"9" * 5000 + b"}", "number too large"),
        (b'{"cells": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"cells": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b'{"x": [' + b"[]," * (MAX_BRACKETS + 1), "far more data"),
        (b" " * MAX_BYTES + b"{}", "at most 64 MB"),
        (json.dumps({"cells": [1] * (MAX_CELLS + 1)}).encode(), "has 2001 cells"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else repr(value[:20]),
)
def test_what_cannot_be_read_is_refused_in_words(data: bytes, words: str) -> None:
    assert words in refusal(data)


def test_a_notebook_truncated_anywhere_is_said_to_be_cut_off() -> None:
    notebook = filled(**ANSWERS)
    notebook["metadata"] = {"a": None, "b": True, "c": 1.5, "d": "\u0127\\"}
    data = json.dumps(notebook, indent=1).encode()
    for end in range(2, len(data) - 2):
        assert "is cut off in line" in refusal(data[:end])


def test_conflict_markers_are_named() -> None:
    lines = json.dumps(released(), indent=1).splitlines()
    lines[7:7] = ["<<<<<<< HEAD", "=======", ">>>>>>> theirs"]
    message = refusal("\r\n".join(lines).encode())
    assert "merge conflict (<<<<<<<, line 8)" in message
    notebook = filled(spring_force=f"<<<<<<< HEAD\n{FORCE}=======\n{FORCE}>>>>>>> theirs\n")
    assert read(notebook).notes == ["cell 5 holds the markers of a merge conflict (<<<<<<<)"]


# ------------------------------------------------------------------------ any bytes at all


def check_invariants(data: bytes) -> None:
    try:
        submission = read_submission(data, course.load_assignment("springs"))
    except SubmissionError as error:
        message = str(error)
        assert message
        assert message.isprintable()
        assert len(message) < 300
        return
    labels = [cell.label for cell in submission.cells]
    assert labels[0] == "the setup cell"
    assert len(set(labels)) == len(labels) == len(submission.ran) + 1
    for text in [*submission.notes, *(cell.source for cell in submission.cells)]:
        text.encode()
    assert all(note.isprintable() for note in submission.notes)


WORDS = st.sampled_from(
    ["code", "markdown", "", "spring_force", "check_spring_force", "setup", "demo_x", FORCE]
) | st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "id", "input"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CELLS = VALUES | st.fixed_dictionaries(
    {"cell_type": WORDS | VALUES, "source": WORDS | VALUES},
    optional={
        "metadata": VALUES
        | st.fixed_dictionaries({"nbgrader": st.fixed_dictionaries({"grade_id": WORDS})})
    },
)
NOTEBOOKS = st.fixed_dictionaries(
    {}, optional={"cells": st.lists(CELLS, max_size=6), "worksheets": VALUES, "nbformat": VALUES}
)


@given(st.binary(max_size=300))
@example(b'{"cells": [{"cell_type": "code", "source": "x\\u0000\\u202e"}]}')
@example(json.dumps({"cells": [code("x", "demo_\u202e\n")]}).encode())
def test_any_bytes_are_a_submission_or_an_error(data: bytes) -> None:
    check_invariants(data)


@given(NOTEBOOKS | VALUES)
def test_any_json_is_a_submission_or_an_error(notebook: Any) -> None:
    check_invariants(json.dumps(notebook).encode())


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_notebook_is_a_submission_or_an_error(data: st.DataObject) -> None:
    good = bytearray(json.dumps(filled(**ANSWERS), indent=1).encode())
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(start + 200, len(good))))
    good[start:end] = data.draw(st.binary(max_size=20))
    check_invariants(bytes(good))


# ------------------------------------------------------------------------ files


def missing(folder: Path) -> str:
    with pytest.raises(SubmissionError) as raised:
        find_notebook(folder, "springs")
    return str(raised.value)


def test_the_notebook_is_found(tmp_path: Path) -> None:
    (tmp_path / "springs.ipynb").write_bytes(b"{}")
    (tmp_path / "other.ipynb").write_bytes(b"[]")
    assert find_notebook(tmp_path, "springs") == (b"{}", [])


def test_a_renamed_notebook_is_taken(tmp_path: Path) -> None:
    (tmp_path / "springs (1)\u202e\u2028.IPYNB").write_bytes(b"{}")
    (tmp_path / "._springs.ipynb").write_bytes(b"mac")
    (tmp_path / "data.csv").write_bytes(b"1")
    data, notes = find_notebook(tmp_path, "springs")
    assert data == b"{}"
    assert notes == ["springs (1)\ufffd\ufffd.IPYNB was taken for springs.ipynb"]


def test_missing_notebooks_are_refused_with_what_is_there(tmp_path: Path) -> None:
    assert missing(tmp_path / "nobody") == "there is no folder nobody to read"
    assert missing(tmp_path) == "there is no springs.ipynb; the folder is empty"
    (tmp_path / "read\nme.txt").write_bytes(b"")
    assert missing(tmp_path).endswith("the folder holds read\ufffdme.txt")
    (tmp_path / "a.ipynb").write_bytes(b"{}")
    (tmp_path / "b.ipynb").write_bytes(b"{}")
    assert "not clear which one is meant of a.ipynb, b.ipynb" in missing(tmp_path)
    for number in range(20):
        (tmp_path / f"{number:02}.ipynb").write_bytes(b"{}")
    assert missing(tmp_path).endswith("07.ipynb, …")


def test_links_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(b"{}")
    for name, make in {
        "link": lambda path: path.symlink_to(secret),
        "dangling": lambda path: path.symlink_to(tmp_path / "nothing"),
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        make(folder / "springs.ipynb")
        words = "is a link" if name in ("link", "dangling") else "is no regular file"
        assert words in missing(folder)
    whole = tmp_path / "whole"
    whole.symlink_to(tmp_path / "link")
    assert missing(whole) == "there is no folder whole to read"


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "springs.ipynb"
    with path.open("wb") as file:
        file.truncate(40 * MAX_BYTES)
    assert "has 2560 MB" in missing(tmp_path)
