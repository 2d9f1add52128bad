"""Standing topics: what people write about again and again (login, advertising, couriers), each counted for itself.

A scan for what is *new* looks at every text and every word, so something that everybody knows must swell a long way
before it stands out among so many tests. There are only some sixty standing topics, each with a steady rule of
membership (`groundswell.configs.topics`), so a day of twice the usual number is enough to be seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.nlp.signals.detect.lives import Lately, Life
from groundswell.nlp.signals.detect.neighbours import DAY, HISTORY, REACH
from groundswell.nlp.signals.detect.scan import LONG, SHORT, Baseline, GroupCounts, ScanTests, counted, look

WINDOWS = (24.0, 48.0, 72.0, 96.0)
BASELINES = (LONG, SHORT)
LEAST = 2.0
"""Score (−log10 of the tail) from which a test of a topic is worth looking at."""
LIVES = 7 * DAY
"""A topic that is told of again after so long is a swell of its own."""
GROWS = 0.1
"""How much stronger a test must have become to be a candidate again."""
NAMES = (
    *(f"{name}_{window:.0f}" for name in ("long", "short") for window in WINDOWS),
    "score", "log_observed", "log_expected", "ratio", "past", "spread", "share_12", "share_24", "share_48", "evenness",
    "others", "strongest_other", "second_other", "sum_of_others", "shared", "volume",
    "volume_jump", "length_change", "length", "mix", "history", "share_of_stream", "commonest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopicSurge:
    """A topic above its usual at the end of one hour, by its clearest test; `documents` are positions, ascending."""

    at: float
    topic: int
    episode: int
    window: float
    observed: float
    past: float
    expected: float
    spread: float
    score: float
    documents: NDArray[np.int64]


class Standing:
    """Finds swells of standing topics in one scope and describes each by `NAMES`.

    Args:
        clock: the documents of each topic that count.
        holds: which belong to the scope, copies too.
        has: terms of every document.
        life: what was seen before; it goes on.
        stands: for how many documents each stands.
        since, until: hours after and up to which (whole hours) tests are made.
        began: hour at which the stream began.
    """

    def __init__(
        self, clock: GroupCounts, holds: NDArray[np.bool_],
        has: sparse.csr_matrix, life: Life, *, stands: NDArray[np.float32], since: float, until: float, began: float,
    ) -> None:  # fmt: skip
        self.clock, self.rows, self.hours = clock, clock.places.rows, clock.places.hours
        self.has, self.life = has, life
        self.since, self.until, self.began = since, until, began
        self.volume, self.standing, self.stands = clock.volume, clock.stands, stands
        self.lengths = np.log1p(np.diff(has.indptr))
        self.holds = holds

    def find(self) -> tuple[list[TopicSurge], NDArray[np.float64]]:
        """Return swells in order of time, and a row of numbers for each."""
        found: list[TopicSurge] = []
        numbers: list[list[float]] = []
        for swell, scores in self._tests():
            self.life.lately = [notice for notice in self.life.lately if swell.at - notice.at <= DAY]
            others = [notice for notice in self.life.lately if notice.topic != swell.topic]
            found.append(swell)
            numbers.append([*scores, *self._own(swell), *self._beside(swell, others), *self._stream(swell)])
            self.life.lately.append(Lately(swell.at, swell.topic, swell.score, swell.documents))
        return found, np.array(numbers, np.float64).reshape(-1, len(NAMES))

    def _tests(self) -> Iterator[tuple[TopicSurge, list[float]]]:
        """Yield each topic at the end of each hour in which it grew and stood out, with its score by every test."""
        tables = [self._look(baseline) for baseline in BASELINES]
        order = sorted(
            (float(table.at[k]), int(table.group[k]), which, k)
            for which, table in enumerate(tables)
            for k in range(len(table))
        )
        episodes = self.life.episodes
        for (at, topic), tests in groupby(order, key=itemgetter(0, 1)):
            scores = [0.0] * (len(WINDOWS) * len(BASELINES))
            best: tuple[ScanTests, int] | None = None
            for _, _, which, k in tests:
                table = tables[which]
                scores[which * len(WINDOWS) + WINDOWS.index(float(table.window[k]))] = float(table.score[k])
                if best is None or table.score[k] > best[0].score[best[1]]:
                    best = table, k
            began, number = episodes.get(topic, (-math.inf, -1))
            if at - began > LIVES:
                began, number = episodes[topic] = at, number + 1
            if best is not None:
                yield self._swell(*best, number), scores

    def _look(self, baseline: Baseline) -> ScanTests:
        count = len(self.rows.starts) - 1
        return look(
            self.clock, np.full(count, self.since), np.full(count, self.until - 1), least=LEAST,
            windows=WINDOWS, baselines=(baseline,),
        )  # fmt: skip

    def _swell(self, table: ScanTests, k: int, episode: int) -> TopicSurge:
        upto, count = int(table.upto[k]), int(table.observed[k])
        numbers = {
            name: float(getattr(table, name)[k]) for name in ("at", "window", "past", "expected", "spread", "score")
        }
        documents = self.rows.items[upto - count : upto].astype(np.int64)
        return TopicSurge(
            topic=int(table.group[k]), episode=episode, observed=float(count), documents=documents, **numbers
        )

    def _own(self, s: TopicSurge) -> list[float]:
        when = self.hours[s.documents]
        ratio = math.log((s.observed + 0.5) / (s.expected + 0.5))
        return [
            s.score, math.log(s.observed), math.log(s.expected + 0.01), ratio, math.log1p(s.past), s.spread,
            float((when >= s.at - 12).mean()), float((when >= s.at - 24).mean()), float((when >= s.at - 48).mean()),
            float(when.std()) / s.window,
        ]  # fmt: skip

    def _beside(self, s: TopicSurge, others: Sequence[Lately]) -> list[float]:
        """Return what other topics do in the same day: what all do together has a cause of its own."""
        best: dict[int, Lately] = {}
        for notice in others:
            if notice.topic not in best or notice.score > best[notice.topic].score:
                best[notice.topic] = notice
        ordered = sorted(best.values(), key=lambda notice: -notice.score)
        scores = [notice.score for notice in ordered]
        stronger = [notice.documents for notice in ordered if notice.score >= s.score - 0.5]
        shared = max((float(np.isin(s.documents, d).mean()) for d in stronger), default=0.0)
        first, second = [*scores, 0.0, 0.0][:2]
        return [len(scores), first, second, sum(scores), shared]

    def _stream(self, s: TopicSurge) -> list[float]:
        """Return how the stream itself goes: volume, length of its texts, how long it is known."""
        begin, end = max(s.at - DAY - HISTORY, self.began), s.at - DAY
        low, mid, now = np.searchsorted(self.volume, [begin, end, s.at])
        daily = float(counted(self.standing, low, mid)) / max(1.0, (end - begin) / DAY)
        topic = slice(int(self.rows.starts[s.topic]), int(self.rows.starts[s.topic + 1]))
        members = self.rows.items[topic]
        place = int(np.searchsorted(members, s.documents[0]))
        past = members[max(0, place - 60) : place]
        past = past[self.hours[past] >= s.at - REACH]
        length = float(self.lengths[s.documents].mean())
        usual = float(self.lengths[past].mean()) if len(past) else length
        mix = self._length(s.at - s.window, s.at) - self._length(begin, end)
        times = np.sort(np.unique(self.has[s.documents].indices, return_counts=True)[1])
        commonest = float(times[-2]) / len(s.documents) if len(times) > 1 else 0.0
        return [
            math.log1p(daily), math.log((now - mid + 1) / (daily + 1)), length - usual, length, mix,
            min(s.at - self.began, 1000.0) / DAY, len(s.documents) / max(1.0, float(now - mid)), commonest,
        ]  # fmt: skip

    def _length(self, begin: float, end: float) -> float:
        low, high = np.searchsorted(self.hours, [begin, end])
        lengths = self.lengths[low:high][self.holds[low:high]]
        return float(lengths.sum()) / max(1, len(lengths))
