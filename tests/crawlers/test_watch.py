"""Watching: what a text meets, in every script, and what becomes of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from groundswell.configs.watch import Condition, Spoken
from groundswell.crawlers.watch import Watcher, folded

if TYPE_CHECKING:
    from tests.crawlers.conftest import House, Web


def _meets(word: str, text: str, lang: str = "", *, of: str = "") -> bool:
    return bool(Watcher([Condition("c", ((Spoken(word, of),),))]).meets(text, lang))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("ads", "No more ADS!"),
        ("ads", "ａｄｓ everywhere"),
        ("tiktok", "在tiktok上"),
        ("tiktok", "ดูtiktokทุกวัน"),
        ("tiktok", "#tiktok_ads and @tiktok"),
        ("tiktok", "T\u200bikTok"),
        ("ad account", "my ad-account"),
        ("ad account", "my ad\n  account"),
        ("ad account", "so #AdAccount"),
        ("诈骗", "又是诈骗广告"),
        ("โฆษณา", "youtubeโฆษณาเยอะ"),
        ("น้ำมัน", "น\u0e49\u0e4d\u0e32มันแพง"),
        ("quảng cáo", "Quảng cáo".encode().decode().replace("ả", "a\u0309")),
        ("refund*", "refunded at last"),
        ("*tipu*", "saya ditipunya"),
        ("iklan", "iklan2 terus"),
        ("shopee", "Shopee11.11"),
        ("x.com", "on x.com now"),
        ("틱톡", "틱톡이 또"),
        ("c++", "I like C++ ads"),
    ],
)
def test_a_word_is_found_however_it_is_written(word: str, text: str) -> None:
    """Case, width, accents, invisible letters, hashtags, joints, and scripts without spaces."""
    assert _meets(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("ads", "dads and loads"),
        ("ad", "add"),
        ("refund*", "prerefund"),
        ("tipu", "ditipu"),
        ("iphone 1", "iphone 15"),
        ("ma", "mà"),
        ("x.com", "xxcom and x com"),
        ("quảng", "quang"),
    ],
)
def test_a_part_of_another_word_is_not_the_word(word: str, text: str) -> None:
    """Boundaries hold where a script has them."""
    assert not _meets(word, text)


def test_words_of_a_language_count_in_its_texts_and_where_none_is_stated() -> None:
    """Malay for water is not what planes fly through; Malay and Indonesian are one."""
    assert _meets("air", "air mahal", "id", of="ms")
    assert _meets("air", "air mahal", "", of="ms")
    assert not _meets("air", "air fares", "en-SG", of="ms")


def test_a_rule_wants_each_of_all_one_of_any_and_none_of_none() -> None:
    """Boolean, over words of several languages."""
    some_words = tuple(Spoken(word) for word in ("refund", "退款"))
    watcher = Watcher([Condition("c", ((Spoken("acme"),), some_words), (Spoken("tax refund"),))])
    assert watcher.meets("Acme: 退款!") == ("c",)
    assert not watcher.meets("Acme is fine")
    assert not watcher.meets("refund please")
    assert not watcher.meets("acme tax refund")


@given(some.text(max_size=60), some.text(alphabet=some.characters(codec="utf-8"), min_size=1, max_size=20))
def test_no_text_and_no_word_breaks_the_watcher(text: str, word: str) -> None:
    """Whatever stands in a list is looked for as it stands."""
    if any(letter.isalnum() for letter in folded(word.strip("*"))):
        Watcher([Condition("c", ((Spoken(word),),))]).meets(text)


def test_what_is_beside_the_topic_is_counted_and_not_stored(web: Web, house: House) -> None:
    """The run says so; the floor counts what was found, for the source is well."""
    from tests.crawlers.conftest import Answer

    titles = ("TikTok ads are a scam", "Rain in Kuala Lumpur", "抖音广告太多", "Durian season")
    items = "".join(f"<item><title>{title}</title><guid>{title}</guid></item>" for title in titles)
    web.play("/feed", Answer(f"<rss version='2.0'><channel>{items}</channel></rss>", type="application/rss+xml"))
    house.source("talk", f"format: feed\nkind: news\nurls: ['{web.url}/feed']\nwatch: [ads]\nfloor: {{per_run: 4}}\n")
    run = house.crawl("talk")["talk"]
    assert (run.found, run.stored, run.off_topic, run.error, run.complaint) == (4, 2, 2, "", "")
    assert {mention.title for mention in house.mentions()} == {titles[0], titles[2]}
    assert house.refusals() == []


def test_rows_of_a_file_may_be_watched_too(house: House) -> None:
    """Every format can."""
    (house.folder / "sources" / "rows.csv").write_text("text\nads everywhere\nnice day\n", encoding="utf-8")
    house.source("rows", "format: file\nkind: review\npaths: [rows.csv]\nwatch: [ads.advertising]\n")
    run = house.crawl("rows")["rows"]
    assert (run.found, run.stored, run.off_topic) == (2, 1, 1)
