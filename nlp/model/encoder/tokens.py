"""Texts to pieces, and pieces to batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

LONGEST_TEXT = 20_000
"""Characters of a text that are looked at; the model reads far fewer, and tokenising 10 MB would take seconds."""
SPECIAL = 2
"""Pieces that stand for no character: begin and end."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of like length side by side: `rows` says which; `ids` and `mask` are ``(n, length)``."""

    rows: Ids
    ids: Ids
    mask: NDArray[np.int32]


class Tokenizer:
    """Turns texts into pieces, with the prefix the encoder was trained with."""

    def __init__(self, tokenizer: Any, *, prefix: str, max_tokens: int, pad: int) -> None:
        self._tokenizer, self._prefix, self._pad = tokenizer, prefix, pad
        self._most = max_tokens
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)

    @classmethod
    def read(cls, path: Path, *, prefix: str, max_tokens: int, pad: int) -> Tokenizer:
        """Read a ``tokenizer.json``."""
        import tokenizers

        return cls(tokenizers.Tokenizer.from_file(str(path)), prefix=prefix, max_tokens=max_tokens, pad=pad)

    def __call__(self, texts: Sequence[str]) -> list[Ids]:
        """Return the pieces of each text, by number; a text too long is cut, an empty one has the prefix alone."""
        encodings = self._tokenizer.encode_batch([self._prefix + _printable(text) for text in texts])
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

    def fits(self, texts: Sequence[str]) -> list[int]:
        """Return how many characters of each text are read, from its beginning."""
        # A piece has at least one character, so that short texts need not be looked at.
        long = [n for n, text in enumerate(texts) if len(self._prefix) + len(text) > self._most - SPECIAL]
        found = [len(text) for text in texts]
        encodings = self._tokenizer.encode_batch([self._prefix + _printable(texts[n]) for n in long])
        for n, encoding in zip(long, encodings, strict=True):
            last = max((end for _, end in encoding.offsets), default=0) - len(self._prefix)
            found[n] = max(0, last) if encoding.overflowing else min(found[n], LONGEST_TEXT)
        return found

    def batches(self, tokens: Sequence[Ids], batch_tokens: int, *, even: bool = False) -> Iterator[Batch]:
        """Yield batches of at most `batch_tokens` pieces with padding, shortest texts first; `even` ones need none."""
        lengths = np.array([len(pieces) for pieces in tokens], dtype=np.int64)
        rows: list[int] = []
        for row in np.argsort(lengths, kind="stable"):
            if rows and ((len(rows) + 1) * lengths[row] > batch_tokens or (even and lengths[row] != lengths[rows[0]])):
                yield self._batch(tokens, rows)
                rows = []
            rows.append(int(row))
        if rows:
            yield self._batch(tokens, rows)

    def _batch(self, tokens: Sequence[Ids], rows: list[int]) -> Batch:
        length = max(len(tokens[row]) for row in rows)
        ids = np.full((len(rows), length), self._pad, dtype=np.int64)
        mask = np.zeros((len(rows), length), dtype=np.int32)
        for at, row in enumerate(rows):
            pieces = tokens[row]
            ids[at, : len(pieces)] = pieces
            mask[at, : len(pieces)] = 1
        return Batch(np.array(rows, dtype=np.int64), ids, mask)


def _printable(text: str) -> str:
    """Return the text without halves of surrogate pairs, which no tokenizer can encode, and cut."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
