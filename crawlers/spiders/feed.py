"""RSS and Atom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response

from groundswell.configs.source import FeedSource
from groundswell.crawlers.addresses import absolute, canonical, host_of, unwrapped
from groundswell.crawlers.dates import Statement, read_date
from groundswell.crawlers.encoding import EncodingError
from groundswell.crawlers.handover import Trouble
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.own_words import is_bridge_error, is_cluster
from groundswell.crawlers.plain_text import text_of
from groundswell.crawlers.spiders.base import Missed
from groundswell.crawlers.spiders.follow import ArticleSpider
from groundswell.crawlers.syndication import Body, Entry, Feed, NoFeedError, label_of, read_feed
from groundswell.crawlers.titles import without_publisher
from groundswell.index.ids import stable_id

COMMENT_SERVICES = ("disqus.com", "facebook.com", "intensedebate.com", "hyvor.com", "commento.io")
"""Services on whose hosts sites keep the comments of their own articles."""


class FeedSpider(ArticleSpider):
    """Visits feeds."""

    source: FeedSource
    past = "a feed holds its newest entries only: what is older cannot be had from it"

    def requests(self) -> Iterator[Request]:
        """Ask for each feed, if it has changed."""
        yield from self.owed_first()
        for url in self.in_turn():
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
            else:
                yield from self.article(raw.url, raw, key=key, version=version_of(raw, stamps))

    def _raws(self, feed: Feed, url: str) -> Iterator[Raw | Missed | Trouble]:
        """Yield what each entry says, or what is wrong with it."""
        raws: list[Raw] = []
        for part, entry in feed.entries():
            where = f"{url} entry {label_of(part, entry)}"
            if isinstance(entry, str):
                yield Missed(where=where, reason=entry)
            elif is_bridge_error(entry.title):
                yield Missed(where=where, reason=f"the bridge's own error, not a post: {entry.title}")
                yield Trouble(f"{url[:300]}: the bridge that makes this feed failed: {entry.title[:200]}")
            else:
                raws.append(raw_entry(entry, feed, where, url))
        raws = with_true_ids(raws)
        shared = shared_addresses(raws, self.job.now) | {canonical(feed.link, base=url)}
        yield from (replace(raw, by_address=canonical(raw.url) not in shared) for raw in raws)


def with_true_ids(raws: Sequence[Raw]) -> list[Raw]:
    """Return items whose ids tell them apart: an id that items of several titles have is none.

    The same item under two addresses (in two sections) has the first of them.
    """
    titles: dict[str, set[str]] = {}
    first: dict[str, str] = {}
    for raw in raws:
        titles.setdefault(raw.own_id, set()).add(raw.title.casefold())
        first.setdefault(raw.own_id, raw.url)
    return [
        raw if not raw.own_id
        else replace(raw, own_id="") if len(titles[raw.own_id]) > 1
        else replace(raw, url=first[raw.own_id] or raw.url)
        for raw in raws
    ]  # fmt: skip


def shared_addresses(raws: Sequence[Raw], now: datetime) -> set[str]:
    """Return the addresses that several items of a feed have: their titles differ, or their ids and dates."""
    first: dict[str, Raw] = {}
    shared: set[str] = set()
    for raw in raws:
        before = first.setdefault(canonical(raw.url), raw)
        if before is raw or (before.own_id and before.own_id == raw.own_id):
            continue
        dates = [read_date(each.published or each.updated, now=now).at for each in (before, raw)]
        if before.title.casefold() != raw.title.casefold() or (raw.own_id and dates[0] != dates[1]):
            shared.add(canonical(raw.url))
    return shared


def version_of(raw: Raw, stamps: Counter[str]) -> str:
    """Return what tells one version of an entry from the next: its ``updated``, unless the feed stamps all alike."""
    stamp = str(raw.updated or "")
    alike = len(stamps) * 2 < stamps.total() and stamps[stamp] * 2 > stamps.total()
    return stable_id(str(raw.title), str(raw.text))[:8] if stamp and alike else stamp


def raw_entry(entry: Entry, feed: Feed, where: str, base: str) -> Raw:
    """Return an RSS item or Atom entry."""
    body = best_body(entry.bodies)
    url, about = own_page(entry, feed, base)
    return Raw(
        where=where,
        text=body.value,
        title=without_publisher(entry.title, [entry.publisher, feed.title], [entry.link, feed.link]),
        is_html=body.is_html,
        url=url,
        own_id=entry.id,
        may_share=True,
        published=next(iter(entry.published), ""),
        updated=next(iter(entry.updated), ""),
        statements=(
            *(Statement(stamp) for stamp in entry.published[1:]),
            *(Statement(stamp, what="updated") for stamp in entry.updated[1:]),
        ),
        author=entry.author,
        lang=entry.lang or feed.lang,
        extra={"publisher": entry.publisher, "link": about},
    )


def own_page(entry: Entry, feed: Feed, base: str) -> tuple[str, str]:
    """Return the page of an entry, and the page it is about where that is another site's.

    Forums and link lists (Hacker News, Lobsters, link blogs) give the article as the link and their own page beside
    it: as comments, as the id, or as a related link. The talk is theirs, so theirs is the address.
    """
    base = entry.base or feed.document.base or base
    link = unwrapped(entry.link, base=base)
    if not link:
        return unwrapped(entry.id) if entry.is_permalink else "", ""
    if canonical(link) == canonical(feed.link, base=base) and entry.is_permalink:
        return unwrapped(entry.id), ""
    home = {host_of(base), host_of(absolute(feed.link, base))} - {""}
    comments = unwrapped(entry.comments, base=base) if entry.comments else ""
    if _is_elsewhere(comments, link) and host_of(entry.id) != host_of(link):
        return comments.partition("#")[0], link
    if host_of(link) not in home:
        for other in (
            entry.id if entry.is_permalink else "",
            entry.links.get("related", ""),
            entry.links.get("replies", ""),
        ):
            page = absolute(other, base) if other.startswith(("http", "/")) else ""
            if _is_elsewhere(page, link) and host_of(page) in home:
                return page, link
    return link, ""


def _is_elsewhere(page: str, link: str) -> bool:
    host = host_of(page)
    return bool(host) and host != host_of(link) and not host.endswith(COMMENT_SERVICES)


def best_body(bodies: Sequence[Body]) -> Body:
    """Return the text with the most words, not the most markup; a list of other people's headlines is none."""
    bodies = [body for body in bodies if not (body.is_html and is_cluster(body.value))]
    if len(bodies) > 1:
        return max(bodies, key=lambda body: len("".join((text_of(body.value) if body.is_html else body.value).split())))
    return bodies[0] if bodies else Body(value="", is_html=False)
