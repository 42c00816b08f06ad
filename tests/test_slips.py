"""Known slips are named at the desk, and their table gives nothing away."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from coursekit import Call, StudentError, facts, slips
from coursekit.written import Thing

from autograder.authoring import slips as made
from autograder.course import course, load_assignment
from autograder.judging.answers import alternatives, mistakes
from autograder.judging.diagnosis import right_codes

QUICK = [("lennard_jones", "lj_force"), ("backprop", "mse_loss"), ("cnn", "correlate1d")]


@functools.cache
def table(name: str) -> dict[str, Any]:
    """As it is shipped."""
    path = load_assignment(name).release.parent / slips.FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("name", "exercise"), QUICK)
def test_a_known_mistake_is_named_by_public_checks_alone(name: str, exercise: str) -> None:
    found = load_assignment(name)
    seen = 0
    for wrong in mistakes(found, exercise):
        failed = made.failures(found, exercise, wrong)
        hint = slips.named(exercise, failed, table(name))
        assert not failed or not hint or wrong.hint in hint, wrong.name
        seen += bool(hint)
    assert seen >= 3


@pytest.mark.parametrize(("name", "exercise"), QUICK)
def test_right_answers_fail_nothing_and_are_not_named(name: str, exercise: str) -> None:
    found = load_assignment(name)
    for answer in [None, *alternatives(found, exercise)]:
        assert made.failures(found, exercise, answer) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", course())
def test_the_table_is_digests_and_nothing_to_read(name: str) -> None:
    text = json.dumps(table(name))
    assert len(text) < 300_000
    for exercise, rows in table(name).items():
        found = rows.get("found", {})
        assert re.fullmatch(r"[0-9a-f]{16}", rows["made_from"]) if found else True, exercise
        assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in found)
        assert all(re.fullmatch(r"[0-9a-f]+", entry) for entry in found.values())
        assert all(re.fullmatch(r"[a-z]+( \w+)*", kind) for kind in rows["usual"]), exercise


@pytest.mark.parametrize("name", course())
def test_the_table_knows_what_right_code_does(name: str) -> None:
    """So that a notebook tells no fact about the code that holds for a right answer."""
    found = load_assignment(name)
    for exercise in found.exercises:
        usual = slips.usual(exercise.name, table(name))
        for code in right_codes(found, exercise.name):
            assert facts.unlike(code, usual) == ""


@pytest.mark.parametrize(("name", "exercise"), QUICK)
def test_what_right_answers_return_opens_no_entry(name: str, exercise: str) -> None:
    """Who has a right answer, or guesses one, cannot have it confirmed."""
    found = load_assignment(name)
    from coursekit.notebook import NotebookStudent, verdict

    from autograder.judging.answers import cells
    from autograder.sandbox.protocol import InProcess

    namespace = InProcess(cells(found)).session.namespace
    for check, function in made.public_checks(found, exercise).items():
        student = NotebookStudent(namespace, exercise)
        assert verdict(function, student) is None
        for last in range(1, len(student.calls) + 1):
            said = slips.named(exercise, {check: student.calls[:last]}, table(name))
            assert said == "", check


def returned(*values: Any) -> list[Call]:
    return [Call("f", returned=value) for value in values]


def test_a_digest_is_the_same_in_float32_and_float64_and_else_another() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = rng.normal(size=(3, 2))
        single = values.astype(np.float32)
        (first, *_), again = (slips.digests("e", "c", returned(one)) for one in (values, single))
        assert first in again
        for other in (values.T, values * 1.001, torch.tensor(values), values.ravel(), -values):
            assert first not in slips.digests("e", "c", returned(other))
        assert first not in slips.digests("e", "other check", returned(values))


def test_noise_on_large_numbers_tells_slips_apart() -> None:
    """It hardly moves their sum."""
    noise = np.random.default_rng(6).normal(size=(2000, 2))
    (first, *_), other = (slips.digests("e", "c", returned(5.0 + s * noise)) for s in (0.3, 0.55))
    assert first not in other
    single = slips.digests("e", "c", returned((5.0 + 0.3 * noise).astype(np.float32)))
    assert first in single


def small_table(*found: tuple[str, str, list[Call], frozenset[str]]) -> dict[str, Any]:
    """One entry for each (check, hint, calls, all checks that the slip fails)."""
    entries = {}
    for check, hint, calls, fails in found:
        (digest, *_) = slips.digests("f", check, calls)
        speaks = [one for one, name, *_ in found if name == hint]
        slip = slips.Slip(hint, hint, sorted(fails), speaks)
        entries[digest.hex()[:16]] = slips.entry(digest, [slip])
    return {"f": {"found": entries}}


def test_a_slip_that_fails_more_than_the_student_is_not_named() -> None:
    both = frozenset({"one", "two"})
    known = small_table(
        ("one", "a slip", returned(1.5), both), ("two", "a slip", returned(2.5), both)
    )
    assert slips.named("f", {"one": returned(1.5)}, known) == ""
    assert slips.named("f", {"one": returned(1.5), "two": returned(3.5)}, known) == ""
    failed = {"one": returned(1.5), "two": returned(2.5)}
    assert slips.named("f", failed, known) == "a slip"


def test_a_check_in_which_a_slip_answers_rightly_so_far_need_not_tell_it() -> None:
    """It fails by a gradient, say, that this answer has not."""
    both = frozenset({"one", "two"})
    known = small_table(("one", "a slip", returned(1.5), both))
    failed = {"one": returned(1.5), "two": returned(9.0)}
    assert slips.named("f", failed, known) == "a slip"
    assert slips.named("f", {"one": returned(1.5)}, known) == "", "it fails more than the student"


def test_zeros_explain_a_failed_check_only_where_nothing_else_fails() -> None:
    """Too many slips end in zeros."""
    known = small_table(("one", "a slip", returned(np.zeros(3)), frozenset({"one"})))
    assert slips.named("f", {"one": returned(np.zeros(3))}, known) == "a slip"
    failed = {"one": returned(np.zeros(3)), "two": returned(2.5)}
    assert slips.named("f", failed, known) == ""


def test_an_exception_explains_a_failed_check_only_where_nothing_else_fails() -> None:
    """`max(0, z)` stops on a table as a loop over a row does, and on the row, too."""
    error = StudentError("error", "stopped", name="ValueError")
    stopped = [*returned(1.5), Call("f", error=error)]
    known = small_table(("one", "a slip", stopped, frozenset({"one"})))
    assert slips.named("f", {"one": stopped}, known) == "a slip"
    assert slips.named("f", {"one": stopped, "two": returned(2.5)}, known) == ""


def test_gradients_tell_slips_apart() -> None:
    silent, other = returned(Thing()), returned(Thing())
    assert slips.digests("f", "one", silent) == []
    silent[0].seen, other[0].seen = [torch.tensor([1.5])], [None]
    assert slips.digests("f", "one", silent) != slips.digests("f", "one", other)


def test_two_slips_seen_apart_are_both_named() -> None:
    known = small_table(
        ("one", "a slip", returned(1.5), frozenset({"one"})),
        ("two", "another", returned(2.5), frozenset({"two"})),
    )
    failed = {"one": returned(1.5), "two": returned(2.5)}
    assert slips.named("f", failed, known) == "a slip Besides: another"


def test_slips_that_cannot_be_told_apart_are_named_together() -> None:
    cover = frozenset({"one"})
    hints = {"a": "A.", "b": "B.", "c": "A."}
    assert slips.chosen(dict.fromkeys("abc", cover), hints) == ["A. Or: B."]
    assert slips.chosen(dict.fromkeys("abc", cover), {**hints, "c": "C."}) == []


def test_no_entry_is_made_of_nothing() -> None:
    assert slips.digests("f", "one", returned(None, None)) == []


@pytest.mark.parametrize("kind", ["bfloat16", "sparse"])
def test_a_tensor_that_numpy_does_not_have_stops_no_check(kind: str) -> None:
    value = torch.eye(2).to_sparse() if kind == "sparse" else torch.eye(2, dtype=torch.bfloat16)
    failed = {"is a test": [Call("mse_loss", returned=value)]}
    assert slips.named("mse_loss", failed, {}) == ""
    assert slips.named("mse_loss", failed, table("backprop")) == ""
