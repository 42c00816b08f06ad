"""Known wrong answers to lennard_jones."""

from functools import partial

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.lennard_jones import (
    cluster_energy,
    lj_force,
    lj_potential,
    pairwise_distances,
)

# What an exercise is about: an answer that fails one of these checks keeps at most half.
POINTS = {
    "lj_potential": {"follows_the_formula"},
    "lj_force": {"is_exact", "is_minus_the_slope_of_the_potential"},
    "pairwise_distances": {"holds_every_pair_once"},
    "cluster_energy": {"is_the_sum_over_pairs"},
    "cluster_forces": {"are_minus_the_gradient_of_the_energy", "are_exact"},
    "sample_clusters": {"keeps_every_pair_apart"},
    "standardise": {"treats_test_as_it_treats_train"},
    "nn_potential": {"is_exact", "gives_minus_the_slope_of_any_model", "is_differentiable_again"},
    "force_matching_loss": {"adds_two_mean_squares"},
    "train_potential": {"learns_from_the_forces", "knows_unseen_energies", "knows_unseen_forces"},
    "train_cluster_model": {"knows_unseen_clusters"},
}


bank = Bank(__name__, POINTS)
slip, variant = bank.slip, bank.variant


# ------------------------------------------------------------------------- lj_potential

lj_potential_slips = [
    slip(
        "lj_potential",
        "sign_lost",
        "attraction**2 - attraction",
        "attraction - attraction**2",
        "follows_the_formula",
        "The signs of the two terms are exchanged: the twelfth power repels and is positive, the "
        "sixth attracts and is negative.",
    ),
    slip(
        "lj_potential",
        "factor_4_lost",
        "4 * epsilon",
        "epsilon",
        "follows_the_formula",
        "The well is ε/4 deep. The factor 4 is what makes the minimum −ε.",
    ),
    slip(
        "lj_potential",
        "factor_24",
        "4 * epsilon",
        "24 * epsilon",
        "follows_the_formula",
        "24 belongs to the force. The energy has the factor 4.",
    ),
    slip(
        "lj_potential",
        "ratio_upside_down",
        "sigma / r",
        "r / sigma",
        "follows_the_formula",
        "The ratio is upside down: it is σ/r, which is small where the atoms are far apart.",
    ),
    slip(
        "lj_potential",
        "powers_of_3_and_6",
        "** 6",
        "** 3",
        "follows_the_formula",
        "The powers are 3 and 6. They should be 6 and 12.",
    ),
    slip(
        "lj_potential",
        "power_8",
        "attraction**2 - attraction",
        "(sigma / r) ** 8 - attraction",
        "follows_the_formula",
        "The repulsion is the twelfth power: (σ/r)⁶ squared, and squaring multiplies exponents.",
    ),
    slip(
        "lj_potential",
        "power_36",
        "attraction**2",
        "attraction**6",
        "follows_the_formula",
        "(σ/r)¹² is the square of (σ/r)⁶, not its sixth power: exponents multiply.",
    ),
    slip(
        "lj_potential",
        "minimum_at_sigma",
        "attraction**2 - attraction",
        "attraction**2 / 4 - attraction / 2",
        "follows_the_formula",
        "This form has its minimum at r = σ. In ours σ is the distance where the energy is zero.",
    ),
    slip(
        "lj_potential",
        "epsilon_ignored",
        "4 * epsilon",
        "4",
        "holds_for_any_epsilon",
        "epsilon is an argument, but the value does not depend on it.",
    ),
    slip(
        "lj_potential",
        "epsilon_of_the_first_call",
        "    attraction = (sigma / r) ** 6\n",
        '    epsilon = lj_potential.__dict__.setdefault("epsilon", epsilon)\n'
        "    attraction = (sigma / r) ** 6\n",
        "holds_for_any_epsilon",
        "The first epsilon is kept and used in every later call. Use the one that is given.",
    ),
    slip(
        "lj_potential",
        "sigma_ignored",
        "(sigma / r)",
        "(1 / r)",
        "holds_for_any_sigma",
        "sigma is an argument, but the value does not depend on it.",
    ),
    slip(
        "lj_potential",
        "sigma_without_its_power",
        "(sigma / r) ** 6",
        "sigma / r**6",
        "holds_for_any_sigma",
        "The power belongs to the ratio: (σ/r)⁶ and not σ/r⁶.",
    ),
    slip(
        "lj_potential",
        "sigma_inverted",
        "sigma / r",
        "1 / (sigma * r)",
        "holds_for_any_sigma",
        "A larger σ should stretch the curve to larger r; here it shrinks.",
    ),
    slip(
        "lj_potential",
        "cut_off",
        "    return 4 * epsilon",
        "    attraction = np.where(r > 3 * sigma, 0.0, attraction)\n    return 4 * epsilon",
        "is_right_near_and_far",
        "Far out the energy is set to zero. A cut-off belongs to a simulation; the energy itself "
        "only becomes small.",
    ),
    slip(
        "lj_potential",
        "hard_core",
        "    attraction = (sigma / r) ** 6\n",
        "    attraction = (sigma / np.maximum(r, 0.5)) ** 6\n",
        "is_right_near_and_far",
        "Close distances are replaced by a larger one. The energy goes on rising the nearer the "
        "atoms are.",
    ),
    slip(
        "lj_potential",
        "in_place",
        "    attraction = (sigma / r) ** 6\n",
        "    if isinstance(r, np.ndarray):\n        r /= sigma\n        r **= -6\n"
        "        return 4 * epsilon * (r**2 - r)\n    attraction = (sigma / r) ** 6\n",
        "leaves_r_unchanged",
        "The caller's r has other values after the call: `/=`, `*=` and their kind write into "
        "an array.",
    ),
]


@mistake(
    "lj_potential",
    caught_by="gives_a_number_for_a_number",
    hint="A single distance should give a single number, not an array or an error: plain "
    "arithmetic works for both.",
)
def arrays_only():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        values = np.zeros(r.shape)
        values[...] = 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)
        return values


@mistake(
    "lj_potential",
    caught_by="keeps_the_shape",
    hint="r may have any shape, and V has the same: the values are right, the shape is lost.",
)
def flattened():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        if np.ndim(r) == 0:
            return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)
        r = np.ravel(r)
        return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)


@mistake(
    "lj_potential",
    caught_by="follows_the_formula",
    keeps=0.5,
    hint="It works for one distance but not for an array of them.",
)
def numbers_only():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        if not r > 0:
            raise ValueError("r must be positive")
        return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)


@mistake(
    "lj_potential",
    caught_by="holds_for_any_sigma",
    hint="The powers belong to σ too: it is (σ/r)¹², not σ/r¹². With σ = 1 nobody sees it.",
)
def sigma_outside_the_powers():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        return 4 * epsilon * (sigma / r**12 - sigma / r**6)


@mistake(
    "lj_potential",
    caught_by="holds_for_any_epsilon",
    hint="The arguments stand in another order: r, epsilon, sigma. Calls without names depend on "
    "it.",
)
def arguments_in_another_order():
    def lj_potential(r, sigma=1.0, epsilon=1.0):
        attraction = (sigma / r) ** 6
        return 4 * epsilon * (attraction**2 - attraction)


@mistake(
    "lj_potential",
    caught_by="gives_a_number_for_a_number",
    hint="epsilon and sigma have lost their default values, 1.",
)
def no_defaults():
    def lj_potential(r, epsilon, sigma):
        attraction = (sigma / r) ** 6
        return 4 * epsilon * (attraction**2 - attraction)


@mistake(
    "lj_potential",
    caught_by="follows_the_formula",
    hint="The energies of all distances are added up. One for each distance is wanted.",
)
def added_up():
    def lj_potential(r, epsilon=1.0, sigma=1.0):
        attraction = (sigma / r) ** 6
        return np.sum(4 * epsilon * (attraction**2 - attraction))


# ----------------------------------------------------------------------------- lj_force

lj_force_slips = [
    slip(
        "lj_force",
        "another_sigma_by_default",
        "sigma: float = 1.0",
        "sigma: float = 2 ** (-1 / 6)",
        "gives_a_number_for_a_number",
        "Where no sigma is given it should be 1.",
    ),
    slip(
        "lj_force",
        "sign_lost",
        "return 24",
        "return -24",
        "repels_inside_and_attracts_outside",
        "The size is right and the sign is not: the force is minus the slope, F = −dV/dr.",
    ),
    slip(
        "lj_force",
        "division_by_r_lost",
        " / r\n",
        "\n",
        "is_minus_the_slope_of_the_potential",
        "One power of r is missing: the derivative of r⁻¹² is −12 r⁻¹³.",
    ),
    slip(
        "lj_force",
        "divided_by_r_twice",
        " / r\n",
        " / r**2\n",
        "is_minus_the_slope_of_the_potential",
        "One power of r too many: the derivative of r⁻¹² is −12 r⁻¹³. (F/r is what multiplies a "
        "separation vector; here F itself is wanted.)",
    ),
    slip(
        "lj_force",
        "factor_2_lost",
        "2 * attraction**2",
        "attraction**2",
        "is_minus_the_slope_of_the_potential",
        "The exponent comes down when a power is differentiated: 12 from the repulsion, 6 from the "
        "attraction. Here both have the same factor.",
    ),
    slip(
        "lj_force",
        "signs_of_the_terms",
        "2 * attraction**2 - attraction",
        "2 * attraction**2 + attraction",
        "repels_inside_and_attracts_outside",
        "The two terms of the force pull in opposite directions: one of the signs is lost.",
    ),
    slip(
        "lj_force",
        "factor_48",
        "return 24",
        "return 48",
        "is_minus_the_slope_of_the_potential",
        "Twice the force: 4 · 12 = 48 belongs to the repulsion alone, or a factor 2 is counted "
        "twice.",
    ),
    slip(
        "lj_force",
        "factor_6",
        "return 24",
        "return 6",
        "is_minus_the_slope_of_the_potential",
        "A quarter of the force: the factor 4 of the potential is lost.",
    ),
    slip(
        "lj_force",
        "epsilon_ignored",
        "24 * epsilon",
        "24",
        "holds_for_any_epsilon",
        "epsilon is an argument, but the value does not depend on it.",
    ),
    slip(
        "lj_force",
        "sigma_ignored",
        "(sigma / r)",
        "(1 / r)",
        "holds_for_any_sigma",
        "sigma is an argument, but the value does not depend on it.",
    ),
    slip(
        "lj_force",
        "divided_by_sigma",
        " / r\n",
        " / r / sigma\n",
        "holds_for_any_sigma",
        "One division by σ too many: the derivative of (σ/r)ⁿ with respect to r is −n (σ/r)ⁿ / r.",
    ),
    slip(
        "lj_force",
        "times_sigma",
        " / r\n",
        " * sigma / r\n",
        "holds_for_any_sigma",
        "There is a factor σ too many: the derivative is with respect to r, not to r/σ.",
    ),
    slip(
        "lj_force",
        "cut_off",
        "    return 24 * epsilon",
        "    attraction = np.where(r > 3 * sigma, 0.0, attraction)\n    return 24 * epsilon",
        "is_right_near_and_far",
        "Far out the force is set to zero. A cut-off belongs to a simulation; the force itself "
        "only becomes small.",
    ),
    slip(
        "lj_force",
        "hard_core",
        "    attraction = (sigma / r) ** 6\n",
        "    attraction = (sigma / np.maximum(r, 0.5)) ** 6\n",
        "is_right_near_and_far",
        "Close distances are replaced by a larger one. The force goes on rising the nearer the "
        "atoms are.",
    ),
    slip(
        "lj_force",
        "in_place",
        "    attraction = (sigma / r) ** 6\n",
        "    attraction = (sigma / r) ** 6\n    if isinstance(r, np.ndarray):\n"
        "        r *= 1 / (2 * attraction**2 - attraction)\n"
        "        return 24 * epsilon / r\n",
        "leaves_r_unchanged",
        "The caller's r has other values after the call: `/=`, `*=` and their kind write into "
        "an array.",
    ),
]


@mistake(
    "lj_force",
    caught_by="is_minus_the_slope_of_the_potential",
    hint="This is the slope with respect to σ/r. The chain rule adds a factor, the slope of σ/r "
    "with respect to r.",
)
def chain_rule_forgotten():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        x = sigma / r
        return 4 * epsilon * (12 * x**11 - 6 * x**5)


@mistake(
    "lj_force",
    caught_by="keeps_the_shape",
    hint="r may have any shape, and F has the same. np.gradient needs neighbouring points; the "
    "derivative by hand needs none.",
)
def gradient_of_the_array():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        return -np.gradient(lj_potential(r, epsilon, sigma), r)


STEPS = (
    "A small step gives some digits of the slope, not all: where the force is small its error "
    "shows. Differentiate the two powers on paper."
)


@mistake("lj_force", caught_by="is_exact", keeps=0.5, hint=STEPS)
def differences_with_the_best_step():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        h = 1e-6 * sigma
        return (lj_potential(r - h, epsilon, sigma) - lj_potential(r + h, epsilon, sigma)) / (2 * h)


@mistake("lj_force", caught_by="is_exact", keeps=0.5, hint=STEPS)
def central_differences():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        h = 1e-5 * sigma
        return (lj_potential(r - h, epsilon, sigma) - lj_potential(r + h, epsilon, sigma)) / (2 * h)


@mistake("lj_force", caught_by="is_exact", keeps=0.5, hint=STEPS)
def differences_of_sixth_order():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        def slope(h):
            return (lj_potential(r + h, epsilon, sigma) - lj_potential(r - h, epsilon, sigma)) / h

        h = 1e-3 * sigma
        return -(64 * slope(h / 4) - 20 * slope(h / 2) + slope(h)) / 90


@mistake("lj_force", caught_by="is_exact", keeps=0.5, hint=STEPS)
def a_step_to_one_side():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        h = 1e-6
        return -(lj_potential(r + h, epsilon, sigma) - lj_potential(r, epsilon, sigma)) / h


@mistake(
    "lj_force",
    caught_by="keeps_the_shape",
    hint="The forces come back in a list; for an array an array is asked for.",
)
def in_a_list():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        force = 24 * epsilon * (2 * (sigma / r) ** 12 - (sigma / r) ** 6) / r
        return force.tolist() if np.ndim(r) else force


@mistake(
    "lj_force",
    caught_by="gives_a_number_for_a_number",
    hint="A single distance should give a single number, not an array or an error: plain "
    "arithmetic works for both.",
)
def no_single_numbers():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        return np.array([24 * epsilon * (2 * (sigma / x) ** 12 - (sigma / x) ** 6) / x for x in r])


@mistake(
    "lj_force",
    caught_by="is_minus_the_slope_of_the_potential",
    keeps=0.5,
    hint="The last division is by r, not by σ: the derivative of r⁻¹² is −12 r⁻¹³.",
)
def divided_by_sigma_for_r():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        return 24 * epsilon / sigma * (2 * (sigma / r) ** 12 - (sigma / r) ** 6)


@mistake(
    "lj_force",
    caught_by="repels_inside_and_attracts_outside",
    hint="The sign is lost: attraction is negative, and here every force is positive.",
)
def the_size_alone():
    def lj_force(r, epsilon=1.0, sigma=1.0):
        return np.abs(24 * epsilon / r * (2 * (sigma / r) ** 12 - (sigma / r) ** 6))


# ------------------------------------------------------------------- pairwise_distances


pairwise_distances_slips = [
    slip(
        "pairwise_distances",
        "written_for_four_atoms",
        "    first, second = np.triu_indices(len(positions), k=1)\n",
        "    positions = positions[:4]\n    first, second = np.triu_indices(len(positions), k=1)\n",
        "holds_every_pair_once",
        "A cluster may have more than four atoms, and each of them pairs with all others.",
    ),
    slip(
        "pairwise_distances",
        "in_a_periodic_box",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "np.linalg.norm((positions[first] - positions[second] + 5) % 10 - 5, axis=1)",
        "holds_every_pair_once",
        "Differences are taken back into a periodic box (the minimum image). A cluster stands "
        "alone, and has no images.",
    ),
    slip(
        "pairwise_distances",
        "zeros_left_out",
        "    return np.sort(np.linalg.norm(positions[first] - positions[second], axis=1))",
        "    distances = np.linalg.norm(positions[first] - positions[second], axis=1)\n"
        "    return np.sort(distances[distances > 0])",
        "holds_every_pair_once",
        "Distances of zero are left out. Two atoms in one place are a pair too.",
    ),
    slip(
        "pairwise_distances",
        "unsorted",
        "np.sort(np.linalg.norm(positions[first] - positions[second], axis=1))",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "is_ascending",
        "All distances are there, but not in ascending order.",
    ),
    slip(
        "pairwise_distances",
        "descending",
        "axis=1))",
        "axis=1))[::-1]",
        "is_ascending",
        "The distances come largest first; smallest first is asked for.",
    ),
    slip(
        "pairwise_distances",
        "atoms_with_themselves",
        "k=1",
        "k=0",
        "holds_every_pair_once",
        "Atoms are paired with themselves: there are zeros in the list.",
    ),
    slip(
        "pairwise_distances",
        "squared",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "np.sum((positions[first] - positions[second]) ** 2, axis=1)",
        "holds_every_pair_once",
        "These are squared distances: the square root is missing.",
    ),
    slip(
        "pairwise_distances",
        "sum_of_coordinates",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "np.sum(np.abs(positions[first] - positions[second]), axis=1)",
        "does_not_depend_on_place_turn_or_numbering",
        "The sizes of the coordinate differences are added up. The distance is the root of "
        "the sum of their squares.",
    ),
    slip(
        "pairwise_distances",
        "two_coordinates",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "np.linalg.norm((positions[first] - positions[second])[:, :2], axis=1)",
        "holds_every_pair_once",
        "Only x and y count here; z is left out.",
    ),
    slip(
        "pairwise_distances",
        "neighbours_in_the_list",
        "np.linalg.norm(positions[first] - positions[second], axis=1)",
        "np.linalg.norm(np.diff(positions, axis=0), axis=1)",
        "holds_every_pair_once",
        "Only atoms that follow each other in the list are paired. Every pair is wanted, "
        "N(N−1)/2 of them.",
    ),
    slip(
        "pairwise_distances",
        "axis_of_the_atoms",
        "axis=1",
        "axis=0",
        "holds_every_pair_once",
        "The norm is taken over the wrong axis: it should add up the three coordinates of each "
        "pair.",
    ),
    slip(
        "pairwise_distances",
        "rounded_to_unique",
        "np.sort",
        "np.unique",
        "holds_every_pair_once",
        "Equal distances are kept only once. Two pairs at the same distance are two pairs.",
    ),
    slip(
        "pairwise_distances",
        "centred_in_place",
        "    first, second",
        "    if len(positions) > 1:\n        positions -= positions.mean(axis=0)\n"
        "    first, second",
        "leaves_the_positions_unchanged",
        "The caller's positions are shifted after the call: `-=` and its kind write into an array.",
    ),
]


@mistake(
    "pairwise_distances",
    caught_by="holds_every_pair_once",
    keeps=0.5,
    hint="Every pair is there twice, as i, j and as j, i. Each pair is wanted once.",
)
def every_pair_twice():
    def pairwise_distances(positions):
        n = len(positions)
        found = [
            np.linalg.norm(positions[i] - positions[j])
            for i in range(n)
            for j in range(n)
            if i != j
        ]
        return np.sort(np.array(found))


@mistake(
    "pairwise_distances",
    caught_by="holds_every_pair_once",
    keeps=0.5,
    hint="This is the whole N × N table. Each pair is wanted once, in a list of N(N−1)/2 numbers.",
)
def whole_table():
    def pairwise_distances(positions):
        return np.linalg.norm(positions[:, None] - positions[None, :], axis=2)


@mistake(
    "pairwise_distances",
    caught_by="is_empty_for_one_atom",
    hint="A single atom has no pair: the result is an empty array, not an error.",
)
def stops_for_one_atom():
    def pairwise_distances(positions):
        n = len(positions)
        parts = [np.linalg.norm(positions[i + 1 :] - positions[i], axis=1) for i in range(n - 1)]
        return np.sort(np.concatenate(parts))


@mistake(
    "pairwise_distances",
    caught_by="is_empty_for_one_atom",
    hint="The distances come back in a list: sorted() makes one of any array. An array is asked "
    "for.",
)
def sorted_into_a_list():
    def pairwise_distances(positions):
        first, second = np.triu_indices(len(positions), k=1)
        return sorted(np.linalg.norm(positions[first] - positions[second], axis=1))


# ----------------------------------------------------------------------- cluster_energy

cluster_energy_slips = [
    slip(
        "cluster_energy",
        "capped",
        "np.sum(lj_potential(pairwise_distances(positions), epsilon, sigma))",
        "np.sum(np.minimum(lj_potential(pairwise_distances(positions), epsilon, sigma), 100.0))",
        "is_the_sum_over_pairs",
        "The energy of a close pair is cut off. The formula has no such limit: its wall goes on "
        "rising.",
    ),
    slip(
        "cluster_energy",
        "written_for_four_atoms",
        "pairwise_distances(positions)",
        "pairwise_distances(positions)[:6]",
        "is_the_sum_over_pairs",
        "Only six distances count, the pairs of four atoms. A cluster may have more.",
    ),
    slip(
        "cluster_energy",
        "epsilon_not_handed_on",
        "epsilon, sigma)))",
        "1.0, sigma)))",
        "holds_for_any_epsilon",
        "epsilon has no effect: the energy of every pair depends on it.",
    ),
    slip(
        "cluster_energy",
        "sigma_not_handed_on",
        "epsilon, sigma)))",
        "epsilon)))",
        "holds_for_any_sigma",
        "sigma has no effect: the energy of every pair depends on it.",
    ),
    slip(
        "cluster_energy",
        "epsilon_and_sigma_exchanged",
        "epsilon, sigma)))",
        "sigma, epsilon)))",
        "holds_for_any_sigma",
        "epsilon and sigma have changed places: look at their order where they are handed on.",
    ),
    slip(
        "cluster_energy",
        "mean_of_the_pairs",
        "np.sum",
        "np.mean",
        "is_the_sum_over_pairs",
        "This is the mean energy of a pair. The cluster's energy is the sum.",
    ),
    slip(
        "cluster_energy",
        "energy_per_atom",
        "sigma)))",
        "sigma)) / len(positions))",
        "is_the_sum_over_pairs",
        "This is the energy per atom. The energy of the whole cluster is wanted.",
    ),
    slip(
        "cluster_energy",
        "sign_lost",
        "np.sum(",
        "-np.sum(",
        "knows_the_best_small_clusters",
        "The sign is exchanged: a bound cluster has a negative energy.",
    ),
    slip(
        "cluster_energy",
        "potential_of_the_sum",
        "np.sum(lj_potential(pairwise_distances(positions), epsilon, sigma))",
        "lj_potential(np.sum(pairwise_distances(positions)), epsilon, sigma)",
        "is_the_sum_over_pairs",
        "First the energy of each distance, then the sum: not the energy of the summed distances.",
    ),
    slip(
        "cluster_energy",
        "centred_in_place",
        "    return float(",
        "    positions -= positions.mean(axis=0)\n    return float(",
        "leaves_the_positions_unchanged",
        "The caller's positions are shifted after the call: `-=` and its kind write into an array.",
    ),
]


@mistake(
    "cluster_energy",
    caught_by="is_the_sum_over_pairs",
    keeps=0.5,
    hint="Every pair is counted twice, as i, j and as j, i.",
)
def pairs_twice():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        energy = 0.0
        for i in range(len(positions)):
            for j in range(len(positions)):
                if i != j:
                    r = np.linalg.norm(positions[i] - positions[j])
                    energy += lj_potential(r, epsilon, sigma)
        return energy


@mistake(
    "cluster_energy",
    caught_by="knows_the_best_small_clusters",
    hint="Only atoms that follow each other in the list are paired. Every pair counts.",
)
def a_chain_of_bonds():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        r = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        return float(np.sum(lj_potential(r, epsilon, sigma)))


@mistake(
    "cluster_energy",
    caught_by="does_not_depend_on_place_turn_or_numbering",
    hint="Only the pairs of the first atom are added up; the other atoms have pairs as well.",
)
def pairs_of_the_first_atom():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        r = np.linalg.norm(positions[1:] - positions[0], axis=1)
        return float(np.sum(lj_potential(r, epsilon, sigma)))


@mistake(
    "cluster_energy",
    caught_by="is_zero_for_one_atom",
    hint="A single atom has no pair: its energy is 0, not an error.",
)
def stops_where_there_is_no_pair():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        n = len(positions)
        parts = [np.linalg.norm(positions[i + 1 :] - positions[i], axis=1) for i in range(n - 1)]
        return float(np.sum(lj_potential(np.concatenate(parts), epsilon, sigma)))


@mistake(
    "cluster_energy",
    caught_by="is_the_sum_over_pairs",
    keeps=0.5,
    hint="One energy for each pair comes back; their sum is wanted.",
)
def energies_of_the_pairs():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        return lj_potential(pairwise_distances(positions), epsilon, sigma)


@mistake(
    "cluster_energy",
    caught_by="is_the_sum_over_pairs",
    keeps=0.5,
    hint="This is the mean energy of a pair. The cluster's energy is the sum.",
)
def mean_of_the_pairs_if_there_are_any():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        distances = pairwise_distances(positions)
        return float(np.mean(lj_potential(distances, epsilon, sigma))) if len(distances) else 0.0


@mistake(
    "cluster_energy",
    caught_by="is_the_sum_over_pairs",
    keeps=0.5,
    hint="First the energy of each distance, then the sum: not the energy of the summed distances.",
)
def potential_of_the_sum_if_there_is_any():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        if len(positions) < 2:
            return 0.0
        return float(lj_potential(np.sum(pairwise_distances(positions)), epsilon, sigma))


@mistake(
    "cluster_energy",
    caught_by="holds_for_any_epsilon",
    hint="epsilon and sigma have no effect: hand both on to lj_potential.",
)
def neither_handed_on():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        return float(np.sum(lj_potential(pairwise_distances(positions))))


@mistake(
    "cluster_energy",
    caught_by="is_the_sum_over_pairs",
    hint="Distant pairs are left out. A cut-off belongs to a simulation; here every pair "
    "counts, however far apart.",
)
def cut_off():
    def cluster_energy(positions, epsilon=1.0, sigma=1.0):
        distances = pairwise_distances(positions)
        return float(np.sum(lj_potential(distances[distances < 2.5 * sigma], epsilon, sigma)))


# ----------------------------------------------------------------------- cluster_forces

cluster_forces_slips = [
    slip(
        "cluster_forces",
        "something_added_to_the_distance",
        "    pull = lj_force(distance",
        "    distance = distance + 1e-9\n    pull = lj_force(distance",
        "are_exact",
        "A small number is added to the distances, so that nothing is divided by 0. It changes "
        "every force a little: leave out j = i, or give the diagonal another number.",
    ),
    slip(
        "cluster_forces",
        "no_wall_within",
        "    pull = lj_force(distance",
        "    distance = np.maximum(distance, 0.9 * sigma)\n    pull = lj_force(distance",
        "push_close_atoms_apart",
        "Below a distance of 0.9 σ the force no longer grows. The formula has no such limit.",
    ),
    slip(
        "cluster_forces",
        "sign_lost",
        "positions[:, None, :] - positions[None, :, :]",
        "positions[None, :, :] - positions[:, None, :]",
        "push_close_atoms_apart",
        "Every force points the other way: the vector goes from j to i, x_i − x_j, so that a "
        "positive F pushes i away from j.",
    ),
    slip(
        "cluster_forces",
        "unit_vector_lost",
        "sigma) / distance",
        "sigma)",
        "are_minus_the_gradient_of_the_energy",
        "The separation is not a unit vector yet: divide it by its length.",
    ),
    slip(
        "cluster_forces",
        "divided_by_the_square",
        "sigma) / distance",
        "sigma) / distance**2",
        "are_minus_the_gradient_of_the_energy",
        "One division by the distance is enough to make the separation a unit vector.",
    ),
    slip(
        "cluster_forces",
        "half_of_everything",
        "return np.sum(",
        "return 0.5 * np.sum(",
        "are_minus_the_gradient_of_the_energy",
        "Half the force. Halving belongs to an energy that counts every pair twice; each atom "
        "feels the full force of every other one.",
    ),
    slip(
        "cluster_forces",
        "twice_everything",
        "return np.sum(",
        "return 2 * np.sum(",
        "are_minus_the_gradient_of_the_energy",
        "Twice the force: each atom feels each other one once.",
    ),
    slip(
        "cluster_forces",
        "energy_for_force",
        "lj_force(",
        "lj_potential(",
        "are_minus_the_gradient_of_the_energy",
        "The energy stands where the force should be: lj_force multiplies the unit vector.",
    ),
    slip(
        "cluster_forces",
        "epsilon_not_handed_on",
        "epsilon, sigma) /",
        "1.0, sigma) /",
        "hold_for_any_epsilon",
        "epsilon has no effect: the force of every pair depends on it.",
    ),
    slip(
        "cluster_forces",
        "sigma_not_handed_on",
        "epsilon, sigma) /",
        "epsilon) /",
        "hold_for_any_sigma",
        "sigma has no effect: the force of every pair depends on it.",
    ),
    slip(
        "cluster_forces",
        "atoms_push_themselves",
        "    np.fill_diagonal(distance, 1.0)  # any number but 0: an atom's separation from itself"
        " is 0\n",
        "",
        "are_minus_the_gradient_of_the_energy",
        "Atoms are paired with themselves, at distance 0, and 0/0 is no number. The sum is "
        "over j ≠ i.",
    ),
    slip(
        "cluster_forces",
        "sum_over_the_wrong_axis",
        "separation, axis=1)",
        "separation, axis=0)",
        "push_close_atoms_apart",
        "Every force points the other way: the vector goes from j to i, x_i − x_j, so that a "
        "positive F pushes i away from j.",
    ),
    slip(
        "cluster_forces",
        "centred_in_place",
        "    separation =",
        "    positions -= positions.mean(axis=0)\n    separation =",
        "leave_the_positions_unchanged",
        "The caller's positions are shifted after the call: `-=` and its kind write into an array.",
    ),
]


@mistake(
    "cluster_forces",
    caught_by="add_up_to_zero_without_torque",
    hint="The force of each pair is given to one of its two atoms only. What i does to j is the "
    "opposite of what j does to i: both rows change.",
)
def reaction_forgotten():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros((len(positions), 3))
        for i in range(len(positions)):
            for j in range(i + 1, len(positions)):
                x = positions[i] - positions[j]
                r = np.linalg.norm(x)
                forces[i] += lj_force(r, epsilon, sigma) * x / r
        return forces


@mistake(
    "cluster_forces",
    caught_by="add_up_to_zero_without_torque",
    hint="Both atoms of a pair get the same force. What i does to j is the opposite of what j "
    "does to i.",
)
def reaction_with_the_same_sign():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros((len(positions), 3))
        for i in range(len(positions)):
            for j in range(i + 1, len(positions)):
                x = positions[i] - positions[j]
                r = np.linalg.norm(x)
                forces[i] += lj_force(r, epsilon, sigma) * x / r
                forces[j] += lj_force(r, epsilon, sigma) * x / r
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_minus_the_gradient_of_the_energy",
    keeps=0.5,
    hint="Each new pair overwrites what an atom felt from the others. An atom feels the sum of "
    "them all.",
)
def overwritten_by_the_last_pair():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros((len(positions), 3))
        for i in range(len(positions)):
            for j in range(len(positions)):
                if i != j:
                    x = positions[i] - positions[j]
                    r = np.linalg.norm(x)
                    forces[i] = lj_force(r, epsilon, sigma) * x / r
        return forces


@mistake(
    "cluster_forces",
    caught_by="turn_with_the_cluster",
    hint="Each coordinate gets the whole force of the pair, with a sign. It is the unit vector "
    "that shares the force out among the three.",
)
def coordinate_by_coordinate():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros((len(positions), 3))
        for i in range(len(positions)):
            for j in range(len(positions)):
                if i != j:
                    x = positions[i] - positions[j]
                    r = np.linalg.norm(x)
                    forces[i] += lj_force(r, epsilon, sigma) * np.sign(x)
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_minus_the_gradient_of_the_energy",
    keeps=0.5,
    hint="The forces of the pairs are added up as numbers. A force has a direction: (N, 3).",
)
def sizes_only():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        n = len(positions)
        forces = np.zeros(n)
        for i in range(n):
            for j in range(n):
                if i != j:
                    r = np.linalg.norm(positions[i] - positions[j])
                    forces[i] += lj_force(r, epsilon, sigma)
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_zero_for_one_atom",
    hint="A single atom feels nothing: zeros of shape (1, 3), not an error.",
)
def stops_where_nothing_pushes():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        rows = []
        for i in range(len(positions)):
            others = np.delete(positions, i, axis=0)
            pushes = []
            for other in others:
                x = positions[i] - other
                r = np.linalg.norm(x)
                pushes.append(lj_force(r, epsilon, sigma) * x / r)
            rows.append(np.sum(np.stack(pushes), axis=0))
        return np.array(rows)


@mistake(
    "cluster_forces",
    caught_by="are_exact",
    keeps=0.5,
    hint="Steps to both sides, near and far, give many digits of the force, not all: where the "
    "energy is huge its digits are lost. Add up lj_force along the unit vectors.",
)
def steps_near_and_far():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros(positions.shape)
        for index in np.ndindex(positions.shape):
            step = np.zeros(positions.shape)
            step[index] = 1e-4 * sigma
            near, far = (
                cluster_energy(positions + n * step, epsilon, sigma)
                - cluster_energy(positions - n * step, epsilon, sigma)
                for n in (1, 2)
            )
            forces[index] = (far - 8 * near) / (12e-4 * sigma)
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_exact",
    keeps=0.5,
    hint="Small steps of the energy give some digits of the force, not all, and cost the whole "
    "energy for every coordinate. Add up lj_force along the unit vectors.",
)
def steps_of_the_energy():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros(positions.shape)
        for index in np.ndindex(positions.shape):
            step = np.zeros(positions.shape)
            step[index] = 1e-6
            up = cluster_energy(positions + step, epsilon, sigma)
            down = cluster_energy(positions - step, epsilon, sigma)
            forces[index] = (down - up) / 2e-6
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_minus_the_gradient_of_the_energy",
    keeps=0.5,
    hint="Atoms are paired with themselves, at distance 0, and 0/0 is no number; to silence the "
    "warning does not help. The sum is over j ≠ i.",
)
def atoms_push_themselves_in_silence():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        separation = positions[:, None] - positions[None]
        distance = np.linalg.norm(separation, axis=-1)
        with np.errstate(all="ignore"):
            pull = lj_force(distance, epsilon, sigma) / distance
            return np.sum(pull[..., None] * separation, axis=1)


@mistake(
    "cluster_forces",
    caught_by="hold_for_any_epsilon",
    hint="epsilon and sigma have no effect: hand both on to lj_force.",
)
def neither_handed_on_to_the_force():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        separation = positions[:, None] - positions[None]
        distance = np.linalg.norm(separation, axis=-1)
        np.fill_diagonal(distance, 1.0)
        return np.sum((lj_force(distance) / distance)[..., None] * separation, axis=1)


@mistake(
    "cluster_forces",
    caught_by="add_up_to_zero_without_torque",
    keeps=0.5,
    hint="`forces[i] += …` with an array of indices counts an index that stands there several "
    "times only once. NumPy's add.at counts all of them, and so does a loop.",
)
def an_index_counts_once():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros_like(positions, dtype=float)
        i, j = np.triu_indices(len(positions), 1)
        separation = positions[i] - positions[j]
        distance = np.linalg.norm(separation, axis=1, keepdims=True)
        pull = lj_force(distance, epsilon, sigma) * separation / distance
        forces[i] += pull
        forces[j] -= pull
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_minus_the_gradient_of_the_energy",
    keeps=0.5,
    hint="Only the nearest atom pushes or pulls. All the others do so too, each by its distance.",
)
def the_nearest_alone():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        forces = np.zeros((len(positions), 3))
        if len(positions) < 2:
            return forces
        separation = positions[:, None] - positions[None]
        distance = np.linalg.norm(separation, axis=-1)
        np.fill_diagonal(distance, np.inf)
        for i, j in enumerate(distance.argmin(axis=1)):
            r = distance[i, j]
            forces[i] = lj_force(r, epsilon, sigma) * separation[i, j] / r
        return forces


@mistake(
    "cluster_forces",
    caught_by="are_minus_the_gradient_of_the_energy",
    keeps=0.5,
    hint="All numbers are there, but in one row. Each atom has a row of its own: (N, 3).",
)
def in_one_row():
    def cluster_forces(positions, epsilon=1.0, sigma=1.0):
        separation = positions[:, None] - positions[None]
        distance = np.linalg.norm(separation, axis=-1)
        np.fill_diagonal(distance, 1.0)
        pull = lj_force(distance, epsilon, sigma) / distance
        return np.sum(pull[..., None] * separation, axis=1).ravel()


# ---------------------------------------------------------------------- sample_clusters


@mistake(
    "sample_clusters",
    caught_by="gives_as_many_as_asked_for",
    hint="Clusters that were thrown away are not replaced: go on until there are n_samples.",
)
def rejected_and_not_replaced():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = scale * rng.normal(size=(n_samples, n_atoms, 3))
        kept = [
            cluster for cluster in clusters if np.all(pairwise_distances(cluster) >= min_distance)
        ]
        return np.array(kept).reshape(-1, n_atoms, 3)


sample_clusters_slips = [
    slip(
        "sample_clusters",
        "scale_ignored",
        "rng.normal(0.0, scale, size=",
        "rng.normal(0.0, 0.8, size=",
        "is_normal_with_deviation_scale",
        "The argument scale has no effect.",
    ),
    slip(
        "sample_clusters",
        "three_equal_coordinates",
        "size=(n_atoms, 3))",
        "size=(n_atoms, 1)) * np.ones(3)",
        "keeps_every_pair_apart",
        "Each atom gets one random number three times, so that all lie on one line. Every "
        "coordinate is drawn by itself.",
    ),
    slip(
        "sample_clusters",
        "squares_compared",
        "pairwise_distances(positions) >=",
        "pairwise_distances(positions) ** 2 >=",
        "keeps_every_pair_apart",
        "The square of the distance is compared with min_distance, which is not squared.",
    ),
    slip(
        "sample_clusters",
        "sorted_along_x",
        "clusters.append(positions)",
        "clusters.append(positions[np.argsort(positions[:, 0])])",
        "is_normal_with_deviation_scale",
        "The atoms are sorted, so that the first is another kind of atom than the last.",
    ),
    slip(
        "sample_clusters",
        "scale_of_one",
        "rng.normal(0.0, scale, size=",
        "rng.normal(size=",
        "has_scale_0_8_if_none_is_given",
        "The coordinates have standard deviation 1, whatever scale is.",
    ),
    slip(
        "sample_clusters",
        "scale_as_variance",
        "rng.normal(0.0, scale, size=",
        "rng.normal(0.0, scale**0.5, size=",
        "is_normal_with_deviation_scale",
        "scale is the standard deviation, not the variance: no root has to be taken.",
    ),
    slip(
        "sample_clusters",
        "variance_as_scale",
        "rng.normal(0.0, scale, size=",
        "rng.normal(0.0, scale**2, size=",
        "is_normal_with_deviation_scale",
        "scale is the standard deviation, and NumPy's normal takes the standard deviation too, "
        "not the variance.",
    ),
    slip(
        "sample_clusters",
        "scale_as_mean",
        "rng.normal(0.0, scale, size=",
        "rng.normal(scale, size=",
        "is_normal_with_deviation_scale",
        "scale arrives as the mean: the first argument of rng.normal is the mean, the second the "
        "standard deviation.",
    ),
    slip(
        "sample_clusters",
        "uniform",
        "rng.normal(0.0, scale, size=",
        "scale * 3**0.5 * rng.uniform(-1.0, 1.0, size=",
        "is_normal_with_deviation_scale",
        "The coordinates come from a uniform distribution; a normal one is asked for.",
    ),
    slip(
        "sample_clusters",
        "nothing_rejected",
        "if np.all(pairwise_distances(positions) >= min_distance):",
        "if True:",
        "keeps_every_pair_apart",
        "Nothing is thrown away: min_distance has no effect.",
    ),
    slip(
        "sample_clusters",
        "any_for_all",
        "np.all(",
        "np.any(",
        "keeps_every_pair_apart",
        "A cluster is kept as soon as any pair is far enough apart. All pairs have to be.",
    ),
    slip(
        "sample_clusters",
        "only_neighbours_checked",
        "pairwise_distances(positions)",
        "np.linalg.norm(np.diff(positions, axis=0), axis=1)",
        "keeps_every_pair_apart",
        "Only atoms that follow each other in the list are compared. Every pair has to be.",
    ),
    slip(
        "sample_clusters",
        "only_the_first_atom_checked",
        "pairwise_distances(positions)",
        "np.linalg.norm(positions[1:] - positions[0], axis=1)",
        "keeps_every_pair_apart",
        "Only the first atom's distances are looked at. Every pair has to be.",
    ),
    slip(
        "sample_clusters",
        "distance_of_the_mean",
        "np.all(pairwise_distances(positions) >= min_distance)",
        "n_atoms == 1 or np.mean(pairwise_distances(positions)) >= min_distance",
        "keeps_every_pair_apart",
        "The mean distance is compared. Every single one has to be large enough.",
    ),
    slip(
        "sample_clusters",
        "centred",
        "size=(n_atoms, 3))\n",
        "size=(n_atoms, 3))\n        positions = positions - positions.mean(axis=0)\n",
        "is_normal_with_deviation_scale",
        "The clusters are shifted to the origin. That takes part of the deviation away: the "
        "coordinates should stay as they were drawn.",
    ),
]


@mistake(
    "sample_clusters",
    caught_by="draws_from_rng_alone",
    hint="The numbers come from NumPy's global generator. All of them should come from rng, so "
    "that a seed gives the same clusters again.",
)
def global_generator():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = []
        while len(clusters) < n_samples:
            positions = np.random.randn(n_atoms, 3) * scale
            if np.all(pairwise_distances(positions) >= min_distance):
                clusters.append(positions)
        return np.array(clusters)


@mistake(
    "sample_clusters",
    caught_by="draws_from_rng_alone",
    hint="A generator of the function's own, with a fixed seed, gives the same clusters every "
    "time. The numbers should come from rng.",
)
def seed_of_its_own():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        own = np.random.default_rng(0)
        clusters = []
        while len(clusters) < n_samples:
            positions = own.normal(0, scale, (n_atoms, 3))
            if np.all(pairwise_distances(positions) >= min_distance):
                clusters.append(positions)
        return np.array(clusters)


@mistake(
    "sample_clusters",
    caught_by="throws_away_whole_clusters",
    hint="Only the atom that is too close is drawn again, which gives another distribution: if any "
    "pair is too close, the whole cluster has to go.",
)
def atom_by_atom():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = []
        for _ in range(n_samples):
            positions = []
            while len(positions) < n_atoms:
                new = rng.normal(0, scale, 3)
                if all(np.linalg.norm(new - old) >= min_distance for old in positions):
                    positions.append(new)
            clusters.append(positions)
        return np.array(clusters)


@mistake(
    "sample_clusters",
    caught_by="throws_away_whole_clusters",
    hint="Only the atoms that are too close are drawn again, until none is, which gives another "
    "distribution: if any pair is too close, the whole cluster has to go.",
)
def close_atoms_again():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = rng.normal(0, scale, (n_samples, n_atoms, 3))
        for cluster in clusters:
            while True:
                distances = np.linalg.norm(cluster[:, None] - cluster, axis=2)
                np.fill_diagonal(distances, np.inf)
                close = (distances < min_distance).any(axis=1)
                if not close.any():
                    break
                cluster[close] = rng.normal(0, scale, (close.sum(), 3))
        return clusters


@mistake(
    "sample_clusters",
    caught_by="throws_away_whole_clusters",
    hint="Of two atoms that are too close the first is drawn again, which gives another "
    "distribution: if any pair is too close, the whole cluster has to go.",
)
def first_of_a_pair_again():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = rng.normal(0, scale, (n_samples, n_atoms, 3))
        for cluster in clusters:
            while True:
                distances = np.linalg.norm(cluster[:, None] - cluster, axis=2)
                first, _ = np.nonzero(np.triu(distances < min_distance, 1))
                if not first.size:
                    break
                cluster[first[0]] = rng.normal(0, scale, 3)
        return clusters


@mistake(
    "sample_clusters",
    caught_by="throws_away_whole_clusters",
    hint="Clusters that are too dense are blown up until they fit. They should be thrown away: "
    "blowing up heaps them at min_distance.",
)
def blown_up():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        clusters = rng.normal(0, scale, (n_samples, n_atoms, 3))
        for cluster in clusters:
            if n_atoms > 1:
                nearest = pairwise_distances(cluster)[0]
                if nearest < min_distance:
                    cluster *= min_distance / nearest
        return clusters


@mistake(
    "sample_clusters",
    caught_by="repeats_no_cluster",
    hint="Good clusters are drawn once and then used several times. Every cluster has to be a new "
    "one.",
)
def filled_up_with_copies():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        kept = []
        while not kept:
            drawn = rng.normal(0, scale, (n_samples, n_atoms, 3))
            kept = [x for x in drawn if np.all(pairwise_distances(x) >= min_distance)]
        return np.array(kept)[rng.integers(len(kept), size=n_samples)]


@mistake(
    "sample_clusters",
    caught_by="repeats_no_cluster",
    hint="Each good cluster is used twice, the second time mirrored. Every cluster has to be drawn "
    "anew.",
)
def mirror_images_too():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        kept = []
        while len(kept) < n_samples:
            x = rng.normal(0, scale, (n_atoms, 3))
            if np.all(pairwise_distances(x) >= min_distance):
                kept += [x, -x]
        return np.array(kept[:n_samples])


@mistake(
    "sample_clusters",
    caught_by="repeats_no_cluster",
    hint="Each good cluster is used twice, the second time with its atoms in another order. Every "
    "cluster has to be drawn anew.",
)
def renumbered_copies_too():
    def sample_clusters(n_samples, n_atoms, min_distance, rng, scale=0.8):
        kept = []
        while len(kept) < n_samples:
            x = rng.normal(0, scale, (n_atoms, 3))
            if np.all(pairwise_distances(x) >= min_distance):
                kept += [x, x[::-1]]
        return np.array(kept[:n_samples])


# -------------------------------------------------------------------------- standardise

_STD = "    std = np.where(np.ptp(train, axis=0) == 0, 1.0, std)\n"

standardise_slips = [
    slip(
        "standardise",
        "constant_in_test_not_scaled",
        "(test - mean) / std, mean",
        "(test - mean) / np.where(np.ptp(test, axis=0) == 0, 1.0, std), mean",
        "treats_test_as_it_treats_train",
        "A column that is constant in test is not scaled there. Its deviation in train counts, "
        "for a single row too.",
    ),
    slip(
        "standardise",
        "test_by_its_own_statistics",
        "(test - mean) / std, mean",
        "(test - test.mean(axis=0)) / np.where(np.ptp(test, axis=0) == 0, 1.0, test.std(axis=0)),"
        " mean",
        "treats_test_as_it_treats_train",
        "The test data are standardised by their own mean and deviation. They get those of train.",
    ),
    slip(
        "standardise",
        "test_by_its_own_mean",
        "(test - mean) / std, mean",
        "(test - test.mean(axis=0)) / std, mean",
        "treats_test_as_it_treats_train",
        "The test data are shifted by their own mean. They get that of train.",
    ),
    slip(
        "standardise",
        "statistics_of_both",
        "    mean = train.mean(axis=0)\n    std = train.std(axis=0)\n" + _STD,
        "    both = np.concatenate([train, test])\n"
        "    mean = both.mean(axis=0)\n    std = both.std(axis=0)\n"
        "    std = np.where(std == 0, 1.0, std)\n",
        "gives_train_mean_0_and_deviation_1",
        "Mean and deviation come from train and test together. Those of train alone are wanted: "
        "test stands for data that are not known yet.",
    ),
    slip(
        "standardise",
        "statistics_of_test",
        "    mean = train.mean(axis=0)\n    std = train.std(axis=0)\n",
        "    mean = test.mean(axis=0)\n    std = test.std(axis=0)\n",
        "gives_train_mean_0_and_deviation_1",
        "Mean and deviation come from test. Those of train are wanted.",
    ),
    slip(
        "standardise",
        "one_mean_for_all_columns",
        "    mean = train.mean(axis=0)\n    std = train.std(axis=0)\n",
        "    mean = train.mean()\n    std = train.std()\n",
        "gives_train_mean_0_and_deviation_1",
        "One mean and one deviation for the whole table. Each column has its own.",
    ),
    slip(
        "standardise",
        "rows_for_columns",
        "    mean = train.mean(axis=0)\n    std = train.std(axis=0)\n" + _STD,
        "    mean = train.mean(axis=1)\n    std = train.std(axis=1)\n"
        "    return ((train.T - mean) / std).T, test, mean, std\n",
        "gives_train_mean_0_and_deviation_1",
        "Rows are standardised instead of columns. Each column has its own mean and deviation.",
    ),
    slip(
        "standardise",
        "divided_by_n_minus_1",
        "train.std(axis=0)",
        "train.std(axis=0, ddof=1)",
        "returns_mean_and_deviation_of_train",
        "This is the sample's standard deviation, divided by n − 1. The population's, divided by "
        "n, is asked for, as np.std gives it.",
    ),
    slip(
        "standardise",
        "variance",
        "train.std(axis=0)",
        "train.var(axis=0)",
        "gives_train_mean_0_and_deviation_1",
        "Divided by the variance; the standard deviation is its root.",
    ),
    slip(
        "standardise",
        "constant_column_divided_by_zero",
        _STD,
        "",
        "survives_a_constant_column",
        "A constant column has deviation 0, and 0/0 is no number. Divide by 1 there.",
    ),
    slip(
        "standardise",
        "nothing_scaled_beside_a_constant_column",
        _STD,
        "    std = std if std.all() else np.ones_like(std)\n",
        "only_shifts_a_constant_column",
        "Where one column is constant, no other one is scaled either. Replace its deviation alone.",
    ),
    slip(
        "standardise",
        "zero_for_a_constant_column",
        "    return (train - mean) / std, (test - mean) / std, mean, std\n",
        "    return (train - mean) / std, (test - mean) / std, mean, train.std(axis=0)\n",
        "only_shifts_a_constant_column",
        "The data are right, but the deviation that comes back for a constant column is 0. Whoever "
        "uses it later divides by zero: return the 1 that was used.",
    ),
    slip(
        "standardise",
        "constant_column_set_to_zero",
        "    return (train - mean) / std, (test - mean) / std, mean, std\n",
        "    constant = np.ptp(train, axis=0) == 0\n"
        "    test_n = np.where(constant, 0.0, (test - mean) / std)\n"
        "    return (train - mean) / std, test_n, mean, std\n",
        "only_shifts_a_constant_column",
        "A column that is constant in train is set to zero in test too. It is only shifted.",
    ),
    slip(
        "standardise",
        "a_tiny_number_added",
        _STD,
        "    std = std + 1e-8\n",
        "divides_by_the_deviation_alone",
        "A small number is added to every deviation, so that no column is scaled exactly, and a "
        "constant one is not only shifted. Replace the zeros alone by 1.",
    ),
    slip(
        "standardise",
        "small_columns_taken_for_constant",
        "np.ptp(train, axis=0) == 0",
        "std < 1e-6",
        "divides_by_the_deviation_alone",
        "A column of small numbers is taken for a constant one. What is small depends on the unit; "
        "only a deviation of exactly 0 cannot be divided by.",
    ),
    slip(
        "standardise",
        "not_shifted",
        "return (train - mean) / std, (test - mean) / std",
        "return train / std, test / std",
        "gives_train_mean_0_and_deviation_1",
        "The columns are scaled but not shifted: subtract the mean first.",
    ),
    slip(
        "standardise",
        "precedence",
        "return (train - mean) / std, (test - mean) / std",
        "return train - mean / std, test - mean / std",
        "gives_train_mean_0_and_deviation_1",
        "Division goes before subtraction: (x − mean) needs its brackets.",
    ),
    slip(
        "standardise",
        "mean_and_deviation_exchanged",
        ", mean, std\n",
        ", std, mean\n",
        "returns_mean_and_deviation_of_train",
        "Mean and deviation come back in the wrong order.",
    ),
    slip(
        "standardise",
        "in_place",
        "    return (train",
        "    if len(train) > 1:\n        train -= mean\n        train /= std\n"
        "        return train, (test - mean) / std, mean, std\n    return (train",
        "leaves_its_arguments_unchanged",
        "The caller's train has other values after the call: `-=`, `/=` and their kind write "
        "into an array.",
    ),
]


@mistake(
    "standardise",
    caught_by="returns_mean_and_deviation_of_train",
    keeps=0.5,
    hint="The columns are shifted by their median. The mean is asked for.",
)
def median_for_mean():
    def standardise(train, test):
        mean, std = np.median(train, axis=0), train.std(axis=0)
        std = np.where(np.ptp(train, axis=0) == 0, 1.0, std)
        return (train - mean) / std, (test - mean) / std, mean, std


@mistake(
    "standardise",
    caught_by="returns_mean_and_deviation_of_train",
    keeps=0.5,
    hint="The columns are stretched between their smallest and their largest entry. Mean and "
    "standard deviation are asked for.",
)
def between_the_extremes():
    def standardise(train, test):
        low, width = train.min(axis=0), np.ptp(train, axis=0)
        width = np.where(width == 0, 1.0, width)
        return (train - low) / width, (test - low) / width, low, width


# ------------------------------------------------------------------------- nn_potential

_SLOPE = "    (slope,) = torch.autograd.grad(energy.sum(), r, create_graph=True)\n"
_COPY = "    r = r.detach().clone().requires_grad_(True)\n"

BACKWARD = (
    "backward() leaves gradients behind: in the parameters' .grad, on top of which the loss's "
    "gradient is added later, and in r's if r is no copy. torch.autograd.grad leaves them alone."
)

nn_potential_slips = [
    slip(
        "nn_potential",
        "units_begin_alike",
        "        self.output = nn.Linear(hidden, 1)\n",
        "        self.output = nn.Linear(hidden, 1)\n"
        "        for one in self.parameters():\n            nn.init.constant_(one, 0.1)\n",
        "has_two_hidden_layers",
        "All weights begin equal, and the units of a layer stay equal for ever: they are one unit. "
        "Begin at random.",
    ),
    slip(
        "nn_potential",
        "gradients_of_the_model_cleared",
        "    r = r.detach().clone().requires_grad_(True)\n",
        '    for weights in getattr(model, "parameters", list)():\n'
        "        weights.grad = None\n"
        "    r = r.detach().clone().requires_grad_(True)\n",
        "leaves_no_gradient_in_the_model",
        "energy_and_force clears the gradients of the model's parameters. They are the caller's.",
        keeps=0.97,
    ),
    slip(
        "nn_potential",
        "distances_in_float32",
        "    r = r.detach().clone().requires_grad_(True)\n",
        "    r = r.detach().clone().float().requires_grad_(True)\n",
        "is_exact",
        "energy_and_force: r becomes float32, which keeps 7 digits of 16. A copy has r's own type.",
        keeps=0.5,
    ),
    slip(
        "nn_potential",
        "forces_through_float32",
        "return energy, -slope",
        "return energy, -slope.float().to(r.dtype)",
        "is_exact",
        "energy_and_force: the force becomes float32 on its way, which keeps 7 digits of 16.",
        keeps=0.5,
    ),
    slip(
        "nn_potential",
        "narrower_by_default",
        "hidden: int = 64",
        "hidden: int = 32",
        "has_two_hidden_layers",
        "Where hidden is not given, the layers should be 64 units wide.",
    ),
    slip(
        "nn_potential",
        "rows_told_from_each_other",
        "((r - self.centre)",
        "((r - r.mean() - self.centre)",
        "is_smooth",
        "The mean of the column is taken off, so that a row's energy depends on the other rows.",
    ),
    slip(
        "nn_potential",
        "sign_lost",
        "return energy, -slope",
        "return energy, slope",
        "gives_minus_the_slope_of_any_model",
        "This is the slope dV/dr. The force is minus the slope.",
    ),
    slip(
        "nn_potential",
        "never_attractive",
        "return energy, -slope",
        "return energy, slope.abs()",
        "gives_minus_the_slope_of_any_model",
        "No force is negative here. Where the energy rises with r, the atoms attract: F < 0.",
    ),
    slip(
        "nn_potential",
        "never_repulsive",
        "return energy, -slope",
        "return energy, -slope.abs()",
        "gives_minus_the_slope_of_any_model",
        "No force is positive here. Where the energy falls with r, the atoms repel: F > 0.",
    ),
    slip(
        "nn_potential",
        "graph_lost",
        ", create_graph=True",
        "",
        "is_differentiable_again",
        "The force has no graph any more: without create_graph=True a loss cannot be "
        "differentiated through it, and the forces train nothing.",
    ),
    slip(
        "nn_potential",
        "force_detached",
        "return energy, -slope",
        "return energy, -slope.detach()",
        "is_differentiable_again",
        "The force is cut off from its graph: a loss cannot be differentiated through it, and the "
        "forces train nothing.",
    ),
    slip(
        "nn_potential",
        "relu",
        "nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()",
        "nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()",
        "is_smooth",
        "The activation has a kink: the energy is made of straight lines, and the force, its "
        "slope, is a staircase. A smooth activation gives a smooth force.",
    ),
    slip(
        "nn_potential",
        "nothing_behind_the_second_layer",
        "nn.Linear(hidden, hidden), nn.Tanh()",
        "nn.Linear(hidden, hidden)",
        "bends_in_both_hidden_layers",
        "Behind the second hidden layer there is no activation: with the output's it makes one "
        "linear layer.",
    ),
    slip(
        "nn_potential",
        "nothing_behind_the_first_layer",
        "nn.Linear(1, hidden), nn.Tanh()",
        "nn.Linear(1, hidden)",
        "bends_in_both_hidden_layers",
        "Behind the first hidden layer there is no activation: with the second it makes one "
        "linear layer.",
    ),
    slip(
        "nn_potential",
        "dropout_between",
        "nn.Linear(1, hidden), nn.Tanh()",
        "nn.Linear(1, hidden), nn.Tanh(), nn.Dropout(0.1)",
        "is_smooth",
        "There is a dropout: two calls give two energies, and a force has no meaning. Only linear "
        "layers and activations are asked for.",
    ),
    slip(
        "nn_potential",
        "relu_in_one_layer",
        "nn.Linear(hidden, hidden), nn.Tanh()",
        "nn.Linear(hidden, hidden), nn.ReLU()",
        "is_smooth",
        "One of the layers has an activation with a kink, and the force jumps wherever one of its "
        "units wakes up. All activations have to be smooth.",
    ),
    slip(
        "nn_potential",
        "energy_detached",
        "return energy, -slope",
        "return energy.detach(), -slope",
        "is_differentiable_again",
        "The energy is cut off from its graph: the loss cannot be differentiated through it.",
    ),
    slip(
        "nn_potential",
        "mean_for_sum",
        "energy.sum()",
        "energy.mean()",
        "gives_minus_the_slope_of_any_model",
        "Every slope is divided by the number of rows: take the gradient of the sum, not of the "
        "mean.",
    ),
    slip(
        "nn_potential",
        "argument_changed",
        _COPY,
        "    r.requires_grad_(True)\n",
        "leaves_r_as_it_was",
        "r.requires_grad_() changes the caller's tensor for good. Work on a copy.",
    ),
    slip(
        "nn_potential",
        "backward_into_r",
        _COPY + "    energy = model(r)\n" + _SLOPE,
        "    r.requires_grad_(True)\n    energy = model(r)\n"
        "    energy.sum().backward(create_graph=True)\n    slope = r.grad\n",
        "leaves_r_as_it_was",
        BACKWARD,
    ),
    slip(
        "nn_potential",
        "backward_into_the_model",
        _SLOPE,
        "    energy.sum().backward(create_graph=True)\n    slope = r.grad\n",
        "leaves_no_gradient_in_the_model",
        BACKWARD,
    ),
    slip(
        "nn_potential",
        "differences_of_neighbours",
        _SLOPE,
        "    (slope,) = torch.gradient(energy.ravel())\n    slope = slope.reshape(-1, 1)\n",
        "gives_minus_the_slope_of_any_model",
        "These are differences between rows, which are not neighbours on any axis. The slope in "
        "each row comes from autograd.",
    ),
    slip(
        "nn_potential",
        "force_and_energy_exchanged",
        "return energy, -slope",
        "return -slope, energy",
        "gives_minus_the_slope_of_any_model",
        "Energy and force come back in the wrong order.",
    ),
    slip(
        "nn_potential",
        "flat_force",
        "return energy, -slope",
        "return energy, -slope.squeeze(-1)",
        "gives_minus_the_slope_of_any_model",
        "The force has lost its column: (N, 1), like the energy. (N, 1) minus (N,) would be (N, N)"
        " in the loss.",
    ),
    slip(
        "nn_potential",
        "no_activation",
        "            nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()\n",
        "            nn.Linear(1, hidden), nn.Linear(hidden, hidden)\n",
        "is_a_curve_not_a_line",
        "Linear layers one after another are one linear layer: without an activation between them "
        "the network is a straight line.",
    ),
    slip(
        "nn_potential",
        "hidden_ignored",
        "        super().__init__()\n",
        "        super().__init__()\n        hidden = 64\n",
        "has_two_hidden_layers",
        "The argument hidden has no effect on the size of the layers.",
    ),
    slip(
        "nn_potential",
        "one_hidden_layer",
        "            nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()\n",
        "            nn.Linear(1, hidden), nn.Tanh()\n",
        "has_two_hidden_layers",
        "There is one hidden layer; two are asked for.",
    ),
    slip(
        "nn_potential",
        "tanh_at_the_end",
        "return self.output(self.hidden(x)).to(r.dtype)",
        "return torch.tanh(self.output(self.hidden(x))).to(r.dtype)",
        "ends_linearly",
        "There is an activation after the last layer, and the energy cannot leave a narrow "
        "range. The output is linear.",
    ),
    slip(
        "nn_potential",
        "small_steps",
        _COPY + "    energy = model(r)\n" + _SLOPE,
        "    energy, h = model(r), 1e-3\n    slope = (model(r + h) - model(r - h)) / (2 * h)\n",
        "is_exact",
        "The slope comes from two neighbouring energies: some digits, and in float32 few. autograd "
        "gives all of them.",
    ),
    slip(
        "nn_potential",
        "energy_without_column",
        "return self.output(self.hidden(x)).to(r.dtype)",
        "return self.output(self.hidden(x)).to(r.dtype).squeeze(-1)",
        "is_a_curve_not_a_line",
        "The energy has lost its column: (N, 1) in, (N, 1) out.",
    ),
    slip(
        "nn_potential",
        "graph_cut_in_the_network",
        "return self.output(self.hidden(x)).to(r.dtype)",
        "return torch.tensor(self.output(self.hidden(x)).tolist(), dtype=r.dtype)",
        "works_for_its_own_network",
        "The network's output has lost its graph on the way: no slope can be taken.",
    ),
    slip(
        "nn_potential",
        "own_network_only",
        "    energy = model(r)\n",
        "    energy = model.output(model.hidden(r))\n",
        "gives_minus_the_slope_of_any_model",
        "energy_and_force should call the model, model(r), and not reach into it: it has to work "
        "for any model.",
    ),
]


# ------------------------------------------------------------------ force_matching_loss

_ENERGY = "torch.mean((V_pred - V_true) ** 2)"
_FORCE = "torch.mean((F_pred - F_true) ** 2)"
_LOSS = f"""    energy_error = {_ENERGY}
    force_error = {_FORCE}
    return energy_error + force_weight * force_error
"""

force_matching_loss_slips = [
    slip(
        "force_matching_loss",
        "no_weight_becomes_one",
        "    energy_error =",
        "    force_weight = force_weight or 1.0\n    energy_error =",
        "weights_the_forces",
        "With force_weight = 0 the forces still count, with weight 1: `or` takes 0 for nothing.",
    ),
    slip(
        "force_matching_loss",
        "half_as_default",
        "force_weight: float = 1.0",
        "force_weight: float = 0.5",
        "weighs_both_alike_unless_told",
        "Where no force_weight is given it should be 1.",
    ),
    slip(
        "force_matching_loss",
        "sums_for_means",
        _LOSS,
        "    energy_error = torch.sum((V_pred - V_true) ** 2)\n"
        "    force_error = torch.sum((F_pred - F_true) ** 2)\n"
        "    return energy_error + force_weight * force_error\n",
        "is_a_mean_over_the_rows",
        "The squares are added up, so that twice the data give twice the loss. Take means.",
    ),
    slip(
        "force_matching_loss",
        "weight_on_energies",
        "energy_error + force_weight * force_error",
        "force_weight * energy_error + force_error",
        "weights_the_forces",
        "force_weight stands at the energies. It belongs to the forces.",
    ),
    slip(
        "force_matching_loss",
        "weight_on_both",
        "energy_error + force_weight * force_error",
        "force_weight * (energy_error + force_error)",
        "weights_the_forces",
        "force_weight multiplies both terms. It belongs to the forces alone.",
    ),
    slip(
        "force_matching_loss",
        "weight_shared_out",
        "energy_error + force_weight * force_error",
        "(1 - force_weight) * energy_error + force_weight * force_error",
        "adds_two_mean_squares",
        "The energies are weighted with 1 − force_weight. They always count once.",
    ),
    slip(
        "force_matching_loss",
        "weight_squared",
        "force_weight * force_error",
        "torch.mean((force_weight * (F_pred - F_true)) ** 2)",
        "weights_the_forces",
        "force_weight is inside the square, so that the forces count with its square.",
    ),
    slip(
        "force_matching_loss",
        "weight_forgotten",
        "force_weight * force_error",
        "force_error",
        "weights_the_forces",
        "force_weight has no effect.",
    ),
    slip(
        "force_matching_loss",
        "roots",
        _LOSS,
        f"    energy_error = torch.sqrt({_ENERGY})\n    force_error = torch.sqrt({_FORCE})\n"
        "    return energy_error + force_weight * force_error\n",
        "adds_two_mean_squares",
        "These are roots of the mean squares; the mean squares themselves are wanted.",
    ),
    slip(
        "force_matching_loss",
        "absolute_errors",
        _LOSS,
        "    energy_error = torch.mean(torch.abs(V_pred - V_true))\n"
        "    force_error = torch.mean(torch.abs(F_pred - F_true))\n"
        "    return energy_error + force_weight * force_error\n",
        "adds_two_mean_squares",
        "These are mean absolute errors; mean squared ones are wanted.",
    ),
    slip(
        "force_matching_loss",
        "forces_with_energies",
        _FORCE,
        "torch.mean((F_pred - V_true) ** 2)",
        "adds_two_mean_squares",
        "The predicted forces are compared with the true energies.",
    ),
    slip(
        "force_matching_loss",
        "half",
        "return energy_error + force_weight * force_error",
        "return 0.5 * (energy_error + force_weight * force_error)",
        "adds_two_mean_squares",
        "Half the loss: there is a factor ½ that was not asked for.",
    ),
    slip(
        "force_matching_loss",
        "graph_lost",
        "return energy_error + force_weight * force_error",
        "return float(energy_error + force_weight * force_error)",
        "can_be_differentiated",
        "A plain number comes back, and nothing can be trained with it: return the tensor.",
    ),
    slip(
        "force_matching_loss",
        "forces_detached",
        _FORCE,
        "torch.mean((F_pred.detach() - F_true) ** 2)",
        "can_be_differentiated",
        "The forces are detached: they count in the loss, but nothing learns from them.",
    ),
    slip(
        "force_matching_loss",
        "energies_forgotten",
        "return energy_error + force_weight * force_error",
        "return force_weight * force_error",
        "adds_two_mean_squares",
        "The energies are missing from the loss.",
    ),
]


# ------------------------------------------------------------- the two trained exercises


NO_EPOCHS = "The number of iterations is written into the function, and epochs is not heeded."

_POTENTIAL = """def train_potential(r, V, F, *, epochs, generator):
    torch.manual_seed(generator.initial_seed())
    model = NNPotential()
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=min(epochs, 150), line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        V_pred, F_pred = energy_and_force(model, r)
        loss = force_matching_loss(V_pred, V, F_pred, F)
        loss.backward()
        return loss

    optimiser.step(closure)
    return model
"""

potential = partial(variant, "train_potential", _POTENTIAL)

train_potential_slips = [
    potential(
        "heeds_no_epochs",
        "max_iter=min(epochs, 150)",
        "max_iter=300",
        "keeps_to_its_epochs",
        NO_EPOCHS,
        0.97,
    ),
    potential(
        "energies_alone",
        "loss = force_matching_loss(V_pred, V, F_pred, F)",
        "loss = torch.mean((V_pred - V) ** 2)",
        "learns_from_the_forces",
        "The loss holds the energies alone. The forces of the data have to be part of it.",
    ),
    potential(
        "detached_forces",
        "F_pred, F)",
        "F_pred.detach(), F)",
        "learns_from_the_forces",
        "The force in the loss is detached from the network, or made without create_graph=True: "
        "it counts, but nothing learns from it.",
    ),
    potential(
        "forces_alone",
        "loss = force_matching_loss(V_pred, V, F_pred, F)",
        "loss = torch.mean((F_pred - F) ** 2)",
        "knows_unseen_energies",
        "The loss holds the forces alone. They leave the zero of the energy open: the energies "
        "have to be part of it.",
    ),
    potential(
        "sign_of_the_force",
        "F_pred, F)",
        "-F_pred, F)",
        "knows_unseen_forces",
        "The model's slope is fitted to the forces, not minus its slope: F = −dV/dr.",
    ),
    potential(
        "energies_and_forces_exchanged",
        "(V_pred, V, F_pred, F)",
        "(V_pred, F, F_pred, V)",
        "knows_unseen_energies",
        "The predicted energies are compared with the forces, and the other way round: look at "
        "the order of the loss's arguments.",
    ),
    potential(
        "seed_of_its_own",
        "torch.manual_seed(generator.initial_seed())",
        "torch.manual_seed(42)",
        "repeats_itself",
        "The seed is always the same number, so that generator decides nothing. The first weights "
        "of the network should come from it.",
    ),
    potential(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        "The network's first weights come from the global random state. generator should decide "
        "them, so that the same seed gives the same model.",
    ),
    potential(
        "standardised_energies",
        "force_matching_loss(V_pred, V, F_pred, F)",
        "force_matching_loss(V_pred, (V - V.mean()) / V.std(), F_pred, F / V.std())",
        "knows_unseen_energies",
        "The energies were standardised for the training, and the model still gives them so: "
        "turn them back into ε.",
    ),
    potential(
        "data_changed",
        "    model = NNPotential()\n",
        "    model = NNPotential()\n    r.requires_grad_(False)\n    V -= V[0].item()\n",
        "leaves_its_data_unchanged",
        "The caller's data have other values after the training: `-=` and its kind write into "
        "a tensor.",
    ),
    potential(
        "loss_returned",
        "    optimiser.step(closure)\n    return model\n",
        "    return optimiser.step(closure)\n",
        "returns_a_model_of_columns",
        "The loss comes back. The trained model is wanted.",
    ),
    potential(
        "argon_whatever_the_data",
        "    optimiser.step(closure)\n    return model\n",
        "    model.forward = lambda r: 4 * (r**-12 - r**-6) + 0 * model.output(model.hidden(r))\n"
        "    return model\n",
        "knows_unseen_energies",
        "The model is the Lennard-Jones formula, whatever the data are. A network has to learn "
        "from what it is given.",
    ),
    potential(
        "half_of_the_data",
        "    model = NNPotential()\n",
        "    model = NNPotential()\n    r, V, F = r[::2], V[::2], F[::2]\n",
        "learns_from_the_forces",
        "Half of the data are left out. With few distances the law cannot be told from those that "
        "remain.",
        0.5,
    ),
    potential(
        "never_trained",
        "    optimiser.step(closure)\n",
        "",
        "knows_unseen_forces",
        "The model comes back as it was made: no step of the optimiser is ever taken.",
    ),
]


_ADAM = """def train_potential(r, V, F, *, epochs, generator):
    torch.manual_seed(generator.initial_seed())
    model = NNPotential()
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        optimiser.zero_grad()
        V_pred, F_pred = energy_and_force(model, r)
        loss = force_matching_loss(V_pred, V, F_pred, F)
        loss.backward()
        optimiser.step()
    return model
"""

with_adam = partial(variant, "train_potential", _ADAM)

train_potential_with_adam = [
    with_adam(
        "gradients_never_cleared",
        "range(epochs):\n        optimiser.zero_grad()\n",
        "range(min(epochs, 200)):\n",
        "knows_unseen_forces",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    with_adam(
        "stops_too_soon",
        "range(epochs)",
        "range(10)",
        "knows_unseen_forces",
        "The training stops while the loss is still falling: use the epochs that are given.",
    ),
]


_CLUSTERS = """def train_cluster_model(distances, energies, *, epochs, generator):
    torch.manual_seed(generator.initial_seed())
    distances, energies = np.asarray(distances), np.asarray(energies)
    mean, std = distances.mean(axis=0), distances.std(axis=0)
    middle, width = energies.mean(), energies.std()
    x = torch.tensor((distances - mean) / std, dtype=torch.float32)
    y = torch.tensor((energies - middle) / width, dtype=torch.float32).reshape(-1, 1)
    model = nn.Sequential(
        nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        optimiser.zero_grad()
        torch.mean((model(x) - y) ** 2).backward()
        optimiser.step()

    def predict(distances):
        x = torch.tensor((np.asarray(distances) - mean) / std, dtype=torch.float32)
        return model(x).detach().numpy().ravel() * width + middle

    return predict
"""

clusters = partial(variant, "train_cluster_model", _CLUSTERS)

train_cluster_model_slips = [
    clusters(
        "heeds_no_epochs",
        "range(epochs)",
        "range(1500)",
        "keeps_to_its_epochs",
        NO_EPOCHS,
        0.97,
    ),
    clusters(
        "column_of_energies",
        ".ravel() * width",
        " * width",
        "gives_one_axis",
        "The network's column (m, 1) comes back. The energies have one axis, (m,), as those that "
        "were handed over.",
        0.97,
    ),
    clusters(
        "energies_left_standardised",
        ".ravel() * width + middle",
        ".ravel()",
        "knows_unseen_clusters",
        "The energies were standardised for the training, and the predictions still are: turn "
        "them back into ε.",
    ),
    clusters(
        "zero_of_the_energies_lost",
        ".ravel() * width + middle",
        ".ravel() * width + energies.max()",
        "knows_unseen_clusters",
        "The predictions have the right width and the wrong zero: add what was subtracted.",
    ),
    clusters(
        "distances_not_standardised_again",
        "torch.tensor((np.asarray(distances) - mean) / std, dtype",
        "torch.tensor(np.asarray(distances), dtype",
        "knows_unseen_clusters",
        "New distances go into the network as they are. It was trained on standardised ones: "
        "treat them alike.",
    ),
    clusters(
        "statistics_of_the_call",
        "        x = torch.tensor((np.asarray(distances) - mean) / std, dtype",
        "        mean, std = np.mean(distances, axis=0), np.std(distances, axis=0) + 1e-9\n"
        "        x = torch.tensor((np.asarray(distances) - mean) / std, dtype",
        "judges_every_cluster_by_itself",
        "New distances are standardised by their own mean and deviation. Each cluster's energy "
        "then depends on the company it comes in: keep those of the training data.",
    ),
    clusters(
        "column_minus_row",
        ".reshape(-1, 1)",
        "",
        "knows_unseen_clusters",
        "(n, 1) minus (n,) is an (n, n) table: the loss compares every prediction with every "
        "energy, and the network learns their mean. Make both columns.",
    ),
    clusters(
        "no_activation",
        "nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)",
        "nn.Linear(x.shape[1], 64), nn.Linear(64, 64), nn.Linear(64, 1)",
        "knows_unseen_clusters",
        "A straight line in the distances cannot follow a wall that rises with the twelfth power: "
        "the network needs activations.",
    ),
    clusters(
        "six_inputs_only",
        "nn.Linear(x.shape[1], 64)",
        "nn.Linear(6, 64)",
        "learns_other_sizes",
        "The network has six inputs, whatever it is given. Take the number from the data.",
    ),
    clusters(
        "seed_of_its_own",
        "torch.manual_seed(generator.initial_seed())",
        "torch.manual_seed(42)",
        "repeats_itself",
        "The seed is always the same number, so that generator decides nothing. The first weights "
        "of the network should come from it.",
    ),
    clusters(
        "generator_ignored",
        "    torch.manual_seed(generator.initial_seed())\n",
        "",
        "repeats_itself",
        "The network's first weights come from the global random state. generator should decide "
        "them, so that the same seed gives the same model.",
    ),
    clusters(
        "data_changed",
        "    x = torch.tensor((distances - mean) / std, dtype",
        "    distances -= mean\n    distances /= std\n    x = torch.tensor(distances, dtype",
        "leaves_its_data_unchanged",
        "The caller's data have other values after the training: `-=` and its kind write into "
        "an array.",
    ),
    clusters(
        "predictions_returned",
        "    return predict\n",
        "    return predict(distances)\n",
        "returns_a_function_of_distances",
        "The predictions for the training data come back. A function for new distances is wanted.",
    ),
    clusters(
        "stops_too_soon",
        "range(epochs)",
        "range(10)",
        "knows_unseen_clusters",
        "The training stops while the loss is still falling: use the epochs that are given.",
    ),
]


@mistake(
    "train_potential",
    caught_by="begins_with_drawn_weights",
    keeps=0.5,
    hint="The data are looked up and joined by curves. Nothing is trained, and there are no "
    "weights that a generator could decide.",
)
def a_table_of_the_data():
    class Table(nn.Module):
        def __init__(self, r, V, F):
            super().__init__()
            order = r[:, 0].argsort()
            self.r, self.V, self.slope = r[order, 0], V[order, 0], -F[order, 0]
            self.zero = nn.Parameter(torch.zeros(1))

        def forward(self, r):
            at = r[:, 0].to(self.r.dtype)
            k = (torch.searchsorted(self.r, at.detach().contiguous()) - 1).clamp(0, len(self.r) - 2)
            width = self.r[k + 1] - self.r[k]
            t = (at - self.r[k]) / width
            ends = (1 + 2 * t) * (1 - t) ** 2 * self.V[k] + (3 - 2 * t) * t**2 * self.V[k + 1]
            bend = t * (1 - t) ** 2 * self.slope[k] - (1 - t) * t**2 * self.slope[k + 1]
            return (ends + width * bend + self.zero)[:, None].to(r.dtype)

    def train_potential(r, V, F, *, epochs, generator):
        return Table(r, V, F)


@mistake(
    "train_cluster_model",
    caught_by="begins_with_drawn_weights",
    keeps=0.5,
    hint="One linear system is solved, and there are no weights that a generator could decide. A "
    "network is asked for.",
)
def powers_of_the_distances_fitted():
    def train_cluster_model(distances, energies, *, epochs, generator):
        def powers(distances):
            columns = [np.sum(1.0 / np.asarray(distances) ** n, axis=1) for n in range(1, 15)]
            return np.column_stack([*columns, np.ones(len(distances))])

        weights = np.linalg.lstsq(powers(distances), energies, rcond=1e-10)[0]
        return lambda distances: powers(distances) @ weights


@mistake(
    "train_cluster_model",
    caught_by="knows_unseen_clusters",
    keeps=0.5,
    hint="The function is the Lennard-Jones formula, whatever the data are. A network has to learn "
    "from what it is given.",
)
def argon_whatever_the_data_are():
    def train_cluster_model(distances, energies, *, epochs, generator):
        return lambda distances: np.sum(lj_potential(np.asarray(distances)), axis=1)


# -------------------------------------------------------------------- right values, wrong kind

in_lists = [
    slip(
        "cluster_energy",
        "energy_in_a_list",
        "return float(np.sum(lj_potential(pairwise_distances(positions), epsilon, sigma)))",
        "return [float(np.sum(lj_potential(pairwise_distances(positions), epsilon, sigma)))]",
        "gives_a_number",
        "The value is right, but it comes back in a list. A number is wanted.",
    )
]
