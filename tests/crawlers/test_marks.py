"""A mark never moves past what was not read: limits, empty pages, walls, late arrivals, edits and deletions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy.http import HtmlResponse

from groundswell.crawlers.walls import astray, is_other, wall_of
from groundswell.index.records import Checkpoint, Revision

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
APPLE = "/sg/rss/customerreviews/page={}/id=42/sortby=mostrecent/json"
BODY = "Story {0} tells at length of a bank, its customers, and of what they lost when no refund came."
HEAD = "<html><head><title>Story {0}</title></head><body><article><h1>Story {0}</h1>"
PAGE = HEAD + f"<p>{BODY}</p>" * 4 + "</article></body></html>"
CHALLENGE = (
    "<html><head><title>Just a moment...</title></head><body><h1>paper.example</h1><p>Enable JavaScript and cookies to"
    " continue. paper.example needs to review the security of your connection before proceeding.</p></body></html>"
)


def feed(*numbers: int, link: str = "/n/") -> str:
    """Return a feed of stories."""
    items = "".join(
        f"<item><title>Story {n} of the bank</title><link>{link}{n}</link><description>Summary {n}</description></item>"
        for n in numbers
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'


class Timeline:
    """A tag's posts as Mastodon pages them, ten at a time, and each post by itself."""

    def __init__(self, answer: Any, numbers: Any) -> None:
        self.answer, self.numbers = answer, set(numbers)

    def __call__(self, path: str, headers: Mapping[str, str]) -> Any:
        """Answer for a page."""
        asked = {key: int(value[0]) for key, value in parse_qs(urlsplit(path).query).items()}
        found = [n for n in sorted(self.numbers, reverse=True) if n < asked.get("max_id", 10**9)][:10]
        return self.answer(json.dumps([self.post(n) for n in found]), type="application/json")

    def post(self, number: int) -> dict[str, Any]:
        """Return a post; its id tells its minute."""
        at = NOW + timedelta(minutes=number - 1030)
        text, url = f"<p>Post {number} on ads</p>", f"https://m.example/@a/{number}"
        return {"id": str(number), "created_at": at.isoformat(), "url": url, "content": text, "account": {"acct": "a"}}

    def status(self, path: str, headers: Mapping[str, str]) -> Any:
        """Answer for one post."""
        number = int(path.rsplit("/", 1)[1])
        there = number in self.numbers
        return self.answer(json.dumps(self.post(number)) if there else "{}", 200 if there else 404)


def review(number: int, *, minutes: int | None = None, text: str = "Too many ads") -> dict[str, Any]:
    """Return a review in Apple's shape; higher numbers are newer."""
    at = NOW - timedelta(minutes=1000 - number if minutes is None else minutes)
    fields = {"id": str(number), "title": f"R{number}", "content": text, "im:rating": "1", "updated": at.isoformat()}
    return {name: {"label": value} for name, value in fields.items()}


def reviews(answer: Any, *found: dict[str, Any]) -> Any:
    """Return a page of reviews."""
    return answer(json.dumps({"feed": {"entry": list(found)}}), type="application/json")


def test_what_a_limit_leaves_comes_with_the_next_visits(house: Any, web: Any, answer: Any) -> None:
    """25 to 30 items at 10 a visit, in every format that has a list: told how many are left, and none is lost."""
    web.play("/plain.xml", answer(feed(*range(25), link="https://p.example/")))
    web.play("/followed.xml", answer(feed(*range(25)), validators=True))
    web.play("/map.xml", answer("<urlset>" + "".join(f"<url><loc>/m/{n}</loc></url>" for n in range(25)) + "</urlset>"))
    for n in range(25):
        web.play(f"/n/{n}", answer(PAGE.format(n)))
        web.play(f"/m/{n}", answer(PAGE.format(f"no {n}")))
    web.play("/api/v1/timelines/tag/ads", Timeline(answer, range(1001, 1031)))
    for page in range(3):
        web.play(APPLE.format(page + 1), reviews(answer, *(review(1000 - 10 * page - n) for n in range(10))))
    common = "max_items: 10\n"
    house.source("plain", f"format: feed\nkind: news\nurls: [{web.url}/plain.xml]\n{common}")
    house.source("followed", f"format: feed\nkind: news\nfollow: true\nurls: [{web.url}/followed.xml]\n{common}")
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n{common}")
    house.source("toots", f"format: mastodon\nkind: post\nurl: {web.url}\ntags: [ads]\n{common}")
    apps = f"url: {web.url}\napps: {{Grab: 42}}\nmarkets: [SG]\npages: 3\n"
    house.source("apps", f"format: appstore\nkind: review\n{apps}{common}")
    left = []
    for hour in range(4):
        runs = house.crawl(now=NOW + timedelta(hours=hour))
        assert {run.error for run in runs.values()} == {""}
        left.append({name: run.left for name, run in runs.items()})
    whole = {"plain": 25, "followed": 25, "map": 25, "toots": 30, "apps": 30}
    assert {name: len(house.mentions(name)) for name in whole} == whole
    assert [each["followed"] for each in left] == [15, 5, 0, 0]
    assert all(left[0].values())
    assert not any(left[3].values())


def test_the_newest_part_of_an_index_is_read_first_wherever_it_stands(house: Any, web: Any, answer: Any) -> None:
    """Dated parts by their date, undated ones from the end; parts that were left come next time."""
    parts = "".join(
        f"<sitemap><loc>/part{n}.xml</loc><lastmod>2026-11-{15 + n}T00:00:00Z</lastmod></sitemap>" for n in range(4)
    )
    bare = "".join(f"<sitemap><loc>/bare{n}.xml</loc></sitemap>" for n in range(3))
    web.play("/dated.xml", answer(f"<sitemapindex>{parts}</sitemapindex>"))
    web.play("/bare.xml", answer(f"<sitemapindex>{bare}</sitemapindex>"))
    for name, count in (("part", 4), ("bare", 3)):
        for n in range(count):
            places = "".join(f"<url><loc>/{name}/{n}/{k}</loc></url>" for k in range(2))
            web.play(f"/{name}{n}.xml", answer(f"<urlset>{places}</urlset>"))
            for k in range(2):
                web.play(f"/{name}/{n}/{k}", answer(PAGE.format(f"{name} {n} {k}")))
    for name in ("dated", "bare"):
        house.source(name, f"format: sitemap\nkind: news\nurls: [{web.url}/{name}.xml]\nmax_items: 2\n")
    runs = house.crawl()
    read = [path for path in web.paths() if path.count("/") > 1]
    assert sorted(read) == ["/bare/2/0", "/bare/2/1", "/part/3/0", "/part/3/1"]
    assert (runs["dated"].left, runs["bare"].left) == (3, 2)
    for hour in range(1, 4):
        house.crawl(now=NOW + timedelta(hours=hour))
    assert (len(house.mentions("dated")), len(house.mentions("bare"))) == (8, 6)


def test_a_wall_is_no_article_and_is_tried_again(house: Any, web: Any, answer: Any) -> None:
    """Challenge, error page, other page, front page: the summary is kept, the article comes when it is there."""
    web.play("/f.xml", answer(feed(*range(5)), validators=True))
    other = (
        PAGE.format(0).replace(BODY.format(0), "Boil rice with coconut milk, then stir.").replace("Story 0", "Recipe")
    )
    web.play("/n/0", answer(CHALLENGE))
    web.play("/n/1", answer("<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"))
    web.play("/n/2", answer(other))
    web.play("/n/3", answer(status=302, headers={"Location": "/"}))
    web.play("/", answer(PAGE.format("front")))
    web.play("/n/4", answer(PAGE.format(4)))
    house.source("a", f"format: feed\nkind: news\nfollow: true\nurls: ['{web.url}/f.xml']\n")
    run = house.crawl()["a"]
    texts = sorted(mention.text[:9] for mention in house.mentions())
    assert texts == ["Story 4 t", "Summary 0", "Summary 1", "Summary 2", "Summary 3"]
    assert "4 articles were not to be had" in run.remark
    for n in range(4):
        web.play(f"/n/{n}", answer(PAGE.format(n)))
    web.log.clear()
    assert house.crawl(now=NOW + timedelta(hours=1))["a"].stored == 4
    assert "/n/4" not in web.paths()
    assert all(mention.text.startswith("Story") for mention in house.mentions())
    web.log.clear()
    house.crawl(now=NOW + timedelta(hours=2))
    assert web.paths() == ["/f.xml"]
    assert web.log[-1].status == 304


def test_an_article_is_asked_for_a_bounded_number_of_times(house: Any, web: Any, answer: Any) -> None:
    """At each of five visits, then every six hours, for three days."""
    web.play("/f.xml", answer(feed(0), validators=True))
    web.play("/n/0", answer(CHALLENGE))
    house.source("a", f"format: feed\nkind: news\nfollow: true\nurls: ['{web.url}/f.xml']\n")
    for hours in (0, 1, 2, 3, 4, 5, 6, 12, 80, 81):
        house.crawl(now=NOW + timedelta(hours=hours))
    assert web.paths().count("/n/0") == 7
    assert [mention.text for mention in house.mentions()] == ["Summary 0"]


def test_a_wall_never_replaces_the_text_that_is_there(house: Any, web: Any, answer: Any) -> None:
    """An article that was read stays as it is while its new version cannot be had."""
    dated = feed(0).replace("</item>", "<a:updated xmlns:a='http://www.w3.org/2005/Atom'>{}</a:updated></item>")
    web.play("/f.xml", answer(dated.format("2026-11-20T08:00:00Z")))
    web.play("/n/0", answer(PAGE.format(0)))
    house.source("a", f"format: feed\nkind: news\nfollow: true\nurls: ['{web.url}/f.xml']\n")
    house.crawl()
    web.play("/f.xml", answer(dated.format("2026-11-20T10:00:00Z")))
    web.play("/n/0", answer(CHALLENGE))
    house.crawl(now=NOW + timedelta(hours=1))
    (mention,) = house.mentions()
    assert mention.text.startswith("Story 0")


def test_a_list_that_shrinks_is_remarked_and_costs_nothing_when_it_comes_back(
    house: Any, web: Any, answer: Any
) -> None:
    """A feed cut to one entry, or to none: told; nothing is read twice afterwards."""
    whole = answer(feed(*range(12)))
    web.play("/f.xml", [whole, answer(feed(0)), answer(feed()), whole])
    for n in range(12):
        web.play(f"/n/{n}", answer(PAGE.format(n)))
    house.source("a", f"format: feed\nkind: news\nfollow: true\nurls: ['{web.url}/f.xml']\n")
    said = [house.crawl(now=NOW + timedelta(hours=hour))["a"].remark for hour in range(4)]
    assert ["entries, where" in each for each in said] == [False, True, False, False]
    assert web.paths().count("/n/3") == 1


def test_what_federates_late_is_edited_or_deleted_is_noticed(house: Any, web: Any, answer: Any) -> None:
    """A visit reads some hours again: late posts come in, edits are kept as history, deletions are honoured."""
    timeline = Timeline(answer, set(range(1001, 1031)) - {1012})
    web.play("/api/v1/timelines/tag/ads", timeline)
    for n in range(1001, 1032):
        web.play(f"/api/v1/statuses/{n}", timeline.status)
    house.source("toots", f"format: mastodon\nkind: post\nurl: {web.url}\ntags: [ads]\n")
    assert house.crawl()["toots"].stored == 29
    timeline.numbers = timeline.numbers | {1012, 1031} - {1020}
    timeline.numbers.discard(1020)
    plain = timeline.post
    timeline.post = lambda number: plain(number) | ({"content": "<p>Edited</p>"} if number == 1025 else {})  # type: ignore[method-assign]
    run = house.crawl(now=NOW + timedelta(hours=1))["toots"]
    assert (run.stored, run.deleted, run.error) == (3, 1, "")
    urls = {mention.url.rsplit("/", 1)[1] for mention in house.mentions()}
    assert {"1012", "1031", "1025"} <= urls
    assert "1020" not in urls
    history = {each.what: each for each in house.store.recent(Revision)}
    assert history["edited"].text == "Post 1025 on ads"
    assert history["deleted"].text == ""
    assert len([path for path in web.paths() if "/statuses/" in path]) == 1


def test_apples_oddities_end_no_list_early(house: Any, web: Any, answer: Any) -> None:
    """An old review among new ones, a page that is empty once, a refusal in plain text behind the last page."""
    house.source(
        "apps",
        f"format: appstore\nkind: review\nurl: {web.url}\napps: {{Grab: 42}}\nmarkets: [SG]\nbackfill_days: 30\n",
    )
    old = review(1, minutes=60 * 24 * 300)
    web.play(APPLE.format(1), reviews(answer, review(100), old, review(99)))
    web.play(APPLE.format(2), reviews(answer))
    web.play(APPLE.format(3), reviews(answer, review(98)))
    web.play(APPLE.format(4), answer("CustomerReviews RSS page depth is limited to 10", 400, type="text/plain"))
    run = house.crawl()["apps"]
    assert (run.stored, run.error) == (4, "")
    web.play(APPLE.format(1), reviews(answer, review(102), old, review(101)))
    web.play(APPLE.format(2), reviews(answer, review(100, text="Fewer ads now"), review(99)))
    run = house.crawl(now=NOW + timedelta(hours=1))["apps"]
    assert (run.stored, run.error) == (3, "")
    web.play(APPLE.format(1), reviews(answer))
    web.play(APPLE.format(2), reviews(answer))
    run = house.crawl(now=NOW + timedelta(hours=2))["apps"]
    assert "no reviews, where there were some" in run.remark
    web.play(APPLE.format(1), reviews(answer, review(103), review(102)))
    assert house.crawl(now=NOW + timedelta(hours=3))["apps"].stored == 1


def test_a_search_that_fails_or_is_empty_midway_loses_nothing(house: Any, web: Any, answer: Any) -> None:
    """The second page of a search is down, then empty although more are promised, then there."""
    hits: list[dict[str, Any]] = [
        {"objectID": str(n), "created_at_i": int(NOW.timestamp()) - n * 60, "title": f"P{n} on ads"} for n in range(150)
    ]
    broken: list[Any] = []

    def search(path: str, headers: Mapping[str, str]) -> Any:
        asked = parse_qs(urlsplit(path).query)
        found = hits
        for limit in asked["numericFilters"][0].split(","):
            number = int(limit.replace("<", ">").split(">")[1])
            found = [hit for hit in found if (hit["created_at_i"] > number) == (">" in limit)]
        page = int(asked["page"][0])
        if len(found) > 100 and page == 1 and broken:
            return broken.pop(0)
        body = {"hits": found[page * 100 :][:100], "nbHits": len(found), "nbPages": -(-len(found) // 100)}
        return answer(json.dumps(body), type="application/json")

    web.play("/api/v1/search_by_date", search)
    house.source("hn", f"format: hackernews\nkind: post\nurl: {web.url}\nqueries: [ads]\n")
    broken += [answer("oops", 404)]
    first = house.crawl()["hn"]
    assert (first.stored, "404" in first.error) == (100, True)
    second = house.crawl(now=NOW + timedelta(minutes=1))["hn"]
    assert (len(house.mentions()), second.error) == (150, "")
    hits[5]["deleted"] = True
    assert house.crawl(now=NOW + timedelta(minutes=2))["hn"].deleted == 1
    assert len(house.mentions()) == 149


def test_a_stretch_of_the_past_is_filled_in_beside_the_marks(house: Any, web: Any, answer: Any) -> None:
    """--since --until: what can be asked for is; a limit is gone past by saying it again; who cannot says so."""
    from groundswell.crawlers.visit import Span

    timeline = Timeline(answer, range(1001, 1031))
    web.play("/api/v1/timelines/tag/ads", timeline)
    web.play("/f.xml", answer(feed(1)))
    house.source("toots", f"format: mastodon\nkind: post\nurl: {web.url}\ntags: [ads]\nmax_items: 10\n")
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    house.crawl()
    marks = house.store.get(Checkpoint, "crawl:toots").value["marks"]
    span = Span(since=NOW - timedelta(minutes=27), until=NOW - timedelta(minutes=12))
    for hour in range(1, 4):
        runs = house.crawl(now=NOW + timedelta(hours=hour), span=span)
    assert sorted(int(mention.url.rsplit("/", 1)[1]) for mention in house.mentions("toots")) == [
        *range(1003, 1018),
        *range(1021, 1031),
    ]
    assert "holds its newest entries only" in runs["feed"].remark
    checkpoint = house.store.get(Checkpoint, "crawl:toots").value
    assert checkpoint["marks"] == marks
    assert checkpoint["spans"] == {}


@pytest.mark.parametrize(
    ("title", "body", "is_wall"),
    [
        ("Attention Required! | Cloudflare", "<h1>Sorry, you have been blocked</h1><p>Ray ID: 8a</p>", True),
        ("Access Denied", "<p>You don't have permission to access this server. Reference #18.2d</p>", True),
        ("paper.example", "<p>You need to enable JavaScript to run this app.</p>", True),
        (
            "Kami menghargai privasi",
            "<p>Kami dan mitra kami menggunakan cookie. Aktifkan JavaScript. Setuju.</p>",
            True,
        ),
        ("请稍候…", "<p>正在验证您的浏览器，请启用 JavaScript 和 Cookie。</p>", True),
        ("Đang kiểm tra trình duyệt", "<p>Vui lòng bật JavaScript và cookie.</p>", True),
        ("503 Service Unavailable", "<p>No server is available to handle this request.</p>", True),
        ("Halaman tidak ditemukan", "<p>Maaf.</p>", True),
        ("ไม่พบหน้าที่คุณต้องการ", "<p>กรุณาลองใหม่</p>", True),
        ("Log in", "<form><input type=password></form>", True),
        (
            "Access denied: how walls shut readers out",
            "<article><p>Cookies, consent, captcha, JavaScript.</p></article>",
            False,
        ),
        ("Bank refunds are late", "<p>The bank said on Friday that refunds are late.</p>", False),
        ("Cookie law passed", "<p>" + "Parliament passed a law on cookies and consent. " * 80 + "</p>", False),
    ],
)
def test_a_wall_is_told_from_an_article_about_walls(title: str, body: str, is_wall: bool) -> None:
    """By what the page calls itself and says, in the region's languages; an article that says it is one is believed."""
    page = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    assert bool(wall_of(HtmlResponse("http://x/", body=page.encode(), encoding="utf-8"))) == is_wall


@pytest.mark.parametrize(
    ("title", "url", "page", "other"),
    [
        ("Bank refunds are late again", "", "Refunds late again, says bank. The bank said refunds will come.", False),
        ("Bank refunds are late again", "", "Ten recipes for coconut rice. Boil it with salt.", True),
        ("นายกรัฐมนตรีเตือนโฆษณาหลอกลวง", "", "นายกรัฐมนตรีเตือนประชาชนเรื่องโฆษณาหลอกลวงทางออนไลน์", False),
        ("นายกรัฐมนตรีเตือนโฆษณาหลอกลวง", "", "สูตรข้าวมันไก่", True),
        ("广告诈骗投诉激增", "", "消费者协会说，广告诈骗投诉今年激增三成。", False),
        ("Scam ads surge, says minister", "", "部长说诈骗广告激增。", False),
        ("", "http://x/bank-refunds-late-again-this-week-123.html", "Recipes for coconut rice.", True),
        (
            "",
            "http://x/hoan-tien-ngan-hang-cham-tre-456.html",
            "Ngân hàng hoàn tiền chậm trễ, khách hàng bức xúc",
            False,
        ),
        ("", "http://x/p?id=123", "Recipes for coconut rice.", False),
    ],
)
def test_a_page_is_about_what_its_list_said(title: str, url: str, page: str, other: bool) -> None:
    """By title, else by the words of its address; another language than the list's says nothing."""
    assert is_other(title, "", url, page) == other


def test_a_redirect_away_is_no_article() -> None:
    """To the front page or to a login; a redirect to another address of the article is none."""
    at = {
        "http://x/": "the front page",
        "http://x/login?next=1": "a page that wants a login or consent",
        "http://x/b/2": "",
    }
    for url, where in at.items():
        assert astray("http://x/a/1", HtmlResponse(url)) == where
