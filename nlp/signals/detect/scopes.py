"""Parts of the stream that are watched by themselves: everything, and every market and kind with enough of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.signals.detect.memory import Memory
from groundswell.nlp.signals.detect.neighbours import DAY, HISTORY

DAILY, SHARE = 8.0, 0.85
"""A market or source kind is watched by itself from so many documents a day, unless it is nearly the whole stream."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the stream that is watched by itself."""

    market: str = ""
    kind: str = ""

    def holds(self, memory: Memory) -> NDArray[np.bool_]:
        """Return which documents belong to it."""
        every = np.ones(len(memory), bool)
        market = memory.markets == self.market if self.market else every
        kind = memory.kinds == self.kind if self.kind else every
        mine: NDArray[np.bool_] = market & kind
        return mine

    def use(self, memory: Memory) -> NDArray[np.bool_]:
        """Return which documents count in it: of copies, the first that it holds."""
        mine = np.flatnonzero(self.holds(memory))
        use = np.zeros(len(memory), bool)
        use[mine[np.unique(memory.first[mine], return_index=True)[1]]] = True
        return use


WHOLE = Scope()


def watched(memory: Memory, at: float, began: float) -> list[Scope]:
    """Return the whole, and what had enough of its own in the `HISTORY` before an hour, largest first."""
    part = slice(memory.at(at - HISTORY), memory.at(at))
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    for market, kind, stands in zip(
        memory.markets[part].tolist(), memory.kinds[part].tolist(), memory.stands[part].tolist(), strict=True
    ):
        pairs[market, kind] += stands
    counts: dict[Scope, float] = defaultdict(float)
    for (market, kind), count in pairs.items():
        for scope in {Scope(market), Scope("", kind), Scope(market, kind)}:
            counts[scope] += count
    total, days = sum(pairs.values()), max(1.0, (at - max(began, at - HISTORY)) / DAY)
    parts = [
        scope
        for scope, count in sorted(counts.items(), key=lambda item: (-item[1], item[0].market, item[0].kind))
        if scope != WHOLE and count / days >= DAILY and count < SHARE * min(_around(scope, counts, total))
    ]
    return [WHOLE, *parts]


def _around(scope: Scope, counts: Mapping[Scope, float], total: float) -> tuple[float, float]:
    """Return how many documents the parts have that a scope lies in: whoever is nearly one of them is not watched."""
    if not (scope.market and scope.kind):
        return total, total
    return counts[Scope(scope.market)], counts[Scope("", scope.kind)]
