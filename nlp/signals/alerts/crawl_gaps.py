"""What else could make a jump: a source that is new, one that comes back after silence, texts collected long after."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Mention

LATE = timedelta(hours=48)
"""A text fetched so long after it was published says when it was found, not when people spoke."""
SETTLES = 7 * 24.0
"""Hours until a new source has enough of a past of its own."""
CATCHES_UP = 12.0
"""Hours in which a source that comes back brings what it could not bring before."""
SILENT = 24.0
"""Hours of silence from which a steady source was not heard, at least …"""
SILENT_TIMES = 8.0
"""… and as many times its usual pause."""
MOSTLY = 0.6


def known_at(mention: Mention, began: datetime) -> datetime | None:
    """Return when a mention was known, or ``None`` where it may not count towards a spike: undated, or found too late.

    What a source's first visit (`began`) brings is its history, complete as far as the source goes, and counts as if it
    had been heard live. What later visits find long after publication was missed before and would pile up now.
    """
    published, fetched = mention.published_at, mention.fetched_at
    if published is None or mention.date_confidence == "none" or published > fetched + LATE:
        return None
    if fetched <= began + LATE:
        return published
    return fetched if fetched - published <= LATE else None


@dataclass(frozen=True, slots=True)
class Silences:
    """When sources began, and when they came back after not being heard (hours)."""

    began: Mapping[str, float]
    returned: Mapping[str, Sequence[float]]
    start: float

    def explanation(self, sources: Iterable[str], at: float) -> str:
        """Return what accounts for a jump whose documents come from these sources, or nothing."""
        counted = Counter(sources)
        total = sum(counted.values())
        for source, count in counted.most_common(1):
            if count < MOSTLY * total:
                continue
            began = self.began.get(source, self.start)
            if began > self.start + SETTLES and at - began < SETTLES:
                return f"source added: {source} was first heard {(at - began) / 24:.0f} days before"
            if any(0 < at - moment < CATCHES_UP for moment in self.returned.get(source, ())):
                return f"crawl gap: {source} had just come back after silence"
        return ""


def silences(sources: Sequence[str], hours: NDArray[np.float64], start: float | None = None) -> Silences:
    """Return when each source began and came back.

    Args:
        sources: source of each document.
        hours: time of each document, ascending.
        start: when the stream began; by default with the first of these documents.
    """
    heard: dict[str, list[float]] = defaultdict(list)
    for source, hour in zip(sources, hours, strict=True):
        heard[source].append(float(hour))
    returned = {source: _returns(np.array(when)) for source, when in heard.items()}
    first = float(hours[0]) if len(hours) else 0.0
    return Silences({source: when[0] for source, when in heard.items()}, returned, first if start is None else start)


def _returns(when: NDArray[np.float64]) -> list[float]:
    """Return the moments at which a steady source was heard again; its usual pause is that of the fifty before."""
    pauses = np.diff(when)
    back = []
    for k in np.flatnonzero(pauses > SILENT):
        usual = float(np.median(pauses[max(0, k - 50) : k])) if k >= 10 else np.inf
        if pauses[k] > SILENT_TIMES * max(usual, 0.5):
            back.append(float(when[k + 1]))
    return back
