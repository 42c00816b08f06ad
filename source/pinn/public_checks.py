"""Public checks of pinn: the ones that you can run yourself."""

import contextlib
import math

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
    refuses,
    tensor,
    unchanged,
)

FAR = 1e12  # a zero that is so far away costs a difference its digits, and a derivative none


def _column(*values, dtype=torch.float64):
    """A column that requires gradients, as the residuals expect it."""
    return torch.tensor(values, dtype=dtype).reshape(-1, 1).requires_grad_()


def _gradient(of, model):
    """What an optimiser would find in the model's coefficients after `of`.backward()."""
    with contextlib.suppress(StudentError):
        of.backward(torch.ones_like(of.detach()))
    gradient = model.gradient()
    words = "cannot be differentiated with respect to the model's parameters: no network could be "
    holds(gradient is not None, words + "trained. Is create_graph=True missing?")
    return tensor(gradient)


def _on_a_network(student, function, n_columns, *arguments):
    """Called with a real network, which puts its columns side by side; in float32, as it is."""
    network = student.field("network", n_in=n_columns, n_hidden=8, n_out=1, seed=1)
    columns = [_column(-0.5, 0.2, 0.9, dtype=torch.float32) for _ in range(n_columns)]
    return student.call(function, None, (network, *columns, *arguments), {})


def test_derivative__of_a_cube(student):
    """is 27 for u = x³ at x = 3, and 18 for order 2; and right in every other row"""
    for rows in ([3.0], [3.0, -1.0, 0.5]):
        x = student.keep(_column(*rows))
        u = student.keeping(student.field("polynomial", coefficients=[0.0, 0.0, 0.0, 1.0]), x)
        values = np.array(rows).reshape(-1, 1)
        for order, expected in ((1, 3 * values**2), (2, 6 * values), (3, 0 * values + 6)):
            close(tensor(student.derivative(u, x, order), values.shape), expected, SINGLE)


def test_derivative__can_be_differentiated_again(student):
    """can be differentiated again, with respect to x and to what u was made of"""
    parabola = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    x = student.keep(_column(3.0, -1.0))
    slope = student.keeping("derivative", student.keeping(parabola, x), x)
    close(tensor(student.derivative(slope, x), (2, 1)), np.full((2, 1), 2.0), SINGLE)
    close(_gradient(slope, parabola), np.array([0.0, 2.0, 4.0]), SINGLE)  # Σ of 0, 1 and 2x


def test_derivative__of_a_constant_is_zero(student):
    """is 0 for a u that does not depend on x"""
    u = torch.full((3, 1), 2.5)
    close(tensor(student.derivative(u, _column(-1.0, 0.5, 3.0)), (3, 1)), np.zeros((3, 1)), SINGLE)


def test_decay_residual__of_a_parabola(student):
    """is 2t + 3t² for u = t² and rate = 3"""
    parabola = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    for rows in ((2.0,), (2.0, -0.5)):
        t = np.array(rows).reshape(-1, 1)
        returned = student.decay_residual(parabola, _column(*rows), 3.0)
        close(tensor(returned, t.shape), 2 * t + 3 * t**2, SINGLE)


def test_decay_residual__trains_a_network(student):
    """can be differentiated with respect to a model's parameters, and takes a real network"""
    parabola = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    residual = student.keeping("decay_residual", parabola, _column(2.0, -1.0), 3.0)
    close(_gradient(residual, parabola), np.array([6.0, 5.0, 17.0]), SINGLE)
    tensor(_on_a_network(student, "decay_residual", 1), (3, 1))


def test_decay_residual__vanishes_for_the_solution(student):
    """is zero for u = 5 exp(−t), and exact: 1 + 1 for u = 10¹² + t and rate = 10⁻¹²"""
    solution = student.field("exponential", amplitude=5.0, rate=-1.0)
    returned = tensor(student.decay_residual(solution, _column(0.0, 1.0, 2.0)), (3, 1))
    close(returned, np.zeros((3, 1)), SINGLE)
    line = student.field("polynomial", coefficients=[FAR, 1.0])
    returned = tensor(student.decay_residual(line, _column(2.0, -1.0), 1 / FAR), (2, 1))
    close(returned, np.full((2, 1), 2.0), SINGLE)


def test_oscillator_residual__of_a_cube(student):
    """is 6t + 9t³ for x = t³ and ω = 3"""
    cube = student.field("polynomial", coefficients=[0.0, 0.0, 0.0, 1.0])
    for rows in ((2.0,), (2.0, -1.0)):
        t = np.array(rows).reshape(-1, 1)
        returned = student.oscillator_residual(cube, _column(*rows), 3.0)
        close(tensor(returned, t.shape), 6 * t + 9 * t**3, SINGLE)


def test_oscillator_residual__trains_a_network(student):
    """can be differentiated with respect to a model's parameters, and takes a real network"""
    cube = student.field("polynomial", coefficients=[0.0, 0.0, 0.0, 1.0])
    residual = student.keeping("oscillator_residual", cube, _column(2.0, -1.0), 3.0)
    close(_gradient(residual, cube), np.array([18.0, 9.0, 49.0, 69.0]), SINGLE)
    tensor(_on_a_network(student, "oscillator_residual", 1, 2.0), (3, 1))


def test_oscillator_residual__vanishes_for_the_solution(student):
    """is zero for x = 2 sin(3t + 1) and ω = 3, and exact: 2 + 1 for x = 10¹² + t² and ω = 10⁻⁶"""
    solution = student.field("sine", amplitude=2.0, frequency=3.0, phase=1.0)
    returned = tensor(student.oscillator_residual(solution, _column(0.0, 0.5, 2.0), 3.0), (3, 1))
    close(returned, np.zeros((3, 1)), SINGLE)
    parabola = student.field("polynomial", coefficients=[FAR, 0.0, 1.0])
    returned = student.oscillator_residual(parabola, _column(2.0, -1.0), FAR**-0.5)
    close(tensor(returned, (2, 1)), np.full((2, 1), 3.0), SINGLE)


def test_heat_residual__of_a_polynomial(student):
    """is x³ − 6 α x t for u = x³ t"""
    cube = student.field("surface", coefficients=np.array([[0, 0], [0, 0], [0, 0], [0, 1.0]]))
    for x, t in (((2.0,), (3.0,)), ((2.0, 1.0), (3.0, 2.0))):
        returned = student.heat_residual(cube, _column(*x), _column(*t), 0.5)
        x, t = (np.array(one).reshape(-1, 1) for one in (x, t))
        close(tensor(returned, x.shape), x**3 - 3 * x * t, SINGLE)


def test_heat_residual__trains_a_network(student):
    """can be differentiated with respect to a model's parameters, and takes a real network"""
    parabola = student.field("surface", coefficients=np.array([[0, 0], [0, 0], [0, 1.0]]))
    x, t = _column(2.0, 1.0), _column(3.0, 2.0)
    residual = student.keeping("heat_residual", parabola, x, t, 0.5)
    expected = np.array([[0.0, 2.0], [0.0, 3.0], [-2.0, 0.0]])
    close(_gradient(residual, parabola), expected, SINGLE)
    tensor(_on_a_network(student, "heat_residual", 2, 0.1), (3, 1))


def test_heat_residual__vanishes_for_the_solution(student):
    """is zero for u = sin(2x) exp(−4 α t), and exact: 1 − 2α for u = 10¹² + t + x²"""
    solution = student.field("mode", wavenumber=2.0, rate=0.4)
    points = _column(0.1, 0.5, 0.8), _column(0.0, 0.5, 2.0)
    returned = tensor(student.heat_residual(solution, *points, 0.1), (3, 1))
    close(returned, np.zeros((3, 1)), SINGLE)
    bowl = student.field("surface", coefficients=np.array([[FAR, 1.0], [0, 0], [1.0, 0]]))
    returned = tensor(student.heat_residual(bowl, *points, 0.1), (3, 1))
    close(returned, np.full((3, 1), 0.8), SINGLE)


def _one(returned):
    """A tensor with one number; one with axes of length 1 counts as well."""
    if isinstance(returned, torch.Tensor) and returned.numel() == 1:
        returned = returned.reshape(())
    return number(returned)


def test_condition_losses__of_the_decay(student):
    """decay_condition_loss is (3 − 1)² for u = 3 + t"""
    line = student.field("polynomial", coefficients=[3.0, 1.0])
    close(_one(student.decay_condition_loss(line)), 4.0, SINGLE)
    loss = student.keeping("decay_condition_loss", line)
    close(_gradient(loss, line), np.array([4.0, 0.0]), SINGLE)


def test_condition_losses__of_the_oscillator(student):
    """oscillator_condition_loss is (3 − 1)² + 5² for x = 3 + 5t, however x is curved"""
    line = student.field("polynomial", coefficients=[3.0, 5.0])
    close(_one(student.oscillator_condition_loss(line)), 29.0, SINGLE)
    curved = student.field("polynomial", coefficients=[3.0, 5.0, 1.0, 1e36])  # no step is small
    close(_one(student.oscillator_condition_loss(curved)), 29.0, SINGLE)
    loss = student.keeping("oscillator_condition_loss", line)
    close(_gradient(loss, line), np.array([4.0, 10.0]), SINGLE)


def test_condition_losses__of_the_rod(student):
    """heat_condition_loss is 0 for the exact solution and 9 for u = 2 at x = 0.5"""
    solution = student.field("mode", wavenumber=math.pi, rate=0.1 * math.pi**2)
    returned = student.heat_condition_loss(solution, _column(0.2, 0.7, 1.0), _column(0.3, 0.9))
    close(_one(returned), 0.0, SINGLE)
    flat = student.field("surface", coefficients=np.array([[2.0]]))
    returned = student.heat_condition_loss(flat, _column(0.5), _column(0.3, 0.9))
    close(_one(returned), 9.0, SINGLE)


def test_condition_losses__of_the_rod_s_two_ends(student):
    """heat_condition_loss takes each end by itself: (−1)² at the left and 1² at the right"""
    slope = student.field("surface", coefficients=np.array([[-1.0], [2.0]]))
    points = _column(0.5), _column(0.3, 0.9)
    close(_one(student.heat_condition_loss(slope, *points)), 1.0 + 1.0 + 1.0, SINGLE)
    loss = student.keeping("heat_condition_loss", slope, *points)
    close(_gradient(loss, slope), np.array([[-2.0], [1.0]]), SINGLE)


def test_condition_losses__of_the_rod_are_means(student):
    """heat_condition_loss takes means over the points that it is given: for u = 2t over 1 and 0 at
    the start, over 0.36 and 3.24 at each end"""
    ramp = student.field("surface", coefficients=np.array([[0.0, 2.0]]))
    returned = student.heat_condition_loss(ramp, _column(0.5, 1.0), _column(0.3, 0.9))
    close(_one(returned), 0.5 + 1.8 + 1.8, SINGLE)


def test_condition_losses__take_a_network(student):
    """all three take a real network, which puts its columns side by side"""
    for function in ("decay_condition_loss", "oscillator_condition_loss"):
        network = student.field("network", n_in=1, n_hidden=8, n_out=1, seed=1)
        try:
            returned = student.call(function, None, (network,), {})
        except StudentError:  # a start in float64 needs a network in float64
            returned = student.call(function, None, (network.double(),), {})
        _one(returned)
    network = student.field("network", n_in=2, n_hidden=8, n_out=1, seed=1)
    points = torch.tensor([[0.2], [0.7], [0.9]]), torch.tensor([[0.3], [0.9]])
    _one(student.heat_condition_loss(network, *points))


def test_total_loss__adds_up(student):
    """is 27 for the docstring's example, and leaves the conditions as they are"""
    conditions = [torch.tensor(2.0), torch.tensor(4.0)]
    kept = [student.keep(condition) for condition in conditions]
    returned = student.total_loss(torch.tensor([[1.0], [3.0]]), kept, [10.0, 0.5])
    close(_one(returned), 27.0, SINGLE)
    for mine, condition in zip(kept, conditions, strict=True):
        unchanged(student.value(mine), condition, "a condition's loss")


def test_total_loss__can_be_differentiated(student):
    """has gradients with respect to the residual and to the conditions"""
    parabola = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    u = student.keeping(parabola, _column(1.0, 2.0))
    start = student.keeping(parabola, _column(3.0).reshape(()))
    loss = student.keeping("total_loss", u, [start], [10.0])
    close(_gradient(loss, parabola), np.array([15.0, 39.0, 107.0]), SINGLE)


def test_total_loss__needs_no_conditions(student):
    """is the mean square alone where there are no conditions"""
    close(_one(student.total_loss(torch.tensor([[1.0], [3.0]]), [], [])), 5.0, SINGLE)


def test_collocation_points__lie_in_the_box(student):
    """are n points in the box, and require gradients"""
    generator = torch.Generator().manual_seed(7)
    returned = student.collocation_points(50, [(1.0, 3.0), (-2.0, 2.0)], generator)
    points = tensor(returned, (50, 2))
    holds(bool((points[:, 0] >= 1).all() and (points[:, 0] <= 3).all()), "x should be in [1, 3]")
    holds(bool((np.abs(points[:, 1]) <= 2).all()), "t should be in [−2, 2]")
    holds(bool(points[:, 1].min() < -1 and points[:, 1].max() > 1), "t should fill [−2, 2]")
    holds(returned.requires_grad, "the points should require gradients")


def test_collocation_points__fill_the_box_evenly(student):
    """are 2000 different ones, 60 to 190 in each of 4 × 4 equal fields (125 on average)"""
    bounds, generator = [(1.0, 3.0), (-2.0, 2.0)], torch.Generator().manual_seed(7)
    points = tensor(student.collocation_points(2000, bounds, generator), (2000, 2))
    counts = np.histogram2d(*points.T, bins=4, range=bounds)[0]
    least, most = int(counts.min()), int(counts.max())
    holds(least >= 60 and most <= 190, f"one field has {least} points, another one {most}")
    holds(len(np.unique(points, axis=0)) == 2000, "some points stand there twice")


def test_collocation_points__are_a_leaf(student):
    """are a leaf: nothing that was computed from a tensor that requires gradients"""
    generator = torch.Generator().manual_seed(7)
    points = student.keeping("collocation_points", 5, [(1.0, 3.0)], generator)
    holds(attribute(points, "is_leaf") is True, "ask for gradients after the scaling, not before")


def test_collocation_points__repeat_a_seed(student):
    """are the same for the same seed, whatever the global state, and others for another"""
    student.reseed(1)
    first, second, other = (
        tensor(student.collocation_points(5, [(0.0, 1.0)], torch.Generator().manual_seed(seed)))
        for seed in (7, 7, 8)
    )
    close(second, first, SINGLE)
    holds(not np.allclose(other, first), "another seed gives the same points")


def test_centred__brings_two_to_six_to_minus_one_to_one(student):
    """makes 2 to −1, 5 to 0.5 and 6 to 1 for the interval from 2 to 6"""
    line = student.field("polynomial", coefficients=[0.0, 1.0])
    returned = student.Centred(line, [(2.0, 6.0)])(torch.tensor([[2.0], [5.0], [6.0]]))
    close(tensor(returned, (3, 1)), np.array([[-1.0], [0.5], [1.0]]), SINGLE)


def test_centred__takes_two_variables(student):
    """scales two variables, each by its own interval"""
    network = student.field("affine", matrix=np.array([[1.0, 10.0]]))
    model = student.Centred(network, [(0.0, 1.0), (2.0, 6.0)])
    returned = model(torch.tensor([[0.0], [1.0]]), torch.tensor([[4.0], [5.0]]))
    close(tensor(returned, (2, 1)), np.array([[-1.0], [6.0]]), SINGLE)


def test_centred__goes_on_outside(student):
    """makes 0 to −2 and 8 to 2 for the interval from 2 to 6, whatever others were made later, and
    leaves its column"""
    line, t = student.field("polynomial", coefficients=[0.0, 1.0]), torch.tensor([[0.0], [8.0]])
    model, kept = student.Centred(line, [(2.0, 6.0)]), student.keep(t)
    student.Centred(line, [(-5.0, 5.0)])
    close(tensor(model(kept), (2, 1)), np.array([[-2.0], [2.0]]), SINGLE)
    unchanged(student.value(kept), t, "the column")


def test_centred__can_be_differentiated(student):
    """has the slope 1/2 for the interval from 2 to 6, and trains the network that it was given"""
    line = student.field("polynomial", coefficients=[0.0, 1.0])
    t = student.keep(_column(2.0, 5.0))
    u = student.keeping(student.Centred(line, [(2.0, 6.0)]), t)
    (slope,) = student.gradients(u, t)
    holds(slope is not None, "the way from the output back to t is lost")
    close(tensor(slope, (2, 1)), np.full((2, 1), 0.5), SINGLE)
    (weights,) = student.gradients(u, line)
    holds(weights is not None, "the way back to the network is lost: is it cut off, or a copy?")


def test_centred__has_the_parameters_of_its_network(student):
    """has as many parameters as its network, for an optimiser"""
    network = student.field("network", n_in=1, n_hidden=6, n_out=1, seed=1)
    mine, its = (
        sum(weights.numel() for weights in module.parameters() if weights.requires_grad)
        for module in (student.Centred(network, [(2.0, 6.0)]), network)
    )
    holds(mine == its, f"the model has {mine} parameters, and its network {its}")


def _values(model, *columns):
    """In float64, in which very good models differ, or in float32 if the model insists."""
    holds(callable(model), "should return the model alone: a function, and nothing beside it")
    for dtype in (torch.float64, torch.float32):
        try:
            found = model(*[torch.tensor(column, dtype=dtype) for column in columns])
            return tensor(found, (len(columns[0]), 1))
        except StudentError:
            if dtype is torch.float32:
                raise


def _trains(student, train, parameter, *columns):
    """A model of the equation that its seed and its parameter decide, and that is ready for use."""
    global_states = iter(range(9))

    def model(epochs, seed=1, **named):
        student.reseed(next(global_states))
        return train(epochs=epochs, generator=torch.Generator().manual_seed(seed), **named)

    def same(one, other):
        return np.allclose(one, other, rtol=SINGLE.relative, atol=SINGLE.tiny)

    first = _values(model(2), *columns)
    close(_values(model(2), *columns), first, SINGLE)
    other = not np.array_equal(_values(model(2, seed=2), *columns), first)
    holds(other, "another seed gives the same model: generator decides nothing")
    equation = student.field("equation")
    equation.watch()
    for epochs in (20, 100, 400):  # iterations may come in blocks, the conditions alone first
        trained = model(epochs)
        later = _values(trained, *columns)
        asked = equation.was_asked_for() is True
        if asked and not same(later, first):
            break
    holds(asked, "the equation is not in the loss: nothing is differentiated while it learns")
    close(_values(trained, *columns), later, SINGLE)
    words = (
        f"after {epochs} epochs the model is the same as after two: what has it learnt, or does it "
        "learn as long whatever epochs says?"
    )
    holds(not same(later, first), words)
    changed = not same(_values(model(epochs, **parameter), *columns), later)
    holds(changed, f"{next(iter(parameter))} makes no difference to what is learnt")


def test_train_decay__returns_a_model_of_columns(student):
    """returns a model of a column of times that its seed decides and that the equation teaches"""
    _trains(student, student.train_decay, {"rate": 0.5}, [[0.0], [1.0], [2.0]])


def test_train_decay__follows_the_decay(student):
    """follows exp(−0.7 t) from 0 to 5, to 0.02, and its equation to 0.2, after 3000 epochs (some
    seconds)"""
    generator = torch.Generator().manual_seed(1)
    model = student.train_decay(epochs=3000, generator=generator, rate=0.7)
    t = np.linspace(0, 5, 101)
    u = _values(model, t[:, None].tolist())[:, 0]
    error = float(np.abs(u - np.exp(-0.7 * t)).max())
    holds(error < 0.02, f"the largest error against exp(−0.7 t) is {error:.2g}")
    residual = float(np.abs(np.gradient(u, t, edge_order=2) + 0.7 * u).max())
    holds(residual < 0.2, f"the largest residual u′ + 0.7 u is {residual:.2g}")


def test_hard_constraint__starts_at_1_at_rest(student):
    """starts at 1, at rest, and moves; its slope is that of the motion, and it can be trained"""
    network = student.field("polynomial", coefficients=[3.0, -2.0, 1.0])
    model = student.HardConstraint(network)
    x = tensor(model(torch.tensor([[0.0], [1e-4], [1.7]], dtype=torch.float64)), (3, 1))
    close(x[0, 0], np.float64(1.0), SINGLE)
    bend = 2 * (x[1, 0] - 1) / 1e-8
    holds(bool(1e-2 < abs(bend) < 1e3), "right after the start x should leave 1 like t²")
    holds(bool(abs(x[1, 0] - 1) < 1e-6), "x′(0) should be 0: right after the start x is still 1")
    holds(bool(abs(x[2, 0] - 1) > 1e-3), "x(1.7) should depend on the network")
    t = student.keep(_column(1.7))
    motion = student.keeping(model, t)
    (slope,), (weights,) = (student.gradients(motion, of) for of in (t, network))
    holds(slope is not None, "the way from the motion back to t is lost")
    holds(weights is not None, "the way back to the network is lost: is it cut off, or a copy?")
    later, sooner = (tensor(model(_column(1.7 + h)), (1, 1))[0, 0] for h in (1e-3, -1e-3))
    steps = (later - sooner) / 2e-3
    off = abs(tensor(slope, (1, 1))[0, 0] - steps)
    holds(bool(off < 0.02 * abs(steps)), "the graph of t is cut on the way: x′ is wrong")


def test_hard_constraint__is_the_network_s_to_choose(student):
    """has the parameters of its network, and another motion with one that is the same at t = 0"""
    positions = []
    for coefficients in ([3.0, -2.0, 1.0], [3.0, -2.0, 400.0], [3.0, -2.0, -400.0]):
        network = student.field("polynomial", coefficients=coefficients)
        model = student.HardConstraint(network)
        holds(len(list(model.parameters())) == 1, "the parameters should be those of the network")
        positions.append(tensor(model(torch.tensor([[math.pi], [1.0]])), (2, 1))[:, 0])
    for name, one, other in zip(("π", "1"), *positions[:2], strict=True):
        apart = abs(float(one - other))
        holds(apart > 1e-3, f"networks that differ, if not at t = 0, give the same x({name})")
    positions = [float(later) for later, _ in positions]
    words = "no network can bring x(π) {}: is its output bounded, or its factor zero there?"
    holds(min(positions) < 0, words.format("below zero"))
    holds(max(positions) > 2, words.format("above 2"))


def test_train_oscillator__returns_a_model_of_columns(student):
    """returns a model of a column of times that its seed decides and that the equation teaches"""
    _trains(student, student.train_oscillator, {"omega": 1.0}, [[0.0], [1.0], [2.0]])


def test_train_oscillator__follows_two_periods(student):
    """follows cos 2.1t for two periods, to 0.25, after 3000 epochs (some seconds)"""
    generator = torch.Generator().manual_seed(1)
    model = student.train_oscillator(epochs=3000, generator=generator, omega=2.1)
    t = np.linspace(0, 4 * np.pi / 2.1, 101).reshape(-1, 1)
    error = float(np.abs(_values(model, t.tolist()) - np.cos(2.1 * t)).max())
    holds(error < 0.25, f"the largest error against cos 2.1t is {error:.2g}")


def test_last_layer__starts_at_1_at_rest(student):
    """is 1 for cos 2t and 0 for sin 2t, if an oscillator with ω = 2 starts at 1, at rest"""
    features = student.field("waves", frequencies=[2.0, 2.0], phases=[math.pi / 2, 0.0])
    t = torch.linspace(0, 3, 20, dtype=torch.float64).reshape(-1, 1)
    w = student.last_layer(features, t, (4.0, 0.0, 1.0), [(0.0, 0, 1.0), (0.0, 1, 0.0)])
    close(tensor(w, (2, 1)), np.array([[1.0], [0.0]]), SINGLE)


def test_last_layer__obeys_every_condition(student):
    """is 1 for cos 2t and 3 for sin 2t where the speed at the start is 6, or u is 3 at π/4"""
    features = student.field("waves", frequencies=[2.0, 2.0], phases=[math.pi / 2, 0.0])
    t = torch.linspace(0, 3, 20, dtype=torch.float64).reshape(-1, 1)
    for second in ((0.0, 1, 6.0), (math.pi / 4, 0, 3.0)):
        w = student.last_layer(features, t, (4.0, 0.0, 1.0), [(0.0, 0, 1.0), second])
        close(tensor(w, (2, 1)), np.array([[1.0], [3.0]]), SINGLE)


def test_last_layer__weighs_a_condition(student):
    """is 1/2 where equation and condition disagree and weigh the same, 9/10 with weight 9, and 2/3
    with the condition twice"""
    one = student.field("waves", frequencies=[0.0], phases=[math.pi / 2])  # 1 at all times
    t = torch.tensor([[0.7]], dtype=torch.float64)
    for weight, times, expected in ((1.0, 1, 0.5), (9.0, 1, 0.9), (1.0, 2, 2 / 3)):
        w = student.last_layer(one, t, (1.0,), [(0.0, 0, 1.0)] * times, weight)
        close(tensor(w, (1, 1)), np.array([[expected]]), SINGLE)


def test_last_layer__counts_every_point_once(student):
    """is 1 for sin 2t if u‴, which is −8 at three points, should vanish, and u be 193 at π/4"""
    features = student.field("waves", frequencies=[2.0], phases=[0.0])
    t = torch.tensor([[0.0], [math.pi], [2 * math.pi]], dtype=torch.float64)
    w = student.last_layer(features, t, (0.0, 0.0, 0.0, 1.0), [(math.pi / 4, 0, 193.0)])
    close(tensor(w, (1, 1)), np.array([[1.0]]), SINGLE)  # 3 (8 w)² + (w − 193)² is least at 1


def test_last_layer__takes_copies_of_a_feature(student):
    """has the sum 1 in the same case, if there are three of sin 2t"""
    features = student.field("waves", frequencies=[2.0] * 3, phases=[0.0] * 3)
    t = torch.tensor([[0.0], [math.pi], [2 * math.pi]], dtype=torch.float64)
    w = student.last_layer(features, t, (0.0, 0.0, 0.0, 1.0), [(math.pi / 4, 0, 193.0)])
    close(tensor(w, (3, 1)).sum(), np.float64(1.0), SINGLE)


def test_last_layer__leaves_no_graph(student):
    """carries no graph, with the hidden layers of a network, and leaves t without one"""
    network = student.field("network", n_in=1, n_hidden=6, n_out=3, seed=1)
    t = student.keep(torch.tensor([[-0.5], [0.2], [0.9], [0.4]]))
    w = student.keeping("last_layer", network, t, (1.0, 1.0), [(0.0, 0, 1.0)], 10.0)
    tensor(student.value(w), (3, 1))
    holds(not attribute(w, "requires_grad"), "the weights still hang on a graph")
    holds(not attribute(t, "requires_grad"), "t should be left as it was")


def test_ftcs__spreads_a_peak(student):
    """spreads a peak in the middle to both sides and keeps the ends"""
    u0 = torch.tensor([0.0, 0.0, 1.0, 0.0, 3.0], dtype=torch.float64)
    returned = student.ftcs(u0, 0.5, 1.0, 0.5, 2)
    values = (array if isinstance(returned, np.ndarray) else tensor)(returned, (3, 5))
    expected = [[0, 0, 1, 0, 3], [0, 0.25, 0.5, 1, 3], [0, 0.25, 0.5625, 1.375, 3]]
    close(values.astype(float), np.array(expected), SINGLE)


def test_ftcs__refuses_steps_that_are_too_long(student):
    """raises ValueError where α dt/dx² is above 1/2"""
    refuses(lambda: student.ftcs(torch.zeros(5), 1.0, 0.1, 0.006, 2))


def test_train_heat__returns_a_model_of_two_columns(student):
    """returns a model of two columns that its seed decides and that the equation teaches"""
    x, t = [[0.2], [0.5], [0.7]], [[0.0], [1.0], [0.5]]
    _trains(student, student.train_heat, {"alpha": 0.5}, x, t)


def test_train_heat__cools_like_the_rod(student):
    """follows sin πx · e^(−1.2 π² t / 10) for α = 0.12, to 0.03, and to 0.02 at the start and at
    both ends, after 1000 epochs (some seconds)"""
    generator = torch.Generator().manual_seed(1)
    model = student.train_heat(epochs=1000, generator=generator, alpha=0.12)
    x, t = (
        each.reshape(-1, 1) for each in np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21))
    )
    wanted = np.sin(np.pi * x) * np.exp(-0.12 * np.pi**2 * t)
    error = np.abs(_values(model, x.tolist(), t.tolist()) - wanted)
    for part, where, limit in (
        (t == 0, "at the start", 0.02),
        ((x == 0) | (x == 1), "at the ends", 0.02),
        (t >= 0, "anywhere", 0.03),
    ):
        largest = float(error[part].max())
        holds(largest < limit, f"the largest error {where} is {largest:.2g}")
