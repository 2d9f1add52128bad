"""The stage: from enriched documents in the store to themes in the store, each document placed once, in order.

Every batch is written in one piece with the state of the space after it, so that a run killed at any instant goes on
from the last batch and ends where an undisturbed run ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zipfile import BadZipFile

import numpy as np

from groundswell.configs.schema import Settings
from groundswell.index.batches import batched
from groundswell.index.ids import stable_id
from groundswell.index.progress import Progress
from groundswell.index.query import Query
from groundswell.index.records import Checkpoint, Document, Enriched, Lineage, Membership, Mention, Record, Theme
from groundswell.index.store import Store
from groundswell.nlp.enrich.consensus import common_risk
from groundswell.nlp.text.clean import clean, joined
from groundswell.nlp.themes.label import Name, name_themes
from groundswell.nlp.themes.space import BLOCK, Cluster, Placed, ThemeSpace, Thresholds
from groundswell.nlp.themes.state import pack, unpack
from groundswell.nlp.themes.structure import find_groups
from groundswell.nlp.themes.title import ThemeText

MARK = "themes"
"""Checkpoint: the state of the theme space after the last batch, and the themes whose names are out of date."""
BATCH = 4 * BLOCK
"""Documents written at a time."""
SPOKEN = 48
"""Latest documents a theme's name is made of."""
OTHERS = 60
"""Themes at most that the named ones are set apart from."""
GROWN = 1.3
"""A theme that has grown by so much since it was named is named again."""


LOOK_BACK = timedelta(days=90)
"""Documents from which a space is made again where its state cannot be read."""


@dataclass(slots=True)
class ThemeReport:
    """What became of the documents: pending = placed + waiting + unreadable."""

    pending: int = 0
    placed: int = 0
    waiting: int = 0
    unreadable: int = 0
    moved: int = 0
    events: Counter[str] | None = None
    themes: int = 0

    def __str__(self) -> str:
        """Return the counts as a sentence."""
        if not self.pending:
            return f"nothing new to place; {self.themes:,} themes"
        told = ", ".join(f"{count:,} {what}" for what, count in (self.events or Counter()).items())
        return (
            f"{self.pending:,} documents = {self.placed:,} in themes + {self.waiting:,} waiting + "
            f"{self.unreadable:,} unreadable; {self.themes:,} themes ({told or 'nothing happened to them'})"
        )


def update_themes(store: Store, settings: Settings, *, now: datetime, progress: Progress | None = None) -> ThemeReport:
    """Place every enriched document that has no place yet, oldest first; name what is new or has changed.

    Raises:
        StoreError: the store cannot answer.
    """
    stage = _Stage(store, settings, now)
    total = store.search(Query(lacks="membership", limit=1)).total
    for documents in batched(_pending(store), BATCH):
        stage.place(documents)
        if progress:
            progress(stage.report.pending, max(total, stage.report.pending), "themes")
    stage.finish()
    return stage.report


class _Stage:
    """One run: the space, what is known of themes already in the store, and the report."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings, self.now = store, settings, now
        self.space = _fresh(settings)
        self.stale: set[str] = set()
        self.finished = True
        self._wake()
        self.report = ThemeReport(events=Counter(), themes=len(self.space.themes))

    def place(self, documents: Sequence[Document]) -> None:
        """Place a batch and write it, with the state after it, in one piece."""
        known = [d for d in documents if d.enriched is not None and d.enriched.vector is not None]
        copies = [_copy_of(d) for d in known]
        self.space.remember(self._places([c for c in copies if c]))
        themes = self.space.add(
            [d.id for d in known],
            np.array([_vector(d) for d in known], np.float32).reshape(len(known), -1),
            [text_of(d.mention) for d in known],
            [d.enriched.lang if d.enriched else "" for d in known],
            [d.mention.published_at or d.mention.fetched_at for d in known],
            [d.mention.author_key for d in known],
            copies,
        ) if known else []  # fmt: skip
        places = {
            **dict.fromkeys([d.id for d in documents], ""),
            **dict(zip([d.id for d in known], themes, strict=True)),
        }
        self._count(documents, known, themes)
        self._write(places)

    def finish(self) -> None:
        """Look at the whole pool once more, then name what is new or has grown. Nothing to do where all is done."""
        if not self.finished:
            self._second_opinion()
            self._write({})
            self._name()
            self.finished = True
            self.store.put([self._mark()])
        self.report.themes = len(self.space.themes)

    def _wake(self) -> None:
        mark = self.store.get(Checkpoint, MARK)
        if mark is None:
            return
        try:
            unpack(mark.value["state"], self.space)
        except (ValueError, KeyError, BadZipFile):  # another version's, or torn
            self.space = _fresh(self.settings)
            self._retell()
            return
        self.stale, self.finished = set(mark.value["stale"]), bool(mark.value["finished"])

    def _retell(self) -> None:
        """Make a space out of what the store knows: themes live on under their ids, whatever version founded them."""
        query = Query(since=self.now - LOOK_BACK, until=self.now + timedelta(hours=1), with_vectors=True)
        for batch in batched((d for d in self.store.scan(query) if _is_placed(d)), BATCH):
            self.space.take_over([_placed(document) for document in batch])
        for theme in self.store.many(Theme, sorted(self.space.themes)):
            cluster = self.space.themes[theme.id]
            cluster.state, cluster.parents, cluster.children = theme.state, theme.parents, theme.children
            cluster.size, cluster.copies = max(cluster.size, theme.size), max(cluster.copies, theme.size)
            cluster.first_seen = min(cluster.first_seen, theme.first_seen)

    def _places(self, ids: Sequence[str]) -> dict[str, str]:
        lacking = [one for one in dict.fromkeys(ids) if one not in self.space.placed]
        return {m.id: m.theme for m in self.store.many(Membership, lacking)} if lacking else {}

    def _count(self, documents: Sequence[Document], known: Sequence[Document], themes: Sequence[str]) -> None:
        placed = sum(bool(theme) for theme in themes)
        self.report.pending += len(documents)
        self.report.placed += placed
        self.report.waiting += len(known) - placed
        self.report.unreadable += len(documents) - len(known)

    def _write(self, places: dict[str, str]) -> None:
        """Write places, moves, what happened, the themes concerned and the state: all or nothing."""
        moved = self.space.drain()
        self.report.moved += len(moved)
        events, self.space.events = self.space.events, []
        if self.report.events is not None:
            self.report.events.update(e.what for e in events)
        places = {**places, **moved}
        touched = {t for t in places.values() if t} | {t for e in events for t in (e.theme, *e.others)}
        before = {t.id: t for t in self.store.many(Theme, sorted(touched))}
        themes = [self._theme(one, before.get(one), events) for one in sorted(touched)]
        self.stale |= {t.id for t in themes if t.state == "living" and (not t.label or _grown(t, before.get(t.id)))}
        self.finished = self.finished and not places and not events
        members = [
            Membership(id=one, theme=theme, confidence=self.space.confidence(one), at=self.now)
            for one, theme in places.items()
        ]
        self.store.put([*themes, *members, *events, self._mark()])

    def _theme(self, one: str, before: Theme | None, events: Sequence[Lineage]) -> Theme:
        cluster = self.space.themes.get(one)
        if cluster is None:  # swallowed by another
            gone = next(e for e in events if e.theme == one and e.what == "merged")
            return Theme(
                id=one, label=before.label if before else "", keywords=before.keywords if before else (),
                titles=before.titles if before else {}, exemplars=before.exemplars if before else (),
                first_seen=before.first_seen if before else gone.at, last_seen=before.last_seen if before else gone.at,
                parents=before.parents if before else (), children=gone.others, state="merged",
                size=0, risk=before.risk if before else "", feeling=before.feeling if before else "",
                centroid=before.centroid if before else None,
            )  # fmt: skip
        return _record(one, cluster, before, self.space)

    def _mark(self) -> Checkpoint:
        value = {"state": pack(self.space), "stale": sorted(self.stale), "finished": self.finished}
        return Checkpoint(id=MARK, value=value, at=self.now)

    def _second_opinion(self) -> None:
        waiting = self.space.waiting()
        if len(waiting) < 2:
            return
        firsts = {m.id: m for m in self.store.many(Mention, [c.members[0] for c in waiting])}
        texts = [text_of(firsts[c.members[0]]) if c.members[0] in firsts else "" for c in waiting]
        found = find_groups(texts, self.space.waiting_vectors(), smallest=self.settings.themes.smallest)
        self.space.suggest([[waiting[i] for i in group] for group in found])

    def _name(self) -> None:
        """Name the themes that need it, set apart from the others that live; write names and renamings."""
        stale = sorted(self.stale & set(self.space.themes))
        others = [one for one in self.space.themes if one not in self.stale][-OTHERS:]
        said = {one: documents for one in [*stale, *others] if (documents := self._said(self.space.themes[one]))}
        before = {t.id: t for t in self.store.many(Theme, [*stale, *others])}
        wanted = [one for one in stale if one in said]
        named = name_themes(said, {one: _name_of(t) for one, t in before.items()}, wanted=wanted) if wanted else {}
        risks = {one: self._risk(self.space.themes[one]) for one in stale}
        records: list[Record] = []
        for one in stale:
            if one in named and one in before:
                records += self._renamed(before[one], named[one], risks[one])
        self.stale.clear()
        self.store.put([*records, self._mark()])

    def _renamed(self, theme: Theme, name: Name, risk: str) -> Iterator[Record]:
        yield Theme(
            id=theme.id, label=name.label, keywords=name.keywords, titles=name.titles, exemplars=name.exemplars,
            first_seen=theme.first_seen, last_seen=theme.last_seen, parents=theme.parents, children=theme.children,
            state=theme.state, size=theme.size, risk=risk, feeling=name.feeling, centroid=theme.centroid,
        )  # fmt: skip
        if theme.label and theme.label != name.label:
            key = stable_id("lineage", theme.id, "renamed", self.space.now.isoformat())
            why = f"was “{theme.label}”"
            yield Lineage(id=key, theme=theme.id, what="renamed", at=self.space.now, why=why)

    def _said(self, cluster: Cluster) -> list[ThemeText]:
        documents = self.store.many(Document, list(cluster.members)[-SPOKEN:])
        return [
            ThemeText(d.id, text_of(d.mention), d.enriched.lang, d.enriched.vector, d.enriched.sentiment.mood)
            for d in documents
            if d.enriched is not None and d.enriched.vector is not None and not _copy_of(d)
        ]

    def _risk(self, cluster: Cluster) -> str:
        """Return the risk that the latest documents carry together."""
        return common_risk(self.store.many(Enriched, list(cluster.members)[-SPOKEN:]))[0]


def text_of(mention: Mention) -> str:
    """Return what of a mention is read: title and text, cleaned."""
    return clean([joined(mention.title, mention.text)])[0]


def _fresh(settings: Settings) -> ThemeSpace:
    themes = settings.themes
    return ThemeSpace(
        smallest=themes.smallest, fewest_authors=themes.fewest_authors, fade_days=themes.fade_days,
        pool_days=themes.pool_days, thresholds=Thresholds().at(themes.join_similarity),
    )  # fmt: skip


def _record(one: str, cluster: Cluster, before: Theme | None, space: ThemeSpace) -> Theme:
    return Theme(
        id=one, label=before.label if before else "", keywords=before.keywords if before else (),
        titles=before.titles if before else {}, exemplars=before.exemplars if before else (),
        first_seen=cluster.first_seen, last_seen=cluster.last_seen, parents=cluster.parents,
        children=cluster.children, state=cluster.state, size=cluster.size,
        risk=before.risk if before else "", feeling=before.feeling if before else "", centroid=space.centroid(one),
    )  # fmt: skip


def _name_of(theme: Theme) -> Name:
    return Name(theme.label, theme.keywords, theme.titles, theme.exemplars, theme.feeling)


def _grown(theme: Theme, before: Theme | None) -> bool:
    return before is None or int(np.log(max(theme.size, 1)) / np.log(GROWN)) > int(
        np.log(max(before.size, 1)) / np.log(GROWN)
    )


def _pending(store: Store) -> Iterator[Document]:
    return (d for d in store.scan(Query(lacks="membership", with_vectors=True)) if d.enriched is not None)


def _is_placed(document: Document) -> bool:
    return bool(document.membership and document.enriched and document.enriched.vector is not None)


def _placed(document: Document) -> Placed:
    mention, enriched = document.mention, document.enriched
    return Placed(
        id=document.id, vector=_vector(document), text=text_of(mention), lang=enriched.lang if enriched else "",
        at=mention.published_at or mention.fetched_at, author=mention.author_key,
        theme=document.membership.theme if document.membership else "", copy_of=_copy_of(document),
    )  # fmt: skip


def _copy_of(document: Document) -> str:
    first = document.enriched.duplicate_of if document.enriched else ""
    return "" if first == document.id else first


def _vector(document: Document) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    assert document.enriched is not None  # noqa: S101  `place` and `_said` only ask about those that have one
    assert document.enriched.vector is not None  # noqa: S101
    return document.enriched.vector
