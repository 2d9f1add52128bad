"""Counts and moods day by day, as lines with what was usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from groundswell.index.query import Bucket, By, Query
from groundswell.index.store import Reader
from groundswell.ui.report.trends import Band, count_bands, mood_bands

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """Something counted day by day (UTC), with what was usual."""

    days: tuple[datetime, ...]
    values: tuple[float | None, ...]
    bands: tuple[Band | None, ...]

    def last(self, days: int) -> Series:
        """Return the last days only."""
        return Series(self.days[-days:], self.values[-days:], self.bands[-days:])


def volume_series(
    days: Sequence[datetime], buckets: Sequence[Bucket], looked: Sequence[bool] = (), *, shown: int = 0
) -> Series:
    """Return documents a day, of the last days only where `shown` says how many; those before are history.

    Days before the first document do not count as history.
    """
    counts = {bucket.start: float(bucket.count) for bucket in buckets}
    values = [counts.get(day, 0.0) for day in days]
    begun = next((i for i, value in enumerate(values) if value), len(values))
    seen = [i >= begun and (not looked or looked[i]) for i in range(len(values))]
    first = len(values) - shown if shown else 0
    return Series(tuple(days[first:]), tuple(values[first:]), tuple(count_bands(values, seen, first=first)))


def mood_series(days: Sequence[datetime], buckets: Sequence[Bucket]) -> Series:
    """Return the mean mood a day."""
    moods = {bucket.start: bucket.mood for bucket in buckets}
    values = [moods.get(day) for day in days]
    return Series(tuple(days), tuple(values), tuple(mood_bands(values)))


def theme_series(
    reader: Reader, themes: Sequence[str], days: Sequence[datetime], *, now: datetime
) -> dict[str, list[Bucket]]:
    """Return the daily counts of some themes, from one question."""
    found: dict[str, list[Bucket]] = defaultdict(list)
    if themes:
        query = Query(since=days[0], until=now, trusted_dates=True, collapse=True, where={"theme": tuple(themes)})
        for bucket in reader.count(query, By(period="day", fields=("theme",))):
            found[bucket.values[0]].append(bucket)
    return found


def day_axis(now: datetime, days: int) -> tuple[datetime, ...]:
    """Return the begins (UTC) of the last days, today included."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(today - (days - 1 - i) * DAY for i in range(days))


def mean_mood(buckets: Sequence[Bucket]) -> float | None:
    """Return the mean mood of buckets, each weighing as much as it holds."""
    measured = [(bucket.mood, bucket.count) for bucket in buckets if bucket.mood is not None]
    whole = sum(count for _, count in measured)
    return sum(mood * count for mood, count in measured) / whole if whole else None
