"""Small linear heads on the encoder's output, calibrated, in plain numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import TargetKind
from groundswell.nlp.model.targets import KINDS, named

if TYPE_CHECKING:
    pass

Array = NDArray[np.float32]

VECTOR_SHARE = 0.5
WORD_SHARE = 0.6
STRETCH = (2.0, 0.5, 1.0)
"""How much cheaper the penalty makes a vector, a state of the branch and a word found when a risk is learnt; set on
held-out documents, cuts fitted on one half and judged on the other."""


@dataclass(frozen=True, slots=True)
class Head:
    """``features @ weight.T + bias``; `weight` is ``(classes, features)``, already on the calibrated scale."""

    weight: Array
    bias: Array

    def logits(self, features: Array) -> Array:
        """Return calibrated logits ``(n, classes)``."""
        return np.asarray(features @ self.weight.T + self.bias, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads of a model.

    `sentiment` and `target` read pooled states and vectors, `risks` both side by side with the words found. `language`
    tells from the vector which language a text is in, softly; `scales` ``(languages,)`` and `shifts` ``(languages, 3)``
    are that language's corrections of the sentiment logits, `mixes` ``(languages,)`` what its letters count beside
    them (`groundswell.nlp.model.surface`), `languages` their codes. `stance` reads what
    `groundswell.nlp.model.stance.stance_features` finds. `background` are risk features of texts of every kind, against
    which new classes are learned. `learned` is what a team's labels add to the logits of feelings.
    """

    sentiment: Head
    risks: Head
    risk_ids: tuple[str, ...]
    target: Head
    language: Head
    scales: Array
    shifts: Array
    background: Array
    mixes: Array | None = None
    languages: tuple[str, ...] = ()
    stance: Head | None = None
    learned: Head | None = None

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""
        return int(self.target.weight.shape[1])

    @property
    def width(self) -> int:
        """Return the length of a pooled state."""
        return int(self.sentiment.weight.shape[1])

    def correction(self, vectors: Array) -> tuple[Array, Array]:
        """Return each text's scale ``(n, 1)`` and shift ``(n, 3)`` of the sentiment logits."""
        chances = softmax(self.language.logits(vectors))
        return chances @ self.scales[:, None], chances @ self.shifts

    def risk_features(self, vectors: Array, pooled: Array, found: Array) -> Array:
        """Return what the risk heads read: the vector alone, or the branch's state and the words found as well."""
        if self.risks.weight.shape[1] == self.dimensions:
            return vectors
        return risk_features(vectors, pooled, found)

    def with_risks(self, risks: Head, risk_ids: tuple[str, ...]) -> Heads:
        """Return the same with other risk heads."""
        return replace(self, risks=risks, risk_ids=risk_ids)

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], risk_ids: tuple[str, ...]) -> Heads:
        """Return the heads that a bundle's ``heads.npz`` holds."""

        def head(name: str) -> Head:
            return Head(_float(arrays[f"{name}.weight"]), _float(arrays[f"{name}.bias"]))

        return cls(
            sentiment=head("sentiment"),
            risks=head("risks"),
            risk_ids=risk_ids,
            target=head("target"),
            language=head("language"),
            # Bundles before 0.2 have one temperature for all, inside the sentiment head.
            scales=_float(arrays.get("scales", np.ones(len(arrays["shifts"])))),
            shifts=_float(arrays["shifts"]),
            background=_float(arrays["background"]),
            mixes=_float(arrays["mixes"]) if "mixes" in arrays else None,
            languages=tuple(str(code) for code in arrays["languages"]) if "languages" in arrays else (),
            stance=head("stance") if "stance.weight" in arrays else None,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `read` takes; the background in half precision, as it is only compared with."""
        heads = {"sentiment": self.sentiment, "risks": self.risks, "target": self.target, "language": self.language}
        stored: dict[str, NDArray[Any]] = {}
        for name, head in heads.items():
            stored |= {f"{name}.weight": head.weight, f"{name}.bias": head.bias}
        if self.stance is not None:
            stored |= {"stance.weight": self.stance.weight, "stance.bias": self.stance.bias}
        if self.mixes is not None:
            stored |= {"mixes": self.mixes, "languages": np.array(self.languages)}
        return stored | {"scales": self.scales, "shifts": self.shifts, "background": self.background.astype(np.float16)}

    @classmethod
    def blank(cls, dimensions: int) -> Heads:
        """Return heads that know nothing, for vectors of a length."""
        none = Head(np.zeros((1, dimensions), np.float32), np.zeros(1, np.float32))
        three = Head(np.zeros((3, dimensions), np.float32), np.zeros(3, np.float32))
        return cls(
            three, none, ("",), none, none, np.ones(1, np.float32), np.zeros((1, 3), np.float32),
            np.zeros((0, dimensions), np.float32),
        )  # fmt: skip


def risk_features(vectors: Array, pooled: Array, found: Array) -> Array:
    """Return vectors, pooled states at unit length and words found, side by side; the shares were set on validation."""
    length = np.linalg.norm(pooled, axis=1, keepdims=True)
    return np.concatenate([VECTOR_SHARE * vectors, pooled / np.maximum(length, 1e-6), WORD_SHARE * found], axis=1)


def risk_stretch(width: int, words: int) -> Array:
    """Return by how much each of `width` risk features is stretched before a head is fitted: ``(width,)``."""
    encoder = (width - words) // 2
    return np.repeat(np.asarray(STRETCH, np.float32), [encoder, encoder, words])


TARGET_STRENGTH = 30.0
"""Inverse of the ridge penalty of the target head, set by cross-validation over the labelled documents."""
NAMED_COUNTS = 0.05
"""What a text whose words name one target counts for beside a labelled one."""


def fit_targets(vectors: Array, texts: Sequence[str], main: Sequence[TargetKind | None] | None = None) -> Head:
    """Return a head that says whom a text is mostly about.

    Args:
        vectors: ``(n, d)``.
        texts: their texts; one whose words name just one target teaches a little by itself.
        main: the labelled target of each text, None where nobody labelled it; by default nobody labelled any.
    """
    from sklearn.linear_model import LogisticRegression

    labels = [label or _only_named(text) for text, label in zip(texts, main or [None] * len(texts), strict=True)]
    labelled = [n for n, label in enumerate(labels) if label]
    counts = np.array([1.0 if main and main[n] else NAMED_COUNTS for n in labelled])
    model = LogisticRegression(C=TARGET_STRENGTH, max_iter=500)
    model.fit(vectors[labelled], [KINDS.index(labels[n] or "other") for n in labelled], sample_weight=counts)
    weight = np.zeros((len(KINDS), vectors.shape[1]), np.float32)
    bias = np.full(len(KINDS), -1e3, np.float32)
    weight[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return Head(weight, bias)


def _only_named(text: str) -> TargetKind | None:
    kinds = named(text)
    return kinds[0] if len(kinds) == 1 else None


def softmax(logits: Array) -> Array:
    """Return probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(logits: Array) -> Array:
    """Return probabilities element by element; clipped so that nothing overflows."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def _float(values: NDArray[Any]) -> Array:
    return np.asarray(values, dtype=np.float32)
