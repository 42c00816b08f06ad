"""A course's folder as the grader finds it: who handed in, what, and the salt; and its lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError, Unreachable
from autograder.files import in_turn, remove_unfinished, share, usable_id, write_atomically
from autograder.judging.notebook_file import find_notebook
from autograder.results import dropped, handed_in, submitted

from .job import Job

SALT = ".autograder_salt"


def students(course_dir: Path, assignment: Assignment) -> list[str]:
    """Who handed in and can be graded, in order; CourseError where there is no `submitted/`."""
    folder = course_dir / "submitted"
    if not folder.is_dir():
        raise CourseError(
            f"{folder} does not exist; submissions belong in "
            f"{folder}/<student>/{assignment.name}/{assignment.name}.ipynb"
        )
    return sorted(filter(usable_id, handed_in(course_dir, assignment.name)))


def not_looked_at(course_dir: Path, assignment: Assignment) -> list[str]:
    """Folders in `submitted` in which nothing can be graded, as they can be shown, and why."""
    found, left = [], dropped(course_dir)
    for path in sorted(course_dir.glob("submitted/*")):
        if path.name in left:
            continue
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            found.append(f"{path.name!a}: this user may not look into it")
        elif not usable_id(path.name) and os.path.lexists(path / assignment.name):
            found.append(
                f"{path.name!a}: the folder's name is no student's id (too long, or not plain "
                "text); rename it and grade again"
            )
    return found


def read_job(
    course_dir: Path, assignment: Assignment, student: str, salt: str, folder: Path | None = None
) -> Job:
    """What a student handed in, or what lies in `folder` of theirs, as a job; a missing notebook is
    a job with a problem."""
    if assignment.variants:
        salt = variant(salt, student)
    job = Job(assignment=assignment.name, student=student, notebook=None, salt=salt)
    try:
        folder = folder or submitted(course_dir, student, assignment.name)
        job.notebook, job.notes = find_notebook(folder, assignment.name)
    except SubmissionError as error:
        job.problem, job.fault = str(error), isinstance(error, Unreachable)
    return job


def variant(salt: str, student: str) -> str:
    """The salt from which this student's hidden inputs are drawn, and nobody else's."""
    return hashlib.sha256(f"{salt}\0{student}".encode()).hexdigest()


def new_salt() -> str:
    return secrets.token_hex(16)


def course_salt(course_dir: Path) -> str:
    """The course's own secret, from which hidden inputs are drawn; made where no course was before.

    A copy lies in `results`, whose marks were given under it, and goes where they go. Another salt
    would judge the whole class anew, so that one that cannot be read is an error.
    """
    with in_turn(course_dir):  # nbgrader's `autograde` asks without the course's lock
        return _salt_of(course_dir)


def _salt_of(course_dir: Path) -> str:
    path, copy = course_dir / SALT, course_dir / "results" / SALT
    salt, kept = _read_salt(path), _read_salt(copy)
    if salt and kept and salt != kept:
        raise CourseError(
            f"{path} and {copy} differ: the results were given under another salt than this "
            f"course's. Keep the file that belongs to the results, and remove the other"
        )
    if not salt and not kept and (before := _course_before(course_dir)):
        raise CourseError(
            f"{path} is gone, and {before} holds marks that were given under it: with another one "
            "the whole class would be judged anew. Bring the file back from where the course was "
            f"before; if the marks may change, put `openssl rand -hex 16` into it"
        )
    found = salt or kept or new_salt()
    graded_here = any((course_dir / name).is_dir() for name in ("submitted", "results"))
    for place, known in ((path, salt), *([(copy, kept)] if graded_here else [])):
        if not known:
            write_atomically(place, found.encode() + b"\n", private=True)
    return found


def _read_salt(path: Path) -> str:
    """ "" where there is no file; CourseError for one that cannot be read."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        owner = f"; it belongs to {_owner(path)}, who can give it to the folder's group"
        raise CourseError(
            f"{path} cannot be read ({error.strerror}){owner}. It decides the hidden inputs: "
            "nothing was graded"
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise CourseError(
            f"{path} is damaged: it should hold 32 hexadecimal digits. Bring it back from a backup "
            f"or from {SALT} in the folder `results` or above it, and remove the damaged one"
        )
    return text


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (OSError, KeyError):
        return "another user"


def _course_before(course_dir: Path) -> str:
    """What says that this course has been graded before; "" if nothing does."""
    for graded in ("results/*/*.json", "autograded/*/*/*.ipynb"):  # whatever database it has
        if any(course_dir.glob(graded)):
            return graded.partition("/")[0]
    path = course_dir / "gradebook.db"
    if path.is_file():  # it may have come with a roster alone
        address = f"{path.absolute().as_uri()}?mode=ro"
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(address, uri=True)) as database,
        ):
            query = "SELECT 1 FROM grade WHERE auto_score IS NOT NULL LIMIT 1"
            return "gradebook.db" if database.execute(query).fetchone() else ""
    return ""


@contextlib.contextmanager
def only_grader(course_dir: Path) -> Iterator[None]:
    """Keeps a second grader off the same course while this one writes."""
    path = course_dir / ".autograder_lock"
    try:
        file = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)  # enough to lock it, for each user
    except OSError as error:
        raise CourseError(f"{path} cannot be opened ({error.strerror})") from None
    try:
        share(path)
        _lock(file, course_dir)
        for name in ("results", "autograded", "feedback"):
            remove_unfinished(course_dir / name)
        yield
        for path in course_dir.glob("gradebook.db*"):
            share(path)
    finally:
        os.close(file)


def _lock(file: int, course_dir: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CourseError(
            f"another grader is at work on {course_dir}; wait for it, or end it"
        ) from None
    except OSError as error:
        raise CourseError(
            f"{course_dir} cannot be locked ({error.strerror}): it lies on "
            f"{_file_system(course_dir)}, which has no locks, so that a second grader could not be "
            "kept off. Grade in a copy on a local disk"
        ) from None


def _file_system(folder: Path) -> str:
    """Its kind and where it is mounted, as far as the system tells."""
    found = "a file system"
    with contextlib.suppress(OSError):
        here = folder.resolve()
        for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            _, place, kind, *_ = line.split(" ")
            place = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), place)
            if here == Path(place) or Path(place) in here.parents:
                found = f"a file system of the kind {kind}, mounted at {place}"
    return found
