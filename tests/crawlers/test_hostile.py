"""What the world does to crawlers: errors, lies, bombs, traps. Each is told in words; none stops the others."""

from __future__ import annotations

import gzip
import ipaddress
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from groundswell.configs.schema import CrawlSettings
from groundswell.crawlers.guard import GuardedResolver, is_allowed, why_not
from groundswell.index.records import Checkpoint

FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><item><title>Fine</title><link>/n/1</link>'
    "<description>A text.</description><pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item>"
)
END = "</channel></rss>"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


def test_no_trouble_of_one_source_stops_another(house: Any, web: Any, answer: Any, closed_port: int) -> None:
    """Twenty sources in trouble and one in order: each error is told in words, the good one is stored."""
    house.settings = house.settings.model_copy(
        update={"crawl": house.settings.crawl.model_copy(update={"max_page_bytes": 200_000})}
    )
    web.play("/robots.txt", answer("User-agent: *\nDisallow: /secret\n", type="text/plain"))
    secret = Path(house.folder / "secret.xml")
    secret.write_text(FEED + END, encoding="utf-8")
    external = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{secret}">]>'
    pages = {
        "forbidden": answer("no", 403),
        "missing": answer("no", 404),
        "broken": answer("oops", 500),
        "away": answer("busy", 429, headers={"Retry-After": "3600"}),
        "page": answer("<!doctype html><html><body>Sign in</body></html>"),
        "empty": answer(""),
        "torn": answer(FEED + "<item><title>Half", type="text/xml"),
        "laughs": answer(
            f'<?xml version="1.0"?>{LAUGHS}]><rss version="2.0"><channel><title>&i;</title>{END}', type="text/xml"
        ),
        "path": answer(str(secret), type="text/plain"),
        "huge": answer(FEED + " " * 300_000 + END, type="text/xml"),
        "bomb": answer(gzip.compress(b" " * 20_000_000), type="text/xml", headers={"Content-Encoding": "gzip"}),
        "secret": answer(FEED + END, type="text/xml"),
        "metadata": answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
        "local": answer(status=302, headers={"Location": f"file://{secret}"}),
        "circle": answer(status=302, headers={"Location": "/circle"}),
        "binary": answer(bytes(range(256)) * 50, type="application/rss+xml"),
        "good": answer(FEED + END, type="text/xml"),
    }
    for name, page in pages.items():
        web.play(f"/{name}", page)
        house.source(name, f"format: feed\nkind: news\nurls: [{web.url}/{name}]\n")
    web.play("/busy", [answer("busy", 429, headers={"Retry-After": "1"}), answer(FEED + END, type="text/xml")])
    house.source("busy", f"format: feed\nkind: news\nurls: [{web.url}/busy]\n")
    house.source("half", f"format: feed\nkind: news\nurls: [{web.url}/good, {web.url}/missing]\n")
    house.source("down", f"format: feed\nkind: news\nurls: [http://127.0.0.1:{closed_port}/feed]\n")
    web.play("/hn/api/v1/search_by_date", answer("Too many requests, slow down"))
    house.source("hn", f"format: hackernews\nkind: post\nurl: {web.url}/hn\nqueries: [ads]\n")
    web.play("/odd/api/v1/search_by_date", answer(json.dumps({"hits": [{"objectID": 1}]}), type="application/json"))
    house.source("odd", f"format: hackernews\nkind: post\nurl: {web.url}/odd\nqueries: [ads]\n")
    web.play(
        "/map.xml",
        answer(f"<?xml version='1.0'?>{external}<urlset><url><loc>&x;</loc></url></urlset>", type="text/xml"),
    )
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n")
    house.source("typo", "format: feed\nkind: news\nurlz: [http://x.example/]\n")

    runs = house.crawl()

    told = {
        "forbidden": "HTTP 403: it refuses this crawler",
        "missing": "HTTP 404: there is nothing",
        "broken": "HTTP 500: the server is in trouble",
        "away": "HTTP 429: too many requests",
        "page": "neither RSS nor Atom; it begins with '<!doctype html>",
        "empty": "neither RSS nor Atom",
        "path": "neither RSS nor Atom",
        "huge": "longer than crawl.max_page_bytes",
        "bomb": "DOWNLOAD_MAXSIZE",
        "secret": "Forbidden by robots.txt",
        "metadata": "169.254.169.254 is a private address",
        "local": "HTTP 302",
        "circle": "max redirections reached",
        "binary": "names no encoding and is not UTF-8",
        "half": "/missing: HTTP 404",
        "down": "nothing listens there",
        "hn": "not JSON; it begins with 'Too many requests",
        "odd": "cannot be understood",
        "typo": "typo.yaml:3: there is no setting 'urlz'; did you mean 'urls'?",
    }
    assert {name: text in runs[name].error for name, text in told.items()} == dict.fromkeys(told, True), {
        name: runs[name].error for name, text in told.items() if text not in runs[name].error
    }
    healthy = {name for name, run in runs.items() if not run.error}
    assert healthy == {"good", "busy", "torn", "laughs", "map"}
    assert [runs[name].found for name in ("good", "busy", "torn", "half", "laughs", "map")] == [1, 1, 2, 1, 0, 1]
    assert len(house.mentions()) == 1, "the fine item, told by five feeds"
    assert [each.reason for each in house.refusals("torn")] == ["cut off: its beginning or its end is not there"]
    assert [each.reason for each in house.refusals("map")] == ["names no address (loc)"]
    assert web.paths().count("/broken") == 3
    assert web.paths().count("/busy") == 2
    assert "/secret" not in web.paths()
    assert "Groundswell" in next(asked.headers["User-Agent"] for asked in web.log)

    web.log.clear()
    again = house.crawl("away", now=runs["away"].started_at + timedelta(minutes=30))
    assert "asked to be left alone until" in again["away"].error
    assert web.log == []
    assert house.store.get(Checkpoint, "crawl:broken").value == {"marks": {}}


def test_nothing_at_home_is_ever_asked(house: Any, web: Any, answer: Any) -> None:
    """Loopback by number, name, odd spelling or redirect is refused, before a single byte is sent."""
    house.settings = house.settings.model_copy(
        update={"crawl": CrawlSettings(sources=house.settings.crawl.sources, shipped=False, delay_seconds=0)}
    )
    port = web.url.rsplit(":", 1)[1]
    web.play("/feed", answer(FEED + END, type="text/xml"))
    hosts = {
        "number": "127.0.0.1",
        "name": "localhost",
        "decimal": "2130706433",
        "hex": "0x7f.0.0.1",
        "six": "[::ffff:7f00:1]",
    }
    for name, host in hosts.items():
        house.source(name, f"format: feed\nkind: news\nurls: ['http://{host}:{port}/feed']\n")
    runs = house.crawl()
    assert [name for name, run in runs.items() if "private address" not in run.error] == []
    assert house.mentions() == []
    assert web.log == []


def test_a_failing_robots_txt_forbids_everything(house: Any, web: Any, answer: Any) -> None:
    """Where a site's rules cannot be read, nothing is fetched; a missing file allows."""
    web.play("/robots.txt", answer("oops", 503))
    web.play("/feed", answer(FEED + END, type="text/xml"))
    house.source("feed", f"format: feed\nkind: news\nurls: ['{web.url}/feed']\n")
    assert "Forbidden by robots.txt" in house.crawl()["feed"].error
    assert "/feed" not in web.paths()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.9.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  an address to refuse, not to bind
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "255.255.255.255",
        "240.0.0.1",
    ],
)
def test_a_private_address_is_refused_however_it_is_wrapped(address: str) -> None:
    """Private, link-local, shared, multicast, and IPv6 that only wraps one of them."""
    assert not is_allowed(ipaddress.ip_address(address), allow_private=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed(address: str) -> None:
    """The rest of the world may be asked."""
    assert is_allowed(ipaddress.ip_address(address), allow_private=False)


def test_cloud_metadata_is_refused_even_where_private_addresses_are_allowed() -> None:
    """A demo on loopback opens loopback, not the machine's credentials."""
    assert not is_allowed(ipaddress.ip_address("169.254.169.254"), allow_private=True)
    assert is_allowed(ipaddress.ip_address("127.0.0.1"), allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "file:///etc/passwd",
        "http://u:p@x.example/",
        "http://x.example:25/",
        "http:///x",
        "http://[::1",
    ],
)
def test_an_odd_address_is_refused(url: str) -> None:
    """Other schemes, logins, ports of mail and databases, broken spelling."""
    assert why_not(url, allow_private=False)


def test_a_name_that_changes_its_mind_reaches_nothing_private() -> None:
    """DNS rebinding: of a name's addresses only the public ones are handed on, and those are connected to."""

    class Names:
        def resolveHostName(self, receiver: Any, *_: Any) -> None:  # noqa: N802  Twisted's own name
            receiver.resolutionBegan(None)
            for host in ("10.0.0.7", "93.184.216.34", "127.0.0.1"):
                receiver.addressResolved(IPv4Address("TCP", host, 80))
            receiver.resolutionComplete()

    class Receiver:
        def __init__(self) -> None:
            self.hosts: list[str] = []

        def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802  Twisted's own name
            """Begin."""

        def addressResolved(self, address: Any) -> None:  # noqa: N802  Twisted's own name
            self.hosts.append(address.host)

        def resolutionComplete(self) -> None:  # noqa: N802  Twisted's own name
            """End."""

    receiver = Receiver()
    GuardedResolver(Names(), allow_private=False).resolveHostName(receiver, "rebind.example")
    assert receiver.hosts == ["93.184.216.34"]
