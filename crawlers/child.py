"""The crawling process: reads its orders from standard input, visits the sources, writes to the spool, ends.

It is a process of its own because a Twisted reactor runs only once, and because what it takes apart is hostile: a
crash here is one source's trouble, not the run's. Its standard input stays open as long as the parent lives; when the
parent is killed it reads the end and goes too, so that no crawl outlives its run.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundswell.configs.schema import CrawlSettings
from groundswell.configs.source import Source, host_of, source_of
from groundswell.crawlers.handover import SpoolWriter, Trouble

if TYPE_CHECKING:
    from groundswell.crawlers.hosts import Hosts
    from groundswell.crawlers.visit import Span

HOSTS_AT_ONCE = 48
"""Hosts visited at the same time: without a network each costs its time limit, and they must not add up."""
NAME_THREADS = 48
"""Threads that look up names; one each for all hosts at once."""
SPIDERS = {
    "feed": "feed:FeedSpider",
    "sitemap": "sitemap:SitemapSpider",
    "hackernews": "hackernews:HackernewsSpider",
    "mastodon": "mastodon:MastodonSpider",
    "appstore": "appstore:AppstoreSpider",
    "bluesky": "bluesky:BlueskySpider",
    "discourse": "discourse:DiscourseSpider",
    "gdelt": "gdelt:GdeltSpider",
    "google_news": "google_news:GoogleNewsSpider",
    "google_play": "google_play:GooglePlaySpider",
    "json": "anyjson:JsonSpider",
    "jsonfeed": "jsonfeed:JsonFeedSpider",
    "lemmy": "lemmy:LemmySpider",
    "site": "site:SiteSpider",
    "stackexchange": "stackexchange:StackexchangeSpider",
    "youtube": "youtube:YoutubeSpider",
}


def main() -> None:
    """Carry out one order."""
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    visit(order)
    sys.stderr.flush()
    os._exit(0)  # threads of name resolution may hang for minutes


def visit(order: dict[str, Any]) -> None:
    """Visit all sources of an order: hosts at the same time, the sources of one host in turn."""
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import defer, reactor, task

    from groundswell.crawlers.guard import GuardedResolver
    from groundswell.crawlers.hosts import Hosts
    from groundswell.crawlers.turns import turns_of

    crawl = CrawlSettings.model_validate(order["crawl"])
    loop: Any = reactor
    loop.suggestThreadPoolSize(NAME_THREADS)
    allow = crawl.allow_private_addresses
    resolver = GuardedResolver(loop.nameResolver, allow_private=allow, later=loop.callLater)
    loop.installNameResolver(resolver)
    hosts = Hosts(turns_of(order))
    groups = by_host([source_of(data) for data in order["sources"]])
    work = (defer.ensureDeferred(_in_turn(group, order, crawl, hosts)) for group in groups)
    cooperator = task.Cooperator()
    done = defer.DeferredList([cooperator.coiterate(work) for _ in range(HOSTS_AT_ONCE)])
    done.addBoth(lambda _: loop.stop())
    if hosts.turns is not None:
        loop.callWhenRunning(hosts.turns.begin, hosts)
    loop.run()
    if hosts.turns is not None:
        hosts.turns.give_back(hosts)


def by_host(sources: Sequence[Source]) -> list[list[Source]]:
    """Return the sources, those of one host together."""
    return [list(group) for _, group in groupby(sorted(sources, key=host_of), key=host_of)]


async def _in_turn(sources: Sequence[Source], order: dict[str, Any], crawl: CrawlSettings, hosts: Hosts) -> None:
    for source in sources:
        spool = Path(order["spool"][source.name])
        try:
            await _crawl(source, order, crawl, spool, hosts)
        except Exception as error:  # noqa: BLE001  whatever one source does, the next one gets its turn
            with SpoolWriter(spool) as writer:
                writer.write(Trouble(f"the crawler failed: {type(error).__name__}: {str(error)[:300]}"))


async def _crawl(source: Source, order: dict[str, Any], crawl: CrawlSettings, spool: Path, hosts: Hosts) -> None:
    from importlib import import_module

    from scrapy.crawler import CrawlerRunner
    from scrapy.settings import Settings

    from groundswell.crawlers.politeness import scrapy_settings
    from groundswell.crawlers.spiders.base import Job

    module, name = SPIDERS[source.format].split(":")
    spider = getattr(import_module(f"groundswell.crawlers.spiders.{module}"), name)
    job = Job(
        crawl=crawl,
        salt=order["salt"],
        now=datetime.fromisoformat(order["now"]),
        marks=order["marks"].get(source.name, {}),
        spool=spool,
        hosts=hosts,
        span=_span(order),
    )
    runner = CrawlerRunner(Settings(scrapy_settings(source, crawl)))
    await runner.crawl(spider, source=source, job=job)


def _span(order: dict[str, Any]) -> Span | None:
    """Return the stretch of the past to be filled in."""
    from groundswell.crawlers.visit import Span

    ends = order.get("span")
    return Span(*(datetime.fromisoformat(at) if at else None for at in ends)) if ends else None


def _die_with_parent() -> None:
    while sys.stdin.buffer.read(1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
