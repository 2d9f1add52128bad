"""How deep an answer goes, how rankings become one, and where the next page begins: the same in every store."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from groundswell.index.query import AllOf, AnyOf, Expression, Phrase, Word
from groundswell.index.store import StoreError

RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009)."""
NEAREST = 200
"""How many neighbours of a vector belong to an answer."""
RANKED = 1000
"""How far a ranking goes; nobody reads on, and the rest is there by time."""
LARGEST_PAGE = 10_000
MOST_VALUES = 200
"""Values of one facet, the most frequent first."""
DEEPEST = 100
"""Brackets within brackets that a query may have."""


@dataclass(slots=True, kw_only=True)
class Ranked:
    """A document's place in an answer; made for one answer, so that a ranking may set its score."""

    id: str
    at: int
    duplicate: str
    score: float = 0.0


Row = TypeVar("Row", bound=Ranked)


def fuse(rankings: Sequence[Sequence[Row]]) -> list[Row]:
    """Return all rows by the sum of 1 / (k + rank) over the rankings, best first."""
    scores: dict[str, float] = {}
    rows: dict[str, Row] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, 1):
            rows[row.id] = row
            scores[row.id] = scores.get(row.id, 0.0) + 1 / (RRF_K + rank)
    for one, row in rows.items():
        row.score = scores[one]
    return sorted(rows.values(), key=lambda row: (row.score, row.at, row.id), reverse=True)


def first_of_each_cluster(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without those whose near-duplicate stands before."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.duplicate, row)
    return list(first.values())


def leaves(item: Expression | None) -> Iterator[Word | Phrase]:
    """Yield the words and phrases that are asked for (not those that must be absent)."""
    match item:
        case Word() | Phrase():
            yield item
        case AllOf(items) | AnyOf(items):
            for one in items:
                yield from leaves(one)
        case _:
            return


def cursor_of(sort: str, *place: object) -> str:
    """Return where the next page begins, opaque."""
    return base64.urlsafe_b64encode(json.dumps([sort, *place]).encode()).decode()


def read_cursor(cursor: str, sort: str) -> tuple[int, object] | tuple[()]:
    """Return the place that a cursor stands for.

    Raises:
        StoreError: it is not from this kind of search.
    """
    if not cursor:
        return ()
    try:
        kind, first, second = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        kind, first, second = None, None, None
    if (
        kind != sort
        or not isinstance(first, int)
        or abs(first) >= 2**63
        or type(second) is not (int if sort == "relevance" else str)
    ):
        raise StoreError("this page is not from this search: ask for its first page again")
    return first, second
