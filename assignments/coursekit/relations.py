"""How wrong numbers are related to the right ones, where it cannot be chance.

A relation is told only if it holds for every entry, and only where there are enough entries
that differ from each other: of two numbers every one is some multiple of the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_ENOUGH = 3
_FACTORS = {
    2.0: "twice",
    0.5: "half",
    3.0: "three times",
    1 / 3: "a third of",
    4.0: "four times",
    0.25: "a quarter of",
    2**0.5: "√2 times",
    0.5**0.5: "1/√2 times",
    np.pi: "π times",
    1 / np.pi: "1/π times",
}


def relation(
    values: np.ndarray,
    wanted: np.ndarray,
    same: Callable[[np.ndarray], bool],
    *,
    numbers: bool = True,
) -> str:
    """What turns `wanted` into `values`, or ''; `same(other)` says whether other is `values`.

    Without `numbers` no factor or offset is told that the student's code could have chosen.
    """
    if values.shape != wanted.shape or not np.isfinite(values).all() or not np.any(wanted):
        return ""
    if not np.any(values) or same(wanted):
        return ""
    sizes = np.unique(np.round(np.abs(wanted) / np.abs(wanted).max(), 6))
    sizes = sizes[sizes > 0]
    if same(-wanted) and (sizes.size > 1 or abs(wanted).max() not in (1.0, 2.0)):
        if values.size == 1:
            return "the size is right and the sign turned over"
        return "the sizes are right and every sign turned over"
    if sizes.size < _ENOUGH:
        return ""
    factor = _factor(values, wanted, same, numbers)
    if factor:
        return factor
    offset = float(np.mean(values - wanted))
    if offset and same(wanted + offset):
        size = f"{abs(offset):.4g}" if numbers else "the same amount"
        return f"every entry is {size} too {'high' if offset > 0 else 'low'}"
    square = values.ndim >= 2 and values.shape[-1] == values.shape[-2]
    if square and same(np.swapaxes(wanted, -1, -2)):
        return "the right numbers, transposed"
    return _order(wanted, same)


def _factor(
    values: np.ndarray, wanted: np.ndarray, same: Callable[[np.ndarray], bool], numbers: bool
) -> str:
    largest = np.abs(wanted).argmax()
    ratio = float(values.flat[largest] / wanted.flat[largest])
    if not ratio or not same(wanted * ratio):
        return _power(wanted, same)
    sign = ", with the opposite sign" if ratio < 0 else ""
    named = [words for factor, words in _FACTORS.items() if abs(abs(ratio) / factor - 1) < 1e-6]
    words = f"{abs(ratio):.4g} times" if numbers else "the same multiple of"
    words = named[0] if named else words
    return f"every entry is {words} what it should be{sign}"


def _power(wanted: np.ndarray, same: Callable[[np.ndarray], bool]) -> str:
    if same(wanted**2):
        return "every entry is the square of what it should be"
    if (wanted >= 0).all() and same(np.sqrt(wanted)):
        return "every entry is the square root of what it should be"
    if (wanted < 0).any() and (wanted > 0).any() and same(np.abs(wanted)):
        return "the sizes are right and the minus signs lost"
    return ""


def _order(wanted: np.ndarray, same: Callable[[np.ndarray], bool]) -> str:
    """The right numbers in other places, along some axis."""
    for axis in range(wanted.ndim):
        along = f" along axis {axis}" if wanted.ndim > 1 else ""
        if wanted.shape[axis] >= _ENOUGH:
            if same(np.flip(wanted, axis)):
                return f"the right numbers, in reversed order{along}"
            for step in (1, -1):
                if same(np.roll(wanted, step, axis)):
                    where = "later" if step > 0 else "earlier"
                    return f"the right numbers, one place {where}{along}"
    return ""
