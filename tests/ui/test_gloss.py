"""The words that matter of a text in another language, each with its meaning: of topics and rules, and nothing else."""

from __future__ import annotations

import pytest

from groundswell.configs.rules import load_rules
from groundswell.configs.topics import load_topics
from groundswell.index.spelling import normalise
from groundswell.nlp.enrich.rules import read_rules
from groundswell.nlp.text.clean import clean_one
from groundswell.ui.board import queries
from groundswell.ui.report.gloss import LONGEST_WORD, MOST_WORDS, Glossary
from groundswell.ui.report.tongue import speak
from tests.ui.seed import World
from tests.ui.test_views import _html, _open


@pytest.mark.parametrize(
    ("lang", "text", "meanings"),
    [
        ("th", "เจอโฆษณาหลอกลงทุนอีกแล้ว", {"โฆษณา": "advertising", "หลอกลงทุน": "scam investment"}),
        ("vi", "Đặt giày theo quảng cáo, cửa hàng chặn số luôn.", {"quảng cáo": "advertising"}),
        ("zh", "广告里的部长是换脸，退款呢", {"广告": "advertising", "换脸": "impersonation", "退款": "refunds"}),
        ("ms", "Barang tidak dikirim padahal sudah bayar", {"barang tidak dikirim": "scam shopping"}),
        ("th", "วันนี้อากาศดี", {}),
    ],
)
def test_words_that_matter_are_told_with_their_meaning(lang: str, text: str, meanings: dict[str, str]) -> None:
    """Each stands in the text as it is read, and means a topic's title or a rule's risk."""
    met = read_rules().hits([clean_one(text)], [lang])[0]
    found = Glossary(load_topics(), load_rules()).of(text, lang, met)
    told = {one.word: one.meaning for one in reversed(found)}
    assert meanings.items() <= told.items()
    assert bool(found) == bool(meanings)
    assert all(one.word in normalise(clean_one(text)).casefold() for one in found)


def test_meanings_are_in_the_reader_s_language() -> None:
    """A Chinese reader of Thai meets Chinese."""
    speak("zh")
    try:
        found = Glossary(load_topics(), load_rules()).of("เจอโฆษณา", "th")
    finally:
        speak("en")
    assert [(one.word, one.meaning) for one in found] == [("โฆษณา", "广告")]


def test_a_hostile_text_is_told_short() -> None:
    """A word of 100 kB, every topic at once: few words, none long."""
    glossary = Glossary(load_topics(), load_rules())
    everything = " ".join(word.strip("*") for topic in load_topics() for word in topic.spoken("vi"))
    for text in ("iklan" * 20_000, everything, "\u202e" + "ก" * 100_000):
        found = glossary.of(text, "vi", [each.rule.id for each in load_rules()])
        assert len(found) <= MOST_WORDS
        assert all(len(one.word) <= LONGEST_WORD for one in found)


def test_evidence_in_another_language_carries_them_on_the_board(shown: World) -> None:
    """In lists and on the document's page; English needs none."""
    queries._answers.clear()
    queries._settings.cache_clear()
    html = _html(_open("search", q="lang:th"))
    assert html.count('class="gloss"') > 3
    assert '<b lang="th">โฆษณา</b> advertising' in html
    assert 'class="gloss"' not in _html(_open("search", q="lang:en"))
