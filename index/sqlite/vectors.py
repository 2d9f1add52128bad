"""Exact nearest neighbours: all vectors in memory, kept up to date by reading only what was written since."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Vector

BLOCK = 8192
"""Rows that are widened from float16 to float32 at a time: they stay in the processor's cache."""
WIDE_UP_TO = 250_000
"""Documents whose vectors are held as float32 (384 MB at 384 dimensions), several times quicker; more as float16."""
Numbers = NDArray[np.int64]
Matrix = NDArray[np.floating[Any]]


class VectorCache:
    """A copy of the vector table, shape (documents, dimensions), for every thread of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._rows: dict[int, int] = {}
        self._ns = np.empty(0, np.int64)
        self._matrix: Matrix = np.empty((0, 0), np.float16)

    def nearest(
        self, db: sqlite3.Connection, vector: Vector, limit: int, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """Return (n, cosine) of the nearest documents, best first; among some only, where given."""
        with self._lock:
            self._refresh(db)
            ns, matrix = self._ns, self._matrix
            rows = None if among is None else np.array([self._rows[n] for n in among if n in self._rows], np.int64)
        if matrix.shape[1] != len(vector) or (rows is not None and not len(rows)):
            return []
        scores = _cosines(matrix, np.asarray(vector, np.float32), rows)
        best = np.argsort(-scores, kind="stable")[:limit] if len(scores) <= limit else _top(scores, limit)
        picked = best if rows is None else rows[best]
        return list(zip(ns[picked].tolist(), scores[best].tolist(), strict=True))

    def _refresh(self, db: sqlite3.Connection) -> None:
        """Read what was written since the last time; all of it where something was forgotten."""
        count, seq = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM vector").fetchone()
        if seq == self._seq and count == len(self._ns):
            return
        fresh = db.execute("SELECT n, half FROM vector WHERE seq > ? ORDER BY seq", (self._seq,)).fetchall()
        if count != len(self._rows.keys() | {n for n, _ in fresh}):
            self._rows, fresh = {}, db.execute("SELECT n, half FROM vector ORDER BY n").fetchall()
        self._take(fresh, count)
        self._seq = seq

    def _take(self, fresh: list[tuple[int, bytes]], count: int) -> None:
        """Put rows into a grown copy; what other threads hold is left as it is."""
        for n, _ in fresh:
            self._rows.setdefault(n, len(self._rows))
        wide = max((len(half) // 2 for _, half in fresh), default=self._matrix.shape[1])
        matrix: Matrix = np.zeros((count, wide), np.float32 if count <= WIDE_UP_TO else np.float16)
        ns = np.fromiter(self._rows, np.int64, count)
        kept = min(len(self._matrix), count)
        if self._matrix.shape[1] == wide:
            matrix[:kept] = self._matrix[:kept]
        for n, half in fresh:
            row = np.frombuffer(half, "<f2")
            matrix[self._rows[n], : len(row)] = row
        self._ns, self._matrix = ns, matrix


def _cosines(matrix: Matrix, vector: Vector, rows: Numbers | None) -> NDArray[np.float32]:
    """Return the cosine of each row (or of some rows) with a unit vector."""
    total = len(matrix) if rows is None else len(rows)
    scores = np.empty(total, np.float32)
    for begin in range(0, total, BLOCK):
        part = slice(begin, begin + BLOCK)
        block = matrix[part] if rows is None else matrix[rows[part]]
        scores[part] = block.astype(np.float32, copy=False) @ vector
    return scores


def _top(scores: NDArray[np.float32], limit: int) -> Numbers:
    """Return the places of the highest scores, best first."""
    candidates = np.argpartition(-scores, limit - 1)[:limit] if limit else np.empty(0, np.int64)
    return candidates[np.argsort(-scores[candidates], kind="stable")]
