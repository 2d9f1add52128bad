"""Three nodes, one of which dies at the worst moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.elastic.read import ElasticReader
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.store import StoreError
from tests.elastic.server import Node, cluster, java_for, start, wait_healthy
from tests.index.makers import enriched, mention

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
BATCH, BATCHES = 250, 40


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """Three nodes that have found each other, some 700 MB each."""
    with cluster("9", count=3) as found:
        yield found


def wait_for(url: str, status: str) -> None:
    """Wait until the cluster is green or yellow again."""
    with Elasticsearch(url, request_timeout=200) as client:
        client.cluster.health(wait_for_status=status, timeout="180s")


@pytest.mark.timeout(1200)
def test_a_node_killed_during_writing_and_searching_costs_nothing(nodes: list[Node], tmp_path: Path) -> None:
    """Killed in the middle of a bulk and of a search: no answer is silently smaller, nothing is lost or doubled."""
    kept, victim = nodes[0], nodes[2]
    elastic = ElasticSettings(url=kept.url, prefix="three", replicas=1, timeout_seconds=60)
    settings = Settings(data_dir=tmp_path, store=elastic)
    totals, over, acknowledged = list[int](), threading.Event(), [0]

    def search() -> None:
        with ElasticReader(elastic) as reader:
            while not over.is_set():
                least = acknowledged[0]
                try:
                    found = reader.search(Query(limit=5)).total
                except StoreError:
                    continue  # said, and asked again
                totals.append(found)
                assert least == 0 or found > 0

    with open_store(settings, spool=True) as store:
        store.put([mention("first")])
        wait_for(kept.url, "green")
        searching = threading.Thread(target=search)
        searching.start()
        for batch in range(BATCHES):
            some = [mention(f"b{batch:02}-{n:03}", hours=n % 24) for n in range(BATCH)]
            if batch == BATCHES // 4:
                threading.Timer(0.05, victim.kill).start()
            assert not store.put([*some, *(enriched(each.id) for each in some)]).refused
            acknowledged[0] += BATCH
        over.set()
        searching.join()
    assert victim.process is not None
    assert victim.process.poll() is not None
    start(victim, java_for("9"))
    wait_healthy(victim, 3)
    wait_for(kept.url, "green")
    with open_store(settings, spool=True) as store:
        ids = [document.id for document in store.scan(Query())]
        assert store.search(Query(lacks="enriched")).total == 1
    assert len(ids) == len(set(ids)) == BATCH * BATCHES + 1
    assert totals
    assert max(totals) <= len(ids)
