"""How much more often documents written near one another in time are about the same thing, learnt from the stream.

News come in bursts and a scandal has its week: there, a gap of an hour says a lot. Reviews of an app complain of the
same things all year, and there it says nothing. Both are measured here by how alike texts are at each gap of time, as
a lift over any two documents; nothing is assumed. Only times count, never the order of rows: what was collected
together but written at any time gains nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import Floats

STEPS = 4
"""Entries of the table for each doubling of the gap."""
DOUBLINGS = 28
"""Doublings of a second that are told apart: eight years."""
EDGES = np.array([0, 2, 8, 30, 120, 480, 1800, 7200, 28800, 86400, 172800, 345600, 691200, 1382400, 2.0**DOUBLINGS])
"""Bins of gaps, in seconds."""
CENTRES = np.log2(1 + np.sqrt(np.maximum(EDGES[:-1], 0.5) * EDGES[1:]))
FORGET = 4000
"""Documents after which half of what was learnt is forgotten."""
SHY = 12.0
"""Alike pairs that must have been expected before a lift is believed (shrinkage)."""
BELIEVED = 1.0
"""Alike pairs that must have been expected at gaps of a bin before it says anything at all."""
USUAL_RATE = 0.02
"""Share of pairs of documents that are alike in streams of few events."""
RAREST = 1.0
"""Nats by which the prior moves the thresholds at most."""
Seconds = NDArray[np.float64]


class Arrival:
    """The lift, in nats, that a gap of time gives to two documents being the same subject.

    Attributes:
        alike: pairs found alike in each bin of gaps, fading.
        pairs: pairs looked at in each bin, fading.
    """

    def __init__(self, *, alike_at: float, weight: float = 1.0, least: float = -5.0, most: float = 4.0) -> None:
        self.alike_at, self.weight, self.least, self.most = alike_at, weight, least, most
        self.alike = np.zeros(len(CENTRES))
        self.pairs = np.zeros(len(CENTRES))
        self.lifts = self._table()

    def learn(self, scores: Floats, gaps: Seconds, earlier: NDArray[np.bool_]) -> None:
        """Count alike pairs of new documents (rows) with `earlier` ones (columns) at their gaps of time."""
        fade = 0.5 ** (len(scores) / FORGET)
        bins = np.digitize(gaps[earlier], EDGES[1:-1])
        self.pairs = fade * self.pairs + np.bincount(bins, minlength=len(CENTRES))
        alike = (scores[earlier] > self.alike_at).astype(float)
        self.alike = fade * self.alike + np.bincount(bins, alike, minlength=len(CENTRES))
        self.lifts = self._table()

    def lift(self, gaps: Seconds | Floats) -> Floats:
        """Return the lift of each gap, in seconds."""
        place = np.abs(gaps, dtype=np.float32)  # one array is worked on in place: they are large
        np.log2(np.add(place, 1, out=place), out=place)
        np.minimum(np.multiply(place, STEPS, out=place), len(self.lifts) - 1, out=place)
        out: Floats = self.lifts.take(place.astype(np.int32))
        return out

    def rarity(self) -> float:
        """Return how much rarer alike documents are here than where the thresholds were frozen, in nats, at least 0.

        Evidence is log-odds up to a constant, and the constant is the prior: of two reviews of an app hardly any tell
        of the same, of two posts in a crisis every tenth. Where it is rarer, more must be shown (Bayes).
        """
        rate = (self.alike.sum() + SHY) / (self.pairs.sum() + SHY / USUAL_RATE)
        return float(np.clip(np.log(USUAL_RATE / rate), 0.0, RAREST))

    def relearn(self, alike: NDArray[np.float64], pairs: NDArray[np.float64]) -> None:
        """Take over what was learnt earlier."""
        self.alike, self.pairs = alike, pairs
        self.lifts = self._table()

    def _table(self) -> Floats:
        expected = self.pairs * (self.alike.sum() / max(self.pairs.sum(), 1.0))
        lifts = np.clip(np.log((self.alike + SHY) / (expected + SHY)), self.least, self.most)
        seen = expected >= BELIEVED
        if not seen.any():
            return np.zeros(STEPS * DOUBLINGS + 1, np.float32)
        gaps = np.arange(STEPS * DOUBLINGS + 1) / STEPS  # beyond the longest gap seen: as there
        table: Floats = (self.weight * np.interp(gaps, CENTRES[seen], lifts[seen])).astype(np.float32)
        return table
