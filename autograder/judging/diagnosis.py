"""Which slip did the student make?

1. A **known mistake**. The calls of a failed check are repeated on every known mistake of the
   exercise and on its right answers. A mistake is named only when its answers are the student's,
   some right answer differs, it passes every check that the student passes, and fails none in
   another way. Mistakes that cannot be told apart are named together; two slips seen in different
   checks are both named.
   Where none explains all, one that explains most of what failed is named; what explains
   the lesser part gives way to a relation that holds in all.
2. Else a **relation** between what came back and the right numbers (`relations`), and a **fact
   about the code** that holds for no right answer (`coursekit.facts`).
3. Where there is neither, a **small change** of a right answer that answers as the student does
   (`mutants`), or the place where the numbers are wrong.

A wrong hint is worse than none. What it may cost is counted in CPU seconds, so that a hint does
not depend on how busy the machine is; checks that train take too long to be repeated.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Sequence

from coursekit import facts
from coursekit.slips import chosen

from autograder.course import SECONDS, Assignment, Cell, Exercise, cell_of
from autograder.results import ExerciseResult
from autograder.sandbox.inside.wire import Handle

from . import relations
from .answers import Answer, Mistake, alternatives, mistakes, reference_code
from .judge import Check, Judge, Key, Transcripts
from .mutants import mutants
from .replay import ASKS, Known, Replayed, Said, came_back
from .student import Exchange, Student

_QUICK = 1.0
"""CPU seconds of a check's calls, above which they are not repeated on all known answers."""
_EXERCISE, _SUBMISSION = 5.0, 40.0
_MOST = 0.65
"""The part of the failed checks that a mistake explains which is named though it differs in one."""


class Observer:
    """Adds the hint to an exercise's result; made to be `Judge.judge`'s `after`.

    `code` is the submission's, for what can be read in it; `known` what is known already of the
    known answers under this salt.
    """

    def __init__(
        self, judge: Judge, salt: str, code: Sequence[Cell] = (), known: Known | None = None
    ) -> None:
        self.judge, self.salt, self.code = judge, salt, code
        self.known = Known(judge.assignment) if known is None else known
        self.spent = 0.0
        """CPU seconds."""

    def __call__(self, result: ExerciseResult, transcripts: Transcripts) -> None:
        started = time.process_time()
        try:
            work = self.named(result, transcripts)
            # Two mistakes that answer alike: what stands in the code may tell them apart.
            if work and (not result.mistake or " Or: " in result.hint):
                told, fact = result.hint, self._fact(work.exercise)
                if not told:
                    told = work.relation() or (not fact and work.small_change()) or work.place()
                result.hint = " ".join(filter(None, (told, fact)))
        finally:
            self.spent += time.process_time() - started

    def named(self, result: ExerciseResult, transcripts: Transcripts) -> _Diagnosis | None:
        """Names the known mistake, and looks no further; None where there is nothing to look at."""
        failed = {(c.name, c.hidden): c.kind for c in result.checks if c.outcome == "failed"}
        if not failed or {*failed.values()} <= {"unwritten", "missing"}:
            return None
        exercise = self.judge.assignment.exercise(result.name)
        work = _Diagnosis(self, exercise, transcripts, failed)
        result.mistake, result.hint = work.named()
        return work

    def _fact(self, exercise: Exercise) -> str:
        own = [cell.source for cell in self.code if cell.label == cell_of(exercise.name)]
        return facts.unlike("\n".join(own), usual_facts(self.judge.assignment, exercise.name))


class _Diagnosis:
    """One exercise of one submission."""

    def __init__(
        self,
        observer: Observer,
        exercise: Exercise,
        transcripts: Transcripts,
        failed: dict[Key, str],
    ) -> None:
        self.judge, self.salt, self.known = observer.judge, observer.salt, observer.known
        self.assignment = self.judge.assignment
        self.exercise, self.failed = exercise, failed
        self.deadline = time.process_time() + min(_EXERCISE, _SUBMISSION - observer.spent)
        self.right = _right(self.assignment, exercise.name)
        self.wrong = mistakes(self.assignment, exercise.name)
        quick = {n: c for n, c in transcripts.items() if _seconds(c) < _QUICK}
        self.telling = self._in_time(
            {n: c for n, c in quick.items() if n in failed and _says_something(c)}
        )
        self.passed = [
            check
            for check in self.judge.of(exercise)
            if check.key in quick and check.key not in failed
        ]
        if any(_says_something(quick[check.key]) for check in self.passed):
            # Who returns None in some checks only has not forgotten to return.
            silent = {n: c for n, c in quick.items() if n in failed and n not in self.telling}
            self.telling |= {n: c for n, c in silent.items() if _says_none(c)}

    def _in_time(self, told: Transcripts) -> Transcripts:
        """The quickest of these checks, as many as all known answers can repeat long before the
        deadline. Of a training it is better to ask little than to be late and say nothing."""
        known = len([*self.right, *self.wrong])
        left, found, until = _EXERCISE, Transcripts(), time.process_time() + _QUICK
        for key, calls in sorted(told.items(), key=lambda one: _seconds(one[1])):
            if time.process_time() > until:
                break
            # An answer that does nothing is quick where the others take their time.
            cost = known * max(_seconds(calls), self._takes(calls, left / known))
            if cost < left:
                found[key] = calls
                left = min(left, _EXERCISE / 4) - cost
        return found

    def _takes(self, calls: Sequence[Exchange], enough: float = _EXERCISE) -> float:
        """The CPU seconds that the reference takes for these calls."""
        return self.known[None].seconds([one.request for one in calls], enough)

    def named(self) -> tuple[str, str]:
        """The known mistake that is the student's, and what is said of it, and of others that show
        beside it; "" where there is none."""
        covers = self._covers()
        if not covers and self.exercise.seconds <= SECONDS:  # of a training too little is asked
            covers = self._covers(nearly=True)
        hints = chosen(covers, {wrong: wrong.hint for wrong in covers})
        explained = frozenset().union(*covers.values())
        # What holds in all that failed says more than what was done in the lesser part of it.
        lesser = len(explained) < _MOST * len(self._shown) and self.relation()
        if self._late() or not hints or lesser:
            return "", ""
        first = next(wrong for wrong in covers if hints[0].startswith(wrong.hint))
        return first.name, " Besides: ".join(hints)

    def _covers(self, nearly: bool = False) -> dict[Mistake, frozenset[Key]]:
        """The failed checks in which each possible mistake answers as the student does."""
        covers = ((wrong, self._cover(self.known[wrong], nearly)) for wrong in self.wrong)
        return {wrong: found for wrong, found in covers if found}

    def small_change(self) -> str:
        """What changes of the reference answer as the student does in every failed check."""
        told = [k for k in self._shown if k in self._differing and _has_values(self.telling[k])]
        if not told:
            return ""
        name = self.exercise.name
        # A change of a while might make it endless.
        codes = [code for code in right_codes(self.assignment, name) if "while " not in code]
        changes = [[*mutants(name, code)] for code in codes]
        cost = sum(map(len, changes)) * self._takes(self.telling[told[0]])
        if cost > self.deadline - time.process_time():
            return ""
        words: set[str] = set()
        base = self.known[None].session()
        for group in changes:
            if words:
                break
            for mutant in group:
                changed = Replayed(functools.cache(functools.partial(base.with_cell, mutant.code)))
                # Most differ in the first and quickest check.
                alike = all(self._agree(changed, key) for key in told)
                if alike and self._cover(changed).issuperset(told):
                    words.add(mutant.words)
                if self._late() or len(words) > 2:
                    return ""
        return f"This is what comes out when {' or '.join(sorted(words))}." if words else ""

    def _cover(self, wrong: Replayed, nearly: bool = False) -> frozenset[Key]:
        """The failed checks in which a possible mistake answers as the student does; none if it
        fails another one, or one in another way. `nearly`: it may differ in the rest, if it
        explains most: beside it there is something else, at the edge of what is asked."""
        if not all(wrong.passes.get(check.key, True) for check in self.passed):
            return frozenset()
        cover: set[Key] = set()
        for key in self._shown:
            if self._agree(wrong, key):
                cover.add(key)
            elif not nearly and not wrong.passes.get(key, True):
                return frozenset()
        if nearly:
            fits = len(cover) >= _MOST * len(self._shown) and len(self._shown) > 1
        else:
            fits = bool(cover) and not self._fails_otherwise(wrong, cover)
        fits = fits and all(self._check_passes(wrong, check) for check in self.passed)
        return frozenset(cover) if fits else frozenset()

    @functools.cached_property
    def _shown(self) -> list[Key]:
        """The failed checks in which no right answer answers so; the quickest first."""
        right = {key for key in self._by_kind if self._is_right(key, by_kind=True)}
        shown = [key for key in self.telling if key not in right]
        return sorted(shown, key=lambda key: _seconds(self.telling[key]))

    @functools.cached_property
    def _by_kind(self) -> set[Key]:
        """Those in which a right answer has the same numbers: if anything it is their kind that is
        wrong, a float for an int, an array for a tensor, a graph that is lost."""
        return {key for key in self.telling if self._is_right(key, by_kind=False)}

    def _is_right(self, key: Key, *, by_kind: bool) -> bool:
        return any(self._alike(self.known[one], key, by_kind=by_kind) for one in self.right)

    def _agree(self, answer: Replayed, key: Key) -> bool:
        return self._alike(answer, key, by_kind=key in self._by_kind)

    def _alike(self, answer: Replayed, key: Key, *, by_kind: bool) -> bool:
        calls, in_words = self.telling[key], key not in self._differing
        return not self._late() and answer.agrees(calls, in_words=in_words, by_kind=by_kind)

    @functools.cached_property
    def _differing(self) -> set[Key]:
        """Those in which a value came back that is wrong, or something is to be refused. Else an
        exception is all that tells: its class may have many causes, its words have few; but
        everybody has words of their own for what is to be refused."""
        right, found = self.known[None], set()
        for key, calls in self.telling.items():
            refused = any(not Said(said).ok for _, said in right.replayed(calls))
            if refused or any(not pair.same for pair in right.pairs(calls)):
                found.add(key)
        return found

    def _fails_otherwise(self, wrong: Replayed, cover: Collection[Key]) -> bool:
        """In some failed check the mistake shows as well, but not as it does for the student."""
        return any(
            not self._check_passes(wrong, check) and not self._agree(wrong, check.key)
            for check in self.judge.of(self.exercise)
            if check.key in self.telling and check.key not in cover
        )

    def _check_passes(self, wrong: Replayed, check: Check) -> bool:
        if check.key not in wrong.passes:
            if self._late():
                return False
            done = self.judge.run(check, Student(wrong.session()), self.salt)
            wrong.passes[check.key] = done.outcome == "passed"
        return wrong.passes[check.key]

    def _late(self) -> bool:
        return time.process_time() > self.deadline

    def relation(self) -> str:
        """How what came back is related to the right numbers, in every check that failed, was not
        slow, and in which numbers can be compared."""
        by_value = {self.failed[key] for key in self.telling} == {"value"}
        comparable = (pairs for pairs in self._compared if relations.comparable(pairs))
        found = [pair for pairs in comparable for pair in pairs]
        missing = relations.missing(pair for pairs in self._compared for pair in pairs)
        return missing or relations.told(found, by_value=by_value)

    def place(self) -> str:
        """Where what came back is wrong, if that is the same in every check that failed."""
        if self.failed.keys() - self.telling.keys():
            return ""
        return relations.place([pair for pairs in self._compared for pair in pairs])

    @functools.cached_property
    def _compared(self) -> list[list[relations.Pair]]:
        """What came back and what is right, check by check; nothing when it is late."""
        found = []
        for calls in self.telling.values():
            if self._late():
                return []
            found.append(list(self.known[None].pairs(calls)))
        return found


def _seconds(calls: Sequence[Exchange]) -> float:
    return sum(exchange.seconds for exchange in calls)


def _right(assignment: Assignment, exercise: str) -> list[Answer | None]:
    return [None, *alternatives(assignment, exercise)]


@functools.cache
def usual_facts(assignment: Assignment, exercise: str) -> list[str]:
    """The kinds of facts about the code (`facts`) that hold for right answers too."""
    return facts.kinds(right_codes(assignment, exercise))


def right_codes(assignment: Assignment, exercise: str) -> list[str]:
    """The reference's code and that of all right answers."""
    others = [answer.code for answer in _right(assignment, exercise) if answer is not None]
    return [reference_code(assignment, exercise), *others]


def _says_something(calls: Sequence[Exchange]) -> bool:
    """A value came back at least once, or an exception with words of its own: silence and bare
    exceptions fit any mistake that raises."""
    return any(
        op in ASKS and (said.value is not None or said.words) for op, said in came_back(calls)
    )


def _says_none(calls: Sequence[Exchange]) -> bool:
    """None came back from the student's function."""
    return any(op == "call" and said.ok and said.value is None for op, said in came_back(calls))


def _has_values(calls: Sequence[Exchange]) -> bool:
    """Something came back that tells: None, or an object, is what many changes come to."""
    values = (said.value for _, said in came_back(calls))
    return any(not isinstance(value, (Handle, type(None))) for value in values)
