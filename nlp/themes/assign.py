"""The online theme space: each document joins a living theme, waits in the pool, or helps to found a new theme.

Nothing here knows a store, a clock or a model: documents come in, in arrival order, with their vectors. A batch is
grouped within itself first (mean-link agglomeration over at most `BLOCK` documents), then each group joins the nearest
living theme or stays together in the pool; a group in the pool that has grown enough is a new theme at that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundswell.index.ids import stable_id
from groundswell.index.records import Lineage, LineageKind
from groundswell.nlp.keywords import words as keywords
from groundswell.nlp.themes.arrival import REACH, Arrival
from groundswell.nlp.themes.evidence import DIMENSIONS, Evidence, Floats, Tokens, Weights

BLOCK = 256
"""Documents that are grouped among themselves at once; the square of it bounds the cost of a document."""
FULL = 300.0
"""Documents a theme's profile remembers in effect; older ones fade from it, so that it may move, slowly."""
TRACE = 32
"""Latest members of a theme whose distance of arrival counts."""
LOOK_EVERY = 64
"""New documents after which the latest ones are looked at again."""
LONG_AGO = -(10**9)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Log-odds, up to the evidence's constant, at which things happen; frozen on development streams.

    Attributes:
        group: mean link within a group of one batch.
        join: mean link of a group to a theme, or to others in the pool.
        keep: a document whose own link to its theme is lower does not belong to it.
        move: how much better another theme must be for a document to move there.
        least: texts must be this much alike, whatever the arrival says.
        merge: mean link between two themes that makes them one.
        split: a theme falls apart when the link between its halves is lower.
        revive: how much better than `join` a faded theme must fit.
        alike: two documents that count as alike when the rhythm of arrival is learnt.
        arrival: weight of the lift that arrival gives.
    """

    group: float = 2.5
    join: float = 2.5
    keep: float = 1.0
    move: float = 1.0
    least: float = 1.0
    merge: float = 4.5
    split: float = 0.5
    revive: float = 1.0
    alike: float = 6.3
    arrival: float = 1.0


@dataclass(slots=True, eq=False)
class Cluster:
    """A living theme, or (while `theme` is empty) a handful of pooled documents that may become one.

    `size` counts documents without copies; `copies` counts them all. `members` are the most recent ids, bounded.
    """

    slot: int
    first_seen: datetime
    last_seen: datetime
    theme: str = ""
    state: Literal["living", "faded"] = "living"
    size: int = 0
    copies: int = 0
    members: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    authors: set[str] = field(default_factory=set)
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Recent:
    """A document that may still be looked at again."""

    id: str
    position: int
    evidence: Floats
    raw: Floats
    at: datetime
    author: str
    cluster: Cluster | None = None


class ThemeSpace:
    """Themes over a stream, kept online: the cost of a batch depends on what is alive, not on history.

    Use::

        space = ThemeSpace(smallest=5, fewest_authors=2)
        themes = space.add(ids, vectors, texts, langs, times, authors)   # theme id, or "" while a document waits
        moved = space.drain()       # earlier documents whose theme changed during the last `add`: {id: theme or ""}
        space.themes                # theme id → Cluster: size, copies, first_seen, last_seen, members, parents …
        space.centroid(theme)       # its mean embedding, unit length
        space.events                # every Lineage so far: born, split, merged, faded, revived

    `add` answers for the documents of this batch only; when a batch founds a theme, the earlier documents that had
    waited for it are reported by `drain`. Batches must come in arrival order; a batch may hold any number of
    documents (an hour, a day; more documents at once are grouped better). Feeding the same documents in the same
    batches gives the same ids on any machine: a theme's id is a hash of its founding documents. Copies (`copy_of`)
    get the theme of their first and count once.
    """

    def __init__(
        self,
        *,
        smallest: int = 5,
        fewest_authors: int = 2,
        fade_days: int = 30,
        pool_days: int = 14,
        thresholds: Thresholds | None = None,
        weights: Weights | None = None,
        tokens: Tokens = keywords,
    ) -> None:
        self.thresholds = thresholds or Thresholds()
        self.smallest, self.fewest_authors = smallest, fewest_authors
        self.fade, self.wait = timedelta(days=fade_days), timedelta(days=pool_days)
        self.evidence = Evidence(weights or Weights(), tokens)
        self.arrival = Arrival(alike_at=self.thresholds.alike)
        self.themes: dict[str, Cluster] = {}
        self.events: list[Lineage] = []
        self.clusters: dict[int, Cluster] = {}
        self.recent: deque[Recent] = deque(maxlen=REACH)
        self.position = 0
        self._unseen = 0
        self.now = datetime.min.replace(tzinfo=UTC)
        self._of: dict[str, Cluster] = {}
        self._answer: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        self._free: list[int] = []
        self._resize(64)

    # What goes in and comes out

    def add(
        self,
        ids: Sequence[str],
        vectors: Floats,
        texts: Sequence[str],
        langs: Sequence[str] | None = None,
        times: Sequence[datetime] | None = None,
        authors: Sequence[str] | None = None,
        copy_of: Sequence[str] | None = None,
    ) -> list[str]:
        """Place a batch of documents, in arrival order, and return the theme id of each ("" while it waits).

        Args:
            ids: document ids, unique over the life of the space.
            vectors: shape ``(n, 384)``, float32, unit length, as the encoder gives them (not centred).
            texts: title and text.
            langs: ISO 639-1 codes; empty where unknown.
            times: aware UTC; when each was published (or, undated, fetched).
            authors: author keys; empty where unknown.
            copy_of: the id of the document each is a near-copy of; empty or its own id for a first.
        """
        n = len(ids)
        langs, authors, copy_of = langs or [""] * n, authors or [""] * n, copy_of or [""] * n
        times = times or [self.now] * n
        for start in range(0, n, BLOCK):
            part = range(start, min(start + BLOCK, n))
            firsts = [i for i in part if copy_of[i] in ("", ids[i]) or copy_of[i] not in self._of]
            lines = self.evidence.read(vectors[firsts], [texts[i] for i in firsts], [langs[i] for i in firsts])
            self._block(
                [
                    Recent(ids[i], self.position + k, z, vectors[i], times[i], authors[i])
                    for k, (i, z) in enumerate(zip(firsts, lines, strict=True))
                ]
            )
            for i in part:
                if ids[i] not in self._of:
                    self._copy(ids[i], self._of[copy_of[i]], times[i])
        answer = [self.theme_of(i) for i in ids]
        for i in ids:
            self._moved.pop(i, None)
        return answer

    def theme_of(self, id: str) -> str:
        """Return a document's theme now, "" if it waits or is no longer remembered."""
        cluster = self._of.get(id)
        return cluster.theme if cluster else ""

    def drain(self) -> dict[str, str]:
        """Return and forget the changes to documents of earlier batches: id → theme."""
        moved, self._moved = self._moved, {}
        return moved

    def centroid(self, theme: str) -> Floats:
        """Return a theme's mean embedding, shape ``(384,)``, unit length, in the encoder's own space."""
        mean = self._raw[self.themes[theme].slot]
        return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)

    # A block of documents

    def _block(self, documents: list[Recent]) -> None:
        if not documents:
            return
        self.position += len(documents)
        self.now = max(self.now, *(d.at for d in documents))
        self._learn_arrival(documents)
        for group, cluster in self._match(self._group(documents)):
            home = cluster or self._open(group[0])
            for document in group:
                self._enter(document, home)
        self.recent.extend(documents)
        self._unseen += len(documents)
        if self._unseen >= LOOK_EVERY:
            self._look_again(list(self.recent)[-BLOCK - self._unseen :])
            self._unseen = 0
        self._tidy()

    def _learn_arrival(self, documents: list[Recent]) -> None:
        before = [*self.recent, *documents]
        scores = stack(documents) @ stack(before).T
        distance = np.subtract.outer([d.position for d in documents], [d.position for d in before])
        self.arrival.learn(scores, distance)
        self._lifts = self.thresholds.arrival * self.arrival.table()

    def _group(self, documents: list[Recent]) -> list[list[Recent]]:
        if len(documents) == 1:
            return [documents]
        from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  a second, not for --help
        from scipy.spatial.distance import squareform  # noqa: PLC0415

        z, at = stack(documents), np.array([d.position for d in documents])
        links = z @ z.T + self._lift(np.abs(np.subtract.outer(at, at)))
        most = float(links.max())
        far = most - (links + links.T) / 2
        np.fill_diagonal(far, 0)
        tree = linkage(squareform(far, checks=False), "average")
        labels = fcluster(tree, most - self.thresholds.group, "distance")
        groups: dict[int, list[Recent]] = {}
        for label, document in zip(labels, documents, strict=True):
            groups.setdefault(int(label), []).append(document)
        return list(groups.values())

    def _match(self, groups: list[list[Recent]]) -> list[tuple[list[Recent], Cluster | None]]:
        """Pair groups with clusters, nearest first; each joining moves the cluster for those that come after."""
        slots = np.array(sorted(self.clusters), dtype=np.int64)
        if not len(slots):
            return [(g, None) for g in groups]
        means = np.stack([stack(g).mean(0) for g in groups])
        links = means @ self._means(slots).T
        links[links < self.thresholds.least] = -np.inf
        for row, group in zip(links, groups, strict=True):
            row += self._near(np.array([d.position for d in group]), slots)
        links -= self.thresholds.join + self._reluctance(slots)
        best = links.argmax(1)
        found = [
            (group, self.clusters[int(slots[j])] if links[i, j] >= 0 else None)
            for i, (group, j) in enumerate(zip(groups, best, strict=True))
        ]
        return sorted(found, key=lambda f: f[1] is None)

    def _reluctance(self, slots: NDArray[np.int64]) -> Floats:
        return np.array(
            [self.thresholds.revive if self.clusters[int(s)].state == "faded" else 0.0 for s in slots], np.float32
        )

    def _look_again(self, documents: list[Recent]) -> None:
        """Move those that, now that their neighbours have come, fit another theme clearly better than their own."""
        slots = np.array(sorted(self.clusters), dtype=np.int64)
        column = {int(s): k for k, s in enumerate(slots)}
        there = [self.clusters[int(s)] for s in slots]
        z = stack(documents)
        links = z @ self._means(slots).T
        links[links < self.thresholds.least] = -np.inf
        for i, document in enumerate(documents):
            links[i] += self._near(np.array([document.position]), slots)
        for i, document in enumerate(documents):
            own = document.cluster
            if own is None or own.slot not in column or there[column[own.slot]] is not own:
                continue
            mine = self._without(document, own)
            links[i, column[own.slot]] = -np.inf
            j = int(links[i].argmax())
            other = there[j]
            open_ = self.clusters.get(other.slot) is other and other.state == "living"
            if open_ and links[i, j] > max(mine + self.thresholds.move, self.thresholds.join):
                self._leave(document)
                self._enter(document, other)
            elif mine < self.thresholds.keep and own.size > 1:
                self._leave(document)
                self._enter(document, self._open(document))

    def _without(self, document: Recent, own: Cluster) -> float:
        """Return a document's link to the rest of its own cluster."""
        n = self._n[own.slot]
        if n < 1.5:
            return self.thresholds.join  # alone in the pool: anything it fits is better
        rest = (self._sum[own.slot] - document.evidence) / (n - 1)
        trace = self._trace[own.slot]
        others = trace[trace != document.position]
        return float(document.evidence @ rest) + float(self._lift(np.abs(document.position - others)).mean())

    def _near(self, at: NDArray[np.int64], slots: NDArray[np.int64]) -> Floats:
        """Return the mean lift of arrival between documents and the latest members of each cluster."""
        trace = self._trace[slots]
        out = np.full(len(slots), self._lifts[-1], np.float32)
        close = np.flatnonzero(self._last[slots] > at.min() - REACH)
        if len(close):
            known = trace[close] > LONG_AGO
            lifts = self._lift(np.abs(at[:, None, None] - trace[close][None])).mean(0)
            out[close] = (lifts * known).sum(1) / np.maximum(known.sum(1), 1)
        return out

    def _lift(self, distance: NDArray[np.int64]) -> Floats:
        return self._lifts[np.minimum(distance, REACH)]

    # Clusters and their sums

    def _resize(self, capacity: int) -> None:
        width = DIMENSIONS + 1024
        old = getattr(self, "_n", np.zeros(0, np.float32))
        self._n = grown(old, (capacity,), 0)
        self._sum = grown(getattr(self, "_sum", np.zeros((0, width), np.float32)), (capacity, width), 0)
        self._raw = grown(getattr(self, "_raw", np.zeros((0, DIMENSIONS), np.float32)), (capacity, DIMENSIONS), 0)
        self._trace = grown(getattr(self, "_trace", np.zeros((0, TRACE), np.int64)), (capacity, TRACE), LONG_AGO)
        self._last = grown(getattr(self, "_last", np.zeros(0, np.int64)), (capacity,), LONG_AGO)
        self._free += list(range(capacity - 1, len(old) - 1, -1))

    def _means(self, slots: NDArray[np.int64]) -> Floats:
        return self._sum[slots] / np.maximum(self._n[slots], 1e-9)[:, None]

    def _open(self, document: Recent) -> Cluster:
        if not self._free:
            self._resize(2 * len(self._n))
        slot = self._free.pop()
        self._n[slot], self._sum[slot], self._raw[slot] = 0, 0, 0
        self._trace[slot], self._last[slot] = LONG_AGO, LONG_AGO
        cluster = Cluster(slot, document.at, document.at)
        self.clusters[slot] = cluster
        return cluster

    def _close(self, cluster: Cluster) -> None:
        del self.clusters[cluster.slot]
        self._free.append(cluster.slot)

    def _enter(self, document: Recent, cluster: Cluster) -> None:
        s = cluster.slot
        if self._n[s] > FULL:
            shrink = FULL / self._n[s]
            self._n[s], self._sum[s], self._raw[s] = FULL, self._sum[s] * shrink, self._raw[s] * shrink
        self._n[s] += 1
        self._sum[s] += document.evidence
        self._raw[s] += document.raw
        self._trace[s] = np.sort(np.append(self._trace[s][1:], document.position))
        self._last[s] = max(self._last[s], document.position)
        if cluster.state == "faded":
            cluster.state = "living"
            self._tell("revived", cluster, "documents about it came again")
        cluster.size += 1
        cluster.authors.add(document.author or f"?{document.id}")
        document.cluster = cluster
        self._copy(document.id, cluster, document.at)

    def _copy(self, id: str, cluster: Cluster, at: datetime) -> None:
        before = self.theme_of(id)
        cluster.copies += 1
        cluster.first_seen, cluster.last_seen = min(cluster.first_seen, at), max(cluster.last_seen, at)
        cluster.members.append(id)
        self._of[id] = cluster
        if before != cluster.theme:
            self._moved[id] = cluster.theme

    def _leave(self, document: Recent) -> None:
        cluster = document.cluster
        if cluster is None:
            return
        s = cluster.slot
        self._n[s] -= 1
        self._sum[s] -= document.evidence
        self._raw[s] -= document.raw
        self._trace[s] = np.sort(np.where(self._trace[s] == document.position, LONG_AGO, self._trace[s]))
        cluster.size -= 1
        cluster.copies -= 1
        if document.id in cluster.members:
            cluster.members.remove(document.id)
        document.cluster = None
        if not cluster.size and not cluster.theme:
            self._close(cluster)

    # Lives of themes

    def _tidy(self) -> None:
        for cluster in list(self.clusters.values()):
            if not cluster.theme:
                self._promote(cluster)
            if not cluster.theme and cluster.last_seen < self.now - self.wait:
                self._close(cluster)
            elif cluster.theme and cluster.state == "living" and cluster.last_seen < self.now - self.fade:
                cluster.state = "faded"
                self._tell("faded", cluster, f"no document for {self.fade.days} days")

    def _promote(self, cluster: Cluster) -> None:
        if cluster.size < self.smallest or len(cluster.authors) < self.fewest_authors:
            return
        cluster.theme = stable_id("theme", *sorted(cluster.members)[: self.smallest])
        self.themes[cluster.theme] = cluster
        self._moved.update(dict.fromkeys(cluster.members, cluster.theme))
        self._tell("born", cluster, f"{cluster.size} documents about it")

    def _tell(self, what: LineageKind, cluster: Cluster, why: str, others: tuple[str, ...] = ()) -> None:
        id = stable_id("lineage", cluster.theme, what, self.now.isoformat(), *others)
        self.events.append(Lineage(id=id, theme=cluster.theme, what=what, at=self.now, others=others, why=why))


def stack(documents: Sequence[Recent]) -> Floats:
    """Return their evidence, one row each."""
    return np.stack([d.evidence for d in documents])


def grown(array: NDArray[np.generic], shape: tuple[int, ...], fill: float) -> NDArray[np.generic]:
    """Return a larger array that begins with this one."""
    out = np.full(shape, fill, array.dtype)
    out[: len(array)] = array
    return out


__all__ = ["BLOCK", "Cluster", "Mapping", "ThemeSpace", "Thresholds"]
