# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Order parameters without labels
#
# **Can a network find out by itself which number tells a magnet from a mere crowd of spins?**
#
# The phases of a magnet are told apart by one number, the magnetisation. Somebody had to think of
# it. Here nobody does: a network gets pictures of spins, no temperatures and no names of phases,
# and has to squeeze each picture through one or two numbers and rebuild it. What it keeps is what
# matters most, and you will see whether that is the magnetisation. Before the network comes an
# older method that does the same with straight lines. It is a harder opponent than it looks.

# %% setup=true

# %% parameters=true
fast = False  # True: shorter trainings in the demonstrations

# %% [markdown]
# This is the picture at the end of the notebook, with one thing missing: the points of a network
# that has seen nothing but pictures like the three on the left. The grey curve is the exact
# magnetisation of an infinite lattice, which Onsager announced and Yang derived.

# %% demo="goal"
from coursekit.ising_data import ising_configurations

figures.goal(ising_configurations(16, np.array([1.6, 2.3, 3.6]), np.random.default_rng(8)))

# %% [markdown]
# **Units and conventions.** $J = k_\mathrm{B} = 1$; the energy is
# $E = -\sum_{\langle ij \rangle} s_i s_j$ on a periodic $16 \times 16$ lattice without a field, so
# that the critical temperature is
# $T_\mathrm{c} = 2/\ln(1 + \sqrt 2) \approx {{f"{2 / math.log(1 + math.sqrt(2)):.4f}"}}$. A
# configuration is a row of {{16 * 16}} numbers $\pm 1$, and a data set a table $X$ of $N$ rows.
# Its **magnetisation** $m$ is the mean of its spins. The **error** of a reconstruction is the mean
# squared difference per spin: 0 is perfect, and always answering zero gives 1. A
# function leaves its arguments as they were, apart from a model that it trains.

# %% [markdown]
# ## 1 · Data
#
# Twelve temperatures, six on each side of $T_\mathrm{c}$, a hundred configurations at each. Every
# one comes from a Markov chain of its own, and ordered ones start with a random sign. Two pictures
# from one chain would be relatives, and a network that has seen one of them would look wiser than
# it is. Two such tables are drawn. `X` is for learning, `unseen` is for judging, and only
# judgements on `unseen` count.

# %% demo="data"
import time

temperatures = np.repeat(np.concatenate([np.linspace(1.0, 2.0, 6), np.linspace(2.5, 4.0, 6)]), 100)
start = time.perf_counter()
X, unseen = (
    ising_configurations(16, temperatures, np.random.default_rng(seed)).reshape(-1, 256)
    for seed in (1, 2)
)
X, unseen = X.astype(np.float32), unseen.astype(np.float32)
print(f"2 × {len(X)} independent configurations: {time.perf_counter() - start:.1f} s")
m, m_unseen = X.mean(axis=1), unseen.mean(axis=1)
print(f"what the magnetisation alone leaves open: 1 − ⟨m²⟩ = {1 - np.mean(m_unseen**2):.3f}")
figures.magnetisations(temperatures, m)

# %% [markdown]
# **What to notice.** Below $T_\mathrm{c}$ there are two branches, up and down, equally likely. If a
# configuration is replaced by its magnetisation, the same grey on every site, the error is
# $1 - m^2$. On average this leaves about half of everything open, nearly all of it in the
# disordered pictures. Keep the printed number in mind: any method has to beat it.

# %% [markdown]
# ## 2 · The baseline: principal components
#
# ### `pca_reconstruction` (15 minutes, medium)
#
# Take the mean row off. Among all directions in the {{16 * 16}}-dimensional space find the one
# along which the rows vary most, then the next one at right angles to it, and so on. The singular
# value decomposition gives them all at once,
#
# $$X - \bar X = U S V^\mathsf{T},$$
#
# with the directions as rows of $V^\mathsf{T}$ and the singular values $S_i$ in descending order.
# Keep the first $k$, and every row is rebuilt from $k$ numbers. The part of the variance along
# direction $i$ is $S_i^2 / \sum_j S_j^2$.
#
# No other *linear* method rebuilds $X$ better from $k$ numbers. So this is the honest opponent of
# every network that does the same.

# %% exercise="pca_reconstruction"

# %% demo="components"
from sklearn.decomposition import PCA

by_sklearn = PCA(n_components=12, svd_solver="full").fit(X)
X_hat, ratio = pca_reconstruction(X, 12)
one_component, _ = pca_reconstruction(X, 1)
print(f"part of the variance along the first direction: {ratio[0]:.3f}")
figures.components(
    ratio, by_sklearn.explained_variance_ratio_, m, np.mean((one_component - X) ** 2, axis=1)
)

# %% [markdown]
# **What to notice.** One direction carries half of the variance, and the error that it leaves is
# $1 - m^2$ for every single row: without being told, the analysis has found the magnetisation. The
# next four come close together. They are the longest waves that fit on the lattice, a sine and a
# cosine along each axis, and as no axis is better than the other they should be equally strong.
# What keeps them apart here is that there are only {{12 * 100}} rows.

# %% [markdown]
# ## 3 · The network
#
# ### `IsingAutoencoder` (15 minutes, medium)
#
# An encoder turns the {{16 * 16}} spins into two numbers $z$, a decoder turns $z$ into
# {{16 * 16}} numbers between $-1$ and 1. In between stand activations, so that $z$ may be *any*
# function of the spins and $\hat x$ any function of $z$, not just a linear one. There is nothing
# on $z$ itself: it may be large or negative. At the end stands $\tanh$, whose limits are those of a
# spin.
#
# For {{16 * 16}} spins and two latent numbers the network has
# {{sum(p.numel() for p in IsingAutoencoder(256).parameters())}} parameters. There are
# {{12 * 100}} configurations to learn from. That should make you suspicious.

# %% exercise="autoencoder"

# %% demo="untrained"
torch.manual_seed(4)
figures.untrained(IsingAutoencoder(256), unseen[630])

# %% [markdown]
# **What to notice.** The untrained network answers grey, with an error close to 1. Nearly all
# parameters sit in the first and in the last layer, which look at every site separately: nothing in
# the network knows which spins are neighbours, or that the lattice is periodic.

# %% [markdown]
# ### `reconstruction_loss` (5 minutes, easy)
#
# $$L = \frac{1}{N d} \sum_{n=1}^{N} \sum_{i=1}^{d} \bigl(x_{ni} - \hat x_{ni}\bigr)^2$$
#
# A mean over everything: over configurations and over sites.

# %% exercise="reconstruction_loss"

# %% demo="best_grey"
some = [unseen[np.abs(m_unseen - wanted).argmin()] for wanted in (-0.9, 0.5, 0.0)]
figures.best_grey(reconstruction_loss, some)

# %% [markdown]
# **What to notice.** Rebuild a configuration by one grey $c$ for all sites, and the loss is
# $1 - 2cm + c^2$. It is lowest at $c = m$, and its value there is $1 - m^2$. A network that knows
# only $m$ can do no better. For a disordered configuration the best answer is a shrug,
# $c \approx 0$; whoever answers $\pm 1$ there pays twice as much.

# %% [markdown]
# ### `train_autoencoder` (25 minutes, hard)
#
# The usual loop: batches in random order, the loss, its gradient, a step. With it alone you get
# through the checks. Before you are content, look at the next cell. It is that usual loop, Adam and
# batches of 64, and after each epoch it also asks for the error on configurations that the network
# has not seen. It takes some seconds.

# %% exercise="train_autoencoder"

# %% [markdown]
# **Before you run the cell:** after a hundred epochs of the usual loop, the error on configurations
# that it has not seen is – (a) well below that of the magnetisation alone, (b) the same to a
# hundredth of it, (c) above?

# %% demo="plain_recipe"
import sys

from tqdm import tqdm


def error_of(model, X):
    with torch.no_grad():
        return float(reconstruction_loss(torch.tensor(X), model(torch.tensor(X))[0]))


torch.manual_seed(0)
plain = IsingAutoencoder(256)
optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
plain_seen, plain_unseen = [], []
for _ in tqdm(range(20 if fast else 100), desc="the usual loop", file=sys.stdout):
    for rows in torch.randperm(len(X)).split(64):
        x = torch.tensor(X)[rows]
        loss = reconstruction_loss(x, plain(x)[0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    plain_seen.append(error_of(plain, X))
    plain_unseen.append(error_of(plain, unseen))
print(f"the usual loop: {plain_seen[-1]:.4f} on X, {plain_unseen[-1]:.4f} on unseen")

# %% [markdown]
# And yours, with as many epochs.

# %% demo="training"
torch.manual_seed(0)
model = IsingAutoencoder(256)
start = time.perf_counter()
losses = train_autoencoder(
    model, X, epochs=20 if fast else 100, generator=torch.Generator().manual_seed(0)
)
print(f"train_autoencoder: {time.perf_counter() - start:.1f} s")
print(f"yours: {error_of(model, X):.4f} on X, {error_of(model, unseen):.4f} on unseen")
two_components = by_sklearn.mean_ + (
    (unseen - by_sklearn.mean_) @ by_sklearn.components_[:2].T @ by_sklearn.components_[:2]
)
print(f"two principal components of X: {np.mean((two_components - unseen) ** 2):.4f} on unseen")
figures.training(
    plain_seen, plain_unseen, losses, error_of(model, unseen), 1 - np.mean(m_unseen**2)
)

# %% [markdown]
# **What to notice.** Answer (c). On the data that it learns from, the usual loop gets better and
# better. On unseen configurations it is best after some fifteen epochs, and later it falls behind
# the magnetisation alone. A loss far below 0.48 is not insight into magnets. It is memory: there
# are {{sum(p.numel() for p in IsingAutoencoder(256).parameters()) // 1200}} parameters for each
# configuration. The printed loss of such a run says nothing until it is held against independent
# configurations.
#
# The cure is physics. A periodic lattice without a field can be translated in {{16 * 16}} ways,
# with or without a flip of all spins, and each of these {{2 * 16 * 16}} symmetries turns a
# configuration into one that was just as likely. Show the network a random one of them each time,
# and there is little left to memorise: the loss of the epochs and the error on unseen
# configurations come together. If yours keep apart, try it.
#
# **Before you run the cell:** where can a network gain most over the magnetisation alone – (a) in
# the cold, (b) not far above $T_\mathrm{c}$, (c) in the heat?

# %% demo="by_temperature"
with torch.no_grad():
    plain_hat, model_hat = (net(torch.tensor(unseen))[0].numpy() for net in (plain, model))
rebuilt = {"2 components": two_components, "usual loop": plain_hat, "yours": model_hat}
figures.by_temperature(temperatures, unseen, rebuilt)
figures.reconstructions(temperatures, unseen, rebuilt)

# %% [markdown]
# **What to notice.** Answer (b). In the ordered phase everybody is good, because the magnetisation
# is nearly all there is. In the disordered phase nobody is, and rightly so: two numbers cannot hold
# the outcome of {{16 * 16}} nearly independent coins. A network that draws patterns there has
# remembered some, and where its error is above 1 it would have done better to say nothing. What
# there is to gain beyond $m$ are the large domains not far above $T_\mathrm{c}$, and it is little.
# For this magnet straight lines are almost enough.

# %% [markdown]
# ## 4 · What does $z$ mean?
#
# ### `encode` (10 minutes, easy)
#
# To look at $z$, the trained network is used and no longer changed: in evaluation mode, because
# layers like dropout add noise in training mode, and without a graph, because nothing is going to
# be differentiated. Plain numbers come out.

# %% exercise="encode"

# %% demo="latent_plane"
z = encode(model, unseen)
figures.latent_plane(z, temperatures, m_unseen)

# %% [markdown]
# **What to notice.** The two ordered phases are two separate crowds and disorder lies between them,
# though the network has never heard of temperature. From one crowd to the other the magnetisation
# changes; in the other direction the network keeps what it can of the large domains that you saw in
# the reconstructions. The axes mean nothing by themselves: train once more from another seed, and
# the plane comes out turned, stretched or bent. So the question cannot be which of the two numbers
# is the magnetisation, but whether the magnetisation can be read off from both.

# %% [markdown]
# ### `order_parameter_correlation` (15 minutes, medium)
#
# Fit a quantity $q$ by a straight line in $z$, $q \approx a + b_1 z_1 + b_2 z_2$, and take
#
# $$R^2 = 1 - \frac{\sum_n (q_n - \hat q_n)^2}{\sum_n (q_n - \bar q)^2}$$
#
# It does not care how $z$ is turned or stretched. Latent numbers may be dead, or copies of each
# other; then many lines fit equally well, and $R^2$ is still one number.

# %% exercise="order_parameter_correlation"

# %% [markdown]
# **Before you run the cell:** whoever knows $z$ knows $m$, and so $|m|$. The $R^2$ of $|m|$ on $z$
# is – (a) near 1, (b) near ½, (c) near 0?

# %% demo="what_is_known"
from sklearn.linear_model import LinearRegression

lattices = unseen.reshape(-1, 16, 16)
bonds = lattices * np.roll(lattices, 1, axis=1) + lattices * np.roll(lattices, 1, axis=2)
quantities = {"m": m_unseen, "|m|": np.abs(m_unseen), "energy": -bonds.mean(axis=(1, 2))}
yours = {name: order_parameter_correlation(z, q) for name, q in quantities.items()}
expected = {name: LinearRegression().fit(z, q).score(z, q) for name, q in quantities.items()}
for name, score in yours.items():
    print(f"R² of {name} on z: {score:.3f}")
figures.what_is_known(yours, expected, m_unseen, LinearRegression().fit(z, m_unseen).predict(z))

# %% [markdown]
# **What to notice.** Answer (c). The magnetisation is nearly a linear function of $z$. Its absolute
# value is not, although whoever knows $m$ knows $|m|$: a *line* cannot have its lowest value in the
# middle. The energy, which is low in both ordered phases, fares no better. An $R^2$ near zero says
# that there is no linear relation. It does not say that there is none.

# %% [markdown]
# ### One number
#
# Last, a network with a single latent number. It is trained on the same table, far from
# $T_\mathrm{c}$, and then looks at new configurations at all temperatures. A flip of all spins
# turns one phase into the other, so that half the difference of $z$ before and after the flip,
# $o(x) = \tfrac12\,[z(x) - z(-x)]$, is odd as a magnetisation should be. It is scaled to 1 at the
# lowest temperature. Nobody has told the network anything.

# %% demo="one_number"
torch.manual_seed(1)
narrow = IsingAutoencoder(256, latent_dim=1)
start = time.perf_counter()
train_autoencoder(narrow, X, epochs=20 if fast else 100, generator=torch.Generator().manual_seed(1))
print(f"train_autoencoder: {time.perf_counter() - start:.1f} s")
grid = np.repeat(np.linspace(1.0, 4.0, 31), 20 if fast else 60)
new = ising_configurations(16, grid, np.random.default_rng(3)).reshape(-1, 256).astype(np.float32)
order = (encode(narrow, new) - encode(narrow, -new))[:, 0] / 2
print(f"R² of m on it: {order_parameter_correlation(order[:, None], new.mean(axis=1)):.3f}")
figures.one_number(grid, order, new.mean(axis=1))

# %% [markdown]
# **What to notice.** Left: the number is the magnetisation, up to its unit and hardly anything
# else. If your training used the symmetries, it is so with surprising precision: translations have
# taught the network that every site counts alike. Right: it falls where the exact curve falls, also
# at temperatures that it was not trained on. It does not drop to zero at $T_\mathrm{c}$, and
# neither does $|m|$ of these very configurations. On $16 \times 16$ sites there is no sharp
# transition, and even the mean of {{16 * 16}} independent spins has
# $\langle|m|\rangle \approx \sqrt{2/(256\,\pi)} \approx
# {{f"{math.sqrt(2 / (256 * math.pi)):.2f}"}}$. To see the transition sharpen, the lattice has to
# grow.

# %% [markdown]
# ## An open question
#
# The magnetisation is *linear* in the spins, and so principal components find it too. Think of a
# system whose order is not: vortices in a plane of arrows, closed loops in a gauge theory, a glass
# that freezes into a different disorder each time. Would an autoencoder find its order parameter?
# And how would you notice, if you did not know it either?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
