"""Words that point to a risk, as the taxonomy lists them: what a small encoder misses in slang, words often know.

The words are plain text, escaped before they become a pattern, so a user's list can neither break nor slow the search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from groundswell.index.spelling import normalise

Array = NDArray[np.float32]

SPACED = re.compile(r"[a-z0-9à-ỹ]", re.IGNORECASE)
"""Letters of scripts that put blanks between words: only there a word has a border."""
NEVER = re.compile(r"(?!)")


class Worded(Protocol):
    """What has words: a class of the taxonomy."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that point to it."""

    @property
    def unless(self) -> tuple[str, ...]:
        """Return the words that take that back."""


class Wording:
    """Looks for the words of every class: ``(words, unless)`` for each."""

    def __init__(self, lists: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        self._says = [_pattern(words) for words, _ in lists]
        self._unless = [_pattern(unless) for _, unless in lists]

    @classmethod
    def of(cls, risks: Sequence[Worded]) -> Wording:
        """Return the wording of a taxonomy's classes."""
        return cls([(risk.words, risk.unless) for risk in risks])

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return ``(n, classes)``: 1 where words of a class stand in a text that are not taken back."""
        found = np.zeros((len(texts), len(self._says)), dtype=np.float32)
        for row, text in enumerate(texts):
            for column, says in enumerate(self._says):
                if says.search(text) and not self._unless[column].search(text):
                    found[row, column] = 1
        return found


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern for any of the words; longer ones first, none at all matches nothing."""
    parts = [_part(word) for word in sorted(words, key=len, reverse=True) if word.strip("* ")]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else NEVER


def _part(word: str) -> str:
    bare = normalise(word.rstrip("*"))
    begin = r"(?<![^\W_])" if SPACED.match(bare) else ""
    end = r"(?![^\W_])" if SPACED.match(bare[-1]) and not word.endswith("*") else ""
    return begin + re.escape(bare) + end
