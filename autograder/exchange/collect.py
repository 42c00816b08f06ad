"""Submissions out of an archive: Moodle's, Canvas' and Gradescope's downloads, or a zip of folders.

Nothing in the archive decides where a file is written: of a name only the student's id is
taken, and what is written is `submitted/<student>/<assignment>/<assignment>.ipynb`.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import yaml
from coursekit.ipynb import MAX_BYTES

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import plain, write_atomically
from autograder.grading.run import usable_id

MAX_MEMBERS = 100_000
_MOODLE = re.compile(r"(?P<name>[^/]+)_(?P<number>\d+)_assignsubmission_file_?")
_CANVAS = re.compile(r"(?P<name>[^_/]+)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<file>[^/]+)")

_METADATA = "submission_metadata.yml"  # Gradescope's list of who handed in what

_DAMAGE = (CourseError, zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError)


class Collected(NamedTuple):
    """What became of an archive: students whose work was written, and what was left out, why."""

    written: list[str]
    left_out: list[str]


class _Found(NamedTuple):
    student: str
    file: str
    member: zipfile.ZipInfo


def collect(
    archive: Path, assignment: Assignment, course_dir: Path, replace: bool = False
) -> Collected:
    """Writes every student's notebook; a submission that is there stays unless `replace`."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            return _collected(zipped, assignment, course_dir, replace)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, IndexError) as error:
        raise CourseError(f"{archive} cannot be read as a zip archive: {error}") from None
    except FileNotFoundError:
        raise CourseError(f"{archive} does not exist") from None


def _collected(
    zipped: zipfile.ZipFile, assignment: Assignment, course_dir: Path, replace: bool
) -> Collected:
    members = zipped.infolist()
    if len(members) > MAX_MEMBERS:
        raise CourseError(f"the archive has {len(members)} files; at most {MAX_MEMBERS} are read")
    found: dict[str, list[_Found]] = {}
    result = Collected([], [])
    names = _submitters(zipped, members)
    for one in _notebooks(members, names, result.left_out):
        found.setdefault(one.student, []).append(one)
    for student, several in sorted(found.items()):
        chosen = _choose(several, assignment)
        for other in several:
            if other is not chosen:
                result.left_out.append(f"{_shown(other.member)}: {student} has another notebook")
        place = course_dir / "submitted" / student / assignment.name / f"{assignment.name}.ipynb"
        try:
            data = _read(zipped, chosen.member)
        except _DAMAGE as error:
            result.left_out.append(f"{_shown(chosen.member)}: {plain(str(error))}")
            continue
        if place.exists() and not replace:
            if place.read_bytes() != data:
                result.left_out.append(f"{_shown(chosen.member)}: {student} has handed in already")
            continue
        write_atomically(place, data)
        result.written.append(student)
    return result


def _submitters(
    zipped: zipfile.ZipFile, members: list[zipfile.ZipInfo]
) -> dict[PurePosixPath, str]:
    """Students by their folders in Gradescope's export; of a group the first member.

    Only a list that lies above every other file is Gradescope's; others come from students.
    """
    paths = [PurePosixPath(member.filename) for member in members]
    found: dict[PurePosixPath, str] = {}
    for path, member in zip(paths, members, strict=True):
        root = path.parent
        if path.name != _METADATA or not all(other.is_relative_to(root) for other in paths):
            continue
        try:
            table = yaml.safe_load(_read(zipped, member))
        except (*_DAMAGE, yaml.YAMLError, ValueError, RecursionError) as error:
            raise CourseError(f"{_METADATA} in the archive cannot be read: {error}") from None
        for folder, entry in table.items() if isinstance(table, dict) else ():
            people = entry.get(":submitters") if isinstance(entry, dict) else None
            first = people[0] if isinstance(people, list) and people else None
            ids = [first.get(k) for k in (":sid", ":email")] if isinstance(first, dict) else []
            found[root / str(folder)] = str(next(filter(None, ids), folder))
    return found


def _notebooks(
    members: list[zipfile.ZipInfo], names: dict[PurePosixPath, str], left_out: list[str]
) -> Iterator[_Found]:
    """The archive's notebooks with their students; what cannot be one goes to `left_out`."""
    for member in members:
        path = PurePosixPath(member.filename)
        hidden = path.name.startswith(".") or "__MACOSX" in path.parts
        if member.is_dir() or hidden or path.suffix.lower() != ".ipynb":
            continue
        if ".ipynb_checkpoints" in path.parts:
            continue
        if stat.S_ISLNK(member.external_attr >> 16):
            left_out.append(f"{_shown(member)}: a link, not a file")
            continue
        student, file = _student(path, names)
        if not usable_id(student):
            left_out.append(f"{_shown(member)}: its name tells no student")
            continue
        yield _Found(student, file, member)


def _student(path: PurePosixPath, names: dict[PurePosixPath, str]) -> tuple[str, str]:
    """Whose notebook this is, and the name that it had; `names` are Gradescope's."""
    for folder in path.parents:
        if folder in names:
            return names[folder], path.name
    parts = [part for part in path.parts if part != "/"]
    if "submitted" in parts[:-2]:
        parts = parts[parts.index("submitted") + 1 :]
    for number, part in enumerate(parts):
        if moodle := _MOODLE.match(part):
            file = parts[-1] if number + 1 < len(parts) else part[moodle.end() :]
            return f"{_slug(moodle['name'])}-{moodle['number']}", file
    if canvas := _CANVAS.fullmatch(parts[-1]):
        return f"{_slug(canvas['name'])}-{canvas['number']}", canvas["file"]
    return (parts[0] if len(parts) > 1 else ""), parts[-1]


def _slug(name: str) -> str:
    return "_".join(name.lower().split())


def _choose(several: list[_Found], assignment: Assignment) -> _Found:
    """The one with the assignment's name, else the last in the archive."""
    named = [one for one in several if one.file == f"{assignment.name}.ipynb"]
    return (named or several)[-1]


def _read(zipped: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """At most MAX_BYTES, whatever the archive says of its own sizes."""
    with zipped.open(member) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise CourseError(f"larger than {MAX_BYTES >> 20} MB")
    return data


def _shown(member: zipfile.ZipInfo) -> str:
    """The member's name in one line."""
    return plain(member.filename).replace("\n", "\ufffd")[:120]
