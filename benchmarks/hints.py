"""How often is a slip named, and how often wrongly?

    python benchmarks/hints.py [backprop …] [--exercise NAME] [--only known,left-out,mutants]
    python benchmarks/hints.py --cases FOLDER

known      each known mistake handed in word for word: named by the grader, and by the public
           checks alone (`slips.json`); wrong is a sentence that belongs to another mistake
left-out   each known mistake while the bank does not have it: what is then said of it (another
           mistake's sentence, a relation, a fact), which is what a new slip of a class meets
mutants    small changes of the reference, each while the grader does not know that very one;
           a mistake that is named for one of these two must hold on other inputs too: with another
           salt it may fail no check that the answer passes, else it is counted as wrong;
           stopped are those without a hint that raise: their message has the line and the reason
cases      files `assignment__exercise__what.py`: what is said of each, to be read

Exercises that train are left out unless they are named. Run with one process; prints one line for
an exercise and the sums.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch

import torch
from coursekit import facts, slips

from autograder.authoring import slips as made
from autograder.authoring.merit import Patient
from autograder.course import SECONDS, Exercise, course, load_assignment
from autograder.judging import diagnosis
from autograder.judging.answers import Answer, Mistake, cells, mistakes, reference_code
from autograder.judging.judge import Judge
from autograder.judging.mutants import Mutant, mutants
from autograder.judging.replay import Known
from autograder.judging.student import Student
from autograder.results import ExerciseResult

_SALTS = "one salt", "another salt"


def judged(
    judge: Judge, exercise: Exercise, answer: Answer, salt: str = _SALTS[0], hints: bool = True
) -> ExerciseResult:
    code = cells(judge.assignment, answer)
    after = diagnosis.Observer(judge, salt, code, _asked_before(judge)) if hints else None
    (result,) = judge.judge(Student(Patient(code)), salt, [exercise], after=after)
    return result


@functools.cache
def _asked_before(judge: Judge) -> Known:
    """What known answers said: shared by all submissions, as in grading."""
    return Known(judge.assignment)


def known(judge: Judge, exercise: Exercise) -> Counter[str]:
    """Known mistakes, word for word."""
    counts: Counter[str] = Counter()
    table = slips.shipped_table(judge.assignment.release.parent)
    for wrong in mistakes(judge.assignment, exercise.name):
        hint = judged(judge, exercise, wrong).hint
        failed = made.failures(judge.assignment, exercise.name, wrong)
        public = slips.named(exercise.name, failed, table)
        counts += Counter(
            {
                "known": 1,
                "named": wrong.hint in hint,
                "named wrongly": bool(hint) and wrong.hint not in hint and _is_known(judge, hint),
                "named publicly": wrong.hint in public,
                "publicly wrongly": bool(public) and wrong.hint not in public,
            }
        )
    return counts


def left_out(judge: Judge, exercise: Exercise, most: int) -> Counter[str]:
    """Known mistakes that the bank does not have, nor any that shares their sentence."""
    counts: Counter[str] = Counter()
    everything = mistakes(judge.assignment)
    drawn = mistakes(judge.assignment, exercise.name)
    random.Random(exercise.name).shuffle(drawn)
    for wrong in drawn[:most]:
        rest = tuple(other for other in everything if other.hint != wrong.hint)
        diagnosis.mistakes = lambda assignment, rest=rest: rest  # type: ignore
        try:
            found = judged(judge, exercise, wrong)
        finally:
            diagnosis.mistakes = mistakes  # type: ignore
        counts += Counter(
            {
                "left out": 1,
                "as another": bool(found.mistake),
                "wrongly": _is_wrong(judge, exercise, wrong, found),
                "told": bool(found.hint) and not found.mistake,
            }
        )
    return counts


def mutated(judge: Judge, exercise: Exercise, most: int) -> Counter[str]:
    """Changes of the reference that a check notices."""
    counts: Counter[str] = Counter()
    code = reference_code(judge.assignment, exercise.name)
    found = list(mutants(exercise.name, code))
    random.Random(exercise.name).shuffle(found)
    for mutant in found[:most]:
        answer = Answer(judge.assignment.name, exercise.name, mutant.after, mutant.code)
        diagnosis.mutants = functools.partial(_others, mutant.code)  # type: ignore
        try:
            result = judged(judge, exercise, answer)
        finally:
            diagnosis.mutants = mutants  # type: ignore
        if result.status not in ("partly", "wrong"):
            continue
        counts += Counter(
            {
                "mutants": 1,
                "hinted": bool(result.hint),
                "stopped": not result.hint and _stopped(result),
                "as a mistake": bool(result.mistake),
                "wrongly": _is_wrong(judge, exercise, answer, result),
            }
        )
    return counts


def _stopped(result: ExerciseResult) -> bool:
    """Is it said in which line the answer stopped, and why?"""
    return any("stopped with" in check.message for check in result.checks)


def _others(left_out: str, exercise: str, code: str) -> Iterator[Mutant]:
    return (one for one in mutants(exercise, code) if one.code != left_out)


def _is_wrong(judge: Judge, exercise: Exercise, answer: Answer, result: ExerciseResult) -> bool:
    """Does the mistake that was named fail what the answer passes, on other inputs?"""
    by_name = {wrong.name: wrong for wrong in mistakes(judge.assignment, exercise.name)}
    if not result.mistake:
        return False
    mine = _failed(judge, exercise, answer)
    wrongly = not _failed(judge, exercise, by_name[result.mistake]) <= mine
    if wrongly:
        print(f"   {answer.name}: {result.hint}")
    return wrongly


def _failed(judge: Judge, exercise: Exercise, answer: Answer) -> set[str]:
    result = judged(judge, exercise, answer, _SALTS[1], hints=False)
    return {check.name for check in result.checks if check.outcome == "failed"}


def _is_known(judge: Judge, hint: str) -> bool:
    return any(wrong.hint in hint for wrong in mistakes(judge.assignment))


def cases(folder: Path) -> None:
    """What is said of each labelled answer, by the desk and by the grader."""
    judges: dict[str, Judge] = {}
    counts: Counter[str] = Counter()
    for path in sorted(folder.rglob("*__*__*.py")):
        name, wanted, label = path.stem.split("__", 2)
        found = load_assignment(name)
        judge = judges.setdefault(name, Judge(found))
        exercise = found.exercise(wanted)
        answer = Mistake(name, wanted, label, path.read_text(encoding="utf-8"), "", "")
        result = judged(judge, exercise, answer)
        failed = made.failures(found, wanted, answer)
        table = slips.shipped_table(found.release.parent)
        desk = slips.named(wanted, failed, table)
        if failed and not desk:
            desk = facts.unlike(answer.code, slips.usual(wanted, table))
        messages = any(
            line.startswith(("   problem", "   hint"))
            for check in result.checks
            if check.outcome == "failed"
            for line in check.message.splitlines()
        )
        counts += Counter(
            {"cases": 1, "hint": bool(result.hint), "desk": bool(desk), "sentence": messages}
        )
        print(f"{wanted}: {label.replace('_', ' ')}\n   grader  {result.hint or '–'}")
        print(f"   desk    {desk or '–'}", flush=True)
    print(dict(counts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="assignment")
    parser.add_argument("--exercise")
    parser.add_argument("--only", default="known,left-out,mutants")
    parser.add_argument("--most", type=int, default=30, help="mutants, left-out ones an exercise")
    parser.add_argument("--cases", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cases:
        cases(options.cases)
        return
    kinds: dict[str, Callable[[Judge, Exercise], Counter[str]]] = {
        "known": known,
        "left-out": lambda judge, exercise: left_out(judge, exercise, options.most),
        "mutants": lambda judge, exercise: mutated(judge, exercise, options.most),
    }
    wanted = [kinds[kind] for kind in options.only.split(",")]
    total: Counter[str] = Counter()
    for judge, exercise in _exercises(options.names or list(course()), options.exercise):
        counts: Counter[str] = Counter()
        for kind in wanted:
            counts.update(kind(judge, exercise))
        total.update(counts)
        print(f"{exercise.name:28} {_words(counts)}", flush=True)
    print(f"{'all':28} {_words(total)}")
    sys.exit(1 if total["named wrongly"] or total["publicly wrongly"] else 0)


def _exercises(names: list[str], only: str | None) -> Iterator[tuple[Judge, Exercise]]:
    for name in names:
        judge = Judge(load_assignment(name))
        for exercise in judge.assignment.exercises:
            if exercise.name == only or (only is None and exercise.seconds <= SECONDS):
                yield judge, exercise


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())


if __name__ == "__main__":
    main()
