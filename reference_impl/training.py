"""Losses, optimisers, mini-batches and guards against overfitting, each a few lines of PyTorch."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn


def derivative(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The slope df/dx at every element of x, through autograd: exact to rounding.

    f: a function of a tensor that treats every element (or every row of a column) by itself.
    x: float tensor of any shape. It is left as it was, its requires_grad and .grad included.

    Returns a tensor of x's shape and dtype.

    Example: f(x) = x³ + 2x at x = 3 has the slope 29.
    """
    x = x.detach().clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(f(x).sum(), x)  # elements do not mix: each keeps its own slope
    return slope


class MLP(nn.Module):
    """A fully connected network: ReLU after every hidden layer, nothing after the last.

    MLP(input_dim, hidden_dims, output_dim) maps (N, input_dim) to (N, output_dim).
    hidden_dims: the widths of the hidden layers, any number of them. With none, [], the network
    is a single linear layer.

    Every layer has weights and biases, so that MLP(1, [64, 64], 1) has 4353 parameters. There is
    nothing else, no dropout either: in training and in evaluation mode it says the same.
    """

    def __init__(self, input_dim: int, hidden_dims: Sequence[int], output_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden_dims:
            layers += [nn.Linear(input_dim, width), nn.ReLU()]
            input_dim = width
        self.layers = nn.Sequential(*layers, nn.Linear(input_dim, output_dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def mae_loss(y_pred: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
    """The mean absolute error: the mean of |y_pred − y_true| over every element.

    y_pred, y_true: tensors of the same shape.

    Returns a tensor with one number, differentiable.

    Example: y_pred = [[1], [4]] and y_true = [[0], [1]] give 2.
    """
    return torch.mean(torch.abs(y_pred - y_true))


def bce_with_logits(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy: the mean of −t ln σ(z) − (1 − t) ln(1 − σ(z)), σ(z) = 1/(1 + e^−z).

    logits: tensor z of any shape, a network's output before the sigmoid.
    targets: tensor t of the same shape and dtype, 1 for "yes" and 0 for "no".

    Returns a tensor with one number, differentiable. It and its gradient are exact at z = ±1000
    too, where σ(z) has no digit left to take a logarithm of: a certain and wrong answer costs |z|.

    Example: one logit 0 costs ln 2 ≈ 0.6931, whatever its target.
    """
    return torch.mean(torch.logaddexp(torch.zeros_like(logits), logits) - targets * logits)


def cross_entropy(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """The mean of −ln p(class) with the softmax p_k = e^{z_k} / Σ_j e^{z_j} of each row.

    logits: tensor (N, C), one row of z for each sample. classes: (N,), integers from 0 to C − 1.

    Returns a tensor with one number, differentiable. It and its gradient are exact at logits of
    ±1000 too.

    Example: the row [0, ln 3] has p = [1/4, 3/4]; class 0 costs ln 4 ≈ 1.3863.
    """
    chosen = logits.gather(1, classes[:, None])[:, 0]
    return torch.mean(torch.logsumexp(logits, dim=1) - chosen)


def sgd_step(
    params: list[torch.Tensor], grads: list[torch.Tensor], lr: float
) -> list[torch.Tensor]:
    """One step of gradient descent, p ← p − lr · g.

    params: tensors of any shapes. grads: their gradients, in the same order and shapes.

    Returns the new parameters in a new list. The arguments are left unchanged: this holds for
    all four optimisers, state included.

    Example: p = [1], g = [2] and lr = 0.1 give [0.8].
    """
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


def momentum_step(
    params: list[torch.Tensor],
    grads: list[torch.Tensor],
    velocity: list[torch.Tensor] | None,
    lr: float,
    momentum: float = 0.9,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """One step of gradient descent with momentum: v ← momentum · v + g, then p ← p − lr · v.

    params, grads: as in sgd_step. velocity: what the step before returned, None before the
    first, where v is 0.

    Returns (params, velocity).

    Example: p = [1], g = [2] and lr = 0.1, twice with the same g, give [0.8] and then [0.42].
    """
    velocity = velocity or [torch.zeros_like(p) for p in params]
    velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]
    return sgd_step(params, velocity, lr), velocity


def adam_step(
    params: list[torch.Tensor],
    grads: list[torch.Tensor],
    state: tuple[int, list[torch.Tensor], list[torch.Tensor]] | None,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[list[torch.Tensor], tuple[int, list[torch.Tensor], list[torch.Tensor]]]:
    """One step of Adam.

    With (β₁, β₂) = betas, running means of g and g² that start at 0, and the step number t,
    which counts from 1:

        m ← β₁ m + (1 − β₁) g,    v ← β₂ v + (1 − β₂) g²
        p ← p − lr · m̂ / (√v̂ + eps),    m̂ = m / (1 − β₁ᵗ),    v̂ = v / (1 − β₂ᵗ)

    The hats take away the bias of means that start at 0.

    params, grads: as in sgd_step. state: what the step before returned, None before the first;
    what it holds is up to you.

    Returns (params, state).

    Example: p = [1, 1], g = [2, −0.001] and lr = 0.1 give, in the first step, [0.9, 1.1]: its
    size is lr, whatever the gradient's.
    """
    beta1, beta2 = betas
    zeros = [torch.zeros_like(p) for p in params]
    t, means, squares = state or (0, zeros, zeros)
    t += 1
    means = [beta1 * m + (1 - beta1) * g for m, g in zip(means, grads, strict=True)]
    squares = [beta2 * v + (1 - beta2) * g**2 for v, g in zip(squares, grads, strict=True)]
    moved = []
    for p, m, v in zip(params, means, squares, strict=True):
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        moved.append(p - lr * m_hat / (torch.sqrt(v_hat) + eps))
    return moved, (t, means, squares)


def adamw_step(
    params: list[torch.Tensor],
    grads: list[torch.Tensor],
    state: tuple[int, list[torch.Tensor], list[torch.Tensor]] | None,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[list[torch.Tensor], tuple[int, list[torch.Tensor], list[torch.Tensor]]]:
    """One step of AdamW: first p ← p − lr · weight_decay · p, then Adam's step.

    The decay acts on the parameters directly and never enters m and v.

    The other arguments, and what comes back: as in adam_step.

    Example: p = [1], g = [2], lr = 0.1 and weight_decay = 0.5 give 0.95 − 0.1 = 0.85 in the
    first step.
    """
    decayed = [p - lr * weight_decay * p for p in params]
    return adam_step(decayed, grads, state, lr, betas, eps)


def minibatches(
    x: torch.Tensor, y: torch.Tensor, batch_size: int, generator: torch.Generator | None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields one epoch of the data in shuffled batches (x_b, y_b).

    x, y: tensors with N rows each; row n of y belongs to row n of x.
    batch_size: rows in a batch. What is left over makes a last, shorter batch.
    generator: decides the order (None: torch's global one). The same seed gives the same order,
    and the next epoch with the same generator another.

    Every row comes once, together with its partner. Anything that a for loop can go through
    will do: a generator function, a list of pairs, a DataLoader (without workers of its own,
    which take seconds to start).

    Example: 100 rows in batches of 16 make 7 batches, the last of 4 rows.
    """
    order = torch.randperm(len(x), generator=generator)
    for chosen in order.split(batch_size):
        yield x[chosen], y[chosen]


def dropout(
    x: torch.Tensor, p: float, training: bool, generator: torch.Generator | None
) -> torch.Tensor:
    """Sets each element to zero with probability p, and divides the others by 1 − p.

    x: float tensor of any shape, left unchanged. p: 0 ≤ p < 1.
    training: False in evaluation, where x comes back as it is.
    generator: the source of random numbers (None: torch's global one), which goes on from call
    to call: every call has a new mask, every element a draw of its own.

    Returns a tensor of x's shape and dtype, whose mean over many masks is x. Differentiable.

    Example: with p = 0.75, elements of ones become 0 or 4, and a quarter of them are 4.
    """
    if not training:
        return x
    kept = torch.rand(x.shape, generator=generator) >= p
    return torch.where(kept, x / (1 - p), torch.zeros_like(x))


def l2_penalty(model: nn.Module) -> torch.Tensor:
    """The sum of the squares of all weights of a network, Σ‖W‖².

    model: a network of linear layers, however nested. Its biases do not count.

    Returns a tensor with one number, to be added to a loss with a small factor. Differentiable:
    its gradient with respect to a weight matrix W is 2W.

    Example: a layer with W = [[1, −2]] and bias [7] gives 5.
    """
    weights = (p for p in model.parameters() if p.ndim > 1)  # a bias has one axis
    return sum((torch.sum(W**2) for W in weights), torch.zeros(()))


class EarlyStopping:
    """Says when to stop, and keeps the best weights.

    EarlyStopping(patience, min_delta=0.0). Call step(val_loss, model) once after each epoch,
    epochs counted from 0. The loss is an improvement if it is lower than best_loss by more than
    min_delta (the first number always is; NaN never is); best_loss, best_epoch and a copy of the
    model's weights are then those of this epoch.

    step returns True if training should stop: after `patience` successive calls without an
    improvement. restore(model) puts the best weights back, as often as it is called, whatever
    has happened to the model since.

    Example: with patience = 2, losses of 3, 1, 2, 1 return False, False, False, True; best_epoch
    is 1 and best_loss 1.
    """

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_epoch, self.epoch = np.inf, -1, -1

    def step(self, val_loss: float, model: nn.Module) -> bool:
        self.epoch += 1
        if val_loss < self.best_loss - self.min_delta:  # never so for NaN
            self.best_loss, self.best_epoch = val_loss, self.epoch
            # state_dict() holds the weights themselves, which go on changing: copy them.
            self.best_weights = {name: w.clone() for name, w in model.state_dict().items()}
        return self.epoch - self.best_epoch >= self.patience

    def restore(self, model: nn.Module) -> None:
        model.load_state_dict(self.best_weights)


def augment(
    x: torch.Tensor,
    y: torch.Tensor,
    copies: int,
    noise_std: float,
    generator: torch.Generator | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Adds noisy copies of the data.

    x: float tensor (N, d). y: tensor with N rows, labels or values. Neither changes.
    copies: how many noisy blocks follow the originals, 0 included.
    noise_std: standard deviation of the normal noise, independent for every element of every
    copy. Only x is noisy.
    generator: the only source of random numbers (None: torch's global one).

    Returns (x, y) with (copies + 1) N rows and the old dtypes: first the originals, untouched,
    then block after block, each in the order of the originals.

    Example: 20 rows and copies = 3 give 80 rows; row 25 is a noisy row 5, with its label.
    """
    noise = torch.randn((copies, *x.shape), generator=generator, dtype=x.dtype)
    noisy = (x + noise_std * noise).flatten(0, 1)
    return torch.cat([x, noisy]), torch.cat([y] * (copies + 1))


def train(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int | None = None,
    optimiser: str = "adam",
    generator: torch.Generator | None = None,
) -> list[float]:
    """Trains a network in place on the mean squared error; torch.optim may be used.

    x: (N, d). y: of the shape of model(x). Another shape raises an error, because (N, 1) minus
    (N,) would silently be an (N, N) table. Neither changes.
    epochs: the largest number of passes over the data; stopping sooner is allowed.
    learning_rate: that of the first epoch. It may stay or fall from epoch to epoch.
    batch_size: None for all data at once, otherwise shuffled batches, new ones in each epoch.
    optimiser: "adam", or "sgd" for plain gradient descent.
    generator: decides the batches, as in minibatches.

    Returns a list with one float for each epoch: the mean loss over that epoch's rows, so that a
    short last batch counts less, each batch's before its own step. The model learns in training
    mode and is left in evaluation mode.

    The hidden checks train a network of the shape of MLP(1, [64, 64], 1) on 80 points of a sine, x
    standardised, with learning_rate = 0.003: on 1.25 periods for 1000 epochs, and on one for 100
    with batch_size = 16. On unseen points the mean squared error has to be below 0.02 (no straight
    line gets below 0.19), and the best of the last 100 losses of the long run below 0.002. All
    checks together may take 90 s of computing time. Adam's last epochs jump up and down: a learning
    rate that falls towards zero calms them.

    Example: a model that is one number c = 0, with y = 1 everywhere, learning_rate = 0.1 and
    "sgd", has the loss 1 in the first epoch and c = 0.2 after it.
    """
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    descent = kinds[optimiser](model.parameters(), lr=learning_rate)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(descent, epochs)
    model.train()
    losses = []
    for _ in range(epochs):
        total = 0.0
        batches = minibatches(x, y, batch_size, generator) if batch_size else [(x, y)]
        for x_b, y_b in batches:
            y_pred = model(x_b)
            if y_pred.shape != y_b.shape:
                raise ValueError(f"the model gives {y_pred.shape}, y has {y_b.shape}")
            loss = torch.mean((y_pred - y_b) ** 2)
            descent.zero_grad()
            loss.backward()
            descent.step()
            total += loss.item() * len(x_b)
        losses.append(total / len(x))
        decay.step()
    model.eval()
    return losses
