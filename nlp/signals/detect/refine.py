"""A second look at candidates: not around one of a candidate's texts, but around what its texts have in common.

A ball sees what is near one text; a subject told in many words has members that are far from any single one
of them but near their middle. The middle is made from the window's texts, so each is compared with that of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.neighbours import GAP, HISTORY, SCALE
from groundswell.nlp.signals.detect.ragged import Ragged
from groundswell.nlp.signals.detect.scan import PRIOR_COUNT, PRIOR_SPREAD, counted, sums_of, tail

NEARNESS = (0.26, 0.32, 0.38, 0.45)
"""Similarities to the middle at which the subject may end."""
SPANS = (24.0, 72.0, 120.0)
"""Hours looked back."""
AT_ONCE = 128
"""Candidates that are looked at together: the texts are read once for all of them."""
TEXTS_AT_ONCE = 16_384
"""Texts that are laid out as floats at a time."""
FEWEST = 3.0
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Refined:
    """The clearest second look: how surprising, how many, how many expected, and which texts."""

    score: float
    observed: float
    expected: float
    past: float
    documents: Ints


class Refiner:
    """Looks at candidates again, in any order.

    Args:
        vectors: centred, whole numbers of `SCALE`, ``(n, d)``.
        weighted: terms, likewise.
        hours: ascending.
        use: which documents count.
        stands: for how many documents each stands.
    """

    def __init__(
        self, vectors: NDArray[np.int16], weighted: sparse.csr_matrix, hours: Floats, use: NDArray[np.bool_],
        stands: NDArray[np.float32],
    ) -> None:  # fmt: skip
        self.index = np.flatnonzero(use)
        self.hours = hours[self.index]
        self.stands = stands[self.index]
        self.standing = sums_of(self.stands)
        self.vectors, self.weighted = vectors, weighted
        self.place = np.full(len(hours), -1)
        self.place[self.index] = np.arange(len(self.index))

    def look(self, members: Sequence[Ints], at: Sequence[float]) -> list[Refined]:
        """Return the best second look at each of several sets of documents, at the end of the hour `at` of each."""
        found: list[Refined] = []
        for start in range(0, len(members), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found += _Look(self, members[part], np.array(at[part], np.float64)).best()
        return found


class _Look:
    """One look at some candidates at once; `low` to `high` are the places of the texts each is compared with."""

    def __init__(self, refiner: Refiner, members: Sequence[Ints], at: Floats) -> None:
        self.refiner, self.members, self.at = refiner, members, at
        self.own = Ragged.of([refiner.place[each] for each in members])
        self.low = np.searchsorted(refiner.hours, at - max(SPANS) - GAP - HISTORY)
        self.high = np.searchsorted(refiner.hours, at)
        self.begin, self.end = int(self.low.min()), int(self.high.max())

    def best(self) -> list[Refined]:
        """Return the clearest of all spans and radii, for each candidate."""
        column, row, near = self._near()
        spans = [self._span(span, column, row, near) for span in SPANS]
        scores = np.stack([score for score, *_ in spans], 1).reshape(len(self.at), -1)
        found: list[Refined] = []
        bounds = np.searchsorted(column, np.arange(len(self.at) + 1))
        for k, best in enumerate(scores.argmax(1).tolist()):
            if scores[k, best] <= 0:
                found.append(Refined(0.0, 0.0, 0.0, 0.0, self.members[k]))
                continue
            span, radius = divmod(best, len(NEARNESS))
            score, observed, expected, past, start = (each[k] for each in spans[span])
            part = slice(int(bounds[k]), int(bounds[k + 1]))
            inside = (near[part] >= NEARNESS[radius]) & (row[part] >= start)
            found.append(
                Refined(
                    float(score[radius]), float(observed[radius]), float(expected[radius]), float(past[radius]),
                    self.refiner.index[row[part][inside]],
                )
            )  # fmt: skip
        return found

    def _span(self, span: float, column: Ints, row: Ints, near: Floats) -> tuple[Floats, Floats, Floats, Floats, Ints]:
        """Return score, observed, expected, past ``(candidates, radii)``, and where the span starts."""
        hours, at, count = self.refiner.hours, self.at, len(self.at)
        low, mid, start = (np.searchsorted(hours, at - span - gap) for gap in (GAP + HISTORY, GAP, 0.0))
        volume = counted(self.refiner.standing, low, mid)
        exposure = (self.high - start + 1.0) / (volume + 20.0)
        prior = PRIOR_COUNT * np.where(mid > low, volume / np.maximum(mid - low, 1), 1.0)
        drawn, stands = np.zeros((count, len(NEARNESS))), self.refiner.stands[row]
        now = row >= start[column]
        before = (row >= low[column]) & (row < mid[column])
        observed, past = np.zeros((count, len(NEARNESS))), np.zeros((count, len(NEARNESS)))
        for k, radius in enumerate(NEARNESS):
            inside = near >= radius
            observed[:, k] = np.bincount(column[inside & now], minlength=count)
            drawn[:, k] = np.bincount(column[inside & before], minlength=count)
            past[:, k] = np.bincount(column[inside & before], stands[inside & before], minlength=count)
        expected = (past + prior[:, None]) * exposure[:, None]
        score = tail(observed, expected, 1 / (1 / (drawn + PRIOR_COUNT) + PRIOR_SPREAD))
        return np.where(observed >= FEWEST, score, 0.0), observed, expected, past, start

    def _near(self) -> tuple[Ints, Ints, Floats]:
        """Return candidate, place and similarity of all texts that are near a candidate's middle, in that order.

        Sums of whole numbers are exact, and the middle is rounded to whole numbers before it is compared. A
        candidate's own texts are compared with the middle of its others.
        """
        own, refiner = self.own, self.refiner
        mine = refiner.vectors[refiner.index[own.items]].astype(np.float64)
        rows = refiner.weighted[refiner.index[own.items]].astype(np.float64)
        meaning = np.add.reduceat(mine, own.starts[:-1], axis=0)
        wording = (own.belongs() @ rows).tocsr()
        lengths = np.sqrt((meaning**2).sum(1)), np.sqrt(_squares(wording))
        by_meaning, by_wording = _unit(meaning, lengths[0]).T, _unit_rows(wording, lengths[1]).T.tocsr()
        several = np.diff(own.starts)[own.owner] > 1
        found: list[tuple[Ints, Ints, Floats]] = []
        for begin in range(self.begin, self.end, TEXTS_AT_ONCE):
            end = min(begin + TEXTS_AT_ONCE, self.end)
            index = refiner.index[begin:end]
            likeness = refiner.vectors[index].astype(np.float32) @ by_meaning
            likeness += (refiner.weighted[index] @ by_wording).toarray()
            here = several & (own.items >= begin) & (own.items < end)
            likeness[own.items[here] - begin, own.owner[here]] = -1
            places, column = np.nonzero(likeness >= (NEARNESS[0] - 1e-4) * 2 * SCALE * SCALE)
            found.append((places + begin, column, likeness[places, column].astype(np.float64) / (2 * SCALE * SCALE)))
        places, column, near = (np.concatenate(parts) for parts in zip(*found, strict=True))
        others = self._without_self(mine, rows, meaning, wording)
        column = np.concatenate([column, own.owner[several]])
        row = np.concatenate([places, own.items[several]])
        near = np.concatenate([near, others[several]])
        keep = np.flatnonzero((near >= NEARNESS[0]) & (row >= self.low[column]) & (row < self.high[column]))
        keep = keep[np.lexsort((row[keep], column[keep]))]
        return column[keep], row[keep], near[keep]

    def _without_self(
        self, mine: Floats, rows: sparse.csr_matrix, meaning: Floats, wording: sparse.csr_matrix
    ) -> Floats:
        """Return the similarity of each of the middles' own texts to the middle of the others."""
        owner = self.own.owner
        others = meaning[owner] - mine
        left = np.sqrt((others**2).sum(1))
        own_words = _squares(rows)
        to_words = np.asarray(rows.multiply(wording[owner]).sum(1)).ravel() - own_words
        left_words = np.sqrt(np.maximum(_squares(wording)[owner] - 2 * to_words - own_words, 1e-9))
        to_meaning = (mine * others).sum(1)
        both: Floats = to_meaning / np.maximum(left, 1e-9) + to_words / np.maximum(left_words, 1e-9)
        return both / (2 * SCALE)


def _squares(rows: sparse.csr_matrix) -> Floats:
    return np.asarray(rows.multiply(rows).sum(1)).ravel()


def _unit(rows: Floats, lengths: Floats) -> NDArray[np.float32]:
    return np.rint(rows / np.maximum(lengths, 1e-9)[:, None] * SCALE).astype(np.float32)


def _unit_rows(rows: sparse.csr_matrix, lengths: Floats) -> sparse.csr_matrix:
    long = np.repeat(np.maximum(lengths, 1e-9), np.diff(rows.indptr))
    whole = np.rint(rows.data / long * SCALE).astype(np.float32)
    return sparse.csr_matrix((whole, rows.indices, rows.indptr), shape=rows.shape)
