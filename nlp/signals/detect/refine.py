"""A second look at a candidate: not around one of its texts, but around what its texts have in common.

A ball sees what is near one text; a subject told in many words has members that are far from any single one
of them but near their middle. The middle is made from the window's texts, so each is compared with that of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.memory import SCALE
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
    """Looks at candidates again, in any order.

    Args:
        vectors: centred, whole numbers of `SCALE`, ``(n, d)``.
        weighted: terms, likewise.
        hours: ascending.
        use: which documents count.
    """

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

    def _near(self, own: NDArray[np.int64], part: slice) -> NDArray[np.float64]:
        """Return the similarity of the texts in `part` to the middle of `own`, without themselves.

        Sums of whole numbers are exact, and the middle is rounded to whole numbers before it is compared.
        """
        mine, rows = self.vectors[own].astype(np.float64), self.weighted[own].astype(np.float64)
        meaning, wording = mine.sum(0), np.asarray(rows.sum(0)).ravel()
        lengths = float(np.sqrt((meaning**2).sum())), float(np.sqrt((wording**2).sum()))
        near = self.vectors[part] @ _unit(meaning, lengths[0])
        near = (near + self.weighted[part] @ _unit(wording, lengths[1])).astype(np.float64) / (2 * SCALE * SCALE)
        if len(own) > 1:
            near[own - part.start] = self._without_self(mine, rows, meaning, wording)
        likeness: NDArray[np.float64] = near
        return likeness

    @staticmethod
    def _without_self(
        mine: NDArray[np.float64], rows: sparse.csr_matrix, meaning: NDArray[np.float64], wording: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the similarity of each of the middle's own texts to the middle of the others."""
        others = meaning - mine
        left = np.sqrt((others**2).sum(1))
        own_words = np.asarray(rows.multiply(rows).sum(1)).ravel()
        to_words = np.asarray(rows @ wording).ravel() - own_words
        left_words = np.sqrt(np.maximum((wording**2).sum() - 2 * to_words - own_words, 1e-9))
        to_meaning = (mine * others).sum(1)
        both = to_meaning / np.maximum(left, 1e-9) + to_words / np.maximum(left_words, 1e-9)
        likeness: NDArray[np.float64] = both / (2 * SCALE)
        return likeness


def _unit(numbers: NDArray[np.float64], length: float) -> NDArray[np.float32]:
    return np.rint(numbers / max(length, 1e-9) * SCALE).astype(np.float32)
