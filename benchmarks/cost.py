"""What the checks of one submission cost, in CPU seconds of the student's own code in the cage.

Per assignment: the reference, and a submission that takes of every exercise the known right
answer that costs most, plain Python loops mostly. The targets are 5 s (`pinn`: 10 s) and 30 s.

    python benchmarks/cost.py [backprop …]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

os.environ["OMP_NUM_THREADS"] = "1"

from autograder.answers import Answer, alternatives, cells
from autograder.cage import Cage
from autograder.caged import Caged
from autograder.course import Assignment, Cell, Exercise, assignment, course
from autograder.judge import Judge, judging
from autograder.student import Student


def seconds(
    judge: Judge, cage: Cage, code: Sequence[Cell], exercises: Sequence[Exercise]
) -> dict[str, float]:
    """CPU seconds that the checks of each exercise use of their budget."""
    caged = Caged(cage, judge.assignment, code)
    used = {}
    for exercise in exercises:
        judge.judge(Student(caged), "cost", [exercise])
        used[exercise.name] = caged.pace * exercise.seconds - caged.seconds_left
    caged.close()
    return used


def table(found: Assignment) -> tuple[dict[str, float], dict[str, tuple[float, str]]]:
    """Of every exercise: the reference's seconds, and the costliest right answer's."""
    usual: dict[str, float] = {}
    costliest: dict[str, tuple[float, str]] = {}

    def body(judge: Judge) -> None:
        cage = Cage("full")
        usual.update(seconds(judge, cage, cells(found), found.exercises))
        for exercise in found.exercises:
            costs = [(usual[exercise.name], "reference")]
            for answer in alternatives(found):
                if answer.exercise == exercise.name:
                    costs.append((_of(judge, cage, answer, exercise), answer.name))
            costliest[exercise.name] = max(costs)
        cage.close()

    judging(found, body)
    return usual, costliest


def _of(judge: Judge, cage: Cage, answer: Answer, exercise: Exercise) -> float:
    return seconds(judge, cage, cells(judge.assignment, answer), [exercise])[exercise.name]


def main() -> None:
    print("CPU s of all checks       reference   costliest right answers   of them the costliest")
    for name in sys.argv[1:] or list(course()):
        usual, costliest = table(assignment(name))
        (most, answer), exercise = max((cost, one) for one, cost in costliest.items())
        slow = sum(cost for cost, _ in costliest.values())
        print(
            f"{name:24}  {sum(usual.values()):9.1f}   {slow:23.1f}   "
            f"{exercise}, {answer}: {most:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
