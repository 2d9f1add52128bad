"""Which themes are near another one: what may be the same complaint, or its neighbour."""

from __future__ import annotations

import numpy as np

from groundswell.index.records import Theme
from groundswell.index.store import Reader

MOST, LEAST_ALIKE = 6, 0.3
"""Themes that are told, and the cosine of their centres (from the middle of all) below which they are not."""
READ = 5000


def related(reader: Reader, theme: Theme) -> list[tuple[Theme, float]]:
    """Return the themes that people speak of whose centres are nearest, with the cosines, nearest first."""
    own = theme.centroid
    if own is None:
        return []
    others = [
        one
        for one in reader.recent(Theme, limit=READ)
        if one.id != theme.id and one.state != "merged" and one.centroid is not None and len(one.centroid) == len(own)
    ]
    if not others:
        return []
    centres = np.asarray([one.centroid for one in others], dtype=np.float32)
    middle = centres.mean(axis=0)  # all texts of one encoder point much the same way: what differs is told
    centres, centre = centres - middle, np.asarray(own, dtype=np.float32) - middle
    length = np.linalg.norm(centres, axis=1) * np.linalg.norm(centre)
    alike = centres @ centre / np.maximum(length, 1e-9)
    order = np.argsort(-alike, kind="stable")[:MOST]
    return [(others[i], float(alike[i])) for i in order if alike[i] >= LEAST_ALIKE]
