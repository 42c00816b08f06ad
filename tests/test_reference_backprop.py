"""The reference of backprop against independent things: torch, autograd, differences, algebra."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import approx_fprime
from torch import nn
from torch.nn import functional as F

from reference_impl import backprop as reference

TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.1),
}
SIZES = [(1, 1, 1, 1), (1, 3, 5, 2), (7, 1, 32, 1), (6, 4, 3, 5), (9, 2, 1, 3)]
"""Samples, inputs, hidden neurons, outputs."""

Array = np.ndarray


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(21)


def one_hidden(rng: np.random.Generator, sizes: tuple[int, ...]) -> tuple[Array, Array, list]:
    samples, inputs, hidden, outputs = sizes
    shapes = [(inputs, hidden), (1, hidden), (hidden, outputs), (1, outputs)]
    parameters = [rng.normal(size=shape) for shape in shapes]
    return rng.normal(size=(samples, inputs)), rng.normal(size=(samples, outputs)), parameters


def deep(rng: np.random.Generator, sizes: list[int]) -> list[tuple[Array, Array]]:
    return [
        (rng.normal(size=(n_in, n_out)), rng.normal(size=(1, n_out)))
        for n_in, n_out in pairwise(sizes)
    ]


def leaves(arrays: list[Array]) -> list[torch.Tensor]:
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def agree(mine: Array, theirs: Array, relative: float = 1e-10) -> None:
    assert mine.shape == theirs.shape
    assert mine.dtype == np.float64
    scale = np.abs(theirs).max(initial=1e-300)
    np.testing.assert_allclose(mine, theirs, rtol=relative, atol=relative * scale)


# ------------------------------------------------------------------------- activations


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (5, 3), (2, 3, 4)])
def test_activations_and_slopes_are_torchs(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    z = np.asarray(rng.normal(0.0, 3.0, shape))
    before = z.copy()
    (variable,) = leaves([z])
    value = TORCH[name](variable)
    value.sum().backward()
    agree(np.asarray(getattr(reference, name)(z)), value.detach().numpy())
    agree(np.asarray(getattr(reference, f"{name}_gradient")(z)), variable.grad.numpy())
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("name", TORCH)
def test_activations_far_out(name: str) -> None:
    """Any warning would be an error here."""
    z = np.array([-1e300, -1000.0, -40.0, -1e-300, 0.0, 1e-300, 40.0, 1000.0, 1e300])
    agree(getattr(reference, name)(z), TORCH[name](torch.tensor(z)).numpy())
    slope = getattr(reference, f"{name}_gradient")(z)
    assert np.isfinite(slope).all()
    if name in ("sigmoid", "tanh"):
        assert slope[0] == slope[1] == slope[-1] == slope[-2] == 0.0


@pytest.mark.parametrize("name", TORCH)
def test_slopes_are_differences(name: str, rng: np.random.Generator) -> None:
    z, h = rng.uniform(0.1, 3.0, 40) * rng.choice([-1, 1], 40), 1e-5
    f = getattr(reference, name)
    central = (f(z + h) - f(z - h)) / (2 * h)
    np.testing.assert_allclose(getattr(reference, f"{name}_gradient")(z), central, atol=1e-9)


def test_leaky_slope_is_an_argument(rng: np.random.Generator) -> None:
    z = rng.normal(size=30)
    np.testing.assert_array_equal(reference.leaky_relu(z, 0.0), reference.relu(z))
    np.testing.assert_array_equal(reference.leaky_relu(z, 1.0), z)
    np.testing.assert_array_equal(reference.leaky_relu_gradient(z, 0.0), reference.relu_gradient(z))


def test_relu_gradient_is_zero_at_zero() -> None:
    assert reference.relu_gradient(np.array([0.0, -0.0])).tolist() == [0.0, 0.0]


# ---------------------------------------------------------- count_parameters, he_initialise


@pytest.mark.parametrize("sizes", [[1, 32, 1], [1, 64, 64, 1], [3, 2], [7, 5, 4, 3, 2]])
def test_count_is_torchs_and_that_of_the_arrays(sizes: list[int], rng: np.random.Generator) -> None:
    net = nn.Sequential(*(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)))
    count = reference.count_parameters(sizes)
    assert isinstance(count, int)
    assert count == sum(p.numel() for p in net.parameters())
    assert count == sum(W.size + b.size for W, b in reference.he_initialise(sizes, rng))


@pytest.mark.parametrize(("d", "h"), [(1, 32), (5, 7), (3, 1)])
def test_count_of_one_hidden_layer(d: int, h: int) -> None:
    assert reference.count_parameters([d, h, 1]) == (d + 2) * h + 1


def test_he_is_normal_with_torchs_spread(rng: np.random.Generator) -> None:
    """A Kolmogorov test at a fixed seed, against the spread that torch uses for ReLU."""
    sizes = [40, 100, 30]
    found = reference.he_initialise(sizes, rng)
    for (W, b), n_in, n_out in zip(found, sizes[:-1], sizes[1:], strict=True):
        assert W.shape == (n_in, n_out)
        assert b.shape == (1, n_out)
        assert not b.any()
        spread = nn.init.calculate_gain("relu") / np.sqrt(n_in)
        assert stats.kstest(W.ravel() / spread, "norm").pvalue > 0.01


def test_he_draws_from_rng_alone() -> None:
    def draws(seed: int) -> Array:
        return reference.he_initialise([3, 4, 2], np.random.default_rng(seed))[1][0]

    first = draws(5)
    np.random.seed(1)  # noqa: NPY002
    np.testing.assert_array_equal(draws(5), first)
    assert not np.allclose(draws(6), first)


# ------------------------------------------------------- forward, mse_loss, backward, train


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_loss_are_torchs(sizes: tuple[int, ...], rng: np.random.Generator) -> None:
    x, y, (W1, b1, W2, b2) = one_hidden(rng, sizes)
    first, second = nn.Linear(*W1.shape).double(), nn.Linear(*W2.shape).double()
    with torch.no_grad():
        for layer, W, b in ((first, W1, b1), (second, W2, b2)):
            layer.weight.copy_(torch.tensor(W.T))
            layer.bias.copy_(torch.tensor(b[0]))
        z1 = first(torch.tensor(x))
        z2 = second(torch.relu(z1))
    mine = reference.forward(x, W1, b1, W2, b2)
    for one, other in zip(mine, (z1, torch.relu(z1), z2), strict=True):
        agree(one, other.numpy())
    loss = reference.mse_loss(mine[2], y)
    assert type(loss) is float
    assert loss == pytest.approx(F.mse_loss(z2, torch.tensor(y)).item(), rel=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_backward_is_autograd(sizes: tuple[int, ...], rng: np.random.Generator) -> None:
    x, y, parameters = one_hidden(rng, sizes)
    W1, b1, W2, b2 = variables = leaves(parameters)
    output = torch.relu(torch.tensor(x) @ W1 + b1) @ W2 + b2
    F.mse_loss(output, torch.tensor(y)).backward()
    for mine, variable in zip(reference.backward(x, y, *parameters), variables, strict=True):
        agree(mine, variable.grad.numpy())


def test_backward_is_differences(rng: np.random.Generator) -> None:
    x, y, parameters = one_hidden(rng, (6, 4, 3, 5))
    gradients = reference.backward(x, y, *parameters)
    for number, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):

        def loss(flat: Array, number: int = number, shape: tuple = parameter.shape) -> float:
            moved = [*parameters[:number], flat.reshape(shape), *parameters[number + 1 :]]
            return reference.mse_loss(reference.forward(x, *moved)[2], y)

        one_sided = approx_fprime(parameter.ravel(), loss, 1e-7)
        np.testing.assert_allclose(gradient.ravel(), one_sided, rtol=1e-5, atol=1e-5)


def test_train_is_torchs_descent(rng: np.random.Generator) -> None:
    """Fifty steps of torch.optim.SGD from the same start, several inputs and outputs."""
    x, y, _ = one_hidden(rng, (12, 3, 8, 2))
    kept = x.copy(), y.copy()
    parameters, losses = reference.train(x, y, 8, 0.05, 50, np.random.default_rng(3))
    pairs = reference.he_initialise([3, 8, 2], np.random.default_rng(3))
    W1, b1, W2, b2 = variables = leaves([one for pair in pairs for one in pair])
    optimiser = torch.optim.SGD(variables, lr=0.05)
    theirs = []
    for _ in range(50):
        optimiser.zero_grad()
        output = torch.relu(torch.tensor(x) @ W1 + b1) @ W2 + b2
        loss = F.mse_loss(output, torch.tensor(y))
        loss.backward()
        theirs.append(loss.item())
        optimiser.step()
    np.testing.assert_allclose(losses, theirs, rtol=1e-9)
    for mine, variable in zip(parameters, variables, strict=True):
        agree(mine, variable.detach().numpy(), 1e-9)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


@pytest.mark.slow
def test_train_learns_the_notebooks_sine() -> None:
    """97 numbers, 10 000 epochs of plain descent: below 3e-3 on unseen points for every seed.

    On evenly spaced points, as in the notebook (worst of 20 seeds 2.0e-3). It is no bound for 100
    random points: there the worst of 20 seeds left 6.5e-3, because random points leave gaps.
    """
    x = np.linspace(-np.pi, np.pi, 100).reshape(-1, 1)
    unseen = np.linspace(-np.pi, np.pi, 500).reshape(-1, 1)
    centre, spread = x.mean(), x.std()
    for seed in range(4):
        trained, losses = reference.train(
            (x - centre) / spread, np.sin(x), 32, 0.01, 10_000, np.random.default_rng(1000 + seed)
        )
        output = reference.forward((unseen - centre) / spread, *trained)[2]
        assert reference.mse_loss(output, np.sin(unseen)) < 3e-3
        assert len(losses) == 10_000


def test_the_best_straight_line_leaves_a_fifth() -> None:
    """The number in train's docstring that its threshold is held against."""
    x = np.linspace(0.0, 2 * np.pi, 10_001)
    line = np.polynomial.Polynomial.fit(x, np.sin(x), 1)
    assert np.mean((line(x) - np.sin(x)) ** 2) == pytest.approx(0.2, abs=0.005)
    assert 1 / 2 - 3 / np.pi**2 == pytest.approx(0.2, abs=0.005)


# ----------------------------------------------------------------------- deep_backward


@pytest.mark.parametrize("activation", TORCH)
@pytest.mark.parametrize("sizes", [[2, 3], [1, 4, 1], [3, 5, 4, 2], [2, 4, 3, 5, 4, 1]])
@pytest.mark.parametrize("samples", [1, 7])
def test_deep_is_autograd(
    activation: str, sizes: list[int], samples: int, rng: np.random.Generator
) -> None:
    parameters = deep(rng, sizes)
    kept = [(W.copy(), b.copy()) for W, b in parameters]
    x, y = rng.normal(size=(samples, sizes[0])), rng.normal(size=(samples, sizes[-1]))
    variables = [tuple(leaves(list(pair))) for pair in parameters]
    activations = [torch.tensor(x)]
    for layer, (W, b) in enumerate(variables, start=1):
        z = activations[-1] @ W + b
        activations.append(TORCH[activation](z) if layer < len(variables) else z)
    F.mse_loss(activations[-1], torch.tensor(y)).backward()
    mine = reference.deep_forward(x, parameters, activation)
    for one, other in zip(mine, activations, strict=True):
        agree(one, other.detach().numpy())
    gradients = reference.deep_backward(x, y, parameters, activation)
    for (dW, db), (W, b) in zip(gradients, variables, strict=True):
        agree(dW, W.grad.numpy())
        agree(db, b.grad.numpy())
    for before, after in zip(kept, parameters, strict=True):
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])


def test_deep_with_one_hidden_layer_is_backward(rng: np.random.Generator) -> None:
    x, y, (W1, b1, W2, b2) = one_hidden(rng, (6, 4, 3, 5))
    pairs = [(W1, b1), (W2, b2)]
    gradients = [one for pair in reference.deep_backward(x, y, pairs, "relu") for one in pair]
    for one, other in zip(gradients, reference.backward(x, y, W1, b1, W2, b2), strict=True):
        agree(one, other)


def test_deep_is_the_formula_for_two_hidden_layers(rng: np.random.Generator) -> None:
    """y = tanh(tanh(x W1 + b1) W2 + b2) W3 + b3, written out index by index."""
    (W1, b1), (W2, b2), (W3, b3) = parameters = deep(rng, [2, 4, 3, 2])
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    a1 = np.tanh(np.einsum("ni,ij->nj", x, W1) + b1)
    a2 = np.tanh(np.einsum("ni,ij->nj", a1, W2) + b2)
    error = 2 * (np.einsum("ni,ij->nj", a2, W3) + b3 - y) / 10
    inner = np.einsum("nk,jk,nj->nj", error, W3, 1 - a2**2)
    dW1 = np.einsum("ni,nj,nk,jk->ij", x, 1 - a1**2, inner, W2)
    agree(reference.deep_backward(x, y, parameters)[0][0], dW1)


# -------------------------------------------------------------- the docstrings' numbers


def test_worked_numbers() -> None:
    """Every number that a docstring gives."""
    r = reference
    ends, both = np.array([-1000.0, 1000.0]), np.array([0.0, 2.0])
    assert r.sigmoid(ends).tolist() == [0.0, 1.0]
    assert r.tanh(ends).tolist() == [-1.0, 1.0]
    assert r.sigmoid(both).round(4).tolist() == [0.5, 0.8808]
    assert r.tanh(both).round(4).tolist() == [0.0, 0.9640]
    assert r.sigmoid_gradient(both).round(4).tolist() == [0.25, 0.1050]
    assert r.tanh_gradient(both).round(4).tolist() == [1.0, 0.0707]
    assert r.sigmoid_gradient(ends).tolist() == r.tanh_gradient(ends).tolist() == [0.0, 0.0]
    three = np.array([-3.0, 0.0, 2.0])
    assert r.relu(three).tolist() == [0.0, 0.0, 2.0]
    assert r.leaky_relu(three).round(12).tolist() == [-0.3, 0.0, 2.0]
    assert r.relu_gradient(three).tolist() == [0.0, 0.0, 1.0]
    assert r.leaky_relu_gradient(three[[0, 2]]).tolist() == [0.1, 1.0]
    assert r.count_parameters([1, 32, 1]) == 97
    pairs = r.he_initialise([1, 32, 1], np.random.default_rng(0))
    assert [(W.shape, b.shape) for W, b in pairs] == [((1, 32), (1, 32)), ((32, 1), (1, 1))]
    assert np.sqrt(2 / 32) == 0.25
    x, one, two = np.array([[2.0]]), np.array([[1.0, -1.0]]), np.array([[0.0, 1.0]])
    three, four = np.array([[3.0], [5.0]]), np.array([[0.5]])
    passed = r.forward(x, one, two, three, four)
    assert [a.tolist() for a in passed] == [[[2.0, -1.0]], [[2.0, 0.0]], [[6.5]]]
    assert r.mse_loss(np.array([[1.0, 2.0]]), np.zeros((1, 2))) == 2.5
    gradients = r.backward(x, np.array([[6.0]]), one, two, three, four)
    assert [g.tolist() for g in gradients] == [[[6.0, 0.0]], [[3.0, 0.0]], [[2.0], [0.0]], [[1.0]]]
    layers = [(np.array([[0.5]]), np.array([[-1.0]])), (np.array([[3.0]]), np.array([[1.0]]))]
    assert [a.tolist() for a in r.deep_forward(x, layers)] == [[[2.0]], [[0.0]], [[1.0]]]
    back = r.deep_backward(x, np.array([[0.0]]), layers)
    assert [(dW.item(), db.item()) for dW, db in back] == [(12.0, 6.0), (0.0, 2.0)]


# ------------------------------------------------------------- weights by hand


def test_interpolating_network_is_numpy_s_interpolation() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 10, 40):
        knots, values = np.cumsum(rng.uniform(0.1, 2, n)) - 5, rng.normal(size=n)
        x = rng.uniform(knots[0], knots[-1], 100)
        parameters = reference.interpolating_network(knots, values)
        found = reference.forward(x[:, None], *parameters)[2].ravel()
        np.testing.assert_allclose(found, np.interp(x, knots, values), atol=1e-12)


def test_interpolation_errs_by_the_square_of_the_spacing() -> None:
    """The error of linear interpolation is max |f''| h²/8 (any text on numerical analysis)."""
    x = np.linspace(-np.pi, np.pi, 20001)
    for n in (16, 64, 256):
        knots = np.linspace(-np.pi, np.pi, n + 1)
        parameters = reference.interpolating_network(knots, np.sin(knots))
        found = reference.forward(x[:, None], *parameters)[2].ravel()
        error = np.abs(found - np.sin(x)).max() / ((2 * np.pi / n) ** 2 / 8)
        assert 0.95 < error < 1.001, f"n = {n}: {error} of h²/8"


def test_the_docstring_of_interpolating_network() -> None:
    parameters = reference.interpolating_network(np.array([0, 1, 3]), np.array([1, 3, 2]))
    assert reference.forward(np.array([[2.0]]), *parameters)[2].item() == pytest.approx(2.5)
