"""Networks that know a symmetry: sets without an order, and clusters without a place or a turn.

Energies in units of ε, lengths in units of σ. Forces are minus the gradient of the energy.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn


def pool(
    features: torch.Tensor, mask: torch.Tensor | None = None, kind: str = "sum"
) -> torch.Tensor:
    """Puts the features of a set's elements together, so that their order no longer counts.

    features: tensor (B, n, h): B sets of n elements with h features each.
    mask: bool tensor (B, n), True where an element counts; None if all count. Sets of different
    sizes share one tensor by being padded; whatever number stands in the padding has no influence.
    kind: "sum", "mean" or "max", over the elements that count, each feature by itself.

    Returns a tensor (B, h) of the features' dtype, differentiable with respect to them. A set in
    which no element counts, or that has none (n = 0), gives zeros, whatever the kind.

    Example: one set with the elements 1, 2 and 6, of which the mask drops the last, has the sum
    3, the mean 1.5 and the maximum 2.
    """
    if mask is None:
        mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
    counts = mask.unsqueeze(-1)
    if kind == "max":
        floor = features.new_full((len(features), 1, features.shape[2]), -torch.inf)
        known = features.masked_fill(~counts, -torch.inf)
        largest = torch.cat([known, floor], dim=1).amax(dim=1)
        return torch.where(counts.any(dim=1), largest, 0.0)
    total = features.masked_fill(~counts, 0.0).sum(dim=1)
    if kind == "mean":
        return total / counts.sum(dim=1).clamp(min=1)
    if kind == "sum":
        return total
    raise ValueError(f"kind should be sum, mean or max, not {kind!r}")


class DeepSets(nn.Module):
    """A network for sets: f({x₁, …, x_n}) = ρ(pool of φ(x₁), …, φ(x_n)).

    φ looks at every element by itself and gives `hidden` features, ρ looks at the pooled features
    and gives the `out_dim` outputs. Neither is a line: both have an activation.

    in_dim: numbers per element. pooling: the kind that is handed to pool.

    Input: tensor (B, n, in_dim), or (B, n) where an element is a single number. The number of
    elements n may be different in every call. Output: tensor (B, out_dim), the same in whatever
    order the elements come.

    Example: DeepSets(in_dim=3, hidden=32, out_dim=2) turns a tensor (5, 7, 3) into one of (5, 2).
    With pooling="sum" the sets {1} and {1, 1} differ, with "mean" and "max" they do not.
    """

    def __init__(
        self, in_dim: int = 1, hidden: int = 32, out_dim: int = 1, pooling: str = "sum"
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.phi = nn.Sequential(
            nn.Linear(in_dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
        )
        self.rho = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, out_dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim == 2:
            x = x.unsqueeze(-1)
        return self.rho(pool(self.phi(x), kind=self.pooling))


class NaiveMLP(nn.Module):
    """The counter-example: an ordinary network on a list of n_inputs numbers.

    One hidden layer of 32 units with an activation, one linear output. Every place in the list
    has weights of its own, so the order of the numbers matters.

    Input: tensor (B, n_inputs). Output: tensor (B, 1).

    Example: NaiveMLP(3) has 161 parameters.
    """

    def __init__(self, n_inputs: int = 3) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def invariance_error(
    f: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    transform: Callable[[torch.Tensor], torch.Tensor],
) -> float:
    """How far f is from being invariant: the largest |f(T x) − f(x)|.

    f: a function of a tensor, a network for example; its output is a tensor of any shape.
    x: the tensor to try it on; it is left as it is. transform: T, a function of a tensor.

    Returns one number, in the unit of f: the largest entry, over all outputs, of the absolute
    difference. Zero, up to rounding, if f is invariant.

    Example: f(x) = x² and T x = −x give 0; f(x) = x and T x = −x give 6 at x = 3.
    """
    return (f(transform(x)) - f(x)).abs().max().item()


def equivariance_error(
    f: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    transform_in: Callable[[torch.Tensor], torch.Tensor],
    transform_out: Callable[[torch.Tensor], torch.Tensor],
) -> float:
    """How far f is from being equivariant: the largest |f(T_in x) − T_out f(x)|.

    f, x: as in invariance_error. transform_in acts on the input of f, transform_out on its
    output. They stand for the same symmetry, but need not be the same function: when a cluster
    is shifted, its positions change and the forces on it do not.

    Returns one number, in the unit of f. Zero, up to rounding, if f is equivariant.

    Example: f(x) = x³ with T_in x = −x and T_out y = −y gives 0; with T_out y = y it gives 16
    at x = 2.
    """
    return (f(transform_in(x)) - transform_out(f(x))).abs().max().item()


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation in space, every rotation as likely as any other.

    rng: the only source of random numbers, so that a seed gives the same rotation again.

    Returns an array (3, 3), R with R Rᵀ = 1 and det R = +1: no mirror. "As likely as any other"
    (Haar's measure) means that R and S R have the same distribution for every fixed rotation S.
    Then each column of R is a uniform point on the unit sphere, so that every entry has the mean
    0 and the mean square 1/3, and the trace has the mean 0 and the mean square 1.

    Example: R = random_rotation(np.random.default_rng(0)); R @ R.T is the unit matrix.
    """
    Q, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    Q = Q * np.sign(np.diag(upper))  # without this, Q's first entry is always negative
    return Q * np.linalg.det(Q)  # det Q = ±1; in three dimensions −Q is a rotation if Q is none


class ClusterEnergyModel(nn.Module):
    """The energy of a cluster as a sum over its pairs, learnt by a network that sees distances.

    Input: positions, tensor (B, N, 3) in σ: B clusters of N atoms, N ≥ 1, different in every call
    if need be. Output: energies, tensor (B,) in ε.

    The energy does not change when the cluster is shifted, turned, mirrored or its atoms are
    renumbered, because distances do not change and a sum has no order. It is a sum, not a mean:
    three atoms have another energy than two with the same distance. It is smooth: the forces, its
    slope, do not jump, so that neither ReLU nor a cut-off in a step will do. `hidden` is the width
    of the network.

    Two things help. Inverse distances vary most where the energy does, at the wall; stretched and
    centred, 4/r − 2, they run from −2 for a distant pair to about 2 for a close one. And each
    pair gives one number, added up at the very end: with a layer after the sum, or a bias there,
    four atoms would not tell what three have.

    Example: ClusterEnergyModel()(torch.rand(5, 4, 3)) has shape (5,).
    """

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.pair = nn.Sequential(
            nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
            nn.Linear(hidden, 1),
        )  # fmt: skip

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        first, second = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)
        distances = (positions[:, first] - positions[:, second]).norm(dim=-1, keepdim=True)
        return pool(self.pair(4 / distances - 2)).squeeze(-1)


def forces(model: Callable[[torch.Tensor], torch.Tensor], positions: torch.Tensor) -> torch.Tensor:
    """Forces on all atoms: minus the gradient of the model's energy.

    It comes from autograd, exact to rounding: small steps are noise in float32. It need not be
    differentiable again.

    model: any differentiable function of positions (B, N, 3) that gives energies (B,), each
    cluster's by itself.
    positions: tensor (B, N, 3). It is left as it was, its requires_grad and .grad included.

    Returns a tensor (B, N, 3) in ε/σ: minus the derivative of a cluster's energy with respect to
    each coordinate of each of its atoms.

    Example: for a model that gives Σ |x|² over the atoms, an atom at (1, 0, 2) feels (−2, 0, −4).
    """
    positions = positions.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(positions).sum(), positions)
    return -gradient


def train_energy_model(
    model: nn.Module,
    positions: torch.Tensor,
    energies: torch.Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
) -> list[float]:
    """Trains a model of energies on clusters of known energy; its weights are changed in place.

    model: a module that maps positions (B, N, 3) to energies (B,), as ClusterEnergyModel does. It
    keeps its layers and its forward.
    positions: tensor (n, N, 3). energies: tensor (n,), in ε; both in the dtype of the weights.
    epochs: the largest number of optimiser iterations, or of passes over the data where
    mini-batches are used; stopping sooner is allowed, any optimiser too.
    generator: for the order of mini-batches, if there are any: each pass shows every cluster once,
    in batches drawn anew. The same model and the same seed give the same result again, whatever
    the global random state.

    Returns the history, a list of floats: the mean loss over the clusters of each epoch, before its
    update if the epoch is a single step. The model learns in training mode and is left ready for
    use, so that two calls agree, in the dtype that it came in, and gives energies in ε.

    The hidden checks hand over an untrained network that adds up over pairs and sees 4/r − 2, two
    hidden layers of 32 units with SiLU, whose weights they read afterwards, and 600 clusters of
    four atoms, with epochs = 2000. No pair is closer than 0.9 σ, and the wells of the substance,
    which is not Lennard-Jones, are 3 ε deep; its energies are counted from a zero of their own,
    not from that of atoms far apart. On unseen clusters of four atoms R² has to be above
    0.7. On clusters of three atoms the errors may have any mean, because four atoms alone cannot
    tell it, but their variance has to be below half of that of the energies. Some checks ask for a
    handful of epochs. All checks together may take 120 s.
    """
    dtype = next(model.parameters()).dtype
    x = torch.as_tensor(positions).detach().double()
    y = torch.as_tensor(energies).detach().double()
    model.double().train()  # L-BFGS compares losses that hardly differ: it needs the digits
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=1,  # an iteration in each call, so that the loss of each can be kept
        max_eval=25,  # tries of its line search
        history_size=50,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.mean((model(x) - y) ** 2)
        loss.backward()
        return loss

    history = [optimiser.step(closure).item() for _ in range(min(epochs, 130))]
    model.to(dtype).eval()
    return history
