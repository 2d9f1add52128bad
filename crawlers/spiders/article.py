"""A page of news: its text, title and date, without running or fetching anything of it."""

from __future__ import annotations

import re
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache

from scrapy.http import HtmlResponse, Response, TextResponse

from groundswell.crawlers.dates import Statement
from groundswell.crawlers.spiders.page_dates import own_data, page_dates, page_of
from groundswell.crawlers.spiders.page_words import own_text, page_author

DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Letters of which a few say as much as a line of others."""
DENSE_LETTERS = 100
NO_DATE = {"extensive_search": False, "original_date": True, "max_date": "2200-01-01"}
"""What trafilatura asks htmldate for: its answer is not used (`page_dates` does that), so it need not search long."""


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

    config = _config(is_dense=len(DENSE.findall(response.text)) > DENSE_LETTERS)
    # `deduplicate` stays off: from the fourth identical page on it answers None (trafilatura #778)
    found = bare_extraction(
        response.text,
        url=response.url,
        config=config,
        with_metadata=True,
        date_extraction_params=NO_DATE,
        deduplicate=False,
        include_comments=False,
        favor_precision=False,
    )
    if found is None or isinstance(found, dict) or not found.text:
        return None
    page = page_of(response.selector.root, response.url, title or found.title or "")
    author = page_author(page, own_data(page), found.author or "")
    return Article(
        text=own_text(found.text, page, found.title or "", author),
        title=found.title or "",
        dates=page_dates(page, response.url),
        author=author,
        lang=(response.xpath("/html/@lang").get() or "").strip(),
    )


@cache
def _config(*, is_dense: bool) -> ConfigParser:
    """Return trafilatura's settings; it takes 250 letters of Chinese for too few."""
    from trafilatura.settings import use_config

    config = use_config()
    if is_dense:
        config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "80")
    return config
