"""From raw logits to probabilities that can be believed.

Sentiment, fitted on validation texts: a shift of the three logits for each language, for the mean over classes is what
is reported, then a scale for each language, so that what is said with 80 % is right in 80 %. Risks, fitted on held-out
texts: one scale for all classes and a shift for each, chosen so that claiming at .5 gives the best F1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

RIDGE = 30.0
"""Pull of a language's shift towards the common one, in texts: one with hundreds moves, one with thirty hardly.

Set by fitting on one half of the validation texts and judging the other, four times: 3, 10, 30, 100 give a mean error
of .072, .073, .069, .068 and a mean macro-F1 over UMSAB of 66.3, 66.5, 66.4, 66.3.
"""
SCALE_RIDGE = 10.0
"""The same for a language's scale."""
FEWEST = 15
"""Texts of each feeling that a language needs for a shift of its own: where one is missing, nothing holds it up."""
POSITIVES = 25.0
"""Positives that the common cut of all risks is worth beside a class's own."""


def home(lang: str) -> str:
    """Return the language whose corrections a language takes: Malay goes with Indonesian."""
    return "id" if lang == "ms" else lang


def fit_sentiment(
    logits: Array, gold: NDArray[np.int64], langs: Sequence[str], known: Sequence[str]
) -> tuple[Array, Array]:
    """Return scales ``(languages,)`` and shifts ``(languages, 3)``: ``softmax(scale * logits + shift)`` is believed."""
    groups = [np.flatnonzero(np.asarray(langs) == lang) for lang in known]
    shifts = _shifts(logits, gold, groups)
    scales = _scales(logits, gold, groups, shifts)
    return scales, (scales[:, None] * shifts).astype(np.float32)


def _shifts(logits: Array, gold: NDArray[np.int64], groups: Sequence[NDArray[np.int64]]) -> Array:
    """Return a common shift and a language's own; every feeling of a language weighs the same."""
    from scipy.optimize import minimize

    own = np.array([min(np.bincount(gold[rows], minlength=3)) >= FEWEST for rows in groups])
    weight = np.zeros(len(gold))
    for rows in groups:
        for label in range(3):
            mine = rows[gold[rows] == label]
            weight[mine] = len(rows) / (3 * max(1, len(mine)))

    def loss(values: NDArray[np.float64]) -> float:
        common, each = values[:3], values[3:].reshape(-1, 3) * own[:, None]
        total = RIDGE * float((each**2).sum())
        for rows, shift, held in zip(groups, each, own, strict=True):
            if held:
                total += _surprise(logits[rows] + common + shift, gold[rows], weight[rows])
        return total

    best = minimize(loss, np.zeros(3 + 3 * len(groups)), method="L-BFGS-B", options={"maxiter": 80})
    return np.asarray(best.x[:3] + best.x[3:].reshape(-1, 3) * own[:, None], dtype=np.float32)


def _scales(logits: Array, gold: NDArray[np.int64], groups: Sequence[NDArray[np.int64]], shifts: Array) -> Array:
    """Return each language's scale of its shifted logits; every text weighs the same: confidence is to be believed."""
    from scipy.optimize import minimize

    def loss(values: NDArray[np.float64]) -> float:
        total = SCALE_RIDGE * float((values[1:] ** 2).sum())
        for rows, shift, own in zip(groups, shifts, values[1:], strict=True):
            total += _surprise(np.exp(values[0] + own) * (logits[rows] + shift), gold[rows], np.ones(len(rows)))
        return total

    best = minimize(loss, np.zeros(1 + len(groups)), method="L-BFGS-B", options={"maxiter": 80})
    return np.asarray(np.exp(best.x[0] + best.x[1:]), dtype=np.float32)


def _surprise(logits: NDArray[np.floating], gold: NDArray[np.int64], weight: NDArray[np.float64]) -> float:
    """Return the weighted negative log likelihood, in double precision: the minimiser takes differences of it."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    chances = shifted[np.arange(len(gold)), gold] - np.log(np.exp(shifted).sum(axis=1))
    return -float((weight * chances).sum())


def fit_risks(logits: Array, labels: Array, weight: Array) -> tuple[float, Array]:
    """Return a scale and a shift for each class: ``sigmoid(scale * logits + shift)`` claims at .5.

    Args:
        logits: ``(n, classes)``.
        labels: ``(n, classes)``; -1 where unknown, which says nothing.
        weight: ``(n,)``, what a text counts for.
    """
    from scipy.optimize import minimize

    known = (labels >= 0) & (weight[:, None] > 0)
    raw, gold = logits[known].astype(np.float64), labels[known]
    counts = np.broadcast_to(weight[:, None], labels.shape)[known].astype(np.float64)

    def loss(values: NDArray[np.float64]) -> float:
        scaled = np.exp(values[0]) * raw + values[1]
        return float((counts * (np.logaddexp(0, scaled) - gold * scaled)).sum() / counts.sum())

    scale = float(np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead").x[0]))
    common = _best_cut(raw, gold, counts)
    cuts = np.full(labels.shape[1], common)
    for column in range(labels.shape[1]):
        rows = known[:, column]
        mine = labels[rows, column]
        positives = float((mine * weight[rows]).sum())
        if positives:
            own = _best_cut(logits[rows, column].astype(np.float64), mine, weight[rows])
            cuts[column] = (positives * own + POSITIVES * common) / (positives + POSITIVES)
    return scale, (-scale * cuts).astype(np.float32)


def _best_cut(raw: NDArray[np.float64], gold: Array, counts: NDArray[np.floating]) -> float:
    """Return the cut with the best F1: between the two logits that it parts."""
    order = np.argsort(-raw, kind="stable")
    right = np.cumsum(gold[order] * counts[order])
    f1 = 2 * right / (np.cumsum(counts[order]) + right[-1])
    best = int(np.argmax(f1))
    return float(raw[order[best : best + 2]].mean())
