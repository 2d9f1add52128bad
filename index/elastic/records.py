"""Reading records that are no documents by what they are told apart by: state, subject, time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from groundswell.index.elastic.client import checked
from groundswell.index.fields import DAY, moment, time_of
from groundswell.index.query import Tally

NEWEST = [{"at": {"order": "desc"}}, {"id": {"order": "asc"}}]
PAGE = 1000
"""Groups of one answer."""
SUBJECTS = 10_000
"""Subjects of which the newest record is given; the server collapses no more in one answer."""


def chosen(states: Collection[str], since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """Return a condition on state and time."""
    bounds = {name: moment(at) for name, at in (("gte", since), ("lt", until)) if at is not None}
    filters: list[dict[str, Any]] = [{"range": {"at": bounds}}] if bounds else []
    if states:
        filters.append({"terms": {"state": list(states)}})
    return {"bool": {"filter": filters}}


def latest(client: Elasticsearch, alias: str, states: Collection[str], until: datetime | None) -> list[dict[str, Any]]:
    """Return the source of the newest record about each subject, by subject."""
    answer = checked(
        client.search(
            index=alias, query=chosen(states, None, until), sort=NEWEST, size=SUBJECTS, collapse={"field": "theme"},
            ignore_unavailable=True, track_total_hits=False,
        )
    )  # fmt: skip
    sources = [hit["_source"] for hit in answer["hits"]["hits"]]
    return sorted(sources, key=lambda source: str(source["theme"]))


def tally(client: Elasticsearch, alias: str, since: datetime | None, until: datetime | None) -> list[Tally]:
    """Return how many records there are by subject, state and day."""
    found = [
        Tally(key["subject"], key["state"], time_of(int(key["day"])), bucket["doc_count"])
        for bucket in _buckets(client, alias, chosen((), since, until))
        for key in [bucket["key"]]
    ]
    return sorted(found, key=lambda one: (one.subject, one.state, one.day))


def _buckets(client: Elasticsearch, alias: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sources = [
        {"subject": {"terms": {"field": "theme"}}},
        {"state": {"terms": {"field": "state"}}},
        {"day": {"histogram": {"field": "at", "interval": DAY}}},
    ]
    after: dict[str, Any] = {}
    while True:
        composite = {"size": PAGE, "sources": sources, **({"after": after} if after else {})}
        answer = checked(
            client.search(
                index=alias, query=query, size=0, aggs={"groups": {"composite": composite}}, ignore_unavailable=True
            )
        )
        groups = answer["aggregations"]["groups"]
        yield from groups["buckets"]
        if "after_key" not in groups:
            return
        after = groups["after_key"]
