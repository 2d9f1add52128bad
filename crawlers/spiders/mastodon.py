"""Public posts under tags on a Mastodon server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import MastodonSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import SourceSpider, beginning

PAGE = 40
LINK = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="?(\w+)"?')


class MastodonSpider(SourceSpider[MastodonSource]):
    """Visits tags.

    The mark of a tag is the newest id. The first visit walks back from the newest post (``rel="next"``) until it is
    past `backfill_days`; later ones walk forward from the mark (``min_id``, ``rel="prev"``), so that a visit that
    reaches its limit goes on where it stopped.
    """

    def requests(self) -> Iterator[Request]:
        """Ask for each tag."""
        for tag in self.source.tags:
            newest = self.job.marks.get(tag, {}).get("id", "")
            asked = {"limit": PAGE} | ({"min_id": newest} if newest else {})
            url = f"{self.source.url.rstrip('/')}/api/v1/timelines/tag/{tag}?{urlencode(asked)}"
            yield self.ask(url, self.read_page, key=tag, newest=newest, forward=bool(newest))

    def read_page(self, response: Response, key: str, newest: str, forward: bool) -> Iterator[Any]:
        """Yield the posts of a page, and the request for the next."""
        posts = self.json(response)
        if not isinstance(posts, list):
            yield self.spoil(key, response.url, f"not a list of posts; it begins with {beginning(response)}")
            return
        yield from self._raws(posts, response.url)
        newest = max([newest, *(str(post["id"]) for post in posts)], key=order)
        url = links(response).get("prev" if forward else "next", "")
        if posts and url and not self.is_full() and (forward or not self._is_past(posts)):
            yield self.ask(url, self.read_page, key=key, newest=newest, forward=forward)
        elif newest:
            self.marks[key] = {"id": newest}

    def _raws(self, posts: list[dict[str, Any]], url: str) -> Iterator[Raw]:
        self.taken += len(posts)
        for number, post in enumerate(posts, 1):
            if self.source.bots or not (post.get("account") or {}).get("bot"):
                yield raw_post(post, f"{url} post {number}")

    def _is_past(self, posts: list[dict[str, Any]]) -> bool:
        oldest = read_date(posts[-1].get("created_at"), now=self.job.now).at
        return oldest is not None and oldest < self.since


def order(id: str) -> tuple[int, str]:
    """Return a key by which ids are older or newer: they are numbers, but too long for some and written as text."""
    return len(id), id


def links(response: Response) -> dict[str, str]:
    """Return the addresses of the Link header by their relation."""
    header = (response.headers.get(b"Link") or b"").decode("latin-1")
    return {relation: absolute(url, response.url) for url, relation in LINK.findall(header)}


def raw_post(post: dict[str, Any], where: str) -> Raw:
    """Return a post."""
    account = post.get("account") or {}
    reach = [post.get(name) or 0 for name in ("favourites_count", "reblogs_count", "replies_count")]
    return Raw(
        where=where,
        text=post.get("content"),
        title=post.get("spoiler_text"),
        is_html=True,
        url=post.get("url") or post.get("uri") or "",
        own_id=str(post["id"]),
        published=post.get("created_at"),
        author=account.get("acct"),
        lang=post.get("language"),
        reach=sum(reach),
        thread=post.get("in_reply_to_id") or "",
        extra={"edited_at": post.get("edited_at"), "tags": " ".join(tag["name"] for tag in post.get("tags") or ())},
    )
