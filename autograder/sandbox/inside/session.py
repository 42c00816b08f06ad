"""One student's code, run and called: the worker's side of every request.

A request is a dict with "op"; the answer a dict with "ok". The same class serves a caged
submission over a socket and, in-process, the trusted code that `verify` runs. Nothing here
judges anything: it computes what the student's code computes.

    {"op": "run", "source": …, "label": …}        run one cell
    {"op": "begin", "seed": …, "then": …}          known global state before a check, and then
                                               its first request, as bytes, which is answered
    {"op": "reseed", "seed": …}                    other global random numbers
    {"op": "call", "target": name or Handle, "method": name or None, "args": …, "kwargs": …,
     "keep": bool}                              keep: the result, or a tuple's items, as handles
    {"op": "gradients", "of": Handle, "wrt": Handle}      through kept tensors or a module
    {"op": "attribute", "target": Handle, "name": …}
    {"op": "keep", "value": …} / {"op": "value", "target": Handle}
    {"op": "field", "name": …, "params": {…}}      a closed-form model from `fields`
    {"op": "witness", "params": {…}}               a network that notes how it is trained
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import random
import re
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from . import fields
from .wire import Handle, WireError, decode, encode
from .witness import Witness

MAX_HANDLES = 100_000
_MAGIC = re.compile(r"^\s*(%|!|\?)|\?\s*$")


class Session:
    """A namespace that cells run in, and the objects that checks refer to by handle."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.namespace = self.module.__dict__
        for name in ("display", "check", "summary"):  # what a notebook has for its student's eyes
            self.namespace[name] = lambda *objects, **options: None
        self.handles: dict[int, Any] = {}
        self.cells: dict[str, str] = {}

    def answer(self, request: bytes) -> bytes:
        """Bytes of the answer to one request; never raises for what a student's code does."""
        try:
            message = decode(request, self._object, generators=True)
            operation = getattr(self, "_op_" + message.pop("op"))
            reply = operation(**message)
        except BaseException as error:
            reply = self._failure(error)
        if isinstance(reply, bytes):
            return reply
        try:
            return encode(reply, self._keep)
        except BaseException as error:
            return encode({"ok": False, "kind": "type", "type": "WireError", "text": _text(error)})

    # operations ---------------------------------------------------------------------------

    def _op_run(self, source: str, label: str) -> dict[str, Any]:
        filename = f"<{label}>"
        code, skipped = _compiled(source, filename)
        self.cells[filename] = label
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        previous = sys.modules["__main__"]
        sys.modules["__main__"] = self.module
        try:
            exec(code, self.namespace)
        finally:
            sys.modules["__main__"] = previous
        return {"ok": True, "skipped": skipped}

    def _op_reseed(self, seed: int) -> dict[str, Any]:
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 – the student may use it
        torch.default_generator.manual_seed(seed)  # torch.manual_seed looks for accelerators
        return {"ok": True}

    def _op_begin(self, seed: int, then: bytes = b"") -> dict[str, Any] | bytes:
        self._op_reseed(seed)
        np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
        self.handles.clear()
        return self.answer(then) if then else {"ok": True}

    def _op_call(
        self,
        target: Any,
        method: str | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        keep: bool = False,
    ) -> dict[str, Any]:
        function = self._function(target, method)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = function(*args, **kwargs)
            except TypeError:
                mismatch = signature_mismatch(function, args, kwargs)
                if mismatch:
                    return {"ok": False, "kind": "signature", "type": "TypeError", "text": mismatch}
                raise
            if keep:
                several = isinstance(result, (tuple, list))
                result = [self._keep(one) for one in result] if several else self._keep(result)
            value = encode(result, self._keep)
        names = sorted({warning.category.__name__ for warning in caught})
        return {"ok": True, "encoded": value, "warnings": names}

    def _op_gradients(self, of: Any, wrt: Any) -> dict[str, Any]:
        """Of the sum of a tensor's entries; None where there is no way back."""
        inputs = list(wrt.parameters()) if isinstance(wrt, torch.nn.Module) else [wrt]
        found: Sequence[torch.Tensor | None] = [None] * len(inputs)
        if isinstance(of, torch.Tensor) and of.requires_grad:
            found = torch.autograd.grad(of.sum(), inputs, retain_graph=True, allow_unused=True)
        return {"ok": True, "encoded": encode(list(found))}

    def _op_attribute(self, target: Any, name: str) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(getattr(target, name), self._keep)}

    def _op_keep(self, value: Any) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(self._keep(value))}

    def _op_value(self, target: Any) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(target)}

    def _op_field(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(self._keep(fields.FIELDS[name](**params)))}

    def _op_witness(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "encoded": encode(self._keep(Witness(**params)))}

    # helpers ------------------------------------------------------------------------------

    def _function(self, target: Any, method: str | None) -> Callable[..., Any]:
        if isinstance(target, str):
            if target not in self.namespace:
                raise _Missing(f"{target} is not defined")
            target = self.namespace[target]
        function = target if method is None else getattr(target, method, None)
        if not callable(function):
            name = method or getattr(target, "__name__", "the name")
            raise _Missing(f"{name} is there, but it is not a function or class")
        return function

    def _keep(self, value: Any) -> Handle:
        if len(self.handles) >= MAX_HANDLES:
            raise WireError(f"more than {MAX_HANDLES} objects kept")
        number = len(self.handles) + 1
        self.handles[number] = value
        return Handle(number, type(value).__name__)

    def _object(self, handle: Handle) -> Any:
        return self.handles[handle.number]

    def _failure(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, _Missing):
            return {"ok": False, "kind": "missing", "type": "NameError", "text": str(error)}
        label, line = self._where(error)
        if label is None and isinstance(error, WireError):
            return {"ok": False, "kind": "type", "type": "WireError", "text": _text(error)}
        return {
            "ok": False,
            "kind": "error",
            "type": type(error).__name__[:80],
            "builtin": [
                base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"
            ],
            "text": _text(error),
            "cell": label,
            "line": line,
        }

    def _where(self, error: BaseException) -> tuple[str | None, int | None]:
        if isinstance(error, SyntaxError) and error.filename in self.cells:
            return self.cells[error.filename], error.lineno
        found: tuple[str | None, int | None] = (None, None)
        trace = error.__traceback__
        while trace is not None:
            filename = trace.tb_frame.f_code.co_filename
            if filename in self.cells:
                found = (self.cells[filename], trace.tb_lineno)
            trace = trace.tb_next
        return found


class _Missing(Exception):
    """A name that the student's code does not define, or that cannot be called."""


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException:
        return ""


@functools.lru_cache(1024)  # the known answers of an exercise share their other cells
def _compiled(source: str, filename: str) -> tuple[types.CodeType, list[str]]:
    tree, skipped = parse_cell(source)
    return compile(tree, filename, "exec", dont_inherit=True), skipped


def parse_cell(source: str) -> tuple[ast.Module, list[str]]:
    """The cell's syntax tree, and the IPython lines (%magic, !shell, help?) left out of it.

    A `%%` cell magic leaves out the whole cell. Lines are dropped only where the cell is not
    Python as it stands, so that a `%` inside a string or an expression is never touched.
    """
    lines = source.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("%%"):
        return ast.Module([], []), [first.strip()[:80]]
    try:
        return ast.parse(source), []
    except SyntaxError:
        magic = [number for number, line in enumerate(lines) if _MAGIC.search(line)]
        if not magic:
            raise
        kept = list(lines)
        for number in magic:  # `pass` keeps both the line numbers and the block's indentation
            indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
            kept[number] = indent + "pass"
        return ast.parse("\n".join(kept)), [lines[number].strip()[:80] for number in magic]


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
