"""What a watch found that is worth telling, with the ids of its documents: what signals are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.topics import Topic
from groundswell.index.ids import stable_id
from groundswell.index.records import SignalKind
from groundswell.nlp.signals.alerts.crawl_gaps import Silences, silences
from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.detect import Detection, Watch
from groundswell.nlp.signals.detect.drift import Drift
from groundswell.nlp.signals.detect.lives import Life, Rule
from groundswell.nlp.signals.detect.neighbours import GAP, HISTORY
from groundswell.nlp.signals.detect.rank import kind_of, load_ranking
from groundswell.nlp.signals.detect.scopes import WHOLE, Scope
from groundswell.nlp.signals.detect.topics import TopicSurge

KEPT = -1.3
"""Strength (twenty false ones a week) under which a candidate is not worth keeping: the early list needs the weak."""
GROWS = 0.25
"""How much stronger a subject must have become to be put on record again."""
COMPARED = 300
"""Documents of the past that a candidate's words are compared with."""
STRONGEST_DRIFT = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Something that departed from its past, by hours since 1970.

    Attributes:
        kind: what it is.
        scope: where.
        at: end of the hour in which it was seen.
        known: when its last document was known.
        start: its onset.
        window: hours in which it was counted.
        observed: documents, mood or new places.
        expected: the same, by its past.
        strength: −log10 of the false alerts a week that come so strong.
        subject: the detector's name of what it is about.
        evidence: ids, by time.
        before: documents of the scope's past, for comparison: their ids and languages.
        statistic: −log10 of the tail of its clearest test.
        title: of its standing topic, or empty.
        theme: whose drift it is, or empty.
        places: that are new to the theme.
        explained: what else accounts for it, or empty.
    """

    kind: SignalKind
    scope: Scope
    at: float
    known: float
    start: float
    window: float
    observed: float
    expected: float
    strength: float
    subject: str
    evidence: tuple[str, ...]
    before: tuple[tuple[str, str], ...] = ()
    statistic: float = 0.0
    title: str = ""
    theme: str = ""
    places: tuple[str, ...] = ()
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Teller:
    """Chooses what is worth telling: each subject when it first shows, and whenever it grew.

    Args:
        watch: what found it.
        rule: what is worth telling.
        since: what was known at this hour or before has been told of already.
    """

    watch: Watch
    rule: Rule = field(default_factory=lambda: Rule(KEPT, GROWS))
    since: float = -np.inf
    heard: dict[tuple[str, float], Silences] = field(default_factory=dict, repr=False)

    def tell(self, found: Detection) -> Iterator[Departure]:
        """Yield what of one scope is new to whoever listens, in order of time within candidates and topics."""
        life = self.watch.lives[found.scope] if found.scope in self.watch.lives else Life()
        cost = float(np.log10(self._scopes)) if found.scope != WHOLE else 0.0
        if found.found:
            yield from self._candidates(found, life, cost)
        if found.swells:
            yield from self._swells(found, life, cost)
        yield from self._drifts(found.drifts, life)

    @property
    def _scopes(self) -> int:
        return len(self.watch.weeks[-1].scopes) if self.watch.weeks else 1

    def _candidates(self, found: Detection, life: Life, cost: float) -> Iterator[Departure]:
        kinds = kind_of(found.numbers)
        strengths = load_ranking().strengths(found.numbers, kinds) - cost
        for candidate, kind, strength in zip(found.found, kinds, strengths, strict=True):
            if life.tells(candidate.subject, float(strength), candidate.documents, candidate.at, self.rule):
                notice = life.told[candidate.subject]
                first = str(self.watch.memory.ids[candidate.whole[0]])
                notice.name = notice.name or stable_id("subject", found.scope.market, found.scope.kind, first)
                if self._news(candidate.documents, candidate.at):
                    yield self._candidate(
                        candidate, "new" if kind == "new" else "surge", float(strength), found.scope, notice.name
                    )

    def _candidate(self, c: Candidate, kind: SignalKind, strength: float, scope: Scope, subject: str) -> Departure:
        expected = c.expected * len(c.documents) / max(c.observed, 1.0)
        return Departure(
            kind=kind, scope=scope, at=c.at, window=c.window, observed=float(len(c.documents)), expected=expected,
            strength=strength, subject=subject, statistic=round(max(c.scores.values()), 2),
            **self._about(c.documents, c.at, c.window, scope),
        )  # fmt: skip

    def _swells(self, found: Detection, life: Life, cost: float) -> Iterator[Departure]:
        strengths = load_ranking().standing(found.swell_numbers) - cost
        for swell, strength in zip(found.swells, strengths, strict=True):
            key = (swell.topic, swell.episode)
            notice = life.tells(key, float(strength), swell.documents, swell.at, self.rule)
            if notice and self._news(swell.documents, swell.at):
                yield self._swell(swell, self.watch.topics[swell.topic], float(strength), found.scope)

    def _swell(self, swell: TopicSurge, topic: Topic, strength: float, scope: Scope) -> Departure:
        return Departure(
            kind="surge", scope=scope, at=swell.at, window=swell.window, observed=swell.observed,
            expected=swell.expected, strength=strength, title=topic.title, statistic=round(swell.score, 2),
            subject=stable_id("topic", scope.market, scope.kind, topic.id),
            **self._about(swell.documents, swell.at, swell.window, scope),
        )  # fmt: skip

    def _drifts(self, found: Sequence[Drift], life: Life) -> Iterator[Departure]:
        rule = Rule(self.rule.kept, self.rule.grows)
        for drift in found:
            notice = life.tells((drift.kind, drift.theme), drift.strength, drift.documents, drift.at, rule)
            if notice and self._news(drift.documents, drift.at):
                yield self._drift(drift)

    def _drift(self, drift: Drift) -> Departure:
        memory = self.watch.memory
        return Departure(
            kind="sour" if drift.kind == "sour" else "spread", scope=WHOLE, at=drift.at,
            known=self._known(drift.documents, drift.at), start=float(memory.hours[drift.documents[0]]), window=0.0,
            observed=drift.observed, expected=drift.expected, strength=min(drift.strength, STRONGEST_DRIFT),
            subject=drift.theme, theme=drift.theme, evidence=tuple(memory.ids[drift.documents].tolist()),
            places=drift.places,
        )  # fmt: skip

    def _known(self, documents: NDArray[np.int64], at: float) -> float:
        return max(at, float(self.watch.memory.known[documents].max()))

    def _news(self, documents: NDArray[np.int64], at: float) -> bool:
        return self._known(documents, at) > self.since

    def _about(self, documents: NDArray[np.int64], at: float, window: float, scope: Scope) -> dict[str, Any]:
        """Return what is the same of candidates and topics: documents, times, the past, what explains it."""
        memory = self.watch.memory
        return {
            "evidence": tuple(memory.ids[documents].tolist()),
            "known": self._known(documents, at),
            "start": float(memory.hours[documents[0]]),
            "before": self._past(at - window - GAP, scope),
            "explained": self._explained(documents, at),
        }

    def _past(self, until: float, scope: Scope) -> tuple[tuple[str, str], ...]:
        """Return some documents of a scope's past, the same whenever one asks: those with the lowest hashes."""
        memory = self.watch.memory
        part = slice(memory.at(until - HISTORY), memory.at(until))
        mine = np.flatnonzero(scope.holds(memory)[part]) + part.start
        lowest = np.sort(mine[np.argsort(memory.keys[mine], kind="stable")[:COMPARED]])
        return tuple(zip(memory.ids[lowest].tolist(), memory.languages[lowest].tolist(), strict=True))

    def _explained(self, documents: NDArray[np.int64], at: float) -> str:
        heard = self.watch.memory.sources[documents]
        names, counts = np.unique(heard, return_counts=True)
        outages = self._silences(str(names[counts.argmax()]))
        return outages.explanation(heard.tolist(), at)

    def _silences(self, source: str) -> Silences:
        """Return the silences of a source, found once for each hour that the watch has come to."""
        memory, key = self.watch.memory, (source, self.watch.upto)
        if key not in self.heard:
            mine = np.flatnonzero(memory.sources == source)
            self.heard[key] = silences([source] * len(mine), memory.hours[mine], start=self.watch.began)
        return self.heard[key]
