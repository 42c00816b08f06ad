"""The reference of training against torch, scipy, scikit-learn, and the lecture's own recipes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from draws import seeded
from scipy import special, stats
from scipy.differentiate import derivative as scipy_derivative
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from autograder.checks import test_training as checks
from autograder.course import load_assignment
from reference_impl import training as reference


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2026)


def normal(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.tensor(rng.normal(size=shape))


# ---------------------------------------------------------------- derivatives and networks


@pytest.mark.parametrize("shape", [(), (1,), (0,), (6,), (4, 1), (2, 3)])
def test_the_derivative_is_scipys(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.uniform(0.5, 2.0, shape)
    found = reference.derivative(lambda x: torch.sin(x**2) * torch.exp(-x), torch.tensor(x))
    assert found.shape == shape
    if x.size:
        theirs = scipy_derivative(lambda x: np.sin(x**2) * np.exp(-x), x, tolerances={"rtol": 1e-9})
        np.testing.assert_allclose(found.numpy(), theirs.df, rtol=1e-7)


def test_the_derivative_of_a_network_is_a_staircase_and_touches_nothing() -> None:
    torch.manual_seed(0)
    model = reference.MLP(1, [16], 1)
    x = torch.linspace(-3, 3, 200)[:, None].requires_grad_()
    model(x).sum().backward()
    left = x.grad.clone()
    steps = reference.derivative(model, x).unique()
    assert len(steps) <= 17
    torch.testing.assert_close(x.grad, left)
    plain = torch.ones(3)
    assert not reference.derivative(torch.square, plain).requires_grad
    assert not plain.requires_grad
    assert plain.grad is None


@pytest.mark.parametrize("sizes", [(1, [64, 64], 1), (3, [], 2), (2, [5], 4), (4, [3, 7, 2, 6], 1)])
def test_the_network_is_linear_relu_linear(sizes: tuple[int, list[int], int]) -> None:
    torch.manual_seed(1)
    model = reference.MLP(*sizes)
    x = torch.randn(9, sizes[0])
    weights, a = list(model.parameters()), x
    for depth in range(0, len(weights), 2):
        a = functional.linear(a if depth == 0 else functional.relu(a), *weights[depth : depth + 2])
    torch.testing.assert_close(model(x), a)
    widths = [sizes[0], *sizes[1], sizes[2]]
    expected = sum((i + 1) * o for i, o in pairwise(widths))
    assert sum(p.numel() for p in weights) == expected


def test_the_lectures_network_has_4353_parameters() -> None:
    assert sum(p.numel() for p in reference.MLP(1, [64, 64], 1).parameters()) == 4353


# --------------------------------------------------------------------------------- losses


def test_losses_are_scikit_learns(rng: np.random.Generator) -> None:
    y_pred, y_true = normal(rng, 30, 2), normal(rng, 30, 2)
    mae = mean_absolute_error(y_true.numpy(), y_pred.numpy())
    assert reference.mae_loss(y_pred, y_true).item() == pytest.approx(mae, rel=1e-12)
    logits, targets = 3 * normal(rng, 40), torch.tensor(rng.integers(0, 2, 40).astype(float))
    bce = log_loss(targets.numpy(), special.expit(logits.numpy()))
    assert reference.bce_with_logits(logits, targets).item() == pytest.approx(bce, rel=1e-10)
    logits, classes = 3 * normal(rng, 40, 5), torch.tensor(rng.integers(0, 5, 40))
    p = special.softmax(logits.numpy(), axis=1)
    ce = log_loss(classes.numpy(), p, labels=range(5))
    assert reference.cross_entropy(logits, classes).item() == pytest.approx(ce, rel=1e-10)


LOSSES: list[tuple[Callable, Callable, bool]] = [
    (reference.bce_with_logits, functional.binary_cross_entropy_with_logits, False),
    (reference.cross_entropy, functional.cross_entropy, True),
    (reference.mae_loss, functional.l1_loss, False),
]


@pytest.mark.parametrize(("ours", "theirs", "classes"), LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 1.0, 1000.0])
def test_losses_and_their_gradients_are_torchs(
    ours: Callable, theirs: Callable, classes: bool, dtype: torch.dtype, size: float
) -> None:
    logits = (size * torch.randn(20, 3, generator=seeded())).to(dtype)
    target = torch.randint(0, 3, (20,), generator=seeded(1))
    if not classes:
        target = (target[:, None] == torch.arange(3)).to(dtype)
    gradients = []
    for loss in (ours, theirs):
        leaf = logits.clone().requires_grad_()
        value = loss(leaf, target)
        gradients.append((value.detach(), *torch.autograd.grad(value, leaf)))
    for one, other in zip(*gradients, strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(one, other)


# ----------------------------------------------------------------------------- optimisers


def rosenbrock(params: list[torch.Tensor]) -> torch.Tensor:
    a, b = params
    return ((1 - a) ** 2).sum() + 10 * ((b - a**2) ** 2).sum()


def gradients(params: list[torch.Tensor]) -> list[torch.Tensor]:
    leaves = [p.detach().clone().requires_grad_() for p in params]
    return list(torch.autograd.grad(rosenbrock(leaves), leaves))


PATHS: list[tuple[Callable, Callable]] = [
    (
        lambda p, g, s: (reference.sgd_step(p, g, 0.002), None),
        lambda leaves: torch.optim.SGD(leaves, lr=0.002),
    ),
    (
        lambda p, g, s: reference.momentum_step(p, g, s, 0.002, momentum=0.8),
        lambda leaves: torch.optim.SGD(leaves, lr=0.002, momentum=0.8),
    ),
    (
        lambda p, g, s: reference.adam_step(p, g, s, 0.02),
        lambda leaves: torch.optim.Adam(leaves, lr=0.02),
    ),
    (
        lambda p, g, s: reference.adam_step(p, g, s, 0.02, betas=(0.5, 0.7), eps=0.1),
        lambda leaves: torch.optim.Adam(leaves, lr=0.02, betas=(0.5, 0.7), eps=0.1),
    ),
    (
        lambda p, g, s: reference.adamw_step(p, g, s, 0.02, weight_decay=0.3),
        lambda leaves: torch.optim.AdamW(leaves, lr=0.02, weight_decay=0.3),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PATHS)
def test_optimisers_follow_torchs_on_rosenbrocks_valley(
    ours: Callable, theirs: Callable, rng: np.random.Generator
) -> None:
    params: list[torch.Tensor] = [normal(rng, 3), normal(rng, 3)]
    leaves = [p.clone().requires_grad_() for p in params]
    descent, state = theirs(leaves), None
    for _ in range(50):
        grads = gradients(params)
        before = [x.clone() for x in params + grads]
        new, following = ours(params, grads, state)
        again, _ = ours(params, grads, state)  # the old state is still what it was
        torch.testing.assert_close(new, again, rtol=0, atol=0)
        torch.testing.assert_close(params + grads, before, rtol=0, atol=0)
        params, state = new, following
        descent.zero_grad()
        rosenbrock(leaves).backward()
        descent.step()
        torch.testing.assert_close(params, [x.detach() for x in leaves], rtol=1e-9, atol=1e-11)


# ----------------------------------------------------------- mini-batches, dropout, penalty


def test_batches_are_those_of_a_data_loader_in_size_and_content(rng: np.random.Generator) -> None:
    x, y = torch.arange(100.0)[:, None], torch.arange(100) + 7
    ours = list(reference.minibatches(x, y, 16, seeded()))
    theirs = list(DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True))
    assert [len(a) for a, _ in ours] == [len(a) for a, _ in theirs] == [16] * 6 + [4]
    seen = torch.cat([a for a, _ in ours])
    assert sorted(seen.flatten().tolist()) == x.flatten().tolist()
    torch.testing.assert_close(torch.cat([b for _, b in ours]), seen[:, 0].long() + 7)


def test_every_order_of_the_rows_is_as_likely() -> None:
    x, generator, counts = torch.arange(4), seeded(3), dict[tuple[int, ...], int]()
    for _ in range(2400):
        order = tuple(int(a) for a, _ in reference.minibatches(x, x, 1, generator))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


def test_dropout_is_bernoulli_and_inverted() -> None:
    x = torch.full((200, 300), 2.0)
    dropped = reference.dropout(x, 0.3, True, seeded(5))
    assert dropped.unique().tolist() == pytest.approx([0.0, 2 / 0.7])
    kept = int((dropped != 0).sum())
    assert stats.binomtest(kept, x.numel(), 0.7).pvalue > 1e-4
    theirs = functional.dropout(x, 0.3)
    torch.testing.assert_close(dropped.max(), theirs.max())
    torch.testing.assert_close(dropped.std(), theirs.std(), rtol=0.02, atol=0)
    assert reference.dropout(x, 0.3, False, seeded()) is x
    huge = torch.tensor([float("inf"), 1e300], dtype=torch.float64)
    assert reference.dropout(huge, 0.0, True, seeded()).tolist() == huge.tolist()


def test_the_penalty_is_half_of_what_torchs_weight_decay_means() -> None:
    """SGD's weight_decay λ adds λW to the gradient: the gradient of λ/2 ‖W‖²."""
    steps = []
    for decay in (0.0, 0.3):
        torch.manual_seed(0)
        model = reference.MLP(2, [5], 1)
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)  # torch decays biases too; these have nothing to lose
        descent = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=decay)
        penalty = 0.0 if decay else 0.3 / 2
        torch.mean(model(torch.ones(3, 2))).add(penalty * reference.l2_penalty(model)).backward()
        descent.step()
        steps.append([p.detach().clone() for p in model.parameters()])
    torch.testing.assert_close(steps[0], steps[1])


# ------------------------------------------------------------ early stopping, augmentation


def test_early_stopping_keeps_the_best_of_a_real_training() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    x, descent = torch.randn(20, 1), torch.optim.Adam(model.parameters(), lr=0.1)
    stopper, outputs, losses = reference.EarlyStopping(4), [], []
    for _ in range(500):
        descent.zero_grad()
        torch.mean((model.train()(x) - x**2) ** 2).backward()
        descent.step()
        with torch.no_grad():
            outputs.append(model.eval()(x))
        losses.append(torch.mean((outputs[-1] - x**2) ** 2).item())
        if stopper.step(losses[-1], model):
            break
    best = int(np.argmin(losses))
    assert (stopper.best_epoch, stopper.best_loss) == (best, losses[best])
    assert len(losses) == best + 1 + 4 < 500
    for _ in range(2):
        stopper.restore(model)
        torch.testing.assert_close(model(x).detach(), outputs[best])
        descent.step()  # with the same optimiser: the restored weights are still its own


@pytest.mark.parametrize(
    ("losses", "settings", "stop"),
    [
        ([3.0, 1.0, 2.0, 1.0], (2,), 3),
        ([1.0, 1.0], (1,), 1),
        ([math.nan, math.nan], (2,), 1),
        ([math.nan, 1.0, math.nan, math.nan], (2,), 3),
        ([1.0, 0.75, 0.875], (2, 0.25), 2),
        ([1.0, 0.75, 0.5, 0.375], (2, 0.25), None),
        ([9.0, 8.0, 7.0, 6.0], (1,), None),
        ([math.inf, math.inf], (2,), 1),
    ],
)
def test_when_to_stop(losses: list[float], settings: tuple, stop: int | None) -> None:
    model, stopper = nn.Linear(1, 1), reference.EarlyStopping(*settings)
    said = [stopper.step(loss, model) for loss in losses]
    assert (said.index(True) if True in said else None) == stop


def test_augmentation_is_normal_and_in_order() -> None:
    x, y = torch.linspace(-1, 1, 2000)[:, None], torch.arange(2000)
    more, labels = reference.augment(x, y, 4, 0.3, seeded(2))
    torch.testing.assert_close(more[:2000], x, rtol=0, atol=0)
    assert labels.dtype == torch.int64
    assert (labels.reshape(5, -1) == y).all()
    noise = ((more.reshape(5, -1) - x[:, 0])[1:] / 0.3).numpy()
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-4
    assert np.abs(np.corrcoef(noise) - np.eye(4)).max() < 5 / math.sqrt(2000)
    alone, same = reference.augment(x, y, 0, 0.3, seeded())
    assert len(alone) == len(same) == 2000


def test_everything_random_depends_on_the_generator_alone() -> None:
    x, found = torch.arange(30.0)[:, None], []
    for state, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(state)
        order = torch.cat([a for a, _ in reference.minibatches(x, x, 7, seeded(seed))])
        mask = reference.dropout(x + 1, 0.5, True, seeded(seed))
        more, _ = reference.augment(x, x, 2, 0.1, seeded(seed))
        found.append([order.tolist(), mask.tolist(), more.tolist()])
    assert found[0] == found[1]
    assert all(one != other for one, other in zip(found[0], found[2], strict=True))


# ------------------------------------------------------------------------------- training


def sine(count: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    """One period, standardised, at evenly spaced points."""
    x = torch.linspace(-math.sqrt(3), math.sqrt(3), count)[:, None]
    return x, torch.sin(math.pi / math.sqrt(3) * x)


def fresh(seed: int, *sizes: int) -> reference.MLP:
    torch.manual_seed(seed)
    n_in, *hidden, n_out = sizes or (1, 64, 64, 1)
    return reference.MLP(n_in, hidden, n_out)


def unseen_error(model: nn.Module) -> float:
    x, y = sine(1237)
    with torch.no_grad():
        return float(mean_squared_error(y.numpy(), model(x).numpy()))


@pytest.mark.parametrize("seed", range(5))
def test_training_reaches_the_target(seed: int) -> None:
    model = fresh(seed)
    losses = reference.train(model, *sine(), epochs=1000, learning_rate=0.01)
    assert unseen_error(model) < 1e-5
    assert losses[-1] < 1e-5
    assert not model.training


def test_sgd_is_torchs_with_the_rate_of_the_first_epoch(rng: np.random.Generator) -> None:
    x, y = normal(rng, 12, 2).float(), normal(rng, 12, 1).float()
    models = [fresh(4, 2, 6, 1), fresh(4, 2, 6, 1)]
    losses = reference.train(models[0], x, y, epochs=1, learning_rate=0.1, optimiser="sgd")
    descent = torch.optim.SGD(models[1].parameters(), lr=0.1)
    loss = functional.mse_loss(models[1](x), y)
    loss.backward()
    descent.step()
    assert losses == pytest.approx([loss.item()])
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_history_holds_the_mean_over_the_data_of_uneven_batches() -> None:
    x, y = sine(10)
    model = fresh(0)
    expected = functional.mse_loss(model(x), y).item()
    options = {"epochs": 3, "learning_rate": 1e-12, "batch_size": 4}
    losses = reference.train(model, x, y, **options, generator=seeded())  # type: ignore[arg-type]
    assert losses == pytest.approx([expected] * 3, rel=1e-5)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_row_of_targets_is_refused_before_it_broadcasts(batch_size: int | None) -> None:
    x, y = sine(20)
    model = fresh(0)
    before = [p.detach().clone() for p in model.parameters()]
    with pytest.raises(ValueError, match="the model gives"):
        reference.train(model, x, y[:, 0], epochs=2, learning_rate=0.1, batch_size=batch_size)
    torch.testing.assert_close([p.detach() for p in model.parameters()], before)


def test_dropout_is_on_while_training_and_off_after() -> None:
    x, y = sine(50)
    model = nn.Sequential(nn.Linear(1, 50), nn.Dropout(0.5), nn.Linear(50, 1)).eval()
    losses = reference.train(model, x, y, epochs=20, learning_rate=1e-12)
    assert np.std(losses) > 1e-4
    torch.testing.assert_close(model(x), model(x))


# ------------------------------------------------------------------- the lecture's faults


def test_fault_a_a_second_run_goes_on_from_the_first() -> None:
    """An "epoch 0" with a loss of 0.004 cannot be the first: an untrained network has about ½."""
    first = fresh(1)
    starts = []
    for _ in range(2):
        starts.append(reference.train(first, *sine(), epochs=200, learning_rate=0.01)[0])
    assert starts[0] > 0.2
    assert starts[1] < 0.004
    again = reference.train(fresh(1), *sine(), epochs=200, learning_rate=0.01)
    assert again[0] == starts[0]


def plain_adam(model: nn.Module, epochs: int) -> list[float]:
    """The lecture's loop: a learning rate of 0.01 to the end."""
    x, y = sine()
    descent, losses = torch.optim.Adam(model.parameters(), lr=0.01), []
    for _ in range(epochs):
        descent.zero_grad()
        loss = functional.mse_loss(model(x), y)
        loss.backward()
        descent.step()
        losses.append(loss.item())
    return losses


def test_fault_e_the_last_epoch_of_plain_adam_is_a_lottery() -> None:
    """Over the last 200 epochs its loss varies widely; with a falling rate it settles."""
    spreads: dict[str, list[float]] = {"plain": [], "falling": []}
    for seed in range(3):
        falling = reference.train(fresh(seed), *sine(), epochs=600, learning_rate=0.01)
        for name, losses in (("plain", plain_adam(fresh(seed), 600)), ("falling", falling)):
            spreads[name].append(max(losses[-60:]) / min(losses[-60:]))
    assert np.median(spreads["plain"]) > 5
    assert max(spreads["falling"]) < 2


def overfit(seed: int, places: int) -> tuple[float, float]:
    """Best and final validation loss of 1000 epochs on 20 noisy points, x standardised."""
    generator = seeded(seed)
    edge = math.sqrt(3)
    x = edge * (2 * torch.rand(20 + places, 1, generator=generator) - 1)
    noise = 0.3 * torch.randn(x.shape, generator=generator)
    y = torch.sin(math.pi / edge * x) + noise
    model = fresh(seed, 1, 128, 128, 1)
    descent, history = torch.optim.Adam(model.parameters(), lr=0.005), []
    for _ in range(1000):
        descent.zero_grad()
        functional.mse_loss(model(x[:20]), y[:20]).backward()
        descent.step()
        with torch.no_grad():
            history.append(functional.mse_loss(model(x[20:]), y[20:]).item())
    return min(history), history[-1]


@pytest.mark.parametrize("seed", range(4))
def test_overfitting_is_visible_with_enough_validation_points(seed: int) -> None:
    best, final = overfit(seed, 100)
    assert final / best > 1.2


# ----------------------------------------------------------------------------- docstrings


def test_the_docstrings_worked_numbers_hold() -> None:
    cubic = reference.derivative(lambda x: x**3 + 2 * x, torch.tensor(3.0))
    assert cubic.item() == 29
    column = torch.tensor([[0.0], [1.0]])
    assert reference.mae_loss(torch.tensor([[1.0], [4.0]]), column).item() == 2
    coin = reference.bce_with_logits(torch.zeros(1), torch.ones(1)).item()
    assert coin == pytest.approx(math.log(2))
    row = torch.tensor([[0.0, math.log(3)]])
    quarter = reference.cross_entropy(row, torch.tensor([0])).item()
    assert quarter == pytest.approx(math.log(4))
    p, g = [torch.tensor([1.0])], [torch.tensor([2.0])]
    assert reference.sgd_step(p, g, 0.1)[0].item() == pytest.approx(0.8)
    new, velocity = reference.momentum_step(p, g, None, 0.1)
    assert new[0].item() == pytest.approx(0.8)
    assert reference.momentum_step(new, g, velocity, 0.1)[0][0].item() == pytest.approx(0.42)
    two = reference.adam_step([torch.ones(2)], [torch.tensor([2.0, -0.001])], None, 0.1)[0][0]
    assert two.tolist() == pytest.approx([0.9, 1.1], rel=1e-5)
    decayed = reference.adamw_step(p, g, None, 0.1, weight_decay=0.5)[0][0].item()
    assert decayed == pytest.approx(0.85)
    quarter_kept = reference.dropout(torch.ones(4000), 0.75, True, seeded())
    assert set(quarter_kept.tolist()) == {0.0, 4.0}
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": torch.tensor([[1.0, -2.0]]), "bias": torch.tensor([7.0])})
    assert reference.l2_penalty(layer).item() == 5
    x = 100 * torch.arange(20.0)[:, None]
    more, labels = reference.augment(x, x, 3, 0.1, seeded())
    assert more.shape == (80, 1)
    assert (labels[25].item(), more[25].round(decimals=-1).item()) == (500, 500)

    class Number(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c = nn.Parameter(torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.c + 0 * x

    number, x = Number(), torch.ones(3, 1)
    losses = reference.train(number, x, x, epochs=1, learning_rate=0.1, optimiser="sgd")
    assert losses == [1.0]
    assert number.c.item() == pytest.approx(0.2)


def test_the_docstring_of_train_names_what_the_hidden_checks_ask_for() -> None:
    limits = vars(checks)
    text = " ".join((inspect.getdoc(reference.train) or "").split())
    for said in (
        f"learning_rate = {limits['RATE']}:",
        f"on {limits['PERIODS']} periods for {limits['EPOCHS']} epochs",
        f"on one for {limits['BATCH_EPOCHS']} with",
        f"batch_size = {limits['BATCH_SIZE']}.",
        f"has to be below {limits['UNSEEN_LIMIT']} ",
        f"of the long run below {limits['LOSS_LIMIT']}.",
        f"may take {load_assignment('training').exercise('train').seconds:.0f} s",
    ):
        assert said in text
    x = np.linspace(-math.pi, math.pi, 2001)
    lines = [np.polyfit(x, np.sin(x + phase), 1, full=True)[1][0] for phase in np.arange(0, 6, 0.1)]
    assert min(lines) / len(x) > 0.19  # "no straight line gets below"
