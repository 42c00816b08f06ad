"""Answers that forget an argument; `verify` tries them.

They are the reference, but for one parameter of a function or method. It keeps the value of its
first call; or that of the first call with arguments of these kinds and shapes, as where a result is
looked up by shape; or it always has its default. An exercise in which that costs nothing but a
guard does not ask whether the argument is heeded.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from autograder.course import Exercise
from autograder.judging.answers import cells, reference_code
from autograder.judging.judge import Judge
from autograder.sandbox.protocol import InProcess

WAYS = ("first", "first of its shape", "default")


def answers(judge: Judge, exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Names and codes of an exercise's forgetful answers."""
    right = reference_code(judge.assignment, exercise.name)
    namespace = InProcess(cells(judge.assignment)).session.namespace
    for name in exercise.defines:
        for method, function in _functions(namespace[name]):
            parameters = inspect.signature(function).parameters
            if "epochs" in parameters:  # a training: there is no time for a second one
                continue
            for one in parameters.values():
                where = ".".join(part for part in (name, method, one.name) if part)
                for way in WAYS if one.name != "self" else ():
                    if way != "default" or one.default is not one.empty:
                        forgets = f"forgetting({name}, {method!r}, {one.name!r}, {way!r})"
                        lines = [right, f"from {__name__} import forgetting", f"{name} = {forgets}"]
                        yield f"{where}: the {way}", "\n".join([*lines, ""])


def _functions(right: Any) -> list[tuple[str, Callable[..., Any]]]:
    """A function, or the methods of a class, by their names."""
    if not isinstance(right, type):
        return [("", right)]
    return [(name, one) for name, one in vars(right).items() if inspect.isfunction(one)]


# ------------------------------------------------------------------ in the answers themselves


def forgetting(right: Any, method: str, parameter: str, way: str) -> Any:
    """`right`, a function or class of the reference, with a parameter that is forgotten."""
    if method:
        setattr(right, method, forgetting(vars(right)[method], "", parameter, way))
        return right
    signature = inspect.signature(right)
    kept: dict[str, Any] = {}

    @functools.wraps(right)
    def answer(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        one = given.arguments[parameter]
        if way == "default":
            one = signature.parameters[parameter].default
        key = _kinds([*given.arguments.values()]) if way == "first of its shape" else ""
        given.arguments[parameter] = kept.setdefault(key, one)
        return right(*given.args, **given.kwargs)

    return answer


def _kinds(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(map(_kinds, value))}]"
    return f"{type(value).__name__} {getattr(value, 'shape', '')}"
