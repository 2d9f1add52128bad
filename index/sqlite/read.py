"""The embedded store, for reading only: who asks has a connection alone, and none ever waits for a writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from groundswell.index.batches import sliced
from groundswell.index.closing import Closing
from groundswell.index.codec import decode, name_of
from groundswell.index.fields import DAY, UNDATED, time_of
from groundswell.index.parts import PARTS, parts_of
from groundswell.index.query import Bucket, By, Extent, Page, Query, Tally
from groundswell.index.records import Document, Enriched, Membership
from groundswell.index.sqlite import count, records, search
from groundswell.index.sqlite.choose import RowFilter
from groundswell.index.sqlite.columns import ColumnCache
from groundswell.index.sqlite.connect import explained, open_for_reading
from groundswell.index.sqlite.extents import extent
from groundswell.index.sqlite.kept import RecordCache
from groundswell.index.sqlite.load import ROWS_AT_ONCE, documents, numbers, parts
from groundswell.index.sqlite.scan import following
from groundswell.index.sqlite.vectors import VectorCache
from groundswell.index.store import EVERY, StoreError

R = TypeVar("R")
SCAN_PAGE = 500
IDLE = 8
"""Connections that stay open for whoever asks next."""


class SqliteReader(Closing):
    """A `Reader` over a database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._closed = False
        self._columns = ColumnCache()
        self._vectors = VectorCache()
        self._records = RecordCache()
        self._idle = [open_for_reading(path)]

    def close(self) -> None:
        """Close all connections; one that is asked meanwhile is closed when it has answered."""
        with self._guard:
            self._closed, idle, self._idle = True, self._idle, []
        for db in idle:
            db.close()

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to which nothing changes meanwhile; whoever asks at the same time gets another one."""
        with explained(self.path), self._lent() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._closed:
                raise StoreError(f"the store {self.path} was closed")
            db = self._idle.pop() if self._idle else None
        db = db or open_for_reading(self.path)
        try:
            yield db
        finally:
            with self._guard:
                is_idle = not self._closed and len(self._idle) < IDLE
                if is_idle:
                    self._idle.append(db)
            if not is_idle:
                db.close()

    def get(self, kind: type[R], id: str) -> R | None:
        """Return one record by id, or ``None``."""
        return next(iter(self.many(kind, [id])), None)

    def many(self, kind: type[R], ids: Sequence[str]) -> list[R]:
        """Return those that exist, in the order asked."""
        with self._snapshot() as db:
            if kind in PARTS:
                found = numbers(db, ids)
                return parts(db, kind, [found[one] for one in ids if one in found])
            texts = _texts(db, name_of(kind), ids)
        return [decode(kind, texts[one]) for one in ids if one in texts]

    def recent(self, kind: type[R], *, limit: int = 1000) -> list[R]:
        """Return records of one kind, newest first by their own time."""
        with self._snapshot() as db:
            if kind in PARTS:
                has = f"WHERE {PARTS[kind]} = 1" if kind in (Enriched, Membership) else ""
                sql = f"SELECT n FROM document {has} ORDER BY at DESC, id DESC LIMIT ?"
                ns = [n for (n,) in db.execute(sql, (limit,))]
                return parts_of(kind, documents(db, ns, vectors=False))
            sql = "SELECT id, json FROM record WHERE kind = ? ORDER BY at DESC, id LIMIT ?"
            rows = db.execute(sql, (name_of(kind), limit)).fetchall()
        return self._records.decoded(kind, rows, whole=len(rows) < limit)

    def select(
        self,
        kind: type[R],
        *,
        states: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = EVERY,
    ) -> list[R]:
        """Return records of one kind by state and own time, newest first."""
        with self._snapshot() as db:
            rows = records.chosen(db, records.Wanted(name_of(kind), states, since, until, limit))
        asked = f"those {' '.join(sorted(states))}"
        return self._records.decoded(kind, rows, whole=True, asked=asked)

    def latest(self, kind: type[R], *, states: Collection[str] = (), until: datetime | None = None) -> list[R]:
        """Return the newest record about each subject, by subject."""
        with self._snapshot() as db:
            rows = records.latest(db, name_of(kind), states, until)
        return self._records.decoded(kind, rows, whole=True, asked=f"latest {' '.join(sorted(states))}")

    def tally(self, kind: type[R], *, since: datetime | None = None, until: datetime | None = None) -> list[Tally]:
        """Return how many records of one kind there are by subject, state and day."""
        with self._snapshot() as db:
            return records.tally(db, name_of(kind), since, until)

    def search(self, query: Query) -> Page:
        """Return a page of documents with total, facets and a stable cursor."""
        with self._snapshot() as db:
            return search.search(self._chooser(db), query, self._vectors)

    def count(self, query: Query, by: By) -> list[Bucket]:
        """Return counts and moods, ordered by start, then values."""
        with self._snapshot() as db:
            return count.buckets(self._chooser(db), query, by)

    def extents(self, queries: Sequence[Query]) -> list[Extent]:
        """Return for each query how many documents match, each copy counted, and when the latest was published."""
        with self._snapshot() as db:
            chooser = self._chooser(db)
            return [extent(chooser, query) for query in queries]

    def _chooser(self, db: sqlite3.Connection) -> RowFilter:
        """Return who chooses documents; the columns come first in a transaction, so that they fit what it sees."""
        return RowFilter(db, self._columns.current(db))

    def days(self) -> dict[date | None, int]:
        """Return each day that has documents (``None``: undated), and a number that grows when one changes."""
        with self._snapshot() as db:
            has = f"SELECT 1 FROM document WHERE at >= day AND at < day + {DAY}"
            rows = db.execute(f"SELECT day, seq FROM changed WHERE EXISTS ({has})")
            return {None if day == UNDATED else time_of(day).date(): seq for day, seq in rows}

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document, oldest first; no transaction stays open in between."""
        after: Sequence[object] = ()
        while True:
            with self._snapshot() as db:
                places = following(db, query, SCAN_PAGE, after)
                found = documents(db, [n for n, _, _ in places], vectors=query.with_vectors)
            yield from found
            if not places:
                return
            after = places[-1][1:]


def _texts(db: sqlite3.Connection, name: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the JSON of each record that is there."""
    texts: dict[str, str] = {}
    for some in sliced(ids, ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT id, json FROM record WHERE kind = ? AND id IN ({marks})"
        texts.update(db.execute(sql, (name, *some)))
    return texts
