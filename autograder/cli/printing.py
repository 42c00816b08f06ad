"""What is printed stops no work, whether anybody reads it or not."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class _Unheard(io.RawIOBase):
    """A stream whose reader may be gone, or whose disk full: what it does not take is left out."""

    def __init__(self, raw: io.RawIOBase, faults: list[OSError]) -> None:
        self.raw, self.faults = raw, faults

    def write(self, data: Any) -> int | None:
        try:
            while (written := self.raw.write(data)) is None:  # another program set it not to wait
                select.select([], [self.raw], [])
            return written
        except OSError as error:
            self.faults.append(error)
            return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.raw.fileno()

    def isatty(self) -> bool:
        return self.raw.isatty()


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """All is done that a command does, whoever reads what it prints; OSError at its end if standard
    output was not written, and not because its reader had gone."""
    faults: list[OSError] = []
    sys.stdout, sys.stderr = _unheard(sys.stdout, faults), _unheard(sys.stderr, [])
    try:
        yield
    except SystemExit:  # as every command ends
        sys.stdout.flush()
        if faults and faults[0].errno != errno.EPIPE:
            raise OSError(faults[0].errno, faults[0].strerror, "standard output") from None
        raise


def _unheard(stream: TextIO | None, faults: list[OSError]) -> TextIO:
    if stream is None:  # it was closed; without one, what is for it would go to the other
        return open(os.devnull, "w", encoding="utf-8")
    binary = getattr(stream, "buffer", None)
    raw = getattr(binary, "raw", binary)  # one, where Python buffers nothing
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(raw, io.RawIOBase):
        return stream  # in memory
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Unheard(raw, faults)),
        stream.encoding,
        "backslashreplace",  # a name that it has no letters for stops nothing, too
        line_buffering=stream.line_buffering or stream.write_through,
    )
