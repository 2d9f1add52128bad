"""The words of a text as a detector counts them: words and pairs of them; character pairs where none are spaced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: written without spaces between words."""
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@\w+")
_PIECES = re.compile(rf"[{UNSPACED}]+|[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_STRETCHED = re.compile(r"(.)\1{2,}")
LONGEST = 400
"""Pieces of one text that are read: the rest of a long article repeats its beginning."""


def pieces(text: str) -> list[str]:
    """Return the words of a text, folded; runs of unspaced script become character pairs; addresses are left out."""
    found: list[str] = []
    for piece in _PIECES.findall(_ADDRESS.sub(" ", text.casefold())[:20_000]):
        if _UNSPACED.match(piece):
            found += [a + b for a, b in pairwise(piece)] or [piece]
        elif len(piece) > 1:
            found.append(_STRETCHED.sub(r"\1", piece))
        if len(found) >= LONGEST:
            break
    return found


def terms(text: str) -> list[str]:
    """Return words and pairs of neighbouring words, each once, in order."""
    words = pieces(text)
    return list(dict.fromkeys([*words, *(f"{a} {b}" for a, b in pairwise(words))]))


def index_terms(texts: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Return which text has which term, ``(texts, terms)`` of ones, and the terms in order of first sight."""
    vocabulary: dict[str, int] = {}
    columns: list[int] = []
    starts = [0]
    for text in texts:
        columns += [vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)]
        starts.append(len(columns))
    ones = np.ones(len(columns), np.float32)
    shape = (len(starts) - 1, max(1, len(vocabulary)))
    return sparse.csr_matrix((ones, np.array(columns, np.int64), np.array(starts, np.int64)), shape=shape), list(
        vocabulary
    )
