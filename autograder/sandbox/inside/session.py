"""One student's code, run and called: the worker's side of every request.

A request is a dict with "op"; the answer a dict with "ok". The same class serves a caged
submission over a socket and, in-process, the trusted code that `verify` runs. Nothing here
judges anything: it computes what the student's code computes.

    {"op": "read", "source": …, "label": …, "start": bool}     one cell's statements: first line,
                                               last, plain; start: where all are plain, they run
    {"op": "run", "label": …, "statement": …}      runs one of them; with "source", a whole cell
    {"op": "begin", "seed": …}                     known global state before a check
    {"op": "after", "first": …, "then": …}         requests, as bytes: the last one's answer, or
                                               that of the first that does not come to its end
    {"op": "reseed", "seed": …}                    other global random numbers
    {"op": "call", "target": name or Handle, "args": …}    and, where there are any, "kwargs": …,
                                               "method": name, and "keep": True: the result, or
                                               a tuple's items, as handles
    {"op": "gradients", "of": Handle, "wrt": Handle}      through kept tensors or a module
    {"op": "attribute", "target": Handle, "name": …}       and, where asked for, "keep": True
    {"op": "value", "target": Handle}
    {"op": "keep", "number": …, "value": …}        for the handle of that number: a value, or a
    {"op": "field", "number": …, "name": …, "params": {…}}     model from `fields`
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from warnings import simplefilter

import torch

from . import compiler, fields, state
from .cells import Kernel
from .wire import Handle, Named, WireError, decode, encode

MAX_HANDLES = 100_000
DONE = encode({"ok": True})
"""The answer to a request that asks for nothing back."""
UNWRITTEN = "still to be written"  # what a stub's NotImplementedError says
_NO_DEVICE = re.compile(r"\b(cuda|mps|xpu|xla)\b|nvidia|accelerator device", re.IGNORECASE)
"""What torch says of a device that is not there, in a dozen sentences."""


class Session:
    """A namespace that cells run in, and the objects that checks refer to by handle."""

    def __init__(self) -> None:
        compiler.stand_in()
        self.kernel = Kernel()
        self.namespace = self.kernel.namespace
        self.handles: dict[int, Any] = {}
        self.named: Named = {}
        self.settings = {"backend": "agg"} | state.snapshot()
        self.names: dict[str, Any] = {}
        """As the cells left them; none before the first check after a cell."""

    def answer(self, request: bytes) -> bytes:
        """Bytes of the answer to one request; never raises for what a student's code does.

        Meanwhile the notebook is `__main__`, so that its functions and classes can be pickled and
        sent to other processes; and torch.compile, which needs a C compiler, gives back what it
        got.
        """
        before = sys.modules["__main__"], torch.compile
        sys.modules["__main__"], torch.compile = self.kernel.module, _uncompiled
        try:
            return self._answer(request)
        finally:
            sys.modules["__main__"], torch.compile = before

    def _answer(self, request: bytes) -> bytes:
        cell = None
        try:
            message = decode(request, self._object, generators=True, named=self.named)
            operation = getattr(self, "_op_" + message.pop("op"))
            cell = message.get("label")
            reply = operation(**message)
        except BaseException as error:
            reply = self._failure(error, cell)
        if isinstance(reply, bytes):
            return reply
        try:
            return encode(reply, self._keep)
        except BaseException as error:
            return encode({"ok": False, "kind": "type", "type": "WireError", "text": _text(error)})

    # operations ---------------------------------------------------------------------------

    def _op_read(self, source: str, label: str, start: bool = False) -> dict[str, Any]:
        found = self.kernel.read(source, label)
        reply = {"ok": True, "statements": [(one.first, one.last, one.plain) for one in found]}
        if start and all(one.plain for one in found):
            stopped = reply["stopped"] = {}
            for number in range(len(found)):
                try:
                    self._run(label, number)
                except BaseException as error:
                    stopped[str(number)] = self._failure(error, label)
        return reply

    def _run(self, label: str, number: int) -> None:
        before = dict(self.namespace) if self.names else {}
        try:
            self.kernel.run(label, number)
        finally:
            state.usable_device()
            if self.names:  # a check's own code: what functions changed before it is no cell's
                now = self.namespace.items()
                self.names |= {n: v for n, v in now if before.get(n, self) is not v}

    def _op_run(self, label: str, source: str = "", statement: int | None = None) -> dict[str, Any]:
        if statement is None:
            numbers = range(len(self.kernel.read(source, label)))
        else:
            numbers = range(statement, statement + 1)
        for number in numbers:
            self._run(label, number)
        skipped, self.kernel.shell.skipped = self.kernel.shell.skipped, []
        return {"ok": True, "skipped": skipped[:5]}

    def _op_reseed(self, seed: int) -> dict[str, Any]:
        state.reseed(seed)
        return {"ok": True}

    def _op_after(self, first: list[bytes], then: bytes) -> bytes:
        for request in first:
            if (answer := self._answer(request)) != DONE:
                return answer
        return self._answer(then)

    def _op_begin(self, seed: int) -> dict[str, Any]:
        if not self.names:  # the first check after a cell
            self.settings = state.after_cells(self.settings)
        state.restore(self.settings | state.expected())
        state.reseed(seed)
        self.handles.clear()
        self.named.clear()
        self._restore_names()
        return {"ok": True}

    def _op_call(
        self,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        method: str | None = None,
        keep: bool = False,
    ) -> dict[str, Any]:
        function, kwargs = self._function(target, method), kwargs or {}
        with warnings.catch_warnings(record=True) as caught:
            simplefilter("always")
            try:
                result = function(*args, **kwargs)
            except TypeError:
                mismatch = signature_mismatch(function, args, kwargs)
                if mismatch:
                    return {"ok": False, "kind": "signature", "type": "TypeError", "text": mismatch}
                raise
            if keep:
                result = self._kept(result)
            value = encode(result, self._keep, self.named)
        reply: dict[str, Any] = {"ok": True, "encoded": value}
        if caught:
            reply["warnings"] = sorted({warning.category.__name__ for warning in caught})
        return reply

    def _op_gradients(self, of: Any, wrt: Any) -> dict[str, Any]:
        """Of the sum of a tensor's entries; None where there is no way back."""
        inputs = list(wrt.parameters()) if isinstance(wrt, torch.nn.Module) else [wrt]
        found: Sequence[torch.Tensor | None] = [None] * len(inputs)
        if isinstance(of, torch.Tensor) and of.requires_grad:
            found = torch.autograd.grad(of.sum(), inputs, retain_graph=True, allow_unused=True)
        return {"ok": True, "encoded": encode(list(found))}

    def _op_attribute(self, target: Any, name: str, keep: bool = False) -> dict[str, Any]:
        value = getattr(target, name)
        found = self._kept(value) if keep else value
        return {"ok": True, "encoded": encode(found, self._keep, self.named)}

    def _op_keep(self, number: int, value: Any) -> dict[str, Any]:
        self._put(number, value)
        return {"ok": True}

    def _op_value(self, target: Any) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(target, named=self.named)}

    def _op_field(self, number: int, name: str, params: dict[str, Any]) -> dict[str, Any]:
        return self._op_keep(number, fields.FIELDS[name](**params))

    # helpers ------------------------------------------------------------------------------

    def _restore_names(self) -> None:
        """What a call gave another value (`global np`) is not what the next check meets: it may be
        another exercise's."""
        if not self.names:
            self.names = dict(self.namespace)
        for name in self.namespace.keys() - self.names.keys():
            del self.namespace[name]
        for name, value in self.names.items():
            if self.namespace.get(name, self) is not value:
                self.namespace[name] = value

    def _function(self, target: Any, method: str | None) -> Callable[..., Any]:
        if type(target) is str:
            if target not in self.namespace:
                raise _Missing(f"{target} is not defined")
            target = self.namespace[target]
        elif method is not None and not hasattr(target, method):
            raise _Missing(f"{method} is not there")
        function = target if method is None else getattr(target, method)
        if not callable(function):
            raise _Missing("the name is not a function or class")
        return function

    def _kept(self, result: Any) -> Handle | list[Handle]:
        several = isinstance(result, (tuple, list))
        return [self._keep(one) for one in result] if several else self._keep(result)

    def _keep(self, value: Any) -> Handle:
        number = len(self.handles) + 1
        self._put(number, value)
        return Handle(number, type(value).__name__)

    def _put(self, number: int, value: Any) -> None:
        if len(self.handles) >= MAX_HANDLES:
            raise WireError(f"more than {MAX_HANDLES} objects kept")
        self.handles[number] = value

    def _object(self, handle: Handle) -> Any:
        value = self.handles[handle.number]
        return _Text(value) if type(value) is str else value

    def _failure(self, error: BaseException, cell: str | None = None) -> dict[str, Any]:
        text = _text(error)
        if isinstance(error, _Missing):
            return {"ok": False, "kind": "missing", "type": "NameError", "text": text}
        label, line = self._where(error, cell)
        if label is None and isinstance(error, WireError):
            return {"ok": False, "kind": "type", "type": "WireError", "text": text}
        torch_s = isinstance(error, (AssertionError, RuntimeError)) and _NO_DEVICE.search(text)
        frame = _raised_in(error)
        module = frame and frame.f_globals.get("__name__")
        starts = isinstance(error, FileNotFoundError) and module == "subprocess"
        wanted: Any = ""  # the module or file that was not there
        if isinstance(error, (ModuleNotFoundError, FileNotFoundError)):
            wanted = getattr(error, "name", "") or getattr(error, "filename", "") or ""
        return {
            "ok": False,
            "kind": "device" if torch_s else "program" if starts else "error",
            "type": type(error).__name__[:80],
            "builtin": [
                base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"
            ],
            "text": text,
            "wanted": str(wanted)[:200],
            "cell": label,
            "line": line,
            "unwritten": self._unwritten(error),
        }

    def _unwritten(self, error: BaseException) -> str | None:
        """The function that said by itself that it is still to be written: torch and others raise
        NotImplementedError as well."""
        if type(error) is not NotImplementedError or _text(error) not in ("", UNWRITTEN):
            return None
        frame = _raised_in(error)
        if frame is None or frame.f_code.co_filename not in self.kernel.labels:
            return None
        return frame.f_code.co_qualname.partition(".")[0]

    def _where(self, error: BaseException, cell: str | None) -> tuple[str | None, int | None]:
        """The last place in the student's cells that an error came through, or in that one cell
        while it runs: it is told as the cell's line."""
        labels = self.kernel.labels if cell is None else {f"<{cell}>": cell}
        if isinstance(error, SyntaxError) and error.filename in labels:
            return labels[error.filename], error.lineno
        found: tuple[str | None, int | None] = (None, None)
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename in labels:
                found = (labels[frame.f_code.co_filename], line)
        return found


class _Text(str):
    """A student's text, which is not the name of what a check calls."""


class _Missing(Exception):
    """A name that the student's code does not define, or that cannot be called."""


def _text(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError):
            return str(error.msg)[:500]  # without the file and line that str() adds
        return str(error)[:500]
    except BaseException:
        return ""


def _raised_in(error: BaseException) -> types.FrameType | None:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return frames[-1] if frames else None


def _uncompiled(model: Any = None, **options: Any) -> Any:
    return model if model is not None else lambda function: function


def signature_mismatch(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str | None:
    """What is wrong with calling `function` so, or None."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return f"{error}; it takes {signature}"[:300]
    return None
