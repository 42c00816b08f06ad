"""What a witness notes of a training, and the facts that follow: true of each, and of no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from coursekit import CheckFailed
from coursekit import training as kit
from coursekit.training import Watched

from autograder.checks import test_pinn
from autograder.course import Cell, load_assignment
from autograder.judging.answers import cells
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.inside import witness
from autograder.sandbox.protocol import InProcess

START = """
import copy
import torch
from torch import nn
ce = nn.functional.cross_entropy

def train(model, X, y, *, epochs, generator):
    X, y = X.float(), y.long()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    model.train()
"""

PLAIN = """
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(X), generator=generator).split(32):
            loss = ce(model(X[chosen]), y[chosen])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(chosen)
        history.append(total / len(X))
    model.eval()
    return history
"""


def _downhill(loss: str) -> str:
    """Reports the cross-entropy and follows this loss of `out` and of p, the second class's
    probability."""
    code = PLAIN.replace(
        "loss = ce(model(X[chosen]), y[chosen])",
        "out = model(X[chosen])\n            loss = ce(out, y[chosen])",
    ).replace("loss.backward()", f"({loss}).backward()")
    return code.replace(
        "            opt.zero_grad",
        "            p = out.softmax(1)[:, 1]\n            opt.zero_grad",
    )


RIGHT = {
    "plain": PLAIN,
    "gradients cleared first": PLAIN.replace("            opt.zero_grad()\n", "").replace(
        "            loss = ce",
        "            opt.zero_grad(set_to_none=False)\n            loss = ce",
    ),
    "each batch as it is and turned over": PLAIN.replace(
        "ce(model(X[chosen]), y[chosen])",
        "(ce(model(X[chosen]), y[chosen]) + ce(model(-X[chosen]), y[chosen])) / 2",
    ),
    "L-BFGS, some tries with each batch": """
    opt = torch.optim.LBFGS(model.parameters(), lr=0.01, max_iter=4)
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(X), generator=generator).split(64):
            def closure():
                opt.zero_grad()
                loss = ce(model(X[chosen]), y[chosen])
                loss.backward()
                return loss
            total += opt.step(closure).item() * len(chosen)
        history.append(total / len(X))
    model.eval()
    return history
""",
    "one half of the network alone, looked at between its steps": PLAIN.replace(
        "            opt.step()",
        "            model.encoder(X)\n            opt.step()\n            model.encoder(X[:9])\n"
        "            model.decoder(torch.zeros(7, 16))",
    ),
    "flips signs, seeds inside, a loader": """
    torch.manual_seed(generator.initial_seed())
    data = torch.utils.data.TensorDataset(X, y)
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    for _ in range(epochs):
        losses = []
        for xb, yb in loader:
            xb = xb * (2 * torch.randint(2, (len(xb), 1)) - 1)
            opt.zero_grad()
            loss = ce(model(xb), yb, reduction="none")
            loss.mean().backward()
            opt.step()
            losses += loss.tolist()
        history.append(sum(losses) / len(losses))
    return (model.eval(), history)[1]
""",
    "both signs of each, with a momentum of its own": """
    X, y = torch.cat([X, -X]), torch.cat([y, y])
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(X), generator=generator).split(100):
            loss = ce(model(X[chosen]), y[chosen])
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for p, slope in zip(model.parameters(), slopes):
                    p -= 0.05 * slope
            total += loss.item() * len(chosen)
        history.append(total / len(X))
    model.eval()
    return history
""",
    "looks the data through after each epoch": """
    best = None
    for _ in range(epochs):
        model.train()
        for chosen in torch.randperm(len(X), generator=generator).split(32):
            opt.zero_grad()
            ce(model(X[chosen]), y[chosen]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        model.eval()
        with torch.no_grad():
            history.append(ce(model(X), y).item())
        if history[-1] == min(history):
            best = copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return history
""",
    "labels smoothed a little": _downhill("ce(out, y[chosen], label_smoothing=0.1)"),
    "a tenth kept back": """
    order = torch.randperm(len(X), generator=generator)
    kept, used = order[:52], order[52:]
    for _ in range(epochs):
        model.train()
        losses = []
        for chosen in used[torch.randperm(len(used), generator=generator)].split(32):
            opt.zero_grad()
            loss = ce(model(X[chosen]), y[chosen], reduction="none")
            loss.mean().backward()
            opt.step()
            losses.append(loss.detach())
        history.append(torch.cat(losses).mean().item())
        model.eval()
        with torch.no_grad():
            ce(model(X[kept]), y[kept])
    return history
""",
    "two parts of a batch make one step, a warm start": """
    pace = torch.optim.lr_scheduler.LambdaLR(opt, lambda n: min(n / 4, 1.0))
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(X), generator=generator).split(32):
            loss = ce(model(X[chosen]), y[chosen])
            opt.zero_grad()
            (0.5 * loss).backward(retain_graph=True)
            (0.5 * loss).backward()
            opt.step()
            pace.step()
            total += loss.item() * len(chosen)
        history.append(total / len(X))
    model.eval()
    return history
""",
}

EVERY = "    for _ in range(epochs):"
WRONG = {
    # fact: name: code
    ("learns", "trains a copy"): PLAIN.replace(
        EVERY,
        "    model = copy.deepcopy(model)\n"
        "    opt = torch.optim.Adam(model.parameters())\n" + EVERY,
    ),
    ("learns", "does nothing"): "    return [1.0 / (n + 1) for n in range(epochs)]\n",
    ("learns", "starts anew"): PLAIN.replace(
        EVERY, "    nn.init.normal_(next(model.parameters()))\n" + EVERY
    ),
    ("learns", "climbs"): PLAIN.replace("loss.backward()", "(-loss).backward()"),
    ("moves_every_layer", "the last one alone"): PLAIN.replace(
        EVERY, "    opt = torch.optim.Adam([*model.parameters()][-2:])\n" + EVERY
    ),
    ("sees_the_data", "zeros and ones"): PLAIN.replace("model(X[", "model(0.5 + 0.5 * X["),
    ("shows_each_sample_once", "with replacement"): PLAIN.replace(
        "torch.randperm(len(X),", "torch.randint(len(X), (len(X),),"
    ),
    ("shows_each_sample_once", "the last batch left out"): PLAIN.replace(
        "split(32):", "split(32)[:-1]:"
    ),
    ("shows_each_sample_once", "the first batch alone"): PLAIN.replace(
        "X), generator=", "X[:32]), generator="
    ),
    ("makes_new_batches", "not shuffled"): PLAIN.replace(
        "torch.randperm(len(X), generator=generator)", "torch.arange(len(X))"
    ),
    ("makes_new_batches", "shuffled once"): PLAIN.replace(
        EVERY, "    order = torch.randperm(len(X), generator=generator)\n" + EVERY
    ).replace("in torch.randperm(len(X), generator=generator)", "in order"),
    ("makes_new_batches", "the same batches in another order"): PLAIN.replace(
        "torch.randperm(len(X), generator=generator).split(32)",
        "[torch.arange(len(X)).split(32)[k] for k in torch.randperm(17, generator=generator)]",
    ),
    ("makes_new_batches", "all at once"): PLAIN.replace("split(32)", "split(len(X))"),
    ("is_ordered_like", "the global generator"): PLAIN.replace(", generator=generator", ""),
    ("is_not_ordered_like", "a seed of its own"): PLAIN.replace(
        EVERY, "    generator = torch.Generator().manual_seed(0)\n" + EVERY
    ),
    ("trains_in_training_mode", "never"): PLAIN.replace(EVERY, "    model.eval()\n" + EVERY),
    ("trains_in_training_mode", "in the first epoch"): PLAIN.replace(
        "        history.append", "        model.eval()\n        history.append"
    ),
    ("steps_once_a_batch", "once an epoch"): PLAIN.replace("            opt.step()\n", "")
    .replace("            opt.zero_grad()\n", "")
    .replace(
        "        history.append",
        "        opt.step()\n        opt.zero_grad()\n        history.append",
    ),
    ("shows_most_of_the_data", "the first batch of an epoch"): PLAIN.replace(
        "        history.append", "            break\n        history.append"
    ),
    ("reports_the_mean_loss", "more epochs than told"): PLAIN.replace(
        "range(epochs)", "range(epochs + 2)"
    ),
    ("reports_the_mean_loss", "so many that not all are noted"): PLAIN.replace(
        "range(epochs)", "range(200)"
    ),
    ("clears_gradients", "never cleared"): PLAIN.replace("            opt.zero_grad()\n", ""),
    ("clears_gradients", "once an epoch"): PLAIN.replace(
        "            opt.zero_grad()\n", ""
    ).replace("        total = 0.0", "        total = 0.0\n        opt.zero_grad()"),
    ("follows_the_loss", "probabilities' squares"): _downhill("((p - y[chosen]) ** 2).mean()"),
    ("follows_the_loss", "margins"): _downhill("nn.functional.multi_margin_loss(out, y[chosen])"),
    ("follows_the_loss", "two softmaxes"): _downhill("ce(out.softmax(1), y[chosen])"),
    # The cross-entropy ends far above where it began; that is no reason to take all facts away.
    ("follows_the_loss", "logits for logarithms"): PLAIN.replace(
        EVERY, "    opt = torch.optim.Adam(model.parameters(), lr=0.3)\n" + EVERY
    ).replace("ce(model(", "nn.functional.nll_loss(model("),
    ("follows_the_loss", "one class more"): _downhill(
        "ce(out, y[chosen], torch.tensor([1.0, 2.0]))"
    ),
    ("ends_in_evaluation_mode", "training mode"): PLAIN.replace("    model.eval()\n", ""),
    ("reports_the_mean_loss", "last batch"): PLAIN.replace("total / len(X)", "loss.item()"),
    ("reports_the_mean_loss", "over batches"): PLAIN.replace("* len(chosen)", "").replace(
        "total / len(X)", "total / 17"
    ),
    ("reports_the_mean_loss", "sum over batches"): PLAIN.replace("* len(chosen)", "").replace(
        "total / len(X)", "total"
    ),
    ("reports_the_mean_loss", "every batch"): PLAIN.replace(
        "total += loss.item() * len(chosen)", "history.append(loss.item())"
    ).replace("        history.append(total / len(X))\n", ""),
    ("reports_the_mean_loss", "nothing returned"): PLAIN.replace("    return history\n", ""),
    ("reports_the_mean_loss", "mean of all epochs so far"): PLAIN.replace(
        "total / len(X)", "(sum(history[-1:]) * len(history) + total / len(X)) / (len(history) + 1)"
    ),
    ("reports_the_mean_loss", "running mean"): PLAIN.replace(
        "total / len(X)", "(sum(history[-1:]) + total / len(X)) / (1 + any(history))"
    ),
    ("reports_the_mean_loss", "first epoch's loss again"): PLAIN.replace(
        "total / len(X)", "history[0] if history else total / len(X)"
    ),
    ("reports_the_mean_loss", "invented"): PLAIN.replace(
        "    return history", "    return [1 / (n + 1) for n in range(epochs)]"
    ),
}

FACTS = sorted({fact for fact, _ in WRONG})


def _runs(code: str) -> list[Watched]:
    """Two runs of one seed with other global states, and one of another seed."""
    draw = np.random.default_rng(7)
    X = kit.lattices(draw)
    y = draw.integers(2, size=len(X))
    student: Any = Student(InProcess([Cell("the cell of train", START + code)]))
    student.begin("train", 1)
    found = []
    for seed, state in ((1, 1), (1, 2), (2, 1)):
        student.reseed(state)
        model = student.witness((25,), outputs=2, dropout=0.2)
        generator = torch.Generator().manual_seed(seed)
        data = torch.tensor(X), torch.tensor(y)

        def train(model: Any, epochs: int, data: Any = data, generator: Any = generator) -> Any:
            return student.train(model, *data, epochs=epochs, generator=generator)

        loss = kit.cross_entropy(y)
        found.append(kit.watched(model, X, train, kit.up_to_symmetry, loss, 4))
    return found


def _failed(runs: list[Watched]) -> list[str]:
    one, again, other = runs
    further: dict[str, tuple[Any, ...]] = {
        "is_ordered_like": (again,),
        "is_not_ordered_like": (other,),
        "follows_the_loss": ("cross-entropy",),
    }
    failed = []
    for fact in FACTS:
        try:
            getattr(one, fact)(*further.get(fact, ()))
        except CheckFailed:
            failed.append(fact)
    return failed


@pytest.mark.parametrize("name", RIGHT)
def test_every_fact_holds_of_a_right_training(name: str) -> None:
    assert _failed(_runs(RIGHT[name])) == []


@pytest.mark.parametrize(("fact", "name"), WRONG)
def test_a_wrong_training_is_seen_at_the_fact_that_it_breaks(fact: str, name: str) -> None:
    failed = _failed(_runs(WRONG[fact, name]))
    assert fact in failed
    if fact != "learns":
        assert "learns" not in failed
    alone = {"trains_in_training_mode", "clears_gradients", "ends_in_evaluation_mode"}
    alone |= {"reports_the_mean_loss", "steps_once_a_batch"}
    if fact in alone:
        assert failed == [fact]


def test_weights_that_a_copy_has_learnt_are_told_from_none() -> None:
    copied = WRONG["learns", "trains a copy"]
    back = copied.replace(
        "    model = copy.deep", "    given = model\n    model = copy.deep"
    ).replace("    model.eval()", "    given.load_state_dict(model.state_dict())\n    given.eval()")
    for code, words in ((copied, "learns nothing: is it a copy"), (back, "another one has learnt")):
        with pytest.raises(CheckFailed, match=words):
            _runs(code)[0].learns()


BEYOND = {
    "plain": 160_000,
    "both signs of each, with a momentum of its own": 250_000,
    "looks the data through after each epoch": 300_000,
    "L-BFGS, some tries with each batch": 400_000,
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_the_notes_have_no_room_for_is_not_asked_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dozens of copies of each sample, say, or of a line search's tries with each batch."""
    monkeypatch.setattr(witness, "MAX_NOTED", BEYOND[name])
    runs = _runs(RIGHT[name])
    assert all(one.cut and 0 < len(one.epochs) < one.told for one in runs)
    assert _failed(runs) == []


@pytest.mark.parametrize("fact", ["reports_the_mean_loss", "clears_gradients"])
def test_what_the_notes_do_tell_is_asked_for(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "MAX_NOTED", 160_000)
    name = next(name for other, name in WRONG if other == fact)
    assert fact in _failed(_runs(WRONG[fact, name]))


def test_a_training_by_lbfgs_on_all_data_is_whole() -> None:
    code = """
    opt = torch.optim.LBFGS(model.parameters(), max_iter=1, line_search_fn="strong_wolfe")
    model.eval()
    def closure():
        opt.zero_grad()
        loss = ce(model(X), y)
        loss.backward()
        return loss
    history = [opt.step(closure).item() for _ in range(epochs)]
    return history
"""
    one, *_ = _runs(code)
    assert one.whole
    facts = ["learns", "clears_gradients", "shows_each_sample_once", "reports_the_mean_loss"]
    for fact in [*facts, "steps_once_a_batch", "shuffles_again"]:
        getattr(one, fact)()


def test_lbfgs_that_makes_more_passes_than_are_noted_may_report_its_losses() -> None:
    code = """
    opt = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=100)
    def closure():
        opt.zero_grad()
        loss = ce(model(X), y)
        loss.backward()
        return loss
    return [opt.step(closure).item() for _ in range(epochs)]
"""
    one, *_ = _runs(code)
    assert one.cut
    for fact in ("shows_each_sample_once", "reports_the_mean_loss", "steps_once_a_batch"):
        getattr(one, fact)()


def test_lbfgs_on_all_data_may_follow_batches() -> None:
    code = PLAIN.replace("range(epochs)", "range(epochs - 2)").replace(
        "    model.eval()", "    for _ in range(2):\n        lbfgs()\n    model.eval()"
    )
    before = """
    def lbfgs():
        opt = torch.optim.LBFGS(model.parameters(), max_iter=2)
        def closure():
            opt.zero_grad()
            loss = ce(model(X), y)
            loss.backward()
            return loss
        history.append(opt.step(closure).item())
"""
    one, *_ = _runs(before + code)
    one.shuffles_again()
    one.steps_once_a_batch()
    one.reports_the_mean_loss(any_loss=True)


def test_the_tries_of_a_line_search_are_no_batches() -> None:
    code = """
    opt = torch.optim.LBFGS(model.parameters(), max_iter=1, line_search_fn="strong_wolfe")
    history = []
    def closure():
        opt.zero_grad()
        loss = ce(model(X), y)
        loss.backward()
        history.append(loss.item())
        return loss
    opt.step(closure)
    return history
"""
    one, *_ = _runs(code)
    one.steps_once_a_batch()
    one.reports_the_mean_loss()


@pytest.mark.parametrize("name", [name for fact, name in WRONG if fact == "reports_the_mean_loss"])
def test_a_mean_of_any_loss_is_told_from_what_is_none(name: str) -> None:
    one, *_ = _runs(WRONG["reports_the_mean_loss", name])
    if name == "invented":  # may be the mean of some loss
        one.reports_the_mean_loss(any_loss=True)
    else:
        with pytest.raises(CheckFailed):
            one.reports_the_mean_loss(any_loss=True)


def test_a_mean_of_another_loss_is_right_where_any_will_do() -> None:
    one, *_ = _runs(PLAIN.replace("loss = ce(", "loss = 3 * ce("))
    one.reports_the_mean_loss(any_loss=True)
    with pytest.raises(CheckFailed):
        one.reports_the_mean_loss()


EVERY_TARGET = (
    "ce(model(X[chosen]).repeat_interleave(len(chosen), 0), y[chosen].repeat(len(chosen)))"
)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("3 * ce(model(X[chosen]), y[chosen])", "of each epoch: it is 3 times that"),
        ("ce(model(X[chosen]), y[chosen]) ** 0.5", "of each epoch"),
        ("ce(model(X[chosen]), y[step : step + len(chosen)])", "the targets are not"),
        (EVERY_TARGET, "compares every output with every target"),
    ],
)
def test_what_a_history_compares_is_told(loss: str, words: str) -> None:
    code = PLAIN.replace("ce(model(X[chosen]), y[chosen])", loss)
    code = code.replace("total = 0.0", "total, step = 0.0, 0").replace(
        "opt.step()\n", "opt.step()\n            step += len(chosen)\n"
    )
    one, *_ = _runs(code)
    with pytest.raises(CheckFailed) as failed:
        one.reports_the_mean_loss()
    assert words in failed.value.text


@pytest.mark.parametrize(
    ("motion", "words"),
    [
        (lambda t: np.exp(-1.7 * t), "it goes 1.7 times as fast as it should"),
        (lambda t: np.exp(-np.minimum(t, 1.5)), "it is right for the first 36% of the time"),
        (lambda t: 0.2 * np.exp(-t), "it starts at 0.2, not at 1"),
        (lambda t: np.exp(-t) + 0.02 * np.sin(9 * t), ""),
        (lambda t: 1 + 0 * t, ""),
    ],
)
def test_how_a_wrong_solution_goes_is_told(motion: Any, words: str) -> None:
    t = np.linspace(0, 5, 201)
    said = test_pinn._instead(t, motion(t), lambda factor: np.exp(-factor * t))
    assert words in said
    assert bool(words) == bool(said)


def test_clusters_keep_their_names_when_they_are_moved() -> None:
    draw = np.random.default_rng(3)
    clusters = kit.clusters(draw)
    names = kit.up_to_motion(clusters)
    assert len(set(names)) == len(clusters) == kit.SAMPLES
    turn = np.linalg.qr(draw.normal(size=(3, 3)))[0]
    moved = (clusters[:, draw.permutation(4)] @ turn + draw.normal(size=3)).astype(np.float32)
    assert kit.up_to_motion(moved) == names
    assert not set(kit.up_to_motion(1.1 * clusters)) & set(names)


_MODEL = """
import torch

weights = torch.zeros(3, requires_grad=True)

def closure():
    optimiser.zero_grad()
    loss = ((weights - 1) ** 4).sum()
    loss.backward()
    return loss

def train(epochs):
    global optimiser
"""


@pytest.mark.parametrize(
    ("body", "idlest", "busiest"),
    [
        ("pass", 0, 0),
        (
            "optimiser = torch.optim.Adam([weights])\n"
            "    for _ in range(epochs):\n        optimiser.step(closure)\n",
            9,
            9,
        ),
        (
            "optimiser = torch.optim.LBFGS([weights], max_iter=epochs)\n"
            "    optimiser.step(closure)",
            9,
            9,
        ),
        (
            "for one in (torch.optim.Adam, torch.optim.SGD):\n"
            "        optimiser = one([weights], lr=0.01)\n"
            "        for _ in range(epochs):\n            optimiser.step(closure)\n",
            9,
            9,
        ),
        (
            "optimiser = torch.optim.LBFGS([weights], max_iter=20)\n"
            "    for _ in range(epochs):\n        optimiser.step(closure)\n",
            20,
            20,
        ),
        (
            "optimiser = torch.optim.LBFGS([weights], max_iter=500, tolerance_grad=1.0)\n"
            "    optimiser.step(closure)",
            500,
            500,
        ),
        (
            "for limit in (epochs, 500):\n"
            "        optimiser = torch.optim.LBFGS([weights], max_iter=limit)\n"
            "        optimiser.step(closure)\n",
            9,
            500,
        ),
        (
            "optimiser = torch.optim.LBFGS([weights], max_iter=10**6, max_eval=epochs)\n"
            "    optimiser.step(closure)",
            9,
            9,
        ),
    ],
    ids=[
        "none",
        "gradient steps",
        "in one call",
        "two optimisers",
        "in blocks",
        "stops by itself",
        "polished",
        "tries",
    ],
)
def test_the_iterations_of_each_optimiser_are_counted(body: str, idlest: int, busiest: int) -> None:
    """Of L-BFGS those that it may make: it stops where it has arrived, which is chance."""
    student: Any = Student(InProcess([Cell("the cell", f"{_MODEL}    {body}\n")]))
    counter = student.field("iterations")
    for _ in range(2):  # each time from nothing
        counter.watch()
        student.train(9)
        assert (counter.idlest(), counter.busiest()) == (idlest, busiest)


def test_what_was_trained_can_be_made_what_it_was_before_the_first_step() -> None:
    body = (
        "for one in (torch.optim.Adam, torch.optim.SGD):\n"
        "        optimiser = one([weights], lr=0.01)\n"
        "        for _ in range(epochs):\n            optimiser.step(closure)\n"
        "    return weights\n"
        "def now():\n    return weights\n"
    )
    student: Any = Student(InProcess([Cell("the cell", f"{_MODEL}    {body}")]))
    counter = student.field("iterations")
    for _ in range(2):  # each time from where it was
        counter.watch()
        before = student.now()
        assert not torch.equal(student.train(9), before)
        counter.rewind()
        assert torch.equal(student.now(), before)
        student.train(9)


_WHOLE = """
def train_energy_model(model, positions, energies, *, epochs, generator):
    optimiser = torch.optim.LBFGS(model.parameters(), lr=0.1)

    def closure():
        optimiser.zero_grad()
        loss = torch.mean((model(positions) - energies) ** 2)
        loss.backward()
        return loss

    model.train()
    losses = [optimiser.step(closure).item() for _ in range(epochs)]
    model.eval()
    return losses
"""


def test_a_public_check_lets_l_bfgs_see_the_same_loss_twice() -> None:
    """With a dropout it meets another one in each of its iterations, and gets lost."""
    found = load_assignment("symmetry")
    judge = Judge(found)
    student = Student(InProcess([*cells(found), Cell("the cell", _WHOLE)]))
    (check,) = [
        one
        for one in judge.of(found.exercise("train_energy_model"))
        if not one.hidden and one.name == "returns_the_mean_loss_of_every_epoch"
    ]
    result = judge.run(check, student, "salt")
    assert result.outcome == "passed", result.message


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([1.0, 0.99, 0.98, 0.98, 0.97, 0.97], "hardly fall"),
        ([1.0, 0.8, 0.6, 0.5, 0.4, 0.3], "still falling at the end"),
        ([1.0, 0.5, 0.3, 0.2, 0.2, 0.2], ""),
        ([1.0, 0.9], ""),
        ([1.0, 0.2, 0.1, 0.05, 0.03, 0.97], ""),  # it jumps up, at last
        ([1.0, *(0.2 + 0.03 * (-1) ** n for n in range(40))], ""),  # noise of batches
        ([1.0, 0.9, float("nan"), 0.9, 0.9, 0.9], ""),
        (0.3, ""),
    ],
)
def test_losses_tell_how_a_training_went(history: Any, words: str) -> None:
    said = kit.went(history)
    assert words in said
    assert bool(words) == bool(said)


def test_what_still_moves_when_the_training_ends_is_unsettled() -> None:
    assert kit.unsettled([1.0, 0.9, 0.8, 0.7, 0.6])
    assert kit.unsettled(torch.linspace(0.1, 0.3, 20))
    assert not kit.unsettled([1.0, 0.5, 0.2, 0.15, 0.15, 0.15])
    assert not kit.unsettled(None)
