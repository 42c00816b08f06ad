"""Attempts: what somebody handed in of an assignment, where that was more than once.

`DIR/attempts/<name>/<student>/<number>/` has each in the order in which they came: the notebook
with its `timestamp.txt`, as in `submitted`, and of those that do not count `result.json`, the
feedback page, and `by_hand.json` with the points that somebody gave for it. `submitted` has the
one that counts. Which one that is, and what each earned, is in `history.json`.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from autograder.errors import SubmissionError
from autograder.files import write_atomically
from autograder.judging.notebook_file import find_notebook
from autograder.results import write_json

from .words import points

Policy = Literal["last", "best"]


class Attempt(msgspec.Struct, kw_only=True):
    """One line of a history."""

    number: int
    time: str
    """When it came in, as far as that is known."""
    total: float | None
    """Its mark, points by hand and what being late costs included; None where it has none."""
    max_points: float
    counts: bool
    by_hand: list[str] = []
    """Exercises with points that somebody gave for this attempt; they stay with it."""


def history(course_dir: Path, name: str, student: str) -> list[Attempt]:
    """The attempts in their order; none where there was one alone."""
    try:
        path = place(course_dir, name, student) / "history.json"
        return msgspec.json.decode(path.read_bytes(), type=list[Attempt])
    except (OSError, ValueError):
        return []


def save_history(course_dir: Path, name: str, student: str, attempts: list[Attempt]) -> None:
    if history(course_dir, name, student) != attempts:
        write_json(place(course_dir, name, student) / "history.json", attempts)


def told(course_dir: Path, name: str, student: str) -> tuple[str, ...]:
    """Which attempt counts, and what belongs to another one."""
    attempts = history(course_dir, name, student)
    counting = [one.number for one in attempts if one.counts]
    if not counting or len(attempts) < 2:
        return ()
    others = [one for one in attempts if not one.counts]
    had = ", ".join(f"{one.number} had {points(one.total)}" for one in others)
    by_hand = [
        f"what was given by hand for attempt {one.number} ({', '.join(one.by_hand)}) stays with it"
        for one in others
        if one.by_hand
    ]
    return (f"attempt {counting[0]} of {attempts[-1].number} counts; {had}", *by_hand)


def place(course_dir: Path, name: str, student: str) -> Path:
    return course_dir / "attempts" / name / student


def folders(course_dir: Path, name: str, student: str) -> list[Path]:
    """One for each attempt, in their order."""
    found = place(course_dir, name, student).glob("*")
    return sorted((path for path in found if path.name.isdecimal()), key=lambda p: int(p.name))


def add(course_dir: Path, name: str, student: str, data: bytes | None, time: str) -> Path:
    """Another attempt; its folder. `time`: what its timestamp.txt says."""
    known = folders(course_dir, name, student)
    if known and not any((known[-1] / file).exists() for file in (f"{name}.ipynb", "result.json")):
        known.pop()  # whoever wrote it was stopped
    number = int(known[-1].name) + 1 if known else 1
    folder = place(course_dir, name, student) / str(number)
    (folder / "timestamp.txt").unlink(missing_ok=True)  # of whoever was stopped
    if time:
        write_atomically(folder / "timestamp.txt", time.encode())
    if data is not None:
        write_atomically(folder / f"{name}.ipynb", data)
    return folder


def sha256(folder: Path, name: str) -> str:
    """Of an attempt's notebook, as results have it; of the one that was graded, where only its
    result was kept."""
    with contextlib.suppress(SubmissionError):
        return hashlib.sha256(find_notebook(folder, name)[0]).hexdigest()
    with contextlib.suppress(OSError, ValueError):
        data = (folder / "result.json").read_bytes()
        return msgspec.json.decode(data, type=_File).submission_sha256
    return ""


class _File(msgspec.Struct):
    submission_sha256: str


def policy(course_dir: Path, name: str) -> Policy:
    """Which of several attempts counts: what `grade --policy` said last."""
    try:
        text = _policy(course_dir, name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "last"
    return "best" if text.strip() == "best" else "last"


def save_policy(course_dir: Path, name: str, chosen: Policy) -> None:
    write_atomically(_policy(course_dir, name), f"{chosen}\n".encode())


def _policy(course_dir: Path, name: str) -> Path:
    """Beside the students' folders: one of them may be called policy."""
    return course_dir / "attempts" / f"{name}.policy"
