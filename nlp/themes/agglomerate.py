"""Mean-link agglomeration of points that weigh differently: a document weighs one, what is settled weighs many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import Floats


def agglomerate(links: Floats, at_least: float, weights: Floats | None = None) -> NDArray[np.int64]:
    """Return group numbers: the nearest two are made one while their mean link is `at_least`.

    Args:
        links: how much each two belong together, shape ``(n, n)``, symmetric; the diagonal says nothing.
        at_least: mean link under which nothing is joined.
        weights: how many documents each point stands for; one each by default.
    """
    weights = np.ones(len(links), np.float32) if weights is None else weights
    # A mean reaches the threshold only where a single link does, so that what no link connects is never compared.
    parts = components(links >= at_least)
    labels = np.arange(len(links))
    order = np.argsort(parts, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(parts[order])) + 1):
        if len(part) > 1:
            for winner, loser in _joinings(links[np.ix_(part, part)].astype(np.float32), weights[part], at_least):
                labels[labels == part[loser]] = part[winner]
    return labels


def components(linked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return which part of a graph each point is in, numbered by their first points.

    SciPy has it too, but takes half a second to wake, as long as all the rest of a small turn.

    >>> components(np.array([[False, False, True], [False, False, False], [True, False, False]])).tolist()
    [0, 1, 0]
    """
    parts = np.full(len(linked), -1)
    found = 0
    for first in range(len(linked)):
        if parts[first] >= 0:
            continue
        parts[first], reached = found, [first]
        while reached:
            near = np.flatnonzero(linked[reached.pop()] & (parts < 0))
            parts[near] = found
            reached.extend(near.tolist())
        found += 1
    return parts


def _joinings(links: Floats, weights: Floats, at_least: float) -> Iterator[tuple[int, int]]:
    """Yield the points to be made one, the nearest first (Lance and Williams 1967, weighted)."""
    weights = weights.copy()
    np.fill_diagonal(links, -np.inf)
    best = links.argmax(1)
    most = links[np.arange(len(links)), best]
    while True:
        i = int(most.argmax())
        if most[i] < at_least:
            return
        i, j = sorted((i, int(best[i])))
        yield i, j
        row = (weights[i] * links[i] + weights[j] * links[j]) / (weights[i] + weights[j])
        weights[i] += weights[j]
        links[i], links[:, i], links[j], links[:, j] = row, row, -np.inf, -np.inf
        links[i, i] = -np.inf
        again = np.flatnonzero((best == i) | (best == j) | (np.arange(len(best)) == i))
        best[again] = links[again].argmax(1)
        most[again] = links[again, best[again]]
        most[j] = -np.inf
