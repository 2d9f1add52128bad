"""Which candidates deserve a person's time: a learnt ranking, mapped onto how rarely a false one is ranked so high.

The weights are a small file made by `groundswell.nlp.train.ranking` from injections into development streams; they are
plain arrays (boosted trees), read without scikit-learn and without pickle.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.features import NAMES
from groundswell.nlp.signals.detect.topics import NAMES as STANDING_NAMES

FILE = Path(__file__).parent / "ranking.npz"
KINDS = ("new", "surge")
"""What was not said before, and what is said more than before; each has its own trees and share of the budget."""
STANDING = "standing"
"""Swells of standing topics: trees, numbers and a share of the budget of their own."""
COLD, WARM = 3.0, 14.0
"""Taken off every strength on the first day of a stream, and less until so many days are known: nobody can tell
what is usual after a week."""
AT_ONCE = 1024
"""Rows that go down the trees together: bounds the memory."""
STRONGEST = 6.0
"""One false alert in twenty thousand years of weeks is enough of a superlative."""


class RankingError(Exception):
    """The ranking that came with the program cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Trees:
    """A boosted ensemble: for each node its feature, threshold, children and value; for each tree its root."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    start: float

    def score(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of leaves for each row, ``(rows,)``: log-odds of the development mix."""
        rows = numbers.astype(np.float32)
        parts = [self._sum(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE)]
        return np.concatenate([np.zeros(0), *parts])

    def _sum(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        total = np.full(len(rows), self.start)
        node = np.repeat(self.roots[:, None], len(rows), axis=1)  # (trees, rows): all trees go down together
        tree, row = np.nonzero(self.left[node] >= 0)
        while len(row):
            here = node[tree, row]
            goes_left = rows[row, self.feature[here]] <= self.threshold[here]
            below = np.where(goes_left, self.left[here], self.right[here])
            node[tree, row] = below
            inner = self.left[below] >= 0
            tree, row = tree[inner], row[inner]
        for leaves in self.value[node]:  # one after the other: sums of floats depend on their order
            total += leaves
        return total


@dataclass(frozen=True, slots=True)
class Ranking:
    """Trees and calibration of each kind. Calibration: scores, ascending, and strengths at them."""

    trees: dict[str, Trees]
    curves: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    card: dict[str, Any]

    def strengths(self, numbers: NDArray[np.float64], kinds: Sequence[str]) -> NDArray[np.float64]:
        """Return −log10 of the false alerts a week that come so strong or stronger, ``(rows,)``.

        Args:
            numbers: ``(rows, len(NAMES))`` of `features.Describer`.
            kinds: one of `KINDS` for each row.
        """
        asked = np.array(kinds, np.str_)
        scores = np.zeros(len(numbers))
        for kind in KINDS:
            if (asked == kind).any():
                scores[asked == kind] = self.trees[kind].score(numbers[asked == kind])
        return self.placed(scores, asked, numbers[:, NAMES.index("history")])

    def standing(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same of swells of standing topics, from ``(rows, len(standing.NAMES))``."""
        kinds = np.full(len(numbers), STANDING)
        return self.placed(self.trees[STANDING].score(numbers), kinds, numbers[:, STANDING_NAMES.index("history")])

    def placed(
        self, scores: NDArray[np.float64], kinds: NDArray[np.str_], days: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return strengths at the scores that trees of each kind gave, where so many days were known, ``(rows,)``."""
        strengths = np.zeros(len(scores))
        for kind in np.unique(kinds):
            strengths[kinds == kind] = self.place(str(kind), scores[kinds == kind])
        return strengths - COLD * np.clip(1 - days / WARM, 0, 1)

    def place(self, kind: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return strengths at scores: linear between the points of the curve, and beyond its ends by its last slope."""
        at, strength = self.curves[kind]
        inside = np.interp(scores, at, strength)
        slope = (strength[-1] - strength[0]) / max(float(at[-1] - at[0]), 1e-9)
        beyond = strength[-1] + slope * (scores - at[-1])
        below = strength[0] - slope * (at[0] - scores)
        return np.minimum(np.where(scores > at[-1], beyond, np.where(scores < at[0], below, inside)), STRONGEST)


@lru_cache(maxsize=2)
def load_ranking(path: Path = FILE) -> Ranking:
    """Open the ranking.

    Raises:
        RankingError: it is missing, damaged, or made for other features.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _unpack({name: arrays[name] for name in arrays.files})
    except (OSError, KeyError, ValueError) as error:
        msg = f"the ranking of signals cannot be read from {path.name}: {error}; install Groundswell again"
        raise RankingError(msg) from error


def _unpack(arrays: dict[str, NDArray[Any]]) -> Ranking:
    card = json.loads(str(arrays["card"]))
    if tuple(card["features"]) != NAMES or tuple(card["standing_features"]) != STANDING_NAMES:
        msg = "it was made for other features; run python -m groundswell.nlp.train.ranking"
        raise ValueError(msg)
    fields = [name for name in Trees.__dataclass_fields__ if name != "start"]
    trees = {
        kind: Trees(**{name: arrays[f"{kind}.{name}"] for name in fields}, start=float(arrays[f"{kind}.start"]))
        for kind in (*KINDS, STANDING)
    }
    curves = {kind: (arrays[f"{kind}.scores"], arrays[f"{kind}.strengths"]) for kind in (*KINDS, STANDING)}
    return Ranking(trees, curves, card)


def kind_of(numbers: NDArray[np.float64]) -> list[str]:
    """Return for each candidate whether it is new (its group hardly had a past) or a surge of something known."""
    past = np.expm1(numbers[:, NAMES.index("past")]) if len(numbers) else np.zeros(0)
    return ["new" if count <= KNOWN else "surge" for count in past]


KNOWN = 5.0
"""Documents in the five weeks before that make a subject known."""
