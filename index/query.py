"""Questions as values: what is asked of a store, and the shapes of its answers.

A store compiles these; nothing here knows SQL or Elasticsearch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from groundswell.index.records import Document, Vector

Field = Literal[
    "id",
    "source",
    "kind",
    "lang",
    "market",
    "sentiment",
    "risk",
    "theme",
    "target",
    "rule",
    "author",
    "thread",
    "duplicate",
    "date_confidence",
]
"""What a document can be filtered, faceted and counted by. A risk counts where its probability is at least .5."""
Period = Literal["hour", "day", "week"]
Sort = Literal["relevance", "newest", "oldest"]
Lack = Literal["enriched", "membership", "vector"]


@dataclass(frozen=True, slots=True)
class Word:
    """A single word (or a run of Chinese, Thai … found as a substring)."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another."""

    text: str


@dataclass(frozen=True, slots=True)
class Is:
    """A field that has a value."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    item: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these."""

    items: tuple[Expression, ...]


Expression = Word | Phrase | Is | Not | AllOf | AnyOf


def wanted_words(match: Expression | None) -> str:
    """Return the words that are looked for, without fields and what is left out: what a search means.

    >>> wanted_words(AllOf((Word("scam*"), Phrase("no refund"), Not(Word("crypto")), Is("market", "SG"))))
    'scam no refund'
    """
    match match:
        case Word(text) | Phrase(text):
            return text.replace("*", "")
        case AllOf(items) | AnyOf(items):
            return " ".join(filter(None, map(wanted_words, items)))
        case _:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which documents, in which order.

    Attributes:
        match: a boolean expression over text and fields; ``None`` matches everything.
        vector: nearest by cosine; together with text the two rankings are fused by reciprocal rank (k = 60).
        since: published at or after (inclusive); documents without a trustworthy date (none given, or
            ``date_confidence`` none) never match a bounded query.
        until: published before (exclusive).
        where: field → any of these values; "" stands for having none.
        without: field → none of these values.
        lacks: only documents that have no such part yet (what a stage still has to do).
        made_by_not: only documents whose `Enriched.made_by` is another one: what a re-scoring has to do.
        trusted_dates: leave out documents whose date cannot be trusted (``date_confidence`` none).
        collapse: one document for each near-duplicate cluster.
        with_vectors: whether `Enriched.vector` is filled in the answer.
        highlight: whether hits carry fragments with the matched words.
        limit: at most so many documents on the page.
        cursor: `Page.cursor` of the page before, opaque.
        facets: fields whose values are counted over all that match, ignoring limit and cursor.
    """

    match: Expression | None = None
    vector: Vector | None = field(default=None, compare=False)
    since: datetime | None = None
    until: datetime | None = None
    where: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    lacks: Lack | None = None
    made_by_not: str = ""
    trusted_dates: bool = False
    collapse: bool = False
    with_vectors: bool = False
    highlight: bool = False
    sort: Sort = "newest"
    limit: int = 50
    cursor: str = ""
    facets: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """How to count: over one period, some fields, or both: ``By(period="day", fields=("market",))``."""

    period: Period | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many documents fall together.

    Attributes:
        start: begin of the period (UTC), or ``None`` where nothing was asked by period.
        values: one value for each field of `By.fields`, in that order.
        count: documents; with `Query.collapse`, near-duplicate clusters.
        copies: documents, copies included.
        mood: mean of positive minus negative over those enriched, or ``None``.
    """

    start: datetime | None
    values: tuple[str, ...]
    count: int
    copies: int
    mood: float | None


@dataclass(frozen=True, slots=True)
class Extent:
    """How many documents there are, copies included, and when the latest with a trustworthy date was published."""

    count: int
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records of one state about one subject there are on a day (UTC); see `groundswell.index.groups`."""

    subject: str
    state: str
    day: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document on a page: `score` is the fused or text score, `highlights` plain fragments with [[ ]] marks."""

    document: Document
    score: float = 0.0
    copies: int = 1
    highlights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer: hits, how many there are in all, counts by facet, and where the next page begins ("" at the end)."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[Field, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    cursor: str = ""
