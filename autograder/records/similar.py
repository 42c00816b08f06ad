"""Answers that look alike beyond what is common in the class: places to look, not verdicts.

An answer becomes a row of words: without comments, documentation, type hints and layout, and
with every name that a student chose replaced by one word. Every `LENGTH` words in a row are a
fragment. Short right answers coincide, so only fragments that few of the class wrote say
anything; what everyone was given is left out. Two answers are alike if most of the unusual
fragments of one stand in the other too.

The code is cut into words and never run nor parsed: a parser can be led to crash or to take
for ever, and broken code is worth a look as well.
"""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from autograder.course import Assignment
from autograder.errors import SubmissionError
from autograder.judging.answers import setup_code
from autograder.judging.submission import GIVEN, outline_of, read_submission

LENGTH = 10
SHARE = 0.6
"""Of the unusual fragments of the smaller answer, from which two answers are alike."""
ENOUGH = 25
"""Fragments, over all exercises in which a pair is alike, from which the pair is listed."""
LEAST = 8
"""Answers to an exercise, from which anything can be called unusual."""
MAX_CODE = 100_000
"""Characters of a submission that are looked at; honest ones have fewer."""


Pair = tuple[str, str]


class Answer(NamedTuple):
    """One student's code for an exercise, and the fragments it is made of."""

    code: str
    fragments: frozenset[int]


class Alike(NamedTuple):
    """An exercise in which a group's answers are alike."""

    exercise: str
    shared: int
    """Unusual fragments that two of them share, at least."""
    codes: list[str]
    """What they wrote, in the group's order."""


class Group(NamedTuple):
    """Students whose answers are alike, and in which exercises."""

    students: tuple[str, ...]
    alike: list[Alike]

    @property
    def shared(self) -> int:
        return sum(one.shared for one in self.alike)


def answers(data: bytes, assignment: Assignment) -> dict[str, Answer]:
    """A submitted notebook's answers by exercise; none of what cannot be read."""
    try:
        cells = read_submission(data, assignment).cells
        cells = [cell for cell in cells if cell.label not in GIVEN]
    except SubmissionError:
        return {}
    wanted = {name for exercise in assignment.exercises for name in exercise.defines}
    written: dict[str, tuple[str, list[Token]]] = {}
    left = MAX_CODE
    for cell in cells:
        for name, text, tokens in _definitions(cell.source[: max(left, 0)], wanted):
            written[name] = text, tokens  # the last definition is the one that counts
        left -= len(cell.source)
    found = {}
    for exercise in assignment.exercises:
        parts = [written[name] for name in exercise.defines if name in written]
        words = [word for _, tokens in parts for word in _words(tokens, _kept_names(assignment))]
        fragments = _fragments(words) - _given(assignment)
        if fragments:
            found[exercise.name] = Answer("\n\n".join(text for text, _ in parts), fragments)
    return found


def groups(assignment: Assignment, by_student: Mapping[str, Mapping[str, Answer]]) -> list[Group]:
    """Who wrote answers like whose, those who share most first."""
    alike = {
        exercise.name: _alike(
            {s: a[exercise.name] for s, a in by_student.items() if exercise.name in a}
        )
        for exercise in assignment.exercises
    }
    total: Counter[Pair] = Counter()
    for shared in alike.values():
        total.update(shared)
    found: dict[tuple[str, ...], list[Alike]] = defaultdict(list)
    for exercise, shared in alike.items():
        pairs = {pair: number for pair, number in shared.items() if total[pair] >= ENOUGH}
        for group in _joined(pairs):
            least = min(number for pair, number in pairs.items() if group.issuperset(pair))
            students = tuple(sorted(group))
            codes = [by_student[student][exercise].code for student in students]
            found[students].append(Alike(exercise, least, codes))
    listed = [Group(students, exercises) for students, exercises in found.items()]
    return sorted(listed, key=lambda group: (-group.shared, group.students))


def _joined(pairs: Iterable[Pair]) -> list[set[str]]:
    """Everyone who is linked to someone, with all whom links lead to."""
    found: list[set[str]] = []
    for pair in pairs:
        linked = [group for group in found if not group.isdisjoint(pair)]
        found = [group for group in found if group.isdisjoint(pair)]
        found.append(set(pair).union(*linked))
    return found


def _alike(group: Mapping[str, Answer]) -> dict[Pair, int]:
    """Pairs whose answers to one exercise are alike, with the unusual fragments they share."""
    if len(group) < LEAST:
        return {}
    authors: dict[int, list[str]] = defaultdict(list)
    for student in sorted(group):
        for fragment in group[student].fragments:
            authors[fragment].append(student)
    few = few_of(len(group))
    shared: Counter[Pair] = Counter()
    unusual: Counter[str] = Counter()
    for students in authors.values():
        if len(students) <= few:
            unusual.update(students)
            shared.update(itertools.combinations(students, 2))
    return {
        (first, second): number
        for (first, second), number in shared.items()
        if number >= SHARE * min(unusual[first], unusual[second])
    }


def few_of(students: int) -> int:
    """How many may have written a fragment that still counts as unusual among so many."""
    return max(2, min(students // 5, 4), students // 20)


# ------------------------------------------------------------------------------ code to words

_TOKEN = re.compile(
    r"""
      (?P<line>\n)
    | (?P<comment>\#[^\n]*)
    | (?P<text>(?i:[bfrtu]{0,2})
        (?: "{3} (?:\\.?|[^\\])*? (?:"{3}|\Z)
          | '{3} (?:\\.?|[^\\])*? (?:'{3}|\Z)
          | " (?:\\.|[^"\\\n])* "?
          | ' (?:\\.|[^'\\\n])* '? ))
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>\d[\w.]*|\.\d\w*|\*\*|//|[-+*/@%=<>!]=|->|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFINES = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|(\w+)[ \t]*=(?!=)")


class Token(NamedTuple):
    """A piece of code; `kind` is a group of `_TOKEN`."""

    kind: str
    text: str
    start: int


def _tokens(source: str) -> list[Token]:
    return [Token(m.lastgroup or "", m[0], m.start()) for m in _TOKEN.finditer(source)]


def _definitions(source: str, wanted: set[str]) -> Iterator[tuple[str, str, list[Token]]]:
    """Top-level definitions of `wanted` names: name, text, tokens, with the helpers before it."""
    tokens = _tokens(source)
    begins = [n + 1 for n, one in enumerate(tokens) if _ends_statement(one, source)]
    first = 0
    for start, end in itertools.pairwise([0, *begins, len(tokens)]):
        defines = _DEFINES.match(source, tokens[start].start) if start < end else None
        name = (defines[1] or defines[2]) if defines else ""
        if name in wanted:
            stop = tokens[end].start if end < len(tokens) else len(source)
            yield name, source[tokens[first].start : stop].strip(), tokens[first:end]
            first = end


def _ends_statement(one: Token, source: str) -> bool:
    """Is this the end of a line after which something begins at the margin?"""
    following = source[one.start + 1 : one.start + 2]
    return one.kind == "line" and bool(following.strip("#)]} \t\f\r\n"))


def _words(tokens: list[Token], kept: frozenset[str]) -> Iterator[str]:
    """What is left of a definition when taste is taken out of it."""
    head = False  # between `def` and its colon: given, or a matter of taste
    depth = 0
    code = [one for one in tokens if one.kind != "comment"]
    edge = Token("line", "", 0)
    for before, one, after in zip([edge, *code], code, [*code[1:], edge], strict=False):
        depth += (one.text in ("(", "[", "{")) - (one.text in (")", "]", "}"))
        if head:
            head = one.text != ":" or depth > 0
        elif one.kind == "line":
            continue
        elif one.text == "def":
            head, depth = True, 0
            yield "def"
        elif one.kind == "text":
            if (before.kind, after.kind) != ("line", "line"):  # else documentation
                yield "text"
        elif one.kind == "name" and one.text not in kept and before.text != ".":
            yield "name"
        else:
            yield one.text


def _fragments(words: list[str]) -> frozenset[int]:
    return frozenset(hash(tuple(words[n : n + LENGTH])) for n in range(len(words) - LENGTH + 1))


@functools.cache
def _kept_names(assignment: Assignment) -> frozenset[str]:
    """Names that are everyone's: the language's, the setup cell's, the course's."""
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.parse(setup_code(assignment)).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    asked = {name for exercise in assignment.exercises for name in exercise.defines}
    return frozenset(keyword.kwlist) | frozenset(dir(builtins)) | imported | asked


@functools.cache
def _given(assignment: Assignment) -> frozenset[int]:
    """The fragments that every student got."""
    kept = _kept_names(assignment)
    stubs = outline_of(assignment).stubs.values()
    return frozenset().union(*(_fragments([*_words([*_tokens(s)], kept)]) for s in stubs))
