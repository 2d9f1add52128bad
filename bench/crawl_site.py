"""A news site on loopback for ``bench/crawl.py``: its truth is known, its pages have the weight of real ones.

``python bench/crawl_site.py FOLDER --articles 1000 [--kind plain|true]`` writes ``site.json`` with the address and, for
every article, what is true of it; serves until it is ended; counts requests at ``/__asked``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ZONE = timezone(timedelta(hours=8))
SECTIONS = ("business", "technology", "singapore", "world")
TALK = """
advert payout creator account banned refund scam video deepfake endorsement platform campaign budget click invoice
appeal review minister police bank transfer warning victims losses network policy rollout feature outage market users
complained support replied company statement regulator fine report figures quarter growth subscription price
"""
WORDS = TALK.split()
NAMES = ("Tan Wei Ling", "Siti Rahmah", "Nguyen Thi Hoa", "Maria Santos", "Somchai Jaidee", "Priya Nair")
PARAGRAPHS, LINKS = 7, 40


@dataclass(frozen=True, slots=True)
class Article:
    """What is true of an article: where it is, what it says, when it was published (UTC, to the minute)."""

    path: str
    title: str
    text: str
    author: str
    at: str


def articles(count: int, seed: int = 7) -> list[Article]:
    """Return articles, the newest first, twenty minutes apart."""
    made = []
    for number in range(count):
        draw = random.Random(f"{seed}-{number}")  # noqa: S311  no secret
        title = " ".join(draw.choices(WORDS, k=7)).capitalize() + f" {number}"
        text = "\n".join(_paragraph(draw) for _ in range(PARAGRAPHS))
        at = NOW - timedelta(minutes=20 * number + 13)
        slug = title.lower().replace(" ", "-")
        path = f"/{SECTIONS[number % len(SECTIONS)]}/{at:%Y/%m/%d}/{slug}"
        made.append(Article(path, title, text, draw.choice(NAMES), at.isoformat()))
    return made


def _paragraph(draw: random.Random) -> str:
    return " ".join(" ".join(draw.choices(WORDS, k=14)).capitalize() + "." for _ in range(4))


def page(article: Article, others: list[Article]) -> str:
    """Return an article's page: data for machines, menus, other stories with dates of their own, a footer."""
    at = datetime.fromisoformat(article.at).astimezone(ZONE)
    data = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": article.title,
        "datePublished": at.isoformat(), "dateModified": (at + timedelta(hours=2)).isoformat(),
        "author": [{"@type": "Person", "name": article.author}],
    }  # fmt: skip
    body = "".join(f"<p>{line}</p>" for line in article.text.splitlines())
    menu = "".join(f'<li class="nav-item"><a href="/{each}" class="nav-link">{each}</a></li>' for each in SECTIONS)
    related = "".join(
        f'<li class="card card--small"><a class="card__link" href="{each.path}"><h3 class="card__title">{each.title}'
        f'</h3></a><time class="card__date" datetime="{each.at}">{each.at[:10]}</time></li>'
        for each in others
    )
    style = "".join(f".c{number}{{margin:{number}px;padding:0 {number}px;color:#333}}" for number in range(60))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{article.title} | The Loopback Times</title>"
        f'<meta property="og:title" content="{article.title}"><meta property="og:type" content="article">'
        f'<meta property="og:site_name" content="The Loopback Times"><style>{style}</style>'
        f'<meta property="article:published_time" content="{at.isoformat()}">'
        f'<script type="application/ld+json">{json.dumps(data)}</script></head><body><header><nav><ul>{menu}</ul></nav>'
        f'</header><main><article class="story"><h1>{article.title}</h1><p class="byline">By <span class="author-name">'
        f'{article.author}</span></p><time class="published" datetime="{at.isoformat()}">{at:%d %b %Y %H:%M} SGT</time>'
        f'<div class="story-body">{body}</div></article><aside class="related"><h2>More stories</h2><ul>{related}</ul>'
        "</aside></main><footer><p>Copyright 2019 The Loopback Times. All rights reserved.</p></footer></body></html>"
    )


def pages(base: str, made: list[Article]) -> Iterator[tuple[str, str, bytes]]:
    """Yield path, type and body of everything the site has."""
    size = len(made)
    for number, article in enumerate(made):
        others = [made[(number * 37 + 11 * step + 1) % size] for step in range(LINKS)]
        others[0] = made[(number + 1) % size]  # so that all are reached by following links
        yield article.path, "text/html; charset=utf-8", page(article, others).encode()
    front = "".join(f'<p><a href="{each.path}">{each.title}</a></p>' for each in made[:60])
    feed = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
    for path in ("/", *(f"/{each}" for each in SECTIONS)):
        yield path, "text/html; charset=utf-8", f"<html><head>{feed}</head><body>{front}</body></html>".encode()
    yield "/sitemap.xml", "application/xml", _sitemap(base, made).encode()
    yield "/rss.xml", "application/rss+xml", _feed(base, made[:200]).encode()
    for start in range(0, size, 20):
        yield (
            f"/rss-{start // 20}.xml",
            "application/rss+xml",
            _feed(base, made[start : start + 20], whole=True).encode(),
        )
    robots = f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n"
    yield "/robots.txt", "text/plain", robots.encode()


def _sitemap(base: str, made: list[Article]) -> str:
    places = "".join(
        f"<url><loc>{base}{each.path}</loc><news:news><news:publication><news:name>The Loopback Times</news:name>"
        f"<news:language>en</news:language></news:publication><news:publication_date>{each.at}</news:publication_date>"
        f"<news:title>{each.title}</news:title></news:news></url>"
        for each in made
    )
    spaces = {"": "sitemap/0.9", ":news": "sitemap-news/0.9"}
    space = " ".join(f'xmlns{name}="http://www.sitemaps.org/schemas/{each}"' for name, each in spaces.items())
    space = space.replace("www.sitemaps.org/schemas/sitemap-news", "www.google.com/schemas/sitemap-news")
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {space}>{places}</urlset>'


def _feed(base: str, made: list[Article], *, whole: bool = False) -> str:
    items = "".join(
        f"<item><title>{each.title}</title><link>{base}{each.path}?utm_source=rss&amp;utm_medium=feed</link>"
        f"<guid isPermaLink='false'>tag:{hashlib.sha256(each.path.encode()).hexdigest()[:12]}</guid>"
        f"<pubDate>{format_datetime(datetime.fromisoformat(each.at))}</pubDate>"
        f"<description>{each.text if whole else each.text[:150]}</description></item>"
        for each in made
    )
    return f"<rss version='2.0'><channel><title>The Loopback Times</title><link>{base}/</link>{items}</channel></rss>"


def serve(folder: Path, count: int) -> None:
    """Serve until the process is ended."""
    asked: Counter[str] = Counter()
    answers: dict[str, tuple[str, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/__asked":
                return self._say(200, "application/json", json.dumps(asked).encode())
            asked[path] += 1
            kind, body = answers.get(path, ("text/plain", b"no such page"))
            return self._say(200 if path in answers else 404, kind, body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _say(self, status: int, kind: str, body: bytes) -> None:
            head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            self.wfile.write(head + (b"" if self.command == "HEAD" else body))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    base = f"http://127.0.0.1:{server.server_address[1]}"
    made = articles(count)
    answers |= {path: (kind, body) for path, kind, body in pages(base, made)}
    truth: Mapping[str, object] = {"url": base, "articles": [asdict(each) for each in made]}
    (folder / "site.part").write_text(json.dumps(truth), "utf-8")
    (folder / "site.part").rename(folder / "site.json")
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever()


def main() -> None:
    """Serve a site."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=1000)
    given = parser.parse_args()
    serve(given.folder, given.articles)


if __name__ == "__main__":
    main()
