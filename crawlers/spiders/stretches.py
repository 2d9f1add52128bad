"""What of a list, newest first, is still to be read: the mark of every source that gives its items in order.

A *stretch* lies between two positions of the list: moments in seconds since 1970, or ids where they only grow. A visit
that reaches its limit leaves the rest of a stretch, and the next one reads it after what is new, whatever has come
meanwhile. Positions are inclusive, for many items may share one; so a stretch remembers which of its items it has had.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundswell.index.ids import stable_id

MOST_STRETCHES = 40
"""More are joined: what lies between is read again, which costs time and loses nothing."""
MOST_HAD = 5_000
TAIL = 3
"""The reading has come as far as the newest of the last so many items: one stray old date may not skip all between."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `after` to `before` (``None``: whatever comes), without the items it has `had` (id to position)."""

    after: int
    before: int | None = None
    had: Mapping[str, int] = field(default_factory=dict)

    def holds(self, at: int) -> bool:
        """Return whether a position lies in it."""
        return at >= self.after and (self.before is None or at <= self.before)


class Walk:
    """One reading, from the newest item down, of one or several stretches."""

    def __init__(self, stretches: Sequence[Stretch], *, now: int | None = None) -> None:
        """Begin; positions above `now` are somebody's wrong clock and move no mark."""
        self.stretches, self.now = tuple(stretches), now
        self.had = {name: at for stretch in stretches for name, at in stretch.had.items()}
        self.seen: set[str] = set()
        self.newest: int | None = None
        self.ended = False
        self._last: list[int] = []

    @property
    def low(self) -> int:
        """Return the oldest position that is wanted."""
        return min((stretch.after for stretch in self.stretches), default=0)

    @property
    def bound(self) -> int | None:
        """Return how far down it has been read, or ``None`` where no item had a position."""
        return max(self._last[-TAIL:], default=None)

    def wants(self, id: str, at: int | None) -> bool:
        """Return whether an item is still to be read; one without a position is, unless this reading had it."""
        key = stable_id(id)
        if key in self.had or key in self.seen:
            return False
        return at is None or any(stretch.holds(at) for stretch in self.stretches)

    def note(self, id: str, at: int | None) -> bool:
        """Note that an item was met; return whether it is the first time in this reading."""
        key = stable_id(id)
        is_new = key not in self.seen
        self.seen.add(key)
        if at is not None:
            if self.now is None or at <= self.now:
                self._last = [*self._last[1 - TAIL :], at]
                self.newest = at if self.newest is None else max(self.newest, at)
            self.had[key] = at
        return is_new

    def share(self, other: Walk) -> None:
        """Know from now on what another reading has had, and let it know: for answers that overlap."""
        other.had |= self.had
        self.had, self.seen = other.had, other.seen

    def forget_bound(self) -> None:
        """Forget how far down it has been read: for lists in no order, of which only the items had are known."""
        self._last, self.newest = [], None

    def is_past(self, positions: Iterable[int | None]) -> bool:
        """Return whether a whole page lies below all that is wanted."""
        dated = [at for at in positions if at is not None]
        return bool(dated) and max(dated) < self.low

    def rest(self, *, overlap: int = 0) -> Iterator[Stretch]:
        """Yield what is still to be read, the newest last: what this reading did not reach, and what is to come.

        Args:
            overlap: how far below the newest item the next visit looks for what comes late.
        """
        for stretch in self.stretches:
            if not self.ended and (left := self._left(stretch)):
                yield left
        for stretch in self.stretches:
            if stretch.before is None:
                start = stretch.after if self.newest is None else max(stretch.after, self.newest - overlap)
                start = start if self.ended or self.bound is None else max(start, self.bound)  # below lies the rest
                if self.ended or self.bound is not None:
                    yield self._with_had(start, None)

    def _left(self, stretch: Stretch) -> Stretch | None:
        if self.bound is None or (stretch.before is not None and stretch.before < self.bound):
            return self._with_had(stretch.after, stretch.before)
        return self._with_had(stretch.after, self.bound) if stretch.after <= self.bound else None

    def _with_had(self, after: int, before: int | None) -> Stretch:
        inside = {name: at for name, at in self.had.items() if Stretch(after, before).holds(at)}
        return Stretch(after, before, dict(heapq.nlargest(MOST_HAD, inside.items(), key=lambda each: each[1])))


def dumped(stretches: Iterable[Stretch]) -> list[list[Any]]:
    """Return stretches as JSON; the oldest are joined where there are very many."""
    found = sorted(stretches, key=lambda each: (each.before is None, each.after))
    while len(found) > MOST_STRETCHES:
        first, second, *others = found
        before = None if first.before is None or second.before is None else max(first.before, second.before)
        found = [Stretch(min(first.after, second.after), before, {**first.had, **second.had}), *others]
    return [[each.after, each.before, dict(each.had)] for each in found]


def loaded(mark: Mapping[str, Any] | None, *, since: int, until: int | None = None) -> list[Stretch]:
    """Return the stretches of a mark, newest first; without one, everything since (and until) a position."""
    stretches = (mark or {}).get("stretches")
    if not isinstance(stretches, list) or not stretches:
        return [Stretch(since, until)]
    return [Stretch(after, before, had) for after, before, had in reversed(stretches)]


__all__ = ["Stretch", "Walk", "dumped", "loaded"]
