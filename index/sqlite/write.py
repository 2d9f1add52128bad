"""The embedded store, for writing: one transaction for each call, so that a killed process leaves old or new."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groundswell.index.codec import name_of
from groundswell.index.parts import PARTS, is_part, rest, sorted_out
from groundswell.index.records import Case, Checkpoint, Lease, Record
from groundswell.index.sqlite import documents, others
from groundswell.index.sqlite.connect import explained, open_for_writing
from groundswell.index.sqlite.read import SqliteReader
from groundswell.index.store import R, Report


class SqliteStore(SqliteReader):
    """A `Store` in a database file; several processes may write, one after another."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._writer = open_for_writing(path)
        super().__init__(path)

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the writing connection; all of it is kept, or nothing."""
        with self._lock, explained(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def put(self, records: Iterable[Record]) -> Report:
        """Write records, all in one transaction; say what was new, updated, the same, refused."""
        good, refused = sorted_out(records)
        with self._transaction() as db:
            report = documents.put(db, is_part(good)) + others.put(db, rest(good))
        return report + Report(refused=refused)

    def edit(self, case: Case, *, expected_version: int) -> Case:
        """Write a case if nobody changed it since `expected_version`; return it with its new version."""
        with self._transaction() as db:
            return others.edit(db, case, expected_version)

    def swap(self, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
        """Put `after` in the place of `before` if that is still what rests there; return whether it was."""
        with self._transaction() as db:
            return others.swap(db, before, after)

    def delete(self, kind: type[R], ids: Sequence[str]) -> int:
        """Forget records by id; return how many there were."""
        with self._transaction() as db:
            return documents.delete(db, kind, ids) if kind in PARTS else others.delete(db, name_of(kind), ids)
