"""Which answers look alike: copies in disguise, honest neighbours, and hostile code."""

from __future__ import annotations

import ast
import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.authoring import demo
from autograder.course import load_assignment
from autograder.judging.answers import alternatives, mistakes, reference_code
from autograder.judging.outline import outline_of
from autograder.records import similar

FOUND = load_assignment("backprop")
OWN_STYLE = '''\
def mse_loss(y_pred, y_true):
    """The mean of the squares."""
    gaps = [a - b for a, b in zip(y_pred.ravel(), y_true.ravel())]  # one by one
    total = 0.0
    for gap in gaps:
        total = total + gap * gap
    return float(total / max(1, len(gaps)))
'''
DISGUISED = '''\
def half(x):
    return x / 2

def mse_loss(y_pred: np.ndarray, y_true: np.ndarray) -> float:
    """Nothing
like the other."""

    q = [
        u - w
        for u, w in zip(y_pred.ravel(), y_true.ravel())
    ]
    s = 0.0  # a sum
    for d in q:

        s = s + d*d
    return float(s / max(1, len(q)))

print(mse_loss(np.ones(2), np.ones(2)))
'''
ANOTHER = """\
def mse_loss(y_pred, y_true):
    residual = np.asarray(y_pred, dtype=float) - np.asarray(y_true, dtype=float)
    squares = np.einsum("ij,ij->i", residual, residual)
    return float(np.add.reduce(squares) / residual.size)
"""


def answers(**code: str) -> dict[str, similar.Answer]:
    """The answers of a notebook with these cells and no metadata."""
    cells = [{"cell_type": "code", "source": text} for text in code.values()]
    return similar.answers(json.dumps({"cells": cells}).encode(), FOUND)


def alike(**codes: str) -> list[tuple[tuple[str, ...], list[str]]]:
    """Who is found alike, in what, in a class with ten students who all wrote the reference."""
    usual = reference_code(FOUND, "mse_loss")
    group = {f"usual{n}": answers(mse_loss=usual) for n in range(10)}
    group |= {student: answers(mse_loss=code) for student, code in codes.items()}
    found = similar.groups(FOUND, group)
    return [(one.students, [a.exercise for a in one.alike]) for one in found]


def test_other_names_comments_hints_and_layout_hide_nothing() -> None:
    assert alike(ada=OWN_STYLE, ben=DISGUISED, cy=ANOTHER) == [(("ada", "ben"), ["mse_loss"])]


def test_what_is_common_is_not_remarked() -> None:
    assert alike() == []
    assert alike(**{f"s{n}": OWN_STYLE for n in range(8)}) == []


def test_short_answers_that_coincide_are_not_remarked() -> None:
    short = (
        "def mse_loss(y_pred, y_true):\n    return ((y_true - y_pred) ** 2.0).sum() / y_true.size\n"
    )
    assert alike(ada=short, ben=short) == []


def test_an_untouched_notebook_has_no_answers() -> None:
    assert similar.answers(FOUND.release.read_bytes(), FOUND) == {}


def test_the_notebooks_of_the_demonstration_class_are_compared() -> None:
    release = json.loads(FOUND.release.read_text(encoding="utf-8"))
    code = {e.name: reference_code(FOUND, e.name) for e in FOUND.exercises}
    data = json.dumps(demo.filled(release, code)).encode()
    assert set(similar.answers(data, FOUND)) == set(code)


def test_more_than_two_are_one_group_with_everyones_code() -> None:
    group = {f"usual{n}": answers(mse_loss=reference_code(FOUND, "mse_loss")) for n in range(20)}
    group |= {"ada": answers(mse_loss=OWN_STYLE), "ben": answers(mse_loss=DISGUISED)}
    group |= {"cy": answers(mse_loss=OWN_STYLE)}
    (found,) = similar.groups(FOUND, group)
    assert found.students == ("ada", "ben", "cy")
    assert [code[-1] for code in found.alike[0].codes] == [
        similar.Line("    return float(total / max(1, len(gaps)))", same=True),
        similar.Line("    return float(s / max(1, len(q)))", same=True),
        similar.Line("    return float(total / max(1, len(gaps)))", same=True),
    ]


def test_boxes_begin_with_the_students_code_and_mark_what_is_the_same() -> None:
    stub = outline_of(FOUND).stubs["mse_loss"]
    head = stub[: stub.rindex('"""') + 3]
    own = head + "\n" + "".join(OWN_STYLE.splitlines(keepends=True)[2:])
    group = {f"usual{n}": answers(mse_loss=reference_code(FOUND, "mse_loss")) for n in range(20)}
    group |= {"ada": answers(mse_loss=own)}
    group |= {"ben": answers(mse_loss=own.replace("total = 0.0", "total = 0.0\n    print('here')"))}
    (found,) = similar.groups(FOUND, group)
    ada, ben = found.alike[0].codes
    assert ada[0].text.startswith("    gaps = ["), "signature and documentation are everyone's"
    assert [line.text for line in ben if not line.same] == ["    print('here')"]


def _class_of(draw: random.Random, students: int) -> dict[str, dict[str, str]]:
    """Everyone writes one of the known answers, right ones more often."""
    known = {}
    for exercise in FOUND.exercises:
        right = [reference_code(FOUND, exercise.name)]
        right += [one.code for one in alternatives(FOUND, exercise.name)]
        slips = [one.code for one in mistakes(FOUND, exercise.name)]
        known[exercise.name] = right * 3 + slips
    return {
        f"s{n:02}": {exercise: draw.choice(codes) for exercise, codes in known.items()}
        for n in range(students)
    }


def _renamed(code: str) -> str:
    """The code with every variable of its own called otherwise."""
    tree = ast.parse(code)
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own &= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return re.sub(r"\b\w+\b", lambda m: f"my_{m[0]}" if m[0] in own else m[0], code)


@pytest.mark.parametrize("seed", range(6))
def test_a_whole_notebook_copied_with_other_names_comes_first(seed: int) -> None:
    draw = random.Random(seed)
    codes = _class_of(draw, 20)
    codes["copy"] = {exercise: _renamed(code) for exercise, code in codes["s07"].items()}
    group = {student: answers(**own) for student, own in codes.items()}
    first, *_ = similar.groups(FOUND, group)
    assert set(first.students) == {"copy", "s07"}
    assert len(first.alike) > len(FOUND.exercises) / 2


def test_shared_wrong_answers_weigh_most() -> None:
    """Of two pairs the one that is wrong comes first, whichever it is."""
    usual = {f"usual{n}": answers(mse_loss=reference_code(FOUND, "mse_loss")) for n in range(20)}
    pairs = {"ada": OWN_STYLE, "ben": DISGUISED}
    pairs |= {"yan": ANOTHER, "zoe": ANOTHER.replace("squares", "s")}
    group = usual | {student: answers(mse_loss=code) for student, code in pairs.items()}
    for right, wrong in ((("ada", "ben"), ("yan", "zoe")), (("yan", "zoe"), ("ada", "ben"))):
        found = similar.groups(FOUND, group, {student: {"mse_loss"} for student in wrong})
        assert [one.students for one in found] == [wrong, right]
        assert [one.alike[0].wrong for one in found] == [True, False]


def test_among_few_nothing_is_unusual() -> None:
    group = {f"s{n}": answers(mse_loss=OWN_STYLE if n < 2 else ANOTHER) for n in range(7)}
    assert similar.groups(FOUND, group) == []


def test_an_answer_pasted_into_another_cell_is_found() -> None:
    everything = reference_code(FOUND, "forward") + "\n\n" + DISGUISED
    assert alike(ada=OWN_STYLE, ben=everything) == [(("ada", "ben"), ["mse_loss"])]


def test_of_two_definitions_the_last_counts() -> None:
    assert alike(ada=OWN_STYLE, ben=DISGUISED + ANOTHER) == []


def test_code_with_a_syntax_error_is_compared_too() -> None:
    assert alike(ada=OWN_STYLE, ben=DISGUISED.replace("total = 0", "total == = 0") + "x = ((\n")


@pytest.mark.parametrize(
    "code",
    [
        "def mse_loss(:" + "(" * 50_000,
        "def mse_loss():\n    return " + "[" * 40_000 + "]" * 40_000,
        "def mse_loss():\n    return a" + ".b" * 40_000,
        "def mse_loss():\n    return " + "-" * 90_000 + "1",
        "def mse_loss():\n    x =" + " " * 90_000 + "$",
        "def mse_loss():\n    x = '" + "\\" * 90_001,
        'def mse_loss():\n    x = """' + "\\" * 90_001,
        'def mse_loss():\n    x = """' + "'''\"" * 22_000,
        "def mse_loss():\n    x = " + "'\"" * 45_000,
        "def mse_loss():\n    x = " + "rb" * 45_000,
        "def mse_loss():\n" + "".join(" " * n + "if 1:\n" for n in range(400)),
        "def mse_loss():\n\0\0\0return '\ud800 \u202e'",
        "def mse_loss():\n    return " + "1_" * 45_000,
        "\n" * 90_000 + "mse_loss = lambda a, b: 0",
        "class mse_loss" * 8_000,
        "mse_loss=1;" * 9_000,
        "mse_loss=1\n" * 9_000,
    ],
)
def test_hostile_code_is_cut_into_words_and_no_more(code: str) -> None:
    answers(mse_loss=code)


@given(st.text(max_size=300))
def test_any_text_is_compared(text: str) -> None:
    answers(mse_loss=f"def mse_loss(a, b):\n{text}")


@pytest.mark.parametrize("data", [b"", b"no notebook", b'{"cells": 3}', b"[" * 100_000])
def test_what_cannot_be_read_has_no_answers(data: bytes) -> None:
    assert similar.answers(data, FOUND) == {}


def test_only_the_beginning_of_endless_code_is_looked_at() -> None:
    long = OWN_STYLE + "x = 1\n" * 200_000
    assert set(answers(forward=long, mse_loss=ANOTHER)) == {"mse_loss"}


def test_a_class_of_three_hundred() -> None:
    """Everyone writes in a way of their own; two pairs copied."""
    draw = random.Random(5)
    operations = ("np.sum({})", "({}) * {:.3f}", "np.where({} > 0, 1, {:.3f})", "abs({})", "{} - 1")

    def own(exercise: str) -> str:
        lines = ["    x = a"]
        for _ in range(12):
            lines.append("    x = " + draw.choice(operations).format("x", draw.random()))
        return f"def {exercise}(a, b=None):\n" + "\n".join(lines) + "\n    return x\n"

    names = [e.name for e in FOUND.exercises if e.defines == (e.name,)][:4]
    group = {f"s{n:03}": answers(**{name: own(name) for name in names}) for n in range(298)}
    for copy, original in (("copy1", "s007"), ("copy2", "s100")):
        group[copy] = {name: group[original][name] for name in names[:2]}
    found = similar.groups(FOUND, group)
    assert [set(one.students) for one in found] == [{"copy1", "s007"}, {"copy2", "s100"}]
