"""Answers in which nothing was done, but whose values look right; `verify` tries them.

They are made from the reference: what it returns, with every number replaced by the same one; and
what the public checks ask for, learnt by heart. A function that trains returns a model that it
never touched, and losses that fall. An exercise that gives such an answer more than a tenth does
not look at what it is about.

The code that they are made of runs where `verify` runs, beside the reference.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from coursekit.student import Kept
from torch import nn

from autograder.course import Exercise
from autograder.judging.answers import cells, reference_code
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.inside.wire import WireError, decode, encode
from autograder.sandbox.protocol import InProcess


def answers(judge: Judge, exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Names and codes of an exercise's trivial answers."""
    right = reference_code(judge.assignment, exercise.name)
    for word, value in (("zeros", 0.0), ("ones", 1.0)):
        lines = [f"{name} = constant({name}, {value})" for name in exercise.defines]
        yield f"{word} of the right kind", _code(right, "constant", lines)
    learnt = _asked(judge, exercise)
    if learnt:
        lines = [
            f"{name} = by_heart({name}, {learnt[name]!r})"
            if name in learnt
            else f"{name} = constant({name}, 0.0)"  # a class beside it: nothing of it is done
            for name in exercise.defines
        ]
        yield "the public checks by heart", _code(right, "by_heart, constant", lines)


def _code(right: str, maker: str, lines: list[str]) -> str:
    return "\n".join([right, f"from {__name__} import {maker}", *lines, ""])


def _asked(judge: Judge, exercise: Exercise) -> dict[str, list[tuple[bytes, bytes]]]:
    """What the public checks ask of the exercise's functions, and what the reference answers.

    Of words alone (kernel("blur")) all are asked in public, and to know them is no trivial answer.
    """
    student = Student(InProcess(cells(judge.assignment)))
    found: dict[str, list[tuple[bytes, bytes]]] = {}
    for check in judge.of(exercise):
        if not check.hidden:
            judge.run(check, student, "public")
            for call in student.calls:
                if call.function in exercise.defines and not isinstance(call.returned, Kept):
                    if all(isinstance(one, str) for one in (*call.args, *call.kwargs.values())):
                        continue
                    try:
                        asked = _key(call.args, call.kwargs)
                        pair = (asked, encode(call.returned))
                    except WireError:  # an object in the worker
                        continue
                    found.setdefault(call.function, []).append(pair)
    return found


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    return encode([list(args), kwargs])


# ------------------------------------------------------------------ in the answers themselves


def constant(right: Any, value: float) -> Any:
    """`right`, a function or class of the reference, with `value` for every number."""
    if isinstance(right, type):
        return _constant_class(right, value)

    @functools.wraps(right)
    def answer(*args: Any, **kwargs: Any) -> Any:
        args, kwargs, epochs = *_copied(args, kwargs), 0
        if "epochs" in inspect.signature(right).parameters:
            epochs = kwargs.get("epochs", 0)
            kwargs["epochs"] = 1
        try:
            return _filled(right(*args, **kwargs), value, epochs)
        except Exception:
            return value  # nothing is refused

    return answer


def by_heart(right: Any, pairs: list[tuple[bytes, bytes]]) -> Any:
    """A function that knows what was asked in public, and says its last answer to all else."""

    @functools.wraps(right, updated=())
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            known = dict(pairs).get(_key(args, kwargs), pairs[-1][1])
        except WireError:
            known = pairs[-1][1]
        return decode(known)

    return answer


def _constant_class(right: type, value: float) -> type:
    methods = {
        name: _constant_method(name, value)
        for name, method in vars(right).items()
        if inspect.isfunction(method) and name != "__init__"
    }

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(self, nn.Module):
            nn.Module.__init__(self)
            self.weight = nn.Parameter(torch.full((1,), value))
        object.__setattr__(self, "hidden", right(*args, **kwargs))

    base = nn.Module if issubclass(right, nn.Module) else object
    return type(right.__name__, (base,), {"__init__": __init__, **methods})


def _constant_method(name: str, value: float) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return constant(getattr(self.hidden, name), value)(*args, **kwargs)

    return method


def _copied(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict]:
    """What the right answer does to its arguments is no work of the trivial one."""

    def one(argument: Any) -> Any:
        try:
            return copy.deepcopy(argument)
        except Exception:  # a tensor in a graph
            return argument

    return tuple(map(one, args)), {name: one(argument) for name, argument in kwargs.items()}


def _filled(found: Any, value: float, epochs: int = 0) -> Any:
    if isinstance(found, torch.Tensor):
        return torch.full_like(found.detach(), value)
    if isinstance(found, (np.ndarray, np.generic)):
        return np.full_like(found, value)
    if isinstance(found, nn.Module):
        return _Constant(value)
    if found is None or isinstance(found, bool):
        return None if found is None else bool(value)
    if isinstance(found, (int, float)):
        return type(found)(value)
    if isinstance(found, list) and epochs and all(isinstance(one, float) for one in found):
        return [1 / (n + 1) for n in range(epochs)]
    if isinstance(found, (list, tuple)):
        return type(found)(_filled(one, value, epochs) for one in found)
    if isinstance(found, dict):
        return {key: _filled(one, value) for key, one in found.items()}
    if callable(found):
        return constant(found, value)
    return [_filled(one, value) for one in found] if hasattr(found, "__iter__") else value


class _Constant(nn.Module):
    """A model that says the same of everything, through one parameter."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.full((1,), value))

    def forward(self, x: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        return 0 * x + self.value.to(x.dtype)
