"""Verbs for whoever writes the course: verify, build, try, new, doctor."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from autograder.course import load_assignment
from autograder.errors import CourseError

from .terminal import JSON, NAMES, app, chosen, console, progress_bar


@app.command()
def verify(
    names: NAMES = None,
    exercise: Annotated[
        list[str] | None, typer.Option(help="Only these exercises of theirs, by key.")
    ] = None,
    salts: Annotated[int, typer.Option(min=1, help="How often hidden inputs are drawn.")] = 1,
    json: JSON = False,
) -> None:
    """Are the checks right? The reference and alternatives earn everything, mistakes are caught.

    Example: autograder verify lennard_jones --exercise lj_force

    Exits 1 if there is any hole, 2 if there is no such exercise.
    """
    import msgspec

    from autograder.authoring import verify as truth

    with progress_bar(quiet=json) as bar:
        wanted = truth.exercises(chosen(names), exercise or [])
        task = bar.add_task("exercises", total=salts * len(wanted))

        def advance(name: str, one: str, rows: list[truth.Row]) -> None:
            holes = sum(bool(row.hole) for row in rows)
            bar.console.print(f"{name} {one}: {len(rows)} answers, {holes} holes")
            bar.advance(task)

        tables = truth.verify(wanted, salts, advance)
    if json:
        print(msgspec.json.encode(tables).decode())
    else:
        for table in tables:
            counts = Counter(row.kind for row in table.rows)
            seen = sum(row.seen for row in table.rows if row.kind == "mistake")
            console.print(
                f"{table.assignment}: {counts['mistake']} mistakes caught, "
                f"{seen / max(counts['mistake'], 1):.0%} of them by public checks too, "
                f"{counts['alternative']} alternatives accepted, {len(table.holes)} holes"
            )
            for hole in table.holes:
                console.print(f"  hole: {hole}")
    if any(table.holes for table in tables):
        raise typer.Exit(1)


@app.command()
def build(
    names: NAMES = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite changes by hand.")] = False,
) -> None:
    """Makes source/<name> and release/<name> from assignments/<name> and reference_impl/<name>.py.

    Example: autograder build lennard_jones

    Exits 1 if --check finds a difference, 2 if something cannot be built.
    """
    from autograder.authoring import build as builder

    differ = False
    for found in chosen(names):
        if check:
            sentences = builder.differences(found)
            differ = differ or bool(sentences)
            line = "differs from a build:" if sentences else "is as built"
        else:
            built = builder.build(found, force=force)
            sentences = [f"{path} is not the builder's" for path in built.strays]
            line = f"{built.files} files, {len(built.written)} written"
        print(f"{found.name}: {line}")
        for sentence in sentences:
            print(f"  {sentence}")
    if differ:
        raise typer.Exit(1)


@app.command(name="try")
def try_(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    exercise: Annotated[str, typer.Argument(help="Exercise.")],
    file: Annotated[Path, typer.Argument(help="A file with the exercise's code.", exists=True)],
) -> None:
    """A quick look: one exercise, one file of code you trust; verdict and messages.

    Runs the code in this process, without a cage and without a limit on time. The rest of the
    notebook is the reference's.

    Example: autograder try lennard_jones lj_force my_force.py

    Exits 1 if not everything is right.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an answer would take Ctrl-C for an error
    from autograder.judging.answers import Answer, cells
    from autograder.judging.diagnosis import Observer
    from autograder.judging.judge import Judge
    from autograder.judging.student import Student
    from autograder.sandbox.protocol import InProcess

    found = load_assignment(name)
    try:
        code = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CourseError(f"{file} is not UTF-8: {error}") from None
    tried = cells(found, Answer(name, exercise, "tried", code))
    judge, student = Judge(found), Student(InProcess(tried))
    after = Observer(judge, "try", tried)
    (result,) = judge.judge(student, "try", [found.exercise(exercise)], after=after)
    for check in result.checks:
        mark = {"passed": "✓", "failed": "✗"}.get(check.outcome, "·")
        kind = "hidden" if check.hidden else "public"
        console.print(f" {mark} {check.title} ({kind})")
        lines = check.message.splitlines()
        for line in lines[1:] if check.outcome == "failed" else lines:
            console.print(line)
    if result.hint:
        console.print(f"hint: {result.hint}")
    console.print(f"{result.points:g} of {result.max_points:g} points")
    if any(check.outcome != "passed" for check in result.checks):
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="One word: the key that leads to everything.")],
    title: Annotated[str, typer.Option(help="What students read.")] = "",
) -> None:
    """The files of a new assignment, with one small exercise to put yours in the place of.

    Example: autograder new waves --title "Waves on a string"

    Exits 2 if the name is taken.
    """
    from autograder.authoring.new import write_files

    for path in write_files(name, title or name.replace("_", " ").capitalize()):
        print(path)
    print(f"Next: autograder verify {name}, then autograder build {name}; see CONTRIBUTING.md.")


@app.command()
def doctor(json: JSON = False) -> None:
    """What this machine offers: the isolation levels, each really started.

    Example: autograder doctor

    Exits 1 if the full cage cannot be had.
    """
    import msgspec

    from autograder.grading.executors import room, scarce
    from autograder.sandbox import groups
    from autograder.sandbox.cage import probe
    from autograder.sandbox.inside.protocol import LIMITS

    probes = probe()
    if json:
        print(msgspec.json.encode([found._asdict() for found in probes]).decode())
    else:
        for found in probes:
            mark = "✓" if found.available else "✗"
            console.print(f" {mark} {found.level:<9} {found.reason}")
        console.print(
            "full: no files but the libraries and a scratch folder, no network; landlock: "
            "files confined, other processes visible; limits: time and, on Linux, "
            "memory and the network are held, files are not."
        )
        console.print(
            "Time and memory are watched from outside, by a process's own counters; the kernel "
            f"{'holds memory too' if groups.held() else 'gives no control group to hold it'}. "
            f"At a time there is room for {room()} submission(s) of {LIMITS['memory'] >> 30} GB."
        )
        if short := scarce():
            console.print(
                "A submission with its judge may need more than there is of "
                f"{' and '.join(short)}: an answer within its limits may be ended or stop, and "
                "loses its points."
            )
        if not probes[0].available:
            console.print("ISOLATION.md says what to do, under “When doctor says less than full”.")
    if not probes[0].available:
        raise typer.Exit(1)
