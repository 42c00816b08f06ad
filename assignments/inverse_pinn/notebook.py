# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A parameter from noisy data
#
# **A rod cools down and you measure its temperature, here and there, now and then, with a poor
# thermometer. How well does heat spread in its material?**
#
# The equation is known, one number in it is not. This is the usual situation of an experiment:
# nobody measures a diffusivity, a spring constant or a cross-section directly, one measures
# something else and asks which value of the parameter explains it. You will make such data, build
# a network that looks for the temperature *and* the parameter at once, and then find out how
# good the answer is and how good it could possibly be.

# %% setup=true

# %% parameters=true
fast = False  # True: shorter trainings in the demonstrations

# %% [markdown]
# On the left is what there is: a hundred noisy temperatures. The picture on the right is missing
# one thing, the way from a first guess to the value that the data came from. At the end of the
# notebook it is there, and it has an error bar.

# %% demo="goal"
figures.goal()

# %% [markdown]
# **Units and signs.** Lengths are in units of the rod, which reaches from $x = 0$ to $x = 1$, times
# in some unit of time, temperatures in units of the rod's first maximum. The diffusivity $\alpha$
# is a length² per time and positive. A rod of 10 cm and a time unit of 100 s make $\alpha = 0.1$ a
# diffusivity of ${{f"{0.1 * 0.1**2 / 100 * 1e6:.0f}"}}\,\mathrm{mm^2/s}$, about that of steel.
# A function leaves its arguments as they were.

# %% [markdown]
# ## 1 · The experiment
#
# ### `exact_heat` (5 minutes, easy)
#
# Heat flows from warm to cold, the faster the steeper the temperature falls:
#
# $$\frac{\partial u}{\partial t} = \alpha\,\frac{\partial^2 u}{\partial x^2}, \qquad
# u(0, t) = u(L, t) = 0, \qquad u(x, 0) = \sin\frac{\pi x}{L}.$$
#
# Half a sine wave keeps its shape and fades: try $u = \sin(kx)\,f(t)$, see what $f$ has to obey,
# and what $k$ has to be so that the ends stay cold. With $\alpha = 0.1$ the middle of the rod is
# at {{f"{exact_heat(0.5, 1.0, 0.1):.4f}"}} after one unit of time.

# %% exercise="exact_heat"

# %% demo="profiles"
figures.profiles(exact_heat)

# %% [markdown]
# **What to notice.** On the left only the height changes. So everything about $\alpha$ is in one
# number, the decay rate $\alpha\pi^2/L^2$, the slope of the lines on the right. At the very start
# the three lines meet: whatever is measured there says nothing about $\alpha$.

# %% [markdown]
# ### `observe` (10 minutes, easy)
#
# An experiment of $n$ measurements: random places, random times, and an error on each. The places
# stay away from the ends, where the temperature is zero anyway, and the experiment is over at
# $t = 0.8$. The error is normal and does not care how warm it is.

# %% exercise="observe"

# %% demo="measurements"
observations = observe(100, 0.1, 0.02, np.random.default_rng(4))
figures.measurements(observations, exact_heat)

# %% [markdown]
# **What to notice.** These hundred dots, made with $\alpha = 0.1$ and noise 0.02, are all that the
# rest of the notebook gets to see. Most temperatures are ten to fifty times the noise, and still no
# dot alone tells $\alpha$ to better than about
# {{f"{1000 * alpha_uncertainty((np.array([0.5]), np.array([0.8]), None), 0.02, 0.1):.0f}"}} %.

# %% [markdown]
# ## 2 · A network with one parameter more
#
# ### `InversePINN` (15 minutes, medium)
#
# A network for $u(x, t)$ can be trained on the equation itself: automatic differentiation gives
# $u_t$ and $u_{xx}$, and the loss asks that $u_t - \alpha u_{xx}$ be zero. If $\alpha$ is not
# known, make it one more parameter and let the same gradient descend on both.
#
# A negative $\alpha$ would be a disaster: heat would flow from cold to warm, and every ripple
# would grow. So the parameter is $\log\alpha$, which may be any number, and
# $\alpha = e^{\log\alpha}$ is a property computed from it. It starts at $\alpha = 1$, ten times too
# large: the method should not need to know the answer.

# %% exercise="inverse_model"

# %% demo="untrained"
figures.untrained(InversePINN)

# %% [markdown]
# **What to notice.** The network is smooth, and its second derivative is not zero. Try `nn.ReLU`
# for a moment: the orange line drops to zero, and with it $\alpha u_{xx}$. Then no loss made of the
# equation could tell one $\alpha$ from another.

# %% [markdown]
# ### `inverse_loss` (25 minutes, hard)
#
# Four things can be wrong, and the loss is their weighted sum:
#
# $$L = w_\mathrm{r}\,\bigl\langle (u_t - \alpha u_{xx})^2 \bigr\rangle
# + w_\mathrm{d}\,\bigl\langle (u - u_\mathrm{measured})^2 \bigr\rangle
# + w_\mathrm{b}\,\bigl(\langle u(0,t)^2 \rangle + \langle u(1,t)^2 \rangle\bigr)
# + w_\mathrm{i}\,\bigl\langle (u(x,0) - \sin\pi x)^2 \bigr\rangle$$
#
# The first is taken at *collocation points*, places and times where nothing was measured and the
# equation should hold all the same. The second knows the data, the others the conditions. Keep the
# graph of every derivative (`create_graph=True`): they are going to be differentiated again.

# %% exercise="inverse_loss"

# %% demo="parabola"
figures.parabola(inverse_loss)

# %% [markdown]
# **What to notice.** Here the temperatures are exact and only $\alpha$ is wrong: then the loss of
# the residual is a parabola with its minimum at the truth. Over $\log\alpha$ it is steep on the
# side of the first guess and flat on the other. A training that overshoots to a tiny $\alpha$
# comes back slowly.

# %% [markdown]
# ## 3 · Recovering $\alpha$
#
# ### `recover_alpha` (30 minutes, hard)
#
# Collocation points, a model, the loss, an optimiser, and a list of $\alpha$ on its way. Everything
# is there; what is left are choices, and the docstring says which matter. Look at your history
# before you believe your $\alpha$.

# %% exercise="recover_alpha"

# %% [markdown]
# As a companion, the recipe that one meets most often: Adam with a learning rate of 0.001, and a
# hundredfold weight for the data.
#
# **Before you run the cell:** it starts at $\alpha = 1$ and makes 3000 steps. Where does it end –
# (a) at the right value, as far as the data allow, (b) too high, (c) too low? (About half a minute
# of computing.)

# %% demo="usual"
usual = figures.usual_recipe(InversePINN, inverse_loss, observations, 200 if fast else 3000)
print(f"the usual recipe ends at α = {usual[-1]:.4f}")

# %% demo="histories"
import time

start = time.perf_counter()
alpha, history = recover_alpha(
    figures.columns(observations), epochs=3000, generator=torch.Generator().manual_seed(0)
)
print(f"recover_alpha: α = {float(alpha):.4f} in {time.perf_counter() - start:.1f} s")
fit = figures.least_squares(observations)
print(f"least squares with the exact solution: α = {fit:.4f}")
figures.histories(history, usual, fit, figures.known_error())

# %% [markdown]
# **What to notice.** Answer (b). The usual recipe is not wrong, it is not finished. Adam's steps
# are no longer than about its learning rate, whatever the gradient: from $\log 1$ to $\log 0.1$ is
# a way of {{f"{np.log(10) / 1e-3:.0f}"}} of the longest, and while the gradient fades they are
# shorter still. A curve that is still falling is no result. On the right is the end of your own
# history, against the value that least squares with the exact solution finds on the same dots. That
# one is the best there is, and it is not 0.1 either: the grey band is the error bar of the data,
# which no method can beat. You compute it in the last exercise.

# %% [markdown]
# Now the weights. The data are all that tells $\alpha$, so why not trust them more? Here your model
# and your loss are trained with more and more weight for the data. **Before you run the cell:** if
# the data weigh a thousand times as much as the equation, $\alpha$ comes out – (a) better, (b)
# worse, (c) the same, since the minimum is the truth whatever the weights?

# %% demo="weights"
weights = (1.0, 1e3) if fast else (0.1, 1.0, 10.0, 1e2, 1e3)
rows = figures.data_weights(InversePINN, inverse_loss, observations, weights, 60 if fast else 300)
figures.weights_and_alpha(rows, fit, figures.known_error())

# %% [markdown]
# **What to notice.** Answer (b). With more weight the misfit goes down, by a tenth, which looks
# like progress. But it is below the noise then: the network has begun to draw the errors of the
# thermometer. The equation pays for it, its residual grows tenfold, and an equation that does not
# hold cannot tell its $\alpha$. (With still more weight the training does not even arrive: after as
# many iterations $\alpha$ is nowhere near, and such a run says nothing about the minimum.) The
# equation is exact and the data are not; weights should say so. A training whose data fit better
# than their noise is a warning.

# %% [markdown]
# ## 4 · How good can it be?
#
# ### `alpha_uncertainty` (15 minutes, medium)
#
# A measurement is worth the more, the more the temperature there depends on $\alpha$, and the less,
# the larger its noise $\sigma$. Fisher's information adds this up:
#
# $$I(\alpha) = \frac{1}{\sigma^2}\sum_{n} \left(\frac{\partial u(x_n, t_n)}
# {\partial\alpha}\right)^2, \qquad \Delta\alpha \ge \frac{1}{\sqrt{I(\alpha)}}.$$
#
# The inequality is the bound of Cramér and Rao: no unbiased method, with or without a network,
# scatters less. The measured temperatures do not occur in it, so that the error bar is known
# before the experiment is made.

# %% exercise="alpha_uncertainty"

# %% [markdown]
# **Before you run the cell:** a rod cools from 1 to nothing. When does a measurement tell most
# about $\alpha$ – (a) at the start, (b) when a third of the heat is left, (c) when next to nothing
# is left?

# %% demo="error_bars"
error = alpha_uncertainty(observations, 0.02, 0.1)
print(f"α = {float(alpha):.4f} ± {error:.4f}, {float(alpha) / 0.1 - 1:+.1%} from the truth")
figures.error_bars(alpha_uncertainty, observations, 20_000)

# %% [markdown]
# **What to notice.** Answer (b). Left: twenty thousand thermometers, the same places and times,
# least squares on each. The width is yours, from a formula that has seen none of them. For our
# hundred dots it is
# ${{f"{1e3 * alpha_uncertainty(observe(100, .1, .02, np.random.default_rng(4)), .02, .1):.2f}"}}
# \times 10^{-3}$,
# one per cent of $\alpha$; an answer that is ten per cent off has not used its data. Right: early
# measurements say little, because nothing has happened yet, late ones because everything is over.
# The best time is $1/(\alpha\pi^2) \approx {{f"{1 / (0.1 * np.pi**2):.2f}"}}$, just after our
# experiment ended, when $1/e$ of the heat is left. (To plan it one has to know $\alpha$. This is
# less of a joke than it seems: one measures twice.)

# %% [markdown]
# ## An open question
#
# Suppose that the rod also loses heat through its surface, $u_t = \alpha u_{xx} - \kappa u$, and
# you let the network look for both numbers, $\alpha$ and $\kappa$. For half a sine wave
# $u_{xx} = -\pi^2 u$. What would the history of the two parameters look like, what would the Fisher
# information (now a 2 × 2 matrix) say, and how would you change the experiment, not the network, so
# that it can tell them apart?

# %% [markdown] answer="open_question"
# **Your answer**, in a few sentences. It brings no points here; your instructor reads it.

# %% summary=true
