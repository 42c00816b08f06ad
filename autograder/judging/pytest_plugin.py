"""The checks as ordinary pytest tests.

    pytest autograder/checks                                    judges the reference
    pytest autograder/checks/test_ising.py --notebook FILE      a submission, in the cage

A check that does not hold fails with the student's message and without a traceback. Points and
what guards and the point of an exercise do to them are the judge's; pytest says what holds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

if TYPE_CHECKING:  # torch, which other tests than checks may not need
    import numpy as np

    from .judge import Check, Judge
    from .student import Student


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("checks of a course")
    group.addoption("--notebook", type=Path, help="judge this submission, not the reference")
    group.addoption("--salt", default="pytest", help="from which hidden inputs are drawn")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "guard: a check that counts only beside one of values")
    config.addinivalue_line(
        "markers", "point: what the exercise is about: without it, half at most"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Checks of one exercise stand together, as they share its seconds and its trainings."""
    checks = [item for item in items if _is_check(item)]
    others = [item for item in items if not _is_check(item)]
    checks.sort(key=lambda item: (str(item.path), item.name.partition("__")[0]))
    items[:] = [*others, *checks]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    raised = call.excinfo.value if call.excinfo else None
    if call.when == "call" and isinstance(raised, Exception) and _is_check(item):
        judge, check = _judge_and_check(item)
        salt = item.config.getoption("--salt")
        asked: Any = item.funcargs["student"]
        _, report.longrepr, _ = judge.verdict(check, asked, raised, salt)
    return report


@pytest.fixture
def student(request: pytest.FixtureRequest, _students: dict[str, Student]) -> Student:
    """The student's functions; the reference's where no notebook is named."""
    judge, check = _judge_and_check(request.node)
    name = judge.assignment.name
    if name not in _students:
        _students[name] = _new_student(judge, request.config.getoption("--notebook"))
    judge.begin(check, _students[name], request.config.getoption("--salt"))
    return _students[name]


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers of this check."""
    judge, check = _judge_and_check(request.node)
    return judge.draw(check, request.config.getoption("--salt"))


@pytest.fixture(scope="session")
def _students() -> Iterator[dict[str, Student]]:
    from autograder.sandbox.transport import Caged

    students: dict[str, Student] = {}
    yield students
    for one in students.values():
        if isinstance(one.transport, Caged):
            one.transport.close()
            one.transport.cage.close()


def _new_student(judge: Judge, notebook: Path | None) -> Student:
    from autograder.sandbox.cage import Cage
    from autograder.sandbox.protocol import InProcess
    from autograder.sandbox.transport import Caged

    from .answers import cells
    from .student import Student
    from .submission import read_submission

    if notebook is None:
        return Student(InProcess(cells(judge.assignment)))
    submission = read_submission(notebook.read_bytes(), judge.assignment)
    return Student(Caged(Cage("full"), judge.assignment, submission.cells))


def _judge_and_check(item: pytest.Item) -> tuple[Judge, Check]:
    judge = _judge(item.path)
    hidden = item.path == judge.assignment.hidden_checks
    for check in judge.checks:
        if check.hidden == hidden and check.function.__name__ == item.name:
            return judge, check
    raise pytest.UsageError(f"{item.nodeid} is no check of {judge.assignment.name}")


@functools.cache
def _judge(path: Path) -> Judge:
    from autograder.course import course

    from .judge import Judge

    for found in course().values():
        if path in (found.hidden_checks, found.public_checks):
            return Judge(found)
    raise pytest.UsageError(f"{path} holds no assignment's checks")


def _is_check(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and (
        item.path.parent.name == "checks" or item.path.name == "public_checks.py"
    )
