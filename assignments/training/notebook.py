# %% [markdown]
# # PyTorch and training in practice
#
# **Twenty noisy readings, and a network with
# {{sum(p.numel() for p in MLP(1, [128, 128], 1).parameters())}} numbers to adjust: which curve
# will it draw?**
#
# Something swings through one period, and somebody reads off where it is, twenty times, each time
# with an error of $\pm 0.3$ of the amplitude. You know that the truth is a sine. The network does
# not. It has more than enough freedom to go through every single reading, errors included, and if
# it is trained long enough it will try.
#
# The parts of a training are a few lines each: a slope, a network, a loss, an optimiser, batches.
# So are the things that keep it honest: dropout, a penalty, a good moment to stop, more data. You
# will write them all. At the end of this notebook the figure below comes back with the network's
# curve, without a remedy and with each of four, and a number beside each curve that says how far
# it is from the truth.

# %% setup=true

# %% [markdown]
# Set `fast = True` to shorten the demonstrations; no exercise depends on it.

# %% parameters=true
fast = False

# %% demo="goal"
x_seen, y_seen = figures.readings(20, seed=2)
figures.goal(x_seen, y_seen)

# %% [markdown]
# **Conventions.** Everything is a torch tensor. A row is a sample, a column a feature: $N$ times
# are a column of shape $(N, 1)$, and so are $N$ displacements. Displacements are in units of the
# amplitude; times are *standardised*, so that one period runs from $-\sqrt 3$ to $\sqrt 3$ with
# mean 0 and standard deviation 1. A loss is never negative, and a gradient points uphill.
# Randomness comes from a `generator` that you are given and from nothing else, so that a seed
# gives the same result again. A function leaves its arguments as they were, unless it says
# otherwise.
#
# In the figures your result is the thin dark line and the expected one, where there is one, the
# wide pale line beneath it. Figures are never graded.

# %% [markdown]
# ## PyTorch in ten lines
#
# All that the exercises use of it is below: run the cell, and change it as you like.
#
# - A **tensor** is an array that can remember what it was made of, if `requires_grad` is set; after
#   `backward()` its `.grad` is the slope.
# - A **module** is a function with parameters. A class of your own calls `super().__init__()`
#   first, or its layers are not found, and says in `forward` what comes out. `model(x)` calls
#   `forward`.
# - A **loss** is one number. `nn.MSELoss`, `nn.L1Loss`, `nn.BCEWithLogitsLoss` and
#   `nn.CrossEntropyLoss` are modules that make it of two tensors.
# - An **optimiser** is handed `model.parameters()` once, and moves them by their `.grad` at every
#   `step()`. Gradients add up until they are cleared.
# - **L-BFGS** also learns the curvature, looks along a line, and so has to work out the loss
#   several times in a step: it is handed a function, the *closure*. Without
#   `line_search_fn="strong_wolfe"` it does not look: it goes as far as the curvature, badly known
#   at first, makes it believe, and may leap away. With `max_iter=1` it does not look either: a step
#   has one evaluation then. Give a step many iterations.


# %% demo="ten_lines"
class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x)


column = torch.linspace(-1, 1, 5)[:, None]  # (5, 1)
line, measure = Line(), nn.MSELoss()
adam = torch.optim.Adam(line.parameters(), lr=0.1)
for _ in range(100):
    adam.zero_grad()
    measure(line(column), 2 * column + 1).backward()
    adam.step()
print("Adam, 100 steps:", [round(p.item(), 3) for p in line.parameters()])

line = Line()
lbfgs = torch.optim.LBFGS(line.parameters(), line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    loss = measure(line(column), 2 * column + 1)
    loss.backward()
    return loss


lbfgs.step(closure)
print("L-BFGS, one step:", [round(p.item(), 3) for p in line.parameters()])

# %% [markdown]
# ## 1 · `derivative`
# *10 minutes · easy*
#
# PyTorch takes down every operation on a tensor that has `requires_grad` set. From that record it
# works out, with the chain rule and without any step size, how one number depends on the tensor:
# this is automatic differentiation.
#
# It starts from *one* number. For a batch $x_1, \dots, x_N$ take the sum: as long as each
# $f(x_n)$ depends on its own $x_n$ only,
#
# $$ \frac{\partial}{\partial x_n} \sum_m f(x_m) = f'(x_n) . $$
#
# The caller's `x` is not yours. Setting its `requires_grad`, or filling its `.grad`, would come
# as a surprise later on; work on a copy.

# %% exercise="derivative"

# %% demo="slopes"
figures.slopes(derivative)

# %% [markdown]
# **What to notice.** A difference quotient has to choose its step: with a large one the curve bends
# away, with a small one two nearly equal numbers are subtracted and the digits are gone. In
# float32, which networks use, the best step leaves about five digits of seven, and in float64
# eleven or so of sixteen. Automatic differentiation works on the formula, has no step to choose,
# and keeps all digits of either. (The dot: at $x = 3$ the slope is
# {{int(derivative(lambda x: x**3 + 2 * x, torch.tensor(3.0)))}}.)

# %% [markdown]
# ## 2 · `MLP`
# *10 minutes · easy*
#
# A *multi-layer perceptron* alternates linear layers, $z = W a + b$, and a function that bends,
# here $\mathrm{ReLU}(z) = \max(0, z)$. After the last linear layer there is none: the output may
# be any number.
#
# A module has to know its layers, or an optimiser will never find their weights: `nn.Sequential`
# and `nn.ModuleList` announce them, a plain Python list does not.

# %% exercise="mlp"

# %% demo="pieces"
figures.pieces(MLP, derivative)

# %% [markdown]
# **What to notice.** These networks know nothing yet. Without a hidden layer there is a straight
# line. A hidden layer of eight can put a corner in eight places, and some of them are out of
# sight. Two layers of 64, with
# {{sum(p.numel() for p in MLP(1, [64, 64], 1).parameters())}} parameters, look smooth, but their
# slope, from your `derivative`, is a staircase: it is a polygon still.

# %% [markdown]
# ## 3 · Losses
# *20 minutes · medium*
#
# The mean squared error is not the only choice. Three more, each a mean over all elements or rows:
#
# $$ \text{MAE} = \big\langle\, |\hat y - y| \,\big\rangle, \qquad
#    \text{BCE} = \big\langle -t \ln \sigma(z) - (1 - t) \ln\big(1 - \sigma(z)\big) \big\rangle,
#    \qquad
#    \text{CE} = \Big\langle -\ln \frac{e^{z_c}}{\sum_j e^{z_j}} \Big\rangle . $$
#
# The last two are for classes. The network's output $z$, a *logit*, is an energy in units of
# $-k_B T$, and $\sigma(z)$ and the softmax are Boltzmann's probabilities; $\sum_j e^{z_j}$ is the
# partition function. A loss is then minus the logarithm of the probability that the network gave
# to what was true.
#
# Put the probability into the logarithm *on paper*, and simplify. A computer that works out
# $\sigma(1000)$ first gets exactly 1, and then the logarithm of 0.

# %% exercise="losses"

# %% [markdown]
# **Before you run the cell:** some readings of one quantity, one of them a slip, and one guess for
# all. The slip drags along the best guess by – (a) the mean square, (b) the mean absolute error,
# (c) both?

# %% demo="losses"
figures.losses(mae_loss, bce_with_logits, cross_entropy)

# %% [markdown]
# **What to notice.** Answer (a). Left: if one guess has to do for all readings, the mean square is
# lowest at their mean, which a single slip drags along, and the mean absolute error at their
# median, which does not care how far off the slip is. Right: the formula as it is written in books
# fails at $z = {{int(next(z for z in range(99) if torch.sigmoid(torch.tensor(float(z))) == 1))}}$,
# where $1 - \sigma(z)$ has no digit left in float32. The loss itself is just a straight line there,
# and binary cross-entropy is cross-entropy with the two logits $0$ and $z$.

# %% [markdown]
# ## 4 · Optimisers
# *30 minutes · medium*
#
# All four get parameters $p$ and gradients $g$, and return new parameters.
#
# - **Gradient descent**: $p \leftarrow p - \eta\, g$.
# - **Momentum**: a ball that keeps its velocity, $v \leftarrow \mu v + g$, then
#   $p \leftarrow p - \eta\, v$.
# - **Adam** divides a running mean of the gradient by the root of a running mean of its square.
#   Both means start at zero and are too small at first; dividing by $1 - \beta^t$ makes up for it:
#
# $$ m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad
#    v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2, \qquad
#    p \leftarrow p - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} . $$
#
# - **AdamW** shrinks the parameters first, $p \leftarrow p - \eta \lambda\, p$, and then takes
#   Adam's step. The shrinking never enters $m$ and $v$; if it were part of the gradient, Adam
#   would divide it by $\sqrt v$ too, and large gradients would protect a weight from decay.
#
# Write them as pure functions: what a step needs from the step before comes in as an argument and
# goes out as a result. Nothing is overwritten. Whoever keeps an old state can go on from it.

# %% exercise="optimisers"

# %% [markdown]
# **Before you run the cell:** which of the four does not come to rest at the bottom, however long
# it runs – (a) gradient descent, (b) momentum, (c) Adam, (d) AdamW?

# %% demo="valley"
figures.valley(sgd_step, momentum_step, adam_step, adamw_step)

# %% [markdown]
# **What to notice.** Answer (d). The valley is a hundred times steeper across than along. Gradient
# descent must keep its rate below $2/25 = {{2 / 25}}$, or it leaps out across; along the valley it
# then creeps. Momentum carries on along the valley and swings. Adam gives each direction its own
# scale, so that it hardly notices the valley; its first step has the length $\eta$ in each,
# whatever the gradient. AdamW comes to rest beside the bottom: decay pulls towards zero, which is
# why its height does not fall further.

# %% [markdown]
# ## 5 · `minibatches`
# *10 minutes · easy*
#
# The gradient is a mean over the data, and a mean over a random part of them is nearly as good:
# one pass over the data, an *epoch*, can make many steps instead of one. Shuffle the rows, then cut
# them into batches: each row once, each with its partner, and what is left over in a last, shorter
# batch. In the next epoch the order is another one.

# %% exercise="minibatches"

# %% demo="batch_noise"
figures.batch_noise(minibatches)

# %% [markdown]
# **What to notice.** A batch of $B$ independent rows would miss the mean of all by
# $\sigma / \sqrt B$, like any mean of $B$ measurements. But within an epoch no row comes twice, and
# that makes a difference when the batch is a good part of the data: the square of the distance has
# another factor $(N - B)/(N - 1)$, and for $B = N$ nothing is left of it. This noise is not only
# a nuisance. Like a temperature, it lets the descent leave narrow hollows.

# %% [markdown]
# ## 6 · `dropout`
# *10 minutes · easy*
#
# During training each element is set to zero with probability $p$, so that no neuron can rely on
# one other. The elements that are kept are divided by $1 - p$. The mean stays the same then, and in
# evaluation nothing is left to do.

# %% exercise="dropout"

# %% demo="dropout_noise"
figures.dropout_noise(dropout)

# %% [markdown]
# **What to notice.** Here a neuron adds up $\sum_i w_i a_i$ from a hundred others. Dropout leaves
# the mean of the sum where it is without dropout, the dashed line, and spreads it with the
# variance $\frac{p}{1-p} \sum_i (w_i a_i)^2$: it is noise in every neuron's input. A
# network that forgets to switch to evaluation answers the same question differently every time.

# %% [markdown]
# ## 7 · `l2_penalty`
# *5 minutes · easy*
#
# A polygon that rushes from reading to reading needs large weights. Add $\lambda \sum \lVert W
# \rVert^2$ to the loss, and they have a price. Biases shift a curve and do not make it steeper;
# they go free.

# %% exercise="l2_penalty"

# %% demo="shrink"
figures.shrink(l2_penalty, MLP)

# %% [markdown]
# **What to notice.** The gradient is $2W$, so each step of descent on the penalty alone multiplies
# every weight by $1 - 2\eta$: an exponential decay, which is where the name *weight decay* comes
# from. For plain gradient descent the two are the same thing. For Adam they are not, as exercise 4
# says.

# %% [markdown]
# ## 8 · `EarlyStopping`
# *20 minutes · medium*
#
# Some readings are kept back and never trained on. As long as the loss on these *validation* data
# falls, the network learns about the truth; when it rises, it learns the errors of the others. But
# the loss is noisy, and a small rise means nothing yet. So the training goes on until there has
# been no improvement for some epochs, `patience` of them, and then returns to the best weights.
#
# `model.state_dict()` gives the weights themselves, not copies. They go on changing after you have
# stored them.

# %% exercise="early_stopping"

# %% demo="stopping"
figures.stopping(EarlyStopping)

# %% [markdown]
# **What to notice.** The least patient one is caught by the shelf in the middle, where the loss
# rests before it falls again. The most patient one finds the same epoch as the one before and pays
# with the epochs in between. There is no right patience: it has to be longer than the waves of the
# noise and shorter than you care to wait.

# %% [markdown]
# ## 9 · `augment`
# *10 minutes · easy*
#
# More data are the best remedy, and sometimes they can be had for nothing: where you know that a
# small change of the input does not change the answer, make copies with small changes. Here the
# time of a reading is shifted a little. That is not quite harmless, as you will see.

# %% exercise="augment"

# %% demo="copies"
figures.copies(augment, x_seen, y_seen)

# %% [markdown]
# **What to notice.** Every reading has become a small horizontal cloud. What is learnt from the
# clouds is the truth, smeared over their width: a sine $\sin kx$ keeps only a part
# $e^{-k^2 s^2 / 2}$ of its height, which is {{f"{np.exp(-((np.pi / 3**0.5) * 0.2) ** 2 / 2):.0%}"}}
# for $s = 0.2$. A copy adds no information about the noise of its original: it says only that the
# truth is smooth on the scale $s$.

# %% [markdown]
# ## 10 · `train`
# *20 minutes · medium*
#
# Now put it together. In every epoch, for every batch: forwards, loss, clear the old gradients,
# backwards, step. Three things go wrong without a message:
#
# - `backward()` *adds* to the gradients that are there. If they are not cleared, each step is a sum
#   over the past.
# - $(N, 1)$ minus $(N,)$ is an $(N, N)$ table. The loss then compares every prediction with every
#   target, and the network learns their mean. Compare the shapes, and raise an error.
# - A model may come in evaluation mode, with its dropout switched off.

# %% exercise="train"

# %% [markdown]
# First, a question of units. The same 100 points of a sine, once with $x$ from 0 to $2\pi$ and once
# standardised. (Some seconds.)

# %% demo="raw_and_standardised"
phase = torch.linspace(0, 2 * np.pi, 100)[:, None]
inputs = {"x from 0 to 2π": phase, "x standardised": (phase - np.pi) * 3**0.5 / np.pi}
n_epochs = 200 if fast else 1000
runs = {}
for name, column in figures.progress(inputs.items(), f"{n_epochs} epochs each"):
    torch.manual_seed(1)
    model = MLP(1, [64, 64], 1)
    history = train(model, column, torch.sin(phase), epochs=n_epochs, learning_rate=0.01)
    runs[name] = model, column, history
for name, (_, _, history) in runs.items():
    print(f"{name}: {history[0]:.2f} untrained, {history[-1]:.1e} in the last epoch")
figures.raw_and_standardised(runs)

# %% [markdown]
# **What to notice.** With the raw $x$ half of all corners start at negative $x$, where there are no
# data, and half of the others between 0 and 1; they have to travel. Subtracting a mean and dividing
# by a deviation costs nothing and is usually worth more than any choice of optimiser.
#
# The model is trained *in place*: a second call goes on where the first one stopped.

# %% demo="second_call"
model, column, history = runs["x standardised"]
again = train(model, column, torch.sin(phase), epochs=20, learning_rate=1e-4)
print(f"first call:  epoch 0 has the loss {history[0]:.4f}")
print(f"second call: epoch 0 has the loss {again[0]:.6f}")

# %% [markdown]
# Whoever runs a training cell twice without making a new model prints such an "epoch 0", and the
# training looks better than it was. An untrained network cannot be good: the sine's own mean
# square is ½, and a first loss far below that is a sign of an earlier run. Make the model and
# train it in one cell.
#
# Now the end of a training. Five starts; on the left, Adam with a learning rate of 0.01 to the
# end, on the right your `train`. (About ten seconds.)

# %% demo="lottery"
column, target = inputs["x standardised"], torch.sin(phase)
plain, yours = [], []
for seed in figures.progress(range(2 if fast else 5), "starts"):
    torch.manual_seed(seed)
    model = MLP(1, [64, 64], 1)
    optimiser, history = torch.optim.Adam(model.parameters(), lr=0.01), []
    for _ in range(n_epochs):
        loss = torch.mean((model(column) - target) ** 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    plain.append(history)
    torch.manual_seed(seed)
    model = MLP(1, [64, 64], 1)
    yours.append(train(model, column, target, epochs=n_epochs, learning_rate=0.01))
figures.lottery(plain, yours)

# %% [markdown]
# **What to notice.** Near a minimum the gradient is small, and Adam divides it by its own size:
# the steps stay as long as $\eta$ allows, and now and then the loss leaps up by powers of ten.
# Where the training happens to stop is a lottery, and the last loss says little. (If both panels
# look alike, your `train` keeps its rate too, which is right; try a rate that falls to zero, or
# bring back the best epoch.) Report the best or a mean over many epochs, never just the last
# number.

# %% [markdown]
# ## 11 · Back to the twenty readings
#
# The network with two hidden layers of 128 learns the twenty readings; two hundred others, never
# trained on, watch. (A few seconds.)
#
# **Before you run the cell:** while the loss on the twenty falls and falls, that on the two hundred
# – (a) falls with it, (b) falls and later rises, (c) never falls?

# %% demo="overfitting"
x_unseen, y_unseen = figures.readings(200, seed=102)
n_epochs = 300 if fast else 1500


def fit(model, x, y, label, penalty=0.0, stopper=None):
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    seen, unseen = [], []
    for _ in figures.progress(range(n_epochs), label):
        model.train()
        loss = torch.mean((model(x) - y) ** 2)
        seen.append(loss.item())
        if penalty:
            loss = loss + penalty * l2_penalty(model)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        model.eval()
        with torch.no_grad():
            unseen.append(torch.mean((model(x_unseen) - y_unseen) ** 2).item())
        if stopper is not None and stopper.step(unseen[-1], model):
            break
    if stopper is not None:
        stopper.restore(model)
    return seen, unseen


torch.manual_seed(2)
stopped = MLP(1, [128, 128], 1)
stopper = EarlyStopping(200)
fit(stopped, x_seen, y_seen, "with early stopping", stopper=stopper)
torch.manual_seed(2)
without = MLP(1, [128, 128], 1)
seen, unseen = fit(without, x_seen, y_seen, "without")
print(f"best epoch: {stopper.best_epoch}, with a validation loss of {stopper.best_loss:.3f}")
figures.overfitting(
    x_seen, y_seen, seen, unseen, {"at the best epoch": stopped, "at the end": without}
)

# %% [markdown]
# **What to notice.** Answer (b). Both losses fall together for some tens of epochs, while the
# network finds the sine. Then the blue one goes on falling, far below the noise: what it learns now
# are the errors. The orange one rises. The pale line is the noise itself, $0.3^2 = {{round(0.3**2,
# 2)}}$. The true sine would score about that, 0.088 on just these two hundred readings, and no
# curve that does not know their errors can be expected to do better.
#
# The rise is only seen because two hundred readings watch. The mean square of ten errors is
# uncertain by $\sqrt{2/10} \approx$ {{f"{(2 / 10) ** 0.5:.0%}"}}, and of two hundred by
# {{f"{(2 / 200) ** 0.5:.0%}"}}; with ten, a rise by a third drowns.
#
# And now all four remedies, each with the same start. (Ten seconds or so.)


# %% demo="remedies"
class WithDropout(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.first, self.second, self.last = MLP(1, [], 128), MLP(128, [], 128), MLP(128, [], 1)
        self.p, self.generator = p, torch.Generator().manual_seed(0)

    def forward(self, x):
        for layer in (self.first, self.second):
            x = dropout(torch.relu(layer(x)), self.p, self.training, self.generator)
        return self.last(x)


torch.manual_seed(2)
light = MLP(1, [128, 128], 1)
fit(light, x_seen, y_seen, "l2_penalty", penalty=0.01)
torch.manual_seed(2)
dropped = WithDropout(0.5)
fit(dropped, x_seen, y_seen, "dropout")
torch.manual_seed(2)
smeared = MLP(1, [128, 128], 1)
more = augment(x_seen, y_seen, 20, 0.2, torch.Generator().manual_seed(3))
fit(smeared, *more, "augment")
remedies = {
    "early stopping": stopped,
    "l2_penalty": light,
    "dropout": dropped,
    "augment": smeared,
}
figures.remedies(x_seen, y_seen, remedies, without)

# %% [markdown]
# **What to notice.** Each remedy says, in its own way, that the truth is smoother than the data:
# stop before the details, pay for steepness, do not rely on single neurons, ignore small shifts.
# None of them knows that the truth is a sine. Their settings were chosen by looking, and a
# remedy that wins here may lose with another twenty readings: take `x_seen` and `y_seen` with
# another seed in a cell of your own, run the last cells again, and see. Early stopping has looked
# at two hundred more readings than the others, which is the
# whole of its secret: training on them would have been better still.

# %% [markdown]
# ## Where you are

# %% summary=true

# %% [markdown]
# ## An open question
#
# The validation readings decided when to stop. So they have had a say in the training, and the loss
# on them at the best epoch, the lowest of many noisy numbers, is a little too good. How much too
# good? Draw a third set of readings, measure the difference over many seeds, and find out how it
# depends on the number of validation readings. What would you report in a paper?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.
