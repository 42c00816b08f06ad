"""What can be read in the code of an exercise that failed, stated as what the code does.

Only the syntax tree is looked at, nothing is run. A fact is kept for itself where it holds for a
right answer as well: then it is no reason for anything.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator

MAX_SOURCE = 20_000
"""Characters of an exercise's cell; loops within loops are looked at again and again."""
_DRAWS = {"rand", "randn", "random", "normal", "uniform", "choice", "permutation", "shuffle"}
_DRAWS |= {"randint", "standard_normal", "randperm", "multinomial", "bernoulli"}
_CLEARS = {"zero_grad", "grad", "autograd"}
_CUTS = {"detach", "item", "numpy", "tolist"}


def unlike(source: str, right: tuple[str, ...]) -> str:
    """The first fact about the code that holds for none of the right answers, or ''."""
    usual = {kind for code in right for kind, _ in read(code)}
    return next((words for kind, words in read(source) if kind not in usual), "")


@functools.lru_cache(512)
def read(source: str) -> tuple[tuple[str, str], ...]:
    """All facts about a cell, each with the kind that it is of."""
    if len(source) > MAX_SOURCE:
        return ()
    try:
        return tuple(_facts(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _facts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    called = {_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for loop in _loops(tree):
        yield from _in_loop(loop, tree, called)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        yield from _in_call(call, tree)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        yield from _in_function(function)


def _in_loop(
    loop: ast.For | ast.While, tree: ast.Module, called: set[str]
) -> Iterator[tuple[str, str]]:
    """Training loops, and loops that are left too early."""
    here = {_name(node.func) for node in ast.walk(loop) if isinstance(node, ast.Call)}
    where = f"the loop in line {loop.lineno}"
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    if "backward" in here and not (called & _CLEARS or "grad" in attributes):
        yield "never clears", f"Gradients are never cleared in {where}: they add up."
    by_hand = "grad" in attributes  # p -= rate * p.grad
    if "backward" in here and "zero_grad" in called and "step" not in called and not by_hand:
        yield "never steps", f"No optimiser takes a step in {where}: the weights stay as they are."
    if {"step", "zero_grad"} <= here and not called & {"backward", "grad"}:
        yield "no backward", f"backward is never called in {where}: there are no gradients."
    if _evaluated(loop) and "step" in here and "train" not in here:
        yield "evaluates", f"{where.capitalize()} switches evaluation mode on and never off again."
    if here & {"step"} and "train" not in called and _called_above("eval", loop, tree):
        yield "stays", "Evaluation mode is switched on, and training mode never again."
    last = loop.body[-1]
    leaves = any(isinstance(node, ast.Continue) for node in ast.walk(loop))
    if isinstance(last, ast.Return) and not leaves:
        words = (
            f"The return in line {last.lineno} stands inside the loop, which ends in its first "
            "turn."
        )
        yield "returns", words


def _evaluated(loop: ast.For | ast.While) -> set[str]:
    """The models that a loop switches to evaluation, but for those that it makes itself."""
    chains = [_chain(node.func) for node in ast.walk(loop) if isinstance(node, ast.Call)]
    switched = {chain[0] for chain in chains if len(chain) > 1 and chain[-1] == "eval"}
    return switched - {"", *_stored(loop)}


def _stored(tree: ast.AST) -> list[str]:
    """The names that are given a value, as often as they are."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return [node.id for node in names if isinstance(node.ctx, ast.Store)]


def _called_above(name: str, loop: ast.For | ast.While, tree: ast.Module) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    before = (node for node in calls if node.lineno < loop.lineno)
    return any(_chain(node.func)[1:][-1:] == [name] for node in before)  # no builtin of its name


def _in_call(call: ast.Call, tree: ast.Module) -> Iterator[tuple[str, str]]:
    name = _name(call.func)
    if name == "backward" and isinstance(call.func, ast.Attribute):
        cut = _cut(call.func.value, tree)
        if cut:
            yield "cut", f"The loss goes through {cut} before backward: no gradient gets past that."
    loss = _resolved(call.func, tree)  # criterion = nn.CrossEntropyLoss()
    is_loss = _chain(loss)[-2:] == ["functional", "cross_entropy"] or (
        _chain(loss) == ["F", "cross_entropy"]
        or (isinstance(loss, ast.Call) and _name(loss.func) == "CrossEntropyLoss")
    )
    logits = [*call.args, *(one.value for one in call.keywords if one.arg == "input")][:1]
    if is_loss and any(_is_softmax(_resolved(one, tree)) for one in logits):
        yield "softmax twice", "A softmax stands before the cross-entropy, which has its own."
    if name in ("manual_seed", "seed") and _root(call.func) in ("torch", "np", "numpy", "random"):
        words = f"Line {call.lineno} seeds the global random numbers, for everything that runs."
        yield "seeds", words


def _is_softmax(node: ast.expr) -> bool:
    """softmax(…), logits.softmax(1), nn.Softmax(1)(…)."""
    if not isinstance(node, ast.Call):
        return False
    made = node.func.func if isinstance(node.func, ast.Call) else node.func
    return _name(made) in ("softmax", "Softmax")


def _in_function(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    names = [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
    source = next((name for name in ("rng", "generator") if name in names), "")
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        given = {keyword.arg for keyword in call.keywords}
        if source and _name(call.func) in _DRAWS and "generator" not in given:
            chain = _chain(call.func)
            if chain[:2] in (["np", "random"], ["numpy", "random"]) or chain[0] in (
                "torch",
                "random",
            ):
                words = (
                    f"Line {call.lineno} draws from the global random numbers, not from {source}."
                )
                yield "draws globally", words
    if source and source not in used:
        yield "unused", f"{function.name} never uses {source}."
    rebound = {*_stored(function)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        else:
            continue
        for target in targets:
            inner = target.value if isinstance(target, ast.Subscript) else None
            if isinstance(inner, ast.Name) and inner.id in names and inner.id not in rebound:
                words = f"Line {node.lineno} writes into {inner.id}, which belongs to the caller."
                yield f"writes into {inner.id}", words


def _cut(loss: ast.expr, tree: ast.Module) -> str:
    """What takes a loss out of the graph as the last thing that happens to it.

    `loss = torch.tensor(0.0)` that more is added to has a graph: its name is stored twice.
    """
    node = _resolved(loss, tree)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _CUTS:
            return f"{node.func.attr}()"
        if node.func.attr == "tensor" and _root(node.func) == "torch":
            return "torch.tensor"
    return ".data" if isinstance(node, ast.Attribute) and node.attr == "data" else ""


def _resolved(node: ast.expr, tree: ast.Module) -> ast.expr:
    """What a name stands for, where it is given a value in one place only."""
    if not isinstance(node, ast.Name) or _stored(tree).count(node.id) > 1:
        return node
    values = [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == node.id for target in one.targets)
    ]
    return values[0] if len(values) == 1 else node


def _loops(tree: ast.Module) -> Iterable[ast.For | ast.While]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While)))


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    chain = _chain(node)
    return chain[-1] if chain else ""


def _root(node: ast.expr) -> str:
    return _chain(node)[0]


def _chain(node: ast.expr) -> list[str]:
    """The parts of a dotted name: [""] for what begins with something else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_chain(node.value), node.attr]
    return [""]
