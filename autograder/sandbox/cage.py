"""The cage: a place where a student's code can run and reach nothing.

`Cage` starts the warm parent inside bubblewrap and asks it for workers; a `Worker` is one
submission's process, seen from outside: requests go in, answers come out, time and memory are
read from the kernel, and a kill ends everything that it started.

Levels, from strong to weak:

full      bubblewrap: own user (or uid), network, process, IPC and mount namespaces; a file
          system with the interpreter and its libraries, read-only, and an empty scratch. Each
          submission gets namespaces of its own inside. No capability, system-call filter.
landlock  no namespaces: Landlock confines files (and signals on newer kernels), limits and
          system-call filter as above, and no socket at all. Other processes can be seen; memory
          cannot be shared between processes, as a DataLoader with workers of its own would.
limits    no Landlock (macOS: resource limits only). Files can be read: for code that you trust.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from typing import Literal, NamedTuple

from autograder.errors import CageError, CageGone, WorkerEnded

from . import bubblewrap
from .inside import lockdown
from .inside.protocol import HEADER, LIMITS, MAX_BYTES, SCRATCH
from .process import cpu_seconds, own_bytes, own_clock, remove, state, tree_bytes, wait_gone

Level = Literal["full", "landlock", "limits"]
LEVELS: tuple[Level, ...] = ("full", "landlock", "limits")

_STALL_SECONDS = 10.0
_IDLE_SECONDS = 30.0
OWN_CORE = 0.9
"""The least share of a core that a worker gets where it need not share one."""
_PATIENCE = 600.0  # with the parent, which on a crowded machine takes minutes to import torch


class Probe(NamedTuple):
    """What one level needs and whether this machine has it."""

    level: Level
    available: bool
    reason: str


class Cage:
    """A warm parent in a cage of some level, and the workers it starts."""

    def __init__(self, level: Level = "full") -> None:
        self.level = level
        self._folder = None if level == "full" else tempfile.mkdtemp(prefix="autograder-cage-")
        self._scratch = self._folder and os.path.join(self._folder, "scratch")
        self._renew_scratch()
        self._start()

    def _renew_scratch(self) -> None:
        """A new one where the full cage has a mount of its own for each submission."""
        if self._folder and self._scratch:
            os.makedirs(self._folder, exist_ok=True)
            os.chmod(self._folder, 0o711)
            remove(self._scratch)
            os.mkdir(self._scratch)
            os.chmod(self._scratch, 0o777 if os.geteuid() == 0 else 0o700)

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 – lives as long as the cage
        self._broken = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.process = subprocess.Popen(
                self._command(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=bubblewrap.environment(self._scratch or SCRATCH),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            ours.close()
            self._errors.close()
            raise CageError(f"{error.filename} is not installed") from None
        finally:
            theirs.close()
        self._line = ours
        self._line.settimeout(_PATIENCE)
        try:
            self._line.send(json.dumps(self._setting()).encode())
            ready = self._line.recv(65536)
        except OSError:
            ready = b""
        if not ready:
            complaint = self._complaint()
            self.close()
            raise CageError(f"the {self.level} cage does not start: {complaint}")

    def _setting(self) -> dict[str, object]:
        return {
            "namespaces": self.level == "full",
            "landlock": self.level == "landlock",
            "readable": [str(path) for path in bubblewrap.libraries()] + [str(bubblewrap.WORKER)],
            "scratch": self._scratch or SCRATCH,
            # a user of its own, so that the limit on processes counts only this cage's
            "uid": 0x70000000 + os.getpid() if os.geteuid() == 0 else 0,
        }

    def _command(self) -> list[str]:
        folder = "/cage/worker" if self.level == "full" else str(bubblewrap.WORKER)
        site = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        code = (  # the package alone, without the grader's folder around it on the path
            "import sys, types; package = types.ModuleType('worker'); "
            f"package.__path__ = [{folder!r}]; sys.modules['worker'] = package; "
            f"sys.path += {list(site)!r}; from worker.parent import main; main()"
        )
        python = [sys.executable, "-I", "-S", "-B", "-c", code]
        return [*bubblewrap.command(os.geteuid() == 0), *python] if self.level == "full" else python

    def _complaint(self) -> str:
        if self._errors.closed:
            return "it was ended"
        self._errors.seek(0)
        text = self._errors.read()[-2000:].decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it ended without a word"

    def ask(self, message: dict[str, object], descriptor: int | None = None) -> dict[str, object]:
        """One request to the warm parent; CageError if it does not answer as it should."""
        try:
            data = json.dumps(message).encode()
            socket.send_fds(self._line, [data], [] if descriptor is None else [descriptor])
            reply = json.loads(self._line.recv(65536))
        except (OSError, ValueError):
            self._broken = True
            raise CageGone(f"the worker's parent does not answer: {self._complaint()}") from None
        self._broken = "error" in reply
        if self._broken:
            raise CageError(str(reply["error"]))
        return dict(reply)

    def alive(self) -> bool:
        try:
            return not self._broken and bool(self.ask({"do": "ping"}).get("alive"))
        except CageError:
            return False

    def worker(self) -> Worker:
        """A new process for a submission, in namespaces and with limits of its own.

        A parent that failed is replaced first.
        """
        if self._broken:
            self._kill()
            self._start()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        if sys.platform == "linux":
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            pid = self.ask({"do": "start", "limits": LIMITS}, theirs.fileno())["started"]
        except CageError:
            ours.close()
            raise
        finally:
            theirs.close()
        return Worker(self, ours, int(str(pid)))

    def reap(self) -> list[int]:
        """Ends what a worker left behind; the exit codes (negative: signals) of workers.

        A parent that cannot do it is ended itself, and everything in the cage with it. CageGone
        if there is none: then nobody knows what the worker died of.
        """
        try:
            ended = self.ask({"do": "reap"}).get("ended")
        except CageGone:
            self._kill()
            raise
        except CageError:
            self._kill()
            ended = []
        self._renew_scratch()
        return [int(code) for code in ended] if isinstance(ended, list) else []

    def close(self) -> None:
        """Ends the cage with everything in it; a parent in good order ends by itself."""
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0 if self._broken else 3)
        self._kill()
        if self._folder:
            remove(self._folder)

    def _kill(self) -> None:
        self._broken = True
        self._line.close()
        self._errors.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Worker:
    """One submission's process, from outside."""

    def __init__(self, cage: Cage, line: socket.socket, pid: int) -> None:
        self.cage = cage
        self.line = line
        self.pid = pid
        line.settimeout(_PATIENCE)
        try:
            greeting, extra, _, _ = line.recvmsg(1, 256)
        except OSError:
            greeting, extra = b"", []
        if greeting != b"!":
            self._close()
            raise CageError(f"a worker does not start: {cage._complaint()}")
        for _, kind, data in extra:  # the number that the kernel vouches for, in our namespace
            if sys.platform == "linux" and kind == socket.SCM_CREDENTIALS:
                self.pid = struct.unpack("3i", data[:12])[0]
        self._alive = True
        self._baseline = own_bytes(self.pid)
        self._cpu, self._clock = cpu_seconds(self.pid), own_clock(self.pid)
        self.used = 0.0
        line.setblocking(False)

    @property
    def alive(self) -> bool:
        return self._alive

    def ask(self, request: bytes, cpu_limit: float) -> bytes:
        """The answer's bytes; WorkerEnded if there is none, and then the worker is gone.

        `used` holds the CPU seconds of this request afterwards, those of threads that ran on
        since the last one included.
        """
        nonce = secrets.token_bytes(8)
        watch = _Watch(self.pid, self._cpu, cpu_limit, self._baseline)
        try:
            if self._early():
                raise WorkerEnded("died", "wrote an answer before it was asked")
            self._send(HEADER.pack(nonce, len(request)) + request, watch)
            answer = bytearray()
            self._receive(answer, HEADER.size, watch)
            echoed, length = HEADER.unpack_from(answer)
            if echoed != nonce or length > MAX_BYTES + 2**16:
                raise WorkerEnded("died", "gave an answer that cannot be read")
            self._receive(answer, HEADER.size + length, watch)
            if len(answer) != HEADER.size + length:
                raise WorkerEnded("died", "gave an answer that cannot be read")
        except WorkerEnded as ended:
            raise self._end(ended.kind, ended.text, ended.crowded) from None
        except OSError:
            raise self._end("died", "") from None
        finally:
            clock = own_clock(self.pid)
            # What its children used is in /proc alone, which takes long to read; if none was
            # looked for now, the next long request pays for them.
            used = cpu_seconds(self.pid) - self._cpu if watch.pauses > 1 else clock - self._clock
            self.used, self._clock = max(0.0, used), clock
            self._cpu += self.used
        return bytes(memoryview(answer)[HEADER.size :])

    def _early(self) -> bool:
        try:
            return bool(self.line.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    def _send(self, data: bytes, watch: _Watch) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self.line.send(view) :]
            except BlockingIOError:
                select.select([], [self.line], [], watch.pause())
                watch.look()

    def _receive(self, answer: bytearray, count: int, watch: _Watch) -> None:
        """Reads until `answer` has at least `count` bytes."""
        while len(answer) < count:
            if not select.select([self.line], [], [], watch.pause())[0]:
                watch.look()
                continue
            part = self.line.recv(2**20)
            if not part:
                raise WorkerEnded("died", "")
            answer += part

    def _end(self, kind: str, text: str, crowded: bool = False) -> WorkerEnded:
        """Kills what is left and finds out how it ended, in words for the student."""
        died_alone = not text
        codes = self.kill(wait=died_alone)
        if died_alone:
            text = _ending(codes[-1] if codes else 0)
        return WorkerEnded(kind, text, crowded)

    def kill(self, wait: bool = False) -> list[int]:
        """Ends the process and everything that it started; exit codes."""
        if not self._alive:
            return []
        if wait:  # it is dying by itself: let it, so that its exit code is its own
            wait_gone(self.pid, 0.2)
        self._close()
        if sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if not wait:
                    os.kill(self.pid, signal.SIGKILL)
        return self.cage.reap()

    def _close(self) -> None:
        self._alive = False
        self.line.close()


class _Watch:
    """Watches one request from outside: CPU time, memory of the whole tree, standing still."""

    def __init__(self, pid: int, cpu: float, cpu_limit: float, baseline: int) -> None:
        self.pid = pid
        self.limit = cpu_limit
        self.baseline = baseline
        self.start = self.last = cpu
        self.wall = self.moved = self.looked = time.monotonic()
        self.idle = 0.0
        self.pauses = 0

    def pause(self) -> float:
        self.pauses += 1
        return min(0.05, 0.002 * self.pauses)

    def look(self) -> None:
        now = time.monotonic()
        used, doing = cpu_seconds(self.pid), state(self.pid)
        if sys.platform != "linux":
            used = self.start + now - self.wall
        if used > self.last or doing in "RD":
            self.last, self.moved = used, now
        # To wait for a core is not its fault; all other waiting is, that in the kernel (D) too,
        # where a vfork without an end keeps it.
        self.idle += now - self.looked if doing != "R" else 0.0
        self.looked = now
        if used - self.start > self.limit or self.idle > _IDLE_SECONDS + 10 * self.limit:
            crowded = used - self.start < OWN_CORE * (now - self.wall - self.idle)
            raise WorkerEnded("time", "used up its computing time", crowded)
        if now - self.moved > _STALL_SECONDS:
            raise WorkerEnded("time", f"did nothing for {_STALL_SECONDS:g} s and gave no answer")
        if self.pauses % 4 == 0 and tree_bytes(self.pid, self.baseline) > LIMITS["memory"]:
            raise WorkerEnded("memory", f"used more than {LIMITS['memory'] >> 30} GB of memory")


def _ending(code: int) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        known = {"SIGSEGV": "a segmentation fault", "SIGKILL": "it was killed", "SIGXCPU": "time"}
        return f"crashed Python ({known.get(name, name)})"
    return "ended the Python process instead of returning"


def probe() -> list[Probe]:
    """Which levels this machine has, strongest first, each really started."""
    found = []
    for level in LEVELS:
        if level == "landlock" and lockdown.landlock_version() == 0:
            found.append(Probe(level, False, "the kernel has no Landlock"))
            continue
        try:
            cage = Cage(level)
        except CageError as error:
            found.append(Probe(level, False, str(error)))
            continue
        try:
            cage.worker().kill()
            found.append(Probe(level, True, "" if level == "full" else _out_of_reach()))
        except CageError as error:
            found.append(Probe(level, False, str(error)))
        finally:
            cage.close()
    return found


def _out_of_reach() -> str:
    """What the user that root's weaker cages have may not read of the interpreter."""
    for path in bubblewrap.libraries() if os.geteuid() == 0 else ():
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & 1:
                return f"answers can import only what is loaded: {folder} is root's alone"
    return ""


def strongest(weakest_allowed: Level) -> Cage:
    """The strongest cage that this machine has, not weaker than allowed."""
    reasons = []
    for level in LEVELS[: LEVELS.index(weakest_allowed) + 1]:
        try:
            cage = Cage(level)
            cage.worker().kill()
            return cage
        except CageError as error:
            reasons.append(f"{level}: {error}")
    raise CageError(
        "no cage of the level asked for ("
        + "; ".join(reasons)
        + "). `autograder doctor` tells what is missing; a weaker level must be allowed by name"
    )
