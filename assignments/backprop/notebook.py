# %% [markdown]
# # A network from scratch, gradients by hand
#
# **Can a hundred numbers learn $\sin x$ with nothing but the chain rule?**
#
# A pendulum, an alternating voltage, a standing wave: you know the formula, the network does not.
# It sees a hundred points $(x, y)$, has {{count_parameters([1, 32, 1])}} numbers to adjust, and one
# way to improve them: work out how the error changes with each number, then take a small step
# downhill.
#
# A network of ReLU neurons draws a polygon: each neuron can add one corner. The picture at the end
# of this notebook shows your polygon lying on the sine so closely that you need a second panel to
# see the difference, and shows where descent has put the corners. The figure below, with a dozen
# corners set by hand, is a coarse idea of it.
#
# **Conventions.** $x$ is an angle in radians; it, $y$ and the loss are pure numbers. A row of an
# array is a sample, a column a neuron; $N$ is the number of samples. A gradient points *uphill*,
# so a step of descent has a minus sign. Everything is NumPy in double precision.
#
# In each figure your result is the thin dark line and the expected one, where there is one, the
# wide pale line beneath it. Figures are never graded.

# %% setup=true

# %% [markdown]
# Set `fast = True` to shorten the demonstrations; no exercise depends on it.

# %% parameters=true
fast = False

# %% demo="goal"
figures.goal()

# %% [markdown]
# ## 1 · Activations
# *10 minutes · easy*
#
# Layers that only multiply and add are, all together, one straight line. Something between
# them has to bend. Four functions are in use, each applied to every element of an array by itself:
#
# $$
# \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad
# \tanh z = \frac{e^z - e^{-z}}{e^z + e^{-z}}, \qquad
# \mathrm{ReLU}(z) = \max(0, z), \qquad
# \mathrm{leaky}(z) = \begin{cases} z & z > 0 \\ s z & z \le 0 \end{cases}
# $$
#
# You have met the first: it is the probability that a two-level system is in its upper state, and
# $z = -\Delta E / k_B T$. A computer cannot hold $e^{1000}$, so think about which sign of the
# exponent is safe, and where.

# %% exercise="activations"

# %% demo="activations"
figures.activations(sigmoid, tanh, relu, leaky_relu)

# %% [markdown]
# **What to notice.** Two of them saturate: far from zero, a change of $z$ changes nothing. The
# sigmoid is never negative, and $\tanh z = 2\sigma(2z) - 1$ is the same curve, stretched and
# centred. The other two are straight, apart from one corner.

# %% [markdown]
# ## 2 · Their slopes
# *10 minutes · easy*
#
# The chain rule multiplies by $\varphi'(z)$ once for each layer that it passes. Differentiate the
# four functions with respect to $z$. Two of the results are simplest in terms of the function
# itself, which you already have. At its corner a ReLU has no slope; everybody agrees to call it 0.

# %% exercise="activation_gradients"

# %% demo="activation_gradients"
figures.activation_gradients(sigmoid_gradient, tanh_gradient, relu_gradient, leaky_relu_gradient)

# %% [markdown]
# **What to notice.** The sigmoid's slope is at most {{float(sigmoid_gradient(np.array(0.0)))}},
# that of tanh at most {{f"{tanh_gradient(np.array(0.0)):.0f}"}}, and both vanish where the
# function saturates. Keep the {{float(sigmoid_gradient(np.array(0.0)))}} in mind: in exercise 10 it
# comes in once for every hidden layer.

# %% [markdown]
# ## 3 · How many numbers?
# *5 minutes · easy*
#
# A layer that takes $n_{l-1}$ numbers and gives $n_l$ has a weight for each pair and a bias for
# each output:
#
# $$ P = \sum_{l=1}^{L} \left( n_{l-1}\, n_l + n_l \right). $$
#
# One input, 32 hidden neurons and one output make {{count_parameters([1, 32, 1])}}: our hundred,
# nearly. Two hidden layers of 64 already have {{count_parameters([1, 64, 64, 1])}}.

# %% exercise="count_parameters"

# %% [markdown]
# ## 4 · Where to start
# *10 minutes · easy*
#
# If all weights start equal, all neurons stay equal. They start at random; but how widely spread?
# With $z = \sum_i a_i W_i$ and independent weights of mean zero and variance $w^2$,
#
# $$ \langle z^2 \rangle = n_\text{in}\, w^2\, \langle a^2 \rangle, $$
#
# and a ReLU throws away the negative half of $z$, which leaves half of the mean square. So the
# signal keeps its size from layer to layer if $n_\text{in}\, w^2 / 2 = 1$, that is
#
# $$ w = \sqrt{2 / n_\text{in}}. $$
#
# This is He's rule. The biases start at zero. Draw from the generator `rng` that you are given
# and from nothing else: then the same seed gives the same network.

# %% exercise="he_initialise"

# %% [markdown]
# **Before you run the cell:** twenty layers, with weights as you draw them, half as wide, and twice
# as wide. With the last, the signal at the end is larger than yours by a factor of – (a) two, (b)
# forty, (c) a million?

# %% demo="signal"
figures.signal(he_initialise, relu)

# %% [markdown]
# **What to notice.** Answer (c). A factor of two in the weights seems harmless. After 20 layers it
# is a factor of $2^{20} \approx$ {{f"{2**20 / 1e6:.0f}"}} million. The middle line wanders a
# little: the rule holds on average, and this is one draw.

# %% [markdown]
# ## 5 · Forwards
# *10 minutes · easy*
#
# One hidden layer with ReLU, and nothing but a sum at the output:
#
# $$
# z^{(1)} = x\,W_1 + b_1, \qquad
# a^{(1)} = \mathrm{ReLU}\big(z^{(1)}\big), \qquad
# z^{(2)} = a^{(1)}\,W_2 + b_2 .
# $$
#
# The products are matrix products. With $x$ of shape $(N, d)$ they treat all samples at once, and
# the row $b_1$ is added to every one of them. Return what comes on the way too: the way back
# needs it.

# %% exercise="forward"

# %% [markdown]
# ## 6 · Weights by hand
# *15 minutes · medium*
#
# Before a network learns anything: what can it be at all? Give it points, and set the weights
# yourself so that its output joins them by straight lines. A hidden neuron with $W_1 = 1$ sleeps
# until $x$ passes a certain place, and from there on its output rises with slope 1. So one neuron
# can change the slope of the curve once. Where must it wake up, and what must its weight in $W_2$
# be? Take care at the left end: something has to give the first height and the first slope.

# %% exercise="interpolating_network"

# %% [markdown]
# **Before you run the cell:** the knots are moved together, to half their distance. The largest
# error – (a) halves, (b) falls to a quarter, (c) falls to an eighth?

# %% demo="polygon"
figures.polygon(interpolating_network, forward)

# %% [markdown]
# **What to notice.** Answer (b). On the right the error is quartered each time the spacing of the
# knots is halved. So a sine can be met as closely as you like, and with it every continuous
# function on an interval: more knots, more neurons. This is the **universal approximation theorem**
# for one input, and you have just proved it. It holds too for several inputs (Cybenko and Hornik,
# 1989), and for every continuous activation but polynomials (Leshno and others, 1993). It says less
# than its name, though:
#
# - It is about what *exists*. Whether descent finds such weights from a random start is another
#   question, and the rest of this notebook.
# - It does not say how many neurons. In one dimension an error of $\epsilon$ costs about
#   $1/\sqrt\epsilon$ of them; in $d$ dimensions a grid of knots as fine costs that number to the
#   power $d$.
# - It holds between the knots. Outside, your network goes on in a straight line, whatever the
#   function does there.
#
# Nor does it say that one wide layer is the best way. A hidden layer of $h$ neurons makes at most
# $h + 1$ straight pieces. A layer of two neurons can fold an interval in its middle, and ten such
# layers, one after the other, make {{2**10}} pieces of {{2 * 10}} hidden neurons.

# %% [markdown]
# ## 7 · How wrong?
# *5 minutes · easy*
#
# The loss is the mean squared error over all samples $n$ and all $k$ outputs $m$,
#
# $$
# \mathcal{L} = \frac{1}{N k} \sum_{n=1}^{N} \sum_{m=1}^{k} \big( z^{(2)}_{nm} - y_{nm} \big)^2 .
# $$
#
# It is one number, zero for a perfect network and never negative. Mind the $k$: a mean over
# every element, not over samples only.

# %% exercise="mse_loss"

# %% [markdown]
# ## 8 · Backwards
# *30 minutes · hard, and the heart of it*
#
# How does $\mathcal{L}$ change with each parameter? Start at the end and go back. First the output:
#
# $$
# \delta^{(2)}_{nm} = \frac{\partial \mathcal{L}}{\partial z^{(2)}_{nm}}
#   = \frac{2}{N k} \big( z^{(2)}_{nm} - y_{nm} \big).
# $$
#
# The weight from hidden neuron $j$ to output $m$ acts in every sample, so its derivative is a sum
# over samples; a bias acts as a weight whose input is always 1:
#
# $$
# \frac{\partial \mathcal{L}}{\partial (W_2)_{jm}} = \sum_n a^{(1)}_{nj}\, \delta^{(2)}_{nm}, \qquad
# \frac{\partial \mathcal{L}}{\partial (b_2)_m} = \sum_n \delta^{(2)}_{nm}.
# $$
#
# The hidden layer is yours. A hidden neuron acts through *all* outputs, and only where its ReLU
# lets it: write down
#
# $$
# \delta^{(1)}_{nj} = \frac{\partial \mathcal{L}}{\partial z^{(1)}_{nj}}
# $$
#
# on paper. The chain rule leads from $z^{(1)}_{nj}$ over $a^{(1)}_{nj}$ to every $z^{(2)}_{nm}$,
# and from there you know the rest. Which index is summed over, and which is not? Then $W_1$ and
# $b_1$ follow as $W_2$ and $b_2$ did. Each sum over an index that stands twice is a matrix product.
# The shapes tell you which array to transpose: a gradient has the shape of its parameter.

# %% exercise="backward"

# %% demo="gradient_check"
figures.gradient_check(backward, forward, mse_loss)

# %% [markdown]
# **What to notice.** On the left, every point is one derivative: change that number by $\pm h$, see
# what the loss does, and compare. Points off the line tell you which array is wrong, and a
# line of another slope tells you that a factor is (is it $2/N$ or $1/N$?).
#
# On the right, the differences are the ones that err. A one-sided difference is wrong in proportion
# to $h$, until rounding takes over and its error grows as $1/h$. The central difference shows no
# $h^2$ on the way: in a single weight the loss of this network is exactly a parabola, for which
# it has no error, as long as no ReLU switches between $-h$ and $+h$. A wrong gradient looks
# different: both curves stay flat, far up, whatever the step.
#
# Differences need {{2 * count_parameters([1, 32, 1])}} forward passes for the
# {{count_parameters([1, 32, 1])}} derivatives of our network. The chain rule needs one pass
# forwards and one backwards, however many parameters there are.

# %% [markdown]
# ## 9 · Downhill
# *15 minutes · medium*
#
# Start with He's rule. Then, in every epoch, all samples go forwards, the error comes back, and
# each parameter takes a step against its gradient, with the learning rate $\eta$:
#
# $$ W \leftarrow W - \eta\, \frac{\partial \mathcal{L}}{\partial W}, \qquad
#    b \leftarrow b - \eta\, \frac{\partial \mathcal{L}}{\partial b} . $$
#
# Take all four gradients at the same point before any parameter moves. The list of losses
# begins with that of the untrained network.
#
# He's rule expects an input of size one, so the network is not fed with $x$ but with the
# *standardised* $(x - \bar x)/s$, of mean 0 and standard deviation 1. The mean and the deviation
# belong to the network from then on: a new $x$ must be treated with the same two numbers.

# %% exercise="train"

# %% [markdown]
# Now the question from the beginning. Three learning rates, one start, 10 000 epochs each: some
# seconds, if `backward` works on whole arrays. The bar shows how long it takes.

# %% demo="learn_the_sine"
x_data = np.linspace(-np.pi, np.pi, 100).reshape(-1, 1)
y_data = np.sin(x_data)
centre, spread = x_data.mean(), x_data.std()
n_epochs = 1000 if fast else 10_000
runs = {}
for rate in figures.progress([0.01, 0.02, 0.05], f"{n_epochs} epochs each"):
    start = np.random.default_rng(1)
    runs[rate] = train((x_data - centre) / spread, y_data, 32, rate, n_epochs, start)
x_new = np.random.default_rng(2).uniform(-np.pi, np.pi, (1000, 1))
for rate, (trained, losses) in runs.items():
    unseen = mse_loss(forward((x_new - centre) / spread, *trained)[2], np.sin(x_new))
    print(f"learning rate {rate}: loss {losses[0]:.2f} untrained,", end=" ")
    print(f"{losses[-1]:.1e} before the last of {len(losses)} steps, {unseen:.1e} on unseen points")
figures.learned(runs, forward, centre, spread)

# %% [markdown]
# **What to notice.**
#
# - Yes, they can. The curve first drops to the level of the best straight line,
#   $1/2 - 3/\pi^2 \approx$ {{f"{1 / 2 - 3 / np.pi**2:.2f}"}}, then finds the bends.
#   After that each further digit costs several times as many epochs.
# - At the start all corners lie at $x = 0$, because all biases are zero. Descent has spread them
#   out, but not evenly. The error has a kink at each of them, and is largest near crest and
#   trough, where the sine bends most and corners are rare.
# - With a learning rate of 0.05 the curve may leap up and come down again: a step that suits a
#   wide valley jumps out of a narrow one. A run that stops on such a spike has a bad last loss and
#   a good network a few epochs earlier.
# - The loss on unseen points is about that on the hundred: {{count_parameters([1, 32, 1])}}
#   parameters for 100 points, and no overfitting. These data have no noise that could be learnt.
# - A printed loss means something only with the epoch it belongs to. Code that changes its weights
#   in place, in a cell that is run twice, goes on from where it stopped: its "epoch 0" is then
#   epoch 10 000, and the loss it prints looks better than its training was. Your `train` begins
#   anew at each call, with a new generator of the same seed.

# %% [markdown]
# ## 10 · Any depth
# *30 minutes · hard*
#
# For $L$ layers nothing new happens, only more often. Forwards, with $a^{(0)} = x$:
#
# $$
# z^{(l)} = a^{(l-1)} W_l + b_l, \qquad
# a^{(l)} = \varphi\big(z^{(l)}\big) \ \text{for } l < L, \qquad a^{(L)} = z^{(L)} .
# $$
#
# Backwards, $\delta^{(L)}$ is the $\delta^{(2)}$ of exercise 8, and each $\delta^{(l)}$ follows
# from $\delta^{(l+1)}$ as your $\delta^{(1)}$ there did from $\delta^{(2)}$. The gradients of $W_l$
# and $b_l$ are made of $a^{(l-1)}$ and $\delta^{(l)}$ as before. You find them from the last layer
# to the first; return them from the first to the last. The slope needs $z^{(l)}$, which
# `deep_forward` does not return: work it out again from $a^{(l-1)}$.

# %% exercise="deep_backward"

# %% [markdown]
# Ten hidden layers of 32 neurons, untrained, 20 starts: how large is the gradient that arrives in
# each layer? (About a second.)
#
# **Before you run the cell:** in which of them does the first layer get next to nothing – (a) ReLU,
# (b) tanh, (c) sigmoid?

# %% demo="gradient_sizes"
figures.gradient_sizes(he_initialise, deep_backward)

# %% [markdown]
# **What to notice.** Answer (c). The gradient starts at the output, on the right. Going left, each
# layer multiplies it by weights and slopes. With He's weights and a sigmoid that makes, in root
# mean square, at most $\sqrt{2} \times 1/4 \approx$ {{f"{np.sqrt(2) / 4:.2f}"}} a layer: the pale
# green line, which has fallen to {{f"{(np.sqrt(2) / 4) ** 9 * 1e5:.0f}"}} · 10⁻⁵ at layer 1. The
# first layers of a deep sigmoid network learn next to nothing; this is the *vanishing gradient*.
#
# A ReLU has slope 1 or 0, each about half of the time, and He's factor of two repairs exactly that.
# The slope of tanh reaches 1, four times the sigmoid's, and what saturation takes, He's $\sqrt 2$
# gives back here. Single networks, the faint lines, scatter widely.

# %% [markdown]
# ## Where you are

# %% summary=true

# %% [markdown]
# ## An open question
#
# A polygon that joins points of the sine and has 32 evenly spaced corners inside the period
# misses it by a mean square of about $h^4/240$ with $h = 2\pi/33$, that is
# {{f"{(2 * np.pi / 33) ** 4 / 240 * 1e6:.0f}"}} · 10⁻⁶. Your network, with its 32 corners, could
# come as close, and after 10 000 epochs has not. What is in the way: too few epochs, corners in
# the wrong places, neurons that have fallen silent? Call your `train` in a cell of your own with
# ten seeds, look at the corners of the best and of the worst, and find an experiment that decides.

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.
