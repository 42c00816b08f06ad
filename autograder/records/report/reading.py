"""Reads: what is on record of an assignment's class, for its report."""

from __future__ import annotations

import contextlib
from pathlib import Path

from autograder.course import Assignment, load_assignment
from autograder.errors import CourseError
from autograder.files import plain
from autograder.judging.notebook_file import find_notebook
from autograder.records import similar
from autograder.records.collected import collected
from autograder.records.gradebook import in_gradebook
from autograder.records.gradebook.marks import of_checks
from autograder.records.history import Attempt, history, policy
from autograder.results import Store, dropped, handed_in, submitted

from .counting import Report, Similar, Submission, status_of


def read_report(name: str, course_dir: Path) -> Report:
    """The figures of an assignment's class; CourseError if nothing has been graded."""
    found, store = load_assignment(name), Store(course_dir)
    folder = store.root / name
    submissions: list[Submission] = []
    broken = []
    students, left = store.students(name), dropped(course_dir)
    marks, roster = in_gradebook(course_dir, found)
    for student in students:
        result = store.load(name, student)
        if result is None:
            broken.append(f"{student}.json is damaged, or holds somebody else's result")
        else:
            mark = marks.get(student) or of_checks(found, result)
            submissions.append(Submission(len(submissions), student, result, course_dir, mark))
    if not submissions:
        trouble = "".join(f"\n{plain(line)}" for line in broken)
        raise CourseError(
            f"there is no result to report in {folder}; "
            f"`autograder grade {name} --course {course_dir}` makes them{trouble}"
        )
    there = handed_in(course_dir, name)
    ungraded = sorted(there - set(students))
    archives = collected(course_dir, name)
    handed_in_together: set[tuple[str, ...]] = set()
    for one in submissions:
        origin = archives.students.get(one.name)
        if origin is not None and origin.group:
            key = (*origin.group, one.result.submission_sha256)
            one.beside = key in handed_in_together
            handed_in_together.add(key)
    return Report(
        found,
        submissions,
        broken,
        ungraded,
        *_resemblances(found, course_dir, submissions),
        left_out=[f"{who}: {why}" for who, why in sorted(archives.left_out.items())],
        roster=roster,
        absent=[roster[who].shown for who in sorted(roster.keys() - there - set(students))],
        dropped=[f"{who}, {when}" for who, when in sorted(left.items())],
        attempts=[(s, tries) for s in submissions if (tries := _tries(s, course_dir, name))],
        policy=policy(course_dir, name),
    )


def _tries(submission: Submission, course_dir: Path, name: str) -> list[Attempt]:
    """A student's attempts, where there were several; the one that counts with today's mark."""
    tries = history(course_dir, name, submission.name)
    for one in tries:
        if one.counts:
            one.total = submission.mark.total
    return tries if len(tries) > 1 else []


def _resemblances(
    found: Assignment, course_dir: Path, submissions: list[Submission]
) -> tuple[list[Similar], int]:
    """Who wrote answers like whose, and how many could be compared; of a group that handed in
    together, one."""
    by_name = {submission.name: submission for submission in submissions if not submission.beside}
    answers = {}
    for name in by_name:
        with contextlib.suppress(Exception):  # what a student's files hold is theirs alone
            data, _ = find_notebook(submitted(course_dir, name, found.name), found.name)
            answers[name] = similar.answers(data, found)
    wrong = {
        name: {exercise.name for exercise in submission.judged if status_of(exercise) != "right"}
        for name, submission in by_name.items()
    }
    groups = [
        Similar([by_name[name] for name in group.students], group)
        for group in similar.groups(found, answers, wrong)
    ]
    return groups, sum(map(bool, answers.values()))
