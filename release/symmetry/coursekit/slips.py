"""Known slips, named at the desk.

`slips.json` tells what known wrong answers return in the public checks, as digests: who returns
the same finds the sentence about it, and nobody else can read it. It holds no right answer, and
nothing that a hidden check asks.

A digest is of everything that a check's calls returned: kinds, shapes, and for numbers one
weighted sum, and that of their distances from the mean, each rounded to a part in some thousand of
itself. So it is the same in float32 and float64, and on any machine.

Beside the slips stand the kinds of `facts` about the code that hold for right answers too.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .compare import StudentError
from .written import Call, Thing

FILE = "slips.json"
VERSION = 5
"""Of the digests: another one makes the builder make every table anew."""
_ROUNDS = 2000  # a millisecond or two: nothing for one answer, long for all that one could guess
_BITS = 4096
_JITTER = 1e-5
"""Relative size of what rounding may do to a number; at the edge of a step both sides count."""
_SPREAD = 1e-2
"""Relative: numbers that lie closer together differ by little more than rounding in float32."""
_MOST = 32
_MOST_CALLS = 200

Table = dict[str, Any]


def named(exercise: str, failed: Mapping[str, Sequence[Call]], table: Table) -> str:
    """The sentences about the slips that explain the failed checks, '' where none is known.

    A slip counts if it fails no other checks than these and answers in each of its own as the
    student does, as far as its answers tell it from a right one. Where that is nothing but zeros,
    or an exception, which many slips lead to, it must explain all of the failed checks.
    """
    entries = table.get(exercise, {}).get("found", {})
    alike: dict[str, frozenset[str]] = {}
    told: dict[str, frozenset[str]] = {}
    covers: dict[str, frozenset[str]] = {}
    hints: dict[str, str] = {}
    for check, calls in failed.items():
        for digest in digests(exercise, check, calls) if entries else ():
            for name, hint, fails, speaks in _opened(entries.get(digest.hex()[:16]), digest):
                alike[name] = alike.get(name, frozenset()) | {check}
                covers[name], told[name] = frozenset(fails), frozenset(speaks)
                hints[name] = hint
    nothing = {
        check
        for check, calls in failed.items()
        if any(call.error for call in calls) or not any(map(_says_more, calls))
    }
    whole = {
        name: cover
        for name, cover in covers.items()
        if alike[name] == told[name]
        and cover <= failed.keys()
        and (cover == failed.keys() or not alike[name] <= nothing)
    }
    return " Besides: ".join(chosen(whole, hints))


def chosen(covers: Mapping[Any, frozenset[Any]], hints: Mapping[Any, str]) -> list[str]:
    """Of possible slips those that explain most, and what they explain; at most two.

    Slips that cannot be told apart are named together if there are two, and else not at all.
    """
    found: list[str] = []
    left = dict(covers)
    while left and len(found) < 2:
        most = max(len(cover) for cover in left.values())
        best = next(cover for cover in left.values() if len(cover) == most)
        texts = list(dict.fromkeys(hints[name] for name, cover in left.items() if cover == best))
        if len(texts) > 2:
            break
        found.append(" Or: ".join(texts))
        left = {name: cover for name, cover in left.items() if not cover & best}
    return found


def usual(exercise: str, table: Table) -> list[str]:
    """The kinds of facts about the code that are no reason for anything."""
    return [str(kind) for kind in table.get(exercise, {}).get("usual", ())]


@functools.cache
def shipped() -> Table:
    """The table beside the notebook; empty where there is none."""
    return shipped_table(Path(__file__).resolve().parent.parent)


def shipped_table(folder: Path) -> Table:
    """The table of a release folder."""
    try:
        table = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


# ------------------------------------------------------------------------------- entries


class Slip(NamedTuple):
    """A known one: its sentence, the checks that it fails, and those in which its answers tell."""

    name: str
    hint: str
    fails: list[str]
    speaks: list[str]


def entry(digest: bytes, slips: Iterable[Slip]) -> str:
    """Slips as text that only the digest opens."""
    return _crossed(json.dumps([*slips], ensure_ascii=False).encode(), digest).hex()


def _opened(text: str | None, digest: bytes) -> list[Slip]:
    if not text:
        return []
    try:
        return [Slip(*one) for one in json.loads(_crossed(bytes.fromhex(text), digest))]
    except (TypeError, ValueError):
        return []


def _crossed(data: bytes, digest: bytes) -> bytes:
    stream = hashlib.shake_256(digest[8:]).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))


# ------------------------------------------------------------------------------- digests


def digests(exercise: str, check: str, calls: Sequence[Call]) -> list[bytes]:
    """The digest of what these calls returned; several where a number is at the edge of a step."""
    speaks = any(one.error or one.seen or not _silent(one.returned) for one in calls)
    if len(calls) > _MOST_CALLS or not speaks:
        return []
    parts: list[list[str]] = []
    for call in calls:
        if isinstance(call.error, StudentError):
            if call.error.kind != "error":
                return []
            parts.append([f"{call.error.name}: {call.error.detail}"])
            continue
        parts += [["warned"]] if "RuntimeWarning" in call.warnings else []
        parts += _told(call.returned)
        parts += _told(call.seen) if call.seen else []
    salt = f"{exercise}/{check}".encode()
    texts = itertools.islice(itertools.product(*parts), _MOST)
    return [
        hashlib.pbkdf2_hmac("sha256", json.dumps(text).encode(), salt, _ROUNDS) for text in texts
    ]


def _says_more(call: Call) -> bool:
    """Something other than zeros came back: numbers, a text."""
    return any(map(_speaks, (call.returned, *call.seen)))


def _speaks(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_speaks, value))
    if isinstance(value, dict):
        return any(map(_speaks, value.values()))
    if _silent(value):
        return False
    numbers = _plain(value)
    return numbers is None or bool(numbers.dtype.kind not in "biuf" or np.any(numbers))


def _plain(value: Any) -> np.ndarray | None:
    """As an array; None for a tensor of a kind that NumPy does not have, bfloat16 or sparse."""
    try:
        return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError):
        return None


def _silent(value: Any) -> bool:
    return value is None or isinstance(value, Thing)


def _told(value: Any) -> Iterator[list[str]]:
    """A value in words, each with the words that it may as well have."""
    if isinstance(value, Thing):
        yield ["object"]
    elif isinstance(value, (list, tuple)):
        yield [f"{len(value)} values"]
        for item in value:
            yield from _told(item)
    elif isinstance(value, dict):
        yield [f"keys {sorted(value)}"]
        for key in sorted(value):
            yield from _told(value[key])
    elif value is None or isinstance(value, (str, bytes, bool)):
        yield [repr(value)]
    else:
        array = _plain(value)
        if array is None:
            yield ["object"]
            return
        kind = "tensor" if hasattr(value, "detach") else "array" if array.ndim else "number"
        yield [f"{kind} {array.shape}"]
        if array.dtype.kind in "biuf":
            numbers = array.astype(float).ravel()
            yield _numbers(numbers)
            known = numbers[np.isfinite(numbers)]
            if known.size and np.ptp(known) > _SPREAD * np.abs(known).max():
                yield _numbers(numbers - known.mean())


def _numbers(values: np.ndarray) -> list[str]:
    """One weighted sum of the numbers, in steps."""
    strange = ~np.isfinite(values)
    values = np.where(strange, 0.0, values)
    weights = np.random.default_rng(values.size).uniform(0.5, 1.5, values.size)
    total = float(weights @ values)
    size = float(np.abs(weights) @ np.abs(values))
    ending = f" {int(strange.sum())}" if strange.any() else ""
    if abs(total) <= 1e-6 * size:
        return [f"0{ending}"]
    sides = (total * (1 + shift) for shift in (0.0, _JITTER, -_JITTER))
    return list(dict.fromkeys(f"{_step(side)}{ending}" for side in sides))


def _step(number: float) -> str:
    mantissa, exponent = np.frexp(number)
    return f"{round(float(mantissa) * _BITS)} {int(exponent)}"
