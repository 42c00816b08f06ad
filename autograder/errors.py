"""Every exception that crosses from one room to another; the message is for whoever reads it."""

from __future__ import annotations


class CourseError(Exception):
    """Something in the course's own files is wrong; the message says what and where."""


class CageError(Exception):
    """The cage itself cannot be had; no submission's fault."""


class CageGone(CageError):
    """Its warm parent does not answer any more."""


class WorkerEnded(Exception):
    """There is no answer, for a cause that the student should read."""

    def __init__(self, kind: str, text: str, crowded: bool = False, killed: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.crowded = crowded
        """Its time ran out while it had to share a core with others, or waited for a disk."""
        self.killed = killed
        """For want of memory that others may have had: by the system, or by the grader where it saw
        only that the machine had less."""


class SubmissionError(Exception):
    """Nothing can be read; the message says why, in words for the student."""


class Unreachable(SubmissionError):
    """Something is there and the machine does not let it be read: no fault of the student's."""


class JudgeLost(Exception):
    """The judge's process ended or fell silent."""
