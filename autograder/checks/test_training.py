"""Hidden checks of training.

Values are compared with float32's tolerance: an answer that computes in float32 is as right as
one in float64, and no known slip is that small; only derivatives are exact to rounding. What a
function does to an object that stays in the worker (a model, a state, a generator) is judged by
what the object does next, never by what is in it. Networks come from torch, not from the
student's MLP, so that a slip there costs once.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from coursekit import (
    SINGLE,
    CheckFailed,
    StudentError,
    Tolerance,
    attribute,
    below,
    close,
    holds,
    integer,
    measured,
    number,
    refuses,
    tensor,
    within,
)
from coursekit import training as watching
from torch.nn import functional

from autograder.judging.kit import goes_past_a_layer, stirred, torch_generator, unchanged

# A dozen operations in float64, each within 1e-16.
ROUNDING = Tolerance("rounding in float64", 1e-12, 1e-13, 0.0)

# Measured by benchmarks/thresholds.py: every right recipe stays under the limits with
# every seed. Plain Adam's last epoch is a lottery: its worst of 80 seeds is 0.0023 with all data
# at once and 0.0017 with batches, medians 2e-5 and 1e-4. Three times the learning rate
# makes its worst four to six times larger.
PERIODS = 1.25
EPOCHS = 1000
BATCH_EPOCHS = 100
BATCH_SIZE = 16
RATE = 0.003
UNSEEN_LIMIT = 0.02
LOSS_LIMIT = 0.002


def _normal(
    draw: np.random.Generator, *shape: int, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    return torch.tensor(draw.normal(size=shape), dtype=dtype)


def _like(returned: Any, wanted: torch.Tensor, what: str) -> np.ndarray:
    """The values of a tensor of the same shape and dtype."""
    values = tensor(returned, wanted.shape)
    text = str(wanted.dtype).removeprefix("torch.")
    holds(returned.dtype == wanted.dtype, f"{what} should keep the dtype, {text}")
    return values


def _layer(student: Any, kind: str, *arguments: Any) -> Any:
    """torch's own layer of this kind, in the worker."""
    return student.call("nn", kind, arguments, {})


def _gradient(gradient: Any, expected: torch.Tensor) -> None:
    holds(gradient is not None, "no gradient comes back: nothing can be trained with it")
    close(tensor(gradient, expected.shape), expected.numpy(), SINGLE)


# ----------------------------------------------------------------------------- derivative


def _polynomial(draw: np.random.Generator) -> np.polynomial.Polynomial:
    return np.polynomial.Polynomial(draw.uniform(0.5, 2.0, 4))


def test_derivative__is_the_slope_at_every_element(student, draw):
    """is the slope at every element of a batch, whatever its shape"""
    for shape in ((7,), (7,), (5, 1), (1, 4), (2, 3, 2)):
        polynomial = _polynomial(draw)
        field = student.field("polynomial", coefficients=polynomial.coef.tolist())
        x = _normal(draw, *shape)
        slope = student.derivative(field, x)
        close(_like(slope, x, "the slope"), polynomial.deriv()(x.numpy()), SINGLE)


def test_derivative__works_for_any_function(student, draw):
    """is the slope of whatever function it is handed"""
    amplitude, frequency = (float(value) for value in draw.uniform(1.5, 3.0, 2))
    field = student.field("sine", amplitude=amplitude, frequency=frequency)
    x = _normal(draw, 11)
    expected = amplitude * frequency * np.cos(frequency * x.numpy())
    close(student.derivative(field, x), torch.tensor(expected), SINGLE)


def test_derivative__takes_a_single_number(student, draw):
    """is a single number for a single number"""
    polynomial = _polynomial(draw)
    field = student.field("polynomial", coefficients=polynomial.coef.tolist())
    x = torch.tensor(float(draw.uniform(1, 3)), dtype=torch.float64)
    close(tensor(student.derivative(field, x), ()), polynomial.deriv()(x.numpy()), SINGLE)


@pytest.mark.point
def test_derivative__is_exact(student, draw):
    """is exact to rounding, through autograd: a difference of the function loses digits

    On values so large that the change over a step drowns in them, and on a function so fast that
    no step is small.
    """
    polynomial = _polynomial(draw)
    frequency = float(draw.uniform(1e9, 2e9))
    for dtype, zero, tolerance in ((torch.float64, 1e8, ROUNDING), (torch.float32, 500.0, SINGLE)):
        x = torch.tensor(draw.uniform(2, 3, 9), dtype=dtype)
        places = x.numpy().astype(float)
        fields = [("polynomial", {"coefficients": (polynomial + zero).coef.tolist()})]
        expected = [polynomial.deriv()(places)]
        if dtype == torch.float64:
            fields.append(("sine", {"frequency": frequency}))
            expected.append(frequency * np.cos(frequency * places))
        for (name, settings), wanted in zip(fields, expected, strict=True):
            slope = tensor(student.derivative(student.field(name, **settings), x), x.shape)
            off = np.abs(slope - wanted).max() / np.abs(wanted).max()
            nearly = "the slopes are not exact to rounding, as autograd's are"
            holds(bool(off <= 10 * tolerance.relative), nearly)


@pytest.mark.guard
def test_derivative__keeps_the_dtype(student, draw):
    """has the dtype of x"""
    field = student.field("polynomial", coefficients=_polynomial(draw).coef.tolist())
    for dtype in (torch.float32, torch.float64):
        x = _normal(draw, 5, dtype=dtype)
        _like(student.derivative(field, x), x, "the slope")


def test_derivative__leaves_x_as_it_was(student, draw):
    """leaves x as it was, its requires_grad and .grad included, and has the same value each time"""
    polynomial = _polynomial(draw)
    field = student.field("polynomial", coefficients=polynomial.coef.tolist())
    for gradient in (False, True):
        before = _normal(draw, 6).requires_grad_(gradient)
        x = student.keep(before)
        if gradient:  # something else has left a gradient in x: ones
            student.call(x, "sum", (), {}, keep=True).backward()
        for _ in range(2):
            slope = student.derivative(field, x)
            close(tensor(slope, (6,)), polynomial.deriv()(before.detach().numpy()), SINGLE)
        close(tensor(student.value(x), (6,)), before.detach().numpy(), SINGLE)
        holds(attribute(x, "requires_grad") is gradient, "x.requires_grad has changed")
        left = attribute(x, "grad")
        holds((left is not None) is gradient, "x.grad has been filled or emptied")
        if left is not None:
            close(tensor(left, (6,)), np.ones(6), SINGLE)


# ------------------------------------------------------------------------------------ mlp


def _weights_of(model: Any) -> list[torch.Tensor]:
    found = model.parameters()
    holds(isinstance(found, list), "should be an nn.Module with parameters()")
    return found


def _count(sizes: Sequence[int]) -> int:
    return sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))


def _made(student: Any, n_in: int, hidden: list[int], n_out: int) -> Any:
    """A network after its first call, when lazy layers have taken their size."""
    model = student.MLP(n_in, hidden, n_out)
    model(torch.ones(2, n_in))
    return model


def _drawn(
    student: Any, draw: np.random.Generator, n_in: int, hidden: list[int], n_out: int
) -> Any:
    """A network with drawn weights: with which ones it begins is another check's question."""
    model = _made(student, n_in, hidden, n_out)
    stirred(model, draw)
    return model


def _has_parameters(
    student: Any, draw: np.random.Generator, n_in: int, hidden: list[int], n_out: int
) -> None:
    weights = _weights_of(_made(student, n_in, hidden, n_out))
    close(sum(p.numel() for p in weights), _count([n_in, *hidden, n_out]), SINGLE)
    trainable = all(p.requires_grad for p in weights)
    holds(trainable, "every weight and bias should be a trainable parameter")
    holds(
        _have_a_say(student, draw, n_in, hidden, n_out), "some parameters have no say in the output"
    )


def _have_a_say(
    student: Any, draw: np.random.Generator, n_in: int, hidden: list[int], n_out: int
) -> bool:
    """Does the output move with every parameter? Behind a narrow layer of ReLU that is silent none
    does; of twenty networks not all are so."""
    for _ in range(20):
        model = _drawn(student, draw, n_in, hidden, n_out)
        output = student.keeping(model, torch.eye(n_in))
        if all(one is not None and one.any() for one in student.gradients(output, model)):
            return True
    return False


def test_mlp__has_the_parameters_of_its_layers(student, draw):
    """has a weight for every pair of neurons and a bias for every neuron, all of them trainable"""
    for _ in range(3):
        n_in, hidden, n_out = (int(n) for n in draw.integers(2, 9, 3))
        _has_parameters(student, draw, n_in, [hidden], n_out)


def test_mlp__has_as_many_layers_as_asked_for(student, draw):
    """has the parameters of all its layers, however many there are"""
    for depth in (2, 3, 5):
        n_in, *hidden, n_out = (int(n) for n in draw.integers(2, 9, depth + 2))
        _has_parameters(student, draw, n_in, hidden, n_out)
    _has_parameters(student, draw, 2, [int(draw.integers(3, 9))] * 4, 1)


def _settled(student: Any, draw: np.random.Generator, *sizes: Any) -> Any:
    """An untrained MLP in evaluation mode: training mode is another check's question."""
    student.reseed(int(draw.integers(2**31)))
    model = _drawn(student, draw, *sizes)
    with contextlib.suppress(StudentError):
        model.eval()
    return model


def _far_out(student: Any, draw: np.random.Generator, hidden: list[int]) -> tuple[float, float]:
    """The slopes of an untrained MLP(1, hidden, 1) far to the left and far to the right."""
    x = torch.tensor([[-2000.0], [-1000.0], [1000.0], [2000.0]])
    y = tensor(_settled(student, draw, 1, hidden, 1)(x), (4, 1))[:, 0].astype(float)
    return (y[1] - y[0]) / 1000, (y[3] - y[2]) / 1000


def _silent(slope: float) -> bool:
    return abs(slope) < SINGLE.tiny


@pytest.mark.point
def test_mlp__has_relu_neurons(student, draw):
    """with a single hidden neuron is constant on one side of its corner and a slope on the other

    A corner lies beyond x = ±1000 once in 1500 networks: of 16, three do once in 6 million
    courses. A second ReLU silences one side or both in half of them.
    """
    sides = [_far_out(student, draw, [1]) for _ in range(16)]
    holds(
        sum(_silent(left) != _silent(right) for left, right in sides) > 13,
        "with one hidden neuron the output should be constant on one side, a slope on the "
        "other: is there a ReLU after the hidden layer?",
    )


@pytest.mark.point
def test_mlp__is_made_of_straight_pieces(student, draw):
    """draws straight pieces with corners between them, at most one corner for each neuron"""
    x = torch.linspace(-3, 3, 301)[:, None]
    corners = 0
    for _ in range(4):
        y = tensor(_settled(student, draw, 1, [8], 1)(x), (301, 1))[:, 0].astype(float)
        rounding = SINGLE.tiny * (1 + np.abs(y).max())  # float32's is a tenth of it
        least = SINGLE.relative * np.abs(np.diff(y)).max() + rounding
        bends = np.abs(np.diff(y, 2)) > least
        holds(int(bends.sum()) <= 2 * 8, "the curve bends everywhere, not in corners")
        corners += int(bends.sum())
    holds(corners > 0, "the curve is a straight line: is there a ReLU after the hidden layer?")


@pytest.mark.point
def test_mlp__has_a_relu_after_the_first_hidden_layer(student, draw):
    """with several hidden layers is another straight line on the left than on the right"""
    for hidden in ([16, 16], [16, 16, 16]):
        slopes = [_far_out(student, draw, hidden) for _ in range(6)]
        bent = sum(abs(b - a) > SINGLE.relative * max(abs(a), abs(b)) for a, b in slopes)
        holds(bent > 1, "the slope is the same far to the left and far to the right")
        for side in zip(*slopes, strict=True):
            silent = all(_silent(slope) for slope in side)
            holds(not silent, "far out on one side every network is constant: is x itself cut off?")


@pytest.mark.point
def test_mlp__has_a_relu_after_the_last_hidden_layer(student, draw):
    """with several hidden layers has a ReLU after the last of them too

    A last hidden layer with one neuron falls silent on each far side with probability ½, if it
    has a ReLU. Of 12 networks' 24 sides, fewer than two or all are silent once in 600 000 courses.
    """
    slopes = [_far_out(student, draw, [16, 1]) for _ in range(12)]
    silent = sum(_silent(slope) for both in slopes for slope in both)
    holds(
        1 < silent < 24,
        "behind a last hidden layer of one neuron some networks should be constant far out: is "
        "there a ReLU after it, and has it the width asked for?",
    )


def test_mlp__ends_without_an_activation(student, draw):
    """gives numbers of both signs and of any size: there is nothing after the last layer"""
    student.reseed(int(draw.integers(2**31)))
    model = _drawn(student, draw, 3, [20], 40)
    y = tensor(model(100 * _normal(draw, 30, 3, dtype=torch.float32)), (30, 40))
    holds(bool(y.min() < -1 and y.max() > 1), "the outputs should not be cut off or squeezed")
    sums = np.abs(y.sum(axis=1))
    holds(bool(np.ptp(sums) > 1), "the outputs should not be normalised")


@pytest.mark.guard
def test_mlp__is_linear_without_hidden_layers(student, draw):
    """is a single linear layer if there are no hidden layers"""
    student.reseed(int(draw.integers(2**31)))
    model = _made(student, 3, [], 2)
    close(sum(p.numel() for p in _weights_of(model)), 8, SINGLE)
    a, b = _normal(draw, 4, 3, dtype=torch.float32), _normal(draw, 4, 3, dtype=torch.float32)
    ends = tensor(model(a), (4, 2)) + tensor(model(b), (4, 2))
    close(2 * tensor(model((a + b) / 2), (4, 2)), ends, SINGLE)


@pytest.mark.guard
def test_mlp__takes_any_number_of_rows(student, draw):
    """maps (N, input_dim) to (N, output_dim), each row by itself, a single row too"""
    student.reseed(int(draw.integers(2**31)))
    model, x = student.MLP(3, [8, 6], 2), _normal(draw, 9, 3, dtype=torch.float32)
    together = tensor(model(x), (9, 2))
    for row in (0, 4):
        close(model(x[row : row + 1]), torch.tensor(together[row : row + 1]), SINGLE)


@pytest.mark.guard
def test_mlp__leaves_the_list_of_widths_alone(student, draw):
    """leaves the caller's list of widths as it was"""
    widths = [int(n) for n in draw.integers(2, 9, 3)]
    unchanged(student, lambda hidden: student.MLP(2, hidden, 1), widths)


def test_mlp__has_nothing_besides(student, draw):
    """says in training mode what it says in evaluation mode: no dropout, no normalisation"""
    student.reseed(int(draw.integers(2**31)))
    model, x = _drawn(student, draw, 2, [32, 32], 3), _normal(draw, 20, 2, dtype=torch.float32)
    model.eval()
    quiet = tensor(model(x), (20, 3))
    holds(bool(np.ptp(quiet, axis=0).min() > 0), "one of the outputs is the same for all rows")
    model.train()
    for order in (np.arange(20), draw.permutation(20)):
        close(tensor(model(x[order]), (20, 3)), quiet[order], SINGLE)


def test_mlp__leads_through_every_layer(student, draw):
    """has no way past a layer: with one layer's weights at zero, x no longer matters

    Of 16 units some are awake: of four, none is once in 400 networks.
    """
    model, x = _settled(student, draw, 16, [16, 16], 16), _normal(draw, 20, 16, dtype=torch.float32)
    holds(bool(np.ptp(tensor(model(x), (20, 16)), axis=0).max() > 0), "x does not matter")
    past = goes_past_a_layer(model, lambda: tensor(model(x), (20, 16)))
    holds(not past, "something goes past a layer and is added behind it")


@pytest.mark.point
def test_mlp__can_be_trained(student, draw):
    """hands over the weights of all its layers, and a gradient arrives at each of them"""
    student.reseed(int(draw.integers(2**31)))
    model, x = _made(student, 2, [16, 16], 3), _normal(draw, 20, 2, dtype=torch.float32)
    gradients = student.gradients(student.keeping(model, x), model)
    holds(len(gradients) > 0, "the network has no parameters")
    handed_over = sum(p.numel() for p in _weights_of(model))
    lacking = (
        "parameters() holds fewer numbers than the weights of all layers: is one of them not made, "
        "or kept in a plain list?"
    )
    holds(handed_over >= 2 * 16 + 16 * 16 + 16 * 3, lacking)
    for _ in range(2):  # a layer that begins with zeros moves first, and then those before it
        given = zip(model.named_parameters(), gradients, strict=True)
        moved = {name: p - 0.01 * g for (name, p), g in given if g is not None}
        model.load_state_dict(moved, strict=False)
        gradients = student.gradients(student.keeping(model, x), model)
    for gradient in gradients:
        arrived = gradient is not None and bool((gradient != 0).any())
        holds(arrived, "no gradient arrives at some of the parameters")
    for one in gradients:
        alike = one.shape == (16, 16) and torch.allclose(one, one[0, 0], atol=0.0)
        holds(not alike, "its neurons begin alike, and what is equal stays equal")


# --------------------------------------------------------------------------------- losses


def _binary(draw: np.random.Generator, *shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and targets, at least one target of each kind. No answer is nearly certain: what is
    added inside of a logarithm shows at large logits alone."""
    targets = draw.integers(0, 2, shape).astype(float)
    targets.flat[0], targets.flat[-1] = 0, 1
    return torch.tensor(draw.uniform(-3, 3, shape)), torch.tensor(targets)


def _classes(draw: np.random.Generator, rows: int, kinds: int) -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.tensor(draw.uniform(-3, 3, (rows, kinds)))
    return logits, torch.tensor(draw.integers(0, kinds, rows))


def test_losses__mae_is_the_mean_absolute_error(student, draw):
    """mae_loss is the mean of |y_pred − y_true| over every element"""
    for shape in ((9, 1), (5, 3), (5, 3), (1, 1)):
        y_pred, y_true = _normal(draw, *shape), _normal(draw, *shape)
        expected = float(functional.l1_loss(y_pred, y_true))
        close(number(student.mae_loss(y_pred, y_true)), expected, SINGLE)


def test_losses__bce_is_the_binary_cross_entropy(student, draw):
    """bce_with_logits is the mean binary cross-entropy of the sigmoids"""
    for shape in ((9, 1), (12,), (4, 3)):
        logits, targets = _binary(draw, *shape)
        expected = float(functional.binary_cross_entropy_with_logits(logits, targets))
        close(number(student.bce_with_logits(logits, targets)), expected, SINGLE)


def test_losses__bce_is_exact_at_large_logits(student, draw):
    """bce_with_logits is exact at logits of ±1000, right or wrong"""
    size = float(draw.uniform(900, 1000))
    small = (0.0, 1.0, math.log(2))
    for logit, target, expected in ((size, 0.0, size), (-size, 1.0, size), (size, 1.0, 0.0), small):
        for dtype in (torch.float32, torch.float64):
            z, t = (torch.tensor([[value]], dtype=dtype) for value in (logit, target))
            close(number(student.bce_with_logits(z, t)), expected, SINGLE)


def test_losses__cross_entropy_is_that_of_the_softmax(student, draw):
    """cross_entropy is the mean of −ln of the softmax of the right class"""
    for rows, kinds in ((9, 4), (6, 2), (1, 3)):
        logits, classes = _classes(draw, rows, kinds)
        expected = float(functional.cross_entropy(logits, classes))
        close(number(student.cross_entropy(logits, classes)), expected, SINGLE)


def test_losses__cross_entropy_is_exact_at_large_logits(student, draw):
    """cross_entropy is exact at logits of ±1000, right or wrong"""
    size = float(draw.uniform(900, 1000))
    for dtype in (torch.float32, torch.float64):
        z = torch.tensor([[size, -size, 0.0]], dtype=dtype)
        for chosen, expected in ((0, 0.0), (1, 2 * size), (2, size)):
            close(number(student.cross_entropy(z, torch.tensor([chosen]))), expected, SINGLE)
        close(number(student.cross_entropy(-z.abs(), torch.tensor([2]))), 0.0, SINGLE)
    order = draw.permutation(3)  # rows of very different size in one batch, all of them wrong
    rows = torch.tensor([[1000.0, 1002.0], [-1000.0, -1002.0], [2.0, 0.0]])[order].double()
    classes = torch.tensor([0, 1, 1])[order]
    expected = float(functional.cross_entropy(rows, classes))
    close(number(student.cross_entropy(rows, classes)), expected, SINGLE)


def _gradients(
    student: Any, name: str, prediction: torch.Tensor, target: torch.Tensor, theirs: Any
) -> None:
    """The student's loss has the gradient of torch's with respect to the prediction."""
    leaf = prediction.clone().requires_grad_()
    (expected,) = torch.autograd.grad(theirs(leaf, target), leaf)
    kept = student.keep(prediction.clone().requires_grad_())
    (gradient,) = student.gradients(student.keeping(name, kept, target), kept)
    _gradient(gradient, expected)


def test_losses__can_be_differentiated(student, draw):
    """all three have the right gradients with respect to the predictions"""
    y_pred, y_true = _normal(draw, 7, 2), _normal(draw, 7, 2)
    for name, prediction, target, theirs in (
        ("mae_loss", y_pred, y_true, functional.l1_loss),
        ("bce_with_logits", *_binary(draw, 8, 1), functional.binary_cross_entropy_with_logits),
        ("cross_entropy", *_classes(draw, 6, 3), functional.cross_entropy),
    ):
        _gradients(student, name, prediction, target, theirs)
    equal = student.keep(y_true.clone().requires_grad_())
    (corner,) = student.gradients(student.keeping("mae_loss", equal, y_true), equal)
    holds(corner is not None, "mae_loss has lost its graph: nothing can be trained with it")
    # Any slope between those of both sides will do; NaN, as a root has at zero, will not.
    bounded = bool((np.abs(tensor(corner, (7, 2))) < 1.1 / 14).all())
    holds(bounded, "mae_loss has no finite gradient where prediction and target agree")


@pytest.mark.guard
def test_losses__can_be_differentiated_at_large_logits(student, draw):
    """bce_with_logits and cross_entropy have the right gradients at logits of ±1000 too"""
    size = float(draw.uniform(900, 1000))
    z = torch.tensor([size, -size, size, -size])
    t = torch.tensor([0.0, 1.0, 1.0, 0.0])
    _gradients(student, "bce_with_logits", z, t, functional.binary_cross_entropy_with_logits)
    rows = torch.tensor([[size, -size, 0.0], [-size, 0.0, size]])
    classes = torch.tensor(draw.integers(0, 3, 2))
    _gradients(student, "cross_entropy", rows, classes, functional.cross_entropy)


@pytest.mark.guard
def test_losses__leave_their_arguments_unchanged(student, draw):
    """leave predictions and targets unchanged"""
    unchanged(student, student.mae_loss, _normal(draw, 5, 2), _normal(draw, 5, 2))
    unchanged(student, student.bce_with_logits, *_binary(draw, 6))
    unchanged(student, student.cross_entropy, *_classes(draw, 5, 3))


# ----------------------------------------------------------------------------- optimisers

STEPS = 50
FEW_STEPS = 15  # other settings show from the first steps on


def _start(draw: np.random.Generator) -> list[torch.Tensor]:
    """None near 0, where the gradients are too and a wrong eps shows by chance."""
    sizes = (draw.uniform(0.3, 2.0, shape) for shape in ((3, 2), (4,), (1,)))
    return [torch.tensor(draw.choice([-1.0, 1.0], size.shape) * size) for size in sizes]


def _several(returned: Any, params: list[torch.Tensor], what: str) -> list[torch.Tensor]:
    """The new parameters, one for each old one."""
    many = isinstance(returned, (list, tuple)) and len(returned) == len(params)
    holds(many, f"{what} should come back in a list, one tensor for each parameter")
    for new, old in zip(returned, params, strict=True):
        _like(new, old, "a parameter")
    return [new.detach() for new in returned]


def _two(returned: Any) -> tuple[Any, Any]:
    pair = isinstance(returned, (list, tuple)) and len(returned) == 2
    holds(pair, "should return two things: the new parameters and what the next step needs")
    return returned[0], returned[1]


def _follows(
    student: Any, draw: np.random.Generator, name: str, theirs: Any, lr: float, **settings: Any
) -> None:
    """The same path as torch's optimiser on a bowl with a different curvature in each direction."""
    start = _start(draw)
    curvature = [torch.tensor(draw.uniform(0.5, 5.0, p.shape)) for p in start]
    leaves = [p.clone().requires_grad_() for p in start]
    descent = theirs(leaves, lr)
    params, state = start, None
    for _ in range(FEW_STEPS if settings else STEPS):
        grads = [c * p for c, p in zip(curvature, params, strict=True)]
        if name == "sgd_step":
            returned = student.sgd_step(params, grads, lr)
        else:
            returned, state = _two(getattr(student, name)(params, grads, state, lr, **settings))
        params = _several(returned, params, "the parameters")
        for leaf, c in zip(leaves, curvature, strict=True):
            leaf.grad = c * leaf.detach()
        descent.step()
        close(params, [leaf.detach() for leaf in leaves], SINGLE)


def _rate(draw: np.random.Generator) -> float:
    return float(draw.uniform(0.02, 0.06))


def test_optimisers__sgd_follows_the_gradient(student, draw):
    """sgd_step takes the path of gradient descent for 50 steps"""
    _follows(student, draw, "sgd_step", torch.optim.SGD, _rate(draw))


def test_optimisers__momentum_gathers_speed(student, draw):
    """momentum_step takes the path of gradient descent with momentum 0.9 for 50 steps"""
    _follows(
        student,
        draw,
        "momentum_step",
        lambda leaves, lr: torch.optim.SGD(leaves, lr=lr, momentum=0.9),
        _rate(draw),
    )


def test_optimisers__momentum_takes_any_momentum(student, draw):
    """momentum_step is right for any momentum"""
    momentum = float(draw.uniform(0.3, 0.7))
    _follows(
        student,
        draw,
        "momentum_step",
        lambda leaves, lr: torch.optim.SGD(leaves, lr=lr, momentum=momentum),
        _rate(draw),
        momentum=momentum,
    )


def test_optimisers__adam_takes_adams_path(student, draw):
    """adam_step takes Adam's path for 50 steps"""
    _follows(student, draw, "adam_step", torch.optim.Adam, _rate(draw))


def test_optimisers__adam_takes_any_settings(student, draw):
    """adam_step is right for any betas and eps"""
    betas = (float(draw.uniform(0.4, 0.8)), float(draw.uniform(0.7, 0.95)))
    eps = float(draw.uniform(0.1, 0.3))
    _follows(
        student,
        draw,
        "adam_step",
        lambda leaves, lr: torch.optim.Adam(leaves, lr=lr, betas=betas, eps=eps),
        _rate(draw),
        betas=betas,
        eps=eps,
    )


def test_optimisers__adams_first_step_has_the_size_lr(student, draw):
    """adam_step moves every parameter by lr in the first step, however large its gradient"""
    lr, size = _rate(draw), torch.tensor([1e-2, 1.0, 1e4, 1e8], dtype=torch.float64)
    params = [_normal(draw, 4)]
    sign = torch.tensor(draw.choice([-1.0, 1.0], 4))
    returned, _ = _two(student.adam_step(params, [sign * size], None, lr))
    (new,) = _several(returned, params, "the parameters")
    close(new - params[0], -lr * sign, SINGLE)


def test_optimisers__adam_has_its_default_eps(student, draw):
    """adam_step and adamw_step have the eps 1e−8 unless told otherwise

    A gradient as small as eps moves a parameter by half of lr; decay is no part of it.
    """
    lr, sign = _rate(draw), torch.tensor(draw.choice([-1.0, 1.0], 3))
    params = [torch.zeros(3, dtype=torch.float64)]
    for name, still in (("adam_step", {}), ("adamw_step", {"weight_decay": 0.0})):
        returned, _ = _two(getattr(student, name)(params, [1e-8 * sign], None, lr, **still))
        close(_several(returned, params, "the parameters")[0], -lr / 2 * sign, SINGLE)


def test_optimisers__adamw_takes_adamws_path(student, draw):
    """adamw_step takes the path of Adam with decoupled weight decay for 50 steps"""
    _follows(student, draw, "adamw_step", torch.optim.AdamW, 10 * _rate(draw))


def test_optimisers__adamw_takes_any_settings(student, draw):
    """adamw_step is right for any decay, betas and eps"""
    decay, eps = float(draw.uniform(0.5, 2.0)), float(draw.uniform(0.1, 0.3))
    betas = (float(draw.uniform(0.4, 0.8)), float(draw.uniform(0.7, 0.95)))
    _follows(
        student,
        draw,
        "adamw_step",
        lambda leaves, lr: torch.optim.AdamW(
            leaves, lr=lr, betas=betas, eps=eps, weight_decay=decay
        ),
        _rate(draw),
        betas=betas,
        eps=eps,
        weight_decay=decay,
    )


@pytest.mark.guard
def test_optimisers__momentum_returns_the_velocity(student, draw):
    """momentum_step returns the velocity v ← momentum · v + g, which has no learning rate in it"""
    params, velocity, expected = [_normal(draw, 3)], None, torch.zeros(3, dtype=torch.float64)
    for rate in draw.uniform(0.01, 0.1, 3).tolist():
        grads = [_normal(draw, 3)]
        params, velocity = _two(student.momentum_step(params, grads, velocity, rate))
        params = _several(params, grads, "the parameters")
        expected = 0.9 * expected + grads[0]
        if isinstance(velocity, (list, tuple)) and isinstance(velocity[0], torch.Tensor):
            close(velocity[0].detach(), expected, SINGLE)  # else it is kept in another form


NEED_STATE = ("momentum_step", "adam_step", "adamw_step")


@pytest.mark.guard
def test_optimisers__leave_params_and_grads_unchanged(student, draw):
    """leave the old parameters and the gradients unchanged"""
    params, grads = _start(draw), _start(draw)
    unchanged(student, lambda p, g: student.sgd_step(p, g, 0.1), params, grads)
    for name in NEED_STATE:
        step = getattr(student, name)
        unchanged(student, lambda p, g, step=step: step(p, g, None, 0.1), params, grads)


@pytest.mark.guard
def test_optimisers__leave_the_old_state_unchanged(student, draw):
    """can go on from the same velocity or state twice and arrive at the same place"""
    params = _start(draw)
    for name in NEED_STATE:
        first, grads = _start(draw), _start(draw)
        kept = student.call(name, None, (params, first, None, 0.1), {}, keep=True)
        _, state = _two(kept)
        arrived = [
            _several(_two(getattr(student, name)(params, grads, state, 0.1))[0], params, "they")
            for _ in range(2)
        ]
        close(arrived[1], arrived[0], SINGLE)


@pytest.mark.guard
def test_optimisers__keep_shape_and_dtype(student, draw):
    """keep the shape and dtype of every parameter"""
    for dtype in (torch.float32, torch.float64):
        params = [_normal(draw, 2, 3, dtype=dtype), _normal(draw, dtype=dtype)]
        grads = [torch.zeros_like(p) for p in params]
        _several(student.sgd_step(params, grads, 0.1), params, "the parameters")
        for name in NEED_STATE:
            state = None
            for _ in range(2):
                new, state = _two(getattr(student, name)(params, grads, state, 0.1))
                _several(new, params, "the parameters")


# ---------------------------------------------------------------------------- minibatches


def _items(student: Any, returned: Any) -> list[Any]:
    """Everything that a for loop over `returned` would see, wherever it lives."""
    if returned is None or isinstance(returned, (np.ndarray, torch.Tensor, int, float, str, dict)):
        raise CheckFailed("type", "should give pairs (x_b, y_b), one for each batch")
    try:
        return list(returned)
    except StudentError as error:
        if error.kind != "missing":
            raise
    found: list[Any] = []  # without __iter__, a for loop asks by number
    while True:
        try:
            found.append(student.call(returned, "__getitem__", (len(found),), {}))
        except StudentError as error:
            if error.name == "IndexError":
                return found
            raise


def _rows(draw: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row n of x is [n, a number], of y n + 1000: rows can be told apart and partners found."""
    x = torch.stack([torch.arange(count, dtype=torch.float64), _normal(draw, count)], dim=1)
    return x, torch.arange(count) + 1000


def _epoch(student: Any, x: Any, y: Any, batch_size: int, generator: Any) -> list[np.ndarray]:
    """The batches of one epoch, each as the numbers of its rows."""
    batches = []
    for item in _items(student, student.minibatches(x, y, batch_size, generator)):
        pair = _items(student, item)  # whatever can be taken apart
        holds(len(pair) == 2, "every batch should be a pair (x_b, y_b)")
        x_b, y_b = pair
        rows = tensor(x_b, (None, 2))
        holds(len(tensor(y_b)) == len(rows), "x_b and y_b should have the same number of rows")
        batches.append(rows[:, 0].round().astype(int))
    holds(len(batches) > 0, "there should be batches")
    return batches


def _most(x: torch.Tensor, batches: list[np.ndarray]) -> list[np.ndarray]:
    """Batches that hold most rows: of a few nothing can be told, neither which come together nor in
    which order."""
    holds(2 * sum(map(len, batches)) >= len(x), "most rows never come")
    return batches


def test_minibatches__gives_every_row_once(student, draw):
    """gives every row exactly once in an epoch, and its partner too"""
    for count, batch_size in ((23, 5), (32, 8), (17, 1)):
        x, y = _rows(draw, count)
        items = _items(student, student.minibatches(x, y, batch_size, torch_generator(draw)))
        pairs = [
            (round(float(row[0])), int(label))
            for x_b, y_b in items
            for row, label in zip(tensor(x_b, (None, 2)), tensor(y_b), strict=True)
        ]
        holds(sorted(pairs) == [(n, n + 1000) for n in range(count)], "some pairs are not there")


@pytest.mark.point
def test_minibatches__gives_no_row_twice(student, draw):
    """gives no row twice in an epoch, and no row that is not there"""
    for count, batch_size in ((31, 8), (40, 10)):
        x, y = _rows(draw, count)
        rows = np.concatenate(_most(x, _epoch(student, x, y, batch_size, torch_generator(draw))))
        holds(len(np.unique(rows)) == len(rows), "some rows come twice in an epoch")
        holds(set(rows.tolist()) <= set(range(count)), "some rows are not those of x")


def _partners(student: Any, draw: np.random.Generator, x: Any, y: torch.Tensor) -> None:
    items = _items(student, student.minibatches(x, y, 6, torch_generator(draw)))
    holds(len(items) > 0, "there should be batches")
    _most(x, [tensor(x_b, (None, 2)) for x_b, _ in items])
    for x_b, y_b in items:
        rows = tensor(x_b, (None, 2))[:, 0].round().astype(int)
        close(x_b, x[rows], SINGLE)
        close(y_b, y[rows], SINGLE)
        holds(x_b.dtype == x.dtype and y_b.dtype == y.dtype, "the dtypes should stay")


@pytest.mark.point
def test_minibatches__keeps_labels_with_their_rows(student, draw):
    """keeps every row of x together with its label, an integer"""
    _partners(student, draw, *_rows(draw, 29))


def test_minibatches__keeps_values_with_their_rows(student, draw):
    """keeps every row of x together with its row of y, a column or several"""
    for columns in (1, 3, 3):
        x, _ = _rows(draw, 32)
        _partners(student, draw, x.float(), _normal(draw, 32, columns))


def test_minibatches__keeps_the_short_last_batch(student, draw):
    """fills every batch but the last, and keeps a shorter last one"""
    for count, batch_size in ((int(draw.integers(65, 70)), 16), (24, 6), (5, 9)):
        x, y = _rows(draw, count)
        batches = _epoch(student, x, y, batch_size, torch_generator(draw))
        holds(len(np.unique(np.concatenate(batches))) > 1, "all rows of the batches are the same")
        sizes = [len(batch) for batch in batches]
        full, left = divmod(count, batch_size)
        expected = [batch_size] * full + [left] * (left > 0)
        text = f"{count} rows in batches of {batch_size} should make {len(expected)} batches"
        holds(len(sizes) == len(expected), text)
        holds(sizes == expected, "every batch but the last should be full")


@pytest.mark.point
def test_minibatches__shuffles_rows_not_blocks(student, draw):
    """brings together rows that were not neighbours

    Neighbours share a batch with probability 3/23. Over 60 epochs of 23 neighbours the number
    of shared ones is within 5 binomial standard errors, which are larger than the true ones: a
    right answer fails less than once in a million courses. Blocks of neighbours are 60 away.
    """
    count, batch_size, epochs = 24, 4, 60
    x, y = _rows(draw, count)
    shared, orders = 0, set()
    for _ in range(epochs):  # a generator each: whether epochs differ is another check's question
        batches = _epoch(student, x, y, batch_size, torch_generator(draw))
        for batch in batches:
            full = len(batch) in (0, batch_size)  # an empty one is another check's question
            holds(full, "every batch should have batch_size rows: they suffice")
            shared += int(np.sum(np.diff(np.sort(batch)) == 1))
        orders.add(str(batches))
    holds(len(orders) > 1, "the batches are the same for every seed")  # as neighbours may be
    tries, chance = (count - 1) * epochs, (batch_size - 1) / (count - 1)
    within(shared, tries * chance, math.sqrt(tries * chance * (1 - chance)))


def test_minibatches__shuffles_anew_in_every_epoch(student, draw):
    """has another order in the next epoch with the same generator"""
    x, y = _rows(draw, 40)
    generator = student.keep(torch_generator(draw))
    orders = [np.concatenate(_most(x, _epoch(student, x, y, 8, generator))) for _ in range(8)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        same = np.array_equal(orders[one], orders[other])
        holds(not same, "every epoch has the same order")
    for place in (0, -1):  # by chance once in 10¹¹ courses
        holds(len({int(o[place]) for o in orders}) > 1, "a row keeps its place in every epoch")


def test_minibatches__draws_from_the_generator_alone(student, draw):
    """has the same order for the same seed, whatever the global random state, and else another"""
    x, y = _rows(draw, 40)
    seed, orders = int(draw.integers(2**31)), []
    for chosen in (seed, seed, seed + 1):
        student.reseed(int(draw.integers(2**31)))
        generator = torch.Generator().manual_seed(chosen)
        orders.append(np.concatenate(_most(x, _epoch(student, x, y, 8, generator))))
    close(orders[1], orders[0], SINGLE)
    holds(not np.array_equal(orders[0], orders[2]), "another seed should give another order")


def _global(student: Any, draw: np.random.Generator, result: Callable[[], np.ndarray]) -> None:
    """Without a generator, torch's global random state decides, and nothing else."""
    seed, found = int(draw.integers(2**31)), []
    for chosen in (seed, seed, seed + 1):
        student.reseed(chosen)
        found.append(result())
    close(found[1], found[0], SINGLE)
    other = not np.array_equal(found[0], found[2])
    holds(other, "without a generator, torch's global random state should decide")


def test_minibatches__draws_from_the_global_state_without_a_generator(student, draw):
    """shuffles by torch's global random state if generator is None"""
    x, y = _rows(draw, 40)

    def order() -> np.ndarray:
        found = np.concatenate(_epoch(student, x, y, 8, None))
        holds(len(found) == 40, f"an epoch of 40 rows shows {measured(len(found))}")
        return found

    _global(student, draw, order)


@pytest.mark.guard
def test_minibatches__leaves_the_data_unchanged(student, draw):
    """leaves x and y unchanged"""
    unchanged(
        student, lambda x, y: _epoch(student, x, y, 7, torch_generator(draw)), *_rows(draw, 30)
    )


# -------------------------------------------------------------------------------- dropout


def _away_from_zero(draw: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.tensor(draw.uniform(0.5, 1.5, shape) * draw.choice([-1.0, 1.0], shape))


@pytest.mark.point
def test_dropout__scales_what_it_keeps(student, draw):
    """gives each element as 0 or as x / (1 − p), and not always the same ones as 0"""
    for shape in ((30,), (20, 30), (15, 2, 30)):
        p, x, masks = float(draw.uniform(0.3, 0.7)), _away_from_zero(draw, *shape), []
        for _ in range(2):
            ratio = tensor(student.dropout(x, p, True, torch_generator(draw)), x.shape) / x.numpy()
            masks.append(kept := ratio != 0)
            holds(bool(kept.any()), "everything is dropped")
            holds(not kept.all(), "nothing is dropped")
            close(ratio[kept], np.full(kept.sum(), 1 / (1 - p)), SINGLE)
        if x.numel() > 30:
            holds(
                not np.array_equal(*masks), "the same elements are dropped again: by what chance?"
            )


def test_dropout__drops_with_probability_p(student, draw):
    """drops a part p of the elements, and of either half

    4000 elements, 5 standard errors for each half: a right answer fails once in 450 000 courses.
    """
    for p in (float(draw.uniform(0.1, 0.25)), float(draw.uniform(0.7, 0.9))):
        x = _away_from_zero(draw, 4000)
        dropped = tensor(student.dropout(x, p, True, torch_generator(draw)), (4000,)) == 0
        for half in (dropped[:2000], dropped[2000:]):
            within(float(np.mean(half)), p, math.sqrt(p * (1 - p) / 2000))


def test_dropout__keeps_the_mean(student, draw):
    """leaves the mean as it was, on average

    4000 elements within 5 standard errors: a right answer fails once in 900 000 courses.
    """
    for p in (float(draw.uniform(0.2, 0.3)), float(draw.uniform(0.5, 0.7))):
        size = float(draw.uniform(2, 5))
        x = torch.full((4000,), size, dtype=torch.float32)
        values = tensor(student.dropout(x, p, True, torch_generator(draw)), (4000,))
        holds(bool((values == 0).any()), "nothing is dropped")
        within(float(np.mean(values)), size, size * math.sqrt(p / (1 - p) / 4000))


def test_dropout__draws_for_every_element(student, draw):
    """decides for every element by itself, not for whole rows or columns

    The variance of 60 rows' or columns' shares is no more than 10 standard errors above that of
    independent draws (2/59 of its square), for it has a tail there, and 5 below: a right answer
    fails less than once in 10^10 courses. Whole rows are 300 away.
    """
    n = 60
    x = _away_from_zero(draw, n, n)
    dropped = tensor(student.dropout(x, 0.5, True, torch_generator(draw)), (n, n)) == 0
    for axis in (0, 1):
        spread = 4 * n * float(np.var(dropped.mean(axis=axis), ddof=1))
        within(spread, 1.0, math.sqrt(2 / (n - 1)) * (2 if spread > 1 else 1))
    x = _away_from_zero(draw, 2, n, 2)
    one, other = tensor(student.dropout(x, 0.5, True, torch_generator(draw)), (2, n, 2)) == 0
    holds(not np.array_equal(one, other), "all tables of a stack have one mask")


@pytest.mark.guard
def test_dropout__drops_more_or_fewer_by_chance(student, draw):
    """drops now more, now fewer elements, as independent draws do

    Twelve calls agree on the number of 40 elements once in 10 000 000 000 courses.
    """
    x, generator = _away_from_zero(draw, 40), student.keep(torch_generator(draw))
    calls = [tensor(student.dropout(x, 0.5, True, generator), (40,)) for _ in range(12)]
    numbers = {int(np.sum(values == 0)) for values in calls}
    holds(len(numbers) > 1, "every call drops the same number of elements")


def test_dropout__draws_from_the_global_state_without_a_generator(student, draw):
    """draws from torch's global random state if generator is None"""
    x = _away_from_zero(draw, 60)
    _global(student, draw, lambda: tensor(student.dropout(x, 0.5, True, None), (60,)))


def test_dropout__has_a_new_mask_in_every_call(student, draw):
    """has another mask in the next call with the same generator, and the same for the same seed"""
    x, seed = _away_from_zero(draw, 100), int(draw.integers(2**31))
    masks = []
    for _ in range(2):
        student.reseed(int(draw.integers(2**31)))
        generator = student.keep(torch.Generator().manual_seed(seed))
        masks.append([tensor(student.dropout(x, 0.5, True, generator), (100,)) for _ in range(2)])
    close(masks[1], masks[0], SINGLE)
    holds(not np.array_equal(*masks[0]), "two calls in a row drop the same elements")


@pytest.mark.point
def test_dropout__lets_the_gradient_through(student, draw):
    """has the slope 1 / (1 − p) where an element is kept, and 0 where it is dropped"""
    x = student.keep(_away_from_zero(draw, 50).requires_grad_())
    output = student.keeping("dropout", x, 0.4, True, torch_generator(draw))
    (gradient,) = student.gradients(output, x)
    values = tensor(student.value(output), (50,))
    some = bool((values == 0).any() and (values != 0).any())
    holds(some, "some elements should be dropped and some kept")
    _gradient(gradient, torch.tensor(values != 0) / (1 - 0.4))


@pytest.mark.guard
def test_dropout__lets_the_gradient_through_in_evaluation(student, draw):
    """has the slope 1 in evaluation"""
    x = student.keep(_away_from_zero(draw, 50).requires_grad_())
    output = student.keeping("dropout", x, 0.4, False, torch_generator(draw))
    (gradient,) = student.gradients(output, x)
    holds(gradient is not None, "in evaluation the result has lost its graph")
    _gradient(gradient, torch.ones(50, dtype=torch.float64))


@pytest.mark.point
def test_dropout__is_off_in_evaluation(student, draw):
    """gives x as it is in evaluation, and not in training"""
    for p in (0.5, 0.9):
        x = _away_from_zero(draw, 30, 40)
        same = _like(student.dropout(x, p, False, torch_generator(draw)), x, "the result")
        close(same, x.numpy(), SINGLE)
        changed = tensor(student.dropout(x, p, True, torch_generator(draw)), (30, 40))
        holds(bool((changed == 0).any()), "nothing is dropped in training")


@pytest.mark.guard
def test_dropout__drops_nothing_at_p_0(student, draw):
    """gives x as it is if p is 0"""
    x = _away_from_zero(draw, 6, 5).float()
    close(
        _like(student.dropout(x, 0.0, True, torch_generator(draw)), x, "the result"),
        x.numpy(),
        SINGLE,
    )


@pytest.mark.guard
def test_dropout__keeps_shape_and_dtype(student, draw):
    """has the shape and dtype of x, in training and in evaluation"""
    for dtype in (torch.float32, torch.float64):
        x = _normal(draw, 4, 3, dtype=dtype)
        for training in (True, False):
            _like(student.dropout(x, 0.3, training, torch_generator(draw)), x, "the result")


@pytest.mark.guard
def test_dropout__leaves_x_unchanged(student, draw):
    """leaves x unchanged"""
    generator = torch_generator(draw)
    unchanged(student, lambda x: student.dropout(x, 0.5, True, generator), _normal(draw, 40))


# ----------------------------------------------------------------------------- l2_penalty


Weights = list[torch.Tensor]


def _linear(
    student: Any, draw: np.random.Generator, n_in: int, n_out: int, bias: bool = True
) -> tuple[Any, Weights]:
    """A layer and its weights, which are drawn here, as torch draws them: what is right follows
    from nothing that the student's process says."""
    layer = _layer(student, "Linear", n_in, n_out, bias)
    shapes = {"weight": (n_out, n_in)} | ({"bias": (n_out,)} if bias else {})
    weights = {
        name: torch.tensor(draw.uniform(-1, 1, shape) / n_in**0.5, dtype=torch.float32)
        for name, shape in shapes.items()
    }
    layer.load_state_dict(weights)
    return layer, list(weights.values())


def _network(student: Any, draw: np.random.Generator, *sizes: int) -> tuple[Any, Weights]:
    """Linear layers with ReLUs between them, and their weights."""
    layers, weights = [], []
    for n_in, n_out in itertools.pairwise(sizes):
        layer, its_own = _linear(student, draw, n_in, n_out)
        layers += [layer, _layer(student, "ReLU")]
        weights += its_own
    return _layer(student, "Sequential", *layers[:-1]), weights


def _squares(weights: Weights) -> float:
    return sum(float((p.double() ** 2).sum()) for p in weights if p.ndim == 2)


@pytest.mark.point
def test_l2_penalty__is_the_sum_of_squares_of_one_layer(student, draw):
    """is the sum of the squares of a layer's weights, its biases left out"""
    for n_in, n_out in ((3, 5), (1, 1), (4, 4)):
        layer, weights = _linear(student, draw, n_in, n_out)
        close(number(student.l2_penalty(layer)), _squares(weights), SINGLE)


def test_l2_penalty__adds_up_all_layers(student, draw):
    """adds up the squares of all layers' weights, those of layers without biases too"""
    model, weights = _network(student, draw, 3, 7, 5, 2)
    close(number(student.l2_penalty(model)), _squares(weights), SINGLE)
    one, other = _linear(student, draw, 4, 3, False), _linear(student, draw, 3, 2)
    model = _layer(student, "Sequential", one[0], other[0])
    close(number(student.l2_penalty(model)), _squares(one[1] + other[1]), SINGLE)


def test_l2_penalty__finds_nested_layers(student, draw):
    """finds layers inside layers"""
    (inner, weights), (layer, more) = _network(student, draw, 4, 6, 3), _linear(student, draw, 3, 2)
    model = _layer(student, "Sequential", inner, layer)
    close(number(student.l2_penalty(model)), _squares(weights + more), SINGLE)


@pytest.mark.point
def test_l2_penalty__has_the_gradient_2_w(student, draw):
    """has the gradient 2W with respect to every weight matrix W, and none for the biases"""
    model, weights = _network(student, draw, 3, 6, 2)
    gradients = student.gradients(student.keeping("l2_penalty", model), model)
    for gradient, p in zip(gradients, weights, strict=True):
        if p.ndim == 2:
            _gradient(gradient, 2 * p)
        else:
            holds(gradient is None or not gradient.any(), "the biases are penalised too")


@pytest.mark.guard
def test_l2_penalty__has_a_gradient_where_all_weights_are_0(student, draw):
    """has the gradient 0, and not NaN, where all weights are 0"""
    model, _ = _network(student, draw, 3, 6, 2)
    model.load_state_dict({name: 0 * p for name, p in model.state_dict().items()})
    gradients = student.gradients(student.keeping("l2_penalty", model), model)
    known = all(bool(one.isfinite().all()) for one in gradients if one is not None)
    holds(known, "where all weights are 0 the gradient is NaN: is there a square root?")


# ------------------------------------------------------------------------- early_stopping


def _true(returned: Any) -> bool:
    """A bool; NumPy's and torch's count."""
    if isinstance(returned, torch.Tensor) and returned.ndim == 0:
        returned = returned.item()
    if not isinstance(returned, (bool, np.bool_)):
        raise CheckFailed("type", "step should return True or False")
    return bool(returned)


def _answers(student: Any, losses: Sequence[float], *settings: Any) -> list[bool]:
    """What step says to each loss."""
    model, stopper = (
        student.field("polynomial", coefficients=[1.0]),
        student.EarlyStopping(*settings),
    )
    return [_true(stopper.step(float(loss), model)) for loss in losses]


def _stops(student: Any, losses: Sequence[float], at: int | None, *settings: Any) -> None:
    """step says True for the first time at loss number `at`."""
    upto = len(losses) if at is None else at + 1
    said = _answers(student, losses[:upto], *settings)
    first = said.index(True) if True in said else None
    late = "goes on where it should stop" if first is None else "stops too early"
    holds(first == at, late)


@pytest.mark.point
def test_early_stopping__stops_after_patience_epochs(student, draw):
    """stops after `patience` successive epochs without improvement, not before"""
    for patience in (1, 2, 5):
        best = float(draw.uniform(0.5, 1.0))
        worse = best + draw.uniform(0.1, 1.0, patience)
        falling = [best + n for n in range(int(draw.integers(2, 6)), -1, -1)]
        _stops(student, [*falling, *worse], len(falling) - 1 + patience, patience)


def test_early_stopping__counts_anew_after_an_improvement(student, draw):
    """counts from zero again after every improvement"""
    a = float(draw.uniform(2.0, 3.0))
    losses = [a, a + 1, a + 2, a - 0.5, a, a + 1, a - 1, a, a + 0.5, a + 1]
    _stops(student, losses, 9, 3)


def test_early_stopping__compares_with_the_best(student, draw):
    """compares with the best loss, not with the last one: falling back is no improvement"""
    a = float(draw.uniform(0.5, 1.0))
    _stops(student, [a, a + 3, a + 2, a + 1, a + 0.5], 4, 4)
    _stops(student, [a, a, a], 2, 2)


@pytest.mark.guard
def test_early_stopping__goes_on_while_the_loss_falls(student, draw):
    """goes on as long as the loss falls, however slowly"""
    falling = np.cumsum(-draw.uniform(0.01, 0.5, 12)) + 5
    for size in (1.0, 1e6):
        _stops(student, (size * falling).tolist(), None, 1)
    _stops(student, [3.0, 2.0, 1.0, 1.5, 0.5, 0.75, 0.25], None, 2)
    _stops(student, [1.0, 1.0 - 1e-6, 1.0 - 2e-6], None, 1)  # min_delta is 0 where none is given


def test_early_stopping__ignores_small_improvements(student, draw):
    """does not count an improvement of min_delta or less"""
    a = float(draw.integers(2, 9))
    _stops(student, [a, a - 0.125, a - 0.25], 2, 2, 0.25)
    _stops(student, [a, a - 0.5, a - 1.0, a - 1.5], None, 2, 0.25)
    _stops(student, [a, a + 1, a - 1.0, a + 1, a - 2.0, a, a - 1.0], 6, 2, 0.5)


def test_early_stopping__keeps_the_best_of_small_improvements(student, draw):
    """compares with the last loss that was an improvement: small steps add up to one"""
    a = float(draw.integers(2, 9))
    _stops(student, [a, a - 0.25, a - 0.5, a - 0.75, a - 1.0, a - 1.25], None, 3, 0.375)
    model = student.field("polynomial", coefficients=[1.0])
    stopper = student.EarlyStopping(9, 0.5)
    epochs = []
    for loss in (a, a - 0.25, a - 0.375):
        stopper.step(loss, model)
        epochs.append(integer(attribute(stopper, "best_epoch")))
    close(number(attribute(stopper, "best_loss")), a, SINGLE)
    holds(epochs[0] == epochs[-1], "a small improvement does not count")


@pytest.mark.guard
def test_early_stopping__takes_nan_for_no_improvement(student, draw):
    """counts NaN as an epoch without improvement, and recovers from it"""
    a, nan = float(draw.uniform(1.0, 2.0)), math.nan
    _stops(student, [a, a - 0.25, nan, nan], 3, 2)
    stopped = any(_answers(student, [nan, nan, nan], 2))
    holds(stopped, "goes on as long as the loss is NaN")
    _stops(student, [nan, a, nan, a - 0.5, nan, a], 5, 2)


def test_early_stopping__knows_the_best_epoch(student, draw):
    """knows the best epoch, counted from 0, and its loss"""
    losses = np.array([*draw.permutation(np.arange(2, 9)), 10, 9, 1]) + draw.uniform(0, 0.5)
    model, stopper = student.field("polynomial", coefficients=[1.0]), student.EarlyStopping(2)
    for epoch, loss in enumerate(losses):
        stopper.step(float(loss), model)
        best = int(np.argmin(losses[: epoch + 1]))
        close(number(attribute(stopper, "best_loss")), float(losses[best]), SINGLE)
        found = integer(attribute(stopper, "best_epoch"))
        holds(found == best, "best_epoch is not the epoch of the lowest loss, counted from 0")


def _set(model: Any, weights: np.ndarray) -> None:
    """New weights, written into the old ones as an optimiser does."""
    model.load_state_dict({"coefficients": torch.tensor(weights)})


def _restored(stopper: Any, model: Any) -> np.ndarray:
    stopper.restore(model)
    return tensor(attribute(model, "coefficients"), (3,))


def _run(student: Any, weights: np.ndarray, losses: Sequence[float]) -> tuple[Any, Any]:
    """A stopper and a model that has had each row of weights in its epoch."""
    model, stopper = student.field("polynomial", coefficients=[0.0] * 3), student.EarlyStopping(50)
    for row, loss in zip(weights, losses, strict=True):
        _set(model, row)
        stopper.step(float(loss), model)
    return stopper, model


@pytest.mark.point
def test_early_stopping__restores_the_best_weights(student, draw):
    """puts back the weights of the best epoch, not those of the last or the first"""
    weights, losses = draw.normal(size=(6, 3)), [5.0, 4.0, 3.0, 1.0, 2.0, 6.0]
    stopper, model = _run(student, weights, losses)
    close(_restored(stopper, model), weights[3], SINGLE)


def test_early_stopping__keeps_copies(student, draw):
    """keeps copies: training on does not change what it has stored"""
    weights = draw.normal(size=(3, 3))
    stopper, model = _run(student, weights, [1.0, 2.0, 3.0])
    close(_restored(stopper, model), weights[0], SINGLE)


def test_early_stopping__restores_as_often_as_asked(student, draw):
    """puts the best weights back again after further training"""
    weights = draw.normal(size=(3, 3))
    stopper, model = _run(student, weights, [2.0, 1.0, 3.0])
    for _ in range(3):
        close(_restored(stopper, model), weights[1], SINGLE)
        _set(model, draw.normal(size=3))


@pytest.mark.guard
def test_early_stopping__keeps_its_memory_to_itself(student, draw):
    """knows nothing of another EarlyStopping: each has its own loss, epoch and weights"""
    weights = draw.normal(size=(2, 3, 3))
    first, _ = _run(student, weights[1], [0.5, 1.5, 2.5])
    epoch = integer(attribute(first, "best_epoch"))
    one, model = _run(student, weights[0], [3.0, 1.0, 2.0])
    other, second = _run(student, weights[1], [0.5, 1.5, 2.5])
    same = integer(attribute(other, "best_epoch")) == epoch
    holds(same, "another EarlyStopping has left its epochs")
    close(number(attribute(one, "best_loss")), 1.0, SINGLE)
    close(_restored(one, model), weights[0, 1], SINGLE)
    close(_restored(other, second), weights[1, 0], SINGLE)


@pytest.mark.guard
def test_early_stopping__leaves_the_model_alone(student, draw):
    """leaves the model's weights alone until restore is called"""
    weights = draw.normal(size=(3, 3))
    _, model = _run(student, weights, [1.0, 2.0, 3.0])
    close(tensor(attribute(model, "coefficients"), (3,)), weights[2], SINGLE)


# -------------------------------------------------------------------------------- augment


def _pair(returned: Any) -> tuple[torch.Tensor, torch.Tensor]:
    pair = isinstance(returned, (tuple, list)) and len(returned) == 2
    holds(pair, "should return two tensors: (x, y)")
    return returned


def _augmented(
    student: Any, x: torch.Tensor, y: torch.Tensor, copies: int, noise_std: float, generator: Any
) -> tuple[np.ndarray, np.ndarray]:
    returned = _pair(student.augment(x, y, copies, noise_std, generator))
    rows = (copies + 1) * len(x)
    return tensor(returned[0], (rows, *x.shape[1:])), tensor(returned[1], (rows, *y.shape[1:]))


@pytest.mark.point
def test_augment__begins_with_the_originals(student, draw):
    """begins with the originals, untouched, and goes on with noisy blocks in the same order

    Of noise so small that also its root, or as many times of it as the data are wide, disturbs no
    order: how large it is is another check's question.
    """
    for rows, copies in ((7, 3), (1, 2)):
        x, y = 10 * _normal(draw, rows, 2), _normal(draw, rows, 1)
        found, _ = _augmented(student, x, y, copies, 1e-4, torch_generator(draw))
        close(found[:rows], x.numpy(), SINGLE)
        for block in range(1, copies + 1):
            noisy = found[block * rows : (block + 1) * rows]
            apart = np.abs(noisy[:, None] - x.numpy()).max(axis=2)
            own = apart.diagonal() < 0.1
            moved = (apart.min(axis=1) < 0.1) & ~own
            holds(not moved.any(), "the noisy blocks are not in the old order")
            holds(bool(own.all()), "the noise is far larger than noise_std")
            holds(bool((noisy != x.numpy()).all()), "the copies are without noise")


def test_augment__lets_the_labels_follow(student, draw):
    """gives every copy its original's label, without noise"""
    x = _normal(draw, 9, 2)
    labels = torch.tensor(draw.permutation(9)), _normal(draw, 9, 1), _normal(draw, 9, 1)
    for y, copies in zip(labels, draw.permutation([2, 3, 4]).tolist(), strict=True):
        returned = student.augment(x, y, copies, 0.3, torch_generator(draw))
        _augmented(student, x, y, copies, 0.3, torch_generator(draw))
        holds(returned[1].dtype == y.dtype, "the labels should keep their dtype")
        close(returned[1], torch.cat([y] * (copies + 1)), SINGLE)


def _noise(
    student: Any, draw: np.random.Generator, noise_std: float, rows: int = 500
) -> np.ndarray:
    """The noise of 4 copies of rows of 3, in units of its deviation: (4, rows, 3). A block too
    many or too few is another check's question."""
    x, y = 5 + 3 * _normal(draw, rows, 3), torch.zeros(rows, 1)
    returned, _ = _pair(student.augment(x, y, 4, noise_std, torch_generator(draw)))
    blocks = tensor(returned).shape[0] // rows
    found = tensor(returned, (max(blocks, 4) * rows, 3))
    return (found[rows:].reshape(-1, rows, 3) - x.numpy()) / noise_std


def test_augment__adds_normal_noise_of_the_deviation_given(student, draw):
    """adds normal noise with mean 0 and standard deviation noise_std

    Three moments of 12000 numbers, 5 standard errors each (the fourth has a tail): a right answer
    fails less than once in 100 000 courses. A uniform distribution of the same width is 13 away.
    They are those of the first copies: that others have the same noise is another check's question.
    """
    deviations = draw.uniform([0.2, 0.5], [0.3, 0.8]).tolist()
    noise = np.array([_noise(student, draw, deviation, 2000)[0] for deviation in deviations])
    within(float(np.mean(noise)), 0.0, noise.size**-0.5)
    within(float(np.mean(noise**2)), 1.0, (2 / noise.size) ** 0.5)
    within(float(np.mean(noise**4)), 3.0, (96 / noise.size) ** 0.5)


def test_augment__draws_noise_for_every_element(student, draw):
    """draws noise for every element of every copy by itself

    Products of different elements' noise are 0 on average, within 5 standard errors of 1500 to
    6000 of them: a right answer fails once in 500 000 courses. Equal noise is 38 or more away. The
    first and the last copy have the same mean square, within 5 standard errors of 1500.
    """
    noise = _noise(student, draw, 0.3)
    size = float(np.mean(noise**2)) ** 0.5  # which is another check's question
    holds(size > SINGLE.relative, "the copies are without noise")
    noise = noise / size
    for block in (noise[0], noise[-1]):
        within(float(np.mean(block**2)), 1.0, (2 / block.size) ** 0.5)
    for one, other in (
        (noise[0], noise[1]),
        (noise[-2], noise[-1]),
        (noise[:, :, 0], noise[:, :, 1]),
        (noise[:, 1:], noise[:, :-1]),
    ):
        within(float(np.mean(one * other)), 0.0, one.size**-0.5)


def test_augment__draws_from_the_generator_alone(student, draw):
    """adds the same noise for the same seed, whatever the global random state, and else another"""
    x, y, seed, found = _normal(draw, 6, 2), _normal(draw, 6, 1), int(draw.integers(2**31)), []
    for chosen in (seed, seed, seed + 1):
        student.reseed(int(draw.integers(2**31)))
        generator = torch.Generator().manual_seed(chosen)
        found.append(tensor(_pair(student.augment(x, y, 3, 0.5, generator))[0]))
    close(found[1], found[0], SINGLE)
    holds(not np.array_equal(found[0], found[2]), "another seed should give other noise")


@pytest.mark.guard
def test_augment__adds_nothing_for_no_copies(student, draw):
    """gives the originals alone if copies is 0"""
    x, y = _normal(draw, 5, 2, dtype=torch.float32), _normal(draw, 5, 1, dtype=torch.float32)
    returned = _pair(student.augment(x, y, 0, 0.5, torch_generator(draw)))
    close(_like(returned[0], x, "x"), x.numpy(), SINGLE)
    close(_like(returned[1], y, "y"), y.numpy(), SINGLE)


@pytest.mark.guard
def test_augment__keeps_the_dtypes(student, draw):
    """keeps the dtypes of x and y, float32 or float64"""
    for dtype in (torch.float32, torch.float64):
        x, y = _normal(draw, 5, 2, dtype=dtype), _normal(draw, 5, 1, dtype=dtype)
        found = _pair(student.augment(x, y, 2, 0.1, torch_generator(draw)))
        for returned, before in zip(found, (x, y), strict=True):
            _like(returned, before.repeat(3, 1), "x and y")


def test_augment__draws_from_the_global_state_without_a_generator(student, draw):
    """draws from torch's global random state if generator is None"""
    x, y = _normal(draw, 6, 2), _normal(draw, 6, 1)
    _global(student, draw, lambda: tensor(_pair(student.augment(x, y, 3, 0.5, None))[0]))


@pytest.mark.guard
def test_augment__leaves_the_data_unchanged(student, draw):
    """leaves x and y unchanged"""
    generator = torch_generator(draw)
    unchanged(
        student,
        lambda x, y: student.augment(x, y, 2, 0.5, generator),
        _normal(draw, 6, 2),
        _normal(draw, 6, 1),
    )


# ---------------------------------------------------------------------------------- train


def _losses(returned: Any, epochs: int) -> list[float]:
    """The history; a right answer may stop before the last epoch."""
    if not isinstance(returned, (list, tuple)):
        raise CheckFailed("type", "should return the list of losses")
    holds(0 < len(returned) <= epochs, "should return one loss for each epoch")
    return [number(loss) for loss in returned]


def _coefficients(model: Any, count: int) -> np.ndarray:
    return tensor(attribute(model, "coefficients"), (count,))


def test_train__takes_a_step_of_gradient_descent(student, draw):
    """with "sgd" and all data at once moves each parameter by −learning_rate times its gradient

    300 rows, which are more than anybody's usual batch.
    """
    for columns in (1, 2):
        c = draw.normal(size=3)
        model = student.field("polynomial", coefficients=c.tolist())
        x, y, rate = _normal(draw, 300, columns), _normal(draw, 300, columns), _rate(draw)
        student.train(model, x, y, epochs=1, learning_rate=rate, optimiser="sgd")
        powers = np.stack([x.numpy() ** k for k in range(3)])
        error = np.tensordot(c, powers, axes=1) - y.numpy()
        gradient = 2 * np.mean(error * powers, axis=(1, 2))
        close(_coefficients(model, 3), c - rate * gradient, SINGLE)


def test_train__takes_a_step_of_adam(student, draw):
    """with "adam", and if nothing is said, moves each parameter by learning_rate in its first step

    Against its gradient, whatever the gradient's size; AdamW shrinks a large parameter as well.
    """
    c, rate = draw.choice([-1, 1], 3) * draw.uniform(20, 40, 3), _rate(draw)
    x, y = draw.uniform(0.5, 1.5, (9, 1)), draw.normal(size=(9, 1))
    error = np.polynomial.Polynomial(c)(x) - y
    slope = np.array([np.mean(error * x**k) for k in range(3)])
    for options in ({"optimiser": "adam"}, {}):
        model = student.field("polynomial", coefficients=c.tolist())
        data = torch.tensor(x), torch.tensor(y)
        student.train(model, *data, epochs=1, learning_rate=rate, **options)
        close(_coefficients(model, 3), c - rate * np.sign(slope), SINGLE)


@pytest.mark.point
def test_train__moves_every_layer(student, draw):
    """moves the weights and biases of every layer against their gradients"""
    (model, before), rate = _network(student, draw, 2, 7, 3), 10 * _rate(draw)
    x, y = _normal(draw, 15, 2).float(), _normal(draw, 15, 3).float()
    W1, b1, W2, b2 = (p.requires_grad_() for p in before)
    output = functional.linear(torch.relu(functional.linear(x, W1, b1)), W2, b2)
    gradients = torch.autograd.grad(functional.mse_loss(output, y), before)
    student.train(model, x, y, epochs=1, learning_rate=rate, optimiser="sgd")
    for after, p, gradient in zip(model.parameters(), before, gradients, strict=True):
        close(tensor(after, p.shape), (p - rate * gradient).detach().numpy(), SINGLE)


@pytest.mark.point
def test_train__takes_a_step_for_every_batch(student, draw):
    """with batches takes one step for each of them, from that batch's gradient alone

    Where the model is one number and all y are the same, every batch has the same gradient.
    """
    start, target, rate = float(draw.normal()), float(draw.uniform(2, 3)), 2 * _rate(draw)
    for rows, batch_size in ((30, 7), (20, 5)):
        model = student.field("polynomial", coefficients=[start])
        x, y = _normal(draw, rows, 1), torch.full((rows, 1), target, dtype=torch.float64)
        student.train(
            model,
            x,
            y,
            epochs=1,
            learning_rate=rate,
            batch_size=batch_size,
            optimiser="sgd",
            generator=torch_generator(draw),
        )
        steps = math.ceil(rows / batch_size)
        expected = target + (start - target) * (1 - 2 * rate) ** steps
        close(_coefficients(model, 1), np.array([expected]), SINGLE)
    student.once(_watched, draw)[0].follows_the_loss("mean squared error")


def test_train__returns_the_mean_loss_of_every_epoch(student, draw):
    """returns the mean loss over every epoch's data, taken before the weights move

    A last batch of one row with a loss of its own: the mean over batches is another number.
    """
    c = draw.normal(size=3)
    x, y = _normal(draw, 25, 1), _normal(draw, 25, 1)
    y[draw.integers(25)] += 9.0
    expected = float(np.mean((np.polynomial.Polynomial(c)(x.numpy()) - y.numpy()) ** 2))
    for epochs, rate, batch_size in ((1, 0.5, None), (3, 1e-12, None), (3, 1e-12, 8)):
        model = student.field("polynomial", coefficients=c.tolist())
        history = student.train(
            model,
            x,
            y,
            epochs=epochs,
            learning_rate=rate,
            batch_size=batch_size,
            generator=torch_generator(draw),
        )
        for loss in _losses(history, epochs):
            close(loss, expected, SINGLE)
        holds(bool((_coefficients(model, 3) != c).any()), "the model does not learn")
    model = student.field("polynomial", coefficients=[0.0])
    options = {"epochs": 2, "learning_rate": 1.5, "optimiser": "sgd"}  # twice as far beyond
    history = student.train(model, x, torch.ones_like(y), **options)
    close(_losses(history, 2), [1.0, 4.0][: len(history)], SINGLE)


def _sine(
    draw: np.random.Generator, periods: float
) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.Tensor]:
    """Periods of a sine in a standardised variable, and 80 places to know it at."""
    phase, edge = float(draw.uniform(0, 2 * math.pi)), math.sqrt(3)
    x, step = np.linspace(-edge, edge, 80, retstep=True)
    x[1:-1] += draw.uniform(-0.4, 0.4, 78) * step
    places = torch.tensor(draw.permutation(x)[:, None], dtype=torch.float32)
    return lambda x: torch.sin(periods * math.pi / edge * x + phase), places


def trained(
    student: Any, draw: np.random.Generator, periods: float, epochs: int, batch_size: int | None
) -> tuple[list[float], float, float]:
    """The history of a network that learns a sine, its mean squared error between the data, and at
    them before it has learnt."""
    sine, x = _sine(draw, periods)
    model, (W1, b1, W2, b2, W3, b3) = _network(student, draw, 1, 64, 64, 1)
    hidden = torch.relu(functional.linear(torch.relu(functional.linear(x, W1, b1)), W2, b2))
    untrained = functional.mse_loss(functional.linear(hidden, W3, b3), sine(x)).item()
    history = student.train(
        model,
        x,
        sine(x),
        epochs=epochs,
        learning_rate=RATE,
        batch_size=batch_size,
        generator=torch_generator(draw),
    )
    unseen = torch.linspace(-math.sqrt(3), math.sqrt(3), 401)[:, None]
    error = tensor(model(unseen), (401, 1)) - sine(unseen).numpy()
    return _losses(history, epochs), float(np.mean(error**2)), untrained


def _for_long(student: Any, draw: np.random.Generator) -> tuple[list[float], float, float]:
    return trained(student, draw, PERIODS, EPOCHS, None)


@pytest.mark.point
def test_train__learns_a_sine(student, draw):
    """learns a sine: the network knows the points between the data

    A right answer is above the limit less than once in 2000 courses: in the worst of 320 runs
    with plain Adam, whose last epoch is a lottery, the error has a ninth of it.
    """
    _, error, _ = student.once(_for_long, draw)
    below(error, UNSEEN_LIMIT, "mean squared error between the data")


def test_train__brings_the_loss_down(student, draw):
    """learns a sine until its losses are small"""
    losses, _, untrained = student.once(_for_long, draw)
    below(min(losses[-100:]), LOSS_LIMIT, "the best of the last 100 losses")
    same = abs(losses[0] - untrained) <= SINGLE.relative * 10 * untrained
    holds(same, "the first loss should be that of the untrained network")


def test_train__learns_in_mini_batches(student, draw):
    """learns a sine in mini-batches too

    The worst of 320 runs with plain Adam has an eleventh of the limit.
    """
    _, error, _ = trained(student, draw, 1.0, BATCH_EPOCHS, BATCH_SIZE)
    below(error, UNSEEN_LIMIT, "mean squared error between the data")


def _refuses(student: Any, draw: np.random.Generator, batch_size: int | None) -> None:
    """An error for y (N,) beside an output (N, 1) and for y (N, 1) beside (N, 2), and none where
    the shapes agree."""
    x, y = _normal(draw, 12, 1), _normal(draw, 12, 1)

    def call(target: torch.Tensor) -> Any:
        model = student.field("polynomial", coefficients=[0.5, 1.0])
        options = {"epochs": 2, "learning_rate": 0.01, "batch_size": batch_size}
        history = student.train(model, x, target, **options, generator=torch_generator(draw))
        moved = bool((_coefficients(model, 2) != [0.5, 1.0]).all())
        holds(moved, "the model does not learn where the shapes agree")
        return history

    _losses(call(y), 2)
    refuses(lambda: call(y[:, 0]), "Exception")
    column = y.float()  # beside the two outputs of a linear layer
    options = {"epochs": 1, "learning_rate": 0.01, "batch_size": batch_size}
    two = _layer(student, "Linear", 1, 2)
    student.train(two, x.float(), column.expand(12, 2).clone(), **options)
    refuses(lambda: student.train(two, x.float(), column, **options), "Exception")


def test_train__refuses_to_broadcast(student, draw):
    """raises an error where y has another shape than the model's output, (N,) against (N, 1) or
    (N, 1) against (N, 2)"""
    _refuses(student, draw, None)


def test_train__refuses_to_broadcast_in_batches(student, draw):
    """raises an error for such a y in mini-batches too"""
    _refuses(student, draw, 4)


def _watched(student: Any, draw: np.random.Generator) -> list[watching.Watched]:
    """Three short trainings of a witness: two with the same seed, one with another.

    The global random state differs from one to the next.
    """
    x = draw.normal(size=(watching.SAMPLES, 2))
    y = np.sin(x.sum(axis=1, keepdims=True)) + 3.0
    data = [torch.tensor(values, dtype=torch.float32) for values in (x, y)]
    seed = int(draw.integers(2**31))

    def run(chosen: int) -> watching.Watched:
        def train(model: Any, epochs: int) -> Any:
            generator = torch.Generator().manual_seed(chosen)
            rest = {"learning_rate": 0.01, "batch_size": 64, "generator": generator}
            return student.train(model, *data, epochs=epochs, **rest)

        student.reseed(int(draw.integers(2**31)))
        witness = student.witness((2,), outputs=1, dropout=0.3, seed=int(draw.integers(2**31)))
        loss, rows = watching.squared_error(y), data[0].numpy().astype(float)
        return watching.watched(witness, rows, train, watching.by_value, loss, 3)

    return [run(seed), run(seed), run(seed + 1)]


def test_train__learns_in_training_mode(student, draw):
    """has the model in training mode from the first step to the last"""
    student.once(_watched, draw)[0].trains_in_training_mode()


def test_train__shows_every_row_once_an_epoch(student, draw):
    """shows every row once in each epoch, as it is given"""
    student.once(_watched, draw)[0].shows_each_sample_once()


def test_train__makes_new_batches_in_every_epoch(student, draw):
    """makes new, shuffled batches in each epoch"""
    student.once(_watched, draw)[0].makes_new_batches()


@pytest.mark.guard
def test_train__is_ordered_by_the_generator(student, draw):
    """orders its batches by the generator: another seed, another order"""
    first, again, other = student.once(_watched, draw)
    first.is_ordered_like(again)
    first.is_not_ordered_like(other)


def test_train__reports_the_mean_over_the_rows(student, draw):
    """reports each batch's loss before its step, in the mean over the rows of an epoch"""
    student.once(_watched, draw)[0].reports_the_mean_loss(afterwards=False)


@pytest.mark.guard
def test_train__ends_in_evaluation_mode(student, draw):
    """leaves the model in evaluation mode: two calls agree"""
    student.once(_watched, draw)[0].ends_in_evaluation_mode()


@pytest.mark.guard
def test_train__repeats_itself(student, draw):
    """gives the same model for the same generator, whatever the global random state"""
    x, y, seed = _normal(draw, 20, 1), _normal(draw, 20, 1), int(draw.integers(2**31))
    start, found = draw.normal(size=3).tolist(), []
    for _ in range(2):
        model = student.field("polynomial", coefficients=start)
        generator = torch.Generator().manual_seed(seed)
        student.reseed(int(draw.integers(2**31)))
        student.train(model, x, y, epochs=3, learning_rate=0.05, batch_size=4, generator=generator)
        found.append(_coefficients(model, 3))
    close(found[1], found[0], SINGLE)


@pytest.mark.guard
def test_train__leaves_the_data_unchanged(student, draw):
    """leaves x and y unchanged"""

    def call(x: Any, y: Any) -> None:
        model = student.field("polynomial", coefficients=[0.5, 1.0])
        options = {"epochs": 2, "learning_rate": 0.01, "batch_size": 4}
        student.train(model, x, y, **options, generator=torch_generator(draw))

    unchanged(student, call, _normal(draw, 10, 1), _normal(draw, 10, 1))
