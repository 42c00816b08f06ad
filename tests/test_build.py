"""`autograder build`: what it writes, what it refuses, and what never reaches a student."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import toy_course
from nbgrader.nbgraderformat import MetadataValidator
from typer.testing import CliRunner

from autograder.authoring import build, cells
from autograder.cli import app
from autograder.course import Assignment, course, load_assignment
from autograder.errors import CourseError
from autograder.judging.answers import definition, reference_code

SECRETS = (
    "SOLUTION",
    "HIDDEN",
    "reference_impl",
    "import autograder",
    "from autograder",
    "stock_nbgrader",
)


@pytest.fixture
def springs(tmp_path: Path) -> Iterator[Assignment]:
    """The made-up course's one assignment, not yet built."""
    with toy_course.activated(toy_course.write(tmp_path)):
        yield load_assignment("springs")


def notebook(path: Path) -> dict[str, Any]:
    """A notebook's cells by their ids."""
    return {cell["id"]: cell for cell in nbformat.read(path, as_version=4).cells}


def tree(root: Path) -> dict[str, bytes]:
    folders = (root / "source", root / "release")
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


# ------------------------------------------------------------------------ what is written


def test_both_folders_hold_what_a_notebook_needs(springs: Assignment) -> None:
    build.build(springs)
    kit = "__init__ compare messages notebook fields ising_data motion cells compiler facts ipynb"
    kit += " look networks pages relations slips state student training witness written"
    files = {f"coursekit/{name}.py" for name in kit.split()}
    files |= {"springs.ipynb", "public_checks.py", "figures.py", "expected.json", "slips.json"}
    source, release = springs.source.parent, springs.release.parent
    released = {path.relative_to(release).as_posix() for path in release.rglob("*.*")}
    built = {path.relative_to(source).as_posix() for path in source.rglob("*.*")}
    assert released == files
    assert built == files | {".build.json"}


def test_nbgrader_accepts_both_and_finds_the_points(springs: Assignment) -> None:
    build.build(springs)
    for path in (springs.source, springs.release):
        MetadataValidator().validate_nb(nbformat.read(path, as_version=4))
        cells = notebook(path)
        for exercise in springs.exercises:
            solution = cells[exercise.name]["metadata"]["nbgrader"]
            check = cells[exercise.check_cell]["metadata"]["nbgrader"]
            assert (solution["grade_id"], check["grade_id"]) == (
                exercise.name,
                exercise.check_cell,
            )
            assert (solution["solution"], solution["grade"], solution["locked"]) == (1, 0, 0)
            assert (check["solution"], check["grade"], check["locked"]) == (0, 1, 1)
            assert check["points"] == exercise.points
        locked = {
            name
            for name, cell in cells.items()
            if cell["metadata"].get("nbgrader", {}).get("locked")
        }
        demos = {"demo_helpers", "demo_force_line", "demo_swing", "demo_again", "demo_summary"}
        checks = {exercise.check_cell for exercise in springs.exercises}
        assert locked == {"setup"} | demos | checks


def test_the_source_holds_the_reference_s_answers_to_the_letter(springs: Assignment) -> None:
    build.build(springs)
    cells = notebook(springs.source)
    for exercise in springs.exercises:
        lines = cells[exercise.name]["source"].splitlines()
        answer = [line for line in lines if "### BEGIN" not in line and "### END" not in line]
        assert "\n".join(answer) + "\n" == reference_code(springs, exercise.name)


def test_prose_is_evaluated_with_the_reference(springs: Assignment) -> None:
    rewrite(
        springs.text, "# ## Energies", '# {{[kinetic(2, k) for k in (1, 2)][1]}} {{{1: "a"}[1]}}'
    )
    build.build(springs)
    cells = notebook(springs.release)
    assert "pulls with -1.50 N" in cells["text_parameters_1"]["source"]
    assert cells["text_demo_force_line_1"]["source"] == "4.0 a"


def test_expected_figures_hold_six_digits_and_no_noise(springs: Assignment) -> None:
    build.build(springs)
    expected = json.loads((springs.release.parent / "expected.json").read_text())
    assert expected["noisy"] == [1.0, 0.0, 0.333333]
    assert expected["force"] == [3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0]
    assert expected["n"] == 7


# ------------------------------------------------------------------------ the same again


def test_a_second_build_writes_nothing(springs: Assignment) -> None:
    first = build.build(springs)
    assert len(first.written) == first.files
    assert build.build(springs).written == []
    assert build.differences(springs) == []


def test_another_process_elsewhere_builds_the_same_bytes(
    springs: Assignment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    build.build(springs)
    other = toy_course.write(tmp_path_factory.mktemp("elsewhere") / "deep")
    code = (
        "import toy_course, pathlib\n"
        "from autograder import course; from autograder.authoring import build\n"
        f"toy_course.activate(pathlib.Path({str(other)!r}))\n"
        "build.build(course.load_assignment('springs'))"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(Path(__file__).parent),
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree(other) == tree(springs.source.parents[2])


def test_a_deleted_file_comes_back_and_an_outdated_one_goes(springs: Assignment) -> None:
    build.build(springs)
    figures = springs.release.parent / "figures.py"
    figures.unlink()
    assert build.differences(springs) == ["release/springs/figures.py is missing"]
    kit = springs.folder.parent / "coursekit" / "extra.py"
    kit.write_text('"""Extra."""\n')
    build.build(springs)
    assert figures.is_file()
    built = springs.release.parent / "coursekit" / "extra.py"
    assert built.is_file()
    kit.unlink()
    build.build(springs)
    assert not built.exists()


def test_nbgrader_s_own_command_releases_the_same(
    springs: Assignment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    build.build(springs)
    root = tmp_path_factory.mktemp("class")
    shutil.copytree(springs.source.parent, root / "source" / "springs")
    configuration = Path(__file__).parent.parent / "nbgrader_config.py"
    (root / "nbgrader_config.py").write_text(
        f"c = get_config()\nload_subconfig({str(configuration)!r})\n"
    )
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "springs", "--no-db"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    released = {path: data for path, data in tree(root).items() if path.startswith("release")}
    built = tree(springs.source.parents[2])
    assert released == {path: data for path, data in built.items() if path.startswith("release")}


# ------------------------------------------------------------------------ changes by hand


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("source/springs/springs.ipynb", "reference_impl/springs.py"),
        ("release/springs/springs.ipynb", "assignments/springs/notebook.py"),
        ("release/springs/figures.py", "assignments/springs/figures.py"),
        ("source/springs/coursekit/compare.py", "assignments/coursekit/compare.py"),
        ("source/springs/coursekit/fields.py", "autograder/sandbox/inside/fields.py"),
        ("release/springs/expected.json", "expected()"),
    ],
)
def test_a_change_by_hand_is_noticed_and_kept(springs: Assignment, file: str, place: str) -> None:
    build.build(springs)
    path = springs.source.parents[2] / file
    built = path.read_bytes()
    changed = built.replace(b"force", b"power").replace(b"def ", b"def  ")
    assert changed != built
    path.write_bytes(changed)
    with pytest.raises(CourseError, match="was changed since it was built") as refused:
        build.build(springs)
    assert file in str(refused.value)
    assert place in str(refused.value)
    assert "--force" in str(refused.value)
    assert path.read_bytes() == changed
    assert build.build(springs, force=True).written == [file]
    assert path.read_bytes() == built


def test_changed_points_are_a_change_and_a_run_is_none(springs: Assignment) -> None:
    build.build(springs)
    built = springs.source.read_bytes()
    run = nbformat.read(springs.source, as_version=4)
    for cell in run.cells:
        if cell.cell_type == "code":
            cell.execution_count = 3
            cell.outputs = [nbformat.v4.new_output("stream", text="4")]
    nbformat.write(run, springs.source)
    assert build.differences(springs) == ["source/springs/springs.ipynb differs"]
    build.build(springs)
    assert springs.source.read_bytes() == built
    springs.source.write_bytes(built.replace(b'"points": 6', b'"points": 60'))
    with pytest.raises(CourseError, match="was changed"):
        build.build(springs)


def test_a_strange_file_is_reported_and_left_alone(springs: Assignment) -> None:
    build.build(springs)
    strange = springs.release.parent / "answers.txt"
    strange.write_text("42")
    assert build.build(springs).strays == ["release/springs/answers.txt"]
    assert build.differences(springs) == ["release/springs/answers.txt is not the builder's"]
    assert strange.read_text() == "42"


def test_a_file_of_unknown_origin_is_not_overwritten(springs: Assignment) -> None:
    build.build(springs)
    (springs.source.parent / ".build.json").unlink()
    rewrite(springs.release.parent / "figures.py", "yours", "mine")
    with pytest.raises(CourseError, match=r"release/springs/figures\.py was changed"):
        build.build(springs)


# ------------------------------------------------------------------------ the command


def test_the_command_builds_checks_and_names_what_differs(springs: Assignment) -> None:
    runner = CliRunner()
    missing = runner.invoke(app, ["build", "--check"])
    assert missing.exit_code == 1
    assert "release/springs/springs.ipynb is missing" in missing.output
    assert not springs.source.exists()
    done = runner.invoke(app, ["build"])
    files = len(build.built_files(springs)) + 1  # and the stamp
    assert (done.exit_code, done.output) == (0, f"springs: {files} files, {files} written\n")
    same = runner.invoke(app, ["build", "--check", "springs"])
    assert (same.exit_code, same.output) == (0, "springs: is as built\n")
    rewrite(springs.text, "# # A weight on a spring", "# # A weight on two springs")
    differs = runner.invoke(app, ["build", "--check"])
    assert differs.exit_code == 1
    assert "source/springs/springs.ipynb differs" in differs.output
    assert "figures.py" not in differs.output
    refused = runner.invoke(app, ["build", "sprongs"])
    assert isinstance(refused.exception, CourseError)


def test_the_demonstration_leaves_a_folder_alone_that_is_not_its_own(
    springs: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "demo" / "lecture.txt"
    precious.parent.mkdir()
    precious.write_text("the only copy")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(app, ["demo", "springs"])
    assert isinstance(refused.exception, CourseError)
    assert str(precious.parent) in str(refused.exception)
    assert precious.read_text() == "the only copy"


# ------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('# %% exercise="energies"\n', "", "in this order"),
        ('exercise="energies"', 'exercise="energy"', "no exercise 'energy'"),
        ('# %% exercise="energies"\n', '# %% exercise="energies"\nx = 1\n', "should be empty"),
        ("# %% summary=true", "# %%\nx = 1", "needs one of setup, parameters"),
        ("# %% setup=true\n", "", "0 cells 'setup'"),
        ("model.frequency)", "model.frequency)\nmodel", "ends in a value"),
        ("model.frequency)", 'model.frequency)\nprint("""a\nb""")', "string over several lines"),
        ("model.frequency)", "model.frequency", "not plain Python"),
        ('demo="again"', 'demo="once more"', "cannot be a cell's id"),
        ("{{f", "{{nothing + f", "NameError"),
        ("N.\n\n# %% exercise", "N and {{1 +\n\n# %% exercise", "no expression in"),
    ],
)
def test_a_fault_in_the_text_is_named(
    springs: Assignment, old: str, new: str, message: str
) -> None:
    rewrite(springs.text, old, new)
    with pytest.raises(CourseError, match=message):
        build.build(springs)
    assert not springs.source.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(x):\n    return x", "no docstring"),
        ('def f(x):\n    """Only words."""', "no body"),
        ('def f(x): "Words."; return x', "no body"),
        ('class C:\n    """Words."""\n    size = 3\n', "methods and no more"),
        ("class C:\n    def f(self):\n        return 1", "methods and no more|no docstring"),
    ],
)
def test_an_answer_that_cannot_be_woven_is_named(text: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        cells.woven(text, "here")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("points = 6, ", "", "exercise spring_force: .* missing required field `points`"),
        ('title = "A weight on a spring"', "", "springs: .* missing required field `title`"),
        ("points = 6", 'points = "six"', "exercise spring_force: Expected `float`, got `str`"),
        ("points = 6", "points = nan", "spring_force has points = nan; it should be above 0"),
        ("points = 6", "points = 0", "spring_force has points = 0; it should be above 0"),
        ("points = 6", "points = 7", "have 16 points together; they should have 15"),
        ("points = 6", "pints = 6", "exercise spring_force: .* unknown field `pints`"),
        ('"energies", defines', '"oscillator", defines', "lists the exercise oscillator twice"),
        ("[springs]", "[springs", "cannot be read"),
    ],
)
def test_a_fault_in_the_list_of_exercises_is_one_sentence(
    springs: Assignment, old: str, new: str, message: str
) -> None:
    path = springs.folder.parent / "course.toml"
    rewrite(path, old, new)
    course.cache_clear()
    with pytest.raises(CourseError, match=message) as refused:
        load_assignment("springs")
    assert str(path) in str(refused.value)


def test_an_exercise_without_a_public_check_is_named(springs: Assignment) -> None:
    text = springs.public_checks.read_text().replace("test_oscillator", "test_nothing")
    springs.public_checks.write_text(text)
    with pytest.raises(CourseError, match="oscillator has no public check"):
        build.build(springs)


def test_figures_that_cannot_be_stored_are_named(springs: Assignment) -> None:
    figures = springs.folder / "figures.py"
    rewrite(figures, '"n": 7', '"n": float("nan")')
    with pytest.raises(CourseError, match=r"expected\(answers\)\['n'\]"):
        build.build(springs)


# ------------------------------------------------------------------------ secrecy, agreement


def bodies(found: Assignment) -> Iterator[tuple[ast.AST, str]]:
    """Every function of the exercises with the text of its definition."""
    for exercise in found.exercises:
        for name in exercise.defines:
            segment, _ = definition(found, name)
            for node in ast.walk(ast.parse(segment)):
                if isinstance(node, ast.FunctionDef):
                    yield node, segment


def body_lines(found: Assignment) -> set[str]:
    """The reference's lines below the docstrings, long enough to be told from chance."""
    lines = set()
    for node, segment in bodies(found):
        assert isinstance(node, ast.FunctionDef)
        first = node.body[1] if ast.get_docstring(node) is not None else node.body[0]
        text = segment.splitlines()[first.lineno - 1 : node.end_lineno]
        lines |= {line.strip() for line in text if len(line.strip()) > 12}
    return lines


def assert_release_is_clean(found: Assignment, release: dict[str, str]) -> None:
    """No answer, no hidden check and no word of the grader's in what students get."""
    everything = "\n".join(release.values())
    for word in SECRETS:
        assert word not in everything, word
    assert not any(".build" in name for name in release)
    # What the authors wrote into the public files is public by their own hand.
    public = "\n".join(path.read_text() for path in sorted(found.folder.glob("*.py")))
    cells = nbformat.reads(release[f"{found.name}.ipynb"], as_version=4).cells
    code = "\n".join(cell.source for cell in cells)
    leaked = {line for line in body_lines(found) if line in code and line not in public}
    documented = "\n".join(
        ast.get_docstring(definition(found, name)[1], clean=False) or ""
        for exercise in found.exercises
        for name in exercise.defines
    )
    assert {line for line in leaked if line not in documented} == set()
    checks = ast.parse(found.hidden_checks.read_text()).body
    hidden = {node.name for node in checks if isinstance(node, ast.FunctionDef)}
    hidden = {name for name in hidden if name.startswith("test_")}
    assert hidden
    own = {n.name for n in ast.walk(ast.parse(public)) if isinstance(n, ast.FunctionDef)}
    assert {name for name in hidden - own if re.search(rf"\b{name}\b", everything)} == set()


def released_text(files: dict[str, bytes], name: str) -> dict[str, str]:
    start = f"release/{name}/"
    return {
        path.removeprefix(start): data.decode()
        for path, data in files.items()
        if path.startswith(start)
    }


def skeleton(node: ast.stmt) -> str:
    """Signature, decorators and docstring, for each function and class in `node`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef):
            documented = ast.get_docstring(inner) is not None
            inner.body = inner.body[:1] if documented else [ast.Pass()]
    return ast.dump(node)


def assert_stubs_agree(found: Assignment, cells: dict[str, Any]) -> None:
    for exercise in found.exercises:
        stub = {node.name: node for node in ast.parse(cells[exercise.name]["source"]).body}  # type: ignore[attr-defined]
        assert list(stub) == list(exercise.defines)
        for name in exercise.defines:
            assert skeleton(stub[name]) == skeleton(ast.parse(definition(found, name)[0]).body[0])


def test_nothing_secret_is_released(springs: Assignment) -> None:
    files = build.built_files(springs)
    assert_release_is_clean(springs, released_text(files, "springs"))
    source = files["source/springs/springs.ipynb"].decode()
    assert "product = stiffness * x" in source
    assert "BEGIN HIDDEN" in source
    leaky = released_text(files, "springs")
    answer = "product = stiffness * x"
    leaky["springs.ipynb"] = leaky["springs.ipynb"].replace("# YOUR CODE HERE", answer, 1)
    with pytest.raises(AssertionError):  # so the test above can fail
        assert_release_is_clean(springs, leaky)


def test_stub_and_reference_agree(springs: Assignment) -> None:
    build.build(springs)
    assert_stubs_agree(springs, notebook(springs.release))
    stub = notebook(springs.release)["oscillator"]["source"]
    assert "@property\n    def period(self) -> float:\n        # YOUR CODE HERE\n" in stub
    assert stub.count('raise NotImplementedError("still to be written")') == 3


# ------------------------------------------------------------------------ the real course


@pytest.mark.parametrize("name", course())
def test_the_committed_notebooks_equal_a_build(name: str) -> None:
    assert build.differences(load_assignment(name)) == []


@pytest.mark.parametrize("name", course())
def test_nothing_secret_is_released_in_the_course(name: str) -> None:
    found = load_assignment(name)
    files = build.built_files(found)
    assert_release_is_clean(found, released_text(files, name))
    data = files[f"release/{name}/{name}.ipynb"].decode()
    cells = {cell["id"]: cell for cell in nbformat.reads(data, as_version=4).cells}
    assert_stubs_agree(found, cells)


@pytest.mark.parametrize("name", course())
def test_no_formula_ends_at_a_percent_sign(name: str) -> None:
    """In TeX a comment begins there."""
    for cell in nbformat.read(load_assignment(name).release, as_version=4).cells:
        if cell.cell_type == "markdown":
            for formula in re.findall(r"\$\$.*?\$\$|\$[^$]+\$", cell.source, re.DOTALL):
                assert not re.search(r"(?<!\\)%", formula), formula


@pytest.mark.parametrize("name", course())
def test_cells_may_stand_in_any_order(name: str) -> None:
    """A type, default or base that another cell defines would be looked up before it is there: so
    would a stub's, where its exercise is answered in a cell farther down."""
    found = load_assignment(name)
    owner = {one: exercise.name for exercise in found.exercises for one in exercise.defines}
    for exercise in found.exercises:
        for node in ast.parse(reference_code(found, exercise.name)).body:
            for inner in ast.walk(node):
                if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
                    inner.body = []  # read when it is called
            names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            assert not {owner.get(one, exercise.name) for one in names} - {exercise.name}
