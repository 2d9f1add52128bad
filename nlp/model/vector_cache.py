"""An optional folder of vectors already made, for people who replay the same texts many times.

Off unless ``GROUNDSWELL_VECTOR_CACHE`` names a folder. Keyed by the embedding's version and a hash of the text; two
files only ever appended to, so that a killed run leaves at worst a torn last row, which is cut off by the next.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundswell.index.files import held_alone
from groundswell.nlp.model.model import Model

VARIABLE = "GROUNDSWELL_VECTOR_CACHE"
KEY = 20
BATCH = 2000
"""Texts encoded between two writes: what a kill can cost."""
Array = NDArray[np.float32]


def encode(
    model: Model, texts: Sequence[str], *, progress: Callable[[int, int | None, str], object] | None = None
) -> Array:
    """Return vectors of the texts, ``(n, dimensions)``; each distinct text is encoded once, or read from the cache."""
    distinct = list(dict.fromkeys(texts))
    folder = os.environ.get(VARIABLE, "")
    cache = VectorCache(Path(folder), model) if folder else None
    missing = cache.missing(distinct) if cache else distinct
    missing.sort(key=len)
    made: list[Array] = []
    for start in range(0, len(missing), BATCH):
        part = missing[start : start + BATCH]
        vectors = model.vectors(part)
        if cache:
            cache.add(part, vectors)
        else:
            made.append(vectors)
        if progress:
            progress(min(start + BATCH, len(missing)), len(missing), "encoding")
    if cache:
        return cache.get(texts)
    place = {text: k for k, text in enumerate(missing)}
    table = np.concatenate(made) if made else np.zeros((0, model.dimensions), np.float32)
    return table[[place[text] for text in texts]]


class VectorCache:
    """Vectors of one embedding version, on disk."""

    def __init__(self, folder: Path, model: Model) -> None:
        self.folder = folder / model.embedding_version.replace("/", "_")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dimensions = model.dimensions
        self.keys, self.rows = self.folder / "keys.bin", self.folder / "vectors.f32"
        self._read()

    def _read(self) -> None:
        """Read which texts there are."""
        keys = self.keys.read_bytes() if self.keys.exists() else b""
        width = self.dimensions * 4
        whole = min(len(keys) // KEY, self.rows.stat().st_size // width) if self.rows.exists() else 0
        self.place = {keys[k * KEY : (k + 1) * KEY]: k for k in range(whole)}
        self.whole = whole

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Return the texts that are not in the cache."""
        return [text for text in texts if _key(text) not in self.place]

    def add(self, texts: Sequence[str], vectors: Array) -> None:
        """Append vectors; another process may append meanwhile."""
        with held_alone(self.folder / "lock", seconds=-1):
            self._read()
            new = [k for k, text in enumerate(texts) if _key(text) not in self.place]
            with self.rows.open("ab") as rows:
                rows.truncate(self.whole * self.dimensions * 4)
                rows.write(np.ascontiguousarray(vectors[new], np.float32).tobytes())
            with self.keys.open("ab") as keys:
                keys.truncate(self.whole * KEY)
                keys.write(b"".join(_key(texts[k]) for k in new))
            self._read()

    def get(self, texts: Sequence[str]) -> Array:
        """Return vectors of texts that are all in the cache."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        table = np.memmap(self.rows, np.float32, "r", shape=(self.whole, self.dimensions))
        return np.asarray(table[[self.place[_key(text)] for text in texts]])


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY).digest()
