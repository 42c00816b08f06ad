"""Verbs that carry marks and notebooks in and out: report, slips, collect, bundle, export, drop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from autograder.course import Assignment, load_assignment
from autograder.exchange import Feedback, Table
from autograder.files import in_turn, plain, several, shown, write_atomically

from .terminal import COURSE, NAMES, Commands, a_file, app, chosen, working

Format = Literal[Table, "gradescope", Feedback]
GRADED = Annotated[
    list[str] | None, typer.Argument(help="Assignments; all that are graded if none is named.")
]


@app.command()
def report(
    course_dir: COURSE,
    names: GRADED = None,
) -> None:
    """One HTML page about a class: marks, exercises, slips, failures. For instructors.

    Writes DIR/report/<name>.html for each assignment. For several, or none named, also the course
    at a glance: DIR/report/course.html, with students, exercises and every answer as CSV beside it,
    and a page for each student, to advise from, in DIR/report/students. Needs no network; prints
    the paths.

    Example: autograder report lennard_jones --course ~/course

    Exits 2 if nothing has been graded.
    """
    from autograder.records.overview import write_overview
    from autograder.records.report import read_report, write_report

    reports = []
    for one in _graded(names, course_dir):
        with working(one.name):
            reports.append(read_report(one.name, course_dir))
            path = write_report(reports[-1], course_dir)
        print(path, flush=True)
    if not names or len(names) > 1:
        with working("the course at a glance"):
            paths = write_overview(reports, course_dir)
        for path in paths:
            print(path)


def _graded(names: list[str] | None, course_dir: Path) -> list[Assignment]:
    from autograder.records.overview import graded_assignments

    return chosen(names) if names else graded_assignments(course_dir)


@app.command()
def slips(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    course_dir: COURSE,
    most: Annotated[int, typer.Option(help="How many groups.")] = 10,
) -> None:
    """Wrong answers of a class that got no hint, grouped by how they failed, with examples.

    Below each group stands what makes a known mistake of it, but for the hint. Read it to the end
    of each line, since judges run known mistakes outside the cage. Write one sentence, put it into
    autograder/mistakes/<name>.py, see that `autograder verify <name> --exercise …` finds no hole,
    and run `autograder build` and `autograder regrade`. Everybody in the group then reads the hint,
    and no mark moves.

    Example: autograder slips lennard_jones --course ~/course

    Exits 2 if there is no such assignment.
    """
    from autograder.records.unexplained import as_text, unexplained

    found = unexplained(course_dir, load_assignment(name))
    for line in as_text(found[:most]):
        print(plain(line))
    print(f"{len(found)} kinds of wrong answers without a hint", file=sys.stderr)


@app.command()
def collect(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    archive: Annotated[Path, typer.Argument(help="Moodle's, Canvas' or Gradescope's zip, or any.")],
    course_dir: COURSE,
    replace: Annotated[bool, typer.Option(help="Replace what was handed in before.")] = False,
) -> None:
    """Submissions out of a zip archive, into DIR/submitted/<student>/<name>/.

    Knows the downloads of Moodle, Canvas, Gradescope, Brightspace, Blackboard, ILIAS and Google
    Classroom, and a zip of folders named by the students' ids. Keeps when each came in, as far as
    the archive tells, in timestamp.txt, earlier attempts in DIR/attempts, and names and ids in the
    gradebook. Everyone is written or named with the reason.

    Example: autograder collect lennard_jones ~/Downloads/submissions.zip --course ~/course

    Exits 1 if anyone was left out, 2 if the archive cannot be read.
    """
    from autograder.exchange.collect import collect as collect_

    with working("reading the archive"):
        outcome = collect_(archive, load_assignment(name), course_dir, replace)
    print(f"{len(outcome.written)} submissions written to {course_dir / 'submitted'}")
    if outcome.unchanged:
        print(f"{len(outcome.unchanged)} were there already and are the same")
    for sentence in outcome.remarks:
        print(f"note: {plain(sentence)}", file=sys.stderr)
    for sentence in outcome.left_out:
        print(f"left out: {plain(sentence)}", file=sys.stderr)
    if outcome.left_out:
        raise typer.Exit(1)


@app.command()
def drop(
    students: Annotated[list[str], typer.Argument(help="Ids of students.")],
    course_dir: COURSE,
    back: Annotated[bool, typer.Option("--back", help="Takes them in again.")] = False,
) -> None:
    """Students who left: from now on not graded, regraded or exported, and in no report's figures.

    Nothing is deleted; DIR/dropped.json says who left, and when, and so does each report.

    Example: autograder drop ada ben --course ~/course

    Exits 2 if nobody of that id is known.
    """
    from datetime import date

    from autograder.errors import CourseError
    from autograder.records.gradebook import Recorder, has_gradebook
    from autograder.results import dropped, save_dropped

    with in_turn(course_dir):
        left = dropped(course_dir)
        known = {path.name for path in course_dir.glob("submitted/*")} | left.keys()
        if has_gradebook(course_dir):
            known |= Recorder(course_dir, []).roster().keys()
        if strangers := [plain(student) for student in students if student not in known]:
            raise CourseError(f"{course_dir} knows nobody called {', '.join(strangers)}")
        for student in students:
            if back:
                left.pop(student, None)
            else:
                left.setdefault(student, f"{date.today()}")
        save_dropped(course_dir, left)
    print(f"{len(left)} left the course{': ' if left else ''}{', '.join(map(plain, sorted(left)))}")


bundle = Commands(no_args_is_help=True, help="Folders and archives to give away.")
app.add_typer(bundle, name="bundle")


@bundle.command("student")
def bundle_student(
    names: NAMES = None,
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("students"),
    single: Annotated[
        bool, typer.Option("--single", help="Each notebook one file that carries its helpers.")
    ] = False,
) -> None:
    """The folder for students: notebooks, a guide, pinned requirements, a self-test.

    With --single a notebook needs no files beside it: it works alone in Colab, Kaggle, VS Code, or
    out of a learning platform, and is graded as any other.

    Example: autograder bundle student backprop --output ~/handout

    Exits 2 if an assignment is not built, or its release was changed since.
    """
    from autograder.exchange.bundle import single_notebooks, student_folder

    write = single_notebooks if single else student_folder
    print(f"{len(write(chosen(names), output))} files in {output}")


@bundle.command("gradescope")
def bundle_gradescope(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    output: Annotated[
        Path | None,
        typer.Option(callback=a_file, help="The archive to write; else gradescope_<name>.zip."),
    ] = None,
) -> None:
    """An autograder zip for Gradescope. It holds the answers: upload it there and nowhere else.

    In the assignment's settings there, choose 2 CPUs with 3 GB and a time limit of 40 minutes:
    Gradescope's default, half a CPU with 768 MB, is too little for torch.

    Example: autograder bundle gradescope backprop
    """
    from autograder.exchange.gradescope import gradescope_archive

    found = load_assignment(name)
    print(gradescope_archive(found, output or Path(f"gradescope_{found.name}.zip")))
    print(
        "Set on Gradescope: base image Ubuntu 22.04 or newer, container of 2 CPUs and 3 GB, "
        "time limit 40 minutes",
        file=sys.stderr,
    )


@bundle.command("site")
def bundle_site(
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("site/source"),
    until: Annotated[
        str, typer.Option(help="The last assignment to release, in the course's order.")
    ] = "",
) -> None:
    """The text of a web site: guide, how to read a check, released folders. Nothing private.

    `make site` turns it into pages with Jupyter Book; `make site UNTIL=training` up to an
    assignment, and so week by week.

    Example: autograder bundle site --until training

    Exits 2 if an assignment is not built, or its release was changed since.
    """
    from autograder.exchange.bundle import site_folder

    released = chosen(None)
    if until:
        released = released[: released.index(load_assignment(until)) + 1]
    print(f"{len(site_folder(released, output))} files in {output}")


@bundle.command("solutions")
def bundle_solutions(
    name: Annotated[str, typer.Argument(help="Assignment.")],
    output: Annotated[
        Path | None, typer.Option(help="The folder to write; else solutions_<name>.")
    ] = None,
) -> None:
    """After the deadline: the notebook with its answers, two other right ones beside each.

    Without hidden checks, and without the guide for whoever marks answers in words. The folder
    holds what the notebook needs to run.

    Example: autograder bundle solutions backprop --output ~/solutions/backprop

    Exits 2 if the assignment is not built, or its release was changed since.
    """
    from autograder.exchange.solutions import solutions_folder

    found = load_assignment(name)
    folder = output or Path(f"solutions_{found.name}")
    print(f"{len(solutions_folder(found, folder))} files in {folder}")


@bundle.command("run", hidden=True)
def bundle_run(name: str, home: Annotated[Path, typer.Option()] = Path("/autograder")) -> None:
    """What Gradescope's container runs for each submission."""
    from autograder.exchange.gradescope import run_gradescope

    run_gradescope(load_assignment(name), home)


@app.command()
def export(
    course_dir: COURSE,
    names: GRADED = None,
    to: Annotated[Format, typer.Option(help="Who reads it.")] = "csv",
    output: Annotated[
        Path | None,
        typer.Option(
            callback=a_file,
            help="The file to write; for gradescope and several assignments, the folder.",
        ),
    ] = None,
    column: Annotated[
        str, typer.Option(help="The assignment's title in Canvas' own export: 'Backprop (4711)'.")
    ] = "",
) -> None:
    """Marks as CSV, for Canvas or as Moodle's grading worksheet; feedback pages to give back.

    Marks are the gradebook's: points given by hand and late penalties count. Whoever has no
    mark because the grader failed has an empty field, and is named, as is who is not graded yet, or
    whose file is newer than the mark.
    `feedback` is a zip with a folder for each student, for mail; `moodle-feedback`,
    `canvas-feedback` and `brightspace-feedback` are zips that these take back, of those who were
    collected from there.
    Of one assignment a table is printed, and all else is written into DIR, unless --output is
    given. For several, or none named, each has a file in DIR/exports or --output.

    Example: autograder export lennard_jones --course ~/course --to canvas --output marks.csv

    Exits 2 if nothing has been graded.
    """
    found = _graded(names, course_dir)
    if names and len(names) == 1:
        _export(found[0], course_dir, to, output, column)
        return
    ending = "csv" if to in ("csv", "canvas", "moodle") else "zip"
    for one in found:
        folder = output or course_dir / "exports"
        place = folder / (one.name if to == "gradescope" else f"{one.name}_{to}.{ending}")
        _export(one, course_dir, to, place, column)


def _export(
    found: Assignment, course_dir: Path, to: Format, output: Path | None, column: str
) -> None:
    from autograder.exchange.export import gradescope_files, not_graded, outdated, table
    from autograder.exchange.returning import feedback_archive

    without: list[str] = []
    if to == "gradescope":
        folder = output or course_dir / "gradescope" / found.name
        with working(found.name):
            paths, without = gradescope_files(course_dir, found, folder)
        print(f"{len(paths)} files in {folder}")
    elif to == "csv" or to == "canvas" or to == "moodle":
        with working(found.name):
            text, without, elsewhere = table(course_dir, found, to, column)
        if output is None:
            typer.echo(text.encode(), nl=False)  # as in a file, whatever the terminal's letters are
        else:
            write_atomically(output, text.encode())
            print(output)
        if elsewhere:
            who = several([shown(student) for student in elsewhere])
            print(f"left out: {who}: not handed in at Moodle", file=sys.stderr)
    else:
        archive = output or course_dir / f"{to}_{found.name}.zip"
        with working(found.name):
            pages, left_out = feedback_archive(course_dir, found, to, archive)
        print(f"{pages} pages in {archive}")
        for sentence in left_out:
            print(f"left out: {plain(sentence)}", file=sys.stderr)
    for student in not_graded(course_dir, found):
        print(f"left out: {shown(student)} handed in and is not graded yet", file=sys.stderr)
    for student in outdated(course_dir, found):
        said = "handed in another file, which is not graded yet; the mark is for the one before"
        print(f"{shown(student)} {said}", file=sys.stderr)
    if without:
        who = ", ".join(map(shown, without))
        why = "the grader failed, the result is damaged or the gradebook is older"
        print(f"no mark yet, as {why}: {who}; grade again", file=sys.stderr)
