"""In and out of other systems."""

from typing import Literal

Table = Literal["csv", "canvas", "moodle"]
Feedback = Literal["feedback", "moodle-feedback", "canvas-feedback", "brightspace-feedback"]
