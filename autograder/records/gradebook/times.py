"""When a submission came in.

A `timestamp.txt` may be a student's own, so nothing in it may stop the class: it is a time whose
every part is certain, or it is none and a remark says why.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from autograder.files import plain
from autograder.judging.notebook_file import read_file

log = logging.getLogger(__name__)

TIMESTAMP = "timestamp.txt"
_ZONE = re.compile(r"[ \t]+([A-Za-z_]+(?:/[\w+-]+)+)$")
_OFFSET = re.compile(r"(?<![A-Za-z])(?:UTC|GMT|UT|Z)(?=[+-]\d)")
"""`UTC+3`, whose sign dateutil turns round."""
_YEAR_FIRST = re.compile(r"\d{4}")
_HOURS = {"UTC": 0, "GMT": 0, "UT": 0, "Z": 0}
_HOURS |= {"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
"""Abbreviations that only one zone has. PST is one in California and another in Manila."""


class Uncertain(ValueError):
    """A time that may be several, or none; the message says why, after the file's name."""


class CameIn(NamedTuple):
    """What a `timestamp.txt` says."""

    moment: datetime | None
    """In UTC, without a zone as nbgrader has it; None where it says none."""
    text: str
    """The file as it is; "" where it says none."""
    remarks: list[str]
    """Why it says none."""


def submission_time(folder: Path) -> CameIn:
    """When the submission in a folder came in, by its `timestamp.txt`."""
    path = folder / TIMESTAMP
    if not os.path.lexists(path):
        return CameIn(None, "", [])
    why = "is no time"
    try:
        text = read_file(folder, path.name)[:1000].decode()
        return CameIn(parse_time(text), text, [])
    except Uncertain as error:
        why = plain(str(error))
    except Exception as error:  # whatever a student's file holds is that student's matter alone
        log.debug("%s: %s", path, error)
    _say(plain(str(path)), why)
    return CameIn(None, "", [f"timestamp.txt {why} and was ignored"])


@functools.cache  # many ask, in one run
def _say(path: str, why: str) -> None:
    log.warning("%s %s and is ignored", path, why)


def parse_time(text: str, zone: tzinfo = UTC) -> datetime:
    """A point in time, in UTC and without a zone as nbgrader has it; ValueError where none is told.

    A time without a zone is in `zone`; one whose zone, or whose day, is not certain is refused.
    """
    from dateutil.parser import parse  # type: ignore[import-untyped]

    text = _OFFSET.sub("", text.strip())
    if named := _ZONE.search(text):
        zone, text = _zone(named[1]), text[: named.start()]

    def known(name: str | None, offset: int | None) -> int | None:
        if name is None:
            return offset
        if name not in _HOURS:
            raise _unknown(name)
        return 3600 * _HOURS[name]

    def read(default: datetime, **order: bool) -> datetime:
        return parse(text, tzinfos=known, default=default, **order)

    moment = read(datetime(2000, 1, 1))
    if moment != read(datetime(2001, 2, 2)):
        raise ValueError("year, month and day are not all there")
    orders = () if _YEAR_FIRST.match(text) else ("dayfirst", "yearfirst")
    if any(read(datetime(2000, 1, 1), **{order: True}) != moment for order in orders):
        raise Uncertain("may be two days (write 2026-11-20 18:00, say)")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).replace(tzinfo=None)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise _unknown(name) from None


def _unknown(zone: str) -> Uncertain:
    return Uncertain(f"names the time zone {zone}, which is not known (write +0100, say),")
