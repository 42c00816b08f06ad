"""Helpers that come with every notebook: comparisons, public checks, messages."""

from .compare import (
    DIFFERENCE,
    EXACT,
    SINGLE,
    CheckFailed,
    StudentError,
    Tolerance,
    array,
    attribute,
    below,
    close,
    holds,
    integer,
    number,
    quiet,
    refuses,
    tensor,
    within,
)
from .written import Call

__all__ = [
    "DIFFERENCE",
    "EXACT",
    "SINGLE",
    "Call",
    "CheckFailed",
    "StudentError",
    "Tolerance",
    "array",
    "attribute",
    "below",
    "close",
    "holds",
    "integer",
    "number",
    "quiet",
    "refuses",
    "tensor",
    "within",
]
