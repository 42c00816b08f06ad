"""A judge's process in which exercises have a fifth of their computing time.

An endless loop takes all of it, and twice as much where the machine is crowded; right answers need
far less.
"""

from autograder.grading import judge_process
from autograder.sandbox.watch import Budget

_whole = Budget.of
Budget.of = lambda seconds, pace: _whole(seconds / 5, pace)  # type: ignore[method-assign]
judge_process.main()
