"""What a text looks like: a linear model on pieces of one to five characters and pairs of words, hashed.

An encoder of small size knows what a text is about; slang, spelling and particles of a language are carried by its
letters, which a linear model reads in microseconds. Pieces are hashed into a fixed table (Weinberger et al. 2009,
*Feature hashing for large scale multitask learning*), weighted by sublinear counts at unit length (Salton & Buckley
1988), without a vocabulary to keep. The hash is our own and the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float32]

LONGEST_READ = 1_200
"""Characters of a text that are read: its feeling and its risk are told by then, and counts of more say little new."""
SIZES = (1, 2, 3, 4, 5)
"""Lengths of the pieces, in characters; blanks count, so that words begin and end somewhere."""
CHUNK = 256
"""Texts hashed at a time."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_WORD_SALT = np.uint64(0xD6E8FEB86659FD93)


def features(texts: Sequence[str], bits: int) -> sparse.csr_matrix:
    """Return the texts as rows of unit length, shape ``(n, 2 ** bits)`` float32.

    Args:
        texts: cleaned texts (`groundswell.nlp.text.clean`), already in one spelling.
        bits: width of the table.
    """
    parts = [_chunk(texts[start : start + CHUNK], bits) for start in range(0, len(texts), CHUNK)]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, 1 << bits), dtype=np.float32)


def _chunk(texts: Sequence[str], bits: int) -> sparse.csr_matrix:
    padded = [f" {text[:LONGEST_READ].lower()} " for text in texts]
    lengths = np.array([len(text) for text in padded])
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    rows = np.repeat(np.arange(len(padded)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(codes))  # characters of its text from each on
    pieces = [_pieces(codes, rows, left, size) for size in SIZES]
    pieces.append(_word_pairs(codes, rows))
    keys = np.concatenate([(_mixed(hashed) >> np.uint64(64 - bits)).astype(np.int64) for _, hashed in pieces])
    of = np.concatenate([row for row, _ in pieces])
    found, counts = np.unique((of << bits) | keys, return_counts=True)
    values = 1 + np.log(counts)
    row = found >> bits
    length = np.sqrt(np.bincount(row, values**2, minlength=len(padded)))
    starts = np.searchsorted(row, np.arange(len(padded) + 1))
    data = (values / length[row]).astype(np.float32)
    return sparse.csr_matrix((data, found & ((1 << bits) - 1), starts), shape=(len(padded), 1 << bits))


def _pieces(
    codes: NDArray[np.uint64], rows: NDArray[np.int64], left: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return row and hash of every piece of a length that lies within one text."""
    if len(codes) < size:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    count = len(codes) - size + 1
    hashed = np.full(count, np.uint64(size), np.uint64)
    for at in range(size):
        hashed = _mixed(hashed ^ codes[at : at + count])
    inside = left[:count] >= size
    return rows[:count][inside], hashed[inside]


def _word_pairs(codes: NDArray[np.uint64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return row and hash of every two neighbouring words of a text."""
    blank = codes == 32
    begins = np.flatnonzero(~blank & np.r_[True, blank[:-1]])
    if len(begins) < 2:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    # A word's hash is the sum of its mixed characters, each with its place: blanks add nothing.
    place = np.arange(len(codes)) - np.maximum.accumulate(
        np.where(blank | np.r_[True, blank[:-1]], np.arange(len(codes)), 0)
    )
    mixed = np.where(blank, np.uint64(0), _mixed(codes + (place.astype(np.uint64) << np.uint64(32)) ^ _WORD_SALT))
    words = np.add.reduceat(mixed, begins)
    same = rows[begins][1:] == rows[begins][:-1]
    return rows[begins][:-1][same], _mixed(_mixed(words[:-1]) + words[1:])[same]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the values with all bits stirred (the finaliser of splitmix64)."""
    values = values * _MULTIPLIER
    values = values ^ (values >> np.uint64(31))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(values ^ (values >> np.uint64(29)))


@dataclass(frozen=True, slots=True)
class Table:
    """The weights of one language: `keys` ``(k,)`` ascending places in the hashed table, `weights` ``(k, classes)``.

    Weights are whole numbers of 8 bits times `scale`; what is not among the keys weighs nothing.
    """

    keys: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scale: float
    bias: Array

    def logits(self, rows: sparse.csr_matrix) -> Array:
        """Return logits ``(n, classes)`` of texts as `features` gives them."""
        if not len(self.keys):
            return np.broadcast_to(self.bias, (rows.shape[0], len(self.bias))).astype(np.float32)
        place = np.minimum(np.searchsorted(self.keys, rows.indices), len(self.keys) - 1)
        is_stored = self.keys[place] == rows.indices
        weighted = sparse.csr_matrix((rows.data * is_stored, place, rows.indptr), shape=(rows.shape[0], len(self.keys)))
        return np.asarray(weighted @ (self.weights.astype(np.float32) * np.float32(self.scale)) + self.bias, np.float32)

    @classmethod
    def packed(cls, weights: Array, bias: Array, most: int) -> Table:
        """Return the table of a dense model ``(classes, 2 ** bits)``: the `most` largest weights, in 8 bits."""
        centred = weights - weights.mean(axis=0, keepdims=True)
        strength = np.abs(centred).max(axis=0)
        strongest = np.sort(np.argsort(-strength, kind="stable")[: min(most, int((strength > 0).sum()))])
        scale = float(np.abs(centred[:, strongest]).max() / 127) if len(strongest) else 1.0
        coded = np.round(centred[:, strongest].T / scale).astype(np.int8)
        return cls(strongest.astype(np.uint32), coded, scale, (bias - bias.mean()).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Surface:
    """The tables of all languages, by code."""

    bits: int
    tables: Mapping[str, Table]

    def logits(self, texts: Sequence[str], lang: str) -> Array:
        """Return what the letters of texts in a language say, ``(n, 3)``; zeros where it has no table."""
        table = self.tables.get(lang)
        return table.logits(features(texts, self.bits)) if table else np.zeros((len(texts), 3), np.float32)

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> Surface:
        """Return the tables that a bundle's ``surface.npz`` holds."""
        codes = sorted({name.partition(".")[0] for name in arrays} - {"bits"})
        return cls(int(arrays["bits"]), {code: _table(arrays, code) for code in codes})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `read` takes."""
        stored: dict[str, NDArray[Any]] = {"bits": np.array(self.bits)}
        for code, table in self.tables.items():
            stored |= {f"{code}.keys": table.keys, f"{code}.weights": table.weights}
            stored |= {f"{code}.scale": np.array(table.scale, np.float32), f"{code}.bias": table.bias}
        return stored


def _table(arrays: Mapping[str, NDArray[Any]], code: str) -> Table:
    return Table(
        arrays[f"{code}.keys"],
        arrays[f"{code}.weights"],
        float(arrays[f"{code}.scale"]),
        arrays[f"{code}.bias"].astype(np.float32),
    )


NOTHING = Surface(1, {})
"""For models whose bundle has no tables."""
