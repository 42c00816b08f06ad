"""The grader: builds the course's notebooks, tests its checks, grades submissions.

A map of the house. A room imports only from rooms that stand above it in this list
(`tests/test_rooms.py` holds the order):

course, results, errors, files   course.toml and results as typed values; exceptions; whole files
sandbox      runs a stranger's code and knows nothing of right and wrong
    inside       all that enters the cage, where no secret is
judging      decides what an answer earns; a change here or in the sandbox outdates marks
checks, mistakes, alternatives   the course's knowledge of right and wrong, a file per assignment
grading      a class: several submissions at a time, here or on a cluster, resumable
records      where results go: nbgrader's gradebook and notebooks, feedback pages, reports
authoring    notebooks built, a new assignment begun, the truth table, the invented class
exchange     in and out of other systems: archives, exports, bundles, nbgrader's own commands
cli          the `autograder` command

Vocabulary: an *exercise* is one graded function or family of functions and has one key
(`lj_force`) everywhere. A *check* is one test, public or hidden. A *mistake* is a known wrong
answer with its hint, an *alternative* a right answer written another way. The *worker* runs a
student's code in the cage; the *judge* holds the checks and decides.
"""

VERSION = "0.2.0"
