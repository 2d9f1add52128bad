"""Time zones as people write them: abbreviations, names, and what a market's clocks show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

MARKET_ZONES: Mapping[str, str] = {
    "SG": "Asia/Singapore", "MY": "Asia/Kuala_Lumpur", "TH": "Asia/Bangkok", "VN": "Asia/Ho_Chi_Minh",
    "PH": "Asia/Manila", "HK": "Asia/Hong_Kong", "MO": "Asia/Macau", "TW": "Asia/Taipei", "CN": "Asia/Shanghai",
    "JP": "Asia/Tokyo", "KR": "Asia/Seoul", "NZ": "Pacific/Auckland", "BN": "Asia/Brunei", "KH": "Asia/Phnom_Penh",
    "LA": "Asia/Vientiane", "MM": "Asia/Yangon", "TL": "Asia/Dili", "IN": "Asia/Kolkata", "LK": "Asia/Colombo",
    "BD": "Asia/Dhaka", "NP": "Asia/Kathmandu", "PK": "Asia/Karachi", "AE": "Asia/Dubai", "SA": "Asia/Riyadh",
    "IL": "Asia/Jerusalem", "TR": "Europe/Istanbul", "GB": "Europe/London", "IE": "Europe/Dublin",
    "FR": "Europe/Paris", "DE": "Europe/Berlin", "IT": "Europe/Rome", "NL": "Europe/Amsterdam", "CH": "Europe/Zurich",
    "SE": "Europe/Stockholm", "PL": "Europe/Warsaw", "ZA": "Africa/Johannesburg",
}  # fmt: skip
"""Markets whose clocks all show the same (Chatham's 600 people and China's unofficial Xinjiang time aside). Those with
several zones (AU, ID, US, CA, BR …) are left out on purpose: there a time without a zone is only a day."""

ABBREVIATIONS: Mapping[str, float | str] = {
    "utc": 0, "gmt": 0, "ut": 0, "z": 0, "wet": 0,
    "sgt": 8, "myt": 8, "wib": 7, "wita": 8, "wit": 9, "ict": 7, "hkt": 8, "pht": 8, "phst": 8,
    "bnt": 8, "mmt": 6.5, "jst": 9, "kst": 9, "tlt": 9, "pgt": 10, "chst": 10, "npt": 5.75, "pkt": 5,
    "aest": 10, "aedt": 11, "acst": 9.5, "acdt": 10.5, "awst": 8, "acwst": 8.75, "lhst": 10.5, "lhdt": 11,
    "aet": "Australia/Sydney", "awt": 8, "nzst": 12, "nzdt": 13, "nzt": "Pacific/Auckland", "chast": 12.75,
    "fjt": 12, "mdt": -6, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "adt": -3,
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2, "eest": 3, "west": 1, "msk": 3, "trt": 3, "sast": 2,
    "eat": 3, "wat": 1, "cat": 2, "brt": -3, "brst": -2, "art": -3, "clt": -4, "cot": -5, "pet": -5,
}  # fmt: skip
"""Hours east of Greenwich, or a zone whose offset changes with the season."""

AMBIGUOUS: Mapping[str, Mapping[str, float]] = {
    "est": {"": -5, "AU": 10},
    "edt": {"": -4, "AU": 11},
    "cst": {"CN": 8, "TW": 8, "HK": 8, "MO": 8, "US": -6, "CA": -6, "MX": -6, "AU": 9.5},
    "cdt": {"": -5, "AU": 10.5},
    "wst": {"AU": 8, "WS": 13},
    "pst": {"": -8, "PH": 8},
    "mst": {"": -7, "MY": 8, "MM": 6.5},
    "ist": {"IN": 5.5, "LK": 5.5, "IL": 2, "IE": 1},
    "bst": {"": 1, "BD": 6},
    "bdt": {"BD": 6, "BN": 8},
    "sst": {"SG": 8, "AS": -11, "US": -11},
    "ast": {"CA": -4, "PR": -4, "SA": 3, "KW": 3, "QA": 3, "BH": 3, "IQ": 3},
    "gst": {"AE": 4, "OM": 4, "GU": 10},
    "nst": {"CA": -3.5, "NP": 5.75},
    "act": {"AU": 9.5},
}
"""Letters that mean several zones: hours by the source's market; under "" what they mean everywhere else (RFC 5322 for
the American ones). Without it they are not understood: China's feeds write CST as often as Chicago's."""

NAMES: Mapping[str, float | str] = {
    "coordinated universal time": 0, "greenwich mean time": 0,
    "singapore time": 8, "singapore standard time": 8, "waktu singapura": 8, "新加坡时间": 8, "新加坡時間": 8,
    "新加坡标准时间": 8, "malaysia time": 8, "malaysian time": 8, "malaysia standard time": 8, "waktu malaysia": 8,
    "马来西亚时间": 8, "kuala lumpur time": 8, "hong kong time": 8, "hong kong standard time": 8, "香港时间": 8,
    "香港時間": 8, "香港標準時間": 8, "china standard time": 8, "china time": 8, "beijing time": 8, "北京时间": 8,
    "北京時間": 8, "中国标准时间": 8, "taipei time": 8, "taipei standard time": 8, "taiwan time": 8, "台北時間": 8,
    "台北標準時間": 8, "台灣時間": 8, "philippine standard time": 8, "philippine time": 8, "manila time": 8,
    "western indonesia time": 7, "waktu indonesia barat": 7, "waktu indonesia tengah": 8, "waktu indonesia timur": 9,
    "jakarta time": 7, "waktu jakarta": 7, "indochina time": 7, "se asia standard time": 7, "bangkok time": 7,
    "thailand time": 7, "thai time": 7, "เวลาประเทศไทย": 7, "ตามเวลาประเทศไทย": 7, "เวลาไทย": 7, "เวลาอินโดจีน": 7,
    "vietnam time": 7, "hanoi time": 7, "giờ việt nam": 7, "giờ vn": 7, "giờ hà nội": 7, "giờ đông dương": 7,
    "japan standard time": 9, "japan time": 9, "tokyo time": 9, "日本時間": 9, "日本標準時": 9,
    "korea standard time": 9, "korean standard time": 9, "korea time": 9, "한국시간": 9, "한국 표준시": 9,
    "indian standard time": 5.5, "india standard time": 5.5,
    "australian eastern standard time": 10, "australian eastern daylight time": 11,
    "australian central standard time": 9.5, "australian central daylight time": 10.5,
    "australian western standard time": 8, "sydney time": "Australia/Sydney", "melbourne time": "Australia/Melbourne",
    "new zealand standard time": 12, "new zealand daylight time": 13, "central european time": 1,
    "central european standard time": 1, "central european summer time": 2, "pacific standard time": -8,
    "pacific daylight time": -7, "eastern daylight time": -4,
}  # fmt: skip
"""Zones written out, as papers and browsers do."""


@lru_cache(maxsize=512)
def offset(hours: float) -> tzinfo:
    """Return a zone so many hours east of Greenwich."""
    return timezone(timedelta(hours=hours)) if hours else UTC


@lru_cache(maxsize=1)
def iana_names() -> Mapping[str, str]:
    """Return the names of the IANA's zones by their lower-case form."""
    return {name.lower(): name for name in available_timezones()}


def market_zone(market: str) -> tzinfo | None:
    """Return the one zone of a market (ISO 3166), or ``None`` where it has several or is not known."""
    name = MARKET_ZONES.get(market)
    return ZoneInfo(name) if name else None


def named_zones(name: str, market: str) -> list[tzinfo]:
    """Return what a zone's name may mean for a market: one zone where it is certain, none where nobody knows it."""
    meanings = AMBIGUOUS.get(name)
    if meanings is not None:
        here = meanings.get(market, meanings.get(""))
        return [offset(hours) for hours in ([here] if here is not None else dict.fromkeys(meanings.values()))]
    if (value := ABBREVIATIONS.get(name, NAMES.get(name))) is not None:
        return [ZoneInfo(value) if isinstance(value, str) else offset(value)]
    full = iana_names().get(name)
    return [ZoneInfo(full)] if full else []


def is_on_the_clock(at: datetime, zone: tzinfo) -> bool:
    """Return whether a wall-clock time exists in a zone, and once only: clocks are turned."""
    early, late = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        return False
    return early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == at


__all__ = [
    "ABBREVIATIONS",
    "AMBIGUOUS",
    "MARKET_ZONES",
    "NAMES",
    "is_on_the_clock",
    "market_zone",
    "named_zones",
    "offset",
]
