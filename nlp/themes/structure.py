"""A second opinion on the pool: BERTopic looks at all that waits at once, and finds what arrivals hid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.nlp.text import keywords
from groundswell.nlp.themes.evidence import Floats

ENOUGH = 40
"""Waiting documents under which a look at all of them at once shows nothing that arrival did not."""
DENSE = 10
"""Dimensions the vectors are reduced to. By principal components: the pool is small, and UMAP is slow to wake."""


def find_groups(texts: Sequence[str], vectors: Floats, *, smallest: int) -> list[list[int]]:
    """Return groups of waiting documents, as indices, that BERTopic sees as topics.

    Args:
        texts: what each says.
        vectors: shape ``(n, d)``, centred.
        smallest: documents a group needs.
    """
    if len(texts) < max(ENOUGH, 2 * smallest):
        return []
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder
    from hdbscan import HDBSCAN
    from sklearn.decomposition import PCA
    from sklearn.feature_extraction.text import CountVectorizer

    model = BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=PCA(n_components=min(DENSE, len(texts) - 1), random_state=0),
        hdbscan_model=HDBSCAN(min_cluster_size=smallest, min_samples=2, core_dist_n_jobs=1),
        vectorizer_model=CountVectorizer(analyzer=keywords.words),
        verbose=False,
    )
    topics, _ = model.fit_transform([t or " " for t in texts], embeddings=np.asarray(vectors, np.float64))
    groups: dict[int, list[int]] = {}
    for index, topic in enumerate(topics):
        if topic >= 0:
            groups.setdefault(int(topic), []).append(index)
    return [groups[topic] for topic in sorted(groups)]
