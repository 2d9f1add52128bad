"""What an address offers to a crawler: told from its first answer, and from where a site says it keeps its feeds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml.etree import ParserError

from groundswell.crawlers.addresses import absolute
from groundswell.crawlers.dates import read_date
from groundswell.crawlers.spiders.jsonfeed import is_jsonfeed
from groundswell.crawlers.spiders.sitemap import Place, addresses_of
from groundswell.crawlers.spiders.sitemap import parse as parse_sitemap
from groundswell.crawlers.syndication import Entry, NoFeedError, read_feed

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
PATHS = (
    "/feed", "/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss/news", "/feed.json",
    "/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml", "/sitemap-news.xml", "/wp-json/wp/v2/posts",
    "/posts.json", "/api/v3/site", "/api/v4/site", "/api/v2/instance",
)  # fmt: skip
"""Where sites keep feeds, sitemaps and the interfaces of WordPress, Discourse, Lemmy and Mastodon by custom."""
LOOKS_LIKE_A_FEED = re.compile(r"(^|[/._?=-])(rss|feeds?|atom)([/._?=-]|$)", re.IGNORECASE)
MOST_LINKS = 12
MARKETS = {"sg": "SG", "my": "MY", "id": "ID", "th": "TH", "vn": "VN", "ph": "PH", "au": "AU", "nz": "NZ", "uk": "GB"}
RANK = ("feed", "jsonfeed", "discourse", "lemmy", "mastodon", "wordpress", "news sitemap", "sitemap", "sitemap index")
"""What is best to read, first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that can be read: what it is, where, its own name, how many items it shows and the newest of them."""

    what: str
    url: str
    title: str = ""
    lang: str = ""
    items: int = 0
    newest: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it travels in a mark."""
        return asdict(self)


def classify(text: str, url: str, *, now: datetime) -> Found | None:
    """Return what an answer is, or ``None`` where it is nothing that can be read."""
    plain = text.lstrip("\ufeff \t\r\n")
    if plain[:1] in {"{", "["}:
        return _of_json(plain, url, now)
    if "<" not in plain[:200]:
        return _of_list(plain, url)
    try:
        feed = read_feed(text)
    except NoFeedError:
        return _of_sitemap(text, url, now)
    entries = [entry for _, entry in feed.entries() if isinstance(entry, Entry)]
    stamps = [stamp for entry in entries for stamp in (*entry.published, *entry.updated)[:1]]
    newest = _newest(stamps, now)
    return Found(what="feed", url=url, title=feed.title, lang=feed.lang, items=len(entries), newest=newest)


def links_of(text: str, url: str) -> Iterator[str]:
    """Yield where a page says that its feeds are: its alternates, then what it links to that looks like one."""
    try:
        page = lxml.html.document_fromstring(text[:2_000_000])
    except (ParserError, ValueError):
        return
    stated = [node.get("href") for node in page.iter("link") if (node.get("type") or "").lower().strip() in FEED_TYPES]
    linked = [node.get("href") for node in page.iter("a") if LOOKS_LIKE_A_FEED.search(node.get("href") or "")]
    found = (absolute(str(each), url) for each in [*stated, *linked[:MOST_LINKS]] if each)
    yield from dict.fromkeys(each for each in found if each)


def sitemaps_of(robots: str, url: str) -> Iterator[str]:
    """Yield the sitemaps that a robots.txt names."""
    for line in robots.splitlines()[:5_000]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "sitemap" and (where := absolute(value.strip(), url)):
            yield where


def lang_of(text: str) -> str:
    """Return the language that a page states."""
    stated = re.search(r"<html\b[^>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)", text[:20_000])
    return stated[1] if stated else ""


def source_of_found(found: Found, *, kind: str = "", market: str = "", lang: str = "") -> dict[str, Any]:
    """Return the settings of a source that reads what was found, guessed where nobody says them."""
    host = urlsplit(found.url).hostname or ""
    forum = found.what in {"discourse", "lemmy", "mastodon"}
    given: dict[str, Any] = {
        "format": {"wordpress": "json", "news sitemap": "sitemap", "sitemap index": "sitemap"}.get(
            found.what, found.what
        ),
        "title": found.title or host,
        "kind": kind or ("post" if forum else "news"),
        "market": market or MARKETS.get(host.rsplit(".", maxsplit=1)[-1], ""),
        "lang": lang or found.lang,
    }
    base = urljoin(found.url, "/").rstrip("/")
    more: Mapping[str, dict[str, Any]] = {
        "feed": {"urls": [found.url]},
        "jsonfeed": {"urls": [found.url]},
        "discourse": {"url": found.url.removesuffix("/posts.json")},
        "lemmy": {"url": base, "watch": ["ads"]},
        "mastodon": {"url": base, "watch": ["ads.advertising"]},
        "wordpress": {
            "urls": [f"{found.url.split('?')[0]}?per_page=50"],
            "html": True,
            "by_address": True,
            "fields": {
                "id": "id",
                "title": "title.rendered",
                "text": "content.rendered",
                "url": "link",
                "published_at": "join('', [date_gmt, `\"Z\"`])",
            },
            "paging": {"by": "page", "size": 50, "pages": 3},
        },
    }
    given |= more.get(found.what, {"urls": [found.url], "max_items": 200, "backfill_days": 2})
    return {name: value for name, value in given.items() if value not in ("", None)}


def best_first(found: Iterator[Found] | list[Found]) -> list[Found]:
    """Return what is best to read first: feeds before sitemaps, what has items before what has none."""
    once: dict[str, Found] = {}
    for each in found:
        once.setdefault(each.url.rstrip("/"), each)
    return sorted(once.values(), key=lambda each: (RANK.index(each.what), not each.items, each.url))


def _of_json(text: str, url: str, now: datetime) -> Found | None:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if is_jsonfeed(answer):
        stamps = [str(each.get("date_published") or "") for each in answer["items"] if isinstance(each, dict)]
        title, lang = str(answer.get("title") or ""), str(answer.get("language") or "")
        return Found(
            what="jsonfeed", url=url, title=title, lang=lang, items=len(answer["items"]), newest=_newest(stamps, now)
        )
    if isinstance(answer, list):
        posts = [each for each in answer if isinstance(each, dict) and {"date_gmt", "link", "content"} <= set(each)]
        stamps = [f"{each['date_gmt']}Z" for each in posts]
        return Found(what="wordpress", url=url, items=len(posts), newest=_newest(stamps, now)) if posts else None
    return _of_service(answer, url, now) if isinstance(answer, dict) else None


def _of_service(answer: dict[str, Any], url: str, now: datetime) -> Found | None:
    posts = answer.get("latest_posts")
    if isinstance(posts, list):
        stamps = [str(each.get("created_at") or "") for each in posts if isinstance(each, dict)]
        return Found(what="discourse", url=url, items=len(posts), newest=_newest(stamps, now))
    site = (answer.get("site_view") or {}).get("site") if isinstance(answer.get("site_view"), dict) else None
    if isinstance(site, dict):
        return Found(what="lemmy", url=url, title=str(site.get("name") or ""))
    if isinstance(answer.get("version"), str) and "domain" in answer and "registrations" in answer:
        return Found(what="mastodon", url=url, title=str(answer.get("title") or ""))
    return None


def _of_list(text: str, url: str) -> Found | None:
    links = addresses_of(text)
    return Found(what="sitemap", url=url, items=len(links)) if links else None


def _of_sitemap(text: str, url: str, now: datetime) -> Found | None:
    kind, stated = parse_sitemap(text)
    places = [place for place in stated if isinstance(place, Place)]
    if kind == "sitemapindex":
        return Found(what="sitemap index", url=url, items=len(places)) if places else None
    if kind != "urlset" or not places:
        return None
    news = any(place.published for place in places)
    newest = _newest([place.published or place.lastmod for place in places], now)
    return Found(what="news sitemap" if news else "sitemap", url=url, items=len(places), newest=newest)


def _newest(stamps: list[str], now: datetime) -> str:
    dated = [at for stamp in stamps if stamp and (at := read_date(stamp, now=now).at)]
    return max(dated).isoformat() if dated else ""


def named(found: Found, title: str, lang: str) -> Found:
    """Return it with the name and language of its site where it states none itself."""
    return replace(found, title=found.title or title, lang=found.lang or lang)


__all__ = ["PATHS", "Found", "best_first", "classify", "lang_of", "links_of", "named", "sitemaps_of", "source_of_found"]
