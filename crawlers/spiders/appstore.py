"""Reviews in Apple's app store, newest first, at most ten pages of fifty for an app and a country."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import AppstoreSource
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import SourceSpider


class AppstoreSpider(SourceSpider[AppstoreSource]):
    """Visits apps. The mark of an app in a country is the newest ``updated``: a visit stops where it meets it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first_pages: dict[str, dict[str, str]] = {}

    def requests(self) -> Iterator[Request]:
        """Ask for the first page of every app in every country."""
        for app in self.source.apps:
            for market in self.source.markets:
                yield self._page(app, market, 1, "")

    def read_page(
        self, response: Response, *, key: str, app: str, market: str, page: int, newest: str
    ) -> Iterator[Any]:
        """Yield the reviews of a page, and the request for the next."""
        if page == 1 and self.is_unchanged(response, key):
            return
        reviews = entries(self.json(response))
        known = self.job.marks.get(key, {}).get("updated", "")
        for number, review in enumerate(reviews, 1):
            if (stamp := self._when(review)) and stamp < known:
                continue  # read at an earlier visit; an edited review has a newer stamp
            yield raw_review(review, f"{response.url} entry {number}", app=app, market=market)
        self.taken += len(reviews)
        stamps = [stamp for review in reviews if (stamp := self._when(review))]
        newest = max([newest, *stamps])
        if page == 1:
            self.first_pages[key] = self.validators(response)
        is_last = not reviews or page >= self.source.pages or min(stamps, default="") <= known or self._is_past(stamps)
        if is_last or self.is_full():
            self.marks[key] = {"updated": max(newest, known), **self.first_pages[key]}
        else:
            yield self._page(app, market, page + 1, newest)

    def _page(self, app: str, market: str, page: int, newest: str) -> Request:
        number = self.source.apps[app]
        base = f"{self.source.url.rstrip('/')}/{market.lower()}/rss/customerreviews"
        url = f"{base}/page={page}/id={number}/sortby=mostrecent/json"
        more = {"app": app, "market": market, "page": page, "newest": newest}
        return self.ask(url, self.read_page, key=f"{number}/{market}", conditional=page == 1, **more)

    def _when(self, review: dict[str, Any]) -> str:
        at = read_date(label(review, "updated"), now=self.job.now).at
        return at.isoformat() if at else ""

    def _is_past(self, stamps: list[str]) -> bool:
        return bool(stamps) and min(stamps) < self.since.isoformat()


def entries(answer: Any) -> list[dict[str, Any]]:
    """Return the reviews of a page: none where the key is missing, and one where it holds an object, not a list.

    Older pages begin with the app itself, which has no rating.
    """
    found = answer["feed"].get("entry", [])
    return [entry for entry in (found if isinstance(found, list) else [found]) if "im:rating" in entry]


def label(entry: dict[str, Any], name: str) -> str:
    """Return the text of a field; Apple keeps each under ``label``."""
    value = entry.get(name)
    return str(value.get("label", "")) if isinstance(value, dict) else ""


def raw_review(entry: dict[str, Any], where: str, *, app: str, market: str) -> Raw:
    """Return a review. Its link leads to the app, so its own id identifies it."""
    return Raw(
        where=where,
        text=label(entry, "content"),
        title=label(entry, "title"),
        own_id=label(entry, "id"),
        by_address=False,
        published=label(entry, "updated"),
        author=label(entry.get("author") or {}, "name"),
        rating=label(entry, "im:rating"),
        reach=label(entry, "im:voteSum") or None,
        market=market,
        thread=app,
        extra={"app": app, "version": label(entry, "im:version")},
    )
