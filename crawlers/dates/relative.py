"""Dates that count from now: "3 jam lalu", "2 hours ago", "昨天 10:00". They are never exact."""

from __future__ import annotations

import re
from datetime import timedelta

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0
WEEK, MONTH, YEAR = 7 * DAY, 30.4 * DAY, 365.25 * DAY

UNITS: dict[str, float] = {
    **dict.fromkeys(
        ("second", "seconds", "sec", "secs", "s", "detik", "saat", "giây", "วินาที", "秒", "秒钟", "秒鐘"), SECOND
    ),
    **dict.fromkeys(("초", "segundo"), SECOND),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "m", "menit", "mnt", "minit", "phút", "นาที", "分"), MINUTE),
    **dict.fromkeys(("分钟", "分鐘", "분", "minuto"), MINUTE),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h", "jam", "giờ", "tiếng", "ชั่วโมง", "ชม.", "ชม", "小时"), HOUR),
    **dict.fromkeys(("小時", "個小時", "个小时", "時間", "时间", "시간", "oras"), HOUR),
    **dict.fromkeys(("day", "days", "d", "hari", "ngày", "วัน", "天", "日", "일", "araw"), DAY),
    **dict.fromkeys(("week", "weeks", "w", "wk", "minggu", "pekan", "tuần", "สัปดาห์", "อาทิตย์", "周", "週"), WEEK),
    **dict.fromkeys(("星期", "个星期", "個星期", "週間", "주", "linggo"), WEEK),
    **dict.fromkeys(("month", "months", "mo", "bulan", "tháng", "เดือน", "月", "个月", "個月", "か月", "ヶ月"), MONTH),
    **dict.fromkeys(("カ月", "개월", "달", "buwan"), MONTH),
    **dict.fromkeys(("year", "years", "yr", "yrs", "y", "tahun", "thn", "năm", "ปี", "年", "년", "taon"), YEAR),
}
"""Seconds of each unit."""
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
AGO = re.compile(
    rf"(?:about|around|sekitar|khoảng|ประมาณ|大约|約|约)?\s*"
    rf"(?P<n>\d{{1,3}}|an?|one|se(?=jam|hari|minggu|bulan|tahun|minit|menit))"
    rf"\s*(?P<unit>{_UNIT})\s*(?:yang\s+|yg\s+|na\s+ang\s+|ang\s+)?"
    r"(?:ago|lalu|lepas|trước|ที่แล้ว|ที่ผ่านมา|ก่อน|ก่อนหน้า|前|전|之前|以前|nakalipas|nakaraan)"
)
NOW = re.compile(
    r"just now|now|baru saja|baru sahaja|sebentar tadi|vừa xong|mới đây|เมื่อสักครู่|เมื่อกี้"
    r"|刚刚|剛剛|刚才|剛才|방금|たった今|ngayon lang"
)
DAYS_BACK = {
    0: "today|hari ini|hôm nay|วันนี้|今天|今日|오늘|ngayong araw",
    1: "yesterday|kemarin|kelmarin|semalam|hôm qua|เมื่อวานนี้|เมื่อวาน|昨天|昨日|어제|kahapon",
    2: "hôm kia|เมื่อวานซืน|前天|前日|一昨日|그저께|그제",
}
DAY_NAMES = [(re.compile(rf"(?:{words})(?![^\W\d_](?<![\u0e00-\uffff]))"), back) for back, words in DAYS_BACK.items()]


def ago(text: str) -> timedelta | None:
    """Return how long ago a normalised text says that something was, or ``None``."""
    if NOW.fullmatch(text):
        return timedelta(0)
    if not (found := AGO.fullmatch(text.strip(" .,()"))):
        return None
    count = int(found["n"]) if found["n"].isdigit() else 1
    return timedelta(seconds=count * UNITS[found["unit"]])


def day_back(text: str) -> tuple[int, str] | None:
    """Return how many days back a text begins or ends ("yesterday, 10:00"), and the rest of it."""
    for pattern, back in DAY_NAMES:
        if found := pattern.search(text):
            return back, f"{text[: found.start()]} {text[found.end() :]}".strip(" ,|-")
    return None
