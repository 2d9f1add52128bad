"""Writes the source files with which the replica web is crawled: one YAML each, like any other source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from groundswell.crawlers.replica.formats import APPLE_PAGES
from groundswell.crawlers.replica.grammar import Grammar, Site, load_grammar

BACKFILL_DAYS = 61
HN_QUERIES = ("",)
"""Everything: the replica's Hacker News speaks of nothing but our subjects."""


def write_sources(folder: Path, url: str) -> list[Path]:
    """Write one YAML for each source of the replica web at `url`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder / f"{name}.yaml", spec) for name, spec in _specs(load_grammar(), url.rstrip("/"))]


def _write(path: Path, spec: Mapping[str, Any]) -> Path:
    lines = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in spec.items())
    path.write_text("# A source of the demo: our own replica web on loopback.\n" + lines, encoding="utf-8")
    return path


def _specs(grammar: Grammar, url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for site in grammar.sites:
        if not site.app:
            yield site.name, {**_common(site), **FORMATS[site.format](site, url)}
    for name, app in grammar.apps.items():
        apps = {"format": "appstore", "kind": "review", "title": app["title"], "url": url, "apps": {name: app["id"]}}
        yield name, {**apps, "markets": list(app["countries"]), "pages": APPLE_PAGES, "backfill_days": BACKFILL_DAYS}


def _common(site: Site) -> dict[str, Any]:
    lang = {"lang": site.langs[0]} if len(site.langs) == 1 else {}
    return {"title": site.title, "kind": site.kind, "market": site.market, "backfill_days": BACKFILL_DAYS, **lang}


def _feed(site: Site, url: str) -> dict[str, Any]:
    return {"format": "feed", "urls": [f"{url}/{site.name}/feed.xml"], "follow": site.link_only}


def _sitemap(site: Site, url: str) -> dict[str, Any]:
    return {"format": "sitemap", "urls": [f"{url}/{site.name}/sitemap.xml"]}


def _hackernews(_: Site, url: str) -> dict[str, Any]:
    return {"format": "hackernews", "url": url, "queries": list(HN_QUERIES)}


def _mastodon(site: Site, url: str) -> dict[str, Any]:
    return {"format": "mastodon", "url": url, "tags": [site.tag]}


FORMATS = {"rss": _feed, "atom": _feed, "sitemap": _sitemap, "hackernews": _hackernews, "mastodon": _mastodon}
