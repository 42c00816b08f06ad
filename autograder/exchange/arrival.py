"""When submissions came in, as far as an archive tells."""

from __future__ import annotations

import statistics
from collections.abc import Set
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.errors import CourseError
from autograder.records.gradebook.configuration import configuration

from .layouts import OWN, Layout


def arrivals(found: Layout, made: datetime, zone: tzinfo) -> tuple[dict[str, datetime], list[str]]:
    """By label, when each came in by the times of the files, in UTC without a zone, where nothing
    else says so; and what to know of the archive's times. `made` is when it was packed."""
    times = {} if found.system in OWN else _by_files(found, zone)
    remarks = []
    if times and _at_once([*times.values()], made):
        times = {}
        remarks.append(
            "the times of the files may be those of the download and are not believed: nobody "
            "is late by them"
        )
    if zone is UTC and _zoneless(found, times.keys()):
        remarks.append(
            "times that tell no zone were read as UTC. Where that makes anybody late, set "
            "c.Exchange.timezone in nbgrader_config.py and collect again: the earlier counts"
        )
    return {label: m.astimezone(UTC).replace(tzinfo=None) for label, m in times.items()}, remarks


def _by_files(found: Layout, zone: tzinfo) -> dict[str, datetime]:
    times = {}
    for handed in (one for one in found.people if not one.times):
        moments = [f.time for files in handed.attempts.values() for f in files if f.time]
        if moments:
            times[handed.label] = max(m if m.tzinfo else m.replace(tzinfo=zone) for m in moments)
    return times


def _at_once(moments: list[datetime], made: datetime) -> bool:
    """Whether these may be when the archive was made, which many platforms write there: then most
    are the same and none is later."""
    stamps = sorted(moment.timestamp() for moment in moments)
    if len(stamps) > 2:
        return stamps[-1] - statistics.quantiles(stamps, n=10)[0] < 1800
    return made - max(moments) < timedelta(hours=15)


def _zoneless(found: Layout, told: Set[str]) -> bool:
    """Whether times were taken that tell no zone: those in names, and some of files."""
    if found.system in ("Brightspace", "Blackboard"):
        return any(handed.times for handed in found.people)
    by_file = (handed.attempts.values() for handed in found.people if handed.label in told)
    times = (file.time for attempts in by_file for files in attempts for file in files)
    return any(time is not None and time.tzinfo is None for time in times)


def course_zone(course_dir: Path) -> tzinfo:
    """The course's own, `c.Exchange.timezone` of its nbgrader_config.py; UTC else."""
    name = configuration(course_dir).Exchange.get("timezone")
    try:
        return ZoneInfo(name) if name else UTC
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(f"nbgrader_config.py: {name} is no time zone") from None
