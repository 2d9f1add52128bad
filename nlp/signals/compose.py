"""From departures to signals: their documents are read, and everything a person asks about them is said."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.ids import stable_id
from groundswell.index.records import Case, Document, Mention, Signal, Theme
from groundswell.index.store import Reader
from groundswell.nlp.enrich.consensus import common_risk
from groundswell.nlp.signals.alerts import explanation
from groundswell.nlp.signals.alerts.policy import SeverityInputs, severity
from groundswell.nlp.signals.departures import Departure
from groundswell.nlp.text import keywords
from groundswell.nlp.text.document_text import document_text

MOSTLY, WHOLLY = 0.34, 0.67
"""Share of a signal's documents that makes a theme its own; a standing topic runs through many themes."""
LONGEST_NAMED = 2000
"""Characters of a document whose words are compared."""
BATCH = 100
"""Departures whose documents are read at a time."""
MOST_READ = 20_000
"""Documents whose words are remembered."""


READ_FROM = -0.5
"""Strength from which evidence that was not read before is read, to say how severe it is."""
Label = Callable[[Sequence[Document]], Sequence[Document]]


class SignalBuilder:
    """Makes signals out of what was found, with evidence, severity and reasons.

    Args:
        reader: where the documents rest.
        settings: risks and their weights, markets.
        label: reads the evidence of what may be told, where the store has vectors only (a replay).
    """

    def __init__(self, reader: Reader, settings: Settings, label: Label | None = None) -> None:
        self.label = label
        self.reader, self.markets = reader, settings.signals.markets
        self.weights = risk_weights(settings)
        self.cases = reader.recent(Case, limit=500)
        self.words: OrderedDict[str, frozenset[str]] = OrderedDict()

    def build(self, departures: Sequence[Departure]) -> Iterator[Signal]:
        """Yield a signal for each departure whose documents are still there."""
        for start in range(0, len(departures), BATCH):
            some = departures[start : start + BATCH]
            wanted = {one for each in some for one in each.evidence}
            documents = {d.id: d for d in self.reader.many(Document, sorted(wanted))}
            spoken = {one: lang for each in some for one, lang in each.before if one not in self.words}
            self._read([(mention, spoken[mention.id]) for mention in self.reader.many(Mention, sorted(spoken))])
            given = {one: [documents[each] for each in one.evidence if each in documents] for one in some}
            themes = self._themes([about(found, chosen) for found, chosen in given.items() if chosen])
            yield from (self._signal(found, chosen, themes) for found, chosen in given.items() if chosen)

    def _themes(self, ids: Sequence[str]) -> dict[str, Theme]:
        return {theme.id: theme for theme in self.reader.many(Theme, sorted({one for one in ids if one}))}

    def _read(self, mentions: Sequence[tuple[Mention, str]]) -> None:
        """Remember the words and pairs of words of mentions, each with its language."""
        for mention, lang in mentions:
            if mention.id not in self.words:
                self.words[mention.id] = frozenset(keywords.terms(document_text(mention)[:LONGEST_NAMED], lang))
        while len(self.words) > MOST_READ:
            self.words.popitem(last=False)

    def _terms(self, found: Departure, chosen: Sequence[Document]) -> list[str]:
        """Return the words that make the evidence different from its scope's documents of before."""
        if found.places:
            return list(found.places)
        self._read([(d.mention, d.enriched.lang if d.enriched else d.mention.lang) for d in chosen])
        before = [self.words[one] for one, _ in found.before if one in self.words]
        return explanation.distinguishing([self.words[d.id] for d in chosen if d.id in self.words], before)

    def _signal(self, found: Departure, chosen: Sequence[Document], themes: Mapping[str, Theme]) -> Signal:
        """Return a departure as a signal."""
        if self.label is not None and found.strength >= READ_FROM:
            chosen = self.label(chosen)
        theme, terms = about(found, chosen), self._terms(found, chosen)
        title = found.title or _title(themes.get(theme), terms, chosen)
        risk, claimed = common_risk([d.enriched for d in chosen if d.enriched], self.weights)
        places, voices = explanation.markets(chosen), explanation.voices(chosen)
        market = found.scope.market or (places[0][0] if len(places) == 1 else "")
        ratio = (found.observed + 0.5) / (found.expected + 0.5) if found.kind != "sour" else 1.0
        ids, noticed_at = tuple(d.id for d in chosen), explanation.epoch(found.known)
        name = (found.kind, found.scope.market, found.scope.kind, f"{found.at:.0f}", found.subject, ids[0], len(ids))
        return Signal(
            id=stable_id("signal", *map(str, name)), theme=theme, kind=found.kind, at=noticed_at,
            start=explanation.epoch(found.start), end=explanation.epoch(found.at), observed=found.observed,
            expected=found.expected, strength=round(found.strength, 4), evidence=ids, title=title, market=market,
            source_kind=found.scope.kind, risk=risk, subject=found.subject, standing=bool(found.title),
            statistic=found.statistic, terms=tuple(terms), authors=voices.authors or None, growth=round(ratio, 2),
            explained=found.explained, nearest_case=explanation.nearest_case(terms, risk, self.cases, noticed_at),
            severity=severity(self._inputs(chosen, risk, claimed, ratio, market), self.markets),
            why=explanation.sentence(
                kind=found.kind, title=title, observed=found.observed, expected=found.expected,
                hours=found.window if found.title else found.at - found.start, terms=terms, voices=voices,
                places=places, carries=explanation.risk_count(chosen, risk, claimed),
                mood=(found.expected, found.observed) if found.kind == "sour" else None,
            ),
        )  # fmt: skip

    def _inputs(
        self, chosen: Sequence[Document], risk: str, claimed: float, ratio: float, market: str
    ) -> SeverityInputs:
        reaches = [d.mention.reach for d in chosen if d.mention.reach is not None]
        return SeverityInputs(
            weight=self.weights.get(risk, 0.0), claimed=claimed, reach=sum(reaches) if reaches else None,
            documents=len(chosen), ratio=ratio, market=market,
        )  # fmt: skip


def about(found: Departure, documents: Sequence[Document]) -> str:
    """Return the theme of a departure: its own, or the one that most of its documents belong to, or none."""
    return found.theme or main_theme(documents, WHOLLY if found.title else MOSTLY)


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


def _title(theme: Theme | None, terms: Sequence[str], chosen: Sequence[Document]) -> str:
    if theme is not None and theme.label:
        return theme.titles.get("en") or theme.label  # as the board calls it
    return ", ".join(terms[:3]) or document_text(chosen[0].mention)[:80]
