"""Slips that no hint speaks of yet: a class's failures that came out alike, largest groups first.

Whoever writes a sentence about a group makes it a known mistake as all others are (`as_mistake`, in
`autograder/mistakes/`). `verify` then says whether it is caught, and taken for no other; `regrade`
gives its sentence to everybody in the group and moves no mark.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autograder.course import SECONDS, Assignment
from autograder.results import CheckResult, ExerciseResult, Result, Store, submitted

from .gradebook.notebooks import graded_answers

READ_FIRST = "you have read it to the end of each line (judges run it outside the cage)"
_EXAMPLES = 2
_WANT_A_REASON = ("value", "property", "shape", "finite", "type")
"""Kinds of failures whose message does not say what to mend, as that of an exception does."""


class Group(NamedTuple):
    """Students whose answers to an exercise fail the same checks and return the same to public
    ones; `examples` are the shortest answers, by student."""

    exercise: str
    students: list[str]
    caught_by: str
    message: str
    examples: dict[str, str]


def unexplained(course_dir: Path, assignment: Assignment) -> list[Group]:
    """Answers that lost marks without a hint, in groups; what stopped says by itself why."""
    alike: dict[tuple[str, ...], list[tuple[Result, ExerciseResult]]] = {}
    for result in Store(course_dir).all(assignment.name):
        for exercise in result.exercises:
            if failed := _without_a_hint(exercise):
                trained = assignment.exercise(exercise.name).seconds > SECONDS
                came_back = () if trained else (one.message for one in failed if not one.hidden)
                key = (exercise.name, *(one.name for one in failed), *came_back)
                alike.setdefault(key, []).append((result, exercise))
    order = [exercise.name for exercise in assignment.exercises]
    found = [_group(course_dir, assignment, those) for those in alike.values()]
    return sorted(found, key=lambda one: (-len(one.students), order.index(one.exercise)))


def _group(
    course_dir: Path, assignment: Assignment, those: list[tuple[Result, ExerciseResult]]
) -> Group:
    first = those[0][1]
    written = {}
    for result, _ in those:
        folder = submitted(course_dir, result.student, assignment.name)
        if code := graded_answers(folder, assignment, result).get(first.name):
            written[result.student] = code
    shortest = sorted(written, key=lambda student: (len(written[student]), student))
    return Group(
        first.name,
        [result.student for result, _ in those],
        max((one for one in _without_a_hint(first) if one.hidden), key=lambda one: one.worth).name,
        first.message,
        {student: written[student] for student in shortest[:_EXAMPLES]},
    )


def _without_a_hint(exercise: ExerciseResult) -> list[CheckResult]:
    """The checks that it fails, hidden ones last; none where somebody knows why."""
    if exercise.points == exercise.max_points or exercise.hint:
        return []
    failed = [check for check in exercise.checks if check.outcome == "failed"]
    if not failed or failed[0].kind not in _WANT_A_REASON or not failed[-1].hidden:
        return []
    return failed


def as_mistake(group: Group) -> str:
    """A known mistake with the group's first example and no hint yet, for the assignment's file of
    them."""
    code = next(iter(group.examples.values())).strip("\n")
    return (
        f'@mistake(\n    "{group.exercise}",\n    caught_by="{group.caught_by}",\n'
        f'    hint="",\n)\ndef {group.exercise}_in_class():\n'
        f"{textwrap.indent(code, '    ')}\n"
    )


def as_text(groups: list[Group]) -> Iterator[str]:
    """Each group with its examples, and what makes a known mistake of it."""
    for group in groups:
        size = len(group.students)
        yield f"{group.exercise}: {size} student{'s' * (size > 1)} ({', '.join(group.students)})"
        yield textwrap.indent(group.message, "  ") + "\n"
        for student, code in group.examples.items():
            yield f"  {student} wrote\n{textwrap.indent(code, '    ')}\n"
        if group.examples:
            how = f"when {READ_FIRST} and the hint is written"
            yield f"  as a known mistake, {how}\n{as_mistake(group)}\n"
