"""What a submission's process gives up before any of its code runs.

Linux system calls through ctypes. What a level promises raises OSError if the kernel refuses it,
so that a weaker cage is never mistaken for a full one; what only helps is left out then.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable

from . import syscalls
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
    if _LINUX:
        _call("prctl", option, *(ctypes.c_ulong(value) for value in (*args, 0, 0, 0, 0)[:4]))


def not_traceable() -> None:
    """No other process of the same user can read this one's memory, or trace it."""
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
    # The devices are the machine's own, whose times would last, for the next to read.
    for path in (f"/dev/{name}" for name in DEVICES):
        # What is forbidden where the machine keeps them, programs say, must stay forbidden.
        kept = os.statvfs(path).f_flag & (_MS_NODEV | _MS_NOEXEC)
        flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | kept
        _mount("none", path, None, flags, None)
    os.chdir(SCRATCH)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _call("mount", *encoded[:3], ctypes.c_ulong(flags), encoded[3])


def limit_resources(limits: dict[str, int], others: int) -> None:
    """The kernel's own limits; the judge watches time and memory from outside as well. `others`:
    the threads of the same user that are not the submission's, but count."""
    limit_memory(limits["memory"] + limits["addresses"])
    wanted = {
        resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_FSIZE: limits["file_size"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_NPROC: limits["processes"] + others,
    }
    if _LINUX:
        wanted |= {
            resource.RLIMIT_SIGPENDING: limits["signals"],  # a timer takes one, too
            resource.RLIMIT_MEMLOCK: 0,  # a library's pages, kept in memory, are nobody's
            # Who grades may have rights to these, on a machine for sound, say.
            resource.RLIMIT_RTPRIO: 0,
            resource.RLIMIT_NICE: 0,
        }
    for name, value in wanted.items():
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))


def threads_of_this_user() -> int:
    """All that there are on the machine."""
    found, user = 0, str(os.getuid()).encode()
    for pid in filter(str.isdigit, os.listdir("/proc")) if _LINUX else ():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
            values = dict(row.split(b":", 1) for row in file.read().splitlines())
            found += int(values[b"Threads"]) if values[b"Uid"].split()[0] == user else 0
    return found


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
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, 9)


def forgo_capabilities() -> None:
    """No program started from here on can gain a capability; before `become`, which ends the
    right to say so."""
    for capability in range(64):  # EINVAL past the last; EPERM where there is nothing to drop
        with contextlib.suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)


def become(uid: int) -> None:
    """From root to an unprivileged user of no group."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def look_as(uid: int, gid: int) -> None:
    """This thread alone opens files as that user, who must be root's to choose."""
    if _LINUX:
        _libc.setfsgid(ctypes.c_uint(gid))
        _libc.setfsuid(ctypes.c_uint(uid))


def drop_privileges(namespaces: bool) -> None:
    """No capability, none to be gained, and none of the kernel's dangerous doors (`syscalls`)."""
    if not _LINUX:
        return
    with contextlib.suppress(OSError):
        _prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    _call("capset", struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", *[0] * 6))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 1)
    program = syscalls.refusing(namespaces)
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
