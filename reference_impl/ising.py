"""The two-dimensional Ising model: Metropolis, configurations, and a network that tells phases."""

import numpy as np
import torch
from torch import nn


def magnetisation(spins: np.ndarray) -> float:
    """The magnetisation per spin, m = (1/L²) Σ s_ij.

    spins: array (L, L) of +1 and −1, of any integer or float dtype; left unchanged. In int8,
    which holds −128 to 127, a sum may run over: let NumPy's sum or mean do it, or use int().

    Returns a number between −1 and 1.

    Example: [[1, 1], [1, −1]] has m = 0.5.
    """
    return float(np.mean(spins, dtype=float))


def energy(spins: np.ndarray) -> float:
    """The energy of the whole lattice, E = −Σ_ij s_ij (s_{i+1,j} + s_{i,j+1}), in units of J.

    Indices count modulo L: the lattice is periodic, and each spin has four neighbours. Each bond
    is counted once (on a 2×2 lattice the formula meets each pair of neighbours twice, and both
    count). The sum is the total, not the energy per spin.

    spins: array (L, L) of +1 and −1, of any integer or float dtype; left unchanged. Beware of
    int8, as in magnetisation.

    Returns a number.

    Example: all spins up on a 4×4 lattice have E = −32, that is −2 per spin.
    """
    right_and_below = np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1)
    return float(-np.sum(spins * right_and_below, dtype=float))


def energy_change(spins: np.ndarray, i: int, j: int) -> float:
    """What flipping the spin at row i, column j would cost: E(flipped) − E, in units of J.

    Only the four bonds of this spin change sign: ΔE = 2 s_ij Σ(its four neighbours), periodic.

    spins: array (L, L) of +1 and −1, of any integer or float dtype; left unchanged, so that the
    spin is not flipped. i, j: from 0 to L − 1.

    Returns a number: −8, −4, 0, 4 or 8.

    Example: with all spins up on a 4×4 lattice, every flip costs 8.
    """
    L = len(spins)
    neighbours = (
        spins[(i + 1) % L, j]
        + spins[(i - 1) % L, j]
        + spins[i, (j + 1) % L]
        + spins[i, (j - 1) % L]
    )
    return float(2 * spins[i, j] * neighbours)


def acceptance_probability(
    delta_e: float | np.ndarray, temperature: float | np.ndarray
) -> float | np.ndarray:
    """Metropolis' probability to accept a move: min(1, e^(−ΔE/T)).

    delta_e: energy change in units of J, a number or an array of any shape, of integers or
    floats. temperature: in units of J/k_B, positive, a number or an array. Two arrays are
    combined by NumPy's rules of broadcasting. Both are left unchanged.

    Returns a number for two numbers, otherwise an array. Gives no overflow warning, however
    negative ΔE/T is; e^(−1000) may be 0.

    Example: ΔE = 4 at T = 2 gives e^(−2) = 0.1353, ΔE = −4 gives 1.
    """
    return np.exp(-np.maximum(delta_e, 0) / temperature)


def metropolis_step(spins: np.ndarray, i: int, j: int, temperature: float, u: float) -> bool:
    """Tries to flip the spin at row i, column j, in place.

    The flip is accepted exactly when u < acceptance_probability(ΔE, temperature). An accepted
    flip changes this one entry of `spins`, a rejected one changes nothing. Where the probability is
    0, as e^(−1000) is in float64, even u = 0 flips nothing.

    spins: array (L, L) of +1 and −1, of any integer or float dtype. temperature: positive, in
    units of J/k_B. u: a random number, 0 ≤ u < 1, that the caller has drawn; the function draws
    none itself.

    Returns True if the spin was flipped, False if not.

    Example: with all spins up at T = 4, where p = e^(−2) = 0.1353, u = 0.1 flips the spin and
    returns True; u = 0.2 returns False.
    """
    accepted = u < acceptance_probability(energy_change(spins, i, j), temperature)
    if accepted:
        spins[i, j] = -spins[i, j]
    return bool(accepted)


def metropolis_sweep(spins: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """One sweep: L² attempts to flip a spin, in place.

    Each attempt is a metropolis_step with a new random number, 0 ≤ u < 1. The sites may be drawn
    at random, L² times, or visited one after the other in any order: what matters is that the
    Boltzmann distribution stays as it is, so each attempt must see the flips before it.

    spins: array (L, L) of +1 and −1, L ≥ 3, odd L included; of any integer or float dtype.
    temperature: positive, in units of J/k_B. rng: the only source of random numbers.

    Returns how many flips were accepted, an int from 0 to L².

    Example: at a temperature of 10⁹ every attempt is accepted: 25 on a 5×5 lattice.
    """
    L = len(spins)
    sites = rng.integers(L, size=(L * L, 2)).tolist()
    numbers = rng.random(L * L).tolist()
    accepted = 0
    for (i, j), u in zip(sites, numbers, strict=True):
        accepted += metropolis_step(spins, i, j, temperature, u)
    return accepted


def sample_configurations(
    L: int,
    temperature: float,
    n_samples: int,
    rng: np.random.Generator,
    equilibration: int = 200,
    interval: int = 10,
) -> np.ndarray:
    """Configurations of the L×L lattice, drawn from the Boltzmann distribution at `temperature`.

    A chain starts from some state, makes `equilibration` sweeps that are thrown away, and then
    gives a copy of its spins every `interval` sweeps. One chain is enough; so are several whose
    samples are put one after the other. Start below T_c = 2.269 with all spins equal: a random
    start may freeze in stripes there.

    L: 3 or more. temperature: positive, in units of J/k_B. n_samples: 1 or more.
    rng: the only source of random numbers, so that a seed gives the same configurations again.

    Returns an int8 array (n_samples, L, L) of +1 and −1.

    Example: at T = 1, 100 configurations of an 8×8 lattice have a mean |m| of about 0.999.

    The hidden checks ask for lattices of up to 8×8, about 100 000 attempted flips in each check;
    all of them together may take 120 s.
    """
    chains = min(n_samples, 64)
    if temperature < 2.269:
        spins = np.ones((chains, L, L), dtype=np.int8)
        spins *= rng.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)
    else:
        spins = rng.choice([-1, 1], size=(chains, L, L)).astype(np.int8)

    # Sites of one colour are no neighbours: all of them can be tried at once, in every chain.
    # A chessboard has two colours; on an odd lattice a third is needed where it closes. Their
    # order is random, because with a fixed one a 3×3 lattice would miss some of its states.
    colours = 2 + L % 2
    along = np.arange(L) % 2
    along[-1] = colours - 1
    colour = (along[:, None] + along) % colours
    cost = np.arange(-8, 9)
    p = np.asarray(acceptance_probability(cost, temperature), dtype=np.float32)

    rounds = -(-n_samples // chains)
    kept = np.empty((chains, rounds, L, L), dtype=np.int8)
    for sweep in range(1 - equilibration, 1 + rounds * interval):
        for tried in rng.permutation(colours):
            neighbours = np.roll(spins, 1, 1) + np.roll(spins, -1, 1)
            neighbours += np.roll(spins, 1, 2) + np.roll(spins, -1, 2)
            numbers = rng.random(spins.shape, dtype=np.float32)
            flipped = (colour == tried) & (numbers < p[2 * spins * neighbours - cost[0]])
            spins[flipped] *= -1
        if sweep > 0 and sweep % interval == 0:
            kept[:, sweep // interval - 1] = spins
    return kept.reshape(-1, L, L)[:n_samples]


class IsingClassifier(nn.Module):
    """A network that tells phases: spins (N, input_dim) → logits (N, 2).

    input_dim: number of spins, L². Linear layers of the sizes input_dim → 64 → 32 → 2, ReLU
    after each hidden one, and dropout (with p between 0 and 1, say 0.2) of hidden units. The two
    outputs are logits, for class 0 (ordered) and class 1 (disordered): no softmax at the end,
    because torch.nn.functional.cross_entropy has one inside.

    In training mode two calls differ, because dropout draws its units from torch's global
    generator; in evaluation mode they agree. What dropout keeps is multiplied by 1/(1 − p), as
    nn.Dropout does it, so that the next layer gets as much in both modes, in the mean.

    Example: IsingClassifier(256) has 18 594 parameters; it maps a float32 tensor (5, 256) to a
    tensor (5, 2).
    """

    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(input_dim, 64),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def train_classifier(
    model: nn.Module,
    X: np.ndarray | torch.Tensor,
    y: np.ndarray | torch.Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
) -> list[float]:
    """Trains a network to tell the phases apart, by the cross-entropy of its logits.

    model: maps spins (n, d) to logits (n, 2), as IsingClassifier does. It is trained in place, in
    training mode whatever mode it comes in, and left in evaluation mode.
    X: array or tensor (N, d) of +1 and −1, of any integer or float dtype. y: array or tensor (N,)
    of integers, 0 for ordered and 1 for disordered. Both are left unchanged.
    epochs: the largest number of passes over the data in mini-batches, 32 say, new ones in each
    epoch; a pass shows each sample once. Stopping sooner is allowed, any optimiser too.
    generator: decides the order, it alone. Dropout draws from torch's global generator: with that
    seeded as well, a run repeats itself.

    Returns a list of floats, for each epoch the mean over the samples of the loss; a smaller last
    batch weighs less.

    Two things help. An energy without a field does not know up from down, so that a configuration
    may be shown with all its spins flipped, by chance, each time anew. And a learning rate that
    falls to zero ends the training at rest, not wherever the last step happened to lead.

    The hidden checks hand over 800 configurations, of 16×16 or of 8×8 spins, a network of
    IsingClassifier's layers, whose weights they read afterwards, and epochs = 20. On independent
    configurations the share that is told right must be above 0.8 for 16×16 spins at temperatures
    from 1 to 2 and from 2.5 to 4, and above 0.5 of those up, of those down and of those disordered;
    for 8×8 spins above 0.75 at temperatures from 1.2 to 3.4, near T_c too. The larger lattices are
    of an antiferromagnet: every second spin is turned over, so that those up and those down are
    chessboards. The loss must fall below 0.3. All checks together may take 90 s.
    """
    inputs = torch.as_tensor(X).float()
    classes = torch.as_tensor(y).long()
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    history = []
    model.train()
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs)
        total = 0.0
        for batch in torch.randperm(len(inputs), generator=generator).split(32):
            signs = 2 * torch.randint(2, (len(batch), 1), generator=generator) - 1
            logits = model(signs * inputs[batch])
            loss = nn.functional.cross_entropy(logits, classes[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        history.append(total / len(inputs))
    model.eval()
    return history


def critical_temperature(temperatures: np.ndarray, p_disordered: np.ndarray) -> float:
    """The temperature where the probability of the disordered phase crosses ½.

    temperatures: array (n,), ascending, evenly spaced or not. p_disordered: array (n,), the
    probability at each of them; it need not rise everywhere, but crosses ½ at most once, from
    below. Between two temperatures it is taken to be a straight line. Where it is exactly ½ at one
    of the temperatures, this is the crossing. Both arrays are left unchanged.

    Returns a number. Raises ValueError if there is no crossing.

    Example: p = [0.1, 0.4, 0.8] at T = [2.0, 2.2, 2.4] crosses at 2.25.
    """
    T = np.asarray(temperatures, dtype=float)
    p = np.asarray(p_disordered, dtype=float)
    if np.any(p == 0.5):
        return float(T[p == 0.5][0])
    (before,) = np.nonzero((p[:-1] < 0.5) != (p[1:] < 0.5))
    if len(before) != 1:
        raise ValueError(f"p_disordered crosses 0.5 {len(before)} times, not once")
    k = before[0]
    return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))
