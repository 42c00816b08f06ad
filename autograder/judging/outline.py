"""What the released notebook says about its cells: which are locked, given out to be written, or
answered in words."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass

from coursekit.ipynb import NotebookCell, read_cells

from autograder.course import Assignment


@dataclass(frozen=True)
class Outline:
    """What the released notebook says about its cells."""

    cells: tuple[NotebookCell, ...]
    locked: dict[str, str]
    """Locked code cells: `grade_id` to text ("" where nothing is released yet)."""
    stubs: dict[str, str]
    """Solution cells as students got them."""
    answers: dict[str, float]
    """Those that are answered in words and marked by hand, with their points."""

    @functools.cached_property
    def locked_texts(self) -> dict[str, str]:
        return {text: grade_id for grade_id, text in self.locked.items() if text}


def locked_id(cell: NotebookCell, outline: Outline) -> str:
    """The `grade_id` of the locked cell that this one is, or is a copy of; else ""."""
    # An older release may hold checks and demonstrations that the present one does not know.
    if cell.grade_id in outline.locked or cell.grade_id.startswith(("check_", "demo_")):
        return cell.grade_id
    return outline.locked_texts.get(cell.text, "")


def outline_of(assignment: Assignment) -> Outline:
    """The released notebook's outline; without one, the course's names."""
    try:
        data = assignment.release.read_bytes()
    except OSError:
        data = b""
    return _outline(assignment, data)


@functools.lru_cache(maxsize=32)
def _outline(assignment: Assignment, data: bytes) -> Outline:
    locked = {"setup": ""}
    stubs: dict[str, str] = {}
    answers: dict[str, float] = {}
    cells: list[NotebookCell] = []
    if data:
        released = json.loads(data)["cells"]
        for cell, raw in zip(read_cells(data)[0], released, strict=True):
            cells.append(cell)
            metadata = raw["metadata"].get("nbgrader", {})
            if metadata.get("solution"):
                stubs[cell.grade_id] = cell.text
                if metadata.get("grade"):
                    answers[cell.grade_id] = float(metadata.get("points", 0))
            elif cell.kind == "code" and (metadata.get("locked") or metadata.get("grade")):
                locked[cell.grade_id] = cell.text
    return Outline(tuple(cells), locked, stubs, answers)


def answer_cells(notebook: list[NotebookCell], outline: Outline) -> dict[str, NotebookCell]:
    """The cells that hold a student's own words, by the question that they answer."""
    found = {}
    for cell in notebook:
        name = cell.grade_id or cell.cell_id
        if name in outline.answers and cell.text not in ("", outline.stubs[name]):
            found[name] = cell
    return found
