"""Numbers and times are said the same way everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groundswell.ui.report import wording

AT = datetime(2026, 11, 22, 0, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "said"), [(1204, "1,204"), (1.24, "1.2"), (-3, "−3"), (0, "0"), (31.0, "31"), (1234567.8, "1,234,568")]
)
def test_numbers_read_like_print(value: float, said: str) -> None:
    """Thousands are grouped, minus is a minus, and a small fraction keeps one digit."""
    assert wording.number(value) == said


def test_a_mood_always_shows_its_sign() -> None:
    """A mood has a sign, and an unmeasured one is a dash rather than a nought."""
    assert [wording.mood(value) for value in (-0.714, 0.5, 0.0, None)] == ["−0.71", "+0.50", "0.00", "–"]


def test_a_share_that_is_not_nothing_is_never_called_nothing() -> None:
    """One in a thousand is under one per cent, not nought."""
    assert wording.percent(1, 1000).startswith("<1")
    assert wording.percent(0, 1000).startswith("0")
    assert wording.percent(1, 0).startswith("0")


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (9 * 60, "9 h"), (28 * 60, "1 d 4 h"), (72 * 60, "3 d"), (-5, "0 min")],
)
def test_an_age_is_as_exact_as_people_need(minutes: int, said: str) -> None:
    """Minutes, then hours, then days with hours, then days."""
    assert wording.span(timedelta(minutes=minutes)).replace("\N{NO-BREAK SPACE}", " ") == said


def test_times_are_local_and_name_their_zone() -> None:
    """The zone database has no letters for Singapore; people have."""
    assert wording.moment(AT, "Asia/Singapore") == "Sun 22 Nov, 08:40 SGT"
    assert wording.moment(AT, "Australia/Sydney").endswith("AEDT")
    assert wording.moment(AT, "Asia/Kathmandu").endswith("UTC+0545")


def test_since_says_yesterday_by_the_reader_s_calendar() -> None:
    """Whether it was yesterday depends on the reader's zone, not on UTC's."""
    assert wording.since(AT - timedelta(minutes=40), AT, "Asia/Singapore") == "since 08:00"
    assert wording.since(AT - timedelta(hours=9), AT, "Asia/Singapore") == "since yesterday 23:40"
    assert wording.since(AT - timedelta(days=3), AT, "Asia/Singapore") == "since Thu 19 Nov, 08:40"


def test_shortening_cuts_between_words_and_chinese_anywhere() -> None:
    """A cut text ends with an ellipsis and is never longer than asked."""
    assert wording.shortened("one two three four", 12) == "one two…"
    assert wording.shortened("广告里的部长劝大家下载炒币软件", 8) == "广告里的部长劝…"
    assert wording.shortened("a\n b\t c", 20) == "a b c"
    assert len(wording.shortened("x" * 500, 50)) == 50
