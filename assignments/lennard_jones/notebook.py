# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A neural potential with forces
#
# **Can a network learn not only the energy of two argon atoms but also the force between them?**
#
# Whoever simulates atoms needs both: the energy says which arrangement is stable, the force says
# how the atoms move. A force is not a second thing to be learnt. It is the slope of the energy,
# and a network is a formula whose slope automatic differentiation gives exactly. You will write
# down the energy and the force of argon, put atoms together to clusters, and train two networks:
# one for two atoms, on energies and forces, and one for clusters of four.

# %% setup=true

# %% parameters=true
fast = False  # True: shorter trainings in the demonstrations

# %% [markdown]
# This is the picture at the end of the notebook, with one thing missing: the network's own curves
# for energy and force. It will get to know the dots. Whether it is right between them, and what it
# says in the shaded regions where it has none, is what you will find out.

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Units and signs.** Energies are in units of $\varepsilon$, the depth of the well, and lengths in
# units of $\sigma$, the distance where the energy is zero; forces are then in $\varepsilon/\sigma$.
# For argon $\varepsilon/k_\mathrm{B} \approx 120\,$K and $\sigma \approx 0.34\,$nm, so
# $\varepsilon/\sigma \approx {{f"{120 * 1.380649e-23 / 0.34e-9 * 1e12:.1f}"}}\,$pN.
# The force between two atoms is $F = -\mathrm{d}V/\mathrm{d}r$: **positive is repulsive**,
# negative is attractive. A function leaves its arguments as they were.

# %% [markdown]
# ## 1 · Two atoms
#
# ### `lj_potential` (5 minutes, easy)
#
# Two argon atoms attract each other weakly, because their fluctuating dipoles follow one another,
# and repel each other strongly once their shells overlap. Lennard-Jones' formula has one power
# for each:
#
# $$V(r) = 4\varepsilon\left[\left(\frac{\sigma}{r}\right)^{12}
# - \left(\frac{\sigma}{r}\right)^{6}\right]$$
#
# The sixth power is physics; the twelfth is its square, and was cheap to compute. At
# $r = 1.5\,\sigma$ the energy is ${{f"{lj_potential(1.5):.4f}"}}\,\varepsilon$.

# %% exercise="lj_potential"

# %% [markdown]
# ### `lj_force` (10 minutes, easy)
#
# Differentiate by hand, $F = -\mathrm{d}V/\mathrm{d}r$. Two checks cost nothing: the force must
# vanish at the minimum, $r_{\min} = 2^{1/6}\sigma \approx {{f"{2 ** (1 / 6):.4f}"}}\,\sigma$, and
# at $r = \sigma$, on the wall, it must push the atoms apart, with
# ${{f"{lj_force(1.0):.0f}"}}\,\varepsilon/\sigma$.

# %% exercise="lj_force"

# %% demo="potential_and_force"
figures.potential_and_force(lj_potential, lj_force)

# %% [markdown]
# **What to notice.** The force changes its sign where the energy has its minimum. The strongest
# attraction is not there but further out, at
# $(26/7)^{1/6}\sigma \approx {{f"{(26 / 7) ** (1 / 6):.3f}"}}\,\sigma$, and is only
# ${{f"{-lj_force((26 / 7) ** (1 / 6)):.2f}"}}\,\varepsilon/\sigma$; at $0.95\,\sigma$ the
# repulsion is already ${{f"{lj_force(0.95):.0f}"}}\,\varepsilon/\sigma$. Whatever is fitted to
# these numbers by least squares will care about the wall first.

# %% [markdown]
# ## 2 · Clusters
#
# ### `pairwise_distances` (10 minutes, medium)
#
# The energy of a cluster cannot depend on where it is, how it is turned, or which atom is called
# the first. Distances do not change when a cluster is moved or turned. Their *order* still changes
# when atoms are renumbered, and sorting takes care of that. $N$ atoms have $N(N-1)/2$ pairs, each
# counted once.

# %% exercise="pairwise_distances"

# %% demo="distance_lists"
figures.distance_lists(pairwise_distances)

# %% [markdown]
# **What to notice.** Three shapes, three lists; a turned and renumbered copy has the same list.
# The opposite is not always true: different tetrahedra can share one sorted list. For energies
# that are sums over pairs this does no harm, because those tetrahedra have the same energy too.

# %% [markdown]
# ### `cluster_energy` (10 minutes, easy)
#
# $$E = \sum_{i<j} V(r_{ij})$$
#
# Every pair counts once. Three atoms at mutual distance $r_{\min}$ have three full bonds,
# $-3\,\varepsilon$; four in a tetrahedron have six.

# %% exercise="cluster_energy"

# %% demo="compact_clusters"
figures.compact_clusters(cluster_energy)

# %% [markdown]
# **What to notice.** All three curves are the same curve times 1, 3 and 6: every pair is at its
# best distance at once. In three dimensions this ends with the tetrahedron: five atoms have ten
# pairs, and only nine of them can be neighbours.

# %% [markdown]
# ### `cluster_forces` (15 minutes, hard)
#
# The force on atom $i$ is minus the gradient of $E$ with respect to its position. Each other atom
# pushes or pulls along the line that joins the two:
#
# $$\mathbf F_i = -\nabla_i E = \sum_{j \neq i} F(r_{ij})\,
# \frac{\mathbf x_i - \mathbf x_j}{r_{ij}}$$
#
# The unit vector points from $j$ to $i$, so a positive $F$ pushes $i$ away. What $i$ does to $j$
# is the opposite of what $j$ does to $i$: the rows add up to zero.

# %% exercise="cluster_forces"

# %% demo="force_arrows"
figures.force_arrows(cluster_energy, cluster_forces)

# %% [markdown]
# **What to notice.** Left: your arrows lie on minus the slope of your own energy, which was found
# by moving one atom at a time and knows nothing of your formula. Right: how well the two agree
# depends on the step. A central difference is wrong by the square of its step, so the difference
# shrinks with it, until rounding in $E$, divided by an ever smaller step, takes over. That is why
# a numerical slope is a good check and a poor force.

# %% [markdown]
# ## 3 · Data
#
# ### `sample_clusters` (15 minutes, medium)
#
# Data come from random clusters: every coordinate from a normal distribution of width `scale`.
# Without a lower limit some pairs come so close that one cluster outweighs all the others:
# $V(0.5\,\sigma) = {{f"{lj_potential(0.5):.0f}"}}\,\varepsilon$. So a cluster with any pair closer
# than `min_distance` is thrown away **as a whole** and drawn again. Redrawing one atom only would
# be another distribution.

# %% exercise="sample_clusters"

# %% demo="samples"
import time

start = time.perf_counter()
some_pairs = sample_clusters(1000 if fast else 4000, 2, 0.9, np.random.default_rng(1))
clusters = sample_clusters(500 if fast else 2000, 4, 0.9, np.random.default_rng(2))
print(f"{len(some_pairs)} pairs and {len(clusters)} clusters: {time.perf_counter() - start:.1f} s")
energies = np.array([cluster_energy(cluster) for cluster in clusters])
figures.samples(some_pairs, energies, 0.9, 0.8, pairwise_distances)

# %% [markdown]
# **What to notice.** Left: for two atoms the density is known, that of a normal distribution in
# three dimensions, cut off at `min_distance`. Right: most clusters are loosely bound. A few have
# pairs on the wall and energies far above zero. Keep these few in mind for the last plot.

# %% [markdown]
# ### `standardise` (5 minutes, easy)
#
# Networks learn best from numbers of order one around zero. Each column is shifted by its mean and
# divided by its standard deviation, **both of the training data**. The test data get the same
# shift and scale: they stand for what comes later, and you do not know their mean yet.

# %% exercise="standardise"

# %% demo="columns"
distances = np.array([pairwise_distances(cluster) for cluster in clusters])
train_part, test_part = distances[::2], distances[1::2]
train_n, test_n, *_ = standardise(train_part, test_part)
figures.columns(train_part, test_part, train_n, test_n)

# %% [markdown]
# **What to notice.** On the left every place in the list has its own centre and width; on the
# right they share one. The standardised test data are not exactly centred, and should not be.

# %% [markdown]
# ## 4 · A network whose slope is the force
#
# ### `NNPotential`, `energy_and_force` (15 minutes, hard)
#
# The network maps $r$ to $V_\theta(r)$. Two hidden layers of 64 units have
# {{sum(p.numel() for p in NNPotential(64).parameters())}} parameters
# $\theta$. Its force is not another output but
#
# $$F_\theta(r) = -\frac{\mathrm{d}V_\theta}{\mathrm{d}r},$$
#
# through `torch.autograd.grad` with `create_graph=True`: the force has to be differentiable again,
# this time with respect to $\theta$, when it appears in a loss. Energies of different rows do not
# mix, so the gradient of their sum holds every row's own slope.

# %% exercise="nn_potential"

# %% demo="untrained"
torch.manual_seed(3)
figures.untrained(NNPotential(), energy_and_force)

# %% [markdown]
# **What to notice.** The untrained network knows nothing of argon, and yet its force is the slope
# of its energy. This holds by construction, before, during and after the training, and means that
# energy is conserved whatever the network has learnt.

# %% [markdown]
# ### `force_matching_loss` (5 minutes, easy)
#
# $$L = \frac1N\sum_n \bigl(V_\theta(r_n) - V_n\bigr)^2
# + w\,\frac1N\sum_n \bigl(F_\theta(r_n) - F_n\bigr)^2$$
#
# The two terms have different units: $w$ is a squared length, in $\sigma^2$, and says how far an
# error of the force counts beside one of the energy.

# %% exercise="force_matching_loss"

# %% [markdown]
# **Before you run the cell:** a ripple on the energy of height $0.01\,\varepsilon$ and wave number
# $100/\sigma$. By how much is the force off, in $\varepsilon/\sigma$ – (a) 0.01, (b) 1, (c) 100?

# %% demo="ripple"
r = np.linspace(0.95, 3.5, 2000)
V, F = lj_potential(r), lj_force(r)
height, wave = 0.01, 100.0
with_ripple = V + height * np.sin(wave * r), F - height * wave * np.cos(wave * r)
V, F, V_ripple, F_ripple = (torch.tensor(values[:, None]) for values in (V, F, *with_ripple))
for weight in (0.0, 1.0):
    loss = force_matching_loss(V_ripple, V, F_ripple, F, force_weight=weight)
    print(f"force_weight = {weight:.0f}: loss {float(loss):.6f}")
print(f"expected: about {height**2 / 2:.5f} and {height**2 / 2 * (1 + wave**2):.2f}")
figures.ripple(lj_potential, lj_force, height, wave)

# %% [markdown]
# **What to notice.** Answer (b). A ripple $a \sin kr$ that the eye can hardly see in the energy has
# $k$ times its height in the force. A small energy error promises nothing about the force; a small
# force error leaves the energy only a constant to be wrong by.

# %% [markdown]
# ### `train_potential` (20 minutes, hard)
#
# Put it together: a network, energies and forces at some distances, the loss above, an optimiser.
# Adam gets you through. L-BFGS, which builds a picture of the loss's curvature from past
# gradients, is far better for a smooth curve and a small network, if it may look along its line
# (`line_search_fn="strong_wolfe"`, and more than `max_iter=1` in a step). Three more things help:
# centring the input, training data that reach both ends of the range, and double precision.

# %% exercise="train_potential"

# %% [markdown]
# As a companion, here is the usual recipe, plain Adam, and it sees the energies alone.

# %% demo="energies_only"
import time

import sys

from tqdm import tqdm

inside = np.random.default_rng(5).uniform(0.95, 3.5, 198)
r = np.sort(np.append(inside, [0.95, 3.5]))[:, None].astype(np.float32)
r_train, V_train, F_train = (
    torch.tensor(values, dtype=torch.float32) for values in (r, lj_potential(r), lj_force(r))
)
torch.manual_seed(0)
energies_only = NNPotential()
optimiser = torch.optim.Adam(energies_only.parameters(), lr=5e-3)
for _ in tqdm(range(300 if fast else 2000), desc="Adam, energies alone", file=sys.stdout):
    optimiser.zero_grad()
    loss = torch.mean((energies_only(r_train) - V_train) ** 2)
    loss.backward()
    optimiser.step()
print(f"mean squared error of the energy: {loss.item():.1e} ε²")

# %% [markdown]
# And yours, which sees the same 200 distances and also the forces.

# %% demo="learnt_potential"
start = time.perf_counter()
model = train_potential(
    r_train,
    V_train,
    F_train,
    epochs=100 if fast else 300,
    generator=torch.Generator().manual_seed(0),
)
print(f"train_potential: {time.perf_counter() - start:.1f} s")
figures.learnt_potential(model, energies_only, energy_and_force, lj_potential, lj_force, r_train)

# %% [markdown]
# **What to notice.** Inside the range both energies look right, and the lower row, which is
# logarithmic, tells them apart. The force of the energy-only network is worse than its energy, and
# worst on the wall, where it matters most. (Yours may have a better optimiser too: train it on
# energies alone once, and see which of the two makes the difference.) In the shaded regions nothing
# holds either network, and the more exact one need not be the tamer one. Far out that is a
# nuisance; on the wall it is a danger, so look closer:
#
# **Before you run the cell:** a little below its last datum, the wall that your network has learnt
# – (a) rises as argon's does, (b) goes its own way, (c) ends at once?

# %% demo="wall"
figures.wall(model, energies_only, energy_and_force, lj_potential, lj_force)

# %% [markdown]
# **What to notice.** Answer (b). Below $0.95\,\sigma$ argon's wall keeps rising, to
# $V(0.75\,\sigma) = {{f"{lj_potential(0.75):.0f}"}}\,\varepsilon$. A network follows for a little
# while, because it knows the slope at the last point, and then goes its own way: a wall too soft,
# too hard, or even one that turns round into a hole. Change the seed and the wall changes, while
# between 0.95 and $3.5\,\sigma$ hardly anything does: no test in there shows it.

# %% [markdown]
# ## 5 · A network for clusters
#
# ### `train_cluster_model` (20 minutes, hard)
#
# Six sorted distances in, one energy out. You are free in what you do inside: standardise the
# columns and use an ordinary network, or use what you know: the energy is a sum over pairs. If you
# standardise the energies as well, remember to return them in $\varepsilon$.

# %% exercise="train_cluster_model"

# %% [markdown]
# Two numbers judge the network. $R^2$ is the part of the energies' variance that it explains. And
# there is an honest control without any network: $E$ is *linear* in $\sum r_{ij}^{-12}$ and
# $\sum r_{ij}^{-6}$, so that a straight line on these two sums has nothing left to learn but two
# numbers, $4$ and $-4$.

# %% demo="parity"
import time

from sklearn.linear_model import LinearRegression

known = sample_clusters(300 if fast else 1000, 4, 0.9, np.random.default_rng(11))
unseen = sample_clusters(300 if fast else 1000, 4, 0.9, np.random.default_rng(12))
d_known, d_unseen = (np.array([pairwise_distances(x) for x in some]) for some in (known, unseen))
E_known, E_unseen = (np.array([cluster_energy(x) for x in some]) for some in (known, unseen))
start = time.perf_counter()
predict = train_cluster_model(
    d_known, E_known, epochs=100 if fast else 500, generator=torch.Generator().manual_seed(0)
)
print(f"train_cluster_model: {time.perf_counter() - start:.1f} s")
sums, sums_unseen = (
    np.column_stack([np.sum(d**-12.0, axis=1), np.sum(d**-6.0, axis=1)])
    for d in (d_known, d_unseen)
)
control = LinearRegression().fit(sums, E_known)
spread, loose = (E_unseen - E_unseen.mean()) ** 2, E_unseen > 0
share = spread[loose].sum() / spread.sum()
print(f"E > 0: {loose.mean():.0%} of the clusters make {share:.0%} of the variance")
print(f"control: E = {control.coef_[0]:.4f} Σr⁻¹² + ({control.coef_[1]:.4f}) Σr⁻⁶")
lecture = figures.lectures_network(d_known, E_known, 20 if fast else 100)
figures.parity(E_unseen, predict(d_unseen), control.predict(sums_unseen), lecture(d_unseen))

# %% [markdown]
# **What to notice.** $R^2$ over all clusters is a statement about the few at the upper
# end: the variance is theirs. Clusters that hold together are all in the lower corner, which the
# right panel enlarges; judge there, and by the error in $\varepsilon$. The control is exact with
# two numbers. The third network is the usual one, dense layers of 128, 128 and 64 on the sorted
# distances, trained by Adam: an $R^2$ that many would report with pride belongs to a network which
# is wrong by several per cent of a bond's energy or more. A network is not needed for a sum over
# pairs whose form is known. It is needed where the form is not known, and then a control like this
# one shows what the network adds.

# %% [markdown]
# And when the atoms move? Four of them, bound as a tetrahedron, get a kick, and move by the forces
# of your `train_potential`, pair by pair, and by the exact ones. Once gently, and once so hard that
# the cluster breaks. Three more of your networks, from other starts, are trained on the same data
# and look on: what force would they have found?
#
# **Before you run the cell:** the atoms leave the distances that the network has seen. What can
# tell you so – (a) its total energy, which runs away, (b) other networks, which disagree with it,
# (c) nothing?

# %% demo="motion"
seeds = tqdm(range(1, 3 if fast else 4), desc="networks from other starts", file=sys.stdout)
others = [
    train_potential(
        r_train,
        V_train,
        F_train,
        epochs=100 if fast else 300,
        generator=torch.Generator().manual_seed(seed),
    )
    for seed in seeds
]
figures.motion([model, *others], energy_and_force, 200 if fast else 2000)

# %% [markdown]
# **What to notice.** Answer (b). A network's energy is conserved wherever its forces are the slope
# of that energy, right or wrong; what drifts is the error of the time step, which grows when the
# atoms get fast. The vertical line is the moment when a pair is farther apart or closer together
# than any pair in the data. From there on nothing holds the network to the truth. Its own energy
# does not say so; other networks can. Where there are data all were taught the same, and where
# there are none each goes its own way. How clearly they say it depends on the training: rough ones
# disagree inside the data already, mostly on the wall, and the grey line is too high then to be
# crossed far out, where all forces are small. And agreement is no proof: networks of one kind can
# be wrong alike.

# %% [markdown]
# ## An open question
#
# Your networks are right where they have data and just as confident where they have none. If one
# of them drove a simulation, energy would be conserved also inside a wall that is not there. What
# would you ask of a network, of its training data or of the simulation, so that it notices
# when it leaves what it knows?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
