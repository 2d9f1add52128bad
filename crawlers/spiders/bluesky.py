"""Public posts on Bluesky by its search, newest first, a hundred a page.

A cursor is an offset that anonymous readers may be refused and that ends near 10,000, so the search goes on by time.
What an author calls the moment of writing (`createdAt`) may be anything, ahead of the clock or in the year 0000; the
marks rest on when the service took the post in (`indexedAt`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from groundswell.configs.source import BlueskySource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import Gone, Missed, beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, moment, seconds
from groundswell.crawlers.spiders.stretches import Walk

PAGE = 100
POST = "https://bsky.app/profile/{}/post/{}"
HIDDEN = "!no-unauthenticated"
"""Label by which an author asks that readers without an account see nothing."""


class BlueskySpider(ListSpider[BlueskySource]):
    """Visits searches."""

    overlap = 2 * 3600

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every stretch of every search."""
        for query in self.source.queries:
            for lang in self.source.langs or ("",):
                key = f"{query}\n{lang}" if lang else query
                for walk in self.walk_each(key):
                    before = walk.stretches[0].before
                    yield self._search(key, walk, None if before is None else before + 1)

    def read_page(self, response: Response, key: str, walk: Walk, until: int | None) -> Iterator[Any]:
        """Yield the posts of a page, and the request for what lies below."""
        answer = self.json(response)
        posts = answer.get("posts") if isinstance(answer, dict) else None
        if not isinstance(posts, list):
            yield self.refuse(key, response, f"no list of posts; it begins with {beginning(response)}")
            return
        page, recent = Page(), self.recent(key)
        yield from self.take(page, walk, posts, self.read_post, response)
        for post in posts:
            if isinstance(post, dict) and (uri := post.get("uri")):
                recent.note(str(uri), "", seconds(moment(post.get("indexedAt"), now=self.job.now)))
        cursor, bound = str(answer.get("cursor") or ""), walk.bound
        is_last = not posts or bound is None or (not cursor and len(posts) < PAGE)
        gone = [uri for uri, _ in recent.missing()] if page.whole and is_last and until is None else []
        self.save(key, ended=walk if page.whole and is_last else None)
        if gone:
            url = (
                address(self.source.url, "/xrpc/app.bsky.feed.getPosts", {})
                + "?"
                + urlencode([("uris", x) for x in gone])
            )
            yield self.ask(url, self.read_missing, key="", gone=gone).replace(errback=self.on_missing)
        if not page.whole or is_last or bound is None:
            return
        if page.fresh and (until is None or bound + 1 < until):
            yield self._search(key, walk, bound + 1)
        elif page.fresh and cursor:  # a hundred posts and more of one second
            yield self._search(key, walk, until, cursor)
        else:
            yield self._search(key, walk, min(bound, (until or bound + 1) - 1))

    def read_missing(self, response: Response, key: str, gone: list[str]) -> Iterator[Any]:  # noqa: ARG002  as asked
        """Yield which posts that have left the search their authors have deleted."""
        answer = self.json(response)
        posts = answer.get("posts") if isinstance(answer, dict) else None
        there = (
            {str(post.get("uri")) for post in posts if isinstance(post, dict)} if isinstance(posts, list) else set(gone)
        )
        for uri in gone:
            if uri not in there:
                yield Gone(Raw(where=uri, text="", url=page_of(uri), own_id=uri))

    def on_missing(self, failure: Failure) -> None:
        """Leave it: that a post cannot be asked for says nothing about it."""

    def read_post(self, post: dict[str, Any], where: str) -> Item:
        """Return a post; its position is when the service took it in."""
        record = post["record"]
        indexed, created = (moment(each, now=self.job.now) for each in (post.get("indexedAt"), record.get("createdAt")))
        stated = [at for at in (indexed, created) if at is not None]
        return Item(str(post["uri"]), seconds(indexed), self._raw(post, record, where, min(stated, default=None)))

    def is_wanted(self, walk: Walk, item: Item) -> bool:
        """Return whether a post is new. The service searches by its own order, so that a position decides nothing."""
        return walk.wants(item.id, None)

    def _raw(
        self, post: dict[str, Any], record: dict[str, Any], where: str, published: datetime | None
    ) -> Raw | Missed:
        author = post.get("author") or {}
        if HIDDEN in {label.get("val") for label in (author.get("labels") or []) + (post.get("labels") or [])}:
            return Missed(where=where, reason="its author asks not to be shown to readers without an account")
        reach = [post.get(f"{name}Count") or 0 for name in ("like", "repost", "reply", "quote")]
        reply = (record.get("reply") or {}).get("root") or {}
        return Raw(
            where=where,
            text=own_words(record),
            url=page_of(str(post["uri"])),
            own_id=str(post["uri"]),
            published=published,
            author=str(post["uri"]).removeprefix("at://").partition("/")[0],
            lang=next(iter(record.get("langs") or ()), ""),
            reach=sum(reach),
            thread=reply.get("uri") or post["uri"],
            extra={"links": " ".join(_links(record))[:400], **_quoted(post.get("embed") or {})},
        )

    def _search(self, key: str, walk: Walk, until: int | None, cursor: str = "") -> Request:
        query, _, lang = key.partition("\n")
        asked = {"q": query, "sort": "latest", "limit": PAGE, "lang": lang, "cursor": cursor}
        asked |= {"since": _iso(walk.stretches[0].after), "until": "" if until is None else _iso(until)}
        url = address(self.source.url, "/xrpc/app.bsky.feed.searchPosts", asked)
        return self.ask(url, self.read_page, key=key, walk=walk, until=until)


def page_of(uri: str) -> str:
    """Return the page of a post."""
    did, _, key = uri.removeprefix("at://").partition("/app.bsky.feed.post/")
    return POST.format(did, key)


def own_words(record: Mapping[str, Any]) -> str:
    """Return what a post says: the whole text where a bridge has cut it, and what its author says of the pictures."""
    text = str(record.get("bridgyOriginalText") or record.get("text") or "")
    embed = record.get("embed") or {}
    media = embed.get("media") or embed
    shown = [*(media.get("images") or []), *([media] if "video" in media else [])]
    return "\n\n".join([text, *(str(each["alt"]) for each in shown if each.get("alt"))]).strip()


def _links(record: Mapping[str, Any]) -> list[str]:
    """Return the addresses that a post links to: they stand in its facets, the text has them cut."""
    features = [feature for facet in record.get("facets") or [] for feature in facet.get("features") or []]
    external = ((record.get("embed") or {}).get("external") or {}).get("uri")
    return list(dict.fromkeys(str(uri) for uri in [external, *(each.get("uri") for each in features)] if uri))


def _quoted(embed: Mapping[str, Any]) -> dict[str, str]:
    """Return what a post quotes: somebody else's words, kept beside."""
    record = embed.get("record") or {}
    value = (record.get("record") or record).get("value") or {}
    return {"quoted": str(value.get("text") or "")} if isinstance(value, dict) else {}


def _iso(position: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=position)).strftime("%Y-%m-%dT%H:%M:%SZ")
