# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Equations as the loss
#
# **Can a network find a motion that nobody has ever shown it, from the equation alone?**
#
# So far networks learnt from examples. Here there are none. A network proposes a function,
# automatic differentiation gives its slopes and curvatures, and the loss says how badly the
# function breaks the equation of motion. What is left when the loss is zero solves the equation.
# You will do this for a decay, for an oscillator and for a cooling rod, and hold the last one
# against the method that physicists use without any network.

# %% setup=true

# %% parameters=true
fast = False  # True: shorter trainings in the demonstrations

# %% [markdown]
# This is the picture at the end, with one thing missing: what the networks make of it. All they are
# told is drawn in colour: on the left how the motion starts, on the right the three edges of the
# rectangle. Everywhere else there is only a point and a question: is the equation true here?

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Units and signs.** Times, lengths and temperatures are in units of the problem, so that only the
# constants of the equations are left: a rate of 1, $\omega = 2$ and $\alpha = 0.1$. A *residual* is
# what remains when everything is brought to the left-hand side, with a plus in front of the highest
# derivative in time. Tensors are columns: $N$ points are $(N, 1)$, one in each row. A function
# leaves its arguments as they were.

# %% [markdown]
# ## 1 · Slopes
#
# ### `derivative` (15 minutes, medium)
#
# A network's output $u_i$ in row $i$ depends on the input $x_i$ of this row alone. Then the
# gradient of the *sum* $\sum_j u_j$ with respect to $x_i$ is just $\mathrm du_i/\mathrm dx_i$, and
# one call of `torch.autograd.grad` gives the slopes of all rows. Two things need care. The slope
# has to be differentiable again: for the curvature, and later for the gradient with respect to the
# network's parameters. By itself autograd hands over the numbers and forgets how it came by them;
# with `create_graph=True` it also takes down its own steps, so that the slope has a graph as `u`
# has one. And a constant has slope zero, although autograd finds no way from it back
# to $x$; the same holds for the curvature of a straight line.

# %% exercise="derivative"

# %% demo="slopes"
figures.slopes(derivative)

# %% [markdown]
# **What to notice.** Nothing here is a difference quotient: there is no step to choose, and the
# second derivative is as exact as the first. The price is a graph that grows with each order.

# %% [markdown]
# ## 2 · Equations
#
# ### `decay_residual` (5 minutes, easy)
#
# What decays, decays in proportion to what is there:
#
# $$u' = -\,\text{rate}\cdot u, \qquad \text{residual} = u' + \text{rate}\cdot u.$$

# %% exercise="decay_residual"

# %% demo="decay_candidates"
figures.decay_candidates(decay_residual)

# %% [markdown]
# **What to notice.** The straight line breaks the equation almost everywhere. The two exponentials
# have residual zero, one as well as the other: the equation knows nothing of how much there was at
# the beginning. It would be content with nothing at all, $u = 0$.

# %% [markdown]
# ### `oscillator_residual` (5 minutes, easy)
#
# A mass on a spring: $x'' = -\omega^2 x$. The residual is $x'' + \omega^2 x$.

# %% exercise="oscillator_residual"

# %% [markdown]
# ### `heat_residual` (10 minutes, medium)
#
# Heat flows from warm to cold, and where more flows in than out the temperature rises:
#
# $$u_t = \alpha\,u_{xx}, \qquad \text{residual} = u_t - \alpha\,u_{xx}.$$
#
# Where the profile is curved downwards, $u_{xx} < 0$, it cools. The model has two columns now, and
# its derivatives are partial ones: your `derivative` does them as they are.

# %% exercise="heat_residual"

# %% demo="wrong_guesses"
figures.wrong_guesses(decay_residual, oscillator_residual, heat_residual)

# %% [markdown]
# **What to notice.** Each residual vanishes for one guess: the rate of the decay, the frequency of
# the oscillator, and $\alpha\pi^2 = {{f"{0.1 * math.pi**2:.3f}"}}$ for a sine with half a wave in
# the rod. The size of a residual is not the size of an error: its unit is another one, and a
# small one may belong to a solution that is far off. Keep this for the end.

# %% [markdown]
# ## 3 · Conditions
#
# ### `condition_losses` (20 minutes, medium)
#
# An equation has many solutions; the start and the edges choose one. A decay needs one number,
# $u(0) = 1$. An oscillator, an equation of second order, needs two, $x(0) = 1$ and $x'(0) = 0$. The
# rod needs its whole profile at the start, $u(x, 0) = \sin\pi x$, and something at each end at all
# times: $u(0, t) = u(1, t) = 0$. Every condition becomes a mean square, and each has weight one.

# %% exercise="condition_losses"

# %% [markdown]
# ### `total_loss` (5 minutes, easy)
#
# $$L = \frac1N\sum_i \text{residual}_i^2 + \sum_k w_k\, C_k$$
#
# The weights $w_k$ are a choice, and not an innocent one. The terms have different units and sizes,
# and as long as none is zero, the weights say which error is preferred to which.

# %% exercise="total_loss"

# %% demo="landscapes"
figures.landscapes(total_loss, decay_residual, decay_condition_loss)

# %% [markdown]
# **What to notice.** Both maps show your loss for $u = C\,e^{-kt}$. On the left two valleys cross:
# $k = 1$ with any height, and $C = 0$ with any rate. A network that is trained without its
# condition slides into the nearest one, and that is the second: doing nothing is the easiest way to
# obey an equation like this. The condition leaves one point, the solution.

# %% [markdown]
# ### `collocation_points` (10 minutes, easy)
#
# The equation holds everywhere, and a computer asks for it at some points. Random ones fill a box
# of any dimension without a grid, and they do not all lie on the same lines. They have to be
# *leaves* that require gradients: the derivatives are taken with respect to them.

# %% exercise="collocation_points"

# %% demo="points"
generator = torch.Generator().manual_seed(0)
figures.points(collocation_points(300, [(0.0, 1.0), (0.0, 2.0)], generator))

# %% [markdown]
# **What to notice.** Uniform points are not even: there are clumps and holes, and the counts
# scatter as they should. A Latin hypercube or a Sobol sequence spreads the same number better.

# %% [markdown]
# ## 4 · A first solution
#
# ### `Centred` (10 minutes, easy)
#
# A fresh layer computes $\tanh(wt + b)$ with $w$ and $b$ of about the same size. It bends where
# $wt + b$ is near zero, that is within a distance of about one from $t = 0$. Whatever is to
# happen at $t = 5$ meets units that have long become flat. The remedy is one line of arithmetic:
# bring each variable from its interval to $[-1, 1]$ before the network sees it.

# %% exercise="centred"

# %% demo="bending"
figures.bending(Centred)

# %% [markdown]
# **What to notice.** No network here is trained. With time as it is, three quarters of the bending
# that the networks can offer lies in the first third of the interval; with centred time it is
# spread evenly. A training can move it, but it has to do so first.

# %% [markdown]
# ### `train_decay` (20 minutes, medium)
#
# Now everything is there: a network, points from 0 to 5, the residual, the condition, an optimiser.

# %% exercise="train_decay"

# %% [markdown]
# As a companion, the plain recipe: time as it is, the condition as a term of the loss, and Adam.

# %% demo="plain_decay"
plain, loss = figures.plain_decay(
    total_loss, decay_residual, decay_condition_loss, 500 if fast else 3000
)
print(f"plain recipe: loss {loss:.1e}")

# %% [markdown]
# And yours.

# %% demo="learnt_decay"
import time

start = time.perf_counter()
decay = train_decay(epochs=1000 if fast else 3000, generator=torch.Generator().manual_seed(0))
print(f"train_decay: {time.perf_counter() - start:.1f} s")
figures.learnt_decay(decay, plain)

# %% [markdown]
# **What to notice.** On the left both may look right; on the right, where the axis is
# logarithmic, recipes can differ by many powers of ten. Three things make most of it. *Conditions
# built in*: with $u = 1 + t\,N(t)$ the start is right for any network $N$, and nothing has to be
# weighed against it. *An optimiser that sees curvature*: L-BFGS learns it from past gradients and
# knows how far to go, while Adam's steps are as long as its learning rate says, however near the
# goal is. *An exact last layer*: this equation is linear in $u$, and $u$ is linear in the weights
# of the output layer, so that the best ones are found by least squares and not by any descent.

# %% [markdown]
# ## 5 · The oscillator
#
# ### `HardConstraint` (10 minutes, medium)
#
# The oscillator starts at $x(0) = 1$ with $x'(0) = 0$. Write $x(t)$ with a network $N$ in it so
# that both are true whatever $N$ says. Something that vanishes at $t = 0$ has to multiply the
# network, and its slope has to vanish too. Do not overdo it: the equation asks for $x''(0) =
# -\omega^2$, so the network must be able to choose the acceleration.

# %% exercise="hard_constraint"

# %% demo="constrained"
figures.constrained(HardConstraint)

# %% [markdown]
# **What to notice.** The same ten networks, untrained. On the right all of them leave the right
# point in the right direction, and every loss is free of conditions and weights.

# %% [markdown]
# ### `train_oscillator` (20 minutes, hard)
#
# Two full periods, $0 \le t \le 4\pi/\omega$. This is where many first attempts fail: the motion is
# right for half a period, and from then on too small.

# %% exercise="train_oscillator"

# %% demo="learnt_oscillator"
start = time.perf_counter()
generator = torch.Generator().manual_seed(0)
oscillator = train_oscillator(epochs=1000 if fast else 3000, generator=generator)
print(f"train_oscillator: {time.perf_counter() - start:.1f} s")
figures.learnt_oscillator({"yours": oscillator})

# %% [markdown]
# ### `last_layer` (20 minutes, medium)
#
# A network with one linear layer at its end is a sum of functions,
# $u(t) = \sum_j w_j \varphi_j(t)$: the hidden layers make the *features* $\varphi_j$, the last one
# adds them up. All equations here are linear in $u$. So if the features are left as they are, the
# residual at a point $t_i$,
#
# $$c_0\,u + c_1\,u' + c_2\,u'' + \dots
# = \sum_j w_j \bigl(c_0\,\varphi_j + c_1\,\varphi_j' + c_2\,\varphi_j'' + \dots\bigr)(t_i),$$
#
# is linear in the weights, and so is every condition, $u(0) = 1$ as well as $u'(0) = 0$. Each is a
# row of a linear system, with a known number for each weight and a number that it should give.
# There are more rows than weights, and the best $w$ is found by least squares, in one go. Nothing
# is trained, no rate is chosen, and there is no minimum but the lowest.
#
# A condition with weight $\lambda$ counts as $\lambda$ equal rows. What do you multiply a row by,
# so that its *square* counts $\lambda$ times?

# %% exercise="last_layer"

# %% [markdown]
# Now the whole ladder. Every step changes one thing, and each is run from five random starts, by a
# plain recipe of the course (`figures.ladder`); only the last step is yours:
#
# 1. **plain**: time as it is, conditions in the loss, Adam with a rate of 0.005;
# 2. **four times the points**: the same with 400 points instead of 100;
# 3. **centred**: 100 points again, but time brought to $[-1, 1]$;
# 4. **hard**: moreover $x = 1 + t^2 N(t)$, so that nothing has to be weighed;
# 5. **L-BFGS**: the same loss, another optimiser, float64;
# 6. **last layer**: the trained hidden layers of step 5, and your `last_layer`.
#
# **Before you run the cell:** which step gains most – (a) more points, (b) centred time, (c) the
# optimiser, (d) the last layer? (About a minute of computing.)

# %% demo="ladder"
rungs = figures.ladder(last_layer, 2 if fast else 5, 200 if fast else 2000)
figures.climbed(rungs)

# %% [markdown]
# **What to notice.** Answer (d), and by far.
#
# - *Four times the points* change next to nothing: the equation was already asked for often enough.
# - *Centred time* helps each of the five starts, and gets one of them there. With time as it is,
#   the network bends near the start and has little to bend with later, and the flat solution
#   $x = 0$, which obeys the equation perfectly, is within easy reach. One lucky start proves
#   nothing: look at five.
# - *Hard conditions* do not help Adam here, on the contrary. The start is right now, but $t^2$ runs
#   from 0 to {{f"{4 * math.pi**2:.0f}"}}, and what the network says late is multiplied by it. What
#   helps is not always what ought to.
# - *L-BFGS* sees this curvature, and gains a factor of about ten.
# - *The last layer* gains seven powers of ten, in some milliseconds. The hidden layers had long
#   been good enough. What took thousands of steps was to add them up.
#
# If that is so, do the hidden layers have to be trained at all? Here are a hundred tanh of random
# place and width, never trained, for five periods. (Some seconds: your `derivative` works on each.)
#
# **Before you run the cell:** the largest error will be – (a) about 1, since nothing has learnt
# anything, (b) about a hundredth, (c) less than a millionth?

# %% demo="never_trained"
periods = 3 if fast else 5
end, n_features = periods * math.pi, 20 * periods
drawn = torch.rand(2, n_features, generator=torch.Generator().manual_seed(0)).double()
centres = (torch.linspace(-0.2, 1.2, n_features).double() + (drawn[0] - 0.5) / n_features) * end
widths = end / n_features * 10 / (0.7 + 0.6 * drawn[1])


def bumps(t):
    return torch.tanh((t - centres) / widths)


t = torch.linspace(0, end, 3 * n_features).double().reshape(-1, 1)
start = time.perf_counter()
w = last_layer(bumps, t, (4.0, 0.0, 1.0), [(0.0, 0, 1.0), (0.0, 1, 0.0)], 1e4)
print(f"{n_features} features, {len(t)} points: {time.perf_counter() - start:.1f} s")
figures.many_periods(lambda t: bumps(t) @ w, end)

# %% [markdown]
# **What to notice.** Answer (c). The error stays below $10^{-9}$ over all periods, where descents
# of thousands of steps lost the second one. (With the slopes of tanh by hand, 400 features go
# through twenty periods in a fraction of a second, to $10^{-11}$.) So the recipe for an equation
# that is linear in $u$: many fixed features that bend where something happens, and one least
# squares. A network that is trained earns its place where this is impossible: the equation is not
# linear, or nobody knows where to put the features, as in many dimensions.

# %% [markdown]
# ## 6 · The rod
#
# ### `ftcs` (15 minutes, medium)
#
# First the method without a network. On a grid of spacing $\Delta x$ the curvature becomes a
# difference, and one step in time changes every inner point by
#
# $$u_i \leftarrow u_i
# + \frac{\alpha\,\Delta t}{\Delta x^2}\,\bigl(u_{i-1} - 2u_i + u_{i+1}\bigr),$$
#
# all of them at once, from the values before the step. The two ends stay as they are. For
# $\alpha\,\Delta t/\Delta x^2 > \tfrac12$ the shortest ripple changes sign and *grows* in each
# step; refuse that.

# %% exercise="ftcs"

# %% demo="grid_steps"
figures.grid_steps(ftcs)

# %% [markdown]
# **What to notice.** The error falls with $\Delta x^2$: half the spacing, a quarter of the error.
# But the step has to be four times shorter as well, so that this quarter costs eight times the
# work. On the right a step that is only a little too long, and a ripple of one thousandth at the
# start.

# %% [markdown]
# ### `train_heat` (20 minutes, hard)
#
# Two variables, one network. The conditions can be terms of the loss, or built in: find a function
# that is right at the start and at both ends, and add something that vanishes on all three edges
# and multiplies the network.

# %% exercise="train_heat"

# %% demo="learnt_rod"
start = time.process_time()
rod = train_heat(epochs=300 if fast else 1000, generator=torch.Generator().manual_seed(0))
seconds = time.process_time() - start
figures.learnt_rod(rod)

# %% [markdown]
# And how does it compare with the grid? Error against time of computing, each for several sizes.
# **Before you run the cell:** to reach an error of $10^{-8}$, which is quickest – (a) the grid,
# (b) your network, (c) random features that nobody trains?

# %% demo="error_and_time"
figures.error_and_time(ftcs, rod, seconds)

# %% [markdown]
# **What to notice.** For a straight rod the grid is simple, needs no luck, and is a match for
# anything that is trained. But to make its error a hundred times smaller takes a thousand times the
# work. Answer (c): random features with one least squares win as soon as many digits are wanted,
# because the solution is smooth and the equation linear.
#
# What a trained network has to offer here is a function instead of a table: it can be asked
# anywhere and differentiated, and it needs no grid, so that odd shapes are no trouble. In many
# dimensions, where a grid is hopeless, random points still are not; but the training is the harder
# there, and nothing promises that it arrives. An unknown $\alpha$ can be trained together with the
# network. It is not just another term in the loss, though: how its weight falsifies the answer is
# the subject of *A parameter from noisy data*.

# %% [markdown]
# ## An open question
#
# You knew the exact solutions and could look at the error. Usually there is none to look at, only
# the residual. Suppose a network for the decay has a residual that is nowhere larger than
# $\varepsilon$: how far can $u$ be from the solution? And the oscillator, after many periods? Find
# out what the residual does to the error, by thinking or by trying, and say what you would want to
# know before you trust a network where nobody knows the answer.

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
