"""Small changes of the reference, each with what it comes to in words.

They are slips that nobody had to write down: checks are tested by them (`benchmarks/judgement.py`),
and an answer that no known mistake explains, but one of these does, is told so (`diagnosis`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

_OVER = "is turned over"
# The words must hold in the student's own form: with (low + high) / 2 a plus is wrong which in
# another right answer, 2 x − low − high, is a minus.
_SIGN = "one term has the other sign"
_SWAPS: dict[type[ast.AST], list[tuple[type[ast.AST], str]]] = {
    ast.Add: [(ast.Sub, _SIGN)],
    ast.Sub: [(ast.Add, _SIGN)],
    ast.Mult: [(ast.Div, "one product is a quotient")],
    ast.Div: [(ast.Mult, "one quotient is a product")],
    ast.FloorDiv: [(ast.Div, "a whole-numbered division keeps its fraction")],
    ast.Mod: [(ast.Mult, "one remainder (%) is a product")],
    ast.Pow: [(ast.Mult, "one power is a product")],
    ast.Lt: [(ast.LtE, "a comparison takes its border in"), (ast.Gt, f"a comparison {_OVER}")],
    ast.LtE: [(ast.Lt, "a comparison leaves its border out"), (ast.Gt, f"a comparison {_OVER}")],
    ast.Gt: [(ast.GtE, "a comparison takes its border in"), (ast.Lt, f"a comparison {_OVER}")],
    ast.GtE: [(ast.Gt, "a comparison leaves its border out"), (ast.Lt, f"a comparison {_OVER}")],
    ast.Eq: [(ast.NotEq, f"a condition {_OVER}")],
    ast.NotEq: [(ast.Eq, f"a condition {_OVER}")],
    ast.And: [(ast.Or, "one “and” is an “or”")],
    ast.Or: [(ast.And, "one “or” is an “and”")],
    ast.Is: [(ast.IsNot, f"a condition {_OVER}")],
    ast.IsNot: [(ast.Is, f"a condition {_OVER}")],
}
_MISSING = {
    ast.Add: "one term is missing",
    ast.Sub: "one term is missing",
    ast.Mult: "one factor is missing",
    ast.Div: "one division is missing",
}
# A NumPy scalar counts as a number, so that these change nothing that a check may see.
_NEUTRAL = {"float", "int", "bool", "asarray", "list", "tuple"}
_SYMMETRIC = {"maximum", "minimum", "allclose", "isclose", "array_equal", "mse_loss"}


class Mutant(NamedTuple):
    """A change of one line, before and after, and the exercise's code with it."""

    exercise: str
    before: str
    after: str
    code: str
    words: str
    """What the change comes to; it ends "This is what comes out when …"."""


def mutants(exercise: str, code: str) -> Iterator[Mutant]:
    """Every change of one node; annotations and docstrings are left alone."""
    tree = ast.parse(code)
    lines = code.splitlines()
    seen = {ast.unparse(tree)}
    for parent, field, number, node in list(_places(tree)):
        for changed, words in _changes(node):
            _put(parent, field, number, changed)
            text = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, number, node)
            if text in seen:
                continue
            seen.add(text)
            line = getattr(node, "lineno", getattr(parent, "lineno", 1))
            before = lines[line - 1].strip()
            yield Mutant(exercise, before, f"{_short(node)}  →  {_short(changed)}", text, words)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What could stand in a node's place."""
    for field in ("op", "ops"):
        value = getattr(node, field, None)
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        for other, words in _SWAPS.get(type(one), []):  # type: ignore[arg-type]
            changed = copy.deepcopy(node)
            setattr(changed, field, [other()] if field == "ops" else other())
            yield changed, words
    if isinstance(node, ast.BinOp) and type(node.op) in _MISSING:
        yield node.left, _MISSING[type(node.op)]
        if isinstance(node.op, (ast.Add, ast.Mult)):
            yield node.right, _MISSING[type(node.op)]
        yield from _brackets(node)
    elif isinstance(node, ast.UnaryOp):
        negated = isinstance(node.op, ast.Not)
        yield node.operand, f"a condition {_OVER}" if negated else "one minus sign is missing"
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.keyword) and node.arg in ("axis", "dim"):
        yield from _axes(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.IfExp):
        yield node.body, "one of two cases is taken always"
        yield node.orelse, "one of two cases is taken always"
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value, "one matrix is not transposed"
    elif isinstance(node, (ast.If, ast.While)):
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield changed, f"a condition {_OVER}"
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and not _is_text(node):
        yield ast.Pass(), "one step is left out"


def _brackets(node: ast.BinOp) -> Iterator[tuple[ast.AST, str]]:
    """a * (b - c) as a * b - c, (b - c) / d as b - c / d, a / (b * c) as a / b * c."""
    words = "a pair of brackets is missing"
    sums, products = (ast.Add, ast.Sub), (ast.Mult, ast.Div)
    inner = node.right
    if isinstance(inner, ast.BinOp) and isinstance(node.op, products):
        weaker = isinstance(inner.op, sums) or isinstance(node.op, ast.Div)
        if weaker and isinstance(inner.op, (*sums, *products)):
            first = ast.BinOp(node.left, node.op, inner.left)
            yield ast.BinOp(first, inner.op, inner.right), words
    inner = node.left
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, sums):
        last = ast.BinOp(inner.right, node.op, node.right)
        if isinstance(node.op, products):
            yield ast.BinOp(inner.left, inner.op, last), words


def _axes(node: ast.keyword) -> Iterator[tuple[ast.AST, str]]:
    """Every axis by its neighbours."""
    for number, _ in enumerate(_whole_numbers(node)):
        for step in (1, -1):
            changed = copy.deepcopy(node)
            _whole_numbers(changed)[number].value += step
            yield changed, "another axis is taken"


def _whole_numbers(node: ast.AST) -> list[Any]:
    found = (one for one in ast.walk(node) if isinstance(one, ast.Constant))
    return [one for one in found if type(one.value) is int]


def _constants(value: object) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(value, bool):
        yield ast.Constant(not value), "one True or False is turned over"
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1), "one number is larger by one"
        if value:
            yield ast.UnaryOp(ast.USub(), ast.Constant(value)), "one number has the other sign"
        if isinstance(value, float):
            yield ast.Constant(value * 1.1), "one number is a little off"


def _calls(node: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    name = ast.unparse(node.func).split(".")[-1]
    for number, keyword in enumerate(node.keywords):
        changed = copy.deepcopy(node)
        del changed.keywords[number]
        yield changed, f"{keyword.arg} is left out of a call"
    if len(node.args) == 1 and not node.keywords and name not in _NEUTRAL:
        yield node.args[0], f"a call of {name} is left out"
    elif isinstance(node.func, ast.Attribute) and not node.args:
        yield node.func.value, f"a call of {name} is left out"
    if len(node.args) == 2 and name not in _SYMMETRIC:
        changed = copy.deepcopy(node)
        changed.args.reverse()
        yield changed, f"two arguments of {name} change places"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())[:70]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            several = value if isinstance(value, list) else [value]
            for number, node in enumerate(several):
                if isinstance(node, ast.AST):
                    yield parent, field, number if isinstance(value, list) else None, node


def _put(parent: ast.AST, field: str, number: int | None, node: ast.AST) -> None:
    if number is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[number] = node
