"""The judge's own time: what a student sent may be made to take long to look at."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator


class TookTooLong(Exception):
    """The time that was given is used up."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[list[bool]]:
    """Ends what computes longer in this thread with TookTooLong; 0 is no limit. What the thread
    beside it takes, which watches a submission, is not counted.

    One such limit may stand within another. Who catches the exception within, or loses it where C
    calls Python (a callback of the garbage collector, where it is not reported either), is told
    again a second later; the list that this gives is not empty then.
    A single call into C is waited for.
    """
    rung: list[bool] = []
    if not seconds:
        yield rung
        return

    def ring(*_: object) -> None:
        more = given - (time.thread_time() - began)
        if more > 0:
            signal.setitimer(signal.ITIMER_PROF, max(1e-3, more), 1.0)
            return
        rung.append(True)
        raise TookTooLong

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, TookTooLong):
            tell(lost)

    tell, sys.unraisablehook = sys.unraisablehook, unraisable
    before = signal.signal(signal.SIGPROF, ring)
    outer, _ = signal.getitimer(signal.ITIMER_PROF)
    given = min(seconds, outer or seconds)
    began = time.thread_time()
    signal.setitimer(signal.ITIMER_PROF, given, 1.0)
    try:
        yield rung
    finally:
        left = max(1e-3, outer - (time.thread_time() - began)) if outer else 0.0
        signal.setitimer(signal.ITIMER_PROF, left, 1.0 if outer else 0.0)
        signal.signal(signal.SIGPROF, before)
        sys.unraisablehook = tell
