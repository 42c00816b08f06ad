"""Kernels that start in a moment, as forks of a process that has imported what notebooks import.

Importing torch and matplotlib is most of what a kernel's start costs, and tests start thirty. A
kernel specification in the place of `python3` starts `_CLIENT`, which hands its folder, environment
and streams to the process that waits (`serve`, this file as a script), and lives as long as the
kernel that is forked there. All else is the real kernel, but that an interrupt ends it, and that a
notebook finds matplotlib.pyplot, say, under matplotlib without importing it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

_CLIENT = """\
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
told = {"folder": os.getcwd(), "environment": dict(os.environ), "connection": sys.argv[2]}
message = json.dumps(told).encode()
socket.send_fds(line, [len(message).to_bytes(8, "big")], [0, 1, 2])
line.sendall(message)
line.recv(1)  # until the kernel has ended
"""


@contextlib.contextmanager
def started() -> Iterator[str]:
    """The process that forks kernels; gives what `JUPYTER_PATH` has to be."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are too long for a socket's name
        address = os.path.join(folder, "kernels.socket")
        place = Path(folder, "kernels", "python3")
        place.mkdir(parents=True)
        argv = [sys.executable, "-I", "-S", "-c", _CLIENT, address, "{connection_file}"]
        named = {"argv": argv, "display_name": "Python 3", "language": "python"}
        (place / "kernel.json").write_text(json.dumps(named))
        command = [sys.executable, __file__, address]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == b"listening\n"
            yield folder
            process.stdin.close()  # whereupon it ends, and so it does if this process is killed
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # a kernel that nobody has ended
                process.kill()


def serve(address: str) -> None:
    """Forks kernels until its standard input ends, and waits for them."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("listening", flush=True)
    tests = os.dup(0)  # ends with them; in a kernel 0 is another
    del sys.path[0]  # a notebook does not find what stands beside this file
    _import_what_notebooks_do()
    signal.signal(signal.SIGCHLD, _reap)
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become_the_kernel(line, tests)
            os._exit(0)
        line.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _import_what_notebooks_do() -> None:
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as a kernel does
    gc.disable()
    for name in (
        "ipykernel.kernelapp",
        "matplotlib.backends.backend_agg",
        "matplotlib.pyplot",
        "sklearn.decomposition",
        "sklearn.linear_model",
        "torch",
        "tqdm",
    ):
        importlib.import_module(name)
    gc.enable()


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become_the_kernel(line: socket.socket, tests: int) -> None:
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    size, streams, *_ = socket.recv_fds(line, 8, 3)
    with line.makefile("rb") as file:
        told = json.loads(file.read(int.from_bytes(size, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    os.environ.pop("JPY_PARENT_PID", None)  # its parent is another; `_end_with` does this
    np.random.seed()  # noqa: NPY002  else every kernel would draw the same
    threading.Thread(target=_end_with, args=[line, tests], daemon=True).start()
    # Figures are drawn with few dots: what matters is that they are.
    few = "--InlineBackend.print_figure_kwargs={'dpi': 20}"
    sys.argv = ["ipykernel_launcher", "-f", told["connection"], few]
    IPKernelApp.launch_instance()


def _end_with(line: socket.socket, tests: int) -> None:
    """The kernel ends with the process that stands for it, and at the latest with the tests: what
    is left running by one of them is not waited for."""
    select.select([line, tests], [], [])
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
