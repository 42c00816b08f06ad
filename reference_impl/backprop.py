"""A network from scratch: activations, forward pass, backpropagation and training, in NumPy."""

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """The logistic function 1 / (1 + e^(-z)), element by element.

    z: float64 array of any shape, left unchanged. Returns an array of the same shape.

    Gives no overflow warning anywhere: it is 0 at z = -1000 and 1 at z = 1000.
    sigmoid of [0, 2] is [0.5, 0.8808].
    """
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def tanh(z: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent (e^z - e^(-z)) / (e^z + e^(-z)), element by element.

    z: float64 array of any shape, left unchanged. Returns an array of the same shape.

    Gives no overflow warning anywhere: it is -1 at z = -1000 and 1 at z = 1000.
    tanh of [0, 2] is [0, 0.9640].
    """
    return np.tanh(z)


def relu(z: np.ndarray) -> np.ndarray:
    """The rectifier max(0, z), element by element.

    z: float64 array of any shape, left unchanged. Returns an array of the same shape.

    relu of [-3, 0, 2] is [0, 0, 2].
    """
    return np.maximum(z, 0.0)


def leaky_relu(z: np.ndarray, slope: float = 0.1) -> np.ndarray:
    """z where z is positive, slope · z elsewhere, element by element.

    z: float64 array of any shape, left unchanged. slope: between 0 and 1.
    Returns an array of the same shape.

    leaky_relu of [-3, 0, 2] is [-0.3, 0, 2].
    """
    return np.where(z > 0, z, slope * z)


def sigmoid_gradient(z: np.ndarray) -> np.ndarray:
    """The derivative of sigmoid with respect to z, at z.

    z: what goes into sigmoid (not what comes out), float64 array of any shape, left unchanged.
    Returns an array of the same shape; 0 at z = -1000 and z = 1000. This and the other three are
    derivatives by hand: exact to rounding, not by small steps.

    sigmoid_gradient of [0, 2] is [0.25, 0.1050].
    """
    s = sigmoid(z)
    return s * (1.0 - s)


def tanh_gradient(z: np.ndarray) -> np.ndarray:
    """The derivative of tanh with respect to z, at z.

    z: what goes into tanh (not what comes out), float64 array of any shape, left unchanged.
    Returns an array of the same shape; 0 at z = -1000 and z = 1000.

    tanh_gradient of [0, 2] is [1, 0.0707].
    """
    return 1.0 - tanh(z) ** 2


def relu_gradient(z: np.ndarray) -> np.ndarray:
    """The derivative of relu with respect to z, at z; 0 at z = 0 by convention.

    z: what goes into relu, float64 array of any shape, left unchanged.
    Returns numbers (not True and False) in an array of the same shape.

    relu_gradient of [-3, 0, 2] is [0, 0, 1].
    """
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu_gradient(z: np.ndarray, slope: float = 0.1) -> np.ndarray:
    """The derivative of leaky_relu with respect to z, at z; free to choose at z = 0.

    z: what goes into leaky_relu, float64 array of any shape, left unchanged.
    slope: between 0 and 1. Returns an array of the same shape.

    leaky_relu_gradient of [-3, 2] is [0.1, 1].
    """
    return np.where(z > 0, 1.0, slope)


def count_parameters(layer_sizes: list[int]) -> int:
    """The number of weights and biases of a fully connected network.

    layer_sizes: neurons per layer from input to output, [n_0, n_1, ..., n_L] with L >= 1.
    Returns an int.

    [1, 32, 1] has 97.
    """
    total = 0
    for layer in range(1, len(layer_sizes)):
        total += (layer_sizes[layer - 1] + 1) * layer_sizes[layer]
    return total


def he_initialise(
    layer_sizes: list[int], rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Starting weights and biases of a fully connected network.

    layer_sizes: neurons per layer from input to output, [n_0, n_1, ..., n_L] with L >= 1.
    rng: the only source of random numbers, which goes on from call to call.
    Returns one pair (W, b) per layer, from the first hidden layer to the output. W has the shape
    (n_in, n_out) and independent normal entries of mean 0 and standard deviation √(2/n_in), where
    n_in counts the neurons that feed this layer. b has the shape (1, n_out) and is zero.

    [1, 32, 1] gives shapes (1, 32), (1, 32) and (32, 1), (1, 1); the entries of the second W
    spread by √(2/32) = 0.25.
    """
    parameters = []
    for layer in range(1, len(layer_sizes)):
        n_in, n_out = layer_sizes[layer - 1], layer_sizes[layer]
        W = rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_in, n_out))
        parameters.append((W, np.zeros((1, n_out))))
    return parameters


def forward(
    x: np.ndarray, W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A network with one hidden layer: ReLU in the hidden layer, nothing at the output.

    x: (N, d), a sample per row. W1: (d, h). b1: (1, h). W2: (h, k). b2: (1, k).
    Returns (z1, a1, z2): what enters the hidden neurons (N, h), what leaves them (N, h), and the
    network's output (N, k). Arguments are left unchanged.

    x = [[2]], W1 = [[1, -1]], b1 = [[0, 1]], W2 = [[3], [5]], b2 = [[0.5]] give
    z1 = [[2, -1]], a1 = [[2, 0]], z2 = [[6.5]].
    """
    z1 = x @ W1 + b1
    a1 = relu(z1)
    z2 = a1 @ W2 + b2
    return z1, a1, z2


def interpolating_network(
    knots: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weights by hand: the network for `forward` that joins given points by straight lines.

    knots: (n,), ascending, n >= 2. values: (n,), the heights at the knots. Both are left unchanged.
    Returns (W1, b1, W2, b2) of shapes (1, h), (1, h), (h, 1) and (1, 1), with as many hidden
    neurons h as you like. With them the network's output, for x of shape (N, 1), is values[i] at
    knots[i] and a straight line from each knot to the next. What it does outside is free.

    Nothing is trained and nothing is drawn: the same points give the same network. For knots
    [0, 1, 3] and values [1, 3, 2] the output at x = 2 is 2.5.
    """
    slopes = np.diff(values) / np.diff(knots)
    bends = np.diff(slopes, prepend=0.0)
    W1 = np.ones((1, len(bends)))
    b1 = -knots[None, :-1]
    return W1, b1, bends[:, None], np.full((1, 1), values[0])


def mse_loss(y_pred: np.ndarray, y_true: np.ndarray) -> float:
    """The mean squared error: the mean of (y_pred - y_true)² over every element.

    y_pred, y_true: (N, k), left unchanged. Returns a single number.

    y_pred = [[1, 2]] and y_true = [[0, 0]] give 2.5.
    """
    return float(np.mean((y_pred - y_true) ** 2))


def backward(
    x: np.ndarray,
    y_true: np.ndarray,
    W1: np.ndarray,
    b1: np.ndarray,
    W2: np.ndarray,
    b2: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The gradient of mse_loss(z2, y_true), with z2 from forward, with respect to the parameters.

    x: (N, d). y_true: (N, k). W1: (d, h). b1: (1, h). W2: (h, k). b2: (1, k).
    Returns (dW1, db1, dW2, db2), each of the shape of its parameter and exact to rounding, not by
    small steps; at the corner of ReLU, z1 = 0, its slope is 0. Arguments are left unchanged.

    The numbers of forward's example with y_true = [[6]] give dW1 = [[6, 0]], db1 = [[3, 0]],
    dW2 = [[2], [0]], db2 = [[1]].
    """
    z1, a1, z2 = forward(x, W1, b1, W2, b2)
    delta2 = 2.0 * (z2 - y_true) / z2.size
    delta1 = (delta2 @ W2.T) * relu_gradient(z1)
    db1 = delta1.sum(axis=0, keepdims=True)
    db2 = delta2.sum(axis=0, keepdims=True)
    return x.T @ delta1, db1, a1.T @ delta2, db2


def train(
    x: np.ndarray,
    y: np.ndarray,
    n_hidden: int,
    learning_rate: float,
    epochs: int,
    rng: np.random.Generator,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], list[float]]:
    """Trains the network with one hidden layer by gradient descent on all samples at once.

    x: (N, d), already standardised, so that it is used as it is given. y: (N, k). Neither changes.
    n_hidden: neurons in the hidden layer. epochs: the number of gradient steps.
    rng: passed to he_initialise, which gives the start, and used for nothing else.
    Returns ((W1, b1, W2, b2), losses): the parameters after the last step, and a list of `epochs`
    numbers, the loss before each step.

    Graded on 40 points of one period of a sine with n_hidden = 32, learning_rate = 0.02 and
    epochs = 1000, within 60 s of computing time: the mean squared error on unseen points must be
    below 0.1 (the best straight line leaves 0.2).
    """
    (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
    losses = []
    for _ in range(epochs):
        _, _, y_pred = forward(x, W1, b1, W2, b2)
        losses.append(mse_loss(y_pred, y))
        dW1, db1, dW2, db2 = backward(x, y, W1, b1, W2, b2)
        W1 = W1 - learning_rate * dW1
        b1 = b1 - learning_rate * db1
        W2 = W2 - learning_rate * dW2
        b2 = b2 - learning_rate * db2
    return (W1, b1, W2, b2), losses


def deep_forward(
    x: np.ndarray, parameters: list[tuple[np.ndarray, np.ndarray]], activation: str = "tanh"
) -> list[np.ndarray]:
    """A network of any depth: `activation` in every hidden layer, nothing at the output.

    x: (N, d), a sample per row. parameters: a pair (W, b) per layer as from he_initialise, W
    (n_in, n_out), b (1, n_out). activation: "tanh", "relu", "sigmoid" or "leaky_relu" (slope 0.1).
    Returns the list [a_0, a_1, ..., a_L] of what leaves each layer: a_0 is x, a_L the network's
    output (N, n_L). Arguments are left unchanged.

    x = [[2]] and the two layers ([[0.5]], [[-1]]), ([[3]], [[1]]) give [[[2]], [[0]], [[1]]].
    """
    phi = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid, "leaky_relu": leaky_relu}[activation]
    activations = [x]
    for layer, (W, b) in enumerate(parameters, start=1):
        z = activations[-1] @ W + b
        activations.append(z if layer == len(parameters) else phi(z))
    return activations


def deep_backward(
    x: np.ndarray,
    y_true: np.ndarray,
    parameters: list[tuple[np.ndarray, np.ndarray]],
    activation: str = "tanh",
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The gradient of mse_loss(a_L, y_true), with a_L from deep_forward, for every layer.

    x: (N, d). y_true: (N, n_L). parameters and activation as for deep_forward.
    Returns the list of pairs (dW, db) in the order of parameters, each array of the shape of its
    parameter and exact to rounding, not by small steps. Arguments are left unchanged.

    deep_forward's example with y_true = [[0]] gives ([[12]], [[6]]) for the first layer and
    ([[0]], [[2]]) for the second.
    """
    slope = {
        "tanh": tanh_gradient,
        "relu": relu_gradient,
        "sigmoid": sigmoid_gradient,
        "leaky_relu": leaky_relu_gradient,
    }[activation]
    activations = deep_forward(x, parameters, activation)
    delta = 2.0 * (activations[-1] - y_true) / y_true.size
    gradients = []
    for layer in reversed(range(len(parameters))):
        a = activations[layer]
        gradients.append((a.T @ delta, delta.sum(axis=0, keepdims=True)))
        if layer > 0:
            W_below, b_below = parameters[layer - 1]
            z = activations[layer - 1] @ W_below + b_below
            delta = (delta @ parameters[layer][0].T) * slope(z)
    return gradients[::-1]
