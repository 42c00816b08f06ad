"""COVERAGE.md names what there is, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

import attacks

from autograder.course import ROOT

HERE = Path(__file__).parent
TABLE = (HERE / "COVERAGE.md").read_text(encoding="utf-8")
NAMED = {
    name
    for line in TABLE.splitlines()
    if line.startswith("| ")
    for name in re.findall(r"`([^`]+)`", line.split(" | ", 1)[1])
    if not name.startswith("HOSTILE_KILLS")
}
GROUPS = ("TAKES_MARKS", "RETURNS", "RAISES", "DIES", "RIGHT_BUT_ODD", "LEFT_BEHIND", "HARMLESS")


def test_every_attack_is_in_the_table_and_every_name_in_it_is_one() -> None:
    known = {name for group in GROUPS for name in getattr(attacks, group)}
    assert {name for name in NAMED if "::" not in name} == known


def test_every_test_in_the_table_exists() -> None:
    for name in NAMED:
        if "::" in name:
            file, test = name.split("::")
            path = ROOT / file if "/" in file else HERE / file
            assert f"def {test}(" in path.read_text(encoding="utf-8"), name
