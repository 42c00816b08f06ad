"""`slips.json`: what known mistakes return in the public checks, for the notebook to name them,
and which kinds of facts about the code hold for right answers.

Made from the mistakes, the public checks and the reference, exercise by exercise; what was made
from the same is taken over from the release folder, as trying every mistake takes its time.
Of exercises that train it holds no mistakes: trying these takes longer than all the others
together.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

from coursekit import slips
from coursekit.notebook import NotebookStudent, verdict
from coursekit.student import module_at

from autograder.course import SECONDS, Assignment, Exercise
from autograder.judging.answers import Mistake, cells, mistakes
from autograder.judging.diagnosis import usual_facts
from autograder.judging.digest import pieces
from autograder.sandbox.protocol import InProcess

Checks = dict[str, Callable[..., None]]

SHARED = ("cells", "compiler", "fields", "state", "witness")
"""Modules of `sandbox.inside` that notebooks have copies of, in `coursekit`: what a student's check
does as the worker does it."""


def known_slips(assignment: Assignment) -> bytes:
    """The table of one assignment, as the file's bytes."""
    old = slips.shipped_table(assignment.release.parent)
    table = {}
    for exercise in assignment.exercises:
        entry: dict[str, Any] = {"usual": usual_facts(assignment, exercise.name)}
        table[exercise.name] = entry
        if exercise.seconds > SECONDS:
            continue
        before = old.get(exercise.name, {})
        entry["made_from"] = _fingerprint(assignment, exercise)
        if before.get("made_from") == entry["made_from"]:
            entry["found"] = before["found"]
        else:
            entry["found"] = _found(assignment, exercise)
    return (json.dumps(table, indent=1) + "\n").encode()


def _fingerprint(assignment: Assignment, exercise: Exercise) -> str:
    """Of all that an exercise's entries are made from: later exercises are no part of it."""
    code = [cell.source for cell in cells(assignment)]
    made_from = code[: 2 + assignment.exercises.index(exercise)]  # the first is the setup cell
    made_from += [repr(wrong) for wrong in mistakes(assignment, exercise.name)]
    parts = pieces(assignment.public_checks)
    made_from += [text.decode() for name, text in parts if name in ("", exercise.name)]
    made_from.append(str(slips.VERSION))
    return hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:16]


def _found(assignment: Assignment, exercise: Exercise) -> dict[str, str]:
    """Entries by the beginning of their digests; none that right numbers would open."""
    right = _right_digests(assignment, exercise.name)
    by_digest: dict[bytes, list[slips.Slip]] = {}
    for number, wrong in enumerate(mistakes(assignment, exercise.name)):
        told = {}
        failed = failures(assignment, exercise.name, wrong)
        for name, calls in failed.items():
            # The first is the number itself; the others are for who looks it up.
            for digest in slips.digests(exercise.name, name, calls)[:1]:
                if digest not in right:
                    told[digest] = name
        slip = slips.Slip(f"{number}", wrong.hint, sorted(failed), sorted(told.values()))
        for digest in told:
            by_digest.setdefault(digest, []).append(slip)
    return {
        digest.hex()[:16]: slips.entry(digest, found) for digest, found in sorted(by_digest.items())
    }


def _right_digests(assignment: Assignment, exercise: str) -> set[bytes]:
    """Of all that the reference returns in a check, from its first call to any later one."""
    found: set[bytes] = set()
    for name, calls, _ in _asked(assignment, exercise, None):
        for last in range(1, len(calls) + 1):
            found.update(slips.digests(exercise, name, calls[:last]))
    return found


def failures(assignment: Assignment, exercise: str, wrong: Mistake | None) -> dict[str, Any]:
    """The public checks that a known answer fails in a notebook, each with its calls."""
    return {name: calls for name, calls, right in _asked(assignment, exercise, wrong) if not right}


def _asked(
    assignment: Assignment, exercise: str, wrong: Mistake | None
) -> list[tuple[str, list[Any], bool]]:
    """Each public check in a notebook with a known answer: its name, its calls, does it hold?"""
    asked = []
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = cells(assignment, *([] if wrong is None else [wrong]))
        namespace = InProcess(code).session.namespace
        for name, check in public_checks(assignment, exercise).items():
            student = NotebookStudent(namespace, exercise)
            right = verdict(check, student) is None
            asked.append((name, student.calls, right))
    return asked


def share() -> None:
    """Makes the modules that notebooks have copies of `coursekit`'s in this process, too."""
    for name in SHARED:
        module = importlib.import_module(f"autograder.sandbox.inside.{name}")
        sys.modules.setdefault(f"coursekit.{name}", module)


def public_checks(assignment: Assignment, exercise: str) -> Checks:
    """The public checks of an exercise, by their names."""
    share()
    module = module_at(assignment.public_checks, f"_public_{assignment.name}")
    beginning = f"test_{exercise}__"
    return {
        name.removeprefix(beginning): function
        for name, function in vars(module).items()
        if name.startswith(beginning)
    }
