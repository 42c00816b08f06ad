"""Can this notebook be handed in? Runs it by the grader's rules and says what would cost marks.

    python check_submission.py backprop/backprop.ipynb

The cells run as at grading: in the Python that runs this script, in an empty folder that holds only
the course's own files, each statement for itself. It needs the packages of requirements.txt and
changes nothing. It ends with 0 if the notebook can be handed in, also where exercises are still to
be written, and with 1 if not.
"""

from __future__ import annotations

import argparse
import ast
import base64
import contextlib
import dis
import gc
import importlib
import io
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
import zipfile
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any, NamedTuple, TextIO

SECONDS = 10.0  # of computing time that a statement has at grading
ALL_SECONDS, LATE_SECONDS = 60.0, 1.0  # that all have together, and each after that
PATIENCE, LONG_PATIENCE = 60.0, 300.0  # by the clock, here: with a statement, with all else
MAX_LEFT_OUT = 8  # statements that end Python, or never end
GIVEN = ("figures.py", "expected.json", "public_checks.py")
PACKAGES = {
    *("numpy", "torch", "scipy", "sklearn", "matplotlib", "mpl_toolkits", "pylab", "tqdm"),
    *("IPython", "coursekit", "figures", "sympy", "networkx", "PIL", "joblib"),
    *("__main__", "typing_extensions", "dateutil", "mpmath", "packaging", "threadpoolctl"),
    *sys.stdlib_module_names,
}
"""What can be imported at grading."""

AND_THEN = {
    True: "an exercise needs what it should give",
    False: "no exercise needs what it should give",
}

Standing = dict[str, Any]
Event = dict[str, Any]


class NotReady(Exception):
    """What is wrong with the notebook as a whole; nothing else can be said about it."""


class Ended(Exception):
    """A statement that ended Python, or that never ended; all runs again without it, as at
    grading."""

    def __init__(self, event: Event, **why: Any) -> None:
        super().__init__()
        self.event = {name: event[name] for name in ("cell", "statement", "costs")} | why


class Findings:
    """What would cost marks, and what is good to know."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.remarks: list[str] = []

    def at(self, costs: bool) -> list[str]:
        """Where it belongs that a statement did not do what it should."""
        return self.problems if costs else self.remarks


def main() -> int:
    """0 if the notebook can be handed in, else 1; prints what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("notebook", type=Path, help="for example backprop/backprop.ipynb")
    path = parser.parse_args().notebook.resolve()
    if path.is_dir():
        path = path / f"{path.name}.ipynb"
    with contextlib.suppress(AttributeError):  # in a notebook's cell there is nothing to set
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            return look(path, folder_of(path, Path(place)))
        except NotReady as error:
            print(f"{error}.\n\nNot ready to hand in.")
            return 1


def look(path: Path, helpers: Path) -> int:
    """What `main` gives, with the notebook's helpers in a folder."""
    found = Findings()
    exercises = exercises_in(helpers)
    cells, notes = read(path, helpers)
    saved = time.strftime("%Y-%m-%d at %H:%M", time.localtime(path.stat().st_mtime))
    print(f"{path.name}, saved {saved}, runs from top to bottom as at grading:")
    print("without the demonstrations, in an empty folder.\n")
    to_run = [cell for cell in cells if runs(cell, cells, exercises)]
    events, standing = run(to_run, helpers, path.parent, exercises)
    found.remarks += notes
    if helpers == path.parent and path.stem != path.parent.name:
        found.remarks.append(
            f"the file is called {path.name}, its folder {path.parent.name}: hand it in under the "
            "name that the course gave it"
        )
    for name in exercises:
        look_at_exercise(name, standing, found)
    look_at_cells(cells, to_run, exercises, standing, found)
    look_at_events(events, cells, path.parent, found)
    left = [name for name in exercises if standing[name]["state"] in ("unwritten", "begun")]
    if len(left) == len(exercises) and not any(row["passed"] for row in standing.values()):
        found.problems.append(
            "no exercise is written: is this the file that you worked in, and is it saved?"
        )
    elif left:
        found.remarks.append(
            f"still to be written, and worth nothing until then: {', '.join(left)}"
        )
    for title, sentences in (("Would cost marks", found.problems), ("To know", found.remarks)):
        if sentences:
            print(f"\n{title}:", *dict.fromkeys(sentences), sep="\n  - ")
    rows = standing.values()
    print(
        f"\n{sum(row['state'] == 'written' for row in rows)} of {len(rows)} exercises written; "
        f"{sum(row['passed'] for row in rows)} of {sum(row['checks'] for row in rows)} "
        "public checks passed; hidden checks run at grading."
    )
    print("Not ready to hand in." if found.problems else "Ready to hand in.")
    return 1 if found.problems else 0


# ------------------------------------------------------------------------------- the file


def folder_of(path: Path, place: Path) -> Path:
    """Where the notebook's helpers are: those that it carries are unpacked into `place`."""
    if not path.is_file():
        raise NotReady(f"There is no file {path}")
    with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError, OSError):
        for cell in json.loads(path.read_bytes())["cells"]:
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            packed = re.search(r'^_unpack\(\s*"""([\w+/=\s]+)"""', source, re.MULTILINE)
            if packed and "def _unpack(" in source:
                with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed[1]))) as kit:
                    kit.extractall(place)
                return place
    if not (path.with_name("public_checks.py").is_file() and path.with_name("coursekit").is_dir()):
        raise NotReady(
            f"public_checks.py and coursekit do not lie beside {path.name}: "
            "keep it in the folder in which it came"
        )
    return path.parent


def exercises_in(helpers: Path) -> list[str]:
    """The exercises' names, from the public checks: every exercise has one."""
    text = (helpers / "public_checks.py").read_text(encoding="utf-8")
    return list(dict.fromkeys(re.findall(r"^def test_(\w+?)__", text, re.MULTILINE)))


def read(path: Path, helpers: Path) -> tuple[list[Any], list[str]]:
    """The notebook's cells and what the grader notices; NotReady where it could read none."""
    sys.path.insert(0, str(helpers))
    try:
        ipynb = importlib.import_module("coursekit.ipynb")
    except ImportError as error:
        raise NotReady(lacking(error)) from None
    finally:
        sys.path.pop(0)
    try:
        if path.stat().st_size > ipynb.MAX_BYTES:
            raise NotReady(f"{path.name}: {ipynb.too_large(path.stat().st_size)}")
        cells, notes = ipynb.read_cells(ipynb.without_outputs(path.read_bytes()))
    except ipynb.NotebookError as error:
        raise NotReady(
            f"{path.name} is no notebook that can be read: {error}. Open it in Jupyter and save it "
            "again, or go back to a copy that can be opened"
        ) from None
    return cells, notes


def lacking(error: ImportError) -> str:
    if str(error.name).startswith("coursekit"):
        return (
            f"{error.name} is not in the notebook's folder: this script and the folder are of "
            "different versions; take both from the same place"
        )
    return (
        f"{error.name} cannot be imported. In this script's folder: "
        f"{sys.executable} -m pip install -r requirements.txt"
    )


def grader_s_python() -> tuple[int, int]:
    """The version that requirements.txt names; else the oldest that the course runs on."""
    with contextlib.suppress(OSError):
        text = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8")
        if found := re.search(r"graded with Python (\d+)\.(\d+)", text):
            return int(found[1]), int(found[2])
    return 3, 11


# --------------------------------------------------------------------------- running it


def run(
    cells: list[Any], helpers: Path, folder: Path, exercises: list[str]
) -> tuple[list[Event], dict[str, Standing]]:
    """What happened in the cells, and how far each exercise is after them."""
    left_out: list[Event] = []
    job = {
        "cells": [[cell.number, cell.source, cell.grade_id] for cell in cells],
        "exercises": exercises,
        "left_out": left_out,
        "folder": str(folder),
        "python": grader_s_python(),
    }
    while True:
        try:
            return _run(job, helpers, cells)
        except Ended as ended:
            left_out.append(ended.event)
            if len(left_out) > MAX_LEFT_OUT:
                raise NotReady(
                    f"{MAX_LEFT_OUT} statements and more ended Python, or did not end; one of them "
                    f"is in {numbered(cells, ended.event['cell'])}"
                ) from None


def _run(
    job: dict[str, Any], helpers: Path, cells: list[Any]
) -> tuple[list[Event], dict[str, Standing]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in GIVEN:
            if (helpers / name).is_file():
                shutil.copy(helpers / name, folder)
        shutil.copytree(helpers / "coursekit", Path(folder, "coursekit"))
        file = Path(folder, ".job.json")
        file.write_text(json.dumps(job), encoding="utf-8")
        return _followed(file, cells)


def _followed(job: Path, cells: list[Any]) -> tuple[list[Event], dict[str, Standing]]:
    """Runs the job in a process of its own, and listens to it."""
    no_gpu = {"CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-B", __file__, "--run", str(job)],
            cwd=job.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | no_gpu,
            start_new_session=True,
        )
        heard: queue.Queue[bytes] = queue.Queue()
        assert process.stdout is not None
        listener = threading.Thread(target=_listen, args=(process.stdout, heard), daemon=True)
        listener.start()
        threading.Thread(target=_when_over, args=(process,), daemon=True).start()
        events: list[Event] = []
        standing: dict[str, Standing] = {}
        at, last = "", Event()
        try:
            while line := heard.get(timeout=PATIENCE if "statement" in last else LONG_PATIENCE):
                event = json.loads(line)
                if "standing" in event:
                    standing[event["name"]] = event["standing"]
                elif event.keys() & {"error", "uses", "skipped", *STOPPED}:
                    events.append(event)
                elif "at" in event:
                    last = event
                    at = event["at"] or numbered(cells, event["cell"])
                    if sys.stdout.isatty():
                        print(f"\r{at:<60}", end="", flush=True)
                elif "done" in event:
                    return events, standing
        except queue.Empty:
            if "statement" in last:
                raise Ended(last, slow=last["line"], allowed=SECONDS) from None
            raise NotReady(
                f"After {LONG_PATIENCE / 60:.0f} minutes this still ran: {at}. Look for a loop "
                "without an end"
            ) from None
        finally:
            process.kill()
            listener.join(PATIENCE)
            if not listener.is_alive():
                process.stdout.close()
            if sys.stdout.isatty():
                print(f"\r{'':<60}\r", end="")
        if "statement" in last:
            raise Ended(last, ended=last["line"])
        if at:
            raise NotReady(f"Python itself ended in {at}; it may need too much memory")
        errors.seek(0)
        words = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        raise NotReady(
            f"{sys.executable} does not start here ({words[0] if words else 'without a word'}). "
            "Run check_environment.py, and see that the folder's files are as they came"
        )


def _when_over(process: subprocess.Popen[bytes]) -> None:
    """Ends what it started and left, which would keep its line open."""
    process.wait()
    if end := getattr(os, "killpg", None):  # not on Windows
        with contextlib.suppress(OSError):
            end(process.pid, 9)


def _listen(pipe: Any, heard: queue.Queue[bytes]) -> None:
    for line in pipe:
        heard.put(line)
    heard.put(b"")


def runs(cell: Any, cells: list[Any], exercises: list[str]) -> bool:
    """Whether the grader runs it: no demonstration, no check, and no untouched cell of what is
    answered elsewhere, which must not overwrite the answer."""
    if cell.kind != "code" or not cell.text or cell.grade_id.startswith(("demo_", "check_")):
        return False
    bare = not any(one.grade_id for one in cells)  # saved by a tool that keeps no metadata
    if bare and re.match(r"with demo\(\):|check\(|summary\(\)", cell.text):
        return False
    if not is_untouched(cell, exercises):
        return True
    others = (one for one in cells if not is_untouched(one, exercises))
    elsewhere = {name for one in others for name in one.defines}
    return not (cell.defines and cell.defines <= elsewhere)


def is_untouched(cell: Any, exercises: list[str]) -> bool:
    # Looked for here: the notebook may carry a kit that is older than this script.
    stub = re.search(r"# YOUR CODE HERE\s+raise NotImplementedError", cell.source)
    return cell.grade_id in exercises and stub is not None


def numbered(cells: list[Any], number: int) -> str:
    return next((place(cell) for cell in cells if cell.number == number), f"cell {number}")


def place(cell: Any) -> str:
    """The words for a cell; cells are counted from 1, texts too."""
    name = f" (the cell of {cell.grade_id})" if cell.grade_id else ""
    return f"cell {cell.number}{name}"


# ------------------------------------------------------- the process that runs the cells


def serve(job: Path) -> None:
    """Runs a job's cells with the grader's own reading of cells, and tells what happens."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 – until the end
    os.dup2(silent.fileno(), 1)
    sys.stdout = silent
    asked = json.loads(job.read_bytes())
    job.unlink()
    sys.path[0] = str(job.parent)
    sys.path.append("")  # as at grading, also from another folder
    Desk(asked, job.parent, told).run()


class Desk:
    """A job's cells as they run, and what is told of them."""

    def __init__(self, asked: dict[str, Any], place: Path, told: TextIO) -> None:
        self.cells, self.exercises = asked["cells"], asked["exercises"]
        self.python = tuple(asked["python"])
        self.left_out = {(event["cell"], event["statement"]): event for event in asked["left_out"]}
        self.told = told
        kit = importlib.import_module("coursekit.cells")
        self.notebook = importlib.import_module("coursekit.notebook")
        self.state = importlib.import_module("coursekit.state")
        self.kernel = kit.Kernel()
        sys.modules["__main__"] = self.kernel.module
        gc.disable()  # nothing of an import is garbage; to look for it takes a tenth of its time
        with contextlib.suppress(ImportError):
            torch: Any = importlib.import_module("torch")
            torch.compile = lambda model=None, **options: model or (lambda function: function)
        gc.enable()
        if any(re.search(r"\b(figures|coursekit)\b", source) for _, source, _ in self.cells):
            self.kernel.namespace["figures"] = importlib.import_module("figures")
        self.cell, self.costs = 0, True
        """Where it is, and whether what goes wrong there would cost marks."""
        self.spent = 0.0
        self.standing: dict[str, Standing] = {}
        sys.addaudithook(watcher(Path(asked["folder"]), place, self.here))
        checks = Path("public_checks.py").read_text(encoding="utf-8")
        self.roots = {*self.exercises, *re.findall(r"\bstudent\.(\w+)", checks)}
        self.need = Need(kit, self.cells, self.exercises, self.roots)

    def run(self) -> None:
        for number, source, name in self.cells:
            self.cell = number
            self.tell(at="", cell=number)
            self._run_cell(f"cell {number}", source, self.need.steps[number])
            if name in self.exercises and not self._is_good(name):
                self._ask(name)  # here, as a later cell may change what it needs
        for name in self.exercises:
            if not self._is_good(name):
                self._ask(name)
            self.tell(name=name, standing=self.standing[name])
        self.tell(done=True)

    def tell(self, **event: Any) -> None:
        print(json.dumps(event), file=self.told, flush=True)

    def here(self, **event: Any) -> None:
        self.tell(cell=self.cell, costs=self.costs, **event)

    def _run_cell(self, label: str, source: str, steps: list[_Step]) -> None:
        try:
            statements = self.kernel.read(source, label)
        except SyntaxError as error:
            self.costs = self._is_needed(steps[0])
            self.here(**told_of(error, f"<{label}>"))
            return
        if newer := line_of_newer_syntax(source, self.python):
            costs = any(map(self._is_needed, steps))
            self.tell(cell=self.cell, newer=newer, costs=costs)
        self.kernel.shell.skipped.clear()
        for one, statement in enumerate(statements):
            self.costs = self._is_needed(steps[one])
            if (self.cell, one) in self.left_out:
                self.tell(**self.left_out[self.cell, one])
            else:
                self._run_statement(label, one, statement)
        for line in self.kernel.shell.skipped[:5]:
            self.tell(cell=self.cell, skipped=line)

    def _run_statement(self, label: str, one: int, statement: Any) -> None:
        self.here(at="", statement=one, line=statement.first)
        for module in imported(statement.code) - PACKAGES:
            written = Path(f"{module}.py").exists()  # by a cell, but for the checks
            if not written or module == "public_checks":
                self.here(lacks=module)
        started = time.process_time()
        try:
            self.kernel.run(label, one)
        except BaseException as error:
            self.here(**told_of(error, f"<{label}>"))
        allowed = SECONDS if self.spent < ALL_SECONDS else LATE_SECONDS
        took = time.process_time() - started
        self.spent += took
        if took > allowed:
            self.here(slow=statement.first, allowed=allowed)
        self.state.usable_device()

    def _is_needed(self, step: _Step) -> bool:
        names = self.kernel.namespace
        modules = {x for x in step.changes if isinstance(names.get(x), types.ModuleType)}
        needed = self.need.below.get(step.place, self.roots)
        return bool((step.gives | step.changes - modules) & needed)

    def _ask(self, name: str) -> None:
        self.cell, self.costs = 0, True
        self.tell(at=f"the checks of {name}", cell=0)
        # In the notebook's own namespace: whose function raised is told by its globals.
        given = {"_standing": self.notebook.standing}
        self.standing[name] = eval(f"_standing({name!r})", self.kernel.namespace, given)

    def _is_good(self, name: str) -> bool:
        row = self.standing.get(name)
        return row is not None and row["state"] == "written" and not (row["failed"] or row["waits"])


def watcher(
    beside: Path, place: Path, tell: Callable[..., None]
) -> Callable[[str, tuple[Any, ...]], None]:
    """Of what Python does, tells what is looked for that will not be there: beside the notebook,
    among the student's own files, on the network."""
    own = own_files(beside, place)

    def watch(name: str, args: tuple[Any, ...]) -> None:
        if name == "socket.getaddrinfo" and args[0] not in (None, "", "localhost", "127.0.0.1"):
            tell(network=True)
        wanted = args[0] if args and name in ("open", "import") else None
        if not isinstance(wanted, str) or not wanted:
            return
        if os.path.isabs(wanted):
            if name == "open" and own(wanted):
                tell(uses=wanted, module=False)
            return
        wanted = wanted.partition(".")[0] + ".py" if name == "import" else wanted
        there = (beside / wanted).exists() and not Path(wanted).exists()
        if there and Path(wanted).name not in GIVEN:
            tell(uses=wanted, module=name == "import")

    return watch


def told_of(error: BaseException, filename: str) -> Event:
    """An exception: its name, its words, and the last line of the cell that it came through."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == filename:
        line = error.lineno
    try:
        why = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:
        why = ""
    missing = error.name if isinstance(error, ModuleNotFoundError) else ""
    return {"error": type(error).__name__, "why": why, "line": line, "module": missing or ""}


class Need:
    """The names on which exercises stand, below each statement: for what is judged below an
    exercise's own cell, and for what is judged at the end. What is given anew before that is not
    among them."""

    def __init__(self, kit: Any, cells: list[Any], exercises: list[str], roots: set[str]) -> None:
        self.below: dict[tuple[int, int], set[str]] = {}
        self.steps: dict[int, list[_Step]] = {}
        steps: list[_Step] = []
        flags = 0
        for number, source, name in cells:
            own = self.steps[number] = []
            try:
                statements, flags = kit.read(source, f"<cell {number}>", flags)
                own += [_step((number, one), source, it) for one, it in enumerate(statements)]
            except SyntaxError:
                own.append(_Step((number, 0), defined_by(source)))
            steps += own
            if name in exercises:
                self._look_back(steps, {x for step in own for x in step.gives & roots})
        self._look_back(steps, roots)

    def _look_back(self, steps: list[_Step], asked: set[str]) -> None:
        """What functions ask for counts wherever they may be called: at the end, and in what is
        not a definition."""
        size = -1
        while size < len(asked):
            size, needed = len(asked), set(asked)
            for step in reversed(steps):
                self.below.setdefault(step.place, set()).update(needed)
                if (step.gives | step.changes) & needed:
                    asked = asked | step.later
                    needed = needed - step.anew | step.asks
                    if not step.plain:
                        needed |= asked


class _Step(NamedTuple):
    """A statement: the names that it gives a value, in any case or perhaps, that it changes, and
    that it asks for, at once or in its functions."""

    place: tuple[int, int]
    gives: Set[str] = frozenset()
    anew: Set[str] = frozenset()
    changes: Set[str] = frozenset()
    asks: Set[str] = frozenset()
    later: Set[str] = frozenset()
    plain: bool = True


_GIVES_ANEW = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.Import, ast.ImportFrom)


def _step(place: tuple[int, int], source: str, statement: Any) -> _Step:
    text, code = text_of(source, statement), statement.code
    gives, nodes = _names(code, *_STORE), []
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        nodes = ast.parse(text).body
    anew = gives if nodes and all(isinstance(one, _GIVES_ANEW) for one in nodes) else set()
    asks = _asked_for(code)
    return _Step(
        place, gives, anew, changed_by(text), asks, asks - _names(code, *_LOAD), statement.plain
    )


_STORE, _LOAD = ("STORE_NAME", "STORE_GLOBAL"), ("LOAD_NAME", "LOAD_GLOBAL")


def _asked_for(code: Any) -> set[str]:
    """The names that some code asks for, its functions too, and what may be one, as in
    `globals()["helper"]`."""
    found = set()
    for one in _codes(code):
        found |= _names(one, *_LOAD)
        if one is not code:
            found |= {x for x in one.co_consts if isinstance(x, str) and x.isidentifier()}
    return found


def imported(code: Any) -> set[str]:
    """The modules that a statement imports at any depth."""
    names = {name for one in _codes(code) for name in _names(one, "IMPORT_NAME")}
    return {name.partition(".")[0] for name in names} - {""}


def _codes(code: Any) -> Iterator[types.CodeType]:
    """A statement's code and that of all functions in it; none of what is no Python."""
    if isinstance(code, types.CodeType):
        yield code
        for inner in code.co_consts:
            yield from _codes(inner)


def _names(code: Any, *operations: str) -> set[str]:
    found = dis.get_instructions(code) if isinstance(code, types.CodeType) else ()
    return {str(one.argval) for one in found if one.opname in operations}


def changed_by(text: str) -> set[str]:
    """The names of what a statement changes: `table["relu"] = relu`, `steps.append(backward)`."""
    found = set()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        for node in ast.walk(ast.parse(text)):
            root: Any = None
            if isinstance(node, (ast.Subscript, ast.Attribute)):
                root = None if isinstance(node.ctx, ast.Load) else node
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                root = node.value.func if isinstance(node.value.func, ast.Attribute) else None
            while isinstance(root, (ast.Subscript, ast.Attribute)):
                root = root.value
            if isinstance(root, ast.Name):
                found.add(root.id)
    return found


def defined_by(text: str) -> set[str]:
    """Of a cell that is no Python: the names that it seems to define, import or give a value."""
    defines = r"^[^\w\n#]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)"  # indented, or after a prompt
    found = set(re.findall(defines, text, re.MULTILINE))
    given = re.findall(r"^([*(]?\w[\w \t,*()]*)(?::[^=\n]*)?=(?!=)", text, re.MULTILINE)
    given += re.findall(r"^(?:from|import)[ \t](.*)", text, re.MULTILINE)
    return found.union(*(re.findall(r"\w+", one) for one in given))


def text_of(source: str, statement: Any) -> str:
    return "\n".join(source.split("\n")[statement.first - 1 : statement.last])


def own_files(beside: Path, place: Path) -> Callable[[str], bool]:
    """Tells whether an absolute path is of a file of the student's own, and no program's."""
    homes = [beside, Path.home()] if len(Path.home().parts) > 1 else [beside]
    system = [sys.prefix, sys.base_prefix, *map(os.path.abspath, sys.path), str(place)]

    def own(path: str) -> bool:
        for home in homes:
            with contextlib.suppress(ValueError):
                inner = Path(path).relative_to(home).parts
                hidden = any(part[0] in ".~" for part in inner) or inner[:1] in _OF_PROGRAMS
                return not hidden and not any(Path(path).is_relative_to(one) for one in system)
        return False

    return own


_OF_PROGRAMS = (("Library",), ("AppData",), ("snap",))


def line_of_newer_syntax(source: str, python: tuple[int, int]) -> int:
    """Where a statement starts that needs a newer Python than the grader's; 0 if none does."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        for node in ast.parse(source).body:
            try:
                ast.parse(ast.get_source_segment(source, node) or "", feature_version=python)
            except SyntaxError:
                return node.lineno
    return 0


# ----------------------------------------------------------------------------- what it says


def look_at_exercise(name: str, standing: dict[str, Standing], found: Findings) -> None:
    """Prints an exercise's line and notes what it would cost."""
    row = standing[name]
    state, passed, checks = row["state"], row["passed"], row["checks"]
    good = state == "written" and not row["waits"]
    mark = "✗" if row["failed"] or state == "missing" else "✓" if good else "·"
    words = {"unwritten": "still to be written", "begun": "written in part", "missing": "not there"}
    counts = f"public checks: {passed} of {checks}" if state in ("written", "begun") else ""
    print(f" {mark} {name:<24} {words.get(state, state):<20} {counts}".rstrip())
    if row["waits"]:
        found.remarks.append(f"{name} could not be tried in full: {row['waits']}")
    # At grading it meets right ones; what needs an unwritten one waits, and has not failed.
    if first := " and ".join(one for one in row["first"] if standing[one]["failed"]):
        found.remarks.append(f"{name} fails a public check; it uses {first}, to be mended first")
    elif row["failed"]:
        # The cell itself may say otherwise: here is not all that is there on the desk.
        why = f"; here {row['why']}" if row["why"] else ""
        found.problems.append(
            f"{name} fails a public check: run the cell below it, it says why{why}"
        )
    if state == "missing":
        found.problems.append(
            f"{name} is not defined: mend its cell, or take it from a fresh copy of the notebook"
        )


def look_at_cells(
    cells: list[Any],
    run: list[Any],
    exercises: list[str],
    standing: dict[str, Standing],
    found: Findings,
) -> None:
    """Cells that are there twice or gone, and of those that run the ones that give names another
    value."""
    ids = [cell.grade_id for cell in cells]
    for name in exercises:
        if ids.count(name) > 1:
            found.remarks.append(f"{name} has {ids.count(name)} cells; the better one counts")
        elif name not in ids:
            found.remarks.append(f"the cell of {name} is gone; what other cells define counts")
    for cell in cells:
        if cell.kind != "code" and cell.grade_id in exercises and cell.text:
            found.at(standing[cell.grade_id]["state"] != "written").append(
                f"{place(cell)} is no code cell any more; make it one again"
            )
    first: dict[str, Any] = {}
    for cell in run:
        for name in sorted(cell.binds & first.keys()):
            if first[name].grade_id != cell.grade_id:
                found.remarks.append(
                    f"{place(cell)} gives {name} a new value, which {place(first[name])} defines; "
                    "the better one counts"
                )
        if cell.grade_id in exercises:
            first |= dict.fromkeys(cell.defines, cell)
    taken = importlib.import_module("coursekit.ipynb").taken
    for cell, name in taken(run, [one for one in run if one.grade_id in exercises]):
        found.remarks.append(
            f"{place(cell)} gives {name}, a name of Python's own, a new value, for all cells"
        )


STOPPED = {
    "slow": "{where}, line {slow}, took more than {allowed:g} s; at grading it is not finished",
    "ended": "{where}, line {ended}, ended Python itself (it may need too much memory) "
    "and is left out at grading",
    "lacks": "{where} imports {lacks}, which is not there at grading: the course's packages are "
    "those of requirements.txt",
    "newer": "{where}, line {newer}, needs a newer Python than the grader's {python}",
    "network": "{where} asks for the network, which is not there at grading",
}


def look_at_events(events: list[Event], cells: list[Any], folder: Path, found: Findings) -> None:
    """What stopped, took long, or was looked for beside the notebook."""
    shown_only = names_of_demonstrations(cells)
    python = ".".join(map(str, grader_s_python()))
    by_number = {cell.number: cell for cell in cells}
    for event in events:
        cell = by_number.get(event["cell"])
        where = place(cell) if cell else "a function"
        kind = next((name for name in STOPPED if name in event), None)
        if "skipped" in event:
            found.remarks.append(f"{where}: {event['skipped']} does not run at grading")
        elif "uses" in event:
            there = "" if os.path.isabs(event["uses"]) else "lies beside the notebook and "
            what = "import its code" if event["module"] else "read it"
            found.at(event["costs"]).append(
                f"{event['uses']} {there}will not be there at grading: "
                f"{where} cannot {what}; put what it needs into the notebook"
            )
        elif kind:
            said = STOPPED[kind].format(where=where, python=python, **event)
            found.at(event["costs"]).append(f"{said}; {AND_THEN[event['costs']]}")
        elif cell is not None:
            _stopped(event, cell, folder, shown_only, found)


def _stopped(event: Event, cell: Any, folder: Path, shown_only: set[str], found: Findings) -> None:
    if event["module"] and (folder / f"{event['module'].partition('.')[0]}.py").exists():
        return  # said already, with the file
    why = event["why"].split("\n")[0][:200]
    line = f" in line {event['line']}" if event["line"] else ""
    missing = re.match(r"name '(\w+)' is not defined", why)
    if missing and missing[1] in shown_only:
        said = f"uses {missing[1]} from a demonstration, which does not run at grading"
    else:
        said = f"stops{line} with {event['error']}: {why}"
    found.at(event["costs"]).append(f"{place(cell)} {said}; {AND_THEN[event['costs']]}")


def names_of_demonstrations(cells: list[Any]) -> set[str]:
    """The variables that only demonstrations make."""
    names, others = set(), set()
    for cell in cells:
        if cell.kind == "code" and cell.grade_id.startswith("demo_"):
            with contextlib.suppress(SyntaxError, ValueError, RecursionError):
                names |= _names(compile(cell.source, "a demonstration", "exec"), *_STORE)
        else:
            others |= cell.binds
    return names - others


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        serve(Path(sys.argv[2]))
        os._exit(0)  # whatever the cells have left running
    for name in ("SIGHUP", "SIGTERM"):  # as Ctrl-C: what runs the cells does not hear of them
        with contextlib.suppress(AttributeError):  # not on Windows
            if signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
                signal.signal(getattr(signal, name), lambda *_: sys.exit(1))
    sys.exit(main())
