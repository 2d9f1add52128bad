"""How the board and the mail say numbers, times, markets and risks: one voice, in one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from groundswell.index.records import Theme
from groundswell.ui.report.tongue import counted, spoken, tr

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NO-BREAK SPACE}"
SPELLED = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
ZONE_NAMES = {
    "Asia/Singapore": "SGT",
    "Asia/Kuala_Lumpur": "MYT",
    "Asia/Bangkok": "ICT",
    "Asia/Ho_Chi_Minh": "ICT",
}
"""The zone database names these only by their offset ("+08"); people there use these letters."""
MARKETS = {
    "AU": "Australia",
    "CN": "China",
    "DE": "Germany",
    "GB": "the United Kingdom",
    "HK": "Hong Kong",
    "ID": "Indonesia",
    "IN": "India",
    "JP": "Japan",
    "KR": "South Korea",
    "MY": "Malaysia",
    "NZ": "New Zealand",
    "PH": "the Philippines",
    "SG": "Singapore",
    "TH": "Thailand",
    "TW": "Taiwan",
    "US": "the United States",
    "VN": "Vietnam",
}
RISKS = {
    "billing_charges": "wrong charges",
    "enforcement_payout": "bans & payouts",
    "financial_services": "loans & finance",
    "health_weight": "health & weight",
    "impersonation_deepfake": "impersonation",
    "ip_counterfeit": "counterfeits",
    "political_social": "political",
    "privacy_targeting": "privacy",
    "adult_dating": "adult & dating",
}
"""Short names where the taxonomy's id is no phrase; a user's own risk is called by its id."""
KINDS = {
    "surge": "more than usual",
    "new": "new subject",
    "sour": "mood fell",
    "spread": "heard in new places",
}
"""What each kind of signal means, in three words."""


UNITS: Mapping[str, tuple[str, str, str]] = {
    "en": ("min", "h", "d"), "zh": ("分钟", "小时", "天"), "id": ("mnt", "jam", "hari"),
}  # fmt: skip
"""Minutes, hours and days behind a number."""


def visible(text: str) -> str:
    """Return text without what disturbs what stands around it: direction overrides and control characters."""
    return text if text.isprintable() else "".join(filter(_seen, text))


def _seen(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char) not in {"Cc", "Cs", "Co"} and char not in _OVERRIDES)


_OVERRIDES = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def number(value: float) -> str:
    """Return 1204 as "1,204", 1.24 as "1.2", -3 with a real minus."""
    text = f"{abs(value):,.0f}" if float(value).is_integer() or abs(value) >= 20 else f"{abs(value):.1f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def signed(value: float, digits: int = 2) -> str:
    """Return a number that always shows its sign, 0 apart: "+4.2", "−0.71"."""
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def mood(value: float | None) -> str:
    """Return a mood from −1 to 1, or a dash where none was measured."""
    return "–" if value is None else signed(value)


def percent(part: float, whole: float) -> str:
    """Return a share as "61 %"; under one per cent but not none is "<1 %"."""
    share = 100 * part / whole if whole else 0.0
    return f"<1{THIN}%" if 0 < share < 0.5 else f"{share:.0f}{THIN}%"


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 post", "2 posts"; in Chinese and Indonesian, which have no plural, "2 条帖子", "2 kiriman"."""
    if spoken() != "en":
        return f"{number(count)} {counted(one)}"
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """Return text that begins a sentence."""
    return text[:1].upper() + text[1:]


def spelled(count: int) -> str:
    """Return a small number as a word that begins a sentence."""
    return SPELLED[count] if 0 <= count < len(SPELLED) else number(count)


def listed(items: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return tr(" and ").join(filter(None, (tr(", ").join(items[:-1]), items[-1]))) if items else ""


def span(length: timedelta) -> str:
    """Return a length of time as people say it: "40 min", "9 h", "1 d 4 h", "12 d"."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    minute, hour, day = (f"{THIN}{unit}" for unit in UNITS[spoken()])
    if minutes < 60:
        return f"{minutes}{minute}"
    if days == 0:
        return f"{hours}{hour}"
    return f"{days}{day} {hours}{hour}" if days < 3 and hours else f"{days}{day}"


def zone_name(zone: str, at: datetime) -> str:
    """Return the letters of a time zone, or its offset where it has none."""
    name = at.astimezone(ZoneInfo(zone)).strftime("%Z")
    return ZONE_NAMES.get(zone) or (f"UTC{name}" if name[:1] in "+-" else name)


def moment(at: datetime, zone: str) -> str:
    """Return "Sat 22 Nov, 08:40 SGT"."""
    return f"{weekday(at, zone)}, {clock(at, zone)} {zone_name(zone, at)}"


def weekday(at: datetime, zone: str) -> str:
    """Return "Sat 22 Nov"."""
    local = at.astimezone(ZoneInfo(zone))
    if spoken() != "en":
        return _dated(local, "MMMEd")
    return f"{local:%a} {local.day} {local:%b}"


def day(at: datetime) -> str:
    """Return "22 Nov" of a day in UTC, as charts have it."""
    return _dated(at, "MMMd") if spoken() != "en" else f"{at.day} {at:%b}"


def chart_day(at: datetime) -> str:
    """Return "Sat 22 Nov" of a day in UTC, as charts have it."""
    return _dated(at, "MMMEd") if spoken() != "en" else f"{at:%a} {at.day} {at:%b}"


def value(field: str, name: str) -> str:
    """Return the value of a field of documents as people read it: feelings, targets, kinds and risks have names."""
    if field in {"risk", "target", "sentiment", "kind"}:
        return risk(name)
    return name or tr("none")


def date(at: datetime, zone: str) -> str:
    """Return "22 Nov 2026"."""
    local = at.astimezone(ZoneInfo(zone))
    if spoken() != "en":
        return _dated(local, "yMMMd")
    return f"{local.day} {local:%b %Y}"


def local_day(at: datetime, zone: str) -> str:
    """Return "2026-11-22", as names of files and editions have it."""
    return at.astimezone(ZoneInfo(zone)).date().isoformat()


def _dated(local: datetime, skeleton: str) -> str:
    """Return a date as the language that is spoken writes it (Unicode CLDR)."""
    from babel.dates import format_skeleton

    return str(format_skeleton(skeleton, local, locale=spoken()))


def clock(at: datetime, zone: str) -> str:
    """Return "08:40"."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def stamp(at: datetime, zone: str) -> str:
    """Return "22 Nov 2026, 08:40"."""
    return f"{date(at, zone)}{' ' if spoken() == 'zh' else ', '}{clock(at, zone)}"


def since(begin: datetime, now: datetime, zone: str) -> str:
    """Return "since 08:00", "since yesterday 08:00", or "since 20 Nov, 08:00"."""
    days = (now.astimezone(ZoneInfo(zone)).date() - begin.astimezone(ZoneInfo(zone)).date()).days
    if days == 0:
        return tr("since {time}").format(time=clock(begin, zone))
    day = tr("yesterday") if days == 1 else f"{weekday(begin, zone)},"
    return tr("since {day} {time}").format(day=day, time=clock(begin, zone))


def risk(risk_id: str) -> str:
    """Return a taxonomy id as a few words."""
    return tr(RISKS.get(risk_id) or risk_id.replace("_", " "))


def theme(theme: Theme) -> str:
    """Return a theme's title in the language that is spoken, where it has one; else in English, else in its own."""
    return theme.titles.get(spoken()) or theme.titles.get("en") or theme.label or tr("Unnamed theme")


def market(code: str) -> str:
    """Return a market's name, or its code where we know none."""
    return tr(MARKETS.get(code, code))


def shortened(text: str, length: int) -> str:
    """Return text on one line, cut at a word where there are words, with an ellipsis if it was cut."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    head = line[: length - 1]
    space = head.rfind(" ")
    return f"{head[:space] if space > length // 2 else head}…"
