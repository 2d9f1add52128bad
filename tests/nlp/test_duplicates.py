"""Near-duplicates: a story told again counts once, two voices count twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from groundswell.nlp.text.duplicates import Duplicates, Told

AT = datetime(2026, 1, 1, tzinfo=UTC)
STORIES = {
    "en": (
        "The regulator opened an inquiry on Monday into adverts for weight loss pills that reached teenagers, "
        "after parents complained that the app kept showing them even when they had been reported many times"
    ),
    "zh": (
        "监管部门周一宣布对平台上的减肥药广告展开调查，"
        "此前多位家长投诉称孩子反复看到这些广告，举报之后仍然没有任何处理结果"
    ),
    "th": (
        "หน่วยงานกำกับดูแลเปิดสอบสวนโฆษณายาลดน้ำหนักที่เข้าถึงวัยรุ่น หลังผู้ปกครองร้องเรียนว่าแอปยังแสดงโฆษณาเหล่านี้แม้จะกดรายงานไปแล้วหลายครั้ง"
    ),
    "vi": (
        "Cơ quan quản lý hôm thứ Hai đã mở cuộc điều tra về quảng cáo thuốc giảm cân tiếp cận thanh thiếu niên "
        "sau khi phụ huynh phàn nàn rằng ứng dụng vẫn hiển thị dù đã báo cáo nhiều lần"
    ),
}
EDITS: dict[str, Callable[[str], str]] = {
    "quoted": lambda text: f"RT @news: {text}",
    "with a comment": lambda text: f"{text} !!! so true 😡",
    "another link": lambda text: f"{text} https://t.example/x?utm_source=mail&utm_medium=a",
    "cut short": lambda text: text[: int(len(text) * 0.7)] + "…",
    "capitals and punctuation": lambda text: text.upper().replace(",", " —"),
    "full width": lambda text: text.replace("a", "ａ"),
}


def _told(name: str, text: str, days: float = 0, author: str = "") -> Told:
    return Told(id=name, text=text, at=AT + timedelta(days=days), author=author)


@pytest.mark.parametrize("lang", STORIES)
@pytest.mark.parametrize("edit", EDITS)
def test_a_retold_story_counts_once(lang: str, edit: str) -> None:
    """Quoted, cut, re-linked, shouted: the copy points at the first."""
    text = STORIES[lang]
    assert Duplicates().add([_told("first", text), _told("copy", EDITS[edit](text))]) == ["first", "first"]


def test_a_translation_is_another_text() -> None:
    """Four languages, four texts."""
    assert len(set(Duplicates().add([_told(lang, text) for lang, text in STORIES.items()]))) == 4


def test_two_voices_with_the_same_short_words_count_twice() -> None:
    """What two people say in the same few words is two complaints; from one author it is one."""
    pairs = [("a", "ann"), ("b", "bob"), ("c", "ann"), ("d", ""), ("e", "")]
    found = Duplicates().add([_told(name, "Too many ads!", author=author) for name, author in pairs])
    assert found == ["a", "b", "a", "d", "e"]


def test_a_middling_text_must_be_the_same_word_for_word() -> None:
    """Six words: equal but for case and punctuation is a copy, another word makes another text."""
    texts = ["The ads are way too loud", "the ads are WAY too loud!!", "The ads are way too long"]
    assert Duplicates().add([_told(str(i), text) for i, text in enumerate(texts)]) == ["0", "0", "2"]


def test_the_window_closes() -> None:
    """The same text after the window is news again."""
    text = STORIES["en"]
    known = Duplicates(days=35)
    assert known.add([_told("a", text), _told("b", text, 34), _told("c", text, 36)]) == ["a", "a", "c"]
    known.forget_before(AT + timedelta(days=30))
    assert len(known) == 1
    assert known.add([_told("d", text, 40)]) == ["c"]


def test_batches_of_any_size_give_the_same_clusters() -> None:
    """Deterministic: one by one, by sevens, all at once, or remembered from the store in between."""
    rng = random.Random(7)
    vocabulary = [f"word{i}" for i in range(400)]
    texts = [" ".join(rng.choices(vocabulary, k=25)) for _ in range(300)]
    texts += [f"{text} indeed" for text in rng.sample(texts, 100)]
    told = [_told(str(i), text, i / 100) for i, text in enumerate(texts)]
    whole = Duplicates().add(told)
    assert sum(first != one.id for first, one in zip(whole, told, strict=True)) == 100
    for size in (1, 7):
        known = Duplicates()
        assert [first for i in range(0, 400, size) for first in known.add(told[i : i + size])] == whole
    half = Duplicates()
    half.remember([one for one, first in zip(told[:200], whole, strict=False) if first == one.id])
    half._settle(at_least=0)
    assert half.add(told[200:]) == whole[200:]


def test_a_cluster_cannot_drift() -> None:
    """A copy of a copy that is no copy of the first begins its own cluster."""
    words = [f"w{i}" for i in range(60)]
    steps = [" ".join(words[i : i + 40]) for i in (0, 3, 6, 9, 12, 15)]
    found = Duplicates().add([_told(str(i), text) for i, text in enumerate(steps)])
    assert found[1] == "0"
    assert found[5] != "0"


def test_nothing_and_noise_are_no_copies_of_each_other() -> None:
    """Empty texts, emoji and links alone never cluster."""
    assert Duplicates().add(
        [_told(str(i), text) for i, text in enumerate(["", "👍", "https://a.example", "", "👍"])]
    ) == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]
