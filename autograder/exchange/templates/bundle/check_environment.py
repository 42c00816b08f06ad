"""Is everything there that the notebooks need? Run me with the Python that Jupyter uses."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

NEEDED = {
    "numpy": "numpy",
    "torch": "torch",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "matplotlib": "matplotlib",
    "tqdm": "tqdm",
}


def grader_s_python() -> tuple[int, int] | None:
    """The version that requirements.txt names."""
    try:
        text = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"graded with Python (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def main() -> int:
    """0 if all is well; else says what to install."""
    missing = []
    print("Python", sys.version.split()[0])
    if sys.version_info < (3, 11):  # noqa: UP036 – a student may have an older one
        print("  too old: the notebooks need Python 3.11 or newer")
        missing.append("python")
    if (graded := grader_s_python()) and sys.version_info[:2] > graded:
        known = ".".join(map(str, graded))
        print(f"  the grader runs {known}: syntax that came later is not read there")
    for package, module in NEEDED.items():
        try:
            print(package, getattr(importlib.import_module(module), "__version__", "is there"))
        except ImportError as error:
            print(f"{package} cannot be imported: {error}")
            missing.append(package)
    if missing:
        print(f"\nNot ready. In this folder: {sys.executable} -m pip install -r requirements.txt")
        return 1
    print("\nReady.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
