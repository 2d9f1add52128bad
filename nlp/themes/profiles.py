"""Profiles of clusters: one row of sums each, so that all are compared in one matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import DIMENSIONS, WIDTH, Floats

MEMORY = 300.0
"""Documents a profile remembers in effect (exponential forgetting), so that a theme may drift, slowly."""
ARRIVALS = 8
"""Latest members whose times count."""
NEVER = -1e15
"""A time for places that hold none: before all that can be."""


class Profiles:
    """Rows of sums that are allocated, added to, merged and released.

    Attributes:
        weight: documents in each row, fading, shape ``(capacity,)``.
        evidence: sum of evidence, shape ``(capacity, 384 + 1024)``.
        embedding: sum of uncentred embeddings, shape ``(capacity, 384)``.
        arrivals: times of the latest members, in seconds, shape ``(capacity, 8)``.
        free: rows that can be allocated, the next one last.
    """

    def __init__(self) -> None:
        self.weight: Floats = np.zeros(0, np.float32)
        self.evidence: Floats = np.zeros((0, WIDTH), np.float32)
        self.embedding: Floats = np.zeros((0, DIMENSIONS), np.float32)
        self.arrivals = np.zeros((0, ARRIVALS))
        self.free: list[int] = []
        self.grow(64)

    def grow(self, capacity: int) -> None:
        """Make room; never shrinks."""
        before = len(self.weight)
        if capacity <= before:
            return
        self.weight = extended(self.weight, capacity, 0)
        self.evidence, self.embedding = extended(self.evidence, capacity, 0), extended(self.embedding, capacity, 0)
        self.arrivals = extended(self.arrivals, capacity, NEVER)
        self.free += list(range(capacity - 1, before - 1, -1))

    def allocate(self) -> int:
        """Return an empty row."""
        if not self.free:
            self.grow(2 * len(self.weight))
        row = self.free.pop()
        self.weight[row], self.evidence[row], self.embedding[row], self.arrivals[row] = 0, 0, 0, NEVER
        return row

    def means(self, rows: NDArray[np.int64]) -> Floats:
        """Return mean evidence, one line a row."""
        out: Floats = (self.evidence[rows] / np.maximum(self.weight[rows], 1e-9)[:, None]).astype(np.float32)
        return out

    def add(self, row: int, evidence: Floats, embedding: Floats, at: float) -> None:
        """Add a document."""
        if self.weight[row] >= MEMORY:
            self._forget(row, (MEMORY - 1) / float(self.weight[row]))
        self.weight[row] += 1
        self.evidence[row] += evidence
        self.embedding[row] += embedding
        self.arrivals[row] = np.sort(np.append(self.arrivals[row], at))[1:]

    def merge(self, source: int, target: int) -> None:
        """Add one row to another; the source keeps what it holds until it is allocated again."""
        self.weight[target] += self.weight[source]
        self.evidence[target] += self.evidence[source]
        self.embedding[target] += self.embedding[source]
        self.arrivals[target] = np.sort(np.append(self.arrivals[target], self.arrivals[source]))[-ARRIVALS:]

    def _forget(self, row: int, share: float) -> None:
        self.weight[row] *= np.float32(share)
        self.evidence[row] *= share
        self.embedding[row] *= share


def extended(array: NDArray[Any], capacity: int, fill: float) -> NDArray[Any]:
    """Return a longer array that begins with this one."""
    out = np.full((capacity, *array.shape[1:]), fill, array.dtype)
    out[: len(array)] = array
    return out
