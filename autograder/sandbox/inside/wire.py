"""The values that cross between judge and worker, and their encoding.

Both ends read bytes with this module, and the judge's end reads bytes that a student's
process wrote. So the format is plain: one tag byte, lengths, raw data. No pickle, no code,
no class names that are looked up. Whatever does not fit raises `WireError`; sizes, depth and
the number of items are capped, and memory is taken only for bytes that have arrived. Whoever
compares numbers makes them float64 first, so that an array counts as if it held those.

Types: None, bool, int (up to 64 bytes), float, complex, str, bytes, list, tuple, dict with
string keys, NumPy arrays and scalars, torch tensors, NumPy and torch random generators (from
the judge to the worker), and handles for objects that stay in the worker.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import struct
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .protocol import MAX_BYTES

MAX_ITEMS = 1_000_000
ITEM_BYTES = 256
"""What a value may take in memory, however few bytes it has on the line."""
NUMBER_BYTES = 8
"""What a number of an array takes where it is compared, if it has fewer."""
MAX_DEPTH = 24
MAX_INT_BYTES = 64

_KINDS = {"int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "float": (16, 32, 64)}
DTYPES = frozenset(
    {"bool", "complex64", "complex128"}
    | {f"{kind}{bits}" for kind, sizes in _KINDS.items() for bits in sizes}
)
_ARRAYS = {name.encode(): np.dtype(name) for name in DTYPES}
_TENSORS = frozenset(getattr(torch, name) for name in DTYPES)
_SEQUENCES: dict[bytes, type] = {b"l": list, b"t": tuple}
_STRING = {str}
_CONSTANTS = {b"N": None, b"T": True, b"F": False}
_LENGTH, _FLOAT, _COMPLEX = struct.Struct("<Q"), struct.Struct("<d"), struct.Struct("<dd")
_HEAD = struct.Struct("<cQ")
"""A tag, and how much follows."""
_BASES: tuple[type, ...] = (tuple, list, dict, float, int, complex, str, bytes)
_ITERATORS: tuple[type, ...] = (
    types.GeneratorType,
    map,
    filter,
    zip,
    enumerate,
    reversed,
    itertools.chain,
    itertools.islice,
    type(iter([])),
    type(iter(())),
)


Named = dict[bytes, list[Any]]
"""The student's own kinds of tuple, by a digest of the bytes that one crossed as: it comes back as
what it was, for whoever reads its fields by name. Of several with equal bytes in order."""


class WireError(ValueError):
    """A value that may not cross, or bytes that are not a value."""


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker; `type_name` is for messages only."""

    number: int
    type_name: str = "object"


class _Writer:
    def __init__(self, keep: Callable[[Any], Handle] | None) -> None:
        self.parts: list[bytes] = []
        self.put = self.parts.append
        self.keep = keep
        self.named: Named = {}
        self.size = 0
        self.items = 0

    def large(self, data: bytes) -> None:
        """What may be long is counted as it comes; of the rest there are few bytes an item."""
        self.size += len(data)
        if self.size > MAX_BYTES:
            raise _too_large()
        self.put(data)

    def text(self, value: str) -> None:
        if len(value) > 32:
            data = value.encode("utf-8", "replace")
            self.put(_HEAD.pack(b"s", len(data)))
            self.large(data)
        else:
            self.put(_word(value))

    def value(self, value: Any, depth: int = 0) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} items")
        if depth > MAX_DEPTH:
            raise WireError(f"nested more than {MAX_DEPTH} deep")
        kind = type(value)
        if kind is str:
            self.text(value)
        elif value is None:
            self.put(b"N")
        elif kind is bool:
            self.put(b"T" if value else b"F")
        elif kind is float:
            self.put(b"f" + _FLOAT.pack(value))
        elif isinstance(value, (np.ndarray, np.generic)):
            self.array(value, b"a" if isinstance(value, np.ndarray) else b"n")
        elif kind is list or kind is tuple:
            self.put(_HEAD.pack(b"l" if kind is list else b"t", len(value)))
            for item in value:
                self.value(item, depth + 1)
        elif kind is dict and {*map(type, value)} <= _STRING:
            self.put(_HEAD.pack(b"d", len(value)))
            self.items += len(value)
            for key, item in value.items():
                self.text(key)
                self.value(item, depth + 1)
        elif kind is bytes:
            self.put(_HEAD.pack(b"b", len(value)))
            self.large(value)
        elif kind is int:
            length = (value.bit_length() + 8) // 8
            if length > MAX_INT_BYTES:
                raise WireError(f"an integer of {length} bytes")
            data = value.to_bytes(length, "little", signed=True)
            self.put(_HEAD.pack(b"i", length) + data)
        elif kind is complex:
            self.put(b"c" + _COMPLEX.pack(value.real, value.imag))
        elif isinstance(value, torch.Tensor):
            self.tensor(value)
        elif kind is Handle:
            self.put(_HEAD.pack(b"h", value.number))
            self.value(value.type_name[:80], depth + 1)
        elif kind is np.random.Generator:
            self.put(b"g")
            self.value(value.bit_generator.state, depth + 1)
        elif kind is torch.Generator:
            self.put(b"G")
            self.value((value.initial_seed(), value.get_state().numpy()), depth + 1)
        elif (base := next((b for b in _BASES if isinstance(value, b)), kind)) is not kind:
            start = len(self.parts)
            self.value(base(value), depth + 1)  # a named tuple counts as the tuple that it is
            if base is tuple and hasattr(kind, "_make"):
                digest = _digest(b"".join(self.parts[start:]))
                self.named.setdefault(digest, []).append(kind)
        elif isinstance(value, _ITERATORS):
            items: Any = value
            self.value(list(itertools.islice(items, MAX_ITEMS)), depth)
        elif self.keep is not None:
            self.value(self.keep(value), depth + 1)
        else:
            raise WireError(f"a value of type {kind.__name__} cannot cross")

    def array(self, value: Any, tag: bytes, flag: bytes = b"") -> None:
        array = np.asarray(value)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        elif array.dtype == np.longdouble:
            array = array.astype(np.float64)
        self.put(tag + flag + _head(array.dtype, array.shape))
        self.large(array.tobytes())

    def tensor(self, value: torch.Tensor) -> None:
        plain = value.detach()
        if plain.layout is not torch.strided or plain.is_quantized or plain.is_meta:
            raise WireError(f"a {str(plain.layout).removeprefix('torch.')} or abstract tensor")
        if plain.dtype is torch.bfloat16:
            plain = plain.float()
        if plain.dtype not in _TENSORS:
            raise WireError(f"a tensor of dtype {str(plain.dtype).removeprefix('torch.')}")
        _refuse_large(plain.numel(), plain.element_size())
        array = plain.cpu().resolve_conj().resolve_neg().contiguous().numpy()
        self.array(array, b"p", b"\1" if value.requires_grad else b"\0")


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _too_large() -> WireError:
    return WireError(f"larger than {MAX_BYTES >> 20} MiB")


def _refuse_large(numbers: int, size: int) -> None:
    if numbers * max(size, NUMBER_BYTES) > MAX_BYTES:
        raise WireError(f"more than {MAX_BYTES // max(size, NUMBER_BYTES)} numbers")


@functools.lru_cache(1024)
def _word(text: str) -> bytes:
    """A short string; most are the words of a request."""
    data = text.encode("utf-8", "replace")
    return _HEAD.pack(b"s", len(data)) + data


@functools.lru_cache(1024)
def _head(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """What stands before an array's numbers; most have one of few shapes."""
    name = dtype.name  # NumPy makes it anew each time
    if name not in DTYPES:
        raise WireError(f"an array of dtype {name}")
    _refuse_large(math.prod(shape), dtype.itemsize)
    kind = struct.pack("<BB", len(name), len(shape)) + name.encode()
    return kind + struct.pack(f"<{len(shape)}Q", *shape)


@functools.lru_cache(1024)
def _headed(head: bytes) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """The dtype and shape that such bytes tell, how many bytes follow, and how many fewer they are
    than where the array is compared."""
    name, shape = head[2 : 2 + head[0]], struct.unpack_from(f"<{head[1]}Q", head, 2 + head[0])
    dtype = _ARRAYS.get(name)
    if dtype is None or len(shape) > 32:
        raise WireError(f"an array of dtype {name!r} with {len(shape)} axes")
    numbers = 1
    for extent in shape:
        numbers *= max(extent, 1)  # NumPy refuses axes too long even where another is empty
        _refuse_large(numbers, dtype.itemsize)
    numbers = 0 if 0 in shape else numbers
    return dtype, shape, numbers * dtype.itemsize, numbers * max(0, NUMBER_BYTES - dtype.itemsize)


class _Reader:
    def __init__(
        self,
        data: bytes,
        resolve: Callable[[Handle], Any] | None,
        generators: bool,
        named: Named | None = None,
    ) -> None:
        self.data = data
        self.at = 0
        self.items = 0
        self.wider = 0
        self.resolve = resolve
        self.generators = generators
        self.named = named
        self.made: dict[bytes, int] = {}

    def take(self, count: int) -> bytes:
        start, end = self.at, self.at + count
        if end > len(self.data):
            raise WireError("bytes end before the value does")
        self.at = end
        return self.data[start:end]

    def number(self) -> int:
        """A length, or a handle's number."""
        (number,) = _LENGTH.unpack_from(self.data, self.at)
        self.at += 8
        return int(number)

    def count(self) -> int:
        count = self.number()
        if count > MAX_ITEMS or count > len(self.data) - self.at:
            raise WireError("more items than bytes")
        return count

    def value(self, depth: int = 0) -> Any:
        self.items += 1
        if self.items > MAX_ITEMS or depth > MAX_DEPTH + 2:
            raise WireError("too many items, or nested too deep")
        tag = self.data[self.at : self.at + 1]
        self.at += 1
        if tag == b"s":
            return self.take(self.number()).decode("utf-8", "replace")
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag == b"f":
            return _FLOAT.unpack(self.take(8))[0]
        if tag == b"a":
            return self.array()
        if tag == b"d":
            found = {}
            for _ in range(self.count()):
                key = self.value(depth + 1)
                if type(key) is not str:
                    raise WireError("a key that is not a string")
                found[key] = self.value(depth + 1)
            return found
        if tag in _SEQUENCES:
            start = self.at - 1
            items = [self.value(depth + 1) for _ in range(self.count())]
            if self.named:
                digest = _digest(self.data[start : self.at])
                number = self.made[digest] = self.made.get(digest, -1) + 1
                if kinds := self.named.get(digest):
                    return kinds[min(number, len(kinds) - 1)]._make(items)
            return _SEQUENCES[tag](items)
        if tag == b"b":
            return self.take(self.number())
        if tag == b"i":
            length = self.number()
            if length > MAX_INT_BYTES:
                raise WireError("an integer too long")
            return int.from_bytes(self.take(length), "little", signed=True)
        if tag == b"c":
            return complex(*_COMPLEX.unpack(self.take(16)))
        if tag == b"n":
            array = self.array()
            if array.ndim:
                raise WireError("a scalar with dimensions")
            return array[()]
        if tag == b"p":
            requires_grad = self.take(1) != b"\0"
            tensor = torch.from_numpy(self.array())
            differentiable = tensor.is_floating_point() or tensor.is_complex()
            return tensor.requires_grad_(requires_grad and differentiable)
        if tag == b"h":
            number = self.number()
            name = self.value(depth + 1)
            if type(name) is not str:
                raise WireError("a handle without a name")
            handle = Handle(number, name[:80])
            return handle if self.resolve is None else self.resolve(handle)
        if tag in (b"g", b"G"):
            if not self.generators:
                raise WireError("a generator of random numbers")
            return (self.numpy_generator if tag == b"g" else self.torch_generator)(depth)
        raise WireError(f"unknown tag {tag!r}")

    def array(self) -> np.ndarray:
        sizes = self.take(2)
        dtype, shape, size, wider = _headed(sizes + self.take(sizes[0] + 8 * sizes[1]))
        self.wider += wider
        end = self.at + size
        data = bytearray(memoryview(self.data)[self.at : end])
        if len(data) < size:
            raise WireError("bytes end before the value does")
        self.at = end
        if dtype.kind == "b":  # any other byte than 0 and 1 would be a trap for NumPy
            return (np.frombuffer(data, np.uint8) != 0).reshape(shape)
        return np.ndarray(shape, dtype, data)

    def numpy_generator(self, depth: int) -> np.random.Generator:
        start = self.at
        state = self.value(depth + 1)
        # What `spawn` gives follows from the seed, which a state does not tell: the same state
        # always gets the same one.
        seed = int.from_bytes(_digest(self.data[start : self.at]), "little")
        generator = np.random.Generator(getattr(np.random, state["bit_generator"])(seed))
        generator.bit_generator.state = state
        return generator

    def torch_generator(self, depth: int) -> torch.Generator:
        seed, state = self.value(depth + 1)
        generator = torch.Generator().manual_seed(seed)
        generator.set_state(torch.from_numpy(state))
        return generator


def encode(
    value: Any, keep: Callable[[Any], Handle] | None = None, named: Named | None = None
) -> bytes:
    """Bytes of `value`. `keep` takes objects that cannot cross and gives handles for them; `named`
    notes the named tuples among what crosses, for `decode` to make again."""
    writer = _Writer(keep)
    writer.value(value)
    if named is not None:
        named |= writer.named
    data = b"".join(writer.parts)
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def decode(
    data: bytes,
    resolve: Callable[[Handle], Any] | None = None,
    *,
    generators: bool = False,
    named: Named | None = None,
) -> Any:
    """The value in `data`; WireError for anything else.

    `resolve` turns handles into objects. Random generators are made only where `generators`
    allows it, which is in the worker: they go from the judge to the worker and never back.
    """
    return _read(_Reader(data, resolve, generators, named))


def weighed(data: bytes, resolve: Callable[[Handle], Any] | None = None) -> tuple[Any, int]:
    """The value in `data`, and what it may take in memory beyond its bytes."""
    reader = _Reader(data, resolve, generators=False)
    return _read(reader), reader.items * ITEM_BYTES + reader.wider


def _read(reader: _Reader) -> Any:
    try:
        value = reader.value()
    except (struct.error, OverflowError, MemoryError, RecursionError) as error:
        raise WireError(f"not a value: {error}") from None
    if reader.at != len(reader.data):
        raise WireError("bytes after the value")
    return value
