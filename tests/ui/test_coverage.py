"""A silence that cannot be chance is called a gap; a silence that can be is not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from groundswell.configs.schema import Settings
from groundswell.index.open import open_reader, open_store
from groundswell.index.records import CrawlRun, Mention, Record
from groundswell.ui.report.coverage import Coverage, coverage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _posts(source: str, per_day: int, *, but: Collection[int] = ()) -> list[Record]:
    """Return posts of 30 days, without the days (ago) in `but`."""
    return [
        Mention(
            id=f"{source}-{day}-{i}",
            source=source,
            kind="post",
            text=f"text {day} {i}",
            fetched_at=NOW,
            published_at=NOW - timedelta(days=day, minutes=i),
            date_confidence="exact",
        )
        for day in range(30)
        for i in range(per_day)
        if day not in but
    ]


def _run(source: str, day: int, **what: str | int) -> CrawlRun:
    at = NOW - timedelta(days=day)
    return CrawlRun(id=f"run-{source}-{day}", source=source, started_at=at, finished_at=at, **what)  # type: ignore[arg-type]  # names of CrawlRun


def _seen(tmp_path: Path, records: list[Record]) -> Coverage:
    settings = Settings(data_dir=tmp_path)
    with open_store(settings) as store:
        store.put(records)
    with open_reader(settings) as reader:
        return coverage(reader, now=NOW, days=30)


def _states(found: Coverage, source: str) -> str:
    row = next(row for row in found.rows if row.source == source)
    return "".join(cell.state[0] for cell in row.cells)


def test_a_loud_source_that_falls_silent_was_not_seen(tmp_path: Path) -> None:
    """Ten posts a day, then none for two days: nobody looked."""
    found = _seen(tmp_path, _posts("loud", 10, but=range(5, 7)))
    assert _states(found, "loud") == "o" * 23 + "bb" + "o" * 5


def test_a_rare_source_may_be_silent(tmp_path: Path) -> None:
    """A post a day leaves a day or two without one, and that is no gap."""
    assert "b" not in _states(_seen(tmp_path, _posts("rare", 1, but=range(5, 7))), "rare")


def test_a_source_that_posts_in_bursts_may_be_silent_between_them(tmp_path: Path) -> None:
    """Six posts on each third day are two a day, yet five days without one are no gap; twenty are."""
    between = [day for day in range(30) if day % 3]
    for gap, blind in (((9,), 0), (range(3, 21), 20)):
        found = _seen(tmp_path / str(blind), _posts("paper", 6, but=[*between, *gap]))
        assert found.rows[0].bad_days == blind


def test_a_visit_that_found_what_it_knew_was_a_look(tmp_path: Path) -> None:
    """Nothing new is not nothing seen."""
    records = [*_posts("loud", 10, but=range(5, 6)), _run("loud", 5, found=10, duplicate=10)]
    assert "b" not in _states(_seen(tmp_path, records), "loud")


def test_a_failed_visit_is_a_gap_and_says_why(tmp_path: Path) -> None:
    """The cell carries what the source answered."""
    found = _seen(tmp_path, [*_posts("loud", 10, but=range(5, 6)), _run("loud", 5, error="HTTP 503")])
    cell = found.rows[0].cells[-6]
    assert cell.state == "bad"
    assert "HTTP 503" in cell.why


def test_before_its_first_post_a_source_was_not_missed(tmp_path: Path) -> None:
    """What was not yet watched is no gap."""
    found = _seen(tmp_path, _posts("young", 10, but=range(10, 30)))
    assert _states(found, "young") == "b" * 20 + "o" * 10
    assert {cell.state for cell in found.rows[0].cells[:20]} == {"before"}


def test_today_is_not_judged_before_it_is_over(tmp_path: Path) -> None:
    """A morning without posts is no gap yet."""
    assert _states(_seen(tmp_path, _posts("loud", 10, but=range(1))), "loud")[-1] == "i"


def test_a_day_is_hatched_only_when_much_is_missing(tmp_path: Path) -> None:
    """A source that brings three posts in a hundred does not make a day blind."""
    records = [*_posts("loud", 90), *_posts("small", 3, but=range(5, 9)), *_posts("other", 20, but=range(11, 13))]
    unseen = _seen(tmp_path, records).unseen()
    assert [day for day, names in enumerate(unseen) if names] == [17, 18]
    assert unseen[17] == ("other",)
