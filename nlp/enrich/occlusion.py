"""What in a text speaks for a label: leave out one piece after the other and see how the probability falls.

Occlusion (Zeiler and Fergus 2014; Li, Monroe and Jurafsky 2016, "representation erasure"): no gradient is needed, so it
works on every runtime of the model, and each number is a real reading of a real text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.enrich.stage import Model

MOST_PIECES = 32
"""Pieces that a text is cut into at most: one reading each."""
LEAST_FALL = 0.02
"""A piece without which the probability falls by less says nothing."""
_WORD = re.compile(r"[\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff]{1,4}|[^\W_]+(?:['’\-][^\W_]+)*")
"""A word; of scripts that write no space between words, four letters at most."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch ``[begin, end)`` of a text, and by how much the probability falls when it is left out."""

    begin: int
    end: int
    fall: float


def pieces(text: str, most: int = MOST_PIECES) -> list[tuple[int, int]]:
    """Return the stretches that a text is cut into: its words, several together where there are many.

    >>> pieces("too many ads")
    [(0, 3), (4, 8), (9, 12)]
    """
    words = [match.span() for match in _WORD.finditer(text)]
    together = -(-len(words) // most) or 1
    return [(words[k][0], words[min(k + together, len(words)) - 1][1]) for k in range(0, len(words), together)]


def speaking(text: str, label: str, model: Model) -> list[Piece]:
    """Return the pieces of a cleaned text that speak for a label, strongest first.

    Args:
        text: as the model reads it (`groundswell.nlp.text.clean`).
        label: a risk id, or "negative", "neutral", "positive".
        model: asked once, with the text and a version of it for each piece.
    """
    cut = pieces(text)
    without = [f"{text[:begin]} {text[end:]}".strip() for begin, end in cut]
    asked = [k for k, rest in enumerate(without) if rest]
    if not asked:
        return []
    reading = model.read([text, *(without[k] for k in asked)])
    whole, *rest = _probabilities(reading.sentiment, reading.risks, label, model.risk_ids)
    found = [Piece(*cut[k], fall=whole - left) for k, left in zip(asked, rest, strict=True)]
    return sorted((p for p in found if p.fall >= LEAST_FALL), key=lambda piece: -piece.fall)


def _probabilities(
    sentiment: NDArray[np.float32], risks: NDArray[np.float32], label: str, risk_ids: Sequence[str]
) -> list[float]:
    feelings = ("negative", "neutral", "positive")
    if label in feelings:
        return [float(row[feelings.index(label)]) for row in sentiment]
    return [float(row[risk_ids.index(label)]) for row in risks]
