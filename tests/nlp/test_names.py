"""Whom a feeling is about, by name."""

from __future__ import annotations

import pytest

from groundswell.configs.watch import read_watch
from groundswell.index.records import Target, TargetKind
from groundswell.nlp.enrich.names import Names
from groundswell.nlp.enrich.unlisted import unlisted
from groundswell.nlp.text.clean import clean_one

NAMES = Names.of(read_watch().values())


def named(text: str, lang: str, *kinds: TargetKind, impersonated: bool = False) -> set[tuple[str, str]]:
    """Return name (or kind) and role of each target."""
    targets = NAMES.name(
        clean_one(text), lang, [Target(who=kind, label="negative") for kind in kinds], impersonated=impersonated
    )
    return {(target.name or target.who, target.role) for target in targets}


@pytest.mark.parametrize(
    ("text", "lang", "name"),
    [
        ("TikTok keeps showing me scams", "en", "TikTok"),
        ("ติ๊กต็อกโฆษณาเยอะมาก", "th", "TikTok"),
        ("抖音廣告太多了", "zh", "TikTok"),
        ("YouTube iklannya kebanyakan", "id", "YouTube"),
    ],
)
def test_a_brand_goes_by_one_name_in_every_language(text: str, lang: str, name: str) -> None:
    """However it is written, it is named as the watch list calls it."""
    assert (name, "subject") in named(text, lang, "platform")


def test_a_name_inside_a_word_is_no_name() -> None:
    """Letters that only look like a brand name nobody."""
    assert NAMES.find("the xspotifyx of metaphors", "en") == []


@pytest.mark.parametrize(
    ("text", "lang", "victim"),
    [
        ("A fake Spotify account writes to everybody", "en", "Spotify"),
        ("Akun palsu mengatasnamakan Tokopedia", "id", "Tokopedia"),
        ("有人冒充抖音客服打电话", "zh", "TikTok"),
    ],
)
def test_the_victim_of_an_impersonation_is_not_its_target(text: str, lang: str, victim: str) -> None:
    """Whose name was misused is a victim; nobody complains of it."""
    assert (victim, "victim") in named(text, lang, "platform", impersonated=True)
    assert (victim, "subject") not in named(text, lang, "platform", impersonated=True)


def test_where_it_was_seen_is_who_is_complained_of() -> None:
    """The minister whose face was stolen is the victim, the platform that shows it the target."""
    found = named("Deepfake of the minister sells pills on TikTok", "en", "regulator", "platform", impersonated=True)
    assert found == {("TikTok", "subject"), ("regulator", "victim")}


def test_without_impersonation_a_regulator_is_complained_of() -> None:
    """A complaint about the ministry stays one."""
    assert named("The ministry does nothing", "en", "regulator") == {("regulator", "subject")}


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Citibank locked my card while I was abroad", "en", {("Citibank", "subject")}),
        ("A fake Nike bag from this Shopee store", "en", {("Nike", "victim"), ("Shopee", "subject")}),
        ("Waspada penipuan mengatasnamakan Bukalapak", "id", {("Bukalapak", "victim")}),
        ("Ada yang ngaku dari Telkomsel nelpon", "id", {("Telkomsel", "victim")}),
        ("เพจแอบอ้างไทยพาณิชย์ส่งลิงก์", "th", {("SCB", "victim")}),
        ("Mua trên Tiki nhận hàng nhái", "vi", {("Tiki", "subject")}),
        ("骗子冒充顺丰客服理赔", "zh", {("SF Express", "victim")}),
        ("支付寶亂扣錢", "zh", {("Alipay", "subject")}),
        ("The DHL text message is phishing", "en", {("DHL", "victim")}),
        (
            "Deepfake of Taylor Swift sells pans on Facebook",
            "en",
            {("Taylor Swift", "victim"), ("Facebook", "subject")},
        ),
        ("A company called Prime Wealth Partners took my deposit", "en", {("Prime Wealth Partners", "subject")}),
        ("Jangan beli di Griya Elektronik, rusak semua", "id", {("Griya Elektronik", "subject")}),
        ("ซื้อของปลอมจากร้าน Luxury Bag BKK", "th", {("Luxury Bag BKK", "subject")}),
    ],
)
def test_brands_of_the_region_and_names_of_no_list_have_their_roles(
    text: str, lang: str, expected: set[tuple[str, str]]
) -> None:
    """Who is complained of is the target, whose name was misused the victim."""
    assert named(text, lang, "platform", impersonated=True) - {("platform", "subject")} == expected


@pytest.mark.parametrize(
    "text",
    [
        "The seller is rude. Avoid This shop",
        "How to Store Light and Understand the Laser",
        "shop giao nhanh, đóng gói cẩn thận Cảm ơn shop",
        "BELANJA DI SHOP INI SANGAT MENGECEWAKAN SEKALI",
        "the company XXXX charged me",
    ],
)
def test_a_capital_alone_is_no_name(text: str) -> None:
    """Sentences, headlines and shouts have capitals, too; a wrong name harms whoever bears it."""
    assert unlisted(clean_one(text)) == []
