"""Public checks of training: the ones that you can run yourself."""

import math

import numpy as np
import torch
from coursekit import (
    SINGLE,
    CheckFailed,
    StudentError,
    attribute,
    close,
    holds,
    integer,
    number,
    refuses,
    tensor,
    unchanged,
    within,
)
from coursekit import training as watching
from coursekit.networks import units_begin_apart


def _generator(seed=7):
    return torch.Generator().manual_seed(seed)


def _column(*values):
    return torch.tensor(values)[:, None]


def test_derivative__is_29_for_the_example(student):
    """is 29 for x³ + 2x at x = 3"""
    cubic = student.field("polynomial", coefficients=[0.0, 2.0, 0.0, 1.0])
    close(tensor(student.derivative(cubic, torch.tensor(3.0)), ()), np.array(29.0), SINGLE)


def test_derivative__works_on_a_batch(student):
    """gives a column of slopes for a column of x"""
    cubic = student.field("polynomial", coefficients=[0.0, 2.0, 0.0, 1.0])
    slope = student.derivative(cubic, _column(0.0, 1.0, -2.0))
    close(slope, _column(2.0, 5.0, 14.0), SINGLE)


def test_derivative__works_for_any_function(student):
    """is the slope of a sine too, and exact to rounding where a small step is not"""
    sine = student.field("sine", amplitude=2.0, frequency=3.0, phase=0.5)
    x = _column(0.0, 1.0, -2.0)
    close(student.derivative(sine, x), 6 * torch.cos(3 * x + 0.5), SINGLE)
    far = student.field("polynomial", coefficients=[1e8, 2.0, 0.0, 1.0])
    slope = tensor(
        student.derivative(far, torch.tensor([[0.5], [1.7]], dtype=torch.float64)), (2, 1)
    )
    off = float(np.abs(slope - np.array([[2.75], [10.67]])).max())
    holds(off < 1e-9, f"a slope is off by {off:.1e}: autograd is exact, a small step is not")


def test_derivative__leaves_x_as_it_was(student):
    """leaves x.requires_grad and x.grad as they were"""
    square = student.field("polynomial", coefficients=[0.0, 0.0, 1.0])
    for gradient in (False, True):
        x = student.keep(torch.tensor([1.0, 2.0], requires_grad=gradient))
        student.derivative(square, x)
        holds(attribute(x, "requires_grad") is gradient, "x.requires_grad has changed")
        holds(attribute(x, "grad") is None, "x.grad has been filled")


def test_mlp__has_4353_parameters(student):
    """has 4353 parameters for one input, hidden layers of 64 and 64, and one output"""
    for sizes, expected in (
        ((1, [64, 64], 1), 4353),
        ((2, [3], 1), 13),
        ((3, [], 2), 8),
        ((2, [3, 4, 5], 1), 56),
    ):
        model = student.MLP(*sizes)
        model(torch.ones(2, sizes[0]))  # lazy layers take their size at the first call
        parameters = model.parameters()
        holds(isinstance(parameters, list), "should be an nn.Module with parameters()")
        close(sum(p.numel() for p in parameters), expected, SINGLE)


def test_mlp__maps_rows_to_rows(student):
    """maps (N, input_dim) to (N, output_dim), each row by itself"""
    student.reseed(1)
    widths = student.keep([8, 8])
    model, x = student.MLP(3, widths, 2), torch.linspace(-1, 1, 15).reshape(5, 3)
    together = tensor(model(x), (5, 2))
    close(model(x[3:4]), torch.tensor(together[3:4]), SINGLE)
    holds(student.value(widths) == [8, 8], "the caller's list of widths has changed")


def _drawn(model, x):
    """The network with drawn weights, and no dropout at work: with which ones it begins is its own
    matter."""
    model(x)  # lazy layers take their size at the first call
    model.eval()
    state = dict(model.state_dict())
    model.load_state_dict({name: torch.randn(w.shape).to(w.dtype) for name, w in state.items()})
    return model


def test_mlp__has_relu_after_its_hidden_layers(student):
    """is bent by a ReLU after each hidden layer, and by nothing after the last layer

    Far out a network of ReLUs is a straight line, and a single neuron falls silent on some side.
    Behind one layer it makes one corner, which two steps of a grid see.
    """
    near = torch.linspace(-3, 3, 61)[:, None]
    x = torch.tensor([[-2000.0], [-1000.0], [1000.0], [2000.0]])
    for hidden in ([1], [16, 1]):
        silent = []
        for seed in range(12):
            student.reseed(seed)
            model = _drawn(student.MLP(1, hidden, 1), x)
            y = tensor(model(x), (4, 1))[:, 0].astype(float)
            silent += [abs(y[1] - y[0]) < 1e-4, abs(y[3] - y[2]) < 1e-4]
            curve = tensor(model(near), (61, 1))[:, 0].astype(float)
            bends = np.abs(np.diff(curve, 2)) > 1e-3 * np.abs(np.diff(curve)).max() + 1e-5
            corner = hidden != [1] or bends.sum() <= 2
            holds(corner, "one hidden neuron should make one corner and no other bend")
        found = sum(silent)
        holds(
            0 < found < 24, f"with hidden_dims = {hidden}: is there a ReLU after each hidden layer?"
        )
    student.reseed(1)
    model = _drawn(student.MLP(1, [16, 16], 40), x)
    y = tensor(model(1e6 * torch.linspace(-1, 1, 21)[:, None]), (21, 40))
    holds(bool(y.min() < -1 and y.max() > 1), "the outputs should not be cut off or squeezed")
    gradients = student.gradients(student.keeping(model, torch.ones(1, 1)), model)
    arrived = len(gradients) > 0 and all(gradient is not None for gradient in gradients)
    holds(arrived, "no gradient arrives at some of the parameters")
    model = student.MLP(2, [16, 16], 3)
    model(torch.ones(1, 2))  # lazy layers have their weights from now on
    units_begin_apart(model)


def test_losses__mae_loss_is_2_for_the_example(student):
    """mae_loss is 2 where predictions are off by 1 and 3, and has no signs that cancel"""
    close(number(student.mae_loss(_column(1.0, 4.0), _column(0.0, 1.0))), 2.0, SINGLE)
    y_pred = torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, -1.5]])
    y_true = torch.tensor([[2.5, -3.0], [0.5, 0.0], [1.0, 0.2]])
    close(number(student.mae_loss(y_pred, y_true)), 8.2 / 6, SINGLE)


def test_losses__bce_with_logits_is_ln_2_for_a_coin(student):
    """bce_with_logits is ln 2 for a logit of zero, and exact far out, right or wrong"""
    zero = torch.zeros(2)
    close(number(student.bce_with_logits(zero, torch.tensor([0.0, 1.0]))), math.log(2), SINGLE)
    far = torch.tensor([-1000.0, 1000.0])
    close(number(student.bce_with_logits(far, torch.tensor([0.0, 1.0]))), 0.0, SINGLE)
    close(number(student.bce_with_logits(far, torch.tensor([1.0, 0.0]))), 1000.0, SINGLE)
    logits, targets = torch.tensor([[1.7, -0.4, 0.9]]), torch.tensor([[1.0, 1.0, 0.0]])
    close(number(student.bce_with_logits(logits, targets)), 0.773985045, SINGLE)


def test_losses__cross_entropy_is_ln_4_for_the_example(student):
    """cross_entropy is ln 4 for a class of probability ¼, and exact far out, right or wrong"""
    logits = torch.tensor([[0.0, math.log(3.0)]])
    close(number(student.cross_entropy(logits, torch.tensor([0]))), math.log(4), SINGLE)
    far = torch.tensor([[1000.0, -1000.0], [-1000.0, -998.0]], dtype=torch.float64)
    close(number(student.cross_entropy(far, torch.tensor([0, 1]))), 0.06346400552, SINGLE)
    close(number(student.cross_entropy(far, torch.tensor([1, 1]))), 1000.06346400552, SINGLE)
    three = torch.tensor([[0.3, -1.2, 2.0], [1.5, 0.4, -0.7], [0.1, 0.2, 0.9]])
    close(number(student.cross_entropy(three, torch.tensor([1, 0, 0]))), 1.744864877, SINGLE)


def test_losses__can_be_differentiated(student):
    """all three have gradients, and leave what they are given as it was"""
    y, t = torch.tensor([[1.0, -2.0, 1000.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    cases = (
        ("mae_loss", t, torch.tensor([[1.0, -1.0, 1.0]]) / 3),
        ("bce_with_logits", t, torch.tensor([[0.7310586, -0.8807970, 1.0]]) / 3),
        ("cross_entropy", torch.tensor([0]), torch.tensor([[-1.0, 0.0, 1.0]])),
    )
    for name, target, expected in cases:
        kept = student.keep(y.clone().requires_grad_())
        loss = student.keeping(name, kept, target)
        (gradient,) = student.gradients(loss, kept)
        holds(gradient is not None, f"{name} has lost its graph: nothing can be trained with it")
        close(gradient, expected, SINGLE)
        plain = student.keep(y)
        student.call(name, None, (plain, target), {})
        unchanged(student.value(plain), y, "y_pred", SINGLE)


def _new(returned, expected):
    """The new parameters: a list with one tensor."""
    holds(isinstance(returned, (list, tuple)) and len(returned) == 1, "should be a list of one")
    close(returned[0], torch.tensor(expected), SINGLE)
    return list(returned)


def _pair(returned):
    pair = isinstance(returned, (list, tuple)) and len(returned) == 2
    holds(pair, "should return two things: the new parameters and what the next step needs")
    return returned


def test_optimisers__sgd_step_goes_against_the_gradient(student):
    """sgd_step goes from 1 to 0.8 with gradient 2 and lr 0.1"""
    _new(student.sgd_step([torch.tensor([1.0])], [torch.tensor([2.0])], 0.1), [0.8])


def test_optimisers__momentum_step_gathers_speed(student):
    """momentum_step goes from 1 to 0.8 and on to 0.42"""
    params, grads, velocity = [torch.tensor([1.0])], [torch.tensor([2.0])], None
    for expected in (0.8, 0.42):
        params, velocity = _pair(student.momentum_step(params, grads, velocity, 0.1))
        params = _new(params, [expected])


def test_optimisers__adam_step_has_the_size_lr(student):
    """adam_step begins with steps of the size lr, against the gradient"""
    params, grads, state = [torch.tensor([1.0, 1.0])], [torch.tensor([2.0, -0.001])], None
    for expected in ([0.9, 1.1], [0.8, 1.2]):
        params, state = _pair(student.adam_step(params, grads, state, 0.1))
        params = _new(params, expected)


def test_optimisers__adamw_step_decays_too(student):
    """adamw_step goes from 1 to 0.85 with weight decay 0.5"""
    params, grads = [torch.tensor([1.0])], [torch.tensor([2.0])]
    new, _ = _pair(student.adamw_step(params, grads, None, 0.1, weight_decay=0.5))
    _new(new, [0.85])


def test_optimisers__take_three_steps_with_any_settings(student):
    """take three steps like torch's own, with settings of their own and with the defaults"""
    start = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    bend = torch.tensor([3.0, 0.7, 1.9], dtype=torch.float64)
    betas = {"betas": (0.6, 0.8), "eps": 0.2}
    for name, theirs, settings in (
        ("momentum_step", torch.optim.SGD, {"momentum": 0.5}),
        ("adam_step", torch.optim.Adam, {}),
        ("adam_step", torch.optim.Adam, betas),
        ("adamw_step", torch.optim.AdamW, {}),
        ("adamw_step", torch.optim.AdamW, {**betas, "weight_decay": 1.3}),
    ):
        leaf = start.clone().requires_grad_()
        descent, params, state = theirs([leaf], lr=0.3, **settings), [start], None
        for _ in range(3):
            grads = [bend * params[0]]
            params, state = _pair(student.call(name, None, (params, grads, state, 0.3), settings))
            leaf.grad = bend * leaf.detach()
            descent.step()
            holds(isinstance(params, (list, tuple)) and len(params) == 1, "should be a list of one")
            close(params[0].detach(), leaf.detach(), SINGLE)


def test_optimisers__change_no_argument(student):
    """leave the parameters and the state that they are given unchanged"""
    for name in ("sgd_step", "momentum_step", "adam_step", "adamw_step"):
        params = student.keep([torch.tensor([1.0])])
        grads = [torch.tensor([2.0])]
        state = [] if name == "sgd_step" else [None]
        getattr(student, name)(params, grads, *state, 0.1)
        unchanged(student.value(params), [torch.tensor([1.0])], "params", SINGLE)
    for name in ("momentum_step", "adam_step", "adamw_step"):
        # The same state once more: it should not have changed on the way.
        params, grads = [torch.tensor([1.0])], [torch.tensor([2.0])]
        _, state = student.call(name, None, (params, [-grads[0]], None, 0.1), {}, keep=True)
        ends = [_pair(getattr(student, name)(params, grads, state, 0.1))[0] for _ in "12"]
        close(list(ends[1]), list(ends[0]), SINGLE)


def _batches(student, *arguments):
    """Everything that a for loop over the batches would see."""
    returned = student.minibatches(*arguments)
    if returned is None or isinstance(returned, (np.ndarray, torch.Tensor, int, float, str, dict)):
        raise CheckFailed("type", "should give pairs (x_b, y_b), one for each batch")
    try:
        return list(returned)
    except StudentError as error:
        if error.kind != "missing":
            raise
    found = []  # without __iter__, a for loop asks by number
    while True:
        try:
            found.append(student.call(returned, "__getitem__", (len(found),), {}))
        except StudentError as error:
            if error.name == "IndexError":
                return found
            raise


def test_minibatches__makes_7_batches_of_100_rows(student):
    """makes 7 batches of 100 rows in batches of 16, the last of 4 rows"""
    x = torch.arange(100.0)[:, None]
    batches = _batches(student, x, 2 * x, 16, _generator())
    sizes = [len(tensor(x_b)) for x_b, _ in batches]
    holds(sizes == [16] * 6 + [4], f"the batches have the sizes {sizes}")


def test_minibatches__gives_every_row_with_its_partner(student):
    """gives every row once, with its partner, and not in the old order"""
    x = torch.arange(50.0)[:, None]
    batches = _batches(student, x, 2 * x, 8, _generator())
    holds(len(batches) > 0, "there are no batches")
    seen = np.concatenate([tensor(x_b, (None, 1)) for x_b, _ in batches])
    partners = np.concatenate([tensor(y_b, (None, 1)) for _, y_b in batches])
    close(partners, 2 * seen, SINGLE)
    close(np.sort(seen[:, 0]), np.arange(50.0), SINGLE)
    holds(bool((np.diff(seen[:, 0]) < 0).any()), "the rows are not shuffled")


def test_minibatches__draws_from_the_generator(student):
    """has the same order for the same seed, another in the next epoch; shuffles copies of rows"""
    x = torch.arange(50.0)[:, None]

    def epoch(generator):
        batches = _batches(student, x, torch.arange(50), 5, generator)
        holds(all(y_b.dtype == torch.int64 for _, y_b in batches), "y should keep its dtype")
        holds(all(tensor(y_b).ndim == 1 for _, y_b in batches), "y should keep its axes")
        return np.concatenate([tensor(x_b, (None, 1)) for x_b, _ in batches])[:, 0]

    generator = student.keep(_generator())
    first, second = epoch(generator), epoch(generator)
    student.reseed(1)
    close(epoch(_generator()), first, SINGLE)
    holds(not np.array_equal(first, second), "the next epoch has the same order")
    neighbours = int(np.sum(np.abs(np.diff(first)) == 1))
    holds(neighbours < 15, f"{neighbours} of 49 neighbours stay together: shuffle rows, not blocks")
    student.reseed(2)
    drawn = [epoch(None) for _ in "12"]
    holds(not np.array_equal(*drawn), "without a generator every epoch has the same order")
    kept = student.keep(x)
    _batches(student, kept, x, 5, _generator())
    unchanged(student.value(kept), x, "x", SINGLE)


def test_dropout__drops_or_scales(student):
    """gives zeros and fours for ones with p = 0.75"""
    values = tensor(student.dropout(torch.ones(20, 100), 0.75, True, _generator()), (20, 100))
    close(np.unique(values), np.array([0.0, 4.0], dtype=values.dtype), SINGLE)
    what = "the part of the elements that is kept"
    within(float(np.mean(values == 4)), 0.25, (0.25 * 0.75 / 2000) ** 0.5, what=what)
    shares = [float(np.ptp(np.mean(values == 4, axis=axis))) for axis in (0, 1)]
    holds(min(shares) > 0 and max(shares) < 0.9, "every element should be drawn by itself")


def test_dropout__has_a_new_mask_in_every_call(student):
    """has another mask in the next call, the same for the same seed, and keeps its graph"""
    x, generator = torch.ones(50), student.keep(_generator())
    masks = [tensor(student.dropout(x, 0.5, True, generator), (50,)) for _ in "12"]
    student.reseed(1)
    close(student.dropout(x, 0.5, True, _generator()), torch.tensor(masks[0]), SINGLE)
    holds(not np.array_equal(*masks), "two calls in a row have the same mask")
    free = [tensor(student.dropout(x, 0.5, True, None), (50,)) for _ in "1234567"]
    holds(not np.array_equal(*free[:2]), "without a generator every call has the same mask")
    holds(len({float(values.sum()) for values in free}) > 1, "every call drops equally many")
    leaf = student.keep(torch.ones(50).requires_grad_())
    output = student.keeping("dropout", leaf, 0.5, True, _generator())
    (gradient,) = student.gradients(output, leaf)
    holds(gradient is not None, "the result has lost its graph")
    close(gradient, torch.tensor(masks[0]), SINGLE)
    unchanged(student.value(leaf).detach(), torch.ones(50), "x", SINGLE)


def test_dropout__is_off_in_evaluation(student):
    """gives x as it is in evaluation, and for p = 0"""
    x = torch.tensor([[1.0, -2.0, 3.0]])
    close(student.dropout(x, 0.5, False, _generator()), x, SINGLE)
    close(student.dropout(x, 0.0, True, _generator()), x, SINGLE)


def test_l2_penalty__is_the_sum_of_squared_weights(student):
    """is the sum of the squares of all layers' weights without the biases, with the slope 2W"""
    flat = student.field("network", n_in=3, n_hidden=3, n_out=1)
    for model in (flat, student.field("pair_network", n_hidden=4)):
        parameters = model.parameters()
        expected = sum(float((p.detach() ** 2).sum()) for p in parameters if p.ndim > 1)
        penalty = student.keeping("l2_penalty", model)
        close(number(student.value(penalty).detach()), expected, SINGLE)
        for gradient, p in zip(student.gradients(penalty, model), parameters, strict=True):
            if p.ndim > 1:
                holds(gradient is not None, "the penalty has lost its graph")
                close(gradient, 2 * p.detach(), SINGLE)


def test_early_stopping__stops_after_patience_epochs(student):
    """says False, False, False, True for losses of 3, 1, 2, 1 and patience = 2"""
    model = student.field("polynomial", coefficients=[1.0])
    stopper = student.EarlyStopping(2)
    said = [stopper.step(loss, model) for loss in (3.0, 1.0, 2.0, 1.0)]
    holds(None not in said, "step should return True or False")
    text = f"step said {', '.join(str(bool(one)) for one in said)}"
    holds([bool(one) for one in said] == [False, False, False, True], text)
    close(number(attribute(stopper, "best_loss")), 1.0, SINGLE)
    close(integer(attribute(stopper, "best_epoch")), 1, SINGLE)


def test_early_stopping__counts_what_is_an_improvement(student):
    """counts anew after an improvement of more than min_delta; a smaller one or NaN is none"""
    model, nan = student.field("polynomial", coefficients=[1.0]), math.nan
    for losses, min_delta, epoch in (
        ((3.0, 4.0, 2.0, 2.5, 2.2, 2.1), 0.0, 2),
        ((2000.0, 1999.5, 1998.0, 1998.0, 1997.5, 1997.0), 1.0, 2),
        ((nan, 3.0, 2.0, nan, 2.5, 2.5), 0.0, 2),
    ):
        stopper = student.EarlyStopping(3, min_delta)
        said = [bool(stopper.step(loss, model)) for loss in losses]
        holds(
            said == [False] * 5 + [True],
            f"losses {losses}, patience 3, min_delta {min_delta}: step said {said}, and should say "
            "True at the last one alone",
        )
        close(integer(attribute(stopper, "best_epoch")), epoch, SINGLE)
        close(number(attribute(stopper, "best_loss")), losses[epoch], SINGLE)


def test_early_stopping__restores_the_best_weights(student):
    """puts the weights of the best epoch back, as often as it is asked"""
    model = student.field("polynomial", coefficients=[0.0, 0.0])
    stopper = student.EarlyStopping(5)
    for weights, loss in (([1.0, 2.0], 3.0), ([3.0, 4.0], 1.0), ([5.0, 6.0], 2.0)):
        model.load_state_dict({"coefficients": torch.tensor(weights)})
        stopper.step(loss, model)
    close(tensor(attribute(model, "coefficients"), (2,)), np.array([5.0, 6.0]), SINGLE)
    student.EarlyStopping(5).step(0.0, model)  # another one's weights are its own
    for _ in range(2):
        stopper.restore(model)
        close(tensor(attribute(model, "coefficients"), (2,)), np.array([3.0, 4.0]), SINGLE)
        model.load_state_dict({"coefficients": torch.tensor([7.0, 8.0])})


def test_augment__puts_the_originals_first(student):
    """gives 8 rows for 2 rows and 3 copies: the originals, then copies in the same order"""
    x, y = torch.tensor([[0.0], [100.0]]), torch.tensor([[-1.0], [1.0]])
    returned = student.augment(x, y, 3, 0.1, _generator())
    holds(isinstance(returned, (tuple, list)) and len(returned) == 2, "should return (x, y)")
    more, labels = tensor(returned[0], (8, 1)), tensor(returned[1], (8, 1))
    close(more[:2], x.numpy(), SINGLE)
    close(more[2:].round(-1), np.tile(x.numpy(), (3, 1)), SINGLE)
    close(labels, np.tile(y.numpy(), (4, 1)), SINGLE)
    noise = more[2:] - np.tile(x.numpy(), (3, 1))
    holds(bool(np.all(noise != 0)), "some copies are without noise")
    holds(len(np.unique(noise.round(4))) == 6, "some copies have the same noise: draw for each")


def test_augment__draws_normal_noise_from_the_generator(student):
    """adds normal noise of the deviation given, from the generator, and changes nothing else"""
    x, y = torch.full((500, 2), 5.0, dtype=torch.float64), torch.arange(500)
    kept = student.keep(x)
    more, labels = student.augment(kept, y, 3, 0.3, _generator())
    unchanged(student.value(kept), x, "x", SINGLE)
    close(labels, torch.cat([y] * 4), SINGLE)
    holds(more.dtype == x.dtype and labels.dtype == y.dtype, "the dtypes should stay")
    noise = (tensor(more, (2000, 2))[500:] - 5.0) / 0.3
    for power, expected, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (4, 3.0, 96.0)):
        what = f"the mean of (noise / noise_std) to the power {power}"
        within(float(np.mean(noise**power)), expected, (spread / noise.size) ** 0.5, what=what)
    what = "the correlation of one column's noise with the other's"
    within(float(np.mean(noise[:, 0] * noise[:, 1])), 0.0, len(noise) ** -0.5, what=what)
    student.reseed(1)
    close(student.augment(x, y, 3, 0.3, _generator())[0], more, SINGLE)
    close(student.augment(x, y, 0, 0.3, _generator())[0], x, SINGLE)
    student.reseed(2)
    drawn = [tensor(student.augment(x, y, 1, 0.3, None)[0]) for _ in "12"]
    holds(not np.array_equal(*drawn), "without a generator the noise is always the same")


def test_train__takes_the_step_of_the_example(student):
    """moves a single number from 0 to 0.2 in one step of "sgd", and returns the loss 1"""
    model = student.field("polynomial", coefficients=[0.0])
    x, y = _column(1.0, 2.0, 3.0), torch.ones(3, 1)
    losses = student.train(model, x, y, epochs=1, learning_rate=0.1, optimiser="sgd")
    holds(isinstance(losses, (list, tuple)) and len(losses) == 1, "should return one loss")
    close(number(losses[0]), 1.0, SINGLE)
    close(tensor(attribute(model, "coefficients"), (1,)), np.array([0.2]), SINGLE)


def test_train__takes_a_step_of_adam(student):
    """moves a single number from 30 to 29.9 in its first step, if nothing else is asked for"""
    model = student.field("polynomial", coefficients=[30.0])
    student.train(model, _column(1.0, 2.0), torch.ones(2, 1), epochs=1, learning_rate=0.1)
    close(tensor(attribute(model, "coefficients"), (1,)), np.array([29.9]), SINGLE)


def test_train__comes_close_with_adam(student):
    """brings a single number from 0 to within half a step of 0.25, as each step of Adam remembers
    those before"""
    model = student.field("polynomial", coefficients=[0.0])
    x, y = _column(1.0, 2.0), torch.full((2, 1), 0.25)
    losses = student.train(model, x, y, epochs=40, learning_rate=0.1)
    least = min(watching.losses(losses))
    holds(least < 0.0024, "it comes no closer than half a step: is the optimiser made only once?")


def test_train__learns_a_line(student):
    """learns a straight line, with Adam and in mini-batches"""
    x = torch.linspace(-1, 1, 20)[:, None]
    model = student.field("polynomial", coefficients=[0.0, 0.0])
    losses = student.train(
        model, x, 2 * x - 1, epochs=40, learning_rate=0.1, batch_size=5, generator=_generator()
    )
    holds(isinstance(losses, (list, tuple)) and len(losses) > 0, "should return the losses")
    holds(number(losses[-1]) < 0.1 * number(losses[0]), "the loss hardly falls")


def test_train__refuses_to_broadcast(student):
    """raises an error for y of the shape (N,) where the model gives (N, 1)"""
    model = student.field("polynomial", coefficients=[0.0, 0.0])
    x = torch.linspace(-1, 1, 20)[:, None]
    student.train(model, x, x, epochs=1, learning_rate=0.1)
    refuses(lambda: student.train(model, x, x[:, 0], epochs=1, learning_rate=0.1), "Exception")


def test_train__takes_a_step_for_every_batch(student):
    """moves a single number from 0 to 0.5904 in four steps of "sgd", one for each batch"""
    model = student.field("polynomial", coefficients=[0.0])
    options = {"epochs": 1, "learning_rate": 0.1, "batch_size": 5, "optimiser": "sgd"}
    x = torch.linspace(-1, 1, 20)[:, None]
    student.train(model, x, torch.ones(20, 1), **options, generator=_generator())
    close(tensor(attribute(model, "coefficients"), (1,)), np.array([0.5904]), SINGLE)


def _noted(student, seed=3, state=1):
    """What a small network notes of its training with this seed in this global state."""
    x = np.random.default_rng(2).normal(size=(150, 2)).astype(np.float32)
    y = np.sin(x.sum(axis=1, keepdims=True)) + 3.0

    def train(model, epochs):
        student.reseed(state)
        options = {"epochs": epochs, "learning_rate": 0.01, "batch_size": 32}
        data = torch.tensor(x), torch.tensor(y)
        return student.train(model, *data, **options, generator=_generator(seed))

    model = student.witness((2,), outputs=1, dropout=0.3)
    return watching.watched(
        model, x.astype(float), train, watching.by_value, watching.squared_error(y), 3
    )


def test_train__makes_new_batches(student):
    """shows every row once in each epoch, in new batches, which depend on the generator alone"""
    first = _noted(student)
    first.shows_each_sample_once()
    first.makes_new_batches()
    first.is_ordered_like(_noted(student, state=2))
    first.is_not_ordered_like(_noted(student, seed=4))


def test_train__learns_in_training_mode(student):
    """learns with every layer, in training mode from the first step to the last, each with its own
    gradient, and is left in evaluation mode"""
    noted = _noted(student)
    noted.moves_every_layer()
    noted.trains_in_training_mode()
    noted.clears_gradients()
    noted.follows_the_loss("mean squared error")
    noted.ends_in_evaluation_mode()


def test_train__returns_the_mean_loss_of_every_epoch(student):
    """returns the mean loss over the rows of every epoch, each batch's before its own step"""
    _noted(student).reports_the_mean_loss(afterwards=False)
