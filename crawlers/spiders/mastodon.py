"""Public posts under tags on a Mastodon server."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.configs.source import MastodonSource
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.plain_text import text_of
from groundswell.crawlers.spiders.base import Gone, Missed, SourceSpider, safely

PAGE = 40
READ_BACK = timedelta(hours=6)
"""How far below the newest known post a visit reads again: an id is made of the post's own time, so what federates
late, is edited or deleted lies there."""
MOST_BACK = 10
"""Pages that are read again at most."""
RECENT = 2000
"""Posts of the last hours that are remembered, to see which have gone."""
MISSED = 20
"""Posts that have left the timeline and are asked for by themselves in one visit, at most."""
EMPTY = 3
"""Visits in which a stretch may be empty before it is believed to be."""
GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Stretch:
    """Posts with ids below `before` (all where it is empty), down to `known`, the newest one of an earlier visit.

    Without `known` it goes down to `backfill_days`. Below `known` posts are only read again: `back` counts such pages.
    `empty` counts visits that met an empty page where there should be posts.
    """

    before: str = ""
    known: str = ""
    known_at: str = ""
    empty: int = 0
    back: int = 0


class MastodonSpider(SourceSpider[MastodonSource]):
    """Visits tags, from the newest post back.

    The mark of a tag holds the newest id read (``id``, ``at``), the stretches still to be read (``rest``), and the
    posts of the last hours (``recent``), so that one that has gone since can be asked for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rest: dict[str, dict[int, Stretch]] = {}
        self.met: set[str] = set()

    def requests(self) -> Iterator[Request]:
        """Ask for each tag; what earlier visits left comes after."""
        for tag in self.source.tags:
            before = self.job.marks.get(tag, {})
            self.rest[tag] = {number: Stretch(*each) for number, each in enumerate(before.get("rest", []), 1)}
            top = Stretch(known=before.get("id", ""), known_at=before.get("at", ""))
            self.keep(tag, {"id": top.known, "at": top.known_at, "recent": []})
            if self.job.span and self.rest[tag]:
                yield from self._next(tag)
            else:
                yield self._page(tag, top, 0)

    def read_page(self, response: Response, key: str, stretch: Stretch, number: int) -> Iterator[Any]:
        """Yield the posts of a page, and the request for the next."""
        found = self.json(response)
        posts = [post for post in found if isinstance(post, dict) and post.get("id")] if isinstance(found, list) else []
        if not isinstance(found, list) or (found and not posts):
            yield self.spoil(key, response.url, f"not a list of posts{self.instead(response)}")
        elif not posts:
            self._is_empty(key, stretch, number)
            yield from self._next(key, number)
        else:
            yield from self._raws(key, found, response.url)
            yield from self._go_on(key, posts, stretch, number)

    def read_status(self, response: Response, key: str, where: str, id: str) -> Iterator[Any]:  # noqa: ARG002  as asked
        """Yield a post that has left the timeline and is still there."""
        yield raw_post(self.json(response), response.url)

    def on_status_missed(self, failure: Failure) -> Iterator[Any]:
        """Tell that a post was deleted; any other failure says nothing about it."""
        given = failure.request.cb_kwargs  # type: ignore[attr-defined]  # Scrapy adds it
        if isinstance(failure.value, HttpError) and failure.value.response.status in GONE:
            yield Gone(Raw(where=given["where"], text="", url=given["where"], own_id=given["id"]))

    def final_marks(self) -> dict[str, Any]:
        """Return the marks, each with what is still to be read of its tag."""
        for tag, rest in self.rest.items():
            plain = [[each.before, each.known, each.known_at, each.empty] for each in rest.values()]
            self.marks[tag] |= {"rest": plain, "recent": self.marks[tag]["recent"][:RECENT]}
        return super().final_marks()

    def _go_on(self, key: str, posts: list[dict[str, Any]], stretch: Stretch, number: int) -> Iterator[Any]:
        """Note how far a stretch is read, and ask for its next page unless it is done or the visit is full."""
        ids = [str(post["id"]) for post in posts]
        oldest, newest = min(ids, key=order), max(ids, key=order)
        fresh = [post for post in posts if self._counts(post, stretch)]
        self.taken += len(fresh)
        if order(newest) > order(self.marks[key]["id"]):
            at = self._when(posts[ids.index(newest)])
            self.marks[key] |= {"id": newest, "at": at.isoformat() if at else self.job.now.isoformat()}
        if stretch.before and order(oldest) >= order(stretch.before):
            yield self.spoil(key, self.source.url, f"#{key}: the server shows the same posts again and again")
            return
        is_back = bool(stretch.known) and order(oldest) <= order(stretch.known)
        rest = replace(stretch, before=self._jump(posts) or oldest, empty=0, back=stretch.back + is_back)
        self.rest[key][number] = rest
        if self._is_read(key, rest, self._when(posts[ids.index(oldest)]), number, is_back=is_back):
            del self.rest[key][number]
            if number == 0:
                yield from self._missing(key, oldest)
            yield from self._next(key, number)
        elif self.is_full() and not is_back:
            self.leave()
            self.remark(f"#{key}: older posts are left for the next visit (max_items)")
        else:
            yield self._page(key, rest, number)

    def _counts(self, post: dict[str, Any], stretch: Stretch) -> bool:
        """Return whether a post is new to us, and asked for."""
        at = self._when(post)
        beyond = self.until is not None and at is not None and at >= self.until
        return not beyond and (not stretch.known or order(str(post["id"])) > order(stretch.known))

    def _is_read(self, key: str, rest: Stretch, oldest: datetime | None, number: int, *, is_back: bool) -> bool:
        """Return whether a stretch has been read to its end."""
        if any(order(each.before) >= order(rest.before) for other, each in self.rest[key].items() if other > number):
            return True  # what an earlier visit left begins here
        if is_back and rest.back >= MOST_BACK:
            return True
        end = datetime.fromisoformat(rest.known_at) - READ_BACK if rest.known_at else self.since
        return (is_back or not rest.known) and oldest is not None and oldest < end

    def _is_empty(self, key: str, stretch: Stretch, number: int) -> None:
        """Close a stretch that ends with an empty page; one that should not end there is asked for again next time."""
        self.rest[key].pop(number, None)
        if stretch.before and not stretch.back and stretch.empty + 1 < EMPTY:
            self.rest[key][number] = replace(stretch, empty=stretch.empty + 1)

    def _next(self, key: str, number: int = 0) -> Iterator[Request]:
        """Ask for the stretch that an earlier visit left, if there is room."""
        after = [other for other in self.rest[key] if other > number]
        if after and self.is_full():
            self.leave()
            self.remark(f"#{key}: older posts are left for the next visit (max_items)")
        elif after:
            yield self._page(key, self.rest[key][after[0]], after[0])

    def _page(self, tag: str, stretch: Stretch, number: int) -> Request:
        asked = {"limit": PAGE} | ({"max_id": stretch.before} if stretch.before else {})
        url = f"{self.source.url.rstrip('/')}/api/v1/timelines/tag/{tag}?{urlencode(asked)}"
        return self.ask(url, self.read_page, key=tag, stretch=stretch, number=number)

    def _jump(self, posts: list[dict[str, Any]]) -> str:
        """Return an id to go on below where the past is asked for and ids are made of time (Mastodon's snowflakes)."""
        last = self._when(posts[-1])
        if self.until is None or last is None or last <= self.until or not str(posts[-1]["id"]).isdigit():
            return ""
        is_time = abs((int(posts[-1]["id"]) >> 16) / 1000 - last.timestamp()) < 3600
        return str(int(self.until.timestamp() * 1000) << 16) if is_time else ""

    def _raws(self, key: str, posts: list[Any], url: str) -> Iterator[Raw | Missed]:
        for number, post in enumerate(posts, 1):
            raw = safely(raw_post, post, f"{url} post {number}", "id")
            if isinstance(raw, Missed):
                yield raw
                continue
            self.met.add(str(post["id"]))
            at = self._when(post)
            if at and at >= self.job.now - 2 * READ_BACK:
                self.marks[key]["recent"].append([str(post["id"]), post.get("url") or post.get("uri") or ""])
            if self.source.bots or not (post.get("account") or {}).get("bot"):
                yield raw

    def _missing(self, key: str, oldest: str) -> Iterator[Request]:
        """Ask for posts that stood above `oldest` at the last visit and do not now."""
        before = self.job.marks.get(key, {}).get("recent", [])
        gone = [each for each in before if each[0] not in self.met and order(each[0]) > order(oldest)]
        for name, url in gone[:MISSED]:
            address = f"{self.source.url.rstrip('/')}/api/v1/statuses/{name}"
            yield self.ask(address, self.read_status, key=key, where=url, id=name).replace(
                errback=self.on_status_missed
            )

    def _when(self, post: dict[str, Any]) -> datetime | None:
        return read_date(post.get("created_at"), now=self.job.now).at


def order(id: str) -> tuple[int, str]:
    """Return a key by which ids are older or newer: they are numbers, but too long for some and written as text."""
    return len(id), id


def raw_post(post: dict[str, Any], where: str) -> Raw:
    """Return a post."""
    account = post.get("account") or {}
    reach = [post.get(name) or 0 for name in ("favourites_count", "reblogs_count", "replies_count")]
    return Raw(
        where=where,
        text=all_words(post),
        title=post.get("spoiler_text"),  # the warning before a post is its author's, in plain text
        is_html=True,
        url=post.get("url") or post.get("uri") or "",
        own_id=str(post["id"]),
        published=post.get("created_at"),
        author=account.get("acct"),
        lang=post.get("language"),
        reach=sum(reach),
        thread=post.get("in_reply_to_id") or "",
        extra={
            "edited_at": post.get("edited_at"),
            "tags": " ".join(str(tag.get("name", "")) for tag in post.get("tags") or ()),
            "quoted": quoted_words(post),
        },
    )


def all_words(post: dict[str, Any]) -> str:
    """Return a post's HTML with what else its author wrote: the options of a poll, and what the pictures show."""
    options = [option.get("title") for option in (post.get("poll") or {}).get("options") or ()]
    shown = [media.get("description") for media in post.get("media_attachments") or ()]
    return str(post.get("content") or "") + "".join(
        f"<p>{html.escape(str(each))}</p>" for each in [*options, *shown] if each
    )


def quoted_words(post: dict[str, Any]) -> str:
    """Return what a post quotes of somebody else (Mastodon 4.5, Pleroma): kept apart, for they are not its words."""
    quote = post.get("quote") or (post.get("pleroma") or {}).get("quote") or {}
    return text_of(str((quote.get("quoted_status") or quote).get("content") or ""))
