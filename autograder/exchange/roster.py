"""Who in an archive is who in the course: by id, number, address and name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import NamedTuple, TypeVar
from unicodedata import normalize

from autograder.course import Assignment, course
from autograder.files import plain, same_id, several, usable_id
from autograder.records import collected as records
from autograder.records.gradebook.students import Known, Person

from .layouts import OWN, Handed, Layout

_MADE = ("Moodle", "Canvas", "Brightspace")
"""Whose ids are made of a name and a number."""
_NO_ID = re.compile(r"\.|submission_\d+$", re.IGNORECASE)
"""Hidden folders, and Gradescope's numbers of submissions."""
_UNSAID = re.compile(r"['‘’ʼ`´\"&<>:|/\\]")
"""What a platform leaves out of a name, as Moodle does of O'Brien's."""


def recognise(
    found: Layout,
    roster: dict[str, Person],
    there: set[str],
    course_dir: Path,
    assignment: Assignment,
) -> list[str]:
    """Gives members the ids that the course has for them, refuses those of whom it cannot be told
    who they are, and says of whom it is not certain. `there` are all ids that the course has."""
    # Where no platform says so, nobody is called like an assignment but whom the course knows.
    _refuse_doubtful(found.people, course().keys() - there if found.system in OWN else set())
    remarks = _spelt_as_known(found, there)
    if found.system not in OWN:
        numbers = records.numbers(course_dir, found.system, assignment.name)
        people = {
            # Moodle's, a number in one assignment's worksheet, is never the roster's.
            who: one._replace(lms_id=numbers.of(who, one.lms_id * (found.system != "Moodle")))
            for who, one in roster.items()
        }
        if found.system == "Canvas":
            taken = {person.lms_id for person in people.values()}
            remarks += _refuse_numbers_in_names(found, taken)
        remarks += _on_the_roster(found, people, numbers.here.keys())
    if roster and (new := {member.student for member in _members(found)} - there):
        # A platform may have written somebody's name otherwise.
        remarks.append(f"new, and not on the roster before: {several(sorted(new))}")
    return remarks


def _refuse_doubtful(people: list[Handed], nobody: Set[str]) -> None:
    """Names whoever has no usable id, one of `nobody`'s, or one that another claims too: who is
    right cannot be told."""
    claims: dict[str, dict[str, None]] = {}
    for handed in people:
        handed.told = [member.student for member in handed.members]
        handed.members = [*{same_id(member.student): member for member in handed.members}.values()]
        for member in handed.members:
            claims.setdefault(same_id(member.student), {})[handed.label] = None
    for handed in people:
        good, refused = [], bool(handed.why)
        for member in handed.members:
            claimed = claims[same_id(member.student)]
            if not usable_id(member.student) or _NO_ID.match(member.student):
                handed.why = handed.why or f"{plain(member.student)[:120]!r} can be no student's id"
            elif member.student in nobody:
                handed.why = handed.why or "its name is an assignment's and tells no student"
            elif len(claimed) > 1:
                handed.why = f"{member.student} is claimed by {' and '.join([*claimed][:3])}"
            elif not refused:
                good.append(member)
        handed.members = good


class _Told(NamedTuple):
    """Who on the roster the people of an archive are, by all but the name."""

    known: dict[str, set[str]]
    """By the archive's id; more than one where what is told contradicts itself."""
    by_number: dict[str, str]
    unsure: set[str]
    """Known by no address, and whose number may be another's: students choose it, or the roster
    has it from elsewhere."""
    remarks: list[str]


def _on_the_roster(found: Layout, roster: dict[str, Person], met: Set[str]) -> list[str]:
    """Gives members the id that the roster has for them, and says of whom it is not certain.

    An id, a platform's own number, an e-mail address or a name count where one student on the
    roster and one person in the archive have it. A name counts where nothing else says who it is,
    and against a number that students choose, or of a student whom this platform has not `met`: the
    roster may have it from another one.
    """
    name = "joined" if found.system == "Canvas" else "name"
    remarks = _named_as_there(found, roster)
    told = _told(found, roster, met)
    remarks += told.remarks
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


def _told(found: Layout, roster: dict[str, Person], met: Set[str]) -> _Told:
    """By id, number and address. Moodle numbers anew for each assignment: its number tells
    namesakes apart, and no others, which is remarked."""
    members, remarks = _members(found), []
    by_number, by_email = (_one_to_one(kind, roster, members) for kind in ("lms_id", "email"))
    if found.system == "Moodle":
        for member in members:
            before = roster.get(by_number.get(member.student, ""))
            if before and _another(member, before):
                del by_number[member.student]
                remarks.append(f"{member.name}: the number was that of {before.shown} before")
    known = {member.student: {member.student} & roster.keys() for member in members}
    for who, student in (*by_number.items(), *by_email.items()):
        known[who].add(student)
    chosen = known.keys() if found.system == "Gradescope" else ()
    unsure = {*chosen, *(who for who, student in by_number.items() if student not in met)}
    return _Told(known, by_number, unsure - by_email.keys(), remarks)


def _doubts(found: Layout, roster: dict[str, Person], told: _Told, met: Set[str]) -> Iterator[str]:
    """Of whom an instructor should know that they were taken for one on the roster."""
    same = [
        those for name, those in _by("name", roster.values()).items() if name and len(those) > 1
    ]
    namesakes = {person.student for those in same for person in those}
    elsewhere = []
    for member in _members(found):
        who = member.student
        shown_as = ", ".join(filter(None, (member.name, member.email))) or who
        for person in (roster[student] for student in told.known[who]):
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


def _members(found: Layout) -> list[Known]:
    return [member for handed in found.people for member in handed.members]


def _another(member: Known, person: Person) -> bool:
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


def _named_as_there(found: Layout, roster: dict[str, Person]) -> list[str]:
    """Gives members the name that the roster has, where it is written "Lovelace, Ada"; or with that
    of a group and a dash before it, as Moodle does for everyone or for nobody, which is said.

    One word before one dash alone is no group: Anna-Lena is not Lena."""
    names = _by("name", roster.values()).keys() - {""}
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
    kind: str, roster: dict[str, Person], members: list[Known]
) -> Iterator[tuple[list[Person], list[Known]]]:
    """Who on the roster and who in the archive have the same number, address or name."""
    ours, theirs = _by(kind, roster.values()), _by(kind, members)
    for key in sorted((ours.keys() & theirs.keys()) - {""}):
        yield ours[key], theirs[key]


def _one_to_one(kind: str, roster: dict[str, Person], members: list[Known]) -> dict[str, str]:
    """Whom on the roster an archive's ids are, where it is one and one."""
    return {
        those[0].student: people[0].student
        for people, those in _alike(kind, roster, members)
        if len(people) == len(those) == 1
    }


P = TypeVar("P", Person, Known)


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
