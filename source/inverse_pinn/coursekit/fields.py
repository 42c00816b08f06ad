"""Models that a check can hand to a student's function by name, most of them in closed form.

A residual or a force is tested on fields whose derivatives are known, so that no training is
needed and zero is not the only right answer. `Equation` and `Iterations` see what a training asks
torch for. Who reads this finds no answer to an exercise in it.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any, ClassVar

import torch
from torch import nn
from torch.autograd import forward_ad
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from .witness import Witness


class _Fitted(nn.Module):
    """What may be trained: its first parameter tells who has tried."""

    def gradient(self) -> torch.Tensor | None:
        """What someone's `backward` left in it."""
        return next(self.parameters()).grad


class Polynomial(_Fitted):
    """Σ_k c_k x^k, elementwise; x of any shape. The c_k are parameters, as a network's weights."""

    def __init__(self, coefficients: list[float]) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.tensor(coefficients, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros_like(x)
        for coefficient in self.coefficients.flip(0):  # single numbers leave x its dtype
            total = total * x + coefficient
        return total


class Surface(_Fitted):
    """Σ_ij c_ij x^i t^j, elementwise in two variables. The c_ij are parameters."""

    def __init__(self, coefficients: Any) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.as_tensor(coefficients, dtype=torch.float64))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        total = torch.zeros_like(x)
        for row in self.coefficients.flip(0):  # Horner in x, of polynomials in t
            inner = torch.zeros_like(t)
            for coefficient in row.flip(0):
                inner = inner * t + coefficient
            total = total * x + inner
        return total


class _Formula(nn.Module):
    """Without parameters."""

    def __init__(self, formula: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.forward = formula


def _sine(amplitude: float = 1.0, frequency: float = 1.0, phase: float = 0.0) -> nn.Module:
    """amplitude · sin(frequency · x + phase), elementwise; x of any shape."""
    return _Formula(lambda x: amplitude * torch.sin(frequency * x + phase))


def _waves(frequencies: Any, phases: Any) -> nn.Module:
    """sin(frequency_j · x + phase_j), a column for each j: (N, 1) → (N, h). float64."""
    frequencies, phases = (torch.as_tensor(x, dtype=torch.float64) for x in (frequencies, phases))
    return _Formula(lambda x: torch.sin(frequencies * x + phases))


def _exponential(amplitude: float = 1.0, rate: float = 1.0) -> nn.Module:
    """amplitude · exp(rate · x), elementwise; x of any shape."""
    return _Formula(lambda x: amplitude * torch.exp(rate * x))


def _mode(amplitude: float = 1.0, wavenumber: float = 1.0, rate: float = 1.0) -> nn.Module:
    """amplitude · sin(wavenumber · x) · exp(−rate · t), elementwise in two variables."""
    return _Formula(lambda x, t: amplitude * torch.sin(wavenumber * x) * torch.exp(-rate * t))


def _affine(matrix: Any, shift: Any = 0.0) -> nn.Module:
    """x ↦ x Mᵀ + shift along the last axis: a rotation, a reflection, a linear model, a shift."""
    matrix, shift = (torch.as_tensor(x, dtype=torch.float64) for x in (matrix, shift))
    return _Formula(lambda x: x @ matrix.to(x.dtype).T + shift.to(x.dtype))


def _permutation(order: Any, axis: int = -1) -> nn.Module:
    """Entries along one axis in another order: output[i] = x[order[i]]."""
    order = torch.as_tensor(order, dtype=torch.int64)
    return _Formula(lambda x: x.index_select(axis, order))


def _pair_energy(stretch: Any = 1.0, zero: float = 0.0) -> nn.Module:
    """Σ exp(−d²) over the pairs of a cluster, (B, N, 3) → (B,), counted from −`zero`; `stretch`
    scales the axes first, so that unequal stretches leave no invariance to rotations."""
    stretch = torch.as_tensor(stretch, dtype=torch.float64)

    def energy(positions: torch.Tensor) -> torch.Tensor:
        x = positions * stretch.to(positions.dtype)
        first, second = torch.triu_indices(x.shape[1], x.shape[1], offset=1)
        squared = ((x[:, first] - x[:, second]) ** 2).sum(-1)
        return torch.exp(-squared).sum(-1) + zero

    return _Formula(energy)


class Network(nn.Module):
    """One hidden layer with tanh in float32, (N, n_in) → (N, n_out), first weights from the seed.

    Called with several columns it puts them side by side, as a student's own network does: they
    must be of one length and of its dtype. Nothing here is forgiving, as nothing is in a notebook.
    """

    def __init__(self, n_in: int, n_hidden: int, n_out: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.hidden, self.output = nn.Linear(n_in, n_hidden), nn.Linear(n_hidden, n_out)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0.0, n_in**-0.5, generator=generator)

    def forward(self, *columns: torch.Tensor) -> torch.Tensor:
        return self.output(torch.tanh(self.hidden(torch.cat(columns, dim=1))))


class PairNetwork(nn.Module):
    """A network of float32 that adds up over the pairs of a cluster, (B, N, 3) → (B,).

    Its axes are not alike, so that it is no model of an energy. With `dropout` it gives something
    else in every call until it is in evaluation mode.
    """

    def __init__(self, n_hidden: int = 16, seed: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.network = Network(1, n_hidden, 1, seed)
        self.dropout = nn.Dropout(dropout)

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        first, second = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)
        stretched = positions * positions.new_tensor((1.0, 1.1, 0.9))
        distances = (stretched[:, first] - stretched[:, second]).norm(dim=-1)
        pairs = self.network(1 / distances.reshape(-1, 1))
        return self.dropout(pairs).reshape(len(positions), -1).sum(dim=1)


class Classifier(Network):
    """Two logits for each lattice, (N, …) → (N, 2), whatever the shape of its n_in spins."""

    def __init__(self, n_in: int, n_hidden: int = 16, seed: int = 0) -> None:
        super().__init__(n_in, n_hidden, 2, seed)

    def forward(self, *columns: torch.Tensor) -> torch.Tensor:
        (lattices,) = columns
        return super().forward(lattices.flatten(1))


class Autoencoder(nn.Module):
    """Rows (N, n_in) → (x_hat, z), with z (N, latent); encoder(x) is z, and decoder(z) is x_hat."""

    def __init__(self, n_in: int, latent: int = 2, n_hidden: int = 16, seed: int = 0) -> None:
        super().__init__()
        self.encoder = Network(n_in, n_hidden, latent, seed)
        self.decoder = Network(latent, n_hidden, n_in, seed + 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z = self.encoder(x)
        return self.decoder(z), z


class Equation(nn.Module):
    """Sees whether a training asks for derivatives with respect to its points, as an equation in
    the loss does, and not only for `backward`.

    All of torch's functions go through two doors: backwards with the inputs named (or with
    create_graph=True), and forwards.
    """

    asked = False

    def watch(self) -> None:
        """From now on."""
        backwards, forwards = vars(torch.autograd), vars(forward_ad)
        if not hasattr(backwards["_engine_run_backward"], "__wrapped__"):
            backwards["_engine_run_backward"] = _noting(
                backwards["_engine_run_backward"], lambda args: bool(args[3] or len(args[4]))
            )
            forwards["make_dual"] = _noting(forwards["make_dual"], lambda args: True)
        Equation.asked = False

    def was_asked_for(self) -> bool:
        return Equation.asked


def _noting(door: Callable[..., Any], tells: Callable[[Any], bool]) -> Callable[..., Any]:
    @functools.wraps(door)
    def noting(*args: Any, **named: Any) -> Any:
        Equation.asked |= tells(args)
        return door(*args, **named)

    return noting


class Iterations(nn.Module):
    """Counts how many iterations each optimiser is let make: how often it is called or, if that is
    more, how many L-BFGS may make in one call, for where it stops by itself says nothing of the
    limit."""

    counts: ClassVar[list[list[int]]] = []
    """Of each optimiser its calls, and the most that it may make in one."""
    own: ClassVar[MutableMapping[torch.optim.Optimizer, list[int]]] = weakref.WeakKeyDictionary()
    first: ClassVar[dict[int, tuple[torch.Tensor, torch.Tensor]]] = {}
    """What is trained, and what it was before the first step, by its identity."""
    hooked = False

    def watch(self) -> None:
        """From now on."""
        if not Iterations.hooked:
            register_optimizer_step_pre_hook(_remembering)
            register_optimizer_step_post_hook(_counting)
        Iterations.hooked = True
        for noted in (Iterations.counts, Iterations.own, Iterations.first):
            noted.clear()

    def rewind(self) -> None:
        """Makes all that was trained what it was before the first step."""
        with torch.no_grad():
            for weights, before in Iterations.first.values():
                weights.copy_(before)

    def busiest(self) -> float:
        """Iterations of the optimiser that makes most; 0 if there is none."""
        return max(map(max, Iterations.counts), default=0)

    def idlest(self) -> float:
        """Iterations of the optimiser that makes fewest; 0 if there is none."""
        return min(map(max, Iterations.counts), default=0)


def _remembering(optimiser: torch.optim.Optimizer, *arguments: Any) -> None:
    for group in optimiser.param_groups:
        for weights in group["params"]:
            if id(weights) not in Iterations.first:
                Iterations.first[id(weights)] = weights, weights.detach().clone()


def _counting(optimiser: torch.optim.Optimizer, *arguments: Any) -> None:
    count = Iterations.own.get(optimiser)
    if count is None:
        count = Iterations.own[optimiser] = [0, 1]
        Iterations.counts.append(count)
    count[0] += 1
    if isinstance(optimiser, torch.optim.LBFGS):
        count[1] = min(optimiser.param_groups[0][limit] for limit in ("max_iter", "max_eval"))


class Inverse(_Fitted):
    """A field u(x, t) with a diffusivity α = exp(log_alpha) beside it; the parameter itself has
    another name."""

    def __init__(self, of: str, log_alpha: float = 0.0, **params: Any) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(log_alpha, dtype=torch.float64))
        self.field = FIELDS[of](**params)

    @property
    def log_alpha(self) -> nn.Parameter:
        return self.exponent

    @property
    def alpha(self) -> torch.Tensor:
        return torch.exp(self.exponent)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.field(x, t)


FIELDS: dict[str, Callable[..., nn.Module]] = {
    "polynomial": Polynomial,
    "sine": _sine,
    "waves": _waves,
    "exponential": _exponential,
    "surface": Surface,
    "mode": _mode,
    "affine": _affine,
    "permutation": _permutation,
    "pair_energy": _pair_energy,
    "network": Network,
    "pair_network": PairNetwork,
    "classifier": Classifier,
    "autoencoder": Autoencoder,
    "equation": Equation,
    "iterations": Iterations,
    "inverse": Inverse,
    "witness": Witness,
}
