"""How the crawler behaves: who it is, how fast it asks, when it waits, what it refuses to swallow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import Source

LONGEST_WAIT = 60.0
"""Seconds that a server may ask us to wait within one run; asked for more, the source is left for a later run."""
BUSY = frozenset({429, 503})
SERVER_ERROR = 500
ROBOT = "Groundswell"
UNUSED_EXTENSIONS = (
    "scrapy.extensions.feedexport.FeedExporter",
    "scrapy.extensions.logstats.LogStats",
    "scrapy.extensions.memdebug.MemoryDebugger",
    "scrapy.extensions.memusage.MemoryUsage",
    "scrapy.extensions.remote_control.RemoteControl",
    "scrapy.extensions.spiderstate.SpiderState",
    "scrapy.extensions.telnet.TelnetConsole",
)
"""Two of them open a door into the process; all of them cost time to load."""


def scrapy_settings(source: Source, crawl: CrawlSettings) -> dict[str, Any]:
    """Return Scrapy's settings for one source."""
    polite = source.politeness
    delay = crawl.delay_seconds if polite.delay_seconds is None else polite.delay_seconds
    contact = f" (contact: {crawl.contact})" if crawl.contact else ""
    return {
        "USER_AGENT": f"{crawl.user_agent}{contact}".replace("\r", " ").replace("\n", " "),
        "ROBOTSTXT_OBEY": crawl.obey_robots,
        "ROBOTSTXT_USER_AGENT": ROBOT,
        "DOWNLOAD_DELAY": delay,
        "CONCURRENT_REQUESTS_PER_DOMAIN": polite.concurrent or crawl.concurrent_per_host,
        "AUTOTHROTTLE_ENABLED": delay > 0,
        "AUTOTHROTTLE_START_DELAY": delay,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(polite.concurrent or crawl.concurrent_per_host),
        "DOWNLOAD_TIMEOUT": polite.timeout_seconds or crawl.timeout_seconds,
        "CLOSESPIDER_TIMEOUT": polite.run_seconds,
        "DOWNLOAD_MAXSIZE": crawl.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,  # Scrapy's default is to believe anybody
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        "DOWNLOADER_MIDDLEWARES": {
            "groundswell.crawlers.guard.GuardMiddleware": 50,
            "groundswell.crawlers.politeness.PatienceMiddleware": 60,
            "groundswell.crawlers.politeness.RobotsMiddleware": 100,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
            "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # a proxy would resolve names unguarded
        },
        "ITEM_PIPELINES": {"groundswell.crawlers.spiders.base.SpoolPipeline": 100},
        "CONCURRENT_ITEMS": 1,  # what is spooled stays in the order it was found
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": 2,
        "RETRY_HTTP_CODES": [500, 502, 504, 522, 524, 408],
        "EXTENSIONS": dict.fromkeys(UNUSED_EXTENSIONS),
        "LOG_LEVEL": "WARNING",
        "GUARD_ALLOW_PRIVATE": crawl.allow_private_addresses,
        "GUARD_PORTS": sorted({urlsplit(url).port or 443 for url in source.addresses}),
    }


class RobotsMiddleware(RobotsTxtMiddleware):
    """Scrapy's, but a robots.txt that fails with a server error forbids everything, as RFC 9309 (2.3.1.4) asks."""

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= SERVER_ERROR:
            response = response.replace(body=b"User-agent: *\nDisallow: /\n")
        await super()._parse_robots(response, netloc, request)


class PatienceMiddleware:
    """Waits as long as a busy server asks (Retry-After), and leaves it alone for this run when that is too long."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.not_before: dict[str, float] = {}
        self.left_alone: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return one for this crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait until the host may be asked again."""
        host = urlsplit(request.url).netloc
        if reason := self.left_alone.get(host):
            raise IgnoreRequest(reason)
        if (wait := self.not_before.get(host, 0) - monotonic()) > 0:
            await asyncio.sleep(wait)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Ask again after the wait, or remember to leave the host alone."""
        if response.status not in BUSY:
            return response
        host, wait = urlsplit(request.url).netloc, wait_of(response, now=datetime.now(UTC))
        if wait is not None and wait <= LONGEST_WAIT and self.crawler.spider is not None:
            self.not_before[host] = monotonic() + wait
            again = get_retry_request(request, spider=self.crawler.spider, reason=f"Retry-After {wait:.0f}")
            if again is not None:
                return again
        self.left_alone[host] = f"HTTP {response.status} from {host} earlier in this run; left alone until the next"
        return response


def wait_of(response: Response, *, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for (a number or a date), or ``None`` where it says nothing."""
    value = (response.headers.get(b"Retry-After") or b"").decode("latin-1").strip()
    if value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None
