"""Would the checks notice? Every small change to the reference, judged.

Each reference function is changed in one place at a time: an operator, a constant, a sign, an
axis, a comparison, a keyword, a term or a statement left out, a call undone. Each such mutant is
judged in the cage until a hidden check fails. What survives is either equivalent, and then
`equivalent_mutants.py` says why, or a hole in the checks.

Training functions are left out unless they are named: a change after which they still reach
the accuracy asked for is a right answer. What they must not do stands in the mistakes, and how
far right and wrong ones are from the thresholds in `benchmarks/thresholds.py`.

    python benchmarks/judgement.py [backprop …] [--exercise NAME] [--sample N]

Minutes of CPU time per assignment. `--sample` draws that many mutants per assignment, the same
each time.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import msgspec

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

from equivalent_mutants import EQUIVALENT

from autograder.course import Assignment, course, load_assignment
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.judge import Judge
from autograder.judging.mutants import Mutant, mutants
from autograder.judging.student import Student
from autograder.sandbox.cage import Cage
from autograder.sandbox.transport import Caged

_TRAINED = ("train", "recover")


# ---------------------------------------------------------------------------------- judgement


def survivors(name: str, chosen: list[Mutant]) -> list[Mutant]:
    """Those that every hidden check of their exercise lets pass."""
    found = load_assignment(name)
    judge, cage = Judge(found), Cage("full")
    limits = _limits(judge, found, {mutant.exercise for mutant in chosen})
    hurried = _hurried(found, limits)
    left = [mutant for mutant in chosen if _survives(judge, hurried, cage, mutant)]
    cage.close()
    return left


def _limits(judge: Judge, found: Assignment, names: set[str]) -> dict[str, float]:
    """CPU seconds that a mutant may use: three times the reference's, and a little."""
    cage = Cage("full")
    limits = {}
    for name in names:
        caged = Caged(cage, found, cells(found))
        judge.judge(Student(caged), "judgement", [found.exercise(name)])
        used = caged.pace * found.exercise(name).seconds - caged.allowances[name].budget.cpu
        limits[name] = 2.0 + 3 * used / caged.pace
        caged.close()
    cage.close()
    return limits


def _hurried(found: Assignment, limits: dict[str, float]) -> Assignment:
    exercises = (
        msgspec.structs.replace(exercise, seconds=limits.get(exercise.name, exercise.seconds))
        for exercise in found.exercises
    )
    return msgspec.structs.replace(found, exercises=tuple(exercises))


def _survives(judge: Judge, found: Assignment, cage: Cage, mutant: Mutant) -> bool:
    answer = Answer(found.name, mutant.exercise, "mutant", mutant.code)
    caged = Caged(cage, found, cells(found, answer))
    student = Student(caged)
    try:
        for check in judge.of(found.exercise(mutant.exercise)):
            if check.hidden and judge.run(check, student, "judgement").outcome == "failed":
                return False
        return True
    finally:
        caged.close()


def _argued(name: str, left: list[Mutant], every: list[Mutant]) -> list[Mutant]:
    """Those that `equivalent_mutants.py` excuses: by the change alone where it can be made in one
    line only, else with the line."""
    lines = Counter((m.exercise, m.after) for m in {m._replace(code="") for m in every})
    excused = {
        (exercise, change)
        for changes in EQUIVALENT.get(name, {}).values()
        for exercise, them in changes.items()
        for change in them
    }

    def is_argued(m: Mutant) -> bool:
        alone = lines[m.exercise, m.after] == 1
        return (m.exercise, m.after if alone else f"{m.after}  in  {m.before}") in excused

    return [m for m in left if is_argued(m)]


def of_assignment(name: str, exercise: str, sample: int) -> list[Mutant]:
    found = load_assignment(name)
    every = [
        mutant
        for one in found.exercises
        if one.name == exercise or not (exercise or one.name.startswith(_TRAINED))
        for mutant in mutants(one.name, reference_code(found, one.name))
    ]
    if sample and sample < len(every):
        every = random.Random(name).sample(every, sample)
    return every


def _in_two(chosen: list[Mutant], judge: Callable[[list[Mutant]], list[Mutant]]) -> list[Mutant]:
    """Both cores; neighbours go to different ones, since they cost alike."""
    with ProcessPoolExecutor(2) as pool:
        return [mutant for part in pool.map(judge, (chosen[::2], chosen[1::2])) for mutant in part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="assignment", default=list(course()))
    parser.add_argument("--exercise", default="")
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args()
    total = holes = 0
    for name in options.names:
        every = of_assignment(name, options.exercise, options.sample)
        left = _in_two(every, functools.partial(survivors, name))
        argued = _argued(name, left, every)
        open_ = [m for m in left if m not in argued]
        total, holes = total + len(every) - len(argued), holes + len(open_)
        share = 1 - len(open_) / max(1, len(every) - len(argued))
        print(
            f"{name}: {len(every)} mutants, {len(argued)} equivalent, {len(open_)} not caught, "
            f"{share:.1%} of the rest caught",
            flush=True,
        )
        for mutant in open_:
            print(f"  {mutant.exercise}: {mutant.after}  in  {mutant.before}")
    print(f"all: {1 - holes / max(1, total):.1%} caught")
    sys.exit(1 if holes > 0.02 * total else 0)


if __name__ == "__main__":
    main()
