"""Hidden checks of cnn.

Values are compared with float32's tolerance: an answer through torch, or through a Fourier
transform, is as right as a loop in float64, and no known slip is that small. What a constant
would pass too (invariance, unchanged arguments, refusals) is a guard or stands beside the proof
that the answer is no constant.

`train_cnn` is given a network of torch's own layers, so that it is judged by itself and not by
the student's networks.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import coursekit
import numpy as np
import pytest
import torch
from coursekit import (
    SINGLE,
    StudentError,
    holds,
    integer,
    refuses,
    tensor,
    training,
    within,
)
from coursekit.ising_data import ising_configurations
from coursekit.networks import units_begin_apart
from scipy.signal import convolve2d

from autograder.judging.kinds import array, close, number
from autograder.judging.kit import (
    shares_layers,
    stirred,
    torch_generator,
    unchanged,
    with_weights_of,
)

# Measured by benchmarks/thresholds.py: the reference and every alternative pass with 20 seeds
# of 20.
EPOCHS = 10
CONFIGURATIONS = 600
ACCURACY_LIMIT = 0.95
LOSS_LIMIT = 0.25


def _spins(draw: np.random.Generator, *shape: int) -> np.ndarray:
    return draw.choice(np.array([-1, 1], dtype=np.int8), size=shape)


# ---------------------------------------------------------------------------- correlate1d


def _slides(student: Any, signal: np.ndarray, kernel: np.ndarray, expected: np.ndarray) -> None:
    """Compared; whether the last place is there is another check's question."""
    found = array(student.correlate1d(signal, kernel))
    forgotten = found.shape == (len(expected) - 1,)
    close(found.astype(float), expected[:-1] if forgotten else expected, SINGLE)


def test_correlate1d__adds_up_what_lies_under_the_kernel(student, draw):
    """adds up the signal under the kernel, weighted by the kernel, at every place"""
    for length, width in ((11, 4), (8, 3), (30, 7)):
        signal, kernel = draw.normal(size=length), draw.normal(size=width)
        expected = np.correlate(signal, kernel, mode="valid")
        close(student.correlate1d(signal, kernel), expected, SINGLE)


@pytest.mark.point
def test_correlate1d__does_not_flip_the_kernel(student, draw):
    """answers a single spike with the kernel's entries from last to first"""
    kernel, signal = draw.uniform(1, 2, 4).cumsum(), np.zeros(12)
    signal[6] = 1.0
    expected = np.zeros(9)
    expected[3:7] = kernel[::-1]
    _slides(student, signal, kernel, expected)


def test_correlate1d__stays_on_the_signal(student, draw):
    """has one entry for each place where the whole kernel fits, down to a single one"""
    for length, width in ((6, 6), (7, 6), (5, 1), (1, 1)):
        signal, kernel = draw.normal(size=length), draw.normal(size=width)
        expected = np.array([signal[i : i + width] @ kernel for i in range(length - width + 1)])
        close(student.correlate1d(signal, kernel), expected, SINGLE)


def test_correlate1d__keeps_fractions_of_spins(student, draw):
    """keeps the fractions when the signal holds whole numbers, int8 spins included"""
    kernel = draw.uniform(0.1, 0.9, 3)
    for signal in (_spins(draw, 15), draw.integers(-5, 5, 9)):
        _slides(student, signal, kernel, np.correlate(signal.astype(float), kernel, mode="valid"))


def test_correlate1d__does_not_run_over(student, draw):
    """adds up int8 spins under an int8 kernel, beyond 127 too, and other small integers likewise"""
    signal, kernel = np.ones(60, dtype=np.int8), draw.integers(4, 7, 48).astype(np.int8)
    expected = np.correlate(signal.astype(float), kernel.astype(float), mode="valid")
    _slides(student, signal, kernel, expected)
    many = draw.permutation(np.arange(120, 170, dtype=np.int16))[:9]  # a product fits, three do not
    _slides(student, many, many[:3], np.correlate(many.astype(int), many[:3].astype(int), "valid"))
    large = draw.integers(60, 128, 9).astype(np.int8)  # no product fits
    small = draw.permutation(np.arange(4, 7, dtype=np.int8))
    _slides(student, large, small, np.correlate(large.astype(int), small.astype(int), "valid"))


@pytest.mark.guard
def test_correlate1d__gives_an_array(student, draw):
    """gives an array"""
    coursekit.array(student.correlate1d(draw.normal(size=8), draw.normal(size=3)))


@pytest.mark.guard
def test_correlate1d__refuses_a_kernel_longer_than_the_signal(student, draw):
    """raises ValueError for a kernel longer than the signal"""
    for length, width in ((3, 4), (2, 7)):
        signal, kernel = draw.normal(size=length), draw.normal(size=width)
        refuses(lambda s=signal, k=kernel: student.correlate1d(s, k))


@pytest.mark.guard
def test_correlate1d__leaves_its_arguments_unchanged(student, draw):
    """leaves signal and kernel unchanged"""
    unchanged(student, student.correlate1d, draw.normal(size=9), draw.normal(size=3))


# -------------------------------------------------------------------- convolve2d_periodic


def _convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return convolve2d(image.astype(float), kernel, mode="same", boundary="wrap")


@pytest.mark.point
def test_convolve2d_periodic__is_the_periodic_convolution(student, draw):
    """is the periodic convolution of an image with a 3×3 or 5×5 kernel without symmetry"""
    for shape, side in (((6, 9), 3), ((6, 9), 3), ((8, 7), 5)):
        image, kernel = draw.normal(size=shape), draw.normal(size=(side, side))
        close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


def test_convolve2d_periodic__flips_the_kernel(student, draw):
    """stamps the kernel, as it is, around a single bright site"""
    kernel, image = draw.uniform(1, 2, 9).cumsum().reshape(3, 3), np.zeros((8, 8))
    image[4, 3] = 1.0
    expected = np.zeros((8, 8))
    expected[3:6, 2:5] = kernel
    close(student.convolve2d_periodic(image, kernel), expected, SINGLE)


def test_convolve2d_periodic__goes_round_the_edges(student, draw):
    """sees the sites beyond an edge on the other side, in rows, columns and corners"""
    image = np.zeros((7, 7))
    image[[0, -1]] = draw.uniform(1, 2, (2, 7))
    image[1:-1, [0, -1]] = draw.uniform(1, 2, (5, 2))
    once = draw.uniform(1, 2, (3, 3))
    kernel = once + once[::-1, ::-1]  # alike after the flip, which is another check's business
    close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


def test_convolve2d_periodic__takes_kernels_that_are_not_square(student, draw):
    """takes kernels of different height and width, single rows and columns included"""
    for shape in ((3, 5), (5, 1), (1, 3)):
        image, kernel = draw.normal(size=(7, 8)), draw.normal(size=shape)
        close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


def test_convolve2d_periodic__puts_the_centre_of_even_kernels_above_and_left(student, draw):
    """centres kernels of even height or width as scipy's mode "same" does"""
    for shape in ((2, 2), (4, 3), (1, 4)):
        image, kernel = draw.normal(size=(6, 7)), draw.normal(size=shape)
        close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


def test_convolve2d_periodic__takes_kernels_as_large_as_the_image(student, draw):
    """takes kernels as large as the image, a single site included"""
    for shape in ((5, 3), (4, 4), (1, 1)):
        image, kernel = draw.normal(size=shape), draw.uniform(1, 2, shape)
        close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


def test_convolve2d_periodic__keeps_fractions_of_spins(student, draw):
    """keeps the fractions when the image holds whole numbers, int8 spins included"""
    for image in (_spins(draw, 6, 8), draw.integers(-5, 5, (5, 5))):
        kernel = draw.uniform(0.1, 0.9, (3, 3))
        close(student.convolve2d_periodic(image, kernel), _convolved(image, kernel), SINGLE)


@pytest.mark.guard
def test_convolve2d_periodic__commutes_with_translations(student, draw):
    """gives the shifted result for a shifted image, and not the same number everywhere"""
    image, kernel = draw.normal(size=(6, 7)), draw.normal(size=(3, 3))
    plain = array(student.convolve2d_periodic(image, kernel), (6, 7))
    holds(bool(np.ptp(plain) > 0), "the result is the same everywhere")
    for shift in ((1, 0), (0, 1), tuple(draw.integers(2, 5, 2))):
        moved = student.convolve2d_periodic(np.roll(image, shift, (0, 1)), kernel)
        close(moved, np.roll(plain, shift, (0, 1)), SINGLE)


def test_convolve2d_periodic__does_not_run_over(student, draw):
    """adds up int8 spins under an int8 kernel, beyond 127 too, and larger numbers likewise"""
    spins, small = np.ones((8, 9), dtype=np.int8), draw.integers(4, 7, (7, 7)).astype(np.int8)
    spins[0, draw.integers(9)] = -1
    large = draw.integers(60, 128, (8, 9)).astype(np.int8)  # a single product runs over
    many = draw.integers(120, 170, (8, 9)).astype(np.int16)  # a product fits, three do not
    for image, kernel in ((spins, small), (large, small[:3, :3]), (many, many[:3, :3])):
        expected = _convolved(image, kernel.astype(float))
        found = array(student.convolve2d_periodic(image, kernel), expected.shape)
        close(found.astype(float), expected, SINGLE)


@pytest.mark.guard
def test_convolve2d_periodic__gives_an_array(student, draw):
    """gives an array"""
    image, kernel = draw.normal(size=(4, 5)), draw.normal(size=(3, 3))
    coursekit.array(student.convolve2d_periodic(image, kernel), (4, 5))


@pytest.mark.guard
def test_convolve2d_periodic__refuses_a_kernel_larger_than_the_image(student, draw):
    """raises ValueError for a kernel taller or wider than the image"""
    for shape in ((5, 3), (3, 7), (9, 9)):
        image, kernel = draw.normal(size=(4, 6)), draw.normal(size=shape)
        refuses(lambda i=image, k=kernel: student.convolve2d_periodic(i, k))


@pytest.mark.guard
def test_convolve2d_periodic__leaves_its_arguments_unchanged(student, draw):
    """leaves image and kernel unchanged"""
    image, kernel = draw.normal(size=(6, 6)), draw.normal(size=(3, 3))
    unchanged(student, student.convolve2d_periodic, image, kernel)


# -------------------------------------------------------------------------------- kernels


def _slope(student: Any, name: str, plane: np.ndarray) -> float:
    """What a kernel gives when it lies on nine sites, entry on entry."""
    return float(np.sum(array(student.kernel(name), (3, 3)) * plane))


@pytest.mark.point
def test_kernels__has_the_horizontal_edges(student, draw):
    """ "horizontal" is the kernel with rows −1, 0 and 1"""
    expected = np.repeat([[-1.0], [0.0], [1.0]], 3, axis=1)
    close(student.kernel("horizontal"), expected, SINGLE)


def test_kernels__has_the_vertical_edges(student, draw):
    """ "vertical" is the kernel with columns −1, 0 and 1"""
    expected = np.repeat([[-1.0, 0.0, 1.0]], 3, axis=0)
    close(student.kernel("vertical"), expected, SINGLE)


def test_kernels__has_the_blur(student, draw):
    """ "blur" is the mean of the nine sites"""
    close(student.kernel("blur"), np.full((3, 3), 1 / 9), SINGLE)


def test_kernels__has_the_laplacian(student, draw):
    """ "laplacian" is the four neighbours minus four times the middle, and 2 for x²"""
    expected = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    close(student.kernel("laplacian"), expected, SINGLE)
    along_x, along_y = draw.uniform(1, 3, 2)
    x = np.arange(-1.0, 2.0)
    parabola = along_x * x**2 + along_y * x[:, None] ** 2
    close(_slope(student, "laplacian", parabola), 2 * (along_x + along_y), SINGLE)


@pytest.mark.guard
def test_kernels__see_a_constant_as_they_should(student, draw):
    """gives 0 on a constant for edges and Laplacian, and the constant itself for the blur"""
    constant = np.full((3, 3), draw.uniform(1, 3))
    for name, factor in (("horizontal", 0), ("vertical", 0), ("laplacian", 0), ("blur", 1)):
        close(_slope(student, name, constant), factor * float(constant[0, 0]), SINGLE)


@pytest.mark.guard
def test_kernels__gives_arrays(student, draw):
    """gives arrays"""
    for name in ("horizontal", "vertical", "blur", "laplacian"):
        coursekit.array(student.kernel(name), (3, 3))


@pytest.mark.guard
def test_kernels__refuses_other_names(student, draw):
    """raises ValueError for a name that it does not know"""
    for name in ("diagonal", "", "horizon", "vert", "blurred", "laplace", "Blur"):
        refuses(lambda name=name: student.kernel(name))


# ----------------------------------------------------------------------------- max_pool2d


def _pooled(x: np.ndarray, size: int) -> np.ndarray:
    """The largest number of each block, through torch."""
    flat = torch.tensor(x.reshape(-1, 1, *x.shape[-2:]), dtype=torch.float64)
    pooled = torch.nn.functional.max_pool2d(flat, size).numpy()
    return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])


def _numbers(draw: np.random.Generator, shape: tuple[int, ...], size: int) -> np.ndarray:
    """With a positive one in each block, since what is below zero is one check's question, and in
    one of them another that is farther from zero."""
    while True:
        x = draw.normal(0.3, size=shape)
        largest = _pooled(x, size)
        if (largest > 0).all() and (size == 1 or (_pooled(-x, size) > largest).any()):
            return x


@pytest.mark.point
def test_max_pool2d__keeps_the_largest_of_each_block(student, draw):
    """keeps the largest number of every block of a square lattice"""
    for shape, size in (((8, 8), 2), ((6, 6), 2), ((8, 8), 4)):
        x = _numbers(draw, shape, size)
        close(student.max_pool2d(x, size), _pooled(x, size), SINGLE)


@pytest.mark.point
def test_max_pool2d__takes_blocks_of_any_size(student, draw):
    """takes blocks of any size that divides, from single sites to the whole lattice"""
    for shape, size in (((2, 6, 9), 3), ((1, 8, 4), 4), ((1, 2, 3), 1), ((3, 5, 5), 5)):
        x = _numbers(draw, shape, size)
        close(student.max_pool2d(x, size), _pooled(x, size), SINGLE)


def test_max_pool2d__knows_negative_numbers(student, draw):
    """gives a negative number where a whole block is negative, however far below zero"""
    for size in (1.0, 1e15):
        x = -size * draw.uniform(1, 2, (6, 6))
        close(student.max_pool2d(x, 2), _pooled(x, 2), SINGLE)


def test_max_pool2d__takes_any_number_of_axes_in_front(student, draw):
    """pools the last two axes, whatever stands in front of them, nothing included"""
    for front in ((), (3,), (2, 1, 2), (1, 1), (3, 2)):
        x = _numbers(draw, (*front, 4, 6), 2)
        close(student.max_pool2d(x, 2), _pooled(x, 2), SINGLE)


@pytest.mark.guard
def test_max_pool2d__keeps_the_dtype(student, draw):
    """gives an array of the dtype that it was given"""
    for dtype in (np.int8, np.float32, np.float64):
        x = draw.integers(-9, 9, (4, 4)).astype(dtype)
        returned = student.max_pool2d(x, 2)
        coursekit.array(returned, (2, 2))
        holds(returned.dtype == dtype, "the result should have the dtype of x")


@pytest.mark.guard
def test_max_pool2d__keeps_every_digit_of_an_integer(student, draw):
    """gives one of the block's own numbers where these are large integers, digit by digit"""
    for dtype in (np.int32, np.int64):
        x = 2**30 + draw.integers(0, 2**20, (6, 6)).astype(dtype)
        returned = array(student.max_pool2d(x, 2), (3, 3))
        words = "some of the numbers are not the largest of their block, digit by digit"
        holds(bool((returned == _pooled(x, 2)).all()), words)


@pytest.mark.guard
def test_max_pool2d__refuses_a_size_that_does_not_divide(student, draw):
    """raises ValueError where the blocks do not fill the height or the width"""
    for shape, size in (((5, 6), 2), ((2, 6, 5), 2), ((1, 7, 7), 3), ((2, 2), 3), ((8, 2), 4)):
        x = draw.normal(size=shape)
        refuses(lambda x=x, size=size: student.max_pool2d(x, size))


@pytest.mark.guard
def test_max_pool2d__leaves_x_unchanged(student, draw):
    """leaves x unchanged"""
    unchanged(student, lambda x: student.max_pool2d(x, 2), draw.normal(size=(2, 4, 4)))


# ------------------------------------------------------------------ count_conv_parameters


def _parameters(*arguments: Any, **options: Any) -> int:
    return sum(weights.numel() for weights in torch.nn.Conv2d(*arguments, **options).parameters())


@pytest.mark.point
def test_count_conv_parameters__counts_as_torch_does(student, draw):
    """counts the weights and biases of torch's layer"""
    for kernel_size in (2, 3, 5):
        channels = (int(draw.integers(2, 9)), int(draw.integers(10, 20)))
        counted = student.count_conv_parameters(*channels, kernel_size, bias=True)
        close(number(counted), _parameters(*channels, kernel_size), SINGLE)


def test_count_conv_parameters__leaves_the_bias_out_when_told(student, draw):
    """leaves the biases out, and nothing else, where bias is False"""
    channels = (int(draw.integers(2, 9)), int(draw.integers(10, 20)))
    counted = student.count_conv_parameters(*channels, 3, bias=False)
    close(number(counted), _parameters(*channels, 3, bias=False), SINGLE)


def test_count_conv_parameters__counts_the_bias_unless_told(student, draw):
    """counts the biases where bias is not named"""
    channels = (int(draw.integers(2, 9)), int(draw.integers(10, 20)))
    close(number(student.count_conv_parameters(*channels, 3)), _parameters(*channels, 3), SINGLE)


def test_count_conv_parameters__knows_the_smallest_layers(student, draw):
    """is right for a single map in or out and for kernels of a single site"""
    many = int(draw.integers(5, 30))
    for arguments in ((1, 1, 1), (1, many, 1), (many, 1, 1), (1, many, 7)):
        counted = student.count_conv_parameters(*arguments, bias=True)
        close(number(counted), _parameters(*arguments), SINGLE)


@pytest.mark.guard
def test_count_conv_parameters__is_an_integer(student, draw):
    """is an int"""
    holds(integer(student.count_conv_parameters(3, 8, 3)) > 0, "there should be parameters")


# ------------------------------------------------------------------------------- networks


def _lattices(draw: np.random.Generator, count: int, side: int = 16) -> torch.Tensor:
    """Random spins for a network, (count, 1, side, side)."""
    return torch.tensor(_spins(draw, count, 1, side, side), dtype=torch.float32)


def _network(student: Any, name: str, draw: np.random.Generator, *arguments: Any) -> Any:
    """A network with drawn weights in evaluation mode."""
    student.reseed(int(draw.integers(2**31)))
    model = _called(student, name, *arguments)
    with contextlib.suppress(StudentError):
        stirred(model, draw)
    model.eval()
    return model


def _called(student: Any, name: str, *arguments: Any) -> Any:
    """A network after a first call, which builds lazy layers."""
    model = getattr(student, name)(*arguments)
    with contextlib.suppress(StudentError):  # the check's own call will say what is wrong
        model(torch.ones(2, 1, 16, 16))
    return model


def _logits(model: Any, x: Any, count: int) -> np.ndarray:
    return tensor(model(x), (count, 2)).astype(float)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    """By more than rounding can do."""
    return bool((np.abs(one - other) > 10 * SINGLE.allowed(other)).any())


def _takes_part(student: Any, model: Any, x: torch.Tensor) -> None:
    """Every parameter has a gradient, so that training can reach it."""
    gradients = student.gradients(student.keeping(model, x), model)
    holds(len(gradients) > 0, "the network has no parameters")
    holds(
        all(gradient is not None and bool((gradient != 0).any()) for gradient in gradients),
        "some parameters have no effect on the logits, or the logits have lost their graph",
    )


def _no_probabilities(student: Any, name: str, draw: np.random.Generator) -> None:
    """Of ten networks some have a logit below 0 or above 1, at the latest for spins that are much
    too long; probabilities never have. Nor are they the logarithms of probabilities.

    With ReLU every network has one, with tanh three of four: one right answer in a million fails.
    """
    for _ in range(10):
        model = _network(student, name, draw)
        logits = _logits(model, 1e4 * _lattices(draw, 8), 8)
        if ((logits < 0) | (logits > 1)).any():
            total = np.logaddexp(*_logits(model, _lattices(draw, 8), 8).T)
            holds(
                bool((np.abs(total) > 10 * SINGLE.relative).any()),
                "logits should come back; these are logarithms of probabilities (log_softmax)",
            )
            return
    holds(False, "logits should come back, any real numbers; these are probabilities")


def _own_weights(student: Any, name: str) -> None:
    """What happens to one network's weights does not happen to another's."""
    shared = shares_layers(_called(student, name), _called(student, name))
    holds(not shared, "two networks share their layers: what trains one changes the other")


def _by_itself(model: Any, x: torch.Tensor) -> None:
    """A lattice has the same logits alone and together with others."""
    together = _logits(model, x, len(x))
    holds(_differ(together[:1], together[1:]), "different lattices should have different logits")
    alone = np.concatenate([_logits(model, row[None], 1) for row in x])
    close(alone, together, SINGLE)


# ------------------------------------------------------------------------------ ising_cnn


def test_ising_cnn__has_the_right_number_of_parameters(student, draw):
    """has the number of parameters that its layers have together"""
    model = _network(student, "IsingCNN", draw)
    count = sum(weights.numel() for weights in model.parameters())
    holds(count == 37762, "the number of parameters is another: look at the sizes of the layers")


@pytest.mark.guard
def test_ising_cnn__gives_two_logits_for_each_lattice(student, draw):
    """gives two numbers for each lattice, for one lattice as for many, that depend on the spins"""
    model = _network(student, "IsingCNN", draw)
    for count in (1, 7):
        logits = _logits(model, _lattices(draw, count), count)
    holds(_differ(logits[:1], logits[1:]), "different lattices should have different logits")


@pytest.mark.guard
def test_ising_cnn__returns_logits_not_probabilities(student, draw):
    """returns logits, not probabilities"""
    _no_probabilities(student, "IsingCNN", draw)


@pytest.mark.point
@pytest.mark.guard
def test_ising_cnn__lets_every_parameter_take_part(student, draw):
    """has logits that depend differentiably on every layer's parameters, not all equal at first"""
    units_begin_apart(_called(student, "IsingCNN"))
    _takes_part(student, _network(student, "IsingCNN", draw), _lattices(draw, 8))


@pytest.mark.guard
def test_ising_cnn__bends_between_its_dense_layers(student, draw):
    """has an activation between its dense layers

    Where nothing bends between two layers, the first one's bias acts the same on every lattice;
    only the last bias, two numbers, may do so.
    """
    model = _network(student, "IsingCNN", draw)
    _no_probabilities(student, "IsingCNN", draw)
    one, other = (
        student.gradients(student.keeping(model, _lattices(draw, 8)), model) for _ in range(2)
    )
    holds(all(gradient is not None for gradient in one + other), "the logits have lost their graph")
    alike = sum(
        a.numel() for a, b in zip(one, other, strict=True) if not _differ(a.numpy(), b.numpy())
    )
    holds(alike <= 2, "two dense layers without an activation between them are one dense layer")


@pytest.mark.point
def test_ising_cnn__drops_units_while_it_trains(student, draw):
    """is random in training mode, because of its dropout"""
    model, x = _network(student, "IsingCNN", draw), _lattices(draw, 8)
    model.train()
    one, other = (_logits(model, x, 8) for _ in range(2))
    holds(_differ(one, other), "two calls in training mode are the same: is there a dropout?")


def _into_the_last_layer(student: Any, model: Any, x: torch.Tensor) -> np.ndarray:
    """What the last dense layer gets of one lattice, (2, 64), told by the slopes of both logits
    with respect to its weights."""
    found = student.gradients(student.keeping(model, x), model)
    slopes = [tensor(one) for one in found if one is not None and one.numel() == 128]
    holds(len(slopes) == 1, "there should be one dense layer from 64 to 2")
    return slopes[0].T if slopes[0].shape[0] == 64 else slopes[0].reshape(2, 64)


@pytest.mark.point
def test_ising_cnn__drops_three_tenths_of_the_last_hidden_units(student, draw):
    """drops each of the 64 units before the last layer with probability 0.3, and nothing else

    In training mode the last layer gets each unit's value over 0.7, or zero; some 700 draws of
    units that are not silent anyway. 5 standard errors: once in 1.7 million courses.
    """
    _no_probabilities(student, "IsingCNN", draw)  # whose slopes tell of something else
    model, dropped, active = _network(student, "IsingCNN", draw), 0, 0
    for _ in range(24):
        x = _lattices(draw, 1)
        model.eval()
        whole = _into_the_last_layer(student, model, x)
        model.train()
        part = _into_the_last_layer(student, model, x)
        holds(
            not _differ(part[0], part[1]), "dropout stands behind the last layer: logits are lost"
        )
        some = whole[0] > 10 * SINGLE.allowed(whole[0])
        gone = part[0] == 0
        all_gone = some.any() and gone.all()
        holds(not all_gone, "at times all units before the last layer are dropped together")
        kept = not _differ(part[0][~gone] * 0.7, whole[0][~gone])
        words = (
            "what reaches the last layer in training is not 1/0.7 times the units' values in "
            "evaluation, or 0: is p = 0.3, and nothing else random before them?"
        )
        holds(kept, words)
        dropped, active = dropped + int((gone & some).sum()), active + int(some.sum())
    holds(active > 100, "hardly any hidden unit is ever at work")
    within(dropped / active, 0.3, (0.3 * 0.7 / active) ** 0.5)
    alike = [_logits(model, _lattices(draw, 1).repeat(8, 1, 1, 1), 8) for _ in range(4)]
    apart = any(_differ(logits[:1], logits[1:]) for logits in alike)
    holds(apart, "all lattices of a batch lose the same units: each should lose its own")


@pytest.mark.guard
def test_ising_cnn__is_not_random_in_evaluation_mode(student, draw):
    """gives the same logits again in evaluation mode"""
    model, x = _network(student, "IsingCNN", draw), _lattices(draw, 8)
    close(_logits(model, x, 8), _logits(model, x, 8), SINGLE)


@pytest.mark.guard
def test_ising_cnn__takes_any_memory_layout(student, draw):
    """gives the same logits whatever the order in which the lattices lie in memory"""
    model, x = _network(student, "IsingCNN", draw), _lattices(draw, 6)
    expected = _logits(model, x, 6)
    holds(_differ(expected[:1], expected[1:]), "different lattices should have different logits")
    for order in ((0, 2, 3, 1), (0, 1, 3, 2), (1, 2, 3, 0)):
        # The axes cross in one order and are put back in another, without moving the numbers.
        back = tuple(int(axis) for axis in np.argsort(order))
        crossed = student.keep(x.permute(order).contiguous())
        stored = student.call("torch", "permute", (crossed, back), {}, keep=True)
        close(_logits(model, stored, 6), expected, SINGLE)


@pytest.mark.guard
def test_ising_cnn__judges_each_lattice_by_itself(student, draw):
    """gives a lattice the same logits alone and together with others"""
    _by_itself(_network(student, "IsingCNN", draw), _lattices(draw, 5))


@pytest.mark.guard
def test_ising_cnn__has_weights_of_its_own(student, draw):
    """has weights that it shares with no other network"""
    _own_weights(student, "IsingCNN")


def _kernels(
    pairs: list[tuple[torch.Tensor, int, int]],
) -> Iterator[list[torch.Tensor]]:
    """Every list of kernels (out, in, 3, 3) that these weights may stand for, of which each comes
    with its `out` and `in`: whoever writes a convolution by hand may keep the four axes in any
    order, put some of them in one, and lay the kernel on the lattice either way."""
    for order in itertools.permutations(range(4)):
        stored = [[(out, into, 3, 3)[axis] for axis in order] for _, out, into in pairs]
        if all(
            _merges(values.shape, sizes) for (values, *_), sizes in zip(pairs, stored, strict=True)
        ):
            back = tuple(int(axis) for axis in np.argsort(order))
            found = [
                values.reshape(sizes).permute(back)
                for (values, *_), sizes in zip(pairs, stored, strict=True)
            ]
            yield found
            yield [kernel.flip(2, 3) for kernel in found]


def _merges(shape: Sequence[int], sizes: Sequence[int]) -> bool:
    """Whether axes of these sizes make that shape where neighbours are put in one."""
    return {1, *itertools.accumulate(shape, operator.mul)} <= {
        1,
        *itertools.accumulate(sizes, operator.mul),
    }


def _by_size(weights: list[torch.Tensor], sizes: list[int]) -> dict[int, list[torch.Tensor]]:
    """Weights by how many numbers they hold, if these are the sizes."""
    of: dict[int, list[torch.Tensor]] = {}
    for values in weights:
        of.setdefault(values.numel(), []).append(values.detach().double())
    fits = sorted(values.numel() for values in weights) == sorted(sizes)
    holds(fits, "these are not the weights of the layers asked for")
    return of


def _matrix(values: torch.Tensor, out: int, into: int) -> torch.Tensor:
    return values.reshape(into, out).T if values.shape[0] == into else values.reshape(out, into)


def _rebuilt(weights: list[torch.Tensor], x: torch.Tensor) -> Iterator[torch.Tensor]:
    """The logits of IsingCNN's layers with these weights, for every order in which the 512 numbers
    may stand in their row and every layout of a kernel."""
    of = _by_size(weights, [144, 16, 4608, 32, 32768, 64, 128, 2])
    dense, last = _matrix(of[32768][0], 64, 512), _matrix(of[128][0], 2, 64)
    between, behind = of[64][0].flatten(), of[2][0].flatten()
    for kernels in _kernels([(of[144][0], 16, 1), (of[4608][0], 32, 16)]):
        maps = x.double()
        for kernel, bias in zip(kernels, (of[16][0], of[32][0]), strict=True):
            maps = torch.nn.functional.conv2d(maps, kernel, bias.flatten(), padding=1)
            maps = torch.nn.functional.max_pool2d(maps.relu(), 2)
        for order in itertools.permutations((1, 2, 3)):
            row = maps.permute(0, *order).flatten(1)
            yield (row @ dense.T + between).relu() @ last.T + behind


@pytest.mark.point
def test_ising_cnn__computes_what_its_layers_say(student, draw):
    """gives in evaluation mode the logits that its weights give in the layers asked for"""
    model, x = _network(student, "IsingCNN", draw), _lattices(draw, 6)
    x = torch.cat([x, 30 * x])  # what is cut off at some size shows with large numbers alone
    logits, weights = _logits(model, x, 12), list(model.parameters())
    holds(sum(values.numel() for values in weights) == 37762, "the layers have other sizes")
    holds(
        any(not _differ(logits, some.numpy()) for some in _rebuilt(weights, x)),
        "the layers asked for give other logits with these weights: look at the padding, the "
        "activations and the pooling",
    )


# ------------------------------------------------------------------------------ train_cnn

# For each side of a lattice, temperatures well below and well above the critical one.
TEMPERATURES = {
    16: np.concatenate([np.linspace(1.0, 2.0, 6), np.linspace(2.5, 4.0, 6)]),
    8: np.concatenate([np.linspace(1.0, 1.8, 6), np.linspace(3.0, 4.0, 6)]),
}


def _phases(
    draw: np.random.Generator, side: int = 16, count: int = CONFIGURATIONS
) -> tuple[torch.Tensor, torch.Tensor]:
    """Configurations, each from a chain of its own, and their phases, cold ones first."""
    X, y = _configurations(side, count, int(draw.integers(2**31)))
    return X.clone(), y.clone()


@functools.lru_cache(maxsize=32)
def _configurations(side: int, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Kept for the next submission, whose checks draw the same."""
    temperatures = np.repeat(TEMPERATURES[side], count // len(TEMPERATURES[side]))
    spins = ising_configurations(side, temperatures, np.random.default_rng(seed), sweeps=150)
    labels = (temperatures > 2 / math.log(1 + 2**0.5)).astype(np.int64)
    return torch.tensor(spins[:, None], dtype=torch.float32), torch.tensor(labels)


def _layer(student: Any, name: str, *arguments: Any, **options: Any) -> Any:
    """One of torch's own layers in the student's process."""
    return student.call("nn", name, arguments, options, keep=True)


def _layer_here(name: str, *arguments: Any, **options: Any) -> torch.nn.Module:
    made: torch.nn.Module = getattr(torch.nn, name)(*arguments, **options)
    return made


def _torch_cnn(layer: Callable[..., Any], side: int) -> Any:
    """The layers of IsingCNN or, for lattices of 8 × 8, fewer, with another activation: it is no
    answer to that exercise."""
    maps, units, dropout = ([1, 8], 32, []) if side == 8 else ([1, 16, 32], 64, [0.3])
    layers = []
    for into, out in itertools.pairwise(maps):
        layers += [
            layer("Conv2d", into, out, 3, padding=1),
            layer("LeakyReLU"),
            layer("MaxPool2d", 2),
        ]
    sites = (side // 2 ** (len(maps) - 1)) ** 2
    layers += [layer("Flatten"), layer("Linear", maps[-1] * sites, units), layer("LeakyReLU")]
    layers += [layer("Dropout", p) for p in dropout]
    return layer("Sequential", *layers, layer("Linear", units, 2))


def _small(student: Any, between: str = "ReLU", *arguments: Any) -> tuple[Any, Any]:
    """A network for 4 × 4 spins without dropout, and the layer in its middle."""
    middle = _layer(student, between, *arguments)
    model = _layer(
        student,
        "Sequential",
        _layer(student, "Conv2d", 1, 4, 3, padding=1),
        middle,
        _layer(student, "Flatten"),
        _layer(student, "Linear", 64, 2),
    )
    return model, middle


def _train(
    student: Any,
    model: Any,
    data: tuple[Any, Any],
    generator: torch.Generator,
    epochs: int = EPOCHS,
) -> Any:
    """What train_cnn returns, for tensors or, where these stop it with an error, for arrays."""

    def call(X: Any, y: Any) -> Any:
        return student.train_cnn(model, X, y, epochs=epochs, generator=generator)

    try:
        return call(*data)
    except StudentError as error:
        if error.kind != "error":
            raise
        first = error
    try:
        return call(*[x.numpy() for x in data])
    except StudentError:
        raise first from None


def _history(returned: Any, epochs: int = EPOCHS) -> list[float]:
    in_a_row = isinstance(returned, (np.ndarray, torch.Tensor)) and returned.ndim > 0
    holds(
        in_a_row or isinstance(returned, (list, tuple)),
        "should return the history, a list with the mean loss of each epoch",
    )
    holds(1 <= len(returned) <= epochs, "the history should have one entry for each epoch")
    return [number(loss) for loss in returned]


class Trained(NamedTuple):
    """What a training came to."""

    accuracy: float
    """On unseen configurations, each from a chain of its own."""
    history: Any
    """As it came back."""


def trained(student: Any, draw: np.random.Generator, side: int = 16) -> Trained:
    student.reseed(int(draw.integers(2**31)))
    model = _torch_cnn(functools.partial(_layer, student), side)
    returned = _train(student, model, _phases(draw, side), torch_generator(draw))
    # What the weights are good for is nothing that the student's process says.
    here = with_weights_of(model, _torch_cnn(_layer_here, side)).eval()
    X, y = _phases(draw, side)
    found = _logits(here, X, len(X)).argmax(axis=1)
    return Trained(float(np.mean(found == y.numpy())), returned)


def _accurate(accuracy: float) -> None:
    holds(
        accuracy > ACCURACY_LIMIT,
        f"{accuracy:.1%} of the unseen configurations are told right; it should be more than "
        f"{ACCURACY_LIMIT:.0%}",
    )


@pytest.mark.point
def test_train_cnn__knows_unseen_configurations(student, draw):
    """tells the phase of unseen configurations, each from a chain of its own

    The least of 120 right trainings is 0.972 and their median 0.994 ± 0.005: a right answer fails
    less than once in 1000 courses.
    """
    _accurate(student.once(trained, draw).accuracy)


def test_train_cnn__brings_the_loss_down(student, draw):
    """brings the cross-entropy of logits and phases down, and never below zero

    The largest last loss of 120 right trainings is 0.065, a quarter of the limit. With a softmax
    before the loss it cannot fall below ln(1 + 1/e) = 0.313.
    """
    accuracy, returned = student.once(trained, draw)
    history = _history(returned)
    holds(min(history) >= 0, "a cross-entropy is never negative")
    holds(
        history[-1] < LOSS_LIMIT and history[-1] <= history[0],
        "the loss of the last epoch is too large",
    )
    _accurate(accuracy)


@pytest.mark.point
def test_train_cnn__trains_other_networks(student, draw):
    """trains whatever network it is given, on lattices of another size, with two seeds

    The least of 120 right trainings is 0.983.
    """
    for _ in range(2):
        _accurate(trained(student, draw, side=8).accuracy)


def witnessed(student: Any, draw: np.random.Generator) -> list[training.Watched]:
    """Two trainings of a witness with the same seed, and one with another, each in a global state
    of its own."""
    X = training.lattices(draw).reshape(-1, 1, 5, 5)
    y, seed = draw.integers(2, size=len(X)), int(draw.integers(1, 2**31))
    data = torch.tensor(X, dtype=torch.float32), torch.tensor(y)

    def train(witness: Any, epochs: int, own: int) -> Any:
        student.reseed(int(draw.integers(2**31)))
        return _train(student, witness, data, torch.Generator().manual_seed(own), epochs)

    return [
        training.watched(
            student.witness((1, 5, 5), outputs=2, dropout=0.2),
            X,
            functools.partial(train, own=own),
            training.up_to_symmetry,
            training.cross_entropy(y),
            4,
        )
        for own in (seed, seed, seed - 1)
    ]


def test_train_cnn__shows_each_lattice_once_an_epoch(student, draw):
    """shows every lattice once in each epoch, the network untouched before"""
    student.once(witnessed, draw)[0].shows_each_sample_once()


@pytest.mark.point
def test_train_cnn__shuffles_the_data(student, draw):
    """shuffles the data, anew for every epoch"""
    student.once(witnessed, draw)[0].makes_new_batches()


def test_train_cnn__takes_the_order_from_the_generator(student, draw):
    """takes the order of the data from the generator alone"""
    one, again, other = student.once(witnessed, draw)
    one.is_ordered_like(again)
    one.is_not_ordered_like(other)


def test_train_cnn__trains_in_training_mode(student, draw):
    """trains in training mode from the first step to the last, whatever mode the model comes in"""
    student.once(witnessed, draw)[0].trains_in_training_mode()


@pytest.mark.point
def test_train_cnn__makes_a_step_with_each_batch(student, draw):
    """makes one step with each of an epoch's batches"""
    seen = student.once(witnessed, draw)[0]
    seen.shows_most_of_the_data()
    seen.steps_once_a_batch()


@pytest.mark.point
def test_train_cnn__clears_gradients(student, draw):
    """makes each step with the gradient of the cross-entropy of its own batch, and of it alone"""
    seen = student.once(witnessed, draw)[0]
    seen.clears_gradients()
    seen.follows_the_loss("cross-entropy of its logits")


def test_train_cnn__returns_the_mean_loss_of_each_epoch(student, draw):
    """returns the mean cross-entropy of each epoch's data"""
    student.once(witnessed, draw)[0].reports_the_mean_loss()


@pytest.mark.guard
def test_train_cnn__learns_from_a_handful(student, draw):
    """learns from fewer configurations than a batch could hold"""
    model, _ = _small(student)
    before = [tensor(weights) for weights in model.parameters()]
    data = _lattices(draw, 5, 4), torch.tensor([0, 1, 1, 0, 1])
    _train(student, model, data, torch_generator(draw), 4)
    after = [tensor(weights) for weights in model.parameters()]
    moved = any(_differ(one, other) for one, other in zip(after, before, strict=True))
    holds(moved, "the network is hardly another than before: does a last, short batch count?")


@pytest.mark.guard
def test_train_cnn__leaves_the_model_in_evaluation_mode(student, draw):
    """leaves the model in evaluation mode, where two calls agree"""
    student.once(witnessed, draw)[0].ends_in_evaluation_mode()


@pytest.mark.guard
def test_train_cnn__leaves_the_data_unchanged(student, draw):
    """leaves X and y unchanged"""
    (model, _), generator = _small(student), torch_generator(draw)
    data = _lattices(draw, 40, 4), torch.tensor(draw.integers(0, 2, 40))
    kept = [student.keep(x) for x in data]
    try:
        student.train_cnn(model, *kept, epochs=2, generator=generator)
    except StudentError as error:
        if error.kind != "error":
            raise
        kept = [student.keep(x.numpy()) for x in data]
        student.train_cnn(model, *kept, epochs=2, generator=generator)
    for before, after in zip(data, kept, strict=True):
        values = student.value(after)
        close(np.asarray(values).astype(float), before.numpy().astype(float), SINGLE)


# --------------------------------------------------------------------------- periodic_cnn


def _domains(draw: np.random.Generator, side: int) -> np.ndarray:
    """A lattice with two domains, its walls somewhere, and a few spins turned over."""
    spins = np.where(np.arange(side)[:, None] + np.zeros(side) < side // 2, 1.0, -1.0)
    spins *= np.where(draw.random((side, side)) < 0.05, -1, 1)
    return np.roll(spins, draw.integers(0, side, 2), axis=(0, 1))


def _batch(lattices: list[np.ndarray]) -> torch.Tensor:
    return torch.tensor(np.array(lattices)[:, None], dtype=torch.float32)


def _is_invariant(student: Any, draw: np.random.Generator, side: int, *channels: int) -> None:
    """Shifted copies have the same logits in three networks, and a shuffled one has others in one.

    An untrained network may by chance hardly tell the shuffled copy, once in 200 times.
    """
    shifts = [(1, 0), (0, 1), *map(tuple, draw.integers(1, side, (6, 2)).tolist())]
    told = False
    for _ in range(3):
        model, spins = _network(student, "PeriodicCNN", draw, *channels), _domains(draw, side)
        moved = [np.roll(spins, shift, axis=(0, 1)) for shift in shifts]
        shuffled = draw.permutation(spins.ravel()).reshape(side, side)
        logits = _logits(model, _batch([spins, *moved, shuffled]), len(shifts) + 2)
        close(logits[1:-1], np.repeat(logits[:1], len(shifts), axis=0), SINGLE)
        told |= _differ(logits[-1], logits[0])
    holds(told, "a lattice and its shuffled copy look the same")


@pytest.mark.point
def test_periodic_cnn__does_not_see_a_shift(student, draw):
    """gives a lattice shifted by any number of sites the same logits, and a shuffled one others"""
    _is_invariant(student, draw, 16)


def test_periodic_cnn__does_not_see_a_shift_of_an_odd_lattice(student, draw):
    """does so on lattices with an odd number of rows and columns too"""
    _is_invariant(student, draw, 7)


def test_periodic_cnn__does_not_see_a_shift_whatever_its_width(student, draw):
    """does so with any number of channels, on lattices of other sizes too"""
    _is_invariant(student, draw, 10, 8)
    _is_invariant(student, draw, 12, 32)


def test_periodic_cnn__does_not_see_where_a_wall_is(student, draw):
    """gives a domain wall the same logits in the middle of the lattice and on its edge"""
    stripes = np.repeat(np.repeat([1.0, -1.0], 4)[:, None], 8, axis=1)
    rows = [np.roll(stripes, shift, axis=0) for shift in range(8)]
    columns = [np.roll(stripes.T, shift, axis=1) for shift in range(8)]
    told = False
    for _ in range(3):
        model = _network(student, "PeriodicCNN", draw)
        logits = _logits(model, _batch([*rows, *columns, np.ones((8, 8))]), 17)
        for same in (logits[:8], logits[8:16]):
            close(same, np.repeat(same[:1], 8, axis=0), SINGLE)
        told |= _differ(logits[0], logits[16])
    holds(told, "a lattice with a wall and one without look the same")


@pytest.mark.guard
def test_periodic_cnn__looks_at_neighbours(student, draw):
    """tells a lattice from the same spins in another order"""
    told = False
    for side in (8, 12, 16):
        model, spins = _network(student, "PeriodicCNN", draw), _domains(draw, side)
        shuffled = draw.permutation(spins.ravel()).reshape(side, side)
        logits = _logits(model, _batch([spins, shuffled]), 2)
        told |= _differ(logits[0], logits[1])
    holds(told, "a lattice and its shuffled copy look the same")


@pytest.mark.point
def test_periodic_cnn__takes_the_mean_over_all_sites(student, draw):
    """gives four copies of a lattice, side by side, the logits of one: a mean, not a sum"""
    model = _network(student, "PeriodicCNN", draw)
    spins = [_domains(draw, 6), draw.choice([-1.0, 1.0], size=(6, 6), p=[0.1, 0.9])]
    one = _logits(model, _batch(spins), 2)
    four = _logits(model, _batch([np.tile(lattice, (2, 2)) for lattice in spins]), 2)
    holds(_differ(one[0], one[1]), "different lattices should have different logits")
    close(four, one, SINGLE)


@pytest.mark.point
def test_periodic_cnn__computes_what_its_layers_say(student, draw):
    """gives the logits that its weights give in the layers asked for, and has no others"""
    for channels in (16, int(draw.integers(3, 9))):
        model = _network(student, "PeriodicCNN", draw, channels)
        weights = list(model.parameters())
        count = 9 * channels**2 + 13 * channels + 2
        holds(
            sum(values.numel() for values in weights) == count,
            "the number of parameters is not that of two convolutions and a dense layer",
        )
        x = _lattices(draw, 6, 7)
        logits, candidates = _logits(model, x, 6), _rebuilt_periodic(weights, x, channels)
        holds(
            any(not _differ(logits, some.numpy()) for some in candidates),
            "the layers asked for give other logits with these weights: look at the padding, the "
            "activations and the mean",
        )


def _rebuilt_periodic(
    weights: list[torch.Tensor], x: torch.Tensor, channels: int
) -> Iterator[torch.Tensor]:
    """As `_rebuilt`, of PeriodicCNN's layers."""
    sizes = [9 * channels, channels, 9 * channels**2, channels, 2 * channels, 2]
    of = _by_size(weights, sizes)
    last, behind = _matrix(of[2 * channels][0], 2, channels), of[2][0].flatten()
    pairs = [(of[sizes[0]][0], channels, 1), (of[sizes[2]][0], channels, channels)]
    for kernels, biases in itertools.product(_kernels(pairs), itertools.permutations(of[channels])):
        maps = x.double()
        for kernel, bias in zip(kernels, biases, strict=True):
            maps = torch.nn.functional.pad(maps, (1, 1, 1, 1), mode="circular")
            maps = torch.nn.functional.conv2d(maps, kernel, bias.flatten()).relu()
        yield maps.mean(dim=(2, 3)) @ last.T + behind


@pytest.mark.guard
def test_periodic_cnn__has_nothing_besides(student, draw):
    """says in training mode what it says in evaluation mode: no dropout, no normalisation"""
    model, x = _network(student, "PeriodicCNN", draw), _lattices(draw, 6, 8)
    quiet = _logits(model, x, 6)
    holds(_differ(quiet[:1], quiet[1:]), "different lattices should have different logits")
    model.train()
    for _ in range(2):
        close(_logits(model, x, 6), quiet, SINGLE)


@pytest.mark.guard
def test_periodic_cnn__takes_lattices_of_any_size(student, draw):
    """gives two logits for each lattice, whatever its size"""
    model = _network(student, "PeriodicCNN", draw)
    for count, side in ((1, 4), (3, 5), (2, 7), (5, 16), (1, 24)):
        logits = _logits(model, _lattices(draw, count, side), count)
    holds(bool(np.ptp(logits) > 0), "both logits are the same")


@pytest.mark.guard
def test_periodic_cnn__returns_logits_not_probabilities(student, draw):
    """returns logits, not probabilities"""
    _no_probabilities(student, "PeriodicCNN", draw)


@pytest.mark.point
@pytest.mark.guard
def test_periodic_cnn__lets_every_parameter_take_part(student, draw):
    """has logits that depend differentiably on every layer's parameters, not all equal at first"""
    units_begin_apart(_called(student, "PeriodicCNN"))
    _takes_part(student, _network(student, "PeriodicCNN", draw), _lattices(draw, 8))


@pytest.mark.guard
def test_periodic_cnn__has_weights_of_its_own(student, draw):
    """has weights that it shares with no other network"""
    _own_weights(student, "PeriodicCNN")


@pytest.mark.guard
def test_periodic_cnn__has_the_width_asked_for(student, draw):
    """has more parameters the more channels it has, which are 16 if nothing is said"""
    sizes = [
        sum(one.numel() for one in _network(student, "PeriodicCNN", draw, *channels).parameters())
        for channels in ((2,), (8,), (16,), (24,), ())
    ]
    growing = 0 < sizes[0] < sizes[1] < sizes[2] < sizes[3]
    holds(growing, "`channels` should set the width of the layers")
    holds(sizes[4] == sizes[2], "there should be 16 channels if nothing is said")


@pytest.mark.guard
def test_periodic_cnn__judges_each_lattice_by_itself(student, draw):
    """gives a lattice the same logits alone and together with others, and the same ones again"""
    _by_itself(_network(student, "PeriodicCNN", draw), _lattices(draw, 5, 8))
