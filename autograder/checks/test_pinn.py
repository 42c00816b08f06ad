"""Hidden checks of pinn.

Derivatives and residuals are compared on closed-form fields, so that nothing is trained and zero
is not the only right answer. Most comparisons have float32's tolerance: an answer in float32 is
as right as one in float64, and no known slip is that small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from coursekit import (
    SINGLE,
    StudentError,
    array,
    attribute,
    below,
    close,
    holds,
    measured,
    number,
    refuses,
    tensor,
)
from coursekit.compare import kind_of
from numpy.polynomial import Polynomial
from scipy import stats

from autograder.judging.kit import keeps_to_its_epochs, repeats, torch_generator
from autograder.sandbox.inside import fields
from reference_impl import pinn as reference

# Measured by benchmarks/thresholds.py: every right recipe of the alternatives passes with
# 20 seeds of 20, no wrong one does.
EPOCHS_DECAY = 3000
DECAY_LIMIT = 0.02
DECAY_RESIDUAL_LIMIT = 0.2
EPOCHS_OSCILLATOR = 3000
OSCILLATOR_LIMIT = 0.25
START_LIMIT = 0.05
SPEED_LIMIT = 0.1
EPOCHS_HEAT = 1000
HEAT_LIMIT = 0.03
EDGE_LIMIT = 0.02

FAR = 1e12  # a zero that is so far away costs a difference its digits, and a derivative none

# Drawn, and never the default, which a textbook's solution, or data from it, would fit; but near
# it, so that the limits hold as they were measured.
RATE = (0.6, 0.8)
OMEGA = (2.08, 2.15)
ALPHA = (0.115, 0.125)


def _column(
    draw: np.random.Generator, rows: int, low: float = -2.0, high: float = 2.0
) -> torch.Tensor:
    """A column that requires gradients, in float64."""
    return torch.tensor(draw.uniform(low, high, (rows, 1)), requires_grad=True)


def _numpy(x: torch.Tensor) -> np.ndarray:
    return x.detach().numpy()


def _of_both_signs(values: np.ndarray) -> bool:
    """Not nearly equal to their sizes, or to minus them."""
    part = np.clip(values, 0, None).sum() / np.abs(values).sum()
    return bool(0.1 < part < 0.9)


def _coefficients(draw: np.random.Generator, *shape: int) -> np.ndarray:
    """Of either sign and never small, so that no term can hide."""
    return draw.choice([-1.0, 1.0], shape) * draw.uniform(0.5, 1.5, shape)


def _one(returned: Any) -> float:
    """A tensor with one number; (1,) and (1, 1) count as well."""
    values = tensor(returned) if isinstance(returned, torch.Tensor) else None
    if values is None:
        return number(returned)
    holds(values.size == 1, "should be a tensor with a single number")
    return float(values.reshape(()))


def _gradients(student: Any, of: Any, wrt: Any, words: str) -> list[Any]:
    """`student.gradients`; a graph that was freed on the way is as lost as another."""
    try:
        found: list[Any] = student.gradients(of, wrt)
    except StudentError as error:
        holds(error.name != "RuntimeError", words)
        raise
    return found


def _gradient(student: Any, of: Any, wrt: Any, shape: tuple[int, ...], words: str) -> np.ndarray:
    """d(sum of)/d(wrt); a graph that was lost is said in words."""
    (gradient,) = _gradients(student, of, wrt, words)
    holds(gradient is not None, words)
    return tensor(gradient, shape).astype(float)


LOST = "has no way back: cut off from its graph, or made by a copy, it can train nothing"


# ------------------------------------------------------------------------------ derivative


def _derivative(student: Any, field: Any, x: Any, order: int = 1) -> Any:
    return student.derivative(student.keeping(field, x), x, order)


@pytest.mark.point
def test_derivative__is_the_slope(student, draw):
    """is the slope of u, in every row"""
    for rows in (1, 9):
        coefficients, column = _coefficients(draw, 5), _column(draw, rows)
        x = student.keep(column)
        u = student.keeping(student.field("polynomial", coefficients=coefficients.tolist()), x)
        expected = Polynomial(coefficients).deriv()(_numpy(column))
        close(tensor(student.derivative(u, x), (rows, 1)), expected, SINGLE)


def test_derivative__is_the_curvature_for_order_2(student, draw):
    """is the second derivative for order 2: that of sin is −sin"""
    frequency, column = float(draw.uniform(1.5, 3)), _column(draw, 8)
    x = student.keep(column)
    returned = _derivative(student, student.field("sine", frequency=frequency), x, 2)
    expected = -(frequency**2) * np.sin(frequency * _numpy(column))
    close(tensor(returned, (8, 1)), expected, SINGLE)


def test_derivative__takes_any_order(student, draw):
    """is the third and the fourth derivative where they are asked for"""
    coefficients, column = _coefficients(draw, 7), _column(draw, 6)
    field = student.field("polynomial", coefficients=coefficients.tolist())
    x, orders = student.keep(column), (1, 2, 3, 4)
    # All calls come first: a hint may rest on them only if it is true of each.
    found = [_derivative(student, field, x, order) for order in orders]
    for order, returned in zip(orders, found, strict=True):
        expected = Polynomial(coefficients).deriv(order)(_numpy(column))
        close(tensor(returned, (6, 1)), expected, SINGLE)


def test_derivative__is_partial_where_u_has_two_variables(student, draw):
    """is the partial derivative where u depends on two variables"""
    c, x, t = _coefficients(draw, 4, 3), _column(draw, 7), _column(draw, 7)
    kept_x, kept_t = student.keep(x), student.keep(t)
    u = student.keeping(student.field("surface", coefficients=c), kept_x, kept_t)
    slope_t = np.polynomial.polynomial.polyder(c, axis=1)
    slope_xx = np.polynomial.polynomial.polyder(c, 2, axis=0)
    value = np.polynomial.polynomial.polyval2d
    expected = value(_numpy(x), _numpy(t), slope_t)
    close(tensor(student.derivative(u, kept_t), (7, 1)), expected, SINGLE)
    expected = value(_numpy(x), _numpy(t), slope_xx)
    close(tensor(student.derivative(u, kept_x, 2), (7, 1)), expected, SINGLE)


@pytest.mark.point
def test_derivative__can_be_differentiated_again(student, draw):
    """can be differentiated with respect to x again"""
    coefficients, column = _coefficients(draw, 5), _column(draw, 6)
    x = student.keep(column)
    u = student.keeping(student.field("polynomial", coefficients=coefficients.tolist()), x)
    slope = student.keeping("derivative", u, x)
    curvature = _gradient(student, slope, x, (6, 1), f"the derivative {LOST}")
    close(curvature, Polynomial(coefficients).deriv(2)(_numpy(column)), SINGLE)


def test_derivative__trains_the_network_that_u_came_from(student, draw):
    """can be differentiated with respect to the parameters of the network that u came from"""
    coefficients, column = _coefficients(draw, 5), _column(draw, 6)
    field = student.field("polynomial", coefficients=coefficients.tolist())
    x = student.keep(column)
    slope = student.keeping("derivative", student.keeping(field, x), x)
    power = np.arange(5)
    expected = np.sum(power * _numpy(column) ** np.maximum(power - 1, 0), axis=0)
    close(_gradient(student, slope, field, (5,), f"the derivative {LOST}"), expected, SINGLE)


@pytest.mark.guard
def test_derivative__keeps_the_precision(student, draw):
    """has the dtype of x"""
    field = student.field("polynomial", coefficients=_coefficients(draw, 4).tolist())
    column = _column(draw, 5)
    slope = _derivative(student, field, student.keep(column))
    tensor(slope, (5, 1))
    holds(slope.dtype == column.dtype, f"should have the dtype of x, {column.dtype}")


@pytest.mark.guard
def test_derivative__is_zero_for_a_constant(student, draw):
    """is zero where u does not depend on x, and so is the curvature of a straight line"""
    column = _column(draw, 5)
    x = student.keep(column)
    line = student.field("affine", matrix=[[float(draw.uniform(1, 2))]], shift=0.5)
    network_line = student.field("polynomial", coefficients=[1.0, float(draw.uniform(1, 2))])
    elsewhere = student.keeping(network_line, student.keep(_column(draw, 5)))
    constant = student.keep(torch.full((5, 1), 2.5, dtype=torch.float64))
    for u, order in (
        (constant, 1),
        (elsewhere, 1),
        (student.keeping(line, x), 2),
        (student.keeping(network_line, x), 2),
    ):
        zero = student.derivative(u, x, order)
        close(tensor(zero, (5, 1)), np.zeros((5, 1)), SINGLE)
        holds(zero.dtype == column.dtype, "these zeros should have the dtype of x too")
    left = attribute(constant, "requires_grad") is False
    holds(left, "u should be left as it was: a constant requires no gradients")


@pytest.mark.guard
def test_derivative__leaves_x_as_it_was(student, draw):
    """leaves x.grad empty and the parameters' gradients too"""
    field = student.field("polynomial", coefficients=[1.0, -2.0, 0.5])
    x = student.keep(_column(draw, 5))
    tensor(_derivative(student, field, x), (5, 1))
    holds(attribute(x, "grad") is None, "x.grad has been filled: a second call would add to it")
    holds(field.gradient() is None, "the parameters' .grad has been filled: it adds to the loss's")


# --------------------------------------------------------------- residuals: what they share


def _again(student: Any, function: str, field: Any, *points: Any, **keys: Any) -> None:
    """A second call gives the same, and no gradient is left behind."""
    kept = [student.keep(point) for point in points]
    first = tensor(student.call(function, None, (field, *kept), keys), (len(points[0]), 1))
    close(student.call(function, None, (field, *kept), keys), torch.tensor(first), SINGLE)
    holds(
        field.gradient() is None,
        "the parameters' .grad has been filled: it adds to the gradient of the loss",
    )


def _on_a_network(
    student: Any, draw: np.random.Generator, function: str, columns: int, *arguments: float
) -> None:
    """Values and gradients on a real network in float32, against autograd on the same one here.

    It puts its columns side by side, so that they must be of one length; and what small steps
    give is noise in float32.
    """
    while True:
        seed = int(draw.integers(2**31))
        mine = fields.Network(columns, 12, 1, seed)
        points = [
            torch.tensor(draw.uniform(-1, 1, (7, 1)), dtype=torch.float32, requires_grad=True)
            for _ in range(columns)
        ]
        expected = getattr(reference, function)(mine, *points, *arguments)
        if _of_both_signs(_numpy(expected)):
            break
    model = student.field("network", n_in=columns, n_hidden=12, n_out=1, seed=seed)
    residual = student.keeping(function, model, *points, *arguments)
    close(tensor(student.value(residual), (7, 1)), expected.detach().numpy(), SINGLE)
    _same_gradients(student, residual, model, expected, mine, f"the residual {LOST}")


def _same_gradients(
    student: Any, of: Any, model: Any, expected: torch.Tensor, mine: torch.nn.Module, words: str
) -> None:
    """The gradients in all of a network's parameters."""
    gradients = _gradients(student, of, model, words)
    wanted = torch.autograd.grad(expected.sum(), list(mine.parameters()), materialize_grads=True)
    size = max(float(gradient.abs().max()) for gradient in wanted)
    for gradient, right in zip(gradients, wanted, strict=True):
        holds(gradient is not None or not bool(right.any()), words)
        if gradient is not None:
            close(tensor(gradient, right.shape) / size, right.numpy() / size, SINGLE)


# -------------------------------------------------------------------------- decay_residual


def _decay(coefficients: np.ndarray, t: torch.Tensor, rate: float) -> np.ndarray:
    u = Polynomial(coefficients)
    return u.deriv()(_numpy(t)) + rate * u(_numpy(t))


def _off_by_both_signs(
    draw: np.random.Generator, rows: int, rate: float, *first: float
) -> tuple[np.ndarray, torch.Tensor]:
    """A polynomial's coefficients, `first` before others, and times at which its residual takes
    both signs."""
    while True:
        c, t = np.array([*first, *_coefficients(draw, 4)]), _column(draw, rows)
        if _of_both_signs(_decay(c, t, rate)):
            return c, t


@pytest.mark.point
def test_decay_residual__is_the_slope_plus_rate_times_u(student, draw):
    """is u′ + rate · u"""
    for rows in (1, 8):
        rate = float(draw.uniform(1.5, 3))
        c, times = _off_by_both_signs(draw, 8, rate)
        model = student.field("polynomial", coefficients=c.tolist())
        t = times[:rows].detach().requires_grad_()
        returned = tensor(student.decay_residual(model, t, rate), tuple(t.shape))
        close(returned, _decay(c, t, rate), SINGLE)


def test_decay_residual__has_rate_1_if_none_is_given(student, draw):
    """has rate 1 where none is given"""
    c, t = _off_by_both_signs(draw, 8, 1.0)
    model = student.field("polynomial", coefficients=c.tolist())
    close(tensor(student.decay_residual(model, t), (8, 1)), _decay(c, t, 1.0), SINGLE)


def test_decay_residual__tells_right_from_wrong_decay(student, draw):
    """vanishes for the right decay, whatever its amplitude, and for no other"""
    rate, amplitude = float(draw.uniform(0.5, 1.5)), float(draw.uniform(2, 5))
    t = _column(draw, 8, 0.0, 3.0)
    for factor in (2.0, -1.0, 1.0):
        model = student.field("exponential", amplitude=amplitude, rate=-factor * rate)
        expected = rate * (1 - factor) * amplitude * np.exp(-factor * rate * _numpy(t))
        returned = tensor(student.decay_residual(model, t, rate), (8, 1))
        close(returned / amplitude, expected / amplitude, SINGLE)


@pytest.mark.point
def test_decay_residual__is_exact(student, draw):
    """is exact to rounding, through autograd and not by small steps

    Counted from a zero far away u is huge and its slope is the same: a difference loses its digits.
    """
    c, t = _off_by_both_signs(draw, 7, 1 / FAR, FAR)
    model = student.field("polynomial", coefficients=c.tolist())
    returned = tensor(student.decay_residual(model, t, 1 / FAR), (7, 1))
    close(returned, _decay(c, t, 1 / FAR), SINGLE)


@pytest.mark.point
def test_decay_residual__trains_the_model(student, draw):
    """can be differentiated with respect to the model's parameters"""
    rate = float(draw.uniform(1.5, 3))
    c, t = _off_by_both_signs(draw, 6, rate)
    model = student.field("polynomial", coefficients=c.tolist())
    residual = student.keeping("decay_residual", model, t, rate)
    power, points = np.arange(4), _numpy(t)
    expected = np.sum(power * points ** np.maximum(power - 1, 0) + rate * points**power, axis=0)
    close(_gradient(student, residual, model, (4,), f"the residual {LOST}"), expected, SINGLE)


@pytest.mark.point
def test_decay_residual__trains_a_network(student, draw):
    """is right on a real network, and trains it: slope and amount both depend on its parameters"""
    _on_a_network(student, draw, "decay_residual", 1, float(draw.uniform(1.5, 3)))


@pytest.mark.guard
def test_decay_residual__leaves_nothing_behind(student, draw):
    """gives the same at a second call and leaves no gradient in the model"""
    model = student.field("polynomial", coefficients=_coefficients(draw, 4).tolist())
    _again(student, "decay_residual", model, _column(draw, 6))


# --------------------------------------------------------------------- oscillator_residual


def _oscillation(coefficients: np.ndarray, t: torch.Tensor, omega: float) -> np.ndarray:
    x = Polynomial(coefficients)
    return x.deriv(2)(_numpy(t)) + omega**2 * x(_numpy(t))


@pytest.mark.point
def test_oscillator_residual__is_acceleration_plus_omega_squared_x(student, draw):
    """is x″ + ω² x"""
    for rows in (1, 8):
        c, t, omega = _coefficients(draw, 5), _column(draw, rows), float(draw.uniform(1.5, 3))
        model = student.field("polynomial", coefficients=c.tolist())
        expected = _oscillation(c, t, omega)
        close(tensor(student.oscillator_residual(model, t, omega), (rows, 1)), expected, SINGLE)


def test_oscillator_residual__takes_any_frequency(student, draw):
    """is right for slow and fast oscillators"""
    c, t = _coefficients(draw, 5), _column(draw, 7)
    model = student.field("polynomial", coefficients=c.tolist())
    for omega in (float(draw.uniform(0.1, 0.5)), float(draw.uniform(20, 50))):
        expected = _oscillation(c, t, omega)
        close(tensor(student.oscillator_residual(model, t, omega), (7, 1)), expected, SINGLE)


def test_oscillator_residual__tells_right_from_wrong_frequency(student, draw):
    """vanishes for the right frequency, whatever amplitude and phase, and for no other"""
    omega, amplitude = float(draw.uniform(1.5, 3)), float(draw.uniform(2, 5))
    phase, t = float(draw.uniform(0, 6)), _column(draw, 8, 0.0, 3.0)
    for factor in (1.5, 0.5, 1.0):
        frequency = factor * omega
        model = student.field("sine", amplitude=amplitude, frequency=frequency, phase=phase)
        exact = amplitude * np.sin(frequency * _numpy(t) + phase)
        returned = tensor(student.oscillator_residual(model, t, omega), (8, 1))
        size = amplitude * omega**2
        close(returned / size, (omega**2 - frequency**2) * exact / size, SINGLE)


@pytest.mark.point
def test_oscillator_residual__is_exact(student, draw):
    """is exact to rounding, through autograd and not by small steps, as decay_residual is"""
    c, t = np.array([FAR, *_coefficients(draw, 5)]), _column(draw, 7)
    model = student.field("polynomial", coefficients=c.tolist())
    returned = tensor(student.oscillator_residual(model, t, FAR**-0.5), (7, 1))
    close(returned, _oscillation(c, t, FAR**-0.5), SINGLE)


@pytest.mark.point
def test_oscillator_residual__trains_the_model(student, draw):
    """can be differentiated with respect to the model's parameters"""
    c, t, omega = _coefficients(draw, 5), _column(draw, 6), float(draw.uniform(1.5, 3))
    model = student.field("polynomial", coefficients=c.tolist())
    residual = student.keeping("oscillator_residual", model, t, omega)
    power, points = np.arange(5), _numpy(t)
    curvature = power * (power - 1) * points ** np.maximum(power - 2, 0)
    expected = np.sum(curvature + omega**2 * points**power, axis=0)
    close(_gradient(student, residual, model, (5,), f"the residual {LOST}"), expected, SINGLE)


@pytest.mark.point
def test_oscillator_residual__trains_a_network(student, draw):
    """is right on a real network, and trains it: both terms depend on its parameters"""
    _on_a_network(student, draw, "oscillator_residual", 1, float(draw.uniform(1, 2)))


@pytest.mark.guard
def test_oscillator_residual__leaves_nothing_behind(student, draw):
    """gives the same at a second call and leaves no gradient in the model"""
    model = student.field("polynomial", coefficients=_coefficients(draw, 5).tolist())
    _again(student, "oscillator_residual", model, _column(draw, 6), 1.5)


# --------------------------------------------------------------------------- heat_residual


def _cooling(c: np.ndarray, x: torch.Tensor, t: torch.Tensor, alpha: float) -> np.ndarray:
    slope_t = np.polynomial.polynomial.polyder(c, axis=1)
    slope_xx = np.polynomial.polynomial.polyder(c, 2, axis=0)
    value = np.polynomial.polynomial.polyval2d
    return value(_numpy(x), _numpy(t), slope_t) - alpha * value(_numpy(x), _numpy(t), slope_xx)


def _points(draw: np.random.Generator, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    return _column(draw, rows), _column(draw, rows)


@pytest.mark.point
def test_heat_residual__is_u_t_minus_alpha_u_xx(student, draw):
    """is u_t − α u_xx"""
    for rows in (1, 9):
        c, (x, t), alpha = _coefficients(draw, 4, 4), _points(draw, rows), draw.uniform(0.5, 2)
        model = student.field("surface", coefficients=c)
        returned = tensor(student.heat_residual(model, x, t, float(alpha)), (rows, 1))
        close(returned, _cooling(c, x, t, alpha), SINGLE)


def test_heat_residual__holds_for_any_alpha(student, draw):
    """is right for small and large α"""
    c, (x, t) = _coefficients(draw, 4, 4), _points(draw, 9)
    model = student.field("surface", coefficients=c)
    for alpha in (float(draw.uniform(0.01, 0.05)), float(draw.uniform(10, 20))):
        returned = tensor(student.heat_residual(model, x, t, alpha), (9, 1))
        close(returned, _cooling(c, x, t, alpha), SINGLE)


def test_heat_residual__tells_right_from_wrong_cooling(student, draw):
    """vanishes where a wave cools at the rate α k², and nowhere else"""
    alpha, wavenumber = float(draw.uniform(0.05, 0.2)), float(draw.uniform(2, 4))
    x, t = _points(draw, 8)
    for factor in (2.0, -0.5, 1.0):
        rate = factor * alpha * wavenumber**2
        model = student.field("mode", amplitude=2.0, wavenumber=wavenumber, rate=rate)
        u = 2 * np.sin(wavenumber * _numpy(x)) * np.exp(-rate * _numpy(t))
        returned = tensor(student.heat_residual(model, x, t, alpha), (8, 1))
        close(returned, (alpha * wavenumber**2 - rate) * u, SINGLE)


def _trains_a_surface(student: Any, draw: np.random.Generator, alpha: float) -> None:
    c, (x, t) = _coefficients(draw, 3, 3), _points(draw, 6)
    model = student.field("surface", coefficients=c)
    residual = student.keeping("heat_residual", model, x, t, alpha)
    gradient = _gradient(student, residual, model, (3, 3), f"the residual {LOST}")
    expected = np.zeros((3, 3))
    for index in np.ndindex(3, 3):
        unit = np.zeros((3, 3))
        unit[index] = 1.0
        expected[index] = _cooling(unit, x, t, alpha).sum()
    close(gradient, expected, SINGLE)


@pytest.mark.point
def test_heat_residual__is_exact(student, draw):
    """is exact to rounding, through autograd and not by small steps, as decay_residual is"""
    c, (x, t), alpha = _coefficients(draw, 4, 4), _points(draw, 9), float(draw.uniform(0.5, 2))
    c[0, 0] = 100 * FAR  # u_t may be small beside α u_xx
    model = student.field("surface", coefficients=c)
    returned = tensor(student.heat_residual(model, x, t, alpha), (9, 1))
    close(returned, _cooling(c, x, t, alpha), SINGLE)


@pytest.mark.point
def test_heat_residual__trains_the_model(student, draw):
    """can be differentiated with respect to the model's parameters"""
    _trains_a_surface(student, draw, float(draw.uniform(0.5, 2)))


def test_heat_residual__trains_both_terms(student, draw):
    """trains the model where u_t is all that counts, and where α u_xx is"""
    for alpha in (0.0, 1e3):
        _trains_a_surface(student, draw, alpha)


@pytest.mark.point
def test_heat_residual__trains_a_network(student, draw):
    """is right on a real network, and trains it: u_t and u_xx both depend on its parameters"""
    _on_a_network(student, draw, "heat_residual", 2, float(draw.uniform(0.5, 2)))


@pytest.mark.guard
def test_heat_residual__leaves_nothing_behind(student, draw):
    """gives the same at a second call and leaves no gradient in the model"""
    field = student.field("surface", coefficients=_coefficients(draw, 3, 3))
    x, t = (student.keep(point) for point in _points(draw, 6))
    first = tensor(student.heat_residual(field, x, t, 0.5), (6, 1))
    close(student.heat_residual(field, x, t, 0.5), torch.tensor(first), SINGLE)
    for kept in (x, t):
        holds(attribute(kept, "grad") is None, "x.grad or t.grad has been filled")


# ------------------------------------------------------------------------ condition_losses


def test_condition_losses__decay_asks_for_u_1(student, draw):
    """decay_condition_loss is (u(0) − 1)²"""
    for _ in range(2):
        c = 2 * _coefficients(draw, 3)
        model = student.field("polynomial", coefficients=c.tolist())
        close(_one(student.decay_condition_loss(model)), float((c[0] - 1) ** 2), SINGLE)


def test_condition_losses__oscillator_asks_for_x_1_at_rest(student, draw):
    """oscillator_condition_loss is (x(0) − 1)² + x′(0)²"""
    for _ in range(2):
        c = 2 * _coefficients(draw, 4)
        model = student.field("polynomial", coefficients=c.tolist())
        expected = float((c[0] - 1) ** 2 + c[1] ** 2)
        close(_one(student.oscillator_condition_loss(model)), expected, SINGLE)


def test_condition_losses__oscillator_is_exact(student, draw):
    """oscillator_condition_loss has the speed through autograd, exact to rounding

    Its motion is so strongly curved that no step is small enough.
    """
    start, speed = _coefficients(draw, 2).tolist()
    curved = [start, speed, 1.0, 1e36, 0.0, 1e36]
    model = student.field("polynomial", coefficients=curved)
    expected = (start - 1) ** 2 + speed**2
    close(_one(student.oscillator_condition_loss(model)), expected, SINGLE)


def test_condition_losses__take_a_network(student, draw):
    """decay_condition_loss and oscillator_condition_loss hand a column to a real network"""
    seed = int(draw.integers(2**31))
    for function in ("decay_condition_loss", "oscillator_condition_loss"):
        model = student.field("network", n_in=1, n_hidden=12, n_out=1, seed=seed)
        try:
            returned = student.call(function, None, (model,), {})
        except StudentError as first:  # a start in float64 needs a network in float64
            try:
                returned = student.call(function, None, (model.double(),), {})
            except StudentError:
                raise first from None
        expected = getattr(reference, function)(fields.Network(1, 12, 1, seed))
        close(_one(returned), expected.item(), SINGLE)


def test_condition_losses__heat_adds_start_and_both_ends(student, draw):
    """heat_condition_loss is the sum of three means: the start, the left and the right end"""
    for sizes in ((7, 4), (4, 7)):
        c, (x, t) = _coefficients(draw, 3, 3), _rod_points(draw, *sizes)
        model = student.field("surface", coefficients=c)
        expected = float(sum(np.mean(part**2) for part in _rod(c, x, t)))
        close(_one(student.heat_condition_loss(model, x, t)), expected, SINGLE)


def test_condition_losses__heat_starts_as_a_sine(student, draw):
    """heat_condition_loss asks for sin πx at t = 0, wherever x_initial is"""
    height = float(draw.uniform(2, 4))
    model = student.field("mode", amplitude=height, wavenumber=math.pi, rate=1.0)
    for rows in (1, 6):
        x, t = _column(draw, rows, 0.1, 0.9), _column(draw, 5, 0.1, 1.0)
        expected = float((height - 1) ** 2 * np.mean(np.sin(np.pi * _numpy(x)) ** 2))
        close(_one(student.heat_condition_loss(model, x, t)), expected, SINGLE)


@pytest.mark.point
def test_condition_losses__take_a_network_of_two_columns(student, draw):
    """heat_condition_loss hands columns of one length to a real network, and trains it"""
    seed, words = int(draw.integers(2**31)), f"heat_condition_loss {LOST}"
    model = student.field("network", n_in=2, n_hidden=12, n_out=1, seed=seed)
    x, t = (points.detach().float() for points in _rod_points(draw))
    loss = student.keeping("heat_condition_loss", model, x, t)
    mine = fields.Network(2, 12, 1, seed)
    expected = reference.heat_condition_loss(mine, x, t)
    close(_one(student.value(loss)), expected.item(), SINGLE)
    _same_gradients(student, loss, model, expected, mine, words)


def _rod(
    c: np.ndarray, x_initial: torch.Tensor, t_boundary: torch.Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a surface is off by at the start, at the left end and at the right end."""
    value, x, t = np.polynomial.polynomial.polyval2d, _numpy(x_initial), _numpy(t_boundary)
    return (
        value(x, 0 * x, c) - np.sin(np.pi * x),
        value(0 * t, t, c),
        value(0 * t + 1, t, c),
    )


def _rod_points(
    draw: np.random.Generator, places: int = 7, times: int = 4
) -> tuple[torch.Tensor, torch.Tensor]:
    """Not as many of one kind as of the other."""
    return _column(draw, places, 0.05, 0.95), _column(draw, times, 0.1, 1.0)


@pytest.mark.point
def test_condition_losses__train_the_model(student, draw):
    """all three can be differentiated with respect to the model's parameters"""
    c = 2 * _coefficients(draw, 3)
    model = student.field("polynomial", coefficients=c.tolist())
    loss = student.keeping("decay_condition_loss", model)
    expected = np.array([2 * (c[0] - 1), 0, 0])
    close(_gradient(student, loss, model, (3,), f"decay_condition_loss {LOST}"), expected, SINGLE)
    loss = student.keeping("oscillator_condition_loss", model)
    expected = np.array([2 * (c[0] - 1), 2 * c[1], 0])
    gradient = _gradient(student, loss, model, (3,), f"oscillator_condition_loss {LOST}")
    close(gradient, expected, SINGLE)
    c, (x, t) = _coefficients(draw, 2, 2), _rod_points(draw)
    model = student.field("surface", coefficients=c)
    loss = student.keeping("heat_condition_loss", model, x, t)
    start, left, right = _rod(c, x, t)
    position, time = _numpy(x), _numpy(t)
    ends = [[left + right, (left + right) * time], [right, right * time]]
    expected = 2 * np.array([[np.mean(part) for part in row] for row in ends])
    expected[:, 0] += 2 * np.array([np.mean(start), np.mean(start * position)])
    gradient = _gradient(student, loss, model, (2, 2), f"heat_condition_loss {LOST}")
    close(gradient, expected, SINGLE)


@pytest.mark.guard
def test_condition_losses__leave_nothing_behind(student, draw):
    """leave no gradient in the model, and the points as they were"""
    model = student.field("polynomial", coefficients=[0.5, 1.0, 2.0])
    _one(student.decay_condition_loss(model))
    _one(student.oscillator_condition_loss(model))
    holds(model.gradient() is None, "the parameters' .grad has been filled")
    points = _rod_points(draw)
    kept = [student.keep(point) for point in points]
    _one(student.heat_condition_loss(student.field("surface", coefficients=np.ones((2, 2))), *kept))
    for before, after in zip(points, kept, strict=True):
        close(student.value(after), before, SINGLE)


# ------------------------------------------------------------------------------ total_loss


def _parts(draw: np.random.Generator, conditions: int) -> tuple[Any, list[Any], list[float]]:
    residual = torch.tensor(draw.normal(size=(6, 1)))
    losses = [torch.tensor(value) for value in draw.uniform(1, 2, conditions)]
    return residual, losses, draw.uniform(3, 50, conditions).tolist()


@pytest.mark.point
def test_total_loss__is_the_mean_square_plus_the_weighted_conditions(student, draw):
    """is the mean square of the residual plus each condition with its own weight"""
    for conditions in (1, 2, 3, 5):
        residual, losses, weights = _parts(draw, conditions)
        weighted = sum(w * float(loss) for w, loss in zip(weights, losses, strict=True))
        expected = float(torch.mean(residual**2)) + weighted
        close(_one(student.total_loss(residual, losses, weights)), expected, SINGLE)


def test_total_loss__takes_the_mean_over_the_points(student, draw):
    """stays the same when all points come twice, and counts each residual by its square"""
    residual, losses, _ = _parts(draw, 2)
    once = _one(student.total_loss(residual, losses, [0.0, 0.0]))
    twice = _one(student.total_loss(torch.cat([residual, residual]), losses, [0.0, 0.0]))
    close(once, float(torch.mean(residual**2)), SINGLE)
    close(twice, once, SINGLE)


@pytest.mark.point
def test_total_loss__can_be_differentiated(student, draw):
    """has gradients with respect to the residual and to every condition"""
    residual, losses, weights = _parts(draw, 2)
    kept = student.keep(residual.clone().requires_grad_())
    conditions = [student.keep(loss.clone().requires_grad_()) for loss in losses]
    loss = student.keeping("total_loss", kept, conditions, weights)
    expected = 2 * residual.numpy() / len(residual)
    close(_gradient(student, loss, kept, (6, 1), f"the loss {LOST}"), expected, SINGLE)
    for condition, weight in zip(conditions, weights, strict=True):
        words = "the loss does not depend on a condition: its gradient is lost"
        close(_gradient(student, loss, condition, (), words), np.array(weight), SINGLE)


@pytest.mark.guard
def test_total_loss__needs_no_conditions(student, draw):
    """is the mean square alone where there are no conditions"""
    residual, _, _ = _parts(draw, 0)
    close(_one(student.total_loss(residual, [], [])), float(torch.mean(residual**2)), SINGLE)


@pytest.mark.guard
def test_total_loss__leaves_its_arguments_unchanged(student, draw):
    """leaves the residual and the list of conditions unchanged"""
    residual, losses, weights = _parts(draw, 2)
    kept, conditions = student.keep(residual), student.keep(losses)
    _one(student.total_loss(kept, conditions, weights))
    close(student.value(kept), residual, SINGLE)
    after = student.value(conditions)
    holds(len(after) == len(losses), "the list of conditions has another length than before")
    close(torch.stack(after), torch.stack(losses), SINGLE)


# ---------------------------------------------------------------------- collocation_points


def _box(draw: np.random.Generator, d: int) -> list[tuple[float, float]]:
    """Intervals of different place and width, none of them from 0 to 1."""
    low = draw.uniform(-4, 4, d)
    return list(zip(low.tolist(), (low + draw.uniform(1.5, 6, d)).tolist(), strict=True))


def _in_the_unit_box(returned: Any, n: int, bounds: list[tuple[float, float]]) -> np.ndarray:
    points = tensor(returned, (n, len(bounds))).astype(float)
    low, high = np.array(bounds).T
    return (points - low) / (high - low)


@pytest.mark.point
def test_collocation_points__lie_inside_the_box(student, draw):
    """are n points inside the box, one in each row"""
    for n, d in ((1, 1), (40, 1), (50, 2), (30, 3)):
        bounds = _box(draw, d)
        unit = _in_the_unit_box(
            student.collocation_points(n, bounds, torch_generator(draw)), n, bounds
        )
        inside = (unit > -SINGLE.relative) & (unit < 1 + SINGLE.relative)
        holds(bool(inside.all()), "some points lie outside the bounds")


def test_collocation_points__fill_every_interval(student, draw):
    """fill each variable's interval evenly

    The counts in ten equal parts: a chi-squared of 9 degrees that uniform points exceed once in
    a thousand million, and points that are spread more evenly never. Three variables in each
    course.
    """
    bounds = _box(draw, 3)
    unit = _in_the_unit_box(
        student.collocation_points(2000, bounds, torch_generator(draw)), 2000, bounds
    )
    for column in unit.T:
        counts = np.histogram(column, np.linspace(0, 1, 11))[0]
        unevenness = np.sum((counts - 200.0) ** 2) / 200
        holds(
            bool(unevenness < stats.chi2.isf(1e-9, 9)),
            "some parts of an interval hold too many points, others too few",
        )


@pytest.mark.point
def test_collocation_points__fill_the_box(student, draw):
    """fill the whole box, not only a line or a corner of it

    The counts in 5 × 5 equal fields: a chi-squared of 24 degrees that uniform points exceed
    once in a thousand million. Points on a diagonal exceed it a hundredfold.
    """
    low, width = draw.choice(np.arange(-4, 4), 2, replace=False), draw.integers(2, 6, 2)
    bounds = list(zip(low.tolist(), (low + width).tolist(), strict=True))  # whole numbers count
    unit = _in_the_unit_box(
        student.collocation_points(2500, bounds, torch_generator(draw)), 2500, bounds
    )
    edges = np.linspace(0, 1, 6)
    counts = np.histogram2d(*unit.T, bins=(edges, edges))[0]
    unevenness = np.sum((counts - 100.0) ** 2) / 100
    holds(
        bool(unevenness < stats.chi2.isf(1e-9, 24)),
        "some fields of the box hold too many points, others too few",
    )


def test_collocation_points__can_be_differentiated_with_respect_to(student, draw):
    """are different points in a leaf tensor that requires gradients"""
    bounds = _box(draw, 2)
    points = student.keeping("collocation_points", 1000, bounds, torch_generator(draw))
    unit = _in_the_unit_box(student.value(points), 1000, bounds)
    holds(bool((np.ptp(unit, axis=0) > 0).all()), "all points have a variable in common")
    holds(len(np.unique(unit, axis=0)) == 1000, "some points stand there twice")
    holds(attribute(points, "requires_grad") is True, "the points should require gradients")
    holds(
        attribute(points, "is_leaf") is True,
        "the points should be a leaf: requires_grad_() after the scaling, not before",
    )


def test_collocation_points__draw_from_the_generator_alone(student, draw):
    """are the same points for the same seed and others for another"""
    seed, bounds = int(draw.integers(1, 2**31)), _box(draw, 2)
    found = []
    for this in (seed, seed, seed - 1):
        student.reseed(int(draw.integers(2**31)))
        generator = torch.Generator().manual_seed(this)
        found.append(tensor(student.collocation_points(20, bounds, generator), (20, 2)))
    close(found[1], found[0], SINGLE)
    holds(not np.allclose(found[2], found[0]), "another seed should give other points")


# -------------------------------------------------------------------------------- centred


@pytest.mark.point
def test_centred__brings_an_interval_to_minus_one_to_one(student, draw):
    """brings [low, high] to [−1, 1] before the network sees it"""
    for rows in (1, 7):
        c, (bounds,) = _coefficients(draw, 4), _box(draw, 1)
        model = student.Centred(student.field("polynomial", coefficients=c.tolist()), [bounds])
        t = _column(draw, rows, *bounds)
        scaled = (2 * _numpy(t) - sum(bounds)) / (bounds[1] - bounds[0])
        close(tensor(model(t), (rows, 1)), Polynomial(c)(scaled), SINGLE)


def test_centred__knows_ends_and_middle(student, draw):
    """makes the ends −1 and 1 and the middle 0, for large and small intervals too"""
    line = student.field("polynomial", coefficients=[0.0, 1.0])
    for width in (1e-2, 1e3):
        low = width * float(draw.uniform(0.5, 1.5))
        model = student.Centred(line, [(low, low + width)])
        t = torch.tensor([[low], [low + width / 2], [low + width]], dtype=torch.float64)
        close(tensor(model(t), (3, 1)), np.array([[-1.0], [0.0], [1.0]]), SINGLE)


def test_centred__scales_every_variable_by_its_own_interval(student, draw):
    """scales each of two variables by its own interval and keeps their order"""
    bounds, rows, slopes = _box(draw, 2), 6, _coefficients(draw, 1, 2) * np.array([1.0, 3.0])
    model = student.Centred(student.field("affine", matrix=slopes, shift=0.7), bounds)
    # Another one, made later, has intervals of its own.
    student.Centred(student.field("affine", matrix=slopes, shift=0.7), _box(draw, 2))
    columns = [_column(draw, rows, *one) for one in bounds]
    expected = np.full((rows, 1), 0.7)
    for slope, column, (low, high) in zip(slopes[0], columns, bounds, strict=True):
        expected += slope * (2 * _numpy(column) - low - high) / (high - low)
    close(tensor(model(*columns), (rows, 1)), expected, SINGLE)


def test_centred__takes_as_many_variables_as_it_has_bounds(student, draw):
    """takes as many variables as it has bounds, and a network of either precision"""
    for d, dtype in ((3, torch.float32), (1, torch.float64), (4, torch.float64)):
        seed, bounds = int(draw.integers(2**31)), _box(draw, d)
        network = student.field("network", n_in=d, n_hidden=6, n_out=1, seed=seed)
        network = network.double() if dtype is torch.float64 else network
        columns = [_column(draw, 5, *one).detach().to(dtype) for one in bounds]
        scaled = [
            (2 * column - low - high) / (high - low)
            for column, (low, high) in zip(columns, bounds, strict=True)
        ]
        expected = tensor(network(torch.cat(scaled, dim=1)), (5, 1))
        close(tensor(student.Centred(network, bounds)(*columns), (5, 1)), expected, SINGLE)


@pytest.mark.point
def test_centred__keeps_the_graph(student, draw):
    """can be differentiated with respect to its variable and the network's parameters"""
    c, (bounds,), rows = _coefficients(draw, 4), _box(draw, 1), 5
    network = student.field("polynomial", coefficients=c.tolist())
    t = _column(draw, rows, *bounds)
    kept = student.keep(t)
    u = student.keeping(student.Centred(network, [bounds]), kept)
    scaled = (2 * _numpy(t) - sum(bounds)) / (bounds[1] - bounds[0])
    slope = Polynomial(c).deriv()(scaled) * 2 / (bounds[1] - bounds[0])
    close(_gradient(student, u, kept, (rows, 1), f"the output {LOST}"), slope, SINGLE)
    expected = np.sum(scaled ** np.arange(4), axis=0)
    close(_gradient(student, u, network, (4,), f"the output {LOST}"), expected, SINGLE)


def test_centred__goes_on_outside(student, draw):
    """scales points outside the bounds by the same straight line"""
    c, (bounds,) = _coefficients(draw, 3), _box(draw, 1)
    model = student.Centred(student.field("polynomial", coefficients=c.tolist()), [bounds])
    outside = np.concatenate([draw.uniform(-1.5, -1.1, 3), draw.uniform(1.1, 1.5, 3)])[:, None]
    middle, half = sum(bounds) / 2, (bounds[1] - bounds[0]) / 2
    close(
        tensor(model(torch.tensor(middle + half * outside)), (6, 1)), Polynomial(c)(outside), SINGLE
    )


def _same_parameters(model: Any, network: Any) -> None:
    """What an optimiser finds in the model is what it finds in the network."""
    mine, its = (
        [p.detach().numpy().ravel() for p in module.parameters() if p.requires_grad]
        for module in (model, network)
    )
    holds(len(mine) > 0, "the network's parameters are not among the model's: is it a submodule?")
    holds(len(mine) <= len(its), "the model has parameters beside those of its network")
    holds(len(mine) == len(its), "some of the network's parameters are not among the model's")
    close(np.sort(np.concatenate(mine)), np.sort(np.concatenate(its)), SINGLE)


def _real_network(student: Any, draw: np.random.Generator) -> Any:
    return student.field("network", n_in=1, n_hidden=6, n_out=1, seed=int(draw.integers(2**31)))


@pytest.mark.point
@pytest.mark.guard
def test_centred__has_the_parameters_of_its_network(student, draw):
    """has the parameters of its network and no others, so that an optimiser finds them"""
    network = _real_network(student, draw)
    _same_parameters(student.Centred(network, _box(draw, 1)), network)


@pytest.mark.guard
def test_centred__leaves_its_columns_unchanged(student, draw):
    """leaves the columns unchanged"""
    (bounds,) = _box(draw, 1)
    before = torch.tensor(draw.uniform(*bounds, (5, 1)))
    kept = student.keep(before)
    line = student.field("polynomial", coefficients=[0.0, 1.0])
    tensor(student.Centred(line, [bounds])(kept), (5, 1))
    close(student.value(kept), before, SINGLE)


# ------------------------------------------------------------- training: what they share


def _call(student: Any, model: Any, *columns: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """A trained model's values and its slopes with respect to each column.

    float64 goes in, in which very good models differ; a model in float32 may insist on its own.
    """
    for dtype in (torch.float64, torch.float32):
        kept = [
            student.keep(torch.tensor(c[:, None], dtype=dtype).requires_grad_()) for c in columns
        ]
        try:
            u = student.keeping(model, *kept)
            break
        except StudentError:
            if dtype is torch.float32:
                raise
    shape = (len(columns[0]), 1)
    values = tensor(student.value(u), shape)[:, 0].astype(float)
    words = "the model's output cannot be differentiated with respect to its input"
    return values, [_gradient(student, u, column, shape, words)[:, 0] for column in kept]


def _trained_model(
    student: Any, exercise: str, epochs: int, generator: Any, **parameter: float
) -> tuple[Any, dict[str, float]]:
    """A trained model, and the parameter if it was taken; without it, the default is meant."""
    train = getattr(student, exercise)
    try:
        model = train(epochs=epochs, generator=generator, **parameter)
    except StudentError as error:
        if error.kind != "signature":
            raise
        model, parameter = train(epochs=epochs, generator=generator), {}
    holds(callable(model), f"should return the model alone, a function; returns {kind_of(model)}")
    return model, parameter


class Trained(NamedTuple):
    """Errors of a model at the end, and whether the training took its parameter."""

    errors: tuple[float, ...]
    takes_the_parameter: bool
    seen: str


class Seen(NamedTuple):
    """Errors of a model, and what says how it goes instead, which takes long to find."""

    errors: tuple[float, ...]
    words: Callable[[], str]


def _instead(t: np.ndarray, u: np.ndarray, solution: Callable[[Any], np.ndarray]) -> str:
    """How a motion from 1 goes, where it is not solution(1): it starts elsewhere, is right for a
    part of the time, or is solution(factor), with another rate."""
    right = np.abs(u - solution(1.0)) < 0.05
    if abs(u[0] - 1) > 0.1:
        return f"it starts at {measured(u[0])}, not at 1"
    share = t[np.argmin(right)] / t[-1]
    if 0.15 < share < 0.9:
        return f"it is right for the first {share:.0%} of the time, and goes wrong then"
    factors = np.geomspace(0.2, 5, 2000)
    errors = [float(np.abs(u - solution(factor)).max()) for factor in factors]
    factor = factors[np.argmin(errors)]
    if min(errors) < 0.05 and abs(factor - 1) > 0.05:
        return f"it goes {measured(factor)} times as fast as it should"
    return ""


def _trained(
    student: Any,
    draw: np.random.Generator,
    exercise: str,
    epochs: int,
    limit: float,
    errors: Callable[..., Seen],
    **parameter: float,
) -> Trained:
    """The errors, the largest first, of a model that was trained.

    A solution that was there before, or learnt from data, is no solution of the equation: the
    model is poor after one epoch, and while it learns derivatives are asked for. Where an
    optimiser does not heed its epochs the model was poor before its first step.
    """
    equation, seed = student.field("equation"), int(draw.integers(2**31))
    equation.watch()
    model, taken = _trained_model(
        student, exercise, epochs, torch.Generator().manual_seed(seed), **parameter
    )
    asked = equation.was_asked_for()
    found = errors(student, model, **taken)
    holds(asked is True, "the equation is not in the loss: nothing has been differentiated")
    if found.errors[0] < limit:
        counter = student.field("iterations")
        counter.watch()
        young, _ = _trained_model(
            student, exercise, 1, torch.Generator().manual_seed(seed), **parameter
        )
        if number(counter.busiest()) > 1:  # longer than it is told, which another check sees
            counter.rewind()
        words = "the model is as good after one epoch as after all of them: what has it learnt?"
        holds(bool(errors(student, young, **taken).errors[0] > 2 * found.errors[0]), words)
        return Trained(found.errors, bool(taken), "")
    return Trained(found.errors, bool(taken), found.words())


def _worst(
    student: Any, draw: np.random.Generator, times: int, train: Callable[..., Trained]
) -> Trained:
    """The worst of so many trainings: of wrong ones up to a fifth come by chance to where they
    should."""
    found = [train(student, draw) for _ in range(times)]
    errors = tuple(map(max, zip(*(one.errors for one in found), strict=True)))
    took = all(one.takes_the_parameter for one in found)
    return Trained(errors, took, next((one.seen for one in found if one.seen), ""))


def _takes_its_parameter(trained: Trained, name: str) -> None:
    holds(trained.takes_the_parameter, f"cannot be called with {name}=…, as the docstring says")


def _repeats_itself(student: Any, draw: np.random.Generator, exercise: str, *at: Any) -> None:
    def trained(generator: torch.Generator) -> np.ndarray:
        return _call(student, _trained_model(student, exercise, 10, generator)[0], *at)[0]

    repeats(student, draw, trained)


def _keeps_to_its_epochs(student: Any, draw: np.random.Generator, exercise: str) -> None:
    keeps_to_its_epochs(student, draw, partial(_trained_model, student, exercise))


def _is_ready_for_use(student: Any, draw: np.random.Generator, exercise: str, *at: Any) -> None:
    """Two calls agree: dropout and the like are over, whatever a flag says."""
    model, _ = _trained_model(student, exercise, 2, torch_generator(draw))
    once, again = (_call(student, model, *at)[0] for _ in range(2))
    words = "two calls of the model give different values: it is still in training mode"
    holds(bool(np.allclose(once, again, rtol=SINGLE.relative, atol=SINGLE.tiny)), words)


# ---------------------------------------------------------------------------- train_decay


def _decay_errors(student: Any, model: Any, rate: float = 1.0) -> Seen:
    """The largest error against exp(−rate · t) and the largest residual u′ + rate · u."""
    t = np.linspace(0, 5, 201)
    u, (slope,) = _call(student, model, t)
    found = float(np.abs(u - np.exp(-rate * t)).max()), float(np.abs(slope + rate * u).max())
    return Seen(found, partial(_instead, t, u, lambda factor: np.exp(-factor * rate * t)))


def decay(student: Any, draw: np.random.Generator) -> Trained:
    rate = float(draw.uniform(*RATE))
    return _trained(
        student, draw, "train_decay", EPOCHS_DECAY, DECAY_LIMIT, _decay_errors, rate=rate
    )


def decays(student: Any, draw: np.random.Generator) -> Trained:
    return _worst(student, draw, 3, decay)


@pytest.mark.point
def test_train_decay__decays(student, draw):
    """follows exp(−rate · t) from 0 to 5, for the rate that is asked for"""
    trained = student.once(decays, draw)
    below(trained.errors[0], DECAY_LIMIT, "the largest error against exp(−rate · t)", trained.seen)


def test_train_decay__obeys_the_equation(student, draw):
    """obeys u′ = −rate · u from 0 to 5, near the solution that starts at 1"""
    error, residual = student.once(decays, draw).errors
    holds(error < 3 * DECAY_LIMIT, "the model is far from the solution that starts at 1")
    below(residual, DECAY_RESIDUAL_LIMIT, "the largest residual u′ + rate · u")


@pytest.mark.guard
def test_train_decay__takes_the_rate(student, draw):
    """takes the rate as an argument"""
    _takes_its_parameter(student.once(decays, draw), "rate")


@pytest.mark.guard
def test_train_decay__keeps_to_its_epochs(student, draw):
    """makes no more iterations than it is told"""
    _keeps_to_its_epochs(student, draw, "train_decay")


@pytest.mark.guard
def test_train_decay__is_ready_for_use(student, draw):
    """returns a model that gives the same in every call"""
    _is_ready_for_use(student, draw, "train_decay", np.linspace(0, 5, 201))


@pytest.mark.guard
def test_train_decay__repeats_itself(student, draw):
    """gives the same model for the same seed, and another for another"""
    _repeats_itself(student, draw, "train_decay", np.linspace(0, 5, 9))


# -------------------------------------------------------------------------- hard_constraint


def _networks(student: Any, draw: np.random.Generator) -> list[tuple[Any, torch.dtype]]:
    """Closed-form ones, small, large and zero at the start, and a real one; their precisions."""
    small, large = _coefficients(draw, 5), 1e4 * _coefficients(draw, 5)
    rising = small * (np.arange(5) > 0)
    seed = int(draw.integers(2**31))
    return [
        (student.field("polynomial", coefficients=small.tolist()), torch.float64),
        (student.field("polynomial", coefficients=large.tolist()), torch.float64),
        (student.field("polynomial", coefficients=rising.tolist()), torch.float64),
        (student.field("network", n_in=1, n_hidden=16, n_out=1, seed=seed), torch.float32),
    ]


def _at_the_start(
    student: Any, network: Any, dtype: torch.dtype = torch.float64
) -> tuple[float, float]:
    """x(0) and x′(0)."""
    start = student.keep(torch.zeros(1, 1, dtype=dtype, requires_grad=True))
    x = student.keeping(student.HardConstraint(network), start)
    position = tensor(student.value(x), (1, 1))
    (speed,) = student.gradients(x, start)
    # Without a graph back to t the motion stands still; another check asks for motion.
    return float(position[0, 0]), 0.0 if speed is None else float(tensor(speed, (1, 1))[0, 0])


@pytest.mark.guard
def test_hard_constraint__begins_at_1(student, draw):
    """starts at x(0) = 1 with any network"""
    for network, dtype in _networks(student, draw):
        position, _ = _at_the_start(student, network, dtype)
        close(position, 1.0, SINGLE)


@pytest.mark.guard
def test_hard_constraint__starts_at_rest(student, draw):
    """starts with x′(0) = 0 with any network"""
    for network, dtype in _networks(student, draw):
        _, speed = _at_the_start(student, network, dtype)
        close(speed, 0.0, SINGLE)


@pytest.mark.point
def test_hard_constraint__is_both_at_once(student, draw):
    """starts at 1, at rest, and is the network's to choose afterwards"""
    # Where the factors that return to zero do: sin² t at π, 1 − cos t at 2π, 1 − cos 2πt at 1.
    times = (1.0, math.pi / 2, math.pi, 2 * math.pi, *draw.uniform(0.5, 6, 4).tolist())
    t = torch.tensor(times, dtype=torch.float64)[:, None]
    motions = []
    for sign in (1, -1):
        c = [1.0, *(sign * draw.uniform(0.5, 1.5, 3)).tolist()]  # equal at t = 0
        network = student.field("polynomial", coefficients=c)
        position, speed = _at_the_start(student, network)
        close(position, 1.0, SINGLE)
        close(speed, 0.0, SINGLE)
        motions.append(tensor(student.HardConstraint(network)(t), (8, 1)))
    apart = np.abs(motions[0] - motions[1])
    holds(
        bool((apart > SINGLE.relative).all()),
        "two networks give the same position at some time after t = 0",
    )
    # Whatever the network multiplies, of two large opposite ones one brings it below zero, and one
    # far above 1.
    t = torch.tensor([[0.7], [float(draw.uniform(1, 6))]], dtype=torch.float64)
    lowest, highest = np.full((2, 1), np.inf), np.full((2, 1), -np.inf)
    for sign in (1e4, -1e4):  # as large in a factor that counts time in tens, (t / 10)²
        c = sign * draw.uniform(0.5, 1.5, 4)
        network = student.field("polynomial", coefficients=c.tolist())
        x = tensor(student.HardConstraint(network)(t), (2, 1))
        lowest, highest = np.minimum(lowest, x), np.maximum(highest, x)
    words = "x has bounds that no network can leave: the output should come in as it is"
    holds(bool((lowest < 0).all() and (highest > 2).all()), words)


@pytest.mark.point
def test_hard_constraint__leaves_the_first_acceleration_free(student, draw):
    """lets the network choose x″(0): an oscillator needs −ω² there

    x(h) − 1 is x″(0) h²/2 for a small h. A factor t³ would be right at the start and could never
    become an oscillator.
    """
    near, far = 1e-4, 1e-2
    found = []
    for sign in (1, -1):
        c = sign * draw.uniform(1, 2, 5)
        network = student.field("polynomial", coefficients=c.tolist())
        model = student.HardConstraint(network)
        # The last row is for `diagnosis`: in the others t² and t³ are the same to six digits.
        start = torch.tensor([[0.0], [near], [far], [1.5]], dtype=torch.float64)
        x = tensor(model(start), (4, 1)).astype(float)[:, 0]
        close(x[0], np.float64(1), SINGLE)
        found.append(2 * (x[1:3] - x[0]) / np.array([near, far]) ** 2)
    at_once, later = np.abs(found[0] - found[1])
    # A power of 1.9 makes the one 1.6 times as large as the other, t² at most 1.03 times.
    holds(bool(at_once < 1.3 * later), "x″(0) has no limit: x should leave 1 like t²")
    holds(bool(at_once > 0.2 * later), "x″(0) is the same with any network")


@pytest.mark.point
def test_hard_constraint__trains_the_network(student, draw):
    """starts at 1 and can be differentiated with respect to t and the network's parameters"""
    c, t = _coefficients(draw, 4), _column(draw, 6, 0.5, 3.0)
    network = student.field("polynomial", coefficients=c.tolist())
    close(_at_the_start(student, network)[0], 1.0, SINGLE)
    kept = student.keep(t)
    x = student.keeping(student.HardConstraint(network), kept)
    slope = _gradient(student, x, kept, (6, 1), f"the motion {LOST}")
    gradient = _gradient(student, x, network, (4,), f"the motion {LOST}")
    holds(bool(np.any(slope)), "the motion does not depend on t")
    holds(bool(np.any(gradient)), "the motion does not depend on the network's parameters")
    later, sooner = (
        tensor(student.HardConstraint(network)(t.detach() + h), (6, 1)).astype(float)
        for h in (1e-3, -1e-3)
    )
    off = np.abs(slope - (later - sooner) / 2e-3).max()
    holds(bool(off < 0.02 * np.abs(slope).max()), "the graph of t is cut on the way: x′ is wrong")


@pytest.mark.point
@pytest.mark.guard
def test_hard_constraint__has_the_parameters_of_its_network(student, draw):
    """has the parameters of its network and no others, so that an optimiser finds them"""
    network = _real_network(student, draw)
    _same_parameters(student.HardConstraint(network), network)


# ------------------------------------------------------------------------ train_oscillator


def _oscillator_errors(student: Any, model: Any, omega: float = 2.0) -> Seen:
    """The largest error against cos ωt, and how far x(0) is from 1 and x′(0) from 0."""
    t = np.linspace(0, 4 * math.pi / omega, 401)
    x, (speed,) = _call(student, model, t)
    error = float(np.abs(x - np.cos(omega * t)).max())
    seen = partial(_instead, t, x, lambda factor: np.cos(factor * omega * t))
    return Seen((error, abs(float(x[0] - 1)), abs(float(speed[0]))), seen)


def oscillator(student: Any, draw: np.random.Generator) -> Trained:
    omega, limit = float(draw.uniform(*OMEGA)), OSCILLATOR_LIMIT
    return _trained(
        student,
        draw,
        "train_oscillator",
        EPOCHS_OSCILLATOR,
        limit,
        _oscillator_errors,
        omega=omega,
    )


def oscillates(student: Any, draw: np.random.Generator) -> Trained:
    return _worst(student, draw, 3, oscillator)


@pytest.mark.point
def test_train_oscillator__oscillates(student, draw):
    """follows cos ωt for two periods, with the frequency that is asked for"""
    trained = student.once(oscillates, draw)
    below(trained.errors[0], OSCILLATOR_LIMIT, "the largest error against cos ωt", trained.seen)


def test_train_oscillator__starts_at_1_at_rest(student, draw):
    """starts at x(0) = 1 at rest and moves afterwards"""
    error, start, speed = student.once(oscillates, draw).errors
    below(start, START_LIMIT, "the distance of x(0) from 1")
    below(speed, SPEED_LIMIT, "the size of x′(0)")
    holds(error < 2 * OSCILLATOR_LIMIT, "the model does not follow cos ωt")


@pytest.mark.guard
def test_train_oscillator__takes_omega(student, draw):
    """takes ω as an argument"""
    _takes_its_parameter(student.once(oscillates, draw), "omega")


@pytest.mark.guard
def test_train_oscillator__keeps_to_its_epochs(student, draw):
    """makes no more iterations than it is told"""
    _keeps_to_its_epochs(student, draw, "train_oscillator")


@pytest.mark.guard
def test_train_oscillator__is_ready_for_use(student, draw):
    """returns a model that gives the same in every call"""
    _is_ready_for_use(student, draw, "train_oscillator", np.linspace(0, 6, 201))


@pytest.mark.guard
def test_train_oscillator__repeats_itself(student, draw):
    """gives the same model for the same seed, and another for another"""
    _repeats_itself(student, draw, "train_oscillator", np.linspace(0, 6, 9))


# ----------------------------------------------------------------------------- last_layer


class _Waves(NamedTuple):
    """Features sin(f t + p), and what NumPy makes of them."""

    frequencies: np.ndarray
    phases: np.ndarray

    def of_order(self, t: np.ndarray, order: int) -> np.ndarray:
        angle = self.frequencies * t + self.phases + order * math.pi / 2
        return self.frequencies**order * np.sin(angle)

    def given_to(self, student: Any) -> Any:
        return student.field("waves", frequencies=self.frequencies, phases=self.phases)

    def system(
        self, t: np.ndarray, coefficients: Any, conditions: Any, weight: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows of the least squares, and what they should give."""
        rows = [sum(c * self.of_order(t, order) for order, c in enumerate(coefficients))]
        wanted = [np.zeros((len(t), 1))]
        for time, order, value in conditions:
            rows.append(math.sqrt(weight) * self.of_order(np.array([[time]]), order))
            wanted.append(np.array([[math.sqrt(weight) * value]]))
        return np.concatenate(rows), np.concatenate(wanted)


def _waves(draw: np.random.Generator, count: int) -> _Waves:
    """Frequencies apart from each other, so that every w is well known."""
    frequencies = np.arange(1, count + 1) * 0.7 + draw.uniform(0, 0.3, count)
    return _Waves(frequencies, draw.uniform(0, 2 * math.pi, count))


def _last_layer(
    student: Any, waves: _Waves, t: np.ndarray, coefficients: Any, conditions: Any, weight: float
) -> tuple[np.ndarray, np.ndarray]:
    """What came back, and what NumPy finds."""
    points, features = torch.tensor(t), waves.given_to(student)
    given = (tuple(map(float, coefficients)), conditions, weight)
    w = tensor(student.last_layer(features, points, *given), (len(waves.phases), 1))
    matrix, wanted = waves.system(t, coefficients, conditions, weight)
    return w, np.linalg.lstsq(matrix, wanted, rcond=None)[0]


@pytest.mark.point
def test_last_layer__makes_the_sum_of_squares_smallest(student, draw):
    """makes the sum of squares of equation and conditions as small as it can be"""
    for count, rows in ((4, 40), (3, 9)):
        waves, t = _waves(draw, count), draw.uniform(0, 5, (rows, 1))
        coefficients = _coefficients(draw, 3)
        conditions = [
            (float(draw.uniform(0, 1)), 0, float(draw.uniform(1, 2))),
            (float(draw.uniform(0, 1)), 1, float(draw.uniform(-2, -1))),
        ]
        weight = float(draw.uniform(5, 20))
        close(*_last_layer(student, waves, t, coefficients, conditions, weight), SINGLE)


@pytest.mark.point
def test_last_layer__finds_the_solution(student, draw):
    """finds the solution where the features can make it"""
    for omega in draw.uniform(1.5, 3.0, 2):
        start, speed = draw.uniform(0.5, 2.0, 2)
        waves = _Waves(np.array([omega, omega, 0.4]), np.array([math.pi / 2, 0.0, 0.3]))
        t = np.linspace(0.3, 4, 30)[:, None]  # the conditions' time is none of the points
        conditions = [(0.0, 0, float(start)), (0.0, 1, float(speed))]
        found, _ = _last_layer(student, waves, t, (omega**2, 0.0, 1.0), conditions, 1.0)
        close(found, np.array([[start], [speed / omega], [0.0]]), SINGLE)


def test_last_layer__takes_equations_of_any_order(student, draw):
    """takes equations of the first and the third order, and conditions of any order"""
    for orders in (1, 3):
        waves, t = _waves(draw, 3), draw.uniform(0, 4, (25, 1))
        conditions = [(float(draw.uniform(0, 1)), order, 1.5 - order) for order in range(orders)]
        coefficients = _coefficients(draw, orders + 1)
        close(*_last_layer(student, waves, t, coefficients, conditions, 3.0), SINGLE)


def test_last_layer__weighs_the_conditions(student, draw):
    """gives every condition the weight that it is told"""
    waves, t = _waves(draw, 3), draw.uniform(0, 4, (25, 1))
    coefficients, conditions = _coefficients(draw, 3), [(0.5, 0, 2.0), (2.5, 0, -1.0)]
    for weight in (0.01, 1e4):
        close(*_last_layer(student, waves, t, coefficients, conditions, weight), SINGLE)


def test_last_layer__needs_no_weight_to_be_told(student, draw):
    """gives the conditions the weight 1 if nothing is said"""
    waves, t = _waves(draw, 3), draw.uniform(0, 4, (12, 1))
    coefficients, conditions = _coefficients(draw, 3), [(0.5, 0, 2.0), (1.5, 1, -1.0)]
    given = (tuple(map(float, coefficients)), conditions)
    w = tensor(student.last_layer(waves.given_to(student), torch.tensor(t), *given), (3, 1))
    matrix, wanted = waves.system(t, coefficients, conditions, 1.0)
    close(w, np.linalg.lstsq(matrix, wanted, rcond=None)[0], SINGLE)


def test_last_layer__takes_features_that_depend_on_each_other(student, draw):
    """takes features that depend on each other, where several answers are as good"""
    # So that any as many as count are independent: copies of one, and waves of one frequency.
    # torch's usual driver may keep the first columns where they are (pytorch issue 187411), and
    # would go wrong if one of them followed from those before it.
    # Where an answer lets rounding take part, three sets of waves in four show it: of six one.
    frequency, phase = draw.uniform(0.7, 1.7), draw.uniform(0, 2 * math.pi)
    for phases in (np.full(3, phase), *draw.uniform(0, 2 * math.pi, (6, 8))):
        waves = _Waves(np.full(len(phases), frequency), phases)
        t, conditions = draw.uniform(0, 4, (40, 1)), [(0.3, 0, 1.0)]
        coefficients = _coefficients(draw, 2)
        w, best = _last_layer(student, waves, t, coefficients, conditions, 2.0)
        # Right ones are of order one, what rounding decides is at 10¹² and more.
        words = "huge weights cancel: rounding was taken for a feature of its own (rcond, cond)"
        holds(bool(np.abs(w).max() < 1e6), words)
        later = waves.of_order(np.linspace(0, 4, 9)[:, None], 0)
        close(later @ w, later @ best, SINGLE)


@pytest.mark.guard
def test_last_layer__takes_the_hidden_layer_of_a_network(student, draw):
    """takes the features of a network, and leaves its points without a graph"""
    network = student.field("network", n_in=1, n_hidden=6, n_out=3, seed=int(draw.integers(99)))
    t = torch.tensor(draw.uniform(-1, 1, (30, 1)), dtype=torch.float32)
    kept = student.keep(t)
    w = student.keeping("last_layer", network, kept, (1.0, 1.0), [(0.0, 0, 1.0)], 10.0)
    holds(not attribute(w, "requires_grad"), "the weights still hang on a graph")
    tensor(student.value(w), (3, 1))
    words = "t should be left as it was, without requires_grad"
    holds(not attribute(kept, "requires_grad"), words)


# ------------------------------------------------------------------------------------ ftcs


def _grid(returned: Any, shape: tuple[int, int]) -> np.ndarray:
    """A tensor, or an array for whoever went through NumPy."""
    values = (array if isinstance(returned, np.ndarray) else tensor)(returned, shape)
    return values.astype(float)


def _rows(
    student: Any, u0: torch.Tensor, alpha: float, dx: float, dt: float, n_steps: int
) -> np.ndarray:
    """What ftcs gives, and u0 before it where it was left out: that is another check's question."""
    returned, shape = student.ftcs(u0, alpha, dx, dt, n_steps), (n_steps, len(u0))
    if n_steps > 0 and tuple(getattr(returned, "shape", ())) == shape:
        return np.concatenate([u0.numpy()[None], _grid(returned, shape)])
    return _grid(returned, (n_steps + 1, len(u0)))


def _steps(u: np.ndarray, ratio: float, n_steps: int) -> np.ndarray:
    """Point by point, the slow and obvious way."""
    rows = [u]
    for _ in range(n_steps):
        new = rows[-1].copy()
        for i in range(1, len(u) - 1):
            old = rows[-1]
            new[i] = old[i] + ratio * (old[i - 1] - 2 * old[i] + old[i + 1])
        rows.append(new)
    return np.array(rows)


@pytest.mark.point
def test_ftcs__takes_the_steps_of_the_scheme(student, draw):
    """gives u0 and every step after it, from any start"""
    for n_x, n_steps in ((3, 2), (8, 1), (7, 12)):
        # From 1 on: who forgets α in the limit alone refuses nothing here.
        alpha, dx = float(draw.uniform(1.2, 2)), float(draw.uniform(0.1, 0.4))
        ratio = float(draw.uniform(0.2, 0.45))
        u0 = draw.normal(size=n_x)
        returned = student.ftcs(torch.tensor(u0), alpha, dx, ratio * dx**2 / alpha, n_steps)
        expected = _steps(u0, ratio, n_steps)
        close(_grid(returned, expected.shape), expected, SINGLE)


def test_ftcs__cools_a_wave_at_its_own_rate(student, draw):
    """multiplies sin kx by 1 − 4 (α dt/dx²) sin²(k dx/2) in every step"""
    n_x, n_steps, k = 17, 6, int(draw.integers(1, 4)) * math.pi
    alpha, dx, ratio = float(draw.uniform(1.2, 2)), 1 / 16, float(draw.uniform(0.2, 0.45))
    u0 = np.sin(k * dx * np.arange(n_x))
    found = _rows(student, torch.tensor(u0), alpha, dx, ratio * dx**2 / alpha, n_steps)
    factor = 1 - 4 * ratio * math.sin(k * dx / 2) ** 2
    close(found, factor ** np.arange(n_steps + 1)[:, None] * u0, SINGLE)


def test_ftcs__converges_with_the_square_of_dx(student, draw):
    """comes nearer to the exact solution with the square of dx"""
    alpha, end = float(draw.uniform(1.2, 2)), 0.1
    errors = []
    for cells in (8, 16):
        dx, n_steps = 1 / cells, 4 * cells**2 // 16
        dt = end / alpha / n_steps
        u0 = torch.sin(math.pi * torch.linspace(0, 1, cells + 1, dtype=torch.float64))
        u = _rows(student, u0, alpha, dx, dt, n_steps)
        exact = u0.numpy() * math.exp(-(math.pi**2) * end)
        errors.append(np.abs(u[-1] - exact).max())
    holds(
        bool(3.5 * errors[1] < errors[0] < 4.5 * errors[1] < 0.1),
        "the error should become four times smaller when dx is halved and dt divided by four",
    )


def test_ftcs__keeps_the_ends(student, draw):
    """keeps the two end values of u0 and changes what lies between"""
    u0 = draw.uniform(1, 3, 9) * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1])
    u = _rows(student, torch.tensor(u0), 1.0, 0.5, 0.1, 5)
    close(u[:, [0, -1]], np.tile(u0[[0, -1]], (6, 1)), SINGLE)
    holds(bool((np.abs(u[-1] - u[0])[1:-1] > 0).all()), "nothing has changed between the ends")


def test_ftcs__refuses_steps_that_are_too_long(student, draw):
    """raises ValueError for α dt/dx² above 1/2 and not at 1/2 itself"""
    u0 = torch.tensor(draw.normal(size=6))
    alpha = float(draw.uniform(1.2, 2))
    for ratio, dx in ((3.0, 0.5), (0.55, 2.0), (0.51, 0.1)):
        dt = ratio * dx**2 / alpha
        refuses(lambda dx=dx, dt=dt: student.ftcs(u0, alpha, dx, dt, 3))
    u = _rows(student, u0, alpha, 3.0, 0.4 * 9 / alpha, 3)
    close(u, _steps(u0.numpy(), 0.4, 3), SINGLE)
    # Powers of two: the ratio is exactly 1/2, however it is computed.
    u = _rows(student, u0, 2.0, 0.5, 0.0625, 3)
    close(u, _steps(u0.numpy(), 0.5, 3), SINGLE)


@pytest.mark.guard
def test_ftcs__leaves_u0_unchanged(student, draw):
    """leaves u0 unchanged, and gives it back where there is no step"""
    before = torch.tensor(draw.normal(size=7))
    kept = student.keep(before)
    _grid(student.ftcs(kept, 1.0, 0.5, 0.1, 4), (5, 7))
    close(student.value(kept), before, SINGLE)
    close(_grid(student.ftcs(before, 1.0, 0.5, 0.1, 0), (1, 7)), before.numpy()[None], SINGLE)


# ------------------------------------------------------------------------------ train_heat


def _heat_errors(student: Any, model: Any, alpha: float = 0.1) -> Seen:
    """The largest error in the whole rectangle, and at the start and the two ends alone."""
    x, t = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 1, 31), np.linspace(0, 1, 31)))
    u, _ = _call(student, model, x, t)
    error = np.abs(u - np.sin(math.pi * x) * np.exp(-alpha * math.pi**2 * t))
    start, ends, middle = t == 0, (x == 0) | (x == 1), np.isclose(x, 0.5)
    edge, when = start | ends, t[middle]

    def seen() -> str:
        for where, places in (("start", start), ("two ends", ends)):
            if error[places].max() > 2 * EDGE_LIMIT:
                return f"at the {where} it is {measured(error[places].max())}"
        words = _instead(when, u[middle], lambda f: np.exp(-f * alpha * math.pi**2 * when))
        return f"in the middle {words}" * bool(words)

    return Seen((float(error.max()), float(error[edge].max())), seen)


def heat(student: Any, draw: np.random.Generator) -> Trained:
    alpha = float(draw.uniform(*ALPHA))
    return _trained(student, draw, "train_heat", EPOCHS_HEAT, HEAT_LIMIT, _heat_errors, alpha=alpha)


def cools(student: Any, draw: np.random.Generator) -> Trained:
    return _worst(student, draw, 2, heat)


@pytest.mark.point
def test_train_heat__cools_like_the_rod(student, draw):
    """follows the exact solution everywhere, for the α that is asked for"""
    trained = student.once(cools, draw)
    below(
        trained.errors[0], HEAT_LIMIT, "the largest error against the exact solution", trained.seen
    )


def test_train_heat__meets_the_conditions(student, draw):
    """starts as sin πx, stays at 0 at both ends and cools in between"""
    error, edge = student.once(cools, draw).errors
    below(edge, EDGE_LIMIT, "the largest error at the start and at the two ends")
    holds(error < 2 * HEAT_LIMIT, "the rod does not cool as it should")


@pytest.mark.guard
def test_train_heat__takes_alpha(student, draw):
    """takes α as an argument"""
    _takes_its_parameter(student.once(cools, draw), "alpha")


@pytest.mark.guard
def test_train_heat__keeps_to_its_epochs(student, draw):
    """makes no more iterations than it is told"""
    _keeps_to_its_epochs(student, draw, "train_heat")


@pytest.mark.guard
def test_train_heat__is_ready_for_use(student, draw):
    """returns a model that gives the same in every call"""
    at = draw.uniform(0.05, 0.95, (2, 201))
    _is_ready_for_use(student, draw, "train_heat", *at)


@pytest.mark.guard
def test_train_heat__repeats_itself(student, draw):
    """gives the same model for the same seed, and another for another"""
    at = np.array([0.1, 0.3, 0.5, 0.9]), np.array([0.2, 0.4, 0.7, 1.0])
    _repeats_itself(student, draw, "train_heat", *at)
