"""The cage: what a submission's process can see, take, and leave behind."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from leftovers import adopting, marked, temporary

from autograder.course import ROOT, Cell, load_assignment
from autograder.errors import CageError, WorkerEnded
from autograder.judging import retry
from autograder.judging.judge import Judge
from autograder.sandbox import bubblewrap, clock, limits, transport
from autograder.sandbox.cage import Cage, Worker, strongest
from autograder.sandbox.inside import parent
from autograder.sandbox.inside.protocol import LIMITS, receive
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.levels import LEVELS, Level
from autograder.sandbox.process import Sight, Tree, wait_gone
from autograder.sandbox.watch import Budget, Watch

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def worker(cage: Cage) -> Iterator[Worker]:
    worker = cage.worker()
    yield worker
    worker.kill()


@pytest.fixture
def run(worker: Worker) -> Run:
    """Runs a cell and gives the reply."""

    def run(source: str, seconds: float = 10.0) -> dict[str, Any]:
        reply = worker.ask(
            encode({"op": "run", "source": source, "label": "cell"}), Budget(seconds)
        )
        return dict(decode(reply))

    return run


def told(run: Run, worker: Worker, expression: str, seconds: float = 10.0) -> Any:
    """The value of an expression inside the cage."""
    assert run(f"def told():\n    return {expression}")["ok"]
    call = {"op": "call", "target": "told", "method": None, "args": (), "kwargs": {}}
    reply = decode(worker.ask(encode(call), Budget(seconds)))
    assert reply["ok"], reply
    return decode(reply["encoded"])


def test_the_process_has_no_rights(run: Run, worker: Worker) -> None:
    status = told(run, worker, "open('/proc/self/status').read()")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(lines["CapEff"], 16) == int(lines["CapBnd"], 16) == 0
    assert lines["NoNewPrivs"].strip() == "1"
    assert lines["Seccomp"].strip() == "2"
    assert lines["Pid"].strip() == "1", "the submission sees no process but its own"


ABOVE_THE_LIBRARIES = {above for path in bubblewrap.libraries() for above in path.parents}


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "reference_impl" / "lennard_jones.py",
        ROOT / "autograder" / "checks" / "test_lennard_jones.py",
        ROOT / "source",
        ROOT / "assignments",
        Path("/etc/passwd"),
        Path("/proc/1/environ").parent.parent / "2",
        *({Path("/home"), Path("/var"), Path("/sys")} - ABOVE_THE_LIBRARIES),
    ],
    ids=str,
)
def test_nothing_of_the_machine_can_be_seen(run: Run, worker: Worker, path: Path) -> None:
    assert told(run, worker, f"__import__('os').path.exists({str(path)!r})") is False


def test_the_environment_and_arguments_hold_no_secret(run: Run, worker: Worker) -> None:
    environment = told(run, worker, "dict(__import__('os').environ)")
    assert set(environment) <= {
        *("PATH", "LANG", "HOME", "TMPDIR", "MPLCONFIGDIR", "MPLBACKEND", "PYTHONHASHSEED"),
        *("PYTHONWARNINGS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
        *("NUMEXPR_NUM_THREADS", "LC_CTYPE", "PWD", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"),
        *("TORCHINDUCTOR_CACHE_DIR", "MALLOC_ARENA_MAX"),
    }
    arguments = told(run, worker, "open('/proc/1/cmdline').read()")
    assert str(ROOT) not in arguments.replace(sys.prefix, "")


def test_no_module_of_the_grader_is_in_memory(run: Run, worker: Worker) -> None:
    names = told(run, worker, "sorted(__import__('sys').modules)")
    assert not [n for n in names if n.split(".")[0] in ("autograder", "reference_impl", "pytest")]


def test_what_every_check_uses_is_loaded_before_there_are_workers(run: Run, worker: Worker) -> None:
    """Else each would load it for itself, for milliseconds; a weaker cage could perhaps not."""
    assert run("import sys, torch\nbefore = set(sys.modules)")["ok"]
    weighted = "torch.autograd.grad(x, x, torch.ones(1), create_graph=True)"
    assert run(f"x = torch.ones(1, requires_grad=True)\n{weighted}")["ok"]
    begin = {"op": "begin", "seed": 1}
    assert decode(worker.ask(encode(begin), Budget(10.0)))["ok"]
    assert told(run, worker, "sorted(set(sys.modules) - before)") == []


def test_optimisers_do_without_the_compiler_and_who_asks_for_it_gets_it(
    run: Run, worker: Worker
) -> None:
    step = """
import sys, torch
def step(kind, **settings):
    x = torch.ones(3, requires_grad=True)
    optimiser = kind([x], lr=0.1, **settings)
    def closure():
        optimiser.zero_grad()
        loss = (x**2).sum()
        loss.backward()
        return loss
    optimiser.step(closure)
    return bool((x < 1).all())
optim = torch.optim
moved = [step(kind) for kind in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop)]
moved.append(step(optim.LBFGS, line_search_fn="strong_wolfe"))
moved.append(float(torch.func.grad(torch.sin)(torch.zeros(()))) == 1)
torch.use_deterministic_algorithms(True, warn_only=True)
moved.append(torch.are_deterministic_algorithms_enabled())
moved.append(torch.is_deterministic_algorithms_warn_only_enabled())
"""
    assert run(step)["ok"]
    assert told(run, worker, "all(moved)"), "an optimiser or a gradient went wrong"
    assert not told(run, worker, "any(name.startswith('torch._dynamo.') for name in sys.modules)")
    assert not told(run, worker, "'sympy' in sys.modules")
    wrong = "x = torch.ones(2, requires_grad=True)\ntorch.autograd.grad(x, x, torch.ones(3))"
    assert "Mismatch in shape" in run(wrong)["text"], "shapes are still compared"
    asked = "torch._dynamo.config.suppress_errors"
    assert told(run, worker, asked, 200.0) is False, "eight hundred modules are imported"
    assert run("from torch._dynamo import graph_break\nassert graph_break.__module__")["ok"]
    assert run("from torch.fx.experimental.symbolic_shapes import ShapeEnv")["ok"]
    assert run("x = torch.ones(2, requires_grad=True)\ntorch.autograd.grad(x, x, x)")["ok"]


def test_only_its_own_line_to_the_judge_is_open(run: Run, worker: Worker) -> None:
    run(
        "import os\n"
        "links = []\n"
        "for number in range(1024):\n"
        "    try:\n"
        "        links.append(os.readlink(f'/proc/self/fd/{number}'))\n"
        "    except OSError:\n"
        "        pass\n"
    )
    links = told(run, worker, "links")
    assert sum(link.startswith("socket:") for link in links) == 1
    assert {link for link in links if not link.startswith("socket:")} == {"/dev/null"}


def test_there_is_no_network(run: Run, worker: Worker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reply = run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
    assert reply["type"] == "PermissionError"
    assert told(run, worker, "sorted(__import__('os').listdir('/proc/self/net/dev_snmp6'))") == [
        "lo"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.ptrace(16, 1, 0, 0)",
        "libc.syscall(425, 1, 0)",
        "libc.syscall(321, 0, 0, 0)",
        "libc.chroot(b'/tmp')",
    ],
)
def test_dangerous_system_calls_are_refused(run: Run, worker: Worker, code: str) -> None:
    setup = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)"
    run(setup)
    run(f"result = {code}; number = ctypes.get_errno()")
    assert told(run, worker, "(result, number)") == (-1, 1)


def test_signals_are_what_they_are_in_a_kernel(run: Run) -> None:
    """A pipe that nobody reads, or an interrupt, is an exception and no end; in children too."""
    code = """
import os, signal, socket
pid = os.fork()
left, right = socket.socketpair()
right.close()
try:
    left.send(b"x")
except BrokenPipeError:
    pass
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    if pid == 0:
        os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
"""
    assert run(code)["ok"]


def test_libraries_are_read_only_and_scratch_is_small(run: Run) -> None:
    assert run("import numpy; open(numpy.__file__, 'a')")["type"] in ("OSError", "PermissionError")
    reply = run("for n in range(100):\n    open(f'{n}', 'wb').write(b'0' * 10**6)", seconds=20)
    assert reply["type"] == "OSError"
    assert "space" in reply["text"]


def test_libraries_below_tmp_are_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = tmp_path / "library.txt"
    library.write_text("seen")
    found = [*bubblewrap.libraries(), library]
    monkeypatch.setattr(bubblewrap, "libraries", lambda: found)
    with contextlib.closing(Cage("full")) as cage:
        source = f"assert open({str(library)!r}).read() == 'seen'; open('mine', 'w').write('x')"
        worker = cage.worker()
        reply = decode(worker.ask(encode({"op": "run", "source": source, "label": "c"}), Budget(5)))
        worker.kill()
        assert reply["ok"], reply


def test_scratch_is_new_for_every_worker(cage: Cage) -> None:
    for _ in range(2):
        worker = cage.worker()
        source = "import os; assert os.listdir() == []; open('mine', 'w').write('x')"
        assert decode(worker.ask(encode({"op": "run", "source": source, "label": "c"}), Budget(5)))[
            "ok"
        ]
        worker.kill()


@pytest.mark.parametrize("level", ["landlock", "limits"])
def test_every_worker_of_a_judge_s_fork_may_write_to_its_folder(level: Any) -> None:
    """The folder was made anew for a user that the fork's number told, and the worker was the
    first process's: with all but the first worker, an answer that writes a file lost its marks."""

    def judge() -> None:
        request = encode({"op": "run", "source": "open('x', 'x').close()", "label": "cell"})
        for _ in range(2):
            worker = cage.worker()
            assert decode(worker.ask(request, Budget(20.0)))["ok"]
            worker.kill()

    with contextlib.closing(Cage(level)) as cage:
        fork = multiprocessing.get_context("fork").Process(target=judge)
        fork.start()
        fork.join()
    assert fork.exitcode == 0


def test_memory_beyond_the_limit_is_an_error_in_the_process(run: Run) -> None:
    assert run("x = bytearray(10 * 2**30)")["type"] == "MemoryError"
    assert run("y = 1")["ok"], "the process goes on"


def test_processes_are_limited_and_all_die_with_the_worker(cage: Cage) -> None:
    worker = cage.worker()
    bomb = "import os\nwhile True:\n    if os.fork() == 0:\n        os.setsid()"
    request = encode({"op": "run", "source": bomb, "label": "c"})
    with contextlib.suppress(WorkerEnded):  # time or memory may end it before the limit does
        assert decode(worker.ask(request, Budget(3)))["type"] == "BlockingIOError"
    worker.kill()
    assert _processes_below(cage.process.pid) <= 3, "bubblewrap, its reaper, the warm parent"


def test_a_pool_with_a_process_for_each_core_is_none_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("cpu_count", "process_cpu_count"):
        monkeypatch.setattr(os, name, lambda: 192, raising=False)
    parent.tell_few_cores()
    assert multiprocessing.cpu_count() == os.process_cpu_count() == 8
    assert multiprocessing.cpu_count() < LIMITS["processes"] / 2, "two pools, and their threads"


def _processes_below(pid: int) -> int:
    count, queue = 0, [pid]
    while queue:
        one = queue.pop()
        count += 1
        for task in os.listdir(f"/proc/{one}/task"):
            children = Path(f"/proc/{one}/task/{task}/children").read_text().split()
            queue += [int(child) for child in children]
    return count


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("while True: pass", "time", "computing time"),
        ("import os; os._exit(0)", "died", "instead of returning"),
        ("import ctypes; ctypes.string_at(0)", "died", "segmentation fault"),
        ("import os; os.abort()", "died", "crashed"),
        ("import os; os.close(3)", "died", "instead of returning"),
        ("import os; os.write(3, b'x' * 100)", "died", "cannot be read"),
        ("import os; os.write(3, b'12345678' + (2**62).to_bytes(8, 'little'))", "died", "read"),
    ],
)
def test_every_end_has_its_cause(worker: Worker, code: str, kind: str, words: str) -> None:
    with pytest.raises(WorkerEnded, match=words) as caught:
        worker.ask(encode({"op": "run", "source": code, "label": "c"}), Budget(1.0))
    assert caught.value.kind == kind
    assert not worker.alive


@pytest.mark.parametrize("level", LEVELS)
def test_whose_time_the_kernel_ends_has_used_it_up(level: Level) -> None:
    """And nobody else: one may send oneself every signal."""
    ends = {
        "import signal; signal.signal(24, signal.SIG_IGN)\nwhile True: pass": ("time", "used up"),
        "import os; os.kill(os.getpid(), 24); os._exit(0)": ("died", "a signal|instead of"),
    }
    with contextlib.closing(Cage(level)) as cage:
        for code, (kind, words) in ends.items():
            worker = cage.worker(2.0)
            with pytest.raises(WorkerEnded, match=words) as caught:
                worker.ask(encode({"op": "run", "source": code, "label": "c"}), Budget(60.0))
            assert (caught.value.kind, caught.value.killed) == (kind, False)


def test_who_ends_where_the_kernel_ends_somebody_has_not_used_its_time_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where it happened between two looks."""

    def kills() -> int:
        return int(threading.current_thread() is threading.main_thread() and bool(asked))

    asked: list[bool] = []
    monkeypatch.setattr("autograder.sandbox.cage.groups.around", lambda _: None)
    monkeypatch.setattr("autograder.sandbox.watch.kernel_kills", kills)
    with contextlib.closing(Cage("full")) as cage:
        worker = cage.worker(2.0)
        asked.append(True)
        request = encode({"op": "run", "source": "while True: pass", "label": "c"})
        with pytest.raises(WorkerEnded, match="it was killed") as caught:
            worker.ask(request, Budget(60.0))
        assert caught.value.killed


def test_sleeping_is_noticed_without_computing_time(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.sandbox.watch.STALL_SECONDS", 1.0)
    request = encode({"op": "run", "source": "import time; time.sleep(60)", "label": "c"})
    started = time.monotonic()
    with pytest.raises(WorkerEnded, match="did nothing"):
        worker.ask(request, Budget(5.0))
    assert time.monotonic() - started < 20


def test_children_that_compute_are_no_standstill(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.sandbox.watch.STALL_SECONDS", 0.5)
    monkeypatch.setattr("autograder.sandbox.watch.IDLE_SECONDS", 0.5)
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    end = time.process_time() + 1.5\n"
        "    while time.process_time() < end:\n        pass\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    budget = Budget(20.0, idle=5.0)
    assert decode(worker.ask(encode({"op": "run", "source": source, "label": "c"}), budget))["ok"]
    assert budget.cpu < 19.0, "what children compute is charged"


def test_a_wait_in_the_kernel_has_an_end(worker: Worker) -> None:
    """A process whose vfork does not end is neither asleep nor computing."""
    source = "import ctypes, time\nif ctypes.CDLL(None).vfork() == 0:\n    time.sleep(600)"
    with pytest.raises(WorkerEnded) as caught:
        worker.ask(encode({"op": "run", "source": source, "label": "c"}), Budget(0.2, idle=1.0))
    assert caught.value.kind == "time"


def test_answers_before_the_question_are_not_answers(worker: Worker) -> None:
    source = (
        "import threading, os, time\n"
        "def speak():\n    time.sleep(0.3)\n    os.write(3, b'x' * 50)\n"
        "threading.Thread(target=speak).start()"
    )
    assert decode(worker.ask(encode({"op": "run", "source": source, "label": "c"}), Budget(5)))[
        "ok"
    ]
    time.sleep(1.0)
    with pytest.raises(WorkerEnded, match="cannot be read"):
        worker.ask(encode({"op": "begin", "seed": 1}), Budget(5))


def test_an_interrupt_between_two_answers_ends_nothing(run: Run, worker: Worker) -> None:
    """A time limit of a student's own, which rings after the answer was there."""
    source = "import _thread, threading\nthreading.Timer(0.1, _thread.interrupt_main).start()"
    assert run(source)["ok"]
    time.sleep(0.4)
    assert run("x = 1")["ok"]
    assert run("import os, signal\nos.kill(os.getpid(), 2)\nx = 2")["type"] == "KeyboardInterrupt"
    assert told(run, worker, "x") == 1


def test_a_message_in_pieces_is_received_whole_or_not_at_all() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open(os.devnull) as file:
        for piece in (b"ab", b"c", b"def"):  # a descriptor keeps each from the next, as writers do
            socket.send_fds(theirs, [piece], [file.fileno()])
        assert receive(ours, 6) == b"abcdef"
        theirs.sendall(b"abc")
        theirs.close()
        with pytest.raises(OSError, match="ended"):
            receive(ours, 6)


def test_a_dead_parent_is_replaced() -> None:
    cage = Cage("full")
    try:
        cage.process.kill()
        cage.process.wait()
        with pytest.raises(CageError):
            cage.worker()
        worker = cage.worker()
        assert decode(worker.ask(encode({"op": "begin", "seed": 1}), Budget(5)))["ok"]
        worker.kill()
    finally:
        cage.close()


def test_a_dead_parent_is_no_living_one_after_a_reap_either() -> None:
    cage = Cage("limits")
    try:
        cage.process.kill()
        cage.process.wait()
        with pytest.raises(CageError):
            cage.reap()
        assert not cage.alive()
        cage.worker().kill()
        assert cage.alive()
    finally:
        cage.close()


@pytest.mark.parametrize("level", ["full", "landlock", "limits"])
def test_a_worker_does_not_outlive_its_parent(level: Any) -> None:
    cage = Cage(level)
    try:
        worker = cage.worker()
        assert Path(f"/proc/{worker.pid}").exists()
        cage.process.kill()
        cage.process.wait()
        assert wait_gone(worker.pid, 10.0)
        worker.line.close()
    finally:
        cage.close()


@pytest.mark.parametrize("level", ["full", "landlock", "limits"])
def test_a_judge_that_is_killed_leaves_nothing(level: str, tmp_path: Path) -> None:
    """Nobody is there to clear up but the cage's own parent."""
    mark = f"left-{os.getpid()}-{level}"
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)", mark]
    source = f"import subprocess\nsubprocess.Popen({sleeper!r}, start_new_session=True)\n"
    source += "open('mine', 'w').close()"
    script = f"""
import os, signal
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.watch import Budget
worker = Cage({level!r}).worker()
worker.ask(encode({{"op": "run", "source": {source!r}, "label": "c"}}), Budget(20))
os.kill(os.getpid(), signal.SIGKILL)
"""
    with adopting() as all_ended:
        ended = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        )
        assert ended.returncode == -9
        all_ended()
    assert marked(mark) == []
    assert temporary(tmp_path) == []


@pytest.mark.parametrize("level", ["landlock", "limits"])
def test_weaker_levels_work_and_leave_nothing(level: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the answer")
    secret.chmod(0o644)
    cage = Cage(level)
    try:
        worker = cage.worker()
        source = (
            "import os, time\n"
            "if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n"
            f"open('left', 'w')\nopen({str(secret)!r})"
        )
        reply = decode(worker.ask(encode({"op": "run", "source": source, "label": "c"}), Budget(5)))
        if level == "landlock":
            assert reply["type"] == "PermissionError"
        assert LIMITS["processes"] < 1000
        worker.kill()
        assert _processes_below(cage.process.pid) == 1, "only the warm parent is left"
        assert os.listdir(cage._scratch or "") == []
    finally:
        cage.close()


def test_a_weaker_cage_is_refused_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "autograder.sandbox.bubblewrap.command", lambda root: ["bubblewrap-is-not-here"]
    )
    with pytest.raises(CageError, match="bubblewrap-is-not-here is not installed"):
        strongest("full")
    cage = strongest("landlock")
    assert cage.level == "landlock"
    cage.close()


AS_A_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def ends_well(script: str, *under: str) -> None:
    """Python in a process of its own, under another program where one is named."""
    ended = subprocess.run(
        [*under, sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
def test_the_cage_holds_without_root_and_on_one_core() -> None:
    """The user of a new namespace has no right that root has."""
    script = r"""
import contextlib, os
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.watch import Budget
assert os.geteuid() == 1000
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
with contextlib.closing(Cage("full")) as cage:
    source = "import os\nassert os.listdir('/proc').count('2') == 0 and os.getpid() == 1\n"
    source += "open('mine', 'w')\nif os.fork() == 0:\n    while True: pass\n"
    source += "os.kill(0, 9)"  # nobody else is of its group
    for _ in range(2):
        worker = cage.worker()
        request = encode({"op": "run", "source": source, "label": "c"})
        assert decode(worker.ask(request, Budget(5)))["ok"]
        worker.kill()
"""
    ends_well(script, *AS_A_USER)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
def test_files_that_a_submission_has_on_their_way_keep_no_worker_of_its_user_from_starting() -> (
    None
):
    """The class stopped: the kernel counts them for the user, whatever the namespace."""
    script = r"""
import contextlib, resource
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside.wire import decode, encode
from autograder.sandbox.watch import Budget
resource.setrlimit(resource.RLIMIT_NOFILE, (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
source = "import socket\nkept = socket.socketpair()\n"
source += "for _ in range(2): socket.send_fds(kept[0], [b'x'], [0] * 253)"
with contextlib.closing(Cage("full")) as cage, contextlib.closing(Cage("full")) as other:
    worker = cage.worker()
    request = encode({"op": "run", "source": source, "label": "c"})
    assert decode(worker.ask(request, Budget(5)))["ok"]
    other.worker().kill()
    worker.kill()
"""
    ends_well(script, *AS_A_USER)


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root mounts no /proc")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="no other user can be made here")
def test_no_weaker_level_is_where_a_submission_can_hide() -> None:
    """Where /proc shows a user only what may be traced, what orphans computed was not counted."""
    script = """
from autograder.sandbox.cage import probe
assert [one.available for one in probe()] == [True, False, False]
assert all("hidepid" in one.reason for one in probe()[1:])
"""
    hidden = 'mount -t proc -o hidepid=2,gid=9 proc /proc && exec "$@"'
    ends_well(script, "unshare", "-m", "sh", "-c", hidden, "sh", *AS_A_USER)


@pytest.mark.skipif(sys.platform != "linux", reason="there are no orphans to adopt")
def test_who_forks_and_ends_again_and_again_is_ended_without_namespaces() -> None:
    """Each was gone before it was found, and dozens stayed for ever."""
    script = """
import contextlib, os, resource, socket, time
from autograder.sandbox.inside import lockdown
from autograder.sandbox.inside.parent import Parent
if os.geteuid() == 0:
    lockdown.become(60_000 + os.getpid())
lockdown.adopt_orphans()
most = lockdown.threads_of_this_user() + 60
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
reaper = Parent(socket.socketpair()[0], {"namespaces": False, "uid": 0})
kept = [bytes(8192) for _ in range(10_000)]  # who has much takes long to go
end = time.monotonic() + 45
if pid := os.fork():
    reaper.children.add(pid)
    time.sleep(1)
    found = reaper.reap()
    assert found == {"ended": [-9]} or found == {"ended": [0]}, found
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, 0)
        raise AssertionError("somebody is left")
else:
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if os.fork():
                try:
                    os.fork()
                except OSError:
                    os._exit(0)
    os._exit(0)
"""
    ends_well(script)


def test_an_exercise_has_more_time_where_a_second_is_worth_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ready:
        alive = True

    found = load_assignment("backprop")
    for quiet, times in ((1e-9, 10.0), (1e9, 1.0)):
        monkeypatch.setattr(limits, "_QUIET_SECONDS", quiet)
        student = transport.Caged(Cage.__new__(Cage), found, [])
        student.worker = Ready()
        monkeypatch.setattr(student, "ask", lambda request: b"")
        student.begin("mse_loss", 1)
        left = student.allowances["mse_loss"].budget.cpu
        assert left == times * found.exercise("mse_loss").seconds


BUSY_LOSS = """
import time

def mse_loss(y_pred, y_true):
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    return float(((y_pred - y_true) ** 2).mean())
"""


def test_an_answer_whose_time_ran_out_on_a_crowded_machine_is_tried_once_more(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program wants the worker's core, and the pace was measured before that."""
    found = load_assignment("backprop")
    loss = msgspec.structs.replace(found.exercise("mse_loss"), seconds=0.2)
    found = msgspec.structs.replace(found, exercises=(loss,))
    code = [Cell("the setup cell", "import numpy as np"), Cell("the cell of mse_loss", BUSY_LOSS)]
    core, start = min(os.sched_getaffinity(0)), Cage.worker
    paces, tries = [1.0, 100.0], []

    def pinned(self: Cage, cpu: float) -> Worker:
        worker = start(self, cpu)
        os.sched_setaffinity(worker.pid, {core})
        return worker

    class Measured(transport.Caged):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.pace = paces[len(tries)]
            tries.append(self)

    monkeypatch.setattr(Cage, "worker", pinned)
    monkeypatch.setattr(retry, "Caged", Measured)
    # How much a neighbour takes is not certain.
    monkeypatch.setattr(transport, "machine_pace", lambda: 10.0)
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    os.sched_setaffinity(neighbour.pid, {core})
    judge = Judge(load_assignment("backprop"))
    judge.assignment = found
    done = []
    try:
        done.append(retry.InCage(judge, cage, "")(code, [loss], lambda result, transcripts: None))
    finally:
        neighbour.kill()
        neighbour.wait()
    first, second = tries
    assert first.late == {"mse_loss"}
    assert second.late == set()
    assert done[0].exercises["mse_loss"].status == "right"
    [note] = done[0].notes
    assert note == "tried again, as time ran out on a crowded machine, or at a slow disk: mse_loss"


@pytest.mark.parametrize(
    ("wall", "cpu", "waits_for", "ended"),
    [
        (1.05, 1.01, "core", (True, False)),  # an endless loop with a core of its own
        (4.0, 1.01, "core", (True, True)),
        (1000.0, 0.1, "core", (False, False)),
        (31.0, 0.1, "disk", (True, True)),
        (31.0, 0.1, "something else", (True, False)),
    ],
)
def test_waiting_for_a_core_is_not_charged_and_tells_a_crowded_machine(
    monkeypatch: pytest.MonkeyPatch,
    wall: float,
    cpu: float,
    waits_for: str,
    ended: tuple[bool, bool],
) -> None:
    sight = Sight(True, waits_for == "core", waits_for == "disk", [])
    monkeypatch.setattr(Tree, "cpu", 0.0)
    monkeypatch.setattr(Tree, "look", lambda self: sight)
    with socket.socket(socket.AF_UNIX) as line:
        watch = Watch(0, line)
    watch.begin(Budget(1.0))
    monkeypatch.setattr(Tree, "cpu", cpu)
    found = (False, False)
    try:
        watch.look(clock.now() + wall)
    except WorkerEnded as end:
        found = (True, end.crowded)
    assert found == ended


@pytest.mark.parametrize("level", ["full", "landlock"])
def test_a_machine_without_a_place_for_files_has_no_cage(
    level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops the class with a sentence: every student was a fault of the grader's, which is
    tried again once and then stays."""

    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    with pytest.raises(CageError, match=f"{level} cage does not start: No usable temporary dir"):
        Cage(level)


def test_a_machine_that_starts_no_process_has_no_cage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one start to clear away what the cage began with."""

    def none(*command: object, **how: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", none)
    with pytest.raises(CageError, match="limits cage does not start: Resource temporarily"):
        Cage("limits")


def test_while_the_grader_itself_is_paused_nobodys_time_goes_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A container that is frozen, a job of a cluster that is suspended."""
    moment = 100.0
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: moment))
    monkeypatch.setattr(clock, "_read", moment)
    monkeypatch.setattr(clock, "_paused", 0.0)
    monkeypatch.setattr(Tree, "cpu", 0.0)
    monkeypatch.setattr(Tree, "look", lambda self: Sight(True, False, False, []))
    with socket.socket(socket.AF_UNIX) as line:
        watch = Watch(0, line)
    watch.begin(Budget(1.0, wall=60.0))
    for later in (3700.0, 3701.0, 3702.0, 3703.0, 3704.0):
        moment = later
        watch.look(clock.now())
    moment = 3706.0
    with pytest.raises(WorkerEnded, match="did nothing"):
        watch.look(clock.now())
