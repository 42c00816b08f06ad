"""What is given away: the students' folder, the site, and an autograder for Gradescope.

The students' folder and the site hold the released notebooks and nothing private. Gradescope's
archive holds the whole grader and is for instructors only.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from string import Template

from autograder.course import ROOT, Assignment
from autograder.errors import CageError, CourseError, SubmissionError
from autograder.files import write_atomically
from autograder.grading.executors import judges
from autograder.grading.job import Job
from autograder.grading.run import SALT, course_salt, new_salt, variant
from autograder.judging.submission import find_notebook

from .export import gradescope

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
_STUDENT_PACKAGES = ("numpy", "torch", "scipy", "scikit-learn", "matplotlib", "tqdm", "jupyterlab")
_GRADER_PARTS = ("assignments", "autograder", "reference_impl", "release")
_GRADER_FILES = ("pyproject.toml", ".constraints.txt", "README.md")


def student_folder(assignments: list[Assignment], folder: Path) -> list[Path]:
    """Writes the notebooks of these assignments, a guide, requirements and a self-test."""
    files: dict[str, bytes] = {}
    for assignment in assignments:
        if not assignment.release.is_file():
            raise CourseError(f"{assignment.name} is not built: run `autograder build` first")
        for path in _files_of(assignment.release.parent):
            files[str(path.relative_to(ROOT / "release"))] = path.read_bytes()
    files["README.md"] = _guide(assignments)
    files[".github/workflows/classroom.yml"] = (_TEMPLATES / "classroom.yml").read_bytes()
    files["requirements.txt"] = _requirements().encode()
    for script in ("check_environment.py", "check_submission.py"):
        files[script] = (_TEMPLATES / script).read_bytes()
    for name, data in files.items():
        write_atomically(folder / name, data)
    return [folder / name for name in files]


def _guide(assignments: list[Assignment]) -> bytes:
    table = "\n".join(f"| `{a.name}/{a.name}.ipynb` | {a.title} |" for a in assignments)
    guide = Template((_TEMPLATES / "README.md").read_text(encoding="utf-8"))
    return guide.substitute(notebooks=table).encode()


def site_folder(assignments: list[Assignment], folder: Path) -> list[Path]:
    """Writes what a Jupyter Book of the handouts is built from; `make site` builds it.

    Of the course it takes the released notebooks and the students' guide, nothing else.
    """
    files = {path.name: path.read_bytes() for path in _files_of(_SITE)}
    files["guide.md"] = _guide(assignments)
    for assignment in assignments:
        files[f"{assignment.name}.ipynb"] = assignment.release.read_bytes()
    rows = [
        f"| [{a.title}]({a.name}.ipynb) | {len(a.exercises)} "
        f"| {sum(exercise.minutes for exercise in a.exercises)} |"
        for a in assignments
    ]
    files["index.md"] = files["index.md"].replace(b"$notebooks", "\n".join(rows).encode())
    chapters = "".join(f"  - file: {a.name}\n" for a in assignments)
    files["_toc.yml"] = f"{_CONTENTS}{chapters}".encode()
    for name, data in files.items():
        write_atomically(folder / name, data)
    return [folder / name for name in files]


def _requirements() -> str:
    """The course's versions of what a student needs."""
    pins = dict(
        line.split("==")
        for line in (ROOT / ".constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    return "".join(f"{name}=={pins[name]}\n" for name in _STUDENT_PACKAGES)


def _files_of(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def gradescope_archive(assignment: Assignment, archive: Path) -> Path:
    """An autograder for Gradescope: everything under /autograder/source of its container, and a
    salt of its own."""
    parts = [path for part in _GRADER_PARTS for path in _files_of(ROOT / part)]
    parts += [ROOT / name for name in _GRADER_FILES]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in parts:
            zipped.write(path, path.relative_to(ROOT))
        for name in ("setup.sh", "run_autograder"):
            text = Template((_TEMPLATES / name).read_text(encoding="utf-8"))
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            zipped.writestr(info, text.substitute(name=assignment.name))
        zipped.writestr(SALT, new_salt())
    return archive


def run_gradescope(assignment: Assignment, home: Path) -> None:
    """Grades `home`/submission and writes `home`/results/results.json, as Gradescope wants it.

    Its containers allow no namespaces, so that a weaker cage than bubblewrap's is accepted. A
    fault of the grader writes no result: Gradescope then says that the autograder failed.
    """
    salt = course_salt(ROOT)
    if assignment.variants:
        data = json.loads((home / "submission_metadata.json").read_bytes())
        salt = variant(salt, " ".join(sorted(user["email"] for user in data["users"])))
    job = Job(assignment=assignment.name, student="submission", notebook=None, salt=salt)
    try:
        job.notebook, job.notes = find_notebook(home / "submission", assignment.name)
    except SubmissionError as error:
        job.problem = str(error)
    result = judges("landlock").grade(job)
    if result.status == "grader_error":
        raise CageError(result.message)
    data = json.dumps(gradescope(result), indent=1).encode()
    write_atomically(home / "results" / "results.json", data)
