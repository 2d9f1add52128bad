"""Services that answer as the real ones do, about posts that a test makes: by their parameters, limits and oddities."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.crawlers.conftest import Answer

JSON = "application/json; charset=utf-8"


@dataclass
class Post:
    """Something somebody said: its number, and when."""

    number: int
    at: datetime

    @property
    def text(self) -> str:
        """Return what it says."""
        return f"Post {self.number} about ads"


@dataclass
class Service:
    """A service: its path, the source that reads it, and how it answers."""

    path: str
    yaml: str
    answer: Callable[[Service, Mapping[str, str]], Answer]
    posts: list[Post] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, path: str, _: Mapping[str, str]) -> Answer:
        """Answer a request."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.asked.append(asked)
        return self.answer(self, asked)

    @property
    def newest_first(self) -> list[Post]:
        """Return the posts as lists show them."""
        return sorted(self.posts, key=lambda post: (post.at, post.number), reverse=True)


def said(value: Any, status: int = 200) -> Answer:
    """Return JSON."""
    return Answer(json.dumps(value), status, JSON)


def bluesky(service: Service, asked: Mapping[str, str]) -> Answer:
    """Page 2 by cursor is refused to readers without an account."""
    if "cursor" in asked:
        return Answer("forbidden", 403)
    since, until = (datetime.fromisoformat(asked[name]) if name in asked else None for name in ("since", "until"))
    found = [
        post for post in service.newest_first if (not since or post.at >= since) and (not until or post.at < until)
    ]
    posts = [
        {
            "uri": f"at://did:plc:a/app.bsky.feed.post/{post.number}",
            "author": {"did": "did:plc:a"},
            # the client's clock is what it likes
            "record": {
                "text": post.text,
                "createdAt": _wrong(post) if post.number % 50 == 7 else _iso(post.at),
            },
            "indexedAt": _iso(post.at),
        }
        for post in found[:100]
    ]
    return said({"posts": posts, **({"cursor": "100"} if len(found) > 100 else {})})


def lemmy_v3(service: Service, asked: Mapping[str, str]) -> Answer:
    """Before 1.0: pages by number."""
    size, page = int(asked["limit"]), int(asked["page"])
    return said({"posts": [_lemmy(service, post) for post in service.newest_first[(page - 1) * size : page * size]]})


def lemmy_v4(service: Service, asked: Mapping[str, str]) -> Answer:
    """1.0: pages by cursor."""
    size, start = int(asked["limit"]), int(asked.get("page_cursor", "P0")[1:])
    found = [
        {"type_": "post", **_lemmy(service, post, "published_at")}
        for post in service.newest_first[start : start + size]
    ]
    more = {"next_page": f"P{start + size}"} if start + size < len(service.posts) else {}
    return said({"search": found, **more})


def lemmy_v3_of_1_0(service: Service, asked: Mapping[str, str]) -> Answer:
    """1.0 answers its old search, but every page is the first."""
    return lemmy_v3(service, {**asked, "page": "1"})


def discourse(service: Service, asked: Mapping[str, str]) -> Answer:
    """By ids, fifty below the one that is named."""
    before = int(asked.get("before", 10**9))
    return said({"latest_posts": [_discourse(post) for post in service.newest_first if post.number < before][:50]})


def old_discourse(service: Service, asked: Mapping[str, str]) -> Answer:
    """Older versions look at fifty ids only, the one that is named among them, and every seventh hundred is hidden."""
    newest = max(post.number for post in service.posts)
    before = int(asked.get("before", newest))
    found = [post for post in service.newest_first if before - 50 < post.number <= before]
    return said({"latest_posts": [_discourse(post) for post in found]})


def stackexchange(service: Service, asked: Mapping[str, str]) -> Answer:
    """By seconds, both ends included, and by pages."""
    size, page = int(asked["pagesize"]), int(asked["page"])
    first, last = int(asked["fromdate"]), int(asked.get("todate", 10**11))
    found = [post for post in service.newest_first if first <= int(post.at.timestamp()) <= last]
    items = [
        {
            "question_id": post.number,
            "creation_date": int(post.at.timestamp()),
            "title": post.text,
            "body": f"<p>{post.text}</p>",
            "link": f"https://webmasters.stackexchange.com/questions/{post.number}",
        }
        for post in found[(page - 1) * size : page * size]
    ]
    return said({"items": items, "has_more": page * size < len(found), "quota_remaining": 200})


def gdelt(service: Service, asked: Mapping[str, str]) -> Answer:
    """At most 250, whatever there is."""
    first, last = (_compact(asked[name]) for name in ("startdatetime", "enddatetime"))
    found = [post for post in service.newest_first if first <= post.at <= last][: int(asked["maxrecords"])]
    articles = [
        {"url": f"https://news.example/{post.number}", "title": post.text, "seendate": f"{post.at:%Y%m%dT%H%M%SZ}"}
        for post in found
    ]
    return said({"articles": articles} if articles else {})


def google_news(service: Service, asked: Mapping[str, str]) -> Answer:
    """At most a hundred, in no order, by days."""
    days = dict(part.split(":") for part in asked["q"].split() if part.startswith(("after:", "before:")))
    first, last = (datetime.fromisoformat(days[name]).replace(tzinfo=UTC) for name in ("after", "before"))
    found = [post for post in service.newest_first if first <= post.at < last]
    found = sorted(found, key=lambda post: post.number * 7919 % 1009)[:100]
    items = "".join(
        f"<item><title>{post.text} - The Post</title><link>https://news.google.com/rss/articles/{post.number}</link>"
        f"<guid isPermaLink='false'>{post.number}</guid><pubDate>{format_datetime(post.at, usegmt=True)}</pubDate>"
        "<source url='https://post.example'>The Post</source></item>"
        for post in found
    )
    return Answer(f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>", type="application/xml")


def youtube(service: Service, asked: Mapping[str, str]) -> Answer:
    """By tokens."""
    start, size = int(asked.get("pageToken", "0")), int(asked["maxResults"])
    items = [
        {
            "snippet": {
                "videoId": asked["videoId"],
                "topLevelComment": {
                    "id": f"c{post.number}",
                    "snippet": {"textDisplay": post.text, "publishedAt": _iso(post.at)},
                },
            }
        }
        for post in service.newest_first[start : start + size]
    ]
    more = {"nextPageToken": str(start + size)} if start + size < len(service.posts) else {}
    return said({"items": items, **more})


def jsonfeed(service: Service, asked: Mapping[str, str]) -> Answer:
    """A hundred a page."""
    start = int(asked.get("from", "0"))
    items = [
        {"id": str(post.number), "content_text": post.text, "date_published": _iso(post.at)}
        for post in service.newest_first[start : start + 100]
    ]
    more = {"next_url": f"?from={start + 100}"} if start + 100 < len(service.posts) else {}
    return said({"version": "https://jsonfeed.org/version/1.1", "items": items, **more})


def any_json(service: Service, asked: Mapping[str, str]) -> Answer:
    """By an offset."""
    start, rows = int(asked.get("start", "0")), int(asked["rows"])
    docs = [{"id": post.number, "said": post.text, "at": _iso(post.at)} for post in service.newest_first]
    return said({"response": {"numFound": len(docs), "docs": docs[start : start + rows]}})


def _lemmy(service: Service, post: Post, published: str = "published") -> dict[str, Any]:
    ap_id = f"https://lemmy.example{service.path}/{post.number}"
    return {"post": {"id": post.number, "name": post.text, published: _iso(post.at), "ap_id": ap_id}, "creator": {}}


def _discourse(post: Post) -> dict[str, Any]:
    return {
        "id": post.number,
        "topic_id": 1,
        "post_number": post.number,
        "created_at": _iso(post.at),
        "cooked": f"<p>{post.text}</p>",
    }


def _wrong(post: Post) -> str:
    """Return what some clients call the moment of writing."""
    return ("2001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2031-01-01T00:00:00Z")[post.number % 3]


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


def _compact(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


SERVICES: dict[str, tuple[str, str, Callable[[Service, Mapping[str, str]], Answer]]] = {
    "bluesky": ("/xrpc/app.bsky.feed.searchPosts", "format: bluesky\nqueries: [ads]\n", bluesky),
    "lemmy": ("/api/v3/search", "format: lemmy\nqueries: [ads]\ntypes: [posts]\n", lemmy_v3),
    "lemmy-1.0": ("/api/v4/search", "format: lemmy\nqueries: [ads]\ntypes: [posts]\n", lemmy_v4),
    "discourse": ("/posts.json", "format: discourse\n", discourse),
    "discourse-old": ("/posts.json", "format: discourse\n", old_discourse),
    "stackexchange": (
        "/2.3/search/advanced",
        "format: stackexchange\nqueries: [ads]\nsites: [webmasters]\n",
        stackexchange,
    ),
    "gdelt": ("/api/v2/doc/doc", "format: gdelt\nqueries: [ads]\npoliteness: {delay_seconds: 0}\n", gdelt),
    "google_news": ("/rss/search", "format: google_news\nqueries: [ads]\nmarket: SG\nlang: en\n", google_news),
    "youtube": (
        "/youtube/v3/commentThreads",
        "format: youtube\nvideos: [dQw4w9WgXcQ]\nkey_env: PATH\n",
        youtube,
    ),
    "jsonfeed": ("/feed.json", "format: jsonfeed\nurls: ['{url}/feed.json']\n", jsonfeed),
    "json": (
        "/list",
        "format: json\nurls: ['{url}/list?rows=50']\nitems: response.docs\n"
        "fields: {id: id, text: said, published_at: at}\n"
        "paging: {by: offset, parameter: start, first: 0, size: 50}\n",
        any_json,
    ),
}


def service(name: str, posts: Sequence[Post]) -> Service:
    """Return a service with posts."""
    path, yaml, answer = SERVICES[name]
    return Service(path, yaml, answer, list(posts))


def hourly(count: int, *, now: datetime, minutes: int = 45, first: int = 1000) -> list[Post]:
    """Return posts, the newest just before `now`."""
    return [Post(first + number, now - timedelta(minutes=minutes * (count - number))) for number in range(count)]
