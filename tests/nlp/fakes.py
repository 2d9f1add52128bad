"""A model that needs no weights, for tests of plumbing: it counts a few words, the same way every time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Stance, Target
from groundswell.nlp.model.stance import STANCES


@dataclass(frozen=True, slots=True)
class FakeReading:
    """What the fake model gives back."""

    vectors: NDArray[np.float32]
    sentiment: NDArray[np.float32]
    risks: NDArray[np.float32]
    targets: tuple[tuple[Target, ...], ...]

    @property
    def spoken(self) -> NDArray[np.float32]:
        """Return what is claimed: the fake never doubts it."""
        return self.risks

    @property
    def stances(self) -> tuple[Stance, ...]:
        """Return that everybody claims."""
        return tuple(STANCES[0] for _ in self.risks)

    @property
    def unread(self) -> tuple[int, ...]:
        """Return that all was read."""
        return (0,) * len(self.risks)


@dataclass(slots=True)
class FakeModel:
    """Says negative of "hate", positive of "love", and fails on a text that holds `poison`."""

    made_by: str = "fake 1"
    poison: str = ""
    risk_ids: tuple[str, ...] = ("ad_experience", "gambling")
    batches: list[int] = field(default_factory=list)

    def read(self, texts: Sequence[str]) -> FakeReading:
        """Return a reading; vectors are seeded by the text."""
        self.batches.append(len(texts))
        if self.poison and any(self.poison in text for text in texts):
            raise RuntimeError("the encoder choked")
        seeds = [np.random.default_rng(zlib.crc32(text.encode())) for text in texts]
        vectors = np.array([seed.normal(size=384) for seed in seeds], np.float32).reshape(-1, 384)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return FakeReading(
            vectors=vectors,
            sentiment=np.array([_feeling(text) for text in texts], np.float32).reshape(-1, 3),
            risks=np.array([[0.9 * ("ads" in text), 0.01] for text in texts], np.float32).reshape(-1, 2),
            targets=tuple((Target(who="ad_product", label="negative"),) if "ads" in text else () for text in texts),
        )


def _feeling(text: str) -> list[float]:
    if "hate" in text:
        return [0.9, 0.05, 0.05]
    return [0.05, 0.05, 0.9] if "love" in text else [0.36, 0.34, 0.3]
