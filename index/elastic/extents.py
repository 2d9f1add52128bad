"""How many documents, and the latest of them, for many small questions in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from groundswell.index.batches import sliced
from groundswell.index.elastic.client import checked
from groundswell.index.elastic.compile import filters
from groundswell.index.elastic.search import answered
from groundswell.index.fields import UNDATED, time_of
from groundswell.index.query import Extent, Query

AT_ONCE = 200
"""Questions of one request."""


def extents(client: Elasticsearch, alias: str, queries: Sequence[Query]) -> list[Extent]:
    """Return the extent of each query."""
    found: list[Extent] = []
    for some in sliced(queries, AT_ONCE):
        asked: list[dict[str, Any]] = []
        for query in some:
            asked += [{"index": alias, "ignore_unavailable": True}, _body(query)]
        answer = client.msearch(searches=asked)
        found += [_extent(checked(answered(each, answer.meta))) for each in answer["responses"]]
    return found


def _body(query: Query) -> dict[str, Any]:
    latest = {"filter": {"range": {"at": {"gt": UNDATED}}}, "aggs": {"at": {"max": {"field": "at"}}}}
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": filters(query)}},
        "aggs": {"dated": latest},
    }


def _extent(answer: Mapping[str, Any]) -> Extent:
    at = answer["aggregations"]["dated"]["at"]["value"]
    return Extent(answer["hits"]["total"]["value"], None if at is None else time_of(int(at)))
