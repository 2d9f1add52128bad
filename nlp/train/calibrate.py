"""From raw logits to probabilities that can be believed, fitted on validation texts only.

Sentiment: one temperature for all, and for each language a shift of the three logits, pulled towards none where a
language has few validation texts. Risks: one scale and one shift for all classes (most have too few held-out documents
for their own), chosen so that claiming at .5 gives the best F1 over the documents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.heads import softmax

Array = NDArray[np.float32]

RIDGE = 3.0
"""Pull towards no shift, in texts: a language with thirty validation texts moves, one with three hardly does."""


def fit_sentiment(
    logits: Array, gold: NDArray[np.int64], langs: Sequence[str], known: Sequence[str]
) -> tuple[float, Array]:
    """Return a temperature and shifts ``(languages, 3)``: ``softmax(logits / temperature + shift)`` is calibrated.

    The loss gives every class of a language the same weight, because what is reported is the mean over classes.
    """
    from scipy.optimize import minimize

    groups = [np.flatnonzero(np.asarray(langs) == lang) for lang in known]
    weight = np.zeros(len(gold))
    for rows in groups:
        for label in range(3):
            mine = rows[gold[rows] == label]
            weight[mine] = len(rows) / (3 * max(1, len(mine)))

    def loss(values: NDArray[np.float64]) -> float:
        temperature, shifts = np.exp(values[0]), values[1:].reshape(-1, 3)
        total = RIDGE * float((shifts**2).sum())
        for rows, shift in zip(groups, shifts, strict=True):
            chances = softmax((logits[rows] / temperature + shift).astype(np.float32))[np.arange(len(rows)), gold[rows]]
            total -= float((weight[rows] * np.log(np.maximum(chances, 1e-9))).sum())
        return total

    best = minimize(loss, np.zeros(1 + 3 * len(known)), method="L-BFGS-B", options={"maxiter": 60})
    return float(np.exp(best.x[0])), best.x[1:].reshape(-1, 3).astype(np.float32)


def fit_risks(logits: Array, labels: Array) -> tuple[float, float]:
    """Return scale and shift: ``sigmoid(scale * logits + shift)`` claims at .5; unknown labels (-1) say nothing."""
    from scipy.optimize import minimize

    known = labels >= 0
    raw, gold = logits[known].astype(np.float64), labels[known]

    def loss(values: NDArray[np.float64]) -> float:
        scaled = np.exp(values[0]) * raw + values[1]
        return float(np.mean(np.logaddexp(0, scaled) - gold * scaled))

    scale = float(np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead").x[0]))
    cuts = np.quantile(raw, np.linspace(0.8, 0.999, 120))
    cut = max(cuts, key=lambda at: _f1(gold, raw >= at))
    return scale, float(-scale * cut)


def _f1(gold: Array, claimed: NDArray[np.bool_]) -> float:
    right = float((claimed & (gold == 1)).sum())
    return 2 * right / max(1.0, float(claimed.sum() + (gold == 1).sum()))
