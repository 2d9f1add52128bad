"""From raw logits to probabilities that can be believed.

Sentiment, fitted on validation texts for each language: what the encoder's branch and what the letters of a text count,
and a shift, so that what is said with 80 % is right in 80 %. Risks, fitted on held-out
texts: one scale for all classes and a shift for each, chosen so that claiming at .5 gives the best F1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Array64 = NDArray[np.float64]

SHIFT_RIDGE, SCALE_RIDGE, MIX_RIDGE = 3.0, 10.0, 10.0
"""Pull of a language's shift, scale and mix towards the common ones, in texts: hundreds move them, thirty hardly."""
MIX = 0.25
"""What letters count to begin with."""
BALANCE = 0.5
"""How far rare feelings of a language are lifted: 0 counts texts as they come, 1 counts feelings alike. Half way rare
ones are found (of three-star reviews in a Vietnamese shop none was) and what is said is still believed."""
RARE = 0.1
"""Share below which a feeling is rare in a language; where none is, lifting costs more than it brings."""
DOUBT = 5.0
"""Pull of the last scale towards 1."""
FEWEST = 15
"""Texts of each feeling that a language needs for a shift of its own: where one is missing, nothing holds it up."""
POSITIVES = 25.0
"""Positives that the common cut of all risks is worth beside a class's own."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """For each language: a scale of the branch's logits, what its letters count, and a shift ``(languages, 3)``."""

    scales: Array
    mixes: Array
    shifts: Array


def fit_sentiment(
    logits: Array, surface: Array, gold: NDArray[np.int64], langs: Sequence[str], languages: Sequence[str]
) -> Corrections:
    """Return corrections so that ``softmax(scale * logits + mix * said + shift)`` is believed.

    Rare feelings count more (`BALANCE`); then each language is scaled so that what is said with 80 % is right in 80 %,
    as often as feelings come in the sets.

    Args:
        logits: the branch's, ``(n, 3)``.
        surface: what the letters say (`groundswell.nlp.model.surface`), ``(n, 3)``.
        gold: labels 0 to 2.
        langs: the language of each text.
        languages: the languages, in the order of the result.
    """
    from scipy.optimize import minimize

    groups = [np.flatnonzero(np.asarray(langs) == lang) for lang in languages]
    own = np.array([min(np.bincount(gold[rows], minlength=3)) >= FEWEST for rows in groups])
    logits, surface = (each - each.mean(axis=1, keepdims=True) for each in (logits, surface))
    counts = _balanced(gold, groups)

    def parts(values: Array64) -> tuple[Array64, Array64, Array64]:
        each = values[5:].reshape(-1, 5)
        return np.exp(values[0] + each[:, 0]), values[1] + each[:, 1], values[2:5] + each[:, 2:] * own[:, None]

    pulls = np.array([SCALE_RIDGE, MIX_RIDGE, SHIFT_RIDGE, SHIFT_RIDGE, SHIFT_RIDGE])

    def loss(values: Array64) -> tuple[float, Array64]:
        each = values[5:].reshape(-1, 5)
        total, slopes = float((pulls * each**2).sum()), np.zeros_like(each)
        for n, (rows, scale, mix, shift) in enumerate(zip(groups, *parts(values), strict=True)):
            if not own[n]:  # what lacks a feeling would pull the common shift away from it
                continue
            surprise, wrong = _surprise(scale * logits[rows] + mix * surface[rows] + shift, gold[rows], counts[rows])
            total += surprise
            slopes[n] = [(wrong * logits[rows]).sum() * scale, (wrong * surface[rows]).sum(), *wrong.sum(axis=0)]
        common = slopes.sum(axis=0)
        return total, np.concatenate([common, (slopes + 2 * pulls * each).ravel()])

    start = np.zeros(5 + 5 * len(groups))
    start[1] = MIX
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    scales, mixes, shifts = parts(best.x)
    for n, rows in enumerate(groups):
        doubt = _doubt(scales[n] * logits[rows] + mixes[n] * surface[rows] + shifts[n], gold[rows])
        scales[n], mixes[n], shifts[n] = doubt * scales[n], doubt * mixes[n], doubt * shifts[n]
    return Corrections(scales.astype(np.float32), mixes.astype(np.float32), shifts.astype(np.float32))


def _balanced(gold: NDArray[np.int64], groups: Sequence[NDArray[np.int64]]) -> Array64:
    """Return what each text counts for: more where its feeling is rare in its language, as much in all as without."""
    counts = np.zeros(len(gold))
    for rows in groups:
        many = np.bincount(gold[rows], minlength=3)
        lift = BALANCE if len(rows) and many.min() < RARE * len(rows) else 0.0
        own = np.maximum(many, 1.0)[gold[rows]] ** -lift
        counts[rows] = own * len(rows) / own.sum() if len(rows) else own
    return counts


def _doubt(logits: NDArray[np.floating], gold: NDArray[np.int64]) -> float:
    """Return the factor by which logits are to be multiplied so that the likeliest feeling is as likely as it seems."""
    from scipy.optimize import minimize_scalar

    right = logits.argmax(axis=1) == gold if len(gold) else np.zeros(0, bool)

    def loss(power: float) -> float:
        shifted = np.exp(np.exp(power) * (logits - logits.max(axis=1, keepdims=True))) if len(gold) else logits
        sure = 1 / shifted.sum(axis=1) if len(gold) else np.zeros(0)
        return DOUBT * power**2 - float(np.log(np.where(right, sure, 1 - sure) + 1e-9).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-0.7, 0.7), method="bounded").x))


def _surprise(logits: NDArray[np.floating], gold: NDArray[np.int64], counts: Array64) -> tuple[float, Array64]:
    """Return the negative log likelihood of texts that count so much, and its slope for each logit ``(n, 3)``."""
    shifted = logits.astype(np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True)) if len(shifted) else shifted
    chances = shifted / shifted.sum(axis=1, keepdims=True)
    rows = np.arange(len(gold))
    lost = -float((counts * np.log(np.maximum(chances[rows, gold], 1e-300))).sum())
    chances[rows, gold] -= 1
    return lost, chances * counts[:, None]


def fit_risks(logits: Array, labels: Array, weight: Array) -> tuple[float, Array]:
    """Return a scale and a shift for each class: ``sigmoid(scale * logits + shift)`` claims at .5.

    Args:
        logits: ``(n, classes)``.
        labels: ``(n, classes)``; -1 where unknown, which says nothing.
        weight: ``(n,)``, what a text counts for.
    """
    from scipy.optimize import minimize

    labelled = (labels >= 0) & (weight[:, None] > 0)
    raw, gold = logits[labelled].astype(np.float64), labels[labelled]
    counts = np.broadcast_to(weight[:, None], labels.shape)[labelled].astype(np.float64)

    def loss(values: NDArray[np.float64]) -> float:
        scaled = np.exp(values[0]) * raw + values[1]
        return float((counts * (np.logaddexp(0, scaled) - gold * scaled)).sum() / counts.sum())

    scale = float(np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead").x[0]))
    common = _best_cut(raw, gold, counts)
    cuts = np.full(labels.shape[1], common)
    for column in range(labels.shape[1]):
        rows = labelled[:, column]
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
