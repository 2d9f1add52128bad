"""What tells a subject from noise: some thirty numbers about each candidate, all known when it arose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.lives import Life
from groundswell.nlp.signals.detect.neighbours import DAY, GAP, HISTORY, SCALE
from groundswell.nlp.signals.detect.ragged import Ragged
from groundswell.nlp.signals.detect.scan import counted, sums_of

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


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ground:
    """What candidates of one scope are described by; arrays by position, whole numbers of `SCALE`.

    Attributes:
        hours: of every document, ascending.
        began: hour at which the stream began.
        vectors: centred.
        weighted: terms.
        near: for some documents, who came before and is near, and how near.
        use: which documents count in the scope.
        holds: which documents belong to the scope, copies too.
        copies: of the documents that are copies, the first and the position as one number, ascending (`copy_numbers`).
        lengths: characters of each document.
        stands: for how many documents each stands.
    """

    hours: Floats
    began: float
    vectors: NDArray[np.int16]
    weighted: sparse.csr_matrix
    columns: sparse.csc_matrix
    near: Callable[[Ints], tuple[Ragged, NDArray[np.float32]]]
    use: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    copies: Ints
    lengths: NDArray[np.int32]
    stands: NDArray[np.float32]


def copy_numbers(first: Ints) -> Ints:
    """Return one number for each document that is a copy: its first and its own position, ascending."""
    copies = np.flatnonzero(first != np.arange(len(first)))
    return np.sort(first[copies] * len(first) + copies)


class Describer:
    """Turns candidates, given in order of time, into rows of numbers: all of them column by column.

    Sums are of whole numbers or of one candidate's own: no number depends on which others are described with it.
    """

    def __init__(self, ground: Ground, life: Life) -> None:
        self.ground, self.life = ground, life
        self.hours, self.vectors, self.weighted = ground.hours, ground.vectors, ground.weighted
        self.volume = ground.hours[ground.use]
        self.standing = sums_of(ground.stands[ground.use])

    def rows(self, found: Sequence[Candidate]) -> Floats:
        """Return ``(candidates, len(NAMES))``."""
        if not found:
            return np.zeros((0, len(NAMES)))
        table = _Table(found)
        top = np.array([max(c.scores.values()) for c in found])
        families = np.array([[c.scores.get(family, 0.0) for family in FAMILIES] for c in found])
        daily, jump = self._volume(table)
        median, high = self._noise(table, top)
        lengths = np.log1p(self.ground.lengths[table.all.items].astype(np.float64))
        mean = table.all.mean(lengths)
        spread = np.sqrt(table.all.mean((lengths - mean[table.all.owner]) ** 2))
        lexical = families[:, [FAMILIES.index(family) for family in LEXICAL]].max(1)
        columns = [
            *families.T, table.of(lambda c: FAMILIES.index(c.family)), table.of(lambda c: c.size), table.window, top,
            table.of(lambda c: len(c.scores)), *self._counts(table), *self._inside(table), *self._before(table),
            mean, spread, table.of(lambda c: c.records), table.at - table.of(lambda c: c.born), np.log1p(daily), jump,
            median, high, top - median, top - high, self._returning(table), self._copies(table) / table.count,
            table.count / np.maximum(1.0, daily), np.minimum(table.at - self.ground.began, LOOK_BACK) / DAY, lexical,
            *self._second(table, top),
        ]  # fmt: skip
        return np.stack([np.asarray(column, np.float64) for column in columns], 1)

    def _noise(self, table: _Table, top: Floats) -> tuple[Floats, Floats]:
        """Return median and ninetieth percentile of the daily maxima before the day, shrunk to the usual."""
        noise, by_group = self.life.noise, dict[int, tuple[float, float]]()
        found: list[tuple[float, float]] = []
        for day, score in zip((table.at // DAY).astype(int).tolist(), top.tolist(), strict=True):
            if day not in by_group:
                by_group[day] = self._usual(day)
            found.append(by_group[day])
            noise[day] = max(noise.get(day, 0.0), score)
        median, high = np.array(found).T
        return median, high

    def _usual(self, today: int) -> tuple[float, float]:
        best = [score for day, score in self.life.noise.items() if today - LOOK_BACK / DAY <= day < today]
        span = int(min(LOOK_BACK / DAY, today - int(self.ground.began // DAY)))
        maxima = np.array([*best, *[0.0] * max(0, span - len(best))])
        if len(maxima) == 0:
            return USUAL
        weight = len(maxima) / (len(maxima) + USUAL_DAYS)
        seen = np.quantile(maxima, [0.5, 0.9])
        return (
            float(weight * seen[0] + (1 - weight) * USUAL[0]),
            float(weight * seen[1] + (1 - weight) * USUAL[1]),
        )

    def _counts(self, table: _Table) -> list[Floats]:
        when = self.hours[table.all.items]
        observed, expected = table.of(lambda c: c.observed), table.of(lambda c: c.expected)
        past = table.of(lambda c: c.past)
        at = table.at[table.all.owner]
        return [
            np.log(observed), np.log(expected + 0.01), np.log1p(past), observed - expected,
            np.log((observed + 0.5) / (expected + 0.5)), table.of(lambda c: c.spread), np.log(table.count),
            table.count / table.of(lambda c: len(c.whole)), table.at - when[table.all.starts[:-1]],
            table.all.mean(when >= at - 12), table.all.mean(when >= at - DAY),
        ]  # fmt: skip

    def _inside(self, table: _Table) -> list[Floats]:
        """Return how alike the documents are, by meaning and by wording, and what words they share."""
        some, count = table.latest, table.latest.counts.astype(np.float64)
        pairs = np.maximum(1.0, count * (count - 1))
        dense = self.vectors[some.items].astype(np.float64)
        total = np.add.reduceat(dense, some.starts[:-1], axis=0)
        by_meaning = ((total**2).sum(1) - some.add((dense**2).sum(1))) / SCALE**2 / pairs
        words = _Words(self.weighted, some)
        by_words = (words.squares_of_sums - words.sums_of_squares) / SCALE**2 / pairs
        commonest = words.commonest
        frequent = words.times >= np.maximum(2, count / 2)[words.owner]
        shared = np.bincount(words.owner[frequent], minlength=len(count)).astype(np.float64)
        frequent[words.first_commonest[(shared == 0) & (commonest > 0)]] = True
        which = np.flatnonzero(frequent)
        owner, times = words.owner[which], words.times[which]
        end = table.at - table.window - GAP
        shares = self._known(words.terms[which], end[owner])
        low, high = np.searchsorted(self.volume, end - RECALLED), np.searchsorted(self.volume, end)
        rarity = (
            np.log((np.maximum(1.0, counted(self.standing, low, high))[owner] + 1) / (shares + 0.5))
            * times
            / count[owner]
        )
        rarest = np.full(len(count), -np.inf)
        np.maximum.at(rarest, owner, rarity)
        unseen = np.bincount(owner[(times >= 2) & (shares == 0)], minlength=len(count)) * (count > 1)
        return [
            (by_meaning + by_words) / 2, by_meaning, by_words, commonest / count, shared,
            np.where(commonest > 0, rarest, 0.0), unseen,
        ]  # fmt: skip

    def _known(self, terms: Ints, end: Floats) -> Floats:
        """Return how many documents of the scope in the `RECALLED` before an hour had each term."""
        columns = self.ground.columns
        had = Ragged.parts(columns.indptr.astype(np.int64), terms)
        items = columns.indices[had.items]
        low, high = np.searchsorted(self.hours, end - RECALLED), np.searchsorted(self.hours, end)
        mine = self.ground.holds[items] & (items >= low[had.owner]) & (items < high[had.owner])
        known: Floats = np.bincount(had.owner[mine], self.ground.stands[items[mine]], len(terms)).astype(np.float64)
        return known

    def _before(self, table: _Table) -> list[Floats]:
        """Return how near the documents are to anything of the past, and how many kin they had there."""
        some = table.latest
        lists, near = self.ground.near(some.items)
        end = (table.at - table.window - GAP)[some.owner]
        past = (self.hours[lists.items] < end[lists.owner]) & self.ground.use[lists.items]
        nearest = np.full(len(some.items), -np.inf)
        np.maximum.at(nearest, lists.owner[past], near[past].astype(np.float64))
        nearest = np.where(np.isfinite(nearest), nearest, 0.1)
        alike = past & (near >= 0.25)
        kin = np.bincount(lists.owner[alike], self.ground.stands[lists.items[alike]], minlength=len(some.items))
        return [some.most(nearest, 0.1), some.mean(nearest), some.mean(np.log1p(kin))]

    def _volume(self, table: _Table) -> tuple[Floats, Floats]:
        """Return the stream's documents a day before, and how far today departs from it (log)."""
        end = table.at - DAY
        begin = np.maximum(end - HISTORY, self.ground.began)
        low, mid, now = (np.searchsorted(self.volume, moment) for moment in (begin, end, table.at))
        daily = counted(self.standing, low, mid) / np.maximum(1.0, (end - begin) / DAY)
        return daily, np.log((now - mid + 1) / (daily + 1))

    def _copies(self, table: _Table) -> Floats:
        """Return how many copies of its documents there were at the end of each one's hour."""
        until = np.searchsorted(self.hours, table.at, side="right")[table.all.owner]
        numbers = table.all.items * len(self.hours)
        copies = self.ground.copies
        return table.all.add(np.searchsorted(copies, numbers + until) - np.searchsorted(copies, numbers))

    def _returning(self, table: _Table) -> Floats:
        """Return the likeness to the nearest candidate of another subject seen before."""
        total = np.add.reduceat(self.vectors[table.all.items].astype(np.float64), table.all.starts[:-1], axis=0)
        length = np.maximum(np.sqrt((total**2).sum(1)), 1e-9)[:, None]
        middles = np.rint(total / length * SCALE).astype(np.float32)
        new = np.flatnonzero(table.of(lambda c: c.records).astype(int) % 4 == 0)
        subject = table.of(lambda c: c.subject)
        seen = self.life.middles
        at = np.concatenate([[each[0] for each in seen], table.at[new]])
        whose = np.concatenate([[each[1] for each in seen], subject[new]])
        rows = np.concatenate(
            [np.array([each[2] for each in seen], np.float32).reshape(len(seen), middles.shape[1]), middles[new]]
        )
        likeness = rows @ middles.T
        before = np.concatenate([np.full(len(seen), -1), new])
        other = (before[:, None] < np.arange(len(subject))) & (whose[:, None] != subject)
        other &= table.at - at[:, None] <= LOOK_BACK
        seen += [(float(table.at[k]), int(subject[k]), middles[k]) for k in new.tolist()]
        if not len(rows):
            return np.zeros(len(subject))
        return np.where(other.any(0), np.where(other, likeness, -np.inf).max(0) / SCALE**2, 0.0)

    @staticmethod
    def _second(table: _Table, top: Floats) -> list[Floats]:
        score, observed = table.of(lambda c: c.refined.score), table.of(lambda c: c.refined.observed)
        expected, past = table.of(lambda c: c.refined.expected), table.of(lambda c: c.refined.past)
        return [score, np.log1p(observed), np.log(expected + 0.01), np.log1p(past), score - top]


class _Table:
    """Candidates with their documents laid one after the other: all, and the latest of each."""

    def __init__(self, found: Sequence[Candidate]) -> None:
        self.found = found
        self.all = Ragged.of([c.documents for c in found])
        self.latest = Ragged.of([c.documents[-MOST_COMPARED:] for c in found])
        self.count = self.all.counts.astype(np.float64)
        self.at, self.window = self.of(lambda c: c.at), self.of(lambda c: c.window)

    def of(self, what: Callable[[Candidate], float]) -> Floats:
        """Return a number of each candidate."""
        return np.array([what(c) for c in self.found], np.float64)


class _Words:
    """How often each term stands in each list of documents: `terms`, `owner`, `times`, ascending by list and term."""

    def __init__(self, weighted: sparse.csr_matrix, lists: Ragged) -> None:
        lay = Ragged.parts(weighted.indptr.astype(np.int64), lists.items)
        weights = weighted.data[lay.items].astype(np.float64)
        owner, width = lists.owner[lay.owner], weighted.shape[1]
        number = owner * width + weighted.indices[lay.items]
        order = np.argsort(number, kind="stable")
        number = number[order]
        begin = np.flatnonzero(np.diff(number, prepend=-1))
        self.owner, self.terms = np.divmod(number[begin], width)
        self.times = np.diff(np.append(begin, len(number)))
        sums = np.add.reduceat(weights[order], begin) if len(begin) else np.zeros(0)
        count = len(lists.starts) - 1
        self.squares_of_sums = np.bincount(self.owner, sums**2, minlength=count)
        self.sums_of_squares = np.bincount(owner, weights**2, minlength=count)
        self.commonest = np.zeros(count)
        np.maximum.at(self.commonest, self.owner, self.times)
        most = np.flatnonzero(self.times == self.commonest[self.owner])
        self.first_commonest = np.full(count, -1)
        mine, where = np.unique(self.owner[most], return_index=True)
        self.first_commonest[mine] = most[where]
