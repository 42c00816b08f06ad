"""What a notebook offers its student: `check`, `summary`, and `demo` around the plots.

Public checks run here, in the student's own kernel, so everything a check hands over or gets
back is a copy, an exception becomes a sentence, and nothing is left changed behind: neither
the random state nor NumPy's and torch's settings. Plain Python, NumPy and, where the notebook
uses it, torch.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import difflib
import dis
import functools
import importlib
import inspect
import io
import itertools
import linecache
import re
import sys
import types
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from warnings import simplefilter

import numpy as np

from . import facts, slips
from .compare import CheckFailed, StudentError, in_other_words, not_callable, stumbled
from .ipynb import NotebookCell
from .messages import details, responsible, sentence
from .pages import (
    ABOVE,
    BUT,
    UNWRITTEN,
    Found,
    Standing,
    exercise_page,
    plain_page,
    show,
    summary_page,
)
from .student import Kept, Student, module_at, title_of
from .written import Call, is_torch_generator

_CHECKS = "public_checks.py"
_SAME_CELL = 0.6
"""As many lines, of all, have two runs of a cell in common."""
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_BASES: tuple[Any, ...] = (list, dict, float, int, complex, str, bytes)
_ITERATORS: tuple[type[Any], ...] = (
    types.GeneratorType,
    map,
    filter,
    zip,
    enumerate,
    reversed,
    itertools.chain,
    itertools.islice,
    type(iter([])),
    type(iter(())),
)
_MAX_ITEMS = 1_000_000
# What a check may stumble over when a value is of the wrong kind (as in the judge).
_STUMBLES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)

Namespace = dict[str, Any]


def _settle_torch() -> None:
    """One thread for torch, which for networks as small as these is as fast, and on a busy machine
    many times faster. Its compiler, which the first optimiser would load, waits until somebody asks
    for it."""
    torch = sys.modules.get("torch")
    if torch is None or "IPython" not in sys.modules:
        return  # no notebook, or one without torch
    with contextlib.suppress(ModuleNotFoundError):  # in the grader, which has it elsewhere
        importlib.import_module(".compiler", __package__).stand_in()
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)
        print("torch computes with one thread here: fastest for small networks on shared machines.")


_settle_torch()

# --------------------------------------------------------------------- what students call


def check(exercise: str) -> None:
    """Runs the public checks of one exercise and shows what they found; never raises."""
    namespace = sys._getframe(1).f_globals
    known = _known()
    if not known:
        show(
            plain_page(
                f"{_CHECKS} is missing: take the notebook's folder from the course once more and "
                "open the notebook in there, or take the notebook that carries its files with it"
            )
        )
        return
    if exercise not in known:
        show(plain_page(f"{exercise} is no exercise of this notebook; it has {', '.join(known)}"))
        return
    found = _examine(exercise, namespace)
    checks = zip(known[exercise], found, strict=True)
    failed = [check for check, one in checks if not one.passed]
    first = _to_mend_first(exercise, namespace, failed) if failed else []
    hint = _hint_for(exercise, found, namespace) if failed else ""
    page = exercise_page(exercise, found, first, hint, _stale(exercise, namespace))
    show(page, failed=bool(failed))


def summary() -> None:
    """Shows what is written, what is left, and how the public checks stand."""
    namespace = sys._getframe(1).f_globals
    show(summary_page({name: _standing(name, namespace) for name in _known()}))


def standing(exercise: str) -> dict[str, Any]:
    """How far one exercise is, and which others to mend first, for `check_submission.py`."""
    namespace = sys._getframe(1).f_globals
    found = _quietly_examined(exercise, namespace)
    checks = zip(_known()[exercise], found, strict=True)
    failed = [check for check, one in checks if one.failed]
    first = _to_mend_first(exercise, namespace, failed) if failed else []
    return asdict(_of_found(exercise, namespace, found)) | {"first": first}


class demo:
    """Around a plot or a training show: what stops it is a sentence, and the notebook goes on.

    `check` says more about a wrong answer than a traceback through a plotting library would.
    """

    def __enter__(self) -> None:
        self.figures = set(_figures())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return error is None  # an interrupt stops the cell
        print(f"{_why_no_demo(error)}, then run this one again.")
        self._close_half_drawn()
        return True

    def _close_half_drawn(self) -> None:
        for number in set(_figures()) - self.figures:
            sys.modules["matplotlib.pyplot"].close(number)


def _why_no_demo(error: Exception) -> str:
    """What stopped a demonstration, and what to do about it."""
    cell, *inner = _frames(error.__traceback__)
    name = type(error).__name__
    own = [one for one in inner if one[0].f_globals is cell[0].f_globals]
    if own:
        frame, line = own[-1]
        code = frame.f_code
        function = getattr(code, "co_qualname", code.co_name).removesuffix(".__init__")
        if isinstance(error, NotImplementedError) and str(error) == UNWRITTEN:
            return f"{function} is {UNWRITTEN}: fill in its cell above"
        where = f"in line {line} of its cell: {error}"
        return f"{function} stopped with {name} {where}\nMend it"
    if isinstance(error, NameError) and not inner:
        return f"{error.name} is not there yet: run the cells above"
    return f"This cannot be shown with what came back ({name}: {error}).\nSee what the checks say"


def _goes_on(error: BaseException) -> bool:
    """The function that raised a stub's error has other code below, which it did not get to."""
    frame, line = _frames(error.__traceback__)[-1]
    lines = linecache.getlines(frame.f_code.co_filename)
    with contextlib.suppress(SyntaxError):
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        around = [one for one in ast.walk(ast.parse("".join(lines))) if isinstance(one, functions)]
        return any(one.lineno <= line < one.body[-1].lineno for one in around)
    return False


def _figures() -> list[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot.get_fignums() if pyplot is not None else []


# --------------------------------------------------------------------- running the checks


@functools.cache
def _known() -> dict[str, list[Callable[..., None]]]:
    """The public checks by exercise, in the file's order; none where there is no such file."""
    found: dict[str, list[Callable[..., None]]] = {}
    path = Path(__file__).resolve().parent.parent / _CHECKS
    if not path.is_file():
        return found
    with _state().undisturbed():  # what they make once has the dtype and device that they expect
        _state().restore(_state().expected())
        module = module_at(path, path.stem)
    for name, function in vars(module).items():
        if name.startswith("test_") and "__" in name:
            found.setdefault(name.removeprefix("test_").partition("__")[0], []).append(function)
    return found


def _owner(name: str) -> str:
    """The exercise that a function belongs to: that of its name, else the first whose checks ask
    for it; "" if there is none."""
    if name in _known():
        return name
    return next((one for one in _known() if name in _asked(one)), "")


@functools.cache
def _asked(exercise: str) -> frozenset[str]:
    """The names that an exercise's checks ask its student for."""
    return frozenset().union(*map(_names_in, _known()[exercise]))


def _names_in(check: Callable[..., None]) -> set[str]:
    """`lj_force`, where it says `student.lj_force`; what a student object itself can do is none."""
    found = re.findall(r"\bstudent\.(\w+)", inspect.getsource(check))
    return {name for name in found if not hasattr(Student, name)}


def _to_mend_first(
    exercise: str, namespace: Namespace, failed: Sequence[Callable[..., None]]
) -> list[str]:
    """Of the earlier exercises that this one or a failed check of it calls, those with failing
    public checks which call no other such exercise themselves."""
    names = list(_known())
    failing: dict[str, set[str]] = {}
    asked = set[str]().union(*map(_names_in, failed))
    called = _called(exercise, namespace) | set(map(_owner, asked))
    for other in names[: names.index(exercise)]:
        if other in called:
            row = _standing(other, namespace)
            if row.passed < row.checks:
                failing[other] = _called(other, namespace)
    return [name for name, below in failing.items() if not below.intersection(failing)]


def _called(exercise: str, namespace: Namespace) -> set[str]:
    """The exercises that an exercise's functions name, also by way of other functions."""
    queue = [name for name in namespace if _owner(name) == exercise]
    seen = set(queue)
    while queue:
        for code in _codes(namespace[queue.pop()]):
            for step in dis.get_instructions(code):
                name = str(step.argval)
                if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in namespace.keys() - seen:
                    seen.add(name)
                    queue.append(name)
    return {_owner(name) for name in seen} - {"", exercise}


def _codes(thing: Any) -> list[types.CodeType]:
    """What runs of a function, a class, or a table of functions."""
    things = [thing]
    if isinstance(thing, type):
        things = list(vars(thing).values())
    elif isinstance(thing, (dict, list, tuple)):
        things = list(thing.values() if isinstance(thing, dict) else thing)
    elif isinstance(thing, functools.partial):
        things = [thing.func]
    found = [code for one in things if (code := getattr(one, "__code__", None)) is not None]
    for code in found:  # grows: functions inside functions
        found += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
    return found


def _stale(exercise: str, namespace: Namespace) -> str:
    """What to say where the cell that ran last was to define the exercise and has not."""
    inputs = namespace.get("In")  # a student's own name perhaps
    texts = (text for text in inputs if isinstance(text, str)) if isinstance(inputs, list) else ()
    ran = [text for text in texts if text and not text.startswith(("check(", "summary("))]
    if not ran:
        return ""
    try:
        with warnings.catch_warnings():
            simplefilter("ignore")
            ast.parse(ran[-1])
    except SyntaxError as error:
        where = f"{error.msg} in its line {error.lineno}"
        return f"The cell that you ran last did nothing: {where}"
    bound = NotebookCell(0, "code", ran[-1]).binds
    if {_owner(name) for name in bound} <= {"", exercise}:
        for name in _asked(exercise) & namespace.keys() - bound:
            lines = "".join(linecache.getlines(_defined_in(namespace[name]))).splitlines()
            match = difflib.SequenceMatcher(None, lines, ran[-1].splitlines())
            if _SAME_CELL < match.ratio() < 1:  # 1: it stands there indented, below `if` or `try`
                return f"The cell that you ran last does not define {name}"
    return ""


def _hint_for(exercise: str, found: list[Found], namespace: Namespace) -> str:
    """The known slip that the failed checks show, else what can be read in the code."""
    failed = {one.name: one.calls for one in found if not one.passed}
    named = slips.named(exercise, failed, slips.shipped())
    if named or not any(one.failed for one in found):
        return named
    own = (name for name in namespace if _owner(name) == exercise)
    files = {_defined_in(namespace[name]) for name in own} - {""}
    if len(files) != 1 or _others_in(files, namespace, exercise):
        return ""  # lines are counted in the exercise's own cell
    source = "".join(linecache.getlines(files.pop()))
    return facts.unlike(source, slips.usual(exercise, slips.shipped()))


def _others_in(files: Iterable[str], namespace: Namespace, exercise: str) -> bool:
    """Are other exercises written in the same cell?"""
    others = (name for name in namespace if _owner(name) not in ("", exercise))
    return any(_defined_in(namespace[name]) in files for name in others)


def _standing(exercise: str, namespace: Namespace) -> Standing:
    return _of_found(exercise, namespace, _quietly_examined(exercise, namespace))


def _quietly_examined(exercise: str, namespace: Namespace) -> list[Found]:
    with contextlib.redirect_stdout(io.StringIO()):  # the students' prints belong to `check`
        return _examine(exercise, namespace)


def _of_found(exercise: str, namespace: Namespace, found: list[Found]) -> Standing:
    left = [one.kind for one in found if one.unwritten]
    waiting = [one.sentence for one in found if one.waits]
    passed, failed = sum(one.passed for one in found), sum(one.failed for one in found)
    state = "begun" if left else "written"
    if not (passed or failed) and left and (not waiting or _untouched(exercise, namespace)):
        state = "unwritten" if "unwritten" in left else "missing"
    why = next((one.sentence for one in found if one.failed), "")
    return Standing(state, passed, failed, len(found), waiting[0] if waiting else "", why)


def _untouched(exercise: str, namespace: Namespace) -> bool:
    """Whether all its functions still say that they are to be written: a check that needs another
    exercise does not get as far as to hear it."""
    own = [_codes(namespace[name]) for name in namespace if _owner(name) == exercise]
    return all(any(UNWRITTEN in code.co_consts for code in codes) for codes in own)


def _examine(exercise: str, namespace: Namespace) -> list[Found]:
    found = []
    with _state().undisturbed(), contextlib.redirect_stderr(sys.stdout), warnings.catch_warnings():
        warnings.filters = []  # a cell may have put a text there
        simplefilter("ignore")
        for function in _known()[exercise]:
            found.append(_run(exercise, function, NotebookStudent(namespace, exercise, _known())))
    return found


def verdict(function: Callable[..., None], student: NotebookStudent) -> CheckFailed | None:
    """What one public check says, None where it holds; a fault of the check itself is raised."""
    seed = zlib.crc32(function.__name__.encode())
    offered = {"student": student, "draw": np.random.default_rng(seed)}
    wanted = {name: offered[name] for name in inspect.signature(function).parameters}
    try:
        student.begin(seed)
        function(**wanted)
    except CheckFailed as failure:
        return failure
    except Exception as stumble:
        if not (isinstance(stumble, _STUMBLES) and student.calls):
            raise
        return stumbled(stumble, student.calls)
    return None


def _run(exercise: str, function: Callable[..., None], student: NotebookStudent) -> Found:
    title = title_of(function)
    name = function.__name__.partition("__")[2]
    try:
        found = verdict(function, student)
    except Exception as fault:
        problem = f"the check itself stopped with {type(fault).__name__}: {fault}"
        return Found(title, name, "fault", parts=[("problem", problem)])
    if found is None:
        return Found(title, name)
    call, _ = responsible(found, student.calls)
    parts = details(exercise, found, student.calls, public=True)
    if found.kind == "error" and student._line:
        parts.append(("line", student._line))
    said = sentence(exercise, found, call)
    return Found(title, name, found.kind, said, parts, student.calls)


def _state() -> Any:
    """What is global, and how a check expects it: the builder puts the grader's own file here."""
    return importlib.import_module(".state", __package__)


class NotebookStudent(Student):
    """The student's functions as attributes, called in this kernel: the grader's `Student`."""

    def __init__(self, namespace: Namespace, exercise: str, exercises: Iterable[str] = ()) -> None:
        super().__init__()
        self._namespace = namespace
        self._exercise = exercise
        self._exercises = set(exercises)
        self._line = ""
        self._named: dict[int, tuple[Any, ...]] = {}
        """What stands for a named tuple, and its kind: as such it is handed over again."""

    def begin(self, seed: int) -> None:
        """Known random state and settings; called before every check."""
        _state().restore(_state().expected())
        self.reseed(seed)

    def _call(self, call: Call, keep: bool) -> Any:
        function = self._function(call)
        mine = [self._handed_over(value) for value in call.args]
        named = {key: self._handed_over(value) for key, value in call.kwargs.items()}
        _fits(function, mine, named)
        with warnings.catch_warnings(record=True) as caught:
            simplefilter("always")
            returned = self._protected(lambda: function(*mine, **named), keep)
        call.warnings = sorted({warning.category.__name__ for warning in caught})
        return returned

    def _attribute(self, target: Kept, name: str, keep: bool) -> Any:
        return self._protected(lambda: getattr(target._held, name), keep)

    def _make(self, kind: str, **given: Any) -> Kept:
        if kind == "keep":
            return Kept(self, self._handed_over(given["value"]))
        # The builder puts this file here; it is the grader's own, and needs torch.
        fields = importlib.import_module(".fields", __package__)
        return Kept(self, fields.FIELDS[given["name"]](**given["params"]))

    def value(self, kept: Kept) -> Any:
        return self._seen(self._copy(kept._held))

    def _seen(self, found: Any) -> Any:
        if self.calls:
            self.calls[-1].seen.append(found)
        return found

    def gradients(self, of: Kept, wrt: Kept) -> list[Any]:
        torch, value, inputs = sys.modules["torch"], of._held, [wrt._held]
        if isinstance(wrt._held, torch.nn.Module):
            inputs = list(wrt._held.parameters())
        found: list[Any] = [None] * len(inputs)
        if inputs and isinstance(value, torch.Tensor) and value.requires_grad:
            found = self._protected(
                lambda: list(
                    torch.autograd.grad(value.sum(), inputs, retain_graph=True, allow_unused=True)
                )
            )
        return self._seen(found)

    def reseed(self, seed: int) -> None:
        _state().reseed(seed)

    def _function(self, call: Call) -> Callable[..., Any]:
        if isinstance(call.target, Kept):
            found = call.target._held
        elif call.function in self._namespace:
            found = self._namespace[call.function]
        else:
            instead = self._instead(call.function)
            raise StudentError(self._kind("missing"), f"is not defined{instead}")
        if call.method is not None:
            if not hasattr(found, call.method):
                raise StudentError("missing", "is not there")
            found = getattr(found, call.method)
        if not callable(found):
            if call.target is not None and call.method is None:
                raise not_callable(call.target)
            raise StudentError("missing", "is not a function or class")
        return found

    def _instead(self, wanted: str) -> str:
        """The student's own name that is most like the one that is missing, and not itself asked
        for."""
        own = [name for name, thing in self._namespace.items() if _defined_in(thing)]
        own = [name for name in own if not _owner(name) and name != wanted]
        near = difflib.get_close_matches(wanted, own, n=1)
        return f"{BUT}{near[0]} is" if near else ""

    def _protected(self, work: Callable[[], Any], keep: bool = False) -> Any:
        """A copy of what `work` gives, or the thing itself; what it raises as a StudentError."""
        try:
            result = work()
            if not keep:
                return self._copy(result)
            if isinstance(result, (tuple, list)):
                return [Kept(self, one) for one in result]
            return Kept(self, result)
        except CheckFailed:
            raise
        except (Exception, SystemExit, GeneratorExit) as error:
            raise self._error(error) from None

    def _error(self, error: BaseException) -> StudentError:
        bases = [base for base in type(error).__mro__ if base.__module__ == "builtins"]
        name = next(base.__name__ for base in bases if hasattr(builtins, base.__name__))
        unwritten = self._unwritten(error)
        if unwritten and unwritten == self.calls[-1].function:
            said = f"is {UNWRITTEN}: {ABOVE}" if _goes_on(error) else f"is {UNWRITTEN}"
            return StudentError(self._kind("unwritten"), said, name=name)
        if unwritten:
            return StudentError("needs", f"needs {unwritten}, which is {UNWRITTEN}", name=name)
        absent = error.name if isinstance(error, NameError) else None
        if absent and _owner(absent) not in ("", self._exercise):
            return StudentError("needs", f"needs {absent}, which is not defined", name=name)
        where, self._line = self._where(error)
        where += in_other_words(str(error))
        return StudentError(
            "error",
            f"stopped with {name}{where}",
            name=name,
            bases=[base.__name__ for base in bases],
            detail=str(error)[:500],
        )

    def _unwritten(self, error: BaseException) -> str:
        """The exercise's function that said by itself that it is still to be written; one of the
        same cell stands for the one called. Torch and others raise NotImplementedError as well."""
        if type(error) is not NotImplementedError or str(error) not in ("", UNWRITTEN):
            return ""
        frames = _frames(error.__traceback__)
        code = frames[-1][0].f_code if frames else None
        if code is None or frames[-1][0].f_globals is not self._namespace or not self.calls:
            return ""
        name = getattr(code, "co_qualname", code.co_name).partition(".")[0]
        called = self.calls[-1].function
        owner = _owner(name)
        if name == called or (owner and owner == _owner(called)):
            return called
        if not owner and code.co_filename != _defined_in(self._namespace.get(called)):
            return ""
        return name if owner else called

    def _kind(self, kind: str) -> str:
        """Of what is wrong with the function called; another exercise's is waited for."""
        owner = _owner(self.calls[-1].function)
        return kind if owner in ("", self._exercise) else "needs"

    def _where(self, error: BaseException) -> tuple[str, str]:
        """The deepest line of the notebook that the error came through, in words and as text."""
        own = [
            (frame.f_code.co_filename, number)
            for frame, number in _frames(error.__traceback__)
            if frame.f_globals is self._namespace
        ]
        if not own:
            return "", ""
        filename, number = own[-1]
        text = linecache.getline(filename, number).strip()
        cell = self._cell(filename)
        words = f" in line {number} of the cell of {cell}"
        here = [line for file, line in own if cell != self._exercise == self._cell(file)]
        words += f", called in line {here[-1]} of that of {self._exercise}" if here else ""
        return words, text

    def _cell(self, filename: str) -> str:
        """Which cell a file is: an exercise's, this one's family's, or that of some name."""
        names = [name for name, thing in self._namespace.items() if _defined_in(thing) == filename]
        for name in names:
            if name in self._exercises:
                return name
        called = {call.function for call in self.calls}
        return self._exercise if not names or called.intersection(names) else names[0]

    def _copy(self, value: Any) -> Any:
        """`value` as it would come back from the grader's worker."""
        try:
            return self._plain(value)
        except RecursionError:
            raise CheckFailed("type", "returned something nested too deep to compare") from None

    def _type_name(self, held: Any) -> str:
        return type(held).__name__

    def _plain(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if type(value) is dict and all(type(key) is str for key in value):
            return {key: self._plain(item) for key, item in value.items()}
        if type(value) is list or isinstance(value, _ITERATORS):
            return [self._plain(item) for item in itertools.islice(value, _MAX_ITEMS)]
        if isinstance(value, tuple):
            items = tuple(self._plain(item) for item in value)
            if hasattr(value, "_make"):
                self._named[id(items)] = items, type(value)
            return items
        if isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.kind not in "biufc":
                raise CheckFailed(
                    "type",
                    "returned something that cannot be compared",
                    detail=f"an array of dtype {value.dtype.name}",
                )
            return np.array(value)[()] if isinstance(value, np.generic) else np.array(value)
        if _is_tensor(value):
            return value.detach().clone().requires_grad_(value.requires_grad)
        for base in _BASES:  # a float subclass counts as the float that it is
            if isinstance(value, base) and type(value) is not base:
                return self._plain(base(value))
        return Kept(self, value)

    def _handed_over(self, value: Any) -> Any:
        """A copy for the student's code to use up or change."""
        if isinstance(value, Kept):
            return value._held
        if id(value) in self._named:
            _, kind = self._named[id(value)]
            return kind._make(self._handed_over(item) for item in value)
        if type(value) in (list, tuple):
            return type(value)(self._handed_over(item) for item in value)
        if type(value) is dict:
            return {key: self._handed_over(item) for key, item in value.items()}
        if _is_tensor(value):
            return value.detach().clone().requires_grad_(value.requires_grad)
        if is_torch_generator(value):
            twin = type(value)().manual_seed(value.initial_seed())
            twin.set_state(value.get_state())
            return twin
        return copy.deepcopy(value)


def _fits(function: Callable[..., Any], args: list[Any], kwargs: Namespace) -> None:
    """StudentError where the arguments do not fit the function's signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        text = f"{error}; it takes {signature}"[:300]
        raise StudentError(
            "signature", "cannot be called like this", detail=text, name="TypeError"
        ) from None


def _frames(trace: types.TracebackType | None) -> list[tuple[types.FrameType, int]]:
    found = []
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return found


def _defined_in(thing: Any) -> str:
    """The file (in a notebook: the cell) of a function or of a class's first method."""
    methods = vars(thing).values() if isinstance(thing, type) else [thing]
    codes = (getattr(method, "__code__", None) for method in methods)
    return next((code.co_filename for code in codes if code is not None), "")


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)
