"""Reviews in Apple's app store, newest first, at most ten pages of fifty for an app and a country."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.configs.source import AppstoreSource
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import NOT_MODIFIED, Missed, SourceSpider, safely
from groundswell.crawlers.syndication import Entry, NoFeedError, read_feed
from groundswell.index.ids import stable_id

REMEMBERED = 1000
"""Reviews whose version is remembered for an app and a country; the store shows 500."""


EMPTY = 2
"""Empty pages in a row that end the list: one may be empty once and full a moment later."""
END = frozenset({400, 404})
"""What a page beyond the last answers (page 11: 400, in plain text)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an app's reviews in a country, how many before it were empty, and its dates from elsewhere."""

    app: str
    market: str
    number: int = 1
    empty: int = 0
    dates: Mapping[str, str] | None = None


class AppstoreSpider(SourceSpider[AppstoreSource]):
    """Visits apps.

    The mark of an app in a country holds which of its reviews have been read, in which version (``seen``: all that the
    store shows are at most 500), and whether some were left (``rest``). A visit goes on to the next page until one
    holds nothing new: edited reviews and old ones stand among the new.
    """

    past = "the store shows the newest 500 reviews of an app and a country only: what is older cannot be had from it"

    def requests(self) -> Iterator[Request]:
        """Ask for the first page of every app in every country."""
        for app in self.source.apps:
            for market in self.source.markets:
                yield self._page(Page(app, market))

    def read_page(self, response: Response, *, key: str, page: Page) -> Iterator[Any]:
        """Yield the reviews of a page, and the request for the next."""
        before = self.job.marks.get(key, {})
        if page.number == 1 and self.is_unchanged(response, key) and not before.get("rest"):
            return
        reviews = [] if response.status == NOT_MODIFIED else entries(self.json(response))
        undated = sum(not label(review, "updated") for review in reviews)
        if page.dates is None and undated > len(reviews) // 2:
            yield self._ask_dates(response, key, page)
            return
        reviews = [with_date(review, page.dates or {}) for review in reviews]
        if page.number == 1:
            seen = dict(before.get("seen", {}))
            self.keep(key, {"seen": seen, "rest": True} | self.validators(response))
        fresh, left = [], 0
        for number, review in enumerate(reviews, 1):
            if not self._is_new(review, key):
                yield self._raw(review, f"{response.url} entry {number}", page)
            elif self.is_full():
                left += 1
            else:
                self.taken += 1
                self._note(review, key)
                fresh.append(review)
                yield self._raw(review, f"{response.url} entry {number}", page)
        if left:
            self.leave(left)
            self.remark(f"{page.app} in {page.market}: reviews are left for the next visit (max_items)")
        elif self._is_last(page, reviews, fresh, is_behind=bool(before.get("rest"))):
            self._end(key, page, reviews)
        else:
            after = replace(page, number=page.number + 1, dates=None, empty=0 if reviews else page.empty + 1)
            yield self._page(after)

    def _ask_dates(self, response: Response, key: str, page: Page) -> Request:
        """Ask for the same page in XML: for months at a time the JSON lacked all dates, which the XML had."""
        request = self.ask(response.url.replace("/json", "/xml"), self.read_dates, key=key, page=page, json=response)
        return request.replace(errback=self.on_dates_missed)

    def read_dates(self, response: Response, key: str, page: Page, json: Response) -> Iterator[Any]:
        """Take the dates of a page's reviews from its XML, and the rest from its JSON."""
        yield from self.read_page(json, key=key, page=replace(page, dates=dates_of(self.text(response))))

    def on_dates_missed(self, failure: Failure) -> Iterator[Any]:
        """Read the reviews without dates where there is no XML either."""
        given = failure.request.cb_kwargs  # type: ignore[attr-defined]  # Scrapy adds it
        self.remark("the reviews have no dates, and their XML could not be had")
        yield from self.read_page(given["json"], key=given["key"], page=replace(given["page"], dates={}))

    def on_page_missed(self, failure: Failure) -> Iterator[Any]:
        """Take a refused page beyond the first for the end of the list; tell any other failure."""
        given = failure.request.cb_kwargs  # type: ignore[attr-defined]  # Scrapy adds it
        is_end = isinstance(failure.value, HttpError) and failure.value.response.status in END
        if is_end and given["page"].number > 1:
            self._end(given["key"], given["page"], [])
        else:
            yield from self.on_failure(failure)

    def _is_last(self, page: Page, reviews: list[Any], fresh: list[Any], *, is_behind: bool) -> bool:
        """Return whether nothing new is to be expected on the pages after this one."""
        if page.number >= self.source.pages:
            return True
        if not reviews:
            return page.empty + 1 >= EMPTY
        stamps = [stamp for review in reviews if (stamp := self._when(review))]
        if stamps and max(stamps) < self.since.isoformat():
            return True
        return not fresh and not is_behind

    def _end(self, key: str, page: Page, reviews: list[Any]) -> None:
        """Note that a list was read to its end, unless it was empty where reviews are known."""
        mark = self.marks[key]
        if page.number <= EMPTY and not reviews and mark["seen"] and page.empty + 1 >= page.number:
            mark.pop("sha256", None)
            self.remark(
                f"{page.app} in {page.market}: no reviews, where there were some; asked again at the next visit"
            )
        else:
            mark["rest"] = False
        mark["seen"] = dict(list(mark["seen"].items())[-REMEMBERED:])

    def _page(self, page: Page) -> Request:
        number = self.source.apps[page.app]
        base = f"{self.source.url.rstrip('/')}/{page.market.lower()}/rss/customerreviews"
        url = f"{base}/page={page.number}/id={number}/sortby=mostrecent/json"
        key, is_first = f"{number}/{page.market}", page.number == 1
        is_whole = not self.job.marks.get(key, {}).get("rest")
        request = self.ask(url, self.read_page, key=key, conditional=is_first and is_whole, page=page)
        return request.replace(errback=self.on_page_missed)

    def _is_new(self, review: dict[str, Any], key: str) -> bool:
        version: str | None = self.marks[key]["seen"].get(label(review, "id"))
        return version != self._version(review)

    def _note(self, review: dict[str, Any], key: str) -> None:
        seen = self.marks[key]["seen"]
        seen.pop(label(review, "id"), None)
        seen[label(review, "id")] = self._version(review)

    def _version(self, review: dict[str, Any]) -> str:
        return stable_id(label(review, "title"), label(review, "content"), label(review, "im:rating"))[:8]

    def _raw(self, review: dict[str, Any], where: str, page: Page) -> Raw | Missed:
        return safely(raw_review, review, where, "id", app=page.app, market=page.market)

    def _when(self, review: dict[str, Any]) -> str:
        at = read_date(label(review, "updated"), now=self.job.now).at
        return at.isoformat() if at else ""


def entries(answer: Any) -> list[dict[str, Any]]:
    """Return the reviews of a page: none where the key is missing, and one where it holds an object, not a list.

    Older pages begin with the app itself, which has no rating.
    """
    found = answer["feed"].get("entry", [])
    return [
        entry
        for entry in (found if isinstance(found, list) else [found])
        if isinstance(entry, dict) and "im:rating" in entry
    ]


def dates_of(xml: str) -> dict[str, str]:
    """Return when each review of the XML form was updated, by its id."""
    try:
        found = [entry for _, entry in read_feed(xml).entries() if isinstance(entry, Entry)]
    except NoFeedError:
        return {}
    return {entry.id: stamp for entry in found if entry.id and (stamp := next(iter(entry.updated), ""))}


def with_date(review: dict[str, Any], dates: Mapping[str, str]) -> dict[str, Any]:
    """Return a review with the date that its XML form states, where it has none of its own."""
    stamp = dates.get(label(review, "id"), "")
    return {**review, "updated": {"label": stamp}} if stamp and not label(review, "updated") else review


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
