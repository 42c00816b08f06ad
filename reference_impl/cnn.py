"""Kernels that slide over a lattice, and networks made of them that tell the Ising phases apart.

J = k_B = 1. Spins are +1 and −1; phase 0 is ordered, phase 1 disordered. A lattice's rows are its
second last axis, its columns the last.
"""

import math

import numpy as np
import torch
from torch import nn


def correlate1d(signal: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slides a kernel along a signal and adds up what lies under it, weighted by the kernel.

    result[i] = Σ_k signal[i + k] · kernel[k], for every i where the whole kernel lies on the
    signal. The kernel is not flipped.

    signal: array (n,). kernel: array (m,), m at most n; ValueError if the kernel is longer than
    the signal. Both of any integer or float dtype; spins may come as int8.

    Returns an array (n − m + 1,), fractions kept whatever the dtype of the signal, and products and
    sums above 127 too, which int8 does not hold.

    Example: [1, 0, −1, 1, −1, 0, 1, −1] and the kernel [1, 0, −1] give [2, −1, 0, 1, −2, 1].
    """
    if len(kernel) > len(signal):
        raise ValueError("the kernel is longer than the signal")
    windows = np.lib.stride_tricks.sliding_window_view(signal, len(kernel))
    return windows.astype(float) @ kernel


def convolve2d_periodic(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolves an image with a kernel; beyond each edge the image starts again on the other side.

    result[i, j] = Σ_ab kernel[a, b] · image[i + c − a, j + d − b], indices of the image modulo its
    height and width. The minus signs make it a convolution: the kernel is flipped in both
    directions. Its centre is (c, d) = ((K_h − 1) // 2, (K_w − 1) // 2) for a kernel of K_h rows
    and K_w columns: the middle where there is one, the entry above or left of it where K_h or
    K_w is even.

    image: array (H, W). kernel: array (K_h, K_w), neither taller nor wider than the image;
    ValueError otherwise. Both of any integer or float dtype; spins may come as int8.

    Returns an array (H, W), fractions kept whatever the dtype of the image, and products and sums
    above 127 too, which int8 does not hold. It is what scipy.signal.convolve2d gives for
    mode="same" and boundary="wrap" and floats.

    Example: an image of zeros with a single 1, far from the edges, gives the kernel, as it is,
    with its centre where the 1 was.
    """
    rows, columns = kernel.shape
    if rows > image.shape[0] or columns > image.shape[1]:
        raise ValueError("the kernel is larger than the image")
    result = np.zeros(image.shape)
    for (a, b), weight in np.ndenumerate(kernel):
        down, right = a - (rows - 1) // 2, b - (columns - 1) // 2
        result += float(weight) * np.roll(image, (down, right), axis=(0, 1))
    return result


def kernel(name: str) -> np.ndarray:
    """A 3×3 kernel by its name.

    "horizontal": its rows are −1, 0 and 1; it finds horizontal edges.
    "vertical": its columns are −1, 0 and 1; it finds vertical edges.
    "blur": the mean of the nine sites.
    "laplacian": the four neighbours, each once, minus four times the middle; corners are 0.

    Returns an array (3, 3). ValueError for any other name.

    Example: the middle row of kernel("laplacian") is [1, −4, 1].
    """
    kernels = {
        "horizontal": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
        "vertical": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
        "blur": [[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]],
        "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    }
    if name not in kernels:
        raise ValueError(f"there is no kernel {name!r}, only {', '.join(kernels)}")
    return np.array(kernels[name], dtype=float)


def max_pool2d(x: np.ndarray, size: int) -> np.ndarray:
    """Cuts the last two axes into blocks of size × size and keeps the largest number of each.

    x: array (…, H, W) with any number of axes in front, none included; any integer or float
    dtype. size: a whole number that divides H and W; ValueError if it does not divide both.

    Returns an array (…, H / size, W / size) of the same dtype.

    Example: [[1, 4, 2, 6], [3, 0, 9, 7]] and size = 2 give [[4, 9]].
    """
    *front, height, width = x.shape
    if height % size or width % size:
        raise ValueError(f"blocks of {size} do not fill {height} × {width}")
    blocks = x.reshape(*front, height // size, size, width // size, size)
    return blocks.max(axis=(-3, -1))


def count_conv_parameters(
    in_channels: int, out_channels: int, kernel_size: int, bias: bool = True
) -> int:
    """How many numbers a convolutional layer learns.

    in_channels, out_channels: maps that go in and maps that come out. Each map that comes out has
    a kernel of its own for each map that goes in, and one bias, unless bias is False.
    kernel_size: the side of the square kernels.

    Returns an int. The size of the lattice does not matter.

    Example: count_conv_parameters(1, 16, 3) is 160.
    """
    return out_channels * (in_channels * kernel_size**2 + int(bias))


class IsingCNN(nn.Module):
    """A network that takes lattices of 16 × 16 spins and says which phase they are in.

    1. convolution from 1 to 16 channels, 3×3, one ring of zeros around the lattice (padding=1);
       ReLU; 2×2 max pooling: 16 × 8 × 8
    2. convolution from 16 to 32 channels, likewise; ReLU; 2×2 max pooling: 32 × 4 × 4
    3. all 512 numbers in a row; dense layer to 64; ReLU; dropout 0.3
    4. dense layer to 2

    Takes float32 tensors (N, 1, 16, 16) in any memory layout: a batch that was cut out of a larger
    array, or indexed with a list, may lie in memory in another order than its shape suggests.

    Returns logits (N, 2), any real numbers; the larger one names the phase, 0 ordered or 1
    disordered. No softmax: the loss includes it. Random, because of the dropout, in training mode
    only.

    Example: it has 37762 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(start_dim=1))


def train_cnn(
    model: nn.Module,
    X: np.ndarray | torch.Tensor,
    y: np.ndarray | torch.Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
) -> list[float]:
    """Trains a classifier of lattices on shuffled mini-batches.

    model: any network that takes (N, 1, L, L) and returns logits (N, 2); it is trained as it is,
    in training mode, and left in evaluation mode.
    X: spins (N, 1, L, L). y: their phases (N,), whole numbers 0 and 1. Arrays or tensors; they
    may be sorted, and are left unchanged.
    epochs: the largest number of passes over the data, each of which shows every lattice once and
    makes a step with each batch; stopping sooner is allowed.
    generator: decides in which order the data come, anew for every epoch. The same seed gives the
    same order, whatever the global random state, which is for the dropout alone.

    Minimises the cross-entropy between logits and phases, with any optimiser. It helps to let the
    step size fall to zero towards the end: with a constant one the last few batches decide where
    the training happens to stop.

    Returns the history: a list of floats, for each epoch the mean cross-entropy over its data; a
    smaller last batch weighs less.

    The hidden checks hand over a network of IsingCNN's layers, 600 configurations at temperatures
    from 1.0 to 2.0 and from 2.5 to 4.0, in the order of their temperatures, and epochs = 10. Of
    600 unseen configurations, each from a chain of its own, more than 95 % have to be told right,
    and the loss has to end between 0 and 0.25. All checks together may take 90 s.

    Example: as long as a network gives two equal logits, the loss is ln 2 ≈ 0.693.
    """
    X = torch.as_tensor(X, dtype=torch.float32)
    y = torch.as_tensor(y, dtype=torch.long)
    batch_size = 32
    steps = epochs * math.ceil(len(X) / batch_size)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=steps)
    history = []
    model.train()
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(X), generator=generator).split(batch_size):
            loss = nn.functional.cross_entropy(model(X[chosen]), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        history.append(total / len(X))
    model.eval()
    return history


class PeriodicCNN(nn.Module):
    """A network for lattices of any size that does not see where the lattice was cut open.

    Two 3×3 convolutions with periodic (circular) padding, each to `channels` channels and
    followed by ReLU; no pooling into blocks; the mean of each channel over all sites; a dense
    layer to 2. Nothing else, no dropout either.

    Takes float32 tensors (N, 1, L, L), any L from 4 on. Returns logits (N, 2) as IsingCNN does.
    Shifting a lattice in any direction, by any number of sites, leaves its logits as they are, up
    to rounding. Shuffling its spins does not: the network looks at neighbours.

    Example: PeriodicCNN(channels=16) has 2514 parameters.
    """

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, kernel_size=3, padding=1, padding_mode="circular"),
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size=3, padding=1, padding_mode="circular"),
            nn.ReLU(),
        )
        self.output = nn.Linear(channels, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.features(x).mean(dim=(2, 3)))
