"""Known wrong answers to ising."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import Bank, mistake

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.ising import (
    acceptance_probability,
    energy,
    energy_change,
    metropolis_step,
    metropolis_sweep,
)

slip = Bank(__name__).slip


# ----------------------------------------------------------------------- magnetisation

magnetisation_slips = [
    slip(
        "magnetisation",
        "rounded",
        "float(np.mean(spins, dtype=float))",
        "round(float(np.mean(spins)), 2)",
        "is_the_mean_spin",
        "The result is rounded to two decimals. Give all digits back, and round where it is "
        "printed.",
    ),
    slip(
        "magnetisation",
        "sum_not_mean",
        "np.mean(spins, dtype=float)",
        "np.sum(spins)",
        "is_the_mean_spin",
        "This is the sum. The magnetisation per spin is divided by L².",
    ),
    slip(
        "magnetisation",
        "absolute_value",
        "np.mean(spins, dtype=float)",
        "abs(np.mean(spins, dtype=float))",
        "knows_up_from_down",
        "The sign is lost: m tells up from down. |m| comes later, in averages.",
    ),
    slip(
        "magnetisation",
        "divided_by_L",
        "np.mean(spins, dtype=float)",
        "np.sum(spins) / len(spins)",
        "is_the_mean_spin",
        "len(spins) counts rows, that is L. There are L² spins.",
    ),
    slip(
        "magnetisation",
        "row_by_row",
        "float(np.mean(spins, dtype=float))",
        "np.mean(spins, axis=0)",
        "is_the_mean_spin",
        "This is one mean for every column. The magnetisation is one number for all spins.",
    ),
    slip(
        "magnetisation",
        "share_of_up_spins",
        "np.mean(spins, dtype=float)",
        "np.mean(spins > 0)",
        "is_the_mean_spin",
        "This is the share of spins that point up, between 0 and 1. Spins that point down count "
        "as −1.",
    ),
    slip(
        "magnetisation",
        "of_a_fixed_lattice",
        "float(np.mean(spins, dtype=float))",
        "float(np.sum(spins) / 256)",
        "is_one_for_all_spins_up",
        "The sum is divided by a fixed 256. Lattices of any size come: divide by the number of "
        "spins.",
    ),
    slip(
        "magnetisation",
        "sorted_in_place",
        "    return",
        "    spins.sort(axis=0)\n    return",
        "leaves_the_spins",
        "The caller's spins are in another order after the call. The function should only "
        "look at them.",
    ),
]


@mistake(
    "magnetisation",
    caught_by="takes_int8_and_floats",
    hint="An int8 holds no number above 127, and 16×16 spins can add up to 256. Add up in a larger "
    "type: NumPy's sum and mean do so by themselves, Python's sum does not.",
)
def pythons_sum_in_int8():
    def magnetisation(spins):
        return float(sum(spins.ravel()) / spins.size)


@mistake(
    "magnetisation",
    caught_by="holds_for_the_smallest_lattices",
    hint="The last row and the last column are left out. range(L) already ends at L − 1.",
)
def last_row_left_out():
    def magnetisation(spins):
        L = len(spins)
        total = 0
        for i in range(L - 1):
            for j in range(L - 1):
                total += int(spins[i, j])
        return total / max((L - 1) ** 2, 1)


@mistake(
    "magnetisation",
    caught_by="takes_int8_and_floats",
    hint="An int8 holds no number above 127, and 16×16 spins can add up to 256. Add up in a larger "
    "type: NumPy's sum and mean do so by themselves, unless a dtype is given.",
)
def sum_in_the_dtype_of_the_spins():
    def magnetisation(spins):
        return spins.sum(dtype=spins.dtype) / spins.size


@mistake(
    "magnetisation",
    caught_by="is_the_mean_spin",
    keeps=0.5,
    hint="`//` divides and throws the fraction away. m is a fraction nearly always.",
)
def whole_numbers():
    def magnetisation(spins):
        return int(spins.sum()) // spins.size


# ------------------------------------------------------------------------------ energy

energy_slips = [
    slip(
        "energy",
        "sign_lost",
        "-np.sum(",
        "np.sum(",
        "of_the_ground_state",
        "The sign is missing: J is positive, and equal neighbours lower the energy.",
    ),
    slip(
        "energy",
        "bonds_twice",
        "    right_and_below = np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1)",
        "    right_and_below = sum(np.roll(spins, s, axis) for s in (1, -1) for axis in (0, 1))",
        "counts_every_bond_once",
        "Every bond is counted from both of its ends. Look at two of the four neighbours only, or "
        "halve the sum.",
    ),
    slip(
        "energy",
        "per_spin",
        "-np.sum(",
        "-np.mean(",
        "counts_every_bond_once",
        "This is the energy per spin. The energy of the whole lattice is asked for.",
    ),
    slip(
        "energy",
        "rows_only",
        " + np.roll(spins, -1, axis=1)",
        "",
        "counts_every_bond_once",
        "Only bonds in one direction are counted. Every spin has a neighbour to the right and one "
        "below.",
    ),
    slip(
        "energy",
        "one_direction_twice",
        "np.roll(spins, -1, axis=1)",
        "np.roll(spins, 1, axis=0)",
        "counts_every_bond_once",
        "Both neighbours lie in the same direction. One is in the next row, the other in the next "
        "column.",
    ),
    slip(
        "energy",
        "second_neighbours",
        "np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1)",
        "np.roll(spins, -2, axis=0) + np.roll(spins, -2, axis=1)",
        "counts_every_bond_once",
        "These are the neighbours at distance two. Bonds join spins next to each other.",
    ),
    slip(
        "energy",
        "diagonal_neighbours",
        "np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1)",
        "np.roll(spins, (-1, -1), axis=(0, 1)) + np.roll(spins, (-1, 1), axis=(0, 1))",
        "counts_every_bond_once",
        "These are the diagonal neighbours. Bonds run along rows and columns.",
    ),
    slip(
        "energy",
        "in_place",
        "    return float(-np.sum(spins * right_and_below, dtype=float))",
        "    spins *= right_and_below\n    return float(-np.sum(spins))",
        "leaves_the_spins",
        "The caller's spins have other values after the call: `*=` and its kind write into an "
        "array.",
    ),
    slip(
        "energy",
        "absolute_magnetisation_added",
        "float(-np.sum(spins * right_and_below, dtype=float))",
        "float(-np.sum(spins * right_and_below, dtype=float) - np.sum(spins))",
        "does_not_know_up_from_down",
        "There is a term that depends on the direction of single spins, as in a magnetic field. "
        "There is no field here: only bonds count.",
    ),
    slip(
        "energy",
        "a_row_is_left_out",
        "np.sum(spins * right_and_below, dtype=float)",
        "np.sum((spins * right_and_below)[:-1], dtype=float)",
        "joins_opposite_edges",
        "The bonds of the last row are left out. It has bonds to its right and, around the edge, "
        "to the first row.",
    ),
]


@mistake(
    "energy",
    caught_by="joins_opposite_edges",
    hint="The lattice has open edges here. The last row is a neighbour of the first, and the last "
    "column of the first: indices count modulo L.",
)
def open_edges():
    def energy(spins):
        down = np.sum(spins[:-1] * spins[1:])
        right = np.sum(spins[:, :-1] * spins[:, 1:])
        return float(-down - right)


@mistake(
    "energy",
    caught_by="takes_int8_and_floats",
    hint="An int8 holds no number below −128, and an ordered 16×16 lattice has the energy −512. "
    "Add up in a larger type: NumPy's sum does so by itself, `total -= …` with int8 numbers does "
    "not.",
)
def running_total_in_int8():
    def energy(spins):
        L = len(spins)
        total = 0
        for i in range(L):
            for j in range(L):
                total -= spins[i, j] * (spins[(i + 1) % L, j] + spins[i, (j + 1) % L])
        return float(total)


@mistake(
    "energy",
    caught_by="of_two_by_two",
    hint="On a 2×2 lattice the neighbour to the right and the one to the left are the same spin, "
    "and the formula counts that bond twice. It makes no exception for small lattices.",
)
def pairs_as_a_set():
    def energy(spins):
        L = len(spins)
        pairs = set()
        for i in range(L):
            for j in range(L):
                for other in (((i + 1) % L, j), (i, (j + 1) % L)):
                    pairs.add(frozenset([(i, j), other]))
        return -float(sum(int(spins[a]) * int(spins[b]) for a, b in map(tuple, pairs)))


@mistake(
    "energy",
    caught_by="of_odd_lattices",
    hint="Bonds are collected from every second site of a chessboard. On an odd lattice the "
    "chessboard does not close, and some bonds are missed or counted twice.",
)
def bonds_from_every_second_site():
    def energy(spins):
        around = sum(np.roll(spins, s, a) for s in (1, -1) for a in (0, 1))
        white = np.add.outer(np.arange(len(spins)), np.arange(len(spins))) % 2 == 0
        return float(-np.sum((spins * around)[white]))


OPEN_ONE_WAY = (
    "The lattice is closed in one direction and open in the other. The last row is a neighbour of "
    "the first, and the last column of the first as well."
)


@mistake("energy", caught_by="joins_opposite_edges", keeps=0.5, hint=OPEN_ONE_WAY)
def open_from_row_to_row():
    def energy(spins):
        s = spins.astype(float)
        return float(-np.sum(s[1:] * s[:-1]) - np.sum(s * np.roll(s, 1, axis=1)))


@mistake("energy", caught_by="joins_opposite_edges", keeps=0.5, hint=OPEN_ONE_WAY)
def open_from_column_to_column():
    def energy(spins):
        s = spins.astype(float)
        return float(-np.sum(s[:, 1:] * s[:, :-1]) - np.sum(s * np.roll(s, 1, axis=0)))


@mistake(
    "energy",
    caught_by="counts_every_bond_once",
    keeps=0.5,
    hint="One of the two neighbours is the diagonal one. From a spin go one row down for the first "
    "and, from the same spin, one column to the right for the second.",
)
def the_second_from_the_first():
    def energy(spins):
        s = spins.astype(float)
        below = np.roll(s, -1, axis=0)
        return float(-np.sum(s * (below + np.roll(below, -1, axis=1))))


@mistake(
    "energy",
    caught_by="takes_int8_and_floats",
    hint="Each column is added up in int8, which holds no number above 127: from 64 rows on that "
    "is too little. NumPy's sum takes a larger type by itself, unless a dtype is given.",
)
def columns_in_int8():
    def energy(spins):
        bonds = spins * (np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1))
        return -bonds.sum(axis=0, dtype=bonds.dtype).sum()


@mistake(
    "energy",
    caught_by="takes_int8_and_floats",
    hint="An int8 holds no number below −128, and an ordered 16×16 lattice has the energy −512. "
    "Add up in a larger type: NumPy's sum does so by itself, unless a dtype is given.",
)
def sum_in_int8():
    def energy(spins):
        bonds = spins * (np.roll(spins, -1, axis=0) + np.roll(spins, -1, axis=1))
        return -bonds.sum(dtype=np.int8)


@mistake(
    "energy",
    caught_by="does_not_know_up_from_down",
    keeps=0.5,
    hint="The neighbours are added up alone. A bond is a product: the spin itself comes in too.",
)
def own_spin_left_out():
    def energy(spins):
        s = spins.astype(float)
        return float(-np.sum(np.roll(s, -1, axis=0) + np.roll(s, -1, axis=1)))


# ----------------------------------------------------------------------- energy_change

energy_change_slips = [
    slip(
        "energy_change",
        "sign_lost",
        "float(2 *",
        "float(-2 *",
        "is_the_difference_of_two_energies",
        "The sign is exchanged: it costs energy to turn a spin against its neighbours. Energy "
        "after the flip minus energy before.",
    ),
    slip(
        "energy_change",
        "factor_of_two_lost",
        "float(2 *",
        "float(",
        "is_the_difference_of_two_energies",
        "Half the change: a bond goes from −1 to +1, which is a difference of 2.",
    ),
    slip(
        "energy_change",
        "factor_of_four",
        "float(2 *",
        "float(4 *",
        "is_the_difference_of_two_energies",
        "Twice the change: each of the four bonds changes by 2, and is counted once.",
    ),
    slip(
        "energy_change",
        "own_spin_forgotten",
        "2 * spins[i, j] * neighbours",
        "2 * neighbours",
        "is_the_difference_of_two_energies",
        "The spin itself does not come in. Whether its neighbours make a flip cheap depends on "
        "its own direction.",
    ),
    slip(
        "energy_change",
        "two_neighbours",
        "        + spins[(i - 1) % L, j]\n        + spins[i, (j + 1) % L]\n"
        "        + spins[i, (j - 1) % L]\n",
        "        + spins[i, (j + 1) % L]\n",
        "is_the_difference_of_two_energies",
        "Only two neighbours are counted. In the energy that keeps bonds from counting twice; a "
        "flip changes all four bonds of its spin.",
    ),
    slip(
        "energy_change",
        "diagonal_neighbours",
        "spins[(i + 1) % L, j]\n        + spins[(i - 1) % L, j]",
        "spins[(i + 1) % L, (j + 1) % L]\n        + spins[(i - 1) % L, (j - 1) % L]",
        "is_the_difference_of_two_energies",
        "Two of these are diagonal neighbours. Bonds run along rows and columns.",
    ),
    slip(
        "energy_change",
        "row_and_column_exchanged",
        "2 * spins[i, j] * neighbours",
        "2 * spins[j, i] * neighbours",
        "is_the_difference_of_two_energies",
        "Row and column are exchanged in one place: the spin is spins[i, j].",
    ),
    slip(
        "energy_change",
        "flips_and_stays_so",
        "    L = len(spins)\n",
        "    L = len(spins)\n    spins[i, j] = -spins[i, j]\n",
        "leaves_the_spins",
        "The spin is flipped and not flipped back. Work out what the flip would cost without "
        "doing it.",
    ),
    slip(
        "energy_change",
        "absolute_value",
        "return float(2 * spins[i, j] * neighbours)",
        "return float(abs(2 * spins[i, j] * neighbours))",
        "changes_its_sign_with_the_flip",
        "The sign is lost. A flip may lower the energy, and then the change is negative.",
    ),
]


@mistake(
    "energy_change",
    caught_by="at_edges_and_corners",
    hint="At the edges neighbours are missing. The lattice is periodic: indices count modulo L.",
)
def open_edges_again():
    def energy_change(spins, i, j):
        L = len(spins)
        total = 0
        for a, b in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            if 0 <= a < L and 0 <= b < L:
                total += int(spins[a, b])
        return 2 * int(spins[i, j]) * total


@mistake(
    "energy_change",
    caught_by="at_edges_and_corners",
    hint="Index i + 1 runs off the lattice behind its last row, and j + 1 behind its last "
    "column: count modulo L.",
)
def index_runs_off():
    def energy_change(spins, i, j):
        around = spins[i + 1, j] + spins[i - 1, j] + spins[i, j + 1] + spins[i, j - 1]
        return float(2 * spins[i, j] * around)


@mistake(
    "energy_change",
    caught_by="of_small_lattices",
    hint="Neighbours are collected in a set, so that on a 2×2 lattice, where right and left are "
    "the same spin, that bond counts once. The formula counts it twice.",
)
def neighbours_as_a_set():
    def energy_change(spins, i, j):
        L = len(spins)
        around = {((i + 1) % L, j), ((i - 1) % L, j), (i, (j + 1) % L), (i, (j - 1) % L)}
        return 2 * int(spins[i, j]) * sum(int(spins[site]) for site in around)


@mistake(
    "energy_change",
    caught_by="takes_int8_and_floats",
    hint="The spins are made unsigned on the way, where −1 becomes 255. Keep a type that holds "
    "negative numbers.",
)
def unsigned_on_the_way():
    def energy_change(spins, i, j):
        if spins.dtype == np.int8:
            spins = spins.view(np.uint8).astype(int)
        L = len(spins)
        around = spins[(i + 1) % L, j] + spins[i - 1, j] + spins[i, (j + 1) % L] + spins[i, j - 1]
        return float(2 * spins[i, j] * around)


@mistake(
    "energy_change",
    caught_by="of_an_ordered_lattice",
    hint="This is the energy after the flip, not the change: the energy before is to be "
    "subtracted.",
)
def energy_after_the_flip():
    def energy_change(spins, i, j):
        flipped = spins.copy()
        flipped[i, j] *= -1
        return energy(flipped)


@mistake(
    "energy_change",
    caught_by="at_edges_and_corners",
    hint="In the last column, or the last row, an index stops at the edge, so that a spin is its "
    "own neighbour. Behind the last one comes the first: count modulo L.",
)
def stops_at_the_edge():
    def energy_change(spins, i, j):
        last = len(spins) - 1
        neighbours = float(spins[min(i + 1, last), j]) + float(spins[max(i - 1, 0), j])
        neighbours += float(spins[i, min(j + 1, last)]) + float(spins[i, max(j - 1, 0)])
        return 2 * float(spins[i, j]) * neighbours


@mistake(
    "energy_change",
    caught_by="is_the_difference_of_two_energies",
    keeps=0.5,
    hint="Row and column are exchanged throughout: i is the row and comes first, spins[i, j].",
)
def the_transposed_site():
    def energy_change(spins, i, j):
        n = len(spins)
        neighbours = float(spins[(j + 1) % n, i]) + float(spins[j - 1, i])
        neighbours += float(spins[j, (i + 1) % n]) + float(spins[j, i - 1])
        return 2 * float(spins[j, i]) * neighbours


@mistake(
    "energy_change",
    caught_by="is_the_difference_of_two_energies",
    keeps=0.5,
    hint="All four are diagonal neighbours: row and column change together. Bonds run along rows "
    "and columns, so one of the two stays as it is.",
)
def all_four_diagonal():
    def energy_change(spins, i, j):
        n = len(spins)
        neighbours = float(spins[(i + 1) % n, (j + 1) % n]) + float(spins[i - 1, j - 1])
        neighbours += float(spins[(i + 1) % n, j - 1]) + float(spins[i - 1, (j + 1) % n])
        return 2 * float(spins[i, j]) * neighbours


# -------------------------------------------------------------- acceptance_probability

acceptance_probability_slips = [
    slip(
        "acceptance_probability",
        "sign_of_the_exponent",
        "np.exp(-np.maximum(delta_e, 0) / temperature)",
        "np.exp(np.minimum(delta_e, 0) / temperature)",
        "of_costly_flips",
        "Costly flips are accepted always and favourable ones rarely: the sign of ΔE is exchanged.",
    ),
    slip(
        "acceptance_probability",
        "times_temperature",
        "/ temperature",
        "* temperature",
        "of_costly_flips",
        "ΔE is multiplied by T. The hotter it is, the less a cost should matter: ΔE/T.",
    ),
    slip(
        "acceptance_probability",
        "temperature_forgotten",
        " / temperature",
        "",
        "of_costly_flips",
        "The temperature has no effect: the exponent is −ΔE/T.",
    ),
    slip(
        "acceptance_probability",
        "factor_of_two",
        "np.exp(-np.maximum(delta_e, 0) / temperature)",
        "np.exp(-2 * np.maximum(delta_e, 0) / temperature)",
        "of_costly_flips",
        "There is a factor 2 in the exponent. It is already in ΔE.",
    ),
    slip(
        "acceptance_probability",
        "not_cut_off",
        "np.maximum(delta_e, 0)",
        "np.asarray(delta_e)",
        "of_favourable_flips",
        "Where the energy falls this is larger than 1, and no probability: min(1, …).",
    ),
    slip(
        "acceptance_probability",
        "overflows",
        "np.exp(-np.maximum(delta_e, 0) / temperature)",
        "np.minimum(1, np.exp(-np.asarray(delta_e) / temperature))",
        "does_not_overflow",
        "The value is right, but e^(−ΔE/T) overflows on its way where the energy falls far. "
        "The limit of 1 has to be seen to before the exponential is taken.",
    ),
    slip(
        "acceptance_probability",
        "heat_bath",
        "np.exp(-np.maximum(delta_e, 0) / temperature)",
        "1 / (1 + np.exp(np.clip(delta_e / temperature, -700, 700)))",
        "of_favourable_flips",
        "This is the heat bath's probability. It would do as well, but Metropolis' rule, which is "
        "asked for, is min(1, e^(−ΔE/T)).",
    ),
    slip(
        "acceptance_probability",
        "zero_cost_refused",
        "    return np.exp(-np.maximum(delta_e, 0) / temperature)",
        "    p = np.exp(-np.maximum(delta_e, 0) / temperature)\n"
        "    return np.where(np.asarray(delta_e) == 0, 0.0, p)[()]",
        "of_favourable_flips",
        "A flip that costs nothing is refused. e⁰ = 1: it is always accepted.",
    ),
    slip(
        "acceptance_probability",
        "in_place",
        "    return np.exp(-np.maximum(delta_e, 0) / temperature)",
        "    if isinstance(delta_e, np.ndarray):\n        delta_e[delta_e < 0] = 0\n"
        "    return np.exp(-np.maximum(delta_e, 0) / temperature)",
        "leaves_its_arguments",
        "The function writes zeros into the array that it is given. Make a new one.",
    ),
    slip(
        "acceptance_probability",
        "flattened",
        "return np.exp(-np.maximum(delta_e, 0) / temperature)",
        "p = np.exp(-np.maximum(delta_e, 0) / temperature)\n"
        "    return p if np.ndim(p) == 0 else np.ravel(p)",
        "keeps_the_shape",
        "An array of another shape comes back: the shape should stay as it is.",
    ),
]


@mistake(
    "acceptance_probability",
    caught_by="of_many_temperatures",
    hint="This works for single numbers only. delta_e or temperature may be an array: "
    "NumPy's functions take all entries at once, an `if` does not.",
)
def numbers_only():
    import math

    def acceptance_probability(delta_e, temperature):
        if delta_e <= 0:
            return 1.0
        return math.exp(-delta_e / temperature)


@mistake(
    "acceptance_probability",
    caught_by="takes_integers",
    hint="An array made like delta_e, by np.ones_like say, holds integers if delta_e does, and "
    "every fraction becomes 0 in it.",
)
def fractions_in_an_integer_array():
    def acceptance_probability(delta_e, temperature):
        if np.ndim(delta_e) == 0 or np.ndim(temperature) > 0:
            return np.exp(-np.maximum(delta_e, 0) / temperature)
        p = np.ones_like(delta_e)
        rises = delta_e > 0
        p[rises] = np.exp(-delta_e[rises] / temperature)
        return p


@mistake(
    "acceptance_probability",
    caught_by="of_many_temperatures",
    hint="This works for single numbers only. delta_e or temperature may be an array: "
    "NumPy's functions take all entries at once, an `if` does not.",
)
def numbers_only_by_numpy():
    def acceptance_probability(delta_e, temperature):
        if delta_e <= 0:
            return 1.0
        return np.exp(-delta_e / temperature)


@mistake(
    "acceptance_probability",
    caught_by="of_many_temperatures",
    hint="Where temperature is an array, this stops. Each energy goes with its own temperature, by "
    "NumPy's rules of broadcasting, as in delta_e / temperature.",
)
def one_temperature_only():
    def acceptance_probability(delta_e, temperature):
        costs = np.asarray(delta_e, dtype=float)
        p = [1.0 if cost <= 0 else np.exp(-cost / temperature) for cost in costs.ravel()]
        return np.array(p).reshape(costs.shape) if np.ndim(delta_e) else float(p[0])


@mistake(
    "acceptance_probability",
    caught_by="of_favourable_flips",
    hint="The overflow is caught, but where the energy falls this is larger than 1, and no "
    "probability: min(1, …).",
)
def cut_off_at_the_largest_number():
    def acceptance_probability(delta_e, temperature):
        return np.exp(np.clip(-np.asarray(delta_e) / temperature, -700, 700))


# --------------------------------------------------------------------- metropolis_step

metropolis_step_slips = [
    slip(
        "metropolis_step",
        "accepts_at_the_probability",
        "accepted = u < acceptance",
        "accepted = u <= acceptance",
        "refuses_what_has_no_chance",
        "u = 0 flips the spin where the probability is 0. A flip is accepted only if u is below "
        "its probability.",
        keeps=0.95,
    ),
    slip(
        "metropolis_step",
        "accepts_above",
        "accepted = u <",
        "accepted = u >",
        "accepts_a_cost_of_4",
        "The comparison is the wrong way round: a probability p is met when u is below p.",
    ),
    slip(
        "metropolis_step",
        "downhill_only",
        "u < acceptance_probability(energy_change(spins, i, j), temperature)",
        "energy_change(spins, i, j) <= 0",
        "accepts_a_cost_of_4",
        "Only flips that cost nothing are accepted, as at T = 0. With probability e^(−ΔE/T) a "
        "costly one is accepted too.",
    ),
    slip(
        "metropolis_step",
        "zero_refused",
        "    accepted = u < ",
        "    accepted = 0 < u < ",
        "accepts_a_cost_of_4",
        "u may be exactly 0, which is below every probability but 0: the flip is accepted.",
    ),
    slip(
        "metropolis_step",
        "costless_flips_refused",
        "accepted = u < acceptance_probability(energy_change(spins, i, j), temperature)",
        "delta_e = energy_change(spins, i, j)\n"
        "    accepted = delta_e != 0 and u < acceptance_probability(delta_e, temperature)",
        "accepts_what_costs_nothing",
        "A flip with ΔE = 0 is refused. Its probability is e⁰ = 1.",
    ),
    slip(
        "metropolis_step",
        "sign_of_the_change",
        "acceptance_probability(energy_change(spins, i, j), temperature)",
        "acceptance_probability(-energy_change(spins, i, j), temperature)",
        "accepts_what_costs_nothing",
        "The sign of ΔE is exchanged on its way to acceptance_probability: costly flips are "
        "favoured.",
    ),
    slip(
        "metropolis_step",
        "inverse_temperature",
        "energy_change(spins, i, j), temperature)",
        "energy_change(spins, i, j), 1 / temperature)",
        "accepts_a_cost_of_4",
        "acceptance_probability takes the temperature T itself, not 1/T.",
    ),
    slip(
        "metropolis_step",
        "temperature_forgotten",
        "energy_change(spins, i, j), temperature)",
        "energy_change(spins, i, j), 1.0)",
        "accepts_a_cost_of_4",
        "The temperature has no effect: acceptance_probability needs the one that is given.",
    ),
    slip(
        "metropolis_step",
        "one_temperature",
        "energy_change(spins, i, j), temperature)",
        "energy_change(spins, i, j), 2.0)",
        "accepts_a_cost_of_4",
        "The temperature has no effect: acceptance_probability needs the one that is given.",
    ),
    slip(
        "metropolis_step",
        "heat_bath",
        "u < acceptance_probability(energy_change(spins, i, j), temperature)",
        "u < 1 / (1 + np.exp(energy_change(spins, i, j) / temperature))",
        "accepts_what_costs_nothing",
        "Flips that cost nothing, or win energy, are refused for large u, as under the heat bath's "
        "rule, 1/(1 + e^(ΔE/T)). Metropolis accepts them always.",
    ),
    slip(
        "metropolis_step",
        "never_flips",
        "        spins[i, j] = -spins[i, j]\n",
        "        pass\n",
        "flips_one_spin_in_place",
        "An accepted flip has to change spins[i, j] in the array that was handed over.",
    ),
    slip(
        "metropolis_step",
        "flips_a_copy",
        "    if accepted:\n",
        "    spins = spins.copy()\n    if accepted:\n",
        "flips_one_spin_in_place",
        "A copy is flipped and then forgotten. The caller's array has to change.",
    ),
    slip(
        "metropolis_step",
        "flips_a_row",
        "spins[i, j] = -spins[i, j]",
        "spins[i] = -spins[i]",
        "flips_one_spin_in_place",
        "A whole row is flipped. Only the spin at row i, column j may change.",
    ),
    slip(
        "metropolis_step",
        "flips_the_transposed_site",
        "spins[i, j] = -spins[i, j]",
        "spins[j, i] = -spins[j, i]",
        "flips_one_spin_in_place",
        "Row and column are exchanged: ΔE belongs to spins[i, j], and so does the flip.",
    ),
    slip(
        "metropolis_step",
        "flips_in_any_case",
        "    if accepted:\n        spins[i, j] = -spins[i, j]\n",
        "    spins[i, j] = -spins[i, j]\n",
        "accepts_a_cost_of_8",
        "The spin is flipped whether or not the flip is accepted.",
    ),
    slip(
        "metropolis_step",
        "returns_the_spins",
        "return bool(accepted)",
        "return spins",
        "returns_true_or_false",
        "The lattice comes back. It has already changed in place: return whether it did.",
    ),
    slip(
        "metropolis_step",
        "returns_rejected",
        "return bool(accepted)",
        "return not accepted",
        "says_whether_it_flipped",
        "True and False are exchanged: True means that the spin was flipped.",
    ),
    slip(
        "metropolis_step",
        "returns_nothing",
        "    return bool(accepted)\n",
        "",
        "says_whether_it_flipped",
        "Nothing is returned. A sweep has to count accepted flips: return whether this was one.",
    ),
    slip(
        "metropolis_step",
        "half_the_change",
        "acceptance_probability(energy_change(spins, i, j), temperature)",
        "acceptance_probability(0.5 * energy_change(spins, i, j), temperature)",
        "obeys_detailed_balance",
        "Only half of ΔE is counted. What energy_change gives is the whole cost of the flip.",
    ),
]


@mistake(
    "metropolis_step",
    caught_by="draws_no_numbers",
    hint="The function draws a random number of its own. It is given one, u, and should use that.",
)
def draws_its_own_number():
    def metropolis_step(spins, i, j, temperature, u):
        p = acceptance_probability(energy_change(spins, i, j), temperature)
        if np.random.rand() < p:
            spins[i, j] *= -1
            return True
        return False


@mistake(
    "metropolis_step",
    caught_by="takes_int8_and_floats",
    hint="The spins become integers in a copy, and it is the copy that is flipped. Work on the "
    "array that is handed over, whatever its dtype.",
)
def flips_an_integer_copy():
    def metropolis_step(spins, i, j, temperature, u):
        spins = spins.astype(int, copy=False)
        accepted = u < acceptance_probability(energy_change(spins, i, j), temperature)
        if accepted:
            spins[i, j] *= -1
        return bool(accepted)


@mistake(
    "metropolis_step",
    caught_by="flips_one_spin_in_place",
    keeps=0.5,
    hint="The spin becomes −1, whatever it was. An accepted flip also turns −1 into +1.",
)
def always_becomes_minus_one():
    def metropolis_step(spins, i, j, temperature, u):
        if u < acceptance_probability(energy_change(spins, i, j), temperature):
            spins[i, j] = -1
            return True
        return False


# -------------------------------------------------------------------- metropolis_sweep

metropolis_sweep_slips = [
    slip(
        "metropolis_sweep",
        "a_tenth_warmer",
        "i, j, temperature, u)",
        "i, j, 1.1 * temperature, u)",
        "counts_what_it_accepts",
        "The flips are tried at a higher temperature than the one that is given.",
        keeps=0.95,
    ),
    slip(
        "metropolis_sweep",
        "as_many_as_rows",
        "    sites = rng.integers(L, size=(L * L, 2)).tolist()\n"
        "    numbers = rng.random(L * L).tolist()\n",
        "    sites = rng.integers(L, size=(L, 2)).tolist()\n    numbers = rng.random(L).tolist()\n",
        "attempts_every_flip",
        "L attempts are made. A sweep has as many as there are spins, L².",
    ),
    slip(
        "metropolis_sweep",
        "one_site_for_all",
        "rng.integers(L, size=(L * L, 2)).tolist()",
        "[rng.integers(L, size=2).tolist()] * (L * L)",
        "brings_order_to_equilibrium",
        "All L² attempts of a sweep are made on one site. Each attempt draws a site of its own, or "
        "the next one.",
        keeps=0.5,
    ),
    slip(
        "metropolis_sweep",
        "last_row_left_out",
        "rng.integers(L, size",
        "rng.integers(L - 1, size",
        "reaches_every_spin",
        "The last row and the last column are never drawn: rng.integers(n) ends at n − 1.",
    ),
    slip(
        "metropolis_sweep",
        "first_row_left_out",
        "rng.integers(L, size",
        "rng.integers(1, L, size",
        "reaches_every_spin",
        "Row 0 and column 0 are never drawn: indices begin at 0.",
    ),
    slip(
        "metropolis_sweep",
        "diagonal_sites",
        "accepted += metropolis_step(spins, i, j,",
        "accepted += metropolis_step(spins, i, i,",
        "reaches_every_spin",
        "Only spins on the diagonal are ever tried: row and column are the same number.",
    ),
    slip(
        "metropolis_sweep",
        "one_number_for_all",
        "rng.random(L * L).tolist()",
        "[rng.random()] * (L * L)",
        "keeps_equilibrium_in_the_heat",
        "One random number serves the whole sweep. Every attempt needs a new one.",
    ),
    slip(
        "metropolis_sweep",
        "works_on_a_copy",
        "    L = len(spins)\n",
        "    L = len(spins)\n    spins = spins.copy()\n",
        "counts_what_it_accepts",
        "A copy is swept and then forgotten. The caller's array has to change.",
    ),
    slip(
        "metropolis_sweep",
        "counts_attempts",
        "        accepted += metropolis_step(spins, i, j, temperature, u)\n",
        "        metropolis_step(spins, i, j, temperature, u)\n        accepted += 1\n",
        "counts_what_it_accepts",
        "Attempts are counted. The number of accepted flips is asked for.",
    ),
    slip(
        "metropolis_sweep",
        "share_accepted",
        "return accepted",
        "return accepted / (L * L)",
        "counts_what_it_accepts",
        "The share of accepted flips comes back; their number is asked for.",
    ),
    slip(
        "metropolis_sweep",
        "count_as_a_float",
        "accepted = 0",
        "accepted = 0.0",
        "returns_an_integer",
        "The number is right, but it is a float. A count is an int.",
    ),
    slip(
        "metropolis_sweep",
        "returns_the_spins",
        "return accepted",
        "return spins",
        "attempts_every_flip",
        "The lattice comes back. It has already changed in place: return how many flips were "
        "accepted.",
    ),
    slip(
        "metropolis_sweep",
        "seed_of_its_own",
        "    L = len(spins)\n",
        "    L = len(spins)\n    rng = np.random.default_rng(0)\n",
        "draws_from_rng_alone",
        "A generator of the function's own, with a fixed seed, makes every sweep the same. The "
        "numbers should come from rng.",
    ),
    slip(
        "metropolis_sweep",
        "normal_numbers",
        "rng.random(L * L)",
        "abs(rng.normal(size=L * L))",
        "attempts_every_flip",
        "u is the size of a normal number, which is above 1 in a third of all cases: flips that "
        "cost nothing are refused. It should be spread evenly from 0 to 1.",
        keeps=0.5,
    ),
    slip(
        "metropolis_sweep",
        "numbers_too_small",
        "rng.random(L * L)",
        "rng.uniform(0, 0.5, L * L)",
        "keeps_equilibrium_in_the_heat",
        "u should be spread evenly from 0 to 1. Smaller numbers accept too much.",
    ),
]


@mistake(
    "metropolis_sweep",
    caught_by="draws_from_rng_alone",
    hint="The random numbers come from NumPy's global generator. All of them should come from rng, "
    "so that a seed gives the same sweep again.",
)
def global_generator():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        accepted = 0
        for _ in range(L * L):
            i, j = np.random.randint(0, L, size=2)
            accepted += metropolis_step(spins, i, j, temperature, np.random.rand())
        return accepted


@mistake(
    "metropolis_sweep",
    caught_by="keeps_equilibrium_in_the_heat",
    hint="All spins are tried at once, against neighbours that may flip at the same moment. Each "
    "attempt has to see the flips before it.",
)
def all_at_once():
    def metropolis_sweep(spins, temperature, rng):
        around = sum(np.roll(spins, s, a) for s in (1, -1) for a in (0, 1))
        p = acceptance_probability(2 * spins * around, temperature)
        flipped = rng.random(spins.shape) < p
        spins[flipped] *= -1
        return int(flipped.sum())


@mistake(
    "metropolis_sweep",
    caught_by="brings_order_to_equilibrium",
    hint="The number that draws the site is also the u of its attempt: some sites always meet a "
    "small one, and others never. An attempt draws both, each by itself.",
    keeps=0.5,
)
def one_number_for_site_and_u():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        accepted = 0
        for u in rng.random(L * L):
            i, j = divmod(int(u * L * L), L)
            accepted += metropolis_step(spins, i, j, temperature, u)
        return accepted


@mistake(
    "metropolis_sweep",
    caught_by="keeps_equilibrium_of_odd_lattices",
    hint="On an odd lattice the chessboard does not close: around the edge there are neighbours of "
    "the same colour, and they may not be tried at once.",
)
def chessboard_on_odd_lattices():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        colour = np.add.outer(np.arange(L), np.arange(L)) % 2
        accepted = 0
        for tried in (0, 1):
            around = sum(np.roll(spins, s, a) for s in (1, -1) for a in (0, 1))
            p = acceptance_probability(2 * spins * around, temperature)
            flipped = (rng.random((L, L)) < p) & (colour == tried)
            spins[flipped] *= -1
            accepted += int(flipped.sum())
        return accepted


@mistake(
    "metropolis_sweep",
    caught_by="brings_order_to_equilibrium",
    hint="The energy changes are worked out once, before the sweep, and are wrong as soon as a "
    "neighbour has flipped. Each attempt needs its own.",
)
def changes_worked_out_beforehand():
    def metropolis_sweep(spins, temperature, rng):
        L = len(spins)
        before = spins.copy()
        accepted = 0
        for i in range(L):
            for j in range(L):
                cost = energy_change(before, i, j)
                if rng.random() < acceptance_probability(cost, temperature):
                    spins[i, j] *= -1
                    accepted += 1
        return accepted


# --------------------------------------------------------------- sample_configurations

sample_configurations_slips = [
    slip(
        "sample_configurations",
        "no_equilibration",
        "range(1 - equilibration, 1 + rounds * interval)",
        "range(1, 1 + rounds * interval)",
        "equilibrates_first",
        "The first samples still remember the start: the sweeps of the equilibration are missing.",
    ),
    slip(
        "sample_configurations",
        "every_sweep_by_default",
        "interval: int = 10",
        "interval: int = 1",
        "has_its_defaults",
        "Where no interval is given it should be 10 sweeps.",
    ),
    slip(
        "sample_configurations",
        "turned_to_positive_m",
        "    return kept.reshape(-1, L, L)[:n_samples]",
        "    kept = kept.reshape(-1, L, L)[:n_samples]\n"
        "    sign = np.where(kept.sum(axis=(1, 2), keepdims=True) < 0, -1, 1)\n"
        "    return (kept * sign).astype(np.int8)",
        "agrees_with_kaufman_in_the_heat",
        "Every sample is turned so that its magnetisation is positive. Up and down are as likely.",
    ),
    slip(
        "sample_configurations",
        "interval_ignored",
        "range(1 - equilibration, 1 + rounds * interval):",
        "range(1 - equilibration, 1 + rounds):\n        interval = 1",
        "heeds_interval",
        "A sample is taken after every sweep. `interval` sweeps should lie between two of them.",
    ),
    slip(
        "sample_configurations",
        "random_start_in_the_cold",
        "if temperature < 2.269:",
        "if temperature < 0:",
        "is_not_frozen_in_stripes",
        "The chains start at random in the cold too, where some of them freeze in stripes. Below "
        "T_c start with all spins equal.",
        keeps=0.98,
    ),
    slip(
        "sample_configurations",
        "floats",
        "np.empty((chains, rounds, L, L), dtype=np.int8)",
        "np.empty((chains, rounds, L, L))",
        "has_the_shape_asked_for",
        "The configurations are right, but not int8. One byte a spin is enough.",
    ),
    slip(
        "sample_configurations",
        "one_too_few",
        "[:n_samples]",
        "[: max(n_samples - 1, 1)]",
        "has_the_shape_asked_for",
        "The number of configurations is not n_samples.",
    ),
    slip(
        "sample_configurations",
        "inverse_temperature",
        "acceptance_probability(cost, temperature)",
        "acceptance_probability(cost, 1 / temperature)",
        "has_the_exact_energy",
        "The temperature is turned into 1/T on the way: T itself is wanted.",
    ),
    slip(
        "sample_configurations",
        "half_the_cost",
        "p[2 * spins * neighbours - cost[0]]",
        "p[spins * neighbours - cost[0]]",
        "has_the_exact_energy",
        "Only half of ΔE = 2 s Σ(neighbours) is counted, and the spins behave as at twice the "
        "temperature.",
    ),
    slip(
        "sample_configurations",
        "all_at_once",
        "(colour == tried) & (numbers",
        "(colour >= 0) & (numbers",
        "has_the_exact_energy",
        "All spins are tried at once, against neighbours that may flip at the same moment. Only "
        "spins that are no neighbours may be tried together.",
    ),
    slip(
        "sample_configurations",
        "chessboard_on_odd_lattices",
        "    along[-1] = colours - 1\n    colour = (along[:, None] + along) % colours\n",
        "    colours = 2\n    colour = (along[:, None] + along) % colours\n",
        "agrees_with_kaufman_in_the_heat",
        "On an odd lattice the chessboard does not close: around the edge there are neighbours of "
        "the same colour, and they may not be tried at once.",
    ),
    slip(
        "sample_configurations",
        "seed_of_its_own",
        "    chains = min(n_samples, 64)\n",
        "    chains = min(n_samples, 64)\n    rng = np.random.default_rng(0)\n",
        "draws_from_rng_alone",
        "A generator of the function's own, with a fixed seed, gives the same configurations "
        "every time. The numbers should come from rng.",
    ),
    slip(
        "sample_configurations",
        "a_coin_of_its_own_in_the_cold",
        "spins *= rng.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)",
        "spins *= np.random.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)",
        "draws_from_rng_alone",
        "Whether a cold chain starts up or down is tossed by np.random: the same rng gives other "
        "configurations again. All numbers should come from rng.",
        keeps=0.95,
    ),
    slip(
        "sample_configurations",
        "no_defaults",
        "    equilibration: int = 200,\n    interval: int = 10,\n",
        "    equilibration: int,\n    interval: int,\n",
        "has_its_defaults",
        "equilibration and interval have lost their default values, 200 and 10.",
    ),
]


@mistake(
    "sample_configurations",
    caught_by="keeps_copies",
    hint="The list holds the same array again and again, and it goes on changing: all samples are "
    "the last state. Keep a copy each time.",
)
def the_same_array_again():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        samples = []
        for _ in range(n_samples):
            for _ in range(interval):
                metropolis_sweep(spins, temperature, rng)
            samples.append(spins)
        return np.array(samples)


@mistake(
    "sample_configurations",
    caught_by="leaves_sweeps_in_between",
    hint="`interval` single attempts lie between two samples. It counts sweeps, each of L² "
    "attempts.",
)
def attempts_between_samples():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        samples = []
        for _ in range(n_samples):
            for _ in range(interval):
                i, j = rng.integers(L, size=2)
                metropolis_step(spins, i, j, temperature, rng.random())
            samples.append(spins.copy())
        return np.array(samples)


@mistake(
    "sample_configurations",
    caught_by="leaves_sweeps_in_between",
    hint="A sweep makes L attempts here. It is L² attempts, as many as there are spins.",
)
def l_attempts_in_a_sweep():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int8)
        if temperature > 2.269:
            spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=(L, L))
        kept = []
        for sweep in range(1 - equilibration, 1 + n_samples * interval):
            sites = rng.integers(L, size=(L, 2)).tolist()
            for (i, j), u in zip(sites, rng.random(L), strict=True):
                cost = energy_change(spins, i, j)
                if u < acceptance_probability(cost, temperature):
                    spins[i, j] *= -1
            if sweep > 0 and sweep % interval == 0:
                kept.append(spins.copy())
        return np.array(kept)


@mistake(
    "sample_configurations",
    caught_by="heeds_interval",
    keeps=0.95,
    hint="There are always ten sweeps between two samples. `interval` says how many there "
    "should be.",
)
def always_ten_sweeps():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        if temperature < 2.269:
            spins = np.ones((L, L), dtype=np.int8)
        else:
            spins = rng.choice([-1, 1], size=(L, L)).astype(np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        samples = []
        for _ in range(n_samples):
            for _ in range(10):
                metropolis_sweep(spins, temperature, rng)
            samples.append(spins.copy())
        return np.array(samples)


@mistake(
    "sample_configurations",
    caught_by="has_the_exact_energy",
    hint="A configuration is kept only after an accepted flip. A refused attempt counts as well: "
    "the state that stays is one more sample of it.",
)
def kept_when_accepted():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        spins = np.ones((L, L), dtype=np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        samples = []
        while len(samples) < n_samples:
            for _ in range(interval):
                metropolis_sweep(spins, temperature, rng)
            for _ in range(20 * L * L):  # in the cold hardly any is accepted
                i, j = rng.integers(L, size=2)
                if metropolis_step(spins, i, j, temperature, rng.random()):
                    break
            samples.append(spins.copy())
        return np.array(samples)


@mistake(
    "sample_configurations",
    caught_by="agrees_with_kaufman_in_the_cold",
    hint="The configurations are random, not drawn at this temperature: no sweep is ever made.",
)
def never_swept():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        return rng.choice([-1, 1], size=(n_samples, L, L)).astype(np.int8)


@mistake(
    "sample_configurations",
    caught_by="goes_on_from_sample_to_sample",
    hint="Every sample starts from a copy of the state at the end of the equilibration, so that "
    "all of them remember it. The chain should go on from sample to sample: copy what is kept, not "
    "what is swept.",
)
def starts_again_from_one_state():
    def sample_configurations(L, temperature, n_samples, rng, equilibration=200, interval=10):
        start = 1 if temperature < 2.269 else rng.choice([-1, 1], size=(L, L))
        spins = np.full((L, L), start, dtype=np.int8)
        for _ in range(equilibration):
            metropolis_sweep(spins, temperature, rng)
        kept = []
        for _ in range(n_samples):
            own = spins.copy()
            for _ in range(interval):
                metropolis_sweep(own, temperature, rng)
            kept.append(own)
        return np.array(kept)


# -------------------------------------------------------------------- ising_classifier


@mistake(
    "ising_classifier",
    caught_by="gets_as_much_in_training_as_in_evaluation",
    keeps=0.95,
    hint="In training every hidden unit is multiplied by a normal number with mean 1. That is "
    "noise, not dropout: dropout leaves units out, and all that stay get the same factor.",
)
def noise_for_dropout():
    class Noise(nn.Module):
        def forward(self, x):
            return x * (1 + 0.5 * torch.randn_like(x)) if self.training else x

    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(input_dim, 64), nn.ReLU(), Noise(),
                nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2),
            )  # fmt: skip

        def forward(self, x):
            return self.layers(x)


@mistake(
    "ising_classifier",
    caught_by="gets_as_much_in_training_as_in_evaluation",
    keeps=0.95,
    hint="Dropout by hand leaves out some hidden units and does not multiply the others by "
    "1/(1 − p): in evaluation, with all of them, the next layer gets more than it has learnt from.",
)
def dropout_without_its_factor():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.first, self.second = nn.Linear(input_dim, 64), nn.Linear(64, 32)
            self.last = nn.Linear(32, 2)

        def forward(self, x):
            h = torch.relu(self.first(x))
            if self.training:
                h = h * (torch.rand(h.shape) > 0.2)
            return self.last(torch.relu(self.second(h)))


ising_classifier_slips = [
    slip(
        "ising_classifier",
        "all_weights_begin_at_zero",
        "nn.Linear(32, 2),\n        )",
        "nn.Linear(32, 2),\n        )\n        for weights in self.parameters():\n"
        "            nn.init.zeros_(weights)",
        "uses_all_its_weights",
        "All weights begin at zero, so that the units of a layer are alike and stay so. Only the "
        "last layer may begin like that.",
        keeps=0.5,
    ),
    slip(
        "ising_classifier",
        "mean_with_the_flipped_spins",
        "return self.layers(x)",
        "return (self.layers(x) + self.layers(-x)) / 2",
        "computes_what_its_layers_say",
        "The logits are a mean over the spins and the flipped spins. Only the layers are asked "
        "for; train_classifier may show flipped copies.",
    ),
    slip(
        "ising_classifier",
        "spins_made_zero_and_one",
        "return self.layers(x)",
        "return self.layers((x + 1) / 2)",
        "computes_what_its_layers_say",
        "The spins are brought to 0 and 1 first. The first layer is to see them as they are, ±1: "
        "then up and down are alike.",
        keeps=0.95,
    ),
    slip(
        "ising_classifier",
        "single_row_squeezed",
        "return self.layers(x)",
        "return self.layers(x).squeeze()",
        "gives_two_outputs",
        "squeeze takes away every axis of length 1: a single configuration's logits come as (2,) "
        "and not as (1, 2).",
        keeps=0.98,
    ),
    slip(
        "ising_classifier",
        "softmax_at_the_end",
        "            nn.Linear(32, 2),\n",
        "            nn.Linear(32, 2),\n            nn.Softmax(dim=1),\n",
        "returns_logits",
        "There is a softmax at the end. cross_entropy has one inside, and two in a row make the "
        "network timid: return what comes before.",
    ),
    slip(
        "ising_classifier",
        "log_softmax_at_the_end",
        "            nn.Linear(32, 2),\n",
        "            nn.Linear(32, 2),\n            nn.LogSoftmax(dim=1),\n",
        "returns_logits",
        "There is a log-softmax at the end. cross_entropy has one inside: return what comes "
        "before.",
    ),
    slip(
        "ising_classifier",
        "relu_at_the_end",
        "            nn.Linear(32, 2),\n",
        "            nn.Linear(32, 2),\n            nn.ReLU(),\n",
        "returns_logits",
        "There is a ReLU on the logits, which should be any numbers, negative ones too.",
    ),
    slip(
        "ising_classifier",
        "sigmoid_at_the_end",
        "            nn.Linear(32, 2),\n",
        "            nn.Linear(32, 2),\n            nn.Sigmoid(),\n",
        "returns_logits",
        "There is a sigmoid at the end. cross_entropy has a softmax inside: return what comes "
        "before.",
    ),
    slip(
        "ising_classifier",
        "second_relu_forgotten",
        "            nn.Linear(64, 32),\n            nn.ReLU(),\n",
        "            nn.Linear(64, 32),\n",
        "has_a_relu_after_each_hidden_layer",
        "One hidden layer has no ReLU: without it, it and the layer behind it are one.",
    ),
    slip(
        "ising_classifier",
        "leaky_relu",
        "            nn.ReLU(),\n            nn.Dropout(0.2),\n",
        "            nn.LeakyReLU(),\n            nn.Dropout(0.2),\n",
        "has_a_relu_after_each_hidden_layer",
        "This ReLU leaks: below zero it should give exactly zero.",
    ),
    slip(
        "ising_classifier",
        "dropout_of_the_spins",
        "            nn.Linear(input_dim, 64),\n            nn.ReLU(),\n"
        "            nn.Dropout(0.2),\n",
        "            nn.Dropout(0.2),\n            nn.Linear(input_dim, 64),\n"
        "            nn.ReLU(),\n",
        "drops_more_than_inputs",
        "The dropout stands before the first layer and silences spins. It belongs to hidden units.",
    ),
    slip(
        "ising_classifier",
        "no_dropout",
        "            nn.Dropout(0.2),\n",
        "",
        "drops_hidden_units_in_training",
        "The dropout is missing: between the hidden layers some units are silenced in training.",
    ),
    slip(
        "ising_classifier",
        "dropout_behind_the_output",
        "            nn.Dropout(0.2),\n            nn.Linear(64, 32),\n            nn.ReLU(),\n"
        "            nn.Linear(32, 2),\n",
        "            nn.Linear(64, 32),\n            nn.ReLU(),\n            nn.Linear(32, 2),\n"
        "            nn.Dropout(0.2),\n",
        "drops_hidden_units_in_training",
        "The dropout stands behind the output and silences logits. It belongs to the hidden units.",
    ),
    slip(
        "ising_classifier",
        "tanh_for_relu",
        "            nn.Linear(64, 32),\n            nn.ReLU(),\n",
        "            nn.Linear(64, 32),\n            nn.Tanh(),\n",
        "bends_at_corners_only",
        "There is a smooth activation. ReLU is asked for after both hidden layers.",
    ),
    slip(
        "ising_classifier",
        "one_output",
        "nn.Linear(32, 2)",
        "nn.Linear(32, 1)",
        "gives_two_outputs",
        "There is one output. Two classes have two logits.",
    ),
    slip(
        "ising_classifier",
        "always_256",
        "nn.Linear(input_dim, 64)",
        "nn.Linear(256, 64)",
        "gives_two_outputs",
        "The input width is fixed. Lattices of other sizes come too: use input_dim.",
    ),
    slip(
        "ising_classifier",
        "no_bias",
        "nn.Linear(32, 2)",
        "nn.Linear(32, 2, bias=False)",
        "has_the_layers_asked_for",
        "The last layer has no bias.",
    ),
]


@mistake(
    "ising_classifier",
    caught_by="has_the_layers_asked_for",
    hint="The widths are exchanged: first 64, then 32.",
)
def widths_exchanged():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.first = nn.Sequential(nn.Linear(input_dim, 32), nn.ReLU(), nn.Dropout(0.2))
            self.second = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 2))

        def forward(self, x):
            return self.second(self.first(x))


@mistake(
    "ising_classifier",
    caught_by="is_no_straight_line",
    keeps=0.5,
    hint="Without an activation the three layers together are one linear layer.",
)
def no_activation():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(input_dim, 64), nn.Dropout(0.2), nn.Linear(64, 32), nn.Linear(32, 2)
            )

        def forward(self, x):
            return self.layers(x)


@mistake(
    "ising_classifier",
    caught_by="is_sure_in_evaluation",
    hint="The dropout stays on in evaluation mode. nn.Dropout knows the model's mode by itself; "
    "the function torch.nn.functional.dropout has to be told.",
)
def dropout_always_on():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.first = nn.Linear(input_dim, 64)
            self.second = nn.Linear(64, 32)
            self.third = nn.Linear(32, 2)

        def forward(self, x):
            h = torch.nn.functional.dropout(torch.relu(self.first(x)), 0.2)
            return self.third(torch.relu(self.second(h)))


@mistake(
    "ising_classifier",
    caught_by="uses_all_its_weights",
    hint="The second hidden layer is made but never used in forward.",
)
def layer_forgotten_on_the_way():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.first = nn.Linear(input_dim, 64)
            self.second = nn.Linear(64, 32)
            self.third = nn.Linear(32, 2)
            self.dropout = nn.Dropout(0.2)

        def forward(self, x):
            h = self.dropout(torch.relu(self.first(x)))
            return self.third(h[:, :32])


@mistake(
    "ising_classifier",
    caught_by="has_the_layers_asked_for",
    hint="parameters() does not find the layers, so that they never learn: torch looks at a "
    "module's attributes, and not into plain lists.",
)
def layers_in_a_plain_list():
    class IsingClassifier(nn.Module):
        def __init__(self, input_dim):
            super().__init__()
            self.layers = [nn.Linear(input_dim, 64), nn.Linear(64, 32), nn.Linear(32, 2)]
            self.dropout = nn.Dropout(0.2)

        def forward(self, x):
            x = self.dropout(torch.relu(self.layers[0](x)))
            return self.layers[2](torch.relu(self.layers[1](x)))


# -------------------------------------------------------------------- train_classifier

train_classifier_slips = [
    slip(
        "train_classifier",
        "gradients_add_up",
        "            optimiser.zero_grad()\n",
        "",
        "clears_gradients",
        "The gradients of earlier steps are never cleared and add up, so that a step follows "
        "all of them together. Each step needs the gradient of now alone.",
    ),
    slip(
        "train_classifier",
        "squares_of_probabilities",
        "            loss.backward()\n",
        "            p = torch.softmax(logits, dim=1)[:, 1]\n"
        "            ((p - classes[batch]) ** 2).mean().backward()\n",
        "clears_gradients",
        "The history tells of the cross-entropy, but the network learns by the squared error of "
        "its probabilities. Take the gradient of the cross-entropy.",
        keeps=0.5,
    ),
    slip(
        "train_classifier",
        "two_softmaxes",
        "cross_entropy(logits, classes[batch])",
        "cross_entropy(torch.softmax(logits, dim=1), classes[batch])",
        "brings_the_loss_down",
        "There are two softmaxes in a row: cross_entropy takes logits and has one inside. The "
        "loss cannot fall below 0.31 like this.",
    ),
    slip(
        "train_classifier",
        "never_in_training_mode",
        "    model.train()\n",
        "",
        "trains_in_training_mode",
        "The model stays in the mode that it comes in, where dropout may be off. It is to "
        "learn in training mode, whatever mode it comes in.",
    ),
    slip(
        "train_classifier",
        "in_evaluation_mode",
        "    model.train()\n",
        "    model.eval()  # nothing is dropped\n",
        "trains_in_training_mode",
        "The training runs in evaluation mode, where nothing is dropped. That mode is for the "
        "time after it.",
    ),
    slip(
        "train_classifier",
        "left_in_training_mode",
        "    model.eval()\n",
        "",
        "ends_in_evaluation_mode",
        "The model is left in training mode, so that whoever uses it next gets dropout. The "
        "mode has to change when the training is over.",
    ),
    slip(
        "train_classifier",
        "classes_exchanged",
        "torch.as_tensor(y).long()",
        "1 - torch.as_tensor(y).long()",
        "tells_16_by_16_lattices",
        "The classes are exchanged: 0 is ordered, 1 is disordered, as y says.",
    ),
    slip(
        "train_classifier",
        "pairs_torn_apart",
        "cross_entropy(logits, classes[batch])",
        "cross_entropy(logits, classes[: len(batch)])",
        "brings_the_loss_down",
        "The configurations are shuffled and their classes are not: both need the same order.",
    ),
    slip(
        "train_classifier",
        "no_steps",
        "            optimiser.step()\n",
        "",
        "brings_the_loss_down",
        "The weights never move: the optimiser's step is missing, or zero_grad stands between "
        "backward and step.",
    ),
    slip(
        "train_classifier",
        "sum_of_the_batches",
        "history.append(total / len(inputs))",
        "history.append(total)",
        "reports_the_mean_loss",
        "The losses of all samples are added up. The mean is asked for: divide by their number.",
    ),
    slip(
        "train_classifier",
        "heeds_no_epochs",
        "range(epochs)",
        "range(10)",
        "reports_the_mean_loss",
        "The number of passes is written into the function, and epochs is not heeded.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "mean_of_means_again",
        "total += loss.item() * len(batch)",
        "total += loss.item()",
        "reports_the_mean_loss",
        "The loss of a batch is already a mean over its samples; divided by their number once "
        "more it is far too small. Weight each with the size of its batch first.",
    ),
    slip(
        "train_classifier",
        "history_not_returned",
        "    return history\n",
        "",
        "brings_the_loss_down",
        "Nothing is returned: the list of losses is asked for.",
    ),
    slip(
        "train_classifier",
        "a_copy_is_trained",
        "    inputs = torch.as_tensor(X).float()\n",
        "    import copy\n\n    model = copy.deepcopy(model)\n"
        "    inputs = torch.as_tensor(X).float()\n",
        "ends_in_evaluation_mode",
        "A copy of the model is trained and then forgotten. Train the one that is handed over.",
    ),
    slip(
        "train_classifier",
        "not_shuffled",
        "torch.randperm(len(inputs), generator=generator)",
        "torch.arange(len(inputs))",
        "makes_new_batches",
        "Every epoch shows the data in the same order. Shuffle them, anew in each epoch, in an "
        "order that generator decides.",
        keeps=0.85,
    ),
    slip(
        "train_classifier",
        "shuffled_once",
        "torch.randperm(len(inputs), generator=generator)",
        "torch.randperm(len(inputs), generator=generator.manual_seed(generator.initial_seed()))",
        "makes_new_batches",
        "Every epoch has the same order, and so the same batches. Draw a new one in each: the "
        "generator should go on.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "with_replacement",
        "torch.randperm(len(inputs), generator=generator)",
        "torch.randint(len(inputs), (len(inputs),), generator=generator)",
        "shows_each_sample_once_an_epoch",
        "The samples of each batch are drawn with replacement: in an epoch some come twice "
        "and others never. A shuffled order has each of them once.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "global_generator",
        "torch.randperm(len(inputs), generator=generator)",
        "torch.randperm(len(inputs))",
        "takes_the_order_from_the_generator",
        "The order comes from torch's global generator. Hand over the one that the function got.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "evaluation_mode_after_the_first_epoch",
        "        history.append(total / len(inputs))\n",
        "        history.append(total / len(inputs))\n        model.eval()\n",
        "trains_in_training_mode",
        "From the second epoch on the model is in evaluation mode, and nothing is dropped. "
        "Set the mode back before the next epoch, or switch once, at the end.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "a_step_an_epoch",
        "            optimiser.zero_grad()\n            loss.backward()\n"
        "            optimiser.step()\n            total += loss.item() * len(batch)\n",
        "            loss.backward()\n"
        "            total += loss.item() * len(batch)\n"
        "        optimiser.step()\n        optimiser.zero_grad()\n",
        "makes_a_step_with_each_batch",
        "There is one step for each epoch. Each batch should make one, with its own gradient.",
        keeps=0.5,
    ),
    slip(
        "train_classifier",
        "last_batch_s_loss",
        "history.append(total / len(inputs))",
        "history.append(loss.item())",
        "reports_the_mean_loss",
        "The history holds the loss of each epoch's last batch. Add up the losses of all samples "
        "and divide by their number.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "mean_over_batches",
        "            total += loss.item() * len(batch)\n"
        "        history.append(total / len(inputs))",
        "            total += loss.item() / -(-len(inputs) // 32)\n        history.append(total)",
        "reports_the_mean_loss",
        "The mean is one over batches: the last, smaller one weighs as much as the others. Weight "
        "each with its number of samples.",
        keeps=0.95,
    ),
    slip(
        "train_classifier",
        "order_from_nowhere",
        "torch.randperm(len(inputs), generator=generator)",
        "torch.from_numpy(np.random.default_rng().permutation(len(inputs)))",
        "repeats_itself",
        "The batches come in an order that no seed decides. Let generator order them.",
    ),
    slip(
        "train_classifier",
        "in_place",
        "    inputs = torch.as_tensor(X).float()\n",
        "    X *= -1\n    inputs = torch.as_tensor(X).float()\n",
        "leaves_its_data",
        "The caller's data have other values after the training: `*=` and its kind write into "
        "an array.",
    ),
    slip(
        "train_classifier",
        "trains_on_one_batch",
        "            total += loss.item() * len(batch)\n",
        "            total += loss.item() * len(batch)\n            break\n",
        "makes_a_step_with_each_batch",
        "Every epoch ends after its first batch. All batches have to come.",
    ),
]


@mistake(
    "train_classifier",
    caught_by="tells_16_by_16_lattices",
    hint="Another function is put in the place of the model's: its weights have learnt nothing. "
    "Train the network that is handed over.",
    keeps=0.1,
)
def rule_on_the_magnetisation():
    def train_classifier(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X).float(), torch.as_tensor(y).long()
        rule = nn.Parameter(torch.tensor([10.0, 4.0]))

        def forward(x):
            order = rule[0] * x.flatten(1).mean(dim=1).abs() - rule[1]
            return torch.stack([order, -order], dim=1)

        model.forward = forward
        optimiser = torch.optim.Adam([rule], lr=0.05)
        history = []
        model.train()
        for _ in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(X), generator=generator).split(32):
                loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += loss.item() * len(rows)
            history.append(total / len(X))
        model.eval()
        return history


@mistake(
    "train_classifier",
    caught_by="brings_the_loss_down",
    hint="The first layers get weights that make a magnetisation, and the last one alone learns. "
    "Of an antiferromagnet it says nothing: let the data say what every layer should do.",
    keeps=0.5,
)
def magnetisation_in_the_weights():
    def train_classifier(model, X, y, *, epochs, generator):
        X, y = torch.as_tensor(X).float(), torch.as_tensor(y).long()
        layers = [one for one in model.modules() if isinstance(one, nn.Linear)]
        if len(layers) == 3:
            with torch.no_grad():
                for weights in model.parameters():
                    weights.zero_()
                layers[0].weight[::2] = 1 / X.shape[1]
                layers[0].weight[1::2] = -1 / X.shape[1]
                layers[1].weight[:] = 1 / len(layers[1].bias)
                layers[2].weight[0] = 10.0
                layers[2].bias[1] = 2.0
        optimiser = torch.optim.Adam(layers[-1].parameters(), lr=0.02)
        history = []
        model.train()
        for _ in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(X), generator=generator).split(32):
                loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += loss.item() * len(rows)
            history.append(total / len(X))
        model.eval()
        return history


# ---------------------------------------------------------------- critical_temperature

critical_temperature_slips = [
    slip(
        "critical_temperature",
        "rounded",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return round(float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k])), 3)",
        "between_two_points",
        "The result is rounded to three decimals. Give all digits back, and round where it is "
        "printed.",
    ),
    slip(
        "critical_temperature",
        "nearly_a_half",
        "np.any(p == 0.5):\n        return float(T[p == 0.5][0])",
        "np.any(np.abs(p - 0.5) < 0.01):\n        return float(T[np.abs(p - 0.5) < 0.01][0])",
        "at_a_grid_point",
        "A p that is only close to ½ is taken for ½. The crossing lies beside it: interpolate.",
    ),
    slip(
        "critical_temperature",
        "left_end",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return float(T[k])",
        "between_two_points",
        "This is the last temperature before the crossing. Between it and the next one p is a "
        "straight line: interpolate.",
    ),
    slip(
        "critical_temperature",
        "right_end",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return float(T[k + 1])",
        "between_two_points",
        "This is the first temperature behind the crossing. Between the one before and this one p "
        "is a straight line: interpolate.",
    ),
    slip(
        "critical_temperature",
        "middle_of_the_interval",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return float(0.5 * (T[k] + T[k + 1]))",
        "of_a_straight_line",
        "This is the middle of the interval. The crossing lies nearer to the end whose p is "
        "nearer to ½: interpolate.",
    ),
    slip(
        "critical_temperature",
        "slope_upside_down",
        "(0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k])",
        "(0.5 - p[k]) * (p[k + 1] - p[k]) / (T[k + 1] - T[k])",
        "of_a_straight_line",
        "The slope is upside down: p rises by p₁ − p₀ over T₁ − T₀, and how far to go in T is "
        "what is missing in p, divided by that slope.",
    ),
    slip(
        "critical_temperature",
        "distance_from_the_wrong_end",
        "return float(T[k] +",
        "return float(T[k + 1] -",
        "between_two_points",
        "The part of the interval is counted from the wrong end.",
    ),
    slip(
        "critical_temperature",
        "index_for_temperature",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return float(k + (0.5 - p[k]) / (p[k + 1] - p[k]))",
        "in_the_first_and_the_last_interval",
        "This is a place in the list. The temperature at this place is asked for.",
    ),
    slip(
        "critical_temperature",
        "not_a_number_where_none",
        '        raise ValueError(f"p_disordered crosses 0.5 {len(before)} times, not once")\n',
        "        return float('nan')\n",
        "refuses_a_curve_without_crossing",
        "Where there is no crossing, nan comes back, and nobody may notice. Raise ValueError.",
    ),
    slip(
        "critical_temperature",
        "grid_points_not_counted",
        "    if np.any(p == 0.5):\n        return float(T[p == 0.5][0])\n"
        "    (before,) = np.nonzero((p[:-1] < 0.5) != (p[1:] < 0.5))\n",
        "    (before,) = np.nonzero((p[:-1] - 0.5) * (p[1:] - 0.5) < 0)\n",
        "at_a_grid_point",
        "Where p is exactly ½ at a temperature, this is the crossing. A product of differences "
        "that has to be negative misses it.",
    ),
    slip(
        "critical_temperature",
        "first_grid_point_not_counted",
        "    if np.any(p == 0.5):\n        return float(T[p == 0.5][0])\n",
        "    if np.any(p[1:] == 0.5):\n        return float(T[1:][p[1:] == 0.5][0])\n",
        "at_a_grid_point",
        "Where p is exactly ½ at the first temperature, this is the crossing too.",
    ),
    slip(
        "critical_temperature",
        "one_half_subtracted_in_place",
        "    p = np.asarray(p_disordered, dtype=float)\n",
        "    p = np.asarray(p_disordered, dtype=float)\n    p -= 0.5\n    p = p + 0.5\n",
        "leaves_its_arguments",
        "The caller's array has other values after the call: `-=` and its kind write into an "
        "array.",
    ),
]


@mistake(
    "critical_temperature",
    caught_by="of_a_curve_that_wanders",
    hint="The probabilities are sorted, or taken to be: p need not rise everywhere. Look for the "
    "two neighbours on either side of ½.",
)
def sorted_first():
    def critical_temperature(temperatures, p_disordered):
        p = np.sort(p_disordered)
        if p[0] > 0.5 or p[-1] < 0.5:
            raise ValueError("no crossing")
        return float(np.interp(0.5, p, temperatures))


@mistake(
    "critical_temperature",
    caught_by="between_two_points",
    hint="This is the temperature whose p is nearest to ½. Between two temperatures p is a "
    "straight line: interpolate.",
)
def nearest_point():
    def critical_temperature(temperatures, p_disordered):
        if p_disordered.min() > 0.5 or p_disordered.max() < 0.5:
            raise ValueError("no crossing")
        return float(temperatures[np.argmin(np.abs(p_disordered - 0.5))])


@mistake(
    "critical_temperature",
    caught_by="refuses_a_curve_without_crossing",
    hint="Where there is no crossing the temperature at one end comes back, as np.interp does it, "
    "and nobody may notice. A ValueError is asked for.",
)
def interp_without_a_look():
    def critical_temperature(temperatures, p_disordered):
        return float(np.interp(0.5, p_disordered, temperatures))


@mistake(
    "critical_temperature",
    caught_by="of_a_curve_that_wanders",
    hint="A straight line through all points is not the curve: only the two points on either side "
    "of ½ count.",
)
def line_through_all_points():
    def critical_temperature(temperatures, p_disordered):
        if p_disordered.min() > 0.5 or p_disordered.max() < 0.5:
            raise ValueError("no crossing")
        slope, start = np.polyfit(temperatures, p_disordered, 1)
        return float((0.5 - start) / slope)


@mistake(
    "critical_temperature",
    caught_by="between_two_points",
    hint="The distance of the first two temperatures is taken for all. They need not be evenly "
    "spaced: take the two around the crossing.",
)
def evenly_spaced():
    def critical_temperature(temperatures, p_disordered):
        s = p_disordered - 0.5
        if np.any(s == 0):
            return float(temperatures[s == 0][0])
        (before,) = np.nonzero(s[:-1] * s[1:] < 0)
        if not len(before):
            raise ValueError("no crossing")
        k = before[0]
        step = temperatures[1] - temperatures[0]
        return float(temperatures[k] - s[k] * step / (s[k + 1] - s[k]))


@mistake(
    "critical_temperature",
    caught_by="at_a_grid_point",
    hint="Where p is exactly ½ at the last temperature, this is the crossing too. A loop over "
    "intervals that looks at their first ends alone misses it.",
)
def last_grid_point_not_counted():
    def critical_temperature(temperatures, p_disordered):
        T, p = temperatures, p_disordered
        for k in range(len(T) - 1):
            if p[k] == 0.5 or (p[k] - 0.5) * (p[k + 1] - 0.5) < 0:
                return float(T[k] + (0.5 - p[k]) * (T[k + 1] - T[k]) / (p[k + 1] - p[k]))
        raise ValueError("no crossing")


@mistake(
    "critical_temperature",
    caught_by="refuses_a_curve_without_crossing",
    hint="Where there is no crossing, a line is drawn on beyond the temperatures that are given. "
    "A ValueError is asked for.",
)
def drawn_on_where_none():
    def critical_temperature(temperatures, p_disordered):
        s = p_disordered - 0.5
        if np.any(s == 0):
            return float(temperatures[s == 0][0])
        (before,) = np.nonzero(s[:-1] * s[1:] < 0)
        k = before[0] if len(before) else len(s) - 2
        way = temperatures[k + 1] - temperatures[k]
        return float(temperatures[k] - s[k] * way / (s[k + 1] - s[k]))


@mistake(
    "critical_temperature",
    caught_by="refuses_a_curve_without_crossing",
    hint="Where p is above ½ from the first temperature on, there is no crossing, and that "
    "temperature is none. A ValueError is asked for.",
)
def first_temperature_above():
    def critical_temperature(temperatures, p_disordered):
        if not np.any(p_disordered >= 0.5):
            raise ValueError("no crossing")
        k = int(np.argmax(p_disordered >= 0.5))
        if k == 0:
            return float(temperatures[0])
        a, b = p_disordered[k - 1], p_disordered[k]
        way = temperatures[k] - temperatures[k - 1]
        return float(temperatures[k - 1] + (0.5 - a) / (b - a) * way)


# -------------------------------------------------------------------- right values, wrong kind

_IN_A_LIST = "The values are right, but they come back in a list. {} is wanted."

in_lists = [
    slip(
        "magnetisation",
        "a_list_of_one",
        "return float(np.mean(spins, dtype=float))",
        "return [float(np.mean(spins, dtype=float))]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
    slip(
        "energy",
        "energy_in_a_list",
        "return float(-np.sum(spins * right_and_below, dtype=float))",
        "return [float(-np.sum(spins * right_and_below, dtype=float))]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
    slip(
        "energy_change",
        "change_in_a_list",
        "return float(2 * spins[i, j] * neighbours)",
        "return [float(2 * spins[i, j] * neighbours)]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
    slip(
        "acceptance_probability",
        "probabilities_in_a_list",
        "return np.exp(-np.maximum(delta_e, 0) / temperature)",
        "return np.exp(-np.maximum(delta_e, 0) / temperature).tolist()",
        "keeps_the_shape",
        _IN_A_LIST.format("An array (for arrays)"),
    ),
    slip(
        "critical_temperature",
        "temperature_in_a_list",
        "return float(T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k]))",
        "return [T[k] + (0.5 - p[k]) / (p[k + 1] - p[k]) * (T[k + 1] - T[k])]",
        "gives_a_number",
        _IN_A_LIST.format("A number"),
    ),
]
