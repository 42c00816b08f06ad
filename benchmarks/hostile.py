"""Hostile submissions and accidents: this grader and stock `nbgrader autograde`, side by side.

Every attack of `autograder/attacks.py` becomes a real notebook of `backprop`, handed in beside an
honest neighbour whose name comes after it. Both graders get the same files. nbgrader runs each
in a throw-away copy inside bubblewrap, as a user without rights and under limits, since nothing
else would stop the attacks; what they do to the copy is what they would do to a course.

    python benchmarks/hostile.py [--every 1] [--json]

About an hour with all of them, nearly all of it nbgrader's; `--every 5` takes each fifth.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autograder import attacks, demo
from autograder.answers import reference_code
from autograder.course import ROOT, assignment

FOUND = assignment("backprop")
ANSWERED = ("activations", "forward", "mse_loss")
RIGHT = {name: reference_code(FOUND, name) for name in ANSWERED}
POINTS = {name: FOUND.exercise(name).points for name in ANSWERED}
NEIGHBOUR = "zoe"
CELL_SECONDS, ALL_SECONDS, BYTES, PROCESSES = 20, 120, 8 * 2**30, 200
USER = 54321

CONFIG = f"""\
c = get_config()
c.CourseDirectory.course_id = "hostile"
c.ExecutePreprocessor.timeout = {CELL_SECONDS}
c.ExecutePreprocessor.interrupt_on_timeout = True
"""


class Attack(NamedTuple):
    """A hostile notebook and what its answers deserve."""

    kind: str
    name: str
    notebook: bytes
    deserved: float


class Outcome(NamedTuple):
    """What one grader did with one attack; None where it gave no mark."""

    earned: float | None
    neighbour: float | None
    left: int


def every_attack() -> Iterator[Attack]:
    release = json.loads(FOUND.release.read_text(encoding="utf-8"))

    def notebook(code: dict[str, str], first: str = "") -> bytes:
        return json.dumps(demo.filled(release, code, first)).encode()

    whole, others = sum(POINTS.values()), POINTS["activations"] + POINTS["forward"]
    for name, first in attacks.TAKES_MARKS.items():
        yield Attack("answers nothing", name, notebook({}, attacks.cell(first)), 0.0)
    for kind, group, deserved in (
        ("returns no value", attacks.RETURNS, others),
        ("raises", attacks.RAISES, others),
        ("ends or hangs", attacks.DIES, others),
        ("odd but right", attacks.RIGHT_BUT_ODD, whole),
    ):
        for name, body in group.items():
            code = RIGHT | {"mse_loss": attacks.mse_loss(body)}
            yield Attack(kind, name, notebook(code), deserved)
    for name, first in attacks.HARMLESS.items():
        yield Attack("accident, right", name, notebook(RIGHT, attacks.cell(first)), whole)


def hand_in(course: Path, students: dict[str, bytes]) -> None:
    members = [
        demo.Submission(student, "", {"backprop.ipynb": data}, 0.0)
        for student, data in students.items()
    ]
    demo.write(course, FOUND, members)


def scores(course: Path) -> dict[str, float | None]:
    """Marks in nbgrader's gradebook."""
    from nbgrader.api import Gradebook

    try:
        with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
            found = book.assignment_submissions("backprop")
            return {one.student.id: one.score for one in found}
    except Exception:  # an attack may have left anything there
        return {}


def by_nbgrader(attack: Attack, honest: bytes) -> Outcome:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        course = Path(folder) / "course"
        hand_in(course, {"mallory": attack.notebook, NEIGHBOUR: honest})
        (course / "nbgrader_config.py").write_text(CONFIG)
        shutil.rmtree(course / "release")
        script = (
            "python -m nbgrader generate_assignment backprop --force && "
            "touch ready && python -m nbgrader autograde backprop; "
            "sleep 1; ls -d /proc/[0-9]* > left"
        )
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, USER, USER)
        with open(Path(folder) / "log", "wb") as log:
            subprocess.run([*_caged(course), "sh", "-c", script], stdout=log, stderr=log)
        if not (course / "ready").exists():
            raise SystemExit("nbgrader did not start:\n" + (Path(folder) / "log").read_text())
        found = scores(course)
        left = (course / "left").read_text().split() if (course / "left").exists() else []
        # sh, ls and bubblewrap's own process
        return Outcome(found.get("mallory"), found.get(NEIGHBOUR), max(0, len(left) - 3))


def _caged(course: Path) -> list[str]:
    """Nothing but the copy can be written, and everything ends with the command."""
    limits = [f"--as={BYTES}", f"--nproc={PROCESSES}", f"--fsize={2**30}"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = ["timeout", "-s", "KILL", str(ALL_SECONDS), "bwrap", "--die-with-parent"]
    command += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--cap-add", "ALL"]
    command += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    command += ["--bind", str(course), str(course), "--chdir", str(course), "--clearenv"]
    for name, value in (("PATH", path), ("HOME", str(course)), ("OMP_NUM_THREADS", "1")):
        command += ["--setenv", name, value]
    # no longer root, but able to read an interpreter in root's home
    command += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    command += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*command, "prlimit", *limits]


def by_us(chosen: list[Attack], honest: bytes) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        names = [f"mallory{number:03}" for number in range(len(chosen))]
        students = {name: one.notebook for name, one in zip(names, chosen, strict=True)}
        hand_in(course, students | {NEIGHBOUR: honest})
        before = _processes()
        command = [sys.executable, "-m", "autograder", "grade", "backprop", "--course", folder]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        left = len(_processes() - before)
        found = scores(course)
        return [Outcome(found.get(name), found.get(NEIGHBOUR), left) for name in names]


def _processes() -> set[str]:
    """Python and bubblewrap processes of this machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().startswith(("python", "bwrap")):
                found.add(path.parent.name)
        except OSError:
            continue
    return found


def table(chosen: list[Attack], outcomes: dict[str, list[Outcome]]) -> dict[str, dict[str, int]]:
    """Per grader, how many of the attacks did what they should not."""
    rows = {}
    for grader, found in outcomes.items():
        pairs = list(zip(chosen, found, strict=True))
        rows[grader] = {
            "undeserved marks": sum((o.earned or 0) > a.deserved + 0.01 for a, o in pairs),
            "honest marks lost": sum((o.earned or 0) < a.deserved - 0.01 for a, o in pairs),
            "a neighbour's marks lost": sum(
                (o.neighbour or 0) < sum(POINTS.values()) - 0.01 for _, o in pairs
            ),
            "processes left behind": sum(o.left > 0 for _, o in pairs),
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen = list(every_attack())[:: options.every]
    release = json.loads(FOUND.release.read_text(encoding="utf-8"))
    honest = json.dumps(demo.filled(release, RIGHT)).encode()
    outcomes = {"this grader": by_us(chosen, honest), "nbgrader autograde": []}
    for number, attack in enumerate(chosen, start=1):
        outcomes["nbgrader autograde"].append(by_nbgrader(attack, honest))
        print(f"\r{number} of {len(chosen)}: {attack.name:40.40}", end="", file=sys.stderr)
    print(file=sys.stderr)
    rows = table(chosen, outcomes)
    if options.json:
        details = {
            grader: [
                {"kind": a.kind, "name": a.name, "deserved": a.deserved, **o._asdict()}
                for a, o in zip(chosen, found, strict=True)
            ]
            for grader, found in outcomes.items()
        }
        print(json.dumps({"table": rows, "details": details}, indent=1))
        return
    print(f"{len(chosen)} hostile or unlucky submissions, each beside an honest neighbour")
    print(f"{'':26}" + "".join(f"{grader:>22}" for grader in rows))
    for line in next(iter(rows.values())):
        print(f"{line:26}" + "".join(f"{row[line]:22}" for row in rows.values()))
    for grader, found in outcomes.items():
        gained = [
            a.name for a, o in zip(chosen, found, strict=True) if (o.earned or 0) > a.deserved
        ]
        if gained:
            print(f"{grader} was fooled by: {', '.join(gained)}")


if __name__ == "__main__":
    main()
