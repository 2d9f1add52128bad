"""Answers kept until the store changes, for all who look at the board: made once, handed on as they are.

Streamlit's own cache pickles what it keeps and reads it back at every use, which for an inbox of a year costs more
than to ask the store. What is kept here is frozen, so that everybody may hold the same.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

R = TypeVar("R")
PATIENCE = 10.0
"""While others write, an answer is shown for as many times as long as it took to make: at most a tenth of the time is
spent on making it again, however many look and however much is written."""
AT_ONCE = 0.1
"""Seconds: what takes less is made again at once."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state of the store: what people at this board changed, and what anybody did."""

    own: int
    whole: str


@dataclass(frozen=True, slots=True)
class _Answer:
    stamp: Stamp
    at: float
    cost: float
    value: Any

    def good(self, stamp: Stamp, now: float) -> bool:
        """Return whether it may be shown; what somebody did here themselves is always seen at once."""
        return self.stamp == stamp or (self.stamp.own == stamp.own and now - self.at < PATIENCE * (self.cost - AT_ONCE))


class Kept:
    """The most recently used answers; of several who ask the same at once, one asks the store and the others wait."""

    def __init__(self, most: int = 512, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.clock = most, clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()
        self._thread = threading.local()

    def behind(self) -> bool:
        """Return whether this thread, which draws a page, was given an answer of an earlier state since last asked."""
        behind = bool(getattr(self._thread, "behind", False))
        self._thread.behind = False
        return behind

    def clear(self) -> None:
        """Forget everything."""
        with self._guard:
            self._answers.clear()

    def ask(self, key: Hashable, stamp: Stamp, make: Callable[[], R]) -> R:
        """Return the answer that is kept for a key, or make it; what making it raises is not kept."""
        with self._guard:
            if (found := self._good(key, stamp)) is not None:
                return cast("R", found.value)
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._guard:
                if (found := self._good(key, stamp)) is not None:
                    return cast("R", found.value)
            begun = self.clock()
            value = make()
            self._keep(key, _Answer(stamp, self.clock(), self.clock() - begun, value))
        return value

    def peek(self, key: Hashable, stamp: Stamp) -> object | None:
        """Return the answer that is kept for a key, where it may be shown; ``None`` where it had to be made."""
        with self._guard:
            found = self._answers.get(key)
        return found.value if found is not None and found.good(stamp, self.clock()) else None

    def _good(self, key: Hashable, stamp: Stamp) -> _Answer | None:
        found = self._answers.get(key)
        if found is None or not found.good(stamp, self.clock()):
            return None
        self._answers.move_to_end(key)
        if found.stamp != stamp:
            self._thread.behind = True
        return found

    def _keep(self, key: Hashable, answer: _Answer) -> None:
        with self._guard:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            self._making.pop(key, None)
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
