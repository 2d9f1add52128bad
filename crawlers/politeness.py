"""How the crawler behaves: who it is, how fast it asks, when it waits, what it refuses to swallow."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader import Slot
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.http.cookies import CookieJar
from scrapy.http.request import NO_CALLBACK

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import Source
from groundswell.crawlers.guard import BLOCKED, private
from groundswell.crawlers.hosts import BUSY, DAY_SECONDS, GivenUp, Host, Postponed, Rules, rules_of, seconds

if TYPE_CHECKING:
    from groundswell.crawlers.spiders.base import SourceSpider

LONGEST_WAIT = 60.0
"""Seconds that a server may ask us to wait within one run; asked for more, the source is left for a later run."""
LONGEST_SILENCE = DAY_SECONDS
"""Seconds that a server can keep us away with one Retry-After; asked for more, it is asked again after these."""
FIRST_ANSWER = 10.0
"""Seconds that a host may take for its robots.txt, the first that is asked of it: a dead one must not cost more."""
LEAST_DELAY = 0.001
"""Seconds between two requests even where none are asked for: without any, Scrapy 2.19 sends all that waits for a host
at once, however few it may send at a time (a request counts as under way only after the loop that sends them)."""
ROBOT = "Groundswell"
UNDER_WAY = "under_way"
"""Marks a request that has had its turn and not ended."""
NUMBER = re.compile(r"^[0-9]{1,15}(\.[0-9]*)?$")
COOKIES = 30
"""Cookies that one answer may set; each may be as long as in browsers (RFC 6265, 6.1)."""
COOKIE_BYTES = 4096
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
UNREACHABLE = {
    "CannotResolveHostError": "there is no host of that name",
    "DNSLookupError": "there is no host of that name",
    "DownloadConnectionRefusedError": "nothing listens there",
    "ConnectionRefusedError": "nothing listens there",
    "DownloadTimeoutError": "no answer in time",
    "TimeoutError": "no answer in time",
    "NoRouteError": "there is no way to it",
}
"""Twisted's and Scrapy's exceptions by name, for they moved between versions: the host itself is not there."""


def scrapy_settings(source: Source, crawl: CrawlSettings) -> dict[str, Any]:
    """Return Scrapy's settings for one source."""
    polite = source.politeness
    delay = crawl.delay_seconds if polite.delay_seconds is None else polite.delay_seconds
    timeout = polite.timeout_seconds or crawl.timeout_seconds
    contact = f" (contact: {crawl.contact})" if crawl.contact else ""
    return {
        "USER_AGENT": f"{crawl.user_agent}{contact}".replace("\r", " ").replace("\n", " "),
        "DOWNLOAD_DELAY": max(delay, LEAST_DELAY),
        "CONCURRENT_REQUESTS_PER_DOMAIN": polite.concurrent or crawl.concurrent_per_host,
        "AUTOTHROTTLE_ENABLED": delay > 0,
        "AUTOTHROTTLE_START_DELAY": delay,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(polite.concurrent or crawl.concurrent_per_host),
        "DOWNLOAD_TIMEOUT": timeout,
        "CLOSESPIDER_TIMEOUT": polite.run_seconds + timeout,  # the visit ends itself at run_seconds; this is the rope
        "DOWNLOAD_MAXSIZE": crawl.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,  # Scrapy's default is to believe anybody
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        "DOWNLOADER_MIDDLEWARES": {
            "groundswell.crawlers.guard.GuardMiddleware": 50,
            "groundswell.crawlers.politeness.PatienceMiddleware": 60,
            "groundswell.crawlers.politeness.RobotsMiddleware": 100 if crawl.obey_robots else None,
            "groundswell.crawlers.politeness.CookiesMiddleware": 700,
            "groundswell.crawlers.politeness.WitnessMiddleware": 840,
            "groundswell.crawlers.politeness.TurnMiddleware": 845,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
            "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # a proxy would resolve names unguarded
        },
        "ITEM_PIPELINES": {"groundswell.crawlers.spiders.base.SpoolPipeline": 100},
        "CONCURRENT_ITEMS": 1,  # what is spooled stays in the order it was found
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",  # the newest is asked for first
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": 2,
        "RETRY_HTTP_CODES": [500, 502, 504, 522, 524, 408],
        "EXTENSIONS": dict.fromkeys(UNUSED_EXTENSIONS),
        "LOG_LEVEL": "WARNING",
        "GUARD_ALLOW_PRIVATE": crawl.allow_private_addresses,
        "GUARD_PORTS": sorted({urlsplit(url).port or 443 for url in source.addresses}),
    }


class Middleware:
    """What our middlewares share: the spider, and through it what is known of the hosts."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return one for this crawler."""
        return cls(crawler)

    @property
    def spider(self) -> SourceSpider[Any]:
        """Return the spider it serves."""
        return cast("SourceSpider[Any]", self.crawler.spider)  # SpoolPipeline refuses any other

    def host(self, request: Request) -> Host:
        """Return what is known of a request's host."""
        return self.spider.job.hosts.of(request.url)


class PatienceMiddleware(Middleware):
    """Waits as long as a busy server asks (Retry-After); leaves it alone for this run when that is too long.

    It also ends a visit whose time is up: what is not yet asked is left for the next one.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.not_before: dict[str, float] = {}
        self.left_alone: dict[str, str] = {}
        self.is_timed = False

    async def process_request(self, request: Request) -> None:
        """Wait until the host may be asked again.

        Raises:
            IgnoreRequest: it may not be asked in this run.
        """
        for name in ("download_slot", "autothrottle_dont_adjust_delay"):
            request.meta.pop(name, None)  # a redirect takes them along to another host
        host = self.host(request)
        if reason := self.left_alone.get(host.name):
            raise IgnoreRequest(reason)
        patience = self.spider.seconds_left()
        if patience <= 0:
            raise Postponed(self.spider.time_is_up())
        if not self.is_timed:
            self.is_timed = True
            asyncio.get_running_loop().call_later(patience, self._end_visit)
        if host.given_up:
            raise GivenUp(host.name, host.given_up)
        if (wait := self.not_before.get(host.name, 0) - monotonic()) > patience:
            raise Postponed(self.spider.time_is_up())
        if wait > 0:
            await asyncio.sleep(wait)

    def _end_visit(self) -> None:
        """Leave what waits in the queues of the hosts for the next visit."""
        engine = self.crawler.engine
        for slot in engine.downloader.slots.values() if engine is not None else ():
            while slot.queue:
                slot.queue.popleft()[1].errback(Postponed(self.spider.time_is_up()))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Ask again after the wait, or remember to leave the host alone."""
        if response.status not in BUSY:
            return response
        host, wait = urlsplit(request.url).netloc, wait_of(response, now=datetime.now(UTC))
        if wait is not None and wait <= LONGEST_WAIT:
            self.not_before[host] = monotonic() + wait
            again = get_retry_request(request, spider=self.spider, reason=f"Retry-After {wait:.0f}")
            if again is not None:
                return again
        self.left_alone[host] = f"HTTP {response.status} from {host} earlier in this run; left alone until the next"
        return response


class RobotsMiddleware(Middleware):
    """Obeys robots.txt: what it forbids, the pause it asks for; where it cannot be read, nothing is asked.

    A missing file allows all; a server error, no answer, or a redirect to where we may not go mean wait (RFC 9309,
    2.3.1.4): the site's owner may have forbidden us, and we did not hear.
    """

    async def process_request(self, request: Request) -> None:
        """Wait for the host's turn.

        Raises:
            IgnoreRequest: robots.txt forbids the page, or cannot be read.
            Postponed: the host's turn comes after the end of this visit.
        """
        if request.meta.get("is_robots"):
            return
        host = self.host(request)
        rules = await self._rules(host, request)
        if rules.unreadable:
            raise IgnoreRequest(
                f"Forbidden by robots.txt, which could not be read ({rules.unreadable}): nothing is asked of"
                f" {host.name} before it can be; tried again at the next visit"
            )
        if rules.parser is not None and not rules.parser.allowed(request.url, ROBOT):
            raise IgnoreRequest("Forbidden by robots.txt")
        if rules.delay:
            self._slow_down(host, request, max(rules.delay, self.crawler.settings.getfloat("DOWNLOAD_DELAY")))

    def _slow_down(self, host: Host, request: Request, delay: float) -> None:
        """Give the host a queue of its own that keeps the pause exactly.

        Raises:
            Postponed: the request's turn comes after the end of this visit.
        """
        loader: Any = self.crawler.engine.downloader
        key = f"{host.name} {delay:g} s"
        if key not in loader.slots:
            loader.per_slot_settings[key] = {"concurrency": 1, "delay": delay, "jitter": 0.0}
            loader.slots[key] = Slot(1, delay, 0.0)
            loader.slots[key].lastseen = host.asked_at
        slot = loader.slots[key]
        begins = max(monotonic(), slot.lastseen + delay) + delay * len(slot.queue)
        self.spider.note_delay(delay)
        if begins - monotonic() > self.spider.seconds_left():
            raise Postponed(f"{host.name} asks for {seconds(delay)} between two requests (robots.txt)")
        request.meta["download_slot"] = key
        request.meta["autothrottle_dont_adjust_delay"] = True

    async def _rules(self, host: Host, request: Request) -> Rules:
        async with host.lock:
            if host.rules is None:
                host.rules = await self._read(host, request)
            return host.rules

    async def _read(self, host: Host, request: Request) -> Rules:
        """Fetch and read a robots.txt."""
        patience = min(FIRST_ANSWER, self.crawler.settings.getfloat("DOWNLOAD_TIMEOUT"))
        ask = Request(
            f"{urlsplit(request.url).scheme}://{host.name}/robots.txt",
            callback=NO_CALLBACK,
            priority=1000,
            meta={"is_robots": True, "download_timeout": patience},
        )
        try:
            answer = await self.crawler.engine.download_async(ask)
        except (Postponed, GivenUp):
            raise
        except Exception as error:  # noqa: BLE001  whatever keeps us from reading the rules
            if host.given_up:
                raise GivenUp(host.name, host.given_up) from None
            return Rules(unreadable=UNREACHABLE.get(type(error).__name__) or str(error)[:200] or type(error).__name__)
        if answer.status in BUSY:
            self.spider.note_wait(answer)
        return rules_of(answer.status, answer.body, robot=ROBOT)


class CookiesMiddleware(Middleware):
    """Gives back the cookies of this visit to the host that set them, and forgets them all after it.

    Some sites set one and redirect to the same page until it comes back. Scrapy's own middleware would ask the public
    suffix list over the network, unguarded, to see which hosts may share a cookie; here none do.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.jars: defaultdict[str, CookieJar] = defaultdict(CookieJar)

    def process_request(self, request: Request) -> None:
        """Send what the host set."""
        request.headers.pop("Cookie", None)
        self.jars[urlsplit(request.url).netloc].add_cookie_header(request)

    def process_response(self, request: Request, response: Response) -> Response:
        """Keep what the host sets, within bounds."""
        if sent := response.headers.getlist(b"Set-Cookie"):
            response.headers[b"Set-Cookie"] = [each for each in sent[:COOKIES] if len(each) <= COOKIE_BYTES]
            self.jars[urlsplit(request.url).netloc].extract_cookies(response, request)
        return response


class WitnessMiddleware(Middleware):
    """Sees who answers, and gives a host up at its first failure if it has not answered in this run at all."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Note the answer, and when it was asked for."""
        host, loader = self.host(request), self.crawler.engine.downloader
        host.hear()
        if "is_robots" not in request.meta and (slot := loader.slots.get(request.meta.get("download_slot", ""))):
            host.asked_at, host.pause = max(host.asked_at, slot.lastseen), slot.delay
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Note the failure; a host that is given up is not asked again."""
        name = urlsplit(request.url).hostname or ""
        why = f"it leads to {private(BLOCKED[name])}" if name in BLOCKED else UNREACHABLE.get(type(exception).__name__)
        if why and self.host(request).fail(why):
            request.meta["dont_retry"] = True


class TurnMiddleware(Middleware):
    """Asks a host only while no other crawl does; the last before the downloader, so that it sees every request end."""

    async def process_request(self, request: Request) -> None:
        """Wait for our turn.

        Raises:
            Postponed: it comes after the end of this visit.
        """
        turns, host = self.spider.job.hosts.turns, self.host(request)
        if turns is None:
            return
        while wait := await turns.wait(host):
            if wait > self.spider.seconds_left():
                by = turns.of(host).by
                raise Postponed(
                    f"another crawl ({by}) is asking {host.name}" if by else
                    f"{host.name} was asked by another crawl and wants a pause of {seconds(wait)}"
                )  # fmt: skip
            await asyncio.sleep(min(wait, LONGEST_WAIT))
        turns.of(host).under_way += 1
        request.meta[UNDER_WAY] = True

    def process_response(self, request: Request, response: Response) -> Response:
        """Note that a request has ended."""
        self._end(request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002  Scrapy's
        """Note that a request has ended."""
        self._end(request)

    def _end(self, request: Request) -> None:
        turns = self.spider.job.hosts.turns
        if turns is not None and request.meta.pop(UNDER_WAY, False):
            turns.of(self.host(request)).under_way -= 1


def wait_of(response: Response, *, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for (a number or a date), or ``None`` where it says nothing usable."""
    value = (response.headers.get(b"Retry-After") or b"").decode("latin-1").strip()
    if NUMBER.match(value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def until(wait: float, *, now: datetime) -> datetime:
    """Return when a source may be asked again after being told to wait so many seconds."""
    return now + timedelta(seconds=min(wait, LONGEST_SILENCE))
