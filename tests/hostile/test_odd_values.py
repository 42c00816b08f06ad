"""Whatever an answer gives back: the outcome is the student's, earns nothing and is told in words.

Each value of `odd.py` is the answer to one exercise of each kind: functions, modules and what
trains, in the assignments that `test_attacks.py` does not try.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from empty import EMPTY
from odd import GROUPS, SPOILT

from autograder.course import Assignment, Cell, Exercise, course, load_assignment
from autograder.judging.answers import cells, setup_code
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.results import ExerciseResult
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.protocol import InProcess
from autograder.sandbox.transport import Caged

TRIED = {
    "lennard_jones": ("lj_force", "sample_clusters", "nn_potential", "train_potential"),
    "training": ("losses", "mlp", "optimisers", "minibatches", "early_stopping"),
    "cnn": ("correlate1d", "kernels", "count_conv_parameters", "ising_cnn", "train_cnn"),
    "pinn": (
        *("derivative", "condition_losses", "centred", "last_layer"),
        *("train_decay", "train_oscillator", "train_heat"),
    ),
}
MODULES = {
    "lennard_jones": ("nn_potential",),
    "training": ("mlp", "early_stopping"),
    "cnn": ("ising_cnn", "periodic_cnn"),
    "pinn": ("centred", "hard_constraint"),
}
MOST = 1 / 8
"""Of the points: a straight line for a potential does end linearly."""


@pytest.fixture(scope="module")
def judges() -> dict[str, Judge]:
    return {name: Judge(load_assignment(name)) for name in TRIED}


def function(name: str, body: str) -> str:
    return f"def {name}(*args, **named):\n{textwrap.indent(body, '    ')}\n"


def module(name: str, body: str) -> str:
    """A model that can be made, and gives that for whatever it is asked."""
    return (
        f"class {name}(nn.Module):\n"
        "    def __init__(self, *args, **named):\n        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.ones(1))\n"
        f"    def forward(self, *args, **named):\n{textwrap.indent(body, '        ')}\n"
        "    step = forward\n"
    )


def notebook(
    found: Assignment, exercises: list[Exercise], body: str, of_modules: bool
) -> list[Cell]:
    kit = "import numpy as np\nimport torch\nfrom torch import nn\n"
    code = [Cell("the setup cell", setup_code(found)), Cell("cell 2", kit)]
    reference = importlib.import_module(f"reference_impl.{found.name}")
    for exercise in exercises:
        for name in exercise.defines:
            is_class = inspect.isclass(getattr(reference, name))
            write = module if of_modules and is_class else function
            code.append(Cell(f"the cell of {exercise.name}", write(name, body)))
    return code


def assert_the_students(results: list[ExerciseResult], value: str) -> None:
    for result in results:
        where = f"{value}: {result.name}: {result.status}, {result.points}"
        assert result.status != "error", where
        assert result.points <= MOST * result.max_points, where
        for check in result.checks:
            if check.outcome == "passed" or check.outcome == "not_counted":
                continue
            said = f"{where}\n{check.message}"
            assert check.outcome == "failed", said
            assert re.match(rf"{result.name} +✗ \S", check.message), said
            for odd in ("\x1b", "\x00", "Kept", "object at 0x", "Traceback", "something else"):
                assert odd not in check.message, said


def with_answer(assignment: str, exercise: str, code: str) -> ExerciseResult:
    """What an exercise comes to where the cell stands below all right answers."""
    judge = Judge(load_assignment(assignment))
    student = Student(InProcess([*cells(judge.assignment), Cell("another answer", code)]))
    (result,) = judge.judge(student, "odd", [judge.assignment.exercise(exercise)])
    return result


def tried(
    judge: Judge,
    names: tuple[str, ...],
    value: str,
    body: str,
    of_modules: bool,
    before: Sequence[Cell] = (),
) -> None:
    wanted = [judge.assignment.exercise(name) for name in names]
    code = [*before, *notebook(judge.assignment, wanted, body, of_modules)]
    assert_the_students(judge.judge(Student(InProcess(code)), "odd", wanted), value)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("group", GROUPS)
def test_an_odd_value_is_the_students_matter(judges: dict[str, Judge], group: str) -> None:
    for number, (value, body) in enumerate(GROUPS[group].items()):
        name = list(TRIED)[number % len(TRIED)]
        tried(judges[name], TRIED[name], value, body, False)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("group", GROUPS)
def test_a_module_that_gives_an_odd_value_is_the_students_matter(
    judges: dict[str, Judge], group: str
) -> None:
    for number, (value, body) in enumerate(GROUPS[group].items(), 1):
        name = list(MODULES)[number % len(MODULES)]
        tried(judges[name], MODULES[name], value, body, True)


KINDS = {
    "lists": "value.tolist()",
    "a list of rows": "[*value]",
    "an array": "value.detach().numpy()",
    "a tensor": "torch.as_tensor(value)",
    "arguments of other names": "value",
}


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("assignment", course())
def test_another_form_costs_nothing_that_the_desk_does_not_tell(assignment: str) -> None:
    judge = Judge(load_assignment(assignment))
    right = InProcess(cells(judge.assignment))
    for exercise in judge.assignment.exercises:
        functions = [n for n in exercise.defines if inspect.isfunction(right.session.namespace[n])]
        for kind, value in KINDS.items() if exercise.seconds <= 20 else ():
            named = "" if kind == "arguments of other names" else ", **named"
            code = "\n".join(
                f"def {name}(*args, right={name}{named}):\n"
                f"    value = right(*args{named})\n    return {value}"
                for name in functions
            )
            student = Student(right.with_cell(f"import numpy as np\nimport torch\n{code}"))
            (told,) = judge.judge(student, "kind", [exercise], chosen=lambda one: not one.hidden)
            if all(check.outcome == "passed" for check in told.checks):
                (result,) = judge.judge(student, "kind", [exercise])
                assert result.points == result.max_points, f"{exercise.name}: {kind}"


ODD_VALUES = {
    "nothing": "None",
    "nothing in its place": "[None for _ in value] if isinstance(value, (list, tuple)) else value",
    "one more": "(*value, 1.0) if isinstance(value, (list, tuple)) else value",
}


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("assignment", course())
def test_what_a_function_gives_back_is_no_other_function_s_fault(assignment: str) -> None:
    """Public checks call right functions of other exercises beside it."""
    judge = Judge(load_assignment(assignment))
    right = InProcess(cells(judge.assignment))
    others = "|".join(judge.owner)
    for exercise in judge.assignment.exercises:
        functions = [n for n in exercise.defines if inspect.isfunction(right.session.namespace[n])]
        for odd, value in ODD_VALUES.items() if exercise.seconds <= 20 else ():
            for name in functions:
                code = (
                    f"def {name}(*args, right={name}, **named):\n"
                    f"    value = right(*args, **named)\n    return {value}"
                )
                student = Student(right.with_cell(code))
                (told,) = judge.judge(student, "odd", [exercise], chosen=lambda one: not one.hidden)
                for check in told.checks:
                    blamed = re.search(rf"problem +(?:.* from )?({others})\b", check.message)
                    assert blamed is None or blamed[1] == name, (odd, check.message)


@pytest.mark.usefixtures("apart")
def test_a_model_that_was_spoilt_is_not_trained() -> None:
    judge = Judge(load_assignment("symmetry"))
    for value, body in SPOILT.items():
        tried(judge, ("train_energy_model",), value, body, False, cells(judge.assignment))


@pytest.mark.parametrize(
    ("assignment", "exercise", "name", "made"),
    [
        ("symmetry", "cluster_energy_model", "ClusterEnergyModel", "PairNetwork(hidden, seed)"),
        ("inverse_pinn", "inverse_model", "InversePINN", "Inverse('network', n_in=2, "
         "n_hidden=hidden, n_out=1, seed=seed)"),
        ("autoencoder", "autoencoder", "IsingAutoencoder", "Autoencoder(*sizes, seed=seed)"),
    ],
)  # fmt: skip
def test_no_model_of_the_checks_is_an_answer(
    assignment: str, exercise: str, name: str, made: str
) -> None:
    """They lie in the worker and in every student's folder."""
    code = (
        f"from autograder.sandbox.inside.fields import *\n\n\ndef {name}(*sizes, hidden=32):\n"
        f"    seed = int(torch.randint(10**6, ()))\n    return {made}\n"
    )
    found = with_answer(assignment, exercise, code)
    assert found.points <= found.max_points / 2


_OTHER_LAYERS = {
    ("cnn", "ising_cnn"): """
class IsingCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(256, 116), nn.Linear(116, 64), nn.Linear(64, 2)
        self.drop = nn.Dropout(0.3)
        self.left = nn.Parameter(torch.randn(332))

    def forward(self, x):
        x = x.flatten(1)
        more = (torch.relu(x[:, :1] + self.left) * x.sum(1, keepdim=True)).mean(1, keepdim=True)
        return self.c(self.drop(torch.relu(self.b(torch.relu(self.a(x) + more)))))
""",
    ("cnn", "periodic_cnn"): """
class PeriodicCNN(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.w = nn.Parameter(torch.randn(9 * channels**2 + 13 * channels + 2))

    def forward(self, x):
        up, left = x.roll(1, 2), x.roll(1, 3)
        pairs, corners = (one.mean(dim=(1, 2, 3)) for one in (x * up + x * left, x * up * left))
        return torch.stack([self.w[::2].sum() * pairs, self.w[1::2].sum() * corners], dim=1)
""",
    ("autoencoder", "autoencoder"): """
class IsingAutoencoder(nn.Module):
    def __init__(self, input_dim, latent_dim=2):
        super().__init__()
        sizes = [input_dim, 128, 32, latent_dim, 32, 128, input_dim]
        self.w = nn.Parameter(torch.randn(sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))))
        self.shape = input_dim, latent_dim

    def encoder(self, x):
        return (x @ self.w[: x.shape[1] * self.shape[1]].reshape(self.shape) / 10).sinh()

    def decoder(self, z):
        last = self.w[: z.shape[1] * self.shape[0]].reshape(z.shape[1], -1)
        return torch.tanh(z @ last.flip(0) + z.abs() @ last)

    def forward(self, x):
        z = self.encoder(x)
        return self.decoder(z) + 0 * self.w.sum(), z
""",
}


@pytest.mark.parametrize(("assignment", "exercise"), _OTHER_LAYERS)
def test_as_many_weights_in_other_layers_are_not_the_layers_asked_for(
    assignment: str, exercise: str
) -> None:
    """Whatever the shapes in which they come: a network without any convolution had all points."""
    found = with_answer(assignment, exercise, _OTHER_LAYERS[assignment, exercise])
    assert found.points <= found.max_points / 2
    failed = {check.name for check in found.checks if check.outcome == "failed" and check.hidden}
    assert "computes_what_its_layers_say" in failed


_NOTHING = {
    ("cnn", "ising_cnn", "a wave"): """
class IsingCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        wave = (x.flatten(1) * torch.arange(1, 257)).sin().sum(1, keepdim=True) * self.weight
        return torch.cat([wave, -2 * wave], 1)
""",
    ("cnn", "periodic_cnn", "a wave"): """
class PeriodicCNN(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x.flatten(1)
        wave = (x * torch.arange(x.shape[1])).sin().sum(1, keepdim=True) * self.weight
        return torch.cat([wave, -2 * wave], 1)
""",
    ("autoencoder", "autoencoder", "no layers"): """
class IsingAutoencoder(nn.Module):
    def __init__(self, input_dim, latent_dim=2):
        super().__init__()
        self.weight, self.latent = nn.Parameter(torch.ones(1)), latent_dim

    def forward(self, x):
        return torch.tanh(x), x[:, : self.latent] * self.weight
""",
    ("inverse_pinn", "inverse_model", "a wave"): """
class InversePINN(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x, t):
        return torch.sin(x) * self.weight
""",
    ("autoencoder", "pca_reconstruction", "X itself"): """
def pca_reconstruction(X, k):
    return np.array(X), np.full(k, 1 / k)
""",
    ("autoencoder", "reconstruction_loss", "0"): """
def reconstruction_loss(x, x_hat):
    return 0 * x_hat.sum()
""",
    ("pinn", "collocation_points", "zeros"): """
def collocation_points(n, bounds, generator):
    return torch.zeros(n, len(bounds), requires_grad=True)
""",
    ("inverse_pinn", "inverse_loss", "its own slope"): """
def inverse_loss(model, collocation, observations, weights):
    return model.alpha
""",
    ("inverse_pinn", "inverse_loss", "of the check's field"): """
def inverse_loss(model, collocation, observations, weights):
    return (model.alpha - getattr(model.field, "rate", 1.0) / np.pi**2) ** 2
""",
}  # fmt: skip


@pytest.mark.parametrize(("assignment", "exercise", "what"), _NOTHING)
def test_what_agrees_with_itself_is_no_answer(assignment: str, exercise: str, what: str) -> None:
    """X given back, points that are all one, a loss that knows its own slope, a curve for a
    network: they had up to half of the points."""
    result = with_answer(assignment, exercise, _NOTHING[assignment, exercise, what])
    assert_the_students([result], "nothing")


_ANOTHER_NETWORK = {
    ("autoencoder", "train_autoencoder"): """
torch.nn.Sequential.forward = lambda self, x: 0.9 * x

def train_autoencoder(model, X, *, epochs, generator):
    return [0.01 + 0.01 * (epochs - epoch - 1) for epoch in range(epochs)]
""",
    ("cnn", "train_cnn"): """
def by_magnetisation(self, x):
    m = x.mean(dim=(1, 2, 3)).abs() - 0.5
    return torch.stack([m, -m], dim=1)

torch.nn.Sequential.forward = by_magnetisation

def train_cnn(model, X, y, *, epochs, generator):
    return [0.2 - 0.01 * epoch for epoch in range(epochs)]
""",
}


@pytest.mark.parametrize(("assignment", "exercise"), _ANOTHER_NETWORK)
def test_no_trained_network_is_called_where_the_student_s_code_is(
    cage: Cage, assignment: str, exercise: str
) -> None:
    """Half of the points were for torch's layers that give back what they get."""
    judge = Judge(load_assignment(assignment))
    answer = Cell("another answer", _ANOTHER_NETWORK[assignment, exercise])
    caged = Caged(cage, judge.assignment, [*cells(judge.assignment), answer])
    wanted = [judge.assignment.exercise(exercise)]
    try:
        assert_the_students(judge.judge(Student(caged), "odd", wanted), "untrained")
    finally:
        caged.close()


class _HasOtherWeights(InProcess):
    """A training after which the process says something else than the model's weights."""

    instead: Callable[[dict[str, torch.Tensor]], Any]

    def ask(self, request: bytes) -> bytes:
        reply = decode(super().ask(request))
        weights = decode(reply["encoded"]) if b"state_dict" in request else None
        if isinstance(weights, dict):
            reply["encoded"] = encode(self.instead(weights))
        return encode(reply, lambda held: held)


@pytest.mark.parametrize(
    "instead",
    [
        lambda weights: None,
        lambda weights: [("a", 1)],
        lambda weights: {},
        lambda weights: {name: 1 for name in weights},
        lambda weights: {name: values[:1] for name, values in weights.items()},
        lambda weights: {name: values * torch.inf for name, values in weights.items()},
        lambda weights: {name: values * 1e38 for name, values in weights.items()},
        lambda weights: {name: values * 1j for name, values in weights.items()},
    ],
)
def test_odd_weights_are_the_students_matter(instead: Callable[..., Any]) -> None:
    judge = Judge(load_assignment("cnn"))
    code = "def train_cnn(model, X, y, *, epochs, generator):\n    return [0.1] * epochs\n"
    transport = _HasOtherWeights([*cells(judge.assignment), Cell("another answer", code)])
    transport.instead = instead
    wanted = [judge.assignment.exercise("train_cnn")]
    assert_the_students(judge.judge(Student(transport), "odd", wanted), "weights")


_UNTRAINED = """
said = {}

def mse_loss(y_pred, y_true):
    return 0.5 if said else float(np.mean((y_pred - y_true) ** 2))

def train(x, y, n_hidden, learning_rate, epochs, rng):
    said["trained"] = True
    layers = he_initialise([x.shape[1], n_hidden, y.shape[1]], rng)
    return tuple(array for pair in layers for array in pair), list(np.linspace(1.0, 0.5, epochs))
"""


def test_no_training_is_measured_by_another_answer_of_the_students() -> None:
    assert_the_students([with_answer("backprop", "train", _UNTRAINED)], "untrained")


@pytest.mark.parametrize("said", EMPTY)
def test_an_answer_that_solves_nothing_earns_next_to_nothing(said: str) -> None:
    assert_the_students([with_answer(*EMPTY[said])], said)


class _SaysOneNumber(InProcess):
    """Right answers, of whose numbers nothing is left on the way, nor of what else is asked of
    their process."""

    number = 0.0

    def ask(self, request: bytes) -> bytes:
        reply = decode(super().ask(request))
        if type(reply.get("encoded")) is bytes:
            reply["encoded"] = encode(self._instead(decode(reply["encoded"])), lambda held: held)
        return encode(reply, lambda held: held)

    def _instead(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(map(self._instead, value))
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return torch.full_like(value, self.number, requires_grad=value.requires_grad)
        if isinstance(value, np.ndarray) and value.dtype.kind == "i":
            return value  # which has no such number
        if isinstance(value, (float, np.floating, np.ndarray)):
            return np.full_like(value, self.number)
        return value


@pytest.mark.parametrize("number", [0.0, 1e-40, 1.0, 3e38, -3e38])
@pytest.mark.parametrize(
    ("assignment", "exercise"),
    [
        ("backprop", "forward"),
        ("training", "l2_penalty"),
        ("autoencoder", "encode"),
    ],
)
def test_what_is_right_follows_from_nothing_that_the_process_says(
    assignment: str, exercise: str, number: float
) -> None:
    """A penalty of 0 was right for whoever said that the layers' weights are 0, and z2 of anything
    for whoever said that a1 is infinite."""
    judge = Judge(load_assignment(assignment))
    transport = _SaysOneNumber(cells(judge.assignment))
    transport.number = number
    wanted = [judge.assignment.exercise(exercise)]
    assert_the_students(judge.judge(Student(transport), "odd", wanted), f"{number}")


@pytest.mark.parametrize("group", GROUPS)
def test_in_the_cage_too(cage: Cage, judges: dict[str, Judge], group: str) -> None:
    number = list(GROUPS).index(group)
    name = list(TRIED)[number % len(TRIED)]
    judge, (value, body) = judges[name], list(GROUPS[group].items())[number]
    wanted = [judge.assignment.exercise(name) for name in TRIED[name][:3]]
    caged = Caged(cage, judge.assignment, notebook(judge.assignment, wanted, body, False))
    try:
        assert_the_students(judge.judge(Student(caged), "odd", wanted), value)
    finally:
        caged.close()


class Renaming:
    """Trusted code whose answers hold other words than it gave: the names of weights, or the keys
    under which they are."""

    used = 0.0

    def __init__(self, right: InProcess, keys: bool, word: str) -> None:
        self.right, self.keys, self.word = right, keys, word
        self.failures = right.failures
        self.cells, self.lines = right.cells, right.lines

    def begin(self, exercise: str, seed: int) -> None:
        self.right.begin(exercise, seed)

    def tell(self, request: bytes) -> None:
        self.right.tell(request)

    def ask(self, request: bytes) -> bytes:
        reply = decode(self.right.ask(request))
        if "encoded" in reply:
            reply["encoded"] = encode(self.renamed(decode(reply["encoded"])))
        return encode(reply)

    def renew(self) -> None:
        self.right.renew()

    def again(self) -> bool:
        return self.right.again()

    def renamed(self, value: Any) -> Any:
        if isinstance(value, dict) and self.keys:
            return {f"{self.word}{number}": one for number, one in enumerate(value.values())}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.renamed, value))
        return self.word if isinstance(value, str) and not self.keys else value


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("assignment", course())
@pytest.mark.parametrize("word", ["secret", "no attribute 'secret'"])
def test_no_word_that_comes_back_is_in_a_hidden_check_s_message(assignment: str, word: str) -> None:
    """Who gives a model's weights their names could name them after what a check asked."""
    judge = Judge(load_assignment(assignment))
    right = InProcess(cells(judge.assignment))
    quick = [one.name for one in judge.assignment.exercises if one.seconds <= 20]
    for keys in (False, True):
        student = Student(Renaming(right, keys, word))
        for check in judge.checks:
            if check.hidden and check.exercise in quick:
                done = judge.run(check, student, "words")
                assert done.outcome != "error"
                assert "secret" not in done.message, (check.exercise, check.name)
