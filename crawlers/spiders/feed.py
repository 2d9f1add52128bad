"""RSS and Atom."""

from __future__ import annotations

import io
from calendar import timegm
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import feedparser
from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import FeedSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.follow import ArticleSpider


class FeedSpider(ArticleSpider):
    """Visits feeds."""

    source: FeedSource

    def requests(self) -> Iterator[Request]:
        """Ask for each feed, if it has changed."""
        for url in self.source.urls:
            yield self.ask(url, self.read_feed, key=url, conditional=True)

    def read_feed(self, response: Response, key: str) -> Iterator[Any]:
        """Yield the entries of a feed, or the requests for their articles."""
        if self.is_unchanged(response, key):
            return
        feed = parse(response)
        if not feed.get("version") and not feed.entries:
            yield self.spoil(key, response.url, f"neither RSS nor Atom; it begins with {beginning(response)}")
            return
        self.marks[key] = self.validators(response)
        shared = Counter(entry.get("link") for entry in feed.entries)
        for number, entry in enumerate(feed.entries[: self.source.max_items], 1):
            raw = raw_entry(entry, f"{response.url} entry {number}", response.url, self.job.now)
            raw = replace(raw, lang=feed.feed.get("language", ""), by_address=shared[entry.get("link")] == 1)
            if not self.source.follow or not raw.url:
                yield raw
            elif request := self.article(raw.url, raw, key=key, version=str(entry.get("updated", ""))):
                yield request


def parse(response: Response) -> Any:
    """Return a parsed feed.

    Bytes are wrapped, for feedparser would *open* a body that reads like an address or a path. A body that is valid
    UTF-8 is read as such whatever the server calls it: by chance hardly any other text is.
    """
    stated = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
    content_type = "application/xml; charset=utf-8" if _is_utf8(response.body) else stated
    headers = {"content-type": content_type, "content-location": response.url}
    return feedparser.parse(io.BytesIO(response.body), response_headers=headers)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def raw_entry(entry: Any, where: str, base: str, now: datetime) -> Raw:
    """Return an RSS item or Atom entry."""
    bodies = [*entry.get("content", []), entry.get("summary_detail") or {}]
    body = max(bodies, key=lambda each: len(each.get("value") or ""))
    return Raw(
        where=where,
        text=body.get("value", ""),
        title=entry.get("title", ""),
        is_html=body.get("type") != "text/plain" or "<" in body.get("value", ""),
        url=absolute(entry.get("link", ""), base),
        own_id=entry.get("id", ""),
        published=_stamp(entry, "published", now),
        updated=_stamp(entry, "updated", now),
        author=entry.get("author", ""),
        extra={"publisher": (entry.get("source") or {}).get("title", "")},
    )


def _stamp(entry: Any, name: str, now: datetime) -> str | datetime:
    """Return a date as it stands, or as feedparser reads it where only feedparser knows the spelling."""
    stated: str = entry.get(name, "")
    parsed = entry.get(f"{name}_parsed")
    if parsed and read_date(stated, now=now).why.startswith("not a date"):
        return datetime.fromtimestamp(timegm(parsed), UTC)
    return stated
