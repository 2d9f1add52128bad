"""`groundswell sources`: find what a site offers, write it, try it, and the page that says so, carried out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from groundswell.configs.source import read_source
from groundswell.configs.watch import read_watch
from groundswell.ui.cli import cli
from tests.crawlers.conftest import Answer, Web

PAGE = Path(__file__).parents[2] / "docs" / "add-a-source.md"
RSS = "application/rss+xml"
SETTINGS = "crawl:\n  sources: [sources]\n  delay_seconds: 0\n  allow_private_addresses: true\n"
ENTRY = (
    "<item><title>Deepfake ads of a minister, number {n}</title><link>{url}/story/{n}</link><guid>{n}</guid>"
    "<pubDate>Fri, 20 Nov 2026 0{n}:00:00 +0800</pubDate><description>{text}</description></item>"
)
LONG = (
    "The police warn of advertisements with faces of ministers that promise a profit of thirty per cent a week to all."
)


@pytest.fixture
def site() -> Iterator[Web]:
    """A news site: its page names a feed, its robots.txt a sitemap, and a JSON Feed lies where such things lie."""
    web = Web()
    alternate = '<link rel="alternate" type="application/rss+xml" href="/rss.xml"><link rel="stylesheet" href="/a.css">'
    web.play(
        "/", Answer(f"<html lang='en-SG'><head><title>Example News</title>{alternate}</head><body>Hi</body></html>")
    )
    entries = "".join(ENTRY.format(n=n, url=web.url, text=LONG) for n in range(1, 5))
    web.play(
        "/rss.xml", Answer(f"<rss version='2.0'><channel><title>Example</title>{entries}</channel></rss>", type=RSS)
    )
    web.play(
        "/robots.txt", Answer(f"User-agent: *\nDisallow: /private/\nSitemap: {web.url}/news.xml\n", type="text/plain")
    )
    places = f"<url><loc>{web.url}/story/1</loc><lastmod>2026-11-20</lastmod></url>"
    web.play("/news.xml", Answer(f"<urlset>{places}</urlset>", type="application/xml"))
    item = '{"id": "1", "content_text": "A note on ads", "date_published": "2026-11-20T01:00:00Z"}'
    feed = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "Notes", "items": [{item}]}}'
    web.play("/feed.json", Answer(feed, type="application/feed+json"))
    yield web
    web.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that may crawl loopback, in the present of the test's pages."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "groundswell.yaml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROUNDSWELL_NOW", "2026-11-20T12:00:00+00:00")
    return tmp_path


def _run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sources", *words], standalone_mode=False)


def test_what_a_site_offers_is_found_written_and_tried(site: Web, folder: Path) -> None:
    """Best first; the file that is written is a source, and trying it stores nothing."""
    written = _run("find", site.url, "--write", "example-news", "--market", "SG")
    lines = [line for line in written.output.splitlines() if site.url in line]
    assert [line.split()[1] for line in lines] == ["feed", "jsonfeed", "sitemap"], written.output
    assert written.return_value == 0
    source = read_source(folder / "sources" / "example-news.yaml")
    assert (source.format, source.market, source.lang, source.addresses) == (
        "feed",
        "SG",
        "en-SG",
        (f"{site.url}/rss.xml",),
    )
    tried = _run("check", "example-news")
    assert tried.return_value == 0, tried.output
    assert "4 found: 4 new" in tried.output
    assert "2026-11-19 20:00Z" in tried.output
    assert "no warnings" in tried.output
    assert not (folder / ".groundswell").exists()


def test_a_source_is_tried_with_warnings(site: Web, folder: Path) -> None:
    """No dates, shared links, headlines only, a wrong language: each is said before anybody crawls it for a month."""
    entries = "".join(
        f"<item><title>Iklan di mana-mana dan semakin banyak sekali hari ini {n}</title>"
        f"<link>{site.url}/same</link><guid>{n}</guid></item>"
        for n in range(6)
    )
    site.play("/poor.xml", Answer(f"<rss version='2.0'><channel><title>x</title>{entries}</channel></rss>", type=RSS))
    (folder / "sources" / "poor.yaml").write_text(
        f"format: feed\nkind: news\nlang: en\nurls: ['{site.url}/poor.xml']\nfloor: {{per_run: 10}}\n", encoding="utf-8"
    )
    said = _run("check", "poor").output
    for warning in ("no dates: 6 of 6", "shared links: 6 of 6", "short: half", "below its floor", "lang is 'en'"):
        assert f"! {warning}" in said or f"{warning}" in said, said


@pytest.mark.slow
def test_an_address_is_tried_as_it_stands(site: Web, folder: Path) -> None:
    """A feed, and a page that names none."""
    assert "4 found" in _run("check", f"{site.url}/rss.xml").output
    site.play("/bare", Answer("<html><body>nothing</body></html>"))
    said = _run("check", f"{site.url}/bare")
    assert said.return_value == 1
    assert "sources find" in said.output
    gone = _run("find", f"{site.url}/gone")
    assert gone.return_value == 1
    assert "HTTP 404" in gone.output


def test_sources_are_listed_and_a_broken_one_is_told(folder: Path) -> None:
    """Those that ship and one's own, by market."""
    (folder / "sources" / "typo.yaml").write_text("format: fed\n", encoding="utf-8")
    said = _run("list", "--market", "vn")
    assert "vnexpress-vn" in said.output
    assert "cna-sg" not in said.output
    assert "did you mean 'feed'?" in said.output
    assert said.return_value == 1


def test_what_is_watched_for_can_be_seen_and_tried(folder: Path) -> None:
    """Lists, terms, what a text meets, and what a service is asked."""
    assert "Ads and monetisation" in _run("watch").output
    assert "抖音" in _run("watch", "ads").output
    assert _run("watch", "ads", "my ad account was disabled").output.split() == ["ads.advertising"]
    assert _run("watch", "ads", "a fine day").return_value == 1
    assert '"ad account"' in _run("watch", "ads", "--service", "bluesky", "--lang", "en").output
    assert "did you mean 'bluesky'" in str(_run("watch", "ads", "--service", "blusky").exception)


@pytest.mark.slow
def test_the_page_on_adding_a_source_is_true(site: Web, folder: Path) -> None:
    """Every command it shows is carried out in order, every YAML it shows is read."""
    page = PAGE.read_text("utf-8")
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)).splitlines()
    (folder / "groundswell.yaml").unlink()
    for line in filter(None, commands):
        program, *words = shlex.split(line.replace("https://news.example.com", site.url))
        if program == "mkdir":
            continue
        assert program == "groundswell"
        said = CliRunner().invoke(cli, words, standalone_mode=False)
        assert not said.exception, f"{line}: {said.output}{said.exception}"
        assert not said.return_value, f"{line}: {said.output}"
        if words == ["init"]:
            (folder / "groundswell.yaml").write_text(SETTINGS, encoding="utf-8")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)):
        path = folder / "sources" / f"block-{number}.yaml"
        if "format: " in block:
            path.write_text(block, encoding="utf-8")
            read_source(path)
        elif "rules:" in block:
            (folder / "mine.yaml").write_text(block, encoding="utf-8")
            assert "mine" in read_watch([folder / "mine.yaml"])
        elif not block.startswith("crawl:"):
            path.write_text(f"format: feed\nkind: news\nurls: [https://x.example/]\n{block}", encoding="utf-8")
            read_source(path)
