"""Why an alert: the numbers, the first voices, what is different, what it was like before, and one sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.index.records import Case, Document, Signal, SignalKind
from groundswell.nlp.keywords import stop_words

TERMS = 6
FIRST = 3
LARGEST = 200
"""Ids of evidence that a query names one by one; beyond it the theme and the time say it."""
NEAREST = 0.2


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and the search that gives it again."""

    name: str
    value: float
    query: Mapping[str, Any]


def epoch(hours: float) -> datetime:
    """Return the moment that lies so many hours after 1970."""
    return datetime.fromtimestamp(hours * 3600, UTC)


def distinguishing(
    has: sparse.csr_matrix, vocabulary: Sequence[str], documents: NDArray[np.int64], past: slice, most: int = TERMS
) -> list[str]:
    """Return the terms that set documents apart from the past: log-odds with an informative prior (Monroe et al. 2008).

    A pair of words takes the place of its words where it is nearly as frequent.
    """
    here = np.asarray(has[documents].sum(0)).ravel()
    seen = np.flatnonzero(here >= min(2, len(documents)))
    before = np.asarray(has[past][:, seen].sum(0)).ravel() if past.stop > past.start else np.zeros(len(seen))
    total, whole = len(documents), max(1, past.stop - past.start)
    prior = (before + 1) / (whole + 2) * 5
    odds = np.log((here[seen] + prior) / (total - here[seen] + 5 - prior + 0.5))
    usual = np.log((before + prior) / (whole - before + 5 - prior + 0.5))
    spread = 1 / (here[seen] + prior) + 1 / (before + prior)
    order = np.argsort(-(odds - usual) / np.sqrt(spread), kind="stable")
    ranked = [(vocabulary[seen[k]], float(here[seen[k]])) for k in order[: 8 * most] if odds[k] > usual[k]]
    return _readable(ranked, most)


def _readable(ranked: Sequence[tuple[str, float]], most: int) -> list[str]:
    chosen: list[str] = []
    for term, count in ranked:
        parts = term.split()
        if any(part in stop_words() for part in parts) or (len(parts) == 1 and term.isdigit()):
            continue
        if any(set(parts) & set(known.split()) for known in chosen):
            continue
        longer = next((t for t, n in ranked if " " in t and term in t.split() and n >= 0.7 * count), term)
        chosen.append(longer if not any(part in stop_words() for part in longer.split()) else term)
        if len(chosen) == most:
            break
    return chosen


def numbers(
    *, theme: str, evidence: Sequence[str], start: datetime, end: datetime, history: timedelta,
    observed: float, expected: float, market: str = "", source_kind: str = "",
) -> list[Number]:  # fmt: skip
    """Return observed, expected and growth, each with the search behind it."""
    where = {name: [value] for name, value in (("market", market), ("kind", source_kind)) if value}
    about = {"where": {**where, "theme": [theme]}} if theme else {"where": {**where, "id": list(evidence[:LARGEST])}}
    now = {**about, "since": start.isoformat(), "until": end.isoformat(), "collapse": True}
    past = {**about, "since": (start - history).isoformat(), "until": start.isoformat(), "collapse": True}
    return [
        Number("documents", float(len(evidence)), {"where": {"id": list(evidence[:LARGEST])}}),
        Number("observed", observed, now),
        Number("expected", round(expected, 2), past),
        Number("growth", round((observed + 0.5) / (expected + 0.5), 1), now),
    ]


def affected(documents: Sequence[Document]) -> dict[str, list[tuple[str, int]]]:
    """Return who is affected: counts of market, language, source, kind, target, commonest first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("market", "lang", "source", "kind", "target")}
    for document in documents:
        mention, enriched = document.mention, document.enriched
        counts["market"][mention.market] += 1
        counts["source"][mention.source] += 1
        counts["kind"][mention.kind] += 1
        if enriched is not None:
            counts["lang"][enriched.lang] += 1
            counts["target"].update(sorted({target.who for target in enriched.targets}))
    return {name: [(value, n) for value, n in counter.most_common(5) if value] for name, counter in counts.items()}


def nearest_case(terms: Sequence[str], risk: str, cases: Sequence[Case], at: datetime) -> dict[str, str]:
    """Return the earlier case whose title and policy area come closest, or nothing."""
    wanted = {part for term in terms for part in term.casefold().split()}
    best, most = None, NEAREST
    for case in cases:
        if case.opened_at >= at:
            continue
        words = set(case.title.casefold().split())
        likeness = len(wanted & words) / max(1, min(len(wanted), len(words)))
        likeness += 0.15 if risk and case.policy_area == risk else 0.0
        if likeness > most:
            best, most = case, likeness
    return {} if best is None else {"id": best.id, "title": best.title, "decision": best.decision, "status": best.status}


def usual(expected: float, hours: float) -> str:
    """Return an expected count in words a person would use."""
    if expected >= 1.5:
        return f"about {expected:.0f}"
    if expected >= 0.6:
        return "about one"
    apart = hours / max(expected, 1e-3) / 24
    return "hardly any" if apart > 21 else f"one in {max(2, math.ceil(apart))} days"


def sentence(
    *, kind: SignalKind, title: str, observed: float, expected: float, hours: float, terms: Sequence[str],
    people: int | None, places: Sequence[str], risk: str, mood: tuple[float, float] | None = None,
) -> str:  # fmt: skip
    """Return one sentence a manager can read."""
    span = f"{hours:.0f} hours" if hours <= 48 else f"{hours / 24:.0f} days"
    where = f" in {', '.join(places[:3])}" if places else ""
    voices = f" by {people} people" if people and people > 1 else ""
    if kind == "sour" and mood is not None:
        return f"The mood about {title} fell from {mood[0]:+.2f} to {mood[1]:+.2f} over {span} ({observed:.0f} documents{where})."
    if kind == "spread":
        return f"{title} is spreading: {observed:.0f} new sources, languages or markets in {span}, where {expected:.1f} were to be expected{where}."
    new = "New" if kind == "new" else f"{(observed + 0.5) / (expected + 0.5):.1f} times its usual"
    body = f"{new}: {observed:.0f} documents{voices} about {title} in {span}{where}, where {usual(expected, hours)} would be usual"
    said = f"; what sets them apart: {', '.join(terms[:4])}" if terms else ""
    about = f"; most carry the risk {risk.replace('_', ' ')}" if risk else ""
    return f"{body}{said}{about}."
