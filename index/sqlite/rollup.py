"""Counts by day, kept exactly right by the writes: what a document adds is taken away before it changes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator

from groundswell.index.fields import DAY, TAGS, UNDATED, columns, tags
from groundswell.index.query import Field
from groundswell.index.records import Document

PLAIN: tuple[Field, ...] = ("source", "kind", "lang", "market", "date_confidence", "sentiment")
"""Fields that every cell knows."""
BESIDE: tuple[Field, ...] = ("theme", *TAGS)
"""Fields of which a cell may know one."""
Key = tuple[str, str, int, str, str, str, str, str, str]


def cells(document: Document) -> Iterator[tuple[Key, int | None]]:
    """Yield the cells in which a document counts, and its mood in millionths."""
    _, at, source, kind, lang, market, confidence, sentiment, theme, *_, mood, _, _, _, _ = columns(document)
    plain = (day_of(at), source, kind, lang, market, confidence, sentiment)
    yield ("", "", *plain), mood
    yield ("theme", theme, *plain), mood
    own = list(tags(document))
    for field in TAGS:
        for value in [value for name, value in own if name == field] or [""]:
            yield (field, value, *plain), mood


def day_of(at: int) -> int:
    """Return the begin of a time's day; no date has no day."""
    return at if at == UNDATED else at - at % DAY


def update(db: sqlite3.Connection, changes: Iterable[tuple[Document | None, Document | None]]) -> None:
    """Bring the counts up to date with documents before and after."""
    documents: Counter[Key] = Counter()
    moods: Counter[Key] = Counter()
    mood_sums: Counter[Key] = Counter()
    for pair in changes:
        for document, sign in zip(pair, (-1, 1), strict=True):
            for key, mood in cells(document) if document else ():
                documents[key] += sign
                moods[key] += sign * (mood is not None)
                mood_sums[key] += sign * (mood or 0)
    changed = [key for key in documents if documents[key] or moods[key] or mood_sums[key]]
    db.executemany(
        "INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " documents = documents + excluded.documents, moods = moods + excluded.moods, mood = mood + excluded.mood",
        [(*key, documents[key], moods[key], mood_sums[key]) for key in changed],
    )
    db.executemany(
        "DELETE FROM rollup WHERE (field, value, day, source, kind, lang, market, date_confidence, sentiment)"
        " = (?, ?, ?, ?, ?, ?, ?, ?, ?) AND documents = 0",
        [key for key in changed if documents[key] < 0],
    )
