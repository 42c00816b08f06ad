"""Facts about the code: said where they hold, and of no right answer."""

from __future__ import annotations

import pytest
from coursekit import facts

from autograder.course import course, load_assignment
from autograder.judging.diagnosis import right_codes, usual_facts

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
        ({"loss": "torch.tensor(0.0)\n        for i, j in zip(x, y): loss = loss + i - j"}, ""),
        ({"loss": "F.cross_entropy(model(x), F.softmax(teacher(y), 1))"}, ""),
        ({"loss": "F.nll_loss(F.log_softmax(model(x), 1), y)"}, ""),
        ({"loss": "F.cross_entropy(torch.log(F.softmax(model(x), 1)), y)"}, ""),
        ({"loss": "cross_entropy(F.softmax(model(x), 1), y)"}, ""),  # their own, of probabilities
        ({"loss": "F.cross_entropy(input=model(x).softmax(1), target=y)"}, "A softmax stands"),
        ({"loss": "F.cross_entropy(nn.Softmax(1)(model(x)), y)"}, "A softmax stands before"),
        ({"step": "\n        for p in w: p.data -= p.grad", "zero": "optimiser.zero_grad()"}, ""),
        ({"step": "optimiser.step(); best = copy.deepcopy(model); best.eval()"}, ""),
        ({"step": "optimiser.step(); losses.append(eval('1'))"}, ""),
        ({"step": "optimiser.step(); model.eval"}, "Line 7 only names model.eval"),
        (
            {"zero": "optimiser.zero_grad(); optimiser = torch.optim.Adam(model.parameters())"},
            "Every turn of the loop in line 3 makes a new optimiser",
        ),
        (
            {"zero": "optimiser.zero_grad(); m = net(); o = SGD(m.parameters()); o.step()"},
            "",
        ),
        ({"step": "optimiser.step(); losses.append(loss.item())"}, ""),
        (
            {"zero": "pass", "step": "optimiser.zero_grad(); optimiser.step()"},
            "Line 7 clears the gradients between backward and the step: none are left.",
        ),
        ({"zero": "pass", "step": "optimiser.step(); optimiser.zero_grad()"}, ""),
        (
            {"zero": "optimiser = A(model.parameters()) if y else zero_grad(model.parameters())"},
            "Every turn of the loop in line 3 makes a new optimiser",
        ),
        (
            {"backward": "\n        for b in x:\n            loss(b).backward()"},
            "stands outside the loop in line 7: it is made once for all batches.",
        ),
        (
            {"backward": "\n        for b in x:\n            loss(b).backward(); moved(model)"}
            | {"step": "scheduler.step()"},
            "",
        ),
        (
            {"step": "k = torch.autograd.grad(loss, list(model.parameters())); optimiser.step(k)"},
            "",
        ),
        (
            {"zero": "optimiser = A(model.parameters()) if y else optimiser; zero_grad(model)"},
            "",
        ),
    ],
)
def test_a_training_loop_is_read(change: dict[str, str], words: str) -> None:
    said = facts.unlike(LOOP.format(**RIGHT | change), facts.kinds([LOOP.format(**RIGHT)]))
    assert words in said
    assert bool(words) == bool(said)


HELPER = """\
def freeze(model):
    model.eval()
def fit(model, optimiser):
    {first}
    for epoch in range(3):
        optimiser.zero_grad()
        loss(model).backward()
        optimiser.step()
"""


@pytest.mark.parametrize(
    ("first", "words"),
    [("pass", ""), ("model.eval()", "Evaluation mode is switched on, and training mode never")],
)
def test_what_a_helper_does_that_nobody_calls_is_not_said(first: str, words: str) -> None:
    said = facts.unlike(HELPER.format(first=first), ())
    assert said.startswith(words)
    assert bool(said) == bool(words)


SLOPE = (
    "def f(model, x, opt):\n  V = model(x)\n  (F,) = torch.autograd.grad(V.sum(), x{})\n"
    "  loss = (F**2).mean()\n  opt.zero_grad()\n  loss.backward()\n  opt.step()\n"
)
WITH_GRAPH = "torch.autograd.grad(V.sum(), x, create_graph=True)[0]"
PARAMETER = (
    "class M(nn.Module):\n  def __init__(self):\n    self.a = nn.Parameter(torch.zeros(()))\n"
    "    self.b = {}\n  def forward(self, x):\n    return self.a * self.b * x\n"
)
SUMS = """\
def train(x, epochs):
    {before}
    losses = []
    for epoch in range(epochs):
        {inside}
        for row in x:
            total += loss(row)
        losses.append(total / len(x))
    return losses
"""


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
        (
            "def f(model, opt):\n    model = copy.deepcopy(model)\n    opt.step()\n",
            "Line 2 goes on with a copy of model",
        ),
        (
            "def f(model, opt):\n    kept, model = model, copy.deepcopy(model)\n    opt.step()\n"
            "    kept.load_state_dict(model.state_dict())\n",
            "",
        ),
        # Arguments.
        ("def f(r, sigma=1.0):\n    return 1 / r\n", "f never uses sigma."),
        ("def f(r, sigma=1.0):\n    return lambda s: sigma / r\n", ""),
        ("def f(r, sigma=1.0):\n    raise NotImplementedError\n", ""),
        ("def f(x, *, epochs):\n    return x\n", ""),  # an iteration may stop sooner
        ("def f(n, rng):\n    rng = make(3)\n    return rng.normal(n)\n", "replaces rng before"),
        ("def f(n, rng):\n    rng = rng or make(3)\n    return rng.normal(n)\n", ""),
        ("class M(nn.Module):\n  def forward(self, x, y):\n    return x\n", "never uses y"),
        ("class M(nn.Module):\n  def __init__(self, p):\n    self.q = 1\n", "M never uses p."),
        (
            "class M(nn.Module):\n  def __init__(self, p):\n    self.q = nn.LazyLinear(1)\n"
            "  def forward(self, x):\n    return self.q(x)\n",
            "",
        ),
        (
            "def f(model, opt, n):\n    model.train()\n    for _ in range(n):\n        opt.step()\n"
            "        model.eval()",
            "evaluation mode on and never off",
        ),
        ("opt = LBFGS(w, max_iter=1, line_search_fn='strong_wolfe')", "its line search has none"),
        ("opt = LBFGS(w, max_iter=1, max_eval=9, line_search_fn='strong_wolfe')", ""),
        ("opt = LBFGS(w, max_iter=20, line_search_fn='strong_wolfe')", ""),
        # Derivatives by small steps.
        (
            "def slope(x):\n    h = 1e-6\n    return (np.tanh(x + h) - np.tanh(x - h)) / (2 * h)",
            "Line 3 divides a difference by a small step",
        ),
        (
            "def loss(model, t, h=1e-4):\n"
            "    u_tt = (model(t + h) - 2 * model(t) + model(t - h)) / h**2\n    return u_tt",
            "Line 2 divides a difference by a small step",
        ),
        ("def slope(y, x):\n    return np.gradient(y, x)", "differences between neighbours"),
        ("def f(omega, x):\n    return omega ^ 2 * x", "Line 2 uses ^"),
        # In place, and second names.
        (
            "def f(model):\n    while True:\n        best = model.state_dict()\n    return best\n",
            "without a copy",
        ),
        ("def f(m):\n    best = m.state_dict()\n    return copy.deepcopy(best)\n", ""),
        ("def f(x):\n    x -= x.mean()\n    return x\n", "Line 2 changes x in place"),
        ("def f(x: float):\n    x -= 1\n    return x\n", ""),
        ("def f(x):\n    x = x.copy()\n    x -= x.mean()\n    return x\n", ""),
        (
            "def f(ps, gs):\n  for p, g in zip(ps, gs):\n    p -= g\n  return ps\n",
            "tensors in ps are others",
        ),
        ("def f(ps):\n  for p in ps:\n    p = p.clone()\n    p -= 1\n  return ps\n", ""),
        ("def f(x):\n    x.requires_grad_(True)\n    return x\n", "changes x itself"),
        ("def f(z):\n    a = 2 * z\n    b = a\n    b[b < 0] = 0\n    return a, b\n", "second name"),
        ("def f(u):\n    u = u.copy()\n    old = u\n    u[0] = old[1]\n    return u\n", "second"),
        ("def f(z):\n    a = 2 * z\n    b = a.copy()\n    b[b < 0] = 0\n    return a, b\n", ""),
        ("def f(u):\n    old = u\n    u = u.copy()\n    u[0] = old[1]\n    return u\n", ""),
        # Loops.
        (
            "def f(s, n):\n  a = []\n  while n > 0:\n    go(s)\n    a.append(s)\n  return a\n",
            "Line 5 gathers s itself",
        ),
        (
            "def f(s, n):\n  a = []\n  while n > 0:\n    s = go(s)\n    a.append(s)\n  return a\n",
            "",
        ),
        (
            "def f(x):\n  a = []\n  for s in x:\n    for k in y:\n      go(s)\n      a.append(s)\n"
            "  return a\n",
            "",
        ),
        (SUMS.format(before="total = 0.0", inside="pass"), "is not set back in the loop in line 4"),
        (SUMS.format(before="pass", inside="total = 0.0"), ""),
        (SUMS.format(before="pass", inside="total, count = 0.0, 0"), ""),
        (
            "def f(n, rng):\n    u = rng.random()\n    for k in range(n):\n        go(u)\n",
            "draws u once",
        ),
        ("def f(n, rng):\n    u = rng.random(n)\n    for k in range(n):\n        go(u[k])\n", ""),
        ("def f(n, rng):\n    return rng.integers(0, n - 1)\n", "never draws n - 1"),
        ("def f(n, rng):\n    return rng.integers(0, n)\n", ""),
        ("def f(n):\n    return random.randint(0, n - 1)\n", ""),  # Python's takes its end in
        # Without effect.
        ("def f(x):\n    np.sort(x)\n    return x\n", "keeps nothing of what sort gives"),
        ("def f(x):\n    x.sort()\n    return x\n", ""),
        ("def f(x):\n    np.clip(x, 0, 1, out=x)\n    return x\n", ""),
        ("def f(x):\n    return x ^ 2\n", "^, which in Python is no power"),
        ("def f(x):\n    y = 3 * x\n    y == 2\n    return y\n", "Line 3 works something out"),
        ("def f(x):\n    return x\n    print(x)\n", "Line 3 stands behind a return"),
        ("def f(x):\n    mean = x.mean()\n    return x\n", "gives mean a value, and nothing"),
        ("def f(x):\n    mean = 0\n    def g():\n        return mean\n    return g, x\n", ""),
        # Classes.
        (
            "class M(nn.Module):\n  def __init__(self):\n    self.a = nn.Dropout(0.3)\n"
            "  def forward(self, x):\n    return x\n",
            "makes self.a, and nothing in the class uses it",
        ),
        ("class M(nn.Sequential):\n  def __init__(self):\n    self.a = nn.Dropout(0.3)\n", ""),
        (
            "class M(nn.Module):\n  def __init__(self):\n    self.a = [nn.Linear(1, 2)]\n"
            "  def forward(self, x):\n    return self.a[0](x)\n",
            "keeps layers in a plain list",
        ),
        (
            "class M(nn.Module):\n  def __init__(self):\n    a = [nn.Linear(1, 2)]\n"
            "    self.a = nn.Sequential(*a)\n  def forward(self, x):\n    return self.a(x)\n",
            "",
        ),
        (
            "class M(nn.Module):\n  def __init__(self):\n"
            "    self.a = torch.zeros((), requires_grad=True)\n"
            "  def forward(self, x):\n    return self.a * x\n",
            "as a plain tensor",
        ),
        (SLOPE.format(""), "Line 3 takes a derivative without create_graph=True"),
        (SLOPE.format(", retain_graph=True"), "the loss has no gradient by way of it"),
        (SLOPE.format(", create_graph=True"), ""),
        (SLOPE.format(", None, None, True"), ""),
        (SLOPE.format("").replace("F**2", f"(F - {WITH_GRAPH})**2"), ""),  # of given energies
        (SLOPE.format("").replace("sum(), x", "sum(), model.parameters()"), ""),  # to weigh parts
        (PARAMETER.format("torch.exp(self.a)"), "Line 4 works self.b out once: it does not follow"),
        (PARAMETER.format("2 * self.a"), "which a training changes"),
        (PARAMETER.format("torch.optim.Adam([self.a])"), ""),
        (PARAMETER.format("self.a.detach().clone()"), ""),
        (PARAMETER.format("self.a.shape[0] // 2"), ""),
        (PARAMETER.format("1 / math.sqrt(self.a.numel())"), ""),
        (PARAMETER.format("self.a.view(-1)"), ""),
        (PARAMETER.format("2 * layer.a"), ""),
        (PARAMETER.format("torch.exp(self.a)").replace("))\n", "), requires_grad=False)\n", 1), ""),
        (PARAMETER.format("torch.exp(self.a)") + "  def more(self):\n    self.b = self.a\n", ""),
    ],
)
def test_functions_are_read(code: str, words: str) -> None:
    said = facts.unlike(code, ())
    assert words in said
    assert bool(words) == bool(said)


DESCENT = """\
def train(x, y, learning_rate, epochs, rng):
    {start}
    {once}
    for epoch in range(epochs):
        {first}
        dW, db, dv = backward(x, y, W, b, v)
        W = W {sign} learning_rate * dW
        b = b {sign} learning_rate * db
        {last}
        {more}
    return W, b, v, losses
"""
BY_HAND = {
    "start": "W, b, v = initialise(rng)",
    "once": "losses = []",
    "first": "losses.append(loss(W, b, v))",
    "sign": "-",
    "last": "v -= learning_rate * dv",
    "more": "pass",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"sign": "+"}, "Line 7 adds learning_rate times dW to W: descent subtracts it."),
        ({"last": "pass"}, "The loop in line 4 changes W and b, but never v."),
        ({"last": "v.sub_(learning_rate * dv)"}, ""),
        ({"last": "v[:] = v - learning_rate * dv"}, ""),
        (
            {"first": "W, b, v = initialise(rng)"},
            "Line 5 gives W a new value in every turn of the loop: what line 7 made of it is lost.",
        ),
        ({"first": "W, b, v = decayed(W, b, v)"}, ""),
        # a target less the output, and what is taken off when the loop has ended
        (
            {"first": "e = y - x", "last": "v -= learning_rate * dv; g = e.sum()"}
            | {"more": "b += learning_rate * g"},
            "",
        ),
        (
            {"once": "losses = []; all_ = 0", "more": "all_ += learning_rate * dW; v = v - all_"},
            "",
        ),
        # a matrix that a gradient of now is multiplied by
        (
            {"once": "losses, H = [], 0; H = curvature(W)", "last": "v -= learning_rate * H @ dv"},
            "",
        ),
        ({"first": "W, b, v = initialise(rng)", "more": "found.append((W, b, v))"}, ""),
        (
            {"once": "losses, g = [], 0; g = slope(W)", "last": "v -= learning_rate * g"},
            "Line 3 works out g once",
        ),
        ({"once": "losses, g = [], 0; g = slope(x)", "last": "v -= learning_rate * g"}, ""),
    ],
)
def test_gradient_descent_by_hand_is_read(change: dict[str, str], words: str) -> None:
    said = facts.unlike(DESCENT.format(**BY_HAND | change), ["never clears"])
    assert words in said
    assert bool(words) == bool(said)


CLOSURE = """\
def train(x, y, generator):
    opt = torch.optim.LBFGS(model.parameters())
    def closure():
        {clears}
        {forward}
        loss = {loss}
        loss.backward()
        {back}
    {step}
    return torch.rand(3, generator=generator)
"""
GIVES = {
    "clears": "opt.zero_grad()",
    "forward": "V, F = energy_and_force(model, x)",
    "loss": "matching(V, F, y)",
    "back": "return loss",
    "step": "opt.step(closure)",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"clears": "pass"}, "Gradients are never cleared in closure: they add up."),
        ({"back": "pass"}, "closure in line 3 does not return the loss, which step needs."),
        ({"step": "opt.step(closure())"}, "Line 9 calls closure and hands on what it gives"),
        ({"loss": "matching(V, F.detach(), y)"}, "Line 6 cuts F off (detach)"),
        ({"loss": "matching(V, F, y.detach())"}, ""),
        ({"loss": "matching(V, F) + slow(F, F.detach())"}, ""),
        ({"forward": "V = F = nn.ReLU()(x) + force(x)"}, "is made of straight pieces"),
        ({"forward": "V = F = force(x) + torch.relu(-model(x))"}, ""),
        ({"clears": "for p in model.parameters(): p.grad = None"}, ""),
        ({"back": "log.append(F.detach()); return loss"}, ""),
        ({"back": "log.append(error(F.detach(), y)); return loss"}, ""),
        ({"step": "opt.step(closure)\n    def held(): return F(x)\n    plan.step(held())"}, ""),
    ],
)
def test_what_an_optimiser_is_handed_is_read(change: dict[str, str], words: str) -> None:
    said = facts.unlike(CLOSURE.format(**GIVES | change), ["unused y", "unused x"])
    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (
            "def f(x):\n    def g(x):\n        x[0] = 1\n        return x\n    return g(x.copy())",
            "writes into x",
        ),
        (
            "def f(spins):\n    a = spins\n    def sweep(a):\n        a[0] = 1\n        return a\n"
            "    return sweep(a.copy())",
            "second name",
        ),
        (
            "def f(model, opt, batches):\n    def epoch():\n        model.train()\n"
            "    for _ in range(3):\n        epoch()\n        model.eval()\n        opt.step()",
            "evaluates",
        ),
        (
            "def f(model, opt, n):\n    for k in range(n):\n        if k == n - 1:\n"
            "            model.eval()\n        opt.step()",
            "evaluates",
        ),
        (
            "def look(model, x):\n    loss = model(x).item()\n    return loss\n"
            "def step(loss, opt):\n    loss.backward()\n    opt.step()",
            "cut",
        ),
        ("def f(x):\n    np.exp(x, x)\n    np.clip(x, 0, 1, x)\n    return x", "no effect"),
        ("def f(n, source):\n    return source.randint(0, n - 1)", "upper end"),
        (
            "def f(n, generator):\n    named = {'generator': generator}\n"
            "    return torch.rand(n, **named)",
            "draws globally",
        ),
        (
            "def f(n, generator):\n    torch.manual_seed(generator.initial_seed())\n"
            "    return torch.rand(n)",
            "draws globally",
        ),
        (
            "def f(model, twin):\n    state = twin.state_dict()\n    model.load_state_dict(state)",
            "weights not copied",
        ),
        ("def f(colour):\n    return colour ^ 1", "caret"),
        ("def f(x):\n    x = x - 0.01\n    return (x - 0.01) / 0.01", "differences"),
        ("def f(x):\n    return (x - x.mean()) / (x.std() + 1e-8)", "differences"),
        (
            "def f(dt):\n    t, times = 0, []\n    for _ in range(9):\n        for _ in range(3):\n"
            "            t += dt\n        times.append(t)\n    return times",
            "never set back",
        ),
        (
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.all = [nn.Linear(1, 1), nn.Linear(1, 1)]\n"
            "        for k, one in enumerate(self.all):\n            setattr(self, str(k), one)",
            "plain list",
        ),
    ],
)
def test_what_the_code_does_not_do_is_not_said(code: str, kind: str) -> None:
    assert kind not in [one for one, _ in facts.read(code)]


def test_a_cell_of_many_calls_is_read_in_seconds() -> None:
    """Each call is looked up in one table of the cell's names."""
    calls = f"return {' + '.join(['g(a)'] * 1500)}"
    assert facts.read.__wrapped__(f"def g(a):\n    {calls}") == ()


@pytest.mark.parametrize("name", course())
def test_nothing_is_said_of_a_right_answer(name: str) -> None:
    """Each against all: what a right answer does is no reason for anything."""
    found = load_assignment(name)
    for exercise in found.exercises:
        for code in right_codes(found, exercise.name):
            assert facts.unlike(code, usual_facts(found, exercise.name)) == ""


@pytest.mark.parametrize(
    ("mine", "usual", "words"),
    [
        ("rng.random(n)", "rng.normal(size=n)", "Line 2 draws evenly spread random numbers"),
        ("rng.normal(size=n)", "rng.random(n)", "Line 2 draws normally distributed"),
        ("rng.random(n)", "rng.permutation(n)", ""),
        ("rng.random(n)", "rng.normal(size=n) + rng.random(n)", ""),
    ],
)
def test_which_numbers_are_drawn_is_told_where_right_answers_draw_others(
    mine: str, usual: str, words: str
) -> None:
    code = "def f(n, rng):\n    return {}\n"
    said = facts.unlike(code.format(mine), facts.kinds([code.format(usual)]))
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_no_text_of_a_student_s_is_in_what_is_told() -> None:
    """Names alone: hints are read by instructors, and nbgrader's pages take them for Markdown."""
    told = facts.unlike("n = source.integers(0, len('<b>' * 9) + n - 1)", [])
    assert told == "Line 1 never draws the last number: integers leaves its upper end out."
    assert "draws len.n - 1:" in facts.unlike("n = source.integers(0, len.n - 1)", [])


def test_few_right_answers_have_any_fact_at_all() -> None:
    """The control must not be what keeps facts from being told of right answers not known."""
    told, all_of_them = [], 0
    for name in course():
        found = load_assignment(name)
        for exercise in found.exercises:
            codes = right_codes(found, exercise.name)
            all_of_them += len(codes)
            for number, code in enumerate(codes):
                usual = facts.kinds([*codes[:number], *codes[number + 1 :]])
                if facts.unlike(code, usual):
                    told.append((exercise.name, facts.unlike(code, usual)))
    assert len(told) <= 0.02 * all_of_them, told
