"""Hidden checks for a stock nbgrader, without the cage: `score` in a check cell.

The source notebooks' check cells end in `score(…)`, so that they can be graded by an nbgrader
that knows nothing of this grader. Student code can reach this process, so use it only for trusted
work. That gets the same marks, but for one thing.

An exercise that builds on a wrong one is judged as it stands, and says so: a right answer in the
place of the wrong one would stand in the student's own process. `autograder grade`, and
`nbgrader autograde` with this grader, judge it on its own merit.
"""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any

from autograder.course import Assignment, cell_of, load_assignment
from autograder.judging.answers import cells
from autograder.judging.diagnosis import Observer
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.judging.uses import closure, uses
from autograder.sandbox.protocol import InProcess

SALT = "inprocess"


def score(name: str, exercise: str, namespace: dict[str, Any]) -> float:
    """The points that the names in a notebook's namespace earn; prints what to look at.

    nbgrader takes the cell's last value, printed as a plain float, for the points, and any output
    on stderr for a failure; so nothing else is let through.
    """
    found = load_assignment(name)
    wanted = found.exercise(exercise)
    transport = InProcess(())
    session = transport.session
    session.namespace, session.kernel.module = namespace, sys.modules["__main__"]
    labels = _cells_of(namespace, found)
    session.kernel.labels = labels
    transport.lines = dict.fromkeys(labels.values(), sys.maxsize)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        judge = Judge(found)
        after = Observer(judge, SALT)
        (result,) = judge.judge(Student(transport), SALT, [wanted], after=after)
    for check in result.checks:
        if check.message:
            print(check.message)
    used = closure(uses(found, cells(found), judge.calls), [exercise])
    below = [other.name for other in found.exercises if other.name in used]
    if result.points < result.max_points and below:
        print(f"judged with {', '.join(below)} as they are here: what is wrong there counts here")
    elif result.hint:
        print(f"hint: {result.hint}")
    return float(result.points)


def _cells_of(namespace: dict[str, Any], found: Assignment) -> dict[str, str]:
    """The words for each cell that defines an exercise, by the file name that IPython gives it."""
    codes = (
        (exercise, getattr(namespace.get(name), "__code__", None))
        for exercise in found.exercises
        for name in exercise.defines
    )
    return {code.co_filename: cell_of(exercise.name) for exercise, code in codes if code}
