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
)


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
    for sizes, expected in (((1, [64, 64], 1), 4353), ((2, [3], 1), 13), ((3, [], 2), 8)):
        parameters = student.MLP(*sizes).parameters()
        holds(isinstance(parameters, list), "should be an nn.Module with parameters()")
        close(sum(p.numel() for p in parameters), expected, SINGLE)


def test_mlp__maps_rows_to_rows(student):
    """maps (N, input_dim) to (N, output_dim)"""
    for rows in (1, 5):
        tensor(student.MLP(3, [8, 8], 2)(torch.ones(rows, 3)), (rows, 2))


def test_losses__mae_loss_is_2_for_the_example(student):
    """mae_loss is 2 where predictions are off by 1 and 3"""
    close(number(student.mae_loss(_column(1.0, 4.0), _column(0.0, 1.0))), 2.0, SINGLE)


def test_losses__bce_with_logits_is_ln_2_for_a_coin(student):
    """bce_with_logits is ln 2 for a logit of zero, and finite far out"""
    zero = torch.zeros(2)
    close(number(student.bce_with_logits(zero, torch.tensor([0.0, 1.0]))), math.log(2), SINGLE)
    far = torch.tensor([-1000.0, 1000.0])
    close(number(student.bce_with_logits(far, torch.tensor([0.0, 1.0]))), 0.0, SINGLE)


def test_losses__cross_entropy_is_ln_4_for_the_example(student):
    """cross_entropy is ln 4 for a class of probability ¼, and finite far out"""
    logits = torch.tensor([[0.0, math.log(3.0)]])
    close(number(student.cross_entropy(logits, torch.tensor([0]))), math.log(4), SINGLE)
    far = torch.tensor([[1000.0, -1000.0]])
    close(number(student.cross_entropy(far, torch.tensor([0]))), 0.0, SINGLE)


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


def test_optimisers__change_no_argument(student):
    """leave the parameters that they are given unchanged"""
    for name in ("sgd_step", "momentum_step", "adam_step", "adamw_step"):
        params = student.keep([torch.tensor([1.0])])
        grads = [torch.tensor([2.0])]
        state = [] if name == "sgd_step" else [None]
        getattr(student, name)(params, grads, *state, 0.1)
        close(student.value(params), [torch.tensor([1.0])], SINGLE)


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


def test_dropout__drops_or_scales(student):
    """gives zeros and fours for ones with p = 0.75"""
    values = tensor(student.dropout(torch.ones(200), 0.75, True, _generator()), (200,))
    close(np.unique(values), np.array([0.0, 4.0], dtype=values.dtype), SINGLE)


def test_dropout__is_off_in_evaluation(student):
    """gives x as it is in evaluation, and for p = 0"""
    x = torch.tensor([[1.0, -2.0, 3.0]])
    close(student.dropout(x, 0.5, False, _generator()), x, SINGLE)
    close(student.dropout(x, 0.0, True, _generator()), x, SINGLE)


def test_l2_penalty__is_the_sum_of_squared_weights(student):
    """is the sum of the squares of your MLP's weight matrices, without the biases"""
    student.reseed(1)
    model = student.MLP(2, [3], 1)
    expected = sum(float((p.detach() ** 2).sum()) for p in model.parameters() if p.ndim > 1)
    close(number(student.l2_penalty(model)), expected, SINGLE)


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


def test_early_stopping__restores_the_best_weights(student):
    """puts the weights of the best epoch back"""
    model = student.field("polynomial", coefficients=[0.0, 0.0])
    stopper = student.EarlyStopping(5)
    for weights, loss in (([1.0, 2.0], 3.0), ([3.0, 4.0], 1.0), ([5.0, 6.0], 2.0)):
        model.load_state_dict({"coefficients": torch.tensor(weights)})
        stopper.step(loss, model)
    stopper.restore(model)
    close(tensor(attribute(model, "coefficients"), (2,)), np.array([3.0, 4.0]), SINGLE)


def test_augment__puts_the_originals_first(student):
    """gives 8 rows for 2 rows and 3 copies: the originals, then copies in the same order"""
    x, y = torch.tensor([[0.0], [100.0]]), torch.tensor([[-1.0], [1.0]])
    returned = student.augment(x, y, 3, 0.1, _generator())
    holds(isinstance(returned, (tuple, list)) and len(returned) == 2, "should return (x, y)")
    more, labels = tensor(returned[0], (8, 1)), tensor(returned[1], (8, 1))
    close(more[:2], x.numpy(), SINGLE)
    close(more[2:].round(-1), np.tile(x.numpy(), (3, 1)), SINGLE)
    close(labels, np.tile(y.numpy(), (4, 1)), SINGLE)
    holds(len(np.unique(more)) == 8, "the copies are without noise")


def test_train__takes_the_step_of_the_example(student):
    """moves a single number from 0 to 0.2 in one step of "sgd", and returns the loss 1"""
    model = student.field("polynomial", coefficients=[0.0])
    x, y = _column(1.0, 2.0, 3.0), torch.ones(3, 1)
    losses = student.train(model, x, y, epochs=1, learning_rate=0.1, optimiser="sgd")
    holds(isinstance(losses, (list, tuple)) and len(losses) == 1, "should return one loss")
    close(number(losses[0]), 1.0, SINGLE)
    close(tensor(attribute(model, "coefficients"), (1,)), np.array([0.2]), SINGLE)


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
