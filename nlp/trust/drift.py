"""What has moved: languages, sources, risks, feelings and words of the last days beside those before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.index.query import By, Field, Query
from groundswell.index.records import Document
from groundswell.index.store import Reader
from groundswell.nlp.text.keywords import words
from groundswell.nlp.trust.sampling import divergence

LATELY, BEFORE = timedelta(days=7), timedelta(days=28)
FIELDS: dict[str, Field] = {"input: languages": "lang", "input: sources": "source", "scores: risks": "risk",
                            "scores: feelings": "sentiment"}  # fmt: skip
TEXTS = 400
"""Texts whose words are compared, from each side."""
NOTABLE = 0.1
"""Bits from which a move is worth a look: a class that goes from a third of all to two thirds moves by .08."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far something has moved: Jensen-Shannon divergence in bits (0 alike, 1 nothing in common), and by what."""

    what: str
    bits: float
    most: tuple[str, ...]

    @property
    def is_notable(self) -> bool:
        """Return whether it is worth a look."""
        return self.bits >= NOTABLE


def moves(reader: Reader, *, now: datetime) -> list[Move]:
    """Return how far each has moved in the last seven days against the four weeks before."""
    since, begin = now - LATELY, now - LATELY - BEFORE
    found = [
        _move(what, _counts(reader, field, begin, since), _counts(reader, field, since, now))
        for what, field in FIELDS.items()
    ]
    return [*found, _move("vocabulary", _words(reader, begin, since), _words(reader, since, now))]


def _counts(reader: Reader, field: Field, since: datetime, until: datetime) -> Counter[str]:
    buckets = reader.count(Query(since=since, until=until, trusted_dates=True), By(fields=(field,)))
    return Counter({bucket.values[0]: bucket.count for bucket in buckets})


def _words(reader: Reader, since: datetime, until: datetime) -> Counter[str]:
    page = reader.search(Query(since=since, until=until, trusted_dates=True, collapse=True, limit=TEXTS))
    return Counter(word for hit in page.hits for word in _said(hit.document))


def _said(document: Document) -> Sequence[str]:
    lang = document.enriched.lang if document.enriched else document.mention.lang
    return sorted(set(words(f"{document.mention.title} {document.mention.text}"[:2000], lang)))


def _move(what: str, before: Counter[str], after: Counter[str]) -> Move:
    if not before or not after:
        return Move(what, 0.0, ())
    one, other = before.total(), after.total()
    change = {name: after[name] / other - before[name] / one for name in {*before, *after}}
    most = sorted(change, key=lambda name: (-abs(change[name]), name))[:5]
    changes = tuple(f"{name or 'none'} {change[name]:+.1%}" for name in most if change[name])
    return Move(what, divergence(before, after), changes)
