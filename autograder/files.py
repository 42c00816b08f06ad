"""Files written whole or not at all, and text that no reader is fooled by."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import math
import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def plain(text: str) -> str:
    """`text` without what a terminal, a page or a reader could be fooled by: control
    characters, ANSI sequences, bidirectional overrides."""
    if text.isprintable():
        return text  # most are, and a page has hundreds
    return "".join(
        c if c in _HARMLESS or unicodedata.category(c)[0] != "C" else "\ufffd" for c in text
    )


_HARMLESS = "\n\t\u200c\u200d"
"""With what joins letters, or keeps them apart, in Persian, in Indian scripts and in emoji."""


def shown(name: str) -> str:
    """A name that a stranger chose in one line, for a message."""
    return re.sub("[\n\u2028\u2029]", "\ufffd", plain(name)).replace("\t", " ")[:120]


def nearest(value: float, decimals: int = 2) -> float:
    """Halves go up, as in formgrader: Python's own go to the even number, some of them down."""
    shifted = value * 10**decimals
    return math.floor(shifted + 0.5) / 10**decimals if math.isfinite(shifted) else value


def as_csv(rows: Iterable[Iterable[Any]]) -> str:
    """A table that no spreadsheet takes for a program."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(harmless, row) for row in rows)
    return text.getvalue()


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula becomes text again; numbers are rounded.

    Some take a full-width sign for the sign, and pass over spaces before it; some begin a cell
    after a semicolon or a tab, whatever the table's own separator is. What is a number up to where
    the cell ends is no formula, nor is a dash alone, which is nothing in Moodle's worksheet.
    """
    if isinstance(cell, float):
        return nearest(cell)
    if not isinstance(cell, str) or cell == "-":
        return cell
    text = _CELL_ENDS.sub(r"\1'", plain(cell))
    begins = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))[:1]
    runs = begins in tuple("=+-@") and not _NUMBER.match(text.lstrip())
    return f"'{text}" if (text[:1] in "\t\r\n" and text) or runs else text


_NUMBER = re.compile(r"[+-][0-9][0-9.,]*+(?:[eE][+-]?[0-9]++)?[\"' ]*+(?:[;\t\n]|$)")
_UNSEEN = re.compile(r"^[\s\u200c\u200d]+")
_CELL_ENDS = re.compile(
    rf"([;\t\n][\"'\s\u200c\u200d]*)(?=[=+@\-＝＋＠－﹦﹢﹫﹣⁺⁻₊₋⁼₌])(?!{_NUMBER.pattern})"
)


LONGEST = 128
"""Letters of an id, a name or an address in nbgrader's database; some servers take no more."""


_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, as Unicode has it, that nobody sees."""


def usable_id(name: str) -> bool:
    """A folder's and a file's name, also with an ending added, that can be shown as it is."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or len(name) > LONGEST:
        return False
    try:
        return len(name.encode()) <= 200 and name.isprintable() and _BLANK.isdisjoint(name)
    except UnicodeEncodeError:
        return False


def same_id(name: str) -> str:
    """What an id has in common with all that a reader, or another file system, takes for it:
    capitals, the ways to spell an accent, blanks and points at its ends."""
    return unicodedata.normalize("NFKC", name).casefold().strip(" .")


def joined(*names: str) -> str:
    """The letters and digits of a name alone, in one word."""
    return "".join(filter(str.isalnum, same_id("".join(names))))


def several(names: list[str]) -> str:
    """The names on one line, of a large class the first ones."""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


_STROKES = str.maketrans(
    {"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ı": "i", "ł": "l", "ø": "o", "œ": "oe", "þ": "th"}
)


def alphabetical(name: str) -> str:
    """By which names are put in order: capitals, accents and strokes do not count."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(_STROKES)


_UNFINISHED = re.compile(r"\..+\.\d+\.part")  # what `write_atomically` calls its own


def remove_unfinished(folder: Path) -> None:
    """What a process that was killed while it wrote has left below `folder`.

    A folder is nobody's unfinished file, whatever its name: a student's id may end in `.part`.
    """
    for path in folder.rglob(".*.part"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.unlink()


def share(path: Path) -> None:
    """Gives a file or folder to the group of the folder that it lies in, where that folder is the
    group's to write in: two assistants at work on one course must not shut each other out."""
    folder = path.parent.stat()
    if not folder.st_mode & stat.S_IWGRP:
        return
    with contextlib.suppress(OSError):  # another's file: who made it has shared it
        status = path.stat()
        if status.st_gid != folder.st_gid:
            os.chown(path, -1, folder.st_gid)
        of_group = stat.S_IRGRP | stat.S_IWGRP
        if path.is_dir():
            of_group |= stat.S_IXGRP | folder.st_mode & stat.S_ISGID
        if status.st_mode & of_group != of_group:
            path.chmod(stat.S_IMODE(status.st_mode) | of_group)


def make_folder(path: Path) -> None:
    """The folder and those above it, each with the rights of the one that it lies in."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        share(folder)


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """`data` at `path`, whole or not at all, also when the power goes. `private`: nobody but its
    owner, and the group of a shared folder, can read it at any moment."""
    try:
        _write(path, data, private)
    except FileNotFoundError:  # a grader that began meanwhile took it for one that was killed
        _write(path, data, private)


def _write(path: Path, data: bytes, private: bool) -> None:
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600 if private else 0o666), "wb") as file:
            share(temporary)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Waits for everybody else who is here for the same folder; where there are no locks, for
    nobody."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            place = os.open(folder, os.O_RDONLY)
            held.callback(os.close, place)
            fcntl.flock(place, fcntl.LOCK_EX)
        yield


def in_the_way(error: OSError) -> bool:
    """Whether it is what stands in one file's place, a folder say, and no matter of others'."""
    kinds = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)
    return error.errno in kinds


def newer(path: Path, *others: Path) -> bool:
    """Whether `path` was written after all the others, which are all there; a time that is still
    to come says nothing, the clock was wrong."""
    try:
        written = path.lstat().st_mtime_ns
        return written <= time.time_ns() and all(
            other.stat().st_mtime_ns <= written for other in others
        )
    except OSError:
        return False
