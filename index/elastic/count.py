"""How many documents, by period and fields, through the composite aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticsearch import Elasticsearch

from groundswell.index.elastic.client import checked
from groundswell.index.elastic.compile import filters
from groundswell.index.fields import UNDATED, time_of
from groundswell.index.paging import MOST_VALUES
from groundswell.index.query import Bucket, By, Field, Period, Query

PAGE, PAGE_OF_CLUSTERS, PAGE_OF_HOURS = 20_000, 100, 1000
"""Buckets asked for at a time; a nearly exact distinct count takes over 100 kB of heap in each, on each shard."""
EXACT, EXACT_IN_HOURS = 40_000, 3000
"""Clusters up to which a distinct count is nearly exact: the most that the server allows; fewer in a single hour."""
SHARD_VALUES = 5000
INTERVAL: dict[Period, dict[str, str]] = {
    "hour": {"fixed_interval": "1h"},
    "day": {"fixed_interval": "1d"},
    "week": {"calendar_interval": "1w"},
}


def buckets(client: Elasticsearch, alias: str, query: Query, by: By) -> list[Bucket]:
    """Return counts and moods, ordered by start, then values."""
    where = filters(query)
    if by.period:
        where.append({"range": {"at": {"gt": UNDATED}}})
    sources = _sources(by)
    if not sources:
        return _one(client, alias, query, where)
    found: list[Bucket] = []
    after: Mapping[str, Any] | None = None
    while True:
        clusters = PAGE_OF_HOURS if by.period == "hour" else PAGE_OF_CLUSTERS
        size = clusters if query.collapse else PAGE
        composite: dict[str, Any] = {"size": size, "sources": sources, **({"after": after} if after else {})}
        aggs = {"by": {"composite": composite, "aggs": _inner(query, by)}}
        answer = checked(
            client.search(
                index=alias,
                query={"bool": {"filter": where}},
                size=0,
                aggs=aggs,
                track_total_hits=False,
                ignore_unavailable=True,
            )
        )
        page = answer.get("aggregations", {}).get("by", {"buckets": []})
        found += [_bucket(each, by, query) for each in page["buckets"]]
        if (after := page.get("after_key")) is None:
            return sorted(found, key=lambda each: (each.start is not None, each.start, each.values))


def _sources(by: By) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    if by.period:
        sources.append({"start": {"date_histogram": {"field": "published", **INTERVAL[by.period]}}})
    for name in by.fields:
        sources.append({str(name): {"terms": {"field": name, "missing_bucket": True}}})  # noqa: PERF401  typed better so
    return sources


def _inner(query: Query, by: By) -> dict[str, Any]:
    inner: dict[str, Any] = {"mood": {"avg": {"field": "mood"}}}
    if query.collapse:
        exact = EXACT_IN_HOURS if by.period == "hour" else EXACT
        inner["clusters"] = {"cardinality": {"field": "duplicate", "precision_threshold": exact}}
    return inner


def _bucket(found: Mapping[str, Any], by: By, query: Query) -> Bucket:
    key = found["key"]
    mood = found["mood"]["value"]
    return Bucket(
        start=time_of(key["start"] * 1000) if by.period else None,
        values=tuple(key[name] or "" for name in by.fields),
        count=found["clusters"]["value"] if query.collapse else found["doc_count"],
        copies=found["doc_count"],
        mood=None if mood is None else mood / 1_000_000,
    )


def _one(client: Elasticsearch, alias: str, query: Query, where: list[dict[str, Any]]) -> list[Bucket]:
    """Return everything in one bucket; none where nothing matches."""
    answer = checked(
        client.search(
            index=alias,
            query={"bool": {"filter": where}},
            size=0,
            aggs=_inner(query, By()),
            track_total_hits=True,
            ignore_unavailable=True,
        )
    )
    copies = answer["hits"]["total"]["value"]
    if not copies:
        return []
    found = {"key": {}, "doc_count": copies, **answer["aggregations"]}
    return [_bucket(found, By(), query)]


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
        aggs["clusters"] = {"cardinality": {"field": "duplicate", "precision_threshold": EXACT}}
    return aggs


def facets(query: Query, aggregations: Mapping[str, Any]) -> Mapping[Field, tuple[tuple[str, int], ...]]:
    """Return for each facet its values (not "") with their documents, the most frequent first."""
    return {
        name: tuple((each["key"], each["doc_count"]) for each in aggregations[name]["buckets"] if each["key"])[
            :MOST_VALUES
        ]
        for name in query.facets
    }
