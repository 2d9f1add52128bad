"""Reviews in Google's Play Store, newest first, a hundred a page, as its own pages ask for them.

The service has no public interface and answers a refused question with "no reviews, and that was all" under HTTP 200:
an empty first page of an app that had reviews before is a refusal, not the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import GooglePlaySource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address
from groundswell.crawlers.spiders.stretches import Walk

PAGE = 100
NEWEST = 2
CALL = "UsvDTd"
"""What the store's pages call the list of reviews."""


class GooglePlaySpider(ListSpider[GooglePlaySource]):
    """Visits apps in countries and languages."""

    overlap = 3600

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every app in every country and language."""
        for app in self.source.apps:
            for market in self.source.markets:
                for lang in self.source.langs:
                    key = f"{self.source.apps[app]}/{market}/{lang}"
                    yield self._page(key, app, self.walk_all(key))

    def read_page(self, response: Response, key: str, app: str, walk: Walk, number: int) -> Iterator[Any]:
        """Yield the reviews of a page, and the request for the next."""
        answer = reviews_of(response.body)
        if answer is None:
            yield self.refuse(key, response, f"no list of reviews; it begins with {beginning(response)}")
            return
        reviews, token = answer
        if not reviews and number == 1 and (key in self.job.marks or token):
            yield self.refuse(key, response, "no reviews at all, where there were some: it refuses without saying so")
            return
        if not reviews and number == 1:
            self.remark(f"{app} in {key}: no reviews; the service answers a refusal in the same way")
        page, market = Page(), key.split("/")[1]
        read = lambda review, where: read_review(review, where, app=app, market=market, lang=key.split("/")[2])  # noqa: E731
        yield from self.take(page, walk, reviews, read, response)
        is_last = not reviews or not token or page.below
        self.save(key, ended=walk if page.whole and is_last else None)
        if page.whole and not is_last and number < self.source.pages:
            yield self._page(key, app, walk, token, number + 1)
        elif page.whole and not is_last:
            self.leave()

    def _page(self, key: str, app: str, walk: Walk, token: str | None = None, number: int = 1) -> Request:
        package, market, lang = key.split("/")
        url = address(self.source.url, "/_/PlayStoreUi/data/batchexecute", {"hl": lang, "gl": market.lower()})
        asked = [None, None, [2, NEWEST, [PAGE, None, token], None, [None, None]], [package, 7]]
        call = [[[CALL, json.dumps(asked, separators=(",", ":")), None, "generic"]]]
        body = urlencode({"f.req": json.dumps(call, separators=(",", ":"))})
        request = self.ask(url, self.read_page, key=key, app=app, walk=walk, number=number)
        return request.replace(
            method="POST", body=body, headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        )


def reviews_of(body: bytes) -> tuple[list[Any], str | None] | None:
    """Return the reviews of an answer and what asks for the next page, or ``None`` where it is no such answer.

    The answer begins with ``)]}'``; then come lines of JSON, one of them ``["wrb.fr", CALL, "<JSON>", …]``.
    """
    for line in body.decode("utf-8", "replace").splitlines():
        if CALL not in line or not line.lstrip().startswith("["):
            continue
        try:
            call = next(each for each in json.loads(line) if each[:2] == ["wrb.fr", CALL])
            if call[2] is None:
                return None  # so it answers what it will not do: the place of the list is null
            inner = json.loads(call[2])
        except (ValueError, StopIteration, TypeError, IndexError):
            continue
        if not isinstance(inner, list):
            return None
        reviews = inner[0] if inner and isinstance(inner[0], list) else []
        tail = inner[-1] if len(inner) > 1 else None
        return reviews, str(tail[-1]) if isinstance(tail, list) and tail and tail[-1] else None
    return None


def read_review(review: list[Any], where: str, *, app: str, market: str, lang: str) -> Item:
    """Return a review; an edited one has its moment anew."""
    at = int(review[5][0])
    version = review[10] if len(review) > 10 else None
    raw = Raw(
        where=where,
        text=review[4],
        own_id=str(review[0]),
        by_address=False,
        published=at,
        author=review[0] and (review[1] or [""])[0],
        rating=review[2],
        reach=review[6] if len(review) > 6 else None,
        market=market,
        lang=lang,
        thread=app,
        extra={"app": app, "version": version},
    )
    return Item(f"{review[0]} {at}", at, raw)
