"""Known wrong answers to inverse_pinn."""

from functools import partial

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.inverse_pinn import InversePINN, exact_heat, inverse_loss

bank = Bank(__name__)
slip, variant = bank.slip, bank.variant


# ----------------------------------------------------------------------------- exact_heat

_RATE = "-alpha * wavenumber**2 * t"

exact_heat_slips = [
    slip(
        "exact_heat",
        "wavenumber_not_squared",
        _RATE,
        "-alpha * wavenumber * t",
        "solves_the_equation",
        "Two derivatives of sin(πx/L) bring out (π/L)², so that the decay rate has the square of "
        "π/L in it.",
    ),
    slip(
        "exact_heat",
        "wavenumber_forgotten",
        _RATE,
        "-alpha * t",
        "solves_the_equation",
        "The decay rate is α (π/L)²: the two derivatives of the sine bring out a factor.",
    ),
    slip(
        "exact_heat",
        "growing",
        _RATE,
        "alpha * wavenumber**2 * t",
        "dies_out",
        "The temperature grows: heat leaves through the ends, so the exponent is negative.",
    ),
    slip(
        "exact_heat",
        "alpha_squared",
        _RATE,
        "-((alpha * wavenumber) ** 2) * t",
        "follows_the_formula",
        "α is squared together with π/L. Only the wavenumber comes in twice.",
    ),
    slip(
        "exact_heat",
        "cosine",
        "np.sin(",
        "np.cos(",
        "meets_its_conditions",
        "A cosine is 1 at x = 0, where the rod is kept at 0: the first mode is a sine.",
    ),
    slip(
        "exact_heat",
        "whole_wave",
        "np.sin(wavenumber * x)",
        "np.sin(2 * wavenumber * x)",
        "meets_its_conditions",
        "This is a whole wave along the rod; half a wave, sin(πx/L), was asked for.",
    ),
    slip(
        "exact_heat",
        "length_ignored",
        "np.pi / length",
        "np.pi",
        "holds_for_any_length",
        "length is an argument, but the temperature does not depend on it.",
    ),
    slip(
        "exact_heat",
        "length_only_in_the_sine",
        _RATE,
        "-alpha * np.pi**2 * t",
        "holds_for_any_length",
        "The sine knows the rod's length and the decay does not: the rate is α (π/L)².",
    ),
    slip(
        "exact_heat",
        "length_not_squared",
        _RATE,
        "-alpha * np.pi**2 / length * t",
        "holds_for_any_length",
        "The rate goes with one over the length squared: twice the rod takes four times as long.",
    ),
    slip(
        "exact_heat",
        "flattened",
        "    wavenumber = np.pi / length\n",
        "    wavenumber = np.pi / length\n"
        "    if np.ndim(x):\n        x, t = np.ravel(x), np.resize(t, np.size(x))\n",
        "broadcasts",
        "A column of places and a row of times should give a table: leave the shapes to NumPy's "
        "broadcasting.",
    ),
    slip(
        "exact_heat",
        "room_for_whole_numbers",
        "    wavenumber = np.pi / length\n",
        "    wavenumber = np.pi / length\n"
        "    if np.ndim(x):\n"
        "        u = np.zeros_like(x + t)\n"
        "        u[:] = np.sin(wavenumber * x) * np.exp(-alpha * wavenumber**2 * t)\n"
        "        return u\n",
        "broadcasts",
        "The result is written into an array of the dtype of x and t. Where these are whole "
        "numbers, every temperature is cut to 0 or 1: make room for floats.",
    ),
    slip(
        "exact_heat",
        "in_place",
        "    wavenumber = np.pi / length\n",
        "    wavenumber = np.pi / length\n"
        "    if isinstance(t, np.ndarray) and np.shape(x) == t.shape:\n"
        "        t *= -alpha * wavenumber**2\n"
        "        return np.sin(wavenumber * x) * np.exp(t)\n",
        "leaves_its_arguments_unchanged",
        "The caller's t has other values after the call: `*=` and its kind write into an array.",
    ),
]


@mistake(
    "exact_heat",
    caught_by="gives_a_number_for_numbers",
    hint="A single place and time should give a single number, not an error: plain arithmetic "
    "works for numbers and arrays alike.",
)
def arrays_only():
    def exact_heat(x, t, alpha, length=1.0):
        u = np.empty(np.broadcast(x, t).shape)
        u[:] = np.sin(np.pi * x / length) * np.exp(-alpha * (np.pi / length) ** 2 * t)
        return u


# -------------------------------------------------------------------------------- observe

_X = "rng.uniform(0.1, 0.9, size=(n, 1))"
_T = "rng.uniform(0.05, 0.8, size=(n, 1))"
_NOISE = "rng.normal(0.0, noise_std, size=(n, 1))"

observe_slips = [
    slip(
        "observe",
        "places_on_a_grid",
        _X,
        "rng.permutation(np.linspace(0.1, 0.9, n))[:, None]",
        "draws_from_rng_alone",
        "The places stand on a grid, and only their order is random. Each is drawn by itself.",
    ),
    slip(
        "observe",
        "noise_of_a_seed_of_its_own",
        "rng.normal(0.0, noise_std, size=(n, 1))",
        "np.random.default_rng(42).normal(0.0, noise_std, size=(n, 1))",
        "draws_from_rng_alone",
        "The noise comes from a generator that is made inside, and is the same in every "
        "experiment. Draw it from rng.",
    ),
    slip(
        "observe",
        "whole_rod",
        _X,
        "rng.uniform(0.0, 1.0, size=(n, 1))",
        "measures_at_all_places",
        "Some of the places are outside [0.1, 0.9].",
    ),
    slip(
        "observe",
        "times_to_two_digits",
        _T,
        f"{_T}.round(2)",
        "measures_at_all_times",
        "The times have two digits. Anything in the interval may come.",
    ),
    slip(
        "observe",
        "noise_on_the_places",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x + noise, t, alpha)",
        "has_normal_noise_of_its_own_on_each",
        "The noise is added to the places. It belongs to what is measured, the temperatures.",
    ),
    slip(
        "observe",
        "all_times",
        _T,
        "rng.uniform(0.0, 1.0, size=(n, 1))",
        "measures_at_all_times",
        "Some of the times are outside [0.05, 0.8].",
    ),
    slip(
        "observe",
        "ranges_exchanged",
        f"    x = {_X}\n    t = {_T}\n",
        f"    x = {_T}\n    t = {_X}\n",
        "measures_at_all_places",
        "The two ranges are exchanged: x is in [0.1, 0.9], t in [0.05, 0.8].",
    ),
    slip(
        "observe",
        "sensors_on_a_grid",
        _X,
        "np.linspace(0.1, 0.9, n).reshape(n, 1)",
        "draws_from_rng_alone",
        "The places are the same in every experiment. They should be drawn from rng as well.",
    ),
    slip(
        "observe",
        "one_random_number_for_both",
        f"    x = {_X}\n    t = {_T}\n",
        "    r = rng.random((n, 1))\n    x, t = 0.1 + 0.8 * r, 0.05 + 0.75 * r\n",
        "measures_at_all_times",
        "Times and places are not drawn independently of each other.",
    ),
    slip(
        "observe",
        "normal_places",
        _X,
        "np.clip(rng.normal(0.5, 0.2, size=(n, 1)), 0.1, 0.9)",
        "measures_at_all_places",
        "The places crowd in the middle. They should be uniform in [0.1, 0.9].",
    ),
    slip(
        "observe",
        "variance_for_deviation",
        _NOISE,
        "rng.normal(0.0, noise_std**2, size=(n, 1))",
        "has_a_small_noise_if_asked_for",
        "noise_std is the standard deviation, and NumPy's normal takes the standard deviation "
        "too: no square is needed.",
    ),
    slip(
        "observe",
        "root_of_the_deviation",
        _NOISE,
        "rng.normal(0.0, noise_std**0.5, size=(n, 1))",
        "has_a_large_noise_if_asked_for",
        "noise_std is the standard deviation already: no root is needed.",
    ),
    slip(
        "observe",
        "uniform_noise",
        _NOISE,
        "noise_std * 3**0.5 * rng.uniform(-1, 1, size=(n, 1))",
        "has_normal_noise_of_its_own_on_each",
        "The noise is uniform. Normal noise was asked for.",
    ),
    slip(
        "observe",
        "outliers_cut_off",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) + np.clip(noise, -2 * noise_std, 2 * noise_std)",
        "has_normal_noise_of_its_own_on_each",
        "Errors beyond two standard deviations are cut off. Of normal ones one in twenty is "
        "larger, and stays.",
    ),
    slip(
        "observe",
        "one_error_for_all",
        _NOISE,
        "rng.normal(0.0, noise_std)",
        "has_normal_noise_of_its_own_on_each",
        "One random number is added to all temperatures. Each measurement has its own error.",
    ),
    slip(
        "observe",
        "relative_noise",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) * (1 + noise)",
        "has_a_large_noise_if_asked_for",
        "The noise is multiplied with the temperature. It should be added, equally large "
        "everywhere.",
    ),
    slip(
        "observe",
        "noise_of_the_usual_temperature",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) * (1 + noise / exact_heat(x, t, alpha).mean())",
        "has_normal_noise_of_its_own_on_each",
        "The noise is multiplied with the temperature, and has the right size only where that is "
        "the mean. It should be equally large everywhere.",
    ),
    slip(
        "observe",
        "noise_that_grows_with_time",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) + noise * np.sqrt(t / 0.425)",
        "has_normal_noise_of_its_own_on_each",
        "The noise grows with time, and has the right size in the mean alone. It should be equally "
        "large everywhere.",
    ),
    slip(
        "observe",
        "noise_without_its_mean",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) + noise - noise.mean()",
        "has_errors_that_know_nothing_of_each_other",
        "The mean of the errors is subtracted, so that they add up to zero. Errors of a "
        "measurement know nothing of each other; the mean of few is never zero.",
    ),
    slip(
        "observe",
        "noise_of_an_exact_spread",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha) + noise * noise_std / max(np.sqrt(np.mean(noise**2)), 1e-30)",
        "has_errors_that_know_nothing_of_each_other",
        "The errors are scaled until their spread is exactly noise_std. That is the deviation of "
        "the distribution; the spread of a few errors differs from it.",
    ),
    slip(
        "observe",
        "noise_forgotten",
        "exact_heat(x, t, alpha) + noise",
        "exact_heat(x, t, alpha)",
        "has_a_small_noise_if_asked_for",
        "The temperatures are exact: the noise is missing.",
    ),
    slip(
        "observe",
        "positive_noise",
        _NOISE,
        "np.abs(rng.normal(0.0, noise_std, size=(n, 1)))",
        "has_a_small_noise_if_asked_for",
        "All errors are positive. Normal noise has mean zero.",
    ),
    slip(
        "observe",
        "alpha_of_one_tenth",
        "exact_heat(x, t, alpha)",
        "exact_heat(x, t, 0.1)",
        "measures_without_noise_what_is_there",
        "The data always come from α = 0.1. The argument alpha should decide.",
    ),
    slip(
        "observe",
        "noise_from_the_global_generator",
        _NOISE,
        "noise_std * np.random.randn(n, 1)",
        "draws_from_rng_alone",
        "Places and times come from rng and the noise from NumPy's global generator: the same "
        "seed gives other temperatures. All random numbers should come from rng.",
    ),
    slip(
        "observe",
        "seed_of_its_own",
        f"    x = {_X}\n",
        f"    rng = np.random.default_rng(0)\n    x = {_X}\n",
        "draws_from_rng_alone",
        "A new generator with a fixed seed replaces rng, so that every experiment is the same.",
    ),
    slip(
        "observe",
        "never_negative",
        "exact_heat(x, t, alpha) + noise",
        "np.maximum(exact_heat(x, t, alpha) + noise, 0)",
        "has_a_large_noise_if_asked_for",
        "Measured temperatures below zero are cut off. The noise goes both ways, and its mean is "
        "zero only if they stay.",
    ),
    slip(
        "observe",
        "place_and_time_exchanged",
        "exact_heat(x, t, alpha)",
        "exact_heat(t, x, alpha)",
        "measures_without_noise_what_is_there",
        "exact_heat gets the time where it takes the place: look at the order of its arguments.",
    ),
    slip(
        "observe",
        "table_for_list",
        f"    t = {_T}\n",
        "    t = rng.uniform(0.05, 0.8, size=n)\n",
        "gives_one_shape",
        "A column and a flat array broadcast to a whole table: every place meets every time. Use "
        "one shape for all three.",
    ),
]


@mistake(
    "observe",
    caught_by="draws_from_rng_alone",
    hint="The numbers come from NumPy's global generator. All of them should come from rng, so "
    "that a seed gives the same data again.",
)
def global_generator():
    def observe(n, alpha, noise_std, rng):
        x = np.random.uniform(0.1, 0.9, (n, 1))
        t = np.random.uniform(0.05, 0.8, (n, 1))
        return x, t, exact_heat(x, t, alpha) + noise_std * np.random.randn(n, 1)


# -------------------------------------------------------------------------- inverse_model

_PARAMETER = "self.log_alpha = nn.Parameter(torch.tensor(0.0))"
_ALPHA = "return torch.exp(self.log_alpha)"
_LAYERS = """            nn.Linear(2, hidden),
            nn.Tanh(),
            nn.Linear(hidden, hidden),
            nn.Tanh(),
"""
_OUT = "self.network(torch.cat([x, t], dim=1))"

model_slip = partial(slip, "inverse_model")

inverse_model_slips = [
    model_slip(
        "no_parameter",
        _PARAMETER,
        "self.log_alpha = torch.tensor(0.0, requires_grad=True)",
        "learns_log_alpha",
        "log_alpha is a plain tensor, which model.parameters() does not list: an optimiser would "
        "never move it. Make it an nn.Parameter.",
    ),
    model_slip(
        "a_buffer",
        _PARAMETER,
        'self.register_buffer("log_alpha", torch.tensor(0.0))',
        "learns_log_alpha",
        "A buffer is saved with the model but not trained. log_alpha should be an nn.Parameter.",
    ),
    model_slip(
        "starts_at_one",
        _PARAMETER,
        "self.log_alpha = nn.Parameter(torch.tensor(1.0))",
        "starts_with_alpha_one",
        "log_alpha starts at 1, so that α starts at e. For α = 1 its logarithm is 0.",
    ),
    model_slip(
        "knows_the_answer",
        _PARAMETER,
        "self.log_alpha = nn.Parameter(torch.log(torch.tensor(0.1)))",
        "starts_with_alpha_one",
        "α starts at 0.1, near the usual answer. Start it at 1, far away: nobody knows the answer "
        "before.",
    ),
    model_slip(
        "random_start",
        _PARAMETER,
        "self.log_alpha = nn.Parameter(torch.randn(()))",
        "starts_with_alpha_one",
        "α starts at another value each time. It should start at 1.",
    ),
    model_slip(
        "logarithm_itself",
        _ALPHA,
        "return self.log_alpha",
        "takes_alpha_from_log_alpha",
        "This is the logarithm of α and not α: it can become negative. α is its exponential.",
    ),
    model_slip(
        "softplus",
        _ALPHA,
        "return nn.functional.softplus(self.log_alpha) / np.log(2)",
        "takes_alpha_from_log_alpha",
        "α is positive, but not the exponential of log_alpha, as its name says.",
    ),
    model_slip(
        "square",
        _ALPHA,
        "return (1 + self.log_alpha) ** 2",
        "takes_alpha_from_log_alpha",
        "A square is not negative, but it can be zero, and it is not what log_alpha's name says: "
        "α = exp(log_alpha).",
    ),
    model_slip(
        "plain_number",
        _ALPHA,
        "return torch.exp(self.log_alpha).item()",
        "lets_gradients_through_alpha",
        "α is a plain number and has lost its graph: no gradient would reach log_alpha. Leave "
        ".item() to whoever prints it.",
    ),
    model_slip(
        "detached",
        _ALPHA,
        "return torch.exp(self.log_alpha.detach())",
        "lets_gradients_through_alpha",
        "α is cut off from log_alpha: no gradient would get there.",
    ),
    model_slip(
        "another_leaf",
        _ALPHA,
        "return torch.exp(self.log_alpha.data).requires_grad_()",
        "lets_gradients_through_alpha",
        "α is a new tensor that requires a gradient and has no way back to log_alpha: no optimiser "
        "would ever move it. Take exp of the parameter itself.",
    ),
    model_slip(
        "relu",
        _LAYERS,
        _LAYERS.replace("Tanh", "ReLU"),
        "is_curved",
        "The activation is piecewise linear, and so is the network: its u_xx is zero almost "
        "everywhere, and α u_xx with it. A smooth activation is needed.",
    ),
    model_slip(
        "hardswish",
        _LAYERS,
        _LAYERS.replace("Tanh", "Hardswish"),
        "is_curved",
        "Hardswish is made of parabolas with corners between them, where u_x jumps. A smooth "
        "activation is needed.",
    ),
    model_slip(
        "one_leaky_layer",
        _LAYERS,
        _LAYERS.replace(
            "Tanh(),\n            nn.Linear(hidden", "LeakyReLU(),\n            nn.Linear(hidden"
        ),
        "is_curved",
        "One of the activations has a corner, where u_x jumps. Every layer needs a smooth one.",
    ),
    model_slip(
        "dropout",
        _LAYERS,
        f"{_LAYERS}            nn.Dropout(0.1),\n",
        "is_curved",
        "Dropout draws another network at each call: u(x, t) would have no derivatives. A network "
        "that solves an equation is one function.",
        keeps=0.5,
    ),
    model_slip(
        "batch_norm",
        _LAYERS,
        _LAYERS.replace(
            "hidden),\n            nn.Tanh()",
            "hidden),\n            nn.BatchNorm1d(hidden),\n            nn.Tanh()",
            1,
        ),
        "judges_every_point_by_itself",
        "Batch normalisation mixes the points: u at one of them depends on where the others are, "
        "and a single point stops it.",
        keeps=0.5,
    ),
    model_slip(
        "no_activation",
        _LAYERS,
        _LAYERS.replace("            nn.Tanh(),\n", ""),
        "is_curved",
        "Linear layers one after another are one linear layer: without an activation between "
        "them the network is a plane, and u_xx is zero.",
    ),
    model_slip(
        "place_only",
        "[x, t]",
        "[x, x]",
        "depends_on_place_and_time",
        "The network never sees t: both of its inputs are x.",
    ),
    model_slip(
        "time_only",
        "[x, t]",
        "[t, t]",
        "depends_on_place_and_time",
        "The network never sees x: both of its inputs are t.",
    ),
    model_slip(
        "sum_of_both",
        "torch.cat([x, t], dim=1)",
        "torch.cat([x + t, x + t], dim=1)",
        "tells_place_from_time",
        "The network sees x + t alone, so that a place and a time cannot be told apart. x and t "
        "are two inputs, side by side.",
    ),
    model_slip(
        "shared_by_all",
        _PARAMETER,
        'if not hasattr(InversePINN, "shared"):\n'
        "            InversePINN.shared = nn.Parameter(torch.tensor(0.0))\n"
        "        self.log_alpha = InversePINN.shared",
        "has_an_alpha_of_its_own",
        "All models share one log_alpha, because it belongs to the class. Make it in __init__, "
        "for each model anew.",
    ),
    model_slip(
        "stacked_below_each_other",
        "torch.cat([x, t], dim=1)",
        "torch.cat([x, t], dim=0).reshape(-1, 2)",
        "judges_every_point_by_itself",
        "x and t are put below each other instead of side by side, which mixes the points: a "
        "row should hold the place and the time of one point.",
    ),
    model_slip(
        "column_lost",
        _OUT,
        "self.network(torch.cat([x, t], dim=1)).squeeze(-1)",
        "depends_on_place_and_time",
        "The temperatures have lost their column: (N, 1) in, (N, 1) out. (N,) minus (N, 1) would "
        "be (N, N) in the loss.",
    ),
    model_slip(
        "hidden_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        hidden = 64\n",
        "has_the_width_asked_for",
        "The argument hidden has no effect on the size of the layers.",
    ),
]


@mistake(
    "inverse_model",
    caught_by="takes_alpha_from_log_alpha",
    hint="α is computed once, when the model is made, and stays what it was. As a property it "
    "follows log_alpha.",
)
def computed_once():
    class InversePINN(nn.Module):
        def __init__(self, hidden=64):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(),
                nn.Linear(hidden, 1),
            )  # fmt: skip
            self.log_alpha = nn.Parameter(torch.tensor(0.0))
            self.alpha = torch.exp(self.log_alpha)

        def forward(self, x, t):
            return self.net(torch.cat([x, t], dim=1))


# --------------------------------------------------------------------------- inverse_loss

_RESIDUAL = "torch.mean((u_t - model.alpha * u_xx) ** 2)"
_U_XX = "    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)\n"
_EQUATION = (
    "    x, t = collocation\n"
    "    u = model(x, t)\n"
    "    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)\n"
    + _U_XX
    + f"    residual = {_RESIDUAL}\n"
)
_DATA = "torch.mean((model(x_seen, t_seen) - u_seen) ** 2)"
_BOUNDARY = "torch.mean(model(left, t) ** 2) + torch.mean(model(right, t) ** 2)"
_INITIAL = "torch.mean((model(x, start) - torch.sin(torch.pi * x)) ** 2)"
_RETURN = (
    "return w_residual * residual + w_data * data + w_boundary * boundary + w_initial * initial"
)

loss_slip = partial(slip, "inverse_loss")

inverse_loss_slips = [
    loss_slip(
        "sign_of_the_residual",
        _RESIDUAL,
        "torch.mean((u_t + model.alpha * u_xx) ** 2)",
        "weighs_the_residual",
        "The residual is u_t − α u_xx. With a plus, heat flows from cold to warm.",
    ),
    loss_slip(
        "first_derivative",
        _U_XX,
        "    u_xx = u_x\n",
        "weighs_the_residual",
        "The equation needs the second derivative with respect to x; this is the first.",
    ),
    loss_slip(
        "slope_squared",
        _U_XX,
        "    u_xx = u_x**2\n",
        "weighs_the_residual",
        "(u_x)² is not u_xx: differentiate u_x once more.",
    ),
    loss_slip(
        "mixed_derivative",
        "torch.autograd.grad(u_x.sum(), x, create_graph=True)",
        "torch.autograd.grad(u_t.sum(), x, create_graph=True)",
        "weighs_the_residual",
        "This is the derivative of u_t with respect to x. u_xx comes from u_x.",
    ),
    loss_slip(
        "derivatives_exchanged",
        "u_x, u_t = ",
        "u_t, u_x = ",
        "weighs_the_residual",
        "u_x and u_t are exchanged: the gradients come in the order of the variables.",
    ),
    loss_slip(
        "wave_equation",
        _RESIDUAL,
        "torch.mean(\n"
        "        (torch.autograd.grad(u_t.sum(), t, create_graph=True)[0] - model.alpha * u_xx)"
        " ** 2\n    )",
        "weighs_the_residual",
        "This is the wave equation, with the second derivative in time. Heat needs the first.",
    ),
    loss_slip(
        "log_alpha_for_alpha",
        "model.alpha",
        "model.log_alpha",
        "weighs_the_residual",
        "The equation has α in it, and here stands its logarithm.",
    ),
    loss_slip(
        "alpha_fixed",
        "model.alpha",
        "0.1",
        "tells_alpha_where_to_go",
        "α is a fixed number here. It is the model's α that is to be found.",
    ),
    loss_slip(
        "alpha_detached",
        "model.alpha",
        "model.alpha.detach()",
        "tells_alpha_where_to_go",
        "α counts in the residual, but no gradient reaches log_alpha, because of .detach(), "
        ".item() or .data. It would stay at 1 for ever.",
    ),
    loss_slip(
        "alpha_as_a_number",
        "model.alpha",
        "model.alpha.item()",
        "tells_alpha_where_to_go",
        "α counts in the residual, but no gradient reaches log_alpha, because of .detach(), "
        ".item() or .data. It would stay at 1 for ever.",
    ),
    loss_slip(
        "graph_of_the_curvature_lost",
        _U_XX,
        "    (u_xx,) = torch.autograd.grad(u_x.sum(), x, retain_graph=True)\n",
        "teaches_the_network_the_equation",
        "u_xx has no graph: without create_graph=True the network cannot learn from it.",
    ),
    loss_slip(
        "residual_detached",
        _RESIDUAL,
        "torch.mean((u_t.detach() - model.alpha * u_xx.detach()) ** 2)",
        "teaches_the_network_the_equation",
        "The derivatives are detached: α learns from the residual, but the network does not.",
    ),
    loss_slip(
        "residual_not_squared",
        _RESIDUAL,
        "torch.mean(torch.abs(u_t - model.alpha * u_xx))",
        "weighs_the_residual",
        "This is the mean absolute residual; its mean square is asked for.",
    ),
    loss_slip(
        "mean_before_the_square",
        _RESIDUAL,
        "torch.mean(u_t - model.alpha * u_xx) ** 2",
        "weighs_the_residual",
        "The residual is averaged and then squared, so that errors of both signs cancel. Square "
        "first.",
    ),
    loss_slip(
        "sum_of_the_residuals",
        _RESIDUAL,
        "torch.sum((u_t - model.alpha * u_xx) ** 2)",
        "weighs_the_residual",
        "The squares of the residual are added up; their mean is asked for.",
    ),
    loss_slip(
        "sum_of_the_misfits",
        _DATA,
        "torch.sum((model(x_seen, t_seen) - u_seen) ** 2)",
        "weighs_the_data",
        "The squares of the misfits are added up; their mean is asked for.",
    ),
    loss_slip(
        "data_at_the_wrong_points",
        _DATA,
        "torch.mean((model(t_seen, x_seen) - u_seen) ** 2)",
        "weighs_the_data",
        "Place and time of the observations are exchanged.",
    ),
    loss_slip(
        "data_as_a_table",
        _DATA,
        "torch.mean((model(x_seen, t_seen) - u_seen.flatten()) ** 2)",
        "weighs_the_data",
        "A column minus a flat array is a table: every prediction is compared with every "
        "measurement. Both should be (M, 1).",
    ),
    loss_slip(
        "columns_of_one_row",
        "torch.zeros_like(t), torch.ones_like(t), torch.zeros_like(x)",
        "torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(1, 1)",
        "takes_a_real_network",
        "The columns handed to the model are not of one length: a network puts them side by "
        "side and stops. Every row needs its own position and its own time.",
    ),
    loss_slip(
        "central_differences",
        _U_XX,
        "    h = 1e-4\n    u_xx = (model(x + h, t) - 2 * u + model(x - h, t)) / h**2\n",
        "takes_a_real_network",
        "u_xx is taken by small steps. In float32, which networks have, what is left of such a "
        "difference is mostly noise: differentiate through autograd.",
    ),
    loss_slip(
        "differences_of_fourth_order",
        _U_XX,
        "    u_xx = -30 * u\n"
        "    for n, c in ((1, 16), (2, -1)):\n"
        "        u_xx = u_xx + c * (model(x + 0.1 * n, t) + model(x - 0.1 * n, t))\n"
        "    u_xx = u_xx / 0.12\n",
        "is_exact",
        "u_xx is taken by small steps. In float32, which networks have, what is left of such a "
        "difference is mostly noise: differentiate through autograd.",
    ),
    loss_slip(
        "left_end_only",
        _BOUNDARY,
        "torch.mean(model(left, t) ** 2)",
        "weighs_the_boundary",
        "Only x = 0 is there. The other end, x = 1, is kept at zero as well.",
    ),
    loss_slip(
        "left_end_twice",
        "right, start = torch.zeros_like(t), torch.ones_like(t)",
        "right, start = torch.zeros_like(t), torch.zeros_like(t)",
        "weighs_the_boundary",
        "Both terms ask for x = 0. The other end is at x = 1.",
    ),
    loss_slip(
        "mean_of_both_ends",
        _BOUNDARY,
        "(torch.mean(model(left, t) ** 2) + torch.mean(model(right, t) ** 2)) / 2",
        "weighs_the_boundary",
        "The boundary counts half: the mean squares of the two ends are averaged, and should be "
        "added up.",
    ),
    loss_slip(
        "ends_may_cancel",
        _BOUNDARY,
        "torch.mean((model(left, t) + model(right, t)) ** 2)",
        "weighs_the_boundary",
        "The two ends are added before the square, so that one may cancel the other. Each has "
        "a square of its own.",
    ),
    loss_slip(
        "ends_and_times_exchanged",
        _BOUNDARY,
        "torch.mean(model(t, left) ** 2) + torch.mean(model(t, right) ** 2)",
        "weighs_the_boundary",
        "The ends stand where the time belongs: the model takes the place first, then the time.",
    ),
    loss_slip(
        "other_times",
        _BOUNDARY,
        "torch.mean(model(left, x) ** 2) + torch.mean(model(right, x) ** 2)",
        "weighs_the_boundary",
        "The boundary is to be met at the collocation times; here the places stand in for them.",
    ),
    loss_slip(
        "times_of_the_observations",
        _BOUNDARY,
        "torch.mean(model(torch.zeros_like(t_seen), t_seen) ** 2)"
        " + torch.mean(model(torch.ones_like(t_seen), t_seen) ** 2)",
        "weighs_the_boundary",
        "The boundary is asked for at the times of the observations. It is to hold at the "
        "collocation times.",
    ),
    loss_slip(
        "places_of_the_observations",
        _INITIAL,
        "torch.mean((model(x_seen, torch.zeros_like(x_seen)) - torch.sin(torch.pi * x_seen)) ** 2)",
        "weighs_the_start",
        "The start is asked for at the places of the observations. It is to hold at the "
        "collocation positions.",
    ),
    loss_slip(
        "residual_at_the_observations",
        _EQUATION,
        "    x, t = (one.detach().clone().requires_grad_() for one in observations[:2])\n"
        + _EQUATION.partition("\n")[2]
        + "    x, t = collocation\n",
        "weighs_the_residual",
        "The equation is asked for where the data are. It is to hold at the collocation points.",
    ),
    loss_slip(
        "wrong_initial_shape",
        "torch.sin(torch.pi * x)",
        "torch.sin(x)",
        "weighs_the_start",
        "At the start u = sin πx: π is missing.",
    ),
    loss_slip(
        "cold_start",
        _INITIAL,
        "torch.mean(model(x, start) ** 2)",
        "weighs_the_start",
        "The rod does not start at zero: u(x, 0) = sin πx.",
    ),
    loss_slip(
        "start_not_at_zero",
        _INITIAL,
        "torch.mean((model(x, t) - torch.sin(torch.pi * x)) ** 2)",
        "weighs_the_start",
        "sin πx is the temperature at t = 0, not at the collocation times.",
    ),
    loss_slip(
        "weights_in_another_order",
        "w_residual, w_data, w_boundary, w_initial = weights",
        "w_data, w_residual, w_boundary, w_initial = weights",
        "weighs_the_residual",
        "Residual and data have each other's weight: the order is residual, data, boundary, "
        "initial.",
    ),
    loss_slip(
        "conditions_in_another_order",
        "w_residual, w_data, w_boundary, w_initial = weights",
        "w_residual, w_data, w_initial, w_boundary = weights",
        "weighs_the_boundary",
        "Boundary and initial condition have each other's weight: the order is residual, data, "
        "boundary, initial.",
    ),
    loss_slip(
        "residual_unweighted",
        _RETURN,
        "return residual + w_data * data + w_boundary * boundary + w_initial * initial",
        "weighs_the_residual",
        "The residual always has weight one. Its weight is the first of the four.",
    ),
    loss_slip(
        "one_weight_for_both_conditions",
        _RETURN,
        "return w_residual * residual + w_data * data + w_boundary * (boundary + initial)",
        "weighs_the_start",
        "The initial condition is weighted like the boundary. It has the fourth weight.",
    ),
    loss_slip(
        "weighted_mean",
        _RETURN,
        _RETURN.replace("return ", "return (") + ") / sum(weights)",
        "adds_the_four_terms",
        "The sum is divided by the sum of the weights: a weighted sum is asked for, not a mean.",
    ),
    loss_slip(
        "plain_number",
        _RETURN,
        _RETURN.replace("return ", "return float(") + ")",
        "teaches_the_network_the_equation",
        "A plain number comes back, and nothing can be trained with it: return the tensor.",
    ),
    loss_slip(
        "in_place",
        f"    data = {_DATA}\n",
        "    u_seen -= model(x_seen, t_seen)\n    data = torch.mean(u_seen**2)\n",
        "leaves_its_arguments_unchanged",
        "The caller's observations have other values after the call, and the next call sees "
        "those: `-=` and its kind write into a tensor.",
    ),
    loss_slip(
        "backward_inside",
        _RETURN,
        _RETURN.replace("return", "loss =")
        + "\n    loss.backward(retain_graph=True)\n    return loss",
        "leaves_no_gradient_behind",
        "backward() is called inside the loss and fills the .grad of points and parameters; when "
        "the training calls it again, every gradient counts twice. Return the loss alone.",
    ),
]


# -------------------------------------------------------------------------- recover_alpha


# Meets both conditions by its form: an answer that arrives in a tenth of the time.
_PLAIN = """class Cooling(InversePINN):
    def forward(self, x, t):
        return torch.sin(np.pi * x) * (1 + t * super().forward(x, t))


def recover_alpha(observations, *, epochs, generator):
    torch.manual_seed(generator.initial_seed())
    x_seen, t_seen, u_seen = (torch.as_tensor(y).double() for y in observations)
    model = Cooling(16).double()
    x, t = (torch.rand(80, 1, generator=generator).double().requires_grad_() for _ in range(2))
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=min(epochs, 50), line_search_fn="strong_wolfe"
    )
    weights = (1.0, 10.0, 1.0, 1.0)
    history = []

    def closure():
        optimiser.zero_grad()
        loss = inverse_loss(model, (x, t), (x_seen, t_seen, u_seen), weights)
        loss.backward()
        history.append(model.alpha.item())
        return loss

    optimiser.step(closure)
    return model.alpha.item(), history
"""

_SOFT = """def recover_alpha(observations, *, epochs, generator):
    torch.manual_seed(generator.initial_seed())
    x_seen, t_seen, u_seen = (torch.as_tensor(y, dtype=torch.float32) for y in observations)
    model = InversePINN(24)
    x, t = (torch.rand(150, 1, generator=generator).requires_grad_() for _ in range(2))
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=min(epochs, 150), line_search_fn="strong_wolfe"
    )
    weights = (1.0, 10.0, 10.0, 10.0)
    history = []

    def closure():
        optimiser.zero_grad()
        loss = inverse_loss(model, (x, t), (x_seen, t_seen, u_seen), weights)
        loss.backward()
        history.append(model.alpha.item())
        return loss

    optimiser.step(closure)
    return model.alpha.item(), history
"""

plain = partial(variant, "recover_alpha", _PLAIN)

recover_alpha_slips = [
    plain(
        "equation_forgotten",
        "weights = (1.0, 10.0, 1.0, 1.0)",
        "weights = (0.0, 10.0, 1.0, 1.0)",
        "finds_the_truth",
        "The residual has no weight: only the equation knows α, and without it α stays at 1.",
    ),
    plain(
        "data_forgotten",
        "weights = (1.0, 10.0, 1.0, 1.0)",
        "weights = (1.0, 0.0, 1.0, 1.0)",
        "finds_the_truth",
        "The data have no weight. The equation and its conditions are met for any α: only the "
        "observations tell which.",
    ),
    variant(
        "recover_alpha",
        _SOFT,
        "far_too_much_weight_for_the_data",
        "weights = (1.0, 10.0, 10.0, 10.0)",
        "weights = (1.0, 1e5, 10.0, 10.0)",
        "agrees_with_least_squares",
        "The data have so much weight that the network follows their noise and the equation gives "
        "way. Weigh the residual more, or the data less.",
    ),
    plain(
        "place_and_time_exchanged",
        "x_seen, t_seen, u_seen = (",
        "t_seen, x_seen, u_seen = (",
        "finds_the_truth",
        "Place and time of the observations are exchanged.",
    ),
    plain(
        "returns_the_logarithm",
        "return model.alpha.item(), history",
        "return model.log_alpha.item(), history",
        "finds_the_truth",
        "The logarithm of α comes back; α is its exponential.",
    ),
    plain(
        "returns_the_start",
        "return model.alpha.item(), history",
        "return history[0], history",
        "finds_the_truth",
        "The α of the first iteration comes back. The last one is wanted.",
    ),
    plain(
        "returns_the_mean_of_the_way",
        "return model.alpha.item(), history",
        "return float(np.mean(history)), history",
        "finds_the_truth",
        "The mean over all iterations comes back, the first ones included. α is where the history "
        "ends.",
    ),
    plain(
        "history_of_one_value",
        "return model.alpha.item(), history",
        "return model.alpha.item(), [model.alpha.item()] * len(history)",
        "tells_the_way",
        "The history holds the last α again and again. Its value after each iteration is wanted.",
    ),
    plain(
        "history_of_losses",
        "history.append(model.alpha.item())",
        "history.append(loss.item())",
        "tells_the_way",
        "The history holds the losses. The value of α after each iteration is wanted.",
    ),
    plain(
        "history_of_logarithms",
        "history.append(model.alpha.item())",
        "history.append(model.log_alpha.item())",
        "tells_the_way",
        "The history holds log α. α itself is wanted.",
    ),
    plain(
        "alpha_not_trained",
        "        model.parameters(), max_iter",
        "        [p for p in model.parameters() if p.ndim], max_iter",
        "finds_the_truth",
        "log_alpha is not among the parameters that the optimiser was given, so α stays at 1.",
    ),
    plain(
        "twice_the_iterations",
        "max_iter=min(epochs, 50)",
        "max_iter=2 * min(epochs, 50)",
        "keeps_to_its_epochs",
        "The optimiser makes two iterations for each that epochs allows.",
        0.95,
    ),
    plain(
        "heeds_no_epochs",
        "max_iter=min(epochs, 50)",
        "max_iter=200",
        "keeps_to_its_epochs",
        "The number of iterations is written into the function, and epochs is not heeded.",
        0.95,
    ),
    plain(
        "stops_too_soon",
        "max_iter=min(epochs, 50)",
        "max_iter=3",
        "finds_the_truth",
        "The training stops while α is still on its way: let it use the epochs that are given, "
        "and look at the history.",
    ),
    plain(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        "The network's first weights come from the global random state. generator should decide "
        "them, so that the same seed gives the same α.",
    ),
    plain(
        "seed_of_its_own",
        "torch.manual_seed(generator.initial_seed())",
        "generator = torch.manual_seed(0)",
        "repeats_itself",
        "The result is the same whatever generator says: a seed is written into the function.",
        0.95,
    ),
    plain(
        "data_changed",
        "    model = Cooling(16).double()\n",
        "    model = Cooling(16).double()\n    observations[2][:] = observations[2].round(3)\n",
        "leaves_its_data_unchanged",
        "The caller's observations have other values after the training: `[:] =`, and `/=` "
        "and its kind, write into an array.",
    ),
]


@mistake(
    "recover_alpha",
    caught_by="finds_the_truth",
    hint="The steps are too small: one step of Adam changes log α by about the learning rate, "
    "and the way from 1 is long. Look at the history: it is still falling at its end.",
)
def learning_rate_too_small():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        data = [torch.as_tensor(y, dtype=torch.float32) for y in observations]
        model = InversePINN(16)
        x, t = (torch.rand(50, 1, generator=generator).requires_grad_() for _ in range(2))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        history = []
        for _ in range(min(epochs, 100)):
            optimiser.zero_grad()
            inverse_loss(model, (x, t), data, (1.0, 100.0, 10.0, 10.0)).backward()
            optimiser.step()
            history.append(model.alpha.item())
        return model.alpha.item(), history


@mistake(
    "recover_alpha",
    caught_by="finds_the_truth",
    hint="This is least squares with the known solution, which the checks compare with. A network "
    "that learns the equation needs no solution: it would find α where none is known.",
)
def least_squares_with_the_known_solution():
    def recover_alpha(observations, *, epochs, generator):
        from scipy.optimize import least_squares

        x, t, u = (np.asarray(values, dtype=float).ravel() for values in observations)
        history = []

        def misfit(log_alpha):
            history.append(float(np.exp(log_alpha[0])))
            return exact_heat(x, t, history[-1]) - u

        alpha = float(np.exp(least_squares(misfit, [0.0]).x[0]))
        return alpha, [*history, alpha]


@mistake(
    "recover_alpha",
    caught_by="finds_the_truth",
    hint="The gradients of earlier steps are never cleared and add up, so that a step follows all "
    "of them together. Each step needs the gradient of now alone.",
)
def gradients_never_cleared():
    def recover_alpha(observations, *, epochs, generator):
        torch.manual_seed(generator.initial_seed())
        data = [torch.as_tensor(y, dtype=torch.float32) for y in observations]
        model = InversePINN(16)
        x, t = (torch.rand(50, 1, generator=generator).requires_grad_() for _ in range(2))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        history = []
        for _ in range(min(epochs, 150)):
            inverse_loss(model, (x, t), data, (1.0, 10.0, 10.0, 10.0)).backward()
            optimiser.step()
            history.append(model.alpha.item())
        return model.alpha.item(), history


# ---------------------------------------------------------------------- alpha_uncertainty

_SENSITIVITY = "np.pi**2 * t * exact_heat(x, t, alpha)"
_ERROR = "noise_std / np.sqrt(np.sum(sensitivity**2))"

bound_slip = partial(slip, "alpha_uncertainty")

alpha_uncertainty_slips = [
    bound_slip(
        "variance",
        _ERROR,
        "noise_std**2 / np.sum(sensitivity**2)",
        "is_the_bound",
        "This is the variance of α. The standard error is its root.",
    ),
    bound_slip(
        "information",
        _ERROR,
        "np.sqrt(np.sum(sensitivity**2)) / noise_std",
        "is_the_bound",
        "This is the root of the information. The error is one over it: the more information, "
        "the smaller.",
    ),
    bound_slip(
        "noise_as_variance",
        _ERROR,
        "noise_std**0.5 / np.sqrt(np.sum(sensitivity**2))",
        "is_the_bound",
        "noise_std is the standard deviation already, and the error is proportional to it.",
    ),
    bound_slip(
        "noise_forgotten",
        _ERROR,
        "1 / np.sqrt(np.sum(sensitivity**2))",
        "is_the_bound",
        "The noise is missing: each measurement adds (∂u/∂α)² divided by noise_std².",
    ),
    bound_slip(
        "mean_for_sum",
        _ERROR,
        "noise_std / np.sqrt(np.mean(sensitivity**2))",
        "halves_with_four_times_the_data",
        "The information of all measurements adds up. With the mean, more data would not help.",
    ),
    bound_slip(
        "sum_before_the_square",
        _ERROR,
        "noise_std / np.abs(np.sum(sensitivity))",
        "is_the_bound",
        "The derivatives are added up before they are squared. Each measurement adds its own "
        "square.",
    ),
    bound_slip(
        "one_measurement_too_many",
        _ERROR,
        "noise_std / np.sqrt(np.mean(sensitivity**2)) / np.sqrt(max(len(x) - 1, 1))",
        "is_the_bound",
        "N measurements count as N − 1 here. No mean is estimated from them: the information "
        "of all N adds up.",
    ),
    bound_slip(
        "time_forgotten",
        _SENSITIVITY,
        "np.pi**2 * exact_heat(x, t, alpha)",
        "is_the_bound",
        "The derivative of exp(−α π² t) with respect to α brings out the time t as well.",
    ),
    bound_slip(
        "pi_squared_forgotten",
        _SENSITIVITY,
        "t * exact_heat(x, t, alpha)",
        "is_the_bound",
        "The derivative of exp(−α π² t) with respect to α brings out π² as well.",
    ),
    bound_slip(
        "derivative_by_time",
        _SENSITIVITY,
        "alpha * np.pi**2 * exact_heat(x, t, alpha)",
        "is_the_bound",
        "This is ∂u/∂t. The derivative with respect to α is needed.",
    ),
    bound_slip(
        "relative_error",
        _ERROR,
        "noise_std / np.sqrt(np.sum(sensitivity**2)) / alpha",
        "is_the_bound",
        "This is the relative error. The error of α itself is asked for, in the unit of α.",
    ),
    bound_slip(
        "error_of_the_logarithm",
        _SENSITIVITY,
        "alpha * np.pi**2 * t * exact_heat(x, t, alpha)",
        "is_the_bound",
        "This is the relative error. The error of α itself is asked for, in the unit of α.",
    ),
    bound_slip(
        "measured_values_for_the_model",
        f"x, t, _ = observations\n    sensitivity = {_SENSITIVITY}",
        "x, t, u = observations\n    sensitivity = np.pi**2 * t * u",
        "does_not_look_at_the_values",
        "The measured temperatures stand where the exact ones belong: their noise would count as "
        "information.",
    ),
    bound_slip(
        "alpha_of_one_tenth",
        "exact_heat(x, t, alpha)",
        "exact_heat(x, t, 0.1)",
        "takes_the_alpha_given",
        "The derivative is always taken at α = 0.1. The argument alpha should decide.",
    ),
    bound_slip(
        "one_error_for_each",
        f"return float({_ERROR})",
        "return noise_std / np.abs(sensitivity)",
        "is_the_bound",
        "This is the error from each measurement alone. Together they give one number.",
    ),
    bound_slip(
        "in_place",
        f"    sensitivity = {_SENSITIVITY}",
        "    sensitivity = exact_heat(x, t, alpha)\n    t *= np.pi**2\n    sensitivity *= t",
        "leaves_the_observations_unchanged",
        "The caller's times have other values after the call: `*=` and its kind write into an "
        "array.",
    ),
]


@mistake(
    "recover_alpha",
    caught_by="agrees_with_least_squares",
    hint="The same α comes back whatever the data are. It has to be found from them.",
)
def the_usual_alpha():
    def recover_alpha(observations, *, epochs, generator):
        return 0.1, [1.0, 0.5, 0.1]


# -------------------------------------------------------------------- right values, wrong kind

_IN_A_LIST = "The values are right, but they come back in a list. {} is wanted."

in_lists = [
    slip(
        "exact_heat",
        "temperatures_in_a_list",
        "return np.sin(wavenumber * x) * np.exp(-alpha * wavenumber**2 * t)",
        "return (np.sin(wavenumber * x) * np.exp(-alpha * wavenumber**2 * t)).tolist()",
        "gives_an_array",
        _IN_A_LIST.format("An array (for arrays)"),
    ),
    slip(
        "observe",
        "data_in_lists",
        "return x, t, exact_heat(x, t, alpha) + noise",
        "return x.tolist(), t.tolist(), (exact_heat(x, t, alpha) + noise).tolist()",
        "gives_one_shape",
        "The values are right, but they come back in lists. Arrays are wanted.",
    ),
    slip(
        "alpha_uncertainty",
        "error_in_a_list",
        "return float(noise_std / np.sqrt(np.sum(sensitivity**2)))",
        "return [noise_std / np.sqrt(np.sum(sensitivity**2))]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
]
