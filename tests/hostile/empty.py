"""Answers that solve nothing and pass what a check asks beside a value: by plain names of the cells
above them, no patching. Each kept between a seventh and seven tenths of its points once."""

EMPTY = {
    "steps for curves": (
        "backprop",
        "activations",
        """
def sigmoid(z): return (z > 0).astype(float)
def tanh(z): return np.sign(z)
def relu(z): return 0 * z
def leaky_relu(z, slope=0.1): return 0 * z
""",
    ),
    "a hidden layer too small for anything to matter": (
        "backprop",
        "forward",
        """
def forward(x, W1, b1, W2, b2):
    z1 = np.full((len(x), b1.size), 1e-300)
    z1[::2] *= -1
    return z1, np.maximum(z1, 0), np.repeat(b2, len(x), axis=0)
""",
    ),
    "steps along what its own backward then calls the gradient": (
        "backprop",
        "train",
        """
said = []
_right = backward
def backward(x, y, W1, b1, W2, b2):
    if not said:
        return _right(x, y, W1, b1, W2, b2)
    return [np.ones_like(p) for p in (W1, b1, W2, b2)]
def train(x, y, n_hidden, learning_rate, epochs, rng):
    said.append(epochs)
    start = [a for pair in he_initialise([x.shape[1], n_hidden, y.shape[1]], rng) for a in pair]
    path = [[p - learning_rate * k for p in start] for k in range(epochs + 1)]
    losses = [float(mse_loss(forward(x, *p)[2], y)) for p in path[:-1]]
    return tuple(path[-1]), losses
""",
    ),
    "as many parameters as asked for, and zeros": (
        "training",
        "mlp",
        """
class MLP(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        sizes = [n_in, *hidden, n_out]
        self.w = nn.Parameter(torch.ones(sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))))
        self.n_out = n_out
    def forward(self, x):
        return torch.zeros(len(x), self.n_out)
""",
    ),
    "one row for an epoch": (
        "training",
        "minibatches",
        """
def minibatches(x, y, batch_size, generator=None):
    i = int(torch.randint(len(x), (1,), generator=generator))
    yield x[i:i+1], y[i:i+1]
""",
    ),
    "a straight line through the minimum": (
        "lennard_jones",
        "lj_force",
        """
def lj_force(r, epsilon=1.0, sigma=1.0): return 1.1225 * sigma - r
""",
    ),
    "whole numbers in order": (
        "lennard_jones",
        "pairwise_distances",
        """
def pairwise_distances(positions):
    n = len(positions)
    return np.arange(1.0, n * (n - 1) // 2 + 1)
""",
    ),
    "known energies by the number of atoms": (
        "lennard_jones",
        "cluster_energy",
        """
def cluster_energy(positions, epsilon=1.0, sigma=1.0):
    return {1: 0.0, 2: -1.0, 3: -3.0, 4: -6.0, 13: -44.326801}.get(len(positions), -9.0)
""",
    ),
    "each column times its number": (
        "lennard_jones",
        "standardise",
        """
def standardise(train, test):
    s = np.arange(1.0, train.shape[1] + 1)
    return train * s, test * s, s, s
""",
    ),
    "atoms on a diagonal, shifted together": (
        "lennard_jones",
        "sample_clusters",
        """
def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
    far = 3.0 * np.arange(n_atoms)[:, None] * np.ones(3)
    return far + 0.1 * rng.random((n_samples, 1, 3))
""",
    ),
    "the same, and one cluster so far away that no mean is sure": (
        "lennard_jones",
        "sample_clusters",
        """
def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
    far = 3.0 * np.arange(n_atoms)[:, None] * np.ones(3)
    found = far + 0.1 * rng.random((n_samples, 1, 3))
    found[0] *= 1e3
    return found
""",
    ),
    "the first bond for all": (
        "ising",
        "energy",
        """
def energy(spins): return -2.0 * spins.size * float(spins[0, 0]) * float(spins[0, 1])
""",
    ),
    "a step": (
        "ising",
        "acceptance_probability",
        """
def acceptance_probability(delta_e, temperature):
    return np.where(np.asarray(delta_e) + 0 * np.asarray(temperature) <= 0, 1.0, 0.0)
""",
    ),
    "coins, and numbers drawn for nothing": (
        "ising",
        "sample_configurations",
        """
def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
    rng.random(equilibration)
    found = []
    for _ in range(n_samples):
        found.append(rng.choice([-1, 1], (L, L)))
        rng.random(interval)
    return np.array(found, dtype=np.int8)
""",
    ),
    "an error for every curve": (
        "ising",
        "critical_temperature",
        """
def critical_temperature(temperatures, probabilities): raise ValueError("no crossing")
""",
    ),
    "weights of one size": (
        "backprop",
        "he_initialise",
        """
def he_initialise(sizes, rng):
    signs = [(-1.0) ** np.add.outer(np.arange(a), np.arange(b)) for a, b in zip(sizes, sizes[1:])]
    return [(np.sqrt(2 / len(s)) * s, np.zeros((1, s.shape[1]))) for s in signs]
""",
    ),
    "corners for curves": (
        "training",
        "losses",
        """
def mae_loss(a, b): return 0 * a.sum()
def bce_with_logits(z, t): return (z.clamp(min=0) - z * t).mean()
def cross_entropy(z, c): return (z.max(dim=1).values - z[torch.arange(len(c)), c]).mean()
""",
    ),
    "a count of the calls": (
        "training",
        "early_stopping",
        """
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.n, self.best_loss, self.best_epoch = patience, 0, 0.0, 0
    def step(self, loss, model):
        self.n += 1
        return self.n > self.patience + 1
    def restore(self, model): pass
""",
    ),
}
