"""A notebook's cells, read and run as IPython's kernel does it.

One difference is meant: the statements at a cell's top level run one by one, and each fails alone.
A try-out that stops must not cost the function that stands beside it.

The same file serves the grader's worker and, beside the notebook, the student's own check. It
needs the standard library, and for what only IPython reads (`%time`, `!ls`, `f?`, a cell indented
as a whole) IPython's own rules, which are text to text; IPython itself is not imported.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import importlib.util
import linecache
import os
import re
import shlex
import sys
import time
import types
import warnings
import weakref
from collections.abc import Callable
from os import getcwd
from pathlib import Path
from typing import Any, NamedTuple
from warnings import simplefilter

MAX_STATEMENTS = 200
"""Of one cell that run alone; what comes after them runs as one."""
BODY_RUNS = (
    *("time", "timeit", "capture", "prun", "debug"),
    *("memit", "mprun", "lprun", "snakeviz", "scalene", "pyinstrument", "notify"),
)
"""The magics at a cell's head that run what stands below; others do something else with it."""
_WITHOUT_SIGN = re.compile(
    r"\s*(autoreload|cat|cd|conda|config|cp|env|history|load_ext|ls|matplotlib|mkdir|mv|pip|precision"
    r"|pwd|pylab|reset|rm|run|time|timeit|who|whos)(?![^\s;]|\s*=(?!=))[^\n]*\s*"
)
"""A cell of one line that begins with a magic's name; to IPython it is one, unless the notebook has
such a name itself."""
_CELL_MAGIC = re.compile(rf"[ \t]*%%({'|'.join(BODY_RUNS)})(?![\w?])(.*)")
_PROMPT = re.compile(r"\s*In ?\[\d+\]: ")
_FUTURES = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag,
    __future__.all_feature_names,
    0,
)
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_WORK = (ast.Call, ast.For, ast.While, ast.Await, ast.ListComp, ast.SetComp, ast.DictComp)
_PLACES = (
    *(("IPython", "get_ipython"), ("IPython.core.getipython", "get_ipython")),
    *(("IPython.display", "display"), ("IPython.core.display_functions", "display")),
)
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Statement(NamedTuple):
    """What stands at a cell's top level: the text's lines from `first` to `last`, from 1."""

    first: int
    last: int
    plain: bool
    """It defines, imports or names something, and calls nothing beside that."""
    code: types.CodeType | SyntaxError
    """Its value is that of an expression at the cell's end."""


class Read(NamedTuple):
    """A cell, read."""

    statements: tuple[Statement, ...]
    flags: int
    """The `from __future__` imports in force after it."""


@functools.lru_cache(1024)  # the known answers of an exercise share their other cells
def read(source: str, filename: str, flags: int = 0) -> Read:
    """The statements of a cell; SyntaxError, with the line in `source`, where it is no Python."""
    with warnings.catch_warnings():
        warnings.filters = []  # a cell may have put a text there
        simplefilter("ignore")  # about escapes, which a notebook may have made errors
        return _compiled(tree_of(source, filename, flags), filename, flags)


def _compiled(tree: ast.Module, filename: str, flags: int) -> Read:
    nodes = [one for node in tree.body for one in _each(node)]
    chunks = [[node] for node in nodes[:MAX_STATEMENTS]]
    if len(nodes) > MAX_STATEMENTS:
        chunks.append(nodes[MAX_STATEMENTS:])
    statements = []
    for number, nodes in enumerate(chunks, 1):
        code: types.CodeType | SyntaxError
        whole: ast.Module | ast.Expression = ast.Module(nodes, [])
        if number == len(chunks) and len(nodes) == 1 and isinstance(nodes[0], ast.Expr):
            whole = ast.Expression(nodes[0].value)
        how = "exec" if isinstance(whole, ast.Module) else "eval"
        try:
            code = done = compile(whole, filename, how, flags | _AWAIT, dont_inherit=True)
            flags |= done.co_flags & _FUTURES
        except SyntaxError as error:  # `return` outside a function is found only now
            code = error
        plain = not any(isinstance(inner, _WORK) for node in nodes for inner in _outside(node))
        end = nodes[-1].end_lineno or nodes[-1].lineno
        statements.append(Statement(first_line(nodes[0]), end, plain, code))
    return Read(tuple(statements), flags)


def _each(node: ast.stmt) -> list[ast.stmt]:
    """`import numpy, pandas` is two statements: the first is not lost where there is no second."""
    if not isinstance(node, ast.Import):
        return [node]
    return [ast.copy_location(ast.Import([name]), node) for name in node.names]


def tree_of(source: str, filename: str, flags: int) -> ast.Module:
    """Python first: text that is Python as it stands means what it says."""
    try:
        return _python(source, filename, flags)
    except SyntaxError as error:
        refused = error
    lines = source.split("\n")
    start, ending = 0, ""
    while True:
        while start < len(lines) and not lines[start].strip():
            start += 1
        magic = _CELL_MAGIC.fullmatch(lines[start]) if start < len(lines) else None
        if not magic:
            break
        start += 1
        words = [word for word in magic[2].split() if word.isidentifier()]
        if magic[1] == "capture" and words:
            ending = f"{words[0]} = get_ipython().captured()\n"
    if start == 0 and not _MAYBE_IPYTHON.search(source):
        raise refused
    body = "\n".join(lines[start:]) + "\n"
    try:
        with contextlib.suppress(SyntaxError):
            tree = _python(body, filename, flags)
            return _with(ast.increment_lineno(tree, start), ending)
        tree = _ipython(body, filename, flags)
    except SyntaxError as error:
        if error.lineno is not None:
            error.lineno += start
        raise error from None
    return _with(ast.increment_lineno(tree, start), ending)


_MAYBE_IPYTHON = re.compile(r"^[ \t]|[%!?]|^(>>>|\.\.\.|In ?\[|[/,;])", re.MULTILINE)
"""What a text holds somewhere that IPython reads and Python does not."""


def _python(text: str, filename: str, flags: int) -> ast.Module:
    if _PROMPT.match(text):  # a pasted `In [1]: x = 2`, which would be an annotation
        raise SyntaxError("invalid syntax")
    return _parsed(text, filename, flags)


def _parsed(text: str, filename: str, flags: int) -> ast.Module:
    only_tree = flags | _AWAIT | ast.PyCF_ONLY_AST
    tree = compile(text, filename, "exec", only_tree, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


_CONTINUED = re.compile(r"^[ \t]*(?:[^=!%\n]+=[ \t]*)?[!%](?:.*\\\n)+.*$", re.MULTILINE)
"""A line for IPython that goes on in the next one."""


def _ipython(text: str, filename: str, flags: int) -> ast.Module:
    """As IPython reads it. It makes one line of a continued one: as many empty ones are put after
    it, so that those below keep their numbers, unless that would change what is said."""
    indent = text[: len(text) - len(text.lstrip(" \t"))]  # of the whole, which is taken away

    def joined(match: re.Match[str]) -> str:
        line = match[0].replace("\\\n" + indent, " ").replace("\\\n", " ")
        return line + "\n" * match[0].count("\\\n")

    padded = _CONTINUED.sub(joined, text)
    try:
        tree = _parsed(_transformed(text), filename, flags)
    except SyntaxError:
        _parsed(_transformed(padded), filename, flags)  # with the right line
        raise
    if padded != text:
        with contextlib.suppress(SyntaxError):
            same = _parsed(_transformed(padded), filename, flags)
            if ast.dump(same) == ast.dump(tree):
                return same
    return tree


def _with(tree: ast.Module, ending: str) -> ast.Module:
    if ending:
        line = tree.body[-1].end_lineno or 1 if tree.body else 1
        tree.body += ast.increment_lineno(ast.parse(ending), line - 1).body
    return tree


_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_ENDS = {ord(end): 0xE000 + number for number, end in enumerate(_LINE_ENDS)}
_BACK = {private: end for end, private in _ENDS.items()}
"""What ends a line for `str.splitlines` and not for Python; to characters of private use."""


def _transformed(text: str) -> str:
    try:
        return _transformer()(text.translate(_ENDS)).translate(_BACK)
    except (RuntimeError, RecursionError, ValueError, IndexError) as error:
        raise SyntaxError(f"IPython cannot read it ({error})") from None


@functools.cache
def _transformer() -> Callable[[str], str]:
    """IPython's text transformation, without the half second that importing IPython takes."""
    names = ("IPython", "IPython.utils", "IPython.core")
    rules = "IPython.core.inputtransformer2"
    if rules not in sys.modules:
        found = importlib.util.find_spec("IPython")
        if found is None or found.origin is None:
            return lambda text: text
        kept = {name: module for name, module in sys.modules.items() if name.startswith("IPython")}
        try:
            for name in names:
                package = types.ModuleType(name)
                package.__path__ = [str(Path(found.origin).parent.joinpath(*name.split(".")[1:]))]
                sys.modules[name] = package
            module = importlib.import_module(rules)
        finally:
            for name in [name for name in sys.modules if name.startswith("IPython")]:
                del sys.modules[name]
            sys.modules.update(kept)
    else:
        module = sys.modules[rules]
    return lambda text: str(module.TransformerManager().transform_cell(text))


def first_line(node: ast.stmt) -> int:
    """That of a definition's decorators, if it has some."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def _outside(node: ast.AST) -> list[ast.AST]:
    """The node and what stands in it, without what a definition consists of."""
    found, queue = [], [node]
    while queue:
        one = queue.pop()
        found.append(one)
        if not isinstance(one, _DEFINES):
            queue += ast.iter_child_nodes(one)
    return found


# ------------------------------------------------------------------------------- running


class Kernel:
    """The namespace that a notebook's cells run in."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.shell = Shell(self.namespace)
        self._offered = {**OFFERED, "get_ipython": lambda: self.shell}
        self.namespace.update(self._offered)
        self.labels: dict[str, str] = {}
        self._read: dict[str, Read] = {}
        self._flags = 0
        self._loop: Any = None

    def read(self, source: str, label: str) -> tuple[Statement, ...]:
        """The cell's statements, to be run by their numbers."""
        filename = f"<{label}>"
        self.labels[filename] = label
        lines = [line + "\n" for line in source.split("\n")]  # and at nothing else, as Python does
        linecache.cache[filename] = (len(source), None, lines, filename)
        if "IPython" in source:
            self._take_places()
        magic = _WITHOUT_SIGN.fullmatch(source)
        if magic and magic[1] not in self.namespace:
            source = source[: magic.start(1)] + "%" + source[magic.start(1) :]
        found = read(source, filename, self._flags)
        self._flags = found.flags
        self._read[label] = found
        return found.statements

    def run(self, label: str, number: int) -> None:
        """One statement of a cell that was read; raises what it raises."""
        statement = self._read[label].statements[number]
        if isinstance(statement.code, SyntaxError):
            raise statement.code
        with contextlib.suppress(OSError):  # what was written in the same tick of the clock is seen
            sys.path_importer_cache.pop(getcwd(), None)
        value = self._execute(statement.code)
        if value is not None:
            self.namespace["_"] = value

    def _execute(self, code: types.CodeType) -> Any:
        value = eval(code, self.namespace)
        if code.co_flags & 0x80 and isinstance(value, types.CoroutineType):  # CO_COROUTINE
            if self._loop is None:
                import asyncio

                self._loop = asyncio.new_event_loop()
                weakref.finalize(self, self._loop.close)
            value = self._loop.run_until_complete(value)
        return value

    def _take_places(self) -> None:
        """What the notebook has by name is what IPython's modules give: before anybody asks them,
        also in a function, or in a module that a cell writes."""
        for module, name in _PLACES:
            with contextlib.suppress(Exception):  # it is not there, or broken
                setattr(importlib.import_module(module), name, self._offered[name])


def _nothing(*objects: Any, **options: Any) -> None:
    """For the student's eyes: nobody looks."""


def _display(*objects: Any, display_id: Any = None, **options: Any) -> Any:
    """Nobody looks, but what was shown may be brought up to date."""
    return None if display_id is None else _Harmless()


OFFERED: dict[str, Any] = {
    "demo": lambda: contextlib.suppress(Exception),  # it costs nothing else
    "display": _display,
    **dict.fromkeys(("check", "summary", "help", "exit", "quit"), _nothing),
    "In": [""],
    "Out": {},
    **dict.fromkeys(("_", "__", "___"), ""),
}
"""What a notebook of this course has for its student, besides Python's own names."""


class _Harmless:
    """What else the shell has: `get_ipython().events.register(…)`."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Harmless()


class Shell(_Harmless):
    """What `get_ipython()` gives: it runs Python, keeps silent about the rest, and never fails."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace
        self.config: dict[str, Any] = {}
        self.skipped: list[str] = []
        self.registered: dict[str, Callable[..., Any]] = {}
        """The notebook's own magics, by their names with the signs."""

    def register_magic_function(
        self, func: Callable[..., Any], magic_kind: str = "line", magic_name: str | None = None
    ) -> None:
        for kind, sign in (("line", "%"), ("cell", "%%")):
            if kind in magic_kind:
                self.registered[sign + (magic_name or func.__name__)] = func

    def run_line_magic(self, name: str, line: str = "", _stack_depth: int = 1) -> Any:
        if own := self.registered.get(f"%{name}"):
            return own(line)
        if name in ("time", "prun"):
            return self._python(_without_options(line, "DlsT" if name == "prun" else ""))
        if name == "timeit":
            return self._timed(line)
        if name == "run":
            words = shlex.split(_without_options(line, "")) or [""]
            for path in (Path(words[0]), Path(f"{words[0]}.py")):
                if path.is_file():
                    return self._script(path, words)
        if name in ("env", "set_env") and line:
            variable, equals, value = line.partition("=" if "=" in line else " ")
            if equals:
                os.environ[variable.strip()] = value.strip()
                return None
            return os.environ.get(variable.strip())
        if name == "pylab":
            return self._python("import numpy\nimport numpy as np\nfrom pylab import *")
        if name == "pwd":
            return str(Path.cwd())
        if name == "mkdir" and self._made(line):
            return None
        shown = {"pinfo": f"{line}?", "pinfo2": f"{line}??"}.get(name, f"%{name} {line}")
        self.skipped.append(shown.strip()[:80])
        return Listing() if name in ("sx", "system", "ls") else None

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        if own := self.registered.get(f"%%{name}"):
            return own(line, cell)
        if name in ("writefile", "file"):
            path = Path(line.split()[-1]) if line.split() else Path("cell.py")
            with path.open("a" if "-a" in line.split()[:-1] else "w", encoding="utf-8") as file:
                file.write(cell)
            return None
        if name in BODY_RUNS:
            return self.run_cell(cell)
        self.skipped.append(f"%%{name} {line}".strip()[:80])
        return None

    def magic(self, line: str) -> Any:
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)

    def run_cell(self, source: str, *args: Any, **options: Any) -> None:
        for statement in read(source, "<run_cell>").statements:
            if isinstance(statement.code, SyntaxError):
                raise statement.code
            exec(statement.code, self.user_ns)

    ex = run_cell

    def system(self, command: str) -> None:
        if not (command.startswith("mkdir ") and self._made(command.removeprefix("mkdir "))):
            self.skipped.append(f"!{command}"[:80])

    def getoutput(self, command: str, *args: Any, **options: Any) -> Listing:
        self.skipped.append(f"!{command}"[:80])
        return Listing()

    def captured(self) -> Any:
        return types.SimpleNamespace(stdout="", stderr="", outputs=[], show=_nothing)

    def _python(self, text: str) -> Any:
        """The value of an expression, as `%time` gives it; or runs statements."""
        try:
            code = compile(text.strip(), "<magic>", "eval", dont_inherit=True)
        except SyntaxError:
            exec(compile(text.strip() + "\n", "<magic>", "exec", dont_inherit=True), self.user_ns)
            return None
        return eval(code, self.user_ns)

    def _script(self, path: Path, words: list[str]) -> None:
        """Runs a file as a program, with its arguments; it may end itself."""
        before, sys.argv = sys.argv, words
        try:
            with contextlib.suppress(SystemExit):
                self._python(path.read_text(encoding="utf-8"))
        finally:
            sys.argv = before

    def _made(self, folders: str) -> bool:
        """Whether folders were made: no other program is there, but a function may write to one."""
        if re.search(r"[^\w\s./-]", folders):
            return False  # a shell reads more in it
        with contextlib.suppress(OSError):
            for folder in folders.split():
                if not folder.startswith("-"):
                    Path(folder).mkdir(parents=True, exist_ok=True)
            return True
        return False

    def _timed(self, line: str) -> Any:
        """Once: nobody reads how long it took, but the result may be calculated with."""
        started = time.perf_counter()
        exec(_without_options(line, "nrpv"), dict(self.user_ns))  # it names nothing outside
        took = time.perf_counter() - started
        fields = ("average", "best", "worst", "compile_time")
        result = types.SimpleNamespace(**dict.fromkeys(fields, took), stdev=0.0, loops=1, repeat=1)
        result.all_runs = result.timings = [took]
        return result if re.match(r"(-\w+\s+)*-\w*o", line.strip()) else None


class Listing(list[str]):
    """What `files = !ls` gives; no shell command runs, so that it is empty."""

    @property
    def n(self) -> str:
        return "\n".join(self)

    s = p = nlstr = spstr = n

    @property
    def l(self) -> list[str]:  # noqa: E743 – its name in IPython
        return list(self)


def _without_options(line: str, with_values: str) -> str:
    """A magic's line without the options before its statement."""
    options = rf"(?:-[{with_values or '-'}]\s*\S+\s+|--?[A-Za-z][\w-]*\s+)*"
    return re.sub(rf"\A\s*{options}", "", line)
