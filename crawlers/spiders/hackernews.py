"""Hacker News by the Algolia search API: newest first, a hundred a page, a thousand a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import HackernewsSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import SourceSpider

PAGE = 100
ITEM = "https://news.ycombinator.com/item?id={}"
OVERLAP = 600
"""Seconds read again at the next visit: the index takes posts up a little late and not in order."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, exclusive at both ends, in seconds since 1970; `newest` is the newest post met in it."""

    after: int
    before: int | None
    is_open: bool
    newest: int


class HackernewsSpider(SourceSpider[HackernewsSource]):
    """Visits searches.

    The mark of a query is a list of windows ``[after, before]`` in seconds since 1970 that are still to be read; the
    last one is open towards the future (``before`` is ``None``). A visit that reaches its limit leaves the rest of its
    window for the next one.
    """

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every window of every query."""
        for query in self.source.queries:
            windows = self.job.marks.get(query, {}).get("windows") or [[int(self.since.timestamp()), None]]
            self.marks[query] = {"windows": []}
            for after, before in windows:
                yield self._search(query, Window(after, before, is_open=before is None, newest=after))

    def read_page(self, response: Response, key: str, window: Window, page: int) -> Iterator[Any]:
        """Yield the posts of a page, and the request for what comes next."""
        answer = self.json(response)
        hits = answer["hits"]
        self.taken += len(hits)
        for number, hit in enumerate(hits, 1):
            yield raw_hit(hit, f"{response.url} hit {number}")
        stamps = [int(hit["created_at_i"]) for hit in hits]
        window = replace(window, newest=max([window.newest, *stamps]))
        before = min(stamps, default=window.after) + 1  # posts of the same second may stand on the next page
        if not hits or int(answer["nbHits"]) <= page * PAGE + len(hits):
            self._mark(key, window)
        elif self.is_full():
            self._mark(key, window, rest=before)
        elif page + 1 < int(answer["nbPages"]):
            yield self._search(key, window, page=page + 1)
        elif before != window.before:  # a search ends after a thousand hits: step back in time
            yield self._search(key, replace(window, before=before))

    def _search(self, query: str, window: Window, *, page: int = 0) -> Request:
        limits = [f"created_at_i>{window.after}"] + ([f"created_at_i<{window.before}"] if window.before else [])
        asked = {
            "query": query,
            "tags": f"({','.join(self.source.tags)})",
            "numericFilters": ",".join(limits),
            "hitsPerPage": PAGE,
            "page": page,
        }
        url = f"{self.source.url.rstrip('/')}/api/v1/search_by_date?{urlencode(asked)}"
        return self.ask(url, self.read_page, key=query, window=window, page=page)

    def _mark(self, query: str, window: Window, *, rest: int | None = None) -> None:
        windows: list[list[int | None]] = self.marks[query]["windows"]
        if rest is not None:
            windows.append([window.after, rest])
        if window.is_open:
            windows.append([max(window.after, window.newest - OVERLAP), None])


def raw_hit(hit: dict[str, Any], where: str) -> Raw:
    """Return a story or a comment."""
    return Raw(
        where=where,
        text=hit.get("comment_text") or hit.get("story_text") or "",
        title=hit.get("title") or "",
        is_html=True,
        url=ITEM.format(hit["objectID"]),
        own_id=str(hit["objectID"]),
        published=hit.get("created_at_i"),
        author=hit.get("author"),
        reach=hit.get("points"),
        thread=hit.get("story_id") or hit["objectID"],
        lang="en",
        extra={"link": hit.get("url"), "story": hit.get("story_title"), "comments": hit.get("num_comments")},
    )
