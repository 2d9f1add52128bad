"""Two quieter departures of a theme: its mood turns, or it reaches sources, languages and markets it never had."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from groundswell.nlp.signals.detect.neighbours import DAY, GAP, HISTORY

WINDOW = 3 * DAY
FEWEST_NOW, FEWEST_BEFORE = 8, 20
"""Documents in the window and in the history without which nothing is said about mood."""
LEAST_TURN = 0.15
"""A mood (−1 to 1) that falls by less is nobody's business, however certain it is."""
READING_NOISE = 0.12
"""Wavering (standard deviation) that the model's errors add to a theme's mean mood, as its texts change."""
RECALLED = 90 * DAY
"""How far back a theme's places are known."""
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


Places = Callable[[int], Sequence[str]]


def drifts(
    themes: NDArray[np.str_], hours: NDArray[np.float64], moods: NDArray[np.float32],
    places: Places, *, since: float, until: float,
) -> Iterator[Drift]:  # fmt: skip
    """Yield every departure in mood and reach, at each midnight (UTC) after one hour and up to another, by time.

    Args:
        themes: theme of each document, "" for none.
        hours: ascending.
        moods: positive minus negative; NaN where unknown.
        places: for a document the values that can be new to a theme ("source:x", "lang:th", "market:SG").
        since: hour.
        until: hour.
    """
    for midnight in np.arange(math.floor(since / DAY + 1) * DAY, until + 1e-6, DAY):
        yield from _at(float(midnight), themes, hours, moods, places)


def _at(
    midnight: float, themes: NDArray[np.str_], hours: NDArray[np.float64], moods: NDArray[np.float32],
    places: Places,
) -> Iterator[Drift]:  # fmt: skip
    oldest, low, mid, today, high = np.searchsorted(
        hours, [midnight - RECALLED, midnight - WINDOW - GAP - HISTORY, midnight - WINDOW, midnight - DAY, midnight]
    )
    if today == high:
        return
    part = themes[oldest:high]
    names, which, counts = np.unique(part, return_inverse=True, return_counts=True)
    large = [k for k, name in enumerate(names.tolist()) if name and counts[k] >= FEWEST_KNOWN]
    active = set(which[today - oldest :].tolist())
    tests = math.log10(7 * max(1, len(large)))
    for k in (k for k in large if k in active):
        rows = np.flatnonzero(which == k) + oldest
        begin, middle = np.searchsorted(rows, [low, mid])
        theme = str(names[k])
        yield from _soured(theme, midnight, moods, rows[middle:], rows[begin:middle], tests)
        yield from _spread(theme, midnight, places, rows[middle:], rows[:middle], tests)


def _soured(  # noqa: PLR0917  one theme at one midnight, column by column
    theme: str, at: float, moods: NDArray[np.float32], now: NDArray[np.int64], before: NDArray[np.int64], tests: float
) -> Iterator[Drift]:
    """Yield a fall in mood: Welch's t (1947) on documents, with the reader's own wavering added to its variance."""
    new, old = moods[now].astype(np.float64), moods[before].astype(np.float64)
    new, old = new[~np.isnan(new)], old[~np.isnan(old)]
    if len(new) < FEWEST_NOW or len(old) < FEWEST_BEFORE or old.mean() - new.mean() < LEAST_TURN:
        return
    variance = (new.var(ddof=1) + 0.02) / len(new) + (old.var(ddof=1) + 0.02) / len(old) + READING_NOISE**2 / 4
    fall = (old.mean() - new.mean()) / math.sqrt(variance)
    strength = -math.log10(max(float(special.stdtr(len(new) - 1, -fall)), 1e-12)) - tests
    yield Drift(theme, "sour", at, float(new.mean()), float(old.mean()), strength, now)


def _spread(  # noqa: PLR0917  one theme at one midnight, column by column
    theme: str,
    at: float,
    places: Places,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    tests: float,
) -> Iterator[Drift]:
    """Yield places new to a theme, against how often one came before (Good and Turing's rate, Good 1953)."""
    if len(before) < FEWEST_KNOWN:
        return
    seen: dict[str, int] = {}
    for k in before:
        for place in places(int(k)):
            seen[place] = seen.get(place, 0) + 1
    new = {place: int(k) for k in now for place in places(int(k)) if place not in seen}
    if len(new) < 2:
        return
    once = sum(count == 1 for count in seen.values())
    expected = (once + 0.5) / len(before) * len(now)
    chance = float(special.gammainc(len(new), expected))
    strength = -math.log10(max(chance, 1e-12)) - tests
    documents = np.array([k for k in now if any(place in new for place in places(int(k)))])
    yield Drift(theme, "spread", at, float(len(new)), expected, strength, documents, tuple(sorted(new)))
