"""How much more often documents that arrive near one another are about the same thing, learnt from the stream itself.

News come in bursts, an aggregator lists one story after another, a forum is read thread by thread: there, the
neighbour's theme says a lot. Reviews in an app store arrive in no order, and there it says nothing. Both are measured
here by how alike texts are at each distance of arrival, as a lift over any two documents; nothing is assumed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import Floats

REACH = 512
"""Documents back that can be neighbours."""
EDGES = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, REACH + 1])
"""Bins of distance, in documents."""
CENTRES = np.log(np.sqrt(EDGES[:-1] * (EDGES[1:] - 1.0)))
FORGET = 4000
"""Documents after which half of what was learnt is forgotten."""
SHY = 12.0
"""Alike pairs that must have been expected before a lift is believed (shrinkage)."""


class Arrival:
    """The lift, in nats, that a distance of arrival gives to two documents being the same subject.

    Attributes:
        alike: pairs found alike in each bin of distance, fading.
        pairs: pairs looked at in each bin, fading.
    """

    def __init__(self, *, alike_at: float, least: float = -1.5, most: float = 4.0) -> None:
        self.alike_at, self.least, self.most = alike_at, least, most
        self.alike = np.zeros(len(EDGES) - 1)
        self.pairs = np.zeros(len(EDGES) - 1)

    def learn(self, scores: Floats, distance: NDArray[np.int64]) -> None:
        """Count alike pairs of new documents (rows) with earlier ones (columns) at their distances."""
        fade = 0.5 ** (len(scores) / FORGET)
        bins = np.digitize(distance, EDGES) - 1
        near = (distance >= 1) & (distance <= REACH)
        self.pairs = fade * self.pairs + np.bincount(bins[near], minlength=len(self.pairs))
        self.alike = fade * self.alike + np.bincount(
            bins[near], (scores[near] > self.alike_at).astype(float), minlength=len(self.alike)
        )

    def table(self) -> Floats:
        """Return the lift of every distance, shape ``(REACH + 1,)``; the last holds for all that is farther."""
        expected = self.pairs * (self.alike.sum() / max(self.pairs.sum(), 1.0))
        lifts = np.clip(np.log((self.alike + SHY) / (expected + SHY)), self.least, self.most)
        table: Floats = np.interp(np.log(np.maximum(np.arange(REACH + 1), 1)), CENTRES, lifts).astype(np.float32)
        return table
