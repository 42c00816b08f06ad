# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Locality and weight sharing
#
# **Can a network that only ever looks at neighbouring spins tell in which phase a magnet is, on a
# lattice of any size, and wherever you begin to count its sites?**
#
# In a magnet each spin feels its neighbours, all places are alike, and a lattice that closes on
# itself has no first row. A dense network knows nothing of this: it takes the spins as a list, and
# would do as well, or as badly, if somebody had shuffled the sites once and for all. Two ideas
# repair that. Look at a few neighbours at a time (**locality**), and use the same few numbers
# everywhere (**weight sharing**). Together they are called a convolution.

# %% setup=true

# %% [markdown]
# Set `fast = True` to shorten the demonstrations; no exercise depends on it.

# %% parameters=true
fast = False

# %% [markdown]
# The last picture of this notebook is the one below, with the curves that are missing here: what
# your network says about lattices at temperatures that it has never seen, of sizes that it has
# never seen.

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Conventions.** Spins $s = \pm1$ on a square lattice with periodic boundaries,
# $E = -J \sum_{\langle ij \rangle} s_i s_j$; temperatures are in units of $J/k_\mathrm{B}$,
# energies in units of $J$. Onsager's critical temperature is
# $T_c = 2/\ln(1 + \sqrt 2) \approx {{f"{2 / math.log(1 + 2**0.5):.3f}"}}$, and there the energy is
# $-\sqrt 2\,J$ per spin. Phase 0 is ordered, phase 1 disordered. Rows count downwards, columns to
# the right. A function leaves its arguments as they were, apart from a model that it trains. In
# each figure your result is drawn over the expected one, which is pale. Figures are never graded.

# %% [markdown]
# ## 1 · A kernel on a chain
#
# ### `correlate1d` (10 minutes, easy)
#
# Lay a short list of numbers, the **kernel**, on a signal, multiply what lies on top of each other,
# add up, move on by one site:
#
# $$ r_i = \sum_{k=0}^{m-1} s_{i+k}\, w_k . $$
#
# $m$ numbers serve a signal of any length, and each result knows $m$ neighbouring sites and no
# others. Only places where the whole kernel lies on the signal count, so the result is shorter.

# %% exercise="correlate1d"

# %% demo="sliding"
figures.sliding(correlate1d)

# %% [markdown]
# **What to notice.** On the right, the kernel $[1, 0, -1]$ is silent inside a domain and speaks at
# its walls, with a sign that says which side is up. Move the chain by five sites and the response
# moves by five sites: nobody had to learn this, it cannot be otherwise. This is called
# **equivariance**, and is not yet *in*variance, which would mean that nothing changes.

# %% [markdown]
# ## 2 · A kernel on a torus
#
# ### `convolve2d_periodic` (25 minutes, hard)
#
# In two dimensions, and with the lattice closed on itself:
#
# $$ r_{ij} = \sum_{a,b} w_{ab}\; s_{(i + c - a) \bmod H,\;(j + d - b) \bmod W}\, . $$
#
# Two things are new. Indices count modulo the height and the width, so each site has all its
# neighbours. And there are minus signs in front of $a$ and $b$: the kernel is *flipped*. That makes
# it a **convolution** in the sense of physics, where $w$ is the response to a single kick: an image
# with one bright site gives the kernel as it is. $(c, d)$ is the kernel's centre; a kernel with an
# even number of rows has none, and takes the row above the middle,
# $c = \lfloor (K_h - 1)/2 \rfloor$.

# %% exercise="convolve2d_periodic"

# %% demo="stamp"
figures.stamp(convolve2d_periodic)

# %% [markdown]
# **What to notice.** The kernel looks like the Greek Γ. `scipy.signal.convolve2d` and you print it
# as it is. torch's `Conv2d` prints it upside down and mirrored: what it computes is the correlation
# of section 1, whatever its name. For a network that *learns* its kernels this makes no difference.
# It does when you carry a kernel from one library to another: edges come out with the opposite
# sign.

# %% [markdown]
# ### `kernel` (5 minutes, easy)
#
# Four kernels that nobody has to learn: two for edges, a mean, and
# $\nabla^2 s \approx s_\text{up} + s_\text{down} + s_\text{left} + s_\text{right} - 4s$, the
# Laplacian that you know from the heat equation.

# %% exercise="kernels"

# %% demo="filters"
figures.filters(convolve2d_periodic, kernel)

# %% [markdown]
# **What to notice.** Orange is positive, blue negative. The edge kernels see opposite sides of the
# island with opposite signs: flipped as they are in a convolution, they subtract what comes later
# from what came before. The blur is a magnetisation of nine spins. The Laplacian marks the wall
# from both sides, and that is worth a second look: the four neighbours of a spin add up to
# $\nabla^2 s + 4s$, and $s^2 = 1$, so the energy per spin is
#
# $$ e = -\tfrac12 \bigl\langle s\,(\nabla^2 s + 4s) \bigr\rangle
#      = -2 - \tfrac12 \bigl\langle s\,\nabla^2 s \bigr\rangle . $$
#
# One convolution, one product and one mean measure the energy.

# %% demo="energy"
from coursekit.ising_data import ising_configurations

lattices = ising_configurations(16, np.linspace(1.5, 6.0, 60), np.random.default_rng(3))
from_laplacian = [
    -2 - np.mean(spins * convolve2d_periodic(spins, kernel("laplacian"))) / 2 for spins in lattices
]
figures.walls(figures.energy_per_spin(lattices), from_laplacian)

# %% [markdown]
# ## 3 · Fewer numbers
#
# ### `max_pool2d` (15 minutes, medium)
#
# Behind a convolution, networks often keep only the largest number of each block of
# $2 \times 2$ sites. What has been found is kept, where exactly is forgotten, and the next kernel
# sees twice as far. A reshape can cut each axis in two, *which block* and *where in the block*; the
# maximum then runs over the second halves.

# %% exercise="max_pool2d"

# %% demo="pooled"
figures.pooled(max_pool2d)

# %% [markdown]
# **What to notice.** A convolution of a shifted map is the shifted convolution. For pooling this
# is no longer so: the map on the right was moved by a single site, and its blocks hold other
# numbers, not the same ones in another place. Only shifts by whole blocks survive. Blocks have a
# beginning, and with them the lattice has one again. Remember this for section 6.

# %% [markdown]
# ### `count_conv_parameters` (5 minutes, easy)
#
# A layer takes several maps and gives several. Each new map has a kernel of its own for each old
# one, adds up what they find, and adds a bias.

# %% exercise="count_conv_parameters"

# %% demo="parameters"
figures.parameters(count_conv_parameters)

# %% [markdown]
# **What to notice.** The axis is logarithmic. A dense layer that makes 16 maps of 256 spins would
# need a million numbers; the convolution needs {{count_conv_parameters(1, 16, 3)}}, and would need
# no more for a lattice a thousand times larger. And yet this network as a whole has
# {{f"{sum(p.numel() for p in IsingCNN().parameters()) / 18594:.1f}"}} times the parameters of the
# dense network in the last but one row. They are not in the convolutions. They sit in the dense
# layer behind them, which gives each of its places weights of its own again.

# %% [markdown]
# ## 4 · A network of convolutions
#
# ### `IsingCNN` (20 minutes, medium)
#
# The usual plan: twice convolution, ReLU and pooling, then two dense layers. The sizes are in the
# docstring; the {{sum(p.numel() for p in IsingCNN().parameters())}} parameters tell you whether you
# have them right. Two numbers come out, the **logits** $z_0, z_1$, of which
# $p_1 = 1/(1 + e^{z_0 - z_1})$ would be the probability of disorder. Leave that to the loss.
#
# A trap on the way: `x.view(...)`, which many tutorials use to put the features in a row, insists
# on one order of the numbers in memory. Arrays whose axes were added or exchanged may have another,
# and then the network stops with an error on the very same spins.

# %% exercise="ising_cnn"

# %% demo="edges"
torch.manual_seed(2)
untrained = IsingCNN()
figures.edges(untrained)
axis_added = np.ones((9, 16, 16), dtype=np.float32)[:, np.newaxis]
batch = torch.from_numpy(axis_added[[5, 2, 7]])
print(f"strides in memory {batch.stride()}, logits {tuple(untrained(batch).shape)}")

# %% [markdown]
# **What to notice.** Left: all spins are up, so all sites are alike, and with zeros beyond the edge
# the first kernel already finds a frame that is not there. Middle: with periodic padding it finds
# the same everywhere. Right: two domains, moved down row by row. Nothing has changed for the
# physics, and the untrained network gives another answer each time. There are three reasons: the
# frame, the blocks of the pooling, and the dense layer.

# %% [markdown]
# ## 5 · Training, and an honest test
#
# The network learns from configurations of known temperature. Where do they come from? The
# cheapest way is one long Monte Carlo run for each temperature, a configuration every ten sweeps,
# and a random third of them put aside for the test. How different are two configurations ten sweeps
# apart?

# %% demo="chains"
chains = {}
for temperature in (2.0, 2.5):
    alike = np.full(200 if fast else 400, temperature)
    # The same seed gives the same chains again; ten more sweeps show where they go.
    now, later = (
        ising_configurations(16, alike, np.random.default_rng(5), sweeps).mean(axis=(1, 2))
        for sweeps in (200, 210)
    )
    chains[temperature] = now, later
    same, other = np.corrcoef(now, later)[0, 1], np.corrcoef(now, np.roll(now, 1))[0, 1]
    print(f"T = {temperature}: correlation of m {same:.2f} in a chain, {other:.2f} between chains")
figures.memory(chains)

# %% [markdown]
# **What to notice.** Orange: at $T = 2.0$ a chain keeps its sign, and one configuration tells
# nearly everything about the next; at 2.5 it still tells a good deal. Green: two chains know
# nothing of each other. If a test is drawn from the chains that were learnt, it is full of
# acquaintances, and all cold ones of a temperature have the same sign. Such a test measures memory.
# In this notebook each configuration comes from a chain of its own, about half of the cold ones up
# and half down.

# %% [markdown]
# ### `train_cnn` (25 minutes, hard)
#
# Cross-entropy, mini-batches, any optimiser. What must not be forgotten: clear the gradients before
# each step, switch the network to training mode and, at the end, back to evaluation mode, and
# **shuffle**. Data usually come in some order, here by temperature.

# %% exercise="train_cnn"

# %% [markdown]
# As a companion, the same network is trained on the same data in the order in which they come, and
# a control without any network: call a lattice ordered if $|m|$, the size of its magnetisation per
# spin, is above the threshold that is best on the training data. Then both are asked about new
# chains, also at temperatures for which there were no training data.
#
# **Before you run the cell:** which is right more often far from $T_c$ – (a) the network, by far;
# (b) the threshold, by far; (c) neither, by more than a few per cent?

# %% demo="learning"
import sys
import time

from tqdm import tqdm

per_temperature = 40 if fast else 100
cold, hot = np.linspace(1.0, 2.0, 6), np.linspace(2.5, 4.0, 6)
known = np.repeat(np.concatenate([cold, hot]), per_temperature)
spins = ising_configurations(16, known, np.random.default_rng(1))
X = torch.tensor(spins[:, None], dtype=torch.float32)
y = torch.tensor((known > figures.T_C).astype(int))
epochs = 5 if fast else 10

torch.manual_seed(0)
cnn = IsingCNN()
start = time.perf_counter()
history = train_cnn(cnn, X, y, epochs=epochs, generator=torch.Generator().manual_seed(0))
print(f"train_cnn: {time.perf_counter() - start:.1f} s for {len(X)} configurations")

torch.manual_seed(0)
in_order = IsingCNN()
order_history = figures.trained_in_order(in_order, X, y, epochs)

temperatures = np.array([1.0, 1.5, 2.0, 2.1, 2.15, 2.2, 2.25, 2.3, 2.35, 2.4, 2.5, 3.0, 3.5, 4.0])
asked = np.repeat(temperatures, per_temperature)
unseen = ising_configurations(16, asked, np.random.default_rng(2), 1000)
magnetisation = np.abs(spins.mean(axis=(1, 2)))
limits = np.linspace(0.0, 1.0, 101)
limit = max(limits, key=lambda limit: np.mean((magnetisation < limit) == y.numpy()))
answers = {
    "yours": figures.disorder(cnn, unseen) > 0,
    f"|m| < {limit:.2f}": np.abs(unseen.mean(axis=(1, 2))) < limit,
}
known_range = (asked <= 2.0) | (asked >= 2.5)
accuracies = {}
for name, disordered in answers.items():
    right = disordered == (asked > figures.T_C)
    accuracies[name] = right.reshape(len(temperatures), -1).mean(axis=1)
    near = right[~known_range].mean()
    print(f"{name}: {right[known_range].mean():.1%} told right outside the gap, {near:.1%} in it")
figures.learning(history, order_history, accuracies, temperatures)

# %% [markdown]
# **What to notice.** Left: without shuffling the first epoch is worse than guessing would be. The
# network learns to say "ordered", and the second half of the data punishes it for that; then it
# forgets the first half. Right: answer (c). Outside the gap nearly everything is told right, and so
# it is by $|m|$ and one threshold. An accuracy of 99 % says little as long as the task is this
# easy. Near $T_c$ both come down to the toss of a coin: correlations there reach as far as the
# lattice is wide, the two phases look alike, and a single configuration does not know its
# temperature.

# %% [markdown]
# What have the sixteen kernels of the first layer learnt? Pictures of such kernels are often shown,
# with names such as "edge detector". Here are yours, beside the sixteen that the same network had
# before it was trained. **Before you run the cell:** which set is the trained one
# can be told – (a) at a glance, (b) hardly?

# %% demo="kernels_before_and_after"
torch.manual_seed(0)
figures.kernels_before_and_after(IsingCNN(), cnn)

# %% [markdown]
# **What to notice.** Answer (b). Each kernel is still the random one that it began as, a little
# bent: what the network has learnt is spread over all its layers, and most of it is in what the
# later ones make of these. A picture of learned filters means something only beside one of filters
# that have learnt nothing.

# %% [markdown]
# ## 6 · A network without a first row
#
# ### `PeriodicCNN` (20 minutes, medium)
#
# Build the symmetry in instead of learning it. Convolutions with periodic padding are equivariant:
# shifted lattice, shifted maps. A mean over *all* sites then forgets where things were, and the
# logits are invariant under every translation, exactly, for any weights, trained or not. What would
# break it: zeros beyond the edge, pooling into blocks, a dense layer that knows places. The mean
# also leaves the size of the lattice open.

# %% exercise="periodic_cnn"

# %% [markdown]
# **Before you run the cell:** the trained `IsingCNN` is shown one configuration, shifted in all 256
# ways. Its answers are – (a) the same, (b) the same but for rounding, (c) different?

# %% demo="shifts"
torch.manual_seed(0)
periodic = PeriodicCNN()
start = time.perf_counter()
train_cnn(periodic, X, y, epochs=epochs, generator=torch.Generator().manual_seed(0))
print(f"train_cnn: {time.perf_counter() - start:.1f} s")
for name, model in {"IsingCNN": cnn, "PeriodicCNN": periodic}.items():
    right = ((figures.disorder(model, unseen) > 0) == (asked > figures.T_C))[known_range].mean()
    size = sum(weights.numel() for weights in model.parameters())
    print(f"{name}: {size} parameters, {right:.1%} told right outside the gap")
figures.shift_maps({"IsingCNN": cnn, "PeriodicCNN": periodic})

# %% [markdown]
# **What to notice.** Answer (c). One configuration, shifted in all 256 ways. Training has not
# taught the first network that they are the same; its answer still depends on where the lattice was
# cut open. For the second one the differences are rounding errors. With {{sum(p.numel() for p in
# PeriodicCNN().parameters())}} parameters instead of {{sum(p.numel() for p in
# IsingCNN().parameters())}} it is at least as accurate: what it does not have to learn, it cannot
# get wrong.

# %% [markdown]
# Now the picture that was promised. The network has seen lattices of 16 × 16, outside the gap. It
# is asked about other sizes, inside the gap. (About 20 seconds of computing.)

# %% demo="crossing"
grid = np.linspace(2.0, 2.6, 9 if fast else 13)
copies = 20 if fast else 40
lattices = {}
for side in tqdm((8, 16, 32) if fast else (8, 16, 32, 64), desc="lattices", file=sys.stdout):
    drawn = ising_configurations(
        side, np.repeat(grid, copies), np.random.default_rng(side), 400 if fast else 800
    )
    lattices[side] = np.split(drawn, len(grid))
figures.crossing(periodic, grid, lattices)

# %% [markdown]
# **What to notice.** Left: the larger the lattice, the sharper the step, and on large lattices it
# passes one half near $T_c$, which the network was never told. Right: why. What it says about a
# configuration depends on little else than the energy per spin, a mean over neighbouring pairs.
# That is what a mean over small neighbourhoods measures best, and the wide pale curves, the share
# of configurations with an energy above $-\sqrt2\,J$, show how far one gets with it. (Close to
# $T_c$ a chain on the largest lattice would need many more sweeps than these to forget its start.
# Its energy, which is local, is less affected than its magnetisation.)

# %% [markdown]
# ## An open question
#
# The crossing lies near $T_c$ because the training temperatures lie on both sides of it, about
# equally far in energy. Train once with 1.0 to 1.5 for the cold phase, and see where the curves
# cross then. If the network measures the energy, has it learnt that there is a phase *transition*
# at all? What would it have to look at, how far would its kernels have to see, and which data would
# force it to?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
