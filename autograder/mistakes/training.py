"""Known wrong answers to training."""

from functools import partial

import numpy as np
import torch

from autograder.judging.answers import Bank, mistake

# What an exercise is about: an answer that fails one of these checks keeps at most half.
POINTS = {
    "derivative": {"is_exact"},
    "mlp": {
        "has_relu_neurons",
        "has_a_relu_after_the_first_hidden_layer",
        "has_a_relu_after_the_last_hidden_layer",
        "is_made_of_straight_pieces",
        "can_be_trained",
    },
    "minibatches": {
        "shuffles_rows_not_blocks",
        "gives_no_row_twice",
        "keeps_labels_with_their_rows",
    },
    "dropout": {"scales_what_it_keeps", "lets_the_gradient_through", "is_off_in_evaluation"},
    "l2_penalty": {"is_the_sum_of_squares_of_one_layer", "has_the_gradient_2_w"},
    "early_stopping": {"stops_after_patience_epochs", "restores_the_best_weights"},
    "augment": {"begins_with_the_originals"},
    "train": {"learns_a_sine", "moves_every_layer"},
}


bank = Bank(__name__, POINTS)
slip, variant = bank.slip, bank.variant


# --------------------------------------------------------------------------- derivative

_COPY = "    x = x.detach().clone().requires_grad_(True)\n"
_SLOPE = (
    "    (slope,) = torch.autograd.grad(f(x).sum(), x)  # elements do not mix: each keeps its own "
    "slope\n"
)

derivative_slips = [
    slip(
        "derivative",
        "single_row_squeezed",
        "    return slope",
        "    return slope.squeeze(0) if slope.ndim and len(slope) == 1 else slope",
        "is_the_slope_at_every_element",
        "Where x has a single row its axis is lost. The slope has the shape of x.",
    ),
    slip(
        "derivative",
        "always_float64",
        _COPY,
        "    x = x.detach().double().clone().requires_grad_(True)\n",
        "keeps_the_dtype",
        "The slope comes in float64, whatever x is: it is to have the dtype of x.",
    ),
    slip(
        "derivative",
        "requires_grad_on_the_callers_x",
        _COPY,
        "    x.requires_grad_(True)\n",
        "leaves_x_as_it_was",
        "x.requires_grad_() changes the caller's tensor for good. Work on a copy of x that "
        "belongs to you.",
    ),
    slip(
        "derivative",
        "backward_into_x",
        _COPY + _SLOPE,
        "    before = x.requires_grad\n    x.requires_grad_(True)\n    f(x).sum().backward()\n"
        "    slope = x.grad.clone()\n    x.requires_grad_(before)\n",
        "leaves_x_as_it_was",
        "backward() adds its result to x.grad of the caller's tensor, on top of whatever is there. "
        "Work on a copy of x that belongs to you.",
    ),
    slip(
        "derivative",
        "mean_for_sum",
        "f(x).sum()",
        "f(x).mean()",
        "is_the_slope_at_every_element",
        "Every slope is divided by the number of elements: take the gradient of the sum, not of "
        "the mean.",
    ),
    slip(
        "derivative",
        "single_numbers_only",
        "f(x).sum()",
        "f(x)",
        "is_the_slope_at_every_element",
        "It works for a single number but not for a batch: autograd starts from one number. Which "
        "one number of a batch has each element's slope as its gradient?",
    ),
    slip(
        "derivative",
        "one_number_for_all",
        "    return slope\n",
        "    return slope.sum()\n",
        "is_the_slope_at_every_element",
        "The slopes of all elements are added up. Each element has its own.",
    ),
    slip(
        "derivative",
        "times_the_number_of_elements",
        "    return slope\n",
        "    return slope * len(x.reshape(-1, 1))\n",
        "is_the_slope_at_every_element",
        "The slopes are multiplied by the number of elements. The gradient of the sum needs no "
        "further factor.",
    ),
]


@mistake(
    "derivative",
    caught_by="is_exact",
    keeps=0.5,
    hint="A difference of two nearly equal numbers loses digits. Autograd differentiates the "
    "formula itself and loses none.",
)
def differences():
    def derivative(f, x):
        h = 1e-4
        x = x.detach()
        return (f(x + h) - f(x - h)) / (2 * h)


@mistake(
    "derivative",
    caught_by="is_exact",
    keeps=0.5,
    hint="A difference of two nearly equal numbers loses digits in float64 too. Autograd "
    "differentiates the formula itself and loses none.",
)
def differences_in_float64():
    def derivative(f, x):
        h = 1e-5
        z = x.detach().double()
        return ((f(z + h) - f(z - h)) / (2 * h)).to(x.dtype)


@mistake(
    "derivative",
    caught_by="takes_a_single_number",
    hint="A single number has no axis to go along. x may have any shape, that of one number "
    "included.",
)
def needs_an_axis():
    def derivative(f, x):
        rows = []
        for row in x.detach():
            copy = row.clone().requires_grad_(True)
            rows.append(torch.autograd.grad(f(copy).sum(), copy)[0])
        return torch.stack(rows)


@mistake(
    "derivative",
    caught_by="works_for_any_function",
    hint="This is the derivative of the example, 3x² + 2, whatever f is. f is an argument: "
    "differentiate it.",
)
def of_the_example_alone():
    def derivative(f, x):
        return 3 * x.detach() ** 2 + 2


# ---------------------------------------------------------------------------------- mlp

_BUILD = """        for width in hidden_dims:
            layers += [nn.Linear(input_dim, width), nn.ReLU()]
            input_dim = width
        self.layers = nn.Sequential(*layers, nn.Linear(input_dim, output_dim))
"""

mlp_slips = [
    slip(
        "mlp",
        "dropout_between",
        "nn.Linear(input_dim, width), nn.ReLU()]",
        "nn.Linear(input_dim, width), nn.ReLU(), nn.Dropout(0.1)]",
        "has_nothing_besides",
        "There is dropout between the layers, which nobody asked for: two calls in training mode "
        "disagree.",
    ),
    slip(
        "mlp",
        "batch_normalisation_between",
        "nn.Linear(input_dim, width), nn.ReLU()]",
        "nn.Linear(input_dim, width), nn.BatchNorm1d(width, affine=False), nn.ReLU()]",
        "has_nothing_besides",
        "There is a normalisation between the layers, which nobody asked for: a row's output "
        "depends on the other rows in training mode.",
    ),
    slip(
        "mlp",
        "hidden_layers_in_a_plain_list",
        "self.layers = nn.Sequential(*layers, nn.Linear(input_dim, output_dim))\n\n"
        "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n        return self.layers(x)",
        "self.layers, self.last = layers, nn.Linear(input_dim, output_dim)\n\n"
        "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
        "        for layer in self.layers:\n            x = layer(x)\n        return self.last(x)",
        "can_be_trained",
        "parameters() finds the last layer alone: torch looks at a module's attributes, and not "
        "into plain lists, so that the hidden layers never learn.",
    ),
    slip(
        "mlp",
        "no_activation",
        "nn.Linear(input_dim, width), nn.ReLU()]",
        "nn.Linear(input_dim, width)]",
        "has_relu_neurons",
        "Linear layers one after another are one linear layer: a ReLU is missing after each "
        "hidden one.",
    ),
    slip(
        "mlp",
        "tanh",
        "nn.ReLU()",
        "nn.Tanh()",
        "has_relu_neurons",
        "The hidden layers bend with another function. A ReLU, max(0, z), is asked for.",
    ),
    slip(
        "mlp",
        "relu_on_the_input",
        "return self.layers(x)",
        "return self.layers(torch.relu(x))",
        "has_a_relu_after_the_first_hidden_layer",
        "x goes through a ReLU before the first layer, so that the network never sees what is "
        "negative.",
    ),
    slip(
        "mlp",
        "smooth_relu",
        "nn.ReLU()",
        "nn.GELU()",
        "is_made_of_straight_pieces",
        "The hidden layers bend smoothly. A ReLU, max(0, z), has a corner.",
    ),
    slip(
        "mlp",
        "past_the_layers",
        "        return self.layers(x)",
        "        for layer in self.layers:\n            y = layer(x)\n"
        "            past = isinstance(layer, nn.Linear) and y.shape == x.shape\n"
        "            x = x + y if past else y\n        return x",
        "leads_through_every_layer",
        "What enters a layer is added to what leaves it where the widths are equal. Asked for are "
        "linear layers and ReLU, and nothing else.",
    ),
    slip(
        "mlp",
        "leaky",
        "nn.ReLU()",
        "nn.LeakyReLU(0.1)",
        "has_relu_neurons",
        "This ReLU leaks: below zero it should give exactly zero.",
    ),
    slip(
        "mlp",
        "relu_after_the_first_layer_only",
        _BUILD,
        """        for k, width in enumerate(hidden_dims):
            layers += [nn.Linear(input_dim, width)] + ([nn.ReLU()] if k == 0 else [])
            input_dim = width
        self.layers = nn.Sequential(*layers, nn.Linear(input_dim, output_dim))
""",
        "has_a_relu_after_the_last_hidden_layer",
        "Only one hidden layer has its ReLU. Without one between them, two linear layers are one.",
    ),
    slip(
        "mlp",
        "relu_at_the_end",
        "nn.Linear(input_dim, output_dim))",
        "nn.Linear(input_dim, output_dim), nn.ReLU())",
        "ends_without_an_activation",
        "There is a ReLU after the last layer, so that no output can be negative. The last layer "
        "stays linear.",
    ),
    slip(
        "mlp",
        "softmax_at_the_end",
        "nn.Linear(input_dim, output_dim))",
        "nn.Linear(input_dim, output_dim), nn.Softmax(dim=1))",
        "ends_without_an_activation",
        "A softmax at the end turns the outputs into probabilities. The last layer stays linear; "
        "the losses take logits.",
    ),
    slip(
        "mlp",
        "first_two_widths_only",
        "for width in hidden_dims:",
        "for width in hidden_dims[:2]:",
        "has_as_many_layers_as_asked_for",
        "There are at most two hidden layers, however long hidden_dims is.",
    ),
    slip(
        "mlp",
        "a_layer_too_many",
        "self.layers = nn.Sequential(*layers, nn",
        "layers += [nn.Linear(input_dim, input_dim), nn.ReLU()]\n"
        "        self.layers = nn.Sequential(*layers, nn",
        "has_the_parameters_of_its_layers",
        "There is one hidden layer too many: only those in hidden_dims, then the output.",
    ),
    slip(
        "mlp",
        "no_biases",
        "nn.Linear(input_dim, width), nn.ReLU()]",
        "nn.Linear(input_dim, width, bias=False), nn.ReLU()]",
        "has_the_parameters_of_its_layers",
        "The hidden layers have no biases: all corners of the curve then lie at zero.",
    ),
    slip(
        "mlp",
        "a_plain_list_of_layers",
        "self.layers = nn.Sequential(*layers, nn.Linear(input_dim, output_dim))\n\n"
        "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n        return self.layers(x)",
        "self.layers = [*layers, nn.Linear(input_dim, output_dim)]\n\n"
        "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
        "        for layer in self.layers:\n            x = layer(x)\n        return x",
        "can_be_trained",
        "parameters() does not find the layers, so that they never learn: torch looks at a "
        "module's attributes, and not into plain lists.",
    ),
    slip(
        "mlp",
        "needs_a_hidden_layer",
        "        layers: list[nn.Module] = []\n",
        "        layers: list[nn.Module] = []\n        first = hidden_dims[0]\n",
        "is_linear_without_hidden_layers",
        "hidden_dims may be empty: the network is then a single linear layer.",
    ),
    slip(
        "mlp",
        "last_axis_squeezed",
        "return self.layers(x)",
        "return self.layers(x).squeeze()",
        "takes_any_number_of_rows",
        "squeeze() takes away every axis of length one, also that of a single row or a single "
        "output. (N, output_dim) is asked for, always.",
    ),
    slip(
        "mlp",
        "graph_cut",
        "return self.layers(x)",
        "return self.layers(x).detach()",
        "can_be_trained",
        "The output is cut off from its graph: no gradient can reach the weights.",
    ),
    slip(
        "mlp",
        "normalised_over_the_rows",
        "return self.layers(x)",
        "y = self.layers(x)\n        return y - y.mean(dim=0) if len(y) > 1 else y",
        "takes_any_number_of_rows",
        "The output of a row depends on the other rows of the call. Every row stands by itself.",
    ),
    slip(
        "mlp",
        "widths_used_up",
        "        for width in hidden_dims:\n",
        "        while hidden_dims:\n            width = hidden_dims.pop(0)\n",
        "leaves_the_list_of_widths_alone",
        "The caller's list of widths is changed: pop, append and += work on the list that was "
        "handed over. Make one of your own.",
    ),
    slip(
        "mlp",
        "begins_with_zeros",
        "nn.Linear(input_dim, output_dim))\n",
        "nn.Linear(input_dim, output_dim))\n"
        "        for one in self.parameters():\n            nn.init.zeros_(one)\n",
        "can_be_trained",
        "All weights begin at zero. Then every hidden neuron says 0, no gradient gets through, and "
        "nothing but the last bias ever learns. Begin at random.",
    ),
    slip(
        "mlp",
        "begins_with_equal_weights",
        "nn.Linear(input_dim, output_dim))\n",
        "nn.Linear(input_dim, output_dim))\n"
        "        for one in self.parameters():\n            nn.init.constant_(one, 0.1)\n",
        "can_be_trained",
        "All weights begin equal, and the neurons of a layer stay equal for ever: they are one "
        "neuron. Begin at random.",
    ),
]

# ------------------------------------------------------------------------------- losses

_MAE = "torch.mean(torch.abs(y_pred - y_true))"
_BCE = "torch.mean(torch.logaddexp(torch.zeros_like(logits), logits) - targets * logits)"
_CE = """    chosen = logits.gather(1, classes[:, None])[:, 0]
    return torch.mean(torch.logsumexp(logits, dim=1) - chosen)
"""

losses_slips = [
    slip(
        "losses",
        "mae_by_a_root",
        _MAE,
        "torch.mean(torch.sqrt((y_pred - y_true) ** 2))",
        "can_be_differentiated",
        "mae_loss: the root of a square has no gradient at zero, and NaN comes out where a "
        "prediction is exact. torch.abs has one.",
    ),
    slip(
        "losses",
        "mae_squared",
        _MAE,
        "torch.mean((y_pred - y_true) ** 2)",
        "mae_is_the_mean_absolute_error",
        "mae_loss: this is the mean of the squares. The mean of the absolute values is asked for.",
    ),
    slip(
        "losses",
        "mae_summed",
        _MAE,
        "torch.sum(torch.abs(y_pred - y_true))",
        "mae_is_the_mean_absolute_error",
        "mae_loss: the errors are added up. Take their mean over every element.",
    ),
    slip(
        "losses",
        "mae_without_absolute_value",
        _MAE,
        "torch.mean(y_pred - y_true)",
        "mae_is_the_mean_absolute_error",
        "mae_loss: errors of opposite sign cancel. Take absolute values before the mean.",
    ),
    slip(
        "losses",
        "mae_of_the_mean",
        _MAE,
        "torch.abs(torch.mean(y_pred - y_true))",
        "mae_is_the_mean_absolute_error",
        "mae_loss: first the absolute value, then the mean. The other way round, errors of "
        "opposite sign cancel.",
    ),
    slip(
        "losses",
        "mae_over_rows_only",
        _MAE,
        "torch.sum(torch.abs(y_pred - y_true)) / len(y_pred)",
        "mae_is_the_mean_absolute_error",
        "mae_loss: the sum is divided by the number of rows only. The mean is over every element.",
    ),
    slip(
        "losses",
        "bce_of_a_sigmoid",
        _BCE,
        "-torch.mean(targets * torch.log(torch.sigmoid(logits))"
        " + (1 - targets) * torch.log(1 - torch.sigmoid(logits)))",
        "bce_is_exact_at_large_logits",
        "bce_with_logits: far out the sigmoid is exactly 0 or 1, and the logarithm of 0 is not "
        "finite. Put the sigmoid into the formula and simplify before you compute.",
    ),
    slip(
        "losses",
        "bce_clamped",
        _BCE,
        "-torch.mean(targets * torch.log(torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7))"
        " + (1 - targets) * torch.log(1 - torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)))",
        "bce_is_exact_at_large_logits",
        "bce_with_logits: cutting off the probability makes the loss finite but not right: a wrong "
        "answer at z = 1000 costs 1000, not 16. Simplify the formula instead.",
    ),
    slip(
        "losses",
        "bce_exponential_overflows",
        _BCE,
        "torch.mean(torch.log(1 + torch.exp(logits)) - targets * logits)",
        "bce_is_exact_at_large_logits",
        "bce_with_logits: the formula is right, but e^z overflows for large z. Write it so that "
        "only exponentials of negative numbers are taken.",
    ),
    slip(
        "losses",
        "bce_of_probabilities",
        _BCE,
        "-torch.mean(targets * torch.log(logits.clamp(1e-7, 1))"
        " + (1 - targets) * torch.log((1 - logits).clamp(1e-7, 1)))",
        "bce_is_the_binary_cross_entropy",
        "bce_with_logits: the logits are treated as if they were probabilities already. The "
        "sigmoid is missing.",
    ),
    slip(
        "losses",
        "bce_one_class_only",
        _BCE,
        "-torch.mean(targets * nn.functional.logsigmoid(logits))",
        "bce_is_the_binary_cross_entropy",
        'bce_with_logits: the term with 1 − t is missing: a wrong "yes" costs nothing.',
    ),
    slip(
        "losses",
        "bce_targets_exchanged",
        "- targets * logits)",
        "- (1 - targets) * logits)",
        "bce_is_the_binary_cross_entropy",
        "bce_with_logits: the two targets have changed places: t goes with ln σ(z).",
    ),
    slip(
        "losses",
        "bce_summed",
        _BCE,
        _BCE.replace("mean", "sum"),
        "bce_is_the_binary_cross_entropy",
        "bce_with_logits: the terms are added up. Take their mean.",
    ),
    slip(
        "losses",
        "cross_entropy_log_of_softmax",
        _CE,
        "    p = torch.softmax(logits, dim=1)\n"
        "    return -torch.mean(torch.log(p[torch.arange(len(classes)), classes]))\n",
        "cross_entropy_is_exact_at_large_logits",
        "cross_entropy: a probability that has become exactly 0 has no logarithm. Take the "
        "logarithm of the softmax on paper first.",
    ),
    slip(
        "losses",
        "cross_entropy_exponential_overflows",
        _CE,
        "    p = torch.exp(logits) / torch.exp(logits).sum(dim=1, keepdim=True)\n"
        "    return -torch.mean(torch.log(p[torch.arange(len(classes)), classes]))\n",
        "cross_entropy_is_exact_at_large_logits",
        "cross_entropy: e^z overflows for large logits. A constant may be taken off all logits of "
        "a row without changing the probabilities.",
    ),
    slip(
        "losses",
        "cross_entropy_softmax_twice",
        "torch.logsumexp(logits, dim=1) - chosen",
        "torch.logsumexp(torch.softmax(logits, 1), dim=1)"
        " - torch.softmax(logits, 1).gather(1, classes[:, None])[:, 0]",
        "cross_entropy_is_that_of_the_softmax",
        "cross_entropy: the softmax is taken twice. The logits go in as they are.",
    ),
    slip(
        "losses",
        "cross_entropy_over_columns",
        "torch.logsumexp(logits, dim=1)",
        "torch.logsumexp(logits, dim=0)[classes]",
        "cross_entropy_is_that_of_the_softmax",
        "cross_entropy: the sum in the softmax runs down the columns, over the samples. It should "
        "run along each row, over the classes.",
    ),
    slip(
        "losses",
        "cross_entropy_sign",
        "torch.logsumexp(logits, dim=1) - chosen",
        "chosen - torch.logsumexp(logits, dim=1)",
        "cross_entropy_is_that_of_the_softmax",
        "cross_entropy: the sign is exchanged. −ln p is never negative.",
    ),
    slip(
        "losses",
        "cross_entropy_summed",
        "torch.mean(torch.logsumexp(logits, dim=1) - chosen)",
        "torch.sum(torch.logsumexp(logits, dim=1) - chosen)",
        "cross_entropy_is_that_of_the_softmax",
        "cross_entropy: the rows are added up. Take their mean.",
    ),
    slip(
        "losses",
        "cross_entropy_every_class_of_the_batch",
        "logits.gather(1, classes[:, None])[:, 0]",
        "logits[:, classes].mean(dim=1)",
        "cross_entropy_is_that_of_the_softmax",
        "cross_entropy: logits[:, classes] picks the classes of all samples in every row. Each "
        "row wants its own class.",
    ),
    slip(
        "losses",
        "cross_entropy_without_a_shift",
        _CE,
        _CE.replace("torch.logsumexp(logits, dim=1)", "torch.log(torch.exp(logits).sum(dim=1))"),
        "cross_entropy_is_exact_at_large_logits",
        "cross_entropy: e^z overflows for large logits, or all of them vanish. A constant may be "
        "taken off all logits of a row without changing the probabilities.",
    ),
    slip(
        "losses",
        "mae_without_graph",
        f"return {_MAE}",
        f"return float({_MAE})",
        "can_be_differentiated",
        "mae_loss: a plain number comes back, and nothing can be trained with it. Return the "
        "tensor.",
    ),
    slip(
        "losses",
        "mae_detached",
        f"return {_MAE}",
        f"return ({_MAE}).detach()",
        "can_be_differentiated",
        "mae_loss: the result is cut off from what it was made of, and nothing can be trained with "
        "it.",
    ),
    slip(
        "losses",
        "bce_without_graph",
        f"return {_BCE}",
        f"return {_BCE}.item()",
        "can_be_differentiated",
        "bce_with_logits: a plain number comes back, and nothing can be trained with it. Return "
        "the tensor.",
    ),
    slip(
        "losses",
        "cross_entropy_in_numpy",
        _CE,
        "    z = logits.detach().numpy()\n"
        "    z = z - z.max(axis=1, keepdims=True)\n"
        "    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))\n"
        "    return torch.tensor(-log_p[np.arange(len(z)), classes.numpy()].mean())\n",
        "can_be_differentiated",
        "cross_entropy: the result has no graph, and nothing can be trained with it. A way "
        "through NumPy loses the graph; torch's own functions keep it.",
    ),
    slip(
        "losses",
        "cross_entropy_in_place",
        _CE,
        "    logits -= logits.max(dim=1, keepdim=True).values\n" + _CE,
        "leave_their_arguments_unchanged",
        "cross_entropy: the caller's logits have other values after the call: `-=` and its "
        "kind write into a tensor.",
    ),
    slip(
        "losses",
        "cross_entropy_one_maximum_for_all",
        "    return torch.mean(torch.logsumexp(logits, dim=1) - chosen)",
        "    top = logits.max()\n"
        "    return torch.mean(torch.log(torch.exp(logits - top).sum(1)) + top - chosen)",
        "cross_entropy_is_exact_at_large_logits",
        "cross_entropy: one maximum is taken off all rows. In a row that lies far below it every "
        "exponential is 0: each row needs its own.",
    ),
    slip(
        "losses",
        "bce_gradient_of_the_other_branch",
        "torch.logaddexp(torch.zeros_like(logits), logits) - targets * logits",
        "torch.where(logits > 30, logits, torch.log1p(torch.exp(logits))) - targets * logits",
        "can_be_differentiated_at_large_logits",
        "bce_with_logits: the value is right at 1000, the gradient is no number: torch.where "
        "differentiates both branches, and e^z overflows in the one that is not taken. Take only "
        "exponentials of negative numbers.",
    ),
]

# --------------------------------------------------------------------------- optimisers

_SGD = "[p - lr * g for p, g in zip(params, grads, strict=True)]"
_ADAM_P = "moved.append(p - lr * m_hat / (torch.sqrt(v_hat) + eps))"
_HATS = "m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)"
_DECAY = "decayed = [p - lr * weight_decay * p for p in params]"

DEFAULT_DECAY = (
    "adamw_step: with the default weight_decay, which is 0.01, nothing decays: the path is Adam's."
)

optimisers_slips = [
    slip(
        "optimisers",
        "sgd_uphill",
        _SGD,
        _SGD.replace("p - lr", "p + lr"),
        "sgd_follows_the_gradient",
        "sgd_step goes uphill: the gradient points to larger values, so the step goes against "
        "it. (momentum_step climbs too: perhaps it uses sgd_step.)",
    ),
    slip(
        "optimisers",
        "sgd_ignores_the_rate",
        _SGD,
        "[p - 0.1 * g for p, g in zip(params, grads, strict=True)]",
        "sgd_follows_the_gradient",
        "sgd_step has a learning rate of its own. lr is an argument.",
    ),
    slip(
        "optimisers",
        "momentum_as_a_mean",
        "[momentum * v + g for",
        "[momentum * v + (1 - momentum) * g for",
        "momentum_gathers_speed",
        "momentum_step: the gradient enters with a factor 1 − μ, as in Adam's running mean. Here "
        "it enters whole: v ← μ v + g.",
    ),
    slip(
        "optimisers",
        "momentum_with_rate_inside",
        "[momentum * v + g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, lr), velocity",
        "[momentum * v + lr * g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, lr), velocity",
        "momentum_gathers_speed",
        "momentum_step: the learning rate comes in twice, in the velocity and in the step. It "
        "belongs to the step alone.",
    ),
    slip(
        "optimisers",
        "momentum_uses_the_old_velocity",
        "    velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, lr), velocity",
        "    new = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, lr), new",
        "momentum_gathers_speed",
        "momentum_step moves with the old velocity: the first step then goes nowhere. First the "
        "new v, then p ← p − lr · v.",
    ),
    slip(
        "optimisers",
        "momentum_forgets",
        "[momentum * v + g for",
        "[g for",
        "momentum_gathers_speed",
        "momentum_step has no memory: the old velocity does not enter the new one.",
    ),
    slip(
        "optimisers",
        "momentum_always_0_9",
        "[momentum * v + g for",
        "[0.9 * v + g for",
        "momentum_takes_any_momentum",
        "momentum_step always has a momentum of 0.9. It is an argument.",
    ),
    slip(
        "optimisers",
        "momentum_state_not_returned",
        "    return sgd_step(params, velocity, lr), velocity",
        "    return sgd_step(params, velocity, lr)",
        "momentum_gathers_speed",
        "momentum_step should return two things, the parameters and the velocity: without the "
        "velocity the next step cannot go on.",
    ),
    slip(
        "optimisers",
        "adam_without_bias_correction",
        _HATS,
        "m_hat, v_hat = m, v",
        "adam_takes_adams_path",
        "adam_step: the bias correction is missing. Means that start at 0 are too small at first, "
        "by 1 − βᵗ.",
    ),
    slip(
        "optimisers",
        "adam_counts_from_0",
        _HATS,
        "m_hat, v_hat = m / (1 - beta1 ** (t - 1) + 1e-12), v / (1 - beta2 ** (t - 1) + 1e-12)",
        "adam_takes_adams_path",
        "adam_step: the step number is one behind, so that the first step divides by zero or "
        "nearly so. t counts from 1.",
    ),
    slip(
        "optimisers",
        "adam_always_the_first_step",
        "return moved, (t, means, squares)",
        "return moved, (0, means, squares)",
        "adam_takes_adams_path",
        "adam_step: the step number is not kept, so that every step is corrected like the first.",
    ),
    slip(
        "optimisers",
        "adam_without_the_root",
        "torch.sqrt(v_hat) + eps",
        "v_hat + eps",
        "adam_takes_adams_path",
        "adam_step: the square root is missing. With it the step does not depend on the gradient's "
        "size.",
    ),
    slip(
        "optimisers",
        "adam_eps_under_the_root",
        "torch.sqrt(v_hat) + eps",
        "torch.sqrt(v_hat + eps)",
        "adam_takes_any_settings",
        "adam_step: eps is under the root. It is added to the root.",
    ),
    slip(
        "optimisers",
        "adam_squares_not_squared",
        "(1 - beta2) * g**2 for",
        "(1 - beta2) * torch.abs(g) for",
        "adam_takes_adams_path",
        "adam_step: v is the running mean of g², here it is that of |g|.",
    ),
    slip(
        "optimisers",
        "adam_betas_exchanged",
        "beta1, beta2 = betas",
        "beta2, beta1 = betas",
        "adam_takes_adams_path",
        "adam_step: the two betas have changed places. The first is for the mean of g, the second "
        "for that of g².",
    ),
    slip(
        "optimisers",
        "adam_whole_gradients",
        "[beta1 * m + (1 - beta1) * g for",
        "[beta1 * m + g for",
        "adams_first_step_has_the_size_lr",
        "adam_step: the gradient enters m whole, as in momentum. In a running mean it has the "
        "factor 1 − β₁.",
    ),
    slip(
        "optimisers",
        "adam_betas_ignored",
        "beta1, beta2 = betas",
        "beta1, beta2 = 0.9, 0.999",
        "adam_takes_any_settings",
        "adam_step always has the same betas, or adamw_step does not hand them on to it. They are "
        "an argument.",
    ),
    slip(
        "optimisers",
        "adam_by_the_norm",
        _HATS,
        _HATS + "\n        v_hat = torch.full_like(v_hat, float(v_hat.mean()))",
        "adams_first_step_has_the_size_lr",
        "adam_step: all elements of a tensor share one step size. Each has its own v.",
    ),
    slip(
        "optimisers",
        "adamw_as_l2",
        _DECAY + "\n    return adam_step(decayed, grads, state, lr, betas, eps)",
        "grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]\n"
        "    return adam_step(params, grads, state, lr, betas, eps)",
        "adamw_takes_adamws_path",
        "adamw_step: the decay is added to the gradient, and Adam then divides it by √v like "
        "everything else. In AdamW it acts on the parameters directly.",
    ),
    slip(
        "optimisers",
        "adamw_without_rate",
        _DECAY,
        "decayed = [p - weight_decay * p for p in params]",
        "adamw_takes_adamws_path",
        "adamw_step: the decay lacks the learning rate: p ← p − lr · λ · p.",
    ),
    slip(
        "optimisers",
        "adamw_without_decay",
        _DECAY,
        "decayed = params",
        "adamw_takes_adamws_path",
        DEFAULT_DECAY,
    ),
    slip(
        "optimisers",
        "adamw_default_decay_of_0",
        "weight_decay: float = 0.01",
        "weight_decay: float = 0.0",
        "adamw_takes_adamws_path",
        DEFAULT_DECAY,
    ),
    slip(
        "optimisers",
        "adamw_decay_upwards",
        _DECAY,
        "decayed = [p + lr * weight_decay * p for p in params]",
        "adamw_takes_adamws_path",
        "adamw_step: the parameters grow. Decay makes them smaller.",
    ),
    slip(
        "optimisers",
        "adamw_settings_not_handed_on",
        "return adam_step(decayed, grads, state, lr, betas, eps)",
        "return adam_step(decayed, grads, state, lr)",
        "adamw_takes_any_settings",
        "adamw_step: its betas and eps have no effect: they never reach the step of Adam.",
    ),
    slip(
        "optimisers",
        "adamw_decay_always_0_01",
        _DECAY,
        "decayed = [p - lr * 0.01 * p for p in params]",
        "adamw_takes_any_settings",
        "adamw_step always has a decay of 0.01. weight_decay is an argument.",
    ),
    slip(
        "optimisers",
        "sgd_in_place",
        f"    return {_SGD}",
        "    for p, g in zip(params, grads, strict=True):\n        p -= lr * g\n    return params",
        "leave_params_and_grads_unchanged",
        "sgd_step: `p -= …` or `params[k] = …` changes what the caller handed over. Make new "
        "tensors in a new list.",
    ),
    slip(
        "optimisers",
        "momentum_in_place",
        "    velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]\n",
        "    for v, g in zip(velocity, grads, strict=True):\n        v.mul_(momentum).add_(g)\n",
        "leave_the_old_state_unchanged",
        "momentum_step: the old velocity is overwritten. Whoever goes on from it a second time "
        "arrives somewhere else: make a new list of new tensors.",
    ),
    slip(
        "optimisers",
        "adam_in_place",
        "state or (0, zeros, zeros)\n    t += 1\n"
        "    means = [beta1 * m + (1 - beta1) * g for m, g in zip(means, grads, strict=True)]\n",
        "state or (0, zeros, [torch.zeros_like(p) for p in params])\n    t += 1\n"
        "    for m, g in zip(means, grads, strict=True):\n"
        "        m.mul_(beta1).add_((1 - beta1) * g)\n",
        "leave_the_old_state_unchanged",
        "adam_step: the tensors of the old state are overwritten. Whoever goes on from it a second "
        "time arrives somewhere else: make new ones.",
    ),
    slip(
        "optimisers",
        "adam_in_double",
        "zeros = [torch.zeros_like(p) for p in params]\n    t, means",
        "zeros = [torch.zeros(p.shape, dtype=torch.float64) for p in params]\n    t, means",
        "keep_shape_and_dtype",
        "adam_step: parameters in float32 come back in float64. Whatever the means begin with "
        "should have the dtype of the parameters.",
    ),
    slip(
        "optimisers",
        "adam_eps_of_another_size",
        "    eps: float = 1e-8,\n) ->",
        "    eps: float = 1e-6,\n) ->",
        "adam_has_its_default_eps",
        "adam_step: eps is 1e−8 unless another one is asked for.",
    ),
    slip(
        "optimisers",
        "velocity_holds_the_rate",
        "    velocity = [momentum * v + g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, lr), velocity",
        "    velocity = [momentum * v + lr * g for v, g in zip(velocity, grads, strict=True)]\n"
        "    return sgd_step(params, velocity, 1.0), velocity",
        "momentum_returns_the_velocity",
        "momentum_step: the learning rate is inside the velocity, so that old rates go on acting. "
        "Here v ← μ v + g, and only the step has the rate: p ← p − lr · v.",
    ),
]

# -------------------------------------------------------------------------- minibatches

_ORDER = "    order = torch.randperm(len(x), generator=generator)\n"
_YIELD = "        yield x[chosen], y[chosen]\n"

minibatches_slips = [
    slip(
        "minibatches",
        "first_row_stays",
        _ORDER,
        "    order = torch.cat(\n"
        "        [torch.zeros(1).long(), 1 + torch.randperm(len(x) - 1, generator=generator)]\n"
        "    )\n",
        "shuffles_anew_in_every_epoch",
        "The first row stays the first in every epoch. Shuffle all rows.",
    ),
    slip(
        "minibatches",
        "not_shuffled",
        _ORDER,
        "    order = torch.arange(len(x))\n",
        "shuffles_rows_not_blocks",
        "The rows come in their old order. Shuffle them first.",
    ),
    slip(
        "minibatches",
        "y_not_shuffled",
        "    for chosen in order.split(batch_size):\n" + _YIELD,
        "    for start in range(0, len(x), batch_size):\n"
        "        chosen = order[start : start + batch_size]\n"
        "        yield x[chosen], y[start : start + batch_size]\n",
        "keeps_values_with_their_rows",
        "x is shuffled and y is not: the pairs are torn apart. One order for both.",
    ),
    slip(
        "minibatches",
        "shuffled_twice",
        "    for chosen in order.split(batch_size):\n" + _YIELD,
        "    other = torch.randperm(len(x), generator=generator)\n"
        "    for chosen, second in zip(order.split(batch_size), other.split(batch_size)):\n"
        "        yield x[chosen], y[second]\n",
        "keeps_values_with_their_rows",
        "x and y are shuffled each in an order of its own: the pairs are torn apart. One order for "
        "both.",
    ),
    slip(
        "minibatches",
        "last_batch_dropped",
        _YIELD,
        "        if len(chosen) == batch_size:\n    " + _YIELD,
        "keeps_the_short_last_batch",
        "The rows that are left over are dropped. They make a last, shorter batch.",
    ),
    slip(
        "minibatches",
        "equal_batches",
        "order.split(batch_size)",
        "order.tensor_split(-(-len(x) // batch_size))",
        "keeps_the_short_last_batch",
        "The batches have equal sizes. All but the last should have batch_size rows.",
    ),
    slip(
        "minibatches",
        "an_empty_batch_at_the_end",
        "for chosen in order.split(batch_size):",
        "for chosen in [order[k * batch_size :][:batch_size] for k in range(len(x) // batch_size "
        "+ 1)]:",
        "keeps_the_short_last_batch",
        "Where batch_size divides the number of rows an empty batch comes last: //, and 1 more, is "
        "one too many there. The mean of nothing is NaN.",
    ),
    slip(
        "minibatches",
        "number_of_batches",
        "order.split(batch_size)",
        "order.chunk(batch_size)",
        "keeps_the_short_last_batch",
        "batch_size is taken for the number of batches. It is the number of rows in one.",
    ),
    slip(
        "minibatches",
        "drawn_with_replacement",
        _ORDER,
        "    order = torch.randint(len(x), (len(x),), generator=generator)\n",
        "gives_no_row_twice",
        "Rows are drawn with replacement: some come twice, others never. An epoch is a "
        "permutation.",
    ),
    slip(
        "minibatches",
        "blocks_shuffled",
        "    for chosen in order.split(batch_size):\n" + _YIELD,
        "    starts = list(range(0, len(x), batch_size))\n"
        "    for k in torch.randperm(len(starts) - 1, generator=generator).tolist() "
        "+ [len(starts) - 1]:\n"
        "        chosen = slice(starts[k], starts[k] + batch_size)\n" + _YIELD,
        "shuffles_rows_not_blocks",
        "Whole blocks of neighbours are shuffled, and the rows in them stay together for ever. "
        "Shuffle the rows, then cut.",
    ),
    slip(
        "minibatches",
        "shuffled_inside_the_batches",
        _ORDER,
        "    order = torch.cat([rows[torch.randperm(len(rows), generator=generator)]"
        " for rows in torch.arange(len(x)).split(batch_size)])\n",
        "shuffles_rows_not_blocks",
        "The rows are shuffled only inside each batch, so that every epoch has the same batches. "
        "Shuffle all rows, then cut.",
    ),
    slip(
        "minibatches",
        "global_randomness",
        "generator=generator)",
        "generator=None)",
        "draws_from_the_generator_alone",
        "The order comes from the global random state. Draw from `generator`, so that a seed gives "
        "the same order again.",
    ),
    slip(
        "minibatches",
        "same_order_always",
        _ORDER,
        "    torch.manual_seed(generator.initial_seed())\n    order = torch.randperm(len(x))\n",
        "shuffles_anew_in_every_epoch",
        "The seed is set anew in every epoch, so that all epochs have the same order. Draw from "
        "`generator` itself: it goes on from call to call.",
    ),
    slip(
        "minibatches",
        "fixed_seed",
        _ORDER,
        "    torch.manual_seed(0)\n    order = torch.randperm(len(x))\n",
        "shuffles_anew_in_every_epoch",
        "The seed is fixed inside the function: every epoch has the same order, whatever the "
        "generator.",
    ),
    slip(
        "minibatches",
        "shuffled_in_place",
        _YIELD,
        "        yield x[chosen].clone(), y[chosen].clone()\n    x[:], y[:] = x[order], y[order]\n",
        "leaves_the_data_unchanged",
        "The caller's x and y are in another order after the call: `x[:] = …` and its kind "
        "write into a tensor.",
    ),
    slip(
        "minibatches",
        "one_batch_only",
        _YIELD,
        "        return [(x[chosen], y[chosen])]\n",
        "gives_every_row_once",
        "Only the first batch comes back: a return inside the loop ends it. Yield the batches, or "
        "gather them in a list.",
    ),
    slip(
        "minibatches",
        "labels_as_floats",
        _YIELD,
        "        yield x[chosen], y[chosen].float()\n",
        "keeps_labels_with_their_rows",
        "The rows change their dtype on the way. Classes have to stay integers.",
    ),
    slip(
        "minibatches",
        "equal_chunks",
        "order.split(batch_size)",
        "order.chunk(-(-len(x) // batch_size))",
        "keeps_the_short_last_batch",
        "The batches have equal sizes. All but the last should have batch_size rows.",
    ),
    slip(
        "minibatches",
        "in_order_without_a_generator",
        _ORDER,
        _ORDER + "    if generator is None:\n        order = torch.arange(len(x))\n",
        "draws_from_the_global_state_without_a_generator",
        "Without a generator nothing is shuffled. None stands for torch's global one, as in "
        "torch.randperm itself.",
        keeps=0.9,
    ),
    slip(
        "minibatches",
        "same_order_without_a_generator",
        _ORDER,
        "    generator = generator or torch.Generator().manual_seed(0)\n" + _ORDER,
        "draws_from_the_global_state_without_a_generator",
        "Without a generator every epoch has the same order: a new generator starts with the same "
        "seed each time. None stands for torch's global one.",
        keeps=0.9,
    ),
]

# ------------------------------------------------------------------------------ dropout

_KEPT = "    kept = torch.rand(x.shape, generator=generator) >= p\n"
_RETURN = "    return torch.where(kept, x / (1 - p), torch.zeros_like(x))"

dropout_slips = [
    slip(
        "dropout",
        "always_float32",
        "x / (1 - p), torch.zeros_like(x))",
        "x.float() / (1 - p), torch.zeros_like(x.float()))",
        "keeps_shape_and_dtype",
        "The result comes in float32, whatever x is: it is to have the dtype of x.",
    ),
    slip(
        "dropout",
        "one_mask_for_a_stack",
        "torch.rand(x.shape, generator=generator)",
        "torch.rand(x.shape[-2:], generator=generator)",
        "draws_for_every_element",
        "All tables of a stack get the same mask. Every element has a draw of its own: "
        "torch.rand(x.shape).",
    ),
    slip(
        "dropout",
        "not_scaled",
        "torch.where(kept, x / (1 - p),",
        "torch.where(kept, x,",
        "keeps_the_mean",
        "What is kept is not scaled: the mean falls by a factor 1 − p. Divide by 1 − p.",
    ),
    slip(
        "dropout",
        "scaled_by_p",
        "x / (1 - p)",
        "x / max(p, 1e-9)",
        "scales_what_it_keeps",
        "What is kept is divided by p, the probability of being dropped. It should be that of "
        "being kept.",
    ),
    slip(
        "dropout",
        "keeps_with_probability_p",
        ">= p",
        "< p",
        "drops_with_probability_p",
        "p is the probability to drop an element, not to keep it.",
    ),
    slip(
        "dropout",
        "multiplied",
        "x / (1 - p)",
        "x * (1 - p)",
        "scales_what_it_keeps",
        "What is kept is made smaller. To keep the mean it has to become larger: divide by 1 − p.",
    ),
    slip(
        "dropout",
        "scaled_in_evaluation",
        "    if not training:\n        return x\n",
        "    if not training:\n        return x * (1 - p)\n",
        "is_off_in_evaluation",
        "x is scaled in evaluation. With the scaling done in training, nothing is left to do "
        "there.",
    ),
    slip(
        "dropout",
        "always_on",
        "    if not training:\n        return x\n",
        "",
        "is_off_in_evaluation",
        "Elements are dropped in evaluation too: `training` has no effect.",
    ),
    slip(
        "dropout",
        "in_evaluation_alone",
        "    if not training:\n",
        "    if training:\n",
        "is_off_in_evaluation",
        "`training` is taken the wrong way round: elements are dropped in evaluation, and none in "
        "training.",
    ),
    slip(
        "dropout",
        "whole_rows",
        _KEPT,
        "    kept = torch.rand((len(x), *[1] * (x.ndim - 1)), generator=generator) >= p\n",
        "draws_for_every_element",
        "Whole rows are dropped or kept: there is one draw for a row. Every element has its own.",
    ),
    slip(
        "dropout",
        "one_mask_for_all_rows",
        _KEPT,
        "    kept = torch.rand(x.shape[-1:], generator=generator) >= p\n",
        "draws_for_every_element",
        "All rows have the same mask: there is one draw for a column. Every element has its own.",
    ),
    slip(
        "dropout",
        "an_exact_number",
        _KEPT,
        "    order = torch.randperm(x.numel(), generator=generator).reshape(x.shape)\n"
        "    kept = order >= p * (x.numel() - x.shape[-1])\n",
        "drops_with_probability_p",
        "Every call drops the same number of elements, and it is not even the right one. Each "
        "element is dropped by itself, with probability p.",
    ),
    slip(
        "dropout",
        "global_randomness",
        "generator=generator",
        "generator=None",
        "has_a_new_mask_in_every_call",
        "The mask comes from the global random state. Draw from `generator`, so that a seed gives "
        "the same masks again.",
    ),
    slip(
        "dropout",
        "same_mask_always",
        _KEPT,
        "    torch.manual_seed(generator.initial_seed())\n    kept = torch.rand(x.shape) >= p\n",
        "has_a_new_mask_in_every_call",
        "The seed is set anew in every call, so that the same elements are dropped for ever. Draw "
        "from `generator` itself: it goes on from call to call.",
    ),
    slip(
        "dropout",
        "graph_cut_in_evaluation",
        "        return x\n",
        "        return x.detach()\n",
        "lets_the_gradient_through_in_evaluation",
        "In evaluation x is cut off from its graph. It should come back as it is: forces and "
        "sensitivities are slopes of a network in evaluation.",
    ),
    slip(
        "dropout",
        "graph_cut",
        _RETURN,
        _RETURN.replace("x / (1 - p)", "x.detach() / (1 - p)").replace(
            "zeros_like(x)", "zeros_like(x.detach())"
        ),
        "lets_the_gradient_through",
        "The result is cut off from x: no gradient passes through this layer.",
    ),
    slip(
        "dropout",
        "in_place",
        _RETURN,
        "    x[~kept] = 0\n    return x / (1 - p)",
        "leaves_x_unchanged",
        "The caller's x has other values after the call: `x[…] = 0` and its kind write into a "
        "tensor.",
    ),
    slip(
        "dropout",
        "division_by_zero_at_p_0",
        _KEPT,
        _KEPT.replace(">= p", "** (1 / p) >= p ** (1 / p)"),
        "drops_nothing_at_p_0",
        "With p = 0 this stops with an error or gives nan. Nothing is dropped then, and x "
        "should come back as it is.",
    ),
    slip(
        "dropout",
        "an_exact_part",
        _KEPT,
        "    order = torch.randperm(x.numel(), generator=generator).reshape(x.shape)\n"
        "    kept = order >= round(p * x.numel())\n",
        "drops_more_or_fewer_by_chance",
        "Every call drops the same number of elements. Each element is dropped by itself, with "
        "probability p, so that the number varies.",
    ),
    slip(
        "dropout",
        "same_mask_without_a_generator",
        _KEPT,
        "    generator = generator or torch.Generator().manual_seed(0)\n" + _KEPT,
        "draws_from_the_global_state_without_a_generator",
        "Without a generator every call has the same mask: a new generator starts with the same "
        "seed each time. None stands for torch's global one.",
    ),
]


# --------------------------------------------------------------------------- l2_penalty

_L2 = """    weights = (p for p in model.parameters() if p.ndim > 1)  # a bias has one axis
    return sum((torch.sum(W**2) for W in weights), torch.zeros(()))"""

l2_penalty_slips = [
    slip(
        "l2_penalty",
        "biases_too",
        " if p.ndim > 1)",
        ")",
        "is_the_sum_of_squares_of_one_layer",
        "The biases are penalised too. Only weights count: a bias shifts the curve but does not "
        "make it steeper.",
    ),
    slip(
        "l2_penalty",
        "biases_only",
        "if p.ndim > 1)",
        "if p.ndim == 1)",
        "adds_up_all_layers",
        "The biases are added up instead of the weights.",
    ),
    slip(
        "l2_penalty",
        "norms",
        "torch.sum(W**2)",
        "torch.sqrt(torch.sum(W**2))",
        "has_the_gradient_2_w",
        "These are norms: there is a square root too many.",
    ),
    slip(
        "l2_penalty",
        "squares_of_roots",
        "torch.sum(W**2)",
        "torch.sqrt(torch.sum(W**2)) ** 2",
        "has_a_gradient_where_all_weights_are_0",
        "A norm is squared. The root has an infinite slope at 0, so that a layer whose weights are "
        "all 0 has the gradient NaN; the sum of squares needs no root.",
    ),
    slip(
        "l2_penalty",
        "mean_of_squares",
        "torch.sum(W**2)",
        "torch.mean(W**2)",
        "adds_up_all_layers",
        "This is the mean of the squares. Their sum is asked for.",
    ),
    slip(
        "l2_penalty",
        "half",
        "return sum((torch.sum(W**2) for W in weights), torch.zeros(()))",
        "return 0.5 * sum((torch.sum(W**2) for W in weights), torch.zeros(()))",
        "has_the_gradient_2_w",
        "There is a factor ½ that was not asked for.",
    ),
    slip(
        "l2_penalty",
        "absolute_values",
        "torch.sum(W**2)",
        "torch.sum(torch.abs(W))",
        "adds_up_all_layers",
        "These are absolute values, an L1 penalty. The squares are asked for.",
    ),
    slip(
        "l2_penalty",
        "sum_then_square",
        "torch.sum(W**2)",
        "torch.sum(W) ** 2",
        "adds_up_all_layers",
        "First square, then add up: here weights of opposite sign cancel before they are squared.",
    ),
    slip(
        "l2_penalty",
        "last_layer_only",
        _L2,
        "    return torch.sum([p for p in model.parameters() if p.ndim > 1][-1] ** 2)",
        "adds_up_all_layers",
        "Only one layer's weights count. Add up those of all layers.",
    ),
    slip(
        "l2_penalty",
        "outer_layers_only",
        _L2,
        "    layers = [model] if isinstance(model, nn.Linear) else list(model.children())\n"
        "    return sum(torch.sum(m.weight**2) for m in layers if isinstance(m, nn.Linear))",
        "finds_nested_layers",
        "Layers inside other layers are not found: children() looks one level deep. "
        "parameters() and modules() go all the way down.",
    ),
    slip(
        "l2_penalty",
        "graph_cut",
        "torch.sum(W**2)",
        "torch.sum(W.data**2)",
        "has_the_gradient_2_w",
        "The penalty has lost its graph: .data, .detach() or float() cut it off, and it trains "
        "nothing.",
    ),
    slip(
        "l2_penalty",
        "every_second_parameter",
        "(p for p in model.parameters() if p.ndim > 1)",
        "list(model.parameters())[::2]",
        "adds_up_all_layers",
        "Every second parameter is taken for a weight. That fails where a layer has no bias: look "
        "at what a parameter is.",
    ),
    slip(
        "l2_penalty",
        "squares_of_matrices",
        "torch.sum(W**2)",
        "(torch.trace(W @ W) if W.shape[0] == W.shape[1] else torch.sum(W**2))",
        "is_the_sum_of_squares_of_one_layer",
        "A square matrix is multiplied by itself. ‖W‖² is the sum of the squares of its entries, "
        "the trace of WᵀW.",
        keeps=0.9,
    ),
]


# ----------------------------------------------------------------------- early_stopping

_COPY_STATE = "{name: w.clone() for name, w in model.state_dict().items()}"

LAST_WEIGHTS = (
    "The last weights come back, not the best ones: they are stored in every epoch, or without a "
    "copy of each tensor, and go on changing with the training; or restore never puts them back."
)

early_stopping_slips = [
    slip(
        "early_stopping",
        "a_hundredth_by_default",
        "min_delta: float = 0.0",
        "min_delta: float = 0.01",
        "goes_on_while_the_loss_falls",
        "Where no min_delta is given every improvement counts, however small.",
    ),
    slip(
        "early_stopping",
        "one_epoch_late",
        "self.epoch - self.best_epoch >= self.patience",
        "self.epoch - self.best_epoch > self.patience",
        "stops_after_patience_epochs",
        "It stops one epoch too late: after `patience` epochs without improvement, not after one "
        "more.",
    ),
    slip(
        "early_stopping",
        "one_epoch_early",
        "self.epoch - self.best_epoch >= self.patience",
        "self.epoch - self.best_epoch >= self.patience - 1",
        "stops_after_patience_epochs",
        "It stops one epoch too early: the epoch of the best loss itself does not count, only "
        "those after it.",
    ),
    slip(
        "early_stopping",
        "says_go_on",
        "return self.epoch - self.best_epoch >= self.patience",
        "return self.epoch - self.best_epoch < self.patience",
        "stops_after_patience_epochs",
        "True and False have changed places: True means stop.",
    ),
    slip(
        "early_stopping",
        "never_counts_anew",
        "        self.epoch += 1\n        if val_loss < self.best_loss - self.min_delta:"
        "  # never so for NaN\n",
        "        self.epoch += 1\n        self.bad = getattr(self, 'bad', 0)"
        " + (not val_loss < self.best_loss - self.min_delta)\n"
        "        if self.bad >= self.patience:\n            return True\n"
        "        if val_loss < self.best_loss - self.min_delta:\n",
        "counts_anew_after_an_improvement",
        "Epochs without improvement are counted from the beginning. They have to be successive: "
        "an improvement sets the count back to zero.",
    ),
    slip(
        "early_stopping",
        "equal_counts_as_better",
        "val_loss < self.best_loss - self.min_delta",
        "val_loss <= self.best_loss - self.min_delta",
        "compares_with_the_best",
        "An equal loss, or one better by just min_delta, counts as an improvement here. It has to "
        "be better by more.",
    ),
    slip(
        "early_stopping",
        "min_delta_ignored",
        "val_loss < self.best_loss - self.min_delta",
        "val_loss < self.best_loss",
        "ignores_small_improvements",
        "min_delta has no effect: every improvement counts, however small.",
    ),
    slip(
        "early_stopping",
        "min_delta_of_the_wrong_sign",
        "val_loss < self.best_loss - self.min_delta",
        "val_loss < self.best_loss + self.min_delta",
        "ignores_small_improvements",
        "min_delta has the wrong sign: a loss a little worse than the best counts as an "
        "improvement.",
    ),
    slip(
        "early_stopping",
        "looks_for_the_highest",
        "val_loss < self.best_loss - self.min_delta",
        "self.best_epoch < 0 or val_loss > self.best_loss + self.min_delta",
        "knows_the_best_epoch",
        "It looks for the highest loss. The best is the lowest.",
    ),
    slip(
        "early_stopping",
        "best_epoch_moved_when_it_stops",
        "        return self.epoch - self.best_epoch >= self.patience\n",
        "        stop = self.epoch - self.best_epoch >= self.patience\n"
        "        if stop:\n            self.best_epoch = self.epoch\n        return stop\n",
        "knows_the_best_epoch",
        "To count anew after a stop best_epoch is set to the last epoch. It should go on naming "
        "the best one, whose weights restore puts back.",
    ),
    slip(
        "early_stopping",
        "epochs_from_1",
        "self.best_loss, self.best_epoch, self.epoch = np.inf, -1, -1",
        "self.best_loss, self.best_epoch, self.epoch = np.inf, 0, 0",
        "knows_the_best_epoch",
        "Epochs are counted from 1. The first one is 0.",
    ),
    slip(
        "early_stopping",
        "references_for_copies",
        _COPY_STATE,
        "model.state_dict()",
        "keeps_copies",
        LAST_WEIGHTS,
    ),
    slip(
        "early_stopping",
        "another_name_for_the_model",
        "model.load_state_dict(self.best_weights)",
        "model = self.best_weights",
        "keeps_copies",
        LAST_WEIGHTS,
    ),
    slip(
        "early_stopping",
        "a_copy_of_the_dictionary_only",
        _COPY_STATE,
        "dict(model.state_dict())",
        "keeps_copies",
        LAST_WEIGHTS,
    ),
    slip(
        "early_stopping",
        "last_weights",
        "        if val_loss < self.best_loss - self.min_delta:  # never so for NaN\n",
        f"        self.best_weights = {_COPY_STATE}\n"
        "        if val_loss < self.best_loss - self.min_delta:\n",
        "restores_the_best_weights",
        LAST_WEIGHTS,
    ),
    slip(
        "early_stopping",
        "first_weights",
        f"            self.best_weights = {_COPY_STATE}",
        f"            if self.epoch == 0:\n                self.best_weights = {_COPY_STATE}",
        "restores_the_best_weights",
        "The weights are stored once and never again. Every improvement brings new best weights.",
    ),
    slip(
        "early_stopping",
        "restored_by_reference",
        "        model.load_state_dict(self.best_weights)",
        "        for name, p in model.named_parameters():\n"
        "            p.data = self.best_weights[name]",
        "restores_as_often_as_asked",
        "The best weights come back once, not a second time: restore hands out its own stored "
        "tensors, so that further training overwrites them, or forgets them. Copy the values into "
        "the model and keep them.",
    ),
    slip(
        "early_stopping",
        "restores_at_every_step",
        "        return self.epoch - self.best_epoch >= self.patience",
        "        self.restore(model)\n        return self.epoch - self.best_epoch >= self.patience",
        "leaves_the_model_alone",
        "step puts the best weights back, again and again, and the training cannot leave them. "
        "Only restore does that.",
    ),
    slip(
        "early_stopping",
        "impatient",
        "return self.epoch - self.best_epoch >= self.patience",
        "return self.epoch - self.best_epoch >= min(self.patience, 1)",
        "goes_on_while_the_loss_falls",
        "It stops at the first epoch without improvement: patience has no effect.",
    ),
    slip(
        "early_stopping",
        "nan_is_the_best",
        "if val_loss < self.best_loss - self.min_delta:",
        "if not val_loss >= self.best_loss - self.min_delta:",
        "takes_nan_for_no_improvement",
        "An epoch of NaN does not count as one without improvement. Every comparison with NaN is "
        "false: think about which way round to ask.",
    ),
    slip(
        "early_stopping",
        "small_improvements_move_the_mark",
        "        return self.epoch - self.best_epoch >= self.patience",
        "        self.best_loss = min(self.best_loss, val_loss)\n"
        "        return self.epoch - self.best_epoch >= self.patience",
        "keeps_the_best_of_small_improvements",
        "best_loss follows every small improvement, so that a slow fall never counts. It changes "
        "only with an improvement by more than min_delta.",
    ),
    slip(
        "early_stopping",
        "weights_kept_in_the_class",
        "self.best_weights = {",
        "EarlyStopping.best_weights = {",
        "keeps_its_memory_to_itself",
        "The stored weights belong to the class, so that all EarlyStoppings share them. Store them "
        "in self.",
    ),
    slip(
        "early_stopping",
        "starts_at_a_thousand",
        "np.inf",
        "1000.0",
        "goes_on_while_the_loss_falls",
        "Losses above the number that best_loss starts with never count as improvements. The first "
        "one always does: start at infinity.",
    ),
]


@mistake(
    "early_stopping",
    caught_by="takes_nan_for_no_improvement",
    hint="The first loss is taken for the best even if it is NaN, and no number is ever lower than "
    "NaN: start at infinity, which every number is below.",
)
def first_loss_even_if_nan():
    import copy

    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience, self.min_delta = patience, min_delta
            self.best_loss, self.best_epoch, self.epoch, self.count = None, 0, 0, 0

        def step(self, val_loss, model):
            if self.best_loss is None or val_loss < self.best_loss - self.min_delta:
                self.best_loss, self.best_epoch, self.count = val_loss, self.epoch, 0
                self.best = copy.deepcopy(model.state_dict())
            else:
                self.count += 1
            self.epoch += 1
            return self.count >= self.patience

        def restore(self, model):
            model.load_state_dict(self.best)


@mistake(
    "early_stopping",
    caught_by="compares_with_the_best",
    hint="Each loss is compared with the one before. A loss that falls back towards the best is no "
    "improvement: compare with the best so far.",
)
def compares_with_the_last():
    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience, self.min_delta = patience, min_delta
            self.best_loss, self.best_epoch, self.last = np.inf, -1, np.inf
            self.epoch = self.bad = 0

        def step(self, val_loss, model):
            if val_loss < self.best_loss:
                self.best_loss, self.best_epoch = val_loss, self.epoch
                self.best = {name: w.clone() for name, w in model.state_dict().items()}
            self.bad = 0 if val_loss < self.last - self.min_delta else self.bad + 1
            self.last = val_loss
            self.epoch += 1
            return self.bad >= self.patience

        def restore(self, model):
            model.load_state_dict(self.best)


# ------------------------------------------------------------------------------ augment

_NOISE = "torch.randn((copies, *x.shape), generator=generator, dtype=x.dtype)"

augment_slips = [
    slip(
        "augment",
        "noise_grows_from_block_to_block",
        "noise_std * noise)",
        "noise_std * torch.cumsum(torch.ones_like(noise), 0) * noise)",
        "draws_noise_for_every_element",
        "Each block has more noise than the one before. All copies have the same deviation, "
        "noise_std.",
        keeps=0.9,
    ),
    slip(
        "augment",
        "originals_noisy",
        "torch.cat([x, noisy])",
        "torch.cat([x, noisy]) + 1e-2 * torch.randn(1, generator=generator)",
        "begins_with_the_originals",
        "The originals are changed too. They come first, untouched.",
    ),
    slip(
        "augment",
        "originals_last",
        "torch.cat([x, noisy])",
        "torch.cat([noisy, x])",
        "begins_with_the_originals",
        "The originals come last. They should come first.",
    ),
    slip(
        "augment",
        "originals_missing",
        "return torch.cat([x, noisy]), torch.cat([y] * (copies + 1))",
        "return noisy, torch.cat([y] * copies)",
        "begins_with_the_originals",
        "The originals are missing. They come first, then the copies.",
    ),
    slip(
        "augment",
        "copies_counted_with_the_originals",
        "    noise = ",
        "    copies = copies - 1\n    noise = ",
        "begins_with_the_originals",
        "There is one block too few: `copies` blocks follow the originals, (copies + 1) N rows in "
        "all.",
    ),
    slip(
        "augment",
        "row_by_row",
        "return torch.cat([x, noisy]), torch.cat([y] * (copies + 1))",
        "n = len(x)\n    x, y = torch.cat([x, noisy]), torch.cat([y] * (copies + 1))\n"
        "    rows = torch.arange(len(x)).reshape(-1, n).T.flatten()\n    return x[rows], y[rows]",
        "begins_with_the_originals",
        "Each original is followed by its own copies. All originals come first, then block after "
        "block.",
    ),
    slip(
        "augment",
        "labels_in_another_order",
        "torch.cat([y] * (copies + 1))",
        "y.repeat_interleave(copies + 1, dim=0)",
        "lets_the_labels_follow",
        "The labels repeat one by one, the rows block by block: from the second row on they do "
        "not belong together.",
    ),
    slip(
        "augment",
        "labels_noisy",
        "torch.cat([y] * (copies + 1))",
        "torch.cat([y, *[y + noise_std * torch.randn(y.shape, generator=generator)"
        " for _ in range(copies)]])",
        "lets_the_labels_follow",
        "The labels are noisy too. Only x is.",
    ),
    slip(
        "augment",
        "variance_for_deviation",
        "noise_std * noise",
        "noise_std**0.5 * noise",
        "adds_normal_noise_of_the_deviation_given",
        "noise_std is taken for the variance. It is the standard deviation.",
    ),
    slip(
        "augment",
        "in_units_of_the_data",
        "noise_std * noise",
        "noise_std * x.std(dim=0) * noise",
        "adds_normal_noise_of_the_deviation_given",
        "The noise is multiplied by the deviation of x. noise_std is that of the noise itself.",
    ),
    slip(
        "augment",
        "deviation_squared",
        "noise_std * noise",
        "noise_std**2 * noise",
        "adds_normal_noise_of_the_deviation_given",
        "The noise is multiplied by the variance. Its standard deviation is noise_std.",
    ),
    slip(
        "augment",
        "uniform_noise",
        _NOISE,
        "12**0.5 * (torch.rand((copies, *x.shape), generator=generator, dtype=x.dtype) - 0.5)",
        "adds_normal_noise_of_the_deviation_given",
        "The noise is uniform. Normal noise is asked for.",
    ),
    slip(
        "augment",
        "positive_noise",
        _NOISE,
        "torch.rand((copies, *x.shape), generator=generator, dtype=x.dtype)",
        "adds_normal_noise_of_the_deviation_given",
        "The noise is uniform between 0 and 1, and shifts all copies to one side. Normal "
        "noise around 0 is asked for.",
    ),
    slip(
        "augment",
        "multiplied",
        "x + noise_std * noise",
        "x * (1 + noise_std * noise)",
        "adds_normal_noise_of_the_deviation_given",
        "The noise is multiplied with x, so that it grows with it. It should be added.",
    ),
    slip(
        "augment",
        "same_noise_in_every_copy",
        _NOISE,
        "torch.randn((1, *x.shape), generator=generator, dtype=x.dtype).expand(copies, *x.shape)",
        "draws_noise_for_every_element",
        "Every copy has the same noise: nothing new after the first. Draw for every element of "
        "every copy.",
    ),
    slip(
        "augment",
        "one_shift_for_a_row",
        _NOISE,
        "torch.randn((copies, len(x), 1), generator=generator, dtype=x.dtype).expand(copies, "
        "*x.shape)",
        "draws_noise_for_every_element",
        "All columns of a row have the same noise. Draw for every element.",
    ),
    slip(
        "augment",
        "global_randomness",
        "generator=generator, dtype",
        "generator=None, dtype",
        "draws_from_the_generator_alone",
        "The noise comes from the global random state. Draw from `generator`, so that a seed gives "
        "the same noise again.",
    ),
    slip(
        "augment",
        "fixed_seed",
        "    noise = ",
        "    generator = torch.Generator().manual_seed(0)\n    noise = ",
        "draws_from_the_generator_alone",
        "The seed is fixed inside the function: every generator gives the same noise.",
    ),
    slip(
        "augment",
        "needs_a_copy",
        ".flatten(0, 1)",
        "\n    noisy = torch.cat([block for block in noisy])",
        "adds_nothing_for_no_copies",
        "With copies = 0 this fails. The originals alone should come back then.",
    ),
    slip(
        "augment",
        "in_place",
        "torch.cat([x, noisy]), torch.cat(",
        "torch.cat([x.clone(), x.add_(noise_std * noise.sum(0))"
        " if copies == 1 else noisy + 0 * x.sub_(1e-3).sum()]), torch.cat(",
        "leaves_the_data_unchanged",
        "The caller's x has other values after the call: methods whose names end in _, and "
        "`*=` and its kind, write into a tensor.",
    ),
    slip(
        "augment",
        "always_float32",
        "torch.cat([x, noisy])",
        "torch.cat([x, noisy]).float()",
        "keeps_the_dtypes",
        "The data change their dtype on the way: noise and result should have that of x.",
    ),
    slip(
        "augment",
        "same_noise_without_a_generator",
        "    noise = ",
        "    generator = generator or torch.Generator().manual_seed(0)\n    noise = ",
        "draws_from_the_global_state_without_a_generator",
        "Without a generator every call adds the same noise: a new generator starts with the same "
        "seed each time. None stands for torch's global one.",
    ),
]


# -------------------------------------------------------------------------------- train

_TRAIN = """def train(
    model, x, y, *, epochs, learning_rate, batch_size=None, optimiser="adam", generator=None
):
    kind = torch.optim.SGD if optimiser == "sgd" else torch.optim.Adam
    opt = kind(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for _ in range(epochs):
        total = 0.0
        batches = [(x, y)]
        if batch_size is not None:
            batches = minibatches(x, y, batch_size, generator)
        for x_b, y_b in batches:
            opt.zero_grad()
            y_pred = model(x_b)
            if y_pred.shape != y_b.shape:
                raise ValueError("shapes differ")
            loss = torch.mean((y_pred - y_b) ** 2)
            loss.backward()
            opt.step()
            total += loss.item() * len(x_b)
        losses.append(total / len(x))
    model.eval()
    return losses
"""

_SHAPES = """            if y_pred.shape != y_b.shape:
                raise ValueError("shapes differ")
"""

training = partial(variant, "train", _TRAIN)

train_slips = [
    training(
        "gradients_never_cleared",
        "            opt.zero_grad()\n",
        "",
        "takes_a_step_for_every_batch",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    training(
        "gradients_cleared_before_the_step",
        "            opt.step()\n",
        "            opt.zero_grad()\n            opt.step()\n",
        "takes_a_step_of_gradient_descent",
        "The gradients are cleared after they are computed and before the step is taken: the "
        "step finds none.",
    ),
    training(
        "an_optimiser_for_each_epoch",
        "        total = 0.0\n",
        "        total, opt = 0.0, kind(model.parameters(), lr=learning_rate)\n",
        "learns_a_sine",
        "A new optimiser is made for each epoch or batch. It remembers nothing of the steps "
        "before, so that Adam's are all as long as its first. Make it once, before the loop.",
        keeps=0.5,
    ),
    training(
        "least_loss_so_far",
        "    return losses\n",
        "    return np.minimum.accumulate(losses).tolist()\n",
        "returns_the_mean_loss_of_every_epoch",
        "Where the loss rises, the list repeats the least one before. Each epoch has a loss of "
        "its own.",
    ),
    training(
        "broadcasting",
        _SHAPES,
        "",
        "refuses_to_broadcast",
        "(N, 1) minus (N,) is an (N, N) table: every prediction is compared with every target, and "
        "the network learns their mean. Compare the shapes first, and raise an error.",
    ),
    training(
        "reshaped_without_a_word",
        _SHAPES,
        "            y_b = y_b.reshape(y_pred.shape)\n",
        "refuses_to_broadcast_in_batches",
        "A y of another shape is reshaped without a word. An error is asked for: another shape "
        "may mean other data.",
    ),
    training(
        "no_training_mode",
        "    model.train()\n",
        "",
        "learns_in_training_mode",
        "The model stays in the mode that it comes in, where dropout may be off. It is to "
        "learn in training mode, whatever mode it comes in.",
    ),
    training(
        "evaluation_mode_after_the_first_epoch",
        "        losses.append(total / len(x))\n",
        "        losses.append(total / len(x))\n        model.eval()\n",
        "learns_in_training_mode",
        "From the second epoch on the model is in evaluation mode, and nothing is dropped. "
        "Set the mode back before the next epoch, or switch once, at the end.",
    ),
    training(
        "batches_kept_in_a_list",
        "    for _ in range(epochs):\n        total = 0.0\n        batches = [(x, y)]\n"
        "        if batch_size is not None:\n"
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "    batches = [(x, y)]\n    if batch_size is not None:\n"
        "        batches = list(minibatches(x, y, batch_size, generator))\n"
        "    for _ in range(epochs):\n        total = 0.0\n",
        "makes_new_batches_in_every_epoch",
        "The batches are made once, before the loop, and are the same in every epoch. Make new "
        "ones in each.",
    ),
    training(
        "never_shuffled",
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "            batches = zip(x.split(batch_size), y.split(batch_size))\n",
        "makes_new_batches_in_every_epoch",
        "The batches are cut from the data in their old order, the same in every epoch. Shuffle "
        "first: minibatches does.",
    ),
    training(
        "rows_drawn_with_replacement",
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "            n = -(-len(x) // batch_size)\n"
        "            rows = [torch.randint(len(x), (min(batch_size, len(x) - k * batch_size),),"
        " generator=generator) for k in range(n)]\n"
        "            batches = [(x[r], y[r]) for r in rows]\n",
        "shows_every_row_once_an_epoch",
        "The rows of each batch are drawn anew from all data, so that some come twice in an epoch "
        "and others not at all. Shuffle, and cut the order into batches.",
    ),
    training(
        "loss_of_the_last_batch",
        "            total += loss.item() * len(x_b)\n",
        "            total = loss.item() * len(x)\n",
        "reports_the_mean_over_the_rows",
        "The history holds the loss of each epoch's last batch. The mean over all rows is asked "
        "for.",
    ),
    training(
        "no_evaluation_mode",
        "    model.eval()\n",
        "",
        "ends_in_evaluation_mode",
        "The model is left in training mode, so that whoever uses it next gets dropout. The "
        "mode has to change when the training is over.",
    ),
    training(
        "sum_of_squares",
        "torch.mean((y_pred - y_b) ** 2)",
        "torch.sum((y_pred - y_b) ** 2)",
        "takes_a_step_of_gradient_descent",
        "The loss is the sum of the squares, and each step is too large by their number. Take "
        "the mean.",
    ),
    training(
        "half_the_mean_square",
        "torch.mean((y_pred - y_b) ** 2)",
        "0.5 * torch.mean((y_pred - y_b) ** 2)",
        "takes_a_step_of_gradient_descent",
        "The loss has a factor ½ that was not asked for.",
    ),
    training(
        "huber_in_its_place",
        "            loss.backward()\n",
        "            torch.nn.functional.huber_loss(y_pred, y_b).backward()\n",
        "takes_a_step_for_every_batch",
        "The history tells of the squares, but the network learns by Huber's loss. Take the "
        "gradient of the mean squared error.",
    ),
    training(
        "mean_absolute_error",
        "torch.mean((y_pred - y_b) ** 2)",
        "torch.mean(torch.abs(y_pred - y_b))",
        "takes_a_step_of_gradient_descent",
        "The loss is the mean absolute error. The mean of the squares is asked for.",
    ),
    training(
        "batches_ignored",
        "        if batch_size is not None:\n"
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "",
        "takes_a_step_for_every_batch",
        "batch_size has no effect: all data are used at once.",
    ),
    training(
        "one_batch_an_epoch",
        "            total += loss.item() * len(x_b)\n",
        "            total = loss.item() * len(x)\n            break\n",
        "takes_a_step_for_every_batch",
        "Each epoch ends after its first batch.",
    ),
    training(
        "batches_made_once",
        "    for _ in range(epochs):\n        total = 0.0\n        batches = [(x, y)]\n"
        "        if batch_size is not None:\n"
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "    batches = [(x, y)]\n    if batch_size is not None:\n"
        "        batches = minibatches(x, y, batch_size, generator)\n"
        "    for _ in range(epochs):\n        total = 0.0\n",
        "learns_in_mini_batches",
        "The batches are made once, before the loop, and are used up after one epoch. Make new "
        "ones in each.",
    ),
    training(
        "sum_of_the_batches",
        "losses.append(total / len(x))",
        "losses.append(total)",
        "returns_the_mean_loss_of_every_epoch",
        "The losses of an epoch are added up. Their mean over the data is asked for.",
    ),
    training(
        "mean_of_the_batches",
        "            total += loss.item() * len(x_b)\n        losses.append(total / len(x))\n",
        "            total += loss.item()\n"
        "        losses.append(total / -(-len(x) // (batch_size or len(x))))\n",
        "reports_the_mean_over_the_rows",
        "Every batch counts alike in the mean, the short last one too. The mean is over the rows: "
        "weight each batch's loss with its size.",
    ),
    training(
        "loss_after_the_step",
        "            total += loss.item() * len(x_b)\n",
        "            with torch.no_grad():\n"
        "                total += torch.mean((model(x_b) - y_b) ** 2).item() * len(x_b)\n",
        "returns_the_mean_loss_of_every_epoch",
        "The loss is taken after the step. The history holds each batch's loss before its step, so "
        "that it begins with the untrained network.",
    ),
    training(
        "last_loss_only",
        "    return losses\n",
        "    return losses[-1]\n",
        "returns_the_mean_loss_of_every_epoch",
        "Only the last loss comes back. A list with one for each epoch is asked for.",
    ),
    training(
        "model_returned",
        "    return losses\n",
        "    return model\n",
        "returns_the_mean_loss_of_every_epoch",
        "The model comes back. It is trained in place; return the list of losses.",
    ),
    training(
        "every_batch_a_loss",
        "            total += loss.item() * len(x_b)\n        losses.append(total / len(x))\n",
        "            losses.append(loss.item())\n",
        "returns_the_mean_loss_of_every_epoch",
        "The list has a loss for every batch. One for each epoch is asked for.",
    ),
    training(
        "a_copy_is_trained",
        "    losses = []\n",
        "    import copy\n\n    model = copy.deepcopy(model)\n"
        "    opt = kind(model.parameters(), lr=learning_rate)\n    losses = []\n",
        "learns_a_sine",
        "A copy of the model is trained, and the model itself stays as it was.",
    ),
    training(
        "no_step",
        "            opt.step()\n",
        "",
        "learns_a_sine",
        "The weights never move: the optimiser takes no step, or zero_grad stands between "
        "backward and step.",
    ),
    training(
        "rate_ignored",
        "lr=learning_rate",
        "lr=1e-3",
        "takes_a_step_of_gradient_descent",
        "The learning rate is fixed. It is an argument.",
    ),
    training(
        "optimiser_ignored",
        'torch.optim.SGD if optimiser == "sgd" else torch.optim.Adam',
        "torch.optim.Adam",
        "takes_a_step_of_gradient_descent",
        'optimiser has no effect: "sgd" asks for plain gradient descent, without Adam.',
    ),
    training(
        "adamw_for_adam",
        "torch.optim.Adam\n",
        "torch.optim.AdamW\n",
        "takes_a_step_of_adam",
        'This is AdamW, which shrinks every parameter in each step. "adam" asks for Adam alone.',
        keeps=0.95,
    ),
    training(
        "rmsprop_for_adam",
        "torch.optim.Adam\n",
        "torch.optim.RMSprop\n",
        "takes_a_step_of_adam",
        'This is RMSprop, whose first steps are ten times as large. "adam" asks for Adam.',
        keeps=0.95,
    ),
    training(
        "momentum_in_gradient_descent",
        "opt = kind(model.parameters(), lr=learning_rate)",
        'more = {"momentum": 0.9} if optimiser == "sgd" else {}\n'
        "    opt = kind(model.parameters(), lr=learning_rate, **more)",
        "takes_a_step_for_every_batch",
        "The gradient descent has momentum: its later steps follow earlier gradients as well. "
        '"sgd" asks for plain gradient descent.',
        keeps=0.5,
    ),
    training(
        "always_in_batches",
        "        if batch_size is not None:\n"
        "            batches = minibatches(x, y, batch_size, generator)\n",
        "        batches = minibatches(x, y, batch_size or 32, generator)\n",
        "takes_a_step_of_gradient_descent",
        "Without a batch_size the data still come in batches. Then all of them make one step.",
        keeps=0.95,
    ),
    training(
        "global_shuffling",
        "minibatches(x, y, batch_size, generator)",
        "minibatches(x, y, batch_size, None)",
        "repeats_itself",
        "The batches come from the global random state. Hand `generator` on, so that a seed gives "
        "the same training again.",
    ),
    training(
        "data_changed",
        "    losses = []\n",
        "    losses = []\n    x -= 1e-3 * x.mean()\n",
        "leaves_the_data_unchanged",
        "The caller's x has other values after the training: `-=` and its kind write into a "
        "tensor.",
    ),
    training(
        "output_layer_only",
        "kind(model.parameters(), lr=learning_rate)",
        "kind(list(model.parameters())[-2:], lr=learning_rate)",
        "moves_every_layer",
        "Only the last layer learns. The optimiser should get all of model.parameters().",
    ),
    training(
        "stops_too_soon",
        "range(epochs)",
        "range(min(epochs, 20))",
        "brings_the_loss_down",
        "The training stops while the loss is still falling: use the epochs that are given.",
    ),
]
