"""A page of news: its text, title and date, without running or fetching anything of it."""

from __future__ import annotations

from dataclasses import dataclass

from scrapy.http import HtmlResponse, Response, TextResponse

from groundswell.crawlers.dates import Statement
from groundswell.crawlers.spiders.page_dates import page_dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says; `dates` are its statements of when it was published and touched."""

    text: str = ""
    title: str = ""
    dates: tuple[Statement, ...] = ()
    author: str = ""
    lang: str = ""


def read_article(response: Response, title: str = "") -> Article | None:
    """Return the article on a page, or ``None`` where it is no HTML or has no text.

    Args:
        response: the page.
        title: what the list that led here calls it; tells the article's own data from other stories'.
    """
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
    return Article(
        text=found.text.removeprefix(f"{found.title}\n"),  # the heading is the title
        title=found.title or "",
        dates=page_dates(response.selector.root, response.url, title or found.title or ""),
        author=found.author or "",
        lang=(response.xpath("/html/@lang").get() or "").strip(),
    )
