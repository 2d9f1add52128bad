"""What all spiders share: conditional requests, marks, errors a person can read, and the way to the spool."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import BaseSource
from groundswell.crawlers.encoding import read as read_text
from groundswell.crawlers.guard import BLOCKED, private
from groundswell.crawlers.handover import End, Remark, Removed, SpoolWriter, Trouble
from groundswell.crawlers.hosts import GivenUp, Hosts, Postponed, seconds
from groundswell.crawlers.mention import Builder, Raw
from groundswell.crawlers.politeness import LONGEST_SILENCE, LONGEST_WAIT, UNREACHABLE, until, wait_of
from groundswell.crawlers.visit import Span
from groundswell.crawlers.walls import wall_of
from groundswell.crawlers.watch import watcher_of
from groundswell.index.records import Mention, Refusal

S = TypeVar("S", bound=BaseSource)
R = TypeVar("R")
NOT_MODIFIED = 304
HALF_LETTER = re.compile("[\ud800-\udfff]")
STRAY_BACKSLASH = re.compile(r'(?<!\\)((?:\\\\)*)\\(?![\\"/bfnrtu])')
"""A backslash that begins no escape: some services paste Windows paths and regular expressions into their JSON."""
NOT_BEFORE = "not_before"
"""Mark that holds until when a server asked to be left alone."""
SLOW_UNTIL = "slow_until"
"""Mark that holds until when robots.txt lets the next request wait."""
HINTS = {
    401: "it wants a login",
    403: "it refuses this crawler; look at its terms",
    404: "there is nothing; has the address changed?",
    410: "it is gone for good; switch the source off",
    429: "too many requests; raise politeness.delay_seconds",
    451: "it may not be read for legal reasons",
}
FAILURES = {
    "DownloadCancelledError": "the answer is longer than crawl.max_page_bytes",
    "DownloadFailedError": "the connection broke off",
    "ResponseDataLossError": "the answer broke off",
} | UNREACHABLE
"""Twisted's and Scrapy's exceptions by name, for they moved between versions."""
CIRCLE = (
    "max redirections reached: it redirects in a circle. It may want a login, or cookies for longer than a visit: open"
    " it in a browser and give the address where it ends, or look for another feed of the same site"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a spider needs to know beside its source."""

    crawl: CrawlSettings
    salt: str
    now: datetime
    marks: Mapping[str, Any]
    spool: Path
    hosts: Hosts = field(default_factory=Hosts)
    span: Span | None = None


class SourceSpider(scrapy.Spider, Generic[S]):
    """A visit to one source.

    A *mark* is how far one address of the source has been read. It is set only when that address has been read to its
    end, and withheld when anything went wrong with it, so that the next visit reads the same stretch again. Or it says
    itself what is still to be read, and is put by `keep`: then it holds whatever happens.

    A visit whose time is up (`politeness.run_seconds`) asks for nothing more: what it had still to ask comes to
    `on_failure` as `Postponed`, is counted in `left`, and the visit says that it was cut.
    """

    name = "source"
    past: ClassVar[str] = ""
    """Why a stretch of the past cannot be asked for (`crawl --since --until`), or empty where it can."""

    def __init__(self, source: S, job: Job) -> None:
        super().__init__()
        self.source, self.job = source, job
        self.since = (job.span and job.span.since) or job.now - timedelta(days=source.backfill_days)
        self.until = job.span.until if job.span else None
        self.marks: dict[str, Any] = {}
        self.spoilt: set[str] = set()
        self.kept: set[str] = set()
        self.remarks: list[str] = []
        self.asked = self.unchanged = self.taken = self.left = 0
        self.is_cut = False
        self.longest_delay = 0.0
        self.begun = monotonic()
        self._given_up: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Return a spider that hears of its own exceptions."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.on_exception, signals.spider_error)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests."""
        for request in self.requests():
            yield request

    def requests(self) -> Iterator[Request]:
        """Return the first requests."""
        raise NotImplementedError

    def ask(self, url: str, read: Callable[..., Any], *, key: str, conditional: bool = False, **more: Any) -> Request:
        """Return a request whose failure spoils the mark `key`.

        Args:
            url: what to fetch.
            read: callback; gets `key` and `more`.
            key: mark that the answer belongs to.
            conditional: send the validators of the last visit, so that an unchanged page costs nothing (304).
            more: further arguments of `read`.
        """
        before = self.job.marks.get(key, {}) if conditional else {}
        headers = {"If-None-Match": before.get("etag"), "If-Modified-Since": before.get("modified")}
        self.asked += conditional
        return Request(
            url,
            callback=read,
            errback=self.on_failure,
            headers={name: value for name, value in headers.items() if value},
            meta={"key": key, "handle_httpstatus_list": [NOT_MODIFIED]},
            cb_kwargs={"key": key, **more},
            dont_filter=True,
        )

    def is_unchanged(self, response: Response, key: str) -> bool:
        """Return whether a page is the one of the last visit, by status or by content."""
        before = self.job.marks.get(key, {}).get("sha256")
        same = response.status == NOT_MODIFIED or (before is not None and before == _sha256(response))
        self.unchanged += same
        return same

    def validators(self, response: Response) -> dict[str, str]:
        """Return what makes the next request conditional."""
        found = {"etag": response.headers.get(b"ETag"), "modified": response.headers.get(b"Last-Modified")}
        sent = {name: value.decode("latin-1")[:500] for name, value in found.items() if value}
        return sent | {"sha256": _sha256(response)}

    def json(self, response: Response) -> Any:
        """Return the JSON of an answer.

        Raises:
            ValueError: it is something else; some services answer errors in plain text with HTTP 200.
        """
        text = self.text(response)
        for attempt in (text, STRAY_BACKSLASH.sub(r"\1\\\\", text)):
            try:
                found = json.loads(attempt, strict=False)
                return _with_whole_letters(found) if "\\u" in attempt else found
            except (ValueError, RecursionError):
                continue
        raise ValueError(f"not JSON{self.instead(response)}")

    def text(self, response: Response) -> str:
        """Return an answer as text, in the encoding that it is in; what cannot be read of it is U+FFFD.

        Raises:
            EncodingError: it names an encoding that nobody knows.
        """
        stated = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        lang = self.source.lang
        market = self.source.market or (urlsplit(response.url).hostname or "").rpartition(".")[2].upper()
        return read_text(response.body, content_type=stated, lang=lang, market=market).text

    def instead(self, response: Response) -> str:
        """Return what an answer is instead of what was asked for."""
        wall = wall_of(response)
        return f"; {f'{wall} stands in its place and ' if wall else 'it '}begins with {beginning(response)}"

    def final_marks(self) -> dict[str, Any]:
        """Return the marks that may be kept."""
        if self.longest_delay > LONGEST_WAIT:
            self.marks[SLOW_UNTIL] = (self.job.now + timedelta(seconds=self.longest_delay)).isoformat()
        return {key: mark for key, mark in self.marks.items() if key not in self.spoilt or key in self.kept}

    def keep(self, key: str, mark: Any) -> None:
        """Set a mark that says what is still to be read, so that it holds even where the visit fails or is cut."""
        self.marks[key] = mark
        self.kept.add(key)

    def leave(self, count: int = 1) -> None:
        """Count items or pages that are known and left for the next visit."""
        self.left += count

    def remark(self, message: str) -> None:
        """Tell something that people should know and that is no failure; once."""
        if message not in self.remarks:
            self.remarks.append(message)

    def seconds_left(self) -> float:
        """Return how long this visit may still take."""
        return self.source.politeness.run_seconds - (monotonic() - self.begun)

    def time_is_up(self) -> str:
        """Note that this visit is cut, and return the sentence that says so."""
        self.is_cut = True
        return f"the visit was cut after {seconds(self.source.politeness.run_seconds)} (politeness.run_seconds)"

    def note_delay(self, delay: float) -> None:
        """Note how long a robots.txt asks us to wait between two requests."""
        self.longest_delay = max(self.longest_delay, delay)

    def note_wait(self, response: Response) -> None:
        """Note until when a busy server asks to be left alone; at most for a day."""
        if wait := wait_of(response, now=self.job.now):
            self.marks[NOT_BEFORE] = until(wait, now=self.job.now).isoformat()
        if wait and wait > LONGEST_SILENCE:
            self.remark(
                f"{urlsplit(response.url).netloc} asks to be left alone for {seconds(wait)} (Retry-After); it is asked"
                f" again after a day, or at once by: groundswell crawl --again {self.source.name}"
            )

    def is_full(self) -> bool:
        """Return whether this visit has taken all that it may."""
        return self.taken >= self.source.max_items

    def spoil(self, key: str, url: str, message: str) -> Trouble:
        """Withhold a mark and return what to tell."""
        self.spoilt.add(key)
        return Trouble(f"{url[:300]}: {message}")

    def on_failure(self, failure: Failure) -> Iterator[Trouble]:
        """Tell what went wrong with a request."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        error, key = failure.value, request.meta["key"]
        if isinstance(error, HttpError):
            self.note_wait(error.response)
        if isinstance(error, Postponed):
            self.spoilt.add(key)
            self.postpone(error)
        elif isinstance(error, GivenUp):  # one line for a host, however many addresses it has
            self.spoilt.add(key)
            if error.host not in self._given_up:
                self._given_up.add(error.host)
                yield Trouble(str(error))
        else:
            yield self.spoil(key, request.url, explain(failure))

    def postpone(self, error: Postponed) -> None:
        """Count a request that is left for the next visit."""
        self.leave()
        self.remark(str(error))

    def on_exception(self, failure: Failure, response: Response) -> None:
        """Tell of an answer that could not be understood."""
        self.logger.debug("%s", failure.getTraceback())
        key = response.meta["key"]
        trouble = self.spoil(key, response.url, f"cannot be understood: {failure.getErrorMessage()[:300]}")
        self.writer.write(trouble)

    writer: SpoolWriter
    """Set by the pipeline before the first request."""


class SpoolPipeline:
    """Turns what spiders yield into mentions and refusals, and writes them to the spool."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler, self.outside = crawler, 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return one for this crawler."""
        pipeline = cls(crawler)
        crawler.signals.connect(pipeline.spider_closed, signals.spider_closed)
        return pipeline

    @property
    def spider(self) -> SourceSpider[Any]:
        """Return the spider it serves."""
        spider = self.crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError("SpoolPipeline serves source spiders only")
        return spider

    def open_spider(self) -> None:
        """Open the spool."""
        spider = self.spider
        spider.begun = monotonic()
        spider.writer = SpoolWriter(spider.job.spool)
        spider.writer.flush()
        job = spider.job
        watcher = watcher_of(spider.source, job.crawl)
        self.builder = Builder(spider.source, job.crawl, salt=job.salt, now=job.now, watcher=watcher)

    def process_item(self, item: Any) -> Any:
        """Write one item."""
        if isinstance(item, Raw):
            item = self.builder.build(item)
            if isinstance(item, Mention) and self._is_outside(item):
                self.outside += 1
                return item
        elif isinstance(item, Missed):
            item = self.builder.refuse(item.where, item.reason)
        elif isinstance(item, Gone):
            for each in self.builder.identities(item.raw):
                self.spider.writer.write(Removed(each, item.raw.where))
            return item
        self.spider.writer.write(item)
        return item

    def _is_outside(self, mention: Mention) -> bool:
        """Return whether a mention lies outside the stretch of the past that is filled in."""
        span, at = self.spider.job.span, mention.published_at
        if span is None or at is None:
            return False
        return bool((span.since and at < span.since) or (span.until and at >= span.until))

    def spider_closed(self, reason: str) -> None:
        """Write the end. Only this signal knows whether the visit was cut from outside."""
        spider = self.spider
        if reason == "closespider_timeout":
            spider.remark(spider.time_is_up())
        marks = spider.final_marks()
        if spider.job.span and spider.past:
            spider.remark(spider.past)
        if self.outside:
            spider.remark(f"{self.outside:,} outside the stretch that was asked for")
        for message in spider.remarks:
            spider.writer.write(Remark(message))
        unchanged = bool(spider.asked) and spider.unchanged >= spider.asked
        spider.writer.write(End(marks, unchanged=unchanged, left=spider.left, cut=spider.is_cut))
        spider.writer.close()


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that its source has taken back; `raw` is as much of it as tells which it was."""

    raw: Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An item that was found but could not be fetched."""

    where: str
    reason: str


def safely(read: Callable[..., R], item: Any, where: str, *needed: str, **more: Any) -> R | Missed:
    """Return what an item of an answer becomes; one that is not as its service describes it costs itself only.

    Args:
        read: gets the item, where it stood, and `more`.
        item: what the answer holds.
        where: for people.
        needed: fields without which there is no item.
        more: further arguments of `read`.
    """
    if not isinstance(item, dict):
        return Missed(where=where, reason=f"cannot be understood: not an object but {type(item).__name__}")
    if missing := [name for name in needed if item.get(name) in (None, "")]:
        return Missed(where=where, reason=f"cannot be understood: {', '.join(missing)} is missing")
    try:
        return read(item, where, **more)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        return Missed(where=where, reason=f"cannot be understood: {type(error).__name__}: {str(error)[:200]}")


def explain(failure: Failure) -> str:
    """Return in words why a request failed."""
    error = failure.value
    if isinstance(error, HttpError):
        hint = HINTS.get(error.response.status, "the server is in trouble" if error.response.status >= 500 else "")
        return f"HTTP {error.response.status}" + (f": {hint}" if hint else "")
    if isinstance(error, IgnoreRequest):
        return CIRCLE if str(error) == "max redirections reached" else str(error) or "refused"
    host = urlsplit(failure.request.url).hostname or ""  # type: ignore[attr-defined]  # Scrapy adds it
    if host in BLOCKED:
        return f"refused: {host} leads to {private(BLOCKED[host])}"
    return FAILURES.get(type(error).__name__) or f"{type(error).__name__}: {str(error)[:200]}"


def _with_whole_letters(value: Any) -> Any:
    """Return JSON in which half a letter (an escape without its other half) is U+FFFD: no database takes halves."""
    if isinstance(value, str):
        return HALF_LETTER.sub("\ufffd", value)
    if isinstance(value, list):
        return [_with_whole_letters(each) for each in value]
    if isinstance(value, dict):
        return {_with_whole_letters(name): _with_whole_letters(each) for name, each in value.items()}
    return value


def beginning(response: Response) -> str:
    """Return how an answer begins, for people."""
    return repr(response.body[:60].decode("utf-8", "replace").strip())


def _sha256(response: Response) -> str:
    return hashlib.sha256(response.body).hexdigest()


__all__ = ["Gone", "Job", "Missed", "Raw", "Refusal", "SourceSpider", "SpoolPipeline", "beginning", "explain"]
