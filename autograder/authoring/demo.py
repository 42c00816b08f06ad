"""A small class that shows the grader at work: right, half-right, wrong, broken, hostile.

Each student's notebook is the release with cells filled in as that student would, saved as a
real file. What each deserves is worked out without the cage: known answers are judged in this
process, and what must be lost is written beside the code that loses it.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.pages import UNWRITTEN

from autograder.course import ROOT, Assignment, Cell, cell_of, notebook_cell
from autograder.judging.answers import alternatives, cells, mistakes, reference_code
from autograder.judging.follow_through import in_process, judged
from autograder.judging.judge import Judge

from .merit import dependents, family

Notebook = dict[str, Any]
QUICK = ("backprop", "lennard_jones")


@dataclass
class Submission:
    """What one student hands in for one assignment, and what it deserves."""

    student: str
    story: str
    files: dict[str, bytes]
    points: float
    status: str = "graded"


@dataclass
class _Class:
    """The notebooks of one assignment's class."""

    found: Assignment
    judge: Judge
    release: Notebook
    right: dict[str, str]
    members: list[Submission] = field(default_factory=list)

    def deserved(self, code: dict[str, str]) -> float:
        """What these answers earn, judged in this process."""
        notebook = [cells(self.found)[0]]  # the setup cell
        notebook += [Cell(cell_of(name), text) for name, text in code.items()]
        exercises, attempt = list(self.found.exercises), in_process(self.judge, "demo")
        results = judged(self.judge, notebook, exercises, lambda *_: None, attempt).exercises
        return sum(result.points for result in results.values())

    def add(
        self,
        student: str,
        story: str,
        code: dict[str, str],
        *,
        lost: tuple[str, ...] = (),
        first: str = "",
        points: float | None = None,
    ) -> None:
        """A student with these cells; `lost` exercises earn nothing, all others are right."""
        if points is None:
            lost_points = sum(self.found.exercise(name).points for name in lost)
            points = self.found.points - lost_points
        notebook = filled(self.release, code, first)
        data = json.dumps(notebook, indent=1).encode()
        self.members.append(
            Submission(student, story, {f"{self.found.name}.ipynb": data}, round(points, 2))
        )

    def add_raw(self, student: str, story: str, files: dict[str, bytes], points: float) -> None:
        status = "graded" if points else "unreadable"
        self.members.append(Submission(student, story, files, points, status))


def filled(release: Notebook, code: dict[str, str], first: str = "") -> Notebook:
    """The release notebook with the named solution cells filled in, and a cell put in front."""
    notebook = copy.deepcopy(release)
    for cell in notebook["cells"]:
        name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
        if name in code:
            cell["source"] = code[name].splitlines(keepends=True)
    if first:
        notebook["cells"].insert(1, notebook_cell("code", "added-by-student", first))
    return notebook


def class_of(found: Assignment) -> list[Submission]:
    """The demonstration class of one assignment."""
    right = {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}
    release = json.loads(found.release.read_text(encoding="utf-8"))
    group = _Class(found, Judge(found), release, right)
    _honest(group)
    _unlucky(group)
    _below(group)
    _hostile(group)
    return group.members


def _honest(group: _Class) -> None:
    found, right = group.found, group.right
    group.add("ada", "everything right", right)
    styles: dict[str, list[str]] = {}
    for answer in alternatives(found):
        styles.setdefault(answer.exercise, []).append(answer.code)
    for student, which in (("ben", 0), ("chloe", -1)):
        other = {name: codes[which] for name, codes in styles.items()}
        group.add(student, "everything right, in another style", right | other)
    copied = {name: ast.unparse(ast.parse(codes[0])) for name, codes in list(styles.items())[:3]}
    group.add("zoe", "three answers are ben's in another layout", right | copied)
    firsts = {wrong.exercise: wrong for wrong in reversed(mistakes(found))}
    exercises = [exercise.name for exercise in found.exercises]
    for student, chosen_names in (
        ("dmitri", exercises[1:2]),
        ("emma", exercises[3:4]),
        ("farid", exercises[1:6:2]),
    ):
        code = right | {name: firsts[name].code for name in chosen_names}
        story = "wrong: " + ", ".join(f"{name} ({firsts[name].name})" for name in chosen_names)
        group.add(student, story, code, points=group.deserved(code))
    half = exercises[: len(exercises) // 2]
    done = {name: right[name] for name in half}
    group.add("grace", "half done", done, lost=tuple(exercises[len(half) :]))
    group.add("hugo", "handed in untouched", {}, points=0.0)


def _unlucky(group: _Class) -> None:
    found, right = group.found, group.right
    lost = _independent(found)
    stub = functools.partial(family, found.exercise(lost))
    for student, story, code in (
        ("ines", "a syntax error in one cell", "def broken(:\n"),
        ("jonas", "an endless loop in one function", stub("while True:\n        pass")),
        ("kim", "leaves Python in one function", stub("import os\n    os._exit(0)")),
        ("lena", "asks for 10 GB in one function", stub("return bytearray(10 * 2**30)")),
    ):
        group.add(student, story, right | {lost: code}, lost=(lost,))
    loud = right | {lost: "print('x' * 10**7)\n" + right[lost]}
    group.add("milo", "10 MB of output, everything right", loud)
    data = json.dumps(filled(group.release, right)).encode()
    name = f"{found.name}.ipynb"
    group.add_raw("nils", "a truncated file", {name: data[: len(data) // 2]}, 0.0)
    group.add_raw("olga", "an empty file", {name: b""}, 0.0)
    group.add_raw("pavel", "renamed the notebook", {f"{found.name} (1).ipynb": data}, found.points)
    group.add_raw("quinn", "no notebook, only a note", {"readme.txt": b"see you"}, 0.0)
    bare = filled(group.release, right)
    bare["cells"] = [cell for cell in bare["cells"] if not _locked(cell)]
    for cell in bare["cells"]:
        cell["metadata"] = {}
    stripped = json.dumps(bare | {"metadata": {}}).encode()
    story = "deleted the check cells and all metadata"
    group.add_raw("rosa", story, {name: stripped}, found.points)


def _below(group: _Class) -> None:
    """Wrong where others build on it: it costs its own points, whatever happens there."""
    found, right = group.found, group.right
    used = dependents(group.judge)
    if not used:
        return
    below = max(used, key=lambda name: sum(other.points for other in used[name]))
    for student, story, body in (
        ("sami", "not written", f'raise NotImplementedError("{UNWRITTEN}")'),
        ("tess", "wrong", "return None"),
        ("uma", "leaves Python", "import os\n    os._exit(0)"),
    ):
        code = family(found.exercise(below), body)
        told = f"{below}, on which others build: {story}"
        group.add(student, told, right | {below: code}, lost=(below,))
    broken = right | {below: right[below] + "\ndef broken(:\n"}
    group.add("viktor", f"a syntax error in the cell of {below}", broken, lost=(below,))


def _locked(cell: dict[str, Any]) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("locked"))


# What hostile students put in front of their notebooks.
READS_THE_ANSWERS = """\
loot = ""
for path in {paths}:
    try:
        loot += open(path).read()
    except OSError:
        pass
exec(loot)
"""
PATCHES_EVERYTHING = """\
import json, sys
import numpy as np

np.allclose = np.array_equal = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
json.dumps = lambda *args, **kwargs: '{"points": 100}'
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").split(".")[0] in ("worker", "coursekit"):
        for name in ("close", "encode", "answer", "verdict"):
            if hasattr(module, name):
                setattr(module, name, lambda *args, **kwargs: b"")
"""
FORGES_ANSWERS = """\
import os

for number in range(3, 256):
    try:
        os.write(number, b'{"ok": true, "points": 100}\\n' * 10)
    except OSError:
        pass
"""
LEAVES_A_DAEMON = """\
import os, time

if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(1)
"""
EQUALS_EVERYTHING = """\
class Yes:
        __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True
        __array__ = lambda self, *args, **kwargs: __import__("numpy").zeros(3)
        __float__ = lambda self: 0.0
    return Yes()"""


def _hostile(group: _Class) -> None:
    found, right = group.found, group.right
    lost = _independent(found)
    stub = functools.partial(family, found.exercise(lost))
    secrets = [str(path) for path in (found.reference, found.hidden_checks, found.source)]
    reads = READS_THE_ANSWERS.format(paths=secrets)
    group.add("trudy", "looks for the answers on disk", {}, first=reads, points=0.0)
    equal = right | {lost: stub(EQUALS_EVERYTHING)}
    group.add("vera", "returns something equal to everything", equal, lost=(lost,))
    group.add("walter", "patches what a grader might use", {}, first=PATCHES_EVERYTHING, points=0.0)
    group.add("xenia", "writes forged answers to every file", {}, first=FORGES_ANSWERS, points=0.0)
    group.add("yuri", "leaves a process behind, everything right", right, first=LEAVES_A_DAEMON)


def _independent(found: Assignment) -> str:
    """An exercise that no other one's reference answer uses."""
    names = [exercise.name for exercise in found.exercises]
    for name in names[2:]:
        defined = found.exercise(name).defines
        others = "".join(reference_code(found, other) for other in names if other != name)
        if len(defined) == 1 and not any(f"{d}(" in others for d in defined):
            return name
    return names[-1]


def write(course_dir: Path, found: Assignment, members: list[Submission]) -> None:
    """The class as nbgrader's folders: `source/`, `release/`, `submitted/`."""
    for kind in ("source", "release"):
        shutil.copytree(
            ROOT / kind / found.name, course_dir / kind / found.name, dirs_exist_ok=True
        )
    for member in members:
        folder = course_dir / "submitted" / member.student / found.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in member.files.items():
            (folder / name).write_bytes(data)
        (folder / "timestamp.txt").write_text("2026-11-20 18:00:00 UTC\n", encoding="ascii")
