"""What a check may ask of the student's code, wherever it runs: in a cage (`judging.student`) or in
the notebook's own kernel (`coursekit.notebook`).
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from .compare import CheckFailed, StudentError, kind_of
from .written import Call, Origin, Thing, made_by, trace

MAX_ITERATION = 10_000

T = TypeVar("T")


def module_at(path: Path, name: str) -> ModuleType:
    """A file's module, which no import would find."""
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def title_of(check: Callable[..., Any]) -> str:
    """What a check says that it looks at: the first paragraph of its docstring, on one line."""
    words = inspect.cleandoc(check.__doc__ or "").partition("\n\n")[0].split()
    return " ".join(words or [check.__name__.partition("__")[2].replace("_", " ")])


class Student:
    """The student's functions as attributes, and the calls that a check has made."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.call(name, None, args, kwargs)

    def call(
        self,
        target: str | Kept,
        method: str | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        keep: bool = False,
    ) -> Any:
        """One call; the value rebuilt from plain types, or StudentError."""
        call = self._called(target, method, args, kwargs)
        return self._noted(call, lambda: self._call(call, keep))

    def keeping(self, target: str | Kept, *args: Any, **kwargs: Any) -> Any:
        """A call whose result stays where it is with its graph; a tuple's items one by one."""
        return self.call(target, None, args, kwargs, keep=True)

    def attribute(self, target: Kept, name: str, keep: bool = False) -> Any:
        """The value of an object's attribute; or it stays where it is, as with `keeping`."""
        call = self._called(target, name)
        call.is_attribute = True
        return self._noted(call, lambda: self._attribute(target, name, keep))

    def keep(self, value: Any) -> Kept:
        """`value` as an object, to see later what a function did to it."""
        return self._made("keep", Origin(value=value), value=value)

    def field(self, name: str, **params: Any) -> Kept:
        """A closed-form model (`sandbox/inside/fields.py`), to hand to the student's functions."""
        return self._made("field", Origin(field=name, params=params), name=name, params=params)

    def witness(self, shape: Sequence[int], **params: Any) -> Kept:
        """A small network that notes how it is trained; `training` reads the notes."""
        return self.field("witness", **params, shape=tuple(shape))

    def once(self, measure: Callable[[Any, np.random.Generator], T], draw: Any) -> T:
        """`measure(self, draw)`: what takes long, a training, and tells several checks something.

        The value must be plain; objects do not outlive a check.
        """
        return measure(self, draw)

    def value(self, kept: Any) -> Any:
        """The present value of something kept."""
        raise NotImplementedError

    def gradients(self, of: Kept, wrt: Kept) -> list[Any]:
        """d(Σ of)/d(wrt) of something kept: wrt is a kept tensor, or a module and stands for its
        parameters. None where `of` does not depend on it differentiably."""
        raise NotImplementedError

    def reseed(self, seed: int) -> None:
        """Other global random state, as another day in the student's kernel."""
        raise NotImplementedError

    def _call(self, call: Call, keep: bool) -> Any:
        raise NotImplementedError

    def _attribute(self, target: Kept, name: str, keep: bool) -> Any:
        raise NotImplementedError

    def _make(self, kind: str, **given: Any) -> Kept:
        """What is not the student's own, for their code to meet."""
        raise NotImplementedError

    def _type_name(self, held: Any) -> str:
        """For messages: the name of an object's type."""
        raise NotImplementedError

    def _made(self, kind: str, origin: Origin, **given: Any) -> Kept:
        made = self._make(kind, **given)
        made.origin = origin
        return made

    def _called(
        self, target: Any, method: str | None, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Call:
        """A call, noted; CheckFailed where the target is a plain value that came back."""
        if isinstance(target, str) and not self._came_back(target):
            call = Call(target, args, kwargs or {}, method=method)
        elif isinstance(target, Kept):
            call = Call(made_by(target), args, kwargs or {}, target=target, method=method)
        else:
            text = f"should return a function or a model, returned {kind_of(target)}"
            raise CheckFailed("type", text, subject=target)
        self.calls.append(call)
        return call

    def _came_back(self, text: str) -> bool:
        """Whether it is a value of the student's, and not a name that a check has written: else it
        would name what is called, and a message would hold it."""
        # Of thousands of calls, as a Markov chain makes them, each looks at the one before it only,
        # which was of the same name and has looked at all others.
        again = bool(self.calls) and self.calls[-1].function is text
        calls = self.calls[-1:] if again else self.calls
        found = (call.returned for call in calls if isinstance(call.returned, (str, tuple, list)))
        return any(
            one is text or (not isinstance(one, str) and any(part is text for part in one))
            for one in found
        )

    def _noted(self, call: Call, work: Callable[[], Any]) -> Any:
        try:
            call.returned = trace(work(), call)
        except StudentError as error:
            call.error = error
            raise
        return call.returned


class Kept(Thing):
    """An object of the student's that is no plain value: call it, call its methods, pass it on."""

    def __init__(self, student: Student, held: Any) -> None:
        self._student = student
        self._held = held

    @property
    def type_name(self) -> str:
        return self._student._type_name(self._held)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self, None, args, kwargs)

    def __iter__(self) -> Iterator[Any]:
        """Items of something that is no list, a DataLoader say, one call each."""
        iterator = self._student.call(self, "__iter__", (), {})
        if not isinstance(iterator, Kept):
            yield from iterator
            return
        for _ in range(MAX_ITERATION):
            try:
                yield self._student.call(iterator, "__next__", (), {})
            except StudentError as error:
                if error.name == "StopIteration":
                    return
                raise
        raise CheckFailed("value", f"gives more than {MAX_ITERATION} items, perhaps without end")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._student.call(self, name, args, kwargs)

    def fetch_attribute(self, name: str) -> Any:
        return self._student.attribute(self, name)
