"""Public checks of backprop: fixed inputs, an answer within a second, no points."""

import numpy as np
from coursekit import DIFFERENCE, array, close, holds, integer, quiet, within

Z = np.array([-3.0, -0.5, 0.5, 2.0])

# A network of three inputs, four hidden neurons and two outputs, and five samples.
X = np.array(
    [[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.2, 0.8, 0.1], [-1.1, -0.4, 0.9], [0.6, 1.2, -1.3]]
)
Y = np.array([[1.0, 0.0], [0.5, -0.5], [-1.0, 0.3], [0.2, 0.8], [-0.6, -0.1]])
W1 = np.array([[0.4, -0.9, 1.1, 0.2], [0.7, 0.5, -0.3, -1.2], [-0.6, 0.8, 0.1, 0.9]])
B1 = np.array([[0.1, -0.2, 0.3, 0.05]])
W2 = np.array([[1.3, -0.4], [-0.7, 0.6], [0.2, 0.9], [0.8, -1.1]])
B2 = np.array([[0.25, -0.15]])


def slopes(loss, arrays):
    """Central differences of loss(arrays), one number per array.

    Each array is moved along (1, 2, 3, ...) / 10, so that no two entries can be mistaken.
    """
    step = 1e-5
    found = []
    for number, one in enumerate(arrays):
        direction = along(one)
        ends = []
        for sign in (1, -1):
            moved = list(arrays)
            moved[number] = one + sign * step * direction
            ends.append(loss(moved))
        found.append((ends[0] - ends[1]) / (2 * step))
    return found


def along(one):
    return np.arange(1, one.size + 1).reshape(one.shape) / 10


# ------------------------------------------------------------------------- activations


def test_activations__sigmoid(student):
    """sigmoid has its known values"""
    close(
        student.sigmoid(Z),
        np.array([0.04742587317757, 0.37754066879815, 0.62245933120185, 0.88079707797788]),
    )


def test_activations__tanh(student):
    """tanh has its known values"""
    close(
        student.tanh(Z),
        np.array([-0.99505475368673, -0.46211715726001, 0.46211715726001, 0.96402758007582]),
    )


def test_activations__relu(student):
    """relu cuts off below zero"""
    close(student.relu(Z), np.array([0.0, 0.0, 0.5, 2.0]))


def test_activations__leaky_relu(student):
    """leaky_relu lets a tenth through below zero"""
    close(student.leaky_relu(Z), np.array([-0.3, -0.05, 0.5, 2.0]))


def test_activations__any_shape(student):
    """work on a table, take the slope that they are given and leave z as it was"""
    table = np.array([[-3.0, 0.7, -0.2], [1.4, -1.9, 0.4]])
    half = np.array([[-1.5, 0.7, -0.1], [1.4, -0.95, 0.4]])
    close(student.relu(table), np.array([[0.0, 0.7, 0.0], [1.4, 0.0, 0.4]]))
    close(student.leaky_relu(table, slope=0.5), half)
    kept = student.keep(table)
    for name in ("sigmoid", "tanh", "relu", "leaky_relu"):
        student.call(name, None, (kept,), {})
        holds(np.array_equal(student.value(kept), table), f"{name} changes the z it is given")


def test_activations__no_overflow(student):
    """sigmoid and tanh stay quiet far from zero"""
    for function, low in ((student.sigmoid, 0.0), (student.tanh, -1.0)):
        close(function(np.array([-1000.0, 1000.0])), np.array([low, 1.0]))
        quiet(student.calls[-1])


# ---------------------------------------------------------------- activation_gradients


def test_activation_gradients__sigmoid(student):
    """sigmoid_gradient is the slope of sigmoid at z"""
    close(student.sigmoid_gradient(np.array([0.0, 2.0])), np.array([0.25, 0.10499358540351]))


def test_activation_gradients__tanh(student):
    """tanh_gradient is the slope of tanh at z"""
    close(student.tanh_gradient(np.array([0.0, 2.0])), np.array([1.0, 0.07065082485317]))


def test_activation_gradients__relu(student):
    """relu_gradient is 0 up to zero and 1 above"""
    close(student.relu_gradient(np.array([-3.0, 0.0, 2.0])), np.array([0.0, 0.0, 1.0]))


def test_activation_gradients__leaky_relu(student):
    """leaky_relu_gradient is a tenth below zero and 1 above"""
    close(student.leaky_relu_gradient(np.array([-3.0, 2.0])), np.array([0.1, 1.0]))


def test_activation_gradients__any_shape(student):
    """work on a table, take the slope that they are given and leave z as it was"""
    table = np.array([[-3.0, 0.7, -1e-9], [1e-9, -1.9, 0.4]])
    close(student.relu_gradient(table), np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]))
    sloping = np.array([[0.3, 1.0, 0.3], [1.0, 0.3, 1.0]])
    close(student.leaky_relu_gradient(table, slope=0.3), sloping)
    kept = student.keep(table)
    for name in ("sigmoid", "tanh", "relu", "leaky_relu"):
        student.call(f"{name}_gradient", None, (kept,), {})
        same = np.array_equal(student.value(kept), table)
        holds(same, f"{name}_gradient changes the z it is given")


def test_activation_gradients__exact(student):
    """are exact to rounding, not by small steps, and vanish far from zero"""
    far, corner = [[-1000.0, 1000.0]], [[-1e-9, 1e-9]]
    for name, z, expected in (
        # 1/cosh² z and 1/(2 cosh(z/2))²
        ("tanh", [[1.0, -3.4402]], [[0.41997434161402607, 0.004102494608875672]]),
        ("tanh", far, [[0.0, 0.0]]),
        ("sigmoid", [[1.0, -3.4402]], [[0.19661193324148185, 0.030097587403026288]]),
        ("relu", corner, [[0.0, 1.0]]),
        ("leaky_relu", corner, [[0.1, 1.0]]),
    ):
        slope = array(student.call(f"{name}_gradient", None, (np.array(z),), {}), (1, 2))
        nearly = bool(np.all(np.abs(slope - expected) < 1e-13))
        holds(nearly, f"{name}_gradient is not exact to 13 digits")
    close(student.sigmoid_gradient(np.array(far)), np.zeros((1, 2)))


# -------------------------------------------------------------------- count_parameters


def test_count_parameters__one_hidden_layer(student):
    """counts 97 for one hidden layer of 32, and 62 for three inputs and two outputs"""
    close(student.count_parameters([1, 32, 1]), 97)
    close(student.count_parameters([3, 10, 2]), 62)


def test_count_parameters__no_hidden_layer(student):
    """counts 8 from three inputs straight to two outputs, and is an int"""
    close(integer(student.count_parameters([3, 2])), 8)


def test_count_parameters__leaves_the_list(student):
    """leaves the list of sizes as it was"""
    sizes = student.keep([3, 4, 2])
    student.count_parameters(sizes)
    holds(student.value(sizes) == [3, 4, 2], "the caller's list has changed")


def test_count_parameters__two_hidden_layers(student):
    """counts 4353 for two hidden layers of 64"""
    close(student.count_parameters([1, 64, 64, 1]), 4353)


# ----------------------------------------------------------------------- he_initialise


def test_he_initialise__shapes(student):
    """gives W of shape (n_in, n_out) and b of shape (1, n_out) per layer"""
    pairs = student.he_initialise([3, 5, 2], np.random.default_rng(1))
    holds(isinstance(pairs, (list, tuple)) and len(pairs) == 2, "should be a list of two pairs")
    for (W, b), (n_in, n_out) in zip(pairs, [(3, 5), (5, 2)], strict=True):
        array(W, (n_in, n_out))
        close(b, np.zeros((1, n_out)))


def test_he_initialise__spread(student):
    """draws normal weights that spread by √(2/n_in)"""
    for (W, _), n_in in zip(
        student.he_initialise([100, 80, 90], np.random.default_rng(2)), (100, 80), strict=True
    ):
        spread = np.sqrt(2 / n_in)
        error = spread / np.sqrt(2 * array(W).size)
        within(float(np.std(array(W))), spread, error, what="the standard deviation")
        fourth = float(np.mean((array(W) / spread) ** 4))  # 1.8 for uniform numbers
        what = "the mean fourth power over the squared variance"
        within(fourth, 3.0, np.sqrt(96 / array(W).size), what=what)


def test_he_initialise__uses_rng(student):
    """gives the same weights for the same seed, and others for another"""
    ((first, _),) = student.he_initialise([4, 3], np.random.default_rng(3))
    student.reseed(1)
    ((again, _),) = student.he_initialise([4, 3], np.random.default_rng(3))
    close(again, array(first))
    ((other, _),) = student.he_initialise([4, 3], np.random.default_rng(4))
    holds(len(np.unique([first, other])) == 24, "some weights are equal: draw each one from rng")


# ----------------------------------------------------------------------------- forward


def test_forward__one_sample(student):
    """gives z1, a1 and z2 for one sample"""
    returned = student.forward(
        np.array([[2.0]]),
        np.array([[1.0, -1.0]]),
        np.array([[0.0, 1.0]]),
        np.array([[3.0], [5.0]]),
        np.array([[0.5]]),
    )
    close(returned, (np.array([[2.0, -1.0]]), np.array([[2.0, 0.0]]), np.array([[6.5]])))


def test_forward__batch(student):
    """handles a batch: a sample per row, each output of both signs"""
    z1, a1, z2 = student.forward(X, W1, B1, W2, B2 - 2.0)
    for returned in (z1, a1):
        array(returned, (5, 4))
    close(array(z1)[-1], np.array([1.96, -1.18, 0.47, -2.44]))
    outputs = [0.725, 0.337, -1.396, -1.771, 0.892], [-4.13, -1.071, -2.082, -2.596, -2.511]
    close(z2, np.array(outputs).T)


# --------------------------------------------------------------- interpolating_network


def _output(parameters, x):
    """What a network with these weights says: one hidden layer, ReLU, a sum at the end."""
    holds(
        isinstance(parameters, (tuple, list)) and len(parameters) == 4,
        "W1, b1, W2 and b2 should come back, in this order",
    )
    hidden = array(parameters[0]).shape[-1]
    shapes = ((1, hidden), (1, hidden), (hidden, 1), (1, 1))
    W1, b1, W2, b2 = (array(one, shape) for one, shape in zip(parameters, shapes, strict=True))
    for one in (W1, b1, W2, b2):
        holds(one.dtype != np.float32, "the weights are float32, which keeps 7 digits of 16")
    return np.maximum(np.reshape(x, (-1, 1)) @ W1 + b1, 0.0) @ W2 + b2


def test_interpolating_network__meets_the_points(student):
    """goes through three points, and through two or five"""
    knots, values = np.array([-1.0, 0.7, 3.0]), np.array([1.0, 3.0, -2.0])
    more = np.array([-1.0, 0.7, 3.0, 3.5, 6.0]), np.array([1.0, 3.0, -2.0, 0.5, 0.0])
    for points in ((knots, values), (knots[:2], values[:2]), more):
        found = _output(student.interpolating_network(*points), points[0])
        close(found, points[1].reshape(-1, 1))


def test_interpolating_network__is_straight_between(student):
    """is 2.5 at x = 2, half-way between the points (1, 3) and (3, 2)"""
    knots, values = np.array([0.0, 1.0, 3.0]), np.array([1.0, 3.0, 2.0])
    found = _output(student.interpolating_network(knots, values), [0.25, 2.0])
    close(found, np.array([[1.5], [2.5]]))


# ---------------------------------------------------------------------------- mse_loss


def test_mse_loss__two_outputs(student):
    """is the mean over every element"""
    # Three samples first: with one, a sum over samples and one over all are the same.
    y_pred = np.array([[1.0, -2.0], [2.0, 0.0], [3.0, 0.0]])  # no size is its own sign
    close(student.mse_loss(y_pred + 1.0, np.ones((3, 2))), 3.0)
    close(student.mse_loss(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]])), 2.5)


def test_mse_loss__one_output(student):
    """compares each of three samples with its own truth where there is one output"""
    columns = np.array([[1.0], [2.0], [3.0]]), np.array([[0.0], [2.0], [1.0]])
    close(student.mse_loss(*columns), 5 / 3)


def test_mse_loss__perfect(student):
    """is zero for a perfect prediction, and leaves what it is given as it was"""
    close(student.mse_loss(Y, Y), 0.0)
    kept = student.keep(X)
    student.mse_loss(kept, np.ones_like(X))
    holds(np.array_equal(student.value(kept), X), "mse_loss changes y_pred")


# ---------------------------------------------------------------------------- backward


def test_backward__one_sample(student):
    """gives the four gradients of the worked example"""
    returned = student.backward(
        np.array([[2.0]]),
        np.array([[6.0]]),
        np.array([[1.0, -1.0]]),
        np.array([[0.0, 1.0]]),
        np.array([[3.0], [5.0]]),
        np.array([[0.5]]),
    )
    expected = ([[6.0, 0.0]], [[3.0, 0.0]], [[2.0], [0.0]], [[1.0]])
    close(returned, tuple(np.array(one) for one in expected))


def test_backward__differences(student):
    """agrees with small steps in the loss of your own forward"""
    arrays = [W1, B1, W2, B2]
    found = slopes(lambda moved: np.mean((student.forward(X, *moved)[2] - Y) ** 2), arrays)
    gradients = student.backward(X, Y, *arrays)  # last: it is what is looked at
    names = ("dW1", "db1", "dW2", "db2")
    for name, gradient, one, slope in zip(names, gradients, arrays, found, strict=True):
        mine = float(np.sum(array(gradient, one.shape) * along(one)))
        holds(
            abs(mine - slope) < DIFFERENCE.allowed(np.array(slope)),
            f"{name} does not fit: a step of the parameter changes the loss at the rate "
            f"{slope:.6g}, and backward promises {mine:.6g}",
            of=gradients,
        )


def test_backward__exact(student):
    """is exact to rounding, near the corner of ReLU too, and leaves its arguments as they were"""
    arrays = [np.array([[1.0]]), np.array([[2.0, 2.0]]), np.array([[-2.0 - 2**-30, -2.0 + 2**-30]])]
    arrays += [np.array([[3.0], [5.0]]), np.array([[0.5]])]
    x, *parameters = kept = [student.keep(one) for one in arrays]
    error = 1e8 - 0.5 - 5 * 2**-30
    dW1, *_ = student.backward(x, np.array([[1e8]]), *parameters)
    off = np.abs(array(dW1, (1, 2)) - np.array([[0.0, -10 * error]]))
    digits = f"dW1 should be exact to 13 digits, and is off by {off.max() / (10 * error):.0e}"
    holds(bool(np.all(off < 1e-3)), digits)
    same = all(np.array_equal(student.value(k), one) for k, one in zip(kept, arrays, strict=True))
    holds(same, "backward changes its arguments; the step belongs to train")


# ------------------------------------------------------------------------------- train


def line():
    x = np.linspace(-1.6, 1.6, 12).reshape(-1, 1)
    return x, 0.5 * x - 0.2


def test_train__returns(student):
    """returns four parameters and one loss per epoch, with two inputs and three outputs too"""
    x, y = line()
    for d, k in ((1, 1), (2, 3)):
        data = np.repeat(x, d, axis=1), np.repeat(y, k, axis=1)
        parameters, losses = student.train(*data, 6, 0.02, 5, np.random.default_rng(4))
        holds(len(losses) == 5, f"5 epochs should give 5 losses, not {len(losses)}")
        for parameter, shape in zip(parameters, [(d, 6), (1, 6), (6, k), (1, k)], strict=True):
            array(parameter, shape)


def test_train__loss_falls(student):
    """makes the loss fall"""
    _, losses = student.train(*line(), 16, 0.02, 100, np.random.default_rng(4))
    first, last = float(losses[0]), float(losses[-1])
    holds(last < 0.5 * first, f"the loss goes from {first:.3g} to {last:.3g}; it should fall")


def test_train__takes_the_steps(student):
    """takes as many steps of gradient descent as there are epochs, from he_initialise"""
    x, y = line()
    pairs = student.he_initialise([1, 3, 1], np.random.default_rng(4))
    expected = [one for pair in pairs for one in pair]
    wanted = []
    for _ in range(2):
        wanted.append(np.mean((student.forward(x, *expected)[2] - y) ** 2))
        steps = student.backward(x, y, *expected)
        expected = [p - 0.3 * g for p, g in zip(expected, steps, strict=True)]
    parameters, losses = student.train(x, y, 3, 0.3, 2, np.random.default_rng(4))
    close(list(losses), [float(loss) for loss in wanted])
    close(list(parameters), [np.asarray(one) for one in expected])


# ----------------------------------------------------------------------- deep_backward


LAYERS = [(np.array([[0.5]]), np.array([[-1.0]])), (np.array([[3.0]]), np.array([[1.0]]))]


def test_deep_backward__forward(student):
    """deep_forward gives what leaves every layer, of two layers and of a single one"""
    returned = student.deep_forward(np.array([[2.0]]), LAYERS)
    close(returned, [np.array([[2.0]]), np.array([[0.0]]), np.array([[1.0]])])
    single = student.deep_forward(np.array([[2.0]]), LAYERS[1:])
    close(single, [np.array([[2.0]]), np.array([[7.0]])])


def test_deep_backward__backward(student):
    """deep_backward gives a pair (dW, db) per layer, of one or two, exact and not by small steps"""
    returned = student.deep_backward(np.array([[2.0]]), np.array([[0.0]]), LAYERS)
    first, second = (np.array([[12.0]]), np.array([[6.0]])), (np.array([[0.0]]), np.array([[2.0]]))
    close(returned, [first, second])
    single = student.deep_backward(np.array([[2.0]]), np.array([[0.0]]), LAYERS[1:])
    close(single, [(np.array([[28.0]]), np.array([[14.0]]))])
    # With an error of 1e8, not 1, what a small step changes drowns in the loss.
    far = student.deep_backward(np.array([[2.0]]), np.array([[1e8 + 1]]), LAYERS)
    close(far, [tuple(-1e8 * one for one in pair) for pair in (first, second)])


def test_deep_backward__differences(student):
    """deep_backward agrees with small steps in the loss, whatever the activation"""
    W3, B3 = np.array([[0.9], [-1.4]]), np.array([[0.3]])
    y = Y[:, :1]

    def pairs(arrays):
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    arrays = [W1, B1, W2, B2, W3, B3]
    names = ("dW1", "db1", "dW2", "db2", "dW3", "db3")
    for activation in ("tanh", "relu", "sigmoid", "leaky_relu"):

        def loss(arrays):
            outputs = student.deep_forward(X, pairs(arrays), activation=activation)  # noqa: B023
            return np.mean((outputs[-1] - y) ** 2)

        found = slopes(loss, arrays)
        gradients = student.deep_backward(X, y, pairs(arrays), activation=activation)
        flat = [gradient for pair in gradients for gradient in pair]
        for name, gradient, one, slope in zip(names, flat, arrays, found, strict=True):
            mine = float(np.sum(array(gradient, one.shape) * along(one)))
            holds(
                abs(mine - slope) < DIFFERENCE.allowed(np.array(slope)),
                f"{name} does not fit with {activation}: a step of the parameter changes the loss "
                f"at the rate {slope:.6g}, and deep_backward promises {mine:.6g}",
                of=gradients,
            )


def test_deep_backward__depth(student):
    """deep_forward and deep_backward take any number of layers and outputs, and change none"""
    layers = [(np.array([[0.5]]), np.array([[-1.0]]))] * 3
    layers.append((np.array([[3.0, 1.0]]), np.array([[1.0, 2.0]])))
    kept = student.keep(layers)
    returned = student.deep_forward(np.array([[4.0]]), kept, "leaky_relu")
    slopes = [[0.0099375]], [[0.019875]], [[0.3975]], [[0.6925, 1.8975]]
    outputs = [[4.0]], [[1.0]], [[-0.05]], [[-0.1025]], [[0.6925, 1.8975]]
    close(returned, [np.array(one) for one in outputs])
    gradients = student.deep_backward(np.array([[4.0]]), np.zeros((1, 2)), kept, "leaky_relu")
    close([db for _, db in gradients], [np.array(one) for one in slopes])
    close([list(pair) for pair in student.value(kept)], [list(pair) for pair in layers])
