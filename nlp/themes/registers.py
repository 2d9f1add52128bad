"""What texts have in common because of how they are written: a post with its hashtags, a line of a review, an article.

An encoder puts texts of one register near one another, so that short posts with the same hashtag, or reviews of three
words, look like one subject though they tell of everything. As with languages (`evidence.py`), what the documents of a
register have in common beside the rest of their language is learnt and taken away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LENGTHS = (80, 300)
"""Characters beyond which a text is more than a line, and more than a post."""
BELIEVED = 100
"""Documents of a register from which half of what they have in common is believed to be the register."""
MEMORY = 5000
"""Documents over which the mean of a register trails."""
_HASHTAG = re.compile(r"[#＃]\w")

Key = tuple[str, str]
"""A language, and how a text is written."""


@dataclass(frozen=True, slots=True)
class Register:
    """How many documents were written in a way, and their mean embedding, shape ``(384,)``."""

    counted: float
    mean: NDArray[np.float64]

    def with_more(self, vectors: Floats) -> Register:
        """Return it with more documents of its kind, shape ``(n, 384)``, at least one."""
        total = self.counted + len(vectors)
        mean = (self.counted * self.mean + vectors.sum(0, dtype=np.float64)) / total
        return Register(min(total, float(MEMORY)), mean)


class Registers:
    """The registers of a stream, learnt batch by batch; `found` is all that is remembered of them."""

    def __init__(self, found: Mapping[Key, Register] | None = None) -> None:
        self.found = dict(found or {})

    def learn(self, vectors: Floats, texts: Sequence[str], langs: Sequence[str]) -> list[Key]:
        """Learn from a batch, vectors of shape ``(n, 384)``, and return the register of each text."""
        keys = [(lang, manner(text)) for text, lang in zip(texts, langs, strict=True)]
        for key in sorted(set(keys)):
            mine = vectors[[each == key for each in keys]]
            nothing = Register(0.0, np.zeros(vectors.shape[1]))
            self.found[key] = self.found.get(key, nothing).with_more(mine)
        return keys

    def apart(self, keys: Sequence[Key]) -> Floats:
        """Return how far each document's register lies from its language, as far as that is known; ``(n, 384)``."""
        known = {key: self._apart(key) for key in sorted(set(keys))}
        return np.array([known[key] for key in keys], np.float32)

    def _apart(self, key: Key) -> NDArray[np.float64]:
        kin = [register for (lang, _), register in self.found.items() if lang == key[0]]
        mean = sum(one.counted * one.mean for one in kin) / sum(one.counted for one in kin)
        own = self.found[key]
        apart: NDArray[np.float64] = own.counted / (own.counted + BELIEVED) * (own.mean - mean)
        return apart


def manner(text: str) -> str:
    """Return how a text is written: whether hashtags stand in it, and how long it is.

    >>> manner("late again #sgads"), manner("late again")
    ('#0', '0')
    """
    length = sum(len(text) > most for most in LENGTHS)
    return f"#{length}" if _HASHTAG.search(text) else str(length)
