"""Is everything there that the notebooks need? Run me with the Python that Jupyter uses."""

import importlib
import sys

NEEDED = {
    "numpy": "numpy",
    "torch": "torch",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "matplotlib": "matplotlib",
    "tqdm": "tqdm",
}


def main() -> int:
    """0 if all is well; else says what to install."""
    missing = []
    print("Python", sys.version.split()[0])
    if sys.version_info < (3, 11):  # noqa: UP036 – a student may have an older one
        print("  too old: the notebooks need Python 3.11 or newer")
        missing.append("python")
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
