"""What is put while the cluster is away waits on the disk, and arrives once, in order."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from groundswell.configs.schema import ElasticSettings, Settings
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, Document, Mention, Record, Theme
from groundswell.index.spool import SpoolingStore, everything
from groundswell.index.sqlite.write import SqliteStore
from groundswell.index.store import Report, StoreError, UnavailableError
from groundswell.ui.pipeline import run_once
from tests.elastic.server import free_port
from tests.index.makers import NOON, case, enriched, member, mention, numbered, one_of_each, vector


class Far:
    """A store somewhere else, which may be away, or go away after so many records."""

    def __init__(self, path: Path) -> None:
        self.path, self.away, self.bears = path, False, 10**9

    def connect(self) -> SqliteStore:
        """Reach it."""
        if self.away:
            raise UnavailableError("http://far: cannot be reached")
        return _Mortal(self)


class _Mortal(SqliteStore):
    def __init__(self, far: Far) -> None:
        super().__init__(far.path)
        self.far = far

    def put(self, records: Iterable[Record]) -> Report:
        given = list(records)
        if self.far.away:
            raise UnavailableError("http://far: cannot be reached")
        report = super().put(given[: self.far.bears])
        self.far.bears -= len(given)
        if self.far.bears < 0:
            self.far.away = True
            raise UnavailableError("http://far: it died while writing")
        return report


@pytest.fixture
def far(tmp_path: Path) -> Far:
    """A store that can be away."""
    return Far(tmp_path / "far.db")


def spooling(far: Far, tmp_path: Path) -> SpoolingStore:
    """Open the store as the pipeline does."""
    return SpoolingStore(far.connect, tmp_path / "data")


def test_what_is_put_while_the_cluster_is_away_arrives_once(far: Far, tmp_path: Path) -> None:
    """Away at the start, away at the next start, then back: everything is there, once, and the spool is gone."""
    far.away = True
    for part in (one_of_each(), numbered(30)):
        with spooling(far, tmp_path) as store:
            assert store.spooling
            assert store.put(part).new == len(part)
            assert store.get(Mention, part[0].id) == part[0]
            assert store.search(Query()).total >= len(part) // 12
    far.away = False
    with spooling(far, tmp_path) as store:
        assert not store.spooling
        assert store.search(Query()).total == 31
        assert [store.get(type(record), record.id) for record in one_of_each()] == one_of_each()
    assert not list((tmp_path / "data").glob("spool*.db*"))


@pytest.mark.parametrize("bears", [0, 7, 1000, 1500])
def test_a_cluster_that_dies_while_it_catches_up_loses_and_doubles_nothing(
    far: Far, tmp_path: Path, bears: int
) -> None:
    """Wherever it stops, the rest waits on, and what was sent twice is there once."""
    far.away = True
    with spooling(far, tmp_path) as store:
        store.put(numbered(1200))
        store.put([enriched(f"m{n:03}") for n in range(1200)])
    far.away, far.bears = False, bears
    with spooling(far, tmp_path) as store:
        assert store.spooling
        store.put([mention("late")])
    far.away, far.bears = False, 10**9
    with spooling(far, tmp_path) as store:
        assert not store.spooling
        assert store.search(Query()).total == 1201
        assert store.search(Query(lacks="enriched")).total == 1


def test_a_cluster_that_dies_in_mid_run_is_said_once(
    far: Far, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The put that failed half way waits whole, and one warning says where."""
    far.bears = 3
    with caplog.at_level(logging.WARNING), spooling(far, tmp_path) as store:
        store.put(numbered(5))
        store.put([mention("later")])
        store.put([enriched("m001"), member("m004")])
        assert store.spooling
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "spool.db" in caplog.text
    far.away, far.bears = False, 10**9
    with spooling(far, tmp_path) as store:
        assert store.search(Query()).total == 6
        assert store.search(Query(where={"theme": ("t1",)})).total == 1


def test_what_was_understood_waits_although_its_mention_is_in_the_cluster(far: Far, tmp_path: Path) -> None:
    """The cluster goes away between reading mentions and writing what was understood of them."""
    with spooling(far, tmp_path) as store:
        store.put([mention()])
        far.away = True
        assert store.put([enriched(vector=vector(1))]) == Report(new=1)
    far.away = False
    with spooling(far, tmp_path) as store:
        document = store.get(Document, "m1")
        assert document is not None
        assert document.enriched is not None


def test_what_the_cluster_has_understood_is_not_overwritten_by_a_second_reading(far: Far, tmp_path: Path) -> None:
    """Copies from before the outage cannot be seen during it: the same model's earlier reading is better."""
    with spooling(far, tmp_path) as store:
        store.put([mention("a"), mention("b"), enriched("b", duplicate_of="a")])
    far.away = True
    with spooling(far, tmp_path) as store:
        store.put([mention("b"), enriched("b", duplicate_of="b")])
    far.away = False
    with spooling(far, tmp_path) as store:
        assert store.search(Query(where={"duplicate": ("a",)})).total == 2
    far.away = True
    with spooling(far, tmp_path) as store:
        store.put([mention("b", "another text"), enriched("b", duplicate_of="b")])
    far.away = False
    with spooling(far, tmp_path) as store:
        assert store.search(Query(where={"duplicate": ("b",)})).total == 1


def test_bad_records_are_refused_at_once(far: Far, tmp_path: Path) -> None:
    """What no store takes never enters the line."""
    far.away = True
    with spooling(far, tmp_path) as store:
        report = store.put([mention("a"), mention("", "no id")])
        assert (report.new, len(report.refused)) == (1, 1)


def test_peoples_changes_do_not_wait(far: Far, tmp_path: Path) -> None:
    """A case is edited in the cluster or not at all: somebody else may be editing it there."""
    far.away = True
    with spooling(far, tmp_path) as store:
        with pytest.raises(UnavailableError, match="waits until it is back"):
            store.edit(case(), expected_version=0)
        with pytest.raises(UnavailableError, match="waits until it is back"):
            store.delete(Mention, ["m1"])


def test_two_processes_never_use_one_spool_at_once(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, then says so; once the cluster is back it leaves the line to the first."""
    monkeypatch.setattr("groundswell.index.spool.LOCK_SECONDS", 0.1)
    far.away = True
    with spooling(far, tmp_path) as store:
        store.put([mention("a")])
        with pytest.raises(StoreError, match="another process"):
            spooling(far, tmp_path)
        far.away = False
        with spooling(far, tmp_path) as other:
            assert other.search(Query()).total == 0
    with spooling(far, tmp_path) as store:
        assert store.search(Query()).total == 1


def test_stages_that_need_everything_are_left_out_with_a_sentence(tmp_path: Path) -> None:
    """Themes and signals are never made from what merely waits; nothing listens at this address."""
    settings = Settings(
        data_dir=tmp_path / "data", store=ElasticSettings(url=f"http://127.0.0.1:{free_port()}", timeout_seconds=5)
    )
    with open_store(settings, spool=True) as store:
        store.put([*numbered(10), Checkpoint(id="feed", value={"etag": "a"}, at=NOON)])
        stages = list(
            run_once(store, settings, clock=lambda: NOON + timedelta(days=1), stages=("themes", "signals", "digest"))
        )
        assert [(stage.failed, stage.said[:10]) for stage in stages] == [(True, "left out: ")] * 3
        assert store.recent(Theme) == []
        with pytest.raises(UnavailableError):
            everything(store)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        open_store(settings)
    assert (tmp_path / "data" / "spool.db").exists()
