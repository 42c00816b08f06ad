"""The warm parent: imports the libraries once, then forks one process per submission.

Descriptor 0 is its line to the judge, one JSON message per packet. "start" comes with a
socket, which the new process serves; "reap" ends whatever the last one left and says how it
died. The parent reads nothing that a student wrote, and holds no secret that a fork could
find in its memory.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps: no enums at each answer
import contextlib
import faulthandler
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any

from . import lockdown, syscalls
from .protocol import HEADER, LIMITS, children_of, receive, remove, threads_of

SESSION = 3
MOST_CORES = LIMITS["processes"] // 8


def warm_up() -> None:
    """Imports what answers use, and what torch, SciPy and NumPy would import at first use: at
    weaker levels the submission's user may be one who cannot read the libraries."""
    gc.disable()  # nothing of an import is garbage, and looking for it takes a tenth of its time
    import secrets  # noqa: F401  by NumPy, for a generator without a seed
    import statistics  # noqa: F401

    import matplotlib
    import numpy as np
    import torch

    from . import session

    matplotlib.use("agg")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ready = session.Session()
    net = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
    for kind in (torch.optim.Adam, torch.optim.LBFGS, torch.optim.SGD):
        optimiser = kind(net.parameters(), lr=1e-3)

        def closure(optimiser: Any = optimiser) -> Any:
            optimiser.zero_grad()
            loss = (net(torch.ones(2, 1)) ** 2).mean()
            loss.backward()
            return loss

        optimiser.step(closure)  # type: ignore[no-untyped-call]
    np.linalg.lstsq(np.eye(2), np.ones(2), rcond=None)
    np.random.default_rng(0)  # a package that NumPy imports late: 10 ms in each worker
    ready.answer(b"")
    gc.enable()


def settle() -> None:
    """Whatever is there stays: forks share it, and are quick to make."""
    gc.collect()
    gc.freeze()
    lockdown.large_pages()


def tell_few_cores() -> None:
    """A pool has a process for each core: on a large machine more than a submission may have."""
    few = min(MOST_CORES, os.cpu_count() or 1)
    for name in {"cpu_count", "process_cpu_count"} & set(dir(os)):
        setattr(os, name, lambda: few)


def wait_without_epoll() -> None:
    """asyncio waits by `poll` where there is no epoll; this process had one when it looked."""
    selectors.DefaultSelector = selectors.PollSelector  # type: ignore[misc,assignment]


class Parent:
    """The loop that answers the judge."""

    def __init__(self, line: socket.socket, setting: dict[str, Any]) -> None:
        self.line = line
        self.setting = setting
        self.namespaces = bool(setting["namespaces"])
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if self.namespaces else -1
        self.children: set[int] = set()

    def serve(self) -> None:
        """Answers until the judge hangs up."""
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.line, 65536, 1)
            except OSError:
                return
            if not data:
                return
            message = json.loads(data)
            if message["do"] == "start":
                reply = self.start(descriptors[0], message["limits"])
            elif message["do"] == "reap":
                reply = self.reap()
            else:
                reply = {"alive": True}
            with contextlib.suppress(OSError):  # as the next read says
                self.line.send(json.dumps(reply).encode())

    def start(self, descriptor: int, limits: dict[str, int]) -> dict[str, Any]:
        try:
            if self.namespaces:
                lockdown.next_child_in_own_pid_namespace(self.own_pids)
            pid = os.fork()
        except OSError as error:
            os.close(descriptor)
            return {"error": str(error)}
        if pid == 0:
            try:
                self.become_submission(descriptor, limits)
            except BaseException as error:
                with contextlib.suppress(OSError):
                    os.write(2, f"worker: {type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(70)
        os.close(descriptor)
        self.children.add(pid)
        return {"started": pid}

    def become_submission(self, descriptor: int, limits: dict[str, int]) -> None:
        """In the fork: gives up every right, then serves the student's code."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a notebook's kernel
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(descriptor, SESSION)
        os.closerange(SESSION + 1, 65536)
        os.setsid()  # one may signal all of one's group, also those whom one cannot see
        sys.path.append("")  # where a kernel finds the modules that a cell has written
        lockdown.first_to_go()  # while /proc can be written to
        if self.namespaces:
            lockdown.own_mounts(limits["scratch"])
        else:
            os.chdir(self.setting["scratch"])
            if self.setting["landlock"]:
                readable = [*self.setting["readable"], "/dev/null", "/dev/urandom", "/proc"]
                # not /dev/shm, where a file would be there for the next submission
                lockdown.landlock(readable, [self.setting["scratch"], "/dev/null"])
        alone = self.namespaces or self.setting["uid"]
        others = 0 if alone else lockdown.threads_of_this_user()
        lockdown.limit_resources(limits, others)
        lockdown.forgo_capabilities()
        if self.setting["uid"]:
            lockdown.become(self.setting["uid"])
        lockdown.die_with_parent()  # another user would make the kernel forget it
        lockdown.drop_privileges(self.namespaces)
        null = os.open("/dev/null", os.O_RDWR)  # of its own view, which is read-only
        for target in (0, 1, 2):  # until here, what fails is told
            os.dup2(null, target)
        os.close(null)
        serve(socket.socket(fileno=SESSION))

    def reap(self) -> dict[str, Any]:
        """Ends every process that is left, and says how the submission's own one died.

        Without namespaces, who forks and ends is gone before it is found. But the dead take room
        among a user's processes until they are waited for, and that is when all are dead.
        """
        ended: list[int] = []
        dead: set[int] = set()
        orphans, me = sys.platform == "linux" and not self.namespaces, os.getpid()
        deadline = time.monotonic() + 30.0
        while True:
            found = set(self.children)
            if orphans:
                found.update(children_of(me, threads_of(me))[0])
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if self.setting["uid"] and not self.namespaces:
                _kill_all_of(self.setting["uid"])
            try:
                while not orphans or found == dead:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                    if pid == 0:
                        break
                    if pid in self.children:
                        self.children.remove(pid)
                        ended.append(os.waitstatus_to_exitcode(status))
            except ChildProcessError:
                return {"ended": ended}
            if time.monotonic() > deadline:
                return {"error": "a process of the submission cannot be killed"}
            dead = {pid for pid in found if orphans and _dead(pid)}
            time.sleep(0.001)


def serve(line: socket.socket) -> None:
    """The submission's process: one answer for each request, until the judge hangs up."""
    from .session import Session

    me, session = os.getpid(), Session()
    handler: Any = _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    line.send(b"!")  # the kernel adds our process number, which the judge reads
    while True:
        nonce, length = HEADER.unpack(receive(line, HEADER.size))
        request = receive(line, length)
        _signal.signal(_signal.SIGINT, handler)
        answer = session.answer(request)
        if os.getpid() != me:  # the answer forked; only the first process speaks
            os._exit(0)
        # At rest it is not interrupted, as no notebook's kernel is.
        handler = _signal.signal(_signal.SIGINT, _signal.SIG_IGN) or _signal.SIG_DFL
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)  # it would ring in another exercise
        faulthandler.cancel_dump_traceback_later()  # and so would this, and end it
        line.setblocking(True)  # whatever the student's code did to every descriptor it found
        line.sendall(HEADER.pack(nonce, len(answer)) + answer)


def _dead(pid: int) -> bool:
    """Whether a child has ended, all its threads too; it is not waited for."""
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, ended) is not None
    return True


def _kill_all_of(uid: int) -> None:
    """Root without namespaces: whatever runs as the cage's own user, at one blow."""
    pid = os.fork()
    if pid == 0:
        try:
            lockdown.become(uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def main() -> None:
    line = socket.socket(fileno=os.dup(0))
    setting = json.loads(line.recv(65536))  # not an argument: every process could read those
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the judge
    if not setting["namespaces"]:
        lockdown.adopt_orphans()
    warm_up()
    tell_few_cores()
    lockdown.not_traceable()
    if sys.platform == "linux":
        wait_without_epoll()
        syscalls.refusing(setting["namespaces"])
    settle()
    line.send(b'{"ready": true}')
    parent = Parent(line, setting)
    parent.serve()
    if not setting["namespaces"]:  # the judge may have been killed: nobody else clears up
        parent.reap()
        remove(setting["folder"])
