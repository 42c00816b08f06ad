"""What can be read in the code of an exercise that failed, stated as what the code does.

Only the syntax tree is looked at, nothing is run. A fact is kept for itself where it holds for a
right answer as well: then it is no reason for anything. A notebook knows of right answers only
the kinds of their facts (`slips.json`).
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

MAX_SOURCE = 8_000
"""Characters of an exercise's cell; loops within loops are looked at again and again."""
_EVEN = {"rand", "random", "uniform", "random_sample", "rand_like"}
_NORMAL = {"randn", "normal", "standard_normal", "randn_like"}
_DRAWS = _EVEN | _NORMAL | {"choice", "permutation", "shuffle", "randint", "randperm"}
_DRAWS |= {"multinomial", "bernoulli"}
_CLEARS = {"zero_grad", "grad", "autograd"}
_CUTS = {"detach", "item", "numpy", "tolist"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_GIVES = {"abs", "absolute", "append", "clip", "concatenate", "exp", "flip", "log", "maximum"}
_GIVES |= {"mean", "minimum", "relu", "roll", "sort", "sqrt", "stack", "sum", "tanh", "where"}
"""Functions of NumPy and torch that leave their arguments as they are."""
_GIVEN = {"astype", "clone", "copy", "cumsum", "detach", "flatten", "mean", "permute", "reshape"}
_GIVEN |= {"squeeze", "sum", "transpose", "unsqueeze", "view"}
"""Methods that leave their array as it is."""
_OF_VALUES = {"abs", "clamp", "exp", "log", "pow", "relu", "sigmoid", "softplus", "sqrt", "square"}
_OF_VALUES |= {"sum", "tanh"}
"""Functions and methods that compute of what their argument is at the moment."""
_ARGUMENTS = {"maximum": 2, "minimum": 2, "where": 3, "clip": 3, "roll": 3, "append": 3}
_ARGUMENTS |= {"permute": 9, "reshape": 9, "transpose": 9, "view": 9, "flatten": 2, "astype": 1}
_CHANGES = {"append", "extend", "insert", "pop", "fill"}
_INSTEAD = {"draws evenly": "always draws normally", "draws normally": "always draws evenly"}
_GRADIENT = re.compile(r"(d|grad_?|g)([A-Zbw]\d*|[bW]_?\w?)$|grads?$|g$|grad_\w+$|slope$")
_SUMS = ("loss", "total", "sum", "err", "running")
_REGISTERS = {"ModuleList", "Sequential", "ParameterList", "add_module", "register_module"}
_REGISTERS |= {"setattr", "_modules", "__dict__"}
_LIBRARIES = {"np", "numpy", "torch"}
_READS = {"len", "sum", "float", "int", "str", "print"}
_LOOKS = {"locals", "vars", "eval", "exec"}
"""With these a name may be read that is not written."""
_Loop = ast.For | ast.While
_Scope = ast.Module | ast.FunctionDef
_Fact = tuple[str, str]


def unlike(source: str, usual: Collection[str]) -> str:
    """The first fact about the code that is none of the usual kinds, or ''.

    Which random numbers are drawn is no fault by itself: it is told where all right answers draw
    others.
    """
    rest = (one for one in read(source) if one[0] not in usual)
    return next((words for kind, words in rest if _INSTEAD.get(kind, kind) in (kind, *usual)), "")


def kinds(codes: Iterable[str]) -> list[str]:
    """The kinds of all facts about right answers, and which of them hold for every one."""
    found = [{kind for kind, _ in read(code)} for code in codes]
    always = {f"always {kind}" for kind in found[0].intersection(*found)} if found else set()
    return sorted(always.union(*found))


@functools.lru_cache(512)
def read(source: str) -> tuple[_Fact, ...]:
    """All facts about a cell, each with the kind that it is of, the weightiest first."""
    if len(source) > MAX_SOURCE:
        return ()
    try:
        return tuple(_facts(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _facts(tree: ast.Module) -> Iterator[_Fact]:
    called = _called(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    called |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {"grad"}
    trains = {"train"} | {one.name for one in functions if "train" in _called(one)}
    scopes: list[_Scope] = [tree, *functions]
    for scope in scopes:
        yield from _in_loops(scope, called, trains)
    for call in _calls(tree):
        yield from _in_call(call, tree)
    outermost = {function for function, _ in _functions(tree)}
    for function in functions:
        if function in outermost:
            yield from _in_closures(function, called)
        yield from _in_function(function, function in outermost)
        yield from _without_effect(function)
        yield from _by_differences(function)
    for made in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        yield from _in_class(made)
    for function, owner in _functions(tree):
        yield from _arguments(function, owner)
    for call in _calls(tree):
        yield from _distribution(call)
    for function in functions:
        yield from _unread(function)


# -------------------------------------------------------------------------------- loops


def _in_loops(scope: _Scope, called: set[str], trains: set[str]) -> Iterator[_Fact]:
    loops = _loops(scope)
    for loop in loops:
        yield from _in_loop(loop, scope, called, trains)
    inner = {one for loop in loops for one in ast.walk(loop) if one is not loop}
    if not any(isinstance(node, (ast.Nonlocal, ast.Global)) for node in ast.walk(scope)):
        for loop in (one for one in loops if one not in inner):
            yield from _gathered(loop)
            yield from _by_hand(loop, scope)


def _in_loop(loop: _Loop, scope: _Scope, called: set[str], trains: set[str]) -> Iterator[_Fact]:
    """Training loops, and loops that are left too early; `trains`: what switches it on again."""
    here = {_name(call.func) for call in _calls(loop) if _is_method(call, "backward")}
    where = f"the loop in line {loop.lineno}"
    by_hand = "grad" in called  # p -= rate * p.grad
    if "backward" in here and not called & _CLEARS:
        yield "never clears", f"Gradients are never cleared in {where}: they add up."
    if "backward" in here and "zero_grad" in called and "step" not in called and not by_hand:
        yield "never steps", f"No optimiser takes a step in {where}: the weights stay as they are."
    if {"step", "zero_grad"} <= here and not called & {"backward", "grad"}:
        yield "no backward", f"backward is never called in {where}: there are no gradients."
    if _evaluated(loop) and "step" in here and not here & trains:
        yield "evaluates", f"{where.capitalize()} switches evaluation mode on and never off again."
    if "step" in here and "train" not in called and _called_above("eval", loop, scope):
        yield "stays", "Evaluation mode is switched on, and training mode never again."
    last = loop.body[-1]
    leaves = any(isinstance(node, ast.Continue) for node in ast.walk(loop))
    if isinstance(last, ast.Return) and not leaves:
        words = (
            f"The return in line {last.lineno} stands inside the loop, which ends in its first "
            "turn."
        )
        yield "returns", words
    if "step" in here and any(_optimises(made, loop) for made in _made_always(loop.body)):
        yield (
            "optimiser anew",
            f"Every turn of {where} makes a new optimiser, which remembers nothing.",
        )
    yield from _step_by_step(loop)


def _made_always(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """What every run of these statements assigns: of a choice the first branch, if the other one
    assigns something that is made as well."""
    for one in body:
        if isinstance(one, ast.If) and any(_made_always(one.orelse)):
            yield from _made_always(one.body)
        value = one.value if isinstance(one, ast.Assign) else None
        if isinstance(value, ast.IfExp) and isinstance(value.orelse, ast.Call):
            value = value.body
        if isinstance(value, ast.Call):
            yield value


def _step_by_step(loop: _Loop) -> Iterator[_Fact]:
    """The order of backward, zero_grad and step, and a step that is not made for each batch."""
    block = [_name(one.value.func) if _is_call(one) else "" for one in loop.body]  # type: ignore
    first = {name: block.index(name) for name in ("backward", "zero_grad", "step") if name in block}
    order = sorted(first, key=lambda name: first[name])
    once = all(block.count(name) == 1 for name in order)
    if order == ["backward", "zero_grad", "step"] and once:
        line = loop.body[first["zero_grad"]].lineno
        words = f"Line {line} clears the gradients between backward and the step: none are left."
        yield "cleared too soon", words
    inner = [one for one in loop.body if isinstance(one, (ast.For, ast.While))]
    made = [call for one in loop.body if _is_call(one) for call in [one.value]]  # type: ignore
    steps = [one for one in made if _name(one.func) == "step"]
    cleared = [_chain(one.func)[:-1] for one in _calls(loop) if _name(one.func) == "zero_grad"]
    # A scheduler's step belongs there, and so does that of what stops early.
    if steps and _chain(steps[0].func)[:-1] in cleared and "backward" not in block:
        for one in inner:
            names = _called(one)
            if "backward" in names and "step" not in names:
                words = (
                    f"The step in line {steps[0].lineno} stands outside the loop in line "
                    f"{one.lineno}: it is made once for all batches."
                )
                yield "step outside", words


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _by_hand(loop: _Loop, scope: _Scope) -> Iterator[_Fact]:
    """Gradient descent with steps of its own: x = x - rate * slope, x -= rate * slope."""
    steps = {one.name: one for one in _updates(loop)}
    if not steps:
        return
    stored = {*_stored(loop)}
    before = [one for one in _assigned(_own(scope)) if one.lineno < loop.lineno]
    yield from _ascends(steps.values(), loop, scope)
    moved = stored | steps.keys()
    by_the_same = [one for one in steps.values() if not moved & {*_read(one.by)}]
    for node in before:
        names = {*_stored(node)}
        used = names & {name for one in by_the_same for name in _read(one.by)}
        if (
            isinstance(node.value, ast.Call)
            and used
            and not names & moved
            and {*_read(node.value)} & steps.keys()
        ):
            words = (
                f"Line {node.lineno} works out {_first(used, node)} once, before the loop in line "
                f"{loop.lineno}: every step goes by the same."
            )
            yield "gradient once", words
            break
    for node in _assigned(loop.body):
        again = {name for name in {*_stored(node)} & steps.keys() if steps[name].line > node.lineno}
        name = _first(again, node) if again else ""
        if name and not {*_read(node.value)} & stored and _lost(loop, node, name, steps[name].line):
            words = (
                f"Line {node.lineno} gives {name} a new value in every turn of the loop: what line "
                f"{steps[name].line} made of it is lost."
            )
            yield "set anew", words
            break
    by_gradients = any(_GRADIENT.match(name) for one in steps.values() for name in _read(one.by))
    for node in before if by_gradients else ():
        made = [*dict.fromkeys(_stored(node))]
        left = [name for name in made if name not in steps]
        changed = {*stored, *(name for name, _ in _written_into(scope))}
        changed |= {_chain(call.func)[0] for call in _calls(loop)}
        if len(made) > 2 and len(left) == 1 and not changed & {*left} and left[0] in _read(loop):
            rest = [name for name in made if name not in left]
            words = f"changes {', '.join(rest[:-1])} and {rest[-1]}, but never {left[0]}."
            yield "one not changed", f"The loop in line {loop.lineno} {words}"
            break


def _ascends(steps: Iterable[_Update], loop: _Loop, scope: _Scope) -> Iterator[_Fact]:
    """The first step that goes up the slope."""
    taken_off = _taken_off(scope)
    assigned = _assigned(ast.walk(loop))
    for one in (step for step in steps if step.adds and step.name not in taken_off):
        rate = next((name for name in _read(one.by) if "rate" in name or name == "lr"), "")
        slope = next((name for name in _read(one.by) if _GRADIENT.match(name)), "")
        if rate and slope and not _turned_over(one, slope, assigned):
            words = (
                f"Line {one.line} adds {rate} times {slope} to {one.name}: descent subtracts it."
            )
            yield "ascends", words
            return


class _Update(NamedTuple):
    """A statement that moves a name's value on."""

    name: str
    line: int
    adds: bool
    by: ast.expr


def _updates(loop: _Loop) -> Iterator[_Update]:
    """Those of the loop itself: x = x - a * b, x -= a * b."""
    for node in loop.body:
        if isinstance(node, ast.AugAssign):
            target: ast.expr = node.target
            op, by = node.op, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            target, op, by = node.targets[0], node.value.op, node.value.right
            if not (isinstance(target, ast.Name) and _is(node.value.left, target.id)):
                continue
        else:
            continue
        if (
            isinstance(target, ast.Name)
            and isinstance(op, (ast.Add, ast.Sub))
            and isinstance(by, ast.BinOp)
        ):
            yield _Update(target.id, node.lineno, isinstance(op, ast.Add), by)


def _read(tree: ast.AST) -> list[str]:
    """The names that are read in it."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return [node.id for node in names if isinstance(node.ctx, ast.Load)]


def _turned_over(update: _Update, slope: str, assigned: list[ast.Assign]) -> bool:
    """Does a minus stand in the step, or in what the slope is made of?"""
    made = _leading_to({slope}, assigned)
    return _has_minus(update.by) or any(_has_minus(one.value) for one in made)


def _taken_off(scope: _Scope) -> set[str]:
    """The names in what is subtracted, or subtracted from: a -= b, a - b, np.subtract(a, b)."""
    found: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
            found |= {*_read(node.value)}
        of_two = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
        if of_two or (isinstance(node, ast.Call) and _name(node.func) in ("sub", "subtract")):
            found |= {*_read(node)}
    return found


def _leading_to(names: set[str], assigned: Iterable[ast.Assign]) -> list[ast.Assign]:
    """Those of these statements that give one of the names its value, or what that is made of."""
    giving: dict[str, list[ast.Assign]] = {}
    for one in assigned:
        for name in _stored(one):
            giving.setdefault(name, []).append(one)
    found, queue = [], [*names]
    while queue:
        for one in giving.pop(queue.pop(), ()):
            found.append(one)
            queue += _read(one.value)
    return found


def _has_minus(tree: ast.AST) -> bool:
    return any(isinstance(one, (ast.USub, ast.Sub)) for one in ast.walk(tree))


def _lost(loop: _Loop, node: ast.stmt, name: str, line: int) -> bool:
    """Does nothing read what this line made of the name, before the statement sets it anew?"""
    rest: list[ast.AST] = [one for one in loop.body if not node.lineno <= one.lineno <= line]
    rest.append(loop.test if isinstance(loop, ast.While) else loop.iter)
    return not any(name in _read(one) for one in rest)


def _first(names: Collection[str], node: ast.stmt) -> str:
    """The one that comes first in a statement."""
    return next(one for one in _stored(node) if one in names)


def _optimises(made: ast.Call, loop: _Loop) -> bool:
    """Is it made of the parameters of a model that was there before the loop?"""
    stored = {*_stored(loop)}
    chains = (_chain(call.func) for one in made.args for call in _calls(one))
    return _name(made.func) != "grad" and any(
        chain[1:] == ["parameters"] and chain[0] not in stored for chain in chains
    )


def _gathered(loop: _Loop) -> Iterator[_Fact]:
    """One and the same array, gathered again and again; a sum that is never begun anew."""
    stored, changed = {*_stored(loop)}, {name for name, _ in _written_into(loop)}
    inner = [one for one in ast.walk(loop) if isinstance(one, (ast.For, ast.While)) and one != loop]
    in_inner = {node for one in inner for node in ast.walk(one)}
    kept: set[str] = set()
    for call in _calls(loop):
        if _name(call.func) != "append" or len(call.args) != 1:
            continue
        (one,) = call.args
        if call not in in_inner:
            kept |= {name.id for name in ast.walk(one) if isinstance(name, ast.Name)}
        if (
            isinstance(one, ast.Name)
            and one.id not in stored
            and (one.id in changed or any(_hands_over(other, one.id) for other in _calls(loop)))
        ):
            words = (
                f"Line {call.lineno} gathers {one.id} itself, not a copy: every entry is one and "
                "the same object, as it is at the end."
            )
            yield "gathers itself", words
    begun = {
        node.id
        for statement in ast.walk(loop)
        if not isinstance(statement, ast.AugAssign)
        for node in ast.iter_child_nodes(statement)
        for node in ([node] if not isinstance(node, ast.Tuple) else node.elts)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    chains = [_chain(call.func) for call in _calls(loop)]
    begun |= changed | {chain[0] for chain in chains if _changes(chain[-1])}
    for node in in_inner:
        if (
            isinstance(node, ast.AugAssign)
            and isinstance(node.op, ast.Add)
            and isinstance(node.target, ast.Name)
            and not isinstance(node.value, ast.Constant)
            and node.target.id in kept - begun
            and any(part in node.target.id.lower() for part in _SUMS)
        ):
            words = (
                f"{node.target.id}, which line {node.lineno} adds to, is not set back in the loop "
                f"in line {loop.lineno}: it goes on from turn to turn."
            )
            yield "never set back", words


def _hands_over(call: ast.Call, name: str) -> bool:
    """Is the name given to a function as it is, which may change it?"""
    plain = isinstance(call.func, ast.Name) and _name(call.func) not in _READS
    return plain and any(isinstance(one, ast.Name) and one.id == name for one in call.args)


def _is_method(call: ast.Call, name: str) -> bool:
    """Is it no plain function of that name?"""
    return isinstance(call.func, ast.Attribute) or _name(call.func) != name


def _evaluated(loop: _Loop) -> set[str]:
    """The models that a loop switches to evaluation in every turn, but for those that it makes
    itself."""
    alone = [one.value for one in loop.body if isinstance(one, ast.Expr)]
    chains = [_chain(node.func) for node in alone if isinstance(node, ast.Call)]
    switched = {chain[0] for chain in chains if len(chain) > 1 and chain[-1] == "eval"}
    return switched - {"", *_stored(loop)}


def _called_above(name: str, loop: _Loop, scope: _Scope) -> bool:
    """Is it called before the loop, in the loop's own function? A helper may never run."""
    before = (node for node in _own(scope) if isinstance(node, ast.Call))
    chains = (_chain(node.func) for node in before if node.lineno < loop.lineno)
    return any(chain[1:][-1:] == [name] for chain in chains)  # no builtin of its name


# -------------------------------------------------------------------------------- calls


def _in_call(call: ast.Call, tree: ast.Module) -> Iterator[_Fact]:
    name = _name(call.func)
    options = {one.arg: one.value for one in call.keywords}
    one = "line_search_fn" in options and _is_one(options.get("max_iter", call))
    if name == "LBFGS" and one and not options.keys() & {"max_eval", None}:
        words = f"Line {call.lineno} gives a step of L-BFGS one iteration, and so (max_eval) one"
        yield "one iteration", f"{words} evaluation: its line search has none."
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
    if name in ("manual_seed", "seed") and _chain(call.func)[0] in (
        "torch",
        "np",
        "numpy",
        "random",
    ):
        words = f"Line {call.lineno} seeds the global random numbers, for everything that runs."
        yield "seeds", words
    if name == "integers" or (name == "randint" and _chain(call.func)[0] in _LIBRARIES):
        last = call.args[1] if len(call.args) > 1 else None
        whole = "endpoint" not in {keyword.arg for keyword in call.keywords}
        if isinstance(last, ast.BinOp) and isinstance(last.op, ast.Sub) and whole:
            names = _chain(last.left)  # no other words of the student's go into a hint
            end = "the last number" if "" in names else f"{'.'.join(names)} - 1"
            words = f"Line {call.lineno} never draws {end}: {name} leaves its upper end out."
            if _is_one(last.right):
                yield "upper end", words


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _is_softmax(node: ast.expr) -> bool:
    """softmax(…), logits.softmax(1), nn.Softmax(1)(…)."""
    if not isinstance(node, ast.Call):
        return False
    made = node.func.func if isinstance(node.func, ast.Call) else node.func
    return _name(made) in ("softmax", "Softmax")


def _distribution(call: ast.Call) -> Iterator[_Fact]:
    """Which random numbers are drawn: an answer may want others."""
    name, chain = _name(call.func), _chain(call.func)
    drawn = f"Line {call.lineno} draws {{}} ({'.'.join(filter(None, chain))})."
    if len(chain) > 1 and name in _EVEN:
        yield "draws evenly", drawn.format("evenly spread random numbers")
    elif len(chain) > 1 and name in _NORMAL:
        yield "draws normally", drawn.format("normally distributed random numbers")


def _without_effect(function: ast.FunctionDef) -> Iterator[_Fact]:
    """Statements that work something out and drop it; ^ where a power is meant."""
    for node in _own(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
            first = node.right  # x ^ 2 * y is x ^ (2 * y)
            while isinstance(first, ast.BinOp):
                first = first.left
            power = first.value if isinstance(first, ast.Constant) else None
            if isinstance(power, (int, float)) and power not in (0, 1):  # nor True, False
                words = f"Line {node.lineno} uses ^, which in Python is no power: that is **."
                yield "caret", words
        elif isinstance(node, ast.Expr):
            words = _dropped(node.value)
            if words:
                yield "no effect", f"Line {node.lineno} {words}"
        for block in (getattr(node, name, None) for name in ("body", "orelse")):
            yield from _behind_return(block)
    yield from _behind_return(function.body)


def _by_differences(function: ast.FunctionDef) -> Iterator[_Fact]:
    """(f(x + h) - f(x - h)) / (2 * h) with a small number h, and what libraries have for it."""
    own = _own(function)
    for call in (node for node in own if isinstance(node, ast.Call)):
        chain = _chain(call.func)
        if chain[-1] == "gradient" and chain[0] in _LIBRARIES:
            words = f"Line {call.lineno} takes differences between neighbours ({'.'.join(chain)})"
            yield "differences", f"{words}: they are close to a derivative, not equal to it."
    small = {
        target.id
        for node in own
        if isinstance(node, ast.Assign) and _is_small(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    arguments = [*function.args.posonlyargs, *function.args.args]
    defaults = zip(reversed(arguments), reversed(function.args.defaults), strict=False)
    small |= {arg.arg for arg, value in defaults if _is_small(value, set())}
    plus_minus = ast.Add | ast.Sub
    steps = [
        node.value if isinstance(node, ast.AugAssign) else node.right
        for node in own
        if isinstance(node, (ast.AugAssign, ast.BinOp)) and isinstance(node.op, plus_minus)
    ]
    if not any(_is_small(one, small) for one in steps):
        return
    for node in own:
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and _is_small(node.right, small)
            and isinstance(node.left, ast.BinOp)
            and isinstance(node.left.op, plus_minus)
            and not _is_small(node.left.right, small)
        ):
            words = f"Line {node.lineno} divides a difference by a small step"
            yield "differences", f"{words}: that is close to a derivative, not equal to it."


def _is_small(node: ast.expr, names: set[str]) -> bool:
    """A number that steps are made of: 1e-4, h, 2 * h, h**2."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value <= 0.01
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Pow)):
        sides = [node.left] if isinstance(node.op, ast.Pow) else [node.left, node.right]
        return any(_is_small(one, names) for one in sides)
    return False


def _dropped(value: ast.expr) -> str:
    if isinstance(value, ast.Attribute) and _chain(value)[0]:
        return f"only names {'.'.join(_chain(value))}: without parentheses nothing is called."
    if isinstance(value, (ast.Compare, ast.BinOp)):
        return "works something out and keeps nothing of it."
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        chain, given = _chain(value.func), {one.arg for one in value.keywords}
        of_library = chain[0] in _LIBRARIES and len(chain) == 2
        most = _ARGUMENTS.get(chain[-1], 1 if of_library else 0)  # one more says where it goes
        more = len(value.args) > most and any(
            isinstance(one, ast.Name) for one in value.args[most:]
        )
        known = chain[-1] in (_GIVES if of_library else _GIVEN)
        if known and not more and not given & {"out", None}:
            return f"keeps nothing of what {chain[-1]} gives, which changes nothing by itself."
    return ""


def _behind_return(block: object) -> Iterator[_Fact]:
    for one, other in itertools.pairwise(block) if isinstance(block, list) else ():
        if isinstance(one, ast.Return):
            words = f"Line {other.lineno} stands behind a return and never runs."
            yield "never runs", words


# ---------------------------------------------------------------------------- functions


def _in_function(function: ast.FunctionDef, outermost: bool) -> Iterator[_Fact]:
    """What a function inside a function is given is the cell's own business."""
    arguments = (*function.args.args, *function.args.kwonlyargs) if outermost else ()
    names = [arg.arg for arg in arguments]
    source = next((name for name in ("rng", "generator") if name in names), "")
    called = _called(function)
    if "initial_seed" in called:  # the global numbers are set by it
        source = ""
    for call in _calls(function):
        given = {keyword.arg for keyword in call.keywords}
        if source and _name(call.func) in _DRAWS and not given & {"generator", None}:
            chain = _chain(call.func)
            if chain[:2] in (["np", "random"], ["numpy", "random"]) or chain[0] in (
                "torch",
                "random",
            ):
                words = (
                    f"Line {call.lineno} draws from the global random numbers, not from {source}."
                )
                yield "draws globally", words
    stored = Counter(_stored(function))
    for name, line in _written_into(function):
        if name in names and name not in stored:
            words = f"Line {line} writes into {name}, which belongs to the caller."
            yield f"writes into {name}", words
    if outermost:
        yield from _copied(function, names)
        yield from _straight(function)
    yield from _detached(function)
    yield from _weights_kept(function)
    yield from _drawn_once(function, stored)
    yield from _in_place(function, names, stored)
    yield from _second_names(function, names, stored)


def _in_closures(function: ast.FunctionDef, called: set[str]) -> Iterator[_Fact]:
    """What is handed to an optimiser's step: a function that clears, goes back, gives the loss."""
    inner = {
        one.name: one
        for one in ast.walk(function)
        if isinstance(one, ast.FunctionDef)
        # else it makes a closure, or gives the loss that a scheduler's step wants
        if "backward" in {_name(call.func) for call in _own(one) if isinstance(call, ast.Call)}
    }
    for call in (one for one in _calls(function) if _name(one.func) == "step" and one.args):
        given = call.args[0]
        if isinstance(given, ast.Call) and _name(given.func) in inner and not given.args:
            name = _name(given.func)
            words = (
                f"Line {call.lineno} calls {name} and hands on what it gives: step wants {name}."
            )
            yield "closure called", words
        closure = inner.get(given.id) if isinstance(given, ast.Name) else None
        if closure is None:
            continue
        if not called & _CLEARS:
            yield "never clears", f"Gradients are never cleared in {closure.name}: they add up."
        lbfgs = "LBFGS" in called  # others can do without a loss
        if lbfgs and not any(isinstance(one, ast.Return) and one.value for one in _own(closure)):
            words = f"{closure.name} in line {closure.lineno} does not return the loss, which step"
            yield "closure without loss", f"{words} needs."


def _copied(function: ast.FunctionDef, names: list[str]) -> Iterator[_Fact]:
    """model = copy.deepcopy(model), and nothing goes back into the model that was given."""
    called = _called(function)
    if "load_state_dict" in called or "step" not in called:
        return
    for node in _assigned(_own(function)):
        value, target = node.value, node.targets[0]
        if (
            isinstance(value, ast.Call)
            and _name(value.func) == "deepcopy"
            and isinstance(target, ast.Name)
            and target.id in names
            and any(_is(one, target.id) for one in value.args)
        ):
            words = f"Line {node.lineno} goes on with a copy of {target.id}: the one that was given"
            yield "copied", f"{words} stays as it is."


def _straight(function: ast.FunctionDef) -> Iterator[_Fact]:
    """ReLU, where the network's slopes are in the loss."""
    calls = [*_calls(function)]
    forces = any("force" in _name(one.func) for one in calls)
    if forces or any(_name(one.func).endswith("residual") for one in calls):
        classes = [one for one in ast.walk(function) if isinstance(one, ast.ClassDef)]
        in_models = {call for one in classes for call in _calls(one)}
        powers = (one for one in ast.walk(function) if isinstance(one, ast.BinOp))
        curved = {one.left for one in powers if isinstance(one.op, ast.Pow)}
        for call in (one for one in calls if one not in curved):
            name = _name(call.func)
            if name in ("ReLU", "LeakyReLU") or (name == "relu" and call in in_models):
                words = (
                    f"The network in line {call.lineno} has {name}: it is made of "
                    "straight pieces, whose slope jumps and whose curvature is zero."
                )
                yield "straight pieces", words
                return


def _detached(function: ast.FunctionDef) -> Iterator[_Fact]:
    """loss(F_pred.detach(), F), where F_pred was made of the network just before, and backward
    begins with that loss."""
    own = _own(function)
    back = [one for one in own if isinstance(one, ast.Call) and _name(one.func) == "backward"]
    assigned = _assigned(own)
    leading = _leading_to({name for one in back for name in _read(one)}, assigned)
    if not any(map(_keeps_graph, _calls(function))):  # else it is known, and may be meant
        for call in (one for tree in leading for one in _calls(tree.value)):
            of_weights = "parameters" in _called(call)
            if _chain(call.func)[-2:] == ["autograd", "grad"] and not of_weights:
                words = f"Line {call.lineno} takes a derivative without create_graph=True"
                yield "derivative cut", f"{words}: the loss has no gradient by way of it."
    made: dict[str, ast.Assign] = {}
    for node in assigned:
        if isinstance(node.value, ast.Call):
            made |= dict.fromkeys(_stored(node), node)
    for call in (one for tree in (*leading, *back) for one in _calls(tree)):
        for one in call.args:
            name = _detached_name(one)
            alone = _read(call).count(name) == 1
            if name in made and alone and _makes_of_network(made[name].value):
                words = f"Line {one.lineno} cuts {name} off (detach): no gradient gets past that."
                yield "detached", words


def _keeps_graph(call: ast.Call) -> bool:
    """grad(…, create_graph=True), or **options, which may hold it."""
    named = {one.arg for one in call.keywords} & {"create_graph", None}
    return bool(named) or (_name(call.func) == "grad" and len(call.args) > 4)


def _detached_name(node: ast.expr) -> str:
    """F_pred of F_pred.detach()."""
    chain = _chain(node.func) if isinstance(node, ast.Call) else [""]
    return chain[0] if len(chain) == 2 and chain[1] == "detach" else ""


def _makes_of_network(value: ast.expr) -> bool:
    """model(x), energy_and_force(model, r)."""
    words = ("model", "net", "network")
    return isinstance(value, ast.Call) and (
        _name(value.func) in words or any(_chain(one)[0] in words for one in value.args)
    )


def _weights_kept(function: ast.FunctionDef) -> Iterator[_Fact]:
    """best = model.state_dict(), and nothing copies it."""
    if _called(function) & {"clone", "copy", "deepcopy"}:
        return
    inside = _inside(_loops(function))
    for node in (one for one in _assigned(_own(function)) if one in inside):
        if isinstance(node.value, ast.Call) and _name(node.value.func) == "state_dict":
            words = (
                f"Line {node.lineno} keeps state_dict() without a copy: it holds the weights "
                "themselves, which go on changing."
            )
            yield "weights not copied", words


def _drawn_once(function: ast.FunctionDef, stored: Counter[str]) -> Iterator[_Fact]:
    """One random number, drawn before a loop that uses it in every turn."""
    loops = _loops(function)
    inside = _inside(loops)
    for node in _assigned(_own(function)):
        if node in inside:
            continue
        target, value = node.targets[0], node.value
        drawn = isinstance(value, ast.Call) and _name(value.func) in _DRAWS
        if not (drawn and isinstance(target, ast.Name) and stored[target.id] == 1):
            continue
        for loop in loops:
            used = any(_is(one, target.id) for one in ast.walk(loop))
            if used and isinstance(value, ast.Call) and not value.args and not value.keywords:
                words = (
                    f"Line {node.lineno} draws {target.id} once: the loop in line {loop.lineno} "
                    "uses the same number in every turn."
                )
                yield "draws once", words
                break


def _in_place(function: ast.FunctionDef, names: list[str], stored: Counter[str]) -> Iterator[_Fact]:
    """Arguments, or what a loop finds in them, that a statement changes as they are."""
    own = _own(function)
    adding = [node for node in own if isinstance(node, ast.AugAssign)]
    added = {node.target.id: node for node in adding if isinstance(node.target, ast.Name)}
    for name, node in added.items():
        never_replaced = stored[name] == sum(_is(one.target, name) for one in adding)
        if name in names and never_replaced and _may_be_an_array(function, name):
            words = (
                f"Line {node.lineno} changes {name} in place: an array that was given is another "
                "one afterwards, for the caller too."
            )
            yield f"writes into {name}", words
    for loop in (node for node in own if isinstance(node, ast.For)):
        whole, parts = loop.iter, loop.target
        zipped = isinstance(whole, ast.Call) and _name(whole.func) == "zip"
        targets = parts.elts if isinstance(parts, ast.Tuple) and zipped else [parts]
        sources = whole.args if isinstance(whole, ast.Call) and zipped else [whole]
        for one, source in zip(targets, sources, strict=False):
            if (
                isinstance(one, ast.Name)
                and isinstance(source, ast.Name)
                and one.id in added
                and source.id in names
                and source.id not in stored
                and stored[one.id] == 2
            ):
                words = (
                    f"Line {added[one.id].lineno} changes {one.id} in place: arrays or tensors in "
                    f"{source.id} are others afterwards."
                )
                yield f"writes into {source.id}", words
    for call in (node for node in own if isinstance(node, ast.Call)):
        chain = _chain(call.func)
        if _changes(chain[-1]) and len(chain) == 2 and chain[0] in names and chain[0] not in stored:
            words = f"Line {call.lineno} changes {chain[0]} itself ({chain[-1]})."
            yield f"writes into {chain[0]}", words


def _changes(method: str) -> bool:
    """append, zero_."""
    return method in _CHANGES or (method.endswith("_") and method[-2:] != "__")


def _may_be_an_array(function: ast.FunctionDef, name: str) -> bool:
    """By its annotation, as far as there is one."""
    arguments = (*function.args.args, *function.args.kwonlyargs)
    kinds = [ast.unparse(arg.annotation) for arg in arguments if arg.arg == name and arg.annotation]
    return all("ndarray" in kind or "Tensor" in kind for kind in kinds)


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _second_names(
    function: ast.FunctionDef, names: list[str], stored: Counter[str]
) -> Iterator[_Fact]:
    """b = a, and then b[…] = … or a[…] = …: both are one array."""
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    written = dict(_written_into(function))
    for node in _assigned(_own(function)):
        target = node.targets[0]
        if not (isinstance(node.value, ast.Name) and isinstance(target, ast.Name)):
            continue
        new, old, line = target.id, node.value.id, node.lineno
        before = [one.lineno for one in uses if one.id == old and isinstance(one.ctx, ast.Store)]
        if stored[new] != 1 or len(before) > 1 or any(one >= line for one in before):
            continue
        for changed, other in ((new, old), (old, new)):
            later = other in names or any(one.id == other and one.lineno > line for one in uses)
            if written.get(changed, 0) > line and later:
                words = (
                    f"Line {line} gives {old} a second name, {new}, and makes no copy: what line "
                    f"{written[changed]} writes changes both."
                )
                yield "second name", words
                break


def _arguments(function: ast.FunctionDef, owner: str) -> Iterator[_Fact]:
    """Arguments that are never used, or replaced before they are; `owner`: a method's class."""
    called = owner if function.name == "__init__" else function.name
    arguments = [*function.args.args, *function.args.kwonlyargs][bool(owner) :]
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    finds_sizes = any(_name(call.func).startswith("Lazy") for call in _calls(function))
    if used & _LOOKS or finds_sizes or not _does_something(function):
        return
    for name in (arg.arg for arg in arguments):
        if name not in used and not name.startswith("_") and name != "epochs":  # may stop sooner
            yield f"unused {name}", f"{called} never uses {name}."
        elif name in used:
            yield from _replaced(function, called, name)


def _replaced(function: ast.FunctionDef, called: str, name: str) -> Iterator[_Fact]:
    for statement in function.body:
        found = [
            node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id == name
        ]
        if not found:
            continue
        alone = isinstance(statement, ast.Assign) and all(
            isinstance(node.ctx, ast.Store) for node in found
        )
        if alone:
            words = (
                f"Line {statement.lineno} replaces {name} before it is used: what {called} was "
                "given has no effect."
            )
            yield f"unused {name}", words
        return


def _unread(function: ast.FunctionDef) -> Iterator[_Fact]:
    """A value that is worked out and never looked at."""
    looked_at = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }
    own = _own(function)
    if looked_at & _LOOKS or any(isinstance(one, (ast.Global, ast.Nonlocal)) for one in own):
        return
    for node in _assigned(own):
        name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else "_"
        if name not in looked_at and not name.startswith("_"):
            yield "unread", f"Line {node.lineno} gives {name} a value, and nothing uses it."


def _does_something(function: ast.FunctionDef) -> bool:
    """It is no stub."""
    body = [one for one in function.body if not isinstance(one, (ast.Pass, ast.Expr))]
    return bool(body) and not isinstance(body[0], ast.Raise)


# ------------------------------------------------------------------------------ classes


def _in_class(made: ast.ClassDef) -> Iterator[_Fact]:
    """Layers that are made and never used, or kept where their parameters are not found."""
    if "Module" not in map(_name, made.bases):
        return  # a Sequential goes through what it holds
    attributes = (node for node in ast.walk(made) if isinstance(node, ast.Attribute))
    used_ = {node.attr for node in attributes if not isinstance(node.ctx, ast.Store)}
    names = _called(made)
    goes_through = names & {"children", "modules", "named_children", "getattr", "add_module"} or (
        used_ & {"_modules", "__dict__"}
    )
    yield from _worked_out_once(made)
    for node in _set_on_self(made):
        target = node.targets[0]
        assert isinstance(target, ast.Attribute)
        if _is_layer(node.value) and target.attr not in used_ and not goes_through:
            words = (
                f"Line {node.lineno} makes self.{target.attr}, and nothing in the class uses it."
            )
            yield "unused layer", words
        if _is_plain_tensor(node.value) and not names & {"register_parameter", "Parameter"}:
            words = (
                f"Line {node.lineno} keeps self.{target.attr} as a plain tensor: parameters() "
                "finds what is an nn.Parameter."
            )
            yield "plain tensor", words
        several = node.value
        items = several.elts if isinstance(several, ast.List) else [getattr(several, "elt", None)]
        found_otherwise = (names | used_) & _REGISTERS
        plain = isinstance(several, (ast.List, ast.ListComp)) and not found_otherwise
        if plain and any(map(_is_layer, items)):
            words = (
                f"Line {node.lineno} keeps layers in a plain list, where torch does not find their "
                "parameters."
            )
            yield "plain list", words


def _set_on_self(tree: ast.AST) -> list[ast.Assign]:
    """self.layers = …"""
    assigned = _assigned(ast.walk(tree))
    return [
        one
        for one in assigned
        if isinstance(one.targets[0], ast.Attribute) and _chain(one.targets[0])[0] == "self"
    ]


def _worked_out_once(made: ast.ClassDef) -> Iterator[_Fact]:
    """self.alpha = torch.exp(self.log_alpha) beside self.log_alpha = nn.Parameter(…)."""
    first = [one for one in made.body if isinstance(one, ast.FunctionDef)]
    attributes = [node for one in first if one.name == "__init__" for node in _set_on_self(one)]
    set_again = {_name(one.targets[0]) for one in {*_set_on_self(made)} - {*attributes}}
    values = {_name(one.targets[0]): one for one in attributes}
    parameters = {name for name, one in values.items() if _is_trained(one.value)}
    for name, one in values.items():
        followed = _computed_of(one.value) & parameters
        if followed and name not in set_again:
            words = (
                f"Line {one.lineno} works self.{name} out once: it does not follow "
                f"self.{min(followed)}, which a training changes."
            )
            yield "worked out once", words


def _is_trained(value: ast.expr) -> bool:
    """nn.Parameter(…), not with requires_grad=False."""
    if not (isinstance(value, ast.Call) and _name(value.func) == "Parameter"):
        return False
    return len(value.args) == 1 and not value.keywords


def _computed_of(value: ast.expr, inside: bool = False) -> set[str]:
    """The a and b of torch.exp(self.a) and 2 * self.b, whose values are used; not of
    self.a.shape[0], of a layer or of an optimiser."""
    parts: list[ast.expr] = []
    if isinstance(value, ast.BinOp):
        parts = [value.left, value.right]
    elif isinstance(value, ast.UnaryOp):
        parts = [value.operand]
    elif isinstance(value, ast.Call) and _name(value.func) in _OF_VALUES:
        parts = value.args
        if isinstance(value.func, ast.Attribute):
            parts = [value.func.value, *parts]
    elif inside and isinstance(value, ast.Attribute) and _chain(value)[0] == "self":
        return {".".join(_chain(value)[1:])}
    return {name for part in parts for name in _computed_of(part, True)}


def _is_layer(node: ast.AST | None) -> bool:
    """nn.Linear(…) and the like."""
    chain = _chain(node.func) if isinstance(node, ast.Call) else [""]
    return chain[0] in ("nn", "torch") and chain[-1][:1].isupper() and chain[-1] != "Parameter"


def _is_plain_tensor(node: ast.expr) -> bool:
    """torch.zeros(…, requires_grad=True), torch.zeros(…).requires_grad_()."""
    if not isinstance(node, ast.Call):
        return False
    asked = any(
        one.arg == "requires_grad" and isinstance(one.value, ast.Constant) and one.value.value
        for one in node.keywords
    )
    return (asked and _chain(node.func)[0] == "torch") or _name(node.func) == "requires_grad_"


# ------------------------------------------------------------------------ the syntax tree


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Functions, and methods with their class, but for those inside functions."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, ""
        elif isinstance(node, ast.ClassDef):
            yield from ((one, node.name) for one in node.body if isinstance(one, ast.FunctionDef))


def _own(scope: ast.AST) -> list[ast.AST]:
    """The nodes in a function itself, none of functions and classes inside it."""
    found, queue = [], list(ast.iter_child_nodes(scope))
    while queue:
        node = queue.pop()
        found.append(node)
        if not isinstance(node, _SCOPES):
            queue += ast.iter_child_nodes(node)
    return sorted(found, key=lambda node: getattr(node, "lineno", 0))


def _loops(scope: ast.AST) -> list[_Loop]:
    """The loops of a function itself."""
    return [node for node in _own(scope) if isinstance(node, (ast.For, ast.While))]


def _inside(loops: list[_Loop]) -> set[ast.AST]:
    return {node for loop in loops for node in ast.walk(loop)}


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _called(tree: ast.AST) -> set[str]:
    """The last parts of the names that are called."""
    return {_name(call.func) for call in _calls(tree)}


def _assigned(nodes: Iterable[ast.AST]) -> list[ast.Assign]:
    """The assignments among some nodes."""
    return [node for node in nodes if isinstance(node, ast.Assign)]


def _stored(tree: ast.AST) -> list[str]:
    """The names that are given a value, as often as they are."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return [node.id for node in names if isinstance(node.ctx, ast.Store)]


def _written_into(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names of what a[…] = … and a[…] += … write into, and the lines; not in inner functions."""
    for node in _own(tree):
        if not isinstance(node, (ast.Assign, ast.AugAssign)):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            inner = target.value if isinstance(target, ast.Subscript) else None
            if isinstance(inner, ast.Name):
                yield inner.id, node.lineno


def _cut(loss: ast.expr, tree: ast.Module) -> str:
    """What takes a loss out of the graph as the last thing that happens to it.

    `loss = torch.tensor(0.0)` that more is added to has a graph: its name is stored twice.
    """
    node = _resolved(loss, tree)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _CUTS:
            return f"{node.func.attr}()"
        if node.func.attr == "tensor" and _chain(node.func)[0] == "torch":
            return "torch.tensor"
    return ".data" if isinstance(node, ast.Attribute) and node.attr == "data" else ""


def _resolved(node: ast.expr, tree: ast.Module) -> ast.expr:
    """What a name stands for, where it is given a value in one place only."""
    return _values(tree).get(node.id, node) if isinstance(node, ast.Name) else node


@functools.lru_cache(8)
def _values(tree: ast.Module) -> dict[str, ast.expr]:
    """The values of the names that are given one in one place only, and are no argument's."""
    given = Counter(_stored(tree))
    given.update(2 * [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)])
    return {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and given[target.id] == 1
    }


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return _chain(node)[-1]


def _chain(node: ast.expr) -> list[str]:
    """The parts of a dotted name: [""] for what begins with something else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_chain(node.value), node.attr]
    return [""]
