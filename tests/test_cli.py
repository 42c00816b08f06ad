"""The command itself: an interrupted run, and a machine without Unix."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from leftovers import adopting
from test_report import NAME, all_of, give

from autograder import cli
from autograder.authoring import demo
from autograder.course import load_assignment
from autograder.grading.folder import course_salt
from autograder.records.gradebook import Recorder
from autograder.results import Store

WITHOUT_UNIX = """\
import contextlib, importlib.abc, io, os, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
for name in ("fcntl", "resource"):
    sys.modules.pop(name, None)
for name in ("fork", "sched_getaffinity", "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK"):
    delattr(os, name)
from autograder.cli import main
for line in sys.stdin.read().splitlines():
    sys.argv = ["autograder", *line.split()]
    print("==", line)
    code = 0
    try:
        with contextlib.redirect_stderr(sys.stdout):
            main()
    except SystemExit as ended:
        code = ended.code or 0
    print("exit", code)
"""


@pytest.mark.parametrize("fault", ["EIO", "ESTALE", "EFBIG", "EMFILE", "ENOMEM", "EAGAIN", "EPERM"])
def test_what_the_machine_refuses_is_one_sentence(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a disk that is torn, a server that forgot a file, no process or file left."""
    number = getattr(errno, fault)

    def refused() -> None:
        raise OSError(number, os.strerror(number), "results/ada.json")

    monkeypatch.setattr(cli, "app", refused)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert f"results/ada.json: {os.strerror(number)}. Results" in capsys.readouterr().err


def test_a_terminal_without_a_names_letters_stops_nothing(tmp_path: Path) -> None:
    found = load_assignment(NAME)
    give(tmp_path, "łukasz", all_of("right"))
    result = Store(tmp_path).load(NAME, "łukasz")
    assert result is not None
    Recorder(tmp_path, [found]).record(result)
    (tmp_path / "submitted" / "łukasz").mkdir(parents=True, exist_ok=True)
    for verb, said in (
        (["export", NAME], "łukasz,".encode()),
        (["drop", "łukasz"], rb"1 left the course: \u0142ukasz"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "autograder", *verb, "--course", str(tmp_path)],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


@pytest.mark.parametrize(
    ("where", "code"), [("| true", 0), ("2>/dev/full", 0), ("2>&-", 0), (">/dev/full", 2)]
)
def test_all_is_graded_whoever_reads_what_is_printed(where: str, code: int, tmp_path: Path) -> None:
    """Results that are there are recorded: no judge has to start for that. It starts where an end
    of its pipes may get the number of what is closed."""
    course_salt(tmp_path)
    for name in ("backprop", NAME):
        (tmp_path / "submitted" / "ada" / name).mkdir(parents=True)
        if where != "2>&-":
            give(tmp_path, "ada", assignment=name)
    command = f"{sys.executable} -m autograder grade backprop {NAME} --course {tmp_path} {where}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("standard output: No space left" in done.stderr) == bool(code)
    assert len([*tmp_path.glob("feedback/ada/*/*.html")]) == 2


def test_who_reads_slowly_and_lets_nobody_wait_gets_all() -> None:
    code = (
        "import os\nfrom autograder.cli.printing import printing\nos.set_blocking(1, False)\n"
        "with printing():\n    for _ in range(4000):\n        print('x' * 99)\n"
        "    raise SystemExit(0)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        time.sleep(0.5)  # until the pipe is full
        assert len(writer.stdout.read()) == 400_000
    assert writer.returncode == 0


@pytest.mark.parametrize("behind_a_link", [False, True])
def test_no_file_takes_the_place_of_a_pipe(behind_a_link: bool, tmp_path: Path) -> None:
    """Nor of a device, as /dev/null is."""
    found = load_assignment(NAME)
    Recorder(tmp_path, [found]).record(give(tmp_path, "ada", all_of("right")))
    os.mkfifo(tmp_path / "pipe")
    output = tmp_path / "pipe"
    if behind_a_link:  # as /dev/stdout is
        output = tmp_path / "link"
        output.symlink_to("pipe")
    for command in (
        ["export", NAME, "--course", str(tmp_path)],
        ["export", NAME, "--course", str(tmp_path), "--to", "feedback"],
        ["bundle", "gradescope", NAME],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "autograder", *command, "--output", str(output)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert f"{output} is a device or a pipe" in done.stderr
    assert (tmp_path / "pipe").is_fifo()
    assert output.is_symlink() == behind_a_link


@pytest.mark.slow
def test_what_needs_no_cage_works_without_unix(tmp_path: Path) -> None:
    found = load_assignment(NAME)
    give(tmp_path, "ada", all_of("right"))
    result = Store(tmp_path).load(NAME, "ada")
    assert result is not None
    Recorder(tmp_path, [found]).record(result)
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(found.release, f"Ben B_12_assignsubmission_file_/{NAME}.ipynb")
    commands = [
        "--help",
        *(f"{verb} --help" for verb in ("grade", "report", "export", "collect", "explain")),
        f"report {NAME} --course {tmp_path}",
        f"export {NAME} --course {tmp_path}",
        f"export {NAME} --course {tmp_path} --to gradescope",
        f"export {NAME} --course {tmp_path} --to feedback",
        f"collect {NAME} {archive} --course {tmp_path}",
        f"explain {NAME} ada --course {tmp_path}",
        f"grade {NAME} --course {tmp_path}",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    said = ran.stdout + ran.stderr
    codes = [line for line in ran.stdout.splitlines() if line.startswith("exit")]
    assert codes == ["exit 0"] * (len(commands) - 1) + ["exit 2"], said
    for words in ("this needs Linux", "as recorded", "1 submissions written", "1 pages in"):
        assert words in said, said


@pytest.mark.slow
def test_an_interrupted_run_answers_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    found = load_assignment("backprop")
    release = json.loads(found.release.read_text(encoding="utf-8"))
    sleeps = demo.filled(release, {"mse_loss": "import time\ntime.sleep(1000)\n"})
    for student in ("ada", "ben"):
        path = tmp_path / "submitted" / student / "backprop" / "backprop.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(sleeps), encoding="utf-8")
    command = [sys.executable, "-m", "autograder", "grade", "backprop", "--jobs", "1"]
    with adopting() as all_ended:
        running = subprocess.Popen(
            [*command, "--course", str(tmp_path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and running.poll() is None and not _caged(running.pid):
            time.sleep(0.5)
        assert running.poll() is None, running.communicate()[1]
        assert _caged(running.pid), "no judge began"
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=120)
        all_ended()
    assert running.returncode == 130, said
    assert "stopping, what is graded so far is recorded; the same command goes on" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("results/*/*.json"))


def _caged(grader: int) -> bool:
    """Whether a judge of the grader's has begun to make its cage."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"bwrap" in command and _descends(path.parent, grader):
            return True
    return False


def _descends(process: Path, grader: int) -> bool:
    while process.name not in ("0", "1"):
        if int(process.name) == grader:
            return True
        try:
            status = (process / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return False
        process = Path("/proc", status[1].decode())
    return False


def test_what_is_printed_beside_a_bar_goes_into_the_file_that_it_is_sent_to(tmp_path: Path) -> None:
    code = (
        "from autograder.cli.terminal import progress_bar\nwith progress_bar(False): print('told')"
    )
    terminal, end = os.openpty()
    with (tmp_path / "out").open("wb") as file:
        here = os.environ | {"TERM": "xterm"}
        subprocess.run([sys.executable, "-c", code], stdout=file, stderr=end, env=here, check=True)
    os.close(end)
    os.close(terminal)
    assert (tmp_path / "out").read_text() == "told\n"


def test_what_takes_seconds_is_said_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    code = "from autograder.cli.terminal import working\nwith working('reading'): pass\n"
    terminal, end = os.openpty()
    here = os.environ | {"TERM": "xterm"}
    command = [sys.executable, "-c", code]
    subprocess.run(command, stderr=end, env=here, check=True)
    os.close(end)
    assert "reading" in os.read(terminal, 10_000).decode()
    os.close(terminal)
    quiet = subprocess.run(command, capture_output=True, env=here, check=True)
    assert (quiet.stdout, quiet.stderr) == (b"", b"")


@pytest.mark.parametrize("verb", ["grade", "export", "bundle student"])
def test_help_fills_the_lines_of_a_narrow_terminal(verb: str) -> None:
    """Each line of a docstring was a paragraph of its own: long and short lines took turns."""
    command = [sys.executable, "-m", "autograder", *verb.split(), "--help"]
    environment = os.environ | {"COLUMNS": "80"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    text = "\n".join(line.strip() for line in said.stdout.partition("╭")[0].splitlines())
    for paragraph in text.strip().split("\n\n"):
        for line, following in itertools.pairwise(paragraph.splitlines()):
            assert len(f" {line} {following.split()[0]} ") > 80, paragraph
