"""The tables of `groundswell.nlp.model.surface`: one linear model a language, on all its labelled texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.model.surface import Surface, Table, features

Array = NDArray[np.float32]

BITS = 18
"""Width of the hashed table."""
MANY = 5_000
"""Texts from which a language is learnt with the weaker penalty and keeps more weights."""
PENALTY = {True: 3e-6, False: 1e-5}
KEPT = {True: 80_000, False: 30_000}
PASSES = 8


@dataclass(frozen=True, slots=True)
class Lesson:
    """Cleaned texts of one language with their feelings, 0 to 2, and what each counts for."""

    texts: Sequence[str]
    labels: Sequence[int]
    weights: Sequence[float]


def fit_surface(lessons: dict[str, Lesson], seed: int) -> Surface:
    """Return a table for every language; the same from the same seed."""
    return Surface(BITS, {lang: fit_table(lesson, seed) for lang, lesson in sorted(lessons.items())})


def fit_table(lesson: Lesson, seed: int) -> Table:
    """Return a language's table: logistic regression by averaged stochastic gradients."""
    from sklearn.linear_model import SGDClassifier

    labels = np.asarray(lesson.labels)
    many = len(labels) >= MANY
    model = SGDClassifier(
        loss="log_loss", alpha=PENALTY[many], max_iter=PASSES, tol=None, average=True, random_state=seed
    )
    model.fit(features(lesson.texts, BITS), labels, sample_weight=np.asarray(lesson.weights))
    weights, bias = np.zeros((3, 1 << BITS), np.float32), np.zeros(3, np.float32)
    if len(model.classes_) == 2:
        weights[model.classes_[1]], bias[model.classes_[1]] = model.coef_[0], model.intercept_[0]
    else:
        weights[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return Table.packed(weights, bias, KEPT[many])
