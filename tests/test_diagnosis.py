"""Hints are true: the mistake named is the student's, the relation holds, the fact is read."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from autograder.course import load_assignment
from autograder.judging import diagnosis, relations
from autograder.judging.answers import Answer, alternatives, cells, mistakes, reference_code
from autograder.judging.diagnosis import Observer
from autograder.judging.judge import Judge
from autograder.judging.relations import Pair
from autograder.judging.replay import Known
from autograder.judging.student import Student
from autograder.results import ExerciseResult
from autograder.sandbox.protocol import InProcess


@pytest.fixture(autouse=True)
def _in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the time for hints: in one run of all tests this process was so much slower."""
    for name in ("_QUICK", "_EXERCISE", "_SUBMISSION"):
        monkeypatch.setattr(diagnosis, name, 10 * getattr(diagnosis, name))


def judged(assignment: str, exercise: str, code: str) -> ExerciseResult:
    found = load_assignment(assignment)
    judge, mine = Judge(found), cells(found, Answer(assignment, exercise, "tried", code))
    student, wanted = Student(InProcess(mine)), [found.exercise(exercise)]
    (result,) = judge.judge(student, "salt", wanted, after=Observer(judge, "salt", mine))
    return result


def test_a_mistake_that_fails_what_the_student_passes_is_not_named() -> None:
    """Order 1 and 2 are right here; the known mistake that agrees on order 3 has order 1 wrong."""
    result = judged(
        "pinn",
        "derivative",
        "def derivative(u, x, order=1):\n"
        "    for _ in range(min(order, 2)):\n"
        "        if not u.requires_grad:\n"
        "            return torch.zeros_like(x)\n"
        "        u = torch.autograd.grad(\n"
        "            u.sum(), x, create_graph=True, materialize_grads=True\n"
        "        )[0]\n"
        "    return u\n",
    )
    assert result.status == "partly"
    assert "order = 1" not in result.hint


def test_a_mistake_is_not_named_where_a_check_met_another_one_first() -> None:
    """The step refuses u = 0, and half of all others too."""
    code = (
        "def metropolis_step(spins, i, j, temperature, u):\n"
        "    if 1 - u < acceptance_probability(energy_change(spins, i, j), temperature):\n"
        "        spins[i, j] *= -1\n"
        "        return True\n"
        "    return False\n"
    )
    assert "exactly 0" not in judged("ising", "metropolis_step", code).hint


def test_small_forces_turned_over_are_not_called_nearly_right() -> None:
    code = reference_code(load_assignment("lennard_jones"), "cluster_forces") + (
        "\ndef cluster_forces(*given, right=cluster_forces):\n    return -right(*given)\n"
    )
    result = judged("lennard_jones", "cluster_forces", code)
    assert any(check.name == "are_exact" and check.outcome == "failed" for check in result.checks)
    assert not any("nearly right" in check.message for check in result.checks)


def test_a_force_that_was_learnt_with_the_other_sign_is_called_so() -> None:
    """A training is too slow for known mistakes. V rises at each datum by as much as F says."""
    code = (
        "class Bumps(nn.Module):\n"
        "    def __init__(self, r, F):\n"
        "        super().__init__()\n"
        "        self.r, self.F = r.detach().T, F.detach().T\n"
        "    def forward(self, r):\n"
        "        away = r - self.r\n"
        "        bumps = self.F * away * torch.exp(-((20 * away) ** 2))\n"
        "        return bumps.sum(dim=1, keepdim=True)\n"
        "def train_potential(r, V, F, *, epochs, generator):\n"
        "    return Bumps(r, F)\n"
    )
    messages = [c.message for c in judged("lennard_jones", "train_potential", code).checks]
    assert any("other sign; F = −dV/dr" in message for message in messages)


def test_weights_that_only_rounding_decides_are_called_so() -> None:
    """SciPy's lstsq gives such ones, with the limit that it has by default."""
    code = reference_code(load_assignment("pinn"), "last_layer") + (
        "\ndef last_layer(*given, right=last_layer):\n"
        "    w = right(*given)\n"
        "    return w + 1e13 * torch.tensor([[1.0], [-1], [0]]) if len(w) == 3 else w\n"
    )
    messages = [check.message for check in judged("pinn", "last_layer", code).checks]
    assert any("rounding was taken" in message for message in messages)


def test_two_slips_in_two_functions_are_both_named() -> None:
    result = judged(
        "backprop",
        "activations",
        "def sigmoid(z):\n    return 1 / (1 + np.exp(z))\n"
        "def tanh(z):\n    return np.tanh(z)\n"
        "def relu(z):\n    return np.maximum(z, 0.0)\n"
        "def leaky_relu(z, slope=0.1):\n    return np.where(z > 0, z, slope * np.abs(z))\n",
    )
    assert result.status == "partly"


def test_a_mistake_seen_in_the_lesser_part_gives_way_to_what_holds_in_all() -> None:
    """Half of every energy: on 2×2 lattices this is also what comes of pairs kept as a set."""
    code = reference_code(load_assignment("ising"), "energy")
    result = judged("ising", "energy", code.replace("float(-np.sum(", "float(-0.5 * np.sum("))
    assert result.mistake == ""
    assert "half what it should be" in result.hint


def test_a_slip_that_nobody_wrote_down_is_told_by_its_relation() -> None:
    code = (
        "def lj_potential(r, epsilon=1.0, sigma=1.0):\n"
        "    s = (sigma / r) ** 6\n    return 1.37 * 4 * epsilon * (s * s - s)\n"
    )
    result = judged("lennard_jones", "lj_potential", code)
    assert result.mistake == ""
    assert "every entry is the same multiple of what it should be" in result.hint
    assert "1.37" not in result.hint, "a code could tell an input of a hidden check by its factor"


@pytest.mark.parametrize(
    ("assignment", "exercise", "code", "words"),
    [
        (
            "lennard_jones",
            "lj_potential",
            "def lj_potential(distance, epsilon=1.0, sigma=1.0):\n"
            "    x = np.divide(sigma, distance)\n"
            "    return np.multiply(4 * epsilon, x**12 + x**6)\n",
            "one term has the other sign",
        ),
        (
            "backprop",
            "forward",
            "def forward(x, W1, b1, W2, b2):\n"
            "    z1 = np.matmul(x, W1) - b1\n"
            "    a1 = z1.clip(min=0)\n"
            "    return z1, a1, np.matmul(a1, W2) + b2\n",
            "one term has the other sign",
        ),
        (
            "pinn",
            "centred",
            "class Centred(nn.Module):\n"
            "    def __init__(self, network, bounds):\n"
            "        super().__init__()\n"
            "        self.network, self.bounds = network, bounds\n"
            "    def forward(self, *columns):\n"
            "        scaled = []\n"
            "        for x, (low, high) in zip(columns, self.bounds):\n"
            "            middle, half = (high - low) / 2, (high - low) / 2\n"
            "            scaled.append((x - middle) / half)\n"
            "        return self.network(torch.hstack(scaled))\n",
            "This is what comes out when one term has the other sign.",
        ),
    ],
)
def test_a_slip_in_one_place_is_told_whatever_the_style(
    assignment: str, exercise: str, code: str, words: str
) -> None:
    result = judged(assignment, exercise, code)
    assert result.status in ("wrong", "partly")
    assert result.mistake or words in result.hint, result.hint


def test_a_graph_that_is_gone_is_told_by_the_word_that_keeps_it() -> None:
    code = (
        "def decay_residual(model, t, rate=1.0):\n    u = model(t)\n"
        "    return torch.autograd.grad(u.sum(), t)[0] + rate * u\n"
    )
    result = judged("pinn", "decay_residual", code)
    assert any("create_graph=True" in check.message for check in result.checks)


@pytest.mark.parametrize(
    ("assignment", "exercise", "code", "words"),
    [
        (
            "cnn",
            "count_conv_parameters",
            "def count_conv_parameters(in_channels, out_channels, kernel_size, bias=True):\n"
            "    return float(out_channels * (in_channels * kernel_size**2 + bias))\n",
            "Parameters come in whole numbers",
        ),
        (
            "autoencoder",
            "reconstruction_loss",
            "def reconstruction_loss(x, x_hat):\n"
            "    return torch.mean((x_hat.detach() - x) ** 2)\n",
            "x_hat is detached",
        ),
        (
            "cnn",
            "max_pool2d",
            "def max_pool2d(x, size):\n"
            "    height, width = x.shape[-2:]\n"
            "    if height % size or width % size:\n"
            "        raise ValueError('no whole number of blocks')\n"
            "    x = x.reshape(*x.shape[:-2], height // size, size, width // size, size)\n"
            "    return x.mean(axis=(-3, -1))\n",
            "This is the mean of each block.",
        ),
    ],
)
def test_numbers_of_another_kind_tell_a_mistake(
    assignment: str, exercise: str, code: str, words: str
) -> None:
    """A float for an int, a graph that is lost; and where a check fails by that alone, a mistake
    that does so too is no other one."""
    assert words in judged(assignment, exercise, code).hint


def test_a_mistake_that_explains_most_of_what_failed_is_named() -> None:
    """Zeros beyond the edge, and int8 that does not run over as it does in the known one."""
    code = (
        "def convolve2d_periodic(image, kernel):\n"
        "    from scipy.signal import convolve2d\n"
        "    if kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]:\n"
        "        raise ValueError('the kernel is larger than the image')\n"
        "    return convolve2d(image, kernel, mode='same')\n"
    )
    assert "there are zeros" in judged("cnn", "convolve2d_periodic", code).hint


def test_a_relation_and_a_fact_are_said_one_after_the_other() -> None:
    code = (
        "def mse_loss(y_pred, y_true):\n    n = y_pred.size\n"
        "    return 1.37 * float(np.mean((y_pred - y_true) ** 2))\n"
    )
    assert judged("backprop", "mse_loss", code).hint == (
        "Where it is wrong, every entry is the same multiple of what it should be. "
        "Line 2 gives n a value, and nothing uses it."
    )


def test_none_where_something_should_come_tells_a_mistake() -> None:
    code = (
        "def kernel(name):\n"
        "    return {'horizontal': np.array([[-1.0, -1, -1], [0, 0, 0], [1, 1, 1]]),\n"
        "            'vertical': np.array([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]]),\n"
        "            'blur': np.full((3, 3), 1 / 9),\n"
        "            'laplacian': np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])}.get(name)\n"
    )
    assert "An unknown name gives None" in judged("cnn", "kernels", code).hint
    nothing = judged("cnn", "kernels", "def kernel(name):\n    pass\n")
    assert "unknown name" not in nothing.hint


def test_an_exception_is_no_slip_s_because_right_values_of_others_came_before_it() -> None:
    """Checks of train call he_initialise first. Many slips end in a TypeError of other words."""
    code = "def train(*args, **named):\n    raise TypeError(\"'int' object is not callable\")\n"
    result = judged("backprop", "train", code)
    assert result.points == 0
    assert result.hint == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("None", ""),
        ("right.detach().numpy()", ""),
        ("object()", ""),
        ("right.item()", "mae_loss: a plain number comes back"),
        ("np.float64(right.item())", "mae_loss: a plain number comes back"),
        ("right.detach()", "mae_loss: the result is cut off"),
    ],
)
def test_what_stays_in_the_worker_is_of_some_kind(value: str, words: str) -> None:
    """Nothing can be trained with any of these; what they are is another matter."""
    code = f"import numpy as np\n{reference_code(load_assignment('training'), 'losses')}" + (
        f"\ndef mae_loss(*given, right=mae_loss):\n    right = right(*given)\n    return {value}\n"
    )
    result = judged("training", "losses", code)
    assert result.status != "right"
    assert result.hint.startswith(words)
    assert " Or: " not in result.hint
    assert ("comes back" in result.hint or "cut off" in result.hint) is bool(words)


@pytest.mark.parametrize(
    ("assignment", "exercise", "value"),
    [("training", "derivative", "None"), ("cnn", "max_pool2d", "object()")],
)
def test_nothing_and_an_object_are_no_small_change_s(
    assignment: str, exercise: str, value: str
) -> None:
    code = reference_code(load_assignment(assignment), exercise) + (
        f"\ndef {exercise}(*given, right={exercise}):\n    right(*given)\n    return {value}\n"
    )
    assert "This is what comes out" not in judged(assignment, exercise, code).hint


@pytest.mark.parametrize("name", ["limit_of_1", "limit_refused", "limit_for_a_wave"])
def test_what_is_to_be_refused_is_refused_in_whatever_words(name: str) -> None:
    """The check calls for refusals before it looks at values."""
    known = next(one for one in mistakes(load_assignment("pinn")) if one.name == name)
    code = re.sub(r"raise ValueError\(.*\)", "raise ValueError('too long a step')", known.code)
    assert code != known.code
    assert judged("pinn", "ftcs", code).mistake == name


def test_a_relation_holds_in_all_checks_or_is_not_told() -> None:
    """Too low by one amount here and by another there is no offset."""
    code = "def energy(spins):\n    return -2.0 * spins.size * abs(spins.mean()) ** 3\n"
    assert "the same amount" not in judged("ising", "energy", code).hint
    one = Pair(RIGHT + 0.25, RIGHT, (), False)
    other = Pair(RIGHT + 0.5, RIGHT, (), False)
    assert "the same amount too high" in relations.told([one])
    assert relations.told([one, other]) == ""


def told(*pairs: tuple[object, object], args: object = ()) -> str:
    return relations.told([Pair(mine, right, args, False) for mine, right in pairs])


RIGHT = np.array([[1.7, -0.4], [3.1, 2.2], [0.3, 5.9]])


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (-RIGHT, "every sign turned over"),
        (3 * RIGHT, "three times"),
        (RIGHT[::-1], "reversed order along axis 0"),
        (RIGHT**2, "the square"),
        (np.abs(RIGHT), "the minus signs lost"),
        (RIGHT * (1 + 3e-7), "but for their last digits"),
        (RIGHT + 0.25, "the same amount too high"),
        (np.cosh(RIGHT), ""),
    ],
)
def test_relations(mine: np.ndarray, words: str) -> None:
    said = told((mine, RIGHT))
    assert words in said
    assert bool(words) == bool(said)


X = np.array([-3.0, -2.0, -0.5, 0.5, 1.5, 4.0])
GRID = np.arange(30.0).reshape(5, 6) ** 2


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(np.concatenate([RIGHT[:1], RIGHT[1:] + 1]), RIGHT, ())], "only the first row is right"),
        ([((1.5, 2.5), (1.5, 3.5), ()), ((1.0, 2.0), (1.0, 9.0), ())], "only the second is wrong"),
        ([((1.5, 2.5), (1.5, 3.5), ()), ((1.0, 2.0), (9.0, 2.0), ())], ""),
        ([(np.abs(X), np.maximum(X, 0.1 * X), (X,))], "what goes in is below zero, and right"),
        ([(np.where(X < 1, 0.0, X), X, (X,))], ""),  # where it is above zero too
        ([(np.pad(GRID[1:-1, 1:-1], 1), GRID, ())], "it is wrong at the edges only"),
        ([(np.pad(GRID[1:-1, 1:-1], 1), GRID, ()), (GRID + 1, GRID, ())], ""),
        ([(X, np.concatenate([X, X]), ())], ""),
    ],
)
def test_where_it_is_wrong(pairs: list[Any], words: str) -> None:
    said = relations.place([Pair(*pair, False) for pair in pairs])
    assert words in said
    assert bool(words) == bool(said)


def test_where_it_is_wrong_is_not_told_of_what_is_drawn() -> None:
    """Right ones differ there too."""
    pair = Pair((1.5, 2.5), (1.5, 3.5), (), False)
    assert relations.place([pair])
    assert relations.place([dataclasses.replace(pair, sure=False)]) == ""
    assert relations.place([pair, dataclasses.replace(pair, sure=False)])


@pytest.mark.parametrize(
    ("mine", "right", "words"),
    [
        (X[:-1], X, "right, but the last entries are missing"),
        (GRID[1:], GRID, "right, but the first rows are missing"),
        (X[[0, 2, 5]], X, "right, but some entries are missing"),
        (np.append(X, 7.0), X, "What should come back is there, and more entries behind it"),
        (np.append(X[:-2], 7.0), X, ""),
        (X, X + 1, ""),
        (np.zeros(3), np.zeros(4), ""),
        (X[:0], X, ""),
    ],
)
def test_what_is_missing(mine: np.ndarray, right: np.ndarray, words: str) -> None:
    said = relations.missing([Pair(mine, right, (), False), Pair(1.0, 1.0, (), True)])
    assert words in said
    assert bool(words) == bool(said)


def test_what_is_missing_in_several_calls() -> None:
    pairs = [Pair(X[:-1], X, (), False), Pair(X[1:], X, (), False), Pair(X[:0], X[:1], (), False)]
    assert relations.missing(pairs[:1] + pairs[2:]).endswith("the last entries are missing.")
    assert relations.missing(pairs).endswith("but some entries are missing.")
    assert relations.missing([*pairs, Pair(X + 1, X, (), False)]) == ""


def test_things_in_another_order() -> None:
    right = (np.ones(2), np.zeros(3), 2.5)
    said = told(((right[1], right[0], right[2]), right))
    assert said == "The right values come back in another order: the second, the first, the third."


def test_what_was_given_comes_back() -> None:
    pairs = [Pair(x, np.sin(x), (3, x), False) for x in (X, 2 * GRID)]
    assert "the second argument as it was given" in relations.told(pairs)
    assert relations.told(pairs[:1]) == "", "by chance, or where zero is right"
    flag = Pair(True, False, (), False)
    assert relations.told([*pairs, flag]) == relations.told(pairs)
    without = Pair(X, np.sin(X), (3,), False)
    assert relations.told([*pairs, without]) == "", "it was not given to one that went wrong"


def test_what_is_no_number_has_no_part_in_a_relation() -> None:
    """A flag that is wrong beside numbers whose sign is."""
    pairs = [Pair(-X, X, (), False), Pair(True, False, (), False)]
    assert "every sign turned over" in relations.told(pairs)


def test_right_values_with_fewer_digits_are_in_no_other_order() -> None:
    right = (np.ones(2), 2.5)
    assert told(((right[0] * (1 + 3e-6), right[1]), right)).startswith("The numbers are right but")


def test_a_factor_that_goes_with_the_size() -> None:
    rng = np.random.default_rng(3)
    pairs = []
    for n in (4, 7):
        x, right = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
        pairs.append(Pair(n * right, right, (x,), False))
    said = relations.told(pairs)
    assert said == (
        "Where it is wrong, it is too large by a factor, the number of rows of the first array "
        "given."
    )


@pytest.mark.parametrize(
    ("assignment", "exercise"),
    [("lennard_jones", "lj_force"), ("backprop", "backward"), ("cnn", "convolve2d_periodic")],
)
def test_no_relation_is_said_of_a_right_answer(assignment: str, exercise: str) -> None:
    found = load_assignment(assignment)
    judge = Judge(found)
    for answer in alternatives(found):
        if answer.exercise == exercise:
            student = Student(InProcess(cells(found, answer)))
            for check in judge.of(found.exercise(exercise)):
                assert judge.run(check, student, "salt").outcome == "passed"
                pairs = [*Known(found)[None].pairs(student.requests)]
                assert relations.told(pairs, by_value=False) == ""
                assert relations.place(pairs) == relations.missing(pairs) == ""


def test_a_known_answer_is_asked_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says the same from memory, also where only the beginning was asked before."""
    found = load_assignment("backprop")
    student = Student(InProcess(cells(found)))
    student.begin("mse_loss", 1)
    for scale in (1.0, 2.0, 3.0):
        student.mse_loss(np.full((3, 1), scale), np.zeros((3, 1)))
    requests = [one.request for one in student.requests]
    answers = [one.answer for one in student.requests]
    asked: list[bytes] = []
    ask = InProcess.ask

    def counted(self: InProcess, request: bytes) -> bytes:
        asked.append(request)
        return ask(self, request)

    known = Known(found)
    known[None].session()  # its cells are run
    monkeypatch.setattr(InProcess, "ask", counted)
    assert list(known[None].answers(requests[:2])) == answers[:2]
    assert asked == requests[:2]
    asked.clear()
    assert list(known[None].answers(requests)) == answers
    assert asked == requests, "the beginning once more, so that the rest stands on it"
    asked.clear()
    assert list(known[None].answers(requests)) == answers
    assert asked == []
