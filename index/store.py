"""The two contracts: what may be read, and what may be written.

Views take a `Reader`, so the type checker keeps them read-only. Every store passes the suite in
``tests/index/contract.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from groundswell.index.query import Bucket, By, Extent, Page, Query, Tally
from groundswell.index.records import Case, Checkpoint, Document, Lease, Record

R = TypeVar("R")
EVERY = 100_000
"""Records of one kind that are read at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that a store would not take."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the records of one `Store.put`: new + updated + same + refused = all given."""

    new: int = 0
    updated: int = 0
    same: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: Report) -> Report:
        """Return both together."""
        return Report(
            new=self.new + other.new,
            updated=self.updated + other.updated,
            same=self.same + other.same,
            refused=self.refused + other.refused,
        )


class StoreError(Exception):
    """A store that cannot answer; the message says which, why, and what to do next."""


class UnavailableError(StoreError):
    """The store cannot be reached or does not keep up: what is to be written can wait (`groundswell.index.spool`)."""


class Conflict(StoreError):  # noqa: N818  a person reads it: "two people edited this case"
    """Somebody else changed the record since it was read."""


class Reader(Protocol):
    """What a view may do."""

    def get(self, kind: type[R], id: str) -> R | None:
        """Return one record (or a whole `Document`) by id, or ``None``."""

    def many(self, kind: type[R], ids: Sequence[str]) -> list[R]:
        """Return those that exist, in the order asked."""

    def recent(self, kind: type[R], *, limit: int = 1000) -> list[R]:
        """Return records of one kind (themes, signals, cases, runs, labels …), newest first by their own time.

        Vectors of documents are left out here; `get` and `many` have them.
        """

    def select(
        self,
        kind: type[R],
        *,
        states: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = EVERY,
    ) -> list[R]:
        """Return records of one kind (not of documents) by state and own time in ``[since, until)``, newest first.

        Only those that are returned are decoded: 400 alerts of 20,000 signals cost as much as 400.

        Args:
            kind: signals, visits, labels …
            states: what `groundswell.index.groups.state_of` says of them; any where none is given.
            since: nothing older.
            until: nothing of that moment or newer.
            limit: how many at most.
        """

    def latest(self, kind: type[R], *, states: Collection[str] = (), until: datetime | None = None) -> list[R]:
        """Return the newest record about each subject (the last visit to each source), by subject.

        With `until`, what had happened before it: a source that was first visited later has none. With `states`, the
        newest of these: the last visit that went well.
        """

    def tally(self, kind: type[R], *, since: datetime | None = None, until: datetime | None = None) -> list[Tally]:
        """Return how many records of one kind there are by subject, state and day (UTC), in this order.

        Nothing is decoded for it.
        """

    def search(self, query: Query) -> Page:
        """Return a page of documents with total, facets and a stable cursor.

        By time (the default; the undated are older than everything dated) pages neither repeat nor skip a document
        that nobody changed, whatever is written meanwhile. By relevance they go 1,000 documents deep, and of more than
        30,000 that match, the embedded store ranks the 30,000 that came last; totals and facets count all. With
        `Query.vector` the order is always by relevance; the answer is what matches the words, and the 200 nearest of
        those that meet the other conditions. `Page.total` counts clusters where collapsed; facets count documents,
        leave out "" (none) and go to 200 values.

        Raises:
            StoreError: the store cannot answer, or the cursor is not its own.
        """

    def count(self, query: Query, by: By) -> list[Bucket]:
        """Return counts and moods, ordered by start, then values. `Query.limit` and `cursor` do not matter.

        A document without a value of a field counts under ""; one with several (risk, target, rule) under each.
        By period, only what has a trustworthy date counts. `Query.vector` does not matter either.
        """

    def extents(self, queries: Sequence[Query]) -> list[Extent]:
        """Return for each query how many documents match, each copy counted, and when the latest was published.

        Many small questions at once (an inbox asks a few of every alert): those about one field's values and a span of
        time cost next to nothing. Only the conditions of a query matter.
        """


class Store(Reader, Protocol):
    """What a stage may do."""

    def scan(self, query: Query) -> Iterator[Document]:
        """Yield every matching document, oldest first (by published_at, then id), bounded in memory.

        Writing while scanning is allowed; documents written meanwhile may or may not be seen. The undated come first.
        `Query.limit`, `cursor`, `sort`, `vector` and `facets` do not matter.
        """

    def put(self, records: Iterable[Record]) -> Report:
        """Write records; the same id twice is once. Atomic for each call in the embedded store.

        Mentions go before what was understood of them, in whatever order they are given. A `Mention` seen again, which
        differs only in ``fetched_at``, is the same (the first fetch is kept); one that differs otherwise is updated;
        another title or text also voids its `Enriched` and `Membership`, so that the stages read it again.
        `Enriched` and `Membership` without their mention are refused. An `Enriched` without a vector keeps the vector
        that is there; vectors are kept as float16, and all have the same length. A `Case` that is there changes only
        through `edit`. Whatever is refused comes back with its reason (`groundswell.index.refusals`).
        """

    def edit(self, case: Case, *, expected_version: int) -> Case:
        """Write a case if nobody changed it since `expected_version`; return it with its new version.

        Raises:
            Conflict: somebody did; nothing is overwritten.
        """

    def swap(self, before: Lease | Checkpoint | None, after: Lease | Checkpoint | None) -> bool:
        """Put `after` in the place of `before` if that is still what rests there; return whether it was.

        Of several who swap the same at the same time one is told that it was. Without `before` there must be nothing
        under the id; without `after` the record is forgotten. This is what leases rest on (`groundswell.index.leases`).

        Raises:
            ValueError: the two are no records of one kind and id.
        """

    def delete(self, kind: type[R], ids: Sequence[str]) -> int:
        """Forget records by id; return how many there were.

        Forgetting a mention (or `Document`) forgets its enrichment, membership, words and vector; forgetting an
        `Enriched` or `Membership` leaves the mention.
        """

    def close(self) -> None:
        """Give back what is held."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
