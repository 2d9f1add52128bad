"""What a person may do to themes: name them, say that two are one or that one is two, and take each of it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import numpy as np

from groundswell.index.audit import Audit
from groundswell.index.ids import stable_id
from groundswell.index.query import Query
from groundswell.index.records import Document, Lineage, LineageKind, Membership, Record, Theme
from groundswell.index.store import Reader, Store
from groundswell.nlp.themes.by_hand import ByHand, centres_of, decided
from groundswell.ui.desk import DeskError
from groundswell.ui.trail import recorded

LONGEST_TITLE = 120
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class ThemeDesk:
    """Decisions about themes; each is written with who made it, and the stage of themes keeps to it."""

    store: Store
    audit: Audit | None = None

    def rename(self, theme: str, title: str, *, by: str, now: datetime) -> Theme:
        """Give a theme a name that stays; an empty one lets the product name it again.

        Raises:
            DeskError: no such theme, or no such name to take back.
        """
        seen, hand, name = self._theme(theme), decided(self.store), " ".join(title.split())[:LONGEST_TITLE]
        if not name:
            return self._unnamed(seen, hand, by=by, now=now)
        before = hand.before if theme in hand.titles else _with(hand.before, {theme: seen.label})
        hand = replace(hand, titles=_with(hand.titles, {theme: name}), before=before)
        event = _event(seen.id, "renamed", (), f"by {by}; was “{seen.label}”", now)
        self._put(by, hand.titled(seen), hand.record(now), event)
        return hand.titled(seen)

    def _unnamed(self, theme: Theme, hand: ByHand, *, by: str, now: datetime) -> Theme:
        if theme.id not in hand.titles:
            raise DeskError("nobody named this theme by hand: there is nothing to take back")
        label = hand.before.get(theme.id, "")
        named = replace(theme, label=label, titles={"en": label} if label else {})
        hand = replace(hand, titles=_without(hand.titles, theme.id), before=_without(hand.before, theme.id))
        event = _event(theme.id, "renamed", (), f"its name by hand, “{theme.label}”, was taken back by {by}", now)
        self._put(by, named, hand.record(now), event)
        return named

    def merge(self, theme: str, into: str, *, by: str, now: datetime) -> int:
        """Say that a theme is one with another: its documents are the other's from now on, later ones too.

        Returns:
            How many documents it was.

        Raises:
            DeskError: no such theme, or twice the same.
        """
        seen, other, hand = self._theme(theme), self._theme(into), decided(self.store)
        if hand.end(into) == theme or theme == into:
            raise DeskError("a theme is merged with another one, not with itself")
        moved = self._documents(theme)
        hand = replace(
            hand, merged=_with(hand.merged, {theme: into}), moved=_with(hand.moved, {theme: tuple(d.id for d in moved)})
        )
        seen_span = (min(seen.first_seen, other.first_seen), max(seen.last_seen, other.last_seen))
        parents = tuple(dict.fromkeys((*other.parents, theme)))
        grown = replace(
            other, first_seen=seen_span[0], last_seen=seen_span[1], size=other.size + seen.size, parents=parents
        )
        event = _event(theme, "merged", (into,), f"by {by}", now)
        self._put(by, hand.applied(seen), grown, hand.record(now), event, *_members(moved, hand.end(into), now))
        return len(moved)

    def split(self, theme: str, documents: Sequence[str], title: str, *, by: str, now: datetime) -> Theme:
        """Make some documents of a theme a theme of their own, under a name; what comes later follows the nearer one.

        Raises:
            DeskError: no such theme, no name, none of its documents, or all of them.
        """
        seen, hand, name = self._theme(theme), decided(self.store), " ".join(title.split())[:LONGEST_TITLE]
        own, wanted = self._documents(theme), set(documents)
        chosen = [document for document in own if document.id in wanted]
        if not name:
            raise DeskError("what is split off needs a name: who or what, and what is wrong")
        if not chosen or len(chosen) == len(own):
            raise DeskError(f"{len(chosen)} of its {len(own)} documents were chosen: a part of them can be split off")
        new = stable_id("theme", theme, "split", now.isoformat())
        times = [d.mention.published_at for d in chosen if d.mention.published_at] or [seen.last_seen]
        fresh = Theme(
            id=new, label=name, titles={"en": name}, first_seen=min(times), last_seen=max(times), parents=(theme,),
            size=len(chosen), risk=seen.risk, exemplars=tuple(d.id for d in chosen[:6]), keywords=seen.keywords,
        )  # fmt: skip
        left = replace(seen, size=max(0, seen.size - len(chosen)), children=(*seen.children, new))
        hand = replace(
            hand, titles=_with(hand.titles, {new: name}), parents=_with(hand.parents, {new: theme}),
            pinned=_with(hand.pinned, {d.id: new for d in chosen}),
            moved=_with(hand.moved, {new: tuple(d.id for d in chosen)}),
            centres=_with(hand.centres, {new: _centres(chosen, own)}),
        )  # fmt: skip
        event = _event(theme, "split", (new,), f"by {by}", now)
        self._put(by, fresh, left, hand.record(now), event, *_members(chosen, new, now))
        return fresh

    def undo(self, theme: str, *, by: str, now: datetime) -> int:
        """Take back that a theme was merged or split off; return how many documents went back.

        Raises:
            DeskError: no such theme, or nobody did either by hand.
        """
        seen, hand = self._theme(theme), decided(self.store)
        if theme in hand.merged:
            return self._unmerged(seen, hand, by=by, now=now)
        if theme in hand.parents:
            return self._joined(seen, hand, by=by, now=now)
        raise DeskError("nobody merged this theme or split it off by hand: there is nothing to take back")

    def _unmerged(self, theme: Theme, hand: ByHand, *, by: str, now: datetime) -> int:
        into = hand.end(theme.id)
        back = self._still(hand.moved.get(theme.id, ()), into)
        hand = replace(hand, merged=_without(hand.merged, theme.id), moved=_without(hand.moved, theme.id))
        alone = replace(theme, state="living", children=(), size=len(back))
        event = _event(theme.id, "revived", (into,), f"the merge was taken back by {by}", now)
        self._put(by, hand.titled(alone), hand.record(now), event, *_members(back, theme.id, now))
        return len(back)

    def _joined(self, theme: Theme, hand: ByHand, *, by: str, now: datetime) -> int:
        home = hand.end(hand.parents[theme.id])
        back = self._documents(theme.id)  # those too that came to it later
        hand = replace(
            hand, titles=_without(hand.titles, theme.id), parents=_without(hand.parents, theme.id),
            pinned={one: to for one, to in hand.pinned.items() if to != theme.id},
            moved=_without(hand.moved, theme.id), centres=_without(hand.centres, theme.id),
        )  # fmt: skip
        gone = replace(theme, state="merged", children=(home,), size=0)
        event = _event(theme.id, "merged", (home,), f"the split was taken back by {by}", now)
        self._put(by, gone, hand.record(now), event, *_members(back, home, now))
        return len(back)

    def _theme(self, id: str) -> Theme:
        found = self.store.get(Theme, id)
        if found is None:
            raise DeskError(f"there is no theme {id!r}; groundswell themes --list names them")
        return found

    def _documents(self, theme: str) -> list[Document]:
        return list(self.store.scan(Query(where={"theme": (theme,)}, with_vectors=True)))

    def _still(self, ids: Sequence[str], theme: str) -> list[Document]:
        """Return those of some documents that are in a theme now."""
        return [d for d in self.store.many(Document, ids) if d.membership and d.membership.theme == theme]

    def _put(self, by: str, *records: Record) -> None:
        with recorded(self.audit, self.store, records, who=by):
            report = self.store.put(records)
            if report.refused:
                raise DeskError(f"the store refused this: {report.refused[0].reason}")


def _centres(chosen: Sequence[Document], own: Sequence[Document]) -> list[list[float]]:
    """Return what tells the chosen documents of a theme from its others, where their texts do."""
    wanted = {document.id for document in chosen}
    read = [(d.id in wanted, d.enriched.vector) for d in own if d.enriched and d.enriched.vector is not None]
    part, rest = ([vector for mine, vector in read if mine is side] for side in (True, False))
    return centres_of(np.stack(part), np.stack(rest)) if part and rest else []


def follows(store: Reader, part: str) -> bool:
    """Return whether later documents follow a theme that was split off: whether its texts can be told apart."""
    return bool(decided(store).centres.get(part))


def _members(documents: Sequence[Document], theme: str, now: datetime) -> list[Membership]:
    """Return the documents' places in a theme; a person's word is certain."""
    return [Membership(id=document.id, theme=theme, confidence=1.0, at=now) for document in documents]


def _event(theme: str, what: LineageKind, others: tuple[str, ...], why: str, now: datetime) -> Lineage:
    key = stable_id("lineage", theme, what, "by hand", now.isoformat())
    return Lineage(id=key, theme=theme, what=what, at=now, others=others, why=why)


def _with(before: Mapping[K, V], more: Mapping[K, V]) -> dict[K, V]:
    return {**before, **more}


def _without(before: Mapping[K, V], key: K) -> dict[K, V]:
    return {one: value for one, value in before.items() if one != key}
