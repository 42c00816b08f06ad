"""The notebooks as students and instructors run them, and the kit that comes with them."""

from __future__ import annotations

import functools
import linecache
import random
import re
import shutil
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toy_course
from coursekit import CheckFailed, StudentError, attribute, close, notebook, quiet, refuses
from coursekit.messages import describe
from toy_course import RIGHT

from autograder.authoring import merit
from autograder.authoring.demo import QUICK
from autograder.course import ROOT, Cell, course, load_assignment
from autograder.judging.answers import Answer, cells, reference_code
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.sandbox.inside import state
from autograder.sandbox.protocol import InProcess

ENDING = "hidden checks run at grading"
Check = Callable[[Any], Any]


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Puts `check` and `summary` into this process, with the public checks of a folder."""
    cached = (notebook._known, notebook._asked, notebook.slips.shipped)

    def put(folder: Path) -> None:
        monkeypatch.setattr(notebook, "__file__", str(folder / "coursekit" / "notebook.py"))
        for one in cached:
            one.cache_clear()

    yield put
    for one in cached:
        one.cache_clear()


@pytest.fixture
def kit(toy: Path, beside: Callable[[Path], None]) -> None:
    """With the made-up public checks."""
    beside(toy / "release" / "springs")


@pytest.fixture
def toy_kernels(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels in which the grader takes the made-up course for its own."""
    home = toy_course.ipython_home(tmp_path / "ipython", toy)
    monkeypatch.setenv("IPYTHONDIR", home)


def run(code: str, **names: Any) -> dict[str, Any]:
    """A namespace as a notebook's: the code of one cell has run in it."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "nn": torch.nn, **names}
    exec(compile(code, "<cell>", "exec"), namespace)
    return namespace


def call(function: str, namespace: dict[str, Any]) -> None:
    """Calls `check("…")` or `summary()` as a cell of the namespace does."""
    namespace |= {"check": notebook.check, "summary": notebook.summary, "demo": notebook.demo}
    exec(compile(function, "<cell below>", "exec"), namespace)


def test_the_guides_show_a_check_as_a_notebook_prints_it(
    beside: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    beside(ROOT / "release" / "backprop")
    monkeypatch.setattr(notebook.slips, "__file__", notebook.__file__)
    code = "def mse_loss(y_pred, y_true):\n    return np.sum((y_pred - y_true) ** 2)"
    call('check("mse_loss")', run(code))
    printed = capsys.readouterr().out
    for guide in ("bundle/README.md", "site/checks.md"):
        text = (ROOT / "autograder/exchange/templates" / guide).read_text(encoding="utf-8")
        assert f"\n{printed}```\n" in text, guide


# --------------------------------------------------------------------- whole notebooks


@pytest.mark.slow
def test_an_untouched_release_runs_through_and_says_what_is_left(toy: Path, tmp_path: Path) -> None:
    ran = toy_course.execute(toy / "release" / "springs", tmp_path)
    said = {name: toy_course.said(cell) for name, cell in ran.items()}
    for exercise in ("spring_force", "energies", "oscillator"):
        assert said[f"check_{exercise}"] == f"{exercise} is still to be written"
    again = "fill in its cell above, then run this one again."
    assert said["demo_force_line"] == f"spring_force is still to be written: {again}\n"
    assert said["demo_swing"] == f"Oscillator is still to be written: {again}\n"
    assert said["demo_again"].startswith("model is not there yet: run the cells above")
    assert "0 of 3 exercises written; 0 of 6 public checks passed" in said["demo_summary"]
    assert not [
        output
        for cell in ran.values()
        for output in cell.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("toy_kernels", "warm")
def test_the_source_runs_through_and_earns_everything(toy: Path, tmp_path: Path) -> None:
    ran = toy_course.execute(toy / "source" / "springs", tmp_path, alone=False)
    for exercise, points in (("spring_force", 6), ("energies", 4), ("oscillator", 5)):
        outputs = ran[f"check_{exercise}"].outputs
        assert [output.output_type for output in outputs] == ["display_data", "execute_result"]
        assert f"public checks passed; {ENDING}" in outputs[0].data["text/plain"]
        assert outputs[1].data["text/plain"] == f"{points}.0"
    assert toy_course.said(ran["demo_swing"]) == "position 1.0 after 10\n"
    assert "image/png" in ran["demo_force_line"].outputs[0].data
    assert "3 of 3 exercises written; 6 of 6 public" in toy_course.said(ran["demo_summary"])


ANSWERS = {
    "spring_force": """\
def spring_force(x, stiffness=1.0):
    import sys
    print("looking at", x, file=sys.stderr)
    return stiffness * x
""",
    "energies": """\
def kinetic(mass, speed):
    half = mass / 0
    return half


def potential(mass, height):
    return kinetic(mass, height)
""",
    "oscillator": RIGHT["oscillator"].replace(
        "return float(2 * torch.pi / self.frequency)",
        'raise NotImplementedError("still to be written")',
    ),
}


@pytest.mark.slow
@pytest.mark.usefixtures("warm")
def test_wrong_answers_get_messages_and_no_traceback(toy: Path, tmp_path: Path) -> None:
    ran = toy_course.execute(toy / "release" / "springs", tmp_path, ANSWERS)
    force = toy_course.said(ran["check_spring_force"])
    assert "looking at 0.5" in force
    assert "returned  1.5" in force
    assert "expected  -1.5" in force
    assert "hint      the size is right and the sign turned over" in force
    assert force.endswith(f"1 of 3 public checks passed; {ENDING}")
    energies = toy_course.said(ran["check_energies"])
    where = "stopped with ZeroDivisionError in line 2 of the cell of energies"
    assert energies.count(where) == 2
    assert energies.count("line      half = mass / 0") == 2
    assert "hint: kinetic never uses speed." in energies
    assert "Traceback" not in force + energies
    oscillator = toy_course.said(ran["check_oscillator"])
    assert "is still to be written" in oscillator
    assert {output.get("name") for output in ran["check_spring_force"].outputs} <= {"stdout", None}
    summary = toy_course.said(ran["demo_summary"])
    assert re.search(r"✗ spring_force +written +public checks: 1 of 3", summary)
    assert "looking at" not in summary


FORGETS = "def spring_force(x, stiffness=1.0):\n    return {}\n"
KINETIC = "def kinetic(mass, speed):\n    return 0.5 * mass * speed**2\n"


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (FORGETS.format("-x"), "hint: spring_force never uses stiffness."),
        (FORGETS.format("-stiffness * x"), ""),
        (FORGETS.format("(-stiffness * x,)"), ""),
        (FORGETS.format("-x") + KINETIC, ""),  # whose lines are counted would not be clear
        ("def spring_force(x, stiffness=1.0):\n    raise NotImplementedError\n", ""),
    ],
    ids=["said", "right", "wrong, and nothing to read", "two exercises in a cell", "unwritten"],
)
def test_a_failed_check_says_what_can_be_read_in_the_code(
    code: str, hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        linecache.cache, "<cell>", (len(code), None, code.splitlines(keepends=True), "<cell>")
    )
    call('check("spring_force")', run(code))
    said = capsys.readouterr().out
    assert hint in said
    assert bool(hint) == ("hint:" in said)


@pytest.mark.slow
@pytest.mark.usefixtures("warm")
def test_nbgrader_validate_quotes_what_check_says(toy: Path, tmp_path: Path) -> None:
    from nbgrader.validator import Validator

    reports = {}
    for name, answers in (("untouched", {}), ("half", HALF)):
        copy = tmp_path / name
        toy_course.fill(toy / "release" / "springs", copy, answers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reports[name] = Validator().validate(str(copy / "springs.ipynb")).get("failed", [])
    assert [one["source"] for one in reports["untouched"]] == [
        f'check("{name}")' for name in ("spring_force", "energies", "oscillator")
    ]
    assert "spring_force is still to be written" in reports["untouched"][0]["raw_error"]
    assert [one["source"] for one in reports["half"]] == [
        'check("spring_force")',
        'check("energies")',
    ]
    assert "the sign turned over" in reports["half"][0]["raw_error"]


HALF = RIGHT | {  # a wrong sign, a wrong energy, and noise that nbgrader would take for failure
    "spring_force": ANSWERS["spring_force"],
    "energies": "import sys\n"
    + RIGHT["energies"]
    .replace("return mass * height", "return mass + height")
    .replace("return 0.5", "print('noise', file=sys.stderr)\n    return 0.5"),
}


@pytest.mark.slow
@pytest.mark.usefixtures("toy_kernels", "warm")
def test_a_stock_nbgrader_gives_the_same_marks(toy: Path, tmp_path: Path) -> None:
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    root = tmp_path / "class"
    shutil.copytree(toy / "source", root / "source")
    handed_in = {"half": HALF, "nothing": {}}
    for student, answers in handed_in.items():
        place = root / "submitted" / student / "springs"
        toy_course.fill(toy / "release" / "springs", place, answers)
    config = Config()
    config.CourseDirectory.root = str(root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = NbGraderAPI(config=config)
        assert api.generate_assignment("springs")["success"]
        for student in handed_in:
            done = api.autograde("springs", student)
            assert done["success"], done
        with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
            marks = {
                student: {
                    grade.name: grade.score
                    for book in gradebook.find_submission("springs", student).notebooks
                    for grade in book.grades
                }
                for student in handed_in
            }
    in_process = {}
    with toy_course.activated(toy):
        for student, answers in handed_in.items():
            in_process[student] = toy_course.marks(answers)
    assert marks == in_process
    assert marks["half"] == {"check_spring_force": 0, "check_energies": 2, "check_oscillator": 5}
    assert set(marks["nothing"].values()) == {0}
    autograded = root / "autograded" / "half" / "springs" / "springs.ipynb"
    assert "The spring pulls back: against the stretch." in autograded.read_text()


# --------------------------------------------------------------------- check and summary


@pytest.mark.usefixtures("kit")
def test_check_tells_right_from_wrong_and_never_says_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call('check("spring_force")', run(RIGHT["spring_force"]))
    right = capsys.readouterr()
    assert right.out.splitlines() == [
        "spring_force",
        " ✓ pulls back with stiffness times stretch",
        " ✓ works on arrays",
        " ✓ leaves its argument unchanged",
        f"3 of 3 public checks passed; {ENDING}",
    ]
    assert right.err == ""
    call('check("spring_force")', run("def spring_force(x, k):\n    x += 1\n    return -k * x\n"))
    wrong = capsys.readouterr().out
    assert "problem   changes its argument" in wrong
    assert f"0 of 3 public checks passed; {ENDING}" in wrong
    assert "all" not in (right.out + wrong).replace("called", "").replace("pulls", "")


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (["def kinetic(mass, speed)\n    return 0\n"], "did nothing: expected ':' in its line 1"),
        ([RIGHT["energies"].replace("kinetic", "kinetc")], "does not define kinetic; what"),
        ([RIGHT["energies"].replace("c(m", "c(m:"), RIGHT["energies"]], ""),
        ([RIGHT["energies"], "k = 3.0\n", "check('energies')", ""], ""),
        ([RIGHT["energies"].replace("kinetic", "spring_force")], ""),
        ([RIGHT["energies"], "import warnings\nwarnings.simplefilter('error')\n'\\s'\n"], ""),
        ([np.zeros(2), np.ones(2)], ""),  # a student's own
        (3, ""),
    ],
)
def test_what_an_earlier_run_has_left_is_named(
    inputs: Any,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = RIGHT["energies"]
    monkeypatch.setitem(
        linecache.cache, "<cell>", (len(code), None, code.splitlines(keepends=True), "<cell>")
    )
    call("check('energies')", run(code, In=inputs))
    said = capsys.readouterr().out
    assert sentence in said
    assert ("The cell that you ran last" in said) == bool(sentence), said
    assert "2 of 2 public checks passed" in said


@pytest.mark.usefixtures("kit")
def test_what_stands_indented_in_the_cell_that_ran_last_is_of_this_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"if True:\n{textwrap.indent(RIGHT['energies'], '    ')}"
    monkeypatch.setitem(
        linecache.cache, "<cell>", (len(code), None, code.splitlines(keepends=True), "<cell>")
    )
    call("check('energies')", run(code, In=["", code.rstrip("\n")]))  # as IPython keeps it
    assert "The cell that you ran last" not in capsys.readouterr().out


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", "energies is not defined: run its cell first, then this one again\n"),
        (
            "def kinetic(*a):\n    raise NotImplementedError\npotential = kinetic",
            "energies is still to be written\n",
        ),
        (
            "def Kinetic(mass, speed):\n    return mass * speed**2 / 2",
            "kinetic is not defined, but Kinetic is: mend the name, or run its cell first, then "
            "this one again\n",
        ),
        (
            "def kinetic(mass, speed):\n    raise NotImplementedError\n    return mass * speed\n"
            "potential = kinetic",
            "kinetic is still to be written: its line raise NotImplementedError stands above your "
            "code; take it out\n",
        ),
    ],
)
def test_an_untouched_exercise_is_one_sentence(
    code: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(
        linecache.cache, "<cell>", (len(code), None, code.splitlines(keepends=True), "<cell>")
    )
    call('check("energies")', run(code))
    assert capsys.readouterr().out == sentence


def test_an_error_in_another_cell_names_the_line_that_led_there() -> None:
    namespace: dict[str, Any] = {}
    for name, code in (
        ("inner", "def inner(x):\n    return x + None\n"),
        ("outer", "def outer(x):\n    y = 2 * x\n    return inner(y)\n"),
    ):
        exec(compile(code, f"<cell {name}>", "exec"), namespace)
    student: Any = notebook.NotebookStudent(namespace, "outer", ["inner", "outer"])
    student.begin(1)
    with pytest.raises(StudentError) as raised:
        student.outer(1.0)
    where = "in line 2 of the cell of inner, called in line 3 of that of outer"
    assert where in raised.value.text


def test_a_function_of_another_exercise_is_nobody_s_misspelt_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`deep_forward` is to be called so: "forward is not defined, but deep_forward is: mend the
    name" was told to whoever ran the cells from below."""
    monkeypatch.setattr(notebook, "_known", lambda: {"deep_backward": []})
    monkeypatch.setattr(notebook, "_asked", lambda exercise: {"deep_forward", exercise})
    namespace: dict[str, Any] = {}
    names = ("deep_forward", "deep_backward", "forwards")
    exec(compile("".join(f"def {name}(): ...\n" for name in names), "<cell>", "exec"), namespace)
    student: Any = notebook.NotebookStudent(namespace, "forward", ["deep_backward", "forward"])
    assert student._instead("forward") == ", but forwards is"
    del namespace["forwards"]
    assert student._instead("forward") == ""


@pytest.mark.usefixtures("kit")
def test_a_begun_family_shows_both(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = run("def kinetic(m, v):\n    return m * v**2 / 2\n")
    call('check("energies")', namespace)
    shown = capsys.readouterr().out
    assert " ✓ gives the energy of motion" in shown
    assert " · gives the energy of the spring\n   potential is not defined" in shown
    call("summary()", namespace)
    shown = capsys.readouterr().out
    assert re.search(r" · energies +begun +public checks: 1 of 2", shown)
    assert re.search(r" · oscillator +not defined: run its cell\n", shown)
    assert f"0 of 3 exercises written; 1 of 6 public checks passed; {ENDING}" in shown


@pytest.mark.usefixtures("kit")
def test_an_exercise_that_nobody_touched_is_not_begun(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one check, which needs another exercise first, it is not known whether it is written."""

    def test_energies__needs_another(student: Any) -> None:
        """add up"""
        student.kinetic(1.0, student.spring_force(1.0, 2.0))

    of_potential = notebook._known()["energies"][1]
    checks = [of_potential, test_energies__needs_another]
    monkeypatch.setitem(notebook._known(), "energies", checks)
    stub = f'(*a):\n    raise NotImplementedError("{notebook.UNWRITTEN}")\n'
    stubs = "".join(f"def {name}{stub}" for name in ("spring_force", "kinetic", "potential"))
    call("summary()", run(stubs))
    assert re.search(r" · energies +still to be written\n", capsys.readouterr().out)
    call("summary()", run(stubs + "def kinetic(*a):\n    return 1.0\n"))
    assert re.search(r" · energies +begun +public checks: 0 of 2\n", capsys.readouterr().out)


@pytest.mark.usefixtures("kit")
def test_an_unknown_exercise_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    call('check("spring_forse")', {})
    known = "spring_force, energies, oscillator"
    assert capsys.readouterr().out == (
        f"spring_forse is no exercise of this notebook; it has {known}\n"
    )


def test_missing_public_checks_are_named(
    beside: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside(tmp_path)
    call('check("spring_force")', {})
    assert "public_checks.py is missing" in capsys.readouterr().out


@pytest.mark.usefixtures("kit")
def test_what_a_student_s_code_says_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[Any] = []
    monkeypatch.setattr(notebook, "show", lambda page, failed=False: pages.append(page))
    code = 'def spring_force(x, k):\n    raise ValueError("<script>alert(1)</script>")\n'
    call('check("spring_force")', run(code))
    call('check("<b>")', {})
    call("summary()", {})
    for page in pages:
        assert not re.search("<(script|b)>", page.html)
        tags = set(re.findall(r"</?(\w+)", page.html))
        assert tags <= {"div", "table", "tr", "td", "span", "code"}
    assert "&lt;script&gt;" in pages[0].html
    assert "<script>alert(1)</script>" in pages[0].text


@pytest.mark.usefixtures("kit")
def test_check_leaves_random_state_and_settings_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code = """\
def spring_force(x, k):
    np.random.seed(0); torch.manual_seed(0); np.seterr(all="raise")
    torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)
    return -k * x
"""

    def state() -> list[Any]:
        legacy = np.random.get_state()  # noqa: NPY002
        return [
            random.getstate(),
            [part.tolist() if isinstance(part, np.ndarray) else part for part in legacy],
            torch.get_rng_state().tolist(),
            np.geterr(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
        ]

    before = state()
    call('check("spring_force")', run(code))
    assert "3 of 3" in capsys.readouterr().out
    assert state() == before


@pytest.mark.usefixtures("kit")
def test_what_the_notebook_sets_does_not_decide_what_check_sees(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As at grading; afterwards it is as the notebook set it."""
    with state.undisturbed():
        torch.set_default_device("meta")
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        np.seterr(all="raise")
        warnings.filters = "ignore"  # type: ignore[assignment]
        call("check('oscillator')", run(RIGHT["oscillator"]))
        assert "1 of 1 public checks passed" in capsys.readouterr().out
        assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (torch.float64, False)
        assert torch.get_default_device().type == "meta"


@pytest.mark.usefixtures("kit")
def test_an_interrupt_stops_a_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        call('check("spring_force")', run("def spring_force(x, k):\n    raise KeyboardInterrupt\n"))


# --------------------------------------------------------------------- demo


DEMOS = """\
def f(x):
    raise NotImplementedError("still to be written")

class C:
    def __init__(self):
        raise NotImplementedError("still to be written")

def slip(x):
    return sgima * x
"""


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        ("f(1)", "f is still to be written: fill in its cell above"),
        ("list(map(f, [1]))", "f is still to be written: fill in its cell above"),
        ("C()", "C is still to be written: fill in its cell above"),
        ("unknown(1)", "unknown is not there yet: run the cells above"),
        (
            "np.apply_along_axis(slip, 0, np.ones(3))",
            "slip stopped with NameError in line 9 of its cell: "
            "name 'sgima' is not defined\nMend it",
        ),
        (
            "np.ones(3) + np.ones(4)",
            "This cannot be shown with what came back (ValueError: operands could not be "
            "broadcast together with shapes (3,) (4,) ).\nSee what the checks say",
        ),
    ],
)
def test_what_stops_a_demo_is_a_sentence(
    body: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call(f"with demo():\n    {body}\nprint('after')", run(DEMOS))
    assert capsys.readouterr().out == f"{printed}, then run this one again.\nafter\n"


def test_an_interrupt_stops_a_demo() -> None:
    with pytest.raises(KeyboardInterrupt):
        call("with demo():\n    raise KeyboardInterrupt", {})


def test_a_half_drawn_figure_is_not_shown() -> None:
    import matplotlib.pyplot as plt

    mine = plt.figure().number
    call(
        "with demo():\n    plt.figure()\n    1 / 0",
        {"plt": plt},
    )
    assert plt.get_fignums() == [mine]
    plt.close("all")


# ------------------------------------------------- the same words as the grader's `Student`

CODE = """\
import warnings
def right(x, k=2.0): return x * k
def unwritten(x): raise NotImplementedError
def fails(x):
    y = x - x
    raise ValueError(f"bad {y}")
class Own(KeyError): pass
def own(x): raise Own("mine")
def leaves(x): raise SystemExit(3)
def nothing(x): pass
def objects(x): return np.array([None, 1])
def strange(x): return {1: 2}
def lazy(x): return (i * i for i in range(3))
def lazy_failure(x): return (1 / i for i in (1, 0))
def nested(x): return [(x, {"a": [x, np.float32(2)]}), "text", None, True]
def warns(x): return np.float64(1e308) * x
def changes(x):
    x[0] = 7
    return x
def draws(rng): return rng.normal(size=3)
def draws_torch(generator): return torch.rand(3, generator=generator)
def seeded(): return float(np.random.rand() + torch.rand(()))
def grad(x): return (x**2).requires_grad_()
def slope(u, x): return torch.autograd.grad(u.sum(), x)[0]
number = 3
class Net(torch.nn.Module):
    def __init__(self, n=2):
        super().__init__()
        self.layer = torch.nn.Linear(n, 1)
        self.alpha = torch.nn.Parameter(torch.ones(n))
    def forward(self, x): return self.layer(x)
    def later(self): raise NotImplementedError
def applied(model, x): return model(x).shape
"""


def notes(student: Any) -> Any:
    """What a witness notes of two calls."""
    model = student.witness((2,), outputs=1)
    for mode in (False, True):
        model.train(mode)
        model(torch.ones(3, 2))
    return [(one["training"], one["moved"]) for one in attribute(model, "notes")]


CHECKS: dict[str, Check] = {
    "witness": notes,
    "right": lambda s: s.right(np.arange(3.0)),
    "keyword": lambda s: s.right(2, k=3),
    "signature": lambda s: s.right(1, 2, 3),
    "unknown keyword": lambda s: s.right(1, q=3),
    "unwritten": lambda s: s.unwritten(1),
    "missing": lambda s: s.absent(1),
    "not a function": lambda s: s.number(1),
    "fails": lambda s: s.fails(2.0),
    "own exception": lambda s: s.own(1),
    "exit": lambda s: s.leaves(1),
    "refuses": lambda s: refuses(lambda: s.fails(1)),
    "refuses by a base": lambda s: refuses(lambda: s.own(1), "LookupError"),
    "refuses, and it does not": lambda s: refuses(lambda: s.right(1)),
    "nothing": lambda s: s.nothing(1),
    "object array": lambda s: s.objects(1),
    "lazy": lambda s: s.lazy(1),
    "lazy failure": lambda s: s.lazy_failure(1),
    "nested": lambda s: s.nested(np.int64(3)),
    "warns": lambda s: (s.warns(1e10), quiet(s.calls[-1])),
    "keep": lambda s: ((kept := s.keep(np.zeros(2))), s.changes(kept), s.value(kept))[2],
    "argument copied": lambda s: ((x := np.zeros(2)), s.changes(x), x)[2],
    "rng": lambda s: [s.draws(np.random.default_rng(3)) for _ in range(2)],
    "rng not advanced": lambda s: ((g := np.random.default_rng(3)), s.draws(g), g.normal())[2],
    "torch generator": lambda s: s.draws_torch(torch.Generator().manual_seed(3)),
    "seeded": lambda s: s.seeded(),
    "reseeded": lambda s: (s.reseed(11), s.seeded())[1],
    "requires grad": lambda s: s.grad(torch.ones(2)).requires_grad,
    "argument requires grad": lambda s: s.right(torch.ones(2, requires_grad=True)),
    "type of an object": lambda s: s.Net(3).type_name,
    "code of calls": lambda s: close(s.Net(3)(torch.ones(5, 3)), torch.zeros(5, 2)),
    "another's item": lambda s: close(s.nested(np.int64(3)), 1.0),
    "no model": lambda s: s.keeping(s.nested(np.int64(3)), 1.0),
    "parameters": lambda s: [p.shape for p in s.Net(3).parameters()],
    "attribute": lambda s: attribute(s.Net(3), "alpha"),
    "attribute with its graph": lambda s: s.gradients(
        s.attribute(net := s.Net(3), "alpha", keep=True), net
    ),
    "no attribute": lambda s: attribute(s.Net(3), "beta"),
    "call of an object": lambda s: s.Net(3)(torch.ones(5, 3)),
    "wrong call of an object": lambda s: s.Net(3)(torch.ones(5, 2)),
    "method": lambda s: s.Net(3).train(False).training,
    "unwritten method": lambda s: s.Net(3).later(),
    "missing method": lambda s: s.Net(3).earlier(),
    "object handed on": lambda s: s.applied(s.Net(3), torch.ones(5, 3)),
    "field": lambda s: s.field("polynomial", coefficients=[1.0, 2.0])(torch.ones(2)),
    "result with its graph": lambda s: s.slope(
        s.keeping("grad", kept := s.keep(torch.ones(2, requires_grad=True))), kept
    ),
    "results with their graphs": lambda s: [
        s.value(one) for one in s.keeping("nested", s.keep(torch.ones(2)))
    ],
    "field handed on": lambda s: s.applied(s.field("sine"), torch.ones(4)),
}


def outcome(student: Any, check: Check) -> tuple[str, Any, Any]:
    """Everything a check can learn, as values that can be compared."""
    student.begin(*(("f", 5) if isinstance(student, Student) else (5,)))
    try:
        value = plain(check(student))
        verdict = "passed"
    except CheckFailed as failure:
        text = describe("exercise", "title", failure, student.calls, public=True)
        bases = [failure.name, *failure.bases] if isinstance(failure, StudentError) else []
        verdict, value = text, [failure.kind, failure.hint, *bases]
    calls = [(str(call), call.warnings, type(call.error).__name__) for call in student.calls]
    return verdict, value, calls


def plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return ["numpy", str(value.dtype), value.tolist()]
    if isinstance(value, torch.Tensor):
        return ["torch", str(value.dtype), value.requires_grad, value.tolist()]
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    return (
        value if isinstance(value, (str, int, float, bool, type(None), dict)) else str(type(value))
    )


@pytest.mark.parametrize("name", CHECKS)
def test_a_notebook_s_student_answers_like_the_grader_s(name: str) -> None:
    imports = "import numpy as np\nimport torch\n"
    theirs = Student(InProcess([Cell("the cell of right", imports + CODE)]))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(imports + CODE, "<the cell of right>", "exec"), namespace)
    ours = notebook.NotebookStudent(namespace, "fails", ["right"])
    assert masked(outcome(ours, CHECKS[name])) == masked(outcome(theirs, CHECKS[name]))


def masked(found: tuple[str, Any, Any]) -> str:
    """Class names made alike: the grader trusts none of a student's, the notebook shows them."""
    return re.sub(r"\b(Net|Sine|Polynomial|ndarray)\b", "object", repr(found))


def test_the_line_and_the_cell_of_an_error_are_named() -> None:
    first = "def helper(x):\n    return 1 / x\n"
    second = "def f(x):\n    y = helper(x)\n    return y\n\ndef g(x):\n    return x.shape\n"
    namespace: dict[str, Any] = {}
    for number, code in enumerate((first, second)):
        exec(compile(code, f"<cell {number}>", "exec"), namespace)
    student = notebook.NotebookStudent(namespace, "family", ["other"])
    with pytest.raises(StudentError, match="ZeroDivisionError in line 2 of the cell of helper"):
        student.f(0)
    with pytest.raises(StudentError, match="AttributeError in line 6 of the cell of family"):
        student.g(0)
    student = notebook.NotebookStudent(namespace, "family", ["helper"])
    with pytest.raises(StudentError, match="in line 2 of the cell of helper"):
        student.f(0)


# --------------------------------------------------------------------- the real course


@functools.cache
def reference_namespace(name: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    for cell in cells(load_assignment(name)):
        exec(compile(cell.source, f"<{cell.label}>", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", course())
def test_public_checks_pass_for_the_reference(name: str, beside: Callable[[Path], None]) -> None:
    beside(ROOT / "assignments" / name)
    namespace = reference_namespace(name)
    for exercise in load_assignment(name).exercises:
        found = notebook._examine(exercise.name, namespace)
        assert [(one.title, one.parts) for one in found if not one.passed] == []


@pytest.mark.parametrize("name", course())
def test_what_public_checks_make_once_is_the_same_whatever_the_notebook_sets(
    name: str, beside: Callable[[Path], None]
) -> None:
    def made() -> dict[str, tuple[torch.dtype, str]]:
        beside(ROOT / "assignments" / name)
        first, *_ = next(iter(notebook._known().values()))
        found = {k: v for k, v in first.__globals__.items() if isinstance(v, torch.Tensor)}
        return {k: (v.dtype, v.device.type) for k, v in found.items()}

    usual = made()
    with state.undisturbed():
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        assert made() == usual
        assert torch.get_default_dtype() is torch.float64


@pytest.mark.slow
@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("name", course())
def test_a_release_runs_through_untouched(name: str, tmp_path: Path) -> None:
    ran = toy_course.execute(ROOT / "release" / name, tmp_path)
    for exercise in load_assignment(name).exercises:
        shown = toy_course.said(ran[exercise.check_cell])
        # its own function, or one that its public checks need before it
        assert "is still to be written" in shown, shown
        assert "✓" not in shown, shown


@pytest.mark.slow
@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("name", course())
def test_a_release_runs_through_with_right_answers(name: str, tmp_path: Path) -> None:
    found = load_assignment(name)
    answers = {exercise.name: reference_code(found, exercise.name) for exercise in found.exercises}
    ran = toy_course.execute(ROOT / "release" / name, tmp_path, answers)
    for exercise in found.exercises:
        shown = toy_course.said(ran[exercise.check_cell])
        assert re.search(r"\b(\d+) of \1 public checks passed", shown), shown
    assert stopped_demos(ran) == []


def stopped_demos(ran: dict[str, Any]) -> list[str]:
    texts = map(toy_course.said, ran.values())
    return [said for said in texts if "run this one again" in said]


@pytest.mark.slow
@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("name", QUICK)
def test_a_source_runs_through_and_earns_everything(name: str, tmp_path: Path) -> None:
    """Its demonstrations are the release's."""
    folder = ROOT / "source" / name
    ran = toy_course.execute(folder, tmp_path, alone=False, demonstrations=False)
    for exercise in load_assignment(name).exercises:
        *_, result = ran[exercise.check_cell].outputs
        assert result.data["text/plain"] == repr(exercise.points), exercise.name


# ------------------------------------------------------- the same values from both transports

HANDS_BACK = """\
import collections, enum


class Batches:
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return Stream(self.count)


class Stream:
    def __init__(self, count):
        self.left = count

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


class Celsius(float):
    pass


State = collections.namedtuple("State", "count seen")


def counted(state):
    if state is None:
        return 0, State(0, [])
    if not isinstance(state, State):
        return "a tuple", state
    return state.count + 1, State(state.count + 1, [*state.seen, state.count])


First, Second = (collections.namedtuple(name, "mean") for name in ("First", "Second"))


def kinds(state):
    if state is None:
        return [First(0.0), Second(0.0)]
    return [type(one).__name__ for one in state]


class Optimiser:
    def __init__(self):
        self.state = State(0, [])


class Row(list):
    _make = None  # not a named tuple's


def rows():
    return Row([1, 2])


def length(value):
    return len(value)


def batches(count):
    return Batches(count)


def listed(count):
    return iter([count])


def subclasses():
    Pair = collections.namedtuple("Pair", "a b")
    return [
        Celsius(1.5),
        Pair(1, 2),
        collections.OrderedDict(x=1),
        enum.IntEnum("Colour", "red").red,
    ]
"""


@pytest.fixture(params=["in the grader", "in the notebook"])
def asked(request: pytest.FixtureRequest) -> Any:
    """A student's functions, as a check has them at grading and in a notebook."""
    if request.param == "in the grader":
        student = Student(InProcess([Cell("a cell", HANDS_BACK)]))
        student.begin("x", 0)
        return student
    return notebook.NotebookStudent(run(HANDS_BACK), "x", ["x"])


def test_what_can_be_gone_through_is_gone_through(asked: Any) -> None:
    assert list(asked.batches(3)) == [2, 1, 0]
    assert list(asked.listed(7)) == [7]


def test_what_a_module_of_the_notebook_s_holds_can_be_called(asked: Any) -> None:
    assert asked.call("collections", "OrderedDict", (), {"x": 1}) == {"x": 1}
    assert str(asked.calls[-1]) == "collections.OrderedDict(x=1)"


def test_what_has_no_end_is_left(asked: Any) -> None:
    with pytest.raises(CheckFailed, match="without end"):
        list(asked.batches(10**9))


def test_subclasses_of_plain_types_count_as_these(asked: Any) -> None:
    values = asked.subclasses()
    assert values == [1.5, (1, 2), {"x": 1}, 1]
    assert [type(value) for value in values] == [float, tuple, dict, int]


def test_a_named_tuple_that_was_handed_back_comes_as_it_was(asked: Any) -> None:
    _, state = asked.counted(None)
    assert type(state) is tuple
    count, again = asked.counted(state)
    assert (count, again) == (1, (1, [0]))
    assert asked.counted(asked.keep(again)) == (2, (2, [0, 1]))
    assert asked.counted((5, [])) == ("a tuple", (5, []))


def test_two_kinds_of_named_tuples_that_hold_the_same_stay_two(asked: Any) -> None:
    for _ in range(2):
        assert asked.kinds(asked.kinds(None)) == ["First", "Second"]


def test_a_named_tuple_that_was_read_comes_as_it_was(asked: Any) -> None:
    _, kept = asked.keeping("counted", None)
    for given in (asked.value(kept), asked.attribute(asked.Optimiser(), "state")):
        assert asked.counted(given) == (1, (1, [0]))


def test_what_is_no_tuple_is_no_named_one(asked: Any) -> None:
    assert asked.length(asked.rows()) == 2


def test_in_a_notebook_torch_has_one_thread_and_says_so() -> None:
    code = (
        "import IPython, torch\n"
        "torch.set_num_threads(2)\n"
        "import coursekit.notebook\n"
        "print(torch.get_num_threads())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    sentence, threads = done.stdout.splitlines()
    assert "one thread" in sentence
    assert threads == "1"


BUILDS_ON = """\
def {0}(mass, speed):
    raise NotImplementedError("still to be written")

def helper(mass, height):
    return {0}(mass, height)

def spring_force(x, stiffness=1.0):
    return helper(x, stiffness) if 0 in {{0: 1}} else x ^ stiffness
"""


@pytest.fixture
def springs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Public checks of two exercises, the second of which may use the first."""

    def first(student: Any) -> None:
        student.kinetic(1.0, 2.0)

    def second(student: Any) -> None:
        student.spring_force(1.0, 2.0)

    known = {"energies": [first], "spring_force": [second]}
    monkeypatch.setattr(notebook, "_known", lambda: known)
    notebook._asked.cache_clear()
    yield
    notebook._asked.cache_clear()


@pytest.mark.parametrize("name", course())
def test_a_library_belongs_to_no_exercise(name: str, beside: Callable[[Path], None]) -> None:
    """Else a slip in mse_loss would send its student to activations, whose checks use np too."""
    beside(ROOT / "release" / name)
    found = load_assignment(name)
    owners = {one: notebook._owner(one) for one in ("np", "torch", "nn", "keep", "value", "call")}
    owned = {key: notebook._owner(key) for one in found.exercises for key in one.defines}
    assert set(owners.values()) == {""}, owners
    wanted = {key: one.name for one in found.exercises for key in one.defines}
    assert {key: owner for key, owner in owned.items() if owner} == {
        key: wanted[key] for key, owner in owned.items() if owner
    }


@pytest.mark.usefixtures("springs")
def test_check_says_what_to_mend_first(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = run(BUILDS_ON.format("kinetic"))
    call("check('spring_force')", namespace)
    said = capsys.readouterr().out
    assert "It builds on energies, where public checks fail: mend that first" in said
    assert "spring_force needs kinetic, which is still to be written" in said


@pytest.mark.usefixtures("springs")
def test_what_waits_for_another_exercise_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = run(BUILDS_ON.format("kinetic"))
    row = notebook._standing("spring_force", namespace)
    assert (row.state, row.passed, row.failed) == ("written", 0, 0)
    assert row.waits == "spring_force needs kinetic, which is still to be written"
    assert notebook._standing("energies", namespace).state == "unwritten"


@pytest.mark.usefixtures("springs")
def test_what_torch_or_a_helper_has_not_implemented_is_not_unwritten() -> None:
    for body in ("torch.ones(2) ^ 1.5", "helper(x)"):
        namespace = run(
            "import torch\ndef helper(x):\n    raise NotImplementedError('for one case')\n\n"
            f"def spring_force(x, stiffness=1.0):\n    return {body}\n"
        )
        row = notebook._standing("spring_force", namespace)
        assert (row.state, row.failed) == ("written", 1)


@pytest.mark.parametrize("name", course())
def test_check_names_what_an_exercise_builds_on(
    name: str, beside: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each assignment: an exercise left as its stub, and `check` on each that uses it."""
    found = load_assignment(name)
    pages: list[str] = []
    beside(found.release.parent)
    monkeypatch.setattr(notebook, "show", lambda page, failed=False: pages.append(page.text))
    named = 0
    table = merit.dependents(Judge(found))
    for prerequisite, others in table.items():
        stub = next(merit.damages(found, found.exercise(prerequisite)))
        code = cells(found, Answer(name, prerequisite, "", stub.code))
        namespace = InProcess(code).session.namespace
        for other in others:
            call(f"check({other.name!r})", namespace)
            told = f"It builds on {prerequisite}, where public checks fail: mend that first"
            failed = re.search(r"^ [✗·]", pages[-1], re.MULTILINE)
            assert told in pages[-1] or not failed, pages[-1]
            named += told in pages[-1]
    assert named or not table
