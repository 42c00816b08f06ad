"""A worker seen from outside, through what the kernel tells of processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(int(value) for value in fields[11:15]) / _TICKS
    except (OSError, IndexError):
        return 0.0


def own_clock(pid: int) -> float:
    """CPU seconds of a process alone, to the nanosecond; 0 where there is no such clock."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid(3) makes its number
    except OSError:
        return 0.0


def state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "X"


def own_bytes(pid: int) -> int:
    """Resident bytes of a process, less those of files: its own, and those that it shares with
    its children."""
    kilobytes = 0
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(("RssAnon:", "RssShmem:")):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024


def tree_bytes(pid: int, baseline: int) -> int:
    """What a process and its descendants hold beyond the `baseline` that forks share."""
    total, queue = 0, [pid]
    while queue and len(queue) < 1000:
        one = queue.pop()
        total += max(0, own_bytes(one) - baseline)
        with contextlib.suppress(OSError, ValueError):
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children") as file:
                    queue += [int(child) for child in file.read().split()]
    return total


def remove(folder: str) -> None:
    """Whatever it holds: folders nested without end, and such that may not be entered."""
    subprocess.run(["/bin/chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
    subprocess.run(["/bin/rm", "-rf", folder])


def wait_gone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while state(pid) not in "ZX" and time.monotonic() < deadline:
        time.sleep(0.001)
