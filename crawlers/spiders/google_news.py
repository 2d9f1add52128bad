"""Headlines by the RSS of Google News' search: a hundred at most, in no order, so a span that is full is halved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import GoogleNewsSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Missed, beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, moment, seconds
from groundswell.crawlers.spiders.stretches import Stretch, Walk
from groundswell.crawlers.syndication import Entry, NoFeedError, read_feed

MOST = 100
DAY = 86_400


class GoogleNewsSpider(ListSpider[GoogleNewsSource]):
    """Visits searches. They are asked by whole days, for that is what ``after:`` and ``before:`` understand."""

    overlap = DAY // 4

    def requests(self) -> Iterator[Request]:
        """Ask for the days of every stretch of every search."""
        for query in self.source.queries:
            walks = self.walk_each(query)
            for walk in walks:
                walk.share(walks[0])
                yield self._search(query, walk)

    def read_page(self, response: Response, key: str, walk: Walk) -> Iterator[Any]:
        """Yield the headlines of an answer, or where it is full the requests for its halves."""
        try:
            entries = [entry for _, entry in read_feed(self.text(response)).entries()]
        except NoFeedError as error:
            yield self.refuse(key, response, f"{error}; it begins with {beginning(response)}")
            return
        first, end = self._days(walk)
        if len(entries) >= MOST and end - first > 1:
            for half in self._halves(key, walk, first, end):
                yield self._search(key, half)
            return
        page = Page()
        yield from self.take(page, walk, entries, self.read_entry, response)
        if len(entries) >= MOST and page.whole:
            self.remark(f"{key[:80]!r}: a day with {MOST} headlines, all that the service gives; narrow the search")
        self.save(key, ended=walk if page.whole else None)

    def read_entry(self, entry: Entry | str, where: str) -> Item:
        """Return a headline without the publisher's name behind it.

        The description holds headlines of others, and the link leads through the service: the guid is what identifies.
        """
        if isinstance(entry, str):
            return Item(where, None, Missed(where=where, reason=entry))
        stated, own = next(iter(entry.published), ""), entry.id or entry.link
        raw = Raw(
            where=where,
            text=entry.title.removesuffix(f" - {entry.publisher}"),
            url=entry.link,
            own_id=own,
            by_address=False,
            published=stated,
            extra={"publisher": entry.publisher},
        )
        return Item(own, seconds(moment(stated, now=self.job.now)), raw)

    def is_wanted(self, walk: Walk, item: Item) -> bool:
        """Return whether a headline is new; the service chooses by days, so that a second decides nothing."""
        return walk.wants(item.id, None)

    def save(self, key: str, *, ended: Walk | None = None) -> None:
        """Keep what is still to be read: an answer is in no order, so a stretch that is not whole stays as it is."""
        for walk in self.walks[key]:
            if walk is not ended and not walk.ended:
                walk.forget_bound()
        super().save(key, ended=ended)

    def _days(self, walk: Walk) -> tuple[int, int]:
        """Return the first day of a stretch and the one after its last, as days since 1970."""
        stretch = walk.stretches[0]
        end = self.job.now.timestamp() if stretch.before is None else stretch.before
        return stretch.after // DAY, math.floor(end / DAY) + 1

    def _halves(self, key: str, walk: Walk, first: int, end: int) -> list[Walk]:
        middle, stretch = (first + end) // 2 * DAY, walk.stretches[0]
        parts = (Stretch(middle, stretch.before, stretch.had), Stretch(stretch.after, middle - 1, stretch.had))
        halves = [Walk([part], now=self.latest) for part in parts]
        for half in halves:
            half.share(walk)
        self.walks[key] = [*(each for each in self.walks[key] if each is not walk), *halves]
        return halves

    def _search(self, query: str, walk: Walk) -> Request:
        first, end = self._days(walk)
        lang, market = self.source.lang.split("-")[0], self.source.market
        days = f"after:{_day(first - 1)} before:{_day(end)}"  # a day earlier, for days begin where the service is
        asked = {"q": f"{query} {days}", "hl": f"{lang}-{market}", "gl": market, "ceid": f"{market}:{lang}"}
        return self.ask(address(self.source.url, "/rss/search", asked), self.read_page, key=query, walk=walk)


def _day(number: int) -> str:
    return f"{datetime.fromtimestamp(0, UTC) + timedelta(days=number):%Y-%m-%d}"
