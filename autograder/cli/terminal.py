"""What the commands share: the application, the terminal, options that several have."""

from __future__ import annotations

import contextlib
import inspect
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

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
from rich.status import Status

from autograder import VERSION
from autograder.course import Assignment, course, load_assignment
from autograder.errors import CourseError
from autograder.sandbox.levels import Level


class Commands(typer.Typer):
    """Commands whose help fills the terminal's lines, wherever those of their docstrings end."""

    def command(self, *names: Any, **options: Any) -> Callable[[Any], Any]:
        def register(function: Any) -> Any:
            paragraphs = inspect.cleandoc(function.__doc__).split("\n\n")
            told = "\n\n".join(" ".join(one.split()) for one in paragraphs)
            return super(Commands, self).command(*names, help=told, **options)(function)

        return register


app = Commands(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(markup=False, emoji=False, highlight=False)
"""What is printed is what is there: names and messages are a student's, and no markup."""
UNIX = ("fcntl", "resource", "pwd", "grp")
"""Modules that Windows does not have: without them there is no cage."""
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
NAMES = Annotated[list[str] | None, typer.Argument(help="Assignments; all if none is named.")]
COURSE = Annotated[
    Path,
    typer.Option("--course", help="The course directory.", exists=True, file_okay=False),
]
JOBS = Annotated[int, typer.Option(help="Submissions at a time; 0: as many as there is room for.")]
ISOLATION = Annotated[
    Level, typer.Option(help="The weakest cage that you accept; see `autograder doctor`.")
]
SCHEDULER = Annotated[
    str,
    typer.Option(help="Grade on the Dask cluster whose scheduler has this address, not here."),
]


def a_file(path: Path | None) -> Path | None:
    """Where a file may be written, a link followed. A device or a pipe there is not replaced."""
    if path is None:
        return None
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise CourseError(
            f"{path} is a device or a pipe, and no place for a file; "
            "without --output `export` prints a table"
        )
    return path.resolve() if path.is_symlink() else path


def _version(wanted: bool) -> None:
    if wanted:
        print(f"autograder {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Autograded notebooks: build them, prove their checks, grade a class."""


@contextlib.contextmanager
def interruptible(then: str) -> Iterator[None]:
    """Ctrl-C is answered at once, ends what is under way, and says how to go on."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        print(f"\nautograder: stopping, {then}", file=sys.stderr, flush=True)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)


def chosen(names: list[str] | None) -> list[Assignment]:
    return [load_assignment(name) for name in names or course()]


def working(what: str) -> Status:
    """Says on a terminal what takes some seconds, and nothing once it is done."""
    return Console(stderr=True).status(f"{what} …")


def progress_bar(quiet: bool) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns,
        console=Console(stderr=True),
        disable=quiet,
        redirect_stdout=sys.stdout.isatty(),  # what goes into a file stays out of the terminal
    )
