"""Public checks of inverse_pinn: the ones that you can run yourself."""

import numpy as np
import torch
from coursekit import SINGLE, array, attribute, close, holds, number, tensor, unchanged
from coursekit import training as watching
from coursekit.networks import stirred


def test_exact_heat__decays_in_the_middle(student):
    """is exp(−0.1 π²) in the middle of the rod at t = 1, for α = 0.1"""
    close(number(student.exact_heat(0.5, 1.0, 0.1)), float(np.exp(-0.1 * np.pi**2)), SINGLE)


def test_exact_heat__starts_as_half_a_sine_wave(student):
    """starts as half a sine wave"""
    x = np.array([0.0, 1 / 6, 0.5, 1.0])
    close(student.exact_heat(x, np.zeros(4), 0.1), np.array([0.0, 0.5, 1.0, 0.0]), SINGLE)


def test_exact_heat__fits_a_longer_rod(student):
    """decays four times more slowly on a rod of twice the length"""
    close(number(student.exact_heat(1.0, 20.0, 0.1, 2.0)), float(np.exp(-0.5 * np.pi**2)), SINGLE)


def _observed(student, n, noise_std, seed):
    returned = student.observe(n, 0.1, noise_std, np.random.default_rng(seed))
    holds(isinstance(returned, (tuple, list)) and len(returned) == 3, "should return (x, t, u)")
    shape = (n,) if np.ndim(returned[0]) == 1 else (n, 1)
    return [array(values, shape) for values in returned]


def test_observe__stays_in_the_region(student):
    """gives n measurements with x in [0.1, 0.9] and t in [0.05, 0.8]"""
    x, t, _ = _observed(student, 100, 0.02, 5)
    holds(bool(x.min() >= 0.1 and x.max() <= 0.9), "x leaves [0.1, 0.9]")
    holds(bool(t.min() >= 0.05 and t.max() <= 0.8), "t leaves [0.05, 0.8]")


def test_observe__adds_noise_to_the_exact_temperature(student):
    """gives the exact temperatures without noise, and others with it"""
    x, t, u = _observed(student, 10, 0.0, 5)
    exact = np.sin(np.pi * x) * np.exp(-0.1 * np.pi**2 * t)
    close(u, exact, SINGLE)
    x, t, u = _observed(student, 10, 0.5, 5)
    exact = np.sin(np.pi * x) * np.exp(-0.1 * np.pi**2 * t)
    holds(not np.allclose(u, exact), "noise_std has no effect")


def test_observe__has_normal_noise_of_its_own_on_each(student):
    """adds normal noise of deviation noise_std to 4000 measurements, as large at each of them"""
    x, t, u = (values.reshape(-1) for values in _observed(student, 4000, 0.5, 5))
    exact = np.sin(np.pi * x) * np.exp(-0.1 * np.pi**2 * t)
    noise = (u - exact) / 0.5

    def near(value, expected, error, words):
        holds(bool(abs(value - expected) < 5 * error / 4000**0.5), f"{words}, is {value:.3f}")

    near(noise.mean(), 0.0, 1.0, "the mean of the noise, in units of noise_std, should be 0")
    near(
        (noise**2).mean(),
        1.0,
        2**0.5,
        "the mean square of the noise, in units of noise_std², should be 1",
    )
    near(
        (np.abs(noise) < 1).mean(),
        0.683,
        0.465,
        "the part of the noise below noise_std should be 0.683",
    )
    cold, warm = noise[exact < np.median(exact)], noise[exact >= np.median(exact)]
    near(cold.std() / warm.std(), 1.0, 2.0, "it should be as large where it is cold as where warm")


def test_observe__measures_all_over_the_region(student):
    """has a sixteenth of its places in each sixteenth of [0.1, 0.9], likewise its times, and the
    times are spread alike at all places"""
    x, t, _ = (values.reshape(-1) for values in _observed(student, 4000, 0.0, 6))
    x, t = (x - 0.1) / 0.8, (t - 0.05) / 0.75
    together = (np.floor(4 * x) + t) / 4
    for values, what in ((x, "places"), (t, "times"), (together, "times of a place")):
        shares = np.histogram(values, bins=16, range=(0, 1))[0] / len(values)
        holds(bool(np.abs(shares - 1 / 16).max() < 0.02), f"the {what} are not uniform")
        holds(len(np.unique(values)) > 3900, f"the {what} take few values, again and again")


def test_observe__takes_alpha_and_repeats_a_seed(student):
    """takes the α given; gives the same data for the same seed and others for another"""
    x, t, u = student.observe(10, 0.4, 0.0, np.random.default_rng(3))
    exact = np.sin(np.pi * np.array(x)) * np.exp(-0.4 * np.pi**2 * np.array(t))
    close(u, exact, SINGLE)
    student.reseed(1)
    first, second, other = (_observed(student, 5, 0.1, seed) for seed in (7, 7, 8))
    close(second, first, SINGLE)
    holds(not np.allclose(other[0], first[0]), "another seed gives the same places")


def test_inverse_model__maps_columns_to_a_column(student):
    """maps a column of places and one of times to a column of temperatures, each by itself"""
    student.reseed(1)
    model = student.InversePINN(hidden=8)
    x, t = torch.linspace(0, 1, 5).reshape(-1, 1), torch.full((5, 1), 0.3)
    together = tensor(model(x, t), (5, 1))
    close(tensor(model(x, t)), together, SINGLE)
    alone = [tensor(model(x[[row]], t[[row]]), (1, 1)) for row in range(5)]
    close(np.concatenate(alone), together, SINGLE)


def test_inverse_model__starts_with_alpha_one(student):
    """starts with α = 1, as a tensor that knows where it came from"""
    model = student.InversePINN(hidden=8)
    model(torch.zeros(2, 1), torch.ones(2, 1))
    alpha = attribute(model, "alpha")
    words = "alpha should be a tensor: as a plain number it has lost its way to log_alpha"
    holds(isinstance(alpha, torch.Tensor), words)
    close(tensor(alpha).reshape(-1), np.ones(1), SINGLE)
    words = "alpha has no graph: a gradient would not reach log_alpha"
    holds(alpha.requires_grad, words)
    names = [name for name, _ in model.named_parameters()]
    kept = student.attribute(model, "alpha", keep=True)
    slopes = dict(zip(names, student.gradients(kept, model), strict=True))
    holds(slopes.get("log_alpha") is not None, words)


def test_inverse_model__has_log_alpha_as_a_parameter(student):
    """has log_alpha among its parameters"""
    model = student.InversePINN(hidden=8)
    model(torch.zeros(2, 1), torch.ones(2, 1))
    names = dict(model.named_parameters())
    holds("log_alpha" in names, "log_alpha is not among the model's parameters")


def test_inverse_model__takes_alpha_from_log_alpha(student):
    """has α = exp(log_alpha), also after log_alpha has changed"""
    model = student.InversePINN(hidden=8)
    model(torch.zeros(2, 1), torch.ones(2, 1))
    state = dict(model.state_dict())
    for log_alpha in (-2.0, 0.5):
        model.load_state_dict(
            {**state, "log_alpha": torch.full_like(state["log_alpha"], log_alpha)}
        )
        alpha = attribute(model, "alpha").detach().reshape(-1)
        close(alpha, torch.tensor([np.exp(log_alpha)]), SINGLE)


def test_inverse_model__is_curved(student):
    """depends on x and on t, and is curved in x everywhere, without corners"""
    student.reseed(1)
    model = student.InversePINN(hidden=8)
    model(torch.zeros(2, 1), torch.ones(2, 1))
    model.double()
    stirred(model, np.random.default_rng(1))  # it may begin next to zero
    grid = torch.linspace(0, 1, 41, dtype=torch.float64).reshape(-1, 1)
    still = torch.full_like(grid, 0.3)
    along, later = (tensor(model(*both), (41, 1)) for both in ((grid, still), (still, grid)))
    for u, name in ((along, "x"), (later, "t")):
        holds(bool(np.ptp(u) > 1e-9), f"u does not change with {name}")
    holds(not np.allclose(along, later), "u does not tell x from t")
    bend = np.abs(np.diff(along[:, 0], 2))
    holds(bool(np.mean(bend > 1e-9 * np.ptp(along)) > 0.5), "u is made of straight pieces")

    def bends(x):
        column = torch.tensor(x).reshape(-1, 1)
        u = tensor(model(column, torch.full_like(column, 0.3)), (x.size, 1))[:, 0]
        return np.abs(np.diff(u, 2)), np.abs(u).max()

    # Where it bends most, steps a tenth as long bend a hundredth as much, or those within them do
    # if it is a fast wave; at a corner, a tenth.
    x, corner = np.linspace(-20, 20, 20001), True
    bend, size = bends(x)
    for _ in range(2):
        x = x[1 + bend.argmax()] + (x[1] - x[0]) * np.linspace(-2, 2, 41)
        before, (bend, _) = bend.max(), bends(x)
        corner &= bool(bend.max() >= 0.04 * before + 1e-13 * size)
    holds(not corner, "u has a corner: is the activation of every layer smooth?")


def test_inverse_loss__adds_up_for_a_model_of_zeros(student):
    """is 2 · 1 + 4 · 1 for a model that is 0, observations 1 and weights (1, 2, 3, 4)"""
    zero = student.field("inverse", of="surface", coefficients=[[0.0] * 3] * 3)
    x, t = (torch.full((1, 1), value, requires_grad=True) for value in (0.5, 0.3))
    seen = (torch.tensor([[0.2], [0.7]]), torch.tensor([[0.1], [0.4]]), torch.ones(2, 1))
    close(number(student.inverse_loss(zero, (x, t), seen, (1.0, 2.0, 3.0, 4.0))), 6.0, SINGLE)


def test_inverse_loss__asks_for_the_equation(student):
    """has a residual of (1 − 2α)² for u = x² + t"""
    coefficients = [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    x, t = (torch.tensor([[0.2], [0.6]], requires_grad=True) for _ in range(2))
    seen = tuple(torch.zeros(1, 1) for _ in range(3))
    for alpha in (0.5, 2.0):
        model = student.field(
            "inverse", of="surface", coefficients=coefficients, log_alpha=float(np.log(alpha))
        )
        loss = student.inverse_loss(model, (x, t), seen, (1.0, 0.0, 0.0, 0.0))
        close(number(loss), (1 - 2 * alpha) ** 2, SINGLE)
        holds(loss.requires_grad, "the loss has lost its graph: nothing could be trained with it")


def test_inverse_loss__trains_alpha_and_the_network(student):
    """has the gradients of (b − 2αa)² for u = a x² + b t: in α, in a and in b"""
    coefficients = [[0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    model = student.field("inverse", of="surface", coefficients=coefficients, log_alpha=0.0)
    x, t = (torch.tensor([[0.2], [0.6]], requires_grad=True) for _ in range(2))
    seen = tuple(torch.zeros(1, 1) for _ in range(3))
    loss = student.keeping("inverse_loss", model, (x, t), seen, (1.0, 0.0, 0.0, 0.0))
    loss.backward()
    in_alpha, in_u = model.gradient(), attribute(model, "field").gradient()
    words = "no gradient of the residual reaches "
    holds(in_alpha is not None, words + "log_alpha")
    holds(in_u is not None, words + "the network")
    close(number(in_alpha), -4.0, SINGLE)
    close(tensor(in_u)[[2, 0], [0, 1]], np.array([-4.0, 2.0]), SINGLE)


def test_inverse_loss__weighs_each_condition(student):
    """is w₂ (1² + 4²)/2, w₃ (1² + 4²), w₄ ½² for u = 5x − 1 at x = ½, its data 0 at both ends"""
    coefficients = [[-1.0, 0.0], [5.0, 0.0], [0.0, 0.0]]
    model = student.field("inverse", of="surface", coefficients=coefficients)
    x, t = (torch.tensor([[value]], requires_grad=True) for value in (0.5, 0.3))
    seen = (torch.tensor([[0.0], [1.0]]), torch.tensor([[0.3], [0.3]]), torch.zeros(2, 1))
    for weights, expected in (((0, 2, 0, 0), 17.0), ((0, 0, 3, 0), 51.0), ((0, 0, 0, 5), 1.25)):
        given = tuple(float(weight) for weight in weights)
        close(number(student.inverse_loss(model, (x, t), seen, given)), expected, SINGLE)


def test_inverse_loss__asks_each_at_its_own_points(student):
    """asks for residual, start and ends at two collocation points and for the data at three others,
    each with its weight, for u = x²t; leaves them"""
    coefficients = [[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    model = student.field("inverse", of="surface", coefficients=coefficients)
    x, t = np.array([[0.5], [0.9]]), np.array([[0.1], [0.8]])
    x_seen, t_seen, u = np.array([[0.2, 0.4, 0.6], [0.3, 0.7, 0.5], [0.5, 0.0, 1.0]])[:, :, None]
    parts = (
        np.mean((x**2 - 2 * t) ** 2),
        np.mean((x_seen**2 * t_seen - u) ** 2),
        np.mean(t**2),
        np.mean(np.sin(np.pi * x) ** 2),
    )
    points = tuple(torch.tensor(values, requires_grad=True) for values in (x, t))
    seen = tuple(student.keep(torch.tensor(values)) for values in (x_seen, t_seen, u))
    for which, part in enumerate(parts):
        weights = tuple(3.0 * (which == n) for n in range(4))
        close(number(student.inverse_loss(model, points, seen, weights)), 3 * part, SINGLE)
    for kept, values, what in zip(seen, (x_seen, t_seen, u), "xtu", strict=True):
        unchanged(student.value(kept), torch.tensor(values), what)


def test_inverse_loss__takes_a_network(student):
    """takes a real network, which puts its columns side by side"""
    model = student.field("inverse", of="network", n_in=2, n_hidden=8, n_out=1, seed=1)
    x, t = (torch.tensor([[0.2], [0.6], [0.9]], requires_grad=True) for _ in range(2))
    seen = tuple(torch.full((2, 1), 0.5) for _ in range(3))
    loss = student.inverse_loss(model, (x, t), seen, (1.0, 2.0, 3.0, 4.0))
    holds(number(loss) > 0, "the loss of a network that has learnt nothing should be positive")


def _observations(count, alpha, noise_std=0.0):
    """All over the square."""
    rng = np.random.default_rng(5)
    x, t = rng.uniform(0.05, 0.95, (2, count))
    u = rng.normal(np.sin(np.pi * x) * np.exp(-alpha * np.pi**2 * t), noise_std)
    return tuple(torch.tensor(values, dtype=torch.float32).reshape(-1, 1) for values in (x, t, u))


def _recovered(student, epochs, observations=None, seed=1):
    generator = torch.Generator().manual_seed(seed)
    observations = _observations(12, 0.2) if observations is None else observations
    returned = student.recover_alpha(observations, epochs=epochs, generator=generator)
    pair = isinstance(returned, (tuple, list)) and len(returned) == 2
    holds(pair, "should return (alpha, history)")
    return returned


def test_recover_alpha__returns_alpha_and_its_history(student):
    """returns a positive number, and the list of the values on the way to it, which leave 1

    Temperatures without noise, α = 0.2: so few iterations need not arrive.
    """
    counter = student.field("iterations")
    for epochs in (20, 100, 1000):  # the network alone may be taught first
        counter.watch()
        returned, history = _recovered(student, epochs)
        watching.keeps_to_its_epochs(counter, epochs)
        alpha, values = number(returned), [number(value) for value in history]
        holds(alpha > 0, "α should be positive")
        holds(len(values) > 0, "the history is empty")
        holds(all(value > 0 for value in values), "α is positive all the way, the history is not")
        moved = max(abs(value - 1) for value in (alpha, *values)) > 0.01
        if moved:
            break
    holds(moved, "α is still 1 after 1000 iterations; the data have 0.2")
    alike = len(values) > 1 and len(set(values)) == 1
    holds(not alike, "the history is one value again and again, and α began at another")
    between = 0.99 * min(values) <= alpha <= 1.01 * max(values)  # a mean of the last ones is
    holds(between, "the α that is returned is none of the values on the way, nor between them")


def test_recover_alpha__finds_the_alpha_of_noisy_data(student):
    """finds α = 0.09 to 5 % from 200 temperatures with noise 0.02, as least squares does to 0.2 %,
    and ends its history there (some seconds)"""
    equation = student.field("equation")
    equation.watch()
    returned, history = _recovered(student, 3000, _observations(200, 0.09, 0.02))
    asked = equation.was_asked_for() is True
    holds(asked, "no network learns the equation: no derivative of it is asked for on the way to α")
    alpha, last = number(returned), number(history[-1])
    on = ", and still on its way at the end of the history" * watching.unsettled(history)
    holds(abs(alpha / 0.09 - 1) < 0.05, f"α should be 0.09 to 5 %, it is {alpha:.3g}{on}")
    holds(abs(last / alpha - 1) < 0.05, f"the history ends at {last:.3g}, the α is {alpha:.3g}")


def test_recover_alpha__repeats_a_seed(student):
    """gives the same α for the same seed, and another for another"""
    student.reseed(1)
    for epochs in (10, 100, 1000):  # the network alone may be taught first
        first, second, other = (number(_recovered(student, epochs, seed=n)[0]) for n in (1, 1, 2))
        close(second, first, SINGLE)
        if other != first:
            break
    holds(other != first, "another seed gives the same α: generator decides nothing")


def test_alpha_uncertainty__knows_one_measurement(student):
    """is 0.02 / (π² exp(−0.1 π²)) for one measurement in the middle at t = 1"""
    one = (np.full((1, 1), 0.5), np.ones((1, 1)), np.full((1, 1), 0.4))
    expected = 0.02 / (np.pi**2 * np.exp(-0.1 * np.pi**2))
    close(number(student.alpha_uncertainty(one, 0.02, 0.1)), float(expected), SINGLE)


def test_alpha_uncertainty__takes_time_and_alpha_as_they_are(student):
    """is 0.05 / (0.5 π² exp(−0.15 π²)) for one measurement in the middle at t = 0.5, if α = 0.3"""
    one = (np.full((1, 1), 0.5), np.full((1, 1), 0.5), np.full((1, 1), 0.4))
    expected = 0.05 / (0.5 * np.pi**2 * np.exp(-0.15 * np.pi**2))
    close(number(student.alpha_uncertainty(one, 0.05, 0.3)), float(expected), SINGLE)


def test_alpha_uncertainty__adds_up_what_each_measurement_tells(student):
    """adds up what two measurements tell, x = 1/2 at t = 1 and x = 1/6 at t = 1/2, whatever was
    measured there"""
    two = (np.array([[0.5], [1 / 6]]), np.array([[1.0], [0.5]]), np.array([[0.7], [0.1]]))
    slopes = np.pi**2 * np.array([np.exp(-0.1 * np.pi**2), 0.25 * np.exp(-0.05 * np.pi**2)])
    expected = 0.02 / np.sqrt(np.sum(slopes**2))
    close(number(student.alpha_uncertainty(two, 0.02, 0.1)), float(expected), SINGLE)


def test_alpha_uncertainty__shrinks_with_the_root_of_the_number(student):
    """is a third as large for nine equal measurements"""
    nine = (np.full((9, 1), 0.5), np.ones((9, 1)), np.full((9, 1), 0.4))
    expected = 0.02 / (np.pi**2 * np.exp(-0.1 * np.pi**2)) / 3
    close(number(student.alpha_uncertainty(nine, 0.02, 0.1)), float(expected), SINGLE)
