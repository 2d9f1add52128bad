"""A page that takes long to read holds up nobody, and does not take for ever."""

from __future__ import annotations

import asyncio

from scrapy.http import HtmlResponse

from groundswell.crawlers.apart import look_apart

PAGE = (
    "<html><head><title>Refunds are late</title></head><body><article><h1>Refunds are late</h1>"
    + "<p>The bank said at length on Friday that refunds are late, and that its customers must wait for them.</p>" * 5
    + "</article></body></html>"
)


def read(body: str, seconds: float) -> tuple[object, str]:
    """Return what is found apart."""
    page = HtmlResponse("http://x.example/1", body=body.encode(), encoding="utf-8")
    said = {"title": "Refunds are late", "summary": "", "url": page.url}
    return asyncio.run(look_apart(page, said, seconds=seconds))


def test_a_large_page_is_read_apart_as_any_other() -> None:
    """The same article comes back from the process of its own."""
    found, wall = read(PAGE + " " * 300_000, 120)
    assert wall == ""
    assert "refunds are late" in getattr(found, "text", "")


def test_a_page_that_takes_too_long_is_given_up() -> None:
    """Its process is ended and its list's words are kept; here its time is up before it has begun."""
    assert read(PAGE, 0.0) == (None, "a page that takes more than 0 s to read")
