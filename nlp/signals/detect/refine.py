"""A second look at a candidate: not around one of its texts, but around what its texts have in common.

A ball sees what is near one text; a subject told in many words has members that are far from any single one
of them but near their middle. The middle is made from the window's texts, so each is compared with that of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.neighbours import GAP, HISTORY
from groundswell.nlp.signals.detect.scan import PRIOR_COUNT, PRIOR_SPREAD, tail

NEARNESS = (0.26, 0.32, 0.38, 0.45)
"""Similarities to the middle at which the subject may end."""
SPANS = (24.0, 72.0, 120.0)
"""Hours looked back."""


@dataclass(frozen=True, slots=True)
class Refined:
    """The clearest second look: how surprising, how many, how many expected, and which texts."""

    score: float
    observed: float
    expected: float
    past: float
    documents: NDArray[np.int64]


class Refiner:
    """Looks at candidates again, in any order."""

    def __init__(
        self,
        vectors: NDArray[np.float32],
        weighted: sparse.csr_matrix,
        hours: NDArray[np.float64],
        use: NDArray[np.bool_],
    ) -> None:
        self.index = np.flatnonzero(use)
        self.hours = hours[self.index]
        self.vectors, self.weighted = vectors[self.index], weighted[self.index]
        self.place = np.full(len(hours), -1)
        self.place[self.index] = np.arange(len(self.index))

    def look(self, members: NDArray[np.int64], at: float) -> Refined:
        """Return the best second look at the documents `members` at the end of hour `at`."""
        own = self.place[members]
        oldest, newest = np.searchsorted(self.hours, [at - max(SPANS) - GAP - HISTORY, at])
        near = self._near(own, slice(int(oldest), int(newest)))
        when = self.hours[oldest:newest]
        best = Refined(0.0, 0.0, 0.0, 0.0, members)
        for span in SPANS:
            low, mid, start = np.searchsorted(when, [at - span - GAP - HISTORY, at - span - GAP, at - span])
            exposure = (len(when) - start + 1.0) / (mid - low + 20.0)
            for radius in NEARNESS:
                inside = near >= radius
                observed, past = float(inside[start:].sum()), float(inside[low:mid].sum())
                if observed < 3:
                    break
                expected = (past + PRIOR_COUNT) * exposure
                size = 1 / (1 / (past + PRIOR_COUNT) + PRIOR_SPREAD)
                score = float(tail(np.array([observed]), np.array([expected]), np.array([size]))[0])
                if score > best.score:
                    found = self.index[oldest + start + np.flatnonzero(inside[start:])]
                    best = Refined(score, observed, expected, past, found)
        return best

    def _near(self, own: NDArray[np.int64], part: slice) -> NDArray[np.float32]:
        """Return the similarity of the texts in `part` to the middle of `own`, without themselves."""
        count = len(own)
        meaning = self.vectors[own].sum(0)
        wording = np.asarray(self.weighted[own].sum(0)).ravel()
        lengths = np.linalg.norm(meaning), np.linalg.norm(wording)
        near = 0.5 * (self.vectors[part] @ meaning) / max(float(lengths[0]), 1e-9)
        near += 0.5 * (self.weighted[part] @ wording) / max(float(lengths[1]), 1e-9)
        if count > 1:
            self_meaning = meaning - self.vectors[own]
            rows = self.weighted[own]
            to_words = np.asarray(rows @ wording).ravel() - 1.0
            left_words = np.sqrt(np.maximum(lengths[1] ** 2 - 2 * (to_words + 1.0) + 1.0, 1e-9))
            left = np.linalg.norm(self_meaning, axis=1)
            to_meaning = (self.vectors[own] * self_meaning).sum(1)
            near[own - part.start] = 0.5 * to_meaning / np.maximum(left, 1e-9) + 0.5 * to_words / left_words
        likeness: NDArray[np.float32] = near.astype(np.float32)
        return likeness
