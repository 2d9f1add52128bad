"""The grammar of stated dates. Every token of a date has its part in it, or the date is not understood.

A row of tokens is matched as the string of their kinds (`groundswell.crawlers.dates.words.KINDS`). First the time of
day with its zone is taken out, then what is left must be a day.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, tzinfo

from groundswell.crawlers.dates.locale import DateLocale, Order
from groundswell.crawlers.dates.tokens import Token
from groundswell.crawlers.dates.words import DAY_FIRST
from groundswell.crawlers.dates.zones import named_zones, offset

FARTHEST = 14 * 60
"""Minutes: no clock on Earth is further from Greenwich."""
FIRST_YEAR = 1995
STRANGE = "UZAKCTHIS()[]|@'"
"""Kinds of tokens that may stand around a day without telling of another one."""
MOST_STRANGERS = 6
"""Unknown words among which a day may still be believed."""
UNKNOWN_ZONE = "its time zone is not known"
CONTRADICTION = "it states two time zones that contradict each other"
IN_A_DAY = r"(?![-/.][dM]|[MGNDYO])"
"""Not before what makes a number a day: in 10h 29/11/2026 the 29 is no minute."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day: seconds since midnight, microseconds."""

    seconds: int
    micro: int = 0


@dataclass(frozen=True, slots=True)
class Stated:
    """What a text says, part by part; `doubt` tells why the time must not be believed."""

    day: date | None = None
    clock: Clock | None = None
    zone: tzinfo | None = None
    doubt: str = ""
    why: str = ""
    """Why there is no day."""
    yearless: bool = False


TIMES = [
    re.compile(pattern)
    for pattern in (
        r"T?C?(?P<a>A)?(?<!d:)(?<!\+)(?<!y-d-d-)(?P<h>d):(?P<m>d)(?::(?P<s>d)(?P<f>f)?)?(?![:'])(?:F?(?P<b>A))?H?K?",
        rf"T?C?(?P<a>A)?(?P<h>d)H(?::?(?P<m>d){IN_A_DAY}I?(?:(?P<s>d){IN_A_DAY}S)?)?(?P<b>A)?K?",
        r"C(?P<a>A)?(?P<h>d)\.(?P<m>d)(?:\.(?P<s>d))?(?P<b>A)?K?",
        r"(?<![-/.])(?P<a>A)?(?P<h>d)\.(?P<m>d)(?:\.(?P<s>d)(?:\.[t6n])?)?(?P<b>A)?(?:K|(?<=A)|(?=[(\[]?Z))",
        r"(?P<a>A)(?P<h>d)\.(?P<m>d)(?![.d])",
        r"C?(?P<h>d)F?(?P<b>A)",
        r"C(?P<h>d)(?P<b>A)?(?=$|[,(\[ZWU])",
        r"(?<=[d8])T(?P<x>[6yd])(?P<f2>[.,][dty6n])?",
        r"(?<=8)(?P<x>6)",
        r"(?P<x>y)K",
    )
]
"""A time of day, the surest spelling first: 10:30, 10h30, pukul 10.30, 10.30 WIB, 8pm, T1030."""
DAYS = [
    re.compile(pattern)
    for pattern in (
        r"(?P<y>y)(?P<p>[-/.,])?(?P<m>d)(?P=p)?(?P<d>d)",
        r"(?P<y>y)[-/.](?P<m>t)[-/.](?P<d>d)",
        r"(?P<i>d)[-/.,]?(?P<j>d)[-/.,]?R?(?P<y>y)",
        r"(?P<i>d)[-/.](?P<j>d)[-/.]'?(?P<k>d)",
        r"(?P<d>d)\.?O?[-/.,]*(?P<M>M)[-/.,]*(?P<y>y)",
        r"(?P<d>d)\.?O?[-/.,]*(?P<M>M)[-/.,]*'?(?P<w>d)",
        r"(?P<M>M)[-/.,]*(?P<d>d)O?[-/.,]*(?P<y>y)",
        r"(?P<M>M)[-/.,]*(?P<d>d)O?[-/.,]*'?(?P<w>d)",
        r"(?P<y>y)[-/.,]*(?P<M>M)[-/.,]*(?P<d>d)",
        r"(?P<y>y)[-/.,]*(?P<d>d)[-/.,]*(?P<M>M)",
        r"(?P<y>y)Y[.,]?(?P<m>d)N[.,]?(?P<d>d)D?",
        r"J?(?P<w>[dt])Y(?P<m>d)N(?P<d>d)D?",
        r"J?(?P<w>t)[-/.](?P<m>d)[-/.](?P<d>d)",
        r"J(?P<w>d)[-/.](?P<m>d)[-/.](?P<d>d)",
        r"(?P<d>d)[-/.,]?O?[GO](?P<m>d)[-/.,]*R?(?P<y>y)",
        r"G(?P<m>d)[-/.,]*(?P<d>d)[-/.,]*R?(?P<y>y)",
        r"(?P<n>8)",
        r"(?P<y>y)-(?P<q>t)",
        r"(?P<d>d)O?[-/.,]*(?P<M>M)",
        r"(?P<M>M)[-/.,]*(?P<d>d)O?",
        r"(?P<m>d)N(?P<d>d)D?",
        r"(?P<d>d)G(?P<m>d)",
        r"(?P<i>d)[-/](?P<j>d)",
    )
]
"""A day: numbers with or without a month in words. Letters of groups: y year, w year of two or three digits, m month,
M month in words, d day, i j k numbers whose order is open, n all eight digits, q the day of the year."""


@dataclass(slots=True)
class Row:
    """Tokens, and which of them have found their part."""

    tokens: list[Token]
    locale: DateLocale
    today: date
    taken: set[int] = field(default_factory=set)

    @property
    def kinds(self) -> str:
        """Return the kinds of all tokens; ``~`` where one is taken."""
        return "".join("~" if k in self.taken else token.kind for k, token in enumerate(self.tokens))

    def take(self, start: int, end: int) -> None:
        """Note that these tokens have found their part."""
        self.taken.update(range(start, end))

    def number(self, found: re.Match[str], name: str) -> int | None:
        """Return the number that a group of a match over `kinds` stands for."""
        place = found.start(name) if found.re.groupindex.get(name) else -1
        value = self.tokens[place].value if place >= 0 else None
        return value if isinstance(value, int) else None


def understand(tokens: Sequence[Token], locale: DateLocale, *, today: date) -> Stated:
    """Return what a row of tokens says."""
    row = Row(list(tokens), locale, today)
    clock, zone, doubt = _time(row)
    stated = _day(row)
    return replace(stated, clock=clock or stated.clock, zone=zone, doubt=doubt or stated.doubt)


def _time(row: Row) -> tuple[Clock | None, tzinfo | None, str]:
    """Take the time of day and its zone out of a row."""
    clock, doubt = None, ""
    for pattern in TIMES:
        if found := pattern.search(row.kinds):
            clock = _clock(row, found)
            doubt = "" if clock else "its time of day is not understood"
            row.take(found.start(), found.end())
            zone, trouble = _zone_after(row, found.end())
            return clock, zone, doubt or trouble
    zone, trouble = _zone_anywhere(row)
    return clock, zone, trouble


def _clock(row: Row, found: re.Match[str]) -> Clock | None:
    if "x" in found.re.groupindex and (digits := row.tokens[found.start("x")].text):
        parts = [int(digits[k : k + 2]) for k in range(0, len(digits), 2)]
        hour, minute, second = (*parts, 0, 0)[:3]
        micro = f"{row.tokens[found.end() - 1].text}" if found.re.groupindex.get("f2") and found["f2"] else ""
    else:
        hour, minute, second = (row.number(found, name) or 0 for name in ("h", "m", "s"))
        fraction = found.start("f") if found.re.groupindex.get("f") else -1
        micro = str(row.tokens[fraction].value) if fraction >= 0 else ""
    signs = [
        row.tokens[found.start(name)].value for name in ("a", "b") if found.re.groupindex.get(name) and found[name]
    ]
    for sign in signs:
        meant = {hour, hour + 12} | ({0} if hour == 12 else set())
        fitting = [h for h in meant if isinstance(sign, tuple) and sign[0] <= h < sign[1]]
        fitting = [hour] if hour in fitting and hour > 12 else fitting
        if len(fitting) != 1:
            return None
        hour = fitting[0]
    return _valid_clock(hour, minute, second, micro)


def _valid_clock(hour: int, minute: int, second: int, fraction: str) -> Clock | None:
    leap, midnight = second == 60 and minute == 59, (hour, minute, second) == (24, 0, 0)
    if not ((hour < 24 or midnight) and minute < 60 and (second < 60 or leap)):
        return None
    return Clock(hour * 3600 + minute * 60 + second, int(fraction[:6].ljust(6, "0")) if fraction else 0)


def _zone_after(row: Row, place: int) -> tuple[tzinfo | None, str]:
    """Take the zone that follows a time, else one that stands anywhere else."""
    start = place
    while place < len(row.tokens) and row.tokens[place].kind in "([,":
        place += 1
    zone, end, trouble = _zone_at(row, place)
    if end == place:
        return _zone_anywhere(row)
    row.take(start, end)
    return zone, trouble


def _zone_anywhere(row: Row) -> tuple[tzinfo | None, str]:
    for place, token in enumerate(row.tokens):
        if token.kind == "Z" and place not in row.taken:
            zone, end, trouble = _zone_at(row, place)
            row.take(place, end)
            return zone, trouble
    return None, ""


def _zone_at(row: Row, place: int) -> tuple[tzinfo | None, int, str]:
    """Return the zone that begins at a place, where it ends (the place itself: there is none), and what is wrong.

    ``GMT+7`` is EAST of Greenwich for whoever writes it, though POSIX has it the other way round. A name beside an
    offset, or in brackets after it, must not contradict it.
    """
    zone, end, trouble = _simple_zone(row, place)
    if end == place:
        return None, place, ""
    end, agrees = _comment(row, end, [zone] if zone else [])
    return (zone, end, trouble) if agrees else (None, end, CONTRADICTION)


def _simple_zone(row: Row, place: int) -> tuple[tzinfo | None, int, str]:
    """Return the zone that a name, an offset, or both together state."""
    named = _kind(row.tokens, place) == "Z"
    name = str(row.tokens[place].value) if named else ""
    names = named_zones(name, row.locale.market) if named else []
    minutes, end = _offset(row.tokens, place + named)
    if minutes is None:
        return (names[0], end, "") if len(names) == 1 else (None, end, UNKNOWN_ZONE if named else "")
    zone = offset(minutes / 60)
    if name.startswith("etc/"):  # Etc/GMT+7 is west of Greenwich, unlike GMT+7
        return None, end, UNKNOWN_ZONE
    greenwich = not names or all(each.utcoffset(None) == timedelta(0) for each in names)
    return (zone, end, "") if greenwich or _agree(zone, names) else (None, end, CONTRADICTION)


def _kind(tokens: Sequence[Token], place: int) -> str:
    return tokens[place].kind if place < len(tokens) else ""


def _offset(tokens: Sequence[Token], place: int) -> tuple[int | None, int]:
    """Return the minutes east of Greenwich that a signed number says, and where it ends."""
    if _kind(tokens, place) not in {"+", "-"} or place + 1 >= len(tokens) or tokens[place + 1].gap:
        return None, place
    sign, number, end = -1 if tokens[place].kind == "-" else 1, tokens[place + 1], place + 2
    if number.kind == "d" and _kind(tokens, end) == ":" and _kind(tokens, end + 1) == "d":
        hours, minutes, end = int(number.text), int(tokens[end + 1].text), end + 2
    elif number.kind in {"y", "t"}:
        hours, minutes = divmod(int(number.text), 100)
    elif number.kind == "d":
        hours, minutes = int(number.text), 0
    else:
        return None, place
    in_a_day = sign < 0 and number.kind == "d" and _kind(tokens, end) in {"/", "-", ".", "M", "G", "N"}
    if in_a_day or minutes > 59 or hours * 60 + minutes > FARTHEST:
        return None, place
    return sign * (hours * 60 + minutes), end


def _comment(row: Row, place: int, zones: Sequence[tzinfo]) -> tuple[int, bool]:
    """Return where a zone's closing bracket, second name and comment end, and whether they agree with the zone."""
    place = _closed(row, place)
    zone, end, _ = (None, place, "") if _kind(row.tokens, place) in "([" else _simple_zone(row, place)
    agrees = _agree_all(zones, [zone] if zone else [])
    if _kind(row.tokens, end) in {"(", "["}:
        close = next((k for k in range(end, len(row.tokens)) if row.tokens[k].kind in {")", "]"}), end)
        inner, after, _ = _simple_zone(row, end + 1)
        if after == close and inner:
            agrees, end = agrees and _agree_all(zones, [inner]), close
        elif all(token.kind in "UZFWD.,-" for token in row.tokens[end + 1 : close]):
            end = close
    return _closed(row, end), agrees


def _closed(row: Row, place: int) -> int:
    while _kind(row.tokens, place) in {")", "]"}:
        place += 1
    return place


def _agree_all(zones: Sequence[tzinfo], named: Sequence[tzinfo]) -> bool:
    return not zones or not named or any(_agree(zone, named) for zone in zones)


def _agree(zone: tzinfo, named: Sequence[tzinfo]) -> bool:
    """Return whether an offset is one of those that a name may mean; a zone with seasons is given the benefit."""
    mine = zone.utcoffset(None)
    return mine is None or any(each.utcoffset(None) in {None, mine} for each in named)


def _day(row: Row) -> Stated:
    """Return the day that is left after the time; with unknown words around it, the day but nothing more."""
    order = _hinted(row)
    weekdays = {token.value for token in row.tokens if token.kind == "W"}
    kinds, places = _rest(row, "WFE")
    for pattern in DAYS:
        if found := pattern.fullmatch(kinds):
            return _stated(row, found, places, order, weekdays)
    if found := DOTTED_REST.fullmatch(kinds):
        return _dotted(row, found, places, order, weekdays)
    return _among_strangers(row, order, weekdays)


DOTTED_REST = re.compile(r"(?P<day>[^~]*[yd])[,~]*(?P<h>d)\.(?P<m>d)(?:\.(?P<s>d))?")


def _dotted(row: Row, found: re.Match[str], places: list[int], order: Order, weekdays: set[object]) -> Stated:
    """Return a day with a time in dots behind it (``29 Nov 2026 10.30``): nothing else can stand there."""
    inner = next((match for pattern in DAYS if (match := pattern.fullmatch(found["day"]))), None)
    hour, minute, second = (int(row.tokens[places[found.start(n)]].text) if found[n] else 0 for n in ("h", "m", "s"))
    clock = _valid_clock(hour, minute, second, "")
    if inner is None or clock is None:
        return Stated(why="not a date")
    return replace(_stated(row, inner, places, order, weekdays), clock=clock)


def _among_strangers(row: Row, order: Order, weekdays: set[object]) -> Stated:
    kinds, places = _rest(row, "WFE" + STRANGE)
    begin = re.match(r"[^\w~]*", kinds)
    kinds, places = kinds[begin.end() if begin else 0 :], places[begin.end() if begin else 0 :]
    unknown = [
        t.text for k, t in enumerate(row.tokens) if t.kind in STRANGE and t.text.isalpha() and k not in row.taken
    ]
    for pattern in DAYS:
        if (found := pattern.fullmatch(kinds)) and len(unknown) <= MOST_STRANGERS:
            stated = _stated(row, found, places, order, weekdays)
            doubt = f"not all of it is understood: {', '.join(unknown)[:60]}"
            return Stated(why="not a date") if stated.yearless else replace(stated, doubt=doubt)
    return Stated(why="not a date")


def _rest(row: Row, ignored: str) -> tuple[str, list[int]]:
    """Return the kinds that are left for the day, and where they stand; punctuation at seams and ends is dropped."""
    places = [k for k, token in enumerate(row.tokens) if token.kind not in ignored or k in row.taken]
    kinds = "".join("~" if k in row.taken else row.tokens[k].kind for k in places)
    keep = [True] * len(kinds)
    for seam in re.finditer(
        r"[-,.;:|/@·•()\[\]~]*(?:~|$)[-,.;:|/@·•()\[\]~]*|^[,.;:|@·•()\[\]~]+|[|·•;@()\[\]]+|(?<=[yd]),(?=,)", kinds
    ):
        keep[seam.start() : seam.end()] = [False] * (seam.end() - seam.start())
    return (
        "".join(kind for kind, is_left in zip(kinds, keep, strict=True) if is_left),
        [place for place, is_left in zip(places, keep, strict=True) if is_left],
    )


def _hinted(row: Row) -> Order:
    """Return the order of day and month: the source's own, else what the words around give away."""
    if usual := row.locale.usual_order:
        return usual
    return "dmy" if any(token.lang in DAY_FIRST for token in row.tokens if token.lang) else ""


def _stated(row: Row, found: re.Match[str], places: list[int], order: Order, weekdays: set[object]) -> Stated:
    value = {name: row.tokens[places[found.start(name)]] for name in found.re.groupindex if found[name]}
    number = {name: token.value for name, token in value.items() if isinstance(token.value, int)}
    number |= {name: int(token.text) for name, token in value.items() if token.text.isdigit()}
    era = next((t.value for t in row.tokens if t.kind in {"E", "J"} and isinstance(t.value, int)), None)
    if not {"y", "w", "k", "n"} & number.keys():
        return _without_year(row, _in_order(row, number, order) if "i" in number else number)
    days = list(dict.fromkeys(_readings(row, number, order, era)))
    if len(days) > 1 and weekdays:
        days = [day for day in days if day.weekday() in weekdays] or days
    if len(days) == 1:
        return Stated(days[0])
    if not days:
        return Stated(why="there is no such day")
    shown = " or ".join(day.isoformat() for day in days[:2])
    return Stated(why=f"may be {shown}; set market, lang or date_format")


def _in_order(row: Row, number: dict[str, int], order: Order) -> dict[str, int]:
    """Return which of two numbers is the month, where a clock beside them makes them a date (4/5 is a mark)."""
    first = {"dmy": "d", "mdy": "m", "ymd": "m"}.get(order)
    if first is None or not row.taken:
        return {}
    return {first: number["i"], "m" if first == "d" else "d": number["j"]}


def _without_year(row: Row, number: dict[str, int]) -> Stated:
    """Return the day of this year or last; whoever leaves the year away means the latest such day."""
    month = number.get("m") or number.get("M") or 0
    days = [_date(row.today.year + k, month, number.get("d", 0)) for k in (1, 0, -1)]
    latest = next((day for day in days if day and day <= row.today), None)
    return Stated(latest, yearless=True) if latest else Stated(why="there is no such day")


def _readings(row: Row, number: dict[str, int], order: Order, era: int | None) -> Iterator[date]:
    """Yield every day that the numbers may mean in an order that is possible."""
    if "n" in number:
        text = f"{number['n']:08}"
        yield from _dates(row, int(text[:4]), int(text[4:6]), int(text[6:]), era, wide=True)
    elif "q" in number:
        if 1 <= number["q"] <= (366 if monthrange(number["y"], 2)[1] == 29 else 365):
            yield date(number["y"], 1, 1) + timedelta(days=number["q"] - 1)
    elif "i" in number and "y" in number:
        for one, other in _pairs(order):
            yield from _dates(row, number["y"], number[other], number[one], era, wide=True)
    elif "i" in number:
        for names in _triples(order):
            year, month, day = (number[name] for name in names)
            yield from _dates(row, year, month, day, era, wide=False)
    else:
        wide = "y" in number
        year, month = number["y" if wide else "w"], number.get("m") or number.get("M") or 0
        yield from _dates(row, year, month, number["d"], era, wide=wide)


def _pairs(order: Order) -> list[tuple[str, str]]:
    """Return which of two numbers before a year are day and month."""
    return {"dmy": [("i", "j")], "mdy": [("j", "i")]}.get(order, [("i", "j"), ("j", "i")])


def _triples(order: Order) -> list[tuple[str, str, str]]:
    """Return which of three short numbers are year, month and day."""
    orders = {"dmy": ("k", "j", "i"), "mdy": ("k", "i", "j"), "ymd": ("i", "j", "k")}
    return [orders[order]] if order in orders else list(orders.values())


def _dates(row: Row, year: int, month: int, day: int, era: int | None, *, wide: bool) -> Iterator[date]:
    """Yield the days of a year as it is written: with its era, of the Buddhist one, of two digits, of Taiwan's."""
    for real in _years(row, year, era, wide=wide):
        if found := _date(real, month, day):
            yield found


def _years(row: Row, year: int, era: int | None, *, wide: bool) -> list[int]:
    locale, latest = row.locale, row.today.year + 1
    if era is not None:
        if not wide and era < 0:
            year += 2500
        return [year + era]
    if wide:
        buddhist = FIRST_YEAR <= year - 543 <= latest and (locale.is_buddhist or not locale.market)
        return [year - 543 if buddhist else year]
    meant = [1900 + year, 2000 + year] if year < 100 else []
    if locale.is_buddhist or any(token.lang == "th" for token in row.tokens):
        meant.append(1957 + year)  # 69 is 2569, which is 2026
    if locale.market == "TW" or (year >= 100 and locale.lang.startswith("zh")) or "Y" in row.kinds:
        meant.append(1911 + year)  # 115 is the 115th year of the Republic
    return [each for each in dict.fromkeys(meant) if FIRST_YEAR <= each <= latest] or meant[-1:]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
