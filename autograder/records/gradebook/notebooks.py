"""The autograded notebook: what the student wrote, where it belongs, with the verdicts."""

from __future__ import annotations

import hashlib
import html
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from coursekit.ipynb import NotebookCell

from autograder.course import Assignment, Exercise, notebook_cell
from autograder.errors import SubmissionError
from autograder.files import newer, plain, write_atomically
from autograder.judging.notebook_file import find_notebook
from autograder.judging.outline import Outline, answer_cells, locked_id, outline_of
from autograder.judging.submission import Submission, read_submission
from autograder.records.words import OUTCOMES
from autograder.results import ExerciseResult, Result, Store, submitted

from .rows import auto_score, built_notebook, indented
from .times import TIMESTAMP, submission_time

log = logging.getLogger(__name__)


def write_autograded(course_dir: Path, path: Path, assignment: Assignment, result: Result) -> None:
    """A submission's autograded notebook, and beside it when it came in. One that was written after
    all that it shows stays."""
    folder = submitted(course_dir, result.student, result.assignment)
    stored = Store(course_dir).path(result.assignment, result.student)
    if newer(path, stored, assignment.release, folder, *folder.glob("*")):
        return
    came_in = submission_time(folder)
    try:
        submission, notes = _handed_in(folder, assignment, result)
        notebook = autograded_notebook(assignment, result, submission, [*came_in.remarks, *notes])
    except Exception as error:  # whatever a student's files hold is that student's matter alone
        what = f"the notebook handed in cannot be shown ({type(error).__name__}: {error})"
        log.warning("%s: %s", plain(str(folder)), plain(what))
        notes = [*came_in.remarks, what[:1000]]
        notebook = autograded_notebook(assignment, result, None, notes)
    time = path.with_name(TIMESTAMP)
    if came_in.text:
        write_atomically(time, came_in.text.encode())
    else:
        time.unlink(missing_ok=True)
    data = msgspec.json.format(msgspec.json.encode(notebook), indent=1)
    write_atomically(path, data + b"\n")  # last: see the condition above


def _handed_in(
    folder: Path, assignment: Assignment, result: Result
) -> tuple[Submission | None, list[str]]:
    """The submission in a folder, and what is to be noted of it; none where the result says why."""
    try:
        data, _ = find_notebook(folder, assignment.name)
        same = hashlib.sha256(data).hexdigest() == result.submission_sha256
        notes = [] if same else ["the file was changed after it was graded"]
        return read_submission(data, assignment), notes
    except SubmissionError:
        return None, []


def autograded_notebook(
    assignment: Assignment,
    result: Result,
    submission: Submission | None,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """The released notebook with the student's cells in it and the verdicts below the checks.

    Order, points and locked cells are the release's. What the student added stands where it
    stood, as far as that can be said: after the last cell before it that the release knows.
    """
    notebook = built_notebook(assignment.release)
    outline = outline_of(assignment)
    answers, extras = _placed(submission, assignment, outline)
    checks = {exercise.check_cell: exercise for exercise in assignment.exercises}
    verdicts = {verdict.name: verdict for verdict in result.exercises}
    cells = [*_remarks([*result.notes, *notes], result), *extras.get(-1, [])]
    for number, (cell, known) in enumerate(zip(notebook["cells"], outline.cells, strict=True)):
        if number in answers:
            cell["source"] = _shown(known.kind, answers[number])
        elif known.grade_id in outline.stubs:
            nothing = "nothing was handed in for this exercise"
            cell["source"] = f"# {nothing}" if known.kind == "code" else f"*{nothing}*"
        if known.kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        if known.grade_id in checks:
            exercise = checks[known.grade_id]
            cell["outputs"] = [_verdict(exercise, verdicts.get(exercise.name), result)]
        cells += [cell, *extras.get(number, [])]
    if notebook["nbformat_minor"] < 5:
        for cell in cells:
            cell.pop("id", None)
    return notebook | {"cells": cells}


def graded_answers(folder: Path, assignment: Assignment, result: Result) -> dict[str, str]:
    """What the student wrote, which lies in `folder`, by exercise: the text of the cell that
    counts. Nothing where it is not what was graded any more."""
    try:
        data, _ = find_notebook(folder, assignment.name)
        if hashlib.sha256(data).hexdigest() != result.submission_sha256:
            return {}
        submission = read_submission(data, assignment)
        slots = _slots(submission, assignment, outline_of(assignment))
        text = {cell.number: cell.source for cell in submission.notebook}
        return {grade_id: text[number] for number, grade_id in slots.items()}
    except Exception:  # whatever a student's files hold is that student's matter alone
        return {}


def _placed(
    submission: Submission | None, assignment: Assignment, outline: Outline
) -> tuple[dict[int, str], dict[int, list[dict[str, Any]]]]:
    """The student's text by the number of the released cell that it belongs to, and the cells
    that belong to none by the number of the one that they stand after."""
    answers: dict[int, str] = {}
    extras: dict[int, list[dict[str, Any]]] = {}
    if submission is None:
        return answers, extras
    released = list(enumerate(outline.cells))
    by_id = {cell.grade_id: n for n, cell in released if cell.grade_id}
    by_text = {(cell.kind, cell.text): n for n, cell in released}
    # Prose and parameters belong to nobody; where a student edited them, the edit is shown.
    free = {(cell.kind, cell.cell_id): n for n, cell in released if not cell.grade_id}
    slots = _slots(submission, assignment, outline)
    last, placed = -1, set()
    for cell in submission.notebook:
        ran = cell.number in submission.ran
        place = by_text.get((cell.kind, cell.text))
        if place is None and cell.cell_id:
            place = free.get((cell.kind, cell.cell_id))
        locked = locked_id(cell, outline) if cell.kind == "code" else ""
        if cell.number in slots:
            last = by_id[slots[cell.number]]
            answers[last] = cell.source
        elif locked and not ran:
            last = by_id.get(locked, last)
        elif place is not None and not (ran and place in placed):
            last = place
            placed.add(place)
            if cell.text != outline.cells[place].text:
                answers[place] = cell.source
        elif cell.text:
            last = by_id.get(locked, last)  # a setup cell that was changed
            extras.setdefault(last, []).append(_extra(cell))
    return answers, extras


def _slots(submission: Submission, assignment: Assignment, outline: Outline) -> dict[int, str]:
    """Which of the student's cells stands for which solution cell: number to `grade_id`."""
    exercises = {exercise.name: exercise for exercise in assignment.exercises}
    words = answer_cells(submission.notebook, outline)
    slots = {cell.number: name for name, cell in words.items()}
    for grade_id in outline.stubs.keys() - outline.answers.keys():
        exercise = exercises.get(grade_id)
        cells = submission.notebook
        if exercise is not None:
            cells = [cell for cell in cells if cell.number in submission.ran]
        own = [cell.number for cell in cells if cell.grade_id == grade_id and cell.text]
        if own:
            slots[own[-1]] = grade_id  # what stands in the others is shown below
        elif exercise is not None:
            names = set(exercise.defines)
            others = [
                (len(cell.defines & names), cell.number)
                for cell in cells
                if cell.grade_id not in outline.stubs and cell.defines & names
            ]
            if others:
                slots[max(others)[1]] = grade_id
    return slots


def _extra(cell: NotebookCell) -> dict[str, Any]:
    kind = "code" if cell.kind == "code" else "markdown"
    return notebook_cell(kind, f"student-{cell.number}", _shown(kind, cell.source))


def _shown(kind: str, source: str) -> str:
    """A student's text for an instructor's browser.

    Prose is shown as it was typed, not rendered: formgrader would run scripts that stand in
    tags, links and formulas.
    """
    return source if kind == "code" else indented(source.strip("\n"))


def _remarks(notes: list[str], result: Result) -> list[dict[str, Any]]:
    """What an instructor should know first, as a cell of its own at the top."""
    lines = [result.message] if result.message else []
    lines += notes
    if not lines:
        return []
    text = "\n".join(indented(line) for line in lines)
    return [notebook_cell("markdown", "grader-remarks", f"**Remarks of the grader**\n\n{text}")]


def _verdict(exercise: Exercise, verdict: ExerciseResult | None, result: Result) -> dict[str, Any]:
    """A check cell's output: what passed and what to look at; hidden checks by title only."""
    score = auto_score(result, verdict)
    earned = "no mark"
    if score is not None:  # what was given by hand, nbgrader shows beside the cell
        earned = f"the checks give {score:g} of {exercise.points:g} points"
    if verdict is None:
        verdict = ExerciseResult(
            name=exercise.name, points=0, max_points=0, status="missing", message=result.message
        )
    failed = verdict.status == "error"
    message = "the grader itself failed here; no mark was given" if failed else verdict.message
    told = [
        (f"{exercise.name}: {earned}", "{}", "<p><strong>{}</strong></p>"),
        (message, "{}", "<pre>{}</pre>"),
        (verdict.remark, "{}", "<p>{}</p>"),
        (verdict.hint, "hint: {}", "<p><strong>Hint:</strong> {}</p>"),
    ]
    said = [(plain(words), *forms) for words, *forms in told if words]
    text = [as_text.format(words) for words, as_text, _ in said]
    markup = [as_html.format(html.escape(words)) for words, _, as_html in said]
    lines = [
        f"{OUTCOMES[check.outcome][0]} {plain(check.title or check.name)}"
        + (" (hidden)" if check.hidden else "")
        for check in verdict.checks
    ]
    if lines:
        text.append("\n".join(lines))
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        markup.append(f'<ul style="list-style: none; padding-left: 0">{items}</ul>')
    data = {"text/html": "\n".join(markup), "text/plain": "\n\n".join(text)}
    return {"output_type": "display_data", "metadata": {}, "data": data}
