"""The Elasticsearch store keeps every promise of the contract, on a real server.

`tests/elastic/test_lines.py` runs this file with client and server of the other line, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from elasticsearch import helpers

from groundswell.configs.schema import ElasticSettings
from groundswell.index.elastic.migrate import migrate
from groundswell.index.elastic.store import ElasticReader, ElasticStore
from groundswell.index.records import CrawlRun, Signal
from groundswell.index.store import Store, StoreError
from tests.index.contract import StoreContract
from tests.index.makers import NOON, signal, visit

pytestmark = [pytest.mark.elastic, pytest.mark.slow]


class ElasticShelf:
    """One prefix of a cluster; emptied between tests, because making a dozen indices takes a second."""

    def __init__(self, url: str) -> None:
        self.settings = ElasticSettings(url=url, prefix="contract")
        self.stores: list[ElasticStore] = []

    def open(self) -> Store:
        """Open the store; the same data each time."""
        self.stores.append(ElasticStore(self.settings))
        return self.stores[-1]

    def refresh(self) -> None:
        """Make what was written visible."""
        self.stores[-1].client.indices.refresh(index="contract-*")

    def empty(self) -> None:
        """Delete the indices of all months, and every document of the others.

        What is deleted from an index still counts in how rare its words are, so months go whole.
        """
        with ElasticStore(self.settings) as store:
            client = store.client
            months = [name for name in client.indices.get_alias(index="contract-documents") if "undated" not in name]
            if months:
                client.indices.delete(index=months)
            client.indices.refresh(index="contract-*")
            while hits := client.search(index="contract-*", size=5000, source=False)["hits"]["hits"]:
                gone = [{"_op_type": "delete", "_index": hit["_index"], "_id": hit["_id"]} for hit in hits]
                helpers.bulk(client, gone, refresh=True)

    def close(self) -> None:
        """Close every store that was opened."""
        while self.stores:
            self.stores.pop().close()


class TestElastic(StoreContract):
    """The contract."""

    @pytest.fixture
    def shelf(self, elastic_url: str) -> Iterator[ElasticShelf]:
        """Give a cluster with nothing in it."""
        one = ElasticShelf(elastic_url)
        one.empty()
        yield one
        one.close()


def test_alerts_of_an_older_version_are_told_apart_once_it_is_migrated(elastic_url: str) -> None:
    """Until then a reader says what to do, and finds nothing wrong; written by both versions all are found."""
    settings = ElasticSettings(url=elastic_url, prefix="ungrouped")
    with ElasticStore(settings) as store:
        store.put([signal("s1", fired=True), signal("s2"), visit("r1", "forum", NOON, error="HTTP 500")])
    with ElasticStore(settings) as store:
        client = store.client
        for name, one in (("signal", "s1"), ("signal", "s2"), ("crawlrun", "r1")):  # as the version before wrote them
            client.update(index=f"ungrouped-{name}", id=one, doc={"state": "", "theme": ""}, refresh=True)
        client.indices.put_mapping(index="ungrouped-places", meta={"mapping_version": 3})
        with ElasticReader(settings) as reader, pytest.raises(StoreError, match="groundswell migrate"):
            reader.select(Signal, states=("alert",))
    assert "filled in" in migrate(settings)
    assert "nothing to do" in migrate(settings)
    with ElasticReader(settings) as reader:
        assert [one.id for one in reader.select(Signal, states=("alert",))] == ["s1"]
        assert [one.state for one in reader.tally(CrawlRun)] == ["failed"]
        assert [one.id for one in reader.latest(CrawlRun, states=("failed",))] == ["r1"]
