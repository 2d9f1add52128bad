"""Hacker News by the Algolia search API: newest first, a hundred a page, a thousand a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.configs.source import HackernewsSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Gone, Missed, SourceSpider, safely
from groundswell.crawlers.spiders.recheck import Recent

PAGE = 100
ITEM = "https://news.ycombinator.com/item?id={}"
OPEN = -1
"""Number of the window that is open towards the future, once its newest part has been read."""
OVERLAP = 2 * 3600
"""Seconds read again at the next visit: the index takes posts up late, and they may be edited or deleted so long."""
GONE = frozenset({404, 410})


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.windows: dict[str, dict[int, Window]] = {}
        self.recents: dict[str, Recent] = {}

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every window of every query."""
        until = int(self.until.timestamp()) if self.until else None
        for query in self.source.queries:
            windows = self.job.marks.get(query, {}).get("windows")
            stretches = [[int(self.since.timestamp()), until]] if windows is None else windows
            self.windows[query] = {}
            since = int(self.job.now.timestamp()) - OVERLAP
            self.recents[query] = Recent.read(self.job.marks.get(query), since)
            for number, (after, before) in enumerate(stretches):
                window = Window(after, before, is_open=before is None, newest=after)
                self.windows[query][number] = window
                yield self._search(query, window, number)

    def read_page(self, response: Response, key: str, window: Window, number: int, page: int) -> Iterator[Any]:
        """Yield the posts of a page, and the request for what comes next."""
        answer = self.json(response)
        found, hits = answer["hits"], []
        for place, hit in enumerate(found, 1):
            raw = safely(raw_hit, hit, f"{response.url} hit {place}", "objectID", "created_at_i")
            if isinstance(raw, Missed):
                yield raw
                continue
            hits.append(hit)
            yield Gone(raw) if hit.get("deleted") or hit.get("dead") else raw
            self.recents[key].note(str(hit["objectID"]), "", int(hit["created_at_i"]))
        self.taken += sum(str(hit["objectID"]) not in self.recents[key].before for hit in hits)
        stamps = [int(hit["created_at_i"]) for hit in hits]
        window = replace(window, newest=max([window.newest, *stamps]))
        before = min(stamps, default=window.after) + 1  # posts of the same second may stand on the next page
        done = page * PAGE + len(found)
        if int(answer["nbHits"]) <= done:
            self._read(key, window, number)
            if window.before is None:
                yield from self._missing(key)
            return
        if not hits:
            self.remark(
                f"{key!r}: an empty page where {int(answer['nbHits']) - done:,} more were promised; asked again"
            )
            return
        self._leave(key, window, number, before)
        if self.is_full():
            left = int(answer["nbHits"]) - done
            self.leave(left)
            self.remark(f"{key!r}: older posts are left for the next visit (max_items)")
        elif page + 1 < int(answer["nbPages"]):
            yield self._search(key, window, number, page=page + 1)
        elif before != window.before:  # a search ends after a thousand hits: step back in time
            yield self._search(key, replace(window, before=before), number)

    def _missing(self, query: str) -> Iterator[Request]:
        """Ask for posts that stood in the search at the last visit, and do not now."""
        for name, _ in self.recents[query].missing():
            url = f"{self.source.url.rstrip('/')}/api/v1/items/{name}"
            yield self.ask(url, self.read_item, key="", name=name).replace(errback=self.on_item_missed)

    def read_item(self, response: Response, key: str, name: str) -> None:
        """Take a post that has left the search and is still there for what it is."""

    def on_item_missed(self, failure: Failure) -> Iterator[Gone]:
        """Tell that a post was deleted; any other failure says nothing about it."""
        name = failure.request.cb_kwargs["name"]  # type: ignore[attr-defined]  # Scrapy adds it
        if isinstance(failure.value, HttpError) and failure.value.response.status in GONE:
            yield Gone(Raw(where=ITEM.format(name), text="", url=ITEM.format(name), own_id=name))

    def final_marks(self) -> dict[str, Any]:
        """Return the marks: what is still to be read of each query."""
        for query, windows in self.windows.items():
            plain: list[list[int | None]] = [[each.after, each.before] for each in windows.values()]
            self.keep(query, {"windows": plain, "recent": self.recents[query].write()})
        return super().final_marks()

    def _search(self, query: str, window: Window, number: int, *, page: int = 0) -> Request:
        limits = [f"created_at_i>{window.after}"] + ([f"created_at_i<{window.before}"] if window.before else [])
        asked = {
            "query": query,
            "tags": f"({','.join(self.source.tags)})",
            "numericFilters": ",".join(limits),
            "hitsPerPage": PAGE,
            "page": page,
        }
        url = f"{self.source.url.rstrip('/')}/api/v1/search_by_date?{urlencode(asked)}"
        return self.ask(url, self.read_page, key=query, window=window, number=number, page=page)

    def _leave(self, query: str, window: Window, number: int, before: int) -> None:
        """Note that a window is read from its newest post down to `before`; the future of an open one has its own."""
        if window.is_open:
            self.windows[query][OPEN] = Window(self._overlap(window), None, is_open=True, newest=window.newest)
        self.windows[query][number] = replace(window, before=before)

    def _read(self, query: str, window: Window, number: int) -> None:
        """Note that a window is read to its end."""
        del self.windows[query][number]
        if window.is_open:
            self.windows[query][OPEN] = Window(self._overlap(window), None, is_open=True, newest=window.newest)

    @staticmethod
    def _overlap(window: Window) -> int:
        return max(window.after, window.newest - OVERLAP)


def raw_hit(hit: dict[str, Any], where: str) -> Raw:
    """Return a story or a comment."""
    return Raw(
        where=where,
        text=hit.get("comment_text") or hit.get("story_text") or "",
        title=hit.get("title") or "",
        is_html=True,
        url=ITEM.format(hit["objectID"]),
        own_id=str(hit["objectID"]),
        published=int(hit["created_at_i"]),
        author=hit.get("author"),
        reach=hit.get("points"),
        thread=hit.get("story_id") or hit["objectID"],
        lang="en",
        extra={"link": hit.get("url"), "story": hit.get("story_title"), "comments": hit.get("num_comments")},
    )
