"""What is told of a submission that was judged again for an instructor, as values."""

from __future__ import annotations

from typing import NamedTuple

from autograder.course import Assignment
from autograder.results import CheckResult, ExerciseResult


class Asked(NamedTuple):
    """One call of a check."""

    called: str
    returned: str
    right: str
    """What the reference returns."""


class Explained(NamedTuple):
    """One check."""

    result: CheckResult
    weight: int
    calls: list[Asked]
    more: int
    """Calls that are not listed."""

    @property
    def verdict(self) -> list[str]:
        """The lines of the message but its title, and the call where it is listed."""
        if self.result.outcome == "passed":
            return []
        lines = (line.removeprefix("   ") for line in self.result.message.splitlines()[1:])
        return [line for line in lines if not self._lists(line)]

    def _lists(self, line: str) -> bool:
        word, _, call = line.partition(" ")
        listed = (one.called.removesuffix(" …") for one in self.calls)
        return word == "called" and any(map(call.strip().startswith, listed))


class Explanation(NamedTuple):
    """Some exercises of one submission."""

    assignment: Assignment
    student: str
    exercises: list[tuple[ExerciseResult, list[Explained]]]
    notes: list[str]
    sha256: str
    """Of the file."""
    checks_sha256: str
    """Of all that decides its marks today."""
