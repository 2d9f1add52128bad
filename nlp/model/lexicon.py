"""Words that point to a risk, as the taxonomy lists them: what a small encoder misses in slang, words often know.

The words are plain text, escaped before they become a pattern, so a user's list can neither break nor slow the search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundswell.index.spelling import normalise

Array = NDArray[np.float32]

SPACED = re.compile("[a-z0-9\u00e0-\u024f\u1e00-\u1eff]", re.IGNORECASE)
"""Letters of scripts that put blanks between words: only there a word has a border."""
ENGINE_MEMORY = 64 << 20
"""Bytes that the engine may take for its automaton."""


class Worded(Protocol):
    """What has words: a class of the taxonomy."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that point to it."""

    @property
    def unless(self) -> tuple[str, ...]:
        """Return the words that take that back."""


class Wording:
    """Looks for the words of every class: ``(words, unless)`` for each; all of them in one pass over a text (RE2)."""

    def __init__(self, lists: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        patterns = [[_pattern(words) for words in pair] for pair in lists]
        self._classes = len(lists)
        patterns_once = list(dict.fromkeys(pattern for pair in patterns for pattern in pair if pattern))
        number = {pattern: n for n, pattern in enumerate(patterns_once)}
        self._rows = [
            (column, number[says], number.get(unless, -1)) for column, (says, unless) in enumerate(patterns) if says
        ]
        self._engine = _engine(patterns_once)

    @classmethod
    def of(cls, risks: Sequence[Worded]) -> Wording:
        """Return the wording of a taxonomy's classes."""
        return cls([(risk.words, risk.unless) for risk in risks])

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return ``(n, classes)``: 1 where words of a class stand in a text that are not taken back."""
        found = np.zeros((len(texts), self._classes), dtype=np.float32)
        for row, text in enumerate(texts if self._engine else ()):
            matches = set(self._engine.Match(text.lower().encode("utf-8", "replace")) or ())
            for column, says, unless in self._rows:
                found[row, column] = says in matches and unless not in matches
        return found


def _engine(patterns: Sequence[str]) -> Any:
    import re2  # 10 ms that `groundswell --help` need not wait for

    if not patterns:
        return None
    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = ENGINE_MEMORY, False, True
    engine = re2.Filter()
    for pattern in patterns:
        engine.Add(pattern, options)
    engine.Compile()
    return engine


def _pattern(words: Sequence[str]) -> str:
    """Return a pattern of RE2 for any of the words in a text of small letters; empty for none at all."""
    return "|".join(_part(word) for word in sorted(words, key=len, reverse=True) if word.strip("* "))


def _part(word: str) -> str:
    bare = normalise(word.rstrip("*")).lower()
    begin = r"(?:^|[^\pL\pN])" if SPACED.match(bare) else ""
    end = r"(?:$|[^\pL\pN])" if SPACED.match(bare[-1]) and not word.endswith("*") else ""
    return begin + "".join(letter if letter.isalnum() else rf"\x{{{ord(letter):x}}}" for letter in bare) + end
