"""Known wrong answers to backprop."""

import numpy as np

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.backprop import backward, forward, he_initialise, mse_loss, sigmoid, tanh

# What an exercise is about: an answer that fails one of these checks keeps at most half.
POINTS = {
    "activation_gradients": {"are_exact"},
    "count_parameters": {"one_hidden_layer", "any_depth"},
    "he_initialise": {"spread"},
    "forward": {"any_size"},
    "mse_loss": {"one_output", "several_outputs"},
    "backward": {"is_exact"},
    "train": {"descends"},
    "deep_backward": {"is_exact", "depth", "follows_the_activation"},
}


slip = Bank(__name__, POINTS).slip

_SEVEN_DIGITS_OF_16 = "what it computes is in float32, which keeps 7 digits of 16."
_SEVEN_DIGITS = "The gradients are in float32, which keeps 7 digits of 16: they are not exact."


# ------------------------------------------------------------------------- activations

_SIGMOID = """    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)"""

activations = [
    slip(
        "activations",
        "sigmoid_cut_off_early",
        _SIGMOID,
        "    return 1 / (1 + np.exp(-np.clip(z, -20, 20)))",
        "sigmoid_far_out",
        "sigmoid: z is cut off so early that the result is not yet 0 or 1 there. The exponential "
        "overflows much further out.",
    ),
    slip(
        "activations",
        "leaky_in_place",
        "return np.where(z > 0, z, slope * z)",
        "z[z < 0] *= slope\n    return z",
        "leave_z",
        "leaky_relu: it writes into the array that it was given, and the caller still needs that "
        "one. Work on a new array.",
    ),
    slip(
        "activations",
        "relu_in_one_row",
        "return np.maximum(z, 0.0)",
        "return np.array([max(0.0, one) for one in z.ravel()])",
        "any_shape",
        "relu: the numbers come back in one row, whatever shape they came in.",
    ),
    slip(
        "activations",
        "leaky_over_two_axes",
        "return np.where(z > 0, z, slope * z)",
        "out = np.empty_like(z)\n    for i in range(z.shape[0]):\n"
        "        for j in range(z.shape[1]):\n"
        "            out[i, j] = z[i, j] if z[i, j] > 0 else slope * z[i, j]\n    return out",
        "any_shape",
        "leaky_relu: the loops run over two axes, and z may have one, or three.",
    ),
    slip(
        "activations",
        "leaky_slope_everywhere",
        "return np.where(z > 0, z, slope * z)",
        "return np.maximum(z, 0.0) + slope * z",
        "leaky_relu",
        "leaky_relu: slope · z is added where z is positive too. There the result is z alone.",
    ),
    slip(
        "activations",
        "sigmoid_in_float32",
        _SIGMOID,
        "    return (1 / (1 + np.exp(-np.clip(z, -700, 700)))).astype(np.float32)",
        "keep_float64",
        "sigmoid: the result is cut down to float32. A gradient checked by finite differences "
        "needs the sixteen digits of float64.",
    ),
    slip(
        "activations",
        "sigmoid_overflows",
        _SIGMOID,
        "    return 1 / (1 + np.exp(-z))",
        "sigmoid_far_out",
        "sigmoid: e^(-z) overflows for large negative z. Write it so that only exponentials of "
        "negative numbers are ever taken.",
    ),
    slip(
        "activations",
        "sigmoid_as_a_ratio",
        _SIGMOID,
        "    return np.exp(z) / (1 + np.exp(z))",
        "sigmoid_far_out",
        "sigmoid: e^z overflows for large positive z, and infinity over infinity is no number. "
        "Write it so that only exponentials of negative numbers are ever taken.",
    ),
    slip(
        "activations",
        "sigmoid_both_branches",
        _SIGMOID,
        "    return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))",
        "sigmoid_far_out",
        "sigmoid: np.where computes both branches for every z and only then chooses, so each "
        "branch overflows where the other one is wanted.",
    ),
    slip(
        "activations",
        "sigmoid_clipped_early",
        _SIGMOID,
        "    return 1 / (1 + np.exp(-np.clip(z, -10, 10)))",
        "sigmoid_far_out",
        "sigmoid: z is cut off so early that the cut shows. Where e^(-z) is still a number there "
        "is no need to cut.",
    ),
    slip(
        "activations",
        "sigmoid_mirrored",
        _SIGMOID,
        "    return 1 - np.where(z >= 0, 1.0, np.exp(-np.abs(z))) / (1.0 + np.exp(-np.abs(z)))",
        "sigmoid",
        "sigmoid: it falls where it should rise: look at the sign in the exponent. Large "
        "positive z gives 1, large negative z gives 0.",
    ),
    slip(
        "activations",
        "tanh_by_exponentials",
        "return np.tanh(z)",
        "return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))",
        "tanh_far_out",
        "tanh: the definition is right, but its exponentials overflow, and infinity over infinity "
        "is no number. Divide out the larger one first, or use what NumPy has.",
    ),
    slip(
        "activations",
        "tanh_of_half",
        "return np.tanh(z)",
        "return 2 * sigmoid(z) - 1",
        "tanh",
        "tanh: a stretched sigmoid is tanh, but of which argument? sigmoid has e^(-z), tanh has "
        "e^(-2z).",
    ),
    slip(
        "activations",
        "relu_largest_entry",
        "return np.maximum(z, 0.0)",
        "return np.max(z, 0)",
        "relu",
        "relu: np.max looks for the largest entry along an axis. What is wanted compares each "
        "entry with zero.",
    ),
    slip(
        "activations",
        "relu_absolute",
        "return np.maximum(z, 0.0)",
        "return np.abs(z)",
        "relu",
        "relu: negative numbers become zero, they do not change their sign.",
    ),
    slip(
        "activations",
        "relu_in_place",
        "return np.maximum(z, 0.0)",
        "z[z < 0] = 0\n    return z",
        "leave_z",
        "relu: it writes its zeros into the array that it was given, and the caller still needs "
        "that one: the gradient asks for z later. Work on a new array.",
    ),
    slip(
        "activations",
        "relu_one_axis",
        "return np.maximum(z, 0.0)",
        "return np.array([max(0.0, z[i]) for i in range(len(z))])",
        "any_shape",
        "relu: it works for a single row of numbers. A layer is a table, a row per sample; "
        "what works on whole arrays works on any shape.",
    ),
    slip(
        "activations",
        "relu_becomes_integer",
        "return np.maximum(z, 0.0)",
        "return np.vectorize(lambda v: v if v > 0 else 0)(z)",
        "relu",
        "relu: what stands after the decimal point is cut off, because the result is of an "
        "integer type. np.vectorize, say, takes its type from the first result: an integer 0 "
        "makes integers of all.",
    ),
    slip(
        "activations",
        "leaky_sides_exchanged",
        "np.where(z > 0, z, slope * z)",
        "np.where(z > 0, slope * z, z)",
        "leaky_relu",
        "leaky_relu: the small slope belongs to the negative side.",
    ),
    slip(
        "activations",
        "leaky_hundredth",
        "def leaky_relu(z: np.ndarray, slope: float = 0.1)",
        "def leaky_relu(z: np.ndarray, slope: float = 0.01)",
        "leaky_relu",
        "leaky_relu: without a second argument the slope is a tenth, not a hundredth.",
    ),
    slip(
        "activations",
        "leaky_ignores_slope",
        "np.where(z > 0, z, slope * z)",
        "np.where(z > 0, z, 0.1 * z)",
        "slope",
        "leaky_relu: the slope is written into the formula, and the argument of that name is "
        "never used.",
    ),
    slip(
        "activations",
        "leaky_constant",
        "np.where(z > 0, z, slope * z)",
        "np.where(z > 0, z, slope)",
        "leaky_relu",
        "leaky_relu: below zero it is a line of that slope, not a constant.",
    ),
]

# ---------------------------------------------------------------- activation_gradients

_SIGMOID_GRADIENT = """    s = sigmoid(z)
    return s * (1.0 - s)"""

activation_gradients = [
    slip(
        "activation_gradients",
        "sigmoid_by_the_formula_of_tanh",
        "    return s * (1.0 - s)",
        "    return 1.0 - s**2",
        "sigmoid",
        "sigmoid_gradient: 1 − s² is the slope of tanh, in terms of tanh itself. The sigmoid's is "
        "another.",
    ),
    slip(
        "activation_gradients",
        "sigmoid_by_small_steps",
        "    return s * (1.0 - s)",
        "    return (sigmoid(z + 1e-6) - sigmoid(z - 1e-6)) / 2e-6",
        "are_exact",
        "sigmoid_gradient: a difference over a small step is right to some digits only. Take the "
        "derivative on paper.",
    ),
    slip(
        "activation_gradients",
        "sigmoid_of_its_output",
        _SIGMOID_GRADIENT,
        "    return z * (1.0 - z)",
        "sigmoid",
        "sigmoid_gradient: s (1 − s) is right for s, the value of sigmoid; what comes in is z.",
    ),
    slip(
        "activation_gradients",
        "sigmoid_sign_inside",
        "return s * (1.0 - s)",
        "return s * (1.0 + s)",
        "sigmoid",
        "sigmoid_gradient: the slope of sigmoid has to vanish at both ends. Differentiate "
        "1 / (1 + e^(-z)) once more with care for the signs.",
    ),
    slip(
        "activation_gradients",
        "sigmoid_by_exponentials",
        _SIGMOID_GRADIENT,
        "    return np.exp(-z) / (1 + np.exp(-z)) ** 2",
        "vanish_far_out",
        "sigmoid_gradient: the formula is right, but its exponentials overflow far out, and "
        "infinity over infinity is no number. Your sigmoid is already safe: express the slope "
        "through it.",
    ),
    slip(
        "activation_gradients",
        "tanh_of_its_output",
        "return 1.0 - tanh(z) ** 2",
        "return 1.0 - z**2",
        "tanh",
        "tanh_gradient: 1 − t² is right for t, the value of tanh; what comes in is z.",
    ),
    slip(
        "activation_gradients",
        "tanh_without_square",
        "return 1.0 - tanh(z) ** 2",
        "return 1.0 - tanh(z)",
        "tanh",
        "tanh_gradient: a square is missing: the slope of tanh is the same at z and −z.",
    ),
    slip(
        "activation_gradients",
        "relu_one_at_zero",
        "np.where(z > 0, 1.0, 0.0)",
        "np.where(z >= 0, 1.0, 0.0)",
        "relu_at_zero",
        "relu_gradient: at exactly zero there is a corner; this course takes the slope 0 there.",
    ),
    slip(
        "activation_gradients",
        "relu_half_at_zero",
        "np.where(z > 0, 1.0, 0.0)",
        "np.heaviside(z, 0.5)",
        "relu_at_zero",
        "relu_gradient: at exactly zero there is a corner. The mean of both sides is a fair "
        "choice, but this course takes 0.",
    ),
    slip(
        "activation_gradients",
        "relu_by_division",
        "np.where(z > 0, 1.0, 0.0)",
        "relu(z) / z",
        "relu_at_zero",
        "relu_gradient: relu(z) / z is 0/0 at z = 0. Compare instead of dividing.",
    ),
    slip(
        "activation_gradients",
        "relu_itself",
        "np.where(z > 0, 1.0, 0.0)",
        "np.where(z > 0, z, 0.0)",
        "relu",
        "relu_gradient: this is relu, not its slope. How fast does relu rise where z is positive?",
    ),
    slip(
        "activation_gradients",
        "relu_true_and_false",
        "np.where(z > 0, 1.0, 0.0)",
        "z > 0",
        "relu",
        "relu_gradient: a comparison gives True and False; a slope is a number.",
    ),
    slip(
        "activation_gradients",
        "relu_in_place",
        "    return np.where(z > 0, 1.0, 0.0)",
        "    z[z > 0] = 1.0\n    z[z < 0] = 0.0\n    return z",
        "leave_z",
        "relu_gradient: it writes into the array that it was given, which the caller still "
        "needs. Work on a new array.",
    ),
    slip(
        "activation_gradients",
        "relu_one_axis",
        "np.where(z > 0, 1.0, 0.0)",
        "np.array([1.0 if z[i] > 0 else 0.0 for i in range(len(z))])",
        "any_shape",
        "relu_gradient: it works for a single row of numbers. A layer is a table, a row per "
        "sample; what works on whole arrays works on any shape.",
    ),
    slip(
        "activation_gradients",
        "leaky_zero_below",
        "np.where(z > 0, 1.0, slope)",
        "np.where(z > 0, 1.0, 0.0)",
        "leaky_relu",
        "leaky_relu_gradient: below zero this is the slope of relu; the leaky one still rises "
        "there.",
    ),
    slip(
        "activation_gradients",
        "leaky_times_z",
        "np.where(z > 0, 1.0, slope)",
        "np.where(z > 0, 1.0, slope * z)",
        "leaky_relu",
        "leaky_relu_gradient: the derivative of slope · z with respect to z has no z left in it.",
    ),
    slip(
        "activation_gradients",
        "leaky_ignores_slope",
        "np.where(z > 0, 1.0, slope)",
        "np.where(z > 0, 1.0, 0.1)",
        "slope",
        "leaky_relu_gradient: a tenth is written into the formula, and the argument slope is "
        "never used.",
    ),
]


@mistake(
    "activation_gradients",
    caught_by="are_exact",
    keeps=0.5,
    hint="sigmoid_gradient: steps to both sides, near and far, keep many digits where sigmoid is "
    "steep and few where it hardly changes. Differentiate on paper.",
)
def steps_near_and_far():
    def sigmoid_gradient(z):
        near, far = (sigmoid(z + h) - sigmoid(z - h) for h in (1e-3, 2e-3))
        return (8 * near - far) / 12e-3

    def tanh_gradient(z):
        return 1 - tanh(z) ** 2

    def relu_gradient(z):
        return np.where(z > 0, 1.0, 0.0)

    def leaky_relu_gradient(z, slope=0.1):
        return np.where(z > 0, 1.0, slope)


@mistake(
    "activation_gradients",
    caught_by="are_exact",
    keeps=0.5,
    hint="tanh_gradient: a difference over a small step keeps some ten digits. Differentiate on "
    "paper and put z into the result.",
)
def small_steps():
    def sigmoid_gradient(z):
        return 1 / (2 + 2 * np.cosh(z)) if np.abs(z).max() < 300 else np.zeros(z.shape)

    def tanh_gradient(z):
        return (np.tanh(z + 1e-5) - np.tanh(z - 1e-5)) / 2e-5

    def relu_gradient(z):
        return np.where(z > 0, 1.0, 0.0)

    def leaky_relu_gradient(z, slope=0.1):
        return np.where(z > 0, 1.0, slope)


@mistake(
    "activation_gradients",
    caught_by="are_arrays",
    hint="relu_gradient: the numbers are right, but they come back in a list; the way back "
    "multiplies arrays.",
)
def in_a_list():
    def sigmoid_gradient(z):
        s = 0.5 + 0.5 * np.tanh(z / 2)
        return s * (1 - s)

    def tanh_gradient(z):
        return 1 - np.tanh(z) ** 2

    def relu_gradient(z):
        return np.where(z > 0, 1.0, 0.0).tolist()

    def leaky_relu_gradient(z, slope=0.1):
        return np.where(z > 0, 1.0, slope)


# -------------------------------------------------------------------- count_parameters

_COUNT = "total += (layer_sizes[layer - 1] + 1) * layer_sizes[layer]"

count_parameters = [
    slip(
        "count_parameters",
        "no_biases",
        _COUNT,
        "total += layer_sizes[layer - 1] * layer_sizes[layer]",
        "one_hidden_layer",
        "The weights are counted, the biases are not: every neuron behind the input has one.",
    ),
    slip(
        "count_parameters",
        "biases_of_the_layer_below",
        _COUNT,
        "total += layer_sizes[layer - 1] * (layer_sizes[layer] + 1)",
        "one_hidden_layer",
        "A bias belongs to the neuron that it is added to: as many as the layer has outputs, not "
        "inputs.",
    ),
    slip(
        "count_parameters",
        "one_bias_per_layer",
        _COUNT,
        "total += layer_sizes[layer - 1] * layer_sizes[layer] + 1",
        "one_hidden_layer",
        "One bias per layer is too few: each neuron of a layer has its own.",
    ),
    slip(
        "count_parameters",
        "biases_of_the_input",
        "total = 0",
        "total = layer_sizes[0]",
        "one_hidden_layer",
        "The input has no biases: its numbers are given, nothing is added to them.",
    ),
    slip(
        "count_parameters",
        "output_without_bias",
        "return total",
        "return total - layer_sizes[-1]",
        "one_hidden_layer",
        "The output layer has biases too, one per output.",
    ),
    slip(
        "count_parameters",
        "as_a_float",
        "return total",
        "return float(total)",
        "is_an_integer",
        "The number is right, but it is a float; something that is counted is an int.",
    ),
    slip(
        "count_parameters",
        "first_two_layers_only",
        "range(1, len(layer_sizes))",
        "range(1, min(3, len(layer_sizes)))",
        "any_depth",
        "Only the first two layers of weights are counted; a network may have more.",
    ),
]


@mistake(
    "count_parameters",
    caught_by="several_outputs",
    hint="(d + 2) h + 1 holds for one hidden layer and one output only. Add up layer by layer.",
)
def closed_form_for_one_hidden_layer():
    def count_parameters(layer_sizes):
        return (layer_sizes[0] + 2) * layer_sizes[1] + 1


@mistake(
    "count_parameters",
    caught_by="leaves_the_list",
    hint="The number is right, but the list is empty afterwards: pop takes from the caller's own "
    "list.",
)
def uses_up_the_list():
    def count_parameters(layer_sizes):
        total = 0
        n_in = layer_sizes.pop(0)
        while layer_sizes:
            n_out = layer_sizes.pop(0)
            total += (n_in + 1) * n_out
            n_in = n_out
        return total


@mistake(
    "count_parameters",
    caught_by="no_hidden_layer",
    hint="Hidden layers and output are counted apart, which goes wrong when no layer is hidden. "
    "Every layer of weights follows the same rule.",
)
def hidden_and_output_apart():
    def count_parameters(layer_sizes):
        total = (layer_sizes[0] + 1) * layer_sizes[1]
        for layer in range(1, len(layer_sizes) - 2):
            total += (layer_sizes[layer] + 1) * layer_sizes[layer + 1]
        return total + (layer_sizes[-2] + 1) * layer_sizes[-1]


# ----------------------------------------------------------------------- he_initialise

_DRAW = "rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_in, n_out))"

he = [
    slip(
        "he_initialise",
        "fan_out",
        "np.sqrt(2.0 / n_in)",
        "np.sqrt(2.0 / n_out)",
        "spread",
        "The spread follows from the neurons that feed a layer, n_in, not from those it feeds: "
        "n_in products are added up, and their sum should keep its size.",
    ),
    slip(
        "he_initialise",
        "no_factor_two",
        "np.sqrt(2.0 / n_in)",
        "np.sqrt(1.0 / n_in)",
        "spread",
        "√(1/n_in) is right for a linear layer. ReLU silences half of what comes in; the 2 makes "
        "up for that.",
    ),
    slip(
        "he_initialise",
        "glorot",
        "np.sqrt(2.0 / n_in)",
        "np.sqrt(2.0 / (n_in + n_out))",
        "spread",
        "√(2/(n_in + n_out)) is Glorot's rule, made for tanh. He's has n_in alone.",
    ),
    slip(
        "he_initialise",
        "variance_for_deviation",
        "np.sqrt(2.0 / n_in)",
        "2.0 / n_in",
        "spread",
        "2/n_in is the variance; what scales a random number is its standard deviation.",
    ),
    slip(
        "he_initialise",
        "not_scaled",
        "rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_in, n_out))",
        "rng.normal(size=(n_in, n_out))",
        "spread",
        "The weights have a spread of 1 whatever the layer's size: the sum over many inputs then "
        "grows from layer to layer.",
    ),
    slip(
        "he_initialise",
        "uniform_within",
        _DRAW,
        "rng.uniform(-1.0, 1.0, size=(n_in, n_out)) * np.sqrt(2.0 / n_in)",
        "spread",
        "Uniform numbers between −1 and 1 have a standard deviation of 1/√3, not 1; normal "
        "ones are asked for.",
    ),
    slip(
        "he_initialise",
        "uniform_with_the_right_spread",
        _DRAW,
        "rng.uniform(-np.sqrt(6.0 / n_in), np.sqrt(6.0 / n_in), size=(n_in, n_out))",
        "is_normal",
        "The spread is right and the distribution is not: these numbers are uniform, and normal "
        "ones are asked for.",
    ),
    slip(
        "he_initialise",
        "never_negative",
        _DRAW,
        "np.abs(rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_in, n_out)))",
        "centred",
        "All weights are positive. They should be drawn around zero: a normal distribution of "
        "mean 0.",
    ),
    slip(
        "he_initialise",
        "numbers_from_zero_to_one",
        _DRAW,
        "rng.random((n_in, n_out)) * np.sqrt(2.0 / n_in)",
        "centred",
        "Random numbers from 0 to 1 are all positive. They should be drawn around zero: a "
        "normal distribution of mean 0.",
    ),
    slip(
        "he_initialise",
        "first_layer_for_all",
        "np.sqrt(2.0 / n_in)",
        "np.sqrt(2.0 / layer_sizes[0])",
        "spread",
        "Every layer uses the size of the input; each has an n_in of its own.",
    ),
    slip(
        "he_initialise",
        "transposed",
        _DRAW,
        "rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_out, n_in))",
        "shapes",
        "W is transposed: samples are rows here, x @ W, so W has n_in rows and n_out columns.",
    ),
    slip(
        "he_initialise",
        "flat_biases",
        "np.zeros((1, n_out))",
        "np.zeros(n_out)",
        "shapes",
        "The biases have one axis only. In this notebook b is a row, (1, n_out), and so is its "
        "gradient.",
    ),
    slip(
        "he_initialise",
        "random_biases",
        "np.zeros((1, n_out))",
        "rng.normal(0.0, np.sqrt(2.0 / n_in), size=(1, n_out))",
        "biases",
        "The biases are drawn too; He's rule is for the weights, and biases start at zero.",
    ),
    slip(
        "he_initialise",
        "biases_of_a_tenth",
        "np.zeros((1, n_out))",
        "np.full((1, n_out), 0.1)",
        "biases",
        "Biases start at zero here, not at a small positive number.",
    ),
    slip(
        "he_initialise",
        "global_numbers",
        "rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_in, n_out))",
        "np.random.randn(n_in, n_out) * np.sqrt(2.0 / n_in)",
        "uses_rng_alone",
        "The numbers come from NumPy's global state. Draw from the rng that was passed, or "
        "nobody can repeat the run.",
    ),
    slip(
        "he_initialise",
        "rng_of_its_own",
        "    parameters = []",
        "    rng = np.random.default_rng(0)\n    parameters = []",
        "uses_rng_alone",
        "A generator is made inside, so every network starts alike. Use the rng that was passed.",
    ),
    slip(
        "he_initialise",
        "rng_copied",
        "    parameters = []",
        "    import copy\n\n    rng = copy.deepcopy(rng)\n    parameters = []",
        "uses_rng_alone",
        "The numbers come from a copy of rng, which itself stays where it was: two networks in a "
        "row start alike. Draw from rng itself.",
    ),
    slip(
        "he_initialise",
        "equal_rows",
        _DRAW,
        "np.ones((n_in, 1)) * rng.normal(0.0, np.sqrt(2.0 / n_in), size=(1, n_out))",
        "fresh_draws",
        "All weights of a neuron are equal: one random number was drawn and copied. Each weight "
        "needs its own.",
    ),
    slip(
        "he_initialise",
        "scaled_by_their_own_spread",
        _DRAW,
        "np.sqrt(2.0 / n_in) * (lambda z: z / np.sqrt(np.mean(z**2)))(\n"
        "            rng.normal(size=(n_in, n_out))\n        )",
        "independent",
        "The numbers are divided by their own spread, so that it comes out exactly. Then they hang "
        "together: of independent numbers only the mean over many draws is known.",
    ),
    slip(
        "he_initialise",
        "all_zero",
        _DRAW,
        "np.zeros((n_in, n_out))",
        "spread",
        "With all weights zero every hidden neuron does the same for ever: chance has to tell "
        "them apart.",
    ),
]

# ----------------------------------------------------------------------------- forward

forward_ = [
    slip(
        "forward",
        "in_float32",
        "    return z1, a1, z2",
        "    return tuple(one.astype(np.float32) for one in (z1, a1, z2))",
        "keeps_float64",
        "The results are cut down to float32. A gradient checked by finite differences needs the "
        "sixteen digits of float64.",
    ),
    slip(
        "forward",
        "no_first_bias",
        "z1 = x @ W1 + b1",
        "z1 = x @ W1",
        "z1",
        "b1 is not added: every ReLU then has its corner at x = 0.",
    ),
    slip(
        "forward",
        "no_second_bias",
        "z2 = a1 @ W2 + b2",
        "z2 = a1 @ W2",
        "z2",
        "b2 is not added to the output.",
    ),
    slip(
        "forward",
        "has_an_upper_end",
        "a1 = relu(z1)",
        "a1 = np.clip(z1, 0, 20)",
        "a1",
        "What is above 20 is cut off. A ReLU has no upper end.",
    ),
    slip(
        "forward",
        "linear_hidden_layer",
        "a1 = relu(z1)",
        "a1 = z1",
        "a1",
        "There is no activation: without it two layers are one straight line.",
    ),
    slip(
        "forward",
        "tanh_hidden_layer",
        "a1 = relu(z1)",
        "a1 = np.tanh(z1)",
        "a1",
        "The hidden layer uses tanh; this exercise asks for ReLU.",
    ),
    slip(
        "forward",
        "relu_at_the_output",
        "z2 = a1 @ W2 + b2",
        "z2 = relu(a1 @ W2 + b2)",
        "z2",
        "The output has an activation, so it can never be negative; a sine can. The output layer "
        "is linear.",
    ),
    slip(
        "forward",
        "first_output_for_all",
        "z2 = a1 @ W2 + b2",
        "z2 = a1 @ W2[:, :1] + b2",
        "any_size",
        "All outputs have the weights of the first one: W2 has a column for each.",
    ),
    slip(
        "forward",
        "output_from_z1",
        "z2 = a1 @ W2 + b2",
        "z2 = z1 @ W2 + b2",
        "z2",
        "The output is computed from z1, so the activation is computed but never used.",
    ),
    slip(
        "forward",
        "relu_into_z1",
        "a1 = relu(z1)",
        "a1 = z1\n    a1[a1 < 0] = 0.0",
        "z1",
        "z1 has gone through ReLU as well: z1 is what enters the neurons, and the way back "
        "needs it as it was. (a1 = z1 gives one array a second name: what changes a1 changes "
        "both.)",
    ),
    slip(
        "forward",
        "first_output_only",
        "z2 = a1 @ W2 + b2",
        "z2 = a1 @ W2[:, :1] + b2[:, :1]",
        "any_size",
        "Only the first output is computed; W2 has a column for each.",
    ),
    slip(
        "forward",
        "flat_output",
        "z2 = a1 @ W2 + b2",
        "z2 = (a1 @ W2 + b2).squeeze()",
        "z2",
        "The output has lost an axis: (N,) minus (N, 1) would be a table of N × N. Keep (N, k).",
    ),
    slip(
        "forward",
        "output_alone",
        "return z1, a1, z2",
        "return z2",
        "shapes",
        "Only the output comes back; the way back needs z1 and a1 as well.",
    ),
    slip(
        "forward",
        "bias_by_the_first_sample",
        "z1 = x @ W1 + b1",
        "z1 = x @ W1\n    z1[0] += b1[0]",
        "z1",
        "b1 is added to the first sample only; it belongs to every row.",
    ),
    slip(
        "forward",
        "centres_the_input",
        "    z1 = x @ W1 + b1",
        "    x -= x.mean(axis=0)\n    z1 = x @ W1 + b1",
        "leaves_its_arguments",
        "x is shifted inside, in the caller's own array. Standardising is done before; forward "
        "takes x as it is.",
    ),
]


@mistake(
    "forward",
    caught_by="shapes",
    hint="The result is transposed: samples are rows here, x @ W, not columns, W x.",
)
def samples_as_columns():
    def forward(x, W1, b1, W2, b2):
        z1 = W1.T @ x.T + b1.T
        a1 = np.maximum(z1, 0.0)
        return z1, a1, W2.T @ a1 + b2.T


# --------------------------------------------------------------- interpolating_network

_BENDS = "    bends = np.diff(slopes, prepend=0.0)"

interpolating_network = [
    slip(
        "interpolating_network",
        "slopes_for_their_changes",
        _BENDS,
        "    bends = slopes",
        "meets_the_points",
        "Each neuron that is awake keeps adding its slope. So a weight in W2 is the change of the "
        "slope at that knot, not the slope of the piece that begins there.",
    ),
    slip(
        "interpolating_network",
        "first_height_forgotten",
        "np.full((1, 1), values[0])",
        "np.zeros((1, 1))",
        "meets_the_points",
        "The whole curve is shifted: left of all knots every neuron sleeps, and b2 alone gives the "
        "height there.",
    ),
    slip(
        "interpolating_network",
        "wakes_at_minus_the_knot",
        "b1 = -knots",
        "b1 = knots",
        "meets_the_points",
        "A neuron wakes up where x·W1 + b1 passes zero. With W1 = 1 that is at x = −b1.",
    ),
    slip(
        "interpolating_network",
        "differences_for_slopes",
        "np.diff(values) / np.diff(knots)",
        "np.diff(values)",
        "meets_the_points",
        "A slope is a difference of heights divided by the distance of the knots, which need not "
        "be 1.",
    ),
    slip(
        "interpolating_network",
        "first_slope_forgotten",
        _BENDS,
        "    bends = np.concatenate([[0.0], np.diff(slopes)])",
        "meets_the_points",
        "The first piece is flat: the neuron at the first knot has to bring in the whole first "
        "slope.",
    ),
    slip(
        "interpolating_network",
        "in_float32",
        "    return W1, b1, bends[:, None], np.full((1, 1), values[0])",
        "    weights = W1, b1, bends[:, None], np.full((1, 1), values[0])\n"
        "    return tuple(one.astype(np.float32) for one in weights)",
        "meets_the_points",
        "The weights are float32, which keeps 7 digits of 16.",
    ),
    slip(
        "interpolating_network",
        "one_knot_late",
        "knots[None, :-1]",
        "knots[None, 1:]",
        "meets_the_points",
        "The corners sit one knot too far to the right: a change of slope belongs to the knot "
        "where the new piece begins.",
    ),
    slip(
        "interpolating_network",
        "even_knots",
        "np.diff(values) / np.diff(knots)",
        "np.diff(values) / (knots[1] - knots[0])",
        "meets_the_points",
        "The spacing of the first two knots is taken for all; each piece has a width of its own.",
    ),
    slip(
        "interpolating_network",
        "weights_in_a_row",
        "bends[:, None]",
        "bends[None, :]",
        "meets_the_points",
        "W2 leads from h hidden neurons to one output: its shape is (h, 1).",
    ),
    slip(
        "interpolating_network",
        "knots_changed",
        "b1 = -knots[None, :-1]",
        "knots *= -1\n    b1 = knots[None, :-1].copy()",
        "leaves_its_arguments",
        "knots and values belong to whoever calls: work on copies of them.",
    ),
    slip(
        "interpolating_network",
        "whole_numbers_stay_whole",
        "np.diff(values) / np.diff(knots)",
        "(np.diff(values) / np.diff(knots)).astype(knots.dtype)",
        "whole_numbers",
        "The points are whole numbers, and so their slopes are cut to whole numbers: an array "
        "of integers cannot hold a half.",
    ),
    slip(
        "interpolating_network",
        "widths_guarded",
        "np.diff(values) / np.diff(knots)",
        "np.diff(values) / (np.diff(knots) + 1e-3)",
        "far_from_zero",
        "Something is added to the width of each piece. Knots ascend, so that no width is zero, "
        "and the slopes become too small.",
    ),
    slip(
        "interpolating_network",
        "random_first_layer",
        "W1 = np.ones((1, len(bends)))",
        "W1 = np.random.uniform(0.5, 2.0, (1, len(bends)))",
        "draws_nothing",
        "W1 is random, and the corners move with it: the same points should give the same network.",
    ),
]


# ---------------------------------------------------------------------------- mse_loss

_MSE = "return float(np.mean((y_pred - y_true) ** 2))"

mse = [
    slip(
        "mse_loss",
        "in_float32",
        _MSE,
        "return float(np.mean((np.float32(y_pred) - np.float32(y_true)) ** 2))",
        "keeps_its_digits",
        "The loss is computed in float32, which keeps 7 digits of 16: a small error beside a large "
        "value is lost.",
    ),
    slip(
        "mse_loss",
        "square_multiplied_out",
        _MSE,
        "return float(np.mean(y_pred**2) - 2 * np.mean(y_pred * y_true) + np.mean(y_true**2))",
        "keeps_its_digits",
        "The square is multiplied out: large numbers are subtracted, and of a small error no digit "
        "is left. Take the difference first.",
    ),
    slip(
        "mse_loss",
        "rounded",
        _MSE,
        "return round(float(np.mean((y_pred - y_true) ** 2)), 4)",
        "one_output",
        "The loss is rounded to some decimals: what is smaller is lost. Round what you print.",
    ),
    slip(
        "mse_loss",
        "half",
        _MSE,
        "return float(np.mean((y_pred - y_true) ** 2) / 2)",
        "one_output",
        "Half the mean: some books put a ½ in front so that the 2 of the derivative cancels. "
        "Here there is none.",
    ),
    slip(
        "mse_loss",
        "difference_of_squares",
        _MSE,
        "return float(np.mean(y_pred**2 - y_true**2))",
        "one_output",
        "The squares are subtracted; what is squared is the difference.",
    ),
    slip(
        "mse_loss",
        "sum",
        _MSE,
        "return float(np.sum((y_pred - y_true) ** 2))",
        "one_output",
        "This is the sum of the squares; the mean does not grow with the number of samples.",
    ),
    slip(
        "mse_loss",
        "root",
        _MSE,
        "return float(np.sqrt(np.mean((y_pred - y_true) ** 2)))",
        "one_output",
        "This is the root of the mean square; the mean square itself is asked for.",
    ),
    slip(
        "mse_loss",
        "absolute",
        _MSE,
        "return float(np.mean(np.abs(y_pred - y_true)))",
        "one_output",
        "This is the mean absolute error; squares are asked for.",
    ),
    slip(
        "mse_loss",
        "square_of_the_mean",
        _MSE,
        "return float(np.mean(y_pred - y_true) ** 2)",
        "perfect",
        "The mean is squared instead of the squares averaged: errors of opposite sign cancel.",
    ),
    slip(
        "mse_loss",
        "mean_difference",
        _MSE,
        "return float(np.mean(y_pred - y_true))",
        "perfect",
        "The square is missing: errors of opposite sign cancel, and the loss can be negative.",
    ),
    slip(
        "mse_loss",
        "samples_only",
        _MSE,
        "return float(np.sum((y_pred - y_true) ** 2) / len(y_true))",
        "several_outputs",
        "The sum is divided by the number of samples; with several outputs there are more "
        "elements than samples.",
    ),
    slip(
        "mse_loss",
        "unbiased",
        _MSE,
        "return float(np.sum((y_pred - y_true) ** 2) / max(y_true.size - 1, 1))",
        "one_output",
        "The −1 belongs to a variance whose mean was estimated; here it is a plain mean.",
    ),
    slip(
        "mse_loss",
        "one_loss_per_output",
        _MSE,
        "return np.mean((y_pred - y_true) ** 2, axis=0)",
        "is_a_number",
        "The mean runs over the samples alone and leaves an array, a loss per output; a loss is "
        "one number.",
    ),
    slip(
        "mse_loss",
        "in_place",
        _MSE,
        "y_pred -= y_true\n    return float(np.mean(y_pred**2))",
        "leaves_its_arguments",
        "−= writes the difference into the caller's y_pred. Work on a new array.",
    ),
    slip(
        "mse_loss",
        "spread_of_the_error",
        _MSE,
        "return float(np.var(y_pred - y_true))",
        "one_sample",
        "np.var takes the mean error off first: a prediction that is off by a constant would "
        "count as perfect.",
    ),
]

# ---------------------------------------------------------------------------- backward

_DELTA2 = "delta2 = 2.0 * (z2 - y_true) / z2.size"
_DELTA1 = "delta1 = (delta2 @ W2.T) * relu_gradient(z1)"
_DB1 = "db1 = delta1.sum(axis=0, keepdims=True)"
_DB2 = "db2 = delta2.sum(axis=0, keepdims=True)"

backward_ = [
    slip(
        "backward",
        "two_forgotten",
        _DELTA2,
        "delta2 = (z2 - y_true) / z2.size",
        "dW2",
        "Every gradient is half of what it should be: the derivative of a square has a factor 2.",
    ),
    slip(
        "backward",
        "opposite_sign",
        _DELTA2,
        "delta2 = 2.0 * (y_true - z2) / z2.size",
        "direction",
        "All signs are turned: the derivative is taken of prediction minus truth with respect to "
        "the prediction. Along this gradient the loss falls; it should rise.",
    ),
    slip(
        "backward",
        "no_mean",
        _DELTA2,
        "delta2 = 2.0 * (z2 - y_true)",
        "dW2",
        "The gradient is that of the sum of squares; the loss is their mean.",
    ),
    slip(
        "backward",
        "mean_over_samples_only",
        _DELTA2,
        "delta2 = 2.0 * (z2 - y_true) / len(x)",
        "several_outputs",
        "The error is divided by the number of samples, but mse_loss averages over the outputs as "
        "well.",
        keeps=0.5,
    ),
    slip(
        "backward",
        "truth_forgotten",
        _DELTA2,
        "delta2 = 2.0 * z2 / z2.size",
        "direction",
        "y_true does not appear: the error is the prediction minus the truth.",
    ),
    slip(
        "backward",
        "no_activation_slope",
        _DELTA1,
        "delta1 = delta2 @ W2.T",
        "silent_neurons",
        "The error passes the hidden layer as if it were linear. The chain rule has one factor "
        "more there: the slope of the activation at z1.",
    ),
    slip(
        "backward",
        "activation_for_slope",
        _DELTA1,
        "delta1 = (delta2 @ W2.T) * a1",
        "dW1",
        "The error is multiplied by relu(z1); the chain rule asks for its slope at z1.",
    ),
    slip(
        "backward",
        "slope_1_at_the_corner",
        "* relu_gradient(z1)",
        "* (z1 >= 0)",
        "at_the_corner",
        "At exactly z1 = 0 the slope of ReLU is 0 in this course, as relu_gradient has it.",
    ),
    slip(
        "backward",
        "slope_of_sigmoid",
        _DELTA1,
        "delta1 = (delta2 @ W2.T) * a1 * (1 - a1)",
        "dW1",
        "a (1 − a) is the slope of a sigmoid; this hidden layer has ReLU.",
    ),
    slip(
        "backward",
        "product_for_one_output",
        _DELTA1,
        "delta1 = delta2 * W2.T * relu_gradient(z1)",
        "several_outputs",
        "The product with W2 is taken number by number, which works for one output. With several, "
        "each hidden neuron collects the errors of all of them.",
    ),
    slip(
        "backward",
        "before_the_activation",
        "a1.T @ delta2",
        "z1.T @ delta2",
        "dW2",
        "dW2 is computed with z1; what W2 multiplies is a1.",
    ),
    slip(
        "backward",
        "output_error_for_both",
        _DB1,
        "db1 = np.full(b1.shape, delta2.sum())",
        "db1",
        "db1 is computed from the error at the output; it needs the error carried back to the "
        "hidden layer.",
    ),
    slip(
        "backward",
        "first_bias_averaged",
        _DB1,
        "db1 = delta1.mean(axis=0, keepdims=True)",
        "db1",
        "db1 is averaged over the samples, but the mean is already in the error at the output. "
        "What reaches one bias from all samples is added up.",
    ),
    slip(
        "backward",
        "second_bias_averaged",
        _DB2,
        "db2 = delta2.mean(axis=0, keepdims=True)",
        "db2",
        "db2 is averaged over the samples, but the mean is already in the error at the output. "
        "What reaches one bias from all samples is added up.",
    ),
    slip(
        "backward",
        "flat_bias_gradient",
        _DB1,
        "db1 = delta1.sum(axis=0)",
        "shapes",
        "db1 has lost an axis: a gradient has the shape of its parameter, (1, h).",
    ),
    slip(
        "backward",
        "one_number_for_all_biases",
        _DB2,
        "db2 = np.full(b2.shape, delta2.sum())",
        "several_outputs",
        "db2 adds up the errors of all outputs; each bias has an error of its own. Sum over the "
        "samples alone.",
    ),
    slip(
        "backward",
        "transposed_weights",
        "return x.T @ delta1, db1, a1.T @ delta2, db2",
        "return delta1.T @ x, db1, delta2.T @ a1, db2",
        "shapes",
        "The weight gradients are transposed; each has the shape of its W.",
    ),
    slip(
        "backward",
        "output_layer_first",
        "return x.T @ delta1, db1, a1.T @ delta2, db2",
        "return a1.T @ delta2, db2, x.T @ delta1, db1",
        "shapes",
        "The gradients come in the order in which they are found; asked for is the order of the "
        "parameters, dW1, db1, dW2, db2.",
    ),
    slip(
        "backward",
        "centres_the_input",
        "    z1, a1, z2 = forward(x, W1, b1, W2, b2)\n",
        "    z1, a1, z2 = forward(x, W1, b1, W2, b2)\n    x = x - x.mean(axis=0)\n",
        "dW1",
        "x is centred inside, so dW1 belongs to other data than those of the loss.",
    ),
    slip(
        "backward",
        "sample_variance",
        _DELTA2,
        "delta2 = 2.0 * (z2 - y_true) / (z2.size - 1)",
        "one_sample",
        "The −1 belongs to an estimated variance; mse_loss is a plain mean, and with one sample "
        "this divides by zero.",
    ),
    slip(
        "backward",
        "takes_the_step",
        "    return x.T",
        "    W1 -= 0.01 * x.T @ delta1\n    W2 -= 0.01 * a1.T @ delta2\n    return x.T",
        "leaves_its_arguments",
        "The weights are changed inside. backward only computes; the step belongs to train.",
    ),
    slip(
        "backward",
        "in_float32",
        "    z1, a1, z2 = forward(x, W1, b1, W2, b2)\n    delta2 =",
        "    x, y_true, W1, b1, W2, b2 = (np.float32(one) for one in (x, y_true, W1, b1, W2, b2))\n"
        "    z1, a1, z2 = forward(x, W1, b1, W2, b2)\n    delta2 =",
        "is_exact",
        _SEVEN_DIGITS,
    ),
    slip(
        "backward",
        "cut_down_to_float32",
        "    return x.T @ delta1, db1, a1.T @ delta2, db2",
        "    found = x.T @ delta1, db1, a1.T @ delta2, db2\n"
        "    return tuple(one.astype(np.float32) for one in found)",
        "is_exact",
        _SEVEN_DIGITS,
    ),
]


@mistake(
    "backward",
    caught_by="is_exact",
    keeps=0.5,
    hint="These gradients come from small steps: right to some digits, wrong at the corners of "
    "ReLU, and one whole forward pass for every weight. Go back through the layers by the chain "
    "rule instead.",
)
def central_differences():
    def backward(x, y_true, W1, b1, W2, b2):
        parameters, gradients = [W1, b1, W2, b2], []
        for which, one in enumerate(parameters):
            gradient = np.zeros_like(one)
            for index in np.ndindex(one.shape):
                ends = []
                for step in (1e-5, -1e-5):
                    moved = [p.copy() for p in parameters]
                    moved[which][index] += step
                    ends.append(mse_loss(forward(x, *moved)[2], y_true))
                gradient[index] = (ends[0] - ends[1]) / 2e-5
            gradients.append(gradient)
        return tuple(gradients)


# ------------------------------------------------------------------------------- train

_LOSS = """        _, _, y_pred = forward(x, W1, b1, W2, b2)
        losses.append(mse_loss(y_pred, y))
"""
_STEP = """        W1 = W1 - learning_rate * dW1
        b1 = b1 - learning_rate * db1
        W2 = W2 - learning_rate * dW2
        b2 = b2 - learning_rate * db2
"""
_HE = "(W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)"

train_ = [
    slip(
        "train",
        "uphill",
        _STEP,
        _STEP.replace(" - ", " + "),
        "descends",
        "The steps go along the gradient, which is uphill; the loss falls against it.",
    ),
    slip(
        "train",
        "rate_of_its_own",
        "        W1 = W1 - learning_rate * dW1",
        "        learning_rate = 0.01\n        W1 = W1 - learning_rate * dW1",
        "descends",
        "The learning rate that was passed is not the one that is used.",
    ),
    slip(
        "train",
        "biases_stay",
        _STEP,
        "        W1 = W1 - learning_rate * dW1\n        W2 = W2 - learning_rate * dW2\n",
        "descends",
        "Only the weights are trained; the biases stay at zero, and with them all corners of the "
        "fit at one place.",
    ),
    slip(
        "train",
        "output_layer_only",
        _STEP,
        "        W2 = W2 - learning_rate * dW2\n        b2 = b2 - learning_rate * db2\n",
        "descends",
        "Only the output layer is trained; W1 and b1 stay where they started.",
    ),
    slip(
        "train",
        "last_layer_first",
        "        dW1, db1, dW2, db2 = backward(x, y, W1, b1, W2, b2)\n" + _STEP,
        "        _, _, dW2, db2 = backward(x, y, W1, b1, W2, b2)\n"
        "        W2 = W2 - learning_rate * dW2\n"
        "        b2 = b2 - learning_rate * db2\n"
        "        dW1, db1, _, _ = backward(x, y, W1, b1, W2, b2)\n"
        "        W1 = W1 - learning_rate * dW1\n"
        "        b1 = b1 - learning_rate * db1\n",
        "descends",
        "The output layer has moved before the hidden layer's gradient is computed. All four "
        "gradients belong to the same point.",
    ),
    slip(
        "train",
        "loss_after_the_step",
        _LOSS + "        dW1, db1, dW2, db2 = backward(x, y, W1, b1, W2, b2)\n" + _STEP,
        "        dW1, db1, dW2, db2 = backward(x, y, W1, b1, W2, b2)\n" + _STEP + _LOSS,
        "losses",
        "Each loss is taken after its step, so the loss of the untrained network is missing.",
    ),
    slip(
        "train",
        "least_loss_so_far",
        "return (W1, b1, W2, b2), losses",
        "return (W1, b1, W2, b2), np.minimum.accumulate(losses).tolist()",
        "losses",
        "Where a step makes the loss larger, the list repeats the one before. It should tell what "
        "happened.",
    ),
    slip(
        "train",
        "last_loss_alone",
        "return (W1, b1, W2, b2), losses",
        "return (W1, b1, W2, b2), losses[-1]",
        "returns",
        "Only the last loss comes back; the training curve needs one per epoch.",
    ),
    slip(
        "train",
        "every_hundredth_loss",
        "    for _ in range(epochs):\n" + _LOSS,
        "    for epoch in range(epochs):\n"
        "        _, _, y_pred = forward(x, W1, b1, W2, b2)\n"
        "        if epoch % 100 == 0:\n"
        "            losses.append(mse_loss(y_pred, y))\n",
        "returns",
        "Only some losses are kept; print as few as you like, but keep one per epoch.",
    ),
    slip(
        "train",
        "one_loss_too_many",
        "    return (W1, b1, W2, b2), losses",
        "    losses.append(mse_loss(forward(x, W1, b1, W2, b2)[2], y))\n"
        "    return (W1, b1, W2, b2), losses",
        "returns",
        "There is one loss more than epochs: the loss is recorded before each step, and not once "
        "more at the end.",
    ),
    slip(
        "train",
        "pairs_come_back",
        "return (W1, b1, W2, b2), losses",
        "return [(W1, b1), (W2, b2)], losses",
        "returns",
        "The parameters come back in pairs; here they are four arrays, W1, b1, W2, b2.",
    ),
    slip(
        "train",
        "seed_of_its_own",
        _HE,
        _HE.replace("rng)", "np.random.default_rng(42))"),
        "uses_rng_alone",
        "Every run starts alike: a generator is made inside. Pass on the rng that was given.",
    ),
    slip(
        "train",
        "small_weights",
        _HE,
        "W1, b1 = 0.01 * rng.normal(size=(x.shape[1], n_hidden)), np.zeros((1, n_hidden))\n"
        "    W2, b2 = 0.01 * rng.normal(size=(n_hidden, y.shape[1])), np.zeros((1, y.shape[1]))",
        "starts_from_he",
        "The weights start small instead of from he_initialise: small weights make a small "
        "gradient, and the loss hardly moves at first.",
    ),
    slip(
        "train",
        "one_input_one_output",
        "he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)",
        "he_initialise([1, n_hidden, 1], rng)",
        "several_outputs",
        "The network always has one input and one output; their numbers are the columns of x and "
        "y.",
    ),
    slip(
        "train",
        "standardises_once_more",
        "    " + _HE,
        "    x = (x - x.mean(axis=0)) / x.std(axis=0)\n    " + _HE,
        "several_outputs",
        "x is standardised once more inside train. The mean and the deviation that belong to the "
        "network are the caller's; x is to be used as it is given.",
    ),
    slip(
        "train",
        "stops_when_the_loss_rises",
        _LOSS,
        _LOSS + "        if len(losses) > 1 and losses[-1] > losses[-2]:\n            break\n",
        "makes_every_step",
        "The loop ends when the loss rises. Asked for are as many steps as there are epochs, and "
        "a loss for each.",
        keeps=0.95,
    ),
    slip(
        "train",
        "one_step_short",
        "    for _ in range(epochs):\n" + _LOSS,
        "    for epoch in range(epochs):\n" + _LOSS + "        if epoch == epochs - 1:\n"
        "            break\n",
        "descends",
        "The parameters are those before the last step: `epochs` losses, but one step fewer.",
    ),
    slip(
        "train",
        "standardises_the_callers_data",
        "    " + _HE,
        "    x -= x.mean(axis=0)\n    x /= x.std(axis=0)\n    " + _HE,
        "leaves_its_arguments",
        "x is standardised in the caller's own array. It comes standardised already; train leaves "
        "it as it is.",
    ),
]


@mistake(
    "train",
    caught_by="descends",
    keeps=0.5,
    hint="Each step looks at one random sample; asked for is the gradient over all samples at "
    "once, and rng for the start alone.",
)
def one_sample_at_a_time():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        losses = []
        for _ in range(epochs):
            losses.append(mse_loss(forward(x, W1, b1, W2, b2)[2], y))
            n = rng.integers(len(x))
            steps = backward(x[n : n + 1], y[n : n + 1], W1, b1, W2, b2)
            W1, b1, W2, b2 = (
                p - learning_rate * g for p, g in zip((W1, b1, W2, b2), steps, strict=True)
            )
        return (W1, b1, W2, b2), losses


@mistake(
    "train",
    caught_by="makes_every_step",
    keeps=0.95,
    hint="The loop ends when the loss hardly falls any more. Asked for are as many steps as there "
    "are epochs, and a loss for each.",
)
def stops_early():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        losses = []
        for _ in range(epochs):
            losses.append(mse_loss(forward(x, W1, b1, W2, b2)[2], y))
            if len(losses) > 20 and losses[-20] - losses[-1] < 1e-7:
                break
            steps = backward(x, y, W1, b1, W2, b2)
            W1, b1, W2, b2 = (
                p - learning_rate * g for p, g in zip((W1, b1, W2, b2), steps, strict=True)
            )
        return (W1, b1, W2, b2), losses


@mistake(
    "train",
    caught_by="draws_the_start_alone",
    keeps=0.95,
    hint="The samples are shuffled before each step. All of them are used at once, so their order "
    "does not matter, and rng is for the start alone.",
)
def shuffles_all_samples():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        losses = []
        for _ in range(epochs):
            order = rng.permutation(len(x))
            losses.append(mse_loss(forward(x, W1, b1, W2, b2)[2], y))
            steps = backward(x[order], y[order], W1, b1, W2, b2)
            W1, b1, W2, b2 = (
                p - learning_rate * g for p, g in zip((W1, b1, W2, b2), steps, strict=True)
            )
        return (W1, b1, W2, b2), losses


@mistake(
    "train",
    caught_by="learns_a_sine",
    hint="The parameters that come back are those of the start. A copy is trained, and the "
    "originals are returned.",
)
def trains_a_copy():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        parameters = [W1, b1, W2, b2]
        losses = []
        for _ in range(epochs):
            losses.append(mse_loss(forward(x, *parameters)[2], y))
            steps = backward(x, y, *parameters)
            parameters = [p - learning_rate * g for p, g in zip(parameters, steps, strict=True)]
        return (W1, b1, W2, b2), losses


@mistake(
    "train",
    caught_by="loss_falls",
    hint="Gradients and losses are computed, but the new parameters are thrown away: the loop "
    "starts from the same weights each time.",
)
def forgets_every_step():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        losses = []
        for _ in range(epochs):
            losses.append(mse_loss(forward(x, W1, b1, W2, b2)[2], y))
            for p, g in zip((W1, b1, W2, b2), backward(x, y, W1, b1, W2, b2), strict=True):
                p = p - learning_rate * g
        return (W1, b1, W2, b2), losses


@mistake(
    "train",
    caught_by="loss_falls",
    hint="The losses fall by the same factor each time, and no parameter moves. Each loss is that "
    "of the network as it is before its step.",
)
def a_falling_list():
    def train(x, y, n_hidden, learning_rate, epochs, rng):
        (W1, b1), (W2, b2) = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
        loss = mse_loss(forward(x, W1, b1, W2, b2)[2], y)
        return (W1, b1, W2, b2), [loss * 0.95**epoch for epoch in range(epochs)]


# ----------------------------------------------------------------------- deep_backward

_APPEND = "activations.append(z if layer == len(parameters) else phi(z))"
_GRADIENTS = "gradients.append((a.T @ delta, delta.sum(axis=0, keepdims=True)))"
_BACK = "delta = (delta @ parameters[layer][0].T) * slope(z)"

deep = [
    slip(
        "deep_backward",
        "activation_not_handed_on",
        "    }[activation]\n    activations = deep_forward(x, parameters, activation)",
        '    }["tanh"]\n    activations = deep_forward(x, parameters)',
        "follows_the_activation",
        "deep_backward: the argument activation has no effect, tanh is used whatever is asked for.",
    ),
    slip(
        "deep_backward",
        "slope_of_tanh_whatever_the_activation",
        "* slope(z)",
        "* (1 - activations[layer] ** 2)",
        "follows_the_activation",
        "deep_backward: the slope is that of tanh, whatever the activation. Each has its own.",
    ),
    slip(
        "deep_backward",
        "default_is_relu",
        '    parameters: list[tuple[np.ndarray, np.ndarray]],\n    activation: str = "tanh",',
        '    parameters: list[tuple[np.ndarray, np.ndarray]],\n    activation: str = "relu",',
        "default",
        "deep_backward: where no activation is named, it should be tanh.",
    ),
    slip(
        "deep_backward",
        "leaky_hundredth",
        '"leaky_relu": leaky_relu}[activation]',
        '"leaky_relu": lambda z: leaky_relu(z, 0.01)}[activation]',
        "forward_activations",
        "deep_forward: the slope of leaky_relu is a tenth, not a hundredth.",
    ),
    slip(
        "deep_backward",
        "input_not_in_the_list",
        "    return activations\n",
        "    return activations[1:]\n",
        "forward",
        "deep_forward: the list lacks x, which is a_0, the first of its arrays.",
    ),
    slip(
        "deep_backward",
        "activation_at_the_output",
        _APPEND,
        "activations.append(phi(z))",
        "forward",
        "deep_forward: the last layer has an activation too; the output should be linear, or "
        "it cannot reach every number.",
    ),
    slip(
        "deep_backward",
        "input_left_out",
        "    return activations\n",
        "    return activations[1:]\n",
        "forward",
        "deep_forward: the list starts with a_0, which is x itself: the first layer's gradient "
        "needs it.",
    ),
    slip(
        "deep_backward",
        "output_only",
        "    return activations\n",
        "    return activations[-1]\n",
        "forward",
        "deep_forward: only the output comes back; the way back needs what left every layer.",
    ),
    slip(
        "deep_backward",
        "before_the_activation",
        "    activations = [x]\n    for layer, (W, b) in enumerate(parameters, start=1):\n"
        "        z = activations[-1] @ W + b\n        " + _APPEND + "\n    return activations\n",
        "    a, sums = x, [x]\n    for W, b in parameters:\n        sums.append(a @ W + b)\n"
        "        a = phi(sums[-1])\n    return sums\n",
        "forward",
        "deep_forward: the list holds what enters the neurons, z; asked for is what leaves them.",
    ),
    slip(
        "deep_backward",
        "always_tanh_forward",
        '"leaky_relu": leaky_relu}[activation]',
        '"leaky_relu": leaky_relu}["tanh"]',
        "forward_activations",
        "deep_forward: it always uses tanh, whatever the third argument says.",
    ),
    slip(
        "deep_backward",
        "always_tanh_backward",
        "    }[activation]\n",
        '    }["tanh"]\n',
        "relu",
        "deep_backward: it always uses the slope of tanh, whatever activation says.",
    ),
    slip(
        "deep_backward",
        "slope_of_the_output",
        "* slope(z)",
        "* slope(activations[layer])",
        "weights",
        "deep_backward: the slope is taken at a, what leaves the layer; these slope functions "
        "want z, what enters it.",
    ),
    slip(
        "deep_backward",
        "no_slope",
        "* slope(z)",
        "* 1.0",
        "weights",
        "deep_backward: the error passes the hidden layers as if they were linear. The chain rule "
        "has one factor more: the slope of the activation.",
    ),
    slip(
        "deep_backward",
        "slope_at_the_output",
        "    delta = 2.0 * (activations[-1] - y_true) / y_true.size\n",
        "    delta = 2.0 * (activations[-1] - y_true) / y_true.size * slope(activations[-1])\n",
        "direction",
        "deep_backward: the output layer is linear, so no slope belongs there.",
    ),
    slip(
        "deep_backward",
        "last_layer_first",
        "return gradients[::-1]",
        "return gradients",
        "shapes",
        "deep_backward: the gradients come in the order in which they are found, last layer "
        "first; asked for is the order of the parameters.",
    ),
    slip(
        "deep_backward",
        "two_forgotten",
        "delta = 2.0 * (activations[-1] - y_true) / y_true.size",
        "delta = (activations[-1] - y_true) / y_true.size",
        "weights",
        "deep_backward: every gradient is half of what it should be: the derivative of a square "
        "has a factor 2.",
    ),
    slip(
        "deep_backward",
        "opposite_sign",
        "delta = 2.0 * (activations[-1] - y_true) / y_true.size",
        "delta = 2.0 * (y_true - activations[-1]) / y_true.size",
        "direction",
        "deep_backward: all signs are turned: along the gradient the loss should rise.",
    ),
    slip(
        "deep_backward",
        "mean_over_samples_only",
        "/ y_true.size",
        "/ len(x)",
        "several_outputs",
        "deep_backward: the error is divided by the number of samples, but mse_loss averages over "
        "the outputs as well.",
        keeps=0.5,
    ),
    slip(
        "deep_backward",
        "sample_variance",
        "/ y_true.size",
        "/ (y_true.size - 1)",
        "one_sample",
        "deep_backward: the −1 belongs to an estimated variance; mse_loss is a plain mean, and "
        "with one sample this divides by zero.",
    ),
    slip(
        "deep_backward",
        "biases_averaged",
        _GRADIENTS,
        "gradients.append((a.T @ delta, delta.mean(axis=0, keepdims=True)))",
        "biases",
        "deep_backward: the bias gradients are averaged over the samples, but the mean is already "
        "in the error at the output. Add them up.",
    ),
    slip(
        "deep_backward",
        "flat_bias_gradients",
        _GRADIENTS,
        "gradients.append((a.T @ delta, delta.sum(axis=0)))",
        "shapes",
        "deep_backward: the bias gradients have lost an axis: a gradient has the shape of its "
        "parameter, (1, n_out).",
    ),
    slip(
        "deep_backward",
        "two_hidden_layers_only",
        "for layer in reversed(range(len(parameters))):",
        "for layer in (2, 1, 0):",
        "depth",
        "deep_backward: three layers of weights are written into the loop; the number of layers "
        "is that of the parameters.",
    ),
    slip(
        "deep_backward",
        "stops_at_three_layers",
        "for layer, (W, b) in enumerate(parameters, start=1):",
        "for layer, (W, b) in enumerate(parameters[:3], start=1):",
        "forward_depth",
        "deep_forward: it stops after three layers of weights; a network may have more.",
    ),
    slip(
        "deep_backward",
        "sigmoid_slope_of_output",
        '"sigmoid": sigmoid_gradient,',
        '"sigmoid": lambda z: z * (1 - z),',
        "sigmoid",
        "deep_backward: s (1 − s) is right for s, the value of sigmoid, and wrong for z.",
    ),
    slip(
        "deep_backward",
        "leaky_taken_for_relu",
        '"leaky_relu": leaky_relu_gradient,',
        '"leaky_relu": relu_gradient,',
        "leaky_relu",
        "deep_backward: leaky_relu has the slope of relu here; below zero the leaky one still "
        "rises.",
    ),
    slip(
        "deep_backward",
        "reverses_the_callers_list",
        "    gradients = []\n",
        "    gradients = []\n    parameters.reverse()\n    parameters = parameters[::-1]\n",
        "leaves_its_arguments",
        "deep_backward: reverse() turns round the caller's own list. Go backwards without "
        "changing it.",
    ),
    slip(
        "deep_backward",
        "forward_in_float32",
        "    activations = [x]\n",
        "    activations = [np.float32(x)]\n"
        "    parameters = [(np.float32(W), np.float32(b)) for W, b in parameters]\n",
        "keeps_float64",
        "deep_forward: " + _SEVEN_DIGITS_OF_16,
    ),
    slip(
        "deep_backward",
        "backward_in_float32",
        "    activations = deep_forward(x, parameters, activation)\n    delta",
        "    x, y_true = np.float32(x), np.float32(y_true)\n"
        "    parameters = [(np.float32(W), np.float32(b)) for W, b in parameters]\n"
        "    activations = deep_forward(x, parameters, activation)\n    delta",
        "is_exact",
        "deep_backward: " + _SEVEN_DIGITS_OF_16,
    ),
]


@mistake(
    "deep_backward",
    caught_by="is_exact",
    keeps=0.5,
    hint="deep_backward: these gradients come from small steps, right to some digits only. Go back "
    "through the layers by the chain rule instead.",
)
def central_differences_again():
    def deep_forward(x, parameters, activation="tanh"):
        a = [x]
        for number, (W, b) in enumerate(parameters, 1):
            z = a[-1] @ W + b
            a.append(globals()[activation](z) if number < len(parameters) else z)
        return a

    def deep_backward(x, y_true, parameters, activation="tanh"):
        moved = [[one.copy() for one in pair] for pair in parameters]
        gradients = []
        for pair in moved:
            found = []
            for one in pair:
                gradient = np.zeros_like(one)
                for index in np.ndindex(one.shape):
                    here, ends = one[index], []
                    for step in (1e-5, -1e-5):
                        one[index] = here + step
                        ends.append(mse_loss(deep_forward(x, moved, activation)[-1], y_true))
                    one[index] = here
                    gradient[index] = (ends[0] - ends[1]) / 2e-5
                found.append(gradient)
            gradients.append(tuple(found))
        return gradients


# ---------------------------------------------- answers that nobody had seen


@mistake(
    "count_parameters",
    caught_by="any_depth",
    hint="The first, second and last number are used, as if there were one hidden layer "
    "always. Add up layer by layer.",
    keeps=0.5,
)
def three_layers_of_neurons_only():
    def count_parameters(layer_sizes):
        d, h, k = layer_sizes[0], layer_sizes[1], layer_sizes[-1]
        return d * h + h + h * k + k


@mistake(
    "count_parameters",
    caught_by="one_hidden_layer",
    hint="The last layer of weights is not counted. A list of n numbers has n − 1 layers of "
    "weights, and all of them count.",
)
def output_layer_forgotten():
    def count_parameters(layer_sizes):
        total = 0
        for i in range(1, len(layer_sizes) - 1):
            total += layer_sizes[i - 1] * layer_sizes[i] + layer_sizes[i]
        return total


@mistake(
    "count_parameters",
    caught_by="one_hidden_layer",
    hint="These are the neurons. What is counted is the weights between them and the biases.",
)
def neurons_counted():
    def count_parameters(layer_sizes):
        return sum(layer_sizes)


@mistake(
    "he_initialise",
    caught_by="is_normal",
    hint="What lies beyond two deviations is drawn again and the rest widened, as some libraries "
    "do it. The spread is right, but a normal distribution has tails.",
)
def tails_drawn_again():
    def he_initialise(layer_sizes, rng):
        layers = []
        for i, n_out in enumerate(layer_sizes[1:]):
            n_in = layer_sizes[i]
            W = rng.normal(size=(n_in, n_out))
            while (far := np.abs(W) > 2).any():
                W[far] = rng.normal(size=far.sum())
            layers.append((W * np.sqrt(2 / n_in) / 0.87963, np.zeros((1, n_out))))
        return layers


@mistake(
    "he_initialise",
    caught_by="spread",
    hint="The last layer is drawn by another rule than the others. The docstring has one rule "
    "for all layers.",
    keeps=0.5,
)
def no_factor_two_at_the_output():
    def he_initialise(layer_sizes, rng):
        out = []
        for i, m in enumerate(layer_sizes[1:]):
            n = layer_sizes[i]
            gain = 1 if i == len(layer_sizes) - 2 else 2
            out.append((rng.normal(0, np.sqrt(gain / n), (n, m)), np.zeros((1, m))))
        return out


@mistake(
    "he_initialise",
    caught_by="shapes",
    hint="All weights come in one list and all biases in another. One pair (W, b) for each "
    "layer is asked for.",
)
def weights_and_biases_apart():
    def he_initialise(layer_sizes, rng):
        Ws = []
        for i, m in enumerate(layer_sizes[1:]):
            n = layer_sizes[i]
            Ws.append(rng.normal(0, np.sqrt(2 / n), (n, m)))
        bs = [np.zeros((1, m)) for m in layer_sizes[1:]]
        return Ws, bs


@mistake(
    "forward",
    caught_by="z1",
    hint="b1 is added after ReLU. It belongs into z1, before the activation.",
    keeps=0.5,
)
def bias_behind_the_activation():
    def forward(x, W1, b1, W2, b2):
        z1 = x @ W1
        a1 = np.maximum(z1, 0) + b1
        return z1, a1, a1 @ W2 + b2


@mistake(
    "forward",
    caught_by="a1",
    hint="The hidden layer uses a leaky ReLU; this exercise asks for ReLU, 0 where z1 is negative.",
    keeps=0.5,
)
def leaky_hidden_layer():
    def forward(x, W1, b1, W2, b2):
        z1 = x @ W1 + b1
        a1 = np.maximum(z1, 0.1 * z1)
        return z1, a1, a1 @ W2 + b2


@mistake(
    "forward",
    caught_by="z1",
    hint="The first bias is added to all neurons. Each neuron has its own: the whole row b1 is "
    "added to every sample.",
    keeps=0.5,
)
def first_bias_for_all():
    def forward(x, W1, b1, W2, b2):
        z1 = x @ W1 + b1[0, 0]
        a1 = np.maximum(z1, 0)
        return z1, a1, a1 @ W2 + b2[0, 0]


@mistake(
    "forward",
    caught_by="z2",
    hint="z2 has lost an axis: it has a row for each sample and a column for each output.",
    keeps=0.5,
)
def output_flattened():
    def forward(x, W1, b1, W2, b2):
        z1 = x @ W1 + b1
        a1 = np.maximum(z1, 0)
        return z1, a1, (a1 @ W2 + b2).ravel()


@mistake(
    "forward",
    caught_by="z1",
    hint="x and W1 are multiplied element by element. x W1 is a matrix product.",
    keeps=0.5,
)
def elementwise_product():
    def forward(x, W1, b1, W2, b2):
        z1 = x * W1 + b1
        a1 = np.maximum(z1, 0)
        return z1, a1, a1 @ W2 + b2


@mistake(
    "interpolating_network",
    caught_by="meets_the_points",
    hint="b2 has one axis only: its shape is (1, 1).",
)
def height_in_one_axis():
    def interpolating_network(knots, values):
        s = np.diff(values) / np.diff(knots)
        W2 = np.concatenate([s[:1], np.diff(s)])[:, None]
        return np.ones((1, len(W2))), -knots[None, :-1], W2, values[:1]


@mistake(
    "interpolating_network",
    caught_by="meets_the_points",
    hint="This is the network of one set of points, whatever points are given.",
)
def the_example_alone():
    def interpolating_network(knots, values):
        return (
            np.ones((1, 2)),
            np.array([[0.0, -1.0]]),
            np.array([[2.0], [-2.5]]),
            np.array([[1.0]]),
        )


@mistake(
    "interpolating_network",
    caught_by="meets_the_points",
    hint="The first piece is taken for a line through the whole axis, but its neuron sleeps at "
    "negative x. Let it wake up at the first knot.",
)
def line_from_zero():
    def interpolating_network(knots, values):
        s = np.diff(values) / np.diff(knots)
        W1 = np.ones((1, len(s)))
        b1 = np.concatenate([[0.0], -knots[1:-1]])[None]
        W2 = np.concatenate([s[:1], np.diff(s)])[:, None]
        return W1, b1, W2, np.array([[values[0] - s[0] * knots[0]]])


@mistake(
    "mse_loss",
    caught_by="one_output",
    hint="The sum is divided by the number of outputs alone. The mean runs over every element, "
    "samples included.",
    keeps=0.5,
)
def outputs_only():
    def mse_loss(y_pred, y_true):
        return np.sum((y_pred - y_true) ** 2) / y_true.shape[1]


@mistake(
    "mse_loss",
    caught_by="several_outputs",
    hint="Only the first output counts. The mean runs over every element.",
    keeps=0.5,
)
def only_the_first_output_counts():
    def mse_loss(y_pred, y_true):
        return np.mean((y_pred[:, 0] - y_true[:, 0]) ** 2)


@mistake(
    "backward",
    caught_by="shapes",
    hint="The bias gradients have lost an axis: a gradient has the shape of its parameter, a row.",
    keeps=0.5,
)
def flat_bias_gradients_of_one_axis():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        d2 = 2 * (z2 - y_true) / y_true.size
        d1 = (d2 @ W2.T) * (z1 > 0)
        return x.T @ d1, d1.sum(0), a1.T @ d2, d2.sum(0)


@mistake(
    "backward",
    caught_by="several_outputs",
    hint="Only the first output's error reaches the hidden layer. A hidden neuron acts through "
    "all outputs: add them up.",
    keeps=0.5,
)
def error_of_the_first_output_only():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        d2 = 2 * (z2 - y_true) / y_true.size
        d1 = d2[:, :1] * W2[:, 0] * (z1 > 0)
        return x.T @ d1, d1.sum(0, keepdims=True), a1.T @ d2, d2.sum(0, keepdims=True)


@mistake(
    "backward",
    caught_by="leaves_its_arguments",
    hint="The difference is written into the caller's y_true. Work on a new array.",
)
def writes_into_the_targets():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        n = y_true.size
        y_true -= z2
        d2 = -2 * y_true / n
        d1 = (d2 @ W2.T) * (z1 > 0)
        return x.T @ d1, d1.sum(0, keepdims=True), a1.T @ d2, d2.sum(0, keepdims=True)


@mistake(
    "backward",
    caught_by="db2",
    hint="The bias gradients are means over the samples. The 1/N is in δ already: here the "
    "samples are added up.",
    keeps=0.5,
)
def bias_gradients_averaged():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        d2 = 2 * (z2 - y_true) / y_true.size
        d1 = (d2 @ W2.T) * (z1 > 0)
        return x.T @ d1, d1.mean(0, keepdims=True), a1.T @ d2, d2.mean(0, keepdims=True)


@mistake(
    "backward",
    caught_by="dW1",
    hint="The factor of the mean is in the gradients of the last layer and not in those of the "
    "first. It belongs into δ at the output, and comes to both from there.",
    keeps=0.5,
)
def mean_in_the_last_layer_only():
    def backward(x, y_true, W1, b1, W2, b2):
        z1, a1, z2 = forward(x, W1, b1, W2, b2)
        e = 2 * (z2 - y_true)
        d1 = (e @ W2.T) * (z1 > 0)
        s = y_true.size
        return x.T @ d1, d1.sum(0, keepdims=True), a1.T @ e / s, e.sum(0, keepdims=True) / s
