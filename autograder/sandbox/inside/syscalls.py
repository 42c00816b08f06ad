"""The system calls that a submission may not make, as the kernel's own program (seccomp) for it.

Whatever is not named is allowed: none of these serves a student's arithmetic.
"""

from __future__ import annotations

import functools
import os
import platform
import struct
from collections.abc import Callable

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Tables of calls, with their numbers on x86-64 and on 64-bit ARM, - for none, or one for both.

# Ways out of a sandbox, or to slow or stop the machine.
_DANGEROUS = """
    ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272,
    pidfd_getfd 438, personality 135 92, pivot_root 155 41, chroot 161 51, mount 165 40,
    umount2 166 39, open_tree 428, open_tree_attr 467, move_mount 429, fsopen 430, fsconfig 431,
    fsmount 432, fspick 433, mount_setattr 442, unshare 272 97, setns 308 268, swapon 167 224,
    swapoff 168 225, reboot 169 142, acct 163 89, syslog 103 116, quotactl 179 60, quotactl_fd 443,
    settimeofday 164 170, clock_settime 227 112, init_module 175 105, finit_module 313 273,
    delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, add_key 248 217,
    request_key 249 218, keyctl 250 219, perf_event_open 298 241, open_by_handle_at 304 265,
    bpf 321 280, userfaultfd 323 282, io_uring_setup 425, io_uring_enter 426,
    io_uring_register 427"""
# What takes of what all of a machine's processes share (of AIO, of descriptor tables), or tells one
# of another: watches and locks of files. That everybody's are written to the disk now, and who is
# served first by it.
_SHARED = """
    inotify_init 253 -, inotify_add_watch 254 27, inotify_init1 294 26, fanotify_init 300 262,
    fanotify_mark 301 263, io_setup 206 0, modify_ldt 154 -, flock 73 32, sync 162 81,
    syncfs 306 267, ioprio_set 251 30"""
# Memory that no process seems to hold: what lends pages of a file to a pipe or a socket, which keep
# them when the file is gone; and notes of the kernel's, where each page of a file is to lie, lists
# of what is waited for (a million in a few processes) and of access rights, and rules of seccomp's
# and Landlock's.
_UNSEEN = """
    memfd_create 319 279, memfd_secret 447, vmsplice 278 75, splice 275 76, tee 276 77,
    sendfile 40 71, mbind 237 235, epoll_create 213 -, epoll_create1 291 20,
    setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463, seccomp 317 277,
    landlock_create_ruleset 444, landlock_add_rule 445, landlock_restrict_self 446"""
# What outlives its maker, and what others made.
_LASTING = """
    shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190, semop 65 193, semctl 66 191,
    semtimedop 220 192, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187,
    mq_open 240 180, mq_unlink 241 181"""
# Without namespaces: sockets of others. Files are handed on to nobody: sockets on their way are
# nobody's file, and nothing else lists them; thousands can be, each with all that it may hold. And
# owner, mode, times and attributes of files, which Landlock leaves to whoever owns them, and before
# Linux 6.2 also what is in them; and links to them, through which the clearing up would change
# their mode.
_OF_OTHERS = """
    socket 41 198, sendmsg 46 211, sendmmsg 307 269, chmod 90 -, fchmod 91 52, fchmodat 268 53,
    fchmodat2 452, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54, utime 132 -,
    utimes 235 -, futimesat 261 -, utimensat 280 88, removexattr 197 14, lremovexattr 198 15,
    fremovexattr 199 16, removexattrat 466, file_setattr 469, truncate 76 45,
    link 86 -, linkat 265 37"""
# Those of which some are allowed.
_RULED = """
    open 2 -, openat 257 56, openat2 437, mmap 9 222, ioctl 16 29, fcntl 72 25, socket 41 198,
    socketpair 53 199, setsockopt 54 208, clone 56 220, clone3 435, prctl 157 167,
    setpriority 141 140, sched_setparam 142 118, sched_setscheduler 144 119,
    sched_setaffinity 203 122, sched_setattr 314 274, setrlimit 160 164, prlimit64 302 261,
    fallocate 285 47"""

_O_TRUNC, _O_ACCMODE = 0o1000, 3
# A terminal's own calls, by the second byte, and its other line (TIOCSETD), whose code the kernel
# loads for whoever asks.
_OF_TERMINALS, _TIOCSETD = 0x5400, 0x5423
_AF_UNIX = 1  # between processes of one machine; every other kind is a network
_STREAM = 1  # of others, a receiver's queue may hold the buffers of ten senders that are gone
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20  # together, memory that stays where nobody touches it
_MAP_HUGETLB = 0x40000  # pages of the machine's own store, which no process's memory counts
# Locks on parts of a file, as many as one likes, in the kernel's memory; leases on whole ones; and
# the oldest way to be told of what others do in a folder (dnotify).
_LOCKS_AND_WATCHES = (6, 7, 37, 38, 1024, 1026)
# Memory of the kernel's: buffers (SO_SNDBUF, SO_RCVBUF), and programs that choose what arrives
# (SO_ATTACH_FILTER, SO_ATTACH_BPF, and both for many sockets together).
_SOL_SOCKET, _OPTIONS = 1, (7, 8, 32, 33, 26, 50, 51, 52)
# More memory of the kernel's: rules for system calls (PR_SET_SECCOMP), and a table in which it
# looks up who waits for what (PR_FUTEX_HASH), a gigabyte if one likes. A core whose other half
# nobody else may use meanwhile (PR_SCHED_CORE). And to be woken seconds too late, which would last
# and which nobody sees from outside (PR_SET_TIMERSLACK).
_OF_PRCTL = (22, 78, 62, 29)
# To limit its own time is a way to be killed by the kernel, as where memory ends: who is killed so
# is judged again alone, and holds up all others; and to lower that of cores is a way to have them
# read (`lockdown.leave_no_core`).
_TIME_AND_CORES = (0, 4)
_NEW_NAMESPACES = 0x7E020080
# Of fallocate: room for a file as far as its size. No limit holds room behind its end
# (FALLOC_FL_KEEP_SIZE), all of a disk in one call, nor an end that is moved on
# (FALLOC_FL_INSERT_RANGE).
_PLAIN_ROOM = 0

Step = tuple[int, int, int, int]
"""Of the kernel's program: what is done, steps to skip if it holds and if not, a number."""
Condition = Callable[[int], list[Step]]
"""Steps that skip so many after them where it does not hold."""
_LOAD, _EQUAL, _AT_LEAST, _ANY_SET, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050001, 0x00050026
_EOPNOTSUPP = 0x0005005F  # what a file system says that cannot do it: `Path.copy` asks (FICLONE)
_NUMBER, _MACHINE, _FIRST, _SECOND, _THIRD, _FOURTH = 0, 4, 16, 24, 32, 40
"""Where they lie; of the arguments the lower halves."""


def _is(place: int, *values: int) -> Condition:
    *others, last = values
    return lambda over: [
        (_LOAD, 0, 0, place),
        *((_EQUAL, len(others) - n, 0, value) for n, value in enumerate(others)),
        (_EQUAL, 0, over, last),
    ]


def _is_not(place: int, *values: int, mask: int = 0xFFFFFFFF) -> Condition:
    last = len(values) - 1
    return lambda over: [
        (_LOAD, 0, 0, place),
        (_MASK, 0, 0, mask),
        *((_EQUAL, last - n + over, 0, value) for n, value in enumerate(values)),
    ]


def _has(place: int, bits: int) -> Condition:
    return lambda over: [(_LOAD, 0, 0, place), (_ANY_SET, 0, over, bits)]


def _refused(*where: Condition, answer: int = _EPERM) -> list[Step]:
    """With this answer, where all conditions hold."""
    steps = [(_RETURN, 0, 0, answer)]
    for condition in reversed(where):
        steps = [*condition(len(steps)), *steps]
    return steps


_LOCAL = _refused(_is_not(_FIRST, _AF_UNIX)) + _refused(_is_not(_SECOND, _STREAM, mask=0xF))
_RULES = {
    "clone": _refused(_has(_FIRST, _NEW_NAMESPACES)),
    "clone3": _refused(answer=_ENOSYS),  # glibc falls back to clone
    "socket": _LOCAL,
    "socketpair": _LOCAL,
    "setsockopt": _refused(_is(_SECOND, _SOL_SOCKET), _is(_THIRD, *_OPTIONS)),
    # Of terminals and pipes alone. A file system's own go past Landlock and read-only mounts, from
    # a file or folder that may only be read: a snapshot with code in it beside the libraries
    # (Btrfs), the key of the user's encrypted folders taken away (fscrypt), flags, versions, and
    # that everybody's files are written to the disk. A socket's have the kernel load code, too.
    "ioctl": _refused(_is(_SECOND, _TIOCSETD), answer=_EOPNOTSUPP)
    + _refused(_is_not(_SECOND, _OF_TERMINALS, mask=0xFF00), answer=_EOPNOTSUPP),
    "mmap": _refused(_has(_FOURTH, _MAP_HUGETLB))
    + _refused(_has(_FOURTH, _MAP_ANONYMOUS), _has(_FOURTH, _MAP_SHARED)),
    "fcntl": _refused(_is(_SECOND, *_LOCKS_AND_WATCHES)),
    "prctl": _refused(_is(_FIRST, *_OF_PRCTL)),
    "fallocate": _refused(_is_not(_SECOND, _PLAIN_ROOM), answer=_EOPNOTSUPP),
    "setrlimit": _refused(_is(_FIRST, *_TIME_AND_CORES)),
    # Limits of other processes are not its business; without a new limit it is only read.
    "prlimit64": _refused(_is_not(_FIRST, 0))
    + _refused(_is(_SECOND, *_TIME_AND_CORES), _is_not(_THIRD, 0))
    + _refused(_is(_SECOND, *_TIME_AND_CORES), _is_not(_THIRD + 4, 0)),
}


def _empties(flags: int) -> list[Step]:
    """A file, by who does not ask to write."""
    no_writer = _is_not(flags, os.O_WRONLY, os.O_RDWR, mask=_O_ACCMODE)
    return _refused(_has(flags, _O_TRUNC), no_writer)


# Place, cores and priority of processes: of its own alone, where others of its user can be seen.
_ITS_OWN = _refused(_is_not(_FIRST, 0))
_RULES_AMONG_OTHERS = {
    "sched_setparam": _ITS_OWN,
    "sched_setscheduler": _ITS_OWN,
    "sched_setaffinity": _ITS_OWN,
    "sched_setattr": _ITS_OWN,
    "setpriority": _ITS_OWN + _refused(_is_not(_SECOND, 0)),
    "open": _empties(_SECOND),
    "openat": _empties(_THIRD),
    "openat2": _refused(answer=_ENOSYS),  # it keeps its flags in memory
}


@functools.cache
def refusing(namespaces: bool) -> bytes:
    """The kernel's program; the parent has it ready for its forks.

    Without namespaces there are others, and sockets and files of theirs.
    """
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(f"the numbers of dangerous system calls are not known for {machine}")
    tables = [_DANGEROUS, _SHARED, _UNSEEN, _LASTING, *([] if namespaces else [_OF_OTHERS])]
    forbidden = [number for table in tables for number in _numbers(table, machine).values()]
    program = _refused(_is_not(_MACHINE, _AUDIT[machine]), answer=_KILL)
    if machine == "x86_64":  # the x32 numbers are a second name for every call
        program += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, 0x40000000), *_refused()]
    program += _refused(_is(_NUMBER, *forbidden))
    numbers = _numbers(_RULED, machine)
    for name, steps in {**_RULES, **({} if namespaces else _RULES_AMONG_OTHERS)}.items():
        if name in numbers:
            program += [(_EQUAL, 0, len(steps) + 1, numbers[name]), *steps, (_RETURN, 0, 0, _ALLOW)]
    program += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in program)


def _numbers(table: str, machine: str) -> dict[str, int]:
    """Those of a table's calls that this machine has."""
    rows = {name: numbers for name, *numbers in map(str.split, table.split(","))}
    place = [*_AUDIT].index(machine)
    found = {name: numbers[place % len(numbers)] for name, numbers in rows.items()}
    return {name: int(number) for name, number in found.items() if number != "-"}
