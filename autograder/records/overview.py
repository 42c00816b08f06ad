"""The course at a glance: every assignment that has been graded, for the instructor.

One page, a page for each student, to advise from, and all of it as tables. Marks are the
gradebook's; who is on the roster and handed in nothing has no mark, which is not a zero. How hard
an exercise is and how well it tells stronger from weaker students apart is counted over the
students whom the grader could judge.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from autograder.course import Assignment, course
from autograder.errors import CourseError
from autograder.files import alphabetical, as_csv, plain, usable_id, write_atomically
from autograder.results import Store

from .pages import page
from .report import remarks
from .report.counting import ExerciseRow, Report, Submission
from .report.remarks import Remark
from .words import STATUS, minute, named, percent, points

_BEHIND = 0.5
_DROP = 0.25


def graded_assignments(course_dir: Path) -> list[Assignment]:
    """Those with results, in the course's order; CourseError where there is none."""
    store = Store(course_dir)
    found = [one for one in course().values() if store.students(one.name)]
    if not found:
        raise CourseError(f"nothing has been graded in {course_dir}")
    return found


@dataclass
class Row:
    """One student over the course."""

    student: str
    name: str
    assignments: list[str]
    """Those that are graded."""
    work: dict[str, Submission] = field(default_factory=dict)
    """What was handed in, by assignment."""

    @cached_property
    def totals(self) -> dict[str, float | None]:
        """The mark by assignment that was handed in; None where there is no mark yet."""
        return {name: one.mark.total for name, one in self.work.items()}

    @cached_property
    def shares(self) -> dict[str, float]:
        """The same between 0 and 1, where there is a mark and the notebook could be read."""
        return {name: one.share for name, one in self.work.items() if one.marked}

    @property
    def missing(self) -> list[str]:
        """Assignments of which nothing was handed in."""
        return [name for name in self.assignments if name not in self.work]

    def told(self, name: str) -> list[str]:
        """What is to be said of an assignment beside its mark."""
        if name not in self.work:
            return ["nothing was handed in"]
        mark, result = self.work[name].mark, self.work[name].result
        when = [f"handed in {minute(mark.handed_in)}"] if mark.handed_in else []
        unread = ["could not be read"] if result.status == "unreadable" else []
        return [*when, *unread, *mark.story]

    @property
    def who(self) -> str:
        return named(self.name, self.student)

    @property
    def file(self) -> str:
        """Its page's; the roster's ids may be anything, `2026/17` say."""
        told = self.student if usable_id(self.student) else quote(self.student, safe="")[:100]
        return f"{told}.html"

    @property
    def page(self) -> str:
        return f"students/{quote(self.file, safe='')}"

    @property
    def returning(self) -> list[tuple[str, list[str]]]:
        """Slips that were made in several exercises, and where."""
        where: dict[str, list[str]] = defaultdict(list)
        for name, submission in self.work.items():
            for exercise in submission.judged:
                if exercise.hint:
                    where[exercise.hint].append(f"{name} {exercise.name}")
        return [(hint, places) for hint, places in where.items() if len(places) > 1]

    @property
    def unread(self) -> list[str]:
        """What was handed in and could not be read."""
        done = self.work.items()
        return [name for name, one in done if one.result.status == "unreadable" and not one.marked]

    @property
    def mean(self) -> float | None:
        """Of what was handed in."""
        return statistics.fmean(self.shares.values()) if self.shares else None

    @cached_property
    def behind(self) -> list[str]:
        """Why somebody should talk to this student; nothing where there is no reason."""
        why = []
        if len(self.missing) > 1 or (self.missing and not self.totals):
            why.append(f"handed in nothing for {', '.join(self.missing)}")
        if self.unread:
            why.append(f"could not be read: {', '.join(self.unread)}")
        marks = list(self.shares.values())
        if len(marks) > 1:
            before = statistics.fmean(marks[:-1])
            if before - marks[-1] >= _DROP:
                why.append(f"{percent(marks[-1])} in the last one, {percent(before)} before")
        if self.mean is not None and self.mean < _BEHIND:
            why.append(f"{percent(self.mean)} on average")
        return why


class Look(NamedTuple):
    """Something worth a look, in one assignment."""

    assignment: str
    remark: Remark
    rows: list[Row]
    """Of whom it is, where it is of somebody."""


class Resembling(NamedTuple):
    """Who wrote answers like whose, over the assignments."""

    rows: list[Row]
    weight: float
    where: list[tuple[str, int, int]]
    """Assignment, how many answers are alike, and how many of them are wrong."""


class Slipped(NamedTuple):
    """A known slip, in all exercises where it has the same words."""

    hint: str
    students: int
    where: list[str]


@dataclass
class Overview:
    """Every figure of the page."""

    assignments: list[Assignment]
    rows: list[Row]
    exercises: list[ExerciseRow]
    slips: list[Slipped]
    causes: list[tuple[str, dict[str, int]]]
    """Why checks failed: how many students, by assignment."""
    dropped: list[str]
    looks: list[Look]
    similar: list[Resembling]

    @property
    def behind(self) -> list[Row]:
        return [row for row in self.rows if row.behind]

    @property
    def missing(self) -> dict[str, list[Row]]:
        names = [one.name for one in self.assignments]
        found = {name: [row for row in self.rows if name in row.missing] for name in names}
        return {name: rows for name, rows in found.items() if rows}

    def median(self, name: str) -> float | None:
        done = [row.work[name].points for row in self.rows if name in row.shares]
        return statistics.median(done) if done else None


def overview_of(reports: Sequence[Report]) -> Overview:
    """The figures of these assignments together."""
    assignments = [report.assignment for report in reports]
    names = [one.name for one in assignments]
    rows: dict[str, Row] = {}
    for report in reports:
        for student, person in report.roster.items():
            rows.setdefault(student, Row(student, plain(person.name), names))
        for one in report.submissions:
            row = rows.setdefault(one.name, Row(one.name, "", names))
            row.work[report.assignment.name] = one
    return Overview(
        assignments,
        sorted(rows.values(), key=lambda row: (alphabetical(row.name or row.student), row.student)),
        [row for report in reports for row in report.exercises],
        _slips(reports),
        _causes(reports),
        reports[0].dropped,
        [look for report in reports for look in _looks(report, rows)],
        _similar(reports, rows),
    )


def _looks(report: Report, rows: Mapping[str, Row]) -> Iterable[Look]:
    for remark in remarks(report):
        who = dict.fromkeys(entry.submission.name for entry in remark.entries)
        yield Look(report.assignment.name, remark, [rows[one] for one in who])


def _similar(reports: Iterable[Report], rows: Mapping[str, Row]) -> list[Resembling]:
    """The same people over all assignments, those who have most in common first."""
    weight: dict[tuple[str, ...], float] = defaultdict(float)
    where: dict[tuple[str, ...], list[tuple[str, int, int]]] = defaultdict(list)
    for report in reports:
        for one in report.similar:
            group = one.group
            wrong = sum(alike.wrong for alike in group.alike)
            weight[group.students] += group.weight
            where[group.students].append((report.assignment.name, len(group.alike), wrong))
    found = [Resembling([rows[s] for s in who], weight[who], where[who]) for who in where]
    return sorted(found, key=lambda one: -one.weight)


def _slips(reports: Iterable[Report]) -> list[Slipped]:
    people: dict[str, set[str]] = defaultdict(set)
    where: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        for slip in report.slips:
            words = slip.hint or slip.mistake.replace("_", " ")
            people[words] |= {one.name for one in slip.people}
            where[words].append(f"{report.assignment.name} {slip.exercise}")
    found = [Slipped(words, len(who), where[words]) for words, who in people.items()]
    return sorted(found, key=lambda slip: (-slip.students, slip.hint))


def _causes(reports: Iterable[Report]) -> list[tuple[str, dict[str, int]]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for report in reports:
        for cause in (*report.broke, *report.answered):
            found[cause.words][report.assignment.name] = cause.students
    return sorted(found.items(), key=lambda pair: -sum(pair[1].values()))


def write_overview(reports: Sequence[Report], course_dir: Path) -> list[Path]:
    """`DIR/report/course.html`, and beside it the students and the exercises as CSV."""
    view, now = overview_of(reports), datetime.now()
    folder = course_dir / "report"
    files = {
        "course.html": page("overview.html.j2", view=view, now=now),
        "course_students.csv": as_csv(_student_rows(view)),
        "course_exercises.csv": as_csv(_exercise_rows(view)),
        "course_answers.csv": as_csv(_answer_rows(view)),
    }
    for name, text in files.items():
        write_atomically(folder / name, text.encode())
    pages = {folder / "students" / row.file: row for row in view.rows}
    for path, row in pages.items():
        text = page("student.html.j2", view=view, row=row, now=now, words=STATUS)
        write_atomically(path, text.encode())
    for path in set((folder / "students").glob("*.html")) - pages.keys():
        path.unlink()  # of somebody who has left
    return [folder / name for name in files]


def _student_rows(view: Overview) -> Iterable[list[str]]:
    names = [one.name for one in view.assignments]
    yield ["student", "name", *names, "mean_of_handed_in", "missing", "behind"]
    for row in view.rows:
        marks = [_number(row.totals.get(name)) for name in names]
        told = [_number(row.mean), " ".join(row.missing), "; ".join(row.behind)]
        yield [row.student, row.name, *marks, *told]


def _exercise_rows(view: Overview) -> Iterable[list[str]]:
    yield ["assignment", "exercise", "points", "judged", "right", "mean", "discrimination"]
    for row in view.exercises:
        shares = [_number(share) for share in (row.rate, row.mean, row.apart)]
        yield [row.assignment, row.name, points(row.points), str(row.judged), *shares]


def _answer_rows(view: Overview) -> Iterable[list[str]]:
    """Every student's every exercise."""
    yield [
        *("student", "name", "assignment", "handed_in", "late_penalty", "exercise", "points"),
        *("max_points", "status", "by_hand", "hint"),
    ]
    for row in view.rows:
        for name, one in row.work.items():
            when = minute(one.mark.handed_in) if one.mark.handed_in else ""
            start = [row.student, row.name, name, when, _number(one.mark.penalty)]
            for exercise in one.result.exercises:
                by_hand = "yes" if exercise.name in one.mark.by_hand else ""
                earned = _number(one.mark.given(exercise))
                told = [exercise.name, earned, points(exercise.max_points)]
                yield [*start, *told, exercise.status, by_hand, exercise.hint]


def _number(value: float | None) -> str:
    return "" if value is None else points(value)
