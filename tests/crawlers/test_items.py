"""The small steps from a raw item to a mention: dates, addresses, markup, salt, floors."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.configs.source import FeedSource
from groundswell.crawlers.addresses import canonical
from groundswell.crawlers.handover import End, SpoolWriter, Trouble, read_spool
from groundswell.crawlers.mention import Builder, Raw
from groundswell.crawlers.plain_text import text_of, tidy
from groundswell.crawlers.salt import author_salt
from groundswell.crawlers.spiders.appstore import entries
from groundswell.crawlers.spiders.sitemap import Place, parse
from groundswell.index.records import Mention, Refusal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOURCE = FeedSource.model_validate({"name": "s", "format": "feed", "kind": "news", "urls": ["https://x.example/"]})


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://X.Example:443/a?b=2&a=1&utm_source=m#top", "https://x.example/a?a=1&b=2"),
        ("https://x.example/a?fbclid=1", "https://x.example/a"),
        ("http://x.example:8080/ü?q=a+b", "http://x.example:8080/%C3%BC?q=a+b"),
        ("javascript:alert(1)", ""),
        ("//x.example/a", ""),
        ("http://[::1", ""),
        ("mailto:a@x.example", ""),
        ("https://x.example/" + "a" * 3000, ""),
    ],
)
def test_one_page_has_one_address(url: str, same: str) -> None:
    """Tracking, fragments, default ports and the order of parameters do not make another page."""
    assert canonical(url) == same
    assert canonical(same) == same


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo\nlines"),
        ("a<script>alert(1)</script><style>p{}</style>b", "ab"),
        ("&lt;p&gt;twice&lt;/p&gt;", "twice"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("<img src=x onerror=alert(1)>pic", "pic"),
        ("<![CDATA[x]]><!-- gone -->y", "xy"),
        ("plain\u202etxt\x00", "plaintxt"),
        ("<b>unclosed", "unclosed"),
        ("<" * 50, "<" * 50),
        ("", ""),
    ],
)
def test_markup_becomes_plain_text(markup: str, text: str) -> None:
    """Blocks become lines; what would run, hide or turn the writing direction is gone."""
    assert text_of(markup) == text


def test_a_hundred_thousand_nested_elements_break_nothing() -> None:
    """Depth costs no recursion; below the parser's own limit (a few hundred) nothing is lost."""
    assert text_of("<div>" * 200 + "deep") == "deep"
    assert text_of("before<p>" + "<div>" * 100_000 + "deep").startswith("before")


@given(some.text(max_size=200))
def test_no_markup_breaks_the_reader(markup: str) -> None:
    """Any string at all becomes text that a database takes."""
    text_of(markup).encode("utf-8")
    assert tidy(tidy(markup)) == tidy(markup)


def test_an_xml_bomb_in_a_sitemap_expands_to_nothing() -> None:
    """No entity is expanded, neither from inside nor from a file."""
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    body = f"<?xml version='1.0'?>{laughs}<urlset><url><loc>https://x.example/&b;&f;</loc></url></urlset>"
    kind, places = parse(body)
    assert kind == "urlset"
    assert [place.loc for place in places if isinstance(place, Place)] == ["https://x.example/"]


def test_one_review_comes_as_an_object() -> None:
    """Apple sends a list of many, an object for one, nothing for none, and the app itself without a rating."""
    one = {"im:rating": {"label": "1"}}
    assert entries({"feed": {"entry": one}}) == [one]
    assert entries({"feed": {"entry": [{"im:name": {}}, one, one]}}) == [one, one]
    assert entries({"feed": {}}) == []


def test_the_salt_is_made_once_and_is_nobody_elses_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays the same, is readable by its owner only, and gives way to the environment."""
    settings = Settings(data_dir=tmp_path / "data")
    first = author_salt(settings)
    assert first == author_salt(settings)
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "data" / "author.salt").stat().st_mode) == 0o600
    monkeypatch.setenv("GROUNDSWELL_AUTHOR_SALT", "given")
    assert author_salt(settings) == "given"


def test_a_torn_spool_gives_its_whole_lines(tmp_path: Path) -> None:
    """The last line of a killed writer is half a line; the rest counts."""
    path = tmp_path / "s.1.jsonl"
    mention = Builder(SOURCE, CrawlSettings(), salt="s", now=NOW).build(Raw(where="w", text="Text"))
    assert isinstance(mention, Mention)
    with SpoolWriter(path) as writer:
        for line in (mention, Trouble("x"), End({"k": {"etag": "e"}}, unchanged=True)):
            writer.write(line)
    whole = path.read_bytes()
    assert list(read_spool(path)) == [mention, Trouble("x"), End({"k": {"etag": "e"}}, unchanged=True)]
    path.write_bytes(whole[:-5])
    assert list(read_spool(path)) == [mention, Trouble("x")]


def test_a_text_is_judged_before_it_is_kept() -> None:
    """Empty, too short, binary, of another encoding, monstrous: refused with the reason, the same one every time."""
    settings = CrawlSettings(max_page_bytes=1000)
    source = SOURCE.model_copy(update={"min_chars": 5})
    builder = Builder(source, settings, salt="s", now=NOW)
    told = {
        " \n ": "empty",
        "ads": "too short",
        "\x00\x01\x02binary": "binary",
        "caf\udce9 au lait": "wrong encoding",
        "x" * 2000: "too long",
    }
    for text, reason in told.items():
        refusal = builder.build(Raw(where="w", text=text))
        assert isinstance(refusal, Refusal)
        assert refusal.reason.startswith(reason)
        assert refusal == builder.build(Raw(where="w", text=text))
        assert len(refusal.sample) <= 200
    assert isinstance(builder.build(Raw(where="w", text=None, title="A title is a text")), Mention)
