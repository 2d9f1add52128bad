"""Dates that count from now: "3 jam lalu", "two hours ago", "上周五 10:00". They are never exact.

Each language has its own units, numbers and word for "ago", and they are not mixed: in Indonesian "2 hr lalu" is two
days (hari), in English "2 hr ago" two hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from groundswell.crawlers.dates.words import LABELS, WEEKDAYS, normalise

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0
WEEK, MONTH, YEAR = 7 * DAY, 30.4 * DAY, 365.25 * DAY
LENGTHS = (SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR)


def _words(text: str) -> list[str]:
    """Return spellings parted by blanks; ``_`` stands for a blank within one."""
    return [normalise(word.replace("_", " ")) for word in text.split()]


def _one_of(words: Mapping[str, float]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s*") for word in sorted(words, key=len, reverse=True))


@dataclass(frozen=True)
class Counting:
    """How a language counts back from now.

    Args:
        units: words for seconds, minutes, hours, days, weeks, months, years, in this order, parted by ``|``.
        numbers: words for 1, 2, 3 …, parted by ``|``.
        half: words for a half before a unit.
        ago: a regular expression of what stands behind (or, in `before`, in front).
        short: units that stand alone on the pages of social networks ("3h"), in the same order.
    """

    units: str
    numbers: str
    ago: str
    half: str = ""
    before: str = ""
    short: str = ""

    @cached_property
    def lengths(self) -> dict[str, float]:
        """Return the seconds of each unit."""
        return _lengths(self.units)

    @cached_property
    def counts(self) -> dict[str, float]:
        """Return the value of each number in words."""
        listed = enumerate(self.numbers.split("|"), 1)
        return {word: float(k) for k, words in listed for word in _words(words)} | dict.fromkeys(_words(self.half), 0.5)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what matches "about two hours ago" in this language."""
        count = rf"(?P<n>\d{{1,3}}|{_one_of(self.counts)})"
        unit = rf"(?P<more>个半|個半)?\s*(?P<unit>{_one_of(self.lengths)})(?P<half>半| and a half| rưỡi| setengah)?"
        return re.compile(rf"(?:(?:{self.before})\s*)?{count}\s*{unit}\s*(?:{self.ago})")

    @cached_property
    def alone(self) -> re.Pattern[str]:
        """Return what matches "3h": a number and a unit, and nothing else."""
        return re.compile(rf"(?P<n>\d{{1,3}})\s?(?P<unit>{_one_of(_lengths(self.short))})")

    def ago_of(self, text: str) -> timedelta | None:
        """Return how long ago a text says that something was, or ``None``."""
        if not (found := self.pattern.fullmatch(text)):
            return None
        count = float(found["n"]) if found["n"].isdigit() else self.counts[re.sub(r"\s+", " ", found["n"])]
        more = 0.5 if found["more"] or found["half"] else 0.0
        return timedelta(seconds=(count + more) * self.lengths[re.sub(r"\s+", " ", found["unit"])])

    def alone_of(self, text: str) -> timedelta | None:
        """Return how long ago "3h" is, or ``None``."""
        found = self.alone.fullmatch(text) if self.short else None
        return found and timedelta(seconds=int(found["n"]) * _lengths(self.short)[found["unit"]])


def _lengths(units: str) -> dict[str, float]:
    return {
        word: length for length, words in zip(LENGTHS, units.split("|"), strict=False) for word in _words(words)
    } | dict.fromkeys(_words(units.partition("||")[2]), 2 * WEEK)


MALAY = Counting(
    "detik dtk saat|menit mnt minit|jam|hari hr|minggu mgg pekan|bulan bln|tahun thn",
    "satu se|dua|tiga|empat|lima|enam|tujuh|delapan lapan|sembilan|sepuluh",
    r"(?:yang\s+|yg\s+)?(?:lalu|lepas)|yang\s+sudah|ago",
    half="setengah",
    before="sekitar|kira-kira|lebih kurang",
)
"""Indonesian and Malay: what one of them does not know, the other does."""
LANGUAGES: Mapping[str, Counting] = {
    "en": Counting(
        "second seconds sec secs s|minute minutes min mins m|hour hours hr hrs h|day days d|week weeks wk wks w"
        "|month months mo mos|year years yr yrs y||fortnight",
        "a an one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve",
        "ago",
        half="half_an half_a",
        before="about|around",
        short="s sec secs|m min mins|h hr hrs|d day days|w wk wks|mo mos|y yr yrs",
    ),
    "id": MALAY,
    "vi": Counting(
        "giây|phút|giờ tiếng|ngày hôm|tuần|tháng|năm",
        "một|hai|ba|bốn|năm|sáu|bảy bẩy|tám|chín|mười",
        "trước|trước đây",
        half="nửa",
        before="khoảng|cách đây",
        short="giây|phút|giờ|ngày|tuần|tháng thg|năm",
    ),
    "th": Counting(
        "วินาที|นาที|ชั่วโมง ชม. ชม|วัน|สัปดาห์ อาทิตย์|เดือน|ปี",
        "หนึ่ง|สอง|สาม|สี่|ห้า|หก|เจ็ด|แปด|เก้า|สิบ",
        "ที่แล้ว|ที่ผ่านมา|ก่อนหน้านี้|ก่อนหน้า|ก่อน",
        half="ครึ่ง",
        before="เมื่อประมาณ|เมื่อ|ประมาณ|ราว",
        short="วินาที|นาที|ชั่วโมง ชม. ชม|วัน|สัปดาห์|เดือน|ปี",
    ),
    "zh": Counting(
        "秒 秒钟 秒鐘|分 分钟 分鐘|小时 小時 个小时 個小時 个钟 個鐘 个钟头 個鐘頭|天 日|周 週 星期 个星期 個星期 "
        " 个礼拜 個禮拜"
        "|个月 個月|年",
        "一|二 两 兩|三|四|五|六|七|八|九|十|十一|十二",
        "前|之前|以前",
        half="半",
        before="大约|大約|约|約",
        short="秒|分钟 分鐘|小时 小時|天|周 週|个月 個月|年",
    ),
    "ja": Counting("秒|分|時間|日|週間|か月 ヶ月 カ月 ヵ月|年", "一|二|三|四|五|六|七|八|九|十", "前", before="約"),
    "ko": Counting("초|분|시간|일|주 주일|달 개월|년", "한|두|세|네", "전"),
    "tl": Counting(
        "segundo|minuto|oras|araw|linggo|buwan|taon",
        "isang|dalawang|tatlong|apat_na|limang|anim_na|pitong|walong|siyam_na|sampung",
        r"(?:na\s+)?(?:ang\s+)?(?:nakalipas|nakaraan|nakararaan)",
    ),
}
SAME_AS = {"fil": "tl"}
NOW = re.compile(
    r"just now|now|baru saja|baru sahaja|sebentar tadi|vừa xong|mới đây|เมื่อสักครู่|เมื่อกี้"
    r"|刚刚|剛剛|刚才|剛才|방금|たった今|ngayon lang"
)
DAYS_BACK: Mapping[int, str] = {
    0: "today|hari ini|hôm nay|วันนี้|今天|今日|오늘|ngayong araw",
    1: "yesterday|kemarin|kelmarin|semalam|hôm qua|เมื่อวานนี้|เมื่อวาน(?!ซืน)|昨天|昨日|어제|kahapon",
    2: "kemarin lusa|kelmarin dulu|hôm kia|เมื่อวานซืน|(?<!大)前天|前日|一昨日|그저께|그제|noong isang araw",
    3: "大前天|大前日|hôm kìa",
}
PART_OF: Mapping[str, tuple[int, str]] = {
    "this morning": (0, "am"), "last night": (1, "pm"), "tonight": (0, "pm"), "pagi ini": (0, "pagi"),
    "pagi tadi": (0, "pagi"), "tadi pagi": (0, "pagi"), "tadi siang": (0, "siang"), "siang tadi": (0, "siang"),
    "tadi sore": (0, "sore"), "sore tadi": (0, "sore"), "petang tadi": (0, "petang"), "tadi malam": (1, "malam"),
    "malam tadi": (1, "malam"), "sáng nay": (0, "sáng"), "trưa nay": (0, "trưa"), "chiều nay": (0, "chiều"),
    "tối nay": (0, "tối"), "sáng qua": (1, "sáng"), "trưa qua": (1, "trưa"), "chiều qua": (1, "chiều"),
    "tối qua": (1, "tối"), "เมื่อเช้านี้": (0, ""), "เมื่อเช้า": (0, ""), "เช้านี้": (0, ""),
    "เมื่อคืนนี้": (1, ""), "เมื่อคืน": (1, ""), "今早": (0, "早上"), "今晨": (0, "清晨"), "今晚": (0, "晚上"),
    "昨晚": (1, "晚上"),
}  # fmt: skip
"""Words for a part of today or yesterday, and the word that a clock beside them is read with."""
ENDS_HERE = r"(?![^\W\d_](?<![\u0e00-\uffff]))"
"""Not within a word, in scripts that part words."""
CLOCK = re.compile(r"\d{1,2}(?:[:.]\d\d|\s?(?:giờ|h|点|點|时|時)(?:\s?\d\d|半)?)?")
OWN_PART = re.compile(r"\b(?:1[3-9]|2[0-3])(?:[:.h点點时時]|\s?giờ)|\b(?:[ap]\.?m|[ap]\.m\.)(?!\w)|(?<=\d)[ap]m\b")
"""A clock that needs no part of the day beside it."""
SOURCE_BEHIND = re.compile(r"\s*(?:来自|來自)\s.{0,40}$")
"""Weibo names the writer's device behind the time."""
_LABEL = "|".join(re.escape(word) for words in LABELS for word in sorted(_words(words), key=len, reverse=True))
BEFORE = re.compile(rf"^(?:{_LABEL})(?=[\s:\d\u0e00-\uffff])[\s:]*")


def ago(text: str) -> timedelta | None:
    """Return how long ago a normalised text says that something was, or ``None``."""
    text = BEFORE.sub("", SOURCE_BEHIND.sub("", text).strip(" .,()"), count=1)
    if NOW.fullmatch(text):
        return timedelta(0)
    return next((since for each in LANGUAGES.values() if (since := each.ago_of(text)) is not None), None)


def ago_without_a_word(text: str, lang: str) -> timedelta | None:
    """Return what "3h" means as a stamp in a language, or ``None``; the language (a BCP 47 tag) must be known.

    In Indonesian and Malay pages the same letter is an hour in one place and a day (hari) in another: it is not read.
    """
    primary = lang.replace("_", "-").partition("-")[0].lower()
    counting = LANGUAGES.get(SAME_AS.get(primary, primary))
    return counting.alone_of(text.strip(" .,()·")) if counting else None


def day_named(text: str, today: date) -> tuple[date, str] | None:
    """Return the day that a text names by its distance ("yesterday, 10:00", "上周五"), and the rest of the text."""
    for pattern, back, part in DAY_NAMES:
        if found := pattern.search(text):
            return today - timedelta(days=back), _without(text, found, part)
    return _weekday_named(text, today)


def _without(text: str, found: re.Match[str], part: str) -> str:
    """Return the text without the words for the day; their part of the day stands behind the clock instead."""
    rest = f"{text[: found.start()]} {text[found.end() :]}".strip(" ,|-")
    return rest if not part or OWN_PART.search(rest) else CLOCK.sub(rf"\g<0> {part}", rest, count=1)


def _day_names() -> list[tuple[re.Pattern[str], int, str]]:
    named = [(words, back, "") for back, words in DAYS_BACK.items()]
    parts = [(re.escape(words), back, part) for words, (back, part) in PART_OF.items()]
    longest_ago_first = sorted(named, key=lambda each: -each[1])
    return [(re.compile(rf"(?:{words}){ENDS_HERE}"), back, part) for words, back, part in parts + longest_ago_first]


DAY_NAMES = _day_names()


def _weekdays(lang: str) -> dict[str, int]:
    parts = [words.split(",") if lang == "vi" else words.split() for words in WEEKDAYS[lang].split("|")]
    return {normalise(word): k for k, words in enumerate(parts) for word in words if not word.endswith(".")}


LAST_WEEKDAY = [
    (re.compile(form.format(_one_of(dict.fromkeys(_weekdays(lang), 0.0)))), _weekdays(lang), of_last_week)
    for lang, form, of_last_week in (
        ("en", r"\blast (?P<day>{})\b", False),
        ("id", r"\b(?:hari )?(?P<day>{}) (?:yang )?lalu\b", False),
        ("ms", r"\b(?:hari )?(?P<day>{}) (?:yang )?(?:lalu|lepas)\b", False),
        ("tl", r"\bnoong (?:nakaraang )?(?P<day>{})\b", False),
        ("th", r"(?P<day>{})ที่(?:แล้ว|ผ่านมา)", False),
        ("vi", r"(?P<day>{}) tuần (?:trước|rồi)", True),
        ("zh", r"上个?個?(?P<day>{})", True),
    )
]
"""A weekday with "last": the latest one before today, or, where the words say so, the one of the week before."""


def _weekday_named(text: str, today: date) -> tuple[date, str] | None:
    for pattern, names, of_last_week in LAST_WEEKDAY:
        if found := pattern.search(text):
            wanted = names[found["day"]]
            back = today.weekday() + 7 - wanted if of_last_week else (today.weekday() - wanted - 1) % 7 + 1
            return today - timedelta(days=back), _without(text, found, "")
    return None
