"""What nbgrader's `release_feedback` wants beside a feedback page: two small files.

`timestamp.txt` says when the submission came in, `submission_secret.txt` under which name the
exchange keeps the page. Both were made when the student submitted through nbgrader's exchange.
Without them its command stops, for everyone; so who came another way gets a secret that is
nobody's.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.files import write_atomically
from autograder.judging.submission import read_file
from autograder.results import Result

from .gradebook import submission_time

SECRET = "submission_secret.txt"


class Receipts:
    """Writes them into `feedback/<student>/<name>/`."""

    def __init__(self, course_dir: Path) -> None:
        self.course_dir = course_dir

    def record(self, result: Result) -> None:
        folder = self._folder(result)
        _, time, _ = submission_time(self._folder(result, "submitted"))
        _write(folder / "timestamp.txt", time.encode())
        _write(folder / SECRET, self._kept(result))

    def complete(self, result: Result) -> None:
        """Writes them beside a page that is there, of somebody who is not graded any more."""
        if self._folder(result).is_dir():
            self.record(result)

    def remove(self, result: Result) -> None:
        """Makes room for `nbgrader generate_feedback`, which skips a folder that exists."""
        self._kept(result)
        for name in ("timestamp.txt", SECRET):
            with contextlib.suppress(OSError):
                (self._folder(result) / name).unlink()

    def _kept(self, result: Result) -> bytes:
        """The secret, which now lies beside the autograded notebook too: `nbgrader
        generate_feedback` takes it along from there."""
        autograded = self._folder(result, "autograded")
        places = (self._folder(result, "submitted"), self._folder(result), autograded)
        secret = next(filter(None, map(_secret, places)), secrets.token_hex(32).encode())
        _write(autograded / SECRET, secret)
        return secret

    def _folder(self, result: Result, step: str = "feedback") -> Path:
        return self.course_dir / step / result.student / result.assignment


def _secret(folder: Path) -> bytes:
    try:
        text = read_file(folder, SECRET)[:1000].decode()
    except (SubmissionError, UnicodeDecodeError):
        return b""
    return text.encode() if text.strip() else b""


def _write(path: Path, data: bytes) -> None:
    try:
        known = path.read_bytes()
    except OSError:
        known = None
    if known != data:
        write_atomically(path, data)
