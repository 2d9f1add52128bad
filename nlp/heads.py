"""Small linear heads on the encoder's output, calibrated, in plain numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Head:
    """``features @ weight.T + bias``; `weight` is ``(classes, features)``, already on the calibrated scale."""

    weight: Array
    bias: Array

    def logits(self, features: Array) -> Array:
        """Return calibrated logits ``(n, classes)``."""
        return np.asarray(features @ self.weight.T + self.bias, dtype=np.float32)


def softmax(logits: Array) -> Array:
    """Return probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(logits: Array) -> Array:
    """Return probabilities element by element; clipped so that nothing overflows."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
