"""Other right answers to symmetry."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.symmetry import pool

# --------------------------------------------------------------------------------- pool


@alternative("pool")
def weights_of_zero_and_one():
    def pool(features, mask=None, kind="sum"):
        if mask is None:
            mask = torch.ones(features.shape[:2], dtype=torch.bool)
        m = mask.unsqueeze(-1).to(features.dtype)
        if kind == "sum":
            return (features * m).sum(1)
        if kind == "mean":
            return (features * m).sum(1) / m.sum(1).clamp(min=1)
        if features.shape[1] == 0:
            return features.sum(1)
        filled = features.masked_fill(~mask.unsqueeze(-1), float("-inf"))
        return torch.where(mask.any(1, keepdim=True), filled.max(dim=1).values, 0 * features[:, 0])


@alternative("pool")
def set_by_set():
    def pool(features, mask=None, kind="sum"):
        rows = []
        for number, elements in enumerate(features):
            kept = elements if mask is None else elements[mask[number]]
            if len(kept) == 0:
                rows.append(torch.zeros_like(features[number].sum(dim=0)))
            elif kind == "sum":
                rows.append(kept.sum(dim=0))
            elif kind == "mean":
                rows.append(kept.mean(dim=0))
            else:
                rows.append(kept.max(dim=0)[0])
        return torch.stack(rows)


@alternative("pool")
def einsum_and_a_large_negative_number():
    def pool(features, mask=None, kind="sum"):
        B, n = features.shape[:2]
        ones = torch.ones((B, n), dtype=features.dtype)
        weights = ones if mask is None else mask * ones
        total = torch.einsum("bnh,bn->bh", features, weights)
        count = weights.sum(dim=1)[:, None]
        match kind:
            case "sum":
                return total
            case "mean":
                return total / torch.maximum(count, torch.tensor(1.0, dtype=features.dtype))
            case "max":
                if n == 0:
                    return total
                low = (features - 1e9 * (1 - weights)[..., None]).amax(1)
                chosen = torch.where(
                    weights[..., None] > 0, features, torch.full_like(features, -1e9)
                )
                return torch.where(count > 0, chosen.amax(1), torch.zeros_like(low))


@alternative("pool")
def element_by_element():
    def pool(features, mask=None, kind="sum"):
        B, n, h = features.shape
        result = torch.zeros(B, h, dtype=features.dtype)
        for b in range(B):
            counted = [features[b, i] for i in range(n) if mask is None or mask[b, i]]
            if not counted:
                continue
            row = counted[0]
            for element in counted[1:]:
                row = torch.maximum(row, element) if kind == "max" else row + element
            result[b] = row / len(counted) if kind == "mean" else row
        return result


# ---------------------------------------------------------------------------- deep_sets


@alternative("deep_sets")
def rho_that_begins_at_zero():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.in_dim, self.pooling = in_dim, pooling
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden)
            )
            self.rho = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU())
            self.last = nn.Linear(hidden, out_dim)
            nn.init.zeros_(self.last.weight)

        def forward(self, x):
            x = x.reshape(*x.shape[:2], self.in_dim)
            return self.last(self.rho(pool(self.phi(x), kind=self.pooling)))


@alternative("deep_sets")
def first_weights_next_to_nothing():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            self.phi = nn.Sequential(nn.Linear(in_dim, 64), nn.Tanh(), nn.Linear(64, hidden))
            self.rho = nn.Sequential(nn.Linear(hidden, 64), nn.Tanh(), nn.Linear(64, out_dim))
            self.apply(self.start)

        @staticmethod
        def start(layer):
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.05)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            if x.dim() == 2:
                x = x.unsqueeze(-1)
            return self.rho(pool(self.phi(x), kind=self.pooling))


@alternative("deep_sets")
def with_relu_and_torch_s_own_pooling():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)
            )
            self.pooling = pooling

        def forward(self, x):
            if x.dim() == 2:
                x = x[:, :, None]
            features = self.phi(x)
            if self.pooling == "sum":
                pooled = features.sum(dim=1)
            elif self.pooling == "mean":
                pooled = features.mean(dim=1)
            else:
                pooled, _ = features.max(dim=1)
            return self.rho(pooled)


@alternative("deep_sets")
def weights_by_hand_in_double_precision():
    class DeepSets(torch.nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()

            def weights(n, m):
                return nn.Parameter(torch.randn(n, m, dtype=torch.float64) / n**0.5)

            def bias(m):
                return nn.Parameter(0.1 * torch.randn(m, dtype=torch.float64))

            self.W1, self.b1 = weights(in_dim, hidden), bias(hidden)
            self.W2, self.b2 = weights(hidden, hidden), bias(hidden)
            self.W3, self.b3 = weights(hidden, out_dim), bias(out_dim)
            self.in_dim = in_dim
            self.pooling = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[pooling]

        def forward(self, x):
            x = x.double().reshape(x.shape[0], -1, self.in_dim)
            features = torch.tanh(x @ self.W1 + self.b1)
            return torch.tanh(self.pooling(features, dim=1) @ self.W2 + self.b2) @ self.W3 + self.b3


@alternative("deep_sets")
def one_element_after_another():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.layers = nn.ModuleList(
                [nn.Linear(in_dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, out_dim)]
            )
            self.norm = nn.LayerNorm(hidden)
            self.kind = pooling

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(2)
            seen = [
                self.norm(nn.functional.gelu(self.layers[0](x[:, i]))) for i in range(x.shape[1])
            ]
            pooled = pool(torch.stack(seen, dim=1), None, self.kind)
            return self.layers[2](nn.functional.gelu(self.layers[1](pooled)))


@alternative("deep_sets")
def relu_and_biases_that_start_at_zero():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)
            )
            self.pooling = pooling
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    nn.init.xavier_normal_(layer.weight)
                    nn.init.zeros_(layer.bias)

        def forward(self, x):
            x = x if x.dim() == 3 else x[..., None]
            return self.rho(pool(self.phi(x), kind=self.pooling))


# ---------------------------------------------------------------------------- naive_mlp


@alternative("naive_mlp")
def output_that_begins_at_zero():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.hidden, self.output = nn.Linear(n_inputs, 32), nn.Linear(32, 1)
            nn.init.zeros_(self.output.weight)

        def forward(self, x):
            return self.output(torch.relu(self.hidden(x)))


@alternative("naive_mlp")
def tanh_without_biases_at_first():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.hidden = nn.Linear(n_inputs, 32)
            self.out = nn.Linear(32, 1)
            for layer in (self.hidden, self.out):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            return self.out(torch.tanh(self.hidden(x)))


@alternative("naive_mlp")
def relu_without_biases_at_first():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.hidden = nn.Linear(n_inputs, 32)
            self.out = nn.Linear(32, 1)
            for layer in (self.hidden, self.out):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            return self.out(nn.functional.relu(self.hidden(x)))


@alternative("naive_mlp")
def layers_with_two_names():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.hidden = nn.Linear(n_inputs, 32)
            self.out = nn.Linear(32, 1)
            self.net = nn.Sequential(self.hidden, nn.Tanh(), self.out)

        def forward(self, x):
            return self.net(x)


@alternative("naive_mlp")
def layers_one_by_one():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.first = nn.Linear(n_inputs, 32)
            self.last = nn.Linear(32, 1)

        def forward(self, x):
            return self.last(torch.tanh(self.first(x)))


@alternative("naive_mlp")
def in_double_precision():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(n_inputs, 32), nn.GELU(), nn.Linear(32, 1)).double()

        def forward(self, x):
            return self.net(x)


@alternative("naive_mlp")
def built_at_the_first_call():
    class NaiveMLP(nn.Module):
        def __init__(self, n_inputs=3):
            super().__init__()
            self.layers = nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(1))

        def forward(self, x):
            return self.layers(x)


@alternative("naive_mlp")
def a_sequential_itself():
    class NaiveMLP(nn.Sequential):
        def __init__(self, n_inputs=3):
            super().__init__(nn.Linear(n_inputs, 32), nn.Sigmoid(), nn.Linear(32, 1))


# ------------------------------------------------------- invariance and equivariance error


@alternative("invariance_error")
def without_a_graph():
    def invariance_error(f, x, transform):
        with torch.no_grad():
            before = f(x)
            after = f(transform(x))
        return float(torch.max(torch.abs(after - before)))


@alternative("invariance_error")
def in_numpy():
    def invariance_error(f, x, transform):
        after, before = (f(y).detach().numpy() for y in (transform(x.clone()), x.clone()))
        return np.max(np.abs(after - before))


@alternative("invariance_error")
def entry_by_entry():
    def invariance_error(f, x, transform):
        largest = 0.0
        for a, b in zip(f(transform(x)).flatten().tolist(), f(x).flatten().tolist(), strict=True):
            largest = max(largest, abs(a - b))
        return largest


@alternative("invariance_error")
def as_a_norm():
    def invariance_error(f, x, transform):
        return torch.linalg.vector_norm(f(x) - f(transform(x)), ord=torch.inf).detach()


@alternative("equivariance_error")
def an_invariance_error_in_disguise():
    def equivariance_error(f, x, transform_in, transform_out):
        one = f(transform_in(x)).detach()
        other = transform_out(f(x)).detach()
        return max((one - other).max().item(), (other - one).max().item())


@alternative("equivariance_error")
def largest_in_numpy():
    def equivariance_error(f, x, transform_in, transform_out):
        with torch.no_grad():
            difference = transform_out(f(x)) - f(transform_in(x))
        return float(np.abs(difference.numpy()).max())


@alternative("equivariance_error")
def as_a_distance():
    def equivariance_error(f, x, transform_in, transform_out):
        return torch.dist(f(transform_in(x)), transform_out(f(x)), p=float("inf")).item()


# ---------------------------------------------------------------------- random_rotation


@alternative("random_rotation")
def random_quaternion():
    def random_rotation(rng):
        w, x, y, z = (q := rng.standard_normal(4)) / np.linalg.norm(q)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )


@alternative("random_rotation")
def scipy_s_rotation():
    def random_rotation(rng):
        from scipy.spatial.transform import Rotation

        return Rotation.random(random_state=rng).as_matrix()


@alternative("random_rotation")
def scipy_s_group():
    def random_rotation(rng):
        from scipy.stats import special_ortho_group

        return special_ortho_group.rvs(3, random_state=rng)


@alternative("random_rotation")
def gram_schmidt():
    def random_rotation(rng):
        first = rng.normal(size=3)
        first /= np.linalg.norm(first)
        second = rng.normal(size=3)
        second -= first * (first @ second)
        second /= np.linalg.norm(second)
        return np.array([first, second, np.cross(first, second)]).astype(np.float32)


@alternative("random_rotation")
def euler_angles_with_a_uniform_cosine():
    def random_rotation(rng):
        def about_z(angle):
            c, s = np.cos(angle), np.sin(angle)
            return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])

        a, b = rng.uniform(0, 2 * np.pi, 2)
        cos = rng.uniform(-1, 1)
        sin = np.sqrt(1 - cos**2)
        tilt = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        return about_z(a) @ tilt @ about_z(b)


@alternative("random_rotation")
def axis_and_angle_by_rejection():
    def random_rotation(rng):
        while True:
            axis = rng.uniform(-1, 1, 3)
            if 1e-6 < axis @ axis < 1:
                break
        x, y, z = axis / np.sqrt(axis @ axis)
        while True:
            angle = rng.uniform(0, np.pi)
            if rng.uniform(0, 2) < 1 - np.cos(angle):
                break
        K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


@alternative("random_rotation")
def polar_decomposition():
    def random_rotation(rng):
        U, _, Vt = np.linalg.svd(rng.normal(size=(3, 3)))
        R = U @ Vt
        return R if np.linalg.det(R) > 0 else -R


@alternative("random_rotation")
def qr_and_a_column_turned():
    def random_rotation(rng):
        from scipy.linalg import qr

        Q, upper = qr(rng.normal(size=(3, 3)))
        Q = Q @ np.diag(np.sign(np.diag(upper)))
        if np.linalg.det(Q) < 0:
            Q[:, 0] = -Q[:, 0]
        return Q


# ----------------------------------------------------------------- cluster_energy_model


@alternative("cluster_energy_model")
def deep_sets_of_distances():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.phi = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
            self.rho = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

        def forward(self, positions):
            n_atoms = positions.shape[1]
            i, j = np.triu_indices(n_atoms, k=1)
            distances = torch.linalg.norm(positions[:, i] - positions[:, j], dim=2)
            return self.rho(pool(self.phi(distances.unsqueeze(-1)))).squeeze(-1)

    def forces(model, positions):
        x = positions.clone().detach()
        x.requires_grad = True
        model(x).sum().backward()
        return -x.grad


@alternative("cluster_energy_model")
def pair_after_pair():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.phi = nn.Sequential(
                nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(),
            )  # fmt: skip
            self.rho = nn.Linear(hidden, 1)
            self.hidden = hidden

        def forward(self, positions):
            total = torch.zeros(len(positions), self.hidden, dtype=positions.dtype)
            for i in range(positions.shape[1]):
                for j in range(i):
                    r = (positions[:, i] - positions[:, j]).square().sum(dim=1, keepdim=True).sqrt()
                    total = total + self.phi(r)
            return self.rho(total)[:, 0]

    def forces(model, positions):
        x = positions.detach().requires_grad_()
        energy = model(x)
        return -torch.autograd.grad(energy, x, grad_outputs=torch.ones_like(energy))[0]


@alternative("cluster_energy_model")
def gram_matrix_and_a_smooth_cut_off():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.net = nn.Sequential(nn.LazyLinear(hidden), nn.Softplus(), nn.LazyLinear(1))

        def forward(self, positions):
            gram = positions @ positions.transpose(1, 2)
            own = gram.diagonal(dim1=1, dim2=2)
            i, j = torch.triu_indices(positions.shape[1], positions.shape[1], 1)
            r = (own[:, i] + own[:, j] - 2 * gram[:, i, j]).clamp(min=1e-9).sqrt()
            weight = torch.where(r < 4, (1 - (r / 4) ** 2) ** 3, 0 * r)
            return (weight * self.net(1 / r.unsqueeze(-1)).squeeze(-1)).sum(dim=1)

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


@alternative("cluster_energy_model")
def gaussians_that_learn_their_widths():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.middle = nn.Parameter(torch.linspace(0.8, 3, hidden))
            self.width = nn.Parameter(torch.full((hidden,), 8.0))  # below zero they grow
            self.energy = nn.Linear(hidden, 1)

        def forward(self, positions):
            i, j = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)
            r = torch.linalg.vector_norm(positions[:, i] - positions[:, j], dim=-1, keepdim=True)
            bumps = torch.exp(-self.width * (r - self.middle) ** 2)
            return self.energy(bumps).sum(dim=(1, 2))

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(model(x).sum(), x)
        return -slope


@alternative("cluster_energy_model")
def last_layer_that_begins_at_zero():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.hidden = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
            )
            self.energy = nn.Linear(hidden, 1, bias=False)
            nn.init.zeros_(self.energy.weight)

        def forward(self, positions):
            i, j = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)
            r = torch.linalg.vector_norm(positions[:, i] - positions[:, j], dim=-1, keepdim=True)
            return self.energy(self.hidden(4 / r - 2)).sum(dim=(1, 2))

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(model(x).sum(), x)
        return -slope


@alternative("cluster_energy_model")
def an_energy_for_every_atom():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.around = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
            self.atom = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

        def forward(self, positions):
            n_atoms = positions.shape[1]
            itself = torch.eye(n_atoms, dtype=positions.dtype)
            distances = torch.cdist(positions, positions) + itself
            features = self.around(1 / distances.unsqueeze(-1))
            features = features * (1 - itself)[None, :, :, None]
            return self.atom(features.sum(dim=2)).sum(dim=(1, 2))

    def forces(model, positions):
        return torch.func.grad(lambda x: -model(x).sum())(positions.detach())


@alternative("cluster_energy_model")
def squared_distances_in_double_precision():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(2, hidden), nn.Softplus(), nn.Linear(hidden, hidden), nn.Softplus(),
                nn.Linear(hidden, 1),
            ).double()  # fmt: skip

        def forward(self, positions):
            x = positions.double()
            separation = x.unsqueeze(1) - x.unsqueeze(2)
            squared = (separation**2).sum(dim=-1)
            upper = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
            squared = squared[:, upper].unsqueeze(-1)
            features = torch.cat([1 / squared, 1 / squared**3], dim=-1)
            return self.net(features).sum(dim=1).reshape(-1)

    def forces(model, positions):
        with torch.enable_grad():
            x = positions.detach().clone().requires_grad_(True)
            rows = [
                torch.autograd.grad(energy, x, retain_graph=True)[0][b]
                for b, energy in enumerate(model(x))
            ]
        return -torch.stack(rows)


# ------------------------------------------------------------------- train_energy_model


@alternative("train_energy_model")
def plain_adam():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
        history = []
        model.train()
        for _ in range(min(epochs, 250)):
            optimiser.zero_grad()
            loss = nn.functional.mse_loss(model(positions), energies)
            loss.backward()
            optimiser.step()
            history.append(loss.item())
        model.eval()
        return history


@alternative("train_energy_model")
def fast_adam_with_decay():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        dtype = next(model.parameters()).dtype
        positions = torch.as_tensor(positions, dtype=dtype)
        energies = torch.as_tensor(energies, dtype=dtype)
        scale = energies.var()
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0)
        steps = min(epochs, 250)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        history = []
        for _ in range(steps):
            loss = ((model(positions) - energies) ** 2).mean() / scale
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            history.append(float(loss.detach()))
        model.eval()
        return history


@alternative("train_energy_model")
def mini_batches():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
        history = []
        model.train()
        for _ in range(min(epochs, 40)):
            total = 0.0
            for chosen in torch.randperm(len(positions), generator=generator).split(64):
                optimiser.zero_grad()
                loss = torch.mean((model(positions[chosen]) - energies[chosen]) ** 2)
                loss.backward()
                optimiser.step()
                total += loss.item() * len(chosen)
            history.append(total / len(positions))
        model.eval()
        return history


@alternative("train_energy_model")
def lbfgs_in_one_call():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        positions, energies = torch.as_tensor(positions), torch.as_tensor(energies)
        optimiser = torch.optim.LBFGS(
            model.parameters(), max_iter=min(epochs, 100), line_search_fn="strong_wolfe"
        )
        history = []

        def closure():
            optimiser.zero_grad()
            loss = (model(positions) - energies).square().mean()
            loss.backward()
            history.append(loss.item())
            return loss

        optimiser.step(closure)
        model.eval()
        return history


@alternative("train_energy_model")
def stops_when_nothing_is_gained():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        known, held = positions[::5], positions[1::5]
        train = torch.arange(len(positions)) % 5 != 1
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        history, best, waited, weights = [], float("inf"), 0, None
        for _ in range(epochs):
            model.train()
            optimiser.zero_grad()
            loss = torch.mean((model(positions[train]) - energies[train]) ** 2)
            loss.backward()
            optimiser.step()
            history.append(loss.item())
            model.eval()
            with torch.no_grad():
                error = torch.mean((model(held) - energies[1::5]) ** 2).item()
            waited += 1
            if error < best:
                best, waited = error, 0
                weights = {key: value.clone() for key, value in model.state_dict().items()}
            if waited > 25:
                break
        model.load_state_dict(weights)
        return history


@alternative("train_energy_model")
def scaled_in_the_last_layer():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        scale = energies.std()
        *_, last = (layer for layer in model.modules() if isinstance(layer, nn.Linear))
        parameters = [*model.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=1e-2, weight_decay=1e-4)
        steps, history = min(epochs, 300), []
        pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-2, total_steps=max(steps, 10))
        for _ in range(steps):
            model.train()
            loss = nn.functional.mse_loss(model(positions), energies / scale)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            pace.step()
            history.append(loss.item() * float(scale) ** 2)
        with torch.no_grad():
            last.weight *= scale
            last.bias *= scale
        model.eval()
        return history
