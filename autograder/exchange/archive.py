"""A zip archive as plain files, whatever program made it, and bounds on what it may become.

Names come out in one spelling: forward slashes, composed letters, UTF-8 also where a program
forgot to say so. Nothing is unpacked to a disk; a file is read when somebody asks, and of each no
more than was asked for.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, NamedTuple

from autograder.errors import CourseError
from autograder.files import shown

MAX_MEMBERS = 100_000
MAX_INNER_BYTES = 100 * 2**20
"""Of an archive that a student handed in, as it stands in the class's."""
MAX_OPENED = 2 * MAX_INNER_BYTES
"""Of all archives of one person that are opened, one within another too: they stay in memory."""
MAX_INNER_MEMBERS = 2_000
"""Of one such archive; of all of one person no more are opened once they hold as many."""
MAX_NESTED = 2
"""Archives one in another that are opened."""
MAX_TROUBLE = 3
"""Archives and hidden files of one person that are named because they are not read."""
MAX_HIDDEN = 20
"""Of one outermost folder."""
MAX_PACKED = 100
"""How many bytes one may become in a file of more than `FREELY_PACKED`; a notebook's text is packed
some five to one, but a line that was printed a hundred thousand times almost vanishes."""
FREELY_PACKED = 16 * 2**20
MAX_FOLDERS = 100
"""One in another. Each is kept by its whole path: of 30 000 in one name that was gigabytes."""
_JUNK = re.compile(r"__MACOSX|Thumbs\.db|desktop\.ini|__pycache__|\..*", re.IGNORECASE)
_LITTER = re.compile(
    r"[^.].*|\.(?:[_~].*|DS_Store|Trash.*|Spotlight.*|fseventsd|fuse_hidden.*|nfs[0-9a-f]+"
    r"|directory|ipynb_checkpoints|virtual_documents|jupyter(?:[_-].*)?|ipython|nbgrader(?:\..*)?"
    r"|otter(?:_.*)?|git(?:ignore|attributes|modules|keep|hub|lab.*)?|svn|hg(?:ignore|tags)?"
    r"|vscode(?:-.*)?|idea|spyproject|Rproj\.user|project|pydevproject|settings|editorconfig"
    r"|bash(?:rc|_.*)|profile|venv|env|conda|local|config|npm|(?:.*_)?cache|python.*|matplotlib)",
    re.IGNORECASE,
)
"""Of what is hidden, what no student means: programs left it."""
_HIDDEN = "not read, as no name that begins with a dot is; give it another if it is somebody's work"
_ASTRAY = "its name leads out of the archive, or too deep"
_DRIVE = re.compile(r"[A-Za-z]:")


class File(NamedTuple):
    """One file of an archive."""

    path: tuple[str, ...]
    """Its folders and its name."""
    shown: str
    """The archive's own name for it, in one line, for messages."""
    time: datetime | None
    """When it was last changed; without a zone where the archive tells none."""
    link: bool
    read: Callable[[int], bytes]
    """The bytes; CourseError if there are more than the argument, or they cannot be read."""

    @property
    def name(self) -> str:
        return self.path[-1]


class Listing(NamedTuple):
    """What an archive holds."""

    files: list[File]
    folders: set[tuple[str, ...]]
    left_out: list[str]
    """Of each that is named because it is not read: its name and why. Names that lead out of the
    archive or through too many folders, and hidden ones that may be somebody's or their work."""


def listing(zipped: zipfile.ZipFile, most: int = MAX_MEMBERS) -> Listing:
    """The archive's files without what systems leave behind (`__MACOSX`, `.git`)."""
    members = zipped.infolist()
    if len(members) > most:
        raise CourseError(f"the archive has {len(members)} files; at most {most} are read")
    found = Listing([], set(), [])
    hidden: dict[tuple[str, ...], None] = {}
    for member in members:
        name = _name(member)
        path = _path(name)
        if not path and not member.is_dir():
            found.left_out.append(f"{shown(name)}: {_ASTRAY}")
            continue
        if junk := [number for number, part in enumerate(path) if is_junk(part)]:
            found.folders.update(path[:n] for n in range(1, junk[0] + 1))  # whose it is counts
            if not any(_LITTER.fullmatch(path[n]) for n in junk) and (not junk[0] or is_work(name)):
                hidden.setdefault(path[: junk[0] + 1])
            continue
        if member.is_dir() or name.endswith("/"):
            found.folders.add(path)
            continue
        found.folders.update(path[:n] for n in range(1, len(path)))
        link = stat.S_ISLNK(member.external_attr >> 16)
        found.files.append(File(path, shown(name), _time(member), link, _reader(zipped, member)))
    found.folders.discard(())
    found.left_out.extend(f"{name}: {_HIDDEN}" for name in _few_of_each(hidden))
    return found


def _few_of_each(hidden: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Their names, the outermost first; of what lies in one outermost folder no more than a few."""
    ordered = sorted(hidden, key=lambda path: (path[0], len(path), path))
    for top, paths in itertools.groupby(ordered, key=lambda path: path[0]):
        names = [shown("/".join(path)) for path in paths]
        yield from names[:MAX_HIDDEN]
        if len(names) > MAX_HIDDEN:
            yield f"{len(names) - MAX_HIDDEN} more in {shown(top)}"


def inner(data: bytes, file: File) -> Listing:
    """What an archive within the archive holds, its files one folder deeper; CourseError where
    that cannot be read."""
    with readable():
        held = listing(zipfile.ZipFile(io.BytesIO(data)), MAX_INNER_MEMBERS)
    files = [
        one._replace(path=(*file.path, *one.path), shown=f"{file.shown} → {one.shown}")
        for one in held.files
    ]
    folders = {(*file.path, *folder) for folder in held.folders}
    return Listing(files, folders, [f"{file.shown} → {line}" for line in held.left_out])


def opened(files: list[File]) -> tuple[list[File], list[str]]:
    """The files with those of the archives among them; and which archives cannot be read."""
    found: list[File] = []
    trouble: list[str] = []
    left, members = MAX_OPENED, MAX_INNER_MEMBERS
    queue = [(file, MAX_NESTED) for file in reversed(files)]
    while queue:
        file, depth = queue.pop()
        if not is_archive(file.name) or not depth:
            found.append(file)
            continue
        try:
            if members <= 0:
                raise CourseError("the others hold too many files")
            data = file.read(max(0, min(MAX_INNER_BYTES, left)))
            left -= len(data)
            held = inner(data, file)
            members -= len(held.files)
            trouble += held.left_out
            queue += [(one, depth - 1) for one in reversed(held.files)]
        except CourseError as error:
            left -= MAX_INNER_BYTES // 10  # it may have taken as long
            trouble.append(f"{file.shown}: {error}")
    if len(trouble) > MAX_TROUBLE:
        trouble[MAX_TROUBLE:] = [f"and {len(trouble) - MAX_TROUBLE} more"]
    return found, trouble


def is_junk(name: str) -> bool:
    """What systems leave behind, and what is hidden."""
    return _JUNK.fullmatch(name) is not None


def is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def is_work(name: str) -> bool:
    return ".ipynb" in name.lower() or is_archive(name)


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name with forward slashes and composed letters."""
    name = member.filename
    for kind, data in _extras(member.extra):
        if kind == 0x7075 and data[:1] == b"\x01":  # Info-ZIP's name in UTF-8
            name = data[5:].decode("utf-8", "replace")
    if not member.flag_bits & 0x800 and not name.isascii():
        with contextlib.suppress(UnicodeError):  # else it is what it says
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _path(name: str) -> tuple[str, ...]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    leads_out = name.startswith("/") or ".." in parts or (parts and _DRIVE.match(parts[0]))
    return () if leads_out or len(parts) > MAX_FOLDERS else tuple(parts)


def _time(member: zipfile.ZipInfo) -> datetime | None:
    for kind, data in _extras(member.extra):
        if kind == 0x5455 and len(data) >= 5 and data[0] & 1:  # seconds since 1970, which are UTC
            return datetime.fromtimestamp(struct.unpack_from("<i", data, 1)[0], UTC)
    try:
        moment = datetime(*member.date_time)
    except ValueError:
        return None
    return moment if moment.year > 1980 else None  # where nobody knew, it is 1980


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        yield kind, extra[4 : 4 + size]
        extra = extra[4 + size :]


def _reader(zipped: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        """Whatever the archive says of its own sizes."""
        with readable(), zipped.open(member) as file:
            data = at_most(most, file)
        if len(data) > max(FREELY_PACKED, MAX_PACKED * member.compress_size):
            raise CourseError(
                f"larger than {FREELY_PACKED >> 20} MB and packed more than {MAX_PACKED} to 1, as "
                "no honest file is"
            )
        return data

    return read


def at_most(most: int, file: IO[bytes]) -> bytes:
    data = file.read(most + 1)
    if len(data) > most:
        raise CourseError(f"larger than {most >> 20} MB")
    return data


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Whatever stops the reading of what somebody made becomes a CourseError that says so: a
    password, an unknown method, and each method has errors of its own."""
    try:
        yield
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"cannot be read ({str(error) or type(error).__name__})") from None
