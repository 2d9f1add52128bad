"""Sitemaps, news sitemaps and sitemap indexes, and the articles they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lxml.etree
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.gz import gunzip

from groundswell.configs.source import SitemapSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.follow import ArticleSpider

DEEPEST = 3
MOST_SITEMAPS = 200
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One ``<url>`` or ``<sitemap>`` of a sitemap."""

    loc: str
    lastmod: str = ""
    published: str = ""
    title: str = ""
    lang: str = ""


class SitemapSpider(ArticleSpider):
    """Visits sitemaps."""

    source: SitemapSource

    def requests(self) -> Iterator[Request]:
        """Ask for each sitemap, if it has changed."""
        for url in self.source.urls:
            yield self.ask(url, self.read_sitemap, key=url, conditional=True, depth=1)

    def read_sitemap(self, response: Response, key: str, depth: int) -> Iterator[Any]:
        """Yield requests for the articles of a sitemap, or for the sitemaps of an index."""
        if self.is_unchanged(response, key):
            return
        kind, places = parse(response.body, limit=self.job.crawl.max_page_bytes)
        if kind == "sitemapindex":  # no mark: an index seldom says truly that nothing below it has changed
            yield from self._below(places, response, depth)
        elif kind == "urlset":
            self.marks[key] = self.validators(response) | {"seen": {}}
            for place in self._wanted(places):
                if request := self._page(place, response, key):
                    yield request
        else:
            yield self.spoil(key, response.url, f"not a sitemap; it begins with {beginning(response)}")

    def _below(self, places: list[Place], response: Response, depth: int) -> Iterator[Request]:
        fresh = [place for place in places if not self._is_old(place)]
        for place in fresh[:MOST_SITEMAPS] if depth < DEEPEST else ():
            if url := absolute(place.loc, response.url):
                yield self.ask(url, self.read_sitemap, key=url, conditional=True, depth=depth + 1)

    def _wanted(self, places: list[Place]) -> list[Place]:
        """Return the newest articles first: a visit may not get to all of them."""
        include, exclude = self.source.include, self.source.exclude
        named = [place for place in places if not include or any(part in place.loc for part in include)]
        kept = [place for place in named if not any(part in place.loc for part in exclude) and not self._is_old(place)]
        return sorted(kept, key=lambda place: place.published or place.lastmod, reverse=True)

    def _is_old(self, place: Place) -> bool:
        when = read_date(place.published or place.lastmod, now=self.job.now)
        return when.at is not None and when.at < self.since

    def _page(self, place: Place, response: Response, key: str) -> Request | None:
        url = absolute(place.loc, response.url)
        raw = Raw(
            where=url,
            text="",
            title=place.title,
            url=url,
            published=place.published or place.lastmod,
            inferred=not place.published,  # lastmod is when it was touched, not when it was published
            lang=place.lang,
        )
        return self.article(url, raw, key=key, version=place.lastmod or place.published) if url else None


def parse(body: bytes, *, limit: int) -> tuple[str, list[Place]]:
    """Return what a sitemap is (``urlset``, ``sitemapindex`` or empty) and the places it names.

    No entity is expanded and nothing is fetched; gzip is unpacked up to `limit` bytes.
    """
    if body.startswith(GZIP):
        body = gunzip(body, max_size=limit)
    parser = lxml.etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False
    )
    try:
        root = lxml.etree.fromstring(body.strip(), parser)
    except lxml.etree.XMLSyntaxError:
        return "", []
    if root is None:
        return "", []
    return _name(root), [place for node in root if (place := _place(node)).loc]


def _place(node: Any) -> Place:
    """Return one place; namespaces are ignored, for half of the world's sitemaps get them wrong."""
    texts: dict[str, str] = {}
    for child in node.iter():
        if isinstance(child.tag, str) and child is not node and child.text:
            texts.setdefault(_name(child), child.text.strip())
    return Place(
        loc=texts.get("loc", ""),
        lastmod=texts.get("lastmod", ""),
        published=texts.get("publication_date", ""),
        title=texts.get("title", ""),
        lang=texts.get("language", ""),
    )


def _name(node: Any) -> str:
    return lxml.etree.QName(node).localname if isinstance(node.tag, str) else ""
