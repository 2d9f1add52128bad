"""Pages of documents: by time, or by how well words and vector fit (two rankings fused by reciprocal rank)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from elastic_transport import ApiResponseMeta
from elasticsearch import ApiError, Elasticsearch

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

CANDIDATES = 3
"""Neighbours looked at on each shard, for one that is wanted."""
OVERSAMPLE = 2.0
"""Neighbours by 8-bit vectors that the server orders again by the whole ones, for one that is wanted."""
MOST_CANDIDATES = 10_000
TRIES = 20
"""Pages that one page may look through for documents that are the first of their cluster."""
LIGHT: dict[str, Any] = {"_source": False, "stored_fields": "_none_"}
"""What a ranking needs of a hit: no document is unpacked before it is on the page. Time and id are in what it is sorted
by; its cluster is read only where that is asked for."""
VECTOR_TEXT = "body.enriched.vector"


@dataclass(slots=True, kw_only=True)
class Row(Ranked):
    """A document's place in an answer, and what the server keeps of it once that has been asked for."""

    source: dict[str, Any] | None = None


@dataclass(slots=True)
class _Found:
    """What matches, the rows of the page, the next cursor, and totals and facets once they have been asked for."""

    clauses: list[Clause]
    rows: list[Row]
    cursor: str
    totals: Mapping[str, Any] | None = None


def search(client: Elasticsearch, alias: str, query: Query) -> Page:
    """Return a page in one request by time; else in two: rankings, then totals, facets and the page's documents."""
    limit = max(0, min(query.limit, LARGEST_PAGE))
    asked = _Asked(client, alias, query)
    ranked = query.vector is not None or (query.sort == "relevance" and split(query.match)[0])
    if ranked:
        found = _ranked(asked, limit)
    else:
        found = _collapsed(asked, limit) if query.collapse and limit else _timed(asked, limit)
    _complete(asked, found)
    total, counts = asked.counted(found.totals or {})
    return Page(hits=tuple(_hits(asked, found)), total=total, facets=counts, cursor=found.cursor)


def _complete(asked: _Asked, found: _Found) -> None:
    """Ask for what is not there yet: totals, documents."""
    bare = [row for row in found.rows if row.source is None]
    bodies = [] if found.totals else [asked.totals(found.clauses)]
    if bare:
        bodies.append(asked.sources(bare))
    answers = asked.send(*bodies) if bodies else []
    if not found.totals:
        found.totals = answers[0]
    if bare:
        documents = {hit["_source"]["body"]["mention"]["id"]: hit["_source"] for hit in answers[-1]["hits"]["hits"]}
        for row in bare:
            row.source = documents.get(row.id)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to an alias."""

    client: Elasticsearch
    alias: str
    query: Query

    def send(self, *bodies: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Ask several things in one request; an answer that lacks a shard is an error."""
        header = {"index": self.alias, "ignore_unavailable": True}
        asked = [part for body in bodies for part in (header, body)]
        answer = self.client.msearch(searches=asked)
        return [checked(answered(each, answer.meta)) for each in answer["responses"]]

    def totals(self, found: list[Clause]) -> Mapping[str, Any]:
        """Ask how many there are (clusters where collapsed), and for the facets."""
        aggs = facet_aggs(self.query)
        body = {"query": {"bool": {"filter": found}}, "size": 0, "track_total_hits": True}
        return {**body, "aggs": aggs} if aggs else body

    def counted(self, answer: Mapping[str, Any]) -> tuple[int, Mapping[Any, tuple[tuple[str, int], ...]]]:
        """Return what `totals` asked for."""
        query, total, got = self.query, answer["hits"]["total"]["value"], answer.get("aggregations", {})
        if query.collapse:
            total = got["clusters"]["value"] if got else 0
        return total, facets(query, got) if got else dict.fromkeys(query.facets, ())

    @property
    def light(self) -> dict[str, Any]:
        """Return what is wanted of a hit that is only ranked."""
        return {**LIGHT, "docvalue_fields": ["duplicate"]} if self.query.collapse else LIGHT

    def sources(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Ask for the documents of a page; their vectors, half of each, only where they are wanted."""
        among = {"bool": {"filter": [{"terms": {"id": [row.id for row in rows]}}]}}
        return {"query": among, "size": len(rows), "_source": self.wanted, "track_total_hits": False}

    @property
    def wanted(self) -> dict[str, Any]:
        """Return what is wanted of a document."""
        return {"includes": ["body"], "excludes": [] if self.query.with_vectors else [VECTOR_TEXT]}


def answered(item: Mapping[str, Any], meta: ApiResponseMeta) -> Mapping[str, Any]:
    """Return one of several answers; one that failed is raised as if it had been asked alone."""
    if "error" in item:
        raise ApiError(str(item["error"]), meta=replace(meta, status=item["status"]), body=item)
    return item


def _timed(asked: _Asked, limit: int) -> _Found:
    """Return a page by time."""
    query = asked.query
    sort = "oldest" if query.sort == "oldest" else "newest"
    found, after = filters(query), read_cursor(query.cursor, sort)
    if not limit:
        return _Found(found, [], "")
    page = {**_page(found, sort, after, limit + 1), "_source": asked.wanted}
    answer, totals = asked.send(page, asked.totals(found))
    rows = [
        Row(id=hit["sort"][1], at=hit["sort"][0], duplicate="", source=hit["_source"])
        for hit in answer["hits"]["hits"]
    ]  # fmt: skip
    return _Found(found, *_cut(rows, limit, sort), totals)


def _collapsed(asked: _Asked, limit: int) -> _Found:
    """Return a page by time of those documents that are the first of their cluster."""
    query = asked.query
    sort = "oldest" if query.sort == "oldest" else "newest"
    found, after = filters(query), read_cursor(query.cursor, sort)
    rows: list[Row] = []
    for _ in range(TRIES):
        body = {**_page(found, sort, after, limit + 1 - len(rows)), **asked.light}
        page = [_row(hit) for hit in asked.send(body)[0]["hits"]["hits"]]
        rows += _firsts(asked, found, sort, page)
        if len(rows) > limit or not page:
            break
        after = (page[-1].at, page[-1].id)
    return _Found(found, *_cut(rows, limit, sort))


def _cut(rows: list[Row], limit: int, sort: str) -> tuple[list[Row], str]:
    """Return the rows of the page, and the cursor of the next where there are more."""
    page = rows[:limit]
    return page, cursor_of(sort, page[-1].at, page[-1].id) if len(rows) > limit else ""


def _order(sort: str) -> list[dict[str, Any]]:
    direction = {"order": "asc" if sort == "oldest" else "desc"}
    return [{"at": direction}, {"id": direction}]


def _page(found: list[Clause], sort: str, after: Sequence[object], size: int) -> dict[str, Any]:
    """Ask for documents by time, after a place."""
    return {
        "query": {"bool": {"filter": found}},
        "sort": _order(sort),
        "size": min(size, LARGEST_PAGE),
        "track_total_hits": False,
        **({"search_after": list(after)} if after else {}),
    }


def _firsts(asked: _Asked, found: list[Clause], sort: str, rows: Sequence[Row]) -> list[Row]:
    """Return those rows before which, in this order, no document of their cluster matches."""
    clusters = sorted({row.duplicate for row in rows})
    if not clusters:
        return []
    first = {"top_hits": {"size": 1, "sort": _order(sort), "_source": False}}
    aggs = {"clusters": {**_among(clusters), "aggs": {"first": first}}}
    among = [*found, {"terms": {"duplicate": clusters}}]
    body = {"query": {"bool": {"filter": among}}, "size": 0, "aggs": aggs, "track_total_hits": False}
    answer = asked.send(body)[0]
    ids = {each["first"]["hits"]["hits"][0]["sort"][1] for each in answer["aggregations"]["clusters"]["buckets"]}
    return [row for row in rows if row.id in ids]


def _ranked(asked: _Asked, limit: int) -> _Found:
    """Return a page, best first."""
    query = asked.query
    place = read_cursor(query.cursor, "relevance")
    offset = max(0, int(str(place[0]))) if place else 0
    words, rest = split(query.match)
    must = filters(replace(query, match=AllOf(rest) if rest else None))
    clauses = [expression(AllOf(words))] if words else []
    bodies = [_by_words(asked, clauses[0], must)] if words else []
    near = query.vector is not None and _near(asked, query.vector, must, max(NEAREST, limit))
    answers = asked.send(*bodies, *([near] if near else [])) if bodies or near else []
    rankings = [[_row(hit) for hit in each["hits"]["hits"]] for each in answers]
    if query.vector is not None:
        rankings = rankings if near else [*rankings, []]
        rankings[-1] = _by_cosine(rankings[-1])
        clauses = [_either(clauses, rankings[-1])]
    found = [*must, *clauses]
    rows = fuse(rankings) if len(rankings) > 1 else rankings[0]
    if query.collapse:
        rows = first_of_each_cluster(rows)
    cursor = cursor_of("relevance", offset + limit, 0) if limit and len(rows) > offset + limit else ""
    return _Found(found, rows[offset : offset + limit], cursor)


def _either(words: list[Clause], near: Sequence[Row]) -> Clause:
    close: Clause = {"terms": {"id": [row.id for row in near]}}
    return {"bool": {"should": [*words, close], "minimum_should_match": 1}}


def _by_words(asked: _Asked, words: Clause, must: list[Clause]) -> Mapping[str, Any]:
    """Ask for the best rows by BM25."""
    return {"query": {"bool": {"must": [words], "filter": must}}, "size": RANKED, **_best_first(asked)}


def _best_first(asked: _Asked) -> Mapping[str, Any]:
    """Ask for rows by score; of equal ones the newest."""
    order = [{"_score": {"order": "desc"}}, *_order("newest")]
    return {"sort": order, "track_total_hits": False, **asked.light}


def _near(asked: _Asked, vector: Vector, must: list[Clause], limit: int) -> Mapping[str, Any] | None:
    """Ask for the nearest rows: found through the server's 8-bit graph, ordered by the vectors themselves."""
    if not vector.any() or len(vector) not in _dimensions(asked):
        return None
    wanted = min(MOST_CANDIDATES, limit)
    knn = {
        "field": "vector",
        "query_vector": [float(number) for number in vector],
        "k": wanted,
        "num_candidates": min(MOST_CANDIDATES, wanted * CANDIDATES),
        "rescore_vector": {"oversample": OVERSAMPLE},
        "filter": must,
    }
    return {"knn": knn, "size": wanted, **_best_first(asked)}


def _by_cosine(rows: list[Row]) -> list[Row]:
    """Return rows with their cosine, which the server counts from 0 to 1, best first; of equal ones the newest."""
    for row in rows:
        row.score = 2 * row.score - 1
    return sorted(rows, key=lambda row: (row.score, row.at, row.id), reverse=True)


def _dimensions(asked: _Asked) -> set[int]:
    """Return how many numbers the vectors have that are there; asking with another number is an error of the server."""
    only = "*.mappings.properties.vector.dims"
    found = asked.client.indices.get_mapping(index=asked.alias, ignore_unavailable=True, filter_path=only)
    return {index["mappings"]["properties"]["vector"]["dims"] for index in found.values()}


def _row(hit: Mapping[str, Any]) -> Row:
    *score, at, one = hit["sort"]
    (duplicate,) = hit.get("fields", {}).get("duplicate", ("",))
    return Row(id=one, at=at, duplicate=duplicate, score=score[0] if score else 0.0)


def _hits(asked: _Asked, found: _Found) -> Iterable[Hit]:
    """Yield the hits of a page; a document that went since the ranking is left out."""
    query = asked.query
    copies = _copies(asked, found.rows, found.clauses) if query.collapse and found.rows else {}
    wanted = tuple(leaves(query.match)) if query.highlight else ()
    for row in found.rows:
        if row.source is not None:
            document = from_source(row.source, vectors=query.with_vectors)
            marked = highlights((document.mention.title, document.mention.text), wanted) if wanted else ()
            yield Hit(document=document, score=row.score, copies=copies.get(row.duplicate, 1), highlights=marked)


def _among(clusters: Sequence[str]) -> dict[str, Any]:
    """Group by these few of very many clusters: without the hint the server would first number all there are."""
    few = {"field": "duplicate", "include": clusters, "size": len(clusters), "execution_hint": "map"}
    return {"terms": few}


def _copies(asked: _Asked, rows: Sequence[Row], found: list[Clause]) -> dict[str, int]:
    """Return how many documents that match each cluster on the page has."""
    clusters = sorted({row.duplicate for row in rows})
    aggs = {"clusters": _among(clusters)}
    among = [*found, {"terms": {"duplicate": clusters}}]
    body = {"query": {"bool": {"filter": among}}, "size": 0, "aggs": aggs, "track_total_hits": False}
    answer = asked.send(body)[0]
    return {each["key"]: each["doc_count"] for each in answer["aggregations"]["clusters"]["buckets"]}
