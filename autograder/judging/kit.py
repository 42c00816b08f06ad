"""What the checks of several assignments do in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from coursekit import (
    EXACT,
    SINGLE,
    CheckFailed,
    StudentError,
    close,
    holds,
    measured,
    number,
    training,
)
from coursekit.networks import stirred as stirred


def torch_generator(draw: np.random.Generator) -> torch.Generator:
    """A generator for a student's function, other than the one that draws the inputs."""
    return torch.Generator().manual_seed(int(draw.integers(2**31)))


def numpy_generator(draw: np.random.Generator) -> np.random.Generator:
    """The same with NumPy."""
    return np.random.default_rng(int(draw.integers(2**63)))


def repeats(
    student: Any, draw: np.random.Generator, trained: Callable[[torch.Generator], np.ndarray]
) -> None:
    """What `trained` gives is the same for the same seed, whatever the global random state, and
    not for another."""
    seed, found = int(draw.integers(1, 2**31)), []
    for this in (seed, seed, seed - 1):
        student.reseed(int(draw.integers(2**31)))
        found.append(trained(torch.Generator().manual_seed(this)))
    close(found[1], found[0], SINGLE)
    # To the last bit: good trainings come to nearly the same from any start.
    same = np.array_equal(found[2], found[0])
    holds(not same, "another seed gives the same: it decides nothing")


def keeps_to_its_epochs(
    student: Any,
    draw: np.random.Generator,
    train: Callable[[int, torch.Generator], object],
    steps: int = 1,
) -> None:
    """As `training.keeps_to_its_epochs` says, and twenty epochs more let the busiest optimiser make
    at most twenty times `steps` iterations more, and ten: what polishes the result at the end may
    have a limit of its own."""
    counter = student.field("iterations")
    busiest = []
    for epochs in (20, 40):
        counter.watch()
        train(epochs, torch_generator(draw))
        busiest.append(number(counter.busiest()))
        training.keeps_to_its_epochs(counter, epochs, steps)
    more = busiest[1] - busiest[0]
    words = f"20 epochs more let an optimiser make {measured(more)} iterations more"
    holds(more <= 20 * steps + 10, words)


def bends(slope: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> bool:
    """Does a function's slope change over most short steps from `x`? That of straight pieces is the
    same at both ends of almost every one."""
    here = slope(x)
    return bool(np.mean(np.abs(slope(x + 1e-3) - here) > 1e-6 * np.abs(here).max()) > 0.5)


def jumps(slope: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> bool:
    """Does a function of an array jump between `low` and `high`?

    Where it changes most from one of 2000 steps to the next, ten times smaller steps change it ten
    times less, or those within them do if it is a fast wave; a jump stays what it is. What single
    precision leaves of a digit is none.
    """
    x = np.linspace(low, high, 2001)
    values = slope(x)
    step, change = x[1] - x[0], np.abs(np.diff(values))
    steepest = np.argsort(change)[-8:]
    start, before, stays = x[steepest], change[steepest], np.full(8, True)
    for _ in range(3):
        parts = start[:, None] + step * np.linspace(0, 1, 11)
        changes = np.abs(np.diff(slope(parts.ravel()).reshape(parts.shape), axis=1))
        largest = changes.max(axis=1)
        stays &= largest > 0.5 * before + 1e-5 * np.abs(values).max()
        start, before = parts[np.arange(8), changes.argmax(axis=1)], largest
        step /= 10
    return bool(stays.any())


def goes_past_a_layer(model: Any, outputs: Callable[[], np.ndarray]) -> bool:
    """Do a network's outputs still differ from row to row where the weights of one layer are zero?
    Then something is led past it and added behind. The last layer stays without its weights."""
    before: dict[str, torch.Tensor] = {}
    for name, weights in model.state_dict().items():
        if weights.ndim > 1:
            model.load_state_dict({**before, name: torch.zeros_like(weights)}, strict=False)
            before = {name: weights}
            if np.ptp(outputs(), axis=0).max() > SINGLE.tiny:
                return True
    return False


def shares_layers(one: Any, other: Any) -> bool:
    """Whether what happens to one network's weights happens to the other's, whatever type a check
    before has left them in."""
    before = [weights.dtype for weights in other.parameters()]
    holds(bool(before), "the network has no parameters")
    (one.double if torch.float16 in before else one.half)()
    return [weights.dtype for weights in other.parameters()] != before


def with_weights_of(model: Any, here: torch.nn.Module) -> torch.nn.Module:
    """A network of the checks' own, here, with the weights that a training has given it in the
    worker."""
    try:
        here.load_state_dict(dict(model.state_dict()))
    except (RuntimeError, TypeError, ValueError, AttributeError, KeyError):
        words = "the model has other weights after the training than its layers have"
        raise CheckFailed("property", words) from None
    finite = all(bool(values.isfinite().all()) for values in here.state_dict().values())
    holds(finite, "the model's weights are no finite numbers after the training")
    return here


class OwnNetwork:
    """A network of the checks' own, `CheckNetwork` in this source, in the worker and here."""

    def __init__(self, source: str) -> None:
        self.source, names = source, dict[str, Any]()
        exec(source, names)
        self._make = names["CheckNetwork"]

    def there(self, student: Any, seed: int, *given: Any) -> Any:
        """In the worker; its first weights are the seed's."""
        student.request({"op": "run", "source": self.source, "label": "the checks' own network"})
        student.reseed(seed)
        return student.CheckNetwork(*given)

    def here(self, seed: int, *given: Any) -> torch.nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            made: torch.nn.Module = self._make(*given)
            return made

    def brought(self, model: Any, *given: Any) -> torch.nn.Module:
        """Here, with the weights that it has in the worker: what they are good for is nothing that
        the student's process says."""
        return with_weights_of(model, self.here(0, *given)).eval()


def either(one: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """What `one` gives, or `other` where it stops with an error; the first error where both do."""
    try:
        return one()
    except StudentError as error:
        if error.kind != "error":
            raise
        first = error
    try:
        return other()
    except StudentError:
        raise first from None


def unchanged(student: Any, call: Callable[..., Any], *arguments: Any) -> None:
    """`call` leaves its arguments as they were."""
    kept = [student.keep(argument) for argument in arguments]
    call(*kept)
    for before, after in zip(arguments, student.value(kept), strict=True):
        holds(_same(after, before), "it changes what it is given; it should work on new arrays")


def _same(after: Any, before: Any) -> bool:
    if isinstance(before, torch.Tensor):  # also of truth values
        return isinstance(after, torch.Tensor) and torch.equal(after, before.detach())
    try:
        close(after, before, EXACT)
    except CheckFailed:
        return False
    return True
