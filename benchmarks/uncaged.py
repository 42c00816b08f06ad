"""The course's checks called straight on a notebook's names: no cage, no judge, no pytest.

The least that grading can cost. `throughput.py` calls it in one warm process, and gives it to
nbgrader's check cells and to otter's test files, so that all of them run the same checks.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from coursekit.notebook import Kept, NotebookStudent

from autograder.course import load_assignment

SEED = 20261121


class _Student(NotebookStudent):
    """With what hidden checks ask for and public ones do not."""

    def field(self, name: str, **params: Any) -> Kept:
        from autograder.sandbox.inside import fields  # a notebook's folder has a copy in coursekit

        return Kept(self, fields.FIELDS[name](**params))

    def once(self, measure: Callable[..., Any], draw: np.random.Generator) -> Any:
        return measure(self, draw)

    def gradients(self, of: Kept, wrt: Kept) -> list[Any]:
        import torch  # not for an assignment that is without it

        thing, total = wrt._thing, of._thing.sum()
        inputs = list(thing.parameters()) if isinstance(thing, torch.nn.Module) else [thing]
        if not total.requires_grad:
            return [None] * len(inputs)
        return list(torch.autograd.grad(total, inputs, retain_graph=True, allow_unused=True))

    def _function(self, target: str | Kept, method: str | None) -> Any:
        if isinstance(target, str) and method is not None:
            target = Kept(self, self._namespace[target])
        return super()._function(target, method)


def points(name: str, exercise: str, namespace: dict[str, Any]) -> float:
    """The exercise's points if all its checks pass; else what the first failing one raises."""
    found = load_assignment(name)
    for path in (found.public_checks, found.hidden_checks):
        for title, check in vars(_module(path)).items():
            if title.startswith(f"test_{exercise}__"):
                student = _Student(namespace, exercise)
                student.begin(SEED)
                given = {"student": student, "draw": np.random.default_rng(SEED)}
                check(*(given[word] for word in inspect.signature(check).parameters))
    return found.exercise(exercise).points


@functools.cache
def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"uncaged_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
