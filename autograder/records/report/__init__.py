"""One page about an assignment's class, for the instructor: `DIR/report/<name>.html`.

`reading` reads, `counting` counts, `remarks` picks out, `showing` shows; the page's parts stand in
`templates/report/`.
"""

from .reading import read_report
from .remarks import remarks
from .showing import render, write_report

__all__ = ["read_report", "remarks", "render", "write_report"]
