"""Reading a large page in a process of its own: it may take its time without holding up everybody, but not for ever."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from scrapy.http import Response

from groundswell.crawlers.reading import look
from groundswell.crawlers.spiders.article import Article

LARGE = 200_000
"""Bytes from which a page is read apart: smaller ones take less time than to start a process."""
SECONDS = 20.0
"""How long a large page may take; longer, and what its list said of it is kept."""
AT_ONCE = 2
WAITERS = ThreadPoolExecutor(AT_ONCE, "large page")
Found = tuple[Article | None, str]


async def look_apart(page: Response, answer: Mapping[str, str], *, seconds: float = SECONDS) -> Found:
    """Return what `groundswell.crawlers.reading.look` returns, or that the page took too long."""
    return await asyncio.get_running_loop().run_in_executor(WAITERS, _ask, page, seconds, dict(answer))


def _ask(page: Response, seconds: float, answer: dict[str, str]) -> Found:
    """Start a process, hand it the page, and end it when its time is up."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    parts = (type(page), page.url, page.status, dict(page.headers), page.body, getattr(page, "encoding", None))
    worker = context.Process(target=_answer, args=(there, parts, answer), daemon=True)
    worker.start()
    there.close()
    try:
        if not here.poll(seconds):
            return None, f"a page that takes more than {seconds:g} s to read"
        found: Found = here.recv()
        return found
    except EOFError:
        return None, "a page that breaks its reader"
    finally:
        worker.kill()
        worker.join()
        here.close()


def _answer(there: Connection, parts: tuple[Any, ...], answer: dict[str, str]) -> None:
    """Read the page, in the process of its own."""
    kind, url, status, headers, body, encoding = parts
    more = {"encoding": encoding} if encoding else {}
    try:
        there.send(look(kind(url, status=status, headers=headers, body=body, **more), **answer))
    except Exception as error:  # noqa: BLE001  whatever a page does to a parser, it costs one article
        there.send((None, f"a page that cannot be understood ({type(error).__name__}: {str(error)[:100]})"))
