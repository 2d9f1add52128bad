"""Serves the story on loopback, as the web would: conditional answers, gaps, wrong charsets and all."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from groundswell.crawlers.replica import formats
from groundswell.crawlers.replica.grammar import Site, load_grammar
from groundswell.crawlers.replica.story import Item, Story, Truth, tell

ROBOTS = b"User-agent: *\nDisallow: /private/\nCrawl-delay: 0\n"
CONDITIONAL = ("xml", "gzip", "html")
"""Kinds of answer that carry ETag and Last-Modified."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a body, its type, and headers beside the usual."""

    body: bytes = b""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


MISSING = Answer(b"<!doctype html><title>404</title><h1>Not found</h1>", status=404)
DOWN = Answer(b"Service temporarily unavailable", "text/plain", 503, {"Retry-After": "3600"})


class Replica:
    """A running replica web.

    `url` is its address, `documents` all it will ever show, `truth` what was planted. Setting `as_of` hides what
    appears later (``None`` shows everything); `requests` lists what was asked and how it was answered.
    """

    def __init__(self, story: Story, *, apps: Mapping[str, Mapping[str, Any]]) -> None:
        self.story = story
        self.apps = apps
        self.url = ""
        self.requests: list[tuple[str, int]] = []
        self.as_of: datetime | None = None
        self._sites = {site.name: site for site in story.sites}
        self._pages = {item.link: item for item in reversed(story.items) if item.link}
        self._by_site: dict[str, list[Item]] = defaultdict(list)
        self._by_tag: dict[str, list[Item]] = defaultdict(list)
        for item in story.items:
            self._by_site[item.site].append(item)
            for tag in item.tags:
                self._by_tag[tag].append(item)

    @property
    def documents(self) -> tuple[Item, ...]:
        """Return everything that is shown now."""
        return tuple(self._shown(self.story.items))

    @property
    def truth(self) -> Truth:
        """Return what was planted."""
        return self.story.truth

    def answer(self, target: str) -> Answer:
        """Return what the web says to a path with its query."""
        parts = urlsplit(target)
        path, arguments = unquote(parts.path), dict(parse_qsl(parts.query))
        for pattern, route in ROUTES:
            if found := pattern.fullmatch(path):
                return route(self, found, arguments)
        return self._page(path)

    def _shown(self, items: list[Item] | tuple[Item, ...]) -> list[Item]:
        return [item for item in items if self.as_of is None or item.appears <= self.as_of]

    def _down(self, site: str) -> bool:
        begin, end = self.story.gap
        return self.as_of is not None and site in self.story.gap_sites and begin <= self.as_of < end

    def _feed(self, found: re.Match[str], _: Mapping[str, str]) -> Answer:
        site = self._sites.get(found["site"])
        if site is None or site.format not in {"rss", "atom"}:
            return MISSING
        if self._down(site.name):
            return DOWN
        write = formats.rss if site.format == "rss" else formats.atom
        return Answer(write(site, self._shown(self._by_site[site.name]), self.url), f"application/{site.format}+xml")

    def _sitemap(self, found: re.Match[str], _: Mapping[str, str]) -> Answer:
        site = self._sites.get(found["site"])
        if site is None or site.format != "sitemap":
            return MISSING
        if self._down(site.name):
            return DOWN
        items = self._shown(self._by_site[site.name])
        if found["part"] is None:
            return Answer(formats.sitemap_index(site, items, self.url), "application/xml")
        part = formats.sitemap_part(site, items, self.url, int(found["part"]))
        return MISSING if part is None else Answer(part, "application/gzip")

    def _hackernews(self, _: re.Match[str], arguments: Mapping[str, str]) -> Answer:
        items = [item for site in self.story.sites if site.format == "hackernews" for item in self._by_site[site.name]]
        return Answer(formats.hackernews(self._shown(items), arguments), "application/json")

    def _mastodon(self, found: re.Match[str], arguments: Mapping[str, str]) -> Answer:
        shown = formats.statuses(self._shown(self._by_tag[found["tag"]]), arguments)
        link = formats.link_header(shown, found[0], self.url)
        return Answer(
            formats.mastodon(shown, self.url), "application/json; charset=utf-8", 200, {"Link": link} if link else {}
        )

    def _apple(self, found: re.Match[str], _: Mapping[str, str]) -> Answer:
        number = int(found["page"] or 1)
        site = next((site for site in self.story.sites if self._is_app(site, found["id"], found["cc"])), None)
        if number > formats.APPLE_PAGES:
            return Answer(b"CustomerReviews RSS page depth is limited to 10", "text/plain", 400)
        if site is None:
            return MISSING
        items = self._shown(self._by_site[site.name])
        return Answer(
            formats.apple(site, self.apps[site.app], items, self.url, number), "text/javascript; charset=UTF-8"
        )

    def _is_app(self, site: Site, id: str, country: str) -> bool:
        return bool(site.app) and str(self.apps[site.app]["id"]) == id and site.market.lower() == country.lower()

    def _robots(self, _: re.Match[str], __: Mapping[str, str]) -> Answer:
        return Answer(ROBOTS, "text/plain")

    def _page(self, path: str) -> Answer:
        item = self._pages.get(path)
        if item is None or item.quirk == "gone" or not self._shown([item]):
            return MISSING
        site = self._sites[item.site]
        if self._down(site.name):
            return DOWN
        others = [other for other in self._by_site[site.name] if other.appears < item.appears][-4:]
        # Somebody's server still declares Latin-1 for pages it stores in UTF-8.
        kind = "text/html; charset=iso-8859-1" if item.quirk == "charset" else "text/html; charset=utf-8"
        return Answer(formats.page(site, item, self.url, others), kind)

    def newest(self) -> datetime:
        """Return when something last appeared."""
        return max((item.appears for item in self.documents), default=datetime.fromtimestamp(0, UTC))


Route = Callable[[Replica, "re.Match[str]", Mapping[str, str]], Answer]
# The routes are the class's own methods: private to everybody else.
ROUTES: tuple[tuple[re.Pattern[str], Route], ...] = (
    (re.compile(r"/robots\.txt"), Replica._robots),
    (re.compile(r"/(?P<site>[\w-]+)/feed\.xml"), Replica._feed),
    (re.compile(r"/(?P<site>[\w-]+)/(?:sitemap\.xml|news-(?P<part>\d+)\.xml\.gz)"), Replica._sitemap),
    (re.compile(r"/api/v1/search_by_date"), Replica._hackernews),
    (re.compile(r"/api/v1/timelines/tag/(?P<tag>[^/]+)"), Replica._mastodon),
    (
        re.compile(
            r"/(?P<cc>\w\w)/rss/customerreviews/(?:page=(?P<page>\d+)/)?id=(?P<id>\d+)/sortby=mostrecent/json", re.I
        ),
        Replica._apple,
    ),
)


def _handler(replica: Replica) -> type[BaseHTTPRequestHandler]:
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                answer = replica.answer(self.path)
            except ValueError:
                answer = Answer(b"Bad request", "text/plain", 400)
            self._send(answer)

        do_HEAD = do_GET  # noqa: N815  the name http.server calls

        def _send(self, answer: Answer) -> None:
            headers = dict(answer.headers)
            if answer.status == 200 and any(kind in answer.type for kind in CONDITIONAL):
                headers["ETag"] = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
                headers["Last-Modified"] = format_datetime(replica.newest(), usegmt=True)
                if self.headers.get("If-None-Match") == headers["ETag"]:
                    answer = Answer(b"", answer.type, 304)
            with lock:
                replica.requests.append((self.path, answer.status))
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            if answer.status != 304:
                self.send_header("Content-Type", answer.type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent: `Replica.requests` remembers."""

    return Handler


@contextmanager
def serve(*, now: datetime, port: int = 0, seed: int = 7, as_of: datetime | None = None) -> Iterator[Replica]:
    """Serve the story that ends at `now` on 127.0.0.1; port 0 means any free one.

    Links carry the port, and ids of mentions come from links: use the same port, clock and seed to crawl the same
    web a second time.

    Raises:
        OSError: the port is taken.
    """
    replica = Replica(tell(now=now, seed=seed), apps=load_grammar().apps)
    replica.as_of = as_of
    with ThreadingHTTPServer(("127.0.0.1", port), _handler(replica)) as server:
        server.daemon_threads = True
        replica.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, name="replica", daemon=True)
        thread.start()
        try:
            yield replica
        finally:
            server.shutdown()
            thread.join()
