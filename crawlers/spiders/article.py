"""A page of news: its text, title and date, without running or fetching anything of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scrapy.http import HtmlResponse, Response, TextResponse

PUBLISHED = (
    '//meta[@property="article:published_time"]/@content',
    '//meta[@itemprop="datePublished"]/@content',
    '//time[@itemprop="datePublished"]/@datetime',
    '//meta[@name="DC.date.issued" or @name="dcterms.created" or @name="date"]/@content',
)
"""Where publishers state the moment."""
JSON_LD = re.compile(r'"datePublished"\s*:\s*"([0-9T:.+\- Z]{8,40})"')
LD_CHARS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says. `inferred` tells that its date was guessed from the page rather than stated."""

    text: str = ""
    title: str = ""
    published: str = ""
    inferred: bool = False
    author: str = ""
    lang: str = ""


def read_article(response: Response) -> Article | None:
    """Return the article on a page, or ``None`` where it is no HTML or has no text."""
    if not isinstance(response, (HtmlResponse, TextResponse)) or not response.text.strip():
        return None
    from trafilatura import bare_extraction

    # `deduplicate` stays off: from the fourth identical page on it answers None (trafilatura #778)
    found = bare_extraction(
        response.text,
        url=response.url,
        with_metadata=True,
        deduplicate=False,
        include_comments=False,
        favor_precision=False,
    )
    if found is None or isinstance(found, dict) or not found.text:
        return None
    stated = stated_date(response)
    return Article(
        text=found.text.removeprefix(f"{found.title}\n"),  # the heading is the title
        title=found.title or "",
        published=stated or found.date or "",
        inferred=not stated,
        author=found.author or "",
        lang=(response.xpath("/html/@lang").get() or "").strip(),
    )


def stated_date(response: TextResponse) -> str:
    """Return the moment that the page itself states, or empty."""
    for path in PUBLISHED:
        if value := (response.xpath(path).get() or "").strip():
            return value
    for script in response.xpath('//script[@type="application/ld+json"]/text()').getall()[:10]:
        if match := JSON_LD.search(script[:LD_CHARS]):
            return match[1]
    return ""
