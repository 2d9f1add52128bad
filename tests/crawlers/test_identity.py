"""Identity keeps what tells items apart and drops what does not; guid and link decide together."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundswell.crawlers.addresses import canonical
from groundswell.index.ids import mention_id
from groundswell.index.records import Mention

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STORY = "https://paper.example/2026/story-1"


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


@pytest.mark.parametrize(
    "twin",
    [
        "http://paper.example/2026/story-1",
        "https://www.paper.example/2026/story-1/",
        "https://m.paper.example/2026/story-1",
        "https://mobile.paper.example/2026/story-1",
        "https://amp.paper.example/2026/story-1",
        "https://paper.example/2026/story-1/amp/",
        "https://paper.example/amp/2026/story-1",
        "https://paper.example/2026/story-1?amp=1",
        "https://paper.example/2026/story-1?outputType=amp",
        "https://PAPER.example:443/2026/story-1?utm_source=a&fbclid=b#top",
        "https://paper.example/2026/story-1?ref=rss",
        "https://paper.example/2026/story-1;jsessionid=0A1B2C",
        "https://paper.example/2026/story-1?PHPSESSID=0123456789abcdef0123456789abcdef",
        "https://www.google.com/url?rct=j&sa=t&url=https://www.paper.example/2026/story-1&ct=ga&cd=CAIyHD&usg=AOv",
        "https://www.google.com.sg/url?q=https%3A%2F%2Fpaper.example%2F2026%2Fstory-1",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fpaper.example%2F2026%2Fstory-1%3Ffbclid%3Dx&h=AT",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&url=https%3a%2f%2fpaper.example%2f2026%2fstory-1&c=1",
        "https://paper-example.cdn.ampproject.org/v/s/paper.example/2026/story-1?amp_js_v=0.1",
        "https://www.google.com/amp/s/amp.paper.example/2026/story-1",
    ],
)
def test_twins_of_a_page_are_one(twin: str) -> None:
    """Scheme, www, slash, AMP, mobile, tracking, sessions, and the wrappers of search, alerts and networks."""
    assert canonical(twin) == STORY


@pytest.mark.parametrize(
    "other",
    [
        "https://paper.example/2026/story-1?page=2",
        "https://paper.example/2026/story-1?pk_id=7",
        "https://paper.example/2026/story-1?id=7",
        "https://paper.example/2026/story-1?source=police",
        "https://paper.example/2026/story-1?s=search",
        "https://paper.example/2026/story-1#comment-41",
        "https://paper.example/2026/story-1#comment-42",
        "https://paper.example/2026/story-1#p41",
        "https://paper.example/2026/story-1#!/t/1",
        "https://paper.example/2026/story-1#/p/1",
        "https://paper.example:8443/2026/story-1",
        "https://news.paper.example/2026/story-1",
        "https://m.me/2026/story-1",
        "https://www.google.com/search?q=https://paper.example/2026/story-1",
    ],
)
def test_what_names_another_page_or_comment_is_kept(other: str) -> None:
    """Parameters that are no tracking, numbered comments, routes, ports, other hosts."""
    assert canonical(other) not in ("", STORY)
    assert canonical(canonical(other)) == canonical(other)


def test_known_tracking_parameters_are_dropped() -> None:
    """What the vendors document, and what public lists of browsers hold."""
    names = re.findall(
        r"\w+",
        "utm utm_source utm_id ga_source yclid ysclid _openstat fb_action_ids fb_source fb_ref fbclid "
        "action_object_map action_type_map gs_l mkt_tok hmb_campaign hmb_medium gclid gbraid wbraid "
        "gad_source dclid otm_x cmpid os_ehash _ga _gl __twitter_impression wt_mc wt_zmc wtrid mc Echobox spm "
        "scm vn_a_b tracking_source ceneo_spo itm_source __hsfp __hssc __hstc _hsenc _hsmi __s hsCtaTracking "
        "mc_eid mc_cid mc_tc ml_subscriber ml_subscriber_hash msclkid oly_anon_id rb_clickid s_cid vero_conv "
        "vero_id wickedid twclid ttclid zarsrc srsltid mibextid vd_source igshid pk_campaign mtm_source "
        "matomo_cid at_medium xtor ",
    )
    kept = [name for name in names if canonical(f"{STORY}?{name}=1&id=2") != f"{STORY}?id=2"]
    assert kept == []


def entry(
    n: int | str, *, link: str = "", guid: str = "", title: str = "", text: str = "", day: int = 19, more: str = ""
) -> str:
    """Return an item; without words of its own it has some that differ by number."""
    link = f"<link>{link.replace('&', '&amp;')}</link>" if link else ""
    guid = f'<guid isPermaLink="{str(guid.startswith("http")).lower()}">{guid}</guid>' if guid else ""
    date = f"<pubDate>2026-11-{day:02}T08:0{n}:00Z</pubDate>" if day else ""
    title = title or f"Title number {n}"
    return (
        f"<item><title>{title}</title>{link}{guid}<description>{text or f'Text {n}'}</description>{date}{more}</item>"
    )


def feed(*items: str, home: str = "https://home.example/") -> str:
    """Return a feed."""
    return f"<rss version='2.0'><channel><title>t</title><link>{home}</link>{''.join(items)}</channel></rss>"


L = "https://regulator.example/alerts"
VISITS: dict[str, tuple[list[str], int]] = {
    # name: what each visit brings, how many mentions there are at the end
    "nothing": ([feed(*(entry(n) for n in range(4)))] * 2, 4),
    "same-words": ([feed(*(entry(n, title=f"Firm {n}", text="Not licensed", day=19) for n in range(4)))] * 2, 4),
    "one-link": ([feed(*(entry(n, link=L) for n in range(4)))] * 2, 4),
    "one-by-one": ([feed(entry(n, link=L, day=15 + n)) for n in range(3)], 3),
    "one-day": ([feed(entry(n, link=L).replace("T08:0", "T00:00:00Z").replace(f"{n}:00Z", "")) for n in range(3)], 3),
    "one-by-one-ids": ([feed(entry(n, link=L, guid=f"g{n}", day=15)) for n in range(3)], 3),
    "then-together": (
        [feed(entry(0, link=L, guid="a")), feed(entry(1, link=L, guid="b"), entry(0, link=L, guid="a"))],
        2,
    ),
    "home-page": ([feed(entry(n, link="https://home.example", day=15 + n)) for n in range(3)], 3),
    "anchors": ([feed(*(entry(n, link=f"{L}#part{n}", guid=f"log-{n}", title="Change") for n in range(3)))] * 2, 3),
    "routes": (
        [feed(*(entry(n, link=f"https://f.example/#/p/{n}", title="Re: ads", text="Yes") for n in range(3)))] * 2,
        3,
    ),
    "comments": ([feed(*(entry(n, link=f"{L}#comment-4{n}", title="Re: ads", text="Yes") for n in range(3)))] * 2, 3),
    "parameters": (
        [feed(*(entry(n, link=f"{L}?{p}={n}", guid=f"{p}{n}") for n, p in enumerate(("pk_id", "cmp", "scm", "cmp"))))]
        * 2,
        4,
    ),
    "one-guid": ([feed(*(entry(n, link=f"{L}/{n}", guid="0") for n in range(3)))] * 2, 3),
    "no-link-one-guid": ([feed(*(entry(n, guid="0") for n in range(3)))] * 2, 3),
    "two-sections": (
        [feed(*(entry(1, link=f"{L}/{part}/1", guid="g1", title="Same") for part in ("news", "sport")))] * 2,
        1,
    ),
    "guid-changes": ([feed(entry(1, link=L, guid=f"random-{n}")) for n in range(3)], 1),
    "edited": (
        [feed(entry(1, link=L, guid="a", title=f"Title, version {n}", text=f"v{n}", day=15 + n)) for n in range(3)],
        1,
    ),
    "page-is-its-id": (
        [feed(entry(1, link=L, guid=L, title="&#8203;", text=f"a post, version {n}", day=15 + n)) for n in range(3)],
        1,
    ),
    "retitled": ([feed(entry(1, link=L, title=f"Title, version {n}", text=f"v{n}")) for n in range(3)], 1),
    "moved": (
        [
            feed(entry(1, link=f"{root}/s-1{end}", guid=f"{root}/s-1"))
            for root, end in (
                ("http://p.example", ""),
                ("https://www.p.example", "/"),
                ("https://m.p.example", "?amp=1"),
            )
        ],
        1,
    ),
}


def test_items_are_as_many_as_there_are_at_every_visit(house: Any, web: Any, answer: Any) -> None:
    """Fifteen kinds of feeds, visited one after another: no item is lost to another one, none is told twice."""
    for name, (visits, _) in VISITS.items():
        bodies = [body.replace(L, f"{L}/{name}").replace("</desc", f" ({name})</desc") for body in visits]
        web.play(f"/{name}", [answer(body, type="text/xml") for body in bodies])
    house.source("all", f"format: feed\nkind: regulator\nurls: [{', '.join(f'{web.url}/{name}' for name in VISITS)}]\n")
    for visit in range(3):
        house.crawl("all", now=NOW + timedelta(hours=visit))
    found = Counter(each.text.rpartition("(")[2].rstrip(")") for each in house.mentions())
    assert found == {name: count for name, (_, count) in VISITS.items()}


TALK = {
    "lobsters": entry(
        1, link=STORY, guid="https://talk.example/s/abc", more="<comments>https://talk.example/s/abc</comments>"
    ),
    "hn": entry(2, link=STORY, more="<comments>https://talk.example/item?id=7</comments>"),
    "blog": entry(3, link=STORY, more=f"<comments>{STORY}#respond</comments>"),
    "disqus": entry(4, link=f"{STORY}0", more="<comments>https://paper.disqus.com/s-10</comments>"),
    "alerts": entry(5, link=f"https://www.google.com/url?sa=t&url={STORY}&usg=1", guid="tag:google.com,2013:x"),
}


def test_talk_about_an_article_is_not_the_article(house: Any, web: Any, answer: Any) -> None:
    """A forum's item is its own page and says which article it is about; an alert's link leads to the article."""
    for name, item in TALK.items():
        web.play(f"/{name}", answer(feed(item, home="https://talk.example/"), type="text/xml"))
    house.source("talk", f"format: feed\nkind: post\nurls: [{', '.join(f'{web.url}/{name}' for name in TALK)}]\n")
    house.crawl("talk")
    found = {each.canonical_url: each for each in house.mentions()}
    assert set(found) == {"https://talk.example/s/abc", "https://talk.example/item?id=7", STORY, f"{STORY}0"}
    assert found["https://talk.example/s/abc"].extra["link"] == STORY
    assert found[STORY].url == STORY


def test_what_an_older_version_stored_is_not_stored_again(house: Any, web: Any, answer: Any) -> None:
    """Mentions under the ids of 0.1.0 (scheme, www, slash, tracking that it kept, no ids at all) keep those ids."""
    old = Mention(id="", source="paper", kind="news", text="", fetched_at=NOW - timedelta(days=1))
    links = [
        "http://www.paper.example/s-0/",
        "https://www.paper.example/s-1?a=1",
        "https://paper.example/s-2/",
        "https://www.paper.example/s-3#top",
    ]
    at = [datetime(2026, 11, 19, 8, n, tzinfo=UTC) for n in range(5)]
    ids = [mention_id(canonical_url=link.partition("#")[0]) for link in links]
    ids.append(mention_id(source="paper", text="2026-11-19T08:04:00Z\x1fText 4"))
    before = [
        replace(
            old,
            id=each,
            title=f"Title number {n}",
            text=f"Text {n}",
            url=link,
            published_at=at[n],
            date_confidence="exact",
        )
        for n, (each, link) in enumerate(zip(ids, [*links, ""], strict=True))
    ]
    house.store.put(before)
    items = [entry(n, link=link) for n, link in enumerate(links)] + [entry(4)]
    web.play("/paper", answer(feed(*items), type="text/xml"))
    house.source("paper", f"format: feed\nkind: news\nurls: [{web.url}/paper]\n")
    run = house.crawl("paper")["paper"]
    assert (run.found, run.duplicate) == (5, 5)
    assert {each.id for each in house.mentions()} == {each.id for each in before}
