"""Memory that the kernel counts and holds, at each level; where it gives us groups, really so."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import WorkerEnded
from autograder.sandbox import groups
from autograder.sandbox.cage import Cage, Worker
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.levels import LEVELS, Level
from autograder.sandbox.watch import Budget

FILLS = "held = [bytearray(b'a') * 2**28 for _ in range({quarters})]\n"
CHILDREN = "import os, time\nfor _ in range(3):\n    if not os.fork():\n        break\nelse:\n    "
TOGETHER = {
    "children": CHILDREN + "time.sleep(9)\n" + FILLS.format(quarters=4) + "time.sleep(9)\n",
    "itself": FILLS.format(quarters=6) + CHILDREN + "time.sleep(9)\n" + FILLS.format(quarters=3),
}
"""Each takes less than a process may; the kernel ends the one that holds most."""


@pytest.fixture(scope="module")
def cages() -> Iterator[Callable[[Level], Cage]]:
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda level: stack.enter_context(contextlib.closing(Cage(level))))


@pytest.fixture
def worker(request: pytest.FixtureRequest, cages: Callable[[Level], Cage]) -> Iterator[Worker]:
    """At the level that the test asks for."""
    worker = cages(getattr(request, "param", "full")).worker()
    if worker.group is None:
        worker.kill()
        pytest.skip("the kernel gives this user no control group")
    yield worker
    folder = worker.group.folder
    worker.kill()
    assert not folder.exists()


def _run(worker: Worker, code: str) -> bytes:
    return worker.ask(encode({"op": "run", "source": code, "label": "cell"}), Budget(20.0))


@pytest.mark.parametrize("worker", LEVELS, indirect=True)
@pytest.mark.parametrize("who", TOGETHER)
def test_the_kernel_holds_what_nobody_looks_at(
    worker: Worker, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever way round the counting from outside is found, here it ends."""
    monkeypatch.setattr(worker.watch.tree, "holds_more_than", lambda *_: False)
    with pytest.raises(WorkerEnded, match="used more than 2 GB of memory") as told:
        _run(worker, TOGETHER[who])
    assert (told.value.kind, told.value.killed) == ("memory", False)


def test_an_answer_within_its_memory_does_not_meet_it(worker: Worker) -> None:
    """Beside what is fresh: a full scratch folder, and the libraries' pages written to."""
    scratch = (
        "open('full', 'wb').write(bytes(60 * 2**20)); import gc; gc.unfreeze(); gc.collect()\n"
    )
    _run(worker, scratch + FILLS.format(quarters=7))
    assert worker.group is not None
    assert not worker.group.overrun()


def test_a_killed_graders_groups_are_removed_by_the_next(worker: Worker) -> None:
    assert worker.group is not None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = worker.group.folder.with_name(f"autograder-{ended.pid}-0")
    other = worker.group.folder.with_name(f"autograder-{os.getpid()}-x")
    for folder in (left, other):
        folder.mkdir()
    groups._places.cache_clear()
    again = groups.around(worker.pid)
    assert again is not None
    assert not left.exists()
    assert other.exists()  # of a grader that is at work
    other.rmdir()
    worker.group.add(worker.pid)
    again.remove()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A control group that is a folder; where a test makes a group, the kernel makes no file."""
    monkeypatch.setattr(groups, "_ROOT", tmp_path)
    groups._places.cache_clear()
    yield tmp_path
    groups._places.cache_clear()


def _told(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def text(path: Path, *how: Any, **more: Any) -> str:
        return group if str(path) == "/proc/self/cgroup" else read(path, *how, **more)

    monkeypatch.setattr(Path, "read_text", text)


def test_a_group_is_made_where_the_parents_say_that_memory_is_given(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 2: not below the grader's own group, in which somebody computes."""
    own = tree / "user.slice" / "grading.scope"
    own.mkdir(parents=True)
    for folder, gives in ((own, ""), (own.parent, "cpu memory"), (tree, "memory pids")):
        (folder / "cgroup.subtree_control").write_text(f"{gives}\n", encoding="ascii")
    _told("0::/user.slice/grading.scope\n", monkeypatch)
    group = groups.around(7)
    assert group is not None
    assert group.folder.parent == own.parent
    assert (group.folder / "memory.max").read_text() == str(groups.CEILING)
    assert (group.folder / "cgroup.procs").read_text() == "7"
    for events, overrun in (("oom 0\noom_kill 3\n", False), ("max 9\noom 2\n", True)):
        (group.folder / "memory.events").write_text(events)
        assert group.overrun() == overrun  # others' memory may have ended, and taken it along


@pytest.mark.parametrize("told", ["0::/\n", "5:cpu:/x\n0::/x\n", "4:memory:/not/there\n", ""])
def test_where_none_is_given_the_watch_alone_counts(
    told: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "x").mkdir()
    (tree / "x" / "cgroup.subtree_control").write_text("memory\n")
    (tree / "x").chmod(0o500)
    _told(told, monkeypatch)
    monkeypatch.setattr(groups.Group, "make", _refused)
    assert groups.around(7) is None
    assert not any(tree.glob("**/autograder-*"))


def _refused(self: groups.Group) -> None:
    raise PermissionError
