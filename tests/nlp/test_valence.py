"""What a feeling is read from: what is denied, past, only expected or somebody's identity does not decide it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from groundswell.nlp.model.valence import LONGEST_READ, plainly

SWAPS = {
    "She is a {} engineer from the next town.": ["gay", "asexual", "Muslim", "Jewish", "Black", "Nigerian", "straight"],
    "Saya dengar dia guru {} di sini.": ["Muslim", "Kristen", "Hindu", "Tionghoa", "Batak", "gay", "transgender"],
    "เขาเป็นครู{}": ["มุสลิม", "พุทธ", "เกย์", "กะเทย", "ผิวดำ"],
    "Cô ấy là giáo viên {}.": ["đồng tính", "chuyển giới", "Hồi giáo", "Công giáo", "da đen"],
    "他是一个{}老师。": ["同性恋", "无性恋", "穆斯林", "基督徒", "黑人", "日本人"],
}


@pytest.mark.parametrize(("sentence", "people"), SWAPS.items())
def test_swapping_what_people_are_changes_nothing(sentence: str, people: Sequence[str]) -> None:
    """Faith, origin and love are read as one word, whichever it is."""
    assert len(set(plainly([sentence.format(one) for one in people]))) == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("The food wasn't bad.", "The food was fine."),
        ("I used to hate this app, but now I love it.", "I  like this app, but now I love it."),
        ("I like it, although in the past I hated it.", "I like it"),
        ("Some people hate it, but I think it is great.", "but I think it is great."),
        ("服务一点都不差。", "服务还不错。"),
        ("Pelayanannya tidak buruk.", "Pelayanannya lumayan bagus."),
    ],
)
def test_what_turns_a_feeling_is_written_plainly(text: str, read: str) -> None:
    """A denial, a past feeling and what others feel are read as what the author feels now."""
    assert plainly([text]) == [read]


@pytest.mark.parametrize(
    "text",
    [
        "The best phone I have owned.",
        "I can't believe how bad this is.",
        "It is not only bad, it is rude.",
        "Great app but ads every two songs.",
        "Never seen such an awful app.",
        "Black screen after the update.",
        "Straight to the point and quick.",
        "สวัสดีค่ะ ของยังไม่มา",
        "เขื่อนช้างไม่ช้าง",
        "这个好不容易才买到",
        "Saya suka, tapi mahal.",
    ],
)
def test_what_turns_nothing_stays_as_it_is(text: str) -> None:
    """Idioms, honest mixed reviews and words that only look like cues are read as written."""
    assert plainly([text]) == [text]


def test_praise_of_what_nobody_praises_is_blame() -> None:
    """Praise beside a fact is turned; set against it by a "but" it is meant."""
    turned, meant = plainly(["Nice, charged twice for one order.", "Nice, but charged twice for one order."])
    assert turned.startswith("bad")
    assert meant.startswith("Nice")


def test_repetitions_do_not_hang_it() -> None:
    """Hostile repetitions are read, for patterns reach only so far."""
    hostile = [
        part * (LONGEST_READ // len(part)) for part in ("not ", "used to now ", "I can't say ", "不", "was not ", "a ")
    ]
    assert all(plainly(hostile))
