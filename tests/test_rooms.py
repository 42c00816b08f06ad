"""The order of the house: a room imports only from rooms below it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import ROOT

ORDER = [
    {"errors", "files"},
    {"course", "results"},
    {"sandbox"},
    {"judging"},
    {"checks", "mistakes", "alternatives"},
    {"grading", "records"},
    {"authoring"},
    {"exchange"},
    {"cli"},
    {"__main__", "__init__"},
]
"""From the ground up. Rooms of one floor may not import each other, but for the pairs below."""
NEIGHBOURS = {("records", "grading"), ("course", "results")}
HOUSE = ROOT / "autograder"
ROOMS = {path.stem for path in HOUSE.iterdir() if path.suffix in ("", ".py")}


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(ORDER) if room in rooms)


def room_of(path: Path) -> str:
    first = path.relative_to(HOUSE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports from, at any depth of its code."""
    rooms = set()
    package = ["autograder", *path.relative_to(HOUSE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{whole}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "autograder" and len(parts) > 1:
                rooms.add(parts[1])
    return rooms & ROOMS


FILES = sorted(path for path in HOUSE.rglob("*.py") if "templates" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_imports_from_rooms_below_it(path: Path) -> None:
    room = room_of(path)
    for other in imported(path) - {room}:
        allowed = floor(other) < floor(room) or (room, other) in NEIGHBOURS
        assert allowed, f"{path.relative_to(ROOT)} imports from {other}, which stands above it"


def test_what_enters_the_cage_imports_nothing_of_the_house() -> None:
    for path in (HOUSE / "sandbox" / "inside").glob("*.py"):
        assert not imported(path) - {"sandbox"}, f"{path.name} would not run inside the cage"


def test_every_room_is_on_the_map() -> None:
    import autograder

    known = set().union(*ORDER)
    rooms = {room_of(path) for path in FILES}
    assert rooms <= known, f"{rooms - known} have no floor"
    assert autograder.__doc__
    missing = [room for room in rooms - {"__init__", "__main__"} if room not in autograder.__doc__]
    assert not missing, f"the map in autograder/__init__.py does not show {missing}"


def test_the_picture_of_the_house_is_what_the_code_has() -> None:
    text = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)$", text, re.MULTILINE))
    arrows = {
        (room_of(path), other)
        for path in FILES
        for other in imported(path) - {room_of(path)}
        if room_of(path) not in ("__main__", "__init__")
    }
    ground = {"course", "results", "errors", "files"}  # everybody's, so not drawn
    arrows = {(one, other) for one, other in arrows if not {one, other} & ground}
    assert drawn == arrows, f"to draw: {arrows - drawn}; to erase: {drawn - arrows}"


def test_who_only_waits_for_judges_loads_no_torch() -> None:
    """Two of three seconds that `autograder grade` needed to find nothing to do."""
    look = "import autograder.grading.run, autograder.records.gradebook, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True
    )
    assert "torch" not in loaded.stdout.split()
