"""The words of a text as a detector counts them: words and pairs of them; character pairs where none are spaced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse

from groundswell.nlp.text import addresses

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: written without spaces between words."""
_ADDRESS = re.compile(addresses.ANY)
_PIECES = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:['’][^\W_{UNSPACED}]+)*")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_STRETCHED = re.compile(r"(.)\1{2,}")
LONGEST_COUNTED = 400
"""Pieces of one text that are read: the rest of a long article repeats its beginning."""


def pieces(text: str) -> list[str]:
    """Return the words of a text, folded; runs of unspaced script become character pairs; addresses are left out."""
    plain = _ADDRESS.sub(" ", text.casefold())[:20_000]
    parts = _PIECES.findall(plain)
    stretched = _STRETCHED.search(plain) is not None
    if _UNSPACED.search(plain) is None:
        return [_word(piece, stretched) for piece in parts if len(piece) > 1][:LONGEST_COUNTED]
    found: list[str] = []
    for piece in parts:
        if _UNSPACED.match(piece):
            found += [a + b for a, b in pairwise(piece)] or [piece]
        elif len(piece) > 1:
            found.append(_word(piece, stretched))
        if len(found) >= LONGEST_COUNTED:
            break
    return found


def _word(piece: str, stretched: bool) -> str:
    return _STRETCHED.sub(r"\1", piece) if stretched else piece


def terms(words: Sequence[str]) -> list[str]:
    """Return words and pairs of neighbouring words, each once, in order."""
    return list(dict.fromkeys([*words, *(f"{a} {b}" for a, b in pairwise(words))]))


def index_terms(texts: Sequence[str]) -> tuple[sparse.csr_matrix, list[str]]:
    """Return which text has which term, ``(texts, terms)`` of ones, and the terms in order of first sight."""
    return index_words([pieces(text) for text in texts])


def index_words(texts: Sequence[Sequence[str]]) -> tuple[sparse.csr_matrix, list[str]]:
    """Return the same of texts given by their words (`pieces`)."""
    vocabulary: dict[str, int] = {}
    columns: list[int] = []
    starts = [0]
    for words in texts:
        columns += [vocabulary.setdefault(term, len(vocabulary)) for term in terms(words)]
        starts.append(len(columns))
    ones = np.ones(len(columns), np.float32)
    shape = (len(starts) - 1, max(1, len(vocabulary)))
    return sparse.csr_matrix((ones, np.array(columns, np.int64), np.array(starts, np.int64)), shape=shape), list(
        vocabulary
    )
