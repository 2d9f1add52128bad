"""Copying an index into another while it is written to: by version, so that each pass copies only what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch, helpers

from groundswell.index.elastic.client import OVERLOADED, checked
from groundswell.index.elastic.documents import from_source
from groundswell.index.records import Document
from groundswell.index.store import StoreError

PAGE = 500
KEEP_ALIVE = "5m"
SAMPLE = 500
"""Records of each index that are compared value by value; of all others the versions are equal."""


class Converter:
    """Makes what another mapping takes: a document is made anew from its records, and fields it lacks are left out."""

    def __init__(self, kind: str, body: Mapping[str, Any], source: Callable[[Document], dict[str, Any]]) -> None:
        self._kind, self._source = kind, source
        self._fields = set(body["mappings"]["properties"])

    def __call__(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return the source for the other mapping."""
        made = self._source(from_source(source, vectors=True)) if self._kind == "documents" else source
        return {name: value for name, value in made.items() if name in self._fields}


def copy(client: Elasticsearch, old: str, new: str, convert: Converter) -> int:
    """Bring a copy up to date; return how many records differed."""
    client.indices.refresh(index=[old, new])
    changed = 0
    for versions in _versions(client, old):
        have = _have(client, new, list(versions))
        stale = [one for one, version in versions.items() if have.get(one) != version]
        changed += _copy(client, old, new, stale, convert)
    for versions in _versions(client, new):
        there = _have(client, old, list(versions))
        gone = [{"_op_type": "delete", "_index": new, "_id": one} for one in versions if one not in there]
        changed += _send(client, gone)
    return changed


def _copy(client: Elasticsearch, old: str, new: str, ids: Sequence[str], convert: Converter) -> int:
    """Copy some records with the versions they have."""
    if not ids:
        return 0
    actions = [
        {
            "_op_type": "index", "_index": new, "_id": doc["_id"], "version": doc["_version"],
            "version_type": "external", "_source": convert(doc["_source"]),
        }
        for doc in client.mget(index=old, ids=list(ids))["docs"]
        if doc.get("found")
    ]  # fmt: skip
    return _send(client, actions)


def _send(client: Elasticsearch, actions: list[dict[str, Any]]) -> int:
    """Send actions; what is there already in the same or a newer version is as good.

    Raises:
        StoreError: the server refuses one.
    """
    done = helpers.streaming_bulk(
        client, actions, chunk_size=PAGE, max_retries=8, retry_on_status=OVERLOADED, raise_on_error=False
    )
    for ok, item in done:
        result = next(iter(item.values()))
        if not ok and result["status"] not in (404, 409):
            raise StoreError(f"{result['_index']} does not take {result['_id']}: {result.get('error')}"[:500])
    return len(actions)


def _versions(client: Elasticsearch, index: str) -> Iterator[dict[str, int]]:
    """Yield ids and versions, some at a time, as of one moment."""
    pit = client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE)["id"]
    after = None
    try:
        while True:
            answer = checked(
                client.search(
                    pit={"id": pit, "keep_alive": KEEP_ALIVE},
                    size=PAGE,
                    sort=["_shard_doc"],
                    search_after=after,
                    source=False,
                    version=True,
                    track_total_hits=False,
                )
            )
            if not (hits := answer["hits"]["hits"]):
                return
            yield {hit["_id"]: hit["_version"] for hit in hits}
            pit, after = answer.get("pit_id", pit), hits[-1]["sort"]
    finally:
        client.options(ignore_status=404).close_point_in_time(id=pit)


def _have(client: Elasticsearch, index: str, ids: list[str]) -> dict[str, int]:
    """Return the versions of those that are there."""
    docs = client.mget(index=index, ids=ids, source=False)["docs"]
    return {doc["_id"]: doc["_version"] for doc in docs if doc.get("found")}


def compare(client: Elasticsearch, old: str, new: str) -> int:
    """Return how many records both have.

    Raises:
        StoreError: they differ in number, or in one of a sample.
    """
    client.indices.refresh(index=[old, new])
    counts = [checked(client.count(index=index))["count"] for index in (old, new)]
    if counts[0] != counts[1]:
        raise StoreError(f"{new} has {counts[1]:,} records, {old} has {counts[0]:,}: run `groundswell migrate` again")
    if not counts[0]:
        return 0
    random = {"function_score": {"query": {"match_all": {}}, "random_score": {"seed": 7, "field": "_seq_no"}}}
    hits = checked(client.search(index=old, query=random, size=SAMPLE))["hits"]["hits"]
    ids = [hit["_id"] for hit in hits]
    copies = {doc["_id"]: doc.get("_source") for doc in client.mget(index=new, ids=ids)["docs"]}
    for hit in hits:
        if _told(hit["_source"]) != _told(copies[hit["_id"]]):
            raise StoreError(f"{hit['_id']} in {new} is not what it is in {old}: run `groundswell migrate` again")
    return int(counts[0])


def _told(source: Mapping[str, Any] | None) -> Any:
    """Return what no mapping may change."""
    return None if source is None else source.get("body", source)


__all__ = ["Converter", "compare", "copy"]
