"""The online theme space: each document joins a living theme, waits in the pool, or helps to found a new theme.

Nothing here knows a store, a clock or a model: documents come in, in arrival order, with their vectors. The latest
`WINDOW` documents are loose: with every block they are grouped anew (mean-link agglomeration), together with what is
settled of the themes and of the pool they might belong to. A document that leaves the window has settled for good. A
group in the pool that has grown enough is a new theme at that moment.

One pass over the stream in arrival order (Allan et al. 1998, "On-line new event detection and tracking"), with a window
that is looked at again, so that the first documents of a subject need not come in a good order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from groundswell.index.records import Lineage
from groundswell.nlp.text.keywords import words as keywords
from groundswell.nlp.text.language import detect
from groundswell.nlp.themes.agglomerate import agglomerate
from groundswell.nlp.themes.arrival import Arrival
from groundswell.nlp.themes.cluster import Cluster, LooseDocument, PlacedDocument, half_precision
from groundswell.nlp.themes.clusters import Clusters
from groundswell.nlp.themes.evidence import DIMENSIONS, Evidence, Floats, Tokens, Weights
from groundswell.nlp.themes.grouping import Group, Grouping, Thresholds, claims_of
from groundswell.nlp.themes.lifecycle import Lifecycle, Rules
from groundswell.nlp.themes.lineage import Chronicle

BLOCK = 256
"""Documents that are looked at together; the square of it and of the window bounds the cost of a document."""
WINDOW = 512
"""Latest documents that are still loose."""
LOOSE = timedelta(hours=6)
"""How long a document of a theme stays loose at most: what people read in a theme today is there tomorrow."""
CONFIDENCE_OF_COPIES = 0.5
"""Confidence of a document that was placed by the company it keeps: a copy, or one that waited."""
PRIOR_FADES = 3.5
"""How fast the shipped mean vectors lose weight as alike documents get rarer: at the rarest .03 of it is left."""
CONFIDENCE_SCALE = 2.0
"""Log-odds above the threshold for each unit of the logistic curve that confidence follows."""


class ThemeSpace:
    """Themes over a stream, kept online: the cost of a block depends on what is alive, not on history.

    Use::

        space = ThemeSpace(Rules(smallest=5, fewest_authors=2))
        themes = space.add(ids, vectors, texts, langs, times, authors)   # theme id, or "" while a document waits
        moved = space.drain()       # earlier documents whose theme changed during the last `add`: {id: theme or ""}
        space.themes                # theme id → Cluster: size, copies, first_seen, last_seen, members, parents …
        space.centroid(theme)       # its mean embedding, unit length
        space.events                # every Lineage so far: born, split, merged, faded, revived

    `add` answers for the documents of this batch only; when a batch founds a theme, the earlier documents that had
    waited for it are reported by `drain`. Batches must come in arrival order; a batch may hold any number of
    documents (an hour, a day; more documents at once are grouped better). Feeding the same documents in the same
    blocks gives the same ids on any machine: a theme's id is a hash of its first document. Copies (`copy_of`)
    get the theme of their first and count once.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        thresholds: Thresholds | None = None,
        weights: Weights | None = None,
        tokens: Tokens = keywords,
    ) -> None:
        self.rules = rules or Rules()
        thresholds = thresholds or Thresholds()
        self.evidence = Evidence(weights or Weights(), tokens)
        self.arrival = Arrival(alike_at=thresholds.alike, weight=thresholds.arrival)
        self.chronicle = Chronicle()
        self.clusters = Clusters(self.chronicle)
        self.grouping = Grouping(self.clusters, self.arrival, thresholds)
        self.lifecycle = Lifecycle(self.clusters, self.rules)
        self.now = datetime.min.replace(tzinfo=UTC)
        self.fits: dict[str, float] = {}

    # What goes in

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
            ids: document ids; one that was here before is taken out first: it comes again because its text changed.
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
        for one in ids:
            self.clusters.withdraw(one)
        for start in range(0, n, BLOCK):
            part = range(start, min(start + BLOCK, n))
            firsts = self._firsts(part, ids, copy_of)
            self.evidence.trust = float(np.exp(-PRIOR_FADES * self.arrival.rarity()))
            lines = self.evidence.read(vectors[firsts], [texts[i] for i in firsts], [langs[i] for i in firsts])
            self._place(
                [
                    LooseDocument(ids[i], line, half_precision(vectors[i]), times[i], authors[i])
                    for i, line in zip(firsts, lines, strict=True)
                ]
            )
            self._place_copies(sorted(set(part).difference(firsts)), ids, copy_of, times)
        self.clusters.drop_moves(ids)
        return [self.theme_of(one) for one in ids]

    def remember(self, themes: Mapping[str, str]) -> None:
        """Be told where earlier documents went (id → theme), so that their copies follow them."""
        self.clusters.remember(themes)

    def suggest(self, groups: Sequence[Sequence[Cluster]]) -> None:
        """Be told that some that wait might belong together; what the evidence bears out becomes one, or a theme."""
        for group in groups:
            means = self.clusters.means(group)
            sizes = np.array([c.size for c in group], np.float32)
            enough = self.grouping.thresholds.join + self.arrival.rarity()
            labels = agglomerate(means @ means.T, enough, sizes)
            for label in np.unique(labels):
                first, *others = [c for c, mine in zip(group, labels, strict=True) if mine == label]
                for other in others:
                    self.clusters.merge(first, other)
                self.lifecycle.promote(first)
        self.lifecycle.expire(self.now)

    def take_over(self, documents: Sequence[PlacedDocument]) -> None:
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
            home = self.clusters.place.get(document.copy_of)
            if home is not None:
                self.clusters.add_copy(document.id, home, document.at)
        self.now = max(self.now, *(d.at for d in documents))
        self.clusters.moved.clear()

    # What comes out

    @property
    def themes(self) -> dict[str, Cluster]:
        """Return the themes, living and faded, by id."""
        return self.clusters.themes

    @property
    def events(self) -> list[Lineage]:
        """Return what has happened so far, or since it was last taken."""
        return self.chronicle.events

    def take_events(self) -> list[Lineage]:
        """Return and forget what has happened."""
        events, self.chronicle.events = self.chronicle.events, []
        return events

    def take_ended(self) -> dict[str, Cluster]:
        """Return and forget the themes that were merged or let go."""
        ended, self.clusters.ended = self.clusters.ended, {}
        return ended

    def theme_of(self, id: str) -> str:
        """Return a document's theme now, "" if it waits or is no longer remembered."""
        return self.clusters.theme_of(id)

    def drain(self) -> dict[str, str]:
        """Return and forget the changes to documents of earlier batches: id → theme."""
        moved, self.clusters.moved = self.clusters.moved, {}
        return moved

    def confidence(self, id: str) -> float:
        """Return how well a document of the last batch fits where it is, from 0 to 1; 0 in the pool."""
        return self.fits.get(id, CONFIDENCE_OF_COPIES) if self.theme_of(id) else 0.0

    def centroid(self, theme: str) -> Floats:
        """Return a theme's mean embedding, shape ``(384,)``, unit length, in the encoder's own space."""
        return self.clusters.centroid(self.themes[theme])

    def waiting(self) -> list[Cluster]:
        """Return what waits in the pool, in the order it came."""
        return self.clusters.waiting()

    def waiting_vectors(self) -> Floats:
        """Return the mean centred embedding of each that waits, shape ``(n, 384)``."""
        return self.clusters.means(self.waiting())[:, :DIMENSIONS]

    # A block of documents

    def _firsts(self, part: range, ids: Sequence[str], copy_of: Sequence[str]) -> list[int]:
        """Return which of a part are no copies of what is here or of what comes before them in the part."""
        firsts: list[int] = []
        earlier: set[str] = set()
        for i in part:
            if copy_of[i] == ids[i] or not (copy_of[i] in earlier or self.clusters.holds(copy_of[i])):
                firsts.append(i)
                earlier.add(ids[i])
        return firsts

    def _place(self, documents: list[LooseDocument]) -> None:
        if not documents:
            return
        self.now = max(self.now, *(d.at for d in documents))
        self.grouping.learn_arrival(documents)
        self._settle()
        self.clusters.loose.extend(documents)
        self._arrange(self.grouping.groups(documents, now=self.now.timestamp()))
        self._judge(documents)
        self._settle()
        self.lifecycle.expire(self.now)

    def _place_copies(
        self, part: Sequence[int], ids: Sequence[str], copy_of: Sequence[str], times: Sequence[datetime]
    ) -> None:
        loose = {document.id: document for document in self.clusters.loose}
        for i in part:
            home = self.clusters.place.get(copy_of[i])
            if home is None:
                continue
            self.clusters.add_copy(ids[i], home, times[i])
            if copy_of[i] in loose:
                loose[copy_of[i]].copies.append(ids[i])

    def _arrange(self, groups: list[Group]) -> None:
        """Bring documents and clusters to where their groups are; a group keeps the largest theme that it holds."""
        for group, claims in zip(groups, claims_of(groups), strict=True):
            before = Counter(d.cluster for d in group.documents if d.cluster and d.cluster.theme)
            home = claims[0] if claims else self.clusters.open(group.documents[0])
            for document in group.documents:
                if document.cluster is not home:
                    self.clusters.leave(document)
                    self.lifecycle.revive(home, document.at, self.now)
                    self.clusters.enter(document, home)
            for other in claims[1:]:
                self.clusters.merge(home, other)
            self.lifecycle.promote(home)
            if home.theme and not claims and before:
                self.lifecycle.split(home, *before.most_common(1)[0])

    def _judge(self, documents: list[LooseDocument]) -> None:
        """Note how well each document fits the cluster that it came to."""
        homes = list({d.cluster.slot: d.cluster for d in documents if d.cluster}.values())
        means = dict(zip([c.slot for c in homes], self.clusters.means(homes), strict=True))
        for d in documents:
            if d.cluster:
                above = float(d.evidence @ means[d.cluster.slot]) - self.grouping.thresholds.join
                self.fits[d.id] = round(1 / (1 + float(np.exp(-above / CONFIDENCE_SCALE))), 3)

    def _settle(self) -> None:
        """Settle documents that leave the window, have been in a theme for a while, or have waited too long."""
        loose = self.clusters.loose
        oldest = len(loose) - WINDOW
        leaving = [
            document
            for k, document in enumerate(loose)
            if k < oldest or document.at < self.now - (LOOSE if document.themed else self.rules.wait)
        ]
        for document in leaving:
            if document.cluster is not None:
                self.clusters.settle(document, document.cluster, authors=self.rules.fewest_authors)
        gone = {d.id for d in leaving}
        self.clusters.loose = [d for d in loose if d.id not in gone]

    def _put_back(self, placed: PlacedDocument, line: Floats) -> None:
        document = LooseDocument(placed.id, line, half_precision(placed.vector), placed.at, placed.author)
        home = self.themes.get(placed.theme) or self.clusters.open(document)
        if placed.theme and not home.theme:
            self.clusters.name(home, placed.theme)
        self.clusters.enter(document, home)
        self.clusters.settle(document, home, authors=self.rules.fewest_authors)


def known_langs(texts: Sequence[str], langs: Sequence[str] | None) -> list[str]:
    """Return the languages given, and those detected where none was."""
    languages = list(langs or [""] * len(texts))
    lacking = [i for i, lang in enumerate(languages) if not lang]
    for i, found in zip(lacking, detect([texts[i] for i in lacking]), strict=True):
        languages[i] = found.code
    return languages


__all__ = ["BLOCK", "Cluster", "PlacedDocument", "Rules", "ThemeSpace", "Thresholds", "known_langs"]
