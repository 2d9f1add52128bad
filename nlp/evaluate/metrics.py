"""Figures with their uncertainty: precision, recall, F1, calibration, bootstrap intervals, paired differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

SAMPLES = 1000
BINS = 10
WORLDS = 200
# The percentiles of a 95 % interval.
INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of one class, and how many texts carry it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the middle 95 % of its bootstrap samples."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it in points: ``64.0 [62.1, 65.8]``."""
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def score(gold: Labels, claimed: Labels, label: int) -> Score:
    """Return precision, recall and F1 of one class."""
    right = int(((gold == label) & (claimed == label)).sum())
    predicted, held = int((claimed == label).sum()), int((gold == label).sum())
    precision, recall = right / predicted if predicted else 0.0, right / held if held else 0.0
    return Score(precision, recall, 2 * right / (predicted + held) if predicted + held else 0.0, held)


def macro_f1(gold: Labels, claimed: Labels) -> float:
    """Return the mean F1 over the classes that occur."""
    return float(np.mean([score(gold, claimed, int(label)).f1 for label in np.unique(gold)]))


def macro_recall(gold: Labels, claimed: Labels) -> float:
    """Return the mean recall over the classes that occur."""
    return float(np.mean([score(gold, claimed, int(label)).recall for label in np.unique(gold)]))


def confusion(gold: Labels, claimed: Labels, classes: int) -> Labels:
    """Return counts ``(classes, classes)``, gold by row, claimed by column."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (gold, claimed), 1)
    return table


def calibration_error(right: NDArray[np.bool_], confidence: Array) -> float:
    """Return the expected calibration error over ten bins of equal width (Guo et al. 2017).

    >>> calibration_error(np.array([True, True, True, False]), np.array([0.75, 0.75, 0.75, 0.75]))
    0.0
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    error = 0.0
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            error += float(inside.mean()) * abs(float(right[inside].mean()) - float(confidence[inside].mean()))
    return error


def error_by_chance(confidence: Array, *, seed: int = 0) -> float:
    """Return the calibration error that these confidences show on average if every one of them is true.

    The fewer texts, the further the error lies above nothing without any fault of the model (Kumar et al. 2019,
    Roelofs et al. 2022): a hundred texts show about .08.
    """
    chance = np.random.default_rng(seed)
    worlds = (chance.random(len(confidence)) < confidence for _ in range(WORLDS))
    return float(np.mean([calibration_error(right, confidence) for right in worlds]))


def bootstrap(figure: Callable[[NDArray[np.int64]], float], size: int, *, seed: int = 0) -> Interval:
    """Return a figure of row numbers with its interval over 1,000 samples of the rows."""
    chance = np.random.default_rng(seed)
    values = [figure(chance.integers(0, size, size)) for _ in range(SAMPLES)]
    low, high = np.percentile(values, INTERVAL)
    return Interval(figure(np.arange(size)), float(low), float(high))


def paired(figure: Callable[[Labels, Labels], float], gold: Labels, ours: Labels, theirs: Labels) -> Interval:
    """Return how much better `ours` is than `theirs` on the same texts, with its interval."""
    return bootstrap(lambda rows: figure(gold[rows], ours[rows]) - figure(gold[rows], theirs[rows]), len(gold))
