"""The floor: TF-IDF of character pieces and logistic regression, trained on the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Baseline:
    """Sentiment by TF-IDF and logistic regression: one model for all languages, as ours is."""

    def __init__(self, texts: Sequence[str], labels: NDArray[np.int64], *, seed: int = 0) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import SGDClassifier
        from sklearn.pipeline import make_pipeline

        words = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=3, max_features=200_000
        )
        model = SGDClassifier(loss="log_loss", alpha=1e-5, class_weight="balanced", random_state=seed)
        self._model: Any = make_pipeline(words, model).fit(list(texts), labels)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the class of each text."""
        return np.asarray(self._model.predict(list(texts)), dtype=np.int64)
