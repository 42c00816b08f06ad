"""Known wrong answers to autoencoder."""

from functools import partial

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

bank = Bank(__name__)
slip = bank.slip


# ------------------------------------------------------------------- pca_reconstruction

pca_reconstruction_slips = [
    slip(
        "pca_reconstruction",
        "mean_not_taken_off",
        "    mean = X.mean(axis=0)\n",
        "    mean = np.zeros(X.shape[1])\n",
        "rebuilds_the_rows",
        "The mean is not taken off before the decomposition, so that the first direction points "
        "at the centre of the cloud instead of along it. Components describe how rows differ from "
        "their mean.",
    ),
    slip(
        "pca_reconstruction",
        "mean_not_put_back",
        "X_hat = mean + (left",
        "X_hat = (left",
        "rebuilds_the_rows",
        "The mean was taken off and never put back: the rebuilt rows lie around zero.",
    ),
    slip(
        "pca_reconstruction",
        "one_mean_for_all_columns",
        "X.mean(axis=0)",
        "X.mean()",
        "rebuilds_the_rows",
        "One number, the mean over everything, is taken off. Every column has a mean of its own.",
    ),
    slip(
        "pca_reconstruction",
        "mean_of_each_row",
        "X.mean(axis=0)",
        "X.mean(axis=1, keepdims=True)",
        "rebuilds_the_rows",
        "The mean of each row is taken off, which for spins is the magnetisation itself. The mean "
        "over the configurations is meant, one for each column.",
    ),
    slip(
        "pca_reconstruction",
        "columns_standardised",
        "    left, sizes, directions = np.linalg.svd(X - mean, full_matrices=False)\n"
        "    X_hat = mean + (left[:, :k] * sizes[:k]) @ directions[:k]\n",
        "    std = X.std(axis=0)\n"
        "    left, sizes, directions = np.linalg.svd((X - mean) / std, full_matrices=False)\n"
        "    X_hat = mean + std * ((left[:, :k] * sizes[:k]) @ directions[:k])\n",
        "rebuilds_the_rows",
        "The columns are divided by their deviations first. That is the analysis of another "
        "matrix, of correlations: only the mean is to be taken off.",
    ),
    slip(
        "pca_reconstruction",
        "parts_not_squared",
        "sizes[:k] ** 2 / np.sum(sizes**2)",
        "sizes[:k] / np.sum(sizes)",
        "gives_the_explained_parts",
        "These are the parts of the singular values. A variance is their square.",
    ),
    slip(
        "pca_reconstruction",
        "parts_of_what_is_kept",
        "np.sum(sizes**2)",
        "np.sum(sizes[:k] ** 2)",
        "gives_the_explained_parts",
        "The parts are taken of the variance that is kept, so that they always add up to 1. The "
        "total is that of all directions.",
    ),
    slip(
        "pca_reconstruction",
        "variances_for_parts",
        "sizes[:k] ** 2 / np.sum(sizes**2)",
        "sizes[:k] ** 2 / (len(X) - 1)",
        "gives_the_explained_parts",
        "These are the variances themselves. Divide by the total to have parts of it.",
    ),
    slip(
        "pca_reconstruction",
        "parts_added_up",
        "return X_hat, sizes[:k] ** 2 / np.sum(sizes**2)",
        "return X_hat, np.cumsum(sizes[:k] ** 2) / np.sum(sizes**2)",
        "gives_the_explained_parts",
        "The parts are added up one after the other. Each direction's own part is asked for.",
    ),
    slip(
        "pca_reconstruction",
        "all_parts",
        "return X_hat, sizes[:k] ** 2 / np.sum(sizes**2)",
        "return X_hat, sizes**2 / np.sum(sizes**2)",
        "gives_the_explained_parts",
        "The parts of all directions come back. Those of the first k are asked for.",
    ),
    slip(
        "pca_reconstruction",
        "smallest_components",
        "    X_hat = mean",
        "    left, sizes, directions = left[:, ::-1], sizes[::-1], directions[::-1]\n"
        "    X_hat = mean",
        "keeps_one_component",
        "The directions of smallest variance are kept, and those of largest are wanted. (Some "
        "functions give eigenvalues in ascending order.)",
    ),
    slip(
        "pca_reconstruction",
        "one_too_many",
        "    X_hat = mean",
        "    k = k + 1\n    X_hat = mean",
        "keeps_one_component",
        "One component too many is kept: the first k are numbered 0 to k − 1.",
    ),
    slip(
        "pca_reconstruction",
        "first_one_skipped",
        "(left[:, :k] * sizes[:k]) @ directions[:k]",
        "(left[:, 1 : k + 1] * sizes[1 : k + 1]) @ directions[1 : k + 1]",
        "finds_the_order_of_spins",
        "The first component is left out; counting starts at 0.",
    ),
    slip(
        "pca_reconstruction",
        "directions_transposed",
        "(left[:, :k] * sizes[:k]) @ directions[:k]",
        "((X - mean) @ directions[:, :k]) @ directions[:, :k].T",
        "rebuilds_the_rows",
        "The columns of the last matrix of the decomposition are taken for the directions. NumPy "
        "gives that matrix transposed: the directions are its rows.",
    ),
    slip(
        "pca_reconstruction",
        "scores_returned",
        "(left[:, :k] * sizes[:k]) @ directions[:k]",
        "0\n    X_hat = left[:, :k] * sizes[:k]",
        "rebuilds_the_rows",
        "The coordinates along the components come back. To rebuild the rows, multiply them by the "
        "directions and add the mean.",
    ),
    slip(
        "pca_reconstruction",
        "returned_in_other_order",
        "return X_hat, sizes[:k] ** 2 / np.sum(sizes**2)",
        "return sizes[:k] ** 2 / np.sum(sizes**2), X_hat",
        "gives_the_explained_parts",
        "The two results come in the other order: X_hat first, then the parts.",
    ),
    slip(
        "pca_reconstruction",
        "data_changed",
        "    left, sizes, directions = np.linalg.svd(X - mean, full_matrices=False)\n",
        "    X -= mean\n    left, sizes, directions = np.linalg.svd(X, full_matrices=False)\n",
        "leaves_X_unchanged",
        "The caller's X has other values after the call: `-=` and its kind write into an array.",
    ),
]


@mistake(
    "pca_reconstruction",
    caught_by="takes_a_tensor_as_well",
    hint="A tensor has no .astype: turn X into an array first, whatever it was.",
)
def astype_of_a_tensor():
    def pca_reconstruction(X, k):
        X = X.astype(float)
        mean = X.mean(axis=0)
        left, sizes, directions = np.linalg.svd(X - mean, full_matrices=False)
        parts = sizes**2 / np.sum(sizes**2)
        return mean + (left[:, :k] * sizes[:k]) @ directions[:k], parts[:k]


@mistake(
    "pca_reconstruction",
    caught_by="loses_nothing_with_all_components",
    hint="Each row is rebuilt from lengths of 1 along the directions. Its own coordinates along "
    "them are needed.",
)
def coordinates_normalised():
    def pca_reconstruction(X, k):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        left, sizes, directions = np.linalg.svd(X - mean, full_matrices=False)
        return mean + left[:, :k] @ directions[:k], sizes[:k] ** 2 / np.sum(sizes**2)


# -------------------------------------------------------------------------- autoencoder

_TANH = "            nn.Linear(128, input_dim),\n            nn.Tanh(),\n"
_LATENT = "            nn.Linear(32, latent_dim),\n"
_ENCODER = """            nn.Linear(input_dim, 128),
            nn.ReLU(),
            nn.Linear(128, 32),
            nn.ReLU(),
"""
_DECODER = """            nn.Linear(latent_dim, 32),
            nn.ReLU(),
            nn.Linear(32, 128),
            nn.ReLU(),
"""
_RESULT = "return self.decoder(z), z"

autoencoder_slips = [
    slip(
        "autoencoder",
        "units_begin_alike",
        "            nn.Tanh(),\n        )\n",
        "            nn.Tanh(),\n        )\n"
        "        for one in self.parameters():\n            nn.init.constant_(one, 0.01)\n",
        "can_be_trained_through_its_output",
        "All weights begin equal, and the units of a layer stay equal for ever: they are one unit. "
        "Begin at random.",
    ),
    slip(
        "autoencoder",
        "another_default",
        "latent_dim: int = 2",
        "latent_dim: int = 3",
        "has_the_layers_asked_for",
        "Where nothing is said about latent_dim, z should have two numbers.",
    ),
    slip(
        "autoencoder",
        "no_tanh",
        _TANH,
        "            nn.Linear(128, input_dim),\n",
        "rebuilds_between_minus_one_and_one",
        "x_hat may take any value: the tanh behind the last layer is missing.",
    ),
    slip(
        "autoencoder",
        "sigmoid_for_tanh",
        _TANH,
        "            nn.Linear(128, input_dim),\n            nn.Sigmoid(),\n",
        "rebuilds_both_signs",
        "A sigmoid lies between 0 and 1 and can never rebuild a spin −1. tanh lies between −1 and "
        "1.",
    ),
    slip(
        "autoencoder",
        "relu_at_the_end",
        _TANH,
        "            nn.Linear(128, input_dim),\n            nn.ReLU(),\n",
        "decodes_any_z_to_spins",
        "A ReLU stands at the end of the decoder: it can never rebuild a spin −1. tanh belongs "
        "there.",
    ),
    slip(
        "autoencoder",
        "z_without_its_graph",
        "        return self.decoder(z), z",
        "        return self.decoder(z), z.detach()",
        "gives_the_z_of_its_encoder",
        "The z that comes back has lost its graph. Return what the encoder gives as it is.",
        keeps=0.95,
    ),
    slip(
        "autoencoder",
        "z_of_bounded_length",
        "        z = self.encoder(x)\n",
        "        z = self.encoder(x)\n        z = z / z.norm(dim=1, keepdim=True).clamp(min=1)\n",
        "computes_what_its_layers_say",
        "z is shortened to a length of at most 1 behind the encoder. There is nothing on z.",
    ),
    slip(
        "autoencoder",
        "relu_on_z",
        _LATENT,
        _LATENT + "            nn.ReLU(),\n",
        "leaves_z_free",
        "A ReLU stands on z, which can then no longer tell up from down. The last layer of the "
        "encoder is linear.",
    ),
    slip(
        "autoencoder",
        "tanh_on_z",
        _LATENT,
        _LATENT + "            nn.Tanh(),\n",
        "leaves_z_free",
        "A tanh stands on z and bounds it. The last layer of the encoder is linear; the tanh "
        "belongs to the end of the decoder.",
    ),
    slip(
        "autoencoder",
        "linear_encoder",
        _ENCODER,
        _ENCODER.replace("            nn.ReLU(),\n", ""),
        "bends_in_the_encoder",
        "The encoder has no activations: three linear layers in a row are one linear layer.",
    ),
    slip(
        "autoencoder",
        "linear_decoder",
        _DECODER,
        _DECODER.replace("            nn.ReLU(),\n", ""),
        "bends_in_the_decoder",
        "The decoder has no activations between its layers: they are together one linear layer.",
    ),
    slip(
        "autoencoder",
        "latent_dim_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        latent_dim = 2\n",
        "takes_its_sizes_from_its_arguments",
        "z has two numbers, whatever latent_dim says.",
    ),
    slip(
        "autoencoder",
        "input_dim_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        input_dim = 256\n",
        "takes_its_sizes_from_its_arguments",
        "The layers have 256 inputs and outputs, whatever input_dim says.",
    ),
    slip(
        "autoencoder",
        "layer_missing",
        _DECODER,
        "            nn.Linear(latent_dim, 128),\n            nn.ReLU(),\n",
        "has_the_layers_asked_for",
        "A layer of the decoder is missing: it should mirror the encoder, latent_dim → 32 → 128 → "
        "input_dim.",
    ),
    slip(
        "autoencoder",
        "no_biases",
        _LATENT,
        "            nn.Linear(32, latent_dim, bias=False),\n",
        "has_the_layers_asked_for",
        "A bias is missing: every layer has one.",
    ),
    slip(
        "autoencoder",
        "encoder_too_narrow",
        _ENCODER,
        _ENCODER.replace("128", "64"),
        "has_the_layers_asked_for",
        "The widths are not those of the docstring: input_dim → 128 → 32 → latent_dim.",
    ),
    slip(
        "autoencoder",
        "reconstruction_alone",
        _RESULT,
        "return self.decoder(z)",
        "gives_the_z_of_its_encoder",
        "forward returns x_hat alone. Both are wanted: (x_hat, z).",
    ),
    slip(
        "autoencoder",
        "returned_in_other_order",
        _RESULT,
        "return z, self.decoder(z)",
        "gives_the_z_of_its_encoder",
        "forward returns (z, x_hat). The reconstruction comes first.",
    ),
    slip(
        "autoencoder",
        "input_returned",
        _RESULT,
        "return self.decoder(z), x",
        "gives_the_z_of_its_encoder",
        "forward returns the input where z belongs.",
    ),
    slip(
        "autoencoder",
        "graph_cut_at_z",
        _RESULT,
        "return self.decoder(z.detach()), z",
        "can_be_trained_through_its_output",
        "z is detached before the decoder: no gradient reaches the encoder, which would never "
        "learn.",
    ),
    slip(
        "autoencoder",
        "graph_cut_by_no_grad",
        "        z = self.encoder(x)\n        return self.decoder(z), z\n",
        "        with torch.no_grad():\n            z = self.encoder(x)\n"
        "            return self.decoder(z), z\n",
        "can_be_trained_through_its_output",
        "forward works without gradients, and nothing could be trained: no_grad belongs to where a "
        "trained model is used.",
    ),
    slip(
        "autoencoder",
        "scaled_after_the_decoder",
        _RESULT,
        "return torch.tanh(self.decoder(z)), z",
        "gives_what_its_decoder_makes_of_z",
        "forward does something to x_hat after the decoder, a second tanh perhaps: decoder(z) "
        "should already be x_hat.",
    ),
    slip(
        "autoencoder",
        "z_normalised_over_the_batch",
        "        z = self.encoder(x)\n",
        "        z = self.encoder(x)\n        z = (z - z.mean(dim=0)) / (z.std(dim=0) + 1e-6)\n",
        "gives_the_z_of_its_encoder",
        "z is shifted and scaled by the mean and deviation of the batch, so that it is not what "
        "the encoder gives.",
    ),
]


@mistake(
    "autoencoder",
    caught_by="has_the_layers_asked_for",
    hint="parameters() does not find the layers, so that they never learn: torch looks at a "
    "module's attributes, and not into plain lists.",
)
def layers_in_a_plain_list():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.down = [nn.Linear(input_dim, 128), nn.Linear(128, 32), nn.Linear(32, latent_dim)]
            self.up = [nn.Linear(latent_dim, 32), nn.Linear(32, 128), nn.Linear(128, input_dim)]

        def encoder(self, x):
            return self.down[2](torch.relu(self.down[1](torch.relu(self.down[0](x)))))

        def decoder(self, z):
            return torch.tanh(self.up[2](torch.relu(self.up[1](torch.relu(self.up[0](z))))))

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


@mistake(
    "autoencoder",
    caught_by="judges_every_configuration_by_itself",
    hint="squeeze() drops the axis of the configurations when there is only one of them, and that "
    "of z when it is a single number. Leave the axes as the layers give them.",
)
def axes_squeezed():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Linear(input_dim, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(),
                nn.Linear(32, latent_dim),
            )  # fmt: skip
            self.decoder = nn.Sequential(
                nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(),
                nn.Linear(128, input_dim), nn.Tanh(),
            )  # fmt: skip

        def forward(self, x):
            z = self.encoder(x).squeeze()
            return self.decoder(z), z


# ------------------------------------------------------------------ reconstruction_loss

_LOSS = "torch.mean((x - x_hat) ** 2)"

reconstruction_loss_slips = [
    slip(
        "reconstruction_loss",
        "sum",
        _LOSS,
        "torch.sum((x - x_hat) ** 2)",
        "is_the_mean_squared_difference",
        "The squares are added up: take their mean, so that the loss of a large lattice can be "
        "compared with that of a small one.",
    ),
    slip(
        "reconstruction_loss",
        "sum_over_the_spins",
        _LOSS,
        "torch.mean(torch.sum((x - x_hat) ** 2, dim=-1))",
        "is_the_mean_squared_difference",
        "The squares are added up over the spins and averaged over the configurations. The mean "
        "over both is asked for.",
    ),
    slip(
        "reconstruction_loss",
        "sum_over_the_configurations",
        _LOSS,
        "torch.sum(torch.mean((x - x_hat) ** 2, dim=-1))",
        "is_the_mean_squared_difference",
        "The squares are averaged over the spins and added up over the configurations. The mean "
        "over both is asked for.",
    ),
    slip(
        "reconstruction_loss",
        "sum_over_the_first_axis",
        _LOSS,
        "torch.sum((x - x_hat) ** 2) / x[0].numel()",
        "does_not_grow_with_the_data",
        "The squares are averaged over the spins and added up over the configurations. The mean "
        "over both is asked for.",
    ),
    slip(
        "reconstruction_loss",
        "divided_by_two_axes_only",
        _LOSS,
        "torch.sum((x - x_hat) ** 2) / (x.shape[0] * x.shape[1])",
        "takes_any_shape",
        "The sum is divided by the product of the first two axes. Lattices may have more of them: "
        "divide by the number of elements.",
    ),
    slip(
        "reconstruction_loss",
        "absolute_differences",
        _LOSS,
        "torch.mean(torch.abs(x - x_hat))",
        "charges_four_for_a_wrong_spin",
        "This is the mean of the absolute differences; that of their squares is wanted.",
    ),
    slip(
        "reconstruction_loss",
        "root",
        _LOSS,
        "torch.sqrt(torch.mean((x - x_hat) ** 2))",
        "charges_four_for_a_wrong_spin",
        "This is the root of the mean square; the mean square itself is wanted.",
    ),
    slip(
        "reconstruction_loss",
        "half",
        _LOSS,
        "0.5 * torch.mean((x - x_hat) ** 2)",
        "is_the_mean_squared_difference",
        "Half the loss: there is a factor ½ that was not asked for.",
    ),
    slip(
        "reconstruction_loss",
        "mean_before_the_square",
        _LOSS,
        "torch.mean(x - x_hat) ** 2",
        "is_the_mean_squared_difference",
        "The mean is taken first and squared after, so that errors of both signs cancel. Square "
        "every difference.",
    ),
    slip(
        "reconstruction_loss",
        "overlap",
        _LOSS,
        "1 - torch.mean(x * x_hat)",
        "is_the_mean_squared_difference",
        "This is one minus the overlap of x and x_hat. It is related to the squared difference, "
        "but another number.",
    ),
    slip(
        "reconstruction_loss",
        "graph_lost",
        _LOSS,
        "torch.mean((x - x_hat) ** 2).item()",
        "can_be_differentiated",
        "A plain number comes back, and nothing can be trained with it: return the tensor.",
    ),
    slip(
        "reconstruction_loss",
        "detached",
        _LOSS,
        "torch.mean((x - x_hat.detach()) ** 2)",
        "trains_what_made_x_hat",
        "x_hat is detached: the loss has the right value, and nothing learns from it.",
    ),
    slip(
        "reconstruction_loss",
        "arguments_changed",
        _LOSS,
        "torch.mean(x_hat.data.sub_(x).pow(2)) if not x_hat.requires_grad else " + _LOSS,
        "leaves_its_arguments_unchanged",
        "x_hat is overwritten by the difference: operations whose names end in an underscore, and "
        "`-=`, write into the caller's tensor.",
    ),
]


# -------------------------------------------------------------------- train_autoencoder


_PLAIN = """def train_autoencoder(model, X, *, epochs, generator):
    X = torch.as_tensor(X, dtype=torch.float32)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    model.train()
    for _ in range(min(epochs, 14_000 // len(X))):
        total = 0.0
        for rows in torch.randperm(len(X), generator=generator).split(64):
            x = X[rows]
            x_hat, z = model(x)
            loss = reconstruction_loss(x, x_hat)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        losses.append(total / len(X))
    model.eval()
    return losses
"""
variant = partial(bank.variant, "train_autoencoder", _PLAIN)

train_autoencoder_slips = [
    variant(
        "gradients_never_cleared",
        "            optimiser.zero_grad()\n",
        "",
        "rebuilds_unseen_configurations",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    variant(
        "decoder_alone",
        "model.parameters()",
        "model.decoder.parameters()",
        "finds_the_magnetisation",
        "The optimiser knows the decoder's weights only. The encoder has to learn as well.",
    ),
    variant(
        "encoder_alone",
        "model.parameters()",
        "model.encoder.parameters()",
        "rebuilds_unseen_configurations",
        "The optimiser knows the encoder's weights only. The decoder has to learn as well.",
    ),
    variant(
        "z_detached",
        "            x_hat, z = model(x)\n",
        "            x_hat = model.decoder(model.encoder(x).detach())\n",
        "finds_the_magnetisation",
        "z is detached from the encoder, which therefore never learns. Let the gradient pass "
        "through both halves.",
    ),
    variant(
        "compared_with_the_mean",
        "reconstruction_loss(x, x_hat)",
        "reconstruction_loss(x.mean(dim=0).expand_as(x), x_hat)",
        "rebuilds_unseen_configurations",
        "Every reconstruction is compared with the batch's mean. Each configuration should be "
        "compared with its own.",
    ),
    variant(
        "compared_with_others",
        "reconstruction_loss(x, x_hat)",
        "reconstruction_loss(X[: len(rows)], x_hat)",
        "rebuilds_unseen_configurations",
        "The reconstructions of a shuffled batch are compared with the first rows of X. Take the "
        "same rows for both.",
    ),
    variant(
        "labels_from_the_sign",
        "reconstruction_loss(x, x_hat)",
        "reconstruction_loss(x.abs(), x_hat)",
        "rebuilds_order_of_both_signs",
        "The signs of the spins are lost before the comparison: all configurations look alike.",
    ),
    variant(
        "means_alone",
        "reconstruction_loss(x, x_hat)",
        "torch.mean((x.mean(dim=1) - x_hat.mean(dim=1)) ** 2)",
        "rebuilds_order_of_both_signs",
        "The loss compares the means of a configuration and of its reconstruction. Each spin has "
        "to be compared with its own: the mean alone does not tell where it points.",
        0.5,
    ),
    variant(
        "means_alone_and_another_history",
        "            loss = reconstruction_loss(x, x_hat)\n            optimiser.zero_grad()\n"
        "            loss.backward()\n",
        "            loss = reconstruction_loss(x, x_hat)\n            optimiser.zero_grad()\n"
        "            ((x - x_hat).mean(dim=1) ** 2).mean().backward()\n",
        "rebuilds_order_of_both_signs",
        "The loss compares the means of a configuration and of its reconstruction. Each spin has "
        "to be compared with its own: the mean alone does not tell where it points.",
        0.5,
    ),
    variant(
        "noise_in_the_input",
        "            x_hat, z = model(x)\n",
        "            x_hat, z = model(x + 0.3 * torch.randn(x.shape, generator=generator))\n",
        "shows_each_configuration_once_an_epoch",
        "Noise is added to the configurations before the model sees them. It learns from them as "
        "they are.",
    ),
    variant(
        "no_step",
        "            optimiser.step()\n",
        "",
        "rebuilds_unseen_configurations",
        "The weights never move: no step is taken, or zero_grad stands between backward and step.",
    ),
    variant(
        "a_copy_is_trained",
        "    X = torch.as_tensor(X, dtype=torch.float32)\n",
        "    import copy\n\n    X = torch.as_tensor(X, dtype=torch.float32)\n"
        "    model = copy.deepcopy(model)\n",
        "rebuilds_unseen_configurations",
        "A copy of the model is trained, and the model that was handed over stays as it was.",
    ),
    variant(
        "stops_too_soon",
        "range(min(epochs, 14_000 // len(X)))",
        "range(1)",
        "rebuilds_order_of_both_signs",
        "The training stops after one epoch, while the loss is still falling: use the epochs that "
        "are given.",
    ),
    variant(
        "climbs",
        "loss.backward()",
        "(-loss).backward()",
        "rebuilds_unseen_configurations",
        "The loss is made as large as possible: its sign is the wrong way round.",
    ),
    variant(
        "weights_decay_away",
        "lr=1e-3)",
        "lr=1e-3, weight_decay=1.0)",
        "finds_the_magnetisation",
        "The weight decay is so strong that all weights shrink to zero, and with them every "
        "reconstruction. Leave it out or make it small.",
    ),
    variant(
        "step_too_large",
        "lr=1e-3",
        "lr=1.0",
        "rebuilds_unseen_configurations",
        "The learning rate is far too large: the first steps throw the weights so far away "
        "that they do not find back.",
    ),
    variant(
        "losses_of_the_batches",
        "            total += loss.item() * len(rows)\n        losses.append(total / len(X))\n",
        "            losses.append(loss.item())\n",
        "gives_the_mean_loss_of_every_epoch",
        "There is a loss for each batch. One for each epoch is wanted, a mean.",
    ),
    variant(
        "heeds_no_epochs",
        "range(min(epochs, 14_000 // len(X)))",
        "range(20)",
        "gives_the_mean_loss_of_every_epoch",
        "The number of passes is written into the function, and epochs is not heeded.",
        keeps=0.95,
    ),
    variant(
        "losses_added_up",
        "total / len(X)",
        "total",
        "gives_the_mean_loss_of_every_epoch",
        "The losses of an epoch are added up. Their mean over the configurations is wanted.",
    ),
    variant(
        "last_loss_alone",
        "return losses",
        "return losses[-1]",
        "gives_the_mean_loss_of_every_epoch",
        "The last loss comes back. The list of all of them is wanted.",
    ),
    variant(
        "model_returned",
        "return losses",
        "return model",
        "gives_the_mean_loss_of_every_epoch",
        "The model comes back. It is trained in place; the list of losses is wanted.",
    ),
    variant(
        "last_batch_s_loss",
        "losses.append(total / len(X))",
        "losses.append(loss.item())",
        "gives_the_mean_loss_of_every_epoch",
        "The list holds the loss of each epoch's last batch. The mean over all configurations is "
        "wanted.",
        keeps=0.95,
    ),
    variant(
        "mean_over_batches",
        "            total += loss.item() * len(rows)\n        losses.append(total / len(X))",
        "            total += loss.item() / math.ceil(len(X) / 64)\n        losses.append(total)",
        "gives_the_mean_loss_of_every_epoch",
        "The mean is one over batches: the last, smaller one weighs as much as the others. Weight "
        "each with its number of configurations.",
        keeps=0.95,
    ),
    variant(
        "losses_of_another_scale",
        "reconstruction_loss(x, x_hat)",
        "4 * reconstruction_loss(x, x_hat)",
        "ends_where_the_error_is",
        "The losses are not those of reconstruction_loss: they should be as large as the error.",
    ),
    variant(
        "evaluation_mode_after_the_first_epoch",
        "        losses.append(total / len(X))\n",
        "        losses.append(total / len(X))\n        model.eval()\n",
        "trains_in_training_mode",
        "From the second epoch on the model is in evaluation mode, and nothing is dropped. "
        "Set the mode back before the next epoch, or switch once, at the end.",
        keeps=0.95,
    ),
    variant(
        "with_replacement",
        "torch.randperm(len(X), generator=generator)",
        "torch.randint(len(X), (len(X),), generator=generator)",
        "shows_each_configuration_once_an_epoch",
        "The rows of each batch are drawn with replacement: in an epoch some come twice and "
        "others never. A shuffled order has each of them once.",
        keeps=0.95,
    ),
    variant(
        "not_shuffled",
        "torch.randperm(len(X), generator=generator)",
        "torch.arange(len(X))",
        "draws_new_batches_for_every_epoch",
        "The batches are the same in every epoch: the rows are never shuffled. Draw a new order "
        "for each epoch, from generator.",
        keeps=0.95,
    ),
    variant(
        "shuffled_once",
        "    for _ in range(min(epochs, 14_000 // len(X))):\n        total = 0.0\n"
        "        for rows in torch.randperm(len(X), generator=generator).split(64):",
        "    order = torch.randperm(len(X), generator=generator)\n"
        "    for _ in range(min(epochs, 14_000 // len(X))):\n        total = 0.0\n"
        "        for rows in order.split(64):",
        "draws_new_batches_for_every_epoch",
        "The order is drawn once, before the first epoch, and every epoch has the same batches. "
        "Draw a new order for each epoch.",
        keeps=0.95,
    ),
    variant(
        "the_same_seed_every_epoch",
        "        total = 0.0\n",
        "        total = 0.0\n        generator.manual_seed(generator.initial_seed())\n",
        "draws_new_batches_for_every_epoch",
        "The generator is set back to its seed in every epoch, so that every epoch has the same "
        "batches. Leave it as it is: it gives a new order each time.",
        keeps=0.95,
    ),
    variant(
        "a_seed_of_its_own_for_every_epoch",
        "        total = 0.0\n",
        "        total = 0.0\n        generator.manual_seed(len(losses))\n",
        "takes_the_order_from_the_generator",
        "The generator gets the number of the epoch for its seed: every training has the same "
        "order, whatever seed it was given.",
        keeps=0.97,
    ),
    variant(
        "last_batch_dropped",
        ".split(64):",
        ".split(64)[: max(len(X) // 64, 1)]:",
        "shows_each_configuration_once_an_epoch",
        "The last, smaller batch of each epoch is left out, and its configurations are not "
        "learnt from.",
        keeps=0.95,
    ),
    variant(
        "spins_shuffled",
        "            x = X[rows]\n",
        "            x = X[rows][:, torch.randperm(X.shape[1], generator=generator)]\n",
        "shows_each_configuration_once_an_epoch",
        "The sites of a lattice are shuffled, and what was next to each other no longer is. "
        "Shuffle the rows, whole configurations.",
        keeps=0.85,
    ),
    variant(
        "training_mode_kept",
        "    model.eval()\n",
        "",
        "ends_in_evaluation_mode",
        "The model is left in training mode, so that whoever uses it next gets dropout. The "
        "mode has to change when the training is over.",
    ),
    variant(
        "generator_ignored",
        "generator=generator",
        "generator=None",
        "repeats_itself",
        "The order of the rows comes from the global random state. generator should decide it, so "
        "that the same seed gives the same result.",
    ),
    variant(
        "tensors_only",
        "torch.as_tensor(X, dtype=torch.float32)",
        "X.clone()",
        "takes_arrays_and_tensors",
        "An array stops it: X may be an array or a tensor.",
    ),
    variant(
        "data_changed",
        "    losses = []\n",
        "    X -= X.mean(dim=0)\n    losses = []\n",
        "leaves_X_unchanged",
        "The caller's X is overwritten: `-=` writes into it, and a tensor made by as_tensor or "
        "from_numpy shares its memory.",
    ),
]


# ------------------------------------------------------------------------------- encode

_BODY = """    model.eval()
    with torch.no_grad():
        x = torch.as_tensor(X, dtype=next(model.parameters()).dtype)
        return model.encoder(x).numpy()
"""

encode_slips = [
    slip(
        "encode",
        "evaluation_mode_forgotten",
        "    model.eval()\n",
        "",
        "is_free_of_dropout",
        "The model is used in whatever mode it is in. In training mode dropout adds noise to z: "
        "switch to evaluation mode first.",
    ),
    slip(
        "encode",
        "training_mode",
        "model.eval()",
        "model.train()",
        "is_free_of_the_batch",
        "The model is put into training mode, where dropout adds noise to z. Evaluation mode is "
        "meant.",
    ),
    slip(
        "encode",
        "graph_kept",
        _BODY,
        "    model.eval()\n    x = torch.as_tensor(X, dtype=next(model.parameters()).dtype)\n"
        "    return model.encoder(x).numpy()\n",
        "gives_the_encoder_s_z",
        "A tensor with a graph cannot become an array. Work inside torch.no_grad(), or detach.",
    ),
    slip(
        "encode",
        "last_batch_left_out",
        ".encoder(x).numpy()",
        ".encoder(x[: len(x) // 64 * 64 or len(x)]).numpy()",
        "gives_the_encoder_s_z",
        "Only whole batches are encoded, and the rows that are left over are not. Each row of X "
        "has its z.",
    ),
    slip(
        "encode",
        "tensor_returned",
        ".encoder(x).numpy()",
        ".encoder(x)",
        "gives_a_numpy_array",
        "A tensor comes back. A NumPy array is wanted.",
    ),
    slip(
        "encode",
        "list_returned",
        ".encoder(x).numpy()",
        ".encoder(x).tolist()",
        "gives_a_numpy_array",
        "A list comes back. A NumPy array is wanted.",
    ),
    slip(
        "encode",
        "reconstruction_returned",
        "model.encoder(x).numpy()",
        "model(x)[0].numpy()",
        "gives_the_encoder_s_z",
        "The reconstruction comes back. z is wanted, what the encoder gives.",
    ),
    slip(
        "encode",
        "transposed",
        ".encoder(x).numpy()",
        ".encoder(x).numpy().T",
        "gives_the_encoder_s_z",
        "One row for each configuration is wanted, not one for each latent number.",
    ),
    slip(
        "encode",
        "axes_squeezed",
        ".encoder(x).numpy()",
        ".encoder(x).numpy().squeeze()",
        "keeps_both_axes",
        "squeeze drops an axis when there is one configuration or one latent number. Keep both.",
    ),
    slip(
        "encode",
        "all_in_a_row",
        ".encoder(x).numpy()",
        ".encoder(x).numpy().ravel()",
        "gives_the_encoder_s_z",
        "All numbers come back in one row. Each configuration should have a row of its own.",
    ),
    slip(
        "encode",
        "first_number_alone",
        ".encoder(x).numpy()",
        ".encoder(x).numpy()[:, :1]",
        "gives_the_encoder_s_z",
        "Only the first latent number comes back. All of them are wanted.",
    ),
    slip(
        "encode",
        "standardised",
        "        return model.encoder(x).numpy()\n",
        "        z = model.encoder(x).numpy()\n"
        "        return (z - z.mean(axis=0)) / (z.std(axis=0) + 1e-12)\n",
        "gives_the_encoder_s_z",
        "z is shifted and scaled by the mean and deviation of the rows that came with it. It "
        "should be what the encoder gives.",
    ),
    slip(
        "encode",
        "rounded_to_integers",
        ".encoder(x).numpy()",
        ".encoder(x).numpy().astype(int)",
        "gives_the_encoder_s_z",
        "z is cut to whole numbers. It should stay an array of floats.",
    ),
    slip(
        "encode",
        "tensors_only",
        "torch.as_tensor(X, dtype=next(model.parameters()).dtype)",
        "X.float()",
        "takes_arrays_and_tensors",
        "An array stops it: X may be an array or a tensor.",
    ),
    slip(
        "encode",
        "data_changed",
        "        return model.encoder(x).numpy()\n",
        "        z = model.encoder(x).numpy()\n        x[...] = 0\n        return z\n",
        "leaves_X_and_the_weights_unchanged",
        "The caller's X is overwritten: a tensor made by as_tensor or from_numpy shares its "
        "memory.",
    ),
    slip(
        "encode",
        "gradients_off_for_good",
        "    with torch.no_grad():\n",
        "    torch.set_grad_enabled(False)\n    if True:\n",
        "lets_the_model_learn_on",
        "Gradients are switched off and never on again, so that nothing can be trained after the "
        "first encoding. torch.no_grad() as a block switches them off for a while.",
    ),
    slip(
        "encode",
        "weights_frozen",
        "    with torch.no_grad():\n",
        "    model.requires_grad_(False)\n    if True:\n",
        "lets_the_model_learn_on",
        "The model's weights are frozen and stay so: it can no longer be trained. torch.no_grad() "
        "leaves the model as it is.",
    ),
]


# ---------------------------------------------------------- order_parameter_correlation

_COLUMNS = "np.column_stack([z, np.ones(len(z))])"
_FIT = "slopes = np.linalg.lstsq(columns, m)[0]"
_R2 = "return float(1 - np.sum(errors**2) / np.sum((m - m.mean()) ** 2))"

order_parameter_correlation_slips = [
    slip(
        "order_parameter_correlation",
        "no_intercept",
        _COLUMNS,
        "z",
        "is_the_fit_s_r_squared",
        "The fit has no intercept, and so its line has to pass through the origin. The best "
        "line need not.",
    ),
    slip(
        "order_parameter_correlation",
        "deviations_from_zero",
        "np.sum((m - m.mean()) ** 2)",
        "np.sum(m**2)",
        "is_the_fit_s_r_squared",
        "The errors are compared with the size of m. They should be compared with its deviations "
        "from its mean.",
    ),
    slip(
        "order_parameter_correlation",
        "part_that_is_left",
        _R2,
        "return float(np.sum(errors**2) / np.sum((m - m.mean()) ** 2))",
        "is_one_for_a_linear_function",
        "This is the part of the variance that the line leaves over. R² is one minus it.",
    ),
    slip(
        "order_parameter_correlation",
        "not_squared",
        _R2,
        "return float(np.sqrt(max(0.0, 1 - np.sum(errors**2) / np.sum((m - m.mean()) ** 2))))",
        "is_a_squared_correlation_for_one_number",
        "This is R and not R²: the square is missing.",
    ),
    slip(
        "order_parameter_correlation",
        "errors_not_compared",
        _R2,
        "return float(1 - np.mean(errors**2))",
        "is_the_fit_s_r_squared",
        "The errors are not divided by the deviations of m from its mean, so that the result "
        "depends on the unit of m.",
    ),
    slip(
        "order_parameter_correlation",
        "adjusted",
        _R2,
        "free = len(m) - columns.shape[1]\n"
        "    return float(1 - np.sum(errors**2) / free / np.var(m, ddof=1))",
        "is_the_fit_s_r_squared",
        "This is the adjusted R², which is corrected for the number of columns. The plain one is "
        "wanted.",
    ),
    slip(
        "order_parameter_correlation",
        "roots_of_the_errors",
        "np.sum(errors**2)",
        "np.abs(np.sum(errors))",
        "is_the_fit_s_r_squared",
        "The errors are added up as they are, and those of both signs cancel. Each has to be "
        "squared first.",
    ),
    slip(
        "order_parameter_correlation",
        "first_column_alone",
        _COLUMNS,
        "np.column_stack([z[:, 0], np.ones(len(z))])",
        "uses_every_column",
        "Only the first latent number is used. The fit should use all of them.",
    ),
    slip(
        "order_parameter_correlation",
        "columns_added_up",
        _COLUMNS,
        "np.column_stack([z.sum(axis=1), np.ones(len(z))])",
        "uses_every_column",
        "The latent numbers are added up before the fit. Each should have a slope of its own.",
    ),
    slip(
        "order_parameter_correlation",
        "squared_correlations_added_up",
        _R2,
        "return float(sum(np.corrcoef(column, m)[0, 1] ** 2 for column in z.T))",
        "uses_every_column",
        "The squared correlations of the columns are added up. What two columns have in common is "
        "then counted twice: fit all of them together.",
    ),
    slip(
        "order_parameter_correlation",
        "best_column",
        _R2,
        "return float(max(np.corrcoef(column, m)[0, 1] ** 2 for column in z.T))",
        "uses_every_column",
        "Only the best column counts. The fit should use all of them together.",
    ),
    slip(
        "order_parameter_correlation",
        "mean_of_the_columns",
        _R2,
        "return float(np.mean([np.corrcoef(column, m)[0, 1] ** 2 for column in z.T]))",
        "uses_every_column",
        "The squared correlations of the columns are averaged. The fit should use all of them "
        "together.",
    ),
    slip(
        "order_parameter_correlation",
        "normal_equations",
        _FIT,
        "slopes = np.linalg.solve(columns.T @ columns, columns.T @ m)",
        "survives_dead_and_repeated_columns",
        "The normal equations have no single solution where a column is dead or repeats another. "
        "lstsq or a pseudo-inverse finds one of the many.",
    ),
    slip(
        "order_parameter_correlation",
        "sign_of_m_lost",
        "np.asarray(m, dtype=float)",
        "np.abs(np.asarray(m, dtype=float))",
        "is_the_fit_s_r_squared",
        "The sign of m is dropped before the fit. The fit is of m itself.",
    ),
    slip(
        "order_parameter_correlation",
        "arguments_changed",
        "    columns = ",
        "    m -= m.mean()\n    columns = ",
        "leaves_its_arguments_unchanged",
        "The caller's m has other values after the call: `-=` and its kind write into an array.",
    ),
]


@mistake(
    "order_parameter_correlation",
    caught_by="takes_tensors_as_well",
    hint="A tensor has no .astype: turn z and m into arrays first, whatever they were.",
)
def arrays_only():
    def order_parameter_correlation(z, m):
        columns = np.column_stack([z.astype(float), np.ones(len(z))])
        m = m.astype(float).reshape(-1)
        errors = m - columns @ np.linalg.lstsq(columns, m, rcond=None)[0]
        return 1 - errors @ errors / np.sum((m - m.mean()) ** 2)


@mistake(
    "order_parameter_correlation",
    caught_by="uses_every_column",
    hint="A small penalty on the slopes pulls the fit away from the best one, and makes it depend "
    "on the unit of z. Plain least squares is meant.",
)
def penalised_slopes():
    def order_parameter_correlation(z, m):
        from sklearn.linear_model import Ridge

        z, m = np.asarray(z), np.asarray(m).reshape(-1)
        return Ridge(alpha=1.0).fit(z, m).score(z, m)


@mistake(
    "order_parameter_correlation",
    caught_by="is_zero_for_what_is_unrelated",
    hint="Squares of z are among the columns of the fit. A straight line is meant: z itself and an "
    "intercept.",
)
def squares_of_z_too():
    def order_parameter_correlation(z, m):
        z, m = np.asarray(z, dtype=float), np.asarray(m, dtype=float).reshape(-1)
        columns = np.column_stack([z, z**2, np.ones(len(z))])
        errors = m - columns @ np.linalg.lstsq(columns, m, rcond=None)[0]
        return 1 - errors @ errors / np.sum((m - m.mean()) ** 2)


@mistake(
    "order_parameter_correlation",
    caught_by="takes_m_as_a_column",
    hint="(N, 1) minus (N,) is an (N, N) table: every m is compared with every fit. Flatten m "
    "first.",
)
def column_minus_row():
    def order_parameter_correlation(z, m):
        z, m = np.asarray(z), np.asarray(m)
        columns = np.column_stack([z, np.ones(len(z))])
        fit = columns @ np.linalg.lstsq(columns, m.ravel())[0]
        return 1 - np.mean((m - fit) ** 2) / np.var(m)


# ------------------------------------------------------------- more of what was seen in class

later_slips = [
    slip(
        "autoencoder",
        "activation_forgotten_in_the_encoder",
        "nn.Linear(128, 32),\n            nn.ReLU(),",
        "nn.Linear(128, 32),",
        "computes_what_its_layers_say",
        "There is no ReLU behind the second layer of the encoder.",
    ),
    slip(
        "autoencoder",
        "activation_forgotten_in_the_decoder",
        "nn.Linear(32, 128),\n            nn.ReLU(),",
        "nn.Linear(32, 128),",
        "computes_what_its_layers_say",
        "There is no ReLU behind the second layer of the decoder.",
    ),
    slip(
        "autoencoder",
        "dropout_between_the_layers",
        "nn.Linear(128, 32),",
        "nn.Dropout(0.2),\n            nn.Linear(128, 32),",
        "computes_what_its_layers_say",
        "There is a dropout in the encoder that nobody asked for: z is another one in every call.",
    ),
    slip(
        "encode",
        "dtype_not_adapted",
        "torch.as_tensor(X, dtype=next(model.parameters()).dtype)",
        "torch.as_tensor(X)",
        "takes_arrays_and_tensors",
        "X goes into the layers in its own dtype, and they stop where it is not that of their "
        "weights: NumPy's floats have 64 bits, spins may be int8.",
    ),
    slip(
        "order_parameter_correlation",
        "ridge",
        "slopes = np.linalg.lstsq(columns, m)[0]",
        "slopes = np.linalg.solve(\n        columns.T @ columns + 1e-3 * np.eye(columns.shape[1]), "
        "columns.T @ m\n    )",
        "does_not_depend_on_the_axes_of_z",
        "A small number on the diagonal makes the matrix invertible and the fit another one: "
        "slopes are pulled towards zero, the more the smaller z is. lstsq and pinv need no such "
        "help.",
    ),
]


@mistake(
    "autoencoder",
    caught_by="has_weights_of_its_own",
    hint="Two networks of the same sizes share their layers, so that training one changes the "
    "other. Each needs layers of its own.",
)
def layers_kept_for_the_next():
    halves = {}

    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            key = input_dim, latent_dim
            if key not in halves:
                encoder = nn.Sequential(
                    nn.Linear(input_dim, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(),
                    nn.Linear(32, latent_dim),
                )  # fmt: skip
                decoder = nn.Sequential(
                    nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(),
                    nn.Linear(128, input_dim), nn.Tanh(),
                )  # fmt: skip
                halves[key] = encoder, decoder
            self.encoder, self.decoder = halves[key]

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


# -------------------------------------------------------------------- right values, wrong kind

_IN_A_LIST = "The values are right, but they come back in a list. {} is wanted."

in_lists = [
    slip(
        "pca_reconstruction",
        "rows_in_lists",
        "return X_hat, sizes[:k] ** 2 / np.sum(sizes**2)",
        "return X_hat.tolist(), (sizes[:k] ** 2 / np.sum(sizes**2)).tolist()",
        "gives_arrays",
        "The values are right, but they come back in lists. Arrays are wanted.",
    ),
    slip(
        "order_parameter_correlation",
        "r_squared_in_a_list",
        "return float(1 - np.sum(errors**2) / np.sum((m - m.mean()) ** 2))",
        "return [1 - np.sum(errors**2) / np.sum((m - m.mean()) ** 2)]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
]
