"""Verbs that grade: grade, regrade, explain, demo."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from autograder.course import Assignment, load_assignment
from autograder.errors import CourseError
from autograder.files import plain, several, write_atomically
from autograder.records.history import Policy, save_policy
from autograder.results import Result, Store, dropped, submitted

from .terminal import (
    COURSE,
    ISOLATION,
    JOBS,
    JSON,
    SCHEDULER,
    UNIX,
    app,
    console,
    interruptible,
    progress_bar,
    working,
)

if TYPE_CHECKING:
    from autograder.authoring.demo import Submission
    from autograder.grading.run import Change, Graders
    from autograder.records.gradebook import Mark
    from autograder.records.gradebook.students import Person

_INVENTED = ".invented_class"  # in a folder that `demo` made and may remove


@app.command()
def grade(
    names: Annotated[list[str], typer.Argument(help="Assignments to grade.")],
    course_dir: COURSE,
    jobs: JOBS = 0,
    scheduler: SCHEDULER = "",
    student: Annotated[str, typer.Option(help="Only this student.")] = "",
    force: Annotated[bool, typer.Option(help="Grade again what has been graded.")] = False,
    isolation: ISOLATION = "full",
    policy: Annotated[
        Policy | None,
        typer.Option(help="Which of several attempts counts, from now on; the last one at first."),
    ] = None,
    json: JSON = False,
) -> None:
    """Grades DIR/submitted/<student>/<name>/<name>.ipynb, each in a cage of its own.

    Writes DIR/results/<name>/<student>.json, nbgrader's gradebook, autograded notebooks and
    feedback pages. Can be stopped and started again: what is done stays done. A recorded mark that
    other checks, other points or another salt would move is left to `regrade`, and counted.
    Earlier attempts are kept with result and feedback in DIR/attempts, and what was given by hand
    stays with the attempt that it was given for.

    Example: autograder grade lennard_jones --course ~/course

    Exits 1 if a submission could not be graded, 2 if the grader could not work at all.
    """
    import msgspec

    from autograder.grading.folder import not_looked_at
    from autograder.grading.run import Graders

    found = [load_assignment(name) for name in names]
    if policy is not None:
        for name in names:
            save_policy(course_dir, name, policy)
    graders = Graders(jobs, scheduler, isolation)
    graded = _grade(found, course_dir, graders, student, force, json)
    if json:
        told = [
            msgspec.to_builtins(result)
            | {"mark": mark and mark.total, "story": mark.story if mark else []}
            for result, mark in graded
        ]
        print(msgspec.json.encode(told).decode())
    unseen = {one.name: not_looked_at(course_dir, one) for one in found}
    for name, folders in unseen.items():
        for sentence in folders:
            print(f"autograder: {name} was not graded in submitted/{sentence}", file=sys.stderr)
    if any(result.status == "grader_error" for result, _ in graded) or any(unseen.values()):
        raise typer.Exit(1)


@app.command()
def regrade(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    course_dir: COURSE,
    jobs: JOBS = 0,
    scheduler: SCHEDULER = "",
    isolation: ISOLATION = "full",
    yes: Annotated[bool, typer.Option("--yes", help="Record without asking.")] = False,
    json: JSON = False,
) -> None:
    """After a check changed: who gains and who loses, shown before anything is recorded.

    Judges every recorded submission under the present checks and shows the difference. Records
    it after a yes; manual points and comments in the gradebook stay.

    Example: autograder regrade lennard_jones --course ~/course

    Exits 1 if a submission could not be graded, 2 if the grader could not work at all.
    """
    import msgspec

    from autograder.grading.folder import only_grader
    from autograder.grading.run import Graders, judged_again, record
    from autograder.records.feedback import Pages
    from autograder.records.gradebook import Recorder
    from autograder.records.history import policy as policy_of
    from autograder.records.history import sha256

    found = load_assignment(name)
    with (
        interruptible("what was recorded stays; the same command begins anew"),
        only_grader(course_dir),
    ):
        with progress_bar(json) as bar:
            task = bar.add_task(name, total=None)
            changes, missing = [], list[str]()
            graders = Graders(jobs, scheduler, isolation)
            for change in judged_again(found, course_dir, graders, missing):
                bar.advance(task)
                changes.append(change)
            changes.sort(key=lambda change: change.after.student)
        _print_missing(missing)
        faulty = [change for change in changes if change.after.status == "grader_error"]
        good = [change.after for change in changes if change.after.status != "grader_error"]
        recorder = Recorder(course_dir, [found])
        for result in Store(course_dir).all(name):
            there = sha256(submitted(course_dir, result.student, name), name)
            if there == result.submission_sha256:  # a run that was stopped may have left it out
                recorder.record(result)
        totals = {
            after.student: (recorder.preview(before).total, recorder.preview(after).total)
            for before, after in changes
            if after.status != "grader_error"
        }
        if json:
            rows = [_as_row(one, *totals.get(one.after.student, (None, None))) for one in changes]
            print(msgspec.json.encode(rows).decode())
        else:
            _print_changes(changes, totals)
        asked = not yes and not json and bool(good) and sys.stdin.isatty()
        if yes or (asked and typer.confirm("Record these?")):
            record(course_dir, good, [recorder, Pages(recorder)])
            print(f"{len(good)} results recorded", file=sys.stderr)
            if policy_of(course_dir, name) == "best":
                print(f"`autograder grade {name}` finds the best attempts again", file=sys.stderr)
        elif good:
            print("nothing was recorded; --yes records", file=sys.stderr)
    if faulty:
        raise typer.Exit(1)


def _as_row(change: Change, mark_before: float | None, mark_after: float | None) -> dict[str, Any]:
    before, after = change
    return {
        "student": after.student,
        "before": before.points,
        "after": after.points,
        "mark_before": mark_before,
        "mark_after": mark_after,
        "status": after.status,
        "exercises": [
            {"name": one, "before": was, "after": now} for one, was, now in change.exercises
        ],
    }


def _print_missing(missing: list[str]) -> None:
    for sentence in missing:
        print(f"autograder: {plain(sentence)}; the recorded mark stays", file=sys.stderr)


def _print_changes(
    changes: list[Change], totals: dict[str, tuple[float | None, float | None]]
) -> None:
    """`totals`: the gradebook's marks before and after, points by hand and penalties included."""

    def differ(change: Change) -> bool:
        before, after = totals.get(change.after.student, (None, None))
        return before != after or change.before.points != change.after.points

    moved = [c for c in changes if c.exercises or differ(c) or c.after.status == "grader_error"]
    table = Table(box=None)
    for column in ("student", "before", "after", "exercises"):
        table.add_column(column, justify="right" if column in ("before", "after") else "left")
    for change in moved:
        words = [f"{name} {before:g} → {after:g}" for name, before, after in change.exercises]
        if change.after.status == "grader_error":
            words = [f"GRADER ERROR, stays as it is: {change.after.message}"]
        before, after = totals.get(change.after.student, (change.before.points, None))
        if (before, after) != (change.before.points, change.after.points) and after is not None:
            was, now = change.before.points, change.after.points
            words.append(f"the checks give {was:g} → {now:g}, the rest is by hand or late")
        table.add_row(
            plain(change.after.student),
            _points(before),
            _points(after),
            plain(", ".join(words)),
        )
    if moved:
        console.print(table)
    checks = Counter(moved_check for change in changes for moved_check in change.checks)
    for (check, outcome), students in sorted(checks.items()):
        print(f"  {check}: {outcome} now for {students}, and did not before")
    known = [(was or 0.0, now or 0.0) for was, now in totals.values()]
    gained, lost = sum(now > was for was, now in known), sum(now < was for was, now in known)
    print(f"{len(changes)} judged again: {gained} gain, {lost} lose, the others keep their marks")


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _grade(
    assignments: list[Assignment],
    course_dir: Path,
    graders: Graders,
    student: str = "",
    force: bool = False,
    json: bool = False,
) -> list[tuple[Result, Mark | None]]:
    """The results, and the gradebook's marks. Without `json` the results have their points alone,
    so that a large class needs no more memory."""
    from msgspec.structs import replace

    from autograder.grading.folder import only_grader
    from autograder.grading.run import grade_class, judged, moved
    from autograder.records.attempts import Attempts
    from autograder.records.feedback import Pages
    from autograder.records.gradebook import Recorder

    graded: list[tuple[Result, Mark | None]] = []
    again = "begins anew" if force else "goes on where this one was"
    then = f"what is graded so far is recorded; the same command {again}"
    with interruptible(then), only_grader(course_dir), progress_bar(json) as bar:
        recorder = Recorder(course_dir, assignments)
        pages = Pages(recorder)
        for found in assignments:
            chosen = _chosen(found, course_dir, student)
            task = bar.add_task(found.name, total=len(chosen))
            results: list[Result] = []
            unchanged: list[str] = []
            attempts, outdated = Attempts(found, pages), 0
            for step in grade_class(
                found, course_dir, chosen, [recorder], graders, force=force, renew=attempts.renew
            ):
                before, result = step.before, step.now
                bar.advance(task)
                if step.stays:
                    unchanged.append(result.student)
                else:
                    pages.record(result)
                    if before is not None and (change := moved(before, result)):
                        attempts.said.append(f"{result.student}: {change}")
                attempts.note(result)  # also of a run that was stopped before it could
                if step.gone:
                    _print_missing([f"{result.student}: {step.gone}"])
                outdated += step.outdated
                results.append(result if json else replace(result, exercises=[], phases={}))
            attempts.settle(chosen, functools.partial(judged, graders=graders))
            results = [attempts.counting(result) for result in results]
            results.sort(key=lambda result: result.student)
            marks = {mark.student: mark for mark in recorder.marks(found)}
            pages.renew(found, unchanged, marks)
            for one in dropped(course_dir):
                if (left := Store(course_dir).load(found.name, one)) is not None:
                    pages.complete(left)
            graded += [(result, marks.get(result.student)) for result in results]
            if not json:
                _print_class(found.title, results, marks)
                absent = recorder.absent(found.name, marks.values())
                _print_absent(absent, len(dropped(course_dir)))
            for sentence in attempts.said:
                print(f"autograder: {plain(sentence)}", file=sys.stderr)
            if outdated:
                print(
                    f"autograder: {outdated} recorded marks of {found.name} rest on other "
                    "checks, other points or another salt than today's, and stay; `autograder "
                    f"regrade {found.name} --course {course_dir}` shows who would gain and lose",
                    file=sys.stderr,
                )
    return graded


def _chosen(assignment: Assignment, course_dir: Path, student: str) -> list[str]:
    """Whom to grade: this student, or all, and then whose submission is gone is said."""
    from autograder.grading.folder import students

    there = students(course_dir, assignment)
    if not student:
        store = Store(course_dir)
        gone = sorted(set(store.students(assignment.name)).difference(there))
        gone = [one for one in gone if store.load(assignment.name, one)]
        _print_missing([f"{one}: there is nothing in submitted" for one in gone])
        return there
    if student in dropped(course_dir):
        raise CourseError(
            f"{student} has left the course; `autograder drop {student} --back "
            f"--course {course_dir}` takes them in again"
        )
    if student not in there:
        raise CourseError(f"{student!r} has handed in nothing for {assignment.name}")
    return [student]


def _print_absent(absent: list[Person], left: int) -> None:
    if absent:
        shown = [plain(person.shown) for person in absent]
        print(f"on the roster and handed in nothing: {several(shown)}")
    if left:
        print(f"left the course, not graded and not shown: {left}")


def _print_class(title: str, results: list[Result], marks: dict[str, Mark]) -> None:
    """The gradebook's marks, and how they came about where they are not what the checks gave."""
    table = Table(title=title, title_justify="left", box=None)
    for column in ("student", "points", "what to know"):
        table.add_column(column, justify="right" if column == "points" else "left")
    for result in results:
        message = plain(result.message.split("\n")[0])
        if result.status == "grader_error":
            message = f"GRADER ERROR, no mark given: {message}"
        mark = marks.get(result.student)
        if mark is None:
            continue  # dropped in the meantime
        message = "; ".join(filter(None, (message, *mark.story)))
        who = f"{mark.student} {mark.who.name}".strip()
        table.add_row(plain(who), f"{_points(mark.total)} of {mark.max_points:g}", message)
    console.print(table)
    levels = {result.isolation for result in results}
    weak = levels - {"full", "none"}
    if weak:
        console.print(
            f"isolation reached: {', '.join(sorted(levels))} – weaker than full", style="bold"
        )


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    student: Annotated[str, typer.Argument(help="The student's id.")],
    course_dir: COURSE,
    exercise: Annotated[str, typer.Argument(help="One exercise; all if none is named.")] = "",
    isolation: ISOLATION = "full",
) -> None:
    """Every check of one submission: what was called, what came back, what is right, the sum.

    For the instructor alone: it shows hidden inputs and right answers. Judges the file again, with
    the inputs that it was graded with, and records nothing. Writes the same as a page for a
    printer, DIR/report/explained/<name>/<student>.html.

    Example: autograder explain lennard_jones ada lj_force --course ~/course

    Exits 2 if there is nothing to explain.
    """
    from autograder.records.explanation import Recorded, as_page, as_recorded, as_text
    from autograder.records.gradebook import in_gradebook

    found = load_assignment(name)
    marks, _ = in_gradebook(course_dir, found)
    known = Recorded(Store(course_dir).load(name, student), marks.get(student))
    if exercise:
        found.exercise(exercise)  # or say which there are
    try:
        from autograder.grading.explain import explain as explained
    except ModuleNotFoundError as error:
        if known.result is None or error.name not in UNIX:
            raise
        one = as_recorded(found, known.result, exercise)
    else:
        with working("judging the file again"):
            one = explained(found, course_dir, student, exercise, isolation)
    path = course_dir / "report" / "explained" / name / f"{student}.html"
    write_atomically(path, as_page(one, known).encode(), private=True)
    for line in as_text(one, known):
        print(line)
    print(path, file=sys.stderr)


@app.command()
def demo(
    names: Annotated[
        list[str] | None, typer.Argument(help="Assignments; two quick ones if none is named.")
    ] = None,
    jobs: JOBS = 0,
) -> None:
    """The grader at work on an invented class: right, half-right, wrong, broken, hostile.

    Makes everything anew under ./demo, which can be deleted: submissions, gradebook, feedback
    pages, a report per assignment.

    Example: autograder demo

    Exits 1 if anyone does not get exactly what they deserve, 2 if there is another ./demo.
    """
    import shutil

    from autograder.authoring.build import build as build_notebooks
    from autograder.authoring.demo import QUICK, class_of, write
    from autograder.grading.run import Graders
    from autograder.records.report import read_report, write_report

    folder = Path("demo").resolve()
    if folder.exists() and not (folder / _INVENTED).exists():
        raise CourseError(f"{folder} exists and is not the demo's; run it in another folder")
    shutil.rmtree(folder, ignore_errors=True)
    write_atomically(folder / _INVENTED, b"autograder demo makes this folder anew\n")
    found = [load_assignment(name) for name in names or QUICK]
    console.print("Building the notebooks from text and reference …")
    members: dict[tuple[str, str], Submission] = {}
    for one in found:
        build_notebooks(one)
        console.print(f"Inventing a class for {one.name}, and working out what each deserves …")
        invented = class_of(one)
        write(folder, one, invented)
        members |= {(one.name, member.student): member for member in invented}
    graded = _grade(found, folder, Graders(jobs))
    pairs = [(members[result.assignment, result.student], result) for result, _ in graded]
    wrong = [
        (member, result)
        for member, result in pairs
        if (result.points, result.status) != (member.points, member.status)
    ]
    for member, result in wrong:
        console.print(
            f"{result.assignment}: {member.student} ({member.story}) deserves {member.points:g}, "
            f"got {result.points:g} ({result.status})",
            style="bold red",
        )
    reports = [write_report(read_report(one.name, folder), folder) for one in found]
    print(f"{len(pairs) - len(wrong)} of {len(pairs)} submissions got exactly what they deserve.")
    print(f"gradebook  {folder / 'gradebook.db'}")
    print(f"feedback   {folder / 'feedback'}/<student>/<name>/<name>.html")
    for path in reports:
        print(f"report     {path}")
    if wrong:
        raise typer.Exit(1)
