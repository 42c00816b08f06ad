"""What crosses between judge and worker, and what never does."""

from __future__ import annotations

import collections
import contextlib
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox.inside.wire import DTYPES, MAX_DEPTH, Handle, WireError, decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**500), 2**500)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values)
def test_plain_values_come_back_as_they_went(value: object) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("name", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_arrays_and_tensors_keep_dtype_shape_and_values(name: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(name)
    back = decode(encode(array))
    assert isinstance(back, np.ndarray)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert (back == array).all()
    tensor = decode(encode(torch.from_numpy(array)))
    assert isinstance(tensor, torch.Tensor)
    assert (tensor.numpy() == array).all()


def test_scalars_stay_scalars_and_gradients_stay_asked_for() -> None:
    assert type(decode(encode(np.float32(1.5)))) is np.float32
    assert decode(encode(torch.ones(2, requires_grad=True))).requires_grad
    assert not decode(encode(torch.ones(2))).requires_grad


def test_views_foreign_orders_and_lazy_tensors_cross_by_value() -> None:
    base = np.arange(12.0).reshape(3, 4)
    assert (decode(encode(base[::-1, ::2])) == base[::-1, ::2]).all()
    assert (decode(encode(base.astype(">f8"))) == base).all()
    assert decode(encode(torch.ones(2, 3).T.expand(3, 2))).shape == (3, 2)
    assert decode(encode(torch.tensor([1 + 2j]).conj())).item() == 1 - 2j


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()]),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", float)]),
        np.array("2020-01-01", dtype="datetime64[D]"),
        torch.ones(2, device="meta"),
        torch.eye(2).to_sparse(),
        10 ** (10**4),
        {1: "a key that is no string"},
        object(),
        np.zeros(2**26 * 8, dtype=np.uint8)[:1].repeat(2**28 + 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(WireError):
        encode(value)


def test_nesting_and_self_reference_are_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(WireError, match="deep"):
        encode(loop)
    assert decode(encode([[[1]]])) == [[[1]]]
    nested = b"l" + (1).to_bytes(8, "little")
    with pytest.raises(WireError):
        decode(nested * (MAX_DEPTH + 10) + b"N")


def test_named_tuples_and_generators_cross_as_plain_sequences() -> None:
    point = collections.namedtuple("point", "x y")(1, 2)
    assert decode(encode(point)) == (1, 2)
    assert decode(encode(n * n for n in range(3))) == [0, 1, 4]


def test_random_generators_go_to_the_worker_and_never_back() -> None:
    rng = np.random.default_rng(3)
    rng.normal()
    there = decode(encode(rng), generators=True)
    assert there.normal() == rng.normal()
    generator = torch.Generator().manual_seed(5)
    torch.rand(3, generator=generator)
    other = decode(encode(generator), generators=True)
    assert other.initial_seed() == 5
    assert torch.equal(torch.rand(3, generator=other), torch.rand(3, generator=generator))
    with pytest.raises(WireError):
        decode(encode(rng))


@pytest.mark.parametrize("kind", ["PCG64", "MT19937", "Philox"])
def test_generators_of_one_state_have_the_same_children(kind: str) -> None:
    rng = np.random.Generator(getattr(np.random, kind)(3))
    one, other = (decode(encode(rng), generators=True) for _ in range(2))
    first = [child.normal() for child in one.spawn(2)]
    assert first == [child.normal() for child in other.spawn(2)]
    assert first != [child.normal() for child in one.spawn(2)]
    rng.normal()
    assert first != [child.normal() for child in decode(encode(rng), generators=True).spawn(2)]


def test_objects_become_handles_only_where_something_keeps_them() -> None:
    kept: list[object] = []

    def keep(value: object) -> Handle:
        kept.append(value)
        return Handle(len(kept), type(value).__name__)

    thing = object()
    back = decode(encode([thing, 1], keep))
    assert back == [Handle(1, "object"), 1]
    assert kept == [thing]


@pytest.mark.parametrize("key", [[], 1, None])
def test_keys_are_strings(key: object) -> None:
    pair = encode({"": None})
    with pytest.raises(WireError, match="key"):
        decode(pair.replace(encode(""), encode(key)))


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_clean_refusal(data: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(data)


@settings(max_examples=300)
@given(values, st.integers(0, 10**6), st.integers(0, 255))
def test_one_changed_byte_is_a_value_or_a_clean_refusal(value: object, at: int, new: int) -> None:
    data = bytearray(encode(value))
    data[at % len(data)] = new
    with contextlib.suppress(WireError):
        decode(bytes(data))


def test_pickles_and_promises_of_gigabytes_are_refused() -> None:
    with pytest.raises(WireError):
        decode(pickle.dumps([1, 2]))
    huge = b"a" + bytes([7, 1]) + b"float64" + (2**40).to_bytes(8, "little")
    with pytest.raises(WireError):
        decode(huge)
    empty = b"a" + bytes([7, 4]) + b"float64" + bytes(8) + 3 * (2**26).to_bytes(8, "little")
    with pytest.raises(WireError):
        decode(empty)
    with pytest.raises(WireError):
        decode(b"l" + (2**60).to_bytes(8, "little"))
