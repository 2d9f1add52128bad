"""A source that dies, changes its shape or falls silent is heard the same day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundswell.configs.source import Floor
from groundswell.crawlers.health import Shape, below_floor, changed_shape, silence
from groundswell.index.records import CrawlRun, Mention

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def run(hours: float, stored: int) -> CrawlRun:
    """Return a run so many hours ago."""
    at = NOW - timedelta(hours=hours)
    return CrawlRun(id=f"{hours}", source="s", started_at=at, finished_at=at, found=stored, stored=stored)


def test_a_floor_is_kept_or_told() -> None:
    """Below a floor a run complains: at once for a run, after a day of acquaintance for a day; a 304 is not silence."""
    floor = Floor(per_run=3, per_day=10)

    def said(stored: int, past: Sequence[CrawlRun] = (), *, unchanged: bool = False) -> str:
        return below_floor(floor, run(0, stored), past, unchanged=unchanged, now=NOW)

    assert said(2) == "2 found, floor 3 a run"
    assert said(0, unchanged=True) == ""
    assert said(5, [run(20, 4)]) == ""
    assert said(5, [run(20, 4), run(30, 50)]) == "9 new in 24 hours, floor 10"
    assert said(6, [run(20, 4), run(30, 50)]) == ""


def test_a_source_that_always_spoke_and_is_silent_is_told() -> None:
    """Silence is judged by how much the source brings and by its own pauses, not by a number somebody set."""
    steady = [run(hours, 2) for hours in range(30, 150, 3)]
    assert silence(run(0, 0), steady, now=NOW).startswith("nothing new for 30 hours, where about 1")
    assert silence(run(0, 1), steady, now=NOW) == ""
    assert silence(run(0, 0), [run(hours, 2) for hours in range(2, 150, 3)], now=NOW) == "", "two hours are nothing"
    weekly = [run(24 * days, 5) for days in range(2, 14, 2)]
    assert silence(run(0, 0), weekly, now=NOW) == "", "it rests as it always did"
    assert silence(run(0, 0), [run(13 * 24, 500), run(12 * 24, 1)], now=NOW) == "", "a backlog is no habit"


@pytest.mark.parametrize("field", ["title", "published_at", "author_key", "rating"])
def test_a_field_that_always_was_there_is_missed(field: str) -> None:
    """For a week each visit says so; then it is how the source is now. What comes and goes says nothing."""
    full = Mention(
        id="m",
        source="s",
        kind="review",
        text="t",
        fetched_at=NOW,
        published_at=NOW,
        title="t",
        author_key="a",
        rating=1,
    )
    nothing: dict[str, Any] = {field: Mention.__dataclass_fields__[field].default}
    lacking = replace(full, **nothing)

    def shape(*mentions: Mention) -> Shape:
        seen = Shape()
        for mention in mentions:
            seen.see(mention)
        return seen

    known = shape(*[full] * 30)
    assert changed_shape(known, shape(full, lacking, lacking), now=NOW) == "", "three items show nothing"
    word = field.removesuffix("_key").removesuffix("_at")
    assert f"hardly any with {word}," in changed_shape(known, shape(*[lacking] * 20), now=NOW)
    known = Shape.read(json.loads(json.dumps(known.write())))
    assert changed_shape(known, shape(*[lacking] * 20), now=NOW + timedelta(days=3))
    assert changed_shape(known, shape(*[lacking] * 20), now=NOW + timedelta(days=8)) == ""
    slow = shape(*[full] * 30)
    said = [changed_shape(slow, shape(lacking), now=NOW) for _ in range(5)]
    assert said[:3] == [""] * 3
    assert said[3], "four visits of one item each show it too"
    mixed = shape(*[full] * 30, *[lacking] * 5)
    assert changed_shape(mixed, shape(*[lacking] * 20), now=NOW) == ""


def test_a_feed_that_loses_its_dates_says_so_and_again_accepts_it(house: Any, web: Any, answer: Any) -> None:
    """The visit that meets the change complains; --again takes the new shape as it is."""

    def feed(date: str, first: int) -> Any:
        items = "".join(
            f"<item><title>Story {n}</title><link>/n/{n}</link><description>Text {n}</description>{date}</item>"
            for n in range(first, first + 25)
        )
        return answer(f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>')

    house.source("feed", f"format: feed\nkind: news\nurls: [{web.url}/f.xml]\n")
    web.play("/f.xml", feed("<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate>", 0))
    assert house.crawl()["feed"].complaint == ""
    web.play("/f.xml", feed("", 100))
    assert "hardly any with published" in house.crawl(now=NOW + timedelta(hours=1))["feed"].complaint
    assert house.crawl(now=NOW + timedelta(hours=2), again=True)["feed"].complaint == ""
    assert house.crawl(now=NOW + timedelta(hours=3))["feed"].complaint == ""
