"""Coverage-guided fuzzing of what reads a student's bytes: the wire and the notebook reader.

A target takes any bytes, and must give a value or a clean refusal. Any other exception, ten seconds
spent on one small input, or a gigabyte held on top of what importing takes, is a finding; the input
is then written to a file, whose path given instead of options runs it again.

    python benchmarks/fuzz.py wire -max_total_time=900
    python benchmarks/fuzz.py notebook -runs=100000 -seed=1

Options are libFuzzer's; atheris, which holds it, comes with the `test` extra.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import atheris

# The C scanner shows no coverage, so that the fuzzer would not learn to write JSON.
sys.modules["_json"] = None  # type: ignore[assignment]
for name in [name for name in sys.modules if name.split(".")[0] == "json"]:
    del sys.modules[name]
with atheris.instrument_imports(include=["json", "autograder", "coursekit"]):
    import json

    import numpy as np
    import torch
    from coursekit import CheckFailed, close

    from autograder.course import Cell, load_assignment
    from autograder.errors import SubmissionError
    from autograder.judging.student import Student
    from autograder.judging.submission import read_submission
    from autograder.sandbox.inside.wire import Handle, WireError, decode, encode

FOUND = load_assignment("backprop")
EXPECTED = (0.5, np.ones(3), np.ones((2, 2)), torch.ones(2), [1.0, np.ones(2)])
# libFuzzer measures the peak, in which the process that started this one counts.
HELD = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 + 1024
LIMITS = ["-timeout=10", f"-rss_limit_mb={HELD}", "-malloc_limit_mb=512", "-max_len=4096"]


class Answers:
    """A transport whose answer is always the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.failures: list = []
        self.lines: dict[str, int] = {}
        self.used = 0.0
        self.cells: Sequence[Cell] = ()

    def begin(self, exercise: str, seed: int) -> None:
        pass

    def renew(self) -> None:
        pass

    def tell(self, request: bytes) -> None:
        pass

    def again(self) -> bool:
        return False

    def ask(self, request: bytes) -> bytes:
        return self.answer


def wire(data: bytes) -> None:
    """A worker's answer, as it comes and as a returned value, then compared as a check would."""
    for answer in (data, encode({"ok": True, "encoded": data})):
        student = Student(Answers(answer))
        try:
            value = student.call("f", None, (), {})
        except CheckFailed as failed:
            str(failed)
            continue
        for expected in EXPECTED:
            try:
                close(value, expected)
            except CheckFailed as failed:
                str(failed)
    try:
        value = decode(data)
    except WireError:
        return
    again = encode(value)
    assert encode(decode(again)) == again


def notebook(data: bytes) -> None:
    """A file that was handed in."""
    try:
        submission = read_submission(data, FOUND)
    except SubmissionError as refused:
        words = str(refused)
    else:
        first = [cell.label for cell in submission.cells[:2]]
        assert first[0] == "the setup cell" or first == ["the notebook's files", "the setup cell"]
        words = "".join(submission.notes)
        for cell in submission.cells:
            cell.source.encode()
    assert words.isprintable()


def seeds(target: str) -> list[bytes]:
    """Good inputs to start from."""
    if target == "wire":
        values: list[Any] = [None, True, 7, -(2**300), 0.5, 1j, "text", b"bytes"]
        values += [[1, (2.0,)], {"a": [None]}]
        values += [np.ones((2, 3)), np.float32(1), torch.ones(2, requires_grad=True), Handle(3)]
        values += [
            np.zeros((0, 9, 9, 9)),
            np.zeros(0, dtype=bool),
            {"ok": False, "kind": "error", "type": "ValueError"},
        ]
        values += [{"ok": True, "encoded": encode(value), "warnings": ["x"]} for value in values]
        return [encode(value) for value in values]
    released = json.loads(FOUND.release.read_text(encoding="utf-8"))
    cells = [cell for cell in released["cells"] if cell["cell_type"] == "code"]
    found = [{"cells": [cell]} for cell in cells]
    found += [{"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}]
    texts = [json.dumps(notebook).encode() for notebook in found]
    return [*texts, "{}".encode("utf-16"), b"\xef\xbb\xbf[]", b"<<<<<<< HEAD\n", b"%PDF"]


WORDS = (
    *('"cells":[', '"cell_type":"code"', '"source":[', '"metadata":{', '"nbgrader":{', '"input":'),
    *('"grade_id":"mse_loss"', '"worksheets":[', "\\ud800", "1e999", "NaN", "<<<<<<< "),
)


def main() -> None:
    target = sys.argv.pop(1)
    one = {"wire": wire, "notebook": notebook}[target]
    with tempfile.TemporaryDirectory() as name:
        corpus, words = Path(name) / "corpus", Path(name) / "words"
        corpus.mkdir()
        for number, data in enumerate(seeds(target)):
            (corpus / str(number)).write_bytes(data)
        quoted = [word.replace("\\", "\\\\").replace('"', '\\"') for word in WORDS]
        words.write_text("".join(f'"{word}"\n' for word in quoted))
        given = any(not argument.startswith("-") for argument in sys.argv[1:])
        extra = [] if given else [f"-dict={words}", str(corpus)]
        atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:], *extra], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
