"""Which sources we were really looking at, day by day: a fall where nobody looked is not calm, it is unseen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from typing import Literal

from groundswell.index.groups import NOT_WHOLE, SEEN
from groundswell.index.query import By, Query
from groundswell.index.records import CrawlRun
from groundswell.index.store import Reader
from groundswell.ui.report.tongue import tr
from groundswell.ui.report.wording import number, plural

State = Literal["ok", "bad", "idle", "before"]
"""Posts or a good visit · failed or improbably silent · silent, as it may be · not yet known."""
CHANCE = 0.0002
"""A silence less likely than this, as the source usually posts, is a gap: a board looks at thousands of days."""
KNOWN = 10
"""Posts from which it can be said how a source usually posts."""
NOTICED = 0.04
"""A day is hatched when sources that usually bring this share of all posts were not seen."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One source on one day (UTC)."""

    day: datetime
    state: State
    posts: int
    usual: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One source over the days, with its last visit."""

    source: str
    cells: tuple[Cell, ...]
    last: CrawlRun | None = None

    @property
    def bad_days(self) -> int:
        """Return on how many days it was not seen."""
        return sum(cell.state == "bad" for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All sources over the same days."""

    days: tuple[datetime, ...]
    rows: tuple[Row, ...]

    def unseen(self) -> list[tuple[str, ...]]:
        """Return for each day the sources that were not seen, where together they matter."""
        return [self._unseen(i) for i in range(len(self.days))]

    def _unseen(self, day: int) -> tuple[str, ...]:
        bad = [row for row in self.rows if row.cells[day].state == "bad"]
        lost = sum(row.cells[day].usual for row in bad)
        whole = sum(row.cells[day].usual for row in self.rows)
        return tuple(row.source for row in bad) if bad and (not whole or lost >= NOTICED * whole) else ()

    def last(self, days: int) -> Coverage:
        """Return the same for the last days only."""
        rows = tuple(Row(row.source, row.cells[-days:], row.last) for row in self.rows)
        return Coverage(self.days[-days:], rows)


@dataclass(frozen=True, slots=True)
class _Visits:
    """What came of the visits to one source on one day, and the first of the failed ones where it is known."""

    count: int = 0
    failed: int = 0
    seen: int = 0
    reason: str = ""


NO_VISITS = _Visits()


def coverage(reader: Reader, *, now: datetime, days: int, shown: datetime | None = None) -> Coverage:
    """Return what was seen of each source on each of the last days (UTC), today included.

    Visits are counted, and only those that failed are read.

    Args:
        reader: the store.
        now: the moment that is told of.
        days: how many; what is usual is told from all of them.
        shown: from whose day on days are returned; by default all.
    """
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    axis = tuple(first + timedelta(days=i) for i in range(days))
    posts: dict[str, dict[datetime, int]] = defaultdict(dict)
    for bucket in reader.count(Query(since=first, until=now, trusted_dates=True), By(period="day", fields=("source",))):
        if bucket.start is not None:
            posts[bucket.values[0]][bucket.start] = bucket.copies
    until = now + timedelta(microseconds=1)
    last = {run.source: run for run in reader.latest(CrawlRun, until=until)}
    begin = max(first, midnight(shown or first))
    visits = _visits(reader, begin, until, first)
    names = sorted(set(posts) | set(last))
    told = axis[(begin - first).days :]
    rows = (
        Row(name, _cells(axis, told, posts.get(name, {}), visits.get(name, {}), now), last.get(name)) for name in names
    )
    return Coverage(told, tuple(rows))


def midnight(moment: datetime) -> datetime:
    """Return when the day (UTC) of a moment began."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _visits(
    reader: Reader, since: datetime, until: datetime, first: datetime
) -> Mapping[str, Mapping[datetime, _Visits]]:
    """Return the visits to each source by day since the first, with reasons of those since a day."""
    unfinished = tr("not whole: {why}")
    reasons = {
        (run.source, midnight(run.started_at)): run.error or run.complaint or unfinished.format(why=run.remark)
        for run in reader.select(CrawlRun, states=NOT_WHOLE, since=since, until=until)  # newest first: the oldest stays
    }
    counts: dict[tuple[str, datetime], Counter[str]] = defaultdict(Counter)
    for one in reader.tally(CrawlRun, since=first, until=until):
        counts[one.subject, one.day][one.state] += one.count
    found: dict[str, dict[datetime, _Visits]] = defaultdict(dict)
    for (source, day), states in counts.items():
        failed, seen = sum(states[one] for one in NOT_WHOLE), sum(states[one] for one in SEEN)
        found[source][day] = _Visits(states.total(), failed, seen, reasons.get((source, day), ""))
    return found


def _cells(
    axis: Sequence[datetime],
    told: Sequence[datetime],
    posts: Mapping[datetime, int],
    visited: Mapping[datetime, _Visits],
    now: datetime,
) -> tuple[Cell, ...]:
    """Return what was seen of a source on the days that are told, judged by all days of the axis."""
    counts = [posts.get(day, 0) for day in axis]
    visits = [visited.get(day, NO_VISITS) for day in axis]
    begun = next((i for i, count in enumerate(counts) if count or visits[i].count), len(axis))
    silent, total, empty = _silences(counts, begun), sum(counts), counts[begun:].count(0)
    cells = []
    for i, day in enumerate(told, len(axis) - len(told)):
        others = max(1, len(axis) - begun - silent[i])  # a gap must not lower the rate it is judged by
        usual, quiet = total / others, (empty - silent[i]) / others
        whole = day + timedelta(days=1) <= now
        missed = whole and total >= KNOWN and _empty_day(usual, quiet) ** silent[i] < CHANCE
        cells.append(_cell(day, counts[i], usual, visits[i], before=i < begun, missed=missed))
    return tuple(cells)


def _empty_day(usual: float, quiet: float) -> float:
    """Return how likely a day without posts is.

    Args:
        usual: posts a day; if they came at random, e^-usual of the days would be empty.
        quiet: share of the other days that are empty, which is more where a source posts in bursts, as newsrooms do.
    """
    return max(exp(-usual), quiet)


def _silences(counts: Sequence[int], begun: int) -> list[int]:
    """Return for each day the length of the run of empty days it stands in (0 where there were posts)."""
    lengths = [0] * len(counts)
    start = begun
    for i in range(begun, len(counts) + 1):
        if i < len(counts) and counts[i] == 0:
            continue
        for j in range(start, i):
            lengths[j] = i - start
        start = i + 1
    return lengths


def _cell(day: datetime, posts: int, usual: float, visits: _Visits, *, before: bool, missed: bool) -> Cell:
    if before:
        return Cell(day, "before", posts, 0.0, tr("not watched yet"))
    if visits.failed and visits.failed == visits.count:
        return Cell(day, "bad", posts, usual, f"{plural(posts, 'post')}; {visits.reason}")
    if posts == 0 and missed and not visits.seen:
        missing = tr("no posts where about {count} a day are usual").format(count=number(round(usual, 1)))
        return Cell(day, "bad", posts, usual, missing)
    return Cell(day, "ok" if posts or visits.count else "idle", posts, usual, plural(posts, "post"))
