"""What a submission's process gives up before any of its code runs.

Linux system calls through ctypes. What a level promises raises OSError if the kernel refuses it,
so that a weaker cage is never mistaken for a full one; what only helps is left out then.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable

from .protocol import DEVICES, SCRATCH

_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
_MADV_COLLAPSE, _LARGE = 25, 2**21
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 22, 36, 38, 47


def _call(function: str, *args: object) -> int:
    result: int = getattr(_libc, function)(*args)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
    return result


def _prctl(option: int, *args: int) -> None:
    _call("prctl", option, *(ctypes.c_ulong(value) for value in (*args, 0, 0, 0, 0)[:4]))


def not_traceable() -> None:
    """No other process of the same user can read this one's memory, or trace it."""
    if _LINUX:
        _prctl(_PR_SET_DUMPABLE, 0)


def large_pages() -> None:
    """What this process holds, in pages of 2 MB where the kernel (6.1) makes them: a fork copies a
    table of them, which for pages of 4 kB takes longer than all else that it does."""
    if not _LINUX:
        return
    with open("/proc/self/maps") as file:
        rows = [row.split() for row in file]
    for addresses, rights, _, _, inode, *name in rows:
        first, last = (int(address, 16) // _LARGE for address in addresses.split("-"))
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]) and first + 1 < last:
            start, length = (first + 1) * _LARGE, (last - first - 1) * _LARGE
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_COLLAPSE)


def adopt_orphans() -> None:
    """Children of dead children become ours, so that they can be found and killed."""
    if _LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def next_child_in_own_pid_namespace(own: int) -> None:
    """The next fork starts a new PID namespace; `own` is a descriptor of the present one."""
    _call("setns", own, CLONE_NEWPID)  # undoes what this function did for the last child
    _call("unshare", CLONE_NEWPID)


def own_mounts(scratch_bytes: int) -> None:
    """A private view of the file system: empty scratch, only this namespace's processes."""
    _call("unshare", CLONE_NEWNS | CLONE_NEWIPC)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE, None)
    safe = _MS_NOSUID | _MS_NODEV
    _mount("tmpfs", SCRATCH, "tmpfs", safe, f"size={scratch_bytes},nr_inodes=8192,mode=1777")
    _mount("tmpfs", "/dev/shm", "tmpfs", safe, f"size={scratch_bytes},nr_inodes=1024,mode=1777")
    # Read-only, or the submission could make itself the last to go where memory ends.
    _mount("proc", "/proc", "proc", safe | _MS_NOEXEC | _MS_RDONLY, None)
    devices_read_only()
    os.chdir(SCRATCH)


def devices_read_only() -> None:
    """They are the machine's own, whose times would last, for the next to read."""
    for path in (f"/dev/{name}" for name in DEVICES):
        # What is forbidden where the machine keeps them, programs say, must stay forbidden.
        kept = os.statvfs(path).f_flag & (_MS_NODEV | _MS_NOEXEC)
        flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | kept
        _mount("none", path, None, flags, None)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _call("mount", *encoded[:3], ctypes.c_ulong(flags), encoded[3])


def limit_resources(limits: dict[str, int], others: int = 0) -> None:
    """The kernel's own limits; the judge watches time and memory from outside as well. `others`:
    the threads of the same user that are not the submission's, but count."""
    limit_memory(limits["memory"] + limits["addresses"])
    for name, value in (
        (resource.RLIMIT_CPU, limits["cpu"] + 5),
        (resource.RLIMIT_FSIZE, limits["file_size"]),
        (resource.RLIMIT_NOFILE, limits["files"]),
        (resource.RLIMIT_NPROC, limits["processes"] + others),
        *(_of_linux(limits) if _LINUX else []),
    ):
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # The soft limit on time has a signal of its own, by which its end can be told.
        soft = max(1, value - 5) if name == resource.RLIMIT_CPU else value
        resource.setrlimit(name, (soft, value))


def threads_of_this_user() -> int:
    """All that there are on the machine."""
    found, user = 0, str(os.getuid()).encode()
    for pid in filter(str.isdigit, os.listdir("/proc")) if _LINUX else ():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
            values = dict(row.split(b":", 1) for row in file.read().splitlines())
            found += int(values[b"Threads"]) if values[b"Uid"].split()[0] == user else 0
    return found


def _of_linux(limits: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (resource.RLIMIT_SIGPENDING, limits["signals"]),  # a timer takes one, too
        (resource.RLIMIT_MEMLOCK, 0),  # a library's pages, kept in memory, are nobody's
        # Who grades may have rights to these, on a machine for sound, say.
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_NICE, 0),
    ]


def leave_no_core() -> None:
    """What crashes is written nowhere: 0 forbids a file, and 1 a program of the machine's, too,
    which would be started with all its memory (core(5)) and keep it. No limit forbids what a
    socket is there for (Linux 6.16), so that no memory is to be in it."""
    with contextlib.suppress(ValueError, OSError):  # who has had less may not have more
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    with contextlib.suppress(OSError), open("/proc/self/coredump_filter", "w") as file:
        file.write("0")


def limit_memory(more: int, for_good: bool = True) -> None:
    """So many bytes of addresses beyond those that the process has, and not to be raised again."""
    if _LINUX:
        with open("/proc/self/statm") as file:
            memory = more + int(file.read().split()[0]) * resource.getpagesize()
        most = memory if for_good else resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (memory, most))


def first_to_go() -> None:
    """Where the machine's memory ends, the kernel takes this process before any other."""
    if _LINUX:
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")


def die_with_parent() -> None:
    if _LINUX:
        _prctl(_PR_SET_PDEATHSIG, 9)


def forgo_capabilities() -> None:
    """No program started from here on can gain a capability; before `become`, which ends the
    right to say so."""
    if not _LINUX:
        return
    for capability in range(64):  # EINVAL past the last; EPERM where there is nothing to drop
        with contextlib.suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)


def become(uid: int) -> None:
    """From root to an unprivileged user of no group."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_privileges(namespaces: bool) -> None:
    """No capability, none to be gained, and none of the kernel's dangerous doors.

    Without namespaces there are sockets of others to connect to, and files to take away from
    their owner.
    """
    if not _LINUX:
        return
    with contextlib.suppress(OSError):
        _prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    header = struct.pack("<Ii", 0x20080522, 0)
    _call("capset", header, struct.pack("<6I", *[0] * 6))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 1)
    _forbid_system_calls(namespaces)


# Numbers on x86-64 and on 64-bit ARM. None of these serves a student's arithmetic; each has
# been a way out of a sandbox, could slow or stop the machine, or makes what outlives its maker:
# System V's shared memory, semaphores and queues, and POSIX queues (the last line), also those that
# others made; or memory that no process seems to hold (the line before): memfd_create, whatever
# lends pages of a file to a pipe or a socket, which keep them when the file is gone (vmsplice,
# splice, tee, sendfile), notes of the kernel's where each page of a file is to lie (mbind), which
# no control group counts, and lists of what is waited for (epoll), a million in a few processes and
# of all that a user may have. The line before that takes of what all of a machine's processes
# share, or tells one of another: inotify, fanotify, AIO, descriptor tables (modify_ldt), locks on
# libraries (flock), that everybody's files are written to the disk now (sync, syncfs), and who is
# served first by it (ioprio_set).
_FORBIDDEN = {
    "x86_64": (
        *(101, 103, 135, 155, 161, 163, 164, 165, 166, 167, 168, 169, 175, 176, 179, 227, 246),
        *(248, 249, 250, 272, 298, 304, 308, 310, 311, 312, 313, 320, 321, 323),
        *(253, 254, 294, 300, 301, 206, 154, 73, 162, 306, 251),
        *(319, 278, 275, 276, 40, 237, 213, 291, 188, 189, 190, 317),
        *(29, 64, 68, 240, 30, 31, 65, 66, 69, 70, 71, 220, 241),
    ),
    "aarch64": (
        *(117, 116, 92, 41, 51, 89, 170, 40, 39, 224, 225, 142, 105, 106, 60, 112, 104),
        *(217, 218, 219, 97, 241, 265, 268, 270, 271, 272, 273, 294, 280, 282),
        *(26, 27, 262, 263, 0, 32, 81, 267, 30),
        *(279, 75, 76, 77, 71, 235, 20, 5, 6, 7, 277),
        *(194, 190, 186, 180, 195, 196, 191, 192, 193, 187, 188, 189, 181),
    ),
}
# Everywhere the same; among them Landlock's own (444 to 446), whose rules are the kernel's memory.
_FORBIDDEN_EVERYWHERE = (
    *(425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 443),
    *(444, 445, 446, 447, 463, 467),
)
# Owner, mode, times and attributes of files, which Landlock leaves to whoever owns them, and before
# Linux 6.2 also what is in them: they can be emptied by name (truncate, the last), or opened so by
# who does not ask to write (O_TRUNC, at the place of open's flags; openat2 keeps them in memory).
_OF_OWNERS = {
    "x86_64": (90, 91, 92, 93, 94, 132, 197, 198, 199, 235, 260, 261, 268, 280, 76),
    "aarch64": (14, 15, 16, 52, 53, 54, 55, 88, 45),
}
_OPEN = {"x86_64": ((2, 24), (257, 32)), "aarch64": ((56, 32),)}
_O_TRUNC, _O_ACCMODE = 0o1000, 3
_OPENAT2 = 437
_OF_OWNERS_EVERYWHERE = (452, 466, 469)
# Of terminals and pipes alone, by the kind in the second byte. A file system's own go past
# Landlock and read-only mounts, from a file or folder that may only be read: a snapshot with code
# in it beside the libraries (Btrfs), the key of the user's encrypted folders taken away (fscrypt),
# flags, versions, and that everybody's files are written to the disk. A socket's have the kernel
# load code for bridges and VLANs, whoever asks; so has a terminal's other line (TIOCSETD).
_IOCTL = {"x86_64": 16, "aarch64": 29}
_OF_TERMINALS, _TIOCSETD = 0x5400, 0x5423
# Place, cores and priority of processes: of its own alone, where others of its user can be seen.
# The arguments that say whose, at these places, must be 0 (of `setpriority` also which kind).
_ITS_OWN = {
    "x86_64": ((142, 16), (144, 16), (203, 16), (314, 16), (141, 16, 24)),
    "aarch64": ((118, 16), (119, 16), (122, 16), (274, 16), (140, 16, 24)),
}
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_AF_UNIX = 1  # between processes of one machine; every other kind is a network
_SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
# Without namespaces, files are handed on to nobody (sendmsg, sendmmsg): sockets on their way are
# nobody's file, and nothing else lists them; thousands can be, each with all that it may hold.
_HAND_ON = {"x86_64": (46, 307), "aarch64": (211, 269)}
_SOCK_STREAM = 1  # of others, a receiver's queue may hold the buffers of ten senders that are gone
_MMAP = {"x86_64": 9, "aarch64": 222}
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20  # together, memory that stays where nobody touches it
_MAP_HUGETLB = 0x40000  # pages of the machine's own store, which no process's memory counts
_FCNTL = {"x86_64": 72, "aarch64": 25}
# Locks on parts of a file, as many as one likes, in the kernel's memory; leases on whole ones; and
# the oldest way to be told of what others do in a folder (dnotify).
_LOCKS_AND_WATCHES = (6, 7, 37, 38, 1024, 1026)
_SETSOCKOPT = {"x86_64": 54, "aarch64": 208}
# Memory of the kernel's: buffers (SO_SNDBUF, SO_RCVBUF), and programs that choose what arrives
# (SO_ATTACH_FILTER, SO_ATTACH_BPF, and both for many sockets together).
_SOL_SOCKET, _OPTIONS = 1, (7, 8, 32, 33, 26, 50, 51, 52)
# More memory of the kernel's: rules for system calls (PR_SET_SECCOMP), and a table in which it
# looks up who waits for what (PR_FUTEX_HASH), a gigabyte if one likes. A core whose other half
# nobody else may use meanwhile (PR_SCHED_CORE). And to be woken seconds too late, which would last
# and which nobody sees from outside (PR_SET_TIMERSLACK).
_PRCTL = {"x86_64": 157, "aarch64": 167}
_OF_PRCTL = (_PR_SET_SECCOMP, 78, 62, 29)
# To limit its own time is a way to be killed by the kernel, as where memory ends: who is killed so
# is judged again alone, and holds up all others; and to lower that of cores is a way to have them
# read (`leave_no_core`). Limits of other processes are not its business.
_SETRLIMIT = {"x86_64": 160, "aarch64": 164}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_OF_TIME, _OF_CORES = 0, 4  # RLIMIT_CPU, RLIMIT_CORE
_CLONE3 = 435
_NEW_NAMESPACES = 0x7E020080
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_EOPNOTSUPP = 0x0005005F  # what a file system says that cannot do it: `Path.copy` asks (FICLONE)

Step = tuple[int, int, int, int]
"""Of the kernel's program: what is done, steps to skip if it holds and if not, a number."""


@functools.cache
def system_call_filter(namespaces: bool) -> bytes:
    """The kernel's program that refuses them; the parent has it ready for its forks."""
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(f"the numbers of dangerous system calls are not known for {machine}")
    load, equal, anyset, mask, back = 0x20, 0x15, 0x45, 0x54, 0x06
    allowed, refused, unknown, not_here = (
        (back, 0, 0, what) for what in (_ALLOW, _EPERM, _ENOSYS, _EOPNOTSUPP)
    )

    def where(call: int, steps: list[Step]) -> list[Step]:
        """Steps for one system call, which others pass over."""
        return [(equal, 0, len(steps), call), *steps]

    def refuse(values: Iterable[int]) -> list[Step]:
        return [step for value in values for step in ((equal, 0, 1, value), refused)]

    program = [
        (load, 0, 0, 4),
        (equal, 1, 0, _AUDIT[machine]),
        (back, 0, 0, _KILL),
        (load, 0, 0, 0),
    ]
    if machine == "x86_64":  # the x32 numbers are a second name for every call
        program += [(0x35, 0, 1, 0x40000000), refused]
    forbidden = [*_FORBIDDEN[machine], *_FORBIDDEN_EVERYWHERE]
    if not namespaces:
        forbidden += [*_OF_OWNERS[machine], *_OF_OWNERS_EVERYWHERE]
        forbidden += [_SOCKET[machine], *_HAND_ON[machine]]  # socketpair reaches nobody else
        program += where(_OPENAT2, [unknown])
    program += refuse(forbidden)
    program += where(_CLONE3, [unknown])  # glibc falls back to clone
    options = refuse(_OPTIONS)
    steps = [(load, 0, 0, 24), (equal, 0, len(options) + 1, _SOL_SOCKET), (load, 0, 0, 32)]
    program += where(_SETSOCKOPT[machine], [*steps, *options, allowed])
    program += where(_PRCTL[machine], [(load, 0, 0, 16), *refuse(_OF_PRCTL), allowed])
    for number, *whose in () if namespaces else _ITS_OWN[machine]:
        steps = []
        for left, argument in reversed([*enumerate(reversed(whose))]):
            steps += [(load, 0, 0, argument), (equal, 0, 2 * left + 1, 0)]
        program += where(number, [*steps, allowed, refused])
    for number, flags in () if namespaces else _OPEN[machine]:
        steps = [(load, 0, 0, flags), (anyset, 0, 4, _O_TRUNC), (mask, 0, 0, _O_ACCMODE)]
        steps += [(equal, 2, 0, os.O_WRONLY), (equal, 1, 0, os.O_RDWR), refused, allowed]
        program += where(number, steps)
    steps = [(load, 0, 0, 24), (equal, 2, 0, _TIOCSETD), (mask, 0, 0, 0xFF00)]
    program += where(_IOCTL[machine], [*steps, (equal, 1, 0, _OF_TERMINALS), not_here, allowed])
    for number in (_SOCKET[machine], _SOCKETPAIR[machine]):
        steps = [(load, 0, 0, 16), (equal, 0, 4, _AF_UNIX), (load, 0, 0, 24), (mask, 0, 0, 0xF)]
        program += where(number, [*steps, (equal, 0, 1, _SOCK_STREAM), allowed, refused])
    steps = [(load, 0, 0, 40), (anyset, 0, 1, _MAP_HUGETLB), refused]
    steps += [(anyset, 0, 2, _MAP_ANONYMOUS), (anyset, 0, 1, _MAP_SHARED), refused, allowed]
    program += where(_MMAP[machine], steps)
    program += where(_FCNTL[machine], [(load, 0, 0, 24), *refuse(_LOCKS_AND_WATCHES), allowed])
    steps = [(load, 0, 0, 16), (equal, 1, 0, _OF_TIME), (equal, 0, 1, _OF_CORES), refused, allowed]
    program += where(_SETRLIMIT[machine], steps)
    steps = [(load, 0, 0, 16), (equal, 0, 8, 0)]
    steps += [(load, 0, 0, 24), (equal, 1, 0, _OF_TIME), (equal, 0, 4, _OF_CORES)]
    for word, left in ((32, 3), (36, 1)):  # without a new limit it is only read
        steps += [(load, 0, 0, word), (equal, 0, left, 0)]
    program += where(_PRLIMIT[machine], [*steps, allowed, refused])
    program += where(_CLONE[machine], [(load, 0, 0, 16), (anyset, 0, 1, _NEW_NAMESPACES), refused])
    program += [allowed]  # and so is whatever was not named
    return b"".join(struct.pack("<HBBI", *step) for step in program)


def _forbid_system_calls(namespaces: bool) -> None:
    program = system_call_filter(namespaces)
    code = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(
        struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    )
    _prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(header))


# --------------------------------------------------------------------------------- Landlock

_READ = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read file, read directory
_SYS_CREATE, _SYS_ADD, _SYS_RESTRICT = 444, 445, 446


def landlock_version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    if not _LINUX:
        return 0
    return max(0, _libc.syscall(_SYS_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def landlock(readable: Iterable[str], writable: Iterable[str]) -> None:
    """From now on only these trees can be opened; no TCP; signals stay inside (newer kernels)."""
    version = landlock_version()
    if version == 0:
        raise OSError("this kernel has no Landlock")
    files = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        files |= (1 << bit) if version >= since else 0
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    size = 8 + 8 * (version >= 4) + 8 * (version >= 6)
    attributes = struct.pack("<QQQ", files, network, scoped)[:size]
    ruleset = _call("syscall", _SYS_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    for paths, access in ((readable, _READ), (writable, files)):
        for path in paths:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            allowed = access if os.path.isdir(path) else access & ~((1 << 3) | 0x3FF0)
            rule = struct.pack("<Qi", allowed & files, descriptor)
            _call("syscall", _SYS_ADD, ruleset, ctypes.c_int(1), rule, ctypes.c_uint(0))
            os.close(descriptor)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _call("syscall", _SYS_RESTRICT, ruleset, ctypes.c_uint(0))
    os.close(ruleset)
