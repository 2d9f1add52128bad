"""The best of several statements about one moment of publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Literal

from groundswell.crawlers.dates.locale import DateLocale
from groundswell.crawlers.dates.read import Stamp, When, read_date

By = Literal["list", "page"]
What = Literal["published", "updated", "guess"]
RANK: dict[tuple[By, What], int] = {
    ("list", "published"): 0,
    ("page", "published"): 1,
    ("list", "updated"): 2,
    ("page", "updated"): 3,
    ("list", "guess"): 4,
    ("page", "guess"): 5,
}
"""Whom to believe first: what feed or sitemap calls the publication, then what the page does; touches of an old text
and guesses only where nothing else can be used."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A date that somebody states: `by` the list that names the item or its page; `what` it is the date of."""

    stamp: Stamp
    by: By = "list"
    what: What = "published"


def choose_date(
    statements: Sequence[Statement], *, now: datetime, locale: DateLocale, pattern: str = ""
) -> tuple[When, Stamp]:
    """Return when something was published, and the statement that says so (else the first there is).

    The first usable statement by rank decides the day; of all that speak of the publication on that day the most
    complete wins, whatever its place: one with zone and minute before one without.
    """
    given = sorted(
        (each for each in statements if each.stamp not in (None, "")), key=lambda each: RANK[each.by, each.what]
    )
    read = [(each, _read(each, now, locale, pattern)) for each in given]
    usable = [(each, when) for each, when in read if when.at is not None]
    if not usable:
        return (read[0][1], read[0][0].stamp) if read else (When(why="no date"), None)
    base, first = usable[0]
    rivals = [(each, when) for each, when in usable if each.what == base.what and _agree(first, when)]
    best, when = max(rivals, key=lambda pair: _completeness(pair[1]))
    for other, rival in rivals:
        if _mislabelled(when, rival):
            return rival, other.stamp
    return when, best.stamp


def _mislabelled(when: When, rival: When) -> bool:
    """Return whether a date calls UTC what a rival says is another zone's: some systems put Z behind any clock."""
    same_clock = rival.zoned and rival.wall is not None and rival.wall == when.wall
    return same_clock and when.zoned and rival.at != when.at and when.at == _utc(when.wall)


def _utc(wall: datetime | None) -> datetime | None:
    return wall and wall.replace(tzinfo=UTC)


def _read(statement: Statement, now: datetime, locale: DateLocale, pattern: str) -> When:
    rule = pattern if statement.by == "list" else ""
    when = read_date(statement.stamp, now=now, locale=locale, pattern=rule)
    guessed = statement.what == "guess" or (statement.by == "page" and statement.what == "updated")
    return replace(when, confidence="inferred") if guessed and when.at is not None else when


def _completeness(when: When) -> tuple[bool, bool, bool, bool]:
    """Return a key: exact before a day, a real time before midnight, a stated zone before one that is filled in."""
    clock = when.wall or when.at
    midnight = clock is not None and clock.time() == time()
    return (when.confidence == "exact", when.confidence != "day", not midnight, when.zoned)


def _agree(first: When, other: When) -> bool:
    """Return whether two dates are of the same day, as stated or in UTC."""
    if first is other or first.day == other.day:
        return True
    return bool(first.at and other.at and "day" not in {first.confidence, other.confidence} and first.at == other.at)
