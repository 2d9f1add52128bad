"""Found live or replayed at once: the demo's documents give the same signals, alerts and themes, to the second."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.crawlers.replica import tell
from groundswell.index.open import open_store
from groundswell.index.records import Enriched, Mention, Record, Sentiment, Signal
from groundswell.index.store import Store
from groundswell.nlp.signals.stage import find_signals
from groundswell.nlp.text.keywords import words
from groundswell.nlp.themes.evidence import plain_code, prior_means
from groundswell.nlp.themes.stage import update_themes
from tests.nlp.test_theme_turns import Dying, Killed, direction, written

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 30, 16, tzinfo=UTC)
DAYS, LIVE = 30, 5
"""Days of the demo that are read, and how many of the last are cut into turns."""
LANGUAGES = ("en", "id", "ms")
SEEN_FROM_THEMES = ("sour", "spread")
"""Kinds of signals that are about where documents were placed when the hour was looked at: a block of documents that
is still open then may be placed otherwise once it is complete, so these may differ between the middle of a block and
its end."""
Pair = tuple[Mention, Enriched]
Told = Sequence[tuple[object, ...]]


@cache
def demo() -> Sequence[Pair]:
    """Return the last weeks of the demo's documents, with vectors made of their words."""
    made: list[Pair] = []
    items = [item for item in tell(now=NOW).items if item.appears > NOW - timedelta(days=DAYS)]
    for k, item in enumerate(item for item in items if plain_code(item.lang) in LANGUAGES):
        text = f"{item.title} {item.text}"
        vector = prior_means()[""] + 0.2 * sum((direction(word) for word in set(words(text, item.lang))), np.zeros(384))
        negative = 0.2 + 0.001 * (zlib.crc32(text.encode()) % 500)
        mention = Mention(
            id=f"d{k:05}", source=item.site, kind="review" if item.stars else "post", title=item.title, text=item.text,
            fetched_at=item.appears, published_at=item.appears, date_confidence="exact", author_key=item.author,
            market=item.market,
        )  # fmt: skip
        enriched = Enriched(
            id=mention.id, lang=plain_code(item.lang), made_by="test", duplicate_of=mention.id,
            sentiment=Sentiment(label="negative", negative=negative, neutral=1 - negative, positive=0.0),
            vector=(vector / np.linalg.norm(vector)).astype(np.float32),
        )  # fmt: skip
        made.append((mention, enriched))
    return made


def ends(how: str) -> Iterator[datetime]:
    """Yield the moments at which a turn is made."""
    first = NOW - timedelta(days=LIVE)
    if how == "by day":
        yield from (first + timedelta(days=day) for day in range(LIVE))
    elif how != "at once":
        rng = random.Random(how)
        minutes = LIVE * 1440
        yield from (first + timedelta(minutes=at) for at in sorted(rng.sample(range(minutes), 6)))
        yield from (NOW - timedelta(minutes=at) for at in range(60, 0, -20))
    yield NOW


def run(folder: Path, how: str) -> tuple[Told, tuple[Sequence[object], ...]]:
    """Let the demo's documents come in turns; return all signals, and places, themes and lineage."""
    settings = Settings(data_dir=folder)
    folder.mkdir()
    rng, done, documents = random.Random(how), 0, demo()
    with open_store(settings) as store:
        for end in ends(how):
            stop = sum(mention.fetched_at <= end for mention, _ in documents)
            records: list[Record] = [record for pair in documents[done:stop] for record in pair]
            store.put(records)
            done = stop
            for stage in (update_themes, find_signals):
                if how.startswith("killed"):
                    interrupted(stage, store, settings, end, rng.randrange(4))
                stage(store, settings, now=end)
        return signals(store), written(store)


def interrupted(stage: Any, store: Store, settings: Settings, now: datetime, after: int) -> None:
    """Run a stage that is killed after so many writes."""
    dying = Dying(store, after)
    with suppress(Killed):
        stage(dying, settings, now=now)


def signals(store: Store) -> Told:
    """Return all signals: what, when, by what evidence, how strong, and what became of them."""
    found = store.recent(Signal, limit=10_000)
    return sorted((s.id, s.kind, s.at, s.start, s.end, s.evidence, s.strength, s.fired, s.held_by) for s in found)


def test_found_live_or_replayed_the_demo_tells_the_same(tmp_path: Path) -> None:
    """At once, by day, and cut at random while killed anywhere: ids, times, evidence, strengths, decisions, themes."""
    once, by_day, killed = [run(tmp_path / how, how) for how in ("at once", "by day", "killed")]
    assert len(once[0]) > 20
    assert any(told[7] for told in once[0])
    for live in (by_day, killed):
        assert live[1] == once[1]
        assert steady(live[0]) == steady(once[0])
        assert [told for told in live[0] if told[7]] == [told for told in once[0] if told[7]]


def steady(told: Told) -> Told:
    """Return the signals but those that are seen from themes."""
    return [each for each in told if each[1] not in SEEN_FROM_THEMES]
