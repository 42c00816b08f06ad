"""Public checks of ising: fixed inputs, an answer within a second, no points."""

import math

import numpy as np
import torch
from coursekit import (
    SINGLE,
    array,
    close,
    holds,
    integer,
    number,
    quiet,
    refuses,
    tensor,
    training,
    unchanged,
)
from coursekit.ising_data import ising_configurations
from coursekit.networks import drawn, units_begin_apart

SPINS = np.array(
    [
        [1, 1, -1, 1, 1],
        [1, -1, -1, 1, -1],
        [-1, 1, 1, 1, 1],
        [1, 1, -1, -1, 1],
        [-1, 1, 1, 1, -1],
    ]
)
SITES = [(0, 0), (1, 2), (2, 4), (4, 1), (4, 4)]


def one(value):
    """A number; an array or tensor of one entry is one too."""
    shape = getattr(value, "shape", ())
    return number(value.reshape(()) if shape and math.prod(shape) == 1 else value)


# ----------------------------------------------------------------------- magnetisation


def test_magnetisation__of_four_spins(student):
    """is the mean of four spins"""
    close(one(student.magnetisation(np.array([[1, 1], [1, -1]]))), 0.5)


def test_magnetisation__knows_up_from_down(student):
    """is −7/9 where eight of nine spins are down; leaves the spins"""
    spins = np.array([[1, -1, -1], [-1, -1, -1], [-1, -1, -1]])
    kept = student.keep(spins)
    close(one(student.magnetisation(kept)), -7 / 9)
    unchanged(student.value(kept), spins, "spins")


def test_magnetisation__of_int8(student):
    """takes int8, whose sums run over at 127"""
    close(one(student.magnetisation(np.ones((16, 16), dtype=np.int8))), 1.0)


# ------------------------------------------------------------------------------ energy


def test_energy__of_the_ground_state(student):
    """is −2 per spin if all spins are up"""
    close(one(student.energy(np.ones((4, 4), dtype=int))), -32.0)


def test_energy__of_some_spins(student):
    """counts every bond of a 5×5 lattice once, those around the edges included"""
    close(student.energy(SPINS), 6.0)


def test_energy__of_two_by_two(student):
    """is 0 for three spins up and one down on 2×2, where both bonds of a pair count; leaves them"""
    kept = student.keep(np.array([[1, 1], [1, -1]]))
    close(one(student.energy(kept)), 0.0)
    close(one(student.energy(np.array([[1, 1], [-1, -1]]))), 0.0)
    close(one(student.energy(np.array([[1, -1], [-1, 1]]))), 8.0)
    unchanged(student.value(kept), np.array([[1, 1], [1, -1]]), "spins")


def test_energy__of_int8(student):
    """takes int8, whose sums run over at 127"""
    close(one(student.energy(np.ones((16, 16), dtype=np.int8))), -512.0)


# ----------------------------------------------------------------------- energy_change


def test_energy_change__of_an_ordered_lattice(student):
    """is 8 if all spins are up"""
    close(one(student.energy_change(np.ones((4, 4), dtype=int), 1, 2)), 8.0)


def test_energy_change__fits_your_energy(student):
    """is the difference that a flip makes to your own energy, corners included"""
    before = one(student.energy(SPINS))
    for i, j in SITES:
        flipped = SPINS.copy()
        flipped[i, j] *= -1
        difference = one(student.energy(flipped)) - before
        close(one(student.energy_change(SPINS, i, j)), difference)


def test_energy_change__flips_nothing(student):
    """leaves the spins as they are"""
    kept = student.keep(SPINS)
    for i, j in SITES:
        student.energy_change(kept, i, j)
    unchanged(student.value(kept), SPINS, "spins")


# -------------------------------------------------------------- acceptance_probability


def test_acceptance_probability__up_and_down(student):
    """is e^(−2) for ΔE = 4 at T = 2, and 1 for ΔE = −4"""
    close(student.acceptance_probability(np.array([4.0, -4.0]), 2.0), np.array([np.exp(-2), 1]))


def test_acceptance_probability__takes_a_number(student):
    """gives a number for numbers"""
    close(one(student.acceptance_probability(8, 1.25)), np.exp(-6.4), SINGLE)


def test_acceptance_probability__takes_arrays(student):
    """gives an array of the same shape for whole numbers, too, and takes a temperature for each;
    leaves them"""
    costs, temperatures = np.array([[1, -4], [4, 0]]), np.array([2.0, 4.0])
    kept = student.keep(costs)
    p = student.acceptance_probability(kept, 2.0)
    close(p, np.array([[np.exp(-0.5), 1], [np.exp(-2), 1]]))
    unchanged(student.value(kept), costs, "delta_e")
    close(student.acceptance_probability(4.0, temperatures), np.exp(-4 / temperatures))
    kept = student.keep(-costs.astype(float))
    close(student.acceptance_probability(kept, temperatures), np.array([[1, np.exp(-1)], [1, 1]]))
    unchanged(student.value(kept), -costs.astype(float), "delta_e")


def test_acceptance_probability__does_not_overflow(student):
    """is 1, without a warning, where the energy falls very far"""
    close(student.acceptance_probability(np.array([-8000.0, 0.0]), 1.0), np.ones(2))
    quiet(student.calls[-1])


# --------------------------------------------------------------------- metropolis_step


def step(student, spins, u):
    """One step at the middle of a lattice at T = 4; the spins after it, and what is returned."""
    kept = student.keep(spins)
    returned = student.metropolis_step(kept, 2, 2, 4.0, u)
    return array(student.value(kept), spins.shape), returned


def test_metropolis_step__accepts(student):
    """flips an aligned spin at T = 4 for u = 0.1, below e^(−2)"""
    spins = np.ones((5, 5), dtype=int)
    after, returned = step(student, spins, 0.1)
    spins[2, 2] = -1
    close(after, spins)
    holds(bool(returned), "the spin was flipped, so the call should return True")


def test_metropolis_step__rejects(student):
    """leaves the spins alone for u = 0.2, above e^(−2)"""
    spins = np.ones((5, 5), dtype=int)
    after, returned = step(student, spins, 0.2)
    close(after, spins)
    holds(
        returned is not None and not returned,
        "nothing was flipped, so the call should return False",
    )


def test_metropolis_step__flips_int8_at_its_own_site(student):
    """flips the spin at row 1, column 3 of int8 spins where the change costs nothing, for u = 0.9,
    and nothing where it can never happen"""
    spins = np.ones((5, 5), dtype=np.int8)
    spins[0, 3] = spins[2, 3] = -1
    kept = student.keep(spins)
    student.metropolis_step(kept, 1, 3, 2.0, 0.9)
    spins[1, 3] = -1
    close(student.value(kept), spins)
    for u in (1e-12, 0.0):
        student.metropolis_step(kept, 4, 1, 0.002, u)
        close(student.value(kept), spins)


def test_metropolis_step__accepts_what_costs_nothing(student):
    """flips a spin whose energy falls, for u = 0.99"""
    spins = np.ones((5, 5), dtype=int)
    spins[2, 2] = -1
    after, _ = step(student, spins, 0.99)
    close(after, np.ones((5, 5), dtype=int))


# -------------------------------------------------------------------- metropolis_sweep


def test_metropolis_sweep__attempts_all(student):
    """accepts all 25 attempts on a 5×5 lattice at T = 10⁹, an int, on more than a few sites"""
    kept = student.keep(SPINS)
    accepted = student.metropolis_sweep(kept, 1e9, np.random.default_rng(1))
    close(one(accepted), 25.0)
    integer(accepted)
    differ = int((array(student.value(kept), (5, 5)) != SPINS).sum())
    holds(differ > 3, f"25 flips have changed {differ} of 25 spins")


def test_metropolis_sweep__draws_from_rng(student):
    """makes the same flips for the same seed, whatever the global state, and others for another"""
    found = []
    for state, seed in ((1, 4), (2, 4), (1, 5)):
        kept = student.keep(np.ones((12, 12), dtype=int))
        student.reseed(state)
        student.metropolis_sweep(kept, 3.0, np.random.default_rng(seed))
        found.append(array(student.value(kept), (12, 12)))
    holds(bool((found[0] == found[1]).all()), "some random numbers do not come from rng")
    holds(bool((found[0] != found[2]).any()), "another seed gives the same: rng is not used")


def test_metropolis_sweep__freezes(student):
    """accepts nothing on an ordered lattice at T = 0.1"""
    kept = student.keep(np.ones((6, 6), dtype=int))
    close(one(student.metropolis_sweep(kept, 0.1, np.random.default_rng(2))), 0)
    close(student.value(kept), np.ones((6, 6), dtype=int))


def test_metropolis_sweep__reaches_equilibrium(student):
    """brings a 4×4 lattice at T = 3 to its mean energy, −16.3, and flips every spin of an ordered
    one at T = 8, in one sweep or another"""
    rng = student.keep(np.random.default_rng(3))
    flipped = np.zeros((8, 8), dtype=bool)
    for _ in range(100):
        kept = student.keep(np.ones((8, 8), dtype=int))
        student.metropolis_sweep(kept, 8.0, rng)
        flipped |= np.array(student.value(kept)) < 0
    words = (
        "some spins of an ordered lattice never flip in 100 sweeps, each from the start: does each "
        "site have its turn, and a u that has nothing to do with the site?"
    )
    holds(bool(flipped.all()), words)
    kept = student.keep(np.ones((4, 4), dtype=int))
    energies = []
    for count in range(420):
        student.metropolis_sweep(kept, 3.0, rng)
        if count >= 20 and count % 4 == 0:
            spins = np.array(student.value(kept), dtype=float)
            bonds = spins * (np.roll(spins, 1, axis=0) + np.roll(spins, 1, axis=1))
            energies.append(-float(bonds.sum()))
    mean = float(np.mean(energies))
    away = abs(mean + 16.2731) / (1.2 * 9.3194 / 100**0.5)
    holds(away < 5, f"the mean energy of 100 lattices is {mean:.1f}; it should be about −16.3")


# --------------------------------------------------------------- sample_configurations


def test_sample_configurations__shape(student):
    """gives an int8 array (n_samples, L, L) of +1 and −1"""
    spins = student.sample_configurations(5, 2.5, 3, np.random.default_rng(4), 5, 2)
    holds(str(array(spins, (3, 5, 5)).dtype) == "int8", "should hold int8")
    holds(bool((np.abs(array(spins)) == 1).all()), "should hold +1 and −1")


def test_sample_configurations__is_ordered_in_the_cold(student):
    """is ordered at T = 1: |m| is 0.999 on average"""
    spins = student.sample_configurations(6, 1.0, 20, np.random.default_rng(5), 100, 5)
    order = np.abs(array(spins, (20, 6, 6)).mean(axis=(1, 2)))
    holds(float(np.mean(order)) > 0.9, f"the mean |m| is {np.mean(order):.2f}")


def test_sample_configurations__is_disordered_in_the_heat(student):
    """is disordered at T = 10, with m of either sign, and no configuration comes twice"""
    spins = array(student.sample_configurations(8, 10.0, 20, np.random.default_rng(6), 20, 5))
    order = np.abs(spins.mean(axis=(1, 2)))
    holds(float(np.mean(order)) < 0.4, f"the mean |m| is {np.mean(order):.2f}")
    holds(len(np.unique(spins.reshape(20, -1), axis=0)) == 20, "a configuration comes twice")
    signs = set(np.sign(spins.sum(axis=(1, 2))))
    holds({-1, 1} <= signs, "all configurations have a magnetisation of one sign")


def test_sample_configurations__is_not_frozen_in_stripes(student):
    """is ordered after 10 sweeps at T = 0.5, 30 times, and not frozen in stripes"""
    rng = student.keep(np.random.default_rng(5))
    spins = [array(student.sample_configurations(8, 0.5, 1, rng, 10, 1)) for _ in range(30)]
    ordered = all(abs(np.mean(one)) > 0.5 for one in spins)
    holds(ordered, "below T_c some are frozen in stripes: how does a chain start?")


def test_sample_configurations__has_the_energy_of_all_states(student):
    """has at T = 2 on a 3×3 lattice the mean energy per spin of its 512 states, −1.77"""
    rng = np.random.default_rng(9)
    spins = array(student.sample_configurations(3, 2.0, 300, rng, 20, 3), (300, 3, 3)).astype(int)
    energy = -np.mean(spins * (np.roll(spins, 1, 1) + np.roll(spins, 1, 2)))
    # The mean of 300 scatters by 0.034 at most.
    holds(abs(energy + 1.7677) < 0.22, f"the mean energy per spin is {energy:.2f}")


def test_sample_configurations__equilibrates(student):
    """makes more sweeps where `equilibration` asks for more: other sweeps, other spins"""
    few, many = (
        array(
            student.sample_configurations(8, 8.0, 1, np.random.default_rng(4), sweeps, 2),
            (None, 8, 8),
        )
        for sweeps in (12, 19)
    )
    holds(bool((few != many).any()), "equilibration = 12 and 19 give the same configuration")


def test_sample_configurations__leaves_sweeps_in_between(student):
    """makes more sweeps, not single attempts, between two configurations of a chain where
    `interval` asks for more"""

    def samples(equilibration, interval, count=2):
        rng = np.random.default_rng(4)
        return array(student.sample_configurations(8, 8.0, count, rng, equilibration, interval))

    changed = (np.diff(samples(12, 8, 6).astype(int), axis=0) != 0).sum(axis=(1, 2))
    words = "sample after sample no more than 8 spins change for interval = 8: are these sweeps?"
    holds(bool((changed > 8).any()), words)
    (_, few), (_, many) = samples(12, 3), samples(12, 8)
    # Chains with one configuration each have nothing in between; in one chain it shows.
    follows = any((samples(12 + gap, 3)[0] == few).all() for gap in (1, 10))
    ignored = (few == many).all() and follows
    holds(not ignored, "interval = 3 and interval = 8 give the same configurations")


def test_sample_configurations__draws_from_rng(student):
    """gives the same spins for the same seed and others for another, with its usual numbers of
    sweeps if none are given"""
    first, again, other = (
        array(student.sample_configurations(4, 8.0, 3, np.random.default_rng(seed)), (3, 4, 4))
        for seed in (7, 7, 8)
    )
    close(again, first)
    holds(bool((other != first).any()), "another seed gives the same: rng is not used")
    named = student.sample_configurations(4, 8.0, 3, np.random.default_rng(7), 200, 10)
    same = bool((array(named, (3, 4, 4)) == first).all())
    holds(same, "200 and 10 sweeps give others than the usual numbers, which these are")


# -------------------------------------------------------------------- ising_classifier


def rows(count, width):
    spins = np.where(np.random.default_rng(7).random((count, width)) < 0.5, 1.0, -1.0)
    return torch.tensor(spins, dtype=torch.float32)


def test_ising_classifier__shape(student):
    """maps (5, 256) to (5, 2) and (1, 256) to (1, 2), with 18 594 parameters"""
    model = student.IsingClassifier(256)
    for n in (5, 1):
        tensor(model(rows(n, 256)), (n, 2))
    units_begin_apart(model)
    found = sum(weights.numel() for weights in model.parameters())
    holds(found == 18594, f"the network has {found} parameters, not 18594")


def test_ising_classifier__dropout(student):
    """drops units in training mode only"""
    model, x = drawn(student.IsingClassifier(64), torch.ones(2, 64)), rows(30, 64)
    model.train()
    holds(bool((model(x) != model(x)).any()), "two calls in training mode should differ")
    model.eval()
    one, other = (tensor(model(x), (30, 2)) for _ in range(2))
    holds(np.allclose(one, other), "two calls in evaluation mode should agree")


def test_ising_classifier__computes_what_its_layers_say(student):
    """gives, in evaluation mode, the logits that its weights give with a ReLU after both hidden
    layers (where they are kept as torch's Linear keeps them)"""
    model, x = drawn(student.IsingClassifier(64), torch.ones(2, 64)), 3 * rows(6, 64)
    model.eval()
    logits = tensor(model(x), (6, 2))
    weights, x = [values.detach().double() for values in model.parameters()], x.double()
    shapes = [(64, 64), (64,), (32, 64), (32,), (2, 32), (2,)]
    if [tuple(values.shape) for values in weights] == shapes:
        for layer in range(3):
            x = x @ weights[2 * layer].T + weights[2 * layer + 1]
            x = torch.relu(x) if layer < 2 else x
        close(logits, x.numpy(), SINGLE)


def test_ising_classifier__drops_hidden_units(student):
    """drops hidden units in training mode, not spins and not logits"""
    student.reseed(1)
    model, x = drawn(student.IsingClassifier(64), torch.ones(2, 64)), torch.ones(400, 64)
    model.train()
    logits = tensor(model(x), (400, 2))
    holds(bool((logits != 0).any(axis=1).all()), "logits are zero: is the dropout behind them?")
    kept = student.keep(x.requires_grad_())
    (slopes,) = student.gradients(student.keeping(model, kept), kept)
    slopes = tensor(slopes, (400, 64))
    spins = ((slopes == 0) & (slopes != 0).any(axis=1, keepdims=True)).mean()
    holds(bool(spins < 0.01), "some spins have no effect on the logits: are they dropped?")


def test_ising_classifier__logits(student):
    """returns logits: some of them below 0 or above 1"""
    model = drawn(student.IsingClassifier(64), torch.ones(2, 64))
    model.eval()
    returned = tensor(model(20 * rows(50, 64)), (50, 2))
    outside = (returned < 0) | (returned > 1)
    holds(bool(outside.any()), "all outputs lie between 0 and 1: are they probabilities?")


# -------------------------------------------------------------------- train_classifier


def test_train_classifier__learns(student):
    """learns to tell 6×6 configurations at T = 1.5 from those at T = 4"""
    T = np.repeat([1.5, 4.0], 150)
    X = ising_configurations(6, T, np.random.default_rng(8), 60).reshape(300, 36)
    y = (T > 2).astype(int)
    model = student.field("classifier", n_in=36, n_hidden=256, seed=1)
    generator = torch.Generator().manual_seed(9)
    history = student.train_classifier(model, X[::2], y[::2], epochs=20, generator=generator)
    holds(0 < len(history) <= 20, "should return a loss for each epoch")
    first, last = number(history[0]), number(history[-1])
    holds(last < 0.7 * first, f"the loss goes from {first:.3g} to {last:.3g}; it should fall")
    logits = tensor(model(torch.tensor(X[1::2], dtype=torch.float32)), (150, 2))
    share = float(np.mean(np.argmax(logits, axis=1) == y[1::2]))
    holds(share > 0.65, f"{share:.0%} of the other half are told right; by chance it were half")


def _noted(student, seed=3, state=1):
    """What a small network notes of its training with this seed in this global state.

    263 lattices: with batches of any usual size the last one is smaller.
    """
    rng = np.random.default_rng(2)
    X = training.lattices(rng, 263)
    y = rng.integers(2, size=len(X))

    def train(model, epochs):
        student.reseed(state)
        generator = torch.Generator().manual_seed(seed)
        return student.train_classifier(model, X, y, epochs=epochs, generator=generator)

    model = student.witness((25,), outputs=2, dropout=0.2)
    rows, loss = training.up_to_symmetry, training.cross_entropy(y)
    return training.watched(model, X, train, rows, loss, 3)


def test_train_classifier__shows_each_sample_once_an_epoch(student):
    """shows every configuration once in each epoch, shuffled anew, in an order that depends on the
    generator alone"""
    first = _noted(student)
    first.shows_each_sample_once()
    first.makes_new_batches()
    first.is_ordered_like(_noted(student, state=2))
    first.is_not_ordered_like(_noted(student, seed=4))


def test_train_classifier__makes_a_step_with_each_batch(student):
    """makes one step with each batch, by its own gradient, in training mode all the time"""
    noted = _noted(student)
    noted.trains_in_training_mode()
    noted.steps_once_a_batch()
    noted.clears_gradients()
    noted.follows_the_loss("cross-entropy of its logits")


def test_train_classifier__reports_the_mean_loss(student):
    """returns for each epoch the mean cross-entropy of its configurations, and leaves the model in
    evaluation mode"""
    noted = _noted(student)
    noted.reports_the_mean_loss()
    noted.ends_in_evaluation_mode()


# ---------------------------------------------------------------- critical_temperature


def test_critical_temperature__interpolates(student):
    """is 2.25 for p = 0.1, 0.4, 0.8 at T = 2.0, 2.2, 2.4"""
    T, p = np.array([2.0, 2.2, 2.4]), np.array([0.1, 0.4, 0.8])
    close(one(student.critical_temperature(T, p)), 2.25, SINGLE)


def test_critical_temperature__knows_a_crossing_on_a_temperature(student):
    """is 2.2 where p is ½ there, the first temperature where p is ½ there, and looks for the
    crossing, not at the size of p"""
    T = np.array([2.0, 2.2, 2.4])
    close(one(student.critical_temperature(T, np.array([0.1, 0.5, 0.8]))), 2.2, SINGLE)
    close(one(student.critical_temperature(T, np.array([0.5, 0.6, 0.8]))), 2.0, SINGLE)
    p = np.array([0.3, 0.1, 0.9])
    close(one(student.critical_temperature(T, p)), 2.3, SINGLE)
    close(one(student.critical_temperature(T, np.array([0.1, 0.2, 0.5]))), 2.4, SINGLE)
    p = np.array([0.1, 0.495, 0.51])
    close(one(student.critical_temperature(T, p)), 2.2 + 0.2 / 3, SINGLE)


def test_critical_temperature__takes_any_distances(student):
    """is 3 for p = 0.1, 0.3, 0.7 at T = 1, 2, 4, and leaves both arrays"""
    T, p = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.3, 0.7])
    kept = [student.keep(one) for one in (T, p)]
    close(one(student.critical_temperature(*kept)), 3.0, SINGLE)
    unchanged(student.value(kept[0]), T, "temperatures")
    unchanged(student.value(kept[1]), p, "p_disordered")


def test_critical_temperature__refuses(student):
    """raises ValueError where p never reaches ½, or is above it everywhere"""
    T, p = np.array([2.0, 2.2, 2.4]), np.array([0.1, 0.2, 0.3])
    refuses(lambda: student.critical_temperature(T, p))
    refuses(lambda: student.critical_temperature(T, 1 - p))
