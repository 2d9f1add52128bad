"""A second opinion on the pool: BERTopic looks at all that waits at once, and finds what arrivals hid.

Grootendorst 2022, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", arXiv 2203.05794; here with
principal components instead of UMAP and HDBSCAN for the groups. It sees the pool only, never the whole history.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np

from groundswell.nlp.text import keywords
from groundswell.nlp.themes.cluster import Cluster
from groundswell.nlp.themes.evidence import Floats

FEWEST = 40
"""Waiting documents under which a look at all of them at once shows nothing that arrival did not."""
NEW_SHARE = 0.75
"""Share of what waits that must have come since the last look: the pool lives two weeks, so about every ten days."""
COMPONENTS = 10
"""Dimensions the vectors are reduced to. By principal components: the pool is small, and UMAP compiles for 20 s."""
OPTIONAL = ("umap", "sentence_transformers", "transformers", "torch", "plotly", "huggingface_hub")
"""What BERTopic imports if it is there, for steps that we replace: it costs half a minute and half a gigabyte."""


def is_due(waiting: Sequence[Cluster], looked: datetime) -> bool:
    """Return whether enough of what waits has come since the last look."""
    new = sum(cluster.first_seen > looked for cluster in waiting)
    return len(waiting) >= FEWEST and new >= NEW_SHARE * len(waiting)


def find_groups(texts: Sequence[str], vectors: Floats, *, smallest: int) -> list[list[int]]:
    """Return groups of waiting documents, as indices, that BERTopic sees as topics.

    Args:
        texts: what each says.
        vectors: shape ``(n, d)``, centred.
        smallest: documents a group needs.
    """
    if len(texts) < max(FEWEST, 2 * smallest):
        return []
    model = _model(smallest, min(COMPONENTS, len(texts) - 1))
    topics, _ = model.fit_transform([t or " " for t in texts], embeddings=np.asarray(vectors, np.float64))
    groups: dict[int, list[int]] = {}
    for index, topic in enumerate(topics):
        if topic >= 0:
            groups.setdefault(int(topic), []).append(index)
    return [groups[topic] for topic in sorted(groups)]


def _model(smallest: int, components: int) -> Any:
    from hdbscan import HDBSCAN  # with SciPy, before anything is hidden: it asks whether torch is loaded
    from sklearn.decomposition import PCA
    from sklearn.feature_extraction.text import CountVectorizer

    with absent(*OPTIONAL):
        from bertopic import BERTopic
        from bertopic.backend import BaseEmbedder

    return BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=PCA(n_components=components, random_state=0),
        hdbscan_model=HDBSCAN(min_cluster_size=smallest, min_samples=2, core_dist_n_jobs=1),
        vectorizer_model=CountVectorizer(analyzer=keywords.words),
        verbose=False,
    )


@contextmanager
def absent(*modules: str) -> Iterator[None]:
    """Let optional imports of modules fail meanwhile; one that is there already stays.

    It is BERTopic's own light installation (without UMAP and sentence-transformers), in a process that has them.
    """
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python spells "there is none"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
