"""Comments on YouTube videos and channels by the Data API v3, newest first, a hundred a page; with a key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import YoutubeSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, moment, seconds
from groundswell.crawlers.spiders.stretches import Walk

PAGE = 100


class YoutubeSpider(ListSpider[YoutubeSource]):
    """Visits channels and videos."""

    overlap = 3600

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every channel and video, if there is a key."""
        if not os.environ.get(self.source.key_env):
            self.writer.write(
                self.spoil("", self.source.url, f"there is no key in {self.source.key_env}; nothing was asked")
            )
            return
        places = [("allThreadsRelatedToChannelId", each) for each in self.source.channels]
        for name, one in [*places, *(("videoId", each) for each in self.source.videos)]:
            key = f"{name}={one}"
            yield self._page(key, self.walk_all(key))

    def read_page(self, response: Response, key: str, walk: Walk, number: int) -> Iterator[Any]:
        """Yield the comments of a page, and the request for the next."""
        answer = self.json(response)
        threads = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(threads, list):
            yield self.refuse(key, response, f"no items; it begins with {beginning(response)}")
            return
        page, token = Page(), str(answer.get("nextPageToken") or "")
        yield from self.take(page, walk, threads, self.read_thread, response)
        is_last = not token or page.below
        self.save(key, ended=walk if page.whole and is_last else None)
        if page.whole and not is_last and number < self.source.pages:
            yield self._page(key, walk, token, number + 1)
        elif page.whole and not is_last:
            self.leave()

    def read_thread(self, thread: dict[str, Any], where: str) -> Item:
        """Return the comment that begins a thread."""
        top = thread["snippet"]["topLevelComment"]
        comment, video = top["snippet"], thread["snippet"].get("videoId") or ""
        at = moment(comment.get("publishedAt"), now=self.job.now)
        edited = comment.get("updatedAt") if comment.get("updatedAt") != comment.get("publishedAt") else None
        raw = Raw(
            where=where,
            text=comment.get("textDisplay") or comment.get("textOriginal"),
            is_html=bool(comment.get("textDisplay")),
            url=f"https://www.youtube.com/watch?v={video}&lc={top['id']}" if video else "",
            own_id=str(top["id"]),
            by_address=False,
            published=comment.get("publishedAt"),
            author=(comment.get("authorChannelId") or {}).get("value") or comment.get("authorDisplayName"),
            reach=(comment.get("likeCount") or 0) + (thread["snippet"].get("totalReplyCount") or 0),
            thread=video,
            extra={"edited_at": edited},
        )
        return Item(f"{top['id']} {edited or ''}", seconds(at), raw)

    def _page(self, key: str, walk: Walk, token: str = "", number: int = 1) -> Request:
        name, _, one = key.partition("=")
        asked = {"part": "snippet", name: one, "order": "time", "maxResults": PAGE, "textFormat": "html"}
        asked |= {"pageToken": token}
        request = self.ask(
            address(self.source.url, "/youtube/v3/commentThreads", asked),
            self.read_page,
            key=key,
            walk=walk,
            number=number,
        )
        request.headers["X-Goog-Api-Key"] = os.environ.get(self.source.key_env, "")  # never in an address that is told
        return request
