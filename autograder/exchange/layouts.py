"""Who handed in what: the shapes of archives that learning platforms give.

The layout is decided once for an archive, by its outermost names, which the platform made. What
stands inside a person's folder is that person's, whatever it is called: nobody hands in for
another by a folder or a file with another's name.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import yaml

from autograder.course import Assignment, course
from autograder.errors import CourseError
from autograder.files import joined, plain, shown
from autograder.records.gradebook.students import Known
from autograder.records.gradebook.times import Uncertain, parse_time

from .archive import File, Listing, is_archive, is_work, readable

Path = tuple[str, ...]
OWN = ("folders", "nbgrader")
"""Archives that are no platform's."""


@dataclass
class Handed:
    """What one person, or one group, handed in."""

    label: str
    """The archive's own name for them, and nobody else's."""
    members: list[Known]
    attempts: dict[str, list[File]] = field(default_factory=dict)
    """The files of each attempt, by a key that sorts the newest last."""
    times: dict[str, datetime] = field(default_factory=dict)
    """When an attempt came in, where the platform says so; in UTC without a zone."""
    late: bool = False
    """The platform marks it late."""
    told: list[str] = field(default_factory=list)
    """The members' ids as the archive has them, also of those who are refused."""
    why: str = ""
    """What is wrong with the person, rather than with the files."""
    doubts: list[str] = field(default_factory=list)
    """Times that are not believed, and why."""


@dataclass
class Layout:
    """An archive's people, and what belongs to nobody."""

    system: str
    people: list[Handed]
    strays: list[str] = field(default_factory=list)


class _Who(NamedTuple):
    """What an outermost name says."""

    key: str
    member: Known
    own: int
    """Where the platform's own words end; what comes then may be the student's name of a file."""
    attempt: str = ""
    time: datetime | None = None
    late: bool = False
    doubt: str = ""
    """Why the time is not believed."""


# ------------------------------------------------------------------------ outermost names

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)")
_CANVAS = re.compile(
    r"(?:(?P<late0>LATE)_)?anon_(?P<anonymous>[^_]+)_(?:\d+_.+|text\.html|link\.html)"
    r"|(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<number>\d+)_(?:\d+_.+|text\.html|link\.html)"
)
_BRIGHTSPACE = re.compile(
    r"(?P<number>\d+)-\d+ ?- ?(?P<name>.+?) ?- ?(?P<when>[^-]*\b\d{4}\b[^-]*?)"
)
_BRIGHTSPACE_FILE = re.compile(rf"{_BRIGHTSPACE.pattern} - .+")
"""Where there are no folders; else a moment in somebody's name would be the one that counts."""
# The first that looks like a user and a moment: what follows is the student's own name of a file.
_BLACKBOARD = re.compile(r".+?_(?P<user>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_.+|\.[a-z]+)")
_RECEIPT = re.compile(r"(?:(?!_attempt_).)+_attempt_\d{4}(?:-\d\d){5}\.txt")
_CLASSROOM = re.compile(r"(?P<name>\S.*?) - (?P<file>.+)")
_ILIAS = re.compile(r"(?P<last>[^_]+)_(?P<first>[^_]+)_(?P<login>.+)_(?P<number>\d+)")
_ILIAS_TEAM = re.compile(r"Team \d+")
_GRADESCOPE_ROOT = re.compile(r"(?:assignment_\d+_)?export(?:[ _(-]*\d+\)?)?")
_GRADESCOPE = "submission_metadata.yml"
_NOISE = re.compile(r"index\.html?|read ?me.*|.*\.(?:csv|xlsx?|ods|xml|css)", re.IGNORECASE)
"""Files beside the people in a platform's archive."""
MAX_ROOTS = 6
"""Folders around everything, one in another, into which is looked."""
_NO_PERSON = {"src", "data", "docs", "notebooks", "figures", "images", "img", "coursekit", "work"}
_NO_PERSON |= {"release", "source", "solutions", "submission", "feedback", "autograded", "code"}


def _slug(name: str) -> str:
    """An id of a name; without what cannot be seen in it, which is between letters of some."""
    seen = "".join(c for c in name.lower() if unicodedata.category(c) != "Cf")
    return "_".join(seen.split())


def _moodle(path: Path, zone: tzinfo) -> _Who | None:
    if not (found := _MOODLE.fullmatch(path[0])):
        return None
    student = f"{_slug(found['name'])}-{found['number']}"
    member = Known(student, found["name"].strip(), lms_id=found["number"])
    return _Who(student, member, found.start("file"))


def _canvas(path: Path, zone: tzinfo) -> _Who | None:
    if len(path) > 1 or not (found := _CANVAS.fullmatch(path[0])):
        return None
    late = bool(found["late"] or found["late0"])
    if found["anonymous"]:
        student = f"anon-{found['anonymous']}"
        member = Known(student, lms_id=f"anon_{found['anonymous']}")
        return _Who(student, member, found.end("anonymous"), late=late)
    student = f"{_slug(found['name'])}-{found['number']}"
    member = Known(student, lms_id=found["number"], joined=joined(found["name"]))
    return _Who(found["number"], member, found.end("number"), late=late)


def _brightspace(path: Path, zone: tzinfo) -> _Who | None:
    shape = _BRIGHTSPACE if len(path) > 1 else _BRIGHTSPACE_FILE
    if not (found := shape.fullmatch(path[0])):
        return None
    told = found["when"].strip()
    when = re.sub(r"\b(\d{1,2})(\d\d)(?=(?: [AP]M)?$)", r"\1:\2", told)
    student = f"{_slug(found['name'])}-{found['number']}"
    member = Known(student, found["name"], lms_id=found["number"])
    try:
        time = parse_time(when, zone)
    except Uncertain as error:
        return _Who(found["number"], member, found.end(), doubt=f"{when} {error}")
    except Exception:
        if len(re.findall(r"\d+", told)) < 3:
            return None
        # Day, year and time, in another language.
        return _Who(found["number"], member, found.end(), doubt=f"{when} is no time")
    return _Who(found["number"], member, found.end(), time.isoformat(), time)


def _blackboard(path: Path, zone: tzinfo) -> _Who | None:
    if len(path) > 1 or not (found := _BLACKBOARD.fullmatch(path[0])):
        return None
    try:
        moment = datetime.strptime(found["when"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=zone)
        time = parse_time(moment.isoformat())
    except Exception:
        return None
    stem = path[0][: found.end("user")]
    return _Who(stem, Known(found["user"]), found.end("when"), found["when"], time)


def _ilias(path: Path, zone: tzinfo) -> _Who | None:
    if _ILIAS_TEAM.fullmatch(path[0]):
        path = path[1:]
    if not path or not (found := _ILIAS.fullmatch(path[0])):
        return None
    name = f"{found['first']} {found['last']}"
    member = Known(found["login"], name, lms_id=found["number"])
    return _Who(found["number"], member, found.end())


def _classroom(path: Path, zone: tzinfo) -> _Who | None:
    if len(path) > 1 or not (found := _CLASSROOM.fullmatch(path[0])):
        return None
    own = found["name"]
    if own in course() or not any(map(str.isalpha, own)) or not is_work(found["file"]):
        return None  # `backprop - Copy.ipynb`, `7-1 - Ada - …`
    return _Who(_slug(own), Known(_slug(own), own), found.start("file"))


_NAMES: dict[str, Callable[[Path, tzinfo], _Who | None]] = {
    "Moodle": _moodle,
    "Canvas": _canvas,
    "Blackboard": _blackboard,
    "Brightspace": _brightspace,
    "ILIAS": _ilias,
    "Google Classroom": _classroom,
}


# ------------------------------------------------------------------------ one layout an archive


def layout(held: Listing, assignment: Assignment, known: set[str], zone: tzinfo) -> Layout:
    """The people of an archive. `known` are ids of students that the course has."""
    files = held.files
    for root in _roots(files, held.folders, known):
        inside, folders = _below(files, held.folders, root)
        found = (
            _gradescope(inside, folders, root)
            or _by_name(inside, folders, zone, known, least=2 if root else 1)
            or _nbgrader(inside, folders, assignment)
        )
        if found is None and root and _is_class(inside, folders, assignment):
            found = _folders(inside, folders, assignment)
        if found is not None:
            break
    else:
        found = _folders(files, held.folders, assignment)
    found.strays[:0] = held.left_out
    return found


def _paths(files: Iterable[File], folders: Iterable[Path]) -> list[Path]:
    """Of files and of folders; a folder's ends in an empty name."""
    return [*(file.path for file in files), *((*folder, "") for folder in folders)]


def _below(
    files: Iterable[File], folders: Iterable[Path], root: Path
) -> tuple[list[File], set[Path]]:
    """What stands below a folder, as seen from there."""
    depth = len(root)
    inside = [f._replace(path=f.path[depth:]) for f in files if f.path[:depth] == root]
    return inside, {folder[depth:] for folder in folders if folder[:depth] == root} - {()}


def _roots(files: list[File], folders: set[Path], known: set[str]) -> Iterator[Path]:
    """The archive itself, and each folder that holds everything: of a course, say, and in it of a
    sheet. What lies beside such a folder and is no work does not count."""
    root: Path = ()
    for _ in range(MAX_ROOTS):
        yield root
        inside, below = _below(files, folders, root)
        tops = {path[0] for path in _paths(inside, below) if len(path) > 1}
        if len(tops) != 1 or any(is_work(f.name) for f in inside if len(f.path) == 1):
            return
        root = (*root, *tops)
        if root[-1] in known:
            return


def _by_name(
    files: list[File], folders: set[Path], zone: tzinfo, known: set[str], least: int
) -> Layout | None:
    """The platform whose way of naming explains most of the outermost names, and at least half."""
    tops = {path[0]: path for path in sorted(_paths(files, folders), key=len)}  # the deepest
    tops = {top: path for top, path in tops.items() if not _NOISE.fullmatch(top)}
    systems = _systems([*tops.values()], zone)
    if not systems:
        return None
    best = systems[0]
    if len(systems) > 1 and best == "Google Classroom":
        why = f"{' or '.join(systems)} may have named it; put it into a folder, named by the id"
        return Layout(best, [], [f"{top}: {why}" for top in tops])
    people = _people(best, sorted(_paths(files, folders)), zone)
    if best == "ILIAS" and not any(one.members[0].student in known for one in people.values()):
        least = 2  # a lone folder may be called like this by chance
    if len(people) < least:
        return None
    strays = []
    for file in files:
        who = _NAMES[best](file.path, zone)
        if who is not None:
            people[who.key].attempts[who.attempt].append(file)
        elif is_work(file.name):
            strays.append(f"{file.shown}: {best} would have named its student")
    if best == "Blackboard":
        for handed in people.values():
            _read_receipt(handed)
    return Layout(best, list(people.values()), strays)


def _people(system: str, paths: list[Path], zone: tzinfo) -> dict[str, Handed]:
    """Whom these names tell, by what is one person's alone; their files are still to come."""
    people: dict[str, Handed] = {}
    for path in paths:
        who = _NAMES[system](path, zone)
        if who is None:
            continue
        team = system == "ILIAS" and _ILIAS_TEAM.fullmatch(path[0])
        label = "/".join(path[:2]) if team else path[0]  # one person's alone
        handed = people.setdefault(who.key, Handed(label, [who.member]))
        if handed.members[0].student != who.member.student:
            both = f"{handed.label} and {label}"
            handed.why = handed.why or f"{both} claim the same id {who.key}"
        if who.attempt > max(handed.attempts, default=""):
            handed.label = label
        handed.late |= who.late
        handed.attempts.setdefault(who.attempt, [])
        if who.doubt and who.doubt not in handed.doubts:
            handed.doubts.append(who.doubt)
        if who.time is not None:
            handed.times[who.attempt] = who.time
    return people


def _systems(paths: list[Path], zone: tzinfo) -> list[str]:
    """Whose way of naming explains most, and at least half: of several the one whose own words end
    first, since a name within what a student called a file comes after them.

    In Classroom's these words are but a name and a dash, which another platform's may begin with,
    too. Where it names more than one student, all of them would have to pretend the same.
    """
    told = {
        system: [one for p in paths if (one := read(p, zone))] for system, read in _NAMES.items()
    }
    most = max(map(len, told.values()))
    if not most or 2 * most < len(paths):
        return []
    own = {system: sum(one.own for one in who) for system, who in told.items() if len(who) == most}
    if len(own) > 1 and len({one.key for one in told["Google Classroom"]}) > 1:
        own.pop("Google Classroom", None)
    return sorted(own, key=lambda system: own[system])


def _read_receipt(handed: Handed) -> None:
    """Blackboard's receipt names the user, of whose name it cannot be told where it begins."""
    (member,) = handed.members
    for file in itertools.chain(*handed.attempts.values()):
        if _RECEIPT.fullmatch(file.name):
            try:
                text = file.read(2**20)[:1000].decode("utf-8", "replace")
            except CourseError:
                continue
            # The last brackets: a name may have some, too.
            said = re.match(r"\s*[^:\n]+: *(.*?) *\(([^\s()]+)\)[ \t\r]*$", text, re.MULTILINE)
            if said and file.name.split("_attempt_")[0].endswith(f"_{said[2]}"):
                handed.members = [member._replace(student=said[2], name=said[1])]


def _gradescope(files: list[File], folders: set[Path], root: Path) -> Layout | None:
    """Gradescope's export: its list says whose each folder is, also for groups.

    The list is believed only where Gradescope puts it, above nothing but the folders it names.
    """
    if root and not _GRADESCOPE_ROOT.fullmatch(root[-1]):
        return None
    lists = [file for file in files if file.path == (_GRADESCOPE,)]
    tops = {path[0] for path in _paths(files, folders)} - {_GRADESCOPE}
    tops = {top for top in tops if not _NOISE.fullmatch(top)}
    if len(lists) != 1 or not all(re.fullmatch(r"submission_\d+", top) for top in tops):
        return None
    try:
        with readable():
            # Ruby's objects, too, as tables, lists and texts, a number or a time as it is written.
            table = yaml.load(lists[0].read(20 * 2**20), Loader=yaml.BaseLoader)
    except CourseError as error:
        raise CourseError(f"{_GRADESCOPE} in the archive: {error}") from None
    entries = table if isinstance(table, dict) else {}
    people = []
    for label in sorted({*tops, *map(str, entries)}):
        entry = entries.get(label)
        handed = Handed(label, _submitters(entry), {"": [f for f in files if f.path[0] == label]})
        if not handed.members:
            handed.why = f"{_GRADESCOPE} names no student for it"
        if time := _created(entry):
            handed.times[""] = time
        people.append(handed)
    return Layout("Gradescope", people)


def _submitters(entry: Any) -> list[Known]:
    people = entry.get(":submitters") if isinstance(entry, dict) else None
    found = []
    for person in people if isinstance(people, list) else ():
        if isinstance(person, dict):
            sid, email, name = (_text(person.get(key)) for key in (":sid", ":email", ":name"))
            found.append(Known(sid or email, name, email, sid))
    return found


def _created(entry: Any) -> datetime | None:
    try:
        told = entry.get(":created_at")
        return parse_time(told["utc"] if isinstance(told, dict) else told)
    except Exception:
        return None


def _text(value: Any) -> str:
    """In one line: it is told on a terminal, among others."""
    there = isinstance(value, str) and value not in ("null", "~")
    return " ".join(plain(value).split()) if there else ""


def _nbgrader(files: list[File], folders: set[Path], assignment: Assignment) -> Layout | None:
    """`submitted/<student>/<assignment>/…`, as a course directory has it."""
    work = [file.path for file in files if is_work(file.name)]
    trees = [len(path) > 3 and path[0] == "submitted" and path[2] in course() for path in work]
    if not work or not all(trees):
        return None
    files = [file for file in files if len(file.path) > 3]
    people = {}
    for student in sorted({path[1] for path in _paths(files, folders) if path[1:] > ("",)}):
        own = [file for file in files if file.path[1] == student]
        place = ("submitted", student, assignment.name)
        here = [file for file in own if file.path[:3] == place]
        people[student] = Handed(student, [Known(student)], {"": here})
        if not here:
            people[student].why = f"there is nothing of {assignment.name}"
        for file in here:
            if file.path == (*place, "timestamp.txt"):
                try:
                    people[student].times[""] = parse_time(file.read(1000).decode())
                except Exception as error:  # the notebook counts without it
                    why = str(error) if isinstance(error, Uncertain) else "is no time"
                    people[student].doubts.append(f"timestamp.txt {why}")
    return Layout("nbgrader", list(people.values()))


def _is_class(files: list[File], folders: set[Path], assignment: Assignment) -> bool:
    """Whether a folder around everything holds people's folders, rather than one's own."""
    names = {path[0] for path in _paths(files, folders) if len(path) > 1}
    with_work = {file.path[0] for file in files if is_work(file.name)}
    loose = any(len(f.path) == 1 and is_work(f.name) and not is_archive(f.name) for f in files)
    no_people = _NO_PERSON | set(course()) | {"submitted", assignment.name}
    return not loose and len(with_work) > 1 and not names & no_people


def _folders(files: list[File], folders: set[Path], assignment: Assignment) -> Layout:
    """One folder for each student, named by the student's id."""
    people: dict[str, Handed] = {}
    strays = []
    for path in sorted(_paths(files, folders)):
        if len(path) > 1:
            people.setdefault(path[0], Handed(path[0], [Known(path[0])], {"": []}))
    for file in files:
        if len(file.path) > 1:
            people[file.path[0]].attempts[""].append(file)
        elif is_archive(file.name):
            student = file.name[: -len(".zip")]  # a folder that somebody zipped
            handed = people.setdefault(student, Handed(file.name, [Known(student)], {"": []}))
            handed.attempts[""].append(file)
        elif is_work(file.name):
            strays.append(f"{file.shown}: its name tells no student")
    for handed in people.values():
        own = [file for file in handed.attempts[""] if assignment.name in file.path[1:-1]]
        others = set(course()) - {assignment.name}
        if own and any(others & set(file.path[1:-1]) for file in handed.attempts[""]):
            handed.attempts[""] = own  # of a student's whole course, this assignment's folder
    return Layout("folders", list(people.values()), strays)


def perhaps_a_class(found: Layout, known: set[str]) -> list[str]:
    """Says so where a lone folder, taken for a student's, may be that of a class of one."""
    if found.system != "folders" or len(found.people) != 1 or found.people[0].label in known:
        return []
    (handed,) = found.people
    work = [f.path for files in handed.attempts.values() for f in files if is_work(f.name)]
    within = {path[1] for path in work if len(path) > 2}
    if any(len(path) == 2 for path in work) or not within - _NO_PERSON - set(course()):
        return []
    return [
        f"{shown(handed.label)}: the archive's only folder, taken for a student's; if it is the "
        "class's, make the archive of what is in it"
    ]
