"""Before its most surprising figures each notebook asks what the student expects, never graded."""

from __future__ import annotations

import re

import pytest

from autograder.course import ROOT, course

ASKED = "**Before you run the cell:**"


def cells(name: str) -> list[tuple[str, str]]:
    """The notebook's cells: what each begins with, and its text in one line."""
    text = (ROOT / "assignments" / name / "notebook.py").read_text(encoding="utf-8")
    parts = re.split(r"^# %%(.*)$", text, flags=re.MULTILINE)[1:]
    words = (re.sub(r"\s+", " ", part.replace("\n#", "\n")) for part in parts[1::2])
    return list(zip(parts[::2], words, strict=True))


@pytest.mark.parametrize("name", course())
def test_three_figures_ask_first_and_say_what_came_out(name: str) -> None:
    found = cells(name)
    asked = [number for number, (_, text) in enumerate(found) if ASKED in text]
    assert len(asked) >= 3
    for place, number in enumerate(asked):
        question = found[number][1].split(ASKED)[1]
        offered = re.findall(r"\((\w)\)", question)
        assert offered in (["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]), question
        assert "demo=" in found[number + 1][0], f"no figure follows: {question}"
        end = asked[place + 1] if place + 1 < len(asked) else len(found)
        later = " ".join(text for _, text in found[number + 1 : end + 1])
        answers = re.findall(r"nswer \((\w)\)", later.split(ASKED)[0])
        assert len(answers) == 1, f"answered {len(answers)} times: {question}"
        assert answers[0] in offered
