"""A crawl that is killed leaves nothing behind but its spool, and the next one stores what an undisturbed one would."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundswell.crawlers.handover import Tally
from groundswell.crawlers.run import CrawlError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SCRIPT = """
import sys
from datetime import datetime
from groundswell.configs.schema import Settings
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
settings = Settings.model_validate_json(sys.argv[1])
with open_store(settings) as store:
    crawl(store, settings, now=datetime.fromisoformat(sys.argv[2]))
"""
PAGE = "<html><body><article><h1>Story {n}</h1><p>{text}</p></article></body></html>"
TEXT = "Story {n} says that the bill for the advertisement came twice and that nobody at the company answered. " * 3
PLACES = 100
KILLER = 20
PATIENCE = 60.0


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


@pytest.mark.slow
def test_a_crawl_killed_midway_and_run_again_is_a_whole_crawl(
    house: Any, web: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL while pages are being fetched: the child goes too, what it had fetched is kept, nothing is doubled."""
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "s")
    # read newest first, so that page 99 comes first and page 20 after eighty others
    urls = "".join(
        f"<url><loc>/a/{n}</loc><lastmod>2026-11-19T00:{n // 60:02d}:{n % 60:02d}Z</lastmod></url>"
        for n in range(PLACES)
    )
    pages = {n: answer(PAGE.format(n=n, text=TEXT.format(n=n))) for n in range(PLACES)}
    web.play("/map.xml", answer(f"<?xml version='1.0'?><urlset>{urls}</urlset>", type="text/xml", validators=True))
    for number, page in pages.items():
        web.play(f"/a/{number}", page)
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n")
    command = [sys.executable, "-c", SCRIPT, house.settings.model_dump_json(), NOW.isoformat()]
    process = subprocess.Popen(command)
    hanging = threading.Event()

    def kill(path: str, headers: Mapping[str, str]) -> Any:
        process.send_signal(signal.SIGKILL)
        hanging.wait(PATIENCE)  # the child hangs here, so that only its parent's death can end it
        return answer("too late")

    web.play(f"/a/{KILLER}", kill)
    assert process.wait(PATIENCE * 4) == -signal.SIGKILL
    spool = house.settings.data_dir / "spool"
    (left,) = spool.glob("*.jsonl")
    size = _settled(left)
    assert size > 0
    assert house.mentions() == []
    hanging.set()
    web.log.clear()
    web.play(f"/a/{KILLER}", pages[KILLER])

    run = house.crawl(now=NOW + timedelta(minutes=5))["map"]

    assert left.stat().st_size == size if left.exists() else True
    assert run.error == ""
    assert run.found > PLACES, "what the killed run had fetched was taken over, then found again"
    assert sorted(mention.text for mention in house.mentions()) == sorted(
        TEXT.format(n=n).strip() for n in range(PLACES)
    )
    assert list(spool.glob("*.jsonl")) == []
    third = house.crawl(now=NOW + timedelta(minutes=10))["map"]
    assert (third.found, third.error) == (0, "")
    assert web.log[-1].status == 304


def test_two_crawls_in_one_folder_do_not_mix(house: Any) -> None:
    """The second is told that the first is at work; the lock goes with its process."""
    folder = house.settings.data_dir / "spool"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CrawlError, match="another crawl is at work"):
            house.crawl()
    assert house.crawl() == {}


def test_a_crawling_process_that_dies_is_one_sources_trouble(
    house: Any, web: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process dies of one source, the others are fetched all the same and the error names what happened."""
    killer = Path(house.folder / "killer")
    killer.mkdir()
    # a real crash from outside the code under test: Python runs sitecustomize in the child, which kills it on a word
    (killer / "sitecustomize.py").write_text(
        "import sys, os\n"
        "if 'groundswell.crawlers.child' in ' '.join(sys.orig_argv):\n"
        "    import lxml.etree\n"
        "    parse = lxml.etree.fromstring\n"
        "    def deadly(text, *more):\n"
        "        if b'DIE' in text:\n"
        "            os.kill(os.getpid(), 11)\n"
        "        return parse(text, *more)\n"
        "    lxml.etree.fromstring = deadly\n"
    )
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(killer), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    item = "<item><title>One</title><link>/n/1</link></item>"
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{{}}</title>{item}</channel></rss>'
    web.play("/deadly", answer(feed.format("DIE")))
    web.play("/good", answer(feed.format("fine")))
    house.source("a-deadly", f"format: feed\nkind: news\nurls: [{web.url}/deadly]\n")
    house.source("b-good", f"format: feed\nkind: news\nurls: [{web.url}/good]\n")
    runs = house.crawl()
    assert "ended with code -11" in runs["a-deadly"].error
    assert (runs["b-good"].stored, runs["b-good"].error) == (1, "")


def test_a_crawl_says_how_far_it_is_while_it_fetches(house: Any, web: Any, answer: Any) -> None:
    """The second feed answers only once somebody was told that the first has been visited, and for whom one waits."""
    item = "<item><title>One</title><link>/n/1</link></item>"
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{item}</channel></rss>'
    told, heard = threading.Event(), []

    def slow(path: str, headers: Mapping[str, str]) -> Any:
        return answer(feed) if told.wait(PATIENCE) else answer("nobody was told", 500)

    def progress(done: int, total: int | None, what: str) -> None:
        heard.append((done, what))
        if what == "found, 1 of 2 sources visited; waiting for b-slow":
            told.set()

    web.play("/quick", answer(feed))
    web.play("/slow", slow)
    house.source("a-quick", f"format: feed\nkind: news\nurls: [{web.url}/quick]\n")
    house.source("b-slow", f"format: feed\nkind: news\nurls: [{web.url}/slow]\n")
    assert house.crawl(progress=progress)["b-slow"].error == ""
    assert (1, "found, 1 of 2 sources visited; waiting for b-slow") in heard
    assert heard[-1] == (2, "taken in, 2 of 2 sources")


def test_a_tally_counts_each_whole_line_once(tmp_path: Path) -> None:
    """A line that is half written counts when it is whole; troubles are no items; a spool not yet there is no error."""
    spool = tmp_path / "one.jsonl"
    tally = Tally([spool, tmp_path / "later.jsonl"])
    for added, items, ended in (
        ("", 0, 0),
        ('{"mention": {}}\n{"refusal": {}}\n{"error": "x"}\n{"ment', 2, 0),
        ('ion": {}}\n', 3, 0),
        ('{"end": {}}\n', 3, 1),
    ):
        with spool.open("a") as file:
            file.write(added)
        tally.update()
        assert (tally.items, len(tally.ended), len(tally.waiting)) == (items, ended, len(tally.begun) - ended)


def _settled(path: Path) -> int:
    """Return a file's size once no process writes to it any more: its writer must die of its parent's death."""
    deadline = time.monotonic() + PATIENCE
    while _writers(path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _writers(path), "the crawling process outlived its parent"
    return path.stat().st_size


def _writers(path: Path) -> list[str]:
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.parent.parent.name) != str(os.getpid()) and link.readlink() == path:
                found.append(str(link))
        except OSError:
            continue
    return found
