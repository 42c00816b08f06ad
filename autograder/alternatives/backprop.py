"""Other right answers to backprop."""

import numpy as np

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.backprop import (
    backward,
    forward,
    he_initialise,
    mse_loss,
    relu_gradient,
    sigmoid,
)

# ------------------------------------------------------------------------- activations


@alternative("activations")
def from_scipy_and_masks():
    from scipy.special import expit

    def sigmoid(z):
        return expit(z)

    def tanh(z):
        return 2 * expit(2 * z) - 1

    def relu(z):
        return z * (z > 0)

    def leaky_relu(z, slope=0.1):
        out = z.copy()
        out[z < 0] *= slope
        return out


@alternative("activations")
def number_by_number():
    import math

    def _each(f, z):
        out = np.empty_like(z)
        for index in np.ndindex(z.shape):
            out[index] = f(float(z[index]))
        return out

    def sigmoid(z):
        def one(v):
            if v >= 0:
                return 1 / (1 + math.exp(-v))
            return math.exp(v) / (1 + math.exp(v))

        return _each(one, z)

    def tanh(z):
        return _each(math.tanh, z)

    def relu(z):
        return _each(lambda v: max(0.0, v), z)

    def leaky_relu(z, slope=0.1):
        return _each(lambda v: v if v > 0 else slope * v, z)


@alternative("activations")
def clipped_and_vectorised():
    def sigmoid(z):
        return 1 / (1 + np.exp(-np.clip(z, -500, 500)))

    def tanh(z):
        e = np.exp(-2 * np.abs(z))
        return np.sign(z) * (1 - e) / (1 + e)

    relu = np.vectorize(lambda v: v if v > 0 else 0.0, otypes=[float])

    def leaky_relu(z, slope=0.1):
        return np.maximum(slope * z, z)


@alternative("activations")
def with_torch():
    import torch

    def sigmoid(z):
        return torch.sigmoid(torch.from_numpy(z)).numpy()

    def tanh(z):
        return torch.tanh(torch.from_numpy(z)).numpy()

    def relu(z):
        return torch.relu(torch.from_numpy(z)).numpy()

    def leaky_relu(z, slope=0.1):
        return torch.nn.functional.leaky_relu(torch.from_numpy(z), slope).numpy()


# ---------------------------------------------------------------- activation_gradients


@alternative("activation_gradients")
def closed_forms():
    def sigmoid_gradient(z):
        return 0.25 * (1 - np.tanh(z / 2) ** 2)

    def tanh_gradient(z):
        with np.errstate(over="ignore"):
            return 1 / np.cosh(z) ** 2

    def relu_gradient(z):
        return (z > 0).astype(int)

    def leaky_relu_gradient(z, slope=0.1):
        return slope + (1 - slope) * (z > 0)


@alternative("activation_gradients")
def number_by_number_again():
    def sigmoid_gradient(z):
        return np.array([sigmoid(row) * sigmoid(-row) for row in z.reshape(-1, 1)]).reshape(z.shape)

    def tanh_gradient(z):
        out = np.zeros(z.shape)
        for index, v in np.ndenumerate(z):
            out[index] = 1 - np.tanh(v) ** 2
        return out

    def relu_gradient(z):
        return np.heaviside(z, 0.0)

    def leaky_relu_gradient(z, slope=0.1):
        gradient = np.ones_like(z)
        gradient[z < 0] = slope
        return gradient


@alternative("activation_gradients")
def through_autograd():
    import torch

    def _slope(function, z):
        z = torch.tensor(z, requires_grad=True)
        function(z).sum().backward()
        return z.grad.numpy()

    def sigmoid_gradient(z):
        return _slope(torch.sigmoid, z)

    def tanh_gradient(z):
        return _slope(torch.tanh, z)

    def relu_gradient(z):
        return _slope(torch.relu, z)

    def leaky_relu_gradient(z, slope=0.1):
        return _slope(lambda z: torch.nn.functional.leaky_relu(z, slope), z)


# -------------------------------------------------------------------- count_parameters


@alternative("count_parameters")
def with_arrays():
    def count_parameters(layer_sizes):
        n = np.array(layer_sizes)
        return (n[:-1] * n[1:]).sum() + n[1:].sum()


@alternative("count_parameters")
def one_line():
    def count_parameters(layer_sizes):
        return int(np.dot(np.array(layer_sizes[:-1]) + 1, layer_sizes[1:]))


@alternative("count_parameters")
def by_making_them():
    def count_parameters(layer_sizes):
        if len(layer_sizes) < 2:
            return 0
        n_in, n_out, *rest = layer_sizes
        here = np.zeros((n_in, n_out)).size + np.zeros((1, n_out)).size
        return here + count_parameters([n_out, *rest])


# ----------------------------------------------------------------------- he_initialise


@alternative("he_initialise")
def standard_normal_scaled():
    from itertools import pairwise

    def he_initialise(layer_sizes, rng):
        return [
            (rng.standard_normal((n_in, n_out)) * (2 / n_in) ** 0.5, np.zeros((1, n_out)))
            for n_in, n_out in pairwise(layer_sizes)
        ]


@alternative("he_initialise")
def a_child_of_rng_for_every_layer():
    from itertools import pairwise

    def he_initialise(layer_sizes, rng):
        pairs = list(pairwise(layer_sizes))
        return [
            (child.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), np.zeros((1, n_out)))
            for child, (n_in, n_out) in zip(rng.spawn(len(pairs)), pairs, strict=True)
        ]


@alternative("he_initialise")
def neuron_by_neuron():
    def he_initialise(layer_sizes, rng):
        parameters = []
        for layer, n_in in enumerate(layer_sizes[:-1]):
            W = np.zeros((n_in, layer_sizes[layer + 1]))
            for column in range(W.shape[1]):
                for row in range(n_in):
                    W[row, column] = rng.normal(scale=np.sqrt(2 / n_in))
            b = np.array([[0.0] * W.shape[1]])
            parameters.append([W, b])
        return tuple(parameters)


# ----------------------------------------------------------------------------- forward


@alternative("forward")
def sample_by_sample():
    def forward(x, W1, b1, W2, b2):
        z1 = np.zeros((len(x), W1.shape[1]))
        a1 = np.zeros_like(z1)
        z2 = np.zeros((len(x), W2.shape[1]))
        for n in range(len(x)):
            for j in range(W1.shape[1]):
                z1[n, j] = b1[0, j] + sum(x[n, i] * W1[i, j] for i in range(W1.shape[0]))
                a1[n, j] = max(0.0, z1[n, j])
            for k in range(W2.shape[1]):
                z2[n, k] = b2[0, k] + sum(a1[n, j] * W2[j, k] for j in range(W2.shape[0]))
        return z1, a1, z2


@alternative("forward")
def with_einsum_in_place():
    def forward(x, W1, b1, W2, b2):
        z1 = np.einsum("ni,ij->nj", x, W1)
        z1 += b1
        a1 = z1.copy()
        a1[a1 < 0] = 0
        z2 = np.einsum("nj,jk->nk", a1, W2)
        z2 += b2
        return [z1, a1, z2]


@alternative("forward")
def biases_as_weights():
    from typing import NamedTuple

    class Pass(NamedTuple):
        z1: np.ndarray
        a1: np.ndarray
        z2: np.ndarray

    def forward(x, W1, b1, W2, b2):
        ones = np.ones((x.shape[0], 1))
        z1 = np.hstack([x, ones]) @ np.vstack([W1, b1])
        a1 = (np.abs(z1) + z1) / 2
        return Pass(z1=z1, a1=a1, z2=np.hstack([a1, ones]) @ np.vstack([W2, b2]))


# --------------------------------------------------------------- interpolating_network


@alternative("interpolating_network")
def a_neuron_at_a_time():
    def interpolating_network(knots, values):
        W1, b1, W2 = [], [], []
        slope = 0.0
        for i in range(len(knots) - 1):
            new = (values[i + 1] - values[i]) / (knots[i + 1] - knots[i])
            W1.append(1.0)
            b1.append(-float(knots[i]))
            W2.append([new - slope])
            slope = new
        return np.array([W1]), np.array([b1]), np.array(W2), np.array([[values[0]]], dtype=float)


@alternative("interpolating_network")
def from_the_right():
    def interpolating_network(knots, values):
        slopes = np.diff(values) / np.diff(knots)
        bends = np.diff(slopes[::-1], prepend=0.0)
        W1 = -np.ones((1, len(bends)))
        b1 = np.array(knots[:0:-1], dtype=float)[None, :]
        return W1, b1, -bends[:, None], np.array([[float(values[-1])]])


@alternative("interpolating_network")
def by_solving_for_the_weights():
    def interpolating_network(knots, values):
        knots = np.asarray(knots, dtype=float)
        b1 = -knots[None, :-1]
        heights = np.maximum(0.0, knots[1:, None] + b1)
        W2 = np.linalg.solve(heights, np.asarray(values[1:], dtype=float) - values[0])
        return np.ones_like(b1), b1, W2[:, None], np.full((1, 1), float(values[0]))


@alternative("interpolating_network")
def two_neurons_for_each_piece():
    def interpolating_network(knots, values):
        n = len(knots) - 1
        W1, b1 = np.ones((1, 2 * n)), np.zeros((1, 2 * n))
        W2 = np.zeros((2 * n, 1))
        for i in range(n):
            slope = (values[i + 1] - values[i]) / (knots[i + 1] - knots[i])
            b1[0, 2 * i], b1[0, 2 * i + 1] = -knots[i], -knots[i + 1]
            W2[2 * i, 0], W2[2 * i + 1, 0] = slope, -slope
        return W1, b1, W2, np.array([[float(values[0])]])


# ---------------------------------------------------------------------------- mse_loss


@alternative("mse_loss")
def sum_over_size():
    def mse_loss(y_pred, y_true):
        return ((y_pred - y_true) ** 2).sum() / y_true.size


@alternative("mse_loss")
def loops():
    def mse_loss(y_pred, y_true):
        total, count = 0.0, 0
        for mine, right in zip(y_pred, y_true, strict=True):
            for a, b in zip(mine, right, strict=True):
                total += (a - b) ** 2
                count += 1
        return total / count


@alternative("mse_loss")
def torch_and_norm():
    import torch

    def mse_loss(y_pred, y_true):
        return torch.nn.functional.mse_loss(torch.as_tensor(y_pred), torch.as_tensor(y_true))


@alternative("mse_loss")
def zero_dimensional():
    def mse_loss(y_pred, y_true):
        d = np.ravel(y_pred - y_true)
        return np.asarray(np.dot(d, d) / d.size)


# ---------------------------------------------------------------------------- backward


@alternative("backward")
def mask_on_the_activation():
    def backward(x, y_true, W1, b1, W2, b2):
        _, a1, y_pred = forward(x, W1, b1, W2, b2)
        N, k = y_true.shape
        delta2 = 2 / (N * k) * (y_pred - y_true)
        delta1 = np.dot(delta2, W2.T)
        delta1[a1 == 0] = 0
        ones = np.ones((1, N))
        return [x.T @ delta1, ones @ delta1, a1.T @ delta2, ones @ delta2]


@alternative("backward")
def sums_over_samples():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
        dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
        for n in range(len(x)):
            for k in range(W2.shape[1]):
                error = 2 * (z2[n, k] - y_true[n, k]) / y_true.size
                db2[0, k] += error
                for j in range(W2.shape[0]):
                    dW2[j, k] += error * a1[n, j]
                    if z1[n, j] > 0:
                        db1[0, j] += error * W2[j, k]
                        for i in range(W1.shape[0]):
                            dW1[i, j] += error * W2[j, k] * x[n, i]
        return dW1, db1, dW2, db2


@alternative("backward")
def with_einsum():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        e = 2 * (z2 - y_true) / z2.size
        d = np.einsum("nk,jk,nj->nj", e, W2, relu_gradient(z1))
        dW1, dW2 = np.einsum("ni,nj->ij", x, d), np.einsum("nj,nk->jk", a1, e)
        return dW1, d.sum(0).reshape(b1.shape), dW2, e.sum(0)[None, :]


@alternative("backward")
def through_autograd_too():
    import torch

    def backward(x, y_true, W1, b1, W2, b2):
        leaves = [torch.tensor(p, requires_grad=True) for p in (W1, b1, W2, b2)]
        hidden = torch.relu(torch.tensor(x) @ leaves[0] + leaves[1])
        loss = ((hidden @ leaves[2] + leaves[3] - torch.tensor(y_true)) ** 2).mean()
        loss.backward()
        return tuple(leaf.grad.numpy() for leaf in leaves)


# ------------------------------------------------------------------------------- train


@alternative("train")
def in_place():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        parameters = [
            one for pair in he_initialise([x.shape[1], n_hidden, y.shape[1]], rng) for one in pair
        ]
        losses = np.zeros(epochs)
        for epoch in range(epochs):
            losses[epoch] = mse_loss(forward(x, *parameters)[-1], y)
            for parameter, gradient in zip(parameters, backward(x, y, *parameters), strict=True):
                parameter -= learning_rate * gradient
        return tuple(parameters), losses


@alternative("train")
def everything_written_out():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        d, k = x.shape[1], y.shape[1]
        W1 = rng.standard_normal((d, n_hidden)) * np.sqrt(2 / d)
        W2 = rng.standard_normal((n_hidden, k)) * np.sqrt(2 / n_hidden)
        b1, b2 = np.zeros((1, n_hidden)), np.zeros((1, k))
        losses = []
        for _ in range(epochs):
            z1 = x @ W1 + b1
            a1 = np.maximum(0, z1)
            error = a1 @ W2 + b2 - y
            losses += [np.square(error).mean()]
            delta2 = 2 * error / error.size
            delta1 = delta2 @ W2.T * (z1 > 0)
            W2 -= learning_rate * a1.T @ delta2
            b2 -= learning_rate * delta2.sum(axis=0)
            W1 -= learning_rate * x.T @ delta1
            b1 -= learning_rate * delta1.sum(axis=0)
        return (W1, b1, W2, b2), losses


@alternative("train")
def with_a_torch_optimiser():
    import torch

    def train(x, y, n_hidden, learning_rate, epochs, rng):
        pairs = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        W1, b1, W2, b2 = [torch.tensor(p, requires_grad=True) for pair in pairs for p in pair]
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        optimiser = torch.optim.SGD([W1, b1, W2, b2], lr=learning_rate)
        losses = []
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = torch.nn.functional.mse_loss(torch.relu(x @ W1 + b1) @ W2 + b2, y)
            loss.backward()
            losses.append(loss.item())
            optimiser.step()
        return [p.detach().numpy() for p in (W1, b1, W2, b2)], losses


@alternative("train")
def neuron_after_neuron():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        losses = []
        for _ in range(epochs):
            loss = 0.0
            steps = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
            for x_n, y_n in zip(x.tolist(), y.tolist(), strict=True):
                a = []
                for j in range(n_hidden):
                    z = b1[0, j]
                    for i, x_i in enumerate(x_n):
                        z += x_i * W1[i, j]
                    a.append(max(0.0, z))
                for k, y_k in enumerate(y_n):
                    error = b2[0, k] - y_k
                    for j in range(n_hidden):
                        error += a[j] * W2[j, k]
                    loss += error**2 / y.size
                    delta = 2 * error / y.size
                    steps[3][0, k] += delta
                    for j in range(n_hidden):
                        if a[j] > 0:
                            steps[2][j, k] += delta * a[j]
                            back = delta * W2[j, k]
                            steps[1][0, j] += back
                            for i, x_i in enumerate(x_n):
                                steps[0][i, j] += back * x_i
            losses.append(loss)
            for p, step in zip((W1, b1, W2, b2), steps, strict=True):
                p -= learning_rate * step
        return (W1, b1, W2, b2), losses


# ----------------------------------------------------------------------- deep_backward


@alternative("deep_backward")
def slopes_from_the_activations():
    def deep_forward(x, parameters, activation="tanh"):
        a = [x]
        for W, b in parameters[:-1]:
            z = a[-1] @ W + b
            if activation == "tanh":
                a.append(np.tanh(z))
            elif activation == "relu":
                a.append(np.maximum(z, 0))
            elif activation == "sigmoid":
                a.append(sigmoid(z))
            else:
                a.append(np.where(z > 0, z, 0.1 * z))
        W, b = parameters[-1]
        return (*a, a[-1] @ W + b)

    def deep_backward(x, y_true, parameters, activation="tanh"):
        slope = {
            "tanh": lambda a: 1 - a**2,
            "relu": lambda a: a > 0,
            "sigmoid": lambda a: a * (1 - a),
            "leaky_relu": lambda a: np.where(a > 0, 1, 0.1),
        }[activation]
        a = deep_forward(x, parameters, activation)
        error = 2 * (a[-1] - y_true) / y_true.size
        gradients = []
        for layer in range(len(parameters) - 1, -1, -1):
            gradients.insert(0, [a[layer].T @ error, np.sum(error, axis=0, keepdims=True)])
            error = error @ parameters[layer][0].T * slope(a[layer])
        return gradients


@alternative("deep_backward")
def from_the_end_by_recursion():
    def deep_forward(x, parameters, activation="tanh"):
        (W, b), *rest = parameters
        z = np.einsum("ni,ij->nj", x, W) + b
        if not rest:
            return [x, z]
        return [x, *deep_forward(globals()[activation](z), rest, activation)]

    def deep_backward(x, y_true, parameters, activation="tanh"):
        def back(a, layer):
            W, b = parameters[layer]
            z = a @ W + b
            if layer == len(parameters) - 1:
                delta, later = 2 * (z - y_true) / z.size, []
            else:
                upstream, later = back(globals()[activation](z), layer + 1)
                delta = upstream * globals()[activation + "_gradient"](z)
            return delta @ W.T, [(a.T @ delta, delta.sum(axis=0).reshape(1, -1)), *later]

        return back(x, 0)[1]


@alternative("deep_backward")
def through_autograd_at_last():
    import torch

    _named = {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.1),
    }

    def _layers(x, parameters, activation):
        a = [x]
        for number, (W, b) in enumerate(parameters, 1):
            z = a[-1] @ W + b
            a.append(_named[activation](z) if number < len(parameters) else z)
        return a

    def deep_forward(x, parameters, activation="tanh"):
        tensors = [(torch.tensor(W), torch.tensor(b)) for W, b in parameters]
        return [a.numpy() for a in _layers(torch.tensor(x), tensors, activation)]

    def deep_backward(x, y_true, parameters, activation="tanh"):
        tensors = [
            (torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True))
            for W, b in parameters
        ]
        y = _layers(torch.tensor(x), tensors, activation)[-1]
        ((y - torch.tensor(y_true)) ** 2).mean().backward()
        return [(W.grad.numpy(), b.grad.numpy()) for W, b in tensors]
