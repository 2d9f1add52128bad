"""Numbers as people's files write them: 12,345 or 12.345, 4,5 or 4.5, 1.2K, 4/5; how, the whole column tells."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

DECIMAL_COMMA = frozenset({"ID", "VN", "DE", "FR", "ES", "IT", "NL", "BR", "TR", "RU", "PL", "AT", "BE", "PT", "AR"})
"""Markets that write 1.234,5 (CLDR)."""
NOTHING = frozenset(
    {"", "-", "--", "—", "n/a", "na", "nan", "null", "none", "nil", "#n/a", "?", "無", "无", "ไม่มี", "inf", "-inf"}
)
"""How files say that there is no number."""
FACTORS = {
    "k": 1e3, "rb": 1e3, "ribu": 1e3, "n": 1e3, "nghìn": 1e3, "พัน": 1e3, "千": 1e3, "m": 1e6, "mn": 1e6, "mil": 1e6,
    "jt": 1e6, "juta": 1e6, "tr": 1e6, "triệu": 1e6, "ล้าน": 1e6, "万": 1e4, "萬": 1e4, "หมื่น": 1e4, "แสน": 1e5,
    "億": 1e8, "亿": 1e8, "b": 1e9, "bn": 1e9,
}  # fmt: skip
"""What stands behind a shortened number."""
SHORT = re.compile(rf"(.*?\d)\s?({'|'.join(sorted(FACTORS, key=len, reverse=True))})\.?")
OUT_OF = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:/|of|out of|dari|daripada|trên|จาก)\s*\d+(?:\s*(?:stars?|bintang|sao|ดาว))?"
)
STARS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:stars?|bintang|sao|ดาว|星|★|⭐️?)")
WHOLE = re.compile(r"[-+]?\d+")
BOTH = re.compile(r"[-+]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?!\1)[.,]\d+")
GROUPED = re.compile(
    r"[-+]?\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})+|[-+]?\d{1,2}(?:(,)\d{2})+,\d{3}|[-+]?\d{1,3}(?:(')\d{3})"
)
EITHER = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")
"""12,345: a thousands' sign or a decimal one."""
DECIMAL = re.compile(r"[-+]?\d*([.,])\d+")


@dataclass(slots=True)
class NumberColumn:
    """What the values of one column tell of its decimal sign.

    Args:
        whole: its numbers are whole (views, likes), so that three digits behind a lone sign are thousands.
        market: decides where no value does.
    """

    whole: bool
    market: str = ""
    signs: set[str] = field(default_factory=set)

    def see(self, value: Any) -> None:
        """Note what a value tells."""
        if isinstance(value, str) and (sign := _decimal_sign(_plain(value))):
            self.signs.add(sign)

    def read(self, value: Any) -> tuple[float | None, str]:
        """Return a number (``None``: there is none), and what of the value is not understood."""
        if isinstance(value, bool) or value is None:
            return None, ""
        if isinstance(value, (int, float)):
            return (float(value), "") if math.isfinite(value) else (None, "")
        text = _plain(str(value))
        if text in NOTHING:
            return None, ""
        number = self._number(text)
        return (number, "") if number is not None else (None, f"not understood as a number: {str(value)[:60]!r}")

    def _number(self, text: str) -> float | None:
        if text and set(text) <= {"★", "☆", "⭐"}:
            return float(text.count("★") + text.count("⭐"))
        if found := OUT_OF.fullmatch(text) or STARS.fullmatch(text):
            text = found[1]
        factor = 1.0
        if found := SHORT.fullmatch(text):
            text, factor = found[1], FACTORS[found[2]]
        value = self._plain_number(text, short=factor > 1)
        return None if value is None else value * factor

    def _plain_number(self, text: str, *, short: bool) -> float | None:
        if WHOLE.fullmatch(text):
            return float(text)
        if EITHER.fullmatch(text):
            return self._either(text, short=short)
        sign = _decimal_sign(text)
        if not sign:
            return None
        grouping = {",": ".", ".": ","}[sign]
        return float(text.replace(grouping, "").replace("'", "").replace(sign, "."))

    def _either(self, text: str, *, short: bool) -> float | None:
        """Read 12,345 as the rest of the column is written; a column of nothing else is of thousands if it is whole."""
        sign = "," if "," in text else "."
        if len(self.signs) == 1:
            decimal = sign in self.signs
        elif short or (not self.whole and not self.signs and self.market):
            decimal = short or (sign == ",") == (self.market in DECIMAL_COMMA)
        elif self.whole and not self.signs:
            decimal = False
        else:
            return None
        return float(text.replace(sign, "." if decimal else ""))


def _decimal_sign(text: str) -> str:
    """Return the decimal sign that a number gives away, or empty."""
    if BOTH.fullmatch(text):
        return "," if text.rfind(",") > text.rfind(".") else "."
    if found := GROUPED.fullmatch(text):
        return "," if "." in (found[1] or "") else "."
    if EITHER.fullmatch(text) or not (found := DECIMAL.fullmatch(text)):
        return ""
    return found[1]


def _plain(text: str) -> str:
    """Return a value small, with ASCII digits and without blanks between digits, per cent and plus signs behind it."""
    text = unicodedata.normalize("NFKC", text.strip()).lower()
    text = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    text = re.sub(r"(?<=\d)[\s\u2009\u202f](?=\d{3}(?!\d))", "", text.replace("’", "'").replace("−", "-"))
    return text.removesuffix("%").removesuffix("+").strip()
