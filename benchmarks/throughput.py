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

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import uncaged

from autograder.authoring import demo
from autograder.course import ROOT, Assignment, load_assignment
from autograder.judging.answers import reference_code, setup_code
from autograder.results import Store
from autograder.sandbox.inside.lockdown import adopt_orphans
from autograder.sandbox.inside.parent import warm_up
from autograder.sandbox.limits import machine_pace

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

    def __sub__(self, other: Cost) -> Cost:
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


def ours(folder: Path, found: Assignment, *options: str, jobs: int = 1, root: Path = ROOT) -> Cost:
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
    """What a class costs that is graded again."""

    unchanged: Cost
    unwritten: Cost
    """With gradebook, autograded notebooks and feedback pages taken away."""
    one_check: Cost
    """With the checks of another root, where one check has another text."""
    judged: set[str]
    """The exercises that were judged again for that."""


def again(course: Path, found: Assignment, root: Path) -> Again:
    unchanged = ours(course, found)
    for path in (course / "autograded", course / "feedback"):
        shutil.rmtree(path)
    (course / "gradebook.db").unlink()
    unwritten = ours(course, found)
    before = _seconds(course, found)
    one_check = ours(course, found, root=root)
    after = _seconds(course, found)
    judged = {key[0] for key in before if before[key] != after[key]}
    return Again(unchanged, unwritten, one_check, judged)


def _seconds(course: Path, found: Assignment) -> dict[tuple[str, str], list[float]]:
    """How long each check took, by which a new judgement is told from an old one."""
    return {
        (exercise.name, result.student): [check.seconds for check in exercise.checks]
        for result in Store(course).all(found.name)
        for exercise in result.exercises
    }


# ------------------------------------------------------------------------------------ the table


class Sizes(NamedTuple):
    """How many submissions each grader gets."""

    nbgrader: tuple[int, int]
    otter: int
    limit: int
    trained: tuple[int, int]
    classes: tuple[int, ...]


def step(small: Cost, large: Cost, few: int, many: int) -> Cost:
    """What a further submission costs, from two classes."""
    return (large - small) / (many - few)


def row(title: str, figure: str) -> None:
    print(f"  {title:44}{figure}", flush=True)


TARGETS: list[str] = []


def target(met: bool, text: str) -> None:
    TARGETS.append(f"  {'met   ' if met else 'MISSED'}  {text}")


def peers(found: Assignment, sizes: Sizes, otter: Path | None) -> dict[str, float]:
    """CPU seconds a submission of the other graders and at the limit."""
    costs = {}
    few, many = sizes.nbgrader
    costs["nbgrader"] = step(by_nbgrader(found, few), by_nbgrader(found, many), few, many).cpu
    row("nbgrader autograde", f"{costs['nbgrader']:.3f} CPU s a submission")
    if otter is None:
        row("otter run", "not measured; --otter FOLDER makes its environment")
    else:
        costs["otter"] = by_otter(otter, found, sizes.otter).cpu
        row("otter run", f"{costs['otter']:.3f}")
    costs["limit"] = at_the_limit(found, sizes.limit).cpu
    row("the checks in one warm process", f"{costs['limit']:.3f}")
    return costs


def trained(found: Assignment, sizes: Sizes, otter: Path | None) -> float:
    """An assignment whose checks train: CPU seconds of a submission."""
    print(f"\n{found.name}")
    costs, (few, many) = peers(found, sizes, otter), sizes.trained
    spent = step(graded(found, few), graded(found, many), few, many).cpu
    limit = statistics.mean([costs["limit"], at_the_limit(found, sizes.limit).cpu])
    row("autograder grade", f"{spent:.3f}, limit now {limit:.3f}")
    target(spent <= 1.25 * limit, f"{found.name}: {spent / limit:.2f} times the limit (1.25)")
    return spent


def untrained(found: Assignment, sizes: Sizes, otter: Path | None) -> tuple[float, float]:
    """An assignment whose checks train little, and all other questions. CPU seconds of a
    submission, and of the one process that writes."""
    print(f"\n{found.name}")
    costs, counts, one = peers(found, sizes, otter), sizes.classes, found.exercises[1].name
    first, regraded = [], []
    with changed(found, one) as root:
        for n, count in enumerate(counts):
            with tempfile.TemporaryDirectory() as folder:
                course = course_of(Path(folder), found, count)
                first.append(ours(course, found))
                assert recorded(course, found) == [found.points] * count
                if n < 2:
                    regraded.append(again(course, found, root))
    limit = statistics.mean([costs["limit"], at_the_limit(found, sizes.limit).cpu])
    steps = [step(first[n], first[n + 1], counts[n], counts[n + 1]) for n in range(len(counts) - 1)]
    spent = step(first[0], first[-1], counts[0], counts[-1]).cpu
    start = first[0].cpu - counts[0] * spent
    row("autograder grade", f"{spent:.3f}, limit now {limit:.3f}; to start {start:.1f}")
    for few, many, each in zip(counts, counts[1:], steps, strict=False):
        row(f"  from {few} to {many}", f"{each.cpu:.3f}; grader's memory {each.megabytes:.0f} MB")
    few, many = counts[:2]
    small, large = (graded(found, count, jobs=2) for count in (few, many))
    speed = step(first[0], first[1], few, many).wall / step(small, large, few, many).wall
    row("two workers", f"{speed:.2f} times as fast as one (wall)")
    same, written, other = (
        step(getattr(regraded[0], name), getattr(regraded[1], name), few, many)
        for name in ("unchanged", "unwritten", "one_check")
    )
    judged = set[str]().union(*(one.judged for one in regraded))
    row("again, nothing changed", f"{1000 * same.cpu:.1f} ms CPU, {1000 * same.wall:.1f} ms")
    row("again, all to be written anew", f"{1000 * written.cpu:.1f} ms CPU")
    row(f"again, a check of {one}", f"{other.cpu:.3f} CPU s; judged: {', '.join(sorted(judged))}")

    pace, over = machine_pace(), spent - limit
    for name, share in (("nbgrader", 20), ("otter", 50)):
        if name in costs:
            ratio, least = costs[name] / spent, costs[name] / limit
            text = f"1/{ratio:.1f} of {name}'s CPU (1/{share}); the limit is at 1/{least:.1f}"
            target(ratio >= share, text)
    target(over <= 0.15, f"{over:.3f} CPU s above the limit (0.15), {over / pace:.3f} if quiet")
    target(speed >= 1.8, f"two workers {speed:.2f} times one (1.8)")
    flat = max(each.cpu for each in steps) / min(each.cpu for each in steps)
    target(flat <= 1.15, f"cost by class size: largest {flat:.2f} times the least (1.15)")
    memory = [each.megabytes for each in first]
    target(max(memory) <= 1.15 * min(memory), f"memory {min(memory):.0f}-{max(memory):.0f} MB")
    target(same.wall <= 0.010, f"nothing changed: {1000 * same.wall:.1f} ms (10)")
    target(judged == {one}, f"one check changed: {len(judged)} exercise judged again (1)")
    return spent, written.cpu


def project(light: float, heavy: float, sinks: float) -> None:
    """A large course on paper: from what a submission costs, and what it costs the one process
    that writes."""
    mean, all_of_them = (light + heavy) / 2, STUDENTS * ASSIGNMENTS
    print(
        f"""
on paper: {STUDENTS} students, {ASSIGNMENTS} assignments, half of them like each of these two
  {all_of_them} submissions × {mean:.2f} CPU s = {all_of_them * mean / 3600:.0f} core-hours
  an assignment without training on 2 cores: {STUDENTS * light / 2 / 3600:.1f} h, with: \
{STUDENTS * heavy / 2 / 3600:.1f} h
  the one process that writes needs {1000 * sinks:.0f} ms a submission: {1 / sinks:.0f} a second, \
{STUDENTS * sinks / 60:.0f} min an assignment
  this is the next limit: it is reached at {light / sinks:.0f} workers without training, \
{heavy / sinks:.0f} with"""
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small classes, in minutes")
    parser.add_argument("--thousand", action="store_true", help="a class of 1000 as well")
    parser.add_argument("--otter", type=Path, metavar="FOLDER", help="otter's environment")
    options = parser.parse_args()
    sizes = Sizes((2, 8), 3, 10, (2, 8), (10, 100))
    if options.quick:
        sizes = Sizes((1, 2), 1, 3, (1, 3), (2, 12))
    if options.thousand:
        sizes = sizes._replace(classes=(*sizes.classes, 1000))
    otter = otter_in(options.otter.expanduser().resolve()) if options.otter else None
    warm_up()
    load, pace = os.getloadavg()[0], machine_pace()
    print(
        f"{os.cpu_count()} cores, load {load:.1f}, a CPU second is worth {1 / pace:.2f} quiet ones"
    )
    print(f"submissions: {sizes}")
    light, sinks = untrained(load_assignment("backprop"), sizes, otter)
    heavy = trained(load_assignment("training"), sizes, otter)
    project(light, heavy, sinks)
    print("\ntargets", *TARGETS, sep="\n")


if __name__ == "__main__":
    main()
