"""Crawling beside other tools.

``python bench/crawl.py pages``: 21 articles in the shapes of the region's sites, beside trafilatura, readability-lxml,
newspaper4k and htmldate (``pip install readability-lxml newspaper4k``; one that is not installed scores 0). Text is
scored by F1 over words, of Chinese and Thai over pairs of letters. A minute is right if the moment is, in UTC: tools
that answer a day, or a clock without its zone, have no moment.

``throughput [--articles N] [--rounds R] [--other GROUNDSWELL]``: pages a second while storing, beside the spider of
``scrapy bench`` on the same site, and beside another build of the product.

``beside [--articles N] [--news-please PYTHON] [--fundus PYTHON]``: recall, duplicates, requests and dates after two
visits to a site's feed and sitemap, beside tools that are installed in environments of their own.

``hostile [--items N]``: the memory that a hostile feed takes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawl_runs import faithful, hostile, throughput
from scrapy.http import HtmlResponse

from groundswell.crawlers.dates import DateLocale, Statement, choose_date
from groundswell.crawlers.spiders.article import read_article

PAGES = Path(__file__).parents[1] / "tests" / "crawlers" / "pages"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
Answer = Mapping[str, Any]
Tool = Callable[[str, Mapping[str, str]], Answer]


def units(text: str) -> Counter[str]:
    """Return what of a text is compared: words, or pairs of letters of scripts without blanks."""
    letters = re.findall(r"[\u0e00-\u0e7f\u3400-\u9fff]", text)
    words = re.findall(r"[^\W\d_\u0e00-\u0e7f\u3400-\u9fff]+|\d+", text.lower())
    return Counter(words) + Counter(map("".join, pairwise(letters)))


def f1(found: str, right: str) -> float:
    """Return the F1 of one text against another."""
    one, other = units(found), units(right)
    same = sum((one & other).values())
    return 2 * same / (sum(one.values()) + sum(other.values())) if same else 0.0


def groundswell(html: str, page: Mapping[str, str]) -> Answer:
    """Read by us, as a sitemap's page of which the list says nothing but the address."""
    article = read_article(HtmlResponse(page["url"], body=html.encode(), encoding="utf-8"))
    if article is None:
        return {}
    locale = DateLocale(page["timezone"], page["market"], page["lang"])
    when, _ = choose_date([Statement(None), *article.dates], now=NOW, locale=locale)
    exact = when.at if when.confidence == "exact" else None
    return {"text": article.text, "title": article.title, "author": article.author, "at": exact, "day": when.day}


def trafilatura(html: str, page: Mapping[str, str]) -> Answer:
    """Read by trafilatura; its dates are days."""
    from trafilatura import bare_extraction

    found: Any = bare_extraction(html, url=page["url"], with_metadata=True, include_comments=False)
    if not found:
        return {}
    return {"text": found.text, "title": found.title, "author": found.author, "at": None, "day": _day(found.date)}


def htmldate(html: str, page: Mapping[str, str]) -> Answer:
    """Read by htmldate, asked for the time as well."""
    from htmldate import find_date

    stated = find_date(html, url=page["url"], original_date=True, outputformat="%Y-%m-%dT%H:%M:%S%z")
    return {"at": _moment(stated), "day": _day(stated)}


def newspaper(html: str, page: Mapping[str, str]) -> Answer:
    """Read by newspaper4k."""
    from newspaper import Article

    article: Any = Article(page["url"], language=page["lang"][:2])
    article.download(input_html=html)
    article.parse()
    at = article.publish_date
    moment = at if at is not None and at.tzinfo else None
    authors = ", ".join(article.authors)
    return {"text": article.text, "title": article.title, "author": authors, "at": moment, "day": at and at.date()}


def readability(html: str, page: Mapping[str, str]) -> Answer:  # noqa: ARG001  as its siblings
    """Read by readability-lxml."""
    import lxml.html
    from readability import Document

    document = Document(html)
    text = lxml.html.fromstring(document.summary()).text_content()
    return {"text": text, "title": document.short_title()}


def _moment(stated: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(stated)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None


def _day(stated: Any) -> Any:
    at = str(stated or "")[:10]
    return datetime.fromisoformat(at).date() if re.fullmatch(r"\d{4}-\d\d-\d\d", at) else None


def score(tool: Tool, *, show: bool = False) -> dict[str, float]:
    """Return the mean text F1, and how many minutes, titles and authors are right; `show` prints each page."""
    total: Counter[str] = Counter()
    pages = json.loads((PAGES / "truth.json").read_text("utf-8"))
    for page in pages:
        html = (PAGES / f"{page['page']}.html").read_text("utf-8")
        try:
            answer = tool(html, page)
        except Exception as error:  # noqa: BLE001  another tool's failure is a result
            answer = {"error": str(error)}
        right = datetime.fromisoformat(page["at"])
        at = answer.get("at")
        minute = at is not None and abs(at - right) < timedelta(minutes=1)
        text = f1(answer.get("text") or "", page["text"])
        total["pages"] += 1
        total["text"] += text  # type: ignore[assignment]  # a Counter adds floats as well
        total["minutes"] += minute
        total["wrong"] += at is not None and not minute
        total["titles"] += answer.get("title") == page["title"]
        total["authors"] += (answer.get("author") or "") == page["author"]
        if show:
            said = {
                "at": str(at),
                "day": str(answer.get("day")),
                "author": answer.get("author"),
                "text": round(text, 3),
            }
            print(page["page"], "minute" if minute else "-", said, answer.get("error", ""))
    return {**total, "text": round(total["text"] / len(pages), 3)}


def pages(*, show: bool) -> None:
    """Print a line for each tool."""
    print(f"{'':14}{'text F1':>9}{'minutes':>9}{'wrong':>7}{'titles':>8}{'authors':>9}   of 21")
    for tool in (groundswell, trafilatura, readability, newspaper, htmldate):
        found = score(tool, show=show and tool is groundswell)
        cells = (found[name] for name in ("text", "minutes", "wrong", "titles", "authors"))
        print(
            f"{tool.__name__:14}"
            + "".join(f"{cell:>{width}}" for cell, width in zip(cells, (9, 9, 7, 8, 9), strict=True))
        )


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["pages", "throughput", "beside", "hostile"])
    parser.add_argument("--show", action="store_true", help="pages: our answer for each")
    parser.add_argument("--articles", type=int, default=500, help="articles that the site has")
    parser.add_argument("--rounds", type=int, default=3, help="throughput: how often each is run")
    parser.add_argument("--other", type=Path, help="throughput: the program of another build")
    parser.add_argument("--news-please", type=Path, help="beside: the Python that has it")
    parser.add_argument("--fundus", type=Path, help="beside: the Python that has it")
    parser.add_argument("--items", type=int, default=10_000, help="hostile: items of the feed")
    given = parser.parse_args()
    if given.part == "pages":
        pages(show=given.show)
    elif given.part == "throughput":
        throughput(given.articles, given.rounds, given.other)
    elif given.part == "beside":
        tools = {"news-please": given.news_please, "fundus": given.fundus}
        faithful(given.articles, {name: python for name, python in tools.items() if python}, f1)
    else:
        hostile(given.items)


if __name__ == "__main__":
    main()
