"""Hidden checks of autoencoder.

Training and encoding are judged with a network of the checks' own, `_network`, so that a fault in
the student's IsingAutoencoder costs the points of its own exercise only. Networks are judged on
configurations that are independent of the training data: only these tell learning from memory.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import coursekit
import numpy as np
import pytest
import torch
from coursekit import (
    SINGLE,
    StudentError,
    Tolerance,
    below,
    holds,
    measured,
    tensor,
    training,
)
from coursekit.ising_data import ising_configurations
from coursekit.networks import units_begin_apart

from autograder.judging.kinds import array, close, number
from autograder.judging.kit import OwnNetwork, either, shares_layers, stirred, unchanged
from reference_impl import autoencoder as reference

# Measured by benchmarks/thresholds.py: the reference and every recipe of the
# alternatives (mini-batches of 16 to 128, full batches, Adam, SGD with momentum, with and without
# symmetry) pass with 20 seeds of 20, no wrong one does.
EPOCHS = 40
ERROR_LIMIT = 0.54
ORDERED_LIMIT = 0.12
DISORDERED_LIMIT = 1.2
R2_LIMIT = 0.9


def _pair(returned: Any, words: str) -> list[Any]:
    holds(
        isinstance(returned, (tuple, list)) and len(returned) == 2,
        f"should return two things: {words}",
    )
    return list(returned)


def _single(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


# --------------------------------------------------------------------- pca_reconstruction


def _cloud(draw: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Rows around a centre far from zero, with directions of clearly different spread.

    No direction lies along an axis, and no two are close to each other in spread, so that the
    k first ones are the same in single precision.
    """
    spread = 3.0 * 0.7 ** np.arange(columns)
    turn = np.linalg.qr(draw.normal(size=(columns, columns)))[0]
    scales = draw.uniform(0.5, 2.0, columns)
    return draw.uniform(-4, 4, columns) + draw.normal(size=(rows, columns)) * spread @ turn * scales


def _rebuilt(student: Any, X: Any, k: int) -> list[Any]:
    return _pair(student.pca_reconstruction(X, k), "(X_hat, explained_variance_ratio)")


@pytest.mark.point
def test_pca_reconstruction__rebuilds_the_rows(student, draw):
    """rebuilds every row from the mean and the k first components"""
    X, k = _cloud(draw, 40, 6), int(draw.integers(2, 5))
    X_hat, _ = _rebuilt(student, X, k)
    close(X_hat, reference.pca_reconstruction(X, k)[0], SINGLE)


def test_pca_reconstruction__gives_the_explained_parts(student, draw):
    """gives the part of the variance along each of the k components, largest first"""
    X, k = _cloud(draw, 40, 6), int(draw.integers(2, 5))
    _, ratio = _rebuilt(student, X, k)
    close(ratio, reference.pca_reconstruction(X, k)[1], SINGLE)


def test_pca_reconstruction__keeps_one_component(student, draw):
    """keeps a single direction for k = 1: the one of largest variance"""
    X = _cloud(draw, 30, 5)
    X_hat, ratio = _rebuilt(student, X, 1)
    expected, part = reference.pca_reconstruction(X, 1)
    close(X_hat, expected, SINGLE)
    close(array(ratio, (1,)), part, SINGLE)


def test_pca_reconstruction__works_for_few_rows_of_many_columns(student, draw):
    """works for fewer rows than columns"""
    X = _cloud(draw, 7, 12)
    for one, other in zip(_rebuilt(student, X, 3), reference.pca_reconstruction(X, 3), strict=True):
        close(one, other, SINGLE)


def test_pca_reconstruction__loses_nothing_with_all_components(student, draw):
    """gives X back, and parts that add up to 1, when all components are kept"""
    X = _cloud(draw, 25, 5)
    X_hat, ratio = _rebuilt(student, X, 5)
    close(X_hat, X, SINGLE)
    close(float(array(ratio, (5,)).sum()), 1.0, SINGLE)
    # Whoever gives X back has done nothing yet.
    close(ratio, reference.pca_reconstruction(X, 5)[1], SINGLE)


def test_pca_reconstruction__finds_the_order_of_spins(student, draw):
    """rebuilds ordered spins of both signs from one component, whose share is what is left out"""
    signs = np.where(draw.random(60) < 0.5, 1.0, -1.0)
    X = signs[:, None] * np.where(draw.random((60, 36)) < 0.1, -1.0, 1.0)
    X_hat, ratio = _rebuilt(student, X, 1)
    close(X_hat, reference.pca_reconstruction(X, 1)[0], SINGLE)
    X_hat, ratio = array(X_hat, X.shape).astype(float), array(ratio, (1,))
    left = np.sum((X - X_hat) ** 2) / np.sum((X - X.mean(axis=0)) ** 2)
    close(float(ratio[0] + left), 1.0, SINGLE)
    below(float(left), 0.6, "the part of the variance that one component leaves out")


@pytest.mark.guard
def test_pca_reconstruction__takes_a_tensor_as_well(student, draw):
    """gives for a tensor what it gives for an array: two arrays"""
    X = _cloud(draw, 20, 4)
    expected = _rebuilt(student, X, 2)
    for one, other in zip(_rebuilt(student, torch.tensor(X), 2), expected, strict=True):
        close(array(one).astype(float), array(other).astype(float), SINGLE)


@pytest.mark.guard
def test_pca_reconstruction__gives_arrays(student, draw):
    """gives two arrays"""
    for one in _rebuilt(student, _cloud(draw, 12, 4), 2):
        coursekit.array(one)


@pytest.mark.guard
def test_pca_reconstruction__leaves_X_unchanged(student, draw):
    """leaves X unchanged"""
    unchanged(student, lambda X: _rebuilt(student, X, 2), _cloud(draw, 20, 4))


# ---------------------------------------------------------------------------- autoencoder


def _own(student: Any, draw: np.random.Generator, *sizes: int) -> Any:
    """The student's class, made and in evaluation mode."""
    student.reseed(int(draw.integers(2**31)))
    model = _called(student, *sizes)
    model.eval()
    return model


def _stirred(student: Any, draw: np.random.Generator, *sizes: int) -> Any:
    """The same with drawn weights: how small the first ones are, or that a layer begins with zeros,
    is the student's choice."""
    return stirred(_own(student, draw, *sizes), draw)


def _called(student: Any, *sizes: int) -> Any:
    """An autoencoder after a first call, which builds lazy layers."""
    model = student.IsingAutoencoder(*sizes)
    with contextlib.suppress(StudentError):  # the check's own call will say what is wrong
        model(torch.ones(2, sizes[0]))
    return model


def _spins(draw: np.random.Generator, *shape: int) -> torch.Tensor:
    return _single(np.where(draw.random(shape) < 0.5, 1.0, -1.0))


def _has_parameters(model: Any, expected: int, what: str) -> None:
    more = sum(weights.numel() for weights in model.parameters()) - expected
    off = f"{measured(abs(more))} {'more' if more > 0 else 'fewer'}"
    holds(more == 0, f"{what} should have {expected} parameters, it has {off}")


def test_autoencoder__has_the_layers_asked_for(student, draw):
    """IsingAutoencoder(256) has 74434 parameters"""
    _has_parameters(_own(student, draw, 256), 74434, "IsingAutoencoder(256)")


def test_autoencoder__takes_its_sizes_from_its_arguments(student, draw):
    """has input_dim inputs and outputs and latent_dim numbers between, whatever they are"""
    inputs, latent = int(draw.integers(20, 60)), int(draw.integers(3, 9))
    model = _own(student, draw, inputs, latent)
    expected = sum((a + 1) * b for a, b in ((inputs, 128), (128, 32), (32, latent)))
    expected += sum((a + 1) * b for a, b in ((latent, 32), (32, 128), (128, inputs)))
    x_hat, z = _pair(model(_spins(draw, 5, inputs)), "(x_hat, z)")
    tensor(x_hat, (5, inputs))
    tensor(z, (5, latent))
    _has_parameters(model, expected, f"with input_dim={inputs} and latent_dim={latent} it")


def test_autoencoder__gives_the_z_of_its_encoder(student, draw):
    """returns as z what its encoder gives, another one for each configuration"""
    model, x = _stirred(student, draw, 49, 3), _spins(draw, 6, 49)
    _, z = _pair(model(x), "(x_hat, z)")
    z = tensor(z, (6, 3))
    close(z, tensor(model.encoder(x), (6, 3)), SINGLE)
    holds(bool((np.ptp(z, axis=0) > 0).all()), "z is the same for different configurations")
    _, kept = _pair(student.keeping(model, x), "(x_hat, z)")
    learning = [gradient for gradient in student.gradients(kept, model) if gradient is not None]
    holds(bool(learning), "z has lost its graph: no weight of the encoder can learn from it")


def test_autoencoder__gives_what_its_decoder_makes_of_z(student, draw):
    """returns as x_hat what its decoder makes of z"""
    model, x = _stirred(student, draw, 49, 3), _spins(draw, 6, 49)
    x_hat, z = _pair(model(x), "(x_hat, z)")
    x_hat = tensor(x_hat, (6, 49))
    again = tensor(model.decoder(torch.tensor(tensor(z, (6, 3)))), (6, 49))
    close(x_hat, again, SINGLE)
    far = tensor(model.decoder(100 * torch.eye(3)), (3, 49))
    holds(bool((np.ptp(far, axis=0) > 0).any()), "the decoder gives the same for every z")


@pytest.mark.guard
def test_autoencoder__rebuilds_between_minus_one_and_one(student, draw):
    """gives x_hat between −1 and 1, however large its input is"""
    model = _stirred(student, draw, 64, 4)
    x_hat, _ = _pair(model(1e5 * _spins(draw, 20, 64)), "(x_hat, z)")
    values = tensor(x_hat, (20, 64))
    holds(bool(values.min() < values.max()), "x_hat is one number for all spins of all inputs")
    size = float(np.abs(values).max())
    holds(size <= 1 + SINGLE.tiny, "x_hat should lie between −1 and 1, as spins do")


@pytest.mark.guard
def test_autoencoder__rebuilds_both_signs(student, draw):
    """gives x_hat of both signs, as spins have"""
    x_hat, _ = _pair(_stirred(student, draw, 64, 4)(_spins(draw, 20, 64)), "(x_hat, z)")
    x_hat = tensor(x_hat, (20, 64))
    holds(
        bool(x_hat.min() < 0 < x_hat.max()),
        "all of x_hat has one sign: an untrained network should have no preference",
    )


def test_autoencoder__decodes_any_z_to_spins(student, draw):
    """turns a z far from zero into numbers close to −1 and close to 1, none beyond"""
    x_hat = tensor(
        _stirred(student, draw, 64, 4).decoder(_single(1e4 * draw.normal(size=(20, 4)))), (20, 64)
    )
    holds(float(np.abs(x_hat).max()) <= 1 + SINGLE.tiny, "x_hat should lie between −1 and 1")
    holds(
        bool(x_hat.min() < -0.9 and x_hat.max() > 0.9),
        "x_hat should come close to −1 as well as to 1 for large z",
    )


def test_autoencoder__leaves_z_free(student, draw):
    """lets z take any value: negative ones too, and large ones for large inputs

    A free z is positive in all of 24 untrained units once in ten million courses.
    """
    model = _stirred(student, draw, 64, 24)
    z = tensor(model.encoder(1e3 * _spins(draw, 10, 64)), (10, 24))
    holds(float(z.min()) < 0, "z is never negative: there should be no activation on it")
    holds(float(np.abs(z).max()) > 1.5, "z is bounded: by an activation on it, or in front")


def _bends(values: np.ndarray, part: str) -> None:
    """f(a + b) − f(a) − f(b) + f(0), which vanishes for a linear map with a bias."""
    both, first, second, none = np.split(values, 4)
    holds(
        bool(np.abs(both - first - second + none).max() > 1e-3 * np.ptp(values)),
        f"the {part} is a linear map: several linear layers in a row are no more than one",
    )


def _sums(draw: np.random.Generator, columns: int) -> torch.Tensor:
    """Rows a + b, a, b and zeros."""
    one, other = (3.0 * draw.normal(size=(8, columns)) for _ in range(2))
    return _single(np.concatenate([one + other, one, other, np.zeros((8, columns))]))


def test_autoencoder__bends_in_the_encoder(student, draw):
    """has activations in the encoder, which is more than a linear map"""
    model = _stirred(student, draw, 49, 3)
    _bends(tensor(model.encoder(_sums(draw, 49)), (32, 3)).astype(float), "encoder")


def test_autoencoder__bends_in_the_decoder(student, draw):
    """has activations in the decoder, which is more than a linear map and a tanh"""
    model = _stirred(student, draw, 49, 3)
    z = _sums(draw, 3) / 3  # so small that few tanh saturate; spins where one does are left out
    x_hat = tensor(model.decoder(z), (32, 49)).astype(float)
    free = (np.abs(x_hat) < 0.9999).all(axis=0)
    x_hat = x_hat[:, free] if free.any() else np.clip(x_hat, -0.9999, 0.9999)
    _bends(np.arctanh(x_hat), "decoder")


@pytest.mark.point
def test_autoencoder__can_be_trained_through_its_output(student, draw):
    """lets the gradient of x_hat reach the weights of every layer, whose units begin apart"""
    model = _own(student, draw, 36, 2)
    kept = student.keeping(model, _spins(draw, 8, 36))
    x_hat, _ = _pair(kept, "(x_hat, z)")
    gradients = student.gradients(x_hat, model)
    holds(bool(gradients), "the autoencoder has no parameters")
    holds(
        all(gradient is not None for gradient in gradients),
        "x_hat does not depend on some of the weights, or its graph is cut: they would never learn",
    )
    units_begin_apart(model)


@pytest.mark.guard
def test_autoencoder__judges_every_configuration_by_itself(student, draw):
    """gives a configuration alone what it gives it among others"""
    model, x = _stirred(student, draw, 36, 2), _spins(draw, 4, 36)
    together = [tensor(part) for part in _pair(model(x), "(x_hat, z)")]
    for row in range(4):
        alone = _pair(model(x[row : row + 1]), "(x_hat, z)")
        for one, all_ in zip(alone, together, strict=True):
            close(tensor(one, (1, all_.shape[1])), all_[row : row + 1], SINGLE)


@pytest.mark.guard
def test_autoencoder__has_weights_of_its_own(student, draw):
    """has weights that it shares with no other autoencoder"""
    shared = shares_layers(_called(student, 36), _called(student, 36))
    holds(not shared, "two autoencoders share their layers: what trains one changes the other")


Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""(out, in) matrices and biases of dense layers, one behind the other."""


def _in_a_row(
    matrices: list[torch.Tensor], biases: list[torch.Tensor], size: int, last: int
) -> Iterator[Layers]:
    """Every way in which all of them are layers that lead from `size` numbers to `last`: whoever
    writes layers by hand may keep them in any order, and matrices (in, out)."""
    if not matrices and not biases and size == last:
        yield []
    for i, matrix in enumerate(matrices):
        for turned in {matrix.shape: matrix, matrix.T.shape: matrix.T}.values():
            for j, bias in enumerate(biases):
                if tuple(turned.shape) == (len(bias), size):
                    others = [*matrices[:i], *matrices[i + 1 :]], [*biases[:j], *biases[j + 1 :]]
                    for rest in _in_a_row(*others, len(bias), last):
                        yield [(turned, bias), *rest]


def _by_layers(layers: Layers, x: torch.Tensor, latent: int, bend: str) -> np.ndarray:
    """x_hat of the layers, with a bend behind each hidden one."""
    values = x.double()
    for place, (matrix, bias) in enumerate(layers, 1):
        values = values @ matrix.T + bias
        if len(bias) != latent and place < len(layers):
            values = getattr(torch.nn.functional, bend)(values)
    return values.tanh().numpy()


BENDS = ("relu", "tanh", "sigmoid", "softplus", "elu", "gelu", "silu", "leaky_relu")


@pytest.mark.point
def test_autoencoder__computes_what_its_layers_say(student, draw):
    """gives what its weights give in the layers asked for, each hidden one with its activation

    In training mode too: there is nothing random in it, and nothing that looks at the batch.
    """
    model = _stirred(student, draw, 49, 3)
    for mode in (False, True):
        model.train(mode)
        holds(
            bool(_bends_that_fit(model, draw)),
            "the layers asked for give another x_hat with these weights"
            + (", in training mode" if mode else ": look at the activations"),
        )


@pytest.mark.point
@pytest.mark.guard
def test_autoencoder__has_relu_behind_its_hidden_layers(student, draw):
    """has a ReLU, and nothing else that bends, behind its hidden layers"""
    model = _stirred(student, draw, 49, 3)
    found = _bends_that_fit(model, draw)
    holds(found in ([], ["relu"]), "another activation than ReLU stands behind the hidden layers")


MOST_LAYERS = 8


def _bends_that_fit(model: Any, draw: np.random.Generator) -> list[str]:
    """The activations with which dense layers of these weights give the model's x_hat; how many
    layers, and of which sizes, is asked by the checks above."""
    # Large ones too: what bounds z, or a hidden unit, leaves small ones as they are.
    x = torch.cat([3 * _spins(draw, 6, 49), 100 * _spins(draw, 6, 49)])
    weights = [values.detach().double().squeeze() for values in model.parameters()]
    x_hat = tensor(_pair(model(x), "(x_hat, z)")[0], (12, 49))
    holds(bool(np.ptp(x_hat) > 0), "x_hat is the same number everywhere")
    matrices, biases = ([one for one in weights if one.ndim == axes] for axes in (2, 1))
    layers_alone = 0 < len(matrices) <= MOST_LAYERS and len(matrices) + len(biases) == len(weights)
    if not layers_alone:
        return []
    rows = list(itertools.islice(_in_a_row(matrices, biases, 49, 49), 64))
    return [
        bend
        for bend in BENDS
        if any(_fits(x_hat, _by_layers(layers, x, 3, bend), x) for layers in rows)
    ]


def _fits(x_hat: np.ndarray, expected: np.ndarray, x: torch.Tensor) -> bool:
    """Rounding in float32 grows with x: beside ±100 it came to 2e-4 at most in 3000 networks."""
    allowed = 10 * SINGLE.allowed(expected) + 1e-5 * x.abs().amax(1, keepdim=True).numpy()
    return bool((np.abs(x_hat - expected) <= allowed).all())


# -------------------------------------------------------------------- reconstruction_loss


def _guess(draw: np.random.Generator, *shape: int) -> list[torch.Tensor]:
    """Spins, and numbers between −1 and 1."""
    return [_spins(draw, *shape), _single(draw.uniform(-1, 1, shape))]


@pytest.mark.point
def test_reconstruction_loss__is_the_mean_squared_difference(student, draw):
    """is the mean over every element of the squared difference"""
    for shape in ((6, 9), (1, 1)):
        x, x_hat = _guess(draw, *shape)
        expected = float(torch.mean((x - x_hat) ** 2))
        close(number(student.reconstruction_loss(x, x_hat)), expected, SINGLE)


def test_reconstruction_loss__takes_any_shape(student, draw):
    """is a mean over every element for lattices, too, that are not laid out in rows"""
    for shape in ((3, 4, 5), (2, 3, 1, 4), (7,)):
        x, x_hat = _guess(draw, *shape)
        expected = float(torch.mean((x - x_hat) ** 2))
        close(number(student.reconstruction_loss(x, x_hat)), expected, SINGLE)


def test_reconstruction_loss__charges_four_for_a_wrong_spin(student, draw):
    """is four times the part of the spins that are wrong, whichever they are"""
    x = _spins(draw, 8, 25)
    # More than a quarter: the root of a loss of 1 is 1.
    wrong = draw.permutation(200).reshape(8, 25) < draw.integers(55, 80)
    x_hat = torch.where(torch.tensor(wrong), -x, x)
    close(number(student.reconstruction_loss(x, x_hat)), float(4 * wrong.mean()), SINGLE)


def test_reconstruction_loss__can_be_differentiated(student, draw):
    """has the gradient 2 (x_hat − x) / number of elements with respect to x_hat"""
    x, x_hat = _guess(draw, 6, 9)
    kept = student.keep(x_hat.clone().requires_grad_())
    loss = student.keeping("reconstruction_loss", x, kept)
    (gradient,) = student.gradients(loss, kept)
    holds(gradient is not None, "the loss has lost its graph: nothing can be trained with it")
    close(tensor(gradient, (6, 9)), (2 * (x_hat - x) / x.numel()).numpy(), SINGLE)


@pytest.mark.point
def test_reconstruction_loss__trains_what_made_x_hat(student, draw):
    """lets its gradient reach the weights of the model that x_hat comes from"""
    coefficients = draw.uniform(-1, 1, 3) / 3  # no x_hat beyond a spin's limits
    model = student.field("polynomial", coefficients=coefficients.tolist())
    x = torch.tensor(draw.choice([-1.0, 1.0], size=(5, 8)))
    seen = draw.uniform(-1, 1, (5, 8))
    x_hat = student.keeping(model, torch.tensor(seen))
    error = np.polynomial.polynomial.polyval(seen, coefficients) - x.numpy()
    (gradient,) = student.gradients(student.keeping("reconstruction_loss", x, x_hat), model)
    holds(gradient is not None, "the loss has lost its graph: no model can be trained with it")
    expected = np.array([np.mean(2 * error * seen**power) for power in range(3)])
    close(tensor(gradient, (3,)), expected, SINGLE)


@pytest.mark.guard
def test_reconstruction_loss__does_not_grow_with_the_data(student, draw):
    """stays the same when every configuration comes twice, or every lattice is twice as long"""
    x, x_hat = _guess(draw, 5, 9)
    before = number(student.reconstruction_loss(x, x_hat))
    for axis in (0, 1):
        twice = [torch.cat([part, part], dim=axis) for part in (x, x_hat)]
        close(number(student.reconstruction_loss(*twice)), before, SINGLE)


@pytest.mark.guard
def test_reconstruction_loss__leaves_its_arguments_unchanged(student, draw):
    """leaves x and x_hat unchanged"""
    unchanged(student, student.reconstruction_loss, *_guess(draw, 4, 9))


# ---------------------------------------------------------------------- train_autoencoder

_OWN = OwnNetwork('''
import torch


class CheckNetwork(torch.nn.Module):
    """The checks' own autoencoder; `noise` is a layer that works otherwise in training mode."""

    def __init__(self, input_dim, latent_dim, noise="none"):
        super().__init__()
        nn = torch.nn
        layers = {"none": nn.Identity(), "dropout": nn.Dropout(), "batch": nn.BatchNorm1d(32)}
        self.encoder = nn.Sequential(
            nn.Linear(input_dim, 128), nn.LeakyReLU(), nn.Linear(128, 32), nn.LeakyReLU(),
            layers[noise], nn.Linear(32, latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 32), nn.LeakyReLU(), nn.Linear(32, 128), nn.LeakyReLU(),
            nn.Linear(128, input_dim), nn.Tanh(),
        )

    def forward(self, x):
        z = self.encoder(x)
        return self.decoder(z), z
''')


def _two_alike(
    student: Any, draw: np.random.Generator, input_dim: int, latent_dim: int, noise: str = "none"
) -> tuple[Any, torch.nn.Module]:
    """The same in the worker and here, where what is right follows from nothing that the student's
    process says."""
    model = _OWN.there(student, _seed(draw), input_dim, latent_dim, noise)
    here = _OWN.here(_seed(draw), input_dim, latent_dim, noise)
    model.load_state_dict(dict(here.state_dict()))
    return model, here


def _seed(draw: np.random.Generator) -> int:
    return int(draw.integers(2**31))


def _lattices(
    draw: np.random.Generator, size: int, per_temperature: int
) -> tuple[np.ndarray, np.ndarray]:
    """Independent configurations at six temperatures below T_c and six above; and which of them
    are below."""
    X, ordered = _configurations(size, per_temperature, _seed(draw))
    return X.copy(), ordered.copy()


@functools.lru_cache(maxsize=32)
def _configurations(size: int, per_temperature: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Kept for the next submission, whose checks draw the same: a fifth of the time goes here."""
    draw = np.random.default_rng(seed)
    below_tc, above_tc = np.linspace(1.0, 2.0, 6), np.linspace(2.5, 4.0, 6)
    temperatures = np.repeat(np.concatenate([below_tc, above_tc]), per_temperature)
    sweeps = 200 if size < 16 else 400
    spins = ising_configurations(size, temperatures, draw, sweeps)
    order = draw.permutation(len(spins))
    return spins[order].reshape(len(spins), -1).astype(np.float32), temperatures[order] < 2.269


def _either(call: Any, X: np.ndarray) -> Any:
    """`call` with a float32 tensor or, where that stops with an error, with an array."""
    return either(lambda: call(torch.tensor(X)), lambda: call(X))


def _trained(
    student: Any, draw: np.random.Generator, X: np.ndarray, latent: int, epochs: int = EPOCHS
) -> tuple[Any, Any]:
    """A network that the student's function has trained, as it is here with those weights, and the
    history."""
    seed, noise = _seed(draw), _seed(draw)
    made = []

    def call(X: Any) -> Any:
        made.append(_OWN.there(student, seed, X.shape[1], latent))
        generator = torch.Generator().manual_seed(noise)
        return student.train_autoencoder(made[-1], X, epochs=epochs, generator=generator)

    losses = _either(call, X)
    return _OWN.brought(made[-1], X.shape[1], latent), losses


def _looked_at(model: torch.nn.Module, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x_hat and z of a trained network."""
    x_hat, z = model(torch.tensor(X))
    return tensor(x_hat, X.shape).astype(float), tensor(z).astype(float)


def unseen_error(student: Any, draw: np.random.Generator) -> float:
    """Mean squared error on 600 configurations, after training on 1200 others."""
    X, _ = _lattices(draw, 16, 100)
    unseen, _ = _lattices(draw, 16, 50)
    model, _ = _trained(student, draw, X, 2)
    return float(np.mean((_looked_at(model, unseen)[0] - unseen) ** 2))


class Smaller(NamedTuple):
    """What a training on 12 × 12 configurations of an antiferromagnet, three latent numbers, came
    to."""

    error: float
    """Mean squared error on configurations that the model has not seen."""
    disordered: float
    """The same on disordered ones."""
    ordered: float
    """The same on ordered ones of the sign for which it is larger."""
    magnetisation: float
    """R² of their staggered magnetisation on z."""
    seen: float
    """Mean squared error on the training data."""
    losses: Any


def smaller(student: Any, draw: np.random.Generator) -> Smaller:
    """Of an antiferromagnet, which is a ferromagnet with every second spin turned over. No network
    whose first weights have either sign can tell the two apart; a training that looks at means
    can."""
    board = (1 - 2 * (np.indices((12, 12)).sum(axis=0) % 2)).ravel().astype(np.float32)
    # 768 of them: batches of 8 to 256 come out even, so that one's loss is near the error, too.
    X, _ = _lattices(draw, 12, 64)
    unseen, ordered = _lattices(draw, 12, 60)
    X, m, unseen = X * board, unseen.mean(axis=1), unseen * board
    model, losses = _trained(student, draw, X, 3)
    x_hat, z = _looked_at(model, unseen)
    errors = np.mean((x_hat - unseen) ** 2, axis=1)
    return Smaller(
        error=float(errors.mean()),
        disordered=float(errors[~ordered].mean()),
        ordered=float(max(errors[ordered & (m > 0)].mean(), errors[ordered & (m < 0)].mean())),
        magnetisation=reference.order_parameter_correlation(z, m),
        seen=float(np.mean((_looked_at(model, X)[0] - X) ** 2)),
        losses=losses,
    )


@pytest.mark.point
def test_train_autoencoder__rebuilds_unseen_configurations(student, draw):
    """leaves a model that rebuilds configurations it has not seen

    A mean of zero gives 1, the magnetisation alone 0.497, and no network with two latent numbers
    gets far below 0.48. False fails: none in 20 seeds of each right recipe, the worst of which lies
    ten standard deviations below the limit.
    """
    below(
        unseen_error(student, draw),
        ERROR_LIMIT,
        "the mean squared error on unseen configurations",
    )


def test_train_autoencoder__learns_smaller_lattices(student, draw):
    """does so for smaller lattices, too, with less data and another number of latent numbers"""
    found = student.once(smaller, draw)
    below(
        found.error,
        ERROR_LIMIT,
        "the mean squared error on unseen configurations of a smaller lattice",
        training.went(found.losses),
    )


@pytest.mark.point
def test_train_autoencoder__rebuilds_order_of_both_signs(student, draw):
    """leaves a model that rebuilds ordered configurations of either sign, spin by spin"""
    below(
        student.once(smaller, draw).ordered,
        ORDERED_LIMIT,
        "the mean squared error on unseen ordered configurations of one sign",
    )


def test_train_autoencoder__finds_the_magnetisation(student, draw):
    """leaves a model whose z knows the magnetisation of unseen configurations, with every second
    spin turned back

    First weights know something of it, too, by chance more or less: one that rebuilds nothing, with
    an error of 1, has learnt nothing of it.
    """
    found = student.once(smaller, draw)
    score = found.magnetisation
    holds(found.error < 0.9, "the model rebuilds nothing, whatever its z knows")
    holds(
        score > R2_LIMIT,
        f"R² of the magnetisation on z is {measured(score)}; it should be above {R2_LIMIT}",
    )


def test_train_autoencoder__ends_where_the_error_is(student, draw):
    """returns losses that fall and end where the model's error is"""
    found = student.once(smaller, draw)
    holds(
        isinstance(found.losses, (list, tuple, np.ndarray, torch.Tensor)),
        "should return the list of losses",
    )
    losses = [number(loss) for loss in found.losses]
    holds(0 < len(losses) <= EPOCHS, "there should be one loss for each epoch")
    # Of a model that never changes they fall as often as not, by rounding.
    holds(losses[-1] < 0.98 * losses[0], "the losses do not fall")
    holds(
        0.6 * found.seen < losses[-1] < 1.4 * found.seen,
        "the last loss is far from the model's mean squared error: it should be a mean over the "
        "epoch, not a sum, and of the error itself",
    )


@pytest.mark.guard
def test_train_autoencoder__makes_up_no_order(student, draw):
    """leaves a model that says little where there is no order, rather than something wrong

    An answer of zero has an error of 1.
    """
    below(
        student.once(smaller, draw).disordered,
        DISORDERED_LIMIT,
        "the mean squared error on unseen disordered configurations",
    )


def witnessed(student: Any, draw: np.random.Generator) -> training.Watched:
    """The training of a witness that rebuilds 5 × 5 lattices."""
    X = training.lattices(draw, 263)

    def train(witness: Any, epochs: int) -> Any:
        def call(X: Any) -> Any:
            return student.train_autoencoder(witness, X, epochs=epochs, generator=generator)

        generator = torch.Generator().manual_seed(_seed(draw))
        return _either(call, X.astype(np.float32))

    witness = student.witness((25,), latent=2, dropout=0.2)
    return training.watched(
        witness, X, train, training.up_to_symmetry, training.reconstruction, 4, mode=True
    )


def test_train_autoencoder__trains_in_training_mode(student, draw):
    """trains in training mode from the first step to the last"""
    student.once(witnessed, draw).trains_in_training_mode()


def test_train_autoencoder__shows_each_configuration_once_an_epoch(student, draw):
    """shows every configuration as often as any other in each epoch, and steps with each batch"""
    seen = student.once(witnessed, draw)
    seen.shows_each_sample_once()
    seen.steps_once_a_batch()
    seen.clears_gradients()


def test_train_autoencoder__draws_new_batches_for_every_epoch(student, draw):
    """draws the batches anew for every epoch, if there are any"""
    student.once(witnessed, draw).shuffles_again()


def test_train_autoencoder__takes_the_order_from_the_generator(student, draw):
    """takes the order of the batches, if there are any, from the generator: another seed, another
    order"""
    one, other = student.once(witnessed, draw), witnessed(student, draw)
    one.sees_the_data()
    if not one.whole:
        one.is_not_ordered_like(other)


def test_train_autoencoder__gives_the_mean_loss_of_every_epoch(student, draw):
    """returns for every epoch the mean over its configurations of reconstruction_loss"""
    student.once(witnessed, draw).reports_the_mean_loss()


@pytest.mark.guard
def test_train_autoencoder__ends_in_evaluation_mode(student, draw):
    """leaves the model in evaluation mode, where two calls agree"""
    student.once(witnessed, draw).ends_in_evaluation_mode()


def _short(student: Any, X: Any, weights: int, noise: int, state: int) -> np.ndarray:
    """z of some configurations after a short training: the seeds of the first weights, of the
    generator and of the global random state."""
    model = _OWN.there(student, weights, X.shape[1], 2)
    student.reseed(state)
    generator = torch.Generator().manual_seed(noise)
    student.train_autoencoder(model, X, epochs=4, generator=generator)
    return _looked_at(_OWN.brought(model, X.shape[1], 2), np.asarray(X)[:9])[1]


@pytest.mark.guard
def test_train_autoencoder__repeats_itself(student, draw):
    """gives the same for the same model and the same seed, whatever the global random state"""
    X, _ = _lattices(draw, 4, 20)
    weights, noise = _seed(draw), _seed(draw)
    states = [_seed(draw) for _ in range(2)]
    first, again = _either(lambda X: [_short(student, X, weights, noise, s) for s in states], X)
    close(again, first, SINGLE)


@pytest.mark.guard
def test_train_autoencoder__takes_arrays_and_tensors(student, draw):
    """learns the same from an array as from a tensor"""
    X, _ = _lattices(draw, 4, 20)
    seeds = [_seed(draw) for _ in range(3)]
    first, again = (_short(student, data, *seeds) for data in (X, torch.tensor(X)))
    close(again, first, SINGLE)


@pytest.mark.guard
def test_train_autoencoder__leaves_X_unchanged(student, draw):
    """leaves X unchanged"""
    X, _ = _lattices(draw, 4, 10)

    def call(X: Any) -> None:
        model = _OWN.there(student, _seed(draw), 16, 2)
        generator = torch.Generator().manual_seed(_seed(draw))
        student.train_autoencoder(model, X, epochs=3, generator=generator)

    _either(lambda X: unchanged(student, call, X), X)


# --------------------------------------------------------------------------------- encode


def _latents(here: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """z of a network of the checks' own, in evaluation mode."""
    return tensor(here.eval().encoder(x)).astype(float)


def _encoded(student: Any, model: Any, X: np.ndarray) -> np.ndarray:
    """z by value; that it is a NumPy array has a check of its own."""
    return _values(_either(lambda X: student.encode(model, X), X))


def _values(z: Any) -> np.ndarray:
    z = array(z.detach().numpy() if isinstance(z, torch.Tensor) else z)
    holds(z.dtype.kind == "f", f"z should hold floats, it holds {z.dtype}")
    return z


@pytest.mark.point
def test_encode__gives_the_encoder_s_z(student, draw):
    """gives z of every configuration, (N, latent_dim), as an array"""
    for rows, latent in ((9, 2), (150, 4)):
        (model, here), x = _two_alike(student, draw, 36, latent), _spins(draw, rows, 36)
        close(_encoded(student, model, x.numpy()), _latents(here, x), SINGLE)


def test_encode__keeps_both_axes(student, draw):
    """has two axes for a single configuration, and for a single latent number"""
    for rows, latent in ((1, 3), (6, 1)):
        (model, here), x = _two_alike(student, draw, 25, latent), _spins(draw, rows, 25)
        z = array(_encoded(student, model, x.numpy()), (rows, latent))
        close(z, _latents(here, x), SINGLE)


@pytest.mark.point
def test_encode__is_free_of_dropout(student, draw):
    """gives the z of evaluation mode for a network with dropout that is in training mode"""
    model, here = _two_alike(student, draw, 36, 8, "dropout")
    x = _spins(draw, 12, 36)
    first, again = (_encoded(student, model, x.numpy()) for _ in range(2))
    close(again, first, SINGLE)
    close(first, _latents(here, x), SINGLE)


def test_encode__is_free_of_the_batch(student, draw):
    """gives a configuration the same z alone and among others, with batch normalisation too"""
    model, here = _two_alike(student, draw, 36, 3, "batch")
    x = _spins(draw, 12, 36)
    for _ in range(2):  # in training mode: the layer learns means and variances
        model(x)
        here(x)
    expected = _latents(here, x)
    close(_encoded(student, model, x.numpy()), expected, SINGLE)
    model.train()
    close(_encoded(student, model, x.numpy()[:4]), expected[:4], SINGLE)


@pytest.mark.guard
def test_encode__takes_arrays_and_tensors(student, draw):
    """gives the same for an array as for a tensor, and for spins of any dtype"""
    model, x = _OWN.there(student, _seed(draw), 25, 2), _spins(draw, 7, 25)
    numbers = x.numpy()
    first = array(_values(student.encode(model, numbers)), (7, 2))
    for same in (x, numbers.astype(np.float64), numbers.astype(np.int8)):
        close(array(_values(student.encode(model, same)), (7, 2)), first, SINGLE)


def test_encode__gives_a_numpy_array(student, draw):
    """gives a NumPy array of floats"""
    (model, here), x = _two_alike(student, draw, 25, 2), _spins(draw, 7, 25)
    returned = _either(lambda X: student.encode(model, X), x.numpy())
    coursekit.close(returned, _latents(here, x), SINGLE)


@pytest.mark.guard
def test_encode__leaves_X_and_the_weights_unchanged(student, draw):
    """leaves X and the model's weights unchanged"""
    model, x = _OWN.there(student, _seed(draw), 25, 2), _spins(draw, 7, 25)
    weights = [values.detach().numpy() for values in model.parameters()]
    _either(lambda X: unchanged(student, lambda kept: student.encode(model, kept), X), x.numpy())
    for before, after in zip(weights, model.parameters(), strict=True):
        close(after.detach().numpy(), before, SINGLE)


@pytest.mark.guard
def test_encode__lets_the_model_learn_on(student, draw):
    """leaves the model trainable: gradients are switched off for the encoding only"""
    model, x = _OWN.there(student, _seed(draw), 25, 2), _spins(draw, 7, 25)
    _encoded(student, model, x.numpy())
    x_hat, _ = student.keeping(model, x)
    gradients = student.gradients(x_hat, model)
    holds(
        all(gradient is not None for gradient in gradients),
        "after encode the model has no gradients any more: they are switched off for good",
    )


# ------------------------------------------------------------ order_parameter_correlation


def _latent_and_order(
    draw: np.random.Generator, rows: int, latent: int
) -> tuple[np.ndarray, np.ndarray]:
    """z whose columns go together, with offsets and small scales of their own, and an m with noise,
    of both signs and not zero in the mean. m depends on each column, is curved in one, and the line
    through it is far from zero at z = 0."""
    shared = draw.normal(size=(rows, 1))
    z = 0.8 * shared + 0.6 * draw.normal(size=(rows, latent))
    signs = (-1) ** np.arange(latent)
    m = z @ (signs * draw.uniform(1.5, 2.5, latent)) + shared[:, 0] + draw.normal(size=rows)
    m += z[:, 0] ** 2
    z = z * draw.uniform(0.15, 0.4, latent) + signs * draw.uniform(0.5, 2, latent)
    m -= m.mean() + draw.uniform(0.3, 0.6) * m.std()
    return draw.choice([-1, 1]) * z, draw.choice([-1, 1]) * m


# What is taken off 1 is rounded as a number near 1 is, however little is left.
_OF_1 = Tolerance("float32 beside 1", SINGLE.relative, SINGLE.floor, 1e-5)


def _fitted(student: Any, z: Any, m: Any) -> float:
    return number(student.order_parameter_correlation(z, m))


@pytest.mark.point
def test_order_parameter_correlation__is_the_fit_s_r_squared(student, draw):
    """is R² of the best linear fit of m on two latent numbers"""
    for _ in range(2):
        z, m = _latent_and_order(draw, 60, 2)
        close(_fitted(student, z, m), reference.order_parameter_correlation(z, m), SINGLE)


def test_order_parameter_correlation__uses_every_column(student, draw):
    """uses all of z, however many columns it has, how small they are and how they go together"""
    z, m = _latent_and_order(draw, 50, 5)
    close(_fitted(student, z / 10, m), reference.order_parameter_correlation(z, m), SINGLE)


def test_order_parameter_correlation__is_a_squared_correlation_for_one_number(student, draw):
    """is the squared correlation coefficient where z has one column"""
    z, m = _latent_and_order(draw, 40, 1)
    expected = float(np.corrcoef(z[:, 0], m)[0, 1] ** 2)
    close(_fitted(student, z, m), expected, SINGLE)


@pytest.mark.guard
def test_order_parameter_correlation__is_one_for_a_linear_function(student, draw):
    """is 1 where m is a linear function of z, with a slope of either sign and an offset"""
    z, _ = _latent_and_order(draw, 30, 2)
    for sign in (1, -1):
        close(_fitted(student, z / 10, sign * z @ draw.uniform(0.5, 2, 2) + 7.0), 1.0, SINGLE)


def test_order_parameter_correlation__takes_m_as_a_column(student, draw):
    """takes m as a column (N, 1) too"""
    z, m = _latent_and_order(draw, 30, 2)
    expected = reference.order_parameter_correlation(z, m)
    close(_fitted(student, z / 10, m[:, None]), expected, SINGLE)


def test_order_parameter_correlation__survives_dead_and_repeated_columns(student, draw):
    """is right where columns of z are dead or repeat each other"""
    z, m = _latent_and_order(draw, 40, 2)
    z /= 10
    # Beside a much larger column, and without digits that a large offset rounds away, what repeats
    # another is no new direction for any usual cutoff: in none of 4000 draws for scipy's, 2e-16.
    z[:, 0] *= 200
    expected = reference.order_parameter_correlation(z, m)
    for extra in (np.ones(40), np.full(40, 2.5), np.zeros(40), 0.25 - 2 * z[:, 1]):
        close(_fitted(student, np.column_stack([z, extra]), m), expected, SINGLE)


@pytest.mark.guard
def test_order_parameter_correlation__is_zero_for_what_is_unrelated(student, draw):
    """is nearly 0 where a line in z tells next to nothing of m: m = z² + z/20 for a symmetric z

    Without the small term the fit is flat, and what rounding leaves of it has any correlation.
    """
    half = draw.uniform(0.5, 2.0, 15)
    z = np.concatenate([half, -half])
    m = z**2 + z / 20
    expected = reference.order_parameter_correlation(z[:, None], m)
    close(_fitted(student, z[:, None], m), expected, _OF_1)


@pytest.mark.guard
def test_order_parameter_correlation__does_not_depend_on_the_axes_of_z(student, draw):
    """stays the same when z is turned, stretched and shifted, or m is measured in another unit"""
    z, m = _latent_and_order(draw, 40, 3)
    before = _fitted(student, z, m)
    turn = np.linalg.qr(draw.normal(size=(3, 3)))[0] * draw.uniform(0.5, 2.0, 3)
    for unit in (1.0, 1e-3):
        moved = unit * (z @ turn + draw.uniform(-2, 2, 3))  # which float32 can tell apart
        close(_fitted(student, moved, 2.5 - 4 * m), before, SINGLE)


@pytest.mark.guard
def test_order_parameter_correlation__takes_tensors_as_well(student, draw):
    """gives for tensors what it gives for arrays"""
    z, m = _latent_and_order(draw, 30, 2)
    expected = _fitted(student, z, m)
    close(_fitted(student, torch.tensor(z), torch.tensor(m)), expected, SINGLE)


@pytest.mark.guard
def test_order_parameter_correlation__leaves_its_arguments_unchanged(student, draw):
    """leaves z and m unchanged"""
    z, m = _latent_and_order(draw, 20, 2)
    unchanged(student, lambda *kept: _fitted(student, *kept), z, m)


@pytest.mark.guard
def test_order_parameter_correlation__gives_a_number(student, draw):
    """gives a number, not a list of one"""
    coursekit.number(student.order_parameter_correlation(*_latent_and_order(draw, 20, 2)))
