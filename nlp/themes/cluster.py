"""What a theme space is made of: clusters, loose documents, and documents that an earlier space placed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import ThemeState
from groundswell.nlp.themes.evidence import Floats

LATEST_MEMBERS = 512
"""Latest ids a cluster remembers; one with more is never merged away, so that each of its documents can be told."""


@dataclass(slots=True, eq=False)
class Cluster:
    """A theme, or (while `theme` is empty) a handful of pooled documents that may become one.

    `slot` is its row in the profiles. `size` counts documents without copies; `copies` counts them all. `members` are
    the most recent ids, bounded; `authors` are those of settled documents, as far as they matter.
    """

    slot: int
    first_seen: datetime
    last_seen: datetime
    theme: str = ""
    state: ThemeState = "living"
    size: int = 0
    copies: int = 0
    members: deque[str] = field(default_factory=lambda: deque(maxlen=LATEST_MEMBERS))
    authors: set[str] = field(default_factory=set)
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class LooseDocument:
    """A document whose place may still change; its copies go where it goes."""

    id: str
    evidence: Floats
    embedding: Floats
    at: datetime
    author: str
    cluster: Cluster | None = None
    copies: deque[str] = field(default_factory=lambda: deque(maxlen=LATEST_MEMBERS))

    @property
    def themed(self) -> bool:
        """Return whether it is in a theme, not in the pool."""
        return self.cluster is not None and bool(self.cluster.theme)

    @property
    def written_by(self) -> str:
        """Return who wrote it; somebody of their own where nobody knows."""
        return self.author or f"?{self.id}"


@dataclass(frozen=True, slots=True)
class PlacedDocument:
    """A document and where it went in an earlier space; fields as in `ThemeSpace.add`, ``theme`` "" in the pool."""

    id: str
    vector: Floats
    text: str
    lang: str
    at: datetime
    author: str
    theme: str
    copy_of: str = ""


def half_precision(vector: Floats) -> Floats:
    """Return a vector in the precision that it is saved in, so that a saved state is the same state."""
    return vector.astype(np.float16).astype(np.float32)


def slots_of(clusters: Sequence[Cluster]) -> NDArray[np.int64]:
    """Return the rows of clusters in the profiles."""
    return np.array([c.slot for c in clusters], dtype=np.int64)


def seconds_of(documents: Sequence[LooseDocument]) -> NDArray[np.float64]:
    """Return when documents were written, in seconds."""
    return np.array([d.at.timestamp() for d in documents])


def evidence_of(documents: Sequence[LooseDocument]) -> Floats:
    """Return the evidence of documents, one row each."""
    return np.stack([d.evidence for d in documents])
