"""Two quieter departures of a theme: its mood turns, or it reaches sources, languages and markets it never had."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from groundswell.nlp.signals.detect.neighbours import DAY, GAP, HISTORY

WINDOW = 3 * DAY
FEWEST_NOW, FEWEST_BEFORE = 8, 20
"""Documents in the window and in the history without which nothing is said about mood."""
LEAST_TURN = 0.15
"""A mood (−1 to 1) that falls by less is nobody's business, however certain it is."""
READING_NOISE = 0.12
"""Wavering (standard deviation) that the model's errors add to a theme's mean mood, as its texts change."""
FEWEST_KNOWN = 15
"""Documents a theme needs before a new place means anything."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A theme that soured or spread. Observed and expected are moods, or counts of new places."""

    theme: str
    kind: str
    at: float
    observed: float
    expected: float
    strength: float
    documents: NDArray[np.int64]
    places: tuple[str, ...] = ()


def drifts(
    themes: Sequence[str],
    hours: NDArray[np.float64],
    moods: NDArray[np.float64],
    places: Sequence[Sequence[str]],
    use: NDArray[np.bool_],
) -> Iterator[Drift]:
    """Yield every departure in mood and reach, day by day (at midnight, UTC), in order of time.

    Args:
        themes: theme of each document, "" for none.
        hours: ascending.
        moods: positive minus negative; NaN where unknown.
        places: for each document the values that can be new to a theme ("source:x", "lang:th", "market:SG").
        use: which documents count.
    """
    members: dict[str, list[int]] = {}
    for k, theme in enumerate(themes):
        if theme and use[k]:
            members.setdefault(theme, []).append(k)
    groups = [(theme, np.array(rows)) for theme, rows in members.items() if len(rows) >= FEWEST_KNOWN]
    if not groups:
        return
    tests = math.log10(7 * len(groups))
    for midnight in np.arange(math.ceil(hours[0] / DAY) * DAY, hours[-1] + DAY, DAY):
        for theme, rows in groups:
            when = hours[rows]
            low, mid, high = np.searchsorted(when, [midnight - WINDOW - GAP - HISTORY, midnight - WINDOW, midnight])
            if high == mid or when[high - 1] < midnight - DAY:
                continue
            now, before = rows[mid:high], rows[low:mid]
            yield from _soured(theme, float(midnight), moods, now, before, tests)
            yield from _spread(theme, float(midnight), places, now, rows[:mid], tests)


def _soured(  # noqa: PLR0917  one theme at one midnight, column by column
    theme: str, at: float, moods: NDArray[np.float64], now: NDArray[np.int64], before: NDArray[np.int64], tests: float
) -> Iterator[Drift]:
    """Yield a fall in mood: Welch's t on documents, with the reader's own wavering added to its variance."""
    new, old = moods[now], moods[before]
    new, old = new[~np.isnan(new)], old[~np.isnan(old)]
    if len(new) < FEWEST_NOW or len(old) < FEWEST_BEFORE or old.mean() - new.mean() < LEAST_TURN:
        return
    variance = (new.var(ddof=1) + 0.02) / len(new) + (old.var(ddof=1) + 0.02) / len(old) + READING_NOISE**2 / 4
    fall = (old.mean() - new.mean()) / math.sqrt(variance)
    strength = -math.log10(max(float(stats.t.sf(fall, len(new) - 1)), 1e-12)) - tests
    yield Drift(theme, "sour", at, float(new.mean()), float(old.mean()), strength, now)


def _spread(  # noqa: PLR0917  one theme at one midnight, column by column
    theme: str,
    at: float,
    places: Sequence[Sequence[str]],
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    tests: float,
) -> Iterator[Drift]:
    """Yield places new to a theme, against how often one came before (Good and Turing's rate)."""
    if len(before) < FEWEST_KNOWN:
        return
    seen: dict[str, int] = {}
    for k in before:
        for place in places[k]:
            seen[place] = seen.get(place, 0) + 1
    new = {place: int(k) for k in now for place in places[k] if place not in seen}
    if len(new) < 2:
        return
    once = sum(count == 1 for count in seen.values())
    expected = (once + 0.5) / len(before) * len(now)
    chance = float(special.gammainc(len(new), expected))
    strength = -math.log10(max(chance, 1e-12)) - tests
    documents = np.array([k for k in now if any(place in new for place in places[k])])
    yield Drift(theme, "spread", at, float(len(new)), expected, strength, documents, tuple(sorted(new)))
