"""What made a rise: parts that add up, and the planted cause on top."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from groundswell.index.query import Query
from groundswell.index.records import Enriched, Mention
from groundswell.ui.report.explain import COPIES, explain
from tests.ui.seed import World, theme_id

DAY = timedelta(days=1)


def _day(world: World) -> Query:
    return Query(since=world.now - DAY, until=world.now)


def test_the_parts_add_up_to_the_excess(world: World) -> None:
    """Sources, themes, markets and copies share every document; nothing is counted twice, nothing is left out."""
    with world.reader() as reader:
        found = explain(reader, _day(world))
        assert found is not None
        counted = reader.search(replace(_day(world), trusted_dates=True, limit=1)).total
    assert found.observed == counted
    assert found.windows == 28
    assert sum(part.excess for part in found.parts) == pytest.approx(found.excess)
    assert found.excess > 0


def test_the_theme_that_grew_made_most_of_it(world: World) -> None:
    """The planted rise stands on top, and the documents are its own."""
    with world.reader() as reader:
        found = explain(reader, _day(world))
    assert found is not None
    assert (found.parts[0].field, found.parts[0].value) == ("theme", theme_id("deepfake"))
    assert found.risks[0].value == "impersonation_deepfake"
    members = [hit.document.membership for hit in found.documents]
    assert {member.theme for member in members if member} == {theme_id("deepfake")}
    assert 0 < len(members) <= 10


def test_copies_are_named_as_what_they_are(world: World) -> None:
    """Forty copies of one text in one source: copying as such accounts for a good part."""
    with world.store() as store:
        first = next(iter(store.recent(Enriched, limit=1)))
        for k in range(40):
            at = world.now - timedelta(minutes=30 + k)
            store.put([
                Mention(id=f"copy{k}", source="hackernews", kind="post", text="buy now", fetched_at=world.now,
                        published_at=at, date_confidence="exact", market="SG"),
                replace(first, id=f"copy{k}", duplicate_of="copy0", risks={}, vector=None),
            ])  # fmt: skip
        found = explain(store, _day(world))
    assert found is not None
    copies = next(part for part in found.parts if part.field == COPIES)
    assert copies.observed >= 39
    assert copies.excess == pytest.approx(13, abs=1)  # shared with its source and its market
    assert sum(part.excess for part in found.parts) == pytest.approx(found.excess)


@pytest.mark.parametrize("days", [0, 15])
def test_only_a_bounded_time_can_be_explained(world: World, days: int) -> None:
    """Neither an open one nor half a month."""
    with world.reader() as reader:
        assert explain(reader, Query()) is None
        assert explain(reader, Query(since=world.now - days * DAY, until=world.now)) is None
