"""What a grader, or a student through it, may leave on the machine: nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.sandbox.inside import lockdown

_PATIENCE = 120.0


@contextlib.contextmanager
def adopting() -> Iterator[Callable[[], None]]:
    """Whoever loses its parent becomes this process's child, instead of init's.

    Gives a function that waits until all of them have ended, and with them whatever they listened
    at: a grader that is killed must not leave anybody behind.
    """
    before = _children()
    lockdown._prctl(lockdown._PR_SET_CHILD_SUBREAPER, 1)

    def all_ended() -> None:
        deadline = time.monotonic() + _PATIENCE
        while left := _children() - before:
            assert time.monotonic() < deadline, [_command(pid) for pid in left]
            for pid in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)

    try:
        yield all_ended
    finally:
        lockdown._prctl(lockdown._PR_SET_CHILD_SUBREAPER, 0)


def _children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return "gone"


def marked(mark: str) -> list[str]:
    """Processes, sockets and files, where anybody may write, that have the mark in their name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if mark in _command(int(pid)) and int(pid) != os.getpid():
            found.append(f"process {pid}: {_command(int(pid))}")
    found += [line for line in Path("/proc/net/unix").read_text().splitlines() if mark in line]
    for folder in ("/", "/tmp", "/dev/shm", "/var/tmp", str(Path.home()), os.getcwd()):
        with contextlib.suppress(OSError):
            found += [f"{folder}/{name}" for name in os.listdir(folder) if mark in name]
    return found


def memory_segments() -> list[str]:
    """System V's shared memory that nobody has attached."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[6] == "0"]


def temporary(folder: Path) -> list[str]:
    """What stands in a folder for temporary files, but for the cache that torch keeps per user."""
    return [name for name in os.listdir(folder) if not name.startswith("torchinductor_")]
