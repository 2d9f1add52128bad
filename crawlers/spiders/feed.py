"""RSS and Atom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import FeedSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import Statement
from groundswell.crawlers.encoding import EncodingError
from groundswell.crawlers.markup import text_of
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.own_words import is_bridge_error, is_cluster
from groundswell.crawlers.spiders.base import Missed
from groundswell.crawlers.spiders.follow import ArticleSpider
from groundswell.crawlers.spool import Trouble
from groundswell.crawlers.syndication import Body, Entry, Feed, NoFeedError, label_of, read_feed
from groundswell.crawlers.titles import without_publisher
from groundswell.index.ids import stable_id


class FeedSpider(ArticleSpider):
    """Visits feeds."""

    source: FeedSource
    past = "a feed holds its newest entries only: what is older cannot be had from it"

    def requests(self) -> Iterator[Request]:
        """Ask for each feed, if it has changed."""
        for url in self.source.urls:
            yield self.ask(url, self.read_feed, key=url, conditional=True)

    def read_feed(self, response: Response, key: str) -> Iterator[Any]:
        """Yield the entries of a feed, or the requests for their articles."""
        if self.is_unchanged(response, key):
            return
        try:
            feed = read_feed(self.text(response))
        except EncodingError as error:
            yield self.spoil(key, response.url, f"{error}; nothing of it was read")
            return
        except NoFeedError as error:
            yield self.spoil(key, response.url, f"{error}{self.instead(response)}")
            return
        self.begin_list(key, response, len(feed.document.parts))
        raws = list(self._raws(feed, response.url))
        stamps = Counter(str(raw.updated or "") for raw in raws if isinstance(raw, Raw))
        for raw in raws:
            if not isinstance(raw, Raw):
                yield raw
            elif not self.source.follow or not raw.url:
                yield from self.entry(raw, key=key)
            elif request := self.article(raw.url, raw, key=key, version=version_of(raw, stamps)):
                yield request

    def _raws(self, feed: Feed, url: str) -> Iterator[Raw | Missed | Trouble]:
        """Yield what each entry says, or what is wrong with it."""
        found = list(feed.entries())
        shared = Counter(entry.link for _, entry in found if isinstance(entry, Entry))
        for part, entry in found:
            where = f"{url} entry {label_of(part, entry)}"
            if isinstance(entry, str):
                yield Missed(where=where, reason=entry)
            elif is_bridge_error(entry.title):
                yield Missed(where=where, reason=f"the bridge's own error, not a post: {entry.title}")
                yield Trouble(f"{url[:300]}: the bridge that makes this feed failed: {entry.title[:200]}")
            else:
                raw = raw_entry(entry, feed, where, url)
                yield replace(raw, by_address=shared[entry.link] <= 1)


def version_of(raw: Raw, stamps: Counter[str]) -> str:
    """Return what tells one version of an entry from the next: its ``updated``, unless the feed stamps all alike."""
    stamp = str(raw.updated or "")
    alike = len(stamps) * 2 < stamps.total() and stamps[stamp] * 2 > stamps.total()
    return stable_id(str(raw.title), str(raw.text))[:8] if stamp and alike else stamp


def raw_entry(entry: Entry, feed: Feed, where: str, base: str) -> Raw:
    """Return an RSS item or Atom entry."""
    body = best_body(entry.bodies)
    return Raw(
        where=where,
        text=body.value,
        title=without_publisher(entry.title, [entry.publisher, feed.title], [entry.link, feed.link]),
        is_html=body.is_html,
        url=absolute(entry.link, entry.base or feed.document.base or base),
        own_id=entry.id,
        published=next(iter(entry.published), ""),
        updated=next(iter(entry.updated), ""),
        statements=(
            *(Statement(stamp) for stamp in entry.published[1:]),
            *(Statement(stamp, what="updated") for stamp in entry.updated[1:]),
        ),
        author=entry.author,
        lang=entry.lang or feed.lang,
        extra={"publisher": entry.publisher},
    )


def best_body(bodies: Sequence[Body]) -> Body:
    """Return the text with the most words, not the most markup; a list of other people's headlines is none."""
    bodies = [body for body in bodies if not (body.is_html and is_cluster(body.value))]
    if len(bodies) > 1:
        return max(bodies, key=lambda body: len("".join((text_of(body.value) if body.is_html else body.value).split())))
    return bodies[0] if bodies else Body(value="", is_html=False)
