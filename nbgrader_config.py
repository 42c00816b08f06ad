"""Makes nbgrader's own commands, and formgrader, use this project's grader.

With it, `nbgrader autograde NAME` and formgrader's Autograde button grade in the cage and give
the same marks as `autograder grade NAME`; `nbgrader generate_feedback`, `nbgrader export`, late
penalties and manual grading work as always. nbgrader must run in the environment where this
project is installed.

This folder as the course directory: nothing to do; submissions go to
`submitted/<student>/<name>/<name>.ipynb`.

A course directory elsewhere: put a file `nbgrader_config.py` into it with the two lines

    c = get_config()
    load_subconfig("/path/to/this/nbgrader_config.py")

and what the course wants to set otherwise below them, for example

    c.CourseDirectory.db_url = "postgresql+psycopg2://…"
    c.AssignLatePenalties.plugin_class = "…"
    c.Grade.isolation = "landlock"      # the weakest cage that you accept

`autograder grade --course DIR` reads that file as well. For a single command there is

    nbgrader autograde NAME --course-dir DIR --JupyterApp.config_file=/path/to/nbgrader_config.py

Beware of `--config`: nbgrader 0.9.6 does not know it, says so in one line and goes on without
any configuration. Where `load_subconfig` names a file that is not there, as in a course that was
moved, it goes on in silence; `autograder` says so. Without this configuration `nbgrader autograde`
would run notebooks outside the cage: in a course that `autograder` has graded it stops instead, at
a kernel `see-the-first-lines-of-nbgrader_config.py`, which nobody has.

`autograder grade` writes feedback pages of its own, with the final mark, comments and points given
by hand; after marking by hand run `autograder grade`, `report` or an `export` of feedback again. A
page of `nbgrader generate_feedback NAME --force` stays as long as it shows the mark and is newer
than the result. Whoever gives points in a formgrader with this configuration is noted in the
gradebook.

Only this course's assignments can be graded with this configuration: another assignment in the
same course directory is refused, not graded in some other way.
"""

c = get_config()  # noqa: F821

# Names, not classes: should they be missing, nbgrader stops instead of grading without a cage.
c.Autograde.exporter_class = "autograder.exchange.nbgrader_plugin.SubmissionExporter"
c.Autograde.sanitize_preprocessors = []
c.Autograde.autograde_preprocessors = [
    "autograder.exchange.nbgrader_plugin.Grade",
    "nbgrader.preprocessors.AssignLatePenalties",
]

# Of formgrader's pages, where a name that a student chose would be markup else.
c.HTMLExporter.preprocessors = ["autograder.exchange.nbgrader_plugin.escape_names"]

# What a student finds in the place of a solution, as in the committed release.
c.ClearSolutions.code_stub = {
    "python": '# YOUR CODE HERE\nraise NotImplementedError("still to be written")'
}

# PostgreSQL wants a course with a name; this is nbgrader's own default.
c.CourseDirectory.course_id = "default_course"
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    ".build.json",  # the builder's notes on what it built
]

try:
    from autograder.exchange.nbgrader_plugin import mend_nbgrader
except ImportError:
    pass  # the names above say so, where it matters
else:
    mend_nbgrader()
