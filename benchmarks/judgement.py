"""Would the checks notice? Every small change to the reference, judged.

Each reference function is changed in one place at a time: an operator, a constant, a sign, an
axis, a comparison, a keyword, a term or a statement left out, a call undone. Each such mutant is
judged in the cage until a hidden check fails. What survives is either equivalent, and then
`equivalent_mutants.py` says why, or a hole in the checks.

Training functions are left out unless they are named: a change after which they still reach
the accuracy asked for is a right answer. What they must not do stands in the mistakes, and how
far right and wrong ones are from the thresholds in `benchmarks/thresholds_*.py`.

    python benchmarks/judgement.py [backprop …] [--exercise NAME] [--sample N]

Minutes of CPU time per assignment. `--sample` draws that many mutants per assignment, the same
each time.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import os
import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import msgspec

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: with small networks two threads are slower

from equivalent_mutants import EQUIVALENT

from autograder.course import Assignment, course, load_assignment
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.cage import Cage
from autograder.sandbox.transport import Caged

_TRAINED = ("train", "recover")


class Mutant(NamedTuple):
    """A change of one line, before and after, and the exercise's code with it."""

    exercise: str
    before: str
    after: str
    code: str


# ---------------------------------------------------------------------------------- mutation

_SWAPS: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Div],
    ast.Mod: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
# A NumPy scalar counts as a number, so that these change nothing that a check may see.
_NEUTRAL = {"float", "int", "bool", "asarray", "list", "tuple"}
_SYMMETRIC = {"maximum", "minimum", "allclose", "isclose", "array_equal", "mse_loss"}


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand in a node's place."""
    for field in ("op", "ops"):
        value = getattr(node, field, None)
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        for other in _SWAPS.get(type(one), []):  # type: ignore[arg-type]
            changed = copy.deepcopy(node)
            setattr(changed, field, [other()] if field == "ops" else other())
            yield changed
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        yield node.left
        if isinstance(node.op, (ast.Add, ast.Mult)):
            yield node.right
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        for number in range(len(node.keywords)):
            changed = copy.deepcopy(node)
            del changed.keywords[number]
            yield changed
        name = ast.unparse(node.func).split(".")[-1]
        if len(node.args) == 1 and not node.keywords and name not in _NEUTRAL:
            yield node.args[0]
        elif isinstance(node.func, ast.Attribute) and not node.args:
            yield node.func.value
        if len(node.args) == 2 and name not in _SYMMETRIC:
            changed = copy.deepcopy(node)
            changed.args.reverse()
            yield changed
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, (ast.If, ast.While)):
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield changed
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and not _is_text(node):
        yield ast.Pass()


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        if value:
            yield ast.UnaryOp(ast.USub(), ast.Constant(value))
        if isinstance(value, float):
            yield ast.Constant(value * 1.1)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def mutants(exercise: str, code: str) -> Iterator[Mutant]:
    """Every change of one node; annotations and docstrings are left alone."""
    tree = ast.parse(code)
    lines = code.splitlines()
    seen = {ast.unparse(tree)}
    for parent, field, number, node in list(_places(tree)):
        for changed in _changes(node):
            _put(parent, field, number, changed)
            text = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, number, node)
            if text in seen:
                continue
            seen.add(text)
            line = getattr(node, "lineno", getattr(parent, "lineno", 1))
            before = lines[line - 1].strip()
            yield Mutant(exercise, before, f"{_short(node)}  →  {_short(changed)}", text)


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())[:70]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            several = value if isinstance(value, list) else [value]
            for number, node in enumerate(several):
                if isinstance(node, ast.AST) and not _in_annotation(parent, field):
                    yield parent, field, number if isinstance(value, list) else None, node


def _in_annotation(parent: ast.AST, field: str) -> bool:
    return isinstance(parent, ast.arg) or (isinstance(parent, ast.AnnAssign) and field != "value")


def _put(parent: ast.AST, field: str, number: int | None, node: ast.AST) -> None:
    if number is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[number] = node


# ---------------------------------------------------------------------------------- judgement


def survivors(name: str, chosen: list[Mutant]) -> list[Mutant]:
    """Those that every hidden check of their exercise lets pass."""
    found = load_assignment(name)
    judge, cage = Judge(found), Cage("full")
    limits = _limits(judge, found, {mutant.exercise for mutant in chosen})
    hurried = _hurried(found, limits)
    left = [mutant for mutant in chosen if _survives(judge, hurried, cage, mutant)]
    cage.close()
    return left


def _limits(judge: Judge, found: Assignment, names: set[str]) -> dict[str, float]:
    """CPU seconds that a mutant may use: three times the reference's, and a little."""
    cage = Cage("full")
    limits = {}
    for name in names:
        caged = Caged(cage, found, cells(found))
        judge.judge(Student(caged), "judgement", [found.exercise(name)])
        used = caged.pace * found.exercise(name).seconds - caged.allowances[name].budget.cpu
        limits[name] = 2.0 + 3 * used / caged.pace
        caged.close()
    cage.close()
    return limits


def _hurried(found: Assignment, limits: dict[str, float]) -> Assignment:
    exercises = (
        msgspec.structs.replace(exercise, seconds=limits.get(exercise.name, exercise.seconds))
        for exercise in found.exercises
    )
    return msgspec.structs.replace(found, exercises=tuple(exercises))


def _survives(judge: Judge, found: Assignment, cage: Cage, mutant: Mutant) -> bool:
    answer = Answer(found.name, mutant.exercise, "mutant", mutant.code)
    caged = Caged(cage, found, cells(found, answer))
    student = Student(caged)
    try:
        for check in judge.of(found.exercise(mutant.exercise)):
            if check.hidden and judge.run(check, student, "judgement").outcome == "failed":
                return False
        return True
    finally:
        caged.close()


def _is_argued(name: str, mutant: Mutant) -> bool:
    reasons = EQUIVALENT.get(name, {}).values()
    return any(mutant.after in changes.get(mutant.exercise, ()) for changes in reasons)


def of_assignment(name: str, exercise: str, sample: int) -> list[Mutant]:
    found = load_assignment(name)
    every = [
        mutant
        for one in found.exercises
        if one.name == exercise or not (exercise or one.name.startswith(_TRAINED))
        for mutant in mutants(one.name, reference_code(found, one.name))
    ]
    if sample and sample < len(every):
        every = random.Random(name).sample(every, sample)
    return every


def _in_two(chosen: list[Mutant], judge: Callable[[list[Mutant]], list[Mutant]]) -> list[Mutant]:
    """Both cores; neighbours go to different ones, since they cost alike."""
    with ProcessPoolExecutor(2) as pool:
        return [mutant for part in pool.map(judge, (chosen[::2], chosen[1::2])) for mutant in part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="assignment", default=list(course()))
    parser.add_argument("--exercise", default="")
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args()
    total = holes = 0
    for name in options.names:
        every = of_assignment(name, options.exercise, options.sample)
        left = _in_two(every, functools.partial(survivors, name))
        argued = [m for m in left if _is_argued(name, m)]
        open_ = [m for m in left if m not in argued]
        total, holes = total + len(every) - len(argued), holes + len(open_)
        share = 1 - len(open_) / max(1, len(every) - len(argued))
        print(
            f"{name}: {len(every)} mutants, {len(argued)} equivalent, {len(open_)} not caught, "
            f"{share:.1%} of the rest caught",
            flush=True,
        )
        for mutant in open_:
            print(f"  {mutant.exercise}: {mutant.before}\n      {mutant.after}")
    print(f"all: {1 - holes / max(1, total):.1%} caught")
    sys.exit(1 if holes > 0.02 * total else 0)


if __name__ == "__main__":
    main()
