"""Looks what a site offers to crawlers; stores nothing. What it finds is its mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response
from scrapy.utils.gz import gunzip
from twisted.python.failure import Failure

from groundswell.configs.source import SiteSource
from groundswell.crawlers.handover import Trouble
from groundswell.crawlers.plain_text import heading
from groundswell.crawlers.spiders.base import SourceSpider, explain
from groundswell.crawlers.spiders.found import PATHS, Found, classify, lang_of, links_of, named, sitemaps_of

KEY = "found"
GZIP = b"\x1f\x8b"
TITLE = re.compile(r"<title\b[^>]{0,200}>([^<]{1,300})</title>", re.IGNORECASE)


class SiteSpider(SourceSpider[SiteSource]):
    """Visits a page, the feeds and sitemaps it names, and the places where such things are by custom."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: list[Found] = []
        self.tried: set[str] = set()
        self.title = self.lang = ""

    def requests(self) -> Iterator[Request]:
        """Ask for the address itself; all else follows from it."""
        self.keep(KEY, [])
        yield self._try(self.source.url, first=True)

    def read_page(self, response: Response, first: bool, robots: bool, **_: Any) -> Iterator[Any]:
        """Note what a page is, and yield requests for what it names."""
        text = self._text(response)
        if robots:
            yield from self._try_all(sitemaps_of(text, response.url))
            return
        found = classify(text, response.url, now=self.job.now)
        if found:
            self.found.append(found)
            self.keep(KEY, [named(each, self.title, self.lang).as_json() for each in self.found])
        elif first:
            title = TITLE.search(text[:200_000])
            self.title, self.lang = heading(title[1], is_html=True) if title else "", lang_of(text)
            yield from self._try_all(links_of(text, response.url))
        if first and self.source.search:
            base = urljoin(response.url, "/")
            yield from self._try_all([urljoin(base, "/robots.txt")], robots=True)
            yield from self._try_all(urljoin(base, path) for path in PATHS)

    def on_failure(self, failure: Failure) -> Iterator[Trouble]:
        """Tell what is wrong with the address itself; that a guess leads nowhere is nothing to tell."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        if request.cb_kwargs["first"]:
            yield self.spoil("", request.url, explain(failure))

    def _try_all(self, urls: Any, *, robots: bool = False) -> Iterator[Request]:
        for url in urls:
            if url not in self.tried and len(self.tried) < self.source.most_requests:
                yield self._try(url, robots=robots)

    def _try(self, url: str, *, first: bool = False, robots: bool = False) -> Request:
        self.tried.add(url)
        return self.ask(url, self.read_page, key=KEY, first=first, robots=robots)

    def _text(self, response: Response) -> str:
        if response.body.startswith(GZIP):
            response = response.replace(body=gunzip(response.body, max_size=self.job.crawl.max_page_bytes))
        return self.text(response)
