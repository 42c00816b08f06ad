"""nbgrader's own `autograde`, and formgrader's button, through this grader's engine.

`nbgrader_config.py` puts these classes in the place of nbgrader's. The same notebook gets the
same marks here and from `autograder grade`: both read its bytes, grade them in the cage and
write typed results, from which gradebook and autograded notebook are made.
"""

from __future__ import annotations

import functools
import html
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters import NotebookExporter
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde, BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import temp_attrs
from traitlets import Enum

from autograder.course import Assignment, load_assignment
from autograder.errors import CourseError
from autograder.files import plain
from autograder.grading.folder import students
from autograder.grading.job import Job
from autograder.records.feedback import Pages
from autograder.records.gradebook import Recorder
from autograder.records.gradebook.givers import watch
from autograder.records.gradebook.times import submission_time
from autograder.results import Result, Store


class SubmissionExporter(NotebookExporter):
    """Takes the place of nbgrader's reading of a submitted notebook.

    nbgrader stops at a file that nbformat does not like, and leaves out students whose notebook
    is missing or renamed. Here a submission is whatever lies in the student's folder, and the
    engine says what it is worth.
    """

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)  # type: ignore[no-untyped-call]
        if isinstance(self.parent, Autograde):
            try:
                self._make_ready(self.parent)
            except CourseError as error:
                self.log.error("%s", error)
                raise NbGraderException(str(error)) from None

    def _make_ready(self, converter: Autograde) -> None:
        coursedir = converter.coursedir
        self.assignment: Assignment = load_assignment(coursedir.assignment_id)
        self.recorder = Recorder(Path(coursedir.root), [self.assignment], db_url=coursedir.db_url)
        # Everyone counts whom `autograder grade` would grade, with the notebook that they should
        # have. Of a submission nothing is copied: what nbgrader would take along may be a link
        # that leads to the answers, or a pipe that nobody writes to.
        name = f"{self.assignment.name}.ipynb"
        submitted = Path(coursedir.root, coursedir.submitted_directory)
        found = [
            submitted / student / self.assignment.name
            for student in students(Path(coursedir.root), self.assignment)
            if student == coursedir.student_id or fnmatchcase(student, coursedir.student_id)
        ]
        converter.assignments = {str(folder): [str(folder / name)] for folder in found}
        init = converter.init_assignment

        def init_assignment(assignment_id: str, student_id: str) -> None:
            with temp_attrs(coursedir, ignore=["*", ".*"]):
                init(assignment_id, student_id)

        converter.init_assignment = init_assignment

        def convert_single_notebook(filename: str) -> None:
            converter.exporter._preprocessors = []
            for one in converter.autograde_preprocessors:
                converter.exporter.register_preprocessor(one)
            BaseConverter.convert_single_notebook(converter, filename)

        # nbgrader's own writes a notebook before it is graded: of a run that was killed meanwhile
        # the next one would take that for done, and its student would have no mark.
        converter.convert_single_notebook = convert_single_notebook

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> Any:
        """The released notebook; `Grade` puts in what the student's file deserves."""
        released = _read(self.assignment.release)
        return self.from_notebook_node(released, resources, **options)  # type: ignore[no-untyped-call]


class Grade(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades one submission and records it; gives its autograded notebook."""

    isolation = Enum(
        ("full", "landlock", "limits"),
        default_value="full",
        help="The weakest cage that you accept; see `autograder doctor`.",
    ).tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        from autograder.grading.executors import judges
        from autograder.grading.folder import course_salt, only_grader, read_job

        weakest: Any = self.isolation
        exporter: SubmissionExporter = self.parent
        found, recorder = exporter.assignment, exporter.recorder
        student = resources["nbgrader"]["student"]
        job = read_job(recorder.course_dir, found, student, course_salt(recorder.course_dir))
        grade = judges(weakest).grade
        try:
            result = grade(job)
            with only_grader(recorder.course_dir):
                result = self._recorded(result, grade)
        except CourseError as error:
            raise NbGraderException(f"{student} was not recorded: {error}") from None
        self.log.info("%s: %g of %g points", student, result.points, result.max_points)
        for line in [result.message, *result.notes]:
            if line:
                self.log.warning("%s: %s", student, plain(line))
        return _read(recorder.autograded(result)), resources

    def _recorded(self, result: Result, grade: Callable[[Job], Result]) -> Result:
        """The result that counts now, which may be another attempt's."""
        from autograder.grading.run import moved, of_one_file, record
        from autograder.records.attempts import Attempts

        found, recorder, student = self.parent.assignment, self.parent.recorder, result.student
        known = Store(recorder.course_dir).load(found.name, student)
        if known is not None and (change := moved(known, result)):
            self.log.warning("%s: %s", student, change)
        pages = Pages(recorder)
        attempts = Attempts(found, pages)
        if known is not None and not of_one_file(known, result):
            attempts.renew(known)
        record(recorder.course_dir, [result], [recorder])
        attempts.note(result)
        attempts.settle([student], lambda jobs: ((job, grade(job)) for job in jobs))
        for sentence in attempts.said:
            self.log.warning("%s", plain(sentence))
        pages.remove(result)
        return attempts.counting(result)


def escape_names(nb: Any, resources: Any) -> Any:
    """Formgrader's page of a submission has names, which students may have chosen, as markup."""
    for key in resources.keys() & {"first_name", "last_name", "student", "notebook_path"}:
        resources[key] = resources[key] and html.escape(resources[key])
    return nb, resources


_NO_MARKUP = str.maketrans({"<": "&lt;", ">": "&gt;", '"': "&quot;"})


def _no_markup(value: Any) -> Any:
    """Text that is the same where formgrader's pages show it and between the quotes of their
    scripts."""
    return value if hasattr(value, "__html__") else Markup(str(value).translate(_NO_MARKUP))


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def mend_nbgrader() -> None:
    """Three faults of nbgrader 0.9.6 that its configuration cannot reach; and whoever gives points
    by hand is noted.

    One `timestamp.txt` that is no time stops formgrader's list of submissions for everybody,
    and that student's grading; here such a submission has no time. And under SQLAlchemy 2.1 a
    harmless warning is printed for every new submission.
    """

    def existing(self: CourseDirectory, folder: str) -> datetime | None:
        return submission_time(Path(folder))[0]

    def submitted(self: NbGraderAPI, assignment_id: str, student_id: str) -> datetime | None:
        step = self.coursedir.submitted_directory
        return existing(self.coursedir, self.coursedir.format_path(step, student_id, assignment_id))

    pages: Any = sys.modules.get("nbgrader.server_extensions.formgrader.formgrader")
    if pages is not None:  # formgrader is about to begin
        # By jinja2's own escaping a script would ask for nobody called O'Brien.
        pages.Environment = functools.partial(Environment, autoescape=True, finalize=_no_markup)
    watch()
    CourseDirectory.get_existing_timestamp = existing
    NbGraderAPI.get_submitted_timestamp = submitted
    warnings.filterwarnings("ignore", message="Object of type .* not in session")
