"""Who is near whom: one similarity of meaning and wording, known at the moment a text arrives, and its copies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

HOUR, DAY = 1.0, 24.0
"""Times are hours since 1970, as floats: a millisecond is still exact."""
HISTORY = 35 * DAY
"""How far back a ball, a word or a theme is compared with its own past."""
GAP = 3 * DAY
"""Left out between window and history, so that a slow start does not feed its own baseline."""
FRESH = 3 * DAY
"""How long a text may be the centre of a ball."""
REACH = HISTORY + 2 * GAP
"""Pairs further apart than this are never needed."""
NEAREST = 0.18
"""Similarity under which two texts are strangers, whatever the radius."""
COPY = 0.8
"""Share of common words (Jaccard) from which two texts are copies."""
BLOCK = 512
_SQUEEZE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Rows:
    """Groups of documents: row r holds ``items[starts[r]:starts[r + 1]]``, ascending, each with its nearness."""

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    near: NDArray[np.float32]

    def of(self, row: int) -> NDArray[np.int32]:
        """Return the documents of one group."""
        return self.items[self.starts[row] : self.starts[row + 1]]

    def within(self, radius: float) -> Rows:
        """Return the same groups, without members further than the radius (in similarity)."""
        keep = self.near >= radius
        kept = np.concatenate([[0], np.cumsum(keep)])
        return Rows(kept[self.starts], self.items[keep], self.near[keep])


def centre(vectors: NDArray[np.float32], hours: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return vectors minus the mean of the `HISTORY` before each, unit length.

    Sentence encoders such as e5 live in a narrow cone: uncentred, everything is near everything.
    """
    total = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, 0, dtype=np.float64)])
    oldest = np.searchsorted(hours, hours - HISTORY)
    here = np.arange(len(hours))
    count = np.maximum(here - oldest, 1)[:, None]
    mean = (total[here] - total[oldest]) / count
    moved = vectors - mean * np.minimum(1.0, count / 20)
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (moved / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def first_of_copies(
    texts: Sequence[str], has: sparse.csr_matrix, hours: NDArray[np.float64], given: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return for each text the first of its copies within `HISTORY`, itself where it is new.

    Args:
        texts: in order of time.
        has: their terms (`terms.index_terms`).
        hours: when each became known.
        given: firsts already known from the store, by position, or -1.
    """
    firsts = np.arange(len(texts))
    seen: dict[str, int] = {}
    for here, text in enumerate(texts):
        key = _SQUEEZE.sub(" ", text.casefold()).strip()
        before = seen.get(key, -1)
        if given is not None and given[here] >= 0:
            before = int(given[here])
        if before >= 0 and hours[here] - hours[before] <= HISTORY:
            firsts[here] = firsts[before]
        else:
            seen[key] = here
    size = np.diff(has.indptr).astype(np.float32)
    for rows, cols, common in _overlaps(has, hours, firsts == np.arange(len(texts))):
        alike = common >= COPY * (size[rows] + size[cols] - common)
        for row, col in zip(rows[alike], cols[alike], strict=True):
            firsts[row] = min(firsts[row], firsts[col])
    return firsts


def _overlaps(
    has: sparse.csr_matrix, hours: NDArray[np.float64], alive: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Yield pairs (later, earlier, common terms) of longer texts that share much, block by block."""
    long = np.flatnonzero(alive & (np.diff(has.indptr) >= 9))
    part = has[long]
    for start in range(0, len(long), BLOCK):
        stop = min(start + BLOCK, len(long))
        oldest = int(np.searchsorted(hours[long], hours[long[start]] - HISTORY))
        product = (part[start:stop] @ part[oldest:stop].T).tocoo()
        rows, cols = long[product.row + start], long[product.col + oldest]
        keep = (cols < rows) & (product.data >= 5)
        yield rows[keep], cols[keep], product.data[keep]


def neighbours(
    vectors: NDArray[np.float32],
    weighted: sparse.csr_matrix,
    hours: NDArray[np.float64],
    use: NDArray[np.bool_],
    *,
    share: float = 0.5,
) -> Rows:
    """Return every text's neighbours, from `REACH` before it to `FRESH` after it, at `NEAREST` or nearer.

    Args:
        vectors: centred, unit length.
        weighted: weighted terms, unit length.
        hours: ascending.
        use: which texts take part (not copies, dated).
        share: weight of the vectors; the rest is the words'.
    """
    rows_, cols_, near_ = [], [], []
    index = np.flatnonzero(use)
    when, dense, words_ = hours[index], vectors[index], weighted[index]
    for start in range(0, len(index), BLOCK):
        stop = min(start + BLOCK, len(index))
        low = int(np.searchsorted(when, when[start] - REACH))
        high = int(np.searchsorted(when, when[stop - 1] + FRESH, "right"))
        near = share * (dense[start:stop] @ dense[low:high].T)
        if share < 1:
            near += (1 - share) * (words_[start:stop] @ words_[low:high].T).toarray()
        row, col = np.nonzero(near >= NEAREST)
        apart = when[col + low] - when[row + start]
        keep = (apart <= FRESH) & (apart >= -REACH)
        row, col = row[keep], col[keep]
        rows_.append(index[row + start])
        cols_.append(index[col + low].astype(np.int32))
        near_.append(near[row, col])
    rows = np.concatenate(rows_) if rows_ else np.zeros(0, np.int64)
    starts = np.searchsorted(rows, np.arange(len(hours) + 1))
    return Rows(starts, np.concatenate(cols_), np.concatenate(near_))


__all__ = [
    "DAY",
    "FRESH",
    "GAP",
    "HISTORY",
    "HOUR",
    "REACH",
    "Rows",
    "centre",
    "first_of_copies",
    "neighbours",
]
