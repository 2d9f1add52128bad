"""A small web of our own on loopback, in the real formats, with a story in it: what the demo crawls.

with serve(now=now, seed=7) as web:
    write_sources(folder, web.url)
    ...                              # crawl web.url as if it were the world
    web.truth.onsets                 # only afterwards: what was planted, and when it began
"""

from __future__ import annotations

from groundswell.crawlers.replica.server import Replica, serve
from groundswell.crawlers.replica.sources import write_sources
from groundswell.crawlers.replica.story import Item, Story, Truth, tell

__all__ = ["Item", "Replica", "Story", "Truth", "serve", "tell", "write_sources"]
