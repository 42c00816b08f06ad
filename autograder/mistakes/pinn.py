"""Known wrong answers to pinn."""

import math
from functools import partial

import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.pinn import decay_residual, derivative, total_loss

bank = Bank(__name__)
slip, variant = bank.slip, bank.variant


# --------------------------------------------------------------------------- derivative

_GRAD = "torch.autograd.grad(u.sum(), x, create_graph=True, materialize_grads=True)"
_CONSTANT = (
    "        if not u.requires_grad:  # a constant\n            return torch.zeros_like(x)\n"
)

derivative_slips = [
    slip(
        "derivative",
        "mean_for_sum",
        "u.sum()",
        "u.mean()",
        "is_the_slope",
        "The gradient of the mean is N times too small. The gradient of the sum holds every row's "
        "own slope, because row i of u depends on row i of x alone.",
    ),
    slip(
        "derivative",
        "order_ignored",
        "range(order)",
        "range(1)",
        "is_the_curvature_for_order_2",
        "The argument order has no effect: a second derivative is the derivative of the first.",
    ),
    slip(
        "derivative",
        "one_order_too_many",
        "range(order)",
        "range(order + 1)",
        "is_the_slope",
        "You differentiate once more than order says: order = 1 is the slope itself.",
    ),
    slip(
        "derivative",
        "one_order_too_few",
        "range(order)",
        "range(order - 1)",
        "is_the_slope",
        "You differentiate once less than order says: for order = 1 u comes back as it was.",
    ),
    slip(
        "derivative",
        "graph_lost",
        "create_graph=True",
        "create_graph=False",
        "can_be_differentiated_again",
        "The derivative has no graph: without create_graph=True neither a second derivative nor "
        "the gradient of a loss can come from it.",
    ),
    slip(
        "derivative",
        "detached_at_the_end",
        "    return u\n",
        "    return u.detach()\n",
        "can_be_differentiated_again",
        "The result has no graph, so that no loss can be differentiated through it: it is cut off "
        "(detach), or made without create_graph=True.",
    ),
    slip(
        "derivative",
        "power_of_the_slope",
        "    for _ in range(order):\n" + _CONSTANT + f"        (u,) = {_GRAD}\n    return u\n",
        f"    if not u.requires_grad:\n        return torch.zeros_like(x)\n    (u,) = {_GRAD}\n"
        "    return u**order\n",
        "is_the_curvature_for_order_2",
        "A second derivative is not the slope squared: it is the slope of the slope.",
    ),
    slip(
        "derivative",
        "first_row_only",
        "u.sum()",
        "u[0]",
        "is_the_slope",
        "Only the first row has a slope, the others are zero: the gradient was taken of the "
        "first row of u alone.",
    ),
    slip(
        "derivative",
        "column_flattened",
        "    return u\n",
        "    return u.squeeze()\n",
        "is_the_slope",
        "The values are right and the column has lost its second axis: (N, 1) is wanted, also for "
        "a single row.",
    ),
    slip(
        "derivative",
        "single_precision",
        "    return u\n",
        "    return u.float()\n",
        "keeps_the_precision",
        "The derivative is turned into float32, whatever u is, and half of its digits are lost. "
        "Leave it as autograd gives it.",
    ),
    slip(
        "derivative",
        "two_at_most",
        "range(order)",
        "range(min(order, 2))",
        "takes_any_order",
        "Slope and curvature are right, and every higher order comes back as the curvature: "
        "differentiate as often as order says.",
    ),
    slip(
        "derivative",
        "none_for_a_constant",
        _GRAD,
        "torch.autograd.grad(u.sum(), x, create_graph=True, allow_unused=True)",
        "is_zero_for_a_constant",
        "Where u does not depend on x, autograd says None. The derivative is zero there, a "
        "column like x.",
    ),
    slip(
        "derivative",
        "stops_at_a_constant",
        _CONSTANT,
        "",
        "is_zero_for_a_constant",
        "A u without a graph stops autograd with an error. It is a constant, and a constant has "
        "derivative zero; the slope of a straight line is one too.",
    ),
]


@mistake(
    "derivative",
    caught_by="leaves_x_as_it_was",
    hint="backward() writes into .grad and adds to what is there: into x.grad, and into that of "
    "the network's parameters. torch.autograd.grad hands the derivative over and leaves nothing "
    "behind.",
)
def through_backward():
    def derivative(u, x, order=1):
        for _ in range(order):
            if not u.requires_grad:
                return torch.zeros_like(x)
            x.grad = None
            u.sum().backward(create_graph=True)
            if x.grad is None:
                return torch.zeros_like(x)
            u = x.grad
        return u


@mistake(
    "derivative",
    caught_by="is_partial_where_u_has_two_variables",
    hint="After the first derivative the graph of u is freed, and the next derivative of the same "
    "u stops with an error: u_t and u_xx come from one u. Keep the graph.",
)
def graph_freed():
    def derivative(u, x, order=1):
        for k in range(order):
            last = k == order - 1
            if not u.requires_grad:
                return torch.zeros_like(x)
            (u,) = torch.autograd.grad(
                u.sum(), x, create_graph=True, retain_graph=not last, materialize_grads=True
            )
        return u


@mistake(
    "derivative",
    caught_by="is_zero_for_a_constant",
    hint="The zeros of a constant are float32, whatever x is. They should have the dtype of x.",
)
def zeros_in_single_precision():
    def derivative(u, x, order=1):
        for _ in range(order):
            if not u.requires_grad:
                return torch.zeros(len(x), 1)
            (u,) = torch.autograd.grad(u.sum(), x, create_graph=True, materialize_grads=True)
        return u


@mistake(
    "derivative",
    caught_by="is_zero_for_a_constant",
    hint="A constant is told to require gradients, and stays so after the call: the caller's u has "
    "changed. Its derivative is zero, and needs no graph.",
)
def constant_asked_for_gradients():
    def derivative(u, x, order=1):
        for _ in range(order):
            u.requires_grad_()
            (u,) = torch.autograd.grad(u.sum(), x, create_graph=True, materialize_grads=True)
        return u


# ----------------------------------------------------------------------- decay_residual

SQUARED = "The squares come back. The residual itself is wanted, with its sign; total_loss squares."
AVERAGED = "A single number comes back. The residual is wanted at every point, a column (N, 1)."
BACKWARD = (
    "backward() leaves its gradients behind, in t and in the model's parameters, and the next "
    "call adds to them. derivative leaves nothing behind."
)
OPPOSITE = "Every sign is the opposite of what the docstring asks for. The square would not mind."

SMALL_STEPS = (
    "The derivative is taken by small steps. In float32, which networks have, what is left of "
    "such a difference is mostly noise: differentiate through autograd."
)

COLUMN = (
    "The column has become a flat list (N,). Next to a column (N, 1) it would broadcast to a "
    "table: leave it (N, 1)."
)

decay_residual_slips = [
    slip(
        "decay_residual",
        "column_lost",
        "return derivative(u, t) + rate * u",
        "return (derivative(u, t) + rate * u).squeeze(-1)",
        "is_the_slope_plus_rate_times_u",
        COLUMN,
    ),
    slip(
        "decay_residual",
        "growth",
        "+ rate * u",
        "- rate * u",
        "tells_right_from_wrong_decay",
        "This is the equation of growth, u′ = + rate · u. Bring u′ = −rate · u to one side and "
        "watch the sign.",
    ),
    slip(
        "decay_residual",
        "opposite_sign",
        "return derivative(u, t) + rate * u",
        "return -derivative(u, t) - rate * u",
        "is_the_slope_plus_rate_times_u",
        OPPOSITE,
    ),
    slip(
        "decay_residual",
        "rate_ignored",
        "rate * u",
        "u",
        "is_the_slope_plus_rate_times_u",
        "rate is an argument, but the residual does not depend on it.",
    ),
    slip(
        "decay_residual",
        "rate_on_the_slope",
        "derivative(u, t) + rate * u",
        "rate * derivative(u, t) + u",
        "is_the_slope_plus_rate_times_u",
        "The rate multiplies the wrong term: it belongs to u, not to its slope.",
    ),
    slip(
        "decay_residual",
        "rate_as_a_time",
        "rate * u",
        "u / rate",
        "is_the_slope_plus_rate_times_u",
        "A rate is one over a time: it multiplies u. You divide by it.",
    ),
    slip(
        "decay_residual",
        "no_default",
        "rate: float = 1.0",
        "rate: float",
        "has_rate_1_if_none_is_given",
        "rate has a default in the signature: 1 where none is given.",
    ),
    slip(
        "decay_residual",
        "time_for_amount",
        "rate * u",
        "rate * t",
        "is_the_slope_plus_rate_times_u",
        "What decays is in proportion to the amount u that is left, not to the time t.",
    ),
    slip(
        "decay_residual",
        "slope_alone",
        " + rate * u",
        "",
        "is_the_slope_plus_rate_times_u",
        "Only the slope is here. The residual is both sides of the equation brought together.",
    ),
    slip(
        "decay_residual",
        "squared",
        "return derivative(u, t) + rate * u",
        "return (derivative(u, t) + rate * u) ** 2",
        "is_the_slope_plus_rate_times_u",
        SQUARED,
    ),
    slip(
        "decay_residual",
        "averaged",
        "return derivative(u, t) + rate * u",
        "return torch.mean((derivative(u, t) + rate * u) ** 2)",
        "is_the_slope_plus_rate_times_u",
        AVERAGED,
    ),
    slip(
        "decay_residual",
        "u_detached",
        "rate * u",
        "rate * u.detach()",
        "trains_the_model",
        "The value is right, but u is cut off from its graph in one of the terms: the optimiser "
        "would see only half of the residual.",
    ),
    slip(
        "decay_residual",
        "freed_graph",
        "derivative(u, t)",
        "torch.autograd.grad(u.sum(), t)[0]",
        "trains_the_model",
        "torch.autograd.grad without create_graph=True frees the graph and gives a slope without "
        "one: no loss can be differentiated through it.",
    ),
    slip(
        "decay_residual",
        "differences_of_fourth_order",
        "derivative(u, t)",
        "(8 * (model(t + 0.01) - model(t - 0.01)) - model(t + 0.02) + model(t - 0.02)) / 0.12",
        "is_exact",
        SMALL_STEPS,
    ),
    slip(
        "decay_residual",
        "central_differences",
        "derivative(u, t)",
        "(model(t + 1e-4) - model(t - 1e-4)) / 2e-4",
        "trains_a_network",
        SMALL_STEPS,
    ),
    slip(
        "decay_residual",
        "without_its_sign",
        "return derivative(u, t) + rate * u",
        "return (derivative(u, t) + rate * u).abs()",
        "is_the_slope_plus_rate_times_u",
        "The sizes come back. The residual itself is wanted, with its sign; total_loss squares.",
        keeps=0.5,
    ),
    slip(
        "decay_residual",
        "slope_without_graph",
        "derivative(u, t)",
        "torch.autograd.grad(u.sum(), t, retain_graph=True)[0]",
        "trains_the_model",
        "The slope has no graph (create_graph is missing): the optimiser would not see how the "
        "slope depends on the parameters.",
    ),
]


@mistake("decay_residual", caught_by="leaves_nothing_behind", hint=BACKWARD)
def decay_through_backward():
    def decay_residual(model, t, rate=1.0):
        u = model(t)
        u.sum().backward(create_graph=True)
        return t.grad + rate * u


# ------------------------------------------------------------------ oscillator_residual

oscillator_residual_slips = [
    slip(
        "oscillator_residual",
        "column_lost",
        "return derivative(x, t, order=2) + omega**2 * x",
        "return (derivative(x, t, order=2) + omega**2 * x).squeeze(-1)",
        "is_acceleration_plus_omega_squared_x",
        COLUMN,
    ),
    slip(
        "oscillator_residual",
        "first_derivative",
        "order=2",
        "order=1",
        "is_acceleration_plus_omega_squared_x",
        "This is the velocity. The equation of motion has the acceleration, the second derivative.",
    ),
    slip(
        "oscillator_residual",
        "third_derivative",
        "order=2",
        "order=3",
        "is_acceleration_plus_omega_squared_x",
        "One derivative too many: the acceleration is the second.",
    ),
    slip(
        "oscillator_residual",
        "velocity_squared",
        "derivative(x, t, order=2)",
        "derivative(x, t) ** 2",
        "is_acceleration_plus_omega_squared_x",
        "This is the square of the velocity. The acceleration is the second derivative.",
    ),
    slip(
        "oscillator_residual",
        "omega_not_squared",
        "omega**2",
        "omega",
        "takes_any_frequency",
        "ω stands squared in the equation: twice the frequency needs four times the force.",
    ),
    slip(
        "oscillator_residual",
        "twice_omega",
        "omega**2",
        "omega * 2",
        "takes_any_frequency",
        "ω is doubled where it should be squared.",
    ),
    slip(
        "oscillator_residual",
        "everything_squared",
        "omega**2 * x",
        "(omega * x) ** 2",
        "is_acceleration_plus_omega_squared_x",
        "x is squared together with ω. Only ω is: the force is linear in x.",
    ),
    slip(
        "oscillator_residual",
        "position_detached",
        "omega**2 * x",
        "omega**2 * x.detach()",
        "trains_the_model",
        "The value is right, but x is cut off from its graph in the second term: the optimiser "
        "would see only the acceleration.",
        keeps=0.5,
    ),
    slip(
        "oscillator_residual",
        "exponential",
        "+ omega**2",
        "- omega**2",
        "tells_right_from_wrong_frequency",
        "With this sign the force pushes away from the middle and x grows like exp(ωt). Bring "
        "x″ = −ω² x to one side and watch the sign.",
    ),
    slip(
        "oscillator_residual",
        "opposite_sign",
        "return derivative(x, t, order=2) + omega**2 * x",
        "return -derivative(x, t, order=2) - omega**2 * x",
        "is_acceleration_plus_omega_squared_x",
        OPPOSITE,
    ),
    slip(
        "oscillator_residual",
        "omega_of_2",
        "omega**2",
        "2.0**2",
        "takes_any_frequency",
        "omega is an argument, but the residual does not depend on it.",
    ),
    slip(
        "oscillator_residual",
        "squared",
        "return derivative(x, t, order=2) + omega**2 * x",
        "return (derivative(x, t, order=2) + omega**2 * x) ** 2",
        "is_acceleration_plus_omega_squared_x",
        SQUARED,
    ),
    slip(
        "oscillator_residual",
        "averaged",
        "return derivative(x, t, order=2) + omega**2 * x",
        "return torch.mean((derivative(x, t, order=2) + omega**2 * x) ** 2)",
        "is_acceleration_plus_omega_squared_x",
        AVERAGED,
    ),
    slip(
        "oscillator_residual",
        "differences_of_fourth_order",
        "derivative(x, t, order=2)",
        "(16 * (model(t + 0.02) + model(t - 0.02)) - model(t + 0.04) - model(t - 0.04) - 30 * x) "
        "/ 0.0048",
        "is_exact",
        SMALL_STEPS,
    ),
    slip(
        "oscillator_residual",
        "central_differences",
        "derivative(x, t, order=2)",
        "(model(t + 1e-3) - 2 * x + model(t - 1e-3)) / 1e-6",
        "trains_a_network",
        SMALL_STEPS,
    ),
    slip(
        "oscillator_residual",
        "acceleration_detached",
        "derivative(x, t, order=2)",
        "derivative(x, t, order=2).detach()",
        "trains_the_model",
        "The value is right, but the acceleration is cut off from its graph: the optimiser would "
        "see only ω² x and shrink it to zero.",
    ),
]


@mistake("oscillator_residual", caught_by="leaves_nothing_behind", hint=BACKWARD)
def oscillator_through_backward():
    def oscillator_residual(model, t, omega):
        x = model(t)
        velocity = derivative(x, t)
        velocity.sum().backward(create_graph=True)
        return t.grad + omega**2 * x


# ------------------------------------------------------------------------ heat_residual

_HEAT = "return derivative(u, t) - alpha * derivative(u, x, order=2)"

heat_residual_slips = [
    slip(
        "heat_residual",
        "column_lost",
        "return derivative(u, t) - alpha * derivative(u, x, order=2)",
        "return (derivative(u, t) - alpha * derivative(u, x, order=2)).squeeze(-1)",
        "is_u_t_minus_alpha_u_xx",
        COLUMN,
    ),
    slip(
        "heat_residual",
        "sign_of_diffusion",
        "- alpha",
        "+ alpha",
        "tells_right_from_wrong_cooling",
        "With this sign heat flows from cold to warm. Bring u_t = α u_xx to one side and watch "
        "the sign.",
    ),
    slip("heat_residual", "opposite_sign", _HEAT,
        "return alpha * derivative(u, x, order=2) - derivative(u, t)",
        "is_u_t_minus_alpha_u_xx", OPPOSITE),
    slip(
        "heat_residual",
        "slope_for_curvature",
        "derivative(u, x, order=2)",
        "derivative(u, x)",
        "is_u_t_minus_alpha_u_xx",
        "Heat follows the curvature u_xx, the second derivative. This is the slope u_x, which "
        "would carry the profile along instead of smoothing it.",
    ),
    slip(
        "heat_residual",
        "slope_squared",
        "derivative(u, x, order=2)",
        "derivative(u, x) ** 2",
        "is_u_t_minus_alpha_u_xx",
        "This is the square of the slope. u_xx is the second derivative.",
    ),
    slip(
        "heat_residual",
        "wave_equation",
        "derivative(u, t) -",
        "derivative(u, t, order=2) -",
        "is_u_t_minus_alpha_u_xx",
        "With u_tt this is the equation of waves. Heat has the first derivative in time.",
    ),
    slip(
        "heat_residual",
        "variables_exchanged",
        _HEAT,
        "return derivative(u, x) - alpha * derivative(u, t, order=2)",
        "is_u_t_minus_alpha_u_xx",
        "Space and time are exchanged: the first derivative is that in time, the second that in "
        "space.",
    ),
    slip(
        "heat_residual",
        "columns_exchanged",
        "u = model(x, t)\n",
        "u = model(t, x)\n",
        "is_u_t_minus_alpha_u_xx",
        "The model is called with its columns exchanged: it takes x first, then t.",
    ),
    slip(
        "heat_residual",
        "mixed_derivative",
        "derivative(u, x, order=2)",
        "derivative(derivative(u, x), t)",
        "is_u_t_minus_alpha_u_xx",
        "This is the mixed derivative u_xt. u_xx is differentiated twice in x.",
    ),
    slip(
        "heat_residual",
        "alpha_on_the_other_term",
        _HEAT,
        "return alpha * derivative(u, t) - derivative(u, x, order=2)",
        "holds_for_any_alpha",
        "α multiplies the wrong term: it belongs to u_xx.",
    ),
    slip(
        "heat_residual",
        "alpha_squared",
        "- alpha *",
        "- alpha**2 *",
        "holds_for_any_alpha",
        "α stands squared. That is how a wave's speed enters; the diffusivity enters as it is.",
    ),
    slip(
        "heat_residual",
        "alpha_ignored",
        "- alpha *",
        "-",
        "holds_for_any_alpha",
        "alpha is an argument, but the residual does not depend on it.",
    ),
    slip(
        "heat_residual",
        "alpha_of_0_1",
        "- alpha *",
        "- 0.1 *",
        "holds_for_any_alpha",
        "The residual does not use its argument alpha but a number of its own.",
    ),
    slip("heat_residual", "squared", _HEAT,
        "return (derivative(u, t) - alpha * derivative(u, x, order=2)) ** 2",
        "is_u_t_minus_alpha_u_xx", SQUARED),
    slip("heat_residual", "averaged", _HEAT,
        "return torch.mean((derivative(u, t) - alpha * derivative(u, x, order=2)) ** 2)",
        "is_u_t_minus_alpha_u_xx", AVERAGED),
    slip(
        "heat_residual",
        "differences_of_fourth_order",
        "derivative(u, t)",
        "(8 * (model(x, t + 0.01) - model(x, t - 0.01)) - model(x, t + 0.02) + model(x, t - 0.02)) "
        "/ 0.12",
        "is_exact",
        SMALL_STEPS,
    ),
    slip(
        "heat_residual",
        "central_differences",
        "derivative(u, x, order=2)",
        "(model(x + 1e-3, t) - 2 * u + model(x - 1e-3, t)) / 1e-6",
        "trains_a_network",
        SMALL_STEPS,
    ),
    slip(
        "heat_residual",
        "curvature_detached",
        "derivative(u, x, order=2)",
        "derivative(u, x, order=2).detach()",
        "trains_the_model",
        "The value is right, but u_xx is cut off from its graph: the optimiser would see only "
        "u_t.",
    ),
]  # fmt: skip


@mistake("heat_residual", caught_by="leaves_nothing_behind", hint=BACKWARD)
def heat_through_backward():
    def heat_residual(model, x, t, alpha):
        u = model(x, t)
        u.sum().backward(create_graph=True, inputs=[t])
        return t.grad - alpha * derivative(u, x, order=2)


# --------------------------------------------------------------------- condition_losses

LOST = (
    "A plain number comes back, or a tensor without a graph. The optimiser has to see how the "
    "condition depends on the parameters, so nothing may be taken out with item() or detach()."
)

_LEFT = "    left = model(torch.zeros_like(t_boundary), t_boundary)\n"
_RIGHT = "    right = model(torch.ones_like(t_boundary), t_boundary)\n"
_ENDS = "return initial + torch.mean(left**2) + torch.mean(right**2)"
_START = "    start = model(x_initial, torch.zeros_like(x_initial))\n"
_INITIAL = "torch.mean((start - torch.sin(math.pi * x_initial)) ** 2)"

condition_losses_slips = [
    slip(
        "condition_losses",
        "differences_of_fourth_order",
        "derivative(x, start)",
        "(8 * (model(start + 0.01) - model(start - 0.01)) - model(start + 0.02) "
        "+ model(start - 0.02)) / 0.12",
        "oscillator_is_exact",
        SMALL_STEPS,
    ),
    slip(
        "condition_losses",
        "decay_to_zero",
        "torch.mean((model(start) - 1) ** 2)",
        "torch.mean(model(start) ** 2)",
        "decay_asks_for_u_1",
        "This asks for u(0) = 0. The decay starts at 1.",
    ),
    slip(
        "condition_losses",
        "decay_at_a_number",
        "torch.zeros(1, 1)\n    return torch.mean((model(start)",
        "torch.tensor(0.0)\n    return torch.mean((model(start)",
        "take_a_network",
        "The model is called with a single number. A network takes columns (N, 1): the start is a "
        "column with one row.",
    ),
    slip(
        "condition_losses",
        "decay_not_squared",
        "torch.mean((model(start) - 1) ** 2)",
        "torch.mean(model(start) - 1)",
        "decay_asks_for_u_1",
        "The difference is not squared: such a loss has no least value, it goes to −∞.",
    ),
    slip(
        "condition_losses",
        "decay_size",
        "torch.mean((model(start) - 1) ** 2)",
        "torch.mean(torch.abs(model(start) - 1))",
        "decay_asks_for_u_1",
        "This is the size of the difference. Its square is asked for.",
    ),
    slip(
        "condition_losses",
        "decay_at_time_1",
        "start = torch.zeros(1, 1)\n",
        "start = torch.ones(1, 1)\n",
        "decay_asks_for_u_1",
        "The condition is asked for at t = 1. It belongs to the start, t = 0.",
    ),
    slip(
        "condition_losses",
        "decay_without_graph",
        "torch.mean((model(start) - 1) ** 2)",
        "torch.tensor((model(start).item() - 1) ** 2)",
        "train_the_model",
        LOST,
    ),
    slip(
        "condition_losses",
        "speed_forgotten",
        " + torch.mean(derivative(x, start) ** 2)",
        "",
        "oscillator_asks_for_x_1_at_rest",
        "Only the position is asked for. A motion of second order needs its speed as well: "
        "x′(0) = 0.",
    ),
    slip(
        "condition_losses",
        "position_forgotten",
        "torch.mean((x - 1) ** 2) + ",
        "",
        "oscillator_asks_for_x_1_at_rest",
        "Only the speed is asked for. The position at the start belongs to the condition too: "
        "x(0) = 1.",
    ),
    slip(
        "condition_losses",
        "speed_of_1",
        "derivative(x, start) ** 2",
        "(derivative(x, start) - 1) ** 2",
        "oscillator_asks_for_x_1_at_rest",
        "This asks for x′(0) = 1. The oscillator starts at rest.",
    ),
    slip(
        "condition_losses",
        "speed_not_squared",
        "derivative(x, start) ** 2",
        "derivative(x, start)",
        "oscillator_asks_for_x_1_at_rest",
        "The speed is not squared: such a loss rewards a negative speed.",
    ),
    slip(
        "condition_losses",
        "acceleration_for_speed",
        "derivative(x, start) ** 2",
        "derivative(x, start, order=2) ** 2",
        "oscillator_asks_for_x_1_at_rest",
        "This is the acceleration. The condition is on the speed, the first derivative.",
    ),
    slip(
        "condition_losses",
        "square_of_the_sum",
        "torch.mean((x - 1) ** 2) + torch.mean(derivative(x, start) ** 2)",
        "torch.mean((x - 1 + derivative(x, start)) ** 2)",
        "oscillator_asks_for_x_1_at_rest",
        "The two differences are added before they are squared, so that one can cancel the "
        "other. Square each, then add.",
    ),
    slip(
        "condition_losses",
        "speed_detached",
        "derivative(x, start) ** 2",
        "derivative(x, start).detach() ** 2",
        "train_the_model",
        LOST,
    ),
    slip(
        "condition_losses",
        "left_end_forgotten",
        " + torch.mean(left**2)",
        "",
        "heat_adds_start_and_both_ends",
        "The left end, x = 0, is missing.",
    ),
    slip(
        "condition_losses",
        "right_end_forgotten",
        " + torch.mean(right**2)",
        "",
        "heat_adds_start_and_both_ends",
        "The right end, x = 1, is missing.",
    ),
    slip(
        "condition_losses",
        "start_forgotten",
        "return initial + torch",
        "return torch",
        "heat_starts_as_a_sine",
        "The start is missing: at t = 0 the rod is sin πx.",
    ),
    slip(
        "condition_losses",
        "start_at_zero",
        "start - torch.sin(math.pi * x_initial)",
        "start",
        "heat_starts_as_a_sine",
        "This asks for a rod that starts at zero everywhere. It starts as sin πx.",
    ),
    slip(
        "condition_losses",
        "pi_forgotten",
        "torch.sin(math.pi * x_initial)",
        "torch.sin(x_initial)",
        "heat_starts_as_a_sine",
        "The factor π is missing: sin x does not come back to zero at x = 1.",
    ),
    slip(
        "condition_losses",
        "cosine",
        "torch.sin(math.pi",
        "torch.cos(math.pi",
        "heat_starts_as_a_sine",
        "A cosine is 1 and −1 at the ends. The rod starts as sin πx, zero at both.",
    ),
    slip(
        "condition_losses",
        "start_at_the_end_of_time",
        _START,
        "    start = model(x_initial, torch.ones_like(x_initial))\n",
        "heat_starts_as_a_sine",
        "The initial condition is asked for at t = 1. It belongs to t = 0.",
    ),
    slip(
        "condition_losses",
        "columns_exchanged",
        _START + _LEFT + _RIGHT,
        "    start = model(torch.zeros_like(x_initial), x_initial)\n"
        "    left = model(t_boundary, torch.zeros_like(t_boundary))\n"
        "    right = model(t_boundary, torch.ones_like(t_boundary))\n",
        "heat_starts_as_a_sine",
        "The model is called with its columns exchanged: it takes x first, then t.",
    ),
    slip(
        "condition_losses",
        "ends_in_a_single_row",
        _LEFT + _RIGHT,
        "    left = model(torch.zeros(1, 1), t_boundary)\n"
        "    right = model(torch.ones(1, 1), t_boundary)\n",
        "take_a_network_of_two_columns",
        "The columns handed to the model are not of one length: a network puts them side by "
        "side and stops. Every row needs its own position and its own time.",
    ),
    slip(
        "condition_losses",
        "ends_averaged",
        _ENDS,
        "return initial + torch.mean(torch.cat([left, right]) ** 2)",
        "heat_adds_start_and_both_ends",
        "The two ends share one mean, so that each counts only half. Each condition has weight "
        "one.",
    ),
    slip(
        "condition_losses",
        "ends_cancel",
        _ENDS,
        "return initial + torch.mean((left + right) ** 2)",
        "heat_adds_start_and_both_ends",
        "The ends are added before they are squared, so that +1 at one and −1 at the other would "
        "count as nothing.",
    ),
    slip(
        "condition_losses",
        "sums_for_means",
        _ENDS,
        "return (\n        initial * len(x_initial) + torch.sum(left**2) + torch.sum(right**2)\n"
        "    )",
        "heat_adds_start_and_both_ends",
        "These are sums over the points. Means are asked for: otherwise a condition with many "
        "points counts more than one with few.",
    ),
    slip(
        "condition_losses",
        "table_for_column",
        _INITIAL,
        "torch.mean((start - torch.sin(math.pi * x_initial).squeeze(-1)) ** 2)",
        "heat_starts_as_a_sine",
        "A column (N, 1) minus a row of N numbers is a table N × N: every point is compared with "
        "every other one. Keep both as columns.",
    ),
    slip(
        "condition_losses",
        "heat_without_graph",
        _ENDS,
        "return (initial + torch.mean(left**2) + torch.mean(right**2)).detach()",
        "train_the_model",
        LOST,
    ),
    slip(
        "condition_losses",
        "backward_for_the_speed",
        "return torch.mean((x - 1) ** 2) + torch.mean(derivative(x, start) ** 2)",
        "x.backward(create_graph=True)\n"
        "    return torch.mean((x - 1) ** 2) + torch.mean(start.grad**2)",
        "leave_nothing_behind",
        "backward() fills the gradients of the model's parameters, and the loss's own gradient "
        "is added to them later. derivative leaves them alone.",
    ),
]

# --------------------------------------------------------------------------- total_loss

_TERM = "loss = loss + weight * condition"

total_loss_slips = [
    slip(
        "total_loss",
        "sum_over_the_points",
        "torch.mean(residual**2)",
        "torch.sum(residual**2)",
        "takes_the_mean_over_the_points",
        "This is the sum over the points. The mean does not change when there are more of them.",
    ),
    slip(
        "total_loss",
        "residual_not_squared",
        "torch.mean(residual**2)",
        "torch.mean(residual)",
        "takes_the_mean_over_the_points",
        "The residual is not squared: positive and negative ones cancel, and the loss has no "
        "least value.",
    ),
    slip(
        "total_loss",
        "square_of_the_mean",
        "torch.mean(residual**2)",
        "torch.mean(residual) ** 2",
        "takes_the_mean_over_the_points",
        "The mean is squared instead of the residuals: positive and negative ones cancel first.",
    ),
    slip(
        "total_loss",
        "sizes_for_squares",
        "torch.mean(residual**2)",
        "torch.mean(torch.abs(residual))",
        "takes_the_mean_over_the_points",
        "This is the mean size of the residual. Its mean square is asked for.",
    ),
    slip(
        "total_loss",
        "root",
        "torch.mean(residual**2)",
        "torch.sqrt(torch.mean(residual**2))",
        "takes_the_mean_over_the_points",
        "This is the root of the mean square; the mean square itself is asked for.",
    ),
    slip(
        "total_loss",
        "weights_ignored",
        "weight * condition",
        "condition",
        "is_the_mean_square_plus_the_weighted_conditions",
        "The weights have no effect.",
    ),
    slip(
        "total_loss",
        "conditions_squared",
        "weight * condition",
        "weight * condition**2",
        "is_the_mean_square_plus_the_weighted_conditions",
        "The condition losses are squares already; they are not squared again.",
    ),
    slip(
        "total_loss",
        "weights_squared",
        "weight * condition",
        "(weight**2) * condition",
        "is_the_mean_square_plus_the_weighted_conditions",
        "The weights are squared; they multiply the conditions as they are.",
    ),
    slip(
        "total_loss",
        "weights_reversed",
        "zip(weights, condition_losses,",
        "zip(reversed(weights), condition_losses,",
        "is_the_mean_square_plus_the_weighted_conditions",
        "The weights go to the wrong conditions: the first belongs to the first.",
    ),
    slip(
        "total_loss",
        "first_condition_only",
        _TERM,
        _TERM + "\n        break",
        "is_the_mean_square_plus_the_weighted_conditions",
        "Only the first condition counts. Every one does, with its own weight.",
    ),
    slip(
        "total_loss",
        "last_condition_only",
        _TERM,
        "loss = torch.mean(residual**2) + weight * condition",
        "is_the_mean_square_plus_the_weighted_conditions",
        "Only the last condition is left: each new one replaces the one before.",
    ),
    slip(
        "total_loss",
        "residual_forgotten",
        "loss = torch.mean(residual**2)",
        "loss = 0 * torch.mean(residual)",
        "takes_the_mean_over_the_points",
        "The residual is missing: without it nothing knows the equation.",
    ),
    slip(
        "total_loss",
        "averaged_over_conditions",
        "    return loss\n",
        "    return loss / (1 + len(weights))\n",
        "is_the_mean_square_plus_the_weighted_conditions",
        "The sum is divided by the number of terms. It is a plain weighted sum.",
    ),
    slip(
        "total_loss",
        "graph_of_the_conditions_lost",
        "weight * condition",
        "weight * condition.item()",
        "can_be_differentiated",
        "The conditions count in the value but not in the gradient: they have lost their "
        "graph (item(), float and detach take it away), and the optimiser ignores them.",
    ),
    slip(
        "total_loss",
        "graph_lost",
        "    return loss\n",
        "    return loss.detach()\n",
        "can_be_differentiated",
        "The loss has no graph any more: nothing can be trained with it.",
    ),
    slip(
        "total_loss",
        "list_overwritten",
        "    loss = torch.mean(residual**2)\n",
        "    for k, weight in enumerate(weights):\n"
        "        condition_losses[k] = weight * condition_losses[k]\n"
        "    weights = [1.0] * len(weights)\n"
        "    loss = torch.mean(residual**2)\n",
        "leaves_its_arguments_unchanged",
        "The caller's list of conditions is overwritten with the weighted ones, so that a second "
        "call weighs them twice.",
    ),
    slip(
        "total_loss",
        "weighed_in_place",
        "    loss = torch.mean(residual**2)\n",
        "    for weight, condition in zip(weights, condition_losses):\n"
        "        condition *= weight\n"
        "    weights = [1.0] * len(weights)\n"
        "    loss = torch.mean(residual**2)\n",
        "leaves_its_arguments_unchanged",
        "`*=` writes the weighted losses into the caller's conditions. weight * condition makes "
        "something new.",
        keeps=0.5,
    ),
    slip(
        "total_loss",
        "in_place",
        "torch.mean(residual**2)",
        "residual.detach().pow_(2).mean() if not residual.requires_grad else torch.mean("
        "residual**2)",
        "leaves_its_arguments_unchanged",
        "The caller's residual has other values after the call: methods whose names end in _, "
        "and `*=` and its kind, write into a tensor.",
    ),
]


@mistake(
    "total_loss",
    caught_by="needs_no_conditions",
    hint="Without any condition there is nothing to stack. A model with its conditions built in "
    "has none: the loss is then the residual's mean square alone.",
)
def stops_without_conditions():
    def total_loss(residual, condition_losses, weights):
        terms = torch.stack([w * c for w, c in zip(weights, condition_losses, strict=True)])
        return torch.mean(residual**2) + terms.sum()


# ------------------------------------------------------------------- collocation_points

_RAND = "torch.rand(n, len(bounds), generator=generator)"
_SCALED = f"low + (high - low) * {_RAND}"

collocation_points_slips = [
    slip(
        "collocation_points",
        "width_forgotten",
        "(high - low) *",
        "high *",
        "lie_inside_the_box",
        "From low to high is a distance of high − low. Multiplied by high alone the points leave "
        "the box.",
    ),
    slip(
        "collocation_points",
        "unit_box",
        _SCALED,
        _RAND,
        "lie_inside_the_box",
        "The bounds have no effect: all points lie between 0 and 1.",
    ),
    slip(
        "collocation_points",
        "starts_at_zero",
        "low + (high - low) *",
        "(high - low) *",
        "lie_inside_the_box",
        "The width is right, but every interval starts at 0 instead of low.",
    ),
    slip(
        "collocation_points",
        "normal",
        _RAND,
        "torch.randn(n, len(bounds), generator=generator)",
        "lie_inside_the_box",
        "The numbers come from a normal distribution, which has no bounds. Uniform ones are "
        "asked for.",
    ),
    slip(
        "collocation_points",
        "normal_cut_off",
        _RAND,
        "(0.5 + 0.2 * torch.randn(n, len(bounds), generator=generator)).clamp(0, 1)",
        "fill_every_interval",
        "The points crowd in the middle of the box. Equal parts of it should get equal "
        "numbers of points.",
    ),
    slip(
        "collocation_points",
        "crowded_at_low",
        _RAND,
        f"{_RAND} ** 2",
        "fill_every_interval",
        "The points crowd at the lower bounds: they are not uniform.",
    ),
    slip(
        "collocation_points",
        "on_the_diagonal",
        _RAND,
        "torch.rand(n, 1, generator=generator)",
        "fill_the_box",
        "All variables share one random number, so that the points lie on the box's diagonal. "
        "Each variable needs its own.",
    ),
    slip(
        "collocation_points",
        "first_bounds_for_all",
        _SCALED,
        f"low[0] + (high[0] - low[0]) * {_RAND}",
        "lie_inside_the_box",
        "The first variable's bounds are used for all. Each has its own.",
    ),
    slip(
        "collocation_points",
        "transposed",
        "return points.requires_grad_()",
        "return points.T.clone().requires_grad_()",
        "lie_inside_the_box",
        "Variables go down and points across. One row for each point is asked for, (n, d).",
    ),
    slip(
        "collocation_points",
        "global_generator",
        ", generator=generator)",
        ")",
        "draw_from_the_generator_alone",
        "The numbers come from torch's global state. All of them should come from generator, so "
        "that a seed gives the same points again.",
    ),
    slip(
        "collocation_points",
        "seed_of_its_own",
        "generator=generator)",
        "generator=torch.Generator().manual_seed(0))",
        "draw_from_the_generator_alone",
        "A generator of the function's own, with a fixed seed, gives the same points every time. "
        "The numbers should come from generator.",
    ),
    slip(
        "collocation_points",
        "no_gradients",
        "return points.requires_grad_()",
        "return points",
        "can_be_differentiated_with_respect_to",
        "The points do not require gradients, so that nothing can be differentiated with respect "
        "to them.",
    ),
    slip(
        "collocation_points",
        "around_the_middle",
        "low + (high - low) * torch.rand(n, len(bounds), generator=generator)",
        "torch.randn(n, len(bounds), generator=generator)\n"
        "    points = ((low + high) / 2 + (high - low) / 6 * points).clamp(low, high)",
        "fill_the_box",
        "Normal numbers crowd around the middle of the box. Uniform ones (torch.rand) fill it.",
        keeps=0.5,
    ),
    slip(
        "collocation_points",
        "each_twice",
        _RAND,
        "torch.rand((n + 1) // 2, len(bounds), generator=generator).repeat(2, 1)[:n]",
        "can_be_differentiated_with_respect_to",
        "Half of the points are drawn, and each of them stands there twice. The second time the "
        "equation is asked for at the same place tells nothing new: draw all n.",
    ),
    slip(
        "collocation_points",
        "on_hundredths",
        _RAND,
        "torch.randint(101, (n, len(bounds)), generator=generator) / 100",
        "can_be_differentiated_with_respect_to",
        "The points lie on a grid of hundredths, where two of them meet at the same place. "
        "Uniform numbers (torch.rand) have no grid.",
    ),
    slip(
        "collocation_points",
        "not_a_leaf",
        f"{_SCALED}\n    return points.requires_grad_()",
        f"{_RAND}.requires_grad_()\n    return low + (high - low) * points",
        "can_be_differentiated_with_respect_to",
        "The points are computed from something that requires gradients already, and so are a "
        "result and no leaf. Ask for gradients once the points are finished.",
    ),
]


@mistake(
    "collocation_points",
    caught_by="fill_the_box",
    hint="Equal steps in every variable at once put all points on the box's diagonal.",
)
def equal_steps():
    def collocation_points(n, bounds, generator):
        columns = [torch.linspace(low, high, n) for low, high in bounds]
        return torch.stack(columns, dim=1).requires_grad_()


# ------------------------------------------------------------------------------ centred

_SCALE = "(2 * column - low - high) / (high - low)"

centred_slips = [
    slip(
        "centred",
        "one_interval_for_all",
        "self.bounds = bounds",
        "Centred.bounds = bounds",
        "scales_every_variable_by_its_own_interval",
        "The bounds are kept in the class: the network that was made last gives its intervals to "
        "all others. Keep them in self.",
    ),
    slip(
        "centred",
        "copy_of_the_network",
        "        self.network = network\n",
        "        import copy\n\n        self.network = copy.deepcopy(network)\n",
        "keeps_the_graph",
        "The model holds a copy of the network: what trains the one leaves the other as it was. "
        "Keep the network that is handed over.",
        keeps=0.5,
    ),
    slip(
        "centred",
        "from_zero_to_one",
        _SCALE,
        "(column - low) / (high - low)",
        "knows_ends_and_middle",
        "This brings the interval to [0, 1]. It is to be [−1, 1], with the middle at 0.",
    ),
    slip(
        "centred",
        "clamped",
        _SCALE,
        "((2 * column - low - high) / (high - low)).clamp(-1, 1)",
        "goes_on_outside",
        "Outside the bounds every point is moved to the nearest end. The straight line goes on.",
    ),
    slip(
        "centred",
        "network_in_a_list",
        "        self.network = network\n",
        "        self.networks = [network]\n        self.__dict__['network'] = network\n",
        "has_the_parameters_of_its_network",
        "torch does not find the network's parameters: an optimiser of model.parameters() "
        "would have nothing to train. It looks at the module's attributes, and not into "
        "lists, dicts and functions.",
    ),
    slip(
        "centred",
        "bounds_trained",
        "        self.bounds = bounds\n",
        "        self.bounds = nn.Parameter(torch.tensor(bounds))\n",
        "has_the_parameters_of_its_network",
        "The bounds are parameters, so that an optimiser would move them. They are plain numbers.",
    ),
    slip(
        "centred",
        "half_as_wide",
        _SCALE,
        "(column - (low + high) / 2) / (high - low)",
        "knows_ends_and_middle",
        "Divided by the whole width the ends come to ±1/2. Half the width brings them to ±1.",
    ),
    slip(
        "centred",
        "only_scaled",
        _SCALE,
        "2 * column / (high - low)",
        "knows_ends_and_middle",
        "The width is right, but the interval is not moved: its middle has to come to 0.",
    ),
    slip(
        "centred",
        "only_moved",
        _SCALE,
        "column - (low + high) / 2",
        "knows_ends_and_middle",
        "The middle is at 0, but the interval is as wide as before: divide by half its width.",
    ),
    slip(
        "centred",
        "divided_by_high",
        _SCALE,
        "column / high",
        "knows_ends_and_middle",
        "Division by the upper end brings only that end to its place. Move the middle to 0 "
        "first, then divide by half the width.",
    ),
    slip(
        "centred",
        "reversed",
        _SCALE,
        "(low + high - 2 * column) / (high - low)",
        "brings_an_interval_to_minus_one_to_one",
        "The interval is turned round: low comes to +1 and high to −1.",
    ),
    slip(
        "centred",
        "not_scaled",
        _SCALE,
        "column",
        "brings_an_interval_to_minus_one_to_one",
        "The variables reach the network as they are.",
    ),
    slip(
        "centred",
        "first_bounds_for_all",
        _SCALE,
        "(2 * column - sum(self.bounds[0])) / (self.bounds[0][1] - self.bounds[0][0])",
        "scales_every_variable_by_its_own_interval",
        "The first variable's interval is used for all. Each has its own.",
    ),
    slip(
        "centred",
        "two_variables_at_most",
        "def forward(self, *columns: torch.Tensor) -> torch.Tensor:\n",
        "def forward(self, first: torch.Tensor, second: torch.Tensor | None = None):\n"
        "        columns = (first,) if second is None else (first, second)\n",
        "takes_as_many_variables_as_it_has_bounds",
        "There is room for two variables and no more. bounds says how many there are.",
    ),
    slip(
        "centred",
        "always_single_precision",
        ".to(precision)",
        ".float()",
        "takes_as_many_variables_as_it_has_bounds",
        "What the network gets is always float32: a network in double precision stops there.",
    ),
    slip(
        "centred",
        "variables_exchanged",
        "torch.cat(scaled, dim=1)",
        "torch.cat(scaled[::-1], dim=1)",
        "scales_every_variable_by_its_own_interval",
        "The variables reach the network in reversed order.",
    ),
    slip(
        "centred",
        "statistics_of_the_batch",
        _SCALE,
        "(column - column.mean()) / (column.std(unbiased=False) + 1e-9 * (high - low))",
        "brings_an_interval_to_minus_one_to_one",
        "Mean and deviation of the points at hand are used, so that the same point is scaled "
        "differently in another call. The bounds are what stays.",
    ),
    slip(
        "centred",
        "parameter_of_its_own",
        "        self.bounds = bounds\n",
        "        self.bounds = bounds\n        self.scale = nn.Parameter(torch.ones(1))\n",
        "has_the_parameters_of_its_network",
        "The model has a parameter of its own. Its parameters are those of the network, no others.",
        keeps=0.5,
    ),
    slip(
        "centred",
        "limits_of_the_batch",
        _SCALE,
        "2 * (column - column.min()) / (column.max() - column.min() + 1e-9) - 1",
        "brings_an_interval_to_minus_one_to_one",
        "The least and the largest of the points at hand are taken for the bounds, so that the "
        "same point is scaled differently in another call.",
        keeps=0.5,
    ),
    slip(
        "centred",
        "graph_lost",
        "torch.cat(scaled, dim=1)",
        "torch.cat(scaled, dim=1).detach()",
        "keeps_the_graph",
        "The scaled variables are cut off from the original ones: nothing can be differentiated "
        "with respect to x and t any more.",
    ),
    slip(
        "centred",
        "in_place",
        "        scaled = [\n",
        "        if len(columns) == 1 and not columns[0].requires_grad:\n"
        "            low, high = self.bounds[0]\n"
        "            scaled = columns[0].mul_(2 / (high - low)).sub_((low + high) / (high - low))\n"
        "            return self.network(scaled)\n"
        "        scaled = [\n",
        "leaves_its_columns_unchanged",
        "The caller's column has other values after the call: methods whose names end in _, "
        "and `*=` and its kind, write into a tensor.",
    ),
]

# -------------------------------------------------------------------------- train_decay

_DECAY = """\
def train_decay(*, epochs, generator, rate=1.0):
    torch.manual_seed(generator.initial_seed())
    model = nn.Sequential(
        nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    t = torch.linspace(0, 5, 100).reshape(-1, 1).requires_grad_()
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=min(epochs, 100), line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        residual = decay_residual(model, t, rate)
        loss = total_loss(residual, [decay_condition_loss(model)], [10.0])
        loss.backward()
        return loss

    optimiser.step(closure)
    return model.eval()
"""

decay = partial(variant, "train_decay", _DECAY)

GENERATOR = (
    "The network's first weights come from the global random state. generator should decide "
    "them, so that the same seed gives the same model."
)
MODE = (
    "The model comes back in training mode, in which dropout is at work, so that every call "
    "gives something else. Leave that mode when the training is over."
)
TWICE = "The optimiser makes two iterations for each that epochs allows."
NO_EPOCHS = "The number of iterations is written into the function, and epochs is not heeded."
TOO_SOON = "The training stops while the loss is still falling: use the iterations that are given."
MODEL = (
    "Values at the training points come back. The model is wanted, to be called with any column."
)
ZERO_GRAD = (
    "The gradients of earlier steps are never cleared and add up, so that a step follows all "
    "of them together. Each step needs the gradient of now alone."
)

_WITH_DROPOUT = """\
    class WithDropout(nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.dropout = model, nn.Dropout(0.1)

        def forward(self, *columns):
            return self.dropout(self.model(*columns))

    return WithDropout()
"""
NAMED = (
    "The {} is fixed inside. It is an argument, so that the same function can be asked for another "
    "motion: hand it on to the residual."
)
UNNAMED = "The {} is an argument of the function, with a default."
KNOWN = (
    "This is the known solution and not a network that has learnt it: it is as good after one "
    "epoch as after all of them, and would be of no use where no solution is known."
)
DATA = (
    "The network is fitted to values of the known solution. It should learn from the equation "
    "alone: the residual and the conditions make the loss."
)

train_decay_variants = [
    decay(
        "twice_the_iterations",
        "max_iter=min(epochs, 100)",
        "max_iter=2 * min(epochs, 50)",
        "keeps_to_its_epochs",
        TWICE,
        0.95,
    ),
    decay(
        "heeds_no_epochs",
        "max_iter=min(epochs, 100)",
        "max_iter=300",
        "keeps_to_its_epochs",
        NO_EPOCHS,
        0.95,
    ),
    decay(
        "training_mode",
        "    return model.eval()\n",
        _WITH_DROPOUT,
        "is_ready_for_use",
        MODE,
    ),
    decay(
        "no_condition",
        "[decay_condition_loss(model)], [10.0]",
        "[], []",
        "obeys_the_equation",
        "Without the condition u(0) = 1 the equation is content with u = 0. Built in or in the "
        "loss, the start has to be somewhere.",
    ),
    decay(
        "growth",
        "decay_residual(model, t, rate)",
        "decay_residual(model, t, -rate)",
        "decays",
        "With this sign of the rate u grows: it is that of u′ = + rate · u.",
    ),
    decay(
        "equation_forgotten",
        "loss = total_loss(residual, [decay_condition_loss(model)], [10.0])",
        "loss = total_loss(0 * residual, [decay_condition_loss(model)], [10.0])",
        "obeys_the_equation",
        "The residual is not in the loss: nothing but the start is learnt.",
    ),
    decay(
        "points_up_to_1",
        "linspace(0, 5, 100)",
        "linspace(0, 1, 100)",
        "decays",
        "The equation is asked for up to t = 1 only. Beyond its points the network knows nothing; "
        "the interval goes to 5.",
    ),
    decay("stops_too_soon", "min(epochs, 100)", "3", "decays", TOO_SOON),
    decay(
        "seed_of_its_own",
        "torch.manual_seed(generator.initial_seed())",
        "torch.manual_seed(42)",
        "repeats_itself",
        "The seed is always the same number, so that generator decides nothing. The first weights "
        "of the network should come from it.",
    ),
    decay(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        GENERATOR,
    ),
    decay(
        "values_returned",
        "    return model.eval()\n",
        "    return model(t).detach()\n",
        "returns_a_model_of_columns",
        MODEL,
    ),
    decay(
        "rate_of_1",
        "decay_residual(model, t, rate)",
        "decay_residual(model, t)",
        "decays",
        NAMED.format("rate"),
    ),
    decay(
        "no_argument",
        "generator, rate=1.0):\n",
        "generator):\n    rate = 1.0\n",
        "takes_the_rate",
        UNNAMED.format("rate"),
    ),
    decay(
        "fitted_to_the_solution",
        "residual = decay_residual(model, t, rate)\n"
        "        loss = total_loss(residual, [decay_condition_loss(model)], [10.0])",
        "loss = torch.mean((model(t) - torch.exp(-rate * t)) ** 2)",
        "decays",
        DATA,
    ),
    decay(
        "model_and_losses",
        "return model.eval()",
        "return model.eval(), [1.0, 0.1]",
        "returns_a_model_of_columns",
        "A tuple comes back. The model alone is wanted.",
    ),
    decay("gradients_pile_up", "        optimiser.zero_grad()\n", "", "decays", ZERO_GRAD),
]


@mistake("train_decay", caught_by="obeys_the_equation", hint=KNOWN)
def the_known_decay():
    def train_decay(*, epochs, generator, rate=1.0):
        class Decay(nn.Module):
            def __init__(self):
                super().__init__()
                self.rate = nn.Parameter(torch.tensor(rate))

            def forward(self, t):
                return torch.exp(-self.rate * t)

        model, t = Decay(), torch.linspace(0, 5, 20).reshape(-1, 1).requires_grad_()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
        total_loss(decay_residual(model, t, rate), [], []).backward()
        optimiser.step()
        return model


@mistake("train_decay", caught_by="decays", hint=KNOWN)
def beside_a_training_for_show():
    def train_decay(*, epochs, generator, rate=1.0):
        torch.manual_seed(generator.initial_seed())

        class Decay(nn.Module):
            def __init__(self):
                super().__init__()
                self.rate = nn.Parameter(torch.tensor([rate]))
                self.network = nn.Linear(1, 1)

            def forward(self, t):
                return torch.exp(-self.rate * t) + 1e-6 * self.network(t)

        model, t = Decay(), torch.linspace(0, 5, 20).reshape(-1, 1).requires_grad_()
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
        for _ in range(100):
            optimiser.zero_grad()
            total_loss(decay_residual(model, t, rate), [], []).backward()
            optimiser.step()
        return model


@mistake("train_decay", caught_by="decays", hint=KNOWN)
def with_a_weight_that_no_step_moves():
    def train_decay(*, epochs, generator, rate=1.0):
        class Decay(nn.Module):
            def __init__(self):
                super().__init__()
                self.size = nn.Parameter(torch.ones(1))

            def forward(self, t):
                return self.size * torch.exp(-rate * t)

        model, t = Decay(), torch.linspace(0, 5, 20).reshape(-1, 1).requires_grad_()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
        for _ in range(3):
            total_loss(decay_residual(model, t, rate), [], []).backward()
            optimiser.step()
        return model


# ---------------------------------------------------------------------- hard_constraint

_HARD = "1 + t**2 * self.network(t)"

hard_constraint_slips = [
    slip(
        "hard_constraint",
        "blind_to_the_slope",
        _HARD,
        "1 + t**2 * self.network(t.detach())",
        "trains_the_network",
        "The network gets a t that is cut from its graph: x is right, and x′ lacks the slope of "
        "the network.",
    ),
    slip(
        "hard_constraint",
        "factor_cut_from_t",
        _HARD,
        "1 + t.detach() ** 2 * self.network(t)",
        "trains_the_network",
        "The factor is made from a t that is cut from its graph: x is right, and x′ lacks the "
        "factor's slope.",
        keeps=0.5,
    ),
    slip(
        "hard_constraint",
        "first_power",
        _HARD,
        "1 + t * self.network(t)",
        "starts_at_rest",
        "x(0) = 1 is right, but with the factor t the speed at the start is N(0). The factor has "
        "to vanish there together with its slope.",
    ),
    slip(
        "hard_constraint",
        "one_forgotten",
        _HARD,
        "t**2 * self.network(t)",
        "begins_at_1",
        "At rest, but at 0: the motion starts at x(0) = 1.",
    ),
    slip(
        "hard_constraint",
        "sine_squared",
        _HARD,
        "1 + torch.sin(t) ** 2 * self.network(t)",
        "is_both_at_once",
        "sin² t is zero at t = 0, and again at π, 2π, …: there x is 1 with any network. The "
        "factor should vanish at the start alone.",
    ),
    slip(
        "hard_constraint",
        "one_minus_cosine_of_turns",
        _HARD,
        "1 + (1 - torch.cos(2 * math.pi * t)) * self.network(t)",
        "is_both_at_once",
        "1 − cos 2πt is zero at t = 0, and again at 1, 2, …: there x is 1, at rest, with any "
        "network. The factor should vanish at the start alone.",
    ),
    slip(
        "hard_constraint",
        "one_minus_cosine",
        _HARD,
        "1 + (1 - torch.cos(t)) * self.network(t)",
        "is_both_at_once",
        "1 − cos t is zero at t = 0, and again at 2π, 4π, …: there x is 1, at rest, with any "
        "network. The factor should vanish at the start alone.",
    ),
    slip(
        "hard_constraint",
        "network_asked_at_the_start_alone",
        _HARD,
        "1 + (1 - torch.cos(t)) * self.network(torch.zeros_like(t))",
        "is_both_at_once",
        "The network is asked at t = 0 alone, so that it can choose one number and no motion. It "
        "has to be asked at t.",
    ),
    slip(
        "hard_constraint",
        "network_hidden",
        "self.network = network",
        "self.network = lambda t: network(t)",
        "has_the_parameters_of_its_network",
        "torch does not find the network's parameters: an optimiser of model.parameters() "
        "would have nothing to train. It looks at the module's attributes, and not into "
        "lists, dicts and functions.",
    ),
    slip(
        "hard_constraint",
        "third_power",
        _HARD,
        "1 + t**3 * self.network(t)",
        "leaves_the_first_acceleration_free",
        "Position and speed are right, but with t³ the acceleration at the start is zero for any "
        "network, and the oscillator's is −ω². One power is too many.",
    ),
    slip(
        "hard_constraint",
        "power_just_below_two",
        _HARD,
        "1 + t.abs() ** 1.9 * self.network(t)",
        "leaves_the_first_acceleration_free",
        "With t to the power 1.9 position and speed are right, but x″ grows beyond all bounds "
        "near the start. Take t², or what is like it there.",
    ),
    slip(
        "hard_constraint",
        "power_of_one_and_a_half",
        _HARD,
        "1 + t.abs() ** 1.5 * self.network(t)",
        "leaves_the_first_acceleration_free",
        "With t to the power 1.5 position and speed are right, but x″ grows beyond all bounds "
        "towards t = 0. The smallest power that will do is the second.",
    ),
    slip(
        "hard_constraint",
        "time_added",
        _HARD,
        "1 + t + t**2 * self.network(t)",
        "starts_at_rest",
        "The term t gives a speed of 1 at the start. It should be at rest.",
    ),
    slip(
        "hard_constraint",
        "product",
        _HARD,
        "(1 + t**2) * self.network(t)",
        "begins_at_1",
        "With (1 + t²) as a factor the start is the network's, x(0) = N(0). The network has to be "
        "multiplied by something that vanishes at t = 0.",
    ),
    slip(
        "hard_constraint",
        "only_the_position_subtracted",
        _HARD,
        "1 + self.network(t) - self.network(torch.zeros_like(t))",
        "starts_at_rest",
        "Subtracting N(0) puts the start right, but not the speed, which is still N′(0).",
    ),
    slip(
        "hard_constraint",
        "the_network_itself",
        _HARD,
        "self.network(t)",
        "is_both_at_once",
        "This is the network as it is: nothing holds it at the start.",
    ),
    slip(
        "hard_constraint",
        "no_network",
        _HARD,
        "torch.cos(2 * t)",
        "is_both_at_once",
        "The network has no effect. What comes after the start is for it to learn.",
    ),
    slip(
        "hard_constraint",
        "graph_lost",
        _HARD,
        "1 + t**2 * self.network(t).detach()",
        "trains_the_network",
        "The network's output is cut off from its graph, so that its parameters cannot be trained.",
    ),
    slip(
        "hard_constraint",
        "never_below_one",
        _HARD,
        "1 + t**2 * torch.sigmoid(self.network(t))",
        "is_both_at_once",
        "A sigmoid lets only positive numbers through, so that x can never come below 1. The "
        "network's output comes in as it is.",
        keeps=0.5,
    ),
    slip(
        "hard_constraint",
        "never_above_one",
        _HARD,
        "1 - t**2 * self.network(t) ** 2",
        "is_both_at_once",
        "The square of the network can never be negative, so that x never rises above 1. Its "
        "output should come in as it is.",
    ),
    slip(
        "hard_constraint",
        "size_of_the_network",
        _HARD,
        "1 - t**2 * self.network(t).abs()",
        "is_both_at_once",
        "The network's size is never negative, so that x never rises above 1. Its output should "
        "come in with its sign.",
        keeps=0.5,
    ),
    slip(
        "hard_constraint",
        "exponential_of_the_network",
        _HARD,
        "torch.exp(t**2 * self.network(t))",
        "is_both_at_once",
        "An exponential is never negative: position and speed are right at the start, and the "
        "motion can never swing to the other side.",
        keeps=0.5,
    ),
    slip(
        "hard_constraint",
        "parameter_of_its_own",
        "        self.network = network\n",
        "        self.network = network\n        self.size = nn.Parameter(torch.ones(1))\n",
        "has_the_parameters_of_its_network",
        "The model has a parameter of its own. Its parameters are those of the network, no others.",
        keeps=0.5,
    ),
    slip(
        "hard_constraint",
        "soft_at_the_start",
        _HARD,
        "torch.where(t == 0, torch.ones_like(t), self.network(t))",
        "leaves_the_first_acceleration_free",
        "Only the one point t = 0 is replaced, and right after it the network goes its own way: "
        "x jumps. The motion has to leave 1 smoothly.",
    ),
]

# --------------------------------------------------------------------- train_oscillator

_OSCILLATOR = """\
def train_oscillator(*, epochs, generator, omega=2.0):
    end = 4 * math.pi / omega
    torch.manual_seed(generator.initial_seed())
    network = nn.Sequential(
        nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
    )
    model = Centred(network, [(0.0, end)])
    t = torch.linspace(0, end, 80).reshape(-1, 1).requires_grad_()
    optimiser = torch.optim.LBFGS(
        network.parameters(), max_iter=min(epochs, 250), line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        residual = oscillator_residual(model, t, omega)
        loss = total_loss(residual, [oscillator_condition_loss(model)], [5.0])
        loss.backward()
        return loss

    optimiser.step(closure)
    return model.eval()
"""

# Sines that are short enough learn in a third of the iterations. But of all motions that start at 1
# they find the one at rest by themselves.
_SINES = (
    _OSCILLATOR.replace("nn.Tanh()", "Sine()")
    .replace("min(epochs, 250)", "min(epochs, 80)")
    .replace(
        "    network =",
        "    class Sine(nn.Module):\n"
        "        def forward(self, s):\n"
        "            return torch.sin(3 * s)\n\n"
        "    network =",
    )
)

oscillator = partial(variant, "train_oscillator", _SINES)

train_oscillator_variants = [
    oscillator(
        "twice_the_iterations",
        "max_iter=min(epochs, 80)",
        "max_iter=2 * min(epochs, 40)",
        "keeps_to_its_epochs",
        TWICE,
        0.95,
    ),
    oscillator(
        "heeds_no_epochs",
        "max_iter=min(epochs, 80)",
        "max_iter=300",
        "keeps_to_its_epochs",
        NO_EPOCHS,
        0.95,
    ),
    oscillator(
        "training_mode",
        "    return model.eval()\n",
        _WITH_DROPOUT,
        "is_ready_for_use",
        MODE,
    ),
    oscillator(
        "no_conditions",
        "[oscillator_condition_loss(model)], [5.0]",
        "[], []",
        "starts_at_1_at_rest",
        "Without its conditions the equation is content with x = 0. Built in or in the loss, the "
        "start has to be somewhere.",
    ),
    variant(
        "train_oscillator",
        _OSCILLATOR,
        "at_rest_forgotten",
        "[oscillator_condition_loss(model)], [5.0]",
        "[decay_condition_loss(model)], [5.0]",
        "starts_at_1_at_rest",
        "Only x(0) = 1 is asked for. Without x′(0) = 0 any mixture of cosine and sine will do.",
    ),
    oscillator(
        "frequency_as_its_square",
        "oscillator_residual(model, t, omega)",
        "oscillator_residual(model, t, omega**2)",
        "oscillates",
        "ω is handed over squared, and oscillator_residual squares it again: the motion is ω "
        "times too fast.",
    ),
    oscillator(
        "relu",
        "nn.Linear(1, 32), Sine(), nn.Linear(32, 32), Sine(), nn.Linear(32, 1)",
        "nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)",
        "oscillates",
        "With ReLU the network is made of straight lines: its second derivative is zero "
        "everywhere, and the equation cannot be met. Take a smooth activation.",
    ),
    oscillator(
        "points_in_the_first_period",
        "linspace(0, end, 80)",
        "linspace(0, end / 2, 80)",
        "oscillates",
        "The equation is asked for in the first half of the interval only. Beyond its points the "
        "network knows nothing.",
    ),
    oscillator(
        "omega_of_2",
        "oscillator_residual(model, t, omega)",
        "oscillator_residual(model, t, 2.0)",
        "oscillates",
        NAMED.format("frequency"),
    ),
    oscillator(
        "no_argument",
        "generator, omega=2.0):\n",
        "generator):\n    omega = 2.0\n",
        "takes_omega",
        UNNAMED.format("frequency"),
    ),
    oscillator("stops_too_soon", "min(epochs, 80)", "8", "oscillates", TOO_SOON),
    oscillator(
        "seed_of_its_own",
        "torch.manual_seed(generator.initial_seed())",
        "torch.manual_seed(42)",
        "repeats_itself",
        "The seed is always the same number, so that generator decides nothing. The first weights "
        "of the network should come from it.",
    ),
    oscillator(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        GENERATOR,
    ),
]


@mistake("train_oscillator", caught_by="starts_at_1_at_rest", hint=KNOWN)
def the_known_motion():
    def train_oscillator(*, epochs, generator, omega=2.0):
        return lambda t: torch.cos(omega * t)


# --------------------------------------------------------------------------- last_layer

last_layer_slips = [
    slip(
        "last_layer",
        "weight_for_its_root",
        "        matrix.append(math.sqrt(weight) * row)\n"
        "        wanted.append(math.sqrt(weight) * rows.new_full((1, 1), value))\n",
        "        matrix.append(weight * row)\n"
        "        wanted.append(weight * rows.new_full((1, 1), value))\n",
        "weighs_the_conditions",
        "A row that is multiplied by the weight counts with its square: least squares squares "
        "every row, so that it takes the root.",
    ),
    slip(
        "last_layer",
        "value_without_its_weight",
        "wanted.append(math.sqrt(weight) * rows.new_full((1, 1), value))",
        "wanted.append(rows.new_full((1, 1), value))",
        "weighs_the_conditions",
        "The row of a condition is multiplied and what it should give is not: the condition then "
        "asks for another value. Both sides take the same factor.",
    ),
    slip(
        "last_layer",
        "weight_shared_out",
        "    for time, order, value in conditions:\n",
        "    weight /= len(conditions)\n    for time, order, value in conditions:\n",
        "weighs_the_conditions",
        "The weight is divided by the number of conditions. Every one of them has the whole.",
    ),
    slip(
        "last_layer",
        "not_weighted",
        "        matrix.append(math.sqrt(weight) * row)\n"
        "        wanted.append(math.sqrt(weight) * rows.new_full((1, 1), value))\n",
        "        matrix.append(row)\n        wanted.append(rows.new_full((1, 1), value))\n",
        "weighs_the_conditions",
        "The weight is not used: every condition counts as much as one point.",
    ),
    slip(
        "last_layer",
        "default_weight_ten",
        "weight: float = 1.0",
        "weight: float = 10.0",
        "needs_no_weight_to_be_told",
        "If nothing is said a condition weighs 1.",
    ),
    slip(
        "last_layer",
        "order_of_a_condition_lost",
        "row = of_order(t.new_full((1, 1), time), order)",
        "row = of_order(t.new_full((1, 1), time), 0)",
        "finds_the_solution",
        "Every condition is taken for one on u itself. A condition of order 1 is about the slope.",
    ),
    slip(
        "last_layer",
        "conditions_at_zero",
        "t.new_full((1, 1), time)",
        "t.new_full((1, 1), 0.0)",
        "weighs_the_conditions",
        "Conditions are asked for at t = 0, whatever their time.",
    ),
    slip(
        "last_layer",
        "coefficients_backwards",
        "enumerate(coefficients)",
        "enumerate(reversed(coefficients))",
        "makes_the_sum_of_squares_smallest",
        "The coefficients are read from the highest derivative down; c₀, the first, belongs to u.",
    ),
    slip(
        "last_layer",
        "mean_over_the_points",
        "torch.stack(terms).sum(dim=0)",
        "torch.stack(terms).sum(dim=0) / len(t) ** 0.5",
        "makes_the_sum_of_squares_smallest",
        "The squares of the equation are averaged over the points and not added up, so that the "
        "conditions weigh too much beside them.",
    ),
    slip(
        "last_layer",
        "second_order_at_most",
        "enumerate(coefficients)",
        "enumerate(coefficients[:3])",
        "takes_equations_of_any_order",
        "Only coefficients up to c₂ are used. There may be more of them.",
    ),
    slip(
        "last_layer",
        "normal_equations",
        'return torch.linalg.lstsq(torch.cat(matrix), torch.cat(wanted), driver="gelsd").solution',
        "A = torch.cat(matrix)\n    return torch.linalg.solve(A.T @ A, A.T @ torch.cat(wanted))",
        "takes_features_that_depend_on_each_other",
        "The normal equations square the condition number, and cannot be solved where features "
        "depend on each other. torch.linalg.lstsq works on the rows themselves.",
    ),
    slip(
        "last_layer",
        "driver_for_full_rank",
        'driver="gelsd"',
        'driver="gels"',
        "takes_features_that_depend_on_each_other",
        'The driver "gels" divides by what is left of a feature beside the others: zero, or '
        "rounding, where they depend on each other. It is made for features that do not; "
        "other drivers take both.",
    ),
    slip(
        "last_layer",
        "rounding_for_a_feature",
        'return torch.linalg.lstsq(torch.cat(matrix), torch.cat(wanted), driver="gelsd").solution',
        "from scipy.linalg import lstsq\n"
        "    return torch.from_numpy(lstsq(torch.cat(matrix), torch.cat(wanted))[0])",
        "takes_features_that_depend_on_each_other",
        "SciPy's lstsq takes singular values for zero only below the last digit of the largest "
        "one, and rounding leaves some above it: tell it, with cond=1e-10 for example.",
    ),
    slip(
        "last_layer",
        "with_its_graph",
        "[column.detach() for column in found]",
        "list(found)",
        "takes_the_hidden_layer_of_a_network",
        "The weights carry a graph back to the features, which are fixed: detach the rows.",
    ),
]


# --------------------------------------------------------------------------------- ftcs

_RATIO = "ratio = alpha * dt / dx**2"
_CHECK = "    if ratio > 0.5:\n"
_INNER = "now[1:-1] + ratio * (now[:-2] - 2 * now[1:-1] + now[2:])"

ftcs_slips = [
    slip(
        "ftcs",
        "dx_not_squared",
        _RATIO,
        "ratio = alpha * dt / dx",
        "takes_the_steps_of_the_scheme",
        "dx is not squared: a second derivative is divided by a length twice.",
    ),
    slip(
        "ftcs",
        "alpha_forgotten",
        _RATIO,
        "ratio = dt / dx**2",
        "takes_the_steps_of_the_scheme",
        "alpha has no effect.",
    ),
    slip(
        "ftcs",
        "sign_of_diffusion",
        "now[1:-1] + ratio",
        "now[1:-1] - ratio",
        "cools_a_wave_at_its_own_rate",
        "With this sign heat flows from cold to warm and ripples grow.",
    ),
    slip(
        "ftcs",
        "factor_2_lost",
        "- 2 * now[1:-1]",
        "- now[1:-1]",
        "takes_the_steps_of_the_scheme",
        "The point itself counts twice in the second difference: left − 2 own + right.",
    ),
    slip(
        "ftcs",
        "both_plus",
        "- 2 * now[1:-1]",
        "+ 2 * now[1:-1]",
        "takes_the_steps_of_the_scheme",
        "The second difference is left − 2 own + right; the middle term has the wrong sign.",
    ),
    slip(
        "ftcs",
        "left_neighbour_twice",
        "now[2:]",
        "now[:-2]",
        "takes_the_steps_of_the_scheme",
        "The left neighbour counts twice and the right one not at all.",
    ),
    slip(
        "ftcs",
        "step_for_wave",
        "now[:-2] - 2 * now[1:-1] + now[2:]",
        "now[2:] - now[:-2]",
        "cools_a_wave_at_its_own_rate",
        "right − left is the slope. Heat follows the curvature, left − 2 own + right.",
    ),
    slip(
        "ftcs",
        "half",
        "+ ratio *",
        "+ 0.5 * ratio *",
        "takes_the_steps_of_the_scheme",
        "The change is half of what it should be: the second difference is divided by dx² alone.",
    ),
    slip(
        "ftcs",
        "nothing_refused",
        "        raise ValueError(",
        "        print(",
        "refuses_steps_that_are_too_long",
        "Steps that are too long are not refused: above α dt/dx² = 1/2 raise ValueError.",
    ),
    slip(
        "ftcs",
        "limit_of_1",
        _CHECK,
        "    if ratio > 1:\n",
        "refuses_steps_that_are_too_long",
        "The limit is 1/2: beyond it the shortest ripple is multiplied by less than −1 in every "
        "step.",
    ),
    slip(
        "ftcs",
        "limit_refused",
        _CHECK,
        "    if ratio >= 0.5:\n",
        "refuses_steps_that_are_too_long",
        "α dt/dx² = 1/2 itself is still stable; only what is above is refused.",
    ),
    slip(
        "ftcs",
        "alpha_not_in_the_limit",
        _CHECK,
        "    if dt / dx**2 > 0.5:\n",
        "refuses_steps_that_are_too_long",
        "α is not in the limit: heat that spreads twice as fast needs steps half as long.",
    ),
    slip(
        "ftcs",
        "limit_for_a_wave",
        _CHECK,
        "    if alpha * dt / dx > 0.5:\n",
        "refuses_steps_that_are_too_long",
        "The limit is on α dt/dx², with the square: half the spacing needs a quarter of the step.",
    ),
    slip(
        "ftcs",
        "start_left_out",
        "    return u\n",
        "    return u[1:]\n",
        "takes_the_steps_of_the_scheme",
        "The start is missing: the first row is u0 itself.",
    ),
    slip(
        "ftcs",
        "last_row_only",
        "    return u\n",
        "    return u[-1]\n",
        "takes_the_steps_of_the_scheme",
        "Only the end comes back. Every step is wanted, one in each row.",
    ),
    slip(
        "ftcs",
        "one_step_too_few",
        "range(n_steps)",
        "range(n_steps - 1)",
        "takes_the_steps_of_the_scheme",
        "The last step is not taken: there are n_steps of them after the start.",
    ),
    slip(
        "ftcs",
        "ends_at_zero",
        "        now = u[step]\n",
        "        now = u[step]\n        u[step + 1, 0] = u[step + 1, -1] = 0\n",
        "keeps_the_ends",
        "The ends are set to zero. They keep the values of u0.",
    ),
    slip(
        "ftcs",
        "ends_insulated",
        f"u[step + 1, 1:-1] = {_INNER}",
        f"u[step + 1, 1:-1] = {_INNER}\n"
        "        u[step + 1, 0], u[step + 1, -1] = u[step + 1, 1], u[step + 1, -2]",
        "keeps_the_ends",
        "The ends follow their neighbours, as if no heat could leave. They keep the values of u0.",
    ),
]


@mistake(
    "ftcs",
    caught_by="keeps_the_ends",
    hint="The rod has become a ring, as torch.roll makes one: its two ends are neighbours. They "
    "keep the values of u0.",
)
def ring():
    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if ratio > 0.5:
            raise ValueError("unstable")
        rows = [u0.clone()]
        for _ in range(n_steps):
            u = rows[-1]
            rows.append(u + ratio * (torch.roll(u, 1) - 2 * u + torch.roll(u, -1)))
        return torch.stack(rows)


@mistake(
    "ftcs",
    caught_by="takes_the_steps_of_the_scheme",
    hint="Point by point in place, the left neighbour is already the new one when its right "
    "neighbour is computed. A step uses only values from before it.",
)
def new_values_used():
    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if ratio > 0.5:
            raise ValueError("unstable")
        u = u0.clone()
        rows = [u0.clone()]
        for _ in range(n_steps):
            for i in range(1, len(u) - 1):
                u[i] = u[i] + ratio * (u[i - 1] - 2 * u[i] + u[i + 1])
            rows.append(u.clone())
        return torch.stack(rows)


@mistake(
    "ftcs",
    caught_by="takes_the_steps_of_the_scheme",
    hint="The same tensor is put into the list again and again and changed afterwards, so that "
    "all rows are the last one. Store a copy.",
)
def rows_without_copies():
    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if ratio > 0.5:
            raise ValueError("unstable")
        u = u0.clone()
        rows = [u]
        for _ in range(n_steps):
            u[1:-1] += ratio * (u[:-2] - 2 * u[1:-1] + u[2:])
            rows.append(u)
        return torch.stack(rows)


@mistake(
    "ftcs",
    caught_by="leaves_u0_unchanged",
    hint="The caller's u0 is changed: `u = u0` gives it a second name, and writing into u writes "
    "into u0. Take a copy.",
)
def second_name():
    def ftcs(u0, alpha, dx, dt, n_steps):
        ratio = alpha * dt / dx**2
        if ratio > 0.5:
            raise ValueError("unstable")
        u = u0
        rows = [u.clone()]
        for _ in range(n_steps):
            u[1:-1] += ratio * (u[:-2] - 2 * u[1:-1] + u[2:])
            rows.append(u.clone())
        return torch.stack(rows)


@mistake(
    "ftcs",
    caught_by="converges_with_the_square_of_dx",
    hint="The distance of the points is taken for one over their number. dx is handed over; "
    "nothing has to be known about how long the rod is.",
)
def length_assumed():
    def ftcs(u0, alpha, dx, dt, n_steps):
        if alpha * dt / dx**2 > 0.5:
            raise ValueError("unstable")
        ratio = alpha * dt * len(u0) ** 2
        u = u0.repeat(n_steps + 1, 1)
        for n in range(n_steps):
            u[n + 1, 1:-1] = u[n, 1:-1] + ratio * (u[n, :-2] - 2 * u[n, 1:-1] + u[n, 2:])
        return u


# --------------------------------------------------------------------------- train_heat

_ROD = """\
def train_heat(*, epochs, generator, alpha=0.1):
    class Rod(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
            )

        def forward(self, x, t):
            return self.net(torch.cat([2 * x - 1, 2 * t - 1], dim=1))

    torch.manual_seed(generator.initial_seed())
    model = Rod()
    points = collocation_points(100, [(0.0, 1.0), (0.0, 1.0)], generator).detach()
    x, t = points[:, :1].clone().requires_grad_(), points[:, 1:].clone().requires_grad_()
    edge = torch.linspace(0, 1, 40).reshape(-1, 1)
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=min(epochs, 80), line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        residual = heat_residual(model, x, t, alpha)
        conditions = heat_condition_loss(model, edge, edge)
        loss = total_loss(residual, [conditions], [10.0])
        loss.backward()
        return loss

    optimiser.step(closure)
    return model.eval()
"""

rod = partial(variant, "train_heat", _ROD)

train_heat_variants = [
    rod(
        "twice_the_iterations",
        "max_iter=min(epochs, 80)",
        "max_iter=2 * min(epochs, 40)",
        "keeps_to_its_epochs",
        TWICE,
        0.95,
    ),
    rod(
        "heeds_no_epochs",
        "max_iter=min(epochs, 80)",
        "max_iter=300",
        "keeps_to_its_epochs",
        NO_EPOCHS,
        0.95,
    ),
    rod(
        "training_mode",
        "    return model.eval()\n",
        _WITH_DROPOUT,
        "is_ready_for_use",
        MODE,
    ),
    rod(
        "no_conditions",
        "[conditions], [10.0]",
        "[], []",
        "meets_the_conditions",
        "Without start and ends the equation is content with u = 0. Built in or in the loss, the "
        "conditions have to be somewhere.",
    ),
    rod(
        "ends_forgotten",
        "heat_condition_loss(model, edge, edge)",
        "torch.mean((model(edge, 0 * edge) - torch.sin(math.pi * edge)) ** 2)",
        "meets_the_conditions",
        "Only the start is asked for. Without its two ends at zero the rod may cool in many ways.",
    ),
    rod(
        "start_forgotten",
        "heat_condition_loss(model, edge, edge)",
        "torch.mean(model(0 * edge, edge) ** 2) + torch.mean(model(0 * edge + 1, edge) ** 2)",
        "meets_the_conditions",
        "Only the ends are asked for, and u = 0 meets them. The rod starts as sin πx.",
    ),
    rod(
        "alpha_of_1",
        "heat_residual(model, x, t, alpha)",
        "heat_residual(model, x, t, 1.0)",
        "cools_like_the_rod",
        "The rod cools with α = 1, whatever alpha says.",
    ),
    rod(
        "equation_forgotten",
        "total_loss(residual,",
        "total_loss(0 * residual,",
        "cools_like_the_rod",
        "The residual is not in the loss: start and ends are learnt, but nothing in between.",
    ),
    rod(
        "points_of_the_first_moment",
        "[(0.0, 1.0), (0.0, 1.0)]",
        "[(0.0, 1.0), (0.0, 0.1)]",
        "cools_like_the_rod",
        "The equation is asked for in the first tenth of the time only. Beyond its points the "
        "network knows nothing.",
    ),
    rod(
        "no_argument",
        "generator, alpha=0.1):\n",
        "generator):\n    alpha = 0.1\n",
        "takes_alpha",
        UNNAMED.format("diffusivity"),
    ),
    rod("stops_too_soon", "min(epochs, 80)", "5", "cools_like_the_rod", TOO_SOON),
    rod(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        GENERATOR,
    ),
]


@mistake("train_heat", caught_by="meets_the_conditions", hint=KNOWN)
def the_known_rod():
    def train_heat(*, epochs, generator, alpha=0.1):
        return lambda x, t: torch.sin(math.pi * x) * torch.exp(-alpha * math.pi**2 * t)
