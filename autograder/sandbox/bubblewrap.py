"""The command line that makes the full cage, and what of the machine may be seen in it."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from autograder.course import ROOT
from autograder.errors import CageError

from .inside.protocol import DEVICES, SCRATCH

WORKER = Path(__file__).resolve().parent / "inside"


def environment(scratch: str) -> dict[str, str]:
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    )
    return {
        **one,
        # Of threads, each of 64 MB of addresses; else there are eight for each core.
        "MALLOC_ARENA_MAX": "16",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
        "MPLCONFIGDIR": scratch,
        "MPLBACKEND": "agg",
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "default",
    }


def libraries() -> list[Path]:
    """What the interpreter needs of the file system."""
    base = Path(sys.base_prefix)
    wanted = [
        Path(sys.executable),
        Path(sys.executable).resolve(),
        Path(sys.prefix) / "pyvenv.cfg",
        base / "lib",
        *(
            Path(sysconfig.get_path(name))
            for name in ("stdlib", "platstdlib", "purelib", "platlib")
        ),
        *(Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64")),
        Path("/etc/ld.so.cache"),
    ]
    return [path for path in dict.fromkeys(wanted) if path.exists()]


def refuse_to_show_answers() -> None:
    """CageError where the grader, or a copy that somebody installed, lies in what workers read."""
    for path in libraries():
        for name in ("autograder", "reference_impl"):
            if (path / name / "__init__.py").is_file() or (path / name / "checks").is_dir():
                raise CageError(
                    f"the grader is installed in {path}, which workers must read: "
                    "`pip uninstall` that copy, and install with `make setup`"
                )


def above_the_grader() -> Path | None:
    """What workers read and the grader lies in; the full cage covers it with an empty folder."""
    return next((path for path in libraries() if path.resolve() in ROOT.resolve().parents), None)


def command(own_user: bool) -> list[str]:
    """The command line in front of the interpreter's, which becomes a user of its own, or else is
    this one in a world without others."""
    program = shutil.which("bwrap")
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "not on the path", "bwrap")
    options = [program, "--die-with-parent", "--new-session", "--hostname", "cage"]
    options += ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    options += ["--cap-add", "CAP_SETPCAP"]
    if own_user:
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_DAC_OVERRIDE"):
            options += ["--cap-add", capability]
    else:
        options += ["--unshare-user"]
    made: set[Path] = set()

    def parents(path: Path) -> None:
        for folder in reversed(path.parents):
            if folder != Path("/") and folder not in made:
                made.add(folder)
                options.extend(["--perms", "0755", "--dir", str(folder)])

    found = sorted(libraries(), key=lambda path: len(path.parts))
    folders = {path for path in found if not path.is_symlink()}
    hidden = False
    for path in found:
        if folders.intersection(path.parents) and not (hidden and ROOT in path.parents):
            continue
        if path.is_symlink() and path.is_dir():
            parents(path)
            options += ["--symlink", os.readlink(path), str(path)]
            continue
        parents(path)
        options += ["--ro-bind", str(path), str(path)]
        if path in ROOT.parents:  # never let the course's own files be seen through a library's
            options += ["--tmpfs", str(ROOT)]
            hidden = True
    options += ["--perms", "0755", "--dir", "/cage", "--ro-bind", str(WORKER), "/cage/worker"]
    # not --dev: its terminals would cost a second user namespace, in which the parent could
    # not make PID namespaces
    options += ["--tmpfs", "/dev", "--perms", "1777", "--dir", "/dev/shm"]
    for name in DEVICES:
        options += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    options += ["--symlink", "/proc/self/fd", "/dev/fd", "--remount-ro", "/dev"]
    options += ["--proc", "/proc", "--tmpfs", SCRATCH, "--chdir", SCRATCH]
    if Path("/tmp") not in made:  # as it is where the interpreter itself is installed below it
        options += ["--symlink", SCRATCH, "/tmp"]
    options += ["--remount-ro", "/", "--"]
    return options
