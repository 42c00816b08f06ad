"""Public checks of cnn: the ones that you can run yourself."""

import itertools

import numpy as np
import torch
from coursekit import (
    SINGLE,
    array,
    attribute,
    close,
    holds,
    integer,
    number,
    refuses,
    tensor,
    training,
    unchanged,
)
from coursekit.networks import drawn, units_begin_apart

LATTICES = torch.ones(2, 1, 16, 16)


def _spins(count, side):
    """Lattices for a network, (count, 1, side, side)."""
    spins = np.random.default_rng(1).choice([-1.0, 1.0], size=(count, 1, side, side))
    return torch.tensor(spins, dtype=torch.float32)


def test_correlate1d__slides_without_flipping(student):
    """gives [2, −1, 0, 1, −2, 1] for the kernel [1, 0, −1] on a signal of eight"""
    signal, kernel = np.array([1, 0, -1, 1, -1, 0, 1, -1]), np.array([1, 0, -1])
    close(student.correlate1d(signal, kernel), np.array([2, -1, 0, 1, -2, 1]), SINGLE)


def test_correlate1d__keeps_fractions(student):
    """keeps the fractions when the signal holds whole numbers"""
    signal, kernel = np.array([1, -1, -1], dtype=np.int8), np.array([0.5, 0.25])
    close(student.correlate1d(signal, kernel), np.array([0.25, -0.75]), SINGLE)


def test_correlate1d__does_not_run_over(student):
    """adds up 150 for 50 spins up in int8 under a kernel of threes, also in int8"""
    signal, kernel = np.ones(50, dtype=np.int8), np.full(50, 3, dtype=np.int8)
    close(array(student.correlate1d(signal, kernel), (1,)).astype(float), np.array([150.0]), SINGLE)


def test_correlate1d__refuses_a_kernel_that_is_too_long(student):
    """raises ValueError for a kernel longer than the signal"""
    refuses(lambda: student.correlate1d(np.ones(2), np.ones(3)))


def test_convolve2d_periodic__stamps_the_kernel(student):
    """stamps the kernel around a single 1"""
    image, kernel = np.zeros((5, 5)), np.arange(1.0, 10.0).reshape(3, 3)
    image[2, 2] = 1.0
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = kernel
    close(student.convolve2d_periodic(image, kernel), expected, SINGLE)


def test_convolve2d_periodic__goes_round_the_edges(student):
    """stamps the kernel around a 1 in the corner, across the edges"""
    image, kernel = np.zeros((4, 4)), np.arange(1.0, 10.0).reshape(3, 3)
    image[0, 0] = 1.0
    expected = np.array([[5.0, 6, 0, 4], [8, 9, 0, 7], [0, 0, 0, 0], [2, 3, 0, 1]])
    close(student.convolve2d_periodic(image, kernel), expected, SINGLE)


def test_convolve2d_periodic__takes_larger_kernels(student):
    """stamps half of a kernel of 5×5 around a ½ beside the corner, across the edges"""
    image, kernel = np.zeros((7, 6)), np.arange(1.0, 26.0).reshape(5, 5)
    image[1, 1] = 0.5  # of one in the corner a single ring beyond the edge knows all
    expected = np.zeros((7, 6))
    expected[:5, :5] = kernel / 2
    expected = np.roll(expected, (-1, -1), axis=(0, 1))
    close(student.convolve2d_periodic(image, kernel), expected, SINGLE)


def test_convolve2d_periodic__centres_even_kernels_above_and_left(student):
    """has the centre of a 1×2 kernel on its first entry"""
    image, kernel = np.array([[0.0, 1.0, 0.0, 0.0]]), np.array([[3.0, 7.0]])
    close(student.convolve2d_periodic(image, kernel), np.array([[0.0, 3.0, 7.0, 0.0]]), SINGLE)


def test_convolve2d_periodic__centres_rows_and_columns_by_themselves(student):
    """has the centre of a 1×3 kernel on its second entry, of a 3×1 kernel likewise"""
    image, kernel = np.zeros((4, 4)), np.array([[3.0, 7.0, 5.0]])
    image[1, 1] = 1.0
    expected = np.zeros((4, 4))
    expected[1, :3] = kernel
    close(student.convolve2d_periodic(image, kernel), expected, SINGLE)
    close(student.convolve2d_periodic(image, kernel.T), expected.T, SINGLE)


def test_convolve2d_periodic__keeps_fractions_and_large_sums(student):
    """keeps the fractions of 1/4 times int8 spins, and adds up 10 · 9 + 60 in int8"""
    spins = np.array([[1, -1, 1, 1], [1, 1, -1, 1]], dtype=np.int8)
    kept, quarter = student.keep(spins), np.array([[0.25, 0.5]])
    found = student.convolve2d_periodic(kept, quarter)
    close(found, 0.25 * spins + 0.5 * np.roll(spins, 1, axis=1), SINGLE)
    ones, kernel = np.ones((3, 4), dtype=np.int8), np.full((3, 3), 10, dtype=np.int8)
    kernel[2, 0] = 70
    kept = student.keep(kernel)
    found = array(student.convolve2d_periodic(ones, kept), (3, 4))
    close(found.astype(float), np.full((3, 4), 150.0), SINGLE)
    unchanged(student.value(kept), kernel, "kernel")
    found = array(student.convolve2d_periodic(3 * ones, kernel), (3, 4))
    close(found.astype(float), np.full((3, 4), 450.0), SINGLE)


def test_convolve2d_periodic__refuses_a_kernel_that_is_too_large(student):
    """raises ValueError for a kernel taller or wider than the image"""
    refuses(lambda: student.convolve2d_periodic(np.ones((2, 4)), np.ones((3, 3))))
    refuses(lambda: student.convolve2d_periodic(np.ones((4, 2)), np.ones((3, 3))))


def test_kernels__has_four_of_three_by_three(student):
    """gives 3×3 kernels, whose entries add up to 1 for the blur and to 0 for the others"""
    for name, total in (("horizontal", 0), ("vertical", 0), ("blur", 1), ("laplacian", 0)):
        found = student.kernel(name)
        shape = getattr(found, "shape", ())
        holds(shape == (3, 3), f"kernel({name!r}) should be an array (3, 3)")
        have = number(np.sum(found))
        words = f"the entries of kernel({name!r}) add up to {have:g}, not to {total}"
        holds(abs(have - total) < SINGLE.relative, words)


def test_kernels__knows_rows_from_columns(student):
    """has the rows −1, 0, 1 in "horizontal" and [1, −4, 1] in the middle of "laplacian\""""
    close(student.kernel("horizontal")[2], np.array([1.0, 1.0, 1.0]), SINGLE)
    close(student.kernel("laplacian")[1], np.array([1.0, -4.0, 1.0]), SINGLE)


def test_kernels__weigh_a_slope(student):
    """gives 6 for the edge kernel laid on a slope that rises along it by 1 a site; the blur of a
    single 1 is 1/9 wherever it lies"""
    rows, columns = np.indices((3, 3))
    for name, slope in (("horizontal", rows), ("vertical", columns)):
        close(float(np.sum(array(student.kernel(name), (3, 3)) * slope)), 6.0, SINGLE)
    blur = array(student.kernel("blur"), (3, 3))
    holds(bool(np.ptp(blur) < SINGLE.tiny), "the blur weighs some of its nine sites more")


def test_kernels__refuses_other_names(student):
    """raises ValueError for another name"""
    for name in ("round", "hor"):
        refuses(lambda name=name: student.kernel(name))


def test_max_pool2d__keeps_the_largest_of_each_block(student):
    """gives [[4, 9]] for two blocks whose largest numbers are 4 and 9"""
    x = np.array([[1.0, 4, 2, 6], [3, 0, 9, 7]])
    close(student.max_pool2d(x, 2), np.array([[4.0, 9.0]]), SINGLE)


def test_max_pool2d__takes_blocks_of_any_size(student):
    """gives the largest number of a block of 3 × 3, and for size 1 all numbers as they are"""
    x = np.array([[1.0, 4, 2], [3, 0, 9.5], [5, 7, 8]])
    close(student.max_pool2d(x, 3), np.array([[9.5]]), SINGLE)
    close(student.max_pool2d(x, 1), x, SINGLE)


def test_max_pool2d__takes_axes_in_front(student):
    """pools the last two axes of an array (2, 1, 2, 4), negative numbers too"""
    x = -np.arange(16.0).reshape(2, 1, 2, 4)
    close(student.max_pool2d(x, 2), np.array([[[[0.0, -2.0]]], [[[-8.0, -10.0]]]]), SINGLE)


def test_max_pool2d__keeps_the_dtype(student):
    """gives int64 for int64, digit by digit, however far below zero, and leaves x as it is"""
    x = -(2**30 + 1) * np.arange(1, 9, dtype=np.int64).reshape(2, 4)
    kept = student.keep(x)
    pooled = array(student.max_pool2d(kept, 2), (1, 2))
    holds(pooled.dtype == np.int64, f"the result holds {pooled.dtype}")
    close(pooled.astype(float), np.array([[-(2.0**30), -3 * 2.0**30]]), SINGLE)
    holds(pooled.tolist() == [[-(2**30) - 1, -3 * (2**30 + 1)]], "some digits are lost")
    holds(bool((array(student.value(kept)) == x).all()), "x is changed")


def test_max_pool2d__refuses_a_size_that_does_not_divide(student):
    """raises ValueError where the blocks do not fill the lattice"""
    refuses(lambda: student.max_pool2d(np.ones((5, 4)), 2))
    refuses(lambda: student.max_pool2d(np.ones((4, 5)), 2))


def test_count_conv_parameters__knows_the_first_layers(student):
    """is 160 for 1 → 16 maps and 3×3 kernels, 4640 for 16 → 32, 4608 without biases, 416 for 5×5"""
    close(integer(student.count_conv_parameters(1, 16, 3)), 160)
    close(integer(student.count_conv_parameters(16, 32, 3)), 4640)
    close(integer(student.count_conv_parameters(16, 32, 3, bias=False)), 4608)
    close(integer(student.count_conv_parameters(1, 16, 5)), 416)


def test_ising_cnn__gives_two_logits(student):
    """gives two logits for each lattice"""
    model = student.IsingCNN()
    model.eval()
    tensor(model(torch.ones(3, 1, 16, 16)), (3, 2))


def test_ising_cnn__has_37762_parameters(student):
    """has 37762 parameters"""
    model = student.IsingCNN()
    model(torch.ones(2, 1, 16, 16))  # lazy layers have their weights from now on
    count = sum(weights.numel() for weights in model.parameters())
    holds(count == 37762, f"IsingCNN has {count} parameters")


def test_ising_cnn__computes_what_its_layers_say(student):
    """gives, in evaluation mode, the logits that its weights give in the layers asked for (where
    they are kept as torch's layers keep them)"""
    model, x = drawn(student.IsingCNN(), LATTICES), _spins(4, 16)
    model.eval()
    logits = tensor(model(x), (4, 2))
    weights, x = [values.detach().double() for values in model.parameters()], x.double()
    shapes = [(16, 1, 3, 3), (16,), (32, 16, 3, 3), (32,), (64, 512), (64,), (2, 64), (2,)]
    if [tuple(values.shape) for values in weights] == shapes:
        for kernel, bias in (weights[:2], weights[2:4]):
            x = torch.nn.functional.conv2d(x, kernel, bias, padding=1).relu()
            x = torch.nn.functional.max_pool2d(x, 2)
        rows = [x.permute(0, *order).flatten(1) for order in itertools.permutations((1, 2, 3))]
        hidden = [(row @ weights[4].T + weights[5]).relu() for row in rows]
        found = [(units @ weights[6].T + weights[7]).numpy() for units in hidden]
        close(logits, min(found, key=lambda one: float(np.abs(one - logits).max())), SINGLE)


def test_ising_cnn__drops_hidden_units_in_training(student):
    """is random in training mode only, drops three of ten hidden units and never loses a logit"""
    student.reseed(1)
    model, x = drawn(student.IsingCNN(), LATTICES), torch.ones(20, 1, 16, 16)
    model.train()
    one, other = (tensor(model(x), (20, 2)) for _ in range(2))
    holds(bool((one != other).any()), "two calls in training mode are the same")
    holds(bool((one != 0).all()), "some logits are zero: does the dropout stand behind them?")
    model.eval()
    one, other = (tensor(model(x), (20, 2)) for _ in range(2))
    holds(np.allclose(one, other), "two calls in evaluation mode should agree")

    def units():
        """What the 64 units hand to the last layer: its weights' slopes, where these are known."""
        slopes = student.gradients(student.keeping(model, x[:1]), model)
        known = [one.numpy().flatten() for one in slopes if one is not None and one.numel() == 128]
        return known[0] if known else np.zeros(128)

    at_work = units() != 0
    model.train()
    if at_work.any():
        shares = [np.mean((units() == 0)[at_work]) for _ in range(40)]
        dropped = np.mean(shares)
        holds(abs(dropped - 0.3) < 0.08, f"{dropped:.0%} of the hidden units are dropped, not 30 %")
        holds(max(shares) < 1, "at times all hidden units of a lattice are dropped together")


def test_ising_cnn__learns_with_every_layer(student):
    """has logits that every weight has a part in, with a graph, and weights of its own"""
    model, other, x = drawn(student.IsingCNN(), LATTICES), student.IsingCNN(), _spins(20, 16)
    before = tensor(other(x), (20, 2))  # lazy layers have their weights from now on
    units_begin_apart(other)
    gradients = student.gradients(student.keeping(model, x), model)
    reached = [slopes is not None and bool((slopes != 0).any()) for slopes in gradients]
    holds(all(reached), "some weights have no effect on the logits, or the graph is lost")
    holds(bool(np.isfinite(before).all()), "some logits are no numbers")
    model.half()
    dtypes = {weights.dtype for weights in other.parameters()}
    holds(torch.float16 not in dtypes, "two networks share their layers")


def test_ising_cnn__takes_any_memory_layout(student):
    """gives the same logits where the lattices lie in memory in another order"""
    model, x = drawn(student.IsingCNN(), LATTICES), _spins(4, 16)
    model.eval()
    logits = tensor(model(x), (4, 2))
    turned = student.keep(x.permute(0, 2, 3, 1).contiguous())
    back = student.call(turned, "permute", (0, 3, 1, 2), {}, keep=True)
    close(model(back), torch.tensor(logits), SINGLE)


def test_ising_cnn__gives_logits(student):
    """gives any real numbers, not probabilities"""
    model = drawn(student.IsingCNN(), LATTICES)
    model.eval()
    logits = tensor(model(1e4 * torch.ones(1, 1, 16, 16)), (1, 2))
    outside = (logits < 0) | (logits > 1)
    holds(bool(outside.any()), "these are probabilities: the loss takes the softmax itself")


def test_train_cnn__returns_the_history(student):
    """returns the mean loss of each epoch and leaves the model in evaluation mode"""
    model = student.field("classifier", n_in=256)
    X = torch.cat([torch.ones(20, 1, 16, 16), -torch.ones(20, 1, 16, 16)])
    y = torch.tensor([0] * 20 + [1] * 20)
    generator = torch.Generator().manual_seed(1)
    history = student.train_cnn(model, X, y, epochs=3, generator=generator)
    holds(isinstance(history, (list, tuple)), "the history should be a list")
    holds(1 <= len(history) <= 3, "the history should have one entry for each epoch")
    holds(all(0 <= number(loss) < 2 for loss in history), "these are no mean cross-entropies")
    holds(attribute(model, "training") is False, "the model is still in training mode")


def _noted(student, seed=3, state=1):
    """What a small network notes of its training with this seed in this global state.

    263 lattices: with batches of any usual size the last one is smaller.
    """
    rng = np.random.default_rng(2)
    X = training.lattices(rng, 263).reshape(-1, 1, 5, 5)
    y = rng.integers(2, size=len(X))

    def train(model, epochs):
        student.reseed(state)
        generator = torch.Generator().manual_seed(seed)
        data = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
        return student.train_cnn(model, *data, epochs=epochs, generator=generator)

    model = student.witness((1, 5, 5), outputs=2, dropout=0.2)
    rows, loss = training.up_to_symmetry, training.cross_entropy(y)
    return training.watched(model, X, train, rows, loss, 3)


def test_train_cnn__shuffles_the_data(student):
    """shows every lattice once in each epoch, shuffled anew, in an order that depends on the
    generator alone"""
    first = _noted(student)
    first.shows_each_sample_once()
    first.makes_new_batches()
    first.is_ordered_like(_noted(student, state=2))
    first.is_not_ordered_like(_noted(student, seed=4))


def test_train_cnn__makes_a_step_with_each_batch(student):
    """makes one step of every layer with each batch, by its own gradient, in training mode all the
    time"""
    noted = _noted(student)
    noted.moves_every_layer()
    noted.trains_in_training_mode()
    noted.steps_once_a_batch()
    noted.clears_gradients()
    noted.follows_the_loss("cross-entropy of its logits")


def test_train_cnn__returns_the_mean_loss_of_each_epoch(student):
    """returns for each epoch the mean cross-entropy of its lattices, and leaves the model in
    evaluation mode"""
    noted = _noted(student)
    noted.reports_the_mean_loss()
    noted.ends_in_evaluation_mode()


def test_periodic_cnn__takes_lattices_of_any_size(student):
    """gives two logits for lattices of any size"""
    student.reseed(1)
    model = student.PeriodicCNN(channels=4)
    model.eval()
    for side in (4, 9, 16):
        tensor(model(torch.ones(2, 1, side, side)), (2, 2))


def test_periodic_cnn__has_2514_parameters(student):
    """has 2514 parameters, all of which can be trained"""
    model = student.PeriodicCNN(channels=16)
    model(torch.ones(2, 1, 8, 8))  # lazy layers have their weights from now on
    units_begin_apart(model)
    count = sum(weights.numel() for weights in model.parameters())
    holds(count == 2514, f"PeriodicCNN has {count} parameters")
    slopes = student.gradients(student.keeping(model, LATTICES), model)
    learns = all(one is not None for one in slopes)
    holds(learns, "the graph of the logits is cut: some weights, or all, cannot be trained")


def test_periodic_cnn__computes_what_its_layers_say(student):
    """gives the logits that its weights give in the layers asked for (where they are kept as
    torch's layers keep them), any number of channels"""
    model, x = drawn(student.PeriodicCNN(channels=5), LATTICES), _spins(4, 6)
    model.eval()
    logits = tensor(model(x), (4, 2))
    weights, x = [values.detach().double() for values in model.parameters()], x.double()
    count = sum(values.numel() for values in weights)
    holds(count == 292, f"PeriodicCNN(channels=5) has {count} parameters")
    shapes = [(5, 1, 3, 3), (5,), (5, 5, 3, 3), (5,), (2, 5), (2,)]
    if [tuple(values.shape) for values in weights] == shapes:
        for kernel, bias in (weights[:2], weights[2:4]):
            x = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
            x = torch.nn.functional.conv2d(x, kernel, bias).relu()
        close(logits, (x.mean(dim=(2, 3)) @ weights[4].T + weights[5]).numpy(), SINGLE)


def test_periodic_cnn__takes_the_mean(student):
    """gives four copies of a lattice, side by side, the logits of one"""
    model = drawn(student.PeriodicCNN(), LATTICES)
    model.eval()
    lattice = torch.ones(1, 1, 4, 4)
    lattice[0, 0, 1, 2] = -1
    close(model(lattice.repeat(1, 1, 2, 2)), torch.as_tensor(tensor(model(lattice))), SINGLE)


def test_periodic_cnn__does_not_see_a_shift(student):
    """gives a lattice shifted by one site the same logits, and one with other walls others"""
    model = drawn(student.PeriodicCNN(), LATTICES)
    model.eval()
    row = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    walls = np.array([np.repeat(row[:, None], 6, axis=1), np.outer([1, -1] * 3, [1, -1] * 3)])
    moved = np.roll(walls, 1, axis=1)
    before = tensor(model(torch.tensor(walls[:, None], dtype=torch.float32)), (2, 2))
    after = tensor(model(torch.tensor(moved[:, None], dtype=torch.float32)), (2, 2))
    close(after, before, SINGLE)
    different = np.abs(before[0] - before[1]).max() > 10 * SINGLE.tiny
    holds(bool(different), "stripes and a chessboard have the same logits")
