"""However a stream is cut into turns the themes are the same, and a turn touches what is new."""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.configs.schema import Settings
from groundswell.crawlers.replica import tell
from groundswell.index.open import open_store
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, Enriched, Lineage, Mention, Record, Sentiment, Theme
from groundswell.index.store import Store
from groundswell.nlp.text.keywords import words
from groundswell.nlp.themes.evidence import plain_code, prior_means
from groundswell.nlp.themes.stage import MARK, update_themes

NOW = datetime(2026, 11, 30, 16, tzinfo=UTC)
DAYS = 10
MOOD = Sentiment(label="negative", negative=0.7, neutral=0.2, positive=0.1)
Documents = Sequence[tuple[Mention, Enriched]]


@cache
def direction(word: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a direction for a word, the same on any machine."""
    drawn: np.ndarray[tuple[int], np.dtype[np.float64]] = np.random.default_rng(zlib.crc32(word.encode())).normal(
        size=384
    )
    drawn /= np.sqrt(384)
    return drawn


@cache
def demo_documents() -> Documents:
    """Return the last days of the demo's documents, with vectors made of their words; some undated, some copied."""
    items = [item for item in tell(now=NOW).items if item.appears > NOW - timedelta(days=DAYS)]
    made: list[tuple[Mention, Enriched]] = []
    for k, item in enumerate(items):
        text = f"{item.title} {item.text}"
        vector = prior_means()[""] + 0.2 * sum((direction(word) for word in set(words(text, item.lang))), np.zeros(384))
        one = f"d{k:05}"
        copied = made[-7][0].id if k % 40 == 39 else one
        made.append(
            (
                Mention(id=one, source=item.site, kind="post", title=item.title, text=item.text,
                        fetched_at=item.appears, published_at=None if k % 97 == 5 else item.appears,
                        date_confidence="exact", author_key=item.author),
                Enriched(id=one, lang=plain_code(item.lang), sentiment=MOOD, made_by="test", duplicate_of=copied,
                         vector=(vector / np.linalg.norm(vector)).astype(np.float32)),
            )
        )  # fmt: skip
    return made


def turns(documents: Documents, how: str) -> Iterator[Documents]:
    """Yield the documents in turns: at once, by day, or cut at random."""
    if how == "at once":
        yield documents
    elif how == "by day":
        for _, day in itertools.groupby(documents, key=lambda pair: pair[0].fetched_at.date()):
            yield list(day)
    else:
        rng, start = random.Random(how), 0
        while start < len(documents):
            stop = start + rng.choice([1, 2, 30, 120, 256, 300])
            yield documents[start:stop]
            start = stop


def written(store: Store) -> tuple[Sequence[object], ...]:
    """Return places, themes and lineage as the store has them, without names: those are made anew as themes grow."""
    places = [(d.id, d.membership.theme, d.membership.confidence) for d in store.scan(Query()) if d.membership]
    themes = [
        (t.id, t.size, t.state, t.first_seen, t.last_seen, t.parents, t.children)
        for t in store.recent(Theme, limit=10_000)
    ]
    lineage = [
        (e.id, e.theme, e.what, e.at, e.others, e.why)
        for e in store.recent(Lineage, limit=10_000)
        if e.what != "renamed"
    ]
    return sorted(places), sorted(themes), sorted(lineage)


def run(folder: Path, how: str) -> tuple[Sequence[object], ...]:
    """Return what the store holds after the demo's documents came in turns."""
    settings = Settings(data_dir=folder)
    folder.mkdir()
    with open_store(settings) as store:
        for turn in turns(demo_documents(), how):
            records: list[Record] = [record for pair in turn for record in pair]
            store.put(records)
            update_themes(store, settings, now=NOW)
        return written(store)


class Killed(BaseException):
    """The process ended here."""


class Dying:
    """A store under a process that is killed after so many writes."""

    def __init__(self, store: Store, left: int) -> None:
        self.store, self.left = store, left

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on."""
        return getattr(self.store, name)

    def put(self, records: Any) -> Any:
        """Write, unless the process has ended."""
        if not self.left:
            raise Killed
        self.left -= 1
        return self.store.put(records)


def names(store: Store) -> Sequence[tuple[str, str, tuple[str, ...]]]:
    """Return what themes are called."""
    return sorted((t.id, t.label, t.keywords) for t in store.recent(Theme, limit=10_000))


def test_killed_before_their_names_are_written_themes_are_named_by_the_next_run(tmp_path: Path) -> None:
    """Themes that only the open block founded are named too, as an undisturbed run names them."""
    once, killed = Settings(data_dir=tmp_path / "once"), Settings(data_dir=tmp_path / "killed")
    records: list[Record] = [record for pair in demo_documents()[:200] for record in pair]
    with open_store(once) as store:
        store.put(records)
        update_themes(store, once, now=NOW)
        expected = names(store), written(store)
    with open_store(killed) as store:
        store.put(records)
        with pytest.raises(Killed):
            update_themes(Dying(store, 1), killed, now=NOW)
        assert any(not label for _, label, _ in names(store))
        update_themes(store, killed, now=NOW)
        assert (names(store), written(store)) == expected


@pytest.mark.slow
def test_themes_are_the_same_however_the_stream_is_cut(tmp_path: Path) -> None:
    """At once, day by day and at random places: places, confidences, themes and lineage are the same."""
    once, *others = [run(tmp_path / how, how) for how in ("at once", "by day", "cut 1", "cut 2")]
    places, themes, lineage = once
    assert (len(places), len(themes) > 20, len(lineage) > 20) == (len(demo_documents()), True, True)
    assert all(other == once for other in others)


def test_a_turn_writes_what_changed_and_a_first_run_is_no_news(tmp_path: Path) -> None:
    """A few documents more rewrite the pieces of the clusters they reach, not those of the others."""
    settings = Settings(data_dir=tmp_path)
    first, more = demo_documents()[:600], demo_documents()[600:760]
    with open_store(settings) as store:
        store.put([record for pair in first for record in pair])
        said = str(update_themes(store, settings, now=NOW))
        assert "new" not in said.replace("nothing new", "")
        before = pieces(store)
        store.put([record for pair in more for record in pair])
        report = update_themes(store, settings, now=NOW)
        assert report.pending == 160
        after = pieces(store)
        changed = [name for name, piece in after.items() if before.get(name) != piece]
        assert 0 < len(changed) < len(after)
        assert str(update_themes(store, settings, now=NOW)).startswith("nothing new to place")


def pieces(store: Store) -> dict[str, object]:
    """Return the pieces of clusters in a store."""
    mark = store.get(Checkpoint, MARK)
    assert mark is not None
    found = store.many(Checkpoint, [f"{MARK}/cluster/{slot}" for slot in mark.value["slots"]])
    return {piece.id: piece.value for piece in found}


def test_what_happened_is_dated_when_it_happened(tmp_path: Path) -> None:
    """A first run over a past dates births by their documents and fades no theme that people went on speaking of."""
    settings = Settings(data_dir=tmp_path)
    with open_store(settings) as store:
        store.put([record for pair in demo_documents() for record in pair])
        update_themes(store, settings, now=NOW)
        events = [e for e in store.recent(Lineage, limit=10_000) if e.what != "renamed"]
        assert {e.what for e in events} <= {"born", "split", "merged"}
        themes = {t.id: t for t in store.recent(Theme, limit=10_000)}
        assert all(themes[e.theme].first_seen <= e.at <= NOW for e in events)
        assert len({e.at for e in events}) > len(events) / 2
