"""One spelling for one word, whatever was typed; and where it was typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.index.highlight import highlights
from groundswell.index.query import Word
from groundswell.index.segment import for_index
from groundswell.index.spelling import aligned, normalise

TRADITIONAL = {
    "詐騙廣告": "诈骗广告",
    "帳號被停權": "账号被停权",
    "轉帳": "转账",
    "身分證": "身份证",
    "甚麼": "什么",
    "妳": "你",
    "部份": "部分",
    "連絡": "联络",
    "資訊": "资讯",
    "網路": "网络",
    "裏面": "里面",
    "帳篷": "帐篷",
    "乾隆": "乾隆",
}
THAI = {
    "เเอป": "แอป",
    "โฆษณาเเย่": "โฆษณาแย่",
    "นํ้า": "น้ำ",
    "นำ้": "น้ำ",
    "ทํา": "ทำ",
    "ท่ี": "ที่",
    "ที่่": "ที่",
    "๑๐๐ บาท": "100 บาท",
    "ไม่\u200bได้": "ไม่ได้",
}
HIDDEN = {
    "sc\u00adam": "scam",
    "s\u200dc\u200bam": "scam",
    "诈\u200d骗": "诈骗",
    "ｓｃａｍ": "scam",
    "𝐬𝐜𝐚𝐦": "scam",
    "ⓢⓒⓐⓜ": "scam",
    "廣\ufe00告": "广告",
}


@pytest.mark.parametrize(("typed", "meant"), [*TRADITIONAL.items(), *THAI.items(), *HIDDEN.items()])
def test_two_ways_to_type_a_word_are_one_word(typed: str, meant: str) -> None:
    """Scripts, orders of signs and invisible signs make no difference to what is read, or to what is found."""
    assert normalise(typed) == normalise(meant)
    assert for_index(typed) == for_index(meant)


@pytest.mark.parametrize("text", ["👨‍👩‍👧 ❤️ 🏳️‍🌈", "می‌خواهم", "क्‍ष", "tiếng Việt", "中文 สวัสดี", "こんにちは"])
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    """Joiners hold emoji families together and Persian and Indic letters apart."""
    assert normalise(text) == unicodedata.normalize("NFC", text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_reading_twice_is_reading_once_and_every_letter_has_its_place(text: str) -> None:
    """Whatever is typed, places rise no further than the text, one for each letter that is read."""
    read, origins = aligned(text)
    assert len(read) == len(origins)
    assert all(0 <= place < len(text) for place in origins)
    assert unicodedata.is_normalized("NFC", normalise(text))


def test_what_was_typed_is_what_is_shown() -> None:
    """The mark stands around the traditional words, though the question was simplified and lengths differ."""
    text = "這個應用程式設計師說軟體廣告詐騙很多，帳號 test 被停權"
    assert "[[詐騙]]" in highlights([text], [Word(text="诈骗")])[0]
    assert "[[帳號]]" in highlights([text], [Word(text="账号")])[0]
    assert "[[นํ้า]]" in highlights(["ซื้อนํ้ามา"], [Word(text="น้ำ")])[0]


def test_half_of_a_surrogate_pair_is_left_alone() -> None:
    """It is no Unicode, and what somebody pastes must not end in a traceback."""
    assert normalise("帳號\ud800") == "帳號\ud800"
