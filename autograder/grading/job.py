"""One submission to grade as a value, and the results that need no judge."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from autograder.course import Assignment
from autograder.judging.digest import Digests, together
from autograder.results import ExerciseResult, Result


class Job(msgspec.Struct, kw_only=True):
    """One submission to grade: bytes in, `Result` out."""

    assignment: str
    student: str
    notebook: bytes | None
    problem: str = ""
    """Why there is no notebook, where there is none."""
    fault: bool = False
    """Whether that is the machine's fault and not the student's."""
    notes: list[str] = []
    salt: str = ""
    exercises: list[str] = []
    """Those to judge; all if none is named."""


def outcome(job: Job, found: Assignment, isolation: str, checks: Digests, **fields: Any) -> Result:
    """A result for the job with nothing earned, to be filled in; `checks` are salted."""
    values: dict[str, Any] = {
        "assignment": job.assignment,
        "student": job.student,
        "points": 0.0,
        "max_points": found.points,
        "isolation": isolation,
        "submission_sha256": submission_sha256(job),
        "checks_sha256": together(checks),
        "seconds": 0.0,
        "status": "graded",
        "notes": list(job.notes),
    }
    return Result(**(values | fields))


def submission_sha256(job: Job) -> str:
    return hashlib.sha256(
        job.problem.encode() if job.notebook is None else job.notebook
    ).hexdigest()


def filled(result: Result, exercises: list[ExerciseResult]) -> Result:
    """The result with these exercises, and with what follows from them."""
    faulty = ", ".join(exercise.name for exercise in exercises if exercise.status == "error")
    fault = f"the grader's own checks failed, for the right answer too, in {faulty}"
    return msgspec.structs.replace(
        result,
        exercises=exercises,
        points=round(sum(exercise.points for exercise in exercises), 2),
        status="grader_error" if faulty else "graded",
        message=fault if faulty else "",
    )


def unreadable(job: Job, found: Assignment, isolation: str, checks: Digests, why: str) -> Result:
    """Nothing could be read: no points anywhere, and the cause."""
    exercises = [
        ExerciseResult(
            name=e.name,
            points=0.0,
            max_points=e.points,
            status="missing",
            message=why,
            checks_sha256=checks[e.name],
        )
        for e in found.exercises
    ]
    return outcome(
        job, found, isolation, checks, status="unreadable", message=why, exercises=exercises
    )
