"""What texts have in common because of how they are written: a post with its hashtags, a line of a review, an article.

An encoder puts texts of one register near one another, so that short posts with the same hashtag, reviews of three
words, or all that say "this app" or "Netflix", look like one subject though they tell of everything. As with languages
(`evidence.py`), what the documents of a register have in common beside the rest of their language is learnt and taken
away: once for a text's form, once for how it calls what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.text import keywords

Floats = NDArray[np.float32]

LENGTHS = (80, 300)
"""Characters beyond which a text is more than a line, and more than a post."""
BELIEVED = 100
"""Documents of a register from which half of what they have in common is believed to be the register."""
MEMORY = 5000
"""Documents over which the mean of a register trails."""
_HASHTAG = re.compile(r"[#＃]\w")

Key = tuple[str, str, str]
"""A language, what is looked at ("form" or "name"), and how a text has it."""


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

    def learn(self, vectors: Floats, texts: Sequence[str], langs: Sequence[str]) -> list[tuple[Key, ...]]:
        """Learn from a batch, vectors of shape ``(n, 384)``, and return the registers of each text."""
        keys = [registers_of(text, lang) for text, lang in zip(texts, langs, strict=True)]
        for key in sorted({key for own in keys for key in own}):
            mine = vectors[[key in own for own in keys]]
            nothing = Register(0.0, np.zeros(vectors.shape[1]))
            self.found[key] = self.found.get(key, nothing).with_more(mine)
        return keys

    def apart(self, keys: Sequence[tuple[Key, ...]]) -> Floats:
        """Return how far each document's registers lie from its language, as far as that is known; ``(n, 384)``."""
        known = {key: self._apart(key) for key in sorted({key for own in keys for key in own})}
        return np.array([sum(known[key] for key in own) for own in keys], np.float32)

    def _apart(self, key: Key) -> NDArray[np.float64]:
        kin = [register for other, register in self.found.items() if other[:2] == key[:2]]
        mean = sum(one.counted * one.mean for one in kin) / sum(one.counted for one in kin)
        own = self.found[key]
        apart: NDArray[np.float64] = own.counted / (own.counted + BELIEVED) * (own.mean - mean)
        return apart


def registers_of(text: str, lang: str) -> tuple[Key, ...]:
    """Return the registers of a text: one of its form, one of how it calls what it is about."""
    return (lang, "form", form(text)), (lang, "name", called(text))


def called(text: str) -> str:
    """Return whether a text names a platform, and whether it says "the app".

    >>> called("This app is slow"), called("The Shopee app is slow"), called("Slow")
    ('product', 'platform product', '')
    """
    folded = text.casefold()
    return " ".join(kind for kind in ("platform", "product") if _any_of(kind).search(folded))


@cache
def _any_of(kind: str) -> re.Pattern[str]:
    """Return a pattern for the words of a kind in `titlewords.txt`, in all languages."""
    lists = keywords.word_lists("titlewords.txt")
    words = sorted({w.replace("_", " ") for name, own in lists.items() if name.startswith(f"{kind}.") for w in own})
    joined = [re.escape(word) for word in words if keywords.is_unspaced(word[0])]
    spaced = "|".join(re.escape(word) for word in words if not keywords.is_unspaced(word[0]))
    return re.compile("|".join([*joined, rf"(?<![^\W_])(?:{spaced})(?![^\W_])"]))


def form(text: str) -> str:
    """Return how a text is written: whether hashtags stand in it, and how long it is.

    >>> form("late again #sgads"), form("late again")
    ('#0', '0')
    """
    length = sum(len(text) > most for most in LENGTHS)
    return f"#{length}" if _HASHTAG.search(text) else str(length)
