"""The real formats, written from items: RSS, Atom, news sitemap, article page, Algolia's, Mastodon's and Apple's JSON.

Shapes, limits and oddities are those of the originals; each function names them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from urllib.parse import quote

from groundswell.crawlers.replica.grammar import Site
from groundswell.crawlers.replica.story import Item, snowflake

FEED_ENTRIES = 300
"""A feed shows only its newest entries."""
SITEMAP_URLS = 120
"""Addresses in one part of a sitemap (the protocol allows a news sitemap 1,000)."""
APPLE_PAGE, APPLE_PAGES = 50, 10
HN_HITS = 1000
"""Algolia pages no deeper than this."""


def paragraphs(text: str) -> str:
    """Return a text as HTML paragraphs."""
    return "".join(f"<p>{escape(part, quote=False)}</p>" for part in text.split("\n\n"))


def address(base: str, item: Item) -> str:
    """Return the item's full link, tracking parameters included."""
    return base + quote(item.link, safe="/@.-_~") + (f"?{item.query}" if item.query else "")


def newest(items: Sequence[Item]) -> list[Item]:
    """Return items newest first."""
    return sorted(items, key=lambda item: (item.appears, item.number), reverse=True)


# RSS 2.0 and Atom


def rss(site: Site, items: Sequence[Item], base: str) -> bytes:
    """Return an RSS 2.0 feed; an undated entry simply has no pubDate."""
    entries = "".join(_rss_entry(site, item, base) for item in newest(items)[:FEED_ENTRIES])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{escape(site.title)}</title><link>{base}/{site.name}/</link>"
        f'<atom:link href="{base}/{site.name}/feed.xml" rel="self" type="application/rss+xml"/>'
        f"<description>{escape(site.title)}</description><language>{site.langs[0]}</language><ttl>15</ttl>"
        f"{entries}</channel></rss>\n"
    ).encode()


def _rss_entry(site: Site, item: Item, base: str) -> str:
    date = f"<pubDate>{format_datetime(item.published)}</pubDate>" if item.published else ""
    lead = item.text.split("\n\n")[0]
    if site.link_only:
        body = f"<description>{escape(lead)}</description>"
    else:
        body = (
            f"<description>{escape(paragraphs(lead))}</description>"
            f"<content:encoded><![CDATA[{_markup(item).replace(']]>', ']]&gt;')}]]></content:encoded>"
        )
    return (
        f"<item><title>{escape(item.title)}</title><link>{escape(address(base, item))}</link>"
        f'<guid isPermaLink="false">{site.name}-{item.number}</guid>{date}'
        f"<dc:creator>{escape(item.author)}</dc:creator>{body}</item>\n"
    )


def _markup(item: Item) -> str:
    """Return the text as HTML; what a hostile author wrote as markup stays markup."""
    return item.text if item.quirk == "markup" else paragraphs(item.text)


def atom(site: Site, items: Sequence[Item], base: str) -> bytes:
    """Return an Atom feed whose entry links are relative to xml:base."""
    entries = "".join(_atom_entry(site, item) for item in newest(items)[:FEED_ENTRIES])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{base}/"'
        f' xml:lang="{site.langs[0]}"><title>{escape(site.title)}</title><id>tag:replica.test,2026:{site.name}</id>'
        f'<link rel="self" href="{base}/{site.name}/feed.xml"/>{entries}</feed>\n'
    ).encode()


def _atom_entry(site: Site, item: Item) -> str:
    stamp = item.published.isoformat() if item.published else ""
    dates = f"<published>{stamp}</published><updated>{stamp}</updated>" if stamp else ""
    return (
        f"<entry><id>tag:replica.test,2026:{site.name}/{item.number}</id><title>{escape(item.title)}</title>"
        f'<link rel="alternate" type="text/html" href="{escape(address("", item))}"/>{dates}'
        f"<author><name>{escape(item.author)}</name></author>"
        f'<content type="html">{escape(_markup(item))}</content></entry>\n'
    )


# News sitemap and article pages


def sitemap_index(site: Site, items: Sequence[Item], base: str) -> bytes:
    """Return an index that names the parts."""
    parts = "".join(
        f"<sitemap><loc>{base}/{site.name}/news-{number}.xml.gz</loc>"
        f"<lastmod>{max(item.appears for item in part).isoformat()}</lastmod></sitemap>"
        for number, part in enumerate(_parts(items))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{parts}</sitemapindex>\n'
    ).encode()


def _parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    oldest = sorted(items, key=lambda item: (item.appears, item.number))
    return [oldest[place : place + SITEMAP_URLS] for place in range(0, len(oldest), SITEMAP_URLS)]


def sitemap_part(site: Site, items: Sequence[Item], base: str, number: int) -> bytes | None:
    """Return one gzipped part (a .gz file, not a Content-Encoding), or ``None`` where there is no such part."""
    parts = _parts(items)
    if not 0 <= number < len(parts):
        return None
    urls = "".join(_sitemap_url(site, item, base) for item in parts[number])
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>\n'
    )
    return gzip.compress(xml.encode(), mtime=0)


def _sitemap_url(site: Site, item: Item, base: str) -> str:
    date = f"<news:publication_date>{item.published.isoformat()}</news:publication_date>" if item.published else ""
    return (
        f"<url><loc>{escape(address(base, item))}</loc><news:news><news:publication><news:name>{escape(site.title)}"
        f"</news:name><news:language>{item.lang}</news:language></news:publication>{date}"
        f"<news:title>{escape(item.title)}</news:title></news:news></url>\n"
    )


def page(site: Site, item: Item, base: str, others: Sequence[Item]) -> bytes:
    """Return an article or thread page with all that surrounds one: navigation, cookie banner, adverts, footer."""
    stamp = item.published.isoformat() if item.published else ""
    dates = f'<meta property="article:published_time" content="{stamp}">' if stamp else ""
    shown = f'<time datetime="{stamp}">{item.published:%d %b %Y, %H:%M} UTC</time>' if item.published else ""
    more = "".join(f'<li><a href="{escape(address("", other))}">{escape(other.title)}</a></li>' for other in others)
    charset = "" if item.quirk == "charset" else '<meta charset="utf-8">'
    return (
        f'<!doctype html><html lang="{item.lang}"><head>{charset}'
        f"<title>{escape(item.title)} | {escape(site.title)}</title>"
        f'<link rel="canonical" href="{base}{quote(item.link, safe="/@.-_~")}">'
        f'<meta property="og:type" content="article"><meta property="og:title" content="{escape(item.title)}">'
        f'<meta property="og:site_name" content="{escape(site.title)}">{dates}'
        f'<script type="application/ld+json">{_json_ld(site, item, stamp)}</script>'
        "<style>body{font-family:sans-serif}</style><script>window.dataLayer=window.dataLayer||[];</script></head><body>"
        '<div id="cookie-consent" role="dialog">We value your privacy. We and our 214 partners store cookies. '
        "<button>Accept all</button> <button>Manage options</button></div>"
        f'<header><a href="/{site.name}/">{escape(site.title)}</a><nav><ul>'
        f'<li><a href="/{site.name}/latest">Latest</a></li>'
        '<li><a href="#">Business</a></li><li><a href="#">Tech</a></li><li><a href="#">Lifestyle</a></li>'
        '<li><a href="#">Subscribe</a></li></ul></nav></header>'
        '<aside class="ad-slot" aria-label="Advertisement">Advertisement'
        "<div>Fly from $79. Book by Sunday.</div></aside>"
        f'<main><article><h1>{escape(item.title)}</h1><p class="byline">{escape(item.author)} {shown}</p>'
        f'<div class="article-body">{_markup(item)}</div></article></main>'
        f'<section class="related"><h2>More from {escape(site.title)}</h2><ul>{more}</ul></section>'
        '<aside class="newsletter"><form>Get our morning briefing <input name="email">'
        "<button>Sign up</button></form></aside>"
        f"<footer>© {escape(site.title)}. All rights reserved. <a href='#'>Terms</a> <a href='#'>Privacy</a></footer>"
        "</body></html>"
    ).encode()


def _json_ld(site: Site, item: Item, stamp: str) -> str:
    data: dict[str, Any] = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": item.title}
    data |= {"publisher": {"@type": "Organization", "name": site.title}}
    data |= {"datePublished": stamp} if stamp else {}
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


# Hacker News as Algolia answers


def hackernews(items: Sequence[Item], arguments: Mapping[str, str]) -> bytes:
    """Answer /api/v1/search_by_date: query words all needed, numericFilters on created_at_i, paged, newest first."""
    found = [item for item in newest(items) if item.published and _hn_matches(item, arguments)]
    size = max(1, min(int(arguments.get("hitsPerPage", "20")), 1000))
    at, reachable = int(arguments.get("page", "0")), found[:HN_HITS]
    answer = {
        "hits": [_hn_hit(item) for item in reachable[at * size : (at + 1) * size]],
        "nbHits": len(found),
        "page": at,
        "nbPages": -(-len(reachable) // size),
        "hitsPerPage": size,
        "exhaustiveNbHits": True,
        "query": arguments.get("query", ""),
        "processingTimeMS": 3,
    }
    return json.dumps(answer).encode()


def _hn_matches(item: Item, arguments: Mapping[str, str]) -> bool:
    text = f"{item.title} {item.text}".casefold()
    created = int(item.published.timestamp()) if item.published else 0
    words = arguments.get("query", "").replace('"', " ").casefold().split()
    tags = arguments.get("tags", "")
    kind = "story" if item.title else "comment"
    return (
        all(word in text for word in words)
        and (not tags or kind in tags)
        and all(_numeric(rule, created) for rule in arguments.get("numericFilters", "").split(",") if rule)
    )


def _numeric(rule: str, created: int) -> bool:
    for sign in (">=", "<=", ">", "<", "="):
        name, found, bound = rule.partition(sign)
        if found and name.strip() == "created_at_i":
            limit = int(bound)
            return {
                ">=": created >= limit, "<=": created <= limit, ">": created > limit, "<": created < limit,
                "=": created == limit,
            }[sign]  # fmt: skip
    return True


def _hn_hit(item: Item) -> dict[str, Any]:
    created = item.published or item.appears
    story = bool(item.title)
    html = escape(item.text, quote=True).replace("\n\n", "<p>")
    return {
        "objectID": str(item.number),
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "created_at_i": int(created.timestamp()),
        "author": item.author,
        "title": item.title if story else None,
        "url": None,
        "story_text": html if story else None,
        "comment_text": None if story else html,
        "story_id": item.number if story else item.number - 37 * (item.number % 11 + 1),
        "parent_id": None if story else item.number - 37,
        "points": item.reach + 1 if story else None,
        "num_comments": item.reach // 2 if story else None,
        "_tags": ["story" if story else "comment", f"author_{item.author}", f"story_{item.number}"],
    }


# Mastodon


def statuses(items: Sequence[Item], arguments: Mapping[str, str]) -> list[Item]:
    """Return a page of a tag's timeline, newest first; with min_id the page just above it, as Mastodon does."""
    found = sorted(items, key=lambda item: int(snowflake(item)), reverse=True)
    size = max(1, min(int(arguments.get("limit", "20")), 40))
    if "max_id" in arguments:
        found = [item for item in found if int(snowflake(item)) < int(arguments["max_id"])]
    if "since_id" in arguments:
        found = [item for item in found if int(snowflake(item)) > int(arguments["since_id"])]
    if "min_id" in arguments:
        return [item for item in found if int(snowflake(item)) > int(arguments["min_id"])][-size:]
    return found[:size]


def mastodon(shown: Sequence[Item], base: str) -> bytes:
    """Return statuses as JSON."""
    return json.dumps([_status(item, base) for item in shown], ensure_ascii=False).encode()


def link_header(shown: Sequence[Item], path: str, base: str) -> str:
    """Return the Link header of a page (empty for an empty page)."""
    if not shown:
        return ""
    older, newer = snowflake(shown[-1]), snowflake(shown[0])
    where = base + quote(path, safe="/")
    return f'<{where}?max_id={older}>; rel="next", <{where}?min_id={newer}>; rel="prev"'


def _status(item: Item, base: str) -> dict[str, Any]:
    link = address(base, item)
    return {
        "id": snowflake(item),
        "created_at": (item.published or item.appears).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "edited_at": None,
        "in_reply_to_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": item.lang,
        "uri": link,
        "url": link,
        "replies_count": item.reach // 3,
        "reblogs_count": item.reach,
        "favourites_count": item.reach * 2,
        "content": _status_html(item, base),
        "reblog": None,
        "account": _account(item, base),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": tag, "url": f"{base}/tags/{quote(tag)}"} for tag in item.tags],
    }


def _status_html(item: Item, base: str) -> str:
    if item.quirk == "markup":
        return item.text
    body = escape(item.text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br />")
    tags = " ".join(
        f'<a href="{base}/tags/{quote(tag)}" class="mention hashtag" rel="tag">#<span>{escape(tag)}</span></a>'
        for tag in item.tags
    )
    return f"<p>{body} {tags}</p>"


def _account(item: Item, base: str) -> dict[str, Any]:
    return {
        "id": str(sum(map(ord, item.author)) * 7919),
        "username": item.author,
        "acct": item.author,
        "display_name": item.author.replace("_", " ").title(),
        "bot": False,
        "url": f"{base}/@{item.author}",
    }


# Apple's customer reviews


def apple(site: Site, app: Mapping[str, Any], items: Sequence[Item], base: str, number: int) -> bytes:
    """Return a page of reviews; a single entry is an object, no entry is no key at all: so it is with the original."""
    shown = newest(items)[(number - 1) * APPLE_PAGE : number * APPLE_PAGE]
    entries = [_review(item, app, base) for item in shown]
    feed: dict[str, Any] = {
        "author": {"name": {"label": "Replica Store"}, "uri": {"label": f"{base}/"}},
        "updated": {"label": datetime.now(UTC).isoformat(timespec="seconds")},
        "rights": {"label": "Copyright 2026"},
        "title": {"label": f"{app['title']}: Customer Reviews"},
        "id": {"label": f"{base}/{site.market.lower()}/rss/customerreviews/id={app['id']}/sortby=mostrecent/json"},
    }
    if entries:
        feed["entry"] = entries if len(entries) > 1 else entries[0]
    return json.dumps({"feed": feed}, ensure_ascii=False).encode()


def _review(item: Item, app: Mapping[str, Any], base: str) -> dict[str, Any]:
    return {
        "author": {"uri": {"label": f"{base}/reviews/id{item.number}"}, "name": {"label": item.author}, "label": ""},
        "updated": {"label": (item.published or item.appears).isoformat()},
        "im:rating": {"label": str(item.stars)},
        "im:version": {"label": f"{item.appears.month}.{item.appears.day // 8}.{item.number % 3}"},
        "id": {"label": str(item.number)},
        "title": {"label": item.title},
        "content": {"label": item.text, "attributes": {"type": "text"}},
        "link": {"attributes": {"rel": "related", "href": f"{base}/review?id={app['id']}&type=Purple%20Software"}},
        "im:voteSum": {"label": str(item.reach)},
        "im:contentType": {"attributes": {"term": "Application", "label": "Application"}},
        "im:voteCount": {"label": str(item.reach)},
    }
