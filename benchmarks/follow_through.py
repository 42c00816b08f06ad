"""Every cell on its own merit: exercises × ways of failing, and the marks that right cells lose.

For every exercise that others use: its stub, a syntax error and each known mistake, in an otherwise
right notebook. The exercises that use it are judged by the grader's own code, in this process; they
must keep everything. `--quick` leaves out those that train for long, `--stubs` the mistakes.

    python benchmarks/follow_through.py [--quick] [--stubs] [backprop …]
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

from autograder.authoring import merit
from autograder.course import Assignment, course, load_assignment
from autograder.judging.judge import Judge


def table(found: Assignment, quick: bool, stubs: bool) -> float:
    """Prints one assignment's line, and what was lost; the points that right cells lost."""
    judge = Judge(found)
    ways = dependents = 0
    lost = 0.0
    started = time.process_time()
    for name, others in merit.dependents(judge, quick).items():
        exercise = found.exercise(name)
        for way in (
            *merit.damages(found, exercise),
            *(() if stubs else merit.known(found, exercise)),
        ):
            done = merit.tried(judge, way, others)
            ways += 1
            dependents += len(others)
            for other, why in done.lost.items():
                lost += found.exercise(other).points - float(why.split(" ")[0])
                print(f"    {name}, {way.name}: {other} keeps {why}", flush=True)
    seconds = time.process_time() - started
    print(f"{found.name:<14}{ways:>6}{dependents:>12}{lost:>10g}{seconds:>10.0f}", flush=True)
    return lost


def main() -> int:
    words = sys.argv[1:]
    names = [word for word in words if not word.startswith("-")] or list(course())
    print(f"{'':<14}{'ways':>6}{'dependents':>12}{'lost':>10}{'CPU s':>10}")
    lost = [table(load_assignment(n), "--quick" in words, "--stubs" in words) for n in names]
    print(f"marks lost by right cells: {sum(lost):g}")
    return 1 if sum(lost) else 0


if __name__ == "__main__":
    sys.exit(main())
