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

    def between(self, since: float, until: float) -> ScanTests:
        """Return those made after one hour and up to another, where they are in order of time."""
        low, high = np.searchsorted(self.at, [since, until], side="right")
        return ScanTests(*(getattr(self, name)[low:high] for name in self.__dataclass_fields__))


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


def _fine(hours: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(hours * FINE).astype(np.int64)


class Places:
    """Where the members of groups lie, by group and time: the same for every scope.

    Args:
        rows: the groups.
        hours: time of every document, ascending.
    """

    def __init__(self, rows: Rows, hours: NDArray[np.float64]) -> None:
        self.rows, self.hours, self.fine = rows, hours, _fine(hours)
        self.size = len(hours) + 1
        self.keys = np.repeat(np.arange(len(rows.starts) - 1) * self.size, np.diff(rows.starts))
        self.keys += rows.items

    def at(self, moments: NDArray[np.float64]) -> Ints:
        """Return the position of the first document at each moment or later."""
        return np.searchsorted(self.fine, _fine(moments))

    def before(self, group: Ints, document: Ints) -> Ints:
        """Return the place behind the last member of each group that came before a document (by position)."""
        return np.searchsorted(self.keys, group * self.size + document)


class GroupCounts:
    """How many documents of a scope fall between two moments: of a group, or of the whole stream."""

    def __init__(self, places: Places, use: NDArray[np.bool_], stands: NDArray[np.float32]) -> None:
        items = places.rows.items
        self.places, self.volume = places, places.hours[use]
        self.counts = use[items]
        self.sums = np.zeros(len(items) + 1, np.int32)
        np.cumsum(self.counts, dtype=np.int32, out=self.sums[1:])
        self.stands = sums_of(stands[use])
        self.standing = None if self.stands is None else sums_of(stands[items] * self.counts)

    def drawn(self, low: Ints, high: Ints) -> Ints:
        """Return how many members there are between two places."""
        drawn: Ints = (self.sums[high] - self.sums[low]).astype(np.int64)
        return drawn

    def members(self, low: Ints, high: Ints) -> NDArray[Any]:
        """Return for how many documents the members between two places stand."""
        found: NDArray[Any] = self.drawn(low, high) if self.standing is None else counted(self.standing, low, high)
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
    """Groups that grew: at the end of which hour, and the place behind the newest member then.

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
    clock: GroupCounts, first: NDArray[np.float64], last: NDArray[np.float64], among: NDArray[np.bool_] | None = None
) -> Growth:
    """Return when groups of `FEWEST` members or more grew.

    Args:
        clock: the groups.
        first: a group is not looked at before this moment.
        last: nor after this one.
        among: which of the groups come into question, or all.
    """
    items, starts, hours = clock.places.rows.items, clock.places.rows.starts, clock.places.hours
    fresh = int(np.searchsorted(hours, first.min())) if len(first) else 0
    position = np.flatnonzero(items >= fresh)
    position = position[clock.counts[position]]
    group = np.searchsorted(starts, position, side="right") - 1
    when = hours[items[position]]
    at = np.floor(when) + 1.0
    looked = (when >= first[group]) & (at <= last[group] + 1.0)
    looked &= clock.sums[position] - clock.sums[starts[group]] >= FEWEST - 1
    if among is not None:
        looked &= among[group]
    group, at, position = group[looked], at[looked], position[looked]
    newest = np.ones(len(position), bool)
    if len(position) > 1:
        newest[:-1] = (group[1:] != group[:-1]) | (at[1:] != at[:-1])
    group, at, position = group[newest], at[newest], position[newest]
    low, high = (at.min(), at.max()) if len(at) else (0.0, 0.0)
    grid = np.arange(low, high + 1.0)
    return Growth(grid, group, (at - low).astype(np.int64), position + 1)


def look(
    clock: GroupCounts,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    *,
    least: float,
    windows: tuple[float, ...] = WINDOWS,
    baselines: tuple[Baseline, ...] = (LONG,),
    among: NDArray[np.bool_] | None = None,
) -> ScanTests:
    """Return every test that reaches the score `least`, in order of time; `upto` are places among all members.

    Expected is the group's own count in a baseline before the window, scaled by how many documents the
    stream brought then and now; the tail is that of a negative binomial whose spread holds both the doubt about the
    expected count and the group's own unevenness.
    """
    grown = growth(clock, first, last, among)
    found: list[ScanTests] = []
    for window in windows:
        some, observed = _enough(clock, grown, window)
        found += [_look(clock, some, observed, window, least, past) for past in baselines]
    looks = join(found)
    return looks.pick(np.lexsort((-looks.score, looks.at)))


def _enough(clock: GroupCounts, grown: Growth, window: float) -> tuple[Growth, Ints]:
    """Return the groups with `FEWEST` members or more in the window, and how many."""
    places = clock.places
    low = places.before(grown.group, places.at(grown.grid - window)[grown.hour])
    observed = clock.drawn(low, grown.upto)
    enough = observed >= FEWEST
    return grown.pick(enough), observed[enough]


def _exposure(
    clock: GroupCounts, grid: NDArray[np.float64], window: float, baseline: Baseline
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each hour, what part of its past a group is expected to have now, and what is added to that past."""
    end = grid - window - baseline.gap
    exposure = (clock.stream(grid - window, grid) + 1.0) / (clock.stream(end - baseline.history, end) + 20.0)
    return exposure, PRIOR_COUNT * clock.thinness(end - baseline.history, end)


def _stands_out(observed: NDArray[Any], expected: NDArray[np.float64], size: NDArray[np.float64], least: float) -> Ints:
    """Return which counts are above what is expected, with a score of `least` or more."""
    rare = observed > expected + np.sqrt(expected * (1 + expected / size))
    rare |= least < 1  # nothing within a deviation has a tail of less than a tenth
    which = np.flatnonzero(rare)
    return which[tail(observed[which], expected[which], size[which]) >= least]


class Daily:
    """How many documents groups had at least, day by day: enough to see that nearly all of them are as usual.

    Args:
        counts: ``(groups, days)``.
        first: day (since 1970) of the first column.
        certain: whether each document stands for itself, not some for a sample.
    """

    def __init__(self, counts: NDArray[np.float32], first: int, *, certain: bool) -> None:
        none = np.zeros((len(counts), 1))
        self.sums = np.concatenate([none, np.cumsum(counts, axis=1, dtype=np.float64)], axis=1)
        self.first, self.certain = first, certain

    def between(self, start: float, end: float) -> NDArray[np.float64]:
        """Return the counts of the whole days between two hours."""
        most = self.sums.shape[1] - 1
        low, high = np.clip([int(np.ceil(start / DAY)) - self.first, int(end // DAY) - self.first], 0, most)
        counts: NDArray[np.float64] = self.sums[:, max(low, high)] - self.sums[:, low]
        return counts


def hopeful(  # noqa: PLR0917  columns of one table
    lately: GroupCounts, daily: Daily, first: NDArray[np.float64], last: NDArray[np.float64],
    least: float, baselines: tuple[Baseline, ...],
) -> NDArray[np.bool_]:  # fmt: skip
    """Return which groups may have a test of `least` or more: without the others, `look` finds the same.

    The more documents a group had in the past, the less of a surprise are those of now (the negative binomial is
    ordered by its past), and of whole days it is known what it had. So groups need not be laid out over five weeks.

    Args:
        lately: the groups, members of the longest window alone.
        daily: what they had at least.
        first: a group is not looked at before this moment.
        last: nor after this one.
        least: score.
        baselines: pasts that windows are compared with.
    """
    grown = growth(lately, first, last)
    may = np.zeros(len(first), bool)
    for window in WINDOWS:
        some, observed = _enough(lately, grown, window)
        begin = np.flatnonzero(np.diff(some.group, prepend=-1))
        if not len(begin):
            continue
        group, most = some.group[begin], np.maximum.reduceat(observed, begin)  # the most at any hour, of each
        for baseline in baselines:
            end = grown.grid - window - baseline.gap
            past = daily.between(end[-1] - baseline.history, end[0])[group]  # in the past of every hour
            exposure, prior = _exposure(lately, grown.grid, window, baseline)
            # Of a sample one does not know how certain the whole is: as certain as can be.
            doubt = 1 / (past + PRIOR_COUNT) if daily.certain else np.zeros(len(past))
            expected = (past + prior.min()) * exposure.min()
            may[group[_stands_out(most, expected, 1 / (doubt + PRIOR_SPREAD * 0.5), least - 1e-9)]] = True
    return may


def _look(  # noqa: PLR0917  columns of one table
    clock: GroupCounts, grown: Growth, observed: Ints, window: float, least: float, baseline: Baseline
) -> ScanTests:
    """Return the tests of one window against one baseline.

    Of a past of which only a sample is left, counts stand for what they were drawn from, and their doubt is the
    sample's: a group that is not in it is credited with `PRIOR_COUNT` documents of the sample.
    """
    history, end = baseline.history, grown.grid - window - baseline.gap
    places = clock.places
    low, high = (places.before(grown.group, places.at(moment)[grown.hour]) for moment in (end - history, end))
    drawn, past = clock.drawn(low, high), clock.members(low, high)
    exposure, prior = _exposure(clock, grown.grid, window, baseline)
    expected = (past + prior[grown.hour]) * exposure[grown.hour]
    which = _stands_out(observed, expected, 1 / (1 / (drawn + PRIOR_COUNT) + PRIOR_SPREAD * 0.5), least)
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
    group, hour, places = grown.group, grown.hour, clock.places

    def between(start: NDArray[np.float64], stop: NDArray[np.float64]) -> NDArray[Any]:
        return clock.members(*(places.before(group, places.at(moment)[hour]) for moment in (start, stop)))

    count = int(min(12, history // window))
    step = history / count
    total, excess, weight = np.zeros((3, len(group)))
    whole = between(end - history, end)
    stream, thin = clock.stream(end - history, end) + 1.0, clock.thinness(end - history, end)[hour]
    for k in range(count):
        stop = end - k * step
        seen = between(stop - window, stop)
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
    "Daily",
    "GroupCounts",
    "Growth",
    "Places",
    "ScanTests",
    "growth",
    "hopeful",
    "join",
    "look",
    "tail",
    "unevenness",
]
