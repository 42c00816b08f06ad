"""Gradescope: an autograder for its container, and results as it reads them.

The archive holds the whole grader, answers included, and is for instructors only.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

from autograder.course import ROOT, Assignment
from autograder.errors import CageError, SubmissionError
from autograder.files import make_folder, nearest, plain, shown, write_atomically
from autograder.judging.notebook_file import find_notebook
from autograder.records.gradebook import Mark
from autograder.results import ExerciseResult, Result

from .archive import MAX_INNER_MEMBERS, File, at_most, is_junk, opened, readable
from .bundle import files_of
from .choice import choose

_TEMPLATES = Path(__file__).resolve().parent / "templates" / "bundle"
_PARTS = ("assignments", "autograder", "reference_impl", "release")
_FILES = ("pyproject.toml", ".constraints.txt", "README.md")


def gradescope_archive(assignment: Assignment, archive: Path) -> Path:
    """An autograder for Gradescope: everything under /autograder/source of its container, and a
    salt of its own."""
    from autograder.grading.folder import SALT, new_salt

    parts = [path for part in _PARTS for path in files_of(ROOT / part)]
    parts += [ROOT / name for name in _FILES]
    make_folder(archive.parent)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as zipped:
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
    from autograder.grading.executors import judges
    from autograder.grading.folder import course_salt, variant
    from autograder.grading.job import Job

    salt = course_salt(ROOT)
    if assignment.variants:
        data = json.loads((home / "submission_metadata.json").read_bytes())
        salt = variant(salt, " ".join(sorted(user["email"] for user in data["users"])))
    job = Job(assignment=assignment.name, student="submission", notebook=None, salt=salt)
    try:
        job.notebook, job.notes = _find(home / "submission", assignment)
    except SubmissionError as error:
        job.problem = str(error)
    result = judges("landlock").grade(job)
    if result.status == "grader_error":
        raise CageError(result.message)
    data = json.dumps(gradescope(result), indent=1).encode()
    write_atomically(home / "results" / "results.json", data)


def _find(submission: Path, assignment: Assignment) -> tuple[bytes, list[str]]:
    """The notebook by its name, else by what is in it: also in a folder, in a zip or somewhere in a
    repository, beside others."""
    alone: tuple[bytes, list[str]] | None = None
    nothing = ""
    try:
        alone = find_notebook(submission, assignment.name)
        if not alone[1]:
            return alone
    except SubmissionError as error:
        nothing = str(error)
    try:
        files, trouble = _files_in(submission)
    except SubmissionError:
        if alone is None:
            raise
        return alone  # among more files than are looked into
    chosen = choose(files, assignment)
    if chosen.data is None:
        raise SubmissionError("; ".join(trouble) or (chosen.why if files else nothing))
    return chosen.data, [f"{chosen.shown} was taken for {assignment.name}.ipynb"]


def _files_in(folder: Path) -> tuple[list[File], list[str]]:
    """A submission's files, those of archives among them too, and which archives cannot be read;
    no link is followed."""
    found: list[File] = []
    queue: list[tuple[str, ...]] = [()]
    seen = 0
    while queue:
        below = queue.pop()
        try:
            entries = [e for e in os.scandir(folder.joinpath(*below)) if not is_junk(e.name)]
        except OSError as error:
            raise SubmissionError(f"a folder cannot be read ({error.strerror})") from None
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = (*below, entry.name)
            if entry.is_dir(follow_symlinks=False):
                queue.append(path)
            elif entry.is_file(follow_symlinks=False):
                read = _reader(Path(entry.path))
                found.append(File(path, shown("/".join(path)), None, False, read))
        seen += len(entries)
        if seen > MAX_INNER_MEMBERS:
            raise SubmissionError(f"there are more than {MAX_INNER_MEMBERS} files; hand in one")
    return opened(found)


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with readable(), path.open("rb") as file:
            return at_most(most, file)

    return read


def gradescope(result: Result, mark: Mark | None = None) -> dict[str, Any]:
    """One result as Gradescope reads it. Of hidden checks nothing but their messages is told.

    With `mark` the score is the gradebook's, and the text says how it came about.
    """
    points = own = {exercise.name: exercise.points for exercise in result.exercises}
    total, story, said = result.points, list[str](), dict[str, str]()
    if mark is not None:
        points = own | {name: given for name, given in mark.exercises.items() if given is not None}
        total = result.points if mark.total is None else mark.total
        story, said = mark.story, mark.comments
    others = [f"{name}: {text}" for name, text in said.items() if name not in own]
    lines = (*story, *others, result.message, *result.notes)
    return {
        "score": total,
        # Without second passes: how long they take is a student's to choose.
        "execution_time": round(result.seconds - result.again_seconds),
        "output": "\n".join([plain(line) for line in lines if line]),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": exercise.name,
                "score": nearest(points[exercise.name]),
                "max_score": exercise.max_points,
                "output": _told(exercise, said.get(exercise.name, "")),
                "visibility": "visible",
            }
            for exercise in result.exercises
        ],
    }


def _told(exercise: ExerciseResult, comment: str) -> str:
    hint = f"hint: {exercise.hint}" if exercise.hint else ""
    said = filter(None, (comment, exercise.remark, exercise.message, hint))
    return plain("\n".join(said)) or exercise.status
