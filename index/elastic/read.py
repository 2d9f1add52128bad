"""Elasticsearch, for reading: pages, counts, records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from elasticsearch import Elasticsearch, NotFoundError

from groundswell.configs.schema import ElasticSettings
from groundswell.index.batches import sliced
from groundswell.index.closing import Closing
from groundswell.index.codec import from_json, name_of
from groundswell.index.elastic import records, search
from groundswell.index.elastic.client import checked, connect, explained
from groundswell.index.elastic.compile import filters
from groundswell.index.elastic.count import buckets
from groundswell.index.elastic.documents import from_source
from groundswell.index.elastic.extents import extents
from groundswell.index.elastic.migrate import refuse_older, refuse_ungrouped, version_of
from groundswell.index.elastic.names import Names
from groundswell.index.parts import PARTS, parts_of
from groundswell.index.query import Bucket, By, Extent, Page, Query, Tally
from groundswell.index.records import Document, Enriched, Membership
from groundswell.index.store import EVERY

R = TypeVar("R")
SCAN_PAGE = 500
MGET = 500
"""Documents asked for by id in one request."""
KEEP_ALIVE = "5m"
BY_TIME = [{"at": {"order": "asc"}}, {"id": {"order": "asc"}}]


class ElasticReader(Closing):
    """A `Reader` over a cluster."""

    def __init__(self, settings: ElasticSettings) -> None:
        self.settings = settings
        self.names = Names(settings.prefix)
        with explained(settings):
            self.client: Elasticsearch = connect(settings)
        self._known = self._grouped = False

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def get(self, kind: type[R], id: str) -> R | None:
        """Return one record by id, or ``None``."""
        return next(iter(self.many(kind, [id])), None)

    def many(self, kind: type[R], ids: Sequence[str]) -> list[R]:
        """Return those that exist, in the order asked; what was just written is seen at once."""
        with explained(self.settings):
            if kind in PARTS:
                found = {one: entry[0] for one, entry in self.load(list(dict.fromkeys(ids))).items()}
                return parts_of(kind, [found[one] for one in ids if one in found])
            alias = self.names.kind(name_of(kind))
            sources = self.sources(alias, list(dict.fromkeys(ids)))
        return [from_json(kind, sources[one]["body"]) for one in ids if one in sources]

    def recent(self, kind: type[R], *, limit: int = 1000) -> list[R]:
        """Return records of one kind, newest first by their own time."""
        if kind in PARTS:
            must = [{"term": {PARTS[kind]: True}}] if kind in (Enriched, Membership) else []
            order = [{"at": {"order": "desc"}}, {"id": {"order": "desc"}}]
            hits = self._pages(self.names.documents, {"bool": {"filter": must}}, order, limit)
            return parts_of(kind, [from_source(hit["_source"], vectors=False) for hit in hits])
        hits = self._pages(self.names.kind(name_of(kind)), {"match_all": {}}, records.NEWEST, limit)
        return [from_json(kind, hit["_source"]["body"]) for hit in hits]

    def select(
        self,
        kind: type[R],
        *,
        states: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = EVERY,
    ) -> list[R]:
        """Return records of one kind by state and own time, newest first."""
        self._see_groups()
        asked = records.chosen(states, since, until)
        hits = self._pages(self.names.kind(name_of(kind)), asked, records.NEWEST, limit)
        return [from_json(kind, hit["_source"]["body"]) for hit in hits]

    def latest(self, kind: type[R], *, states: Collection[str] = (), until: datetime | None = None) -> list[R]:
        """Return the newest record about each subject, by subject."""
        self._see_groups()
        with explained(self.settings):
            found = records.latest(self.client, self.names.kind(name_of(kind)), states, until)
        return [from_json(kind, source["body"]) for source in found]

    def tally(self, kind: type[R], *, since: datetime | None = None, until: datetime | None = None) -> list[Tally]:
        """Return how many records of one kind there are by subject, state and day."""
        self._see_groups()
        with explained(self.settings):
            return records.tally(self.client, self.names.kind(name_of(kind)), since, until)

    def _see_groups(self) -> None:
        """Make what was written visible, and look once whether records can be told apart; newer stores can."""
        self.settle()
        if not self._grouped:
            with explained(self.settings):
                refuse_ungrouped(self.client, self.names, self.settings)
            self._grouped = True

    def search(self, query: Query) -> Page:
        """Return a page of documents with total, facets and a stable cursor."""
        self.settle()
        with explained(self.settings):
            self._know()
            return search.search(self.client, self.names.documents, query)

    def count(self, query: Query, by: By) -> list[Bucket]:
        """Return counts and moods, ordered by start, then values."""
        self.settle()
        with explained(self.settings):
            self._know()
            return buckets(self.client, self.names.documents, query, by)

    def extents(self, queries: Sequence[Query]) -> list[Extent]:
        """Return for each query how many documents match, each copy counted, and when the latest was published."""
        self.settle()
        with explained(self.settings):
            self._know()
            return extents(self.client, self.names.documents, queries)

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document, oldest first, through a point in time."""
        where = {"bool": {"filter": filters(query)}}
        for hit in self._pages(self.names.documents, where, BY_TIME, None):
            yield from_source(hit["_source"], vectors=query.with_vectors)

    def _know(self) -> None:
        """Look once whether the indices have what is asked for; newer ones do."""
        if not self._known:
            refuse_older(version_of(self.client, self.names), self.settings)
            self._known = True

    def settle(self) -> None:
        """Make visible to searches what this object wrote; a reader has written nothing."""

    def load(self, ids: Sequence[str]) -> dict[str, tuple[Document, int, int, str]]:
        """Return of each id that is there: the document, its sequence number, its primary term, its index."""
        places = self.places(ids)
        found = {}
        for some in sliced([(one, places[one]) for one in ids if one in places], MGET):
            asked = [{"_id": one, "_index": alias} for one, alias in some]
            for doc in self.client.mget(docs=asked)["docs"]:
                if doc.get("found"):
                    document = from_source(doc["_source"], vectors=True)
                    found[doc["_id"]] = (document, doc["_seq_no"], doc["_primary_term"], places[doc["_id"]])
        return found

    def places(self, ids: Sequence[str]) -> dict[str, str]:
        """Return in which month (write alias) each document rests that is there."""
        return {one: source["index"] for one, source in self.sources(self.names.places, ids).items()}

    def sources(self, alias: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the source of each id that is there; what was just written is seen at once."""
        found = {}
        for some in sliced(ids, MGET):
            try:
                answer = self.client.mget(index=alias, ids=list(some))
            except NotFoundError:
                return {}
            found.update({doc["_id"]: doc["_source"] for doc in answer["docs"] if doc.get("found")})
        return found

    def _pages(
        self, alias: str, query: dict[str, Any], order: list[dict[str, Any]], limit: int | None
    ) -> Iterator[dict[str, Any]]:
        """Yield hits in order, page by page, all from one point in time."""
        self.settle()
        with explained(self.settings):
            opened = self.client.open_point_in_time(index=alias, keep_alive=KEEP_ALIVE, ignore_unavailable=True)
        pit, after, left = opened["id"], None, limit
        try:
            while left is None or left > 0:
                size = SCAN_PAGE if left is None else min(SCAN_PAGE, left)
                with explained(self.settings):
                    answer = checked(
                        self.client.search(
                            pit={"id": pit, "keep_alive": KEEP_ALIVE},
                            query=query,
                            sort=order,
                            size=size,
                            search_after=after,
                            track_total_hits=False,
                        )
                    )
                hits, pit = answer["hits"]["hits"], answer.get("pit_id", pit)
                yield from hits
                if len(hits) < size:
                    return
                after = hits[-1]["sort"][: len(order)]
                left = None if left is None else left - len(hits)
        finally:
            with explained(self.settings):
                self.client.options(ignore_status=404).close_point_in_time(id=pit)
