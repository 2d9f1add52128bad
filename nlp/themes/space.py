"""The online theme space: each document joins a living theme, waits in the pool, or helps to found a new theme.

Nothing here knows a store, a clock or a model: documents come in, in arrival order, with their vectors. The latest
`WINDOW` documents are loose: with every batch they are grouped anew (mean-link agglomeration), together with what is
settled of the themes and of the pool they might belong to. A document that leaves the window has settled for good. A
group in the pool that has grown enough is a new theme at that moment.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from groundswell.index.ids import stable_id
from groundswell.index.records import Lineage, LineageKind, ThemeState
from groundswell.nlp.text.keywords import words as keywords
from groundswell.nlp.text.language import detect
from groundswell.nlp.themes.agglomerate import agglomerate
from groundswell.nlp.themes.arrival import Arrival
from groundswell.nlp.themes.evidence import DIMENSIONS, Evidence, Floats, Tokens, Weights
from groundswell.nlp.themes.sums import LONG_AGO, Sums

BLOCK = 256
"""Documents that are looked at together; the square of it and of the window bounds the cost of a document."""
WINDOW = 512
"""Latest documents that are still loose."""
LOOSE = timedelta(hours=6)
"""How long a document of a theme stays loose at most: what people read in a theme today is there tomorrow."""
KNOWN = 512
"""Latest ids a theme remembers; one with more documents is never swallowed, so that all its documents can be told."""
NEVER = -1e6
"""Link between what must not become one."""
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
        shift = 0.0 if similarity is None else 8 * (similarity - 0.5)
        return replace(self, join=self.join + shift, keep=self.keep + shift)


@dataclass(slots=True, eq=False)
class Cluster:
    """A living theme, or (while `theme` is empty) a handful of pooled documents that may become one.

    `size` counts documents without copies; `copies` counts them all. `members` are the most recent ids, bounded;
    `authors` are those of settled documents, as far as they matter.
    """

    slot: int
    first_seen: datetime
    last_seen: datetime
    theme: str = ""
    state: ThemeState = "living"
    size: int = 0
    copies: int = 0
    members: deque[str] = field(default_factory=lambda: deque(maxlen=KNOWN))
    authors: set[str] = field(default_factory=set)
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Recent:
    """A loose document: its place may still change, and its copies go where it goes."""

    id: str
    evidence: Floats
    raw: Floats
    at: datetime
    author: str
    cluster: Cluster | None = None
    copies: deque[str] = field(default_factory=lambda: deque(maxlen=KNOWN))


@dataclass(frozen=True, slots=True)
class Placed:
    """A document and where it went in an earlier space; fields as in `ThemeSpace.add`, ``theme`` "" in the pool."""

    id: str
    vector: Floats
    text: str
    lang: str
    at: datetime
    author: str
    theme: str
    copy_of: str = ""


@dataclass(slots=True)
class Group:
    """Loose documents, and clusters with something settled, that were found to be one."""

    documents: list[Recent] = field(default_factory=list)
    anchors: list[Cluster] = field(default_factory=list)


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
        self.arrival = Arrival(alike_at=self.thresholds.alike, weight=self.thresholds.arrival)
        self.themes: dict[str, Cluster] = {}
        self.events: list[Lineage] = []
        self.clusters: dict[int, Cluster] = {}
        self.recent: list[Recent] = []
        self.now = datetime.min.replace(tzinfo=UTC)
        self.placed: dict[str, Cluster] = {}
        self.fits: dict[str, float] = {}
        self._moved: dict[str, str] = {}
        self.sums = Sums()

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
        self.fits.clear()
        langs = known_langs(texts, langs)
        authors, copy_of = authors or [""] * n, copy_of or [""] * n
        times = times or [self.now] * n
        for start in range(0, n, BLOCK):
            part = range(start, min(start + BLOCK, n))
            firsts = self._firsts(part, ids, copy_of)
            lines = self.evidence.read(vectors[firsts], [texts[i] for i in firsts], [langs[i] for i in firsts])
            self._block(
                [
                    Recent(ids[i], z, halved(vectors[i]), times[i], authors[i])
                    for i, z in zip(firsts, lines, strict=True)
                ]
            )
            loose = {document.id: document for document in self.recent}
            for i in sorted(set(part).difference(firsts)):
                if copy_of[i] in self.placed:
                    self._copy(ids[i], self.placed[copy_of[i]], times[i])
                    if copy_of[i] in loose:
                        loose[copy_of[i]].copies.append(ids[i])
        answer = [self.theme_of(one) for one in ids]
        for one in ids:
            self._moved.pop(one, None)
        return answer

    def remember(self, themes: Mapping[str, str]) -> None:
        """Be told where earlier documents went (id → theme), so that their copies follow them."""
        self.placed.update({i: self.themes[t] for i, t in themes.items() if t in self.themes and i not in self.placed})

    def take_over(self, documents: Sequence[Placed]) -> None:
        """Be told, in order of time, where documents went in a space that can no longer be read.

        Everything counts as settled: living themes go on under their ids, and what waits may still found one. How
        often texts are alike at each gap of time is learnt again by and by.
        """
        firsts = [d for d in documents if not d.copy_of]
        if firsts:
            vectors = np.stack([d.vector for d in firsts])
            lines = self.evidence.read(vectors, [d.text for d in firsts], [d.lang for d in firsts])
            for document, line in zip(firsts, lines, strict=True):
                self._put_back(document, line)
        for document in documents:
            home = self.placed.get(document.copy_of)
            if home is not None:
                self._copy(document.id, home, document.at)
        self.now = max(self.now, *(d.at for d in documents))
        self._moved.clear()

    def _put_back(self, placed: Placed, line: Floats) -> None:
        document = Recent(placed.id, line, halved(placed.vector), placed.at, placed.author)
        home = self.themes.get(placed.theme) or self._open(document)
        if placed.theme:
            home.theme = placed.theme
            self.themes[placed.theme] = home
        self._enter(document, home)
        self._settle_in(document, home)

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
        return self.fits.get(id, COPY_FITS) if cluster and cluster.theme else 0.0

    def waiting(self) -> list[Cluster]:
        """Return what waits in the pool, in the order it came."""
        return [cluster for cluster in self.clusters.values() if not cluster.theme]

    def waiting_vectors(self) -> Floats:
        """Return the mean centred embedding of each that waits, shape ``(n, 384)``."""
        return self._means(self.waiting())[:, :DIMENSIONS]

    def suggest(self, groups: Sequence[Sequence[Cluster]]) -> None:
        """Be told that some that wait might belong together; what the evidence bears out becomes one, or a theme."""
        for group in groups:
            means = self._means(group)
            labels = agglomerate(means @ means.T, self.thresholds.join, np.array([c.size for c in group], np.float32))
            for label in np.unique(labels):
                first, *others = [c for c, mine in zip(group, labels, strict=True) if mine == label]
                for other in others:
                    self._swallow(first, other)
        self._tidy()

    def centroid(self, theme: str) -> Floats:
        """Return a theme's mean embedding, shape ``(384,)``, unit length, in the encoder's own space."""
        cluster = self.themes[theme]
        mean = self.sums.raw[cluster.slot] + sum(d.raw for d in self.recent if d.cluster is cluster)
        unit: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return unit

    # A block of documents

    def _block(self, documents: list[Recent]) -> None:
        if not documents:
            return
        self.now = max(self.now, *(d.at for d in documents))
        self._learn_arrival(documents)
        self._settle()
        self.recent.extend(documents)
        self._arrange(self._group(self._anchors(documents)))
        self._judge(documents)
        self._settle()
        self._tidy()

    def _learn_arrival(self, documents: list[Recent]) -> None:
        before = [*self.recent, *documents]
        rank = np.arange(len(before))
        earlier = rank[None, :] < rank[len(self.recent) :, None]
        gaps = np.abs(np.subtract.outer(seconds(documents), seconds(before)))
        self.arrival.learn(stack(documents) @ stack(before).T, gaps, earlier)

    def _anchors(self, documents: list[Recent]) -> list[Cluster]:
        """Return the clusters with settled documents that hold loose ones, or might take in one of the new."""
        there = [c for c in self.clusters.values() if self.sums.n[c.slot] > 0]
        if not there:
            return []
        links = stack(documents) @ self.sums.means(slots_of(there)).T
        hopeful = links.max(0) >= self.thresholds.join - float(self.arrival.lifts.max())
        # What waits is many, so that of it only those take part that one of the new does reach, its time counted in.
        waiting = np.flatnonzero(hopeful & [not c.theme for c in there])
        lifts = self._near(seconds(documents), slots_of([there[k] for k in waiting]))
        hopeful[waiting] = (links[:, waiting] + lifts).max(0) >= self.thresholds.join
        holding = {d.cluster.slot for d in self.recent if d.cluster}
        return [c for c, may in zip(there, hopeful, strict=True) if may or c.slot in holding]

    def _near(self, at: NDArray[np.float64], slots: NDArray[np.int64]) -> Floats:
        """Return the mean lift of arrival between times and the latest of what is settled in the slots."""
        traces = self.sums.trace[slots]
        known = (traces > LONG_AGO).astype(np.float32)
        share = known / np.maximum(known.sum(1, keepdims=True), 1)
        now = self.now.timestamp()  # counted from now, single precision tells seconds apart where they matter
        late, earlier = (at - now).astype(np.float32), (traces - now).astype(np.float32)
        out = np.zeros((len(at), len(slots)), np.float32)
        for k in range(traces.shape[1]):
            out += self.arrival.lift(late[:, None] - earlier[None, :, k]) * share[None, :, k]
        return out

    def _group(self, anchors: list[Cluster]) -> list[Group]:
        """Group the loose documents and what is settled of the anchors."""
        points: list[Recent | Cluster] = [*self.recent, *anchors]
        slots = slots_of(anchors)
        evidence = np.vstack([stack(self.recent), self.sums.means(slots)])
        weights = np.concatenate([np.ones(len(self.recent), np.float32), self.sums.n[slots]])
        content = evidence @ evidence.T
        links = content + self._lifts(slots) + self._ties(points)
        labels = agglomerate(links, self.thresholds.join, weights)
        self._expel(labels, content, weights)
        groups: dict[int, Group] = {}
        for label, point in zip(labels.tolist(), points, strict=True):
            group = groups.setdefault(label, Group())
            if isinstance(point, Recent):
                group.documents.append(point)
            else:
                group.anchors.append(point)
        return list(groups.values())

    def _lifts(self, slots: NDArray[np.int64]) -> Floats:
        """Return the lift of arrival between all points: loose documents, then what is settled in the slots."""
        loose, traces = seconds(self.recent), self.sums.trace[slots]
        among = self.arrival.lift(np.subtract.outer(loose, loose))
        if not len(slots):
            return among
        between, latest = self._near(loose, slots), self._near(traces.max(1), slots)
        return np.block([[among, between], [between.T, (latest + latest.T) / 2]])

    def _ties(self, points: Sequence[Recent | Cluster]) -> Floats:
        """Return what holds points together or apart beside what they say: their place, and the lives of themes."""
        of = [p.cluster if isinstance(p, Recent) else p for p in points]
        place = np.array([c.slot if c and c.theme else -1 - k for k, c in enumerate(of)])
        out = np.where(place[:, None] == place[None, :], self.thresholds.stay, 0.0).astype(np.float32)
        apart = np.zeros(len(points), np.float32)
        apart[[c is not None and c.state == "faded" for c in of]] = self.thresholds.revive
        large = np.array([isinstance(p, Cluster) and p.copies > KNOWN for p in points])
        out -= np.where(place[:, None] == place[None, :], 0.0, np.maximum(apart[:, None], apart[None, :]))
        themes = np.array([isinstance(p, Cluster) for p in points]) & (place >= 0)
        strangers = themes[:, None] & themes[None, :]
        out[strangers] -= self.thresholds.merge
        out[large[:, None] & large[None, :]] = NEVER
        return out

    def _expel(self, labels: NDArray[np.int64], content: Floats, weights: Floats) -> None:
        """Give a label of its own to each loose document that does not fit the rest of its group."""
        together = (labels[:, None] == labels[None, :]) * weights[None, :]
        np.fill_diagonal(together, 0)
        rest = together.sum(1)
        own = (content * together).sum(1) / np.maximum(rest, 1)
        loose = np.arange(len(labels)) < len(self.recent)
        for k in np.flatnonzero(loose & (rest > 0) & (own < self.thresholds.keep)):
            if labels[k] != k:
                labels[k] = k
            elif len(others := np.flatnonzero((labels == k) & (np.arange(len(labels)) != k))):
                labels[others] = others[0]

    def _arrange(self, groups: list[Group]) -> None:
        """Bring documents and clusters to where their groups are; a group keeps the largest theme that it holds."""
        claims = claimants(groups)
        for group, claiming in zip(groups, claims, strict=True):
            before = Counter(d.cluster for d in group.documents if d.cluster and d.cluster.theme)
            home = claiming[0] if claiming else self._open(group.documents[0])
            for document in group.documents:
                if document.cluster is not home:
                    self._leave(document)
                    self._enter(document, home)
            for other in claiming[1:]:
                self._swallow(home, other)
            self._promote(home)
            if home.theme and not claiming and before:
                self._part(home, *before.most_common(1)[0])

    def _part(self, new: Cluster, old: Cluster, leaving: int) -> None:
        """Record that a new theme came out of an old one."""
        if 2 * leaving >= new.size and old.theme:
            new.parents, old.children = (old.theme,), (*old.children, new.theme)
            why = f"{leaving} documents had become another subject"
            self._tell("split", old, why, (new.theme,))

    def _judge(self, documents: list[Recent]) -> None:
        homes = list({d.cluster.slot: d.cluster for d in documents if d.cluster}.values())
        means = dict(zip([c.slot for c in homes], self._means(homes), strict=True))
        for d in documents:
            if d.cluster:
                link = float(d.evidence @ means[d.cluster.slot])
                self.fits[d.id] = round(1 / (1 + float(np.exp(-(link - self.thresholds.join) / 2))), 3)

    def _settle(self) -> None:
        """Settle documents that leave the window, have been in a theme for a while, or have waited too long."""
        oldest = len(self.recent) - WINDOW
        leaving = [
            document
            for k, document in enumerate(self.recent)
            if k < oldest or document.at < self.now - (LOOSE if themed(document) else self.wait)
        ]
        for document in leaving:
            if document.cluster is not None:
                self._settle_in(document, document.cluster)
        gone = {d.id for d in leaving}
        self.recent = [d for d in self.recent if d.id not in gone]

    def _settle_in(self, document: Recent, cluster: Cluster) -> None:
        self.sums.put_in(cluster.slot, document.evidence, document.raw, document.at.timestamp())
        if len(cluster.authors) < self.fewest_authors:
            cluster.authors.add(author_of(document))

    # Clusters and their sums

    def _means(self, clusters: Sequence[Cluster]) -> Floats:
        """Return the mean evidence of clusters, loose and settled, one line each."""
        row = {c.slot: k for k, c in enumerate(clusters)}
        slots = slots_of(clusters)
        total, n = self.sums.evidence[slots], self.sums.n[slots]
        for document in self.recent:
            if document.cluster and (k := row.get(document.cluster.slot)) is not None:
                total[k] += document.evidence
                n[k] += 1
        out: Floats = (total / np.maximum(n, 1)[:, None]).astype(np.float32)
        return out

    def _open(self, document: Recent) -> Cluster:
        cluster = Cluster(self.sums.take(), document.at, document.at)
        self.clusters[cluster.slot] = cluster
        return cluster

    def _close(self, cluster: Cluster) -> None:
        del self.clusters[cluster.slot]
        self.sums.free.append(cluster.slot)
        if not cluster.theme:  # what waited in vain is nowhere, and nothing of it is kept
            for one in cluster.members:
                if self.placed.get(one) is cluster:
                    del self.placed[one]

    def _enter(self, document: Recent, cluster: Cluster) -> None:
        if cluster.state == "faded":
            cluster.state = "living"
            self._tell("revived", cluster, "documents about it came again")
        cluster.size += 1
        document.cluster = cluster
        for one in (document.id, *document.copies):
            self._copy(one, cluster, document.at)

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
        cluster.size -= 1
        gone = {document.id, *document.copies}
        cluster.copies -= len(gone)
        kept = [one for one in cluster.members if one not in gone]
        cluster.members.clear()
        cluster.members.extend(kept)
        document.cluster = None
        if not cluster.size and not cluster.theme:
            self._close(cluster)

    # Lives of themes

    def _swallow(self, older: Cluster, younger: Cluster) -> None:
        if self.clusters.get(younger.slot) is not younger:
            return  # its last document has left it already
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
            self._tell("merged", younger, f"its documents tell of the same as {older.theme}", (older.theme,))
            del self.themes[younger.theme]
        self._close(younger)

    def _hand_over(self, ids: list[str], cluster: Cluster) -> None:
        for one in ids:
            before = self.theme_of(one)
            cluster.members.append(one)
            self.placed[one] = cluster
            if before != cluster.theme:
                self._moved[one] = cluster.theme

    def _tidy(self) -> None:
        while len(self.placed) > REMEMBERED:
            self.placed.pop(next(iter(self.placed)))
        for cluster in list(self.clusters.values()):
            if not cluster.theme and cluster.last_seen < self.now - self.wait:
                self._close(cluster)
            elif cluster.theme and cluster.state == "living" and cluster.last_seen < self.now - self.fade:
                cluster.state = "faded"
                self._tell("faded", cluster, f"no document for {self.fade.days} days")
        self._bound()

    def _bound(self) -> None:
        """Let go of the oldest of the pool and of the faded, so that the cost of a document stays what it is."""
        for kept, those in ((POOL, self.waiting()), (FADED, [c for c in self.themes.values() if c.state == "faded"])):
            for cluster in sorted(those, key=lambda c: c.last_seen)[: max(len(those) - kept, 0)]:
                self.themes.pop(cluster.theme, None)
                self._close(cluster)
        self.recent = [d for d in self.recent if d.cluster and self.clusters.get(d.cluster.slot) is d.cluster]

    def _promote(self, cluster: Cluster) -> None:
        if cluster.theme or cluster.size < self.smallest:
            return
        loose = {author_of(d) for d in self.recent if d.cluster is cluster}
        if len(loose | cluster.authors) < self.fewest_authors:
            return
        cluster.theme = self._name(cluster)
        self.themes[cluster.theme] = cluster
        self._moved.update(dict.fromkeys(cluster.members, cluster.theme))
        self._tell("born", cluster, f"{cluster.size} documents about it")

    def _name(self, cluster: Cluster) -> str:
        """Return an id of its own: the founders of a theme may have left it, all of them, and found another."""
        name = stable_id("theme", *sorted(cluster.members)[: self.smallest])
        while name in self.themes:
            name = stable_id("theme", name)
        return name

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


def claimants(groups: Sequence[Group]) -> list[list[Cluster]]:
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


def themed(document: Recent) -> bool:
    """Return whether it is in a theme, not in the pool."""
    return document.cluster is not None and bool(document.cluster.theme)


def author_of(document: Recent) -> str:
    """Return who wrote it; somebody of their own where nobody knows."""
    return document.author or f"?{document.id}"


def slots_of(clusters: Sequence[Cluster]) -> NDArray[np.int64]:
    """Return their rows in the sums."""
    return np.array([c.slot for c in clusters], dtype=np.int64)


def seconds(documents: Sequence[Recent]) -> NDArray[np.float64]:
    """Return when they were written, in seconds."""
    return np.array([d.at.timestamp() for d in documents])


def stack(documents: Sequence[Recent]) -> Floats:
    """Return their evidence, one row each."""
    return np.stack([d.evidence for d in documents])


__all__ = ["BLOCK", "Cluster", "Placed", "Recent", "ThemeSpace", "Thresholds"]
