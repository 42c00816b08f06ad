"""How fast does heat spread? A material constant from noisy temperatures, with its error bar.

A rod whose ends are kept at u = 0 obeys u_t = α u_xx. Lengths are in units of the rod's length
unless a length is given; α is in length² per unit of time and positive.
"""

from typing import Any

import numpy as np
import torch
from torch import nn


def exact_heat(
    x: float | np.ndarray, t: float | np.ndarray, alpha: float, length: float = 1.0
) -> float | np.ndarray:
    """Temperature of a rod that starts as half a sine wave and is kept at 0 at both ends.

    u solves u_t = α u_xx, is sin(πx/L) at t = 0, and keeps that shape: only its height falls.

    x: place, from 0 to length. t: time since the start, not negative. Numbers, or arrays that
    broadcast against each other.
    alpha: diffusivity, in length² per time. length: L, the length of the rod.

    Returns u: a number for two numbers, otherwise an array of the broadcast shape.

    Example: exact_heat(0.5, 1.0, 0.1) is 0.3727.
    """
    wavenumber = np.pi / length
    return np.sin(wavenumber * x) * np.exp(-alpha * wavenumber**2 * t)


def observe(
    n: int, alpha: float, noise_std: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An experiment: n temperatures of a rod of length 1, at random places and times.

    The places are uniform in [0.1, 0.9], the times uniform in [0.05, 0.8], independent of each
    other. Each temperature is exact_heat plus its own normal noise of mean 0 and standard
    deviation noise_std.

    rng: the only source of random numbers, so that a seed gives the same data again.

    Returns (x, t, u), three columns (n, 1). Flat arrays (n,) count as well, if all three are.

    Example: observe(100, 0.1, 0.02, np.random.default_rng(0)) gives three arrays (100, 1).
    """
    x = rng.uniform(0.1, 0.9, size=(n, 1))
    t = rng.uniform(0.05, 0.8, size=(n, 1))
    noise = rng.normal(0.0, noise_std, size=(n, 1))
    return x, t, exact_heat(x, t, alpha) + noise


class InversePINN(nn.Module):
    """A network for u(x, t) and, beside it, the diffusivity that is to be found.

    hidden: width of the hidden layers.

    model(x, t): columns (N, 1) and (N, 1) → u, a column (N, 1). The activation has to be smooth,
    because the equation needs u_xx; that of a ReLU network is zero almost everywhere.

    model.log_alpha: an nn.Parameter holding one number, 0 at the start.
    model.alpha: a property, exp(log_alpha) as a tensor with one number: positive whatever an
    optimiser does to log_alpha, 1 at the start, and differentiable with respect to log_alpha.

    Example: InversePINN(hidden=64).alpha.item() is 1.0.
    """

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.tensor(0.0))
        self.network = nn.Sequential(
            nn.Linear(2, hidden),
            nn.Tanh(),
            nn.Linear(hidden, hidden),
            nn.Tanh(),
            nn.Linear(hidden, 1),
        )

    @property
    def alpha(self) -> torch.Tensor:
        return torch.exp(self.log_alpha)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.network(torch.cat([x, t], dim=1))


def inverse_loss(
    model: Any,
    collocation: tuple[torch.Tensor, torch.Tensor],
    observations: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    weights: tuple[float, float, float, float],
) -> torch.Tensor:
    """How far a model is from the equation, the data and the conditions.

    model: any differentiable u(x, t) of two columns of one length, called as model(x, t), with an
    attribute alpha.
    collocation: (x, t), columns (N, 1) that require gradients: where the equation should hold.
    observations: (x, t, u), columns (M, 1); M need not be N.
    weights: (residual, data, boundary, initial), the four factors of

    residual: mean of (u_t − α u_xx)² at the collocation points,
    data: mean of (model − u)² at the observations,
    boundary: mean of u(0, t)² plus mean of u(1, t)² at the collocation times,
    initial: mean of (u(x, 0) − sin πx)² at the collocation positions.

    Returns the weighted sum, a tensor with one number. Every term is differentiable with
    respect to the model's parameters, the residual also with respect to alpha. Derivatives come
    from autograd, exact to rounding: small steps are noise in float32. Model and points keep
    their .grad.

    Example: for a model that is 0 everywhere, a collocation point at x = 0.5, observations
    u = 1 and weights (1, 2, 3, 4), the loss is 2 · 1 + 4 · 1 = 6.
    """
    x, t = collocation
    u = model(x, t)
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    residual = torch.mean((u_t - model.alpha * u_xx) ** 2)

    x_seen, t_seen, u_seen = observations
    data = torch.mean((model(x_seen, t_seen) - u_seen) ** 2)

    left, right, start = torch.zeros_like(t), torch.ones_like(t), torch.zeros_like(x)
    boundary = torch.mean(model(left, t) ** 2) + torch.mean(model(right, t) ** 2)
    initial = torch.mean((model(x, start) - torch.sin(torch.pi * x)) ** 2)

    w_residual, w_data, w_boundary, w_initial = weights
    return w_residual * residual + w_data * data + w_boundary * boundary + w_initial * initial


def recover_alpha(
    observations: tuple[Any, Any, Any], *, epochs: int, generator: torch.Generator
) -> tuple[float, list[float]]:
    """Finds the diffusivity that noisy temperatures came from: a network learns them and the
    equation, and α with it. (The checks see to it that torch is asked for derivatives on the way. A
    fit of exact_heat is what they compare it with, and no answer: it would be of no use where no
    solution is known.)

    observations: (x, t, u), columns (N, 1), arrays or tensors, as observe makes them.
    epochs: the largest number of the optimiser's iterations; stopping sooner is allowed.
    generator: decides the first weights, and the collocation points if they are random. The
    same seed gives the same result again, whatever the global random state
    (torch.manual_seed(generator.initial_seed()) may help).

    Returns (alpha, history): the diffusivity, and a list with its value after each iteration, or
    at each evaluation of the loss. At the end of the list it should have settled.

    Three things decide how good it gets. The optimiser: one step of Adam changes log α by about
    the learning rate, so that it takes thousands of them at 1e-3 to come from 1 to 0.1 and to
    settle; L-BFGS needs a hundred or two, in torch with line_search_fn="strong_wolfe" (and a
    max_eval that leaves the line search room, if max_iter is small). The data's weight: too much
    of it, and the network bends the equation to follow the noise. And the conditions: a model
    that meets the initial and the boundary values by its form has two terms less to balance.

    The hidden checks hand over 200 observations with noise 0.01 or 0.02, α between 0.08 and 0.2,
    and epochs = 3000. With the smaller noise α has to be within 5 % of the truth, with the larger
    one within 5 % of what least squares with exact_heat gives on the same data, and the end of the
    history within 5 % of the α returned. Some checks ask for a handful of epochs. All checks
    together may take 120 s.
    """

    class Constrained(InversePINN):
        """sin πx at t = 0 and zero at both ends, whatever the network says."""

        def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            change = super().forward(2 * x - 1, 2 * t - 1)  # tanh bends around zero
            return torch.sin(torch.pi * x) + t * x * (1 - x) * change

    x_seen, t_seen, u_seen = (
        torch.as_tensor(values).detach().double().reshape(-1, 1) for values in observations
    )
    torch.manual_seed(generator.initial_seed())
    model = Constrained(hidden=32).double()
    middles = (torch.arange(10, dtype=torch.float64) + 0.5) / 10
    points = torch.cartesian_prod(middles, middles)  # an even grid over the square
    x, t = points[:, :1].requires_grad_(), points[:, 1:].requires_grad_()
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=min(epochs, 100),
        max_eval=250,
        history_size=50,
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )
    history: list[float] = []

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        history.append(model.alpha.item())
        # Little weight for the data: the equation holds exactly, the data only to their noise.
        loss = inverse_loss(model, (x, t), (x_seen, t_seen, u_seen), (1.0, 0.3, 0.0, 0.0))
        loss.backward()
        return loss

    optimiser.step(closure)
    history.append(model.alpha.item())
    return history[-1], history


def alpha_uncertainty(
    observations: tuple[np.ndarray, np.ndarray, np.ndarray], noise_std: float, alpha: float
) -> float:
    """The smallest standard error that any unbiased estimate of α from these data can have.

    It is the Cramér–Rao bound. With independent normal noise, each measurement adds
    (∂u/∂α)² / noise_std² to the Fisher information, where u is exact_heat on a rod of length 1;
    the bound is one over the square root of the sum.

    observations: (x, t, u), arrays (N, 1), as from observe. Where and when was measured counts;
    the measured values u do not.
    noise_std: standard deviation of one measurement. alpha: where the derivative is taken.

    Returns one number in the unit of α.

    Example: for one measurement at x = 0.5, t = 1, with noise_std = 0.02 and alpha = 0.1, it is
    0.02 / (π² · 0.3727) = 0.00544.
    """
    x, t, _ = observations
    sensitivity = np.pi**2 * t * exact_heat(x, t, alpha)  # −∂u/∂α
    return float(noise_std / np.sqrt(np.sum(sensitivity**2)))
