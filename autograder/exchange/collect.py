"""Submissions out of an archive: a learning platform's download, or a zip of folders.

Everyone in the archive is accounted for: written, there already, or named with the reason.
Nothing in it decides where a file is written: of a name only the student's id is taken
(`layouts`), of the files only the notebook (`choice`), and what is written is
`submitted/<student>/<assignment>/<assignment>.ipynb` with the time at which it came in.
"""

from __future__ import annotations

import contextlib
import errno
import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from coursekit.ipynb import without_outputs

from autograder.course import Assignment, course
from autograder.errors import CourseError
from autograder.files import in_the_way, in_turn, plain, shown, write_atomically
from autograder.records import collected as records
from autograder.records import history
from autograder.records.gradebook import Recorder, has_gradebook
from autograder.records.gradebook.students import Known, Person
from autograder.records.gradebook.times import TIMESTAMP, submission_time
from autograder.results import dropped, submitted

from .archive import is_archive, listing, opened
from .arrival import arrivals, course_zone
from .choice import Chosen, choose
from .layouts import MAX_ROOTS, OWN, Handed, layout, perhaps_a_class
from .roster import recognise

MAX_ARCHIVE = 512 * 2**20
"""Of an archive that is alone in another one."""


class Collected(NamedTuple):
    """What became of an archive's people: ids, and what was left out, why."""

    written: list[str]
    left_out: list[str]
    unchanged: list[str]
    """Who had handed in the same file before."""
    remarks: list[str]
    """What an instructor should know of those that were written."""


def collect(
    archive: Path, assignment: Assignment, course_dir: Path, replace: bool = False
) -> Collected:
    """Writes every student's notebook; a submission that is there stays unless `replace`."""
    try:
        made = datetime.fromtimestamp(archive.stat().st_mtime, UTC)
        with zipfile.ZipFile(archive) as zipped:
            return _Collection(assignment, course_dir, replace).take(zipped, made)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, IndexError, EOFError) as error:
        raise CourseError(f"{archive} cannot be read as a zip archive: {error}") from None
    except FileNotFoundError:
        raise CourseError(f"{archive} does not exist") from None
    except IsADirectoryError:
        raise CourseError(
            f"{archive} is a folder: give the zip archive as the platform made it, or zip it again"
        ) from None


class _Collection:
    def __init__(self, assignment: Assignment, course_dir: Path, replace: bool) -> None:
        self.assignment = assignment
        self.course_dir = course_dir
        self.replace = replace
        self.zone = course_zone(course_dir)
        self.outcome = Collected([], [], [], [])
        self.before = records.collected(course_dir, assignment.name).students
        self.told, self.settled = records.Collected(), set[str]()
        self.people: list[Known] = []

    def take(self, zipped: zipfile.ZipFile, made: datetime, deep: int = MAX_ROOTS) -> Collected:
        roster: dict[str, Person] = {}
        if has_gradebook(self.course_dir):
            roster = Recorder(self.course_dir, [self.assignment]).everyone()
        held, there = listing(zipped), _students(self.course_dir) | roster.keys()
        found = layout(held, self.assignment, there, self.zone)
        lone = held.files[0] if deep and len(held.files) == 1 else None
        if lone and len(lone.path) == 1 and is_archive(lone.name) and found.system == "folders":
            with zipfile.ZipFile(io.BytesIO(lone.read(MAX_ARCHIVE))) as within:
                return self.take(within, made, deep - 1)
        told, of_times = arrivals(found, made, self.zone)
        remarks = self.outcome.remarks
        remarks += perhaps_a_class(found, there)
        remarks += recognise(found, roster, there, self.course_dir, self.assignment)
        remarks += of_times
        self.outcome.left_out.extend(plain(line) for line in found.strays)
        for handed in sorted(found.people, key=lambda handed: handed.label):
            self._take(found.system, handed, told.get(handed.label))
        with in_turn(self.course_dir):
            records.save(self.course_dir, self.assignment.name, self.told, self.settled)
        if any(known.told for known in self.people):
            Recorder(self.course_dir, [self.assignment]).know(self.people)
        self.outcome.written.sort()
        left = dropped(self.course_dir)
        gone = [student for student in self.outcome.written if student in left]
        remarks += [f"{student}: has left the course and is not graded" for student in gone]
        return self.outcome

    def _take(self, system: str, handed: Handed, told: datetime | None) -> None:
        """One person, or one group."""
        label = shown(handed.label)
        attempts, nothing = self._attempts(handed)
        chosen = attempts[-1][1] if attempts else Chosen(None, why=nothing)
        if not handed.members or chosen.data is None:
            # By the id, where there is one: the next file of the same student has another name.
            ids = [member.student for member in handed.members] or [*map(shown, handed.told), label]
            self._leave_out(label, ids[0], plain(handed.why or chosen.why))
            return
        if handed.why:
            self.outcome.left_out.append(f"{label}: {plain(handed.why)}")
        time = handed.times.get(attempts[-1][0]) or told
        remarks = []
        if handed.late:
            when = "" if time else " and does not say when"
            remarks.append(f"{system} marks it late{when}")
        if nothing:
            before = "the newest attempt has no notebook, and the one before it is taken"
            remarks.append(f"{before}: {plain(nothing)}")
        remarks += [f"{plain(doubt)} and is ignored" for doubt in handed.doubts[:3]]
        remarks += [f"{chosen.shown} was taken, not {other}" for other in chosen.beside[:3]]
        self.outcome.remarks.extend(f"{label}: {remark}" for remark in remarks)
        earlier = [(handed.times.get(key), one.data or b"") for key, one in attempts[:-1]]
        for member in handed.members:
            try:
                with in_turn(self.course_dir):
                    written = self._write(member.student, chosen, time, earlier)
            except OSError as error:
                if not in_the_way(error):
                    raise
                self._leave_out(label, member.student, f"{error.filename}: {error.strerror}")
                continue
            if not written:
                continue
            self.settled.update((label, member.student, *map(shown, handed.told)))
            origin = _origin(system, handed, member, self.before.get(member.student))
            self.told.students[member.student] = origin
            # Moodle's is a number in one assignment's worksheet.
            self.people.append(member._replace(lms_id="") if system == "Moodle" else member)

    def _leave_out(self, label: str, who: str, why: str) -> None:
        self.told.left_out[who] = why
        self.outcome.left_out.append(why if why.startswith(label) else f"{label}: {why}")

    def _attempts(self, handed: Handed) -> tuple[list[tuple[str, Chosen]], str]:
        """The attempts that hold a notebook, the newest last, and why the newest of all holds none;
        the same one handed in twice in a row came in the first time."""
        found: list[tuple[str, Chosen]] = []
        before, nothing = None, ""
        for key, handed_in in sorted(handed.attempts.items()) or [("", [])]:
            files, trouble = opened(handed_in)
            chosen = choose(files, self.assignment)
            nothing = chosen.why and ("; ".join(trouble) or chosen.why)
            if chosen.data is not None and without_outputs(chosen.data) != before:
                before = without_outputs(chosen.data)
                found.append((key, chosen))
        return found, nothing

    def _write(
        self,
        student: str,
        chosen: Chosen,
        time: datetime | None,
        earlier: list[tuple[datetime | None, bytes]],
    ) -> bool:
        """Writes a notebook in its place; says so, or why not."""
        assert chosen.data is not None
        name = self.assignment.name
        folder = submitted(self.course_dir, student, name)
        place = folder / f"{name}.ipynb"
        stamp, data = _utc(time), without_outputs(chosen.data)
        if any(path.is_symlink() for path in (folder.parent, folder, place)):
            # whatever it leads to is not this student's
            raise OSError(errno.ELOOP, "a link stands in the submission's place", str(place))
        kept = self._attempted(student)
        attempts = [light for _, light in kept]
        held, now, there = None, b"", kept
        if place.is_file():
            held = place.read_bytes()
            now = without_outputs(held)
            there = [*kept, (folder, now)]
        older = [(moment, one, without_outputs(one)) for moment, one in earlier]
        for moment, _, light in older:
            _take_earlier(moment, [of for of, known in there if known == light != data])
        if held is not None:
            same = now == data
            newest = attempts[-1] == data if attempts else same
            best = history.policy(self.course_dir, name) == "best"
            if newest and (same or best):  # then `grade` says which one stands here
                places = [of for of, _ in kept[-1:]]
                if same:
                    places.append(folder)
                _take_earlier(time, places)
                self.outcome.unchanged.append(student)
                return True
            if not self.replace:
                why = f"{chosen.shown}: {student} has handed in already; --replace takes this one"
                self.outcome.left_out.append(why)
                return False
            older.append((submission_time(folder)[0], held, now))
        for moment, one, light in older:
            if light not in attempts:
                history.add(self.course_dir, name, student, one, _utc(moment))
                attempts.append(light)
        if attempts and attempts[-1] != data:
            history.add(self.course_dir, name, student, chosen.data, stamp)
        if stamp:
            write_atomically(folder / TIMESTAMP, stamp.encode())
        else:
            (folder / TIMESTAMP).unlink(missing_ok=True)  # it was that of another notebook
        write_atomically(place, chosen.data)  # last: whoever was stopped begins anew with it
        self.outcome.written.append(student)
        return True

    def _attempted(self, student: str) -> list[tuple[Path, bytes]]:
        """All attempts' folders and notebooks, as the grader reads and keeps them."""
        found = []
        for folder in history.folders(self.course_dir, self.assignment.name, student):
            with contextlib.suppress(OSError):
                data = (folder / f"{self.assignment.name}.ipynb").read_bytes()
                found.append((folder, without_outputs(data)))
        return found


def _origin(
    system: str, handed: Handed, member: Known, before: records.Origin | None
) -> records.Origin:
    """Where a submission came from; from a folder, by mail say, and of one whom a platform sent
    before, the platform's number is still the way back."""
    if before is not None and system in OWN and before.system not in OWN:
        return before
    group = [one.student for one in handed.members]
    return records.Origin(
        system=system,
        label=handed.label,
        lms_id=member.lms_id,
        numbers=records.numbered(before) if before is not None else {},
        group=group if len(group) > 1 else [],
    )


def _students(course_dir: Path) -> set[str]:
    """Whom the course has submissions of."""
    folders = course_dir.glob("submitted/*")
    return {path.name for path in folders if any((path / name).exists() for name in course())}


def _take_earlier(time: datetime | None, folders: Iterable[Path]) -> None:
    """What came twice came in the first time: of another time, as where the zone was not set at
    first, the earlier one stays."""
    for folder in folders:
        known = submission_time(folder)[0]
        if time is not None and known is not None and time < known:
            write_atomically(folder / TIMESTAMP, _utc(time).encode())


def _utc(time: datetime | None) -> str:
    """As a timestamp.txt has it; "" where no time is known."""
    return f"{time:%Y-%m-%d %H:%M:%S.%f} UTC" if time else ""
