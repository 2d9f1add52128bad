"""Questions on Stack Exchange sites by the search of its API, newest first, a hundred a page.

Every answer may ask for a pause (`backoff`), which is kept, and says how much of the day's quota is left.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response

from groundswell.configs.source import StackexchangeSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.plain_text import heading
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address
from groundswell.crawlers.spiders.stretches import Walk

PAGE, DEEPEST = 100, 25
"""Without a key of one's own no page beyond 25 is given; then the search steps back in time."""
LONGEST_BACKOFF = 60.0
"""Seconds of pause that a visit bears; asked for more, the rest is left for the next one."""
THROTTLED = 502
"""Their number for "too many requests", in an answer with HTTP 400."""


class StackexchangeSpider(ListSpider[StackexchangeSource]):
    """Visits searches."""

    overlap = 600

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quota: int | None = None
        self.resting = ""

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every stretch of every search on every site."""
        for site in self.source.sites:
            for query in self.source.queries:
                key = f"{site}\n{query}"
                for walk in self.walk_each(key):
                    yield self._search(key, walk, walk.stretches[0].before)

    async def read_page(
        self, response: Response, key: str, walk: Walk, before: int | None, number: int
    ) -> AsyncIterator[Any]:
        """Yield the questions of a page, and after the pause it asks for the request for the next."""
        answer = self.json(response)
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            yield self._refused(key, response, answer)
            self._stop_if_resting()
            return
        page = Page()
        for raw in self.take(page, walk, answer["items"], read_question, response):
            yield raw
        bound = walk.bound
        is_last = not answer.get("has_more") or not answer["items"]
        self.save(key, ended=walk if page.whole and is_last else None)
        if not page.whole or is_last or bound is None:
            return
        await self._pause(answer)
        if number < DEEPEST:
            yield self._search(key, walk, before, number + 1)
        elif before is None or bound < before:
            yield self._search(key, walk, bound)

    def _refused(self, key: str, response: Response, answer: Any) -> Any:
        reason = answer.get("error_message") if isinstance(answer, dict) else beginning(response)
        if isinstance(answer, dict) and answer.get("error_id") == THROTTLED:
            self.resting = str(reason)
        return self.refuse(key, response, f"it answers: {str(reason)[:300]}")

    async def _pause(self, answer: dict[str, Any]) -> None:
        """Keep the pause that is asked for, or end the visit where it is too long."""
        self.quota = answer.get("quota_remaining", self.quota)
        pause = float(answer.get("backoff") or 0)
        if self.quota == 0 or pause > LONGEST_BACKOFF:
            self.resting = "the day's quota is used up" if self.quota == 0 else f"it asks for a pause of {pause:.0f} s"
            self.leave()
            self.remark(f"{self.source.url}: {self.resting}; the rest comes with the next visit")
            self._stop_if_resting()
        await asyncio.sleep(pause)

    def _stop_if_resting(self) -> None:
        """End the visit where the service wants no more questions today: what is asked all the same prolongs it."""
        if self.resting:
            raise CloseSpider("resting")

    def _search(self, key: str, walk: Walk, before: int | None, number: int = 1) -> Request:
        site, _, query = key.partition("\n")
        asked: dict[str, Any] = {"q": query, "site": site, "sort": "creation", "order": "desc", "filter": "withbody"}
        asked |= {"fromdate": walk.stretches[0].after, "todate": before, "pagesize": PAGE, "page": number}
        asked |= {"key": os.environ.get(self.source.key_env, "")}
        url = address(self.source.url, "/2.3/search/advanced", asked)
        request = self.ask(url, self.read_page, key=key, walk=walk, before=before, number=number)
        request.meta["handle_httpstatus_list"] = [*request.meta["handle_httpstatus_list"], 400]
        return request


def read_question(item: dict[str, Any], where: str) -> Item:
    """Return a question; titles come with HTML entities, bodies as HTML."""
    at, edited = int(item["creation_date"]), item.get("last_edit_date")
    raw = Raw(
        where=where,
        text=item.get("body") or "",
        title=heading(str(item.get("title") or ""), is_html=True),
        is_html=True,
        url=item.get("link") or "",
        own_id=str(item["question_id"]),
        published=at,
        author=(item.get("owner") or {}).get("user_id") or (item.get("owner") or {}).get("display_name"),
        reach=item.get("view_count"),
        thread=item["question_id"],
        extra={
            "score": item.get("score"),
            "answers": item.get("answer_count"),
            "tags": " ".join(item.get("tags") or ()),
            "edited_at": edited,
        },
    )
    return Item(f"{item['question_id']} {edited or ''}", at, raw)
