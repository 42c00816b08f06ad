"""Wrong answers that nobody wrote a hint for come in groups, and a sentence reaches the group."""

from __future__ import annotations

from pathlib import Path

import toy_course
from test_gradebook import ANSWERS, filled, hand_in

from autograder.authoring import verify
from autograder.course import Assignment, load_assignment
from autograder.judging import answers as known
from autograder.judging.diagnosis import Observer
from autograder.judging.judge import Judge
from autograder.judging.student import Student
from autograder.judging.submission import read_submission
from autograder.records.unexplained import as_mistake, as_text, unexplained
from autograder.results import Result, Store
from autograder.sandbox.protocol import InProcess

BENT = "def spring_force(x, stiffness=1.0):\n    return -stiffness * np.sinh(x)\n"
WRITTEN_OTHERWISE = BENT.replace("return", "y = np.sinh(x)\n    return").replace(
    "* np.sinh(x)\n", "* y\n"
)
CUBED = "def spring_force(x, stiffness=1.0):\n    return -stiffness * x**3 * np.exp(x)\n"
CLASS = {
    "ada": BENT,
    "ben": WRITTEN_OTHERWISE,
    "cleo": CUBED,
    "dan": "def spring_force(x, stiffness=1.0):\n    return stiffness * x\n",  # has a hint
    "eve": "def spring_force(x, stiffness=1.0):\n    return 1 / 0\n",  # says why it stops
    "fay": "",  # right
}


def graded(course_dir: Path, assignment: Assignment) -> dict[str, Result]:
    """The class, judged in this process."""
    judge, found = Judge(assignment), {}
    for student, code in CLASS.items():
        notebook = filled(assignment, ANSWERS | ({"spring_force": code} if code else {}))
        sha = hand_in(course_dir, student, notebook)
        data = (course_dir / "submitted" / student / "springs" / "springs.ipynb").read_bytes()
        cells = read_submission(data, assignment).cells
        exercises = judge.judge(
            Student(InProcess(cells)), "salt", after=Observer(judge, "salt", cells)
        )
        found[student] = Result(
            assignment="springs",
            student=student,
            points=sum(one.points for one in exercises),
            max_points=15.0,
            isolation="none",
            submission_sha256=sha,
            checks_sha256="",
            seconds=1.0,
            status="graded",
            exercises=exercises,
        )
        Store(course_dir).save(found[student])
    return found


def test_a_class_s_own_slip_becomes_a_known_one(
    springs: Assignment, toy: Path, tmp_path: Path
) -> None:
    before = graded(tmp_path, springs)
    groups = unexplained(tmp_path, springs)
    assert [one.students for one in groups] == [["ada", "ben"], ["cleo"]]
    assert list(groups[0].examples) == ["ada", "ben"], "the shortest first"
    text = "\n".join(as_text(groups))
    for words in ("spring_force: 2 students (ada, ben)", "ben wrote", "y = np.sinh(x)"):
        assert words in text
    assert "judges run it outside the cage" in text, "it is a student's, and shown to be taken over"

    sentence = 'The spring\'s force is "linear" in x.'
    bank = springs.known_mistakes
    kept = bank.read_text(encoding="utf-8")
    more = (
        kept.replace("import Bank", "import Bank, mistake")
        + "\n\n"
        + as_mistake(groups[0]).replace('hint=""', f"hint={sentence!r}")
    )
    try:
        bank.write_text(more, encoding="utf-8")
        toy_course.activate(toy)
        found = load_assignment("springs")
        wrong = next(one for one in known.mistakes(found) if one.name.endswith("_in_class"))
        trials = verify.Trials(Judge(found), found.exercise("spring_force"))
        trials.whole("reference", None)
        (row,) = trials.mistakes([wrong])
        assert row.hole == ""
        after = graded(tmp_path, found)
    finally:
        bank.write_text(kept, encoding="utf-8")
        toy_course.activate(toy)
    force = {student: one.exercises[0] for student, one in after.items()}
    assert {who for who, one in force.items() if sentence in one.hint} == {"ada", "ben"}
    assert {who: one.points for who, one in after.items()} == {
        who: one.points for who, one in before.items()
    }
