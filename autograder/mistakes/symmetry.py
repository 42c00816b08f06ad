"""Known wrong answers to symmetry."""

from functools import partial

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.symmetry import pool

bank = Bank(__name__)
slip, variant = bank.slip, bank.variant


# --------------------------------------------------------------------------------- pool

_POOL = """def pool(features, mask=None, kind="sum"):
    if mask is None:
        mask = torch.ones(features.shape[:2], dtype=torch.bool)
    m = mask.unsqueeze(-1)
    total = (features * m).sum(dim=1)
    if kind == "sum":
        return total
    if kind == "mean":
        return total / m.sum(dim=1).clamp(min=1)
    if features.shape[1] == 0:
        return features.sum(dim=1)
    largest = features.masked_fill(~m, -1e9).amax(dim=1)
    return torch.where(m.any(dim=1), largest, torch.zeros_like(largest))
"""

pooled = partial(variant, "pool", _POOL)

pool_slips = [
    pooled(
        "mask_ignored",
        "    if mask is None:\n        mask =",
        "    mask =",
        "leaves_the_padding_out_of_a_sum",
        "The mask has no effect: whatever stands in the padding is counted.",
    ),
    pooled(
        "mask_inverted",
        "m = mask.unsqueeze(-1)",
        "m = mask.unsqueeze(-1) if mask.all() else ~mask.unsqueeze(-1)",
        "leaves_the_padding_out_of_a_sum",
        "The mask is read the other way round: True marks an element that counts.",
    ),
    pooled(
        "mean_over_the_padding_too",
        "m.sum(dim=1).clamp(min=1)",
        "features.shape[1]",
        "averages_over_what_counts",
        "The sum is divided by the number of places, padding included. A mean divides by how "
        "many elements count, which is different from set to set.",
    ),
    pooled(
        "one_count_for_all_sets",
        "m.sum(dim=1).clamp(min=1)",
        "(m.sum() / len(m)).clamp(min=1)",
        "averages_over_what_counts",
        "All sets are divided by the same number. Count the elements of each set by itself.",
    ),
    pooled(
        "nothing_divided_by_nothing",
        "m.sum(dim=1).clamp(min=1)",
        "m.sum(dim=1)",
        "is_zero_where_nothing_counts",
        "The mean of a set in which nothing counts is 0/0. It should be zero.",
    ),
    pooled(
        "plain_mean_without_a_mask",
        "    if mask is None:\n",
        '    if mask is None and kind == "mean":\n        return features.mean(dim=1)\n'
        "    if mask is None:\n",
        "knows_the_empty_set",
        "The mean over no elements at all is 0/0. It should be zero.",
    ),
    pooled(
        "padding_zero_in_the_maximum",
        "features.masked_fill(~m, -1e9)",
        "(features * m)",
        "takes_the_largest_of_what_counts",
        "Padding set to zero wins against negative features. In a maximum it has to be lower than "
        "anything else.",
    ),
    pooled(
        "maximum_of_the_padding",
        "features.masked_fill(~m, -1e9)",
        "features",
        "takes_the_largest_of_what_counts",
        "The maximum is taken over all places, padding included. It heeds the mask as little as if "
        "there were none.",
    ),
    pooled(
        "sum_of_the_padding",
        "total = (features * m).sum(dim=1)",
        "total = features.sum(dim=1)",
        "leaves_the_padding_out_of_a_sum",
        "The sum runs over all places, padding included. It heeds the mask as little as if there "
        "were none.",
    ),
    pooled(
        "maximum_of_nothing",
        "return torch.where(m.any(dim=1), largest, torch.zeros_like(largest))",
        "return largest",
        "is_zero_where_nothing_counts",
        "Where no element counts, the number that hides the padding comes out as the maximum. "
        "Such a set should give zeros.",
    ),
    pooled(
        "maximum_of_sizes",
        "features.masked_fill(~m, -1e9)",
        "features.abs().masked_fill(~m, -1e9)",
        "takes_the_largest",
        "The largest absolute value is taken; the largest value is wanted.",
    ),
    pooled(
        "mean_by_default",
        'kind="sum"):',
        'kind="mean"):',
        "adds_up_the_elements",
        "Without a kind the pooling should be a sum.",
    ),
    pooled(
        "axis_kept",
        "total = (features * m).sum(dim=1)",
        "total = (features * m).sum(dim=1, keepdim=True)",
        "adds_up_the_elements",
        "The axis of the elements is still there: (B, n, h) should become (B, h).",
    ),
    pooled(
        "over_the_features",
        "(features * m).sum(dim=1)",
        "(features * m).sum(dim=2)",
        "adds_up_the_elements",
        "The sum runs over the features of each element. It should run over the elements.",
    ),
    pooled(
        "over_the_batch",
        "(features * m).sum(dim=1)",
        "(features * m).sum(dim=0)",
        "adds_up_the_elements",
        "The sum runs over the sets of the batch. Each set should be pooled by itself, over its "
        "elements.",
    ),
    pooled(
        "sum_for_mean",
        "return total / m.sum(dim=1).clamp(min=1)",
        "return total",
        "averages_the_elements",
        "The mean is not divided by the number of elements.",
    ),
    pooled(
        "cut_off",
        "total = (features * m)",
        "total = (features.detach() * m)",
        "can_be_differentiated",
        "The features are cut off from their graph: no network before the pooling can be trained.",
    ),
    pooled(
        "written_into_the_argument",
        "    total = (features * m).sum(dim=1)\n",
        "    with torch.no_grad():\n        features.masked_fill_(~m, 0.0)\n"
        "    total = features.sum(dim=1)\n",
        "leaves_its_arguments_unchanged",
        "The padding is overwritten in the caller's tensor. Work on a copy.",
    ),
    pooled(
        "squeezed",
        '    if kind == "sum":\n        return total\n',
        '    if kind == "sum":\n        return total.squeeze()\n',
        "keeps_single_axes_and_the_dtype",
        "squeeze() removes every axis of length one, that of a single set or feature too.",
    ),
    pooled(
        "single_precision",
        "    m = mask.unsqueeze(-1)\n",
        "    m = mask.unsqueeze(-1)\n    features = features.float()\n",
        "keeps_single_axes_and_the_dtype",
        "The features are turned into float32, whatever they were.",
    ),
    pooled(
        "padding_taken_to_be_last",
        "    m = mask.unsqueeze(-1)\n",
        "    m = (torch.arange(mask.shape[1]) < mask.sum(1, keepdim=True)).unsqueeze(-1)\n",
        "does_not_depend_on_the_order",
        "Only the number of elements that count is used, as if the padding always stood at the "
        "end. The mask says which elements count.",
    ),
]


@mistake(
    "pool",
    caught_by="leaves_the_padding_out_of_a_sum",
    hint="A mask as an index puts the elements of all sets into one list, and which belongs to "
    "which set is lost. Keep the axes, and leave the padding out of the pooling.",
)
def mask_as_an_index():
    def pool(features, mask=None, kind="sum"):
        if mask is not None:
            features = features[mask]
        if kind == "sum":
            return features.sum(dim=1)
        if kind == "mean":
            return features.mean(dim=1)
        return features.amax(dim=1)


# ---------------------------------------------------------------------------- deep_sets

_PHI = "nn.Linear(in_dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()"

deep_sets_slips = [
    slip(
        "deep_sets",
        "pooling_ignored",
        ", kind=self.pooling)",
        ")",
        "pools_with_a_mean",
        "The argument pooling has no effect: the network always adds up.",
    ),
    slip(
        "deep_sets",
        "always_a_mean",
        "pool(self.phi(x), kind=self.pooling)",
        "self.phi(x).mean(dim=1)",
        "counts_what_comes_twice",
        "The network always averages, whatever pooling says, and a mean forgets how many elements "
        "there are.",
    ),
    slip(
        "deep_sets",
        "sum_over_the_root_of_n",
        "pool(self.phi(x), kind=self.pooling)",
        'pool(self.phi(x), kind=self.pooling) / (len(x[0]) ** 0.5 if self.pooling == "sum" else 1)',
        "counts_what_comes_twice",
        "What is pooled is divided by √n, so that it is no sum: n equal elements should count n "
        "times.",
    ),
    slip(
        "deep_sets",
        "zeros_taken_for_padding",
        "pool(self.phi(x), kind=self.pooling)",
        "pool(self.phi(x), (x != 0).any(dim=-1), self.pooling)",
        "pools_with_a_mean",
        "An element that is zero is left out, as if it were padding. It counts like any other.",
    ),
    slip(
        "deep_sets",
        "mean_by_default",
        'pooling: str = "sum"',
        'pooling: str = "mean"',
        "counts_what_comes_twice",
        "Without an argument the pooling should be a sum.",
    ),
    slip(
        "deep_sets",
        "phi_without_activations",
        _PHI,
        "nn.Linear(in_dim, hidden), nn.Linear(hidden, hidden)",
        "looks_at_elements_before_it_pools",
        "φ is linear, and a sum of linear functions knows only the sum of the elements. It needs "
        "an activation.",
    ),
    slip(
        "deep_sets",
        "rho_without_activation",
        "nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, out_dim)",
        "nn.Linear(hidden, out_dim)",
        "thinks_after_it_has_pooled",
        "ρ is linear, so the network is a plain sum over the elements. After the pooling it needs "
        "a hidden layer and an activation.",
    ),
    slip(
        "deep_sets",
        "places_weighted",
        "pool(self.phi(x), kind",
        "pool(self.phi(x) * torch.arange(1, x.shape[1] + 1).unsqueeze(-1), kind",
        "does_not_depend_on_the_order",
        "Elements are weighted by their place in the tensor. Nothing may depend on the place.",
    ),
    slip(
        "deep_sets",
        "elements_mixed_before_the_pooling",
        "self.rho(pool(self.phi(x), kind=self.pooling))",
        "self.rho(pool(\n            torch.softmax(x @ x.mT, dim=-1) @ self.phi(x), "
        "kind=self.pooling\n        ))",
        "looks_at_every_element_by_itself",
        "The features of an element are mixed with those of the others. φ sees one element alone; "
        "nothing but the pooling sees more than one.",
    ),
    slip(
        "deep_sets",
        "middle_taken_off",
        "        return self.rho(pool(self.phi(x)",
        "        x = x - x.mean(dim=1, keepdim=True)\n        return self.rho(pool(self.phi(x)",
        "looks_at_every_element_by_itself",
        "The mean of the set is taken off first, so that φ sees the other elements too, and sets "
        "that are shifted as a whole are the same. φ sees one element alone.",
    ),
    slip(
        "deep_sets",
        "pooled_over_the_batch",
        "self.rho(pool(self.phi(x), kind=self.pooling))",
        "self.rho(self.phi(x).sum(dim=0))",
        "tells_sets_apart",
        "The pooling runs over the sets of the batch. It should run over the elements of each.",
    ),
    slip(
        "deep_sets",
        "hidden_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        hidden = 32\n",
        "has_the_width_asked_for",
        "The argument hidden has no effect on the size of the layers.",
    ),
    slip(
        "deep_sets",
        "numbers_without_an_axis",
        "        if x.ndim == 2:\n            x = x.unsqueeze(-1)\n",
        "",
        "takes_sets_of_plain_numbers",
        "(B, n) means sets of n plain numbers: give them an axis of length one before φ.",
    ),
    slip(
        "deep_sets",
        "axis_in_the_wrong_place",
        "x = x.unsqueeze(-1)",
        "x = x.unsqueeze(1)",
        "takes_sets_of_plain_numbers",
        "(B, n) becomes (B, 1, n): one element of n numbers. It should be n elements of one.",
    ),
    slip(
        "deep_sets",
        "flat_output",
        "return self.rho(pool(self.phi(x), kind=self.pooling))",
        "return self.rho(pool(self.phi(x), kind=self.pooling)).squeeze(-1)",
        "tells_sets_apart",
        "The output has lost its axis: (B, out_dim), also where out_dim is 1.",
    ),
    slip(
        "deep_sets",
        "softmax_at_the_end",
        "nn.Linear(hidden, out_dim)",
        "nn.Linear(hidden, out_dim), nn.Softmax(dim=-1)",
        "tells_sets_apart",
        "A softmax at the end makes probabilities of the outputs; a single one is always 1. The "
        "last layer should be linear.",
    ),
    slip(
        "deep_sets",
        "features_cut_off",
        "pool(self.phi(x), kind",
        "pool(self.phi(x).detach(), kind",
        "has_weights_that_learn",
        "The features are detached before the pooling, so that φ can never learn.",
    ),
    slip(
        "deep_sets",
        "normalised_over_the_batch",
        "pool(self.phi(x), kind=self.pooling)",
        "(lambda s: (s - s.mean(0)) / (s.std(0, correction=0) + 0.1))"
        "(pool(self.phi(x), kind=self.pooling))",
        "judges_every_set_by_itself",
        "The pooled features are normalised over the batch, so that a set's output depends on the "
        "others in the call.",
    ),
]


@mistake(
    "deep_sets",
    caught_by="takes_any_number_of_elements",
    hint="The elements are sorted and handed to an ordinary network, which has a fixed number of "
    "inputs. φ should look at one element at a time.",
)
def sorted_and_flattened():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.net = nn.Sequential(
                nn.LazyLinear(hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                nn.Linear(hidden, out_dim),
            )  # fmt: skip

        def forward(self, x):
            return self.net(x.flatten(1).sort(dim=1).values)

        def parameters(self, recurse=True):
            return (p for p in super().parameters(recurse) if not nn.parameter.is_lazy(p))


@mistake(
    "deep_sets",
    caught_by="has_weights_that_learn",
    hint="parameters() does not find the layers, so that they never learn: torch looks at a "
    "module's attributes, and not into plain lists.",
)
def layers_in_a_list():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.layers = [
                nn.Linear(in_dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, out_dim),
            ]  # fmt: skip
            self.pooling = pooling

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(-1)
            features = torch.relu(self.layers[0](x))
            pooled = pool(features, kind=self.pooling)
            return self.layers[2](torch.relu(self.layers[1](pooled)))


@mistake(
    "deep_sets",
    caught_by="has_weights_that_learn",
    hint="Some layers stand in a plain list, where parameters() does not find them: they stay as "
    "they are when the others learn.",
)
def half_of_the_layers_in_a_list():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden)
            )
            self.rho = [nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)]
            self.pooling = pooling

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(-1)
            x = pool(self.phi(x), kind=self.pooling)
            for layer in self.rho:
                x = layer(x)
            return x


@mistake(
    "deep_sets",
    caught_by="judges_every_set_by_itself",
    hint="Dropout silences features at random in training mode, so that a set has another output "
    "at every call. The output belongs to the set.",
)
def dropout_among_the_features():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.SiLU(), nn.Dropout(0.2), nn.Linear(hidden, hidden)
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, out_dim)
            )

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(-1)
            return self.rho(pool(self.phi(x), kind=self.pooling))


@mistake(
    "deep_sets",
    caught_by="judges_every_set_by_itself",
    hint="Batch normalisation compares the sets that are handed over together: alone a set has "
    "another output, or none. The output belongs to the set.",
)
def batch_norm_behind_the_pooling():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.SiLU(),
                nn.Linear(hidden, out_dim),
            )  # fmt: skip

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(-1)
            return self.rho(pool(self.phi(x), kind=self.pooling))


@mistake(
    "deep_sets",
    caught_by="pools_with_a_maximum",
    hint='With pooling="max" the network adds up all the same: the largest value of each feature '
    "is wanted.",
)
def only_sum_and_mean():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.phi = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)
            )
            self.mean = pooling == "mean"

        def forward(self, x):
            if x.ndim == 2:
                x = x.unsqueeze(-1)
            h = self.phi(x)
            return self.rho(h.mean(dim=1) if self.mean else h.sum(dim=1))


# ---------------------------------------------------------------------------- naive_mlp

naive_mlp_slips = [
    slip(
        "naive_mlp",
        "inputs_added_up",
        "return self.layers(x)",
        "return self.layers(x.sum(dim=1, keepdim=True).expand(x.shape))",
        "depends_on_the_order",
        "The inputs are added up first, which makes the network invariant. This one should be the "
        "counter-example.",
    ),
    slip(
        "naive_mlp",
        "mean_added_behind",
        "return self.layers(x)",
        "return self.layers(x) + x.mean(dim=1, keepdim=True)",
        "leads_through_every_layer",
        "The mean of the inputs is added to what the network says. Two layers are asked for, and "
        "nothing else.",
    ),
    slip(
        "naive_mlp",
        "inputs_sorted",
        "return self.layers(x)",
        "return self.layers(x.sort(dim=1).values)",
        "depends_on_the_order",
        "The inputs are sorted first, which makes the network invariant. This one should be the "
        "counter-example.",
    ),
    slip(
        "naive_mlp",
        "no_activation",
        "nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 1)",
        "nn.Linear(n_inputs, 32), nn.Linear(32, 1)",
        "is_no_plane",
        "Two linear layers are one linear layer: without an activation between them the "
        "network is a plane.",
    ),
    slip(
        "naive_mlp",
        "activation_of_the_inputs",
        "nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 1)",
        "nn.ReLU(), nn.Linear(n_inputs, 32), nn.Linear(32, 1)",
        "is_no_plane",
        "The activation acts on the inputs, and the two linear layers behind it are one. It "
        "belongs between them.",
    ),
    slip(
        "naive_mlp",
        "two_hidden_layers",
        "nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 1)",
        "nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)",
        "has_one_hidden_layer_of_32",
        "There are two hidden layers. One of 32 units is asked for: 161 parameters for three "
        "inputs.",
    ),
    slip(
        "naive_mlp",
        "bounded_output",
        "nn.Linear(32, 1))",
        "nn.Linear(32, 1), nn.Tanh())",
        "ends_with_a_linear_layer",
        "An activation stands at the end, so that the output is bounded. The last layer should be "
        "linear.",
    ),
    slip(
        "naive_mlp",
        "always_three",
        "nn.Linear(n_inputs, 32)",
        "nn.Linear(3, 32)",
        "gives_one_number_for_each_row",
        "The network has three inputs, whatever n_inputs says.",
    ),
    slip(
        "naive_mlp",
        "flat_output",
        "return self.layers(x)",
        "return self.layers(x).squeeze(-1)",
        "gives_one_number_for_each_row",
        "The output has lost its column: (B, 1) is wanted.",
    ),
    slip(
        "naive_mlp",
        "a_number_for_each_unit",
        "nn.Linear(32, 1)",
        "nn.Linear(32, 32)",
        "gives_one_number_for_each_row",
        "The last layer should have one output.",
    ),
    slip(
        "naive_mlp",
        "normalised_over_the_batch",
        "return self.layers(x)",
        "return self.layers((x - x.mean(0)) / (x.std(0, correction=0) + 0.1))",
        "judges_every_row_by_itself",
        "The inputs are normalised over the batch, so that a row's output depends on the others in "
        "the call.",
    ),
    slip(
        "naive_mlp",
        "hidden_layer_in_a_function",
        "self.layers = nn.Sequential(nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, 1))",
        "first, self.last = nn.Linear(n_inputs, 32), nn.Linear(32, 1)\n"
        "        self.layers = lambda x: self.last(torch.relu(first(x.detach())).detach())\n"
        "        self.spare = nn.Linear(n_inputs, 32)",
        "has_weights_that_learn",
        "Some parameters of the network have no influence on its output, so they cannot learn.",
    ),
]


# ------------------------------------------------------- invariance and equivariance error

_CHANGE = "(f(transform(x)) - f(x)).abs().max().item()"

invariance_error_slips = [
    slip(
        "invariance_error",
        "mean_for_maximum",
        ".abs().max()",
        ".abs().mean()",
        "is_the_largest_change",
        "The mean change is returned. The largest one is wanted: an invariance holds everywhere "
        "or not at all.",
    ),
    slip(
        "invariance_error",
        "sum_for_maximum",
        ".abs().max()",
        ".abs().sum()",
        "is_the_largest_change",
        "The changes are added up. The largest one is wanted.",
    ),
    slip(
        "invariance_error",
        "sign_kept",
        ".abs().max()",
        ".max()",
        "counts_a_decrease_as_well",
        "Only an increase is noticed. Take the absolute value before the maximum.",
    ),
    slip(
        "invariance_error",
        "absolute_value_too_late",
        ".abs().max()",
        ".max().abs()",
        "counts_a_decrease_as_well",
        "The absolute value is taken after the maximum, where a large decrease is already lost.",
    ),
    slip(
        "invariance_error",
        "sizes_compared",
        "f(transform(x)) - f(x)",
        "f(transform(x)).abs() - f(x).abs()",
        "is_the_largest_change",
        "The sizes of f(T x) and f(x) are compared, so that 1 and −1 count as equal. Take the "
        "difference first.",
    ),
    slip(
        "invariance_error",
        "squared",
        ".abs().max()",
        ".square().max()",
        "is_the_largest_change",
        "The change is squared. Its absolute value is wanted, in the unit of f.",
    ),
    slip(
        "invariance_error",
        "relative",
        _CHANGE,
        "((f(transform(x)) - f(x)).abs().max() / f(x).abs().max()).item()",
        "is_the_largest_change",
        "The change is divided by the size of f. The absolute difference is wanted.",
    ),
    slip(
        "invariance_error",
        "output_transformed",
        "f(transform(x)) - f(x)",
        "transform(f(x)) - f(x)",
        "transforms_the_input_not_the_output",
        "The transformation is applied to the output of f. It belongs to its input: f(T x).",
    ),
    slip(
        "invariance_error",
        "inputs_compared",
        "f(transform(x)) - f(x)",
        "transform(x) - x",
        "is_zero_for_an_invariant",
        "This is how much x changes. How much f changes is the question.",
    ),
    slip(
        "invariance_error",
        "equivariance_instead",
        "f(transform(x)) - f(x)",
        "f(transform(x)) - transform(f(x))",
        "transforms_the_input_not_the_output",
        "f(T x) is compared with T f(x), which is equivariance. For invariance compare with f(x).",
    ),
    slip(
        "invariance_error",
        "x_overwritten",
        "    return (f(transform(x)) - f(x)).abs()",
        "    before = f(x).detach().clone()\n    x.copy_(transform(x))\n"
        "    return (f(x) - before).abs()",
        "leaves_x_unchanged",
        "x is overwritten with T x, in the caller's tensor.",
    ),
    slip(
        "invariance_error",
        "yes_or_no",
        _CHANGE,
        "float(not torch.allclose(f(transform(x)), f(x)))",
        "is_the_largest_change",
        "The answer is yes or no. How far f is from being invariant is wanted, as a number.",
    ),
    slip(
        "invariance_error",
        "rounded",
        _CHANGE,
        "round((f(transform(x)) - f(x)).abs().max().item(), 6)",
        "counts_a_decrease_as_well",
        "The change is rounded to some decimals, and in the unit of f it may be as small as that.",
    ),
]

equivariance_error_slips = [
    slip(
        "equivariance_error",
        "output_not_transformed",
        "transform_out(f(x))",
        "f(x)",
        "is_the_largest_difference",
        "f(T_in x) is compared with f(x), which is invariance. Compare it with T_out f(x).",
    ),
    slip(
        "equivariance_error",
        "sizes_compared",
        "f(transform_in(x)) - transform_out(f(x))",
        "f(transform_in(x)).abs() - transform_out(f(x)).abs()",
        "is_the_largest_difference",
        "The sizes of the two are compared, so that 1 and −1 count as equal. Take the difference "
        "first.",
    ),
    slip(
        "equivariance_error",
        "both_on_one_side",
        "f(transform_in(x)) - transform_out(f(x))",
        "transform_out(f(transform_in(x))) - f(x)",
        "is_the_largest_difference",
        "Both transformations are on the same side of the equation, which would need the inverse "
        "of one. Compare f(T_in x) with T_out f(x).",
    ),
    slip(
        "equivariance_error",
        "exchanged",
        "f(transform_in(x)) - transform_out(f(x))",
        "f(transform_out(x)) - transform_in(f(x))",
        "uses_each_transformation_in_its_place",
        "The two transformations have changed places: transform_in acts on the input of f.",
    ),
    slip(
        "equivariance_error",
        "input_transformation_twice",
        "transform_out(f(x))",
        "transform_in(f(x))",
        "uses_each_transformation_in_its_place",
        "transform_in acts on the output too. That is the place of transform_out.",
    ),
    slip(
        "equivariance_error",
        "output_transformation_twice",
        "f(transform_in(x))",
        "f(transform_out(x))",
        "uses_each_transformation_in_its_place",
        "transform_out acts on the input too. That is the place of transform_in.",
    ),
    slip(
        "equivariance_error",
        "input_not_transformed",
        "f(transform_in(x))",
        "f(x)",
        "is_zero_for_an_equivariant",
        "The input of f is never transformed.",
    ),
    slip(
        "equivariance_error",
        "sign_kept",
        ".abs().max()",
        ".max()",
        "counts_a_decrease_as_well",
        "Only differences of one sign are noticed. Take the absolute value before the maximum.",
    ),
    slip(
        "equivariance_error",
        "mean_for_maximum",
        ".abs().max()",
        ".abs().mean()",
        "is_the_largest_difference",
        "The mean difference is returned. The largest one is wanted.",
    ),
    slip(
        "equivariance_error",
        "norm",
        ".abs().max()",
        ".norm()",
        "is_the_largest_difference",
        "This is the length of the difference, all entries together. The largest entry is wanted.",
    ),
    slip(
        "equivariance_error",
        "x_overwritten",
        "    return (f(transform_in(x)) - transform_out(f(x))).abs()",
        "    before = transform_out(f(x)).detach().clone()\n    x.copy_(transform_in(x))\n"
        "    return (f(x) - before).abs()",
        "leaves_x_unchanged",
        "x is overwritten with T_in x, in the caller's tensor.",
    ),
    slip(
        "equivariance_error",
        "rounded",
        "(f(transform_in(x)) - transform_out(f(x))).abs().max().item()",
        "round((f(transform_in(x)) - transform_out(f(x))).abs().max().item(), 6)",
        "counts_a_decrease_as_well",
        "The difference is rounded to some decimals, and in the unit of f it may be as small as "
        "that.",
    ),
]


# ---------------------------------------------------------------------- random_rotation

random_rotation_slips = [
    slip(
        "random_rotation",
        "signs_of_qr",
        "    Q = Q * np.sign(np.diag(upper))  # without this, Q's first entry is always negative\n",
        "",
        "prefers_no_direction",
        "QR decides the signs by a convention of its own, so that some entries of Q always have "
        "the same sign. Make the diagonal of the triangular factor positive first.",
    ),
    slip(
        "random_rotation",
        "mirrors_too",
        "return Q * np.linalg.det(Q)",
        "return Q",
        "is_no_mirror",
        "Half of these matrices have determinant −1: they mirror. A rotation has +1.",
    ),
    slip(
        "random_rotation",
        "only_mirrors",
        "return Q * np.linalg.det(Q)",
        "return -Q * np.linalg.det(Q)",
        "is_no_mirror",
        "These matrices have determinant −1: they mirror. A rotation has +1.",
    ),
    slip(
        "random_rotation",
        "uniform_entries",
        "rng.normal(size=(3, 3))",
        "rng.uniform(size=(3, 3))",
        "relates_no_two_directions",
        "The matrix is made of uniform numbers, which prefer some directions. Only normal ones "
        "know none: their density depends on the length alone.",
    ),
    slip(
        "random_rotation",
        "uniform_entries_of_both_signs",
        "rng.normal(size=(3, 3))",
        "rng.uniform(-1, 1, size=(3, 3))",
        "prefers_no_corner",
        "The matrix is made of uniform numbers, which prefer the corners of their cube. Only "
        "normal ones know no direction: their density depends on the length alone.",
    ),
    slip(
        "random_rotation",
        "global_random_state",
        "rng.normal(size=(3, 3))",
        "np.random.normal(size=(3, 3))",
        "draws_from_rng_alone",
        "The numbers come from the global random state. Draw them from rng.",
    ),
    slip(
        "random_rotation",
        "a_generator_of_its_own",
        "rng.normal(size=(3, 3))",
        "np.random.default_rng(0).normal(size=(3, 3))",
        "is_orthogonal",
        "A generator with a fixed seed is made in every call, so that every call gives the same "
        "rotation. Draw from rng.",
    ),
    slip(
        "random_rotation",
        "never_orthogonalised",
        "    Q, upper = np.linalg.qr(rng.normal(size=(3, 3)))\n",
        "    Q = upper = rng.normal(size=(3, 3))\n    Q = Q / np.linalg.norm(Q, axis=0)\n",
        "is_orthogonal",
        "The columns have length one, but they are not orthogonal to each other.",
    ),
]


@mistake(
    "random_rotation",
    caught_by="covers_the_sphere_evenly",
    hint="Three uniform Euler angles crowd at the poles, as meridians do: the area of the sphere "
    "near a pole is small. The cosine of the tilt has to be uniform, not the tilt.",
)
def uniform_euler_angles():
    def random_rotation(rng):
        from scipy.spatial.transform import Rotation

        return Rotation.from_euler("zyz", rng.uniform(0, 2 * np.pi, 3)).as_matrix()


@mistake(
    "random_rotation",
    caught_by="covers_the_sphere_evenly",
    hint="Three uniform Euler angles crowd at the poles, as meridians do: the area of the sphere "
    "near a pole is small. The cosine of the tilt has to be uniform, not the tilt.",
)
def one_turn_about_each_axis():
    def random_rotation(rng):
        (cx, cy, cz), (sx, sy, sz) = (g(angles) for angles in [rng.uniform(0, 2 * np.pi, 3)]
                                      for g in (np.cos, np.sin))  # fmt: skip
        x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return z @ y @ x


@mistake(
    "random_rotation",
    caught_by="turns_by_every_angle_as_often_as_it_should",
    hint="The axis is uniform and the angle is too, but large angles have more rotations: the "
    "density of θ is proportional to 1 − cos θ.",
)
def uniform_angle_about_a_random_axis():
    def random_rotation(rng):
        from scipy.spatial.transform import Rotation

        axis = rng.normal(size=3)
        angle = rng.uniform(0, np.pi)
        return Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()


@mistake(
    "random_rotation",
    caught_by="covers_the_sphere_evenly",
    hint="All these rotations have the same axis. The axis has to be random too.",
)
def about_the_z_axis_only():
    def random_rotation(rng):
        angle = rng.uniform(0, 2 * np.pi)
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


@mistake(
    "random_rotation",
    caught_by="covers_the_sphere_evenly",
    hint="A quaternion of four uniform numbers prefers the corners of their cube. Four normal "
    "numbers, divided by their length, prefer no direction.",
)
def quaternion_from_a_cube():
    def random_rotation(rng):
        from scipy.spatial.transform import Rotation

        return Rotation.from_quat(rng.uniform(-1, 1, 4)).as_matrix()


@mistake(
    "random_rotation",
    caught_by="gives_an_array",
    hint="The rotation is no NumPy array; one of shape (3, 3) is wanted.",
)
def as_a_tensor():
    def random_rotation(rng):
        Q, R = torch.linalg.qr(torch.tensor(rng.normal(size=(3, 3))))
        Q = Q * torch.sign(torch.diagonal(R))
        return Q * torch.linalg.det(Q)


# ----------------------------------------------------------------- cluster_energy_model

_ENERGY = """class ClusterEnergyModel(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.pair = nn.Sequential(
            nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
        )
        self.output = nn.Linear(hidden, 1)

    def forward(self, positions):
        i, j = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)
        r = (positions[:, i] - positions[:, j]).norm(dim=-1)
        features = self.pair(1 / r.unsqueeze(-1)).sum(dim=1)
        return self.output(features).squeeze(-1)


"""
_FORCES = """def forces(model, positions):
    x = positions.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(x).sum(), x)
    return -gradient
"""
_DISTANCES = "r = (positions[:, i] - positions[:, j]).norm(dim=-1)"

energy = partial(variant, "cluster_energy_model", _ENERGY + _FORCES)

cluster_energy_model_slips = [
    energy(
        "distances_from_the_origin",
        _DISTANCES,
        "r = positions.norm(dim=-1)",
        "does_not_change_when_shifted",
        "The network sees how far each atom is from the origin. Only distances between atoms do "
        "not change when the cluster is shifted.",
    ),
    energy(
        "separations_for_distances",
        "r = (positions[:, i] - positions[:, j]).norm(dim=-1)\n"
        "        features = self.pair(1 / r.unsqueeze(-1)).sum(dim=1)\n",
        "r = (positions[:, i] - positions[:, j]).abs().flatten(1)\n"
        "        features = self.pair(r.unsqueeze(-1)).sum(dim=1)\n",
        "does_not_change_when_turned",
        "The network sees the x, y and z of the separations one by one, and they change when the "
        "cluster is turned. Their lengths do not.",
    ),
    energy(
        "distances_along_the_axes",
        ".norm(dim=-1)",
        ".abs().sum(dim=-1)",
        "does_not_change_when_turned",
        "This distance adds up |x|, |y| and |z|, and changes when the cluster is turned. "
        "Pythagoras adds up squares.",
    ),
    energy(
        "per_atom",
        "self.output(features)",
        "self.output(features / positions.shape[1])",
        "does_not_divide_by_the_number_of_atoms",
        "The sum is divided by the number of atoms. A pair counts as much in a large cluster as in "
        "a small one.",
    ),
    energy(
        "per_root_of_the_number_of_atoms",
        "self.output(features)",
        "self.output(features / positions.shape[1] ** 0.5)",
        "does_not_divide_by_the_number_of_atoms",
        "The sum is divided by the root of the number of atoms. A pair counts as much in a large "
        "cluster as in a small one.",
        keeps=0.5,
    ),
    energy(
        "no_activation",
        "nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()",
        "nn.Linear(1, hidden), nn.Linear(hidden, hidden)",
        "bends",
        "There is no activation between the layers, so that all of them together are one straight "
        "line.",
        keeps=0.97,
    ),
    energy(
        "neighbours_in_the_list",
        "i, j = torch.triu_indices(positions.shape[1], positions.shape[1], offset=1)",
        "i = torch.arange(positions.shape[1] - 1)\n        j = i + 1",
        "does_not_change_when_renumbered",
        "Only atoms that follow each other in the list form pairs. Every atom has a pair with "
        "every other, whatever their numbers are.",
    ),
    energy(
        "pairs_weighted_by_their_place",
        "self.pair(1 / r.unsqueeze(-1)).sum(dim=1)",
        "(self.pair(1 / r.unsqueeze(-1)) * torch.linspace(1, 2, len(i))[:, None]).sum(dim=1)",
        "does_not_change_when_renumbered",
        "Pairs are weighted by their place in the list. All pairs have to be treated alike.",
    ),
    energy(
        "mean_over_the_pairs",
        ".sum(dim=1)",
        ".mean(dim=1)",
        "grows_with_the_cluster",
        "The features of the pairs are averaged, and a mean forgets how many pairs there are. "
        "Energy adds up.",
    ),
    energy(
        "largest_pair",
        ".sum(dim=1)",
        ".amax(dim=1) if len(i) else self.pair(0 * positions[:, 0, :1])",
        "grows_with_the_cluster",
        "A maximum keeps one pair for each feature, however many there are. Energy adds up.",
    ),
    energy(
        "net_force_taken_off",
        "return -gradient",
        "return -(gradient - gradient.mean(dim=1, keepdim=True))",
        "gives_the_forces_of_any_model",
        "The mean force is taken off, so that the forces add up to zero with any model. Minus the "
        "gradient is what it is: of atoms that are held at a place the sum is not zero.",
    ),
    energy(
        "forces_cut_off",
        "return -gradient",
        "return -gradient.clamp(-100, 100)",
        "gives_the_forces_of_any_model",
        "Large forces are cut off. Clipping may help a training; a force is minus the gradient, "
        "whatever its size.",
    ),
    energy(
        "sign_of_the_forces",
        "return -gradient",
        "return gradient",
        "gives_minus_the_gradient",
        "The forces have the wrong sign: they are minus the gradient of the energy.",
    ),
    energy(
        "mean_for_sum_of_the_batch",
        "model(x).sum(), x",
        "model(x).mean(), x",
        "gives_minus_the_gradient",
        "The forces are divided by the number of clusters: take the gradient of the sum of the "
        "energies, not of their mean.",
    ),
    energy(
        "first_cluster_only",
        "model(x).sum(), x",
        "model(x)[0], x",
        "gives_minus_the_gradient",
        "Only the first cluster has forces. The gradient of the sum of all energies holds those of "
        "every cluster.",
    ),
    energy(
        "gradient_required_for_good",
        "x = positions.detach().clone().requires_grad_(True)",
        "x = positions.requires_grad_(True)",
        "leaves_the_positions_as_they_were",
        "requires_grad_() changes the caller's tensor for good. Work on a copy.",
    ),
    energy(
        "backward_into_the_positions",
        "    x = positions.detach().clone().requires_grad_(True)\n"
        "    (gradient,) = torch.autograd.grad(model(x).sum(), x)\n    return -gradient\n",
        "    positions.requires_grad_(True)\n    model(positions).sum().backward()\n"
        "    return -positions.grad\n",
        "leaves_the_positions_as_they_were",
        "backward() adds to the caller's positions.grad, and the next call adds to it again. "
        "torch.autograd.grad leaves nothing behind, and a copy leaves the caller's tensor as "
        "it was.",
    ),
    energy(
        "own_model_only",
        "torch.autograd.grad(model(x).sum(), x)",
        "torch.autograd.grad(model.output(model.pair(1 / (x[:, None] - x[:, :, None] + 1e-9)"
        ".norm(dim=-1, keepdim=True)).sum((1, 2))).sum(), x)",
        "gives_minus_the_gradient",
        "forces should call the model, model(positions), and not reach into it: it has to work "
        "for any model.",
    ),
    energy(
        "energy_as_a_column",
        "return self.output(features).squeeze(-1)",
        "return self.output(features)",
        "tells_clusters_apart",
        "The energies are a column (B, 1). One number for each cluster, (B,), is wanted.",
    ),
    energy(
        "squeezed",
        "return self.output(features).squeeze(-1)",
        "return self.output(features).squeeze()",
        "tells_clusters_apart",
        "squeeze() removes the axis of the batch too where there is a single cluster.",
    ),
    energy(
        "graph_lost",
        "return self.output(features).squeeze(-1)",
        "return torch.tensor(self.output(features).squeeze(-1).tolist(), dtype=positions.dtype)",
        "gives_the_forces_of_its_own_energy",
        "The energies have lost their graph on the way: they have no slope and cannot be trained.",
    ),
    energy(
        "distances_cut_off",
        ".norm(dim=-1)",
        ".norm(dim=-1).detach()",
        "gives_the_forces_of_its_own_energy",
        "The distances are cut off from the positions, so that the energy has no slope.",
    ),
    energy(
        "hidden_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        hidden = 32\n",
        "has_the_width_asked_for",
        "The argument hidden has no effect on the size of the layers.",
    ),
    energy(
        "last_layer_in_a_list",
        "self.output = nn.Linear(hidden, 1)",
        "last = [nn.Linear(hidden, 1)]\n        self.output = lambda x: last[0](x)",
        "has_weights_that_learn",
        "Some layers stand in a plain list, where parameters() does not find them: they stay as "
        "they are when the others learn.",
    ),
    energy(
        "layers_in_a_list",
        "        self.pair = nn.Sequential(\n"
        "            nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()\n"
        "        )\n",
        "        layers = [nn.Linear(1, hidden), nn.Linear(hidden, hidden)]\n"
        "        silu = nn.functional.silu\n"
        "        self.pair = lambda x: silu(layers[1](silu(layers[0](x)))).detach() + 0 * x\n"
        "        self.spare = nn.Linear(1, hidden)\n",
        "has_weights_that_learn",
        "Some parameters have no way to the energy, so that they cannot learn: layers have to be "
        "attributes of the module, and nothing may be detached on the way.",
    ),
    energy(
        "distances_normalised_by_the_batch",
        "features = self.pair(1 / r.unsqueeze(-1))",
        "r = r / (r.mean() if r.numel() else 1.0)\n"
        "        features = self.pair(1 / r.unsqueeze(-1))",
        "judges_every_cluster_by_itself",
        "Distances are divided by their mean over the batch, so that a cluster's energy depends on "
        "the others in the call.",
    ),
    energy(
        "centred_on_the_first_atom",
        "        return self.output(features).squeeze(-1)\n",
        "        first = (positions - positions[:, :1]).norm(dim=-1).sum(dim=1)\n"
        "        return self.output(features).squeeze(-1) * (1 + first)\n",
        "does_not_change_when_renumbered",
        "The first atom is a special one here. No atom is: measure from the centre, or between "
        "all atoms.",
    ),
    energy(
        "relu",
        "nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()",
        "nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()",
        "is_smooth",
        "The activation has a corner, as ReLU has. So the energy has corners too, and at a "
        "corner the force jumps: a smooth activation is needed.",
    ),
    energy(
        "cut_off_in_a_step",
        "features = self.pair(1 / r.unsqueeze(-1)).sum(dim=1)",
        "near = (r < 2).unsqueeze(-1)\n"
        "        features = (near * self.pair(1 / r.unsqueeze(-1))).sum(dim=1)",
        "is_smooth",
        "Pairs beyond some distance are left out from one moment to the next, so that energy and "
        "force jump there. A cut-off has to go to zero smoothly.",
    ),
    energy(
        "central_differences",
        _FORCES,
        "def forces(model, positions):\n"
        "    gradient = torch.zeros_like(positions)\n"
        "    h = 1e-3\n"
        "    for i in range(positions.shape[1]):\n"
        "        for k in range(3):\n"
        "            step = torch.zeros_like(positions)\n"
        "            step[:, i, k] = h\n"
        "            both = model(positions + step), model(positions - step)\n"
        "            gradient[:, i, k] = (both[0] - both[1]).detach() / (2 * h)\n"
        "    return -gradient\n",
        "gives_the_forces_of_a_real_network",
        "The slope is taken by small steps. In float32, which networks have, what is left of such "
        "a difference is mostly noise: differentiate through autograd.",
    ),
    energy(
        "handed",
        "        return self.output(features).squeeze(-1)\n",
        "        centre = positions - positions.mean(dim=1, keepdim=True)\n"
        "        r2 = centre.square().sum(-1, keepdim=True)\n"
        "        a, b, c = (centre * r2**k for k in (0, 1, 2))\n"
        "        a, b, c = (torch.tanh(r2 - s).mul(centre).sum(1) for s in (0.5, 2.0, 5.0))\n"
        "        handed = (a * torch.linalg.cross(b, c)).sum(-1)\n"
        "        return self.output(features).squeeze(-1) + handed\n",
        "does_not_change_when_mirrored",
        "The energy tells a cluster from its mirror image: there is a product of three vectors in "
        "it, which changes its sign in a mirror.",
    ),
    energy(
        "attraction_to_the_origin",
        "return self.output(features).squeeze(-1)",
        "return self.output(features).squeeze(-1) + positions.square().sum(dim=(1, 2))",
        "has_forces_that_add_up_to_zero",
        "The energy depends on where the cluster is, so that the forces do not add up to zero. "
        "Only differences of positions may enter.",
    ),
    energy(
        "mean_of_no_pairs",
        "features = self.pair(1 / r.unsqueeze(-1)).sum(dim=1)",
        "e = self.pair(1 / r.unsqueeze(-1))\n        features = len(i) * e.mean(dim=1)",
        "takes_a_single_atom",
        "A single atom has no pairs, and the mean over none is 0/0. A sum over none is zero.",
    ),
]


@mistake(
    "cluster_energy_model",
    caught_by="tells_clusters_apart",
    hint="The positions themselves go into an ordinary network, which has a fixed number of atoms "
    "and none of the symmetries. Let it see what the symmetries leave alone: distances.",
)
def raw_positions():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(12, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, 1),
            )  # fmt: skip

        def forward(self, positions):
            return self.net(positions.flatten(1)).squeeze(-1)

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


@mistake(
    "cluster_energy_model",
    caught_by="tells_clusters_apart",
    hint="The positions themselves go into an ordinary network for each atom. The order of the "
    "atoms no longer counts, but place and turn of the cluster still do: use distances.",
)
def atoms_as_a_set_of_positions():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.atom = nn.Sequential(nn.Linear(3, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
            self.output = nn.Linear(hidden, 1)

        def forward(self, positions):
            return self.output(pool(self.atom(positions)))

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


@mistake(
    "cluster_energy_model",
    caught_by="sees_the_distances_of_pairs",
    keeps=0.5,
    hint="The network sees how far each atom is from the middle of the cluster. Two atoms do not "
    "feel the middle, they feel each other: use the distances of pairs.",
)
def distances_from_the_middle():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.atom = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, 1),
            )  # fmt: skip

        def forward(self, positions):
            apart = positions - positions.mean(dim=1, keepdim=True)
            r = (apart.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt()
            return self.atom(r).sum(dim=(1, 2))

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


@mistake(
    "cluster_energy_model",
    caught_by="tells_clusters_apart",
    hint="The energy is no number: an atom is at distance 0 from itself, and one over that is "
    "infinite. Leave these pairs out before you divide.",
)
def one_over_the_distance_from_itself():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.pair = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, 1),
            )  # fmt: skip

        def forward(self, positions):
            r = torch.cdist(positions, positions).unsqueeze(-1)
            return self.pair(4 / r - 2).sum(dim=(1, 2, 3)) / 2

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


@mistake(
    "cluster_energy_model",
    caught_by="gives_the_forces_of_its_own_energy",
    hint="The forces are not a number: the distance of an atom from itself is zero, and the root "
    "has no slope there. Leave these pairs out before you take the root, not afterwards.",
)
def root_of_zero():
    class ClusterEnergyModel(nn.Module):
        def __init__(self, hidden=32):
            super().__init__()
            self.pair = nn.Sequential(
                nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, 1),
            )  # fmt: skip

        def forward(self, positions):
            separation = positions[:, :, None] - positions[:, None]
            distances = (separation**2).sum(dim=-1).sqrt()
            pairs = self.pair(distances.unsqueeze(-1)).squeeze(-1)
            return (pairs * torch.ones_like(pairs).triu(1)).sum(dim=(1, 2))

    def forces(model, positions):
        x = positions.detach().clone().requires_grad_(True)
        return -torch.autograd.grad(model(x).sum(), x)[0]


# ------------------------------------------------------------------- train_energy_model

_TRAIN = """def train_energy_model(model, positions, energies, *, epochs, generator):
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    history = []
    model.train()
    for _ in range(min(epochs, 200)):
        optimiser.zero_grad()
        loss = torch.mean((model(positions) - energies) ** 2)
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    model.eval()
    return history
"""

trained = partial(variant, "train_energy_model", _TRAIN)

train_energy_model_slips = [
    trained(
        "row_minus_column",
        "(model(positions) - energies) ** 2",
        "(model(positions) - energies.reshape(-1, 1)) ** 2",
        "knows_unseen_clusters",
        "(n,) minus (n, 1) is an (n, n) table: the loss compares every prediction with every "
        "energy, and the network learns their mean. Give both the same shape.",
    ),
    trained(
        "no_step",
        "        optimiser.step()\n",
        "",
        "returns_a_history_that_falls",
        "The weights never move: no step is taken, or zero_grad stands between backward and step.",
    ),
    trained(
        "uphill",
        "loss.backward()",
        "(-loss).backward()",
        "returns_a_history_that_falls",
        "The loss is made larger, not smaller: a sign is wrong.",
    ),
    trained(
        "gradients_never_cleared",
        "        optimiser.zero_grad()\n",
        "",
        "knows_unseen_clusters",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    trained(
        "energies_left_standardised",
        "    history = []\n",
        "    history = []\n    energies = (energies - energies.mean()) / energies.std()\n",
        "knows_unseen_clusters",
        "The energies were standardised for the training, and the model still gives them so. Its "
        "energies should be in ε.",
    ),
    trained(
        "positions_standardised",
        "    history = []\n",
        "    history = []\n    positions = positions / positions.std() / 2\n",
        "knows_unseen_clusters",
        "The model was trained on scaled positions, and later sees them as they are. Whatever is "
        "done to its input has to be done inside the model.",
    ),
    trained(
        "heeds_no_epochs",
        "range(min(epochs, 200))",
        "range(200)",
        "gives_the_mean_loss_of_every_epoch",
        "The number of iterations is written into the function, and epochs is not heeded.",
        keeps=0.95,
    ),
    trained(
        "stops_too_soon",
        "range(min(epochs, 200))",
        "range(min(epochs, 20))",
        "knows_unseen_clusters",
        "The training stops while the loss is still falling: use the epochs that are given.",
    ),
    trained(
        "global_random_order",
        "        loss = torch.mean((model(positions) - energies) ** 2)\n",
        "        some = torch.randperm(len(positions))[: max(1, len(positions) // 2)]\n"
        "        loss = torch.mean((model(positions[some]) - energies[some]) ** 2)\n",
        "repeats_itself",
        "The batches are drawn from the global random state. Draw them from generator, so that a "
        "seed gives the same result again.",
    ),
    trained(
        "energies_not_shuffled_along",
        "        loss = torch.mean((model(positions) - energies) ** 2)\n",
        "        some = torch.randperm(len(positions), generator=generator)\n"
        "        loss = torch.mean((model(positions[some]) - energies) ** 2)\n",
        "knows_unseen_clusters",
        "The clusters are shuffled and their energies are not, so that each cluster gets another "
        "one's energy.",
    ),
    trained(
        "still_in_training_mode",
        "    model.eval()\n",
        "",
        "leaves_the_model_ready_for_use",
        "The model is left in training mode, so that whoever uses it next gets dropout. The "
        "mode has to change when the training is over.",
    ),
    trained(
        "model_left_in_double",
        "    model.eval()\n",
        "    model.double().eval()\n",
        "leaves_the_model_its_dtype",
        "The weights come back in float64. Whatever the training needs, the model is left in the "
        "dtype that it came in.",
    ),
    trained(
        "history_forgotten",
        "    return history\n",
        "    return model\n",
        "returns_a_history_that_falls",
        "The model comes back. It was changed in place; the history of its losses is wanted.",
    ),
    trained(
        "last_loss_only",
        "    return history\n",
        "    return history[-1]\n",
        "returns_a_history_that_falls",
        "Only the last loss comes back. The list of all of them is wanted.",
    ),
    trained(
        "another_model",
        "    optimiser =",
        "    model = type(model)()\n    optimiser =",
        "knows_unseen_clusters",
        "A new model is made and trained, and the one that was handed over stays as it was.",
    ),
    trained(
        "mean_never_given_back",
        "    history = []\n",
        "    history = []\n    energies = energies - energies.mean()\n",
        "knows_unseen_clusters",
        "The mean of the energies is taken away and never given back: after the training the "
        "model itself has to give energies counted from the zero of the data.",
    ),
    trained(
        "data_changed",
        "    history = []\n",
        "    history = []\n    positions -= positions.mean(dim=1, keepdim=True)\n",
        "leaves_its_data_unchanged",
        "The caller's positions have other values after the training: `-=` and its kind write "
        "into a tensor.",
    ),
]


_IN_BATCHES = """def train_energy_model(model, positions, energies, *, epochs, generator):
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    history = []
    model.train()
    for _ in range(min(epochs, 60)):
        total = 0.0
        for rows in torch.randperm(len(positions), generator=generator).split(64):
            optimiser.zero_grad()
            loss = torch.mean((model(positions[rows]) - energies[rows]) ** 2)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        history.append(total / len(positions))
    model.eval()
    return history
"""

in_batches = partial(variant, "train_energy_model", _IN_BATCHES)

train_energy_model_in_batches = [
    in_batches(
        "last_batch_s_loss",
        "total / len(positions)",
        "loss.item()",
        "gives_the_mean_loss_of_every_epoch",
        "The history holds the loss of each epoch's last batch. The mean over all clusters of the "
        "epoch is wanted.",
        keeps=0.95,
    ),
    in_batches(
        "running_mean",
        "        history.append(total / len(positions))",
        "        mean = total / len(positions)\n"
        "        history.append(0.9 * history[-1] + 0.1 * mean if history else mean)",
        "gives_the_mean_loss_of_every_epoch",
        "The history is smoothed: losses of earlier epochs go on in it. The mean of each epoch is "
        "wanted.",
        keeps=0.95,
    ),
    in_batches(
        "losses_added_up",
        "loss.item() * len(rows)\n        history.append(total / len(positions))",
        "loss.item()\n        history.append(total)",
        "gives_the_mean_loss_of_every_epoch",
        "The losses of an epoch's batches are added up. The mean over all clusters is wanted.",
        keeps=0.95,
    ),
    in_batches(
        "not_shuffled",
        "torch.randperm(len(positions), generator=generator)",
        "torch.arange(len(positions))",
        "shows_each_cluster_once_an_epoch",
        "The batches are the same in every epoch: the clusters are never shuffled. Draw a new "
        "order for each epoch, from generator.",
        keeps=0.95,
    ),
    in_batches(
        "with_replacement",
        "torch.randperm(len(positions), generator=generator)",
        "torch.randint(len(positions), (len(positions),), generator=generator)",
        "shows_each_cluster_once_an_epoch",
        "The clusters of each batch are drawn with replacement: in an epoch some come twice and "
        "others never. A shuffled order has each of them once.",
        keeps=0.95,
    ),
    in_batches(
        "a_seed_of_its_own",
        "    model.train()\n",
        "    model.train()\n    generator.manual_seed(0)\n",
        "takes_the_order_from_the_generator",
        "The generator gets a seed of the function's own: every training has the same order, "
        "whatever seed it was given.",
        keeps=0.95,
    ),
    in_batches(
        "last_batch_dropped",
        ".split(64):",
        ".split(64)[: max(len(positions) // 64, 1)]:",
        "shows_each_cluster_once_an_epoch",
        "The last, smaller batch of each epoch is left out, and its clusters are not learnt from.",
        keeps=0.95,
    ),
    in_batches(
        "evaluation_mode_while_it_learns",
        "    model.train()\n",
        "    model.eval()\n",
        "trains_in_training_mode",
        "The model is in evaluation mode while it learns, so that layers like dropout do nothing. "
        "Switch to it when the training is over.",
        keeps=0.95,
    ),
]


# ------------------------------------------------------------- more of what was seen in class


_LARGEST = "torch.cat([known, floor], dim=1).amax(dim=1)"

later_pool_slips = [
    slip(
        "pool",
        "maximum_without_a_graph",
        _LARGEST,
        "torch.tensor(torch.cat([known, floor], dim=1).detach().numpy().max(axis=1))",
        "can_be_differentiated",
        "The maximum is taken by NumPy, or of detached features: nothing that stands before it "
        "can be trained.",
    ),
    slip(
        "pool",
        "padding_not_low_enough",
        "masked_fill(~counts, -torch.inf)",
        "masked_fill(~counts, -1000.0)",
        "takes_the_largest_of_what_counts",
        "The number that hides the padding is not low enough: some features are lower still, "
        "and the padding wins against them.",
    ),
    slip(
        "pool",
        "no_maximum_of_nothing",
        _LARGEST,
        "known.amax(dim=1)",
        "knows_the_empty_set",
        "The maximum over no elements at all stops with an error. It should be zero, as the sum "
        "and the mean are.",
    ),
]


@mistake(
    "deep_sets",
    caught_by="has_the_width_asked_for",
    hint="Two networks of the same sizes share their layers, so that training one changes the "
    "other. Each needs layers of its own.",
)
def layers_kept_for_the_next():
    layers_of = {}

    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            key = in_dim, hidden, out_dim
            if key not in layers_of:
                layers_of[key] = (
                    nn.Sequential(nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden)),
                    nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)),
                )
            self.phi, self.rho = layers_of[key]

        def forward(self, x):
            x = x.unsqueeze(-1) if x.ndim == 2 else x
            return self.rho(pool(self.phi(x), kind=self.pooling))


energy_with_cut_distances = slip(
    "cluster_energy_model",
    "distances_clamped_from_below",
    "4 / distances - 2",
    "4 / distances.clamp(min=0.8) - 2",
    "is_smooth",
    "Distances are clamped from below: the force jumps to zero where the clamp sets in.",
)

energy_with_half_a_graph = slip(
    "cluster_energy_model",
    "half_of_the_graph_cut",
    "distances = (positions[:, first] - positions[:, second]).norm(dim=-1, keepdim=True)",
    "apart = positions[:, first] - positions[:, second]\n"
    "        distances = (apart * apart.detach()).sum(dim=-1, keepdim=True).sqrt()",
    "gives_the_forces_of_its_own_energy",
    "A part of the distance is detached: the energies are right and their slope is not.",
)


@mistake(
    "deep_sets",
    caught_by="looks_at_elements_before_it_pools",
    hint="There is no φ: the elements themselves are pooled, and what is left of a set is the sum "
    "of its elements. A network has to look at each before the pooling.",
)
def without_phi():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            self.rho = nn.Sequential(
                nn.Linear(in_dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, out_dim),
            )  # fmt: skip

        def forward(self, x):
            x = x.unsqueeze(-1) if x.ndim == 2 else x
            return self.rho(pool(x, kind=self.pooling))


@mistake(
    "deep_sets",
    caught_by="does_not_depend_on_the_order",
    hint="Each element brings its place in the tensor along. Nothing may depend on the place.",
)
def place_as_a_feature():
    class DeepSets(nn.Module):
        def __init__(self, in_dim=1, hidden=32, out_dim=1, pooling="sum"):
            super().__init__()
            self.pooling = pooling
            self.phi = nn.Sequential(
                nn.Linear(in_dim + 1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
            )
            self.rho = nn.Sequential(
                nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out_dim)
            )

        def forward(self, x):
            x = x.unsqueeze(-1) if x.ndim == 2 else x
            place = torch.arange(x.shape[1]).to(x.dtype).reshape(1, -1, 1)
            x = torch.cat([x, place.expand(len(x), -1, 1)], dim=-1)
            return self.rho(pool(self.phi(x), kind=self.pooling))


@mistake(
    "train_energy_model",
    caught_by="returns_a_history_that_falls",
    hint="The history falls, but the model is as it was: no weight has changed.",
)
def nothing_but_a_list():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        model.eval()
        return [1 / (1 + epoch) for epoch in range(min(epochs, 50))]


@mistake(
    "train_energy_model",
    caught_by="knows_unseen_clusters",
    hint="Another function is put in the place of the model's: its weights have learnt nothing. "
    "Train the network that is handed over.",
    keeps=0.1,
)
def formula_in_its_place():
    def train_energy_model(model, positions, energies, *, epochs, generator):
        law = nn.Parameter(torch.tensor([1.0, 1.0, 0.0], dtype=positions.dtype))

        def forward(positions):
            first, second = torch.triu_indices(positions.shape[1], positions.shape[1], 1)
            sixth = (positions[:, first] - positions[:, second]).square().sum(dim=-1) ** -3
            scale = law.to(positions.dtype)
            return (scale[0] * sixth**2 - scale[1] * sixth + scale[2]).sum(dim=1)

        model.forward = forward
        optimiser = torch.optim.Adam([law], lr=0.1)
        history = []
        model.train()
        for _ in range(min(epochs, 300)):
            optimiser.zero_grad()
            loss = torch.mean((model(positions) - energies) ** 2)
            loss.backward()
            optimiser.step()
            history.append(loss.item())
        model.eval()
        return history


wrapped_in_a_scale = trained(
    "wrapped_in_a_scale",
    "    history = []\n",
    "    middle, scale, inside = energies.mean(), energies.std(), model.forward\n"
    "    model.forward = lambda positions: middle + scale * inside(positions)\n    history = []\n",
    "knows_unseen_clusters",
    "Energies in ε come from a function that is put in the place of the model's, around it. The "
    "weights have to give them: let the last layer do it.",
)


# -------------------------------------------------------------------- right values, wrong kind

in_lists = [
    slip(
        exercise,
        f"{exercise}_in_a_list",
        f"return ({difference}).abs().max().item()",
        f"return [({difference}).abs().max().item()]",
        "gives_a_number",
        "The value is right, but it comes back in a list. A number is wanted.",
    )
    for exercise, difference in (
        ("invariance_error", "f(transform(x)) - f(x)"),
        ("equivariance_error", "f(transform_in(x)) - transform_out(f(x))"),
    )
]
