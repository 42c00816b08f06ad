"""What the hidden checks of one submission cost, in CPU seconds of the student's code in the cage.

Per assignment: the reference, and a submission that takes of every exercise the known right
answer that costs most, plain Python loops mostly. The targets are 5 s (`pinn`: 10 s) and 30 s.
Seconds are those of a quiet machine, as the budgets in course.toml: the machine's pace is measured
before and after each exercise. The last column is the mean pace: with 2, it took twice as long.

    python benchmarks/cost.py [backprop …]
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Sequence

os.environ["OMP_NUM_THREADS"] = "1"

from autograder.course import Assignment, Cell, Exercise, course, load_assignment
from autograder.judging.answers import Answer, alternatives, cells
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.cage import Cage
from autograder.sandbox.limits import machine_pace
from autograder.sandbox.transport import Caged

PACES: list[float] = []


def seconds(
    judge: Judge, cage: Cage, code: Sequence[Cell], exercises: Sequence[Exercise]
) -> dict[str, float]:
    """CPU seconds that the hidden checks of each exercise use of their budget."""
    caged = Caged(cage, judge.assignment, code)
    used = {}
    for exercise in exercises:
        before = machine_pace()
        judge.judge(Student(caged), "cost", [exercise], chosen=lambda check: check.hidden)
        PACES.append((before + machine_pace()) / 2)
        left = caged.allowances[exercise.name].budget.cpu
        used[exercise.name] = (caged.pace * exercise.seconds - left) / PACES[-1]
    caged.close()
    return used


def table(found: Assignment) -> tuple[dict[str, float], dict[str, tuple[float, str]]]:
    """Of every exercise: the reference's seconds, and the costliest right answer's."""
    usual: dict[str, float] = {}
    costliest: dict[str, tuple[float, str]] = {}

    judge, cage = Judge(found), Cage("full")
    usual.update(seconds(judge, cage, cells(found), found.exercises))
    for exercise in found.exercises:
        costs = [(usual[exercise.name], "reference")]
        for answer in alternatives(found):
            if answer.exercise == exercise.name:
                costs.append((_of(judge, cage, answer, exercise), answer.name))
        costliest[exercise.name] = max(costs)
    cage.close()
    return usual, costliest


def _of(judge: Judge, cage: Cage, answer: Answer, exercise: Exercise) -> float:
    return seconds(judge, cage, cells(judge.assignment, answer), [exercise])[exercise.name]


def main() -> None:
    print("CPU s of hidden checks    reference   costliest right answers   pace   the costliest")
    for name in sys.argv[1:] or list(course()):
        PACES.clear()
        usual, costliest = table(load_assignment(name))
        (most, answer), exercise = max((cost, one) for one, cost in costliest.items())
        slow, pace = sum(cost for cost, _ in costliest.values()), statistics.mean(PACES)
        print(
            f"{name:24}  {sum(usual.values()):9.1f}   {slow:23.1f}   {pace:4.1f}   "
            f"{exercise}, {answer}: {most:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
