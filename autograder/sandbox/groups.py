"""The kernel's own account of a submission's memory: a control group, where one can be had.

`Watch` looks at processes from outside, some times a second. What is taken between two looks, or
held by nobody who is seen, the kernel alone knows. A submission in a group of its own gets
`CEILING` and no page more, the kernel's notes about it and its scratch folder included. That lies
above what the watch ends it for, and no answer within its memory meets it.

Both versions of Linux's control groups will do. Root has them unless a container forbids it,
others where a part of the tree was given to them (`systemd-run --user --scope`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .inside.protocol import LIMITS
from .process import look_at

CEILING = LIMITS["memory"] + 2**29
_ROOT = Path("/sys/fs/cgroup")


class Version(NamedTuple):
    """How its files are called."""

    memory: str
    used: str
    of_files: str
    """The lines of `memory.stat` with what of it are copies of files, which make room."""
    limits: tuple[tuple[str, int], ...]
    """Of memory, and what else there may be a file for: what is swapped out, who else ends."""
    killed: tuple[str, str]
    """A file, and the line in it whose number is above 0 once the kernel ended a process of it."""
    ended: tuple[tuple[str, str], ...]
    """The same, once that was at its own limit."""


FIRST = Version(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "total_(in)?active_file ",
    (("memory.limit_in_bytes", CEILING), ("memory.swappiness", 0)),
    ("memory.oom_control", "oom_kill "),
    (("memory.oom_control", "oom_kill "), ("memory.failcnt", "")),
)
SECOND = Version(
    "memory.max",
    "memory.current",
    "(in)?active_file ",
    (("memory.max", CEILING), ("memory.swap.max", 0), ("memory.oom.group", 1)),
    ("memory.events", "oom_kill "),
    (("memory.events", "oom "),),
)


@dataclass(frozen=True)
class Group:
    """A submission's own, or one that holds this process."""

    folder: Path
    version: Version

    def make(self) -> None:
        self.folder.mkdir()
        for file, value in self.version.limits:
            if file == self.version.memory or (self.folder / file).exists():
                (self.folder / file).write_text(str(value), encoding="ascii")

    def add(self, pid: int) -> None:
        """The process and all that it starts from now on."""
        (self.folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def killed(self) -> bool:
        """Whether the kernel ended a process of it for want of memory, its own or others'."""
        return self._tells(self.version.killed)

    def overrun(self) -> bool:
        """Whether the kernel ended a process of it at the ceiling."""
        return all(map(self._tells, self.version.ended))

    def _tells(self, line: tuple[str, str]) -> bool:
        file, name = line
        try:
            text = (self.folder / file).read_text("ascii")
        except OSError:
            return False
        return bool(re.search(f"^{name}[1-9]", text, re.MULTILINE))

    def remove(self) -> None:
        """An empty one; whose grader was killed leaves it to the next."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def left(self) -> float:
        """Bytes that it has left of its memory; without end where nobody tells."""
        found = float("inf")
        with contextlib.suppress(OSError, ValueError):
            found = self._number(self.version.memory)
            used = self._number(self.version.used)
            told = (self.folder / "memory.stat").read_text(encoding="ascii")
            files = re.findall(f"^{self.version.of_files}([0-9]+)$", told, re.MULTILINE)
            found -= used - sum(int(size) for _, size in files)
        return found

    def processes_left(self) -> float:
        """How many more processes and threads it allows; without end where nobody tells."""
        with contextlib.suppress(OSError, ValueError):  # "max" is no number
            return self._number("pids.max") - self._number("pids.current")
        return float("inf")

    def _number(self, file: str) -> int:
        return int((self.folder / file).read_text(encoding="ascii"))

    def gives_memory(self) -> bool:
        """Whether a group below this one may have a limit; in version 2 that is for this one to
        say."""
        try:
            if self.version is FIRST:
                return (self.folder / self.version.memory).exists()
            given = (self.folder / "cgroup.subtree_control").read_text(encoding="ascii")
        except OSError:
            return False
        return "memory" in given.split()


def own(controller: str = "memory") -> Iterator[Group]:
    """The groups that limit the memory, say, of this process: its own, and those above it."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, name = line.split(":", 2)
            if controllers in ("", controller):
                root = _ROOT / controllers
                group = root / name.lstrip("/")
                for folder in (group, *group.parents):
                    if folder.is_relative_to(root):
                        yield Group(folder, FIRST if controllers else SECOND)


def around(pid: int) -> Group | None:
    """A new group with this process in it; None where the machine lets us have none."""
    places = _places()
    # The name can be read inside: it has no number that counts.
    name = f"autograder-{os.getpid()}-{_born(os.getpid())}-{secrets.token_hex(8)}"
    for place in tuple(places):
        group = Group(place.folder / name, place.version)
        try:
            group.make()
            group.add(pid)
        except OSError as error:
            group.remove()
            if not isinstance(error, ProcessLookupError):
                places.remove(place)
        else:
            return group
    return None


def held() -> bool:
    """Whether the kernel holds the memory of submissions here; known once one was started."""
    return bool(_places())


@functools.cache
def _places() -> list[Group]:
    """In which groups may perhaps be made."""
    return [group for group in own() if group.gives_memory()]


def remove_left() -> None:
    """Removes the groups of judges that have ended, or were killed before they could."""
    for place in _places():
        for folder in place.folder.glob("autograder-*"):
            name = re.fullmatch(r"autograder-([0-9]+)-([0-9]+)-[0-9a-f]+", folder.name)
            if name and _born(int(name[1])) != int(name[2]):
                Group(folder, place.version).remove()


def _born(pid: int) -> int:
    """When it was started, which tells it from an earlier process of the same number."""
    seen = look_at(pid)
    return seen.born if seen else -1
