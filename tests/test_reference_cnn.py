"""The reference of cnn against oracles that know nothing of it."""

from __future__ import annotations

import functools
import inspect
import math

import numpy as np
import pytest
import torch
from coursekit.ising_data import ising_configurations
from draws import seeded
from scipy import ndimage
from scipy.signal import convolve2d, correlate
from torch import nn

from autograder.checks import test_cnn as checks
from autograder.course import load_assignment
from reference_impl import cnn

T_C = 2 / math.log(1 + math.sqrt(2))


# ------------------------------------------------------------------------------ kernels


@pytest.mark.parametrize(("length", "width"), [(1, 1), (5, 5), (8, 3), (40, 11)])
def test_sliding_is_scipy_s_valid_correlation(
    length: int, width: int, rng: np.random.Generator
) -> None:
    signal, kernel = rng.normal(size=length), rng.normal(size=width)
    expected = correlate(signal, kernel, mode="valid", method="direct")
    np.testing.assert_allclose(cnn.correlate1d(signal, kernel), expected, atol=1e-12)


def test_numpy_would_exchange_a_long_kernel_and_its_signal(rng: np.random.Generator) -> None:
    signal, kernel = rng.normal(size=2), rng.normal(size=5)
    assert np.correlate(signal, kernel, mode="valid").shape == (4,)
    with pytest.raises(ValueError, match="longer"):
        cnn.correlate1d(signal, kernel)


@pytest.mark.parametrize("rows", range(1, 7))
@pytest.mark.parametrize("columns", range(1, 6))
def test_the_convolution_is_scipy_s(rows: int, columns: int, rng: np.random.Generator) -> None:
    image, kernel = rng.normal(size=(6, 5)), rng.normal(size=(rows, columns))
    expected = convolve2d(image, kernel, mode="same", boundary="wrap")
    np.testing.assert_allclose(cnn.convolve2d_periodic(image, kernel), expected, atol=1e-12)


def test_small_integers_do_not_overflow(rng: np.random.Generator) -> None:
    image = rng.choice(np.array([-100, 100], dtype=np.int8), (9, 9))
    kernel = np.full((3, 3), 100, dtype=np.int8)
    expected = convolve2d(image.astype(float), kernel, mode="same", boundary="wrap")
    np.testing.assert_array_equal(cnn.convolve2d_periodic(image, kernel.astype(int)), expected)
    once = np.correlate(image[0].astype(float), kernel[0], mode="valid")
    np.testing.assert_array_equal(cnn.correlate1d(image[0], kernel[0]), once)


@pytest.mark.parametrize("shape", [(5, 3), (3, 7)])
def test_a_kernel_larger_than_the_image_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="larger"):
        cnn.convolve2d_periodic(np.ones((4, 6)), np.ones(shape))


def test_scipy_flips_the_kernel_and_torch_does_not(rng: np.random.Generator) -> None:
    image, kernel = rng.normal(size=(7, 9)), rng.normal(size=(3, 3))
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False).double()
    for weights, same in ((kernel, False), (kernel[::-1, ::-1].copy(), True)):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weights)[None, None])
            theirs = layer(torch.tensor(image)[None, None])[0, 0].numpy()
        assert np.allclose(cnn.convolve2d_periodic(image, kernel), theirs) is same


def test_the_kernels_are_ndimage_s(rng: np.random.Generator) -> None:
    image = rng.normal(size=(8, 9))
    for name, expected in (
        ("laplacian", ndimage.laplace(image, mode="wrap")),
        ("blur", ndimage.uniform_filter(image, 3, mode="wrap")),
        # Prewitt's filter is a correlation; a convolution turns its sign round.
        ("horizontal", -ndimage.prewitt(image, axis=0, mode="wrap")),
        ("vertical", -ndimage.prewitt(image, axis=1, mode="wrap")),
    ):
        found = cnn.convolve2d_periodic(image, cnn.kernel(name))
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_each_call_gives_a_kernel_of_its_own() -> None:
    cnn.kernel("blur")[0, 0] = 7
    assert cnn.kernel("blur")[0, 0] == 1 / 9
    with pytest.raises(ValueError, match="sharp"):
        cnn.kernel("sharp")


def test_the_laplacian_measures_the_energy() -> None:
    lattices = ising_configurations(8, np.linspace(1.5, 5, 20), np.random.default_rng(1), 50)
    for spins in lattices.astype(int):
        bonds = sum(np.sum(spins * np.roll(spins, 1, axis)) for axis in (0, 1))
        found = -2 - np.mean(spins * cnn.convolve2d_periodic(spins, cnn.kernel("laplacian"))) / 2
        assert found == pytest.approx(-bonds / 64)


# -------------------------------------------------------------------- pooling, counting


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_pooling_is_torch_s(size: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 6, 12)) - 3
    expected = nn.functional.max_pool2d(torch.tensor(x), size).numpy()
    np.testing.assert_array_equal(cnn.max_pool2d(x, size), expected)
    np.testing.assert_array_equal(cnn.max_pool2d(x[1, 2], size), expected[1, 2])


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
def test_pooling_keeps_the_dtype(dtype: type) -> None:
    assert cnn.max_pool2d(np.ones((4, 4), dtype=dtype), 2).dtype == dtype


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (1, 2)])
def test_pooling_refuses_blocks_that_do_not_fit(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="fill"):
        cnn.max_pool2d(np.ones(shape), 2)


def test_pooling_follows_shifts_by_whole_blocks_only(rng: np.random.Generator) -> None:
    x = rng.normal(size=(8, 8))
    pooled = cnn.max_pool2d(x, 2)
    moved = cnn.max_pool2d(np.roll(x, 2, axis=1), 2)
    np.testing.assert_array_equal(moved, np.roll(pooled, 1, axis=1))
    odd = cnn.max_pool2d(np.roll(x, 1, axis=1), 2)
    assert not any(np.array_equal(odd, np.roll(pooled, shift, axis=1)) for shift in range(4))


@pytest.mark.parametrize("bias", [True, False])
def test_the_count_is_torch_s(bias: bool) -> None:
    for arguments in ((1, 16, 3), (16, 32, 3), (3, 1, 5), (1, 1, 1)):
        layer = nn.Conv2d(*arguments, bias=bias)
        count = sum(weights.numel() for weights in layer.parameters())
        assert cnn.count_conv_parameters(*arguments, bias=bias) == count
        assert type(cnn.count_conv_parameters(*arguments, bias=bias)) is int


# ----------------------------------------------------------------------------- networks


def size(model: nn.Module) -> int:
    return sum(weights.numel() for weights in model.parameters())


def spins(rng: np.random.Generator, count: int, side: int = 16) -> torch.Tensor:
    return torch.tensor(rng.choice([-1.0, 1.0], (count, 1, side, side)), dtype=torch.float32)


def test_the_network_has_twice_the_dense_network_s_parameters() -> None:
    assert size(cnn.IsingCNN()) == 37762
    dense = nn.Sequential(nn.Linear(256, 64), nn.Linear(64, 32), nn.Linear(32, 2))
    assert size(dense) == 18594  # the figure and the notebook name it
    assert 2 < size(cnn.IsingCNN()) / size(dense) < 2.1
    assert size(cnn.PeriodicCNN(channels=16)) == 2514


def test_view_stops_where_an_axis_was_added_and_flatten_does_not() -> None:
    """A batch picked with a list out of `X[:, np.newaxis]` lies in memory channels last."""
    data = np.random.default_rng(0).choice([-1.0, 1.0], (9, 16, 16)).astype(np.float32)
    picked = torch.from_numpy(data[:, np.newaxis][[4, 1, 7]])
    torch.manual_seed(0)
    model = cnn.IsingCNN().eval()
    with pytest.raises(RuntimeError, match="view"):
        model.features(picked).view(3, -1)
    with torch.no_grad():
        torch.testing.assert_close(model(picked), model(torch.tensor(data[[4, 1, 7]])[:, None]))


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 1, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)])
def test_the_layout_in_memory_does_not_matter(order: tuple, rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    x, model = spins(rng, 5), cnn.IsingCNN().eval()
    stored = x.permute(order).contiguous().permute(tuple(np.argsort(order)))
    with torch.no_grad():
        torch.testing.assert_close(model(stored), model(x))


def test_dropout_is_at_work_in_training_mode_alone(rng: np.random.Generator) -> None:
    x, model = spins(rng, 5), cnn.IsingCNN()
    with torch.no_grad():
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert torch.equal(model(x), model(x))


def every_shift(lattice: torch.Tensor) -> torch.Tensor:
    sides = range(lattice.shape[-1])
    return torch.cat([lattice.roll((i, j), (2, 3)) for i in sides for j in sides])


@pytest.mark.parametrize("side", [4, 5, 9, 16])
def test_every_shift_has_the_same_logits_up_to_rounding(
    side: int, rng: np.random.Generator
) -> None:
    torch.manual_seed(1)
    model, lattice = cnn.PeriodicCNN(), spins(rng, 1, side)
    with torch.no_grad():
        logits = model(every_shift(lattice))
        other = model(spins(rng, 1, side))
    torch.testing.assert_close(logits, logits[:1].expand_as(logits), rtol=1e-5, atol=1e-6)
    assert (logits[0] - other[0]).abs().max() > 1e-4


def test_zeros_at_the_edge_and_a_dense_layer_break_the_symmetry(rng: np.random.Generator) -> None:
    torch.manual_seed(1)
    shifts = every_shift(spins(rng, 1))
    padded = cnn.PeriodicCNN()
    for layer in padded.features:
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "zeros"
    with torch.no_grad():
        for model in (padded.eval(), cnn.IsingCNN().eval()):
            assert model(shifts).std(dim=0).max() > 1e-4


# ----------------------------------------------------------------------------- training


FAR = np.concatenate([np.linspace(1.0, 2.0, 6), np.linspace(2.5, 4.0, 6)])


def labelled(seed: int, each: int, temperatures: np.ndarray = FAR) -> tuple:
    known = np.repeat(temperatures, each)
    lattices = ising_configurations(16, known, np.random.default_rng(seed), 200)
    labels = (known > T_C).astype(int)
    return torch.tensor(lattices[:, None], dtype=torch.float32), torch.tensor(labels)


@functools.cache
def trained(kind: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    model: nn.Module = getattr(cnn, kind)()
    cnn.train_cnn(model, *labelled(seed, 70), epochs=6, generator=seeded(seed))
    assert not model.training
    return model


def accuracy(model: nn.Module, X: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return float((model(X).argmax(dim=1) == y).float().mean())


@pytest.mark.parametrize("seed", range(3))
def test_the_target_is_reached_on_chains_of_their_own(seed: int) -> None:
    assert accuracy(trained("IsingCNN", seed), *labelled(100 + seed, 150)) > 0.985


def test_a_threshold_on_the_magnetisation_is_as_good_far_from_the_critical_point() -> None:
    X, y = labelled(7, 150)
    order = X.mean(dim=(1, 2, 3)).abs()
    best = max(float(((order < limit) == y).float().mean()) for limit in np.linspace(0, 1, 51))
    assert best > 0.985
    near, labels = labelled(8, 100, np.array([2.15, 2.2, 2.3, 2.35]))
    assert accuracy(trained("IsingCNN"), near, labels) < 0.9


def test_the_network_without_a_first_row_is_no_worse() -> None:
    X, y = labelled(9, 150)
    assert accuracy(trained("PeriodicCNN"), X, y) > accuracy(trained("IsingCNN"), X, y) - 0.005


def test_it_measures_the_energy_and_crosses_near_the_critical_temperature() -> None:
    grid, each = np.linspace(2.0, 2.6, 13), 30
    drawn = ising_configurations(32, np.repeat(grid, each), np.random.default_rng(3), 400)
    lattices = torch.tensor(drawn[:, None], dtype=torch.float32)
    model = trained("PeriodicCNN")
    with torch.no_grad():
        logits = model(lattices)
    difference = (logits[:, 1] - logits[:, 0]).numpy()
    bonds = lattices * (lattices.roll(1, 2) + lattices.roll(1, 3))
    assert np.corrcoef(difference, -bonds.mean(dim=(1, 2, 3)).numpy())[0, 1] > 0.97
    hot = (difference > 0).reshape(len(grid), each).mean(axis=1)
    crossing = np.interp(0.5, hot, grid)
    assert abs(crossing - T_C) < 0.08
    assert hot[0] < 0.1
    assert hot[-1] > 0.9


def test_a_chain_remembers_and_two_chains_are_independent() -> None:
    """The same seed gives the same chains again, some sweeps later."""
    for temperature, memory in ((2.0, 0.95), (2.5, 0.5)):
        start = np.full(400, temperature)
        now, later = (
            ising_configurations(16, start, np.random.default_rng(5), sweeps).mean(axis=(1, 2))
            for sweeps in (200, 210)
        )
        assert np.corrcoef(now, later)[0, 1] > memory
        assert abs(np.corrcoef(now, np.roll(now, 1))[0, 1]) < 0.25  # 5 standard errors
    cold = ising_configurations(16, np.full(200, 1.5), np.random.default_rng(6), 100)
    assert 60 < np.sum(cold.mean(axis=(1, 2)) > 0) < 140


def test_without_shuffling_the_loss_first_rises_above_guessing() -> None:
    X, y = labelled(4, 50)
    torch.manual_seed(0)
    model = cnn.IsingCNN()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for rows in torch.arange(len(X)).split(32):
        loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses) > math.log(2)
    torch.manual_seed(0)
    (shuffled,) = cnn.train_cnn(cnn.IsingCNN(), X, y, epochs=1, generator=seeded(0))
    assert shuffled < math.log(2)


def test_training_depends_on_the_generator_and_takes_arrays_too(rng: np.random.Generator) -> None:
    X, y = spins(rng, 70, 6), torch.tensor(rng.integers(0, 2, 70))
    before = X.clone(), y.clone()
    found = []
    for state, seed, data in (
        (1, 5, (X, y)),
        (2, 5, (X.numpy().astype(np.int8), y.numpy())),
        (1, 6, (X, y)),
    ):
        torch.manual_seed(0)
        model = cnn.PeriodicCNN(4)
        torch.manual_seed(state)
        history = cnn.train_cnn(model, *data, epochs=3, generator=seeded(seed))
        assert len(history) == 3
        assert all(type(loss) is float for loss in history)
        with torch.no_grad():
            found.append([*history, *model(X[:4]).ravel().tolist()])
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert torch.equal(X, before[0])
    assert torch.equal(y, before[1])


# --------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    slid = cnn.correlate1d(np.array([1, 0, -1, 1, -1, 0, 1, -1]), np.array([1, 0, -1]))
    np.testing.assert_array_equal(slid, [2, -1, 0, 1, -2, 1])
    spot, kernel = np.zeros((6, 7)), np.arange(9.0).reshape(3, 3)
    spot[2, 3] = 1
    np.testing.assert_array_equal(cnn.convolve2d_periodic(spot, kernel)[1:4, 2:5], kernel)
    np.testing.assert_array_equal(cnn.kernel("laplacian")[1], [1, -4, 1])
    pooled = cnn.max_pool2d(np.array([[1, 4, 2, 6], [3, 0, 9, 7]]), 2)
    np.testing.assert_array_equal(pooled, [[4, 9]])
    assert cnn.count_conv_parameters(1, 16, 3) == 160
    flat = nn.Sequential(nn.Flatten(), nn.Linear(16, 2, bias=False))
    zeros = torch.zeros(9, 1, 4, 4)
    labels = torch.tensor([0, 1, 0, 0, 1, 1, 0, 1, 0])
    history = cnn.train_cnn(flat, zeros, labels, epochs=2, generator=seeded(0))
    np.testing.assert_allclose(history, math.log(2))


def test_the_docstring_names_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    text = " ".join((inspect.getdoc(cnn.train_cnn) or "").split())
    seconds = load_assignment("cnn").exercise("train_cnn").seconds
    for said in (
        f"{limits['CONFIGURATIONS']} configurations",
        f"epochs = {limits['EPOCHS']}.",
        f"more than {limits['ACCURACY_LIMIT']:.0%}".replace("%", " %"),
        f"between 0 and {limits['LOSS_LIMIT']}",
        f"may take {seconds:.0f} s",
    ):
        assert said in text, said
