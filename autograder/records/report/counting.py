"""Counts: every figure of the page about an assignment's class.

What is counted where: marks are those of graded submissions. An unreadable one has no mark to
compare, and a grader's own fault is nobody's zero. An exercise's rates leave out answers that
the grader failed to judge.
"""

from __future__ import annotations

import os
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from autograder.course import Assignment
from autograder.records import similar
from autograder.records.gradebook import Mark
from autograder.records.gradebook.students import Person
from autograder.records.history import Attempt, Policy
from autograder.records.words import STATUS, duration
from autograder.results import CheckResult, ExerciseResult, Result

# Why a check failed, in the order in which an instructor should look. The first group ended or
# prevented the call; the second is about what came back.
_BROKE = {
    "time": "ran out of computing time",
    "memory": "ran out of memory",
    "died": "ended or crashed Python",
    "error": "stopped with an exception",
    "missing": "name not defined",
    "signature": "cannot be called as asked",
    "unwritten": "still to be written",
}
_ANSWERED = {
    "type": "wrong type",
    "shape": "wrong shape",
    "finite": "NaN or infinity",
    "value": "wrong value",
    "property": "a property does not hold",
}
_PHASES = {
    "read": "reading the notebooks",
    "cells": "running the students' cells (CPU time)",
    "checks": "running the checks",
    "diagnosis": "looking for known slips",
}
_BINS = 10
ENOUGH = 8
"""Submissions from which quartiles, halves of a class and correlations say something."""


class Submission:
    """A result with the anchor, the name and the link that the page uses for it."""

    def __init__(
        self, number: int, student: str, result: Result, course_dir: Path, mark: Mark
    ) -> None:
        self.number = number
        self.name = student
        self.result = result
        self.mark = mark
        self.beside = False
        """Whether the file is that of somebody listed before, with whom it was handed in."""
        name = result.assignment
        self.has_feedback = (course_dir / "feedback" / student / name / f"{name}.html").is_file()
        folder = quote(os.fsencode(student), safe="")
        self.feedback = f"../feedback/{folder}/{quote(name)}/{quote(name)}.html"

    @property
    def who(self) -> str:
        """The name on the roster beside the id, which alone is certain."""
        return self.mark.who.shown

    @property
    def total(self) -> float | None:
        """The mark that counts in the figures: none of what could not be read, unless somebody has
        marked it by hand."""
        unread = self.result.status == "unreadable" and not self.mark.by_hand
        return None if unread else self.mark.total

    @property
    def marked(self) -> bool:
        return self.total is not None

    @property
    def points(self) -> float:
        return self.total or 0.0

    @property
    def share(self) -> float:
        """The mark between 0 and 1."""
        return share_of(self.points, self.mark.max_points)

    @property
    def judged(self) -> list[ExerciseResult]:
        """The exercises that say something about the student."""
        if self.result.status == "unreadable":
            return []
        return [exercise for exercise in self.result.exercises if exercise.status != "error"]

    def exercise(self, name: str) -> ExerciseResult | None:
        return next((e for e in self.result.exercises if e.name == name), None)


class Entry(NamedTuple):
    """A submission in a list, with a word on what it has to do there."""

    submission: Submission
    note: str = ""


class Slice(NamedTuple):
    """One status within an exercise's bar; `start` and `width` in per cent."""

    status: str
    words: str
    people: list[Submission]
    start: float
    width: float


@dataclass
class CheckRow:
    """One check over the class."""

    name: str
    title: str
    hidden: bool
    passed: list[Submission] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)
    not_counted: list[Submission] = field(default_factory=list)
    errors: list[Entry] = field(default_factory=list)

    @property
    def judged(self) -> int:
        return len(self.passed) + len(self.failed) + len(self.not_counted)

    @property
    def rate(self) -> float:
        return share_of(len(self.passed), self.judged)


@dataclass
class ExerciseRow:
    """One exercise over the class."""

    assignment: str
    number: int
    name: str
    points: float
    slices: list[Slice]
    judged: int
    right: int
    mean: float
    """Mean share of its points."""
    apart: float | None
    """How well it tells stronger from weaker students: the correlation of its points with the
    others of the assignment; None where too few were judged, or all got the same."""
    checks: list[CheckRow]
    seconds: float
    slowest: list[Entry]

    @property
    def rate(self) -> float:
        return share_of(self.right, self.judged)


def status_of(exercise: ExerciseResult) -> str:
    """An exercise's status; all its points are right, whatever else was found."""
    full = exercise.points >= exercise.max_points and exercise.status != "error"
    return "right" if full else exercise.status


class Slip(NamedTuple):
    """A known mistake and who made it."""

    exercise: str
    mistake: str
    hint: str
    people: list[Submission]


class Cause(NamedTuple):
    """A way in which checks failed; one entry per student and exercise."""

    words: str
    entries: list[Entry]

    @property
    def students(self) -> int:
        return len({entry.submission.number for entry in self.entries})


class Bin(NamedTuple):
    """Marks from `low` up to `high`; the last bin has its upper end too."""

    low: float
    high: float
    people: list[Submission]


class Similar(NamedTuple):
    """Submissions that resemble each other, and in what."""

    people: list[Submission]
    group: similar.Group


@dataclass
class Report:
    """Every figure of the page."""

    assignment: Assignment
    submissions: list[Submission]
    broken: list[str]
    """Result files that are no result of the student they are named after."""
    ungraded: list[str]
    """Students who handed in and have no result."""
    similar: list[Similar]
    compared: int
    """Submissions whose code could be compared with the others'."""
    left_out: list[str]
    """Who was in a collected archive and could not be read, why."""
    roster: dict[str, Person]
    absent: list[str]
    """Who is on the roster and has handed in nothing."""
    dropped: list[str]
    """Who has left the course, and when."""
    attempts: list[tuple[Submission, list[Attempt]]]
    """Who handed in more than once, and what each attempt earned."""
    policy: Policy
    """Which of several attempts counts."""

    @cached_property
    def gains(self) -> list[float]:
        """From the first attempt to the last, in points."""
        totals = [
            [one.total for one in tries if one.total is not None] for _, tries in self.attempts
        ]
        return [marks[-1] - marks[0] for marks in totals if len(marks) > 1]

    @cached_property
    def to_mark(self) -> list[Entry]:
        """Answers in words that nobody has marked yet."""
        found = []
        for submission in self.submissions:
            words = submission.mark.in_words.items()
            if left := [name for name, one in words if one.to_mark]:
                found.append(Entry(submission, ", ".join(left)))
        return found

    # ----------------------------------------------------------------- what is wrong with it

    @cached_property
    def grader_errors(self) -> list[Entry]:
        found = []
        for submission in self.submissions:
            result = submission.result
            faults = [
                f"{exercise.name}, {check.title or check.name}: {check.message or 'no message'}"
                for exercise in result.exercises
                for check in exercise.checks
                if check.outcome == "error"
            ]
            faulty = [e.name for e in result.exercises if e.status == "error"]
            if result.status == "grader_error" or faults or faulty:
                said = [result.message] if result.message and result.status != "graded" else []
                found.append(Entry(submission, "\n".join(said + faults) or ", ".join(faulty)))
        return found

    @cached_property
    def unreadable(self) -> list[Entry]:
        return [
            Entry(s, s.result.message or "no reason was recorded")
            for s in self.submissions
            if s.result.status == "unreadable"
        ]

    @cached_property
    def isolation(self) -> dict[str, list[Submission]]:
        """Who was graded in a cage of which level; "none" where no cage was reached."""
        return grouped((s.result.isolation, s) for s in self.submissions)

    @cached_property
    def weakly_caged(self) -> list[Entry]:
        weak = [level for level in self.isolation if level not in ("full", "none")]
        return [Entry(s, level) for level in weak for s in self.isolation[level]]

    @cached_property
    def versions(self) -> list[list[Submission]]:
        """Who was graded by the same version of the checks, the largest group first."""
        groups = grouped((s.result.checks_sha256, s) for s in self.submissions)
        return sorted(groups.values(), key=len, reverse=True)

    @cached_property
    def without_feedback(self) -> list[Submission]:
        return [s for s in self.submissions if not s.has_feedback]

    @cached_property
    def noted(self) -> list[Entry]:
        return [Entry(s, "\n".join(s.result.notes)) for s in self.submissions if s.result.notes]

    # -------------------------------------------------------------------------------- marks

    @cached_property
    def marked(self) -> list[Submission]:
        return [s for s in self.submissions if s.marked]

    @cached_property
    def marks(self) -> list[float]:
        """Ascending, in points of the assignment as it is today; extra credit may lead beyond."""
        return sorted(self.mark(submission) for submission in self.marked)

    def mark(self, submission: Submission) -> float:
        points, whole = submission.points, submission.mark.max_points
        return round(points / whole * self.assignment.points, 6) if whole > 0 else 0.0

    @cached_property
    def quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median, upper quartile."""
        if len(self.marks) < 2:
            return self.marks[0], self.marks[0], self.marks[0]
        low, middle, high = statistics.quantiles(self.marks, n=4, method="inclusive")
        return low, middle, high

    @property
    def median(self) -> float:
        return self.quartiles[1]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.marks)

    @cached_property
    def full(self) -> list[Submission]:
        return [s for s in self.marked if s.share >= 1]

    @cached_property
    def zero(self) -> list[Submission]:
        return [s for s in self.marked if s.share == 0]

    def nearest_bin(self, mark: float) -> int:
        """The bin with students that lies nearest to `mark`, which may be in none: a mean, say."""
        filled = [n for n, one in enumerate(self.bins) if one.people]
        return min(filled, key=lambda n: max(self.bins[n].low - mark, mark - self.bins[n].high))

    @cached_property
    def bins(self) -> list[Bin]:
        width = self.assignment.points / _BINS
        found = [Bin(n * width, (n + 1) * width, []) for n in range(_BINS)]
        for submission in self.marked:
            found[min(int(submission.share * _BINS + 1e-9), _BINS - 1)].people.append(submission)
        return found

    # ---------------------------------------------------------------------------- exercises

    @cached_property
    def exercises(self) -> list[ExerciseRow]:
        """In the course's order, then whatever else the results hold."""
        points = {exercise.name: exercise.points for exercise in self.assignment.exercises}
        for submission in self.submissions:
            for exercise in submission.result.exercises:
                points.setdefault(exercise.name, exercise.max_points)
        return [self._exercise(n, name, worth) for n, (name, worth) in enumerate(points.items())]

    def _exercise(self, number: int, name: str, points: float) -> ExerciseRow:
        answers = [
            (submission, exercise)
            for submission in self.submissions
            if submission.result.status != "unreadable"
            and (exercise := submission.exercise(name)) is not None
        ]
        by_status = grouped((status_of(exercise), submission) for submission, exercise in answers)
        slices, start = [], 0.0
        for status, words in STATUS.items():
            if status in by_status:
                width = 100 * len(by_status[status]) / len(answers)
                slices.append(Slice(status, words, by_status[status], start, width))
                start += width
        judged = [exercise for _, exercise in answers if exercise.status != "error"]
        shares = [share_of(exercise.points, exercise.max_points) for exercise in judged]
        seconds = {s.number: sum(check.seconds for check in e.checks) for s, e in answers}
        return ExerciseRow(
            assignment=self.assignment.name,
            number=number,
            name=name,
            points=points,
            slices=slices,
            judged=len(judged),
            right=len(by_status.get("right", [])),
            mean=statistics.fmean(shares) if shares else 0.0,
            apart=_apart(answers),
            checks=_checks(answers),
            seconds=sum(seconds.values()),
            slowest=[
                Entry(self.submissions[number], duration(seconds[number]))
                for number in sorted(seconds, key=lambda n: -seconds[n])[:5]
            ],
        )

    @cached_property
    def hardest(self) -> list[ExerciseRow]:
        """The exercises that fewest got right; empty where everyone got everything right."""
        rows = [row for row in self.exercises if row.judged]
        if not rows or min(row.rate for row in rows) == 1:
            return []
        key = min((row.rate, round(row.mean, 6)) for row in rows)
        return [row for row in rows if (row.rate, round(row.mean, 6)) == key]

    @cached_property
    def hardest_checks(self) -> list[tuple[ExerciseRow, CheckRow]]:
        """The five hidden checks that fewest passed."""
        rows = [
            (row, check)
            for row in self.exercises
            for check in row.checks
            if check.hidden and check.judged and check.rate < 1
        ]
        return sorted(rows, key=lambda pair: pair[1].rate)[:5]

    # ---------------------------------------------------------------------- slips and causes

    @cached_property
    def slips(self) -> list[Slip]:
        """The commonest first."""
        groups: dict[tuple[str, str, str], list[Submission]] = defaultdict(list)
        for submission in self.submissions:
            for exercise in submission.judged:
                if exercise.hint or exercise.mistake:
                    groups[exercise.name, exercise.mistake, exercise.hint].append(submission)
        found = [Slip(*key, people) for key, people in groups.items()]
        return sorted(found, key=lambda slip: (-len(slip.people), slip.exercise, slip.mistake))

    @cached_property
    def judged(self) -> list[ExerciseResult]:
        """Every answer of everyone that has been judged."""
        return [exercise for submission in self.submissions for exercise in submission.judged]

    @cached_property
    def imperfect(self) -> list[ExerciseResult]:
        """Answers that are written and not right: those that a hint could be found for."""
        return [one for one in self.judged if status_of(one) in ("partly", "wrong")]

    @property
    def explained(self) -> int:
        return sum(bool(exercise.hint or exercise.mistake) for exercise in self.imperfect)

    @cached_property
    def broke(self) -> list[Cause]:
        """Calls that gave no answer at all, in the order of `_BROKE`."""
        return self._causes(_BROKE, others=False)

    @cached_property
    def answered(self) -> list[Cause]:
        """Answers that were not what was asked for, the commonest first."""
        return sorted(self._causes(_ANSWERED, others=True), key=lambda cause: -len(cause.entries))

    def _causes(self, words: dict[str, str], others: bool) -> list[Cause]:
        groups: dict[str, list[Entry]] = {kind: [] for kind in words}
        for submission in self.submissions:
            for exercise in submission.judged:
                first: dict[str, CheckResult] = {}
                for check in exercise.checks:
                    if check.outcome == "failed":
                        first.setdefault(check.kind, check)
                for kind, check in first.items():
                    if kind in words or (others and kind not in _BROKE):
                        note = _named(exercise.name, problem(check))
                        groups.setdefault(kind, []).append(Entry(submission, note))
        return [
            Cause(words.get(kind, kind or "no cause recorded"), entries)
            for kind, entries in groups.items()
            if entries
        ]

    # --------------------------------------------------------------------------------- time

    @property
    def seconds(self) -> float:
        return sum(s.result.seconds for s in self.submissions)

    @cached_property
    def phases(self) -> list[tuple[str, float]]:
        sums: dict[str, float] = defaultdict(float)
        for submission in self.submissions:
            for phase, seconds in submission.result.phases.items():
                sums[phase] += seconds
        return sorted(((_PHASES.get(p, p), s) for p, s in sums.items()), key=lambda row: -row[1])

    @cached_property
    def slowest(self) -> list[Submission]:
        return sorted(self.submissions, key=lambda s: -s.result.seconds)[:5]

    @cached_property
    def by_mark(self) -> list[Submission]:
        """Grader's faults first, then the best marks; unreadable ones at the end."""
        order = {"grader_error": 0, "graded": 1, "unreadable": 2}
        return sorted(
            self.submissions,
            key=lambda s: (order[s.result.status], -s.share, s.name.casefold()),
        )


def share_of(part: float, whole: float) -> float:
    """`part / whole`, between 0 and 1; 0 of nothing is 0."""
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0


def problem(check: CheckResult) -> str:
    """What went wrong, in the one line that a failed check's message has for it."""
    said = re.search(r"^\s+problem\s+(.+)$", check.message, re.MULTILINE)
    return said[1] if said else f"not so: {check.title or check.name}"


def grouped(pairs: Iterable[tuple[str, Submission]]) -> dict[str, list[Submission]]:
    groups: dict[str, list[Submission]] = defaultdict(list)
    for key, submission in pairs:
        groups[key].append(submission)
    return dict(groups)


def _named(exercise: str, said: str) -> str:
    """What was said of an exercise, with its name where the words do not begin with it."""
    return said if said.startswith(f"{exercise} ") else f"{exercise}: {said}"


def _apart(answers: Iterable[tuple[Submission, ExerciseResult]]) -> float | None:
    graded = [(s.result, e) for s, e in answers if s.result.status == "graded"]
    own = [share_of(e.points, e.max_points) for _, e in graded if e.status != "error"]
    others = [result.points - e.points for result, e in graded if e.status != "error"]
    if len(own) < ENOUGH or len(set(own)) < 2 or len(set(others)) < 2:
        return None
    return statistics.correlation(own, others)


def _checks(answers: Iterable[tuple[Submission, ExerciseResult]]) -> list[CheckRow]:
    """Every check of one exercise, public ones first."""
    rows: dict[tuple[bool, str], CheckRow] = {}
    for submission, exercise in answers:
        for check in exercise.checks:
            row = rows.setdefault(
                (check.hidden, check.name), CheckRow(check.name, check.title, check.hidden)
            )
            if check.outcome == "passed":
                row.passed.append(submission)
            elif check.outcome == "failed":
                row.failed.append(Entry(submission, problem(check)))
            elif check.outcome == "not_counted":
                row.not_counted.append(submission)
            else:
                row.errors.append(Entry(submission, check.message))
    return sorted(rows.values(), key=lambda row: row.hidden)
