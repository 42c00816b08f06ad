"""When a submission came in."""

from __future__ import annotations

import logging
import os
import warnings
from datetime import datetime
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.files import plain
from autograder.judging.submission import read_file

log = logging.getLogger(__name__)


def submission_time(folder: Path) -> tuple[datetime | None, str, list[str]]:
    """When a submission came in by its `timestamp.txt`, that file's text, and what is wrong."""
    from nbgrader.utils import parse_utc

    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None, "", []
    try:
        text = read_file(folder, path.name)[:1000].decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dateutil, about time zones it does not know
            moment = parse_utc(text.strip())
        if isinstance(moment, datetime):
            return moment, text, []
    except (SubmissionError, ValueError, OverflowError, TypeError, AttributeError):
        pass
    log.warning("%s is no time and is ignored", plain(str(path)))
    return None, "", ["timestamp.txt is no time and was ignored"]
