"""A submission's files as bytes, whatever lies in their place: never through a link, never from a
pipe or a device.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from coursekit.ipynb import MAX_BYTES, too_large, without_outputs

from autograder.errors import SubmissionError, Unreachable
from autograder.files import shown


def find_notebook(folder: Path, name: str) -> tuple[bytes, list[str]]:
    """The bytes of `<name>.ipynb`, or of the one other notebook that lies in its place."""
    wanted = f"{name}.ipynb"
    with _opened(folder) as directory:
        try:
            held = sorted(os.listdir(directory))
        except OSError as error:
            raise _refusal(error, "the folder") from None
        others = [n for n in held if n.lower().endswith(".ipynb") and not n.startswith(".")]
        if wanted in held:
            return without_outputs(_read(directory, wanted)), []
        if len(others) != 1:
            raise SubmissionError(_missing(wanted, held, others))
        note = f"{shown(others[0])} was taken for {wanted}"
        return without_outputs(_read(directory, others[0])), [note]


def read_file(folder: Path, name: str) -> bytes:
    """One file of a submission, read with the same care."""
    with _opened(folder) as directory:
        return _read(directory, name)


_CAREFUL = all(hasattr(os, name) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"))
"""Not on Windows, where nothing is graded, but reports and exports are made."""


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | Path]:
    missing = SubmissionError(f"there is no folder {shown(folder.name)} to read")
    if not _CAREFUL:
        if not folder.is_dir() or folder.is_symlink():
            raise missing
        yield folder
        return
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise missing from None
        raise _refusal(error, f"the folder {shown(folder.name)}") from None
    try:
        yield directory
    finally:
        os.close(directory)


def _missing(wanted: str, held: list[str], others: list[str]) -> str:
    if not held:
        return f"there is no {wanted}; the folder is empty"
    names = ", ".join(map(shown, (others or held)[:8]))
    names += ", …" if len(others or held) > 8 else ""
    if others:
        return f"there is no {wanted}, and it is not clear which one is meant of {names}"
    return f"there is no {wanted}; the folder holds {names}"


_NOT_THERE = (errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_NO_FILE = (*_NOT_THERE, errno.EISDIR, errno.ENXIO, errno.ENODEV)


def _refusal(error: OSError, what: str) -> SubmissionError:
    kind = SubmissionError if error.errno in _NO_FILE else Unreachable
    return kind(f"{what} cannot be read ({error.strerror})")


def _read(directory: int | Path, name: str) -> bytes:
    """A regular file's bytes."""
    try:
        if isinstance(directory, Path):
            if (directory / name).is_symlink():
                raise OSError(errno.ELOOP, "")
            file = os.open(directory / name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        else:  # O_NONBLOCK: opening a named pipe must not wait for a writer
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SubmissionError(f"{shown(name)} is a link and no file") from None
        raise _refusal(error, shown(name)) from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"{shown(name)} is no regular file")
        if status.st_size > MAX_BYTES:
            raise SubmissionError(too_large(status.st_size))
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(error, shown(name)) from None
    finally:
        os.close(file)
    if len(data) > MAX_BYTES:
        raise SubmissionError(too_large(len(data)))
    return data
