"""The model: one pass of the encoder over a batch of texts, then its heads.

`load_model` opens what the configuration names; `Model.read` gives all that is known of the texts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.schema import ModelSettings
from groundswell.configs.taxonomy import Taxonomy, load_taxonomy
from groundswell.index.records import Target
from groundswell.nlp.bundle import Bundle, ModelError, find_bundle, read_bundle
from groundswell.nlp.encoder.runtime import Runtime
from groundswell.nlp.encoder.tokens import Tokenizer
from groundswell.nlp.heads import Head, sigmoid, softmax

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of ``n`` texts.

    `vectors` ``(n, dimensions)`` of unit length; `sentiment` ``(n, 3)`` calibrated probabilities of negative, neutral,
    positive; `risks` ``(n, classes)`` calibrated, a class is claimed at .5; `targets` whom each text's feelings are about.
    """

    vectors: Array
    sentiment: Array
    risks: Array
    targets: tuple[tuple[Target, ...], ...]


class Model:
    """Reads texts: every text is encoded once. Made by `load_model`; not for use by several threads at a time."""

    def __init__(self, bundle: Bundle, runtime: Runtime, tokenizer: Tokenizer, settings: ModelSettings) -> None:
        arrays = bundle.arrays("heads.npz")
        self._runtime, self._tokenizer, self._batch_tokens = runtime, tokenizer, settings.batch_tokens
        self._sentiment = Head(arrays["sentiment.weight"], arrays["sentiment.bias"])
        self._risks = Head(arrays["risks.weight"], arrays["risks.bias"])
        self.risk_ids: tuple[str, ...] = tuple(bundle["risk_ids"])
        self.made_by: str = bundle.made_by
        self.embedding_version: str = bundle["embedding_version"]
        self.dimensions: int = bundle["dimensions"]

    def vectors(self, texts: Sequence[str]) -> Array:
        """Return embeddings only: ``(n, dimensions)`` float32, unit length."""
        tokens = self._tokenizer(texts)
        vectors = np.zeros((len(tokens), self.dimensions), dtype=np.float32)
        for batch in self._tokenizer.batches(tokens, self._batch_tokens):
            vectors[batch.rows], _ = self._runtime.run(batch, pieces=False)
        return vectors

    def read(self, texts: Sequence[str]) -> Reading:
        """Return all that is known of the texts, in their order."""
        vectors = self.vectors(texts)
        return Reading(
            vectors=vectors,
            sentiment=softmax(self._sentiment.logits(vectors)),
            risks=sigmoid(self._risks.logits(vectors)),
            targets=((),) * len(vectors),
        )


def load_model(settings: ModelSettings, *, taxonomy: Taxonomy | None = None) -> Model:
    """Open the model that the configuration names.

    Raises:
        ModelError: There is no such model, or it is damaged.
    """
    taxonomy = taxonomy or load_taxonomy()
    folder = find_bundle(settings.name)
    if folder is None:
        msg = f"no model is called {settings.name!r}"
        raise ModelError(msg)
    bundle = read_bundle(folder)
    tokenizer = Tokenizer.read(
        bundle.path("tokenizer.json"), prefix=bundle["prefix"], max_tokens=settings.max_tokens, pad=bundle["pad"]
    )
    return Model(bundle, _runtime(bundle, settings), tokenizer, settings)


def _runtime(bundle: Bundle, settings: ModelSettings) -> Runtime:
    from groundswell.nlp.encoder.runtime import OnnxRuntime

    return OnnxRuntime(bundle.path("encoder.onnx"), threads=settings.threads)
