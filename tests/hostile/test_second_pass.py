"""The second pass in the cage: right answers stand in a worker there, and nobody gets hold of them.

The rule that no answer enters the cage has this one exception (`judging.follow_through`). Each
test is a notebook of `backprop` whose `forward` is unwritten, so that `backward` is judged beside a
right one, and whose `backward` tries to carry that out or to turn it into marks.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autograder.course import Cell, load_assignment
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.diagnosis import Observer
from autograder.judging.follow_through import Tries, judged
from autograder.judging.judge import Judge
from autograder.judging.retry import InCage
from autograder.results import CheckResult, ExerciseResult
from autograder.sandbox.cage import Cage

_whole = load_assignment("backprop")
CHOSEN = ("activations", "activation_gradients", "forward", "mse_loss", "backward")
COURSE = msgspec.structs.replace(
    _whole,
    exercises=tuple(
        msgspec.structs.replace(exercise, seconds=3.0) if exercise.name in CHOSEN else exercise
        for exercise in _whole.exercises
    ),
)
STUB = 'raise NotImplementedError("still to be written")'
NO_FORWARD = f"def forward(x, W1, b1, W2, b2):\n    {STUB}\n"
RIGHT = reference_code(COURSE, "backward")


class Graded(dict[str, ExerciseResult]):
    """Results by exercise, and the workers that there were."""

    workers: list[bool]


@pytest.fixture
def grade(cage: Cage, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("autograder.sandbox.protocol.CELL_SECONDS", 2.0)
    judge = Judge(COURSE)

    def grade(salt: str = "second pass", first: str = "", **changed: str) -> Graded:
        workers: list[bool] = []
        tried = InCage(judge, cage, salt)

        def attempt(*args: Any) -> Tries:
            workers.append(args[-1])
            return tried(*args)

        code = cells(COURSE, *(Answer("backprop", n, "", text) for n, text in changed.items()))
        code.insert(1, Cell("cell 2", textwrap.dedent(first)))
        wanted = [COURSE.exercise(name) for name in CHOSEN]
        found = judged(judge, code, wanted, Observer(judge, salt, code), attempt)
        graded = Graded(found.exercises)
        graded.workers = workers
        return graded

    return grade


def points(graded: Graded) -> dict[str, float]:
    return {name: result.points for name, result in graded.items()}


FULL = {name: COURSE.exercise(name).points for name in CHOSEN}


def test_a_right_cell_below_a_stub_keeps_its_points_in_the_cage(grade: Any) -> None:
    graded = grade(forward=NO_FORWARD)
    assert points(graded) == FULL | {"forward": 0}
    assert graded["backward"].replaced == ["forward"]
    assert graded.workers == [False, True]


@pytest.mark.parametrize(
    "forward",
    [
        "import os\nos._exit(0)\n",
        "while True:\n    pass\n",
        "def forward(*a):\n    import os\n    os._exit(0)\n",
        "def forward(*a):\n    while True:\n        pass\n",
        "def forward(*a):\n    return bytearray(10 * 2**30)\n",
        "import os\n\ndef forward(*a:\n    os._exit(0)\n",
    ],
)
def test_what_ends_python_costs_its_own_points_and_no_other_s(grade: Any, forward: str) -> None:
    graded = grade(forward=forward)
    assert points(graded) == FULL | {"forward": 0}
    assert graded["backward"].replaced == ["forward"]


def test_a_right_answer_that_is_slow_costs_no_other_its_time(grade: Any) -> None:
    slow = reference_code(COURSE, "forward").replace(
        "def forward(", "def _forward("
    ) + (
        "\n\ncalls = 0\ndef forward(*a):\n"
        "    global calls\n    calls += 1\n"
        "    for _ in range(20_000_000 if calls > 30 else 0):\n        pass\n"
        "    return _forward(*a)\n"
    )  # fmt: skip
    many = RIGHT.replace("def backward(", "def _backward(") + (
        "\n\ndef backward(*a):\n"
        "    for _ in range(50):\n        forward(a[0], *a[2:])\n"
        "    return _backward(*a)\n"
    )
    graded = grade(forward=slow, backward=many)
    assert points(graded) == FULL
    assert "forward" in graded["backward"].replaced
    assert "judged without the other cells" in graded["backward"].note


@pytest.mark.parametrize(
    "leaves",
    [
        "import threading, time\n    threading.Thread(target=time.sleep, args=(1e6,)).start()",
        "import tempfile\n    open(tempfile.mktemp(), 'wb').write(bytes(2**23))",
        "np.seterr(all='raise')",
    ],
    ids=["a thread", "a file", "NumPy's errors"],
)
def test_what_a_right_answer_leaves_behind_costs_no_other(grade: Any, leaves: str) -> None:
    right = reference_code(COURSE, "forward").replace("def forward(", "def _forward(")
    forward = f"{right}\n\ndef forward(*a):\n    {leaves}\n    return _forward(*a)\n"
    many = RIGHT.replace("def backward(", "def _backward(") + (
        "\n\ndef backward(*a):\n"
        "    for _ in range(80):\n        forward(a[0], *a[2:])\n"
        "    assert np.float64(1e-300) ** 2 == 0\n"
        "    return _backward(*a)\n"
    )
    assert points(grade(forward=forward, backward=many)) == FULL


def test_nothing_is_judged_twice_where_all_is_right(grade: Any) -> None:
    assert grade().workers == [False]


# Ways to tell a secret, `SECRET`, where one bit of it is `BIT`.
TELLS = {
    "as text of an exception": "raise ValueError(SECRET)",
    "as the kind of an exception": "raise (ValueError if BIT else KeyError)",
    "as an exception's name": "raise type(SECRET[:20], (ValueError,), {})()",
    "as a line": "if BIT:\n        raise ValueError\n    raise ValueError",
    "as text": "return SECRET",
    "as numbers": "return tuple(np.full(2, float(ord(c))) for c in SECRET[:4])",
    "as a type's name": "return type(SECRET[:20], (), {})()",
    "as the name of a type that is known": "return [lambda: 0] if BIT else [torch.nn.Linear(1, 1)]",
    "as a warning": "import warnings\n    warnings.warn(SECRET)\n    return 0",
    "by printing": "print(SECRET, flush=True)\n    import os\n    os.write(2, SECRET.encode())",
    "as the way it ends": "import os, signal\n    os.kill(os.getpid(), 9 if BIT else 11)",
    "as not being written": "forward(x, W1, b1, W2, b2)\n    if BIT:\n        "
    f"{STUB}\n    raise NotImplementedError",
    "as what it needs": "return forward_ if BIT else backward_",
    "as memory": "return bytearray(10 * 2**30) if BIT else [][0]",
    "as a flood": "import os\n    [os.write(1, b'x' * 2**16) for _ in range(99 if BIT else 0)]",
    "as an array of texts": "return np.array([SECRET]) if BIT else np.array([{}])",
    "as time": "n = 0\n    while n < (3_000_000 if BIT else 0):\n        n += 1\n    return 0",
}
LOOKS = """\
def _secret():
    import gc, inspect
    try:
        code = "".join(map(str, forward.__code__.co_consts)) + forward.__code__.co_code.hex()
        code += inspect.getsource(forward)
        code += "".join(str(one) for one in gc.get_objects() if type(one) is str and "z1" in one)
    except Exception as error:
        code = repr(error)
    return code

def backward(x, y, W1, b1, W2, b2):
    import torch
    SECRET = _secret()
    BIT = {bit}
    {tell}
"""


def said(graded: Graded) -> bytes:
    """All that is kept of `backward`, apart from seconds."""
    result = graded["backward"]
    for check in result.checks:
        check.seconds = 0.0
    return msgspec.json.encode(result)


@pytest.mark.parametrize("how", TELLS)
def test_what_the_second_worker_says_is_told_to_nobody(grade: Any, how: str) -> None:
    """Whatever the secret, the same is kept and shown."""
    kept = set()
    for bit in ("'z' in SECRET or True", "False"):
        graded = grade(forward=NO_FORWARD, backward=LOOKS.format(tell=TELLS[how], bit=bit))
        assert graded["backward"].replaced == ["forward"]
        assert points(graded)["forward"] == points(graded)["backward"] == 0
        kept.add(said(graded))
    assert len(kept) == 1, kept
    (text,) = kept
    body = reference_code(COURSE, "forward").split('"""')[-1]
    for line in filter(None, map(str.strip, body.splitlines())):
        assert line.encode() not in text


# A cell stops where a right answer stands in it, and not where the student's own does.
STOPS = """\
try:
    forward(*[1.0] * 5)
except NotImplementedError:
    def backward(x, y, W1, b1, W2, b2):
        return forward(x, W1, b1, W2, b2)
except Exception:
    import inspect
    SECRET = inspect.getsource(forward)
    BIT = {bit}
    {tell}
"""
STOPPED = {
    "as text": "raise SyntaxError(SECRET[-150:])",
    "as a kind": "raise (KeyError if BIT else ValueError)",
    "as a line": "assert not BIT\n    assert BIT",
    "as a name": "forwards if BIT else backwards",
    "as a file": "open(('forward' if BIT else 'backward') + '.csv')",
}


@pytest.mark.parametrize("how", STOPPED)
def test_no_cell_that_stops_beside_a_right_answer_says_why(grade: Any, how: str) -> None:
    """It leaves a name undefined, and why it did is told where no right answer is near."""
    kept = set()
    for bit in (True, False):
        graded = grade(forward=NO_FORWARD, backward=STOPS.format(tell=STOPPED[how], bit=bit))
        assert graded["backward"].replaced == ["forward"]
        kept.add(said(graded))
    assert len(kept) == 1, kept
    (text,) = kept
    assert b"is not there" in text
    for line in filter(None, map(str.strip, reference_code(COURSE, "forward").splitlines()[-6:])):
        assert line.encode() not in text


def test_no_mark_of_what_is_replaced_comes_from_the_second_pass(grade: Any) -> None:
    """Not even where the dependent puts the right answer where marks are looked for."""
    takes = RIGHT + (
        "\n\nimport sys\nmine = sys.modules['__main__'].__dict__\n"
        "for name in ('forward', 'mse_loss', 'activations'):\n    mine[name] = forward\n"
    )
    graded = grade(forward=NO_FORWARD, backward=takes)
    assert graded["forward"].points == 0
    assert graded["forward"].status == "unwritten"


def test_an_answer_that_is_another_one_in_each_pass_has_few_of_them() -> None:
    """It can tell them apart by what else is there, and the best one counts."""
    wrong = "def forward(x, W1, b1, W2, b2):\n    return relu, he_initialise, below\n"
    code = cells(COURSE, Answer("backprop", "forward", "", wrong))
    code = [code[0], Cell("cell 2", "above = 1\n"), *code[1:], Cell("cell 99", wrong)]
    code.append(Cell("cell 100", "below = 1\n"))
    passes: list[tuple[Cell, ...]] = []

    def attempt(found: Any, wanted: Any, *_: Any) -> Tries:
        passes.extend([tuple(found)] if wanted[-1].name == "forward" else [])
        return Tries({one.name: lost(one) for one in wanted})

    def lost(exercise: Any) -> ExerciseResult:
        ended = CheckResult(name="", outcome="failed", hidden=True, seconds=0.0, kind="died")
        points = exercise.points if exercise.name not in ("activations", "forward") else 0.0
        most = exercise.points
        return ExerciseResult(
            name=exercise.name, points=points, max_points=most, status="wrong", checks=[ended]
        )

    upto = [COURSE.exercise(name) for name in ("activations", "forward")]
    judged(Judge(COURSE), code, upto, lambda *_: None, attempt)
    assert len(passes) == len(set(passes)) == 10


def test_a_second_worker_leaves_no_file_and_finds_none(grade: Any) -> None:
    keeps = """\
        import glob, os
        KEPT = ""
        for path in ("/tmp/kept", "/dev/shm/kept", os.path.expanduser("~/kept"), "kept"):
            try:
                KEPT += open(path).read()
            except OSError:
                pass
    """
    writes = RIGHT.replace("def backward(", "def _backward(") + (
        "\n\nimport inspect\ndef backward(*a):\n"
        "    for path in ('/tmp/kept', '/dev/shm/kept', os.path.expanduser('~/kept'), 'kept'):\n"
        "        try:\n            open(path, 'w').write('def forward(): pass  # a right one')\n"
        "        except OSError:\n            pass\n"
        "    return _backward(*a) if not KEPT else None\n"
    )
    for _ in range(2):
        graded = grade(first=keeps, forward=NO_FORWARD, backward=writes)
        assert points(graded) == FULL | {"forward": 0}


def test_a_second_worker_s_processes_end_with_it(grade: Any, cage: Cage) -> None:
    forks = RIGHT.replace("def backward(", "def _backward(") + (
        "\n\nimport os, time\ndef backward(*a):\n"
        "    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n        os._exit(0)\n"
        "    return _backward(*a)\n"
    )
    graded = grade(forward=NO_FORWARD, backward=forks)
    assert points(graded) == FULL | {"forward": 0}
    found, queue = [], [cage.process.pid]
    while queue:
        for task in Path(f"/proc/{queue.pop()}/task").iterdir():
            queue += (int(child) for child in (task / "children").read_text().split())
            found.append(task)
    assert len(found) < 10


def test_public_checks_know_nothing_of_hidden_ones(grade: Any) -> None:
    """All public ones run before, in a worker that has ended: what it kept in memory, in files and
    in processes is gone, and what hidden ones asked is in no message of a public check."""
    code = (
        "asked = []\n\ndef mse_loss(y_pred, y_true):\n"
        "    asked.append(repr(y_pred))\n"
        "    open('asked', 'a').write(repr(y_pred))\n"
        "    raise ValueError(' '.join(asked), len(asked), open('asked').read().count('['))\n"
    )
    one, other = (grade(salt=salt, mse_loss=code)["mse_loss"] for salt in ("one", "other"))
    assert [c.message for c in one.checks] == [c.message for c in other.checks]


def test_a_hidden_check_s_message_has_room_for_one_line(grade: Any) -> None:
    lines = "\n".join(f"    if n == {n}: raise ValueError" for n in range(150))
    code = (
        "def mse_loss(y_pred, y_true):\n    n = int(abs(1000 * np.ravel(y_pred)[0])) % 150\n"
        f"{lines}\n"
    )
    result = grade(mse_loss=code)["mse_loss"]
    told = {c.message.partition(" in line ")[2] for c in result.checks if c.hidden}
    assert len(told - {""}) <= 1
