"""Other right answers to ising."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.ising import (
    acceptance_probability,
    energy,
    energy_change,
    metropolis_step,
    metropolis_sweep,
)

# ----------------------------------------------------------------------- magnetisation


@alternative("magnetisation")
def sum_over_size():
    def magnetisation(spins):
        return spins.sum() / spins.size


@alternative("magnetisation")
def two_loops():
    def magnetisation(spins):
        total = 0
        for row in spins:
            for spin in row:
                total += int(spin)
        return total / len(spins) ** 2


@alternative("magnetisation")
def counting():
    def magnetisation(spins):
        up = np.count_nonzero(spins == 1)
        return 2 * up / spins.size - 1


@alternative("magnetisation")
def with_torch():
    def magnetisation(spins):
        return torch.tensor(spins).double().mean()


@alternative("magnetisation")
def an_array_of_one():
    def magnetisation(spins):
        return np.mean(spins, dtype=float, keepdims=True)


# ------------------------------------------------------------------------------ energy


@alternative("energy")
def double_loop():
    def energy(spins):
        L = spins.shape[0]
        total = 0
        for i in range(L):
            for j in range(L):
                right = int(spins[i, (j + 1) % L])
                below = int(spins[(i + 1) % L, j])
                total -= int(spins[i, j]) * (right + below)
        return total


@alternative("energy")
def half_of_four_neighbours():
    from scipy.ndimage import convolve

    def energy(spins):
        spins = np.asarray(spins, dtype=np.int64)
        cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        return -0.5 * np.sum(spins * convolve(spins, cross, mode="wrap"))


@alternative("energy")
def slices_and_edges():
    def energy(spins):
        s = spins.astype(float)
        inside = (s[1:] * s[:-1]).sum() + (s[:, 1:] * s[:, :-1]).sum()
        around = s[0] @ s[-1] + s[:, 0] @ s[:, -1]
        return -(inside + around)


@alternative("energy")
def padded_einsum():
    def energy(spins):
        wide = np.pad(spins.astype(np.float64), 1, mode="wrap")
        inner = wide[1:-1, 1:-1]
        return -np.einsum("ij,ij->", inner, wide[2:, 1:-1] + wide[1:-1, 2:])


@alternative("energy")
def with_a_matrix():
    def energy(spins):
        L = len(spins)
        shift = np.roll(np.eye(L), 1, axis=1)
        s = np.array(spins, dtype=float)
        return -np.trace(s.T @ shift @ s) - np.trace(s @ shift @ s.T)


# ----------------------------------------------------------------------- energy_change


@alternative("energy_change")
def difference_of_energies():
    def energy_change(spins, i, j):
        flipped = spins.copy()
        flipped[i, j] = -flipped[i, j]
        return energy(flipped) - energy(spins)


@alternative("energy_change")
def flips_there_and_back():
    def energy_change(spins, i, j):
        before = energy(spins)
        spins[i, j] *= -1
        after = energy(spins)
        spins[i, j] *= -1
        return after - before


@alternative("energy_change")
def negative_indices():
    def energy_change(spins, i, j):
        L = spins.shape[0]
        around = spins[i - 1, j] + spins[i - L + 1, j] + spins[i, j - 1] + spins[i, j - L + 1]
        return 2 * spins[i, j] * around


@alternative("energy_change")
def loop_over_directions():
    def energy_change(spins, i, j):
        L = len(spins)
        total = 0.0
        for di, dj in [(1, 0), (-1, 0), (0, 1), (0, -1)]:
            total += float(spins[(i + di) % L, (j + dj) % L])
        return 2.0 * float(spins[i, j]) * total


@alternative("energy_change")
def bonds_before_and_after():
    def energy_change(spins, i, j):
        L = len(spins)
        rows = [(i + 1) % L, (i - 1) % L, i, i]
        columns = [j, j, (j + 1) % L, (j - 1) % L]
        field = spins[rows, columns].sum()
        before, after = -spins[i, j] * field, spins[i, j] * field
        return np.asarray(after - before)


# -------------------------------------------------------------- acceptance_probability


@alternative("acceptance_probability")
def minimum_in_the_exponent():
    def acceptance_probability(delta_e, temperature):
        return np.exp(np.minimum(0.0, -np.asarray(delta_e) / temperature))


@alternative("acceptance_probability")
def where_with_a_safe_exponent():
    def acceptance_probability(delta_e, temperature):
        safe = np.where(np.asarray(delta_e) > 0, delta_e, 0.0)
        return np.where(np.asarray(delta_e) > 0, np.exp(-safe / temperature), 1.0)


@alternative("acceptance_probability")
def entry_by_entry():
    import math

    def acceptance_probability(delta_e, temperature):
        def single(d, t):
            return 1.0 if d <= 0 else math.exp(-d / t)

        if np.ndim(delta_e) == 0 and np.ndim(temperature) == 0:
            return single(delta_e, temperature)
        d, t = np.broadcast_arrays(delta_e, temperature)
        return np.array([single(a, b) for a, b in zip(d.flat, t.flat, strict=True)]).reshape(
            d.shape
        )


@alternative("acceptance_probability")
def clipped_in_single_precision():
    def acceptance_probability(delta_e, temperature):
        x = -np.asarray(delta_e, dtype=np.float32) / np.asarray(temperature, dtype=np.float32)
        return np.exp(np.clip(x, None, 0))


@alternative("acceptance_probability")
def cut_off_with_warnings_silenced():
    def acceptance_probability(delta_e, temperature):
        with np.errstate(over="ignore"):
            p = np.exp(-np.asarray(delta_e, dtype=float) / temperature)
        return np.minimum(p, 1.0)


# --------------------------------------------------------------------- metropolis_step


@alternative("metropolis_step")
def the_textbook_s_two_cases():
    import math

    def metropolis_step(spins, i, j, temperature, u):
        delta_e = energy_change(spins, i, j)
        if delta_e <= 0 or u < math.exp(-delta_e / temperature):
            spins[i, j] *= -1
            return True
        return False


@alternative("metropolis_step")
def logarithm_of_u():
    def metropolis_step(spins, i, j, temperature, u):
        cost = energy_change(spins, i, j)
        if u == 0:
            accept = np.exp(-max(cost, 0) / temperature) > 0
        else:
            accept = np.log(u) < -cost / temperature or cost <= 0
        spins[i, j] = spins[i, j] * (1 - 2 * int(accept))
        return np.bool_(accept)


@alternative("metropolis_step")
def energies_and_undoing():
    def metropolis_step(spins, i, j, temperature, u):
        before = energy(spins)
        np.negative(spins[i : i + 1, j], out=spins[i : i + 1, j])
        if u < min(1.0, np.exp(min(0.0, (before - energy(spins)) / temperature))):
            return True
        spins[i, j] = -spins[i, j]
        return False


@alternative("metropolis_step")
def probability_compared_as_an_array():
    def metropolis_step(spins, i, j, temperature, u):
        p = acceptance_probability(np.array([energy_change(spins, i, j)]), temperature)
        accepted = (u < p)[0]
        if accepted:
            spins[i, j] *= -1
        return accepted


# -------------------------------------------------------------------- metropolis_sweep


@alternative("metropolis_step")
def says_it_with_torch():
    def metropolis_step(spins, i, j, temperature, u):
        p = acceptance_probability(energy_change(spins, i, j), temperature)
        accepted = torch.as_tensor(u, dtype=torch.float64) < torch.as_tensor(p)
        if accepted:
            spins[i, j] *= -1
        return accepted


@alternative("metropolis_sweep")
def one_random_site_after_the_other():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        accepted = 0
        for _ in range(L**2):
            i, j = rng.integers(0, L, size=2)
            if metropolis_step(spins, i, j, temperature, rng.random()):
                accepted += 1
        return accepted


@alternative("metropolis_sweep")
def row_by_row():
    def metropolis_sweep(spins, temperature, rng):
        rows, columns = spins.shape
        return sum(
            metropolis_step(spins, i, j, temperature, rng.uniform())
            for i in range(rows)
            for j in range(columns)
        )


@alternative("metropolis_sweep")
def in_a_random_order():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        count = 0
        for site in rng.permutation(L * L):
            i, j = divmod(int(site), L)
            count += int(metropolis_step(spins, i, j, temperature, rng.random()))
        return count


@alternative("metropolis_sweep")
def through_whole_energies():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        accepted = np.int64(0)
        current = energy(spins)
        for k in range(L * L):
            i, j = k // L, k % L
            spins[i, j] *= -1
            proposed = energy(spins)
            if proposed > current and rng.random() >= np.exp((current - proposed) / temperature):
                spins[i, j] *= -1
            else:
                accepted += 1
                current = proposed
        return accepted


@alternative("metropolis_sweep")
def diagonal_by_diagonal():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        rows = np.arange(L)
        accepted = 0
        for d in range(L):
            # Sites of one diagonal are no neighbours, so they may be tried at once.
            columns = (rows + d) % L
            around = (
                spins[(rows + 1) % L, columns]
                + spins[rows - 1, columns]
                + spins[rows, (columns + 1) % L]
                + spins[rows, columns - 1]
            )
            p = acceptance_probability(2 * spins[rows, columns] * around, temperature)
            flipped = rng.random(L) < p
            spins[rows[flipped], columns[flipped]] *= -1
            accepted += int(np.sum(flipped))
        return accepted


@alternative("metropolis_sweep")
def chessboard_where_it_closes():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        if L % 2:
            return sum(
                metropolis_step(spins, i, j, temperature, rng.random())
                for i in range(L)
                for j in range(L)
            )
        white = np.indices((L, L)).sum(axis=0) % 2 == 0
        accepted = 0
        for colour in (white, ~white):
            around = sum(np.roll(spins, s, a) for s in (1, -1) for a in (0, 1))
            flips = colour & (
                rng.random((L, L)) < acceptance_probability(2 * spins * around, temperature)
            )
            spins[flips] *= -1
            accepted += flips.sum()
        return accepted


# --------------------------------------------------------------- sample_configurations


@alternative("sample_configurations")
def one_chain_from_order():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        samples = []
        for _ in range(n_samples):
            for _ in range(interval):
                metropolis_sweep(spins, temperature, rng)
            samples.append(spins.copy())
        return np.array(samples)


@alternative("sample_configurations")
def one_chain_from_a_random_start_in_the_heat():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = rng.choice([-1, 1], size=(L, L) if temperature > 2.269 else 1) * np.ones((L, L))
        samples = np.zeros((n_samples, L, L), dtype=np.int8)
        taken = sweep = 0
        while taken < n_samples:
            metropolis_sweep(spins, temperature, rng)
            sweep += 1
            if sweep >= equilibration and (sweep - equilibration) % interval == 0:
                samples[taken] = spins
                taken += 1
        return samples


@alternative("sample_configurations")
def a_chain_for_every_sample():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        shape = (L, L, n_samples)
        spins = np.broadcast_to(rng.choice([-1, 1], size=n_samples), shape).astype(np.int8)
        for _ in range(equilibration + interval):
            for i in range(L):
                for j in range(L):
                    around = (
                        spins[(i + 1) % L, j]
                        + spins[i - 1, j]
                        + spins[i, (j + 1) % L]
                        + spins[i, j - 1]
                    )
                    p = acceptance_probability(2 * spins[i, j] * around, temperature)
                    spins[i, j] *= np.where(rng.random(n_samples) < p, -1, 1).astype(np.int8)
        return np.moveaxis(spins, -1, 0)


@alternative("sample_configurations")
def everything_in_one_loop():
    import math

    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = [[1] * L for _ in range(L)]
        if temperature > 2.269:
            spins = [[int(s) for s in row] for row in rng.choice([-1, 1], size=(L, L))]
        configurations = []
        for sweep in range(equilibration + n_samples * interval):
            for _ in range(L * L):
                i, j = int(rng.random() * L), int(rng.random() * L)
                around = (
                    spins[(i + 1) % L][j]
                    + spins[(i - 1) % L][j]
                    + spins[i][(j + 1) % L]
                    + spins[i][(j - 1) % L]
                )
                delta_e = 2 * spins[i][j] * around
                if delta_e <= 0 or rng.random() < math.exp(-delta_e / temperature):
                    spins[i][j] = -spins[i][j]
            if sweep >= equilibration and (sweep - equilibration) % interval == 0:
                configurations.append([row[:] for row in spins])
        return np.array(configurations, dtype=np.int8)


@alternative("sample_configurations")
def a_heat_bath():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int64)

        def sweeps(count):
            for _ in range(count):
                for i in range(L):
                    for j in range(L):
                        h = spins[i - 1, j] + spins[(i + 1) % L, j]
                        h += spins[i, j - 1] + spins[i, (j + 1) % L]
                        up = rng.random() < 1 / (1 + np.exp(-2 * h / temperature))
                        spins[i, j] = 1 if up else -1
            return spins.astype(np.int8)

        sweeps(equilibration)
        return np.stack([sweeps(interval) for _ in range(n_samples)])


# -------------------------------------------------------------------- ising_classifier


@alternative("ising_classifier")
def dropout_by_hand_and_lazy_layers():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.hidden = nn.ModuleList([nn.LazyLinear(64), nn.LazyLinear(32)])
            self.output = nn.LazyLinear(2)

        def forward(self, x):
            for layer in self.hidden:
                x = layer(x).clamp(min=0)
                if self.training:
                    x = x * (torch.rand_like(x) > 0.2) / 0.8
            return self.output(x)


@alternative("ising_classifier")
def layer_by_layer():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.fc1 = nn.Linear(input_dim, 64)
            self.fc2 = nn.Linear(64, 32)
            self.fc3 = nn.Linear(32, 2)
            self.drop = nn.Dropout(p=0.5)

        def forward(self, x):
            x = torch.relu(self.fc1(x))
            x = self.drop(x)
            x = nn.functional.relu(self.fc2(x))
            return self.fc3(x)


@alternative("ising_classifier")
def dropout_after_both():
    from itertools import pairwise

    class IsingClassifier(torch.nn.Module):
        def __init__(self, input_dim, p=0.1):
            super().__init__()
            sizes = [input_dim, 64, 32]
            self.p = p
            self.hidden = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(sizes))
            self.out = torch.nn.Linear(sizes[-1], 2)

        def forward(self, x):
            x = x.flatten(1)
            for layer in self.hidden:
                x = torch.clamp(layer(x), min=0)
                x = torch.nn.functional.dropout(x, self.p, training=self.training)
            return self.out(x)


@alternative("ising_classifier")
def weights_by_hand():
    from itertools import pairwise

    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            sizes = (input_dim, 64, 32, 2)
            self.weights = nn.ParameterList(
                torch.randn(a, b) * (2 / a) ** 0.5 for a, b in pairwise(sizes)
            )
            self.biases = nn.ParameterList(torch.zeros(b) for b in sizes[1:])

        def forward(self, x):
            for number, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
                x = x @ W + b
                if number < 2:
                    x = x * (x > 0)
                if number == 0 and self.training:
                    x = x * (torch.rand_like(x) > 0.2) / 0.8
            return x


@alternative("ising_classifier")
def a_sequential_itself():
    class IsingClassifier(nn.Sequential):
        def __init__(self, input_dim):
            layers = [nn.Linear(input_dim, 64), nn.ReLU(), nn.Dropout(0.25)]
            layers += [nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.25), nn.Linear(32, 2)]
            super().__init__(*layers)


@alternative("ising_classifier")
def means_at_first_in_double_precision():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(input_dim, 64), nn.ReLU(), nn.Dropout(0.2),
                nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2),
            )  # fmt: skip
            nn.init.constant_(self.layers[0].weight, 1 / input_dim)
            self.double()

        def forward(self, x):
            return self.layers(x.double())


@alternative("ising_classifier")
def last_layer_that_begins_at_zero():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.hidden = nn.Sequential(
                nn.Linear(input_dim, 64), nn.ReLU(), nn.Dropout(0.3),
                nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3),
            )  # fmt: skip
            self.logits = nn.Linear(32, 2)
            for weights in self.logits.parameters():
                nn.init.zeros_(weights)

        def forward(self, x):
            return self.logits(self.hidden(x))


# -------------------------------------------------------------------- train_classifier


@alternative("train_classifier")
def data_loader_and_adam():
    from torch.utils.data import DataLoader, TensorDataset

    def train_classifier(model, X, y, *, epochs, generator):
        X = torch.tensor(np.array(X), dtype=torch.float32)
        y = torch.tensor(np.array(y), dtype=torch.long)
        loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True, generator=generator)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        criterion = nn.CrossEntropyLoss()
        history = []
        for _ in range(epochs):
            model.train()
            losses = []
            for xb, yb in loader:
                optimizer.zero_grad()
                loss = criterion(model(xb), yb)
                loss.backward()
                optimizer.step()
                losses += [loss.item()] * len(xb)
            history.append(sum(losses) / len(losses))
        model.eval()
        return history


@alternative("train_classifier")
def flips_signs_and_seeds_inside():
    def train_classifier(model, X, y, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        X, y = torch.as_tensor(X).float(), torch.as_tensor(y).long()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        history = []
        for _ in range(epochs):
            model.train()
            order, total = torch.randperm(len(X)), 0.0
            flipped = X * (2 * torch.randint(2, (len(X), 1)) - 1)
            for rows in order.split(32):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(model(flipped[rows]), y[rows])
                loss.backward()
                optimiser.step()
                total += len(rows) * loss.item()
            history.append(total / len(X))
        model.eval()
        return history


@alternative("train_classifier")
def looks_the_data_through_after_each_epoch():
    def train_classifier(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X).float(), torch.as_tensor(y).long()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        history = []
        for _ in range(epochs):
            model.train()
            for rows in torch.randperm(len(X), generator=generator).split(32):
                optimiser.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimiser.step()
            model.eval()
            with torch.no_grad():
                history.append(nn.functional.cross_entropy(model(X), y).item())
        return history


@alternative("train_classifier")
def momentum_and_larger_batches():
    def train_classifier(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X).to(torch.float32), torch.as_tensor(y).to(torch.int64)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        history = []
        model.train()
        for _ in range(epochs):
            order = torch.randperm(len(X), generator=generator)
            total = torch.tensor(0.0)
            for start in range(0, len(X), 64):
                rows = order[start : start + 64]
                loss = nn.functional.cross_entropy(model(X[rows]), y[rows], reduction="sum")
                (loss / len(rows)).backward()
                optimiser.step()
                optimiser.zero_grad()
                total += loss.detach()
            history.append(total / len(X))
        model.train(False)
        return history


@alternative("train_classifier")
def stops_early():
    def train_classifier(model, X, y, *, epochs, generator):
        x = torch.from_numpy(np.asarray(X, dtype=np.float32).copy())
        c = torch.from_numpy(np.asarray(y, dtype=np.int64).copy())
        x, c = torch.cat([x, -x]), torch.cat([c, c])
        optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
        model.train()
        losses = []
        while len(losses) < epochs:
            order = torch.randperm(len(x), generator=generator)
            mean = 0.0
            for rows in torch.chunk(order, max(1, len(x) // 50)):
                log_p = nn.functional.log_softmax(model(x[rows]), dim=1)
                loss = -log_p.gather(1, c[rows, None]).mean()
                for weights in model.parameters():
                    weights.grad = None
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                mean += float(loss) * len(rows) / len(x)
            losses.append(mean)
            if mean < 0.02:
                break
        model.eval()
        return np.array(losses)


@alternative("train_classifier")
def watches_a_part_that_it_keeps_back():
    def train_classifier(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X).float(), torch.as_tensor(y).long()
        order = torch.randperm(len(X), generator=generator)
        kept, used = order[: len(X) // 10], order[len(X) // 10 :]
        optimiser = torch.optim.RMSprop(model.parameters(), lr=5e-4)
        history, best, state = [], float("inf"), None
        for _ in range(epochs):
            model.train()
            sums, count = 0.0, 0
            shuffled = used[torch.randperm(len(used), generator=generator)]
            for i in range(0, len(shuffled), 25):
                rows = shuffled[i : i + 25]
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
                loss.backward()
                optimiser.step()
                sums, count = sums + loss.item() * len(rows), count + len(rows)
            history.append(sums / count)
            model.eval()
            with torch.no_grad():
                held_out = nn.functional.cross_entropy(model(X[kept]), y[kept]).item()
            if held_out < best:
                best, state = held_out, {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict(state)
        return history


# ---------------------------------------------------------------- critical_temperature


@alternative("critical_temperature")
def interp_after_a_look():
    def critical_temperature(temperatures, p_disordered):
        if np.min(p_disordered) > 0.5 or np.max(p_disordered) < 0.5:
            raise ValueError("no crossing")
        return np.interp(0.5, p_disordered, temperatures)


@alternative("critical_temperature")
def a_loop_over_intervals():
    def critical_temperature(temperatures, p_disordered):
        for n in range(len(temperatures) - 1):
            T0, T1 = temperatures[n], temperatures[n + 1]
            p0, p1 = p_disordered[n], p_disordered[n + 1]
            if p0 <= 0.5 <= p1:
                return T0 + (0.5 - p0) * (T1 - T0) / (p1 - p0)
        raise ValueError("the probability does not cross one half")


@alternative("critical_temperature")
def a_root_of_scipy():
    def critical_temperature(temperatures, p_disordered):
        from scipy.interpolate import interp1d
        from scipy.optimize import brentq

        curve = interp1d(temperatures, np.asarray(p_disordered) - 0.5)
        # brentq raises ValueError itself where both ends have the same sign.
        return brentq(curve, temperatures[0], temperatures[-1], xtol=1e-14, rtol=1e-14)


@alternative("critical_temperature")
def weighted_ends():
    def critical_temperature(temperatures, p_disordered):
        d = np.array(p_disordered, dtype=float) - 0.5
        sign = np.sign(d)
        if 0 in sign:
            return temperatures[int(np.argmin(np.abs(sign)))]
        change = np.where(np.diff(sign) != 0)[0]
        if change.size == 0:
            raise ValueError
        k = change[0]
        return (temperatures[k] * d[k + 1] - temperatures[k + 1] * d[k]) / (d[k + 1] - d[k])


@alternative("critical_temperature")
def an_array_of_one_entry():
    def critical_temperature(temperatures, p_disordered):
        T, p = np.asarray(temperatures, dtype=float), np.asarray(p_disordered, dtype=float)
        exact = np.flatnonzero(p == 0.5)
        if len(exact):
            return T[exact[:1]]
        before = np.flatnonzero(np.diff(np.sign(p - 0.5)))
        if len(before) == 0:
            raise ValueError("no crossing")
        return T[before] + (0.5 - p[before]) / np.diff(p)[before] * np.diff(T)[before]
