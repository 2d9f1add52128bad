"""What may happen to a theme after its birth: it fades, it swallows a double of itself, it falls into two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.evidence import Floats


def halves(links: Floats) -> NDArray[np.bool_]:
    """Return which of the documents are on one side of the widest gap: mean-link agglomeration cut in two.

    Args:
        links: how much each two belong together, shape ``(n, n)``, symmetric.
    """
    out: NDArray[np.bool_] = agglomerate(links, count=2) == 1
    return out


def agglomerate(links: Floats, *, at_least: float | None = None, count: int | None = None) -> NDArray[np.int64]:
    """Return group numbers from 1: mean-link agglomeration while links are `at_least`, or down to `count` groups."""
    if len(links) == 1:
        return np.ones(1, np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    most = float(links.max())
    far = most - (links + links.T) / 2
    np.fill_diagonal(far, 0)
    tree = linkage(squareform(far, checks=False), "average")
    cut = (count, "maxclust") if at_least is None else (most - at_least, "distance")
    return np.asarray(fcluster(tree, *cut), np.int64)
