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
        submitted = self.course_dir / "submitted" / result.student / result.assignment
        folder = self._folder(result)
        _, time, _ = submission_time(submitted)
        _write(folder / "timestamp.txt", time.encode())
        secret = _secret(submitted)
        if secret or not _secret(folder):
            _write(folder / SECRET, secret or secrets.token_hex(32).encode())

    def complete(self, result: Result) -> None:
        """Writes them beside a page that is there, of somebody who is not graded any more."""
        if self._folder(result).is_dir():
            self.record(result)

    def remove(self, result: Result) -> None:
        """Makes room for `nbgrader generate_feedback`, which skips a folder that exists."""
        for name in ("timestamp.txt", SECRET):
            with contextlib.suppress(OSError):
                (self._folder(result) / name).unlink()

    def _folder(self, result: Result) -> Path:
        return self.course_dir / "feedback" / result.student / result.assignment


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
