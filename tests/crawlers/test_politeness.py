"""How we behave: robots.txt to the letter, waits as asked but bounded, cookies of one visit, dead hosts tried once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from scrapy.http import Response

from groundswell.crawlers.hosts import LONGEST_DELAY, Host, rules_of
from groundswell.crawlers.politeness import LONGEST_SILENCE, until, wait_of
from groundswell.crawlers.summary import notes, troubles
from groundswell.index.records import Checkpoint

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ITEM = "<item><title>Story {0}</title><link>/n/{0}</link><description>Text {0}.</description></item>"
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>' + ITEM.format(1) + "</channel></rss>"
PAGE = (
    "<html><head><title>Story {0}</title></head><body><article><h1>Story {0}</h1><p>Story {0} tells at length of a"
    " bank, its customers, and of what they lost when the refund never came.</p><p>Nobody at the bank answered"
    " when it was asked about story {0} and the money of its customers.</p></article></body></html>"
)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_an_absent_robots_txt_says_is_not_read(house: Any, web: Any, answer: Any, status: int) -> None:
    """An error page that happens to hold rules closes nothing."""
    web.play("/robots.txt", answer("User-agent: *\nDisallow: /\n", status, type="text/plain"))
    web.play("/f.xml", answer(FEED, type="text/xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    assert house.crawl()["feed"].stored == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {}),
        (503, {"Retry-After": "7200"}),
        (429, {}),
        (302, {"Location": "http://169.254.169.254/robots.txt"}),
        (302, {"Location": "ftp://x.example/robots.txt"}),
        (302, {"Location": "/robots.txt"}),
    ],
)
def test_rules_that_cannot_be_read_forbid_everything(
    house: Any, web: Any, answer: Any, status: int, headers: Mapping[str, str]
) -> None:
    """A server error, a redirect to where we may not go or in a circle: we wait, and say why."""
    web.play("/robots.txt", answer("User-agent: *\nAllow: /\n", status, type="text/plain", headers=headers))
    web.play("/f.xml", answer(FEED, type="text/xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    run = house.crawl()["feed"]
    assert "Forbidden by robots.txt, which could not be read" in run.error
    assert web.paths() == []
    if "Retry-After" in headers:
        web.log.clear()
        assert "asked to be left alone" in house.crawl(now=NOW + timedelta(hours=1))["feed"].error
        assert web.log == []


def test_a_robots_txt_that_redirects_is_obeyed(house: Any, web: Any, answer: Any) -> None:
    """The rules are those at the end of the way."""
    web.play("/robots.txt", answer(status=301, headers={"Location": "/rules.txt"}))
    web.play("/rules.txt", answer("User-agent: groundswell\nDisallow: /f\n", type="text/plain"))
    web.play("/f.xml", answer(FEED, type="text/xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    assert house.crawl()["feed"].error.endswith("Forbidden by robots.txt")


def test_rules_are_read_once_for_all_sources_of_a_host(house: Any, web: Any, answer: Any) -> None:
    """Three sources, one robots.txt."""
    for name in "abc":
        web.play(f"/{name}.xml", answer(FEED, type="text/xml"))
        house.source(name, f"format: feed\nkind: news\nurls: ['{web.url}/{name}.xml']\n")
    house.crawl()
    assert [asked.path for asked in web.log].count("/robots.txt") == 1


def test_a_fractional_crawl_delay_is_kept_between_any_two_requests(house: Any, web: Any, answer: Any) -> None:
    """Also between sources of one host; what does not fit into the visit is left, counted, and comes next time."""
    begun: list[float] = []

    def page(path: str, headers: Mapping[str, str]) -> Any:
        begun.append(time.monotonic())
        return answer(PAGE.format(path[-1]))

    items = "".join(ITEM.format(n) for n in range(4))
    web.play("/robots.txt", answer("User-agent: *\nCrawl-delay: 0.6\n", type="text/plain"))
    web.play("/f.xml", answer(FEED.replace(ITEM.format(1), items), type="text/xml"))
    for n in range(4):
        web.play(f"/n/{n}", page)
    follow = "format: feed\nkind: news\nfollow: true\n"
    house.source("a", f"{follow}urls: ['{web.url}/f.xml']\npoliteness: {{run_seconds: 1.5}}\n")
    run = house.crawl()["a"]
    assert run.left == 4 - len(begun) > 0
    assert run.error == ""
    assert "0.6 s between two requests" in run.remark
    for hour in range(1, 6):  # on a busy machine fewer fit into a visit
        if len(begun) < 4:
            house.crawl(now=NOW + timedelta(hours=hour))
    assert len(begun) == 4
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert min(gaps) > 0.55, "the server's clock ticks too"
    assert len(house.mentions()) == 4


@pytest.mark.parametrize(
    ("rules", "delay"),
    [
        ("Crawl-delay: 0.25", 0.25),
        ("crawl-delay : 7", 7.0),
        ("Crawl-delay: 99999999999", LONGEST_DELAY),
        ("Crawl-delay: 1e300", LONGEST_DELAY),
        ("Crawl-delay: -3", 0.0),
        ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: soon", 0.0),
        ("Request-rate: 2/1m", 30.0),
        ("Disallow: /x", 0.0),
    ],
)
def test_a_crawl_delay_is_read_and_bounded(rules: str, delay: float) -> None:
    """At most a day between two requests, whatever is written."""
    assert rules_of(200, f"User-agent: *\n{rules}\n".encode(), robot="Groundswell").delay == delay


def test_a_delay_for_others_is_not_ours() -> None:
    """The group with our name wins over the one for all."""
    body = b"User-agent: *\nCrawl-delay: 60\n\nUser-agent: Groundswell\nCrawl-delay: 2\n"
    assert rules_of(200, body, robot="Groundswell").delay == 2.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("1.5", 1.5),
        ("-5", None),
        ("\xb2", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 12:01:00", 60.0),
    ],
)
def test_a_retry_after_is_read(value: str, seconds: float | None) -> None:
    """Seconds or a date, with or without its zone; what is neither says nothing."""
    assert wait_of(Response("http://x", headers={"Retry-After": value.encode("latin-1")}), now=NOW) == seconds


@pytest.mark.parametrize("value", ["999999999", "999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_server_silences_a_source_for_longer_than_a_day(house: Any, web: Any, answer: Any, value: str) -> None:
    """The bound is kept and told; a command undoes the wait."""
    web.play("/f.xml", [answer("busy", 429, headers={"Retry-After": value}), answer(FEED, type="text/xml")])
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    run = house.crawl()["feed"]
    assert "asked again after a day, or at once by: groundswell crawl --again feed" in run.remark
    assert "not visited" in house.crawl(now=NOW + timedelta(hours=23))["feed"].error
    assert house.crawl("feed", now=NOW + timedelta(hours=23, minutes=1), again=True)["feed"].stored == 1
    assert until(1e15, now=NOW) == NOW + timedelta(seconds=LONGEST_SILENCE)


def test_a_wait_of_decades_in_an_older_checkpoint_is_forgotten(house: Any, web: Any, answer: Any) -> None:
    """Earlier versions believed such servers."""
    web.play("/f.xml", answer(FEED, type="text/xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    marks = {"not_before": (NOW + timedelta(days=9000)).isoformat()}
    house.store.put([Checkpoint(id="crawl:feed", value={"marks": marks}, at=NOW)])
    assert house.crawl()["feed"].stored == 1


def test_a_cookie_is_given_back_to_its_host_for_this_visit(house: Any, web: Any, answer: Any) -> None:
    """A gate that redirects until its cookie comes back is passed; the next visit comes without; heaps are refused."""
    came: list[str] = []

    def gate(path: str, headers: Mapping[str, str]) -> Any:
        came.append(headers.get("Cookie") or "")
        if "seen=1" in came[-1]:
            return answer(FEED, type="text/xml")
        return answer(status=302, headers={"Location": path, "Set-Cookie": "seen=1; Path=/"})

    web.play("/f.xml", gate)
    web.play("/heap.xml", answer(FEED, type="text/xml", headers={"Set-Cookie": "a=" + "x" * 5000}))
    house.source("a", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    house.source("b", f"format: feed\nkind: news\nurls: ['{web.url}/heap.xml', '{web.url}/heap.xml?2']\n")
    assert house.crawl("a")["a"].stored == 1
    house.crawl("a", now=NOW + timedelta(hours=1))
    assert came == ["", "seen=1", "", "seen=1"]
    house.crawl("b")
    assert not any(asked.headers.get("Cookie") for asked in web.log if "heap" in asked.path)


def test_a_circle_of_redirects_is_told_with_advice(house: Any, web: Any, answer: Any) -> None:
    """What cannot be passed is named, with what to try."""
    web.play("/f.xml", answer(status=302, headers={"Location": "/f.xml"}))
    house.source("a", f"format: feed\nkind: news\nurls: ['{web.url}/f.xml']\n")
    assert "open it in a browser and give the address where it ends" in house.crawl()["a"].error


def test_a_dead_host_is_tried_once_and_named_in_one_line(house: Any, closed_port: int) -> None:
    """Ten addresses of three sources: one failure, one line."""
    url = f"http://127.0.0.1:{closed_port}"
    for name in "abc":
        urls = ", ".join(f"'{url}/{name}{n}.xml'" for n in range(10))
        house.source(name, f"format: feed\nkind: news\nurls: [{urls}]\n")
    runs = house.crawl()
    host = url.removeprefix("http://")
    assert {run.error for run in runs.values()} == {f"{host} is given up for this run: nothing listens there"}
    line = f"{host} does not answer: nothing listens there (a, b, c); given up"
    assert notes(list(runs.values())) == troubles(list(runs.values())) == [line]


def test_a_host_that_answered_is_not_given_up_at_once() -> None:
    """One slow page is no dead site; six failures in a row are."""
    host = Host("x")
    host.hear()
    assert [host.fail("no answer in time") for _ in range(6)] == [False] * 5 + [True]
    fresh = Host("y")
    assert fresh.fail("nothing listens there")


def test_a_visit_whose_time_is_up_says_so_and_goes_on_next_time(house: Any, web: Any, answer: Any) -> None:
    """Slow articles: what was read is stored, what was not is counted; two more visits and nothing is missing."""

    def slow(path: str, headers: Mapping[str, str]) -> Any:
        time.sleep(0.3)
        return answer(PAGE.format(path.rsplit("/", 1)[1]))

    items = "".join(ITEM.format(n) for n in range(12))
    web.play("/f.xml", answer(FEED.replace(ITEM.format(1), items), type="text/xml", validators=True))
    for n in range(12):
        web.play(f"/n/{n}", slow)
    house.source(
        "a",
        f"format: feed\nkind: news\nfollow: true\nurls: ['{web.url}/f.xml']\npoliteness: {{run_seconds: 1.5}}\n",
    )
    run = house.crawl()["a"]
    assert run.cut
    assert 0 < run.left < 12
    assert "the visit was cut after 1.5 s (politeness.run_seconds)" in run.remark
    for hour in range(1, 12):
        run = house.crawl(now=NOW + timedelta(hours=hour))["a"]
        if not run.cut:
            break
    assert (run.left, run.error) == (0, "")
    assert len(house.mentions()) == 12
    assert all("tells at length" in mention.text for mention in house.mentions())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "cp1252"])
def test_rules_are_understood_in_any_encoding(encoding: str) -> None:
    """Editors write two bytes a letter, and marks; what is no ASCII in it stops nothing."""
    rules = rules_of(200, "User-agent: *\n# für alle\nDisallow: /private\n".encode(encoding), robot="Groundswell")
    assert rules.parser is not None
    assert not rules.parser.allowed("https://x.example/private/1", "Groundswell")
    assert rules.parser.allowed("https://x.example/public", "Groundswell")


def test_a_pause_longer_than_a_visit_starves_no_article_and_no_list(house: Any, web: Any, answer: Any) -> None:
    """One request fits into each visit: the list, an article, the next list, and so on until all is read."""
    web.play("/robots.txt", answer("User-agent: *\nCrawl-delay: 9\n", type="text/plain"))
    items = "".join(ITEM.format(number) for number in (1, 2))
    web.play("/a.xml", answer(FEED.replace(ITEM.format(1), items), type="text/xml"))
    web.play("/b.xml", answer(FEED.replace(ITEM.format(1), ITEM.format(3)), type="text/xml"))
    for number in (1, 2, 3):
        web.play(f"/n/{number}", answer(PAGE.format(number)))
    urls = f"urls: ['{web.url}/a.xml', '{web.url}/b.xml']\npoliteness: {{run_seconds: 4}}\n"
    house.source("feed", f"format: feed\nkind: news\nfollow: true\n{urls}")
    asked = []
    for visit in range(8):
        run = house.crawl(now=NOW + timedelta(hours=visit))["feed"]
        asked.append(web.paths())
        web.log.clear()
        if len(house.mentions()) == 3:
            break
        assert run.left
        assert "asks for 9 s between two requests" in run.remark
        assert run.error == ""
    assert [len(paths) for paths in asked] == [1] * len(asked), "one request a visit"
    assert sum("bank" in mention.text for mention in house.mentions()) == 3
