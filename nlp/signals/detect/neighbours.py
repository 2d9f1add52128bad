"""Who is near whom: one similarity of meaning and wording, known at the moment a text arrives, and its copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
SCALE = 4000
"""What 1 is kept as: a product of two unit vectors stays below 2²⁴, so that float32 adds it up exactly."""
NEAREST = 0.18
"""Similarity under which two texts are strangers, whatever the radius."""
COPY = 0.8
"""Share of common words (Jaccard) from which two texts are copies."""


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
        offsets = np.concatenate([[0], np.cumsum(keep)])
        return Rows(offsets[self.starts], self.items[keep], self.near[keep])


__all__ = ["COPY", "DAY", "FRESH", "GAP", "HISTORY", "HOUR", "NEAREST", "REACH", "SCALE", "Rows"]
