"""How wrong answers are related to the right ones, over all calls of a check.

Said of hidden checks too: a relation tells what the student's numbers are to the right ones and
nothing of the numbers themselves. Nor does it tell a factor or an offset that is no well-known
one: the code could have made it of what a check asked. `coursekit.relations` has those between
two arrays.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from coursekit.relations import relation

_RELATIVE = 1e-5
_ENOUGH = 3
_SINGLE = (1e-10, 1e-5)
"""Relative errors between these are float32's, or a difference quotient's, not a formula's."""


_Arrays = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Pair:
    """What came back from one call, what is right, and what the call was given. `sure`: there is
    one right answer, which no random numbers decide."""

    mine: Any
    right: Any
    args: Sequence[Any]
    same: bool
    sure: bool = True

    @functools.cached_property
    def arrays(self) -> _Arrays | None:
        """The two as pairs of arrays of one shape; None where they are built differently."""
        return _flat(self.mine, self.right)

    @property
    def differing(self) -> _Arrays:
        return [one for one in self.arrays or [] if not _close(*one)]


def told(pairs: Iterable[Pair], *, by_value: bool = True) -> str:
    """One sentence, or none where no relation holds for every call that went wrong.

    `by_value`: the check failed by what came back, so that its last digits may be the reason.
    """
    pairs = list(pairs)
    order = _reordered(pairs) or _as_given(pairs)
    if order:
        return order
    wrong = [pair for pair in pairs if not pair.same]
    if not wrong or not comparable(wrong):
        return ""
    arrays = [one for pair in wrong for one in pair.differing]
    if not arrays:
        return _digits(wrong) if by_value else ""
    return _of_all(arrays) or _of_each(arrays) or _by_size(wrong)


def place(pairs: Iterable[Pair]) -> str:
    """Where it is wrong, if that is the same kind of place in every call that went wrong."""
    wrong = [pair for pair in pairs if not pair.same]
    if not any(pair.sure for pair in wrong) or not comparable(wrong):
        return ""
    differ = [one for pair in wrong for one in pair.differing]
    if not differ:
        return ""
    return _one_of_several(wrong) or _first_only(differ) or _by_argument(wrong) or _at_edges(differ)


def _one_of_several(pairs: list[Pair]) -> str:
    """Of several values that come back always the same one is wrong."""
    counts = {len(pair.right) if isinstance(pair.right, (list, tuple)) else 0 for pair in pairs}
    if len(counts) != 1 or not 2 <= max(counts) <= len(_ORDINALS):
        return ""
    (count,) = counts
    wrong = {
        place
        for pair in pairs
        for place in range(count)
        if not _alike(pair.mine[place], pair.right[place])
    }
    if len(wrong) != 1:
        return ""
    return f"Of the {count} values that come back only the {_ORDINALS[wrong.pop()]} is wrong."


_SIGNS = {"below zero": np.less, "above zero": np.greater}


def _by_argument(pairs: list[Pair]) -> str:
    """Element by element, what goes in decides: wrong where it has one sign, right elsewhere."""
    for words, has in _SIGNS.items():
        there, elsewhere = 0, 0
        for pair in pairs:
            given = plain(pair.args[0]) if pair.args else None
            mine, right = plain(pair.mine), plain(pair.right)
            if given is None or mine is None or right is None or given.shape != right.shape:
                return ""
            off = ~np.isclose(mine, right, rtol=_RELATIVE, atol=1e-9, equal_nan=True)
            if given.ndim == 0 or (off != has(given, 0.0)).any():
                break
            there, elsewhere = there + int(off.sum()), elsewhere + int((~off).sum())
        else:
            if min(there, elsewhere) >= _ENOUGH:
                return f"It is wrong where what goes in is {words}, and right elsewhere."
    return ""


def _at_edges(arrays: _Arrays) -> str:
    """In the first and last rows and columns only."""
    right_ones = 0
    for mine, right in arrays:
        if right.ndim not in (1, 2) or min(right.shape) < 4:
            return ""
        scale = float(np.abs(right[np.isfinite(right)]).max(initial=0.0))
        off = ~np.isclose(mine, right, rtol=_RELATIVE, atol=1e-2 * _RELATIVE * scale)
        inner = off[(slice(1, -1),) * off.ndim]
        if inner.any():
            return ""
        right_ones += inner.size
    if right_ones < _ENOUGH:
        return ""
    edges = "the edges" if any(right.ndim == 2 for _, right in arrays) else "the ends"
    return f"Inside all is right: it is wrong at {edges} only."


def comparable(pairs: Iterable[Pair]) -> bool:
    """Are what came back and what is right built alike wherever they differ?"""
    return all(pair.same or pair.arrays is not None for pair in pairs)


def plain(value: Any) -> np.ndarray | None:
    """A number, an array or a tensor as an array of floats or complex numbers."""
    if value is None or isinstance(value, (list, tuple, dict, str, bytes)):
        return None
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return None
    return array.astype(complex if array.dtype.kind == "c" else float)


def _flat(mine: Any, right: Any) -> _Arrays | None:
    if isinstance(mine, (list, tuple)) and isinstance(right, (list, tuple)):
        if len(mine) != len(right):
            return None
        found = [_flat(one, other) for one, other in zip(mine, right, strict=True)]
        if any(one is None for one in found):
            return None
        return [pair for one in found if one is not None for pair in one]
    a, b = plain(mine), plain(right)
    if a is None or b is None or a.shape != b.shape or a.dtype.kind == "c" or b.dtype.kind == "c":
        return None
    return [] if isinstance(mine, bool) and isinstance(right, bool) else [(a, b)]


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    nearly = 1e-2 * _RELATIVE * np.abs(other[np.isfinite(other)]).max(initial=0.0)
    return bool(np.allclose(one, other, rtol=_RELATIVE, atol=nearly, equal_nan=True))


def _of_all(arrays: _Arrays) -> str:
    """A factor, a sign, an offset, a power: the same for all entries of all calls."""
    mine = np.concatenate([one.ravel() for one, _ in arrays])
    right = np.concatenate([other.ravel() for _, other in arrays])
    ends = np.cumsum([one.size for one, _ in arrays])[:-1]

    def same(other: np.ndarray) -> bool:  # each to digits of its own, large or small
        return all(map(_close, np.split(mine, ends), np.split(other, ends)))

    words = relation(mine, right, same, numbers=False)
    # In one long row neither a shift nor an order means anything.
    return f"Where it is wrong, {words}." if words and not words.startswith("the right") else ""


def _of_each(arrays: _Arrays) -> str:
    """Transposed, reversed, shifted: in each array of its own."""
    words = set()
    for mine, right in arrays:
        same = functools.partial(_close, mine)
        words.add(relation(mine, right, same, numbers=False))
    if len(words) != 1:
        return ""
    (said,) = words
    return f"Where it is wrong, these are {said}." if said.startswith("the right") else ""


def _first_only(arrays: _Arrays) -> str:
    """A batch of which only the first sample is right."""
    for mine, right in arrays:
        if mine.ndim == 0 or len(mine) < 3:
            return ""
        if not _close(mine[:1], right[:1]) or not np.any(right[:1]):
            return ""
        if any(_close(mine[row], right[row]) for row in range(1, len(mine))):
            return ""
    what = "row" if any(mine.ndim > 1 for mine, _ in arrays) else "entry"
    return f"Where it is wrong, only the first {what} is right."


def _by_size(pairs: list[Pair]) -> str:
    """A factor that is the number of entries, rows or columns of what was given."""
    sizes: list[dict[str, int]] = []
    ratios: list[float] = []
    for pair in pairs:
        for mine, right in pair.differing:
            if not np.any(right):
                continue
            ratio = float(mine.flat[np.abs(right).argmax()] / right.flat[np.abs(right).argmax()])
            if not ratio or not _close(mine, ratio * right):
                return ""
            ratios.append(ratio)
            sizes.append(_sizes(pair.args))
    if len(ratios) < 2 or len({round(ratio, 6) for ratio in ratios}) < 2:
        return ""
    for name in ("columns", "entries", "rows"):
        numbers = [found.get(name, 0) for found in sizes]
        both = list(zip(ratios, numbers, strict=True))
        for words, power in (("large", 1), ("small", -1)):
            if all(n and abs(ratio / n**power - 1) < _RELATIVE for ratio, n in both):
                return (
                    f"Where it is wrong, it is too {words} by a factor, the number of {name} of "
                    "the first array given."
                )
    return ""


def _sizes(args: Sequence[Any]) -> dict[str, int]:
    """Of the first argument, if it is an array."""
    array = plain(args[0]) if args else None
    if array is None or not array.ndim:
        return {}
    found = {"entries": array.size, "rows": len(array)}
    return found | ({"columns": array.shape[1]} if array.ndim > 1 else {})


_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _reordered(pairs: list[Pair]) -> str:
    """The right things, one for another: (a, c, b) for (a, b, c)."""
    orders: set[tuple[int, ...]] = set()
    for pair in pairs:
        if pair.same:
            continue
        if not all(isinstance(one, (list, tuple)) for one in (pair.mine, pair.right)):
            return ""
        if len(pair.mine) != len(pair.right) or not 2 <= len(pair.right) <= len(_ORDINALS):
            return ""
        fitting = {
            order
            for order in itertools.permutations(range(len(pair.right)))
            if all(_alike(pair.mine[place], pair.right[where]) for place, where in enumerate(order))
        }
        orders = fitting if not orders else orders & fitting
        if not orders:
            return ""
    if len(orders) != 1:
        return ""
    (order,) = orders
    if order == (*range(len(order)),):  # right to fewer digits than asked for
        return ""
    places = ", ".join(f"the {_ORDINALS[where]}" for where in order)
    return f"The right values come back in another order: {places}."


def _as_given(pairs: list[Pair]) -> str:
    """The same argument came back from every call that went wrong, and more than once; of one that
    was kept where the student's code runs nobody knows."""
    wrong = [pair for pair in pairs if pair.args and not pair.same]
    for place, ordinal in enumerate(_ORDINALS):
        given = [(pair.mine, pair.args[place]) for pair in wrong if place < len(pair.args)]
        known = [(mine, one) for mine, one in given if plain(one) is not None]
        if len(given) < len(wrong) or 2 * len(known) <= len(wrong):
            continue
        if not all(_alike(mine, one) for mine, one in known):
            continue
        if len({float(plain(one).sum()) for _, one in known}) > 1:  # type: ignore[union-attr]
            return f"What comes back is the {ordinal} argument as it was given."
    return ""


def _alike(one: Any, other: Any) -> bool:
    a, b = plain(one), plain(other)
    return a is not None and b is not None and a.shape == b.shape and _close(a, b)


def missing(pairs: Iterable[Pair]) -> str:
    """How arrays are too short or too long that are right as far as they go."""
    wrong = [(plain(pair.mine), plain(pair.right)) for pair in pairs if not pair.same]
    found = [None if a is None or b is None else _length(a, b) for a, b in wrong]
    seen = {round(float(x), 9) for a, _ in wrong if a is not None for x in a.flat}
    if not found or None in found or len(seen) < _ENOUGH:
        return ""
    words = {one for one in found if one}
    if len(words) > 1 and all(one.startswith("What comes") for one in words):
        words = {_MISSING.format("some", "entries")}
    return words.pop() if len(words) == 1 else ""


_MISSING = "What comes back is right, but {} {} are missing."


def _length(mine: np.ndarray, right: np.ndarray) -> str | None:
    """In words, "" where nothing came back, None where it is something else."""
    if not mine.ndim or mine.ndim != right.ndim or mine.shape[1:] != right.shape[1:]:
        return None
    short, long = sorted((mine, right), key=len)
    if len(short) == len(long) or not right.size:
        return None
    if not mine.size:
        return ""
    what = "rows" if mine.ndim > 1 else "entries"
    first, last = _close(short, long[: len(short)]), _close(short, long[-len(short) :])
    if len(mine) > len(right):
        where = "behind" if first else "before"
        said = f"What should come back is there, and more {what} {where} it."
        return said if first != last else None
    if first != last:
        return _MISSING.format("the last" if first else "the first", what)
    return _MISSING.format("some", what) if mine.ndim == 1 and _within(mine, right) else None


def _within(few: np.ndarray, many: np.ndarray) -> bool:
    """Is each of the few among the many, no oftener than there?"""
    left = list(many)
    for one in few:
        near = [k for k, other in enumerate(left) if _close(np.array([one]), np.array([other]))]
        if not near:
            return False
        del left[near[0]]
    return True


def _digits(wrong: list[Pair]) -> str:
    """Right to float32, where float64 was asked for."""
    errors = [
        float(np.max(np.abs(mine - right) / np.abs(right).max()))
        for pair in wrong
        for mine, right in pair.arrays or []
        if np.any(right) and np.isfinite(mine).all() and np.isfinite(right).all()
    ]
    if errors and _SINGLE[0] < max(errors) < _SINGLE[1]:
        return (
            "The numbers are right but for their last digits: something on the way has less "
            "precision than asked for."
        )
    return ""
