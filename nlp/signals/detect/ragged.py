"""Several lists of documents laid one after the other, so that all are worked on at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """List k holds ``items[starts[k]:starts[k + 1]]``; `owner` is the list of each item."""

    items: Ints
    starts: Ints
    owner: Ints

    @classmethod
    def of(cls, lists: Sequence[NDArray[np.int64]]) -> Ragged:
        """Return some lists laid one after the other."""
        counts = np.array([len(each) for each in lists], np.int64)
        items = np.concatenate([np.zeros(0, np.int64), *lists])
        return cls(items, np.concatenate([[0], np.cumsum(counts)]), np.repeat(np.arange(len(counts)), counts))

    @classmethod
    def parts(cls, starts: Ints, rows: Ints) -> Ragged:
        """Return the positions that some rows have in a table whose row k lies at ``starts[k]:starts[k + 1]``."""
        counts = starts[rows + 1] - starts[rows]
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        owner = np.repeat(np.arange(len(rows)), counts)
        return cls(np.arange(ends[-1]) + (starts[rows] - ends[:-1])[owner], ends, owner)

    @property
    def counts(self) -> Ints:
        """Return how long each list is."""
        return np.diff(self.starts)

    def belongs(self) -> sparse.csr_matrix:
        """Return which list has which place, ``(lists, places)`` of ones."""
        count = len(self.items)
        return sparse.csr_matrix((np.ones(count), np.arange(count), self.starts), shape=(len(self.starts) - 1, count))

    def add(self, values: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the sum of the values of each list, 0 where it is empty; the same whatever stands beside it."""
        return self._reduce(np.add, values.astype(np.float64), 0.0)

    def most(self, values: NDArray[np.float64], empty: float) -> NDArray[np.float64]:
        """Return the largest value of each list."""
        return self._reduce(np.maximum, values, empty)

    def _reduce(self, how: np.ufunc, values: NDArray[np.float64], empty: float) -> NDArray[np.float64]:
        some = np.flatnonzero(self.counts)
        made = np.full(len(self.starts) - 1, empty)
        if len(some):
            made[some] = how.reduceat(values, self.starts[some])
        return made

    def mean(self, values: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the mean of the values of each list, 0 where it is empty."""
        return self.add(values) / np.maximum(self.counts, 1)


__all__ = ["Ragged"]
