"""What a line would look like had nothing happened, for the eye: bands, departures, movers.

Alerts do not come from here; `groundswell.nlp.signals` finds them. These bands only let a person see what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

HISTORY_DAYS = 28
"""Four whole weeks, so that every weekday stands in it four times."""
FEWEST_DAYS = 10
"""With fewer days seen before it, a day has no band."""
MAD_TO_SD = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""
BAND_SDS = 2.0
"""Half the width of the band."""
RISK_WEIGHT, MOOD_WEIGHT = 2.0, 2.0
"""What a named risk and a wholly bad mood add to a theme's growth when themes are ordered for a risk team."""
WEEKDAY_SHRINK = 4.0
# Moods that never moved still have a band.
LEAST_SPREAD = 0.03
# Standard errors of a two-sided test that errs once in twenty.
BEYOND_CHANCE = 1.96
"""As many imagined average days as a month has real ones for each weekday: four points make a poor estimate alone."""


@dataclass(frozen=True, slots=True)
class Band:
    """Between what and what a day's value usually lies."""

    low: float
    middle: float
    high: float


def count_bands(counts: Sequence[float], seen: Sequence[bool], *, first: int = 0) -> list[Band | None]:
    """Return for each day from the first on the band that the 28 days before it (those we were looking) make usual.

    The middle is their median times the weekday's share; the spread is the larger of their median absolute deviation
    and Poisson's, so that a quiet line has no band of width nought. Robust, so that one spike does not widen the next
    weeks' band.
    """
    return [_count_band(counts, seen, day) for day in range(first, len(counts))]


def _count_band(counts: Sequence[float], seen: Sequence[bool], day: int) -> Band | None:
    past = [i for i in range(max(0, day - HISTORY_DAYS), day) if seen[i]]
    if len(past) < FEWEST_DAYS:
        return None
    level = median(counts[i] for i in past)
    middle = level * _weekday_share(counts, [i for i in past if (day - i) % 7 == 0], level)
    spread = max(MAD_TO_SD * median(abs(counts[i] - level) for i in past), sqrt(max(level, 0.5)))
    return Band(max(0.0, middle - BAND_SDS * spread), middle, middle + BAND_SDS * spread)


def _weekday_share(counts: Sequence[float], same: Sequence[int], level: float) -> float:
    """Return how much of a usual day this weekday brings, drawn towards 1 because so few of them were seen."""
    if not same or level <= 0:
        return 1.0
    return (median(counts[i] for i in same) / level * len(same) + WEEKDAY_SHRINK) / (len(same) + WEEKDAY_SHRINK)


def mood_bands(moods: Sequence[float | None]) -> list[Band | None]:
    """Return for each day between what moods (−1 … 1) the 28 days before it lay; unmeasured days do not count."""
    return [_mood_band(moods, day) for day in range(len(moods))]


def _mood_band(moods: Sequence[float | None], day: int) -> Band | None:
    past = [mood for mood in moods[max(0, day - HISTORY_DAYS) : day] if mood is not None]
    if len(past) < FEWEST_DAYS:
        return None
    middle = median(past)
    spread = max(MAD_TO_SD * median(abs(mood - middle) for mood in past), LEAST_SPREAD)
    return Band(max(-1.0, middle - BAND_SDS * spread), middle, min(1.0, middle + BAND_SDS * spread))


def departure(now: float, before: Sequence[float]) -> float:
    """Return by how many standard deviations a day departs from days before it.

    The deviation is never taken as smaller than Poisson's for that mean, nor than 1: from three quiet weeks to one post
    is not news.
    """
    if not before:
        return 0.0
    mean = sum(before) / len(before)
    variance = sum((count - mean) ** 2 for count in before) / len(before)
    return (now - mean) / sqrt(max(variance, mean, 1.0))


def concern(was: float, now: float, mood: float | None, *, risky: bool = False) -> float:
    """Return how much a risk team should see a theme: growth, a named risk, displeasure.

    Growth counts in the units of `change`, a decline for half as much; a named risk as much as 2 → 9 documents nearly
    does, a mood of −1 as much, and praise takes as much off.
    """
    moved = change(was, now)
    return (moved if moved > 0 else -moved / 2) + RISK_WEIGHT * risky - MOOD_WEIGHT * (mood or 0.0)


def beyond_chance(was: float, now: float) -> bool:
    """Return whether two counts differ by more than Poisson noise does in 19 of 20 cases (0 → 4, not 0 → 3)."""
    return abs(change(was, now)) >= BEYOND_CHANCE * sqrt(2)


def change(was: float, now: float) -> float:
    """Return how surprising a change between two counts is: the difference of their square roots, doubled.

    Square roots make Poisson counts equally noisy at any level (Anscombe 1948), so that 2 → 9 outranks 100 → 107.
    """
    return 2 * (sqrt(now + 3 / 8) - sqrt(was + 3 / 8))
