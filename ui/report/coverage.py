"""Which sources we were really looking at, day by day: a fall where nobody looked is not calm, it is unseen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from typing import Literal

from groundswell.index.query import By, Query
from groundswell.index.records import CrawlRun
from groundswell.index.store import Reader
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


def coverage(reader: Reader, *, now: datetime, days: int) -> Coverage:
    """Return what was seen of each source on each of the last days (UTC), today included."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    axis = tuple(first + timedelta(days=i) for i in range(days))
    posts: dict[str, dict[datetime, int]] = defaultdict(dict)
    for bucket in reader.count(Query(since=first, until=now, trusted_dates=True), By(period="day", fields=("source",))):
        if bucket.start is not None:
            posts[bucket.values[0]][bucket.start] = bucket.copies
    runs: dict[str, list[CrawlRun]] = defaultdict(list)
    for run in reader.recent(CrawlRun, limit=20_000):
        if run.started_at <= now:
            runs[run.source].append(run)
    names = sorted(set(posts) | set(runs))
    return Coverage(axis, tuple(_row(name, axis, posts.get(name, {}), runs.get(name, []), now) for name in names))


def _row(
    source: str, axis: Sequence[datetime], posts: Mapping[datetime, int], runs: Sequence[CrawlRun], now: datetime
) -> Row:
    counts = [posts.get(day, 0) for day in axis]
    by_day: dict[datetime, list[CrawlRun]] = defaultdict(list)
    for run in runs:
        by_day[run.started_at.replace(hour=0, minute=0, second=0, microsecond=0)].append(run)
    visits = [by_day.get(day, []) for day in axis]
    begun = next((i for i, count in enumerate(counts) if count or visits[i]), len(axis))
    silent = _silences(counts, begun)
    cells = []
    for i, day in enumerate(axis):
        others = max(1, len(axis) - begun - silent[i])  # a gap must not lower the rate it is judged by
        usual, quiet = sum(counts) / others, (counts[begun:].count(0) - silent[i]) / others
        whole = day + timedelta(days=1) <= now
        missed = whole and sum(counts) >= KNOWN and _empty_day(usual, quiet) ** silent[i] < CHANCE
        cells.append(_cell(day, counts[i], usual, visits[i], before=i < begun, missed=missed))
    return Row(source, tuple(cells), max(runs, key=lambda run: run.started_at, default=None))


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


def _cell(day: datetime, posts: int, usual: float, visits: Sequence[CrawlRun], *, before: bool, missed: bool) -> Cell:
    failed = [run for run in visits if run.error or run.complaint or run.cut]
    looked = any(run.found and not run.error for run in visits)
    if before:
        return Cell(day, "before", posts, 0.0, "not watched yet")
    if failed and len(failed) == len(visits):
        reason = failed[-1].error or failed[-1].complaint or f"not whole: {failed[-1].remark}"
        return Cell(day, "bad", posts, usual, f"{plural(posts, 'post')}; {reason}")
    if posts == 0 and missed and not looked:
        return Cell(day, "bad", posts, usual, f"no posts where about {number(round(usual, 1))} a day are usual")
    return Cell(day, "ok" if posts or visits else "idle", posts, usual, plural(posts, "post"))
