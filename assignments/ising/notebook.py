# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The Metropolis step and a phase classifier
#
# **Can a network see a phase transition?**
#
# A magnet that is heated loses its magnetisation at a sharp temperature. The simplest model of it,
# spins on a square lattice that like to be parallel to their neighbours, has been solved exactly:
# in the limit of an infinite lattice order ends at
#
# $$T_c = \frac{2}{\ln(1 + \sqrt 2)} = {{f"{2 / np.log(1 + np.sqrt(2)):.6f}"}}.$$
#
# You will write the algorithm that draws configurations of this model at any temperature, check it
# against sums over all {{f"{2**16:,}".replace(",", " ")}} states of a small lattice, and show its
# pictures to a network that knows nothing of physics. At the end you will ask the network for
# $T_c$. You will also see how easy it is to be told what one wants to hear: by test data that the
# network has met before, by a task that a single number solves as well, and by labels that
# contain the answer.

# %% setup=true

# %% [markdown]
# Set `fast = True` to shorten the demonstrations; no exercise depends on it.

# %% parameters=true
fast = False

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Conventions.** Spins are $s_{ij} = \pm 1$ on an $L \times L$ lattice, row $i$, column $j$, with
# periodic edges: all indices count modulo $L$. The coupling $J$ and Boltzmann's constant are 1, so
# energies and temperatures are pure numbers. The class of a configuration is 0 if it is
# **ordered** ($T < T_c$) and 1 if it is **disordered**. Random numbers come from the generator
# that a function is given and from nothing else. In each figure your result is in colour and the
# expected one pale behind it.

# %% [markdown]
# ## 1 · Order
#
# ### `magnetisation` (5 minutes, easy)
#
# $$m = \frac{1}{L^2} \sum_{ij} s_{ij}$$
#
# is 1 if all spins are up and near 0 if they point anywhere. Configurations are kept in `int8`, one
# byte for each spin. That type ends at 127, and a sum that is added up in it starts again at
# −128: let NumPy do the sum, which takes a larger type by itself, or convert first.

# %% exercise="magnetisation"

# %% demo="magnetisation"
figures.patterns(magnetisation, "m")

# %% [markdown]
# **What to notice.** The chessboard is as ordered as a lattice can be and has $m = 0$. An order
# parameter sees one kind of order and is blind to others.

# %% [markdown]
# ### `energy` (10 minutes, easy)
#
# $$E = -\sum_{ij} s_{ij}\,\bigl(s_{i+1,j} + s_{i,j+1}\bigr)$$
#
# Two neighbours for each spin, not four: so every bond is counted once. A 4×4 lattice with all
# spins up has {{2 * 16}} bonds and the energy {{f"{energy(np.ones((4, 4))):.0f}"}}.

# %% exercise="energy"

# %% demo="energy"
figures.patterns(energy, "E")

# %% [markdown]
# **What to notice.** The island costs 2 for every bond around its edge, however large it is inside.
# The cost of disorder sits in walls.

# %% [markdown]
# ### `energy_change` (10 minutes, medium)
#
# To decide about one flip, a sum over the whole lattice is a waste. Only four bonds change:
#
# $$\Delta E = E_\text{flipped} - E = 2\, s_{ij} \sum_\text{4 neighbours} s .$$
#
# It has five possible values. Do not flip the spin; say what it would cost.

# %% exercise="energy_change"

# %% demo="flip_costs"
figures.flip_costs(energy_change, energy)

# %% [markdown]
# **What to notice.** Inside a domain every flip costs 8. On a straight wall it costs 4. At a corner
# of a wall it costs nothing, and a lonely spin gains by flipping. So walls move at their corners,
# and a straight wall around the whole lattice, which has none, hardly moves at all: this will
# come back.

# %% [markdown]
# ## 2 · Metropolis
#
# ### `acceptance_probability` (5 minutes, easy)
#
# At temperature $T$ a state has the Boltzmann weight $e^{-E/T}$. A random walk from state to state
# visits them with these weights if it goes from $a$ to $b$ as often as back,
# $e^{-E_a/T}\,p_{a\to b} = e^{-E_b/T}\,p_{b\to a}$, and reaches all of them. The first condition
# is *detailed balance*. Metropolis and his co-workers met it with
#
# $$p = \min\bigl(1,\ e^{-\Delta E/T}\bigr).$$
#
# It should work for numbers and for arrays, and without an overflow where $\Delta E/T$ is very
# negative: $e^{1000}$ is no number that a computer knows, though the minimum is.

# %% exercise="acceptance_probability"

# %% demo="acceptance"
figures.acceptance(acceptance_probability)

# %% [markdown]
# **What to notice.** At $T = 1$ a flip inside a domain is accepted once in
# {{f"{1 / acceptance_probability(8, 1.0):.0f}"}} attempts, at $T = 4$ once in
# {{f"{1 / acceptance_probability(8, 4.0):.0f}"}}.

# %% [markdown]
# ### `metropolis_step` (15 minutes, medium)
#
# One attempt to flip one spin, in place. The random number $u$, evenly spread between 0 and 1, is
# handed over, so that the step itself can be checked: it accepts exactly when $u < p$. It changes
# the array that it is given, and says whether it did.

# %% exercise="metropolis_step"

# %% demo="acceptance_rates"
figures.acceptance_rates(metropolis_step)

# %% [markdown]
# **What to notice.** The bars reach one standard error to either side: about a third of the points
# may lie further off than that. At $\Delta E \le 0$ there is nothing to scatter.

# %% [markdown]
# ### `metropolis_sweep` (15 minutes, medium)
#
# A sweep is $L^2$ attempts, one for each spin on average. Draw the sites at random or go from one
# to the next; but each attempt must see the flips before it. Trying all spins at once, against
# neighbours that change in the same moment, is another model. (The squares of one colour of a
# chessboard have no bonds among themselves: *they* may be tried at once, if $L$ is even. If it is
# odd, the chessboard does not close.) Return how many flips were accepted.
#
# A sweep in a fixed order is not in detailed balance: run backwards it would take the sites the
# other way round. But each of its steps is, and so each leaves the Boltzmann weights as they are;
# then all of them together do. This is called *stationarity*, and it is all that is needed.

# %% exercise="metropolis_sweep"

# %% demo="equilibrium"
figures.equilibrium(metropolis_sweep, energy)

# %% [markdown]
# **What to notice.** Left: two starts, one energy after a few dozen sweeps. What comes before is
# the memory of the start, and has to be thrown away. Right: the exact weights of all
# {{f"{2**16:,}".replace(",", " ")}} states of a 4×4 lattice, collected by energy. A chain of 3000
# sweeps finds them without ever having seen a partition function.

# %% [markdown]
# Not every start is forgotten. Here are lattices that begin at random and are put at once into the
# cold. (Some seconds; longer if your sweep is slow.)

# %% demo="frozen"
rng = np.random.default_rng(12)
n_lattices, n_sweeps, T_cold = 6, 50 if fast else 150, 1.0
lattices = [rng.choice([-1, 1], size=(24, 24)).astype(np.int8) for _ in range(n_lattices)]
for spins in figures.progress(lattices, f"{n_sweeps} sweeps each"):
    for _ in range(n_sweeps):
        metropolis_sweep(spins, T_cold, rng)
figures.frozen(lattices, T_cold)

# %% [markdown]
# **What to notice.** Some lattices end in stripes: two straight walls around the torus, without
# corners. Over many quenches it is about one in three with sites at random, and one in five row by
# row; six are too few to say. Flipping a spin on such a wall costs 4, which at $T = 1$ happens once
# in {{f"{1 / acceptance_probability(4, 1.0):.0f}"}} attempts, and then most likely the spin flips
# back. The energy looks as if it had settled, and nothing warns you. On a larger lattice this lasts
# longer still. Below $T_c$ a chain should start with **all spins equal**; up or down by the toss of
# a coin, because deep in the cold it will not change its sign while you wait. (Near $T_c$ it does:
# at $T = 2.2$ about one in four chains of 16×16 spins changes it within 1500 sweeps if the sites
# come at random, and more than half do if they come in a fixed order.)

# %% [markdown]
# ## 3 · Configurations
#
# ### `sample_configurations` (20 minutes, medium)
#
# Throw away `equilibration` sweeps, then keep a **copy** of the spins every `interval` sweeps.
# Successive states of a chain are alike; for how long depends on the temperature and on the order
# of the sites. At $T = 2.3$ a 16×16 lattice needs some forty sweeps to forget how large its $|m|$
# was if the sites come at random, about a dozen if they come row by row, and far more to forget its
# sign. A hundred samples of one chain may be worth no more than ten independent ones.
#
# One chain in a plain loop is right, and takes its time. Whoever wants to be faster lets many
# chains go side by side, as one array with a further axis, and tries all sites of one colour in all
# chains at once.

# %% exercise="sample_configurations"

# %% [markdown]
# Two lattices at ten temperatures: some seconds for arrays, up to a minute for plain loops.

# %% demo="thermodynamics"
runs = {4: {}, 12: {}}
n_samples = {4: 100, 12: 20} if fast else {4: 400, 12: 60}
for T in figures.progress(np.linspace(1.2, 3.9, 10), "temperatures"):
    for L in runs:
        rng = np.random.default_rng(int(100 * T) + L)
        runs[L][T] = sample_configurations(L, T, n_samples[L], rng, 100, 10)
figures.thermodynamics(runs)

# %% [markdown]
# **What to notice.** The small lattice follows its own exact curve, not the infinite lattice's: on
# a finite lattice nothing is sharp. Hence a test of a sampler must know the exact result *for its
# $L$*; against Onsager's a perfect sampler would fail. The error bars take all samples for
# independent. Near $T_c$ they are not, if they come from few chains, and the bars are too short.

# %% [markdown]
# ## 4 · A network that tells phases
#
# ### `IsingClassifier` (10 minutes, easy)
#
# The spins in a row go in, two numbers come out, the *logits* $z_0$ (ordered) and $z_1$
# (disordered). Probabilities are made of them only where they are needed:
#
# $$p_k = \frac{e^{z_k}}{e^{z_0} + e^{z_1}} .$$
#
# Two hidden layers of 64 and 32 units with ReLU make
# {{f"{sum(p.numel() for p in IsingClassifier(256).parameters()):,}".replace(",", " ")}} parameters
# for 16×16 spins. *Dropout* silences a random part of the hidden units at every step of the
# training, so that none of them can rely on another.

# %% exercise="ising_classifier"

# %% demo="dropout"
torch.manual_seed(1)
figures.dropout(IsingClassifier(256))

# %% [markdown]
# **What to notice.** In training mode the same configuration gets another verdict at each call. Who
# forgets `model.eval()` asks a network part of which is asleep.

# %% [markdown]
# ### `train_classifier` (20 minutes, hard)
#
# The loss is the cross-entropy of the right class $c$, averaged over a batch,
#
# $$\mathcal L = -\frac{1}{N} \sum_n \ln p_{c_n}(x_n),$$
#
# and `torch.nn.functional.cross_entropy` makes it of **logits**. In each epoch all configurations
# come once, in small batches, in an order that `generator` decides. Training mode on, training,
# evaluation mode.
#
# Two things are worth trying. The model has no field: a configuration with all spins flipped has
# the same energy and belongs to the same class, so the network may be shown either, by the toss of
# a coin. And the last steps of Adam are a lottery, unless its steps get smaller towards the end.

# %% exercise="train_classifier"

# %% [markdown]
# How good is it? The usual recipe: one chain at each of twelve temperatures, all below 2 or above
# 2.5, fifty configurations, one every three sweeps; shuffle, keep 30 % for the test. Ask the
# network about these 30 %, and then about **new** chains, each with its own start and sign. And
# once more with temperatures close to $T_c$ and a hundred configurations, one after every sweep.
#
# A single run could show anything, so here are several, with the course's own chains and a plain
# training; the network is yours. **Before you run the cell:** the test part of the same chains says
# that – (a) too many, (b) too few, (c) sometimes too many and sometimes too few answers are wrong.
# (About half a minute of computing.)

# %% demo="leak"
from coursekit.ising_data import ising_configurations

rows = {}
for name, usual in {"far from $T_c$, as usual": True, "close to $T_c$": False}.items():
    seeds = range(2) if fast else range(8)
    rows[name] = [
        figures.asked_twice(IsingClassifier, seed, usual)
        for seed in figures.progress(seeds, "sets of chains")
    ]
figures.leak(rows)


def trained_on(X, T, seed=0, epochs=20):
    torch.manual_seed(seed)
    model = IsingClassifier(X.shape[1])
    generator = torch.Generator().manual_seed(seed)
    y = (T > figures.T_C).astype(int)
    history = train_classifier(model, X, y, epochs=epochs, generator=generator)
    return model.eval(), history


def is_right(model, X, T):
    with torch.no_grad():
        told = model(torch.tensor(X, dtype=torch.float32)).argmax(dim=1).numpy()
    return told == (T > figures.T_C)


def best_cut(X, T):
    cuts, order = np.linspace(0.2, 0.9, 71), np.abs(X.mean(axis=1))
    return max(cuts, key=lambda cut: np.mean((order < cut) == (T > figures.T_C)))


# %% [markdown]
# **What to notice.** Each pale line joins two answers about one network.
#
# - With the usual recipe, answer (c). The {{int(0.3 * 600)}} configurations of a test part come
#   from twelve chains, and are worth hardly more than twelve answers: whoever runs this once, and
#   most do, reports a matter of luck.
# - Look at the lines that go up steeply. In these sets nearly all cold chains happen to have the
#   same sign, and the network has hardly seen the other one. It tells more than a fifth of the new
#   chains wrong, and its own test part, of the same sign, knows nothing of it.
# - Close to $T_c$ single configurations tell little, and what a network gets right on its own
#   chains is a mixture of what it has understood and what it knows by heart. How much of each, only
#   new chains can say: whenever data come from a chain, split by chain.
# - The green bars need no network. Disordered is whatever has a small $|m|$: one number, one
#   comparison, and fewer mistakes. With temperatures only far from $T_c$ the task is so easy that a
#   high score says nothing about what a network has understood. **A result needs such a control
#   beside it.**

# %% [markdown]
# So include the temperatures that are hard. Independent chains again, 16×16 spins, temperatures
# evenly spread across $T_c$. (About ten seconds.)

# %% demo="near_the_transition"
rng = np.random.default_rng(4)
n_known, n_new = (500, 1000) if fast else (3000, 8000)
T_known, T_new = rng.uniform(1.2, 3.4, n_known), rng.uniform(1.2, 3.4, n_new)
known = ising_configurations(16, T_known, rng).reshape(n_known, -1)
new = ising_configurations(16, T_new, rng).reshape(n_new, -1)
classifier, history = trained_on(known, T_known, seed=1)
cut = best_cut(known, T_known)
by_hand = (np.abs(new.mean(axis=1)) < cut) == (T_new > figures.T_C)
print(f"threshold on |m|, chosen on the training data: {cut:.2f}")
figures.near_the_transition(T_new, is_right(classifier, new, T_new), by_hand, history)

# %% [markdown]
# **What to notice.** Far from $T_c$ both are nearly perfect. Near it both fail, and must: a
# configuration is a draw, and one drawn at 2.2 can look exactly like one drawn at 2.35. The network
# does what the threshold does, and not better. What it has found is the magnetisation's size,
# which nobody told it; but a network that only reproduces $|m|$ has to be compared with $|m|$.

# %% [markdown]
# ## 5 · The critical temperature
#
# ### `critical_temperature` (10 minutes, medium)
#
# Average the probability of disorder over many configurations at each temperature, and look where
# it crosses ½: two neighbouring temperatures, a straight line between them. If there is no
# crossing, say so with a `ValueError` instead of returning some number.

# %% exercise="critical_temperature"

# %% demo="crossing"
figures.crossing(critical_temperature)

# %% [markdown]
# Now ask the networks. For each of three lattices, several networks with data of their own are
# trained on temperatures up to $T_c$ from either side. What they are asked about comes from
# **your** `sample_configurations`. Their mean verdict crosses ½ somewhere; the scatter of the
# crossings gives an error bar. Beside them, networks that were trained **far** from $T_c$ only.
#
# Why should the crossing depend on $L$? A lattice looks critical as soon as the correlation length
# has reached its size; the length grows as $1/|T - T_c|$, so the shift falls as $1/L$, and a
# straight line in $1/L$ leads to the infinite lattice.
#
# **Before you run the cell:** the networks trained far from $T_c$ put the boundary – (a) at $T_c$
# too, (b) too low, (c) too high? (Half a minute of computing; a minute more if your sampler is
# slow.)

# %% demo="critical_point"
grid = np.linspace(2.1, 2.5, 9)
n_networks, n_train = (2, 1000) if fast else (4, 4000)
asked = {8: 30, 12: 20, 16: 10} if fast else {8: 200, 12: 120, 16: 60}
curves, near, far = ({L: [] for L in asked} for _ in range(3))
jobs = [(L, seed) for L in asked for seed in range(n_networks)]
for L, seed in figures.progress(jobs, "networks"):
    rng = np.random.default_rng([L, seed])
    questions = np.concatenate(
        [sample_configurations(L, T, asked[L], rng, 100, 5).reshape(-1, L * L) for T in grid]
    )
    T_up_to = rng.uniform(figures.T_C - 0.7, figures.T_C + 0.7, n_train)
    cold = rng.random(n_train // 4) < 0.5
    T_far = np.where(
        cold, rng.uniform(*figures.COLD, cold.size), rng.uniform(*figures.HEAT, cold.size)
    )
    for T_train, crossings in ((T_up_to, near), (T_far, far)):
        X = ising_configurations(L, T_train, rng, 200).reshape(-1, L * L)
        model, _ = trained_on(X, T_train, seed, epochs=6)
        with torch.no_grad():
            p = torch.softmax(model(torch.tensor(questions, dtype=torch.float32)), dim=1)[:, 1]
        curve = p.numpy().reshape(len(grid), -1).mean(axis=1)
        if crossings is near:
            curves[L].append(curve)
        try:
            crossings[L].append(critical_temperature(grid, curve))
        except ValueError:
            print(f"no crossing between {grid[0]} and {grid[-1]} for L = {L}, seed {seed}")
(limit, _), error = figures.line_through(near)
print(f"T_c = {limit:.3f} ± {error:.3f}; exact: {figures.T_C:.6f}")
figures.critical_point(grid, curves, near, far)

# %% [markdown]
# **What to notice.**
#
# - Trained up to $T_c$ from either side, the networks put the boundary where Onsager does, within a
#   few per cent at most. The steeper curve belongs to the larger lattice.
# - Be careful what you call this. The labels *contain* $T_c$: the networks have given it back, not
#   discovered it. It is a test of your sampler, network and training together, and a good one,
#   because a fault in any of them would move the crossing.
# - Answer (c). Trained far from $T_c$ only, the networks were told nothing about where the boundary
#   is. They put it a few per cent too high, and larger lattices do not help. It is the place where
#   a configuration looks half-way between your two groups, and it moves when you choose other
#   groups.

# %% [markdown]
# Can a network find $T_c$ without being told? **By confusion** (van Nieuwenburg and others, 2017).
# Pretend that the boundary is at some $T'$, label all configurations between $T = 1$ and 4 by it,
# train, and look how well the network learns these labels. If $T'$ is at an end, nearly all labels
# are the same, and that is easy. If $T'$ lies inside a phase, the network has to tell apart what
# looks the same. Only where something really changes is it easy once more.
#
# **Before you run the cell:** over $T'$, the share told right looks like – (a) a V, (b) a W, (c) an
# M? (About 20 seconds of computing.)

# %% demo="confusion"
supposed = np.linspace(1.2, 3.6, 5 if fast else 13)
rng = np.random.default_rng(16)
n_known, n_new = (1000, 1000) if fast else (3000, 2000)
T_known, T_new = rng.uniform(1, 4, n_known), rng.uniform(1, 4, n_new)
known, new = (ising_configurations(16, T, rng, 250).reshape(-1, 256) for T in (T_known, T_new))
share, plainest = [], []
for cut in figures.progress(supposed, "supposed boundaries"):
    torch.manual_seed(0)
    model, generator = IsingClassifier(256), torch.Generator().manual_seed(0)
    train_classifier(model, known, (T_known > cut).astype(int), epochs=5, generator=generator)
    with torch.no_grad():
        told = model.eval()(torch.tensor(new, dtype=torch.float32)).argmax(dim=1).numpy()
    share.append(np.mean(told == (T_new > cut)))
    plainest.append(max(np.mean(T_new > cut), np.mean(T_new <= cut)))
figures.confusion(supposed, share, plainest)

# %% [markdown]
# **What to notice.** Answer (b). The maximum in the middle lies within a tenth or two of $T_c$, and
# nobody has told the network where to put it: the middle of the temperatures shown is 2.5. What
# counts is how far the network is above the pale line, the share that one gets by always naming the
# more frequent class.

# %% [markdown]
# ## Where you are

# %% summary=true

# %% [markdown]
# ## An open question
#
# All that a configuration tells about its temperature is in its energy: the Boltzmann weight
# depends on nothing else. A perfect judge of "above or below $T_c$" would therefore look at $E$ and
# ignore $m$. Your networks seem to look at $|m|$. Why is that easier for them to see? Which data,
# which inputs or which architecture would make a network find the energy, and would its crossing
# come closer to $T_c$ or move further away?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.
