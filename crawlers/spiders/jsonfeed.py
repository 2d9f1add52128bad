"""JSON Feed 1.0 and 1.1, page by page (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import JsonFeedSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.seen import Part, SeenSpider

VERSION = "https://jsonfeed.org/version/"


class JsonFeedSpider(SeenSpider[JsonFeedSource]):
    """Visits feeds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first_pages: dict[str, dict[str, str]] = {}
        self.langs: dict[str, str] = {}

    def requests(self) -> Iterator[Request]:
        """Ask for each feed, if it has changed."""
        for url in self.source.urls:
            yield self.ask(url, self.read_feed, key=url, conditional=True, number=1)

    def read_feed(self, response: Response, key: str, number: int) -> Iterator[Any]:
        """Yield the items of a page, and the request for the next."""
        if number == 1 and self.is_unchanged(response, key):
            return
        feed = self.json(response)
        if not is_jsonfeed(feed):
            yield self.spoil(key, response.url, f"not a JSON Feed; it begins with {beginning(response)}")
            return
        if number == 1:
            self.first_pages[key] = self.validators(response)
        self.lang = str(feed.get("language") or "")
        yield from self.take(key, feed["items"], response)
        stated, reading = str(feed.get("next_url") or ""), self.reading(key)
        url = absolute(stated, response.url) if stated else ""
        is_last = not url or (reading.was_whole and not reading.fresh)
        self.save(key, ended=not url, validators=self.first_pages[key])
        if is_last and url:
            self.save(key, ended=False)
            self.keep(key, {**self.marks[key], "whole": reading.whole})
        elif url and reading.whole and number < self.source.pages:
            yield self.ask(url, self.read_feed, key=key, number=number + 1)
        elif url and reading.whole:
            self.remark(f"{key}: only the first {number} pages were read (pages)")

    def part(self, item: dict[str, Any], where: str) -> Part:
        """Return an item."""
        html, own = item.get("content_html"), str(item.get("id") or item.get("url") or "")
        authors = item.get("authors") or [item.get("author") or {}]
        return Part(
            own or where,
            Raw(
                where=where,
                text=html or item.get("content_text") or item.get("summary") or "",
                title=item.get("title") or "",
                is_html=bool(html),
                url=str(item.get("url") or ""),
                own_id=own,
                published=item.get("date_published"),
                updated=item.get("date_modified"),
                author=next((each.get("name") for each in authors if each.get("name")), ""),
                lang=item.get("language") or self.lang,
                extra={"link": item.get("external_url"), "tags": " ".join(item.get("tags") or ())},
            ),
        )


def is_jsonfeed(answer: Any) -> bool:
    """Return whether an answer is a JSON Feed."""
    return isinstance(answer, dict) and isinstance(answer.get("items"), list) and VERSION in str(answer.get("version"))
