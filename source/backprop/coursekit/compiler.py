"""PyTorch's compiler, while nobody asks for it.

Every optimiser's step, and every gradient of `torch.func`, imports `torch._dynamo`, eight hundred
modules in three CPU seconds, only to tell it that here is nothing to compile. Nothing is compiled
in a cage (`session`), and seldom in a notebook: a stand-in hears it, and for whatever else is
asked for, the real one comes. Who asks for deterministic algorithms gets them, and the compiler
hears of it only where it is there already.

A gradient with weights (`grad_outputs`) imports SymPy, to compare two shapes that the compiler
might know as symbols only: a quarter of a second. There is a stand-in for that module, too.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import _C

_NAME, _SHAPES = "torch._dynamo", "torch.fx.experimental.symbolic_shapes"


class _StandIn(ModuleType):
    """A module of torch's, until something is asked of it that is not here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # from what looks through all modules
            raise AttributeError(name)
        return getattr(self._real(), name)

    def _real(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
            above, _, last = self.__name__.rpartition(".")
            vars(importlib.import_module(above)).pop(last, None)
        return importlib.import_module(self.__name__)


class _Shapes(_StandIn):
    def sym_eq(self, x: Any, y: Any) -> Any:
        if isinstance(x, tuple) and isinstance(y, tuple) and {*map(type, (*x, *y))} <= {int}:
            return tuple(x) == tuple(y)
        return self._real().sym_eq(x, y)

    def expect_true(self, a: Any, skip: int = 0) -> Any:
        return a if type(a) is bool else self._real().expect_true(a, skip + 1)


class _Compiler(_StandIn):
    compiled_autograd = SimpleNamespace(_disable=contextlib.nullcontext)

    @property
    def __path__(self) -> Any:  # type: ignore[override]  # whoever imports by name gets the real one
        return self._real().__path__

    def graph_break(self, msg: str = "") -> None:
        pass

    def disable(self, fn: Any = None, *_: Any, **__: Any) -> Any:
        """The function as it is; without one, a decorator that leaves it so."""
        return (lambda function: function) if fn is None else fn


_real = torch.use_deterministic_algorithms


def _deterministic(mode: bool, *, warn_only: bool = False) -> None:
    told = _real if "torch._inductor.config" in sys.modules else _C._set_deterministic_algorithms
    told(mode, warn_only=warn_only)


def stand_in() -> None:
    """From now on, unless the real ones are there already."""
    if _SHAPES not in sys.modules:
        sys.modules[_SHAPES] = _Shapes(_SHAPES)
    if _NAME not in sys.modules:
        sys.modules[_NAME] = torch._dynamo = _Compiler(_NAME)
        torch.use_deterministic_algorithms = _deterministic
