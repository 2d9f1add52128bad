"""The stage: from the store's documents to signals in the store, as if every hour had been watched live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.configs.topics import load_topics
from groundswell.index.ids import stable_id
from groundswell.index.progress import Progress
from groundswell.index.query import Query
from groundswell.index.records import Case, Checkpoint, CrawlRun, Document, Signal, SignalKind, Snooze, Theme
from groundswell.index.store import Store
from groundswell.nlp.enrich.consensus import common_risk
from groundswell.nlp.signals.alerts import explanation, feedback
from groundswell.nlp.signals.alerts.crawl_gaps import Silences, in_time, silences
from groundswell.nlp.signals.alerts.policy import Policy, SeverityInputs, severity, tell_at, threshold
from groundswell.nlp.signals.detect.candidates import Candidate
from groundswell.nlp.signals.detect.detect import Detection, Stream, detect
from groundswell.nlp.signals.detect.drift import Drift, drifts
from groundswell.nlp.signals.detect.rank import kind_of, load_ranking
from groundswell.nlp.signals.detect.topics import TopicSurge
from groundswell.nlp.text import keywords

MARK = "signals"
"""Checkpoint: how far (hour, UTC) signals were found."""
LOOK_BACK = timedelta(days=90)
"""Documents older than this before the mark take no part any more."""
KEPT = -0.85
"""Strength (seven false ones a week) under which a candidate is not worth keeping."""
GROWS = 0.25
"""How much stronger a subject must have become to be put on record again."""
FRESH = 0.2
"""Or the share of documents that are not on record yet, where it is as strong as an alert: by them an alert grows."""
SCOPE_DAILY, SCOPE_SHARE = 8.0, 0.85
"""A market or source kind is watched by itself from so many documents a day, unless it is nearly the whole stream."""
MOSTLY, WHOLLY = 0.34, 0.67
"""Share of a signal's documents that makes a theme its own; a standing topic runs through many themes."""
COMPARED = 300
"""Documents of the past that a candidate's words are compared with."""
LONGEST = 2000
"""Characters of a document whose words are compared."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the stream that is watched by itself."""

    market: str = ""
    kind: str = ""

    def holds(self, document: Document) -> bool:
        """Return whether a document belongs to it."""
        mention = document.mention
        return (not self.market or mention.market == self.market) and (not self.kind or mention.kind == self.kind)


def find_signals(store: Store, settings: Settings, *, now: datetime, progress: Progress | None = None) -> list[Signal]:
    """Find signals since the last time, decide which are alerts, write them with a new mark; return them.

    A first run replays all there is, hour by hour. Run again over the same documents, it finds nothing new.
    """
    mark = store.get(Checkpoint, MARK)
    since = datetime.fromisoformat(str(mark.value["upto"])) if mark else None
    documents = _documents(store, now, since)
    if not documents:
        return []
    found = list(_found(store, documents, settings, progress))
    fresh = [signal for signal in found if (since is None or signal.at > since) and signal.at <= now]
    decided = _decide(store, fresh, documents, settings)
    store.put([*decided, Checkpoint(id=MARK, value={"upto": now.isoformat()}, at=now)])
    return decided


def _documents(store: Store, now: datetime, since: datetime | None) -> list[Document]:
    """Return dated, enriched documents, oldest first."""
    start = None if since is None else since - LOOK_BACK
    query = Query(since=start, until=now + timedelta(hours=1), trusted_dates=True, with_vectors=True)
    return [
        document
        for document in store.scan(query)
        if document.enriched is not None and document.enriched.vector is not None and document.mention.published_at
    ]


def scopes(documents: Sequence[Document]) -> list[Scope]:
    """Return the whole, and every market and source kind with enough of its own to be watched by itself."""
    first, last = (documents[k].mention.published_at for k in (0, -1))
    days = max(1.0, (last - first) / timedelta(days=1)) if first and last else 1.0
    counts: Counter[Scope] = Counter()
    for document in documents:
        market, kind = document.mention.market, document.mention.kind
        counts.update({Scope(market=market), Scope(kind=kind), Scope(market=market, kind=kind)})
    parts = [
        scope
        for scope, count in sorted(counts.items(), key=lambda item: (-item[1], item[0].market, item[0].kind))
        if scope != Scope() and count / days >= SCOPE_DAILY and count < SCOPE_SHARE * len(documents)
    ]
    return [Scope(), *parts]


def _found(store: Store, documents: list[Document], settings: Settings, progress: Progress | None) -> Iterator[Signal]:
    """Yield undecided signals of every scope."""
    maker = SignalBuilder(
        documents,
        settings,
        runs=store.recent(CrawlRun, limit=5000),
        themes=store.recent(Theme, limit=20_000),
        cases=store.recent(Case, limit=500),
    )
    watched = scopes(documents)
    cost = float(np.log10(len(watched)))
    for k, scope in enumerate(watched):
        if progress:
            progress(
                k, len(watched), "watching " + (" ".join(filter(None, (scope.market, scope.kind))) or "everything")
            )
        rows = np.array([j for j, document in enumerate(documents) if scope.holds(document)])
        yield from maker.jumps(rows, scope, cost if scope != Scope() else 0.0)
    yield from maker.drifts()
    if progress:
        progress(len(watched), len(watched), "watched")


class RepeatFilter:
    """What was told of each subject: only what grew stronger, or by enough documents, is worth a line more.

    Args:
        kept: strength from which anything is told.
        grows: how much stronger it must have become.
        alerts: strength from which it grows by documents alone.
    """

    def __init__(self, kept: float, grows: float, alerts: float) -> None:
        self.kept, self.grows, self.alerts = kept, grows, alerts
        self.best: dict[Hashable, float] = {}
        self.documents: dict[Hashable, set[int]] = {}

    def adds(self, subject: Hashable, strength: float, documents: NDArray[np.int64]) -> bool:
        """Return whether a subject is worth telling of again, and take note if so."""
        best, known = self.best.get(subject, -np.inf), self.documents.setdefault(subject, set())
        fresh = set(documents.tolist()) - known
        longer = strength >= self.alerts and len(fresh) >= FRESH * len(documents)
        if strength < self.kept or not (strength >= best + self.grows or longer):
            return False
        self.best[subject] = max(best, strength)
        known |= fresh
        return True


class SignalBuilder:
    """Makes signals out of what the detector found, with evidence, severity and reasons."""

    def __init__(
        self, documents: Sequence[Document], settings: Settings, *, runs: Sequence[CrawlRun] = (),
        themes: Sequence[Theme] = (), cases: Sequence[Case] = (),
    ) -> None:  # fmt: skip
        self.documents, self.cases = documents, cases
        mentions = [document.mention for document in documents]
        self.counts = in_time(mentions)
        self.sources = [mention.source for mention in mentions]
        self.hours = np.array([m.published_at.timestamp() / 3600 for m in mentions if m.published_at])
        self.known_at = _known_at(documents)
        self.silences: Silences = silences(self.sources, self.hours, runs)
        self.themes = {theme.id: theme for theme in themes}
        self.weights = risk_weights(settings)
        self.markets, self.alerts = settings.signals.markets, threshold(settings.signals)
        self.topics = load_topics(settings.signals.topics)
        self.read: dict[int, Sequence[str]] = {}

    def jumps(
        self, rows: NDArray[np.int64], scope: Scope, cost: float = 0.0, *, kept: float = KEPT, grows: float = GROWS
    ) -> Iterator[Signal]:
        """Yield what surged or is new in a scope: each subject when it first shows and whenever it grew stronger.

        Args:
            rows: the scope's documents, by position.
            scope: what part of the stream it is.
            cost: taken off every strength, because several scopes are looked at.
            kept: strength from which a candidate is told of.
            grows: how much stronger a subject must have become to be told of again, unless it has many new documents.
        """
        stream = self._stream(rows)
        detection = detect(stream, topics=self.topics)
        kinds = kind_of(detection.numbers)
        strengths = load_ranking().strengths(detection.numbers, kinds) - cost
        record = RepeatFilter(kept, grows, self.alerts)
        names: dict[int, str] = {}
        for candidate, kind, strength in zip(detection.found, kinds, strengths, strict=True):
            if not record.adds(candidate.subject, float(strength), candidate.documents):
                continue
            first = self.documents[rows[candidate.whole[0]]].id
            name = names.setdefault(candidate.subject, stable_id("subject", scope.market, scope.kind, first))
            told: SignalKind = "new" if kind == "new" else "surge"
            yield self._jump(candidate, told, float(strength), rows, scope, name)
        yield from self._swells(detection, rows, scope, cost, record)

    def _swells(
        self, detection: Detection, rows: NDArray[np.int64], scope: Scope, cost: float, record: RepeatFilter
    ) -> Iterator[Signal]:
        """Yield standing topics that swelled: each when it first shows and whenever it grew stronger."""
        strengths = load_ranking().standing(detection.swell_numbers) - cost
        for swell, strength in zip(detection.swells, strengths, strict=True):
            if record.adds((swell.topic, swell.episode), float(strength), swell.documents):
                yield self._swell(swell, float(strength), rows, scope)

    def _swell(self, swell: TopicSurge, strength: float, rows: NDArray[np.int64], scope: Scope) -> Signal:
        """Return a swell of a standing topic as a signal."""
        topic = self.topics[swell.topic]
        evidence = rows[swell.documents]
        return self._signal(
            "surge", swell.at, float(self.hours[evidence[0]]), evidence, strength, observed=swell.observed,
            expected=swell.expected, terms=self._telling(evidence, swell.at - swell.window, rows), scope=scope,
            subject=stable_id("topic", scope.market, scope.kind, topic.id),
            tests={"topic": round(swell.score, 2)}, title=topic.title, hours=swell.window,
        )  # fmt: skip

    def _stream(self, rows: NDArray[np.int64]) -> Stream:
        chosen = [self.documents[k] for k in rows]
        local = {document.id: k for k, document in enumerate(chosen)}
        firsts = [local.get(d.enriched.duplicate_of, -1) if d.enriched else -1 for d in chosen]
        return Stream(
            ids=[document.id for document in chosen],
            texts=[f"{d.mention.title}\n{d.mention.text}" if d.mention.title else d.mention.text for d in chosen],
            hours=self.hours[rows],
            vectors=np.stack([d.enriched.vector for d in chosen if d.enriched and d.enriched.vector is not None]),
            counts=self.counts[rows],
            languages=[d.enriched.lang if d.enriched else d.mention.lang for d in chosen],
            firsts=np.array([f if f >= 0 else k for k, f in enumerate(firsts)])
            if any(f >= 0 for f in firsts)
            else None,
        )

    def _jump(  # noqa: PLR0917  a candidate and where it came from
        self, c: Candidate, kind: SignalKind, strength: float, rows: NDArray[np.int64],
        scope: Scope, subject: str,
    ) -> Signal:  # fmt: skip
        """Return a candidate as a signal."""
        evidence = rows[c.documents]
        start = float(self.hours[evidence[0]])
        terms = self._telling(evidence, c.at - c.window, rows)
        expected = c.expected * len(c.documents) / max(c.observed, 1.0)
        return self._signal(
            kind, c.at, start, evidence, strength, observed=float(len(c.documents)), expected=expected,
            terms=terms, scope=scope, subject=subject, tests={k: round(v, 2) for k, v in c.scores.items()},
        )  # fmt: skip

    def _telling(self, evidence: NDArray[np.int64], start: float, rows: NDArray[np.int64]) -> list[str]:
        """Return the words that make the evidence different from the scope's documents of before."""
        past = rows[: int(np.searchsorted(self.hours[rows], start - 72))]
        before = past[:: max(1, len(past) // COMPARED)]
        return explanation.distinguishing([self._terms(k) for k in evidence], [self._terms(k) for k in before])

    def _terms(self, k: int) -> Sequence[str]:
        """Return the words and pairs of words of a document, read once."""
        if k not in self.read:
            document = self.documents[k]
            lang = document.enriched.lang if document.enriched else document.mention.lang
            self.read[k] = keywords.terms(f"{document.mention.title} {document.mention.text}"[:LONGEST], lang)
        return self.read[k]

    def drifts(self) -> Iterator[Signal]:
        """Yield themes whose mood turned or that spread."""
        themes = [d.membership.theme if d.membership else "" for d in self.documents]
        moods = np.array([d.enriched.sentiment.mood if d.enriched else np.nan for d in self.documents])
        places = [_places(document) for document in self.documents]
        last: dict[tuple[str, str], float] = {}
        for drift in drifts(themes, self.hours, moods, places, self.counts):
            key = (drift.theme, drift.kind)
            if drift.strength < max(KEPT, last.get(key, -np.inf) + GROWS):
                continue
            last[key] = drift.strength
            yield self._drift(drift)

    def _drift(self, drift: Drift) -> Signal:
        kind: SignalKind = "sour" if drift.kind == "sour" else "spread"
        start = float(self.hours[drift.documents[0]])
        mood = (drift.expected, drift.observed) if kind == "sour" else None
        return self._signal(
            kind, drift.at, start, drift.documents, min(drift.strength, 6.0), observed=drift.observed,
            expected=drift.expected, terms=list(drift.places), scope=Scope(), subject=drift.theme, tests={},
            theme=drift.theme, mood=mood,
        )  # fmt: skip

    def _signal(
        self, kind: SignalKind, at: float, start: float, evidence: NDArray[np.int64], strength: float, *,
        observed: float, expected: float, terms: list[str], scope: Scope, subject: str, tests: Mapping[str, float],
        theme: str = "", mood: tuple[float, float] | None = None, title: str = "", hours: float = 0.0,
    ) -> Signal:  # fmt: skip
        """Return a signal with everything a person asks about it; `hours` where expected is of another span."""
        chosen = [self.documents[k] for k in evidence]
        ids = tuple(document.id for document in chosen)
        theme = theme or main_theme(chosen, WHOLLY if title else MOSTLY)
        title = title or self._title(theme, terms, chosen)
        risk, claimed = common_risk([d.enriched for d in chosen if d.enriched], self.weights)
        facts = explanation.affected(chosen)
        authors = {d.mention.author_key for d in chosen if d.mention.author_key}
        known = explanation.epoch(max(at, float(self.known_at[evidence].max())))
        ratio = (observed + 0.5) / (expected + 0.5) if kind != "sour" else 1.0
        reaches = [d.mention.reach for d in chosen if d.mention.reach is not None]
        market = scope.market or (facts["market"][0][0] if len(facts["market"]) == 1 else "")
        reach = SeverityInputs(
            weight=self.weights.get(risk, 0.0), claimed=claimed, reach=sum(reaches) if reaches else None,
            documents=len(chosen), ratio=ratio, market=market,
        )  # fmt: skip
        begin, end = explanation.epoch(start), explanation.epoch(at)
        explained = (
            self.silences.explanation((d.mention.source for d in chosen), at) if kind in {"new", "surge"} else ""
        )
        sentence = explanation.sentence(
            kind=kind, title=title, observed=observed, expected=expected, hours=hours or at - start, terms=terms,
            voices=explanation.voices(chosen), places=explanation.markets(chosen),
            carries=explanation.risk_count(chosen, risk, claimed), mood=mood,
        )  # fmt: skip
        return Signal(
            id=stable_id("signal", kind, scope.market, scope.kind, f"{at:.0f}", subject, ids[0], str(len(ids))),
            theme=theme, kind=kind, at=known, start=begin, end=end, observed=observed, expected=expected,
            strength=round(strength, 4),
            severity=severity(reach, self.markets), evidence=ids, why=sentence, title=title, market=market,
            source_kind=scope.kind, risk=risk, subject=subject, standing="topic" in tests,
            statistic=max(tests.values(), default=0.0), terms=tuple(terms), authors=len(authors) or None,
            growth=round(ratio, 2), explained=explained,
            nearest_case=explanation.nearest_case(terms, risk, self.cases, known),
        )  # fmt: skip

    def _title(self, theme: str, terms: Sequence[str], chosen: Sequence[Document]) -> str:
        known = self.themes.get(theme)
        if known is not None and known.label:
            return known.titles.get("en") or known.label  # as the board calls it
        if terms:
            return ", ".join(terms[:3])
        text = chosen[0].mention.title or chosen[0].mention.text
        return text[:80]


def _known_at(documents: Sequence[Document]) -> NDArray[np.float64]:
    """Return the hour at which each document was known: when published if its source's first visit brought it."""
    began: dict[str, datetime] = {}
    for document in documents:
        mention = document.mention
        began[mention.source] = min(began.get(mention.source, mention.fetched_at), mention.fetched_at)
    known = []
    for document in documents:
        mention = document.mention
        history = mention.fetched_at <= began[mention.source] + timedelta(hours=48)
        moment = mention.published_at if history and mention.published_at else mention.fetched_at
        known.append(moment.timestamp() / 3600)
    return np.array(known)


def _places(document: Document) -> list[str]:
    mention = document.mention
    lang = document.enriched.lang if document.enriched else mention.lang
    pairs = (("source", mention.source), ("lang", lang), ("market", mention.market), ("kind", mention.kind))
    return [f"{name}:{value}" for name, value in pairs if value]


def main_theme(documents: Sequence[Document], least: float = MOSTLY) -> str:
    """Return the theme that most of the documents belong to, if that share of them does."""
    counts = Counter(d.membership.theme for d in documents if d.membership and d.membership.theme)
    for theme, count in counts.most_common(1):
        if count >= least * len(documents):
            return theme
    return ""


def risk_weights(settings: Settings) -> dict[str, float]:
    """Return how bad each risk of the taxonomy is, from 0 to 1."""
    return {risk.id: risk.weight for risk in load_taxonomy(settings.taxonomy).risks}


def _decide(store: Store, fresh: Sequence[Signal], documents: Sequence[Document], settings: Settings) -> list[Signal]:
    """Return the signals decided by the policy, in the light of what ran before, of snoozes and of judgements."""
    known = sorted(store.recent(Signal, limit=5000), key=lambda s: s.at)
    alerts = [signal for signal in known if signal.fired]
    policy = Policy(
        settings.signals,
        store.many(Snooze, sorted({signal.theme for signal in fresh if signal.theme})),
        documents[0].mention.published_at,
        alerts,
    )
    policy.remember(known)
    taught = feedback.current(store)
    decided = policy.decide(feedback.adjust(signal, taught) for signal in fresh)
    quiet = settings.signals.quiet_hours
    return [replace(signal, tell_at=tell_at(signal, quiet)) if signal.fired else signal for signal in decided]
