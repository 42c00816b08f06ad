"""Memory that the kernel counts and holds, at each level; where it gives us groups, really so."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import CageGone, WorkerEnded
from autograder.grading import judge_process
from autograder.sandbox import groups
from autograder.sandbox.cage import Cage, Worker, strongest
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.levels import LEVELS, Level
from autograder.sandbox.process import wait_gone
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


def _group(worker: Worker) -> groups.Group:
    """The one that the kernel gave; where it gives none, there is nothing to see."""
    if worker.group is None:
        worker.kill()
        pytest.skip("the kernel gives this user no control group")
    return worker.group


@pytest.fixture
def worker(request: pytest.FixtureRequest, cages: Callable[[Level], Cage]) -> Iterator[Worker]:
    """At the level that the test asks for."""
    worker = cages(getattr(request, "param", "full")).worker()
    folder = _group(worker).folder
    yield worker
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


CONTAINER = f"container-{os.getpid()}"  # another process may run such a test at this moment


@pytest.fixture
def container(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[groups.Group]:
    """Groups are made in one that has less memory than a submission may have."""
    assert worker.group is not None
    outer, version = worker.group.folder.with_name(CONTAINER), worker.group.version
    outer.mkdir()
    if version is groups.SECOND:
        (outer / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    (outer / version.memory).write_text(str(2**28), encoding="ascii")
    monkeypatch.setattr(groups, "_places", lambda: [groups.Group(outer, version)])
    yield groups.Group(outer, version)
    outer.rmdir()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.usefixtures("container")
def test_who_is_ended_where_a_container_s_memory_ends_has_not_passed_a_limit(
    level: Level, cages: Callable[[Level], Cage]
) -> None:
    """It is tried again alone, and told what it was."""
    second = cages(level).worker()
    assert second.group is not None
    assert second.group.folder.parent.name == CONTAINER
    with pytest.raises(WorkerEnded, match="killed, as where memory runs out") as told:
        _run(second, FILLS.format(quarters=2))
    assert (told.value.kind, told.value.killed) == ("died", True)
    assert not second.group.folder.exists()


POOL = (
    "import os, time\nif not os.fork():\n    {fills}    time.sleep(9)\n"
    "os.wait()\ntime.sleep({waits})\n"
)
"""Its child is the one that the kernel ends; who has handed it work may wait for ever."""


@pytest.mark.usefixtures("container")
def test_who_loses_a_part_where_a_container_s_memory_ends_is_tried_again(
    cages: Callable[[Level], Cage],
) -> None:
    second = cages("full").worker()
    with pytest.raises(WorkerEnded, match="killed, as where memory runs out") as told:
        _run(second, POOL.format(fills=FILLS.format(quarters=2), waits=9))
    assert (told.value.kind, told.value.killed) == ("died", True)


def test_without_a_group_too_whoever_may_have_lost_a_part_is_known(
    container: groups.Group, cages: Callable[[Level], Cage], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = groups.Group(container.folder / "all", container.version)
    inside.folder.mkdir()  # in version 2 nobody computes in a group that gives memory to others
    monkeypatch.setattr(groups, "around", lambda pid: inside.add(pid))
    second = cages("full").worker()
    _run(second, POOL.format(fills="os._exit(0)\n", waits=0.3))
    assert not second.struck
    _run(second, POOL.format(fills=FILLS.format(quarters=2), waits=0.3))
    assert second.struck
    second.kill()
    inside.folder.rmdir()


def test_a_group_s_name_does_not_tell_how_many_there_were(cages: Callable[[Level], Cage]) -> None:
    """It is read inside, and a later worker of a submission would hear how often one before it
    ended."""
    names = []
    for _ in range(2):
        worker = cages("full").worker()
        names.append(_group(worker).folder.name.rpartition("-"))
        worker.kill()
    (one, _, number), (other, _, next_number) = names
    assert one == other
    assert abs(int(number, 16) - int(next_number, 16)) > 2**20


def test_an_answer_within_its_memory_does_not_meet_it(worker: Worker) -> None:
    """Beside what is fresh: a full scratch folder, and the libraries' pages written to."""
    scratch = (
        "open('full', 'wb').write(bytes(60 * 2**20)); import gc; gc.unfreeze(); gc.collect()\n"
    )
    _run(worker, scratch + FILLS.format(quarters=7))
    assert worker.group is not None
    assert not worker.group.overrun()


def test_a_killed_graders_groups_are_removed_by_the_next(worker: Worker) -> None:
    """Also where another process has its number meanwhile."""
    assert worker.group is not None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    _, pid, born, number = worker.group.folder.name.split("-")
    left = worker.group.folder.with_name(f"autograder-{ended.pid}-{born}-0")
    renumbered = worker.group.folder.with_name(f"autograder-{pid}-1-0")
    other = worker.group.folder.with_name(f"autograder-{pid}-{born}-{number}0000")
    strangers = worker.group.folder.with_name("autograder-of-somebody-else")
    for folder in (left, renumbered, other, strangers):
        folder.mkdir()
    strongest("full").close()  # as `doctor` and `explain` begin, too
    assert not left.exists()
    assert not renumbered.exists()
    for folder in (other, strangers):  # of a grader that is at work, and none at all
        assert folder.exists()
        folder.rmdir()


def test_a_judge_whose_fork_was_killed_removes_its_group(cages: Callable[[Level], Cage]) -> None:
    """It goes on with the class: what killed a fork each time would make them pile up."""

    def judge(self: object, judge: object, job: object) -> None:
        worker = cages("full").worker()
        assert worker.group is not None
        os.write(told, str(worker.group.folder).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    ready, told = os.pipe()
    line, other = multiprocessing.connection.Pipe()
    with line, other:
        server = object.__new__(judge_process._Server)
        server.cage, server.line = cages("full"), line
        server._judge = types.MethodType(judge, server)  # type: ignore[method-assign]
        probe = server.cage.worker()
        _group(probe)
        probe.kill()
        assert b"without a result" in server._in_a_fork(None, None)  # type: ignore[arg-type]
    made = Path(os.read(ready, 4096).decode())
    os.close(ready)
    os.close(told)
    assert "autograder-" in made.name
    assert not made.exists()


@pytest.mark.parametrize("level", ["full", "landlock"])
def test_a_cage_whose_parent_was_killed_leaves_no_group(level: Level) -> None:
    with contextlib.closing(Cage(level)) as cage:
        worker = cage.worker()
        folder = _group(worker).folder
        cage.process.kill()
        wait_gone(worker.pid, 5.0)
        with pytest.raises(CageGone):
            worker.kill()
        assert not folder.exists()


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
