"""Everything global that an ordinary notebook sets, and how a check expects it.

A default device, NumPy's error state, a locale: what a cell has set for itself must not decide what
a check sees. What a function may have to find again stays: the environment, a folder. The same file
serves the grader's worker and, beside the notebook, the student's own check. torch and matplotlib
are looked at only where they are loaded.
"""

from __future__ import annotations

import _locale
import contextlib
import locale
import operator
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from os import chdir, getcwd
from os.path import commonpath
from typing import Any

import numpy as np
from numpy.random import mtrand

State = dict[str, Any]


_environ = os.environ  # the process's own, whatever a cell puts in its place


def _environment() -> frozenset[Any]:
    # The public way would decode each entry, before every check.
    return frozenset(_environ._data.items())  # type: ignore[attr-defined]


def _set_environment(values: frozenset[Any]) -> None:
    _environ.clear()
    _environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in values})


def _set_filters(filters: list[Any]) -> None:
    warnings.filters = list(filters)  # a cell may have put a text there
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _folder() -> str | None:
    try:
        return getcwd()
    except OSError:  # it was removed
        return None


def _set_folder(folder: str | None) -> None:
    if folder is not None:
        with contextlib.suppress(OSError):
            chdir(folder)


def _torch() -> Any:
    return sys.modules["torch"]


def _device() -> str:
    chosen = getattr(sys.modules.get("torch.utils._device"), "CURRENT_DEVICE", None)
    return "cpu" if chosen is None else str(chosen)


def _set_device(device: str) -> None:
    _torch().set_default_device(None if device == "cpu" else device)


_guards: list[Any] = []


def _set_inference(on: bool) -> None:
    """A guard is in force while somebody holds it; where it ends, what was before it comes back."""
    _guards.clear()
    if _torch().is_inference_mode_enabled() != on:
        _guards.append(_torch()._C._InferenceMode(on))


def _deterministic() -> tuple[bool, bool]:
    torch = _torch()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    return torch.are_deterministic_algorithms_enabled(), warns


def _set_deterministic(found: tuple[bool, bool]) -> None:
    _torch().use_deterministic_algorithms(found[0], warn_only=found[1])


def _backend() -> str:
    name = dict.__getitem__(sys.modules["matplotlib"].rcParams, "backend")
    return name if isinstance(name, str) else "agg"  # none is chosen yet


def _set_backend(name: str) -> None:
    with contextlib.suppress(ImportError):
        sys.modules["matplotlib"].use(name, force=True)


Setting = tuple[str, Callable[[], Any], Callable[[Any], Any]]


def _of_torch(name: str, getter: str, setter: str, *of: Any) -> Setting:
    """What one function of torch's tells and another one sets."""
    get, put = operator.attrgetter(getter), operator.attrgetter(setter)
    return name, lambda: get(_torch())(*of), lambda value: put(_torch())(*of, value)


_PYTHON: list[Setting] = [
    ("environment", _environment, _set_environment),
    ("folder", _folder, _set_folder),
    ("warnings", lambda: list(warnings.filters), _set_filters),
    (
        "locale",
        lambda: _locale.setlocale(locale.LC_ALL, None),
        lambda name: locale.setlocale(locale.LC_ALL, name),
    ),
    ("NumPy's errors", np.geterr, lambda errors: np.seterr(**errors)),
    ("NumPy's printing", np.get_printoptions, lambda options: np.set_printoptions(**options)),
]
_OF_TORCH: list[Setting] = [
    ("inference", lambda: _torch().is_inference_mode_enabled(), _set_inference),  # sets gradients
    _of_torch("gradients", "is_grad_enabled", "set_grad_enabled"),
    _of_torch("dtype", "get_default_dtype", "set_default_dtype"),
    ("device", _device, _set_device),
    ("deterministic", _deterministic, _set_deterministic),
    _of_torch("threads", "get_num_threads", "set_num_threads"),
    _of_torch("precision", "_C._get_float32_matmul_precision", "set_float32_matmul_precision"),
    _of_torch("autocast", "is_autocast_enabled", "set_autocast_enabled", "cpu"),
    _of_torch("anomalies", "is_anomaly_enabled", "autograd.set_detect_anomaly"),
]
_OF_MATPLOTLIB: list[Setting] = [("backend", _backend, _set_backend)]


def _settings() -> list[Setting]:
    torch = _OF_TORCH if "torch" in sys.modules else []
    matplotlib = _OF_MATPLOTLIB if "matplotlib" in sys.modules else []
    return [*_PYTHON, *torch, *matplotlib]


def snapshot() -> State:
    """All settings as they are, but those that nobody can read any more."""
    found = {}
    for name, get, _ in _settings():
        with contextlib.suppress(Exception):  # `matplotlib.rcParams = {}`
            found[name] = get()
    return found


def restore(state: State) -> None:
    """The settings as they were; what is as it was is not touched, nor what a cell has broken."""
    for name, get, put in _settings():
        with contextlib.suppress(Exception):
            if name in state and get() != state[name]:
                put(state[name])


def after_cells(before: State) -> State:
    """`before`, but with what the cells' functions may go by: variables of the environment, and a
    working folder in the one where the cells began, as on the desk it can be written to."""
    left: State = {"environment": _environment()}
    began, folder = before["folder"], _folder()
    if began and folder and commonpath([began, folder]) == began:
        left["folder"] = folder
    return before | left


def expected() -> State:
    """What a check expects of NumPy and torch, wherever it runs."""
    state: State = {
        "NumPy's errors": {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    }
    if "torch" in sys.modules:
        state |= {"gradients": True, "inference": False, "autocast": False}
        state |= {"dtype": _torch().float32, "device": "cpu"}
        state |= {"deterministic": (False, False), "anomalies": False}
    return state


def reseed(seed: int) -> None:
    """Other global random numbers. They are asked where nobody writes: who wrote
    `np.random.seed = 42` has no such function any more."""
    random._inst.seed(seed)
    mtrand.seed(seed % 2**32)  # also of another kind (`set_bit_generator`)
    if "torch" in sys.modules:
        _torch().default_generator.manual_seed(seed)  # torch.manual_seed looks for accelerators


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Settings and random numbers afterwards as they were."""
    kept = snapshot()
    python, legacy = random.getstate(), mtrand._rand.get_state()
    torch = _torch().get_rng_state() if "torch" in sys.modules else None
    try:
        yield
    finally:
        restore(kept)
        random.setstate(python)
        mtrand._rand.set_state(legacy)
        if torch is not None:
            _torch().set_rng_state(torch)


def usable_device() -> None:
    """Where a default device was chosen that this machine has not, there is the processor."""
    if "torch" in sys.modules and (device := _device()) != "cpu":
        try:
            _torch().empty(1, device=device)
        except Exception:
            _set_device("cpu")
