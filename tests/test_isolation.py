"""What ISOLATION.md says of each level, tried at that level."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.course import ROOT, load_assignment
from autograder.grading.executors import checks_of, lost
from autograder.grading.job import Job, unreadable
from autograder.grading.run import _final, _stale
from autograder.sandbox.cage import LEVELS, Cage, Level, Probe
from autograder.sandbox.inside import syscalls
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.watch import Budget

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the levels are told apart on Linux"
)

# Each ends in an exception where it is refused.
TRIES = {
    "reads the checks": "open({checks!r}).read()",
    "reads a file of the machine": "open('/etc/passwd').read()",
    "sees whether a file is there": "os.stat('/etc/passwd')",
    "sees other processes": "os.stat('/proc/{judge}')",
    "reads another process's memory": "open('/proc/{judge}/mem')",
    "sends a signal to the grader": "os.kill({judge}, 0)",
    "uses TCP": "socket.socket().connect(('127.0.0.1', {tcp}))",
    "uses UDP": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp}))",
    "connects to a socket that is a file": "socket.socket(socket.AF_UNIX).connect({unix!r})",
    "changes a file's mode": "open('mode', 'w').close(); os.chmod('mode', 0o600)",
    "leaves a time at a device": "os.utime('/dev/null')",
    "leaves a time at a device that was open": "os.utime(1)",
    "has the kernel list what it waits for": "import select; select.epoll()",
    "has room kept behind a file's end": (
        "system_call(285, os.open('room', os.O_RDWR | os.O_CREAT), 1, 0, ctypes.c_long(2**27))"
    ),
    "moves a file's end by what is put into it": (
        "room = os.open('moved', os.O_RDWR | os.O_CREAT); os.posix_fallocate(room, 0, 2**26)\n"
        "system_call(285, room, 0x20, 0, ctypes.c_long(2**26))"
    ),
    "keeps memory that no process holds": "os.memfd_create('x')",
    "leaves a file in /dev/shm": "open('/dev/shm/{name}', 'w').close()",
    "is not the first to go where memory ends": (
        "with open('/proc/self/oom_score_adj', 'w') as file:\n    file.write('0')"
    ),
    "is told of others' files": "system_call(294, 0)",
    "is told what others do in a folder": (
        "import fcntl; fcntl.fcntl(os.open(os.path.dirname(os.__file__), 0), 1026, 1)"
    ),
    # that has other numbers than terminals: which of them it knows is its own matter
    "asks a file system what it alone knows": (
        "import fcntl; fcntl.ioctl(os.open(os.__file__, 0), 2, bytes(4))"
    ),
    # which it does before it asks who wants it; refused by the cage it is another error
    "has the kernel load its code for bridges": (
        "kept = socket.socketpair(); libc.ioctl(kept[0].fileno(), 0x8982, 0)\n"
        "assert ctypes.get_errno() != 95"
    ),
    "has the kernel load code for a terminal": (
        "libc.ioctl(0, 0x5423, 0); assert ctypes.get_errno() != 95"
    ),
    "locks a library": "import fcntl; fcntl.flock(open(os.__file__), fcntl.LOCK_EX)",
    "takes the machine's asynchronous reads": "system_call(206, 1000, ctypes.byref(slot))",
    "has everybody's files written to the disk": "system_call(162)",
    "has a disk's files written": "system_call(306, os.open(os.__file__, 0))",
    "has a disk's limits written": "system_call(443, os.open(os.__file__, 0), 0x80000100, 0, 0)",
    "has the kernel note where pages of a file are to lie": "system_call(237, 0, 0, 0, 0, 0, 0)",
    "takes the machine's large pages": (  # which it need not have: then it is another error
        "libc.syscall(9, 0, 2**21, 3, 0x40022, -1, 0); assert ctypes.get_errno() != 1"
    ),
    "lends pages to a pipe": "os.splice(os.open(os.__file__, 0), os.pipe()[1], 1, offset_src=0)",
    "keeps a page from being swapped": "system_call(149, ctypes.addressof(slot), 8)",
    "is served before all others": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
    "is served by the disk before others": "system_call(251, 1, 0, 2 << 13)",
    "limits its own time": "system_call(160, 0, (ctypes.c_ulong * 2)(1000, 1000))",
    "leaves a core for whoever collects them": (
        "import resource; assert resource.getrlimit(resource.RLIMIT_CORE) != (1, 1)"
    ),
    "leaves its memory in a core": "assert int(open('/proc/self/coredump_filter').read(), 16)",
    "has its memory left in a core": "open('/proc/self/coredump_filter', 'w').write('3')",
    "is woken seconds too late": "system_call(157, 29, 10**9, 0, 0, 0)",
    "lets the machine read its cores": "system_call(160, 4, (ctypes.c_ulong * 2)(0, 0))",
    "limits another process": "system_call(302, {judge}, 7, 0, ctypes.byref(more))",
    "makes rules in the kernel": "system_call(444, (ctypes.c_ulong * 2)(1, 0), 8, 0)",
    "makes rules for its system calls": "system_call(157, 22, 2, rules)",
    "keeps rules in a descriptor": "system_call(317, 2, 0, ctypes.byref(slot))",  # could it
    "chooses what arrives at a socket": "socket.socketpair()[0].setsockopt(1, 26, bytes(rules))",
    "has a table of who waits for what": "system_call(157, 78, 1, 16, 0, 0)",
    "has both halves of a core": "system_call(157, 62, 1, 0, 0, 0)",
    "lists who may open a file": (
        "open('list', 'w').close()\nos.setxattr('list', 'system.posix_acl_access', bytes.fromhex("
        "'0200000001000600ffffffff04000400ffffffff20000400ffffffff'))"
    ),
    "looks at others' shared memory": "system_call(31, 0, 3, ctypes.byref(more))",
    "hands a file on": "kept = socket.socketpair(); socket.send_fds(kept[0], [b'x'], [0])",
    "has larger buffers in the kernel": "socket.socketpair()[0].setsockopt(1, 7, 10**6)",
    "takes 10 GB": "bytearray(10 * 2**30)",
    "makes a namespace": "system_call(272, 0x10000000)",
    "traces a process": "system_call(101, 16, os.getppid(), 0, 0)",
}
SETUP = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
slot, more = ctypes.c_ulong(0), ctypes.create_string_buffer(256)
rule = ctypes.c_ulong(0x7FFF000000000006)  # all is allowed
rules = (ctypes.c_ulong * 2)(1, ctypes.addressof(rule))
def system_call(*args):
    if libc.syscall(*args) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""
ALLOWED: dict[Level, set[str]] = {
    # in a /dev/shm, a scratch and a network of its own, which end with it
    "full": {"leaves a file in /dev/shm", "changes a file's mode", "hands a file on"},
    "landlock": {"sees whether a file is there", "sees other processes"},
    "limits": {
        *("reads the checks", "reads a file of the machine", "sees other processes"),
        "sees whether a file is there",
        *("leaves a file in /dev/shm", "has its memory left in a core"),
    },
}


_STATUS = Path("/proc/self/status").read_text() if sys.platform == "linux" else "CapEff: 0"
_RIGHTS = int(_STATUS.partition("CapEff:")[2].split()[0], 16)
if not _RIGHTS & 1 << 24:  # CAP_SYS_RESOURCE, which some containers' root lacks
    ALLOWED["limits"].add("is not the first to go where memory ends")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:  # it cannot be made 1
        for allowed in ALLOWED.values():
            allowed.add("leaves a core for whoever collects them")


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_holds_what_the_page_says_and_no_more(level: Level) -> None:
    if os.geteuid():
        pytest.skip("as another user than root, the student's code is the grader's own user")
    name = f"test-{uuid.uuid4()}"
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"{folder}/socket")
        unix.listen()
        os.chmod(folder, 0o755)
        os.chmod(f"{folder}/socket", 0o777)
        words: dict[str, Any] = {
            "checks": str(ROOT / "autograder" / "checks" / "test_backprop.py"),
            "judge": os.getpid(),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": f"{folder}/socket",
            "name": name,
        }
        cage = stack.enter_context(contextlib.closing(Cage(level)))
        worker = cage.worker()

        def run(source: str) -> dict[str, Any]:
            request = encode({"op": "run", "source": source, "label": "cell"})
            return dict(decode(worker.ask(request, Budget(20.0))))

        assert run(SETUP)["ok"]
        allowed = {what for what, code in TRIES.items() if run(code.format(**words))["ok"]}
        worker.kill()
    stays = Path("/dev/shm") / name
    assert stays.exists() == (level == "limits")
    stays.unlink(missing_ok=True)
    assert allowed == ALLOWED[level]


# What no wall of Landlock's own stops where the submission is of the grader's own user.
OF_THE_SAME_USER = {
    "reads or sets its limits": "system_call(302, {judge}, 7, 0, ctypes.byref(more))",
    "moves it to one core": "os.sched_setaffinity({judge}, os.sched_getaffinity(0))",
    "gives it another place": "os.sched_setscheduler({judge}, 3, os.sched_param(0))",
    "gives it the last place": "os.setpriority(os.PRIO_PROCESS, {judge}, 19)",
    "gives all of the user's the last place": "os.setpriority(os.PRIO_USER, 0, 19)",
    "gives it the last place at the disk": "system_call(251, 1, {judge}, 3 << 13)",
    "marks its file": "os.setxattr({file!r}, 'user.x', b'x')",
    "marks its file in a new way": (
        "system_call(463, -100, {file!r}.encode(), 0, b'user.x', more, 16)"
    ),
    "changes its file's flags": "system_call(469, -100, {file!r}.encode(), more, 24, 0)",
    "changes a library's flags": (
        "import fcntl; fcntl.ioctl(os.open(os.__file__, 0), 0x40086602, bytes(8))"
    ),
    "changes its file's times": "os.utime({file!r})",
    "links its file": "os.link({file!r}, 'link')",
    "empties its file": "os.truncate({file!r}, 0)",
    "empties its file that it reads": "os.open({file!r}, os.O_RDONLY | os.O_TRUNC)",
    "empties its file that it does not open": "os.open({file!r}, 3 | os.O_TRUNC)",
    "empties its file in a new way": (
        "system_call(437, -100, {file!r}.encode(), (ctypes.c_ulong * 3)(0o1000, 0, 0), 24)"
    ),
}
OF_ITSELF = (
    "open('mine', 'w').write('x'); open('mine', 'r+').truncate(0); os.open('mine', os.O_RDWR | 512)"
    "; os.sched_setaffinity(0, os.sched_getaffinity(0)); os.nice(1); import resource; "
    "resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)); resource.getrlimit(resource.RLIMIT_CPU)"
)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
@pytest.mark.parametrize("level", ["landlock", "limits"])
def test_the_users_other_processes_and_files_are_left_alone(level: str, tmp_path: Path) -> None:
    """Where the grader is not run as root and has no namespaces, both are of one user."""
    script = """
import contextlib, json, os, sys
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.watch import Budget
assert os.geteuid() == 1000
level, setup, file, *tried = json.loads(sys.argv[1])
with contextlib.closing(Cage(level)) as cage:
    worker = cage.worker()
    def run(source):
        request = encode({"op": "run", "source": source, "label": "cell"})
        return decode(worker.ask(request, Budget(20.0)))["ok"]
    assert run(setup)
    print(json.dumps([run(code.format(judge=os.getpid(), file=file)) for code in tried]))
    worker.kill()
"""
    file = tmp_path / "file"
    file.write_text("kept")
    file.chmod(0o640)
    told = json.dumps([level, SETUP, str(file), OF_ITSELF, *OF_THE_SAME_USER.values()])
    start = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    ended = subprocess.run(
        [*start, sys.executable, "-c", script, told],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    itself, *others = json.loads(ended.stdout)
    assert itself
    assert [what for what, ok in zip(OF_THE_SAME_USER, others, strict=True) if ok] == []
    assert file.read_text() == "kept"
    assert file.stat().st_mode & 0o777 == 0o640


THREADS_BESIDE = """
import contextlib, threading
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.watch import Budget
kept = threading.Event()
for _ in range(70):
    threading.Thread(target=kept.wait, daemon=True).start()
source = "import resource; least = resource.getrlimit(resource.RLIMIT_NPROC)[0]; assert least > 134"
with contextlib.closing(Cage({level!r})) as cage:
    worker = cage.worker()
    request = encode({"op": "run", "source": source, "label": "cell"})
    assert decode(worker.ask(request, Budget(20.0)))["ok"]
    worker.kill()
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
@pytest.mark.parametrize("level", ["landlock", "limits"])
def test_what_else_the_user_has_running_takes_no_threads_away(level: str) -> None:
    """The kernel counts all of a user's together: on a desktop with a browser none was left."""
    start = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    ended = subprocess.run(
        [*start, sys.executable, "-c", THREADS_BESIDE.replace("{level!r}", repr(level))],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("users", [1, 2**16])
def test_root_of_a_container_of_a_users_own_has_every_level(users: int) -> None:
    """It knows few of the machine's users: one alone, or as many as such containers mostly have.
    There no level started, and none said why."""
    if os.geteuid() and users > 1:
        pytest.skip("other users may be given by root alone")
    script = """
import ctypes, os, sys
users = int(sys.argv[1])
assert ctypes.CDLL(None).unshare(0x10000000) == 0
print("there", flush=True)
sys.stdin.read(1)
if users > 1:
    os.setgroups([]), os.setresgid(0, 0, 0), os.setresuid(0, 0, 0)
from autograder.sandbox.cage import _own_user, probe
assert os.geteuid() == 0 and (users == 1 and _own_user() == 0 or 2000 < _own_user() < users)
print([one.reason for one in probe() if not one.available])
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(users)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout
        if started.stdout.readline() == "":
            pytest.skip("users may make no namespaces here")
        (Path(f"/proc/{started.pid}") / "setgroups").write_text("deny" if users == 1 else "allow")
        for kind, mine in (("uid", os.geteuid()), ("gid", os.getegid())):
            Path(f"/proc/{started.pid}/{kind}_map").write_text(f"0 {mine} {users}")
        told, _ = started.communicate("x")
    assert told == "[]\n"


FORKS = """
import contextlib
from autograder.sandbox import groups
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.watch import Budget
groups.around = lambda pid: None
source = '''
import os, time
data = bytearray(b'x') * 2**28
children = [os.fork() for _ in range(3)]
time.sleep(1)
os._exit(0) if 0 in children else [os.waitpid(child, 0) for child in children]
'''
with contextlib.closing(Cage("landlock")) as cage:
    worker = cage.worker()
    worker.ask(encode({"op": "run", "source": source, "label": "cell"}), Budget(60.0))
    worker.kill()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="there are no rights to lose")
def test_what_forks_share_is_counted_once_where_root_may_trace_nobody() -> None:
    """As in most containers: each of eight processes was charged with all of it."""
    rights = (19, 21, 38)  # CAP_SYS_PTRACE; and CAP_SYS_ADMIN and CAP_PERFMON, which do, too
    lose = f"[ctypes.CDLL(None).prctl(24, right) for right in {rights}]"
    code = f"import ctypes, os, sys\n{lose}\nos.execv(sys.executable, [sys.executable, *sys.argv])"
    ended = subprocess.run(
        [sys.executable, "-c", code, FORKS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
def test_devices_may_lie_where_no_program_may_be_run() -> None:
    """As on many machines; who is not root cannot take that away, and needs not."""
    forbids = "mount --rbind /dev /dev && mount -o remount,bind,nosuid,noexec /dev || exit 99"
    whole = (
        "import os; from autograder.sandbox.cage import Cage; assert os.geteuid() == 1000\n"
        "cage = Cage('full'); cage.worker().kill(); cage.close()"
    )
    there = f'{forbids}; exec unshare --user --map-user=1000 --map-group=1000 "$0" -c "$1"'
    start = ["unshare", "-m" if os.geteuid() == 0 else "-Urm", "sh", "-c", there]
    ended = subprocess.run(
        [*start, sys.executable, whole],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if ended.returncode == 99:
        pytest.skip(f"devices cannot be put elsewhere here: {ended.stderr}")
    assert ended.returncode == 0, ended.stderr


def test_the_page_shows_what_doctor_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Probe(level, True, "") for level in LEVELS]
    monkeypatch.setattr("autograder.sandbox.cage.probe", lambda: found)
    monkeypatch.setattr("autograder.grading.executors.room", lambda: 2)
    monkeypatch.setattr("autograder.grading.executors.scarce", list)
    monkeypatch.setattr("autograder.sandbox.groups.held", lambda: True)
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0
    page = (ROOT / "ISOLATION.md").read_text(encoding="utf-8")
    assert " ".join(done.output.split()) in " ".join(page.split())
    monkeypatch.setattr("autograder.grading.executors.scarce", lambda: ["memory"])
    assert "more than there is of memory:" in " ".join(
        CliRunner().invoke(app, ["doctor"]).output.split()
    )
    monkeypatch.setattr("autograder.sandbox.cage.probe", lambda: [Probe("full", False, "why")])
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_what_was_graded_in_a_weaker_cage_than_allowed_is_graded_again() -> None:
    job = Job(assignment="backprop", student="ada", notebook=b"{}")
    found, checks = load_assignment("backprop"), checks_of(job)
    known = {level: unreadable(job, found, level, checks, "why") for level in LEVELS}
    names = [exercise.name for exercise in found.exercises]
    assert [_stale(known[level], job, "full") for level in LEVELS] == [[], names, names]
    assert [_stale(known[level], job, "landlock") for level in LEVELS] == [[], [], names]
    assert _stale(known["limits"], job, "limits") == []


def test_a_fault_of_the_grader_is_tried_once_more_and_not_for_ever() -> None:
    job = Job(assignment="backprop", student="ada", notebook=b"{}")
    first = lost(job, "it broke")
    assert _stale(first, job, "full")
    again = _final(first, lost(job, "it broke"))
    assert again.repeated
    assert "--force" in again.message
    assert _stale(again, job, "full") == []
    other = Job(assignment="backprop", student="ada", notebook=b"{} ")
    assert _stale(again, other, "full")
    assert not _final(again, lost(other, "it broke")).repeated


@pytest.mark.parametrize(
    ("machine", "header"),
    [("x86_64", "x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "asm-generic/unistd.h")],
)
def test_the_numbers_of_system_calls_are_the_kernel_s(machine: str, header: str) -> None:
    """Of those that its headers know here."""
    path = Path("/usr/include") / header
    if not path.is_file():
        pytest.skip("the kernel's headers are not installed")
    defined = re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", path.read_text(), re.MULTILINE)
    known = {name: int(number) for name, number in defined}
    for name in ("_DANGEROUS", "_SHARED", "_UNSEEN", "_LASTING", "_OF_OTHERS", "_RULED"):
        table = getattr(syscalls, name)
        named = syscalls._numbers(table, machine)
        assert named == {name: known.get(name, number) for name, number in named.items()}
        assert not known.keys() & {*re.findall(r"\w+(?= )", table)} - named.keys()
