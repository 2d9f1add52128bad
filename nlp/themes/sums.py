"""The sums behind themes: one row a cluster, so that all are compared in one product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import DIMENSIONS, WIDTH, Floats

FULL = 300.0
"""Documents a profile remembers in effect; older ones fade from it, so that a theme may move, slowly."""
TRACE = 32
"""Latest members whose distance of arrival counts."""
LONG_AGO = -(10**9)


class Sums:
    """Rows that are given out, summed into, and taken back.

    Attributes:
        n: documents in each row, fading.
        evidence: sum of evidence, shape ``(capacity, 384 + 1024)``.
        raw: sum of uncentred embeddings, shape ``(capacity, 384)``.
        trace: positions of arrival of the latest members, ascending, shape ``(capacity, 32)``.
        last: the latest of them.
        free: rows that can be given out, the next one last.
    """

    def __init__(self) -> None:
        self.n: Floats = np.zeros(0, np.float32)
        self.evidence: Floats = np.zeros((0, WIDTH), np.float32)
        self.raw: Floats = np.zeros((0, DIMENSIONS), np.float32)
        self.trace = np.zeros((0, TRACE), np.int64)
        self.last = np.zeros(0, np.int64)
        self.free: list[int] = []
        self.grow(64)

    def grow(self, capacity: int) -> None:
        """Make room; never shrinks."""
        before = len(self.n)
        if capacity <= before:
            return
        self.n = grown(self.n, capacity, 0)
        self.evidence, self.raw = grown(self.evidence, capacity, 0), grown(self.raw, capacity, 0)
        self.trace, self.last = grown(self.trace, capacity, LONG_AGO), grown(self.last, capacity, LONG_AGO)
        self.free += list(range(capacity - 1, before - 1, -1))

    def take(self) -> int:
        """Return an empty row."""
        if not self.free:
            self.grow(2 * len(self.n))
        row = self.free.pop()
        self.n[row], self.evidence[row], self.raw[row] = 0, 0, 0
        self.trace[row], self.last[row] = LONG_AGO, LONG_AGO
        return row

    def means(self, rows: NDArray[np.int64]) -> Floats:
        """Return mean evidence, one line a row."""
        out: Floats = (self.evidence[rows] / np.maximum(self.n[rows], 1e-9)[:, None]).astype(np.float32)
        return out

    def put_in(self, row: int, evidence: Floats, raw: Floats, position: int) -> None:
        """Add a document."""
        if self.n[row] >= FULL:
            self._fade(row, (FULL - 1) / float(self.n[row]))
        self.n[row] += 1
        self.evidence[row] += evidence
        self.raw[row] += raw
        self.trace[row] = np.sort(np.append(self.trace[row][1:], position))
        self.last[row] = self.trace[row][-1]

    def take_out(self, row: int, evidence: Floats, raw: Floats, position: int) -> None:
        """Take a recent document away again."""
        self.n[row] = np.maximum(self.n[row] - 1, 0)
        self.evidence[row] -= evidence
        self.raw[row] -= raw
        self.trace[row] = np.sort(np.where(self.trace[row] == position, LONG_AGO, self.trace[row]))

    def pour(self, source: int, target: int) -> None:
        """Add one row to another."""
        self.n[target] += self.n[source]
        self.evidence[target] += self.evidence[source]
        self.raw[target] += self.raw[source]
        self.trace[target] = np.sort(np.append(self.trace[target], self.trace[source]))[-TRACE:]
        self.last[target] = self.trace[target][-1]

    def _fade(self, row: int, share: float) -> None:
        self.n[row] *= np.float32(share)
        self.evidence[row] *= share
        self.raw[row] *= share


def grown(array: NDArray[Any], capacity: int, fill: float) -> NDArray[Any]:
    """Return a longer array that begins with this one."""
    out = np.full((capacity, *array.shape[1:]), fill, array.dtype)
    out[: len(array)] = array
    return out
