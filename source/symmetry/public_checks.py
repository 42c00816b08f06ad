"""Public checks of symmetry: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import (
    SINGLE,
    CheckFailed,
    array,
    attribute,
    close,
    holds,
    number,
    tensor,
    unchanged,
)
from coursekit import training as watching
from coursekit.networks import drawn

SET = torch.tensor([[[1.0], [2.0], [6.0]]])
TETRAHEDRON = torch.tensor([[[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]]) / 8**0.5
QUARTER_TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_pool__puts_a_set_together(student):
    """gives the sum 9, the mean 3 and the maximum 6 of the set {1, 2, 6}, with a graph"""
    kept = student.keep(SET.clone().requires_grad_())
    for kind, expected in (("sum", 9.0), ("mean", 3.0), ("max", 6.0)):
        close(student.pool(SET, kind=kind), torch.tensor([[expected]]), SINGLE)
        (slope,) = student.gradients(student.keeping("pool", kept, None, kind), kept)
        holds(slope is not None, f"the {kind} has lost its graph: nothing can be trained")


def test_pool__ignores_the_padding(student):
    """gives the sum 3, the mean 1.5 and the maximum 2 where the mask drops the 6"""
    mask = torch.tensor([[True, True, False]])
    for kind, expected in (("sum", 3.0), ("mean", 1.5), ("max", 2.0)):
        close(student.pool(SET, mask, kind), torch.tensor([[expected]]), SINGLE)


def test_pool__is_zero_where_nothing_counts(student):
    """gives zero where no element counts"""
    mask = torch.tensor([[False, False, False]])
    for kind in ("sum", "mean", "max"):
        close(student.pool(SET, mask, kind), torch.tensor([[0.0]]), SINGLE)


def test_pool__takes_sets_of_several_sizes(student):
    """gives each of two sets its own sum, mean and maximum, in its own dtype, with the sum as the
    kind that is meant if none is given"""
    features = torch.tensor([[[-5.0, 4.0], [90.0, 90.0], [-3.0, 2.0]], [[5, -2], [7, 0], [1, 1]]])
    features = features.double()
    mask = torch.tensor([[True, False, True], [True, True, True]])
    expected = {
        "sum": [[-8.0, 6.0], [13.0, -1.0]],
        "mean": [[-4.0, 3.0], [13 / 3, -1 / 3]],
        "max": [[-3.0, 4.0], [7.0, 1.0]],
    }
    for kind, values in expected.items():
        kept = student.keep(features)
        pooled = student.pool(kept, mask, kind)
        close(pooled, torch.tensor(values), SINGLE)
        holds(pooled.dtype == torch.float64, "the result should have the dtype of the features")
        unchanged(student.value(kept), features, "features")
        close(student.pool(features[:, :0], kind=kind), torch.zeros(2, 2))
    close(student.pool(features, mask), torch.tensor(expected["sum"]), SINGLE)


def test_pool__takes_the_largest_below_zero(student):
    """gives the largest of −1e8 and −2e8, whatever stands in the padding"""
    far = torch.tensor([[[-1e8], [-2e8], [5.0]]])
    mask = torch.tensor([[True, True, False]])
    close(student.pool(far, mask, "max"), torch.tensor([[-1e8]]), SINGLE)


def test_deep_sets__gives_a_row_for_each_set(student):
    """gives one row of out_dim numbers for each set, of whatever size, and learns with every
    weight"""
    student.reseed(1)
    model, other = (student.DeepSets(in_dim=3, hidden=8, out_dim=2) for _ in range(2))
    for size in (1, 4):
        tensor(model(_like(model, torch.ones(5, size, 3))), (5, 2))
    _learns(student, model, other, torch.ones(5, 4, 3))


def test_deep_sets__forgets_the_order_and_not_the_set(student):
    """gives {1, 2, 6} one output in any order, and {1, 1} another than {1}"""
    model = _drawn(student.DeepSets(), torch.ones(1, 3))
    orders = _like(model, torch.tensor([[1.0, 2.0, 6.0], [6.0, 1.0, 2.0]]))
    one, other = tensor(model(orders), (2, 1))
    close(other, one, SINGLE)
    once, twice = (tensor(model(_like(model, torch.ones(1, n))), (1, 1)) for n in (1, 2))
    holds(bool(abs(once - twice) > SINGLE.tiny), "{1} and {1, 1} give the same output")


def test_deep_sets__looks_at_elements_before_it_pools(student):
    """tells {−1, 5} from {2, 2}, whose sums are equal, and is more than a sum afterwards"""
    model = _drawn(student.DeepSets(), torch.ones(1, 3))
    sets = _like(model, torch.tensor([[-1.0, 5.0], [2.0, 2.0]]))
    one, other = tensor(model(sets), (2, 1))
    holds(bool(abs(one - other) > SINGLE.tiny), "{−1, 5} and {2, 2} give the same output")
    alone = tensor(model(_like(model, torch.tensor([[-1.0], [2.0], [5.0]]))), (3, 1))
    extra = (one - alone[0] - alone[2]) - (other - 2 * alone[1])
    holds(bool(abs(extra) > SINGLE.tiny), "{a, b} gives nothing but what {a} and {b} give")


def test_deep_sets__pools_as_it_is_told(student):
    """gives {1, 2} and {1, 2, 1, 2} one output for "mean", {1, 2} and {1, 2, 2} for "max" """
    for pooling, other in (("mean", [1.0, 2.0, 1.0, 2.0]), ("max", [1.0, 2.0, 2.0])):
        model = _drawn(student.DeepSets(pooling=pooling), torch.ones(1, 3))
        one, same, more = (
            tensor(model(_like(model, torch.tensor([some]))), (1, 1))
            for some in ([1.0, 2.0], other, [1.0, 2.0, 4.0])
        )
        close(same, one, SINGLE)
        holds(bool(abs(more - one) > SINGLE.tiny), f"{pooling} does not see a third element")


def test_naive_mlp__depends_on_the_order(student):
    """gives one number for each row, another one when the inputs change places"""
    model = _drawn(student.NaiveMLP(3), torch.ones(1, 3))
    rows = tensor(model(_like(model, torch.tensor([[1.0, 1.5, 2.0], [1.5, 1.0, 2.0]]))), (2, 1))
    holds(bool(abs(rows[0] - rows[1]) > SINGLE.tiny), "the order should make a difference")


def test_naive_mlp__is_no_straight_line(student):
    """is no straight line, and gives a row alone what it has among others"""
    model = _drawn(student.NaiveMLP(3), torch.ones(1, 3))
    # Without biases tanh is odd and ReLUs are straight on either side: neither is both.
    x = torch.tensor([[-1.0], [0.0], [1.0], [2.0]]) * torch.tensor([100.0, -150.0, 200.0])
    found = tensor(model(_like(model, x)), (4, 1))[:, 0]
    bend = np.abs(np.diff(found, n=2)).max()
    holds(bool(bend > 1e-3 * np.ptp(found)), "the network is a straight line")
    close(model(_like(model, x[:1])), torch.tensor([[float(found[0])]]), SINGLE)


def test_naive_mlp__has_161_parameters(student):
    """has 161 parameters for three inputs, 225 for five: one hidden layer of 32 units"""
    for n_inputs, expected in ((3, 161), (5, 225)):
        model = student.NaiveMLP(n_inputs)
        tensor(model(_like(model, torch.ones(1, n_inputs))), (1, 1))
        found = sum(weights.numel() for weights in model.parameters())
        holds(
            found == expected, f"{n_inputs} inputs should make {expected} parameters, not {found}"
        )


def test_naive_mlp__ends_with_a_linear_layer(student):
    """has an output that rises with its own bias, one to one, and that every weight has a part
    in"""
    student.reseed(1)
    model = student.NaiveMLP(3)
    x = _like(model, torch.tensor([[1.0, -1.5, 2.0], [-1.0, 1.5, -2.0]]))
    tensor(model(x), (2, 1))  # lazy layers have their weights from now on
    slopes = student.gradients(student.keeping(model, x), model)
    learns = all(slope is not None for slope in slopes)
    holds(learns, "some weights have no effect on the output, or the graph is lost")
    (bias,) = [number(slope) for slope in slopes if slope.numel() == 1] or [0.0]
    holds(abs(bias / 2 - 1) < 1e-3, "the last layer has no bias, or something follows it")


def test_invariance_error__is_zero_for_an_even_function(student):
    """is 0 for f(x) = x² and 6 for f(x) = x, at x = 3, if T x = −x"""
    T, x = student.field("polynomial", coefficients=[0.0, -1.0]), torch.tensor([[0.5], [3.0]])
    for coefficients, expected in (([0.0, 0.0, 1.0], 0.0), ([0.0, 1.0], 6.0)):
        f = student.field("polynomial", coefficients=coefficients)
        close(number(student.invariance_error(f, x, T)), expected, SINGLE)


def test_invariance_error__is_the_largest_of_all_entries(student):
    """is 6 for f(x) = x and T x = −x where x has several rows and columns, the largest of them 3"""
    T, f = (student.field("polynomial", coefficients=[0.0, slope]) for slope in (-1.0, 1.0))
    x = torch.tensor([[0.5, 3.0], [2.0, -1.0]])
    close(number(student.invariance_error(f, x, T)), 6.0, SINGLE)


def test_equivariance_error__is_zero_for_an_odd_function(student):
    """is 0 for f(x) = x³ if T turns the signs of both, and 16, at x = 2, if it leaves y alone; the
    largest of all entries"""
    f = student.field("polynomial", coefficients=[0.0, 0.0, 0.0, 1.0])
    mirror = student.field("polynomial", coefficients=[0.0, -1.0])
    still = student.field("polynomial", coefficients=[0.0, 1.0])
    for x in (torch.tensor([[2.0]]), torch.tensor([[2.0], [1.0]]), torch.tensor([[1.5, 2.0]])):
        for T_out, expected in ((mirror, 0.0), (still, 16.0)):
            close(number(student.equivariance_error(f, x, mirror, T_out)), expected, SINGLE)


def test_equivariance_error__has_two_transformations(student):
    """is 0 for f(x) = x³ if x is doubled and f(x) made eight times as large, and 8 if f(x) is made
    nine times as large, at x = −2"""
    f = student.field("polynomial", coefficients=[0.0, 0.0, 0.0, 1.0])
    twice = student.field("polynomial", coefficients=[0.0, 2.0])
    x = torch.tensor([[-2.0], [1.0]])
    for factor, expected in ((8.0, 0.0), (9.0, 8.0)):
        T_out = student.field("polynomial", coefficients=[0.0, factor])
        close(number(student.equivariance_error(f, x, twice, T_out)), expected, SINGLE)


def test_random_rotation__is_a_rotation(student):
    """is orthogonal and has determinant +1"""
    for seed in range(8):
        R = array(student.random_rotation(np.random.default_rng(seed)), (3, 3))
        close(R @ R.T, np.eye(3), SINGLE)
        holds(bool(np.linalg.det(R) > 0), "this one is a mirror: det R = −1")


def test_random_rotation__prefers_no_direction(student):
    """has entries with the mean 0, the mean square 1/3 and the mean fourth power 1/5, each of them
    and all nine together"""
    rng = student.keep(np.random.default_rng(5))
    found = np.array([array(student.random_rotation(rng), (3, 3)) for _ in range(600)])
    for power, expected, error in ((1, 0.0, 0.024), (2, 1 / 3, 0.012), (4, 1 / 5, 0.011)):
        off = np.abs((found**power).mean(axis=0) - expected).max() / error
        what = {1: "mean", 2: "mean square", 4: "mean fourth power"}[power]
        words = f"the {what} of some entry is {off:.0f} standard errors away"
        holds(bool(off < 5), words)
    off = abs((found**4).sum(axis=(1, 2)).mean() - 9 / 5) / 0.0164
    words = f"the fourth powers of all nine entries are {off:.0f} standard errors away from 9/5"
    holds(bool(off < 5), words)


def test_random_rotation__repeats_a_seed(student):
    """gives the same rotation for the same seed, another one for another"""
    student.reseed(1)
    one, same, other = (
        array(student.random_rotation(np.random.default_rng(seed)), (3, 3)) for seed in (7, 7, 8)
    )
    close(same, one, SINGLE)
    holds(bool(np.abs(other - one).max() > SINGLE.relative), "every seed gives the same rotation")


def test_cluster_energy_model__has_the_symmetries_of_an_energy(student):
    """gives four atoms one energy wherever they are, however they are turned, mirrored and
    numbered, alone and among others, and a larger cluster another"""
    cosine, sine = 0.8, 0.6
    turn = torch.tensor([[1.0, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    turn = turn @ torch.tensor(QUARTER_TURN).float()
    atoms = 1.3 * TETRAHEDRON + torch.tensor([[0.3, 0, 0], [0, 0.1, 0], [0, 0, -0.4], [0, 0, 0]])
    others = {
        "shifted": atoms + torch.tensor([1.0, -2.0, 0.5]),
        "turned": atoms @ turn.T,
        "mirrored": atoms * torch.tensor([-1.0, 1.0, 1.0]),
        "renumbered": atoms[:, [2, 0, 3, 1]],
    }
    clusters = torch.cat([atoms, *others.values(), 1.5 * atoms])
    for seed in (1, 2):  # in one network two energies may be equal by chance
        model = _drawn(student.ClusterEnergyModel(hidden=8), TETRAHEDRON, seed)
        one, *same, larger = tensor(model(_like(model, clusters)), (6,)).astype(float)
        far = abs(larger - one)
        holds(far > SINGLE.tiny, "a larger cluster has the same energy")
        near = max(1e-3 * far, 1e-5 * abs(one))  # rounding, where the two happen to be alike
        for energy, what in zip(same, others, strict=True):
            holds(abs(energy - one) < near, f"a cluster that is {what} has another energy")
        alone = tensor(model(_like(model, atoms)), (1,)).astype(float)[0]
        holds(abs(alone - one) < near, "a cluster has another energy alone than among others")


def test_cluster_energy_model__adds_up(student):
    """gives two, three and four atoms with the same distances three energies, and divides by no
    number of theirs"""
    model = _drawn(student.ClusterEnergyModel(hidden=8), TETRAHEDRON)
    energies = [
        tensor(model(_like(model, TETRAHEDRON[:, :n])), (1,)).astype(float)[0] for n in (2, 3, 4)
    ]
    far = min(abs(energies[0] - energies[1]), abs(energies[1] - energies[2]))
    holds(bool(far > SINGLE.tiny), "two sizes have the same energy: is it a mean over the pairs?")
    # Two pairs around one centre, of which one turns.
    angles = torch.tensor([0.6, 1.5])
    four = torch.zeros(2, 4, 3)
    four[:, 0, 0], four[:, 2, 0], four[:, 2, 1] = 0.8, 1.1 * angles.cos(), 1.1 * angles.sin()
    four[:, 1], four[:, 3] = -four[:, 0], -four[:, 2]
    one, other = tensor(model(_like(model, four)), (2,)).astype(float)
    words = "atoms come nearer to each other, and only how far they are from the middle counts"
    holds(bool(abs(other - one) > 1e-4 * abs(one)), words)
    # Triangles of which one side grows, twice, and that side alone.
    side, corners = torch.tensor([1.0, 1.2, 1.5, 1.8]), torch.zeros(4, 3, 3)
    corners[:, 1, 0], corners[:, 2, 0] = side, side / 2
    corners[:, 2, 1] = (2.56 - side**2 / 4).sqrt()
    three, two = (
        np.diff(tensor(model(_like(model, corners[:, :n])), (4,)).astype(float))[::2]
        for n in (3, 2)
    )
    share = float(three @ two) / max(float(two @ two), SINGLE.tiny**2)
    divided = abs(share - 1) > 0.03 and bool((abs(three - share * two) < 3e-3 * abs(two)).all())
    words = "a pair counts less among three atoms than alone: is the sum divided by a number?"
    holds(not divided, words)


def test_cluster_energy_model__has_a_slope(student):
    """has an energy that falls along its own forces as they say"""
    model = _drawn(student.ClusterEnergyModel(hidden=8), TETRAHEDRON)
    x = _like(model, 1.2 * TETRAHEDRON + 0.1 * torch.eye(4, 3))
    found = tensor(student.forces(model, x), (1, 4, 3))
    size = np.linalg.norm(found)
    holds(bool(size > 0), "there are no forces: does the energy depend on the positions?")
    step = _like(model, torch.tensor(0.01 * found / size))
    fall = tensor(model(x - step), (1,)) - tensor(model(x + step), (1,))
    right = abs(fall[0] / 0.02 - size) < 0.1 * size
    holds(bool(right), "forces are not minus the slope of the model's own energy")


def test_cluster_energy_model__takes_a_single_atom(student):
    """gives a single atom the same energy wherever it is"""
    student.reseed(1)
    model = student.ClusterEnergyModel(hidden=8)
    tensor(model(_like(model, TETRAHEDRON)), (1,))  # lazy layers have their weights from now on
    one, other = tensor(model(_like(model, torch.tensor([[[1.0, 2, 3]], [[-1.0, 0, 2]]]))), (2,))
    close(other, one, SINGLE)


def test_cluster_energy_model__has_the_width_asked_for(student):
    """has more parameters the larger hidden is, which is 32 if nothing is said, and learns with
    every one of them"""
    sizes = []
    for arguments in ({"hidden": 8}, {"hidden": 32}, {}):
        model = student.ClusterEnergyModel(**arguments)
        model(_like(model, TETRAHEDRON))
        sizes.append(sum(weights.numel() for weights in model.parameters()))
    _learns(student, model, student.ClusterEnergyModel(), TETRAHEDRON)
    holds(sizes[0] < sizes[1], "hidden makes no difference to the number of parameters")
    holds(sizes[1] == sizes[2], "hidden is not 32 where nothing is said")


def test_cluster_energy_model__gives_the_forces_of_a_network(student):
    """forces gives what autograd gives of a network in float32, where small steps are noise"""
    model = student.field("pair_network")
    x = TETRAHEDRON + 0.2 * torch.eye(4, 3)
    kept = student.keep(x.clone().requires_grad_())
    (slopes,) = student.gradients(student.keeping(model, kept), kept)
    expected = -tensor(slopes, (1, 4, 3))
    size = np.abs(expected).max()
    close(tensor(student.forces(model, x), (1, 4, 3)) / size, expected / size, SINGLE)


def test_cluster_energy_model__gives_minus_the_gradient(student):
    """forces gives minus the slope: two atoms with the energy exp(−d²) repel, at d = 1 and, in
    another cluster, at d = 2; it leaves the positions without a gradient"""
    pairs = torch.tensor([[[0.0, 0, 0], [1.0, 0, 0]], [[0.0, 0, 0], [0, 2.0, 0]]])
    near, far = 2 * np.exp(-1.0), 4 * np.exp(-4.0)
    expected = torch.tensor([[[-near, 0, 0], [near, 0, 0]], [[0, -far, 0], [0, far, 0]]])
    kept = student.keep(pairs)
    close(student.forces(student.field("pair_energy"), kept), expected, SINGLE)
    holds(attribute(kept, "requires_grad") is False, "the positions require gradients afterwards")
    own = student.keep(pairs.requires_grad_())
    student.forces(student.field("pair_energy"), own)
    holds(attribute(own, "grad") is None, "the positions have a .grad afterwards")


def test_cluster_energy_model__is_smooth(student):
    """has an energy whose slope does not jump, at any distance of a pair"""
    for seed in range(3):
        model = _drawn(student.ClusterEnergyModel(), TETRAHEDRON, seed)
        distances = torch.linspace(0.9, 3.5, 261)
        pairs = torch.zeros(261, 2, 3)
        pairs[:, 1, 0] = distances
        model.double()
        energies = tensor(model(pairs.double()), (261,)).astype(float)
        bends = np.abs(np.diff(energies, 2))
        # Where it is smooth a bend is like its neighbours; a corner or a jump stands alone.
        alone = bends[1:-1] - 2 * (bends[:-2] + bends[2:])
        holds(bool(alone.max() < 1e-3 * np.ptp(energies)), "the slope of the energy jumps")


def test_train_energy_model__returns_its_losses(student):
    """returns the losses of the epochs, and they fall, and do not stand still far from zero"""
    model, positions, energies = _few_clusters(student)
    history = student.train_energy_model(
        model, positions, energies, epochs=200, generator=torch.Generator().manual_seed(1)
    )
    holds(isinstance(history, (list, tuple)) and len(history) > 0, "should return the losses")
    losses = [number(loss) for loss in history]
    later = losses[1:]  # none, where all is one step of the optimiser
    holds(not later or min(later) < losses[0], "the loss does not fall")
    stuck = len(later) > 5 and len(set(losses[-5:])) == 1 and losses[-1] > 0.01 * losses[0]
    words = "the loss stands still far from zero: may a line search (max_eval) try only one step?"
    holds(not stuck, words)


def test_train_energy_model__changes_the_model(student):
    """trains the very model that it is given, and leaves the data and the dtype as they are"""
    model, positions, energies = _few_clusters(student)
    before = tensor(model(positions), (12,))
    kept = student.keep(positions), student.keep(energies)
    student.train_energy_model(model, *kept, epochs=30, generator=torch.Generator().manual_seed(1))
    after = tensor(model(_like(model, positions)), (12,))
    wanted = energies.numpy()
    holds(
        bool(np.mean((after - wanted) ** 2) < np.mean((before - wanted) ** 2)),
        "the model should be closer to the energies than before",
    )
    for one, values in zip(kept, (positions, energies), strict=True):
        close(student.value(one), values, SINGLE)
    model, positions, energies = _few_clusters(student, dropout=0.5)
    dtype = next(iter(model.parameters())).dtype
    student.train_energy_model(
        model, positions, energies, epochs=2, generator=torch.Generator().manual_seed(1)
    )
    same = next(iter(model.parameters())).dtype == dtype
    holds(same, "the weights have another dtype after the training than before")
    once, again = (tensor(model(positions), (12,)) for _ in range(2))
    holds(bool(np.array_equal(once, again)), "two calls differ: the model is in training mode")


def test_train_energy_model__repeats_a_seed(student):
    """teaches the same model the same from the same seed"""
    found = []
    for state in range(2):
        student.reseed(state)
        model, positions, energies = _few_clusters(student)
        student.train_energy_model(
            model, positions, energies, epochs=5, generator=torch.Generator().manual_seed(1)
        )
        found.append(tensor(model(_like(model, positions)), (12,)))
    close(found[1], found[0], SINGLE)


def test_train_energy_model__tells_clusters_apart(student):
    """gives more energy to clusters that have more: what it learns is not their mean alone"""
    model, positions, _ = _few_clusters(student)
    energies = _like(model, 6 * (torch.linspace(0.95, 2.0, 12) - 1.5))
    wanted = energies.numpy() - energies.numpy().mean()

    def follows():
        return float(tensor(model(_like(model, positions)), (12,)) @ wanted / (wanted @ wanted))

    before = follows()  # energies that grow with the cluster, as an untrained one's do a little
    student.train_energy_model(
        model, positions, energies, epochs=200, generator=torch.Generator().manual_seed(1)
    )
    words = "clusters of high and of low energy are told apart no better than before"
    holds(follows() > before, words)


def _noted(student):
    """What a small network, made for clusters, notes of its training: without dropout, since
    L-BFGS wants the same loss of the same weights."""
    draw = np.random.default_rng(2)
    positions = watching.clusters(draw, 150)
    energies = draw.normal(size=150)
    energies = (energies - energies.mean()) / energies.std()  # who standardises changes nothing

    def train(model, epochs):
        data = (torch.tensor(values, dtype=torch.float32) for values in (positions, energies))
        generator = torch.Generator().manual_seed(3)
        return student.train_energy_model(model, *data, epochs=epochs, generator=generator)

    model, loss = student.witness((4, 3)), watching.squared_error(energies)
    return watching.watched(model, positions, train, watching.up_to_motion, loss, 4, mode=True)


def test_train_energy_model__learns_in_training_mode(student):
    """learns with every layer, in training mode from the first step to the last, each step with its
    own gradient"""
    noted = _noted(student)
    noted.moves_every_layer()
    noted.trains_in_training_mode()
    noted.clears_gradients()


def test_train_energy_model__shows_each_cluster_once_an_epoch(student):
    """shows every cluster once in each epoch, in new batches if there are any, and takes a step
    with each"""
    noted = _noted(student)
    noted.shows_each_sample_once()
    noted.shuffles_again()
    noted.steps_once_a_batch()


def test_train_energy_model__returns_the_mean_loss_of_every_epoch(student):
    """returns for every epoch a mean over its clusters: no sum, and not the last batch alone"""
    _noted(student).reports_the_mean_loss(any_loss=True)


def _drawn(model, example, seed=1):
    """The network with drawn weights: with which ones it begins is its own matter."""
    return drawn(model, _like(model, example), seed)


def _learns(student, model, other, x):
    """Every weight has a part in the output, and there are no others."""
    model, other = (_drawn(one, x, seed) for seed, one in enumerate((model, other)))
    x = _like(model, x)
    slopes = student.gradients(student.keeping(model, x), model)
    learns = all(slope is not None for slope in slopes)
    holds(learns, "some weights have no effect on the output, or the graph is lost")
    other.load_state_dict(dict(model.state_dict()))
    found = []
    for one in (model, other):
        one.eval()
        found.append(tensor(one(x)))
    words = "two networks with the same weights differ: are all layers attributes of self?"
    holds(np.allclose(*found, rtol=1e-4), words)


def _like(model, values):
    """In the dtype of the model's weights; layers that wait for their first call have none yet."""
    try:
        weights = list(model.parameters())
    except CheckFailed:
        weights = []
    return values.to(weights[0].dtype if weights else torch.float32)


def _few_clusters(student, **params):
    """An untrained model, twelve tetrahedra and their energies."""
    model = student.field("pair_network", **params)
    edges = torch.linspace(0.95, 2.0, 12).reshape(-1, 1, 1)
    attraction = edges.flatten() ** -6
    energies = 6 * 4 * (attraction**2 - attraction)
    return model, _like(model, edges * TETRAHEDRON), _like(model, energies)
