"""Right answers to cnn in other styles."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# -------------------------------------------------------------------------- correlate1d


@alternative("correlate1d")
def numpy_correlate():
    def correlate1d(signal, kernel):
        if np.size(kernel) > np.size(signal):
            raise ValueError("kernel too long")
        return np.correlate(np.asarray(signal, float), np.asarray(kernel, float), mode="valid")


@alternative("correlate1d")
def two_loops():
    def correlate1d(signal, kernel):
        n, m = len(signal), len(kernel)
        if m > n:
            raise ValueError(f"{m} > {n}")
        result = []
        for i in range(n - m + 1):
            total = 0.0
            for k in range(m):
                total += float(signal[i + k]) * kernel[k]
            result.append(total)
        return np.array(result)


@alternative("correlate1d")
def torch_conv1d():
    def correlate1d(signal, kernel):
        if kernel.shape[0] > signal.shape[0]:
            raise ValueError("the kernel does not fit")
        s = torch.tensor(signal, dtype=torch.float32).view(1, 1, -1)
        k = torch.tensor(kernel, dtype=torch.float32).view(1, 1, -1)
        return nn.functional.conv1d(s, k).flatten().numpy()


@alternative("correlate1d")
def shifted_slices():
    def correlate1d(signal, kernel):
        length = len(signal) - len(kernel) + 1
        if length < 1:
            raise ValueError("the kernel is longer than the signal")
        return sum(float(weight) * signal[k : k + length] for k, weight in enumerate(kernel))


# ------------------------------------------------------------------ convolve2d_periodic


@alternative("convolve2d_periodic")
def scipy_wrap():
    def convolve2d_periodic(image, kernel):
        from scipy.signal import convolve2d

        if (np.array(kernel.shape) > np.array(image.shape)).any():
            raise ValueError("kernel larger than image")
        return convolve2d(image.astype(float), kernel, mode="same", boundary="wrap")


@alternative("convolve2d_periodic")
def four_loops():
    def convolve2d_periodic(image, kernel):
        H, W = image.shape
        Kh, Kw = kernel.shape
        if Kh > H or Kw > W:
            raise ValueError("kernel larger than image")
        out = np.zeros((H, W))
        for i in range(H):
            for j in range(W):
                for a in range(Kh):
                    for b in range(Kw):
                        pixel = image[(i + (Kh - 1) // 2 - a) % H, (j + (Kw - 1) // 2 - b) % W]
                        out[i, j] += float(kernel[a, b]) * pixel
        return out


@alternative("convolve2d_periodic")
def fourier():
    def convolve2d_periodic(image, kernel):
        rows, columns = kernel.shape
        if rows > image.shape[0] or columns > image.shape[1]:
            raise ValueError("kernel larger than image")
        padded = np.zeros(image.shape)
        padded[:rows, :columns] = kernel
        padded = np.roll(padded, (-((rows - 1) // 2), -((columns - 1) // 2)), axis=(0, 1))
        product = np.fft.rfft2(image) * np.fft.rfft2(padded)
        return np.fft.irfft2(product, s=image.shape)


@alternative("convolve2d_periodic")
def padded_and_windowed():
    def convolve2d_periodic(image, kernel):
        if any(k > n for k, n in zip(kernel.shape, image.shape, strict=True)):
            raise ValueError("kernel larger than image")
        pads = [(k // 2, (k - 1) // 2) for k in kernel.shape]
        padded = np.pad(np.asarray(image, dtype=float), pads, mode="wrap")
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
        return np.einsum("ijab,ab->ij", windows, kernel[::-1, ::-1])


@alternative("convolve2d_periodic")
def torch_conv2d():
    def convolve2d_periodic(image, kernel):
        (H, W), (h, w) = image.shape, kernel.shape
        if h > H or w > W:
            raise ValueError("kernel larger than image")
        rows = (torch.arange(H + h - 1) - h // 2) % H
        columns = (torch.arange(W + w - 1) - w // 2) % W
        x = torch.as_tensor(image, dtype=torch.float32)[rows][:, columns]
        k = torch.as_tensor(kernel.copy(), dtype=torch.float32).flip(0, 1)
        return nn.functional.conv2d(x[None, None], k[None, None])[0, 0].numpy()


@alternative("convolve2d_periodic")
def ndimage_correlate():
    def convolve2d_periodic(image, kernel):
        from scipy.ndimage import correlate

        if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:
            raise ValueError("kernel larger than image")
        return correlate(image.astype(np.float32), np.flip(kernel), mode="wrap")


# ------------------------------------------------------------------------------ kernels


@alternative("kernels")
def outer_products():
    def kernel(name):
        edge, flat = np.array([-1.0, 0.0, 1.0]), np.ones(3)
        if name == "horizontal":
            return np.outer(edge, flat)
        if name == "vertical":
            return np.outer(flat, edge)
        if name == "blur":
            return np.full((3, 3), 1 / 9, dtype=np.float32)
        if name == "laplacian":
            second = np.array([1, -2, 1])
            middle = np.array([0, 1, 0])
            return np.outer(second, middle) + np.outer(middle, second)
        raise ValueError(name)


@alternative("kernels")
def integers_where_possible():
    KERNELS = {
        "horizontal": np.array([[-1] * 3, [0] * 3, [1] * 3]),
        "vertical": np.array([[-1, 0, 1]] * 3),
        "blur": np.ones((3, 3)) / 9,
        "laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.int8),
    }

    def kernel(name):
        try:
            return KERNELS[name].copy()
        except KeyError:
            raise ValueError(f"unknown kernel: {name}") from None


@alternative("kernels")
def match_statement():
    def kernel(name):
        match name:
            case "horizontal":
                return -kernel("vertical").T[::-1, ::-1]
            case "vertical":
                return np.tile(np.arange(-1.0, 2.0), (3, 1))
            case "blur":
                return np.mean(np.ones((1, 9, 1)), axis=0).repeat(9).reshape(9, 9)[:3, :3] / 9
            case "laplacian":
                grid = np.abs(np.arange(3) - 1)
                distance = grid[:, None] + grid
                return np.where(distance == 0, -4.0, np.where(distance == 1, 1.0, 0.0))
            case _:
                raise ValueError("no such kernel")


# --------------------------------------------------------------------------- max_pool2d


@alternative("max_pool2d")
def maximum_of_slices():
    def max_pool2d(x, size):
        if x.shape[-2] % size != 0 or x.shape[-1] % size != 0:
            raise ValueError("size must divide height and width")
        result = x[..., ::size, ::size].copy()
        for a in range(size):
            for b in range(size):
                np.maximum(result, x[..., a::size, b::size], out=result)
        return result


@alternative("max_pool2d")
def block_by_block():
    def max_pool2d(x, size):
        H, W = x.shape[-2:]
        if H % size or W % size:
            raise ValueError("does not divide")
        out = np.empty((*x.shape[:-2], H // size, W // size), dtype=x.dtype)
        for index in np.ndindex(*x.shape[:-2]):
            for i in range(H // size):
                for j in range(W // size):
                    block = x[index][i * size : (i + 1) * size, j * size : (j + 1) * size]
                    out[(*index, i, j)] = block.max()
        return out


@alternative("max_pool2d")
def torch_pooling():
    def max_pool2d(x, size):
        *front, H, W = x.shape
        if H % size or W % size:
            raise ValueError("does not divide")
        flat = torch.tensor(x.reshape(-1, 1, H, W).astype(np.float64))
        pooled = nn.functional.max_pool2d(flat, kernel_size=size, stride=size)
        return pooled.numpy().reshape(*front, H // size, W // size).astype(x.dtype)


@alternative("max_pool2d")
def first_rows_then_columns():
    def max_pool2d(x, size):
        if x.shape[-2] % size or x.shape[-1] % size:
            raise ValueError("does not divide")
        rows = np.maximum.reduceat(x, np.arange(0, x.shape[-2], size), axis=-2)
        return np.maximum.reduceat(rows, np.arange(0, x.shape[-1], size), axis=-1)


# ---------------------------------------------------------------- count_conv_parameters


@alternative("count_conv_parameters")
def asks_torch():
    def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):
        layer = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias)
        return sum(p.numel() for p in layer.parameters())


@alternative("count_conv_parameters")
def weights_and_then_biases():
    def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):
        count = in_channels * out_channels * kernel_size * kernel_size
        if bias:
            count += out_channels
        return count


@alternative("count_conv_parameters")
def product_of_a_shape():
    def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):
        weights = np.prod([out_channels, in_channels, kernel_size, kernel_size])
        return weights + (out_channels if bias else 0)


# ---------------------------------------------------------------------------- ising_cnn


@alternative("ising_cnn")
def layers_one_by_one():
    class IsingCNN(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = torch.nn.Conv2d(1, 16, 3, padding="same")
            self.conv2 = torch.nn.Conv2d(16, 32, 3, padding="same")
            self.fc1 = torch.nn.Linear(512, 64)
            self.fc2 = torch.nn.Linear(64, 2)

        def forward(self, x):
            x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
            x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
            x = torch.relu(self.fc1(x.reshape(x.shape[0], -1)))
            x = torch.nn.functional.dropout(x, 0.3, training=self.training)
            return self.fc2(x)


@alternative("ising_cnn")
def one_sequential():
    class IsingCNN(nn.Sequential):
        def __init__(self):
            super().__init__(
                nn.Conv2d(1, 16, 3, 1, 1), nn.MaxPool2d(2), nn.ReLU(),
                nn.Conv2d(16, 32, 3, 1, 1), nn.MaxPool2d(2), nn.ReLU(),
                nn.Flatten(), nn.Linear(512, 64), nn.Dropout(0.3), nn.ReLU(), nn.Linear(64, 2),
            )  # fmt: skip


@alternative("ising_cnn")
def convolutions_only():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            )  # fmt: skip
            self.dense = nn.Conv2d(32, 64, 4)
            self.drop = nn.Dropout(p=0.3)
            self.out = nn.Conv2d(64, 2, 1)

        def forward(self, x):
            x = x.contiguous().float()
            return self.out(self.drop(torch.relu(self.dense(self.body(x)))))[:, :, 0, 0]


@alternative("ising_cnn")
def weights_by_hand():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            shapes = [(16, 1, 3, 3), (16,), (32, 16, 3, 3), (32,), (512, 64), (64,), (64, 2), (2,)]
            sizes = [9, 9, 144, 144, 512, 512, 64, 64]
            self.weights = nn.ParameterList(
                [nn.Parameter(torch.randn(s) / n**0.5) for s, n in zip(shapes, sizes, strict=True)]
            )

        def forward(self, x):
            w = self.weights
            for kernel, bias in ((w[0], w[1]), (w[2], w[3])):
                x = nn.functional.conv2d(x, kernel, bias, padding=1).clamp(min=0)
                n, c, h, v = x.shape
                x = x.reshape(n, c, h // 2, 2, v // 2, 2).amax(dim=(3, 5))
            x = (torch.flatten(x, 1) @ w[4] + w[5]).relu()
            if self.training:
                x = x * (torch.rand_like(x) > 0.3) / 0.7
            return x @ w[6] + w[7]


@alternative("ising_cnn")
def channels_last_in_the_row():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.ModuleList(
                [nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)]
            )
            self.dense, self.last = nn.Linear(512, 64), nn.Linear(64, 2)

        def forward(self, x):
            for convolution in self.maps:
                x = nn.functional.max_pool2d(convolution(x).relu(), 2)
            x = torch.einsum("nchw->nhwc", x).reshape(x.shape[0], -1)
            x = nn.functional.dropout(self.dense(x).relu(), 0.3, self.training)
            return self.last(x)


@alternative("ising_cnn")
def kernels_in_a_table():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.dense = nn.Linear(64, 2), nn.Linear(512, 64)
            self.second = nn.Parameter(torch.randn(16 * 9, 32) / 12)
            self.first = nn.Parameter(torch.randn(9, 16) / 3)
            self.b = nn.ParameterList([torch.zeros(1, 16, 1), torch.zeros(1, 32, 1)])

        def forward(self, x):
            for table, bias in zip((self.first, self.second), self.b, strict=True):
                windows = nn.functional.unfold(x, 3, padding=1)
                maps = (table.T @ windows + bias).reshape(len(x), -1, *x.shape[2:])
                x = nn.functional.max_pool2d(maps.relu(), 2)
            x = nn.functional.dropout(self.dense(x.flatten(1)).relu(), 0.3, self.training)
            return self.last(x)


@alternative("ising_cnn")
def means_at_first_in_double_precision():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 16, 3, padding=1)
            nn.init.constant_(self.one.weight, 1 / 9)
            self.two = nn.Conv2d(16, 32, 3, padding=1)
            self.hidden, self.logits = nn.Linear(512, 64), nn.Linear(64, 2)
            self.double()

        def forward(self, x):
            for convolution in (self.one, self.two):
                x = nn.functional.max_pool2d(torch.relu(convolution(x.double())), 2)
            x = torch.relu(self.hidden(x.flatten(1)))
            return self.logits(nn.functional.dropout(x, 0.3, self.training)).float()


@alternative("ising_cnn")
def last_layer_that_begins_at_zero():
    class IsingCNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Sequential(
                nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            )  # fmt: skip
            self.hidden = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.3))
            self.logits = nn.Linear(64, 2)
            nn.init.zeros_(self.logits.weight)
            nn.init.zeros_(self.logits.bias)

        def forward(self, x):
            return self.logits(self.hidden(self.maps(x).flatten(1)))


# ---------------------------------------------------------------------------- train_cnn


@alternative("train_cnn")
def plain_adam():
    def train_cnn(model, X, y, *, epochs, generator):
        X = torch.as_tensor(X, dtype=torch.float32)
        y = torch.as_tensor(y, dtype=torch.long)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        history = []
        for _ in range(epochs):
            model.train()
            losses, sizes = [], []
            for rows in torch.randperm(len(X), generator=generator).split(64):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
                sizes.append(len(rows))
            history.append(float(np.average(losses, weights=sizes)))
        model.eval()
        return history


@alternative("train_cnn")
def data_loader():
    def train_cnn(model, X, y, *, epochs, generator):
        from torch.utils.data import DataLoader, TensorDataset

        data = TensorDataset(torch.as_tensor(X).float(), torch.as_tensor(y).long())
        loader = DataLoader(data, batch_size=32, shuffle=True, generator=generator)
        criterion = nn.CrossEntropyLoss()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        history = []
        model.train()
        for _ in range(epochs):
            running = 0.0
            for batch, labels in loader:
                loss = criterion(model(batch), labels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                running += loss.item() * len(batch)
            history.append(running / len(data))
        model.eval()
        return history


@alternative("train_cnn")
def momentum_and_early_stopping():
    def train_cnn(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X, dtype=torch.float), torch.as_tensor(y, dtype=torch.int64)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        history = []
        model.train()
        while len(history) < epochs and (not history or history[-1] > 0.02):
            losses = torch.zeros(0)
            order = torch.randperm(X.size(0), generator=generator)
            for start in range(0, X.size(0), 32):
                rows = order[start : start + 32]
                logs = torch.log_softmax(model(X[rows]), dim=1)
                loss = -logs.gather(1, y[rows, None]).squeeze(1)
                optimiser.zero_grad()
                loss.mean().backward()
                optimiser.step()
                losses = torch.cat([losses, loss.detach()])
            history.append(losses.mean().item())
        model.eval()
        return history


@alternative("train_cnn")
def flipped_spins_and_large_batches():
    def train_cnn(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
        history = []
        model.train()
        for _ in range(epochs):
            order = torch.randperm(len(X), generator=generator)
            signs = 2 * torch.randint(2, (len(X), 1, 1, 1), generator=generator) - 1
            total = 0.0
            for rows in order.split(100):
                loss = nn.functional.cross_entropy(model(signs[rows] * X[rows]), y[rows])
                optimiser.zero_grad(set_to_none=False)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                total += float(loss) * len(rows)
            history.append(total / len(X))
        model.train(False)
        return history


@alternative("train_cnn")
def numpy_order_and_small_steps():
    def train_cnn(model, X, y, *, epochs, generator):
        rng = np.random.default_rng(generator.initial_seed())
        X, y = np.asarray(X, dtype=np.float32), np.asarray(y)
        optimiser = torch.optim.RMSprop(model.parameters(), lr=5e-4)
        history = []
        for _ in range(epochs):
            model.train()
            losses = []
            for rows in np.array_split(rng.permutation(len(X)), -(-len(X) // 20)):
                xb, yb = torch.from_numpy(X[rows]), torch.from_numpy(y[rows])
                model.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(xb), yb, reduction="sum")
                (loss / len(rows)).backward()
                optimiser.step()
                losses.append(loss.detach())
            history.append(torch.stack(losses).sum() / len(X))
            model.eval()
        return history


# ------------------------------------------------------------------------- periodic_cnn


@alternative("periodic_cnn")
def padded_by_hand():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.conv1 = nn.Conv2d(1, channels, 3)
            self.conv2 = nn.Conv2d(channels, channels, 3)
            self.head = nn.Linear(channels, 2)

        def forward(self, x):
            for conv in (self.conv1, self.conv2):
                x = torch.relu(conv(nn.functional.pad(x, (1, 1, 1, 1), mode="circular")))
            return self.head(x.mean(dim=(-2, -1)))


@alternative("periodic_cnn")
def local_means_at_first_in_double_precision():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.one = nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular")
            nn.init.constant_(self.one.weight, 1 / 9)
            self.two = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular")
            self.head = nn.Linear(channels, 2)
            self.double()

        def forward(self, x):
            x = torch.relu(self.two(torch.relu(self.one(x.double()))))
            return self.head(x.mean(dim=(2, 3)))


@alternative("periodic_cnn")
def head_that_begins_at_zero():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.conv1 = nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular")
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular")
            self.head = nn.Linear(channels, 2)
            for weights in self.head.parameters():
                nn.init.zeros_(weights)

        def forward(self, x):
            x = nn.functional.relu(self.conv1(x))
            x = nn.functional.relu(self.conv2(x))
            return self.head(x.flatten(2).mean(dim=2))


@alternative("periodic_cnn")
def windows_of_nine():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.first = nn.Linear(9, channels)
            self.second = nn.Linear(9 * channels, channels)
            self.last = nn.Linear(channels, 2)

        def windows(self, x):
            moves = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            return torch.cat([x.roll(move, dims=(1, 2)) for move in moves], dim=3)

        def forward(self, x):
            x = x.permute(0, 2, 3, 1)
            x = torch.relu(self.first(self.windows(x)))
            x = torch.relu(self.second(self.windows(x)))
            return self.last(x.mean(dim=(1, 2)))


@alternative("periodic_cnn")
def dense_layer_as_a_convolution():
    class PeriodicCNN(nn.Module):
        def __init__(self, channels=16):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Conv2d(1, channels, 3, padding="same", padding_mode="circular"),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding="same", padding_mode="circular"),
                nn.ReLU(),
                nn.Conv2d(channels, 2, kernel_size=1),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            )

        def forward(self, x):
            return self.layers(x)
