"""`autograder explain`: everything about one submission, for the instructor alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_gradebook import ANSWERS, Tags, filled, hand_in, result

from autograder.course import Assignment, load_assignment
from autograder.errors import CourseError
from autograder.grading import explain as explaining
from autograder.grading.explain import Explanation, explain
from autograder.grading.folder import course_salt
from autograder.judging.answers import reference_code
from autograder.records.explanation import Recorded, as_page, as_text
from autograder.records.gradebook import Recorder
from autograder.records.gradebook.marks import ByHand, of_checks
from autograder.results import Store
from autograder.sandbox.cage import Cage

WRONG = ANSWERS | {
    "spring_force": "def spring_force(x, stiffness=1.0):\n    return stiffness * x\n",
    "oscillator": 'class Oscillator(nn.Module):\n    "<script>alert(1)</script>"\n',
}


@pytest.fixture
def one_cage(cage: Cage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session's, which stays."""

    class Kept:
        def __getattr__(self, name: str) -> object:
            return getattr(cage, name)

        def close(self) -> None:
            cage.reap()

    monkeypatch.setattr(explaining, "strongest", lambda weakest: Kept())


@pytest.fixture
def explained(springs: Assignment, tmp_path: Path, one_cage: None) -> tuple[Path, Explanation]:
    hand_in(tmp_path, "ada", filled(springs, WRONG))
    course_salt(tmp_path)
    return tmp_path, explain(springs, tmp_path, "ada")


def test_every_check_has_its_calls_what_came_back_and_what_is_right(
    explained: tuple[Path, Explanation],
) -> None:
    _, one = explained
    force, energies, oscillator = one.exercises
    checks = {check.result.name: check for check in force[1]}
    assert {name for name, check in checks.items() if check.result.hidden} == {
        *("drawn", "stiffness", "zero")
    }
    (call,) = checks["drawn"].calls
    assert "spring_force(" in call.called
    assert call.returned != call.right
    assert "expected" in checks["drawn"].result.message, "nothing is hidden from an instructor"
    assert (force[0].points, energies[0].points) == (0, 4)
    (call,) = energies[1][-1].calls
    assert call.right == call.returned, "the right answer's number, where the student's is right"
    assert oscillator[0].points == 0


@pytest.mark.parametrize(
    ("name", "exercise"),
    [("pinn", "derivative"), ("training", "early_stopping"), ("backprop", "he_initialise")],
    ids=["calls-alike-for-long", "equal-calls-that-go-on", "a-generator-that-goes-on"],
)
def test_a_right_answer_meets_its_own_numbers(
    tmp_path: Path, one_cage: None, name: str, exercise: str
) -> None:
    assignment = load_assignment(name)
    reference = {one.name: reference_code(assignment, one.name) for one in assignment.exercises}
    notebook = filled(assignment, reference)
    hand_in(tmp_path, "ada", notebook, name=name, file=f"{name}.ipynb")
    course_salt(tmp_path)
    ((judged, checks),) = explain(assignment, tmp_path, "ada", exercise).exercises
    assert judged.status == "right"
    calls = [call for check in checks for call in check.calls]
    assert len(calls) > 10
    assert [call for call in calls if call.right not in ("", call.returned)] == []


def test_the_same_inputs_as_at_grading(
    explained: tuple[Path, Explanation], springs: Assignment
) -> None:
    course_dir, one = explained
    again = explain(springs, course_dir, "ada", "spring_force")
    assert [name for name, _ in [(e.name, c) for e, c in again.exercises]] == ["spring_force"]
    assert [check.calls for check in again.exercises[0][1]] == [
        check.calls for check in one.exercises[0][1]
    ]


def test_text_and_page_have_the_sum_and_the_record(
    explained: tuple[Path, Explanation], springs: Assignment
) -> None:
    course_dir, one = explained
    made = result(springs, "ada", (0, 4, 0), sha256=one.sha256, checks_sha256=one.checks_sha256)
    Store(course_dir).save(made)
    recorder = Recorder(course_dir, [springs])
    recorder.record(made)
    known = Recorded(made, recorder.mark(made))
    text = "\n".join(as_text(one, known))
    page = as_page(one, known)
    shown = " ".join(Tags(page).text.split())
    for said in (" ".join(text.split()), shown):
        assert "recorded: 4 of 15" in said
        assert "(3 + 3) of 6 × 4 = 4.00; 4 of 4 points" in said
        assert "other checks" not in said
    lines = [" ".join(line.split()) for line in text.splitlines()]
    calls = {line for line in lines if line.startswith("called ")}
    assert calls
    for said in calls:
        assert lines.count(said) == sum(
            f"called {call.called}" == said
            for _, checks in one.exercises
            for check in checks
            for call in check.calls
        ), "a call that is listed is not written again below it"
    assert "<script" not in page
    stale = Recorded(result(springs, "ada", sha256="another"), None)
    assert "is not the one that was graded" in "\n".join(as_text(one, stale))
    stale = Recorded(result(springs, "ada", sha256=one.sha256, checks_sha256="other"), None)
    assert "rests on other checks, points or another salt" in "\n".join(as_text(one, stale))
    assert "nothing is recorded" in "\n".join(as_text(one, Recorded(None, None)))


def test_a_comment_is_told_once_for_each_exercise(
    explained: tuple[Path, Explanation], springs: Assignment
) -> None:
    made = result(springs, "ada")
    mark = of_checks(springs, made)._replace(
        by_hand={"energies": ByHand(4.0, 3.0, "see § 3")},
        comments={"energies": "see § 3", "oscillator": "see § 3"},
    )
    text = "\n".join(as_text(explained[1], Recorded(made, mark)))
    assert "energies: 3 by hand, the checks gave 4: see § 3" in text
    assert "comment on energies" not in text
    assert "comment on oscillator: see § 3" in text


def test_nothing_to_explain_is_said(springs: Assignment, tmp_path: Path) -> None:
    (tmp_path / "submitted").mkdir()
    with pytest.raises(CourseError, match="zoe has nothing of springs to explain"):
        explain(springs, tmp_path, "zoe")
    hand_in(tmp_path, "ben", b"{")
    with pytest.raises(CourseError, match="cannot be read"):
        explain(springs, tmp_path, "ben")
    with pytest.raises(CourseError, match="has no exercise 'spring'"):
        explain(springs, tmp_path, "ben", "spring")
