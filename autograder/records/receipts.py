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
from autograder.judging.notebook_file import read_file
from autograder.results import Result

from .gradebook.times import TIMESTAMP, submission_time

SECRET = "submission_secret.txt"


def write_receipts(course_dir: Path, result: Result) -> None:
    """Into `feedback/<student>/<name>/`."""
    submitted, folder, _ = _folders(course_dir, result)
    _write(folder / TIMESTAMP, submission_time(submitted).text.encode())
    _write(folder / SECRET, _kept_secret(course_dir, result))


def remove_receipts(course_dir: Path, result: Result) -> None:
    """Makes room for `nbgrader generate_feedback`, which skips a folder that exists."""
    _kept_secret(course_dir, result)
    _, folder, _ = _folders(course_dir, result)
    for name in (TIMESTAMP, SECRET):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def _kept_secret(course_dir: Path, result: Result) -> bytes:
    """The secret, which now lies beside the autograded notebook too: `nbgrader
    generate_feedback` takes it along from there."""
    submitted, folder, autograded = _folders(course_dir, result)
    places = filter(None, map(_secret, (submitted, folder, autograded)))
    secret = next(places, secrets.token_hex(32).encode())
    _write(autograded / SECRET, secret)
    return secret


def _folders(course_dir: Path, result: Result) -> list[Path]:
    steps = ("submitted", "feedback", "autograded")
    return [course_dir / step / result.student / result.assignment for step in steps]


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
