"""Two argon atoms, small clusters, and networks that learn their energies and forces.

Energies in units of ε, lengths in units of σ. A positive pair force pushes the atoms apart.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn


def lj_potential(
    r: float | np.ndarray, epsilon: float = 1.0, sigma: float = 1.0
) -> float | np.ndarray:
    """Energy of two atoms at distance r: V(r) = 4ε [(σ/r)¹² − (σ/r)⁶].

    r: a number or an array of floats, of any shape, in the unit of sigma; positive.
    epsilon: depth of the well, the unit of energy. sigma: the distance where V = 0.

    Returns V in the unit of epsilon: a number for a number, an array of r's shape for an array.
    Positive inside σ (the atoms repel), negative outside, zero far away.

    Example: lj_potential(2 ** (1 / 6)) is −1, the bottom of the well.
    """
    attraction = (sigma / r) ** 6
    return 4 * epsilon * (attraction**2 - attraction)


def lj_force(r: float | np.ndarray, epsilon: float = 1.0, sigma: float = 1.0) -> float | np.ndarray:
    """Force between two atoms along the line that joins them: F(r) = −dV/dr.

    r, epsilon, sigma: as in lj_potential.

    Returns F in units of epsilon / sigma: a number for a number, an array of r's shape for an
    array. Positive where the atoms repel, negative where they attract. Differentiated by hand or
    through autograd: exact to rounding, not by small steps.

    Example: lj_force(1.0) is 24.
    """
    attraction = (sigma / r) ** 6
    return 24 * epsilon * (2 * attraction**2 - attraction) / r


def pairwise_distances(positions: np.ndarray) -> np.ndarray:
    """Distances of all pairs of atoms, each pair once, in ascending order.

    positions: array (N, 3).

    Returns an array (N(N−1)/2,); for a single atom it is empty, with shape (0,). Sorting makes
    the list independent of how the atoms are numbered.

    Example: atoms at (0, 0, 0), (0, 4, 0) and (3, 0, 0) give [3, 4, 5].
    """
    first, second = np.triu_indices(len(positions), k=1)
    return np.sort(np.linalg.norm(positions[first] - positions[second], axis=1))


def cluster_energy(positions: np.ndarray, epsilon: float = 1.0, sigma: float = 1.0) -> float:
    """Energy of a cluster: the Lennard-Jones energy of its pairs, each pair counted once.

    positions: array (N, 3), in the unit of sigma; N may be 1, which gives 0.

    Returns one number in the unit of epsilon.

    Example: three atoms, each 2 ** (1 / 6) from the two others, give −3: three full bonds.
    """
    return float(np.sum(lj_potential(pairwise_distances(positions), epsilon, sigma)))


def cluster_forces(positions: np.ndarray, epsilon: float = 1.0, sigma: float = 1.0) -> np.ndarray:
    """Force on every atom of a cluster, minus the gradient of cluster_energy.

    positions: array (N, 3) of floats. The force on atom i is Σ_j F(r_ij) (x_i − x_j) / r_ij
    over all other atoms j, where F is lj_force: a positive F pushes i away from j.

    Returns an array (N, 3) in units of epsilon / sigma, one row for each atom, in the order of
    the positions; zeros for a single atom. The rows add up to zero. Exact to rounding, not by
    small steps of the energy.

    Example: atoms at (0, 0, 0) and (1, 0, 0) feel (−24, 0, 0) and (24, 0, 0).
    """
    separation = positions[:, None, :] - positions[None, :, :]
    distance = np.linalg.norm(separation, axis=2)
    np.fill_diagonal(distance, 1.0)  # any number but 0: an atom's separation from itself is 0
    pull = lj_force(distance, epsilon, sigma) / distance
    return np.sum(pull[:, :, None] * separation, axis=1)


def sample_clusters(
    n_samples: int,
    n_atoms: int,
    min_distance: float,
    rng: np.random.Generator,
    scale: float = 0.8,
) -> np.ndarray:
    """Random clusters whose atoms keep a distance from each other.

    All coordinates are drawn from the normal distribution with mean 0 and standard deviation
    scale. A cluster in which any two atoms are closer than min_distance is thrown away as a
    whole and another one is drawn, until there are n_samples.

    rng: the only source of random numbers, so that a seed gives the same clusters again.

    Returns an array (n_samples, n_atoms, 3).

    Example: sample_clusters(100, 4, 0.9, np.random.default_rng(0)) has shape (100, 4, 3), and
    every pair is at least 0.9 apart.
    """
    clusters: list[np.ndarray] = []
    while len(clusters) < n_samples:
        positions = rng.normal(0.0, scale, size=(n_atoms, 3))
        if np.all(pairwise_distances(positions) >= min_distance):
            clusters.append(positions)
    return np.array(clusters).reshape(n_samples, n_atoms, 3)


def standardise(
    train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shift and scale every column so that the training data have mean 0 and deviation 1.

    train: array (n, d). test: array (m, d), treated with the mean and the deviation of train:
    what a network meets later may not shape its input. The standard deviation is that of the
    population (divided by n, not n − 1). A column that is constant in train is only shifted:
    its deviation is returned as 1, so that nothing is divided by zero. Nothing else is added.

    Returns (train_n, test_n, mean, std) with shapes (n, d), (m, d), (d,) and (d,).

    Example: train = [[1.0], [3.0]], test = [[5.0]] give [[−1], [1]], [[3]], [2] and [1].
    """
    mean = train.mean(axis=0)
    std = train.std(axis=0)
    std = np.where(np.ptp(train, axis=0) == 0, 1.0, std)
    return (train - mean) / std, (test - mean) / std, mean, std


class NNPotential(nn.Module):
    """A network for the energy of two atoms: columns r (N, 1) → V (N, 1).

    Two hidden layers of `hidden` units with a smooth activation (tanh, say), then one linear
    output, all with biases: NNPotential(64) has 4353 parameters. Smooth, because the force is its
    slope: with ReLU the force would be a staircase.

    Example: NNPotential(hidden=64)(torch.ones(5, 1)) has shape (5, 1).
    """

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.centre, self.width = 0.0, 1.0  # train_potential sets them to those of its data
        self.hidden = nn.Sequential(
            nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        self.output = nn.Linear(hidden, 1)

    def forward(self, r: torch.Tensor) -> torch.Tensor:
        x = ((r - self.centre) / self.width).to(self.output.weight.dtype)
        return self.output(self.hidden(x)).to(r.dtype)


def energy_and_force(
    model: Callable[[torch.Tensor], torch.Tensor], r: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Energies and forces of a model, the forces through autograd, F = −dV/dr, so that they are
    exact to rounding.

    model: any differentiable function of columns, r (N, 1) → V (N, 1).
    r: tensor (N, 1). It is left as it was, its requires_grad and .grad included, and so are the
    gradients of the model's parameters.

    Returns (V, F), tensors (N, 1). F is differentiable again: a loss made of it has gradients
    with respect to the model's parameters.

    Example: for a model that gives r², r = [[3.0]] gives V = [[9]] and F = [[−6]].
    """
    r = r.detach().clone().requires_grad_(True)
    energy = model(r)
    (slope,) = torch.autograd.grad(energy.sum(), r, create_graph=True)
    return energy, -slope


def force_matching_loss(
    V_pred: torch.Tensor,
    V_true: torch.Tensor,
    F_pred: torch.Tensor,
    F_true: torch.Tensor,
    force_weight: float = 1.0,
) -> torch.Tensor:
    """Mean squared error of the energies plus force_weight times that of the forces.

    V_pred, V_true, F_pred, F_true: tensors (N, 1).

    Returns a tensor with one number, differentiable with respect to both predictions.

    Example: energies off by 1, forces off by 2 everywhere and force_weight = 0.5 give
    1 + 0.5 · 4 = 3.
    """
    energy_error = torch.mean((V_pred - V_true) ** 2)
    force_error = torch.mean((F_pred - F_true) ** 2)
    return energy_error + force_weight * force_error


def train_potential(
    r: torch.Tensor,
    V: torch.Tensor,
    F: torch.Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
) -> nn.Module:
    """Trains a network on energies and forces.

    r, V, F: tensors (N, 1): distances, energies and forces at them. Left unchanged.
    epochs: the largest number of optimiser iterations, or of passes over the data where
    mini-batches are used; stopping sooner is allowed, any optimiser too.
    generator: decides the network's first weights. The same seed gives the same model again,
    whatever the global random state (torch.manual_seed(generator.initial_seed()) may help). From
    weights next to nothing (0.02, say) a training may never get away; from torch's own it does.

    Returns the trained model, which maps columns r (N, 1) to V (N, 1) and can be handed to
    energy_and_force.

    The hidden checks hand over 64 distances in float32, spread from 0.95 to 3.5, energies and
    forces of a pair law of their own, much like argon's but no formula that you know, and
    epochs = 2000. Between the data, mean squared errors have to be below 0.04 ε² for the energy
    and 1.0 (ε/σ)² for the force, at most an eighth of its mean square. Another check hands over six
    distances and asks for the force at those very six, to 2 % of its mean square: only the
    forces of the data can tell it. All checks together may take 60 s.
    """
    r, V, F = (torch.as_tensor(x).detach().double().reshape(-1, 1) for x in (r, V, F))
    torch.manual_seed(generator.initial_seed())
    model = NNPotential(hidden=64).double()
    model.centre, model.width = float(r.mean()), float(r.std())  # tanh bends where the data are
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=min(epochs, 30),
        history_size=50,
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        energy, force = energy_and_force(model, r)
        loss = force_matching_loss(energy, V, force, F)
        loss.backward()
        return loss

    optimiser.step(closure)

    # Energies and forces are linear in the output layer, so that its best weights are known.
    x = r.clone().requires_grad_()
    features = model.hidden((x - model.centre) / model.width)
    once = torch.ones_like(features, requires_grad=True)
    (total,) = torch.autograd.grad(features, x, once, create_graph=True)
    (slopes,) = torch.autograd.grad(total.sum(), once)  # total is Σ once · slopes
    columns = torch.cat([features.detach(), torch.ones_like(r)], dim=1)
    slopes = torch.cat([-slopes, torch.zeros_like(r)], dim=1)
    solution = torch.linalg.lstsq(
        torch.cat([columns, slopes]), torch.cat([V, F]), driver="gelsd"
    ).solution
    with torch.no_grad():
        model.output.weight.copy_(solution[:-1].T)
        model.output.bias.copy_(solution[-1])
    return model.eval()


def train_cluster_model(
    distances: np.ndarray,
    energies: np.ndarray,
    *,
    epochs: int,
    generator: torch.Generator,
) -> Callable[[np.ndarray], np.ndarray]:
    """Trains a network to tell a cluster's energy from its distances.

    distances: array (n, n_pairs), one row of ascending distances for each cluster.
    energies: array (n,), in units of ε. Both are left unchanged.
    epochs, generator: as in train_potential.

    Returns a function that takes distances (m, n_pairs) and gives an array (m,) of energies in
    units of ε, with one axis also for m = 1; each cluster's is independent of the others in the
    call.

    The hidden checks hand over 800 clusters of four atoms with min_distance = 0.8, or 400 of
    three, with energies of a pair law of their own, which is not Lennard-Jones, and
    epochs = 500; on unseen clusters R² has to be above 0.8. All checks together may take 60 s.
    """
    inverse = 1 / torch.as_tensor(distances).detach().double()  # the wall is gentler in 1/r
    target = torch.as_tensor(energies).detach().double().reshape(-1, 1)
    mean, std = inverse.mean(), inverse.std()
    torch.manual_seed(generator.initial_seed())
    # One network looks at every pair and its features are added up, because the energy is a
    # sum over pairs too. The order of the distances and their number no longer matter.
    pair = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU()).double()
    output = nn.Linear(32, 1).double()
    optimiser = torch.optim.LBFGS(
        [*pair.parameters(), *output.parameters()],
        max_iter=min(epochs, 15),
        history_size=50,
        line_search_fn="strong_wolfe",
    )

    def features(inverse: torch.Tensor) -> torch.Tensor:
        return pair((inverse.unsqueeze(-1) - mean) / std).sum(dim=1)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.mean((output(features(inverse)) - target) ** 2)
        loss.backward()
        return loss

    optimiser.step(closure)

    # The energy is linear in the output layer, so that its best weights are known.
    with torch.no_grad():
        columns = features(inverse)
        columns = torch.cat([columns, torch.ones_like(target)], dim=1)
        solution = torch.linalg.lstsq(columns, target, rcond=1e-9, driver="gelsd").solution
        output.weight.copy_(solution[:-1].T)
        output.bias.copy_(solution[-1])

    def predict(distances: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return output(features(1 / torch.as_tensor(distances).double()))[:, 0].numpy()

    return predict
