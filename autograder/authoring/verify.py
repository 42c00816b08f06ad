"""The truth table: are the checks themselves right?

For every assignment: the reference and every alternative earn everything; the untouched
release and do-nothing answers earn nothing, trivial ones (`trivial`) at most a tenth; those that
forget an argument (`forgetful`) fail more than guards, or lose a tenth; every mistake fails the
check that it names and keeps at most what it says; every check is failed by some mistake; public
checks pass for right answers; no mistake gets another's hint. Where
an exercise is left untouched or damaged, those that use it keep everything (`merit`; its mistakes
are in `benchmarks/follow_through.py`). Whatever does not hold is a hole.

Checks that train cost seconds. The reference and the alternatives are tried on all of them. A wrong
answer is tried on a long check only where something depends on it: a mistake on the one that it
names, on those that no mistake names or has failed so far, and any, the shortest first, as long as
it could keep more than it may. Where it is counted how many mistakes public checks see, it is tried
on these too until one sees it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from autograder.course import Assignment, Exercise
from autograder.errors import CourseError
from autograder.judging.answers import Answer, Mistake, alternatives, cells, mistakes
from autograder.judging.diagnosis import Observer
from autograder.judging.judge import Check, Judge, Key, Transcripts, summarise
from autograder.judging.replay import Known
from autograder.judging.student import Student
from autograder.results import CheckResult, ExerciseResult

from . import forgetful, merit, trivial

SALT = "verify"
TRIVIAL = 0.1
"""The most that a trivial answer may earn, as a part of the points."""
FORGETFUL = 0.9
"""The most that an answer which forgets an argument may keep where it fails guards alone."""
JOBS = 2
"""Exercises that are tried at a time."""
ROUNDED = 0.01
"""What points that were rounded may be off."""
CALL_SECONDS = 60.0
"""CPU seconds that a call of a known answer may take: no right one needs a quarter of them."""
LONG = 0.02
"""CPU seconds that the reference takes for a check, from which on it is a long one."""


class Row(msgspec.Struct, kw_only=True):
    """One answer, what it should earn and what it earned."""

    kind: str
    exercise: str
    name: str
    points: float  # where not all checks were run, what it could still keep
    max_points: float
    failed: list[str]
    seconds: float
    checks: list[str] = []  # of the reference: every check that was run
    seen: bool = False  # by a public check, of those that were run
    salt: str = SALT
    hole: str = ""


class Table(msgspec.Struct, kw_only=True):
    """All rows of one assignment; `holes` in words."""

    assignment: str
    rows: list[Row]
    holes: list[str]


Named = tuple[Assignment, Exercise]


def exercises(assignments: list[Assignment], keys: Collection[str]) -> list[Named]:
    """The exercises of these assignments, or those of them with these keys."""
    found = [(one, exercise) for one in assignments for exercise in one.exercises]
    for key in keys:
        if key not in [exercise.name for _, exercise in found]:
            names = ", ".join(one.name for one in assignments)
            known = ", ".join(exercise.name for _, exercise in found)
            raise CourseError(f"{key} is no exercise of {names}; there are {known}")
    return [one for one in found if not keys or one[1].name in keys]


def verify(
    wanted: list[Named], salts: int, progress: Callable[[str, str, list[Row]], None]
) -> list[Table]:
    """The truth tables of these exercises, by assignment, each drawn from as many salts.

    `progress` is called with the assignment, the exercise and its rows as each is done with one
    salt.
    """
    drawn = [(*one, f"{SALT} {n}" if n else SALT) for one in wanted for n in range(salts)]
    rows: dict[tuple[str, str], list[Row]] = {}
    holes: dict[tuple[str, str], list[str]] = {}
    for (found, exercise, salt), done in _done(drawn):
        rows.setdefault((found.name, exercise.name), []).extend(done)
        where = "" if salt == SALT else f", salt {salt!r}"
        found_here = [hole + where for hole in holes_in(done)]
        holes.setdefault((found.name, exercise.name), []).extend(found_here)
        progress(found.name, exercise.name, done)
    tables: dict[str, Table] = {}
    for found, exercise in wanted:
        table = tables.setdefault(found.name, Table(assignment=found.name, rows=[], holes=[]))
        table.rows += rows[found.name, exercise.name]
        table.holes += holes[found.name, exercise.name]
    return list(tables.values())


_Job = tuple[Assignment, Exercise, str]


def _done(wanted: list[_Job]) -> Iterator[tuple[_Job, list[Row]]]:
    """Each job with its rows, as they are done."""
    if len(wanted) == 1:
        yield wanted[0], tried(*wanted[0], counted=True)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(JOBS, mp_context=context) as pool:
        futures = {pool.submit(tried, *job, counted=True): job for job in wanted}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()


def tried(
    found: Assignment, exercise: Exercise, salt: str = SALT, *, counted: bool = False
) -> list[Row]:
    """The truth table of one exercise; `counted`: with how many mistakes public checks see."""
    import torch

    torch.set_num_threads(1)
    # A known answer may print, and --json is for programs.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        return list(_exercise_rows(_judge(found), exercise, salt, counted))


@functools.cache
def _judge(found: Assignment) -> Judge:
    return Judge(found)


def holes_in(rows: list[Row]) -> list[str]:
    """What does not hold for one exercise, in words: of its rows, and of checks that no mistake
    needs."""
    holes = [f"{row.kind} {row.exercise} {row.name}: {row.hole}" for row in rows if row.hole]
    wrong = [row for row in rows if row.kind == "mistake"]
    unneeded = {name for row in rows for name in row.checks}
    unneeded -= {name for row in wrong for name in row.failed}
    exercise = rows[0].exercise
    for name in sorted(unneeded):
        holes.append(f"check {exercise} {name}: no mistake fails it; is it needed?")
    if len(wrong) < 3:
        holes.append(f"exercise {exercise}: fewer than three mistakes")
    if sum(row.kind == "alternative" for row in rows) < 2:
        holes.append(f"exercise {exercise}: fewer than two alternatives")
    return holes


def _exercise_rows(
    judge: Judge, exercise: Exercise, salt: str, counted: bool = False
) -> Iterator[Row]:
    found = judge.assignment
    trials = Trials(judge, exercise, salt, counted)
    reference, row = trials.whole("reference", None)
    row.hole = _must_be_right(reference)
    if not any(check.hidden for check in reference.checks):
        row.hole = "has no hidden check"
    row.checks = [check.name for check in reference.checks]
    yield row

    def answers(made: Iterator[tuple[str, str]]) -> Iterator[Answer]:
        return (Answer(found.name, exercise.name, *one) for one in made)

    for answer in answers(_nothings(exercise)):
        *_, row = trials.partly("nothing", answer, at_most=0.0)
        row.hole = f"earned {row.points:g} points" if row.points else row.hole
        yield row
    for answer in answers(trivial.answers(judge, exercise)):
        *_, row = trials.partly("trivial", answer, TRIVIAL)
        if row.points > TRIVIAL * row.max_points:
            row.hole = f"earned {row.points:g} of {row.max_points:g} points"
        yield row
    for answer in answers(forgetful.answers(judge, exercise)):
        yield trials.forgetful(answer)
    for answer in alternatives(found, exercise.name):
        result, row = trials.whole("alternative", answer)
        row.hole = _must_be_right(result)
        yield row
    yield from trials.mistakes(mistakes(found, exercise.name))
    others = merit.dependents(judge, quick=True).get(exercise.name, [])
    for wrong in merit.damages(found, exercise) if others else ():
        yield _row_of_others(judge, wrong, others, salt)


def _row_of_others(judge: Judge, wrong: Answer, others: list[Exercise], salt: str) -> Row:
    done = merit.tried(judge, wrong, others, salt)
    return Row(
        kind="others",
        exercise=wrong.exercise,
        name=wrong.name,
        points=sum(other.points for other in others if other.name in done.kept),
        max_points=sum(other.points for other in others),
        failed=list(done.lost),
        seconds=round(done.seconds, 3),
        salt=salt,
        hole="; ".join(f"costs {name} points, {why}" for name, why in done.lost.items()),
    )


class Trials:
    """An exercise's answers under one salt, and what was found out with those tried so far."""

    def __init__(
        self, judge: Judge, exercise: Exercise, salt: str = SALT, counted: bool = False
    ) -> None:
        self.judge, self.exercise, self.salt, self.counted = judge, exercise, salt, counted
        self.checks = judge.of(exercise)
        self.guards = {check.name for check in self.checks if check.guard}
        self.known = Known(judge.assignment)
        self.seconds: dict[Key, float] = {}
        """CPU seconds of what each check asks the reference; a training counts for each check that
        tells of it."""
        self.together: dict[Key, set[Key]] = {}
        """With each check, those that tell of the same training (`Student.once`); the first of
        them draws its numbers."""

    def whole(self, kind: str, answer: Answer | None) -> tuple[ExerciseResult, Row]:
        """An answer that should be right, on all checks; None is the reference."""
        started = time.perf_counter()
        student = self._student(answer)
        heard: Transcripts = {}
        (result,) = self.judge.judge(
            student, self.salt, [self.exercise], after=lambda _, calls: heard.update(calls)
        )
        self.known.judged(answer, result, heard)
        if answer is None:
            for key, calls in heard.items():
                self.seconds[key] = sum(call.seconds for call in calls)
                self.together[key] = {one for one, others in heard.items() if others is calls}
        name = "" if answer is None else answer.name
        return result, self._row(kind, name, result.checks, result.points, started)

    def partly(
        self, kind: str, answer: Answer, at_most: float, wanted: Collection[str] = ()
    ) -> tuple[ExerciseResult, Transcripts, Row]:
        """A wrong answer, on the short checks, those that are wanted and, where it is counted how
        many they see, the public ones until one sees it; on others, the shortest first, as long as
        it could keep more than this part of the points."""
        started = time.perf_counter()
        student = self._student(answer)
        heard: Transcripts = {}
        done: dict[Check, CheckResult] = {}

        def failed() -> set[str]:
            """Hidden ones: a public one of the same name takes no points."""
            wrong = ("failed", "error")
            return {one.name for one in done.values() if one.hidden and one.outcome in wrong}

        def try_on(wanted: Check) -> None:
            for check in self.checks:
                with_it = self.together.get(wanted.key, {wanted.key})
                if check.key in with_it and check not in done:
                    done[check] = self.judge.run(check, student, self.salt)
                    heard[check.key] = student.requests

        def seen() -> bool:
            return any(not one.hidden and one.outcome != "passed" for one in done.values())

        checks = sorted(self.checks, key=self._seconds)
        for check in checks:
            counts = self.counted and not (check.hidden or seen())
            if self._seconds(check) < LONG or check.name in wanted or counts:
                try_on(check)
        for check in checks:
            too_much = self._could_keep(failed()) > at_most * self.exercise.points + ROUNDED
            if check.hidden and too_much:
                try_on(check)
        results = [done[check] for check in self.checks if check in done]
        row = self._row(kind, answer.name, results, self._could_keep(failed()), started)
        return summarise(self.exercise, results, self.guards), heard, row

    def forgetful(self, answer: Answer) -> Row:
        """An answer that forgets an argument, on hidden checks until it has lost enough: in their
        order, since it is the first call that counts, but the long ones last."""
        started = time.perf_counter()
        student = self._student(answer)
        done: list[CheckResult] = []
        points, hole = self.exercise.points, "no check but guards misses it"
        hidden = [check for check in self.checks if check.hidden]
        for check in sorted(hidden, key=lambda one: self._seconds(one) >= LONG):
            done.append(self.judge.run(check, student, self.salt))
            if done[-1].outcome != "passed":
                points = self._could_keep({one.name for one in done if one.outcome != "passed"})
                if not check.guard or points <= FORGETFUL * self.exercise.points:
                    hole = ""
                    break
        row = self._row("forgetful", answer.name, done, points, started)
        row.hole = row.hole or hole
        return row

    def mistakes(self, wrongs: Sequence[Mistake]) -> Iterator[Row]:
        """All that are known: when the last was tried it is asked what each is taken for, since by
        then it need not be tried again how each answers."""
        unneeded = {check.name for check in self.checks}
        unneeded -= {wrong.caught_by for wrong in wrongs}
        tried = []
        for wrong in wrongs:
            wanted = {wrong.caught_by, *unneeded}
            result, heard, row = self.partly("mistake", wrong, wrong.keeps, wanted)
            self.known.judged(wrong, result, heard)
            unneeded -= set(row.failed)
            tried.append((wrong, result, heard, row))
        for wrong, result, heard, row in tried:
            # What else could be said of it is looked for in vain.
            Observer(self.judge, self.salt, known=self.known).named(result, heard)
            row.hole = self._hole(wrong, result, row)
            yield row

    def _hole(self, wrong: Mistake, result: ExerciseResult, row: Row) -> str:
        if not any(check.name == wrong.caught_by for check in self.checks):
            return f"names the check {wrong.caught_by}, which does not exist"
        if wrong.caught_by not in row.failed:
            return f"is not caught by {wrong.caught_by}, which it names"
        if row.points >= row.max_points:
            return "earned everything"
        if row.points > wrong.keeps * row.max_points + ROUNDED:
            return f"keeps {row.points / row.max_points:.0%}, and may keep {wrong.keeps:.0%}"
        if result.mistake and wrong.hint not in result.hint:
            return f"is taken for {result.mistake}"
        return row.hole

    def _student(self, answer: Answer | None) -> Student:
        answers = [] if answer is None else [answer]
        return Student(merit.Patient(cells(self.judge.assignment, *answers), CALL_SECONDS))

    def _seconds(self, check: Check) -> float:
        return self.seconds.get(check.key, 0.0)

    def _could_keep(self, failed: Collection[str]) -> float:
        """The points that an answer which fails these checks could keep: it may pass all others."""
        supposed = [
            CheckResult(
                name=check.name,
                outcome="failed" if check.name in failed else "passed",
                hidden=True,
                seconds=0.0,
                point=check.point,
            )
            for check in self.checks
            if check.hidden
        ]
        return summarise(self.exercise, supposed, self.guards).points

    def _row(
        self, kind: str, name: str, checks: list[CheckResult], points: float, started: float
    ) -> Row:
        failed = [check for check in checks if check.outcome in ("failed", "error")]
        errors = [check for check in failed if check.outcome == "error"]
        return Row(
            kind=kind,
            exercise=self.exercise.name,
            name=name,
            points=points,
            max_points=self.exercise.points,
            failed=[check.name for check in failed],
            seen=any(not check.hidden for check in failed),
            seconds=round(time.perf_counter() - started, 3),
            salt=self.salt,
            hole=f"{errors[0].name}: {errors[0].message}" if errors else "",
        )


def _must_be_right(result: ExerciseResult) -> str:
    wrong = [check for check in result.checks if check.outcome != "passed"]
    if wrong:
        return f"fails {', '.join(check.name for check in wrong)}: {wrong[0].message}"
    return "" if result.points == result.max_points else f"earned {result.points:g} points"


def _nothings(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Answers with nothing in them: the stub, and functions that return without working."""
    yield "untouched", merit.family(exercise, "raise NotImplementedError()")
    yield "empty", "# nothing here"
    yield "returns None", merit.family(exercise, "return None")
    yield "returns 0", merit.family(exercise, "return 0.0")
    yield "returns its argument", merit.family(exercise, "return args[0] if args else None")
    yield "returns zeros", merit.family(exercise, "return args[0] * 0 if args else 0.0")
