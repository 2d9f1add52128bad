"""Nearest neighbours: exact up to `WIDE_UP_TO` documents; beyond, one bit a dimension finds whom to look at closely.

Vectors of a language model share a strong common direction. Once it is taken away, two texts are alike where their
numbers have the same signs: counting these takes milliseconds for a million. The best few thousand are then ordered by
their whole vectors, which are read from the database, so that nothing but the bits need be in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.index.batches import sliced
from groundswell.index.records import Vector
from groundswell.index.sqlite.choose import Mask
from groundswell.index.sqlite.columns import Numbers
from groundswell.index.sqlite.load import ROWS_AT_ONCE

WIDE_UP_TO = 100_000
"""Documents whose vectors are held as they are (150 MB at 384 dimensions)."""
CLOSER = 25
"""Rows looked at closely, for one that is wanted."""
AT_ONCE = 8192
"""Rows whose bits are compared at a time: they stay in the processor's cache."""
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of the vectors of rows: the vectors themselves, or the signs of what they differ from the mean.

    Attributes:
        bits: shape (64-bit words of a vector, rows).
    """

    numbers: Numbers
    dimensions: int = 0
    whole: Matrix | None = None
    bits: NDArray[np.uint64] | None = None
    mean: Vector | None = None

    @property
    def last(self) -> int:
        """Return the largest row number."""
        return int(self.numbers.max(initial=-1))


class VectorCache:
    """A copy of the vector table for every thread of a process, kept up to date by reading only what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._held = Held(np.empty(0, np.int64))

    def nearest(
        self, db: sqlite3.Connection, vector: Vector, limit: int, allowed: Mask, count: int
    ) -> list[tuple[int, float]]:
        """Return (row number, cosine) of the nearest documents among those allowed, best first.

        The count is that of all documents with a vector: the columns know it, SQLite would have to go through a table.
        """
        with self._lock:
            self._refresh(db, count)
            held = self._held
        vector = np.asarray(vector, np.float32)
        if held.dimensions != len(vector):
            return []
        if held.last >= len(allowed):  # another thread has seen later documents
            allowed = np.pad(allowed, (0, held.last + 1 - len(allowed)))
        places = np.flatnonzero(allowed[held.numbers])
        if held.whole is not None:
            scores = held.whole[places] @ vector if len(places) < len(held.numbers) else held.whole @ vector
            return _best(held.numbers[places], scores, limit)
        close = places[closest(distances(held, vector)[places], CLOSER * limit)]
        return _best(*_cosines(db, held.numbers[close], vector), limit)

    def _refresh(self, db: sqlite3.Connection, count: int) -> None:
        """Read what was written since the last time; all of it where something was forgotten, or much has come."""
        (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM vector").fetchone()
        if seq == self._seq and count == len(self._held.numbers):
            return
        held = self._held
        (changed,) = db.execute("SELECT count(*) FROM vector WHERE seq > ?", (self._seq,)).fetchone()
        alike = (held.whole is not None) == (count <= WIDE_UP_TO)
        if alike and changed < count // 2 and (more := _later(db, held, self._seq, count)):
            self._held = more
        else:
            self._held = _all(db, count)
        self._seq = seq


def _all(db: sqlite3.Connection, count: int) -> Held:
    """Read all vectors."""
    row = db.execute("SELECT length(half) / 2 FROM vector LIMIT 1").fetchone()
    dimensions = int(row[0]) if row else 0
    numbers = np.empty(count, np.int64)
    whole = np.empty((count, dimensions), np.float32) if count <= WIDE_UP_TO else None
    mean = None if whole is not None else _mean(db)
    bits = np.empty((_words(dimensions), count), np.uint64) if mean is not None else None
    rows, done = db.execute("SELECT n, half FROM vector ORDER BY n"), 0
    while some := rows.fetchmany(AT_ONCE):
        part = slice(done, done := done + len(some))
        numbers[part] = [n for n, _ in some]
        halves = [half for _, half in some]
        if whole is not None:
            whole[part] = _wide(halves)
        elif bits is not None and mean is not None:
            bits[:, part] = packed(_above(halves, mean)).T
    return Held(numbers, dimensions, whole, bits, mean)


def _later(db: sqlite3.Connection, held: Held, seq: int, count: int) -> Held | None:
    """Return what is held with what was written since; ``None`` where rows have gone meanwhile."""
    fresh = db.execute("SELECT n, half FROM vector WHERE seq > ? ORDER BY n", (seq,)).fetchall()
    if not fresh:
        return None
    own = np.array([n for n, _ in fresh], np.int64)
    remaining = ~np.isin(held.numbers, own)
    numbers = np.concatenate([held.numbers[remaining], own])
    if len(numbers) != count:
        return None
    wide = _wide([half for _, half in fresh])
    if held.whole is not None:
        return Held(numbers, held.dimensions, np.concatenate([held.whole[remaining], wide]))
    if held.bits is None or held.mean is None:
        return None
    bits = np.concatenate([held.bits[:, remaining], packed(wide > held.mean).T], axis=1)
    return Held(numbers, held.dimensions, None, bits, held.mean)


def _mean(db: sqlite3.Connection) -> Vector:
    """Return the mean of vectors from all over the table."""
    last = int(db.execute("SELECT max(n) FROM vector").fetchone()[0])
    spread = np.linspace(0, last, AT_ONCE).astype(int).tolist()
    rows = [half for n in spread for (half,) in db.execute("SELECT half FROM vector WHERE n >= ? LIMIT 1", (n,))]
    mean: Vector = _wide(rows).mean(axis=0)
    return mean


def _wide(halves: Sequence[bytes]) -> Matrix:
    """Return vectors as the database keeps them as rows of numbers."""
    return np.frombuffer(b"".join(halves), "<f2").reshape(len(halves), -1).astype(np.float32)


def _words(dimensions: int) -> int:
    """Return how many 64-bit numbers the signs of a vector fill."""
    return -(-dimensions // 64)


def signs(matrix: Matrix) -> NDArray[np.uint64]:
    """Return one bit a number, set where it is positive."""
    return packed(matrix > 0)


def packed(positive: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return truths, shape (rows, dimensions), as bits of whole 64-bit words."""
    bits = np.zeros((len(positive), 64 * _words(positive.shape[1])), np.bool_)
    bits[:, : positive.shape[1]] = positive
    return np.packbits(bits, axis=1).view(np.uint64)


def _above(halves: Sequence[bytes], mean: Vector) -> NDArray[np.bool_]:
    """Return where vectors as the database keeps them are above the mean.

    They are compared as the whole numbers that their bits are, which takes a sixth of the time of making them wide.
    """
    least = mean.astype("<f2")
    least = np.where(least > mean, np.nextafter(least, np.float16(-np.inf)), least) + np.float16(0)
    rows = np.frombuffer(b"".join(halves), "<i2").reshape(len(halves), -1)
    return _ordered(rows) > _ordered(least.astype("<f2").view("<i2"))


def _ordered(bits: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the bits of float16 numbers as whole numbers in the same order: of negative ones all but the sign turn."""
    return bits ^ ((bits >> 15) & 0x7FFF)


def distances(held: Held, vector: Vector) -> NDArray[np.uint16]:
    """Return in how many signs each row differs from a vector."""
    bits, mean = held.bits, held.mean
    if bits is None or mean is None:
        return np.zeros(len(held.numbers), np.uint16)
    own = signs((vector - mean)[None, :]).T
    differing = np.empty(len(held.numbers), np.uint16)
    for begin in range(0, len(differing), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        np.bitwise_count(bits[:, part] ^ own).sum(axis=0, dtype=np.uint16, out=differing[part])
    return differing


def closest(distances: NDArray[np.uint16], limit: int) -> Numbers:
    """Return the places of at least so many smallest distances, in no order."""
    reached = np.cumsum(np.bincount(distances))
    return np.flatnonzero(distances <= np.searchsorted(reached, limit))


def _cosines(db: sqlite3.Connection, numbers: Numbers, vector: Vector) -> tuple[Numbers, NDArray[np.float32]]:
    """Return rows with the cosine of each, from the whole vectors in the database."""
    found, scores = [], []
    for some in sliced(np.sort(numbers).tolist(), ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        rows = db.execute(f"SELECT n, half FROM vector WHERE n IN ({marks})", some).fetchall()
        found += [n for n, _ in rows]
        scores.append(_wide([half for _, half in rows]) @ vector)
    return np.array(found, np.int64), np.concatenate(scores) if scores else np.empty(0, np.float32)


def _best(numbers: Numbers, scores: NDArray[np.float32], limit: int) -> list[tuple[int, float]]:
    """Return row numbers with the highest scores, best first."""
    some = np.argpartition(-scores, limit - 1)[:limit] if 0 < limit < len(scores) else np.arange(len(scores))[:limit]
    some = some[np.argsort(-scores[some], kind="stable")]
    return list(zip(numbers[some].tolist(), scores[some].tolist(), strict=True))
