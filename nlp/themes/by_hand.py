"""What people decided about themes: names that stay, themes that are one, documents that are a theme of their own.

It is kept beside the state of the stage, which goes on placing documents by their texts; what it places and names is
written as people decided.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from groundswell.index.records import Checkpoint, Theme
from groundswell.index.store import Reader

HAND = "themes-by-hand"
"""Checkpoint: all that people decided about themes."""
TOLD_APART = 0.7
"""Balanced share of a theme's own documents that two centres must tell apart as the person did; .5 is by chance."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ByHand:
    """Decisions that hold.

    Attributes:
        titles: theme → what a person called it.
        merged: theme → the theme that it is one with.
        pinned: document → the theme that a person made of it and others.
        moved: theme that was merged or split off → its documents at that time, which an undoing brings back.
        parents: theme that was split off → where it came from.
        before: theme → what it was called before a person named it.
        centres: theme that was split off → the mean vectors of its documents and of those it was parted from, by which
            later documents are told apart; none where these two are too alike.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    centres: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    def end(self, theme: str) -> str:
        """Return the theme that a theme is one with in the end; a circle ends where it is met again."""
        seen = {theme}
        while (into := self.merged.get(theme, "")) and into not in seen:
            theme = into
            seen.add(theme)
        return theme

    def place(self, document: str, theme: str) -> str:
        """Return where a document that the stage placed belongs."""
        pinned = self.pinned.get(document, "")
        return self.end(pinned or theme) if pinned or theme else ""

    def followed(self, theme: str, vector: Floats) -> str:
        """Return where a document belongs that came to a theme after parts of it were split off: to the nearer one."""
        for part, home in self.parents.items():
            if self.end(home) == theme and part in self.centres and nearer(vector[None], self.centres[part])[0]:
                theme = self.end(part)
        return theme

    def parted(self, themes: Collection[str]) -> set[str]:
        """Return those of some themes of which later documents may belong to a part that was split off."""
        return {home for part in self.centres if (home := self.end(self.parents.get(part, ""))) in themes}

    def applied(self, theme: Theme) -> Theme:
        """Return a theme as people decided."""
        if theme.id in self.merged:
            theme = replace(theme, state="merged", children=(self.end(theme.id),), size=0)
        return self.titled(theme)

    def titled(self, theme: Theme) -> Theme:
        """Return a theme under the name that a person gave it, in every language."""
        title = self.titles.get(theme.id)
        return replace(theme, label=title, titles=dict.fromkeys({*theme.titles, "en"}, title)) if title else theme

    def record(self, now: datetime) -> Checkpoint:
        """Return it as it is stored."""
        return Checkpoint(id=HAND, value=asdict(self), at=now)


def centres_of(part: Floats, rest: Floats) -> list[list[float]]:
    """Return the mean vectors that tell a part from the rest, or nothing where they do not.

    Args:
        part: shape ``(n, d)``, the documents that were split off.
        rest: shape ``(m, d)``, those that they were parted from.
    """
    centres = [[round(float(x), 5) for x in rows.mean(axis=0)] for rows in (part, rest)]
    right = (nearer(part, centres).mean() + 1 - nearer(rest, centres).mean()) / 2
    return centres if right >= TOLD_APART else []


def nearer(vectors: Floats, centres: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """Return of each vector whether it is nearer to the first of two centres than to the second."""
    own, rest = (np.asarray(one, dtype=np.float32) for one in centres)
    return np.asarray(((vectors - own) ** 2).sum(axis=1) < ((vectors - rest) ** 2).sum(axis=1))


def decided(reader: Reader) -> ByHand:
    """Return what people decided so far."""
    mark = reader.get(Checkpoint, HAND)
    if mark is None:
        return ByHand()
    value = {name: dict(mark.value.get(name, {})) for name in ByHand.__slots__}
    return ByHand(**value | {"moved": {theme: tuple(ids) for theme, ids in value["moved"].items()}})
