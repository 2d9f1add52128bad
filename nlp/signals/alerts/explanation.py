"""Why an alert: the numbers, the first voices, what is different, what it was like before, and one sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from groundswell.index.fields import CLAIMED
from groundswell.index.records import Case, Document, SignalKind
from groundswell.nlp.text.keywords import stop_words
from groundswell.nlp.themes.framing import LEAST_USUAL, capital, subject_of, times
from groundswell.nlp.themes.title import title_words

TERMS = 6
NEAREST = 0.2
TOLD, PLACES_TOLD = 4, 6
"""Terms, markets and new places that a sentence names one by one; of more it says how many."""
EMPTY = ("generic", "opens", "closes", "cuts", "lone")
# A longer term stands for a shorter one inside it when it holds this share of its documents.
HOLDS = 0.7
# What the same policy area adds to the likeness of an earlier case.
SAME_AREA = 0.15
# From here on an expected count is told without decimals; rarer than once in `RAREST_DAYS` it is hardly any.
WHOLE_FROM = 100
RAREST_DAYS = 21
"""Kinds of words in `titlewords.txt` that say nothing by themselves."""


def epoch(hours: float) -> datetime:
    """Return the moment that lies so many hours after 1970."""
    return datetime.fromtimestamp(hours * 3600, UTC)


def distinguishing(here: Sequence[Collection[str]], before: Sequence[Collection[str]], most: int = TERMS) -> list[str]:
    """Return the terms that set documents apart from others: log-odds with an informative prior (Monroe et al. 2008).

    Args:
        here: the terms of each document, words and pairs of words.
        before: the same of documents before them.
        most: how many are wanted; a pair stands in for its words where it is nearly as frequent.

    >>> distinguishing([["refund", "app"], ["refund", "late"], ["refund"]], [["app"], ["app", "late"]] * 9)
    ['refund']
    """
    counts = Counter(term for terms in here for term in set(terms))
    total, whole = len(here), max(1, len(before))
    wanted = {term for term, n in counts.items() if n >= min(2, total)}
    past = Counter(term for terms in before for term in wanted.intersection(terms))
    scored = [(_apart(counts[term], total, past[term], whole), term) for term in wanted]
    order = sorted((item for item in scored if item[0] > 0), key=lambda item: (-item[0], item[1]))
    return _readable([(term, float(counts[term])) for _, term in order[: 8 * most]], most)


def _apart(now: int, total: int, past: int, whole: int) -> float:
    """Return by how many standard errors the odds of a term now exceed its odds before."""
    prior = 5 * (past + 1) / (whole + 2)
    odds = math.log((now + prior) / (total - now + 5.5 - prior))
    usual = math.log((past + prior) / (whole - past + 5.5 - prior))
    return (odds - usual) / math.sqrt(1 / (now + prior) + 1 / (past + prior))


def _readable(ranked: Sequence[tuple[str, float]], most: int) -> list[str]:
    """Return terms that mean something by themselves and do not repeat each other."""
    chosen: list[str] = []
    for term, count in ranked:
        parts = term.split()
        if any(part in stop_words() for part in parts) or all(map(_empty, parts)):
            continue
        if any(term in before or set(parts) & set(before.split()) for before in chosen):
            continue
        longer = next((t for t, n in ranked if t != term and term in t and n >= HOLDS * count), term)
        chosen.append(term if any(part in stop_words() for part in longer.split()) else longer)
        if len(chosen) == most:
            break
    return chosen


def _empty(word: str) -> bool:
    """Return whether a word says nothing by itself: a number, "never", "already", "app"."""
    return word.isdigit() or any(word in title_words(kind) for kind in EMPTY)


def risk_count(documents: Sequence[Document], risk: str, weight: float) -> RiskCount | None:
    """Return how many documents carry a risk, as a search for it counts them; ``None`` without a risk."""
    if not risk:
        return None
    carry = sum(bool(d.enriched and d.enriched.risks.get(risk, 0.0) >= CLAIMED) for d in documents)
    return RiskCount(risk, carry, len(documents), weight)


def voices(documents: Sequence[Document]) -> Voices:
    """Return how many documents there are, how many name an author, and how many authors these are."""
    keys = [d.mention.author_key for d in documents if d.mention.author_key]
    return Voices(len(documents), len(keys), len(set(keys)))


def markets(documents: Sequence[Document]) -> list[tuple[str, int]]:
    """Return every market that documents name, with how many do, commonest first."""
    counts = Counter(d.mention.market for d in documents if d.mention.market)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def nearest_case(terms: Sequence[str], risk: str, cases: Sequence[Case], at: datetime) -> str:
    """Return the id of the earlier case whose title and policy area come closest, or nothing."""
    wanted = {part for term in terms for part in term.casefold().split()}
    best, most = "", NEAREST
    for case in cases:
        if case.opened_at >= at:
            continue
        words = set(case.title.casefold().split())
        likeness = len(wanted & words) / max(1, min(len(wanted), len(words)))
        likeness += SAME_AREA if risk and case.policy_area == risk else 0.0
        if likeness > most:
            best, most = case.id, likeness
    return best


def usual(expected: float, hours: float) -> str:
    """Return an expected count in words; exact enough that whoever divides by it finds the multiple that is told."""
    if expected >= LEAST_USUAL:
        return f"about {expected:.0f}" if expected >= WHOLE_FROM else f"about {expected:.3g}"
    apart = hours / max(expected, 1e-3) / 24
    return "hardly any" if apart > RAREST_DAYS else f"one in {max(2, math.ceil(apart))} days"


def sentence(
    *, kind: SignalKind, title: str, observed: float, expected: float, hours: float, terms: Sequence[str],
    voices: Voices, places: Sequence[tuple[str, int]], carries: RiskCount | None,
    mood: tuple[float, float] | None = None,
) -> str:  # fmt: skip
    """Return one sentence a manager can read: a subject, a colon, and what was counted about it.

    Nothing in it is stronger than its count: no "most", no place left out unsaid, no multiple of hardly anything.

    Args:
        kind: of the signal.
        title: of its theme or topic.
        observed: documents, new places, or a mood.
        expected: the same as was usual.
        hours: in which they were observed.
        terms: what sets the documents apart; of a spread all places that are new, as "market:SG".
        voices: how many documents and authors there are.
        places: every market with its documents, commonest first.
        carries: the risk they are about, and how many carry it; ``None`` for none.
        mood: before and now, where it fell.
    """
    span = f"{hours:.0f} hours" if hours <= 48 else f"{hours / 24:.0f} days"
    subject = capital(subject_of(title))
    inside, beside = _where(places, voices.documents)
    risk = f"; {carries.said()}" if carries else ""
    if kind == "sour" and mood is not None:
        fell = f"the mood fell from {mood[0]:+.2f} to {mood[1]:+.2f} over {span}"
        return f"{subject}: {fell}, {_documents(voices.documents)}{inside}{beside}{risk}."
    if kind == "spread":
        new = f"{observed:.0f} new sources, languages, markets or kinds of source in {span}"
        return f"{subject}: spreading, {new}, where {expected:.1f} would be usual: {_named(terms)}{risk}."
    louder = "new" if kind == "new" else times(observed, expected)
    counted = f"{_documents(voices.documents)}{voices.said()} in {span}{inside}"
    body = f"{subject}: {louder}, {counted}, where {usual(expected, hours)} would be usual{beside}"
    contrast = f"; what sets them apart: {', '.join(terms[:TOLD])}" if terms else ""
    return f"{body}{contrast}{risk}."


@dataclass(frozen=True, slots=True)
class Voices:
    """How many documents there are, how many of them name an author, and how many authors these are."""

    documents: int
    signed: int = 0
    authors: int = 0

    def said(self) -> str:
        """Return " by 40 authors"; "at least" where some documents name none, and nothing where none does."""
        if not self.authors:
            return ""
        who = "one author" if self.authors == 1 else f"{self.authors} authors"
        return f" by {who}" if self.signed == self.documents else f" by at least {who}"


@dataclass(frozen=True, slots=True)
class RiskCount:
    """A risk, how many of the documents carry it (probability of .5 and more), and its mean weight over all.

    `weight` is what severity is made of, 0 to 1 (`groundswell.nlp.enrich.consensus.common_risk`).
    """

    risk: str
    carry: int
    documents: int
    weight: float

    def said(self) -> str:
        """Return "3 of 9 labelled scam shopping (mean weight 0.41)"."""
        count = str(self.carry) if self.carry else "none"
        together = "" if self.carry else ", together they point to it"
        name = self.risk.replace("_", " ")
        return f"{count} of {self.documents} labelled {name}{together} (mean weight {self.weight:.2f})"


def _documents(count: int) -> str:
    return "1 document" if count == 1 else f"{count} documents"


def _where(places: Sequence[tuple[str, int]], documents: int) -> tuple[str, str]:
    """Return " in SG" where every document names this market; else how many name which, to stand at the end."""
    if not places:
        return "", ""
    if len(places) == 1 and places[0][1] == documents:
        return f" in {places[0][0]}", ""
    named = [f"{name} {count}" for name, count in places[:TOLD]]
    if len(places) > TOLD:
        named.append(f"{len(places) - TOLD} more markets {sum(count for _, count in places[TOLD:])}")
    if silent := documents - sum(count for _, count in places):
        named.append(f"not named {silent}")
    return "", f"; by market: {', '.join(named)}"


def _named(places: Sequence[str]) -> str:
    """Return new places in words, and how many more there are: "source straits_daily, market SG"."""
    words = [place.replace("lang:", "language ").replace(":", " ", 1) for place in places[:PLACES_TOLD]]
    more = len(places) - PLACES_TOLD
    return ", ".join([*words, *([f"{more} more"] if more > 0 else [])])
