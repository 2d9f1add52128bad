"""While the cluster is away: what is put waits in a line on the local disk, and goes there in order once it is back.

Two files in the data folder: ``spool.db`` is the line itself, every put record in order, and the truth;
``spool-view.db`` is an embedded store with the same records, from which crawling and enriching go on meanwhile. Sending
is idempotent: a record leaves the line only after the cluster has taken it, and one that is sent twice is there once.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from groundswell.index.closing import Closing
from groundswell.index.codec import KINDS, decode, encode, name_of
from groundswell.index.parts import sorted_out
from groundswell.index.query import Bucket, By, Extent, Page, Query, Tally
from groundswell.index.records import Case, Checkpoint, Document, Enriched, Lease, Mention, Record
from groundswell.index.sqlite.connect import explained
from groundswell.index.store import EVERY, R, Refused, Report, Store, StoreError, UnavailableError

AT_ONCE = 1000
"""Records that leave the line together."""
LOCK_SECONDS = 60.0
"""How long to wait for another process that uses the same spool."""
log = logging.getLogger(__name__)


class Line:
    """Records that wait, first in first out, on disk; each call is one durable transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS waiting (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, json TEXT)"
        )

    def __len__(self) -> int:
        """Return how many records wait."""
        return int(self._db.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def append(self, records: Sequence[Record]) -> None:
        """Put records at the end; they are on disk when this returns."""
        rows = [(name_of(type(record)), encode(record)) for record in records]
        with explained(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT INTO waiting (kind, json) VALUES (?, ?)", rows)
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def first(self, count: int) -> tuple[list[Record], int]:
        """Return the first records and the number of the last of them."""
        rows = self._db.execute("SELECT n, kind, json FROM waiting ORDER BY n LIMIT ?", (count,)).fetchall()
        return [decode(KINDS[kind], text) for _, kind, text in rows], rows[-1][0] if rows else 0

    def drop(self, through: int) -> None:
        """Forget the records up to a number."""
        self._db.execute("DELETE FROM waiting WHERE n <= ?", (through,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class SpoolingStore(Closing):
    """A `Store` on a cluster that writes to the local disk while the cluster does not answer.

    Only for stages that can go on with what they themselves put: crawling and enriching. What needs everything that
    was ever stored takes `everything`. Once spooling, it goes on so until it is closed; opening it again catches up.
    """

    def __init__(self, connect: Callable[[], Store], folder: Path) -> None:
        self._connect, self._folder = connect, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "spool.lock")
        self._cluster: Store | None = None
        self._view: Store | None = None
        self._line: Line | None = None
        self._open()

    @property
    def spooling(self) -> bool:
        """Return whether the cluster is away."""
        return self._view is not None

    def _open(self) -> None:
        """Reach the cluster and send what waits; where that fails, begin to spool."""
        try:
            self._cluster = self._connect()
            catch_up(self._cluster, self._folder)
        except UnavailableError as error:
            self._begin(error)

    def _begin(self, error: UnavailableError) -> Store:
        """Go on without the cluster; say so once."""
        from groundswell.index.sqlite.write import SqliteStore

        if self._view is not None:
            return self._view
        log.warning(
            "%s\n  What is crawled and enriched now waits in %s and is sent when the cluster is back; nothing is lost.",
            error,
            self._folder / "spool.db",
        )
        try:
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise StoreError(f"another process spools in {self._folder}; wait for it to end, then run again") from error
        self._line = Line(self._folder / "spool.db")
        self._view = SqliteStore(self._folder / "spool-view.db")
        return self._view

    @contextmanager
    def _or_spool(self) -> Iterator[None]:
        """Begin to spool where the cluster does not answer."""
        try:
            yield
        except UnavailableError as error:
            self._begin(error)

    def _ask(self, ask: Callable[[Store], R]) -> R:
        """Ask the cluster, or, where it is away, what has been put since."""
        if self._view is None and self._cluster is not None:
            with self._or_spool():
                return ask(self._cluster)
        if self._view is None:
            raise StoreError("this store is closed")
        return ask(self._view)

    def get(self, kind: type[R], id: str) -> R | None:
        """Return one record by id, or ``None``."""
        return self._ask(lambda store: store.get(kind, id))

    def many(self, kind: type[R], ids: Sequence[str]) -> list[R]:
        """Return those that exist, in the order asked."""
        return self._ask(lambda store: store.many(kind, ids))

    def recent(self, kind: type[R], *, limit: int = 1000) -> list[R]:
        """Return records of one kind, newest first."""
        return self._ask(lambda store: store.recent(kind, limit=limit))

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
        return self._ask(lambda store: store.select(kind, states=states, since=since, until=until, limit=limit))

    def latest(self, kind: type[R], *, states: Collection[str] = (), until: datetime | None = None) -> list[R]:
        """Return the newest record about each subject, by subject."""
        return self._ask(lambda store: store.latest(kind, states=states, until=until))

    def tally(self, kind: type[R], *, since: datetime | None = None, until: datetime | None = None) -> list[Tally]:
        """Return how many records of one kind there are by subject, state and day."""
        return self._ask(lambda store: store.tally(kind, since=since, until=until))

    def search(self, query: Query) -> Page:
        """Return a page of documents."""
        return self._ask(lambda store: store.search(query))

    def count(self, query: Query, by: By) -> list[Bucket]:
        """Return counts and moods."""
        return self._ask(lambda store: store.count(query, by))

    def extents(self, queries: Sequence[Query]) -> list[Extent]:
        """Return for each query how many documents match, and when the latest was published."""
        return self._ask(lambda store: store.extents(queries))

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document; where the cluster goes away meanwhile, those that were put since."""
        if self._view is None and self._cluster is not None:
            with self._or_spool():
                yield from self._cluster.scan(query)
                return
        if self._view is not None:
            yield from self._view.scan(query)

    def put(self, records: Iterable[Record]) -> Report:
        """Write records to the cluster, or at the end of the line."""
        given = list(records)
        if self._view is None and self._cluster is not None:
            with self._or_spool():
                return self._cluster.put(given)
        if self._view is None or self._line is None:
            raise StoreError("this store is closed")
        good, refused = sorted_out(given)
        self._line.append(good)
        seen = self._view.put(good)
        # A part whose mention is not in the view belongs to a mention of the cluster: it waits like the rest.
        return Report(new=seen.new + len(seen.refused), updated=seen.updated, same=seen.same, refused=refused)

    def edit(self, case: Case, *, expected_version: int) -> Case:
        """Write a case; people's changes do not wait, because others may change the same case meanwhile."""
        return everything(self).edit(case, expected_version=expected_version)

    def swap(self, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
        """Put one record in another's place; what others may swap at the same time does not wait either."""
        return everything(self).swap(before, after)

    def delete(self, kind: type[R], ids: Sequence[str]) -> int:
        """Forget records by id; forgetting does not wait."""
        return everything(self).delete(kind, ids)

    @property
    def cluster(self) -> Store | None:
        """Return the cluster's own store, ``None`` while it is away."""
        return None if self.spooling else self._cluster

    def close(self) -> None:
        """Close everything."""
        for each in (self._cluster, self._view, self._line):
            if each is not None:
                each.close()
        self._cluster = self._view = self._line = None
        self._lock.release()


def everything(store: Store) -> Store:
    """Return the store that holds all there is, for a stage that must see all of it.

    Raises:
        UnavailableError: it is away, and only what was put since is here.
    """
    if not isinstance(store, SpoolingStore):
        return store
    if store.cluster is None:
        raise UnavailableError("the cluster is away; this needs all that was ever stored, and waits until it is back")
    return store.cluster


def catch_up(cluster: Store, folder: Path) -> int:
    """Send what waits, in order, and forget it as soon as the cluster has it; return how many records it was.

    Does nothing while another process spools or sends.

    Raises:
        UnavailableError: the cluster went away again; the rest waits on.
    """
    path, lock = folder / "spool.db", FileLock(folder / "spool.lock")
    if not path.exists():
        return 0
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return 0
    try:
        with closing(Line(path)) as line:
            sent, refused = _send(line, cluster)
        for name in ("spool.db", "spool-view.db"):
            for end in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    (folder / f"{name}{end}").unlink()
    finally:
        lock.release()
    if sent:
        log.warning(
            "The cluster is back: %s records that waited were sent, %s of them refused.", f"{sent:,}", len(refused)
        )
    return sent


def _send(line: Line, cluster: Store) -> tuple[int, list[Refused]]:
    """Send all that waits, some at a time."""
    sent, refused = 0, list[Refused]()
    while True:
        records, last = line.first(AT_ONCE)
        if not records:
            return sent, refused
        refused += cluster.put(_not_understood_yet(cluster, records)).refused
        line.drop(last)
        sent += len(records)


def _not_understood_yet(cluster: Store, records: Sequence[Record]) -> list[Record]:
    """Leave out what the same model made again of a text that the cluster has understood already.

    While the cluster was away a source may have been read from its beginning; what the cluster knows of those texts is
    better, because copies from before could not be seen here.
    """
    ids = [record.id for record in records if isinstance(record, Enriched)]
    stored = {each.id: each for each in cluster.many(Document, ids)}
    texts = {record.id: record.text for record in records if isinstance(record, Mention)}

    def again(record: Record) -> bool:
        there = stored.get(record.id)
        if not isinstance(record, Enriched) or there is None or there.enriched is None:
            return False
        text = there.mention.text
        return there.enriched.made_by == record.made_by and texts.get(record.id, text) == text

    return [record for record in records if not again(record)]


__all__ = ["Line", "SpoolingStore", "catch_up", "everything"]
