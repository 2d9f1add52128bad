"""The newest posts of a Discourse forum, by the ids that only grow, fifty a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import lxml.html
from lxml.etree import ParserError
from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import DiscourseSource
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.spiders.base import beginning
from groundswell.crawlers.spiders.listing import Item, ListSpider, Page, address, moment
from groundswell.crawlers.spiders.stretches import Walk, loaded

KEY = "posts"
WINDOW = 50
"""Old versions look only at so many ids below the one named, and answer with none where all of those are hidden."""
EMPTY = 4
"""So many empty pages in a row are the end."""
OTHERS = ("aside", "blockquote[@class='quote']", "*[contains(concat(' ', @class, ' '), ' onebox ')]")
"""Quotes of other posts and previews of pages: somebody else's words."""


class DiscourseSpider(ListSpider[DiscourseSource]):
    """Visits a forum. Positions are ids of posts."""

    overlap = 100
    """Posts are numbered when they are begun, and shown when they are done."""

    def requests(self) -> Iterator[Request]:
        """Ask for the newest page of every stretch."""
        for walk in self.walk_each(KEY):
            before = walk.stretches[0].before
            yield self._page(walk, None if before is None else before + 1)

    @property
    def latest(self) -> int | None:
        """Return nothing: no id is too high."""
        return None

    def read_page(self, response: Response, key: str, walk: Walk, before: int | None, empty: int) -> Iterator[Any]:
        """Yield the posts of a page, and the request for those below."""
        answer = self.json(response)
        posts = answer.get("latest_posts") if isinstance(answer, dict) else None
        if not isinstance(posts, list):
            yield self.refuse(key, response, f"no latest_posts; it begins with {beginning(response)}")
            return
        page = Page()
        yield from self.take(page, walk, posts, self.read_post, response)
        empty = 0 if page.fresh else empty + 1
        lowest = min([int(post["id"]) for post in posts if isinstance(post, dict) and "id" in post], default=None)
        next_before = lowest if page.fresh and lowest is not None else (before or 0) - WINDOW
        is_last = (
            empty > EMPTY
            or next_before <= max(walk.low, 1)
            or bool(posts and all(self._is_old(post) for post in posts))
        )
        self.save(key, ended=walk if page.whole and is_last else None)
        if page.whole and not is_last:
            yield self._page(walk, next_before, empty)

    def read_post(self, post: dict[str, Any], where: str) -> Item:
        """Return a post, nothing where it was hidden or taken away."""
        is_gone = post.get("hidden") or post.get("user_deleted") or post.get("deleted_at")
        version = f"{post['id']} {post.get('version') or ''}"
        raw = None if is_gone or self._is_old(post) else raw_post(post, where, self.source.url)
        return Item(version, int(post["id"]), raw)

    def save(self, key: str, *, ended: Walk | None = None) -> None:
        """Keep what is still to be read, and since when: ids tell no time."""
        super().save(key, ended=ended)
        self.keep(key, {**self.marks[key], "since": self._from.isoformat()})

    @property
    def _from(self) -> datetime:
        """Return the moment before which posts are not wanted, as the first visit set it."""
        stated = self.job.marks.get(KEY, {}).get("since")
        return datetime.fromisoformat(stated) if stated else self.since

    def _is_old(self, post: dict[str, Any]) -> bool:
        at = moment(post.get("created_at"), now=self.job.now)
        return at is not None and at < self._from

    def _page(self, walk: Walk, before: int | None, empty: int = 0) -> Request:
        url = address(self.source.url, "/posts.json", {"before": before})
        return self.ask(url, self.read_page, key=KEY, walk=walk, before=before, empty=empty)

    def _loaded(self, key: str) -> Any:
        return loaded(self.job.marks.get(key), since=0)


def raw_post(post: dict[str, Any], where: str, base: str) -> Raw:
    """Return a post without what it quotes."""
    likes = next((each.get("count") for each in post.get("actions_summary") or [] if each.get("id") == 2), 0)
    path = f"/t/{post.get('topic_slug') or '-'}/{post['topic_id']}/{post.get('post_number') or 1}"
    is_first = post.get("post_number") == 1
    return Raw(
        where=where,
        text=own_words(str(post.get("cooked") or "")) or post.get("raw"),
        title=post.get("topic_title") if is_first else "",
        is_html=bool(post.get("cooked")),
        url=f"{base.rstrip('/')}{path}",
        own_id=str(post["id"]),
        published=post.get("created_at"),
        author=post.get("username"),
        reach=(likes or 0) + (post.get("reply_count") or 0),
        thread=post.get("topic_id"),
        extra={
            "topic": post.get("topic_title"),
            "edited_at": post.get("updated_at") if (post.get("version") or 1) > 1 else None,
            "version": post.get("version"),
        },
    )


def own_words(cooked: str) -> str:
    """Return a post's HTML without quotes of others and previews of what it links to."""
    try:
        tree = lxml.html.fragment_fromstring(cooked, create_parent="div")
    except (ParserError, ValueError):
        return cooked
    for other in tree.xpath(" | ".join(f".//{each}" for each in OTHERS)):
        other.drop_tree()
    return str(lxml.html.tostring(tree, encoding="unicode"))
