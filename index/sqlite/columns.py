"""What documents are counted by, one column a field: written in blocks, read whole, a million in a blink.

A row number is a document's place in every column. Texts are codes (table ``code``), 0 standing for "".
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from groundswell.index.fields import COLUMNS, TAGS, cluster_of
from groundswell.index.query import Field
from groundswell.index.segment import is_text

BLOCK = 2048
"""Row numbers of one block: a write rewrites the blocks it touches, 150 kB each."""
CODED = ("source", "kind", "lang", "market", "date_confidence", "sentiment", "theme", "author", "thread", "made_by")
"""Fields that stand in every row as a code."""
HERE, ENRICHED, MEMBERSHIP, VECTOR = 1, 2, 4, 8
"""Flags of a row: there is a document, and which parts it has."""
NO_MOOD = -(2**31)
ROW: np.dtype[Any] = np.dtype(
    [("at", "<i8"), ("cluster", "<i8"), ("mood", "<i4"), ("flags", "<u4"), *((name, "<u4") for name in CODED)]
)
TAG: np.dtype[Any] = np.dtype([("place", "<u2"), ("field", "<u2"), ("code", "<u4")])
"""A value of a field of which a document may have several; the place is within the block."""
Numbers = NDArray[np.int64]
Codes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Change:
    """A row number, and what stands there from now on; nothing for ``None``."""

    n: int
    values: tuple[Any, ...] | None = None
    tags: Sequence[tuple[Field, str]] = ()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield every text that needs a code."""
        if self.values is not None:
            values = dict(zip(COLUMNS, self.values, strict=True))
            yield from ((name, values[name]) for name in CODED if values[name])
            yield from self.tags


def update(db: sqlite3.Connection, changes: Iterable[Change], seq: int) -> None:
    """Bring the blocks up to date within a transaction."""
    changes = sorted(changes, key=lambda change: change.n)
    codes = _codes(db, {text for change in changes for text in change.texts()})
    for block, some in groupby(changes, key=lambda change: change.n // BLOCK):
        rows, tags = _changed(_load(db, block), list(some), codes)
        db.execute(
            "REPLACE INTO packed (block, seq, rows, tags) VALUES (?, ?, ?, ?)",
            (block, seq, rows.tobytes(), tags.tobytes()),
        )


def repack(db: sqlite3.Connection) -> None:
    """Make all blocks from the documents themselves, within a transaction."""
    db.execute("DELETE FROM packed")
    last = int(db.execute("SELECT coalesce(max(n), -1) FROM document").fetchone()[0])
    for begin in range(0, last + 1, BLOCK):
        span = (begin, begin + BLOCK)
        tags: dict[int, list[tuple[Field, str]]] = {}
        for n, name, value in db.execute("SELECT n, field, value FROM tag WHERE n >= ? AND n < ? ORDER BY n", span):
            tags.setdefault(n, []).append((name, value))
        rows = db.execute(f"SELECT n, {', '.join(COLUMNS)} FROM document WHERE n >= ? AND n < ?", span)
        update(db, [Change(n, tuple(values), tags.get(n, ())) for n, *values in rows], seq=1)


def _codes(db: sqlite3.Connection, texts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the code of each text, made where there is none yet."""
    texts = list(texts)
    db.executemany("INSERT OR IGNORE INTO code (field, value) VALUES (?, ?)", texts)
    sql = "SELECT code FROM code WHERE field = ? AND value = ?"
    return {text: db.execute(sql, text).fetchone()[0] for text in texts}


def _load(db: sqlite3.Connection, block: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows and tags of a block, empty ones where it is new."""
    found = db.execute("SELECT rows, tags FROM packed WHERE block = ?", (block,)).fetchone()
    if found is None:
        return np.zeros(BLOCK, ROW), np.zeros(0, TAG)
    return np.frombuffer(found[0], ROW).copy(), np.frombuffer(found[1], TAG)


def _changed(
    block: tuple[NDArray[Any], NDArray[Any]], changes: Sequence[Change], codes: Mapping[tuple[str, str], int]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows and tags of a block with the changes made; tags stay in the order of their places."""
    rows, tags = block
    places = [change.n % BLOCK for change in changes]
    rows[places] = np.array([_row(change.values, codes) for change in changes], ROW)
    remaining = tags[~np.isin(tags["place"], places)]
    fresh = [
        (change.n % BLOCK, TAGS.index(name), codes[name, value]) for change in changes for name, value in change.tags
    ]
    tags = np.concatenate([remaining, np.array(fresh, TAG)])
    return rows, tags[np.argsort(tags["place"], kind="stable")]


def _row(values: tuple[Any, ...] | None, codes: Mapping[tuple[str, str], int]) -> tuple[int, ...]:
    """Return a document as a row."""
    if values is None:
        return (0,) * (4 + len(CODED))
    of = dict(zip(COLUMNS, values, strict=True))
    flags = HERE | ENRICHED * of["enriched"] | MEMBERSHIP * of["membership"] | VECTOR * of["vector"]
    mood = NO_MOOD if of["mood"] is None else of["mood"]
    coded: Iterator[int] = (codes[name, of[name]] if of[name] else 0 for name in CODED)
    return (int(of["at"]), cluster_of(of["duplicate"]), int(mood), int(flags), *coded)


@dataclass(frozen=True, slots=True)
class Tags:
    """The values of a field of which a document may have several: those of row n are codes[starts[n]:starts[n + 1]]."""

    codes: Codes
    starts: Numbers


@dataclass(slots=True)
class Columns:
    """All blocks of one moment; a column is put together when it is first asked for."""

    blocks: dict[int, tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return one more than the largest row number there is room for."""
        return (max(self.blocks, default=-1) + 1) * BLOCK

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column of `ROW`, shape (size,)."""
        if name not in self._made:
            column = np.zeros(self.size, ROW[name])
            for block, (rows, _) in self.blocks.items():
                column[block * BLOCK : (block + 1) * BLOCK] = rows[name]
            self._made[name] = column
        return cast("NDArray[Any]", self._made[name])

    def tags(self, name: Field) -> Tags:
        """Return the values of a field of which a document may have several."""
        if name not in self._made:
            number, counts, codes = TAGS.index(name), np.zeros(self.size, np.int64), [np.zeros(0, np.uint32)]
            for block, (_, tags) in sorted(self.blocks.items()):
                own = tags[tags["field"] == number]
                counts[block * BLOCK : (block + 1) * BLOCK] = np.bincount(own["place"], minlength=BLOCK)
                codes.append(own["code"])
            self._made[name] = Tags(np.concatenate(codes), np.concatenate([[0], np.cumsum(counts)]))
        return cast("Tags", self._made[name])

    def clusters(self) -> tuple[Numbers, int]:
        """Return for each row a small number for its near-duplicate cluster, and how many there are."""
        if "clusters" not in self._made:
            distinct, numbers = np.unique(self["cluster"], return_inverse=True)
            self._made["clusters"] = (numbers, len(distinct))
        return cast("tuple[Numbers, int]", self._made["clusters"])

    def times_of(self, name: str, code: int) -> Numbers:
        """Return the times of the documents whose value of a field has a code, in order."""
        return self.having(name, code)[0]

    def having(self, name: str, code: int) -> tuple[Numbers, Numbers]:
        """Return times and row numbers of the documents whose value of a field has a code, in the order of time."""
        key = f"times of {name}"
        if key not in self._made:
            self._made[key] = self._grouped(name)
        codes, times, rows = self._made[key]
        if code < 0:
            return times[:0], rows[:0]
        begin, end = codes.searchsorted(np.uint32(code), "left"), codes.searchsorted(np.uint32(code), "right")
        return times[begin:end], rows[begin:end]

    def _grouped(self, name: str) -> tuple[Codes, Numbers, Numbers]:
        """Return codes, times and row numbers of all documents, by code and then time.

        Documents mostly come in the order of time, which makes the first sort cheap; codes that fit into 16 bits are
        sorted by radix.
        """
        rows = np.flatnonzero(self["flags"] & HERE)
        rows = rows[np.argsort(self["at"][rows], kind="stable")]
        codes = self[name][rows]
        narrow = codes.astype(np.uint16) if len(codes) and codes.max() < 2**16 else codes
        order = np.argsort(narrow, kind="stable")
        rows = rows[order]
        return codes[order], self["at"][rows], rows


class ColumnCache:
    """The columns, for every thread of a process; whoever asks brings them up to date."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._columns = Columns()

    def current(self, db: sqlite3.Connection) -> Columns:
        """Return the columns as the connection sees them, or newer ones that another thread has seen."""
        with self._lock:
            seq = int(db.execute("SELECT coalesce(max(seq), 0) FROM packed").fetchone()[0])
            if seq > self._seq:
                fresh = db.execute("SELECT block, rows, tags FROM packed WHERE seq > ?", (self._seq,))
                blocks = {block: (np.frombuffer(rows, ROW), np.frombuffer(tags, TAG)) for block, rows, tags in fresh}
                self._columns, self._seq = Columns(self._columns.blocks | blocks), seq
            return self._columns


def code_of(db: sqlite3.Connection, name: str, value: str) -> int:
    """Return the code of a text, -1 where no document ever had it."""
    if not value or not is_text(value):
        return -1 if value else 0
    found = db.execute("SELECT code FROM code WHERE field = ? AND value = ?", (name, value)).fetchone()
    return int(found[0]) if found else -1


def texts_of(db: sqlite3.Connection, codes: Iterable[int]) -> dict[int, str]:
    """Return the text of each code."""
    wanted = [int(code) for code in codes]
    texts = {0: ""}
    for begin in range(0, len(wanted), 500):
        some = wanted[begin : begin + 500]
        sql = f"SELECT code, value FROM code WHERE code IN ({', '.join('?' * len(some))})"
        texts.update(db.execute(sql, some))
    return texts
