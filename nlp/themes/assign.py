"""The online theme space: each document joins a living theme, waits in the pool, or helps to found a new theme.

Nothing here knows a store, a clock or a model: documents come in, in arrival order, with their vectors. A batch is
grouped within itself first (mean-link agglomeration over at most `BLOCK` documents), then each group joins the nearest
living theme or stays together in the pool; a group in the pool that has grown enough is a new theme at that moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from groundswell.index.ids import stable_id
from groundswell.index.records import Lineage, LineageKind, ThemeState
from groundswell.nlp.keywords import words as keywords
from groundswell.nlp.language import detect
from groundswell.nlp.themes.arrival import REACH, Arrival
from groundswell.nlp.themes.evidence import DIMENSIONS, Evidence, Floats, Tokens, Weights
from groundswell.nlp.themes.lives import agglomerate, halves
from groundswell.nlp.themes.sums import LONG_AGO, Sums

BLOCK = 256
"""Documents that are grouped among themselves at once; the square of it bounds the cost of a document."""
LOOK_EVERY = 64
"""New documents after which the latest ones are looked at again."""
POOL, FADED = 2000, 2000
"""Groups that wait, and faded themes that may be revived, at most; the oldest are let go."""
COPY_FITS = 0.5
"""Confidence of a document that was placed by the company it keeps: a copy, or one that waited."""
REMEMBERED = 200_000
"""Documents whose place is remembered without asking, for their copies."""


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
    move: float = 6.0
    least: float = 1.0
    merge: float = 3.0
    split: float = 1.5
    revive: float = 1.0
    alike: float = 6.3
    arrival: float = 1.0

    def at(self, similarity: float | None) -> Thresholds:
        """Return the thresholds for a wish in the settings: none keeps what was frozen, .5 too; 1 is strictest."""
        shift = 0.0 if similarity is None else 8 * (similarity - 0.5)
        return replace(self, group=self.group + shift, join=self.join + shift, merge=self.merge + shift)


@dataclass(slots=True, eq=False)
class Cluster:
    """A living theme, or (while `theme` is empty) a handful of pooled documents that may become one.

    `size` counts documents without copies; `copies` counts them all. `members` are the most recent ids, bounded.
    """

    slot: int
    first_seen: datetime
    last_seen: datetime
    theme: str = ""
    state: ThemeState = "living"
    size: int = 0
    copies: int = 0
    members: deque[str] = field(default_factory=lambda: deque(maxlen=512))
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
        self.unseen = 0
        self.now = datetime.min.replace(tzinfo=UTC)
        self.placed: dict[str, Cluster] = {}
        self._fit: dict[str, float] = {}
        self._moved: dict[str, str] = {}
        self.sums = Sums()
        self.learn_lifts()

    # What goes in and comes out

    def add(  # noqa: PLR0917  one document's fields, column by column
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
            langs: ISO 639-1 codes, "und" where unknown; where empty or left out they are detected.
            times: aware UTC; when each was published (or, undated, fetched).
            authors: author keys; empty where unknown.
            copy_of: the id of the document each is a near-copy of; empty or its own id for a first.
        """
        n = len(ids)
        self._fit.clear()
        langs = known_langs(texts, langs)
        authors, copy_of = authors or [""] * n, copy_of or [""] * n
        times = times or [self.now] * n
        for start in range(0, n, BLOCK):
            part = range(start, min(start + BLOCK, n))
            firsts = self._firsts(part, ids, copy_of)
            lines = self.evidence.read(vectors[firsts], [texts[i] for i in firsts], [langs[i] for i in firsts])
            self._block(
                [
                    Recent(ids[i], self.position + k, z, halved(vectors[i]), times[i], authors[i])
                    for k, (i, z) in enumerate(zip(firsts, lines, strict=True))
                ]
            )
            for i in part:
                if ids[i] not in self.placed:
                    self._copy(ids[i], self.placed[copy_of[i]], times[i])
        answer = [self.theme_of(one) for one in ids]
        for one in ids:
            self._moved.pop(one, None)
        return answer

    def remember(self, themes: Mapping[str, str]) -> None:
        """Be told where earlier documents went (id → theme), so that their copies follow them."""
        self.placed.update({i: self.themes[t] for i, t in themes.items() if t in self.themes and i not in self.placed})

    def _firsts(self, part: range, ids: Sequence[str], copy_of: Sequence[str]) -> list[int]:
        """Return which of a part are no copies of what is here or of what comes before them in the part."""
        firsts: list[int] = []
        earlier: set[str] = set()
        for i in part:
            if copy_of[i] == ids[i] or not (copy_of[i] in earlier or self._there(copy_of[i])):
                firsts.append(i)
                earlier.add(ids[i])
        return firsts

    def _there(self, id: str) -> bool:
        cluster = self.placed.get(id)
        return cluster is not None and self.clusters.get(cluster.slot) is cluster

    def theme_of(self, id: str) -> str:
        """Return a document's theme now, "" if it waits or is no longer remembered."""
        cluster = self.placed.get(id)
        return cluster.theme if cluster else ""

    def drain(self) -> dict[str, str]:
        """Return and forget the changes to documents of earlier batches: id → theme."""
        moved, self._moved = self._moved, {}
        return moved

    def confidence(self, id: str) -> float:
        """Return how well a document of the last batches fits where it is, from 0 to 1; 0 in the pool."""
        cluster = self.placed.get(id)
        return self._fit.get(id, COPY_FITS) if cluster and cluster.theme else 0.0

    def waiting(self) -> list[Cluster]:
        """Return what waits in the pool, in the order it came."""
        return [cluster for cluster in self.clusters.values() if not cluster.theme]

    def waiting_vectors(self) -> Floats:
        """Return the mean centred embedding of each that waits, shape ``(n, 384)``."""
        means = self.sums.means(np.array([c.slot for c in self.waiting()], dtype=np.int64))
        return means[:, :DIMENSIONS]

    def suggest(self, groups: Sequence[Sequence[Cluster]]) -> None:
        """Be told that some that wait might belong together; what the evidence bears out becomes one, or a theme."""
        for group in groups:
            slots = np.array([c.slot for c in group], dtype=np.int64)
            means = self.sums.means(slots)
            labels = agglomerate(means @ means.T, at_least=self.thresholds.join)
            for label in np.unique(labels):
                first, *others = [c for c, mine in zip(group, labels, strict=True) if mine == label]
                for other in others:
                    self._swallow(first, other)
        self._tidy()

    def centroid(self, theme: str) -> Floats:
        """Return a theme's mean embedding, shape ``(384,)``, unit length, in the encoder's own space."""
        mean = self.sums.raw[self.themes[theme].slot]
        unit: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return unit

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
        self.unseen += len(documents)
        if self.unseen >= LOOK_EVERY:
            self._look_again(list(self.recent)[-BLOCK - self.unseen :])
            self._split()
            self._merge()
            self.unseen = 0
        self._tidy()
        self._judge(documents)

    def _learn_arrival(self, documents: list[Recent]) -> None:
        before = [*self.recent, *documents]
        scores = stack(documents) @ stack(before).T
        distance = np.subtract.outer([d.position for d in documents], [d.position for d in before])
        self.arrival.learn(scores, distance)
        self.learn_lifts()

    def learn_lifts(self) -> None:
        """Bring the lifts in use up to what is known of arrival."""
        self._lifts = self.thresholds.arrival * self.arrival.table()

    def _group(self, documents: list[Recent]) -> list[list[Recent]]:
        groups: dict[int, list[Recent]] = {}
        labels = agglomerate(self._links(documents), at_least=self.thresholds.group)
        for label, document in zip(labels, documents, strict=True):
            groups.setdefault(int(label), []).append(document)
        return list(groups.values())

    def _links(self, documents: list[Recent]) -> Floats:
        z, at = stack(documents), np.array([d.position for d in documents])
        out: Floats = z @ z.T + self._lift(np.abs(np.subtract.outer(at, at)))
        return out

    def _match(self, groups: list[list[Recent]]) -> list[tuple[list[Recent], Cluster | None]]:
        """Pair groups with clusters, nearest first; each joining moves the cluster for those that come after."""
        slots = np.array(sorted(self.clusters), dtype=np.int64)
        if not len(slots):
            return [(g, None) for g in groups]
        means = np.stack([stack(g).mean(0) for g in groups])
        links = means @ self.sums.means(slots).T
        links[links < self.thresholds.least] = -np.inf
        links += np.stack([self._near(np.array([d.position for d in g]), slots) for g in groups])
        links -= self.thresholds.join + self._reluctance(slots)
        best = links.argmax(1)
        found = [
            (group, self.clusters[int(slots[j])] if links[i, j] >= 0 else None)
            for i, (group, j) in enumerate(zip(groups, best, strict=True))
        ]
        return sorted(found, key=lambda f: f[1] is None)

    def _judge(self, documents: list[Recent]) -> None:
        homes = np.array([d.cluster.slot for d in documents if d.cluster], dtype=np.int64)
        links = (stack([d for d in documents if d.cluster]) * self.sums.means(homes)).sum(1)
        fits = 1 / (1 + np.exp(-(links - self.thresholds.keep) / 2))
        self._fit.update(
            {d.id: round(float(f), 3) for d, f in zip((d for d in documents if d.cluster), fits, strict=True)}
        )

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
        links = z @ self.sums.means(slots).T
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
        n = float(self.sums.n[own.slot])
        if n < 1.5:
            return self.thresholds.join  # alone in the pool: anything it fits is better
        rest = (self.sums.evidence[own.slot] - document.evidence) / (n - 1)
        trace = self.sums.trace[own.slot]
        others = trace[trace != document.position]
        return float(document.evidence @ rest) + float(self._lift(np.abs(document.position - others)).mean())

    def _near(self, at: NDArray[np.int64], slots: NDArray[np.int64]) -> Floats:
        """Return the mean lift of arrival between documents and the latest members of each cluster."""
        trace = self.sums.trace[slots]
        out = np.full(len(slots), self._lifts[-1], np.float32)
        close = np.flatnonzero(self.sums.last[slots] > at.min() - REACH)
        if len(close):
            known = trace[close] > LONG_AGO
            lifts = self._lift(np.abs(at[:, None, None] - trace[close][None])).mean(0)
            out[close] = (lifts * known).sum(1) / np.maximum(known.sum(1), 1)
        return out

    def _lift(self, distance: NDArray[np.int64]) -> Floats:
        out: Floats = self._lifts[np.minimum(distance, REACH)]
        return out

    # Clusters and their sums

    def _open(self, document: Recent) -> Cluster:
        cluster = Cluster(self.sums.take(), document.at, document.at)
        self.clusters[cluster.slot] = cluster
        return cluster

    def _close(self, cluster: Cluster) -> None:
        del self.clusters[cluster.slot]
        self.sums.free.append(cluster.slot)

    def _enter(self, document: Recent, cluster: Cluster) -> None:
        self.sums.put_in(cluster.slot, document.evidence, document.raw, document.position)
        if cluster.state == "faded":
            cluster.state = "living"
            self._tell("revived", cluster, "documents about it came again")
        cluster.size += 1
        if len(cluster.authors) < self.fewest_authors:
            cluster.authors.add(document.author or f"?{document.id}")
        document.cluster = cluster
        self._copy(document.id, cluster, document.at)

    def _copy(self, id: str, cluster: Cluster, at: datetime) -> None:
        before = self.theme_of(id)
        cluster.copies += 1
        cluster.first_seen, cluster.last_seen = min(cluster.first_seen, at), max(cluster.last_seen, at)
        cluster.members.append(id)
        self.placed[id] = cluster
        if before != cluster.theme:
            self._moved[id] = cluster.theme

    def _leave(self, document: Recent) -> None:
        cluster = document.cluster
        if cluster is None:
            return
        self.sums.take_out(cluster.slot, document.evidence, document.raw, document.position)
        cluster.size -= 1
        cluster.copies -= 1
        if document.id in cluster.members:
            cluster.members.remove(document.id)
        document.cluster = None
        if not cluster.size and not cluster.theme:
            self._close(cluster)

    # Lives of themes

    def _merge(self) -> None:
        """Make one of clusters that have grown into one another; an old large theme is never swallowed."""
        slots = np.array(sorted(s for s, c in self.clusters.items() if c.state == "living"), dtype=np.int64)
        moved = slots[self.sums.last[slots] >= self.position - BLOCK - self.unseen]  # the others are as they were
        links = self.sums.means(moved) @ self.sums.means(slots).T
        hopeful = min(self.thresholds.merge, self.thresholds.join) - float(self._lifts.max())
        order = np.argwhere(links >= max(self.thresholds.least, hopeful))
        for i, j in sorted(order.tolist(), key=lambda p: -links[p[0], p[1]]):
            pair = [self.clusters.get(int(one)) for one in (moved[i], slots[j])]
            if pair[0] is None or pair[1] is None or pair[0] is pair[1]:
                continue
            older, younger = sorted((c for c in pair if c), key=lambda c: (not c.theme, c.first_seen, c.slot))
            needed = self.thresholds.merge if younger.theme else self.thresholds.join
            link = float(links[i, j]) + float(self._near(self._traced(younger), np.array([older.slot]))[0])
            if link >= needed and younger.copies <= (younger.members.maxlen or 0):
                self._swallow(older, younger)

    def _traced(self, cluster: Cluster) -> NDArray[np.int64]:
        trace = self.sums.trace[cluster.slot]
        known: NDArray[np.int64] = trace[trace > LONG_AGO]
        return known if len(known) else trace[-1:]

    def _swallow(self, older: Cluster, younger: Cluster) -> None:
        self.sums.pour(younger.slot, older.slot)
        older.size, older.copies = older.size + younger.size, older.copies + younger.copies
        older.first_seen = min(older.first_seen, younger.first_seen)
        older.last_seen = max(older.last_seen, younger.last_seen)
        older.authors |= younger.authors
        self._hand_over(list(younger.members), older)
        for document in self.recent:
            if document.cluster is younger:
                document.cluster = older
        if younger.theme:
            younger.state, younger.children = "merged", (older.theme,)
            older.parents = (*older.parents, younger.theme)
            self._tell("merged", younger, f"{younger.size} documents tell of the same as {older.theme}", (older.theme,))
            del self.themes[younger.theme]
        self._close(younger)

    def _hand_over(self, ids: list[str], cluster: Cluster) -> None:
        for one in ids:
            before = self.theme_of(one)
            cluster.members.append(one)
            self.placed[one] = cluster
            if before != cluster.theme:
                self._moved[one] = cluster.theme

    def _split(self) -> None:
        """Let a theme fall in two whose recent documents do; the half that is less like its past gets a new id."""
        latest: dict[int, list[Recent]] = {}
        for document in self.recent:
            if document.cluster and document.cluster.theme and self.clusters.get(document.cluster.slot):
                latest.setdefault(document.cluster.slot, []).append(document)
        for slot, documents in latest.items():
            if len(documents) >= 2 * self.smallest:
                self._split_one(self.clusters[slot], documents)

    def _split_one(self, cluster: Cluster, documents: list[Recent]) -> None:
        links = self._links(documents)
        one = halves(links)
        if min(one.sum(), (~one).sum()) < self.smallest or links[np.ix_(one, ~one)].mean() >= self.thresholds.split:
            return
        past = self.sums.means(np.array([cluster.slot]))[0]
        like = stack(documents) @ past
        side = one if like[one].mean() < like[~one].mean() else ~one
        leaving = [d for d, leaves in zip(documents, side, strict=True) if leaves]
        if cluster.size - len(leaving) < self.smallest:
            return
        new = self._open(leaving[0])
        for document in leaving:
            self._leave(document)
            self._enter(document, new)
        self._promote(new)
        if new.theme:
            new.parents, cluster.children = (cluster.theme,), (*cluster.children, new.theme)
            why = f"{len(leaving)} documents had become another subject"
            self._tell("split", cluster, why, (new.theme,))

    def _tidy(self) -> None:
        while len(self.placed) > REMEMBERED:
            self.placed.pop(next(iter(self.placed)))
        for cluster in list(self.clusters.values()):
            if not cluster.theme:
                self._promote(cluster)
            if not cluster.theme and cluster.last_seen < self.now - self.wait:
                self._close(cluster)
            elif cluster.theme and cluster.state == "living" and cluster.last_seen < self.now - self.fade:
                cluster.state = "faded"
                self._tell("faded", cluster, f"no document for {self.fade.days} days")
        self._bound()

    def _bound(self) -> None:
        """Let go of the oldest of the pool and of the faded, so that the cost of a document stays what it is."""
        for kept, those in ((POOL, self.waiting()), (FADED, [c for c in self.themes.values() if c.state == "faded"])):
            for cluster in sorted(those, key=lambda c: (c.last_seen, c.slot))[: max(len(those) - kept, 0)]:
                self.themes.pop(cluster.theme, None)
                self._close(cluster)

    def _promote(self, cluster: Cluster) -> None:
        if cluster.size < self.smallest or len(cluster.authors) < self.fewest_authors:
            return
        cluster.theme = stable_id("theme", *sorted(cluster.members)[: self.smallest])
        self.themes[cluster.theme] = cluster
        self._moved.update(dict.fromkeys(cluster.members, cluster.theme))
        self._tell("born", cluster, f"{cluster.size} documents about it")

    def _tell(self, what: LineageKind, cluster: Cluster, why: str, others: tuple[str, ...] = ()) -> None:
        key = stable_id("lineage", cluster.theme, what, self.now.isoformat(), *others)
        self.events.append(Lineage(id=key, theme=cluster.theme, what=what, at=self.now, others=others, why=why))


def known_langs(texts: Sequence[str], langs: Sequence[str] | None) -> list[str]:
    """Return the languages given, and those detected where none was."""
    known = list(langs or [""] * len(texts))
    lacking = [i for i, lang in enumerate(known) if not lang]
    for i, told in zip(lacking, detect([texts[i] for i in lacking]), strict=True):
        known[i] = told.code
    return known


def halved(vector: Floats) -> Floats:
    """Return a vector in the precision it is kept in."""
    return vector.astype(np.float16).astype(np.float32)


def stack(documents: Sequence[Recent]) -> Floats:
    """Return their evidence, one row each."""
    return np.stack([d.evidence for d in documents])


__all__ = ["BLOCK", "Cluster", "Recent", "ThemeSpace", "Thresholds"]
