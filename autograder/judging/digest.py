"""What decides an exercise's marks, as one hash: results with the same hash need no grading.

The text of a check counts for its own exercise; all else that decides – the sandbox, the
judging, the reference, the mistakes, what stands between the checks – for every exercise of the
assignment. How results are shown, stored or exported decides nothing.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from pathlib import Path

from autograder.course import ROOT, Assignment
from autograder.errors import CourseError
from autograder.sandbox.inside.cells import first_line

Digests = dict[str, str]
_DECIDE = ("autograder/sandbox", "autograder/judging", "assignments/coursekit")


def digests(assignment: Assignment) -> Digests:
    """Per exercise, the hash of all that decides its marks, a course's salt aside."""
    common = hashlib.sha256(f"{assignment.name} {assignment.same_inputs}".encode())
    own = {exercise.name: hashlib.sha256() for exercise in assignment.exercises}
    for path in (assignment.public_checks, assignment.hidden_checks):
        for name, text in pieces(path):
            if text.strip():
                own.get(name, common).update(path.name.encode() + b"\0" + text.strip())
    for path in (
        assignment.folder / "figures.py",  # an answer may use what it defines
        assignment.reference,
        assignment.known_mistakes,
        *(path for room in _DECIDE for path in sorted((ROOT / room).rglob("*.py"))),
    ):
        common.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + _bytes(path))
    for exercise in assignment.exercises:
        own[exercise.name].update(repr(exercise).encode() + common.digest())
    return {name: digest.hexdigest() for name, digest in own.items()}


def salted(found: Digests, salt: str) -> Digests:
    """The hashes for one course, whose salt draws the hidden inputs."""
    return {name: _sha256(salt, digest) for name, digest in found.items()}


def resting_on(found: Digests, exercise: str, others: Sequence[str]) -> str:
    """The hash of all that decides an exercise's marks where others' standing decides, too."""
    own = found[exercise]
    return _sha256(own, *(found.get(name, "") for name in others)) if others else own


def together(found: Digests) -> str:
    """One hash of all exercises."""
    return _sha256(*found.values())


def pieces(path: Path) -> list[tuple[str, bytes]]:
    """A module's text in pieces: (exercise, a check of it), and ("", all between them)."""
    text = _bytes(path)
    lines = text.splitlines(keepends=True)
    pieces, done = [], 0
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        where = f"{path.relative_to(ROOT)}, line {error.lineno}"
        raise CourseError(f"{where}: no Python: {error.msg}") from None
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            start = first_line(node) - 1
            exercise = node.name.removeprefix("test_").partition("__")[0]
            pieces += [("", b"".join(lines[done:start]))]
            pieces += [(exercise, b"".join(lines[start : node.end_lineno]))]
            done = node.end_lineno or done
    return [*pieces, ("", b"".join(lines[done:]))]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _sha256(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
