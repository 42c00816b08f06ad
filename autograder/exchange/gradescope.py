"""Gradescope: an autograder for its container, and results as it reads them.

The archive holds the whole grader, answers included, and is for instructors only.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from string import Template
from typing import Any

from autograder.course import ROOT, Assignment
from autograder.errors import CageError, SubmissionError
from autograder.files import plain, write_atomically
from autograder.grading.executors import judges
from autograder.grading.job import Job
from autograder.grading.run import SALT, course_salt, new_salt, variant
from autograder.judging.submission import find_notebook
from autograder.results import ExerciseResult, Result

from .bundle import files_of

_TEMPLATES = Path(__file__).resolve().parent / "templates" / "bundle"
_PARTS = ("assignments", "autograder", "reference_impl", "release")
_FILES = ("pyproject.toml", ".constraints.txt", "README.md")


def gradescope_archive(assignment: Assignment, archive: Path) -> Path:
    """An autograder for Gradescope: everything under /autograder/source of its container, and a
    salt of its own."""
    parts = [path for part in _PARTS for path in files_of(ROOT / part)]
    parts += [ROOT / name for name in _FILES]
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


def gradescope(result: Result) -> dict[str, Any]:
    """One result as Gradescope reads it. Of hidden checks nothing but their messages is told."""
    return {
        "score": result.points,
        # Without second passes: how long they take is a student's to choose.
        "execution_time": round(result.seconds - result.again_seconds),
        "output": "\n".join([plain(line) for line in (result.message, *result.notes) if line]),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": exercise.name,
                "score": exercise.points,
                "max_score": exercise.max_points,
                "output": _told(exercise),
                "visibility": "visible",
            }
            for exercise in result.exercises
        ],
    }


def _told(exercise: ExerciseResult) -> str:
    hint = f"hint: {exercise.hint}" if exercise.hint else ""
    said = filter(None, (exercise.remark, exercise.message, hint))
    return plain("\n".join(said)) or exercise.status
