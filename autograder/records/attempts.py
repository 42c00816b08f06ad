"""Of several attempts: what is kept of each, and which one counts.

What somebody gave by hand stays with the attempt that it was given for. `last` counts the newest;
`best` the one with the best mark, what being late costs and what was given by hand included, and
of equals the newest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.files import in_the_way, write_atomically
from autograder.grading.executors import checks_of
from autograder.grading.folder import course_salt, read_job
from autograder.grading.job import Job
from autograder.judging.digest import together
from autograder.judging.notebook_file import find_notebook
from autograder.results import Result, read_json, submitted, write_json

from . import history
from .feedback import Pages
from .gradebook import Mark
from .gradebook.by_hand import Given
from .gradebook.marks import shown
from .gradebook.times import TIMESTAMP, submission_time
from .words import minute, points

Judging = Callable[[Iterable[Job]], Iterator[tuple[Job, Result]]]


class Attempts:
    """The attempts at one assignment."""

    def __init__(self, assignment: Assignment, pages: Pages) -> None:
        self.name = assignment.name
        self.assignment = assignment
        self.pages, self.recorder, self.store = pages, pages.recorder, pages.store
        self.course_dir = pages.course_dir
        self.said: list[str] = []
        """What an instructor should know of it."""

    def note(self, result: Result) -> None:
        """After a file was graded: keeps a copy, since another one may take its place unseen."""
        known = map(self._sha, self._folders(result.student))
        if result.submission_sha256 not in known:
            self._add(result.student)

    def renew(self, before: Result) -> None:
        """Before another file's result is recorded: sets aside what is on record of this one, and
        keeps the file."""
        student = before.student
        self._set_aside(before)
        if self._sha(self._folders(student)[-1]) != self._sha(self._submitted(student)):
            self._add(student)

    def _set_aside(self, before: Result) -> None:
        """Puts what is on record of a file with its attempt, and takes what was given by hand out
        of the gradebook."""
        student = before.student
        self.recorder.part(self.name, student)
        folder = self._attempt(before) or history.add(self.course_dir, self.name, student, None, "")
        self._keep(folder, before, self.recorder.mark(before))
        given = self.recorder.given(self.name, student)
        if given:
            write_json(folder / "by_hand.json", given)
            self.recorder.give(self.name, student, [])
            names = ", ".join(dict.fromkeys(shown(one.cell) for one in given))
            self.said.append(
                f"{student}: what was given by hand ({names}) stays with attempt {folder.name}, "
                "for which it was given, and does not count for another"
            )

    def settle(self, students: Iterable[str], judging: Judging) -> None:
        """After the newest files were graded: judges attempts that never were, lets the one count
        that the policy chooses, and writes the histories."""
        several = [one for one in students if len(self._folders(one)) > 1]
        policy = history.policy(self.course_dir, self.name)
        known = {one: result for one in several if (result := self.store.load(self.name, one))}
        for student, result in self._judged(known, policy, judging):
            with self._told(student):
                for folder in self._folders(student):
                    if self._sha(folder) == result.submission_sha256:
                        self._keep(folder, result, self._worth(folder, result))
        for student, result in known.items():
            with self._told(student):
                self._settle(student, result, policy)

    @contextlib.contextmanager
    def _told(self, student: str) -> Iterator[None]:
        """What stops one student's attempts is said, and stops nobody else's."""
        try:
            yield
        except (CourseError, OSError) as error:
            if isinstance(error, OSError) and not in_the_way(error):
                raise
            self.said.append(f"{student}: {error}; until then the record stays as it was")

    def counting(self, result: Result) -> Result:
        """The result that counts now, after `settle`."""
        if len(self._folders(result.student)) < 2:
            return result
        return self.store.load(self.name, result.student) or result

    def _judged(
        self, known: dict[str, Result], policy: history.Policy, judging: Judging
    ) -> Iterator[tuple[str, Result]]:
        """Attempts that have no result; to find the best also those judged by other checks than
        the one that counts."""
        jobs: list[Job] = []
        salt = course_salt(self.course_dir)
        for student, counting in known.items():
            for folder in self._folders(student):
                if self._sha(folder) == counting.submission_sha256:
                    continue
                job = read_job(self.course_dir, self.assignment, student, salt, folder)
                if job.notebook is None:
                    continue
                result, checks = _result(folder), together(checks_of(job))
                today = counting.checks_sha256 == checks
                stale = result is not None and result.checks_sha256 != checks
                if result is None or (policy == "best" and today and stale):
                    jobs.append(job)
        if not jobs:
            return
        for job, result in judging(jobs):
            if result.status != "grader_error":  # is tried again with the next `grade`
                yield job.student, result

    def _settle(self, student: str, counting: Result, policy: history.Policy) -> None:
        folders = self._folders(student)
        current = self._attempt(counting)
        if current is None:
            return
        own, there = (submission_time(one).text for one in (current, self._submitted(student)))
        if there != own and there in {submission_time(one).text for one in folders}:
            self._put_time(student, own)  # whoever was stopped has left another attempt's
        self._return_given(student, current)  # it waits there if a run was stopped
        results = {
            one: result
            for one in folders
            if (result := counting if one == current else _result(one)) is not None
        }
        marks = {
            one: self.recorder.preview(counting) if one == current else self._worth(one, result)
            for one, result in results.items()
        }

        def rank(folder: Path) -> tuple[float, int]:
            total = marks[folder].total if policy == "best" else None
            return -1.0 if total is None else total, int(folder.name)

        # Of some the file was written over before anybody kept it, and only the result is there.
        chosen = max((one for one in marks if one == current or self._is_there(one)), key=rank)
        if chosen != current:
            self._count(student, chosen, results[chosen], counting)
            of = ", ".join(f"{one.name}: {points(mark.total)}" for one, mark in marks.items())
            self.said.append(f"{student}: attempt {chosen.name} counts, the {policy} one ({of})")
        self._return_given(student, chosen)
        rows = [self._row(one, marks[one], one == chosen) for one in marks]
        history.save_history(self.course_dir, self.name, student, rows)
        if (result := self.store.load(self.name, student)) is not None:
            self.recorder.record(result)
            self.pages.record(result)

    def _count(self, student: str, chosen: Path, result: Result, before: Result) -> None:
        """Lets another attempt count than the one that does."""
        self._set_aside(before)
        if self._sha(self._submitted(student)) not in map(self._sha, self._folders(student)):
            self._add(student)  # it came while the others were judged
        # Where this is cut off, what is submitted must be the newest: any other would be a new one.
        newest = self._folders(student)[-1]
        if self._is_there(newest):
            self._put(student, newest)
        self.store.save(result)
        if chosen != newest:
            self._put(student, chosen)
        self.recorder.record(result)

    def _put(self, student: str, attempt: Path) -> None:
        """What an attempt handed in, and when, in the place of what counts."""
        data, _ = find_notebook(attempt, self.name)
        place = self._submitted(student)
        write_atomically(place / f"{self.name}.ipynb", data)  # counts, whatever lies beside it
        self._put_time(student, submission_time(attempt).text)

    def _put_time(self, student: str, time: str) -> None:
        """When the attempt that counts came in."""
        path = self._submitted(student) / TIMESTAMP
        if time:
            write_atomically(path, time.encode())
        else:
            path.unlink(missing_ok=True)

    def _return_given(self, student: str, folder: Path) -> None:
        """What was given by hand for the attempt that counts now."""
        given = _given(folder)
        if given:
            self.recorder.give(self.name, student, given)
            (folder / "by_hand.json").unlink()

    def _add(self, student: str) -> None:
        """What lies in `submitted` as the newest attempt."""
        place = self._submitted(student)
        with contextlib.suppress(SubmissionError):
            data, _ = find_notebook(place, self.name)
            history.add(self.course_dir, self.name, student, data, submission_time(place).text)

    def _keep(self, folder: Path, result: Result, mark: Mark) -> None:
        write_json(folder / "result.json", result)
        page = self.pages.page(result, mark, folder)
        write_atomically(folder / f"{self.name}.html", page.encode())

    def _worth(self, folder: Path, result: Result) -> Mark:
        return self.recorder.preview(result, folder, _given(folder))

    def _row(self, folder: Path, mark: Mark, counts: bool) -> history.Attempt:
        return history.Attempt(
            number=int(folder.name),
            time=minute(mark.handed_in) if mark.handed_in else "",
            total=mark.total,
            max_points=mark.max_points,
            counts=counts,
            by_hand=[] if counts else sorted({shown(one.cell) for one in _given(folder)}),
        )

    def _is_there(self, folder: Path) -> bool:
        """Whether an attempt's notebook was kept, and not its result alone."""
        try:
            return bool(find_notebook(folder, self.name))
        except SubmissionError:
            return False

    def _attempt(self, counting: Result) -> Path | None:
        """The attempt that the record is of; where a file came twice, the one that counted last."""
        student, sha = counting.student, counting.submission_sha256
        same = [one for one in self._folders(student) if self._sha(one) == sha]
        known = history.history(self.course_dir, self.name, student)
        counted = {str(one.number) for one in known if one.counts}
        return next((one for one in same if one.name in counted), same[-1] if same else None)

    def _folders(self, student: str) -> list[Path]:
        return history.folders(self.course_dir, self.name, student)

    def _sha(self, folder: Path) -> str:
        return history.sha256(folder, self.name)

    def _submitted(self, student: str) -> Path:
        return submitted(self.course_dir, student, self.name)


def _result(folder: Path) -> Result | None:
    try:
        return msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    except (OSError, ValueError):
        return None


def _given(folder: Path) -> list[Given]:
    holds = "points that were given by hand. Mend it, or remove it and give the points again"
    return read_json(folder / "by_hand.json", list[Given], [], holds)
