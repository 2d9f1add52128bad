"""A document is made of parts that come one after another; how each changes it is the same in every store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np

from groundswell.index.codec import decode, encode
from groundswell.index.records import Document, Enriched, Membership, Mention, Record
from groundswell.index.refusals import NO_MENTION, apart_from_fetch, objection
from groundswell.index.store import Refused
from groundswell.index.vector import from_blob, to_blob

R = TypeVar("R")
Part = Mention | Enriched | Membership
ORDER: dict[type[Part], int] = {Mention: 0, Enriched: 1, Membership: 2}
"""In one call, mentions come first, whatever the order they were given in."""
PARTS: dict[type[Any], str] = {
    Document: "document",
    Mention: "mention",
    Enriched: "enriched",
    Membership: "membership",
}
"""Kinds that rest together as one document, and which attribute of it they are."""


def sorted_out(records: Iterable[Record]) -> tuple[list[Record], tuple[Refused, ...]]:
    """Return the records a store can keep, and the others with the reason."""
    good, refused = [], []
    for record in records:
        if reason := objection(record) or _not_json(record):
            refused.append(Refused(id=record.id, reason=reason))
        else:
            good.append(record)
    return good, tuple(refused)


def _not_json(record: Record) -> str:
    """Return why a record cannot be written as JSON and read back; "" where it can."""
    if isinstance(record, Enriched):
        record = replace(record, vector=None)  # looked at already, and most of the work
    try:
        decode(type(record), encode(record))
    except (ValueError, TypeError) as error:
        return f"it cannot be kept as JSON: {' '.join(str(error).split())[:300]}"
    return ""


def is_part(records: Iterable[object]) -> list[Part]:
    """Return those records that are parts of documents."""
    return [record for record in records if isinstance(record, Mention | Enriched | Membership)]


def rest(records: Sequence[Record]) -> list[Record]:
    """Return those records that are no parts of documents."""
    return [record for record in records if not isinstance(record, Mention | Enriched | Membership)]


def parts_of(kind: type[R], found: list[Document]) -> list[R]:
    """Return documents, or one part of each that has it."""
    if kind is Document:
        return cast("list[R]", found)
    parts = [getattr(document, PARTS[kind]) for document in found]
    return [part for part in parts if part is not None]


def applied(document: Document | None, part: Part) -> tuple[Document, str]:
    """Return the document with a part added, and whether that was new, updated or the same."""
    match part:
        case Mention():
            return _with_mention(document, part)
        case Enriched():
            return _with_enriched(_there(document), part)
        case Membership():
            return _with_membership(_there(document), part)


def _there(document: Document | None) -> Document:
    """Return the document, which must be there."""
    if document is None:
        raise ValueError(NO_MENTION)
    return document


def _with_mention(document: Document | None, mention: Mention) -> tuple[Document, str]:
    """Add a mention; another text makes what was understood of the old one void."""
    if document is None:
        return Document(mention=mention), "new"
    old = document.mention
    if not apart_from_fetch(old, mention) or encode(replace(mention, fetched_at=old.fetched_at)) == encode(old):
        return document, "same"
    if (old.title, old.text) != (mention.title, mention.text):
        return Document(mention=mention), "updated"
    return replace(document, mention=mention), "updated"


def _with_enriched(document: Document, enriched: Enriched) -> tuple[Document, str]:
    """Add what was understood; without a vector, the vector that is there stays."""
    old = document.enriched
    vector = None if enriched.vector is None else from_blob(to_blob(enriched.vector))
    if vector is None and old is not None:
        vector = old.vector
    enriched = replace(enriched, vector=vector)
    if old is None:
        return replace(document, enriched=enriched), "new"
    if text_of(old) == text_of(enriched) and _equal(old, enriched):
        return document, "same"
    return replace(document, enriched=enriched), "updated"


def text_of(enriched: Enriched) -> str:
    """Return the JSON of what was understood, the vector apart."""
    return encode(replace(enriched, vector=None))


def _equal(one: Enriched, other: Enriched) -> bool:
    """Tell whether two have the same vector, or both none."""
    if one.vector is None or other.vector is None:
        return one.vector is other.vector
    return bool(np.array_equal(one.vector, other.vector))


def _with_membership(document: Document, membership: Membership) -> tuple[Document, str]:
    """Add which theme it belongs to."""
    old = document.membership
    if old is not None and (old == membership or encode(old) == encode(membership)):
        return document, "same"
    return replace(document, membership=membership), "new" if old is None else "updated"


def without(document: Document, kind: type[object]) -> Document | None:
    """Return a document without a part; nothing is left without the mention."""
    if kind is Enriched:
        return replace(document, enriched=None)
    return replace(document, membership=None) if kind is Membership else None
