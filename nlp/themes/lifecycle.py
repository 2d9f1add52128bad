"""The lives of themes: born when enough people said it, split, faded when nobody does, revived, let go at last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.index.ids import stable_id
from groundswell.nlp.themes.cluster import Cluster
from groundswell.nlp.themes.clusters import Clusters

MOST_WAITING, MOST_FADED = 2000, 2000
"""Groups that wait, and faded themes that may be revived, at most; the oldest are let go."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a theme needs to live; the settings `themes.*`.

    Attributes:
        smallest: documents, copies aside, that found a theme.
        fewest_authors: people who must have written them.
        fade: a theme without a new document for so long has faded.
        wait: how long a document waits in the pool.
    """

    smallest: int = 5
    fewest_authors: int = 2
    fade: timedelta = timedelta(days=30)
    wait: timedelta = timedelta(days=14)


class Lifecycle:
    """Applies the rules to clusters and records what happens."""

    def __init__(self, clusters: Clusters, rules: Rules) -> None:
        self.clusters, self.rules = clusters, rules

    def promote(self, cluster: Cluster) -> None:
        """Make a pooled cluster a theme if it has grown enough."""
        if cluster.theme or cluster.size < self.rules.smallest:
            return
        loose = {d.written_by for d in self.clusters.loose if d.cluster is cluster}
        if len(loose | cluster.authors) < self.rules.fewest_authors:
            return
        self.clusters.name(cluster, self._new_id(cluster))
        why = f"{cluster.size} documents about it"
        self.clusters.chronicle.record("born", cluster, why, at=cluster.last_seen)

    def split(self, new: Cluster, old: Cluster, leaving: int) -> None:
        """Record that a new theme came out of an old one, where half of it or more did."""
        if 2 * leaving >= new.size and old.theme:
            new.parents, old.children = (old.theme,), (*old.children, new.theme)
            self.clusters.changed |= {new.slot, old.slot}
            why = f"{leaving} documents had become another subject"
            self.clusters.chronicle.record("split", old, why, at=new.last_seen, others=(new.theme,))

    def revive(self, cluster: Cluster, at: datetime, now: datetime) -> None:
        """Bring a faded theme back when a document comes that is not itself from before it faded."""
        if cluster.state == "faded" and at >= now - self.rules.fade:
            cluster.state = "living"
            self.clusters.chronicle.record("revived", cluster, "documents about it came again", at=at)

    def expire(self, now: datetime) -> None:
        """Let go of what has waited too long, and say which themes have faded."""
        for cluster in list(self.clusters.alive.values()):
            if not cluster.theme and cluster.last_seen < now - self.rules.wait:
                self.clusters.close(cluster)
            elif cluster.theme and cluster.state == "living" and cluster.last_seen < now - self.rules.fade:
                cluster.state = "faded"
                self.clusters.changed.add(cluster.slot)
                why = f"no document for {self.rules.fade.days} days"
                self.clusters.chronicle.record("faded", cluster, why, at=cluster.last_seen + self.rules.fade)
        self._bound()
        self.clusters.forget()

    def _bound(self) -> None:
        """Let go of the oldest of the pool and of the faded, so that the cost of a document stays what it is."""
        faded = [c for c in self.clusters.themes.values() if c.state == "faded"]
        for most, those in ((MOST_WAITING, self.clusters.waiting()), (MOST_FADED, faded)):
            for cluster in sorted(those, key=lambda c: (c.last_seen, c.slot))[: max(len(those) - most, 0)]:
                self.clusters.close(cluster)

    def _new_id(self, cluster: Cluster) -> str:
        """Return an id of its own: a hash of the first document, which is the same however many joined it at once.

        A founder may have left a theme and found another, so that no id is given twice.
        """
        theme = stable_id("theme", cluster.members[0])
        while theme in self.clusters.given:
            theme = stable_id("theme", theme)
        return theme
