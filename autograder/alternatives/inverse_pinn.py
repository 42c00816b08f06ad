"""Other right answers to inverse_pinn."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.inverse_pinn import InversePINN, exact_heat, inverse_loss

# ----------------------------------------------------------------------------- exact_heat


@alternative("exact_heat")
def step_by_step():
    def exact_heat(x, t, alpha, length=1.0):
        rate = alpha * (np.pi / length) ** 2
        decay = np.exp(-rate * t)
        shape = np.sin(np.pi * x / length)
        return shape * decay


@alternative("exact_heat")
def one_point_at_a_time():
    import math

    def exact_heat(x, t, alpha, length=1.0):
        def single(x, t):
            return math.sin(math.pi * x / length) * math.exp(-alpha * math.pi**2 * t / length**2)

        if np.ndim(x) == 0 and np.ndim(t) == 0:
            return single(x, t)
        pairs = np.broadcast(x, t)
        return np.array([single(*pair) for pair in pairs]).reshape(pairs.shape)


@alternative("exact_heat")
def through_torch_in_single_precision():
    def exact_heat(x, t, alpha, length=1.0):
        x = torch.as_tensor(x, dtype=torch.float32)
        t = torch.as_tensor(t, dtype=torch.float32)
        u = torch.sin(torch.pi / length * x) * torch.exp(-alpha * (torch.pi / length) ** 2 * t)
        return u.numpy()


@alternative("exact_heat")
def imaginary_part():
    def exact_heat(x, t, alpha, length=1.0):
        k = np.pi / length
        return np.exp(1j * k * x - alpha * k * k * t).imag


@alternative("exact_heat")
def without_units():
    def exact_heat(x, t, alpha, length=1.0):
        place, age = np.divide(x, length), np.divide(np.multiply(alpha, t), length**2)
        return np.cos(np.pi * (place - 0.5)) / np.exp(np.pi**2 * age)


# -------------------------------------------------------------------------------- observe


@alternative("observe")
def flat_arrays():
    def observe(n, alpha, noise_std, rng):
        x = rng.uniform(0.1, 0.9, n)
        t = rng.uniform(0.05, 0.8, n)
        u = exact_heat(x, t, alpha) + noise_std * rng.standard_normal(n)
        return x, t, u


@alternative("observe")
def one_measurement_after_the_other():
    def observe(n, alpha, noise_std, rng):
        x, t, u = np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((n, 1))
        for row in range(n):
            x[row] = 0.1 + 0.8 * rng.random()
            t[row] = 0.05 + 0.75 * rng.random()
            u[row] = exact_heat(x[row], t[row], alpha) + rng.normal(0, noise_std)
        return x, t, u


@alternative("observe")
def noise_around_the_truth():
    def observe(n, alpha, noise_std, rng):
        low, high = np.array([0.1, 0.05]), np.array([0.9, 0.8])
        x, t = (low + (high - low) * rng.random((n, 2))).T.reshape(2, n, 1)
        return [x, t, rng.normal(loc=exact_heat(x, t, alpha), scale=noise_std)]


# -------------------------------------------------------------------------- inverse_model


@alternative("inverse_model")
def first_weights_next_to_nothing():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.body = nn.Sequential(
                nn.Linear(2, hidden),
                nn.Sigmoid(),
                nn.Linear(hidden, hidden),
                nn.Sigmoid(),
                nn.Linear(hidden, 1),
            )
            for layer in self.body[::2]:
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
            self.log_alpha = nn.Parameter(torch.zeros(()))

        @property
        def alpha(self):
            return self.log_alpha.exp()

        def forward(self, x, t):
            return self.body(torch.hstack([x, t]))


@alternative("inverse_model")
def last_layer_that_begins_at_zero():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.inner = nn.Sequential(
                nn.Linear(2, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
            )
            self.last = nn.Linear(hidden, 1)
            nn.init.zeros_(self.last.weight)
            self.log_alpha = nn.Parameter(torch.tensor(0.0))

        @property
        def alpha(self):
            return torch.exp(self.log_alpha)

        def forward(self, x, t):
            return self.last(self.inner(torch.cat([x, t], dim=1)))


@alternative("inverse_model")
def fast_sines():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.first = nn.Linear(2, hidden)
            self.second = nn.Linear(hidden, hidden)
            self.last = nn.Linear(hidden, 1)
            self.log_alpha = nn.Parameter(torch.zeros(()))

        @property
        def alpha(self):
            return self.log_alpha.exp()

        def forward(self, x, t):
            waves = torch.sin(30 * self.first(torch.cat([x, t], dim=1)))
            return self.last(torch.sin(30 * self.second(waves)))


@alternative("inverse_model")
def three_layers():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(),
                nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1),
            )  # fmt: skip
            self.log_alpha = nn.Parameter(torch.tensor(0.0))

        @property
        def alpha(self):
            return torch.exp(self.log_alpha)

        def forward(self, x, t):
            return self.net(torch.cat([x, t], dim=1))


@alternative("inverse_model")
def built_at_the_first_call():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.log_alpha = nn.Parameter(torch.zeros(1))
            self.net = nn.Sequential(nn.LazyLinear(hidden), nn.Tanh(), nn.LazyLinear(1))

        @property
        def alpha(self):
            return self.log_alpha.exp()

        def forward(self, x, t):
            return self.net(torch.cat([x, t], dim=1))


@alternative("inverse_model")
def an_entry_of_its_own():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.log_alpha = nn.Parameter(torch.zeros(1))
            self.first, self.second = nn.Linear(2, hidden), nn.Linear(hidden, hidden)
            self.last = nn.Linear(hidden, 1, bias=False)

        @property
        def alpha(self):
            return self.log_alpha.exp()

        def forward(self, x, t):
            h = nn.functional.silu(self.first(torch.hstack((x, t))))
            h = torch.sin(self.second(h))
            return self.last(h)


@alternative("inverse_model")
def sines_of_the_place():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.log_alpha = nn.Parameter(torch.tensor(0.0))
            self.wavenumbers = nn.Buffer(torch.pi * torch.arange(1.0, 9.0))
            self.net = nn.Sequential(nn.Linear(10, hidden), nn.Tanh(), nn.Linear(hidden, 1))

        @property
        def alpha(self):
            return torch.exp(self.log_alpha)

        def forward(self, x, t):
            return self.net(torch.cat([x, t, torch.sin(x * self.wavenumbers)], dim=1))


@alternative("inverse_model")
def conditions_by_form():
    class Network(nn.Module):
        def __init__(self, hidden):
            super().__init__()
            self.w = nn.Parameter(torch.randn(2, hidden))
            self.b = nn.Parameter(torch.randn(hidden))
            self.v = nn.Parameter(torch.randn(hidden, 1) / hidden**0.5)

        def forward(self, x, t):
            return torch.sigmoid(torch.cat([x, t], dim=-1) @ self.w + self.b) @ self.v

    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.u = Network(hidden)
            self.log_alpha = nn.Parameter(torch.zeros(()))

        def _alpha(self):
            return torch.e**self.log_alpha

        alpha = property(_alpha)

        def forward(self, x, t):
            return torch.sin(torch.pi * x) + t * x * (1 - x) * self.u(x, t)


# --------------------------------------------------------------------------- inverse_loss


@alternative("inverse_loss")
def one_derivative_after_the_other():
    def inverse_loss(model, collocation, observations, weights):
        def derivative(u, x):
            return torch.autograd.grad(u, x, grad_outputs=torch.ones_like(u), create_graph=True)[0]

        x, t = collocation
        u = model(x, t)
        u_t = derivative(u, t)
        u_xx = derivative(derivative(u, x), x)
        mse = nn.MSELoss()
        residual = u_t - model.alpha * u_xx
        loss = weights[0] * mse(residual, torch.zeros_like(residual))
        x_obs, t_obs, u_obs = observations
        loss = loss + weights[1] * mse(model(x_obs, t_obs), u_obs)
        zeros, ones = torch.zeros(len(t), 1), torch.ones(len(t), 1)
        edge = model(zeros, t).pow(2).mean() + model(ones, t).pow(2).mean()
        loss = loss + weights[2] * edge
        start = model(x, torch.zeros(len(x), 1)) - torch.sin(np.pi * x)
        return loss + weights[3] * start.pow(2).mean()


@alternative("inverse_loss")
def on_copies_of_the_points():
    def inverse_loss(model, collocation, observations, weights):
        x, t = (points.detach().clone().requires_grad_(True) for points in collocation)
        alpha = torch.exp(model.log_alpha)
        u = model(x, t)
        u_t = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        u_x = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
        u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
        terms = [
            ((alpha * u_xx - u_t) ** 2).sum() / len(x),
            ((observations[2] - model(*observations[:2])) ** 2).sum() / len(observations[2]),
            (model(0 * t, t) ** 2 + model(0 * t + 1, t) ** 2).mean(),
            ((torch.sin(torch.pi * x) - model(x, 0 * x)) ** 2).mean(),
        ]
        return torch.stack(terms) @ torch.tensor(weights, dtype=terms[0].dtype)


@alternative("inverse_loss")
def with_functional_derivatives():
    def inverse_loss(model, collocation, observations, weights):
        x, t = collocation
        one = torch.ones_like(x)

        def along_x(x):
            return torch.func.jvp(lambda x: model(x, t), (x,), (one,))[1]

        u_xx = torch.func.jvp(along_x, (x,), (one,))[1]
        u_t = torch.func.jvp(lambda t: model(x, t), (t,), (one,))[1]
        x_seen, t_seen, u_seen = observations
        errors = (
            (u_t - model.alpha * u_xx,),
            (model(x_seen, t_seen) - u_seen,),
            (model(torch.zeros_like(t), t), model(torch.ones_like(t), t)),
            (model(x, torch.zeros_like(x)) - torch.sin(torch.pi * x),),
        )
        total = 0.0
        for weight, parts in zip(weights, errors, strict=True):
            for part in parts:
                total = total + weight * torch.mean(torch.square(part))
        return total


# -------------------------------------------------------------------------- recover_alpha


@alternative("recover_alpha")
def soft_conditions():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        data = [torch.as_tensor(y, dtype=torch.float32) for y in observations]
        model = InversePINN(24)
        x, t = (torch.rand(100, 1, generator=generator).requires_grad_() for _ in range(2))
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 200), line_search_fn="strong_wolfe"
        )
        history = []

        def closure():
            optimiser.zero_grad()
            loss = inverse_loss(model, (x, t), data, (1, 10, 10, 10))
            loss.backward()
            history.append(model.alpha.item())
            return loss

        optimiser.step(closure)
        return model.alpha.item(), history


@alternative("recover_alpha")
def twenty_iterations_at_a_time():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        x_seen, t_seen, u_seen = (torch.tensor(np.array(y)).double() for y in observations)
        model = InversePINN(24).double()
        x = torch.rand(120, 1, generator=generator).double().requires_grad_()
        t = torch.rand(120, 1, generator=generator).double().requires_grad_()
        optimiser = torch.optim.LBFGS(
            model.parameters(), lr=1, max_iter=20, history_size=50, line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = inverse_loss(model, (x, t), (x_seen, t_seen, u_seen), (1.0, 1.0, 1.0, 1.0))
            loss.backward()
            return loss

        history = []
        for _ in range(0, min(epochs, 300), 20):
            optimiser.step(closure)
            history.append(model.alpha.detach())
        return model.alpha.detach(), history


@alternative("recover_alpha")
def adam_until_it_settles():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        data = tuple(torch.as_tensor(y, dtype=torch.float32) for y in observations)
        model = InversePINN(24)
        x, t = torch.rand(2, 80, 1, generator=generator)
        x.requires_grad_()
        t.requires_grad_()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        history = []
        for epoch in range(epochs):
            optimiser.zero_grad()
            inverse_loss(model, (x, t), data, (1.0, 10.0, 10.0, 10.0)).backward()
            optimiser.step()
            history.append(float(model.alpha))
            if epoch > 500 and np.ptp(history[-300:]) < 0.01 * history[-1]:
                break
        return float(np.mean(history[-50:])), history


@alternative("recover_alpha")
def the_network_first():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        data = [torch.as_tensor(y, dtype=torch.float64) for y in observations]
        model = InversePINN(24).double()
        x, t = (torch.rand(100, 1, generator=generator).double() for _ in range(2))
        points = x.requires_grad_(), t.requires_grad_()
        alone = torch.optim.Adam(model.parameters(), lr=5e-3)
        history = []
        for _ in range(min(epochs, 200)):  # of the data alone, which know no α
            alone.zero_grad()
            torch.mean((model(*data[:2]) - data[2]) ** 2).backward()
            alone.step()
            history.append(model.alpha.item())
        together = torch.optim.LBFGS(
            model.parameters(), max_iter=20, history_size=50, line_search_fn="strong_wolfe"
        )

        def closure():
            together.zero_grad()
            loss = inverse_loss(model, points, data, (1.0, 1.0, 1.0, 1.0))
            loss.backward()
            return loss

        for _ in range(200, min(epochs, 500), 20):
            together.step(closure)
            history.append(model.alpha.item())
        return history[-1], history


@alternative("recover_alpha")
def conditions_in_the_form_of_the_model():
    def recover_alpha(observations, *, epochs, generator):
        rows = [torch.as_tensor(y, dtype=torch.float64) for y in observations]
        torch.manual_seed(generator.initial_seed())
        network = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh())
        network = network.append(nn.Linear(20, 1)).double()
        alpha = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

        def u(x, t):
            return torch.sin(np.pi * x) * (1 + t * network(torch.cat([x, t], dim=1)))

        points = torch.rand(100, 2, dtype=torch.float64).requires_grad_()
        optimiser = torch.optim.LBFGS(
            [alpha, *network.parameters()],
            max_iter=min(epochs, 100),
            history_size=100,
            line_search_fn="strong_wolfe",
        )
        history = []

        def closure():
            x, t = points[:, :1], points[:, 1:]
            here = u(x, t)
            u_x, u_t = torch.autograd.grad(here.sum(), [x, t], create_graph=True)
            u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
            loss = torch.mean((u_t - alpha * u_xx) ** 2)
            loss = loss + torch.mean((u(rows[0], rows[1]) - rows[2]) ** 2)
            optimiser.zero_grad()
            loss.backward()
            history.append(alpha.item())
            return loss

        optimiser.step(closure)
        return alpha.item(), history


# ---------------------------------------------------------------------- alpha_uncertainty


@alternative("alpha_uncertainty")
def measurement_by_measurement():
    import math

    def alpha_uncertainty(observations, noise_std, alpha):
        information = 0.0
        for x, t, _ in zip(*observations, strict=True):
            slope = -(math.pi**2) * t[0] * math.sin(math.pi * x[0])
            slope *= math.exp(-alpha * math.pi**2 * t[0])
            information += (slope / noise_std) ** 2
        return 1 / math.sqrt(information)


@alternative("alpha_uncertainty")
def by_central_differences():
    def alpha_uncertainty(observations, noise_std, alpha):
        def u(alpha):
            return np.sin(np.pi * x) * np.exp(-alpha * np.pi**2 * t)

        x, t = observations[0], observations[1]
        h = 1e-5 * alpha  # too small for an exact_heat in float32
        slope = (u(alpha + h) - u(alpha - h)) / (2 * h)
        return noise_std / np.linalg.norm(slope)


@alternative("alpha_uncertainty")
def through_autograd():
    def alpha_uncertainty(observations, noise_std, alpha):
        x, t, _ = (torch.as_tensor(y).double().flatten() for y in observations)

        def temperatures(alpha):
            return torch.sin(torch.pi * x) * torch.exp(-alpha * torch.pi**2 * t)

        slope = torch.func.jacfwd(temperatures)(torch.tensor(alpha, dtype=torch.float64))
        return noise_std * torch.rsqrt(slope @ slope)
