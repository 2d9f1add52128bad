"""When something was published, and how far that can be trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime

from dateutil import parser as dateutil_parser

from groundswell.index.records import DateConfidence

FUTURE = timedelta(days=1)
"""Clocks and time zones are wrong by hours; a date further ahead is a mistake or a lie."""
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
"""Before it there was little web: 1970 and 1900 are empty fields of somebody's database."""
DAY_ONLY = re.compile(r"^\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s*$|^\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\s*$|^\s*\d{8}\s*$")
TWO_NUMBERS = re.compile(r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}\b")
NUMBER = re.compile(r"^\s*\d{9,16}(\.\d+)?\s*$")
LONGEST = 80
Stamp = str | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class When:
    """A time (aware UTC or ``None``), its confidence, and why it is not trusted."""

    at: datetime | None = None
    confidence: DateConfidence = "none"
    why: str = ""


def read_date(stamp: Stamp, *, now: datetime, zone: tzinfo = UTC, pattern: str = "", inferred: bool = False) -> When:
    """Return when a stamp says something was published.

    Args:
        stamp: ISO 8601, RFC 2822, seconds or milliseconds since 1970, or ``strptime`` text with `pattern`.
        now: a date more than a day later is not trusted.
        zone: of stamps that name none.
        pattern: ``strptime`` format.
        inferred: the stamp was guessed from a page, so it is at most ``inferred``.
    """
    if stamp is None or stamp == "":
        return When(why="no date")
    try:
        at, day_only = _parse(stamp, zone, pattern)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return When(why=f"not a date: {str(stamp)[:LONGEST]!r}")
    if at > now + FUTURE:
        return When(why=f"in the future: {at.isoformat()}")
    if at < EARLIEST:
        return When(why=f"before 1995: {at.isoformat()}")
    return When(at, "inferred" if inferred else "day" if day_only else "exact")


def _parse(stamp: str | float | datetime, zone: tzinfo, pattern: str) -> tuple[datetime, bool]:
    if isinstance(stamp, datetime):
        return _aware(stamp, zone), False
    if isinstance(stamp, (int, float)) or NUMBER.match(stamp):
        return _epoch(float(stamp)), False
    text = stamp.strip()[:LONGEST]
    day_only = bool(DAY_ONLY.match(text))
    if pattern:
        return _aware(datetime.strptime(text, pattern), zone), day_only  # noqa: DTZ007  _aware adds the zone
    return _aware(_text(text), zone), day_only


def _text(text: str) -> datetime:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except (ValueError, TypeError, IndexError):  # email.utils raises any of these on odd text
            continue
    return _lenient(text)


def _lenient(text: str) -> datetime:
    """Read other spellings, but only where year, month and day are all given and cannot be confused."""
    if (pair := TWO_NUMBERS.match(text)) and int(pair[1]) <= 12 and int(pair[2]) <= 12 and pair[1] != pair[2]:
        raise ValueError("03/04 may be March or April; set date_format")
    first, second = (dateutil_parser.parse(text, default=base) for base in (datetime(2000, 1, 1), datetime(2003, 2, 2)))  # noqa: DTZ001  only compared
    if first.date() != second.date():
        raise ValueError("not a whole date")
    return first


def _epoch(value: float) -> datetime:
    if value > 1e17:
        raise ValueError("too large for microseconds")
    while value > 1e11:  # milliseconds, microseconds
        value /= 1000
    return datetime.fromtimestamp(value, UTC)


def _aware(at: datetime, zone: tzinfo) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=zone)
