"""Public checks of autoencoder: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import SINGLE, array, attribute, close, holds, number, tensor, unchanged
from coursekit import training as watching
from coursekit.networks import units_begin_apart

SIX = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1], [2, 2], [-2, -2]])


def _pair(returned, words):
    holds(isinstance(returned, (tuple, list)) and len(returned) == 2, f"should return {words}")
    return returned


def test_pca_reconstruction__keeps_the_direction_of_largest_variance(student):
    """keeps what lies along (1, 1) and drops the rest, in the docstring's example"""
    X_hat, ratio = _pair(student.pca_reconstruction(SIX, 1), "(X_hat, explained_variance_ratio)")
    expected = np.array([[1.0, 1], [-1, -1], [0, 0], [0, 0], [2, 2], [-2, -2]])
    close(X_hat, expected, SINGLE)
    close(ratio, np.array([5 / 6]), SINGLE)


def test_pca_reconstruction__takes_the_mean_off_and_puts_it_back(student):
    """gives the same parts, and rows shifted alike, when all rows are shifted"""
    shift = np.array([10.5, -3.25])
    X_hat, ratio = student.pca_reconstruction(SIX + shift, 1)
    close(ratio, np.array([5 / 6]), SINGLE)
    close(array(X_hat, (6, 2))[4], np.array([2.0, 2.0]) + shift, SINGLE)


def test_pca_reconstruction__loses_nothing_with_all_components(student):
    """gives X back when all components are kept"""
    X_hat, ratio = student.pca_reconstruction(SIX + 1, 2)
    close(X_hat, SIX + 1, SINGLE)
    close(ratio, np.array([5 / 6, 1 / 6]), SINGLE)


def test_pca_reconstruction__is_centred_at_the_mean(student):
    """keeps the mean and what lies along (2, 1, −2) of rows that are not symmetric about it"""
    rows = np.array([[5.0, 2, -2], [1, -3, 5], [-3, 1, 3]])
    X_hat, ratio = student.pca_reconstruction(rows, 1)
    close(X_hat, np.array([[5.0, 2, -2], [-1, -1, 4], [-1, -1, 4]]), SINGLE)
    close(ratio, np.array([0.75]), SINGLE)


def test_autoencoder__gives_a_reconstruction_and_z(student):
    """returns (x_hat, z), what decoder and encoder give"""
    student.reseed(1)
    model, x = student.IsingAutoencoder(256), torch.ones(5, 256)
    x_hat, z = _pair(model(x), "(x_hat, z)")
    x_hat, z = tensor(x_hat, (5, 256)), tensor(z, (5, 2))
    close(z, tensor(model.encoder(x), (5, 2)), SINGLE)
    close(x_hat, tensor(model.decoder(torch.tensor(z)), (5, 256)), SINGLE)


def test_autoencoder__has_the_layers_asked_for(student):
    """has 74434 parameters for 256 spins"""
    model = student.IsingAutoencoder(256)
    model(torch.ones(2, 256))  # lazy layers have their weights from now on
    units_begin_apart(model)
    size = sum(weights.numel() for weights in model.parameters())
    holds(size == 74434, f"there should be 74434 parameters, there are {size}")


def test_autoencoder__computes_what_its_layers_say(student):
    """gives what its weights give with a ReLU behind the four hidden layers and tanh at the end
    (where they are kept as torch's Linear keeps them), in a graph"""
    student.reseed(1)
    model = student.IsingAutoencoder(9, 3)
    x = 3 * torch.tensor(np.random.default_rng(1).choice([-1.0, 1.0], size=(4, 9))).float()
    slopes = student.gradients(_pair(student.keeping(model, x), "(x_hat, z)")[0], model)
    learns = all(one is not None for one in slopes)
    holds(learns, "the graph of x_hat is cut: some weights, or all, cannot be trained")
    x_hat, z = _pair(model(x), "(x_hat, z)")
    x_hat, z = tensor(x_hat, (4, 9)), tensor(z, (4, 3))
    weights = [values.detach() for values in model.parameters()]
    sizes = [9, 128, 32, 3, 32, 128, 9]
    if [tuple(values.shape) for values in weights[::2]] == list(
        zip(sizes[1:], sizes, strict=False)
    ):
        found = []
        for layer in range(6):
            x = x @ weights[2 * layer].T + weights[2 * layer + 1]
            x = x if layer in (2, 5) else torch.relu(x)
            found.append(x)
        close(z, found[2].numpy(), SINGLE)
        close(x_hat, torch.tanh(found[5]).numpy(), SINGLE)
    alone = _pair(model(torch.ones(1, 9)), "(x_hat, z)")
    tensor(alone[0], (1, 9))
    tensor(alone[1], (1, 3))


def test_reconstruction_loss__is_a_mean_over_every_element(student):
    """is 1.25 in the docstring's example, and for its rows by themselves 0.5 and 2"""
    x, x_hat = torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, -1.0]])
    close(number(student.reconstruction_loss(x, x_hat)), 1.25, SINGLE)
    for row, expected in ((0, 0.5), (1, 2.0)):
        one, other = x[row : row + 1], x_hat[row : row + 1]
        close(number(student.reconstruction_loss(one, other)), expected, SINGLE)


def test_reconstruction_loss__can_be_differentiated(student):
    """keeps the graph that a training needs: its gradient with respect to x_hat is right"""
    x, x_hat = torch.ones(2, 3), student.keep(torch.zeros(2, 3, requires_grad=True))
    loss = student.keeping("reconstruction_loss", x, x_hat)
    (gradient,) = student.gradients(loss, x_hat)
    holds(gradient is not None, "the loss has lost its graph")
    close(tensor(gradient, (2, 3)), np.full((2, 3), -1 / 3), SINGLE)


def _ordered():
    """Eighty configurations of both signs, each with one spin the wrong way round."""
    X = torch.ones(80, 16) * torch.tensor([1.0, -1.0]).repeat(40)[:, None]
    X[torch.arange(80), torch.arange(80) % 16] *= -1
    return X


def _trained(student, epochs, X):
    """A small network after a training with these configurations."""
    model = student.field("autoencoder", n_in=16)
    generator = torch.Generator().manual_seed(1)
    return model, student.train_autoencoder(model, X, epochs=epochs, generator=generator)


def _losses(returned):
    holds(isinstance(returned, (list, tuple)), "should return a list")
    return [number(loss) for loss in returned]


def test_train_autoencoder__returns_losses_that_fall(student):
    """returns one loss for each epoch, and they fall"""
    _, returned = _trained(student, 10, _ordered())
    losses = _losses(returned)
    holds(0 < len(losses) <= 10, f"10 epochs gave {len(losses)} losses")
    holds(losses[-1] < losses[0], "the last loss should be below the first")


def test_train_autoencoder__rebuilds_both_signs(student):
    """rebuilds spins up where they are up and down where they are down, with the error it says"""
    X = _ordered().repeat(8, 1)
    model, returned = _trained(student, 150, X)
    x_hat = tensor(model.decoder(model.encoder(X)), (640, 16))
    alike = (x_hat * X.numpy()).mean(axis=1)
    went = watching.went(returned)
    ending = f": {went}" if went else ""
    holds(bool(alike[0::2].mean() > 0.1), f"spins that are up are not rebuilt{ending}")
    holds(bool(alike[1::2].mean() > 0.1), "spins that are down are not rebuilt")
    error, losses = float(np.mean((x_hat - X.numpy()) ** 2)), _losses(returned)
    words = f"the last loss is {losses[-1]:.3g}, the mean squared error {error:.3g}"
    holds(0.5 * error < losses[-1] < 2 * error, words)


def test_train_autoencoder__leaves_the_model_in_evaluation_mode(student):
    """leaves the model in evaluation mode"""
    model, _ = _trained(student, 2, _ordered())
    holds(attribute(model, "training") is False, "the model is still in training mode")


def test_train_autoencoder__repeats_a_seed(student):
    """learns the same from the same seed, from an array too, and leaves X as it is"""
    found, X = [], _ordered()
    for state, data in enumerate((X, X.numpy().copy())):
        student.reseed(state)
        kept = student.keep(data)
        model, _ = _trained(student, 3, kept)
        close(student.value(kept), data, SINGLE)
        found.append(tensor(model.encoder(X), (80, 2)))
    close(found[1], found[0], SINGLE)


def _noted(student):
    """What a small network with dropout notes of its training with 5 × 5 lattices."""
    X = watching.lattices(np.random.default_rng(2), 150)

    def train(model, epochs):
        generator = torch.Generator().manual_seed(3)
        data = torch.tensor(X, dtype=torch.float32)
        return student.train_autoencoder(model, data, epochs=epochs, generator=generator)

    model = student.witness((25,), latent=2, dropout=0.2)
    return watching.watched(
        model, X, train, watching.up_to_symmetry, watching.reconstruction, 4, mode=True
    )


def test_train_autoencoder__learns_in_training_mode(student):
    """learns with every layer, in training mode from the first step to the last, each step with its
    own gradient"""
    noted = _noted(student)
    noted.moves_every_layer()
    noted.trains_in_training_mode()
    noted.clears_gradients()


def test_train_autoencoder__shows_each_configuration_once_an_epoch(student):
    """shows every configuration once in each epoch, as it is or as a copy that is as likely, in
    new batches if there are any, and takes a step with each"""
    noted = _noted(student)
    noted.shows_each_sample_once()
    noted.shuffles_again()
    noted.steps_once_a_batch()


def test_train_autoencoder__returns_the_mean_loss_of_every_epoch(student):
    """returns the mean of reconstruction_loss over the configurations of every epoch"""
    _noted(student).reports_the_mean_loss()


def test_encode__gives_an_array_of_z(student):
    """gives what the encoder gives, as an array (N, latent_dim)"""
    model = student.field("autoencoder", n_in=16, latent=3)
    x = torch.ones(311, 16)
    x[1:, :8] = -1
    z = tensor(model.encoder(x), (311, 3))
    close(student.encode(model, x), z, SINGLE)


def test_encode__has_equal_rows_for_equal_configurations(student):
    """has shape (5, 2) and equal rows for five configurations with all spins up"""
    model = student.field("autoencoder", n_in=256)
    z = array(student.encode(model, torch.ones(5, 256)), (5, 2))
    close(z, np.repeat(z[:1], 5, axis=0), SINGLE)


def test_encode__takes_spins_as_they_are_kept(student):
    """takes arrays and tensors, int8 too, a single row and a single latent number, and leaves
    them as they are"""
    model = student.field("autoencoder", n_in=16, latent=1)
    spins = np.ones((3, 16), dtype=np.int8)
    spins[1:, :8] = spins[2, 8:] = -1
    expected = tensor(model.encoder(torch.tensor(spins, dtype=torch.float32)), (3, 1))
    for X in (spins, spins.astype(float), torch.tensor(spins)):
        kept = student.keep(X)
        close(student.encode(model, kept), expected, SINGLE)
        unchanged(student.value(kept), X, "X")
    close(student.encode(model, spins[:1]), expected[:1], SINGLE)


def test_encode__is_free_of_dropout(student):
    """gives the z of evaluation mode where a network with dropout is in training mode, and lets it
    learn on"""
    model, x = student.witness((16,), latent=3, dropout=0.5), torch.ones(4, 16)
    model.eval()
    expected = tensor(model.encoder(x), (4, 3))
    model.train()
    close(student.encode(model, x), expected, SINGLE)
    x_hat, _ = student.keeping(model, x)
    learns = all(slopes is not None for slopes in student.gradients(x_hat, model))
    holds(learns, "the model has no gradients any more: they are switched off for good")


def test_order_parameter_correlation__explains_a_line(student):
    """is 0.9 in the docstring's example, and 1 for a straight line, of small z too"""
    z = np.array([[0.0], [1.0], [2.0], [3.0]])
    correlation = student.order_parameter_correlation
    close(number(correlation(z, np.array([1.0, 2.0, 2.0, 3.0]))), 0.9, SINGLE)
    for size in (1.0, 1e-3):
        close(number(correlation(size * z, 5 - 2 * z[:, 0])), 1.0, SINGLE)


def test_order_parameter_correlation__uses_all_columns(student):
    """is 1 for sums of two columns, which may go together, and 5/9 from one alone; tensors too"""
    z = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, -1.0], [3.0, 1.0]])
    correlation = student.order_parameter_correlation
    close(number(correlation(z, 2 * z[:, 0] - 3 * z[:, 1])), 1.0, SINGLE)
    close(number(correlation(z[:, :1], 2 * z[:, 0] - 2 * z[:, 1])), 5 / 9, SINGLE)
    together = np.column_stack([z[:, 0], z[:, 0] + z[:, 1]])
    close(number(correlation(together, z[:, 1])), 1.0, SINGLE)
    close(number(correlation(z[:, :1], (z[:, :1] - 1.5) ** 2)), 0.0, SINGLE)
    tensors = torch.tensor(z), torch.tensor(2 * z[:, 0] - 3 * z[:, 1])
    close(number(correlation(*tensors)), 1.0, SINGLE)


def test_order_parameter_correlation__survives_a_dead_column(student):
    """is the same with a column beside that never changes"""
    z = np.array([[0.0, 2.0], [1.0, 2.0], [2.0, 2.0], [3.0, 2.0]])
    m = np.array([1.0, 2.0, 2.0, 3.0])
    close(number(student.order_parameter_correlation(z, m)), 0.9, SINGLE)
