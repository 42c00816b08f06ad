"""Public checks of lennard_jones: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import (
    SINGLE,
    StudentError,
    array,
    attribute,
    close,
    holds,
    number,
    tensor,
    training,
    unchanged,
    within,
)
from coursekit.networks import drawn

R_MIN = 2 ** (1 / 6)
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * R_MIN / 8**0.5


def test_lj_potential__has_its_minimum_where_it_should(student):
    """is −ε at 2^(1/6) σ and zero at σ"""
    close(student.lj_potential(R_MIN), -1.0, SINGLE)
    close(student.lj_potential(np.array([1.0, R_MIN])), np.array([0.0, -1.0]), SINGLE)


def test_lj_potential__takes_arrays(student):
    """gives an array for an array, near and far, and leaves it as it was"""
    for r, expected in (
        ([[1.0], [R_MIN]], [[0.0], [-1.0]]),
        ([[0.4], [0.5]], [[4 * (2.5**12 - 2.5**6)], [4.0 * (2**12 - 2**6)]]),
        ([[4.0], [2.0]], [[4 * (4.0**-12 - 4.0**-6)], [-63 / 1024]]),
    ):
        kept = student.keep(np.array(r))
        close(student.lj_potential(kept), np.array(expected), SINGLE)
        unchanged(student.value(kept), np.array(r), "r", SINGLE)


def test_lj_potential__scales_with_epsilon_and_sigma(student):
    """takes its depth from epsilon and its length from sigma"""
    close(student.lj_potential(2 * R_MIN, 3.0, 2.0), -3.0, SINGLE)


def test_lj_force__is_minus_the_slope_of_the_potential(student):
    """is minus the slope of the potential"""
    close(student.lj_force(1.0), 24.0, SINGLE)
    close(student.lj_force(2.0), -93 / 512, SINGLE)


def test_lj_force__takes_arrays(student):
    """gives an array for an array, near and far, and leaves it as it was"""
    for r, expected in (
        ([[1.0], [R_MIN]], [[24.0], [0.0]]),
        ([[0.5], [0.45]], [[48 * (2**13 - 2**6)], [1540535.3377972103]]),
        ([[4.0], [5.0]], [[-6 * (4.0**-6 - 2 * 4.0**-12)], [-0.00030716067840000014]]),
    ):
        kept = student.keep(np.array(r))
        close(student.lj_force(kept), np.array(expected), SINGLE)
        unchanged(student.value(kept), np.array(r), "r", SINGLE)


def test_lj_force__is_exact(student):
    """is exact to rounding close to the minimum too, where small steps are not"""
    r = np.array([1.1224, 1.1225])
    expected = np.array([0.0035478986277992, -0.00216803412222395])
    force = array(student.lj_force(r), (2,))
    off = float(np.abs(force - expected).max())
    single = np.array_equal(force, force.astype(np.float32))  # computed in it
    enough = 1e-4 if single else 1e-10
    holds(
        off < enough, f"lj_force is off by {off:.1e}; exact to rounding is less than {enough:.0e}"
    )


def test_lj_force__scales_with_epsilon_and_sigma(student):
    """is measured in epsilon / sigma"""
    close(student.lj_force(4.0, 3.0, 2.0), -279 / 1024, SINGLE)


def test_pairwise_distances__finds_every_pair_once(student):
    """finds the three sides of a triangle, smallest first"""
    triangle = np.array([[0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [3.0, 0.0, 0.0]])
    close(student.pairwise_distances(triangle), np.array([3.0, 4.0, 5.0]), SINGLE)


def test_pairwise_distances__takes_any_cluster(student):
    """finds the ten distances of a square with two atoms in one corner, equal ones too and the one
    that is 0, and the one of two atoms, far apart too; leaves the atoms where they are"""
    square = np.array([[0.0, 1.0, 0.0], [2.0, 1.0, 0.0], [2.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    five = np.concatenate([square, square[:1]])
    kept = student.keep(five)
    close(student.pairwise_distances(kept), np.array([0.0] + 6 * [2.0] + 3 * [8**0.5]), SINGLE)
    unchanged(student.value(kept), five, "positions", SINGLE)
    for far in (1.0, 50.0):
        close(student.pairwise_distances(far * square[:2]), np.array([2.0 * far]), SINGLE)


def test_pairwise_distances__has_none_for_one_atom(student):
    """is empty for a single atom"""
    array(student.pairwise_distances(np.zeros((1, 3))), (0,))


def test_cluster_energy__counts_full_bonds(student):
    """is −1, −3 and −6 for the best pair, triangle and tetrahedron"""
    for n_atoms, energy in ((2, -1.0), (3, -3.0), (4, -6.0)):
        kept = student.keep(TETRAHEDRON[:n_atoms])
        close(student.cluster_energy(kept), energy, SINGLE)
        unchanged(student.value(kept), TETRAHEDRON[:n_atoms], "positions", SINGLE)


def test_cluster_energy__is_zero_for_one_atom(student):
    """is zero for a single atom, and counts distant pairs too, close ones and those of six atoms"""
    close(student.cluster_energy(np.ones((1, 3))), 0.0, SINGLE)
    chain = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    close(student.cluster_energy(chain), -63 / 512 + 4 * (4.0**-12 - 4.0**-6), SINGLE)
    close(student.cluster_energy(chain[:2] / 8), 4.0 * (2**12 - 2**6), SINGLE)
    octahedron = np.concatenate([np.eye(3), -np.eye(3)]) * R_MIN / 2**0.5
    close(student.cluster_energy(octahedron), -12 - 45 / 64, SINGLE)  # 12 edges, 3 diagonals


def test_cluster_energy__hands_epsilon_and_sigma_on(student):
    """hands epsilon and sigma on"""
    close(student.cluster_energy(2 * TETRAHEDRON[:3], 5.0, 2.0), -15.0, SINGLE)


def test_cluster_forces__pushes_a_close_pair_apart(student):
    """pushes two atoms at distance σ apart, each with 24 ε/σ"""
    pair = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    expected = np.array([[-24.0, 0.0, 0.0], [24.0, 0.0, 0.0]])
    close(student.cluster_forces(pair), expected, SINGLE)


def test_cluster_forces__adds_up_the_pairs(student):
    """adds up what all others do: the middle one of three feels nothing, the outer ones do"""
    chain = np.array([[2.0, 0.5, 0.0], [3.0, 0.5, 0.0], [4.0, 0.5, 0.0]])
    outer = 24.0 - 93 / 512
    expected = np.array([[-outer, 0.0, 0.0], [0.0, 0.0, 0.0], [outer, 0.0, 0.0]])
    kept = student.keep(chain)
    close(student.cluster_forces(kept), expected, SINGLE)
    unchanged(student.value(kept), chain, "positions", SINGLE)
    close(student.cluster_forces(np.ones((1, 3))), np.zeros((1, 3)), SINGLE)


def test_cluster_forces__point_along_the_pair(student):
    """shares a pair's force out along the line that joins it, exact to rounding, also where two
    other atoms are so close that small steps of all the energy lose its digits"""
    arrow = np.array([0.6, 0.0, 0.8])
    others = [[100.0, 0.0, 0.0], [100.0, 0.5, 0.0], [0.0, 100.0, 0.0]]
    forces = array(student.cluster_forces(np.array([*others, 0.0 * arrow, 1.1225 * arrow])), (5, 3))
    expected = np.outer([-1, 1], -0.00216803412222395 * arrow)
    off = float(np.abs(forces[3:] - expected).max())
    enough = 1e-10 if forces.dtype == np.float64 else 1e-4
    text = f"an entry is off by {off:.1e}; exact to rounding is less than {enough:.0e}"
    holds(off < enough, text)


def test_cluster_forces__takes_any_cluster(student):
    """is minus the slope of the energy for four atoms that have no symmetry, and for two far
    apart"""
    atoms = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.25, 0.0], [1.0, 1.0, 0.5]])
    expected = [
        [-23.22798078, 3.16635611, 0.38600961],
        [23.50954371, 0.37714076, -0.11796480],
        [1.42399818, -3.24079273, 0.46677095],
        [-1.70556112, -0.30270415, -0.73481576],
    ]
    close(student.cluster_forces(atoms), np.array(expected), SINGLE)
    pair, size = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]]), 6 * (4.0**-6 - 2 * 4.0**-12)
    close(student.cluster_forces(pair), np.array([[size, 0.0, 0.0], [-size, 0.0, 0.0]]), SINGLE)


def test_cluster_forces__hands_epsilon_and_sigma_on(student):
    """hands epsilon and sigma on"""
    pair = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    expected = np.array([[279.0, 0.0, 0.0], [-279.0, 0.0, 0.0]]) / 1024
    close(student.cluster_forces(pair, 3.0, 2.0), expected, SINGLE)


def test_sample_clusters__gives_what_was_asked_for(student):
    """gives n_samples clusters in which no pair is closer than min_distance"""
    clusters = array(student.sample_clusters(20, 3, 1.2, np.random.default_rng(7)), (20, 3, 3))
    for first, second in ((0, 1), (0, 2), (1, 2)):
        distances = np.linalg.norm(clusters[:, first] - clusters[:, second], axis=1)
        nearest = distances.min() + SINGLE.relative
        holds(bool(nearest >= 1.2), "some pair is closer than min_distance")


def test_sample_clusters__repeats_a_seed(student):
    """gives the same clusters for the same seed, others for another, and none twice"""
    student.reseed(1)
    first, second = (student.sample_clusters(5, 3, 0.9, np.random.default_rng(7)) for _ in "12")
    close(second, array(first), SINGLE)
    other = student.sample_clusters(5, 3, 0.9, np.random.default_rng(8))
    holds(not np.array_equal(first, other), "another seed gives the same clusters: is rng used?")
    words = "some coordinates come again, in another cluster or with another sign"
    holds(len(np.unique(np.abs([first, other]))) == 90, words)


def test_sample_clusters__spreads_by_scale(student):
    """draws coordinates with mean 0 and standard deviation scale, 0.8 if none is given"""
    for scale in (None, 1.7):
        extra = () if scale is None else (scale,)
        rng = np.random.default_rng(7)
        x = array(student.sample_clusters(400, 3, 0.0, rng, *extra), (400, 3, 3)) / (scale or 0.8)
        for power, expected, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (4, 3.0, 96.0)):
            what = f"the mean of (coordinate / scale) to the power {power}"
            within(float(np.mean(x**power)), expected, (spread / x.size) ** 0.5, what=what)


def test_sample_clusters__throws_away_whole_clusters(student):
    """leaves a cluster's middle as it is drawn: clusters are thrown away, not mended"""
    clusters = array(student.sample_clusters(400, 3, 1.5, np.random.default_rng(7)), (400, 3, 3))
    middle = np.mean(clusters, axis=1) / 0.8 * 3**0.5
    what = "the mean square of the clusters' middles, beside what drawn coordinates have"
    within(float(np.mean(middle**2)), 1.0, (2 / middle.size) ** 0.5, what=what)


def test_standardise__uses_the_statistics_of_train(student):
    """gives train mean 0 and deviation 1, and test the same shift and scale"""
    train, test = np.array([[1.0, 10.0], [3.0, 50.0]]), np.array([[5.0, 10.0]])
    kept = student.keep(train)
    returned = student.standardise(kept, test)
    unchanged(student.value(kept), train, "train", SINGLE)
    holds(isinstance(returned, (tuple, list)) and len(returned) == 4, "should return four things")
    train_n, test_n, mean, std = returned
    close(train_n, np.array([[-1.0, -1.0], [1.0, 1.0]]), SINGLE)
    close(test_n, np.array([[3.0, -1.0]]), SINGLE)
    close(array(mean).reshape(-1), np.array([2.0, 30.0]), SINGLE)
    close(array(std).reshape(-1), np.array([1.0, 20.0]), SINGLE)


def test_standardise__survives_a_constant_column(student):
    """only shifts a column that is constant in train, and returns 1 for its deviation; the one
    beside it is scaled"""
    train = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 5.0], [1.0, 0.0], [1.0, 0.0]])
    test = np.array([[3.0, 5.0], [3.0, 1.0]])
    train_n, test_n, mean, std = student.standardise(train, test)
    close(train_n, np.array([[0.0, -0.5], [0, -0.5], [0, 2], [0, -0.5], [0, -0.5]]), SINGLE)
    close(test_n, np.array([[2.0, 2.0], [2.0, 0.0]]), SINGLE)
    close(array(mean).reshape(-1), np.array([1.0, 1.0]), SINGLE)
    close(array(std).reshape(-1), np.array([1.0, 2.0]), SINGLE)


def test_standardise__takes_small_numbers(student):
    """scales small numbers as it does others: nothing is added to the deviation"""
    train_n, *_ = student.standardise(np.array([[1e-10], [3e-10]]), np.zeros((1, 1)))
    close(train_n, np.array([[-1.0], [1.0]]), SINGLE)


def test_nn_potential__maps_columns_to_columns(student):
    """NNPotential maps a column of distances to a column of energies, and has the right size"""
    student.reseed(1)
    for hidden, expected in ((8, 97), (64, 4353), (None, 4353)):
        model = student.NNPotential(**({"hidden": hidden} if hidden else {}))
        tensor(model(torch.ones(5, 1)), (5, 1))
        count = sum(weights.numel() for weights in model.parameters())
        apart = any(bool((p != p.flatten()[0]).any()) for p in model.parameters())
        holds(apart, "all weights of a layer begin equal, and its units stay equal")
        words = f"hidden = {hidden}" if hidden else "NNPotential()"
        holds(count == expected, f"{words} should have {expected} parameters, has {count}")


def test_nn_potential__is_a_smooth_curve(student):
    """NNPotential is a smooth curve, no straight line and no straight pieces"""
    student.reseed(1)
    x = torch.linspace(0.9, 3.5, 100)[:, None]
    model, slopes = drawn(student.NNPotential(), x), []
    for shift in (0.0, 1e-3):
        r = student.keep((x + shift).requires_grad_())
        (slope,) = student.gradients(student.keeping(model, r), r)
        holds(slope is not None, "the network's output has no slope: its graph is lost")
        slopes.append(tensor(slope, (100, 1)).astype(float))
    holds(
        float(np.ptp(slopes[0])) > 1e-4 * np.abs(slopes[0]).max(), "the energy is a straight line"
    )
    bent = np.abs(slopes[1] - slopes[0]) > 1e-6 * np.abs(slopes[0]).max()
    holds(float(np.mean(bent)) > 0.5, "the energy is made of straight pieces")


def test_nn_potential__is_exact(student):
    """energy_and_force gives all digits of the slope, which small steps do not, and changes no r"""
    far = student.field("polynomial", coefficients=[1e4, 0.0, 0.0, 1.0])
    for gradient, dtype, limit in ((False, torch.float32, 1e-4), (True, torch.float64, 1e-10)):
        r = student.keep(torch.tensor([[1.5], [2.1]], dtype=dtype).requires_grad_(gradient))
        _, F = student.energy_and_force(far, r)
        holds(far.gradient() is None, "the .grad of the model's parameters has been filled")
        close(tensor(F, (2, 1)), np.array([[-6.75], [-13.23]]), SINGLE)
        off = float(np.abs(tensor(F) - [[-6.75], [-13.23]]).max())
        digits = f"F is off by {off:.0e}; exact to rounding, for an r in {dtype}, is less than"
        holds(off < limit, f"{digits} {limit:.0e}")
        holds(attribute(r, "requires_grad") is gradient, "r.requires_grad has changed")
        holds(attribute(r, "grad") is None, "r.grad has been filled")


def test_nn_potential__gives_minus_the_slope(student):
    """energy_and_force gives r² − 2r and 2 − 2r for a model that is r² − 2r"""
    parabola = student.field("polynomial", coefficients=[0.0, -2.0, 1.0])
    returned = student.energy_and_force(parabola, torch.tensor([[3.0], [0.5]]))
    holds(isinstance(returned, (tuple, list)) and len(returned) == 2, "should return (V, F)")
    V, F = returned
    close(tensor(V, (2, 1)), np.array([[3.0], [-0.75]]), SINGLE)
    close(tensor(F, (2, 1)), np.array([[-4.0], [1.0]]), SINGLE)
    for name, kept in (("V", V), ("F", F)):
        holds(kept.requires_grad, f"{name} has lost its graph: a loss could not train with it")


def test_force_matching_loss__adds_both_errors(student):
    """is 3 for energies off by 1, forces off by 2 and a weight of one half; and the like"""
    V, F = torch.tensor([[0.5], [-1.0], [2.0]]), torch.tensor([[4.0], [0.0], [-3.0]])
    # First uneven errors of both signs, where no two slips have the same loss.
    V_off, F_off = torch.tensor([[1.0], [-2.0], [0.5]]), torch.tensor([[2.0], [-1.0], [3.0]])
    close(number(student.force_matching_loss(V, V + V_off, F, F + F_off, 0.3)), 3.15, SINGLE)
    close(number(student.force_matching_loss(V, V + 1, F, F - 2, 0.5)), 3.0, SINGLE)
    close(number(student.force_matching_loss(V, V + 1, F, F - 2)), 5.0, SINGLE)
    close(number(student.force_matching_loss(V, V + 1, F, F - 2, 3.0)), 13.0, SINGLE)


def test_force_matching_loss__can_be_differentiated(student):
    """has a gradient with respect to the energies and to the forces"""
    V, F = torch.tensor([[0.5], [-1.0], [2.0]]), torch.tensor([[4.0], [0.0], [-3.0]])
    kept = [student.keep(x.clone().requires_grad_()) for x in (V, F)]
    loss = student.keeping("force_matching_loss", kept[0], V + 1, kept[1], F - 2, 0.5)
    for name, one in zip(("energies", "forces"), kept, strict=True):
        (gradient,) = student.gradients(loss, one)
        holds(gradient is not None, f"the loss knows nothing of the {name}: its graph is lost")
        close(gradient.numpy(), np.full((3, 1), -2 / 3 if name == "energies" else 2 / 3), SINGLE)


def _few_distances(*distances):
    r = torch.tensor(distances or np.linspace(0.95, 3.5, 20), dtype=torch.float32).reshape(-1, 1)
    attraction = r**-6
    return r, 4 * (attraction**2 - attraction), 24 * (2 * attraction**2 - attraction) / r


def test_train_potential__returns_a_model_of_columns(student):
    """returns a model that maps a column of distances to a column of energies, and makes no more
    iterations or passes over the data than it is told"""
    counter = student.field("iterations")
    counter.watch()
    generator = torch.Generator().manual_seed(1)
    model = student.train_potential(*_few_distances(), epochs=5, generator=generator)
    training.keeps_to_its_epochs(counter, 5, 20)
    _energies(model, [[1.0], [1.5], [2.0]])


def test_train_potential__learns_from_the_data(student):
    """learns the data that it is given, whatever their law"""
    r = torch.linspace(1.0, 3.0, 16).reshape(-1, 1)
    V, F = 1.5 * torch.sin(r), -1.5 * torch.cos(r)
    generator = torch.Generator().manual_seed(1)
    model = student.train_potential(r, V, F, epochs=150, generator=generator)
    error = float(np.mean((_energies(model, r.tolist()) - V.numpy()) ** 2))
    holds(error < 0.15, f"the energies of the data are missed by {error:.2g} in the mean square")


def test_train_potential__repeats_a_seed(student):
    """gives the same model for the same seed, and another for another"""
    found = []
    for seed in (1, 1, 2):
        student.reseed(len(found))
        generator = torch.Generator().manual_seed(seed)
        model = student.train_potential(*_few_distances(), epochs=5, generator=generator)
        found.append(_energies(model, [[1.0], [2.0]]))
    close(found[1], found[0], SINGLE)
    holds(not np.array_equal(found[2], found[0]), "another seed gives the same model")


def test_train_potential__learns_from_the_forces(student):
    """gives the forces at six distances, the data, to 2 % of their mean square, after 2000 epochs
    (some seconds): between so few energies only the forces tell the slope"""
    r, V, F = _few_distances(2.4, 2.9, 3.5, 0.95, 1.4, 1.9)
    generator = torch.Generator().manual_seed(1)
    model = student.train_potential(r, V, F, epochs=2000, generator=generator)
    found = _forces(student, model, r)
    missed = float(np.mean((found - F.numpy()) ** 2) / np.mean(F.numpy() ** 2))
    holds(missed < 0.02, f"the forces of the data are missed by {missed:.2g} of their mean square")


def _forces(student, model, r):
    def slopes(r):
        kept = student.keep(r.requires_grad_())
        return student.gradients(student.keeping(model, kept), kept)[0]

    return -_of_columns(slopes, r)


def _energies(model, r):
    return _of_columns(model, torch.tensor(r))


def _of_columns(function, r):
    """In float32 as the data were, or in float64 if the model insists."""
    for dtype in (torch.float32, torch.float64):
        try:
            return tensor(function(r.to(dtype)), (len(r), 1))
        except StudentError:
            if dtype is torch.float64:
                raise


def test_train_cluster_model__returns_a_function_of_distances(student):
    """returns a function that gives one energy for each row of distances, and makes no more
    iterations or passes over the data than it is told"""
    counter = student.field("iterations")
    counter.watch()
    distances = np.sort(np.random.default_rng(3).uniform(1.0, 3.0, (30, 3)), axis=1)
    energies = np.sum(4 * (distances**-12 - distances**-6), axis=1)
    generator = torch.Generator().manual_seed(1)
    predict = student.train_cluster_model(distances, energies, epochs=5, generator=generator)
    training.keeps_to_its_epochs(counter, 5, 30)
    returned = predict(distances[:4])
    shape = tuple(getattr(returned, "shape", ()))
    holds(shape == (4,), f"four rows should give energies of the shape (4,), not {shape}")


def test_train_cluster_model__learns_from_the_data(student):
    """learns the energies that it is given, whatever their law"""
    distances = np.sort(np.random.default_rng(3).uniform(1.0, 3.0, (60, 3)), axis=1)
    energies = 2 * np.sum(distances, axis=1) - 10
    generator = torch.Generator().manual_seed(1)
    predict = student.train_cluster_model(distances, energies, epochs=300, generator=generator)
    error = float(np.mean((_told(predict(distances)) - energies) ** 2) / np.var(energies))
    holds(error < 0.5, "the energies of the data are not learned")


def test_train_cluster_model__repeats_a_seed(student):
    """gives the same energies for the same seed and others for another, each cluster by itself,
    and leaves the data as they are"""
    distances = np.sort(np.random.default_rng(3).uniform(1.0, 3.0, (30, 3)), axis=1)
    energies = np.sum(4 * (distances**-12 - distances**-6), axis=1)
    found = []
    for seed in (1, 1, 2):
        student.reseed(len(found))
        generator = torch.Generator().manual_seed(seed)
        kept = student.keep(distances), student.keep(energies)
        predict = student.train_cluster_model(*kept, epochs=5, generator=generator)
        found.append(_told(predict(distances[:4])))
        close(student.value(kept[0]), distances, SINGLE)
        close(student.value(kept[1]), energies, SINGLE)
    close(found[1], found[0], SINGLE)
    close(_told(predict(distances[:1])), found[2][:1], SINGLE)
    holds(not np.array_equal(found[2], found[0]), "another seed gives the same energies")


def _told(returned):
    holds(hasattr(returned, "reshape"), "should give an array of energies")
    values = returned.detach() if hasattr(returned, "detach") else returned
    return np.asarray(values).reshape(-1)
