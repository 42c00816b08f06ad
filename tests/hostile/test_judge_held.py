"""What is sent to cost the judge its time or memory, or to become the grader's fault.

Sizes are such that the faults that these tests are about would take minutes or gigabytes, and what
is right takes a moment: none measures time.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import gc
import multiprocessing
import os
import re
import resource
import signal
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from coursekit import CheckFailed, StudentError, facts, measured
from coursekit.ipynb import NotebookCell

from autograder.course import ROOT, Cell, load_assignment
from autograder.errors import CageError, JudgeLost, SubmissionError
from autograder.grading import executors, judge_client, judge_process
from autograder.grading.job import Job
from autograder.judging import judge as judge_module
from autograder.judging import replay, retry
from autograder.judging import student as module
from autograder.judging import uses as uses_module
from autograder.judging.answers import Answer, cells
from autograder.judging.diagnosis import Observer
from autograder.judging.follow_through import Tries, in_process, judged
from autograder.judging.judge import Check, Judge
from autograder.judging.patience import TookTooLong, at_most
from autograder.judging.student import Student
from autograder.judging.submission import attempt_salt, read_submission
from autograder.judging.uses import uses
from autograder.results import ExerciseResult, Result
from autograder.sandbox import alive, clock, groups, process, transport
from autograder.sandbox.cage import Cage, Worker
from autograder.sandbox.inside import cells as cells_module
from autograder.sandbox.inside import wire
from autograder.sandbox.inside.session import Session
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.limits import wall_seconds
from autograder.sandbox.protocol import InProcess, newer_python
from autograder.sandbox.transport import Caged
from autograder.sandbox.watch import Budget

BACKPROP = load_assignment("backprop")
LOSS = BACKPROP.exercise("mse_loss")


# ------------------------------------------------------------------------------- its time


def test_a_limit_on_time_holds_within_another_and_for_who_catches_it() -> None:
    def goes_on() -> None:
        while True:
            pass

    def within() -> None:
        with at_most(0.2):
            with at_most(100.0):
                pass
            goes_on()

    def caught() -> None:
        with at_most(100.0), at_most(0.05):
            try:
                goes_on()
            except TookTooLong:
                goes_on()

    for work in (within, caught):
        with pytest.raises(TookTooLong):
            work()
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    with at_most(0):
        assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_what_watching_a_submission_takes_is_not_charged_to_the_look_at_its_values() -> None:
    """Sixteen processes that share half a gigabyte keep the watch busy for a third of a core."""
    over = threading.Event()

    def watches() -> None:
        while not over.is_set():
            pass

    beside = threading.Thread(target=watches)
    beside.start()
    began = time.process_time()
    try:
        with at_most(0.2):
            while time.process_time() - began < 0.6:
                time.sleep(0.01)
    finally:
        over.set()
        beside.join()


def test_a_limit_that_is_lost_in_the_garbage_collector_comes_again_and_nothing_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: reported.append(lost.exc_value))
    before = sys.unraisablehook

    def collects(rung: list[bool]) -> None:
        def loses(*_: object) -> None:
            while not rung:
                pass

        gc.callbacks.append(loses)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(loses)
        assert rung, "nothing was lost, so that this shows nothing"
        while True:
            pass

    with pytest.raises(TookTooLong), at_most(0.05) as rung:
        collects(rung)
    assert not reported
    assert sys.unraisablehook is before


@pytest.mark.parametrize(
    "text",
    ["for" + " " * 10**6, "for " + "a " * 10**6, "a" + ", a" * 10**6, "(" * 10**6 + "a" + ")" * 9],
)
def test_long_lines_are_read_in_one_go(text: str) -> None:
    cell = NotebookCell(1, "code", text)
    assert cell.binds <= {"a"}
    assert cell.defines == frozenset()


@pytest.mark.parametrize("line", ["def " + "[" * 10**5, "type " + "[" * 10**5 + "a" * 10**5])
def test_a_long_line_that_is_no_python_is_given_up(line: str) -> None:
    assert newer_python(line, "", 1) == (3, 0)


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n" + " for i in x:pass\n" * 50_000,
        "x = " + "1+" * 5000 + "1",
        "x = " + "-" * 5000 + "1",
        "x = a" + ".a" * 2000 + "()",
    ],
    ids=["loops", "sums", "signs", "dots"],
)
def test_code_that_cannot_be_read_gives_no_hint(code: str) -> None:
    assert facts.read(code) == ()


def test_many_names_in_a_cell_are_known_together() -> None:
    code = "".join(f"a{n}=b{n}\n" for n in range(8000))
    found = uses(BACKPROP, [Cell("c", f"{code}\ndef backward(): return a7, forward()\n")], {})
    assert found["backward"] == {"forward"}


def test_a_cell_is_read_once_however_many_build_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython looks through a cell once for each of its magics, a minute if one likes. It was read
    again for each exercise that is wrong and each that builds on it."""
    slow = "# forward mse_loss backward\n%a\n"
    read: list[str] = []

    def reads(source: str, *rest: Any) -> Any:
        read.append(source)
        return cells_module.tree_of(source, *rest)

    monkeypatch.setattr(uses_module, "tree_of", reads)
    judge = Judge(BACKPROP)
    wrong = "def {}(*a):\n    return 0.0\n"
    answers = [
        Answer("backprop", name, "", wrong.format(name))
        for name in ("forward", "mse_loss", "backward")
    ]
    code = [*cells(BACKPROP, *answers), Cell("cell 99", slow)]
    passes: list[bool] = []

    def attempt(found: Any, wanted: Any, after: Any, aided: bool) -> Tries:
        passes.append(aided)
        return in_process(judge, "salt")(found, wanted, after, aided)

    judged(judge, code, [*BACKPROP.exercises], lambda *_: None, attempt)
    assert True in passes
    assert read.count(slow) == 1


def test_of_a_cell_that_was_read_no_tree_is_kept() -> None:
    """2 MB of such code were 1.2 GB in the judge, beside all that the submission may hold."""
    source = ("~" * 90 + "a\n") * 1000
    tracemalloc.start()
    pieces = uses_module.pieces_of(source)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pieces) == 1000
    assert held < 20 * len(source)


def test_all_that_is_read_of_a_notebook_has_one_time_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A notebook of more cells than are remembered was read again for each exercise that is wrong,
    with a minute each time."""
    judge = Judge(BACKPROP)
    judge.seconds = 60.0
    given: list[float] = []

    def within(seconds: float) -> Any:
        given.append(seconds)
        return contextlib.nullcontext()

    def reads(found: Any, exercise: Any) -> list[int]:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass
        return [len(found)]

    def attempt(found: Any, wanted: Any, after: Any, aided: bool) -> Tries:
        lost = {"points": 0.0, "max_points": 1.0, "status": "wrong"}
        return Tries({one.name: ExerciseResult(name=one.name, **lost) for one in wanted})

    monkeypatch.setattr("autograder.judging.follow_through.at_most", within)
    monkeypatch.setattr("autograder.judging.follow_through.answered_below", reads)
    judged(judge, cells(BACKPROP), [*BACKPROP.exercises], lambda *_: None, attempt)
    assert given[-1] < 60 - 0.02 * (len(BACKPROP.exercises) - 1)


def test_a_hint_that_fails_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`judge_process` suppresses what the observer raises; what it has spent still counts."""
    judge = Judge(BACKPROP)
    observer = Observer(judge, "salt")
    monkeypatch.setattr("autograder.judging.diagnosis._Diagnosis", None)
    code = cells(BACKPROP)
    code.append(Cell("cell 99", "def mse_loss(a, b):\n    return 0.0\n"))

    def after(result: Any, transcripts: Any) -> None:
        with pytest.raises(TypeError):
            observer(result, transcripts)

    judge.judge(Student(InProcess(code)), "salt", [LOSS], after=after)
    assert observer.spent > 0


class Counting(Caged):
    """Without a cage: a session in this process, whose requests are counted."""

    def __init__(self, code: list[Cell]) -> None:
        super().__init__(Cage.__new__(Cage), BACKPROP, code)
        self.session = Session()
        self.requests = 0

    def _ask_cell(self, request: bytes) -> bytes:
        self.asked += 1
        self.requests += 1
        return self.session.answer(request)


def test_statements_without_end_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_STATEMENTS", 50)
    monkeypatch.setattr(Cage, "worker", lambda self, cpu: None)
    code = [Cell(f"cell {n}", f"a{n} = int(1)\n" * 30) for n in range(10)]
    code += [Cell("cell 98", "1 / 0"), Cell("cell 99", "last = a9")]
    caged = Counting(code)
    assert caged._cells_run()
    assert caged.session.namespace["last"] == 1
    assert caged.requests < 50 + 31 + len(code)
    assert [one.sentence for one in caged.failures] == [
        "cell 98 stopped with ZeroDivisionError in line 1"
    ]


def test_cells_run_again_for_a_bounded_time_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every exercise ends Python once and again, below a cell that takes 30 s."""
    caged = Caged(Cage.__new__(Cage), BACKPROP, [])
    caged.pace, caged.repeats = 1.0, transport.ALL_REPEATS_SECONDS

    def start() -> None:
        caged.cell_seconds += 30.0

    monkeypatch.setattr(caged, "_start", start)
    refused = 0
    for exercise in BACKPROP.exercises:
        for _ in range(3):
            try:
                caged.begin(exercise.name, 1)
            except StudentError as error:
                refused += "not tried again" in error.text
            else:
                caged.ended_by = exercise.name  # as where it ends the worker
    assert refused
    first = 30.0 * len(BACKPROP.exercises)
    assert caged.cell_seconds - first <= transport.ALL_REPEATS_SECONDS + 30.0


# ------------------------------------------------------------------------ whether it goes on


class Line:
    """A judge that says this, and then nothing."""

    def __init__(self, *said: bytes) -> None:
        self.said = [*said]

    def send_bytes(self, data: bytes) -> None:
        pass

    def poll(self, seconds: float) -> bool:
        assert 0 < seconds <= 900
        return bool(self.said)

    def recv_bytes(self) -> bytes:
        return self.said.pop(0)


def test_a_value_makes_no_noise_on_the_graders_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    says = "def mse_loss(a, b):\n    return np.full(2, 1e308 + 1j)\n"
    judge = judge_client.JudgeClient("backprop", "full")
    result = judge.grade(Job(assignment="backprop", student="ada", notebook=_notebook(says)))
    judge.close()
    assert result.status == "graded"
    assert capfd.readouterr().err == ""


def test_a_judge_is_waited_for_while_it_gives_signs_of_life() -> None:
    client = judge_client.JudgeClient.__new__(judge_client.JudgeClient)
    job = Job(assignment="backprop", student="ada", notebook=None)
    result = executors.lost(job, "why")
    signs = [judge_client.ALIVE] * 10_000
    client._line = Line(*signs, b"=" + msgspec.msgpack.encode(result))  # type: ignore[assignment]
    assert client.grade(job) == result
    client._line = Line(*signs)  # type: ignore[assignment]
    with pytest.raises(JudgeLost, match="no sign of life"):
        client.grade(job)


def test_a_judge_that_was_stopped_is_lost_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hours were waited for it: ten, for some assignments."""
    monkeypatch.setattr(judge_client, "SILENT_SECONDS", 0.1)
    client = judge_client.JudgeClient("backprop", "full")
    os.kill(client._process.pid, signal.SIGSTOP)
    with pytest.raises(JudgeLost):
        client.grade(Job(assignment="backprop", student="ada", notebook=None))
    wait = client._process.wait
    monkeypatch.setattr(client._process, "wait", lambda most=None: wait(most and 0.1))
    client.close()
    assert client._process.returncode == -signal.SIGKILL


def test_a_judge_that_was_not_waited_for_answers_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """nbgrader's `autograde` in a notebook that was interrupted: the next student's mark would be
    this one's."""

    class Client:
        def __init__(self, *_: object) -> None:
            made.append(self)
            self.closed = False

        def grade(self, job: Job) -> Result:
            if len(made) == 1:
                raise KeyboardInterrupt
            return executors.lost(job, f"asked of {len(made)}")

        def close(self) -> None:
            self.closed = True

    made: list[Client] = []
    monkeypatch.setattr(executors, "JudgeClient", Client)
    judges = executors.Judges("full")
    with pytest.raises(KeyboardInterrupt):
        judges.grade(Job(assignment="backprop", student="ada", notebook=b""))
    result = judges.grade(Job(assignment="backprop", student="ben", notebook=b""))
    assert "asked of 2" in result.message
    assert [client.closed for client in made] == [True, False]


def test_a_forks_signs_are_passed_on_and_are_no_part_of_its_answer() -> None:
    ours, theirs = multiprocessing.Pipe()
    server = judge_process._Server.__new__(judge_process._Server)
    server.line = theirs
    reading, writing = os.pipe()
    said: list[bytes] = []
    thread = threading.Thread(target=lambda: said.append(server._heard(reading, 0)))
    thread.start()
    for _ in range(2):
        os.write(writing, judge_client.ALIVE)
        assert ours.recv_bytes() == judge_client.ALIVE
    os.write(writing, b"..=an answer. And")
    os.write(writing, b". more")
    os.close(writing)
    thread.join(60)
    os.close(reading)
    assert said == [b"=an answer. And. more"]


def test_signs_come_while_an_answer_is_waited_for_and_where_a_turn_is(
    cage: Cage, own_locks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs: list[str] = []
    monkeypatch.setattr(alive, "_EVERY", 0.0)
    monkeypatch.setattr(alive, "_tell", lambda: signs.append(threading.current_thread().name))
    caged = Caged(cage, BACKPROP, [Cell("cell 1", "import time\ntime.sleep(0.5)")])
    caged._start()
    assert "watch" in signs
    signs.clear()
    threading.Event().wait(0.2)
    assert not signs, "a judge that asks nothing says nothing: it may hang"
    caged.close()
    monkeypatch.setattr(retry, "PATIENCE", 0.1)
    with retry._turn(True), retry._turn(False):
        pass
    assert signs


# ----------------------------------------------------------------------------- its memory


class Forged(InProcess):
    """A worker that answers every call so."""

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__([])
        self.reply = encode(reply)

    def ask(self, request: bytes) -> bytes:
        return self.reply


def test_many_small_things_weigh_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECEIVED", 2**20)
    things = encode([np.zeros(())] * 1000)
    student = Student(Forged({"ok": True, "encoded": things}))
    student.begin("mse_loss", 1)
    for _ in range(3):
        student.mse_loss()
    with pytest.raises(CheckFailed, match="gave back more than"):
        student.mse_loss()


@pytest.mark.parametrize("dtype", [np.int8, bool, np.float16, np.float32, np.complex128])
def test_an_array_counts_as_what_it_becomes(dtype: Any) -> None:
    """60 MB of small integers were two gigabytes where they were compared."""
    fits = wire.MAX_BYTES // max(wire.NUMBER_BYTES, np.dtype(dtype).itemsize)
    for make in (lambda a: a, torch.from_numpy, lambda a: a[None], np.flip):
        value, weight = wire.weighed(encode(make(np.zeros(fits // 4, dtype))))
        assert weight + value.nbytes >= wire.NUMBER_BYTES * fits // 4
        with pytest.raises(wire.WireError, match="numbers"):
            encode(make(np.zeros(fits + 1, dtype)))
    name = np.dtype(dtype).name.encode()
    head = b"a" + bytes([len(name), 1]) + name + (fits + 1).to_bytes(8, "little")
    with pytest.raises(wire.WireError, match="numbers"):
        wire.decode(head + bytes(np.dtype(dtype).itemsize * (fits + 1)))


def test_of_a_million_warnings_few_are_kept() -> None:
    reply = {"ok": True, "encoded": encode(0.0), "warnings": ["x" * 1000] * 10_000}
    student = Student(Forged(reply))
    student.begin("mse_loss", 1)
    student.mse_loss()
    (call,) = student.calls
    assert sum(map(len, call.warnings)) <= 10_000


@pytest.mark.parametrize("raised", [MemoryError, TookTooLong])
def test_what_is_too_much_for_the_judge_is_the_students(raised: type[Exception]) -> None:
    """The reference is not asked: it would have as little memory."""

    def test_mse_loss__is_small(student: Any) -> None:
        raise raised

    judge = Judge(BACKPROP)
    check = Check(test_mse_loss__is_small, hidden=True)
    student = Student(InProcess(cells(BACKPROP)))
    result = judge.run(check, student, "salt")
    assert (result.outcome, result.kind) == ("failed", "value")
    assert "takes too much" in result.message


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("can't start new thread"),
        StudentError(
            "error", "stopped with MemoryError", name="MemoryError", bases=["MemoryError"]
        ),
    ],
)
def test_where_the_reference_has_no_room_it_tells_nothing_of_the_check(
    raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said to a student's large values may have taken it all: then anything that a check
    came upon was the grader's fault."""

    def test_mse_loss__is_small(student: Any) -> None:
        student.mse_loss(np.ones((2, 1)), np.ones((2, 1)))

    def none_left(*_: object) -> None:
        raise raised

    judge = Judge(BACKPROP)
    student = Student(Forged({"ok": True, "encoded": encode("a text")}))
    monkeypatch.setattr(judge_module, "InProcess", none_left)
    check = Check(test_mse_loss__is_small, hidden=True)
    said = judge.verdict(check, student, TypeError("no number"), "salt")
    assert said[0] == "failed"


def test_what_known_answers_say_to_large_values_is_not_all_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sixty known answers to 16 MB that a student gave back were a gigabyte in each pass."""
    asked: list[bytes] = []

    class Large:
        def ask(self, request: bytes) -> bytes:
            asked.append(request)
            return request * 2**10

    monkeypatch.setattr(replay, "MAX_SAID", 2**12)
    known = replay.Known(BACKPROP)
    monkeypatch.setattr(replay, "_session", lambda *_: Large())
    requests = [b"1", b"2", b"3", b"4", b"5"]
    for _ in range(2):
        for answer in (None, 1, 2):
            said = [*known[answer].answers(requests)]  # type: ignore[index]
            assert said == [request * 2**10 for request in requests]
    kept = [one for answer in (None, 1, 2) for one in known[answer].said]  # type: ignore[index]
    assert len(kept) == 4
    assert len(asked) == 30


@pytest.mark.parametrize("raised", [MemoryError, TookTooLong])
def test_a_notebook_that_is_too_much_for_the_judge_is_the_students(
    raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: object) -> None:
        raise raised

    monkeypatch.setattr(judge_process, "read_submission", too_much)
    job = Job(assignment="backprop", student="ada", notebook=_notebook("x = 1"))
    with pytest.raises(SubmissionError, match="takes too much"):
        judge_process.read(job, BACKPROP)


# ------------------------------------------------------------------- what leaves, what comes back


def _notebook(*sources: str) -> bytes:
    code = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources
    ]
    return msgspec.json.encode({"cells": code, "nbformat": 4, "metadata": {}})


def test_no_attempt_hides_another_one_s_lesson_in_blanks() -> None:
    """Trailing blanks of a text, or the number of a cell, could carry what was learnt."""
    one = 'learnt = """a\nb"""\ndef mse_loss(a, b):\n    return 0.0\n'
    others = [
        _notebook(one),
        _notebook(one.replace("a\nb", "a  \nb")),
        _notebook(one.replace("a\nb", "a\x0cb")),
        _notebook("", one),
    ]
    salts = {attempt_salt("salt", read_submission(data, BACKPROP), BACKPROP) for data in others}
    assert len(salts) == len(others)


CHECKS = (
    *(ROOT / "autograder" / "checks").glob("*.py"),
    ROOT / "autograder" / "judging" / "kit.py",
    ROOT / "assignments" / "coursekit" / "training.py",
)


def test_what_is_measured_is_told_with_three_digits() -> None:
    """A score of −1e300 has three hundred digits, in which a message could carry what was asked."""
    tried = (1 / 3, 76482, -1234.5, 1e300, -1.7e308, 1e-300, float("nan"), float("inf"))
    told = ["0.333", "76500", "-1230", "more than 1e+06", "less than -1e+06", "0", "nan"]
    assert [*map(measured, tried)] == [*told, "more than 1e+06"]
    for path in CHECKS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            form = getattr(node, "format_spec", None)
            assert form is None or not re.search(r"\d[efg]'", ast.unparse(form)), (path, node)
            told = ast.unparse(node.value) if isinstance(node, ast.FormattedValue) else ""
            assert not told.startswith("len(") or told == "len(expected)", (path, told)


def test_what_is_told_of_cells_comes_of_their_first_run(cage: Cage) -> None:
    """A later one may have heard of what a check asked, from a process that this check ended."""
    says = "import time\nraise SyntaxError(str(time.time_ns()))"
    caged = Caged(cage, BACKPROP, [Cell("cell 1", says)])
    told = set()
    for seed in range(2):
        caged.begin("mse_loss", seed)
        told.update(caged.failures)
        caged.renew()
    (failure,) = told
    assert failure.why.startswith("stopped with SyntaxError in line 2: 1")


def test_a_first_run_that_took_the_judge_too_long_was_the_first(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    caged = Caged(cage, BACKPROP, [Cell("cell 1", "raise SyntaxError('what a check asked')")])

    def too_long(*args: Any, **named: Any) -> None:
        raise TookTooLong

    with monkeypatch.context() as patched:
        patched.setattr("autograder.sandbox.transport.run_cell", too_long)
        with pytest.raises(TookTooLong):
            caged.begin("mse_loss", 0)
    caged.renew()
    caged.begin("mse_loss", 1)
    caged.close()
    assert caged.failures == []


@pytest.mark.parametrize(
    "raised",
    [
        CheckFailed("value", "mean squared error is 1.23e-45; it should be below 1", whole=True),
        CheckFailed("shape", "should have shape (3,), has (1.23e-45)", exact="1.23e-45"),
        CheckFailed("type", "is an array of 1.23e-45"),
        CheckFailed("property", "1.23e-45 of 3 hold"),
        CheckFailed("finite", "holds 1.23e-45"),
        StudentError("missing", "is not defined, because cell 4 stopped: 1.23e-45"),
        StudentError("needs", "needs 1.23e-45, which is still to be written"),
        StudentError("error", "stopped with ValueError in line 123"),
        StudentError("a new kind", "1.23e-45"),
    ],
    ids=lambda raised: raised.kind,
)
@pytest.mark.parametrize("hidden", [True, False])
def test_beside_right_answers_no_message_holds_a_number(raised: CheckFailed, hidden: bool) -> None:
    def test_mse_loss__is_small(student: Any) -> None:
        student.mse_loss(np.ones(1), np.ones(1))
        raise raised

    judge = Judge(BACKPROP)
    check = Check(test_mse_loss__is_small, hidden)
    student = Student(InProcess(cells(BACKPROP)), aided=True)
    result = judge.run(check, student, "salt")
    assert (result.outcome, result.kind) == ("failed", raised.kind)
    assert "1.23" not in result.message
    assert "mse_loss" in result.message


# --------------------------------------------------------------------- where memory ends


@pytest.mark.parametrize(("gigabytes", "cores", "jobs"), [(3.4, 2, 1), (5.5, 2, 2), (1.0, 8, 1)])
def test_there_is_room_for_no_more_than_may_use_all_their_memory(
    monkeypatch: pytest.MonkeyPatch, gigabytes: float, cores: int, jobs: int
) -> None:
    """A machine of 4 GB has some 3.4 free: a hog has no neighbour there."""
    monkeypatch.setattr(executors, "bytes_left", lambda: gigabytes * 2**30)
    monkeypatch.setattr(groups, "own", lambda *_: ())
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    assert executors.room() == jobs
    assert executors.scarce() == (["memory"] if gigabytes < 2.5 else [])


def test_where_nobody_tells_of_memory_all_cores_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, which has no /proc."""

    def nothing(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(process, "open", nothing, raising=False)
    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert executors.room() == 3
    assert not executors.scarce()


def _machine(monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> None:
    """One with eight cores and 64 GB, whose control groups are told in these files."""

    def text(path: Path, *how: Any, **more: Any) -> str:
        try:
            return known[str(path)]
        except KeyError:
            raise FileNotFoundError from None

    monkeypatch.setattr(Path, "read_text", text)
    monkeypatch.setattr(executors, "bytes_left", lambda: 64 * 2**30)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


@pytest.mark.parametrize(
    ("group", "file"),
    [
        ("0::/user.slice/grading.scope", "user.slice/memory.max"),
        ("4:cpu:/\n3:memory:/jobs/seven", "memory/jobs/seven/memory.limit_in_bytes"),
        ("0::/not/to/be/seen/from/a/container", "memory.max"),
    ],
)
def test_a_control_group_s_memory_counts_and_that_of_those_above_it(
    monkeypatch: pytest.MonkeyPatch, group: str, file: str
) -> None:
    """A batch job, a service and a container have less than the machine."""
    known = {
        "/proc/self/cgroup": group + "\n",
        f"/sys/fs/cgroup/{file}": f"{4 * 2**30}\n",
    }

    _machine(monkeypatch, known)
    assert executors.room() == 1


@pytest.mark.parametrize(
    ("group", "limit", "used", "lines"),
    [
        ("0::/", "memory.max", "memory.current", ("anon", "inactive_file", "active_file")),
        (
            "3:memory:/",
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            ("active_file", "total_inactive_file", "total_active_file"),
        ),
    ],
)
def test_of_a_control_group_s_memory_counts_what_is_left(
    monkeypatch: pytest.MonkeyPatch, group: str, limit: str, used: str, lines: tuple[str, ...]
) -> None:
    """Whoever computes beside the grader in a container has some of it; copies of files make
    room."""
    folder, gigabyte = Path("/sys/fs/cgroup"), 2**30
    known = {
        "/proc/self/cgroup": group + "\n",
        str(folder / limit): f"{9 * gigabyte}\n",
        str(folder / used): f"{8 * gigabyte}\n",
        str((folder / limit).with_name("memory.stat")): "".join(
            f"{name} {size * gigabyte}\n" for name, size in zip(lines, (4, 1, 3), strict=True)
        ),
    }

    _machine(monkeypatch, known)
    assert executors.room() == 2  # 5 GB are left


@pytest.mark.parametrize(
    ("group", "folder"), [("0::/", "/sys/fs/cgroup"), ("8:pids:/docker", "/sys/fs/cgroup/pids")]
)
@pytest.mark.parametrize(("most", "jobs"), [("max", 8), ("60", 1), ("100", 1), ("200", 2)])
def test_there_is_room_for_no_more_than_may_start_all_their_processes(
    monkeypatch: pytest.MonkeyPatch, group: str, folder: str, most: str, jobs: int
) -> None:
    """A container may have a limit on all its processes: honest neighbours lost marks there."""
    known = {
        "/proc/self/cgroup": group + "\n",
        f"{folder}/pids.max": most + "\n",
        f"{folder}/pids.current": "4\n",
    }

    _machine(monkeypatch, known)
    assert executors.room() == jobs
    assert executors.scarce() == (["processes"] if most == "60" else [])


@pytest.mark.parametrize(("user", "jobs"), [(0, 8), (1000, 2)])
def test_there_is_room_for_no_more_than_the_user_may_start(
    monkeypatch: pytest.MonkeyPatch, user: int, jobs: int
) -> None:
    """`ulimit -u` counts all that a user has; root's submissions have users of their own."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (200, 200))
    monkeypatch.setattr(executors, "threads_of_this_user", lambda: 30)
    monkeypatch.setattr(groups, "own", lambda *_: ())
    _machine(monkeypatch, {})
    assert executors.room() == jobs


def test_a_machine_that_lets_nobody_open_as_many_files_as_a_submission_may_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (16, 16))
    assert "open files" in executors.scarce()


def _killed_in_a_hidden_check(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on the first of mse_loss's, which carry points, ends so once; who it was."""
    killed: list[int] = []
    renewed: list[int] = []
    ask, renew = Worker.ask, Caged.renew

    def struck(self: Worker, request: bytes, budget: Any) -> bytes:
        if renewed and b"mse_loss" in request and b"then" in request and not killed:
            killed.append(self.pid)
            os.kill(self.pid, signal.SIGKILL)
        return ask(self, request, budget)

    def noted(self: Caged) -> None:
        renewed.append(1)
        renew(self)

    monkeypatch.setattr(Worker, "ask", struck)
    monkeypatch.setattr(Caged, "renew", noted)
    return killed


def test_who_may_have_lost_a_part_is_tried_again_and_only_where_it_lost_points(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool whose process the kernel took stops with an exception, or never ends: the worker
    lives on."""
    turns: list[bool] = []
    together = retry._turn

    def turn(alone: bool) -> contextlib.AbstractContextManager[None]:
        turns.append(alone)
        return together(alone)

    monkeypatch.setattr(retry, "_turn", turn)
    monkeypatch.setattr(Worker, "struck", property(lambda self: turns == [False]))
    exercise = BACKPROP.exercise("mse_loss")
    wrong = Cell("the cell of mse_loss", "def mse_loss(y_pred, y_true):\n    return 7.0\n")
    for code, tries in ((cells(BACKPROP), [False]), ([*cells(BACKPROP), wrong], [False, True])):
        turns.clear()
        retry.InCage(Judge(BACKPROP), cage, "salt")(code, [exercise], lambda *_: None)
        assert turns == tries


def test_a_second_try_tells_nothing_of_the_first(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its public checks come after hidden ones of the same inputs, and so do its cells."""
    killed = _killed_in_a_hidden_check(monkeypatch)
    cell = "import time\nnow = str(time.time_ns())\nraise SyntaxError(now)"
    says = (
        "def mse_loss(y_pred, y_true):\n    if len(y_pred) == 3:\n        raise ValueError(now)\n"
        "    return ((y_pred - y_true) ** 2).mean()\n"
    )
    code = [*cells(BACKPROP), Cell("cell 98", cell), Cell("the cell of mse_loss", says)]
    wanted = [BACKPROP.exercise("mse_loss")]
    tries = retry.InCage(Judge(BACKPROP), cage, "salt")(code, wanted, lambda *_: None)
    assert killed
    result = tries.exercises["mse_loss"]
    assert (result.status, result.points) == ("right", result.max_points)
    failed = next(check for check in result.checks if check.outcome == "failed")
    assert (failed.hidden, failed.kind) == (False, "error")
    assert failed.message == "mse_loss  ✗ is the mean over every element"
    cells_note, retry_note = tries.notes
    assert cells_note.startswith("cell 98 stopped with SyntaxError in line 3: 1")
    assert retry_note.startswith("tried again, alone")


def test_all_passes_of_a_submission_have_a_time_on_the_wall_together(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Second tries and second passes too, of which there is one for each exercise; but what it
    waits for others is not its own."""

    @contextlib.contextmanager
    def turn(alone: bool) -> Iterator[None]:
        time.sleep(0.3)
        yield

    monkeypatch.setattr(retry, "_turn", turn)
    monkeypatch.setattr(transport, "machine_pace", lambda: 1.0)
    judge, wanted = Judge(BACKPROP), [BACKPROP.exercise("mse_loss")]
    for past, status in ((1.5, "right"), (2.0, "wrong")):
        before, began = past * wall_seconds(BACKPROP), time.monotonic()
        attempt = retry.InCage(judge, cage, "salt")
        attempt.spent = before
        tries = attempt(cells(BACKPROP), wanted, lambda *_: None, True)
        assert tries.exercises["mse_loss"].status == status
        assert 0 < attempt.spent - before < time.monotonic() - began - 0.29
    assert {check.kind for check in tries.exercises["mse_loss"].checks} == {"time"}


@pytest.mark.usefixtures("own_locks")
@pytest.mark.parametrize(("core", "status"), [(0.1, "right"), (0.95, "wrong")])
def test_what_a_crowded_machine_left_no_time_for_in_the_notebooks_own_is_tried_once_more(
    cage: Cage, monkeypatch: pytest.MonkeyPatch, core: float, status: str
) -> None:
    """The first try's time on the wall is over after one request, of which it had this share."""
    later, ask, tries = 0.0, Worker.ask, []

    class Noted(transport.Caged):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            tries.append(self)

    def slowly(self: Worker, request: bytes, budget: Budget) -> bytes:
        nonlocal later
        if len(tries) == 1 and not later:
            later = wall_seconds(BACKPROP) + 1
            budget.wall -= 10
            budget.cpu -= 10 * core
        return ask(self, request, budget)

    monkeypatch.setattr(retry, "Caged", Noted)
    monkeypatch.setattr(Worker, "ask", slowly)
    monkeypatch.setattr(transport, "machine_pace", lambda: 1.0)
    monkeypatch.setattr(transport, "clock", SimpleNamespace(now=lambda: clock.now() + later))
    attempt = retry.InCage(Judge(BACKPROP), cage, "salt")
    found = attempt(cells(BACKPROP), [LOSS], lambda *_: None)
    result = found.exercises["mse_loss"]
    assert result.status == status
    assert ("was not run" in result.message) == (status == "wrong")
    assert len(tries) == (2 if status == "right" else 1)


def test_who_is_killed_by_the_system_is_tried_again_alone_and_keeps_all_marks(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel does where memory ends: a kill that is not the grader's, in any exercise."""
    turns: list[bool] = []
    together = retry._turn

    def turn(alone: bool) -> Any:
        turns.append(alone)
        return together(alone)

    killed = _killed_in_a_hidden_check(monkeypatch)
    monkeypatch.setattr(retry, "_turn", turn)
    judge = Judge(BACKPROP)
    names = ("activations", "mse_loss", "forward")
    wanted = [BACKPROP.exercise(name) for name in names]
    tries = retry.InCage(judge, cage, "salt")(cells(BACKPROP), wanted, lambda *_: None)
    assert killed
    assert turns == [False, True]
    assert {one.status for one in tries.exercises.values()} == {"right"}
    assert tries.notes == ["tried again, alone, as memory may have run out: mse_loss"]


@pytest.fixture
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else's graders are waited for."""
    names = tmp_path / "door", tmp_path / "room"
    for name in names:
        name.touch()
    monkeypatch.setattr(retry, "_LOCKED", names)


@pytest.mark.usefixtures("own_locks")
def test_nobody_runs_beside_who_is_to_be_alone() -> None:
    order: list[str] = []
    waiting = threading.Event()

    def alone() -> None:
        waiting.set()
        with retry._turn(True):
            order.append("alone")

    with retry._turn(False):
        thread = threading.Thread(target=alone)
        thread.start()
        assert waiting.wait(60)
        thread.join(0.2)
        assert thread.is_alive()
        order.append("together")
    thread.join(60)
    with retry._turn(False):
        order.append("together again")
    assert order == ["together", "alone", "together again"]


@pytest.mark.usefixtures("own_locks")
@pytest.mark.parametrize("alone", [True, False])
def test_nobody_waits_for_ever_for_who_hangs(alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with retry._turn(not alone):  # and never ends
        monkeypatch.setattr(retry, "PATIENCE", 0.05)
        for _ in range(2):
            with retry._turn(alone):
                pass


@pytest.mark.usefixtures("own_locks")
def test_a_door_that_is_kept_shut_is_no_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PATIENCE", 0.05)
    with retry._LOCKED[0].open("rb") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        with retry._turn(False):
            pass


@pytest.fixture(autouse=True)
def _no_timer_is_left() -> Iterator[None]:
    yield
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_a_cage_that_was_killed_while_it_started_is_begun_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stopped the class: "the full cage does not start: it ended without a word"."""
    given: list[object] = []

    def killed_at_first(weakest: str) -> object:
        given.append(weakest)
        if len(given) == 1:
            raise CageError("the full cage does not start: it ended without a word")
        return given

    monkeypatch.setattr(judge_process, "strongest", killed_at_first)
    ours, theirs = multiprocessing.Pipe()
    assert judge_process._Server(BACKPROP, "full", theirs).cage is given
    ours.close()


def test_a_cage_that_was_waited_for_in_vain_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice ten minutes are longer than a judge may be silent."""
    later = 0.0

    def hangs(weakest: str) -> object:
        nonlocal later
        later += 600.0
        raise CageError(f"the {weakest} cage does not start: it ended without a word")

    monkeypatch.setattr(judge_process, "strongest", hangs)
    monkeypatch.setattr(judge_process, "time", SimpleNamespace(monotonic=lambda: later))
    ours, theirs = multiprocessing.Pipe()
    with ours, pytest.raises(CageError):
        judge_process._Server(BACKPROP, "full", theirs)
    assert later < alive.SILENT_SECONDS
