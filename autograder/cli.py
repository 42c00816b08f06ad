"""The `autograder` command."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from autograder.course import Assignment, course, load_assignment
from autograder.errors import CageError, CourseError
from autograder.files import plain, write_atomically
from autograder.results import Result
from autograder.sandbox.cage import Level

if TYPE_CHECKING:
    from autograder.grading.run import Change

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
_INVENTED = ".invented_class"  # in a folder that `demo` made and may remove
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_NAMES = Annotated[list[str] | None, typer.Argument(help="Assignments; all if none is named.")]

Format = Literal["csv", "canvas", "moodle", "gradescope"]
_COURSE = Annotated[
    Path,
    typer.Option("--course", help="The course directory.", exists=True, file_okay=False),
]
_SCHEDULER = Annotated[
    str,
    typer.Option(help="Grade on the Dask cluster whose scheduler has this address, not here."),
]


def _chosen(names: list[str] | None) -> list[str]:
    return [load_assignment(name).name for name in names or course()]


@app.command()
def verify(names: _NAMES = None, json: _JSON = False) -> None:
    """Are the checks right? The reference and alternatives earn everything, mistakes are caught.

    Example: autograder verify lennard_jones

    Exits 1 if there is any hole.
    """
    import msgspec

    from autograder.authoring import verify as truth

    chosen = _chosen(names)
    with _bar(quiet=json) as bar:
        task = bar.add_task(
            "exercises", total=sum(len(load_assignment(n).exercises) for n in chosen)
        )

        def advance(name: str, exercise: str, rows: list[truth.Row]) -> None:
            holes = sum(bool(row.hole) for row in rows)
            bar.console.print(f"{name} {exercise}: {len(rows)} answers, {holes} holes")
            bar.advance(task)

        tables = truth.verify(chosen, progress=advance)
    if json:
        print(msgspec.json.encode(tables).decode())
    else:
        for table in tables:
            counts = Counter(row.kind for row in table.rows)
            console.print(
                f"[bold]{table.assignment}[/]: {counts['mistake']} mistakes caught, "
                f"{counts['alternative']} alternatives accepted, {len(table.holes)} holes"
            )
            for hole in table.holes:
                console.print(f"  hole: {hole}", markup=False, highlight=False)
    if any(table.holes for table in tables):
        raise typer.Exit(1)


@app.command()
def build(
    names: _NAMES = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite changes by hand.")] = False,
) -> None:
    """Makes source/<name> and release/<name> from assignments/<name> and reference_impl/<name>.py.

    Example: autograder build lennard_jones

    Exits 1 if --check finds a difference, 2 if something cannot be built.
    """
    from autograder.authoring import build as builder

    differ = False
    for name in _chosen(names):
        found = load_assignment(name)
        if check:
            sentences = builder.differences(found)
            differ = differ or bool(sentences)
            line = "differs from a build:" if sentences else "is as built"
        else:
            built = builder.build(found, force=force)
            sentences = [f"{path} is not the builder's" for path in built.strays]
            line = f"{built.files} files, {len(built.written)} written"
        print(f"{name}: {line}")
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
    code = file.read_text(encoding="utf-8")
    student = Student(InProcess(cells(found, Answer(name, exercise, "tried", code))))

    (result,) = Judge(found).judge(
        student, "try", [found.exercise(exercise)], after=Observer(found)
    )
    for check in result.checks:
        mark = {"passed": "✓", "failed": "✗"}.get(check.outcome, "·")
        kind = "hidden" if check.hidden else "public"
        console.print(f" {mark} {check.title} ({kind})", markup=False, highlight=False)
        lines = check.message.splitlines()
        for line in lines[1:] if check.outcome == "failed" else lines:
            console.print(line, markup=False, highlight=False)
    if result.hint:
        console.print(f"hint: {result.hint}", markup=False, highlight=False)
    console.print(f"{result.points:g} of {result.max_points:g} points")
    if result.status != "right":
        raise typer.Exit(1)


@app.command()
def grade(
    names: Annotated[list[str], typer.Argument(help="Assignments to grade.")],
    course_dir: _COURSE,
    jobs: Annotated[int, typer.Option(help="Submissions at a time; one per core if 0.")] = 0,
    scheduler: _SCHEDULER = "",
    student: Annotated[str, typer.Option(help="Only this student.")] = "",
    force: Annotated[bool, typer.Option(help="Grade again what has been graded.")] = False,
    isolation: Annotated[
        Level, typer.Option(help="The weakest cage that you accept; see `autograder doctor`.")
    ] = "full",
    json: _JSON = False,
) -> None:
    """Grades DIR/submitted/<student>/<name>/<name>.ipynb, each in a cage of its own.

    Writes DIR/results/<name>/<student>.json, nbgrader's gradebook, autograded notebooks and
    feedback pages. Can be stopped and started again: what is done stays done.

    Example: autograder grade lennard_jones --course ~/course

    Exits 1 if a submission could not be graded, 2 if the grader could not work at all.
    """
    import msgspec

    from autograder.grading.run import unusable_folders

    found = [load_assignment(name) for name in names]
    graded = _grade(found, course_dir, jobs, scheduler, student, force, isolation, json)
    if json:
        print(msgspec.json.encode(graded).decode())
    unusable = {one.name: unusable_folders(course_dir, one) for one in found}
    for name, folders in unusable.items():
        for folder in folders:
            print(
                f"autograder: {name} in submitted/{folder} was not graded: the folder's name is no "
                "student's id (too long, or not plain text); rename it and grade again",
                file=sys.stderr,
            )
    if any(result.status == "grader_error" for result in graded) or any(unusable.values()):
        raise typer.Exit(1)


@app.command()
def regrade(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    course_dir: _COURSE,
    jobs: Annotated[int, typer.Option(help="Submissions at a time; one per core if 0.")] = 0,
    scheduler: _SCHEDULER = "",
    isolation: Annotated[
        Level, typer.Option(help="The weakest cage that you accept; see `autograder doctor`.")
    ] = "full",
    yes: Annotated[bool, typer.Option("--yes", help="Record without asking.")] = False,
    json: _JSON = False,
) -> None:
    """After a check changed: who gains and who loses, shown before anything is recorded.

    Judges every recorded submission under the present checks and shows the difference. Records
    it after a yes; manual points and comments in the gradebook stay.

    Example: autograder regrade lennard_jones --course ~/course

    Exits 1 if a submission could not be graded, 2 if the grader could not work at all.
    """
    import msgspec

    from autograder.grading.run import Sink, judged_again, only_grader, record
    from autograder.records.feedback import Pages
    from autograder.records.gradebook import Recorder

    found = load_assignment(name)
    with only_grader(course_dir):
        with _bar(json) as bar:
            task = bar.add_task(name, total=None)
            changes = []
            for change in judged_again(
                found,
                course_dir,
                jobs=jobs or os.cpu_count() or 1,
                scheduler=scheduler,
                weakest=isolation,
            ):
                bar.advance(task)
                changes.append(change)
            changes.sort(key=lambda change: change.after.student)
        faulty = [change for change in changes if change.after.status == "grader_error"]
        good = [change.after for change in changes if change not in faulty]
        if json:
            print(
                msgspec.json.encode(
                    [
                        {
                            "student": after.student,
                            "before": before.points,
                            "after": after.points,
                            "status": after.status,
                            "exercises": [
                                {"name": one, "before": was, "after": now}
                                for one, was, now in change.exercises
                            ],
                        }
                        for change in changes
                        for before, after in [change]
                    ]
                ).decode()
            )
        else:
            _print_changes(changes)
        asked = not yes and not json and bool(good) and sys.stdin.isatty()
        if yes or (asked and typer.confirm("Record these?")):
            sinks: list[Sink] = [Recorder(course_dir, [found]), Pages(course_dir, [found])]
            record(course_dir, good, sinks)
            print(f"{len(good)} results recorded", file=sys.stderr)
        elif good:
            print("nothing was recorded; --yes records", file=sys.stderr)
    if faulty:
        raise typer.Exit(1)


def _print_changes(changes: list[Change]) -> None:
    moved = [c for c in changes if c.exercises or c.after.status == "grader_error"]
    table = Table(box=None)
    for column in ("student", "before", "after", "exercises"):
        table.add_column(column, justify="right" if column in ("before", "after") else "left")
    for change in moved:
        words = [f"{name} {before:g} → {after:g}" for name, before, after in change.exercises]
        if change.after.status == "grader_error":
            words = [f"GRADER ERROR, stays as it is: {change.after.message}"]
        table.add_row(
            plain(change.after.student),
            f"{change.before.points:g}",
            f"{change.after.points:g}",
            plain(", ".join(words)),
        )
    if moved:
        console.print(table)
    checks = Counter(moved_check for change in changes for moved_check in change.checks)
    for (check, outcome), students in sorted(checks.items()):
        print(f"  {check}: {outcome} now for {students}, and did not before")
    gained = sum(change.after.points > change.before.points for change in moved)
    lost = sum(change.after.points < change.before.points for change in moved)
    print(f"{len(changes)} judged again: {gained} gain, {lost} lose, the others keep their marks")


def _grade(
    assignments: list[Assignment],
    course_dir: Path,
    jobs: int,
    scheduler: str = "",
    student: str = "",
    force: bool = False,
    isolation: Level = "full",
    json: bool = False,
) -> list[Result]:
    """The results; without `json` the marks alone, so that a large class needs no more memory."""
    from msgspec.structs import replace

    from autograder.grading.run import Sink, grade_class, only_grader, students
    from autograder.records.feedback import Pages
    from autograder.records.gradebook import Recorder

    graded = []
    with only_grader(course_dir), _bar(json) as bar:
        sinks: list[Sink] = [Recorder(course_dir, assignments), Pages(course_dir, assignments)]
        for found in assignments:
            chosen = students(course_dir, found)
            if student:
                if student not in chosen:
                    raise CourseError(f"{student!r} has handed in nothing for {found.name}")
                chosen = [student]
            task = bar.add_task(found.name, total=len(chosen))
            results: list[Result] = []
            for _, result in grade_class(
                found,
                course_dir,
                chosen,
                sinks,
                jobs=jobs or os.cpu_count() or 1,
                scheduler=scheduler,
                weakest=isolation,
                force=force,
            ):
                bar.advance(task)
                results.append(result if json else replace(result, exercises=[], phases={}))
            results.sort(key=lambda result: result.student)
            graded += results
            if not json:
                _print_class(found.title, results)
    return graded


def _bar(quiet: bool) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), disable=quiet)


def _print_class(title: str, results: list[Result]) -> None:
    table = Table(title=title, title_justify="left", box=None)
    for column in ("student", "points", "what to know"):
        table.add_column(column, justify="right" if column == "points" else "left")
    for result in results:
        message = plain(result.message.split("\n")[0])
        if result.status == "grader_error":
            message = f"GRADER ERROR, no mark given: {message}"
        table.add_row(plain(result.student), f"{result.points:g} of {result.max_points:g}", message)
    console.print(table)
    levels = {result.isolation for result in results}
    weak = levels - {"full", "none"}
    if weak:
        console.print(
            f"isolation reached: {', '.join(sorted(levels))} – weaker than full", style="bold"
        )


@app.command()
def demo(
    names: Annotated[
        list[str] | None, typer.Argument(help="Assignments; two quick ones if none is named.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Submissions at a time; one per core if 0.")] = 0,
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
    from autograder.records.report import write_report

    folder = Path("demo").resolve()
    if folder.exists() and not (folder / _INVENTED).exists():
        raise CourseError(f"{folder} exists and is not the demo's; run it in another folder")
    shutil.rmtree(folder, ignore_errors=True)
    write_atomically(folder / _INVENTED, b"autograder demo makes this folder anew\n")
    found = [load_assignment(name) for name in names or QUICK]
    console.print("Building the notebooks from text and reference …")
    members = {}
    for one in found:
        build_notebooks(one)
        console.print(f"Inventing a class for {one.name}, and working out what each deserves …")
        members[one.name] = class_of(one)
        write(folder, one, members[one.name])
    results = _grade(found, folder, jobs)
    wrong = []
    for one in found:
        deserved = {member.student: member for member in members[one.name]}
        for result in results:
            if result.assignment == one.name:
                member = deserved[result.student]
                if (result.points, result.status) != (member.points, member.status):
                    wrong.append((one.name, member, result))
    for name, member, result in wrong:
        console.print(
            f"{name}: {member.student} ({member.story}) deserves {member.points:g}, "
            f"got {result.points:g} ({result.status})",
            style="bold red",
        )
    reports = [write_report(one.name, folder) for one in found]
    print(
        f"{len(results) - len(wrong)} of {len(results)} submissions got exactly what they deserve."
    )
    print(f"gradebook  {folder / 'gradebook.db'}")
    print(f"feedback   {folder / 'feedback'}/<student>/<name>/<name>.html")
    for path in reports:
        print(f"report     {path}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    course_dir: _COURSE,
) -> None:
    """One HTML page about a class: marks, exercises, slips, failures. For instructors.

    Writes DIR/report/<name>.html, which needs no network, and prints its path.

    Example: autograder report lennard_jones --course ~/course

    Exits 2 if nothing has been graded.
    """
    from autograder.records.report import write_report

    print(write_report(load_assignment(name).name, course_dir))


@app.command()
def collect(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    archive: Annotated[Path, typer.Argument(help="Moodle's, Canvas' or Gradescope's zip, or any.")],
    course_dir: _COURSE,
    replace: Annotated[bool, typer.Option(help="Replace what was handed in before.")] = False,
) -> None:
    """Submissions out of a zip archive, into DIR/submitted/<student>/<name>/.

    Students are named by Moodle's or Canvas' file names, or by the archive's folders. Nothing is
    written anywhere else, whatever names the archive holds.

    Example: autograder collect lennard_jones ~/Downloads/submissions.zip --course ~/course

    Exits 1 if something was left out, 2 if the archive cannot be read.
    """
    from autograder.exchange.collect import collect as collect_

    outcome = collect_(archive, load_assignment(name), course_dir, replace)
    print(f"{len(outcome.written)} submissions written to {course_dir / 'submitted'}")
    for sentence in outcome.left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    if outcome.left_out:
        raise typer.Exit(1)


bundle = typer.Typer(no_args_is_help=True, help="Folders and archives to give away.")
app.add_typer(bundle, name="bundle")


@bundle.command("student")
def bundle_student(
    names: _NAMES = None,
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("students"),
) -> None:
    """The folder for students: notebooks, a guide, pinned requirements, a self-test.

    Example: autograder bundle student backprop --output ~/handout

    Exits 2 if an assignment is not built.
    """
    from autograder.exchange.bundle import student_folder

    paths = student_folder([load_assignment(name) for name in _chosen(names)], output)
    print(f"{len(paths)} files in {output}")


@bundle.command("gradescope")
def bundle_gradescope(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    output: Annotated[Path | None, typer.Option(help="The archive to write.")] = None,
) -> None:
    """An autograder zip for Gradescope. It holds the answers: upload it there and nowhere else.

    Example: autograder bundle gradescope backprop
    """
    from autograder.exchange.gradescope import gradescope_archive

    found = load_assignment(name)
    print(gradescope_archive(found, output or Path(f"gradescope_{found.name}.zip")))


@bundle.command("site")
def bundle_site(
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("site/source"),
) -> None:
    """The text of a web site: guide, how to read a check, released notebooks. Nothing private.

    `make site` turns it into pages with Jupyter Book.

    Example: autograder bundle site

    Exits 2 if an assignment is not built.
    """
    from autograder.exchange.bundle import site_folder

    print(f"{len(site_folder(list(course().values()), output))} files in {output}")


@bundle.command("run", hidden=True)
def bundle_run(name: str, home: Annotated[Path, typer.Option()] = Path("/autograder")) -> None:
    """What Gradescope's container runs for each submission."""
    from autograder.exchange.gradescope import run_gradescope

    run_gradescope(load_assignment(name), home)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    course_dir: _COURSE,
    to: Annotated[Format, typer.Option(help="Who reads it.")] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="The file to write; for gradescope, the folder.")
    ] = None,
) -> None:
    """Marks per exercise as CSV, for Canvas or for Moodle; results in Gradescope's format.

    CSV comes from the gradebook: points given by hand and late penalties count. Whoever has no
    mark because the grader failed has an empty field, and is named.

    Example: autograder export lennard_jones --course ~/course --to canvas --output marks.csv

    Exits 2 if nothing has been graded.
    """
    from autograder.exchange.export import gradescope_files, table

    found = load_assignment(name)
    if to == "gradescope":
        folder = output or course_dir / "gradescope" / found.name
        paths, without = gradescope_files(course_dir, found, folder)
        print(f"{len(paths)} files in {folder}")
    else:
        text, without = table(course_dir, found, to)
        if output is None:
            print(text, end="")
        else:
            write_atomically(output, text.encode())
            print(output)
    if without:
        who = ", ".join(plain(student) for student in without)
        print(f"no mark yet, as the grader failed: {who}; grade again", file=sys.stderr)


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
def doctor(json: _JSON = False) -> None:
    """What this machine offers: the isolation levels, each really started, and the versions.

    Example: autograder doctor

    Exits 1 if the full cage cannot be had.
    """
    import msgspec

    from autograder.sandbox.cage import probe

    probes = probe()
    if json:
        print(msgspec.json.encode([found._asdict() for found in probes]).decode())
    else:
        for found in probes:
            mark = "✓" if found.available else "✗"
            console.print(f" {mark} {found.level:<9} {found.reason}", markup=False, highlight=False)
        console.print(
            "full: nothing but the interpreter can be seen, no network; landlock: files confined, "
            "other processes visible; limits: only time and memory are held.",
            highlight=False,
        )
        if not probes[0].available:
            console.print("ISOLATION.md says what to do, under “When doctor says less than full”.")
    if not probes[0].available:
        raise typer.Exit(1)


def main() -> None:
    """The command's entry: a course's or the machine's fault is one sentence and exit code 2."""
    try:
        app()
    except (CourseError, CageError) as error:
        print(f"autograder: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(
            f"autograder: {what}. Results that were written are kept; put it right and start again",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
