"""What is given away, used as its receivers use it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from typer.testing import CliRunner

from autograder import course as course_module
from autograder.authoring import demo
from autograder.cli import app
from autograder.course import ROOT, Assignment, course, load_assignment
from autograder.errors import CourseError, SubmissionError
from autograder.exchange import bundle
from autograder.exchange.bundle import files_of, single_notebooks, site_folder, student_folder
from autograder.exchange.gradescope import _find, gradescope_archive
from autograder.exchange.solutions import instructive, solutions_folder
from autograder.judging.answers import alternatives, reference_code
from autograder.sandbox.inside.protocol import remove


def test_the_students_folder_holds_what_is_needed_and_nothing_private(tmp_path: Path) -> None:
    paths = student_folder(list(course().values()), tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in paths}
    scripts = {"check_environment.py", "check_submission.py"}
    assert {"README.md", "requirements.txt", *scripts} < names
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    for found in course().values():
        assert f"{found.name}/{found.name}.ipynb" in names
        assert f"`{found.name}/{found.name}.ipynb`" in text
    for private in ("BEGIN SOLUTION", "HIDDEN TESTS", "reference_impl", "autograder.checks"):
        assert private not in text
    assert "torch==" in (tmp_path / "requirements.txt").read_text()


@pytest.mark.parametrize("kind", ["student", "single", "site", "solutions"])
def test_what_somebody_tried_in_the_release_is_not_given_away(
    springs: Assignment, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(springs.release.parents[2], tmp_path / "root")
    monkeypatch.setattr(course_module, "ROOT", tmp_path / "root")
    monkeypatch.setattr(bundle, "_requirements", str)
    write = {
        "student": lambda: student_folder([springs], tmp_path / "given"),
        "single": lambda: single_notebooks([springs], tmp_path / "given"),
        "site": lambda: site_folder([springs], tmp_path / "given"),
        "solutions": lambda: solutions_folder(springs, tmp_path / "given"),
    }[kind]
    release = springs.release.parent
    for name in (".ipynb_checkpoints/springs-checkpoint.ipynb", ".springs.ipynb.swp", "mine.py"):
        (release / name).parent.mkdir(exist_ok=True)
        (release / name).write_text("return -stiffness * x", encoding="utf-8")
    write()
    names = {path.name for path in (tmp_path / "given").rglob("*")}
    for path in (tmp_path / "given").glob("*.zip"):
        names |= {Path(name).name for name in zipfile.ZipFile(path).namelist()}
    assert not names & {"springs-checkpoint.ipynb", ".springs.ipynb.swp", "mine.py"}
    notebook = json.loads(springs.release.read_bytes())
    stub = next(cell for cell in notebook["cells"] if cell["id"] == "spring_force")
    stub["source"] = "def spring_force(x, stiffness=1.0):\n    return -stiffness * x\n"
    springs.release.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(CourseError, match=r"springs\.ipynb was changed since it was built"):
        write()


def test_classrooms_workflow_runs_what_every_student_has(tmp_path: Path) -> None:
    """Public checks only: the repository belongs to the student, workflow included."""
    student_folder([load_assignment("backprop")], tmp_path)
    workflow = yaml.safe_load((tmp_path / ".github/workflows/classroom.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "pip install -r requirements.txt" in commands
    assert "python check_submission.py" in commands
    for secret in ("secrets.", "autograder", "reference", "hidden"):
        assert secret not in commands


def test_the_self_test_says_what_is_missing(tmp_path: Path) -> None:
    student_folder([load_assignment("backprop")], tmp_path)
    check = [sys.executable, "check_environment.py"]
    ready = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert (ready.returncode, ready.stdout.splitlines()[-1]) == (0, "Ready.")
    (tmp_path / "tqdm.py").write_text("raise ImportError('no tqdm here')")
    missing = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert missing.returncode == 1
    assert "tqdm cannot be imported: no tqdm here" in missing.stdout


ANYWHERE = {"numpy", "torch", "scipy", "sklearn", "matplotlib", "tqdm", "nbformat", "nbclient"}
OWN = {"coursekit", "figures", "public_checks", "check_environment", "check_submission"}
UNIX_ONLY = {
    *("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "curses"),
    *("fork", "SIGALRM", "SIGKILL", "alarm", "setitimer", "getuid", "geteuid", "mkfifo"),
}
TEXT_FILES = {"open", "read_text", "write_text"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The students' folder with all notebooks."""
    folder = tmp_path_factory.mktemp("whole")
    student_folder(list(course().values()), folder)
    return folder


def test_the_students_folder_is_for_any_system(whole: Path) -> None:
    for path in sorted(whole.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported, used = set(), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given = {keyword.arg for keyword in node.keywords}
                assert called not in TEXT_FILES or "encoding" in given, f"{path}:{node.lineno}"
        packages = {name.partition(".")[0] for name in imported}
        assert packages <= sys.stdlib_module_names | ANYWHERE | OWN | {"IPython"}, path
        assert not (packages | used) & UNIX_ONLY, path
        assert "tqdm.auto" not in imported, f"{path}: it asks for ipywidgets"


def test_what_is_pinned_is_there_for_the_oldest_python_that_is_promised() -> None:
    lines = (ROOT / ".constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line and line[0] != "#")
    found = [one for one in distributions() if pinned.get(one.name.lower()) == one.version]
    assert len(found) > 100
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = oldest["project"]["requires-python"].removeprefix(">=")
    wanting = {one.name: one.metadata.get("Requires-Python") for one in found}
    assert not {
        name: python
        for name, python in wanting.items()
        if python and not SpecifierSet(python).contains(f"{version}.0")
    }


def test_notebooks_are_valid_and_name_no_machine(whole: Path) -> None:
    for path in sorted(whole.glob("*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        text = path.read_text(encoding="utf-8")
        for foreign in ("ipywidgets", "tqdm.auto", "<script", "get_ipython"):
            assert foreign not in text, path
        for cell in notebook.cells:
            assert not re.search(r"^\s*[%!]", cell.source if cell.cell_type == "code" else "", re.M)


BARE = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios", "posix"):
    sys.modules[name] = None
import os, signal
for module, name in ((os, "fork"), (os, "getuid"), (signal, "SIGALRM"), (signal, "SIGKILL")):
    delattr(module, name)
sys.path.insert(0, "")
from coursekit.notebook import check, summary

def mse_loss(y_pred, y_true):
    return ((y_pred - y_true) ** 2).mean()

check("mse_loss")
summary()
"""


def test_checks_answer_where_unix_is_missing(whole: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        cwd=whole / "backprop",
        env=os.environ | {"PYTHONPATH": "", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    assert "3 of 3 public checks passed; hidden checks run at grading" in done.stdout
    assert f"1 of {len(load_assignment('backprop').exercises)} exercises written" in done.stdout


def test_the_guide_names_what_there_is(whole: Path) -> None:
    guide = (whole / "README.md").read_text(encoding="utf-8")
    for named in re.findall(r"\b[\w/]+\.(?:py|txt|ipynb)\b", guide):
        assert list(whole.rglob(Path(named).name)), named


@pytest.mark.parametrize(
    "place", ["backprop.ipynb", "work/my solution.ipynb", "repo/hw/1/backprop (1).ipynb", "zip"]
)
def test_on_gradescope_a_notebook_is_found_wherever_it_lies(place: str, tmp_path: Path) -> None:
    found = load_assignment("backprop")
    code = {e.name: reference_code(found, e.name) for e in found.exercises}
    release = json.loads(found.release.read_text(encoding="utf-8"))
    worked = json.dumps(demo.filled(release, code)).encode()
    (tmp_path / "secret.ipynb").write_bytes(b"{}")
    submission = tmp_path / "submission"
    (submission / ".git").mkdir(parents=True)
    (submission / ".git" / "backprop.ipynb").write_bytes(b"junk")
    (submission / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (submission / "repo").mkdir()
    (submission / "repo" / "cnn.ipynb").write_bytes(load_assignment("cnn").release.read_bytes())
    (submission / "repo" / "a.ipynb").write_bytes(found.release.read_bytes())
    if place == "zip":
        with zipfile.ZipFile(submission / "work.zip", "w") as zipped:
            zipped.writestr("deep/er/z.ipynb", worked)
    else:
        (submission / place).parent.mkdir(parents=True, exist_ok=True)
        (submission / place).write_bytes(worked)
    assert _find(submission, found)[0] == worked


def test_on_gradescope_a_lone_notebook_above_is_not_taken_for_the_one_below(tmp_path: Path) -> None:
    found = load_assignment("backprop")
    (tmp_path / "hw").mkdir()
    (tmp_path / "hw" / "backprop.ipynb").write_bytes(found.release.read_bytes())
    (tmp_path / "cnn.ipynb").write_bytes(load_assignment("cnn").release.read_bytes())
    assert _find(tmp_path, found)[1] == ["hw/backprop.ipynb was taken for backprop.ipynb"]
    (tmp_path / "hw" / "backprop.ipynb").unlink()
    with pytest.raises(SubmissionError, match=r"cnn\.ipynb is the notebook of cnn"):
        _find(tmp_path, found)


def test_on_gradescope_folders_without_end_are_the_students_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand, one in another, ended the grader; many beside each other had no limit."""
    found = load_assignment("backprop")
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        os.mkdir("a")
        os.chdir("a")
    Path("backprop.ipynb").write_bytes(b"{}")
    assert _find(tmp_path, found)[0] == b"{}"
    monkeypatch.undo()
    remove(str(tmp_path / "a"))
    for number in range(2100):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(SubmissionError, match="more than"):
        _find(tmp_path, found)
    (tmp_path / "mine.ipynb").write_bytes(found.release.read_bytes())
    assert _find(tmp_path, found)[1] == ["mine.ipynb was taken for backprop.ipynb"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("backprop.ipynb", "/etc/passwd", "is a link"),
        ("all.zip", b"PK\3\4broken", r"all\.zip: cannot be read"),
        ("", b"", "the folder is empty"),
        ("notes.txt", b"", "no notebook among notes"),
    ],
)
def test_on_gradescope_the_cause_is_named(
    name: str, content: str | bytes, why: str, tmp_path: Path
) -> None:
    if isinstance(content, str):
        (tmp_path / name).symlink_to(content)
    elif name:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SubmissionError, match=why):
        _find(tmp_path, load_assignment("backprop"))


def test_gradescopes_set_up_brings_a_python_that_fits(tmp_path: Path) -> None:
    """Run with programs that only say what they were asked: on an image with 3.10, and on 3.12."""
    archive = gradescope_archive(load_assignment("backprop"), tmp_path / "new" / "a.zip")
    with zipfile.ZipFile(archive) as zipped:
        script = zipped.read("setup.sh").decode()
    home = tmp_path / "autograder"
    (home / "source").mkdir(parents=True)
    script = script.replace("/autograder/", f"{home}/")
    tool = '#!/bin/sh\necho "$(basename "$0") $*" >> "$LOG"\n'
    makes = 'for p in pip uv python; do mkdir -p "$3/bin"; cp "$TOOL" "$3/bin/$p"; done\n'
    for version, brought in ((10, True), (12, False)):
        tools = tmp_path / str(version)
        tools.mkdir()
        python = f'{tool}[ "$1" = -c ] && exit {int(version < 11)}\n{makes}'
        uv = f'{tool}for last; do :; done\nmkdir -p "$last/bin"\ncp "$0" "$last/bin/pip"; '
        uv += 'cp "$0" "$last/bin/python"\nexit 0\n'
        for name, text in (("apt-get", tool), ("python3", python), ("tool", uv)):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        log = tools / "log"
        done = subprocess.run(
            ["bash", "-c", script],
            env={"PATH": f"{tools}:/usr/bin:/bin", "LOG": str(log), "TOOL": str(tools / "tool")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        lines = log.read_text().splitlines()
        assert any(line.startswith("uv venv") for line in lines) == brought, lines
        assert any("--editable ." in line for line in lines)


@pytest.mark.slow
def test_gradescopes_archive_grades_in_folders_like_gradescopes(tmp_path: Path) -> None:
    found = load_assignment("backprop")
    home = tmp_path / "autograder"
    archive = gradescope_archive(found, tmp_path / "autograder.zip")
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(home / "source")
        modes = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
    assert modes["run_autograder"] & 0o111
    salt = (home / "source" / ".autograder_salt").read_bytes()
    assert re.fullmatch(rb"[0-9a-f]{32}", salt), "hidden inputs that no other course has"
    script = (home / "source" / "run_autograder").read_text()
    release = json.loads(found.release.read_text(encoding="utf-8"))
    code = {e.name: reference_code(found, e.name) for e in found.exercises}
    code["mse_loss"] = "def mse_loss(y_pred, y_true):\n    return np.sum((y_pred - y_true) ** 2)\n"
    (home / "submission").mkdir()
    notebook = json.dumps(demo.filled(release, code))
    (home / "submission" / "backprop (1).ipynb").write_text(notebook)
    for module in ("autograder", "msgspec", "torch"):  # wherever the platform starts it
        (home / "submission" / f"{module}.py").write_text("raise SystemExit('a student was here')")
    source = home / "source"
    command = script.splitlines()[-1].removeprefix("exec /autograder/venv/bin/python ").split()
    done = subprocess.run(
        [sys.executable, *command, "--home", str(home)],
        cwd=home / "submission",
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(source), f"{source}/assignments"])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (home / "source" / ".autograder_salt").read_bytes() == salt
    results = json.loads((home / "results" / "results.json").read_text())
    scores = {test["name"]: test["score"] for test in results["tests"]}
    assert results["score"] == pytest.approx(sum(scores.values()))
    assert scores["mse_loss"] < found.exercise("mse_loss").points
    right = {e.name: e.points for e in found.exercises if e.name != "mse_loss"}
    assert right.items() <= scores.items(), "train uses mse_loss, and is right itself"
    assert "backprop (1).ipynb was taken for" in results["output"]
    assert str(ROOT) not in json.dumps(results)


def test_the_site_is_made_of_handouts_and_nothing_private(tmp_path: Path) -> None:
    paths = {path.name: path for path in site_folder(list(course().values()), tmp_path)}
    pages = {
        "index.md",
        "guide.md",
        "checks.md",
        "_config.yml",
        "_toc.yml",
        "mathml.py",
        "site.css",
    }
    assert set(paths) == pages | {f"{n}.{kind}" for n in course() for kind in ("ipynb", "zip")}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths.values())
    text = "\n".join(paths[name].read_text(encoding="utf-8") for name in pages)
    for found in course().values():
        assert paths[f"{found.name}.ipynb"].read_bytes() == found.release.read_bytes()
        assert f"[{found.title}]({found.name}.ipynb)" in text
        for private in (found.reference, found.hidden_checks):
            lines = private.read_text(encoding="utf-8").splitlines()
            assert not [line for line in lines if len(line) > 30 and line.strip() in text]


def test_the_site_is_released_week_by_week_as_folders(tmp_path: Path) -> None:
    def release(*words: str) -> set[str]:
        CliRunner().invoke(app, ["bundle", "site", "--output", str(tmp_path), *words])
        return {path.stem for path in tmp_path.glob("*.ipynb")}

    names = list(course())
    assert release() == set(names)
    assert release("--until", names[1]) == set(names[:2]), "what is not released yet stays out"
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert f"{names[1]}.zip" in index
    assert names[2] not in index + (tmp_path / "_toc.yml").read_text(encoding="utf-8")
    with zipfile.ZipFile(tmp_path / f"{names[0]}.zip") as zipped:
        released = (ROOT / "release" / names[0]).rglob("*")
        files = {path for path in released if path.is_file() and "__pycache__" not in path.parts}
        assert set(zipped.namelist()) == {str(p.relative_to(ROOT / "release")) for p in files}


@pytest.mark.parametrize("name", course())
def test_solutions_hold_answers_and_no_hidden_check(name: str, tmp_path: Path) -> None:
    found = load_assignment(name)
    paths = {str(p.relative_to(tmp_path)): p for p in solutions_folder(found, tmp_path)}
    beside = {str(p.relative_to(found.release.parent)) for p in files_of(found.release.parent)}
    assert set(paths) == beside - {f"{name}.ipynb"} | {f"{name}_solutions.ipynb"}
    data = paths[f"{name}_solutions.ipynb"].read_bytes()
    notebook = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(notebook)
    cells = {cell.id: cell for cell in notebook.cells}
    for exercise in found.exercises:
        assert ast.dump(ast.parse(cells[exercise.name].source)) == ast.dump(
            ast.parse(reference_code(found, exercise.name))
        ), f"{exercise.name} is not the course's own answer"
        others = instructive(found, exercise)
        known = alternatives(found, exercise.name)
        assert len(others) == min(2, len(known)) or len(known) > 2
        text = cells[f"also_{exercise.name}"].source if others else ""
        assert [one for one in others if one.code.rstrip() not in text] == []
    for private in (b"BEGIN", b"HIDDEN", b"autograder", b"nbgrader"):
        assert private not in data
    source = json.loads(found.source.read_bytes())["cells"]
    prose = "\n".join("".join(c["source"]) for c in source if c["cell_type"] == "markdown")
    (guide,) = re.findall(r"### BEGIN SOLUTION\n(.*?)### END", prose, re.DOTALL)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert not [line for line in guide.splitlines() if len(line) > 45 and line in text]
    hidden = re.findall(r"def (test_\w+)", found.hidden_checks.read_text(encoding="utf-8"))
    assert not [check for check in hidden if check in text]
