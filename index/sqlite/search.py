"""Pages of documents: by time, or by how well words and vector fit (two rankings fused by reciprocal rank)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
from groundswell.index.records import Document
from groundswell.index.sqlite import count
from groundswell.index.sqlite.compile import Where, fts, split, where
from groundswell.index.sqlite.load import chunks, documents
from groundswell.index.sqlite.vectors import VectorCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Ranked):
    """A document's place in an answer, and its number in the tables."""

    n: int


def _row(n: int, at: int, id: str, duplicate: str, score: float = 0.0) -> Row:
    """Return a row as a statement gives it."""
    return Row(n=n, at=at, id=id, duplicate=duplicate, score=score)


def search(db: sqlite3.Connection, query: Query, cache: VectorCache) -> Page:
    """Return a page; the connection must be in a transaction, so that all parts see the same state."""
    limit = max(0, min(query.limit, LARGEST_PAGE))
    timed = query.vector is None and not (query.sort == "relevance" and split(query.match)[0])
    found, rows, cursor = _timed(db, query, limit) if timed else _ranked(db, query, limit, cache)
    return Page(
        hits=tuple(_hits(db, query, rows, found)),
        total=count.total(db, query, None if timed else found),
        facets=count.facets(db, query, None if timed else found),
        cursor=cursor,
    )


def _timed(db: sqlite3.Connection, query: Query, limit: int) -> tuple[Where, list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, by time."""
    found = where(query)
    sort = "oldest" if query.sort == "oldest" else "newest"
    after = read_cursor(query.cursor, sort)
    rows = by_time(db, query, limit + 1, after=after, oldest=sort == "oldest") if limit else []
    more = len(rows) > limit
    rows = rows[:limit]
    return found, rows, cursor_of(sort, rows[-1].at, rows[-1].id) if more else ""


def by_time(
    db: sqlite3.Connection, query: Query, limit: int, *, after: Sequence[object] = (), oldest: bool = False
) -> list[Row]:
    """Return rows that match, after a place (at, id), newest or oldest first; one a cluster where collapsed."""
    found = where(query)
    beyond, before = (">", "<") if oldest else ("<", ">")
    if after:
        found.add(f"(d.at, d.id) {beyond} (?, ?)", *after)
    if query.collapse:
        other = where(query, "o")
        found.add(
            "NOT EXISTS (SELECT 1 FROM document o WHERE o.duplicate = d.duplicate"
            f" AND (o.at, o.id) {before} (d.at, d.id) AND {other.sql})",
            *other.parameters,
        )
    direction = "ASC" if oldest else "DESC"
    sql = (
        f"SELECT d.n, d.at, d.id, d.duplicate FROM document d WHERE {found.sql}"
        f" ORDER BY d.at {direction}, d.id {direction} LIMIT ?"
    )
    return [_row(*row) for row in db.execute(sql, (*found.parameters, limit))]


def _ranked(db: sqlite3.Connection, query: Query, limit: int, cache: VectorCache) -> tuple[Where, list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, best first."""
    offset, ceiling = _place(db, query.cursor)
    words, rest = split(query.match)
    filters = where(replace(query, match=AllOf(rest) if rest else None)).add("d.n <= ?", ceiling)
    rankings = []
    found = filters
    if words:
        rankings.append(_by_words(db, fts(AllOf(words)) or "", filters))
        found = where(query).add("d.n <= ?", ceiling)
    if query.vector is not None:
        near = _by_vector(db, query, filters, cache, max(NEAREST, limit))
        rankings.append(near)
        found = _with_near(filters, words, near)
    rows = fuse(rankings) if len(rankings) > 1 else rankings[0]
    if query.collapse:
        rows = first_of_each_cluster(rows)
    page = rows[offset : offset + limit]
    more = limit and len(rows) > offset + limit
    return found, page, cursor_of("relevance", offset + limit, ceiling) if more else ""


def _with_near(filters: Where, words: tuple[Expression, ...], near: list[Row]) -> Where:
    """Return what matches the words, and what is near."""
    ns = json.dumps([row.n for row in near])
    either = Where(list(filters.parts), list(filters.parameters))
    if not words:
        return either.add("d.n IN (SELECT value FROM json_each(?))", ns)
    text = fts(AllOf(words))
    return either.add(
        "(d.n IN (SELECT rowid FROM words WHERE words MATCH ?) OR d.n IN (SELECT value FROM json_each(?)))", text, ns
    )


def _by_words(db: sqlite3.Connection, text: str, filters: Where) -> list[Row]:
    """Return the best rows by BM25, a word in the title counting twice."""
    sql = (
        "SELECT d.n, d.at, d.id, d.duplicate, -bm25(words, 2.0, 1.0) AS score"
        f" FROM words CROSS JOIN document d ON d.n = words.rowid WHERE words MATCH ? AND {filters.sql}"
        " ORDER BY score DESC, d.at DESC, d.id DESC LIMIT ?"
    )
    return [_row(*row) for row in db.execute(sql, (text, *filters.parameters, RANKED))]


def _by_vector(db: sqlite3.Connection, query: Query, filters: Where, cache: VectorCache, limit: int) -> list[Row]:
    """Return the nearest rows by cosine."""
    if query.vector is None:
        return []
    among = None
    if len(filters.parts) > 1:
        sql = f"SELECT d.n FROM document d WHERE d.vector = 1 AND {filters.sql}"
        among = [n for (n,) in db.execute(sql, filters.parameters)]
    near = dict(cache.nearest(db, query.vector, limit, among))
    rows = {row[0]: row for some in chunks(list(near)) for row in _rows(db, some)}
    return [_row(*rows[n], score=score) for n, score in near.items() if n in rows]


def _rows(db: sqlite3.Connection, ns: Sequence[int]) -> Iterable[tuple[int, int, str, str]]:
    """Return the rows with these numbers."""
    marks = ", ".join("?" * len(ns))
    return db.execute(f"SELECT n, at, id, duplicate FROM document WHERE n IN ({marks})", ns)


def _hits(db: sqlite3.Connection, query: Query, rows: Sequence[Row], found: Where) -> Iterable[Hit]:
    """Yield the hits of a page."""
    copies = _copies(db, rows, found) if query.collapse else {}
    wanted = tuple(leaves(query.match)) if query.highlight else ()
    loaded = documents(db, [row.n for row in rows], vectors=query.with_vectors)
    for row, document in zip(rows, loaded, strict=True):
        yield Hit(
            document=document,
            score=row.score,
            copies=copies.get(row.duplicate, 1),
            highlights=_highlights(document, wanted),
        )


def _highlights(document: Document, wanted: Sequence[Word | Phrase]) -> tuple[str, ...]:
    """Return fragments of title and text."""
    if not wanted:
        return ()
    return highlights((document.mention.title, document.mention.text), wanted)


def _copies(db: sqlite3.Connection, rows: Sequence[Row], found: Where) -> dict[str, int]:
    """Return how many documents that match each cluster on the page has."""
    copies: dict[str, int] = {}
    for some in chunks([row.duplicate for row in rows]):
        marks = ", ".join("?" * len(some))
        sql = (
            f"SELECT d.duplicate, count(*) FROM document d WHERE d.duplicate IN ({marks})"
            f" AND {found.sql} GROUP BY d.duplicate"
        )
        copies.update(db.execute(sql, (*some, *found.parameters)))
    return copies


def _place(db: sqlite3.Connection, cursor: str) -> tuple[int, int]:
    """Return how many ranked rows were shown, and the newest row there was when the first page was made."""
    if place := read_cursor(cursor, "relevance"):
        return max(0, place[0]), int(str(place[1]))
    return 0, db.execute("SELECT coalesce(max(n), 0) FROM document").fetchone()[0]
