"""One page for each student: what was earned, what went wrong, and what to look at.

A page is one file without scripts or outside parts. Everything in it that a student could have
written is escaped and freed of control characters, and the page forbids scripts by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from autograder.course import Assignment, cell_of
from autograder.files import newer, write_atomically
from autograder.judging.outline import outline_of
from autograder.results import ExerciseResult, Result, Store, submitted

from .gradebook import Mark, Recorder
from .gradebook.marks import of_checks
from .gradebook.notebooks import graded_answers
from .pages import TEMPLATES, page
from .receipts import remove_receipts, write_receipts

_TEMPLATE = TEMPLATES / "feedback.html.j2"
_MAKERS = (
    *("templates/page.html.j2", "feedback.py", "pages.py", "words.py", "../files.py"),
    *("gradebook/marks.py", "gradebook/students.py"),
)
"""Whose words and figures a page has."""
_GENERATOR = b'<meta name="generator" content="autograder'
_MOST_CODE = 10_000
STATUS = {
    "right": "right",
    "partly": "partly right",
    "wrong": "not right yet",
    "unwritten": "not written yet",
    "missing": "not found",
    "error": "not graded",
}


class Pages:
    """Writes `feedback/<student>/<name>/<name>.html` for each result, with the gradebook's mark,
    and beside it what `nbgrader release_feedback` wants."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.course_dir, self.assignments = recorder.course_dir, recorder.assignments
        self.store = Store(self.course_dir)

    def path(self, result: Result) -> Path:
        folder = self.course_dir / "feedback" / result.student / result.assignment
        return folder / f"{result.assignment}.html"

    def record(self, result: Result) -> None:
        """Writes the page, where it is not the one of this result and this mark already."""
        self._write(result, self.recorder.mark(result))

    def renew(
        self, assignment: Assignment, students: Iterable[str], marks: Mapping[str, Mark]
    ) -> None:
        """The pages of these students, whose marks these are now, as somebody may have marked by
        hand: one query for a class, not one for each."""
        for student in students:
            result = self.store.load(assignment.name, student)
            if result is not None:
                self._write(result, marks.get(student))

    def _write(self, result: Result, mark: Mark | None) -> None:
        path, assignment = self.path(result), self.assignments[result.assignment]
        mark = mark or of_checks(assignment, result)
        write_receipts(self.course_dir, result)
        try:
            known = path.read_bytes()
        except OSError:
            known = b""
        if _ours(known):
            if _stamp(result, mark).encode() in known[:1000]:
                return
        elif newer(path, self.store.path(result.assignment, result.student)) and (
            mark.total is not None and _theirs(mark).encode() in known.partition(b"</h4>")[0]
        ):
            return  # nbgrader's own, of this total, which somebody made because they wanted it
        folder = submitted(self.course_dir, result.student, result.assignment)
        write_atomically(path, self.page(result, mark, folder).encode())

    def page(self, result: Result, mark: Mark, folder: Path) -> str:
        """The page of a submission that lies in this folder."""
        assignment = self.assignments[result.assignment]
        return page_of(assignment, result, mark, graded_answers(folder, assignment, result))

    def complete(self, result: Result) -> None:
        """Writes what lies beside a page that is there, of somebody who is not graded any more."""
        if self.path(result).parent.is_dir():
            write_receipts(self.course_dir, result)

    def remove(self, result: Result) -> None:
        """Makes room for `nbgrader generate_feedback`, which skips a folder that exists."""
        path = self.path(result)
        remove_receipts(self.course_dir, result)
        with contextlib.suppress(OSError):
            if _ours(path.read_bytes()):
                path.unlink()
                path.parent.rmdir()


def _ours(page: bytes) -> bool:
    return _GENERATOR in page[:1000]


def _theirs(mark: Mark) -> str:
    """The total in the heading of nbgrader's page, below which each cell has a score, too. It goes
    below zero, and rounds halves as Python does."""
    return f"(Score: {round(mark.points - mark.penalty, 2)} / "


def _stamp(result: Result, mark: Mark) -> str:
    """What the page was made of, as one hash."""
    makers = [_TEMPLATE, *(Path(__file__).parent / name for name in _MAKERS)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in makers))
    digest.update(msgspec.json.encode(result) + repr(mark).encode())
    return digest.hexdigest()[:16]


class Shown(NamedTuple):
    """One exercise as its student sees it."""

    result: ExerciseResult
    messages: list[str]
    """What its checks say; of hidden ones no more than the exercise itself does."""
    code: list[tuple[bool, str]]
    """The student's own lines, and whether a message speaks of them."""
    builds_on: list[str]
    """Other exercises that it uses and that are not right either."""
    sum: str
    """How the points of the checks came about."""


def page_of(assignment: Assignment, result: Result, mark: Mark, written: dict[str, str]) -> str:
    """The page as HTML. `written`: the student's text by solution cell."""
    lost = {one.name for one in result.exercises if one.points < one.max_points}
    stubs = outline_of(assignment).stubs
    shown = [
        Shown(
            result=one,
            messages=_messages(one),
            code=_code(one, written.get(one.name, ""), stubs.get(one.name, "")),
            builds_on=[name for name in one.rests_on if name in lost] if one.name in lost else [],
            sum=_sum(one),
        )
        for one in result.exercises
    ]
    elsewhere = {one.name for one in result.exercises} | mark.in_words.keys()
    return page(
        _TEMPLATE.name,
        assignment=assignment,
        result=result,
        mark=mark,
        exercises=shown,
        begin=_where_to_begin(shown),
        others=[name for name in mark.comments if name not in elsewhere],
        written=written,
        stamp=_stamp(result, mark),
        STATUS=STATUS,
    )


def _messages(exercise: ExerciseResult) -> list[str]:
    """The exercise's own message, and what failed public checks say beyond it.

    A hidden check's message stays out: the page names it by its title. Where the function is
    not there, one message says it all.
    """
    public = [check.message for check in exercise.checks if not check.hidden]
    if exercise.status in ("unwritten", "missing"):
        public = []
    return [text for text in dict.fromkeys([exercise.message, *public]) if text]


def _code(one: ExerciseResult, code: str, stub: str) -> list[tuple[bool, str]]:
    """What the student wrote, where something is to be mended in it."""
    if not code or one.status in ("right", "unwritten", "missing"):
        return []
    messages = "\n".join([one.message, *(check.message for check in one.checks)])
    told = set(re.findall(rf"line (\d+) of {re.escape(cell_of(one.name))}\b", messages))
    lines = _without(_docstrings(stub), code[:_MOST_CODE].rstrip().split("\n"))
    return [(str(number) in told, line) for number, line in lines]


def _without(docstrings: list[list[str]], lines: list[str]) -> list[tuple[int, str]]:
    """The lines with their numbers, without docstrings that are the course's and not the student's:
    of each stays one line."""
    numbered = list(enumerate(lines, 1))
    for text in docstrings:
        for at in range(len(numbered) - len(text) + 1):
            if [line for _, line in numbered[at : at + len(text)]] == text:
                indent = text[0][: len(text[0]) - len(text[0].lstrip())]
                numbered[at : at + len(text)] = [(0, f'{indent}"""…"""')]
                break
    return numbered


def _docstrings(stub: str) -> list[list[str]]:
    found = re.findall(r'^[ \t]+""".*?"""$', stub, re.MULTILINE | re.DOTALL)
    return [text.split("\n") for text in found if "\n" in text]


def _sum(one: ExerciseResult) -> str:
    """ "2 + 2 = 4 of 10", and what was taken off that."""
    hidden = [check for check in one.checks if check.worth]
    if not hidden or one.status in ("error", "right", "unwritten", "missing"):
        return ""
    passed = sum(check.worth for check in hidden if check.outcome == "passed")
    if not passed:
        return ""
    text = f"The checks passed make {passed:.2f} of {one.max_points:g} points."
    halved = any(check.point and check.outcome == "failed" for check in hidden)
    if halved and one.points < passed - 0.005:
        text += (
            " The one that the exercise is about failed: then an answer keeps at most half, so "
            f"{one.points:.2f}."
        )
    return text


def _where_to_begin(shown: list[Shown]) -> list[tuple[str, list[str]]]:
    """Exercises that are not right and that others build on, which are not right either."""
    resting = {one.result.name: one.builds_on for one in shown}
    found = []
    for name, below in resting.items():
        above = [other for other, its in resting.items() if name in its]
        if above and not below:
            found.append((name, above))
    return found
