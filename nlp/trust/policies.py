"""Themes beside the clauses of a policy: what nothing covers and grows, where markets differ, what grows all the same.

A risk has grown where, of the documents of two windows of the same length, more lie in the second than chance would put
there (exact binomial test at one half; Przyborowski and Wilenski 1940).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Literal

from groundswell.configs.policies import Clause
from groundswell.index.query import By, Field, Query
from groundswell.index.records import Case, Label, Theme
from groundswell.index.store import Reader
from groundswell.nlp.text.keywords import terms

WINDOW = timedelta(days=28)
FEWEST = 5
"""Documents below which nothing is called growing."""
CHANCE = 0.01
"""Probability by chance above which nothing is called growing."""
EVIDENCE = 5
DEEPEST = 4
"""Levels of the tree of causes that are told apart at most."""
Kind = Literal["not covered", "growing", "differs"]


@dataclass(frozen=True, slots=True)
class Match:
    """A theme and the clauses that cover it, by its risk or by words that both have."""

    theme: str
    label: str
    risk: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that a policy owner should look at.

    Attributes:
        kind: ``not covered`` (no clause of the market covers a risk that grows), ``growing`` (one does, and complaints
            grow all the same), ``differs`` (a risk that is spoken of is covered in some markets only).
        clauses: those that cover it where any does.
        now: documents of the last 28 days; `before` of the 28 days before.
        chance: probability that a share of the last days so large comes by chance.
        evidence: themes and documents that show it, newest first.
    """

    kind: Kind
    market: str
    risk: str
    clauses: tuple[str, ...]
    now: int
    before: int
    chance: float
    evidence: tuple[str, ...]


def match(themes: Iterable[Theme], clauses: Sequence[Clause], now: datetime) -> list[Match]:
    """Return each theme with the clauses that hold today and cover it."""
    held = [clause for clause in clauses if clause.holds(now.date())]
    return [Match(theme.id, theme.label, theme.risk, _covering(theme, held)) for theme in themes]


def _covering(theme: Theme, clauses: Sequence[Clause]) -> tuple[str, ...]:
    own = {word.lower() for word in (*theme.keywords, *theme.label.split())}
    return tuple(
        clause.id for clause in clauses if theme.risk in clause.covers or own & {word.lower() for word in clause.words}
    )


def gaps(
    reader: Reader, clauses: Sequence[Clause], *, risks: Sequence[str], markets: Sequence[str], now: datetime
) -> list[Gap]:
    """Return what a policy owner should look at, what grows most first."""
    lately, earlier = _counts(reader, now - WINDOW, now), _counts(reader, now - 2 * WINDOW, now - WINDOW)
    found = []
    for risk in risks:
        covered = {market: _of(clauses, risk, market, now) for market in markets}
        for market in markets:
            here = (lately[market, risk], earlier[market, risk])
            kind = _kind(here, covered[market], any(covered.values()))
            if kind:
                proof = _evidence(reader, market, risk, now)
                found.append(Gap(kind, market, risk, covered[market], *here, chance_of(*here), proof))
    return sorted(found, key=lambda gap: (gap.kind != "not covered", gap.kind == "differs", gap.chance, gap.market))


def _kind(here: tuple[int, int], clauses: Sequence[str], covered_elsewhere: bool) -> Kind | None:
    grows = here[0] >= FEWEST and chance_of(*here) < CHANCE
    if grows:
        return "growing" if clauses else "not covered"
    return "differs" if not clauses and covered_elsewhere and here[0] else None


def _of(clauses: Sequence[Clause], risk: str, market: str, now: datetime) -> tuple[str, ...]:
    return tuple(clause.id for clause in clauses if risk in clause.covers and clause.holds(now.date(), market))


def chance_of(now: int, before: int) -> float:
    """Return the probability of so many or more of all in the second window, were both alike.

    >>> round(chance_of(9, 1), 4)
    0.0107
    """
    from scipy.stats import binom

    return float(binom.sf(now - 1, now + before, 0.5)) if now else 1.0


def _counts(reader: Reader, since: datetime, until: datetime) -> Counter[tuple[str, str]]:
    buckets = reader.count(Query(since=since, until=until, collapse=True), By(fields=("market", "risk")))
    return Counter({(bucket.values[0], bucket.values[1]): bucket.count for bucket in buckets})


def _evidence(reader: Reader, market: str, risk: str, now: datetime) -> tuple[str, ...]:
    where: dict[Field, tuple[str, ...]] = {"market": (market,), "risk": (risk,)}
    hits = reader.search(Query(since=now - WINDOW, until=now, where=where, collapse=True, limit=EVIDENCE)).hits
    return tuple(hit.document.id for hit in hits)


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause of cases that were closed in a month, with its share of them and of all before it in the order."""

    month: str
    cause: str
    cases: int
    share: float
    cumulative: float


def causes(cases: Iterable[Case], *, depth: int = 1) -> list[Cause]:
    """Return the causes of closed cases, month by month, commonest first (Pareto).

    A cause is written as a path, "policy > no clause > gambling"; `depth` says how far down it is told apart.
    """
    by_month: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        if case.status == "closed" and case.cause:
            closed = case.history[-1].at if case.history else case.opened_at
            path = [part.strip().lower() for part in case.cause.split(">")]
            by_month[f"{closed:%Y-%m}"][" > ".join(path[:depth])] += 1
    return [cause for month in sorted(by_month, reverse=True) for cause in _pareto(month, by_month[month])]


def _pareto(month: str, counts: Counter[str]) -> list[Cause]:
    found, seen = [], 0
    for cause, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        seen += count
        found.append(Cause(month, cause, count, count / counts.total(), seen / counts.total()))
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """A clause that a question may be about, what both share (rare words count more), and cases decided under it."""

    clause: Clause
    words: float
    precedents: tuple[Case, ...]


def answers(question: str, clauses: Sequence[Clause], cases: Sequence[Case], *, now: datetime) -> list[Answer]:
    """Return the clauses that hold and share most words with a question, each with the closed cases of its risks."""
    asked = set(terms(question))
    held = [(clause, _words(clause)) for clause in clauses if clause.holds(now.date())]
    common = Counter(word for _, words in held for word in words)
    rarity = {word: log(1 + len(held) / common[word]) for word in asked if common[word]}
    found = []
    for clause, words in held:
        if shared := sum(rarity[word] for word in asked & words):
            decided = [one for one in cases if one.status == "closed" and one.policy_area in clause.covers]
            newest = sorted(decided, key=lambda one: one.opened_at, reverse=True)[:EVIDENCE]
            found.append(Answer(clause, shared, tuple(newest)))
    return sorted(found, key=lambda one: (-one.words, one.clause.id))


def _words(clause: Clause) -> set[str]:
    """Return the words and phrases of a clause, its examples and its risks."""
    texts = (clause.title, clause.text, *clause.examples, *clause.counterexamples, *map(_spoken, clause.covers))
    return {word.lower() for word in clause.words} | {word for text in texts for word in terms(text)}


def _spoken(risk: str) -> str:
    return risk.replace("_", " ")


def page(clause: Clause, rulings: Iterable[Label]) -> str:
    """Return a page to work and to learn by, in Markdown: the clause, what it forbids and allows, what was ruled."""
    ruled = [one for one in rulings if one.field in clause.covers and one.note]
    days = [f"from {clause.effective}" if clause.effective else "", f"until {clause.ends}" if clause.ends else ""]
    facts = (f"`{clause.id}`", ", ".join(clause.markets) or "all markets", ", ".join(clause.covers), *days)
    lines = [
        f"# {clause.title}", "", " · ".join(fact for fact in facts if fact), "",
        clause.text, "", "## It forbids", "", *(f"- {one}" for one in clause.examples), "", "## It allows", "",
        *(f"- {one}" for one in clause.counterexamples), "", "## What was ruled", "",
        *([f"- {one.field} is {one.value}: {one.note}" for one in ruled] or ["Nothing yet."]), "",
    ]  # fmt: skip
    return "\n".join(lines)


def draft(gap: Gap, clauses: Sequence[Clause], texts: Sequence[str]) -> str:
    """Return a note, in Markdown, that proposes a clause or a change of one, with the evidence."""
    there = [clause for clause in clauses if clause.id in gap.clauses]
    elsewhere = [clause for clause in clauses if gap.risk in clause.covers and clause not in there]
    what = f"Revise {', '.join(gap.clauses)}" if there else "A clause is missing"
    lines = [
        f"# {what}: {gap.risk.replace('_', ' ')} in {gap.market}", "",
        f"{gap.now} documents in the last 28 days, {gap.before} in the 28 days before.", "", "## What is said", "",
        *(f"> {' '.join(text.split())[:500]}\n" for text in texts), "## What holds", "",
        *([f"- {clause.id}: {clause.text}" for clause in there] or [f"Nothing covers it in {gap.market}."]), "",
        "## What holds elsewhere", "",
        *([f"- {c.id} ({', '.join(c.markets) or 'all markets'}): {c.text}" for c in elsewhere] or ["Nothing."]), "",
        "## Proposal", "", "(to be written: the clause, an example, a counter-example, from when on)", "",
    ]  # fmt: skip
    return "\n".join(lines)
