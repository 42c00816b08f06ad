# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Invariance, equivariance, Deep Sets
#
# **Can a network know something for certain before it has seen any data?**
#
# The energy of a cluster of atoms does not change when the cluster is moved, turned, mirrored, or
# when its atoms are given other numbers. A network that is shown positions has to learn this from
# examples, and never learns it quite. A network that is built so that it cannot do otherwise has
# it from its first random weights on, exactly, and can spend its examples on the rest. You will
# build such a network: first for sets, which have no order, then for clusters, which have no place
# and no orientation either.

# %% setup=true

# %% parameters=true
fast = False  # True: shorter trainings in the demonstrations

# %% [markdown]
# This is the picture at the end of the notebook, with one thing missing: what three trained
# networks say while the cluster is turned. One of them is yours.

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Units and words.** Energies are in units of $\varepsilon$ and lengths in units of $\sigma$, as
# for argon; forces are minus the gradient of the energy, in $\varepsilon/\sigma$. A function leaves
# its arguments as they were, apart from a model that it trains. Let $T$ be a
# transformation: a shift, a turn, a mirror, a new order.
#
# - $f$ is **invariant** if $f(Tx) = f(x)$: nothing happens to the output.
# - $f$ is **equivariant** if $f(T_\mathrm{in}\,x) = T_\mathrm{out}\,f(x)$: what happens to the
#   output is known. $T_\mathrm{in}$ and $T_\mathrm{out}$ are the same symmetry, acting on two
#   different things.

# %% [markdown]
# ## 1 · Sets
#
# ### `pool` (15 minutes, medium)
#
# A set has no first element. To put its elements together without giving them an order there are
# operations that do not care: the sum, the mean, the maximum. All sets of a batch share one tensor
# `(B, n, h)`, so that smaller ones are padded, and a mask says which elements are real. The padding
# must have no influence. Two things want care: a mean divides by how many elements *count*, and
# zero is not a harmless filling for a maximum, because features may be negative.

# %% exercise="pool"

# %% demo="pooled"
figures.pooled(pool)

# %% [markdown]
# **What to notice.** All gaps hold a 9, and no 9 is to be seen. The sum of four equal elements is
# four times one of them, the mean and the maximum forget how many there were: they cannot tell
# $\{2\}$ from $\{2, 2, 2, 2\}$. The empty set gives zero by agreement, which for the maximum is a
# mere convention.

# %% [markdown]
# ### `DeepSets` (20 minutes, medium)
#
# Sum, mean and maximum of the elements themselves say little. So a network $\varphi$ looks at each
# element alone and gives it `hidden` features; these are pooled; a second network $\rho$ makes the
# output of what has been pooled:
#
# $$f(\{x_1, \dots, x_n\}) = \rho\left(\sum_{i=1}^{n} \varphi(x_i)\right)$$
#
# It is invariant whatever the weights are, because only the pooling sees more than one element.
# And for sets of at most as many numbers as there are features, every continuous invariant function
# can be written like this (Zaheer et al. 2017, with the condition on the size by Wagstaff et al.
# 2019).

# %% exercise="deep_sets"

# %% [markdown]
# ### `NaiveMLP` (5 minutes, easy)
#
# For comparison, an ordinary network with `n_inputs` numbers in and one out. Each input has its
# own weights, {{sum(p.numel() for p in NaiveMLP(3).parameters())}} parameters altogether for three
# inputs.

# %% exercise="naive_mlp"

# %% [markdown]
# The three distances between three atoms are 1, 1.5 and 2. Which of them comes first depends on who
# numbered the atoms. Both networks are untrained:

# %% demo="orders"
torch.manual_seed(2)
figures.orders(NaiveMLP(3), DeepSets())

# %% [markdown]
# **What to notice.** Six names for one triangle: the naive network has up to six opinions, and
# Deep Sets has one. Training would bring the six closer together for triangles like those in the
# data, and promise nothing for others.

# %% [markdown]
# ## 2 · Measuring a symmetry
#
# ### `invariance_error` (10 minutes, easy)
#
# How far is $f$ from being invariant? The largest $|f(Tx) - f(x)|$ over all outputs. The largest,
# not the mean: a symmetry holds everywhere or it does not hold.

# %% exercise="invariance_error"

# %% [markdown]
# Now 2000 random orders of one set of twelve numbers, for an untrained naive network, and for Deep
# Sets in single and in double precision. An invariance error of zero, one might think.

# %% demo="rounding"
torch.manual_seed(0)
naive, single = NaiveMLP(12), DeepSets()
double = DeepSets().double()
x = torch.rand(1, 12) * 2 + 1
rng = np.random.default_rng(3)
errors = {"NaiveMLP": [], "DeepSets, float32": [], "DeepSets, float64": []}
for _ in range(300 if fast else 2000):
    order = torch.tensor(rng.permutation(12))
    for name, network in zip(errors, (naive, single, double), strict=True):
        start = x.to(next(network.parameters()).dtype)
        errors[name].append(invariance_error(network, start, lambda y, order=order: y[:, order]))
figures.rounding(errors)

# %% [markdown]
# **What to notice.** Deep Sets is invariant as mathematics, not bit by bit. A computer's sum
# depends on the order of its terms, $(a + b) + c \neq a + (b + c)$, and the error is as large as
# the last digit of the format: about $10^{-7}$ in single and $10^{-16}$ in double precision. So do
# not test a symmetry with `==`; test it against the precision. The gap to the naive network is
# several orders of magnitude wide: there is no doubt which of them has the symmetry.

# %% [markdown]
# ### `equivariance_error` (10 minutes, easy)
#
# For quantities that do change, but in a known way: the largest
# $|f(T_\mathrm{in}\,x) - T_\mathrm{out}\,f(x)|$. If a cluster is turned by $R$, its forces are
# turned by the same $R$. If it is shifted, its positions change, but the forces do not: there
# $T_\mathrm{out}$ is the identity.

# %% exercise="equivariance_error"

# %% [markdown]
# Eight quantities of one cluster whose atoms have places and velocities, five transformations, and
# your two functions decide which is which. The fifth runs the film backwards: places stay, and
# velocities change their sign.
#
# **Before you run the cell:** which of the eight change under none of the five – (a) one, (b) the
# energy and the list of distances, (c) all that are numbers?

# %% demo="how_quantities_behave"
a, m = torch.tensor([0.7, -1.1, 0.4]), torch.tensor([-1.0, 1.0, 1.0])
R = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(4)).double())[0]
R = R * torch.linalg.det(R)  # a turn
new = [2, 0, 3, 1]  # new numbers


def of_both(change, places_only=lambda x: x):
    return lambda xv: torch.stack([places_only(change(xv[:, 0])), change(xv[:, 1])], dim=1)


symmetries = {  # what becomes of places and velocities, of a vector, of a list of vectors
    "shift": (of_both(lambda y: y, lambda x: x + a), lambda y: y + a, lambda y: y + a),
    "turn": (of_both(lambda y: y @ R.T), lambda y: y @ R.T, lambda y: y @ R.T),
    "mirror": (of_both(lambda y: y * m), lambda y: y * m, lambda y: y * m),
    "renumber": (of_both(lambda y: y[:, new]), lambda y: y, lambda y: y[:, new]),
    "time reversal": (of_both(lambda y: -y, lambda x: -x), lambda y: -y, lambda y: -y),
}
i, j = torch.triu_indices(4, 4, offset=1)


def listed(xv):
    return (xv[:, 0, i] - xv[:, 0, j]).norm(dim=-1)


def from_centre(xv):
    return xv[:, 0] - xv[:, 0].mean(dim=1, keepdim=True)


def volume(xv):
    x = xv[:, 0]
    return torch.linalg.det(x[:, 1:] - x[:, :1]) / 6


quantities = {
    "energy of the pairs": ("number", lambda xv: torch.exp(-(listed(xv) ** 2)).sum(dim=1)),
    "list of the distances": ("number", listed),
    "signed volume": ("number", volume),
    "centre": ("vector", lambda xv: xv[:, 0].mean(dim=1)),
    "forces of springs": ("vectors", lambda xv: -from_centre(xv)),
    "momentum": ("vector", lambda xv: xv[:, 1].sum(dim=1)),
    "spin, Σ (x − centre) × v": (
        "vector",
        lambda xv: torch.linalg.cross(from_centre(xv), xv[:, 1]).sum(dim=1),
    ),
    "x of the first atom": ("number", lambda xv: xv[:, 0, 0, 0]),
}
right = ["iiiii", "iiini", "iinni", "eeeii", "ieeei", "ieeie", "ienie", "nnnni"]
x = torch.tensor(figures.CLUSTER)
v = torch.tensor([[0.3, -0.2, 0.5], [-0.6, 0.1, 0.2], [0.4, 0.7, -0.3], [0.2, -0.1, 0.6]]).double()
figures.how_quantities_behave(
    quantities, symmetries, invariance_error, equivariance_error, torch.stack([x, v])[None], right
)

# %% [markdown]
# **What to notice.** Answer (a): only the energy withstands all five. Forces are equivariant under
# turns, mirrors and new numbers, but *invariant* under shifts. The list of distances has lost place
# and orientation, but not the numbering. Spin, an angular momentum, turns like a vector and fails
# in the mirror, because it does not change its sign where a vector does: it is an axial vector.
# Where the film runs backwards, momentum and spin change their sign and forces do not. That is why
# friction, a force that follows the velocity, tells you which way a film runs.

# %% [markdown]
# ## 3 · Rotations at random
#
# ### `random_rotation` (20 minutes, hard)
#
# To test a symmetry, or to show a network turned copies, you need random rotations that prefer
# none. This is a trap. Three random Euler angles do prefer some. So does the $Q$ of a QR
# decomposition as your library hands it out. What works:
#
# 1. A matrix of normal random numbers has no preferred direction, because its density depends on
#    the length of each column alone.
# 2. Its QR decomposition makes the columns orthogonal. But $Q$ and the triangular factor are unique
#    only up to signs, and a library picks them by a rule of its own. Choose them such that the
#    diagonal of the triangular factor is positive, and no direction is preferred.
# 3. What you have now may be a mirror, $\det Q = -1$. In three dimensions $-Q$ is then a rotation.
#
# (Another way: four normal numbers, divided by their length, are a random unit quaternion.)

# %% exercise="random_rotation"

# %% demo="rotations"
from scipy.spatial.transform import Rotation

rng = np.random.default_rng(6)
many = 500 if fast else 3000
matrices = np.array([random_rotation(rng) for _ in range(many)])
euler = Rotation.from_euler("zyz", rng.uniform(0, 2 * np.pi, (many, 3))).as_matrix()
figures.rotations(matrices, euler)

# %% [markdown]
# **What to notice.** The maps show where the $z$ axis goes; they keep areas, so that an even
# distribution on the sphere is an even one on the map. Uniform Euler angles crowd at the poles,
# where the circles of latitude are small. On the right: a random rotation turns by a large angle
# more often than by a small one, with the density $(1 - \cos\theta)/\pi$. Turns by nearly nothing
# are all nearly the same, whatever their axis; half turns about different axes are all different.

# %% [markdown]
# ## 4 · The energy of a cluster
#
# ### `ClusterEnergyModel`, `forces` (30 minutes, hard)
#
# Put things together. Distances do not change under shifts, turns and mirrors. Their order still
# depends on the numbering, and pooling takes care of that. So let the network see each pair's
# distance by itself, and add up:
#
# $$E_\theta = \sum_{i<j} \varphi_\theta(r_{ij})$$
#
# A sum, because energy adds up: a mean would give a tetrahedron the energy of one of its edges. And
# nothing after the sum, no layer and no bias: then what is learnt on four atoms holds for five.
#
# The forces come from automatic differentiation, $\mathbf F_i = -\nabla_i E_\theta$, in one call
# for the whole batch. Nobody has to build their symmetry: if the energy is invariant, its gradient
# is equivariant. If the energy does not notice a shift, the forces add up to zero.

# %% exercise="cluster_energy_model"

# %% demo="turned_forces"
torch.manual_seed(5)
figures.turned_forces(ClusterEnergyModel(), forces)

# %% [markdown]
# **What to notice.** The network is untrained, so these are the forces of no substance in this
# world. And yet they turn with the cluster, and add up to zero. In numbers, with your own
# functions:

# %% demo="symmetry_errors"
torch.manual_seed(5)
model = ClusterEnergyModel()
x, _ = figures.known_clusters(50, 4, np.random.default_rng(2))
x = x.to(next(model.parameters()).dtype)
R = torch.tensor(random_rotation(np.random.default_rng(1))).to(x.dtype)
transformations = {
    "shift": (lambda x: x + 3, lambda F: F),
    "turn": (lambda x: x @ R.T, lambda F: F @ R.T),
    "mirror": (lambda x: -x, lambda F: -F),
    "renumber": (lambda x: x[:, [1, 3, 0, 2]], lambda F: F[:, [1, 3, 0, 2]]),
}


def own_forces(x):
    return forces(model, x)


E, F = model(x).detach(), own_forces(x)
print(f"50 clusters: energies {E.min():.2f} to {E.max():.2f}, largest force {F.abs().max():.3f}")
for name, (moved, out) in transformations.items():
    of_energy = invariance_error(model, x, moved)
    of_forces = equivariance_error(own_forces, x, moved, out)
    print(f"{name:9} energies change by {of_energy:.0e}, forces differ by {of_forces:.0e}")
print(f"sum of the forces on a cluster: at most {F.sum(dim=1).abs().max().item():.0e}")

# %% [markdown]
# ### `train_energy_model` (20 minutes, hard)
#
# The symmetry is there; now the physics has to be learnt. The data are clusters of four
# Lennard-Jones atoms and their energies. Adam gets you through. L-BFGS in double precision is far
# better for so small a network, if it may look along its line (`line_search_fn="strong_wolfe"`, and
# more than `max_iter=1` in a step). The model's output has to be the energy in $\varepsilon$: if
# you standardise anything for the training, its weights must undo it.

# %% exercise="train_energy_model"

# %% [markdown]
# What is a symmetry worth? A comparison is fair if the networks differ in one thing at a time. All
# of these have two hidden layers of 32 units with the same smooth activation, and the same training
# (150 iterations of L-BFGS in float64, `figures.taught`), on more and more clusters:
#
# 1. **places**: all twelve coordinates;
# 2. **turned copies**: the same, but each cluster comes ten times, turned at random by your
#    `random_rotation` and renumbered; this is called augmentation;
# 3. **distances**: the six distances in a row, so that only the numbering is left to learn;
# 4. **scaled**: the same as $4/r - 2$, which is large where the energy is;
# 5. **sorted**: the same, the largest first, so that the numbering has no say any more;
# 6. **a set**: the same, through your `DeepSets`: a network $\rho$ behind the sum;
# 7. **yours**: `ClusterEnergyModel`, nothing behind the sum.
#
# From 4 to 5 the symmetry is complete, and nothing else has changed. **Before you run the cell:**
# which step gains most – (a) from 3 to 4, the scale; (b) from 4 to 5, the symmetry; (c) from 5 to
# 7, energies that add up? (About 25 CPU seconds.)

# %% demo="learning_curves"
import time

import sys

from tqdm import tqdm


class Reading(nn.Module):
    """A network behind something that reads places (B, 4, 3)."""

    def __init__(self, read, network):
        super().__init__()
        self.read, self.network = read, network

    def forward(self, x):
        return self.network(self.read(x)).squeeze(-1)


def pairs(x):
    i, j = torch.triu_indices(4, 4, offset=1)
    return (x[:, i] - x[:, j]).norm(dim=-1)


def scaled(x):
    return 4 / pairs(x) - 2


def copies(x, E, times, rng):
    turned = []
    for _ in range(times):
        R = torch.tensor(np.array([random_rotation(rng) for _ in x])).to(x.dtype)
        order = torch.tensor(rng.permutation(x.shape[1]))
        turned.append((x @ R.transpose(1, 2))[:, order])
    return torch.cat(turned), E.repeat(times)


rng = np.random.default_rng(8)
known, E_known = figures.known_clusters(400, 4, rng)
unseen, E_unseen = figures.known_clusters(1000, 4, rng)
sizes = [25, 100] if fast else [25, 100, 400]
networks = {
    "places": lambda: Reading(lambda x: x.flatten(1), figures.dense(12)),
    "turned copies": lambda: Reading(lambda x: x.flatten(1), figures.dense(12)),
    "distances": lambda: Reading(pairs, figures.dense(6)),
    "scaled": lambda: Reading(scaled, figures.dense(6)),
    "sorted": lambda: Reading(lambda x: scaled(x).sort(1, descending=True)[0], figures.dense(6)),
    "a set": lambda: Reading(scaled, DeepSets()),
    "yours": ClusterEnergyModel,
}
curves, trained = {name: [] for name in networks}, {}
start = time.perf_counter()
for size, name in tqdm(
    [(size, name) for size in sizes for name in networks], desc="trainings", file=sys.stdout
):
    torch.manual_seed(0)
    trained[name] = networks[name]()
    data = known[:size], E_known[:size]
    if name == "turned copies":
        data = copies(*data, 3 if fast else 10, rng)
    learnt = figures.taught(trained[name], *data, iterations=50 if fast else 150)
    error = trained[name](unseen.double()).detach() - E_unseen
    curves[name].append((error**2).mean().sqrt().item())
print(f"{time.perf_counter() - start:.0f} s; your error on what it has learnt: {learnt:.1e} ε")
for name, network in trained.items():
    count = sum(weights.numel() for weights in network.parameters())
    print(f"{name}: {count} parameters, {curves[name][-1]:.2g} ε")
figures.learning_curves(sizes, curves, E_unseen.std().item())

# %% [markdown]
# **What to notice.** Answer (c). Each of the three steps comes out of physics, and only one of them
# is a symmetry.
#
# - *Symmetry*, from 4 to 5, makes the error three to ten times smaller. The network of places does
#   worse than always saying the mean, since it knows nothing of the same cluster turned. Copies
#   stop it from making things up, but what it could learn is spread over all orientations and all
#   {{4 * 3 * 2}} numberings.
# - *Energies that add up*, a sum over pairs (6) and nothing behind the sum (7), make it ten to two
#   hundred times smaller again. This is no symmetry. It is a statement about this substance, and a
#   true one; for water it would be wrong.
# - The number of parameters has nothing to do with it: all have between one and two thousand.
#
# And your curve does not fall with more data. It need not: 25 clusters are {{25 * 6}} pairs, and
# they all lie on *one* curve, that of one variable. The error on what it has learnt is as large as
# on what it has not. What is left is the patience of the optimiser: four times as many iterations
# make it several times smaller.

# %% [markdown]
# Does it hold for other sizes? Your network, now taught by your `train_energy_model`, has seen four
# atoms only.

# %% demo="parity"
from sklearn.linear_model import LinearRegression

torch.manual_seed(0)
model = ClusterEnergyModel()
dtype = next(model.parameters()).dtype
train_energy_model(
    model,
    known.to(dtype),
    E_known.to(dtype),
    epochs=100 if fast else 300,
    generator=torch.Generator().manual_seed(0),
)
results, sums = {}, {}
for n_atoms in (3, 4, 5):
    x, E = figures.known_clusters(500, n_atoms, np.random.default_rng(n_atoms))
    results[f"{n_atoms} atoms"] = E, model(x.to(dtype)).detach()
    i, j = torch.triu_indices(n_atoms, n_atoms, offset=1)
    r = (x[:, i] - x[:, j]).norm(dim=-1).double()
    sums[n_atoms] = torch.stack([(r**-12).sum(1), (r**-6).sum(1)], dim=1).numpy(), E.numpy()
    spread, loose = (E - E.mean()) ** 2, E > 0
    share = (spread[loose].sum() / spread.sum()).item()
    print(f"{n_atoms} atoms: E > 0 in {loose.double().mean():.0%}, {share:.0%} of the variance")
control = LinearRegression().fit(*sums[4])
error = max(np.abs(control.predict(some) - E).max() for some, E in sums.values())
slopes = ", ".join(f"{slope:.3f}" for slope in control.coef_)
print(f"control: a straight line on Σr⁻¹² and Σr⁻⁶ finds {slopes}; largest error {error:.0e} ε")
figures.parity(results)

# %% [markdown]
# **What to notice.** Three and five atoms are as good as four, because a pair is a pair. Do not be
# dazzled by $R^2$ over all clusters: a few loose ones, with a pair high on the repulsive wall, make
# much of the variance. Judge on the bound clusters, by the typical error in $\varepsilon$. And the
# honest control needs no network: the energy is linear in $\sum r^{-12}$ and $\sum r^{-6}$, and a
# straight line finds the factors 4 and $-4$. A network earns its place where the form of the law is
# not known.

# %% [markdown]
# Now the picture from the beginning, and what comes of it when the atoms may move. On the right the
# cluster is let go, at rest, with your `forces` of each network. **Before you run the cell:** a
# network gives a turned cluster another energy. What goes wrong in its motion – (a) it gains energy
# out of nothing, (b) it begins to spin, (c) nothing, if the time step is small?

# %% demo="turning"
shown = {name: trained[name] for name in ("places", "turned copies")} | {"yours": model.double()}
figures.turning(shown, forces)

# %% [markdown]
# **What to notice.** Your line is flat, not nearly flat, and this has nothing to do with how well
# it has learnt the energy: try an untrained network. The others give one and the same cluster
# another energy in every direction.
#
# Answer (b). Forces that are the gradient of *some* energy conserve that energy, however wrong it
# is; what the middle of the figure shows of it is the error of the time step. But an energy that
# depends on the direction has a torque. A molecule at rest starts to spin, and it starts to fly
# away as well, because the energy also depends on the place. To each symmetry belongs what it
# conserves (Emmy Noether, 1918): turns and angular momentum, shifts and momentum. Where energy
# does come out of nothing is with networks that give forces directly, without an energy.

# %% [markdown]
# ## What is built in cannot be unlearnt
#
# Here are two tetrahedra with the same six distances: in one of them the two long edges meet in an
# atom, in the other they lie opposite each other.

# %% demo="twins"
twins = figures.twins()
i, j = torch.triu_indices(4, 4, offset=1)
distances = (twins[:, i] - twins[:, j]).norm(dim=-1)
volumes = torch.linalg.det(twins[:, 1:] - twins[:, :1]).abs() / 6
energies = model(twins.double()).detach()
triples = figures.axilrod_teller(twins)
torch.manual_seed(0)
of_triples = Reading(figures.triangles, DeepSets(in_dim=3)).double()
verdicts = of_triples(twins.double()).detach()
for n in range(2):
    listed = ", ".join(f"{d:.2f}" for d in sorted(distances[n].tolist()))
    print(f"distances {listed}: volume {volumes[n]:.3f} σ³")
    print(f"  your energy {energies[n]:.4f} ε, three-body sum {triples[n]:.3f} σ⁻⁹,", end=" ")
    print(f"untrained network of triples {verdicts[n]:.4f}")
R = torch.tensor(random_rotation(np.random.default_rng(1)))
moved = (-twins.double() @ R.T + 1)[:, [2, 0, 3, 1]]
error = invariance_error(of_triples, twins.double(), lambda x: moved)
print(f"network of triples, mirrored, turned, shifted and renumbered: changes by {error:.0e}")

# %% [markdown]
# For pair energies it is right that both have the same. In real argon triples of atoms have an
# energy of their own (Axilrod and Teller found its form in 1943), and there the two differ. No
# training will ever teach it to a network that sees a set of distances: which of them belong to the
# same triangle is lost before anything is learnt.
#
# The last number comes from a network that pools over *triangles* instead of pairs: your `DeepSets`
# with three numbers for each element, the sides of a triangle in order of size
# (`figures.triangles`). It keeps every symmetry of the energy, and tells the two apart before it
# has learnt anything.

# %% [markdown]
# ## An open question
#
# A thousand atoms have half a million pairs and 166 million triples. What would you leave out, and
# what would the forces do where you cut? And are triples the end of it? Find out whether two
# clusters can have the same set of triangles and yet be different.

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
