"""Other right answers to lennard_jones."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.lennard_jones import (
    NNPotential,
    energy_and_force,
    force_matching_loss,
    lj_force,
    lj_potential,
    standardise,
)

# ------------------------------------------------------------------------- lj_potential


@alternative("lj_potential")
def power_by_power():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        return 4 * epsilon * sigma**12 / r**12 - 4 * epsilon * sigma**6 / r**6


@alternative("lj_potential")
def factored():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        x = np.power(r / sigma, -6.0)
        return 4.0 * epsilon * x * (x - 1.0)


@alternative("lj_potential")
def one_distance_at_a_time():
    import math

    def lj_potential(r, epsilon=1.0, sigma=1.0):
        def single(distance):
            return 4 * epsilon * (math.pow(sigma / distance, 12) - math.pow(sigma / distance, 6))

        if np.ndim(r) == 0:
            return single(r)
        return np.array([single(distance) for distance in np.ravel(r)]).reshape(np.shape(r))


@alternative("lj_potential")
def in_single_precision():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        x = (np.float32(sigma) / np.asarray(r, dtype=np.float32)) ** 6
        return np.float32(4 * epsilon) * (x * x - x)


# ----------------------------------------------------------------------------- lj_force


@alternative("lj_force")
def through_the_derivative_of_each_power():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        return 4 * epsilon * (12 * sigma**12 / r**13 - 6 * sigma**6 / r**7)


@alternative("lj_force")
def through_autograd():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        x = torch.tensor(r, dtype=torch.float64, requires_grad=True)
        energy = 4 * epsilon * ((sigma / x) ** 12 - (sigma / x) ** 6)
        energy.sum().backward()
        force = -x.grad.numpy()
        return float(force) if np.ndim(r) == 0 else force


@alternative("lj_force")
def in_float32_and_back():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        x = torch.tensor(r, dtype=torch.float32, requires_grad=True)
        energy = 4 * epsilon * ((sigma / x) ** 12 - (sigma / x) ** 6)
        energy.sum().backward()
        force = -x.grad.numpy().astype(float)
        return float(force) if np.ndim(r) == 0 else force


@alternative("lj_force")
def vectorised_by_numpy():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        def single(distance):
            ratio = sigma / distance
            return 48 * epsilon / distance * (ratio**12 - 0.5 * ratio**6)

        return np.vectorize(single)(r)


# ------------------------------------------------------------------- pairwise_distances


@alternative("pairwise_distances")
def loops():
    def pairwise_distances(positions):
        found = []
        for i in range(len(positions)):
            for j in range(i + 1, len(positions)):
                found.append(np.linalg.norm(positions[i] - positions[j]))
        return np.array(sorted(found))


@alternative("pairwise_distances")
def combinations():
    import itertools
    import math

    def pairwise_distances(positions):
        pairs = itertools.combinations(positions.tolist(), 2)
        return np.sort(np.array([math.dist(a, b) for a, b in pairs], dtype=float))


@alternative("pairwise_distances")
def scipy_pdist():
    def pairwise_distances(positions):
        from scipy.spatial.distance import pdist

        return np.sort(pdist(positions))


@alternative("pairwise_distances")
def einsum_over_the_table():
    def pairwise_distances(positions):
        separation = positions[:, np.newaxis] - positions[np.newaxis]
        squares = np.einsum("ijk,ijk->ij", separation, separation)
        found = np.sqrt(squares[np.triu_indices(len(positions), 1)])
        found.sort()
        return found


@alternative("pairwise_distances")
def from_scalar_products():
    def pairwise_distances(positions):
        products = positions @ positions.T
        lengths = np.diag(products)
        squares = np.maximum(lengths[:, None] + lengths[None, :] - 2 * products, 0)
        mask = np.tri(len(positions), k=-1, dtype=bool)
        return np.sort(np.sqrt(squares[mask]))


# ----------------------------------------------------------------------- cluster_energy


@alternative("cluster_energy")
def double_loop():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        energy = 0
        for i in range(len(positions)):
            for j in range(i):
                r = np.sqrt(np.sum((positions[i] - positions[j]) ** 2))
                energy += lj_potential(r, epsilon=epsilon, sigma=sigma)
        return energy


@alternative("cluster_energy")
def half_of_the_table():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        r = np.linalg.norm(positions[:, None] - positions, axis=-1)
        np.fill_diagonal(r, np.inf)
        return 0.5 * lj_potential(r, epsilon, sigma).sum()


@alternative("cluster_energy")
def formula_on_pdist():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        from scipy.spatial.distance import pdist

        sixth = (pdist(np.asarray(positions)) / sigma) ** -6
        return 4 * epsilon * np.dot(sixth, sixth - 1)


@alternative("cluster_energy")
def with_torch():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        sixth = (sigma / nn.functional.pdist(torch.tensor(positions))) ** 6
        return (4 * epsilon * (sixth**2 - sixth)).sum().item()


# ----------------------------------------------------------------------- cluster_forces


@alternative("cluster_forces")
def action_and_reaction():
    import itertools

    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros_like(positions)
        for i, j in itertools.combinations(range(len(positions)), 2):
            arrow = positions[i] - positions[j]
            r = np.linalg.norm(arrow)
            push = lj_force(r, epsilon, sigma) * arrow / r
            forces[i] += push
            forces[j] -= push
        return forces


@alternative("cluster_forces")
def torch_autograd():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        x = torch.tensor(positions, dtype=torch.float64, requires_grad=True)
        i, j = torch.triu_indices(len(positions), len(positions), offset=1)
        r = torch.sqrt(torch.sum((x[i] - x[j]) ** 2, dim=1))
        energy = torch.sum(4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6))
        energy.backward()
        return -x.grad.numpy()


@alternative("cluster_forces")
def einsum_with_infinite_diagonal():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        arrows = positions[:, None] - positions[None]
        r = np.sqrt(np.einsum("ijk,ijk->ij", arrows, arrows)) + np.diag([np.inf] * len(positions))
        return np.einsum("ij,ijk->ik", lj_force(r, epsilon, sigma) / r, arrows)


@alternative("cluster_forces")
def torch_in_single_precision():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        x = torch.tensor(positions, dtype=torch.float32)

        def energy(x):
            r = nn.functional.pdist(x)
            return (4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)).sum()

        return -torch.autograd.functional.jacobian(energy, x).numpy()


# ---------------------------------------------------------------------- sample_clusters


@alternative("sample_clusters")
def in_batches():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        kept = np.empty((0, n_atoms, 3))
        first, second = np.triu_indices(n_atoms, 1)
        while len(kept) < n_samples:
            drawn = scale * rng.standard_normal((2 * n_samples, n_atoms, 3))
            distances = np.linalg.norm(drawn[:, first] - drawn[:, second], axis=-1)
            kept = np.concatenate([kept, drawn[(distances >= min_distance).all(axis=1)]])
        return kept[:n_samples]


@alternative("sample_clusters")
def loop_over_pairs():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = np.zeros((n_samples, n_atoms, 3))
        for number in range(n_samples):
            good = False
            while not good:
                positions = rng.normal(loc=0.0, scale=scale, size=(n_atoms, 3))
                good = True
                for i in range(n_atoms):
                    for j in range(i + 1, n_atoms):
                        if np.linalg.norm(positions[i] - positions[j]) < min_distance:
                            good = False
            clusters[number] = positions
        return clusters


@alternative("sample_clusters")
def redrawn_where_too_close():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        from scipy.spatial.distance import pdist

        clusters = rng.normal(0, scale, (n_samples, n_atoms, 3))
        if n_atoms < 2:
            return clusters
        bad = [k for k in range(n_samples) if pdist(clusters[k]).min() < min_distance]
        while bad:
            clusters[bad] = rng.normal(0, scale, (len(bad), n_atoms, 3))
            bad = [k for k in bad if pdist(clusters[k]).min() < min_distance]
        return clusters


# -------------------------------------------------------------------------- standardise


@alternative("standardise")
def column_by_column():
    import math

    def standardise(train, test):
        train_n, test_n = np.empty(train.shape), np.empty(test.shape)
        mean, std = np.empty(train.shape[1]), np.empty(train.shape[1])
        for k in range(train.shape[1]):
            mean[k] = sum(train[:, k]) / len(train)
            std[k] = math.sqrt(sum((x - mean[k]) ** 2 for x in train[:, k]) / len(train)) or 1
            train_n[:, k] = (train[:, k] - mean[k]) / std[k]
            test_n[:, k] = (test[:, k] - mean[k]) / std[k]
        return train_n, test_n, mean, std


@alternative("standardise")
def scikit_learn():
    def standardise(train, test):
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(train)
        return scaler.transform(train), scaler.transform(test), scaler.mean_, scaler.scale_


@alternative("standardise")
def axes_kept():
    def standardise(train, test):
        mean = train.mean(axis=0, keepdims=True)
        std = train.std(axis=0, keepdims=True)
        std[std == 0] = 1
        return (train - mean) / std, (test - mean) / std, mean, std


# ------------------------------------------------------------------------- nn_potential


@alternative("nn_potential")
def one_sequential():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, 1),
            )  # fmt: skip

        def forward(self, r):
            return self.net(r)

    def energy_and_force(model, r):
        r = r.clone().detach()
        r.requires_grad = True
        V = model(r)
        F = -torch.autograd.grad(V, r, grad_outputs=torch.ones_like(V), create_graph=True)[0]
        return V, F


@alternative("nn_potential")
def first_weights_next_to_nothing():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            sizes = [(1, hidden), (hidden, hidden), (hidden, 1)]
            self.layers = nn.ModuleList(nn.Linear(*size) for size in sizes)
            for layer in self.layers:
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

        def forward(self, r):
            *inner, last = self.layers
            for layer in inner:
                r = torch.tanh(layer(r))
            return last(r)

    def energy_and_force(model, r):
        r = r.detach().clone().requires_grad_()
        V = model(r)
        slope = torch.autograd.grad(V, r, torch.ones_like(V), create_graph=True)[0]
        return V, -slope


@alternative("nn_potential")
def last_layer_begins_with_zeros():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            sizes = [(1, hidden), (hidden, hidden), (hidden, 1)]
            self.layers = nn.ModuleList(nn.Linear(*size) for size in sizes)
            nn.init.zeros_(self.layers[-1].weight)
            nn.init.zeros_(self.layers[-1].bias)

        def forward(self, r):
            *inner, last = self.layers
            for layer in inner:
                r = torch.tanh(layer(r))
            return last(r)

    def energy_and_force(model, r):
        r = r.detach().clone().requires_grad_()
        V = model(r)
        slope = torch.autograd.grad(V, r, torch.ones_like(V), create_graph=True)[0]
        return V, -slope


@alternative("nn_potential")
def layers_one_by_one():
    class NNPotential(torch.nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.first = torch.nn.LazyLinear(hidden)
            self.second = torch.nn.LazyLinear(hidden)
            self.last = torch.nn.LazyLinear(1)

        def forward(self, r):
            h = torch.nn.functional.softplus(self.first(r))
            return self.last(torch.sin(self.second(h)))

    def energy_and_force(model, r):
        if (r <= 0).any():
            raise ValueError("these are no distances")
        x = torch.empty_like(r).copy_(r.detach()).requires_grad_()
        V = model(x)
        V.sum().backward(create_graph=True, inputs=[x])
        return [V, -x.grad]


@alternative("nn_potential")
def weights_by_hand():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.w1 = nn.Parameter(torch.randn(1, hidden))
            self.b1 = nn.Parameter(torch.randn(hidden))
            self.w2 = nn.Parameter(torch.randn(hidden, hidden) / hidden**0.5)
            self.b2 = nn.Parameter(torch.zeros(1, hidden))
            self.w3 = nn.Parameter(torch.randn(hidden, 1) / hidden**0.5)
            self.b3 = nn.Parameter(torch.zeros(()))

        def forward(self, r):
            h = torch.tanh(r @ self.w1 + self.b1) @ self.w2 + self.b2
            return torch.sin(h) @ self.w3 + self.b3

    def energy_and_force(model, r):
        with torch.enable_grad():
            x = r.detach().requires_grad_(True)
            V = model(x)
            (slope,) = torch.autograd.grad(V.sum(), x, create_graph=True, retain_graph=True)
        return V, slope.neg()


@alternative("nn_potential")
def forward_mode():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, hidden), nn.Linear(hidden, hidden)])
            self.out = nn.Linear(hidden, 1)

        def forward(self, r):
            h = (r - 2.2) / 0.8
            for layer in self.layers:
                h = nn.functional.gelu(layer(h))
            return 3 * self.out(h)

        def energy_and_force(self, r):
            return energy_and_force(self, r)

    def energy_and_force(model, r):
        V, slope = torch.func.jvp(model, (r.detach(),), (torch.ones_like(r),))
        return V, -slope


@alternative("nn_potential")
def of_the_inverse_distance():
    class NNPotential(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
            )
            self.last = nn.Linear(hidden, 1)

        def forward(self, r):
            return self.last(self.layers(1 / r))

    def energy_and_force(model, r):
        r = r.detach().clone().requires_grad_()
        V = model(r)
        (slope,) = torch.autograd.grad(V.sum(), r, create_graph=True)
        return V, -slope


# ------------------------------------------------------------------ force_matching_loss


@alternative("force_matching_loss")
def torch_mse():
    def force_matching_loss(V_pred, V_true, F_pred, F_true, force_weight=1.0):
        mse = nn.MSELoss()
        return mse(V_pred, V_true) + force_weight * mse(F_pred, F_true)


@alternative("force_matching_loss")
def sums_over_the_count():
    def force_matching_loss(V_pred, V_true, F_pred, F_true, force_weight=1.0):
        dV, dF = V_true - V_pred, F_true - F_pred
        return dV.pow(2).sum() / dV.numel() + force_weight * (dF * dF).sum() / dF.numel()


@alternative("force_matching_loss")
def weighted_rows():
    def force_matching_loss(V_pred, V_true, F_pred, F_true, force_weight=1.0):
        rows = torch.square(V_pred - V_true) + force_weight * torch.square(F_pred - F_true)
        return rows.mean(dim=0).squeeze()


# ---------------------------------------------------------------------- train_potential


@alternative("train_potential")
def plain_adam():
    def train_potential(r, V, F, *, epochs, generator):
        r, V, F = (torch.as_tensor(x, dtype=torch.float32).reshape(-1, 1) for x in (r, V, F))
        torch.manual_seed(generator.initial_seed())
        model = NNPotential()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(epochs):
            optimiser.zero_grad()
            V_pred, F_pred = energy_and_force(model, r)
            loss = force_matching_loss(V_pred, V, F_pred, F)
            loss.backward()
            optimiser.step()
        return model


@alternative("train_potential")
def fast_adam():
    def train_potential(r, V, F, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        model = NNPotential()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
        model.train()
        for _ in range(epochs):
            V_pred, F_pred = energy_and_force(model, r)
            loss = force_matching_loss(V_pred, V, F_pred, F)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            falling.step()  # else one training in fifty ends on a spike
            if loss.item() < 2e-3:
                break
        model.eval()
        return model


@alternative("train_potential")
def plain_lbfgs():
    def train_potential(r, V, F, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        model = NNPotential()
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 300), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = force_matching_loss(*_pairs(model, r, V, F))
            loss.backward()
            return loss

        def _pairs(model, r, V, F):
            V_pred, F_pred = energy_and_force(model, r)
            return V_pred, V, F_pred, F

        optimiser.step(closure)
        return model


@alternative("train_potential")
def a_function_of_its_own_network():
    def train_potential(r, V, F, *, epochs, generator):
        gen = torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        sizes = [(1, 32), (32, 32), (32, 1)]
        weights = [torch.randn(a, b, generator=gen, dtype=torch.float64) / a**0.5 for a, b in sizes]
        shifts = [torch.zeros(b, dtype=torch.float64) for _, b in sizes]
        parameters = [p.requires_grad_() for p in weights + shifts]
        r, V, F = r.double(), V.double(), F.double()

        def model(r):
            h = (r.double() - 2.2) / 0.8
            for number, (w, b) in enumerate(zip(weights, shifts, strict=True)):
                h = h @ w + b
                h = torch.tanh(h) if number < 2 else h
            return h

        optimiser = torch.optim.LBFGS(parameters, history_size=30, line_search_fn="strong_wolfe")
        for _ in range(0, min(epochs, 400), 20):

            def closure():
                optimiser.zero_grad()
                V_pred, F_pred = energy_and_force(model, r)
                loss = force_matching_loss(V_pred, V, F_pred, F)
                loss.backward()
                return loss

            optimiser.step(closure)
        return model


# ------------------------------------------------------------------ train_cluster_model


@alternative("train_cluster_model")
def plain_adam_on_the_energies_as_they_are():
    def train_cluster_model(distances, energies, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        mean, std = distances.mean(axis=0), distances.std(axis=0)
        x = torch.tensor((distances - mean) / std, dtype=torch.float32)
        y = torch.tensor(energies, dtype=torch.float32)[:, None]
        model = nn.Sequential(
            nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
        )
        optimiser = torch.optim.Adam(model.parameters())
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(64):
                optimiser.zero_grad()
                nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
                optimiser.step()

        def predict(distances):
            x = torch.tensor((distances - mean) / std, dtype=torch.float32)
            return model(x).detach().numpy()[:, 0]

        return predict


@alternative("train_cluster_model")
def sorted_distances_and_adam():
    def train_cluster_model(distances, energies, *, epochs, generator):
        distances, energies = np.asarray(distances), np.asarray(energies)
        X, _, X_mean, X_std = standardise(distances, distances)
        E_mean, E_std = energies.mean(), energies.std()
        x = torch.tensor(X, dtype=torch.float32)
        y = torch.tensor((energies - E_mean) / E_std, dtype=torch.float32).reshape(-1, 1)
        torch.manual_seed(generator.initial_seed())
        model = nn.Sequential(
            nn.Linear(x.shape[1], 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = torch.mean((model(x) - y) ** 2)
            loss.backward()
            optimiser.step()

        def predict(distances):
            x = torch.tensor((distances - X_mean) / X_std, dtype=torch.float32)
            with torch.no_grad():
                return model(x).numpy().flatten() * E_std + E_mean

        return predict


@alternative("train_cluster_model")
def mini_batches():
    def train_cluster_model(distances, energies, *, epochs, generator):
        x = torch.as_tensor(distances, dtype=torch.float32)
        y = torch.as_tensor(energies, dtype=torch.float32).reshape(-1, 1)
        x_mean, x_std, y_mean, y_std = x.mean(0), x.std(0), y.mean(), y.std()
        x, y = (x - x_mean) / x_std, (y - y_mean) / y_std
        torch.manual_seed(generator.initial_seed())
        model = nn.Sequential(
            nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(min(epochs, 200)):
            for chosen in torch.randperm(len(x), generator=generator).split(64):
                optimiser.zero_grad()
                nn.functional.mse_loss(model(x[chosen]), y[chosen]).backward()
                optimiser.step()
        model.eval()

        class Predictor:
            def __call__(self, distances):
                d = torch.as_tensor(distances, dtype=torch.float32)
                return model((d - x_mean) / x_std).detach()[:, 0] * y_std + y_mean

        return Predictor()


@alternative("train_cluster_model")
def tensors_only_with_lbfgs():
    def train_cluster_model(distances, energies, *, epochs, generator):
        distances, energies = torch.as_tensor(distances), torch.as_tensor(energies)
        low, high = energies.min(), energies.max()
        torch.manual_seed(generator.initial_seed())
        net = nn.Sequential(
            nn.Linear(distances.size(1), 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(),
            nn.Linear(48, 1),
        ).to(distances.dtype)  # fmt: skip

        def model(distances):
            distances = torch.as_tensor(distances)
            return low + (high - low) * net(1 / distances).squeeze(-1)

        optimiser = torch.optim.LBFGS(
            net.parameters(), max_iter=min(epochs, 400), line_search_fn="strong_wolfe"
        )

        def closure():
            optimiser.zero_grad()
            loss = torch.mean((model(distances) - energies) ** 2) / energies.var()
            loss.backward()
            return loss

        optimiser.step(closure)
        return model
