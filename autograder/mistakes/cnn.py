"""Known wrong answers to cnn."""

from functools import partial

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

bank = Bank(__name__)
slip, variant = bank.slip, bank.variant


# -------------------------------------------------------------------------- correlate1d

correlate1d_slips = [
    slip(
        "correlate1d",
        "flipped",
        "@ kernel",
        "@ kernel[::-1]",
        "does_not_flip_the_kernel",
        "The kernel is flipped: this is a convolution. Here its first entry belongs to the first "
        "site under it.",
    ),
    slip(
        "correlate1d",
        "last_place_forgotten",
        "    return windows",
        "    windows = windows[: len(signal) - len(kernel)]\n    return windows",
        "stays_on_the_signal",
        "One place is missing at the end: a kernel of m entries fits on n sites in n − m + 1 "
        "places.",
    ),
    slip(
        "correlate1d",
        "mean_for_sum",
        "@ kernel",
        "@ kernel / len(kernel)",
        "adds_up_what_lies_under_the_kernel",
        "The products are averaged. They should be added up.",
    ),
    slip(
        "correlate1d",
        "fractions_lost",
        "windows.astype(float) @ kernel",
        "(windows @ kernel).astype(signal.dtype)",
        "keeps_fractions_of_spins",
        "The result is cut to whole numbers, because it has the integer dtype of the signal. "
        "Make room for fractions.",
    ),
    slip(
        "correlate1d",
        "long_kernels_accepted",
        "    if len(kernel) > len(signal):\n"
        '        raise ValueError("the kernel is longer than the signal")\n',
        "    if len(kernel) > len(signal):\n        signal, kernel = kernel, signal\n",
        "refuses_a_kernel_longer_than_the_signal",
        "A kernel longer than the signal fits nowhere and should raise ValueError. NumPy's own "
        "functions exchange the two without a word.",
    ),
    slip(
        "correlate1d",
        "nothing_for_long_kernels",
        "    if len(kernel) > len(signal):\n"
        '        raise ValueError("the kernel is longer than the signal")\n',
        "    if len(kernel) > len(signal):\n        return np.array([])\n",
        "refuses_a_kernel_longer_than_the_signal",
        "A kernel longer than the signal fits nowhere. It should raise ValueError; here an empty "
        "array comes back.",
    ),
    slip(
        "correlate1d",
        "same_length_refused",
        "len(kernel) > len(signal)",
        "len(kernel) >= len(signal)",
        "stays_on_the_signal",
        "A kernel as long as the signal fits in one place: only a longer one is refused.",
    ),
]


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="The result has the length of the signal: the kernel hangs over the ends, where zeros are "
    "assumed. Only places where the whole kernel lies on the signal count.",
)
def same_mode():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        return np.correlate(signal.astype(float), kernel, mode="same")


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="The result is longer than the signal: every overlap counts here. Only places where the "
    "whole kernel lies on the signal should.",
)
def full_mode():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        return np.correlate(signal.astype(float), kernel, mode="full")


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="The signal is continued from its start. Here it has ends: only places where the whole "
    "kernel lies on it count.",
)
def periodic():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        n = len(signal)
        return np.array(
            [sum(signal[(i + k) % n] * w for k, w in enumerate(kernel)) for i in range(n)]
        )


@mistake(
    "correlate1d",
    caught_by="leaves_its_arguments_unchanged",
    hint="The caller's kernel is turned round in place. Turn round a copy, or none at all.",
)
def kernel_turned_round_in_place():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        kernel[:] = kernel[::-1]
        return np.convolve(signal.astype(float), kernel, mode="valid")


# ------------------------------------------------------------------ convolve2d_periodic

_TOO_LARGE = """    if rows > image.shape[0] or columns > image.shape[1]:
        raise ValueError("the kernel is larger than the image")
"""
_SHIFT = "down, right = a - (rows - 1) // 2, b - (columns - 1) // 2"

convolve2d_periodic_slips = [
    slip(
        "convolve2d_periodic",
        "not_flipped",
        "(down, right), axis",
        "(-down, -right), axis",
        "flips_the_kernel",
        "The kernel is not flipped: this is a correlation, what torch's Conv2d computes. Look at "
        "the minus signs in image[i + c − a, j + d − b].",
    ),
    slip(
        "convolve2d_periodic",
        "flipped_in_rows_only",
        "(down, right), axis",
        "(down, -right), axis",
        "flips_the_kernel",
        "The kernel is flipped in one direction only. A convolution flips rows and columns.",
    ),
    slip(
        "convolve2d_periodic",
        "flipped_in_columns_only",
        "(down, right), axis",
        "(-down, right), axis",
        "flips_the_kernel",
        "The kernel is flipped in one direction only. A convolution flips rows and columns.",
    ),
    slip(
        "convolve2d_periodic",
        "kernel_transposed",
        "(down, right), axis",
        "(right, down), axis",
        "flips_the_kernel",
        "Rows and columns of the kernel are exchanged: a runs down, b to the right.",
    ),
    slip(
        "convolve2d_periodic",
        "corner_for_centre",
        _SHIFT,
        "down, right = a, b",
        "flips_the_kernel",
        "The kernel's first entry lies on the site. Its centre should: the result is shifted.",
    ),
    slip(
        "convolve2d_periodic",
        "even_centre_below_and_right",
        _SHIFT,
        "down, right = a - rows // 2, b - columns // 2",
        "puts_the_centre_of_even_kernels_above_and_left",
        "Kernels of even height or width have no middle, and yours are centred one entry too far "
        "down or right: half of K − 1, rounded down, counts.",
    ),
    slip(
        "convolve2d_periodic",
        "square_kernels_only",
        _SHIFT,
        "down, right = a - (rows - 1) // 2, b - (rows - 1) // 2",
        "takes_kernels_that_are_not_square",
        "The kernel's height is used for both directions. The columns are centred by its width.",
    ),
    slip(
        "convolve2d_periodic",
        "normalised",
        "    return result",
        "    return result / kernel.sum()",
        "flips_the_kernel",
        "The result is divided by the sum of the kernel. A convolution is the bare sum; a blur "
        "brings its 1/9 along.",
    ),
    slip(
        "convolve2d_periodic",
        "fractions_lost",
        "    return result",
        "    return result.astype(image.dtype)",
        "keeps_fractions_of_spins",
        "The result is cut to whole numbers, because it has the integer dtype of the image. "
        "Make room for fractions.",
    ),
    slip(
        "convolve2d_periodic",
        "large_kernels_accepted",
        _TOO_LARGE,
        "",
        "refuses_a_kernel_larger_than_the_image",
        "A kernel larger than the image would see some sites twice. It should raise ValueError.",
    ),
    slip(
        "convolve2d_periodic",
        "only_the_height_checked",
        " or columns > image.shape[1]",
        "",
        "refuses_a_kernel_larger_than_the_image",
        "A kernel that is too tall is refused, one that is too wide is not.",
    ),
    slip(
        "convolve2d_periodic",
        "as_large_as_the_image_refused",
        "rows > image.shape[0] or columns > image.shape[1]",
        "rows >= image.shape[0] or columns >= image.shape[1]",
        "takes_kernels_as_large_as_the_image",
        "A kernel as large as the image is allowed: only a larger one is refused.",
    ),
]


@mistake(
    "convolve2d_periodic",
    caught_by="goes_round_the_edges",
    hint="Beyond the edge there are zeros here. On a torus the other side follows: indices count "
    "modulo the height and the width.",
)
def zeros_beyond_the_edge():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError
        return convolve2d(image.astype(float), kernel, mode="same")


@mistake(
    "convolve2d_periodic",
    caught_by="goes_round_the_edges",
    hint="Beyond the edge the image is mirrored here. On a torus the other side follows.",
)
def mirrored_beyond_the_edge():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError
        return convolve2d(image.astype(float), kernel, mode="same", boundary="symm")


@mistake(
    "convolve2d_periodic",
    caught_by="is_the_periodic_convolution",
    hint="The result is smaller than the image: only places where the kernel lies inside count "
    "here. On a torus every site has all its neighbours.",
)
def inner_sites_only():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError
        return convolve2d(image.astype(float), kernel, mode="valid")


@mistake(
    "convolve2d_periodic",
    caught_by="puts_the_centre_of_even_kernels_above_and_left",
    hint="Kernels of even height or width have no middle, and ndimage's choice is another than the "
    "one asked for. Odd kernels are right.",
)
def ndimage_convolve():
    def convolve2d_periodic(image, kernel):
        from scipy import ndimage

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError
        return ndimage.convolve(image.astype(float), kernel, mode="wrap")


@mistake(
    "convolve2d_periodic",
    caught_by="is_the_periodic_convolution",
    hint="The height of the image is used for both directions. Columns count modulo the width.",
)
def square_images_only():
    def convolve2d_periodic(image, kernel):
        n, (rows, columns) = len(image), kernel.shape
        if rows > image.shape[0] or columns > image.shape[1]:
            raise ValueError
        result = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                for a in range(rows):
                    for b in range(columns):
                        down, right = i + (rows - 1) // 2 - a, j + (columns - 1) // 2 - b
                        result[i, j] += kernel[a, b] * image[down % n, right % n]
        return result


@mistake(
    "convolve2d_periodic",
    caught_by="leaves_its_arguments_unchanged",
    hint="The caller's kernel is flipped in place. Flip a copy.",
)
def kernel_flipped_in_place():
    def convolve2d_periodic(image, kernel):
        (rows, columns), (height, width) = kernel.shape, image.shape
        if rows > height or columns > width:
            raise ValueError
        kernel[:] = kernel[::-1, ::-1].copy()
        pads = ((rows // 2, (rows - 1) // 2), (columns // 2, (columns - 1) // 2))
        padded = np.pad(image.astype(float), pads, mode="wrap")
        result = np.zeros((height, width))
        for i in range(height):
            for j in range(width):
                result[i, j] = np.sum(padded[i : i + rows, j : j + columns] * kernel)
        return result


# ------------------------------------------------------------------------------ kernels

_HORIZONTAL = "[[-1, -1, -1], [0, 0, 0], [1, 1, 1]]"
_VERTICAL = "[[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]"
_BLUR = "[[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]]"
_LAPLACIAN = "[[0, 1, 0], [1, -4, 1], [0, 1, 0]]"
_REFUSED = """    if name not in kernels:
        raise ValueError(f"there is no kernel {name!r}, only {', '.join(kernels)}")
"""

kernels_slips = [
    slip(
        "kernels",
        "horizontal_and_vertical_exchanged",
        f'{_HORIZONTAL},\n        "vertical": {_VERTICAL}',
        f'{_VERTICAL},\n        "vertical": {_HORIZONTAL}',
        "has_the_horizontal_edges",
        "The two edge kernels are exchanged. A horizontal edge separates rows, so the rows of its "
        "kernel differ.",
    ),
    slip(
        "kernels",
        "horizontal_upside_down",
        _HORIZONTAL,
        "[[1, 1, 1], [0, 0, 0], [-1, -1, -1]]",
        "has_the_horizontal_edges",
        "The horizontal kernel is upside down: its rows are −1, 0 and 1 from above.",
    ),
    slip(
        "kernels",
        "vertical_mirrored",
        _VERTICAL,
        "[[1, 0, -1], [1, 0, -1], [1, 0, -1]]",
        "has_the_vertical_edges",
        "The vertical kernel is mirrored: its columns are −1, 0 and 1 from the left.",
    ),
    slip(
        "kernels",
        "sobel",
        _VERTICAL,
        "[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]",
        "has_the_vertical_edges",
        "This is Sobel's kernel, whose middle row counts twice. Here all rows count alike.",
    ),
    slip(
        "kernels",
        "blur_not_divided",
        _BLUR,
        "[[1, 1, 1], [1, 1, 1], [1, 1, 1]]",
        "has_the_blur",
        "A blur is a mean: its entries add up to one.",
    ),
    slip(
        "kernels",
        "blur_of_the_neighbours",
        _BLUR,
        "[[1 / 8, 1 / 8, 1 / 8], [1 / 8, 0, 1 / 8], [1 / 8, 1 / 8, 1 / 8]]",
        "has_the_blur",
        "The site itself is left out of its mean. All nine sites count.",
    ),
    slip(
        "kernels",
        "laplacian_sign",
        _LAPLACIAN,
        "[[0, -1, 0], [-1, 4, -1], [0, -1, 0]]",
        "has_the_laplacian",
        "The sign of the Laplacian is exchanged: the second derivative of x² is +2.",
    ),
    slip(
        "kernels",
        "laplacian_with_corners",
        _LAPLACIAN,
        "[[1, 1, 1], [1, -8, 1], [1, 1, 1]]",
        "has_the_laplacian",
        "The corners count as neighbours here. The five-point Laplacian has four neighbours.",
    ),
    slip(
        "kernels",
        "laplacian_without_its_middle",
        _LAPLACIAN,
        "[[0, 1, 0], [1, 0, 1], [0, 1, 0]]",
        "see_a_constant_as_they_should",
        "This is the sum of the four neighbours. The Laplacian compares them with the middle, and "
        "vanishes where nothing changes.",
    ),
    slip(
        "kernels",
        "nothing_for_other_names",
        _REFUSED,
        "    if name not in kernels:\n        return None\n",
        "refuses_other_names",
        "An unknown name gives None, which will cause trouble somewhere else. Raise ValueError "
        "where it happens.",
    ),
    slip(
        "kernels",
        "key_error",
        _REFUSED,
        "",
        "refuses_other_names",
        "An unknown name should raise ValueError; a dictionary raises KeyError by itself.",
    ),
]


@mistake(
    "kernels",
    caught_by="refuses_other_names",
    hint="Only the beginning of the name is looked at, so that other names get a kernel too. "
    "Compare the whole name.",
)
def beginning_of_the_name():
    def kernel(name):
        if name.startswith("h"):
            return np.array([[-1.0, -1, -1], [0, 0, 0], [1, 1, 1]])
        if name.startswith("v"):
            return np.array([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]])
        if name.startswith("b"):
            return np.ones((3, 3)) / 9
        if name.startswith("l"):
            return np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
        raise ValueError(name)


# --------------------------------------------------------------------------- max_pool2d

_BLOCKS = "x.reshape(*front, height // size, size, width // size, size)"
_FILLED = """    if height % size or width % size:
        raise ValueError(f"blocks of {size} do not fill {height} × {width}")
"""

max_pool2d_slips = [
    slip(
        "max_pool2d",
        "mean_for_max",
        "blocks.max(axis=(-3, -1))",
        "blocks.mean(axis=(-3, -1))",
        "keeps_the_largest_of_each_block",
        "This is the mean of each block. The largest number is wanted.",
    ),
    slip(
        "max_pool2d",
        "smallest",
        "blocks.max",
        "blocks.min",
        "keeps_the_largest_of_each_block",
        "This is the smallest number of each block. The largest is wanted.",
    ),
    slip(
        "max_pool2d",
        "largest_size",
        "blocks.max(axis=(-3, -1))",
        "np.where(np.abs(blocks.max(axis=(-3, -1))) >= np.abs(blocks.min(axis=(-3, -1))), "
        "blocks.max(axis=(-3, -1)), blocks.min(axis=(-3, -1)))",
        "keeps_the_largest_of_each_block",
        "The number of largest size is kept, its sign ignored. The largest number counts, and −1 "
        "is larger than −2.",
    ),
    slip(
        "max_pool2d",
        "axes_cut_in_the_wrong_order",
        _BLOCKS,
        "x.reshape(*front, height // size, width // size, size, size)",
        "keeps_the_largest_of_each_block",
        "The blocks hold numbers that are no neighbours. A reshape keeps the order in memory: each "
        "axis has to be cut where it is, into blocks and places within a block.",
    ),
    slip(
        "max_pool2d",
        "square_lattices_only",
        _BLOCKS,
        "x.reshape(*front, width // size, size, width // size, size)",
        "takes_blocks_of_any_size",
        "The lattice is taken for a square: its height is cut into as many blocks as its width. "
        "Height and width need not be equal.",
    ),
    slip(
        "max_pool2d",
        "blocks_and_places_exchanged",
        "axis=(-3, -1)",
        "axis=(-4, -2)",
        "takes_blocks_of_any_size",
        "The maximum runs over the blocks and not over the places within a block.",
    ),
    slip(
        "max_pool2d",
        "rest_cut_off",
        _FILLED,
        "    height, width = height - height % size, width - width % size\n"
        "    x = x[..., :height, :width]\n",
        "refuses_a_size_that_does_not_divide",
        "Rows or columns that fill no block are left out without a word. They should raise "
        "ValueError.",
    ),
    slip(
        "max_pool2d",
        "only_the_height_checked",
        "    if height % size or width % size:\n",
        "    if not width % size == 0:\n        x = x[..., : width - width % size]\n"
        "        width -= width % size\n    if height % size:\n",
        "refuses_a_size_that_does_not_divide",
        "A height that is not filled is refused, a width is not.",
    ),
    slip(
        "max_pool2d",
        "always_float",
        "blocks.max(axis=(-3, -1))",
        "blocks.max(axis=(-3, -1)).astype(float)",
        "keeps_the_dtype",
        "The result is float64 whatever came in. The largest of some whole numbers is a whole "
        "number: keep the dtype.",
    ),
]


@mistake(
    "max_pool2d",
    caught_by="knows_negative_numbers",
    hint="A maximum that starts from zero never falls below it. Start from the numbers themselves.",
)
def starts_from_zero():
    def max_pool2d(x, size):
        *front, height, width = x.shape
        if height % size or width % size:
            raise ValueError
        result = np.zeros((*front, height // size, width // size), dtype=x.dtype)
        for a in range(size):
            for b in range(size):
                result = np.maximum(result, x[..., a::size, b::size])
        return result


@mistake(
    "max_pool2d",
    caught_by="knows_negative_numbers",
    hint="The maximum starts from a number that is far below zero, and some numbers are lower "
    "still. Start from the numbers themselves, or from −inf.",
)
def starts_far_below():
    def max_pool2d(x, size):
        *front, height, width = x.shape
        if height % size or width % size:
            raise ValueError
        result = np.full((*front, height // size, width // size), -1e9)
        for a in range(size):
            for b in range(size):
                result = np.maximum(result, x[..., a::size, b::size])
        return result.astype(x.dtype)


@mistake(
    "max_pool2d",
    caught_by="keeps_every_digit_of_an_integer",
    hint="Large integers are rounded on the way: float32 has seven digits.",
)
def through_single_precision():
    def max_pool2d(x, size):
        *front, height, width = x.shape
        if height % size or width % size:
            raise ValueError
        maps = torch.tensor(x, dtype=torch.float32).reshape(-1, 1, height, width)
        pooled = nn.functional.max_pool2d(maps, size).numpy().astype(x.dtype)
        return pooled.reshape(*front, height // size, width // size)


@mistake(
    "max_pool2d",
    caught_by="refuses_a_size_that_does_not_divide",
    hint="The number of sites is compared with that of a block. The side of the blocks has to "
    "divide the height and the width, each by itself.",
)
def areas_compared():
    def max_pool2d(x, size):
        *front, height, width = x.shape
        if height * width % size**2:
            raise ValueError
        rows, columns = height // size, width // size
        blocks = x[..., : rows * size, : columns * size]
        return blocks.reshape(*front, rows, size, columns, size).max(axis=(-3, -1))


@mistake(
    "max_pool2d",
    caught_by="keeps_the_largest_of_each_block",
    hint="The blocks overlap: they move on by one site. Each should start where the last one ends.",
)
def overlapping_blocks():
    def max_pool2d(x, size):
        if x.shape[-2] % size or x.shape[-1] % size:
            raise ValueError
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(-2, -1))
        return windows.max(axis=(-2, -1))


@mistake(
    "max_pool2d",
    caught_by="takes_any_number_of_axes_in_front",
    hint="It works with two axes in front of the lattice only. There may be any number of them, or "
    "none.",
)
def batches_only():
    def max_pool2d(x, size):
        n, channels, height, width = x.shape if x.ndim != 3 else (1, *x.shape)
        if height % size or width % size:
            raise ValueError
        blocks = x.reshape(n, channels, height // size, size, width // size, size)
        return blocks.max(axis=(3, 5)).reshape(x.shape[0], -1, height // size, width // size)


@mistake(
    "max_pool2d",
    caught_by="keeps_the_largest_of_each_block",
    hint="One site of each block is picked, and the rest of the block is never looked at.",
)
def first_of_each_block():
    def max_pool2d(x, size):
        if x.shape[-2] % size or x.shape[-1] % size:
            raise ValueError
        return x[..., ::size, ::size]


@mistake(
    "max_pool2d",
    caught_by="leaves_x_unchanged",
    hint="The maxima are written into x itself: a slice with steps is a view of the caller's "
    "array, not a copy.",
)
def written_into_a_view():
    def max_pool2d(x, size):
        if x.shape[-2] % size or x.shape[-1] % size:
            raise ValueError
        result = x[..., ::size, ::size]
        for a in range(size):
            for b in range(size):
                np.maximum(result, x[..., a::size, b::size], out=result)
        return result


# ---------------------------------------------------------------- count_conv_parameters

_COUNT = "out_channels * (in_channels * kernel_size**2 + int(bias))"

count_conv_parameters_slips = [
    slip(
        "count_conv_parameters",
        "side_not_squared",
        "kernel_size**2",
        "kernel_size",
        "counts_as_torch_does",
        "A kernel of side k has k² entries.",
    ),
    slip(
        "count_conv_parameters",
        "one_bias_for_all",
        _COUNT,
        "out_channels * in_channels * kernel_size**2 + int(bias)",
        "counts_as_torch_does",
        "There is one bias for the whole layer here. Each map that comes out has its own.",
    ),
    slip(
        "count_conv_parameters",
        "a_bias_for_each_kernel",
        _COUNT,
        "out_channels * in_channels * (kernel_size**2 + int(bias))",
        "counts_as_torch_does",
        "Every kernel has a bias here. The kernels of one map that comes out share one.",
    ),
    slip(
        "count_conv_parameters",
        "a_bias_for_each_map_that_goes_in",
        _COUNT,
        "in_channels * (out_channels * kernel_size**2 + int(bias))",
        "counts_as_torch_does",
        "There is a bias for each map that goes in. It belongs to the maps that come out.",
    ),
    slip(
        "count_conv_parameters",
        "kernels_shared_between_maps",
        "in_channels * kernel_size**2",
        "kernel_size**2",
        "counts_as_torch_does",
        "One kernel serves all maps that go in. Each of them has a kernel of its own for each map "
        "that comes out.",
    ),
    slip(
        "count_conv_parameters",
        "always_a_bias",
        "int(bias)",
        "1",
        "leaves_the_bias_out_when_told",
        "The argument bias has no effect.",
    ),
    slip(
        "count_conv_parameters",
        "bias_the_wrong_way_round",
        "int(bias)",
        "int(not bias)",
        "leaves_the_bias_out_when_told",
        "Biases are counted where there are none, and left out where there are some.",
    ),
    slip(
        "count_conv_parameters",
        "no_bias",
        " + int(bias)",
        "",
        "knows_the_smallest_layers",
        "The biases are missing: one for each map that comes out.",
    ),
    slip(
        "count_conv_parameters",
        "default_without_bias",
        "bias: bool = True",
        "bias: bool = False",
        "counts_the_bias_unless_told",
        "Where bias is not named, the biases are left out: its default is True.",
    ),
    slip(
        "count_conv_parameters",
        "a_float",
        "kernel_size**2",
        "float(kernel_size) ** 2",
        "is_an_integer",
        "The number is right, but a float. Parameters come in whole numbers.",
    ),
]


# ---------------------------------------------------------------------------- ising_cnn

_CLASSIFIER = "nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2)"
_FORWARD = "return self.classifier(self.features(x).flatten(start_dim=1))"

ising_cnn_slips = [
    slip(
        "ising_cnn",
        "view_for_flatten",
        ".flatten(start_dim=1))",
        ".view(len(x), -1))",
        "takes_any_memory_layout",
        "view insists on one order of the numbers in memory and stops for a batch that has "
        "another, such as one that was indexed with a list. Flattening can copy where it has to.",
    ),
    slip(
        "ising_cnn",
        "all_weights_begin_at_zero",
        "nn.Linear(64, 2)\n        )",
        "nn.Linear(64, 2)\n        )\n        for weights in self.parameters():\n"
        "            nn.init.zeros_(weights)",
        "lets_every_parameter_take_part",
        "All weights begin at zero, so that the units of a layer are alike and stay so. Only the "
        "last layer may begin like that.",
        keeps=0.5,
    ),
    slip(
        "ising_cnn",
        "probabilities",
        "nn.Linear(64, 2)",
        "nn.Linear(64, 2), nn.Softmax(dim=1)",
        "returns_logits_not_probabilities",
        "These are probabilities. The loss takes a softmax by itself, and a second one on top "
        "makes the network slow to learn: return the logits.",
    ),
    slip(
        "ising_cnn",
        "softmax_over_the_batch",
        "nn.Linear(64, 2)",
        "nn.Linear(64, 2), nn.Softmax(dim=0)",
        "judges_each_lattice_by_itself",
        "The softmax runs over the lattices of the batch, and there should be none at all: return "
        "the logits.",
    ),
    slip(
        "ising_cnn",
        "sigmoid_at_the_end",
        "nn.Linear(64, 2)",
        "nn.Linear(64, 2), nn.Sigmoid()",
        "returns_logits_not_probabilities",
        "A sigmoid squeezes the logits into [0, 1]. The loss takes care of that: return them as "
        "they are.",
    ),
    slip(
        "ising_cnn",
        "no_dropout",
        ", nn.Dropout(0.3)",
        "",
        "drops_units_while_it_trains",
        "The dropout is missing: two calls in training mode are alike.",
    ),
    slip(
        "ising_cnn",
        "everything_dropped",
        "nn.Dropout(0.3)",
        "nn.Dropout(1.0)",
        "drops_units_while_it_trains",
        "Every unit is dropped while the network trains: nothing gets through.",
    ),
    slip(
        "ising_cnn",
        "dropout_never_off",
        _FORWARD,
        "return self.classifier(\n"
        "            nn.functional.dropout(self.features(x).flatten(start_dim=1), 0.3)\n        )",
        "is_not_random_in_evaluation_mode",
        "Units are dropped in evaluation mode too. The function dropout has to be told whether "
        "the network is training; the layer knows by itself.",
    ),
    slip(
        "ising_cnn",
        "no_activation_between_the_dense_layers",
        "64), nn.ReLU(), nn.Dropout",
        "64), nn.Dropout",
        "bends_between_its_dense_layers",
        "Two dense layers without an activation between them are one dense layer.",
    ),
    slip(
        "ising_cnn",
        "channels_halved",
        _CLASSIFIER,
        "nn.Linear(32 * 4 * 4, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 2)",
        "has_the_right_number_of_parameters",
        "The dense layer has 32 units instead of 64.",
    ),
    slip(
        "ising_cnn",
        "one_pooling_only",
        "            nn.MaxPool2d(2),\n        )\n        self.classifier = nn.Sequential(\n"
        "            nn.Linear(32 * 4 * 4, 64)",
        "        )\n        self.classifier = nn.Sequential(\n"
        "            nn.Linear(32 * 8 * 8, 64)",
        "has_the_right_number_of_parameters",
        "The second pooling is missing: 8 × 8 numbers in each map reach the dense layer instead of "
        "4 × 4.",
    ),
    slip(
        "ising_cnn",
        "one_logit",
        "nn.Linear(64, 2)",
        "nn.Linear(64, 1)",
        "gives_two_logits_for_each_lattice",
        "One number comes out for each lattice. There are two phases and two logits.",
    ),
    slip(
        "ising_cnn",
        "the_phase_itself",
        _FORWARD,
        "return self.classifier(self.features(x).flatten(start_dim=1)).argmax(dim=1)",
        "gives_two_logits_for_each_lattice",
        "The phase itself comes out. No gradient flows back through a choice: return both logits.",
    ),
    slip(
        "ising_cnn",
        "features_detached",
        "self.features(x).flatten",
        "self.features(x).detach().flatten",
        "lets_every_parameter_take_part",
        "The features are cut off from their graph: the convolutions will never learn.",
    ),
    slip(
        "ising_cnn",
        "batch_centred",
        _FORWARD,
        "return self.classifier(self.features(x - x.mean(dim=0)).flatten(start_dim=1))",
        "judges_each_lattice_by_itself",
        "The mean of the batch is subtracted: what the network says about a lattice depends on its "
        "company, and a lattice alone becomes zero.",
    ),
    slip(
        "ising_cnn",
        "logarithms_of_probabilities",
        "nn.Linear(64, 2)",
        "nn.Linear(64, 2), nn.LogSoftmax(dim=1)",
        "returns_logits_not_probabilities",
        "These are logarithms of probabilities. The loss takes the softmax and the logarithm by "
        "itself: return the logits as the last layer gives them.",
    ),
    slip(
        "ising_cnn",
        "periodic_padding",
        "nn.Conv2d(16, 32, kernel_size=3, padding=1)",
        'nn.Conv2d(16, 32, kernel_size=3, padding=1, padding_mode="circular")',
        "computes_what_its_layers_say",
        "The second convolution is periodic and the first is not. A ring of zeros around the "
        "lattice was asked for, in both.",
    ),
    slip(
        "ising_cnn",
        "periodic_padding_everywhere",
        "nn.Conv2d(1, 16, kernel_size=3, padding=1),\n            nn.ReLU(),\n"
        "            nn.MaxPool2d(2),\n            nn.Conv2d(16, 32, kernel_size=3, padding=1)",
        'nn.Conv2d(1, 16, kernel_size=3, padding=1, padding_mode="circular"),\n'
        "            nn.ReLU(),\n            nn.MaxPool2d(2),\n"
        '            nn.Conv2d(16, 32, kernel_size=3, padding=1, padding_mode="circular")',
        "computes_what_its_layers_say",
        "Both convolutions are periodic. That suits the lattice, and PeriodicCNN will do it; here "
        "a ring of zeros around the lattice was asked for.",
    ),
    slip(
        "ising_cnn",
        "activation_forgotten_after_the_second_convolution",
        "nn.Conv2d(16, 32, kernel_size=3, padding=1),\n            nn.ReLU(),",
        "nn.Conv2d(16, 32, kernel_size=3, padding=1),",
        "computes_what_its_layers_say",
        "There is no ReLU after the second convolution.",
    ),
    slip(
        "ising_cnn",
        "mean_pooling",
        "nn.MaxPool2d(2),\n            nn.Conv2d",
        "nn.AvgPool2d(2),\n            nn.Conv2d",
        "computes_what_its_layers_say",
        "The first pooling takes the mean of each block. The largest number is wanted.",
    ),
]


@mistake(
    "ising_cnn",
    caught_by="has_weights_of_its_own",
    hint="Two networks share their layers, so that training one changes the other. Each needs "
    "layers of its own.",
)
def layers_of_the_class():
    class IsingCNN(nn.Module):
        layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2),
        )  # fmt: skip

        def __init__(self):
            super().__init__()
            self.net = self.layers

        def forward(self, x):
            return self.net(x)


# ---------------------------------------------------------------------------- train_cnn


_TRAIN = """def train_cnn(model, X, y, *, epochs, generator):
    X = torch.as_tensor(X, dtype=torch.float32)
    y = torch.as_tensor(y, dtype=torch.long)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    history = []
    for epoch in range(epochs):
        model.train()
        losses = []
        for rows in torch.randperm(len(X), generator=generator).split(32):
            optimiser.zero_grad()
            loss = criterion(model(X[rows]), y[rows])
            loss.backward()
            optimiser.step()
            losses += [loss.item()] * len(rows)
        history.append(sum(losses) / len(losses))
    model.eval()
    return history
"""

training = partial(variant, "train_cnn", _TRAIN)

train_cnn_slips = [
    training(
        "not_shuffled",
        "torch.randperm(len(X), generator=generator).split(32)",
        "torch.arange(len(X)).split(32)",
        "shuffles_the_data",
        "The data come in the same order in every epoch, cold lattices first: the network forgets "
        "one phase while it learns the other. Shuffle them.",
    ),
    training(
        "generator_ignored",
        "torch.randperm(len(X), generator=generator)",
        "torch.randperm(len(X))",
        "takes_the_order_from_the_generator",
        "The order of the data comes from the global random state. generator should decide it, so "
        "that a seed gives the same training again.",
    ),
    training(
        "labels_not_shuffled",
        "            loss = criterion(model(X[rows]), y[rows])\n",
        "            loss = criterion(model(X[rows]), y[rows.sort().values])\n",
        "trains_other_networks",
        "Lattices and phases lose each other: both need the same order.",
    ),
    training(
        "squares_of_probabilities",
        "            loss.backward()\n",
        "            p = torch.softmax(model(X[rows]), dim=1)[:, 1]\n"
        "            ((p - y[rows]) ** 2).mean().backward()\n",
        "clears_gradients",
        "The history tells of the cross-entropy, but the network learns by the squared error of "
        "its probabilities. Take the gradient of the cross-entropy.",
        keeps=0.5,
    ),
    training(
        "gradients_never_cleared",
        "            optimiser.zero_grad()\n",
        "",
        "clears_gradients",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    training(
        "never_steps",
        "            optimiser.step()\n",
        "",
        "knows_unseen_configurations",
        "The weights never move: no step is taken, or zero_grad stands between backward and step.",
    ),
    training(
        "uphill",
        "loss.backward()",
        "(-loss).backward()",
        "brings_the_loss_down",
        "The loss goes up: the steps follow the gradient uphill.",
    ),
    training(
        "softmax_before_the_loss",
        "criterion(model(X[rows]), y[rows])",
        "criterion(torch.softmax(model(X[rows]), dim=1), y[rows])",
        "brings_the_loss_down",
        "The cross-entropy takes a softmax by itself. With a second one before it the loss can "
        "never fall below 0.31.",
    ),
    training(
        "logarithm_missing",
        "criterion(model(X[rows]), y[rows])",
        "nn.functional.nll_loss(model(X[rows]), y[rows])",
        "brings_the_loss_down",
        "This loss expects log-probabilities and got logits: it falls without end. The "
        "cross-entropy takes logits.",
    ),
    training(
        "squared_error",
        "criterion(model(X[rows]), y[rows])",
        "nn.functional.mse_loss(model(X[rows])[:, 1], y[rows].float())",
        "returns_the_mean_loss_of_each_epoch",
        "This is a squared error. Phases are classes: use the cross-entropy of the logits.",
    ),
    training(
        "evaluation_mode",
        "        model.train()\n",
        "",
        "trains_in_training_mode",
        "A network that comes in evaluation mode stays there: its dropout is off while it learns. "
        "Switch it to training mode first.",
    ),
    training(
        "left_in_training_mode",
        "    model.eval()\n    return history",
        "    return history",
        "leaves_the_model_in_evaluation_mode",
        "The model is left in training mode, so that whoever uses it next gets dropout. The "
        "mode has to change when the training is over.",
    ),
    training(
        "evaluation_mode_after_the_first_epoch",
        "        model.train()\n        losses = []\n",
        "        model.train(epoch == 0)\n        losses = []\n",
        "trains_in_training_mode",
        "From the second epoch on the model is in evaluation mode, and nothing is dropped. "
        "Set the mode back before the next epoch, or switch once, at the end.",
        keeps=0.95,
    ),
    training(
        "shuffled_once",
        "torch.randperm(len(X), generator=generator)",
        "torch.randperm(len(X), generator=generator.manual_seed(generator.initial_seed()))",
        "shuffles_the_data",
        "Every epoch has the same order, and so the same batches. Draw a new one in each: the "
        "generator should go on.",
        keeps=0.95,
    ),
    training(
        "with_replacement",
        "torch.randperm(len(X), generator=generator)",
        "torch.randint(len(X), (len(X),), generator=generator)",
        "shows_each_lattice_once_an_epoch",
        "The lattices of each batch are drawn with replacement: in an epoch some come twice "
        "and others never. A shuffled order has each of them once.",
        keeps=0.95,
    ),
    training(
        "a_step_an_epoch",
        "            optimiser.step()\n            losses += [loss.item()] * len(rows)\n",
        "            losses += [loss.item()] * len(rows)\n        optimiser.step()\n",
        "makes_a_step_with_each_batch",
        "There is one step for each epoch. Each batch should make one.",
        keeps=0.5,
    ),
    training(
        "last_batch_s_loss",
        "sum(losses) / len(losses)",
        "losses[-1]",
        "returns_the_mean_loss_of_each_epoch",
        "The history holds the loss of each epoch's last batch. The mean over all lattices is "
        "wanted.",
        keeps=0.95,
    ),
    training(
        "mean_over_batches",
        "            losses += [loss.item()] * len(rows)\n",
        "            losses.append(loss.item())\n",
        "returns_the_mean_loss_of_each_epoch",
        "The mean is one over batches: the last, smaller one weighs as much as the others. Weight "
        "each with its number of lattices.",
        keeps=0.95,
    ),
    training(
        "heeds_no_epochs",
        "range(epochs)",
        "range(20)",
        "returns_the_mean_loss_of_each_epoch",
        "The number of passes is written into the function, and epochs is not heeded.",
        keeps=0.95,
    ),
    training(
        "summed_over_the_lattices",
        "sum(losses) / len(losses)",
        "sum(losses)",
        "returns_the_mean_loss_of_each_epoch",
        "The losses of the lattices are added up. The history holds their mean, which does not "
        "depend on their number.",
    ),
    training(
        "divided_by_the_samples_twice",
        "            losses += [loss.item()] * len(rows)\n",
        "            losses += [loss.item() / len(rows)] * len(rows)\n",
        "returns_the_mean_loss_of_each_epoch",
        "Each batch's loss is a mean already; dividing it by the number of lattices divides twice.",
    ),
    training(
        "last_loss_alone",
        "return history",
        "return history[-1]",
        "returns_the_mean_loss_of_each_epoch",
        "A single number comes back. The history is a list with the mean loss of each epoch.",
    ),
    training(
        "one_entry_for_each_batch",
        "            losses += [loss.item()] * len(rows)\n"
        "        history.append(sum(losses) / len(losses))\n",
        "            history.append(loss.item())\n",
        "returns_the_mean_loss_of_each_epoch",
        "The history has one entry for each batch. One for each epoch is wanted, the mean of its "
        "batches.",
    ),
    training(
        "short_batch_dropped",
        "        for rows in torch.randperm(len(X), generator=generator).split(32):\n",
        "        order = torch.randperm(len(X), generator=generator)\n"
        "        for rows in order[: len(X) // 32 * 32].reshape(-1, 32):\n",
        "learns_from_a_handful",
        "The last batch is thrown away when it is not full, and with few data there is no other.",
    ),
    training(
        "spins_flipped_in_place",
        "    history = []\n",
        "    history = []\n    X[::2] *= -1  # both signs are alike\n",
        "leaves_the_data_unchanged",
        "The caller's lattices have other values after the training: `*=` and its kind write "
        "into an array, and a tensor made by as_tensor or from_numpy shares its memory.",
    ),
    training(
        "a_copy_is_trained",
        "    optimiser = torch.optim.Adam(",
        "    import copy\n\n    model = copy.deepcopy(model)\n    optimiser = torch.optim.Adam(",
        "knows_unseen_configurations",
        "A copy of the model is trained and forgotten. The model that was handed over should "
        "learn.",
    ),
]


# ------------------------------------------------------------------------- periodic_cnn

_FIRST = 'nn.Conv2d(1, channels, kernel_size=3, padding=1, padding_mode="circular")'
_SECOND = 'nn.Conv2d(channels, channels, kernel_size=3, padding=1, padding_mode="circular")'
_MEAN = "return self.output(self.features(x).mean(dim=(2, 3)))"

periodic_cnn_slips = [
    slip(
        "periodic_cnn",
        "dropout_before_the_dense_layer",
        "self.output(self.features(x).mean(dim=(2, 3)))",
        "self.output(nn.functional.dropout(self.features(x).mean(dim=(2, 3)), 0.3, self.training))",
        "has_nothing_besides",
        "There is dropout in this network, which nobody asked for: two calls in training mode "
        "disagree.",
    ),
    slip(
        "periodic_cnn",
        "all_weights_begin_at_zero",
        "self.output = nn.Linear(channels, 2)",
        "self.output = nn.Linear(channels, 2)\n        for weights in self.parameters():\n"
        "            nn.init.zeros_(weights)",
        "lets_every_parameter_take_part",
        "All weights begin at zero, so that the units of a layer are alike and stay so. Only the "
        "last layer may begin like that.",
        keeps=0.5,
    ),
    slip(
        "periodic_cnn",
        "zeros_around_the_first_layer",
        _FIRST,
        "nn.Conv2d(1, channels, kernel_size=3, padding=1)",
        "does_not_see_a_shift",
        "The first convolution puts zeros around the lattice, and so knows where its edge is. On "
        "a torus there is no edge: pad with the sites of the other side.",
    ),
    slip(
        "periodic_cnn",
        "zeros_around_the_second_layer",
        _SECOND,
        "nn.Conv2d(channels, channels, kernel_size=3, padding=1)",
        "does_not_see_a_shift",
        "The second convolution puts zeros around its maps, and so knows where their edge is. Each "
        "layer has to be periodic.",
    ),
    slip(
        "periodic_cnn",
        "mirrored",
        f"{_FIRST},\n            nn.ReLU(),\n            {_SECOND}",
        'nn.Conv2d(1, channels, kernel_size=3, padding=1, padding_mode="reflect"),\n'
        "            nn.ReLU(),\n            nn.Conv2d(channels, channels, kernel_size=3, "
        'padding=1, padding_mode="reflect")',
        "does_not_see_a_shift",
        "The lattice is mirrored at its edges. On a torus the other side follows: circular "
        "padding.",
    ),
    slip(
        "periodic_cnn",
        "pooled_in_between",
        f"{_FIRST},\n            nn.ReLU(),\n",
        f"{_FIRST},\n            nn.ReLU(),\n            nn.MaxPool2d(2),\n",
        "does_not_see_a_shift",
        "Pooling into blocks fixes where the blocks begin: a lattice shifted by a single site is "
        "cut in other places. Pool once, at the end, over all sites.",
    ),
    slip(
        "periodic_cnn",
        "no_padding",
        f"{_FIRST},\n            nn.ReLU(),\n            {_SECOND}",
        "nn.Conv2d(1, channels, kernel_size=3),\n            nn.ReLU(),\n"
        "            nn.Conv2d(channels, channels, kernel_size=3)",
        "does_not_see_a_shift",
        "Without padding the outermost sites never stand in the middle of a kernel: what is there "
        "counts less. On a torus every site has all its neighbours.",
    ),
    slip(
        "periodic_cnn",
        "no_activation",
        f"{_FIRST},\n            nn.ReLU(),\n            {_SECOND},\n            nn.ReLU(),\n",
        f"{_FIRST},\n            {_SECOND},\n",
        "looks_at_neighbours",
        "Nothing bends between the convolutions and the mean: everything together is linear in "
        "the spins, and only their mean is left.",
    ),
    slip(
        "periodic_cnn",
        "single_sites",
        f"{_FIRST},\n            nn.ReLU(),\n            {_SECOND}",
        "nn.Conv2d(1, channels, kernel_size=1),\n            nn.ReLU(),\n"
        "            nn.Conv2d(channels, channels, kernel_size=1)",
        "looks_at_neighbours",
        "Kernels of a single site see no neighbours: the spins could be shuffled.",
    ),
    slip(
        "periodic_cnn",
        "channels_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        channels = 16\n",
        "has_the_width_asked_for",
        "The argument channels has no effect on the size of the layers.",
    ),
    slip(
        "periodic_cnn",
        "probabilities",
        _MEAN,
        "return self.output(self.features(x).mean(dim=(2, 3))).softmax(dim=1)",
        "returns_logits_not_probabilities",
        "These are probabilities. The loss takes a softmax by itself: return the logits.",
    ),
    slip(
        "periodic_cnn",
        "mean_over_the_batch",
        _MEAN,
        "features = self.features(x).mean(dim=(2, 3))\n"
        "        return self.output(features - features.mean(dim=0))",
        "judges_each_lattice_by_itself",
        "A mean over the batch is subtracted: what the network says about a lattice depends on its "
        "company.",
    ),
    slip(
        "periodic_cnn",
        "features_without_a_graph",
        "self.features(x).mean",
        "self.features(x).detach().mean",
        "lets_every_parameter_take_part",
        "The features are cut off from their graph: the convolutions will never learn.",
    ),
]


@mistake(
    "periodic_cnn",
    caught_by="does_not_see_where_a_wall_is",
    hint="The lattice continues periodically in one direction only. Both pairs of edges are joined "
    "on a torus.",
)
def a_cylinder():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.first = nn.Conv2d(1, channels, 3)
            self.second = nn.Conv2d(channels, channels, 3)
            self.output = nn.Linear(channels, 2)

        def forward(self, x):
            for layer in (self.first, self.second):
                x = nn.functional.pad(x, (1, 1, 0, 0), mode="circular")
                x = torch.relu(layer(nn.functional.pad(x, (0, 0, 1, 1))))
            return self.output(x.mean(dim=(2, 3)))


@mistake(
    "periodic_cnn",
    caught_by="does_not_see_a_shift",
    hint="The means are taken over parts of the lattice, and where a part begins depends on where "
    "the lattice was cut open. Take one mean over all sites.",
)
def means_over_quarters():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 2),
            )  # fmt: skip

        def forward(self, x):
            return self.layers(x)


@mistake(
    "periodic_cnn",
    caught_by="takes_lattices_of_any_size",
    hint="A dense layer on all sites knows one size of lattice, and gives each site a weight of "
    "its own. Pool over all sites first.",
)
def one_size_only():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                nn.Flatten(), nn.Linear(256 * channels, 2),
            )  # fmt: skip

        def forward(self, x):
            return self.layers(x)


@mistake(
    "periodic_cnn",
    caught_by="has_weights_of_its_own",
    hint="Two networks of the same sizes share their layers, so that training one changes the "
    "other. Each needs layers of its own.",
)
def layers_kept_for_the_next():
    layers_of = {}

    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            if channels not in layers_of:
                layers_of[channels] = nn.Sequential(
                    nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                    nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular"),
                    nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2),
                )  # fmt: skip
            self.layers = layers_of[channels]

        def forward(self, x):
            return self.layers(x)


periodic_cnn_logarithms = slip(
    "periodic_cnn",
    "logarithms_of_probabilities",
    "return self.output(self.features(x).mean(dim=(2, 3)))",
    "return self.output(self.features(x).mean(dim=(2, 3))).log_softmax(dim=1)",
    "returns_logits_not_probabilities",
    "These are logarithms of probabilities. The loss takes the softmax and the logarithm by "
    "itself: return the logits as the last layer gives them.",
)


# --------------------------------------------------------- overflow, dropout, mean and layers


@mistake(
    "correlate1d",
    caught_by="does_not_run_over",
    hint="Signal and kernel are both int8, and so are their sums, which hold no number above "
    "127: make one of them floats.",
    keeps=0.9,
)
def runs_over_in_int8():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError("the kernel is longer than the signal")
        return np.correlate(signal, kernel, mode="valid")


@mistake(
    "convolve2d_periodic",
    caught_by="does_not_run_over",
    hint="Image and kernel are both int8, and so are their sums, which hold no number above "
    "127: make one of them floats.",
    keeps=0.95,
)
def runs_over_in_int8_too():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError("the kernel is larger than the image")
        return convolve2d(image, kernel, mode="same", boundary="wrap")


@mistake(
    "convolve2d_periodic",
    caught_by="does_not_run_over",
    hint="Whole numbers are added up in int16, which holds nothing above 32767: room for spins "
    "under a small kernel, and not for any image. Floats have room.",
    keeps=0.95,
)
def adds_up_in_int16():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError("the kernel is larger than the image")
        if image.dtype.kind == "i":
            image = image.astype(np.int16)
        return convolve2d(image, kernel, mode="same", boundary="wrap")


@mistake(
    "correlate1d",
    caught_by="does_not_run_over",
    hint="The product of an int8 number and another is int8 too, and holds nothing above 127, "
    "whatever it is added to: make one of the two a float before they are multiplied.",
    keeps=0.9,
)
def multiplies_in_int8():
    def correlate1d(signal, kernel):
        n, m = len(signal), len(kernel)
        if m > n:
            raise ValueError("the kernel is longer than the signal")
        result = np.zeros(n - m + 1)
        for i in range(len(result)):
            for k in range(m):
                result[i] += signal[i + k] * kernel[k]
        return result


@mistake(
    "convolve2d_periodic",
    caught_by="does_not_run_over",
    hint="The product of an int8 pixel and an int8 weight is int8 too, and holds nothing above "
    "127, whatever it is added to: make one of the two a float before they are multiplied.",
    keeps=0.95,
)
def multiplies_in_int8_too():
    def convolve2d_periodic(image, kernel):
        rows, columns = kernel.shape
        if rows > image.shape[0] or columns > image.shape[1]:
            raise ValueError("the kernel is larger than the image")
        result = np.zeros(image.shape)
        for (a, b), weight in np.ndenumerate(kernel):
            shift = (a - (rows - 1) // 2, b - (columns - 1) // 2)
            result += weight * np.roll(image, shift, axis=(0, 1))
        return result


_DROPOUT = "nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2)"
dropout_slips = [
    slip(
        "ising_cnn",
        name,
        _DROPOUT,
        f"nn.Linear(32 * 4 * 4, 64), nn.ReLU(), {tail}" if name != "before_both" else tail,
        "drops_three_tenths_of_the_last_hidden_units",
        hint,
        keeps=0.5,
    )
    for name, tail, hint in (
        (
            "drops_logits",
            "nn.Linear(64, 2), nn.Dropout(0.3)",
            "The dropout stands behind the last layer and drops logits. It belongs before it.",
        ),
        (
            "drops_nine_tenths",
            "nn.Dropout(0.9), nn.Linear(64, 2)",
            "Nine of ten units are dropped. The p of nn.Dropout is the part that is dropped.",
        ),
        (
            "drops_half",
            "nn.Dropout(0.5), nn.Linear(64, 2)",
            "Half of the units are dropped, as nn.Dropout does by itself. It should be 0.3.",
        ),
        (
            "before_both",
            "nn.Dropout(0.3), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 2)",
            "The dropout stands before the first dense layer. It belongs between the two.",
        ),
    )
]
drops_whole_rows = slip(
    "ising_cnn",
    "drops_whole_rows",
    "nn.Dropout(0.3)",
    "nn.Dropout1d(0.3)",
    "drops_three_tenths_of_the_last_hidden_units",
    "Dropout1d drops all units of a lattice together. nn.Dropout draws for every unit.",
    keeps=0.5,
)
drops_the_same_units = slip(
    "ising_cnn",
    "drops_the_same_units",
    "return self.classifier(self.features(x).flatten(start_dim=1))",
    "first, relu, _, last = self.classifier\n"
    "        units = relu(first(self.features(x).flatten(start_dim=1)))\n"
    "        kept = torch.rand(64) > 0.3 if self.training else 0.7\n"
    "        return last(units * kept / 0.7)",
    "drops_three_tenths_of_the_last_hidden_units",
    "One mask is drawn for the whole batch: all its lattices lose the same units. Draw for every "
    "lattice and every unit, as nn.Dropout does.",
    keeps=0.5,
)
drops_spins = slip(
    "ising_cnn",
    "drops_spins",
    "self.classifier(self.features(x)",
    "self.classifier(self.features(nn.functional.dropout(x, 0.3, self.training))",
    "drops_three_tenths_of_the_last_hidden_units",
    "Spins are dropped. The dropout belongs between the two dense layers.",
    keeps=0.5,
)
sum_over_the_sites = slip(
    "periodic_cnn",
    "sum_over_the_sites",
    ".mean(dim=(2, 3))",
    ".sum(dim=(2, 3))",
    "takes_the_mean_over_all_sites",
    "This is the sum over the sites, which grows with the lattice. The mean is asked for.",
    keeps=0.85,
)
one_convolution = slip(
    "periodic_cnn",
    "as_many_parameters_elsewhere",
    "            nn.Conv2d(channels, channels, kernel_size=3, padding=1, "
    'padding_mode="circular"),\n            nn.ReLU(),\n',
    "",
    "computes_what_its_layers_say",
    "One of the two convolutions is missing.",
    keeps=0.9,
)


@mistake(
    "periodic_cnn",
    caught_by="computes_what_its_layers_say",
    hint="The largest value of each channel is taken. The mean over all sites is asked for.",
    keeps=0.9,
)
def largest_of_each_channel():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular"),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular"),
                nn.ReLU(),
                nn.AdaptiveMaxPool2d(1),
                nn.Flatten(),
                nn.Linear(channels, 2),
            )

        def forward(self, x):
            return self.layers(x)


@mistake(
    "periodic_cnn",
    caught_by="computes_what_its_layers_say",
    hint="The layers are others: two periodic convolutions, ReLU after each, "
    "the mean, a dense layer.",
    keeps=0.9,
)
def averaged_over_all_shifts():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.inner = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
                nn.Flatten(), nn.Linear(4 * channels, 2),
            )  # fmt: skip

        def forward(self, x):
            side = x.shape[-1]
            shifts = [(i, j) for i in range(side) for j in range(side)]
            every = torch.stack([x.roll(shift, dims=(2, 3)) for shift in shifts])
            logits = self.inner(every.flatten(0, 1))
            return logits.view(len(shifts), len(x), 2).mean(dim=0)


@mistake(
    "periodic_cnn",
    caught_by="computes_what_its_layers_say",
    hint="There is one convolution only, and layers that nobody asked for. Two "
    "are wanted, each followed by ReLU.",
    keeps=0.9,
)
def one_layer_with_dropout_and_a_sum_of_means():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.conv = nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular")
            self.norm = nn.BatchNorm2d(channels)
            self.drop = nn.Dropout(0.2)
            self.head = nn.Conv2d(channels, 2, kernel_size=1)

        def forward(self, x):
            x = self.drop(torch.relu(self.norm(self.conv(x))))
            return self.head(x).sum(dim=3).sum(dim=2) / (x.shape[2] * x.shape[3])


# -------------------------------------------------------------------- right values, wrong kind

_IN_A_LIST = "The values are right, but they come back in a list. {} is wanted."

in_lists = [
    slip(
        "correlate1d",
        "sums_in_a_list",
        "return windows.astype(float) @ kernel",
        "return (windows.astype(float) @ kernel).tolist()",
        "gives_an_array",
        _IN_A_LIST.format("An array"),
    ),
    slip(
        "convolve2d_periodic",
        "image_in_lists",
        "    return result",
        "    return result.tolist()",
        "gives_an_array",
        _IN_A_LIST.format("An array"),
    ),
    slip(
        "kernels",
        "kernel_in_lists",
        "return np.array(kernels[name], dtype=float)",
        "return kernels[name]",
        "gives_arrays",
        _IN_A_LIST.format("An array"),
    ),
    slip(
        "max_pool2d",
        "blocks_in_lists",
        "return blocks.max(axis=(-3, -1))",
        "return blocks.max(axis=(-3, -1)).tolist()",
        "keeps_the_dtype",
        _IN_A_LIST.format("An array"),
    ),
]


# ---------------------------------------------- answers that nobody had seen


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="A kernel as long as the signal fits in one place, and is refused here.",
)
def kernel_as_long_as_the_signal_refused():
    def correlate1d(signal, kernel):
        if len(kernel) >= len(signal):
            raise ValueError
        return np.correlate(signal * 1.0, kernel * 1.0, "valid")


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="The signal starts again at its end. Here only places count where the whole kernel "
    "lies on it.",
)
def signal_closed_on_itself():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        n = len(signal)
        return np.array(
            [
                sum(float(signal[(i + k) % n]) * kernel[k] for k in range(len(kernel)))
                for i in range(n)
            ]
        )


@mistake(
    "correlate1d",
    caught_by="stays_on_the_signal",
    hint="Three entries are written into the sum. A kernel may have any number of them.",
)
def three_entries_always():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        s = signal * 1.0
        return s[:-2] * kernel[0] + s[1:-1] * kernel[1] + s[2:] * kernel[2]


@mistake(
    "correlate1d",
    caught_by="keeps_fractions_of_spins",
    hint="The fractions are cut off before anything is multiplied: signal and kernel are "
    "turned into whole numbers.",
)
def kernel_made_whole():
    def correlate1d(signal, kernel):
        if len(kernel) > len(signal):
            raise ValueError
        return np.correlate(signal.astype(int), kernel.astype(int), "valid")


@mistake(
    "convolve2d_periodic",
    caught_by="is_the_periodic_convolution",
    keeps=0.5,
    hint="The image is turned into whole numbers before anything is multiplied: its fractions are "
    "lost.",
)
def image_made_whole():
    from scipy.signal import convolve2d

    def convolve2d_periodic(image, kernel):
        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError("the kernel is larger than the image")
        return convolve2d(image.astype(int), kernel.astype(float), mode="same", boundary="wrap")


@mistake(
    "convolve2d_periodic",
    caught_by="keeps_fractions_of_spins",
    hint="The result has the dtype of the image, and loses its fractions where that holds "
    "whole numbers.",
)
def result_in_the_dtype_of_the_image():
    def convolve2d_periodic(image, kernel):
        H, W = image.shape
        h, w = kernel.shape
        if h > H or w > W:
            raise ValueError("kernel is larger")
        c, d = (h - 1) // 2, (w - 1) // 2
        out = np.zeros((H, W), dtype=image.dtype)
        for a in range(h):
            for b in range(w):
                out += kernel[a, b] * np.roll(image, (a - c, b - d), axis=(0, 1)).astype(float)
        return out


@mistake(
    "convolve2d_periodic",
    caught_by="takes_kernels_as_large_as_the_image",
    hint="A kernel as tall or as wide as the image is refused. It still fits.",
)
def kernel_as_large_as_the_image_refused():
    def convolve2d_periodic(image, kernel):
        H, W = image.shape
        h, w = kernel.shape
        if h >= H or w >= W:
            raise ValueError("kernel is larger")
        c, d = (h - 1) // 2, (w - 1) // 2
        out = np.zeros((H, W))
        for a in range(h):
            for b in range(w):
                out += kernel[a, b] * np.roll(image, (a - c, b - d), axis=(0, 1)).astype(float)
        return out


@mistake(
    "convolve2d_periodic",
    caught_by="takes_kernels_that_are_not_square",
    hint="Height and width of the kernel are exchanged where its centre is worked out.",
)
def centre_of_the_other_axis():
    def convolve2d_periodic(image, kernel):
        H, W = image.shape
        h, w = kernel.shape
        if h > H or w > W:
            raise ValueError("kernel is larger")
        d, c = (h - 1) // 2, (w - 1) // 2
        out = np.zeros((H, W))
        for a in range(h):
            for b in range(w):
                out += kernel[a, b] * np.roll(image, (a - c, b - d), axis=(0, 1)).astype(float)
        return out


@mistake(
    "convolve2d_periodic",
    caught_by="takes_kernels_that_are_not_square",
    hint="Image and kernel are taken for squares: the height stands for the width too.",
)
def squares_only():
    def convolve2d_periodic(image, kernel):
        H = len(image)
        k = len(kernel)
        if k > H:
            raise ValueError
        c = (k - 1) // 2
        out = np.zeros((H, H))
        for i in range(H):
            for j in range(H):
                for a in range(k):
                    for b in range(k):
                        out[i, j] += kernel[a, b] * float(image[(i + c - a) % H, (j + c - b) % H])
        return out


@mistake(
    "kernels",
    caught_by="has_the_horizontal_edges",
    hint="The middle of an edge counts twice here, as in Sobel's kernels. Here each row, or "
    "each column, is one number.",
    keeps=0.5,
)
def middle_of_the_edge_counts_twice():
    def kernel(name):
        e = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
        t = {
            "horizontal": e,
            "vertical": e.T,
            "blur": np.ones((3, 3)) / 9,
            "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        }
        if name not in t:
            raise ValueError
        return t[name]


@mistake(
    "kernels",
    caught_by="has_the_blur",
    hint="The sites have different weights in this blur. It is the mean of the nine, each alike.",
)
def blur_weighted():
    def kernel(name):
        e = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
        b = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        t = {
            "horizontal": e,
            "vertical": e.T,
            "blur": b,
            "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        }
        if name not in t:
            raise ValueError
        return t[name]


@mistake(
    "kernels",
    caught_by="refuses_other_names",
    hint="An unknown name should raise ValueError; here nothing comes back.",
)
def nothing_for_unknown_names():
    def kernel(name):
        e = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
        t = {
            "horizontal": e,
            "vertical": e.T,
            "blur": np.ones((3, 3)) / 9,
            "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        }
        return t.get(name)


@mistake(
    "kernels",
    caught_by="refuses_other_names",
    hint="An unknown name should raise ValueError; here it gives the last kernel.",
)
def laplacian_for_unknown_names():
    def kernel(name):
        e = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
        if name == "horizontal":
            return e
        elif name == "vertical":
            return e.T
        elif name == "blur":
            return np.ones((3, 3)) / 9
        else:
            return np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])


@mistake(
    "kernels",
    caught_by="has_the_blur",
    hint="The ninth is rounded to three digits. Let the computer divide.",
)
def blur_of_three_digits():
    def kernel(name):
        e = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
        t = {
            "horizontal": e,
            "vertical": e.T,
            "blur": np.full((3, 3), 0.111),
            "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        }
        if name not in t:
            raise ValueError
        return t[name]


@mistake(
    "max_pool2d",
    caught_by="takes_blocks_of_any_size",
    hint="The blocks are 2 × 2 whatever size is.",
    keeps=0.5,
)
def blocks_of_two_always():
    def max_pool2d(x, size):
        H, W = x.shape[-2:]
        if H % size or W % size:
            raise ValueError
        return np.maximum(
            np.maximum(x[..., ::2, ::2], x[..., 1::2, ::2]),
            np.maximum(x[..., ::2, 1::2], x[..., 1::2, 1::2]),
        )


@mistake(
    "max_pool2d",
    caught_by="takes_any_number_of_axes_in_front",
    hint="It works for a single lattice only. There may be any number of axes in front.",
)
def no_axis_in_front():
    def max_pool2d(x, size):
        H, W = x.shape
        if H % size or W % size:
            raise ValueError
        return x.reshape(H // size, size, W // size, size).max(axis=(1, 3))


@mistake(
    "max_pool2d",
    caught_by="keeps_the_largest_of_each_block",
    hint="Only the rows are pooled. The columns are cut into blocks too.",
)
def pooled_in_one_direction():
    def max_pool2d(x, size):
        *front, H, W = x.shape
        if H % size or W % size:
            raise ValueError
        return x.reshape(*front, H // size, size, W).max(axis=-2)


@mistake(
    "max_pool2d",
    caught_by="knows_negative_numbers",
    hint="The absolute values are compared and come back. −5 is smaller than 1.",
)
def largest_in_size():
    def max_pool2d(x, size):
        *front, H, W = x.shape
        if H % size or W % size:
            raise ValueError
        return np.abs(x).reshape(*front, H // size, size, W // size, size).max(axis=(-3, -1))


@mistake(
    "count_conv_parameters",
    caught_by="counts_as_torch_does",
    hint="The kernels have nine entries whatever kernel_size is.",
)
def three_by_three_always():
    def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):
        return out_channels * (in_channels * 9 + (1 if bias else 0))


@mistake(
    "count_conv_parameters",
    caught_by="counts_as_torch_does",
    hint="One side of the kernels is always 3 here. A kernel of side n has n² entries.",
)
def one_side_always_three():
    def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):
        return out_channels * (in_channels * kernel_size * 3 + (1 if bias else 0))
