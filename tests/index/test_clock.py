"""A clock that was set: the first to come says so, nothing is done twice or left out, and nothing is silenced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from groundswell.configs.schema import Settings
from groundswell.index.clock import ClockError, behind, check_clock, is_steady
from groundswell.index.leases import Leases
from groundswell.index.open import open_reader, open_store
from groundswell.index.records import Lease
from groundswell.index.store import Store
from groundswell.ui.cli import cli

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(Settings(data_dir=tmp_path)) as opened:
        yield opened


@pytest.mark.parametrize("back", [timedelta(hours=2), 3 * DAY, 400 * DAY])
def test_a_clock_that_was_set_back_stops_the_first_to_come_once(store: Store, back: timedelta) -> None:
    """Whoever goes on by the same clock believes it; set right again, nothing was lost."""
    check_clock(store, now=NOW)
    with pytest.raises(ClockError, match=r"wrong now, or was wrong then.*run the same command again"):
        check_clock(store, now=NOW - back)
    check_clock(store, now=NOW + DAY)
    with pytest.raises(ClockError):
        check_clock(store, now=NOW - back)
    check_clock(store, now=NOW - back + timedelta(minutes=1))
    check_clock(store, now=NOW - back + timedelta(minutes=2))
    assert behind(store, now=NOW - back + timedelta(minutes=3)) == ""


@pytest.mark.parametrize("step", [timedelta(minutes=-59), timedelta(), 30 * DAY])
def test_small_corrections_and_long_pauses_are_nothing(store: Store, step: timedelta) -> None:
    """Time servers move clocks by seconds, and machines are off for months."""
    check_clock(store, now=NOW)
    check_clock(store, now=NOW + step)


@pytest.mark.parametrize("words", [["run", "--skip", "enrich"], ["crawl"]])
def test_a_command_says_what_to_do_about_the_clock(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, with exit code 1, and the next call goes on."""
    monkeypatch.chdir(tmp_path)
    Path("groundswell.yaml").write_text("data_dir: data\ncrawl: {shipped: false, sources: [sources]}\n")
    (tmp_path / "sources").mkdir()
    monkeypatch.setenv("GROUNDSWELL_NOW", NOW.isoformat())
    assert not isinstance(CliRunner().invoke(cli, words).exception, ClockError)
    monkeypatch.setenv("GROUNDSWELL_NOW", (NOW - DAY).isoformat())
    assert isinstance(CliRunner().invoke(cli, words).exception, ClockError)
    assert not isinstance(CliRunner().invoke(cli, words).exception, ClockError)


def test_what_is_gone_for_good_waits_for_a_second_look(store: Store) -> None:
    """By a clock that jumped ahead, everything would be older than it may be."""
    assert not is_steady(store, "retention", now=NOW, most=2 * DAY), "the first time"
    assert is_steady(store, "retention", now=NOW + DAY, most=2 * DAY)
    assert not is_steady(store, "retention", now=NOW + 401 * DAY, most=2 * DAY), "it jumped, or was off for long"
    assert not is_steady(store, "retention", now=NOW + 2 * DAY, most=2 * DAY), "it jumped back"
    assert is_steady(store, "retention", now=NOW + 3 * DAY, most=2 * DAY)


def test_a_lease_of_the_future_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    """Taken by a clock that was 20 days ahead, it would last for 20 days; so would the pause of a host."""
    ahead = NOW + 20 * DAY
    lease = Lease(id="host:a", holder="other", at=ahead, until=ahead + timedelta(minutes=1), free_at=ahead)
    assert store.swap(None, lease)
    ours = Leases(store, "we", 60, clock=lambda: NOW)
    assert ours.who("host:a") == ""
    taken = ours.take("host:a")
    assert taken is not None
    assert taken.free_at is None
    assert ours.who("host:a") == "we"


def test_a_reader_can_ask_without_writing(tmp_path: Path) -> None:
    """The doctor looks, and changes nothing."""
    settings = Settings(data_dir=tmp_path)
    with open_store(settings) as store:
        check_clock(store, now=NOW)
    with open_reader(settings) as reader:
        assert "2026-11-21 12:00Z" in behind(reader, now=NOW - DAY)
        assert behind(reader, now=NOW) == ""
