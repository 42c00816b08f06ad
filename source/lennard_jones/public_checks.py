"""Public checks of lennard_jones: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import SINGLE, StudentError, array, close, holds, number, tensor

R_MIN = 2 ** (1 / 6)
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * R_MIN / 8**0.5


def test_lj_potential__has_its_minimum_where_it_should(student):
    """is −ε at 2^(1/6) σ and zero at σ"""
    close(student.lj_potential(R_MIN), -1.0, SINGLE)
    close(student.lj_potential(np.array([1.0, R_MIN])), np.array([0.0, -1.0]), SINGLE)


def test_lj_potential__scales_with_epsilon_and_sigma(student):
    """takes its depth from epsilon and its length from sigma"""
    close(student.lj_potential(2 * R_MIN, 3.0, 2.0), -3.0, SINGLE)


def test_lj_force__is_minus_the_slope_of_the_potential(student):
    """is minus the slope of the potential"""
    close(student.lj_force(1.0), 24.0, SINGLE)
    close(student.lj_force(2.0), -93 / 512, SINGLE)


def test_lj_force__takes_arrays(student):
    """gives an array for an array"""
    close(student.lj_force(np.array([[1.0], [R_MIN]])), np.array([[24.0], [0.0]]), SINGLE)


def test_lj_force__scales_with_epsilon_and_sigma(student):
    """is measured in epsilon / sigma"""
    close(student.lj_force(2.0, 3.0, 2.0), 36.0, SINGLE)


def test_pairwise_distances__finds_every_pair_once(student):
    """finds the three sides of a triangle, smallest first"""
    triangle = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    close(student.pairwise_distances(triangle), np.array([3.0, 4.0, 5.0]), SINGLE)


def test_pairwise_distances__has_none_for_one_atom(student):
    """is empty for a single atom"""
    array(student.pairwise_distances(np.zeros((1, 3))), (0,))


def test_cluster_energy__counts_full_bonds(student):
    """is −1, −3 and −6 for the best pair, triangle and tetrahedron"""
    for n_atoms, energy in ((2, -1.0), (3, -3.0), (4, -6.0)):
        close(student.cluster_energy(TETRAHEDRON[:n_atoms]), energy, SINGLE)


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
    chain = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    outer = 24.0 - 93 / 512
    expected = np.array([[-outer, 0.0, 0.0], [0.0, 0.0, 0.0], [outer, 0.0, 0.0]])
    close(student.cluster_forces(chain), expected, SINGLE)


def test_cluster_forces__hands_epsilon_and_sigma_on(student):
    """hands epsilon and sigma on"""
    pair = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    expected = np.array([[-36.0, 0.0, 0.0], [36.0, 0.0, 0.0]])
    close(student.cluster_forces(pair, 3.0, 2.0), expected, SINGLE)


def test_sample_clusters__gives_what_was_asked_for(student):
    """gives n_samples clusters in which no pair is closer than min_distance"""
    clusters = array(student.sample_clusters(20, 3, 0.9, np.random.default_rng(7)), (20, 3, 3))
    for first, second in ((0, 1), (0, 2), (1, 2)):
        distances = np.linalg.norm(clusters[:, first] - clusters[:, second], axis=1)
        nearest = distances.min() + SINGLE.relative
        holds(bool(nearest >= 0.9), "some pair is closer than min_distance")


def test_sample_clusters__repeats_a_seed(student):
    """gives the same clusters for the same seed"""
    student.reseed(1)
    first, second = (student.sample_clusters(5, 3, 0.9, np.random.default_rng(7)) for _ in "12")
    close(second, array(first), SINGLE)


def test_standardise__uses_the_statistics_of_train(student):
    """gives train mean 0 and deviation 1, and test the same shift and scale"""
    train, test = np.array([[1.0, 10.0], [3.0, 50.0]]), np.array([[5.0, 10.0]])
    returned = student.standardise(train, test)
    holds(isinstance(returned, (tuple, list)) and len(returned) == 4, "should return four things")
    train_n, test_n, mean, std = returned
    close(train_n, np.array([[-1.0, -1.0], [1.0, 1.0]]), SINGLE)
    close(test_n, np.array([[3.0, -1.0]]), SINGLE)
    close(array(mean).reshape(-1), np.array([2.0, 30.0]), SINGLE)
    close(array(std).reshape(-1), np.array([1.0, 20.0]), SINGLE)


def test_standardise__survives_a_constant_column(student):
    """stays finite where a column is constant"""
    train_n, test_n, *_ = student.standardise(np.ones((4, 1)), np.ones((2, 1)))
    close(train_n, np.zeros((4, 1)), SINGLE)
    close(test_n, np.zeros((2, 1)), SINGLE)


def test_nn_potential__maps_columns_to_columns(student):
    """NNPotential maps a column of distances to a column of energies"""
    student.reseed(1)
    tensor(student.NNPotential(hidden=8)(torch.ones(5, 1)), (5, 1))


def test_nn_potential__gives_minus_the_slope(student):
    """energy_and_force gives r² and −2r for a model that is r²"""
    parabola = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    returned = student.energy_and_force(parabola, torch.tensor([[3.0], [0.5]]))
    holds(isinstance(returned, (tuple, list)) and len(returned) == 2, "should return (V, F)")
    V, F = returned
    close(tensor(V, (2, 1)), np.array([[9.0], [0.25]]), SINGLE)
    close(tensor(F, (2, 1)), np.array([[-6.0], [-1.0]]), SINGLE)
    holds(F.requires_grad, "the force has lost its graph: a loss could not train with it")


def test_force_matching_loss__adds_both_errors(student):
    """is 3 for energies off by 1, forces off by 2 and a weight of one half"""
    V, F = torch.tensor([[0.5], [-1.0], [2.0]]), torch.tensor([[4.0], [0.0], [-3.0]])
    close(number(student.force_matching_loss(V, V + 1, F, F - 2, 0.5)), 3.0, SINGLE)
    close(number(student.force_matching_loss(V, V + 1, F, F - 2)), 5.0, SINGLE)


def _few_distances():
    r = torch.linspace(0.95, 3.5, 20).reshape(-1, 1)
    attraction = r**-6
    return r, 4 * (attraction**2 - attraction), 24 * (2 * attraction**2 - attraction) / r


def test_train_potential__returns_a_model_of_columns(student):
    """returns a model that maps a column of distances to a column of energies"""
    generator = torch.Generator().manual_seed(1)
    model = student.train_potential(*_few_distances(), epochs=5, generator=generator)
    _energies(model, [[1.0], [1.5], [2.0]])


def test_train_potential__repeats_a_seed(student):
    """gives the same model for the same seed"""
    found = []
    student.reseed(1)
    for _ in range(2):
        generator = torch.Generator().manual_seed(1)
        model = student.train_potential(*_few_distances(), epochs=5, generator=generator)
        found.append(_energies(model, [[1.0], [2.0]]))
    close(found[1], found[0], SINGLE)


def _energies(model, r):
    """In float32 as the data were, or in float64 if the model insists."""
    for dtype in (torch.float32, torch.float64):
        try:
            return tensor(model(torch.tensor(r, dtype=dtype)), (len(r), 1))
        except StudentError:
            if dtype is torch.float64:
                raise


def test_train_cluster_model__returns_a_function_of_distances(student):
    """returns a function that gives one energy for each row of distances"""
    distances = np.sort(np.random.default_rng(3).uniform(1.0, 3.0, (30, 3)), axis=1)
    energies = np.sum(4 * (distances**-12 - distances**-6), axis=1)
    generator = torch.Generator().manual_seed(1)
    predict = student.train_cluster_model(distances, energies, epochs=5, generator=generator)
    returned = predict(distances[:4])
    shape = tuple(getattr(returned, "shape", ()))
    holds(shape in ((4,), (4, 1)), f"four rows should give four energies, shape is {shape}")


def test_train_cluster_model__repeats_a_seed(student):
    """gives the same energies for the same seed"""
    distances = np.sort(np.random.default_rng(3).uniform(1.0, 3.0, (30, 3)), axis=1)
    energies = np.sum(4 * (distances**-12 - distances**-6), axis=1)
    found = []
    student.reseed(1)
    for _ in range(2):
        generator = torch.Generator().manual_seed(1)
        predict = student.train_cluster_model(distances, energies, epochs=5, generator=generator)
        found.append(predict(distances[:4]))
    close(found[1], found[0], SINGLE)
