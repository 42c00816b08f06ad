"""Other right answers to pinn."""

import math

import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.pinn import (
    Centred,
    HardConstraint,
    collocation_points,
    decay_condition_loss,
    decay_residual,
    derivative,
    heat_condition_loss,
    heat_residual,
    last_layer,
    oscillator_condition_loss,
    oscillator_residual,
    total_loss,
)

# --------------------------------------------------------------------------- derivative


@alternative("derivative")
def recursion_with_ones():
    def derivative(u, x, order=1):
        if order == 0:
            return u
        slope = None
        if u.requires_grad:
            slope = torch.autograd.grad(
                u, x, grad_outputs=torch.ones_like(u), create_graph=True, allow_unused=True
            )[0]
        if slope is None:
            return torch.zeros_like(x)
        return derivative(slope, x, order - 1)


@alternative("derivative")
def zero_added_in_front():
    def derivative(u, x, order=1):
        for _ in range(order):
            # 0 · x costs nothing and makes everything depend on x
            u = torch.autograd.grad((u + 0 * x).sum(), x, retain_graph=True, create_graph=True)[0]
        return u


@alternative("derivative")
def failure_caught():
    def derivative(u, x, order=1):
        result = u
        for _ in range(order):
            try:
                (result,) = torch.autograd.grad([result.sum()], [x], create_graph=True)
            except RuntimeError:  # there is no path from x to u
                return torch.zeros(x.shape, dtype=x.dtype)
        return result


# ------------------------------------------------------------- residuals of one variable


@alternative("decay_residual")
def gradient_written_out():
    def decay_residual(model, t, rate=1.0):
        u = model(t)
        u_t = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
        return torch.add(u_t, u, alpha=rate)


@alternative("decay_residual")
def forward_mode():
    def decay_residual(model, t, rate=1.0):
        u, slope = torch.func.jvp(model, (t,), (torch.ones_like(t),))
        return slope + u * rate


@alternative("decay_residual")
def point_by_point():
    def decay_residual(model, t, rate=1.0):
        rows = []
        for value in t:
            point = value.reshape(1, 1)
            u = model(point)
            rows.append(derivative(u, point) + rate * u)
        return torch.cat(rows)


@alternative("oscillator_residual")
def slope_of_the_slope():
    def oscillator_residual(model, t, omega):
        x = model(t)
        v = derivative(x, t)
        a = derivative(v, t)
        return a + omega * omega * x


@alternative("oscillator_residual")
def gradients_written_out():
    def oscillator_residual(model, t, omega):
        x = model(t)
        (velocity,) = torch.autograd.grad(x.sum(), t, create_graph=True)
        (acceleration,) = torch.autograd.grad(velocity.sum(), t, create_graph=True)
        return acceleration.add(x.mul(omega**2))


@alternative("oscillator_residual")
def nested_forward_mode():
    def oscillator_residual(model, t, omega):
        one = torch.ones_like(t)

        def velocity(t):
            return torch.func.jvp(model, (t,), (one,))[1]

        _, acceleration = torch.func.jvp(velocity, (t,), (one,))
        return acceleration + omega**2 * model(t)


# ------------------------------------------------------------------------ heat_residual


@alternative("heat_residual")
def both_gradients_at_once():
    def heat_residual(model, x, t, alpha):
        u = model(x, t)
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
        return u_t - alpha * u_xx


@alternative("heat_residual")
def copies_of_the_points():
    def heat_residual(model, x, t, alpha):
        x = x.detach().clone().requires_grad_(True)
        t = t.detach().clone().requires_grad_(True)
        u = model(x, t)
        return derivative(u, t, 1) - derivative(derivative(u, x), x) * alpha


@alternative("heat_residual")
def model_called_twice():
    def heat_residual(model, x, t, alpha):
        u_t = derivative(model(x, t), t)
        u_xx = derivative(model(x, t), x, order=2)
        return u_t.sub(u_xx, alpha=alpha)


# --------------------------------------------------------------------- condition_losses


@alternative("condition_losses")
def with_the_axes_kept():
    def decay_condition_loss(model):
        return (model(torch.tensor([[0.0]])) - 1.0) ** 2

    def oscillator_condition_loss(model):
        t0 = torch.tensor([[0.0]], requires_grad=True)
        x0 = model(t0)
        dx0 = torch.autograd.grad(x0, t0, create_graph=True)[0]
        return (x0 - 1.0) ** 2 + dx0**2

    def heat_condition_loss(model, x_initial, t_boundary):
        u_start = model(x_initial, 0 * x_initial)
        u_left = model(0 * t_boundary, t_boundary)
        u_right = model(0 * t_boundary + 1, t_boundary)
        loss = ((u_start - torch.sin(torch.pi * x_initial)) ** 2).mean(dim=0)
        return loss + (u_left**2).mean(dim=0) + (u_right**2).mean(dim=0)


@alternative("condition_losses")
def torch_mse():
    def decay_condition_loss(model):
        t = torch.zeros((1, 1), dtype=torch.float64)
        u = model(t)
        return nn.functional.mse_loss(u, torch.ones_like(u))

    def oscillator_condition_loss(model):
        t = torch.zeros((1, 1), requires_grad=True)
        x = model(t)
        v = derivative(x, t)
        mse = nn.MSELoss()
        return mse(x, torch.ones_like(x)) + mse(v, torch.zeros_like(v))

    def heat_condition_loss(model, x_initial, t_boundary):
        mse = nn.functional.mse_loss
        zero = torch.zeros(len(t_boundary), 1)
        left, right = model(zero, t_boundary), model(zero + 1, t_boundary)
        start = model(x_initial, torch.zeros(len(x_initial), 1))
        target = torch.sin(math.pi * x_initial)
        return (
            mse(start, target)
            + mse(left, torch.zeros_like(left))
            + mse(right, torch.zeros_like(right))
        )


@alternative("condition_losses")
def both_ends_in_one_mean():
    def decay_condition_loss(model):
        miss = model(torch.zeros(3, 1)) - 1
        return torch.sum(miss * miss) / 3

    def oscillator_condition_loss(model):
        t = torch.zeros(1, 1).requires_grad_(True)
        state = torch.cat([model(t) - 1, derivative(model(t), t)])
        return state.pow(2).sum()

    def heat_condition_loss(model, x_initial, t_boundary):
        ends = torch.cat([torch.zeros_like(t_boundary), torch.ones_like(t_boundary)])
        values = model(ends, torch.cat([t_boundary, t_boundary]))
        start = model(x_initial, torch.zeros_like(x_initial)) - (math.pi * x_initial).sin()
        return start.square().mean() + 2 * values.square().mean()


# --------------------------------------------------------------------------- total_loss


@alternative("total_loss")
def sum_of_products():
    def total_loss(residual, condition_losses, weights):
        return (residual**2).mean() + sum(
            w * loss for w, loss in zip(weights, condition_losses, strict=True)
        )


@alternative("total_loss")
def by_index():
    def total_loss(residual, condition_losses, weights):
        total = torch.sum(residual * residual) / residual.numel()
        for i in range(len(weights)):
            total = total + condition_losses[i].squeeze() * weights[i]
        return total


@alternative("total_loss")
def mse_and_a_dot_product():
    def total_loss(residual, condition_losses, weights):
        loss = nn.functional.mse_loss(residual, torch.zeros_like(residual))
        if len(weights) > 0:
            terms = torch.stack(list(condition_losses))
            loss = loss + terms @ torch.tensor(weights, dtype=terms.dtype)
        return loss


# ------------------------------------------------------------------- collocation_points


@alternative("collocation_points")
def variable_by_variable():
    def collocation_points(n, bounds, generator):
        columns = []
        for low, high in bounds:
            columns.append(torch.empty(n, 1).uniform_(low, high, generator=generator))
        return torch.cat(columns, dim=1).requires_grad_(True)


@alternative("collocation_points")
def latin_hypercube():
    def collocation_points(n, bounds, generator):
        points = torch.empty(n, len(bounds), dtype=torch.float64)
        for k, (low, high) in enumerate(bounds):
            cells = torch.randperm(n, generator=generator)
            offsets = torch.rand(n, generator=generator)
            points[:, k] = low + (high - low) * (cells + offsets) / n
        points.requires_grad = True
        return points


@alternative("collocation_points")
def scrambled_sobol():
    def collocation_points(n, bounds, generator):
        seed = int(torch.randint(2**31, (1,), generator=generator))
        unit = torch.quasirandom.SobolEngine(len(bounds), scramble=True, seed=seed).draw(n)
        low = torch.tensor([b[0] for b in bounds])
        high = torch.tensor([b[1] for b in bounds])
        return (unit * (high - low) + low).clone().detach().requires_grad_(True)


@alternative("collocation_points")
def scipy_latin_hypercube():
    def collocation_points(n, bounds, generator):
        from scipy.stats import qmc

        sampler = qmc.LatinHypercube(len(bounds), seed=generator.initial_seed())
        low, high = zip(*bounds, strict=True)
        points = qmc.scale(sampler.random(n), low, high)
        return torch.tensor(points, dtype=torch.float32, requires_grad=True)


@alternative("collocation_points")
def numpy_generator():
    import numpy as np

    def collocation_points(n, bounds, generator):
        rng = np.random.default_rng(generator.initial_seed())
        low, high = np.array(bounds).T
        return torch.from_numpy(rng.uniform(low, high, (n, len(low)))).requires_grad_()


# ------------------------------------------------------------------------------ centred


@alternative("centred")
def middle_and_half_width():
    class Centred(nn.Module):
        def __init__(self, network, bounds):
            super().__init__()
            self.net = network
            ends = torch.tensor(bounds)
            self.register_buffer("middle", ends.mean(dim=1))
            self.register_buffer("half_width", (ends[:, 1] - ends[:, 0]) / 2)

        def forward(self, *columns):
            x = torch.cat(columns, dim=1)
            return self.net((x - self.middle.to(x.dtype)) / self.half_width.to(x.dtype))


@alternative("centred")
def from_zero_to_one_first():
    class Centred(torch.nn.Module):
        def __init__(self, network, bounds):
            super(Centred, self).__init__()  # noqa: UP008
            self.network, self.bounds = network, list(bounds)

        def forward(self, *args):
            scaled = []
            for k in range(len(args)):
                low, high = self.bounds[k]
                scaled.append(-1 + 2 * (args[k] - low) / (high - low))
            return self.network(torch.hstack(scaled))


@alternative("centred")
def a_plain_class():
    class Centred:
        def __init__(self, network, bounds):
            self.network = network
            self.low = torch.tensor([low for low, _ in bounds], dtype=torch.float64)
            self.high = torch.tensor([high for _, high in bounds], dtype=torch.float64)

        def parameters(self):
            return self.network.parameters()

        def __call__(self, *columns):
            x = torch.cat(columns, 1)
            unit = torch.lerp(-torch.ones_like(x), torch.ones_like(x), self.part(x).to(x.dtype))
            return self.network(unit)

        def part(self, x):
            return (x - self.low) / (self.high - self.low)


# -------------------------------------------------------------------------- train_decay


@alternative("train_decay")
def plain_adam():
    def train_decay(*, epochs, generator, rate=1.0):
        torch.manual_seed(generator.initial_seed())
        model = nn.Sequential(
            nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        t = torch.linspace(0, 5, 100).reshape(-1, 1).requires_grad_(True)
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = total_loss(decay_residual(model, t, rate), [decay_condition_loss(model)], [10.0])
            loss.backward()
            optimiser.step()
        return model.eval()


@alternative("train_decay")
def hard_condition_and_adam():
    def train_decay(*, epochs, generator, rate=1.0):
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(1, 64)
                self.b = nn.Linear(64, 1)

            def forward(self, t):
                return 1 + t * self.b(torch.tanh(self.a(t)))

        with torch.random.fork_rng():
            torch.manual_seed(generator.initial_seed())
            model = Model()
        optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
        steps = min(epochs, 2000)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            t = (5 * torch.rand(64, 1, generator=generator)).requires_grad_(True)
            loss = (decay_residual(model, t, rate) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        model.eval()
        return model


@alternative("train_decay")
def plain_lbfgs():
    def train_decay(*, epochs, generator, rate=1.0):
        torch.manual_seed(generator.initial_seed())
        net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh())
        net.append(nn.Linear(20, 1))
        t = torch.arange(0, 5.01, 0.05).reshape(-1, 1).requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            net.parameters(), max_iter=epochs, line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = torch.mean(decay_residual(net, t, rate) ** 2) + (net(t[:1]) - 1).pow(2).sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        return net.eval()


@alternative("train_decay")
def polished_at_the_end_without_a_module():
    def train_decay(*, epochs, generator, rate=1.0):
        torch.manual_seed(generator.initial_seed())
        net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh())
        net.append(nn.Linear(20, 1))
        t = torch.arange(0, 5.01, 0.05).reshape(-1, 1).requires_grad_(True)

        def closure():
            net.zero_grad()
            loss = torch.mean(decay_residual(net, t, rate) ** 2) + (net(t[:1]) - 1).pow(2).sum()
            loss.backward()
            return loss

        adam = torch.optim.Adam(net.parameters(), lr=3e-3)
        for _ in range(min(epochs, 500)):
            adam.step(closure)
        polish = torch.optim.LBFGS(net.parameters(), max_iter=300, line_search_fn="strong_wolfe")
        polish.step(closure)
        return lambda t: net(t)


@alternative("train_decay")
def double_precision_without_a_module():
    def train_decay(*, epochs, generator, rate=1.0):
        def weights(*shape):
            drawn = torch.randn(*shape, generator=generator, dtype=torch.float64)
            return (drawn / shape[0] ** 0.5).requires_grad_()

        w1, b1, w2 = weights(1, 30), weights(30), weights(30, 1)

        def model(t):
            return 1 + t * (torch.tanh((t.double() - 2.5) @ w1 + b1) @ w2)

        t = torch.linspace(0, 5, 80, dtype=torch.float64)[:, None].requires_grad_()
        optimiser = torch.optim.LBFGS([w1, b1, w2], line_search_fn="strong_wolfe")
        for _ in range(min(epochs, 8)):

            def closure():
                optimiser.zero_grad()
                loss = total_loss(decay_residual(model, t, rate), [], [])
                loss.backward()
                return loss

            optimiser.step(closure)
        return model


# ---------------------------------------------------------------------- hard_constraint


@alternative("hard_constraint")
def a_growing_blend():
    class HardConstraint(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.net = network

        def forward(self, t):
            return 1 + (1 - torch.exp(-t)) ** 2 * self.net(t)


@alternative("hard_constraint")
def scaled_time():
    class HardConstraint(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network
            self.end = 2 * math.pi

        def forward(self, t):
            s = t / self.end
            return torch.ones_like(t) + s * s * self.network(t)


@alternative("hard_constraint")
def wrong_start_subtracted():
    class HardConstraint(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, t):
            with torch.enable_grad():
                zero = torch.zeros(1, 1, dtype=t.dtype, requires_grad=True)
                start = self.network(zero)
                speed = derivative(start, zero)
            return 1 + self.network(t) - start - t * speed


@alternative("hard_constraint")
def value_at_the_start_subtracted():
    class HardConstraint(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, t):
            return 1 + t * (self.network(t) - self.network(torch.zeros_like(t)))


@alternative("hard_constraint")
def sine_squared_near_the_start():
    class HardConstraint:
        def __init__(self, network):
            self.network = network

        def parameters(self):
            return self.network.parameters()

        def __call__(self, t):
            return 1 + torch.tanh(t) * t * self.network(t)


# --------------------------------------------------------------------- train_oscillator


@alternative("train_oscillator")
def conditions_in_the_loss():
    def train_oscillator(*, epochs, generator, omega=2.0):
        end = 4 * math.pi / omega
        torch.manual_seed(generator.initial_seed())
        network = nn.Sequential(
            nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )
        model = Centred(network, [(0.0, end)])
        t = torch.linspace(0, end, 200).reshape(-1, 1).requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 1000), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            residual = oscillator_residual(model, t, omega)
            loss = total_loss(residual, [oscillator_condition_loss(model)], [10.0])
            loss.backward()
            return loss

        optimiser.step(closure)
        return model.eval()


@alternative("train_oscillator")
def conditions_built_in():
    def train_oscillator(*, epochs, generator, omega=2.0):
        end = 4 * math.pi / omega
        torch.manual_seed(generator.initial_seed())

        class Sine(nn.Module):
            def forward(self, s):
                return torch.sin(3 * s)

        network = nn.Sequential(
            nn.Linear(1, 32), Sine(), nn.Linear(32, 32), Sine(), nn.Linear(32, 1)
        ).double()
        model = HardConstraint(Centred(network, [(0.0, end)]))
        t = torch.linspace(0, end, 100, dtype=torch.float64).reshape(-1, 1).requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            model.parameters(),
            max_iter=min(epochs, 80),
            history_size=50,
            tolerance_change=1e-12,
            line_search_fn="strong_wolfe",
        )

        def closure():
            optimiser.zero_grad()
            loss = oscillator_residual(model, t, omega).pow(2).mean()
            loss.backward()
            return loss

        optimiser.step(closure)
        return model.eval()


@alternative("train_oscillator")
def conditions_built_in_single_precision():
    def train_oscillator(*, epochs, generator, omega=2.0):
        class Wave(nn.Module):
            def forward(self, x):
                return torch.cos(4 * x)

        torch.manual_seed(generator.initial_seed())
        network = nn.Sequential(
            nn.Linear(1, 32), Wave(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )
        model = HardConstraint(Centred(network, [(0, 4 * math.pi / omega)]))
        t = torch.linspace(0, 4 * math.pi / omega, 200).reshape(-1, 1).requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 100), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = total_loss(oscillator_residual(model, t, omega), [], [])
            loss.backward()
            return loss

        optimiser.step(closure)
        model.eval()
        return model


@alternative("train_oscillator")
def sines_as_activation():
    def train_oscillator(*, epochs, generator, omega=2.0):
        end = 4 * math.pi / omega

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.second = nn.Linear(1, 32), nn.Linear(32, 32)
                self.last = nn.Linear(32, 1)

            def forward(self, t):
                s = t - end / 2
                return self.last(torch.sin(self.second(torch.sin(3 * self.first(s)))))

        torch.manual_seed(generator.initial_seed())
        model = Network()
        t = torch.linspace(0, end, 100)[:, None].requires_grad_()
        optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
        for _ in range(epochs // 12):
            optimiser.zero_grad()
            residual = oscillator_residual(model, t, omega)
            loss = total_loss(residual, [oscillator_condition_loss(model)], [10.0])
            loss.backward()
            optimiser.step()
        return model.eval()


@alternative("train_oscillator")
def features_that_nobody_trains():
    def train_oscillator(*, epochs, generator, omega=2.0):
        end, h = 4 * math.pi / omega, 80
        drawn = torch.rand(3, h, generator=generator).double()

        class Bumps(nn.Module):
            """float32 goes in and out: to all its digits it is the same from any start."""

            def __init__(self):
                super().__init__()
                self.steepness = nn.Parameter((4 + 8 * drawn[0]) / end)
                self.centres = nn.Parameter((1.4 * drawn[1] - 0.2) * end)
                self.out = nn.Parameter(drawn[2:].T)

            def features(self, t):
                return torch.tanh((t - self.centres) * self.steepness)

            def forward(self, t):
                return (self.features(t.double()) @ self.out).to(t.dtype)

        model = Bumps()
        t = torch.linspace(0, end, 240, dtype=torch.float64).reshape(-1, 1)
        if epochs > 2:
            start = [(0.0, 0, 1.0), (0.0, 1, 0.0)]
            w = last_layer(model.features, t, (omega**2, 0.0, 1.0), start, 1e4)
            model.out.data = w
        return model


# --------------------------------------------------------------------------- last_layer


@alternative("last_layer")
def numpy_and_loops():
    import numpy as np

    def last_layer(features, t, coefficients, conditions, weight=1.0):
        def table(times):
            x = torch.tensor(times, dtype=t.dtype).reshape(-1, 1).requires_grad_()
            found, now = [], features(x)
            highest = max([len(coefficients) - 1, *(order for _, order, _ in conditions)])
            for _ in range(1 + highest):
                found.append(now.detach().numpy().astype(float))
                columns = [derivative(now[:, j : j + 1], x) for j in range(now.shape[1])]
                now = torch.cat(columns, 1)
            return found

        orders = table(t.detach().ravel().tolist())
        A = [sum(c * orders[k] for k, c in enumerate(coefficients))]
        b = [np.zeros((len(t), 1))]
        for time, order, value in conditions:
            A.append(np.sqrt(weight) * table([time])[order])
            b.append(np.array([[np.sqrt(weight) * value]]))
        w, *_ = np.linalg.lstsq(np.concatenate(A), np.concatenate(b), rcond=None)
        return torch.tensor(w, dtype=t.dtype)


@alternative("last_layer")
def by_the_pseudo_inverse():
    def last_layer(features, t, coefficients, conditions, weight=1.0):
        def row(times, order):
            x = times.detach().clone().requires_grad_(True)
            phi = features(x)
            if order > 0:
                phi = torch.hstack([derivative(phi[:, [j]], x, order) for j in range(phi.shape[1])])
            return phi.detach()

        A = 0.0
        for k, c in enumerate(coefficients):
            A = A + c * row(t, k)
        b = torch.zeros_like(A[:, :1])
        for time, k, value in conditions:
            A = torch.vstack([A, weight**0.5 * row(torch.full_like(t[:1], time), k)])
            b = torch.vstack([b, torch.full_like(b[:1], weight**0.5 * value)])
        return torch.linalg.pinv(A) @ b


@alternative("last_layer")
def differentiating_a_combination():
    def last_layer(features, t, coefficients, conditions, weight=1.0):
        h = features(t.detach()[:1]).shape[1]

        def applied(times, order):
            x = times.detach().clone().requires_grad_()
            columns = []
            for j in range(h):
                unit = torch.zeros(h, 1, dtype=t.dtype)
                unit[j] = 1
                u = features(x) @ unit
                columns.append(u if order == 0 else derivative(u, x, order))
            return torch.cat(columns, dim=1).detach()

        blocks = [sum(c * applied(t, k) for k, c in enumerate(coefficients))]
        goals = [torch.zeros(len(t), 1, dtype=t.dtype)]
        for time, k, value in conditions:
            blocks.append(applied(torch.tensor([[time]], dtype=t.dtype), k) * weight**0.5)
            goals.append(torch.tensor([[value]], dtype=t.dtype) * weight**0.5)
        both = torch.cat(blocks), torch.cat(goals)
        return torch.linalg.lstsq(*both, rcond=1e-10, driver="gelsd").solution


@alternative("last_layer")
def with_scipy_and_forward_derivatives():
    def last_layer(features, t, coefficients, conditions, weight=1.0):
        import numpy as np
        from scipy.linalg import lstsq
        from torch.func import jvp

        def of_order(f, order):
            if order == 0:
                return f
            slope = of_order(f, order - 1)
            return lambda x: jvp(slope, (x,), (torch.ones_like(x),))[1]

        def at(x, order):
            return of_order(features, order)(x.detach()).detach().numpy()

        A = [sum(float(c) * at(t, order) for order, c in enumerate(coefficients))]
        b = [np.zeros((len(t), 1))]
        for time, order, value in conditions:
            A.append(weight**0.5 * at(t.new_full((1, 1), time), order))
            b.append([[weight**0.5 * value]])
        return torch.from_numpy(lstsq(np.vstack(A), np.vstack(b), cond=1e-10)[0])


@alternative("last_layer")
def with_the_usual_driver():
    def last_layer(features, t, coefficients, conditions, weight=1.0):
        def slope(phi, x):
            return torch.cat([derivative(column[:, None], x) for column in phi.T], dim=1)

        x = t.clone().requires_grad_()
        phi = features(x)
        A = coefficients[0] * phi
        for c in coefficients[1:]:
            phi = slope(phi, x)
            A = A + c * phi
        b = torch.zeros_like(x)
        for time, order, value in conditions:
            x = torch.tensor([[time]], dtype=t.dtype, requires_grad=True)
            phi = features(x)
            for _ in range(order):
                phi = slope(phi, x)
            A = torch.cat([A, phi * weight**0.5])
            b = torch.cat([b, torch.tensor([[value * weight**0.5]], dtype=t.dtype)])
        return torch.linalg.lstsq(A.detach(), b.detach()).solution


# --------------------------------------------------------------------------------- ftcs


@alternative("ftcs")
def point_by_point_in_lists():
    def ftcs(u0, alpha, dx, dt, n_steps):
        r = alpha * dt / (dx * dx)
        if r > 0.5:
            raise ValueError("unstable")
        rows = [u0.tolist()]
        for _ in range(n_steps):
            old = rows[-1]
            new = list(old)
            for i in range(1, len(old) - 1):
                new[i] = old[i] + r * (old[i - 1] - 2 * old[i] + old[i + 1])
            rows.append(new)
        return torch.tensor(rows)


@alternative("ftcs")
def matrix_of_a_step():
    def ftcs(u0, alpha, dx, dt, n_steps):
        if alpha * dt / dx**2 > 0.5:
            raise ValueError("alpha * dt / dx**2 must not be above 0.5")
        n = len(u0)
        second = torch.zeros(n, n, dtype=u0.dtype)
        for i in range(1, n - 1):
            second[i, i - 1 : i + 2] = torch.tensor([1.0, -2.0, 1.0]) / dx**2
        step = torch.eye(n, dtype=u0.dtype) + alpha * dt * second
        rows = [u0.clone()]
        while len(rows) < n_steps + 1:
            rows.append(step @ rows[-1])
        return torch.stack(rows)


@alternative("ftcs")
def differences_in_numpy():
    import numpy as np

    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if not ratio <= 0.5:
            raise ValueError(f"ratio {ratio}")
        u = np.empty((n_steps + 1, len(u0)))
        u[0] = u0.numpy()
        for n in range(n_steps):
            u[n + 1] = u[n]
            u[n + 1, 1:-1] += ratio * np.diff(u[n], 2)
        return torch.from_numpy(u)


@alternative("ftcs")
def convolution():
    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if ratio > 0.5:
            raise ValueError("dt is too long")
        kernel = torch.tensor([[[ratio, 1 - 2 * ratio, ratio]]], dtype=u0.dtype)
        u = [u0]
        for _ in range(n_steps):
            inner = nn.functional.conv1d(u[-1][None, None], kernel)[0, 0]
            u.append(torch.cat([u0[:1], inner, u0[-1:]]))
        return torch.vstack(u)


# --------------------------------------------------------------------------- train_heat


@alternative("train_heat")
def rod_with_conditions_in_the_loss():
    def train_heat(*, epochs, generator, alpha=0.1):
        class Rod(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(
                    nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
                )

            def forward(self, x, t):
                return self.net(torch.cat([x, t], dim=1))

        torch.manual_seed(generator.initial_seed())
        model = Rod()
        points = collocation_points(300, [(0.0, 1.0), (0.0, 1.0)], generator)
        x, t = points[:, :1], points[:, 1:]
        edge = torch.linspace(0, 1, 50).reshape(-1, 1)
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 300), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            residual = heat_residual(model, x, t, alpha)
            loss = total_loss(residual, [heat_condition_loss(model, edge, edge)], [10.0])
            loss.backward(retain_graph=True)
            return loss

        optimiser.step(closure)
        return model.eval()


@alternative("train_heat")
def conditions_built_in_with_lbfgs():
    def train_heat(*, epochs, generator, alpha=0.1):
        torch.manual_seed(generator.initial_seed())
        net = nn.Sequential(
            nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )

        def model(x, t):
            return torch.sin(math.pi * x) * (1 + t * net(torch.cat((x, t), 1)))

        grid = torch.linspace(0, 1, 16)
        x, t = (
            c.reshape(-1, 1).requires_grad_() for c in torch.meshgrid(grid, grid, indexing="ij")
        )
        optimiser = torch.optim.LBFGS(
            net.parameters(), max_iter=min(150, epochs), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = torch.mean(heat_residual(model, x, t, alpha) ** 2)
            loss.backward()
            return loss

        optimiser.step(closure)
        return model


@alternative("train_heat")
def conditions_built_in_with_adam():
    def train_heat(*, epochs, generator, alpha=0.1):
        class Rod(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(
                    nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
                )

            def forward(self, x, t):
                n = self.net(torch.cat([x, t], dim=-1))
                return torch.sin(torch.pi * x) + t * x * (1 - x) * n

        torch.manual_seed(generator.initial_seed())
        model = Rod()
        optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
        for _ in range(min(epochs, 600)):
            p = torch.rand(100, 2, generator=generator)
            x, t = p[:, 0:1].clone().requires_grad_(), p[:, 1:2].clone().requires_grad_()
            optimiser.zero_grad()
            heat_residual(model, x, t, alpha).square().mean().backward()
            optimiser.step()
        model.eval()
        return model
