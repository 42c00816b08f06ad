"""Right values of another kind than asked for: a list for an array, a list of one for a number.

Hidden checks of values compare with these, so that the kind costs one check of an exercise (a
guard that uses `coursekit`'s own `array` or `number`), not all. Public checks are strict and say so
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import coursekit
import numpy as np
import torch
from coursekit import EXACT, Tolerance


def _as_array(returned: Any) -> Any:
    """A list or tuple of numbers, or a tensor, as an array; anything else as it came."""
    if isinstance(returned, torch.Tensor):
        return returned.detach().cpu().numpy()
    if not isinstance(returned, (list, tuple)):
        return returned
    try:
        values = np.array(returned)
        if values.dtype == object:  # of tensors, say
            values = np.array(returned, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        return returned  # of unequal lengths, or not of numbers
    return values if values.dtype.kind in "fiu" else returned


def _as_number(returned: Any) -> Any:
    """A list, an array or a tensor of one as an array; anything else as it came."""
    value = _as_array(returned)
    return value if getattr(value, "size", 0) == 1 else returned


def array(returned: Any, shape: Sequence[int | None] | None = None) -> np.ndarray:
    return coursekit.array(_as_array(returned), shape)


def number(returned: Any) -> float:
    return coursekit.number(_as_number(returned))


def close(returned: Any, expected: Any, tolerance: Tolerance = EXACT) -> None:
    coursekit.close(_like(returned, expected), expected, tolerance)


def _like(returned: Any, expected: Any) -> Any:
    """`returned` with arrays and numbers where `expected` has them."""
    if isinstance(expected, np.ndarray):
        return _as_array(returned)
    if isinstance(expected, (int, float)):
        return _as_number(returned)
    several = isinstance(expected, (list, tuple)) and isinstance(returned, (list, tuple))
    if several and len(returned) == len(expected):
        return [_like(one, other) for one, other in zip(returned, expected, strict=True)]
    return returned
