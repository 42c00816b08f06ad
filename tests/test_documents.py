"""Documents and the files that strangers look for say what is so."""

from __future__ import annotations

import re
import tomllib

import pytest

import autograder
from autograder.course import ROOT, course


def test_the_readme_counts_exercises_and_minutes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` – (.+?) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    counted = [
        (
            assignment.name,
            assignment.title,
            str(len(assignment.exercises)),
            str(sum(exercise.minutes for exercise in assignment.exercises)),
        )
        for assignment in course().values()
    ]
    assert rows == counted


def test_the_readme_is_one_sitting() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150, "move what is measured or rarely needed into docs/"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ISOLATION.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / target).exists(), f"{name} links to {target}, which is not there"


def test_every_file_names_the_same_version() -> None:
    version = autograder.VERSION
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lines = text.splitlines()
    for requirement in [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]:
        if requirement.startswith(project["name"]):
            continue  # this project's own extra
        number = next(n for n, line in enumerate(lines) if f'"{requirement}"' in line)
        above = lines[number - 1].strip().startswith("#")
        assert "#" in lines[number] or above, f"{requirement}: why?"
