"""Heads from few examples: a user's own class of risk, or all heads where the encoder is one of the user's choice.

Logistic regression on frozen embeddings. A dozen positives among hundreds of others would never be claimed if each
counted the same, so both sides weigh alike, and the weight of the penalty is the same for every class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundswell.configs.taxonomy import Taxonomy
from groundswell.nlp.model.heads import Head, Heads, fit_targets
from groundswell.nlp.model.seeds import seeds

Array = NDArray[np.float32]

STRENGTH = 100.0
"""Inverse of the ridge penalty: unit vectors of one language family lie close together, so weights must be large."""
NEGATIVE_SHARE = 4.0
"""How much all counterexamples together weigh against all examples of a class."""


def fit_risk(examples: Array, others: Array) -> Head:
    """Return a head for one class from vectors ``(k, d)`` of its examples and ``(n, d)`` of everything else."""
    from sklearn.linear_model import LogisticRegression

    features = np.concatenate([examples, others])
    target = np.repeat([1, 0], [len(examples), len(others)])
    weight = np.where(target == 1, 1.0, NEGATIVE_SHARE * len(examples) / max(1, len(others)))
    model = LogisticRegression(C=STRENGTH, max_iter=500).fit(features, target, sample_weight=weight)
    return Head(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


def fit_sentiment(vectors: Array, labels: Sequence[int]) -> Head:
    """Return a three-class head from vectors and labels 0, 1, 2."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=500, class_weight="balanced").fit(vectors, np.asarray(labels))
    return Head(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


def stack(heads: Sequence[Head]) -> Head:
    """Return several heads as one."""
    return Head(np.concatenate([head.weight for head in heads]), np.concatenate([head.bias for head in heads]))


def heads_from_examples(embed: Callable[[Sequence[str]], Array], taxonomy: Taxonomy) -> Heads:
    """Return heads fitted on texts of our own and the taxonomy's examples, for an encoder we know nothing of."""
    texts = seeds()
    vectors = embed([seed.text for seed in texts])
    risks = []
    for risk in taxonomy.risks:
        holds = np.array([risk.id in seed.risks for seed in texts])
        others = np.concatenate([vectors[~holds], embed(risk.counterexamples)])
        risks.append(fit_risk(np.concatenate([vectors[holds], embed(risk.examples)]), others))
    return replace(
        Heads.blank(vectors.shape[1]),
        sentiment=fit_sentiment(vectors, [seed.sentiment for seed in texts]),
        target=fit_targets(vectors, [seed.text for seed in texts]),
        background=vectors,
    ).with_risks(stack(risks), taxonomy.risk_ids)
