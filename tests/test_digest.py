"""What makes a result outdated: a check's text for its exercise, anything else for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import toy_course

from autograder.course import Assignment, load_assignment
from autograder.judging.digest import digests, salted, together


@pytest.fixture
def springs(tmp_path: Path) -> Iterator[Assignment]:
    with toy_course.activated(toy_course.write(tmp_path)):
        yield load_assignment("springs")


def changed_by(springs: Assignment, path: Path, old: str, new: str) -> set[str]:
    before = digests(springs)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    after = digests(springs)
    assert before.keys() == after.keys() == {e.name for e in springs.exercises}
    return {name for name in before if before[name] != after[name]}


def test_a_hidden_check_counts_for_its_exercise(springs: Assignment) -> None:
    old = "def test_spring_force__drawn(student, draw):\n"
    new = old + "    assert student is not None\n"
    assert changed_by(springs, springs.hidden_checks, old, new) == {"spring_force"}


def test_a_public_check_counts_for_its_exercise(springs: Assignment) -> None:
    old = "def test_energies__kinetic(student):\n"
    new = "@later\n" + old
    assert changed_by(springs, springs.public_checks, old, new) == {"energies"}


def test_a_new_check_counts_for_its_exercise(springs: Assignment) -> None:
    text = springs.hidden_checks.read_text()
    new = text + '\n\ndef test_oscillator__new(student):\n    """is new"""\n'
    assert changed_by(springs, springs.hidden_checks, text, new) == {"oscillator"}


@pytest.mark.parametrize("file", ["hidden_checks", "public_checks", "reference", "known_mistakes"])
def test_everything_else_counts_for_all(springs: Assignment, file: str) -> None:
    path: Path = getattr(springs, file)
    text = path.read_text()
    assert changed_by(springs, path, text, text + "\nHELP = 1\n") == {
        e.name for e in springs.exercises
    }


def test_courses_draw_other_inputs(springs: Assignment) -> None:
    found = digests(springs)
    assert not set(salted(found, "one").values()) & set(salted(found, "two").values())
    assert together(salted(found, "one")) != together(salted(found, "two"))
    assert together(salted(found, "one")) == together(salted(dict(found), "one"))
