"""Cleaning: what the model reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.nlp.enrich.rules import read_rules
from groundswell.nlp.signals.detect.terms import pieces
from groundswell.nlp.text import keywords
from groundswell.nlp.text.clean import MAX_CHARS, clean, clean_one, joined


@pytest.mark.parametrize(
    ("given_text", "read"),
    [
        ("schÃ¶n &amp; gut", "schön & gut"),
        ("see https://a.b/c?utm_source=x now", "see http now"),
        ("看http://t.cn/abc真的", "看http真的"),
        ("@bob_x @ann hi", "@user hi"),
        ("mail me@shop.example please", "mail email please"),
        ("感谢@张三 的分享", "感谢@user 的分享"),
        ("<b>too many</b><br/>ads<script>alert(1)</script>", "too many ads"),
        ("sc\u200bam \u202eevil\u202c", "scam evil"),
        ("sooooooooo loud!!!!!!!!", "soooo loud!!!!"),
        ("Rp 1000000 lost", "Rp 1000000 lost"),
        ("I <3 it 😀👨\u200d👩\u200d👧", "I <3 it 😀👨\u200d👩\u200d👧"),
        ("a\ud800b\x00c", "a\ufffdbc"),
        ("line\r\n\tbreak", "line break"),
    ],
)
def test_a_text_is_mended_and_keeps_its_feeling(given_text: str, read: str) -> None:
    """Mojibake, links, handles, markup and invisible letters go; emoji, numbers and emphasis stay."""
    assert clean_one(given_text) == read


WARNING = "Beware: a fake minister's advert took my savings"


@pytest.mark.parametrize(
    "before",
    [
        " " * 16_000,
        "\n" * 300_000,
        "\u200b" * 20_000,
        "\u3164 " * 9_000,
        "\u2800" * 20_000,
        "&nbsp;" * 4_000,
        "<br/>" * 5_000,
        "<!-- x -->" * 3_000,
        f"<!--{'x' * 20_000}-->",
        f"<style>{'p{color:red}' * 2_000}</style>",
        ". " * 9_000,
        "a" * 20_000 + " ",
        "@ann " * 5_000,
        f"https://x.example/{'a' * 20_000} ",
        "<script>",
        "so <style> and <iframe> ",
        "<script>alert(1)</script>",
    ],
)
def test_nothing_hides_what_stands_behind_it(before: str) -> None:
    """Blanks of every kind, markup, repetition, tags that never close: the words after them are read."""
    assert WARNING in clean_one(before + WARNING)
    assert WARNING in clean_one(f"<script>{WARNING}</script>")


@pytest.mark.parametrize("text", ["if a<b and c>d", "how do I block <script> ads?", "I am <your name>", "</sarcasm>"])
def test_what_only_looks_like_markup_is_read(text: str) -> None:
    """Comparisons, placeholders and talk about tags are words."""
    assert clean_one(text) == text


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_one_bounded_line_comes_out(text: str) -> None:
    """No control characters, no lone surrogates, no line breaks, never longer than asked; twice is once."""
    once = clean_one(text, max_chars=100)
    assert len(once) <= 100
    assert not any(char in once for char in "\n\r\x00\u202e\u200b")
    once.encode("utf-8")


@pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "@", "a@", "a.a@b.", "http://", "&", "é", "ã€", "\u0301"])
def test_hostile_repetition_stays_bounded(piece: str) -> None:
    """Ten million characters cost no more than the first few thousand."""
    assert len(clean([piece * (10_000_000 // len(piece))])[0]) <= MAX_CHARS


SURROUNDED = [
    ("请联系a.b@example.com谢谢，客服不理人", "请联系谢谢客服不理人"),
    ("ติดต่อa.b@example.comครับ โดนโกง", "ติดต่อครับโดนโกง"),
    ("客服@abc不退款", "客服不退款"),
    ("详情见https://example.com/x，谢谢客服", "详情见谢谢客服"),
    ("详情见https://example.com/x谢谢客服", "详情见谢谢客服"),
    ("โดน@shopโกงเงิน", "โดนโกงเงิน"),
    ("用TikTok退款难", "用tiktok退款难"),
]


@pytest.mark.parametrize(("text", "words"), SURROUNDED)
def test_an_address_takes_nothing_of_the_sentence_around_it(text: str, words: str) -> None:
    """Chinese and Thai follow a link, a handle or an e-mail address without a space."""
    mended = clean([text])[0]
    left = re.sub(r"email|http|@user|[^\w\u0e00-\u0e7f]", "", mended)
    assert left.lower() == words
    for read in (text, mended.replace("email", " ")):
        assert "".join(keywords.tokens(read)) == words
        assert set(words) == set("".join(pieces(read)))


def test_a_title_is_said_once() -> None:
    """Feeds repeat the title at the head of the text."""
    assert joined("Ads are back", "Ads are back, says the app") == "Ads are back, says the app"
    assert joined("Ads are back", "The app says so") == "Ads are back. The app says so"
    assert joined("", "text") == "text"
    assert joined("Why?", "text") == "Why? text"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("詐騙廣告又來了，帳號被停權", "诈骗广告又来了，账号被停权"),
        ("เเอปนี้โฆษณาเยอะ", "แอปนี้โฆษณาเยอะ"),
        ("ทําไมต้องจ่าย", "ทำไมต้องจ่าย"),
    ],
)
def test_one_meaning_has_one_spelling(typed: str, meant: str) -> None:
    """Either Chinese script and either Thai spelling is one text to the model, the rules and the count of words."""
    assert clean_one(typed) == clean_one(meant)
    assert keywords.tokens(typed) == keywords.tokens(meant)
    assert read_rules().hits(clean([typed]), ["und"]) == read_rules().hits(clean([meant]), ["und"])
