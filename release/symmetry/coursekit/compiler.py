"""PyTorch's compiler, while nobody asks for it.

Every optimiser's step, and every gradient of `torch.func`, imports `torch._dynamo`, eight hundred
modules in three CPU seconds, only to tell it that here is nothing to compile. Nothing is compiled
in a cage (`session`), and seldom in a notebook: a stand-in hears it, and for whatever else is
asked for, the real one comes. Who asks for deterministic algorithms gets them, and the compiler
hears of it only where it is there already.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import _C

_NAME = "torch._dynamo"


class _StandIn(ModuleType):
    compiled_autograd = SimpleNamespace(_disable=contextlib.nullcontext)

    def graph_break(self, msg: str = "") -> None:
        pass

    def disable(self, fn: Any = None, *_: Any, **__: Any) -> Any:
        """The function as it is; without one, a decorator that leaves it so."""
        return (lambda function: function) if fn is None else fn

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # from what looks through all modules
            raise AttributeError(name)
        if sys.modules.get(_NAME) is self:
            del sys.modules[_NAME], torch._dynamo
        return getattr(importlib.import_module(_NAME), name)


_real = torch.use_deterministic_algorithms


def _deterministic(mode: bool, *, warn_only: bool = False) -> None:
    told = _real if "torch._inductor.config" in sys.modules else _C._set_deterministic_algorithms
    told(mode, warn_only=warn_only)


def stand_in() -> None:
    """From now on, unless the real one is there already."""
    if _NAME not in sys.modules:
        sys.modules[_NAME] = torch._dynamo = _StandIn(_NAME)
        torch.use_deterministic_algorithms = _deterministic
