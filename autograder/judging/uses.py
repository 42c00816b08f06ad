"""Which exercises a student's code uses for which others, read from its text."""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import re
import symtable
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from coursekit.ipynb import defined_in

from autograder.course import Assignment, Cell, Exercise, cell_of
from autograder.sandbox.inside.cells import first_line, tree_of

from .answers import GIVEN, SETUP

Uses = dict[str, set[str]]

MAX_SOURCE = 100_000
"""Characters of a cell; a longer one is taken as words, lest it cost the judge memory."""
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WORD = re.compile(r"[^\W\d]\w*")
_GOES_ON = re.compile(r"[\s)\]}#]|(?:else|elif|except|finally)\b|$")


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """One statement of a cell, with the names that it binds and reads as globals; without its tree,
    which takes hundreds of bytes for each letter."""

    text: str
    is_python: bool
    binds: frozenset[str]
    reads: frozenset[str]
    defines: str = ""
    """The function's or class's name, if it is such a definition."""
    decorators: tuple[str, ...] = ()
    """Their texts, but for those that nobody can write down (`@keep(0xff…)` of 4000 digits)."""


@functools.lru_cache(256)  # a cell is read for each name that it may hold
def pieces_of(source: str) -> tuple[Piece, ...]:
    """A cell's statements; of one that is no Python as a whole, what can be read of it."""
    if len(source) > MAX_SOURCE:
        return (_as_words(source),)
    with contextlib.suppress(*UNREADABLE):
        return tuple(_pieces(source, ast.parse(source), as_written=True))
    with contextlib.suppress(*UNREADABLE):  # with what only IPython reads
        return tuple(_pieces(source, tree_of(source, "a cell", 0), as_written=False))
    return tuple(piece for part in _blocks(source) for piece in _pieces_of_block(part))


def uses(assignment: Assignment, cells: Sequence[Cell], calls: Uses) -> Uses:
    """Which other exercises each one uses: such as its code names, or what that names (helpers,
    globals, classes, aliases, what its cell does besides), and such as its checks call."""
    owner = {name: one.name for one in assignment.exercises for name in one.defines}
    reads = _reads(cells)
    found = {}
    for exercise in assignment.exercises:  # from other exercises on `closure` goes on
        seen = _reached(reads, exercise.defines, owner.keys())
        used = {owner[name] for name in seen if name in owner}
        found[exercise.name] = used.union(calls.get(exercise.name, ())) - {exercise.name}
    return found


def answered_below(cells: Sequence[Cell], exercise: Exercise) -> list[int]:
    """How many cells there are as far as the exercise's own, or the first that answer it, and as
    far as the last that does: those answers a notebook's checks can meet."""
    holders = [number for number, cell in enumerate(cells, 1) if holds(cell, exercise)]
    own = [number for number in holders if cells[number - 1].label == cell_of(exercise.name)]
    for name in exercise.defines:
        own += [n for n in holders if binds(cells[n - 1].source, [name])][:1]
    return sorted({max(own), holders[-1]}) if holders else []


def by_itself(
    cells: Sequence[Cell], exercise: Exercise, others: Collection[str]
) -> tuple[list[Cell], set[str]]:
    """The exercise's own cells, and of other ones the statements that give a value to what these
    name, but for Python's own names, the setup cell's, and the `others`; and those of Python's that
    other cells give a value."""
    named = named_by(cells, exercise, others) - set(others)
    python = set(dir(builtins))
    found, rest = [], []
    for cell in cells:
        if cell.label not in GIVEN and not holds(cell, exercise):
            rest.append(cell)
            pieces = (piece for piece in pieces_of(cell.source) if piece.is_python)
            kept = [piece.text for piece in pieces if piece.binds & named - python]
            cell = cell._replace(source="\n".join(kept))
        if cell.source:
            found.append(cell)
    return found, named & python & bound_in(rest)


def named_by(cells: Sequence[Cell], exercise: Exercise, ends: Collection[str] = ()) -> set[str]:
    """The names to which the exercise's code leads, no farther than `ends`, without the setup
    cell's."""
    setup = bound_in(cell for cell in cells if cell.label == SETUP)
    return _reached(_reads(cells), exercise.defines, ends) - setup


def bound_in(cells: Iterable[Cell]) -> set[str]:
    return {name for c in cells for piece in pieces_of(c.source) for name in piece.binds}


def holds(cell: Cell, exercise: Exercise) -> bool:
    return cell.label == cell_of(exercise.name) or binds(cell.source, exercise.defines)


def binds(source: str, names: Iterable[str]) -> bool:
    """Whether a cell, or a part of one, gives one of the names a value."""
    there = {name for name in names if name in source}
    return bool(there) and any(there & piece.binds for piece in pieces_of(source))


Reads = dict[str, list[frozenset[str]]]


def _reads(cells: Sequence[Cell]) -> Reads:
    """What the definitions of a name read; sets are shared, as a long cell has many names."""
    reads: Reads = {}
    for cell in cells:
        pieces = pieces_of(cell.source)
        # A definition is there only if the rest of its cell has run.
        beside = frozenset(name for piece in pieces if not piece.defines for name in piece.reads)
        for piece in pieces:
            for name in piece.binds:
                reads.setdefault(name, []).extend((piece.reads, beside))
    return reads


def _reached(reads: Reads, names: Iterable[str], ends: Collection[str]) -> set[str]:
    """The names, and all to which they lead; no farther than `ends`."""
    seen, queue = set(names), list(names)
    done: set[int] = set()
    while queue:
        groups = {id(group): group for group in reads.get(queue.pop(), ())}
        new = [group for number, group in groups.items() if number not in done]
        done |= groups.keys()
        for name in frozenset().union(*new) - seen:
            seen.add(name)
            if name not in ends:
                queue.append(name)
    return seen


def closure(used: Uses, names: Iterable[str]) -> set[str]:
    """All that these use, and what that uses."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        new = used.get(queue.pop(), set()) - found
        found |= new
        queue += new
    return found


def _pieces(source: str, tree: ast.Module, as_written: bool) -> Iterator[Piece]:
    lines = source.split("\n")
    before = 0
    for number, node in enumerate(tree.body):
        start = first_line(node)
        end = node.end_lineno or start
        alone = start > before and all(one.lineno > end for one in tree.body[number + 1 :][:1])
        before = end
        try:
            text = "\n".join(lines[start - 1 : end]) if as_written and alone else ast.unparse(node)
            yield _piece(text, node)
        except UNREADABLE:
            yield _as_words("\n".join(lines[start - 1 : end]))


def _pieces_of_block(text: str) -> Iterator[Piece]:
    try:
        yield from _pieces(text, ast.parse(text), as_written=True)
    except UNREADABLE:
        yield _as_words(text)


def _blocks(source: str) -> Iterator[str]:
    """The text cut where a line begins at its left edge, decorators with what they decorate."""
    block: list[str] = []
    for line in source.splitlines():
        decorated = bool(block) and block[-1].startswith("@")
        if block and not decorated and not _GOES_ON.match(line):
            yield "\n".join(block)
            block = []
        block.append(line)
    if block:
        yield "\n".join(block)


def _as_words(text: str) -> Piece:
    """Of what is no Python: the names that it seems to define, and all its words."""
    return Piece(text, False, frozenset(defined_in(text)), frozenset(_WORD.findall(text)))


def _piece(text: str, node: ast.stmt) -> Piece:
    binds: set[str] = set()
    reads = set(_read_otherwise(node))
    top = symtable.symtable(text, "a cell", "exec")
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            here = table is top
            if not here and not symbol.is_global():
                continue
            if symbol.is_referenced():
                reads.add(symbol.get_name())
            if symbol.is_assigned() or (here and symbol.is_imported()):
                binds.add(symbol.get_name())
    binds |= set(_changes(node)) & reads
    defines = node.name if isinstance(node, _DEFINITIONS) else ""
    decorators = tuple(_unparsed(getattr(node, "decorator_list", [])))
    return Piece(text, True, frozenset(binds), frozenset(reads), defines, decorators)


def _unparsed(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        with contextlib.suppress(*UNREADABLE):
            yield ast.unparse(node)


def _read_otherwise(node: ast.stmt) -> Iterator[str]:
    """Names that are read as text, `globals()["forward"]`, `eval("forward(x)")`, or imported."""
    texts = {
        id(one.body[0].value)
        for one in ast.walk(node)
        if isinstance(one, _DEFINITIONS) and isinstance(one.body[0], ast.Expr)
    }
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in texts:
            yield from _WORD.findall(one.value)
        elif isinstance(one, ast.ImportFrom):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.Attribute) and _is_the_notebook(one.value):
            yield one.attr


def _is_the_notebook(node: ast.expr) -> bool:
    """`__main__` or `sys.modules[…]`, whose attributes are the notebook's names."""
    return (isinstance(node, ast.Name) and node.id == "__main__") or isinstance(node, ast.Subscript)


def _changes(node: ast.stmt) -> Iterator[str]:
    """Names of what a statement outside functions changes: `table["relu"] = relu`,
    `steps.append(backward)`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets = [node.value.func]
    for target in targets:
        root: ast.expr = target
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        if isinstance(root, ast.Name) and root is not target:
            yield root.id
