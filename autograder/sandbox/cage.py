"""The cage: a place where a student's code can run and reach nothing.

`Cage` starts the warm parent inside bubblewrap and asks it for workers; a `Worker` is one
submission's process, seen from outside: requests go in, answers come out, time and memory are
read from the kernel, and a kill ends everything that it started.

Levels, from strong to weak:

full      bubblewrap: own user (or uid), network, process, IPC and mount namespaces; a file
          system with the interpreter and its libraries, read-only, and an empty scratch. Each
          submission gets namespaces of its own inside. No capability, system-call filter.
landlock  no namespaces: Landlock confines files (and signals on newer kernels), limits and
          system-call filter as above, and no socket but a pair. Other processes can be seen; memory
          cannot be shared between processes, as a DataLoader with workers of its own would.
limits    no Landlock (macOS: resource limits only). Files can be read: for code that you trust.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import secrets
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
from typing import Any, NamedTuple

from autograder.errors import CageError, CageGone, WorkerEnded

from . import bubblewrap, groups
from .inside import lockdown
from .inside.protocol import HEADER, LIMITS, MAX_BYTES, SCRATCH, receive, remove
from .levels import LEVELS, Level
from .process import Traces, has_used_its_time, look_at, wait_gone
from .watch import KILLED, USED_UP, Budget, Watch, out_of_memory

_PATIENCE = 600.0  # with the parent, which on a crowded machine takes minutes to import torch


class Probe(NamedTuple):
    """What one level needs and whether this machine has it."""

    level: Level
    available: bool
    reason: str


class Cage:
    """A warm parent in a cage of some level, and the workers it starts."""

    def __init__(self, level: Level = "full") -> None:
        if level != "limits":  # where every file can be read
            bubblewrap.refuse_to_show_answers()
        if level == "landlock":
            if lockdown.landlock_version() == 0:
                raise CageError("the kernel has no Landlock")
            if below := bubblewrap.above_the_grader():
                raise CageError(f"the grader lies below {below}, which workers must read")
        self.level = level
        self._user = _own_user()
        self._folder = ""
        try:
            if level != "full":
                self._folder = tempfile.mkdtemp(prefix="autograder-cage-")
            self._scratch = os.path.join(self._folder, "scratch") if self._folder else SCRATCH
            self._renew_scratch()
            self._start()
        except OSError as error:  # the machine's, as of no place for a file; nobody's submission
            if self._folder:
                with contextlib.suppress(OSError):  # it may want for the same
                    remove(self._folder)
            raise CageError(f"the {level} cage does not start: {error.strerror}") from None

    def _renew_scratch(self) -> None:
        """A new one at the weaker levels; in the full cage each submission mounts its own."""
        if self._folder:
            os.makedirs(self._folder, exist_ok=True)
            os.chmod(self._folder, 0o711)
            remove(self._scratch)
            os.mkdir(self._scratch)
            os.chmod(self._scratch, 0o700)
            if self._user:
                try:
                    os.chown(self._scratch, self._user, self._user)
                except OSError as error:
                    remove(self._folder)
                    raise CageError(f"root may have no other users here: {error}") from None

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 – lives as long as the cage
        self._broken = False
        _allow_files_on_their_way()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.process = subprocess.Popen(
                self._command(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=bubblewrap.environment(self._scratch),
                start_new_session=True,
                preexec_fn=lockdown.leave_no_core,  # inside there is no right to
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
        # It adopts a submission's orphans, which are found through it.
        if sys.platform == "linux" and self.level != "full" and look_at(self.process.pid) is None:
            self.close()
            raise CageError("/proc hides from the grader what a submission starts (hidepid)")

    def _setting(self) -> dict[str, object]:
        return {
            "namespaces": self.level == "full",
            "landlock": self.level == "landlock",
            "readable": [str(path) for path in bubblewrap.libraries()] + [str(bubblewrap.WORKER)],
            "scratch": self._scratch,
            "folder": self._folder,
            "uid": self._user,
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
        return [*bubblewrap.command(bool(self._user)), *python] if self.level == "full" else python

    def _complaint(self) -> str:
        if self._errors.closed:
            return "it was ended"
        self._errors.seek(0)
        text = self._errors.read()[-2000:].decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it ended without a word"

    def ask(self, message: dict[str, object], descriptor: int | None = None) -> dict[str, Any]:
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
            return not self._broken and bool(self.ask({"do": "ping"})["alive"])
        except CageError:
            return False

    def worker(self, cpu: float = 900.0) -> Worker:
        """A new process for a submission, in namespaces and with limits of its own.

        The kernel ends it after `cpu` seconds, whatever it does. A parent that failed is replaced
        first.
        """
        if self._broken:
            self._kill()
            self._start()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        if sys.platform == "linux":
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            pid = self.ask(
                {"do": "start", "limits": {**LIMITS, "cpu": math.ceil(cpu)}}, theirs.fileno()
            )["started"]
        except CageError:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            return Worker(self, ours, pid)
        except CageError:
            self._broken = True  # it may have ended after it answered
            raise

    def reap(self) -> list[int]:
        """Ends what a worker left behind; the exit codes (negative: signals) of workers.

        A parent that cannot do it is ended itself, and everything in the cage with it. CageGone
        if there is none: then nobody knows what the worker died of.
        """
        try:
            ended: list[int] = self.ask({"do": "reap"})["ended"]
        except CageGone:
            self._kill()
            raise
        except CageError:
            self._kill()
            ended = []
        self._renew_scratch()
        return ended

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


def _own_user() -> int:
    """A user for one cage alone, so that the limit on processes counts only the cage's, and nobody
    else writes to its folder; 0 where that cannot be had, as where root is nobody but one user. By
    chance: in several containers of a machine judges have the same number."""
    if os.geteuid():
        return 0
    known = [_ids(f"/proc/self/{kind}_map") for kind in ("uid", "gid")]
    half = min(2**31, *(ids[-1].stop for ids in known)) // 2
    if half < 2 * _MOST_USED:  # few are free
        return 0
    user = half + secrets.randbelow(half - _MOST_USED)
    return user if all(any(user in some for some in ids) for ids in known) else 0


_MOST_USED = 1000  # at the end, where `nobody` is, too


def _allow_files_on_their_way() -> None:
    """All that this process may open. One that has not all rights hands no file on, and starts no
    worker, while more than it may open are on their way between processes of its user; those of a
    submission may have 16 000 there: the kernel counts them before they go, not as they go."""
    if sys.platform == "linux":
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _ids(path: str) -> list[range]:
    """The users, or groups, that there are: in a container of a user's own not all numbers."""
    try:
        with open(path) as file:
            rows = [[int(number) for number in row.split()] for row in file]
        return sorted((range(row[0], row[0] + row[2]) for row in rows), key=lambda ids: ids.stop)
    except OSError:  # no Linux
        return [range(2**32)]


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
            line.close()
            raise CageError(f"a worker does not start: {cage._complaint()}")
        for _, kind, data in extra:  # the number that the kernel vouches for, in our namespace
            if sys.platform == "linux" and kind == socket.SCM_CREDENTIALS:
                self.pid = struct.unpack("3i", data[:12])[0]
        self.alive = True
        self.group = groups.around(self.pid)
        above = 0 if cage.level == "full" else cage.process.pid
        self.watch = Watch(self.pid, line, above, self.group)
        self.watch.start()
        line.settimeout(None)

    @property
    def struck(self) -> bool:
        """Whether a part of it may have been ended for want of memory that others had."""
        return self.watch.struck

    def traces(self) -> Traces:
        """What it may leave to the next exercise; folders where they are its own."""
        own = (SCRATCH, "/dev/shm") if self.cage.level == "full" else ()
        return self.watch.tree.traces(LIMITS["files"], own)

    def ask(self, request: bytes, budget: Budget) -> bytes:
        """The answer's bytes; WorkerEnded if there is none, and then the worker is gone.

        The budget is less afterwards by what the request took.
        """
        nonce = secrets.token_bytes(8)
        self.watch.begin(budget)
        try:
            self.line.sendall(HEADER.pack(nonce, len(request)) + request)
            echoed, length = HEADER.unpack(receive(self.line, HEADER.size))
            if echoed != nonce or length > MAX_BYTES + 2**16:  # what was written before, too
                raise WorkerEnded("died", "gave an answer that cannot be read")
            return receive(self.line, length)
        except WorkerEnded as ended:
            raise self._end(ended) from None
        except OSError:
            raise self._end(WorkerEnded("died", "")) from None
        finally:
            self.watch.finish()

    def _end(self, ended: WorkerEnded) -> Exception:
        """Kills what is left and finds out how it ended, in words for the student."""
        verdict = self.watch.verdict or ended  # the line ends where the watch ended the worker
        if str(verdict):
            self.kill()
            return verdict
        gone = wait_gone(self.pid, 1.0)  # it is dying by itself: its exit code shall be its own
        overrun = self.group is not None and self.group.overrun()
        spent = has_used_its_time(self.pid)
        codes = self.kill()
        if overrun:
            return out_of_memory()
        code = codes[-1] if codes and gone else 0
        if spent and code == -signal.SIGKILL and not self.watch.was_struck():
            return WorkerEnded("time", USED_UP)
        return WorkerEnded("died", _ending(code), killed=code == -signal.SIGKILL)

    def kill(self) -> list[int]:
        """Ends the process and everything that it started; exit codes."""
        if not self.alive:
            return []
        self.alive = False
        self.watch.stop()
        self.line.close()
        if sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)
        try:
            return self.cage.reap()
        finally:
            if self.group is not None:
                self.group.remove()


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return KILLED
    if code < 0:
        # One may choose the signal, and there are as many as a message has letters.
        how = "a segmentation fault" if code == -signal.SIGSEGV else "a signal ended it"
        return f"crashed Python ({how})"
    return "ended the Python process instead of returning"


def probe() -> list[Probe]:
    """Which levels this machine has, strongest first, each really started."""
    found = []
    for level in LEVELS:
        try:
            _tried(level).close()
            found.append(Probe(level, True, out_of_reach(level)))
        except CageError as error:
            found.append(Probe(level, False, str(error)))
    return found


def _tried(level: Level) -> Cage:
    """A cage that has had a worker; what killed graders have left of groups is removed."""
    cage = Cage(level)
    try:
        cage.worker().kill()
    except CageError:
        cage.close()
        raise
    groups.remove_left()
    return cage


def out_of_reach(level: Level) -> str:
    """What the user that root's weaker cages have may not read of the interpreter."""
    for path in bubblewrap.libraries() if level != "full" and _own_user() else ():
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & 1:
                return f"answers can import only what is loaded: {folder} is root's alone"
    return ""


def strongest(weakest_allowed: Level) -> Cage:
    """The strongest cage that this machine has, not weaker than allowed."""
    reasons = []
    for level in LEVELS[: LEVELS.index(weakest_allowed) + 1]:
        try:
            return _tried(level)
        except CageError as error:
            reasons.append(f"{level}: {error}")
    raise CageError(
        "no cage of the level asked for ("
        + "; ".join(reasons)
        + "). `autograder doctor` tells what is missing; a weaker level must be allowed by name"
    )
