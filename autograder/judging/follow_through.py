"""Every cell on its own merit: what is wrong in one exercise is not charged to the next.

An exercise that lost points is judged again: with right answers in the places of those that it
uses and that are not right; as it stood below its own cell; and by itself, with right answers in
the places of all that it uses and of other cells only what it names. The better result counts. What
counts as using is what this student's code uses (`uses`). Replaced is only what comes earlier in
the course: no exercise can be answered by calling a later one that does more.

This is the one exception to the rule that no answer enters the cage, made because a right cell must
not pay for a wrong one above it. ISOLATION.md says how it is kept to what cannot be used: the marks
of what is replaced are final before, the second pass has a worker of its own that ends with it, and
what that worker says is told to nobody (`Student.aided`).
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from autograder.course import Assignment, Cell, Exercise, cell_of
from autograder.results import ExerciseResult
from autograder.sandbox.protocol import CellFailure, InProcess

from . import answers
from .judge import Judge, Transcripts
from .patience import TookTooLong, at_most
from .student import Student
from .uses import (
    Uses,
    answered_below,
    bound_in,
    by_itself,
    closure,
    holds,
    named_by,
    pieces_of,
    uses,
)

T = TypeVar("T")
After = Callable[[ExerciseResult, Transcripts], None]


class Tries(NamedTuple):
    """What some cells came to."""

    exercises: dict[str, ExerciseResult]
    notes: Sequence[str] = ()
    deadly: Sequence[CellFailure] = ()
    """What of the cells ended Python, or did not end."""
    again_seconds: float = 0.0
    """Of `judged`: what second passes took, which is told to no student either."""


Attempt = Callable[[Sequence[Cell], list[Exercise], After, bool], Tries]
"""Judges exercises of these cells; the last argument says whether right answers are among them."""


def judged(
    judge: Judge, cells: Sequence[Cell], wanted: list[Exercise], after: After, attempt: Attempt
) -> Tries:
    """The exercises' results, each on its own merit. Where no points are lost, `attempt` is called
    once."""
    return _Merit(judge, cells, after, attempt).judged(wanted)


def in_process(
    judge: Judge, salt: str, start: Callable[[Sequence[Cell]], InProcess] = InProcess
) -> Attempt:
    """An attempt at trusted code, in this very process."""

    def attempt(cells: Sequence[Cell], wanted: list[Exercise], after: After, aided: bool) -> Tries:
        transport = start(cells)
        results = judge.judge(Student(transport, aided), salt, wanted, after=after)
        found = {result.name: result for result in results}
        return Tries(found)

    return attempt


class _Merit:
    """One submission's exercises, and what each of them stands on."""

    def __init__(self, judge: Judge, cells: Sequence[Cell], after: After, attempt: Attempt) -> None:
        self.judge = judge
        self.assignment = judge.assignment
        self.cells = cells
        self.after = after
        self.attempt = attempt
        self.order = [exercise.name for exercise in judge.assignment.exercises]
        self.standing: dict[str, ExerciseResult] = {}
        self.changed: set[str] = set()
        """The exercises that are worth more without some other cells."""
        self.left = judge.seconds
        """Of the judge's CPU seconds, for all that is read; 0 for no such limit."""
        self.readable = True

    @functools.cached_property
    def uses(self) -> Uses:
        return self._read(lambda: uses(self.assignment, self.cells, self.judge.calls)) or {}

    def _read(self, how: Callable[[], T]) -> T | None:
        """What is read from the code. None where that takes too long, and then always: nobody
        could have written it to be read."""
        if self.readable:
            began = time.thread_time()
            with contextlib.suppress(TookTooLong, MemoryError), at_most(self.left):
                found = how()
                if self.left:
                    self.left = max(1e-3, self.left - (time.thread_time() - began))
                return found
        self.readable = False
        return None

    def judged(self, wanted: list[Exercise]) -> Tries:
        asked = {exercise.name for exercise in wanted}
        known = asked
        if len(asked) < len(self.order):  # how those stand on which they build counts, too
            known = asked.union(*map(self.below, asked))
            known |= closure(_uses_of_reference(self.assignment), known)
        exercises = [one for one in self.assignment.exercises if one.name in known]
        first = self.attempt(self.cells, exercises, self._tell, False)
        self.standing |= first.exercises  # the better of two tries
        started = time.perf_counter()
        for exercise in exercises:  # in the course's order: what it stands on is settled
            self._again(exercise, first.deadly)
        results = {name: self.standing[name] for name in self.order if name in asked}
        for result in results.values():
            if _lost(result) or result.replaced:
                rests_on = {*self.below(result.name), *result.replaced}
                result.rests_on = self._earlier(result.name, rests_on)
        again = time.perf_counter() - started
        return first._replace(exercises=results, again_seconds=again)

    def _tell(self, result: ExerciseResult, transcripts: Transcripts) -> None:
        """Looks for a hint, but not where something else is to be mended first."""
        self.standing[result.name] = result
        if not (_lost(result) and self.wrong_below(result)):
            self.after(result, transcripts)

    def below(self, name: str) -> list[str]:
        """The earlier exercises that this one uses, also by way of others."""
        return self._earlier(name, closure(self.uses, [name]))

    def _earlier(self, name: str, others: Iterable[str]) -> list[str]:
        known = set(others)
        return [other for other in self.order[: self.order.index(name)] if other in known]

    def wrong_below(self, result: ExerciseResult) -> list[str]:
        """The exercises in whose places right answers must be, for this one to be judged."""
        if result.status == "unwritten":  # a stub of its own uses nothing
            return []
        wrong = {name for name in self.below(result.name) if self._not_right(name)}
        return [name for name in self._with_theirs(result.name, wrong) if self._not_right(name)]

    def _with_theirs(self, name: str, others: Iterable[str]) -> list[str]:
        """The others, and what right answers in their places use: as the reference does."""
        known = set(others)
        return self._earlier(name, known | closure(_uses_of_reference(self.assignment), known))

    def _not_right(self, name: str) -> bool:
        return name in self.changed or (name in self.standing and _lost(self.standing[name]))

    def _again(self, exercise: Exercise, deadly: Sequence[CellFailure]) -> None:
        """Other judgements while points are lost. Which cell changes what it needs is not asked: a
        later one may also mend it. Who runs out of time is judged by itself soon, and an answer
        that does so by itself, too, no more."""
        result = self.standing[exercise.name]
        ways = self._read(lambda: self._ways(exercise, deadly)) if _lost(result) else None
        tried: list[tuple[list[str], Sequence[Cell]]] = [([], self.cells)]
        while ways and _lost(self.standing[exercise.name]):
            if _out_of_time(result):
                ways[1:] = sorted(ways[1:], key=lambda way: not way.alone)
            way = ways.pop(0)
            replaced = way.replaced(result)  # by what the last judgement came to
            if (replaced, way.cells) not in tried:
                tried.append((replaced, way.cells))
                result = self._judge_again(exercise, way, replaced, deadly)
                if way.alone and _out_of_time(result):
                    ways = [other for other in ways if other.answer != way.answer]

    def _ways(self, exercise: Exercise, deadly: Sequence[CellFailure]) -> list[_Way]:
        """In which it may be judged. In the notebook its check stands below its own cell."""
        stood = [self.cells[:number] for number in answered_below(self.cells, exercise)]
        ways = [_Way(self.cells, self.wrong_below)]
        if self.standing[exercise.name].status == "unwritten":
            ways, stood = [], stood[:-1]
        for cells in stood:
            named = _told(named_by(cells, exercise) & bound_in(self.cells[len(cells) :]))
            note = f"judged as it stood below its own cell: a later one may change {named}"
            note = note if named else f"{note}what it needs"
            ways += [_Way(cells, lambda _: [], note, cells[-1])]
            ways += [_Way(cells, self.wrong_below, note, cells[-1])]
        right = self._with_theirs(exercise.name, self.below(exercise.name))
        names = [name for one in right for name in self.assignment.exercise(one).defines]
        for cells in [*stood, self.cells] if stood else []:
            answer = [cell for cell in cells if holds(cell, exercise)][-1]
            left = [cell if holds(cell, exercise) else _without(cell, deadly) for cell in cells]
            alone, taken = by_itself(left, exercise, names)
            costs = f"gives {_told(taken)} another value" if taken else "may stand in its way"
            note = f"judged without the other cells: one of those {costs}"
            ways.append(_Way(alone, lambda _: right, note, answer, alone=True))

        def spent(_: ExerciseResult) -> list[str]:
            return right if _spent(self.standing[exercise.name]) else []

        if stood:  # by itself it may lack what a text does not tell
            ways.append(_Way(self.cells, spent, "", answer))
        return ways

    def _judge_again(
        self,
        exercise: Exercise,
        way: _Way,
        replaced: list[str],
        deadly: Sequence[CellFailure],
    ) -> ExerciseResult:
        """What it comes to this time. The better result counts; of two that are worth the same, the
        one with right answers in the places of what is wrong, of which the note tells."""
        given = self.assignment, way.cells, replaced, deadly
        asked = self._read(functools.partial(with_right_answers, *given))
        first = self.standing[exercise.name]
        if asked is None:
            return first

        def counts(second: ExerciseResult) -> bool:
            more = second.points - first.points
            same = more == 0 and self.wrong_below(first) == replaced != first.replaced
            return second.status != "error" and (more > 0 or same)

        def after(result: ExerciseResult, transcripts: Transcripts) -> None:
            if counts(result):  # a hint takes seconds
                self.after(result, transcripts)

        second = self.attempt(asked, [exercise], after, True).exercises[exercise.name]
        if not counts(second):
            return second
        kinds = {check.kind for check in first.checks if check.outcome == "failed"}
        if second.status == "unwritten" and kinds == {"unwritten", "needs"} and not way.note:
            first.status = "unwritten"  # and no note: nothing was judged
            return second
        second.replaced = replaced
        second.note = self._note(replaced) if replaced and not way.alone else way.note
        self.standing[exercise.name] = second
        self.changed -= {exercise.name}
        if way.note:
            self.changed.add(exercise.name)
        return second

    def _note(self, replaced: list[str]) -> str:
        """ "judged with a right `forward` in the place of yours, which has a slip of its own"."""
        names = [f"`{name}`" for name in replaced]
        words = [self._words(name) for name in replaced]
        if len(names) == 1:
            return f"judged with a right {names[0]} in the place of yours, which {words[0]}"
        told = ", ".join(f"{name} {word}" for name, word in zip(names, words, strict=True))
        return f"judged with right answers in the places of some of yours: {told}"

    def _words(self, name: str) -> str:
        result = self.standing.get(name)
        if result is not None and _lost(result):
            words = {"unwritten": "is still to be written", "missing": "is not there"}
            return words.get(result.status, "has a slip of its own")
        return "another cell may change" if name in self.changed else "may take too much"


class _Way(NamedTuple):
    """One in which an exercise may be judged again."""

    cells: Sequence[Cell]
    replaced: Callable[[ExerciseResult], list[str]]
    """The exercises in whose places right answers are then."""
    note: str = ""
    """Of what other cells may have changed."""
    answer: Cell | None = None
    """The one, perhaps of several, that is judged."""
    alone: bool = False


def _told(names: Iterable[str]) -> str:
    return ", ".join(f"`{name[:40]}`" for name in sorted(names)[:3])


def _out_of_time(result: ExerciseResult) -> bool:
    return any(check.kind == "time" for check in result.checks)


def _spent(result: ExerciseResult) -> bool:
    """Whether it ran out of what a right answer that is slow, or takes much, can use up."""
    return any(check.kind in ("time", "memory", "died") for check in result.checks)


def _lost(result: ExerciseResult) -> bool:
    return result.points < result.max_points and result.status != "error"


# ------------------------------------------------------------------- right answers in their places


@functools.cache
def _uses_of_reference(assignment: Assignment) -> Uses:
    return uses(assignment, answers.cells(assignment), {})


@functools.cache
def right_code(assignment: Assignment, exercise: str) -> str:
    """The reference's answer as one statement that needs nothing of what a student may have given
    another meaning (`np`, `sum`), apart from other exercises."""
    code = answers.reference_code(assignment, exercise)
    words = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    plain = sorted(words & set(dir(builtins)))
    names = ", ".join(assignment.exercise(exercise).defines)
    setup = answers.setup_code(assignment)
    if plain:
        setup += f"from builtins import {', '.join(plain)}\n"
    body = textwrap.indent(f"{setup}\n{code}return {names}\n", "    ")
    kept = f"{names} = {_kept(exercise)} = _right_answer()"
    return f"def _right_answer():\n{body}\n\n{kept}\ndel _right_answer\n"


def _kept(exercise: str) -> str:
    """The name under which a right answer waits for its places."""
    return f"_right_{exercise}"


def with_right_answers(
    assignment: Assignment,
    cells: Sequence[Cell],
    names: list[str],
    deadly: Sequence[CellFailure] = (),
) -> list[Cell]:
    """The cells with right answers in the places of the named exercises, and after all, as what
    `from mine import *` or `%run mine.py` gives another value cannot be read. They are made before
    the student's cells, which may use up all time.

    What else stands in a cell that defines one of them stays, each statement by itself, so that
    one which stops costs no other. What was `deadly` before is left out.
    """
    right = [Cell(cell_of(name), right_code(assignment, name)) for name in names]
    found: list[Cell] = []
    for cell in cells:
        own = [name for name in names if holds(cell, assignment.exercise(name))]
        if own:  # of which each statement has its end
            ended = [failure for failure in deadly if failure.first]
            found += _exchanged(assignment, _without(cell, ended), own)
        else:
            found.append(_without(cell, deadly))
    last = [Cell("the right answers", _in_place(assignment, name)) for name in names]
    return [*found[:1], *right, *found[1:], *last]


def _in_place(assignment: Assignment, exercise: str) -> str:
    return f"{', '.join(assignment.exercise(exercise).defines)} = {_kept(exercise)}\n"


def _without(cell: Cell, ended: Sequence[CellFailure]) -> Cell:
    """The cell with lines of its own that are among these empty, so that those behind keep their
    numbers."""
    lines = cell.source.split("\n")
    for failure in [one for one in ended if one.cell == cell]:
        first, last = max(1, failure.first), failure.last or len(lines)
        lines[first - 1 : last] = [""] * len(lines[first - 1 : last])
    return cell._replace(source="\n".join(lines))


def _exchanged(assignment: Assignment, cell: Cell, names: list[str]) -> Iterator[Cell]:
    families = {name: set(assignment.exercise(name).defines) for name in names}
    wrong = set().union(*families.values())
    for piece in pieces_of(cell.source):
        keep = piece.defines not in wrong and piece.is_python
        if keep:
            yield Cell(cell.label, piece.text)
        for name in names:
            if piece.binds & families[name]:
                yield Cell(cell.label, _in_place(assignment, name))
        # `@register` may have put the wrong one into a table.
        for decorator in [] if keep else reversed(piece.decorators):
            yield Cell(cell.label, f"({decorator})({piece.defines})\n")
