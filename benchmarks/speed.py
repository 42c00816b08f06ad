"""CPU per submission: this engine against stock `nbgrader autograde`, side by side.

Both grade the same right submissions of an assignment with all its hidden checks: stock
nbgrader executes the source notebook's hidden-test cells in a Jupyter kernel; the engine runs
them on caged workers and writes results, gradebook, autograded notebooks and feedback. CPU
seconds are those of the command and of everything it started. Each grades a small and a larger
class, so that what a submission costs and what starting costs are told apart; the engine's are
ten times as large, since its start costs more than a class of ten.

    python benchmarks/speed.py [--assignment backprop] [--few 2] [--many 12] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autograder import demo
from autograder.answers import cells, reference_code
from autograder.cage import Cage
from autograder.caged import Caged
from autograder.course import ROOT, Assignment, assignment
from autograder.judge import Judge, judging
from autograder.student import Student
from autograder.worker.lockdown import adopt_orphans

STOCK_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "bench"
c.ExecutePreprocessor.timeout = 600
"""


def course_of(folder: Path, found: Assignment, count: int) -> Path:
    """A course directory with `count` right submissions."""
    code = {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}
    release = json.loads(found.release.read_text(encoding="utf-8"))
    data = json.dumps(demo.filled(release, code)).encode()
    members = [
        demo.Submission(f"student{n:03}", "", {f"{found.name}.ipynb": data}, found.points)
        for n in range(count)
    ]
    demo.write(folder, found, members)
    return folder


def cpu_of(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of a command with all its descendants.

    Bubblewrap ends before its child does, so that the time of what was caged would be lost with
    the orphan; here orphans become children of this process and are waited for.
    """
    adopt_orphans()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=_environment())
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, time.perf_counter() - started


def _environment() -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # stock nbgrader runs `alembic` by name
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | threads | {"PATH": path}


def stock(folder: Path, found: Assignment) -> tuple[float, float]:
    (folder / "nbgrader_config.py").write_text(STOCK_CONFIG)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    shutil.rmtree(folder / "release")
    cpu_of([*nbgrader, "generate_assignment", found.name, "--force"], folder)
    return cpu_of([*nbgrader, "autograde", found.name], folder)


def engine(folder: Path, found: Assignment) -> tuple[float, float]:
    command = [sys.executable, "-m", "autograder", "grade", found.name, "--course", str(folder)]
    return cpu_of([*command, "--jobs", "1"], ROOT)


def worker_megabytes(found: Assignment) -> float:
    """Peak resident memory of a worker, what it shares with its parent included."""
    peak = 0.0

    def body(judge: Judge) -> None:
        nonlocal peak
        cage = Cage("full")
        caged = Caged(cage, found, cells(found))
        judge.judge(Student(caged), "memory")
        assert caged.worker is not None
        status = Path(f"/proc/{caged.worker.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        caged.close()
        cage.close()

    judging(found, body)
    return peak


def points(folder: Path, found: Assignment) -> set[float]:
    """The marks in nbgrader's gradebook, to see that both did their work."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        return {submission.score for submission in book.assignment_submissions(found.name)}


def measured(
    grade: Callable[[Path, Assignment], tuple[float, float]], found: Assignment, counts: list[int]
) -> list[tuple[float, float]]:
    """CPU and wall seconds for classes of these sizes; checks that all got full marks."""
    times = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            course = course_of(Path(folder), found, count)
            times.append(grade(course, found))
            assert points(course, found) == {found.points}
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--assignment", default="backprop")
    parser.add_argument("--few", type=int, default=2)
    parser.add_argument("--many", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found, few, many = assignment(options.assignment), options.few, options.many
    runs: dict[str, list[tuple[float, float]]] = {"nbgrader autograde": [], "autograder grade": []}
    for _ in range(options.repeats):
        for name, grade, factor in zip(runs, (stock, engine), (1, 10), strict=True):
            sizes = [few * factor, many * factor]
            (small, _wall), (large, _wall) = measured(grade, found, sizes)
            each = (large - small) / (sizes[1] - sizes[0])
            runs[name].append((each, small - each * sizes[0]))
    table = {
        name: {
            "cpu_each": statistics.median(each for each, _ in pairs),
            "cpu_start": statistics.median(start for _, start in pairs),
        }
        for name, pairs in runs.items()
    }
    theirs, ours = (row["cpu_each"] for row in table.values())
    memory = worker_megabytes(found)
    if options.json:
        print(json.dumps({"rows": table, "ratio": theirs / ours, "worker_mb": memory}))
        return
    print(
        f"{found.name}: classes of {few} and {many}, of {10 * few} and {10 * many} for the engine; "
        f"median of {options.repeats} runs"
    )
    print(f"{'':22}{'CPU s a submission':>20}{'ratio':>8}{'CPU s to start':>17}")
    for name, row in table.items():
        ratio = row["cpu_each"] / theirs
        print(f"{name:22}{row['cpu_each']:20.2f}{ratio:8.3f}{row['cpu_start']:17.1f}")
    print(f"a submission costs nbgrader {theirs / ours:.1f} times as much")
    print(f"peak memory of a worker: {memory:.0f} MB, libraries shared with its parent included")


if __name__ == "__main__":
    main()
