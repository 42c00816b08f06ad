"""How often would a right answer fail, and a mistake pass, whatever the salt?

Every known answer of an exercise is judged with many salts, from which all hidden inputs are
drawn. Printed for each exercise, and for all:

    right answers that lost marks, of all judgements, and the largest rate that this leaves possible
    mistakes that passed the check which is to catch them, likewise
    the largest standard deviation of a mistake's mark, as a part of the exercise's points

A rate of which k cases were seen in n is below the upper end of its one-sided Clopper–Pearson
interval with 95 % confidence; for none in n that is about 3 / n.

    python benchmarks/salts.py ising [--exercise NAME] [--salts 50] [--jobs 2] [--right-only]

Seconds to minutes for an exercise without training, hours for one with.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import numpy as np
from scipy.stats import beta

from autograder.course import course, load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.protocol import InProcess


class Tried(NamedTuple):
    """One answer with all salts: its marks as parts of the points, and how often it was caught."""

    exercise: str
    name: str
    wrong: bool
    marks: list[float]
    caught: int
    failed: str
    """A check that a right answer failed."""


def upper(cases: int, of: int) -> float:
    """The largest rate that is still possible, with 95 % confidence."""
    return 1.0 if cases == of else float(beta.ppf(0.95, cases + 1, of - cases))


def tried(assignment: str, exercise: str, name: str, salts: int) -> Tried:
    found = load_assignment(assignment)
    judge, wanted = Judge(found), found.exercise(exercise)
    answer = next((a for a in _answers(assignment, exercise) if a.name == name), None)
    marks, caught, failed = [], 0, ""
    for n in range(salts):
        student = Student(InProcess(cells(found, *([answer] if answer else []))))
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            (result,) = judge.judge(student, f"salt {n}", [wanted])
        lost = [check.name for check in result.checks if check.outcome == "failed"]
        marks.append(result.points / result.max_points)
        if isinstance(answer, Mistake):
            caught += answer.caught_by in lost and marks[-1] < 1
        elif lost:
            failed = lost[0]
    return Tried(exercise, name, isinstance(answer, Mistake), marks, caught, failed)


def _answers(assignment: str, exercise: str) -> Iterator[Answer]:
    found = load_assignment(assignment)
    for answer in (*alternatives(found), *mistakes(found)):
        if answer.exercise == exercise:
            yield answer


def report(label: str, rows: list[Tried]) -> None:
    right = [mark for row in rows if not row.wrong for mark in row.marks]
    lost = sum(mark < 1 for mark in right)
    wrong = [row for row in rows if row.wrong]
    judged, passed = sum(len(row.marks) for row in wrong), 0
    passed = judged - sum(row.caught for row in wrong)
    line = f"{label:<32} right: {lost} of {len(right)} lose marks (< {upper(lost, len(right)):.1e})"
    if wrong:
        spread = max(float(np.std(row.marks)) for row in wrong)
        line += f"; wrong: {passed} of {judged} pass (< {upper(passed, judged):.1e})"
        line += f"; largest spread {spread:.3f}"
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assignments", nargs="*", default=[])
    parser.add_argument("--exercise", default="", help="a regular expression")
    parser.add_argument("--salts", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--right-only", action="store_true")
    given = parser.parse_args()
    everything: list[Tried] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for name in given.assignments or course():
            for exercise in load_assignment(name).exercises:
                if not re.search(given.exercise, exercise.name):
                    continue
                answers = ["the reference"]
                answers += [
                    answer.name
                    for answer in _answers(name, exercise.name)
                    if not (given.right_only and isinstance(answer, Mistake))
                ]
                jobs = [
                    pool.submit(tried, name, exercise.name, answer, given.salts)
                    for answer in answers
                ]
                rows = [job.result() for job in jobs]
                report(f"{name} {exercise.name}", rows)
                for row in rows:
                    short = sum(mark < 1 for mark in row.marks)
                    if not row.wrong and short:
                        print(f"    {row.name} lost marks {short} times, last at {row.failed}")
                    if row.wrong and row.caught < len(row.marks):
                        print(f"    {row.name} was caught {row.caught} of {len(row.marks)} times")
                    mean, spread = np.mean(row.marks), np.std(row.marks)
                    if row.wrong and spread > 0.03:
                        print(f"    {row.name} keeps {mean:.2f} ± {spread:.2f}")
                everything += rows
    report("all", everything)


if __name__ == "__main__":
    main()
