"""Files written whole or not at all, and text that no reader is fooled by."""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from pathlib import Path


def plain(text: str) -> str:
    """`text` without what a terminal, a page or a reader could be fooled by: control
    characters, ANSI sequences, bidirectional overrides."""
    if text.isprintable():
        return text  # most are, and a page has hundreds
    return "".join(
        c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "\ufffd" for c in text
    )


_UNFINISHED = re.compile(r"\..+\.\d+\.part")  # what `write_atomically` calls its own


def remove_unfinished(folder: Path) -> None:
    """What a process that was killed while it wrote has left below `folder`.

    A folder is nobody's unfinished file, whatever its name: a student's id may end in `.part`.
    """
    for path in folder.rglob(".*.part"):
        if _UNFINISHED.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.unlink()


def write_atomically(path: Path, data: bytes) -> None:
    """`data` at `path`, whole or not at all, also when the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def newer(path: Path, *others: Path) -> bool:
    """Whether `path` was written after all the others, which are all there."""
    try:
        written = path.lstat().st_mtime_ns
        return all(other.stat().st_mtime_ns <= written for other in others)
    except OSError:
        return False
