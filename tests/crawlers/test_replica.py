"""The demo's replica web: a story worth listening to, told in the real formats."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import quote

import feedparser
import pytest
from lxml import etree, html

from groundswell.configs.source import read_source
from groundswell.crawlers.replica import Item, Replica, Story, serve, tell, write_sources

NOW = datetime(2026, 11, 22, 12, 34, tzinfo=UTC)
LANGUAGES = {"en", "zh", "id", "ms", "th", "vi"}


@pytest.fixture(scope="module")
def web() -> Iterator[Replica]:
    """Serve the story once for all tests."""
    with serve(now=NOW, seed=7) as replica:
        yield replica


@pytest.fixture(scope="module")
def story(web: Replica) -> Story:
    """Return the story itself."""
    return web.story


@pytest.fixture(scope="module")
def feeds(web: Replica) -> dict[str, tuple[feedparser.FeedParserDict, str]]:
    """Fetch and parse every feed once; with its ETag."""
    found = {}
    for site in web.story.sites:
        if site.format in {"rss", "atom"}:
            _, body, headers = fetch(web, f"/{site.name}/feed.xml")
            found[site.name] = feedparser.parse(body), headers["etag"]
    return found


def fetch(web: Replica, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers (names in lower case)."""
    request = urllib.request.Request(web.url + path, headers=headers)  # noqa: S310  loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  loopback
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), {name.lower(): value for name, value in error.headers.items()}


def dated(story: Story) -> list[Item]:
    """Return the items that say when, and do not lie."""
    return [item for item in story.items if item.published and item.published <= story.now]


def shingles(text: str) -> set[str]:
    """Return runs of five letters."""
    squeezed = re.sub(r"\W+", " ", text.casefold())
    return {squeezed[place : place + 5] for place in range(max(1, len(squeezed) - 4))}


def likeness(one: set[str], other: set[str]) -> float:
    """Return the Jaccard similarity."""
    return len(one & other) / len(one | other)


def test_three_thousand_dated_documents_in_six_languages(story: Story) -> None:
    """There are at least 3,000 dated items over sixty days, and every language has its share."""
    items = dated(story)
    assert len(items) >= 3000
    counts = Counter(item.lang for item in items)
    assert set(counts) == LANGUAGES
    assert min(counts.values()) >= 200
    days = {item.appears.date() for item in items}
    assert NOW.date() - min(days) == timedelta(days=60)
    assert len(days) >= 60


def test_the_same_seed_tells_the_same_story(story: Story) -> None:
    """Seed and clock decide every word; another seed tells another story."""
    assert tell(now=NOW, seed=7) == story
    assert {item.text for item in tell(now=NOW, seed=8).items} != {item.text for item in story.items}


def test_a_later_clock_moves_the_story_along() -> None:
    """Onsets keep their distance to the clock."""
    later = NOW + timedelta(days=3)
    first, second = tell(now=NOW, seed=7).truth.onsets, tell(now=later, seed=7).truth.onsets
    assert {name: at + timedelta(days=3) for name, at in first.items()} == second


def test_three_risks_are_planted_in_order_and_one_is_fresh(story: Story) -> None:
    """Three risks begin on different days of the last twenty-five, the last of them about thirty hours ago."""
    ages = sorted((NOW - at) / timedelta(hours=1) for at in story.truth.onsets.values())
    assert len(ages) == 3
    assert 24 <= ages[0] <= 36
    assert ages[-1] <= 25 * 24
    assert all(later - earlier >= 72 for earlier, later in itertools.pairwise(ages))
    assert set(story.truth.bursts) == {"year_in_music"}


def test_a_planted_risk_starts_slowly_and_crosses_languages_sources_and_authors(story: Story) -> None:
    """Every planted risk grows from a trickle, in two languages or more, in many places, by many authors."""
    for name, onset in story.truth.onsets.items():
        mine = [item for item in story.items if story.truth.of(url=item.link, text=item.text) == name]
        assert len(mine) >= 45
        assert min(item.appears for item in mine) == onset
        hours = sorted((item.appears - onset) / timedelta(hours=1) for item in mine)
        half = min(hours[-1], 66) / 2
        assert sum(hour < half for hour in hours) < len(hours) * 0.4
        assert len({item.lang for item in mine}) >= 2
        assert len({item.site for item in mine}) >= 8
        assert len({item.author for item in mine}) >= 20
        assert len({item.market for item in mine} - {""}) >= 2


def test_only_the_truth_knows_what_is_planted(web: Replica) -> None:
    """Nothing that is served names a planted subject or the machinery behind it."""
    names = [*web.truth.onsets, *web.truth.bursts, "planted", "onset", "curve"]
    paths = [f"/{site.name}/{end}" for site in web.story.sites for end in ("feed.xml", "sitemap.xml")]
    paths += ["/api/v1/search_by_date?hitsPerPage=1000", "/robots.txt"]
    paths += [item.link for item in web.documents if item.form == "article"][:40]
    paths += [f"/api/v1/timelines/tag/{quote(site.tag)}?limit=40" for site in web.story.sites if site.tag]
    for path in paths:
        _, body, _ = fetch(web, quote(path, safe="/?=&%@.-_"))
        assert not [name for name in names if name.encode() in body], path
    assert not {"subject", "planted"} & set(Item.__dataclass_fields__)


def test_people_hardly_ever_say_the_same(story: Story) -> None:
    """Of a sample, under 8 % have a near-copy before them (Jaccard .8), though 4 % are copies on purpose."""
    sample = Random(3).sample(story.items, 150)
    copies = 0
    for item in sample:
        grams = shingles(item.text)
        # Near-copies are of about the same length: look among those only.
        near = [
            other.text
            for other in story.items
            if other.lang == item.lang
            and other.number < item.number
            and 0.75 < (len(other.text) + 1) / (len(item.text) + 1) < 1.34
        ]
        copies += any(likeness(grams, shingles(text)) >= 0.8 for text in near)
    assert copies / len(sample) < 0.08
    assert len({item.text for item in story.items}) / len(story.items) > 0.97
    # A story of mere templates would fail here: no five words in a row open many texts.
    openings = Counter(" ".join(item.text.split()[:5]) for item in story.items if len(item.text.split()) > 8)
    assert openings.most_common(1)[0][1] / len(story.items) < 0.006


def test_a_planted_risk_is_told_in_many_ways(story: Story) -> None:
    """Within one language of one planted risk two texts hardly overlap."""
    rng = Random(1)
    for name in story.truth.onsets:
        for lang in LANGUAGES:
            mine = [
                shingles(item.text)
                for item in story.items
                if item.lang == lang and story.truth.of(url=item.link, text=item.text) == name
            ]
            pairs = list(itertools.combinations(mine, 2))
            if len(mine) < 15:
                continue
            sample = rng.sample(pairs, min(300, len(pairs)))
            assert sum(likeness(*pair) for pair in sample) / len(sample) < 0.15


def test_days_have_nights_and_weeks_have_weekends(story: Story) -> None:
    """People sleep, and newsrooms rest."""
    posts = Counter((item.appears.hour + 8) % 24 for item in dated(story) if item.form in {"post", "review"})
    assert sum(posts[hour] for hour in (2, 3, 4)) * 4 < sum(posts[hour] for hour in (19, 20, 21))


def test_the_gap_is_really_there(story: Story) -> None:
    """Four places have nothing for three days in the middle of a steady stream."""
    begin, end = story.gap
    assert end - begin == timedelta(days=3)
    assert len(story.gap_sites) == 4
    for site in story.gap_sites:
        times = [item.appears for item in story.items if item.site == site and item.quirk == ""]
        assert not [at for at in times if begin <= at < end]
        assert [at for at in times if at < begin]
        assert [at for at in times if at >= end]


def test_during_the_gap_a_place_answers_503() -> None:
    """As of a moment within the gap the place is down; afterwards it is back."""
    with serve(now=NOW, seed=7) as web:
        begin, end = web.story.gap
        site = next(name for name in sorted(web.story.gap_sites) if name == "kampung-net")
        web.as_of = begin + timedelta(hours=5)
        status, _, headers = fetch(web, f"/{site}/feed.xml")
        assert (status, headers["retry-after"]) == (503, "3600")
        web.as_of = end + timedelta(hours=1)
        assert fetch(web, f"/{site}/feed.xml")[0] == 200


def test_as_of_hides_the_future() -> None:
    """A replay sees only what had appeared by then, and more as the clock moves."""
    with serve(now=NOW, seed=7, as_of=NOW - timedelta(days=20)) as web:
        early = len(web.documents)
        assert all(item.appears <= NOW - timedelta(days=20) for item in web.documents)
        path = "/api/v1/search_by_date?hitsPerPage=1"
        before = json.loads(fetch(web, path)[1])["nbHits"]
        web.as_of = None
        assert len(web.documents) > early
        assert json.loads(fetch(web, path)[1])["nbHits"] > before


def test_feeds_are_rss_and_atom_and_answer_304(
    web: Replica, feeds: dict[str, tuple[feedparser.FeedParserDict, str]]
) -> None:
    """Every feed parses without complaint, and an unchanged one is not sent again."""
    formats = {site.name: site.format for site in web.story.sites}
    for name, (feed, etag) in feeds.items():
        assert not feed.bozo
        assert feed.version == {"rss": "rss20", "atom": "atom10"}[formats[name]]
        assert feed.entries
        assert fetch(web, f"/{name}/feed.xml", **{"If-None-Match": etag})[0] == 304


def test_some_entries_are_undated_and_some_come_from_the_future(
    feeds: dict[str, tuple[feedparser.FeedParserDict, str]],
) -> None:
    """The oddities of real feeds are served, not only told."""
    entries = [entry for feed, _ in feeds.values() for entry in feed.entries]
    assert [entry for entry in entries if "published" not in entry]
    today = (NOW.year, NOW.month, NOW.day)
    assert [entry for entry in entries if entry.get("published_parsed") and entry.published_parsed[:3] > today]
    assert [entry for entry in entries if "utm_source" in entry.link]


def test_sitemaps_lead_to_articles_with_all_that_surrounds_them(web: Replica) -> None:
    """An index names gzipped parts, parts name pages, and a page wraps its text as newspapers do."""
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}
    for site in web.story.sites:
        if site.format != "sitemap":
            continue
        index = etree.fromstring(fetch(web, f"/{site.name}/sitemap.xml")[1])
        part = index.xpath("//s:loc/text()", namespaces=space)[0]
        urls = etree.fromstring(gzip.decompress(fetch(web, part.removeprefix(web.url))[1]))
        links = urls.xpath("//s:url/s:loc/text()", namespaces=space)
        assert len(links) == len(urls.xpath("//n:title", namespaces=space))
        page = html.fromstring(fetch(web, links[0].removeprefix(web.url))[1].decode())
        assert page.xpath("//article//p")
        assert page.xpath("//nav")
        assert page.xpath("//footer")
        assert page.xpath("//*[@id='cookie-consent']")


def test_algolia_pages_filters_and_bounds(web: Replica) -> None:
    """Newest first, one page after another, nothing older than asked."""
    since = int((NOW - timedelta(days=30)).timestamp())
    base = f"/api/v1/search_by_date?query=&tags=(story,comment)&numericFilters=created_at_i>{since}&hitsPerPage=10"
    first = json.loads(fetch(web, base + "&page=0")[1])
    seen = [hit for page in range(first["nbPages"]) for hit in json.loads(fetch(web, f"{base}&page={page}")[1])["hits"]]
    assert len({hit["objectID"] for hit in seen}) == first["nbHits"]
    times = [hit["created_at_i"] for hit in seen]
    assert times == sorted(times, reverse=True)
    assert min(times) > since
    assert all(hit["comment_text"] or hit["title"] for hit in seen)


def test_a_tag_can_be_walked_in_both_directions(web: Replica) -> None:
    """From the oldest up by min_id and from the newest down by max_id one meets the same posts."""
    path = "/api/v1/timelines/tag/iklan?limit=40"
    up, mark = [], "0"
    while page := json.loads(fetch(web, f"{path}&min_id={mark}")[1]):
        up += page
        mark = page[0]["id"]
    down, link = [], path
    while page := json.loads(fetch(web, link)[1]):
        down += page
        link = f"{path}&max_id={page[-1]['id']}"
    assert {post["id"] for post in up} == {post["id"] for post in down}
    assert len(up) == len(down) > 40
    assert 'rel="next"' in fetch(web, path)[2]["link"]


def test_apple_gives_an_object_where_there_is_one_review(web: Replica) -> None:
    """Pages of fifty, no entry at the end, an object for a single one, a refusal beyond page ten."""
    page = "/id/rss/customerreviews/page={}/id=1430010001/sortby=mostrecent/json"
    feed = json.loads(fetch(web, page.format(1))[1])["feed"]
    assert len(feed["entry"]) == 50
    assert {"label"} <= set(feed["entry"][0]["im:rating"])
    assert "entry" not in json.loads(fetch(web, page.format(10))[1])["feed"]
    assert fetch(web, page.format(11))[0] == 400
    single = json.loads(fetch(web, "/nz/rss/customerreviews/page=1/id=1430010004/sortby=mostrecent/json")[1])["feed"]
    assert isinstance(single["entry"], dict)


def test_one_page_lies_about_its_charset_and_one_is_hostile(web: Replica) -> None:
    """A page in UTF-8 declares Latin-1; a post carries a script."""
    page = next(item for item in web.documents if item.quirk == "charset")
    _, body, headers = fetch(web, quote(page.link, safe="/"))
    assert "iso-8859-1" in headers["content-type"]
    assert page.title in body.decode()
    assert b"&lt;script&gt;" in fetch(web, "/kopi-corner/feed.xml")[1]


def test_what_is_not_there_is_404_and_robots_are_told(web: Replica) -> None:
    """Unknown paths answer 404, silly numbers 400, and robots.txt allows what is crawled."""
    assert fetch(web, "/nowhere/feed.xml")[0] == 404
    assert fetch(web, "/api/v1/search_by_date?page=x")[0] == 400
    assert fetch(web, "/robots.txt")[1].startswith(b"User-agent: *")


def test_every_place_becomes_a_source_that_the_crawler_accepts(web: Replica, tmp_path: Path) -> None:
    """The written YAML is valid, of the known formats, and covers every place."""
    sources = [read_source(path) for path in write_sources(tmp_path / "sources", web.url)]
    assert {source.format for source in sources} == {"feed", "sitemap", "hackernews", "mastodon", "appstore"}
    assert {site.app or site.name for site in web.story.sites} == {source.name for source in sources}
    assert {source.market for source in sources} >= {"SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ"}


def test_evidence_is_found_when_half_of_it_is_planted(story: Story) -> None:
    """The truth recognises a document by its page or by its text, and a half is enough."""
    name = next(iter(story.truth.onsets))
    mine = [item for item in story.items if story.truth.of(url=item.link, text=item.text) == name]
    other = [item for item in story.items if not story.truth.of(url=item.link, text=item.text)]
    pairs = [(f"http://127.0.0.1:1{item.link}?utm_source=x", "") for item in mine if item.link][:3]
    pairs += [("", item.text.upper()) for item in mine if not item.link][:1]
    noise = [(item.link, item.text) for item in other[: len(pairs)]]
    assert story.truth.found(pairs + noise) == name
    assert story.truth.found([*pairs[1:], *noise]) == ""
