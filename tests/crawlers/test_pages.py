"""Articles in the shapes of the region's sites: their own text, minute and author, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import HtmlResponse

from groundswell.crawlers.dates import DateLocale, Statement, When, choose_date
from groundswell.crawlers.spiders.article import Article, read_article

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PAGES = Path(__file__).parent / "pages"
TRUTH: list[dict[str, str]] = json.loads((PAGES / "truth.json").read_text("utf-8"))
BODY = "".join(
    f"<p>Paragraph {n} tells at length what shop owners said about the fees they were charged.</p>" for n in range(5)
)


def article_of(html: str, url: str = "https://x.example/story-1") -> Article:
    """Return the article on a page."""
    article = read_article(HtmlResponse(url, body=html.encode(), encoding="utf-8"))
    assert article is not None
    return article


def when_of(html: str, market: str = "SG", listed: Any = None, url: str = "https://x.example/story-1") -> When:
    """Return when a page's article was published, beside what a list says of it."""
    statements = [Statement(listed), *article_of(html, url).dates]
    return choose_date(statements, now=NOW, locale=DateLocale(market=market))[0]


@pytest.mark.parametrize("page", TRUTH, ids=lambda page: page["page"])
def test_a_page_gives_its_minute_its_words_and_its_author(page: dict[str, str]) -> None:
    """To the minute in UTC; every paragraph and the lead, and no date, byline or other story among them."""
    article = article_of((PAGES / f"{page['page']}.html").read_text("utf-8"), page["url"])
    locale = DateLocale(page["timezone"], page["market"], page["lang"])
    when, _ = choose_date(article.dates, now=NOW, locale=locale)
    assert when.at is not None
    assert (when.at.replace(second=0), when.confidence) == (datetime.fromisoformat(page["at"]), "exact")
    assert article.title == page["title"]
    assert [line for line in page["text"].splitlines() if line not in article.text] == []
    assert len(article.text) < 1.15 * len(page["text"])
    assert not page["author"] or article.author in {page["author"], ""} or page["author"] in article.author


def page_with(more: str = "", head: str = "", footer: str = "© 2026") -> str:
    """Return a page with something between heading and body."""
    return (
        f"<html><head><title>Fees doubled overnight</title>{head}</head><body><h1>Fees doubled overnight</h1>{more}"
        f"<div class='body'>{BODY}</div><footer>{footer}</footer></body></html>"
    )


def data(value: Any) -> str:
    """Return JSON-LD."""
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


OTHER = {"@type": "NewsArticle", "headline": "Another story", "url": "https://x.example/story-0"}
OTHER["datePublished"] = "2026-11-01T08:00+08:00"
META = '<meta property="article:published_time" content="2026-11-29T10:30+08:00">'
OWN = {"@type": "NewsArticle", "headline": "Fees doubled overnight", "datePublished": "2026-11-29T10:30:00+08:00"}


@pytest.mark.parametrize(
    "head",
    [
        data([OTHER, OWN]),
        data(OTHER) + data(OWN),
        data({"@graph": [{"@type": "WebSite", "datePublished": "2011-01-01"}, OTHER, OWN]}),
        data({"@type": "ItemList", "itemListElement": [OTHER]}) + data(OWN),
        data({**OWN, "headline": "", "mainEntityOfPage": {"@id": "https://x.example/story-1/"}}) + data(OTHER),
        data({**OWN, "hasPart": [OTHER], "video": {"@type": "VideoObject", "uploadDate": "2020-01-01"}}),
        data({**OWN, "datePublished": "0000-00-00"}) + META,
        '<script type="application/ld+json">{broken</script>' + data(OWN),
    ],
)  # fmt: skip
def test_only_the_articles_own_data_tell_its_date(head: str) -> None:
    """Other objects on the page, lists, sites and videos have dates of their own; a placeholder blocks nothing."""
    assert when_of(page_with(head=head)).at == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "html",
    [
        page_with(footer="© 2020 Example. Published since 1 January 2001"),
        page_with("<aside><time datetime='2026-11-01T08:00Z'>1 Nov 2026</time></aside>"),
        page_with("<ul class='related-news'><li><span class='date'>28 Nov 2026 10:00</span></li></ul>"),
        page_with("<a href='/old'><span class='date'>28 Nov 2026 10:00</span></a>"),
        page_with(head=data(OTHER)),
    ],
)
def test_a_page_that_states_no_date_of_its_own_has_none(html: str) -> None:
    """Footers, lists of old stories and other stories' data are never taken for it."""
    assert when_of(html).at is None


def test_what_the_list_states_stands_and_the_page_only_fills_it_in() -> None:
    """Another day changes nothing; the minute of the same day does; a guess is for where nothing is stated."""
    html = page_with("<div class='date'>29 Nov 2026 10:30 AM</div>")
    assert when_of(html, listed="2026-11-29").at == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
    assert when_of(html, listed="2026-11-27").at == datetime(2026, 11, 27, tzinfo=UTC)
    assert when_of(html, listed="0000-00-00").at == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
    dated = when_of(page_with(), url="https://x.example/2026/11/29/fees")
    assert (dated.at, dated.confidence) == (datetime(2026, 11, 29, tzinfo=UTC), "inferred")


def test_a_touch_is_not_a_publication() -> None:
    """Updated, 更新, diperbarui: the moment before it is the one."""
    for published, updated in (
        ("Published 29 Nov 2026 10:30 AM", "Updated 30 Nov 2026 9:00 AM"),
        ("出版：2026-11-29 10:30", "更新：2026-11-30 09:00"),
        ("Tayang: 29/11/2026, 10:30", "Diperbarui: 30/11/2026, 09:00"),
    ):
        html = page_with(f"<div class='date'><span>{updated}</span> <span>{published}</span></div>")
        assert when_of(html).at == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", ["สมศรี มีสุข", "นที ศรีดี", "林小姐", "Nguyễn Thị Mỹ", "ปู"])
def test_a_name_keeps_its_last_mark(name: str) -> None:
    """A name that loses its last vowel is another person's hash."""
    for html in (
        page_with(head=f'<meta name="author" content="{name}">'),
        page_with(f"<div class='author-name'>{name}</div>"),
    ):
        assert article_of(html).author == name
