"""Telling languages: short, slangy, mixed."""

from __future__ import annotations

import pytest

from groundswell.nlp.text.language import detect, same_family

SAID = [
    ("en", "Way too many ads between songs"),
    ("en", "Good app"),
    ("zh", "广告太多了 TikTok"),
    ("zh", "這個廣告真的很煩"),
    ("th", "โฆษณาใน TikTok Shop เยอะมาก"),
    ("vi", "Quảng cáo nhiều quá đi"),
    ("ja", "広告が多すぎる"),
    ("ko", "광고 너무 많아요"),
    ("es", "demasiados anuncios en la aplicación, no me gusta"),
    ("fr", "trop de publicité dans cette application, c'est nul"),
    ("tl", "ang daming ads nakakainis na talaga"),
    ("hi", "bahut zyada ads aa rahe hain yaar, paisa barbad"),
    ("id", "Iklannya kebanyakan banget, nggak bisa diskip"),
    ("id", "Udah premium kok masih ada iklan sih"),
    ("id", "akun gue diblokir padahal gak salah"),
    ("id", "Mantap"),
    ("ms", "Iklan banyak sangat kat app ni, korang buat apa je"),
    ("ms", "Duit tak masuk lagi, akaun saya kena sekat, teruk betul servis"),
    ("ms", "Nak tengok video pun susah sebab iklan, menyampah la weh"),
    ("ms", "Kerajaan perlu ambil tindakan terhadap syarikat ini kerana menipu rakyat Malaysia"),
]


@pytest.mark.parametrize(("lang", "text"), SAID)
def test_a_language_is_told_from_few_words(lang: str, text: str) -> None:
    """Script first, then telling words over the model."""
    assert detect([text])[0].code == lang


NAMED = [
    ("zh", "TikTok Shop 退款"),
    ("zh", "tiktok shop 退款"),
    ("zh", "Lazada Seller Center 卡住了"),
    ("zh", "Facebook Ads 诈骗"),
    ("zh", "iPhone Pro Max 降价"),
    ("th", "TikTok Shop โกง"),
    ("th", "Google Play Store หลอก"),
    ("ko", "Lazada Seller Center 사기"),
    ("vi", "Facebook Ads lừa đảo"),
]
"""Complaints whose longest part is a name (they were English and Spanish)."""


@pytest.mark.parametrize(("lang", "text"), NAMED)
def test_a_brand_name_does_not_outvote_the_words_beside_it(lang: str, text: str) -> None:
    """Names are Latin in every language."""
    assert detect([text])[0].code == lang


@pytest.mark.parametrize(
    "text",
    [
        "The Chinese word 退款 means refund",
        "How China's 双十一 Became The World's Biggest Shopping Day",
        "I bought this from 淘宝 and the seller never answered me",
        "What does 退款 mean in English",
    ],
)
def test_a_foreign_word_in_an_english_sentence_does_not_turn_it(text: str) -> None:
    """Capitals alone make no name: a headline has many, and a sentence has other words."""
    assert detect([text])[0].code == "en"


def test_where_malay_and_indonesian_agree_the_source_decides() -> None:
    """Hint before market, and without either ``id`` with at most half confidence."""
    text = "Aplikasi ini selalu ada masalah dengan iklan"
    plain, hinted, market, both = detect([text] * 4, hints=["", "ms-MY", "", "id"], markets=["", "", "MY", "MY"])
    assert (plain.code, hinted.code, market.code, both.code) == ("id", "ms", "ms", "id")
    assert plain.confidence <= 0.5
    assert max(hinted.confidence, market.confidence) <= 0.6


@pytest.mark.parametrize("text", ["", "👍👍", "12345 !!!", "https://x.example/a", "xqzt"])
def test_what_says_nothing_is_undetermined(text: str) -> None:
    """No guess without letters that mean something; the source's hint is taken where there is one."""
    assert detect([text])[0].code == "und"
    assert detect([text], hints=["vi"])[0].code == "vi"


def test_a_hint_never_overrules_a_clear_text() -> None:
    """A feed that calls itself English and speaks Thai is Thai."""
    assert detect(["โฆษณาเยอะเกินไป"], hints=["en"])[0].code == "th"
    assert detect(["The ads are far too long and cannot be skipped"], hints=["id"])[0].code == "en"


def test_malay_and_indonesian_are_one_family() -> None:
    """Rules for one are read for the other."""
    assert same_family("id", "ms")
    assert not same_family("id", "tl")
