"""Which mention an item is: its address and the source's own id decide together, and what rests in the store already.

An address names a page. Most items are one page each; some share one (notices, change logs, live pages), and some name
one page in many ways. So a spider gives each item the ids that it may rest under, and the intake, which knows the
store, settles which of them it is: an item stays what it was, and no item becomes another one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from groundswell.index.ids import stable_id
from groundswell.index.records import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Mention):
    """A mention whose id is not settled.

    `id` is what it is called where nothing else is known. `others` are ids that it may rest under already (those that
    earlier versions gave, the one of its address). `own` is what it is called where another item has `id`; empty where
    the address alone decides (whatever stands on a page is that page).
    """

    others: tuple[str, ...] = ()
    own: str = ""


class Facts(NamedTuple):
    """What tells two items of one address apart."""

    source: str
    guid: str
    anchor: str
    title: str
    text: str
    is_long: bool
    published: datetime | None


LONG = 200
"""Characters from which equal texts are one: shorter ones may be a phrase that each of many notices holds."""
FIELDS = tuple(field.name for field in fields(Mention))


def settled(mention: Mention, id: str) -> Mention:
    """Return a mention under an id."""
    return Mention(**{name: getattr(mention, name) for name in FIELDS} | {"id": id})


def facts_of(mention: Mention) -> Facts:
    """Return what is compared of a mention."""
    try:
        anchor = urlsplit(mention.url).fragment
    except ValueError:
        anchor = ""
    guid, title = str(mention.extra.get("guid", "")), " ".join(mention.title.casefold().split())
    return Facts(
        mention.source, guid, anchor, title, stable_id(mention.text), len(mention.text) >= LONG, mention.published_at
    )


def is_same(stored: Facts, new: Facts) -> bool:
    """Return whether two items of one address are one.

    Ids of the source decide where they are equal. Where they differ (some feeds make new ones at every fetch) so must
    title, or text and date, if there are to be two; two anchors with two ids are two. Without ids, an item is another
    one only if title, text and moment all are; a day or a full hour, which many notices share, is no moment.
    """
    if stored.source != new.source:
        return True
    same_text, same_date = stored.text == new.text, stored.published is not None and stored.published == new.published
    if stored.guid and new.guid:
        if stored.guid == new.guid:
            return True
        two_anchors = stored.anchor and new.anchor and stored.anchor != new.anchor
        return not two_anchors and stored.title == new.title and (same_text or same_date)
    titled = bool(stored.title and new.title)
    same_moment = same_date and new.published is not None and bool(new.published.minute or new.published.second)
    return same_moment or (titled and stored.title == new.title) or (same_text and (new.is_long or not titled))


def is_moved(stored: Facts, new: Facts) -> bool:
    """Return whether an item is the one that rests under another id: alike in something, or another source's page."""
    if stored.source != new.source:
        return not new.anchor
    alike = bool(new.title) and stored.title == new.title
    alike |= stored.text == new.text or (stored.published is not None and stored.published == new.published)
    return alike and is_same(stored, new)
