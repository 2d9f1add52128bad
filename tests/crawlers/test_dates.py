"""Stated dates: read to the last letter or not called exact; the best of several; the first sighting stays."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from groundswell.configs.source import FeedSource
from groundswell.crawlers.dates import DateLocale, Statement, When, choose_date, read_date
from groundswell.crawlers.intake import changed
from groundswell.index.records import Mention
from tests.crawlers.date_layouts import layouts

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIRST, LAST = datetime(1996, 1, 1), datetime(2026, 11, 29)  # noqa: DTZ001  clocks, their zones come beside them
SINGAPORE = DateLocale(market="SG")


def locale_of(context: str) -> DateLocale:
    """Return what a line of the table says of its source."""
    name, _, value = context.partition(":")
    given: dict[str, Any] = {"tz": {"timezone": value}, "lang": {"lang": value}}.get(name, {"market": context})
    return DateLocale(**given)


def shown(when: When, meaning: str) -> str:
    """Return a date as the table writes it."""
    if when.at is None:
        return "none"
    if when.confidence == "day":
        return when.at.date().isoformat()
    stated = meaning.lstrip("~")
    at = when.at.isoformat() if "T" in stated else when.at.date().isoformat()
    same = "T" in stated and datetime.fromisoformat(stated) == when.at
    return ("~" if when.confidence == "inferred" else "") + (stated if same else at)


@pytest.mark.parametrize(("text", "context", "meaning"), layouts())
def test_a_layout_means_what_its_writer_meant(text: str, context: str, meaning: str) -> None:
    """Every spelling in the table of feeds, sitemaps, pages and exports of the region."""
    assert shown(read_date(text, now=NOW, locale=locale_of(context)), meaning) == meaning


def test_the_table_is_long_and_each_of_its_lines_says_something_of_its_own() -> None:
    """At least two hundred layouts, none twice."""
    lines = Counter((text, context) for text, context, _ in layouts())
    assert len(lines) >= 201
    assert [line for line, count in lines.items() if count > 1] == []


@pytest.mark.parametrize(
    "text", [text for text, context, meaning in layouts() if "T" in meaning and "~" not in meaning]
)
def test_a_word_that_nobody_knows_makes_any_date_less_than_exact(text: str) -> None:
    """What is not understood might be the zone, or a change of the hour."""
    for strange in (f"{text} qwx", f"qwx {text}", f"{text} 77"):
        assert read_date(strange, now=NOW, locale=SINGAPORE).confidence != "exact"


@given(some.one_of(some.text(max_size=60), some.integers(), some.floats(), some.datetimes(), some.dates()))
def test_no_stamp_breaks_the_reader(stamp: Any) -> None:
    """Whatever a page calls a date, the answer is an aware time in the past or none, with a reason."""
    when = read_date(stamp, now=NOW, locale=SINGAPORE)
    assert (when.at is None) == (when.confidence == "none")
    assert when.at is None or (when.at.tzinfo is UTC and when.at <= NOW + timedelta(days=1))
    assert when.at is not None or when.why


@given(some.datetimes(min_value=FIRST, max_value=LAST), some.integers(-12, 14))
def test_a_moment_survives_every_spelling(at: datetime, hours: int) -> None:
    """Twelve spellings of one moment are one moment."""
    at = at.replace(microsecond=0)
    zone, sign = f"{abs(hours):02}", "-" if hours < 0 else "+"
    moment = (at - timedelta(hours=hours)).replace(tzinfo=UTC)
    buddhist = f"{at:%d/%m/}{at.year + 543} {at:%H:%M:%S}"
    for text in (
        f"{at.isoformat()}{sign}{zone}:00",
        f"{at:%Y-%m-%d %H:%M:%S} {sign}{zone}00",
        f"{at:%a, %d %b %Y %H:%M:%S} {sign}{zone}00",
        f"{at:%a %b %d %H:%M:%S} {sign}{zone}00 {at:%Y}",
        f"{at:%a %b %d %Y %H:%M:%S} GMT{sign}{zone}00",
        f"{at:%d %B %Y, %I:%M:%S %p} (UTC{sign}{abs(hours)})",
        f"{at:%B %d, %Y %I:%M:%S%p} GMT{sign}{zone}:00",
        f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S} GMT{sign}{abs(hours)}",
        f"{at:%H:%M:%S}, {at.day} tháng {at.month}, {at.year} (GMT{sign}{abs(hours)})",
        f"{buddhist} UTC{sign}{abs(hours)}",
        f"{at:%Y%m%dT%H%M%S}{sign}{zone}00",
        str(int(moment.timestamp())),
    ):
        when = read_date(text, now=NOW, locale=DateLocale(market="TH"))
        assert (text, when.at, when.confidence) == (text, moment, "exact")


def test_a_declared_format_is_obeyed_and_gives_the_order_to_what_has_another_form() -> None:
    """`date_format` decides 03/04; a value that has a time as well is still read in its order."""
    assert read_date("03/04/2026", now=NOW, pattern="%m/%d/%Y").day == date(2026, 3, 4)
    assert read_date("03/04/2026 10:00", now=NOW, pattern="%d/%m/%Y").day == date(2026, 4, 3)
    assert read_date("03/04/2569", now=NOW, pattern="%d/%m/%Y").day == date(2026, 4, 3)
    assert read_date("03.04.2026 10.30", now=NOW, pattern="%d.%m.%Y %H.%M", locale=SINGAPORE).at == datetime(
        2026, 4, 3, 2, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("statements", "at", "confidence"),
    [
        ([Statement("0000-00-00"), Statement("2026-11-29T02:00:00Z", what="updated")], "2026-11-29T02:00Z", "exact"),
        ([Statement("2026-11-29"), Statement("2026-11-29T10:30:00+08:00", "page")], "2026-11-29T02:30Z", "exact"),
        ([Statement("2026-11-28"), Statement("2026-11-29T10:30:00+08:00", "page")], "2026-11-28T00:00Z", "day"),
        ([Statement("2026-11-29"), Statement("2026-11-29T10:30:00Z", "page", "updated")], "2026-11-29T00:00Z", "day"),
        (
            [Statement("2026-11-29T02:00:00"), Statement("2026-11-29T10:00:00+08:00", "page")],
            "2026-11-29T02:00Z",
            "exact",
        ),
        ([Statement("2026-11-29T00:00:00Z"), Statement("2026-11-29T02:30:00Z", "page")], "2026-11-29T02:30Z", "exact"),
        (
            [Statement("2026-11-29T10:30:00Z", "page"), Statement("29 Nov 2026 10:30 WIB", "page")],
            "2026-11-29T03:30Z",
            "exact",
        ),
        (
            [Statement("2020-01-01", "page", "guess"), Statement("Sun, 29 Nov 2026 02:00:00 GMT")],
            "2026-11-29T02:00Z",
            "exact",
        ),
        (
            [Statement("2026-11-20", what="guess"), Statement("2026-11-18T08:00+08:00", "page")],
            "2026-11-18T00:00Z",
            "exact",
        ),
        ([Statement("2026-11-20T08:00:00Z", what="guess")], "2026-11-20T08:00Z", "inferred"),
        ([Statement("soon"), Statement("2020-01-01", "page", "guess")], "2020-01-01T00:00Z", "inferred"),
    ],
)
def test_the_most_complete_statement_of_the_day_wins(statements: list[Statement], at: str, confidence: str) -> None:
    """The list names the day; minute and zone come from whoever states them; touches and guesses come last."""
    when, _ = choose_date(statements, now=NOW, locale=DateLocale(market="MY"))
    assert (when.at, when.confidence) == (datetime.fromisoformat(at), confidence)


def test_nothing_usable_names_what_was_stated_first() -> None:
    """So that a person sees what the source really wrote."""
    when, stated = choose_date([Statement("02/11/2026"), Statement("soon", "page")], now=NOW, locale=DateLocale())
    assert (when.at, stated) == (None, "02/11/2026")
    assert "2026-11-02 or 2026-02-11" in when.why


def mention(at: str | None, confidence: Any = "exact", *, fetched: datetime = NOW, **more: Any) -> Mention:
    """Return a mention of a date."""
    moment = datetime.fromisoformat(at) if at else None
    return Mention(
        id="m", source="s", kind="news", text=more.pop("text", "Text"), fetched_at=fetched, published_at=moment,
        date_confidence=confidence if at else "none", **more,
    )  # fmt: skip


def test_the_first_stated_date_stays_and_later_ones_are_history() -> None:
    """A feed that restamps moves nothing, and after some visits writes nothing either."""
    known = mention("2026-11-29T02:00Z")
    for hour in range(3, 12):
        later = mention(f"2026-11-29T{hour:02}:00Z", fetched=NOW + timedelta(hours=hour))
        known = changed(later, known) or known
        assert known.published_at == datetime(2026, 11, 29, 2, tzinfo=UTC)
    assert known.extra["later_dates"].split() == [f"2026-11-29T{hour:02}:00:00+00:00" for hour in (3, 4, 5)]
    edited = changed(mention("2026-11-30T11:00Z", text="Edited"), known)
    assert edited is not None
    assert (edited.text, edited.published_at) == ("Edited", known.published_at)


def test_a_day_or_a_guess_may_become_more_exact_but_not_later_than_it_was_seen() -> None:
    """The hour within the stated day, the statement behind the guess; never a moment after the first sighting."""
    finer = changed(mention("2026-11-29T02:30Z"), mention("2026-11-29T00:00Z", "day"))
    assert finer is not None
    assert (finer.published_at, finer.date_confidence) == (datetime(2026, 11, 29, 2, 30, tzinfo=UTC), "exact")
    stated = changed(mention("2026-11-20T02:30Z"), mention("2026-11-28T00:00Z", "inferred"))
    assert stated is not None
    assert stated.date_confidence == "exact"
    other = changed(mention("2026-11-25T02:30Z"), mention("2026-11-29T00:00Z", "day"))
    assert other is not None
    assert (other.published_at, other.date_confidence) == (datetime(2026, 11, 29, tzinfo=UTC), "day")
    restamped = changed(mention("2026-12-04T02:30Z", fetched=NOW + timedelta(days=4)), mention(None))
    assert restamped is not None
    assert (restamped.published_at, restamped.date_confidence) == (NOW, "inferred")


def test_every_format_takes_a_time_zone_and_refuses_one_that_is_none() -> None:
    """The setting is every source's."""
    given = {"name": "s", "format": "feed", "kind": "news", "urls": ["https://x.example/"]}
    assert FeedSource.model_validate(given | {"timezone": "Asia/Jakarta"}).timezone == "Asia/Jakarta"
    with pytest.raises(ValueError, match="did you mean"):
        FeedSource.model_validate(given | {"timezone": "Asia/Jakart"})
