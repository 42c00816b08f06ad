"""Public checks of inverse_pinn: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import SINGLE, array, attribute, close, holds, number, tensor


def test_exact_heat__decays_in_the_middle(student):
    """is exp(−0.1 π²) in the middle of the rod at t = 1, for α = 0.1"""
    close(number(student.exact_heat(0.5, 1.0, 0.1)), float(np.exp(-0.1 * np.pi**2)), SINGLE)


def test_exact_heat__starts_as_half_a_sine_wave(student):
    """starts as half a sine wave"""
    x = np.array([0.0, 1 / 6, 0.5, 1.0])
    close(student.exact_heat(x, np.zeros(4), 0.1), np.array([0.0, 0.5, 1.0, 0.0]), SINGLE)


def test_exact_heat__fits_a_longer_rod(student):
    """decays four times more slowly on a rod of twice the length"""
    close(number(student.exact_heat(1.0, 4.0, 0.1, 2.0)), float(np.exp(-0.1 * np.pi**2)), SINGLE)


def _observed(student, n, noise_std, seed):
    returned = student.observe(n, 0.1, noise_std, np.random.default_rng(seed))
    holds(isinstance(returned, (tuple, list)) and len(returned) == 3, "should return (x, t, u)")
    shape = (n,) if np.ndim(returned[0]) == 1 else (n, 1)
    return [array(values, shape) for values in returned]


def test_observe__stays_in_the_region(student):
    """gives n measurements with x in [0.1, 0.9] and t in [0.05, 0.8]"""
    x, t, _ = _observed(student, 100, 0.02, 5)
    holds(bool(x.min() >= 0.1 and x.max() <= 0.9), "x leaves [0.1, 0.9]")
    holds(bool(t.min() >= 0.05 and t.max() <= 0.8), "t leaves [0.05, 0.8]")


def test_observe__adds_noise_to_the_exact_temperature(student):
    """gives the exact temperatures without noise, and others with it"""
    x, t, u = _observed(student, 10, 0.0, 5)
    exact = np.sin(np.pi * x) * np.exp(-0.1 * np.pi**2 * t)
    close(u, exact, SINGLE)
    x, t, u = _observed(student, 10, 0.5, 5)
    exact = np.sin(np.pi * x) * np.exp(-0.1 * np.pi**2 * t)
    holds(not np.allclose(u, exact), "noise_std has no effect")


def test_observe__repeats_a_seed(student):
    """gives the same data for the same seed"""
    student.reseed(1)
    first, second = (_observed(student, 5, 0.1, 7) for _ in range(2))
    close(second, first, SINGLE)


def test_inverse_model__maps_columns_to_a_column(student):
    """maps a column of places and one of times to a column of temperatures"""
    student.reseed(1)
    x, t = torch.linspace(0, 1, 5).reshape(-1, 1), torch.full((5, 1), 0.3)
    tensor(student.InversePINN(hidden=8)(x, t), (5, 1))


def test_inverse_model__starts_with_alpha_one(student):
    """starts with α = 1, as a tensor that knows where it came from"""
    alpha = attribute(student.InversePINN(hidden=8), "alpha")
    close(tensor(alpha).reshape(-1), np.ones(1), SINGLE)
    holds(alpha.requires_grad, "alpha has no graph: a gradient would not reach log_alpha")


def test_inverse_model__has_log_alpha_as_a_parameter(student):
    """has log_alpha among its parameters"""
    names = dict(student.InversePINN(hidden=8).named_parameters())
    holds("log_alpha" in names, "log_alpha is not among the model's parameters")


def test_inverse_loss__adds_up_for_a_model_of_zeros(student):
    """is 2 · 1 + 4 · 1 for a model that is 0, observations 1 and weights (1, 2, 3, 4)"""
    zero = student.field("inverse", of="surface", coefficients=[[0.0] * 3] * 3)
    x, t = (torch.full((1, 1), value, requires_grad=True) for value in (0.5, 0.3))
    seen = (torch.tensor([[0.2], [0.7]]), torch.tensor([[0.1], [0.4]]), torch.ones(2, 1))
    close(number(student.inverse_loss(zero, (x, t), seen, (1.0, 2.0, 3.0, 4.0))), 6.0, SINGLE)


def test_inverse_loss__asks_for_the_equation(student):
    """has a residual of (1 − 2α)² for u = x² + t"""
    coefficients = [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    x, t = (torch.tensor([[0.2], [0.6]], requires_grad=True) for _ in range(2))
    seen = tuple(torch.zeros(1, 1) for _ in range(3))
    for alpha in (0.5, 2.0):
        model = student.field(
            "inverse", of="surface", coefficients=coefficients, log_alpha=float(np.log(alpha))
        )
        loss = student.inverse_loss(model, (x, t), seen, (1.0, 0.0, 0.0, 0.0))
        close(number(loss), (1 - 2 * alpha) ** 2, SINGLE)
        holds(loss.requires_grad, "the loss has lost its graph: nothing could be trained with it")


def _few_observations():
    x, t = np.linspace(0.1, 0.9, 12).reshape(-1, 1), np.linspace(0.8, 0.05, 12).reshape(-1, 1)
    u = np.sin(np.pi * x) * np.exp(-0.2 * np.pi**2 * t)
    return tuple(torch.tensor(values, dtype=torch.float32) for values in (x, t, u))


def _recovered(student, epochs):
    generator = torch.Generator().manual_seed(1)
    returned = student.recover_alpha(_few_observations(), epochs=epochs, generator=generator)
    pair = isinstance(returned, (tuple, list)) and len(returned) == 2
    holds(pair, "should return (alpha, history)")
    return returned


def test_recover_alpha__returns_alpha_and_its_history(student):
    """returns a positive number and the list of its values on the way"""
    alpha, history = _recovered(student, 5)
    holds(number(alpha) > 0, "α should be positive")
    values = [number(value) for value in history]
    holds(len(values) > 0, "the history is empty")


def test_recover_alpha__repeats_a_seed(student):
    """gives the same α for the same seed"""
    student.reseed(1)
    first, second = (number(_recovered(student, 10)[0]) for _ in range(2))
    close(second, first, SINGLE)


def test_alpha_uncertainty__knows_one_measurement(student):
    """is 0.02 / (π² exp(−0.1 π²)) for one measurement in the middle at t = 1"""
    one = (np.full((1, 1), 0.5), np.ones((1, 1)), np.full((1, 1), 0.4))
    expected = 0.02 / (np.pi**2 * np.exp(-0.1 * np.pi**2))
    close(number(student.alpha_uncertainty(one, 0.02, 0.1)), float(expected), SINGLE)


def test_alpha_uncertainty__shrinks_with_the_root_of_the_number(student):
    """is a third as large for nine equal measurements"""
    nine = (np.full((9, 1), 0.5), np.ones((9, 1)), np.full((9, 1), 0.4))
    expected = 0.02 / (np.pi**2 * np.exp(-0.1 * np.pi**2)) / 3
    close(number(student.alpha_uncertainty(nine, 0.02, 0.1)), float(expected), SINGLE)
