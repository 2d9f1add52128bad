"""The sums behind themes: one row a cluster, so that all are compared in one product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import DIMENSIONS, WIDTH, Floats

FULL = 300.0
"""Documents a profile remembers in effect; older ones fade from it, so that a theme may move, slowly."""
TRACE = 8
"""Latest members whose times count."""
LONG_AGO = -1e15
"""A time for places that hold none: before all that can be."""


class Sums:
    """Rows that are given out, summed into, and taken back.

    Attributes:
        n: documents in each row, fading.
        evidence: sum of evidence, shape ``(capacity, 384 + 1024)``.
        raw: sum of uncentred embeddings, shape ``(capacity, 384)``.
        trace: times of the latest members, in seconds, shape ``(capacity, 8)``.
        free: rows that can be given out, the next one last.
    """

    def __init__(self) -> None:
        self.n: Floats = np.zeros(0, np.float32)
        self.evidence: Floats = np.zeros((0, WIDTH), np.float32)
        self.raw: Floats = np.zeros((0, DIMENSIONS), np.float32)
        self.trace = np.zeros((0, TRACE))
        self.free: list[int] = []
        self.grow(64)

    def grow(self, capacity: int) -> None:
        """Make room; never shrinks."""
        before = len(self.n)
        if capacity <= before:
            return
        self.n = grown(self.n, capacity, 0)
        self.evidence, self.raw = grown(self.evidence, capacity, 0), grown(self.raw, capacity, 0)
        self.trace = grown(self.trace, capacity, LONG_AGO)
        self.free += list(range(capacity - 1, before - 1, -1))

    def take(self) -> int:
        """Return an empty row."""
        if not self.free:
            self.grow(2 * len(self.n))
        row = self.free.pop()
        self.n[row], self.evidence[row], self.raw[row], self.trace[row] = 0, 0, 0, LONG_AGO
        return row

    def means(self, rows: NDArray[np.int64]) -> Floats:
        """Return mean evidence, one line a row."""
        out: Floats = (self.evidence[rows] / np.maximum(self.n[rows], 1e-9)[:, None]).astype(np.float32)
        return out

    def put_in(self, row: int, evidence: Floats, raw: Floats, at: float) -> None:
        """Add a document."""
        if self.n[row] >= FULL:
            self._fade(row, (FULL - 1) / float(self.n[row]))
        self.n[row] += 1
        self.evidence[row] += evidence
        self.raw[row] += raw
        self.trace[row] = np.sort(np.append(self.trace[row], at))[1:]

    def pour(self, source: int, target: int) -> None:
        """Add one row to another."""
        self.n[target] += self.n[source]
        self.evidence[target] += self.evidence[source]
        self.raw[target] += self.raw[source]
        self.trace[target] = np.sort(np.append(self.trace[target], self.trace[source]))[-TRACE:]

    def _fade(self, row: int, share: float) -> None:
        self.n[row] *= np.float32(share)
        self.evidence[row] *= share
        self.raw[row] *= share


def grown(array: NDArray[Any], capacity: int, fill: float) -> NDArray[Any]:
    """Return a longer array that begins with this one."""
    out = np.full((capacity, *array.shape[1:]), fill, array.dtype)
    out[: len(array)] = array
    return out
