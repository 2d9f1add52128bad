"""Two periods side by side, and why a document is where it is: counted again, one document after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.query_language import parse, timeless
from groundswell.index.records import Theme
from groundswell.ui.board import queries
from groundswell.ui.report.asked import Asked
from groundswell.ui.report.compare import DAY, Period, asked_periods, compare, period_of
from groundswell.ui.report.related import related
from groundswell.ui.report.why import why_here
from tests.ui.seed import World
from tests.ui.test_views import _html, _open
from tests.ui.truth import false_links, numbers_with_links


def test_what_two_periods_differ_in_is_recounted(seeded: World) -> None:
    """Every count from the documents themselves, and the subject that surged is beyond chance."""
    later = Period(seeded.now - 2 * DAY, seeded.now)
    earlier = Period(seeded.now - 20 * DAY, seeded.now - 2 * DAY)
    with seeded.reader() as reader:
        found = compare(reader, Query(), earlier, later)
        for period, name in ((earlier, "earlier"), (later, "later")):
            documents = list(reader.scan(Query(since=period.since, until=period.until)))
            assert getattr(found.whole, name) == len(documents)
            markets = Counter(document.mention.market for document in documents)
            risks = Counter(r for d in documents if d.enriched for r, p in d.enriched.risks.items() if p >= 0.5)
            assert {row.value: getattr(row, name) for row in found.rows["market"]} == {
                row.value: markets[row.value] for row in found.rows["market"]
            }
            assert {row.value: getattr(row, name) for row in found.rows["risk"]} == {
                row.value: risks[row.value] for row in found.rows["risk"]
            }
        risks_beyond = {row.value for row in found.rows["risk"] if row.beyond}
    assert "impersonation_deepfake" in risks_beyond
    assert found.rows["risk"][0].beyond


def test_chance_is_not_called_a_difference(seeded: World) -> None:
    """Of two quiet periods, cut out of one steady stream, nothing is said to differ."""
    middle = seeded.now - 30 * DAY
    with seeded.reader() as reader:
        found = compare(reader, Query(), Period(middle - 14 * DAY, middle), Period(middle, middle + 14 * DAY))
    beyond = [row for rows in found.rows.values() for row in rows if row.beyond]
    assert len(beyond) <= 2
    assert len(found.rows["source"]) > 5


@pytest.mark.parametrize("asked", [{"q": "iklan OR 广告 since:10d"}, {"q": "", "later": "2026-11-01..2026-11-09"}])
def test_every_number_of_a_comparison_leads_to_its_documents(shown: World, asked: dict[str, str]) -> None:
    """Also of words, and of a search with OR."""
    queries._answers.clear()
    html = _html(_open("compare", **asked))
    with shown.reader() as reader:
        assert list(false_links(reader, html, queries.now())) == []
    assert len(numbers_with_links(html)) > 10


@pytest.mark.parametrize("text", ["2026-11-01", "..", "2026-11-09..2026-11-01", "x..y", "9999-12-31..9999-12-31"])
def test_what_is_no_period_is_none(text: str) -> None:
    """The address is anybody's to write."""
    assert period_of(text) is None


def test_a_period_is_written_and_read_again() -> None:
    """Whole days by their dates, others exactly; the one before is as long."""
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    midnight = noon - timedelta(hours=12)
    for period in (Period(midnight, midnight + 7 * DAY), Period(noon, noon + timedelta(hours=5, microseconds=7))):
        assert period_of(period.written()) == period
        assert period.before().until == period.since
        assert period.before().days == period.days
    given = asked_periods(parse("since:3d", now=noon), {}, now=noon)
    assert given[1] == Period(noon - 3 * DAY, noon)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("scam since:7d", "scam"),
        ("on:yesterday 骗 OR a", "骗 OR a"),
        ('"since:7d" x before:today', '"since:7d" x'),
        ("ａ since：7d b", "a b"),
        ("https://since:7d", "https://since:7d"),
    ],
)
def test_a_search_without_its_times_asks_the_same(text: str, plain: str) -> None:
    """Times fall away, in whatever signs they were written; words in quotes stay."""
    assert timeless(text) == plain


@pytest.mark.parametrize("text", ["iklan", "广告 OR รองเท้า", "risk:scam_shopping market:TH since:20d -giày"])
def test_why_a_document_is_here_is_so(seeded: World, text: str) -> None:
    """Each reason holds of the document: a word that is said to stand there does, a chance is the model's."""
    this = Asked(text)
    with seeded.reader() as reader:
        query = replace(this.query(reader, now=seeded.now), limit=30)
        hits = reader.search(query).hits
    assert hits
    for hit in hits:
        reasons = why_here(query, hit, this)
        words = [reason for reason in reasons if "stands in its" in reason]
        if "risk:" not in text:
            assert words, hit.document.mention.text
        for reason in words:
            word = reason.split("”")[0].removeprefix("“")
            assert word in (hit.document.mention.title + hit.document.mention.text).lower()
        if "risk:" in text:
            chance = hit.document.enriched.risks["scam_shopping"] if hit.document.enriched else 0
            assert any(f"{chance:.2f}" in reason for reason in reasons)
            assert any("market is TH" in reason for reason in reasons)
            assert any("does not say “giày”" in reason for reason in reasons)


def test_nothing_asked_needs_no_reason(seeded: World) -> None:
    """The newest of everything are there because everything is."""
    with seeded.reader() as reader:
        hit = reader.search(Query(limit=1)).hits[0]
    assert why_here(Query(), hit, Asked()) == ()


def test_the_nearest_themes_are_told_first(tmp_path: Path) -> None:
    """A theme is not near itself; one without a centre is near none."""
    at = datetime(2026, 11, 18, tzinfo=UTC)
    themes = [
        Theme(id=name, label=name, first_seen=at, last_seen=at, centroid=np.array([np.cos(a), np.sin(a)], np.float32))
        for name, a in (("own", 0.0), ("near", 0.2), ("far", 0.6), ("opposite", 3.0))
    ]
    with open_store(Settings(data_dir=tmp_path)) as store:
        store.put(themes)
        assert [one.id for one, _ in related(store, themes[0])] == ["near", "far"]
        assert related(store, replace(themes[0], centroid=None)) == []
