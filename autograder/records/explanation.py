"""An explanation as text, and as a page that prints: for the instructor alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autograder.course import Assignment
from autograder.files import plain
from autograder.grading.explained import Explained, Explanation
from autograder.judging.judge import AT_MOST_WITHOUT_THE_POINT, Judge
from autograder.results import ExerciseResult, Result

from .gradebook import Mark
from .pages import page
from .words import OUTCOMES, STATUS, points


class Recorded(NamedTuple):
    """What is on record of the submission that is explained."""

    result: Result | None
    mark: Mark | None


def as_recorded(assignment: Assignment, result: Result, exercise: str) -> Explanation:
    """What is on record, without the calls: where nothing can be judged again."""
    weights = {(c.exercise, c.name): c.weight for c in Judge(assignment).checks if c.hidden}
    told = [
        (one, [Explained(c, weights.get((one.name, c.name), 0), [], 0) for c in one.checks])
        for one in result.exercises
        if exercise in ("", one.name)
    ]
    notes = ["as recorded: the calls are shown where files can be judged again, on Linux"]
    hashes = result.submission_sha256, result.checks_sha256
    return Explanation(assignment, result.student, told, [*notes, *result.notes], *hashes)


def remarks(one: Explanation, known: Recorded) -> list[str]:
    """What an instructor should know before the exercises."""
    told = []
    result, mark = known
    if result is None:
        told.append("nothing is recorded of this submission yet")
    elif result.submission_sha256 != one.sha256:
        told.append("the file is not the one that was graded: the recorded mark is another file's")
    elif result.checks_sha256 != one.checks_sha256:
        told.append(
            "the recorded mark rests on other checks, points or another salt than today's, by "
            f"which this was judged; `autograder regrade {one.assignment.name}` compares them"
        )
    if mark is not None:
        of = "" if mark.total is None else f" of {points(mark.max_points)}"
        told.append(f"recorded: {points(mark.total)}{of}")
        told += mark.story
        for name, comment in mark.comments.items():
            text = " ".join(plain(comment).split())
            its = [line for line in mark.story if line.startswith(f"{name}: ")]
            if not any(line.endswith(f": {text}") for line in its):  # told with points by hand
                told.append(f"comment on {name}: {text}")
    return [" ".join(plain(line).split()) for line in (*told, *one.notes)]


def arithmetic(exercise: ExerciseResult, checks: list[Explained]) -> str:
    """How the points of an exercise came about."""
    hidden = [check for check in checks if check.result.hidden]
    if not hidden:
        return "no hidden check: no points"
    total = sum(check.weight for check in hidden) or 1
    passed = [check.weight for check in hidden if check.result.outcome == "passed"]
    share = sum(passed)
    text = (
        f"({' + '.join(map(str, passed)) or '0'}) of {total} × {points(exercise.max_points)} = "
        f"{share / total * exercise.max_points:.2f}"
    )
    missed = [
        check.result.title
        for check in hidden
        if check.result.point and check.result.outcome == "failed"
    ]
    if missed:
        most = AT_MOST_WITHOUT_THE_POINT * exercise.max_points
        text += (
            f"; it fails what the exercise is about ({', '.join(missed)}): at most {points(most)}"
        )
    return f"{text}; {points(exercise.points)} of {points(exercise.max_points)} points"


def as_text(one: Explanation, known: Recorded) -> Iterator[str]:
    """The explanation line by line."""
    yield f"{one.assignment.title} ({one.assignment.name}), {plain(one.student)}"
    for line in remarks(one, known):
        yield f"  {line}"
    for exercise, checks in one.exercises:
        yield ""
        earned = f"{points(exercise.points)} of {points(exercise.max_points)}"
        yield f"{exercise.name}: {earned}, {STATUS[exercise.status]}"
        if exercise.remark:
            yield f"  {exercise.remark}"
        for check in checks:
            yield from _check(check)
        yield f"  {arithmetic(exercise, checks)}"


def _check(check: Explained) -> Iterator[str]:
    result = check.result
    kind = f"hidden, weight {check.weight}" if result.hidden else "public"
    point = ", what the exercise is about" if result.point else ""
    yield f"  {OUTCOMES[result.outcome][0]} {plain(result.title)} ({kind}{point})"
    for call in check.calls:
        yield f"      called    {plain(call.called)}"
        yield f"      came back {plain(call.returned)}"
        if call.right and call.right != call.returned:
            yield f"      right     {plain(call.right)}"
    if check.more:
        yield f"      and {check.more} calls more"
    for line in check.verdict:
        yield f"      {plain(line)}"


def as_page(one: Explanation, known: Recorded) -> str:
    """The explanation as one HTML file."""
    return page(
        "explanation.html.j2",
        one=one,
        remarks=remarks(one, known),
        name=known.mark.who.name if known.mark is not None else "",
        arithmetic=arithmetic,
        STATUS=STATUS,
    )
