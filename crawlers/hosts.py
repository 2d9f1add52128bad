"""What one crawl has learned of the hosts it asks: alive or given up, their robots.txt, when each was last asked."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.robotstxt import ProtegoRobotParser

from groundswell.crawlers.encoding import EncodingError, read

if TYPE_CHECKING:
    from groundswell.crawlers.spiders.article import Article
    from groundswell.crawlers.turns import Turns

DAY_SECONDS = 86_400.0
MOST_ARTICLES = 1_000
"""Articles that are remembered within a run, for a site's feed and its sitemap lead to the same ones."""
LONGEST_ARTICLE = 20_000
"""Letters of an article that is remembered at most: memory stays bounded whatever pages hold."""
LONGEST_DELAY = DAY_SECONDS
"""Seconds between two requests beyond which a robots.txt is not taken at its word."""
STRIKES = 6
"""Failures of the connection in a row after which a host that answered before is given up too."""
ROBOTS_BYTES = 512_000
"""How much of a robots.txt is read; RFC 9309 (2.5) asks for 500 KiB at least."""
UNAVAILABLE = range(400, 500)
"""A robots.txt that answers so does not exist: all may be asked (RFC 9309, 2.3.1.3), whatever its body says."""
BUSY = frozenset({429, 503})


class Postponed(IgnoreRequest):
    """A request that is left for the next visit: nothing is wrong with it, its time has not come."""


class GivenUp(IgnoreRequest):
    """A request to a host that does not answer, so that it is not asked again in this run."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} is given up for this run: {why}")
        self.host, self.why = host, why


@dataclass(frozen=True, slots=True)
class Rules:
    """A host's robots.txt: its parser (``None`` allows all), or why it could not be read, and the pause it asks for."""

    parser: ProtegoRobotParser | None = None
    unreadable: str = ""
    delay: float = 0.0


@dataclass(slots=True)
class Host:
    """One host and port. `asked_at` is when it was last asked, on the monotonic clock; `pause` follows, in seconds."""

    name: str
    answered: bool = False
    failures: int = 0
    given_up: str = ""
    asked_at: float = -math.inf
    pause: float = 0.0
    rules: Rules | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def hear(self) -> None:
        """Note that it answered."""
        self.answered, self.failures = True, 0

    def fail(self, why: str) -> bool:
        """Note that it could not be reached; return whether it is given up with that."""
        self.failures += 1
        if not self.answered or self.failures >= STRIKES:
            self.given_up = self.given_up or why
        return bool(self.given_up)


class Hosts:
    """All hosts of one crawl; sources share them, so that each robots.txt is read once and a dead host tried once.

    So they do the articles they have read: no page is asked for twice in one run. `turns` says whose turn it is where
    other crawls share the store.
    """

    def __init__(self, turns: Turns | None = None) -> None:
        self.turns = turns
        self._known: dict[str, Host] = {}
        self.articles: dict[str, Article] = {}

    def of(self, url: str) -> Host:
        """Return the host of an address."""
        return self.named(urlsplit(url).netloc)

    def named(self, name: str) -> Host:
        """Return the host of a name and port."""
        return self._known.setdefault(name, Host(name))

    def remember(self, address: str, article: Article) -> None:
        """Keep an article for the sources that come to it later in this run."""
        if len(article.text) > LONGEST_ARTICLE:
            return
        if len(self.articles) >= MOST_ARTICLES:
            self.articles.pop(next(iter(self.articles)))
        self.articles[address] = article


def rules_of(status: int, body: bytes, *, robot: str) -> Rules:
    """Return what an answer to the question for robots.txt means.

    Scrapy reads the body whatever the status is: a server error would open the site, a missing file close it.
    """
    if status in BUSY or status not in (*range(200, 300), *UNAVAILABLE):
        return Rules(unreadable=f"HTTP {status}")
    if status in UNAVAILABLE:
        return Rules()
    body = in_utf8(body)
    parser = ProtegoRobotParser(body[:ROBOTS_BYTES].rpartition(b"\n")[0] if len(body) > ROBOTS_BYTES else body, None)
    return Rules(parser=parser, delay=delay_of(parser, robot))


def in_utf8(body: bytes) -> bytes:
    """Return a robots.txt in UTF-8, as the standard wants it: editors write it with marks, or in two bytes a letter."""
    zeros = [body[start:200:2].count(0) for start in (0, 1)]
    if max(zeros) > len(body[:200]) // 4 > min(zeros) * 4:  # two bytes a letter, and no mark that says so
        return body.decode("utf-16-le" if zeros[1] else "utf-16-be", "replace").encode("utf-8", "replace")
    try:
        return read(body).text.encode("utf-8", "replace")
    except EncodingError:
        return body  # its rules are ASCII, and what is not is left out


def delay_of(parser: ProtegoRobotParser, robot: str) -> float:
    """Return the seconds between two requests that a robots.txt asks for (Crawl-delay, Request-rate); at most a day."""
    rate = parser.rp.request_rate(robot)
    stated = parser.crawl_delay(robot)
    if stated is None and rate is not None and rate.requests:
        stated = rate.seconds / rate.requests
    if stated is None or math.isnan(stated) or stated < 0:
        return 0.0
    return min(float(stated), LONGEST_DELAY)


def seconds(count: float) -> str:
    """Return a stretch of time for people: ``90 s``, ``25 min``, ``6 h``, ``12 days``."""
    for unit, size in (("years", 365 * DAY_SECONDS), ("days", DAY_SECONDS), ("h", 3600.0), ("min", 60.0)):
        if count >= 2 * size:
            return f"{count / size:,.0f} {unit}"
    return f"{count:g} s"
