"""What figures and verdicts are called: the same on pages, in tables and on the terminal."""

from __future__ import annotations

from datetime import datetime

from autograder.files import nearest

STATUS = {
    "right": "right",
    "partly": "partly right",
    "wrong": "wrong",
    "unwritten": "not written",
    "missing": "missing",
    "error": "not judged: grader error",
}
"""Of an exercise, for the instructor."""
OUTCOMES = {
    "passed": ("✓", "passed"),
    "failed": ("✗", "failed"),
    "not_counted": ("–", "not counted"),
    "error": ("!", "not run"),
}
"""Of a check: its sign, and the word for it."""


def points(value: float | None) -> str:
    """Two decimals at most; where there is none, that is no zero."""
    return "no mark" if value is None else f"{nearest(value):g}"


def named(name: str, student: str) -> str:
    """The name on the roster beside the id, which alone is certain and stays whole."""
    short = name if len(name) <= 60 else f"{name[:59]}…"
    return f"{short} ({student})" if name else student


def number(value: float) -> str:
    """One decimal where there is something behind the point."""
    return f"{nearest(value, 1):.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """Whole per cent; 0 and 100 are kept for none and all."""
    whole = int(nearest(round(100 * share, 9), 0))
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one would say it."""
    if seconds < 120:
        return f"{number(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
