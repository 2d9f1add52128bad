"""What a source's dates may leave unsaid: its zone, and whether the day or the month comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from groundswell.crawlers.dates.zones import market_zone

Order = Literal["dmy", "mdy", "ymd", "mixed", ""]
"""Which of three numbers is the day, the month, the year; ``mixed``: a column that contradicts itself; empty: nobody
knows."""

MARKET_ORDERS: dict[str, Order] = {
    **dict.fromkeys(("SG", "MY", "ID", "TH", "VN", "AU", "NZ", "HK", "MO", "BN", "KH", "LA", "IN", "LK", "BD"), "dmy"),
    **dict.fromkeys(("PK", "GB", "IE", "FR", "DE", "IT", "ES", "PT", "NL", "BE", "CH", "AT", "TR", "IL", "AE"), "dmy"),
    **dict.fromkeys(("SA", "BR", "MX", "AR", "RU", "PL"), "dmy"),
    **dict.fromkeys(("US", "PH", "PR", "GU"), "mdy"),
    **dict.fromkeys(("CN", "TW", "JP", "KR", "MN"), "ymd"),
}
"""As CLDR's short dates have them. South Africa and Canada write several, so they are left out."""
LANGUAGE_ORDERS: dict[str, Order] = {
    **dict.fromkeys(("id", "ms", "th", "vi", "km", "lo", "hi", "ta", "fr", "de", "es", "pt", "it", "nl", "ru"), "dmy"),
    **dict.fromkeys(("tl", "fil"), "mdy"),
    **dict.fromkeys(("zh", "ja", "ko"), "ymd"),
}
BUDDHIST_MARKETS = frozenset({"TH", "LA", "KH", "MM", "LK"})
BUDDHIST_LANGUAGES = frozenset({"th", "lo", "km", "my"})


@dataclass(frozen=True, slots=True)
class DateLocale:
    """How a source writes dates. All empty: nothing is known, so nothing is filled in.

    Args:
        timezone: IANA name of the zone of times that name none; else the market's, where it has one only.
        market: ISO 3166 code; decides ambiguous zones, the order of day and month, and eras.
        lang: BCP 47 tag; decides the order of day and month where the market does not.
        order: the order that was found out otherwise (from a whole column, from a format), before market and language.
        serials: whether numbers from 30,000 to 60,000 are days of a spreadsheet.
    """

    timezone: str = ""
    market: str = ""
    lang: str = ""
    order: Order = ""
    serials: bool = False

    @property
    def zone(self) -> tzinfo | None:
        """Return the zone of times that name none."""
        return _zone(self.timezone) if self.timezone else market_zone(self.market)

    @property
    def usual_order(self) -> Order:
        """Return the order of three numbers, as far as it is known."""
        parts = self.lang.replace("_", "-").split("-")
        region = next((part.upper() for part in parts[1:] if len(part) == 2), "")
        by_market = MARKET_ORDERS.get(self.market) or MARKET_ORDERS.get(region)
        return self.order or by_market or LANGUAGE_ORDERS.get(parts[0].lower(), "")

    @property
    def is_buddhist(self) -> bool:
        """Return whether its years may be of the Buddhist era."""
        return self.market in BUDDHIST_MARKETS or self.lang[:2] in BUDDHIST_LANGUAGES


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
