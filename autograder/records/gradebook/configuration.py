"""What the course's own `nbgrader_config.py` says, and what being late costs by it."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.files import plain

from .marks import Mark

log = logging.getLogger(__name__)

_ROUNDING = 1e-6


def configuration(course_dir: Path) -> Any:
    """The file as traitlets reads it; CourseError where it stops."""
    from traitlets.config import Config
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    class Strict(PyFileConfigLoader):
        """nbgrader passes over a file that is not there, and grades without a cage then."""

        def load_subconfig(self, fname: str, path: str | None = None) -> None:
            try:
                self.config.merge(type(self)(fname, path or self.path).load_config())
            except ConfigFileNotFound:
                raise CourseError(
                    f"{self.full_filename}: load_subconfig names {fname}, which is not there"
                ) from None

    path = course_dir / "nbgrader_config.py"
    if not path.is_file():
        return Config()
    try:
        with _importable(course_dir):
            return Strict(path.name, path=str(course_dir)).load_config()
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"{path} stopped with {type(error).__name__}: {error}") from None


@contextlib.contextmanager
def _importable(course_dir: Path) -> Iterator[None]:
    """A module beside the configuration, as where nbgrader is started in that folder."""
    folder = str(course_dir.resolve())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


class Penalties:
    """What being late costs, by the plugin that nbgrader's AssignLatePenalties would ask."""

    def __init__(self, config: Any, course_dir: Path) -> None:
        from nbgrader.preprocessors import AssignLatePenalties

        try:
            with _importable(course_dir):
                assigning = AssignLatePenalties(config=config)
                assigning.init_plugin()
        except Exception as error:
            raise CourseError(f"nbgrader_config.py: late penalties: {error}") from None
        self._plugin = assigning.plugin_inst

    def of(
        self, student: str, score: float, handed_in: datetime | None, due: datetime | None
    ) -> float | None:
        """Between nothing and the whole score; None for who is not late."""
        if handed_in is None or due is None or handed_in <= due:
            return None
        try:
            late = (handed_in - due).total_seconds()
            penalty = self._plugin.late_submission_penalty(student, score, late)
            if penalty is None:
                return None
            penalty = float(penalty)
            if math.isnan(penalty):
                raise ValueError("it gave no number")
        except Exception as error:  # the course's own plugin; one student must not stop the class
            log.error("%s has no late penalty: its plugin stopped with %r", plain(student), error)
            return None
        return min(max(penalty, 0.0), score)

    def renewed(self, mark: Mark) -> Mark:
        """With what being late costs by now: since it was graded somebody may have given points by
        hand, more time or another due date."""
        if mark.handed_in is None or mark.due is None:
            return mark
        penalty = self.of(mark.student, mark.points, mark.handed_in, mark.due)
        if penalty is None and mark.handed_in > mark.due:
            return mark  # nbgrader's own command may know of a penalty that the course does not
        same = abs((penalty or 0.0) - mark.penalty) < _ROUNDING
        return mark if same else mark._replace(penalty=penalty or 0.0)
