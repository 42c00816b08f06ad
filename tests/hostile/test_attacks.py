"""Submissions that attack the grader, and honest accidents that look like attacks.

Each is a notebook's cells, judged in the full cage, and at each weaker level where that level's
own walls are to hold it. It earns what its
answers deserve: the attacked exercise nothing (or everything, where the attack is only odd), its
honest neighbours everything; and nothing of it is left behind. What a weaker level cannot hold is
in `NOT_HELD`, with the reason. COVERAGE.md says which form of attack is tried where.
"""

from __future__ import annotations

import contextlib
import os
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from attacks import (
    AT_EVERY_LEVEL,
    CAUSES,
    DIES,
    HARMLESS,
    LEFT_BEHIND,
    RAISES,
    RETURNS,
    RIGHT_BUT_ODD,
    TAKES_MARKS,
    forward,
    mse_loss,
)

from autograder.course import Assignment, Cell, load_assignment
from autograder.judging.answers import cells, reference_code
from autograder.judging.judge import Judge, seed_of
from autograder.judging.student import Student
from autograder.sandbox.cage import LEVELS, Cage, Level
from autograder.sandbox.inside.lockdown import landlock_version
from autograder.sandbox.inside.protocol import LIMITS
from autograder.sandbox.protocol import InProcess
from autograder.sandbox.transport import Caged

FILES = "files can be read and written wherever the user may"
SIGNALS = "a process of the same user can be signalled; only root's cages have a user of their own"
NOT_HELD: dict[Level, dict[str, str]] = {
    "full": {},
    "landlock": {},
    "limits": {
        "reads the answers": FILES,
        "imports the answers": FILES,
        "waits for files that appear": FILES,
        "shared memory": FILES,
    },
}
if os.geteuid() != 0:
    _killers = dict.fromkeys(("kills what it can see", "stops its parent"), SIGNALS)
    NOT_HELD["limits"] |= _killers
    if landlock_version() < 6:
        NOT_HELD["landlock"] |= _killers

CHOSEN = ("activations", "forward", "mse_loss")
_whole = load_assignment("backprop")


def _course(seconds: float) -> Assignment:
    """The course with this computing time for each exercise that is tried."""
    return msgspec.structs.replace(
        _whole,
        exercises=tuple(
            msgspec.structs.replace(exercise, seconds=seconds)
            if exercise.name in CHOSEN
            else exercise
            for exercise in _whole.exercises
        ),
    )


COURSE = _course(2.0)
PATIENT = _course(8.0)
RIGHT = {name: reference_code(COURSE, name) for name in CHOSEN}
SETUP = cells(COURSE)[0]


@pytest.fixture
def course(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """The same limits, sooner. Who must end by memory gets the time to reach it: which of several
    limits comes first would depend on how busy the machine is."""
    monkeypatch.setitem(LIMITS, "memory", 512 * 2**20)
    name = request.node.callspec.params.get("name", "")
    if CAUSES.get(name) == "of memory":
        return PATIENT
    monkeypatch.setattr("autograder.sandbox.watch.STALL_SECONDS", 1.5)
    monkeypatch.setattr("autograder.sandbox.watch.IDLE_SECONDS", 3.0)
    monkeypatch.setattr("autograder.sandbox.protocol.CELL_SECONDS", 2.0)
    return COURSE


class Verdict(NamedTuple):
    """What a submission earned: per exercise the share of its points, and what is said of it
    where its own public checks are not meant."""

    shares: dict[str, float]
    words: str
    public: str
    """What is said in public checks."""


Grade = Callable[..., Verdict]


@pytest.fixture(scope="session")
def cages(cage: Cage) -> Iterator[dict[Level, Cage]]:
    """Those at weaker levels are made when they are first asked for."""

    class Cages(dict[Level, Cage]):
        def __missing__(self, level: Level) -> Cage:
            self[level] = Cage(level)
            return self[level]

    found = Cages(full=cage)
    yield found
    for level in found.keys() - {"full"}:
        found[level].close()


@pytest.fixture(params=["full"])
def grade(cages: dict[Level, Cage], course: Assignment, request: pytest.FixtureRequest) -> Grade:
    """Judges the right answers with some cells exchanged and one put in front."""
    level: Level = request.param
    name = request.node.callspec.params.get("name", "")
    if name in NOT_HELD[level]:
        pytest.skip(f"{level} does not hold this: {NOT_HELD[level][name]}")
    cage = cages[level]

    def grade(first: str = "", **changed: str) -> Verdict:
        code = RIGHT | changed
        notebook = [SETUP]
        notebook += [Cell("an added cell", textwrap.dedent(first))] if first else []
        notebook += [Cell(f"the cell of {name}", text) for name, text in code.items() if text]
        caged = Caged(cage, course, notebook)
        chosen = [course.exercise(name) for name in CHOSEN]
        try:
            results = Judge(course).judge(Student(caged), "hostile", chosen)
        finally:
            caged.close()
        assert not [r for r in results if r.status == "error"], results
        assert _left_behind(cage) == []
        words = [c.message for result in results for c in result.checks if c.hidden]
        words += [failure.sentence for failure in caged.failures]
        public = [c.message for result in results for c in result.checks if not c.hidden]
        shares = {r.name: r.points / r.max_points for r in results}
        return Verdict(shares, "\n".join(words), "\n".join(public))

    return grade


def tried(names: Iterable[str]) -> pytest.MarkDecorator:
    """Each at the levels whose own walls hold it."""
    pairs = [
        (level, name)
        for name in names
        for level in LEVELS
        if level == "full" or name in AT_EVERY_LEVEL
    ]
    return pytest.mark.parametrize(("grade", "name"), pairs, indirect=["grade"])


def _left_behind(cage: Cage) -> list[str]:
    """Processes below the cage that are neither bubblewrap nor the warm parent, and files."""
    found, queue = [], [cage.process.pid]
    while queue:
        for task in Path(f"/proc/{queue.pop()}/task").iterdir():
            for child in (task / "children").read_text().split():
                queue.append(int(child))
                found.append(child)
    if cage.level == "full":
        return found[2:]
    found += os.listdir(cage._scratch or "")
    user = cage._setting()["uid"]  # 0 where the cage has none of its own
    for folder in ("/dev/shm", "/tmp", "/var/tmp") if user else ():
        for entry in os.scandir(folder):
            with contextlib.suppress(FileNotFoundError):  # another test's, gone by now
                if entry.stat(follow_symlinks=False).st_uid == user:
                    found.append(entry.path)
    return found


# ------------------------------------------------------------------- nothing was answered
# An added cell that attacks, with no exercise filled in: whatever it does, it earns nothing.


@tried(TAKES_MARKS)
def test_an_attack_without_answers_earns_nothing(grade: Grade, name: str) -> None:
    verdict = grade(TAKES_MARKS[name], activations="", forward="", mse_loss="")
    assert verdict.shares == dict.fromkeys(CHOSEN, 0.0)


# ------------------------------------------------------------------ one function attacks
# `mse_loss` does this; it earns nothing, and both its neighbours everything.


@tried(RETURNS)
def test_a_value_that_is_none_earns_nothing(grade: Grade, name: str) -> None:
    verdict = grade(mse_loss=mse_loss(RETURNS[name]))
    assert verdict.shares == {"activations": 1.0, "forward": 1.0, "mse_loss": 0.0}
    assert "<script>" not in verdict.words
    assert "\x1b" not in verdict.words


@tried(RAISES | DIES)
def test_one_function_costs_one_exercise(grade: Grade, name: str) -> None:
    verdict = grade(mse_loss=mse_loss((RAISES | DIES)[name]))
    assert verdict.shares == {"activations": 1.0, "forward": 1.0, "mse_loss": 0.0}
    assert "mse_loss" in verdict.words
    assert CAUSES.get(name, "") in verdict.public


# --------------------------------------------------------------- odd, and right all the same
# Cells in front of right answers that look like attacks, or are accidents: nothing is lost.


@tried(HARMLESS)
def test_accidents_cost_nothing(grade: Grade, name: str) -> None:
    assert grade(HARMLESS[name]).shares == dict.fromkeys(CHOSEN, 1.0)


@tried(RIGHT_BUT_ODD)
def test_a_right_answer_may_be_odd(grade: Grade, name: str) -> None:
    assert grade(mse_loss=mse_loss(RIGHT_BUT_ODD[name])).shares == dict.fromkeys(CHOSEN, 1.0)


# ---------------------------------------------------------------- what is left in the worker
# `forward` is right and leaves this behind; `mse_loss` after it takes time, memory, threads, files.


@tried(LEFT_BEHIND)
def test_what_one_exercise_leaves_behind_costs_no_other(grade: Grade, name: str) -> None:
    needs = (
        "import tempfile, threading, time\nsquares = np.ones(24 * 2**20)\n"
        "thread = threading.Thread(target=time.sleep, args=[0.1])\n"
        "thread.start()\nthread.join()\n"
        "with tempfile.TemporaryFile() as file:\n    np.save(file, y_pred - y_true)\n"
        "    file.seek(0)\n    y = np.load(file)\n"
        "import torch\ntorch.save(torch.ones(9000), 'best.pt')\nreturn float((y ** 2).mean())"
    )
    shares = grade(forward=forward(LEFT_BEHIND[name]), mse_loss=mse_loss(needs)).shares
    assert (shares["activations"], shares["mse_loss"]) == (1.0, 1.0)


def test_who_is_asked_once_more_has_the_time_that_it_had(grade: Grade) -> None:
    """An answer that finds no memory late has not spent its time for nothing."""
    leaves = "np.kept = True\nreturn right"
    slow = (
        "import time\nuntil = time.process_time() + 0.6\n"
        "while not hasattr(np, 'trained') and time.process_time() < until:\n    pass\n"
        "np.trained = True\nif hasattr(np, 'kept'):\n    raise MemoryError\n"
        "return float(((y_pred - y_true) ** 2).mean())"
    )
    assert grade(forward=forward(leaves), mse_loss=mse_loss(slow)).shares["mse_loss"] == 1.0


def test_an_end_that_was_asked_for_twice_counts_once(grade: Grade) -> None:
    """Who ends Python where the prediction is perfect loses what who gives no value there does."""
    fails = "if (y_pred == y_true).all():\n    {}\nreturn float(((y_pred - y_true) ** 2).mean())"
    ends, silent = (
        grade(mse_loss=mse_loss(fails.format(how))).shares["mse_loss"]
        for how in ("import os; os.abort()", "return None")
    )
    assert ends == silent


# --------------------------------------------------------------------------------- gaming


def test_an_answer_by_heart_is_not_an_answer(grade: Grade) -> None:
    """Right on every input that the public checks show, and nowhere else."""
    shown = []
    public: dict[str, object] = {}
    exec(_whole.public_checks.read_text(encoding="utf-8"), public)

    class Notes:
        def __getattr__(self, name: str) -> Callable[..., float]:
            def call(y_pred: object, y_true: object) -> float:
                import numpy as np

                a, b = np.asarray(y_pred, float), np.asarray(y_true, float)
                shown.append((a.tolist(), b.tolist(), float(((a - b) ** 2).mean())))
                return shown[-1][-1]

            return call

        keep = value = staticmethod(lambda thing: thing)

    for name, check in public.items():
        if name.startswith("test_mse_loss__"):
            check(Notes())  # type: ignore[operator]
    assert shown
    code = (
        f"def mse_loss(y_pred, y_true):\n    for a, b, value in {shown!r}:\n"
        "        if np.array_equal(y_pred, a) and np.array_equal(y_true, b):\n"
        "            return value\n    return 0.0\n"
    )
    verdict = grade(mse_loss=code)
    assert verdict.shares["mse_loss"] == 0.0


@pytest.mark.parametrize(
    "code",
    [
        "def forward(x, W1, b1, W2, b2):\n"
        "    z1 = x @ W1 + b1\n    a1 = np.maximum(0, z1)\n    W1 *= 0\n    x += 1\n"
        "    return z1, a1, a1 @ W2 + b2\n",
        "_calls = []\n"
        "def forward(x, W1, b1, W2, b2):\n"
        "    _calls.append(1)\n    z1 = x @ W1 + b1\n    a1 = np.maximum(0, z1)\n"
        "    return z1, a1, a1 @ W2 + b2 + (len(_calls) > 2)\n",
        "def forward(x, W1, b1, W2, b2):\n"
        "    import threading, time\n"
        "    z1 = x @ W1 + b1\n    a1 = np.maximum(0, z1)\n    out = np.zeros_like(a1 @ W2)\n"
        "    def later():\n        time.sleep(0.2)\n        out[:] = a1 @ W2 + b2\n"
        "    threading.Thread(target=later).start()\n    return z1, a1, out\n",
    ],
    ids=["changes its arguments", "is right only at first", "becomes right later"],
)
def test_right_at_one_moment_is_not_right(grade: Grade, code: str) -> None:
    verdict = grade(forward=code)
    assert verdict.shares["forward"] < 1.0
    assert verdict.shares["activations"] == verdict.shares["mse_loss"] == 1.0


def test_views_and_odd_strides_are_values(grade: Grade) -> None:
    code = (
        "def forward(x, W1, b1, W2, b2):\n"
        "    z1 = np.asfortranarray((x @ W1 + b1)[::-1])[::-1]\n"
        "    a1 = np.maximum(z1, 0)[:, ::-1][:, ::-1]\n"
        "    return z1, a1, (a1 @ W2 + b2).T.copy().T\n"
    )
    assert grade(forward=code).shares == dict.fromkeys(CHOSEN, 1.0)


def test_what_was_typed_is_never_read_back(grade: Grade) -> None:
    """Names, messages and types are a student's words: none may reach another reader."""
    code = (
        "class Pwned_by_Mallory(Exception):\n    pass\n"
        "def mse_loss(y_pred, y_true):\n"
        "    raise Pwned_by_Mallory('Mallory <b>was</b> here \\u202e', y_pred)\n"
    )
    verdict = grade(mse_loss=code)
    assert "Mallory" not in verdict.words


def test_a_student_s_process_cannot_redraw_the_inputs() -> None:
    """The seed of a check's inputs never crosses; what crosses is of no use for it."""
    theirs: list[int] = []

    class Spy(Student):
        def begin(self, exercise: str, seed: int, *more: Any) -> None:
            theirs.append(seed)
            super().begin(exercise, seed, *more)

    judge = Judge(COURSE)
    judge.judge(Spy(InProcess([SETUP])), "salt", [COURSE.exercise("mse_loss")])
    ours = {
        seed_of("salt", "backprop", "mse_loss", check.name)
        for check in judge.of(COURSE.exercise("mse_loss"))
    }
    assert len(set(theirs)) > 1
    assert not ours & set(theirs)


def test_a_line_number_carries_no_message(grade: Grade) -> None:
    """What a hidden check asked, told in place of the line where the error was."""
    code = (
        "def mse_loss(y_pred, y_true):\n"
        "    import sys\n"
        "    asked = int(1e12) + int(1e6 * float(np.ravel(y_pred)[0]))\n"
        "    session = sys.modules['worker.session'].Session\n"
        "    session._where = lambda self, *error: ('the cell of mse_loss', asked)\n"
        "    raise ValueError\n"
    )
    verdict = grade(mse_loss=code)
    assert verdict.shares["mse_loss"] == 0.0
    assert "stopped with ValueError" in verdict.words
    assert "line" not in verdict.words


def test_an_honest_student_beside_a_hog_keeps_every_mark(
    cages: dict[Level, Cage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both at once, each in a cage of its own: what ends the hog is its own memory."""
    monkeypatch.setitem(LIMITS, "memory", 256 * 2**20)
    monkeypatch.setattr("autograder.sandbox.transport.MAX_DEATHS", 1)
    hog = mse_loss("kept = []\nwhile True:\n    kept.append(b'x' * 2 * 10**7)")
    own = {"activations": RIGHT["activations"], "mse_loss": RIGHT["mse_loss"]}
    found: dict[str, dict[str, str]] = {}
    judge = Judge(PATIENT)

    def judged(who: str, cage: Cage, answers: dict[str, str]) -> None:
        notebook = [SETUP, *(Cell(f"the cell of {one}", code) for one, code in answers.items())]
        caged = Caged(cage, PATIENT, notebook)
        try:
            results = judge.judge(Student(caged), "salt", [PATIENT.exercise(one) for one in own])
        finally:
            caged.close()
        found[who] = {one.name: one.status for one in results}

    beside = threading.Thread(target=judged, args=("hog", cages["limits"], own | {"mse_loss": hog}))
    beside.start()
    judged("honest", cages["full"], own)
    beside.join()
    assert found["honest"] == {"activations": "right", "mse_loss": "right"}
    assert found["hog"] == {"activations": "right", "mse_loss": "wrong"}
