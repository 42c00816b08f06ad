"""Every cell is judged on its own merit: a wrong prerequisite costs its own points and no other's.

Judged in this process, by the same code as in the cage; `hostile/test_second_pass.py` attacks it
there, `benchmarks/follow_through.py` goes through all exercises and mistakes.
"""

from __future__ import annotations

import functools
import itertools
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from coursekit import StudentError

from autograder.authoring import merit
from autograder.course import Assignment, Cell, course, load_assignment
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.diagnosis import Observer
from autograder.judging.digest import resting_on
from autograder.judging.follow_through import (
    Tries,
    in_process,
    judged,
    right_code,
    with_right_answers,
)
from autograder.judging.judge import Judge, Transcripts, summarise
from autograder.judging.student import Student
from autograder.judging.uses import closure, pieces_of, uses
from autograder.results import CheckResult, ExerciseResult
from autograder.sandbox.inside.cells import read
from autograder.sandbox.protocol import CellFailure

STUB = 'raise NotImplementedError("still to be written")'
Results = dict[str, ExerciseResult]


def stub(found: Assignment, exercise: str) -> str:
    names = found.exercise(exercise).defines
    return "\n\n".join(f"def {name}(*args, **kwargs):\n    {STUB}" for name in names)


def judge_of(name: str, wanted: list[str], hinted: Sequence[str] = (), **changed: str) -> Results:
    """What the exercises come to in the reference's notebook with other cells; hints are looked
    for, which takes seconds, for those that are named."""
    found = load_assignment(name)
    judge = Judge(found)
    code = cells(found, *(Answer(name, exercise, "", text) for exercise, text in changed.items()))
    observer = Observer(judge, "test", code)

    def after(result: ExerciseResult, transcripts: Transcripts) -> None:
        if result.name in hinted:
            observer(result, transcripts)

    exercises = [found.exercise(one) for one in wanted]
    return judged(judge, code, exercises, after, in_process(judge, "test")).exercises


def share(result: ExerciseResult) -> float:
    return result.points / result.max_points


WRONG_BELOW: dict[str, tuple[str, str, Callable[[Assignment], str], list[str]]] = {
    "a stub": ("backprop", "forward", lambda f: stub(f, "forward"), ["backward"]),
    "stubs of a family": (
        "backprop",
        "activations",
        lambda f: stub(f, "activations"),
        ["activation_gradients", "forward", "backward", "deep_backward"],
    ),
    "a syntax error": (
        "backprop",
        "activations",
        lambda f: reference_code(f, "activations") + "\ndef broken(:\n",
        ["activation_gradients", "forward", "backward", "deep_backward"],
    ),
    "an exception at its definition": (
        "lennard_jones",
        "lj_force",
        lambda f: "def lj_force(r=1 / 0):\n    return r\n",
        ["cluster_forces"],
    ),
    "an empty cell": ("pinn", "derivative", lambda f: "", ["decay_residual", "condition_losses"]),
    "a factor": (
        "lennard_jones",
        "lj_potential",
        lambda f: reference_code(f, "lj_potential").replace("4 *", "1 *").replace("4.0 *", "1 *"),
        ["cluster_energy"],
    ),
    "a sign": (
        "lennard_jones",
        "lj_force",
        lambda f: (
            reference_code(f, "lj_force") + "\nright = lj_force\n"
            "def lj_force(*a, **k):\n    return -right(*a, **k)\n"
        ),
        ["cluster_forces"],
    ),
    "a value of another kind": (
        "ising",
        "energy_change",
        lambda f: "def energy_change(*args):\n    return None\n",
        ["metropolis_step"],
    ),
}


@pytest.mark.parametrize("how", WRONG_BELOW)
def test_what_stands_on_a_wrong_exercise_keeps_all_its_points(how: str) -> None:
    name, wrong, code, dependents = WRONG_BELOW[how]
    found = load_assignment(name)
    results = judge_of(name, [wrong, *dependents], **{wrong: code(found)})
    assert share(results[wrong]) < 1
    for dependent in dependents:
        result = results[dependent]
        assert share(result) == 1, f"{dependent} pays for {wrong}: {result.message}"
        assert result.status == "right"
        assert result.replaced == [wrong]
        assert f"judged with a right `{wrong}` in the place of yours, which" in result.note


def broken(found: Assignment, exercise: str) -> str:
    return reference_code(found, exercise) + "\ndef broken(:\n"


def wrapped(found: Assignment, exercise: str, body: str) -> str:
    """The reference's answer under another name, and one that returns `body` of its result."""
    name = found.exercise(exercise).defines[0]
    return (
        f"{reference_code(found, exercise)}\n_right = {name}\n"
        f"def {name}(*a, **k):\n    result = _right(*a, **k)\n    return {body}\n"
    )


TABLE: dict[str, tuple[str, str, Callable[[Assignment], str], list[str]]] = {
    "activations unwritten": ("backprop", "activations", lambda f: stub(f, "activations"), []),
    "activations no Python": ("backprop", "activations", lambda f: broken(f, "activations"), []),
    "forward unwritten": ("backprop", "forward", lambda f: stub(f, "forward"), []),
    "he_initialise transposed": (
        "backprop",
        "he_initialise",
        lambda f: wrapped(f, "he_initialise", "[(W.T, b) for W, b in result]"),
        [],
    ),
    "backward with the wrong sign": (
        "backprop",
        "backward",
        lambda f: wrapped(f, "backward", "tuple(-g for g in result)"),
        [],
    ),
    "derivative unwritten": (
        "pinn",
        "derivative",
        lambda f: stub(f, "derivative"),
        ["decay_residual", "oscillator_residual", "condition_losses", "train_decay"],
    ),
    "lj_potential without its 4": (
        "lennard_jones",
        "lj_potential",
        lambda f: wrapped(f, "lj_potential", "result / 4"),
        ["cluster_energy"],
    ),
    "lj_force with the wrong sign": (
        "lennard_jones",
        "lj_force",
        lambda f: wrapped(f, "lj_force", "-result"),
        ["cluster_forces"],
    ),
    "force_matching_loss unwritten": (
        "lennard_jones",
        "force_matching_loss",
        lambda f: stub(f, "force_matching_loss"),
        ["train_potential"],
    ),
    "minibatches unwritten": (
        "training",
        "minibatches",
        lambda f: stub(f, "minibatches"),
        ["train"],
    ),
    "energy_change without its 2": (
        "ising",
        "energy_change",
        lambda f: wrapped(f, "energy_change", "result / 2"),
        ["metropolis_step", "metropolis_sweep"],
    ),
    "energy_change unwritten": (
        "ising",
        "energy_change",
        lambda f: stub(f, "energy_change"),
        ["metropolis_step"],
    ),
    "a public check that uses a wrong mse_loss": (
        "backprop",
        "mse_loss",
        lambda f: wrapped(f, "mse_loss", "2 * result"),
        ["backward"],
    ),
}
"""What was seen to go wrong; the last are the exercises that build on it, or all others."""


@pytest.mark.parametrize("row", TABLE)
def test_what_is_wrong_costs_its_own_points_and_no_others(row: str) -> None:
    name, wrong, code, others = TABLE[row]
    found = load_assignment(name)
    others = others or [one.name for one in found.exercises if one.name != wrong]
    results = judge_of(name, [wrong, *others], hinted=others, **{wrong: code(found)})
    assert share(results.pop(wrong)) < 1
    for one in results.values():
        assert (share(one), one.status, one.hint) == (1, "right", ""), f"{one.name}: {one.message}"


def test_a_right_answer_in_plain_loops_costs_nothing_above_it() -> None:
    """With the right reconstruction_loss, but slow, train_autoencoder runs out of time."""
    found = load_assignment("autoencoder")
    loops = (
        "def reconstruction_loss(x, x_hat):\n    total = 0.0\n"
        "    for a, b in zip(x.flatten(), x_hat.flatten()):\n"
        "        total = total + (a - b) ** 2\n    return total / x.numel()\n"
    )
    name = "train_autoencoder"
    judge = Judge(found)
    trained = {"returns_losses_that_fall", "learns_smaller_lattices"}
    judge.checks = [one for one in judge.checks if one.exercise != name or one.name in trained]
    code = cells(found, Answer("", "reconstruction_loss", "", loops))
    wanted = [found.exercise(one) for one in ("reconstruction_loss", name)]
    attempt = in_process(judge, "test", functools.partial(merit.Patient, seconds=4.0))
    results = judged(judge, code, wanted, lambda *_: None, attempt).exercises
    assert [share(one) for one in results.values()] == [1, 1], results[name].message
    assert "reconstruction_loss" in results[name].replaced
    assert results[name].note == "judged without the other cells: one of those may stand in its way"


def test_a_limit_that_is_lost_once_comes_again() -> None:
    loses = (
        "    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n"
    )
    code = f"def f():\n{loses}    while True:\n        pass\n"
    student: Any = Student(merit.Patient([Cell("the cell", code)], seconds=0.2))
    with pytest.raises(StudentError, match="computing time"):
        student.f()


def test_nothing_is_judged_twice_where_no_points_are_lost() -> None:
    found = load_assignment("lennard_jones")
    judge = Judge(found)
    attempts: list[bool] = []
    attempt = in_process(judge, "test")

    def counted(*args: Any) -> Tries:
        attempts.append(args[-1])
        return attempt(*args)

    wanted = [found.exercise(name) for name in ("lj_force", "cluster_forces")]
    results = judged(judge, cells(found), wanted, lambda *_: None, counted).exercises
    assert attempts == [False]
    assert [result.rests_on for result in results.values()] == [[], []]


def test_a_wrong_dependent_is_told_of_with_the_right_answer_below_it() -> None:
    found = load_assignment("lennard_jones")
    code = reference_code(found, "cluster_forces")
    results = judge_of(
        "lennard_jones",
        ["lj_force", "cluster_forces"],
        hinted=["cluster_forces"],
        lj_force=stub(found, "lj_force"),
        cluster_forces=code.replace("def cluster_forces", "def _right_forces")
        + "\n\ndef cluster_forces(*a, **k):\n    return -_right_forces(*a, **k)\n",
    )
    result = results["cluster_forces"]
    assert share(result) < 0.5
    assert result.replaced == ["lj_force"]
    assert "still to be written" not in result.message
    assert "returned" not in result.message
    assert result.rests_on == ["lj_force"]


def test_what_is_unwritten_is_told_so_where_a_check_needs_another_such() -> None:
    """A public check of `train` calls `backward` first, and did not get as far as the stub: the
    exercise was "judged with a right `backward`", and nothing said that it is unwritten."""
    found = load_assignment("backprop")
    stubs = {name: stub(found, name) for name in ("backward", "train")}
    result = judge_of("backprop", ["backward", "train"], **stubs)["train"]
    assert (result.status, result.note, result.replaced) == ("unwritten", "", [])
    assert result.message.endswith("problem   train is still to be written")


def test_two_wrongs_are_not_hinted_into_a_right() -> None:
    """A `train` that goes downhill on gradients of the wrong sign goes uphill on right ones."""
    found = load_assignment("backprop")
    wrong = reference_code(found, "backward") + (
        "\n\n_right = backward\ndef backward(*a):\n    return tuple(-g for g in _right(*a))\n"
    )
    results = judge_of("backprop", ["backward", "train"], hinted=["train"], backward=wrong)
    assert share(results["train"]) == 1
    assert results["train"].hint == ""
    assert results["train"].replaced == ["backward"]


def test_a_later_exercise_is_never_answered_for_an_earlier_one() -> None:
    found = load_assignment("backprop")
    cheat = (
        "def backward(x, y, W1, b1, W2, b2):\n"
        "    return deep_backward(x, y, [W1, W2], [b1, b2], 'relu')\n"
    )
    results = judge_of(
        "backprop", ["backward"], backward=cheat, deep_backward=stub(found, "deep_backward")
    )
    assert results["backward"].points == 0
    assert results["backward"].replaced == []


@pytest.mark.parametrize(
    "code",
    [
        "def {0}:\n    return {1}\n",
        "f = {2}\ndef {0}:\n    return f{3}\n",
        "def helper(*a):\n    return {2}(*a)\n\ndef {0}:\n    return helper{3}\n",
        "class Table:\n    def look(self, *a):\n        return {2}(*a)\n\n"
        "def {0}:\n    return Table().look{3}\n",
        "TABLE = {{}}\nTABLE['f'] = {2}\ndef {0}:\n    return TABLE['f']{3}\n",
        "STEPS = []\nSTEPS.append({2})\ndef {0}:\n    return STEPS[0]{3}\n",
        "from functools import partial\nf = partial({2})\ndef {0}:\n    return f{3}\n",
        "def {0}:\n    return globals()['{2}']{3}\n",
        "def {0}:\n    return eval('{2}')({4})\n",
        "def {0}:\n    from __main__ import {2} as f\n    return f{3}\n",
        "def {0}:\n    import __main__\n    return __main__.{2}{3}\n",
        "import sys\ndef {0}:\n    return sys.modules['__main__'].{2}{3}\n",
        "def other(f={2}):\n    return f\n\ndef {0}:\n    return other()({4})\n",
        "def passes_on(g):\n    return lambda *a: {2}(*a)\n\n@passes_on\ndef {0}:\n    pass\n",
        "scale = {2}(2.0)\ndef {0}:\n    return {1}\n",
    ],
)
def test_using_is_what_this_student_s_code_uses(code: str) -> None:
    """Here `cluster_forces` uses `lj_potential`, which the reference's does not."""
    found = load_assignment("lennard_jones")
    text = code.format(
        "cluster_forces(positions)", "lj_potential(positions)", "lj_potential", "(positions)",
        "positions",
    )  # fmt: skip
    used = uses(found, cells(found, Answer("", "cluster_forces", "", text)), {})
    assert "lj_potential" in used["cluster_forces"], text


@pytest.mark.parametrize("code", ["globals()[kind + '_potential']", "eval(f'lj_{kind}')(1.0)"])
def test_a_name_that_is_put_together_is_a_use(code: str) -> None:
    found = load_assignment("lennard_jones")
    text = f"def cluster_forces(positions, kind='lj'):\n    return {code}\n"
    used = uses(found, cells(found, Answer("", "cluster_forces", "", text)), {})
    assert "lj_potential" in used["cluster_forces"], text


def test_words_that_look_like_names_are_not_uses() -> None:
    found = load_assignment("lennard_jones")
    text = (
        'def cluster_forces(positions):\n    """As lj_potential."""\n'
        "    lj_potential = 3.0  # standardise\n"
        "    return lj_potential * positions.standardise\n"
    )
    used = uses(found, cells(found, Answer("", "cluster_forces", "", text)), {})
    assert used["cluster_forces"] == set()


def test_a_helper_in_an_earlier_cell_leads_to_what_it_uses() -> None:
    found = load_assignment("lennard_jones")
    helper = Cell("cell 3", "def pull(r):\n    return lj_force(r)\n")
    text = "def cluster_forces(positions):\n    return pull(positions)\n"
    code = [helper, *cells(found, Answer("", "cluster_forces", "", text))]
    assert uses(found, code, {})["cluster_forces"] == {"lj_force"}
    assert closure({"a": {"b"}, "b": {"c"}, "c": {"a"}}, ["a"]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    "cell",
    [
        "def lj_force(r:\n    pass\n\ndef helper(r):\n    return 7\n",
        "def helper(r):\n    return 7\n\ndef lj_force(r):\n    return 0 *\n",
        f"{STUB}\n\ndef helper(r):\n    return 7\n\ndef lj_force(r):\n    return 0\n",
        "def lj_force(r):\n    return 0\nassert lj_force(1) == 24\ndef helper(r):\n    return 7\n",
        "%matplotlib inline\ndef lj_force(r): return 0\nhelper = lambda r: 7\n",
        "lj_force, helper = (lambda r: 0), (lambda r: 7)\n",
        "if True:\n    def lj_force(r): return 0\n    def helper(r): return 7\n",
    ],
)
def test_what_else_a_wrong_cell_defines_is_kept(cell: str) -> None:
    found = load_assignment("lennard_jones")
    code = [*cells(found)[:1], Cell("the cell of lj_force", cell)]
    code.append(Cell("cell 9", "alias = lj_force"))
    session: dict[str, Any] = {}
    for one in with_right_answers(found, code, ["lj_force"]):
        try:
            exec(one.source, session)
        except Exception:
            continue
    assert session["lj_force"](1.0) == pytest.approx(24.0)
    assert session["alias"] is session["lj_force"]
    assert session["helper"](1.0) == 7
    assert "_right_answer" not in session


def test_a_table_that_a_decorator_fills_holds_the_right_one() -> None:
    found = load_assignment("lennard_jones")
    text = (
        "TABLE = {}\ndef entry(name):\n    return lambda f: TABLE.setdefault(name, f)\n\n"
        "@not_there\n@entry('force')\ndef lj_force(r):\n    return 0\n"
    )
    code = [*cells(found)[:1], Cell("the cell of lj_force", text)]
    session: dict[str, Any] = {}
    for one in with_right_answers(found, code, ["lj_force"]):
        try:
            exec(one.source, session)
        except NameError:
            continue
    assert session["TABLE"]["force"] is session["lj_force"]
    assert session["lj_force"](1.0) == pytest.approx(24.0)


@pytest.mark.parametrize(
    "argument", ["0x" + "f" * 4000, "+".join(["1"] * 400)], ids=["4000 digits", "a long sum"]
)
def test_a_decorator_that_nobody_can_write_down_is_left_out(argument: str) -> None:
    cell = f"def keep(n):\n    return lambda f: f\n\n@keep({argument})\ndef forward(x, *a):\n"
    found = judge_of("backprop", ["forward", "backward"], forward=cell + "    return x\n")
    assert found["forward"].status == "wrong"
    assert found["backward"].status == "right"


@pytest.mark.parametrize(
    "later",
    [
        "def own(x):\n    return 0",  # a helper of the same name
        "own = 0\nnp.seterr()",  # which changes nothing
        "SCALE['mse'] = 2",
        "abs = max",
        "mse_loss = 17",
        "def mse_loss(y_pred, y_true):\n    raise NotImplementedError  # tried anew",
        "globals()['own'] = 0",
        "exec('own = 0')",
        "%time own = 0",
        "del own",
        "from operator import *",
        "def scaled():\n    SCALE['mse'] = 2\n\nscaled()",
        "FUNCTIONS[0].__defaults__ = (2,)",
    ],
)
def test_what_a_later_cell_changes_costs_nothing_above_it(later: str) -> None:
    """In the notebook each check stands below its cell, and passed when this one had not run."""
    mse_loss = (
        "SCALE = {'mse': 1}\n\ndef own(x, log=1):\n    return SCALE['mse'] * abs(x) ** 2 / log\n\n"
        "FUNCTIONS = [own]\n\ndef neg(x):\n    return x\n\n"
        "def mse_loss(y_pred, y_true):\n    return float(neg(np.mean(own(y_pred - y_true))))\n"
    )
    backward = f"{later}\n\n" + reference_code(load_assignment("backprop"), "backward")
    found = judge_of("backprop", ["mse_loss", "train"], mse_loss=mse_loss, backward=backward)
    assert [one.status for one in found.values()] == ["right", "right"]
    stood, named = found["mse_loss"].note.split(": a later one may change ")
    assert stood == "judged as it stood below its own cell"
    assert named == "what it needs" or named.strip("`") in later
    assert found["train"].note in (
        "",
        "judged with a right `mse_loss` in the place of yours, which another cell may change",
    )


@pytest.mark.parametrize("right", range(4))
def test_of_several_answers_the_own_cells_and_the_last_count(right: int) -> None:
    """No others: who is not sure of a sign would hand in both."""
    found = load_assignment("backprop")
    answers = ["def mse_loss(y_pred, y_true):\n    return 0.0"] * 4
    answers[right] = reference_code(found, "mse_loss")
    given = [one for one in cells(found) if one.label != "the cell of mse_loss"]
    labels = ("cell 3", "the cell of mse_loss", "cell 30", "cell 31")
    given += map(Cell, labels, answers)
    wanted = [found.exercise("mse_loss")]
    told = judged(Judge(found), given, wanted, lambda *_: None, in_process(Judge(found), "test"))
    assert (told.exercises["mse_loss"].status == "right") == (right in (1, 3))


@pytest.mark.parametrize(
    ("before", "named"),
    [
        ("sum = 0\nfor n in range(3):\n    sum += n", "`sum`"),
        ("list = [1]\nmax = min = 3", "`list`"),
        ("np = None", ""),
        ("del np, torch", ""),
    ],
)
def test_what_stands_before_a_right_answer_costs_nothing(before: str, named: str) -> None:
    """A helper and an import in cells of their own are still there."""
    mse_loss = (
        "def mse_loss(y_pred, y_true):\n    list[int], m.pi\n"
        "    return squared(float(np.mean((y_pred - y_true) ** 2))) / max(sum([1]), 1)\n"
    )
    found = load_assignment("backprop")
    helper = "import math as m\ndef squared(x):\n    return m.sqrt(x) ** 2"
    given = cells(found, Answer("", "mse_loss", "", mse_loss))
    given[1:1] = [Cell("cell 2", helper), Cell("cell 3", before)]
    wanted, attempt = [found.exercise("mse_loss")], in_process(Judge(found), "test")
    result = judged(Judge(found), given, wanted, lambda *_: None, attempt).exercises["mse_loss"]
    assert result.status == "right", result.message
    assert result.note.startswith("judged without the other cells: one of those ")
    assert named in result.note


def test_who_runs_out_of_time_alone_too_is_not_judged_any_more() -> None:
    found = load_assignment("backprop")
    attempt = in_process(Judge(found), "test", functools.partial(merit.Patient, seconds=0.2))
    attempts: list[bool] = []

    def counted(*args: Any) -> Tries:
        attempts.append(args[-1])
        return attempt(*args)

    loop = Answer("", "mse_loss", "", "def mse_loss(*a):\n    while True:\n        pass\n")
    wanted = [found.exercise("mse_loss")]
    judged(Judge(found), cells(found, loop), wanted, lambda *_: None, counted)
    assert attempts == [False, True]


def test_a_slow_right_answer_costs_nothing_whom_a_text_does_not_tell_what_it_needs() -> None:
    """By itself it lacks what comes by `import *`."""
    found = load_assignment("backprop")
    judge = Judge(found)
    names = {"descends", "losses", "makes_every_step", "learns_a_sine"}
    judge.checks = [one for one in judge.checks if one.exercise != "train" or one.name in names]
    attempt = in_process(judge, "test", functools.partial(merit.Patient, seconds=0.5))
    slow = (
        "import time\n\n"
        + reference_code(found, "forward")
        + "\ndef forward(*given, right=forward):\n"
        + "    end = time.process_time() + 0.03\n"
        + "    while time.process_time() < end:\n        pass\n"
        + "    return right(*given)\n"
    )
    train = reference_code(found, "train").replace("np.", "")
    answers = [Answer("", name, "", text) for name, text in (("forward", slow), ("train", train))]
    setup, *others = cells(found, *answers)
    given = [setup, Cell("cell 1", "from numpy import *"), *others]
    wanted = [found.exercise("train")]
    result = judged(judge, given, wanted, lambda *_: None, attempt).exercises["train"]
    assert (result.status, "`forward` may take too much" in result.note) == ("right", True)


def test_an_answer_that_loops_costs_another_one_of_the_same_exercise_nothing() -> None:
    """A first try that never ends, the answer below it, and below that what changes its helper."""
    found = load_assignment("backprop")
    attempt = in_process(Judge(found), "test", functools.partial(merit.Patient, seconds=0.2))
    loop = Answer("", "mse_loss", "", "def mse_loss(*a):\n    while True:\n        pass\n")
    right = reference_code(found, "mse_loss").replace("np.mean(", "mean(")
    given = [*cells(found, loop), Cell("cell 30", f"mean = np.mean\n{right}")]
    given.append(Cell("cell 31", "mean = 3"))
    wanted = [found.exercise("mse_loss")]
    result = judged(Judge(found), given, wanted, lambda *_: None, attempt).exercises["mse_loss"]
    assert result.status == "right", result.note


def test_what_ended_python_in_another_cell_is_not_run_again_for_whom_it_gives_something() -> None:
    found = load_assignment("backprop")
    attempt = in_process(Judge(found), "test")
    wrong = Answer("", "mse_loss", "", "def mse_loss(*a):\n    return SCALE\n")
    ends = Cell("cell 30", "TIMES = 3\nSCALE = 2  # for ever")
    texts: list[str] = []

    def once(given: Sequence[Cell], *args: Any) -> Tries:
        texts.append("\n".join(cell.source for cell in given))
        return attempt(given, *args)._replace(deadly=[CellFailure(ends, "was not finished", 2, 2)])

    wanted = [found.exercise("mse_loss")]
    judged(Judge(found), [*cells(found, wrong), ends], wanted, lambda *_: None, once)
    assert len(texts) > 2
    assert ["for ever" in text for text in texts] == [True] + [False] * (len(texts) - 1)


def test_so_does_what_a_later_cell_changes_of_what_is_answered_in_another_cell() -> None:
    found = load_assignment("backprop")
    right = reference_code(found, "mse_loss")
    given = [one for one in cells(found) if one.label != "the cell of mse_loss"]
    later = Cell("cell 31", "def mse_loss(y_pred, y_true):\n    return 0.0")
    given += [Cell("cell 30", right), later]
    wanted = [found.exercise("mse_loss")]
    told = judged(Judge(found), given, wanted, lambda *_: None, in_process(Judge(found), "test"))
    assert told.exercises["mse_loss"].status == "right"


def test_what_a_later_cell_begins_anew_stood_upon_what_is_wrong() -> None:
    """As it stood below its own cell it is worth nothing, and beside a right `forward` all."""
    found = load_assignment("backprop")
    wrong = reference_code(found, "forward").replace("+ b2\n", "+ b2 + 1\n")
    train = f"def backward(*args):\n    {STUB}\n\n" + reference_code(found, "train")
    told = judge_of("backprop", ["backward"], forward=wrong, train=train)["backward"]
    assert (told.status, told.replaced) == ("right", ["forward"])


def test_a_name_that_a_later_cell_uses_as_its_own_changes_no_answer() -> None:
    found = load_assignment("backprop")
    forward = reference_code(found, "forward").replace("+ b2\n", "+ b2 + 1\n")
    backward = "x = 1\n" + reference_code(found, "backward") + "\nx = x + 1"
    train = reference_code(found, "train") + "\nx = 2"
    told = judge_of("backprop", ["train"], forward=forward, backward=backward, train=train)["train"]
    assert told.replaced == ["forward"]


@pytest.mark.parametrize(
    ("first", "mended"),
    [
        ("3.0 * (z2 - y_true) / z2.size", None),  # a first try; the whole answer comes again
        ("slope(z2, y_true)", "def slope(z, y):\n    return 2 * (z - y) / z.size"),
    ],
)
def test_what_a_later_cell_mends_is_mended_beside_a_right_answer_too(
    first: str, mended: str | None
) -> None:
    found = load_assignment("backprop")
    right = reference_code(found, "backward")
    start = "def slope(z, y):\n    return z\n\n"
    backward = start + right.replace("2.0 * (z2 - y_true) / z2.size", first)
    forward = reference_code(found, "forward").replace("+ b2\n", "+ b2 + 1\n")
    train = f"{mended or right}\n\n" + reference_code(found, "train")
    told = judge_of("backprop", ["backward"], forward=forward, backward=backward, train=train)
    assert told["backward"].status == "right"
    assert told["backward"].replaced == ["forward"]


def test_a_wrong_answer_is_no_better_for_a_later_cell() -> None:
    wrong = "def own(x):\n    return 0\n\ndef mse_loss(y_pred, y_true):\n    return own(y_pred)\n"
    backward = "own = 3\n\n" + reference_code(load_assignment("backprop"), "backward")
    found = judge_of("backprop", ["mse_loss"], mse_loss=wrong, backward=backward)["mse_loss"]
    assert (found.points, found.note) == (0, "")


def test_an_alias_beside_a_wrong_answer_is_of_the_right_one() -> None:
    found = load_assignment("lennard_jones")
    text = "def lj_force(r):\n    return 0\n\nTABLE = {'force': lj_force}\n"
    session: dict[str, Any] = {}
    code = [*cells(found)[:1], Cell("the cell of lj_force", text)]
    for one in with_right_answers(found, code, ["lj_force"]):
        exec(one.source, session)
    assert session["TABLE"]["force"](1.0) == pytest.approx(24.0)


@pytest.mark.parametrize("where", [["the cell of lj_force", "cell 9"], ["cell 9"]])
def test_what_gives_a_name_another_value_unseen_is_not_the_last(
    where: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that a cell has written, say, of which all names are imported or that is run."""
    found = load_assignment("lennard_jones")
    module = types.ModuleType("mine")
    exec("def lj_force(r):\n    return 0\ndef helper():\n    return lj_force(1.0)\n", vars(module))
    monkeypatch.setitem(sys.modules, "mine", module)
    text = "from mine import *\ndef cluster_forces(x):\n    return lj_force(x)\n"
    code = [*cells(found)[:1], *(Cell(label, text) for label in where)]
    session: dict[str, Any] = {}
    for one in with_right_answers(found, code, ["lj_force"]):
        exec(one.source, session)
    assert session["cluster_forces"](1.0) == pytest.approx(24.0)


def test_where_the_cells_have_used_up_their_time_right_answers_are_still_put_in() -> None:
    """Nothing but what calls nothing runs then, and before the cells there is time."""
    found = load_assignment("lennard_jones")
    text = "def lj_force(r):\n    return 0\n"
    code = [*cells(found)[:1], Cell("cell 2", "print(1)"), Cell("cell 3", text)]
    session: dict[str, Any] = {}
    setup, first, *later = with_right_answers(found, code, ["lj_force"])
    for one in (setup, first):
        exec(one.source, session)
    for one in later:
        for statement in read(one.source, "a cell").statements:
            if statement.plain and not isinstance(statement.code, SyntaxError):
                exec(statement.code, session)
    assert session["lj_force"](1.0) == pytest.approx(24.0)


def test_what_stopped_beside_a_wrong_answer_runs_beside_the_right_one() -> None:
    """As what other exercises use may stand in its cell."""
    found = load_assignment("lennard_jones")
    text = "def lj_force(r):\n    raise NotImplementedError\n\nAT_ONE = lj_force(1.0)\n"
    uses = (
        "def cluster_forces(*given, right=cluster_forces):\n    AT_ONE\n    return right(*given)\n"
    )
    uses = f"{reference_code(found, 'cluster_forces')}\n{uses}"
    results = judge_of(
        found.name, ["lj_force", "cluster_forces"], lj_force=text, cluster_forces=uses
    )
    assert share(results["lj_force"]) == 0
    assert share(results["cluster_forces"]) == 1


def test_what_ended_python_in_a_cell_is_not_run_again() -> None:
    found = load_assignment("lennard_jones")
    text = "print('waits for ever')\nHALF = 0.5\ndef lj_force(r): return 0\ndef helper(): pass\n"
    cell = Cell("the cell of lj_force", text)
    ended = CellFailure(cell, "took more than 10 s and was not finished", 1, 1)
    code = with_right_answers(found, [cell], ["lj_force"], [ended])
    texts = "\n".join(one.source for one in code)
    assert "waits for ever" not in texts
    assert "def helper(): pass" in texts
    assert "HALF = 0.5" in texts


@pytest.mark.parametrize("name", course())
def test_right_code_needs_nothing_that_a_student_gave_another_meaning(name: str) -> None:
    found = load_assignment(name)
    session: dict[str, Any] = dict.fromkeys(("np", "torch", "nn", "math", "F", "sum", "range"))
    for exercise in found.exercises:
        exec(right_code(found, exercise.name), session)
        for one in exercise.defines:
            code = getattr(session[one], "__code__", None)
            if code is not None:
                others = {n for e in found.exercises for n in e.defines}
                unknown = set(code.co_names) & {"np", "torch", "nn", "math", "F"} - others
                assert not unknown


@pytest.mark.parametrize("source", ["(" * 5000, "x = " + "-" * 50_000 + "1", "\0", "x" * 200_000])
def test_reading_a_cell_never_fails(source: str) -> None:
    assert pieces_of(source)


def test_an_exercise_with_all_its_points_is_right() -> None:
    exercise = load_assignment("backprop").exercise("backward")
    public = CheckResult(
        name="differences", outcome="failed", hidden=False, seconds=0, message="no"
    )
    hidden = CheckResult(name="values", outcome="passed", hidden=True, seconds=0)
    result = summarise(exercise, [public, hidden], guards=set())
    assert (result.status, result.points, result.message) == ("right", exercise.points, "")


def test_status_and_points_agree_whatever_the_checks_say() -> None:
    exercise = load_assignment("backprop").exercise("mse_loss")
    marks = [("", ""), ("guard", ""), ("", "point"), ("guard", "point")]
    for outcomes in itertools.product((True, False), repeat=3):
        for marked in itertools.product(marks, repeat=2):
            guards = {str(n) for n, (guard, _) in enumerate(marked) if guard}
            points = {str(n) for n, (_, point) in enumerate(marked) if point}
            checks = [
                CheckResult(
                    name=str(n),
                    outcome="passed" if passed else "failed",
                    hidden=True,
                    seconds=0,
                    kind="value",
                    point=str(n) in points,
                )
                for n, passed in enumerate(outcomes)
            ]
            result = summarise(exercise, checks, guards)
            assert (result.status == "right") == (result.points == result.max_points)
            assert (result.status == "partly") == (0 < result.points < result.max_points)
            assert (result.status == "wrong") == (result.points == 0)


def test_a_public_check_on_another_exercise_costs_no_status() -> None:
    """`energy_change`'s public check compares with the student's own `energy`."""
    results = judge_of("ising", ["energy", "energy_change"], energy="def energy(s): return 0")
    assert results["energy"].points < 3
    assert (results["energy_change"].status, share(results["energy_change"])) == ("right", 1)
    assert "failed" in {check.outcome for check in results["energy_change"].checks}


def test_marks_are_outdated_with_what_they_rest_on() -> None:
    checks = {"forward": "a", "backward": "b"}
    alone, resting = resting_on(checks, "backward", []), resting_on(checks, "backward", ["forward"])
    assert alone == "b"
    assert (
        len({alone, resting, resting_on(checks | {"forward": "c"}, "backward", ["forward"])}) == 3
    )


def test_only_some_exercises_are_judged_and_those_below_them_still_count() -> None:
    found = load_assignment("lennard_jones")
    results = judge_of("lennard_jones", ["cluster_forces"], lj_force=stub(found, "lj_force"))
    assert list(results) == ["cluster_forces"]
    assert share(results["cluster_forces"]) == 1


def test_what_a_right_answer_below_needs_is_judged_though_this_code_never_uses_it() -> None:
    """The student's forward is a stub and names no relu; the right one in its place does."""
    found = load_assignment("backprop")
    own = (
        "def backward(x, y_true, W1, b1, W2, b2):\n"
        "    z1, a1, z2 = forward(x, W1, b1, W2, b2)\n"
        "    d2 = 2 * (z2 - y_true) / y_true.size\n"
        "    d1 = (d2 @ W2.T) * (z1 > 0)\n"
        "    return x.T @ d1, d1.sum(0, keepdims=True), a1.T @ d2, d2.sum(0, keepdims=True)\n"
    )
    stubs = {name: stub(found, name) for name in ("activations", "forward")}
    (result,) = judge_of("backprop", ["backward"], **stubs, backward=own).values()
    assert share(result) == 1, result.message
    assert result.rests_on == result.replaced == ["activations", "forward"]


UNWRITTEN: dict[str, tuple[str, str, str]] = {
    "its own": (f"def lj_force(*a):\n    {STUB}\n", "unwritten", "lj_force is still to be written"),
    "bare": ("def lj_force(*a):\n    raise NotImplementedError\n", "unwritten", "still to be"),
    "torch's": (
        "def lj_force(r):\n    return torch.ones(2) ^ 2.5\n", "wrong", "NotImplementedError in line"
    ),
    "another's": (
        "def lj_force(r):\n    return lj_potential(r)\n\n"
        f"def lj_potential(r):\n    {STUB}\n",
        "wrong",
        "lj_force needs lj_potential, which is still to be written",
    ),
    "a helper's": (
        f"def helper(r):\n    {STUB}\n\ndef lj_force(r):\n    return helper(r)\n",
        "wrong",
        "stopped with NotImplementedError in line 2",
    ),
    "for a case": (
        "def lj_force(r):\n    raise NotImplementedError('only for arrays')\n",
        "wrong",
        "NotImplementedError",
    ),
    "not there": (
        "del lj_potential\ndef lj_force(r):\n    return lj_potential(r)\n",
        "wrong",
        "lj_force needs lj_potential, which is not defined",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNWRITTEN)
def test_still_to_be_written_is_said_of_the_function_that_raised_it(case: str) -> None:
    code, status, words = UNWRITTEN[case]
    found = load_assignment("lennard_jones")
    judge = Judge(found)
    attempt = in_process(judge, "test")
    notebook = cells(found, Answer("", "lj_force", "", code))
    tries = attempt(notebook, [found.exercise("lj_force")], lambda *_: None, False)
    result = tries.exercises["lj_force"]
    assert result.status == status
    assert words in result.message
    if status != "unwritten":
        assert "lj_force is still to be written" not in result.message
