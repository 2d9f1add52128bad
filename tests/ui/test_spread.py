"""A whole turn over three workers of a real cluster stores what one process stores, whoever is lost meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from groundswell.configs.schema import CrawlSettings, ModelSettings, ScaleSettings, Settings, SqliteSettings
from groundswell.configs.source import find_sources
from groundswell.crawlers.replica import serve, write_sources
from groundswell.crawlers.spread import bundled, crawl_wherever
from groundswell.index import cluster as clusters
from groundswell.index.cluster import ClusterError, connected, last_meeting, meet
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import CrawlRun, Signal, Theme
from groundswell.ui.doctor import CHECKS
from groundswell.ui.pipeline import run_once

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
SOME = 5
"""Sources of the replica that are crawled: a few hundred documents are enough to tell two answers apart."""
STAGES = ("crawl", "enrich", "themes", "signals", "export")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three workers of one thread each."""
    make: Any = distributed.LocalCluster
    with make(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50) as it:
        yield it


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve the replica; return a folder with some of its sources."""
    monkeypatch.delenv("GROUNDSWELL_AUTHOR_SALT", raising=False)
    with serve(now=NOW) as web:
        write_sources(tmp_path / "sources", web.url)
        for path in sorted((tmp_path / "sources").glob("*.yaml"))[SOME:]:
            path.unlink()
        yield tmp_path / "sources"


def _settings(folder: Path, sources: Path, scheduler: str = "") -> Settings:
    folder.mkdir()
    (folder / "author.salt").write_text("s" * 64)
    polite = CrawlSettings(
        sources=(sources,), shipped=False, delay_seconds=0, concurrent_per_host=8, allow_private_addresses=True
    )
    scale = ScaleSettings(scheduler=scheduler, patience_seconds=30, lease_seconds=3)
    return Settings(data_dir=folder, crawl=polite, model=ModelSettings(threads=1), scale=scale)


def _turn(settings: Settings, *stages: str) -> None:
    with open_store(settings) as store:
        for stage in run_once(store, settings, clock=lambda: NOW, stages=stages or STAGES):
            assert not stage.failed, stage


def _stored(settings: Settings) -> dict[str, Any]:
    """Return all that a turn leaves."""
    with open_store(settings) as store:
        documents = list(store.scan(Query()))
        files = sorted((settings.data_dir / "parquet" / "documents").glob("*.parquet"))
        return {
            "mentions": [document.mention for document in documents],
            "enriched": [document.enriched for document in documents],
            "membership": [document.membership for document in documents],
            "themes": sorted(store.recent(Theme), key=lambda one: one.id),
            "signals": sorted(store.recent(Signal), key=lambda one: one.id),
            "runs": {(run.source, run.error) for run in store.recent(CrawlRun)},  # one done again counts what it finds
            "days": {path.name: pq.read_table(path) for path in files},
        }


@pytest.mark.timeout(1200)
def test_three_workers_store_what_one_process_stores_also_when_one_is_killed_at_work(
    tmp_path: Path, sources: Path, cluster: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Ids, what was understood, themes, signals, alerts and the day files, to the last letter."""
    alone, spread = _settings(tmp_path / "alone", sources), _settings(tmp_path / "spread", sources)
    scale = spread.scale.model_copy(update={"scheduler": cluster.scheduler_address})
    spread = spread.model_copy(update={"scale": scale})
    _turn(alone)
    caplog.set_level("INFO", logger="groundswell")
    victim = next(iter(cluster.workers.values())).pid
    threading.Timer(4.0, os.kill, (victim, signal.SIGKILL)).start()
    _turn(spread)
    with open_store(spread) as store:
        met = last_meeting(store)
    assert met
    assert met.workers == ("0", "1", "2")
    assert any("visited by worker" in record.message for record in caplog.records)
    one, three = _stored(alone), _stored(spread)
    assert len(one["mentions"]) > 100
    for name, what in one.items():
        assert three[name] == what, name


def test_a_worker_that_differs_or_does_not_reach_the_store_is_named_before_work_begins(
    tmp_path: Path, sources: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was asked of any site, and nothing was stored."""
    settings = _settings(tmp_path / "here", sources, cluster.scheduler_address)
    elsewhere = settings.model_copy(update={"store": SqliteSettings(path=tmp_path / "elsewhere.db")})
    open_store(elsewhere).close()
    with open_store(settings) as store, connected(settings) as workers:
        found = list(CHECKS["cluster"](settings))
        assert [finding.state for finding in found] == ["ok"] * 4
        assert "1 threads" in found[0].said
        assert "http://" in found[3].said
        with pytest.raises(ClusterError, match=r"worker tcp.* does not reach this store: it found another one"):
            meet(workers, store, elsewhere, NOW)
        workers.each(lambda: os.environ.update({"GROUNDSWELL_AUTHOR_SALT": "another"}))
        with pytest.raises(ClusterError, match=r"worker tcp.* has another salt in GROUNDSWELL_AUTHOR_SALT than this"):
            crawl_wherever(store, settings, now=NOW)
        workers.each(lambda: os.environ.pop("GROUNDSWELL_AUTHOR_SALT"))
        monkeypatch.setattr(clusters, "version", lambda _: "99")
        with pytest.raises(ClusterError, match=r"worker tcp.* has groundswell .*, here is groundswell 99, .*: install"):
            crawl_wherever(store, settings, now=NOW)
        assert store.search(Query()).total == 0


def test_sources_of_one_host_stay_together(tmp_path: Path) -> None:
    """In bundles of like size; each source is in one."""
    for n in range(9):
        host = f"h{n // 2}.example"
        (tmp_path / f"s{n}.yaml").write_text(f"format: feed\nkind: news\nurls: [https://{host}/{n}]\n")
    found, problems = find_sources(CrawlSettings(sources=(tmp_path,), shipped=False))
    assert not problems
    bundles = bundled(list(found), 3)
    assert max(map(len, bundles)) <= 4
    where = {source.name: number for number, bundle in enumerate(bundles) for source in bundle}
    assert len(where) == 9
    assert all(where[f"s{n}"] == where[f"s{n + 1}"] for n in range(0, 8, 2))
