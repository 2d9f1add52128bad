"""Sitemaps, news sitemaps and sitemap indexes, and the articles they name."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.utils.gz import gunzip
from twisted.python.failure import Failure

from groundswell.configs.source import SitemapSource
from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.encoding import EncodingError
from groundswell.crawlers.mention import Raw
from groundswell.crawlers.plain_text import heading
from groundswell.crawlers.spiders.base import Missed
from groundswell.crawlers.spiders.follow import ArticleSpider
from groundswell.crawlers.syndication import Entry, NoFeedError, read_feed
from groundswell.crawlers.titles import without_publisher
from groundswell.crawlers.xml_items import BrokenItemError, Document, Part, element, name_of, take_apart
from groundswell.index.ids import stable_id

DEEPEST = 3
MOST_SITEMAPS = 200
ROOTS = frozenset({"urlset", "sitemapindex"})
GZIP = b"\x1f\x8b"
MOST_LINES = 50_000
"""Addresses that the protocol allows one sitemap."""
ADDRESS = re.compile(r"https?://\S{1,2048}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One ``<url>`` or ``<sitemap>`` of a sitemap."""

    loc: str
    lastmod: str = ""
    published: str = ""
    title: str = ""
    lang: str = ""
    publisher: str = ""


@dataclass(frozen=True, slots=True)
class SitemapPart:
    """A sitemap that an index names, still to be read."""

    url: str
    lastmod: str
    index: str
    depth: int


class SitemapSpider(ArticleSpider):
    """Visits sitemaps.

    The parts of an index are read one after another, the newest first, until the visit is full. The mark of an index
    holds when each part was read and its ``lastmod`` then, so that the next visit begins with what this one left.
    """

    source: SitemapSource

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts: deque[SitemapPart] = deque()
        self.room = MOST_SITEMAPS

    def requests(self) -> Iterator[Request]:
        """Ask for each sitemap, if it has changed."""
        yield from self.owed_first()
        for url in self.in_turn():
            yield self.ask(url, self.read_sitemap, key=url, conditional=True, depth=1)

    def read_sitemap(self, response: Response, key: str, depth: int, part: SitemapPart | None = None) -> Iterator[Any]:
        """Yield requests for the articles of a sitemap, or for the sitemaps of an index."""
        if part:
            self.marks[part.index]["parts"][stable_id(part.url)] = [part.lastmod, self.job.now.isoformat()]
        if not self.is_unchanged(response, key):
            yield from self._read_places(response, key, depth)
        yield from self._next_part()

    def on_part_missed(self, failure: Failure) -> Iterator[Any]:
        """Tell what went wrong with a part, and go on with the next."""
        yield from self.on_failure(failure)
        yield from self._next_part()

    def _read_places(self, response: Response, key: str, depth: int) -> Iterator[Any]:
        try:
            body = unpacked(response.body, limit=self.job.crawl.max_page_bytes)
            kind, found = parse(self.text(response.replace(body=body)))
        except EncodingError as error:
            yield self.spoil(key, response.url, f"{error}; nothing of it was read")
            return
        yield from (
            Missed(where=f"{response.url} place {number}", reason=each)
            for number, each in enumerate(found, 1)
            if isinstance(each, str)
        )
        places = [each for each in found if isinstance(each, Place)]
        if kind == "sitemapindex":  # no validators: an index seldom says truly that nothing below it has changed
            self._below(places, response, key, depth)
        elif kind == "urlset":
            self.begin_list(key, response, len(places))
            for place in self._wanted(places):
                yield from self._page(place, response, key)
        else:
            yield self.spoil(key, response.url, f"not a sitemap{self.instead(response)}")

    def _below(self, places: list[Place], response: Response, key: str, depth: int) -> None:
        """Queue the parts of an index: first what was not read as it is now, newest first; then what rested longest.

        Many indexes add their newest part at the end, so where nothing is dated the last one comes first.
        """
        parts_before = self.before(key).get("parts", {})
        self.keep(key, {"parts": {}})
        fresh = [(absolute(place.loc, response.url), place.lastmod) for place in places if not self._is_old(place)]
        parts = [SitemapPart(url, lastmod, key, depth + 1) for url, lastmod in reversed(fresh) if url]
        parts.sort(key=lambda part: part.lastmod, reverse=True)
        read = {part.url: parts_before.get(stable_id(part.url), ["", ""]) for part in parts}
        parts.sort(key=lambda part: read[part.url][1] if read[part.url][0] == part.lastmod else "")
        self.marks[key]["parts"] = {stable_id(url): mark for url, mark in read.items() if mark[1]}
        if depth < DEEPEST:
            self.parts.extendleft(reversed(parts))

    def _next_part(self) -> Iterator[Request]:
        """Ask for the next part, or leave the rest for the next visit where this one is full."""
        if self.parts and (self.is_full() or self.room <= 0 or self.seconds_left() <= 0):
            if self.seconds_left() <= 0:
                self.remark(self.time_is_up())
            self.remark(f"{len(self.parts):,} sitemaps of an index left for the next visit")
            self.leave(len(self.parts))
            self.parts.clear()
        elif self.parts:
            self.room -= 1
            part = self.parts.popleft()
            more = {"depth": part.depth, "part": part}
            request = self.ask(part.url, self.read_sitemap, key=part.url, conditional=True, **more)
            yield request.replace(errback=self.on_part_missed)

    def _wanted(self, places: list[Place]) -> list[Place]:
        """Return the newest articles first: a visit may not get to all of them."""
        include, exclude = self.source.include, self.source.exclude
        named = [place for place in places if not include or any(part in place.loc for part in include)]
        left = [place for place in named if not any(part in place.loc for part in exclude) and not self._is_old(place)]
        return sorted(left, key=lambda place: place.published or place.lastmod, reverse=True)

    def _is_old(self, place: Place) -> bool:
        when = read_date(place.published or place.lastmod, now=self.job.now)
        return when.at is not None and when.at < self.since

    def _page(self, place: Place, response: Response, key: str) -> Iterator[Request | Raw]:
        url = absolute(place.loc, response.url)
        raw = Raw(
            where=url,
            text="",
            title=without_publisher(place.title, [place.publisher], [place.loc]),
            url=url,
            published=place.published or place.lastmod,
            inferred=not place.published,  # lastmod is when it was touched, not when it was published
            lang=place.lang,
        )
        if url:
            yield from self.article(url, raw, key=key, version=place.lastmod or place.published)


def unpacked(body: bytes, *, limit: int) -> bytes:
    """Return a document that may be gzipped, unpacked up to `limit` bytes."""
    return gunzip(body, max_size=limit) if body.startswith(GZIP) else body


def parse(text: str) -> tuple[str, list[Place | str]]:
    """Return what a sitemap is (``urlset``, ``sitemapindex`` or something else), and the places it names.

    No entity is expanded and nothing is fetched. Instead of a place that cannot be understood stands what is wrong.
    """
    if lines := addresses_of(text):
        return "urlset", [Place(loc=line) for line in lines]
    document = take_apart(text, roots=ROOTS, items=frozenset({"url", "sitemap"}))
    if document.root not in ROOTS and (places := _places_of_feed(text)):
        return "urlset", [*places]
    return document.root, [_place(part, document) for part in document.parts]


def addresses_of(text: str) -> list[str]:
    """Return the addresses of a sitemap in plain text, one a line; nothing where any line is something else."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()[:MOST_LINES] if line.strip()]
    return lines if lines and all(ADDRESS.match(line) for line in lines) else []


def _places_of_feed(text: str) -> list[Place]:
    """Return what a feed that serves as a sitemap names; the protocol allows RSS and Atom."""
    try:
        entries = [entry for _, entry in read_feed(text).entries()]
    except NoFeedError:
        return []
    return [
        Place(
            loc=entry.link,
            lastmod=next(iter(entry.updated), ""),
            published=next(iter(entry.published), ""),
            title=entry.title,
            lang=entry.lang,
        )
        for entry in entries
        if isinstance(entry, Entry) and entry.link
    ]


def _place(part: Part, document: Document) -> Place | str:
    if not part.whole:
        return "cut off: its beginning or its end is not there"
    try:
        node = element(part.text, document.namespaces)
    except (BrokenItemError, ValueError) as error:
        return f"cannot be parsed: {error}"
    place = place_of(node)
    return place if place.loc else "names no address (loc)"


def place_of(node: Any) -> Place:
    """Return one place. What belongs to its pictures and clips (``image:``, ``video:``) says nothing of the page."""
    own = {name_of(child): child for child in reversed(node)}
    news = next((child for child in node if name_of(child) in ("news:news", "news")), None)
    stated = {name_of(child).rpartition(":")[2]: child for child in reversed(news)} if news is not None else {}
    publication = {name_of(child).rpartition(":")[2]: child for child in stated.get("publication", ())}
    return Place(
        loc=_text(own.get("loc")),
        lastmod=_text(own.get("lastmod")),
        published=_text(stated.get("publication_date")) or _text(own.get("publication_date")),
        title=heading(_text(stated.get("title")), is_html=True),
        lang=_text(publication.get("language")) or _text(stated.get("language")),
        publisher=_text(publication.get("name")),
    )


def _text(node: Any) -> str:
    return "" if node is None else "".join(node.itertext()).strip()
