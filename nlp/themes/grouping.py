"""Which loose documents belong together, and with which clusters: one agglomeration a block.

Links are log-odds (`evidence.py`): what two say, the lift of when they came (`arrival.py`), and the ties of a place
that they have already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundswell.nlp.themes.agglomerate import agglomerate
from groundswell.nlp.themes.arrival import Arrival
from groundswell.nlp.themes.cluster import (
    LATEST_MEMBERS,
    Cluster,
    LooseDocument,
    evidence_of,
    seconds_of,
    slots_of,
)
from groundswell.nlp.themes.clusters import Clusters
from groundswell.nlp.themes.evidence import Floats
from groundswell.nlp.themes.profiles import NEVER

PURER = 0.4
"""How much of what documents must show more, themes may show less: founded more strictly, they are what they seem."""
NEVER_ONE = -1e6
"""Link between what must not become one."""
STRICTNESS = 8.0
"""Log-odds between the laxest and the strictest wish in the settings (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Log-odds, up to the evidence's constant, at which things happen; frozen on development streams.

    Attributes:
        join: mean link at which documents, and what is settled of a theme, become one.
        keep: a document whose own link to the rest of its group is lower does not belong to it.
        stay: how much more a document is linked to the theme it is in already, while it is loose.
        merge: how much more than `join` what is settled of two themes must be linked to make them one.
        revive: how much more than `join` a faded theme must fit.
        alike: two documents that count as alike when the rhythm of arrival is learnt.
        arrival: weight of the lift that arrival gives.
    """

    join: float = 2.25
    keep: float = 1.0
    stay: float = 1.0
    merge: float = 0.5
    revive: float = 1.0
    alike: float = 7.0
    arrival: float = 1.0

    def at(self, similarity: float | None) -> Thresholds:
        """Return the thresholds for a wish in the settings: none keeps what was frozen, .5 too; 1 is strictest."""
        shift = 0.0 if similarity is None else STRICTNESS * (similarity - 0.5)
        return replace(self, join=self.join + shift, keep=self.keep + shift)


@dataclass(slots=True)
class Group:
    """Loose documents, and clusters with something settled, that were found to be one."""

    documents: list[LooseDocument] = field(default_factory=list)
    anchors: list[Cluster] = field(default_factory=list)


class Grouping:
    """Groups the loose documents of `clusters` anew, together with the settled clusters that they may belong to."""

    def __init__(self, clusters: Clusters, arrival: Arrival, thresholds: Thresholds) -> None:
        self.clusters, self.arrival, self.thresholds = clusters, arrival, thresholds

    def learn_arrival(self, documents: Sequence[LooseDocument]) -> None:
        """Learn how often texts are alike at each gap of time, from new documents and those that are loose."""
        before = [*self.clusters.loose, *documents]
        rank = np.arange(len(before))
        earlier = rank[None, :] < rank[len(self.clusters.loose) :, None]
        gaps = np.abs(np.subtract.outer(seconds_of(documents), seconds_of(before)))
        self.arrival.learn(evidence_of(documents) @ evidence_of(before).T, gaps, earlier)

    def groups(self, new: Sequence[LooseDocument], *, now: float) -> list[Group]:
        """Return the loose documents, `new` among them, in groups; `now` in seconds."""
        return self._grouped(self._anchors(new, now), now)

    def _anchors(self, new: Sequence[LooseDocument], now: float) -> list[Cluster]:
        """Return the clusters with settled documents that hold loose ones, or might take in one of the new."""
        settled = self.clusters.settled()
        if not settled:
            return []
        links = evidence_of(new) @ self.clusters.profiles.means(slots_of(settled)).T
        enough = self.thresholds.join + self.arrival.rarity()
        hopeful = links.max(0) >= enough - float(self.arrival.lifts.max())
        # What waits is many, so that of it only those take part that one of the new does reach, its time counted in.
        waiting = np.flatnonzero(hopeful & [not c.theme for c in settled])
        lifts = self._mean_lift(seconds_of(new), slots_of([settled[k] for k in waiting]), now)
        hopeful[waiting] = (links[:, waiting] + lifts).max(0) >= enough
        holding = {d.cluster.slot for d in self.clusters.loose if d.cluster}
        return [c for c, may in zip(settled, hopeful, strict=True) if may or c.slot in holding]

    def _mean_lift(self, at: NDArray[np.float64], slots: NDArray[np.int64], now: float) -> Floats:
        """Return the mean lift of arrival between times and the latest of what is settled in the slots."""
        arrivals = self.clusters.profiles.arrivals[slots]
        there = (arrivals > NEVER).astype(np.float32)
        share = there / np.maximum(there.sum(1, keepdims=True), 1)
        # Counted from now, single precision tells seconds apart where they matter.
        late, earlier = (at - now).astype(np.float32), (arrivals - now).astype(np.float32)
        out = np.zeros((len(at), len(slots)), np.float32)
        for k in range(arrivals.shape[1]):
            out += self.arrival.lift(late[:, None] - earlier[None, :, k]) * share[None, :, k]
        return out

    def _grouped(self, anchors: list[Cluster], now: float) -> list[Group]:
        """Return the loose documents and what is settled of the anchors, in groups."""
        loose = self.clusters.loose
        points: list[LooseDocument | Cluster] = [*loose, *anchors]
        slots = slots_of(anchors)
        evidence = np.vstack([evidence_of(loose), self.clusters.profiles.means(slots)])
        weights = np.concatenate([np.ones(len(loose), np.float32), self.clusters.profiles.weight[slots]])
        content = evidence @ evidence.T
        links = content + self._lifts(slots, now) + self._ties(points)
        labels = agglomerate(links, self.thresholds.join, weights)
        self._expel(labels, content, weights, len(loose))
        groups: dict[int, Group] = {}
        for label, point in zip(labels.tolist(), points, strict=True):
            group = groups.setdefault(label, Group())
            if isinstance(point, LooseDocument):
                group.documents.append(point)
            else:
                group.anchors.append(point)
        return list(groups.values())

    def _lifts(self, slots: NDArray[np.int64], now: float) -> Floats:
        """Return the lift of arrival between all points: loose documents, then what is settled in the slots."""
        loose, arrivals = seconds_of(self.clusters.loose), self.clusters.profiles.arrivals[slots]
        among = self.arrival.lift(np.subtract.outer(loose, loose))
        if not len(slots):
            return among
        between, latest = self._mean_lift(loose, slots, now), self._mean_lift(arrivals.max(1), slots, now)
        return np.block([[among, between], [between.T, (latest + latest.T) / 2]])

    def _ties(self, points: Sequence[LooseDocument | Cluster]) -> Floats:
        """Return what holds points together or apart beside what they say: their place, and the lives of themes."""
        of = [p.cluster if isinstance(p, LooseDocument) else p for p in points]
        place = np.array([c.slot if c and c.theme else -1 - k for k, c in enumerate(of)])
        out = np.where(place[:, None] == place[None, :], self.thresholds.stay, 0.0).astype(np.float32)
        apart = np.zeros(len(points), np.float32)
        apart[[c is not None and c.state == "faded" for c in of]] = self.thresholds.revive
        large = np.array([isinstance(p, Cluster) and p.copies > LATEST_MEMBERS for p in points])
        out -= np.where(place[:, None] == place[None, :], 0.0, np.maximum(apart[:, None], apart[None, :]))
        themes = np.array([isinstance(p, Cluster) for p in points]) & (place >= 0)
        strangers = themes[:, None] & themes[None, :]
        rarity = self.arrival.rarity()
        out[~strangers] -= rarity  # the prior is one of documents
        out[strangers] -= self.thresholds.merge - PURER * rarity
        out[large[:, None] & large[None, :]] = NEVER_ONE
        return out

    def _expel(self, labels: NDArray[np.int64], content: Floats, weights: Floats, loose: int) -> None:
        """Give a label of its own to each loose document (they come first) that does not fit the rest of its group."""
        together = (labels[:, None] == labels[None, :]) * weights[None, :]
        np.fill_diagonal(together, 0)
        rest = together.sum(1)
        own = (content * together).sum(1) / np.maximum(rest, 1)
        may_go = np.arange(len(labels)) < loose
        for k in np.flatnonzero(may_go & (rest > 0) & (own < self.thresholds.keep + self.arrival.rarity())):
            if labels[k] != k:
                labels[k] = k
            elif len(others := np.flatnonzero((labels == k) & (np.arange(len(labels)) != k))):
                labels[others] = others[0]


def claims_of(groups: Sequence[Group]) -> list[list[Cluster]]:
    """Return the clusters that go into each group, the one that it goes on as first: themes before others, the larger.

    A cluster goes where what is settled of it went, or else where most of its documents went.
    """
    goes = {anchor: k for k, group in enumerate(groups) for anchor in group.anchors}
    votes: dict[Cluster, Counter[int]] = {}
    for k, group in enumerate(groups):
        for document in group.documents:
            if document.cluster and document.cluster not in goes:
                votes.setdefault(document.cluster, Counter())[k] += 1
    goes |= {cluster: count.most_common(1)[0][0] for cluster, count in votes.items()}
    claims: list[list[Cluster]] = [[] for _ in groups]
    for cluster in sorted(goes, key=lambda c: (not c.theme, -c.size, c.first_seen, c.slot)):
        claims[goes[cluster]].append(cluster)
    return claims
