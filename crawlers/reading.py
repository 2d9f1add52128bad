"""Reading a followed page: the article on it, or what stands in its place."""

from __future__ import annotations

from scrapy.http import Response

from groundswell.crawlers.spiders.article import Article, read_article
from groundswell.crawlers.walls import SURE, astray, is_other, likeness, wall_of


def look(page: Response, *, title: str, summary: str, url: str) -> tuple[Article | None, str]:
    """Return the article on a page, and what stands in its place (empty where it is what the list said).

    Args:
        page: as it was fetched.
        title: what the list calls the article, or empty.
        summary: what the list says of it, or empty.
        url: the address that the list gave.
    """
    if lost := astray(url, page):
        return None, lost
    found = read_article(page, title)
    page_text = f"{found.title}\n{found.text}" if found else ""
    is_about = len(page_text) > 4 * len(title) and (likeness(title, page_text) or 0.0) >= SURE
    if not is_about and (wall := wall_of(page)):
        return None, wall
    if found and is_other(title, summary, url, page_text):
        return None, "a page about something else"
    return found, ""
