"""Submissions out of an archive: a learning platform's download, or a zip of folders.

Everyone in the archive is accounted for: written, there already, or named with the reason.
Nothing in it decides where a file is written: of a name only the student's id is taken
(`layouts`), of the files only the notebook (`choice`), and what is written is
`submitted/<student>/<assignment>/<assignment>.ipynb` with the time at which it came in.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import re
import statistics
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from unicodedata import normalize
from zoneinfo import ZoneInfo

import msgspec
from coursekit.ipynb import without_outputs

from autograder.course import Assignment, course
from autograder.errors import CourseError
from autograder.files import in_the_way, in_turn, plain, same_id, usable_id, write_atomically
from autograder.records import collected as records
from autograder.records import history
from autograder.records.gradebook import Recorder, configuration, has_gradebook
from autograder.records.gradebook.students import Known, Person
from autograder.records.gradebook.times import TIMESTAMP, submission_time
from autograder.results import dropped

from .archive import is_archive, listing, opened, shown
from .choice import Chosen, choose
from .layouts import MAX_ROOTS, Handed, Layout, Member, layout, perhaps_a_class, refuse_doubtful

_OWN = ("folders", "nbgrader")
"""Archives that are no platform's."""
_MADE = ("Moodle", "Canvas", "Brightspace")
"""Whose ids are made of a name and a number."""
_UNSAID = re.compile(r"['‘’ʼ`´\"&<>:|/\\]")
"""What a platform leaves out of a name, as Moodle does of O'Brien's."""

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
        self.zone = _zone(course_dir)
        self.outcome = Collected([], [], [], [])
        self.before = records.collected(course_dir, assignment.name)
        self.known = copy.deepcopy(self.before)
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
        # Where no platform says so, nobody is called like an assignment but whom the course knows.
        refuse_doubtful(found.people, course().keys() - there if found.system in _OWN else set())
        remarks = self.outcome.remarks
        remarks += perhaps_a_class(found, there)
        remarks += _spelt_as_known(found, there)
        if found.system not in _OWN:
            numbers = records.numbers(self.course_dir, found.system, self.assignment.name)
            people = [
                # Moodle's, a number in one assignment's worksheet, is never the roster's.
                one._replace(lms_id=numbers.of(who, one.lms_id * (found.system != "Moodle")))
                for who, one in roster.items()
            ]
            if found.system == "Canvas":
                remarks += _refuse_numbers_in_names(found, {person.lms_id for person in people})
            remarks += _on_the_roster(found, people, numbers.here.keys())
        if roster:
            remarks += _strangers(found, there)
        told, doubted = _member_times(found, made, self.zone)
        if doubted:
            remarks.append(
                "the times of the files may be those of the download and are not believed: nobody "
                "is late by them"
            )
        if self.zone is UTC and _zoneless(found, told):
            remarks.append(
                "times that tell no zone were read as UTC. Where that makes anybody late, set "
                "c.Exchange.timezone in nbgrader_config.py and collect again: the earlier counts"
            )
        self.outcome.left_out.extend(plain(line) for line in found.strays)
        for handed in sorted(found.people, key=lambda handed: handed.label):
            self._take(found.system, handed, told.get(handed.label))
        with in_turn(self.course_dir):
            records.save(self.course_dir, self.assignment.name, self.before, self.known)
        if any(known.told for known in self.people):
            Recorder(self.course_dir, [self.assignment]).know(self.people)
        self.outcome.written.sort()
        left = dropped(self.course_dir)
        remarks += (
            f"{student}: has left the course and is not graded"
            for student in self.outcome.written
            if student in left
        )
        return self.outcome

    def _take(self, system: str, handed: Handed, told: datetime | None) -> None:
        """One person, or one group."""
        label = shown(handed.label)
        attempts = list(self._attempts(handed))
        chosen = attempts[-1][1] if attempts else Chosen(None, why=self._nothing(handed))
        if not handed.members or chosen.data is None:
            # By the id, where there is one: the next file of the same student has another name.
            ids = [member.student for member in handed.members] or [*map(shown, handed.told), label]
            self._leave_out(label, ids[0], plain(handed.why or chosen.why))
            return
        if handed.why:
            self.outcome.left_out.append(f"{label}: {plain(handed.why)}")
        time = handed.times.get(attempts[-1][0]) or told
        if handed.late and time is None:
            self.outcome.remarks.append(f"{label}: {system} marks it late and does not say when")
        if attempts[-1][0] != max(handed.attempts) and (why := self._nothing(handed)):
            self.outcome.remarks.append(
                f"{label}: the newest attempt has no notebook, and the one before it is taken: "
                f"{plain(why)}"
            )
        for doubt in handed.doubts[:3]:
            self.outcome.remarks.append(f"{label}: {plain(doubt)} and is ignored")
        for other in chosen.beside[:3]:
            self.outcome.remarks.append(f"{label}: {chosen.shown} was taken, not {other}")
        for member in handed.members:
            earlier = [(handed.times.get(key), one.data or b"") for key, one in attempts[:-1]]
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
            for name in (label, member.student, *map(shown, handed.told)):
                self.known.left_out.pop(name, None)
            before = self.known.students.get(member.student)
            origin = _origin(system, handed, member, chosen.shown, time, before)
            self.known.students[member.student] = origin
            # Moodle's is a number in one assignment's worksheet.
            number = member.lms_id if system != "Moodle" else ""
            self.people.append(Known(member.student, member.name, member.email, number))

    def _leave_out(self, label: str, who: str, why: str) -> None:
        self.known.left_out[who] = why
        self.outcome.left_out.append(why if why.startswith(label) else f"{label}: {why}")

    def _attempts(self, handed: Handed) -> Iterator[tuple[str, Chosen]]:
        """The attempts that hold a notebook, the newest last; the same one handed in twice in a row
        came in the first time."""
        before = None
        for key in sorted(handed.attempts):
            files, _ = opened(handed.attempts[key])
            chosen = choose(files, self.assignment)
            if chosen.data is not None and without_outputs(chosen.data) != before:
                before = without_outputs(chosen.data)
                yield key, chosen

    def _nothing(self, handed: Handed) -> str:
        """Why the newest attempt has no notebook; "" if it has one."""
        newest = handed.attempts[max(handed.attempts)] if handed.attempts else []
        files, trouble = opened(newest)
        why = choose(files, self.assignment).why
        return why and ("; ".join(trouble) or why)

    def _write(
        self,
        student: str,
        chosen: Chosen,
        time: datetime | None,
        earlier: list[tuple[datetime | None, bytes]],
    ) -> bool:
        """Writes a notebook in its place; says so, or why not."""
        assert chosen.data is not None
        folder = self.course_dir / "submitted" / student / self.assignment.name
        place = folder / f"{self.assignment.name}.ipynb"
        stamp, data = _utc(time) if time else "", without_outputs(chosen.data)
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
            best = history.policy(self.course_dir, self.assignment.name) == "best"
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
                self._keep(student, one, _utc(moment) if moment else "")
                attempts.append(light)
        if attempts and attempts[-1] != data:
            self._keep(student, chosen.data, stamp)
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

    def _keep(self, student: str, data: bytes, time: str) -> None:
        history.add(self.course_dir, self.assignment.name, student, data, time)


def _origin(
    system: str,
    handed: Handed,
    member: Member,
    file: str,
    time: datetime | None,
    before: records.Origin | None,
) -> records.Origin:
    """Where a submission came from; from a folder, by mail say, and of one whom a platform sent
    before, the platform's number is still the way back."""
    now: dict[str, Any] = {"time": _utc(time) if time else "", "late": handed.late, "file": file}
    if before is not None and system in _OWN and before.system not in _OWN:
        return msgspec.structs.replace(before, **now)
    group = [one.student for one in handed.members]
    return records.Origin(
        system=system,
        label=handed.label,
        name=member.name,
        email=member.email,
        lms_id=member.lms_id,
        numbers=records.numbered(before) if before is not None else {},
        group=group if len(group) > 1 else [],
        **now,
    )


def _students(course_dir: Path) -> set[str]:
    """Whom the course has submissions of."""
    folders = course_dir.glob("submitted/*")
    return {path.name for path in folders if any((path / name).exists() for name in course())}


class _Told(NamedTuple):
    """Who on the roster the people of an archive are, by all but the name."""

    known: dict[str, set[str]]
    """By the archive's id; more than one where what is told contradicts itself."""
    by_number: dict[str, str]
    unsure: set[str]
    """Known by no address, and whose number may be another's: students choose it, or the roster
    has it from elsewhere."""


def _on_the_roster(found: Layout, roster: list[Person], met: Set[str]) -> list[str]:
    """Gives members the id that the roster has for them, and says of whom it is not certain.

    An id, a platform's own number, an e-mail address or a name count where one student on the
    roster and one person in the archive have it. A name counts where nothing else says who it is,
    and against a number that students choose, or of a student whom this platform has not `met`: the
    roster may have it from another one.
    """
    name = "joined" if found.system == "Canvas" else "name"
    remarks = _named_as_there(found, roster)
    told = _told(found, roster, met, remarks)
    by_name = _one_to_one(name, roster, _members(found))
    taken = set().union(*told.known.values())
    _refuse_claims(found, told.known, {who: by_name[who] for who in told.unsure & by_name.keys()})
    members = _members(found)
    new = {member.student: student for member in members for student in told.known[member.student]}
    remarks += _doubts(found, roster, told, met)
    alone = []
    for people, those in _alike(name, roster, members):
        for member in (one for one in those if not told.known[one.student]):
            student = people[0].student
            if len(people) == len(those) == 1 and student not in taken:
                new[member.student] = student
                alone.append(f"{member.name or member.student} ({student})")
            else:
                remarks.append(
                    f"{member.student}: new, since the name {people[0].name} does not tell who on "
                    "the roster it is"
                )
    if alone:
        remarks.append(f"taken for who is on the roster by the name alone: {', '.join(alone)}")
    _rename(found, new)
    return remarks


def _told(found: Layout, roster: list[Person], met: Set[str], remarks: list[str]) -> _Told:
    """By id, number and address. Moodle numbers anew for each assignment: its number tells
    namesakes apart, and no others, which is remarked."""
    members = _members(found)
    ids = {person.student: person for person in roster}
    by_number, by_email = (_one_to_one(kind, roster, members) for kind in ("lms_id", "email"))
    if found.system == "Moodle":
        for member in members:
            before = ids.get(by_number.get(member.student, ""))
            if before and _another(member, before):
                del by_number[member.student]
                remarks.append(f"{member.name}: the number was that of {before.shown} before")
    known = {member.student: {member.student} & ids.keys() for member in members}
    for who, student in (*by_number.items(), *by_email.items()):
        known[who].add(student)
    chosen = known.keys() if found.system == "Gradescope" else ()
    unsure = {*chosen, *(who for who, student in by_number.items() if student not in met)}
    return _Told(known, by_number, unsure - by_email.keys())


def _doubts(found: Layout, roster: list[Person], told: _Told, met: Set[str]) -> Iterator[str]:
    """Of whom an instructor should know that they were taken for one on the roster."""
    ids = {person.student: person for person in roster}
    same = [those for name, those in _by("name", roster).items() if name and len(those) > 1]
    namesakes = {person.student for those in same for person in those}
    elsewhere = []
    for member in _members(found):
        for person in (ids[student] for student in told.known[member.student]):
            who, shown_as = member.student, ", ".join(filter(None, member[1:3])) or member.student
            if who in told.unsure and _another(member, person):
                yield (
                    f"{shown_as}: taken for {person.shown}, "
                    "by the number alone; what else is told of them is another's"
                )
            elif who in told.unsure and person.student in namesakes:
                yield f"{shown_as}: taken for {person.shown} by the number; two have the name"
            elif who in told.unsure and member.email and person.email:
                elsewhere.append(f"{shown_as} ({person.student})")
            elif found.system in _MADE and person.student == who not in met | told.by_number.keys():
                yield (
                    f"{who}: taken for the one of this id, though its number is from elsewhere; "
                    "two of one name may have one number on two platforms"
                )
    if elsewhere:
        yield f"known by the number, with another address: {'; '.join(elsewhere)}"


def _members(found: Layout) -> list[Member]:
    return [member for handed in found.people for member in handed.members]


def _another(member: Member, person: Person) -> bool:
    """Whether neither name nor address, as far as both are known, is that of the person on the
    roster; a name with more or fewer words is the same, in Canvas' one word with more."""
    ours, theirs = (set(re.findall(r"\w+", _name(name))) for name in (person.name, member.name))
    same = [ours <= theirs or theirs <= ours] if ours and theirs else []
    if ours and member.joined:
        same.append(all(word in member.joined for word in ours))
    if person.email and member.email:
        same.append(same_id(person.email) == same_id(member.email))
    return bool(same) and not any(same)


def _refuse_claims(found: Layout, known: dict[str, set[str]], named: dict[str, str]) -> None:
    """Names whoever is several students of the roster by id, number and address, or one by a number
    that is not sure and another by name, and those who would be the same one: who is right cannot
    be told."""
    claims: dict[str, list[str]] = {}
    for handed in found.people:
        for member in handed.members:
            for student in known[member.student]:
                claims.setdefault(student, []).append(handed.label)
    for handed in found.people:
        good = []
        for member in handed.members:
            whom = sorted(known[member.student])
            if whom and (name := named.get(member.student)):
                whom = sorted({*whom, name})
            several = [student for student in whom if len(claims.get(student, ())) > 1]
            if len(whom) > 1:
                handed.why = f"its id, number, address and name are those of {' and '.join(whom)}"
            elif several:
                handed.why = f"{several[0]} is claimed by {' and '.join(claims[several[0]][:3])}"
            else:
                good.append(member)
        handed.members = good


def _refuse_numbers_in_names(found: Layout, numbers: set[str]) -> list[str]:
    """Of Canvas' `ada_7_8_9_x.ipynb`: it is the file `9_x.ipynb` of 7, or the file `x.ipynb` of 8,
    who took the name `Ada_7`. Where 8 is a student it cannot be told, else it is remarked."""
    remarks = []
    for handed in found.people:
        for file in (file for files in handed.attempts.values() for file in files):
            for number in (member.lms_id for member in handed.members):
                told = re.match(rf".+?_{re.escape(number)}_(\d+)_\d+_", file.path[0])
                if told and told[1] in numbers:
                    handed.why = f"it may be that of {number} or of {told[1]}"
                    handed.members = []
                elif told:
                    remarks.append(
                        f"{file.shown}: taken for {number}'s; it may be that of {told[1]}, if that "
                        "is the number of a student"
                    )
    return remarks


def _named_as_there(found: Layout, roster: list[Person]) -> list[str]:
    """Gives members the name that the roster has, where it is written "Lovelace, Ada"; or with that
    of a group and a dash before it, as Moodle does for everyone or for nobody, which is said.

    One word before one dash alone is no group: Anna-Lena is not Lena."""
    names = _by("name", roster).keys() - {""}
    theirs = [one.name for one in _members(found)]
    grouped = found.system == "Moodle" and all("-" in name for name in theirs)
    before = Counter(name[: dash.start()] for name in theirs for dash in re.finditer("-", name))
    left: Counter[str] = Counter()

    def there(name: str) -> str:
        dashes = [dash.start() for dash in re.finditer("-", name)] if grouped else []
        for group in ("", *(name[:dash] for dash in dashes)):
            rest = name[len(group) + 1 :] if group else name
            if group and before[group] < 2 and group.isalpha():
                continue
            last, _, first = rest.partition(",")
            for one in (rest, f"{first} {last}"):
                if _name(one) in names:
                    left[group] += 1
                    return one.strip()
        return name

    for handed in found.people:
        handed.members = [one._replace(name=there(one.name)) for one in handed.members]
    del left[""]
    groups = ", ".join(f"{plain(group)} ({number})" for group, number in sorted(left.items()))
    return [f"before the names stood, of groups: {groups}"] if left else []


def _spelt_as_known(found: Layout, there: set[str]) -> list[str]:
    """Gives members the id that the course has, where theirs differs in its spelling alone; and
    says whom, where it is more than capitals and accents."""
    ours: dict[str, list[str]] = {}
    for student in there:
        ours.setdefault(same_id(student), []).append(student)
    new = {}
    for member in _members(found):
        known = ours.get(same_id(member.student), [])
        if len(known) == 1 and member.student not in known:
            new[member.student] = known[0]
    _rename(found, new)
    return [
        f"{student}: taken for {known}, as the course has it"
        for student, known in new.items()
        if normalize("NFC", student).lower() != normalize("NFC", known).lower()
    ]


def _strangers(found: Layout, there: set[str]) -> Iterator[str]:
    """Whom the course meets for the first time: a platform may have written somebody's name
    otherwise."""
    new = {member.student for member in _members(found)} - there
    if new:
        more = f" and {len(new) - 10} more" if len(new) > 10 else ""
        yield f"new, and not on the roster before: {', '.join(sorted(new)[:10])}{more}"


def _rename(found: Layout, new: dict[str, str]) -> None:
    """The roster's ids may be anything, `2026/17` say, which would be a folder in another's."""
    for handed in found.people:
        handed.members = [
            member._replace(student=new.get(member.student, member.student))
            for member in handed.members
        ]
        good = [member for member in handed.members if usable_id(member.student)]
        for member in (one for one in handed.members if one not in good):
            who = f"{member.student}, its id on the roster,"
            handed.why = f"{who} can be no folder's name; give another one there"
        handed.members = good


def _alike(
    kind: str, roster: list[Person], members: list[Member]
) -> Iterator[tuple[list[Person], list[Member]]]:
    """Who on the roster and who in the archive have the same number, address or name."""
    ours, theirs = _by(kind, roster), _by(kind, members)
    for key in sorted((ours.keys() & theirs.keys()) - {""}):
        yield ours[key], theirs[key]


def _one_to_one(kind: str, roster: list[Person], members: list[Member]) -> dict[str, str]:
    """Whom on the roster an archive's ids are, where it is one and one."""
    return {
        those[0].student: people[0].student
        for people, those in _alike(kind, roster, members)
        if len(people) == len(those) == 1
    }


P = TypeVar("P", Person, Member)


def _by(kind: str, people: Iterable[P]) -> dict[str, list[P]]:
    groups: dict[str, list[P]] = {}
    key = _name if kind == "name" else _key
    for person in people:
        groups.setdefault(key(getattr(person, kind)), []).append(person)
    return groups


def _key(text: str) -> str:
    return " ".join(same_id(text).split())


def _name(text: str) -> str:
    return _key(_UNSAID.sub("", text))


# ------------------------------------------------------------------------ times


def _member_times(found: Layout, made: datetime, zone: tzinfo) -> tuple[dict[str, datetime], bool]:
    """When each came in by the times of the files in the archive, where nothing else says so; and
    whether these are not believed.

    Many platforms write there when the archive was made. Then most are the same, none is later,
    and they say nothing of the students.
    """
    if found.system in _OWN:
        return {}, False
    times = {}
    for handed in (one for one in found.people if not one.times):
        moments = [f.time for files in handed.attempts.values() for f in files if f.time]
        aware = [m if m.tzinfo else m.replace(tzinfo=zone) for m in moments]
        if aware:
            times[handed.label] = max(aware)
    stamps = sorted(moment.timestamp() for moment in times.values())
    if not stamps:
        return {}, False
    if len(stamps) > 2:
        at_once = stamps[-1] - statistics.quantiles(stamps, n=10)[0] < 1800
    else:
        at_once = made - max(times.values()) < timedelta(hours=15)
    if at_once:
        return {}, True
    return {label: m.astimezone(UTC).replace(tzinfo=None) for label, m in times.items()}, False


def _zoneless(found: Layout, told: dict[str, datetime]) -> bool:
    """Whether times were taken that tell no zone: those in names, and some of files."""
    if found.system in ("Brightspace", "Blackboard"):
        return any(handed.times for handed in found.people)
    by_file = (handed.attempts.values() for handed in found.people if handed.label in told)
    times = (file.time for attempts in by_file for files in attempts for file in files)
    return any(time is not None and time.tzinfo is None for time in times)


def _zone(course_dir: Path) -> tzinfo:
    """The course's own, `c.Exchange.timezone` of its nbgrader_config.py; UTC else."""
    name = configuration(course_dir).Exchange.get("timezone")
    try:
        return ZoneInfo(name) if name else UTC
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"nbgrader_config.py: {name} is no time zone") from None


def _take_earlier(time: datetime | None, folders: Iterable[Path]) -> None:
    """What came twice came in the first time: of another time, as where the zone was not set at
    first, the earlier one stays."""
    for folder in folders:
        known = submission_time(folder)[0]
        if time is not None and known is not None and time < known:
            write_atomically(folder / TIMESTAMP, _utc(time).encode())


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S.%f} UTC"
