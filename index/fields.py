"""What a document can be found, filtered and counted by: the same numbers and values in every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from groundswell.index.query import Field
from groundswell.index.records import Document
from groundswell.index.store import StoreError

UNDATED = -(2**62)
"""Stands for "no trustworthy date"; before everything dated."""
DAY = 86_400_000_000
"""Microseconds of a day."""
CLAIMED = 0.5
"""A risk counts from this probability on."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = (
    "id", "at", "source", "kind", "lang", "market", "date_confidence", "sentiment", "theme",
    "author", "thread", "duplicate", "mood", "made_by", "enriched", "membership", "vector",
)  # fmt: skip
TAGS: tuple[Field, ...] = ("risk", "target", "rule")
"""Fields of which a document may have several values."""


def moment(at: datetime) -> int:
    """Return microseconds since 1970.

    Raises:
        StoreError: the time has no zone.
    """
    if at.utcoffset() is None:
        raise StoreError(f"{at.isoformat()} has no time zone: ask with aware times")
    return (at - EPOCH) // timedelta(microseconds=1)


def time_of(at: int) -> datetime:
    """Return the time of so many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at)


def dated(document: Document) -> int:
    """Return when a document was published, `UNDATED` where that cannot be trusted."""
    mention = document.mention
    if mention.published_at is None or mention.date_confidence == "none":
        return UNDATED
    return moment(mention.published_at)


def day_of(at: int) -> int:
    """Return the begin of a time's day; no date has no day."""
    return at if at == UNDATED else at - at % DAY


def cluster_of(duplicate: str) -> int:
    """Return the number of a near-duplicate cluster: 64 bits of a hash, so that equal names are equal numbers."""
    digest = blake2b(duplicate.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def columns(document: Document) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`."""
    mention, enriched, membership = document.mention, document.enriched, document.membership
    return (
        mention.id,
        dated(document),
        mention.source,
        mention.kind,
        enriched.lang if enriched else mention.lang,
        mention.market,
        mention.date_confidence,
        enriched.sentiment.label if enriched else "",
        membership.theme if membership else "",
        mention.author_key,
        mention.thread,
        (enriched.duplicate_of if enriched else "") or mention.id,
        round(enriched.sentiment.mood * 1_000_000) if enriched else None,
        enriched.made_by if enriched else "",
        int(enriched is not None),
        int(membership is not None),
        int(enriched is not None and enriched.vector is not None),
    )


def tags(document: Document) -> Iterator[tuple[Field, str]]:
    """Yield each value of the fields in `TAGS`, once."""
    if (enriched := document.enriched) is None:
        return
    for risk in sorted(risk for risk, probability in enriched.risks.items() if probability >= CLAIMED):
        yield "risk", risk
    for who in sorted({target.who for target in enriched.targets}):
        yield "target", who
    for rule in sorted(set(enriched.rules)):
        yield "rule", rule
