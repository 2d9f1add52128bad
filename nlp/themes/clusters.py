"""Which document is in which cluster, and what each cluster holds: every change of place goes through here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from groundswell.nlp.themes.cluster import Cluster, LooseDocument, slots_of
from groundswell.nlp.themes.evidence import Floats
from groundswell.nlp.themes.lineage import Chronicle
from groundswell.nlp.themes.profiles import Profiles

REMEMBERED = 200_000
"""Documents whose place is remembered without asking the store, for their copies."""
GIVEN = 4000
"""Latest ids of themes that are not given again; a document that could found a second theme is loose for hours only."""


class Clusters:
    """Clusters by slot and by theme, the loose documents, and the place of every document that is remembered.

    Attributes:
        alive: slot → cluster, in the order they were opened.
        themes: theme id → its cluster.
        loose: documents whose place may still change, in order of arrival.
        place: document id → its cluster.
        moved: what changed since it was last asked for: document id → theme, "" for the pool.
        given: the latest ids of themes, whatever became of them.
        ended: themes that were merged or let go since it was last asked for.
        changed: slots whose cluster or profile changed since the state was last saved.
    """

    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle = chronicle
        self.profiles = Profiles()
        self.alive: dict[int, Cluster] = {}
        self.themes: dict[str, Cluster] = {}
        self.loose: list[LooseDocument] = []
        self.place: dict[str, Cluster] = {}
        self.moved: dict[str, str] = {}
        self.ended: dict[str, Cluster] = {}
        self.given: deque[str] = deque(maxlen=GIVEN)
        self.changed: set[int] = set()

    # Asking

    def theme_of(self, id: str) -> str:
        """Return a document's theme now, "" if it waits or is no longer remembered."""
        cluster = self.place.get(id)
        return cluster.theme if cluster else ""

    def holds(self, id: str) -> bool:
        """Return whether a document is in a cluster that is alive."""
        cluster = self.place.get(id)
        return cluster is not None and self.is_alive(cluster)

    def is_alive(self, cluster: Cluster) -> bool:
        """Return whether a cluster has not been closed."""
        return self.alive.get(cluster.slot) is cluster

    def waiting(self) -> list[Cluster]:
        """Return what waits in the pool, in the order it came."""
        return [cluster for cluster in self.alive.values() if not cluster.theme]

    def settled(self) -> list[Cluster]:
        """Return the clusters that hold settled documents."""
        return [c for c in self.alive.values() if self.profiles.weight[c.slot] > 0]

    def means(self, clusters: Sequence[Cluster]) -> Floats:
        """Return the mean evidence of clusters, loose and settled documents together, one row each."""
        row = {c.slot: k for k, c in enumerate(clusters)}
        slots = slots_of(clusters)
        total, n = self.profiles.evidence[slots], self.profiles.weight[slots]
        for document in self.loose:
            if document.cluster and (k := row.get(document.cluster.slot)) is not None:
                total[k] += document.evidence
                n[k] += 1
        out: Floats = (total / np.maximum(n, 1)[:, None]).astype(np.float32)
        return out

    def centroid(self, cluster: Cluster) -> Floats:
        """Return a cluster's mean embedding, shape ``(384,)``, unit length, in the encoder's own space."""
        mean = self.profiles.embedding[cluster.slot] + sum(d.embedding for d in self.loose if d.cluster is cluster)
        unit: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return unit

    # Changing

    def open(self, document: LooseDocument) -> Cluster:
        """Return a new, empty cluster for a document."""
        cluster = Cluster(self.profiles.allocate(), document.at, document.at)
        self.alive[cluster.slot] = cluster
        self.changed.add(cluster.slot)
        return cluster

    def close(self, cluster: Cluster) -> None:
        """Let a cluster go. What waited in it in vain is nowhere, and nothing of it is kept."""
        del self.alive[cluster.slot]
        self.profiles.free.append(cluster.slot)
        if cluster.theme:
            del self.themes[cluster.theme]
            self.ended[cluster.theme] = cluster
        else:
            for one in cluster.members:
                if self.place.get(one) is cluster:
                    del self.place[one]

    def name(self, cluster: Cluster, theme: str) -> None:
        """Make a cluster a theme."""
        cluster.theme = theme
        self.themes[theme] = cluster
        self.given.append(theme)
        self.moved.update(dict.fromkeys(cluster.members, theme))
        self.changed.add(cluster.slot)

    def enter(self, document: LooseDocument, cluster: Cluster) -> None:
        """Bring a document and its copies into a cluster."""
        cluster.size += 1
        document.cluster = cluster
        for one in (document.id, *document.copies):
            self.add_copy(one, cluster, document.at)

    def add_copy(self, id: str, cluster: Cluster, at: datetime) -> None:
        """Count a document in a cluster that says nothing new: a copy, or one whose first is counted already."""
        before = self.theme_of(id)
        cluster.copies += 1
        cluster.first_seen, cluster.last_seen = min(cluster.first_seen, at), max(cluster.last_seen, at)
        self._put(id, cluster, before)

    def leave(self, document: LooseDocument) -> None:
        """Take a document and its copies out of where it is; an empty pooled cluster is closed."""
        cluster = document.cluster
        if cluster is None:
            return
        leaving = {document.id, *document.copies}
        cluster.size -= 1
        cluster.copies -= len(leaving)
        staying = [one for one in cluster.members if one not in leaving]
        cluster.members.clear()
        cluster.members.extend(staying)
        self.changed.add(cluster.slot)
        document.cluster = None
        if not cluster.size and not cluster.theme:
            self.close(cluster)

    def settle(self, document: LooseDocument, cluster: Cluster, *, authors: int) -> None:
        """Add a document to its cluster's profile for good; the first so many authors are remembered."""
        self.profiles.add(cluster.slot, document.evidence, document.embedding, document.at.timestamp())
        if len(cluster.authors) < authors:
            cluster.authors.add(document.written_by)
        self.changed.add(cluster.slot)

    def merge(self, older: Cluster, younger: Cluster) -> None:
        """Pour one cluster into another; a theme among them ends, and its lineage tells where it went."""
        if not self.is_alive(younger):
            return  # its last document has left it already
        self.profiles.merge(younger.slot, older.slot)
        older.size, older.copies = older.size + younger.size, older.copies + younger.copies
        older.first_seen = min(older.first_seen, younger.first_seen)
        older.last_seen = max(older.last_seen, younger.last_seen)
        older.authors |= younger.authors
        for one in list(younger.members):
            self._put(one, older, self.theme_of(one))
        for document in self.loose:
            if document.cluster is younger:
                document.cluster = older
        if younger.theme:
            younger.state, younger.children = "merged", (older.theme,)
            older.parents = (*older.parents, younger.theme)
            why = f"its documents tell of the same as {older.theme}"
            self.chronicle.record("merged", younger, why, at=older.last_seen, others=(older.theme,))
        self.close(younger)

    def withdraw(self, id: str) -> None:
        """Take out a document that comes again, because its text was changed; what it settled fades by itself."""
        cluster = self.place.pop(id, None)
        if cluster is None or not self.is_alive(cluster):
            return
        for document in self.loose:
            if document.id == id:
                self.loose.remove(document)
                document.copies.clear()  # they were copies of another text
                self.leave(document)
                return
        cluster.copies -= 1
        if id in cluster.members:
            cluster.members.remove(id)
        self.changed.add(cluster.slot)

    def remember(self, themes: Mapping[str, str]) -> None:
        """Be told where earlier documents went (id → theme), so that their copies follow them."""
        self.place.update({i: self.themes[t] for i, t in themes.items() if t in self.themes and i not in self.place})

    def forget(self) -> None:
        """Forget the oldest places, and loose documents whose cluster has been let go."""
        while len(self.place) > REMEMBERED:
            self.place.pop(next(iter(self.place)))
        self.loose = [d for d in self.loose if d.cluster and self.is_alive(d.cluster)]

    def drop_moves(self, ids: Iterable[str]) -> None:
        """Forget what moved where it is answered directly."""
        for one in ids:
            self.moved.pop(one, None)

    def _put(self, id: str, cluster: Cluster, before: str) -> None:
        cluster.members.append(id)
        self.place[id] = cluster
        self.changed.add(cluster.slot)
        if before != cluster.theme:
            self.moved[id] = cluster.theme
