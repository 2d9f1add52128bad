"""A scan statistic: how surprising is the number of texts in a group now, given the group's own past and the volume?

A *group* is any set of documents whose membership is known the moment a document arrives: the ball around a text, the
documents with a word, those of a theme. Groups are tested whenever one of them grows, at the end of that hour.

The statistic is an expectation-based scan over the newest windows (Neill 2009, after Kulldorff 1997): the group's own
past, scaled by the stream's volume, is what is expected, and the tail is that of a negative binomial, as outbreak
detection has it for uneven counts (Noufaily et al. 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from groundswell.nlp.signals.detect.neighbours import DAY, GAP, HISTORY, Rows

WINDOWS = (12.0, 24.0, 72.0)
"""Hours looked at: half a day for what breaks out, three days for what seeps in."""
PRIOR_COUNT = 0.5
"""Documents that a group without any past is credited with."""
PRIOR_SPREAD = 0.15
"""Dispersion of a group without enough past: variance = mean + spread · mean²."""
PRIOR_WINDOWS = 6.0
"""How many earlier windows the prior dispersion is worth."""
FEWEST = 3
"""Documents that a window needs at least."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The past that a window is compared with: so many hours, and a gap before the window (both in hours)."""

    history: float
    gap: float


LONG = Baseline(HISTORY, GAP)
"""Five weeks: what is rare needs long to be known."""
SHORT = Baseline(14 * DAY, DAY)
"""Two weeks, for groups that live on: a subject that has been fading swells against what it is now."""


@dataclass(frozen=True, slots=True)
class ScanTests:
    """Tests that were made: one row for each group, hour and window; columns of equal length."""

    group: NDArray[Any]
    at: NDArray[Any]
    window: NDArray[Any]
    upto: NDArray[Any]
    observed: NDArray[Any]
    past: NDArray[Any]
    expected: NDArray[Any]
    spread: NDArray[Any]
    score: NDArray[Any]

    def __len__(self) -> int:
        """Return how many."""
        return len(self.group)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> ScanTests:
        """Return some of them."""
        return ScanTests(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def join(parts: list[ScanTests]) -> ScanTests:
    """Return several as one."""
    return ScanTests(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ScanTests.__dataclass_fields__)
    )


def tail(observed: NDArray[Any], mean: NDArray[Any], size: NDArray[Any]) -> NDArray[np.float64]:
    """Return −log10 of the chance of so many or more, under a negative binomial with that mean and size.

    By the regularised incomplete beta function (NIST's Digital Library of Mathematical Functions, 8.17). A large size
    is nearly Poisson; a small one, an uneven group, makes the same count less of a surprise.

    >>> tail(np.array([10.0]), np.array([2.0]), np.array([1e9])).round(2).tolist()
    [4.33]
    >>> tail(np.array([10.0]), np.array([2.0]), np.array([2.0])).round(2).tolist()
    [2.23]
    """
    chance: NDArray[np.float64] = special.betainc(np.maximum(observed, 1e-9), size, mean / (mean + size))
    rarity: NDArray[np.float64] = -np.log10(np.maximum(chance, 1e-300))
    return rarity


FINE = 3_600_000
"""Times are compared as whole milliseconds: no zero from which one counts changes what comes first."""
MARGIN = int(10 * HISTORY) * FINE


def _fine(hours: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(hours * FINE).astype(np.int64)


class GroupCounts:
    """How many documents fall between two moments: of a group, or of the whole stream."""

    def __init__(
        self, rows: Rows, hours: NDArray[np.float64], use: NDArray[np.bool_], stands: NDArray[np.float32]
    ) -> None:
        self.rows = rows
        self.volume = hours[use]
        self.stands = sums_of(stands[use])
        self.standing = sums_of(stands[rows.items])
        self.zero = int(hours[0] * FINE) - MARGIN if len(hours) else 0
        self.span = int(hours[-1] * FINE) - self.zero + MARGIN if len(hours) else 1
        self.keys = np.repeat(np.arange(len(rows.starts) - 1) * self.span, np.diff(rows.starts))
        self.keys += (_fine(hours) - self.zero)[rows.items]

    def before(self, group: Ints, moment: NDArray[np.float64]) -> Ints:
        """Return the position behind the last member of each group that came before the moment."""
        return np.searchsorted(self.keys, self.key(group, moment))

    def key(self, group: Ints, moment: NDArray[np.float64]) -> Ints:
        """Return what the keys of members that came before the moment lie under."""
        return group * self.span + np.clip(_fine(moment) - self.zero, 0, self.span)

    def members(self, low: Ints, high: Ints) -> NDArray[Any]:
        """Return for how many documents the members between two positions stand."""
        found: NDArray[Any] = counted(self.standing, low, high)
        return found

    def stream(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[Any]:
        """Return how many documents of the stream fall into [start, end)."""
        low, high = np.searchsorted(self.volume, start), np.searchsorted(self.volume, end)
        found: NDArray[Any] = counted(self.stands, low, high)
        return found

    def thinness(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for how many documents one of the stream stands in [start, end): 1 but where days are samples."""
        low, high = np.searchsorted(self.volume, start), np.searchsorted(self.volume, end)
        return np.where(high > low, self.stream(start, end) / np.maximum(high - low, 1), 1.0)


def sums_of(stands: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return for how many documents the first so many of some stand, nothing where each stands for itself alone."""
    if (stands == 1).all():
        return None
    return np.concatenate([np.zeros(1), np.cumsum(stands, dtype=np.float64)])


def counted(sums: NDArray[np.float64] | None, low: Any, high: Any) -> Any:
    """Return for how many documents those between two positions stand (`sums_of`)."""
    return high - low if sums is None else sums[high] - sums[low]


@dataclass(frozen=True, slots=True)
class Growth:
    """Groups that grew: at the end of which hour, and the position behind the newest member then.

    Hours come by number, from `grid` on, so that what depends on the hour alone is found once for each.
    """

    grid: NDArray[np.float64]
    group: Ints
    hour: Ints
    upto: Ints

    @property
    def at(self) -> NDArray[np.float64]:
        """Return the end of each hour."""
        return self.grid[self.hour]

    def __len__(self) -> int:
        """Return how many."""
        return len(self.group)

    def pick(self, which: NDArray[np.bool_] | Ints) -> Growth:
        """Return some of them."""
        return Growth(self.grid, self.group[which], self.hour[which], self.upto[which])


def growth(
    clock: GroupCounts, hours: NDArray[np.float64], first: NDArray[np.float64], last: NDArray[np.float64]
) -> Growth:
    """Return when groups of `FEWEST` members or more grew.

    Args:
        clock: the groups.
        hours: time of every document.
        first: a group is not looked at before this moment.
        last: nor after this one.
    """
    items, starts = clock.rows.items, clock.rows.starts
    fresh = int(np.searchsorted(hours, first.min())) if len(first) else 0
    position = np.flatnonzero(items >= fresh)
    group = np.searchsorted(starts, position, side="right") - 1
    when = hours[items[position]]
    at = np.floor(when) + 1.0
    looked = (when >= first[group]) & (at <= last[group] + 1.0) & (position - starts[group] >= FEWEST - 1)
    group, at, position = group[looked], at[looked], position[looked]
    newest = np.ones(len(position), bool)
    if len(position) > 1:
        newest[:-1] = (group[1:] != group[:-1]) | (at[1:] != at[:-1])
    group, at, position = group[newest], at[newest], position[newest]
    low, high = (at.min(), at.max()) if len(at) else (0.0, 0.0)
    grid = np.arange(low, high + 1.0)
    return Growth(grid, group, (at - low).astype(np.int64), position + 1)


def look(
    rows: Rows,
    hours: NDArray[np.float64],
    use: NDArray[np.bool_],
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    *,
    stands: NDArray[np.float32],
    least: float,
    windows: tuple[float, ...] = WINDOWS,
    baselines: tuple[Baseline, ...] = (LONG,),
) -> ScanTests:
    """Return every test that reaches the score `least`, in order of time.

    Expected is the group's own count in a baseline before the window, scaled by how many documents the
    stream brought then and now; the tail is that of a negative binomial whose spread holds both the doubt about the
    expected count and the group's own unevenness.
    """
    clock = GroupCounts(rows, hours, use, stands)
    grown = growth(clock, hours, first, last)
    found: list[ScanTests] = []
    for window in windows:
        since = clock.key(grown.group, (grown.grid - window)[grown.hour])
        some = grown.pick(clock.keys[grown.upto - FEWEST] >= since)  # as many in the window at least
        observed = some.upto - clock.before(some.group, (some.grid - window)[some.hour])
        found += [_look(clock, some, observed, window, least, past) for past in baselines]
    looks = join(found)
    return looks.pick(np.lexsort((-looks.score, looks.at)))


def _look(  # noqa: PLR0917  columns of one table
    clock: GroupCounts, grown: Growth, observed: Ints, window: float, least: float, baseline: Baseline
) -> ScanTests:
    """Return the tests of one window against one baseline.

    Of a past of which only a sample is left, counts stand for what they were drawn from, and their doubt is the
    sample's: a group that is not in it is credited with `PRIOR_COUNT` documents of the sample.
    """
    history, end = baseline.history, grown.grid - window - baseline.gap
    low, high = clock.before(grown.group, (end - history)[grown.hour]), clock.before(grown.group, end[grown.hour])
    drawn, past = high - low, clock.members(low, high)
    exposure = (clock.stream(grown.grid - window, grown.grid) + 1.0) / (clock.stream(end - history, end) + 20.0)
    prior = PRIOR_COUNT * clock.thinness(end - history, end)
    expected = (past + prior[grown.hour]) * exposure[grown.hour]
    size = 1 / (1 / (drawn + PRIOR_COUNT) + PRIOR_SPREAD * 0.5)
    rare = observed > expected + np.sqrt(expected * (1 + expected / size))
    rare |= least < 1  # nothing within a deviation has a tail of less than a tenth
    which = np.flatnonzero(rare)
    which = which[tail(observed[which], expected[which], size[which]) >= least]
    some, past, drawn = grown.pick(which), past[which], drawn[which]
    spread = unevenness(clock, some, end, window, history)
    score = tail(observed[which], expected[which], 1 / (1 / (drawn + PRIOR_COUNT) + spread))
    spans = np.full(len(which), window, np.float32)
    looks = ScanTests(some.group, some.at, spans, some.upto, observed[which], past, expected[which], spread, score)
    return looks.pick(score >= least)


def unevenness(
    clock: GroupCounts, grown: Growth, end: NDArray[np.float64], window: float, history: float = HISTORY
) -> NDArray[np.float32]:
    """Return each group's dispersion over its earlier windows by moments, shrunk to `PRIOR_SPREAD`.

    Args:
        clock: the groups.
        grown: which of them, at which hours.
        end: of the history, for each hour of the grid.
        window: hours.
        history: hours.
    """
    group, hour = grown.group, grown.hour
    count = int(min(12, history // window))
    step = history / count
    total, excess, weight = np.zeros((3, len(group)))
    whole = clock.members(clock.before(group, (end - history)[hour]), clock.before(group, end[hour]))
    stream, thin = clock.stream(end - history, end) + 1.0, clock.thinness(end - history, end)[hour]
    for k in range(count):
        stop = end - k * step
        seen = clock.members(clock.before(group, (stop - window)[hour]), clock.before(group, stop[hour]))
        mean = (whole + PRIOR_COUNT * thin) / stream[hour] * clock.stream(stop - window, stop)[hour]
        excess += (seen - mean) ** 2 - mean * thin
        weight += mean**2
        total += mean * thin
    raw = np.maximum(excess, -0.5 * total)
    strength = PRIOR_WINDOWS
    return np.clip((raw + strength * PRIOR_SPREAD) / (weight + strength), 0.02, 3.0).astype(np.float32)


__all__ = [
    "DAY",
    "LONG",
    "SHORT",
    "WINDOWS",
    "Baseline",
    "GroupCounts",
    "Growth",
    "ScanTests",
    "growth",
    "join",
    "look",
    "tail",
    "unevenness",
]
