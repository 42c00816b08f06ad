"""The course's checks called straight on a notebook's names: no cage, no judge, no pytest.

The least that grading can cost. `throughput.py` calls it in one warm process, and gives it to
nbgrader's check cells and to otter's test files, so that all of them run the same checks.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from coursekit.notebook import NotebookStudent

from autograder.authoring import slips
from autograder.course import load_assignment

SEED = 20261121
slips.share()


class _Student(NotebookStudent):
    """With what the judge's has for hidden checks beside."""

    def values(self, kept: list[Any]) -> list[Any]:
        return [self.value(one) for one in kept]

    def request(self, message: dict[str, Any]) -> None:
        exec(compile(message["source"], "<the checks' own>", "exec"), self._namespace)


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
