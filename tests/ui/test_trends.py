"""Bands show what is usual, and nothing that happened once."""

from __future__ import annotations

import pytest

from groundswell.ui.report.trends import change, count_bands, departure, mood_bands

SEEN = [True] * 60


def test_there_is_no_band_before_there_is_a_past() -> None:
    """Nothing is usual about the first ten days."""
    bands = count_bands([20.0] * 60, SEEN)
    assert bands[:10] == [None] * 10
    assert all(bands[10:])


def test_a_spike_does_not_widen_the_weeks_after_it() -> None:
    """Medians do not mind one day."""
    calm = count_bands([20.0] * 60, SEEN)[45]
    after = count_bands([20.0] * 40 + [500.0] + [20.0] * 19, SEEN)[45]
    assert calm is not None
    assert after is not None
    assert after.high == pytest.approx(calm.high, rel=0.05)


def test_days_on_which_nobody_looked_are_not_history() -> None:
    """A gap must not teach that silence is usual."""
    counts = [20.0] * 30 + [0.0] * 16 + [20.0] * 14
    looked = [True] * 30 + [False] * 16 + [True] * 14
    blind, seen = count_bands(counts, SEEN)[52], count_bands(counts, looked)[52]
    assert seen is not None
    assert blind is not None
    assert seen.middle == pytest.approx(20, rel=0.01)
    assert blind.middle < 10


def test_weekends_are_expected_to_be_quiet() -> None:
    """The band follows the weekday, drawn towards the mean."""
    counts = [6.0 if day % 7 in {5, 6} else 30.0 for day in range(60)]
    bands = count_bands(counts, SEEN)
    weekend, weekday = bands[54], bands[52]
    assert weekend is not None
    assert weekday is not None
    assert weekend.middle < 0.75 * weekday.middle


def test_a_quiet_line_still_has_a_band() -> None:
    """One post after weeks of none lies within the usual."""
    band = count_bands([0.0] * 60, SEEN)[50]
    assert band is not None
    assert band.low == 0
    assert band.high >= 1


def test_a_mood_band_stays_between_its_ends() -> None:
    """No mood is below minus one, and unmeasured days count for nothing."""
    bands = mood_bands([-0.97, -0.99, None] * 20)
    assert all(-1 <= band.low <= band.high <= 1 for band in bands if band)


def test_little_things_are_no_departure() -> None:
    """One post after three weeks of none is under one deviation; thirty are many."""
    assert departure(1, [0] * 28) <= 1
    assert departure(30, [1] * 28) > 10
    assert departure(5, []) == 0


def test_a_small_theme_that_grows_outranks_a_large_one_that_wobbles() -> None:
    """Two to nine is more of a change than a hundred to a hundred and seven."""
    assert change(2, 9) > change(100, 107) > 0 > change(19, 8)
