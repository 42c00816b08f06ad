"""A submission's processes seen from outside, through what the kernel tells of them.

Everything is read as bytes: a process calls itself what it likes.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from typing import NamedTuple

from .inside import lockdown
from .inside.protocol import children_of, threads_of

_TICKS = os.sysconf("SC_CLK_TCK")
_SOCKETS_UNCOUNTED = 16
_FAIR_SECONDS = 1.0  # of the judge's CPU, in which some 30 GB of pages are counted
_WAITING_SECONDS, _A_MOMENT = 0.5, 0.02  # in the kernel, for what is being changed
_WALL_SECONDS = 3.0  # meanwhile more can be taken, and nobody looks at the time
_SOCKET_FILES = 64  # so many open files are not looked through for sockets


class Process(NamedTuple):
    """One process at one moment; CPU seconds of its own and of children it has waited for."""

    state: str
    own: float
    waited: float
    born: int


class Sight(NamedTuple):
    """All processes of a submission at one moment."""

    alive: bool
    """Whether its first process, or a thread of it, is there."""
    wants_core: bool
    """Whether anything in it computes or waits for a core."""
    in_kernel: bool
    """Whether anything in it waits in the kernel, for a disk say."""
    processes: list[int]


class Traces(NamedTuple):
    """What a process that answers one exercise may leave to the next."""

    company: set[int]
    """Its threads but the first, and its children; also those that were adopted."""
    room: list[int]
    """What is left of files to open, and of its folders' bytes and names; nothing where that cannot
    be looked at."""
    conditions: list[object]
    """Under which it works."""

    def cost_something(self, before: Traces) -> bool:
        """Whether more is there beside it than before, much less is left, or it works otherwise."""
        if self.company - before.company or self.conditions != before.conditions:
            return True
        return any(now < 0.9 * was for now, was in zip(self.room, before.room, strict=False))


class Tree:
    """What a submission's processes have used and hold together.

    `above` is 0 where the first process adopts every orphan, as in a process namespace of its
    own; else it is the process that adopts them, whose other children belong here too.
    """

    def __init__(self, pid: int, above: int = 0) -> None:
        self.pid = pid
        self.above = above
        self.children_cpu = 0.0
        """CPU seconds of all processes but the first, also of those that are gone."""
        self.missed = False
        """Whether something ended, in the last look, before it was looked at or counted: whoever
        has its memory or its children now may not have been seen."""
        self.lost = False
        """Whether one that lived at the look before lives no more."""
        self.hurried = False
        """Whether the last count was not finished because others had the cores."""
        self._known: dict[int, Process] = {}
        self._living: set[int] = set()
        self._hollow: set[int] = set()
        """Who held nothing when it was counted: while it ends, its children are still its own."""
        self._baseline = own_bytes(pid)
        self._buffer = _socket_buffer()
        self._network = _own_network(pid)
        if self._network >= 0:
            weakref.finalize(self, os.close, self._network)

    @property
    def cpu(self) -> float:
        """CPU seconds of all: those of the first process now, of the others at the last look."""
        return own_clock(self.pid) + self.children_cpu

    def look(self) -> Sight:
        """Who is there; their times are added to what was used."""
        if sys.platform != "linux":
            return Sight(True, True, False, [])
        found: dict[int, Process] = {}
        living: set[int] = set()
        ended = self._known.keys() - self._living
        wants_core = in_kernel = self.missed = False
        queue = [self.pid, *self._adopted()]
        while queue:
            pid = queue.pop()
            if pid in found:
                continue
            if (seen := look_at(pid)) is None:
                self.missed = True
                continue
            found[pid] = seen
            tasks = threads_of(pid)
            states = [seen.state]
            if len(tasks) > 1:  # the first thread may have ended, and others run
                states = [one.state for task in tasks if (one := look_at(task, pid))]
            wants_core |= "R" in states
            in_kernel |= "D" in states
            if any(state not in "ZX" for state in states):
                living.add(pid)
            elif pid not in ended:
                self.missed = True
            children, all_told = children_of(pid, tasks)
            queue += children
            self.missed |= not all_told
        self._account(found)
        self.lost = not self._living.issubset(living)
        self._known, self._living = found, living
        return Sight(self.pid in living, wants_core, in_kernel, list(found))

    def _account(self, found: dict[int, Process]) -> None:
        """Adds up what they have used since the last look.

        A process that nobody waits for leaves nothing but what was seen of it. One that is
        waited for adds its time to its parent's, where it must not be counted once more.
        """
        added = inherited = 0.0
        for pid, now in found.items():
            before = self._known.get(pid)
            if before is None or before.born != now.born:
                before = Process("", 0.0, 0.0, now.born)
            inherited += now.waited - before.waited
            added += now.own - before.own if pid != self.pid else 0.0
        for pid, last in self._known.items():
            if pid not in found or found[pid].born != last.born:
                inherited -= last.own + last.waited
        self.children_cpu += added + max(0.0, inherited)

    def _adopted(self) -> list[int]:
        return children_of(self.above, threads_of(self.above))[0] if self.above else []

    def holds_more_than(self, limit: int, processes: list[int]) -> bool:
        """Whether the processes together hold more memory than that beyond the libraries'.

        What each holds for itself is quick to read, and more than the truth: forks share pages.
        Only where that sum is too large is each page given to those who share it, in parts.
        What cannot be read, or not in time, is counted whole: while many are read that share much,
        they could take more.
        """
        limit += self._baseline
        whole = {pid: own_bytes(pid) for pid in processes}
        hollow = {pid for pid, own in whole.items() if not own}
        held = self._buffers(processes) + sum(whole.values())
        self.hurried = False
        if held > limit:
            parts, self.hurried = _in_parts(processes)
            for pid, fair in parts.items():
                held -= max(0, whole[pid] - fair)  # all of it, where it has ended meanwhile
                if not fair:
                    hollow.add(pid)
        self.missed |= not (hollow & self._living).issubset(self._hollow)
        self._hollow = hollow
        return held > limit

    def _buffers(self, processes: list[int]) -> int:
        """The most that the kernel may keep in the processes' sockets.

        A network of their own lists all sockets in it, also those that wait to be accepted and
        are nobody's file; else there are pairs alone, and each is somebody's: none is handed on.
        """
        if self._network >= 0:
            os.lseek(self._network, 0, os.SEEK_SET)
            parts = iter(lambda: os.read(self._network, 2**16), b"")  # a page each
            rows = sum(part.count(b"\n") for part in parts)
            return max(0, rows - _SOCKETS_UNCOUNTED) * self._buffer
        open_files, hidden = [], 0
        # A thread may have a table of files of its own; one that has ended has none, which another
        # user than root may not even look for.
        threads = [(pid, thread) for pid in processes for thread in threads_of(pid)]
        for of, thread in threads:
            table = f"/proc/{of}/task/{thread}/fd"
            try:
                open_files += [f"{table}/{name}" for name in os.listdir(table)]
            except PermissionError:
                seen = look_at(thread, of)
                hidden += 256 if seen is not None and seen.state not in "ZX" else 0
            except OSError:
                pass
        sockets = set()
        for path in open_files if len(open_files) > _SOCKET_FILES else ():
            try:
                target = os.readlink(path)
            except PermissionError:  # by root without the right to trace, as in a container
                hidden += 1
            except OSError:
                pass
            else:
                if target.startswith("socket:"):
                    sockets.add(target)
        return max(0, len(sockets) + hidden - _SOCKETS_UNCOUNTED) * self._buffer

    def traces(self, files: int, folders: Iterable[str]) -> Traces:
        """Of the first process, which may open so many files."""
        tasks = threads_of(self.pid)
        company = {*tasks, *children_of(self.pid, tasks)[0], *self._adopted()} - {self.pid}
        return Traces(company, _room(self.pid, files, folders), _conditions(self.pid))


def look_at(pid: int, of: int = 0) -> Process | None:
    """A process, or a thread of the process `of`; None where there is none."""
    try:
        path = f"/proc/{of}/task/{pid}/stat" if of else f"/proc/{pid}/stat"
        with open(path, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        user, system, waited_user, waited_system = map(int, fields[11:15])
        return Process(
            fields[0].decode("ascii"),
            (user + system) / _TICKS,
            (waited_user + waited_system) / _TICKS,
            int(fields[19]),
        )
    except (OSError, IndexError, ValueError):
        return None


def own_clock(pid: int) -> float:
    """CPU seconds of a process alone, to the nanosecond; 0 where there is no such clock."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid(3) makes its number
    except OSError:
        return 0.0


def has_used_its_time(pid: int) -> bool:
    """Whether a process that was killed computed for about as long as the kernel lets it, which
    counts ticks: on a machine that shares its cores up to twice of what was computed."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/limits", "rb") as file:
        if limit := re.search(rb"^Max cpu time +([0-9]+)", file.read(), re.MULTILINE):
            return own_clock(pid) > int(limit[1]) / 2
    return False


def own_bytes(pid: int) -> int:
    """Bytes of a process less those of files: its own, those that it shares with other
    processes, those that were swapped out, and the tables of them."""
    return _bytes(pid, "status", _OWN) or 0


def bytes_left() -> float:
    """What the machine has left of its memory; without end where nobody tells."""
    found = _sum("/proc/meminfo", (b"MemAvailable:",))
    return float("inf") if found is None else found


def kernels_own() -> int:
    """What the kernel itself holds of the machine's memory, which is in no process."""
    return _sum("/proc/meminfo", (b"SUnreclaim:", b"VmallocUsed:")) or 0


def kernel_kills() -> int:
    """How many processes the kernel has ended for want of memory, on the whole machine."""
    with contextlib.suppress(OSError, ValueError), open("/proc/vmstat", "rb") as file:
        return int(file.read().partition(b"\noom_kill ")[2].partition(b"\n")[0])
    return 0


def _in_parts(processes: list[int]) -> tuple[dict[int, int], bool]:
    """`_fair_bytes` of as many of the processes as can be read in time; whether it was time on the
    wall that ended.

    The kernel shows nobody a memory that it is changing, and a process can have it do so without
    end. So a thread of its own reads, and is left behind where it waits for that.
    """
    found: dict[int, int] = {}
    over = threading.Event()

    def read() -> None:
        for pid in processes:
            if over.is_set() or time.thread_time() > _FAIR_SECONDS:
                break
            _look_as_its_user(pid)
            found[pid] = _fair_bytes(pid)

    reader = threading.Thread(target=read, name="reader", daemon=True)
    with contextlib.suppress(RuntimeError):  # no room for a thread, as beside a check's large array
        reader.start()
    waited, until = 0.0, time.monotonic() + _WALL_SECONDS
    while reader.is_alive() and waited < _WAITING_SECONDS and time.monotonic() < until:
        reader.join(_A_MOMENT)
        seen = look_at(reader.native_id or 0, os.getpid())
        waited += _A_MOMENT if seen is not None and seen.state == "D" else 0.0
    over.set()
    return found.copy(), time.monotonic() >= until


def _look_as_its_user(pid: int) -> None:
    """From here on this thread may read what the process's user may: root without the right to
    trace, as in most containers, is told of nobody's pages but its own."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            owner = os.stat(f"/proc/{pid}")
            lockdown.look_as(owner.st_uid, owner.st_gid)


def _fair_bytes(pid: int) -> int:
    """The same, with pages that several processes share given to each in part."""
    fair = _bytes(pid, "smaps_rollup", _FAIR)
    tables = _bytes(pid, "status", _TABLES)  # each has its own
    return own_bytes(pid) if fair is None else fair + (tables or 0)


_OWN = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"VmPTE:")
_TABLES = (b"VmPTE:",)
_FAIR = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


def _bytes(pid: int, file: str, names: tuple[bytes, ...]) -> int | None:
    """The sum of these lines of a process's; its first thread may have ended, and the others have
    the same memory."""
    found = _sum(f"/proc/{pid}/{file}", names)
    if found is None:
        others = (_sum(f"/proc/{thread}/{file}", names) for thread in threads_of(pid))
        found = next((one for one in others if one is not None), None)
    return found


def _sum(path: str, names: tuple[bytes, ...]) -> int | None:
    """Bytes of these lines together; None where there is none of them."""
    try:
        with open(path, "rb") as file:
            lines = [line for line in file.read().splitlines() if line.startswith(names)]
        return sum(int(line.split()[1]) for line in lines) * 1024 if lines else None
    except (OSError, ValueError, IndexError):
        return None


def _room(pid: int, files: int, folders: Iterable[str]) -> list[int]:
    left = []
    with contextlib.suppress(OSError):
        left.append(files - len(os.listdir(f"/proc/{pid}/fd")))
        for folder in folders:
            there = os.statvfs(f"/proc/{pid}/root{folder}")
            left += [there.f_bavail, there.f_favail]
    return left


def _conditions(pid: int) -> list[object]:
    """Its place among others and its cores, its mask for new files, which signals it ignores,
    handles or blocks, its limits, and where its output goes."""
    found: list[object] = []
    if sys.platform != "linux":
        return found
    with contextlib.suppress(OSError):
        found += [os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)]
        found.append(os.sched_getaffinity(pid))
        with open(f"/proc/{pid}/status", "rb") as file:
            told = _CONDITIONS.findall(file.read())
        found += [int(value, 16) & ~_OF_THREADS for value in told]
        with open(f"/proc/{pid}/limits", "rb") as file:
            found.append(file.read())
        found += [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)]
    return found


_CONDITIONS = re.compile(rb"^(?:Umask|SigBlk|SigIgn|SigCgt):\s+(\S+)", re.MULTILINE)
_OF_THREADS = 7 << 31  # signals 32 to 34, which the C library handles once there was a thread


def _own_network(pid: int) -> int:
    """A descriptor of the list of local sockets in the process's network, where that is not ours,
    else -1; while it is open it can be read, also without the process."""
    try:
        mine, theirs = (os.readlink(f"/proc/{one}/ns/net") for one in ("self", pid))
        return -1 if mine == theirs else os.open(f"/proc/{pid}/net/unix", os.O_RDONLY)
    except OSError:
        return -1


def _socket_buffer() -> int:
    """The most that one socket may have on its way; what a process may not raise."""
    try:
        with open("/proc/sys/net/core/wmem_default", "rb") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def wait_gone(pid: int, seconds: float) -> bool:
    """Whether the process has ended, at the latest after so many seconds."""
    deadline = time.monotonic() + seconds
    while (seen := look_at(pid)) and seen.state not in "ZX":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True
