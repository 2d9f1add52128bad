"""Rows back to records."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from groundswell.index.batches import sliced
from groundswell.index.codec import decode
from groundswell.index.parts import PARTS, parts_of
from groundswell.index.records import Document, Enriched, Membership, Mention
from groundswell.index.vector import from_blob

R = TypeVar("R")
ROWS_AT_ONCE = 500
"""Rows asked for in one statement."""


def documents(db: sqlite3.Connection, ns: Sequence[int], *, vectors: bool) -> list[Document]:
    """Return the documents with these row numbers, in that order; those that are gone are left out."""
    found: dict[int, Document] = {}
    half = "v.half" if vectors else "NULL"
    join = "LEFT JOIN vector v ON v.n = b.n" if vectors else ""
    for some in sliced(ns, ROWS_AT_ONCE):
        rows = db.execute(
            f"SELECT b.n, b.mention, b.enriched, b.membership, {half} FROM body b {join}"
            f" WHERE b.n IN ({', '.join('?' * len(some))})",
            some,
        )
        found.update({n: _document(*rest) for n, *rest in rows})
    return [found[n] for n in ns if n in found]


def _document(mention: str, enriched: str | None, membership: str | None, half: bytes | None) -> Document:
    """Return one document."""
    understood = decode(Enriched, enriched) if enriched else None
    if understood is not None and half is not None:
        understood = replace(understood, vector=from_blob(half))
    return Document(
        mention=decode(Mention, mention),
        enriched=understood,
        membership=decode(Membership, membership) if membership else None,
    )


def parts(db: sqlite3.Connection, kind: type[R], ns: Sequence[int]) -> list[R]:
    """Return one part of the documents with these row numbers, or all, in that order, of those that have it."""
    name = PARTS[kind]
    if kind in (Document, Enriched):
        return parts_of(kind, documents(db, ns, vectors=True))
    found: dict[int, R] = {}
    for some in sliced(ns, ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        rows = db.execute(f"SELECT n, {name} FROM body WHERE n IN ({marks}) AND {name} IS NOT NULL", some)
        found.update({n: decode(kind, text) for n, text in rows})
    return [found[n] for n in ns if n in found]


def numbers(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the row number of each id that is there."""
    found: dict[str, int] = {}
    for some in sliced(ids, ROWS_AT_ONCE):
        marks = ", ".join("?" * len(some))
        found.update(db.execute(f"SELECT id, n FROM document WHERE id IN ({marks})", some))
    return found
