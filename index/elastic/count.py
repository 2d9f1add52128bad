"""How many documents, by period and fields: by nested aggregations where a field has few values, else by composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from groundswell.index.elastic.client import checked
from groundswell.index.elastic.compile import filters
from groundswell.index.fields import UNDATED, time_of
from groundswell.index.paging import MOST_VALUES
from groundswell.index.query import Bucket, By, Field, Period, Query

PAGE = 20_000
"""Buckets asked for at a time."""
EXACT = 40_000
"""Clusters up to which a distinct count is nearly exact: the most that the server allows."""
HEAP = 24 * 2**20
"""Bytes that the distinct counts of one request may take on each shard."""
SHARD_VALUES = 5000
MANY: tuple[Field, ...] = ("id", "author", "thread", "duplicate")
"""Fields that may have a value of its own for each document."""
VALUES = 2000
"""Values of any other field up to which it is counted by nested aggregations, which are less work than composite."""
INTERVAL: dict[Period, dict[str, str]] = {
    "hour": {"fixed_interval": "1h"},
    "day": {"fixed_interval": "1d"},
    "week": {"calendar_interval": "1w"},
}
Key = tuple[Any, ...]
MOOD = {"mood": {"avg": {"field": "mood"}}}


def buckets(client: Elasticsearch, alias: str, query: Query, by: By) -> list[Bucket]:
    """Return counts and moods, ordered by start, then values."""
    where = filters(query)
    if by.period:
        where.append({"range": {"at": {"gt": UNDATED}}})
    counter = _Counter(client, alias, where, by)
    found = counter.ask(MOOD)
    most = max((each["doc_count"] for each in found.values()), default=0)
    size = _size(most)
    clusters = counter.ask(_distinct(most), size, at_once=len(found) <= size) if query.collapse and found else {}
    made = [_bucket(key, each, clusters.get(key), by, query) for key, each in found.items()]
    return sorted(made, key=lambda each: (each.start is not None, each.start, each.values))


def _distinct(most: int) -> dict[str, Any]:
    """Ask for distinct clusters, nearly exact although a bucket has so many documents."""
    return {"clusters": {"cardinality": {"field": "cluster", "precision_threshold": min(most, EXACT)}}}


def _size(most: int) -> int:
    """Return how many such counts a request may ask for: each takes as many bytes as a table of these hashes."""
    return max(1, min(PAGE, HEAP >> (min(most, EXACT) * 16 // 3).bit_length()))


def _bucket(key: Key, found: Mapping[str, Any], clusters: Mapping[str, Any] | None, by: By, query: Query) -> Bucket:
    mood, copies = found["mood"]["value"], found["doc_count"]
    distinct = clusters["clusters"]["value"] if clusters else 0  # one that went meanwhile
    start, values = (key[0], key[1:]) if by.period else (None, key)
    return Bucket(
        start=None if start is None else time_of(start * 1000),
        values=values,
        count=distinct if query.collapse else copies,
        copies=copies,
        mood=None if mood is None else mood / 1_000_000,
    )


@dataclass(frozen=True, slots=True)
class _Counter:
    """Counts what meets the conditions, grouped; a key is (start, value, value …)."""

    client: Elasticsearch
    alias: str
    where: list[dict[str, Any]]
    by: By

    def ask(self, inner: Mapping[str, Any], size: int = PAGE, *, at_once: bool = True) -> dict[Key, Mapping[str, Any]]:
        """Return what is asked of each group, if need be so many groups at a time."""
        if not self.by.period and not self.by.fields:
            return self._one(inner)
        found = self._nested(inner) if at_once and not set(self.by.fields) & set(MANY) else None
        return dict(self._composite(inner, size)) if found is None else found

    def _search(self, aggs: Mapping[str, Any], *, total: bool = False) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = checked(
            self.client.search(
                index=self.alias,
                query={"bool": {"filter": self.where}},
                size=0,
                aggs=aggs,
                track_total_hits=total,
                ignore_unavailable=True,
            )
        )
        return answer

    def _one(self, inner: Mapping[str, Any]) -> dict[Key, Mapping[str, Any]]:
        """Return everything in one group; none where nothing matches."""
        answer = self._search(inner, total=True)
        copies = answer["hits"]["total"]["value"]
        return {(): {"doc_count": copies, **answer["aggregations"]}} if copies else {}

    def _nested(self, inner: Mapping[str, Any]) -> dict[Key, Mapping[str, Any]] | None:
        """Return all groups in one request; `None` where a field has too many values, or there are too many groups."""
        aggs = inner
        for name in reversed(self.by.fields):
            terms = {"field": name, "size": VALUES, "shard_size": VALUES, "missing": ""}
            aggs = {"by": {"terms": terms, "aggs": aggs}}
        if self.by.period:
            periods = {"field": "published", "min_doc_count": 1, **INTERVAL[self.by.period]}
            aggs = {"by": {"date_histogram": periods, "aggs": aggs}}
        try:
            answer = self._search(aggs)
        except ApiError as error:
            if "too_many_buckets" in str(error.body):
                return None
            raise
        depth = len(self.by.fields) + (self.by.period is not None)
        groups = list(_walk(answer.get("aggregations", {}), depth, ()))
        return None if any(each is None for _, each in groups) else {key: each for key, each in groups if each}

    def _composite(self, inner: Mapping[str, Any], size: int) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        """Yield all groups, some in each request."""
        sources = _sources(self.by)
        after: Mapping[str, Any] | None = None
        while True:
            composite: dict[str, Any] = {"size": size, "sources": sources, **({"after": after} if after else {})}
            answer = self._search({"by": {"composite": composite, "aggs": inner}})
            page = answer.get("aggregations", {}).get("by", {"buckets": []})
            for each in page["buckets"]:
                start = (each["key"]["start"],) if self.by.period else ()
                yield (*start, *(each["key"][name] or "" for name in self.by.fields)), each
            if (after := page.get("after_key")) is None:
                return


def _walk(found: Mapping[str, Any], depth: int, key: Key) -> Iterator[tuple[Key, Mapping[str, Any] | None]]:
    """Yield the innermost groups; one that is `None` where the server has left out values."""
    if not depth:
        yield key, found
        return
    by = found.get("by", {"buckets": []})
    if by.get("sum_other_doc_count"):
        yield key, None
    for each in by["buckets"]:
        yield from _walk(each, depth - 1, (*key, each["key"]))


def _sources(by: By) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    if by.period:
        sources.append({"start": {"date_histogram": {"field": "published", **INTERVAL[by.period]}}})
    for name in by.fields:
        sources.append({str(name): {"terms": {"field": name, "missing_bucket": True}}})  # noqa: PERF401  typed better so
    return sources


def facet_aggs(query: Query) -> dict[str, Any]:
    """Return the aggregations that count the values of a query's facets, and its clusters where collapsed."""
    aggs: dict[str, Any] = {
        name: {
            "terms": {
                "field": name,
                "size": MOST_VALUES + 1,
                "shard_size": SHARD_VALUES,
                "order": [{"_count": "desc"}, {"_key": "asc"}],
            }
        }
        for name in query.facets
    }
    if query.collapse:
        aggs["clusters"] = {"cardinality": {"field": "cluster", "precision_threshold": EXACT}}
    return aggs


def facets(query: Query, aggregations: Mapping[str, Any]) -> Mapping[Field, tuple[tuple[str, int], ...]]:
    """Return for each facet its values (not "") with their documents, the most frequent first."""
    return {
        name: tuple((each["key"], each["doc_count"]) for each in aggregations[name]["buckets"] if each["key"])[
            :MOST_VALUES
        ]
        for name in query.facets
    }
