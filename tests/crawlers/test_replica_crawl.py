"""The real spiders visit the replica web: nothing is lost on the way, and nothing doubled."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.configs.schema import CrawlSettings, Settings
from groundswell.crawlers.replica import serve, write_sources
from groundswell.crawlers.run import crawl
from groundswell.index.open import open_store
from groundswell.index.query import Query

NOW = datetime(2026, 11, 22, 12, 34, tzinfo=UTC)


@pytest.mark.slow
def test_everything_served_is_stored_known_or_refused(tmp_path: Path) -> None:
    """Counts add up source by source and in all; a second visit stores nothing; undated items stay undated."""
    with serve(now=NOW, seed=7) as web:
        write_sources(tmp_path / "sources", web.url)
        visits = CrawlSettings(
            sources=(tmp_path / "sources",),
            shipped=False,
            allow_private_addresses=True,
            delay_seconds=0,
            concurrent_per_host=8,
        )
        settings = Settings(data_dir=tmp_path / "data", crawl=visits)
        with open_store(settings) as store:
            runs = crawl(store, settings, now=NOW)
            again = crawl(store, settings, now=NOW + timedelta(minutes=10))
            mentions = [document.mention for document in store.scan(Query())]
    assert not [run for run in runs if run.error or run.found != run.stored + run.duplicate + run.refused]
    assert sum(run.stored for run in runs) == len(mentions)
    assert sum(run.stored for run in again) == 0
    tracked = sum(bool(item.query) for item in web.documents)
    refused = sum(run.refused for run in runs)
    assert len(web.documents) == len(mentions) + refused + tracked
    assert refused >= 2
    found = Counter(web.truth.of(url=mention.url, text=mention.text) for mention in mentions)
    for name in web.truth.onsets:
        assert found[name] >= 45
    dates = Counter(mention.date_confidence for mention in mentions)
    assert dates["exact"] > 3000
    assert dates["none"] >= 10
    assert not [mention for mention in mentions if "<script" in mention.text]
