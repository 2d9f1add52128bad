"""What trafilatura leaves out of an article's own words, or leaves in that is none: leads, bylines, dates, copies."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from groundswell.crawlers.dates.spans import date_spans
from groundswell.crawlers.spiders.page_dates import Page, is_elsewhere, short_text

LEAD = re.compile(
    r"\b(sapo|lead|lede|description|excerpt|standfirst|dek|intro|subtitle|sub-title|summary|teaser)\b|sapo"
)
"""Names of what stands between heading and body; Vietnamese papers call it sapo."""
LEAD_LETTERS = range(30, 1500)
MOST_ELEMENTS = 5_000
FIRST_LINES = 6
LAST_LINES = 2
BYLINE_LETTERS = 80
BESIDE_A_DATE = 24
"""So many letters may stand beside a date in a line that is only that ("发布：", "Example.com -", "来源：示例社")."""
COPY_LETTERS = 15
NAME_LETTERS = 30
NO_LETTER = re.compile(r"[\W_]+")
BY = re.compile(
    r"^\s*(by|oleh|penulis|reporter|ni|nina|bởi|tác giả|theo|ผู้เขียน|โดย|เรื่อง|撰文|作者|文|記者|记者|本报记者"
    r"|责任编辑|責任編輯|编辑|編輯)\s*(?:[:：/／|]\s*|\s+|(?=[\u4e00-\u9fff]))",
    re.IGNORECASE,
)
AFTER_NAME = re.compile(r"\s*[／/|].*$|\s*(?:報導|报道|綜合報導)$")
NOT_A_NAME = re.compile(
    r"\b(developer|admin|administrator|editor|redaksi|webmaster|user|staff)\b|https?://|@|\.com\b", re.IGNORECASE
)
AUTHOR_PATHS = (
    '//meta[@name="author" or @property="author" or @name="article:author" or @name="dc.creator"]/@content',
    '//*[@itemprop="author"]//*[@itemprop="name"]',
    '//*[@rel="author"]',
    '//*[contains(@class, "author-name") or contains(@class, "author_name")]',
    '//*[contains(@class, "author") and not(contains(@class, "authors")) and string-length(normalize-space()) < 60]',
    '//*[contains(@class, "byline") and string-length(normalize-space()) < 60]',
)


def own_text(text: str, page: Page, title: str, author: str) -> str:
    """Return an article's text with its lead, without the lines that are only a date or a byline, each line once."""
    lines = [line for line in text.splitlines() if line.strip() and line.strip() != title]
    own = [
        line
        for k, line in enumerate(lines)
        if FIRST_LINES <= k < len(lines) - LAST_LINES or not is_about_itself(line, author)
    ]
    once = [line for k, line in enumerate(own) if len(line) < COPY_LETTERS or line not in own[:k]]
    leads = list(dict.fromkeys(_leads(page)))
    letters = _letters("".join(once)) if leads else ""
    missing = (lead for lead in leads if _letters(lead)[:60] not in letters)
    return "\n".join([*islice(missing, 1), *once])


def is_about_itself(line: str, author: str) -> bool:
    """Return whether a line says when or by whom an article was written, and nothing else."""
    if len(line) > 2 * BYLINE_LETTERS:
        return False
    spans = [span for span, _ in date_spans(line)]
    if spans:
        rest = len(_letters(line)) - sum(len(_letters(span)) for span in spans)
        return rest <= max(BESIDE_A_DATE, len(_letters(author)) + 8)
    by, name = BY.match(line), clean_name(line)
    named = bool(name) and (name == author or bool(by and by[0].rstrip()[-1:] in ":：" and len(name) <= NAME_LETTERS))
    return named and len(line) <= BYLINE_LETTERS


def _leads(page: Page) -> Iterator[str]:
    """Yield the leads of a page: what is called so, close to the heading, and stated again nowhere else."""
    for element in islice(page.root.iter("p", "h2", "h3", "div"), MOST_ELEMENTS):
        name = f"{element.get('class', '')} {element.get('data-role', '')} {element.get('itemprop', '')}".lower()
        if name != "  " and LEAD.search(name) and not is_elsewhere(page, element):
            text = " ".join(short_text(element, LEAD_LETTERS.stop))
            if len(text) in LEAD_LETTERS and len(element.findall(".//p")) <= 2:
                yield text


def page_author(page: Page, own: list[Mapping[str, Any]], found: str) -> str:
    """Return who wrote an article: by its own data, its meta elements, its byline; else what was found otherwise.

    Not what trafilatura answers first, which takes the last vowel or tone mark off a Thai name.
    """
    names = (clean_name(name) for name in chain(_stated_authors(page, own), [found]))
    return next((name for name in names if 1 < len(name) <= 100 and not NOT_A_NAME.search(name)), "")


def _stated_authors(page: Page, own: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a page calls its author, the surest first."""
    for node in own:
        yield from _names(node.get("author"))
    for path in AUTHOR_PATHS:
        for each in page.root.xpath(path)[:3]:
            if isinstance(each, str):
                yield each
            elif not is_elsewhere(page, each, links=False):
                yield each.text_content()


def _names(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        name = each.get("name") if isinstance(each, Mapping) else each
        if isinstance(name, str):
            yield name


def clean_name(text: str) -> str:
    """Return a name without what stands around it (By, Oleh, 撰文：, ／台北報導), in the letters it was written in."""
    line = " ".join(text.split())
    return AFTER_NAME.sub("", BY.sub("", line)).strip(" :：-–|,")


def _letters(text: str) -> str:
    return NO_LETTER.sub("", unicodedata.normalize("NFKC", text).lower())
