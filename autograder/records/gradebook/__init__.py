"""nbgrader's gradebook and its autograded notebooks, written from typed results.

`Recorder` fills the tables that formgrader, `nbgrader export` and `generate_feedback` read, one
transaction a submission, and writes `autograded/<student>/<name>/<name>.ipynb`. What an
instructor gave by hand – scores, extra credit, comments – is never touched.

nbgrader's own functions commit once per row and load each grade with five subqueries, so the
rows are written with SQL here; a test holds them against what nbgrader itself would write.
"""

from .marks import Mark
from .recorder import GradebookError, Recorder, has_gradebook, in_gradebook

__all__ = ["GradebookError", "Mark", "Recorder", "has_gradebook", "in_gradebook"]
