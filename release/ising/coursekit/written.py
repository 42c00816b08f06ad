"""Values and calls as code: what a message shows as called can be pasted and run.

It needs `import numpy as np, torch` and what the student's notebook defines. A value too large
to be written out gets a name, and a comment says what it stands for.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

_WRITTEN_OUT, _FEW = 24, 6
"""Arrays of up to this many entries are written out; the fewer where a message has no room."""
MAX_TEXT = 600
"""Characters of a line of a message; what is longer is cut."""
_MOST = 400
"""Values that are written in one expression; a message is cut long before."""
_LETTERS = "xyzuvwabcdefgh"
OWN = "the check's own"
"""With this begins what a call is made on that is not from the student's code."""
_DEFAULT_DTYPES = ("float64", "int64", "bool", "torch.float32", "torch.int64", "torch.bool")


class Thing:
    """An object that stays where the student's code runs; `origin` says how it came about."""

    origin: Origin | None = None


@dataclasses.dataclass
class Call:
    """One call of the student's code, as a check made it.

    `target` is the object whose method (or attribute, or itself) was asked for, None for a
    function of the notebook; `function` is that function's name, or that of the one which made
    the object.
    """

    function: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    returned: Any = None
    error: Exception | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    target: Thing | None = None
    method: str | None = None
    is_attribute: bool = False
    seen: list[Any] = dataclasses.field(default_factory=list)
    """Values and gradients of something kept that a check in a notebook looked at after it."""

    def __str__(self) -> str:
        return self._text(_WRITTEN_OUT)

    @property
    def brief(self) -> str:
        """As it is written, with names for its arrays where it would not fit a message."""
        text = str(self)
        return text if len(text) <= MAX_TEXT else self._text(_FEW)

    def _text(self, most: int) -> str:
        writer = _Writer(most)
        writer.count(self)
        written = writer.call(self)
        notes = f"  # {', '.join(writer.notes)}" if writer.notes else ""
        return "; ".join([*writer.lines, written]) + notes

    @property
    def name(self) -> str:
        """What came back, or did not, in a sentence: its subject."""
        if self.target is None:
            return self.function
        if self.method:
            return f"{self.function}.{self.method}"
        if self.function[:1].isupper() or self.function.startswith(OWN):
            return f"the output of {self.function}"
        return f"the output of what {self.function} returned"


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a `Thing` is from: a call (`place`: which of the things it returned), a closed-form
    field with its parameters, or a value that was kept."""

    call: Call | None = None
    place: int | None = None
    field: str = ""
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    value: Any = None

    @property
    def function(self) -> str:
        """The name of the function at the beginning of it all."""
        if self.call is not None:
            return self.call.function
        return f"{OWN} model" if self.field else f"{OWN} value"


def made_by(target: Any) -> str:
    """The function that an object comes from, for `Call.function`."""
    return target.origin.function if target.origin is not None else "the object"


def trace(returned: Any, call: Call) -> Any:
    """`returned`, whose objects now know that they come from `call`."""
    for place, one in enumerate(returned if isinstance(returned, (list, tuple)) else ()):
        if isinstance(one, Thing):
            one.origin = Origin(call, place)
    if isinstance(returned, Thing):
        returned.origin = Origin(call)
    return returned


def code(value: Any) -> str:
    """One value as an expression, or in a few words where it is too large for that."""
    writer = _Writer()
    writer.count(value)
    return writer.value(value, named=False)


class _Writer:
    """Writes expressions; what stands in them twice gets a name and a line of its own."""

    def __init__(self, most: int = _WRITTEN_OUT) -> None:
        self.most = most
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.seen: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.written = 0

    def count(self, value: Any) -> None:
        if isinstance(value, Call):
            for part in (value.target, *value.args, *value.kwargs.values()):
                self.count(part)
        elif isinstance(value, (list, tuple)):
            for item in value[:_WRITTEN_OUT]:
                self.count(item)
        elif isinstance(value, Thing) and value.origin is not None:
            self.seen[id(value)] = self.seen.get(id(value), 0) + 1
            if self.seen[id(value)] == 1:
                self.count(value.origin.call or value.origin.value)

    def call(self, call: Call) -> str:
        if call.target is None:
            function = call.function
        else:
            function = self.value(call.target)
            if function.startswith("lambda"):
                function = f"({function})"
        function += f".{call.method}" if call.method else ""
        if call.is_attribute:
            return function
        given = [self.value(value) for value in call.args]
        given += [f"{name}={self.value(value)}" for name, value in call.kwargs.items()]
        return f"{function}({', '.join(given)})"

    def value(self, value: Any, *, named: bool = True) -> str:
        """An expression for the value; `named`: a name and a note where there is none."""
        self.written += 1
        if self.written > _MOST:
            return "…"
        if isinstance(value, Thing) and value.origin is not None and not value.origin.field:
            return self._shared(value, value.origin)
        written = self._written(value)
        if written:
            return written
        words = _words(value)
        if not named:
            return words
        name = self._new_name(value)
        self.notes.append(f"{name}: {words}")
        return name

    def _shared(self, thing: Thing, origin: Origin) -> str:
        if id(thing) in self.names:
            return self.names[id(thing)]
        if origin.call is not None:
            place = "" if origin.place is None else f"[{origin.place}]"
            written = self.call(origin.call) + place
        else:
            written = self.value(origin.value)
        if self.seen.get(id(thing), 0) < 2 or written.isidentifier():
            return written
        name = self._new_name(thing, "model" if origin.call is not None else "")
        self.lines.append(f"{name} = {written}")
        return name

    def _new_name(self, thing: Any, wanted: str = "") -> str:
        taken = {*self.names.values()}
        letters = (wanted, *_LETTERS, *(f"x{number}" for number in range(len(taken) + 1)))
        name = next(name for name in letters if name and name not in taken)
        self.names[id(thing)] = name
        return name

    def _written(self, value: Any) -> str:
        """Code for the value, "" where it would be too long or there is none."""
        if value is None or isinstance(value, (bool, int, str, bytes)):
            return repr(value) if len(repr(value)) <= 60 else ""
        if isinstance(value, (float, complex)):
            return _number(value)
        if isinstance(value, np.generic):
            return _number(value.item() if value.dtype.kind != "f" else float(str(value)))
        if isinstance(value, np.ndarray):
            return _array(value, "np", value.dtype.name, self.most)
        if is_tensor(value):
            return _tensor(value, self.most)
        if isinstance(value, (list, tuple)):
            if len(value) > _WRITTEN_OUT:
                return ""
            inner = ", ".join(self.value(item) for item in value)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner}{',' * (len(value) == 1)})"
        if isinstance(value, dict):
            inner = ", ".join(f"{key!r}: {self.value(item)}" for key, item in value.items())
            return f"{{{inner}}}"
        if isinstance(value, np.random.Generator):
            return _rng(value)
        if is_torch_generator(value):
            seed = value.initial_seed()
            fresh = type(value)().manual_seed(seed)
            same = bool((fresh.get_state() == value.get_state()).all())
            return f"torch.Generator().manual_seed({seed})" if same else ""
        if isinstance(value, Thing) and value.origin is not None:
            return _field(value.origin.field, value.origin.params)
        return ""


def _words(value: Any) -> str:
    """What a value is that cannot be written out."""
    if is_tensor(value):
        return f"a tensor {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    if isinstance(value, np.random.Generator):
        return "a NumPy generator"
    if is_torch_generator(value):
        return "a torch generator"
    if isinstance(value, Thing):
        if value.origin is not None and value.origin.field:
            return f"a model of the check ({value.origin.field.replace('_', ' ')})"
        return with_article(getattr(value, "type_name", "object"))
    return f"a {type(value).__name__}"


def with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _number(value: Any) -> str:
    if isinstance(value, float) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def _array(values: np.ndarray, module: str, dtype: str, most: int, ending: str = "") -> str:
    """An array's code: written out, or by what it is made of."""
    kind = "" if dtype in _DEFAULT_DTYPES else f", dtype={module}.{dtype.removeprefix('torch.')}"
    if values.dtype.kind not in "biuf":
        return ""
    make, ending = ("array" if module == "np" else "tensor"), kind + ending
    first = values.flat[0].item() if values.size else 0
    if values.size == 0 and values.ndim > 1:
        return f"{module}.zeros({values.shape}{ending})"
    if values.size > 6 and (values == first).all() and first in (0, 1) and "float" in dtype:
        return f"{module}.{'ones' if first else 'zeros'}({values.shape}{ending})"
    if values.size > 6 and (values == first).all() and "float" in dtype:
        return f"{module}.full({values.shape}, {_nested(values.flat[0])}{ending})"
    if values.size <= most:
        return f"{module}.{make}({_nested(values)}{ending})"
    return ""


def _nested(values: np.ndarray) -> str:
    if values.ndim:
        return f"[{', '.join(_nested(row) for row in values)}]"
    text = str(values[()]) if values.dtype.kind == "f" else repr(values.item())
    text = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(text, text)
    return text.removesuffix("0") if text.endswith(".0") else text


def _tensor(value: Any, most: int) -> str:
    values = value.detach().cpu().numpy()
    ending = ", requires_grad=True" if value.requires_grad else ""
    written = _array(values, "torch", str(value.dtype), most, ending)
    if written or value.ndim == 0 or not value.is_floating_point():
        return written
    import torch

    line = torch.linspace(value.min().item(), value.max().item(), value.numel(), dtype=value.dtype)
    if not bool((line == value.detach().flatten()).all()):
        return ""
    ends = f"{_nested(values.flat[0])}, {_nested(values.flat[-1])}, {value.numel()}"
    kind = "" if value.dtype is torch.float32 else f", dtype={value.dtype}"
    shape = "" if value.ndim == 1 else f".reshape({str(tuple(value.shape))[1:-1]})"
    return f"torch.linspace({ends}{kind}){shape}{'.requires_grad_()' if ending else ''}"


def _rng(value: np.random.Generator) -> str:
    """`np.random.default_rng(3)` for one that nothing has been drawn from."""
    seed = getattr(value.bit_generator.seed_seq, "entropy", None)
    if not isinstance(seed, int):
        return ""
    fresh = np.random.default_rng(seed).bit_generator.state
    return f"np.random.default_rng({seed})" if fresh == value.bit_generator.state else ""


# ------------------------------------------------------------------ closed-form fields as lambdas


def _field(name: str, params: dict[str, Any]) -> str:
    """A field of `fields` as a lambda, "" where it is no single expression."""
    get = params.get
    if name == "polynomial":
        terms = [_term(c, (("x", k),)) for k, c in enumerate(_listed(params["coefficients"]))]
        return f"lambda x: {_sum(terms) or '0'}{'' if any('x' in t for t in terms) else ' + 0*x'}"
    if name == "surface":
        rows = [_listed(row) for row in params["coefficients"]]
        terms = [
            _term(c, (("x", i), ("t", j))) for i, row in enumerate(rows) for j, c in enumerate(row)
        ]
        rest = [f" + 0*{v}" for v in "xt" if not any(v in term for term in terms)]
        return f"lambda x, t: {_sum(terms) or '0'}{''.join(rest)}"
    if name == "sine":
        inner = _sum([_term(get("frequency", 1.0), (("x", 1),)), _term(get("phase", 0.0), ())])
        return f"lambda x: {_scaled(get('amplitude', 1.0))}torch.sin({inner})"
    if name == "exponential":
        rate = _term(get("rate", 1.0), (("x", 1),))
        return f"lambda x: {_scaled(get('amplitude', 1.0))}torch.exp({rate})"
    if name == "mode":
        wave = _term(get("wavenumber", 1.0), (("x", 1),))
        decay = _term(-get("rate", 1.0), (("t", 1),)) or "0*t"
        return f"lambda x, t: {_scaled(get('amplitude', 1.0))}torch.sin({wave})*torch.exp({decay})"
    if name == "permutation" and get("axis", -1) == -1:
        return f"lambda x: x[..., {[int(place) for place in params['order']]}]"
    if name == "affine":
        matrix = np.asarray(params["matrix"], dtype=float)
        shift = np.asarray(get("shift", 0.0), dtype=float)
        written = f"torch.tensor({_nested(matrix)}, dtype=x.dtype)"
        moved = f" + torch.tensor({_nested(shift)}, dtype=x.dtype)" if shift.any() else ""
        return f"lambda x: x @ {written}.T{moved}"
    return ""


def _listed(coefficients: Any) -> list[float]:
    return [float(one) for one in coefficients]


def _scaled(amplitude: float) -> str:
    return "" if amplitude == 1 else f"{amplitude!r}*".replace(".0*", "*")


def _term(factor: float, powers: tuple[tuple[str, int], ...]) -> str:
    """3*x**2 and the like; "" for a factor of zero."""
    if not factor:
        return ""
    parts = [name if power == 1 else f"{name}**{power}" for name, power in powers if power]
    number = repr(factor).removesuffix(".0")
    if not parts:
        return number
    if abs(factor) == 1:
        return "-" * (factor < 0) + "*".join(parts)
    return "*".join([number, *parts])


def _sum(terms: list[str]) -> str:
    return " + ".join(term for term in terms if term).replace("+ -", "- ")


def is_tensor(value: Any) -> bool:
    return type(value).__module__.startswith("torch") and hasattr(value, "detach")


def is_torch_generator(value: Any) -> bool:
    return type(value).__name__ == "Generator" and hasattr(value, "initial_seed")
