"""What became of mentions after they were first told: their edits are kept, what was taken back is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from groundswell.crawlers.handover import Removed
from groundswell.index.ids import stable_id
from groundswell.index.personal_data import masked
from groundswell.index.records import Mention, Revision
from groundswell.index.store import Store

VERSIONS = 20
"""Earlier versions of a mention that are kept: the first, and the newest."""


def revisions(store: Store, stored: Mapping[str, Mention], fresh: Sequence[Mention]) -> list[Revision]:
    """Return the earlier versions of mentions that are about to be replaced by another wording."""
    edited = [
        (old, new)
        for new in fresh
        if (old := stored.get(new.id)) and old.source == new.source and _said(new) not in (_said(old), _masked(old))
    ]
    taken = {each.id: each for each in store.many(Revision, [name for old, _ in edited for name in _names(old.id)])}
    return [_revision(old, new, _free(old.id, taken)) for old, new in edited]


def forget(store: Store, removed: Sequence[Removed], source: str) -> int:
    """Delete mentions that this source has taken back, with their earlier versions; return how many there were.

    That something was deleted, and when, stays known; what it said does not.
    """
    if not removed:
        return 0
    gone = [each for each in store.many(Mention, [each.id for each in removed]) if each.source == source]
    if not gone:
        return 0
    store.delete(Revision, [name for each in gone for name in _names(each.id)])
    store.put(
        Revision(id=_name(each.id, 0), mention=each.id, source=source, what="deleted", at=each.fetched_at)
        for each in gone
    )
    return store.delete(Mention, [each.id for each in gone])


def _said(mention: Mention) -> tuple[object, ...]:
    return (mention.title, mention.text)


def _masked(mention: Mention) -> tuple[object, ...]:
    """Return what a mention would say if it were masked today: one that was kept before that is not edited by it."""
    return (masked(mention.title, market=mention.market), masked(mention.text, market=mention.market))


def _revision(old: Mention, new: Mention, name: str) -> Revision:
    return Revision(
        id=name,
        mention=old.id,
        source=old.source,
        what="edited",
        at=new.fetched_at,
        title=old.title,
        text=old.text,
        published_at=old.published_at,
    )


def _free(mention: str, taken: Mapping[str, Revision]) -> str:
    """Return the first free place of a mention's versions, else that of the oldest but the very first."""
    names = _names(mention)
    free = next((name for name in names if name not in taken), "")
    return free or min(names[1:], key=lambda name: taken[name].at)


def _names(mention: str) -> list[str]:
    return [_name(mention, number) for number in range(VERSIONS)]


def _name(mention: str, number: int) -> str:
    return stable_id("revision", mention, str(number))
