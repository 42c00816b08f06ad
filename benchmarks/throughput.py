"""What grading a class costs, side by side in one run, and whether it meets its targets.

The same right submissions are graded with the same checks

- by stock `nbgrader autograde`, whose check cells call the checks in the kernel,
- by `otter run`, whose test files do (`--otter FOLDER` names or makes its environment),
- at the limit: the checks called in one warm process, without a cage (`uncaged.py`),
- by `autograder grade`, with one worker and with two, which also writes the gradebook, the
  autograded notebooks and the feedback pages.

`backprop` stands for assignments without long training, `training` for the others. CPU seconds
are those of a command and of everything it started. Classes of several sizes tell what a
submission costs from what starting costs. Wall times are only used for two workers against one,
and mean little on a busy machine.

    python benchmarks/throughput.py [--quick] [--otter ~/.cache/otter] [--thousand]
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ |= ONE_THREAD

import uncaged

from autograder import demo
from autograder.answers import reference_code, setup_code
from autograder.caged import _pace
from autograder.course import ROOT, Assignment, assignment
from autograder.results import Store
from autograder.worker.lockdown import adopt_orphans
from autograder.worker.parent import warm_up

STUDENTS, ASSIGNMENTS = 10_000, 9  # of the projection
OTTER = ("torch==2.13.0", "otter-grader==7.0.0", "ipykernel", "scipy", "scikit-learn", "pytest")
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "bench"
c.ExecutePreprocessor.timeout = 600
"""
CHECK_CELL = """\
### BEGIN HIDDEN TESTS
from uncaged import points

points({name!r}, {exercise!r}, globals())
### END HIDDEN TESTS
"""
OTTER_TEST = """\
OK_FORMAT = False
from otter.test_files import test_case

name = {exercise!r}
points = {points}


@test_case(points={points}, hidden=True)
def test_all(env):
    from uncaged import points

    points({name!r}, {exercise!r}, env)
"""


class Cost(NamedTuple):
    """Of a command with all its descendants; `megabytes` is the command's own peak."""

    cpu: float
    wall: float
    megabytes: float = 0.0

    def __sub__(self, other: Cost) -> Cost:  # type: ignore[override]
        return Cost(self.cpu - other.cpu, self.wall - other.wall, self.megabytes)

    def __truediv__(self, count: int) -> Cost:
        return Cost(self.cpu / count, self.wall / count, self.megabytes)


def cost(command: list[str], folder: Path, root: Path = ROOT) -> Cost:
    """What a command costs, the course's modules being those below `root`.

    Bubblewrap ends before its child does, so that the time of what was caged would be lost with
    the orphan; here orphans become children of this process and are waited for.
    """
    adopt_orphans()
    path = os.pathsep.join(map(str, (root, root / "assignments", root / "benchmarks")))
    # stock nbgrader runs `alembic` by name, otter a kernel
    programs = os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])
    environment = os.environ | {"PYTHONPATH": path, "PATH": programs}
    before, started, peak = _cpu(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            peak = max(peak, _megabytes(process.pid))
            time.sleep(0.05)
        wall = time.perf_counter() - started
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return Cost(_cpu(resource.RUSAGE_CHILDREN) - before, wall, peak)


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _megabytes(pid: int) -> float:
    """The process's own peak of resident memory so far."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


# ------------------------------------------------------------------------------ the notebooks


@functools.cache
def answers(found: Assignment) -> dict[str, str]:
    return {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}


def course_of(folder: Path, found: Assignment, count: int) -> Path:
    """A course directory with `count` right submissions."""
    release = json.loads(found.release.read_text(encoding="utf-8"))
    data = json.dumps(demo.filled(release, answers(found))).encode()
    members = [
        demo.Submission(f"student{n:05}", "", {f"{found.name}.ipynb": data}, found.points)
        for n in range(count)
    ]
    demo.write(folder, found, members)
    return folder


def without_demonstrations(path: Path) -> dict:
    """A notebook of the course without the cells that show things, which no other grader needs."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if not cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("demo_")
    ]
    return notebook


# ------------------------------------------------------------------------------- the graders


def by_nbgrader(found: Assignment, count: int) -> Cost:
    """Stock `nbgrader autograde`, in the course's own environment."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "nbgrader_config.py").write_text(CONFIG)
        source = without_demonstrations(found.source)
        for cell in source["cells"]:
            exercise = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if exercise.startswith("check_"):
                exercise = exercise.removeprefix("check_")
                cell["source"] = CHECK_CELL.format(name=found.name, exercise=exercise)
        (folder / "source" / found.name).mkdir(parents=True)
        notebook = Path(found.name, f"{found.name}.ipynb")
        (folder / "source" / notebook).write_text(json.dumps(source))
        nbgrader = [sys.executable, "-m", "nbgrader"]
        cost([*nbgrader, "generate_assignment", found.name], folder)
        release = json.loads((folder / "release" / notebook).read_text())
        submitted = json.dumps(demo.filled(release, answers(found)))
        for n in range(count):
            path = folder / "submitted" / f"student{n:05}" / notebook
            path.parent.mkdir(parents=True)
            path.write_text(submitted)
        spent = cost([*nbgrader, "autograde", found.name], folder)
        assert recorded(folder, found) == [found.points] * count
        return spent


def recorded(folder: Path, found: Assignment) -> list[float]:
    """The marks in nbgrader's gradebook, to see that everybody got what is deserved."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        return [submission.score for submission in book.assignment_submissions(found.name)]


def otter_in(folder: Path) -> Path:
    """otter's program in its own environment, which is made where it is missing."""
    program = folder / "bin" / "otter"
    if not program.exists():
        venv.create(folder, with_pip=True)
        for packages in (OTTER[:1], OTTER[1:]):
            subprocess.run([folder / "bin" / "pip", "install", "-q", *packages], check=True)
    return program


def by_otter(program: Path, found: Assignment, count: int) -> Cost:
    """`otter run` of each submission: it starts anew for every one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tests").mkdir()
        for exercise in found.exercises:
            fields = {"exercise": exercise.name, "points": exercise.points, "name": found.name}
            (folder / "tests" / f"{exercise.name}.py").write_text(OTTER_TEST.format(**fields))
        notebook = demo.filled(without_demonstrations(found.release), answers(found))
        notebook["cells"] = [
            cell
            for cell in notebook["cells"]
            if not cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check_")
        ]
        (folder / "submission.ipynb").write_text(json.dumps(notebook))
        cost([str(program), "generate", "--no-environment", "--no-requirements"], folder)
        spent = []
        for _ in range(count):
            spent.append(cost([str(program), "run", "submission.ipynb", "--no-logo"], folder))
            results = json.loads((folder / "results.json").read_text())
            assert sum(test.get("score", 0.0) for test in results["tests"]) == found.points
    return Cost(*(statistics.mean(values) for values in zip(*spent, strict=True)))


def at_the_limit(found: Assignment, count: int) -> Cost:
    """Cells and checks of each submission, called in this process; the first is not counted."""
    code = [setup_code(found), *answers(found).values()]
    before = Cost(0.0, 0.0)
    for n in range(count + 1):
        if n == 1:
            before = Cost(time.process_time(), time.perf_counter())
        namespace: dict = {"__name__": "__main__"}
        for cell in code:
            exec(compile(cell, "<cell>", "exec", dont_inherit=True), namespace)
        for exercise in found.exercises:
            uncaged.points(found.name, exercise.name, namespace)
    return (Cost(time.process_time(), time.perf_counter()) - before) / count


def ours(
    folder: Path, found: Assignment, *options: str, jobs: int = 1, root: Path = ROOT
) -> Cost:
    command = [sys.executable, "-m", "autograder", "grade", found.name, "--course", str(folder)]
    return cost([*command, "--jobs", str(jobs), *options], root, root)


def graded(found: Assignment, count: int, jobs: int = 1) -> Cost:
    """A class of this size graded for the first time."""
    with tempfile.TemporaryDirectory() as folder:
        course = course_of(Path(folder), found, count)
        spent = ours(course, found, jobs=jobs)
        assert recorded(course, found) == [found.points] * count
        return spent


@contextlib.contextmanager
def changed(found: Assignment, exercise: str) -> Iterator[Path]:
    """A copy of the project in which one hidden check of the exercise has another text."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("assignments", "autograder", "reference_impl", "source", "release"):
            shutil.copytree(ROOT / part, root / part)
        checks = root / found.hidden_checks.relative_to(ROOT)
        start, end = f"def test_{exercise}__", "(student, draw):\n"
        before, _, after = checks.read_text(encoding="utf-8").partition(start)
        checks.write_text(before + start + after.replace(end, end + "    # changed\n", 1))
        yield root


class Again(NamedTuple):
    """Grading a graded class again, a submission."""

    unchanged: Cost
    one_check: Cost
    exercises: set[str]
    """Those that were judged again after one check of one exercise had changed."""


def again(found: Assignment, few: int, many: int, exercise: str) -> Again:
    """The cost of a small class is taken from that of a large one: what is left is no start."""
    spent = []
    with changed(found, exercise) as other:
        for count in (few, many):
            with tempfile.TemporaryDirectory() as folder:
                course = course_of(Path(folder), found, count)
                ours(course, found)
                unchanged = ours(course, found)
                before = _seconds(course, found)
                spent.append((unchanged, ours(course, found, root=other)))
                after = _seconds(course, found)
        judged = {key[0] for key in before if before[key] != after[key]}
    unchanged, one_check = (
        (large - small) / (many - few) for small, large in zip(*spent, strict=True)
    )
    return Again(unchanged, one_check, judged)


def _seconds(course: Path, found: Assignment) -> dict[tuple[str, str], list[float]]:
    """How long each check took, by which a new judgement is told from an old one."""
    return {
        (exercise.name, result.student): [check.seconds for check in exercise.checks]
        for result in Store(course).all(found.name)
        for exercise in result.exercises
    }


# ------------------------------------------------------------------------------------ the table


class Sizes(NamedTuple):
    """How many submissions each grader gets: of `training`, and of `backprop` where they differ."""

    nbgrader: tuple[int, int]
    otter: int
    limit: int
    trained: tuple[int, int]
    classes: tuple[int, ...]


def each(costs: list[Cost], counts: tuple[int, ...]) -> list[Cost]:
    """From one class to the next larger one, what a further submission costs."""
    return [
        (costs[n + 1] - costs[n]) / (counts[n + 1] - counts[n]) for n in range(len(counts) - 1)
    ]


class Figures(NamedTuple):
    """Of one assignment, CPU seconds a submission, and what starting costs."""

    nbgrader: float
    otter: float | None
    limit: float
    ours: float
    start: float
    costs: list[Cost]
    """Of our classes, from the smallest."""


def figures(found: Assignment, sizes: Sizes, counts: tuple[int, ...], otter: Path | None) -> Figures:
    nbgrader = each([by_nbgrader(found, count) for count in sizes.nbgrader], sizes.nbgrader)[0]
    limits = [at_the_limit(found, sizes.limit).cpu]
    costs = [graded(found, count) for count in counts]
    limits.append(at_the_limit(found, sizes.limit).cpu)  # before and after: the machine's mood
    ours_each = (costs[-1] - costs[0]).cpu / (counts[-1] - counts[0])
    return Figures(
        nbgrader.cpu,
        by_otter(otter, found, sizes.otter).cpu if otter else None,
        statistics.mean(limits),
        ours_each,
        costs[0].cpu - counts[0] * ours_each,
        costs,
    )


def target(met: bool, text: str) -> str:
    return f"{'met   ' if met else 'MISSED'}  {text}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small classes, in minutes")
    parser.add_argument("--thousand", action="store_true", help="a class of 1000 as well")
    parser.add_argument("--otter", type=Path, metavar="FOLDER", help="otter's environment")
    options = parser.parse_args()
    sizes = Sizes((2, 8), 3, 10, (2, 12), (1, 10, 100))
    if options.quick:
        sizes = Sizes((1, 3), 1, 3, (1, 4), (1, 5, 25))
    if options.thousand:
        sizes = sizes._replace(classes=(*sizes.classes, 1000))
    otter = otter_in(options.otter.expanduser().resolve()) if options.otter else None
    light, heavy = assignment("backprop"), assignment("training")
    warm_up()

    pace = _pace()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, a CPU second is worth ", end="")
    print(f"{1 / pace:.2f} of a quiet machine's; classes of {sizes}", flush=True)
    found = {
        one.name: figures(one, sizes, counts, otter)
        for one, counts in ((light, sizes.classes), (heavy, sizes.trained))
    }
    few, many = sizes.classes[-3], sizes.classes[-1]
    pairs = [graded(light, count, jobs=2) for count in sizes.classes[1:3]]
    repeated = again(light, *sizes.classes[1:3], light.exercises[1].name)

    print(f"\n{'CPU s a submission':28}" + "".join(f"{name:>12}" for name in found))
    for row in ("nbgrader", "otter", "limit", "ours"):
        title = {
            "nbgrader": "nbgrader autograde",
            "otter": "otter run",
            "limit": "the checks, without a cage",
            "ours": "autograder grade",
        }[row]
        values = [getattr(one, row) for one in found.values()]
        cells = [f"{'not measured' if v is None else format(v, '.3f'):>12}" for v in values]
        print(f"{title:28}" + "".join(cells))
    print(f"{'  and to start':28}" + "".join(f"{one.start:12.1f}" for one in found.values()))

    one, trained = found[light.name], found[heavy.name]
    steps = each(one.costs, sizes.classes)
    alone, together = each(one.costs[1:3], sizes.classes[1:3])[0], each(pairs, sizes.classes[1:3])[0]
    print("\nbackprop, by the size of the class")
    for count, spent, before in zip(sizes.classes[1:], steps, sizes.classes, strict=False):
        print(
            f"{before:5} to {count:4}: {spent.cpu:.3f} CPU s a further submission; "
            f"the grading process held {spent.megabytes:.0f} MB"
        )
    speed = alone.wall / together.wall
    print(f"two workers: {together.wall:.2f} s a submission, one: {alone.wall:.2f} s")
    print(
        f"graded again, nothing changed: {1000 * repeated.unchanged.wall:.1f} ms a submission; "
        f"one check of {light.exercises[1].name} changed: {repeated.one_check.cpu:.3f} CPU s, "
        f"judged again: {', '.join(sorted(repeated.exercises))}"
    )

    flat = max(step.cpu for step in steps) / min(step.cpu for step in steps)
    sizes_mb = [spent.megabytes for spent in one.costs]
    over = one.ours - one.limit
    print("\ntargets")
    lines = [
        (one.ours <= one.nbgrader / 20, f"1/{one.nbgrader / one.ours:.0f} of nbgrader's CPU (1/20)"),
        (
            trained.ours <= 1.25 * trained.limit,
            f"with training {trained.ours / trained.limit:.2f} times the limit (1.25)",
        ),
        (over <= 0.15, f"without, {over:.3f} CPU s above it (0.15; {over / pace:.3f} if quiet)"),
        (speed >= 1.8, f"two workers {speed:.2f} times one (1.8)"),
        (flat <= 1.15, f"largest cost of a further submission {flat:.2f} times the least (flat)"),
        (
            max(sizes_mb) <= 1.1 * min(sizes_mb),
            f"memory {min(sizes_mb):.0f} to {max(sizes_mb):.0f} MB (flat)",
        ),
        (
            repeated.unchanged.wall <= 0.010,
            f"nothing changed: {1000 * repeated.unchanged.wall:.1f} ms (10)",
        ),
        (
            repeated.exercises == {light.exercises[1].name},
            f"one check changed: {len(repeated.exercises)} of {len(light.exercises)} exercises (1)",
        ),
    ]
    if one.otter is not None:
        ratio = one.otter / one.ours
        lines.insert(1, (one.ours <= one.otter / 50, f"1/{ratio:.0f} of otter's CPU (1/50)"))
    for met, text in lines:
        print(target(met, text))
