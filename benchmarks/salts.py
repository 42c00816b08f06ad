"""How often would a right answer fail, and a mistake pass, whatever the salt?

Every known answer of an exercise is judged with many salts, from which all hidden inputs are
drawn. Printed for each exercise, and for all:

    right answers that lost marks, of all judgements, and the largest rate that this leaves possible
    mistakes that passed the check which is to catch them, likewise
    the largest standard deviation of a mistake's mark, as a part of the exercise's points

A rate of which k cases were seen in n is below the upper end of its one-sided Clopper–Pearson
interval with 95 % confidence; for none in n that is about 3 / n.

    python benchmarks/salts.py ising [--exercise NAME] [--salts 50] [--jobs 2] [--right-only]
    python benchmarks/salts.py ising --catching
    python benchmarks/salts.py --judgements 100000 [--first 1000]
    python benchmarks/salts.py ising --mixes 300 [--exercise NAME]

The second asks of mistakes alone, and only the check that is to catch each: what one keeps is not
known then, and it takes a fraction of the time. The third judges right answers alone, so many in
all: each exercise's share is in inverse proportion to the root of what a judgement of it costs, so
that the rates are as small as the time allows. Exercises that train are left out there unless
`--exercise` is given. The fourth judges whole notebooks, in which one of its known right answers is
drawn for every exercise, and prints with what was lost on which others it stood. Two right answers
need not fit each other (the reference's training asks the reference's network for its layers): a
public check says so then. What counts is what is lost where none does.

Seconds to minutes for an exercise without training, hours for one with.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import os
import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

import numpy as np
from scipy.stats import beta

from autograder.authoring.merit import Patient
from autograder.course import course, load_assignment
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.judge import Check, Judge
from autograder.judging.student import Student
from autograder.judging.uses import closure, uses

REFERENCE = "the reference"
TRAINED = r"(?!train|recover)"
PUBLIC = " (public)"
ROUNDED = 0.005
"""Points are rounded to a hundredth."""


class Tried(NamedTuple):
    """One answer with all salts: its marks as parts of the points, and how often it was caught."""

    exercise: str
    name: str
    wrong: bool
    marks: list[float]
    caught: int
    too_much: int
    """How often a mistake kept more than it may."""
    failed: list[str]
    """Which check a right answer failed, and with which salt."""
    seconds: float


def upper(cases: int, of: int) -> float:
    """The largest rate that is still possible, with 95 % confidence."""
    return 1.0 if cases == of else float(beta.ppf(0.95, cases + 1, of - cases))


@functools.cache
def _judge(assignment: str) -> Judge:
    return Judge(load_assignment(assignment))


def tried(
    assignment: str, exercise: str, name: str, salts: Iterable[int], catching: bool = False
) -> Tried:
    judge = _judge(assignment)
    wanted = judge.assignment.exercise(exercise)
    answer = next((a for a in _answers(assignment, exercise) if a.name == name), None)
    code = cells(judge.assignment, *([answer] if answer else []))
    started = time.process_time()
    row = Tried(exercise, name, isinstance(answer, Mistake), [], 0, 0, [], 0.0)

    def chosen(check: Check) -> bool:
        """Public checks give no marks; those that a right answer should pass are tried as well."""
        if not isinstance(answer, Mistake):
            return True
        return check.name == answer.caught_by or (check.hidden and not catching)

    caught = too_much = 0
    for n in salts:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            student = Student(Patient(code))
            (result,) = judge.judge(student, f"salt {n}", [wanted], chosen=chosen)
        lost = [check.name for check in result.checks if check.outcome != "passed"]
        row.marks.append(result.points / result.max_points)
        if isinstance(answer, Mistake):
            caught += answer.caught_by in lost and row.marks[-1] < 1
            too_much += result.points > answer.keeps * result.max_points + ROUNDED
        elif lost:
            row.failed.append(f"{', '.join(lost)} (salt {n})")
    return row._replace(caught=caught, too_much=too_much, seconds=time.process_time() - started)


def _answers(assignment: str, exercise: str) -> Iterator[Answer]:
    found = load_assignment(assignment)
    for answer in (*alternatives(found), *mistakes(found)):
        if answer.exercise == exercise:
            yield answer


def mixed(assignment: str, pattern: str, n: int) -> list[Tried]:
    """A notebook whose answers are drawn among the known right ones: one row for each exercise."""
    judge, draw = _judge(assignment), np.random.default_rng(n)
    found, mix = judge.assignment, {}
    for exercise in found.exercises:
        others = alternatives(found, exercise.name)
        if which := draw.integers(len(others) + 1):
            mix[exercise.name] = others[which - 1]
    code = cells(found, *mix.values())
    wanted = [exercise for exercise in found.exercises if re.match(pattern, exercise.name)]
    if not wanted:
        return []
    started = time.process_time()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        results = judge.judge(Student(Patient(code)), f"salt {n}", wanted)
    seconds = (time.process_time() - started) / len(wanted)
    used, rows = uses(found, code, judge.calls), []
    for result in results:
        lost = [check for check in result.checks if check.outcome != "passed"]
        names = ", ".join(check.name + PUBLIC * (not check.hidden) for check in lost)
        below = sorted(closure(used, [result.name]) - {result.name})
        drawn = {one: mix[one].name if one in mix else REFERENCE for one in (result.name, *below)}
        name = f"{drawn.pop(result.name)} ({', '.join(map(': '.join, drawn.items()))})"
        failed = [f"{names} (salt {n})"] if lost else []
        part = result.points / result.max_points
        rows.append(Tried(result.name, name, False, [part], 0, 0, failed, seconds))
    return rows


def report(label: str, rows: list[Tried]) -> None:
    parts = []
    if right := [row for row in rows if not row.wrong]:
        judged, lost = sum(len(row.marks) for row in right), sum(len(row.failed) for row in right)
        parts.append(f"right: {lost} of {judged} lose marks (< {upper(lost, judged):.1e})")
        if told := sum(PUBLIC in failed for row in right for failed in row.failed):
            parts.append(f"{told} of them fail a public check")
    if wrong := [row for row in rows if row.wrong]:
        judged = sum(len(row.marks) for row in wrong)
        passed = judged - sum(row.caught for row in wrong)
        spread = max(float(np.std(row.marks)) for row in wrong)
        parts.append(f"wrong: {passed} of {judged} pass (< {upper(passed, judged):.1e})")
        parts.append(f"largest spread {spread:.3f}")
    print(f"{label:<38} {'; '.join(parts)}", flush=True)


def details(rows: list[Tried]) -> None:
    for row in rows:
        for failed in row.failed:
            print(f"    {row.name} lost marks at {failed}")
        if row.wrong and row.caught < len(row.marks):
            print(f"    {row.name} was caught {row.caught} of {len(row.marks)} times")
        if row.too_much:
            print(f"    {row.name} kept more than it may {row.too_much} times")
        mean, spread = np.mean(row.marks), np.std(row.marks)
        if row.wrong and spread > 0.03:
            print(f"    {row.name} keeps {mean:.2f} ± {spread:.2f}", flush=True)


def shares(costs: list[float], judgements: int) -> list[int]:
    """How many judgements each exercise gets, where one costs so many seconds."""
    parts = [1 / math.sqrt(cost) for cost in costs]
    return [math.ceil(judgements * part / sum(parts)) for part in parts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assignments", nargs="*", default=[])
    parser.add_argument("--exercise", default="", help="a regular expression")
    parser.add_argument("--salts", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first salt")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--right-only", action="store_true")
    parser.add_argument("--catching", action="store_true", help="only whether mistakes are caught")
    parser.add_argument("--mixes", type=int, default=0, help="of right answers, an assignment's")
    parser.add_argument("--judgements", type=int, default=0, help="of right answers, in all")
    given = parser.parse_args()
    everything: list[Tried] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for label, rows in (_mixes if given.mixes else _alone)(given, pool):
            report(label, rows)
            details(rows)
            everything += rows
    report("all", everything)
    print(f"{sum(row.seconds for row in everything):.0f} CPU s")


Rows = Iterator[tuple[str, list[Tried]]]


def _mixes(given: argparse.Namespace, pool: Executor) -> Rows:
    """By exercise, of the notebooks in which several answers are drawn."""
    numbers = range(given.first, given.first + given.mixes)
    for name in given.assignments or course():
        job = functools.partial(mixed, name, given.exercise)
        for rows in zip(*pool.map(job, numbers), strict=True):
            yield f"{name} {rows[0].exercise}", list(rows)


def _alone(given: argparse.Namespace, pool: Executor) -> Rows:
    """By exercise, of the notebooks in which one answer is not the reference's."""
    pattern = given.exercise or (TRAINED if given.judgements else "")
    names: dict[tuple[str, str], list[str]] = {}
    unwanted = {True: given.right_only or given.judgements, False: given.catching}
    for name in given.assignments or course():
        for exercise in load_assignment(name).exercises:
            if re.match(pattern, exercise.name):
                names[name, exercise.name] = [
                    *([] if given.catching else [REFERENCE]),
                    *(
                        answer.name
                        for answer in _answers(name, exercise.name)
                        if not unwanted[isinstance(answer, Mistake)]
                    ),
                ]
    salts = {key: given.salts for key in names}
    if given.judgements:
        many = shares(list(pool.map(_cost, names.items())), given.judgements)
        salts = {k: math.ceil(n / len(names[k])) for k, n in zip(names, many, strict=True)}
    for key, answers in names.items():
        numbers = range(given.first, given.first + salts[key])
        jobs = [pool.submit(tried, *key, one, numbers, given.catching) for one in answers]
        yield " ".join(key), [job.result() for job in jobs]


def _cost(one: tuple[tuple[str, str], list[str]]) -> float:
    """CPU seconds of a judgement, in the mean over the answers."""
    key, answers = one
    tried(*key, answers[0], [0])  # the first one imports
    return float(np.mean([tried(*key, answer, [0]).seconds for answer in answers]))


if __name__ == "__main__":
    main()
