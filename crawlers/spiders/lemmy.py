"""Posts and comments on a Lemmy server by its search, newest first, fifty a page.

Lemmy 1.0 pages by a cursor (v4). Its old search (v3) is still there but ignores pages: page 2 is page 1 again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.configs.source import LemmySource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Gone, beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, moment, seconds
from groundswell.crawlers.spiders.recheck import Recent
from groundswell.crawlers.spiders.stretches import Walk

PAGE = 50
OLD_SERVER = frozenset({400, 404, 405})
"""What servers before 1.0 answer when they are asked for v4."""
TYPE = {"v3": {"posts": "Posts", "comments": "Comments"}, "v4": {"posts": "posts", "comments": "comments"}}
NOT_THERE = re.compile(rb"could_?nt_find|not_?found", re.IGNORECASE)
"""What servers answer about a post that is no more, with 400 or 404."""
SORT = {"v3": "New", "v4": "new"}


class LemmySpider(ListSpider[LemmySource]):
    """Visits searches."""

    overlap = 6 * 3600
    """What other servers send late carries the moment of its writing."""

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every search."""
        api = "v3" if self.source.api == "v3" else "v4"
        for query in self.source.queries:
            for what in self.source.types:
                yield self._search(api, query, what, self.walk_all(f"{query}\n{what}"))

    def read_page(self, response: Response, key: str, walk: Walk, api: str, number: int) -> Iterator[Any]:
        """Yield what a page holds, and the request for the next."""
        query, _, what = key.partition("\n")
        answer = self.json(response)
        found = views(answer, what)
        if found is None:
            yield self.refuse(key, response, f"no list of {what}; it begins with {beginning(response)}")
            return
        page, recent = Page(), self.recent(key)
        yield from self.take(page, walk, found, self.read_view, response)
        for view in found:
            self._note(recent, view)
        if api == "v3" and number > 1 and found and not page.fresh:
            yield self.refuse(key, response, f"page {number} is page {number - 1} again: Lemmy 1.0; say api: v4")
            return
        cursor = str(answer.get("next_page") or "") if api == "v4" else ""
        is_last = not found or page.below or (not cursor if api == "v4" else len(found) < PAGE)
        gone = list(recent.missing()) if page.whole and is_last else []
        self.save(key, ended=walk if page.whole and is_last else None)
        for name, url in gone:
            asked = address(self.source.url, f"/api/{api}/{what.removesuffix('s')}", {"id": name})
            yield self.ask(asked, self.read_missing, key="", where=url).replace(errback=self.on_missing)
        if page.whole and not is_last:
            yield self._search(api, query, what, walk, number=number + 1, cursor=cursor)

    def _note(self, recent: Recent, view: Any) -> None:
        said = (view.get("comment") or view.get("post")) if isinstance(view, dict) else None
        if isinstance(said, dict) and said.get("id") and said.get("ap_id"):
            at = moment(said.get("published_at") or said.get("published"), now=self.job.now)
            recent.note(str(said["id"]), str(said["ap_id"]), seconds(at))

    def read_missing(self, response: Response, key: str, where: str) -> Iterator[Any]:  # noqa: ARG002  as asked
        """Yield that something which has left the search was taken away."""
        answer = self.json(response)
        view = answer.get("post_view") or answer.get("comment_view") if isinstance(answer, dict) else None
        said = (view.get("comment") or view.get("post")) if isinstance(view, dict) else None
        if isinstance(said, dict) and (said.get("deleted") or said.get("removed")):
            yield _gone(where)

    def on_missing(self, failure: Failure) -> Iterator[Any]:
        """Yield that something is no more; any other failure says nothing about it."""
        error = failure.value
        if isinstance(error, HttpError) and NOT_THERE.search(error.response.body[:500]):
            yield _gone(failure.request.cb_kwargs["where"])  # type: ignore[attr-defined]  # Scrapy adds it

    def on_failure(self, failure: Failure) -> Iterator[Any]:
        """Ask a server before 1.0 in its own way."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        given, error = request.cb_kwargs, failure.value
        is_old = isinstance(error, HttpError) and error.response.status in OLD_SERVER
        if self.source.api == "auto" and given.get("api") == "v4" and given.get("number") == 1 and is_old:
            query, _, what = given["key"].partition("\n")
            yield self._search("v3", query, what, given["walk"])
        else:
            yield from super().on_failure(failure)

    def read_view(self, view: dict[str, Any], where: str) -> Item:
        """Return a post or a comment, nothing where it was taken away."""
        entry = view.get("comment") or view["post"]
        stated = entry.get("published_at") or entry.get("published")
        at = moment(stated, now=self.job.now)
        creator = view.get("creator") or {}
        is_gone = entry.get("deleted") or entry.get("removed") or (creator.get("bot_account") and not self.source.bots)
        raw: Raw | Gone | None = None if is_gone else raw_view(view, entry, where, at or stated)
        if (entry.get("deleted") or entry.get("removed")) and entry.get("ap_id"):
            raw = _gone(str(entry["ap_id"]))
        edited = entry.get("updated_at") or entry.get("updated") or ""
        return Item(f"{entry.get('ap_id') or entry['id']} {edited}", seconds(at), raw)

    def _search(self, api: str, query: str, what: str, walk: Walk, *, number: int = 1, cursor: str = "") -> Request:
        asked = {"q": query, "type_": TYPE[api][what], "sort": SORT[api], "limit": PAGE}
        asked |= {"page_cursor": cursor} if api == "v4" else {"page": number}
        url = address(self.source.url, f"/api/{api}/search", asked)
        return self.ask(url, self.read_page, key=f"{query}\n{what}", walk=walk, api=api, number=number)


def _gone(url: str) -> Gone:
    return Gone(Raw(where=url, text="", url=url, own_id=url))


def views(answer: Any, what: str) -> list[Any] | None:
    """Return the posts or comments of an answer, or ``None`` where it is none.

    v3 has a list of each kind; v4 one of all, under a name that has changed while 1.0 was made.
    """
    if not isinstance(answer, dict):
        return None
    for name in (what, "search", "results", "items"):
        if isinstance(found := answer.get(name), list):
            return [each for each in found if not isinstance(each, dict) or "comment" in each or "post" in each]
    return None


def raw_view(view: dict[str, Any], entry: dict[str, Any], where: str, published: Any) -> Raw:
    """Return a post or comment. Its own page identifies it, not the article it may link to."""
    post, counts = view.get("post") or {}, view.get("counts") or entry
    is_comment = "content" in entry
    return Raw(
        where=where,
        text=entry.get("content") if is_comment else entry.get("body") or "",
        title="" if is_comment else entry.get("name"),
        url=entry.get("ap_id") or "",
        own_id=str(entry.get("ap_id") or entry["id"]),
        published=published,
        author=(view.get("creator") or {}).get("actor_id") or (view.get("creator") or {}).get("ap_id"),
        reach=(counts.get("score") or 0) + (counts.get("comments") or counts.get("child_count") or 0),
        thread=post.get("ap_id") or "",
        extra={
            "link": entry.get("url"),
            "post": post.get("name") if is_comment else None,
            "alt": entry.get("alt_text"),
            "edited_at": entry.get("updated_at") or entry.get("updated"),
            "community": (view.get("community") or {}).get("name"),
        },
    )
