"""A second visit asks only for what is new; the request log is the witness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
PAGE = (
    "<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text} It was said at length by several"
    " people who had paid for the service, and repeated by others in the afternoon.</p><p>The company did not answer"
    " when it was asked about the bill, the refund and the way in which the advertisement was shown.</p></article>"
    "</body></html>"
)


def rss(*items: tuple[str, str, str]) -> str:
    """Return a feed of (path, title, text)."""
    body = "".join(
        f"<item><title>{title}</title><link>{path}</link><guid>{path}</guid><description>{text}</description>"
        "<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item>"
        for path, title, text in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{body}</channel></rss>'


def sitemap(*places: tuple[str, str]) -> str:
    """Return a sitemap of (path, lastmod)."""
    body = "".join(f"<url><loc>{path}</loc><lastmod>{lastmod}</lastmod></url>" for path, lastmod in places)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</urlset>'


class Algolia:
    """Posts that can be asked for as of the Hacker News search."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.hits = answer, list[dict[str, Any]]()

    def post(self, at: datetime) -> None:
        """Add a post."""
        number = str(len(self.hits) + 1)
        self.hits.append(
            {"objectID": number, "created_at_i": int(at.timestamp()), "author": "a", "title": f"Post {number} on ads"}
        )

    def __call__(self, path: str, headers: Mapping[str, str]) -> Any:
        """Answer a request."""
        asked = parse_qs(urlsplit(path).query)
        found = self.hits
        for limit in asked["numericFilters"][0].split(","):
            number = int(limit.replace("<", ">").split(">")[1])
            found = [hit for hit in found if (hit["created_at_i"] > number) == (">" in limit)]
        found = sorted(found, key=lambda hit: -hit["created_at_i"])
        page, most = int(asked["page"][0]), found[:1000]  # the real one stops after a thousand
        body = {"hits": most[page * 100 : page * 100 + 100], "nbHits": len(found), "nbPages": -(-len(most) // 100)}
        return self.answer(json.dumps(body), type="application/json")


class Timeline:
    """A tag's posts as Mastodon pages them."""

    def __init__(self, answer: Any, url: str) -> None:
        self.answer, self.url, self.posts = answer, url, list[dict[str, Any]]()

    def post(self, number: int, at: datetime) -> None:
        """Add a post."""
        self.posts.append(
            {
                "id": str(number),
                "created_at": at.isoformat(),
                "url": f"{self.url}/@a/{number}",
                "content": f"<p>Ad {number}</p>",
            }
        )

    def __call__(self, path: str, headers: Mapping[str, str]) -> Any:
        """Answer a request."""
        asked = {name: int(values[0]) for name, values in parse_qs(urlsplit(path).query).items()}
        posts = sorted(self.posts, key=lambda post: int(post["id"]))
        if "min_id" in asked:
            page = [post for post in posts if int(post["id"]) > asked["min_id"]][: asked["limit"]]
        else:
            page = [post for post in posts if int(post["id"]) < asked.get("max_id", 10**18)][-asked["limit"] :]
        base = f"{self.url}{path.split('?', maxsplit=1)[0]}?limit={asked['limit']}"
        links = (
            [f'<{base}&max_id={page[0]["id"]}>; rel="next"', f'<{base}&min_id={page[-1]["id"]}>; rel="prev"']
            if page
            else []
        )
        return self.answer(
            json.dumps(page[::-1]), type="application/json", headers={"Link": ", ".join(links)} if links else {}
        )


def review(number: int, at: datetime, text: str = "Too many ads") -> dict[str, Any]:
    """Return a review in Apple's shape."""
    fields = {"id": str(number), "title": "t", "content": text, "im:rating": "1", "updated": at.isoformat()}
    return {name: {"label": value} for name, value in fields.items()}


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    from pathlib import Path

    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


def test_a_second_visit_fetches_only_what_is_new(house: Any, web: Any, answer: Any) -> None:
    """Unchanged feeds and sitemaps cost a 304, known articles nothing, forums are asked from the watermark on."""
    web.play("/feed.xml", answer(rss(("/n/1", "One", "First text")), type="application/rss+xml", validators=True))
    web.play("/bare.xml", answer(rss(("/n/9", "Nine", "No validators")), type="application/rss+xml"))
    web.play(
        "/map.xml", answer(sitemap(("/a/1", "2026-11-19T00:00:00Z"), ("/a/2", "2026-11-19T00:00:00Z")), validators=True)
    )
    web.play("/a/1", answer(PAGE.format(title="Alpha", text="The bill came twice.")))
    web.play("/a/2", answer(PAGE.format(title="Beta", text="The refund never came.")))
    algolia, timeline = Algolia(answer), Timeline(answer, web.url)
    for hour in range(1, 121):
        algolia.post(NOW - timedelta(hours=hour))
        timeline.post(1000 - hour, NOW - timedelta(hours=hour))
    web.play("/api/v1/search_by_date", algolia)
    web.play("/api/v1/timelines/tag/ads", timeline)
    reviews = [review(number, NOW - timedelta(hours=number)) for number in range(1, 4)]
    apple = "/sg/rss/customerreviews/page={}/id=7/sortby=mostrecent/json"
    web.play(apple.format(1), answer(json.dumps({"feed": {"entry": reviews[:2]}}), type="application/json"))
    web.play(apple.format(2), answer(json.dumps({"feed": {"entry": reviews[2]}}), type="application/json"))
    web.play(apple.format(3), answer(json.dumps({"feed": {"author": {}}}), type="application/json"))
    house.source("feed", f"format: feed\nkind: news\nurls: [{web.url}/feed.xml, {web.url}/bare.xml]\n")
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n")
    house.source("hn", f"format: hackernews\nkind: post\nurl: {web.url}\nqueries: [ads]\n")
    house.source("toots", f"format: mastodon\nkind: post\nurl: {web.url}\ntags: [ads]\n")
    house.source("apps", f"format: appstore\nkind: review\nurl: {web.url}\napps: {{App: 7}}\nmarkets: [SG]\n")

    first = house.crawl()
    assert {name: run.stored for name, run in first.items()} == {
        "feed": 2,
        "map": 2,
        "hn": 120,
        "toots": 120,
        "apps": 3,
    }
    assert not any(run.error for run in first.values())
    before = {mention.id: mention for mention in house.mentions()}

    web.log.clear()
    algolia.post(NOW + timedelta(hours=1))
    timeline.post(1001, NOW + timedelta(hours=1))
    reviews.insert(0, review(99, NOW + timedelta(hours=1)))
    web.play(apple.format(1), answer(json.dumps({"feed": {"entry": reviews[:2]}}), type="application/json"))
    web.play(
        "/map.xml", answer(sitemap(("/a/1", "2026-11-20T13:00:00Z"), ("/a/2", "2026-11-19T00:00:00Z")), validators=True)
    )
    web.play("/a/1", answer(PAGE.format(title="Alpha", text="The bill came three times, the paper now says.")))
    second = house.crawl(now=LATER)

    statuses = {asked.path: asked.status for asked in web.log if asked.path != "/robots.txt"}
    assert statuses.pop("/feed.xml") == 304
    assert statuses.pop("/bare.xml") == 200
    assert (second["feed"].found, second["feed"].error) == (0, "")
    assert [path for path in statuses if path.startswith("/a/")] == ["/a/1"]
    assert second["map"].stored == 1
    assert [path for path in web.paths() if "customerreviews" in path] == [apple.format(1), apple.format(2)]
    assert (second["apps"].stored, second["apps"].duplicate) == (1, 2), "read on until a page holds nothing new"
    assert (second["hn"].stored, second["hn"].found) == (1, 3), "the last two hours are read again"
    assert len([path for path in web.paths() if "search_by_date" in path]) == 1
    assert (second["toots"].stored, second["toots"].duplicate) == (1, 39), "some hours are read again"
    asked = [path for path in web.paths() if "/timelines/" in path]
    assert asked == ["/api/v1/timelines/tag/ads?limit=40", "/api/v1/timelines/tag/ads?limit=40&max_id=880"], (
        "the newest page; and the end of the list, which was empty and is not yet believed to be"
    )

    after = {mention.id: mention for mention in house.mentions()}
    assert before.keys() < after.keys()
    edited = [key for key in before if before[key] != after[key]]
    assert len(edited) == 1
    assert "three times" in after[edited[0]].text


def test_a_visit_that_reaches_its_limit_goes_on_where_it_stopped(house: Any, web: Any, answer: Any) -> None:
    """`max_items` spreads a long backlog over several visits; nothing between them is lost."""
    algolia = Algolia(answer)
    for minute in range(1, 1301):
        algolia.post(NOW - timedelta(minutes=minute))
    web.play("/api/v1/search_by_date", algolia)
    web.play("/map.xml", answer(sitemap(*((f"/a/{number}", f"2026-11-1{number}") for number in range(5, 9)))))
    for number in range(5, 9):
        web.play(f"/a/{number}", answer(PAGE.format(title=f"Title {number}", text=f"Text {number}.")))
    house.source("hn", f"format: hackernews\nkind: post\nurl: {web.url}\nqueries: [ads]\nmax_items: 500\n")
    house.source(
        "all",
        f"format: hackernews\nkind: post\nurl: {web.url}\nqueries: [ads, spam]\nmax_items: 5000\nenabled: false\n",
    )
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\nmax_items: 3\n")
    stored = []
    for hour in range(3):
        runs = house.crawl(now=NOW + timedelta(hours=hour))
        stored.append((runs["hn"].stored, runs["map"].stored))
    assert len(house.mentions("hn")) == 1300
    assert [count for _, count in stored] == [3, 1, 0]
    again = house.crawl("all")["all"]
    assert again.stored == 0
    assert 2600 <= again.duplicate < 2610, "a thousand hits are not the end of a search"


def test_an_edited_article_is_one_mention(house: Any, web: Any, answer: Any) -> None:
    """The new version replaces the old; a lost date does not; another source's telling of the page adds nothing."""
    web.play("/feed.xml", answer(rss(("/n/1", "One", "First text")), type="application/rss+xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: [{web.url}/feed.xml]\n")
    house.source("other", f"format: feed\nkind: news\nurls: [{web.url}/other.xml]\n")
    web.play(
        "/other.xml", answer(rss(("/n/1?utm_source=x", "One, told again", "Other words")), type="application/rss+xml")
    )
    house.crawl("feed")
    edited = rss(("/n/1", "One", "Second text")).replace("Fri, 20 Nov 2026 08:00:00 GMT", "soon")
    web.play("/feed.xml", answer(edited, type="application/rss+xml"))
    runs = house.crawl(now=LATER)
    assert (runs["feed"].stored, runs["other"].duplicate) == (1, 1)
    (mention,) = house.mentions()
    assert (mention.text, mention.date_confidence, mention.published_at) == (
        "Second text",
        "exact",
        datetime(2026, 11, 20, 8, tzinfo=UTC),
    )


def test_a_followed_feed_keeps_the_summary_where_the_article_is_gone(house: Any, web: Any, answer: Any) -> None:
    """Full text where it can be had, the feed's own words where not; a passing failure is tried again, a 404 is not."""
    items = (("/a/1", "Alpha", "Summary one"), ("/a/2", "Beta", "Summary two"), ("/a/3", "Gamma", "Summary three"))
    web.play("/feed.xml", answer(rss(*items), type="application/rss+xml", validators=True))
    web.play("/a/1", answer(PAGE.format(title="Alpha", text="The bill came twice.")))
    web.play("/a/2", answer("down", 503))
    house.source("feed", f"format: feed\nkind: news\nfollow: true\nurls: [{web.url}/feed.xml]\n")
    assert house.crawl()["feed"].stored == 3
    assert sorted(mention.text[:13] for mention in house.mentions()) == [
        "Summary three",
        "Summary two",
        "The bill came",
    ]
    web.log.clear()
    web.play("/a/2", answer(PAGE.format(title="Beta", text="The refund never came.")))
    assert house.crawl(now=LATER)["feed"].stored == 1
    assert web.paths() == ["/feed.xml", "/a/2"]


def test_an_article_that_a_feed_and_a_sitemap_name_is_asked_for_once(house: Any, web: Any, answer: Any) -> None:
    """Sources share what one run has read: the second tells of the same page, whole, and costs no request."""
    web.play("/feed.xml", answer(rss(("/n/1?utm_source=rss", "First", "Short.")), type="text/xml"))
    web.play("/map.xml", answer(sitemap(("/n/1", "2026-11-20")), type="text/xml"))
    web.play("/n/1", answer(PAGE.format(title="First", text="The bill came twice.")))
    house.source("a-feed", f"format: feed\nkind: news\nfollow: true\nurls: [{web.url}/feed.xml]\n")
    house.source("b-map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n")
    runs = house.crawl()
    assert [path for path in web.paths() if path.startswith("/n/")] == ["/n/1?utm_source=rss"]
    assert sorted((run.stored, run.duplicate, run.error) for run in runs.values()) == [(0, 1, ""), (1, 0, "")]
    assert "The bill came twice." in house.mentions()[0].text


def test_reviews_without_dates_get_those_of_their_xml(house: Any, web: Any, answer: Any) -> None:
    """For months the store's JSON had none at all; where there is no XML either, they come without, and it is told."""
    said = {"title": {"label": "Ads"}, "content": {"label": "Too many ads"}, "im:rating": {"label": "1"}}
    page = {"feed": {"entry": [{**said, "id": {"label": str(number)}} for number in (1, 2)]}}
    base = "/sg/rss/customerreviews/page=1/id=7/sortby=mostrecent"
    web.play(f"{base}/json", answer(json.dumps(page), type="application/json"))
    for number in (2, 3):
        web.play(base.replace("page=1", f"page={number}") + "/json", answer('{"feed": {}}', type="application/json"))
    stamp = "<updated>2026-11-19T0{0}:00:00-07:00</updated>"
    entries = "".join(f"<entry><id>{n}</id><title>Ads</title>{stamp.format(n)}</entry>" for n in (1, 2))
    web.play(f"{base}/xml", answer(f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>', type="text/xml"))
    source = f"format: appstore\nkind: review\nurl: {web.url}\nmarkets: [SG]\napps: {{App: "
    house.source("apps", f"{source}7}}\n")
    house.source("bare", f"{source}8}}\n")
    web.play(f"{base}/json".replace("id=7", "id=8"), answer(json.dumps(page), type="application/json"))
    runs = house.crawl()
    hours = [mention.published_at.hour for mention in house.mentions("apps")]
    assert hours == [8, 9]
    assert "no dates" in runs["bare"].remark
    assert (runs["bare"].stored, runs["bare"].undated, runs["bare"].error) == (2, 2, "")
