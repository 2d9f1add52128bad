"""One stated date becomes a moment, a day, or nothing; only what is understood to the last letter is exact."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from groundswell.crawlers.dates.grammar import Clock, Stated, understand
from groundswell.crawlers.dates.locale import DateLocale, Order
from groundswell.crawlers.dates.relative import ago, ago_without_a_word, day_named
from groundswell.crawlers.dates.tokens import scan
from groundswell.crawlers.dates.words import normalise
from groundswell.crawlers.dates.zones import is_on_the_clock, offset
from groundswell.index.records import DateConfidence

AHEAD = timedelta(hours=1)
"""Clocks differ; whoever is further ahead has not said when something was published."""
FUTURE = timedelta(days=1)
"""A date further ahead than that is a mistake or a lie."""
EASTMOST = timedelta(hours=14)
"""Where a day begins first."""
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
"""Before it there was little web: 1970 and 1900 are empty fields of somebody's database."""
LONGEST_DATE = 120
SERIALS = (30_000.0, 60_000.0)
"""Days of a spreadsheet's calendar, from 1982 to 2064."""
SERIAL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  a spreadsheet's days have no zone
NO_ZONE = "no time zone is stated; set timezone"
Stamp = str | int | float | datetime | date | None

ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(?:(z)|([+-])(\d\d):?(\d\d)?)?)?"
)
DATED_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)(?:z|[+-]\d\d:\d\d)")
WEEK = re.compile(r"(\d{4})-?w(\d\d)-?(\d)(?=$|t)")
COMPACT = re.compile(r"(\d{8})(\d{4}|\d{6})(?=$|[^\d])")
NUMBER = re.compile(r"@?(\d{9,19}(?:\.\d+)?|\d\.\d+e\+?\d+)")
DOTNET = re.compile(r"\\?/date\((-?\d+)(?:[+-]\d{4})?\)\\?/")
SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
DIRECTIVES = re.compile(r"%-?([a-zA-Z])")
# A number is seconds since 1970 from 1973 on; above the year 5138 it is in thousandths, or thousandths of those.
FIRST_SECONDS, LAST_SECONDS, LAST_NANOSECONDS = 1e8, 1e11, 1e20


@dataclass(frozen=True, slots=True)
class When:
    """A time (aware UTC or ``None``), its confidence, and why it is not trusted (to the minute).

    The time of a ``day`` is 00:00 UTC of the day that was stated: a calendar day is the same in every zone. `day` is
    the day and `wall` the clock as stated; `zoned` tells that the zone was stated too, not taken from the source.
    """

    at: datetime | None = None
    confidence: DateConfidence = "none"
    why: str = ""
    day: date | None = None
    zoned: bool = False
    wall: datetime | None = None


def read_date(
    stamp: Stamp,
    *,
    now: datetime,
    locale: DateLocale = DateLocale(),  # noqa: B008  frozen
    pattern: str = "",
    inferred: bool = False,
) -> When:
    """Return when a stamp says something was published.

    Args:
        stamp: text in any spelling of our languages, seconds or milliseconds since 1970, or a date of Python's.
        now: the moment of reading. What is dated later was misread or mislabelled: up to a day ahead it counts as just
            published (``inferred``), further ahead it is nothing.
        locale: what the source's dates leave unsaid.
        pattern: ``strptime`` format; text of another form is read only if its day and month stand in the same order.
        inferred: the stamp was guessed from a page, so it is at most ``inferred``.
    """
    if stamp is None or stamp == "":
        return When(why="no date")
    try:
        when = _bounded(_read(stamp, now, locale, pattern), now)
    except (ValueError, OverflowError, OSError, TypeError):
        when = When(why="not a date")
    if when.at is None:
        return replace(when, why=f"{when.why}: {str(stamp)[:80]!r}")
    return replace(when, confidence="inferred") if inferred else when


def _read(stamp: str | float | datetime | date, now: datetime, locale: DateLocale, pattern: str) -> When:
    if isinstance(stamp, str):
        return _said(stamp, now, locale, pattern)
    if isinstance(stamp, datetime):
        return _placed(stamp.date(), _clock_of(stamp), stamp.tzinfo, locale)
    if isinstance(stamp, date):
        return _day(stamp)
    return When(why="not a date") if isinstance(stamp, bool) else _number(float(stamp), locale)


def _said(stamp: str, now: datetime, locale: DateLocale, pattern: str) -> When:
    if len(stamp) > 4 * LONGEST_DATE or len(text := normalise(stamp)) > LONGEST_DATE:
        return When(why="too long for a date")
    if pattern and (when := _by_pattern(stamp.strip(), pattern, locale)):
        return when
    return _text(text, now, replace(locale, order=locale.order or order_of(pattern)))


def _text(text: str, now: datetime, locale: DateLocale) -> When:
    """Read a normalised text: the machine's spellings first, then by grammar."""
    if found := ISO.fullmatch(text):
        return _iso(found, locale)
    if found := DATED_ZONE.fullmatch(text):
        return _day(date.fromisoformat(found[1]))
    if (found := COMPACT.match(text)) and text[:2] in {"19", "20"}:
        text = f"{found[1]}t{found[2]}{text[found.end() :]}"
    if found := NUMBER.fullmatch(text):
        return _number(float(found[1]), locale)
    if found := DOTNET.fullmatch(text):
        return _number(float(found[1]), locale)
    if locale.serials and SERIAL.fullmatch(text):
        return _number(float(text), locale)
    if found := WEEK.match(text):
        text = date.fromisocalendar(int(found[1]), int(found[2]), int(found[3])).isoformat() + text[found.end() :]
    return _relative(text, now, locale) or _grammatical(text, now, locale)


def _grammatical(text: str, now: datetime, locale: DateLocale) -> When:
    stated = understand(scan(text), locale, today=(now + EASTMOST).date())
    if stated.day is None:
        return When(why=stated.why)
    if stated.yearless:
        return _yearless(stated, locale)
    return _from_parts(stated, locale)


def _yearless(stated: Stated, locale: DateLocale) -> When:
    """Return the latest such day; whoever leaves the year away leaves us a guess."""
    when = _from_parts(stated, locale)
    return replace(when, confidence="inferred", why="the year is not stated")


def _from_parts(stated: Stated, locale: DateLocale) -> When:
    if stated.day is None:
        return When(why=stated.why)
    if stated.doubt:
        return _day(stated.day, stated.doubt)
    return _placed(stated.day, stated.clock, stated.zone, locale)


def _placed(day: date, clock: Clock | None, zone: tzinfo | None, locale: DateLocale) -> When:
    """Return the moment of a wall clock, or the day where its zone is not known or its clocks were just turned."""
    if clock is None:
        return _day(day)
    where = zone or locale.zone
    if where is None:
        return _day(day, NO_ZONE)
    at = datetime.combine(day, time()) + timedelta(seconds=clock.seconds, microseconds=clock.micro)
    if not is_on_the_clock(at, where):
        return _day(day, "the clocks were turned in that hour")
    moment = at.replace(tzinfo=where).astimezone(UTC)
    return When(moment, "exact", day=day, zoned=zone is not None, wall=at)


def _day(day: date, why: str = "") -> When:
    return When(datetime.combine(day, time(), UTC), "day", why, day=day)


def _clock_of(at: datetime) -> Clock:
    return Clock(at.hour * 3600 + at.minute * 60 + at.second, at.microsecond)


def _iso(found: re.Match[str], locale: DateLocale) -> When:
    year, month, day, hour, minute, second, fraction, zulu, sign, east, odd = found.groups()
    try:
        stated = date(int(year), int(month), int(day))
    except ValueError:
        return _buddhist_iso(found, locale)
    if not 1900 <= stated.year <= 2400:
        return _buddhist_iso(found, locale)
    if hour is None:
        return _day(stated)
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if int(minute) > 59 or int(second or 0) > 60 or seconds > 86400:
        return _day(stated, "its time of day is not understood")
    minutes = int(east or 0) * 60 + int(odd or 0)
    if minutes > 14 * 60 or int(odd or 0) > 59:
        return _day(stated, "its time zone is not known")
    zone = UTC if zulu else offset((-minutes if sign == "-" else minutes) / 60) if sign else None
    return _placed(stated, Clock(seconds, int((fraction or "0")[:6].ljust(6, "0"))), zone, locale)


def _buddhist_iso(found: re.Match[str], locale: DateLocale) -> When:
    """Leave to the grammar what has another year, or no such day in ours (29 February 2567 is of the Buddhist era)."""
    stated = understand(scan(found[0]), locale, today=date(2100, 1, 1))
    return _from_parts(stated, locale)


def _number(value: float, locale: DateLocale) -> When:
    """Return the moment of seconds, milli-, micro- or nanoseconds since 1970, or the day of a spreadsheet."""
    if not math.isfinite(value) or value < 0:
        return When(why="not a date")
    if locale.serials and SERIALS[0] <= value < SERIALS[1]:
        return _serial(value, locale)
    if value < FIRST_SECONDS or value > LAST_NANOSECONDS:
        return When(why="not a date: a number that is no time since 1970")
    while value > LAST_SECONDS:
        value /= 1000
    at = datetime.fromtimestamp(value, UTC)
    return When(at, "exact", day=at.date(), zoned=True)


def _serial(value: float, locale: DateLocale) -> When:
    """Return a spreadsheet's day, with the time of its fraction to the nearest second."""
    at = SERIAL_EPOCH + timedelta(seconds=round(value * 86400))
    return _placed(at.date(), _clock_of(at) if value % 1 else None, None, locale)


def _relative(text: str, now: datetime, locale: DateLocale) -> When | None:
    """Read what counts from now; never exact."""
    since = ago(text)
    since = ago_without_a_word(text, locale.lang) if since is None else since
    if since is not None:
        at = now - since
        return When(at, "inferred", "counted from the visit", day=at.date())
    if (named := day_named(text, now.astimezone(locale.zone or UTC).date())) is None:
        return None
    day, rest = named
    when = _grammatical(f"{day.isoformat()} {rest}".strip(), now, locale)
    whole = when.confidence == "exact" or not rest or when.why == NO_ZONE
    if when.at is None or when.day != day or not whole:
        return When(why="not a date")
    return replace(when, confidence="inferred", why="counted from the visit")


def _by_pattern(text: str, pattern: str, locale: DateLocale) -> When | None:
    """Read by a strptime format; ``None`` where the text has another form."""
    try:
        at = datetime.strptime(text, pattern)  # noqa: DTZ007  the zone is added when placed
    except ValueError:
        return None
    if EARLIEST.year + 543 <= at.year:
        at = at.replace(year=at.year - 543)
    has_time = bool({"H", "I", "c", "X", "T", "s"} & set(DIRECTIVES.findall(pattern)))
    return _placed(at.date(), _clock_of(at) if has_time else None, at.tzinfo, locale)


def order_of(pattern: str) -> Order:
    """Return the order in which a strptime format has day, month and year."""
    letters = {"d": "d", "e": "d", "m": "m", "b": "m", "B": "m", "y": "y", "Y": "y"}
    order = "".join(dict.fromkeys(letters[each] for each in DIRECTIVES.findall(pattern) if each in letters))
    return order if order in {"dmy", "mdy", "ymd"} else ""  # type: ignore[return-value]  # one of three literals


def _bounded(when: When, now: datetime) -> When:
    """Return a date that lies between the first web pages and now, or why it does not.

    A first sighting bounds a date: nothing was published after it was read.
    """
    if when.at is None:
        return when
    if when.at < EARLIEST:
        return When(why=f"before {EARLIEST.year}")
    if when.confidence == "day":
        return when if when.at.date() <= (now + EASTMOST).date() else When(why="in the future")
    if when.at > now + FUTURE:
        return When(why="in the future")
    if when.at > now + AHEAD:
        ahead = f"{(when.at - now) / timedelta(hours=1):.1f} hours ahead of the visit: counted as just published"
        return replace(when, at=now, confidence="inferred", why=ahead)
    return when
