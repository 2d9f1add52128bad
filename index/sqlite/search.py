"""Pages of documents: by time, or by how well words and vector fit (two rankings fused by reciprocal rank)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from groundswell.index.batches import sliced
from groundswell.index.highlight import highlights
from groundswell.index.paging import (
    LARGEST_PAGE,
    NEAREST,
    RANKED,
    Ranked,
    cursor_of,
    first_of_each_cluster,
    fuse,
    leaves,
    read_cursor,
)
from groundswell.index.query import AllOf, Expression, Hit, Page, Phrase, Query, Word
from groundswell.index.records import Document, Vector
from groundswell.index.sqlite import count
from groundswell.index.sqlite.choose import Mask, RowFilter
from groundswell.index.sqlite.columns import VECTOR, Numbers
from groundswell.index.sqlite.compile import fts, split
from groundswell.index.sqlite.load import ROWS_AT_ONCE, documents
from groundswell.index.sqlite.vectors import VectorCache

RANKABLE = 30_000
"""Of more that match, those that came last are ranked: BM25 takes a microsecond for each, and tells words that so many
documents have hardly apart."""


FEW = 16
"""Up to the sixteenth part of all, rows are numbered anew rather than counted among all clusters."""


@dataclass(slots=True, kw_only=True)
class Row(Ranked):
    """A document's place in an answer, and its number in the tables."""

    n: int


def search(chooser: RowFilter, query: Query, cache: VectorCache) -> Page:
    """Return a page; the connection must be in a transaction, so that all parts see the same state."""
    limit = max(0, min(query.limit, LARGEST_PAGE))
    timed = query.vector is None and not (query.sort == "relevance" and split(query.match)[0])
    chosen, rows, cursor = _timed(chooser, query, limit) if timed else _ranked(chooser, query, limit, cache)
    return Page(
        hits=tuple(_hits(chooser, query, rows, chosen)),
        total=count.total(chooser, chosen, clusters=query.collapse),
        facets=count.facets(chooser, chosen, query.facets),
        cursor=cursor,
    )


def _timed(chooser: RowFilter, query: Query, limit: int) -> tuple[Mask, list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, by time."""
    chosen = chooser.choose(query)
    sort = "oldest" if query.sort == "oldest" else "newest"
    after = read_cursor(query.cursor, sort)
    shown = _firsts(chooser, chosen, oldest=sort == "oldest") if query.collapse and limit else chosen
    rows = _by_time(chooser, shown, limit + 1, after, oldest=sort == "oldest") if limit else []
    more = len(rows) > limit
    rows = rows[:limit]
    return chosen, rows, cursor_of(sort, rows[-1].at, rows[-1].id) if more else ""


def _by_time(
    chooser: RowFilter, chosen: Mask, limit: int, after: tuple[int, object] | tuple[()], *, oldest: bool
) -> list[Row]:
    """Return the first rows after a place (at, id).

    Only at the two ends of a page, its first and its last moment, does the id decide who is on it.
    """
    sign = 1 if oldest else -1
    numbers = np.flatnonzero(chosen)
    times = sign * chooser.columns["at"][numbers]
    moments: list[tuple[int, str | None]] = []
    if after:
        first = sign * after[0]
        moments.append((first, str(after[1])))
        numbers, times = numbers[times > first], times[times > first]
    if len(times) > limit:
        last = int(np.partition(times, limit - 1)[limit - 1])
        moments.append((last, None))
        numbers = numbers[times < last]
    rows = _rows(chooser.db, numbers.tolist())
    for time, beyond in moments:
        rows += islice(_of_moment(chooser.db, chosen, sign * time, beyond, oldest=oldest), limit)
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=not oldest)[:limit]


def _of_moment(db: sqlite3.Connection, chosen: Mask, at: int, beyond: str | None, *, oldest: bool) -> Iterator[Row]:
    """Yield the chosen rows of one moment in the order of their ids, from beyond one of them."""
    order, than = ("ASC", ">") if oldest else ("DESC", "<")
    where, parameters = ("AND id " + than + " ?", (at, beyond)) if beyond is not None else ("", (at,))
    sql = f"SELECT n, at, id, duplicate FROM document WHERE at = ? {where} ORDER BY id {order}"
    for n, *values in db.execute(sql, parameters):
        if n < len(chosen) and chosen[n]:
            yield _row(n, *values)


def _firsts(chooser: RowFilter, chosen: Mask, *, oldest: bool) -> Mask:
    """Return of each near-duplicate cluster that row alone which comes first by time."""
    numbers = np.flatnonzero(chosen)
    own, size = _clusters(chooser, numbers)
    times = (-1 if oldest else 1) * chooser.columns["at"][numbers]
    best = np.full(size, np.iinfo(np.int64).min)
    np.maximum.at(best, own, times)
    numbers, own = numbers[times == best[own]], own[times == best[own]]
    tied = np.bincount(own, minlength=size)[own] > 1
    firsts = np.zeros(len(chosen), np.bool_)
    firsts[numbers[~tied]] = True
    rows = sorted(_rows(chooser.db, numbers[tied].tolist()), key=lambda row: row.id, reverse=not oldest)
    firsts[[row.n for row in first_of_each_cluster(rows)]] = True
    return firsts


def _ranked(chooser: RowFilter, query: Query, limit: int, cache: VectorCache) -> tuple[Mask, list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, best first."""
    offset, ceiling = _place(chooser.db, query.cursor)
    words, rest = split(query.match)
    allowed = chooser.choose(replace(query, match=AllOf(rest) if rest else None))
    allowed[ceiling + 1 :] = False
    rankings, chosen = [], allowed
    if words:
        chosen = allowed & chooser.expression(AllOf(words))
        rankings.append(_by_words(chooser, words, allowed, chosen))
    if query.vector is not None:
        near = _by_vector(chooser, query.vector, allowed, cache, max(NEAREST, limit))
        rankings.append(near)
        chosen = chosen.copy() if words else np.zeros(len(allowed), np.bool_)
        chosen[[row.n for row in near]] = True
    rows = fuse(rankings) if len(rankings) > 1 else rankings[0]
    if query.collapse:
        rows = first_of_each_cluster(rows)
    page = rows[offset : offset + limit]
    more = limit and len(rows) > offset + limit
    return chosen, page, cursor_of("relevance", offset + limit, ceiling) if more else ""


def _by_words(chooser: RowFilter, words: tuple[Expression, ...], allowed: Mask, chosen: Mask) -> list[Row]:
    """Return the best of the allowed rows by BM25, a word in the title counting twice."""
    sql = "SELECT rowid, -bm25(words, 2.0, 1.0) AS score FROM words WHERE words MATCH ? AND rowid >= ?"
    numbers = np.flatnonzero(chosen)
    least = int(numbers[-RANKABLE]) if len(numbers) > RANKABLE else 0
    best: dict[int, float] = {}
    for most in (RANKED, 8 * RANKED, -1):  # to keep a few in order is much less work than to order all
        asked = (fts(AllOf(words)) or "", least, most)
        found = chooser.db.execute(f"{sql} ORDER BY score DESC LIMIT ?", asked).fetchall()
        best = dict(islice(((n, score) for n, score in found if n < len(allowed) and allowed[n]), RANKED))
        if len(best) == min(RANKED, len(numbers)) or len(found) < most:
            break
    return _scored(chooser.db, best)


def _by_vector(chooser: RowFilter, vector: Vector, allowed: Mask, cache: VectorCache, limit: int) -> list[Row]:
    """Return the nearest of the allowed rows by cosine."""
    count = int(np.count_nonzero(chooser.columns["flags"] & VECTOR))
    return _scored(chooser.db, dict(cache.nearest(chooser.db, vector, limit, allowed, count)))


def _scored(db: sqlite3.Connection, scores: dict[int, float]) -> list[Row]:
    """Return rows with their scores, best first; of equal ones the newest."""
    rows = _rows(db, list(scores))
    for row in rows:
        row.score = scores[row.n]
    return sorted(rows, key=lambda row: (row.score, row.at, row.id), reverse=True)


def _rows(db: sqlite3.Connection, numbers: Sequence[int]) -> list[Row]:
    """Return the rows with these numbers, in no order."""
    found: list[Row] = []
    for some in sliced(numbers, ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT n, at, id, duplicate FROM document WHERE n IN ({marks})"
        found += [_row(*values) for values in db.execute(sql, some)]
    return found


def _row(n: int, at: int, id: str, duplicate: str) -> Row:
    """Return a row as a statement gives it."""
    return Row(n=n, at=at, id=id, duplicate=duplicate)


def _hits(chooser: RowFilter, query: Query, rows: Sequence[Row], chosen: Mask) -> Iterable[Hit]:
    """Yield the hits of a page."""
    copies = _copies(chooser, rows, chosen) if query.collapse else {}
    wanted = tuple(leaves(query.match)) if query.highlight else ()
    loaded = documents(chooser.db, [row.n for row in rows], vectors=query.with_vectors)
    for row, document in zip(rows, loaded, strict=True):
        yield Hit(
            document=document,
            score=row.score,
            copies=copies.get(row.n, 1),
            highlights=_highlights(document, wanted),
        )


def _highlights(document: Document, wanted: Sequence[Word | Phrase]) -> tuple[str, ...]:
    """Return fragments of title and text."""
    if not wanted:
        return ()
    return highlights((document.mention.title, document.mention.text), wanted)


def _copies(chooser: RowFilter, rows: Sequence[Row], chosen: Mask) -> dict[int, int]:
    """Return for each row of the page how many chosen documents its cluster has."""
    numbers = np.flatnonzero(chosen)
    own, size = _clusters(chooser, numbers)
    counts, places = np.bincount(own, minlength=size), np.searchsorted(numbers, [row.n for row in rows])
    return {row.n: int(counts[own[place]]) for row, place in zip(rows, places.tolist(), strict=True)}


def _clusters(chooser: RowFilter, numbers: Numbers) -> tuple[Numbers, int]:
    """Return a small number for the cluster of each row, and how many there may be; for few rows these are few."""
    clusters, size = chooser.columns.clusters()
    if FEW * len(numbers) > size:
        return clusters[numbers], size
    distinct, own = np.unique(clusters[numbers], return_inverse=True)
    return own, len(distinct)


def _place(db: sqlite3.Connection, cursor: str) -> tuple[int, int]:
    """Return how many ranked rows were shown, and the newest row there was when the first page was made."""
    if place := read_cursor(cursor, "relevance"):
        return max(0, place[0]), int(str(place[1]))
    return 0, db.execute("SELECT coalesce(max(n), 0) FROM document").fetchone()[0]
