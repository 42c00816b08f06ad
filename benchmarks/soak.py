"""A long class: 500 submissions, a tenth of them hostile, through `autograder grade`.

Looks at the memory of the grading process, of its judges and of the warm parents while they work,
at every mark, and at what is left behind: processes, temporary files, shared memory. Exits 1 where
memory grew, a mark is not as expected, or anything is left.

    python benchmarks/soak.py [--submissions 500] [--json]

Needs what `benchmarks/hostile.py` needs.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import shutil
import statistics
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import psutil
from hostile import FOUND, GROUPS, caged, hand_in, notebook

from autograder.judging.answers import alternatives, reference_code
from autograder.results import Store

EVERY = 10  # the n-th is hostile
SECONDS_BETWEEN = 2.0
GROWTH = 1.05  # of the last quarter's mean over the first's that is still flat


class Sample(NamedTuple):
    """How far the class was, and the resident megabytes of a role's processes."""

    done: int
    role: str
    megabytes: float


def a_class(count: int) -> dict[str, tuple[bytes, float]]:
    """Students with what they hand in and what it deserves."""
    right = {exercise.name: reference_code(FOUND, exercise.name) for exercise in FOUND.exercises}
    other = right | {answer.exercise: answer.code for answer in alternatives(FOUND)}
    names = [exercise.name for exercise in FOUND.exercises]
    half = {name: right[name] for name in names[: len(names) // 2]}
    points = sum(FOUND.exercise(name).points for name in half)
    honest = itertools.cycle(
        [
            (notebook(right), FOUND.points),
            (notebook(other), FOUND.points),
            (notebook(half), points),
            (notebook({}), 0.0),
        ]
    )
    attacks = [attack for _, group in GROUPS.values() for attack in group]
    # spread over all groups; a step without a common factor comes to every one in time
    step = next(n for n in (13, 17, 19) if len(attacks) % n)
    hostile = itertools.cycle(attacks[(n * step) % len(attacks)] for n in range(len(attacks)))
    students = {}
    for number in range(count):
        if number % EVERY == EVERY - 1:
            attack = next(hostile)
            students[f"student{number:04}"] = (attack.notebook, attack.deserved)
        else:
            students[f"student{number:04}"] = next(honest)
    return students


class Sampler(threading.Thread):
    """Writes down the memory of everything that this process started, until told to stop."""

    def __init__(self, results: Path) -> None:
        super().__init__(daemon=True)
        self.results = results
        self.samples: list[Sample] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(SECONDS_BETWEEN):
            done = len(list(self.results.glob("*.json")))
            for process in psutil.Process().children(recursive=True):
                try:
                    role = _role(process)
                    if role:
                        rss = process.memory_info().rss
                        self.samples.append(Sample(done, role, rss / 2**20))
                except psutil.Error:
                    continue


def _role(process: psutil.Process) -> str:
    """What a process is of those that live as long as the class; "" for all others."""
    command, above = process.cmdline(), process.parent()
    before = above.cmdline() if above else [""]
    if command == before:  # a fork for one submission
        return ""
    if command[1:4] == ["-m", "autograder", "grade"]:
        return "grader"
    if "autograder.grading.judge_process" in command:
        return "judge"
    if command[1:2] == ["-I"] and Path(before[0]).name == "bwrap":
        return "warm parent"
    return ""


def quarters(samples: list[Sample], count: int) -> dict[str, tuple[float, float]]:
    """Per role the mean megabytes in the first and the last quarter of the class."""
    found: dict[str, tuple[list[float], list[float]]] = collections.defaultdict(lambda: ([], []))
    for done, role, megabytes in samples:
        if count * 0.02 < done <= count / 4:  # by then everything is imported
            found[role][0].append(megabytes)
        elif count * 0.75 < done < count:
            found[role][1].append(megabytes)
    return {role: (statistics.mean(a), statistics.mean(b)) for role, (a, b) in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    count = parser.parse_args().submissions
    as_json = parser.parse_args().json
    students = a_class(count)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    course = folder / "course"
    hand_in(course, {student: data for student, (data, _) in students.items()})
    (folder / "home").mkdir()
    sampler = Sampler(course / "results" / FOUND.name)
    sampler.start()
    command = f"python -m autograder grade {FOUND.name} --course {course} --jobs 2"
    left = caged(folder, command, 6 * 3600, root=True)
    sampler.done.set()
    sampler.join()
    marks = {result.student: result for result in Store(course).all(FOUND.name)}
    wrong = [
        f"{student}: {marks[student].points if student in marks else None}, deserves {deserved}"
        for student, (_, deserved) in students.items()
        if student not in marks
        or abs(marks[student].points - deserved) > 0.01
        or marks[student].isolation != "full"
    ]
    memory = quarters(sampler.samples, count)
    grown = [role for role, (first, last) in memory.items() if last > GROWTH * first]
    if as_json:
        print(json.dumps({"wrong": wrong, "left": left, "megabytes": memory}))
    else:
        hostile = count // EVERY
        print(f"{count} submissions of {FOUND.name}, {hostile} hostile, two judges")
        print(f"marks not as expected: {len(wrong)}; left behind: {len(left)}")
        print(f"{'mean resident MB':18}{'first quarter':>15}{'last quarter':>15}")
        for role, (first, last) in sorted(memory.items()):
            print(f"{role:18}{first:15.1f}{last:15.1f}")
        print("\n".join([*wrong, *left, *(f"{role} grew" for role in grown)]))
    shutil.rmtree(folder, ignore_errors=True)
    if wrong or left or grown or len(memory) < 3:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
