"""Every cell on its own merit: exercises × ways of failing, and the marks that right cells lose.

For every exercise that others use: its stub, a syntax error and each known mistake, in an otherwise
right notebook. The exercises that use it are judged by the grader's own code, in this process; they
must keep everything. Those that train for long are tried with the stub, the syntax error and the
first and last of the mistakes; with `--whole` with all of them, with `--quick` with none.

    python benchmarks/follow_through.py [--whole | --quick] [backprop …]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

os.environ["OMP_NUM_THREADS"] = "1"

from autograder.authoring import merit
from autograder.course import SECONDS, Assignment, Exercise, course, load_assignment
from autograder.judging.answers import Answer, mistakes
from autograder.judging.judge import Judge


def tries(
    found: Assignment, exercise: Exercise, others: list[Exercise], whole: bool
) -> Iterator[tuple[Answer, list[Exercise]]]:
    """Wrong answers to an exercise, each with those that are judged beside it."""
    known = mistakes(found, exercise.name)
    quick = [other for other in others if other.seconds <= SECONDS]
    for wrong in merit.damages(found, exercise):
        yield wrong, others
    for wrong in known:
        among = others if whole or wrong in (known[0], known[-1]) else quick
        if among:
            yield wrong, among


def table(found: Assignment, quick: bool, whole: bool) -> float:
    """Prints one assignment's line, and what was lost; the points that right cells lost."""
    judge = Judge(found)
    ways = judged = 0
    lost = 0.0
    started = time.process_time()
    for name, others in merit.dependents(judge, quick).items():
        for wrong, among in tries(found, found.exercise(name), others, whole):
            done = merit.tried(judge, wrong, among)
            ways += 1
            judged += len(among)
            for other, why in done.lost.items():
                lost += found.exercise(other).points - float(why.split(" ")[0])
                print(f"    {name}, {wrong.name}: {other} keeps {why}", flush=True)
    seconds = time.process_time() - started
    print(f"{found.name:<14}{ways:>6}{judged:>12}{lost:>10g}{seconds:>10.0f}", flush=True)
    return lost


def main() -> int:
    words = sys.argv[1:]
    names = [word for word in words if not word.startswith("-")] or list(course())
    print(f"{'':<14}{'ways':>6}{'dependents':>12}{'lost':>10}{'CPU s':>10}")
    lost = [table(load_assignment(n), "--quick" in words, "--whole" in words) for n in names]
    print(f"marks lost by right cells: {sum(lost):g}")
    return 1 if sum(lost) else 0


if __name__ == "__main__":
    sys.exit(main())
