"""Kinds that an attacker with the source in hand found: each is one that no list had named.

They are cheap, and none depends on which of several limits comes first.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import io
import itertools
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from coursekit import CheckFailed, StudentError

from autograder.course import Cell, load_assignment
from autograder.errors import CageError, WorkerEnded
from autograder.exchange import archive as archives
from autograder.exchange.collect import collect
from autograder.files import harmless, plain, write_atomically
from autograder.grading.explain import no_more_than
from autograder.judging import judge as judging
from autograder.judging.answers import cells
from autograder.judging.judge import Check, Judge
from autograder.judging.student import Student
from autograder.judging.submission import attempt_salt, read_submission
from autograder.records import history
from autograder.records.gradebook import notebooks
from autograder.results import Result, Store
from autograder.sandbox import bubblewrap, process, watch
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.protocol import LIMITS
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.levels import Level
from autograder.sandbox.protocol import InProcess
from autograder.sandbox.watch import Budget

BACKPROP = load_assignment("backprop")
MALLORY, ALICE = "Mallory_9_assignsubmission_file_", "Alice Smith_7_assignsubmission_file_"
HONEST = {f"{ALICE}/backprop.ipynb": b"{}"}


# ------------------------------------------------------------------------------ what is told


@pytest.mark.parametrize(
    "value",
    [
        "[[np.arange(30.0)] * 20] * 20",
        "[[[np.arange(30.0)] * 9] * 9] * 9",
        "{str(n): np.arange(30.0) for n in range(40)}",
        "{str(n): object() for n in range(40)}",
        "((np.arange(30.0),) * 7, [object()] * 30)",
    ],
)
@pytest.mark.parametrize("hidden", [True, False])
def test_a_value_of_many_parts_is_told_in_words(value: str, hidden: bool) -> None:
    """Each part that is too large to be written out gets a name, and names are without end."""
    code = [*cells(BACKPROP), Cell("cell 99", f"def mse_loss(a, b):\n    return {value}\n")]

    def test_mse_loss__is_small(student: Any) -> None:
        returned = student.mse_loss(np.ones(3), np.ones(3))
        student.mse_loss(returned, returned)
        raise CheckFailed("value", "returned another value", returned=returned, expected=1.0)

    check = Check(test_mse_loss__is_small, hidden)
    result = Judge(BACKPROP).run(check, Student(InProcess(code)), "salt")
    assert (result.outcome, result.kind) == ("failed", "value")
    assert "mse_loss" in result.message
    assert len(result.message) < 3000


def test_what_is_told_is_text_for_every_terminal() -> None:
    source = "def mse_loss(a, b):\n    raise ValueError('\x1b]0;me\x07 \u202e \x9b31m')\n"
    code = [*cells(BACKPROP), Cell("cell 99", source)]
    (result,) = Judge(BACKPROP).judge(
        Student(InProcess(code)), "salt", [BACKPROP.exercise("mse_loss")]
    )
    told = "".join(check.message for check in result.checks)
    assert "]0;me" in told
    assert all(letter.isprintable() or letter == "\n" for letter in told)


def test_what_cannot_be_put_into_words_is_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a message stumbles over: the verdict stands, and nobody else's does fall."""
    told = judging.describe

    def stumbles(*args: Any, **named: Any) -> str:
        if args[3]:
            raise StopIteration
        return told(*args, **named)

    monkeypatch.setattr(judging, "describe", stumbles)
    code = [*cells(BACKPROP), Cell("cell 99", "def mse_loss(a, b):\n    return 'no'\n")]
    wanted = [BACKPROP.exercise(name) for name in ("mse_loss", "forward")]
    found = {r.name: r for r in Judge(BACKPROP).judge(Student(InProcess(code)), "salt", wanted)}
    assert found["forward"].status == "right"
    assert (found["mse_loss"].status, found["mse_loss"].points) == ("wrong", 0.0)
    assert "cannot be put into words" in found["mse_loss"].message


@pytest.mark.parametrize("gives", ["repr(b)", "(repr(b), 1.0)", "'forward'"])
def test_a_text_that_came_back_names_nothing(gives: str) -> None:
    """As the name of what is called next, it would stand in a hidden check's message, with all that
    the check had asked."""
    code = [*cells(BACKPROP), Cell("cell 99", f"def mse_loss(a, b):\n    return {gives}\n")]

    def test_mse_loss__is_a_model(student: Any) -> None:
        model = student.mse_loss(np.ones(3), np.full(2, 0.123))
        student.keeping(model[0] if isinstance(model, tuple) else model, np.ones(3))

    result = Judge(BACKPROP).run(
        Check(test_mse_loss__is_a_model, True), Student(InProcess(code)), "salt"
    )
    assert (result.outcome, result.kind) == ("failed", "type")
    assert "0.123" not in result.message
    assert "forward" not in result.message
    assert "should return a function or a model, returned a str" in result.message


def test_what_is_said_to_be_missing_is_what_was_asked_for() -> None:
    """A session that somebody patched may say any name, and the nearest of the cell's is told."""
    source = "def mse_los1(a, b):\n    pass\n\ndef other_name(a, b):\n    pass\n"
    transport = InProcess([Cell("the cell of mse_loss", source)])
    student: Any = Student(transport)

    def forged(request: bytes) -> bytes:
        text = "other_nam is not defined"
        return encode({"ok": False, "kind": "missing", "type": "NameError", "text": text})

    student.begin("mse_loss", 1, {"mse_loss": "mse_loss"}, hidden=True)
    transport.ask = forged  # type: ignore[method-assign]
    with pytest.raises(StudentError, match=r"^is not defined, but mse_los1 is$"):
        student.mse_loss(1.0, 2.0)


# --------------------------------------------------------------------------- what is known


def _notebook(*sources: str) -> bytes:
    code = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources
    ]
    return msgspec.json.encode({"cells": code, "nbformat": 4, "metadata": {}})


def test_where_a_cell_ends_is_no_place_for_a_lesson() -> None:
    """A NUL in a cell that does not run looked like the end of that cell: forty such places would
    have told the next attempt forty bits of what this one was asked, at the same inputs."""
    two = _notebook("%%bash\nls", "print(1)")
    one = _notebook("%%bash\nls\0cell 2\0print(1)")
    other = _notebook('%%bash\nls", "cell 2", "print(1)')
    salts = {
        attempt_salt("salt", read_submission(data, BACKPROP), BACKPROP)
        for data in (two, one, other)
    }
    assert len(salts) == 3


# ------------------------------------------------------------------------------- archives


def _zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w", method) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return text.getvalue()


def _written(folder: Path, files: dict[str, bytes]) -> list[str]:
    folder.mkdir()
    (folder / "archive.zip").write_bytes(_zip(files))
    found = collect(folder / "archive.zip", BACKPROP, folder)
    named = any("Mallory" in line for line in found.left_out)
    assert named or len(found.written) == 2, "who is left out is named"
    return found.written


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_no_way_of_packing_stops_the_others(method: int, tmp_path: Path) -> None:
    """Each method has errors of its own: LZMA's are no relatives of any other."""
    good = bytearray(_zip({"backprop.ipynb": bytes(range(256)) * 20}, method))
    data = good.index(b"backprop.ipynb") + len("backprop.ipynb")
    random.seed(method)
    for number in range(4):
        bad = good.copy()
        for _ in range(number + 1):
            bad[data + random.randrange(40)] ^= random.randrange(1, 256)
        files = {f"{MALLORY}/work.zip": bytes(bad)} | HONEST
        assert "alice_smith-7" in _written(tmp_path / str(number), files)


@pytest.mark.parametrize("error", [AssertionError, MemoryError, RecursionError, KeyError])
def test_whatever_stops_the_reading_of_a_file_is_its_owners(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = zipfile.ZipFile.open

    def stumbles(self: Any, member: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
        if mode == "r" and "Mallory" in member.filename:
            raise error
        return opened(self, member, mode, *args, **named)

    monkeypatch.setattr(zipfile.ZipFile, "open", stumbles)
    files = {f"{MALLORY}/backprop.ipynb": b"{}"} | HONEST
    assert _written(tmp_path / "course", files) == ["alice_smith-7"]


def test_archives_in_an_archive_hold_no_more_files_than_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """847 kB of nested archives with empty files took 11 s and 80 MB, 17 MB twenty times that."""
    monkeypatch.setattr(archives, "MAX_INNER_MEMBERS", 100)
    seen = 0
    listing = archives.listing

    def counted(*args: Any) -> archives.Listing:
        nonlocal seen
        found = listing(*args)
        seen += len(found.files)
        return found

    monkeypatch.setattr(archives, "listing", counted)
    one = _zip({f"{number}.py": b"" for number in range(40)})
    many = _zip({f"{number}.zip": one for number in range(30)})
    files = {f"{MALLORY}/work.zip": many} | HONEST
    assert _written(tmp_path / "course", files) == ["alice_smith-7"]
    assert seen <= 100 + 40 + 30


def test_folders_one_in_another_in_one_name_are_no_path(tmp_path: Path) -> None:
    """64 kB of them, in a name that is 32 000 folders deep, took 7 GB."""
    for deep, good in ((90, True), (30_000, False)):
        work = _zip({"a/" * deep + "b.ipynb": b"{}", ".x/" * (deep // 2) + "c.ipynb": b"{}"})
        (file,) = archives.listing(zipfile.ZipFile(io.BytesIO(_zip({"work.zip": work})))).files
        held = archives.inner(work, file)
        astray = [line for line in held.left_out if "too deep" in line]
        assert (len(held.files), len(astray)) == ((1, 0) if good else (0, 2))
        assert sum(map(len, held.folders)) < 10_000
    files = {f"{MALLORY}/work.zip": work} | HONEST
    assert _written(tmp_path / "course", files) == ["alice_smith-7"]


# ---------------------------------------------------------------------------------- names


def test_a_student_may_be_called_like_a_file_of_the_courses(tmp_path: Path) -> None:
    history.save_policy(tmp_path, "backprop", "best")
    folder = history.add(tmp_path, "backprop", "policy", b"{}", "")
    assert (folder / "backprop.ipynb").read_bytes() == b"{}"
    assert history.policy(tmp_path, "backprop") == "best"
    history.save_policy(tmp_path, "backprop", "last")
    assert history.policy(tmp_path, "backprop") == "last"
    assert history.folders(tmp_path, "backprop", "policy") == [folder]


def test_a_result_under_another_name_is_nobodys(tmp_path: Path) -> None:
    """Copied or edited by hand: it would be recorded for whom it names, wherever that leads."""
    result = Result(
        assignment="backprop",
        student="../../ada",
        points=100.0,
        max_points=100.0,
        isolation="full",
        submission_sha256="",
        checks_sha256="",
        seconds=0.0,
        status="graded",
    )
    store = Store(tmp_path)
    path = store.path("backprop", "ben")
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(result))
    assert store.load("backprop", "ben") is None
    assert store.all("backprop") == []
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(result, student="ben")))
    assert store.load("backprop", "ben") is not None
    store.save(msgspec.structs.replace(result, student="e\u0301ve"))
    store.path("backprop", "e\u0301ve").rename(store.path("backprop", "\xe9ve"))
    assert store.load("backprop", "\xe9ve") is not None, "another spelling is no other student"


@pytest.mark.parametrize(
    "text",
    [
        "a;=1+1",
        "a; =1+1",
        "a\t=1",
        "a\n=1",
        "a;\u3000\uff1d1",
        'a;"=1"',
        "a;'=1",
        "a;;-1-1;@x;+1+x",
    ],
)
def test_no_cell_begins_with_a_formula_whatever_separates_cells(text: str) -> None:
    """Where a semicolon separates, as in half of Europe, quotes in a line's middle are letters."""
    line = io.StringIO()
    csv.writer(line).writerow(["ada", harmless(text), 1.5])
    for one in csv.reader(line.getvalue().splitlines(), delimiter=";", quoting=csv.QUOTE_NONE):
        for cell in one[1:]:
            assert cell.strip("\"\t \u3000'")[:1] not in tuple("=+-@\uff1d") or "'" in cell[:4], one
    assert harmless("a; b = c; d-e") == "a; b = c; d-e"


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        *[(text, False) for text in ("mean; -0.5", "-0.5", "+2,5e-3; then", "x;\n-1\n", "-1;-2")],
        *[(text, True) for text in ("-0.5 of 3", "-1+cmd|' /C calc'!A0", "a; -1-A1", "+1e", "-.x")],
        *[(text, True) for text in ("-1\u00a0=1", "\uff0d1", "a;\u00a0=1", "-1\t=x", "a; -1; =1")],
    ],
)
def test_a_number_is_no_formula(text: str, runs: bool) -> None:
    assert (harmless(text) != text) == runs


def test_what_joins_letters_hides_no_formula_and_stays_in_a_name() -> None:
    assert harmless("\u200d=1+1").startswith("'")
    assert harmless("a;\u200c=1") != "a;\u200c=1"
    assert harmless("علی\u200cرضا") == plain("علی\u200cرضا") == "علی\u200cرضا"


# -------------------------------------------------------------------------- the one who writes


def test_a_page_is_written_whatever_its_code_does_to_the_reader(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "backprop.ipynb").write_bytes(_notebook("x = 1"))

    def stumbles(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(notebooks, "read_submission", stumbles)
    data, _ = notebooks.find_notebook(tmp_path, "backprop")
    result: Any = type("R", (), {"submission_sha256": notebooks.hashlib.sha256(data).hexdigest()})
    assert notebooks.graded_answers(tmp_path, BACKPROP, result) == {}


def test_a_report_is_written_whatever_its_code_does_to_the_reader(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from test_report import all_of, give

    from autograder.records import report, similar

    give(tmp_path, "ada", all_of("right"))
    write_atomically(tmp_path / "submitted/ada/lennard_jones/lennard_jones.ipynb", _notebook("x"))

    def stumbles(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(similar, "read_submission", stumbles)
    assert report.write_report(report.read_report("lennard_jones", tmp_path), tmp_path).is_file()


# ----------------------------------------------------------------------------------- limits


def test_explain_judges_with_the_graders_limits() -> None:
    """What passes them is the student's there too, and the process goes on as it was."""
    before = resource.getrlimit(resource.RLIMIT_AS)

    def test_mse_loss__is_small(student: Any) -> None:
        np.zeros(2**27)

    check = Check(test_mse_loss__is_small, hidden=True)
    with no_more_than(2**28):
        result = Judge(BACKPROP).run(check, Student(InProcess(cells(BACKPROP))), "salt")
    assert result.outcome == "failed"
    assert "takes too much" in result.message
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_more_clusters_than_were_asked_for_take_no_more_of_the_judges_memory() -> None:
    """Of 27 000 each two were compared: 3 GB, as much as a judge may have."""
    found = load_assignment("lennard_jones")
    code = "def sample_clusters(n, n_atoms, *_, **__): return np.random.rand(20_000, n_atoms, 3)"
    student = Student(InProcess([*cells(found), Cell("another", code)]))
    judge = Judge(found)
    (check,) = (one for one in judge.checks if one.name == "repeats_no_cluster")
    with no_more_than(2**29):
        result = judge.run(check, student, "salt")
    assert result.outcome == "failed"
    assert "takes too much" not in result.message


@pytest.mark.parametrize(("processes", "too_much"), [(5, False), (50, True)])
def test_memory_that_takes_long_to_count_is_counted_whole(
    processes: int, too_much: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty forks that share 1.4 GB took a second to count, and the next look came eight later:
    time to write to all of it."""
    clock = [0.0]

    def fair(pid: int) -> int:
        clock[0] += process._FAIR_SECONDS / 10
        return 2**20

    tree = process.Tree(os.getpid())
    monkeypatch.setattr(process.time, "thread_time", lambda: clock[0])
    monkeypatch.setattr(process, "own_bytes", lambda pid: 2**30 + tree._baseline // processes)
    monkeypatch.setattr(process, "_fair_bytes", fair)
    assert tree.holds_more_than(2**31, [*range(processes)]) == too_much
    assert clock[0] <= 2 * process._FAIR_SECONDS


def test_memory_that_is_not_counted_in_time_is_perhaps_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where forty processes computed, a user's count of what they share had so little of a core
    that it took forty seconds: 73 s were computed of 6, and nobody looked at the memory. Others
    may be why, so that this end is not certain, and tried again alone."""
    counted = threading.Event()
    monkeypatch.setattr(process, "own_bytes", lambda pid: 2**40)
    monkeypatch.setattr(process, "_fair_bytes", lambda pid: counted.wait(10) and 0)
    monkeypatch.setattr(process, "_WALL_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = watch.Watch(os.getpid(), ours)
        found.tree._baseline = 0
        found.look(0.0)
        with pytest.raises(WorkerEnded, match="of memory") as ended:
            found.look(0.0)
        assert found.tree.hurried
        assert ended.value.killed
        counted.set()
        found.look(0.0)
        assert not found.tree.hurried


def test_where_there_is_no_room_for_a_thread_that_counts_memory_counts_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A check's array, of a size that a student may choose, can leave the judge less than a stack:
    the watch ended by that, and a wrong answer was the grader's fault."""

    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tree = process.Tree(os.getpid())
    monkeypatch.setattr(process, "own_bytes", lambda pid: 2**30 + tree._baseline)
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert tree.holds_more_than(2**31, [*range(3)])
    assert not tree.holds_more_than(2**31, [0])


def test_a_look_that_took_long_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five counts of a second each are five in which nobody looks at the time."""
    clock, counts = [0.0], 0

    def count(limit: int, processes: list[int]) -> bool:
        nonlocal counts
        counts += 1
        clock[0] += 1.1
        return False

    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = watch.Watch(os.getpid(), ours)
        found.tree.missed = True
        monkeypatch.setattr(found.tree, "look", lambda: process.Sight(True, True, False, []))
        monkeypatch.setattr(found.tree, "holds_more_than", count)
        monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: clock[0]))
        found.look(0.0)
    assert counts == 2


def test_a_process_that_ends_while_it_is_counted_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = process.Tree(os.getpid())
    gone: set[int] = set()

    def fair(pid: int) -> int:
        gone.update(range(9))
        return 0

    monkeypatch.setattr(process, "own_bytes", lambda pid: 0 if pid in gone else 2**30)
    monkeypatch.setattr(process, "_fair_bytes", fair)
    assert not tree.holds_more_than(2**31, [*range(9)])


def test_memory_that_nobody_can_look_at_is_counted_whole(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel shows nobody a memory that it is just changing: with threads that had it do so
    without end, a look took seven seconds, and three other processes held six gigabytes."""
    monkeypatch.setitem(LIMITS, "memory", 2**29)
    looks = list[float]()
    look = watch.Watch.look

    def timed(found: watch.Watch, now: float) -> None:
        began = time.monotonic()
        try:
            look(found, now)
        finally:
            looks.append(time.monotonic() - began)

    monkeypatch.setattr(watch.Watch, "look", timed)
    source = """
import ctypes, mmap, os, threading, time
change = ctypes.CDLL(None).mprotect
change.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
def held(size):
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(15)
    for start in range(0, size, 2**20):
        memory[start : start + 2**20] = bytes(2**20)
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)), memory
large, kept = held(300 * 2**20)
small, kept_too = held(2**26)
for page in range(0, 2**26, 2**13):
    change(small + page, 2**12, 1)
def changes():
    while True:
        change(large, 300 * 2**20, 1)
        change(large, 300 * 2**20, 3)
for _ in range(5):
    if os.fork():
        continue
    for _ in range(10):
        threading.Thread(target=changes, daemon=True).start()
    time.sleep(60)
time.sleep(0.5)
for _ in range(4):
    if os.fork() == 0:
        mine = held(100 * 2**20)
        time.sleep(60)
time.sleep(60)
"""
    worker = cage.worker()
    with pytest.raises(WorkerEnded, match="of memory"):
        worker.ask(encode({"op": "run", "source": source, "label": "cell"}), Budget(300.0))
    assert max(looks) < 3.0


@pytest.mark.parametrize(("left", "ended"), [(2**33, False), (2**32, True)])
def test_memory_that_children_hand_on_before_it_is_counted_is_not_overlooked(
    left: int, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that forks and ends at once was gone whenever its memory was to be read, and the
    child that had it all was in no list yet. Who only starts and ends many loses nothing, and
    since others may have taken what is gone, the exercise is tried again alone."""
    with _missed_in_each_look(monkeypatch, left) as found:
        for _ in range(watch._HIDDEN - 1):
            found.look(0.0)
        refused = pytest.raises(WorkerEnded, match="of memory") if ended else None
        with refused or contextlib.nullcontext() as told:
            found.look(0.0)
        assert told is None or told.value.killed


def test_what_a_neighbour_holds_is_not_charged_to_who_is_missed_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty forks at once, again and again, were missed in one look of ten: beside somebody who
    took two gigabytes, the honest one was ended."""
    with _missed_in_each_look(monkeypatch, 2**32) as found:
        missing = process.children_of
        for number in range(3 * watch._HIDDEN):
            seen = number % watch._HIDDEN == watch._HIDDEN - 1
            told = (lambda *_: ([], True)) if seen else missing
            monkeypatch.setattr(process, "children_of", told)
            found.look(0.0)


def test_where_nobody_told_at_first_what_the_machine_had_nothing_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _missed_in_each_look(monkeypatch, 2**32, before=float("inf")) as found:
        for _ in range(2 * watch._HIDDEN):
            found.look(0.0)


@contextlib.contextmanager
def _missed_in_each_look(
    monkeypatch: pytest.MonkeyPatch, left: int, before: float = 2**33
) -> Iterator[watch.Watch]:
    """A watch of this process, one of whose children is always gone before it is looked at, on a
    machine that had 8 GB and has so much now."""
    number = itertools.count(10**9)
    monkeypatch.setattr(watch, "bytes_left", lambda: before)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = watch.Watch(os.getpid(), ours)
        monkeypatch.setattr(watch, "bytes_left", lambda: left)
        monkeypatch.setattr(
            process,
            "children_of",
            lambda pid, tasks: ([next(number)] if pid == os.getpid() else [], True),
        )
        yield found


@pytest.mark.parametrize(
    ("grown", "left", "ended"),
    [(2**30, 2**32, False), (2**32, 2**33, False), (2**32, 2**32, True)],
)
def test_what_the_kernel_itself_holds_more_is_taken_for_its_own(
    grown: int, left: int, ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who read in 200 files of /proc where it has mapped a file of a name of megabytes had the
    kernel keep gigabytes. Where the machine has no less for it, they are others'."""
    monkeypatch.setattr(watch, "kernels_own", lambda: 2**28)
    monkeypatch.setattr(watch, "bytes_left", lambda: 2**33)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = watch.Watch(os.getpid(), ours)
        monkeypatch.setattr(watch, "kernels_own", lambda: 2**28 + grown)
        monkeypatch.setattr(watch, "bytes_left", lambda: left)
        for _ in range(watch._HIDDEN - 1):
            found.look(0.0)
        refused = pytest.raises(WorkerEnded, match="of memory") if ended else None
        with refused or contextlib.nullcontext() as told:
            found.look(0.0)
        assert told is None or told.value.killed


@pytest.mark.skipif(sys.platform != "linux", reason="no thread has files of its own")
def test_sockets_that_a_thread_alone_has_are_counted() -> None:
    tree, made, seen = process.Tree(os.getpid()), threading.Event(), threading.Event()
    before = tree._buffers([os.getpid()])

    def hold() -> None:
        ctypes.CDLL(None).syscall(436, 2**20, 2**20, 2)  # from here on its table is its own
        ends = [end for _ in range(50) for end in socket.socketpair()]
        made.set()
        seen.wait()
        for end in ends:
            end.close()

    holder = threading.Thread(target=hold)
    holder.start()
    made.wait()
    held = tree._buffers([os.getpid()])
    seen.set()
    holder.join()
    assert held - before >= (100 - process._SOCKETS_UNCOUNTED) * process._socket_buffer()


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is told of open files")
def test_files_that_may_not_be_looked_at_are_taken_for_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Root without the right to trace, as in most containers, reads the names of another user's
    open files and not what they are: gigabytes in sockets were seen by nobody."""

    def refuses(path: str) -> str:
        raise PermissionError

    tree = process.Tree(os.getpid())
    ends = [end for _ in range(50) for end in socket.socketpair()]
    monkeypatch.setattr(process.os, "readlink", refuses)
    held = tree._buffers([os.getpid()])
    for end in ends:
        end.close()
    assert held >= (100 - process._SOCKETS_UNCOUNTED) * process._socket_buffer()


def test_who_has_ended_has_no_files_that_may_not_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another user than root may not list those of a process that nobody has waited for: forty of
    them "used more than 2 GB of memory"."""
    listed = os.listdir

    def refuses(path: str) -> list[str]:
        if path.endswith("/fd"):
            raise PermissionError
        return listed(path)

    tree = process.Tree(os.getpid())
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        monkeypatch.setattr(process.os, "listdir", refuses)
        assert tree._buffers([ended.pid]) == 0
    assert tree._buffers([os.getpid()]) > 0


def test_who_ends_while_its_children_are_seen_has_hidden_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To give back its memory takes a process milliseconds in which it is there and holds none."""
    tree = process.Tree(os.getpid())
    monkeypatch.setattr(process, "own_bytes", lambda pid: 0)
    missed = []
    for _ in range(2):
        tree.holds_more_than(2**31, tree.look().processes)
        missed.append(tree.missed)
    assert missed == [True, False]


@pytest.mark.parametrize(("ending", "looks"), [(False, 2), (True, 4)])
def test_memory_is_seen_more_often_where_processes_end_meanwhile(
    ending: bool, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0

    def look() -> process.Sight:
        nonlocal seen
        seen += 1
        return process.Sight(True, True, False, [*range(9 - seen * ending)])

    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = watch.Watch(os.getpid(), ours)
        monkeypatch.setattr(found.tree, "look", look)
        monkeypatch.setattr(found.tree, "holds_more_than", lambda *_: True)
        for _ in range(looks - 1):
            found.look(0.0)
        with pytest.raises(WorkerEnded, match="of memory"):
            found.look(0.0)
    assert seen == looks


@pytest.mark.parametrize(
    ("took", "suspect", "most"), [(0.0, 0, 0.05), (9.0, 0, 0.5), (9.0, 1, 0.05)]
)
def test_a_look_that_takes_long_is_soon_followed_by_another(
    took: float, suspect: int, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, waits = [0.0], list[float]()

    class Over(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return len(waits) > 3

    def look(now: float) -> None:
        clock[0] += took

    found = watch.Watch.__new__(watch.Watch)
    found._over, found._lock, found._suspect = Over(), threading.Lock(), suspect
    monkeypatch.setattr(found, "look", look)
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    found._run()
    assert waits[1:] == [most] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may go before others")
def test_who_watches_goes_before_sixty_processes_that_compute(cage: Cage) -> None:
    """They left a look so little of a core that it took five seconds: 20 s were computed of 6."""
    worker = cage.worker()
    watching = [one.native_id for one in threading.enumerate() if one.name == "watch"]
    assert {os.getpriority(os.PRIO_PROCESS, one or 0) for one in watching} == {-20}
    assert os.getpriority(os.PRIO_PROCESS, worker.pid) == os.getpriority(os.PRIO_PROCESS, 0)
    worker.kill()


TIMERS = {
    "alarm": """
import signal
def late(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, late)
signal.setitimer(signal.ITIMER_REAL, 0.2)
""",
    "faulthandler": "import faulthandler\nfaulthandler.dump_traceback_later(0.2, exit=True)\n",
}
"""A limit of one's own around a slow call, never taken back: the next exercise lost a check."""


@pytest.mark.parametrize("left", TIMERS.values(), ids=TIMERS)
def test_a_timer_rings_in_no_other_exercise(cage: Cage, left: str) -> None:
    worker = cage.worker()
    for source in (left, "x = 1\n"):
        request = encode({"op": "run", "source": source, "label": "cell"})
        assert decode(worker.ask(request, Budget(10.0)))["ok"]
        time.sleep(0.4)
    worker.kill()


CONDITIONS = {
    "a limit": "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))",
    "a soft limit": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (99, 256))",
    "a mask for files": "import os\nos.umask(0o77)",
    "a signal that waits": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [14])",
    "a signal without effect": "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "a signal's handler": "import signal\nsignal.signal(signal.SIGALRM, print)",
    "a place behind others": "import os\nos.nice(1)",
    "a place behind all others": "import os\nos.sched_setscheduler(0, 5, os.sched_param(0))",
    "other cores": "import os\nos.sched_setaffinity(0, [max(os.sched_getaffinity(0))])",
    "no output": "import os\nos.close(1)",
}
"""What a process has of the kernel for as long as it lives: the next exercise has another one."""
AS_BEFORE = """
import asyncio, multiprocessing, os, signal, subprocess, sys, tempfile
asyncio.run(asyncio.sleep(0))
subprocess.run([sys.executable, "-c", ""])
with multiprocessing.Pool(2) as pool:
    pool.map(abs, [1, 2])
with tempfile.TemporaryFile() as file:
    file.write(b"x")
signal.signal(signal.SIGALRM, signal.signal(signal.SIGALRM, print))
os.umask(os.umask(0o77))
"""


def test_a_process_that_works_under_other_conditions_is_known(cage: Cage) -> None:
    for what, source in {"nothing": AS_BEFORE, **CONDITIONS}.items():
        if what == "other cores" and len(os.sched_getaffinity(0)) == 1:
            continue
        worker = cage.worker()
        before = worker.traces().conditions
        request = encode({"op": "run", "source": source, "label": "cell"})
        assert decode(worker.ask(request, Budget(10.0)))["ok"], what
        assert (worker.traces().conditions == before) == (what == "nothing"), what
        worker.kill()


# --------------------------------------------------------------------- what workers may read


@pytest.mark.parametrize("level", ["full", "landlock"])
@pytest.mark.parametrize("copied", ["autograder/__init__.py", "reference_impl/__init__.py"])
def test_a_copy_of_the_grader_among_the_libraries_is_refused(
    level: Level, copied: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`pip install .` beside the clone: `import autograder.checks` would find the answers."""
    (tmp_path / copied).parent.mkdir()
    (tmp_path / copied).touch()
    found = [*bubblewrap.libraries(), tmp_path]
    monkeypatch.setattr(bubblewrap, "libraries", lambda: found)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CageError, match="the grader is installed in"):
        Cage(level)
    assert [path.name for path in tmp_path.iterdir()] == [Path(copied).parts[0]]


def test_landlock_is_refused_where_the_grader_lies_in_a_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The full cage covers it; a file filter cannot take away what lies below what it gives."""
    monkeypatch.setattr(bubblewrap, "libraries", lambda: [tmp_path])
    monkeypatch.setattr(bubblewrap, "ROOT", tmp_path / "course")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CageError, match="the grader lies below"):
        Cage("landlock")
    assert [*tmp_path.iterdir()] == []
