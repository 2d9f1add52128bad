"""Sitemaps in the other forms that the protocol allows: plain text, RSS, Atom."""

from __future__ import annotations

import pytest

from groundswell.crawlers.spiders.sitemap import Place, parse

RSS = (
    "<rss version='2.0'><channel><title>x</title><item><title>Ads &amp; us</title><link>https://x.example/1</link>"
    "<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"
)
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title><entry><title>Ads</title><id>a</id>"
    "<link href='https://x.example/1'/><updated>2026-11-20T08:00:00Z</updated></entry></feed>"
)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (
            "\ufeffhttps://x.example/1\r\n\r\nhttps://x.example/2\n",
            [("https://x.example/1", ""), ("https://x.example/2", "")],
        ),
        (RSS, [("https://x.example/1", "Fri, 20 Nov 2026 08:00:00 GMT")]),
        (ATOM, [("https://x.example/1", "2026-11-20T08:00:00Z")]),
    ],
)
def test_a_sitemap_may_be_plain_text_or_a_feed(text: str, places: list[tuple[str, str]]) -> None:
    """Each names its pages, with the moment where it states one."""
    kind, found = parse(text)
    assert kind == "urlset"
    assert [(each.loc, each.published or each.lastmod) for each in found if isinstance(each, Place)] == places


@pytest.mark.parametrize("text", ["", "Just a moment...\nhttps://x.example/1", "<html><body>x</body></html>", "{}"])
def test_what_is_no_sitemap_is_none(text: str) -> None:
    """A page of words with an address in it is not a list of addresses."""
    assert parse(text)[0] not in {"urlset", "sitemapindex"}
