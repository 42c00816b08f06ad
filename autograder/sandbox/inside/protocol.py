"""What both ends of the line to a submission's process agree on, and both do."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess

HEADER = struct.Struct("<8sQ")
"""Before every request and answer: a nonce, which the answer repeats, and the length."""

MAX_BYTES = 16 * 2**20
"""Of one message between judge and worker, and of a value in it."""

SCRATCH = "/scratch"
"""Of a submission in the full cage; not /tmp, which may hold the interpreter."""

DEVICES = ("null", "full", "random", "urandom")
"""In the full cage's /dev; not zero, which can be mapped as memory that nobody holds."""

LIMITS = {
    "memory": 2 * 2**30,
    "addresses": 2 * 2**30,  # beyond those of the memory: stacks and heaps of threads, mostly empty
    "scratch": 64 * 2**20,
    "file_size": 64 * 2**20,
    "files": 256,
    "processes": 64,
    "signals": 1024,
}


def receive(line: socket.socket, count: int) -> bytes:
    """So many bytes of the line, as soon as they are there; OSError where it ended before.

    They come in one piece, unless a signal came or processes write by turns: a piece more costs the
    same, however many there are.
    """
    found = line.recv(count, socket.MSG_WAITALL)
    there = len(found)
    if there == count:
        return found
    data = memoryview(bytearray(count))
    data[:there] = found
    while there < count:
        more = line.recv_into(data[there:], 0, socket.MSG_WAITALL)
        if not more:
            raise ConnectionError("the line has ended")
        there += more
    return bytes(data)


def remove(folder: str) -> None:
    """Whatever it holds: folders nested without end, and such that may not be entered."""
    subprocess.run(["/bin/chmod", "-R", "u+rwx", folder], stderr=subprocess.DEVNULL)
    subprocess.run(["/bin/rm", "-rf", folder])


def threads_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    return []


def children_of(pid: int, threads: list[int]) -> tuple[list[int], bool]:
    """Those that these threads of it started or adopted; whether each thread was there to tell."""
    found: list[int] = []
    told = True
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += [int(child) for child in file.read().split()]
        except (OSError, ValueError):
            told = False
    return found, told
