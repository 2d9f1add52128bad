"""Pages of documents: by time, or by how well words and vector fit (two rankings fused by reciprocal rank)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch

from groundswell.index.elastic.client import checked
from groundswell.index.elastic.compile import Clause, expression, filters, split
from groundswell.index.elastic.count import facet_aggs, facets
from groundswell.index.elastic.documents import from_source
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
from groundswell.index.query import AllOf, Hit, Page, Query
from groundswell.index.records import Vector
from groundswell.index.vector import vector_from_text

CANDIDATES = 3
"""Neighbours looked at on each shard, for one that is wanted."""
OVERSAMPLE = 2
"""Neighbours by 8-bit vectors that are ordered again by the whole ones, for one that is wanted."""
MOST_CANDIDATES = 10_000
TRIES = 20
"""Pages that one page may look through for documents that are the first of their cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Ranked):
    """A document's place in an answer, and what the server keeps of it."""

    source: dict[str, Any]


def search(client: Elasticsearch, alias: str, query: Query) -> Page:
    """Return a page; facets and total come with the same request as the hits wherever they can."""
    limit = max(0, min(query.limit, LARGEST_PAGE))
    asked = _Asked(client, alias, query)
    if query.vector is not None or (query.sort == "relevance" and split(query.match)[0]):
        found, rows, cursor = _ranked(asked, limit)
    else:
        found, rows, cursor = _timed(asked, limit)
    total, counts = asked.totals(found)
    return Page(hits=tuple(_hits(asked, rows, found)), total=total, facets=counts, cursor=cursor)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to an alias."""

    client: Elasticsearch
    alias: str
    query: Query

    def send(self, **body: Any) -> Mapping[str, Any]:
        """Ask; an answer that lacks a shard is an error."""
        answer: Mapping[str, Any] = checked(self.client.search(index=self.alias, ignore_unavailable=True, **body))
        return answer

    def totals(self, found: list[Clause]) -> tuple[int, Mapping[Any, tuple[tuple[str, int], ...]]]:
        """Return how many there are (clusters where collapsed), and the facets."""
        query, aggs = self.query, facet_aggs(self.query)
        answer = self.send(query={"bool": {"filter": found}}, size=0, track_total_hits=True, aggs=aggs or None)
        total = answer["hits"]["total"]["value"]
        got = answer.get("aggregations", {})
        if query.collapse:
            total = got["clusters"]["value"] if got else 0
        return total, facets(query, got) if got else dict.fromkeys(query.facets, ())


def _timed(asked: _Asked, limit: int) -> tuple[list[Clause], list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, by time."""
    query = asked.query
    sort = "oldest" if query.sort == "oldest" else "newest"
    found, after = filters(query), read_cursor(query.cursor, sort)
    rows: list[Row] = []
    for _ in range(TRIES if query.collapse else 1):
        page = _page(asked, found, sort, after, limit + 1 - len(rows))
        rows += _firsts(asked, found, sort, page) if query.collapse else page
        if len(rows) > limit or not page:
            break
        after = (page[-1].at, page[-1].id)
    more = limit > 0 and len(rows) > limit
    rows = rows[:limit]
    return found, rows, cursor_of(sort, rows[-1].at, rows[-1].id) if more else ""


def _order(sort: str) -> list[dict[str, Any]]:
    direction = {"order": "asc" if sort == "oldest" else "desc"}
    return [{"at": direction}, {"id": direction}]


def _page(asked: _Asked, found: list[Clause], sort: str, after: Sequence[object], size: int) -> list[Row]:
    """Return rows by time, after a place."""
    if size <= 0:
        return []
    answer = asked.send(
        query={"bool": {"filter": found}},
        sort=_order(sort),
        size=min(size, LARGEST_PAGE),
        search_after=list(after) or None,
        track_total_hits=False,
    )
    return [_row(hit, 0.0) for hit in answer["hits"]["hits"]]


def _firsts(asked: _Asked, found: list[Clause], sort: str, rows: Sequence[Row]) -> list[Row]:
    """Return those rows before which, in this order, no document of their cluster matches."""
    clusters = sorted({row.duplicate for row in rows})
    if not clusters:
        return []
    first = {"top_hits": {"size": 1, "sort": _order(sort), "_source": False}}
    aggs = {
        "clusters": {
            "terms": {"field": "duplicate", "include": clusters, "size": len(clusters)},
            "aggs": {"first": first},
        }
    }
    among = [*found, {"terms": {"duplicate": clusters}}]
    answer = asked.send(query={"bool": {"filter": among}}, size=0, aggs=aggs, track_total_hits=False)
    ids = {each["first"]["hits"]["hits"][0]["_id"] for each in answer["aggregations"]["clusters"]["buckets"]}
    return [row for row in rows if row.id in ids]


def _ranked(asked: _Asked, limit: int) -> tuple[list[Clause], list[Row], str]:
    """Return what matches, the rows of the page, and the next cursor, best first."""
    query = asked.query
    place = read_cursor(query.cursor, "relevance")
    offset = max(0, int(str(place[0]))) if place else 0
    words, rest = split(query.match)
    must = filters(replace(query, match=AllOf(rest) if rest else None))
    rankings, found = [], [*must, *([expression(AllOf(words))] if words else [])]
    if words:
        rankings.append(_by_words(asked, expression(AllOf(words)), must))
    if query.vector is not None:
        near = _by_vector(asked, must, max(NEAREST, limit))
        rankings.append(near)
        found = [*must, _either([expression(AllOf(words))] if words else [], near)]
    rows = fuse(rankings) if len(rankings) > 1 else rankings[0]
    if query.collapse:
        rows = first_of_each_cluster(rows)
    more = limit and len(rows) > offset + limit
    return found, rows[offset : offset + limit], cursor_of("relevance", offset + limit, 0) if more else ""


def _either(words: list[Clause], near: Sequence[Row]) -> Clause:
    close: Clause = {"terms": {"id": [row.id for row in near]}}
    return {"bool": {"should": [*words, close], "minimum_should_match": 1}}


def _by_words(asked: _Asked, words: Clause, must: list[Clause]) -> list[Row]:
    """Return the best rows by BM25."""
    order = [{"_score": {"order": "desc"}}, *_order("newest")]
    query = {"bool": {"must": [words], "filter": must}}
    answer = asked.send(query=query, sort=order, size=RANKED, track_scores=True, track_total_hits=False)
    return [_row(hit, hit["_score"]) for hit in answer["hits"]["hits"]]


def _by_vector(asked: _Asked, must: list[Clause], limit: int) -> list[Row]:
    """Return the nearest rows by cosine: found through the server's 8-bit graph, ordered by the vectors themselves."""
    vector = asked.query.vector
    if vector is None or not vector.any() or len(vector) not in _dimensions(asked):
        return []
    wanted = min(MOST_CANDIDATES, OVERSAMPLE * limit)
    knn = {
        "field": "vector",
        "query_vector": [float(number) for number in vector],
        "k": wanted,
        "num_candidates": min(MOST_CANDIDATES, wanted * CANDIDATES),
        "filter": must,
    }
    answer = asked.send(knn=knn, size=wanted, track_total_hits=False)
    rows = [_row(hit, _cosine(vector, hit["_source"])) for hit in answer["hits"]["hits"]]
    return sorted(rows, key=lambda row: (row.score, row.at, row.id), reverse=True)[:limit]


def _dimensions(asked: _Asked) -> set[int]:
    """Return how many numbers the vectors have that are there; asking with another number is an error of the server."""
    found = asked.client.indices.get_mapping(index=asked.alias, ignore_unavailable=True)
    return {index["mappings"]["properties"]["vector"].get("dims", 0) for index in found.values()}


def _cosine(vector: Vector, source: Mapping[str, Any]) -> float:
    """Return the cosine with the vector that a document was given."""
    other = vector_from_text(source["body"]["enriched"]["vector"])
    return float(vector @ other / (np.linalg.norm(vector) * np.linalg.norm(other)))


def _row(hit: Mapping[str, Any], score: float) -> Row:
    source = hit["_source"]
    return Row(id=hit["_id"], at=source["at"], duplicate=source["duplicate"], score=score, source=source)


def _hits(asked: _Asked, rows: Sequence[Row], found: list[Clause]) -> Iterable[Hit]:
    """Yield the hits of a page."""
    query = asked.query
    copies = _copies(asked, rows, found) if query.collapse and rows else {}
    wanted = tuple(leaves(query.match)) if query.highlight else ()
    for row in rows:
        document = from_source(row.source, vectors=query.with_vectors)
        marked = highlights((document.mention.title, document.mention.text), wanted) if wanted else ()
        yield Hit(document=document, score=row.score, copies=copies.get(row.duplicate, 1), highlights=marked)


def _copies(asked: _Asked, rows: Sequence[Row], found: list[Clause]) -> dict[str, int]:
    """Return how many documents that match each cluster on the page has."""
    clusters = sorted({row.duplicate for row in rows})
    aggs = {"clusters": {"terms": {"field": "duplicate", "include": clusters, "size": len(clusters)}}}
    among = [*found, {"terms": {"duplicate": clusters}}]
    answer = asked.send(query={"bool": {"filter": among}}, size=0, aggs=aggs, track_total_hits=False)
    return {each["key"]: each["doc_count"] for each in answer["aggregations"]["clusters"]["buckets"]}
