"""Signs of life of a judge that is at work, for whoever waits for it.

No clock of its own gives them: they are given where work goes on, when a check begins, while an
answer is waited for within its limits, and while others have their turn. So a judge that was
stopped, or waits for what never comes, gives none.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SILENT_SECONDS = 900.0
"""Without a sign, after which a judge is taken for lost. To start one, and what stands between two
signs, takes a minute or two where the machine is slow."""
_EVERY = 5.0

_tell: Callable[[], object] | None = None
_told = 0.0


def tell(how: Callable[[], object] | None) -> None:
    """From now on signs are given so, or not any more."""
    global _tell
    _tell = how


def goes_on() -> None:
    """Work goes on in this process; told now and then."""
    global _told
    now = time.monotonic()
    how = _tell  # by the next line another thread may have ended it
    if how is not None and now - _told > _EVERY:
        _told = now
        how()
