"""Facts about the code: said where they hold, and of no right answer."""

from __future__ import annotations

import pytest

from autograder.course import course, load_assignment
from autograder.judging import facts
from autograder.judging.diagnosis import _right_codes

LOOP = """\
def train(model, x, y, epochs, generator):
    optimiser = torch.optim.Adam(model.parameters())
    for epoch in range(epochs):
        {zero}
        loss = {loss}
        {backward}
        {step}
    return model, torch.randn(3, generator=generator)
"""
RIGHT = {
    "zero": "optimiser.zero_grad()",
    "loss": "F.mse_loss(model(x), y)",
    "backward": "loss.backward()",
    "step": "optimiser.step()",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"zero": "pass"}, "Gradients are never cleared in the loop in line 3: they add up."),
        ({"step": "pass"}, "No optimiser takes a step"),
        ({"backward": "pass"}, "backward is never called"),
        ({"loss": "F.mse_loss(model(x), y).detach()"}, "goes through detach() before backward"),
        ({"loss": "torch.tensor(F.mse_loss(model(x), y))"}, "goes through torch.tensor"),
        ({"loss": "F.cross_entropy(F.softmax(model(x), 1), y)"}, "A softmax stands before"),
        ({"step": "optimiser.step(); return model"}, "The return in line 7 stands inside the loop"),
        ({"zero": "optimiser.zero_grad(); model.eval()"}, "evaluation mode on and never off"),
        ({"zero": "optimiser.zero_grad(); torch.manual_seed(1)"}, "Line 4 seeds the global"),
        # What is right and looks like it.
        ({"loss": "torch.tensor(0.0); loss += F.mse_loss(model(x), y)"}, ""),
        ({"loss": "torch.tensor(0.0)\n        for i in x: loss = loss + i"}, ""),
        ({"loss": "F.cross_entropy(model(x), F.softmax(teacher(x), 1))"}, ""),
        ({"loss": "F.nll_loss(F.log_softmax(model(x), 1), y)"}, ""),
        ({"loss": "F.cross_entropy(torch.log(F.softmax(model(x), 1)), y)"}, ""),
        ({"loss": "cross_entropy(F.softmax(model(x), 1), y)"}, ""),  # their own, of probabilities
        ({"loss": "F.cross_entropy(input=model(x).softmax(1), target=y)"}, "A softmax stands"),
        ({"loss": "F.cross_entropy(nn.Softmax(1)(model(x)), y)"}, "A softmax stands before"),
        ({"zero": "model.zero_grad()", "step": "\n        for p in w: p.data -= p.grad"}, ""),
        ({"step": "optimiser.step(); best = copy.deepcopy(model); best.eval()"}, ""),
        ({"step": "optimiser.step(); losses.append(eval('1'))"}, ""),
    ],
)
def test_a_training_loop_is_read(change: dict[str, str], words: str) -> None:
    said = facts.unlike(LOOP.format(**RIGHT | change), (LOOP.format(**RIGHT),))
    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(spins):\n    spins[0] = 1\n    return spins\n", "Line 2 writes into spins"),
        ("def f(spins):\n    spins = spins.copy()\n    spins[0] = 1\n    return spins\n", ""),
        ("def f(a, b):\n    a, b = a.copy(), b.copy()\n    a[0] = 1\n    return a, b\n", ""),
        ("def f(n, rng):\n    return rng.normal(size=n) + np.random.normal()\n", "Line 2 draws"),
        ("def f(n, rng):\n    return rng.normal(size=n)\n", ""),
        ("def f(n, rng):\n    return np.zeros(n)\n", "f never uses rng"),
        ("def f(n):\n  for i in range(n):\n    if i % 2:\n      continue\n    return i\n", ""),
        ("def f(n):\n    return n +\n", ""),
    ],
)
def test_functions_are_read(code: str, words: str) -> None:
    said = facts.unlike(code, ())
    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize("name", course())
def test_nothing_is_said_of_a_right_answer(name: str) -> None:
    """Each against all: what a right answer does is no reason for anything."""
    found = load_assignment(name)
    for exercise in found.exercises:
        codes = _right_codes(found, exercise.name)
        for code in codes:
            assert facts.unlike(code, codes) == ""


def test_few_right_answers_have_any_fact_at_all() -> None:
    """The control must not be what keeps facts from being told of right answers not known."""
    told, all_of_them = [], 0
    for name in course():
        found = load_assignment(name)
        for exercise in found.exercises:
            codes = _right_codes(found, exercise.name)
            all_of_them += len(codes)
            for number, code in enumerate(codes):
                others = (*codes[:number], *codes[number + 1 :])
                if facts.unlike(code, others):
                    told.append((exercise.name, facts.unlike(code, others)))
    assert len(told) <= 0.02 * all_of_them, told
