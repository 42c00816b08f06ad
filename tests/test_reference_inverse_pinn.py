"""The reference of inverse_pinn against oracles that know nothing of it."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from draws import seeded
from scipy.integrate import dblquad, solve_ivp
from scipy.optimize import curve_fit, least_squares
from scipy.stats import kstest

from autograder.course import load_assignment
from reference_impl import inverse_pinn as pinn

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def fitted(data: Data) -> tuple[float, float]:
    """α and its standard error by scipy's curve_fit, for noise 0.02."""
    x, t, u = (values.ravel() for values in data)

    def curve(_: np.ndarray, alpha: float) -> np.ndarray:
        return np.sin(np.pi * x) * np.exp(-alpha * np.pi**2 * t)

    best, covariance = curve_fit(
        curve, x, u, p0=[0.3], sigma=np.full(len(x), 0.02), absolute_sigma=True, xtol=1e-12
    )
    return float(best[0]), float(covariance[0, 0] ** 0.5)


# --------------------------------------------------------------------- temperatures, data


@pytest.mark.parametrize(("alpha", "length"), [(0.1, 1.0), (0.03, 1.0), (0.7, 2.5)])
def test_the_solution_is_that_of_the_method_of_lines(alpha: float, length: float) -> None:
    x = np.linspace(0, length, 201)
    step = x[1] - x[0]

    def slope(_: float, u: np.ndarray) -> np.ndarray:
        curvature = np.zeros_like(u)
        curvature[1:-1] = (u[2:] - 2 * u[1:-1] + u[:-2]) / step**2
        return alpha * curvature

    times = np.array([0.1, 0.4, 1.0])
    start = np.sin(np.pi * x / length)
    start[-1] = 0
    lines = solve_ivp(slope, (0, 1), start, "LSODA", times, rtol=1e-8, atol=1e-10, lband=1, uband=1)
    exact = pinn.exact_heat(x[:, None], times, alpha, length)
    np.testing.assert_allclose(exact, lines.y, atol=1e-4)


def test_the_solution_solves_the_equation() -> None:
    def u(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        # NumPy's functions work on tensors that need no gradient; differences need none.
        return torch.as_tensor(pinn.exact_heat(x.numpy(), t.numpy(), 0.2, 1.5))

    x, t = torch.rand(2, 50, dtype=torch.float64, generator=seeded(1))
    h = 1e-4
    u_t = (u(x, t + h) - u(x, t - h)) / (2 * h)
    u_xx = (u(x + h, t) - 2 * u(x, t) + u(x - h, t)) / h**2
    torch.testing.assert_close(u_t, 0.2 * u_xx, rtol=1e-5, atol=1e-6)


def test_the_data_are_where_they_should_be_and_noisy(rng: np.random.Generator) -> None:
    x, t, u = pinn.observe(4000, 0.2, 0.3, rng)
    assert x.shape == t.shape == u.shape == (4000, 1)
    noise = (u - np.sin(np.pi * x) * np.exp(-0.2 * np.pi**2 * t)) / 0.3
    # This seed gives p-values above 0.05; the three are independent of each other.
    assert kstest(noise.ravel(), "norm").pvalue > 1e-3
    assert kstest((x.ravel() - 0.1) / 0.8, "uniform").pvalue > 1e-3
    assert kstest((t.ravel() - 0.05) / 0.75, "uniform").pvalue > 1e-3


# --------------------------------------------------------------------------- model, loss


def test_alpha_is_positive_whatever_an_optimiser_does() -> None:
    model = pinn.InversePINN(hidden=8)
    assert model.alpha.item() == 1
    assert "log_alpha" in dict(model.named_parameters())
    (slope,) = torch.autograd.grad(model.alpha, model.log_alpha)
    assert slope.item() == 1
    for value in (-40.0, 0.7, 5.0):
        model.load_state_dict({**model.state_dict(), "log_alpha": torch.tensor(value)})
        assert model.alpha.item() == pytest.approx(math.exp(value), rel=1e-6)
        assert model.alpha.item() > 0


def parts(model: pinn.InversePINN, x: torch.Tensor, t: torch.Tensor) -> list[float]:
    """u_t and u_xx at one point, by central differences."""
    h = 1e-4
    with torch.no_grad():
        u_t = (model(x, t + h) - model(x, t - h)) / (2 * h)
        u_xx = (model(x + h, t) - 2 * model(x, t) + model(x - h, t)) / h**2
    return [u_t.item(), u_xx.item()]


def test_the_loss_is_made_of_the_terms_that_it_says(rng: np.random.Generator) -> None:
    torch.manual_seed(2)
    model = pinn.InversePINN(hidden=16).double()
    model.load_state_dict({**model.state_dict(), "log_alpha": torch.tensor(-0.4)})
    x, t = torch.rand(2, 6, 1, dtype=torch.float64)
    seen = tuple(torch.tensor(values) for values in pinn.observe(9, 0.1, 0.1, rng))
    alpha = math.exp(-0.4)
    derivatives = [parts(model, *point) for point in zip(x[:, None], t[:, None], strict=True)]
    residual = np.mean([(u_t - alpha * u_xx) ** 2 for u_t, u_xx in derivatives])
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    mse = torch.nn.functional.mse_loss
    with torch.no_grad():
        data = mse(model(seen[0], seen[1]), seen[2])
        boundary = mse(model(zero, t), zero) + mse(model(one, t), zero)
        initial = mse(model(x, zero), torch.sin(np.pi * x))
    points = (x.clone().requires_grad_(), t.clone().requires_grad_())
    terms = np.array([residual, data, boundary, initial])
    for weights in (*np.eye(4).tolist(), [0.3, 2.0, 5.0, 0.7]):
        loss = pinn.inverse_loss(model, points, seen, tuple(weights))
        assert loss.item() == pytest.approx(float(terms @ weights), rel=1e-5)


def test_the_gradient_with_respect_to_log_alpha_is_a_finite_difference() -> None:
    torch.manual_seed(3)
    model = pinn.InversePINN(hidden=16).double()
    x, t = (values.requires_grad_() for values in torch.rand(2, 20, 1, dtype=torch.float64))
    seen = (x.detach(), t.detach(), torch.ones_like(x).detach())

    def loss(log_alpha: float) -> torch.Tensor:
        with torch.no_grad():
            model.log_alpha.fill_(log_alpha)
        return pinn.inverse_loss(model, (x, t), seen, (1.0, 2.0, 3.0, 4.0))

    difference = (loss(-0.7 + 1e-5) - loss(-0.7 - 1e-5)).item() / 2e-5
    (slope,) = torch.autograd.grad(loss(-0.7), model.log_alpha)
    assert slope.item() == pytest.approx(difference, rel=1e-5)


# ------------------------------------------------------------------------------- recovery


@pytest.mark.parametrize("seed", range(3))
def test_alpha_is_within_a_tenth_of_a_per_cent_of_least_squares(seed: int) -> None:
    data = pinn.observe(100, 0.1, 0.02, np.random.default_rng(seed))
    alpha, history = pinn.recover_alpha(data, epochs=3000, generator=seeded(seed))
    assert alpha == pytest.approx(fitted(data)[0], rel=1e-3)
    assert history[-1] == alpha
    assert len(history) <= 400


@pytest.mark.slow
def test_experiments_scatter_as_the_bound_says() -> None:
    errors = []
    for seed in range(8):
        data = pinn.observe(100, 0.1, 0.02, np.random.default_rng(seed))
        alpha, _ = pinn.recover_alpha(data, epochs=3000, generator=seeded(seed))
        assert alpha == pytest.approx(fitted(data)[0], rel=1e-3)
        errors.append((alpha - 0.1) / pinn.alpha_uncertainty(data, 0.02, 0.1))
    # Eight squares of normal numbers: their root mean square is 1 ± 0.25.
    assert 0.5 < np.sqrt(np.mean(np.square(errors))) < 1.5


def test_recovery_takes_arrays_and_tensors_and_leaves_them_alone() -> None:
    data = pinn.observe(30, 0.2, 0.01, np.random.default_rng(1))
    before = [values.copy() for values in data]
    found = [
        pinn.recover_alpha(tuple(convert(values) for values in data), epochs=5, generator=seeded(1))
        for convert in (np.asarray, torch.from_numpy)
    ]
    assert found[0] == found[1]
    assert 5 <= len(found[0][1]) < 20  # a line search looks at α more than once
    for now, then in zip(data, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_recovery_depends_on_the_generator_alone() -> None:
    data = pinn.observe(30, 0.2, 0.01, np.random.default_rng(1))
    found = []
    for state, seed in ((1, 5), (2, 5), (2, 6)):
        torch.manual_seed(state)
        found.append(pinn.recover_alpha(data, epochs=4, generator=seeded(seed))[1])
    assert found[0] == found[1]
    assert found[0] != found[2]


# ------------------------------------------------- what goes wrong with the usual recipe


def trained(
    data: Data, weights: tuple[float, ...], optimise: Callable[..., None]
) -> tuple[float, float, float]:
    """α, and the root mean squares of residual and misfit, of a model with soft conditions."""
    torch.manual_seed(0)
    model = pinn.InversePINN(hidden=32)
    x, t = (torch.rand(150, 1).requires_grad_() for _ in range(2))
    seen = tuple(torch.tensor(values, dtype=torch.float32) for values in data)

    def loss(weights: tuple[float, ...] = weights) -> torch.Tensor:
        return pinn.inverse_loss(model, (x, t), seen, weights)

    optimise(model, loss)
    residual, misfit = (loss(alone).item() ** 0.5 for alone in ((1, 0, 0, 0), (0, 1, 0, 0)))
    return model.alpha.item(), residual, misfit


def test_adam_is_on_its_way_as_long_as_its_steps_are_short() -> None:
    """5000 steps at 0.001 end 12 % off, and not because of the noise: log α has not arrived."""
    data = pinn.observe(100, 0.1, 0.02, np.random.default_rng(0))
    way: list[float] = []

    def adam(model: pinn.InversePINN, loss: Callable[[], torch.Tensor]) -> None:
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(400):
            optimiser.zero_grad()
            loss().backward()
            optimiser.step()
            way.append(model.log_alpha.item())

    alpha, _, _ = trained(data, (1.0, 100.0, 10.0, 10.0), adam)
    steps = np.abs(np.diff([0.0, *way]))
    assert steps.max() < 3.5e-3  # Adam's own limit is the learning rate times 0.1 / √0.001
    # From log 1 to log 0.1 is 2.3, so no data, however exact, bring it there in 400 such steps.
    assert alpha > 0.25


def test_too_much_weight_for_the_data_bends_the_equation_to_the_noise() -> None:
    data = pinn.observe(100, 0.1, 0.02, np.random.default_rng(0))
    fit, error = fitted(data)

    def lbfgs(model: pinn.InversePINN, loss: Callable[[], torch.Tensor]) -> None:
        optimiser = torch.optim.LBFGS(
            model.parameters(),
            max_iter=250,
            history_size=50,
            tolerance_change=1e-12,
            line_search_fn="strong_wolfe",
        )

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            value = loss()
            value.backward()
            return value

        optimiser.step(closure)

    alpha, residual, misfit = trained(data, (1.0, 10.0, 10.0, 10.0), lbfgs)
    bent, torn, followed = trained(data, (1.0, 1e5, 10.0, 10.0), lbfgs)
    assert abs(alpha - fit) < error
    assert abs(bent - fit) > 5 * error
    assert torn > 10 * residual
    assert followed < misfit  # which looks like progress


# ------------------------------------------------------------------------------ error bar


def test_the_bound_is_curve_fit_s_error(rng: np.random.Generator) -> None:
    for alpha in (0.05, 0.1, 0.4):
        data = pinn.observe(400, alpha, 0.02, rng)
        found, error = fitted(data)
        assert pinn.alpha_uncertainty(data, 0.02, found) == pytest.approx(error, rel=1e-4)


def test_the_expected_bound_is_one_per_cent() -> None:
    """0.95 % of α = 0.1 for a hundred measurements with noise 0.02, anywhere in the region."""

    def information(t: float, x: float) -> float:
        return (math.pi**2 * t * math.sin(math.pi * x) * math.exp(-0.1 * math.pi**2 * t)) ** 2

    mean = dblquad(information, 0.1, 0.9, 0.05, 0.8)[0] / (0.8 * 0.75)
    bound = 0.02 / math.sqrt(100 * mean)
    assert bound / 0.1 == pytest.approx(0.0095, abs=5e-5)
    data = pinn.observe(200_000, 0.1, 0.02, np.random.default_rng(3))
    many = pinn.alpha_uncertainty(data, 0.02, 0.1) * math.sqrt(2000)
    assert many == pytest.approx(bound, rel=0.01)


def test_the_bound_is_the_scatter_of_least_squares(rng: np.random.Generator) -> None:
    x, t, _ = pinn.observe(50, 0.1, 0.02, rng)
    exact, found = pinn.exact_heat(x, t, 0.1), []
    for _ in range(300):
        u = exact + 0.02 * rng.normal(size=x.shape)
        residual = least_squares(lambda p, u=u: (pinn.exact_heat(x, t, p[0]) - u).ravel(), [0.2])
        found.append(residual.x[0])
    # The scatter of 300 estimates is known to 4 %.
    assert np.std(found) == pytest.approx(pinn.alpha_uncertainty((x, t, x), 0.02, 0.1), rel=0.15)


# --------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    assert pinn.exact_heat(0.5, 1.0, 0.1) == pytest.approx(0.3727, abs=5e-5)
    assert pinn.observe(100, 0.1, 0.02, np.random.default_rng(0))[2].shape == (100, 1)
    assert pinn.InversePINN(hidden=64).alpha.item() == 1.0
    model = pinn.InversePINN()
    torch.nn.init.zeros_(model.network[-1].weight)
    torch.nn.init.zeros_(model.network[-1].bias)
    point = (torch.full((1, 1), 0.5, requires_grad=True), torch.rand(1, 1, requires_grad=True))
    seen = (torch.rand(3, 1), torch.rand(3, 1), torch.ones(3, 1))
    assert pinn.inverse_loss(model, point, seen, (1, 2, 3, 4)).item() == pytest.approx(6)
    one = (np.array([[0.5]]), np.array([[1.0]]), np.array([[0.4]]))
    assert pinn.alpha_uncertainty(one, 0.02, 0.1) == pytest.approx(0.00544, abs=5e-6)


def test_the_docstring_names_what_the_hidden_checks_ask_for() -> None:
    tree = ast.parse(load_assignment("inverse_pinn").hidden_checks.read_text(encoding="utf-8"))
    known = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Constant, ast.Tuple))
    }
    (*one, noise), (*other, more) = known["PRECISE"], known["NOISY"]
    text = " ".join((inspect.getdoc(pinn.recover_alpha) or "").split())
    for said in (
        f"200 observations with noise {noise} or {more}",
        f"α between {min(one + other)} and {max(one + other)}",
        f"epochs = {known['EPOCHS']}.",
        f"within {100 * known['TRUTH_LIMIT']:.0f} % of the truth",
        f"within {100 * known['FIT_LIMIT']:.0f} % of what least squares",
        f"within {100 * known['HISTORY_LIMIT']:.0f} % of the α returned",
    ):
        assert said in text
