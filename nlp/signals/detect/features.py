"""What tells a subject from noise: some thirty numbers about each candidate, all known when it arose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.lives import Life
from groundswell.nlp.signals.detect.memory import SCALE
from groundswell.nlp.signals.detect.neighbours import DAY, GAP, HISTORY

FAMILIES = ("ball", "term", "stem", "kin", "meaning")
"""Ways to form groups; a candidate may be seen by several."""
LEXICAL = ("term", "stem", "kin")
NAMES = (
    *(f"by_{family}" for family in FAMILIES),
    "kind_of_group", "size", "window", "score", "families", "observed", "expected", "past", "excess", "ratio", "spread",
    "documents", "kept", "span", "share_12", "share_24", "likeness", "likeness_meaning", "likeness_words",
    "commonest_term", "shared_terms", "rarity", "unseen", "nearness", "nearness_mean", "kin", "length", "length_spread",
    "records", "age", "volume", "volume_jump", "noise_median", "noise_high", "above_noise", "above_high", "returning",
    "copies", "crowd", "history", "lexical",
    "second", "second_observed", "second_expected", "second_past", "second_gain",
)  # fmt: skip
LOOK_BACK = 42 * DAY
"""How much of the stream's own noise a candidate is measured against."""
RECALLED = 90 * DAY
"""How far back a word counts as known."""
USUAL = (3.5, 4.5)
"""Median and 90th percentile of the strongest test of a day, over development streams: prior for short pasts."""
USUAL_DAYS = 10.0
MOST_COMPARED = 40


@dataclass(frozen=True, slots=True)
class Ground:
    """What candidates of one scope are described by; arrays by position, whole numbers of `SCALE`.

    Attributes:
        hours: of every document, ascending.
        began: hour at which the stream began.
        vectors: centred.
        weighted: terms.
        near: for a document, who came before and is near, and how near.
        use: which documents count in the scope.
        holds: which documents belong to the scope, copies too.
        copies: positions of the copies of a document.
        lengths: characters of each document.
    """

    hours: NDArray[np.float64]
    began: float
    vectors: NDArray[np.float32]
    weighted: sparse.csr_matrix
    columns: sparse.csc_matrix
    near: Callable[[int], tuple[NDArray[np.int32], NDArray[np.float32]]]
    use: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    copies: Mapping[int, Sequence[int]]
    lengths: NDArray[np.int32]


class Describer:
    """Turns candidates, given in order of time, into rows of numbers."""

    def __init__(self, ground: Ground, life: Life) -> None:
        self.ground, self.life = ground, life
        self.hours, self.vectors, self.weighted = ground.hours, ground.vectors, ground.weighted
        self.volume = ground.hours[ground.use]

    def rows(self, found: Iterable[Candidate]) -> NDArray[np.float64]:
        """Return ``(candidates, len(NAMES))``."""
        return np.array([self.row(candidate) for candidate in found]).reshape(-1, len(NAMES))

    def row(self, c: Candidate) -> list[float]:
        """Return one candidate's numbers; candidates must come in order of time."""
        top = max(c.scores.values())
        median, high = self._noise(c, top)
        numbers = [c.scores.get(family, 0.0) for family in FAMILIES]
        numbers += [FAMILIES.index(c.family), c.size, c.window, top, len(c.scores)]
        numbers += self._counts(c) + self._inside(c) + self._before(c)
        lengths = np.log1p(self.ground.lengths[c.documents].astype(np.float64))
        numbers += [lengths.mean(), lengths.std(), c.records, c.at - c.born]
        daily, jump = self._volume(c)
        numbers += [math.log1p(daily), jump, median, high, top - median, top - high, self._returning(c)]
        copies = sum(self.hours[k] <= c.at for d in c.documents for k in self.ground.copies.get(int(d), ()))
        numbers += [copies / len(c.documents), len(c.documents) / max(1.0, daily)]
        second = c.refined
        numbers += [
            min(c.at - self.ground.began, LOOK_BACK) / DAY,
            max(c.scores.get(family, 0.0) for family in LEXICAL),
            second.score, math.log1p(second.observed), math.log(second.expected + 0.01), math.log1p(second.past),
            second.score - top,
        ]  # fmt: skip
        return numbers

    def _noise(self, c: Candidate, top: float) -> tuple[float, float]:
        """Return median and ninetieth percentile of the daily maxima before today, shrunk to the usual."""
        today = int(c.at // DAY)
        best: dict[int, float] = {}
        for day, score in self.life.noise:
            if today - LOOK_BACK / DAY <= day < today:
                best[day] = max(best.get(day, 0.0), score)
        self.life.noise.append((today, top))
        first = int(self.ground.began // DAY)
        span = min(LOOK_BACK / DAY, today - first)
        maxima = np.array([*best.values(), *[0.0] * max(0, int(span) - len(best))])
        weight = len(maxima) / (len(maxima) + USUAL_DAYS)
        if len(maxima) == 0:
            return USUAL
        seen = np.quantile(maxima, [0.5, 0.9])
        return (
            float(weight * seen[0] + (1 - weight) * USUAL[0]),
            float(weight * seen[1] + (1 - weight) * USUAL[1]),
        )

    def _counts(self, c: Candidate) -> list[float]:
        when = self.hours[c.documents]
        count = len(c.documents)
        return [
            math.log(c.observed), math.log(c.expected + 0.01), math.log1p(c.past), c.observed - c.expected,
            math.log((c.observed + 0.5) / (c.expected + 0.5)), c.spread, math.log(count), count / len(c.whole),
            c.at - when[0], float((when >= c.at - 12).mean()), float((when >= c.at - DAY).mean()),
        ]  # fmt: skip

    def _inside(self, c: Candidate) -> list[float]:
        """Return how alike the documents are, by meaning and by wording, and what words they share."""
        chosen = c.documents[-MOST_COMPARED:]
        count = len(chosen)
        dense = self.vectors[chosen].astype(np.float64)
        words = self.weighted[chosen].astype(np.float64)
        meaning = dense @ dense.T / SCALE**2
        wording = (words @ words.T).toarray() / SCALE**2
        pairs = max(1, count * (count - 1))
        by_meaning = float((meaning.sum() - np.trace(meaning)) / pairs)
        by_words = float((wording.sum() - np.trace(wording)) / pairs)
        terms, times = np.unique(words.indices, return_counts=True)
        if len(terms) == 0:
            return [by_meaning / 2, by_meaning, 0.0, 0.0, 0.0, 0.0, 0.0]
        end = c.at - c.window - GAP
        shared = np.flatnonzero(times >= max(2, count / 2))
        frequent = shared if len(shared) else np.argsort(-times, kind="stable")[:1]
        known = np.array([self._known(int(terms[k]), end) for k in frequent])
        low, high = np.searchsorted(self.volume, [end - RECALLED, end])
        total = max(1.0, float(high - low))
        rarity = np.log((min(total, 1e9) + 1) / (known + 0.5))
        weight = times[frequent] / count
        return [
            (by_meaning + by_words) / 2, by_meaning, by_words, float(times.max() / count), float(len(shared)),
            float((rarity * weight).max()), float((known[times[frequent] >= 2] == 0).sum()) if count > 1 else 0.0,
        ]  # fmt: skip

    def _known(self, term: int, end: float) -> int:
        """Return how many documents of the scope in the `RECALLED` before an hour had the term."""
        columns = self.ground.columns
        items = columns.indices[columns.indptr[term] : columns.indptr[term + 1]]
        low, high = np.searchsorted(items, np.searchsorted(self.hours, [end - RECALLED, end]))
        return int(self.ground.holds[items[low:high]].sum())

    def _before(self, c: Candidate) -> list[float]:
        """Return how near the documents are to anything of the past, and how many kin they had there."""
        nearest, kin = [], []
        end = c.at - c.window - GAP
        for document in c.documents[-MOST_COMPARED:]:
            items, near = self.ground.near(int(document))
            past = near[(self.hours[items] < end) & self.ground.use[items]]
            nearest.append(float(past.max()) if len(past) else 0.1)
            kin.append(float((past >= 0.25).sum()))
        return [float(np.max(nearest)), float(np.mean(nearest)), float(np.log1p(kin).mean())]

    def _volume(self, c: Candidate) -> tuple[float, float]:
        """Return the stream's documents a day before, and how far today departs from it (log)."""
        end = c.at - DAY
        low, mid, now = np.searchsorted(self.volume, [max(end - HISTORY, self.ground.began), end, c.at])
        days = max(1.0, (end - max(end - HISTORY, self.ground.began)) / DAY)
        daily = (mid - low) / days
        return float(daily), math.log((now - mid + 1) / (daily + 1))

    def _returning(self, c: Candidate) -> float:
        """Return the likeness to the nearest candidate of another subject seen before."""
        middle = self.vectors[c.documents].astype(np.float64).mean(0)
        middle = (middle / max(float(np.linalg.norm(middle)), 1e-9)).astype(np.float32)
        others = [
            vector for at, subject, vector in self.life.middles if subject != c.subject and c.at - at <= LOOK_BACK
        ]
        likeness = max((float(np.dot(vector, middle)) for vector in others), default=0.0)
        if c.records % 4 == 0:
            self.life.middles.append((c.at, c.subject, middle))
        return likeness
