"""How a title says that people praise, complain or do neither, in the languages that we speak."""

from __future__ import annotations

from dataclasses import dataclass

BETWEEN = " · "
"""What stands between a title's phrase and its feeling."""
LEAST_USUAL = 0.6
"""Fewer documents than this are "hardly any": no multiple of them is said."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Words of a language: for a theme without a subject, and after the phrase of one that has a subject.

    `example` stands behind what a theme is about, before a phrase that fewer than half of its documents hold; `remarks`
    stands around such a phrase where nothing else is known; `partly` before a risk that fewer than half carry.
    """

    praise: str
    displeasure: str
    mixed: str
    praised: str
    complained: str
    neither: str
    example: str
    remarks: str
    partly: str


ENGLISH = Frame(
    "Praise",
    "Displeasure",
    "Mixed remarks",
    "praise",
    "complaints",
    "mixed or neutral",
    "{}, e.g. “{}”",
    "Remarks such as “{}”",
    "partly {}",
)
FRAMES = {
    "en": ENGLISH,
    "id": Frame(
        "Pujian",
        "Kekecewaan",
        "Komentar campuran",
        "pujian",
        "keluhan",
        "campuran atau netral",
        "{}, mis. “{}”",
        "Komentar seperti “{}”",
        "sebagian {}",
    ),
    "zh": Frame(
        "好评", "不满", "零散评论", "好评", "抱怨", "褒贬不一或中性", "{}（如“{}”）", "诸如“{}”的评论", "部分涉及{}"
    ),
    "th": Frame(
        "คำชม",
        "ความไม่พอใจ",
        "ความเห็นปนกัน",
        "คำชม",
        "คำบ่น",
        "ปนกันหรือเป็นกลาง",
        "{} เช่น “{}”",
        "ความเห็นอย่าง “{}”",
        "บางส่วนเป็น{}",
    ),
    "vi": Frame(
        "Khen ngợi",
        "Không hài lòng",
        "Ý kiến lẻ tẻ",
        "khen ngợi",
        "phàn nàn",
        "lẫn lộn hoặc trung tính",
        "{}, ví dụ “{}”",
        "Ý kiến như “{}”",
        "một phần là {}",
    ),
}
PRAISED = frozenset(frame.praised for frame in FRAMES.values())
MERE = frozenset(word for frame in FRAMES.values() for word in (frame.praise, frame.displeasure))
COMPLAINED = frozenset(frame.complained for frame in FRAMES.values())
NEITHER = frozenset(frame.neither for frame in FRAMES.values())


def subject_of(title: str) -> str:
    """Return a title as it stands in a sentence: "Too many ads", "Praise (bagus)"."""
    feeling, colon, words = title.partition(": ")
    if colon and feeling in MERE:
        return f"{feeling} ({words})"
    return phrases_of(title)


def phrases_of(title: str) -> str:
    """Return the phrases of a title, without the feeling before or behind them."""
    before, colon, words = title.partition(": ")
    subject, _, behind = title.rpartition(BETWEEN)
    if colon and before in MERE:
        return words
    return subject if behind in PRAISED | COMPLAINED | NEITHER else title


def capital(text: str) -> str:
    """Return text that begins like a title, unless its first word has a case of its own ("iPhone")."""
    first = text.split(" ", maxsplit=1)[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def times(observed: float, expected: float) -> str:
    """Return by how much a count exceeds what was expected: "3.2 times the usual"; of hardly any no multiple."""
    if expected < LEAST_USUAL:
        return "more than usual"
    return f"{observed / expected:.1f} times the usual"
