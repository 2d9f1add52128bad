"""One bad item costs one item: broken letters, references, prefixes, ends and encodings of feeds, sitemaps and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from groundswell.crawlers.encoding import EncodingError, codec_of, read
from groundswell.crawlers.syndication import Entry, read_feed
from groundswell.crawlers.xml_items import mend

DATE = "<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate>"
THAI = "โฆษณาหลอกลวงทำให้เสียเงิน"
CHINESE = "广告太多，要求镕基退款"
TAIWAN = "詐騙廣告太多了"


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> Any:
    """The scripted server's `Answer`."""
    return request.config.pluginmanager.getplugin(str(Path(__file__).with_name("conftest.py"))).Answer


def item(number: int, inner: str) -> str:
    """Return an item with a link of its own."""
    return f"<item><link>https://x.example/{number}</link>{DATE}{inner}</item>"


def rss(*inner: str, encoding: str = "UTF-8", attributes: str = "") -> str:
    """Return a feed whose second item is the odd one."""
    items = [item(n, each) for n, each in enumerate(inner)]
    head = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"{attributes}><channel><title>t</title>'
    return f"{head}{''.join(items)}</channel></rss>"


FINE = "<title>Fine</title><description>Refunds take three weeks at the bank</description>"
LAST = "<title>Last</title><description>Ride prices rose on Monday</description>"
ODD: dict[str, tuple[str, str | None]] = {
    "surrogates": ("<title>Odd</title><description>Scam &#55357;&#56865; again</description>", "Scam 😡 again"),
    "hex surrogates": ("<title>Odd</title><description>Scam &#xD83D;&#xDE21; again</description>", "Scam 😡 again"),
    "surrogates in CDATA": ("<description><![CDATA[<p>Scam &#55357;&#56865;</p>]]></description>", "Scam 😡"),
    "half a letter": ("<description>Scam &#55357; again</description>", "Scam \ufffd again"),
    "no letter": ("<description>Scam &#0;&#11;&#1114112; again</description>", None),
    "bare ampersand": ("<description>Ads & scams, AT&T</description>", "Ads & scams, AT&T"),
    "unknown entity": ("<description>Ads &bogus; scams</description>", "Ads &bogus; scams"),
    "HTML entity": ("<description>caf&eacute;&nbsp;ads&hellip;</description>", "café ads…"),
    "control characters": ("<description>Ads\x0b \x1fscams</description>", "Ads scams"),
    "undeclared prefix": (
        "<title>Odd</title><media:x a='1'/><foo:bar>b</foo:bar><description>Ads</description>",
        "Ads",
    ),
    "undeclared content": ("<content:encoded>Ads are back again</content:encoded>", "Ads are back again"),
    "less than": ("<description>we < they, I <3 ads</description>", "we < they, I <3 ads"),
    "markup that never closes": ("<description>Ads<br>are <b>back</description><title>Odd</title>", "Ads\nare back"),
    "duplicate attribute": ("<description a='1' a='2'>Ads are back</description>", "Ads are back"),
    "unquoted attribute": ("<description>Ads are back</description><x y=1/>", "Ads are back"),
    "zero date": ("<pubDate>0000-00-00 00:00:00</pubDate><description>Ads are back</description>", "Ads are back"),
    "never closed": ("<description>Ads are back</description><dc:date>", "Ads are back"),
    "CDATA that never closes": ("<description><![CDATA[Ads are back</description>", "Ads are back"),
    "an item in CDATA": ("<description><![CDATA[the <item> tag & more]]></description>", "the <item> tag & more"),
    "deep": (f"<description>{'<div>' * 3000}Ads are back</description>", "Ads are back"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_wrong_with_one_item_is_its_own_affair(kind: str) -> None:
    """The items before and after are whole, and of the odd one its words are kept."""
    inner, words = ODD[kind]
    entries = [entry for _, entry in read_feed(rss(FINE, inner, LAST)).entries()]
    assert [entry.link for entry in entries if isinstance(entry, Entry)] == [f"https://x.example/{n}" for n in range(3)]
    texts = [raw_text(entry) for entry in entries]
    assert texts[0] == "Refunds take three weeks at the bank"
    assert texts[2] == "Ride prices rose on Monday"
    assert words is None or texts[1] == words


def raw_text(entry: Entry | str) -> str:
    """Return an entry's words."""
    from groundswell.crawlers.plain_text import text_of
    from groundswell.crawlers.spiders.feed import best_body

    assert isinstance(entry, Entry), entry
    return text_of(best_body(entry.bodies).value)


def test_an_item_without_its_end_or_beginning_is_named_and_the_rest_is_kept(house: Any, web: Any, answer: Any) -> None:
    """A broken start tag, a missing end tag and a feed that breaks off cost one item each at most."""
    feed = rss(FINE, "<title>Two</title><description>Ads</description>", LAST)
    web.play("/start", answer(feed.replace("<item><link>https://x.example/1", "<itm><link>https://x.example/1")))
    web.play("/end", answer(feed.replace("Ads</description></item>", "Ads</description>")))
    web.play("/torn", answer(feed[: feed.index("Monday")]))
    for name in ("start", "end", "torn"):
        house.source(name, f"format: feed\nkind: news\nurls: [{web.url}/{name}]\n")
    runs = house.crawl("start", "end", "torn")
    assert [(runs[name].found, runs[name].refused) for name in ("start", "end", "torn")] == [(3, 1), (3, 0), (3, 1)]
    assert "https://x.example/1" in house.refusals("start")[0].where
    assert "https://x.example/2" in house.refusals("torn")[0].where
    assert all("cut off" in each.reason for each in house.refusals())


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("windows-874", "cp874", THAI),
        ("TIS-620", "cp874", THAI),
        ("tis620", "cp874", THAI),
        ("iso-8859-11", "cp874", THAI),
        ("gb2312", "gb18030", CHINESE),
        ("GBK", "gb18030", CHINESE),
        ("big5", "big5hkscs", TAIWAN),
        ("big5-hkscs", "big5hkscs", "啲廣告呃人嘅"),
        ("Shift_JIS", "cp932", "広告が多い①"),
        ("euc-kr", "cp949", "광고가 너무 많다"),
        ("euc-jp", "euc_jp", "広告が多い"),
        ("iso-2022-jp", "iso2022_jp", "広告が多い"),
        ("windows-1258", "cp1258", "Quang cao la đúng"),
        ("utf-16", "utf-16-le", CHINESE),
        ("utf-16", "utf-16-be", THAI),
        ("utf-16", "utf-8", THAI),
        ("us-ascii", "utf-8", THAI),
    ],
)
@pytest.mark.parametrize("served", ["", "text/xml; charset=utf-8", "text/xml; charset=ISO-8859-1"])
def test_a_feed_is_read_in_the_encoding_that_it_is_in(label: str, codec: str, text: str, served: str) -> None:
    """Labels as browsers know them, whatever the server says; two bytes a letter also without a mark."""
    body = rss(f"<description>{text}</description>", encoding=label)
    data = body.encode(codec) if codec != "cp1258" else body.encode(codec, "ignore")
    assert read(data, content_type=served).text.removeprefix("\ufeff") == data.decode(codec)


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("utf-8", "utf-8", THAI),
        ("windows-874", "cp874", THAI),
        ("gb2312", "gb18030", CHINESE),
        ("big5", "big5hkscs", TAIWAN),
    ],
)
def test_one_bad_byte_costs_one_letter(label: str, codec: str, text: str) -> None:
    """A cut letter is U+FFFD; the encoding that was declared, and all others letters, stay."""
    body = rss(f"<title>Odd</title><description>{text * 3}</description>", LAST, encoding=label).encode(codec)
    end = body.index(b"</description>")
    for data in (body[: end - 1] + body[end:], body[:end] + b"\xff" + body[end:]):
        entries = [
            entry for _, entry in read_feed(read(data, content_type="text/xml; charset=iso-8859-1").text).entries()
        ]
        assert raw_text(entries[0]).startswith((text * 3)[:-1])
        assert raw_text(entries[1]) == "Ride prices rose on Monday"


def test_an_encoding_that_nobody_knows_is_named_not_read_as_western(house: Any, web: Any, answer: Any) -> None:
    """Unless the bytes are plainly UTF-8; a source's language tells what a page that names nothing is in."""
    feed = rss(f"<title>{THAI}</title>", encoding="x-thai-foo")
    web.play("/unknown", answer(feed.encode("cp874"), type="text/xml"))
    web.play("/utf8", answer(feed.encode(), type="text/xml"))
    web.play("/silent", answer(feed.replace(' encoding="x-thai-foo"', "").encode("cp874"), type="text/xml"))
    web.play(
        "/map",
        answer(
            f'<?xml version="1.0" encoding="x-thai-foo"?><urlset><url><loc>/{THAI}</loc></url></urlset>'.encode(
                "cp874"
            ),
            type="text/xml",
        ),
    )
    house.source("unknown", f"format: feed\nkind: news\nurls: [{web.url}/unknown]\n")
    house.source("utf8", f"format: feed\nkind: news\nurls: [{web.url}/utf8]\n")
    house.source("silent", f"format: feed\nkind: news\nlang: th\nurls: [{web.url}/silent]\n")
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map]\n")
    runs = house.crawl("unknown", "utf8", "silent", "map")
    assert "unknown encoding 'x-thai-foo'" in runs["unknown"].error
    assert "unknown encoding 'x-thai-foo'" in runs["map"].error
    assert runs["unknown"].found == 0
    assert [each.text for each in house.mentions()] == [THAI]
    assert (runs["utf8"].found, runs["silent"].found) == (1, 1)
    with pytest.raises(EncodingError, match="utf-7"):
        read(f"<?xml version='1.0' encoding='utf-7'?>{THAI}".encode("cp874"))
    assert codec_of("unicode_escape") is None
    silent = f"<rss><channel><language>zh-TW</language><title>{TAIWAN}</title></channel></rss>"
    assert TAIWAN in read(silent.encode("big5")).text
    assert THAI in read(f"<rss>{THAI}</rss>".encode("cp874"), market="TH").text


def test_a_sitemap_loses_only_the_place_that_is_broken(house: Any, web: Any, answer: Any) -> None:
    """Bare ampersands, unknown prefixes and a place without address; pictures and clips say nothing of the page."""
    page = (
        "<html><head><title>Page {0}</title></head><body><article><h1>Page {0}</h1>"
        + "<p>Adverts with the minister's face were seen.</p>" * 5
        + "</article></body></html>"
    )
    for n in range(1, 5):
        web.play(f"/p{n}", answer(page.format(n)))
    day = "2026-11-19T08:00:00Z"
    places = [
        f"<url><loc>{web.url}/p1?a=1&b=2</loc><lastmod>{day}</lastmod></url>",
        "<url><lastmod>2026-11-19</lastmod></url>",
        f"<url><image:image><image:loc>{web.url}/i.jpg</image:loc><image:title>A photo</image:title></image:image>"
        f"<loc>{web.url}/p2</loc><lastmod>{day}</lastmod></url>",
        f"<url><loc>{web.url}/p3</loc><video:video><video:title>Beaches</video:title>"
        f"<video:publication_date>2019-01-01</video:publication_date></video:video><lastmod>{day}</lastmod></url>",
        f"<url><news:news><news:title>News &#55357;&#56865;</news:title><news:publication_date>{day}"
        f"</news:publication_date></news:news><loc>{web.url}/p4</loc></url>",
    ]
    web.play(
        "/map.xml", answer(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(places)}</urlset>')
    )
    house.source("map", f"format: sitemap\nkind: news\nurls: [{web.url}/map.xml]\n")
    run = house.crawl("map")["map"]
    assert (run.stored, run.refused) == (4, 1)
    assert sorted(each.title for each in house.mentions()) == ["News 😡", "Page 1", "Page 2", "Page 3"]
    assert [each.where for each in house.refusals()] == [f"{web.url}/map.xml place 2"]


def test_json_with_one_bad_byte_is_read(house: Any, web: Any, answer: Any) -> None:
    """A cut letter, half a surrogate pair, a raw control character and a stray backslash cost that letter."""
    hit = {"objectID": "1", "created_at_i": 1795075200, "comment_text": "Scam HALF ads C:\\BAD TAB here"}
    body = json.dumps({"hits": [hit], "nbHits": 1, "nbPages": 1})
    body = body.replace("HALF", "\\ud83d").replace("\\\\BAD", "\\q").replace("TAB", "\t")
    web.play("/hn/api/v1/search_by_date", answer(body.encode().replace(b"ads", b"ads\xff"), type="application/json"))
    house.source("hn", f"format: hackernews\nkind: post\nurl: {web.url}/hn\nqueries: [ads]\n")
    assert house.crawl("hn")["hn"].error == ""
    assert [each.text for each in house.mentions()] == ["Scam \ufffd ads\ufffd C:\\q here"]


@pytest.mark.parametrize(
    "piece", ["<![CDATA[", "<!--", "<item>", "</item>", "<title>", "&#", "<a b='", "<a:b ", "<!DOCTYPE ["]
)
def test_hostile_repetition_in_a_feed_stays_bounded(piece: str) -> None:
    """Half a million characters of any piece of markup are read in one pass."""
    text = f"<rss><channel><item>{piece * (500_000 // len(piece))}"
    assert len(mend(text)) < 10 * len(text)
    for _, entry in zip(range(3), read_feed(text).entries(), strict=False):
        assert entry


CRAWL = """
import resource, sys
from pathlib import Path
from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
from tests.crawlers.conftest import NOW
folder = Path(sys.argv[1])
polite = CrawlSettings(
    sources=(folder / "sources",), delay_seconds=0, allow_private_addresses=True, max_page_bytes=20_000_000
)
with open_store(settings := Settings(data_dir=folder / "data", crawl=polite)) as store:
    found = crawl(store, settings, now=NOW, only=["hostile"])[0].found
own = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(found, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, int(own) // 1024)
"""


@pytest.mark.slow
def test_a_hostile_feed_of_ten_thousand_items_stays_small(tmp_path: Path, web: Any, answer: Any) -> None:
    """Depth, entities, attributes, references and CDATA of every kind: neither process takes 300 MB."""
    kinds = [
        "&lt;div&gt;" * 60 + "deep",
        "&a;&b;" * 20,
        '&lt;a href="' + "x" * 300 + '"&gt;link&lt;/a&gt;',
        "<![CDATA[" + "<b>" * 80 + "bold]]>",
        "&#55357;&#56865;" * 20,
        "<media:a b='" + "y" * 300 + "'/>text",
        "<script>" * 40,
    ]
    laughs = "<!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    items = "".join(
        item(n, f"<guid>g{n}</guid><title>{n}</title><description>{kinds[n % 7]} {n}</description>")
        for n in range(10_000)
    )
    web.play("/feed", answer(f"{laughs}<rss version='2.0'><channel>{items}</channel></rss>", type="text/xml"))
    (tmp_path / "sources").mkdir()
    source = f"format: feed\nkind: post\nmax_items: 10000\nurls: [{web.url}/feed]\n"
    (tmp_path / "sources" / "hostile.yaml").write_text(source, encoding="utf-8")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", CRAWL, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    found, *megabytes = [int(number) for number in done.stdout.split() or ["0"]]
    assert found == 10_000, done.stderr
    assert max(megabytes) < 300
