"""The `autograder` command: one file per group of verbs, which ask the other rooms in turn."""

from __future__ import annotations

import errno
import sys

from autograder.errors import CageError, CourseError
from autograder.files import in_the_way, plain

from . import authoring, exchange, grading
from .printing import printing
from .terminal import UNIX, app

__all__ = ["app", "authoring", "exchange", "grading", "main"]

_MACHINE_S = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG),
    *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
)
"""What a machine, a disk or a server refuses, and no fault of the program's."""


def main() -> None:
    """The command's entry: a course's or the machine's fault is one sentence and exit code 2."""
    try:
        with printing():
            app()
        return
    except (CourseError, CageError) as error:
        said = plain(str(error))
    except ModuleNotFoundError as error:
        if error.name not in UNIX:
            raise
        said = (
            "this needs Linux (on Windows: WSL 2), where a student's code can be locked in. "
            "report, export and collect work here too; explain shows what is recorded"
        )
    except OSError as error:
        if error.errno not in _MACHINE_S and not in_the_way(error):
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        said = f"{what}. Results that were written are kept; put it right and start again"
    print(f"autograder: {said}", file=sys.stderr)
    raise SystemExit(2)
