"""A right notebook earns everything, whichever tool saved it and whatever stands around it.

The shapes are made here, after what each tool writes. The cells are decorated with what only
IPython reads, with state that a notebook sets, and with try-outs that stop.
"""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from coursekit.ipynb import same_text

from autograder.authoring.demo import filled
from autograder.course import ROOT, Assignment, Cell, course, load_assignment
from autograder.judging.answers import GIVEN, reference_code, setup_code
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.judging.submission import read_submission
from autograder.sandbox.cage import Cage
from autograder.sandbox.inside import cells as kit
from autograder.sandbox.inside import state
from autograder.sandbox.transport import Caged

Notebook = dict[str, Any]
AROUND = [
    "%%time\n%%prun -s cumulative\n{}\nimport seaborn_of_my_own.deep as sns\nsns.set()\n1 / 0\n"
    "await_me = 3\nimport asyncio\nawait asyncio.sleep(0)",
    "%%capture out\n%%timeit -n 1 -r 1\n{}\ncheck('{name}')\n"
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "%matplotlib inline\n!pip install numpy \\\n   torch\n{}\nfiles = !ls\n"
    "t = %timeit -n 1 -o 1\n{name}?\n?{name}",
    "from __future__ import annotations\nwords = 'one\u2028two?'\n\x0c\n{}\n"
    '"""Is it so?\nReally?"""\n%matplotlib inline\n%pwd',
    "    %time here = 1\n    {}\n    with demo():\n        figures.nothing_of_the_kind()\n",
    "import pickle, torch\nfrom multiprocessing import Pool\n{}\n"
    "{name} = pickle.loads(pickle.dumps({name}))\n"
    "if not isinstance({name}, type):\n    {name} = torch.compile({name})\n"
    "with Pool(2) as workers:\n    sizes = workers.map(abs, [-1, 2])\ndisplay(sizes)\nsummary()",
]
"""What stands around an answer; the fifth indents it as a whole."""
STATE = (
    "import locale, os, random, warnings\nimport matplotlib\nimport numpy as np\nimport torch\n"
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "torch.set_default_device('mps')\ntorch.set_default_device('cuda')\n"
    "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\n"
    "mode = torch.inference_mode()\nmode.__enter__()\n"
    "torch.use_deterministic_algorithms(True)\ntorch.set_num_threads(2)\n"
    "np.seterr(all='raise')\nnp.set_printoptions(precision=2)\nrandom.seed(0)\n"
    "warnings.filterwarnings('error')\nlocale.setlocale(locale.LC_ALL, '')\n"
    "matplotlib.use('svg')\nos.environ['CUDA'] = '0'\nos.chdir('/')\n"
    "seen = sum(len(x) for (x,) in DataLoader(TensorDataset(torch.ones(4)), num_workers=2))\n"
    "model = torch.nn.Linear(1, 1).to('cuda')"
)


def around(template: str, assignment: Assignment, exercise: str) -> str:
    answer = reference_code(assignment, exercise).rstrip("\n")
    if template.startswith("    "):
        answer = answer.replace("\n", "\n    ")
    template = template.replace("{name}", assignment.exercise(exercise).defines[0])
    return template.replace("{}", answer)


def decorated(assignment: Assignment) -> Notebook:
    """The release with the reference's answers, and everything around them."""
    answers = {
        one.name: around(AROUND[number % len(AROUND)], assignment, one.name)
        for number, one in enumerate(assignment.exercises)
    }
    assert len(answers) >= len(AROUND)
    release = json.loads(assignment.release.read_text(encoding="utf-8"))
    notebook: Notebook = filled(release, answers)
    notebook["cells"].insert(3, nbformat.v4.new_code_cell(STATE))
    return notebook


def code(notebook: Notebook) -> Iterator[Notebook]:
    return (cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def lines(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        text = cell["source"]
        cell["source"] = (text if isinstance(text, str) else "".join(text)).split("\n")
        cell["source"] = [line + "\n" for line in cell["source"][:-1]] + cell["source"][-1:]


def colab(notebook: Notebook) -> None:
    lines(notebook)
    notebook["metadata"] = {"colab": {"provenance": []}, "accelerator": "GPU"}
    notebook |= {"nbformat": 4, "nbformat_minor": 0}
    for n, cell in enumerate(notebook["cells"]):
        cell.pop("id", None)
        cell["metadata"] |= {"id": f"Ab{n}", "colab": {"base_uri": "https://localhost"}}


def databricks(notebook: Notebook) -> None:
    notebook["metadata"] = {"application/vnd.databricks.v1+notebook": {"language": "python"}}
    for cell in notebook["cells"]:
        cell["metadata"]["application/vnd.databricks.v1+cell"] = {"cellMetadata": {}, "title": ""}
    notebook["cells"].append(cell_of("%sql select 1 from two"))


def deepnote(notebook: Notebook) -> None:
    notebook["metadata"] = {"deepnote": {}, "deepnote_execution_queue": []}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"cell_id": "0-1", "deepnote_cell_type": cell["cell_type"]}


def kaggle(notebook: Notebook) -> None:
    first = "import os\nfor folder, _, names in os.walk('/kaggle/input'):\n    print(folder, names)"
    notebook["cells"].insert(0, cell_of(first))
    for cell in notebook["cells"]:
        cell["metadata"] |= {"_uuid": "d629", "trusted": True, "execution": {}}


def vs_code(notebook: Notebook) -> None:
    lines(notebook)
    notebook["metadata"] = {"language_info": {"name": "python", "version": "3.13.1"}}
    for cell in code(notebook):
        cell["metadata"]["vscode"] = {"languageId": "python"}


def jupyterlite(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)"}
    notebook["cells"].insert(0, cell_of("%pip install -q scipy\nimport piplite\nawait piplite.x()"))


def outputs(notebook: Notebook) -> None:
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 2**18}}
    for cell in code(notebook):
        cell["outputs"] = [picture]


def null_metadata(notebook: Notebook) -> None:
    notebook["metadata"] = None
    for cell in notebook["cells"]:
        if not cell["metadata"].get("nbgrader"):
            cell["metadata"] = None


def version_3(notebook: Notebook) -> None:
    for cell in code(notebook):
        cell["input"] = cell.pop("source")
    notebook["worksheets"] = [{"cells": notebook.pop("cells"), "metadata": {}}]
    notebook |= {"nbformat": 3, "nbformat_minor": 0}


def no_nbgrader(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


def carriage_returns(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        text = cell["source"]
        text = text if isinstance(text, str) else "".join(text)
        cell["source"] = text.replace("\n", "\r\n")


def indented(notebook: Notebook) -> None:
    """As pasted from inside a class."""
    for cell in code(notebook):
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if text.startswith("fast"):
            cell["source"] = "    " + text.replace("\n", "\n    ")


SHAPES: dict[str, Callable[[Notebook], object]] = {
    "JupyterLab": lambda notebook: None,
    "Notebook 6": lines,
    "Colab": colab,
    "Databricks": databricks,
    "Deepnote": deepnote,
    "Kaggle": kaggle,
    "VS Code": vs_code,
    "JupyterLite": jupyterlite,
    "with pictures": outputs,
    "null metadata": null_metadata,
    "nbformat 3": version_3,
    "nbformat 5": lambda notebook: notebook.update(nbformat=5),
    "no version": lambda notebook: notebook.pop("nbformat"),
    "without nbgrader's metadata": no_nbgrader,
    "Windows' line ends": carriage_returns,
    "indented": indented,
}


def cell_of(source: str) -> Notebook:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}


def shaped(notebook: Notebook, shape: str) -> bytes:
    notebook = copy.deepcopy(notebook)
    SHAPES[shape](notebook)
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("name", course())
def test_a_notebook_is_read_alike_whoever_saved_it(name: str) -> None:
    """What runs of it in one shape runs in all, in the same order; some tools add cells."""
    assignment = load_assignment(name)
    notebook = decorated(assignment)

    def ran(shape: str) -> list[str]:
        submission = read_submission(shaped(notebook, shape), assignment)
        return [textwrap.dedent(same_text(cell.source)) for cell in submission.cells]

    wanted = ran("JupyterLab")
    assert any("torch.inference_mode" in source for source in wanted)
    for shape in SHAPES:
        left = iter(ran(shape))
        assert all(source in left for source in wanted), shape


@pytest.mark.parametrize("shape", SHAPES)
def test_a_decorated_notebook_runs_alike_whoever_saved_it(cage: Cage, shape: str) -> None:
    """Every name that is there in one shape is there in all. In the cage: its cells start pools and
    loaders, and forks of a process that has threads may wait for ever."""
    assignment = load_assignment("lennard_jones")
    submission = read_submission(shaped(decorated(assignment), shape), assignment)
    wanted = {name for exercise in assignment.exercises for name in exercise.defines}
    wanted |= {"fast", "files", "t", "out", "await_me", "words", "here", "sizes"}
    asks = Cell("the names", f"for name in {sorted(wanted)}:\n    globals()[name]")
    worked = Caged(cage, assignment, [*submission.cells, asks])
    try:
        worked.begin("lj_potential", 0)
    finally:
        worked.close()
    assert [one.why for one in worked.failures if one.cell is asks] == []


@pytest.mark.parametrize("name", ["backprop", "lennard_jones"])
def test_the_students_own_check_runs_what_the_grader_runs(name: str, tmp_path: Path) -> None:
    assignment = load_assignment(name)
    folder = shutil.copytree(assignment.release.parent, tmp_path / name)
    notebook, path = decorated(assignment), folder / f"{name}.ipynb"
    place = ROOT / "autograder" / "exchange" / "templates" / "bundle" / "check_submission.py"
    spec = importlib.util.spec_from_file_location("check_submission", place)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    setup = same_text(setup_code(assignment))
    for shape in SHAPES:
        path.write_bytes(shaped(notebook, shape))
        exercises = script.exercises_in(folder)
        cells, _ = script.read(path, folder)
        mine = [same_text(cell.source) for cell in cells if script.runs(cell, cells, exercises)]
        found = read_submission(path.read_bytes(), assignment)
        theirs = [same_text(cell.source) for cell in found.cells if cell.label not in GIVEN]
        helpers = [text for text in mine if text.startswith("# coursekit, figures.py")]
        assert [text for text in mine if text not in (setup, *helpers)] == theirs, shape


SAVED_BY = dict(zip(course(), itertools.islice(SHAPES, 2, None), strict=False))


@pytest.mark.slow
@pytest.mark.parametrize("name", course())
def test_a_decorated_notebook_earns_everything(cage: Cage, name: str) -> None:
    """In the cage; each assignment in a shape of its own, since all shapes run the same cells."""
    assignment = load_assignment(name)
    submission = read_submission(shaped(decorated(assignment), SAVED_BY[name]), assignment)
    worked = Caged(cage, assignment, submission.cells)
    try:
        results = Judge(assignment).judge(Student(worked), "shapes")
    finally:
        worked.close()
    lost = [
        (one.name, check.name, check.kind, check.message)
        for one in results
        if one.points < one.max_points
        for check in one.checks
        if check.outcome != "passed"
    ]
    assert lost == []


# ---------------------------------------------------------- against IPython's own kernel

CELLS = [
    *(
        template.replace("{}", "def answer():\n    return 42").replace("{name}", "answer")
        for template in AROUND[1:4:2]  # the others install, stop, or are indented
    ),
    "%time x = 3",
    "a, b = 1, 2\nfor i in range(3):\n    last = i",
    ">>> y = 4\n>>> z = 5",
    "In [1]: v = 6",
    "  p = 1\n  q = 2",
    "lines = !echo one\nhere = %pwd",
    "%%writefile of_this_test.py\nvalue = 1\n",
    "from of_this_test import value",
    "import asyncio\nasync def g():\n    return 3\nr = await g()",
    "class C:\n    '''what?\n    %d'''\n%matplotlib agg\nC?",
    "s = f'{1 % 2}' '%time'\n%time\nt2 = 1",
    "%env A_NAME=1\nu = %env A_NAME",
]


def test_every_name_that_a_cell_defines_in_a_kernel_is_defined_here(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shell = InteractiveShell()
    mine = kit.Kernel()
    shell.push({name: mine.namespace[name] for name in ("demo", "display", "summary", "check")})
    for number, source in enumerate(CELLS):
        before = set(shell.user_ns)
        shell.run_cell(source, silent=True)
        named = {name for name in set(shell.user_ns) - before if not name.startswith("_")}
        with state.undisturbed():
            for one in range(len(mine.read(source, f"cell {number}"))):
                try:
                    mine.run(f"cell {number}", one)
                except Exception:
                    continue
        assert named <= mine.namespace.keys(), f"cell {number}: {source!r}"
