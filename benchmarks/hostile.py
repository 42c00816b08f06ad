"""Hostile submissions and accidents: this grader, stock nbgrader and otter, side by side.

Every attack of `tests/hostile/attacks.py` becomes a real notebook of `backprop`, handed in with
an honest neighbour whose name comes last. All graders get the same notebooks and the same hidden
checks. Each class is a throw-away copy, graded inside bubblewrap without network and under limits
of memory, processes, file size and time, since nothing else would stop the attacks; what they do
to the copy is what they would do to a course.

Several attacks make one class. Where anything is amiss in it, each of them is tried again in a
class of its own, so that every count is one attack's doing.

    python benchmarks/hostile.py [--group dies …] [--tool nbgrader otter …] [--every 1] [--json]

Needs root, bubblewrap and setpriv. otter gets an environment of its own, made at first use.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from autograder.authoring import demo
from autograder.course import ROOT, load_assignment
from autograder.judging.answers import reference_code

sys.path[:0] = [str(ROOT / "tests" / "hostile"), str(ROOT / "tests")]
import attacks  # noqa: E402 – found only now

FOUND = load_assignment("backprop")
ANSWERED = ("activations", "forward", "mse_loss")
RIGHT = {name: reference_code(FOUND, name) for name in ANSWERED}
POINTS = {name: FOUND.exercise(name).points for name in ANSWERED}
WHOLE = sum(POINTS.values())
NEIGHBOUR = "zoe"
# nbgrader's own, and more where others are at work: honest cells must not run out of time
CELL_SECONDS = round(30 * max(1.0, os.getloadavg()[1] / (os.cpu_count() or 1)))
LIMITS = ["--as=4294967296", "--nproc=150", "--fsize=268435456", "--cpu=300", "--core=0"]
USER = 54321
STALL_SECONDS = 4 * CELL_SECONDS  # without a line in the log
CLASS_SECONDS = 4 * CELL_SECONDS  # for each submission of a class
# The processes that there are: number, folder, state, name.
WHO = (
    "for p in /proc/[0-9]*; do "
    'printf "%s\\t%s\\t%s\\t%s\\n" ${p#/proc/} "$(readlink $p/cwd)" '
    '"$(sed "s/.*) //" $p/stat | cut -c1)" "$(cat $p/comm)"; done'
)
OTTER = "otter-grader==7.0.0"
OTTER_FOLDER = Path("/tmp/otter-grader-7.0.0")
THEIR_OWN = (str(OTTER_FOLDER), "/tmp/torchinductor_")  # torch makes that folder when imported


class Attack(NamedTuple):
    """A hostile notebook and what its answers deserve."""

    name: str
    notebook: bytes
    deserved: float


class Graded(NamedTuple):
    """What a grader made of a class; students without a mark are missing."""

    marks: dict[str, float]
    left: list[str]
    """Processes that lived on, and files outside the course."""


class Outcome(NamedTuple):
    """What one attack did."""

    attack: str
    undeserved: bool
    lost: bool
    stopped: bool
    left: list[str]


Grader = Callable[[Path, int], Graded]


def notebook(code: dict[str, str], first: str = "") -> bytes:
    release = json.loads(FOUND.release.read_text(encoding="utf-8"))
    return json.dumps(demo.filled(release, code, first)).encode()


WRONG = """\
sigmoid = tanh = relu = leaky_relu = lambda x, slope=0.01: 0 * x + 7.0
forward = lambda x, W1, b1, W2, b2: (x, x, x)
mse_loss = lambda y_pred, y_true: 7.0
"""
EMPTIED = {exercise.name: "" for exercise in FOUND.exercises}  # stubs would undo what was forged

# What stock nbgrader and otter are open to: a cell in front of wrong answers.
FORGES = {
    "replaces the check cells' code": """
        def forged(lines):
            found = [name for name in ("activations", "forward", "mse_loss")
                     if any(f'"{name}"' in line for line in lines)]
            return ["5.0\\n"] if found and any("score(" in line for line in lines) else lines
        get_ipython().input_transformers_cleanup.append(forged)
    """,
    "replaces the function that scores": """
        import autograder.authoring.stock_nbgrader
        autograder.authoring.stock_nbgrader.score = lambda name, exercise, namespace: 5.0
    """,
    "writes to the gradebook when all is done": """
        import os, sqlite3, time
        if os.fork() == 0:
            os.setsid()
            for _ in range(100):
                time.sleep(1)
                for path in ("../../../gradebook.db", "gradebook.db"):
                    if os.path.exists(path):
                        with sqlite3.connect(path) as book:
                            book.execute("UPDATE grade SET auto_score = 5.0, manual_score = NULL")
            os._exit(0)
    """,
}


def _answers_nothing(cells: dict[str, str]) -> list[Attack]:
    return [
        Attack(name, notebook(EMPTIED, WRONG + textwrap.dedent(first)), 0.0)
        for name, first in cells.items()
    ]


def _answers_all(cells: dict[str, str]) -> list[Attack]:
    return [
        Attack(name, notebook(RIGHT, textwrap.dedent(first)), WHOLE)
        for name, first in cells.items()
    ]


def _loss(bodies: dict[str, str], deserved: float) -> list[Attack]:
    return [
        Attack(name, notebook(RIGHT | {"mse_loss": attacks.mse_loss(body)}), deserved)
        for name, body in bodies.items()
    ]


OTHERS = WHOLE - POINTS["mse_loss"]
GROUPS: dict[str, tuple[str, list[Attack]]] = {
    "takes_marks": ("attacks, all answers wrong", _answers_nothing(attacks.TAKES_MARKS)),
    "forges": ("forges its marks", _answers_nothing(FORGES)),
    "returns": ("returns no value", _loss(attacks.RETURNS, OTHERS)),
    "raises": ("raises", _loss(attacks.RAISES, OTHERS)),
    "dies": ("ends, hangs or swells", _loss(attacks.DIES, OTHERS)),
    "odd": ("odd, and right", _loss(attacks.RIGHT_BUT_ODD, WHOLE)),
    "harmless": ("an accident, and right", _answers_all(attacks.HARMLESS)),
}


# -------------------------------------------------------------------------------- the sandbox


def caged(folder: Path, command: str, seconds: int, *, root: bool = False) -> list[str]:
    """Runs a shell command that may write to `folder` and nowhere else; what it left behind.

    The command is a user without rights, unless it must make cages itself. Everything in its PID
    namespace ends with it, or when its time is over.
    """
    script = folder / "command.sh"
    script.write_text(f"cd {folder}/course\n{command}\n")
    if not root:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)
    inside = ["sh", str(script)]
    if not root:  # able to read an interpreter in root's home
        rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        user = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        inside = ["prlimit", *LIMITS, "setpriv", *user, *rights, *inside]
    look = (
        f"{' '.join(inside)} > {folder}/log 2>&1; sleep 1; {WHO} > {folder}/processes; "
        f"find /tmp /dev/shm -mindepth 1 -not -path '{folder}*' > {folder}/files"
    )
    search = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    variables = {
        "PATH": search,
        "HOME": f"{folder}/home",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'assignments'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
    }
    bwrap = ["nice", "-n", "10", "bwrap", "--die-with-parent"]
    bwrap += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--cap-add", "ALL"]
    bwrap += ["--ro-bind", "/", "/", "--dev", "/dev"]
    bwrap += ["--proc", "/proc"]
    for place in ("/tmp", "/dev/shm"):
        bwrap += ["--perms", "1777", "--size", str(2**30), "--tmpfs", place]
    bwrap += ["--bind", str(folder), str(folder)]
    if OTTER_FOLDER.exists():
        bwrap += ["--ro-bind", str(OTTER_FOLDER), str(OTTER_FOLDER)]
    bwrap += ["--chdir", str(folder), "--clearenv"]
    bwrap += [part for name, value in variables.items() for part in ("--setenv", name, value)]
    process = subprocess.Popen([*bwrap, "sh", "-c", look], start_new_session=True)
    began = moved = time.monotonic()
    size = 0
    while process.poll() is None:
        time.sleep(0.5)
        now, before = time.monotonic(), size
        size = (folder / "log").stat().st_size if (folder / "log").exists() else 0
        moved = now if size != before else moved
        if now - began > seconds or (now - moved > STALL_SECONDS and not root):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return _left(folder)


def _left(folder: Path) -> list[str]:
    left = []
    with contextlib.suppress(OSError):
        for line in (folder / "processes").read_text(errors="replace").splitlines():
            number, where, state, name = line.split("\t")
            if int(number) > 2 and state not in (
                "",
                "Z",
            ):  # not bubblewrap, nor the shell that looks
                left.append(f"process {name} in {where}")
    with contextlib.suppress(OSError):
        files = (folder / "files").read_text(errors="replace").splitlines()
        left += [f"file {name[:60]}" for name in files if not name.startswith(THEIR_OWN)]
    return left


def hand_in(course: Path, students: dict[str, bytes]) -> None:
    members = [
        demo.Submission(student, "", {"backprop.ipynb": data}, 0.0)
        for student, data in students.items()
    ]
    demo.write(course, FOUND, members)


# -------------------------------------------------------------------------------- the graders


def by_autograder(folder: Path, count: int) -> Graded:
    command = f"python -m autograder grade backprop --course {folder}/course --jobs 2"
    left = caged(folder, command, CLASS_SECONDS * count, root=True)
    return Graded(_in_gradebook(folder / "course"), left)


def by_nbgrader(folder: Path, count: int) -> Graded:
    template = _nbgrader_course()
    course = folder / "course"
    shutil.rmtree(course / "release")
    for name in ("gradebook.db", "nbgrader_config.py"):
        shutil.copy(template / name, course / name)
    left = caged(folder, "python -m nbgrader autograde backprop", CLASS_SECONDS * count)
    return Graded(_in_gradebook(course), left)


def _nbgrader_course(made: dict[str, Path] = {}) -> Path:  # noqa: B006 – made once
    """A course folder whose assignment nbgrader has generated."""
    if "course" not in made:
        folder = Path(tempfile.mkdtemp(prefix="hostile-template-"))
        course = folder / "course"
        hand_in(course, {})
        shutil.rmtree(course / "release")
        (course / "nbgrader_config.py").write_text(
            'c = get_config()\nc.CourseDirectory.course_id = "hostile"\n'
            f"c.ExecutePreprocessor.timeout = {CELL_SECONDS}\n"
        )
        caged(folder, "python -m nbgrader generate_assignment backprop --force", 600)
        if not (course / "release/backprop/backprop.ipynb").exists():
            raise SystemExit("nbgrader did not start:\n" + (folder / "log").read_text())
        made["course"] = course
    return made["course"]


def _in_gradebook(course: Path) -> dict[str, float]:
    """Marks in nbgrader's gradebook, of those whom the grader finished."""
    from nbgrader.api import Gradebook

    try:
        with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
            found = book.assignment_submissions("backprop")
            done = [one for one in found if (course / "autograded" / one.student.id).exists()]
            return {one.student.id: one.score for one in done}
    except Exception:  # an attack may have left anything there
        return {}


OTTER_TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = {points}


@test_case(points={points}, hidden=True)
def test_hidden(env):
    from autograder.authoring.stock_nbgrader import score

    earned = score("backprop", "{name}", env)
    assert earned > {points} - 0.01, earned
"""


def by_otter(folder: Path, count: int) -> Graded:
    """`otter run`, one submission after another; the exercise counts only as a whole."""
    python = _otter()
    tests = folder / "course" / "tests"
    tests.mkdir()
    for exercise in FOUND.exercises:
        text = OTTER_TEST.format(name=exercise.name, points=exercise.points)
        (tests / f"{exercise.name}.py").write_text(text)
    kit = folder / "course" / "release" / "backprop"
    students = sorted(path.name for path in (folder / "course" / "submitted").iterdir())
    zipped = (
        "python -m otter generate -t tests -o autograder.zip --no-environment --no-requirements"
    )
    run = (
        f"export PATH={python.parent}:$PATH JUPYTER_PATH={OTTER_FOLDER}/share/jupyter\n"
        f"export PYTHONPATH=$PYTHONPATH:{kit}\n{zipped}\n"
        f"for student in {' '.join(students)}; do\n"
        "echo submitted/$student/; mkdir -p results/$student\n"
        "python -m otter run -a autograder.zip -o results/$student "
        "submitted/$student/backprop/backprop.ipynb\ndone"
    )
    left = caged(folder, run, CLASS_SECONDS * count)
    marks = {}
    for student in students:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads((folder / f"course/results/{student}/results.json").read_bytes())
            marks[student] = float(sum(test.get("score", 0.0) for test in found["tests"]))
    return Graded(marks, left)


def _otter() -> Path:
    python = OTTER_FOLDER / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", OTTER_FOLDER], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        frozen = ["--constraint", str(ROOT / ".constraints.txt")]
        subprocess.run([*pip, *frozen, "torch==2.13.0"], check=True)
        others = ["scipy", "scikit-learn", "matplotlib", "pytest", "msgspec", "nbgrader", "tqdm"]
        subprocess.run([*pip, OTTER, *others], check=True)
    return python


GRADERS: dict[str, Grader] = {
    "autograder": by_autograder,
    "nbgrader": by_nbgrader,
    "otter": by_otter,
}
CLASS = {"autograder": 1000, "nbgrader": 6, "otter": 6}


# ------------------------------------------------------------------------------- side by side


def tried(grader: str, chosen: Sequence[Attack], usual: int = 0) -> list[Outcome]:
    """What each attack did; `usual` files are left by the grader itself.

    Where anything is amiss in a class, the first attack that may be at fault is tried alone, and
    those after it in another class.
    """
    if not chosen:
        return []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix="hostile-") as name:
        folder = Path(name)
        students = {f"mallory{n:03}": attack.notebook for n, attack in enumerate(chosen)}
        hand_in(folder / "course", students | {NEIGHBOUR: notebook(RIGHT)})
        (folder / "home").mkdir()
        graded = GRADERS[grader](folder, len(chosen) + 1)
        log = (folder / "log").read_text(errors="replace")
    stopped = graded.marks.get(NEIGHBOUR, 0.0) < WHOLE - 0.01
    processes = [what for what in graded.left if what.startswith("process")]
    files = [what for what in graded.left if what.startswith("file")]
    left = processes + (files if len(files) > usual * (len(chosen) + 1) / 2 else [])
    if (stopped or left) and len(chosen) > 1:
        owners = [re.findall(r"mallory\d+", what)[-1:] for what in left]
        if stopped:
            owners.append(re.findall(r"submitted/(mallory\d+)/", log)[-1:])
        names = list(students)
        first = min(names.index(owner[0]) if owner else 0 for owner in owners)
        again = [*tried(grader, chosen[first : first + 1], usual)]
        again += tried(grader, chosen[first + 1 :], usual)
        done = chosen[:first]
    else:
        again, done = [], chosen
    outcomes = []
    for student, attack in zip(students, done, strict=False):
        earned = graded.marks.get(student, 0.0)
        more, less = earned > attack.deserved + 0.01, earned < attack.deserved - 0.01
        alone = len(chosen) == 1
        outcomes.append(Outcome(attack.name, more, less, stopped and alone, left if alone else []))
        print(f"{grader}: {outcomes[-1]}, {earned:g} earned", file=sys.stderr, flush=True)
    return outcomes + again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--group", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--tool", nargs="+", choices=GRADERS, default=list(GRADERS))
    parser.add_argument("--every", type=int, default=1, help="only each n-th attack")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, list[Outcome]]] = {}
    for tool in options.tool:
        # an honest class must work, and shows what the grader itself leaves
        honest = tried(tool, [Attack("honest", notebook(RIGHT), WHOLE)])[0]
        if honest.undeserved or honest.lost or honest.stopped:
            raise SystemExit(f"{tool} does not grade honest work here: {honest}")
        for group in options.group:
            chosen = GROUPS[group][1][:: options.every]
            for start in range(0, len(chosen), CLASS[tool]):
                outcomes = tried(tool, chosen[start : start + CLASS[tool]], len(honest.left))
                found.setdefault(group, {}).setdefault(tool, []).extend(outcomes)
    if options.json:
        rows = [
            {"group": group, "tool": tool} | one._asdict()
            for group, tools in found.items()
            for tool, outcomes in tools.items()
            for one in outcomes
        ]
        print(json.dumps(rows, indent=1))
    else:
        _print(found)


def _print(found: dict[str, dict[str, list[Outcome]]]) -> None:
    titles = {"undeserved": "undeserved", "lost": "marks lost", "stopped": "class stopped"}
    titles["left"] = "left behind"
    print(f"{'':40}{'tried':>6}" + "".join(f"{title:>15}" for title in titles.values()))
    for group, tools in found.items():
        for tool, outcomes in tools.items():
            counts = [sum(bool(getattr(one, name)) for one in outcomes) for name in titles]
            print(f"{GROUPS[group][0]:28}{tool:12}{len(outcomes):6}", end="")
            print("".join(f"{count:15}" for count in counts))


if __name__ == "__main__":
    main()
