"""Whatever happens to the server, nothing is lost and nothing is there twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.elastic import client as elastic_client
from groundswell.index.elastic import store as elastic_store
from groundswell.index.open import open_reader, open_store
from groundswell.index.query import By, Query
from groundswell.index.records import Mention
from groundswell.index.spool import SpoolingStore
from groundswell.index.store import StoreError, UnavailableError
from tests.elastic.faults import proxy
from tests.elastic.server import Node, free_port, java_for, node, start, wait_healthy
from tests.index.makers import enriched, mention, numbered

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
LINE = "9"


@pytest.fixture(scope="module")
def one() -> Iterator[Node]:
    """A node of our own: these tests kill it, stop it and fill its disk."""
    with node(LINE) as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask an overloaded server again twice, not for two minutes."""
    monkeypatch.setattr(elastic_store, "RETRIES", 2)
    monkeypatch.setattr(elastic_store, "BACKOFF_SECONDS", 0.05)


@pytest.fixture(scope="module")
def written() -> list[str]:
    """Ids of all that was ever put: every test leaves it in the cluster, where the next finds it."""
    return []


@dataclass(frozen=True, slots=True)
class World:
    """A store at an address, and what must be in it in the end."""

    url: str
    folder: Path
    written: list[str]
    seconds: float = 15

    @property
    def settings(self) -> Settings:
        """Return the settings of the pipeline."""
        store = ElasticSettings(url=self.url, prefix="outages", timeout_seconds=self.seconds)
        return Settings(data_dir=self.folder, store=store)

    def open(self) -> SpoolingStore:
        """Open as the pipeline does."""
        store = open_store(self.settings, spool=True)
        assert isinstance(store, SpoolingStore)
        return store

    def write(self, store: SpoolingStore, count: int = 20, *, hours: float = 0) -> None:
        """Put mentions nobody has put, and what was understood of them."""
        begin = len(self.written)
        some = [mention(f"w{n:04}", hours=hours + n / 10) for n in range(begin, begin + count)]
        self.written.extend(each.id for each in some)
        assert store.put(some).new == count
        assert store.put([enriched(each.id) for each in some]).new == count

    def check(self) -> None:
        """Everything is in the cluster, once, and nothing waits."""
        with self.open() as store:
            assert not store.spooling
            assert sorted(each.id for each in store.scan(Query())) == self.written
            assert store.search(Query(lacks="enriched")).total == 0
            assert sum(bucket.count for bucket in store.count(Query(), By(period="day"))) == len(self.written)
        assert not list(self.folder.glob("spool*.db"))


@pytest.fixture
def world(one: Node, tmp_path: Path, written: list[str]) -> World:
    """The store on the node."""
    return World(one.url, tmp_path / "data", written)


def outage(world: World, begin: Callable[[], object], end: Callable[[], object]) -> None:
    """Write before, in mid run, and in a run that begins without a server; then let all be well again."""
    with world.open() as store:
        world.write(store)
        begin()
        try:
            world.write(store)
            assert store.spooling
        except BaseException:
            end()
            raise
    try:
        with world.open() as store:
            world.write(store)
            assert store.spooling
        with pytest.raises(UnavailableError) as told, open_reader(world.settings) as reader:
            reader.search(Query())
        assert world.url in str(told.value)
    finally:
        end()
    world.check()


def test_a_killed_server(one: Node, world: World) -> None:
    """Killed as by a power cut, started again an hour later: what it had acknowledged is there, the rest arrives."""

    def restart() -> None:
        start(one, java_for(LINE))
        wait_healthy(one)

    outage(world, one.kill, restart)


def test_a_server_that_hangs(one: Node, world: World) -> None:
    """Connections are accepted and nothing ever comes back."""
    outage(replace(world, seconds=5), one.pause, one.resume)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_an_overloaded_server(one: Node, world: World, status: int) -> None:
    """Asked again with patience, then what is put waits."""
    with proxy(one.url) as between:
        over = replace(world, url=between.url)
        outage(over, partial(setattr, between, "status", status), partial(setattr, between, "status", 0))


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_expires_in_mid_run(one: Node, world: World, status: int) -> None:
    """No key to the door is an outage, too, until somebody gives a new one."""
    with proxy(one.url) as between:
        over = replace(world, url=between.url)
        outage(over, partial(setattr, between, "status", status), partial(setattr, between, "status", 0))


def test_a_server_overloaded_for_a_moment_is_asked_again(one: Node, world: World) -> None:
    """Four times 429, then all is well, and nobody spools."""
    with proxy(one.url) as between:
        over = replace(world, url=between.url)
        with over.open() as store:
            between.only, between.left, between.status = "_bulk", 4, 429
            over.write(store)
            assert not store.spooling
        over.check()


def test_a_full_disk(one: Node, world: World) -> None:
    """Elasticsearch makes indices read-only when its disk is full; reading goes on."""

    def full(value: bool | None) -> None:
        with Elasticsearch(one.url) as client:
            client.indices.put_settings(index="outages-*", settings={"index.blocks.read_only_allow_delete": value})

    with world.open() as store:
        world.write(store)
        count = store.search(Query()).total
        full(True)
        try:
            world.write(store)
            assert store.spooling
            with open_reader(world.settings) as reader:
                assert reader.search(Query()).total == count
        finally:
            full(None)
    world.check()


def test_a_red_shard(one: Node, world: World) -> None:
    """What belongs in a shard nobody holds waits; a search that would miss it is an error, not a smaller answer."""

    def allocate(value: str | None) -> None:
        with Elasticsearch(one.url) as client:
            client.cluster.put_settings(persistent={"cluster.routing.allocation.enable": value})

    with replace(world, seconds=5).open() as store:
        allocate("none")
        try:
            world.write(store, hours=24 * 60)
            assert store.spooling
            with open_reader(world.settings) as reader, pytest.raises(UnavailableError, match="shards did not answer"):
                reader.search(Query())
        finally:
            allocate(None)
    with Elasticsearch(one.url) as client:
        client.cluster.health(wait_for_status="yellow", timeout="60s")
    world.check()


def test_an_outage_is_said_once_with_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning names the address, what happens now, and where; no secret is in it."""
    monkeypatch.setenv("GROUNDSWELL_ELASTIC_API_KEY", "c2VjcmV0OnZlcnktc2VjcmV0")
    gone = replace(world, url=f"http://127.0.0.1:{free_port()}")
    with caplog.at_level(logging.WARNING, "groundswell"), gone.open() as store:
        store.put(numbered(3))
        store.get(Mention, "m000")
    said = [record.getMessage() for record in caplog.records if record.name.startswith("groundswell")]
    assert len(said) == 1
    assert "cannot be reached" in said[0]
    assert "spool.db" in said[0]
    assert "c2VjcmV0" not in caplog.text
    with pytest.raises(StoreError) as told:
        open_store(gone.settings)
    assert "c2VjcmV0" not in str(told.value)
    assert elastic_client.RETRIES == 8
