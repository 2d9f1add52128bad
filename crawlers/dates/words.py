"""The words of dates in the languages of our markets, and of some others that feeds are written in.

Each word becomes a token: a kind (one letter, see `KINDS`) and a value. Words of languages that put the day first carry
a hint for dates of three numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from groundswell.crawlers.dates.zones import ABBREVIATIONS, AMBIGUOUS, NAMES

KINDS = {
    "M": "month", "W": "weekday", "A": "part of the day", "Z": "zone", "E": "era", "J": "era whose years are counted",
    "Y": "year sign (年)", "R": "word before a year (năm)", "N": "month sign (月)", "G": "word before a month (tháng)",
    "D": "day sign (日)", "O": "ordinal sign (st, hb)", "H": "hour sign", "I": "minute sign", "S": "second sign",
    "C": "word before a clock time (pukul)", "K": "word after a clock time (น.)", "F": "filler", "T": "ISO's T",
}  # fmt: skip
"""What the letters of tokens mean; numbers are ``d`` (1–2 digits), ``t`` (3), ``y`` (4), ``6``, ``8``, ``c`` (12),
``e`` (14) and ``n``; punctuation stands for itself; ``U`` is a word that nobody knows."""


@dataclass(frozen=True, slots=True)
class Word:
    """A known word: its kind, its value, and the language it gives away where that puts the day first."""

    kind: str
    value: object = None
    lang: str = ""


MONTHS: Mapping[str, str] = {
    "en": "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct"
    "|november nov|december dec",
    "id": "januari|februari pebruari peb|maret|april|mei|juni|juli|agustus agust agu agt ags|september|oktober okt"
    "|november nopember nop|desember des",
    "ms": "januari|februari|mac|april|mei|jun|julai|ogos ogs ogo|september|oktober|november|disember dis",
    "tl": "enero ene|pebrero|marso|abril abr|mayo|hunyo hun|hulyo hul|agosto ago|setyembre set|oktubre|nobyembre nob"
    "|disyembre",
    "vi": "tháng một,tháng giêng|tháng hai|tháng ba|tháng tư|tháng năm|tháng sáu|tháng bảy,tháng bẩy|tháng tám"
    "|tháng chín|tháng mười|tháng mười một|tháng mười hai",
    "th": "มกราคม มกรา ม.ค. ม.ค มค.|กุมภาพันธ์ กุมภา ก.พ. ก.พ กพ.|มีนาคม มีนา มี.ค. มี.ค มีค."
    "|เมษายน เมษา เม.ย. เม.ย เมย."
    "|พฤษภาคม พฤษภา พ.ค. พ.ค พค.|มิถุนายน มิถุนา มิ.ย. มิ.ย มิย.|กรกฎาคม กรกฏาคม กรกฎา ก.ค. ก.ค กค."
    "|สิงหาคม สิงหา ส.ค. ส.ค สค.|กันยายน กันยา ก.ย. ก.ย กย.|ตุลาคม ตุลา ต.ค. ต.ค ตค."
    "|พฤศจิกายน พฤศจิกา พ.ย. พ.ย พย.|ธันวาคม ธันวา ธ.ค. ธ.ค ธค.",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre dic",
    "fr": "janvier janv|février févr|mars|avril avr|mai|juin|juillet juil|août|septembre|octobre|novembre|décembre déc",
    "de": "januar jänner|februar|märz mär|april|mai|juni|juli|august|september|oktober|november|dezember dez",
    "pt": "janeiro|fevereiro fev|março|abril|maio|junho|julho|agosto|setembro|outubro out|novembro|dezembro",
    "it": "gennaio gen|febbraio|marzo|aprile|maggio mag|giugno giu|luglio lug|agosto|settembre|ottobre ott|novembre"
    "|dicembre",
    "nl": "januari|februari|maart mrt|april|mei|juni|juli|augustus|september|oktober|november|december",
    "ru": "января янв|февраля фев|марта мар|апреля апр|мая май|июня июн|июля июл|августа авг|сентября сен|октября окт"
    "|ноября ноя|декабря дек",
    "hu": "január|február febr|március márc|április ápr|május máj|június jún|július júl|augusztus|szeptember szept"
    "|október|november|december",
    "el": "ιαν|φεβ|μάρ μαρ|απρ|μάι μαϊ μαι|ιούν ιουν|ιούλ ιουλ|αύγ αυγ|σεπ|οκτ|νοέ νοε|δεκ",
}
"""January to December; words of one month are parted by blanks (or commas, where they hold blanks)."""

WEEKDAYS: Mapping[str, str] = {
    "en": "monday mon|tuesday tues tue|wednesday wed weds|thursday thurs thur thu|friday fri|saturday sat|sunday sun",
    "id": "senin sen|selasa sel|rabu rab|kamis kam|jumat jum'at jum’at jum|sabtu sab|minggu ahad min",
    "ms": "isnin isn|selasa|rabu|khamis kha|jumaat|sabtu|ahad ahd",
    "tl": "lunes|martes|miyerkules|huwebes|biyernes|sabado|linggo",
    "vi": "thứ hai,thứ 2|thứ ba,thứ 3|thứ tư,thứ 4|thứ năm,thứ 5|thứ sáu,thứ 6|thứ bảy,thứ bẩy,thứ 7"
    "|chủ nhật,chúa nhật,cn",
    "th": "วันจันทร์ จันทร์ จ.|วันอังคาร อังคาร อ.|วันพุธ พุธ พ.|วันพฤหัสบดี พฤหัสบดี พฤหัสฯ พฤหัส พฤ."
    "|วันศุกร์ ศุกร์ ศ.|วันเสาร์ เสาร์ ส.|วันอาทิตย์ อาทิตย์ อา.",
    "zh": "星期一 周一 週一 礼拜一 禮拜一|星期二 周二 週二 礼拜二 禮拜二|星期三 周三 週三 礼拜三 禮拜三"
    "|星期四 周四 週四 礼拜四 禮拜四|星期五 周五 週五 礼拜五 禮拜五|星期六 周六 週六 礼拜六 禮拜六"
    "|星期日 星期天 周日 週日 礼拜天 禮拜天 礼拜日 禮拜日",
    "ja": "月曜日 月曜|火曜日 火曜|水曜日 水曜|木曜日 木曜|金曜日 金曜|土曜日 土曜|日曜日 日曜",
    "ko": "월요일|화요일|수요일|목요일|금요일|토요일|일요일",
    "es": "lunes|martes|miércoles|jueves|viernes|sábado|domingo",
    "fr": "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
    "de": "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag",
    "el": "δευ|τρι|τετ|πεμ|παρ|σαβ|κυρ",
}
"""Monday to Sunday."""
SIGNED_WEEKDAYS = {
    sign: k for signs in ("月火水木金土日", "월화수목금토일", "一二三四五六日") for k, sign in enumerate(signs)
}
"""Weekdays of one letter, as they stand in brackets: 11月29日(日)."""

PARTS: Mapping[str, tuple[int, int]] = {
    "am": (0, 12), "a.m.": (0, 12), "a.m": (0, 12), "a. m.": (0, 12), "pm": (12, 24), "p.m.": (12, 24), "p.m": (12, 24),
    "p. m.": (12, 24), "noon": (12, 13), "nn": (12, 13),
    "pagi": (1, 12), "siang": (10, 16), "sore": (14, 19), "petang": (12, 20), "malam": (18, 24), "subuh": (3, 7),
    "dini hari": (0, 6), "dinihari": (0, 6), "tengah hari": (11, 15), "tengahari": (11, 15), "tgh": (11, 15),
    "pg": (0, 12), "ptg": (12, 24), "mlm": (18, 24),
    "sáng": (1, 12), "trưa": (11, 14), "chiều": (12, 19), "tối": (17, 24), "đêm": (21, 24),
    "sa": (0, 12), "ch": (12, 24),
    "ก่อนเที่ยง": (0, 12), "หลังเที่ยง": (12, 24),
    "umaga": (1, 12), "tanghali": (11, 14), "hapon": (12, 19), "gabi": (18, 24),
    "凌晨": (0, 6), "清晨": (3, 9), "早晨": (3, 12), "早上": (3, 12), "清早": (3, 9), "上午": (0, 12), "中午": (11, 14),
    "下午": (12, 24), "傍晚": (16, 20), "晚上": (17, 24), "晚間": (17, 24), "晚间": (17, 24), "深夜": (21, 24),
    "夜間": (18, 24), "夜间": (18, 24), "午前": (0, 12), "午後": (12, 24),
    "오전": (0, 12), "오후": (12, 24), "새벽": (0, 7), "아침": (5, 12), "저녁": (17, 24), "밤": (18, 24),
    "πμ": (0, 12), "μμ": (12, 24),
}  # fmt: skip
"""The hours that a word for a part of the day can mean, from and up to; an hour that fits twice or never is refused."""
PARTS_LANG = {
    **dict.fromkeys(("pagi", "siang", "sore", "malam", "subuh", "dini hari", "dinihari"), "id"),
    **dict.fromkeys(("petang", "tengah hari", "tengahari", "tgh", "pg", "ptg", "mlm"), "ms"),
    **dict.fromkeys(("sáng", "trưa", "chiều", "tối", "đêm", "sa", "ch"), "vi"),
    **dict.fromkeys(("ก่อนเที่ยง", "หลังเที่ยง"), "th"),
}

ERAS: Mapping[str, int] = {
    "พ.ศ.": -543, "พ.ศ": -543, "พศ": -543, "พุทธศักราช": -543, "b.e.": -543, "be": -543, "ค.ศ.": 0, "ค.ศ": 0, "คศ": 0,
    "ad": 0, "a.d.": 0, "ce": 0, "c.e.": 0, "公元": 0, "西元": 0, "西暦": 0, "서기": 0,
}  # fmt: skip
"""What is added to a year of this era."""
COUNTED_ERAS: Mapping[str, int] = {
    "民國": 1911, "民国": 1911, "中華民國": 1911, "令和": 2018, "平成": 1988, "昭和": 1925,
}  # fmt: skip

FILLERS = (
    "the of on at in de del le el à", "pada hari tanggal tgl tarikh bertarikh", "ngày vào",
    "ที่ วันที่ เมื่อ เมื่อวันที่ ณ", "noong ng nang ika ika- ganap na", "年度",
)  # fmt: skip
LABELS = (
    "published posted date updated release released created last modified publish by",
    "diterbitkan dipublikasikan dipublikasi terbit tayang diperbarui dikemaskini diterbit kemaskini dimuat",
    "đăng cập_nhật ngày_đăng",
    "เผยแพร่ เผยแพร่เมื่อ โพสต์ โพสต์เมื่อ อัปเดต อัพเดต อัปเดตล่าสุด แก้ไขล่าสุด ปรับปรุงล่าสุด",
    "发布时间 发布于 发布 發布時間 發佈時間 發布 發佈 时间 時間 更新时间 更新時間 更新",
    "发表于 發表於 日期 公開 公開日 配信 投稿日",
    "입력 등록 수정 게시 승인 최종수정 기사입력",
)
"""What stands before a date on a page; it says nothing of the date itself."""
CLOCK_BEFORE = ("pukul jam pkl pkl. kl", "lúc hồi", "เวลา", "alas oras", "às um")
CLOCK_AFTER = "น. น นาฬิกา hrs hours hrs. uhr 정각 整"
SIGNS: Mapping[str, str] = {
    "年": "Y", "년": "Y", "năm": "R", "ปี": "F", "月": "N", "월": "N", "tháng": "G", "thg": "G", "เดือน": "F",
    "日": "D", "號": "D", "号": "D", "일": "D", "st": "O", "nd": "O", "rd": "O", "th": "O", "hb": "O", "haribulan": "O",
    "er": "O", "º": "O", "点": "H", "點": "H", "時": "H", "时": "H", "시": "H", "点钟": "H", "點鐘": "H", "giờ": "H",
    "h": "H", "g": "H", "分": "I", "분": "I", "phút": "I", "นาที": "I", "m": "I", "秒": "S", "초": "S",
    "giây": "S", "s": "S", "t": "T", "bulan": "F",
}  # fmt: skip
CHINESE_DIGITS = {**{sign: k for k, sign in enumerate("零一二三四五六七八九")}, "〇": 0, "○": 0, "两": 2, "兩": 2}
NOT_PLAIN = re.compile(r"[^ -_a-~]")
"""Letters that may have another form: all but those of ASCII, less its grave accent."""
DAY_FIRST = frozenset({"id", "ms", "vi", "th", "fr", "de", "es", "pt", "it", "nl", "ru"})


def normalise(text: str) -> str:
    """Return text as it is compared: one form of each letter (NFKC), small, ASCII digits, no invisible signs."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return NOT_PLAIN.sub(lambda found: _plain(found[0]), text).strip()


@lru_cache(4096)
def _plain(letter: str) -> str:
    if letter in "−–—‐‑‒―":
        return "-"
    if letter in "'’‘`´ʼ":
        return "'"
    if unicodedata.category(letter) in {"Cf", "Cc"}:
        return " " if letter in "\t\n\r" else ""
    digit = unicodedata.decimal(letter, None) if letter > "\x7f" else None
    return letter if digit is None else str(digit)


def _entries() -> Iterator[tuple[str, Word]]:
    """Yield all words; where two claim one spelling, the later stands."""
    for lang, table in WEEKDAYS.items():
        yield from _listed(table, "W", lang, first=0)
    for lang, table in MONTHS.items():
        yield from _listed(table, "M", lang, first=1)
    for words in FILLERS:
        yield from ((word, Word("F")) for word in words.split())
    yield from ((word.replace("_", " "), Word("F")) for words in LABELS for word in words.split())
    for words in CLOCK_BEFORE:
        lang = {"pukul": "id", "lúc": "vi", "เวลา": "th"}.get(words.split()[0], "")
        yield from ((word, Word("C", None, lang)) for word in words.split())
    yield from ((word, Word("K")) for word in CLOCK_AFTER.split())
    yield from ((sign, Word(kind)) for sign, kind in SIGNS.items())
    yield from ((name, Word("Z", name)) for name in (*ABBREVIATIONS, *AMBIGUOUS, *NAMES))
    yield from ((era, Word("E", years)) for era, years in ERAS.items())
    yield from ((era, Word("J", years)) for era, years in COUNTED_ERAS.items())
    yield from ((part, Word("A", hours, PARTS_LANG.get(part, ""))) for part, hours in PARTS.items())


def _listed(table: str, kind: str, lang: str, *, first: int) -> Iterator[tuple[str, Word]]:
    for number, words in enumerate(table.split("|"), first):
        for word in words.split(",") if "," in words or lang == "vi" else words.split():
            yield word, Word(kind, number, lang if lang in DAY_FIRST else "")


def _lexicon() -> dict[str, Word]:
    words: dict[str, Word] = {}
    for spelling, word in _entries():
        key = normalise(spelling)
        meaning = words.get(key)
        same = meaning is not None and (meaning.kind, meaning.value, meaning.lang) == (word.kind, word.value, word.lang)
        words[key] = word if meaning is None or same or meaning.kind != word.kind else replace(word, lang="")
    return words


LEXICON: Mapping[str, Word] = _lexicon()
"""All words by their normalised spelling. A spelling of several languages gives no language away."""
