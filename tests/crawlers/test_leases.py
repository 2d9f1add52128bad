"""Two crawls on one store, two processes against one server: each source is visited by one, each host asked by one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from groundswell.configs.schema import CrawlSettings, ElasticSettings, ScaleSettings, Settings, SqliteSettings
from groundswell.crawlers.run import OVERTAKEN, checkpoint_id, crawl
from groundswell.index.leases import Leases, wall_clock
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, CrawlRun, Lease

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SCRIPT = """
import json, sys
from datetime import datetime
from groundswell.configs.schema import Settings
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
settings = Settings.model_validate_json(sys.argv[1])
with open_store(settings) as store:
    now, patience = datetime.fromisoformat(sys.argv[2]), float(sys.argv[3])
    runs = crawl(store, settings, now=now, only=sys.argv[4:], patience=patience)
print(json.dumps({run.source: [run.found, run.stored, run.error, run.remark] for run in runs}))
"""
PAGE = "<html><body><article><h1>Story {n}</h1><p>{text}</p></article></body></html>"
TEXT = "Story {n} says that the bill for the advertisement came twice and that nobody at the company answered. " * 3
PATIENCE = 90.0
PLACES = 4
pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("elastic", marks=pytest.mark.elastic)])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteSettings | ElasticSettings]:
    """Give a store that two processes share."""
    if request.param == "sqlite":
        yield SqliteSettings(path=tmp_path / "shared.db")
        return
    one = ElasticSettings(url=request.getfixturevalue("elastic_url"), prefix=f"leases-{time.time_ns()}")
    yield one
    with open_store(Settings(data_dir=tmp_path, store=one)) as store:
        client: Any = store.client  # type: ignore[attr-defined]
        client.indices.delete(index=list(client.indices.get_alias(index=f"{one.prefix}-*")))


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


class Crawls:
    """Crawling processes, each with a data folder and a name of its own, on one store."""

    def __init__(self, folder: Path, store: SqliteSettings | ElasticSettings) -> None:
        self.folder, self.store = folder, store
        (folder / "sources").mkdir()

    def settings(self, name: str, *, delay: float = 0.0, lease: float = 60.0) -> Settings:
        """Return the settings of one."""
        polite = CrawlSettings(
            sources=(self.folder / "sources",), shipped=False, delay_seconds=delay, allow_private_addresses=True,
            user_agent=name,
        )  # fmt: skip
        return Settings(
            data_dir=self.folder / name, crawl=polite, store=self.store, scale=ScaleSettings(lease_seconds=lease)
        )

    def start(self, settings: Settings, *only: str, patience: float = 0.0) -> subprocess.Popen[str]:
        """Start one."""
        order = [settings.model_dump_json(), NOW.isoformat(), str(patience), *only]
        return subprocess.Popen([sys.executable, "-c", SCRIPT, *order], stdout=subprocess.PIPE, text=True)

    def texts(self) -> list[str]:
        """Return what is stored."""
        with open_store(self.settings("reader")) as store:
            return sorted(document.mention.text for document in store.scan(Query()))


@pytest.fixture
def crawls(tmp_path: Path, store_settings: Any, monkeypatch: pytest.MonkeyPatch) -> Crawls:
    """Give crawls that share a store."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "s")
    return Crawls(tmp_path, store_settings)


def sitemap(crawls: Crawls, web: Any, answer: Any, name: str) -> None:
    """Make a source of a few pages."""
    urls = "".join(
        f"<url><loc>/{name}/{n}</loc><lastmod>2026-11-19T00:00:{n:02d}Z</lastmod></url>" for n in range(PLACES)
    )
    web.play(f"/{name}.xml", answer(f"<?xml version='1.0'?><urlset>{urls}</urlset>", type="text/xml"))
    for n in range(PLACES):
        web.play(f"/{name}/{n}", answer(PAGE.format(n=n, text=TEXT.format(n=f"{name} {n}"))))
    text = f"format: sitemap\nkind: news\nurls: [{web.url}/{name}.xml]\n"
    (crawls.folder / "sources" / f"{name}.yaml").write_text(text)


def done(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a crawl that went well said of each source."""
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    runs: dict[str, Any] = json.loads(out)
    return runs


def test_two_crawls_share_sources_and_ask_a_host_one_after_the_other(crawls: Crawls, web: Any, answer: Any) -> None:
    """Both want both; no page is asked for twice, and whoever comes second at the host waits for the other's pause."""
    for name in ("a", "b"):
        sitemap(crawls, web, answer, name)
    first = crawls.start(crawls.settings("one", delay=0.5), "a")
    second = crawls.start(crawls.settings("two", delay=0.5), "b")
    runs = [done(first), done(second)]
    assert [run[1:3] for each in runs for run in each.values()] == [[PLACES, ""], [PLACES, ""]], runs
    agents = [asked.headers["User-Agent"] for asked in web.log]
    assert len([key for key, _ in groupby(agents)]) == 2, "one after the other"
    assert len(crawls.texts()) == 2 * PLACES
    with open_store(crawls.settings("reader")) as store:
        assert [lease for lease in store.recent(Lease) if lease.until > wall_clock()] == []


def test_a_source_is_visited_by_one_crawl_and_when_that_is_killed_by_the_next(
    crawls: Crawls, web: Any, answer: Any
) -> None:
    """The other is told who has it; when the lease has run out it stores what an undisturbed crawl would."""
    sitemap(crawls, web, answer, "a")
    asked, hanging = threading.Event(), threading.Event()
    page = web.scripts["/a/1"]

    def hang(path: str, headers: Mapping[str, str]) -> Any:
        asked.set()
        hanging.wait(PATIENCE)
        return page

    web.play("/a/1", hang)
    dying = crawls.start(crawls.settings("one", lease=3), "a")
    assert asked.wait(PATIENCE)
    (found, stored, error, remark) = done(crawls.start(crawls.settings("two", lease=3), "a"))["a"]
    assert (found, stored, error) == (0, 0, "")
    assert "being visited by" in remark
    assert str(crawls.folder / "one") in remark
    dying.send_signal(signal.SIGKILL)
    assert dying.wait(PATIENCE) == -signal.SIGKILL
    hanging.set()
    web.play("/a/1", page)
    (found, stored, error, _) = done(crawls.start(crawls.settings("two", lease=3), "a", patience=PATIENCE))["a"]
    assert (stored, error) == (PLACES, "")
    assert crawls.texts() == sorted(TEXT.format(n=f"a {n}").strip() for n in range(PLACES))
    (stored,) = done(crawls.start(crawls.settings("one", lease=3), "a"))["a"][1:2]
    assert stored == 0, "what one has stored the other does not store again"


def test_a_crawl_that_was_held_up_for_longer_than_its_lease_does_not_move_the_marks(
    crawls: Crawls, web: Any, answer: Any
) -> None:
    """What it found is stored, once; the marks are those of the crawl that took the source over."""
    sitemap(crawls, web, answer, "a")
    settings = crawls.settings("one")
    with open_store(settings) as store:

        def overtake(path: str, headers: Mapping[str, str]) -> Any:
            mark = Checkpoint(id=checkpoint_id("a"), value={"marks": {"theirs": 1}}, at=NOW)
            store.put([mark, Lease(id="source:a", holder="another", at=NOW, until=wall_clock() + timedelta(hours=1))])
            return answer(PAGE.format(n=1, text=TEXT.format(n="a 1")))

        web.play("/a/1", overtake)
        (run,) = crawl(store, settings, now=NOW)
        assert (run.stored, run.error) == (PLACES, "")
        assert OVERTAKEN in run.remark
        assert store.get(CrawlRun, run.id) == run
        kept = store.get(Checkpoint, checkpoint_id("a"))
        assert kept is not None
        assert kept.value == {"marks": {"theirs": 1}}
        assert Leases(store, "me", 60).who("source:a") == "another"
