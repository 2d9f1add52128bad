"""The stage: from enriched documents in the store to themes in the store, each document placed once, in order.

Documents are placed in blocks that depend on the stream alone (`blocks.py`). What complete blocks did is committed; the
open block at the end is placed as a *draft*, which the next turn takes back and places again with the documents that
came since. So however a stream is cut into turns, the themes are the same; and as every write holds the state after it,
a run that is killed at any instant goes on from the last one and ends where an undisturbed run ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

import numpy as np

from groundswell.configs.schema import Settings
from groundswell.index.batches import batched
from groundswell.index.progress import Progress
from groundswell.index.query import By, Query
from groundswell.index.records import Checkpoint, Document, Lineage, Membership, Mention, Theme
from groundswell.index.store import Store
from groundswell.nlp.text.document_text import document_text, document_texts
from groundswell.nlp.themes.blocks import blocks, in_order, time_of
from groundswell.nlp.themes.by_hand import ByHand, decided
from groundswell.nlp.themes.cluster import Cluster, PlacedDocument
from groundswell.nlp.themes.evidence import Floats
from groundswell.nlp.themes.lifecycle import Rules
from groundswell.nlp.themes.naming import PHRASES, name_stale
from groundswell.nlp.themes.second_opinion import find_groups, is_due
from groundswell.nlp.themes.space import BLOCK, ThemeSpace, Thresholds
from groundswell.nlp.themes.state import Piece, SpaceState, TornStateError

MARK = "themes"
"""Checkpoint: the state of the theme space after the last complete block; its pieces are at ``themes/…``."""
STALE = "themes/stale"
"""Checkpoint: themes whose names are out of date."""
BLOCKS_A_WRITE = 16
"""Complete blocks that are written together."""
MOST_ASKED = 500
"""Documents of which it is asked at once whether they follow a part that was split off by hand."""
GROWN = 1.3
"""A theme that has grown by so much since it was named is named again."""
LOOK_BACK = timedelta(days=90)
"""Documents from which a space is made again where its state cannot be read."""

Place = tuple[str, float]
"""A theme ("" in the pool) and the confidence that a document belongs to it."""


@dataclass(slots=True)
class ThemeReport:
    """What became of the documents: pending = placed + waiting + unreadable."""

    pending: int = 0
    placed: int = 0
    waiting: int = 0
    unreadable: int = 0
    moved: int = 0
    events: Counter[str] = field(default_factory=Counter)
    living: int = 0
    quiet: int = 0
    first: bool = False

    def __str__(self) -> str:
        """Return the counts as a sentence."""
        themes = f"{self.living:,} themes people speak of, {self.quiet:,} gone quiet"
        if not self.pending:
            return f"nothing new to place; {themes}"
        news = ", ".join(f"{self.events[what]:,} {words}" for what, words in NEWS.items() if self.events[what])
        return (
            f"{self.pending:,} documents = {self.placed:,} in themes + {self.waiting:,} waiting for company + "
            f"{self.unreadable:,} unreadable; {themes}" + (f" ({news})" if news and not self.first else "")
        )


NEWS = {
    "born": "new", "revived": "came back", "faded": "went quiet", "split": "split", "merged": "joined to another",
}  # fmt: skip
"""What happens to themes, in words for people who do not know ours. A first run finds a past, no news: it says none."""


@dataclass(slots=True)
class Draft:
    """What the open block did, to be taken back by the next turn.

    Attributes:
        open: its documents, in order.
        moved: earlier documents that it moved, with the place that they were committed to.
        born: themes that it founded.
        touched: themes whose record it changed.
        events: ids of the lineage that it wrote.
    """

    open: list[str] = field(default_factory=list)
    moved: dict[str, Place] = field(default_factory=dict)
    born: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is saved."""
        return {
            "open": self.open, "moved": {one: list(place) for one, place in self.moved.items()}, "born": self.born,
            "touched": self.touched, "events": self.events,
        }  # fmt: skip

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Draft:
        """Return one that was saved."""
        moved = {one: (str(theme), float(confidence)) for one, (theme, confidence) in value["moved"].items()}
        return cls(
            list(value["open"]), moved, list(value["born"]), list(value["touched"]), list(value["events"])
        )  # fmt: skip


def update_themes(store: Store, settings: Settings, *, now: datetime, progress: Progress | None = None) -> ThemeReport:
    """Place every enriched document that has no place yet, oldest first; name what is new or has changed.

    Raises:
        StoreError: the store cannot answer.
    """
    stage = _Stage(store, settings, now)
    total = store.search(Query(lacks="membership", limit=1)).total if progress else 0
    pending = stage.pending()
    first = list(islice(pending, 1))
    if first or stage.stale:  # neither new nor left unnamed by a run that was killed: the open block stays as it is
        for block, complete in blocks(chain(stage.open_block(), first, pending)):
            if complete:
                stage.commit(block)
            else:
                stage.draft_block(block)
            if progress:
                progress(stage.report.pending, max(total, stage.report.pending), "themes")
    stage.write()
    stage.finish()
    return stage.report


class _Stage:
    """One run: the space, what is to be written of it, and the report."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings, self.now = store, settings, now
        self.space = space_of(settings)
        self.state = SpaceState(self.space)
        self.before, self.draft = Draft(), Draft()
        self.places: dict[str, Place] = {}
        self.touched: set[str] = set()
        self.events: list[Lineage] = []
        self.ended: dict[str, Cluster] = {}
        self.saved: dict[str, Piece] = {}
        self.discard: dict[str, list[str]] = {}
        self.looked = datetime.min.replace(tzinfo=now.tzinfo)
        self.complete = 0
        self.reopened: frozenset[str] = frozenset()
        self.report = ThemeReport(first=True)
        self._wake()
        stale = store.get(Checkpoint, STALE)
        self.stale: set[str] = set(stale.value["themes"]) if stale else set()

    # Reading

    def open_block(self) -> list[Document]:
        """Return the documents of the open block of the last turn; one whose text changed since comes as a new one."""
        self.places |= self.before.moved
        documents = self.store.many(Document, self.before.open) if self.before.open else []
        return [d for d in documents if d.membership is not None and _readable(d)]

    def pending(self) -> Iterator[Document]:
        """Yield the documents that have no place yet, in order of time; what cannot be read is put aside."""
        scanned = (d for d in self.store.scan(Query(lacks="membership", with_vectors=True)) if d.enriched is not None)
        for document in in_order(scanned, lambda ids: self.store.many(Document, ids)):
            self.report.pending += 1
            if _readable(document):
                yield document
            else:
                self.report.unreadable += 1
                self.places[document.id] = ("", 0.0)

    # Placing

    def commit(self, block: Sequence[Document]) -> None:
        """Place a complete block for good."""
        self._second_opinion(time_of(block[0]))
        self._place(block)
        self.complete += 1
        if self.complete % BLOCKS_A_WRITE == 0:
            self.write()

    def draft_block(self, block: Sequence[Document]) -> None:
        """Place the open block after saving the state before it."""
        self._save()
        committed, events, touched = dict(self.places), len(self.events), set(self.touched)
        self.touched.clear()
        self._place(block)
        ids, new = [d.id for d in block], self.events[events:]
        moved = [one for one, place in self.places.items() if committed.get(one) != place and one not in set(ids)]
        there = {m.id: (m.theme, m.confidence) for m in self.store.many(Membership, moved)} if moved else {}
        self.draft = Draft(
            ids, {one: committed.get(one) or there.get(one) or ("", 0.0) for one in moved},
            [e.theme for e in new if e.what == "born"], sorted(self.touched), [e.id for e in new],
        )  # fmt: skip
        self.touched |= touched

    def _place(self, block: Sequence[Document]) -> None:
        ids, copies = [d.id for d in block], [_copy_of(d) for d in block]
        self.space.remember(self._committed_themes(set(copies).difference(ids, {""})))
        themes = self.space.add(
            ids,
            np.array([_vector(d) for d in block], np.float32),
            document_texts([d.mention for d in block]),
            [d.enriched.lang if d.enriched else "" for d in block],
            [time_of(d) for d in block],
            [d.mention.author_key for d in block],
            copies,
        )
        new = [theme for one, theme in zip(ids, themes, strict=True) if one not in self.reopened]
        self.report.placed += sum(map(bool, new))
        self.report.waiting += len(new) - sum(map(bool, new))
        self._note(dict(zip(ids, themes, strict=True)))

    def _note(self, placed: Mapping[str, str]) -> None:
        """Note what a block changed, to be written."""
        places = {**self.space.drain(), **placed}
        events = self.space.take_events()
        self.ended |= self.space.take_ended()
        self.places |= {one: (theme, self.space.confidence(one)) for one, theme in places.items()}
        self.touched |= {theme for theme in places.values() if theme}
        self.touched |= {theme for event in events for theme in (event.theme, *event.others)}
        self.events += events

    def _committed_themes(self, ids: Collection[str]) -> dict[str, str]:
        lacking = sorted(one for one in ids if one not in self.space.clusters.place)
        return {m.id: m.theme for m in self.store.many(Membership, lacking)} if lacking else {}

    def _second_opinion(self, at: datetime) -> None:
        """Look at all that waits at once when a new day begins and enough of it has not been looked at."""
        waiting = self.space.waiting()
        if at.date() <= self.space.now.date() or not is_due(waiting, self.looked):
            return
        self.looked = self.space.now
        firsts = {m.id: m for m in self.store.many(Mention, [c.members[0] for c in waiting])}
        texts = [document_text(firsts[c.members[0]]) if c.members[0] in firsts else "" for c in waiting]
        found = find_groups(texts, self.space.waiting_vectors(), smallest=self.settings.themes.smallest)
        self.space.suggest([[waiting[i] for i in group] for group in found])
        self._note({})

    # Writing

    def write(self) -> None:
        """Write places, what happened, the themes concerned and the committed state: all or nothing."""
        if not (self.places or self.events or self.touched):
            return
        if not self.draft.open:
            self._save()
        happened = {event.id for event in self.events}
        self.discard = {
            "theme": [one for one in self.before.born if self._cluster(one) is None],
            "lineage": [one for one in self.before.events if one not in happened],
        }
        self.report.events.update(e.what for e in self.events if e.id not in self.before.events)
        touched = sorted((self.touched | set(self.before.touched)) - set(self.discard["theme"]))
        before, hand = {t.id: t for t in self.store.many(Theme, touched)}, decided(self.store)
        themes = [self._theme(one, c, before.get(one)) for one in touched if (c := self._cluster(one)) is not None]
        self.stale |= {t.id for t in themes if t.state == "living" and (not t.label or _grown(t, before.get(t.id)))}
        placed = self._placed_by_hand(hand)
        members = [
            Membership(id=one, theme=placed[one], confidence=confidence, at=self.now)
            for one, (_, confidence) in self.places.items()
        ]
        self.store.put([*map(hand.applied, themes), *members, *self.events, *self._checkpoints()])
        self._recount(hand, {*touched, *placed.values()})
        self._discard()
        self.before, self.draft, self.discard = self.draft, Draft(), {}
        self.places, self.touched, self.events, self.ended, self.saved = {}, set(), [], {}, {}

    def _placed_by_hand(self, hand: ByHand) -> dict[str, str]:
        """Return where each new document belongs as people decided: in a theme that it is one with, or a part of it."""
        placed = {one: hand.place(one, theme) for one, (theme, _) in self.places.items()}
        parted = hand.parted(set(placed.values()))
        asked = sorted(one for one, theme in placed.items() if theme in parted and one not in hand.pinned)
        for begin in range(0, len(asked), MOST_ASKED):
            wanted = Query(where={"id": tuple(asked[begin : begin + MOST_ASKED])}, with_vectors=True)
            readable = (document for document in self.store.scan(wanted) if _readable(document))
            placed |= {document.id: hand.followed(placed[document.id], _vector(document)) for document in readable}
        return placed

    def _recount(self, hand: ByHand, themes: Collection[str]) -> None:
        """Count the documents of what was split by hand, and of what it was split from, which the stage cannot."""
        concerned = {one for part, home in hand.parents.items() for one in (part, hand.end(home))} & set(themes)
        counted = []
        for theme in self.store.many(Theme, sorted(concerned)):
            if theme.state == "merged":
                continue
            query = Query(where={"theme": (theme.id,)})
            size = sum(bucket.copies for bucket in self.store.count(query, By()))
            newest = self.store.search(replace(query, trusted_dates=True, sort="newest", limit=1)).hits
            last = newest[0].document.mention.published_at if newest else None
            counted.append(replace(theme, size=size, last_seen=last or theme.last_seen))
        self.store.put(counted)

    def finish(self) -> None:
        """Name what is new or has grown, and count."""
        records = name_stale(self.store, self.space, self.stale, self.settings)
        if self.stale:
            self.stale.clear()
            self.store.put([*records, self._stale()])
        placed = Counter(cluster.state for cluster in self.space.themes.values())
        self.report.living, self.report.quiet = placed["living"], placed["faded"]

    def _save(self) -> None:
        """Note the pieces of the state as it is now, for the next write."""
        self.saved |= self.state.save()
        self.saved[""] = {**self.saved[""], "looked": self.looked.isoformat()}

    def _checkpoints(self) -> list[Checkpoint]:
        """Return the pieces of the state, the mark last, so that whatever is lost shows."""
        mark = {**self.saved.pop(""), "draft": self.draft.as_json(), "discard": self.discard}
        pieces = [Checkpoint(id=f"{MARK}/{name}", value=piece, at=self.now) for name, piece in self.saved.items()]
        return [self._stale(), *pieces, Checkpoint(id=MARK, value=mark, at=self.now)]

    def _stale(self) -> Checkpoint:
        return Checkpoint(id=STALE, value={"themes": sorted(self.stale)}, at=self.now)

    def _discard(self) -> None:
        """Forget what a draft had founded and found, where the documents that came since made something else of it."""
        if themes := self.discard.get("theme"):
            self.store.delete(Theme, themes)
            self.store.delete(Checkpoint, [PHRASES + one for one in themes])
        if events := self.discard.get("lineage"):
            self.store.delete(Lineage, events)

    def _cluster(self, theme: str) -> Cluster | None:
        """Return the cluster of a theme that lives, or ended since the last write."""
        return self.space.themes.get(theme) or self.ended.get(theme)

    def _theme(self, one: str, cluster: Cluster, before: Theme | None) -> Theme:
        """Return a theme's record; its name stays what it was."""
        alive = one in self.space.themes
        facts: dict[str, Any] = {
            "first_seen": cluster.first_seen, "last_seen": cluster.last_seen, "parents": cluster.parents,
            "children": cluster.children, "state": cluster.state,
            "size": 0 if cluster.state == "merged" else cluster.size,
            "centroid": self.space.centroid(one) if alive else None,
        }  # fmt: skip
        return replace(before, **facts) if before else Theme(id=one, label="", **facts)

    # Waking

    def _wake(self) -> None:
        """Bring back the state after the last complete block, and take back what the open one did."""
        mark = self.store.get(Checkpoint, MARK)
        if mark is None:
            return
        self.report.first = False
        try:
            self.state = SpaceState.restore(self.space, mark.value, self._pieces)
            self.before = Draft.of_json(mark.value["draft"])
            self.looked = datetime.fromisoformat(mark.value["looked"])
        except (TornStateError, KeyError, TypeError, ValueError):  # another version's, or torn
            self.space = space_of(self.settings)
            self._retell()
            self.state, self.before = SpaceState(self.space), Draft()
            return
        self.reopened = frozenset(self.before.open)
        self.discard = mark.value["discard"]
        self._discard()

    def _pieces(self, names: Sequence[str]) -> dict[str, Piece]:
        found = self.store.many(Checkpoint, [f"{MARK}/{name}" for name in names])
        return {piece.id.removeprefix(f"{MARK}/"): piece.value for piece in found}

    def _retell(self) -> None:
        """Make a space out of what the store knows: themes live on under their ids, whatever version founded them."""
        query = Query(since=self.now - LOOK_BACK, until=self.now + timedelta(hours=1), with_vectors=True)
        placed = (d for d in self.store.scan(query) if d.membership and _readable(d))
        for batch in batched(placed, BLOCKS_A_WRITE * BLOCK):
            self.space.take_over([_placed(document) for document in batch])
        for theme in self.store.many(Theme, sorted(self.space.themes)):
            cluster = self.space.themes[theme.id]
            cluster.state, cluster.parents, cluster.children = theme.state, theme.parents, theme.children
            cluster.size, cluster.copies = max(cluster.size, theme.size), max(cluster.copies, theme.size)
            cluster.first_seen = min(cluster.first_seen, theme.first_seen)


def space_of(settings: Settings) -> ThemeSpace:
    """Return an empty space that keeps to the settings `themes.*`."""
    own = settings.themes
    rules = Rules(own.smallest, own.fewest_authors, timedelta(days=own.fade_days), timedelta(days=own.pool_days))
    return ThemeSpace(rules, thresholds=Thresholds().at(own.join_similarity))


def _grown(theme: Theme, before: Theme | None) -> bool:
    return before is None or int(np.log(max(theme.size, 1)) / np.log(GROWN)) > int(
        np.log(max(before.size, 1)) / np.log(GROWN)
    )


def _readable(document: Document) -> bool:
    return document.enriched is not None and document.enriched.vector is not None


def _placed(document: Document) -> PlacedDocument:
    mention, enriched = document.mention, document.enriched
    return PlacedDocument(
        id=document.id, vector=_vector(document), text=document_text(mention), lang=enriched.lang if enriched else "",
        at=time_of(document), author=mention.author_key,
        theme=document.membership.theme if document.membership else "", copy_of=_copy_of(document),
    )  # fmt: skip


def _copy_of(document: Document) -> str:
    first = document.enriched.duplicate_of if document.enriched else ""
    return "" if first == document.id else first


def _vector(document: Document) -> Floats:
    assert document.enriched is not None  # noqa: S101  only what is readable is asked for
    assert document.enriched.vector is not None  # noqa: S101
    return document.enriched.vector
