"""A made-up course of one assignment, for tests that must not depend on the real ones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from autograder.authoring.slips import SHARED

REPOSITORY = Path(__file__).resolve().parent.parent

FILES = {
    "assignments/course.toml": """\
[springs]
title = "A weight on a spring"
exercise = [
  { name = "spring_force", points = 6, minutes = 5 },
  { name = "energies", defines = ["kinetic", "potential"], points = 4, minutes = 5 },
  { name = "oscillator", defines = ["Oscillator"], points = 5, minutes = 10 },
]
""",
    "assignments/springs/notebook.py": """\
# %% [markdown]
# # A weight on a spring
#
# Where does it end up? Length in m, force in N; forces to the right are positive.

# %% setup=true

# %% parameters=true
fast = False

# %% [markdown]
# ## The force
# Stretched by half a metre, a spring of 3 N/m pulls with {{f"{spring_force(0.5, 3.0):.2f}"}} N.

# %% exercise="spring_force"

# %% demo="force_line"
# Not graded.
figures.force_line(spring_force)

# %% [markdown]
# ## Energies

# %% exercise="energies"

# %% exercise="oscillator"

# %% demo="swing"
model = Oscillator(2.0)
steps = 10 if fast else 1000
print("position", round(float(model(torch.tensor(0.0))), 3), "after", steps)

# %% demo="again"
print("frequency", model.frequency)

# %% summary=true
""",
    "assignments/springs/public_checks.py": '''\
"""Public checks."""

import numpy as np
from coursekit import SINGLE, array, attribute, close, holds, tensor


def test_spring_force__pulls_back(student):
    """pulls back with stiffness times stretch"""
    close(student.spring_force(0.5, 3.0), -1.5)


def test_spring_force__works_on_arrays(student, draw):
    """works on arrays"""
    x = draw.normal(size=4)
    close(student.spring_force(x, 2.0), -2.0 * x)


def test_spring_force__leaves_its_argument(student):
    """leaves its argument unchanged"""
    kept = student.keep(np.ones(3))
    student.spring_force(kept, 2.0)
    holds(bool((student.value(kept) == 1).all()), "changes its argument")


def test_energies__kinetic(student):
    """gives the energy of motion"""
    close(student.kinetic(2.0, 3.0), 9.0)


def test_energies__potential(student):
    """gives the energy of the spring"""
    close(student.potential(2.0, 3.0), 6.0)


def test_oscillator__starts_stretched(student):
    """starts at full stretch and follows the cosine"""
    import torch

    model = student.Oscillator(frequency=2.0)
    t = torch.linspace(0.0, 1.0, 5)
    close(model(t), torch.cos(2 * t), SINGLE)
    close(attribute(model, "period"), 3.14159265)
    tensor(model.parameters()[0], ())
    array(np.zeros(2), (2,))
''',
    "assignments/springs/figures.py": '''\
"""The figures of the notebook."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np


def force_line(spring_force):
    expected = json.loads(Path(__file__).with_name("expected.json").read_text())
    x = np.array(expected["x"])
    plt.plot(x, expected["force"], label="expected")
    plt.plot(x, spring_force(x, 3.0), "--", label="yours")
    plt.legend()
    plt.show()


def expected(answers):
    x = np.linspace(-1, 1, 7)
    noisy = np.array([1.0, 1e-17, 1 / 3])
    return {"x": x, "force": answers.spring_force(x, 3.0), "noisy": noisy, "n": 7}
''',
    "reference_impl/springs.py": '''\
"""Springs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def spring_force(
    x: float | np.ndarray,
    stiffness: float = 1.0,
) -> float | np.ndarray:
    """The spring's force in N, minus stiffness times stretch.

    x: stretch in m, any shape. Worked number: x = 0.5 and stiffness = 3 give −1.5 N.
    """
    # A secret comment about Hooke.
    product = stiffness * x
    return -product


def kinetic(mass: float, speed: float) -> float:
    """The energy of motion, ½ m v²."""
    return 0.5 * mass * speed**2 + 0.0


def potential(mass: float, height: float) -> float:
    """The product of both: a made-up energy, 6 for 2 and 3."""
    total = mass * height
    return total * 1.0


class Oscillator(nn.Module):
    """x(t) = cos(ω t), with a learnable frequency ω."""

    def __init__(self, frequency: float = 1.0) -> None:
        """frequency: ω in 1/s."""
        super().__init__()
        self.frequency = nn.Parameter(torch.tensor(frequency))

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        """Positions at the times t, same shape."""
        phase = self.frequency * t
        return torch.cos(phase)

    @property
    def period(self) -> float:
        # The period needs no docstring here.
        return float(2 * torch.pi / self.frequency)
''',
    "autograder/checks/test_springs.py": '''\
"""Hidden checks."""

import pytest
from coursekit import close, holds, number


def test_spring_force__drawn(student, draw):
    """pulls back at drawn stretches"""
    x = draw.normal(size=20)
    close(student.spring_force(x, 1.7), -1.7 * x)


def test_spring_force__stiffness(student, draw):
    """is linear in the stiffness"""
    a, b = draw.uniform(1, 2, size=2)
    close(number(student.spring_force(a, 2 * b)), -2 * a * b)


@pytest.mark.guard
def test_spring_force__zero(student):
    """vanishes at rest"""
    holds(student.spring_force(0.0, 1.0) == 0, "does not vanish at rest")


def test_energies__kinetic_drawn(student, draw):
    """gives the energy of motion at drawn speeds"""
    m, v = draw.uniform(1, 2, size=2)
    close(student.kinetic(m, v), 0.5 * m * v**2)


def test_energies__potential_drawn(student, draw):
    """gives the energy of the spring at drawn heights"""
    m, h = draw.uniform(1, 2, size=2)
    close(student.potential(m, h), m * h)


def test_oscillator__frequency(student, draw):
    """has the period of its frequency"""
    from coursekit import SINGLE, attribute

    frequency = float(draw.uniform(1, 2))
    period = attribute(student.Oscillator(frequency), "period")
    close(period, 6.283185307 / frequency, SINGLE)
''',
    "autograder/mistakes/springs.py": '''\
"""Known wrong answers."""

from autograder.judging.answers import Bank

sign_lost = Bank(__name__).slip(
    "spring_force", "sign_lost", "return -product", "return product",
    caught_by="drawn", hint="The spring pulls back: against the stretch.",
)
''',
    "autograder/alternatives/springs.py": '"""Other right answers: none."""\n',
}

RIGHT = {
    "spring_force": "def spring_force(x, stiffness=1.0):\n    return -stiffness * x\n",
    "energies": """\
def kinetic(mass, speed):
    return 0.5 * mass * speed**2


def potential(mass, height):
    return mass * height
""",
    "oscillator": """\
class Oscillator(nn.Module):
    def __init__(self, frequency=1.0):
        super().__init__()
        self.frequency = nn.Parameter(torch.tensor(frequency))

    def forward(self, t):
        return torch.cos(self.frequency * t)

    @property
    def period(self):
        return float(2 * torch.pi / self.frequency)
""",
}
"""What a student may hand in."""


def write(root: Path) -> Path:
    """The course's files under `root`, with the real coursekit."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(
        REPOSITORY / "assignments" / "coursekit",
        root / "assignments" / "coursekit",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    inside = Path("autograder", "sandbox", "inside")
    (root / inside).mkdir(parents=True)
    for name in SHARED:
        shutil.copy(REPOSITORY / inside / f"{name}.py", root / inside / f"{name}.py")
    return root


def activate(root: Path) -> None:
    """Makes this process take `root` for the repository."""
    import autograder.alternatives
    import autograder.course
    import autograder.judging.answers
    import autograder.judging.judge
    import autograder.mistakes

    for module in (autograder.course, autograder.judging.answers, autograder.judging.judge):
        module.ROOT = root  # type: ignore[attr-defined]
    autograder.course.TOTAL = 15.0  # points of the made-up assignment
    autograder.course.course.cache_clear()
    autograder.mistakes.__path__ = [str(root / "autograder" / "mistakes")]
    autograder.alternatives.__path__ = [str(root / "autograder" / "alternatives")]
    for cached in ("_reference", "_declared"):
        getattr(autograder.judging.answers, cached).cache_clear()
    for name in ("mistakes", "alternatives"):
        sys.modules.pop(f"autograder.{name}.springs", None)


@contextmanager
def activated(root: Path) -> Iterator[Path]:
    """`activate`, and back."""
    from autograder import alternatives, course, mistakes
    from autograder.judging import answers, judge

    kept = course.ROOT, course.TOTAL, mistakes.__path__, alternatives.__path__
    activate(root)
    try:
        yield root
    finally:
        activate(root)
        course.ROOT, course.TOTAL, mistakes.__path__, alternatives.__path__ = kept
        answers.ROOT = judge.ROOT = kept[0]


def ipython_home(folder: Path, root: Path) -> str:
    """An IPYTHONDIR whose kernels take `root` for the repository."""
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    here = str(Path(__file__).parent)
    (startup / "00_toy.py").write_text(
        f"import sys\nsys.path.append({here!r})\nfrom pathlib import Path\nimport toy_course\n"
        f"toy_course.activate(Path({str(root)!r}))\n"
    )
    return str(folder)


ALONE = """\
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("autograder", "reference_impl"):
            raise ModuleNotFoundError(f"a student has no {name}")
sys.meta_path.insert(0, Blocker())
"""
LOCAL = """\
from pathlib import Path
import coursekit, figures
homes = {Path(module.__file__).resolve().parent for module in (coursekit.notebook, figures)}
assert homes == {Path.cwd(), Path.cwd() / "coursekit"}, homes
assert not {"autograder", "reference_impl"} & set(sys.modules)
"""


def fill(folder: Path, copy: Path, answers: dict[str, str]) -> Path:
    """A copy of a notebook's folder with the text of cells replaced; the notebook in it."""
    shutil.copytree(folder, copy)
    path = copy / f"{folder.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    nbformat.write(notebook, path)
    return path


def execute(
    folder: Path,
    place: Path,
    answers: dict[str, str] | None = None,
    *,
    alone: bool = True,
    demonstrations: bool = True,
) -> dict[str, Any]:
    """Runs a copy of a notebook's folder in a real kernel, in fast mode; cells by their ids.

    `answers` replaces the text of cells. `alone` makes the grader's packages unimportable.
    """
    path = fill(folder, place / folder.name, answers or {})
    notebook = nbformat.read(path, as_version=4)
    new = nbformat.v4.new_code_cell
    at = [cell.id for cell in notebook.cells].index("parameters")
    notebook.cells.insert(at + 1, new("fast = True"))
    if alone:
        notebook.cells = [new(ALONE), *notebook.cells, new(LOCAL)]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=1800,
        skip_cells_with_tag="" if demonstrations else "skip-execution",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return {cell.id: cell for cell in notebook.cells}


def marks(answers: dict[str, str]) -> dict[str, float]:
    """What the grader itself gives for a notebook with these answers, by check cell."""
    from autograder.authoring.stock_nbgrader import SALT
    from autograder.course import Cell, load_assignment
    from autograder.judging.judge import Judge
    from autograder.judging.student import Student
    from autograder.sandbox.protocol import InProcess

    setup = Cell("the setup cell", "import numpy as np\nimport torch\nfrom torch import nn\n")
    cells = [setup, *(Cell(f"the cell of {name}", code) for name, code in answers.items())]
    found: dict[str, float] = {}

    for result in Judge(load_assignment("springs")).judge(Student(InProcess(cells)), SALT):
        found[f"check_{result.name}"] = result.points
    return found


def said(cell: Any) -> str:
    """What a cell put out, as text."""
    texts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}")
        else:
            texts.append(output.data.get("text/plain", ""))
    return "\n".join(texts)
