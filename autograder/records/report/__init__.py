"""One page about an assignment's class, for the instructor: `DIR/report/<name>.html`.

`counting` counts, `showing` shows; the page's parts stand in `templates/report/`.
"""

from .counting import read_report
from .showing import render, write_report

__all__ = ["read_report", "render", "write_report"]
