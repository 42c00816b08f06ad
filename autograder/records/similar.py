"""Answers that look alike beyond what is common in the class: places to look, not verdicts.

An answer becomes a row of words: without comments, documentation, type hints and layout, and
with every name that a student chose replaced by one word. Every `LENGTH` words in a row are a
fragment. Short right answers coincide, so only fragments that few of the class wrote say
anything; what everyone was given is left out. Two answers are alike if most of the unusual
fragments of one stand in the other too, or all that they are made of.

What a pair has in common is added up over the whole notebook. There are few ways to be right and
many to be wrong: answers that are alike and both wrong count `WRONG` times.

The code is cut into words and never run nor parsed: a parser can be led to crash or to take
for ever, and broken code is worth a look as well.
"""

from __future__ import annotations

import ast
import bisect
import builtins
import functools
import itertools
import keyword
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeVar

from autograder.course import Assignment
from autograder.errors import SubmissionError
from autograder.judging.answers import GIVEN, setup_code
from autograder.judging.outline import outline_of
from autograder.judging.submission import read_submission

LENGTH = 10
SHARE = 0.6
"""Of the unusual fragments of the smaller answer, from which two answers are alike."""
ENOUGH = 25
"""Fragments, over all exercises in which a pair is alike, from which the pair is listed."""
BITS = 12
"""How unlikely it must be that two wrote what they did, for a pair to be listed that shares
nothing unusual."""
WRONG = 4
"""How much more an answer says that is alike and wrong."""
NEARLY = 0.7
"""Of what the first two of a group have in common, for others to belong to it."""
LEAST = 8
"""Answers to an exercise, from which anything can be called unusual."""
MAX_CODE = 100_000
"""Characters of a submission that are looked at; honest ones have fewer."""


Pair = tuple[str, str]
T = TypeVar("T")


class Answer(NamedTuple):
    """One student's code for an exercise, and the fragments it is made of."""

    code: str
    fragments: frozenset[int]


class Alike(NamedTuple):
    """An exercise in which a group's answers are alike."""

    exercise: str
    shared: int
    """Unusual fragments that two of them share, at least."""
    wrong: bool
    """Whether it is wrong in all of them."""
    codes: list[list[Line]]
    """What they wrote, in the group's order; without what everyone was given."""


class Line(NamedTuple):
    """A line of somebody's code."""

    text: str
    same: bool
    """Whether another one of the group wrote it too, names and layout aside."""


class Group(NamedTuple):
    """Students whose answers are alike, and in which exercises."""

    students: tuple[str, ...]
    alike: list[Alike]
    weight: float
    """What the two of them who are least alike have in common."""
    compared: int
    """Exercises that they all have written."""


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
        kept = _kept_names(assignment)
        words = [word for _, tokens in parts for word, _ in _words(tokens, kept)]
        fragments = _fragments(words) - _given(assignment)
        if fragments:
            found[exercise.name] = Answer("\n\n".join(text for text, _ in parts), fragments)
    return found


def groups(
    assignment: Assignment,
    by_student: Mapping[str, Mapping[str, Answer]],
    wrong: Mapping[str, Collection[str]] | None = None,
) -> list[Group]:
    """Who wrote answers like whose, those who have most in common first. `wrong`: by student the
    exercises that did not earn all their points."""
    faults = wrong or {}
    alike: dict[str, dict[Pair, _Common]] = {}
    shared: dict[Pair, int] = defaultdict(int)
    weight: dict[Pair, float] = defaultdict(float)
    for exercise in (one.name for one in assignment.exercises):
        answered = {s: a[exercise] for s, a in by_student.items() if exercise in a}
        alike[exercise] = _alike(answered)
        for pair, common in alike[exercise].items():
            both = all(exercise in faults.get(student, ()) for student in pair)
            shared[pair] += common.shared
            weight[pair] += common.bits * (WRONG if both else 1)
    strong = {pair: bits for pair, bits in weight.items() if shared[pair] >= ENOUGH or bits >= BITS}
    where = {
        pair: {exercise for exercise, commons in alike.items() if pair in commons}
        for pair in strong
    }
    found = []
    for group in _together(strong, where):
        students = tuple(sorted(group))
        pairs = [*itertools.combinations(students, 2)]
        shown = []
        for exercise in set.intersection(*(where[pair] for pair in pairs)):
            answers_ = [by_student[student][exercise] for student in students]
            least = min(alike[exercise][pair].shared for pair in pairs)
            all_wrong = all(exercise in faults.get(student, ()) for student in students)
            shown.append(Alike(exercise, least, all_wrong, _lines(answers_, assignment)))
        shown.sort(key=lambda one: (not one.wrong, -one.shared, one.exercise))
        written = set.intersection(*(set(by_student[student]) for student in students))
        least_alike = min(strong[pair] for pair in pairs)
        found.append(Group(students, shown, least_alike, len(written)))
    return sorted(found, key=lambda group: (-group.weight, group.students))


def _together(strong: Mapping[Pair, float], where: Mapping[Pair, set[str]]) -> Iterator[set[str]]:
    """Pairs, and groups of whom each two are nearly as much alike as the most alike of them, for
    the most part in the same exercises. `where`: by pair the exercises."""
    found: list[tuple[float, set[str], set[str]]] = []
    for pair in sorted(strong, key=lambda pair: (-strong[pair], pair)):
        if any(group.issuperset(pair) for _, group, _ in found):
            continue
        for most, group, exercises in found:
            new = set(pair) - group
            others = [(min(one, two), max(one, two)) for one in group for two in new]
            if len(new) > 1 or any(strong.get(other, 0) < NEARLY * most for other in others):
                continue
            common = exercises.intersection(*(where[other] for other in others))
            if len(common) >= NEARLY * len(exercises):
                group |= new
                exercises &= common
                break
        else:
            found.append((strong[pair], set(pair), set(where[pair])))
    return (group for _, group, _ in found)


class _Common(NamedTuple):
    """What two answers to an exercise have in common."""

    shared: int
    """Unusual fragments."""
    bits: float
    """How rare it is in the class to write this; less where it is little code."""


def _alike(group: Mapping[str, Answer]) -> dict[Pair, _Common]:
    """Pairs whose answers to one exercise are alike."""
    if len(group) < LEAST:
        return {}
    authors: dict[int, list[str]] = defaultdict(list)
    same: dict[frozenset[int], list[str]] = defaultdict(list)
    for student in sorted(group):
        same[group[student].fragments].append(student)
        for fragment in group[student].fragments:
            authors[fragment].append(student)
    few = few_of(len(group))
    shared: Counter[Pair] = Counter()
    unusual: Counter[str] = Counter()
    for students in authors.values():
        if len(students) <= few:
            unusual.update(students)
            shared.update(itertools.combinations(students, 2))
    size = {
        (first, second): number
        for (first, second), number in shared.items()
        if number >= SHARE * min(unusual[first], unusual[second])
    }
    for fragments, students in same.items():
        size |= dict.fromkeys(itertools.combinations(students, 2), len(fragments))
    like: dict[str, set[str]] = defaultdict(set)
    for first, second in size:
        like[first] |= {first, second}
        like[second] |= {first, second}
    found = {}
    for (first, second), fragments_ in size.items():
        rarity = math.log2(len(group) / len(like[first] | like[second]))
        bits = rarity * min(1.0, fragments_ / ENOUGH)
        found[first, second] = _Common(shared[first, second], bits)
    return found


def _lines(answers_: list[Answer], assignment: Assignment) -> list[list[Line]]:
    """Everybody's code, each line with whether another one has it too."""
    given = {line.strip() for s in outline_of(assignment).stubs.values() for line in s.split("\n")}
    kept = _kept_names(assignment)
    found = []
    for one in answers_:
        others = frozenset().union(*(other.fragments for other in answers_ if other is not one))
        words = [*_words(_tokens(one.code), kept)]
        starts = list(itertools.accumulate(len(line) + 1 for line in one.code.split("\n")))
        equal: set[int] = set()
        for window in _windows(words):
            if hash(tuple(word for word, _ in window)) in others:
                equal |= {bisect.bisect_right(starts, start) for _, start in window}
        lines = [Line(text, n in equal) for n, text in enumerate(one.code.split("\n"))]
        found.append([line for line in lines if line.text.strip() not in given])
    return found


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


def _words(tokens: list[Token], kept: frozenset[str]) -> Iterator[tuple[str, int]]:
    """What is left of a definition when taste is taken out of it, and where each word stands."""
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
            yield "def", one.start
        elif one.kind == "text":
            if (before.kind, after.kind) != ("line", "line"):  # else documentation
                yield "text", one.start
        elif one.kind == "name" and one.text not in kept and before.text != ".":
            yield "name", one.start
        else:
            yield one.text, one.start


def _windows(words: list[T]) -> list[list[T]]:
    """Every `LENGTH` words in a row; fewer than these are one as a whole."""
    return [words[n : n + LENGTH] for n in range(max(min(1, len(words)), len(words) - LENGTH + 1))]


def _fragments(words: list[str]) -> frozenset[int]:
    return frozenset(hash(tuple(window)) for window in _windows(words))


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
    words = ([word for word, _ in _words(_tokens(stub), kept)] for stub in stubs)
    return frozenset().union(*map(_fragments, words))
