"""Worth a look: outliers among a class's submissions and among its checks."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autograder.records.words import STATUS, number

from .counting import ENOUGH, Entry, ExerciseRow, Report, grouped, status_of

_STOPPED = re.compile(
    r"(?:cell \d+|the cell of \w+|the changed setup cell)(?:: line \d+)? "
    r"(?:stopped|asks for|imports|reads|needs Python|ran out|ended|crashed|took)"
)
"""Notes on a statement that did not run to its end."""


class Remark(NamedTuple):
    """Something that a careful instructor would look at, and why."""

    words: str
    why: str
    entries: Sequence[Entry] = ()
    checks: Sequence[tuple[ExerciseRow, str]] = ()


def remarks(report: Report) -> list[Remark]:
    """What there is to look at, submissions first."""
    found = [
        Remark(
            "Marks far from the rest",
            "More than one and a half interquartile ranges outside the middle half of the class.",
            [*_far_marks(report)],
        ),
        Remark(
            "Cells that stopped",
            "A statement did not run to its end; what it was to define may be missing.",
            [Entry(s, n) for s in report.submissions for n in s.result.notes if _STOPPED.match(n)],
        ),
        Remark(
            "All right but one",
            "One exercise without a point, everything else right: a slip, or an answer that the "
            "checks do not know.",
            [*_one_lost(report)],
        ),
        Remark(
            "Right on the public checks only",
            "Every public check passed and no hidden one: perhaps written for the public inputs.",
            [*_public_only(report)],
        ),
        *_identical(report),
        Remark(
            "Much slower than the rest", "Time from reading to the last check.", [*_slow(report)]
        ),
        Remark(
            "Checks that nobody passed",
            "Others of the same exercise were passed. Is the check right, is the task clear?",
            checks=[*_unpassed(report)],
        ),
        Remark(
            "Checks that point the wrong way",
            "The stronger half of the class passed them less often than the weaker half.",
            checks=[*_odd(report)],
        ),
    ]
    return [remark for remark in found if remark.entries or remark.checks]


def _far_marks(report: Report) -> Iterator[Entry]:
    whole = report.assignment.points
    if len(report.marks) >= ENOUGH:
        low, _, high = report.quartiles
        reach = 1.5 * max(high - low, 0.05 * whole)
        for one in report.marked:
            if not low - reach <= report.mark(one) <= high + reach:
                yield Entry(one, f"{number(report.mark(one))} of {number(whole)}")


def _one_lost(report: Report) -> Iterator[Entry]:
    for one in report.marked:
        lost = [exercise for exercise in one.judged if status_of(exercise) != "right"]
        if len(one.judged) > 2 and len(lost) == 1 and lost[0].points == 0:
            yield Entry(one, f"{lost[0].name}: {STATUS[lost[0].status]}")


def _public_only(report: Report) -> Iterator[Entry]:
    for one in report.submissions:
        for exercise in one.judged:
            public = [c.outcome == "passed" for c in exercise.checks if not c.hidden]
            hidden = [c.outcome == "passed" for c in exercise.checks if c.hidden]
            if public and hidden and all(public) and not any(hidden):
                yield Entry(one, exercise.name)


def _identical(report: Report) -> Iterator[Remark]:
    worth = [one for one in report.marked if one.points > 0 and not one.beside]
    for people in grouped((one.result.submission_sha256, one) for one in worth).values():
        if len(people) > 1:
            entries = [Entry(one) for one in people]
            yield Remark("Identical notebooks", "The same file, byte for byte.", entries)


def _slow(report: Report) -> Iterator[Entry]:
    seconds = [one.result.seconds for one in report.submissions]
    if len(seconds) >= ENOUGH:
        low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
        limit = max(high + 3 * (high - low), 2 * middle)
        for one in report.submissions:
            if one.result.seconds > limit:
                said = f"{number(one.result.seconds)} s, the median is {number(middle)} s"
                yield Entry(one, said)


def _unpassed(report: Report) -> Iterator[tuple[ExerciseRow, str]]:
    for row in report.exercises:
        for check in row.checks:
            others = any(other.passed for other in row.checks)
            if check.judged >= ENOUGH and not check.passed and others:
                yield row, check.title or check.name


def _odd(report: Report) -> Iterator[tuple[ExerciseRow, str]]:
    if len(report.marked) < 2 * ENOUGH:
        return
    ordered = [one.number for one in sorted(report.marked, key=report.mark)]
    half = len(ordered) // 2
    for row in report.exercises:
        for check in row.checks:
            passed = {one.number for one in check.passed}
            down, up = (len(passed.intersection(h)) for h in (ordered[:half], ordered[-half:]))
            if down - up > 0.2 * half:
                said = f"{up} of the stronger half and {down} of the weaker passed"
                yield row, f"{check.title or check.name}: {said}"
