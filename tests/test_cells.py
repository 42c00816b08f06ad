"""A cell runs at grading as it ran in its student's kernel, and each statement fails alone."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from coursekit import StudentError

from autograder.course import Cell, load_assignment
from autograder.judging.student import Student
from autograder.sandbox import protocol
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside import cells, state
from autograder.sandbox.inside.wire import encode
from autograder.sandbox.protocol import InProcess
from autograder.sandbox.transport import Caged

ANSWER = "def answer(x=1):\n    return x + 41\n"
LABEL = "the cell of answer"
OF_A_CHECK = {"op": "run", "source": "Own = dict", "label": "the check's own"}
"""What a check has run, beside what the cells made."""


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What cells set in this very process does not outlive a test; nobody answers them."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with state.undisturbed():
        yield


def after(*sources: str) -> InProcess:
    return InProcess([Cell(f"cell {n}", source) for n, source in enumerate(sources, 1)])


def names(*sources: str) -> dict[str, Any]:
    return after(*sources).session.namespace


def said(*sources: str) -> list[str]:
    return [failure.sentence for failure in after(*sources).failures]


# ---------------------------------------------------------------------- what IPython reads

AROUND = {
    "nothing": "{}",
    "%%time": "%%time\n{}",
    "%%timeit": "%%timeit -n 1 -r 1\n{}",
    "%%capture": "%%capture\n{}",
    "%%prun": "%%prun -s cumulative\n{}",
    "two cell magics": "\n%%capture out\n%%time\n\n{}",
    "a line magic": "%matplotlib inline\n{}",
    "a magic after it": "{}\n%time answer()\n",
    "a shell line": "!pip install something\n{}",
    "a shell line over two": "!pip install \\\n   something\n{}",
    "a shell line's output": "files = !ls -l\n{}\nn = len(files)",
    "a magic's value": "{}\nt = %timeit -n 1 -o answer()\nratio = t.average / t.best",
    "a question": "{}\nanswer?\nanswer??\n?answer",
    "a question in a docstring": '{}\n"""Is it so?\nReally?"""\n%matplotlib inline',
    "get_ipython": "get_ipython().run_line_magic('matplotlib', 'inline')\n{}",
    "other doors of the shell": "get_ipython().events.register('post_run_cell', print)\n{}",
    "top-level await": "import asyncio\nawait asyncio.sleep(0)\n{}",
    "prompts": ">>> y = 1\n{}",
    "U+2028 in a string": "words = 'one\u2028%two?'\n{}\n%matplotlib inline",
    "a form feed": "a = 1\n\x0c\n{}\n%matplotlib inline",
    "display": "display(answer) if 'answer' in globals() else display()\n{}",
    "check, summary": "{}\ncheck('answer')\nsummary()\n",
    "demo": "with demo():\n    1 / 0\n{}",
    "help and exit": "{}\nhelp(answer)\nexit()",
    "a try-out that stops": '1 / 0\n{}\nanswer("one")',
    "a module that is not there": "import seaborn_of_my_own\n{}",
    "a return": "{}\nreturn 3",
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_only_ipython_reads_never_costs_the_answer(around: str) -> None:
    source = around.replace("{}", ANSWER) if ">>>" not in around else f">>> y = 1\n{ANSWER}"
    found = names(source)
    assert found["answer"]() == 42


def test_a_cell_indented_as_a_whole_is_read() -> None:
    indented = "".join(f"    {line}\n" for line in ANSWER.splitlines())
    assert names(f"\n\n{indented}    y = answer()\n")["y"] == 42
    assert names(f"{indented}    %time y = answer()\n")["y"] == 42


def test_values_of_magics_are_there() -> None:
    found = names(
        "%%capture out\nx = 1",
        "files = !ls",
        "%time y = 2\nz = %time 1 + 2",
        "%env MY_VARIABLE=3\nvariable = %env MY_VARIABLE",
        "from IPython import get_ipython\nshell = get_ipython()\nshell.config",
        "%pylab\narea = pi",
        "3 + 4\n",
        "last = _",
    )
    assert found["out"].stdout == ""
    assert (found["x"], found["files"], found["y"], found["z"]) == (1, [], 2, 3)
    assert found["variable"] == "3"
    assert found["shell"] is not None
    assert found["area"] == np.pi
    assert found["last"] == 7


def test_what_a_cell_writes_can_be_imported(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere", *__import__("sys").path, ""])
    found = names("%%writefile of_my_own.py\nvalue = 5\n", "from of_my_own import value")
    assert found["value"] == 5


def test_modules_that_cells_write_are_there_in_the_cage(cage: Cage) -> None:
    """One after the other, within one tick of the clock."""
    cells = [
        f"with open('own{n}.py', 'w') as file:\n    file.write('value = {n}')\n"
        f"from own{n} import value as v{n}"
        for n in range(20)
    ]
    cells.append("import os\nos.mkdir('more')\nopen('more/__init__.py', 'w').write('a = 1')")
    code = [Cell("c", one) for one in [*cells, "import more\ndef mse_loss(y, x):\n    return v19"]]
    caged = Caged(cage, load_assignment("backprop"), code)
    caged.begin("mse_loss", 1)
    caged.close()
    assert [failure.sentence for failure in caged.failures] == []


def test_what_is_shown_can_be_brought_up_to_date() -> None:
    """As a training shows how far it is; else the answer stops."""
    found = names(
        "from IPython.display import display as shown",
        "for one in (display, shown):\n    one(3, display_id=True).update(4)\nnone = display(3)",
    )
    assert (found["one"], found["none"]) == (found["shown"], None)
    assert said("from IPython.display import display\ndisplay(3, display_id='a').update(4)") == []


def test_what_ipython_offers_is_ours_in_functions_and_own_modules_too(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They ask for it when they are called: by a check, say."""
    monkeypatch.chdir(tmp_path)
    found = names(
        "%%writefile shows.py\nfrom IPython.display import display\n"
        "def shown(x):\n    return display(x, display_id=True)\n",
        "def answer(x=1):\n"
        "    from IPython.core.getipython import get_ipython\n"
        "    from IPython.display import display\n"
        "    get_ipython().run_line_magic('matplotlib', 'inline')\n"
        "    display(x, display_id=True).update(4)\n    return x + 41\n",
        "import shows\nshows.shown(3).update(4)\nz = answer()",
    )
    assert (found["z"], found["answer"]()) == (42, 42)


@pytest.mark.parametrize(
    "line", ["mine.py", "mine", "'mine.py'", "-i mine.py", "-n -i mine", "mine.py -v 3"]
)
def test_what_a_cell_writes_can_be_run(
    line: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert names("x = 2", "%%writefile mine.py\nvalue = x + 3\n", f"%run {line}")["value"] == 5


@pytest.mark.parametrize("line", ["mine.py 3 'a b'", "-i mine 3 'a b'"])
def test_what_is_run_has_its_arguments_and_may_end_itself(
    line: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = "%%writefile mine.py\nimport sys\ngiven = sys.argv\nsys.exit()\n"
    transport = after(program, f"%run {line}", "import sys\nafterwards = sys.argv")
    found = transport.session.namespace
    assert transport.failures == []
    assert found["given"] == [line.removeprefix("-i ").split()[0], "3", "a b"]
    assert found["afterwards"] == sys.argv


@pytest.mark.parametrize("line", ["!mkdir -p best more/of_it", "%mkdir best more/of_it"])
def test_folders_of_the_shell_are_there(
    line: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer may keep its best network in one."""
    monkeypatch.chdir(tmp_path)
    assert after(line, "!mkdir {1 + 1} && touch x", "!mkdir best/a/../../tests; ls").failures == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["best", "more", "of_it"]


@pytest.mark.parametrize(
    ("cell", "left_out"),
    [
        ("pip install -q something", ["%pip install -q something"]),
        ("\nls\n", ["%ls"]),
        ("matplotlib inline;", ["%matplotlib inline;"]),
        ("time = 3", []),
        ("who, run = 1, 2", []),
        ("time.sleep(0)", []),
    ],
)
def test_a_magic_alone_in_its_cell_needs_no_sign(cell: str, left_out: list[str]) -> None:
    transport = after("import time")
    run = protocol.run_cell(transport.ask, Cell("c", cell))
    assert (run.failures, run.skipped) == ([], left_out)


def test_a_name_of_the_notebook_is_no_magic() -> None:
    found = names(
        "time x = 4", "ls = [1, 2]", "ls", "last = _", f"time {ANSWER.replace(chr(10), '')}"
    )
    assert (found["x"], found["last"], found["answer"]()) == (4, [1, 2], 42)


def test_magics_of_the_notebook_s_own_run() -> None:
    found = names(
        "from IPython.core.magic import register_cell_magic, register_line_cell_magic\n"
        "@register_cell_magic\n"
        "def unless(line, cell):\n    eval(line) or get_ipython().run_cell(cell)\n"
        "@register_line_cell_magic\n"
        "def double(line, cell=None):\n    return 2 * eval(line if cell is None else cell)\n"
        "get_ipython().register_magic_function(get_ipython().ex, magic_name='do')",
        f"%%unless 1 > 2\n{ANSWER}",
        "%%unless 1 < 2\ndef answer():\n    return 0",
        "y = %double 3",
        "%%double\n4",
        "z = _",
        "%do w = 5",
    )
    assert (found["answer"](), found["y"], found["z"], found["w"]) == (42, 6, 8, 5)


def test_left_out_lines_are_named() -> None:
    transport = InProcess([])

    run = protocol.run_cell(transport.ask, Cell("c", "!rm -rf x\n%load_ext a\nx?"))
    assert run.skipped == ["!rm -rf x", "%load_ext a", "x?"]
    assert protocol.run_cell(transport.ask, Cell("c", "%%bash\nls")).skipped == ["%%bash"]


def test_python_as_it_stands_is_never_touched() -> None:
    found = names("x = 7 % 4\ns = '''\n%time\n!ls\nwhat?\n'''\n")
    assert found["x"] == 3
    assert found["s"] == "\n%time\n!ls\nwhat?\n"


def test_a_module_that_is_not_there_costs_none_beside_it() -> None:
    cell = f"import nothing_of_the_kind, math as m, statistics as s\n{ANSWER}"
    found = names(cell)
    assert (found["m"].pi, found["s"].mean([1, 3])) == (np.pi, 2)
    assert said(cell) == [
        "cell 1 imports nothing_of_the_kind in line 1, which is not there at grading; "
        "the rest of the cell counts"
    ]


def test_future_imports_hold_from_cell_to_cell() -> None:
    found = names("from __future__ import annotations", "def f(x: NotThere) -> None: ...")
    assert found["f"].__annotations__["x"] == "NotThere"


def test_a_stub_module_leaves_ipython_importable() -> None:
    assert cells.read("%time\n", "<c>")
    import IPython

    assert IPython.version_info


# ---------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            f"{ANSWER}\nanswer('one')\ny = 3",
            "cell 1 stopped with TypeError in line 2; the function above it counts",
        ),
        (
            "x = 1 / 0\n",
            "cell 1 stopped with ZeroDivisionError in line 1; the rest of the cell counts",
        ),
        (
            "\n\ndef f(:\n    pass",
            "cell 1 stopped with SyntaxError in line 3: invalid syntax",
        ),
        ("%time\nx = (1\n", "cell 1 stopped with SyntaxError in line 2: '(' was never closed"),
        (
            f"{ANSWER}return 1",
            "cell 1 stopped with SyntaxError in line 3: 'return' outside function; "
            "the function above it counts",
        ),
        (
            f"{ANSWER}import my_helpers.deep\n",
            "cell 1 imports my_helpers in line 3, which is not there at grading; "
            "the function above it counts",
        ),
        (
            "import numpy as np\ndata = np.load('mine.npy')\n",
            "cell 1 reads mine.npy in line 2; files beside the notebook are not there at grading; "
            "the rest of the cell counts",
        ),
        (
            "nothing = None\nraise FileNotFoundError('of no name')\n",
            "cell 1 stopped with FileNotFoundError in line 2; the rest of the cell counts",
        ),
        (
            "import subprocess\nsubprocess.run(['no_such_program', '-l'])\n",
            "cell 1 starts another program in line 2, which is not there at grading; the rest of",
        ),
        (
            f"{ANSWER}import torch\nm = torch.nn.Linear(1, 1).to('cuda')",
            "cell 1 asks for a GPU in line 4, and the grader has none; "
            "the function above it counts",
        ),
        (
            f"{ANSWER}name = input('Your name? ')",
            "cell 1 asks for input in line 3, and at grading nobody answers; the function above",
        ),
        (
            "y = 2 * z",
            "cell 1 stopped with NameError in line 1: z is not defined; the rest of the cell",
        ),
        ("raise type('Secret', (ValueError,), {})", "cell 1 stopped with ValueError in line 1"),
    ],
)
def test_what_stopped_is_said_with_its_place(source: str, words: str) -> None:
    (sentence,) = said(source)
    assert sentence.startswith(words)


def test_the_line_is_of_the_cell_that_ran_whatever_function_it_called() -> None:
    """The first cell's line 3 is no line of the second one."""
    first, second = "def f(a):\n\n    return a / 0\n", "x = 1\nf(x)"
    assert said(first, second)[0].startswith("cell 2 stopped with ZeroDivisionError in line 2")


@pytest.mark.parametrize("wanted", ["numpy." + "A" * 1_000_000, "numpy.\n[INFO] 100 points"])
@pytest.mark.parametrize("kind", ["ModuleNotFoundError", "FileNotFoundError", "SyntaxError"])
def test_what_stopped_is_one_short_line_whatever_a_worker_says(kind: str, wanted: str) -> None:
    """It stands in results, on pages and in logs."""
    failure = {"ok": False, "type": kind, "wanted": wanted, "text": wanted}
    reply = encode({"ok": True, "statements": [(1, 1, True)], "stopped": {"0": failure}})
    cell = Cell("cell 7", f"import numpy.nothing\n# {wanted}\n")
    (found,) = protocol.run_cell(lambda request: reply, cell).failures
    assert len(found.sentence) < 400
    assert "\n" not in found.sentence


@pytest.mark.parametrize(
    "source",
    [
        "!pip install \\\n   x\n1 / 0",
        "%time \\\n  x = 3\n\n1 / 0",
        "a = !ls \\\n  -l \\\n  -a\nb = 2\n1 / 0",
        "%%time\n\n!x \\\n y\ndef f(:",
        "    !ls \\\n    x\n    1 / 0",
        "x = 1\nx?\ns = '''a\nb'''\n!ls \\\n x\n1 / 0",
        "s = '''\n%ls \\\n x'''\nassert s == '\\n%ls  x'\n%pwd\n1 / 0",
    ],
)
def test_a_line_has_its_number_whatever_ipython_joins_above_it(source: str) -> None:
    (sentence,) = said(source)
    assert f" in line {source.count(chr(10)) + 1}" in sentence


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("def first[T](x: T) -> T:\n    return x", (3, 12)),
        ("x = {'a': 1}\ns = f'{x['a']}'", (3, 12)),
        ("type Pair = tuple[int, int]", (3, 12)),
        ("class Box[T = int]: pass", (3, 13)),
        ("try:\n    pass\nexcept ValueError, TypeError:\n    pass", (3, 14)),
        ("t'{1}'", (3, 14)),
        ("x = = 1", (3, 0)),
    ],
)
def test_newer_syntax_is_said_as_that(source: str, version: tuple[int, int]) -> None:
    try:
        compile(source, "<c>", "exec")
    except SyntaxError as error:
        found = protocol.newer_python(source, str(error.msg), error.lineno or 0)
        assert found == version
        (sentence,) = said(source)
        needs = f"needs Python {version[0]}.{version[1]} in line {error.lineno}, and the grader"
        assert (needs in sentence) == (version > (3, 0))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "import nothing_of_the_kind\n@nothing_of_the_kind.x\n" + ANSWER,
            "because the cell of answer imports nothing_of_the_kind in line 1, which is not there",
        ),
        (
            "x = 1 / 0\ny = x + 1\n@y\n" + ANSWER,
            "because the cell of answer stopped with ZeroDivisionError in line 1",
        ),
        ("a, answer = 1, 2, 3", "because the cell of answer stopped with ValueError in line 1"),
        ("answer: int = 1 / 0", "because the cell of answer stopped with ZeroDivisionError in"),
        (
            "from my_helpers import answer",
            "because the cell of answer imports my_helpers in line 1",
        ),
        ("def answer(x:\n    return x", "because the cell of answer stopped with SyntaxError in"),
    ],
)
def test_why_a_name_is_missing_is_said_with_the_statement(source: str, words: str) -> None:
    assert missing(source).startswith(f"is not defined, {words}")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "; the cell of answer stopped with ZeroDivisionError in line 1"),
        ("x = 1\n\ny = 2 * z\nw = 3", "; the cell of answer stopped with NameError in line 3: z"),
        ("assert answer == 1", "; the cell of answer stopped with NameError in line 1: answer is"),
        ("import my_helpers", "; the cell of answer imports my_helpers in line 1"),
        ("1 / 0\ndef answers(x):\n    return x", ", but answers is; the cell of answer stopped"),
        ("%%bash\n" + ANSWER, ": the cell of answer begins with %%bash, which does not run it"),
        ("%%script false\n" + ANSWER, ": the cell of answer begins with %%script, which does"),
        ('text = """\n' + ANSWER + '\n"""', ""),
        ("x = 1", ""),
    ],
)
def test_what_stopped_beside_is_not_called_the_cause(source: str, words: str) -> None:
    said = missing(source)
    assert said.startswith(f"is not defined{words}")
    assert "because" not in said


def missing(source: str) -> str:
    """What is said of `answer` after a cell that does not define it."""
    student = Student(InProcess([Cell(LABEL, source)]))
    student.begin("answer", 0)
    with pytest.raises(StudentError) as raised:
        student.answer()
    return raised.value.text


# ------------------------------------------------------------------------------- state


@pytest.mark.usefixtures("apart")
def test_what_a_notebook_sets_is_as_a_check_expects_it() -> None:
    transport = after(
        "import os, random, warnings\nimport numpy as np\nimport torch\nimport matplotlib",
        "torch.set_default_device('meta')",
        "torch.set_default_dtype(torch.float64)",
        "torch.set_grad_enabled(False)",
        "mode = torch.inference_mode()\nmode.__enter__()",
        "torch.use_deterministic_algorithms(True)",
        "torch.set_num_threads(2)",
        "torch.autograd.set_detect_anomaly(True)",
        "torch.autocast('cpu').__enter__()",
        "np.seterr(all='raise')",
        "np.set_printoptions(precision=2)",
        "warnings.filterwarnings('error')",
        "os.environ['ANYTHING'] = '1'",
        "os.chdir('/')",
        "matplotlib.use('svg')",
        "def seen():\n"
        "    return (torch.ones(1).device.type, torch.ones(1).dtype == torch.float32,\n"
        "            torch.is_grad_enabled(), torch.is_inference_mode_enabled(),\n"
        "            torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled(),\n"
        "            torch.is_autocast_enabled('cpu'),\n"
        "            torch.get_num_threads(), np.geterr()['over'], str(np.float64(1) / 3),\n"
        "            os.environ.get('ANYTHING'), os.getcwd() != '/',\n"
        "            matplotlib.get_backend() != 'svg', random.random(), np.random.random())",
    )
    assert transport.failures == []
    student = Student(transport)
    student.begin("answer", 3)
    first = student.seen()
    assert first[:10] == (
        *("cpu", True, True, False, False, False, False),
        *(torch.get_num_threads(), "warn", str(np.float64(1) / 3)),
    )
    assert first[10:13] == ("1", True, True)
    student.begin("answer", 3)
    assert student.seen() == first


@pytest.mark.usefixtures("apart")
def test_what_the_cells_wrote_and_named_is_found_by_their_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in a folder of one's own, a variable of the environment: on the desk both are."""
    monkeypatch.chdir(tmp_path)
    transport = after(
        "import os\nos.makedirs('mine/deep')\nos.chdir('mine')",
        "from pathlib import Path\nPath('weight.txt').write_text('2.5')\nos.environ['SCALE'] = '2'",
        "def answer():\n    os.environ['SCALE'], scale = '7', os.environ['SCALE']\n"
        "    weight = Path('weight.txt').read_text()\n    os.chdir('deep')\n"
        "    return float(weight) * float(scale)",
    )
    student = Student(transport)
    for _ in range(2):
        student.begin("answer", 0)
        student.request(OF_A_CHECK)
        assert student.answer() == 5.0


def test_a_global_that_a_call_changed_is_not_the_next_check_s() -> None:
    """A wrong exercise that overwrites what all stand on costs its own points alone."""
    source = (
        "import numpy as np\nSEEN = []\n"
        "def wrong():\n    global np, late\n    np, late = None, 1\n    del globals()['right']\n"
        "    SEEN.append(1)\n    return 0\n"
        "def right():\n    return np.size([1, 2]), 'late' in globals()"
    )
    student = Student(after(source))
    student.begin("wrong", 0)
    assert student.wrong() == 0
    student.request(OF_A_CHECK)
    assert student.Own() == {}
    student.begin("right", 0)
    assert student.right() == (2, False)


def test_a_device_that_is_not_there_costs_its_own_statements_alone() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    found = after(
        "import torch\ntorch.set_default_device('cuda')",
        "GRID = torch.linspace(0, 1, 5)",
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\nx = torch.ones(2, device=device)",
        "torch.ones(1).cuda()",
        "def f():\n    return torch.ones(1, device='cuda')",
    )
    assert {"GRID", "x"} <= found.session.namespace.keys()
    assert [one.cell.label for one in found.failures] == ["cell 4"]
    student = Student(found)
    student.begin("f", 0)
    with pytest.raises(StudentError, match=r"asks for a GPU in line 2 of cell 5, and the grader"):
        student.f()


def test_functions_and_classes_of_a_notebook_can_be_pickled() -> None:
    found = after(
        "import pickle",
        "class Point:\n    x = 3",
        "def copy():\n    return pickle.loads(pickle.dumps(Point())).x",
        "there = pickle.loads(pickle.dumps(copy)) is copy",
    )
    assert found.failures == []
    student = Student(found)
    student.begin("copy", 0)
    assert student.copy() == 3
    assert pickle is not None


def test_torch_compile_does_nothing() -> None:
    found = names(
        "import torch\n@torch.compile\ndef f(x):\n    return 2 * x",
        "@torch.compile(mode='default')\ndef g(x):\n    return 3 * x",
        "m = torch.compile(torch.nn.Linear(2, 2))\nm.compile()\ny = m(torch.ones(2))",
    )
    assert (found["f"](1), found["g"](1)) == (2, 3)
    assert found["y"].shape == (2,)


# ---------------------------------------------------------------------------- in the cage

PARALLEL = {
    "a pool": (
        "import multiprocessing\ndef square(n):\n    return n * n\n"
        "def answer():\n    with multiprocessing.Pool(2) as pool:\n"
        "        return sum(pool.map(square, range(4)))"
    ),
    "an executor": (
        "from concurrent.futures import ProcessPoolExecutor\ndef square(n):\n    return n * n\n"
        "def answer():\n    with ProcessPoolExecutor(2) as pool:\n"
        "        return sum(pool.map(square, range(4)))"
    ),
    "a loader": (
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "def answer():\n    data = TensorDataset(torch.arange(4.0) ** 2)\n"
        "    loader = DataLoader(data, batch_size=2, num_workers=2)\n"
        "    return sum(int(x.sum()) for (x,) in loader)"
    ),
}


@pytest.mark.parametrize("source", PARALLEL.values(), ids=PARALLEL)
def test_several_processes_work_as_in_a_kernel(cage: Cage, source: str) -> None:
    worked = caged(cage, source)
    try:
        assert worked.failures == []
        student = Student(worked)
        student.begin("activations", 0)
        assert student.answer() == 14
    finally:
        worked.close()


def caged(cage: Cage, *sources: str) -> Caged:
    found = [Cell(f"cell {n}", source) for n, source in enumerate(sources, 1)]
    worked = Caged(cage, load_assignment("backprop"), found)
    worked.begin("activations", 0)
    return worked


@pytest.mark.parametrize(
    "slip",
    [
        *("np.random.seed = 42", "random.seed = 42", "torch.manual_seed = 42"),
        *("warnings.simplefilter = 'ignore'", "warnings.filters = 'ignore'"),
        *("np.random = np.random.default_rng(0)", "matplotlib.rcParams = {'font.size': 14}"),
        "np.random.set_bit_generator(np.random.PCG64(1))",
        *("os.environ = 'OMP_NUM_THREADS=1'", "os.chdir = 'data'", "os.path = 'data'"),
    ],
)
def test_what_a_cell_overwrites_by_a_slip_of_the_pen_costs_no_exercise(
    cage: Cage, slip: str
) -> None:
    """An equals sign where a call was meant: no check needs the function that was there. Nor does
    one need NumPy's usual generator."""
    source = (
        "import os, random, warnings\nimport matplotlib\nimport numpy as np\nimport torch\n"
        f"draw = np.random.random\n{slip}"
    )
    drawn = "def drawn():\n    return draw(), random.random(), torch.rand(1).item()"
    worked = caged(cage, source, ANSWER + drawn)
    try:
        assert worked.failures == []
        student, found = Student(worked), []
        for _ in range(2):
            student.begin("activations", 3)
            assert student.answer() == 42
            found.append(student.drawn())
        assert found[0] == found[1]
    finally:
        worked.close()


def test_a_statement_without_an_end_costs_itself_alone(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "CELL_SECONDS", 0.3)
    source = f"{ANSWER}\nwhile True:\n    pass\ny = answer()\nimport os; os._exit(3)\nz = y"
    worked = caged(cage, source, "late = z + 1")
    try:
        student = Student(worked)
        student.begin("activations", 0)
        assert student.answer(1) == 42
        assert worked.ask(encode({"op": "run", "source": "late", "label": "l"}))
        assert [failure.sentence for failure in worked.failures] == [
            "cell 1: line 4 took more than 0.3 s and was not finished; "
            "the function above it counts",
            "cell 1: line 7 ended the Python process instead of returning; "
            "the function above it counts",
        ]
    finally:
        worked.close()


def test_definitions_run_in_one_request_and_fail_alone(cage: Cage) -> None:
    ends = "class Deadly(list):\n    def __init_subclass__(cls):\n        import os; os._exit(3)"
    source = f"{ends}\nclass Heir(Deadly): pass\nx = absent\ndef answer():\n    return 42"
    worked = caged(cage, "import math\nx = math.pi", source)
    try:
        student = Student(worked)
        student.begin("activations", 0)
        assert student.answer() == 42
        assert [failure.why for failure in worked.failures] == [
            "ended the Python process instead of returning",
            "stopped with NameError in line 5: absent is not defined",
        ]
        worked.renew()
        worked.begin("activations", 0)
        assert worked.asked == 1 + 1 + 3  # one cell; the other one read, and what does not end it
    finally:
        worked.close()


def test_a_cell_with_very_many_statements_is_run(cage: Cage) -> None:
    many = "\n".join(f"x{n} = {n}" for n in range(cells.MAX_STATEMENTS + 50))
    worked = caged(cage, many, "def answer():\n    return x249")
    try:
        student = Student(worked)
        student.begin("activations", 0)
        assert student.answer() == 249
    finally:
        worked.close()


def test_slow_tryouts_leave_the_answers_after_them(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "CELL_SECONDS", 0.2)
    monkeypatch.setattr("autograder.sandbox.transport.ALL_CELLS_SECONDS", 0.3)
    monkeypatch.setattr("autograder.sandbox.transport.LATE_SECONDS", 0.1)
    slow = ["while True:\n    pass"] * 8
    first = "import torch\nfrom dataclasses import dataclass, field"
    data = "@dataclass\nclass Data:\n    list: list = field(default_factory=list)\nSIZE = 41"
    answer = "@torch.no_grad()\ndef answer(x=int(1)):\n    return x + SIZE + len(Data().list)"
    worked = caged(cage, first, *slow, data, answer)
    try:
        student = Student(worked)
        student.begin("activations", 0)
        assert student.answer() == 42
    finally:
        worked.close()
