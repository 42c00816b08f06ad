"""The reference of pinn against oracles that know nothing of it."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from draws import seeded
from scipy.integrate import solve_ivp
from scipy.stats import kstest, qmc
from torch import nn

from autograder.checks import test_pinn as checks
from autograder.course import load_assignment
from reference_impl import pinn

OMEGA, ALPHA = 2.0, 0.1


def column(*values: float, grad: bool = True) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1).requires_grad_(grad)


def line(low: float, high: float, n: int, grad: bool = False) -> torch.Tensor:
    return torch.linspace(low, high, n, dtype=torch.float64).reshape(-1, 1).requires_grad_(grad)


def numbers(x: torch.Tensor) -> np.ndarray:
    return x.detach().numpy()


def network(inputs: int, seed: int, hidden: int = 12) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    return layers.double()


class Beside(nn.Module):
    """A network of two columns that come one by one."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.inner(torch.cat([x, t], dim=1))


# --------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_derivatives_are_those_of_known_functions(dtype: torch.dtype) -> None:
    x = torch.linspace(-2, 2, 9, dtype=dtype).reshape(-1, 1).requires_grad_()
    for order, exact in ((1, 2 * torch.cos(2 * x)), (2, -4 * torch.sin(2 * x))):
        found = pinn.derivative(torch.sin(2 * x), x, order)
        assert (found.shape, found.dtype) == (x.shape, dtype)
        torch.testing.assert_close(found, exact)
    torch.testing.assert_close(pinn.derivative(x**5, x, 4), 120 * x)


def test_derivatives_are_finite_differences_of_a_network() -> None:
    model, t, h = network(1, 0), line(-1, 1, 7, grad=True), 1e-4
    with torch.no_grad():
        up, now, down = model(t + h), model(t), model(t - h)
    slope, curvature = (up - down) / (2 * h), (up - 2 * now + down) / h**2
    torch.testing.assert_close(pinn.derivative(model(t), t), slope, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(pinn.derivative(model(t), t, 2), curvature, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_derivative_passes_torch_s_check() -> None:
    def slope(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return pinn.derivative(torch.tanh(scale * x), x, 2)

    scale = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(slope, (line(-1, 1, 4, grad=True), scale))


def test_a_constant_has_no_slope_and_a_line_no_curvature() -> None:
    x, weight = column(1.0, 2.0), torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(2, 1, dtype=torch.float64)
    for u, order in ((zero + 5, 1), (weight + 0 * zero, 1), (3 * x, 2), (weight * x, 2), (x, 3)):
        torch.testing.assert_close(pinn.derivative(u, x, order).detach(), zero)
    assert x.grad is None


# ----------------------------------------------------------------------------- residuals


def test_residuals_vanish_for_solutions_that_scipy_finds() -> None:
    """Through the coefficients of a Chebyshev fit to the numerical solution."""
    for equation, start, residual in (
        (lambda t, u: [-1.5 * u[0]], [2.0], lambda f, t: pinn.decay_residual(f, t, 1.5)),
        (
            lambda t, u: [u[1], -9 * u[0]],
            [0.5, 1.0],
            lambda f, t: pinn.oscillator_residual(f, t, 3.0),
        ),
    ):
        times = np.linspace(0, 2, 400)
        solved = solve_ivp(equation, (0, 2), start, t_eval=times, rtol=1e-11, atol=1e-12)
        fit = np.polynomial.Chebyshev.fit(times, solved.y[0], 20).convert(
            kind=np.polynomial.Polynomial
        )

        def model(t: torch.Tensor, coefficients: np.ndarray = fit.coef) -> torch.Tensor:
            return sum((c * t**k for k, c in enumerate(coefficients.tolist())), 0 * t)

        left_over = numbers(residual(model, line(0.1, 1.9, 20, grad=True)))
        assert np.abs(left_over).max() < 1e-5


def test_heat_has_the_residual_of_the_method_of_lines() -> None:
    """A rod that starts as a bump, solved by scipy on a fine grid and differentiated there."""
    n = 81
    dx = 1 / (n - 1)
    x = np.linspace(0, 1, n)

    def flow(_: float, u: np.ndarray) -> np.ndarray:
        rate = np.zeros(n)
        rate[1:-1] = ALPHA * np.diff(u, 2) / dx**2
        return rate

    start = np.sin(np.pi * x) + 0.3 * np.sin(3 * np.pi * x)
    solved = solve_ivp(flow, (0, 0.5), start, t_eval=[0.5], rtol=1e-9, atol=1e-11)
    modes = [2 * dx * np.sum(solved.y[:, 0] * np.sin(k * np.pi * x)) for k in (1, 3)]

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        terms = (
            a * torch.sin(k * math.pi * x) * torch.exp(-ALPHA * (k * math.pi) ** 2 * (t - 0.5))
            for a, k in zip(modes, (1, 3), strict=True)
        )
        return sum(terms, 0 * x)

    points = line(0.1, 0.9, 7, grad=True), line(0.2, 0.5, 7, grad=True)
    assert pinn.heat_residual(model, *points, ALPHA).abs().max().item() < 1e-12
    # The same model, taken back to t = 0, is the rod that scipy started from.
    back = numbers(model(torch.tensor(x[:, None]), torch.zeros(n, 1, dtype=torch.float64)))
    np.testing.assert_allclose(back[:, 0], start, atol=2e-3)


def test_residuals_are_finite_differences_of_a_network() -> None:
    inner = network(2, 3)
    model, (x, t), h = Beside(inner), (line(0, 1, 6, grad=True), line(1, 0, 6, grad=True)), 1e-4
    with torch.no_grad():
        u_t = (model(x, t + h) - model(x, t - h)) / (2 * h)
        u_xx = (model(x + h, t) - 2 * model(x, t) + model(x - h, t)) / h**2
    found = pinn.heat_residual(model, x, t, 0.7)
    torch.testing.assert_close(found, u_t - 0.7 * u_xx, rtol=1e-4, atol=1e-6)
    single, s = network(1, 4), line(0, 1, 5, grad=True)
    with torch.no_grad():
        up, now, down = single(s + h), single(s), single(s - h)
    decay = (up - down) / (2 * h) + 1.7 * now
    torch.testing.assert_close(pinn.decay_residual(single, s, 1.7), decay, rtol=1e-5, atol=1e-7)
    oscillator = (up - 2 * now + down) / h**2 + 1.7**2 * now
    found = pinn.oscillator_residual(single, s, 1.7)
    torch.testing.assert_close(found, oscillator, rtol=1e-5, atol=1e-6)


def test_residuals_leave_no_gradients_behind() -> None:
    model, t = network(1, 0), line(0, 1, 4, grad=True)
    pinn.decay_residual(model, t)
    pinn.oscillator_residual(model, t, 2.0)
    rod, x = Beside(network(2, 0)), line(0, 1, 4, grad=True)
    pinn.heat_residual(rod, x, t, 0.1)
    left = [t.grad, x.grad, *(p.grad for m in (model, rod) for p in m.parameters())]
    assert all(gradient is None for gradient in left)


# ---------------------------------------------------------------------------- conditions


def test_conditions_are_met_by_the_solutions_and_by_nothing_near() -> None:
    assert pinn.decay_condition_loss(lambda t: torch.exp(-3 * t)).item() == 0
    assert pinn.decay_condition_loss(lambda t: torch.exp(-3 * t) + 0.1).item() == pytest.approx(
        0.01, rel=1e-5
    )
    for model, loss in (
        (lambda t: torch.cos(5 * t), 0.0),
        (lambda t: torch.cos(5 * t) + 0.2 * torch.sin(5 * t), 1.0),
        (lambda t: 1.5 * torch.cos(5 * t), 0.25),
    ):
        assert pinn.oscillator_condition_loss(model).item() == pytest.approx(loss, abs=1e-6)
    x, t = line(0, 1, 50), line(0, 1, 30)
    for model, loss in (
        (lambda x, t: torch.sin(math.pi * x) * torch.exp(-t), 0.0),
        (lambda x, t: torch.sin(math.pi * x) + 0.5 * t * x, 0.25 * (t**2).mean().item()),
        (lambda x, t: torch.sin(math.pi * x) + 0.5 * t * (1 - x), 0.25 * (t**2).mean().item()),
        (lambda x, t: 0 * x, (torch.sin(math.pi * x) ** 2).mean().item()),
    ):
        assert pinn.heat_condition_loss(model, x, t).item() == pytest.approx(loss, abs=1e-12)


def test_the_total_loss_is_torch_s() -> None:
    torch.manual_seed(0)
    residual = torch.randn(7, 1, dtype=torch.float64, requires_grad=True)
    conditions = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in (0.3, 2.0)]
    loss = pinn.total_loss(residual, conditions, [10.0, 0.5])
    expected = nn.functional.mse_loss(residual, torch.zeros_like(residual)) + 3.0 + 1.0
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert [condition.grad.item() for condition in conditions] == [10.0, 0.5]
    with pytest.raises(ValueError, match="zip"):
        pinn.total_loss(residual, conditions, [1.0])


# -------------------------------------------------------------------------------- points


def test_points_are_uniform_leaves_in_the_box() -> None:
    bounds = [(-3.0, -1.0), (0.5, 7.0), (0.0, 0.01)]
    points = pinn.collocation_points(3000, bounds, seeded(3))
    assert points.is_leaf
    assert points.requires_grad
    low, high = np.array(bounds).T
    unit = (numbers(points).astype(float) - low) / (high - low)
    assert unit.min() >= -1e-6
    assert unit.max() <= 1 + 1e-6
    assert min(kstest(one, "uniform").pvalue for one in unit.T) > 1e-3  # this seed gives 0.16
    # The expected squared L2-star discrepancy of n uniform points is (2⁻ᵈ − 3⁻ᵈ) / n.
    found = qmc.discrepancy(unit.clip(0, 1), method="L2-star")
    assert found < 3 * math.sqrt((2**-3 - 3**-3) / 3000)


def test_points_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = pinn.collocation_points(5, [(0.0, 1.0)], seeded(7))
    torch.manual_seed(2)
    assert torch.equal(one, pinn.collocation_points(5, [(0.0, 1.0)], seeded(7)))
    assert not torch.equal(one, pinn.collocation_points(5, [(0.0, 1.0)], seeded(8)))


def test_centred_scales_every_variable_and_keeps_the_precision_of_its_network() -> None:
    model = pinn.Centred(nn.Identity(), [(2.0, 6.0), (-1.0, 0.0)])
    x, t = column(2.0, 4.0, 6.0), column(0.0, -0.5, -1.0)
    expected = torch.tensor([[-1.0, 1], [0, 0], [1, -1]], dtype=torch.float64)
    torch.testing.assert_close(model(x, t), expected)
    double = pinn.Centred(network(1, 0), [(0.0, 1.0)])
    assert double(torch.rand(3, 1)).dtype == torch.float64
    single = pinn.Centred(nn.Linear(1, 1), [(0.0, 1.0)])
    assert single(torch.rand(3, 1).double()).dtype == torch.float32
    assert len(list(double.parameters())) == 4


@pytest.mark.parametrize("seed", range(5))
def test_a_constrained_motion_starts_right_and_can_be_any_motion(seed: int) -> None:
    inner = network(1, seed)
    model, t = pinn.HardConstraint(inner), column(0.0)
    x = model(t)
    assert x.item() == 1
    assert pinn.derivative(x, t).item() == 0
    acceleration = pinn.derivative(x, t, 2).item()
    assert acceleration == pytest.approx(2 * inner(t).item())


# ---------------------------------------------------------------------------------- grid


def test_the_grid_follows_the_method_of_lines() -> None:
    n, dx = 21, 0.05
    u0 = np.random.default_rng(0).normal(size=n)

    def flow(_: float, u: np.ndarray) -> np.ndarray:
        rate = np.zeros(n)
        rate[1:-1] = np.diff(u, 2) / dx**2
        return rate

    times = np.linspace(0, 0.01, 6)
    solved = solve_ivp(flow, (0, 0.01), u0, t_eval=times, rtol=1e-9, atol=1e-11).y.T
    errors = []
    for n_steps in (50, 100):
        u = pinn.ftcs(torch.tensor(u0), 1.0, dx, 0.01 / n_steps, n_steps)
        assert u.shape == (n_steps + 1, n)
        errors.append(np.abs(numbers(u)[:: n_steps // 5] - solved).max())
    assert errors[1] < 0.02
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.2)  # first order in time


def test_the_grid_converges_with_the_square_of_dx_and_at_1_6_with_the_fourth_power() -> None:
    for ratio, order in ((0.4, 2), (1 / 6, 4)):
        errors = []
        for cells in (8, 16):
            n_steps = round(0.5 * cells**2 / ratio)
            u0 = torch.sin(math.pi * torch.linspace(0, 1, cells + 1).double())
            u = pinn.ftcs(u0, 1.0, 1 / cells, 0.5 / n_steps, n_steps)[-1]
            errors.append((u - u0 * math.exp(-0.5 * math.pi**2)).abs().max().item())
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


def test_beyond_one_half_ripples_grow_and_are_refused() -> None:
    u0 = torch.zeros(11, dtype=torch.float64)
    u0[1:-1] = torch.tensor([1.0, -1.0] * 4 + [1.0])
    kept = pinn.ftcs(u0, 1.0, 0.5, 0.125, 50)  # exactly 1/2
    assert kept[-1].abs().max().item() < 1
    with pytest.raises(ValueError, match="unstable"):
        pinn.ftcs(u0, 1.0, 0.5, 0.126, 50)
    assert torch.equal(kept[:, 0], torch.zeros(51, dtype=torch.float64))
    assert torch.equal(kept[0], u0)


# ------------------------------------------------------------------------------ training


@pytest.mark.parametrize("seed", range(4))
def test_the_decay_reaches_the_target(seed: int) -> None:
    model, t = pinn.train_decay(epochs=3000, generator=seeded(seed)), line(0, 5, 1001)
    solved = solve_ivp(
        lambda t, u: -u, (0, 5), [1.0], t_eval=t[:, 0].numpy(), rtol=1e-12, atol=1e-13
    )
    assert np.abs(numbers(model(t))[:, 0] - solved.y[0]).max() < 1e-9
    assert not model.training


@pytest.mark.parametrize("seed", range(4))
def test_the_oscillator_reaches_the_target(seed: int) -> None:
    model = pinn.train_oscillator(epochs=3000, generator=seeded(seed))
    t = line(0, 4 * math.pi / OMEGA, 1001)
    solved = solve_ivp(
        lambda t, u: [u[1], -(OMEGA**2) * u[0]],
        (0, float(t[-1])),
        [1.0, 0.0],
        t_eval=t[:, 0].numpy(),
        rtol=1e-12,
        atol=1e-12,
    )
    assert np.abs(numbers(model(t))[:, 0] - solved.y[0]).max() < 1e-8
    assert not model.training


@pytest.mark.parametrize("seed", range(3))
def test_the_rod_reaches_the_target(seed: int) -> None:
    model = pinn.train_heat(epochs=1000, generator=seeded(seed))
    grid = torch.linspace(0, 1, 51, dtype=torch.float64)
    x, t = (part.reshape(-1, 1) for part in torch.meshgrid(grid, grid, indexing="ij"))
    exact = torch.sin(math.pi * x) * torch.exp(-ALPHA * math.pi**2 * t)
    assert (model(x, t) - exact).abs().max().item() < 5e-5
    assert not model.training


def test_training_depends_on_the_generator_alone() -> None:
    t, x = torch.tensor([[0.5], [1.5]]), torch.tensor([[0.3], [0.7]])
    for train, at in (
        (pinn.train_decay, (t,)),
        (pinn.train_oscillator, (t,)),
        (pinn.train_heat, (x, t)),
    ):
        found = []
        for state, seed in ((1, 5), (2, 5), (2, 6)):
            torch.manual_seed(state)
            model = train(epochs=1, generator=seeded(seed))
            found.append(numbers(model(*at)).ravel().tolist())
        assert found[0] == found[1]
        assert found[0] != found[2]


# ------------------------------------------------------- what the usual recipe gets wrong


def best_last_layer(bounds: tuple[float, float], n: int, seed: int) -> float:
    """The oscillator's error with the first weights as they come and the last ones exact."""
    torch.manual_seed(seed)
    hidden = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh()).double()
    centred = pinn.Centred(hidden, [bounds])
    end = 4 * math.pi / OMEGA

    def columns(t: torch.Tensor) -> torch.Tensor:
        """t² times each hidden unit, and t² for the bias."""
        return t**2 * torch.cat([centred(t), torch.ones_like(t)], dim=1)

    t = line(0, end, n, grad=True)
    basis = columns(t)
    second = torch.cat([pinn.derivative(unit[:, None], t, 2) for unit in basis.T], dim=1)
    residuals = numbers(second + OMEGA**2 * basis)
    weights, *_ = np.linalg.lstsq(residuals, np.full(n, -(OMEGA**2)), rcond=None)
    s = line(0, end, 401)
    return float(np.abs(1 + numbers(columns(s)) @ weights - np.cos(OMEGA * numbers(s)[:, 0])).max())


def test_the_oscillator_fails_for_want_of_centring_and_not_of_points() -> None:
    """Same units, same first weights, exact last layer: only the input's place differs."""
    end = 4 * math.pi / OMEGA
    errors = np.array(
        [
            [best_last_layer(bounds, n, seed) for seed in range(3)]
            for bounds, n in (((-1.0, 1.0), 100), ((-1.0, 1.0), 400), ((0.0, end), 100))
        ]
    )
    plain, more_points, centred = np.median(errors, axis=1)
    assert centred < plain / 30
    assert more_points > plain / 5


def test_without_its_condition_an_equation_is_content_with_nothing() -> None:
    t, nothing = line(0, 5, 20, grad=True), network(1, 0)
    with torch.no_grad():
        for weights in nothing[-1].parameters():
            weights.zero_()
    for residual in (pinn.decay_residual(nothing, t), pinn.oscillator_residual(nothing, t, OMEGA)):
        assert pinn.total_loss(residual, [], []).item() == 0
    assert pinn.decay_condition_loss(nothing.float()).item() == 1


# ---------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    x = column(3.0)
    assert pinn.derivative(x**3, x).item() == 27
    assert pinn.derivative(x**3, x, 2).item() == 18
    assert pinn.decay_residual(lambda t: t**2, column(2.0), 3.0).item() == 16
    assert pinn.oscillator_residual(lambda t: t**3, column(2.0), 3.0).item() == 84
    found = pinn.heat_residual(lambda x, t: x**3 * t, column(2.0), column(3.0), 0.5)
    assert found.item() == -10
    assert pinn.decay_condition_loss(lambda t: 3 + t).item() == 4
    assert pinn.oscillator_condition_loss(lambda t: 3 + 5 * t).item() == 29
    flat = pinn.heat_condition_loss(lambda x, t: 2 + 0 * x, column(0.5), column(0.1, 0.7))
    assert flat.item() == pytest.approx(9)
    conditions = [torch.tensor(2.0), torch.tensor(4.0)]
    assert pinn.total_loss(torch.tensor([[1.0], [3.0]]), conditions, [10, 0.5]).item() == 27
    points = pinn.collocation_points(100, [(0, 1), (-2, 2)], seeded(0))
    assert points.shape == (100, 2)
    assert points[:, 1].abs().max() <= 2
    found = pinn.Centred(nn.Identity(), [(2.0, 6.0)])(column(2.0, 5.0))
    assert found.flatten().tolist() == [-1.0, 0.5]
    three = nn.Linear(1, 1)
    nn.init.zeros_(three.weight)
    nn.init.constant_(three.bias, 3)
    assert pinn.HardConstraint(three)(torch.tensor([[2.0]])).item() == 13
    step = pinn.ftcs(torch.tensor([0.0, 0, 1, 0, 0]), 1.0, 2.0, 1.0, 1)[1]
    assert step.tolist() == [0, 0.25, 0.5, 0.25, 0]


def test_the_docstrings_name_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    for train, epochs, words in (
        (
            pinn.train_decay,
            "EPOCHS_DECAY",
            [f"below {limits['DECAY_LIMIT']}", f"below {limits['DECAY_RESIDUAL_LIMIT']}."],
        ),
        (
            pinn.train_oscillator,
            "EPOCHS_OSCILLATOR",
            [
                f"below {limits['OSCILLATOR_LIMIT']}",
                f"below {limits['START_LIMIT']} and {limits['SPEED_LIMIT']}.",
            ],
        ),
        (
            pinn.train_heat,
            "EPOCHS_HEAT",
            [f"below {limits['HEAT_LIMIT']}", f"below {limits['EDGE_LIMIT']}."],
        ),
    ):
        text = " ".join((inspect.getdoc(train) or "").split())
        seconds = load_assignment("pinn").exercise(train.__name__).seconds
        wanted = [f"epochs = {limits[epochs]} ", *words, f"may take {seconds:.0f} s."]
        assert [said for said in wanted if said not in text] == []


def test_the_last_layer_solves_a_damped_oscillator_as_a_solver_of_equations_does() -> None:
    centres = torch.linspace(-1, 7, 60, dtype=torch.float64)
    t = torch.linspace(0, 6, 200, dtype=torch.float64).reshape(-1, 1)

    def features(t: torch.Tensor) -> torch.Tensor:
        return torch.tanh(1.5 * (t - centres))

    conditions = [(0.0, 0, 1.0), (0.0, 1, -0.5)]
    w = pinn.last_layer(features, t, (4.0, 0.3, 1.0), conditions, 100.0)
    solved = solve_ivp(
        lambda _, y: [y[1], -4 * y[0] - 0.3 * y[1]],
        (0, 6),
        [1, -0.5],
        t_eval=t[:, 0].numpy(),
        rtol=1e-11,
        atol=1e-12,
    )
    assert np.abs((features(t) @ w)[:, 0].numpy() - solved.y[0]).max() < 1e-6


def test_the_last_layer_takes_the_best_combination_and_leaves_its_points() -> None:
    t = torch.rand(30, 1, dtype=torch.float64)

    def powers(t: torch.Tensor) -> torch.Tensor:
        return torch.cat([t**k for k in range(4)], dim=1)

    w = pinn.last_layer(powers, t, (1.0, 1.0), [(0.0, 0, 1.0)], 9.0)
    T = t[:, 0].numpy()
    rows = np.stack([T**k + k * T ** max(k - 1, 0) for k in range(4)], axis=1)
    rows = np.concatenate([rows, [[3.0, 0, 0, 0]]])
    best = np.linalg.lstsq(rows, np.array([0.0] * 30 + [3.0]), rcond=None)[0]
    assert np.allclose(w[:, 0].numpy(), best)
    assert not t.requires_grad
    assert not w.requires_grad
